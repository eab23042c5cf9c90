//! The sessions that are followed, by number and by id.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use super::diagnose;
use super::followed::Followed;
use super::target::Target;
use super::when::{Closed, When};
use crate::app::pending::Requests;
use crate::limits;
use crate::model::{AppSession, Connection, EndKind, Endpoint, Finding, SessionEnd, Time, Transport};

/// How numbers and ids are hashed.
pub(super) type Fast = foldhash::fast::FixedState;

#[derive(Debug, Default)]
pub(super) struct Table {
    sessions: HashMap<u32, Followed, Fast>,
    by_sid: HashMap<String, u32, Fast>,
    /// Handshakes that led to no session, by who asked whom for what.
    attempts: HashMap<Asked, u32, Fast>,
    /// The ids of sessions that are over.
    over: VecDeque<String>,
    /// How long connections were idle before they were cut: constant gaps give a proxy away.
    gaps: VecDeque<(Option<Endpoint>, i64)>,
    next: u32,
}

/// The client's address, the server and the path.
type Asked = (Option<IpAddr>, Option<Endpoint>, String);

/// A session that is over.
pub(super) struct Ended {
    pub record: AppSession,
    pub findings: Vec<Finding>,
    pub packets: Option<(u64, u64)>,
}

/// How the connection of a WebSocket ended.
#[derive(Clone, Copy)]
pub(super) struct SocketEnd {
    pub conn: u32,
    pub how: EndKind,
    /// Its first Close frame.
    pub closed: Option<Closed>,
    /// When its last frame was seen.
    pub heard: Option<Time>,
    /// When the last of it was seen.
    pub end: Option<Time>,
}

/// Sessions remembered after their end, and gaps.
const OVER: usize = 4096;
const GAPS: usize = 16;

impl Table {
    /// The session of a number.
    pub fn of(&mut self, number: u32) -> Option<&mut Followed> {
        self.sessions.get_mut(&number)
    }

    /// The session of an id, and its number.
    pub fn by_sid(&mut self, sid: &str) -> Option<(u32, &mut Followed)> {
        let number = *self.by_sid.get(sid)?;
        Some((number, self.sessions.get_mut(&number)?))
    }

    /// Whether a session of this id is over.
    pub fn is_over(&self, sid: &str) -> bool {
        self.over.iter().any(|over| over == sid)
    }

    /// The session a request belongs to: that of its id, or a new one.
    pub fn begin(&mut self, connection: Option<&Connection>, target: &Target, when: When) -> u32 {
        if let Some(number) = target.sid.as_ref().and_then(|sid| self.by_sid.get(sid)) {
            return *number;
        }
        self.next += 1;
        let session = Followed::new(self.next, connection, target, when);
        if let Some(sid) = &target.sid {
            self.by_sid.insert(sid.clone(), self.next);
        }
        self.sessions.insert(self.next, session);
        self.next
    }

    /// The place for what is wrong with handshakes that lead to no session.
    pub fn attempt(&mut self, connection: Option<&Connection>, target: &Target, when: When) -> &mut Followed {
        let client = connection.and_then(|c| c.client).map(|c| c.ip());
        let asked = (client, connection.and_then(|c| c.server), target.path.clone());
        let number = match self.attempts.get(&asked) {
            Some(number) if self.sessions.contains_key(number) => *number,
            _ => {
                let target = Target { sid: None, ..target.clone() };
                let number = self.begin(connection, &target, when);
                self.attempts.insert(asked, number);
                number
            }
        };
        let target = target.clone();
        self.sessions.entry(number).or_insert_with(|| Followed::new(number, connection, &target, when))
    }

    /// A session may have told its id.
    pub fn learn(&mut self, number: u32) {
        let Some(session) = self.sessions.get(&number) else { return };
        if let Some(sid) = &session.record.sid
            && !self.by_sid.contains_key(sid)
        {
            self.by_sid.insert(sid.clone(), number);
        }
    }

    /// A connection is over, and with it the polls of these sessions that waited on it.
    pub fn forget_polls(&mut self, conn: u32, sids: impl Iterator<Item = String>) {
        for sid in sids {
            if let Some((_, session)) = self.by_sid(&sid) {
                session.polls.retain(|poll| poll.conn != conn);
            }
        }
    }

