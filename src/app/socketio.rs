//! Socket.IO packets, revisions 3 to 5: `type[attachments-][/namespace,][ack id]json`.

use std::ops::Range;

use super::excerpt::{clipped, cut};
use super::{
    SOCKET_ACK, SOCKET_ARGS, SOCKET_ATTACHMENTS, SOCKET_DATA, SOCKET_EVENT, SOCKET_NAMESPACE, SOCKET_TYPE,
    json,
};
use crate::limits::ATTACHMENTS;
use crate::model::json::place;
use crate::model::{App, Field, FieldDef, Parting, SourceId, Span, Text, Value};

/// The packet type. Unknown digits are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub u8);

impl Kind {
    /// The client asks for a namespace, or the server lets it in.
    pub const CONNECT: Self = Self(0);
    /// Either leaves a namespace.
    pub const DISCONNECT: Self = Self(1);
    /// A name and arguments.
    pub const EVENT: Self = Self(2);
    /// The answer to an event that asked for one.
    pub const ACK: Self = Self(3);
    /// The server does not let the client into a namespace.
    pub const CONNECT_ERROR: Self = Self(4);
    /// An event with attachments.
    pub const BINARY_EVENT: Self = Self(5);
    /// An answer with attachments.
    pub const BINARY_ACK: Self = Self(6);

    /// The protocol's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CONNECT => "CONNECT",
            Self::DISCONNECT => "DISCONNECT",
            Self::EVENT => "EVENT",
            Self::ACK => "ACK",
            Self::CONNECT_ERROR => "CONNECT_ERROR",
            Self::BINARY_EVENT => "BINARY_EVENT",
            Self::BINARY_ACK => "BINARY_ACK",
            _ => "unknown",
        }
    }

    /// Whether it carries an event's name and arguments.
    pub fn is_event(self) -> bool {
        matches!(self, Self::EVENT | Self::BINARY_EVENT)
    }

    /// Whether it acknowledges an event.
    pub fn is_ack(self) -> bool {
        matches!(self, Self::ACK | Self::BINARY_ACK)
    }
}

/// Names that events of Socket.IO 3 and 4 may not have: the library tells its application by them.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// One packet, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its type.
    pub kind: Kind,
    /// How many binary packets follow and belong to it.
    pub attachments: u64,
    /// `/` when none is named.
    pub namespace: &'a str,
    /// The number by which an answer is asked for, or which it answers.
    pub ack: Option<u64>,
    /// The rest, valid JSON or empty.
    pub data: &'a str,
    /// Where the parts stand in the text.
    places: Places,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Places {
    attachments: Range<usize>,
    namespace: Range<usize>,
    ack: Range<usize>,
    data: usize,
}

pub use super::engineio::Fault;

/// Reads a packet.
///
/// # Errors
/// When the type is unknown, the data is no JSON, or a packet that needs an array has none.
pub fn read(text: &str) -> Result<Packet<'_>, Fault> {
    let bytes = text.as_bytes();
    let fault = |at, expected, got| Err(Fault { at, expected, got });
    let kind = match bytes.first() {
        Some(digit @ b'0'..=b'6') => Kind(digit - b'0'),
        Some(_) => return fault(0, "a packet type, 0 to 6", Text::with("{}", clipped(text))),
        None => return fault(0, "a packet type, 0 to 6", Text::new("an empty packet")),
    };
    let mut at = 1;
    let mut places = Places::default();
    let mut attachments = 0;
    if matches!(kind, Kind::BINARY_EVENT | Kind::BINARY_ACK) {
        let digits = digits(&bytes[at..]);
        let count = text[at..at + digits].parse().ok();
        let (Some(count), Some(b'-')) = (count, bytes.get(at + digits)) else {
            return fault(
                at,
                "the number of attachments and a hyphen",
                Text::with("{}", clipped(&text[at..])),
            );
        };
        attachments = count;
        places.attachments = at..at + digits;
        at += digits + 1;
    }
    let mut namespace = "/";
    if bytes.get(at) == Some(&b'/') {
        let end = bytes[at..].iter().position(|b| *b == b',').map_or(bytes.len(), |comma| at + comma);
        namespace = &text[at..end];
        places.namespace = at..end;
        at = (end + 1).min(bytes.len());
    }
    let digits = digits(&bytes[at..]);
    let mut ack = None;
    // Digits before JSON are the id; a packet of digits only has nothing but the id.
    if digits > 0 {
        ack = text[at..at + digits].parse().ok();
        if ack.is_none() {
            return fault(at, "an acknowledgement id of at most 64 bits", Text::with("{} digits", digits));
        }
        places.ack = at..at + digits;
        at += digits;
    }
    let data = &text[at..];
    places.data = at;
    if let Some((offset, what)) = json::fault(data).filter(|_| !data.is_empty()) {
        return fault(at + offset, "JSON", what);
    }
    let needs_array = kind.is_event() || kind.is_ack();
    if needs_array && !data.trim_start().starts_with('[') {
        return fault(
            at,
            "a JSON array",
            if data.is_empty() { Text::new("nothing") } else { Text::with("{}", clipped(data)) },
        );
    }
    if attachments > ATTACHMENTS as u64 {
        return fault(
            places.attachments.start,
            "a number of attachments that can be waited for",
            Text::with("{}", attachments),
        );
    }
    let packet = Packet { kind, attachments, namespace, ack, data, places };
    if kind.is_event() && json::elements(data).is_empty() {
        return fault(at, "an event's name", Text::new("an empty array"));
    }
    Ok(packet)
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

