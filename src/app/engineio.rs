//! Engine.IO packets, one at a time and many in a body: revisions 3 and 4.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::{
    ENGINE_DATA, ENGINE_ENCODING, ENGINE_TYPE, OPEN_MAX_PAYLOAD, OPEN_PING_INTERVAL, OPEN_PING_TIMEOUT,
    OPEN_SID, OPEN_UPGRADES, json,
};
use crate::limits::{APP_SHOWN, POLLING_PACKETS};
use crate::model::{App, Field, FieldDef, SourceId, Span, Text, Value};

/// The packet type. Unknown digits are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub u8);

impl Kind {
    pub const OPEN: Self = Self(0);
    pub const CLOSE: Self = Self(1);
    pub const PING: Self = Self(2);
    pub const PONG: Self = Self(3);
    pub const MESSAGE: Self = Self(4);
    pub const UPGRADE: Self = Self(5);
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
    pub kind: Kind,
    /// What follows the type: text unless `binary`.
    pub data: Cow<'a, [u8]>,
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
    pub at: usize,
    pub expected: &'static str,
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

/// The packets of a body, and what kept it from being read to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload<'a> {
    pub packets: Vec<Packet<'a>>,
    pub fault: Option<Fault>,
}

impl<'a> Payload<'a> {
    fn take(&mut self, packet: Result<Packet<'a>, Fault>, at: usize, frame: usize) -> bool {
        match packet {
            Ok(packet) => self.packets.push(Packet { at, len: frame, ..packet }),
            Err(fault) => self.fault = self.fault.take().or(Some(Fault { at: at + fault.at, ..fault })),
        }
        self.packets.len() < POLLING_PACKETS
    }

    fn fail(mut self, at: usize, expected: &'static str, got: Text) -> Self {
        self.fault = self.fault.or(Some(Fault { at, expected, got }));
        self
    }
}

/// Divides a body of revision 4: packets joined by the record separator.
pub fn payload_v4(body: &[u8]) -> Payload<'_> {
    let mut payload = Payload::default();
    let mut at = 0;
    for part in body.split(|b| *b == 0x1E) {
        if !payload.take(text(part), at, part.len()) {
            break;
        }
        at += part.len() + 1;
    }
    payload
}

/// Divides a body of revision 3, which is text with lengths in UTF-16 code units, or binary (XHR2).
pub fn payload_v3(body: &[u8]) -> Payload<'_> {
    match body.first() {
        Some(0 | 1) => payload_xhr2(body),
        _ => payload_v3_text(body),
    }
}

fn payload_v3_text(body: &[u8]) -> Payload<'_> {
    let mut payload = Payload::default();
    let mut at = 0;
    while at < body.len() {
        let digits = body[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let declared = str::from_utf8(&body[at..at + digits]).ok().and_then(|d| d.parse::<usize>().ok());
        let (Some(units), Some(b':')) = (declared, body.get(at + digits)) else {
            let got = Text::with("{}", quoted(&body[at..body.len().min(at + 16)]));
            return payload.fail(at, "a length and a colon", got);
        };
        let start = at + digits + 1;
        let Some(len) = utf16_prefix(&body[start..], units) else {
            let got = Text::with("a length of {}, which is more than there is", units);
            return payload.fail(at, "as many UTF-16 code units as the length says", got);
        };
        if !payload.take(text(&body[start..start + len]), start, len) {
            break;
        }
        at = start + len;
    }
    payload
}

/// Bytes of UTF-8 that make `units` code units of UTF-16.
fn utf16_prefix(bytes: &[u8], units: usize) -> Option<usize> {
    if units > bytes.len() {
        return None;
    }
    let (mut at, mut left) = (0, units);
    while left > 0 {
        let (len, cost) = match bytes.get(at)? {
            0..=0x7F => (1, 1),
            0xF0..=0xFF => (4, 2),
            0xE0..=0xEF => (3, 1),
            _ => (2, 1),
        };
        at += len;
        left = left.checked_sub(cost)?;
    }
    (at <= bytes.len()).then_some(at)
}

/// XHR2: a marker (0 string, 1 binary), the length as digits, 255, the packet.
fn payload_xhr2(body: &[u8]) -> Payload<'_> {
    let mut payload = Payload::default();
    let mut at = 0;
    while at < body.len() {
        let marker = body[at];
        let rest = &body[at + 1..];
        let digits = rest.iter().take_while(|b| **b <= 9).count();
        let declared = rest[..digits]
            .iter()
            .try_fold(0usize, |n, d| n.checked_mul(10)?.checked_add(usize::from(*d)))
            .filter(|_| digits > 0 && marker <= 1 && rest.get(digits) == Some(&0xFF));
        let Some(len) = declared else {
            return payload.fail(at, "0 or 1, a length in digits, and 255", Text::new("something else"));
        };
        let start = at + 1 + digits + 1;
        let Some(packet) = body.get(start..).and_then(|b| b.get(..len)) else {
            let got = Text::with("a length of {}, which is more than there is", len);
            return payload.fail(at, "as many bytes as the length says", got);
        };
        let read = if marker == 0 { text(packet) } else { binary(packet, 3) };
        if !payload.take(read, start, len) {
            break;
        }
        at = start + len;
    }
    payload
}

