//! Packets of Engine.IO: a type and, of some, data. `4` is a message, `42["name","text"]` one of Socket.IO.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hyper::body::Bytes;

use crate::model::Opcode;

/// Stands between the packets of one HTTP body.
pub const SEPARATOR: char = '\u{1e}';

/// A server's ping and a client's answer; the other way round they are an error in version 4.
pub const PING: &str = "2";
/// The answer to [`PING`].
pub const PONG: &str = "3";
/// The first packet of a WebSocket that takes over from polling.
pub const PROBE: &str = "2probe";
/// The server's answer to [`PROBE`].
pub const PROBED: &str = "3probe";
/// The client's last packet of the move: from now on it uses the WebSocket.
pub const UPGRADE: &str = "5";
/// Lets a poll go that has nothing to wait for.
pub const NOOP: &str = "6";
/// Socket.IO's CONNECT to the main namespace.
pub const CONNECT: &str = "40";

/// Base64 as the reference takes it: whether padding is there does not matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// An event with one text.
pub fn event(name: &str, text: &str) -> String {
    // Strings always serialise.
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    format!("42[{},{}]", quoted(name), quoted(text))
}

/// The text of an event with this name; `None` of anything else.
pub fn text_of(packet: &str, name: &str) -> Option<String> {
    let (event, text): (String, String) = serde_json::from_str(packet.strip_prefix("42")?).ok()?;
    (event == name).then_some(text)
}

/// What the `EIO` of a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Clients of Socket.IO 1 and 2: they ping, and polling counts characters.
    V3,
    /// Clients of Socket.IO 3 and 4.
    V4,
}

/// What a message carries. Clones share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Text.
    Text(Arc<str>),
    /// Bytes.
    Binary(Bytes),
}

