//! What connections carry for the application: a sink between the decoders and the views.
//!
//! ```text
//! Out ─► Timeline ─► Select ─► view
//! ```
//!
//! Messages pass through and leave with what they mean ([`Message::app`]). Engine.IO sessions, which spread
//! over HTTP requests and a WebSocket, are followed by their id: packets that came by HTTP become units
//! of their own, and when a session is over, [`Body::Session`] says how it went and what went wrong.
//!
//! Nothing of this is done unless the sink behind [wants](crate::model::Wants::app) it.

mod body;
mod conn;
mod diagnose;
mod exchange;
mod followed;
pub mod pasted;
mod sessions;
mod socket;
mod table;
mod target;
mod tied;
mod via;
mod when;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::Arc;

use crate::app::keys::Matched;
use crate::app::{Meaning, engineio, json};
use crate::limits;
use crate::model::json::Quoted;
use crate::model::{
    App, AppPacket, Body, ByNumber, Connection, Dir, Ending, Finding, FindingCounts, Flow, Frame, Handshake,
    HttpHead, Meant, Message, ON, Opcode, SessionEnd, Single, Sink, Source, SourceId, Summary, Time,
    Transport, Unit, Wants, hole,
};

pub use crate::app::given::Given;
pub use crate::app::keys::Keys;

use self::conn::{Before, Conn, Requests, Socket};
use self::exchange::{Exchanges, Seen};
use self::table::{SocketEnd, Table};
use self::target::Target;
use self::via::Via;
use self::when::When;

/// See the [module](self).
pub struct Timeline<S> {
    inner: S,
    wants: Wants,
    conns: ByNumber<Conn>,
    table: Table,
    /// Findings of this layer, for the summary.
    tally: FindingCounts,
    now: Option<Time>,
    requests: Requests,
    /// What the last message means, if that is told in the same room each time.
    room: RefCell<App>,
    /// The last text that was JSON, as a string.
    quoted: Quoted,
}

impl<S> Timeline<S> {
    /// What it was in front of.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Sink> Timeline<S> {
    /// A timeline in front of `inner`.
    pub fn new(inner: S) -> Self {
        let wants = inner.wants();
        Self {
            inner,
            wants,
            conns: ByNumber::default(),
            table: Table::default(),
            tally: FindingCounts::default(),
            now: None,
            requests: Requests::within(limits::REQUESTS_HELD_TOTAL),
            room: RefCell::default(),
            quoted: Quoted::default(),
        }
    }

    /// The same, as part of a run that may hold so many bytes.
    #[must_use]
    pub fn within(mut self, memory: usize) -> Self {
        self.requests.limit = limits::REQUESTS_HELD_TOTAL.min(memory / 8);
        self
    }

    /// Ties replies to requests by these keys, too.
    pub fn match_by(&mut self, keys: Option<Arc<Keys>>) {
        self.requests.keys = keys;
    }

    /// Reads messages of protocols that the user has described, too.
    pub fn give(&mut self, given: Given) {
        self.requests.given = given;
    }

    /// What it is in front of.
    pub fn inner(&mut self) -> &mut S {
        &mut self.inner
    }

    fn pass(&mut self, unit: &Unit<'_>) -> Flow {
        self.inner.take(unit)
    }

    /// Counts findings that this layer made; those of the layers below are counted already.
    fn count(&mut self, findings: &[Finding]) {
        for finding in findings {
            self.tally.add(finding.rule, 1);
        }
    }

