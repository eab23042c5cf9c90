//! Which protocol a message speaks, when it is not Engine.IO.

use std::fmt;

use crate::model::{App, Dir, Field, FieldDef, Finding, Rule, Source, SourceId, Span, Text, Time, Value};

use super::excerpt::{clipped, cut};
use super::glance::{Glance, Marks};
use super::pending::{Moment, Requests};
use super::validity::{is_valid, is_valid_at_length, string};
use crate::limits::APP_SHOWN;

/// A protocol that messages may speak.
#[derive(Debug)]
pub struct Dialect {
    /// The id in [`App::protocol`].
    pub id: &'static str,
    /// The subprotocols (RFC 6455 §1.9) that stand for it; `*` at the beginning stands for anything, where no
    /// other protocol has the name.
    pub subprotocols: &'static [&'static str],
    /// Whether a message may speak this protocol, told at a glance: asked of every message before it is
    /// read, and never `false` for one that would be read. `None` where no message shows it by itself.
    pub looks_like: Option<fn(&Said<'_>) -> bool>,
    /// The bytes one of which such a message begins with; empty for any.
    pub first: &'static [u8],
    /// Bytes that its messages end with, if they are recognised by content: none where it may be any.
    pub last: &'static [u8],
    /// Marks one of which such a message bears, where it is JSON; none for any.
    pub marks: Marks,
    /// Whether a request for a target (RFC 9110 §7.1) of this path and this query, which may be empty, asks
    /// for a place where it is spoken. Its messages are still read for what they are; but less is needed to
    /// know them.
    pub target: Option<fn(&str, &str) -> bool>,
    /// The fields it names.
    pub fields: &'static [&'static FieldDef],
    /// The rules it is held against.
    pub rules: &'static [&'static Rule],
    /// What reads its messages.
    pub reader: Reader,
    /// What the page about protocols says of it.
    pub sheet: Sheet,
}

/// A row of `docs/dialects.md`, in the words of that page; the rest of the row is what the [`Dialect`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The protocol's name.
    pub name: &'static str,
    /// By what a message or a target shows that it is spoken; empty where only the subprotocol does.
    pub shown_by: &'static str,
    /// What is decoded, and what is followed from message to message.
    pub decoded: &'static str,
    /// The sample of it, below `samples/`.
    pub sample: &'static str,
    /// The title of its specification and where it stands.
    pub source: (&'static str, &'static str),
}

/// The bytes of these ranges, which are `N`: what messages of a protocol may begin with.
pub const fn bytes<const N: usize>(ranges: &[(u8, u8)]) -> [u8; N] {
    let mut all = [0; N];
    let (mut count, mut range) = (0, 0);
    while range < ranges.len() {
        let (mut byte, last) = ranges[range];
        while byte <= last {
            all[count] = byte;
            (count, byte) = (count + 1, byte + 1);
        }
        range += 1;
    }
    assert!(count == N);
    all
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
    /// begin anywhere. Who remembers nothing but requests has nothing to add.
    fn lost(&mut self, dir: Dir) {
        if let Some(requests) = self.requests() {
            requests.lost(dir);
        }
    }

    /// Something that `dir` sent before is not there, whether it comes yet or never: nothing may rest on it.
    /// What comes next of `dir` goes on where its last message ended, as far as is known.
    fn behind(&mut self, dir: Dir) {
        self.lost(dir);
    }

    /// The connection was ended at this time, and all that was sent has been read.
    fn end(&mut self, _ended: Option<Time>, _found: &mut Vec<Finding>) {}

    /// Whether a message that was not read may turn out to have been one of this protocol: what comes is
    /// asked of this decoder, too.
    fn is_undecided(&self) -> bool {
        false
    }

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
    /// The subprotocol by which it was agreed on.
    pub subprotocol: Option<&'static str>,
    /// The protocol was agreed on, or was seen on this connection before.
    pub known: bool,
    /// The request asked for a [target](Dialect::target) of the protocol that is to read it.
    pub expected: bool,
    /// The answer to the handshake was seen, and agreed on no subprotocol.
    pub bare: bool,
}

