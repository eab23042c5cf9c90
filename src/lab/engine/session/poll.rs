//! A session's side of HTTP long polling.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Missed, Phase, Session, State};
use crate::lab::engine::packet::Packet;
use crate::lab::engine::settings::{Reason, Transport};
use crate::lab::fate::Fate;
use crate::lab::hub::held;

/// How long a poll waits that came while a WebSocket is tried.
const LET_GO: Duration = Duration::from_millis(100);

impl Session {
    /// Waits for packets, as a poll does.
    ///
    /// # Errors
    /// When there is nothing to wait for. Two polls at once end the session.
    pub(in crate::lab::engine) async fn poll(self: &Arc<Self>) -> Result<Vec<Packet>, Missed> {
        let mut poll = self.begin_poll()?;
        let let_go = Instant::now() + LET_GO;
        let mut waits = poll.was_probed;
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            // From now on: what is told before it is waited for is heard, too.
            news.as_mut().enable();
            if let Some(answer) = self.answer_poll(waits) {
                poll.answered = true;
                return answer;
            }
            tokio::select! {
                () = news => {}
                () = sleep_until(let_go), if waits => waits = false,
            }
        }
    }

    fn begin_poll(self: &Arc<Self>) -> Result<Poll, Missed> {
        let mut state = held(&self.state);
        state.is_polling()?;
        if let Some(fate) = state.due_fate() {
            return Err(Missed::Fated(fate));
        }
        if state.polled {
            drop(state);
            self.end(Reason::TransportError("two polls at once"));
            return Err(Missed::Misplaced);
        }
        state.polled = true;
        Ok(Poll { session: Arc::clone(self), was_probed: state.probed, answered: false })
    }

    /// What a poll is answered with, if it is; one that came while a WebSocket is tried `waits` a little.
    fn answer_poll(self: &Arc<Self>, waits: bool) -> Option<Result<Vec<Packet>, Missed>> {
        let mut state = held(&self.state);
        if state.transport != Transport::Polling {
            return Some(Err(Missed::Misplaced));
        }
        let closes = match state.phase {
            // What the client has closed it need not be told of.
            Phase::Over(Reason::TransportClose) => return Some(Ok(vec![Packet::Noop])),
            Phase::Over(_) => return Some(Ok(vec![Packet::Close])),
            Phase::Closing(reason, _) => Some(reason),
            Phase::Open => None,
        };
        let mut packets = state.queue.take();
        if let Some(reason) = closes {
            let is_theirs = reason == Reason::TransportClose;
            packets.push(if is_theirs { Packet::Noop } else { Packet::Close });
            state.phase = Phase::Over(reason);
            drop(state);
            self.leave();
        } else if state.due_fate() == Some(Fate::Close) {
            packets.push(Packet::Close);
            drop(state);
            self.befall(Fate::Close);
        } else if packets.is_empty() {
            if !state.probed || waits {
                return None;
            }
            packets.push(Packet::Noop);
        }
        Some(Ok(packets))
    }

    /// A body comes.
    ///
    /// # Errors
    /// When it has no place here. Two at once end the session.
    pub(in crate::lab::engine) fn begin_post(self: &Arc<Self>) -> Result<Post, Missed> {
        let mut state = held(&self.state);
        state.is_polling()?;
        if matches!(state.phase, Phase::Closing(Reason::TransportClose, _)) {
            return Err(Missed::Over);
        }
        if let Some(fate) = state.due_fate() {
            return Err(Missed::Fated(fate));
        }
        if state.posted {
            drop(state);
            self.end(Reason::TransportError("two bodies at once"));
            return Err(Missed::Misplaced);
        }
        state.posted = true;
        Ok(Post { session: Arc::clone(self), arrived: false })
    }
}

impl State {
    fn is_polling(&self) -> Result<(), Missed> {
        match self.phase {
            Phase::Over(_) => Err(Missed::Over),
            _ if self.transport != Transport::Polling => Err(Missed::Misplaced),
            _ => Ok(()),
        }
    }
}

/// A poll's place, free again when the poll is over; if it was not answered, its client has gone.
struct Poll {
    session: Arc<Session>,
    /// A WebSocket was being tried when it came.
    was_probed: bool,
    answered: bool,
}

impl Drop for Poll {
    fn drop(&mut self) {
        held(&self.session.state).polled = false;
        if !self.answered {
            self.session.end(Reason::TransportError("the connection of a poll was closed"));
        }
    }
}

/// A body's place, likewise.
pub struct Post {
    session: Arc<Session>,
    /// It has come, or was refused.
    pub arrived: bool,
}

impl Drop for Post {
    fn drop(&mut self) {
        held(&self.session.state).posted = false;
        if !self.arrived {
            self.session.end(Reason::TransportError("the connection of a body was closed"));
        }
    }
}
