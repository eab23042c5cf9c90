//! What is told of connections that go on for long, put away small.
//!
//! What is known of a connection once it is a WebSocket is asked for when it is over, and seldom before; and
//! nearly all of it is the same for all connections with a server. So where there are many, each is put to
//! rest in turn: what it has in common with others is held once for all of them. It is woken by whatever is
//! not simply more bytes.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::entry::Settled;
use crate::limits;
use crate::model::{Connection, Endpoint, Time};

/// A connection that was numbered and announced, at rest.
pub(super) struct Rest {
    pub conn: u32,
    /// As in [`Connection`], which has it no longer.
    pub passes_on: Option<NonZeroU32>,
    pub client: Option<Endpoint>,
    pub target: Option<Box<str>>,
    /// All else of it.
    pub common: Arc<Connection>,
    pub began: Option<Time>,
    pub entry: Settled,
}

/// What connections that rest have in common: the latest ones.
#[derive(Debug, Default)]
pub struct Commons(pub(super) VecDeque<Arc<Connection>>);

impl Commons {
    /// One that is equal to this.
    pub(super) fn share(&mut self, connection: Connection) -> Arc<Connection> {
        if let Some(known) = self.0.iter().find(|known| ***known == connection) {
            return known.clone();
        }
        if self.0.len() >= limits::RESTING_KINDS {
            self.0.pop_back();
        }
        let new = Arc::new(connection);
        self.0.push_front(new.clone());
        new
    }
}
