//! One Engine.IO session over all its transports.

use super::socket::{Around, Socket};
use super::target::Target;
use super::via::{Via, answer, finding_of};
use super::when::When;
use crate::app::engineio::{self, Fault, Kind, Open, Packet};
use crate::app::keys::Matched;
use crate::app::{ENGINE_BAD_PACKET, EVENT_BEFORE_CONNECT, HEARTBEAT_DIRECTION};
use crate::limits;
use crate::model::{
    App, AppSession, Connection, Diagnosis, Dir, Finding, SessionRef, SourceId, Span, Text, Usual,
};

/// A session being followed.
#[derive(Debug, Default)]
pub(super) struct Followed {
    pub record: AppSession,
    /// What the server said when it opened the session.
    pub open: Option<Open>,
    /// Its first packet, or the request that began it.
    pub began: When,
    /// Its first and last packet in the capture.
    pub packets: Option<(u64, u64)>,
    /// The revision the client asked for.
    pub asked: Option<u8>,
    /// Served where Socket.IO listens.
    pub at_socket_io: bool,
    pub socket: Socket,
    /// The heartbeat that waits for its answer, and who sent it.
    pub waiting: Option<(Dir, When)>,
    /// The last heartbeat that began.
    pub pinged: Option<When>,
    pub upgrade: Upgrade,
    /// Who sent a Close frame first on its WebSocket.
    pub leaving: Option<(Dir, When)>,
    /// Polls that wait for their answer.
    pub polls: Vec<When>,
    /// Requests that named the session.
    pub requests: u64,
    /// The requests that the user's keys show in what it carries, over all its transports.
    pub matched: Option<Box<Matched>>,
    /// Who closed it.
    pub closed: Option<(Dir, When)>,
    /// Its handshake's answer could not be read by the page: why.
    pub cors: Option<(When, Text)>,
    /// The server refused it, or a request of it as unknown.
    pub refused: bool,
    /// Of whom something is missing: nothing rests on what was not seen.
    pub missed: [bool; 2],
    pub findings: Vec<Finding>,
}

/// How far the move to WebSocket went.
#[derive(Debug, Default)]
pub(super) struct Upgrade {
    /// The request for it.
    pub asked: Option<When>,
    /// It was answered, but not with 101: with this.
    pub refused: Option<(When, u16)>,
    pub probed: Option<When>,
    pub answered: bool,
    /// Requests by polling since it failed.
    pub polls_since: u64,
    /// The connection of a probe ended without the session having moved.
    pub over: bool,
}

impl Followed {
    pub fn new(number: u32, connection: Option<&Connection>, target: &Target, when: When) -> Self {
        let record = AppSession {
            number,
            sid: target.sid.clone(),
            version: target.version(),
            client: connection.and_then(|c| c.client),
            server: connection.and_then(|c| c.server),
            path: (!target.path.is_empty()).then(|| target.path.clone()),
            began: when.time,
            ..AppSession::default()
        };
        let at_socket_io = target.is_socket_io();
        let mut session =
            Self { record, began: when, asked: target.version(), at_socket_io, ..Self::default() };
        session.seen(when);
        session
    }

    /// The revision of the protocol: the newest when nothing told.
    pub fn version(&self) -> u8 {
        self.record.version.unwrap_or(4)
    }

    /// Something that `dir` sent is missing.
    pub fn lost(&mut self, dir: Dir) {
        self.missed[dir.index()] = true;
        self.socket.lost(dir);
    }

    /// It is carried by a connection on which something of these is missing.
    pub fn miss(&mut self, of: [bool; 2]) {
        for dir in [Dir::Client, Dir::Server] {
            if of[dir.index()] && !self.missed[dir.index()] {
                self.lost(dir);
            }
        }
    }

    /// Takes back what rested on something not having been there, where something is missing.
    pub fn doubt(&mut self) {
        if self.missed != [false; 2] || self.socket.connected_unseen {
            self.findings.retain(|finding| *finding.rule != EVENT_BEFORE_CONNECT);
        }
    }

    /// Something of it was seen.
    pub fn seen(&mut self, when: When) {
        self.record.ended = when.time.or(self.record.ended);
        if let Some((first, last)) = when.packets {
            let (from, to) = self.packets.unwrap_or((first, last));
            self.packets = Some((from.min(first), to.max(last)));
        }
        if when.conn > 0
            && !self.record.conns.contains(&when.conn)
            && self.record.conns.len() < limits::SESSION_CONNS
        {
            self.record.conns.push(when.conn);
        }
    }

