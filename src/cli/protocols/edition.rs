//! Schemas of Protocol Buffers that name an edition in place of a syntax, for a compiler that knows syntaxes
//! alone: such a file as one of `proto3`, with everything else at its place.
//!
//! What an edition says by features is, of a message on the wire, only whether a field's message stands
//! between tags, as groups do. Whether numbers are packed shows in each message, and whether a field is there
//! at all, too.

use std::collections::HashSet;

/// Fields whose messages stand between tags.
#[derive(Debug, Default)]
pub(super) struct Delimited {
    /// By their names with those of package and messages.
    pub fields: HashSet<String>,
    /// All of these files.
    pub files: HashSet<String>,
}

/// Editions that are read.
const KNOWN: [&str; 1] = ["\"2023\""];

/// A word, a string or a sign, with where it begins.
type Token<'t> = (usize, &'t str);

/// The file of this name and content as one of a syntax; `None` where it names no edition that is known.
pub(super) fn as_syntax(file: &str, text: &str, delimited: &mut Delimited) -> Option<String> {
    let tokens = tokens(text);
    let [(begin, "edition"), (_, "="), (_, edition), (last, ";"), ..] = tokens[..] else { return None };
    if !KNOWN.contains(&edition.replace('\'', "\"").as_str()) {
        return None;
    }
    let mut blank: Vec<(usize, usize)> = Vec::new();
    // The names of what is open: those of messages count.
    let mut open: Vec<Option<&str>> = Vec::new();
    let mut package = "";
    let mut at = 4;
    while at < tokens.len() {
        let end = end_of_statement(&tokens, at);
        let statement = &tokens[at..end.min(tokens.len())];
        match statement {
            [(_, "}"), ..] => {
                open.pop();
            }
            [(_, "message"), (_, name), .., (_, "{")] => open.push(Some(name)),
            [.., (_, "{")] => open.push(None),
            [(_, "package"), (_, name), ..] => package = name,
            [(from, "reserved"), .., (to, _)] => blank.push((*from, to + 1)),
            [(from, "option"), (_, name), .., (to, _)] if is_feature(name) => {
                blank.push((*from, to + 1));
                if is_delimited(statement) && open.is_empty() {
                    delimited.files.insert(file.to_owned());
                }
            }
            _ => {
                if options(statement, &mut blank)
                    && let Some(equals) = statement.iter().position(|(_, token)| *token == "=")
                    && let Some((_, name)) = statement.get(equals.wrapping_sub(1))
                {
                    let path = [package].into_iter().chain(open.iter().flatten().copied()).chain([*name]);
                    let parts: Vec<&str> = path.filter(|part| !part.is_empty()).collect();
                    delimited.fields.insert(parts.join("."));
                }
            }
        }
        at = end;
    }
    let mut bytes = text.as_bytes().to_vec();
    for (from, to) in blank {
        for byte in bytes[from..to].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
    }
    let behind = last + 1;
    let syntax = format!("{:<1$}", "syntax=\"proto3\";", behind - begin);
    bytes.splice(begin..behind, syntax.into_bytes());
    String::from_utf8(bytes).ok()
}

