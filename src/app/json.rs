//! JSON as it was written: checked and divided without losing an escape or a digit.

use serde::de::IgnoredAny;

use super::dialect::{Dialect, Reader, Said, Sheet};
use super::excerpt::cut;
pub use super::validity::{is_valid, string};
use crate::limits::{APP_SHOWN, JSON_DEPTH};
use crate::model::json::{Json, is_deep};
use crate::model::{App, Cite, Field, SourceId, Span, Text, Value, fields};

/// JSON without a protocol around it.
pub static DIALECT: Dialect = Dialect {
    id: "json",
    subprotocols: &["json"],
    looks_like: Some(looks_like),
    first: b"{[ \t\n\x0C\r",
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: &[],
    reader: Reader::Whole(read),
    sheet: Sheet {
        name: "JSON of no protocol",
        shown_by: "an object or an array",
        decoded: "the value as it was written",
        sample: "clean/json-keys.script",
        source: ("RFC 8259", "https://www.rfc-editor.org/rfc/rfc8259"),
    },
};

fields! {
    /// What is annotated.
    FIELDS;
    VALUE = "json.data", "JSON", Cite { doc: "RFC 8259", section: "2" }, "An object or an array.";
}

/// What may be an object or an array.
fn looks_like(said: &Said<'_>) -> bool {
    said.text && matches!(said.bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Objects and arrays; a number or a word by itself is more likely something else. The message shows
/// its own content, so there is nothing to say about it in a line.
fn read(said: &Said<'_>, app: &mut App) -> bool {
    if !looks_like(said) {
        return false;
    }
    let Some(text) = said.as_json() else { return false };
    if !again(text, said.source, app) {
        (app.protocol, app.name) = NAMES;
        app.fields = vec![said.json(&VALUE, text)];
    }
    true
}

/// Says in a room, that is lent to all such messages, of a text that it is JSON, which it is known to be.
pub fn tell(text: &str, source: SourceId, app: &mut App) {
    if !again(text, source, app) {
        let (span, value) = (Span::bytes(source, 0, text.len() as u64), Value::Json(text.to_owned()));
        (app.protocol, app.name) = NAMES;
        app.fields = vec![Field { def: &VALUE, span, value, meaning: Text::default(), depth: 0 }];
    }
}

/// Says of a text that it is JSON, which it is known to be, in room where that was said of another one: where
/// it was not, or the text is too long, `false`, and nothing is changed.
fn again(text: &str, source: SourceId, app: &mut App) -> bool {
    let [Field { span, value: Value::Json(value), .. }] = &mut app.fields[..] else { return false };
    if text.len() > APP_SHOWN {
        return false;
    }
    *span = Span::bytes(source, 0, text.len() as u64);
    value.clear();
    value.push_str(text);
    (app.protocol, app.name) = NAMES;
    true
}

/// What it is called, by programs and by people.
const NAMES: (&str, &str) = ("json", "JSON");

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
    if is_deep(text, JSON_DEPTH) {
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

/// The elements of a JSON array, as they were written; none of anything else.
pub fn elements(text: &str) -> Vec<&str> {
    match Json::read(text) {
        Some(Json::Array(elements)) => elements,
        _ => Vec::new(),
    }
}

/// The value of the first member `key` of a JSON object, as it was written.
pub fn member<'t>(object: &'t str, key: &str) -> Option<&'t str> {
    Object::read(object)?.get(key)
}

/// The values of a message that may be a batch: the elements of an array, or else the text itself.
pub fn batch(text: &str) -> Vec<&str> {
    if text.trim_start().starts_with('[') { elements(text) } else { vec![text] }
}

/// The members of a JSON object, by the literals of their names.
#[derive(Clone, Debug)]
pub struct Object<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Object<'t> {
    /// Takes an object apart; `None` for anything else.
    pub fn read(text: &'t str) -> Option<Self> {
        if let Json::Object(members) = Json::read(text)? { Some(Self(members)) } else { None }
    }

    /// An object that was taken apart.
    pub fn of(members: Vec<(&'t str, &'t str)>) -> Self {
        Self(members)
    }

    /// The value of the first member of this name, as it was written.
    pub fn get(&self, name: &str) -> Option<&'t str> {
        self.0.iter().find(|(key, _)| is_string(key, name)).map(|(_, value)| *value)
    }

    /// The names of its members.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|(name, _)| string(name))
    }

    /// What it says, where it is a string.
    pub fn string(&self, name: &str) -> Option<String> {
        self.get(name).and_then(string)
    }

    /// The object that it is.
    pub fn object(&self, name: &str) -> Option<Self> {
        self.get(name).and_then(Self::read)
    }
}

/// Whether a literal says `text`.
fn is_string(literal: &str, text: &str) -> bool {
    let inner = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner == Some(text) || literal.contains('\\') && string(literal).is_some_and(|said| said == text)
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
        assert_eq!(elements(r#"["a,b", {"x": [1,2]} , 3e1 ]"#), [r#""a,b""#, r#"{"x": [1,2]}"#, "3e1"]);
        assert_eq!((elements("[]"), elements("{}"), elements("[1")), (vec![], vec![], vec![]));
        assert_eq!((batch(" [1,2]"), batch("[]"), batch("{}")), (vec!["1", "2"], vec![], vec!["{}"]));
        assert_eq!(member(r#"{"a" : "x", "sid":"q\u0041"}"#, "sid"), Some(r#""q\u0041""#));
        assert_eq!(member(r#"{"\u0061":1,"a":2}"#, "a"), Some("1"));
        assert_eq!(string(r#""q\u0041""#).as_deref(), Some("qA"));
        assert_eq!(member("[1]", "a"), None);
    }
}
