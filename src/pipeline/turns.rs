//! When the tracker hears that nobody listens to a flow.
//!
//! A flow that carries no WebSocket need not be followed any longer, and from when on it is not may
//! be seen in rare output: how much waits over all flows, and whose a stray segment is, depend on it.
//! What the decoder answers must therefore reach the tracker at the same place of a capture, however
//! many threads there are and however they are scheduled. So what the tracker says is counted in
//! turns of a fixed size, and what the decoder reports of a turn is heard at the beginning of the one
//! that comes [`limits::TURNS_AHEAD`] later: by then it has been decoded for certain, because there are
//! no more batches than that.

use std::collections::VecDeque;

use crate::decoder::Decoder;
use crate::limits;
use crate::model::{FlowId, Interest, Sink};

/// What the decoder has to say of a turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    turn: u32,
    ignored: Vec<FlowId>,
    /// How many connections are too many, because memory is short.
    surplus: usize,
}

impl Report {
    /// Notes what the decoder answered; the tracker will be told later.
    #[inline]
    pub(super) fn note(&mut self, flow: FlowId, interest: Interest) -> Interest {
        if interest != Interest::Ignore {
            return interest;
        }
        if self.ignored.last() != Some(&flow) {
            self.ignored.push(flow);
        }
        Interest::Follow
    }

    /// Notes what an earlier part of the same turn came to.
    #[cfg(feature = "threads")]
    pub(super) fn add(&mut self, earlier: &Self) {
        self.ignored.extend_from_slice(&earlier.ignored);
    }

    /// The turn is over for the decoder.
    pub(super) fn seal<S: Sink>(&mut self, decoder: &mut Decoder<S>, relief: &mut Relief) {
        self.surplus = relief.ask(self.turn, decoder);
        self.forget(|flow| decoder.is_followed(flow));
    }

    /// An id may have been given to another flow meanwhile, which `is_followed`.
    fn forget(&mut self, is_followed: impl Fn(FlowId) -> bool) {
        self.ignored.retain(|flow| !is_followed(*flow));
    }

    /// Begins anew, for a turn.
    pub(super) fn begin(&mut self, turn: u32) {
        (self.turn, self.surplus) = (turn, 0);
        self.ignored.clear();
    }
}

/// From which turn on the decoder may say that there are too many connections: what it said before has been
/// heard, and done, by then.
#[derive(Debug, Default)]
pub(super) struct Relief(u32);

impl Relief {
    fn ask<S: Sink>(&mut self, turn: u32, decoder: &mut Decoder<S>) -> usize {
        if turn < self.0 || !decoder.has_surplus() {
            return 0;
        }
        self.0 = turn + limits::TURNS_AHEAD as u32 + 1;
        decoder.take_surplus()
    }
}

/// Counts the turns, and knows which flows are over for the decoder.
#[derive(Debug)]
pub(super) struct Turns {
    turn: u32,
    events: u32,
    /// Events of a turn.
    most: u32,
    bytes: usize,
    /// By flow id.
    flows: Vec<Standing>,
    /// How many flows are to be given up.
    surplus: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    /// The turn in which it was opened.
    opened: u32,
    is_ignored: bool,
}

impl Turns {
    /// The first turn, where `memory` bytes may be held.
    ///
    /// That there are too many connections is heard some turns late, and each event may open another: what
    /// comes until then has to fit into what is given up at once.
    pub(super) fn within(memory: usize) -> Self {
        let most = memory / limits::TURN_EVENT_MEMORY;
        let most = u32::try_from(most).unwrap_or(u32::MAX).clamp(1, limits::TURN_EVENTS);
        Self { turn: 0, events: 0, most, bytes: 0, flows: Vec::new(), surplus: 0 }
    }

    /// The turn that is under way.
    #[cfg(any(test, feature = "threads"))]
    pub(super) fn turn(&self) -> u32 {
        self.turn
    }

    /// A flow begins, perhaps under the id of one that is over.
    pub(super) fn open(&mut self, flow: FlowId) {
        let slot = flow.0 as usize;
        if self.flows.len() <= slot {
            self.flows.resize(slot + 1, Standing::default());
        }
        self.flows[slot] = Standing { opened: self.turn, is_ignored: false };
    }

    /// Whether the tracker is to be told that nobody listens to this flow.
    #[inline]
    pub(super) fn is_ignored(&self, flow: FlowId) -> bool {
        self.flows.get(flow.0 as usize).is_some_and(|flow| flow.is_ignored)
    }