/// Blanks those options of a field that only an edition has, or `proto3` has not; whether one of them says
/// that its message stands between tags.
fn options(statement: &[Token<'_>], blank: &mut Vec<(usize, usize)>) -> bool {
    let Some(begin) = statement.iter().position(|(_, token)| *token == "[") else { return false };
    let Some(end) = statement.iter().rposition(|(_, token)| *token == "]") else { return false };
    let (mut depth, mut first, mut parts) = (0, begin + 1, Vec::new());
    for (place, (_, token)) in statement.iter().enumerate().take(end + 1).skip(begin + 1) {
        match *token {
            "{" | "[" | "(" => depth += 1,
            "}" | ")" => depth -= 1,
            "]" if place < end => depth -= 1,
            "," if depth > 0 => {}
            "," | "]" => {
                parts.push(first..place);
                first = place + 1;
            }
            _ => {}
        }
    }
    let is_ours = |part: &std::ops::Range<usize>| {
        let name = statement.get(part.start).map_or("", |(_, name)| name);
        is_feature(name) || name == "default"
    };
    let is_between_tags =
        parts.iter().filter(|part| is_ours(part)).any(|part| is_delimited(&statement[part.clone()]));
    let of = |from: usize, to: usize| (statement[from].0, statement[to].0);
    let all = parts.len();
    let mut kept = 0;
    for (place, part) in parts.into_iter().enumerate() {
        if !is_ours(&part) {
            kept += 1;
        } else if place + 1 < all {
            // With the comma behind it.
            blank.push(of(part.start, part.end + 1));
        } else if kept > 0 {
            // With the one before it.
            blank.push(of(part.start - 1, part.end));
        } else {
            blank.push((statement[begin].0, statement[end].0 + 1));
        }
    }
    is_between_tags
}

fn is_feature(name: &str) -> bool {
    name == "features" || name.starts_with("features.")
}

fn is_delimited(tokens: &[Token<'_>]) -> bool {
    let says = |words: &str| tokens.iter().any(|(_, token)| token.rsplit('.').next() == Some(words));
    says("message_encoding") && says("DELIMITED")
}

/// The place behind a statement, or behind what opens or closes a block.
fn end_of_statement(tokens: &[Token<'_>], from: usize) -> usize {
    let (mut depth, mut is_value) = (0_usize, false);
    for (place, (_, token)) in tokens.iter().enumerate().skip(from) {
        match *token {
            "=" | "[" if depth == 0 => {
                is_value = true;
                depth += usize::from(*token == "[");
            }
            "[" | "(" => depth += 1,
            "{" if is_value || depth > 0 => depth += 1,
            "]" | ")" => depth = depth.saturating_sub(1),
            "}" if depth > 0 => depth -= 1,
            ";" | "{" | "}" if depth == 0 => return place + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Takes a file apart, without its comments.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length_to = |end: &str| rest.find(end).map_or(rest.len(), |place| place + end.len());
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let first = rest.chars().next().unwrap_or_default();
        let length = match first {
            '/' if rest.starts_with("//") => length_to("\n"),
            '/' if rest.starts_with("/*") => length_to("*/"),
            '"' | '\'' => {
                let mut is_escaped = false;
                let end = rest.char_indices().skip(1).find(|(_, c)| {
                    let ends = *c == first && !is_escaped;
                    is_escaped = *c == '\\' && !is_escaped;
                    ends
                });
                end.map_or(rest.len(), |(place, _)| place + 1)
            }
            _ if is_word(first) => rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        if !(first.is_whitespace() || rest.starts_with("//") || rest.starts_with("/*")) {
            found.push((at, &rest[..length]));
        }
        at += length;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"// A comment; with a { brace
edition = "2023";
package demo;
option features.field_presence = IMPLICIT;
option java_package = "a;b";
message Outer {
  reserved 7, 9 to 11;
  reserved old, older;
  int32 a = 1 [default = 5, deprecated = true];
  repeated int32 b = 2 [features.repeated_field_encoding = EXPANDED];
  message Inner { string s = 1; }
  Inner plain = 3;
  Inner between = 4 [deprecated = true, features.message_encoding = DELIMITED];
  oneof one { int32 x = 5 [features = { field_presence: EXPLICIT }]; }
  map<string, Inner> m = 6;
  enum E { ZERO = 0; option features.enum_type = OPEN; }
}
"#;

    #[test]
    fn everything_else_stays_where_it_is() {
        let mut delimited = Delimited::default();
        let text = as_syntax("demo.proto", FILE, &mut delimited).expect("an edition");
        assert_eq!(text.lines().count(), FILE.lines().count());
        for gone in ["edition", "features", "reserved", "default"] {
            assert!(!text.contains(gone), "{text}");
        }
        assert!(
            text.contains("syntax=\"proto3\";")
                && text.contains("deprecated = true]")
                && text.contains("option java_package = \"a;b\";"),
            "{text}"
        );
        let places = |text: &str| text.find("map<string").expect("there");
        assert_eq!(places(&text), places(FILE), "{text}");
        assert_eq!(delimited.fields, HashSet::from(["demo.Outer.between".to_owned()]));
        assert!(delimited.files.is_empty());
    }

    #[test]
    fn others_are_left_alone() {
        for text in ["syntax = \"proto3\";", "message M {}", "edition = \"2099\";", "edition = \"2023\"", ""]
        {
            assert_eq!(as_syntax("a.proto", text, &mut Delimited::default()), None, "{text}");
        }
        let all = "edition = '2023'; option features.message_encoding = DELIMITED;\nmessage M { M m = 1; }";
        let mut delimited = Delimited::default();
        assert!(as_syntax("a.proto", all, &mut delimited).is_some());
        assert!(delimited.files.contains("a.proto"));
        // Whatever it is, it is no panic.
        for cut in 0..FILE.len() {
            if FILE.is_char_boundary(cut) {
                as_syntax("a.proto", &FILE[..cut], &mut Delimited::default());
            }
        }
    }
}
