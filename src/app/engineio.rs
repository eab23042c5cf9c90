//! Engine.IO packets, revisions 3 and 4. How a body carries several is in [`payload`](super::payload).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::excerpt::{clipped, cut, quoted};
use super::{
    ENGINE_DATA, ENGINE_ENCODING, ENGINE_TYPE, OPEN_MAX_PAYLOAD, OPEN_PING_INTERVAL, OPEN_PING_TIMEOUT,
    OPEN_SID, OPEN_UPGRADES, json,
};
use crate::limits::APP_SHOWN;
use crate::model::json::place;
use crate::model::{App, Field, FieldDef, SourceId, Span, Text, Value};

/// The packet type. Unknown digits are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub u8);

impl Kind {
    /// The server opens a session.
    pub const OPEN: Self = Self(0);
    /// The session is over.
    pub const CLOSE: Self = Self(1);
    /// A heartbeat, which the server begins in version 4 and the client before.
    pub const PING: Self = Self(2);
    /// The answer to a ping.
    pub const PONG: Self = Self(3);
    /// What the layer above has to say, such as a Socket.IO packet.
    pub const MESSAGE: Self = Self(4);
    /// The client moves to the transport that was probed.
    pub const UPGRADE: Self = Self(5);
    /// Nothing: lets a poll go that waits in vain.
    pub const NOOP: Self = Self(6);

    /// The protocol's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OPEN => "open",
            Self::CLOSE => "close",
            Self::PING => "ping",
            Self::PONG => "pong",
            Self::MESSAGE => "message",
            Self::UPGRADE => "upgrade",
            Self::NOOP => "noop",
            _ => "unknown",
        }
    }

    /// What it is for.
    fn meaning(self) -> &'static str {
        match self {
            Self::OPEN => "opens the session",
            Self::CLOSE => "closes the session",
            Self::PING => "asks whether the other side is there",
            Self::PONG => "says that this side is there",
            Self::MESSAGE => "carries data",
            Self::UPGRADE => "moves the session to this transport",
            Self::NOOP => "ends a poll with nothing to say",
            _ => "no such type",
        }
    }
}

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its type.
    pub kind: Kind,
    /// What follows the type: text unless `binary`.
    pub data: Cow<'a, [u8]>,
    /// The data is bytes.
    pub binary: bool,
    /// It was written in Base64.
    pub base64: bool,
    /// Where the packet, type and all, stands in what was decoded.
    pub at: usize,
    /// Bytes it takes there.
    pub len: usize,
}

impl Packet<'_> {
    /// The data as text.
    pub fn text(&self) -> Option<&str> {
        if self.binary { None } else { str::from_utf8(&self.data).ok() }
    }
}

/// What is wrong, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Offset of that byte.
    pub at: usize,
    /// What should stand there.
    pub expected: &'static str,
    /// What does.
    pub got: Text,
}

/// Reads one packet in text form.
///
/// # Errors
/// When it is empty, begins with no type, or its Base64 is broken.
pub fn text(bytes: &[u8]) -> Result<Packet<'_>, Fault> {
    let fault = |at, expected, got| Err(Fault { at, expected, got });
    let Some(&first) = bytes.first() else {
        return fault(0, "a packet type, 0 to 6", Text::new("an empty packet"));
    };
    let (kind, data, base64) = match (first, bytes.get(1)) {
        // Revision 3: `b`, the type, then Base64. Revision 4 has no type; there Base64 follows at
        // once, and only "message" is ever binary. A digit is Base64 too, so the length decides.
        (b'b', Some(digit @ b'0'..=b'6')) if bytes.len() % 4 == 2 => (Kind(digit - b'0'), &bytes[2..], true),
        (b'b', _) => (Kind::MESSAGE, &bytes[1..], true),
        (b'0'..=b'6', _) => (Kind(first - b'0'), &bytes[1..], false),
        _ => {
            let got = Text::with("{}", quoted(&bytes[..bytes.len().min(16)]));
            return fault(0, "a packet type, 0 to 6, or b for binary", got);
        }
    };
    let data = if base64 {
        let read = STANDARD.decode(data).or_else(|_| STANDARD_NO_PAD.decode(data));
        let Ok(read) = read else { return fault(1, "Base64", Text::new("something else")) };
        Cow::Owned(read)
    } else {
        Cow::Borrowed(data)
    };
    Ok(Packet { kind, data, binary: base64, base64, at: 0, len: bytes.len() })
}

/// Reads one packet in binary form: revision 3 puts the type's number before the data.
///
/// # Errors
/// When a packet of revision 3 does not begin with a type.
pub fn binary(bytes: &[u8], version: u8) -> Result<Packet<'_>, Fault> {
    let len = bytes.len();
    let packet =
        |kind, data| Packet { kind, data: Cow::Borrowed(data), binary: true, base64: false, at: 0, len };
    if version >= 4 {
        return Ok(packet(Kind::MESSAGE, bytes));
    }
    match bytes.split_first() {
        Some((&kind @ 0..=6, data)) => Ok(packet(Kind(kind), data)),
        Some((byte, _)) => {
            Err(Fault { at: 0, expected: "a packet type, 0 to 6", got: Text::with("{}", byte) })
        }
        None => Err(Fault { at: 0, expected: "a packet type, 0 to 6", got: Text::new("nothing") }),
    }
}