/// Takes a body out of its JSONP wrapping: `___eio[0]("…");`. `None` when it has none.
pub fn from_jsonp(body: &[u8]) -> Option<String> {
    let body = str::from_utf8(body).ok()?.trim();
    let rest = body.strip_prefix("___eio[")?;
    let (index, rest) = rest.split_once("](")?;
    let literal = rest.strip_suffix(";").unwrap_or(rest).strip_suffix(')')?;
    index.bytes().all(|b| b.is_ascii_digit()).then(|| json::string(literal))?
}

/// Takes a body out of the form field JSONP posts it in: `d=<urlencoded>`. `None` when it has none.
pub fn from_form(body: &[u8]) -> Option<Vec<u8>> {
    let value = body.strip_prefix(b"d=")?;
    let decoded = percent_decode(value);
    // The reference client writes a line feed as \\n, and what was \\n already as \\\\n.
    let text = String::from_utf8(decoded).ok()?;
    let parts: Vec<String> = text.split("\\\\n").map(|part| part.replace("\\n", "\n")).collect();
    Some(parts.join("\\n").into_bytes())
}

/// Undoes `application/x-www-form-urlencoded`.
pub fn percent_decode(text: &[u8]) -> Vec<u8> {
    let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match (byte, hex(text.get(at)), hex(text.get(at + 1))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out
}

/// What the server says when it opens a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    pub sid: String,
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
                let start = value.as_ptr() as usize - data.as_ptr() as usize;
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
        (None, Some("")) => Text::new(kind.name()),
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

/// As much of a text as is shown.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(APP_SHOWN)]
}

/// The beginning of a text, for a summary.
pub fn clipped(text: &str) -> Cow<'_, str> {
    const MOST: usize = 200;
    if text.len() <= MOST {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("{}…", &text[..text.floor_char_boundary(MOST)]))
    }
}

fn quoted(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(payload: &Payload<'_>) -> Vec<String> {
        payload
            .packets
            .iter()
            .map(|p| {
                let data = match p.text() {
                    Some(text) => text.to_owned(),
                    None => format!("{:02x?}", p.data),
                };
                format!("{}@{}+{} {data}", p.kind.name(), p.at, p.len)
            })
            .collect()
    }

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
    fn bodies_of_revision_4() {
        let payload = payload_v4(b"4hello\x1e2\x1e4world\x1ebAQIDBA==");
        assert_eq!(
            texts(&payload),
            ["message@0+6 hello", "ping@7+1 ", "message@9+6 world", "message@16+9 [01, 02, 03, 04]"]
        );
        assert_eq!(payload.fault, None);
        let broken = payload_v4(b"4a\x1e\x1e4b");
        assert_eq!((broken.packets.len(), broken.fault.map(|f| f.at)), (2, Some(3)));
    }

    #[test]
    fn bodies_of_revision_3_count_utf16() {
        assert_eq!(texts(&payload_v3("6:4hello2:4€".as_bytes())), ["message@2+6 hello", "message@10+4 €"]);
        let long = "34:42[\"chat message\",\"héllo € 你好 😀\"]2:40";
        let payload = payload_v3(long.as_bytes());
        assert_eq!((payload.packets.len(), &payload.fault), (2, &None));
        assert_eq!(payload.packets[0].text(), Some("2[\"chat message\",\"héllo € 你好 😀\"]"));
        assert_eq!(texts(&payload_v3(b"10:b4AQIDBA==")), ["message@3+10 [01, 02, 03, 04]"]);
        for (wire, at) in [("6:4hel", 0), ("2:4€x:", 6), ("1:2999999999999999999999:4", 3), ("2:😀4", 2)]
        {
            assert_eq!(payload_v3(wire.as_bytes()).fault.map(|f| f.at), Some(at), "{wire}");
        }
    }

    #[test]
    fn bodies_of_revision_3_in_binary() {
        let wire = b"\x00\x04\xff4\xe2\x82\xac\x01\x05\xff\x04\x01\x02\x03\x04";
        assert_eq!(texts(&payload_v3(wire)), ["message@3+4 €", "message@10+5 [01, 02, 03, 04]"]);
        for wire in [&b"\x00\x09\xff4"[..], b"\x00\xff4", b"\x00\x01", b"\x02", b"\x01"] {
            let payload = payload_v3(wire);
            assert!(payload.fault.is_some() && payload.packets.is_empty(), "{wire:?}");
        }
    }

    #[test]
    fn jsonp_both_ways() {
        assert_eq!(from_jsonp(br#"___eio[0]("4h\"i\u2028");"#).as_deref(), Some("4h\"i\u{2028}"));
        assert_eq!(from_jsonp(b"4hi"), None);
        assert_eq!(from_form(b"d=6%3A4hello+%E2%82%AC").unwrap(), "6:4hello €".as_bytes());
        assert_eq!(from_form(br"d=4%22a%5C%5Cnb%22%5Cn").unwrap(), b"4\"a\\nb\"\n");
        assert_eq!(from_form(b"x=1"), None);
        assert_eq!(percent_decode(b"%4%zz%41"), b"%4%zzA");
    }

    #[test]
    fn an_open_packet_is_described_member_by_member() {
        let wire = br#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
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
