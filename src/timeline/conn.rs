//! What is followed of one connection, and of the requests of all.

use std::sync::Arc;

use super::exchange::Exchanges;
use super::when::Closed;
use crate::app::keys::{Keys, Matched};
use crate::app::{Meaning, Said, Talk};
use crate::model::{App, Connection, Dir, Finding, Time, Unanswered};

/// Requests of all connections.
#[derive(Debug)]
pub(super) struct Requests {
    /// Bytes that all connections hold for requests that wait for answers.
    pub held: usize,
    /// How many they may hold.
    pub limit: usize,
    /// What ties replies to requests, besides the protocols that are known.
    pub keys: Option<Arc<Keys>>,
}

impl Requests {
    /// A message of a connection was read: when too much is held, its requests are forgotten.
    #[inline]
    pub fn account(&mut self, conn: &mut Conn) {
        if conn.held == 0 && conn.talk.is_alone() && conn.matched.is_none() {
            return;
        }
        let held = conn.requests_held();
        self.held = self.held - conn.held + held;
        conn.held = held;
        if self.held > self.limit {
            conn.forget_requests();
            self.held -= std::mem::take(&mut conn.held);
        }
    }
}

/// A connection.
#[derive(Debug, Default)]
pub(super) struct Conn {
    /// Until it is known that it does not carry Engine.IO.
    pub connection: Option<Box<Connection>>,
    pub talk: Talk,
    /// The requests that the user's keys show.
    pub matched: Option<Box<Matched>>,
    /// Bytes that it holds for requests that wait for answers.
    pub held: usize,
    pub exchanges: Exchanges,
    pub socket: Socket,
    /// When the last frame was seen, and the last unit of any kind.
    pub heard: Option<Time>,
    pub last: Option<Time>,
    /// Who sent a Close frame first, with which code, in which packets.
    pub closed: Option<Closed>,
}

impl Conn {
    /// What a message means, and what it answers: by the keys of the user, if it has one of them.
    pub fn read(
        &mut self,
        said: &mut Said<'_>,
        keys: Option<&Arc<Keys>>,
        findings: &mut Vec<Finding>,
        room: &mut App,
    ) -> Option<Meaning> {
        let meaning = self.talk.read(said, findings, room)?;
        if let Some(keys) = keys
            && let Some(answers) =
                self.matched.get_or_insert_with(|| Matched::new(keys.clone()).into()).read(said)
        {
            let mut app = meaning.into_app(room);
            app.packets.iter_mut().for_each(|packet| packet.answers = None);
            app.answers = answers;
            return Some(Meaning::Own(app));
        }
        Some(meaning)
    }

    /// Something of a direction is missing.
    pub fn lost(&mut self, dir: Dir) {
        self.talk.lost(dir);
        self.matched.iter_mut().for_each(|matched| matched.lost(dir));
    }

    /// Bytes held for requests that wait for answers.
    pub fn requests_held(&mut self) -> usize {
        self.talk.held() + self.matched.as_mut().map_or(0, |matched| matched.requests().held())
    }

    pub fn forget_requests(&mut self) {
        self.talk.forget_requests();
        self.matched.iter_mut().for_each(|matched| matched.requests().forget());
    }

    /// Requests that are without an answer at the end.
    pub fn unanswered(&mut self, end: Option<Time>) -> Vec<Unanswered> {
        let matched = self.matched.as_ref().and_then(|matched| matched.unanswered(end));
        matched.unwrap_or_else(|| self.talk.unanswered(end))
    }
}

/// What a connection's WebSocket carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Socket {
    /// Nothing is known.
    #[default]
    Unknown,
    /// Not Engine.IO.
    Other,
    /// The session of this number.
    Session(u32),
}
