//! Plain Engine.IO: every message comes back.

use std::sync::Arc;

use crate::lab::engine::packet::Data;
use crate::lab::engine::session::{Application, Conversation, Session};

/// Sends back what it gets.
#[derive(Clone, Copy, Debug)]
pub struct Echo;

impl Application for Echo {
    fn begin(&self, _session: &Arc<Session>) -> Arc<dyn Conversation> {
        Arc::new(Self)
    }
}

impl Conversation for Echo {
    fn message(&self, session: &Arc<Session>, data: Data) {
        session.send([data]);
    }
}
