//! Which protocol a message speaks, when it is not Engine.IO.

use crate::model::{App, Dir, Field, FieldDef, SourceId, Span, Text, Value};

use super::engineio::up_to;
use super::{compressed, graphql_ws, json, mqtt, signalr, stomp, text_ping};
use crate::limits::APP_SHOWN;

/// A protocol that is decoded a message at a time.
#[derive(Debug)]
pub struct Dialect {
    /// The id in [`App::protocol`].
    pub id: &'static str,
    /// The subprotocols (RFC 6455 §1.9) that stand for it.
    pub subprotocols: &'static [&'static str],
    /// Whether a message shows by itself that it speaks this protocol.
    pub by_content: bool,
    /// The fields it names.
    pub fields: &'static [&'static FieldDef],
    /// Reads a message; `None` when it does not speak this protocol.
    pub read: fn(&Said<'_>) -> Option<App>,
}

/// All of them; those recognised by content in the order in which they are tried.
pub static DIALECTS: &[&Dialect] = &[
    &graphql_ws::DIALECT,
    &graphql_ws::LEGACY,
    &stomp::DIALECT,
    &mqtt::DIALECT,
    &signalr::DIALECT,
    &text_ping::DIALECT,
    &compressed::DIALECT,
    &json::DIALECT,
];

/// What the handshake says about the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints<'a> {
    /// The agreed subprotocol.
    pub subprotocol: Option<&'a str>,
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub dir: Dir,
    /// Whether it is text, otherwise binary.
    pub text: bool,
    pub bytes: &'a [u8],
    /// Where the bytes stand, from offset 0.
    pub source: SourceId,
}

impl<'a> Said<'a> {
    /// The content of a text message.
    pub fn as_text(&self) -> Option<&'a str> {
        if self.text { str::from_utf8(self.bytes).ok() } else { None }
    }

    /// A field of the bytes `at` to `at + len`.
    pub fn field(&self, def: &'static FieldDef, at: usize, len: usize, value: Value) -> Field {
        let span = Span::bytes(self.source, at as u64, len as u64);
        Field { def, span, value, meaning: Text::default(), depth: 0 }
    }

    /// A field of text that is a part of the message's.
    pub fn quote(&self, def: &'static FieldDef, part: &str) -> Field {
        let value = Value::Text(up_to(part, APP_SHOWN).to_owned());
        self.field(def, self.place(part), part.len(), value)
    }

    /// A field of JSON that is a part of the message's text and known to be valid.
    pub fn json(&self, def: &'static FieldDef, part: &str) -> Field {
        if part.len() > APP_SHOWN {
            return self.quote(def, part);
        }
        self.field(def, self.place(part), part.len(), Value::Json(part.to_owned()))
    }

    /// Where a part of the message stands in it.
    fn place(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.bytes.as_ptr() as usize).min(self.bytes.len())
    }
}

/// What a whole message means, if that can be told.
pub fn decode(hints: Hints<'_>, said: &Said<'_>) -> Option<App> {
    let agreed = |dialect: &&&Dialect| {
        let is = |name: &str| dialect.subprotocols.iter().any(|known| known.eq_ignore_ascii_case(name));
        hints.subprotocol.is_some_and(is)
    };
    let named = DIALECTS.iter().find(agreed).and_then(|dialect| (dialect.read)(said));
    named.or_else(|| DIALECTS.iter().filter(|d| d.by_content).find_map(|dialect| (dialect.read)(said)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subprotocol_decides_and_then_the_content() {
        let said = |bytes| Said { dir: Dir::Client, text: true, bytes, source: SourceId::Input };
        let id = |subprotocol, bytes| decode(Hints { subprotocol }, &said(bytes)).map(|app| app.protocol);
        let subscribe: &[u8] = br#"{"id":"1","type":"subscribe","payload":{"query":"{a}"}}"#;
        assert_eq!(id(Some("graphql-transport-ws"), subscribe), Some("graphql-transport-ws"));
        assert_eq!(id(None, subscribe), Some("json"));
        assert_eq!(id(None, b"ping"), Some("text-ping"));
        assert_eq!(id(None, b"CONNECT\naccept-version:1.2\n\n\0"), Some("stomp"));
        assert_eq!(id(None, b"{\"type\":6}\x1e"), Some("signalr"));
        assert_eq!(id(Some("mqtt"), b"hello"), None);
        assert_eq!(id(None, b"hello"), None);
        let ids: std::collections::BTreeSet<_> = DIALECTS.iter().map(|d| d.id).collect();
        assert_eq!(ids.len(), DIALECTS.len());
    }
}
