//! Socket.IO over Engine.IO 4, or 3, as a client speaks it: the session, events, acknowledgements, and what
//! is answered without being asked for. Packets are as a WebSocket carries them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::verdict::short;
use crate::app::engineio::{self, Open};
use crate::app::socketio::{self, Kind, Packet};
use crate::cli::encode::event_packet;
use crate::http::accept::hex;
use crate::lab::engine::packet::{self, Revision};
use crate::lab::frames::Received;
use crate::limits;
use crate::model::{Opcode, Text};

/// A session with a server.
#[derive(Debug)]
pub struct SocketIo {
    revision: Revision,
    namespace: String,
    auth: Option<String>,
    is_ready: bool,
    /// It was, at some time.
    was_ready: bool,
    /// When the next ping is due, where clients send them, and how often they are.
    pings: Option<(Instant, Duration)>,
    /// The number of the next event that asks for an acknowledgement.
    next_ack: u64,
    /// Those that wait for theirs.
    asked: VecDeque<(u64, Instant)>,
    /// A packet whose attachments are still coming.
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    packet: String,
    wanted: u64,
    attachments: Vec<Vec<u8>>,
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// This is the answer.
    Send(String),
    /// An event or an acknowledgement, for whoever listens.
    Event(String),
    /// Something about the session.
    Note(Text),
    /// The session is over.
    Over(Text),
    /// There is none: the server does not want it, or speaks otherwise.
    Refused(Text),
}

/// Said where nobody opens a session in time.
pub const SILENT: &str =
    "no session of Socket.IO came about: look whether the server speaks it, and under this path";

/// Said where a server lets in as those do that speak Engine.IO 3, who frame attachments otherwise.
const OLD: &str = "the server speaks Socket.IO 2, over Engine.IO 3: put ?EIO=3 into the URL";

/// Acknowledgements that are waited for.
const ASKED: usize = 1024;

impl SocketIo {
    /// A session that will connect to a namespace, `/` being the main one, with these credentials.
    pub fn new(revision: Revision, namespace: &str, auth: Option<String>) -> Self {
        Self {
            revision,
            pings: None,
            namespace: namespace.to_owned(),
            auth,
            is_ready: false,
            was_ready: false,
            next_ack: 0,
            asked: VecDeque::new(),
            partial: None,
        }
    }

    /// Whether the namespace is open: events may be sent.
    pub fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Whether the namespace has ever been open.
    pub fn was_ready(&self) -> bool {
        self.was_ready
    }

    /// When the next ping is due, where that is the client's part: in Engine.IO 3.
    pub fn ping_at(&self) -> Option<Instant> {
        self.pings.map(|(at, _)| at)
    }

