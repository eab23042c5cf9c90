//! Which protocol a message speaks, when it is not Engine.IO.

use std::fmt;

use crate::model::{App, Dir, Field, FieldDef, Finding, Rule, Source, SourceId, Span, Text, Time, Value};

use super::excerpt::cut;
use super::glance::Glance;
use super::pending::{Moment, Requests};
use super::validity::{is_valid, is_valid_at_length};
use crate::limits::APP_SHOWN;

/// A protocol that messages may speak.
#[derive(Debug)]
pub struct Dialect {
    /// The id in [`App::protocol`].
    pub id: &'static str,
    /// The subprotocols (RFC 6455 §1.9) that stand for it.
    pub subprotocols: &'static [&'static str],
    /// Whether a message may speak this protocol, told at a glance: asked of every message before it is
    /// read, and never `false` for one that would be read. `None` where no message shows it by itself.
    pub looks_like: Option<fn(&Said<'_>) -> bool>,
    /// The bytes one of which such a message begins with; empty for any.
    pub first: &'static [u8],
    /// The fields it names.
    pub fields: &'static [&'static FieldDef],
    /// The rules it is held against.
    pub rules: &'static [&'static Rule],
    /// What reads its messages.
    pub reader: Reader,
}

/// Dialects are compared by place: there is one of each.
impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Dialect {}

/// What reads the messages of a protocol.
#[derive(Clone, Copy, Debug)]
pub enum Reader {
    /// Each message stands for itself, and is read if all of it is there.
    Each(fn(&Said<'_>) -> Option<App>),
    /// The same of messages that are what they are and nothing else: what is said of one is put into room
    /// that was made for the one before, so that there need not be any made for it. `false`, and nothing put
    /// there, where it is none.
    Whole(fn(&Said<'_>, &mut App) -> bool),
    /// The messages of one connection are read by a decoder of their own, which this makes.
    Session(fn() -> Box<dyn Decoder>),
}

/// Reads the messages of one connection, both directions, and remembers what the later ones need.
///
/// Both directions share a decoder, because what one side says decides how the other is read (the version
/// that MQTT's CONNECT names). What is remembered of each side is bounded by a cap in [`crate::limits`].
pub trait Decoder: fmt::Debug + Send {
    /// Reads the next message of a direction; `None` when it does not speak this protocol. What it breaks
    /// is added to `found`, which is dropped with a `None` unless the protocol was agreed on.
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App>;

    /// Something that `dir` sent is not in the capture, or was too much to be kept: what comes next may
    /// begin anywhere.
    fn lost(&mut self, _dir: Dir) {}

    /// The connection was ended at this time, and all that was sent has been read.
    fn end(&mut self, _ended: Option<Time>, _found: &mut Vec<Finding>) {}

    /// The requests of the connection that wait for answers, where the protocol has such.
    fn requests(&mut self) -> Option<&mut dyn Requests> {
        None
    }
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Who sent it.
    pub dir: Dir,
    /// Whether it is text, otherwise binary.
    pub text: bool,
    /// Its bytes, or as many of the first as are kept.
    pub bytes: &'a [u8],
    /// The same as text, if it was found to be some before.
    pub content: Option<&'a str>,
    /// What a look at it has shown.
    pub glance: Glance,
    /// How many bytes it has.
    pub length: u64,
    /// Where the bytes stand, from offset 0.
    pub source: SourceId,
    /// The way back from there, if somebody looks.
    pub sources: &'a [Source],
    /// When its last byte was captured, and the packets that carried it.
    pub time: Option<Time>,
    /// Numbers of the first and the last of them; `None` without a capture.
    pub packets: Option<(u64, u64)>,
    /// The handshake agreed on the protocol that is to read it.
    pub agreed: bool,
    /// The protocol was agreed on, or was seen on this connection before.
    pub known: bool,
}

impl<'a> Said<'a> {
    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.bytes.len() as u64 == self.length
    }

    /// The same of a part of it.
    pub fn of<'b>(&self, part: &'b str) -> Said<'b>
    where
        'a: 'b,
    {
        Said {
            bytes: part.as_bytes(),
            content: Some(part),
            glance: Glance::None,
            length: part.len() as u64,
            ..*self
        }
    }

    /// When and in which packets it was complete.
    pub fn moment(&self) -> Moment {
        Moment { time: self.time, packets: self.packets }
    }

    /// The number of its connection.
    pub fn conn(&self) -> u32 {
        match self.source {
            SourceId::Message { conn, .. } | SourceId::Inflated { conn, .. } => conn,
            _ => 0,
        }
    }

    /// Its number within the connection.
    pub fn m(&self) -> u64 {
        match self.source {
            SourceId::Message { m, .. } | SourceId::Inflated { m, .. } => m,
            _ => 0,
        }
    }

    /// The content of a text message.
    pub fn as_text(&self) -> Option<&'a str> {
        match self.content {
            _ if !self.text => None,
            Some(content) => Some(content),
            None => simdutf8::basic::from_utf8(self.bytes).ok(),
        }
    }

    /// The content of a text message that is JSON.
    pub fn as_json(&self) -> Option<&'a str> {
        self.as_text().filter(|text| match self.glance {
            Glance::Json { .. } => true,
            Glance::Unsure => is_valid_at_length(text),
            Glance::None => is_valid(text),
        })
    }

    /// Looks at it.
    pub(super) fn look(&mut self) {
        self.glance = self.as_text().map_or(Glance::Unsure, Glance::at);
    }

    /// A field of the bytes `at` to `at + len`.
    pub fn field(&self, def: &'static FieldDef, at: usize, len: usize, value: Value) -> Field {
        let span = Span::bytes(self.source, at as u64, len as u64);
        Field { def, span, value, meaning: Text::default(), depth: 0 }
    }

    /// A field of text that is a part of the message's.
    pub fn quote(&self, def: &'static FieldDef, part: &str) -> Field {
        let value = Value::Text(cut(part).to_owned());
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

#[cfg(test)]
impl<'a> Said<'a> {
    /// Message `m` of connection 1, of a protocol that was agreed on.
    pub fn sample(dir: Dir, m: u64, text: bool, bytes: &'a [u8]) -> Self {
        let length = bytes.len() as u64;
        let source = SourceId::Message { conn: 1, m };
        let (agreed, known) = (true, true);
        let (content, glance, sources) = (None, Glance::None, &[]);
        let (time, packets) = (None, None);
        Self { dir, text, bytes, content, glance, length, source, sources, time, packets, agreed, known }
    }
}