impl<'a> Packet<'a> {
    /// The event's name and where it stands in the data; a number is allowed by older revisions.
    pub fn event(&self) -> Option<(String, Range<usize>)> {
        let first = self.kind.is_event().then(|| json::elements(self.data).into_iter().next())??;
        let at = place(self.data, first);
        Some((json::string(first).unwrap_or_else(|| first.to_owned()), at..at + first.len()))
    }

    /// The arguments as a JSON array: those of an event, without its name, or of an acknowledgement.
    pub fn args(&self) -> Option<String> {
        let skip = match self.kind {
            kind if kind.is_event() => 1,
            kind if kind.is_ack() => 0,
            _ => return None,
        };
        let parts = json::elements(self.data);
        Some(format!("[{}]", parts.get(skip..).unwrap_or_default().join(",")))
    }

    /// Whether the parser of a session takes the packet: `engine` is the session's revision of Engine.IO.
    ///
    /// The parser of Socket.IO 3 and 4 (Engine.IO 4) wants an object in a CONNECT, nothing in a DISCONNECT,
    /// an object or a string in a refusal, and an event's name to be a string or a number that is not
    /// reserved. That of Socket.IO 2 wants an array in all but refusals.
    ///
    /// # Errors
    /// What it refuses, and where.
    pub fn accepted(&self, engine: u8) -> Result<(), Fault> {
        let data = self.data.trim_start();
        if data.is_empty() {
            return Ok(());
        }
        let begins = |with: char| data.starts_with(with);
        let fault = |expected, at| {
            Err(Fault { at, expected, got: Text::with("{}", clipped(&self.data[at - self.places.data..])) })
        };
        let at = self.places.data;
        if engine < 4 {
            let is_taken = self.kind == Kind::CONNECT_ERROR || begins('[');
            return if is_taken { Ok(()) } else { fault("a JSON array", at) };
        }
        match self.kind {
            Kind::CONNECT if !begins('{') => fault("a JSON object, or nothing, in a CONNECT", at),
            Kind::DISCONNECT => fault("nothing in a DISCONNECT", at),
            Kind::CONNECT_ERROR if !begins('{') && !begins('"') => {
                fault("a JSON object or a string in a CONNECT_ERROR", at)
            }
            kind if kind.is_event() => {
                let Some((name, place)) = self.event() else { return Ok(()) };
                let literal = &self.data[place.clone()];
                let at = at + place.start;
                if literal.starts_with('"') {
                    if RESERVED.contains(&name.as_str()) {
                        return fault("an event's name that is not reserved", at);
                    }
                    Ok(())
                } else if literal.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
                    Ok(())
                } else {
                    fault("an event's name: a string or a number", at)
                }
            }
            _ => Ok(()),
        }
    }

    /// The namespace without the query that older revisions append.
    pub fn path(&self) -> &'a str {
        self.namespace.split('?').next().unwrap_or(self.namespace)
    }

    /// Describes the packet, whose first byte stands at byte `offset` of `source`.
    pub fn describe(&self, source: SourceId, offset: u64) -> App {
        let place = |at: Range<usize>| Span::bytes(source, offset + at.start as u64, at.len() as u64);
        let mut fields = Vec::new();
        let mut add = |def: &'static FieldDef, at: Range<usize>, value, meaning: Text| {
            fields.push(Field { def, span: place(at), value, meaning, depth: 0 });
        };
        let Places { attachments, namespace, ack, data } = self.places.clone();
        add(&SOCKET_TYPE, 0..1, Value::Text(self.kind.name().to_owned()), Text::default());
        if !attachments.is_empty() {
            add(&SOCKET_ATTACHMENTS, attachments, Value::Number(self.attachments), Text::default());
        }
        let implicit =
            if namespace.is_empty() { Text::new("not named: the main one") } else { Text::default() };
        add(&SOCKET_NAMESPACE, namespace, Value::Text(self.namespace.to_owned()), implicit);
        if let Some(id) = self.ack {
            let meaning = if self.kind.is_ack() {
                "the event with this id is acknowledged"
            } else {
                "an acknowledgement is asked for"
            };
            add(&SOCKET_ACK, ack, Value::Number(id), Text::new(meaning));
        }
        let whole = data..data + self.data.len();
        if let Some((name, at)) = self.event() {
            add(
                &SOCKET_EVENT,
                data + at.start..data + at.end,
                Value::Text(cut(&name).to_owned()),
                Text::default(),
            );
        }
        if let Some(args) = self.args() {
            let value = if cut(&args).len() == args.len() {
                Value::Json(args)
            } else {
                Value::Text(cut(&args).to_owned())
            };
            add(&SOCKET_ARGS, whole, value, Text::default());
        } else if !self.data.is_empty() {
            add(&SOCKET_DATA, whole, Value::Json(self.data.to_owned()), Text::default());
        }
        let parting = (self.kind == Kind::DISCONNECT).then_some(Parting::Leave);
        let (protocol, name) = ("socket.io", "Socket.IO");
        App { protocol, name, summary: self.summary(), fields, parting, ..App::default() }
    }

    /// What the packet is, in a few words: its type, namespace, and event or acknowledgement id.
    pub fn title(&self) -> String {
        let head = self.head();
        match (self.event(), self.ack) {
            (Some((name, _)), _) => format!("{head} {}", quoted(&name)),
            (None, Some(id)) => format!("{head} {id}"),
            (None, None) => head,
        }
    }

    /// The type, and the namespace unless it is the main one.
    fn head(&self) -> String {
        match self.path() {
            "/" => self.kind.name().to_owned(),
            path => format!("{} {}", self.kind.name(), clipped(path)),
        }
    }

    /// The packet in a line.
    pub fn summary(&self) -> Text {
        let args = self.args().unwrap_or_default();
        let args = args.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or_default();
        let args = if self.attachments > 0 { placeholders_named(args) } else { args.to_owned() };
        let (name, args) = (self.event().map(|(name, _)| name).unwrap_or_default(), clipped(&args));
        match (self.kind, self.ack) {
            (kind, Some(id)) if kind.is_event() => {
                Text::with("{} {}({}), wants ack {}", self.head()).and(quoted(&name)).and(args).and(id)
            }
            (kind, _) if kind.is_event() => Text::with("{} {}({})", self.head()).and(quoted(&name)).and(args),
            (kind, Some(id)) if kind.is_ack() => Text::with("{} {} ({})", self.head()).and(id).and(args),
            _ if self.data.is_empty() => Text::with("{}", self.head()),
            _ => Text::with("{} {}", self.head()).and(clipped(self.data)),
        }
    }
}

