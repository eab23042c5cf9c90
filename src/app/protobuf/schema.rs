//! What the user's files say of messages: names and types of fields.

/// Messages and enumerations, which refer to each other by their places.
#[derive(Debug, Default)]
pub struct Schema {
    /// All messages.
    pub messages: Vec<MessageType>,
    /// All enumerations.
    pub enums: Vec<EnumType>,
    /// What each side's messages may be: one that was named, or all that are within no other.
    pub roots: [Vec<usize>; 2],
}

/// A message.
#[derive(Debug)]
pub struct MessageType {
    /// Its name with its package.
    pub name: String,
    /// Its fields.
    pub fields: Vec<FieldType>,
}

/// A field.
#[derive(Debug)]
pub struct FieldType {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Whether there may be many.
    pub repeated: bool,
    /// Whether it is a map, whose entries are messages of a key and a value.
    pub map: bool,
}

/// An enumeration.
#[derive(Debug)]
pub struct EnumType {
    /// Its values.
    pub values: Vec<(i32, String)>,
}

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as the language has them")]
pub enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    /// By its place.
    Enum(usize),
    /// By its place.
    Message(usize),
    /// By its place.
    Group(usize),
}

impl MessageType {
    /// The field of a number.
    pub fn field(&self, number: u32) -> Option<&FieldType> {
        self.fields.iter().find(|field| field.number == number)
    }
}