impl<'a> Said<'a> {
    /// All of a message, of which nothing else is known.
    pub fn new(dir: Dir, text: bool, bytes: &'a [u8], source: SourceId) -> Self {
        Self {
            dir,
            text,
            bytes,
            content: None,
            glance: Glance::None,
            length: bytes.len() as u64,
            source,
            sources: &[],
            time: None,
            packets: None,
            agreed: false,
            subprotocol: None,
            known: false,
            expected: false,
            bare: false,
        }
    }

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
            Glance::Json(_) => true,
            Glance::Unsure(_) => is_valid_at_length(text),
            Glance::None => is_valid(text),
        })
    }

    /// Whether it may be JSON that begins with one of some bytes and bears one of some marks.
    pub fn bears(&self, first: &[u8], marks: Marks) -> bool {
        let begins = || self.bytes.trim_ascii_start().first().is_some_and(|byte| first.contains(byte));
        self.text && begins() && self.glance.bears(marks, self.bytes)
    }

    /// Looks at it.
    pub(super) fn look(&mut self) {
        self.glance = self.as_text().map_or(Glance::None, Glance::at);
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

    /// A field of a JSON value that is a part of the message's text and known to be valid: what a string
    /// says, a number, or else the value as it was written.
    pub fn literal(&self, def: &'static FieldDef, literal: &str) -> Field {
        let value = match literal.as_bytes().first() {
            Some(b'"') => match string(literal) {
                Some(said) => {
                    let (at, inner) = (self.place(literal) + 1, literal.len().saturating_sub(2));
                    return self.field(def, at, inner, Value::Text(cut(&said).to_owned()));
                }
                None => return self.quote(def, literal),
            },
            Some(b'0'..=b'9') => literal.parse().ok().map(Value::Number),
            _ => None,
        };
        match value {
            Some(number) => self.field(def, self.place(literal), literal.len(), number),
            None => self.json(def, literal),
        }
    }

    /// The whole message, for what is found in it.
    pub fn span(&self) -> Span {
        Span::bytes(self.source, 0, self.length)
    }

    /// Where a part of the message's text stands, for what is found there.
    pub fn span_of(&self, part: &str) -> Span {
        Span::bytes(self.source, self.place(part) as u64, part.len() as u64)
    }

    /// What it is where something of a protocol in JSON was expected.
    pub fn instead(&self) -> Text {
        match self.as_text() {
            None => "a binary message".into(),
            Some(text) if !is_valid(text) => "something that is no JSON".into(),
            Some(text) => Text::with("{}", clipped(text)),
        }
    }

    /// A finding that all of it is something else than was expected.
    pub fn broken(&self, rule: &'static Rule, expected: Text) -> Finding {
        Finding::new(rule, self.dir, expected, self.instead()).at(self.span())
    }

    /// A field of bytes that are a part of the message's.
    pub fn part(&self, def: &'static FieldDef, part: &[u8], value: Value) -> Field {
        self.field(def, self.place_of(part), part.len(), value)
    }

    /// Where a part of the message stands in it.
    fn place(&self, part: &str) -> usize {
        self.place_of(part.as_bytes())
    }

    /// The same of bytes.
    pub fn place_of(&self, part: &[u8]) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.bytes.as_ptr() as usize).min(self.bytes.len())
    }
}

#[cfg(test)]
impl<'a> Said<'a> {
    /// Message `m` of connection 1, of a protocol that was agreed on.
    pub fn sample(dir: Dir, m: u64, text: bool, bytes: &'a [u8]) -> Self {
        Self { agreed: true, known: true, ..Self::new(dir, text, bytes, SourceId::Message { conn: 1, m }) }
    }
}
