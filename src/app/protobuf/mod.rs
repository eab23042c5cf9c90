//! Protocol Buffers: messages by a schema of the user's (`--proto`), or by field numbers and wire types.
//!
//! Nearly any bytes can be read as some fields, so that messages are taken for protobuf only where the
//! subprotocol says so or the user does. `wire` reads records, `schema` has what the user's files say,
//! `reading` puts both together, `framing` finds messages in streams of them (gRPC-Web).

mod framing;
mod reading;
pub mod schema;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use self::framing::{Framing, Piece};
use self::reading::Read;
pub use self::schema::Schema;
use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::{clipped, cut};
use crate::limits::{APP_PACKETS, APP_SHOWN};
use crate::model::{App, Cite, Dir, Finding, Span, Text, Value, fields, rules};

/// Protocol Buffers without a schema: where a subprotocol says so.
pub static DIALECT: Dialect = Dialect {
    id: "protobuf",
    subprotocols: &["protobuf", "proto", GRPC_WEBSOCKETS, "*.protobuf", "*.proto", "*+proto", "*+protobuf"],
    looks_like: None,
    first: &[],
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<Protobuf>::default()),
    sheet: Sheet {
        name: "Protocol Buffers, gRPC-Web",
        shown_by: "",
        decoded: "fields by their numbers and wire types, what is within as a guess; by the names of a \
                  schema with `--proto` ([dialect](dialect.md#protocol-buffers)); gRPC-Web and lengths in \
                  front",
        sample: "clean/protobuf.script",
        source: ("Protocol Buffers Encoding", "https://protobuf.dev/programming-guides/encoding/"),
    },
};

/// gRPC-Web, its client's messages behind a mark.
const GRPC_WEBSOCKETS: &str = "grpc-websockets";

const fn spec(section: &'static str) -> Cite {
    Cite { doc: "Protocol Buffers", section }
}

fields! {
    /// What is annotated.
    FIELDS;
    VALUE = "protobuf.value", "value", spec("Encoding"),
        "What the message says, as JSON: by names where there is a schema, otherwise by field numbers.";
    MEMBER = "protobuf.member", "member", spec("Message Structure"),
        "A field of the message, by its path; what is a guess says so.", Member;
    HEADERS = "protobuf.headers", "headers", Cite { doc: "gRPC-Web", section: "Protocol differences" },
        "Headers or trailers of gRPC, which the stream carries as data.", Listed;
}

rules! {
    /// The rules of Protocol Buffers.
    RULES;
    MALFORMED = "protobuf-malformed", Warning, spec("Message Structure"), Either,
        "A message that should be protobuf is none",
        "The receiver cannot parse it; most libraries raise an error.";
}

rules! {
    /// What only a schema of the user's shows, so that no capture breaks it by itself.
    SCHEMA_RULES;
    SCHEMA_MISMATCH = "protobuf-schema-mismatch", Warning, spec(""), Either,
        "A field is not as the schema says",
        "The receiver takes it for an unknown field, or refuses the message.";
}

/// Reads the messages of one connection.
#[derive(Debug, Default)]
pub struct Protobuf {
    schema: Option<Arc<Schema>>,
    framing: Framing,
    /// The user has asked for it, so that what cannot be read is worth a finding.
    asked: bool,
    /// Which sides have said something that was read.
    seen: [bool; 2],
    /// A message could be read.
    good: bool,
}

impl Protobuf {
    /// By the schema of the user's; by numbers and wire types where there is none.
    pub fn by(schema: Option<Arc<Schema>>) -> Self {
        Self { schema, asked: true, ..Self::default() }
    }