/// What the server says when it opens a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// The session's id. Untrusted.
    pub sid: String,
    /// The transports it may move to, such as `websocket`. Untrusted.
    pub upgrades: Vec<String>,
    /// Milliseconds.
    pub ping_interval: Option<u64>,
    /// Milliseconds.
    pub ping_timeout: Option<u64>,
    /// Bytes; revision 4 only.
    pub max_payload: Option<u64>,
}

impl Open {
    /// Reads the data of an `open` packet. `None` when it names no session.
    pub fn read(data: &str) -> Option<Self> {
        if !json::is_valid(data) {
            return None;
        }
        let number = |key| json::member(data, key).and_then(|v| v.parse().ok());
        let upgrades = json::member(data, "upgrades").unwrap_or("[]");
        Some(Self {
            sid: json::string(json::member(data, "sid")?)?,
            upgrades: serde_json::from_str(upgrades).unwrap_or_default(),
            ping_interval: number("pingInterval"),
            ping_timeout: number("pingTimeout"),
            max_payload: number("maxPayload"),
        })
    }
}

/// What a server says when it refuses a request, by the number that it has for that.
pub const REFUSALS: [&str; 6] = [
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
];

/// What python-engineio says for the same, or the beginning or end of it.
const REFUSALS_IN_PYTHON: [(&str, u64); 7] = [
    ("Invalid transport", 0),
    ("Invalid session", 1),
    ("Invalid websocket upgrade", 3),
    ("Invalid JSONP index number", 3),
    ("Unexpected HTTP request", 3),
    ("is not an accepted origin.", 4),
    ("The client is using an unsupported version of the Socket.IO or Engine.IO protocols", 5),
];

/// A refusal as a server words it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// Which of [`REFUSALS`] it is, if it is one.
    pub code: Option<u64>,
    /// Whether the code is in the answer, and not only its words.
    pub is_numbered: bool,
    /// Its words, if they are those of Engine.IO or come with a code.
    pub message: Option<String>,
}

/// What the body of a refusal says: a code and a message, or in a WebSocket's, and of servers in Python, only
/// the message.
pub fn refusal(body: &[u8]) -> Refusal {
    let Ok(text) = str::from_utf8(body) else { return Refusal::default() };
    let text = text.trim();
    if text.starts_with('{') && json::is_valid(text) {
        // Some servers write the number as a string.
        let code = json::member(text, "code").and_then(|code| code.trim_matches('"').parse().ok());
        let message = json::member(text, "message").and_then(json::string);
        return Refusal { code, is_numbered: code.is_some(), message };
    }
    let said = text.trim_matches('"');
    let known = REFUSALS.iter().position(|message| said.eq_ignore_ascii_case(message));
    let in_python = || {
        let is_it = |(words, _): &&(&str, u64)| said.starts_with(words) || said.ends_with(words);
        REFUSALS_IN_PYTHON.iter().find(is_it).map(|(_, code)| *code)
    };
    let code = known.map(|code| code as u64).or_else(in_python);
    Refusal { code, is_numbered: false, message: code.map(|_| said.to_owned()) }
}