    fn cut<'a>(&self, payload: &'a [u8]) -> &'a [u8] {
        &payload[..payload.len().min(usize::try_from(self.wants.payload).unwrap_or(usize::MAX))]
    }

    fn connection(&mut self, unit: &Unit<'_>, connection: &Connection) -> Flow {
        if let Some(ending) = &connection.ending {
            let conn = self.conns.remove(unit.conn);
            let Some(mut conn) = conn else { return self.pass(unit) };
            self.end_talk(unit, ending, &mut conn)?;
            self.requests.held -= conn.held;
            let unanswered = conn.unanswered(unit.time.or(conn.last()));
            if unanswered.is_empty() {
                self.pass(unit)?;
            } else {
                let connection = Connection { unanswered, ..connection.clone() };
                self.pass(&Unit { body: Body::Connection(&connection), ..*unit })?;
            }
            let exchanges = conn.before.take().map(|before| before.exchanges);
            self.table.forget_polls(unit.conn, exchanges.into_iter().flat_map(Exchanges::unanswered));
            let Socket::Session(number) = conn.socket else { return ON };
            let end = conn.last().or(unit.time);
            let (how, closed, heard) = (ending.how, conn.closed, conn.heard());
            return match self
                .table
                .socket_ended(number, SocketEnd { conn: unit.conn, how, closed, heard, end })
            {
                Some(how) => self.end_session(number, how),
                None => ON,
            };
        }
        let conn = self.conns.follow(unit.conn);
        if let Some(target) = &connection.target {
            conn.talk.expect(target);
        }
        if let Some(subprotocol) = &connection.subprotocol {
            conn.talk.agree(subprotocol);
        }
        conn.unheard = match connection.handshake {
            Handshake::RequestOnly
            | Handshake::AnswerUnseen
            | Handshake::ResponseOnly
            | Handshake::Missing => [true; 2],
            _ => [false; 2],
        };
        conn.begins(connection);
        if !self.requests.given.is_empty() {
            conn.talk.give(&self.requests.given, Some(connection));
        }
        self.pass(unit)
    }

    fn http(&mut self, unit: &Unit<'_>, head: &HttpHead<'_>) -> Flow {
        let conn = self.conns.follow(unit.conn);
        if let Some(dir) = unit.dir {
            conn.unheard[dir.index()] = false;
        }
        let is_stream = conn.connection().is_some_and(|connection| connection.parent.is_some());
        let opens = head.start_line.starts_with("HTTP/1.1 101")
            // On a stream of its own over HTTP/2 it is any success (RFC 8441 §5).
            || is_stream && head.start_line.starts_with("HTTP/2 2");
        if opens {
            let name = head.header("Sec-WebSocket-Protocol");
            match name {
                Some(name) => conn.talk.agree(name),
                None => conn.talk.agree_on_none(),
            }
            if let (Some(name), Some(connection), false) =
                (name, conn.connection(), self.requests.given.is_empty())
            {
                let agreed = Connection { subprotocol: Some(name.to_owned()), ..connection.clone() };
                conn.talk.give(&self.requests.given, Some(&agreed));
            }
        }
        let body = &head.body[..head.body.len().min(limits::HTTP_BODY_PREVIEW)];
        if body.len() == head.body.len() {
            self.pass(unit)?;
        } else {
            self.pass(&Unit { body: Body::Http(&HttpHead { body, ..*head }), ..*unit })?;
        }
        let Some(conn) = self.conns.get_mut(unit.conn) else { return ON };
        let Before { connection, exchanges } = &mut **conn.before.get_or_insert_default();
        let seen = Seen { unit, head, connection: connection.as_ref(), missed: conn.missed };
        let mut said = Vec::new();
        let socket = exchanges.head(seen, &mut self.table, &mut said);
        if let Some(number) = socket {
            conn.socket = Socket::Session(number);
        }
        if let (Some(keys), Some(dir)) = (&self.requests.keys, unit.dir) {
            for packet in &mut said {
                tied::tie_carried(keys, (dir, unit), packet, &mut self.table);
            }
        }
        for packet in &said {
            self.count(&packet.findings);
            let shown = AppPacket {
                streamed: None,
                place: packet.place,
                text: !packet.binary,
                length: packet.data.len() as u64,
                payload: self.cut(&packet.data),
                app: &packet.app,
            };
            let body = Body::Packet(&shown);
            self.pass(&Unit { body, fields: &[], findings: &packet.findings, sources: &[], ..*unit })?;
        }
        self.make_room()
    }

    fn message(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        let conn = self.conns.follow(unit.conn);
        conn.hear(unit.time);
        if let Some(dir) = unit.dir {
            conn.read_up_to(dir, unit.packets, &mut self.table);
        }
        if let (Some(close), Some(dir)) = (&message.close, unit.dir) {
            let code = close.code.map(|code| code.0);
            conn.closed.get_or_insert((dir, code, unit.packets));
            if let Socket::Session(number) = conn.socket
                && let Some(session) = self.table.of(number)
            {
                session.leaving.get_or_insert((dir, When::of(unit)));
            }
        }
        let mut findings = Vec::new();
        let mut room = self.room.take();
        let meaning = match unit.dir {
            Some(dir) if !message.kind.is_control() && message.complete => {
                let heard = Heard { unit, message, dir };
                read(conn, &mut self.table, &mut self.requests, heard, &mut findings, &mut room)
            }
            Some(dir) if !message.kind.is_control() => {
                conn.lost(dir, &mut self.table);
                None
            }
            _ => None,
        };
        if message.in_doubt {
            findings.clear();
        }
        let flow = self.tell(unit, message, meaning.as_ref().map(|it| it.app(&room)), findings);
        *self.room.get_mut() = room;
        flow
    }

    /// Whether a message of which nobody has made units is known at a glance for JSON, or for nothing that is
    /// known, as it is [where nothing else is spoken](crate::app::Talk::is_plainly_json): the text is there
    /// as a string then. `None` says nothing, and nothing is changed.
    #[inline]
    fn is_plainly_json(&mut self, single: &Single<'_>) -> Option<bool> {
        let text = single.text.filter(|text| text.len() == single.payload.len())?;
        let conn = self.conns.get_mut(single.conn)?;
        let is_plain = conn.held == 0 && self.requests.keys.is_none() && conn.is_no_session();
        if !is_plain || single.length != text.len() as u64 || single.length > self.wants.payload {
            return None;
        }
        let source = SourceId::Message { conn: single.conn, m: single.m };
        let is_json = conn.talk.is_plainly_json((single.dir, text), source, &mut self.quoted)?;
        conn.is_other();
        let time = single.at.time;
        self.now = self.now.max(time);
        conn.see(time);
        conn.hear(time);
        Some(is_json)
    }

    /// Passes a message on with what it means, and what is wrong with that.
    fn tell(
        &mut self,
        unit: &Unit<'_>,
        message: &Message<'_>,
        app: Option<&App>,
        findings: Vec<Finding>,
    ) -> Flow {
        self.count(&findings);
        let payload = if message.kind.is_control() { message.payload } else { self.cut(message.payload) };
        let payload_cut = message.payload_cut || payload.len() < message.payload.len();
        let holes = hole::among(message.holes, payload.len());
        let own = Message { payload, holes, payload_cut, app, ..*message };
        let body = Body::Message(&own);
        let joined: Vec<Source> = app.into_iter().flat_map(App::sources).cloned().collect();
        if findings.is_empty() && joined.is_empty() {
            return self.pass(&Unit { body, ..*unit });
        }
        let findings: Vec<Finding> = unit.findings.iter().cloned().chain(findings).collect();
        let sources: Vec<Source> = unit.sources.iter().cloned().chain(joined).collect();
        self.pass(&Unit { body, findings: &findings, sources: &sources, ..*unit })
    }

    /// The connection is over: what its protocol has not finished, unless the capture ends first.
    fn end_talk(&mut self, unit: &Unit<'_>, ending: &Ending, conn: &mut Conn) -> Flow {
        let ended = || ending.close().map(|(_, close)| close.time).or(ending.first.map(|end| end.time));
        let is_cut = !ending.how.is_seen();
        let found = if is_cut { Vec::new() } else { conn.talk.end(ended().flatten()) };
        self.count(&found);
        for finding in &found {
            let findings = std::slice::from_ref(finding);
            let (dir, body) = (finding.blame, Body::Note);
            self.pass(&Unit { dir, packets: None, body, fields: &[], findings, sources: &[], ..*unit })?;
        }
        ON
    }

    /// Something of a direction is missing.
    fn lost(&mut self, unit: &Unit<'_>) {
        if let (Some(conn), Some(dir)) = (self.conns.get_mut(unit.conn), unit.dir) {
            conn.lost(dir, &mut self.table);
        }
    }
}