    /// Counts an event. Says whether the turn is full.
    #[inline]
    pub(super) fn count(&mut self, bytes: usize) -> bool {
        self.events += 1;
        self.bytes += bytes;
        self.events >= self.most || self.bytes >= limits::TURN_BYTES
    }

    /// The next turn begins.
    pub(super) fn next(&mut self) -> u32 {
        (self.events, self.bytes) = (0, 0);
        self.turn += 1;
        self.turn
    }

    /// How many flows the tracker is to give up.
    #[inline]
    pub(super) fn take_surplus(&mut self) -> usize {
        if self.surplus == 0 { 0 } else { std::mem::take(&mut self.surplus) }
    }

    /// Hears a report.
    pub(super) fn hear(&mut self, report: &Report) {
        self.surplus += report.surplus;
        for flow in &report.ignored {
            if let Some(standing) = self.flows.get_mut(flow.0 as usize)
                && standing.opened <= report.turn
            {
                standing.is_ignored = true;
            }
        }
    }
}

/// Reports that are not due yet, where tracker and decoder take turns on one thread.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// Of the turn that is under way.
    pub(super) current: Report,
    /// Of those before, in order.
    pub(super) waiting: VecDeque<Report>,
    pub(super) relief: Relief,
}

impl Reports {
    /// The turn is full: the next one begins, and the oldest report is heard if it is due.
    #[cold]
    pub(super) fn turn<S: Sink>(&mut self, turns: &mut Turns, decoder: &mut Decoder<S>) {
        self.current.seal(decoder, &mut self.relief);
        self.next(turns);
    }

    fn next(&mut self, turns: &mut Turns) {
        let mut next = Report::default();
        self.waiting.push_back(std::mem::take(&mut self.current));
        if self.waiting.len() >= limits::TURNS_AHEAD
            && let Some(due) = self.waiting.pop_front()
        {
            turns.hear(&due);
            next = due;
        }
        next.begin(turns.next());
        self.current = next;
    }

    /// A file is over: the turn ends with it, and everything is heard.
    pub(super) fn settle<S: Sink>(&mut self, turns: &mut Turns, decoder: &mut Decoder<S>) {
        self.current.seal(decoder, &mut self.relief);
        self.hear_all(turns);
    }

    fn hear_all(&mut self, turns: &mut Turns) {
        for report in self.waiting.drain(..) {
            turns.hear(&report);
        }
        turns.hear(&self.current);
        self.current.begin(turns.next());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: FlowId = FlowId(0);
    const B: FlowId = FlowId(1);

    /// Events until the turn is full.
    fn fill(turns: &mut Turns, reports: &mut Reports, followed: &[FlowId]) {
        while !turns.count(0) {}
        reports.current.forget(|flow| followed.contains(&flow));
        reports.next(turns);
    }

    #[test]
    fn what_is_ignored_is_heard_some_turns_later() {
        let (mut turns, mut reports) = (Turns::within(usize::MAX), Reports::default());
        turns.open(A);
        turns.open(B);
        assert_eq!(reports.current.note(A, Interest::Ignore), Interest::Follow);
        assert_eq!(reports.current.note(B, Interest::Stop), Interest::Stop);
        for turn in 0..limits::TURNS_AHEAD {
            assert!(!turns.is_ignored(A), "turn {turn}");
            fill(&mut turns, &mut reports, &[B]);
        }
        assert!(turns.is_ignored(A) && !turns.is_ignored(B));
        turns.open(A);
        assert!(!turns.is_ignored(A));
    }

    #[test]
    fn an_id_that_was_given_on_is_not_ignored() {
        // In the turn in which the one before was given up, and in a later one.
        for later in [0, 1] {
            let (mut turns, mut reports) = (Turns::within(usize::MAX), Reports::default());
            turns.open(A);
            let _ = reports.current.note(A, Interest::Ignore);
            for turn in 0..limits::TURNS_AHEAD {
                if turn == later {
                    turns.open(A);
                }
                fill(&mut turns, &mut reports, if turn < later { &[] } else { &[A] });
            }
            assert!(!turns.is_ignored(A), "{later}");
        }
    }

    #[test]
    fn with_a_file_everything_is_heard() {
        let (mut turns, mut reports) = (Turns::within(usize::MAX), Reports::default());
        turns.open(A);
        let _ = reports.current.note(A, Interest::Ignore);
        fill(&mut turns, &mut reports, &[]);
        turns.open(B);
        let _ = reports.current.note(B, Interest::Ignore);
        reports.hear_all(&mut turns);
        assert!(turns.is_ignored(A) && turns.is_ignored(B) && reports.waiting.is_empty());
        assert_eq!(turns.turn(), 2);
    }
}
