//! `MessagePack`, as far as WAMP needs it: where the elements of a list stand, and a value as JSON.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::element::{Element, Fault, Shape};
use crate::limits::JSON_DEPTH;

/// One value's header.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Head {
    Nil,
    Bool(bool),
    Whole(u64),
    Negative(i64),
    Float(f64),
    /// So many bytes of text, of binary data, of an extension follow.
    Text(usize),
    Bytes(usize),
    Extension(usize),
    /// So many values, or pairs of them, follow.
    List(usize),
    Dict(usize),
}

/// Reads values one after the other.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The elements of a message, which is one list.
pub fn elements(bytes: &[u8]) -> Result<Vec<Element>, Fault> {
    let mut reader = Reader { bytes, at: 0 };
    let cut =
        |reader: &Reader<'_>| (reader.at.min(bytes.len()), "a value that is cut short or malformed".into());
    let Some(Head::List(count)) = reader.head() else {
        return Err((0, "something else than a list".into()));
    };
    let mut found = Vec::new();
    for _ in 0..count {
        let start = reader.at;
        let shape = reader.skip().ok_or_else(|| cut(&reader))?;
        found.push(Element { at: start..reader.at, shape });
    }
    if reader.at < bytes.len() { Err((reader.at, "something behind the list".into())) } else { Ok(found) }
}

/// A value as JSON: binary data as WAMP writes it there, Base64 behind a NUL.
pub fn json(bytes: &[u8]) -> Option<String> {
    let mut out = String::new();
    Reader { bytes, at: 0 }.json(&mut out, 0)?;
    Some(out)
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    /// A number of `count` bytes, most significant first.
    fn number(&mut self, count: usize) -> Option<u64> {
        Some(self.take(count)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn length(&mut self, count: usize) -> Option<usize> {
        usize::try_from(self.number(count)?).ok()
    }

    fn head(&mut self) -> Option<Head> {
        let first = self.take(1)?[0];
        let low = |mask: u8| usize::from(first & mask);
        let signed = |number: u64, bits: u32| {
            let number = (number << (64 - bits)).cast_signed() >> (64 - bits);
            u64::try_from(number).map_or(Head::Negative(number), Head::Whole)
        };
        Some(match first {
            0..=0x7F => Head::Whole(first.into()),
            0x80..=0x8F => Head::Dict(low(0xF)),
            0x90..=0x9F => Head::List(low(0xF)),
            0xA0..=0xBF => Head::Text(low(0x1F)),
            0xC0 => Head::Nil,
            // Never used.
            0xC1 => return None,
            0xC2 | 0xC3 => Head::Bool(first == 0xC3),
            0xC4..=0xC6 => Head::Bytes(self.length(1 << (first - 0xC4))?),
            // The extension's type is one more byte.
            0xC7..=0xC9 => Head::Extension(self.length(1 << (first - 0xC7))?.checked_add(1)?),
            0xCA => Head::Float(f32::from_bits(self.number(4)? as u32).into()),
            0xCB => Head::Float(f64::from_bits(self.number(8)?)),
            0xCC..=0xCF => Head::Whole(self.number(1 << (first - 0xCC))?),
            0xD0..=0xD3 => {
                let count = 1 << (first - 0xD0);
                signed(self.number(count)?, 8 * count as u32)
            }
            0xD4..=0xD8 => Head::Extension(1 + (1 << (first - 0xD4))),
            0xD9..=0xDB => Head::Text(self.length(1 << (first - 0xD9))?),
            0xDC | 0xDD => Head::List(self.length(2 << (first - 0xDC))?),
            0xDE | 0xDF => Head::Dict(self.length(2 << (first - 0xDE))?),
            0xE0.. => Head::Negative(first.cast_signed().into()),
        })
    }

    /// Goes past a value, however deep; `None` where it is cut short or malformed.
    fn skip(&mut self) -> Option<Shape> {
        let mut shape = None;
        let mut left = 1_usize;
        while left > 0 {
            left -= 1;
            let (this, inner, bytes) = match self.head()? {
                Head::Nil => (Shape::Null, 0, 0),
                Head::Bool(_) | Head::Negative(_) | Head::Float(_) => (Shape::Other, 0, 0),
                Head::Whole(number) => (Shape::Whole(number), 0, 0),
                Head::Text(length) => (Shape::Text, 0, length),
                Head::Bytes(length) => (Shape::Bytes, 0, length),
                Head::Extension(length) => (Shape::Other, 0, length),
                Head::List(count) => (Shape::List, count, 0),
                Head::Dict(count) => (Shape::Dict, count.checked_mul(2)?, 0),
            };
            let content = self.take(bytes)?;
            if this == Shape::Text && str::from_utf8(content).is_err() {
                return None;
            }
            left = left.checked_add(inner)?;
            shape.get_or_insert(this);
        }
        shape
    }

    fn json(&mut self, out: &mut String, depth: usize) -> Option<()> {
        if depth > JSON_DEPTH {
            return None;
        }
        match self.head()? {
            Head::Nil => out.push_str("null"),
            Head::Bool(is) => out.push_str(if is { "true" } else { "false" }),
            Head::Whole(number) => drop(write!(out, "{number}")),
            Head::Negative(number) => drop(write!(out, "{number}")),
            // JSON has no infinity; serde_json writes null, too.
            Head::Float(number) => out.push_str(&serde_json::to_string(&number).ok()?),
            Head::Text(length) => {
                let text = str::from_utf8(self.take(length)?).ok()?;
                out.push_str(&serde_json::to_string(text).ok()?);
            }
            Head::Bytes(length) | Head::Extension(length) => {
                let _ = write!(out, "\"\\u0000{}\"", STANDARD.encode(self.take(length)?));
            }
            Head::List(count) => {
                out.push('[');
                for i in 0..count {
                    out.push_str(if i > 0 { "," } else { "" });
                    self.json(out, depth + 1)?;
                }
                out.push(']');
            }
            Head::Dict(count) => {
                out.push('{');
                for i in 0..count {
                    out.push_str(if i > 0 { "," } else { "" });
                    self.key(out)?;
                    out.push(':');
                    self.json(out, depth + 1)?;
                }
                out.push('}');
            }
        }
        Some(())
    }

    /// The key of a pair: a string, in WAMP's own dictionaries; an application's may be numbers.
    fn key(&mut self, out: &mut String) -> Option<()> {
        let (start, from) = (self.at, out.len());
        self.json(out, JSON_DEPTH)?;
        match self.bytes.get(start)? {
            0xA0..=0xBF | 0xD9..=0xDB | 0xC4..=0xC6 => {}
            _ => {
                let plain = out.split_off(from);
                out.push_str(&serde_json::to_string(&plain).ok()?);
            }
        }
        Some(())
    }
}
