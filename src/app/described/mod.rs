//! Protocols that the user describes in a file (`--dialect`), without Rust.
//!
//! This is what such a file comes to: what to recognise the protocol by, the kinds of its messages, and
//! where their fields stand. `load` reads the file, `matching` recognises, `layout` takes fields out of
//! bytes, `template` makes summaries, `decoder` does it message by message. `docs/dialect.md` is for those
//! who write one.

mod decoder;
mod layout;
#[cfg(feature = "cli")]
mod load;
mod matching;
pub(super) mod names;
mod template;
#[cfg(all(test, feature = "cli"))]
mod tests;

use super::path::Path;
use super::value::Notation;
use crate::model::{Dir, FieldDef, Rule};

pub use decoder::Interpreter;
#[cfg(feature = "cli")]
pub use load::{Wrong, load};
pub use matching::Handshake;
use matching::{Content, Wanted};
use template::Template;

/// A protocol as a file describes it.
#[derive(Debug)]
pub struct Described {
    /// The id in [`App::protocol`](crate::model::App).
    id: &'static str,
    name: &'static str,
    /// What binary messages are written in whose fields are named by paths.
    notation: Option<Notation>,
    handshake: Handshake,
    /// What every message has.
    content: Content,
    /// The fields that all messages begin with, or have.
    fields: Vec<Field>,
    kinds: Vec<Kind>,
    ties: Ties,
    checks: Vec<Check>,
    /// That a message ends too early.
    cut: &'static Rule,
    /// What is left of a message behind the fields that are described.
    rest: &'static FieldDef,
}

/// A kind of messages.
#[derive(Debug)]
struct Kind {
    name: &'static str,
    from: Option<Dir>,
    /// Values that fields of all messages must have.
    when: Vec<(String, Vec<Wanted>)>,
    content: Content,
    fields: Vec<Field>,
    summary: Option<Template>,
    ties: Ties,
}

/// What ties replies to requests.
#[derive(Clone, Debug, Default)]
struct Ties {
    request: Option<Source>,
    reply: Option<Source>,
    /// What is there where a request failed.
    error: Option<Source>,
    /// The name under which latency counts; the kind's where there is none.
    method: Option<Source>,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
enum Source {
    Path(Path),
    /// A field by its name.
    Field(String),
}

/// A field.
#[derive(Debug)]
struct Field {
    name: String,
    def: &'static FieldDef,
    place: Place,
    /// Words for values.
    names: Vec<(Wanted, String)>,
}

/// Where a field stands.
#[derive(Debug)]
enum Place {
    Path(Path),
    Bytes {
        /// The offset; behind the field before where there is none.
        at: Option<u64>,
        kind: Type,
    },
}

/// What a field of bytes is.
#[derive(Debug)]
enum Type {
    Number(Number),
    /// Seven bits a byte, the lowest first (LEB128).
    Varint,
    Text(Extent),
    Bytes(Extent),
    /// Bits of a number, each from the lowest: its name, the first and the last.
    Bits(Number, Vec<Bits>),
    /// Other fields, by an earlier one.
    Switch {
        on: String,
        cases: Vec<(Vec<Wanted>, Vec<Field>)>,
        other: Vec<Field>,
    },
    /// The same fields as often as that.
    List(Extent, Vec<Field>),
}

/// Bits of a number.
#[derive(Debug)]
struct Bits {
    name: String,
    def: &'static FieldDef,
    /// From the lowest, 0.
    low: u8,
    high: u8,
}

/// A number of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Number {
    bytes: u8,
    little: bool,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Unsigned,
    Signed,
    Float,
}

/// How many bytes, or how often.
#[derive(Debug)]
enum Extent {
    Fixed(u64),
    /// As a number in front says.
    Prefix(Number),
    VarintPrefix,
    /// As an earlier field says.
    Field(String),
    /// To the next NUL.
    Nul,
    /// To the message's end.
    Rest,
}

/// A rule of the user's.
#[derive(Debug)]
struct Check {
    rule: &'static Rule,
    /// The kinds of messages it is for; all where there are none.
    of: Vec<&'static str>,
    field: Source,
    /// It must be there.
    required: bool,
    one_of: Vec<Wanted>,
    min: Option<f64>,
    max: Option<f64>,
}
