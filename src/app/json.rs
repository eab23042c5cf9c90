//! JSON as it was written: checked, divided and laid out without losing an escape or a digit.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::dialect::{Dialect, Said};
use crate::limits::JSON_DEPTH;
use crate::model::{App, Cite, FieldDef};

/// JSON without a protocol around it.
pub static DIALECT: Dialect = Dialect { id: "json", subprotocols: &["json"], by_content: true, read };

/// The whole message.
pub static VALUE: FieldDef = FieldDef {
    id: "json.data",
    label: "JSON",
    help: "An object or an array.",
    cite: Cite { doc: "RFC 8259", section: "2" },
};

/// Objects and arrays; a number or a word by itself is more likely something else. The message shows
/// its own content, so there is nothing to say about it in a line.
fn read(said: &Said<'_>) -> Option<App> {
    let text = said.as_text()?;
    let is_json = text.trim_start().starts_with(['{', '[']) && is_valid(text);
    let app =
        || App { protocol: "json", name: "JSON", fields: vec![said.json(&VALUE, text)], ..App::default() };
    is_json.then(app)
}

/// Whether `text` is one JSON value (RFC 8259), nested no deeper than [`JSON_DEPTH`].
pub fn is_valid(text: &str) -> bool {
    shallow(text) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Why `text` is no JSON: the byte where it stops being so, and what is wrong there.
pub fn fault(text: &str) -> Option<(usize, String)> {
    if !shallow(text) {
        return Some((0, format!("nested deeper than {JSON_DEPTH}")));
    }
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let words = error.to_string();
    let what = words.split(" at line ").next().unwrap_or_default().to_owned();
    Some(((before + error.column().saturating_sub(1)).min(text.len()), what))
}

/// Whether brackets go no deeper than [`JSON_DEPTH`].
fn shallow(text: &str) -> bool {
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

/// A valid JSON text with each member and element on a line of its own; short ones stay on one line.
/// Strings and numbers are left as they were written. At most about `most` bytes are made.
pub fn pretty(text: &str, width: usize, most: usize) -> String {
    let mut out = String::new();
    layout(text.trim(), 0, width, most, &mut out);
    out
}

fn layout(value: &str, depth: usize, width: usize, most: usize, out: &mut String) {
    if out.len() >= most {
        return;
    }
    let compact = compact(value, width.saturating_sub(2 * depth).max(16));
    let parts = if compact.is_some() { Vec::new() } else { elements(value) };
    let (Some(open), false) = (value.chars().next().filter(|c| "[{".contains(*c)), parts.is_empty()) else {
        out.push_str(&compact.unwrap_or_else(|| value.to_owned()));
        return;
    };
    out.push(open);
    for (i, part) in parts.iter().enumerate() {
        if out.len() >= most {
            return;
        }
        if i > 0 {
            out.push(',');
        }
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', 2 * (depth + 1)));
        let part = &value[part.clone()];
        match tokens(part).next().filter(|_| open == '{') {
            Some(name) => {
                out.push_str(&part[name.clone()]);
                out.push_str(": ");
                let rest = part[name.end..].trim_start();
                layout(rest.strip_prefix(':').unwrap_or(rest).trim(), depth + 1, width, most, out);
            }
            None => layout(part, depth + 1, width, most, out),
        }
    }
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', 2 * depth));
    out.push(if open == '[' { ']' } else { '}' });
}

/// The value on one line, if it is no longer than `width`.
fn compact(value: &str, width: usize) -> Option<String> {
    let mut line = String::new();
    for token in tokens(value) {
        match &value[token] {
            "," => line.push_str(", "),
            ":" => line.push_str(": "),
            token => line.push_str(token),
        }
        if line.len() > width {
            return None;
        }
    }
    Some(line)
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

    #[test]
    fn layout_keeps_escapes_and_digits() {
        let text = r#"{"a":[1.0,"\u00e9\n"],"long":{"b":12345678901234567890,"c":"a fairly long string"}}"#;
        assert_eq!(
            pretty(text, 40, 10_000),
            "{\n  \"a\": [1.0, \"\\u00e9\\n\"],\n  \"long\": {\n    \"b\": 12345678901234567890,\n    \
             \"c\": \"a fairly long string\"\n  }\n}"
        );
        assert_eq!(pretty("[ ]", 40, 10_000), "[]");
        let whole: String = pretty(text, 20, 10_000).split_whitespace().collect();
        assert_eq!(whole, text.split_whitespace().collect::<String>());
    }
}
