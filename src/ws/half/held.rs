//! What is under way in one direction, as memory: what it costs, and what of it can be given up.

use super::{Half, Open, Scratch, State};
use crate::limits;
use crate::model::{Hole, Piece, Span, Unfinished};
use crate::ws::held::{self, Held};
use crate::ws::message::Assembly;

/// Appends to what is kept of a payload that has `whole` bytes in all. The room doubles with what arrives,
/// but never beyond the end.
#[inline]
pub(super) fn keep(kept: &mut Vec<u8>, bytes: &[u8], whole: u64) {
    held::grow(kept, bytes.len(), usize::try_from(whole).unwrap_or(usize::MAX));
    kept.extend_from_slice(bytes);
}

/// Room for so many more bytes, to be written, behind what is kept of such a payload.
#[inline]
pub(super) fn lend(kept: &mut Vec<u8>, more: usize, whole: u64) -> &mut [u8] {
    held::grow(kept, more, usize::try_from(whole).unwrap_or(usize::MAX));
    let from = kept.len();
    kept.resize(from + more, 0);
    &mut kept[from..]
}

impl Scratch {
    /// Buffers of a run that may take so many bytes.
    pub fn within(memory: usize) -> Self {
        let mut scratch = Self::default();
        scratch.held.budget = memory;
        scratch
    }
}

impl Open {
    /// Bytes it takes.
    pub(super) fn cost(&self) -> usize {
        let lost = match &self.state {
            State::Lost(lost) => lost.seeker.as_ref().map_or(0, super::Seeker::cost),
            State::Header | State::Payload => 0,
        };
        size_of::<Self>()
            + self.kept.capacity()
            + self.holes.capacity() * size_of::<Hole>()
            + self.pieces.capacity() * size_of::<Piece>()
            + self.message.as_ref().map_or(0, Assembly::cost)
            + lost
    }

    /// Gives back what nobody will need: room that was used for more before, and the payload of a frame that
    /// is over.
    pub(super) fn trim(&mut self) {
        if self.kept.capacity() <= limits::BLOCK {
            return;
        }
        if !matches!(self.state, State::Payload) {
            self.kept = Vec::new();
        } else if self.kept.capacity() / 2 > self.kept.len().max(limits::BLOCK / 2) {
            // It doubles again if it must: growing with every packet would copy it over and over.
            self.kept.shrink_to(limits::BLOCK);
        }
    }

    /// Bytes kept only to be shown.
    fn shown(&self) -> usize {
        let frame = if matches!(self.state, State::Payload) && !self.current.header.opcode.is_control() {
            self.kept.capacity()
        } else {
            0
        };
        frame + self.message.as_ref().map_or(0, |message| message.kept.capacity())
    }
}

impl Half {
    /// Whether it stands anywhere but between two messages.
    #[inline]
    pub(in crate::ws) fn is_under_way(&self) -> bool {
        self.open.is_some()
    }

    /// The message that is under way, if its beginning was seen.
    pub(in crate::ws) fn under_way(&self) -> Option<Unfinished> {
        let open = self.open.as_deref()?;
        let is_inside = matches!(open.state, State::Payload);
        let current = &open.current;
        let is_data = !current.header.opcode.is_control();
        let frame = is_inside.then(|| (current.arrived(), current.header.length)).filter(|_| is_data);
        match &open.message {
            Some(message) if message.frame_count > 0 || frame.is_some() => Some(Unfinished {
                fragments: message.frame_count,
                bytes: message.length + frame.map_or(0, |(arrived, _)| arrived),
                frame,
            }),
            _ => None,
        }
    }

    /// What is under way, or room for it.
    #[inline]
    pub(super) fn open(&mut self, scratch: &mut Scratch) -> Box<Open> {
        match self.open.take() {
            Some(open) => {
                scratch.held.release(open.cost());
                open
            }
            None => scratch.spare.take().unwrap_or_default(),
        }
    }

    /// Keeps what is under way, or gives the room back.
    #[inline]
    pub(super) fn put_away(&mut self, mut open: Box<Open>, scratch: &mut Scratch) {
        if !open.is_idle() {
            open.trim();
            scratch.held.take(open.cost());
            self.open = Some(open);
        } else if open.kept.capacity() <= limits::PAYLOAD_LENT {
            scratch.spare = Some(open);
        }
    }

    /// Bytes kept only to be shown of what is not over.
    pub(in crate::ws) fn shown(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.shown())
    }

    /// Gives up what is kept to be shown, but for its beginning.
    pub(in crate::ws) fn give_up_shown(&mut self, held: &mut Held) -> usize {
        let Some(open) = &mut self.open else { return 0 };
        let before = open.cost();
        if matches!(open.state, State::Payload) && !open.current.header.opcode.is_control() {
            open.current.cut |= held::cut(&mut open.kept, &mut open.holes);
        }
        if let Some(message) = &mut open.message {
            message.cut |= held::cut(&mut message.kept, &mut message.holes);
        }
        let freed = before - open.cost();
        held.release(freed);
        freed
    }

    /// Whether a compressed message is under way.
    pub(in crate::ws) fn is_inflating(&self) -> bool {
        let message = self.open.as_ref().and_then(|open| open.message.as_ref());
        message.is_some_and(|message| message.compressed)
    }

    /// The connection is dropped without an end.
    pub(in crate::ws) fn forget(&mut self, held: &mut Held) {
        if let Some(open) = self.open.take() {
            held.release(open.cost());
        }
    }
}

impl Assembly {
    /// Bytes it takes besides its own.
    fn cost(&self) -> usize {
        self.kept.capacity()
            + self.frames.capacity() * size_of::<u64>()
            + self.parts.capacity() * size_of::<Span>()
            + self.holes.capacity() * size_of::<Hole>()
    }
}