/// The arguments with `<attachment 0>` for its placeholder, which is long and says no more.
///
/// Inside a JSON string its quotes would be escaped: what looks like a placeholder is one.
fn placeholders_named(args: &str) -> String {
    const BEFORE: &str = "{\"_placeholder\":true,\"num\":";
    let (mut out, mut rest) = (String::new(), args);
    while let Some((before, after)) = rest.split_once(BEFORE) {
        out.push_str(before);
        let digits = digits(after.as_bytes());
        if let (1.., Some(end)) = (digits, after[digits..].strip_prefix('}')) {
            out.push_str("<attachment ");
            out.push_str(&after[..digits]);
            out.push('>');
            rest = end;
        } else {
            out.push_str(BEFORE);
            rest = after;
        }
    }
    out + rest
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", clipped(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_the_specification() {
        type Case = (&'static str, &'static str, u64, &'static str, Option<u64>, &'static str, &'static str);
        let cases: &[Case] = &[
            ("0", "CONNECT", 0, "/", None, "", "CONNECT"),
            (
                "0/admin,{\"token\":\"123\"}",
                "CONNECT",
                0,
                "/admin",
                None,
                "{\"token\":\"123\"}",
                "CONNECT /admin {\"token\":\"123\"}",
            ),
            ("0/admin?token=123,", "CONNECT", 0, "/admin?token=123", None, "", "CONNECT /admin"),
            ("1/admin,", "DISCONNECT", 0, "/admin", None, "", "DISCONNECT /admin"),
            ("2[\"foo\"]", "EVENT", 0, "/", None, "[\"foo\"]", "EVENT \"foo\"()"),
            ("212[\"foo\",1]", "EVENT", 0, "/", Some(12), "[\"foo\",1]", "EVENT \"foo\"(1), wants ack 12"),
            ("3/admin,13[\"bar\"]", "ACK", 0, "/admin", Some(13), "[\"bar\"]", "ACK /admin 13 (\"bar\")"),
            (
                "51-[\"baz\",{\"_placeholder\":true,\"num\":0}]",
                "BINARY_EVENT",
                1,
                "/",
                None,
                "[\"baz\",{\"_placeholder\":true,\"num\":0}]",
                "BINARY_EVENT \"baz\"(<attachment 0>)",
            ),
            ("61-15[]", "BINARY_ACK", 1, "/", Some(15), "[]", "BINARY_ACK 15 ()"),
            (
                "4/admin,\"Not authorized\"",
                "CONNECT_ERROR",
                0,
                "/admin",
                None,
                "\"Not authorized\"",
                "CONNECT_ERROR /admin \"Not authorized\"",
            ),
        ];
        for (wire, kind, attachments, namespace, ack, data, summary) in cases {
            let packet = read(wire).unwrap();
            let got = (packet.kind.name(), packet.attachments, packet.namespace, packet.ack, packet.data);
            assert_eq!(got, (*kind, *attachments, *namespace, *ack, *data), "{wire}");
            assert_eq!(packet.summary().to_string(), *summary);
            let parting = packet.describe(SourceId::Message { conn: 1, m: 1 }, 0).parting;
            assert_eq!(parting.is_some(), *kind == "DISCONNECT", "{wire}");
        }
        assert_eq!(read("0/admin?token=123,").unwrap().path(), "/admin");
    }

    #[test]
    fn what_is_no_packet() {
        for (wire, at) in [
            ("", 0),
            ("9", 0),
            ("2", 1),
            ("2{}", 1),
            ("2[]", 1),
            ("2[\"a\",x]", 6),
            ("5[\"a\"]", 1),
            ("5x-[\"a\"]", 1),
            ("299999999999999999999[\"a\"]", 1),
            ("59999-[\"a\"]", 1),
        ] {
            assert_eq!(read(wire).unwrap_err().at, at, "{wire}");
        }
    }

    #[test]
    fn what_the_parser_of_each_revision_refuses() {
        for (wire, older, newer) in [
            ("1/admin,{}", Some(8), Some(8)),
            ("0[]", None, Some(1)),
            ("0/admin,\"invalid\"", Some(8), Some(8)),
            ("4[\"a\"]", None, Some(1)),
            ("2[true,\"foo\"]", None, Some(2)),
            ("2[\"connect\"]", None, Some(2)),
            ("2[\"disconnect\",\"123\"]", None, Some(2)),
            ("0{\"sid\":\"x\"}", Some(1), None),
            ("0/admin?token=1,", None, None),
            ("1/admin,", None, None),
            ("4{\"message\":\"no\"}", None, None),
            ("4\"no\"", None, None),
            ("2[\"message\"]", None, None),
            ("2[1,2]", None, None),
            ("3/admin,13[]", None, None),
        ] {
            let packet = read(wire).unwrap();
            let at = |engine| packet.accepted(engine).err().map(|fault| fault.at);
            assert_eq!((at(3), at(4)), (older, newer), "{wire}");
        }
    }

    #[test]
    fn fields_stand_where_their_bytes_are() {
        let wire = "51-/admin,7[\"baz\",{\"_placeholder\":true,\"num\":0}]";
        let app = read(wire).unwrap().describe(SourceId::Input, 0);
        let seen: Vec<_> = app
            .fields
            .iter()
            .map(|f| (f.def.label, &wire[f.span.first_byte() as usize..f.span.end_byte() as usize]))
            .collect();
        assert_eq!(
            seen,
            [
                ("type", "5"),
                ("attachments", "1"),
                ("namespace", "/admin"),
                ("ack id", "7"),
                ("event", "\"baz\""),
                ("arguments", "[\"baz\",{\"_placeholder\":true,\"num\":0}]"),
            ]
        );
    }
}
