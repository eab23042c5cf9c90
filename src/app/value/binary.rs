//! Values in a binary notation: where their parts stand, and what they are as JSON.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::head::Head;
use super::{Shape, cbor, msgpack};
use crate::app::cursor::Cursor;
use crate::limits::{APP_SHOWN, JSON_DEPTH};
use crate::model::Text;

/// A binary notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// `MessagePack`.
    MessagePack,
    /// CBOR (RFC 8949).
    Cbor,
}

/// How bytes are said in JSON, which has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blob {
    /// As an object with a member `base64`.
    Object,
    /// As WAMP does: a string of Base64 behind a NUL (WAMP Basic Profile, "Binary conversion of JSON
    /// Strings").
    Nul,
}

/// Why bytes are not what they should be: the byte where that shows, and what is wrong there.
pub type Fault = (usize, Text);

/// Reads values one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    notation: Notation,
    at: Cursor<'a>,
}

/// A value within another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub key: Option<&'a [u8]>,
    pub value: &'a [u8],
}

/// Values that are open while others inside are passed by: how many more come, and whether they are pairs of
/// which the first is a key.
#[derive(Clone, Copy)]
struct Open {
    left: Option<usize>,
    is_dict: bool,
    at_key: bool,
}

impl<'a> Reader<'a> {
    pub fn new(notation: Notation, bytes: &'a [u8]) -> Self {
        Self { notation, at: Cursor::of(bytes) }
    }

    pub fn rest(&self) -> &'a [u8] {
        self.at.rest()
    }

    /// A value's head; where there is none, nothing is taken.
    pub fn head(&mut self) -> Option<Head<'a>> {
        let start = self.at;
        let head = match self.notation {
            Notation::MessagePack => msgpack::head(&mut self.at),
            Notation::Cbor => cbor::head(&mut self.at),
        };
        if head.is_none() {
            self.at = start;
        }
        head
    }

    /// A head that is no [`Break`](Head::Break), behind any tags.
    fn untagged(&mut self) -> Option<Head<'a>> {
        loop {
            match self.head()? {
                Head::Tag(_) => {}
                Head::Break => return None,
                head => return Some(head),
            }
        }
    }

    /// Goes past a value, however deep, and tells `seen` every head in it and whether it is a key.
    ///
    /// What is open is kept in a stack that grows with the heads of lists that are there, at most one a byte
    /// and at most [`JSON_DEPTH`] of them.
    pub fn walk(&mut self, seen: &mut dyn FnMut(&Head<'a>, bool) -> Option<()>) -> Option<()> {
        let mut stack: Vec<Open> = Vec::new();
        loop {
            let is_key = stack.last().is_some_and(|open| open.is_dict && open.at_key);
            let head = self.head()?;
            let mut is_over = true;
            match &head {
                Head::Break => {
                    let open = stack.pop()?;
                    // Between a key and its value there is no end.
                    if open.left.is_some() || open.is_dict && !open.at_key {
                        return None;
                    }
                }
                Head::Tag(_) => is_over = false,
                Head::List(Some(0)) | Head::Dict(Some(0)) => {}
                Head::List(left) | Head::Dict(left) => {
                    if stack.len() >= JSON_DEPTH {
                        return None;
                    }
                    let is_dict = matches!(head, Head::Dict(_));
                    stack.push(Open { left: *left, is_dict, at_key: true });
                    is_over = false;
                }
                _ => {}
            }
            if head != Head::Break {
                seen(&head, is_key)?;
            }
            while is_over {
                let Some(open) = stack.last_mut() else { return Some(()) };
                is_over = false;
                if open.is_dict && open.at_key {
                    open.at_key = false;
                    break;
                }
                open.at_key = true;
                if let Some(left) = &mut open.left {
                    *left -= 1;
                    if *left == 0 {
                        stack.pop();
                        is_over = true;
                    }
                }
            }
        }
    }

    /// Goes past a value; what it is.
    pub fn skip(&mut self) -> Option<Shape> {
        let mut shape = None;
        self.walk(&mut |head, _| {
            if !matches!(head, Head::Tag(_)) {
                shape.get_or_insert(shape_of(head));
            }
            Some(())
        })?;
        shape
    }

    /// The bytes of the next value.
    pub fn one(&mut self) -> Option<&'a [u8]> {
        let (start, from) = (self.at.at, self.rest());
        self.skip()?;
        from.get(..self.at.at - start)
    }

    fn is_at_break(&self) -> bool {
        self.notation == Notation::Cbor && self.rest().first() == Some(&0xFF)
    }
}

