//! A session's side of WebSocket, and of the move there.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Phase, Session};
use crate::lab::engine::packet::{Packet, Revision};
use crate::lab::engine::settings::{Happened, Reason, Transport};
use crate::lab::fate::Fate;
use crate::lab::hub::held;

/// Bytes of packets that a WebSocket is given at a time, about.
const TURN: usize = 64 * 1024;

/// Why nothing is sent any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lab::engine) enum Parting {
    /// The session is over.
    Over(Reason),
    /// This befalls its connection.
    Fated(Fate),
}

impl Session {
    /// Waits for what a WebSocket sends next, and whether what is behind it is to arrive apart from it.
    /// Nothing is lost when the waiting is given up.
    ///
    /// # Errors
    /// When the session is over, and all has been sent: why. Or what befalls it.
    pub(in crate::lab::engine) async fn next(&self) -> Result<(Vec<Packet>, bool), Parting> {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            // From now on: what is told before it is waited for is heard, too.
            news.as_mut().enable();
            if let Some(next) = self.next_now() {
                return next;
            }
            news.await;
        }
    }

    fn next_now(&self) -> Option<Result<(Vec<Packet>, bool), Parting>> {
        let mut state = held(&self.state);
        let (packets, apart) = state.queue.take_apart(TURN);
        state.writing = !packets.is_empty();
        match state.phase {
            Phase::Over(reason) => Some(Err(Parting::Over(reason))),
            _ if !packets.is_empty() => Some(Ok((packets, apart))),
            Phase::Closing(reason, _) => {
                state.phase = Phase::Over(reason);
                drop(state);
                self.leave();
                Some(Err(Parting::Over(reason)))
            }
            Phase::Open => state.due_fate().map(|fate| Err(Parting::Fated(fate))),
        }
    }

    /// Waits until it is over, whatever waits to be sent.
    pub(in crate::lab::engine) async fn ended(&self) -> Reason {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if let Phase::Over(reason) = held(&self.state).phase {
                return reason;
            }
            news.await;
        }
    }

    /// A WebSocket wants to take over; whether it may.
    pub(in crate::lab::engine) fn begin_upgrade(&self) -> bool {
        let mut state = held(&self.state);
        let is_here = !matches!(state.phase, Phase::Over(_)) && state.transport == Transport::Polling;
        let may = is_here && !state.upgrading;
        state.upgrading |= may;
        may
    }

    /// The WebSocket works: a poll has nothing to wait for.
    pub(in crate::lab::engine) fn probed(&self) {
        held(&self.state).probed = true;
        self.news.notify_waiters();
    }

    /// The WebSocket does not take over.
    pub(in crate::lab::engine) fn end_upgrade(&self) {
        let mut state = held(&self.state);
        (state.upgrading, state.probed) = (false, false);
    }

    /// The WebSocket has taken over.
    pub(in crate::lab::engine) fn upgraded(self: &Arc<Self>) {
        let mut state = held(&self.state);
        (state.upgrading, state.probed) = (false, false);
        state.transport = Transport::WebSocket;
        if self.revision == Revision::V4 && state.dead_at.is_some() {
            // The ping may have gone the other way.
            state.dead_at = Some(Instant::now() + self.settings.ping_timeout);
        }
        drop(state);
        self.happened(Happened::Moved);
        self.tell(None);
    }
}
