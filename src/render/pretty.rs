//! JSON laid out for reading: a member or an element a line, where one line does not hold them all.

use crate::limits::JSON_DEPTH;
use crate::model::json::{Json, is_deep};

/// Bytes of laid out JSON that are shown.
const SHOWN: usize = 64 * 1024;

/// Lays out JSON in lines of about `width` columns. Nothing is read into it: strings and numbers stay as
/// they were written.
pub fn pretty(json: &str, width: usize) -> String {
    let mut out = String::new();
    if is_deep(json, JSON_DEPTH) {
        json.trim().clone_into(&mut out);
    } else {
        lay(json.trim(), 0, width, &mut out);
    }
    out
}

/// A value at a depth: on one line, if it is no longer than what is left of `width`.
fn lay(json: &str, depth: usize, width: usize, out: &mut String) {
    let line = one_line(json, width.saturating_sub(2 * depth));
    match (line, Json::read(json)) {
        (Some(line), _) => push(&line, out),
        (None, Some(Json::Array(elements))) => {
            let parts = elements.into_iter().map(|element| ("", element));
            block(["[", "]"], parts, depth, width, out);
        }
        (None, Some(Json::Object(members))) => block(["{", "}"], members.into_iter(), depth, width, out),
        (None, Some(Json::Scalar) | None) => push(json, out),
    }
}

/// Brackets, and between them what they hold, one a line.
fn block<'t>(
    [opens, closes]: [&str; 2],
    parts: impl Iterator<Item = (&'t str, &'t str)>,
    depth: usize,
    width: usize,
    out: &mut String,
) {
    let line = |depth: usize, end: &str| format!("{end}\n{:1$}", "", 2 * depth);
    push(&line(depth + 1, opens), out);
    for (i, (name, value)) in parts.enumerate() {
        if out.len() >= SHOWN {
            return;
        }
        if i > 0 {
            push(&line(depth + 1, ","), out);
        }
        if !name.is_empty() {
            push(name, out);
            push(": ", out);
        }
        lay(value, depth + 1, width, out);
    }
    push(&(line(depth, "") + closes), out);
}

/// Adds a piece, unless enough is shown already.
fn push(piece: &str, out: &mut String) {
    if out.len() < SHOWN {
        out.push_str(piece);
    }
}

/// The value on one line, if it is no longer than `width`.
fn one_line(json: &str, width: usize) -> Option<String> {
    let mut line = String::new();
    compact(json, width, &mut line).then_some(line)
}

/// Whether a value with spaces after commas and colons only still fits.
fn compact(json: &str, width: usize, line: &mut String) -> bool {
    let mut all = |open: &str, close: &str, parts: &mut dyn Iterator<Item = (&str, &str)>| {
        line.push_str(open);
        for (i, (name, value)) in parts.enumerate() {
            line.push_str(if i > 0 { ", " } else { "" });
            line.push_str(name);
            line.push_str(if name.is_empty() { "" } else { ": " });
            if line.len() > width || !compact(value, width, line) {
                return false;
            }
        }
        line.push_str(close);
        true
    };
    let is_whole = match Json::read(json) {
        Some(Json::Array(elements)) => all("[", "]", &mut elements.into_iter().map(|it| ("", it))),
        Some(Json::Object(members)) => all("{", "}", &mut members.into_iter()),
        Some(Json::Scalar) | None => {
            line.push_str(json);
            true
        }
    };
    is_whole && line.len() <= width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_without_a_change_to_its_tokens() {
        let json =
            r#" {"a":[1.0,"\u00e9\n"], "long":{"b":12345678901234567890,"c":"a fairly long string"},"e":[]}"#;
        assert_eq!(
            pretty(json, 40),
            "{\n  \"a\": [1.0, \"\\u00e9\\n\"],\n  \"long\": {\n    \"b\": 12345678901234567890,\n    \
             \"c\": \"a fairly long string\"\n  },\n  \"e\": []\n}"
        );
        for width in [1, 20, 40, 100] {
            let laid: String = pretty(json, width).split_whitespace().collect();
            assert_eq!(laid, json.split_whitespace().collect::<String>());
        }
        assert_eq!(pretty("[1,2]", 40), "[1, 2]");
        assert_eq!(pretty("\"x\"", 40), "\"x\"");
        assert_eq!(pretty("[1e999,{\"a\":1e999}]", 8), "[\n  1e999,\n  {\n    \"a\": 1e999\n  }\n]");
    }

    #[test]
    fn what_is_very_long_or_deep_is_shown_in_part() {
        let long = format!("[{}1]", "1,".repeat(SHOWN));
        assert!((SHOWN..SHOWN + 64).contains(&pretty(&long, 40).len()));
        let deep = "[".repeat(1 << 16);
        assert_eq!(pretty(&deep, 40).len(), deep.len());
    }
}