impl<S: Sink> Sink for Timeline<S> {
    fn wants(&self) -> Wants {
        self.wants.or(Wants { payload: limits::APP_PAYLOAD, ..Wants::NOTHING })
    }

    fn looks_at(&mut self, conn: u32, connection: &Connection) -> bool {
        self.inner.looks_at(conn, connection)
    }

    fn behind(&mut self, conn: u32, dir: Dir) {
        if let Some(conn) = self.conns.get_mut(conn) {
            conn.behind(dir, &mut self.table);
        }
        self.inner.behind(conn, dir);
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.now = self.now.max(unit.time);
        if let Some(conn) = self.conns.get_mut(unit.conn)
            && !matches!(unit.body, Body::Connection(_))
        {
            conn.see(unit.time);
        }
        match unit.body {
            Body::Connection(connection) => self.connection(unit, connection),
            Body::Http(head) => self.http(unit, head),
            Body::Frame(frame) if frame.payload.len() as u64 > self.wants.payload => {
                let payload = self.cut(frame.payload);
                let frame = Frame { payload, holes: hole::among(frame.holes, payload.len()), ..*frame };
                self.pass(&Unit { body: Body::Frame(&frame), ..*unit })
            }
            Body::Message(message) => self.message(unit, message),
            Body::Gap(_) => {
                self.lost(unit);
                self.pass(unit)
            }
            Body::File(_) => {
                self.forget()?;
                self.pass(unit)
            }
            Body::Summary(summary) => self.summary(unit, summary),
            _ => self.pass(unit),
        }
    }

    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        let Some(is_json) = self.is_plainly_json(single) else {
            return single.lend(|unit, message| self.take_whole(unit, message));
        };
        let app = is_json.then_some(Meant { room: &self.room, tell: json::tell });
        let quoted = Some(self.quoted.as_bytes());
        self.inner.take_single(&Single { app, quoted, ..*single })
    }

    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        let (Some(conn), Body::Frame(frame), Some(dir), false) =
            (self.conns.get_mut(unit.conn), unit.body, unit.dir, message.kind.is_control())
        else {
            self.take(unit)?;
            return self.take(&Unit { body: Body::Message(message), ..*unit });
        };
        self.now = self.now.max(unit.time);
        conn.see(unit.time);
        conn.hear(unit.time);
        conn.read_up_to(dir, unit.packets, &mut self.table);
        let mut findings = Vec::new();
        let heard = Heard { unit, message, dir };
        let room = self.room.get_mut();
        let meaning = read(conn, &mut self.table, &mut self.requests, heard, &mut findings, room);
        let is_cut = message.payload.len() as u64 > self.wants.payload;
        // What is told in the same room has neither findings nor sources.
        if let (false, None | Some(Meaning::InRoom), true) = (is_cut, &meaning, findings.is_empty()) {
            let app = meaning.is_some().then_some(&*self.room.get_mut());
            return self.inner.take_whole(unit, &Message { app, ..*message });
        }
        let app = meaning.map(|it| it.into_app(self.room.get_mut()));
        let payload = self.cut(message.payload);
        let payload_cut = message.payload_cut || payload.len() < message.payload.len();
        let frame = Frame { payload, ..*frame };
        let unit = &Unit { body: Body::Frame(&frame), ..*unit };
        if findings.is_empty() && app.iter().flat_map(App::sources).next().is_none() {
            let own = Message { payload, payload_cut, app: app.as_ref(), ..*message };
            return self.inner.take_whole(unit, &own);
        }
        self.pass(unit)?;
        self.tell(unit, message, app.as_ref(), findings)
    }
}