fn shape_of(head: &Head<'_>) -> Shape {
    match head {
        Head::Null => Shape::Null,
        Head::Whole(number) => Shape::Whole(*number),
        Head::Text(_) => Shape::Text,
        Head::Bytes(_) => Shape::Bytes,
        Head::List(_) => Shape::List,
        Head::Dict(_) => Shape::Dict,
        _ => Shape::Other,
    }
}

/// What a value is, behind any tags.
pub(super) fn shape(notation: Notation, bytes: &[u8]) -> Shape {
    Reader::new(notation, bytes).untagged().map_or(Shape::Other, |head| shape_of(&head))
}

/// Whether a value is this string, a whole number of these digits, or something else whose JSON is this.
pub(super) fn says(notation: Notation, bytes: &[u8], text: &str) -> bool {
    let is_said = match Reader::new(notation, bytes).untagged() {
        Some(Head::Text(said)) => return said == text,
        Some(Head::Bytes(said)) => *said == *text.as_bytes(),
        Some(Head::Whole(number)) => text.parse() == Ok(number) && !text.starts_with('+'),
        _ => false,
    };
    is_said || json(notation, bytes, Blob::Object).is_some_and(|json| json == text)
}

/// The bytes that a value of bytes or an extension has.
pub(super) fn content(notation: Notation, bytes: &[u8]) -> Option<&[u8]> {
    match Reader::new(notation, bytes).untagged()? {
        Head::Bytes(Cow::Borrowed(content)) | Head::Extension(_, content) => Some(content),
        _ => None,
    }
}

/// What a list or a dictionary consists of.
pub(super) fn entries(notation: Notation, bytes: &[u8]) -> Option<impl Iterator<Item = Entry<'_>> + use<'_>> {
    let mut reader = Reader::new(notation, bytes);
    let (mut left, is_dict) = match reader.untagged()? {
        Head::List(count) => (count, false),
        Head::Dict(count) => (count, true),
        _ => return None,
    };
    Some(std::iter::from_fn(move || {
        match &mut left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None if reader.is_at_break() => return None,
            None => {}
        }
        let key = if is_dict { Some(reader.one()?) } else { None };
        Some(Entry { key, value: reader.one()? })
    }))
}

/// The values that `bytes` consist of, of any kind.
pub(super) fn sequence(notation: Notation, bytes: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    let mut reader = Reader::new(notation, bytes);
    let mut values = Vec::new();
    while !reader.rest().is_empty() {
        values.push(reader.one().ok_or_else(|| (reader.at.at, Text::new(CUT)))?);
    }
    Ok(values)
}

/// The elements of one list that is all of `bytes`.
pub(super) fn elements(notation: Notation, bytes: &[u8]) -> Result<Vec<(Range<usize>, Shape)>, Fault> {
    let mut reader = Reader::new(notation, bytes);
    let cut = |reader: &Reader<'_>| (reader.at.at, Text::new(CUT));
    let Some(Head::List(count)) = reader.untagged() else {
        return Err((0, "something else than a list".into()));
    };
    let mut found = Vec::new();
    while count.is_none_or(|count| found.len() < count) {
        if count.is_none() && reader.is_at_break() {
            reader.at.at += 1;
            break;
        }
        let start = reader.at.at;
        let shape = reader.skip().ok_or_else(|| cut(&reader))?;
        found.push((start..reader.at.at, shape));
    }
    if reader.rest().is_empty() { Ok(found) } else { Err((reader.at.at, "something behind the list".into())) }
}

/// A value as JSON; `None` where it is malformed, or too deep.
pub(super) fn json(notation: Notation, bytes: &[u8], blob: Blob) -> Option<String> {
    let mut to = Written { blob, out: String::new() };
    to.value(&mut Reader::new(notation, bytes), 0)?;
    Some(to.out)
}

/// JSON that is being written.
struct Written {
    blob: Blob,
    out: String,
}

