//! One endpoint's half of a conversation: its bytes become frames.
//!
//! The half is pushed bytes in any segmentation and keeps no more of a payload
//! than somebody wants to see: a frame that arrives whole is judged in place.
//!
//! Thousands of connections take turns, and what is remembered of one has left the
//! cache when its next frame comes. So a half is one or two cache lines, and what
//! only matters inside a message is in a box of its own, `Open`, which is lent by
//! the [`Scratch`] and stays warm there.

mod complete;
mod described;
mod held;
mod hole;
mod parting;
mod prospect;
mod scratch;
mod whole;

use std::ops::ControlFlow;

use self::hole::{DOUBT, REPLAYED};
pub use self::prospect::Prospect;
pub use self::scratch::Scratch;
use super::compressed::Compressed;
use super::header::{self, LONGEST};
use super::judge::{self, KeyWatch};
use super::message::Assembly;
use super::seek::Seeker;
use super::shared::Shared;
use super::{cut, mask};
use crate::limits;
use crate::model::{
    At, Counts, Dir, Finding, Flow, FrameHeader, Gap, GapEffect, Hole, ON, Opcode, Out, Piece, SourceId, Span,
};

/// One direction of a conversation, in one cache line.
#[derive(Debug)]
#[repr(align(64))]
pub struct Half {
    /// Offset of the next byte in the stream.
    offset: u64,
    /// `None` between two messages.
    open: Option<Box<Open>>,
    pub(super) counts: Counts,
    keys: KeyWatch,
    dir: Dir,
    /// What is read now was found by its shape.
    inferred: bool,
    /// After a gap: a continuation frame may belong to a message whose start was lost.
    lenient: bool,
    /// Headers that have to fit before it is certain that what was found by its shape are frames: what does
    /// not fit until then is no frame, and nobody's fault.
    doubt: u8,
}

/// The header, frame and message that are under way.
#[derive(Debug, Default)]
struct Open {
    state: State,
    current: Current,
    /// A header that has not arrived whole.
    head: [u8; LONGEST],
    have: u8,
    /// Packet of the first of those bytes.
    head_packet: u64,
    message: Option<Assembly>,
    /// What is kept of the current frame's payload.
    kept: Vec<u8>,
    /// The holes among that.
    holes: Vec<Hole>,
    /// Which packets carried the current frame; only recorded when somebody looks at fields.
    pieces: Vec<Piece>,
}

#[derive(Debug, Default)]
enum State {
    /// At a frame boundary, or inside a header.
    #[default]
    Header,
    /// Inside the payload of the current frame.
    Payload,
    /// Where the next header begins is not known.
    Lost(Box<Lost>),
}

/// Searching for a header, because of `gap` or because the capture begins midway.
#[derive(Debug, Default)]
struct Lost {
    gap: Option<Gap>,
    /// What looks for it, once there are bytes.
    seeker: Option<Seeker>,
}

/// The frame whose payload is arriving.
#[derive(Debug, Default)]
struct Current {
    header: FrameHeader,
    offset: u64,
    first_packet: u64,
    /// Payload bytes that have not arrived.
    remaining: u64,
    missing: u64,
    /// It came inside a fragmented message.
    in_message: bool,
    /// Something was not kept that lies before what would be kept next.
    cut: bool,
}

impl Open {
    /// Whether the next byte begins a message.
    fn is_idle(&self) -> bool {
        self.have == 0 && self.message.is_none() && matches!(self.state, State::Header)
    }
}

impl Current {
    /// Payload bytes that have come, or were passed over.
    fn arrived(&self) -> u64 {
        self.header.length - self.remaining
    }
}

impl Half {
    /// The half of `dir`, beginning at byte `offset` of its stream.
    pub fn new(dir: Dir, offset: u64, inferred: bool) -> Self {
        Self {
            offset,
            open: None,
            counts: Counts::default(),
            keys: KeyWatch::default(),
            dir,
            inferred,
            lenient: false,
            doubt: 0,
        }
    }

    /// The stream is joined somewhere. `found` says that its next byte begins a header, else one has to be
    /// found.
    pub(super) fn join_midway(&mut self, found: bool) {
        self.lenient = true;
        if found {
            return;
        }
        self.doubt = DOUBT;
        let state = State::Lost(Box::default());
        self.open = Some(Box::new(Open { state, ..Open::default() }));
    }