    /// The ping that is due.
    pub fn ping(&mut self) -> &'static str {
        self.pings = self.pings.map(|(at, every)| (at + every, every));
        packet::PING
    }

    /// An attachment as it goes behind its packet.
    pub fn attachment_of(&self, bytes: &[u8]) -> Vec<u8> {
        let message = packet::Packet::Message(packet::Data::Binary(bytes.to_vec().into()));
        let (_, payload) = message.payload(self.revision, true);
        payload.into_owned()
    }

    /// The packet of an event; `args` is a JSON array in which so many placeholders stand for what is
    /// attached.
    pub fn emit(&mut self, event: &str, args: &str, attached: usize, ack: bool) -> String {
        let ack = ack.then(|| {
            self.next_ack += 1;
            if self.asked.len() == ASKED {
                self.asked.pop_front();
            }
            self.asked.push_back((self.next_ack, Instant::now()));
            self.next_ack
        });
        event_packet(event, args, &self.namespace, ack, attached)
    }

    /// Takes a message.
    pub fn hear(&mut self, message: &Received) -> Vec<Said> {
        if message.kind == Opcode::BINARY {
            // The type of a message stands before its bytes in Engine.IO 3.
            let typed = self.revision == Revision::V3;
            let bytes = message.payload.strip_prefix(&[4]).filter(|_| typed).unwrap_or(&message.payload);
            return self.attachment(bytes);
        }
        let packet = match engineio::text(&message.payload) {
            Ok(packet) => packet,
            Err(fault) => return vec![not_understood(&message.payload, &fault)],
        };
        let text = packet.text().unwrap_or_default();
        match packet.kind {
            engineio::Kind::OPEN => match Open::read(text) {
                Some(open) => {
                    let every = open.ping_interval.unwrap_or_default();
                    let words = Text::with("Engine.IO session {}, a ping every {} ms", open.sid).and(every);
                    if self.revision == Revision::V3 && every > 0 {
                        let every = Duration::from_millis(every);
                        self.pings = Some((Instant::now() + every, every));
                    }
                    let mut said = vec![Said::Note(words)];
                    // Into the main namespace a server of Socket.IO 2 lets everybody by itself.
                    if self.revision == Revision::V4 || self.namespace != "/" {
                        said.push(Said::Send(self.connect()));
                    }
                    said
                }
                None => {
                    vec![Said::Refused(
                        "Engine.IO's handshake cannot be read: is this Socket.IO 3 or 4?".into(),
                    )]
                }
            },
            engineio::Kind::PONG if self.revision == Revision::V3 => {
                vec![Said::Note("Engine.IO pong".into())]
            }
            engineio::Kind::PING => {
                vec![Said::Send("3".to_owned()), Said::Note("Engine.IO ping, answered".into())]
            }
            engineio::Kind::CLOSE => vec![Said::Over("the server closed the session of Engine.IO".into())],
            engineio::Kind::MESSAGE => match socketio::read(text) {
                Ok(packet) => self.packet(&packet, text),
                Err(fault) => vec![not_understood(&message.payload, &fault)],
            },
            _ => Vec::new(),
        }
    }

    fn connect(&self) -> String {
        let namespace = if self.namespace == "/" { String::new() } else { format!("{},", self.namespace) };
        format!("40{namespace}{}", self.auth.as_deref().unwrap_or_default())
    }

    fn packet(&mut self, packet: &Packet<'_>, text: &str) -> Vec<Said> {
        let namespace = packet.namespace.to_owned();
        match packet.kind {
            // A server of Socket.IO 3 or later says the session's id.
            Kind::CONNECT if self.revision == Revision::V4 && packet.data.is_empty() => {
                vec![Said::Refused(OLD.into())]
            }
            // The main namespace comes first, whichever is asked for.
            Kind::CONNECT if namespace != self.namespace => Vec::new(),
            Kind::CONNECT => {
                self.is_ready = true;
                self.was_ready = true;
                vec![Said::Note(Text::with("connected to the namespace {}", namespace))]
            }
            Kind::CONNECT_ERROR => {
                let words =
                    "the server lets nobody into the namespace {} like that: {}; see --namespace, --auth";
                vec![Said::Refused(Text::with(words, namespace).and(packet.data))]
            }
            Kind::DISCONNECT => {
                self.is_ready = false;
                vec![Said::Over(Text::with("the server ended the namespace {}", namespace))]
            }
            _ if packet.attachments > 0 => {
                if packet.attachments > limits::ATTACHMENTS as u64 {
                    return vec![Said::Over("a packet announces more attachments than are taken".into())];
                }
                let (packet, wanted) = (text.to_owned(), packet.attachments);
                self.partial = Some(Partial { packet, wanted, attachments: Vec::new() });
                Vec::new()
            }
            _ => self.whole(packet, &[]),
        }
    }

    fn attachment(&mut self, bytes: &[u8]) -> Vec<Said> {
        let Some(partial) = &mut self.partial else {
            return vec![Said::Note("a binary message that no packet announced".into())];
        };
        partial.attachments.push(bytes.to_vec());
        if (partial.attachments.len() as u64) < partial.wanted {
            return Vec::new();
        }
        let Some(Partial { packet, attachments, .. }) = self.partial.take() else { return Vec::new() };
        // It was read before.
        socketio::read(&packet).map_or_else(|_| Vec::new(), |read| self.whole(&read, &attachments))
    }

    /// An event or acknowledgement with all that belongs to it.
    fn whole(&mut self, packet: &Packet<'_>, attachments: &[Vec<u8>]) -> Vec<Said> {
        let data = filled(packet.data, attachments);
        if packet.kind.is_ack() {
            let place = self.asked.iter().position(|(id, _)| Some(*id) == packet.ack);
            let took = place.and_then(|place| self.asked.remove(place)).map(|(_, at)| short(at.elapsed()));
            let after = took.map(|took| format!(" after {took}")).unwrap_or_default();
            return vec![Said::Event(format!("ack {}{after} {data}", packet.ack.unwrap_or_default()))];
        }
        let mut said = vec![Said::Event(data)];
        if let Some(ack) = packet.ack {
            // Somebody waits for it.
            let namespace =
                if self.namespace == "/" { String::new() } else { format!("{},", self.namespace) };
            said.push(Said::Send(format!("43{namespace}{ack}[]")));
        }
        said
    }
}

fn not_understood(payload: &[u8], fault: &engineio::Fault) -> Said {
    let shown = String::from_utf8_lossy(&payload[..payload.len().min(40)]).into_owned();
    Said::Note(Text::with("no packet of Socket.IO: {}: expected {}", shown).word(Text::new(fault.expected)))
}

/// JSON in which attachments stand in their places, in hexadecimal.
fn filled(data: &str, attachments: &[Vec<u8>]) -> String {
    if attachments.is_empty() {
        return data.to_owned();
    }
    let Ok(mut value) = serde_json::from_str::<Value>(data) else { return data.to_owned() };
    fill(&mut value, attachments);
    value.to_string()
}

