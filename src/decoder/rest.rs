//! Connections that begin, for which others are put to rest.

use super::Decoder;
use crate::limits;
use crate::model::{FlowId, Sink};
use crate::session::Session;

impl<S: Sink> Decoder<S> {
    pub(super) fn take_in(&mut self, id: FlowId, session: Session) {
        let slot = id.0 as usize;
        if self.sessions.len() <= slot {
            self.sessions.resize_with(slot + 1, || None);
        }
        self.budget.enter(&session);
        if let Some(before) = self.sessions[slot].replace(session) {
            self.drop_session(before);
        }
        if self.sessions.len() > limits::AWAKE {
            self.rest_one();
        }
    }

    /// Puts a connection to rest, if it is one that may be: each in its turn.
    #[inline(never)]
    pub(super) fn rest_one(&mut self) {
        self.to_rest = (self.to_rest + 1) % self.sessions.len();
        if let Some(session) = &mut self.sessions[self.to_rest] {
            session.rest(&mut self.memory);
        }
    }
}
