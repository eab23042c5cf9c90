//! The Socket.IO packets of a session: namespaces, acknowledgements, attachments.

use super::via::{Via, finding_of};
use crate::app::engineio::Packet as EnginePacket;
use crate::app::pending::{Id, Pending, Request};
use crate::app::socketio::{self, Kind, Packet};
use crate::app::{
    ATTACHMENT_MISSING, ATTACHMENT_UNEXPECTED, EVENT_BEFORE_CONNECT, NAMESPACE_REFUSED, SERVER_TOO_OLD,
    SOCKET_BAD_PACKET, SOCKET_ENGINE, SOCKET_NUM, SOCKET_OF, SOCKET_TYPE,
};
use crate::limits;
use crate::model::{
    App, AppSession, Attachment, Dir, Field, FieldDef, Finding, Nth, Span, Text, Transport, Value,
};

/// What is remembered of a session's Socket.IO.
#[derive(Debug, Default)]
pub(super) struct Socket {
    /// Whether the session speaks Socket.IO at all.
    pub speaks: Option<bool>,
    namespaces: Vec<(String, State)>,
    /// Packets whose attachments are still to come, of the client and the server.
    partial: [Option<Partial>; 2],
    /// Events of the client and the server that want an acknowledgement, each with its namespace.
    pub pending: Pending<String>,
    /// The client asked for a namespace.
    pub connects: bool,
    /// The server let it into one, or refused one.
    pub connected: bool,
    /// The server spoke in one as it does behind a CONNECT, of which none was seen.
    pub connected_unseen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Asked,
    Connected,
    Over,
}

#[derive(Debug)]
struct Partial {
    app: App,
    /// The packet in a few words.
    title: String,
    /// How many attachments are still to come.
    left: u64,
    /// Bytes kept of those that came.
    kept: usize,
    /// What they come by: what comes by another one may be told later than it was sent.
    transport: Transport,
}

/// The session around a packet.
pub(super) struct Around<'a> {
    pub record: &'a mut AppSession,
    /// It was seen from its start.
    pub from_start: bool,
    /// Of whom something is missing.
    pub missed: [bool; 2],
    /// What is found about the session.
    pub own: Vec<Finding>,
}

impl Socket {
    /// Takes a message of Engine.IO; `None` when it means nothing. `findings` takes what is found about the
    /// packet.
    pub fn take(
        &mut self,
        packet: &EnginePacket<'_>,
        via: Via,
        session: &mut Around<'_>,
        findings: &mut Vec<Finding>,
    ) -> Option<App> {
        if packet.binary {
            let is_known = session.from_start && !session.missed[via.dir.index()];
            return self.attachment(packet, via, is_known, findings);
        }
        let via = Via { offset: via.offset + packet.at as u64 + 1, ..via };
        let text = packet.text()?;
        let engine = session.record.version.unwrap_or(4);
        let read = match socketio::read(text).and_then(|read| read.accepted(engine).map(|()| read)) {
            Ok(read) => read,
            Err(fault) => {
                findings.push(finding_of(&SOCKET_BAD_PACKET, &fault, via));
                return None;
            }
        };
        let interrupts = |partial: &mut Partial| partial.transport == via.transport;
        if let Some(left) = self.partial[via.dir.index()].take_if(interrupts) {
            let expected = Text::with("{} more of the binary attachments of {}", left.left).and(&left.title);
            let got = read.summary();
            findings.push(Finding::new(&ATTACHMENT_MISSING, via.dir, expected, got));
        }
        let mut app = read.describe(via.source, via.offset);
        let engine = Span::bytes(via.source, via.offset.saturating_sub(1), 1);
        app.fields.insert(0, field(&SOCKET_ENGINE, engine, Value::Text("message".to_owned())));
        if read.kind.is_event() {
            session.record.events[via.dir.index()] += 1;
            self.event(&read, via);
        } else if read.kind.is_ack() {
            self.ack(&read, via, session.record, &mut app);
        }
        self.namespace(&read, via, session);
        if read.attachments > 0 {
            let pending = Partial {
                app: app.clone(),
                title: read.title(),
                left: read.attachments,
                kept: 0,
                transport: via.transport,
            };
            self.partial[via.dir.index()] = Some(pending);
        }
        Some(app)
    }

    /// Something that `dir` sent is missing: attachments may be among it, and acknowledgements.
    pub fn lost(&mut self, dir: Dir) {
        self.partial[dir.index()] = None;
        self.pending.lost(dir);
    }

    fn event(&mut self, packet: &Packet<'_>, via: Via) {
        let (Some(id), Some((name, _))) = (packet.ack, packet.event()) else { return };
        let (id, extra) = (Id::Number(id), packet.path().to_owned());
        let request = Request { id, what: name, extra, ..Request::default() };
        self.pending.begin(via.dir, via.when.moment(), request);
    }

    fn ack(&mut self, packet: &Packet<'_>, via: Via, record: &mut AppSession, app: &mut App) {
        let Some(id) = packet.ack.map(Id::Number) else { return };
        let is_it = |event: &Request<String>| event.id == id && event.extra == packet.path();
        app.answers = self.pending.answer(via.dir, via.when.moment(), is_it, None);
        record.acks += u64::from(app.answers.as_ref().is_some_and(|answer| answer.nth != Nth::Again));
    }

