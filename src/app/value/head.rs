//! What a value begins with, in whatever notation.

use std::borrow::Cow;

/// A value's head, with the string or bytes it has.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Head<'a> {
    Null,
    Bool(bool),
    Whole(u64),
    Negative(i128),
    Single(f32),
    Double(f64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    /// An extension of `MessagePack`, by its type.
    Extension(i8, &'a [u8]),
    /// A tag of CBOR: the value follows.
    Tag(u64),
    /// A simple value of CBOR without a meaning of its own.
    Simple(u8),
    /// So many values, or pairs of them, follow; `None`: as many as come before a [`Break`](Self::Break).
    List(Option<usize>),
    Dict(Option<usize>),
    Break,
}
