//! Where a value stands in JSON, `MessagePack` or CBOR: the part of `JSONPath` (RFC 9535) that leads to one
//! value.

use std::fmt;

use super::json;
use super::value::Node;

/// A way into JSON, such as `$.params[0].id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// A sentence that says what is understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |rest: &str, what: &str| {
            let at = text[..text.len() - rest.len()].chars().count() + 1;
            Err(format!(
                "'{text}' is no path that is understood: character {at}: {what}; a path begins with $, and \
                 goes on with .name, ['any name'] or [0] as often as needed: $.params[0].id"
            ))
        };
        let Some(mut rest) = text.strip_prefix('$') else { return wrong(text, "it must be $") };
        let mut steps = Vec::new();
        while let Some(first) = rest.chars().next() {
            let (step, length) = match first {
                '.' => {
                    let name = &rest[1..];
                    let end = name.find(['.', '[']).unwrap_or(name.len());
                    if end == 0 {
                        return wrong(&rest[1..], "a name must follow the dot");
                    }
                    if name[..end].contains(['*', '\'', '"', ']', ' ']) {
                        return wrong(&rest[1..], "a name with such characters stands in ['…']");
                    }
                    (Step::Member(name[..end].to_owned()), 1 + end)
                }
                '[' => match quoted(&rest[1..]) {
                    Some((name, length)) if rest[1 + length..].starts_with(']') => {
                        (Step::Member(name), length + 2)
                    }
                    _ => {
                        let end = rest.find(']').unwrap_or(rest.len());
                        match rest[1..end].parse() {
                            Ok(index) if end < rest.len() => (Step::Element(index), end + 1),
                            _ => return wrong(&rest[1..], "a number from 0, or a name in quotes, and ]"),
                        }
                    }
                },
                _ => return wrong(rest, "it must be . or ["),
            };
            steps.push(step);
            rest = &rest[length..];
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// What stands there, as it was written; `None` if nothing does.
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self.find_in(Node::Json(text.trim()))? {
            Node::Json(text) => Some(text),
            Node::Binary(..) => None,
        }
    }

    /// The same in a value of any notation.
    pub fn find_in<'t>(&self, mut here: Node<'t>) -> Option<Node<'t>> {
        for step in &self.steps {
            here = match step {
                Step::Element(index) => here.element(*index)?,
                Step::Member(name) => here.member(name)?,
            };
        }
        Some(here)
    }
}

/// A name in quotes at the beginning of a text, and how long it is with them. Behind a backslash stands what
/// JSON has there, or the quote (RFC 9535 §2.3.1.1).
fn quoted(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut is_escaped = false;
    let end = text[1..].find(|c| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    let name = &text[1..=end];
    if !name.contains('\\') {
        return Some((name.to_owned(), end + 2));
    }
    let name = if quote == '"' {
        json::string(&text[..end + 2])
    } else {
        json::string(&format!("\"{}\"", name.replace("\\'", "'").replace('"', "\\\"")))
    };
    Some((name?, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_into_json() {
        let text = r#" {"id": 7, "a": {"b c": [1, {"d": "x\n"}], "q.r": null}, "\u0069d2": true} "#;
        for (path, found) in [
            ("$.id", Some("7")),
            ("$['id']", Some("7")),
            ("$.a[\"b c\"][1].d", Some(r#""x\n""#)),
            ("$.a['b c'][0]", Some("1")),
            ("$.a['q.r']", Some("null")),
            ("$.id2", Some("true")),
            (r#"$["\u0069d"]"#, Some("7")),
            (r"$['a']['q\u002Er']", Some("null")),
            ("$.a.b", None),
            ("$.id.x", None),
            ("$.id[0]", None),
            ("$[0]", None),
        ] {
            assert_eq!(Path::parse(path).unwrap().find(text), found, "{path}");
        }
        assert_eq!(Path::parse("$[1]").unwrap().find(r#"[2,"a"]"#), Some("\"a\""));
        assert_eq!(Path::parse("$").unwrap().find(" [1] "), Some("[1]"));
        assert_eq!(Path::parse("$.a").unwrap().find("{"), None);
        let quotes = r#"{"it's \"one\" \\ of": 1, "\\'": 2}"#;
        for (path, found) in [
            (r#"$['it\'s "one" \\ of']"#, "1"),
            (r#"$["it's \"one\" \\ of"]"#, "1"),
            (r"$['\\\'']", "2"),
            (r#"$["\\'"]"#, "2"),
        ] {
            assert_eq!(Path::parse(path).unwrap().find(quotes), Some(found), "{path}");
        }
    }

    #[test]
    fn what_is_not_understood_says_so() {
        for (path, at) in [
            ("id", 1),
            ("", 1),
            ("$id", 2),
            ("$..id", 3),
            ("$.", 3),
            ("$.a.*", 5),
            ("$[*]", 3),
            ("$[-1]", 3),
            ("$[0", 3),
            ("$['a]", 3),
            (r"$['a\']", 3),
            (r"$['\d']", 3),
            ("$.é[x]", 5),
        ] {
            let error = Path::parse(path).unwrap_err();
            assert!(error.contains(&format!("character {at}:")), "{path}: {error}");
            assert!(error.contains("$.params[0].id"), "{error}");
        }
    }
}
