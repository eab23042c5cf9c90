//! Values of messages, however they are written: JSON (RFC 8259), `MessagePack`, CBOR (RFC 8949).
//!
//! A [`Node`] is a value by its place. Paths, keys of the user and descriptions of dialects ask nodes, and
//! need not know what they are written in. `binary` reads the two binary notations, whose heads are read in
//! `msgpack` and `cbor`; `evidence` tells whether bytes are such values at all.

mod binary;
mod cbor;
mod evidence;
mod head;
mod msgpack;

use std::borrow::Cow;

pub use binary::{Blob, Fault, Notation};
pub use evidence::{is_evident, whole};

use super::excerpt::cut;
use super::json;
use crate::limits::APP_SHOWN;
use crate::model::Value;
use crate::model::json::Json;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A whole number that is not negative.
    Whole(u64),
    /// A string.
    Text,
    /// Bytes.
    Bytes,
    /// An array.
    List,
    /// An object, a map.
    Dict,
    /// Nothing.
    Null,
    /// Another number, a truth value, an extension.
    Other,
}

/// A value of a message: the bytes it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// JSON that is known to be valid.
    Json(&'a str),
    /// One value of a binary notation that is known to be whole.
    Binary(Notation, &'a [u8]),
}

/// A part of a value that has no parts itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// The way to it as [`Path`](super::path::Path) has it.
    pub path: String,
    /// The part.
    pub node: Node<'a>,
    /// The way leads elsewhere: to an earlier member of a name that comes again.
    pub is_hidden: bool,
}

impl<'a> Node<'a> {
    /// The bytes it is written in.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Json(text) => text.as_bytes(),
            Self::Binary(_, bytes) => bytes,
        }
    }

    /// What it is.
    pub fn shape(self) -> Shape {
        match self {
            Self::Json(text) => match text.trim_start().as_bytes().first() {
                Some(b'"') => Shape::Text,
                Some(b'[') => Shape::List,
                Some(b'{') => Shape::Dict,
                Some(b'n') => Shape::Null,
                _ => text.trim().parse().map_or(Shape::Other, Shape::Whole),
            },
            Self::Binary(notation, bytes) => binary::shape(notation, bytes),
        }
    }

    /// The element of a list, from 0.
    pub fn element(self, index: usize) -> Option<Self> {
        match self {
            Self::Json(text) => match Json::read(text)? {
                Json::Array(elements) => elements.get(index).copied().map(Self::Json),
                _ => None,
            },
            Self::Binary(notation, bytes) => binary::entries(notation, bytes)?
                .nth(index)
                .filter(|entry| entry.key.is_none())
                .map(|entry| Self::Binary(notation, entry.value)),
        }
    }

    /// The first member of this name. Keys that are no strings are asked for by their JSON: numbers by their
    /// digits.
    pub fn member(self, name: &str) -> Option<Self> {
        match self {
            Self::Json(text) => json::member(text, name).map(Self::Json),
            Self::Binary(notation, bytes) => binary::entries(notation, bytes)?
                .find(|entry| entry.key.is_some_and(|key| Self::Binary(notation, key).says(name)))
                .map(|entry| Self::Binary(notation, entry.value)),
        }
    }

    /// Whether it is this string, or something else whose JSON is this: a number of these digits.
    pub fn says(self, text: &str) -> bool {
        match self {
            Self::Binary(notation, bytes) => binary::says(notation, bytes, text),
            Self::Json(_) => self.plain().is_some_and(|said| said == text),
        }
    }

    /// The same in JSON; as it was written, if it was. `None` where it is too long or too deep to be shown.
    pub fn json(self) -> Option<Cow<'a, str>> {
        match self {
            _ if self.bytes().len() > APP_SHOWN => None,
            Self::Json(text) => Some(Cow::Borrowed(text)),
            Self::Binary(notation, bytes) => binary::json(notation, bytes, Blob::Object).map(Cow::Owned),
        }
    }

    /// What a string says, or the JSON of anything else.
    pub fn plain(self) -> Option<Cow<'a, str>> {
        let json = self.json()?;
        if self.shape() == Shape::Text {
            return json::string(json.trim()).map(Cow::Owned);
        }
        Some(json)
    }

    /// As a number, if it is one.
    pub fn number(self) -> Option<f64> {
        match self.shape() {
            Shape::Whole(number) => Some(number as f64),
            Shape::Other => self.json()?.trim().parse().ok(),
            _ => None,
        }
    }

    /// To be shown as the value of a field.
    pub fn value(self) -> Value {
        match (self.shape(), self.json()) {
            (Shape::Whole(number), _) => Value::Number(number),
            (Shape::Text, Some(literal)) => match json::string(literal.trim()) {
                Some(text) => Value::Text(text),
                None => Value::Json(literal.into_owned()),
            },
            (Shape::Bytes, _) | (_, None) => match self {
                Self::Json(text) => Value::Text(cut(text).to_owned()),
                Self::Binary(notation, bytes) => {
                    let content = binary::content(notation, bytes).unwrap_or(bytes);
                    Value::Bytes(content[..content.len().min(APP_SHOWN)].to_vec())
                }
            },
            (_, Some(json)) => Value::Json(json.into_owned()),
        }
    }

    /// Its parts that have no parts themselves; `None` where there are more than `most`, or where it is JSON.
    pub fn leaves(self, most: usize) -> Option<Vec<Leaf<'a>>> {
        let Self::Binary(notation, bytes) = self else { return None };
        let leaf = |leaf: binary::Leaf<'a>| {
            let binary::Leaf { path, bytes, is_hidden } = leaf;
            Leaf { path, node: Self::Binary(notation, bytes), is_hidden }
        };
        Some(binary::leaves(notation, bytes, most)?.into_iter().map(leaf).collect())
    }
}

/// The elements of one list that is all of `bytes`, each by its place.
///
/// # Errors
/// Where the bytes are no such list: the byte, and what is wrong there.
pub fn elements(notation: Notation, bytes: &[u8]) -> Result<Vec<(std::ops::Range<usize>, Shape)>, Fault> {
    binary::elements(notation, bytes)
}

/// The values that `bytes` consist of, of any kind.
///
/// # Errors
/// Where one is cut short or malformed.
pub fn sequence(notation: Notation, bytes: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    binary::sequence(notation, bytes)
}

/// A value of a binary notation as JSON.
pub fn to_json(notation: Notation, bytes: &[u8], blob: Blob) -> Option<String> {
    binary::json(notation, bytes, blob)
}

#[cfg(test)]
mod tests;
