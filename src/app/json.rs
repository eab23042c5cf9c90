//! JSON as it was written: checked and divided without losing an escape or a digit.

use std::ops::Range;

use memchr::memchr2_iter;
use serde::de::IgnoredAny;

use super::dialect::{Dialect, Each, Said};
use super::excerpt::cut;
use crate::limits::{APP_SHOWN, JSON_DEPTH};
use crate::model::{App, Cite, Text, Value, fields};

/// JSON without a protocol around it.
pub static DIALECT: Dialect = Dialect {
    id: "json",
    subprotocols: &["json"],
    by_content: true,
    fields: FIELDS,
    rules: &[],
    decoder: || Box::new(Each(read)),
};

fields! {
    /// What is annotated.
    FIELDS;
    VALUE = "json.data", "JSON", Cite { doc: "RFC 8259", section: "2" }, "An object or an array.";
}

/// Objects and arrays; a number or a word by itself is more likely something else. The message shows
/// its own content, so there is nothing to say about it in a line.
fn read(said: &Said<'_>) -> Option<App> {
    let text = said.as_text()?;
    let is_json = text.trim_start().starts_with(['{', '[']) && is_valid(text);
    let app =
        || App { protocol: "json", name: "JSON", fields: vec![said.json(&VALUE, text)], ..App::default() };
    is_json.then(app)
}

/// Bytes as what they are: JSON, text, or bytes.
pub fn content(bytes: &[u8]) -> Value {
    match str::from_utf8(bytes) {
        Ok(text)
            if text.len() <= APP_SHOWN && text.trim_start().starts_with(['{', '[']) && is_valid(text) =>
        {
            Value::Json(text.to_owned())
        }
        Ok(text) => Value::Text(cut(text).to_owned()),
        Err(_) => Value::Bytes(bytes[..bytes.len().min(APP_SHOWN)].to_vec()),
    }
}

/// Whether `text` is one JSON value (RFC 8259), nested no deeper than [`JSON_DEPTH`].
pub fn is_valid(text: &str) -> bool {
    shallow(text) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What `serde_json` says of what is no JSON, as words of ours that can be translated.
const FAULTS: [&str; 16] = [
    "EOF while parsing a list",
    "EOF while parsing a string",
    "EOF while parsing a value",
    "EOF while parsing an object",
    "control character (\\u0000-\\u001F) found while parsing a string",
    "expected `,` or `]`",
    "expected `,` or `}`",
    "expected `:`",
    "expected ident",
    "expected value",
    "invalid escape",
    "invalid number",
    "key must be a string",
    "lone leading surrogate in hex escape",
    "trailing characters",
    "trailing comma",
];

/// Why `text` is no JSON: the byte where it stops being so, and what is wrong there.
pub fn fault(text: &str) -> Option<(usize, Text)> {
    if !shallow(text) {
        return Some((0, Text::with("nested deeper than {}", JSON_DEPTH)));
    }
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let words = error.to_string();
    let what = words.split(" at line ").next().unwrap_or_default();
    let known = FAULTS.iter().find(|known| **known == what);
    let what = known.map_or_else(|| Text::with("{}", what), |known| Text::new(known));
    Some(((before + error.column().saturating_sub(1)).min(text.len()), what))
}

/// Whether brackets go no deeper than [`JSON_DEPTH`].
fn shallow(text: &str) -> bool {
    // Mostly there are not even that many brackets.
    if memchr2_iter(b'[', b'{', text.as_bytes()).nth(JSON_DEPTH).is_none() {
        return true;
    }
    let mut depth = 0_usize;
    for token in tokens(text) {
        match text.as_bytes()[token.start] {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > JSON_DEPTH {
            return false;
        }
    }
    true
}

/// The tokens of a JSON text: strings, brackets, commas, colons, words and numbers.
fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let start = at;
        match *bytes.get(at)? {
            b'"' => {
                at += 1;
                while let Some(&byte) = bytes.get(at) {
                    at += 1;
                    match byte {
                        b'"' => break,
                        b'\\' => at += 1,
                        _ => {}
                    }
                }
            }
            b'[' | b']' | b'{' | b'}' | b',' | b':' => at += 1,
            _ => {
                let ends = |b: &u8| b.is_ascii_whitespace() || b"[]{},:\"".contains(b);
                at += bytes[at..].iter().position(ends).unwrap_or(bytes.len() - at);
            }
        }
        at = at.min(bytes.len());
        Some(start..at)
    })
}

/// The elements of a valid JSON array, or the members of a valid object (`"key":value` each):
/// where each stands in `text`.
pub fn elements(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut depth, mut from) = (0_usize, None);
    let (mut end, mut found) = (0, Vec::new());
    for token in tokens(text) {
        match bytes[token.start] {
            b']' | b'}' if depth == 1 => break,
            b',' if depth == 1 => found.extend(from.take().map(|from| from..end)),
            byte => {
                if depth > 0 {
                    from.get_or_insert(token.start);
                }
                match byte {
                    b'[' | b'{' => depth += 1,
                    b']' | b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                end = token.end;
            }
        }
    }
    found.extend(from.map(|from| from..end));
    found
}

/// The value of the member `key` of a valid JSON object, as it was written.
pub fn member<'t>(object: &'t str, key: &str) -> Option<&'t str> {
    if !object.trim_start().starts_with('{') {
        return None;
    }
    elements(object).into_iter().find_map(|at| {
        let member = &object[at];
        let name = tokens(member).next()?;
        if string(&member[name.clone()])? != key {
            return None;
        }
        Some(member[name.end..].trim_start().strip_prefix(':')?.trim())
    })
}

/// What a JSON string says.
pub fn string(literal: &str) -> Option<String> {
    serde_json::from_str(literal).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_with_bounded_depth() {
        for text in ["1", "\"x\"", " [1, {\"a\": null}] ", "-1.5e300", "[]", "{}"] {
            assert!(is_valid(text) && fault(text).is_none(), "{text}");
        }
        for text in ["", "[", "[1,]", "{a:1}", "1 2", "\"\u{1}\"", "\"\\x\"", "01", "nul"] {
            assert!(!is_valid(text) && fault(text).is_some(), "{text}");
        }
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(is_valid(&deep(100)) && !is_valid(&deep(JSON_DEPTH + 1)) && !is_valid(&"[".repeat(1 << 20)));
    }

    #[test]
    fn faults_say_where() {
        assert_eq!(fault("[1,x]").map(|f| f.0), Some(3));
        assert_eq!(fault("[1,\n x]").map(|f| f.0), Some(5));
    }

    #[test]
    fn elements_and_members_keep_their_text() {
        let parts = |text: &'static str| elements(text).into_iter().map(|at| &text[at]).collect::<Vec<_>>();
        assert_eq!(parts(r#"["a,b", {"x": [1,2]} , 3e1 ]"#), [r#""a,b""#, r#"{"x": [1,2]}"#, "3e1"]);
        assert_eq!(parts("[]"), Vec::<&str>::new());
        assert_eq!(parts(r#"{"a":1,"b":{"c":2}}"#), [r#""a":1"#, r#""b":{"c":2}"#]);
        assert_eq!(member(r#"{"a" : "x", "sid":"q\u0041"}"#, "sid"), Some(r#""q\u0041""#));
        assert_eq!(string(r#""q\u0041""#).as_deref(), Some("qA"));
        assert_eq!(member("[1]", "a"), None);
    }
}