impl Written {
    fn value(&mut self, reader: &mut Reader<'_>, depth: usize) -> Option<()> {
        // A page of Base64 says nothing to anybody.
        if depth > JSON_DEPTH || self.out.len() > 8 * APP_SHOWN {
            return None;
        }
        match reader.head()? {
            Head::Null => self.out.push_str("null"),
            Head::Bool(is) => self.out.push_str(if is { "true" } else { "false" }),
            Head::Whole(number) => drop(write!(self.out, "{number}")),
            Head::Negative(number) => drop(write!(self.out, "{number}")),
            // JSON has no infinity; serde_json writes null, too.
            Head::Single(number) => self.out.push_str(&serde_json::to_string(&number).ok()?),
            Head::Double(number) => self.out.push_str(&serde_json::to_string(&number).ok()?),
            Head::Text(text) => self.out.push_str(&serde_json::to_string(&*text).ok()?),
            Head::Bytes(bytes) => self.bytes(&bytes),
            Head::Extension(_, bytes) if self.blob == Blob::Nul => self.bytes(bytes),
            Head::Extension(kind, bytes) => {
                let _ = write!(self.out, "{{\"ext\":{kind},\"base64\":\"{}\"}}", STANDARD.encode(bytes));
            }
            // That this is CBOR is no part of what it says (RFC 8949 §3.4.6).
            Head::Tag(SELF_DESCRIBED) => self.value(reader, depth + 1)?,
            Head::Tag(tag) => {
                let _ = write!(self.out, "{{\"tag\":{tag},\"value\":");
                self.value(reader, depth + 1)?;
                self.out.push('}');
            }
            Head::Simple(number) => drop(write!(self.out, "{{\"simple\":{number}}}")),
            Head::List(count) => {
                self.out.push('[');
                self.each(reader, count, &mut |this, reader| this.value(reader, depth + 1))?;
                self.out.push(']');
            }
            Head::Dict(count) => {
                self.out.push('{');
                self.each(reader, count, &mut |this, reader| {
                    this.key(reader)?;
                    this.out.push(':');
                    this.value(reader, depth + 1)
                })?;
                self.out.push('}');
            }
            Head::Break => return None,
        }
        Some(())
    }

    fn each(
        &mut self,
        reader: &mut Reader<'_>,
        count: Option<usize>,
        one: &mut dyn FnMut(&mut Self, &mut Reader<'_>) -> Option<()>,
    ) -> Option<()> {
        let mut done = 0;
        while count.is_none_or(|count| done < count) {
            if count.is_none() && reader.is_at_break() {
                return reader.at.take(1).map(drop);
            }
            self.out.push_str(if done > 0 { "," } else { "" });
            one(self, reader)?;
            done += 1;
        }
        Some(())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let base64 = STANDARD.encode(bytes);
        let _ = match self.blob {
            Blob::Object => write!(self.out, "{{\"base64\":\"{base64}\"}}"),
            Blob::Nul => write!(self.out, "\"\\u0000{base64}\""),
        };
    }

    /// The key of a pair: mostly a string; an application's may be anything.
    fn key(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let from = self.out.len();
        self.value(reader, JSON_DEPTH)?;
        if !self.out[from..].starts_with('"') {
            let plain = self.out.split_off(from);
            self.out.push_str(&serde_json::to_string(&plain).ok()?);
        }
        Some(())
    }
}

/// What is wrong with most values that are wrong.
const CUT: &str = "a value that is cut short or malformed";

/// The tag that says of bytes that they are CBOR.
const SELF_DESCRIBED: u64 = 55799;

/// A part of a value that has no parts itself.
pub(super) struct Leaf<'a> {
    pub path: String,
    pub bytes: &'a [u8],
    /// The path leads elsewhere: to an earlier member of a name that comes again.
    pub is_hidden: bool,
}

/// The parts of a value that have no parts; `None` where there are more than `most`.
pub(super) fn leaves(notation: Notation, bytes: &[u8], most: usize) -> Option<Vec<Leaf<'_>>> {
    let mut found = Vec::new();
    let mut open = vec![Leaf { path: "$".to_owned(), bytes, is_hidden: false }];
    while let Some(leaf) = open.pop() {
        if found.len() + open.len() >= most {
            return None;
        }
        let Some(parts) = entries(notation, leaf.bytes) else {
            found.push(leaf);
            continue;
        };
        let (mut inner, mut keys) = (Vec::new(), Vec::<&[u8]>::new());
        for (index, entry) in parts.take(most + 1).enumerate() {
            let (path, is_again) = match entry.key {
                None => (format!("{}[{index}]", leaf.path), false),
                Some(key) => {
                    let name = match Reader::new(notation, key).untagged() {
                        Some(Head::Text(name)) => name,
                        _ => Cow::Owned(json(notation, key, Blob::Object)?),
                    };
                    let is_again = keys.iter().any(|earlier| says(notation, earlier, &name));
                    keys.push(key);
                    (step(&leaf.path, &name), is_again)
                }
            };
            inner.push(Leaf { path, bytes: entry.value, is_hidden: leaf.is_hidden || is_again });
        }
        if inner.is_empty() {
            found.push(leaf);
        }
        open.extend(inner.into_iter().rev());
    }
    Some(found)
}

/// The way to a member, as a path has it.
fn step(path: &str, name: &str) -> String {
    let is_plain =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_plain {
        return format!("{path}.{name}");
    }
    match (name.contains(['\'', '\\']), name.contains(['"', '\\'])) {
        (false, _) => format!("{path}['{name}']"),
        (true, false) => format!("{path}[\"{name}\"]"),
        (true, true) => format!("{path}[{}]", serde_json::Value::from(name)),
    }
}
