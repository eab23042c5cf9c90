//! JSON taken apart without losing an escape or a digit: every part is the text that was written.

mod plain;

use std::fmt;

use memchr::memchr2_iter;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

pub use plain::{Quoted, is_plainly_json, is_plainly_json_of};

/// A JSON value (RFC 8259) and what it directly consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json<'t> {
    /// The elements of an array.
    Array(Vec<&'t str>),
    /// The members of an object, in their order: the literal of the name, and the value.
    Object(Vec<(&'t str, &'t str)>),
    /// A string, a number or a word.
    Scalar,
}

impl<'t> Json<'t> {
    /// Takes a value apart, one level deep; `None` when `text` is no JSON.
    pub fn read(text: &'t str) -> Option<Self> {
        if text.trim_start().starts_with(['[', '{']) {
            return serde_json::from_str(text).ok();
        }
        serde_json::from_str::<IgnoredAny>(text).is_ok().then_some(Self::Scalar)
    }
}

/// Where `part` stands in the text it is a slice of, in bytes.
pub fn place(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

impl<'de: 't, 't> Deserialize<'de> for Json<'t> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Parts)
    }
}

/// Collects the parts of a value.
struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = from.next_element::<&RawValue>()? {
            elements.push(element.get());
        }
        Ok(Json::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = from.next_entry::<&RawValue, &RawValue>()? {
            members.push((name.get(), value.get()));
        }
        Ok(Json::Object(members))
    }
}

/// Whether arrays and objects are inside each other more than `most` times, in JSON and in what only begins
/// like it.
///
/// `serde_json` cannot tell: what it skips it skips without a limit, and what it takes apart to the bottom
/// must have no number beyond a double.
pub fn is_deep(text: &str, most: usize) -> bool {
    // Mostly there are not even that many brackets.
    if memchr2_iter(b'[', b'{', text.as_bytes()).nth(most).is_none() {
        return false;
    }
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_was_written() {
        let text = r#" ["a,\u0041", {"x": [1,2]} , 3e1, 12345678901234567890123 ]"#;
        let array = Json::Array(vec![r#""a,\u0041""#, r#"{"x": [1,2]}"#, "3e1", "12345678901234567890123"]);
        assert_eq!(Json::read(text), Some(array));
        let object = Json::Object(vec![(r#""a\n""#, "1"), (r#""b""#, r#"{"c":2}"#), (r#""a\n""#, "null")]);
        assert_eq!(Json::read(r#"{"a\n" : 1,"b":{"c":2}, "a\n":null}"#), Some(object));
        for text in ["1", "-1.5e300", " \"x\" ", "true", "null", "\"\\u00e9\"", "1e999"] {
            assert_eq!(Json::read(text), Some(Json::Scalar), "{text}");
        }
        for text in ["", "[1,]", "{a:1}", "1 2", "[\"\\x\"]", "[nul]"] {
            assert_eq!(Json::read(text), None, "{text}");
        }
        assert_eq!(place(text, &text[3..4]), 3);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        let object = |n: usize| "{\"a\":".repeat(n) + "1" + &"}".repeat(n);
        for text in
            [&deep(128), &object(128), "[[[", &format!("[\"\\\"{}\"]", deep(129)), &deep(9).repeat(99)]
        {
            assert!(!is_deep(text, 128), "{text}");
        }
        for text in [deep(129), object(129), "[".repeat(1 << 20), format!("[1e999, {}", deep(128))] {
            assert!(is_deep(&text, 128), "{text}");
        }
    }
}