/// Describes a packet whose bytes stand at `offset` of `source`.
pub fn describe(packet: &Packet<'_>, source: SourceId, offset: u64) -> App {
    let at = offset + packet.at as u64;
    let mut fields = Vec::new();
    let mut add = |def, span, value, meaning: Text| {
        fields.push(Field { def, span, value, meaning, depth: 0 });
    };
    let whole = Span::bytes(source, at, packet.len as u64);
    let kind = packet.kind;
    let first = Span::bytes(source, at, packet.len.min(1) as u64);
    add(&ENGINE_TYPE, first, Value::Text(kind.name().to_owned()), Text::new(kind.meaning()));
    if packet.base64 {
        add(&ENGINE_ENCODING, whole, Value::Text("base64".to_owned()), Text::default());
    }
    let rest = Span::bytes(source, at + 1, packet.len.saturating_sub(1) as u64);
    let open = packet.text().filter(|_| kind == Kind::OPEN).and_then(|t| Some((t, Open::read(t)?)));
    let summary = match (&open, packet.text()) {
        (Some((data, open)), _) => {
            let keys: [(&'static FieldDef, &str); 5] = [
                (&OPEN_SID, "sid"),
                (&OPEN_UPGRADES, "upgrades"),
                (&OPEN_PING_INTERVAL, "pingInterval"),
                (&OPEN_PING_TIMEOUT, "pingTimeout"),
                (&OPEN_MAX_PAYLOAD, "maxPayload"),
            ];
            for (def, key) in keys {
                let Some(value) = json::member(data, key) else { continue };
                let start = place(data, value);
                let span = Span::bytes(source, at + 1 + start as u64, value.len() as u64);
                let value = match (json::string(value), value.parse()) {
                    (Some(text), _) => Value::Text(text),
                    (None, Ok(number)) => Value::Number(number),
                    _ => Value::Json(value.to_owned()),
                };
                add(def, span, value, Text::default());
            }
            Text::with("open, session {}", &open.sid)
        }
        (None, Some("")) => Text::with("{}", kind.name()),
        (None, Some(text)) => {
            let shown = cut(text);
            let value = if shown.len() == text.len() && json::is_valid(text) {
                Value::Json(text.to_owned())
            } else {
                Value::Text(shown.to_owned())
            };
            add(&ENGINE_DATA, rest, value, Text::default());
            Text::with("{} {}", kind.name()).and(clipped(text))
        }
        (None, None) => {
            let shown = packet.data[..packet.data.len().min(APP_SHOWN)].to_vec();
            let length = Text::with("{} bytes", packet.data.len());
            add(&ENGINE_DATA, if packet.base64 { rest } else { whole }, Value::Bytes(shown), length);
            Text::with("{}, {} bytes of binary data", kind.name()).and(packet.data.len())
        }
    };
    App { protocol: "engine.io", name: "Engine.IO", summary, fields, ..App::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_in_text() {
        for (wire, kind, data) in [
            ("0{}", Kind::OPEN, "{}"),
            ("1", Kind::CLOSE, ""),
            ("2probe", Kind::PING, "probe"),
            ("3probe", Kind::PONG, "probe"),
            ("4hello €", Kind::MESSAGE, "hello €"),
            ("5", Kind::UPGRADE, ""),
            ("6", Kind::NOOP, ""),
        ] {
            let packet = text(wire.as_bytes()).unwrap();
            assert_eq!((packet.kind, packet.text()), (kind, Some(data)), "{wire}");
        }
        for wire in ["", "7", "x", "b*", "\u{1}"] {
            assert!(text(wire.as_bytes()).is_err(), "{wire}");
        }
    }

    #[test]
    fn refusals_with_a_code_in_words_and_of_something_else() {
        let said = |body: &str| {
            let refusal = refusal(body.as_bytes());
            (refusal.code, refusal.is_numbered)
        };
        for (body, code, is_numbered) in [
            (r#"{"code":5,"message":"Unsupported protocol version"}"#, Some(5), true),
            (r#"{"code":"1","message":"Session ID unknown"}"#, Some(1), true),
            ("Transport unknown", Some(0), false),
            (r#""Invalid session AbC-1_x""#, Some(1), false),
            (r#""https://evil.example is not an accepted origin.""#, Some(4), false),
            (r#""Invalid transport""#, Some(0), false),
            ("<h1>Bad Request</h1>", None, false),
            (r#"{"error":"Invalid transport"}"#, None, false),
            ("", None, false),
        ] {
            assert_eq!(said(body), (code, is_numbered), "{body}");
        }
    }

    #[test]
    fn binary_in_text_and_in_frames() {
        assert_eq!(&*text(b"bAQIDBA==").unwrap().data, [1, 2, 3, 4]);
        assert_eq!(&*text(b"b4AQIDBA==").unwrap().data, [1, 2, 3, 4]);
        // Base64 that begins with a digit is not mistaken for a type.
        assert_eq!(&*text(b"b4AAA").unwrap().data, [0xE0, 0, 0]);
        assert_eq!(&*binary(&[4, 1, 2], 3).unwrap().data, [1, 2]);
        assert_eq!(&*binary(&[4, 1, 2], 4).unwrap().data, [4, 1, 2]);
        assert!(binary(&[9, 1], 3).is_err() && binary(&[], 3).is_err());
    }

    #[test]
    fn an_open_packet_is_described_member_by_member() {
        let wire = b"0{\"sid\":\"lv_VI97HAXpY6yYWAAAC\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\
            \"pingTimeout\":20000,\"maxPayload\":1000000}";
        let app = describe(&text(wire).unwrap(), SourceId::Input, 0);
        assert_eq!(app.summary.to_string(), "open, session lv_VI97HAXpY6yYWAAAC");
        let ids: Vec<_> = app.fields.iter().map(|f| f.def.id).collect();
        assert_eq!(
            ids[1..],
            [
                "engineio.sid",
                "engineio.upgrades",
                "engineio.ping_interval",
                "engineio.ping_timeout",
                "engineio.max_payload"
            ]
        );
        let sid = &app.fields[1].span;
        assert_eq!(&wire[sid.first_byte() as usize..sid.end_byte() as usize], br#""lv_VI97HAXpY6yYWAAAC""#);
        let open = Open::read(str::from_utf8(&wire[1..]).unwrap()).unwrap();
        assert_eq!((open.upgrades, open.ping_interval), (vec!["websocket".to_owned()], Some(25000)));
        assert_eq!(Open::read("{}"), None);
    }
}