    fn namespace(&mut self, packet: &Packet<'_>, via: Via, session: &mut Around<'_>) {
        let Around { record, from_start, missed, own } = session;
        // Of what was not seen nobody knows whether it was there.
        let from_start = *from_start && !missed.contains(&true);
        let name = packet.path();
        let state = self.namespaces.iter().find(|(known, _)| known == name).map(|(_, state)| *state);
        let is_new = record.version.unwrap_or(4) >= 4;
        match (packet.kind, via.dir) {
            (Kind::CONNECT, Dir::Client) => {
                self.connects = true;
                self.set(name, State::Asked);
            }
            (Kind::CONNECT, Dir::Server) => {
                if is_new && from_start && state.is_none() && packet.data.is_empty() && name == "/" {
                    let expected = "a CONNECT from the client first".into();
                    let got = "a CONNECT from the server, unasked, as Socket.IO 2 sends it".into();
                    own.push(Finding::new(&SERVER_TOO_OLD, Dir::Server, expected, got));
                }
                self.connected = true;
                self.set(name, State::Connected);
                let known = record.namespaces.iter().any(|n| n == name);
                if !known && record.namespaces.len() < limits::SESSION_NAMESPACES {
                    record.namespaces.push(name.to_owned());
                }
            }
            (Kind::CONNECT_ERROR, Dir::Server) => {
                self.connected = true;
                self.set(name, State::Over);
                let expected = Text::with("a CONNECT for {}", name);
                own.push(Finding::new(&NAMESPACE_REFUSED, Dir::Server, expected, packet.summary()));
            }
            (Kind::DISCONNECT, _) => self.set(name, State::Over),
            (kind, Dir::Server)
                if (kind.is_event() || kind.is_ack()) && matches!(state, None | Some(State::Asked)) =>
            {
                // The server speaks as it does once it is connected: its CONNECT was not seen.
                self.connected_unseen = true;
                self.set(name, State::Connected);
            }
            // After a disconnection late events are harmless.
            (kind, Dir::Client)
                if is_new && from_start && kind.is_event() && matches!(state, None | Some(State::Asked)) =>
            {
                let expected = Text::with("the server's CONNECT for {} first", name);
                own.push(Finding::new(&EVENT_BEFORE_CONNECT, Dir::Client, expected, packet.summary()));
            }
            _ => {}
        }
    }

    fn set(&mut self, name: &str, state: State) {
        if let Some((_, known)) = self.namespaces.iter_mut().find(|(known, _)| known == name) {
            *known = state;
        } else if self.namespaces.len() < limits::SESSION_NAMESPACES {
            self.namespaces.push((name.to_owned(), state));
        }
    }

    /// Binary data: the next attachment of the packet that waits for it.
    fn attachment(
        &mut self,
        packet: &EnginePacket<'_>,
        via: Via,
        is_known: bool,
        findings: &mut Vec<Finding>,
    ) -> Option<App> {
        let Some(pending) = &mut self.partial[via.dir.index()] else {
            if is_known {
                let expected = "a BINARY_EVENT or BINARY_ACK that announces it".into();
                let got = Text::with("{} bytes of binary data", packet.data.len());
                findings.push(Finding::new(&ATTACHMENT_UNEXPECTED, via.dir, expected, got));
            }
            return None;
        };
        let num = pending.app.attachments.len() as u64;
        pending.left = pending.left.saturating_sub(1);
        let keep = packet.data.len().min(limits::ATTACHMENT).min(limits::ATTACHMENTS_KEPT - pending.kept);
        pending.kept += keep;
        pending.app.attachments.push(Attachment {
            num,
            length: packet.data.len() as u64,
            bytes: packet.data[..keep].to_vec(),
            conn: via.when.conn,
            packets: via.when.packets,
        });
        let span = Span::bytes(via.source, via.offset + packet.at as u64, packet.len as u64);
        let of = pending.title.clone();
        let total = num + 1 + pending.left;
        let place = |text: Text| text.and(num + 1).and(total);
        let mut app = App { protocol: "socket.io", name: "Socket.IO", ..App::default() };
        app.fields.push(field(&SOCKET_TYPE, span, Value::Text("attachment".to_owned())));
        app.fields.push(field(&SOCKET_NUM, span, Value::Number(num)));
        app.fields.push(field(&SOCKET_OF, span, Value::Text(of.clone())));
        if pending.left > 0 {
            app.summary = place(Text::with("attachment, {} bytes, {} of {}", packet.data.len()));
            return Some(app);
        }
        let pending = self.partial[via.dir.index()].take()?;
        app.summary =
            place(Text::with("attachment, {} bytes, {} of {}, completes {}", packet.data.len())).and(of);
        // The whole packet once more, now that it is complete.
        let known = ["socketio.engine_type", "socketio.type", "socketio.attachment_count"];
        app.fields.extend(pending.app.fields.into_iter().filter(|f| !known.contains(&f.def.id)));
        app.attachments = pending.app.attachments;
        app.answers = pending.app.answers;
        Some(app)
    }
}

fn field(def: &'static FieldDef, span: Span, value: Value) -> Field {
    Field { def, span, value, meaning: Text::default(), depth: 0 }
}