impl Data {
    /// Bytes that it takes.
    pub fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Data {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Bytes> for Data {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// `0`: the handshake, as JSON.
    Open(String),
    /// `1`: the session is over.
    Close,
    /// `2`, with `probe` when a WebSocket is tried.
    Ping(String),
    /// `3`, with what the ping had.
    Pong(String),
    /// `4`.
    Message(Data),
    /// `5`: the WebSocket takes over.
    Upgrade,
    /// `6`: lets a poll go that has nothing to wait for.
    Noop,
}

impl Packet {
    /// Bytes that it takes while it waits, about.
    pub fn weight(&self) -> usize {
        let data = match self {
            Self::Open(text) | Self::Ping(text) | Self::Pong(text) => text.len(),
            Self::Message(data) => data.weight(),
            Self::Close | Self::Upgrade | Self::Noop => 0,
        };
        data + size_of::<Self>()
    }

    /// As text; binary data in Base64.
    pub fn text(&self, revision: Revision) -> String {
        match self {
            Self::Open(json) => format!("0{json}"),
            Self::Close => "1".to_owned(),
            Self::Ping(data) => format!("{PING}{data}"),
            Self::Pong(data) => format!("{PONG}{data}"),
            Self::Message(Data::Text(text)) => format!("4{text}"),
            Self::Message(Data::Binary(bytes)) => {
                let mut text = String::from(if revision == Revision::V3 { "b4" } else { "b" });
                STANDARD.encode_string(bytes, &mut text);
                text
            }
            Self::Upgrade => UPGRADE.to_owned(),
            Self::Noop => NOOP.to_owned(),
        }
    }

    /// As the payload of a WebSocket message; binary data as such if the client `takes_binary`.
    pub fn payload(&self, revision: Revision, takes_binary: bool) -> (Opcode, Cow<'_, [u8]>) {
        match (self, revision) {
            (Self::Message(Data::Binary(bytes)), Revision::V4) => (Opcode::BINARY, Cow::Borrowed(bytes)),
            (Self::Message(Data::Binary(bytes)), Revision::V3) if takes_binary => {
                (Opcode::BINARY, Cow::Owned([b"\x04", &bytes[..]].concat()))
            }
            _ => (Opcode::TEXT, Cow::Owned(self.text(revision).into_bytes())),
        }
    }

    /// Reads what [`Self::text`] writes; `None` of what is no packet.
    pub fn from_text(text: &str, revision: Revision) -> Option<Self> {
        let (kind, data) = text.split_at_checked(1)?;
        if kind == "b" {
            let base64 = if revision == Revision::V3 { data.strip_prefix('4')? } else { data };
            return Some(Self::Message(Data::Binary(BASE64.decode(base64).ok()?.into())));
        }
        Some(match kind {
            "0" => Self::Open(data.to_owned()),
            "1" => Self::Close,
            "2" => Self::Ping(data.to_owned()),
            "3" => Self::Pong(data.to_owned()),
            "4" => Self::Message(data.into()),
            "5" => Self::Upgrade,
            "6" => Self::Noop,
            _ => return None,
        })
    }

    /// Reads a binary message of a WebSocket: in version 3 a type as a byte stands before it.
    pub fn from_binary(bytes: Bytes, revision: Revision) -> Option<Self> {
        match (revision, bytes.first()) {
            (Revision::V4, _) => Some(Self::Message(bytes.into())),
            (Revision::V3, Some(4)) => Some(Self::Message(bytes.slice(1..).into())),
            (Revision::V3, Some(kind @ 0..=6)) => {
                let data = str::from_utf8(&bytes[1..]).ok()?;
                Self::from_text(&format!("{kind}{data}"), revision)
            }
            (Revision::V3, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_19_bytes_in_the_example() {
        assert_eq!(event("hello", "world"), r#"42["hello","world"]"#);
        assert_eq!(text_of(r#"42["hello","w\"orld"]"#, "hello").as_deref(), Some("w\"orld"));
        assert_eq!(text_of(r#"42["other","x"]"#, "hello"), None);
        assert_eq!(text_of("2", "hello"), None);
    }

    #[test]
    fn packets_are_read_as_they_were_written() {
        let binary = Packet::Message(Bytes::from_static(&[1, 2, 3, 4]).into());
        for revision in [Revision::V3, Revision::V4] {
            for packet in [
                Packet::Open("{}".to_owned()),
                Packet::Close,
                Packet::Ping("probe".to_owned()),
                Packet::Pong(String::new()),
                Packet::Message("€".into()),
                binary.clone(),
                Packet::Upgrade,
                Packet::Noop,
            ] {
                assert_eq!(Packet::from_text(&packet.text(revision), revision), Some(packet.clone()));
                let (opcode, payload) = packet.payload(revision, true);
                let read = if opcode == Opcode::BINARY {
                    Packet::from_binary(payload.into_owned().into(), revision)
                } else {
                    Packet::from_text(str::from_utf8(&payload).unwrap(), revision)
                };
                assert_eq!(read, Some(packet));
            }
        }
        assert_eq!(binary.text(Revision::V3), "b4AQIDBA==");
        assert_eq!(binary.text(Revision::V4), "bAQIDBA==");
        assert_eq!(binary.payload(Revision::V3, true).1[..], [4, 1, 2, 3, 4]);
        assert_eq!(binary.payload(Revision::V3, false).1[..], *b"b4AQIDBA==");
        assert_eq!(Packet::from_text("bAQIDBA", Revision::V4), Some(binary), "without padding");
    }

    #[test]
    fn what_is_no_packet_is_not_taken_for_one() {
        for revision in [Revision::V3, Revision::V4] {
            for wrong in ["", "abc", "7", "€", "b*", "{}"] {
                assert_eq!(Packet::from_text(wrong, revision), None, "{wrong}");
            }
        }
        assert_eq!(Packet::from_text("b1AQID", Revision::V3), None);
        assert_eq!(Packet::from_binary(Bytes::new(), Revision::V3), None);
        assert_eq!(Packet::from_binary(Bytes::from_static(&[9, 1]), Revision::V3), None);
    }
}
