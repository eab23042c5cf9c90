//! Bytes that the capture does not have: skipped exactly inside a payload; over a
//! header, the next plausible one is searched for.

use super::{Current, Half, Lost, Open, Scratch, State};
use crate::limits;
use crate::model::{At, Dir, Flow, Gap, GapEffect, Hole, ON, Out, hole};
use crate::ws::seek::Seeker;
use crate::ws::shape::Known;
use crate::ws::shared::Shared;

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
        length: u64,
        between: (Option<u64>, Option<u64>),
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        let mut open = self.open(scratch);
        let gap = Gap { offset: self.offset, length, between, effect: GapEffect::SkippedInPayload };
        let flow = self.pass_over(&mut open, shared, gap, out, scratch);
        self.put_away(open, scratch);
        flow
    }

    fn pass_over(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        gap: Gap,
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
            State::Payload if current.remaining >= length => {
                current.miss(length, &mut open.holes);
                let done = current.remaining == 0;
                shared.emit_gap(self.dir, &gap, out)?;
                if done { self.complete(open, shared, at, out, scratch) } else { ON }
            }
            State::Payload => {
                // The payload's end is inside the hole: its length is known, what follows is not.
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
        let masked = Some(self.dir == Dir::Client);
        let known = Known { masked, extensions: shared.extensions, is_websocket: true };
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
        self.inferred = true;
        if let Some(gap) = gap {
            let gap = Gap { effect: GapEffect::Resynchronised, ..gap };
            shared.emit_gap(self.dir, &gap, out)?;
        }
        // Bytes before the header are the unknown rest of what the hole cut.
        self.offset = place.offset;
        let held = seeker.into_held(place.offset);
        held.pieces().try_for_each(|(_, at, bytes)| self.run(open, shared, bytes, at, out, scratch))
    }
}
