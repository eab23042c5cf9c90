//! What a session's application says, and what goes wrong with it on purpose.

use std::sync::{Arc, MutexGuard};

use tokio::time::Instant;

use super::{Session, State};
use crate::lab::engine::packet::{Data, Packet};
use crate::lab::engine::settings::{Happened, Reason};
use crate::lab::fate::Fate;
use crate::lab::fault::Plan;
use crate::lab::hub::held;

impl Session {
    /// Sends a message, or several packets that are one to the application, each directly behind the one
    /// before.
    pub fn send(&self, messages: impl IntoIterator<Item = Data>) {
        let mut state = held(&self.state);
        // What befalls it does so behind the message before.
        if state.fate.is_some() || self.plan.loses(&mut state.chance) {
            return;
        }
        state.sent += 1;
        state.fate = Fate::behind(state.sent, &self.plan);
        self.say(state, messages);
    }

    /// Sends what is no message to the application, such as that it has joined: it is not lost, and not
    /// counted. It waits as long as the others do, so that the order is kept.
    pub fn tell_client(&self, messages: impl IntoIterator<Item = Data>) {
        let state = held(&self.state);
        if state.fate.is_none() {
            self.say(state, messages);
        }
    }

    fn say(&self, state: MutexGuard<'_, State>, messages: impl IntoIterator<Item = Data>) {
        let due = self.plan.delay.map(|delay| Instant::now() + delay);
        self.put(state, due, messages.into_iter().map(Packet::Message));
    }

    /// What goes wrong with it on purpose.
    pub(in crate::lab) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Something befalls it: its connection ends so, and with it the session, unless it just falls silent.
    pub(in crate::lab::engine) fn befall(self: &Arc<Self>, fate: Fate) {
        let mut state = held(&self.state);
        let (sent, is_known) = (state.sent, std::mem::replace(&mut state.befallen, true));
        drop(state);
        if !is_known {
            self.happened(Happened::Befallen(fate, sent));
        }
        if fate != Fate::HalfOpen {
            self.end(Reason::Fault);
        }
    }
}

impl State {
    /// What befalls it now, all having been sent that comes before.
    pub(super) fn due_fate(&self) -> Option<Fate> {
        self.fate.filter(|_| self.queue.is_empty())
    }
}
