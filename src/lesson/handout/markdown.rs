//! Plain words as Markdown that says just these.
//!
//! What lessons ask and explain is no Markdown: a line is a paragraph, four spaces set
//! in what stands as it is, backticks are round what is typed, and every other mark is
//! itself. Names come from lists of any kind.

/// A text of a lesson.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut block = false;
    for line in text.trim_end().lines() {
        let verbatim = line.strip_prefix("    ");
        // Empty lines within a block stay in it.
        let blank = line.trim().is_empty();
        match (verbatim, block) {
            (Some(line), true) => {
                out.push_str("\n    ");
                out.push_str(line.trim_end());
            }
            (Some(line), false) => {
                part(&mut out);
                out.push_str("    ");
                out.push_str(line.trim_end());
                block = true;
            }
            (None, _) if blank => {
                if block {
                    out.push('\n');
                }
            }
            (None, _) => {
                part(&mut out);
                out.push_str(&words(line.trim()));
                block = false;
            }
        }
    }
    out
}

fn part(out: &mut String) {
    while out.ends_with('\n') {
        out.pop();
    }
    if !out.is_empty() {
        out.push_str("\n\n");
    }
}

/// A line of a text: code spans stay, marks outside of them are escaped.
pub(super) fn words(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((span, behind)) = after.split_once('`') else { break };
        out.push_str(&marks(before, out.is_empty()));
        out.push('`');
        out.push_str(span);
        out.push('`');
        rest = behind;
    }
    let rest = rest.replace('`', "\\`");
    let first = out.is_empty();
    out.push_str(&marks(&rest, first));
    out
}

/// A text in which nothing is a mark, not even backticks; in one line.
pub(super) fn escaped(text: &str) -> String {
    marks(&text.replace('`', "\\`"), true).replace('|', "\\|")
}

/// Escapes what Markdown would take for a mark; `first` says that a line begins here.
fn marks(text: &str, first: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let begins = first && text[..at].trim().is_empty();
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_mark = match c {
            '*' | '~' => true,
            '[' => text[at..].contains("]("),
            '_' => !(word(before) && word(next)),
            '<' => next.is_some_and(|c| c.is_ascii_alphabetic() || "/!?".contains(c)),
            '&' => next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '#'),
            '\\' => next.is_some_and(|c| c.is_ascii_punctuation() && c != '`'),
            '#' | '>' | '+' | '=' | '-' => begins,
            _ => false,
        };
        // A list is meant as one.
        let item = begins && c == '-' && next == Some(' ');
        if is_mark && !item {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
        before = Some(c);
    }
    out
}

/// A text as a code span.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() {
        return "“”".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Options, Parser, html};

    use super::*;

    fn html(markdown: &str) -> String {
        let mut out = String::new();
        html::push_html(&mut out, Parser::new_ext(markdown, Options::ENABLE_TABLES));
        out
    }

    #[test]
    fn words_say_in_markdown_what_they_say() {
        for (text, said) in [
            ("a * b * c, snake_case, _x_", "a * b * c, snake_case, _x_"),
            ("see [1](x) & &amp; <b> 1 < 2", "see [1](x) &amp; &amp;amp; &lt;b&gt; 1 &lt; 2"),
            ("42[\"move\"]", "42[\"move\"]"),
            ("# 1", "# 1"),
            ("> 1", "&gt; 1"),
            ("`81 *05*` and *05*", "<code>81 *05*</code> and *05*"),
            ("a ` b", "a ` b"),
            ("\\r\\n and \\* and ~~x~~", "\\r\\n and \\* and ~~x~~"),
        ] {
            assert_eq!(html(&words(text)), format!("<p>{said}</p>\n"), "{text}");
        }
        assert_eq!(html(&escaped("a`b`|c")), "<p>a`b`|c</p>\n");
        assert_eq!((code("a`b"), code("`")), ("``a`b``".to_owned(), "`` ` ``".to_owned()));
    }

    #[test]
    fn lines_are_paragraphs_and_what_is_set_in_stands() {
        let text = "One:\n    81 05\n\n    GET *\nTwo.\nThree.\n- an item\n";
        assert_eq!(prose(text), "One:\n\n    81 05\n\n    GET *\n\nTwo.\n\nThree.\n\n- an item");
    }
}