fn fill(value: &mut Value, attachments: &[Vec<u8>]) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, attachments)),
        Value::Object(members) if members.get("_placeholder") == Some(&Value::Bool(true)) => {
            let place = members.get("num").and_then(Value::as_u64).and_then(|num| usize::try_from(num).ok());
            if let Some(bytes) = place.and_then(|place| attachments.get(place)) {
                *value = Value::String(format!("hex:{}", hex(bytes)));
            }
        }
        Value::Object(members) => members.values_mut().for_each(|value| fill(value, attachments)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Received {
        Received { kind: Opcode::TEXT, payload: text.as_bytes().to_vec() }
    }

    #[test]
    fn a_session_from_its_handshake_to_its_end() {
        let mut session = SocketIo::new(Revision::V4, "/admin", Some("{\"token\":\"1\"}".to_owned()));
        let send = |text: &str| Said::Send(text.to_owned());
        let said = session.hear(&text(r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":1}"#));
        assert_eq!(said[1..], [send("40/admin,{\"token\":\"1\"}")]);
        assert!(!session.is_ready());
        session.hear(&text(r#"40/admin,{"sid":"y"}"#));
        assert!(session.is_ready());
        assert_eq!(session.hear(&text("2"))[0], send("3"));
        assert_eq!(session.emit("hi", "[1,\"two\"]", 0, false), r#"42/admin,["hi",1,"two"]"#);
        assert_eq!(session.emit("hi", "[]", 0, true), r#"42/admin,1["hi"]"#);
        let Said::Event(ack) = &session.hear(&text(r#"43/admin,1["ok"]"#))[0] else { panic!("an ack") };
        assert!(ack.starts_with("ack 1 after ") && ack.ends_with(r#" ["ok"]"#), "{ack}");
        let said = session.hear(&text(r#"42/admin,7["q",{}]"#));
        assert_eq!(said, [Said::Event(r#"["q",{}]"#.to_owned()), send("43/admin,7[]")]);
        assert!(matches!(session.hear(&text("41/admin,"))[..], [Said::Over(_)]));
    }

    #[test]
    fn attachments_stand_in_their_places() {
        let mut session = SocketIo::new(Revision::V4, "/", None);
        let packet = r#"452-["file",{"_placeholder":true,"num":1},{"a":[{"_placeholder":true,"num":0}]}]"#;
        assert_eq!(session.hear(&text(packet)), []);
        let binary = |payload: &[u8]| Received { kind: Opcode::BINARY, payload: payload.to_vec() };
        assert_eq!(session.hear(&binary(b"\x01\x02")), []);
        let said = session.hear(&binary(b"\xff"));
        assert_eq!(said, [Said::Event(r#"["file","hex:ff",{"a":["hex:0102"]}]"#.to_owned())]);
    }

    #[test]
    fn clients_of_socket_io_2_ping_and_are_let_in_by_themselves() {
        let open = r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":1}"#;
        let mut session = SocketIo::new(Revision::V3, "/", None);
        assert!(matches!(session.hear(&text(open))[..], [Said::Note(_)]));
        session.hear(&text("40"));
        assert!(session.is_ready());
        let due = session.ping_at().expect("pings");
        assert_eq!(session.ping(), "2");
        assert_eq!(session.ping_at().unwrap() - due, Duration::from_secs(25));
        assert!(matches!(session.hear(&text("3"))[..], [Said::Note(_)]), "a pong");
        assert_eq!(session.attachment_of(&[1, 2]), [4, 1, 2]);
        session.hear(&text(r#"451-["file",{"_placeholder":true,"num":0}]"#));
        let bytes = Received { kind: Opcode::BINARY, payload: vec![4, 255] };
        assert_eq!(session.hear(&bytes), [Said::Event(r#"["file","hex:ff"]"#.to_owned())]);
        let mut other = SocketIo::new(Revision::V3, "/admin", None);
        assert_eq!(other.hear(&text(open))[1..], [Said::Send("40/admin,".to_owned())]);
        other.hear(&text("40"));
        assert!(!other.is_ready(), "that was the main one");
        other.hear(&text("40/admin"));
        assert!(other.is_ready());
    }

    #[test]
    fn a_server_of_socket_io_2_is_no_one_to_talk_to_as_4() {
        for (revision, answer, is_refused) in [
            (Revision::V4, "40", true),
            (Revision::V4, r#"40{"sid":"x"}"#, false),
            (Revision::V3, "40", false),
        ] {
            let mut session = SocketIo::new(revision, "/", None);
            let said = session.hear(&text(answer));
            assert_eq!(matches!(said[..], [Said::Refused(_)]), is_refused, "{answer}: {said:?}");
            assert_eq!(session.is_ready(), !is_refused);
        }
    }

    #[test]
    fn what_is_no_packet_is_said_and_survived() {
        let mut session = SocketIo::new(Revision::V4, "/", None);
        for wrong in ["", "x", "4", "42{", "9"] {
            assert!(matches!(session.hear(&text(wrong))[..], [Said::Note(_)]), "{wrong}");
        }
        assert!(matches!(session.hear(&text("0{}"))[..], [Said::Refused(_)]));
        assert!(matches!(session.hear(&text(r#"44{"message":"no"}"#))[..], [Said::Refused(_)]));
    }
}
