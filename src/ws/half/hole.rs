//! Bytes that the capture does not have: skipped exactly inside a payload; over a
//! header, the next plausible one is searched for.

use super::{Current, Half, Lost, Open, Scratch, State};
use crate::limits;
use crate::model::{
    At, Dir, Flow, FrameHeader, Gap, GapEffect, Hole, LengthForm, Missing, ON, Opcode, Out, hole,
};
use crate::ws::seek::Seeker;
use crate::ws::shape::Known;
use crate::ws::shared::Shared;

/// What a header says that fits, in bits: one in twenty would.
const HEADER_BITS: i32 = 4;
/// The most headers that are asked for.
pub(super) const DOUBT: u8 = (limits::EVIDENCE_CERTAIN / HEADER_BITS) as u8;
/// Instead of a number of headers: the bytes are looked at for the second time, and fit.
pub(super) const REPLAYED: u8 = u8::MAX;

impl Current {
    /// Passes over the next `length` bytes of the payload, and remembers where among what is shown they were.
    fn miss(&mut self, length: u64, holes: &mut Vec<Hole>) {
        let at = Hole { offset: self.arrived(), length };
        self.remaining -= length;
        self.missing += length;
        if holes.len() < limits::HOLES_LISTED && !self.cut {
            hole::push(holes, at);
        } else {
            self.cut = true;
        }
    }
}

impl Half {
    /// Bytes of the stream are missing from the capture.
    pub(in crate::ws) fn gap(
        &mut self,
        shared: &mut Shared,
        missing: Missing,
        between: (Option<u64>, Option<u64>),
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        let mut open = self.open(scratch);
        let (offset, length) = (self.offset, missing.length);
        let gap = Gap { offset, length, between, effect: GapEffect::SkippedInPayload };
        let flow = self.pass_over(&mut open, shared, (gap, missing.is_exact), out, scratch);
        self.put_away(open, scratch);
        flow
    }

    fn pass_over(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        (gap, is_exact): (Gap, bool),
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        // What is likely to be a header will not become more so.
        self.settle(open, shared, limits::EVIDENCE_LAST, out, scratch)?;
        let gap = Gap { offset: self.offset, ..gap };
        let Gap { length, between, .. } = gap;
        let at = At { packet: between.1.or(between.0).unwrap_or(0), ..At::default() };
        self.offset += length;
        if let Some(message) = &mut open.message {
            message.lose();
            if message.compressed {
                shared.lose_window(self.dir);
            }
        }
        let current = &mut open.current;
        match &mut open.state {
            State::Payload if is_exact && current.remaining >= length => {
                current.miss(length, &mut open.holes);
                let done = current.remaining == 0;
                shared.emit_gap(self.dir, &gap, out)?;
                if done { self.complete(open, shared, at, out, scratch) } else { ON }
            }
            State::Payload => {
                // The payload's end is inside the hole, or nobody knows where behind it: its length is known,
                // what follows is not.
                current.miss(current.remaining, &mut open.holes);
                self.complete(open, shared, at, out, scratch)?;
                self.lose(open, shared, gap, at, out)
            }
            State::Header => self.lose(open, shared, gap, at, out),
            State::Lost(lost) => {
                let earlier = lost.gap.get_or_insert(Gap { length: 0, ..gap });
                earlier.length = earlier.length.saturating_add(length);
                earlier.between.1 = between.1;
                lost.seeker = None;
                ON
            }
        }
    }

    fn lose(&mut self, open: &mut Open, shared: &mut Shared, gap: Gap, at: At, out: &mut Out<'_>) -> Flow {
        self.abandon(open, shared, at, out)?;
        // Compressed messages may have been lost whole.
        shared.lose_window(self.dir);
        open.have = 0;
        self.lenient = true;
        open.state = State::Lost(Box::new(Lost { gap: Some(gap), ..Lost::default() }));
        shared.seeking[self.dir.index()] = true;
        ON
    }

    /// After a lost header: looks for the next one in the bytes of a segment.
    pub(super) fn search(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        bytes: &mut &[u8],
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        let State::Lost(lost) = &mut open.state else { return ON };
        let whole = std::mem::take(bytes);
        let known = self.known(shared);
        let seeker = lost.seeker.get_or_insert_with(|| Seeker::new(self.offset));
        seeker.push(whole, at, known, true);
        self.offset += whole.len() as u64;
        if seeker.is_sure(limits::EVIDENCE_RESYNC) {
            self.settle(open, shared, limits::EVIDENCE_RESYNC, out, scratch)
        } else {
            ON
        }
    }

    /// Goes on with the most likely place for a header, if `bits` speak for it.
    pub(super) fn settle(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        bits: i32,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        let State::Lost(lost) = &mut open.state else { return ON };
        let best = lost.seeker.as_ref().and_then(Seeker::best).filter(|place| place.bits >= bits);
        let Some((place, seeker)) = best.zip(lost.seeker.take_if(|_| best.is_some())) else { return ON };
        let gap = lost.gap;
        open.state = State::Header;
        shared.seeking[self.dir.index()] = false;
        self.inferred = true;
        if let Some(gap) = gap {
            let gap = Gap { effect: GapEffect::Resynchronised, ..gap };
            shared.emit_gap(self.dir, &gap, out)?;
        }
        // Bytes before the header are the unknown rest of what the hole cut.
        self.offset = place.offset;
        let held = seeker.into_held(place.offset);
        // What speaks for the place was counted in these bytes already.
        self.doubt = REPLAYED;
        let flow =
            held.pieces().try_for_each(|(_, at, bytes)| self.run(open, shared, bytes, at, out, scratch));
        if !matches!(open.state, State::Lost(_)) {
            let lacking = (limits::EVIDENCE_CERTAIN - place.bits).max(0);
            self.doubt = u8::try_from(lacking / HEADER_BITS).unwrap_or(DOUBT).min(DOUBT);
        }
        flow
    }

    /// Whether a header is one that an endpoint would send here: where frames begin is not certain yet.
    pub(super) fn fits(&self, open: &Open, shared: &Shared, header: &FrameHeader) -> bool {
        let known = self.known(shared);
        let head = &open.head[..usize::from(header.header_length())];
        let in_message = open.message.as_ref().is_some_and(|message| message.frame_count > 0);
        let is_continuation = header.opcode == Opcode::CONTINUATION;
        known.may_begin(head)
            && header.length_form == LengthForm::minimal(header.length)
            && header.length <= limits::MESSAGE_LARGE
            && (header.opcode.is_control()
                || in_message == is_continuation
                || self.lenient && is_continuation)
    }

    /// What was taken for frames is none: where they begin has to be found anew.
    #[cold]
    pub(super) fn goes_astray(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        at: At,
        out: &mut Out<'_>,
    ) -> Flow {
        self.abandon(open, shared, at, out)?;
        shared.lose_window(self.dir);
        open.have = 0;
        self.lenient = true;
        self.doubt = DOUBT;
        open.state = State::Lost(Box::default());
        shared.seeking[self.dir.index()] = true;
        ON
    }

    /// What is known of frames of this direction.
    fn known(&self, shared: &Shared) -> Known {
        Known { masked: Some(self.dir == Dir::Client), extensions: shared.extensions, is_websocket: true }
    }
}
