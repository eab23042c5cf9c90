//! What is followed of one connection, and of the requests of all.

use std::sync::Arc;

use super::exchange::Exchanges;
use super::table::Table;
use super::target::Target;
use super::when::Closed;
use crate::app::given::Given;
use crate::app::keys::{Keys, Matched};
use crate::app::values;
use crate::app::{Meaning, REQUESTS_FORGOTTEN, Said, Talk};
use crate::model::{App, Connection, Dir, Finding, Sometime, Text, Time, Unanswered};

/// Requests of all connections.
#[derive(Debug)]
pub(super) struct Requests {
    /// Bytes that all connections hold for requests that wait for answers.
    pub held: usize,
    /// How many they may hold.
    pub limit: usize,
    /// It was said that some were forgotten.
    pub told: bool,
    /// What ties replies to requests, besides the protocols that are known.
    pub keys: Option<Arc<Keys>>,
    /// What the user says of protocols that are not known.
    pub given: Given,
}

impl Requests {
    /// None are held so far, of at most so many bytes.
    pub fn within(limit: usize) -> Self {
        Self { held: 0, limit, told: false, keys: None, given: Given::default() }
    }

    /// A message of a connection was read: when too much is held, its requests are forgotten.
    #[inline]
    pub fn account(&mut self, conn: &mut Conn, findings: &mut Vec<Finding>) {
        if conn.held == 0 && conn.talk.is_alone() && conn.matched.is_none() {
            return;
        }
        let held = conn.requests_held();
        self.held = self.held - conn.held + held;
        conn.held = held;
        if self.held > self.limit {
            self.forget(conn, findings);
        }
    }

    #[cold]
    fn forget(&mut self, conn: &mut Conn, findings: &mut Vec<Finding>) {
        conn.forget_requests();
        let bytes = std::mem::take(&mut conn.held);
        self.held -= bytes;
        if !std::mem::replace(&mut self.told, true) {
            let expected = Text::with("at most {} bytes held for requests that wait for answers", self.limit);
            let got = Text::with(
                "{} bytes given up: requests of this connection that waited for their answers. More may \
                 follow, here and in others, which is not said again",
                bytes,
            );
            findings.push(Finding::new(&REQUESTS_FORGOTTEN, None, expected, got));
        }
    }
}

/// A connection.
#[derive(Debug, Default)]
pub(super) struct Conn {
    /// What is known of it before its WebSocket has begun, and as long as it may carry Engine.IO.
    pub before: Option<Box<Before>>,
    pub talk: Talk,
    /// The requests that the user's keys show.
    pub matched: Option<Box<Matched>>,
    /// Bytes that it holds for requests that wait for answers.
    pub held: usize,
    pub socket: Socket,
    /// When the last frame was seen, and the last unit of any kind.
    heard: Sometime,
    last: Sometime,
    /// Who sent a Close frame first, with which code, in which packets.
    pub closed: Option<Closed>,
    /// Of whom the head of the opening handshake was not seen, and so perhaps nothing at all.
    pub unheard: [bool; 2],
    /// Of whom something is missing.
    pub missed: [bool; 2],
    /// The last packet of what was read.
    read_to: u32,
}

/// What a connection's WebSocket is known by.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Until it is known that it does not carry Engine.IO.
    pub connection: Option<Connection>,
    pub exchanges: Exchanges,
}

impl Conn {
    /// When the last frame was seen.
    pub fn heard(&self) -> Option<Time> {
        self.heard.time()
    }

    /// When the last unit of any kind was seen.
    pub fn last(&self) -> Option<Time> {
        self.last.time()
    }

    /// A unit is seen.
    #[inline]
    pub fn see(&mut self, time: Option<Time>) {
        if time.is_some() {
            self.last = time.into();
        }
    }

    /// A frame is seen.
    #[inline]
    pub fn hear(&mut self, time: Option<Time>) {
        if time.is_some() {
            self.heard = time.into();
        }
    }

    /// What is known of it, until it is known that it does not carry Engine.IO.
    pub fn connection(&self) -> Option<&Connection> {
        self.before.as_ref()?.connection.as_ref()
    }

    /// What is known of the connection, as far as that may matter.
    pub fn begins(&mut self, connection: &Connection) {
        let connection = Some(connection.clone());
        match &mut self.before {
            Some(before) => before.connection = connection,
            None => self.before = Some(Box::new(Before { connection, exchanges: Exchanges::default() })),
        }
    }

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
            && let matched = self.matched.get_or_insert_with(|| Matched::new(keys.clone()).into())
            && let Some(answers) = matched.read(said, values::value(said, meaning.app(room)))
        {
            let mut app = meaning.into_app(room);
            app.packets.iter_mut().for_each(|packet| packet.answers = None);
            app.answers = answers;
            return Some(Meaning::Own(app));
        }
        Some(meaning)
    }

    /// Whether it carries no Engine.IO, now that it begins with JSON, which none of its packets do: then it
    /// is its target that says so.
    #[inline]
    pub fn is_no_session(&self) -> bool {
        match self.socket {
            Socket::Other => true,
            Socket::Session(_) => false,
            Socket::Unknown => {
                let target = self.connection().and_then(|connection| connection.target.as_deref());
                self.unheard == [false; 2] && target.and_then(Target::of_engine_io).is_none()
            }
        }
    }

    /// Its WebSocket carries no Engine.IO.
    #[inline]
    pub fn is_other(&mut self) {
        if self.socket == Socket::Unknown {
            self.socket = Socket::Other;
            // It has begun: no head comes that would have to know.
            self.before.take_if(|before| {
                before.connection = None;
                before.exchanges.is_over()
            });
        }
    }

    /// Something that a direction sent before is not there, whether it comes yet or never.
    pub fn behind(&mut self, dir: Dir, table: &mut Table) {
        self.talk.behind(dir);
        self.miss(dir, table);
    }

    /// Something of a direction is missing.
    pub fn lost(&mut self, dir: Dir, table: &mut Table) {
        self.talk.lost(dir);
        self.miss(dir, table);
    }

    /// A message of `dir` comes, and of someone nothing was seen so far: it may have said anything before.
    #[cold]
    pub fn join(&mut self, dir: Dir, table: &mut Table) {
        let unheard = self.unheard;
        for unheard in [Dir::Client, Dir::Server].into_iter().filter(|dir| unheard[dir.index()]) {
            self.lost(unheard, table);
        }
        self.unheard[dir.index()] = false;
    }

    /// A message of `dir` comes whose last packet this is. Behind a hole it may be one that waited until it
    /// was known where frames begin: what was read of the peer meanwhile says nothing of what its sender had
    /// had.
    #[inline]
    pub fn read_up_to(&mut self, dir: Dir, packets: Option<(u64, u64)>, table: &mut Table) {
        let Some((_, last)) = packets else { return };
        let last = u32::try_from(last).unwrap_or(u32::MAX);
        if self.missed[dir.index()] && last < self.read_to {
            self.behind(dir.peer(), table);
        }
        self.read_to = last.max(self.read_to);
    }

    /// What the keys of the user tie, and the session that it carries, lack something of `dir`.
    fn miss(&mut self, dir: Dir, table: &mut Table) {
        self.missed[dir.index()] = true;
        self.matched.iter_mut().for_each(|matched| matched.lost(dir));
        let number = match self.socket {
            Socket::Session(number) => Some(number),
            _ => self.before.as_ref().and_then(|before| before.exchanges.session),
        };
        if let Some(session) = number.and_then(|number| table.of(number)) {
            session.lost(dir);
        }
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
        let matched = self.matched.as_mut().and_then(|matched| matched.unanswered(end));
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
