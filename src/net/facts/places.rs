//! Where in its stream a half stands: what facts are measured by.

use super::{Half, State, StreamEnd};

impl Half {
    /// The highest position that its sender is known to have reached.
    pub(super) fn sent(&self) -> u64 {
        let last = self.waiting.as_ref().and_then(|waiting| waiting.pieces.end());
        last.map_or(self.next, |last| last.max(self.next))
    }

    /// The position of the stream's first byte. The first number heard stands at 2^32 plus itself.
    pub(super) fn begin(&self) -> u64 {
        if !matches!(self.state, State::Open | State::Ended) {
            return self.sent();
        }
        let begin = (1 << 32) + u64::from(self.base);
        if begin > self.next { begin - (1 << 32) } else { begin }
    }

    /// The position of the byte that its peer waits for, as far as it has said.
    pub(super) fn awaited(&self) -> u64 {
        self.acked.max(self.begin())
    }

    /// Whether something is missing before what waits.
    pub(super) fn has_hole(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| self.sent() - self.next != waiting.pieces.len() as u64)
    }

    /// Whether a byte waits that is not the next one to deliver.
    pub(super) fn keeps(&self, position: u64) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.pieces.holds(position))
    }

    /// Where its sender's FIN stands, if it was seen.
    pub(super) fn fin_position(&self) -> Option<u64> {
        match self.end() {
            Some(end) => (end.how == StreamEnd::Fin).then_some(end.position),
            None => (self.state == State::Ended).then_some(self.next),
        }
    }

    /// How many bytes the peer, which has acknowledged everything before `acked` besides what is known, has
    /// not acknowledged.
    pub(super) fn unacknowledged(&self, acked: u64) -> u64 {
        if !matches!(self.state, State::Open | State::Ended) {
            return 0;
        }
        let begin = if self.syn_seen { self.begin() } else { self.sent() };
        let acked = acked.max(self.acked);
        self.sent().saturating_sub(if acked == 0 { begin } else { acked })
    }
}