    /// Whether the stream stands inside a frame or a header.
    pub fn is_inside_frame(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.have > 0 || matches!(open.state, State::Payload))
    }

    /// Whether what is read now was found by its shape, and it is not certain yet that it are frames.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubt > 0
    }

    /// Whether the stream stands behind a fragment that is not the last one.
    pub(super) fn is_inside_message(&self) -> bool {
        let message = self.open.as_ref().and_then(|open| open.message.as_ref());
        message.is_some_and(|message| message.frame_count > 0)
    }

    /// What has arrived of the unfinished frame.
    pub(super) fn unfinished(&self, shared: &Shared) -> Span {
        let start = match self.open.as_deref() {
            Some(Open { state: State::Payload, current, .. }) => current.offset,
            Some(open) => self.offset - u64::from(open.have),
            None => self.offset,
        };
        Span::bytes(self.source(shared), start, self.offset - start)
    }

    /// Judges a header of which not all has arrived, by the bits that have.
    pub(super) fn judge_unfinished(&self, shared: &Shared, findings: &mut Vec<Finding>) {
        let Some(open) = self.open.as_deref().filter(|open| open.have > 0 && !self.is_in_doubt()) else {
            return;
        };
        let context = self.context(shared, self.offset - u64::from(open.have), self.is_inside_message());
        cut::judge(&open.head[..usize::from(open.have)], &context, findings);
    }

    /// What the header at `offset` is judged against.
    fn context(&self, shared: &Shared, offset: u64, in_message: bool) -> judge::Context {
        judge::Context {
            dir: self.dir,
            source: self.source(shared),
            offset,
            extensions: shared.extensions,
            in_message,
            lenient: self.lenient,
        }
    }

    fn source(&self, shared: &Shared) -> SourceId {
        shared.source(self.dir)
    }

    /// Takes bytes up to where nothing is under way, or all of them. Gives back those behind.
    fn long_way<'b>(
        &mut self,
        shared: &mut Shared,
        mut bytes: &'b [u8],
        mut at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> ControlFlow<(), &'b [u8]> {
        if let Some((rest, flow)) = self.parting(shared, bytes, at, out, scratch) {
            return flow.map_continue(|()| rest);
        }
        let mut open = self.open(scratch);
        let mut flow = ON;
        while !bytes.is_empty() && flow.is_continue() {
            flow = self.step(&mut open, shared, &mut bytes, &mut at, out, scratch);
            if open.is_idle() {
                break;
            }
        }
        self.put_away(open, scratch);
        flow.map_continue(|()| bytes)
    }

    /// Goes through the bytes.
    fn run(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        mut bytes: &[u8],
        mut at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        while !bytes.is_empty() {
            self.step(open, shared, &mut bytes, &mut at, out, scratch)?;
        }
        ON
    }

    /// Takes bytes up to where another state begins.
    fn step(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        bytes: &mut &[u8],
        at: &mut At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        let before = bytes.len();
        let flow = match &open.state {
            State::Header => self.header(open, shared, bytes, *at, out, scratch),
            State::Payload => self.payload(open, shared, bytes, *at, out, scratch),
            State::Lost(_) => self.search(open, shared, bytes, *at, out, scratch),
        };
        at.byte = at.byte.saturating_add((before - bytes.len()) as u32);
        flow
    }

    /// Takes bytes up to the end of a header; begins its frame when it is whole.
    fn header(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        bytes: &mut &[u8],
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        if open.have == 0 {
            open.head_packet = at.packet;
            open.pieces.clear();
        }
        let wants_fields = out.wants().fields;
        // Mostly the header is whole and is read in place.
        if open.have == 0
            && let Ok(header) = header::decode(bytes)
        {
            let (head, rest) = bytes.split_at(usize::from(header.header_length()));
            open.head[..head.len()].copy_from_slice(head);
            *bytes = rest;
            self.advance(open, head.len(), at, wants_fields);
            return self.begin(open, shared, header, at, out, scratch);
        }
        // Else it is collected; each byte of it tells how many more there are.
        loop {
            let have = usize::from(open.have);
            match header::decode(&open.head[..have]) {
                Ok(header) => {
                    open.have = 0;
                    return self.begin(open, shared, header, at, out, scratch);
                }
                Err(_) if bytes.is_empty() => return ON,
                Err(short) => {
                    let take = (short.needed - have).min(bytes.len());
                    let (now, rest) = bytes.split_at(take);
                    open.head[have..have + take].copy_from_slice(now);
                    open.have += take as u8;
                    self.advance(open, take, at, wants_fields);
                    *bytes = rest;
                }
            }
        }
    }

    /// A header is whole.
    fn begin(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        header: FrameHeader,
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        if self.is_in_doubt() && self.doubt < REPLAYED {
            if !self.fits(open, shared, &header) {
                return self.goes_astray(open, shared, at, out);
            }
            self.doubt -= 1;
        }
        open.kept.clear();
        open.holes.clear();
        let in_message = open.message.as_ref().is_some_and(|message| message.frame_count > 0);
        if !header.opcode.is_control() && !header.opcode.is_reserved() {
            if header.opcode != Opcode::CONTINUATION && open.message.is_some() {
                self.abandon(open, shared, at, out)?;
            }
            if open.message.is_none() {
                let opcode = header.opcode;
                let is_compressed = header.rsv1 && opcode != Opcode::CONTINUATION;
                open.message = Some(Assembly::new(opcode, is_compressed, open.head_packet));
                // What another extension means by RSV1 is not known here.
                if is_compressed && (!shared.extensions.other || shared.extensions.deflate.is_some()) {
                    let (dir, extensions) = (self.dir, shared.extensions);
                    let lenient = self.lenient || shared.windows_lost[dir.index()];
                    let given_up = shared.windows_given_up[dir.index()];
                    let new = || {
                        let inflater = scratch.held.inflater();
                        Box::new(Compressed::new(dir, extensions, lenient, inflater).behind(given_up))
                    };
                    let compressed = shared.compressed[dir.index()].get_or_insert_with(new);
                    compressed.begin(opcode == Opcode::TEXT, &mut scratch.held);
                }
            }
        }
        open.state = State::Payload;
        open.current = Current {
            header,
            offset: self.offset - u64::from(header.header_length()),
            first_packet: open.head_packet,
            remaining: header.length,
            missing: 0,
            in_message,
            cut: false,
        };
        if header.length == 0 { self.complete(open, shared, at, out, scratch) } else { ON }
    }

    /// Takes bytes of the current payload.
    fn payload(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        bytes: &mut &[u8],
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        let current = &mut open.current;
        let take = usize::try_from(current.remaining).unwrap_or(usize::MAX).min(bytes.len());
        let (chunk, rest) = bytes.split_at(take);
        *bytes = rest;
        let opcode = current.header.opcode;
        let shown = out.wants().payload;
        // Of a control frame all that one may have is kept: a Close is read, a ping compared with its pong.
        // Text that nobody has framed makes headers with reserved bits.
        let has_odd_bits = current.header.rsv2 || current.header.rsv3 || opcode.is_reserved();
        let is_looked_at = opcode.is_control() || has_odd_bits;
        let most = if is_looked_at { shown.max(limits::CONTROL_PAYLOAD) } else { shown };
        let room = most.saturating_sub(open.kept.len() as u64);
        let whole = current.header.length.min(most);
        let keep = if current.cut { 0 } else { usize::try_from(room).unwrap_or(usize::MAX).min(take) };
        let is_data = !opcode.is_control() && !opcode.is_reserved();
        let message = open.message.as_mut().filter(|_| is_data);
        // Behind a hole there is no reading on.
        let is_compressed = message.as_ref().is_some_and(|message| message.compressed && !message.lossy);
        let mut inflate =
            if is_compressed { shared.compressed[self.dir.index()].as_deref_mut() } else { None };
        let mut utf8 = message.and_then(|message| message.utf8(self.offset));
        let Scratch { block, .. } = scratch;
        let needed = if utf8.is_some() || inflate.is_some() { chunk } else { &chunk[..keep] };
        let mut look = |clear: &[u8]| {
            if let Some(utf8) = &mut utf8 {
                utf8.push(clear);
            }
            if let Some(inflate) = &mut inflate {
                inflate.push(clear, shown);
            }
        };
        match current.header.masking_key {
            None => {
                held::keep(&mut open.kept, &chunk[..keep], whole);
                look(chunk);
            }
            Some(key) => {
                // In blocks that stay in the first-level cache: unmask, then look while warm.
                let mut phase = (current.arrived() % 4) as usize;
                let mut keep = keep;
                for masked in needed.chunks(limits::BLOCK) {
                    let kept = keep.min(masked.len());
                    if kept == masked.len() {
                        // Where it stays, it needs no copy.
                        let clear = held::lend(&mut open.kept, kept, whole);
                        mask::unmask_into(clear, masked, key, phase);
                        look(clear);
                    } else {
                        let clear = &mut block[..masked.len()];
                        mask::unmask_into(clear, masked, key, phase);
                        look(clear);
                        held::keep(&mut open.kept, &clear[..kept], whole);
                    }
                    keep -= kept;
                    phase = (phase + masked.len()) % 4;
                }
            }
        }
        current.cut |= keep < take;
        current.remaining -= take as u64;
        let done = current.remaining == 0;
        if is_compressed && let Some(compressed) = &mut shared.compressed[self.dir.index()] {
            compressed.settle(&mut scratch.held);
        }
        self.advance(open, take, at, out.wants().fields);
        if done { self.complete(open, shared, at, out, scratch) } else { ON }
    }

    /// The stream is over. `abrupt` says that it should not be over here.
    pub(super) fn finish(
        &mut self,
        shared: &mut Shared,
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        let Some(mut open) = self.open.take() else { return ON };
        scratch.held.release(open.cost());
        self.settle(&mut open, shared, limits::EVIDENCE_LAST, out, scratch)?;
        if let State::Lost(lost) = &open.state
            && let Some(gap) = lost.gap
        {
            let gap = Gap { effect: GapEffect::Desynchronised, ..gap };
            shared.emit_gap(self.dir, &gap, out)?;
        }
        if matches!(open.state, State::Payload) {
            self.complete(&mut open, shared, at, out, scratch)?;
        }
        self.abandon(&mut open, shared, at, out)
    }

    /// Goes `length` bytes on and remembers where they came from, if somebody looks.
    #[inline]
    fn advance(&mut self, open: &mut Open, length: usize, at: At, wants_fields: bool) {
        if wants_fields && at.packet > 0 && open.pieces.len() < limits::PIECES_LISTED {
            open.pieces.push(Piece {
                offset: self.offset,
                len: length as u64,
                packet: at.packet,
                byte: at.byte,
            });
        }
        self.offset += length as u64;
    }
}
