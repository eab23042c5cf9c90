//! A line of a script as words: `name`, `"quoted"`, `name=value`, `name="value"`.

use std::fmt;

use crate::model::Text;

/// What is wrong with a script, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// One sentence without a full stop, saying what to do where that is known.
    pub message: Text,
}

/// `3:14: what is wrong`.
impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ScriptError {}

impl ScriptError {
    /// `FILE:3:14: what is wrong`, as compilers say where.
    pub fn in_file(self, name: &str) -> Text {
        let place = format!("{name}:{}:{}", self.line, self.column);
        Text::with("{}: {}", place).word(self.message)
    }
}

/// A word with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Of its first character, from 1.
    pub column: usize,
    /// What stands before `=`.
    pub name: Option<String>,
    /// The word itself, or what stands after `=`; escapes are resolved.
    pub value: Vec<u8>,
    /// Whether the value was in quotes.
    pub quoted: bool,
}

impl Word {
    /// The value as a bare word: not quoted, not an option.
    pub fn bare(&self) -> Option<&str> {
        if self.quoted || self.name.is_some() { None } else { std::str::from_utf8(&self.value).ok() }
    }
}

/// Splits line number `number` into words; `#` outside quotes starts a comment.
pub fn split(number: usize, line: &str) -> Result<Vec<Word>, ScriptError> {
    let mut chars = Chars { line: number, column: 1, rest: line.chars() };
    let mut words = Vec::new();
    while let Some(c) = chars.peek() {
        match c {
            '#' => break,
            c if c.is_whitespace() => {
                chars.next();
            }
            _ => words.push(word(&mut chars)?),
        }
    }
    Ok(words)
}

/// Characters that know their column.
struct Chars<'a> {
    line: usize,
    column: usize,
    rest: std::str::Chars<'a>,
}

impl Chars<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn next(&mut self) -> Option<char> {
        self.column += 1;
        self.rest.next()
    }

    fn error(&self, column: usize, message: &'static str) -> ScriptError {
        ScriptError { line: self.line, column, message: message.into() }
    }
}

fn word(chars: &mut Chars<'_>) -> Result<Word, ScriptError> {
    let column = chars.column;
    if chars.peek() == Some('"') {
        return Ok(Word { column, name: None, value: quoted(chars)?, quoted: true });
    }
    let (mut name, mut value) = (None, String::new());
    while let Some(c) = chars.peek() {
        match c {
            '=' if name.is_none() => {
                chars.next();
                name = Some(std::mem::take(&mut value));
                if chars.peek() == Some('"') {
                    return Ok(Word { column, name, value: quoted(chars)?, quoted: true });
                }
            }
            '"' => return Err(chars.error(chars.column, "put a space before the quoted text")),
            '#' => break,
            c if c.is_whitespace() => break,
            c => {
                chars.next();
                value.push(c);
            }
        }
    }
    Ok(Word { column, name, value: value.into_bytes(), quoted: false })
}

/// From the opening quote to the closing one.
fn quoted(chars: &mut Chars<'_>) -> Result<Vec<u8>, ScriptError> {
    let start = chars.column;
    chars.next();
    let mut value = Vec::new();
    loop {
        let column = chars.column;
        match chars.next() {
            None => return Err(chars.error(start, "this quote is not closed on the line")),
            Some('"') => return Ok(value),
            Some('\\') => escape(chars, column, &mut value)?,
            Some(c) => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// What follows a backslash.
fn escape(chars: &mut Chars<'_>, column: usize, value: &mut Vec<u8>) -> Result<(), ScriptError> {
    value.push(match chars.next() {
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('t') => b'\t',
        Some('0') => 0,
        Some(c @ ('"' | '\\')) => c as u8,
        Some('x') => {
            let mut digit = || chars.next().and_then(|c| c.to_digit(16));
            match (digit(), digit()) {
                (Some(high), Some(low)) => (high << 4 | low) as u8,
                _ => return Err(chars.error(column, "\\x needs two hexadecimal digits, such as \\xff")),
            }
        }
        _ => return Err(chars.error(column, "unknown escape; known: \\n \\r \\t \\0 \\\" \\\\ \\xHH")),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_options_and_comments() {
        let words =
            split(1, "client  text \"a # \\\"b\\\" \\xff\\n\" mask=none key=\"x y\" rsv1 # no").unwrap();
        let seen: Vec<_> =
            words.iter().map(|w| (w.column, w.name.as_deref(), &w.value[..], w.quoted)).collect();
        let expected: [(usize, Option<&str>, &[u8], bool); 6] = [
            (1, None, b"client", false),
            (9, None, b"text", false),
            (14, None, b"a # \"b\" \xFF\n", true),
            (33, Some("mask"), b"none", false),
            (43, Some("key"), b"x y", true),
            (53, None, b"rsv1", false),
        ];
        assert_eq!(seen, expected);
        assert_eq!(words[5].bare(), Some("rsv1"));
        assert_eq!((words[2].bare(), words[3].bare()), (None, None));
    }

    #[test]
    fn nothing_but_a_comment_is_no_word() {
        assert_eq!(split(1, "   # just this"), Ok(vec![]));
        assert_eq!(split(1, ""), Ok(vec![]));
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(split(1, "\"héé\" x").unwrap()[1].column, 7);
    }

    #[test]
    fn errors_have_their_place() {
        let cases = [
            ("text \"abc", "4:6: this quote is not closed on the line"),
            ("text \"a\\q\"", "4:8: unknown escape; known: \\n \\r \\t \\0 \\\" \\\\ \\xHH"),
            ("text \"a\\x4\"", "4:8: \\x needs two hexadecimal digits, such as \\xff"),
            ("text ab\"c\"", "4:8: put a space before the quoted text"),
        ];
        for (line, expected) in cases {
            assert_eq!(split(4, line).unwrap_err().to_string(), expected);
        }
    }
}