    /// Takes a packet, and says what it means.
    pub fn packet(&mut self, packet: &Packet<'_>, via: Via, findings: &mut Vec<Finding>) -> App {
        self.seen(via.when);
        self.record.packets[via.dir.index()] += 1;
        if !self.record.transports.contains(&via.transport) {
            self.record.transports.push(via.transport);
        }
        let mut app = engineio::describe(packet, via.source, via.offset);
        match packet.kind {
            Kind::OPEN if via.dir == Dir::Server => self.opened(packet, via),
            Kind::CLOSE => {
                self.closed.get_or_insert((via.dir, via.when));
            }
            Kind::PING | Kind::PONG => self.heartbeat(packet, via, &mut app, findings),
            Kind::UPGRADE if via.dir == Dir::Client => self.record.upgraded = true,
            Kind::MESSAGE => self.message(packet, via, &mut app, findings),
            _ => {}
        }
        app.session = Some(SessionRef {
            number: self.record.number,
            sid: self.record.sid.clone(),
            transport: via.transport,
        });
        app
    }

    /// What should have been a packet is none.
    pub fn broken(&mut self, fault: &Fault, via: Via, findings: &mut Vec<Finding>) {
        self.seen(via.when);
        findings.push(finding_of(&ENGINE_BAD_PACKET, fault, via));
    }

    fn opened(&mut self, packet: &Packet<'_>, via: Via) {
        let Some(open) = packet.text().and_then(Open::read) else { return };
        self.record.sid = Some(open.sid.clone());
        if self.record.version.is_none() && open.max_payload.is_some() {
            self.record.version = Some(4);
        }
        self.open = Some(open);
        if self.record.began.is_none() {
            self.record.began = via.when.time;
        }
    }

    fn heartbeat(&mut self, packet: &Packet<'_>, via: Via, app: &mut App, findings: &mut Vec<Finding>) {
        let is_ping = packet.kind == Kind::PING;
        if packet.text() == Some("probe") {
            match (is_ping, via.dir) {
                (true, Dir::Client) => self.upgrade.probed = Some(via.when),
                (false, Dir::Server) => {
                    app.answers = self.upgrade.probed.map(|asked| answer("2probe", asked, via.when));
                    self.upgrade.answered = true;
                }
                _ => {}
            }
            app.summary = if is_ping {
                Text::new("ping probe: does this transport work?")
            } else {
                Text::new("pong probe: this transport works")
            };
            return;
        }
        let pinger = if is_ping { via.dir } else { via.dir.peer() };
        let version = *self.record.version.get_or_insert(if pinger == Dir::Server { 4 } else { 3 });
        let right = if version >= 4 { Dir::Server } else { Dir::Client };
        if pinger != right {
            let expected = Text::with("in revision {}, pings from the {} only", version).word(right.name());
            let got = Text::new("a {} from the {}")
                .word(if is_ping { "ping" } else { "pong" })
                .word(via.dir.name());
            findings.push(Finding::new(&HEARTBEAT_DIRECTION, via.dir, expected, got).at(Span::bytes(
                via.source,
                via.offset + packet.at as u64,
                1,
            )));
        }
        if is_ping {
            self.waiting = Some((via.dir, via.when));
            self.pinged = Some(via.when);
        } else if self.leaving.is_some_and(|(by, _)| by == pinger) {
            // Too late: who waited for it has given up.
        } else if let Some((_, asked)) = self.waiting.take_if(|(by, _)| *by == pinger) {
            self.record.heartbeats += 1;
            app.answers = Some(answer("ping", asked, via.when));
        }
    }

    fn message(&mut self, packet: &Packet<'_>, via: Via, app: &mut App, findings: &mut Vec<Finding>) {
        let speaks = *self.socket.speaks.get_or_insert_with(|| {
            let reads = |text| crate::app::socketio::read(text).is_ok();
            self.at_socket_io || packet.text().is_some_and(reads)
        });
        if !speaks {
            return;
        }
        let (record, from_start, missed) = (&mut self.record, self.open.is_some(), self.missed);
        let mut session = Around { record, from_start, missed, own: Vec::new() };
        if let Some(read) = self.socket.take(packet, via, &mut session, findings) {
            *app = read;
        }
        for found in session.own {
            self.find(found, &[via.when]);
        }
    }

    /// The connection of a probe is over, and the session did not move to it.
    pub fn note_probe_over(&mut self) {
        self.upgrade.over = true;
    }

    /// Adds a finding on the session, once a rule; `evidence` is where it shows.
    pub fn find(&mut self, mut finding: Finding, evidence: &[When]) {
        let rule = finding.rule;
        let at = if let Some(at) = self.findings.iter().position(|known| known.rule == rule) {
            at
        } else {
            if let Some(Usual { what, fix }) = rule.usually {
                finding = finding.because(Diagnosis::new(rule.id, what, fix));
            }
            self.findings.push(finding);
            self.findings.len() - 1
        };
        let spans = &mut self.findings[at].spans;
        for (first, last) in evidence.iter().filter_map(|when| when.packets) {
            for number in if first == last { vec![first] } else { vec![first, last] } {
                let span = Span::bytes(SourceId::Packet { number }, 0, 0);
                if spans.len() < limits::EVIDENCE && !spans.contains(&span) {
                    spans.push(span);
                }
            }
        }
    }
}