/// A whole message, and who sent it.
#[derive(Clone, Copy)]
struct Heard<'a> {
    unit: &'a Unit<'a>,
    message: &'a Message<'a>,
    dir: Dir,
}

/// What a message means.
fn read(
    known: &mut Conn,
    table: &mut Table,
    requests: &mut Requests,
    heard: Heard<'_>,
    findings: &mut Vec<Finding>,
    room: &mut App,
) -> Option<Meaning> {
    let Heard { unit, message, dir } = heard;
    if known.unheard != [false; 2] {
        known.join(dir, table);
    }
    if message.compressed && message.inflated_length.is_none() {
        known.lost(dir, table);
        return None;
    }
    let (conn, m) = (unit.conn, message.m);
    let source =
        if message.compressed { SourceId::Inflated { conn, m } } else { SourceId::Message { conn, m } };
    let text = message.kind == Opcode::TEXT;
    if known.socket == Socket::Unknown && !message.payload_cut {
        let connection = known.connection();
        known.socket = match Target::recognise(connection, text, message.payload) {
            Some(target) => Socket::Session(table.begin(connection, &target, When::of(unit))),
            // A packet that tells nothing may come before one that does.
            None if message.payload.len() <= 1 && text => Socket::Unknown,
            None => {
                known.is_other();
                Socket::Other
            }
        };
    }
    if message.payload_cut && matches!(known.socket, Socket::Session(_)) {
        known.lost(dir, table);
        return None;
    }
    if let Socket::Session(number) = known.socket
        && let Some(session) = table.of(number)
    {
        session.miss(known.missed);
        let version = session.version();
        let read =
            if text { engineio::text(message.payload) } else { engineio::binary(message.payload, version) };
        let via = Via { dir, transport: Transport::WebSocket, source, offset: 0, when: When::of(unit) };
        return match read {
            Ok(packet) => {
                let mut app = session.packet(&packet, via, findings);
                if let (Some(keys), Some(json)) = (&requests.keys, packet.text()) {
                    let said = tied::said(dir, unit, message, source);
                    let matched = session.matched.get_or_insert_with(|| Matched::new(keys.clone()).into());
                    tied::tie(&said.of(json), matched, &mut app);
                }
                table.learn(number);
                Some(Meaning::Own(app))
            }
            Err(fault) => {
                session.broken(&fault, via, findings);
                None
            }
        };
    }
    let mut said = tied::said(dir, unit, message, source);
    let meaning = known.read(&mut said, requests.keys.as_ref(), findings, room);
    requests.account(known, findings);
    meaning
}