    /// The connection that carried a session's WebSocket is over; says how the session ended, if it did.
    pub fn socket_ended(&mut self, number: u32, socket: SocketEnd) -> Option<SessionEnd> {
        let SocketEnd { conn, how, closed, heard, end: now } = socket;
        let session = self.sessions.get_mut(&number)?;
        let is_its = session.record.upgraded || session.record.transports == [Transport::WebSocket];
        if !is_its && !session.record.transports.is_empty() {
            if how.is_seen() {
                session.note_probe_over();
            }
            return None;
        }
        // A WebSocket may end long after its last message.
        session.record.ended = now.or(session.record.ended);
        // What ended it is the last that was seen of it.
        let when = When { conn, time: now, packets: session.packets.map(|(_, last)| (last, last)) };
        diagnose::socket_ended(session, closed.as_ref(), when);
        if let (true, None, Some(gap)) = (is_abrupt(how), closed, heard.zip(now).map(|(h, n)| n.since(h))) {
            let server = session.record.server;
            let before = self.gaps.iter().filter(|(of, _)| *of == server).map(|(_, gap)| *gap);
            diagnose::idle(session, gap, before, when);
            self.gaps.push_back((server, gap));
            if self.gaps.len() > GAPS {
                self.gaps.pop_front();
            }
        }
        Some(match how {
            _ if session.closed.is_some() => SessionEnd::Closed,
            EndKind::CloseHandshake => SessionEnd::Closed,
            EndKind::CaptureEnd | EndKind::Untold | EndKind::Failed => SessionEnd::CaptureEnd,
            EndKind::Fin | EndKind::Rst if closed.is_some() => SessionEnd::Closed,
            EndKind::Fin | EndKind::Rst => SessionEnd::Dropped,
        })
    }

    /// Ends a session.
    pub fn end(&mut self, number: u32, how: SessionEnd, now: Option<Time>) -> Option<Ended> {
        let mut session = self.sessions.remove(&number)?;
        if let Some(sid) = &session.record.sid {
            self.by_sid.remove(sid);
            self.over.push_back(sid.clone());
            if self.over.len() > OVER {
                self.over.pop_front();
            }
        }
        session.doubt();
        diagnose::at_end(&mut session, now);
        let closed = session.closed.is_some() && how == SessionEnd::CaptureEnd;
        let never = session.record.sid.is_none() && session.record.packets == [0, 0];
        session.record.end = Some(match how {
            _ if session.refused || never => SessionEnd::Refused,
            _ if closed => SessionEnd::Closed,
            how => how,
        });
        let ended = session.record.ended;
        match session.matched.as_mut().and_then(|matched| matched.unanswered(ended)) {
            Some(unanswered) => session.record.unanswered = unanswered,
            None => session.socket.pending.list(ended, &mut session.record.unanswered),
        }
        let packets = session.packets;
        Some(Ended { record: session.record, findings: session.findings, packets })
    }

    /// The sessions to end so that there is room: an eighth of all, those idle for longest.
    pub fn too_many(&self) -> Vec<u32> {
        if self.sessions.len() <= limits::SESSIONS {
            return Vec::new();
        }
        let mut all: Vec<_> = self.sessions.iter().map(|(number, s)| (s.record.ended, *number)).collect();
        all.sort_unstable();
        all.truncate(limits::SESSIONS / 8);
        all.into_iter().map(|(_, number)| number).collect()
    }

    /// Forgets everything but how many sessions there were.
    pub fn forget(&mut self) {
        *self = Self { next: self.next, ..Self::default() };
    }

    /// All sessions, in order.
    pub fn all(&self) -> Vec<u32> {
        let mut all: Vec<_> = self.sessions.keys().copied().collect();
        all.sort_unstable();
        all
    }
}

/// Whether a connection was ended without a word of WebSocket's.
fn is_abrupt(how: EndKind) -> bool {
    matches!(how, EndKind::Fin | EndKind::Rst)
}
