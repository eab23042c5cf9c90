//! Annotated fields: what a decoder says about a range of bits.

use super::finding::Cite;
use super::span::Span;
use super::text::Text;

/// What a kind of field is, the same for every instance of it.
///
/// It is the `static` that declares it: two are equal only if they are the same.
#[derive(Debug)]
pub struct FieldDef {
    /// Stable id, such as `ws.fin`.
    pub id: &'static str,
    /// The RFC's own name for it, such as `FIN`.
    pub label: &'static str,
    /// One sentence on what it is for.
    pub help: &'static str,
    /// Where it is defined.
    pub cite: Cite,
    /// What views set in a way of its own about it.
    pub role: Role,
}

/// Fields that views set in a way of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Like any other.
    #[default]
    Plain,
    /// A reserved bit: where all of them are 0, they are told together.
    Reserved,
    /// The payload, which takes as many rows as it needs.
    Payload,
    /// A part of a message that its summary does not tell: it has a row of its own.
    Listed,
    /// The same, as a part of a value that another field has as a whole.
    Member,
}

impl PartialEq for FieldDef {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for FieldDef {}

/// One field of one unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What kind of field it is.
    pub def: &'static FieldDef,
    /// Where it stands.
    pub span: Span,
    /// What stands there.
    pub value: Value,
    /// What that value means here; empty when the value speaks for itself.
    pub meaning: Text,
    /// Nesting, 0 for the unit's own fields.
    pub depth: u8,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A single bit.
    Bit(bool),
    /// A number of `bits` bits, shown in decimal.
    Number(u64),
    /// A small code that is read in hexadecimal, such as an opcode.
    Code(u64),
    /// Bytes, possibly only the first of a longer run.
    Bytes(Vec<u8>),
    /// Text that came from the wire: untrusted, to be escaped before it is shown.
    Text(String),
    /// A JSON value as it was written, known to be valid. Its strings are untrusted.
    Json(String),
}