    /// What a piece of the stream says.
    fn app(&self, said: &Said<'_>, bytes: &[u8], found: &mut Vec<Finding>) -> Result<App, wire::Fault> {
        let whole = said.place_of(bytes);
        let read = match &self.schema {
            Some(schema) => schema.read(bytes, said.dir)?,
            None => reading::raw(bytes)?,
        };
        let Read { json, members, name, is_guess, mismatch, .. } = read;
        let line = json.as_deref().map_or_else(String::new, |json| clipped(json).into_owned());
        let summary = match name {
            Some(name) if is_guess => Text::with("{}, as a guess: {}", name).and(line),
            Some(name) => Text::with("{} {}", name).and(line),
            None => Text::with("{}", line),
        };
        if let Some((at, expected, got)) = mismatch {
            let span = Span::bytes(said.source, (whole + at) as u64, 1);
            found.push(Finding::new(&SCHEMA_MISMATCH, said.dir, expected, got).at(span));
        }
        let value = match json {
            Some(json) => Value::Json(json),
            None => Value::Bytes(bytes[..bytes.len().min(APP_SHOWN)].to_vec()),
        };
        let mut fields = vec![said.part(&VALUE, bytes, value)];
        for member in members {
            let mut field = said.field(&MEMBER, whole + member.at, member.length, Value::Text(member.path));
            (field.meaning, field.depth) = (member.meaning, 1);
            fields.push(field);
        }
        Ok(App { fields, ..app(summary) })
    }

    fn piece(
        &self,
        said: &Said<'_>,
        piece: &Piece<'_>,
        found: &mut Vec<Finding>,
    ) -> Result<App, wire::Fault> {
        match *piece {
            Piece::Message(bytes) => {
                let at = said.place_of(bytes);
                self.app(said, bytes, found).map_err(|(inner, what)| (at + inner, what))
            }
            Piece::Headers(text) => {
                let value = Value::Text(cut(&String::from_utf8_lossy(text)).to_owned());
                let summary = Text::with("headers of {} bytes", text.len());
                Ok(App { fields: vec![said.part(&HEADERS, text, value)], ..app(summary) })
            }
            Piece::Compressed(bytes) => Ok(app(Text::with("a compressed message of {} bytes", bytes.len()))),
            Piece::End => Ok(app(Text::new("the client has said all"))),
        }
    }
}

impl Decoder for Protobuf {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if said.text || !said.is_whole() {
            return None;
        }
        // Its first message, which tells as much, may not be there.
        if said.agreed && said.subprotocol == Some(GRPC_WEBSOCKETS) {
            self.framing = Framing::Grpc { marked: true };
        }
        let first = !std::mem::replace(&mut self.seen[said.dir.index()], true) && said.dir == Dir::Client;
        let is_message = |bytes: &[u8]| match &self.schema {
            Some(schema) => schema.read(bytes, said.dir).is_ok_and(|read| read.is_known()),
            None => reading::raw(bytes).is_ok(),
        };
        let pieces = self.framing.pieces(said.bytes, first, &is_message);
        let before = found.len();
        let result = pieces.and_then(|pieces| {
            let apps = pieces.iter().take(APP_PACKETS).map(|piece| self.piece(said, piece, found));
            Ok((pieces.len(), apps.collect::<Result<Vec<App>, wire::Fault>>()?))
        });
        self.good |= result.is_ok();
        match result {
            Ok((1, mut apps)) => apps.pop(),
            Ok((count, apps)) => Some(App { packets: apps, ..app(Text::with("{} messages", count)) }),
            Err((at, what)) => {
                found.truncate(before);
                let at = at.min(said.bytes.len());
                let span = Span::bytes(said.source, at as u64, (said.bytes.len() - at).min(1) as u64);
                let expected = Text::new("fields up to the message's end");
                let finding = Finding::new(&MALFORMED, said.dir, expected, what).at(span);
                // One that could be read comes first: before that, it may be something else.
                if self.asked && !self.good || !self.asked && !said.agreed {
                    return None;
                }
                found.push(finding);
                self.asked.then(|| app(Text::with("{} bytes that are no protobuf", said.bytes.len())))
            }
        }
    }

    // What is the client's first message as far as is known begins with headers or not, by what it says.
    fn lost(&mut self, _dir: Dir) {}
}

fn app(summary: Text) -> App {
    App { protocol: DIALECT.id, name: "protobuf", summary, ..App::default() }
}
