//! Bytes in source code: arrays and string literals, with the declarations around them.

use super::{Out, direction, fail, hex_run, loose, quote};
use crate::input::InputError;
use crate::model::Dir;

/// Whether a text is code rather than lines of hex. The text column of a dump may hold anything, so a dump is
/// told first; prose with an apostrophe in it shall not count either.
pub(super) fn is_code(text: &str) -> bool {
    let opens = |c: char| matches!(c, '{' | '[' | '"' | '\'' | '`');
    let Some(first) =
        text.lines().map(|line| line[direction(line).1..].trim()).find(|line| !super::is_decoration(line))
    else {
        return false;
    };
    if super::row::looks_like_row(first) || !text.contains(opens) {
        return false;
    }
    let first = first.trim_start_matches(['b', 'B', 'r', '&', '(']);
    first.starts_with(opens)
        || first.starts_with("/*")
        || ["=", "\\x", "([", "(\"", "('", "!["].iter().any(|sign| text.contains(sign))
}

/// Reads all arrays and strings of a text and skips the declarations around them.
pub(super) fn parse(text: &str, out: &mut Out) -> Result<(), InputError> {
    let mut code = Code { text, at: 0, line: 1, dir: None, word: "", mark: ' ', literal: false };
    while let Some(c) = code.peek() {
        code.outside(c, out)?;
    }
    Ok(())
}

struct Code<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    dir: Option<Dir>,
    /// The last identifier.
    word: &'t str,
    /// The last punctuation outside of arrays and strings.
    mark: char,
    /// The string before had escapes, and nothing but space came after it: as in C, the next one continues
    /// it.
    literal: bool,
}

impl<'t> Code<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// What is left of the text up to `end`.
    fn line_to(&self, end: usize) -> loose::Line<'t> {
        loose::Line { text: self.text, end, number: self.line, dir: self.dir }
    }

    fn advance(&mut self, len: usize) {
        self.line += self.rest()[..len].bytes().filter(|&byte| byte == b'\n').count() as u32;
        self.at += len;
    }

    fn fail<T>(&self, expected: &'static str, hint: &'static str) -> Result<T, InputError> {
        Err(fail(self.text, self.at, quote(self.text, self.at), expected, hint))
    }

    /// Skips a comment, if there is one.
    fn comment(&mut self) -> bool {
        let rest = self.rest();
        let len = if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("//") || rest.starts_with('#') {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            return false;
        };
        self.advance(len);
        true
    }

    /// One step outside of arrays and strings.
    fn outside(&mut self, c: char, out: &mut Out) -> Result<(), InputError> {
        if self.at == 0 || self.text[..self.at].ends_with('\n') {
            let (mark, len) = direction(self.rest());
            if mark.is_some() {
                self.dir = mark;
                self.advance(len);
                return Ok(());
            }
        }
        if self.comment() {
            return Ok(());
        }
        match c {
            '{' | '[' if self.is_type() => {
                let close = self.rest().find(closing(c)).map_or(1, |at| at + 1);
                self.advance(close);
            }
            '{' | '[' => {
                // Wireshark names its arrays peer0_1 and peer1_1; peer 0 is whoever sent first.
                match self.word.get(..6) {
                    Some("peer0_") => self.dir = Some(Dir::Client),
                    Some("peer1_") => self.dir = Some(Dir::Server),
                    _ => {}
                }
                self.list(out)?;
            }
            '"' | '\'' | '`' => self.string(false, out)?,
            _ if c.is_alphabetic() || c == '_' => {
                let len =
                    self.rest().find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest().len());
                self.word = &self.rest()[..len];
                self.literal = false;
                self.advance(len);
                let opens = self.rest().starts_with(['"', '\'']);
                if opens && ["b", "B", "br", "rb", "r"].contains(&self.word) {
                    self.string(self.word.contains(['b', 'B']), out)?;
                }
            }
            '0'..='9' if matches!(self.mark, '=' | '(' | ',') => {
                let len = self.rest().find(|c: char| !c.is_alphanumeric()).unwrap_or(self.rest().len());
                self.advance(len);
            }
            '0'..='9' => return self.fail("bytes inside of braces, brackets or quotes", ""),
            _ if c.is_whitespace() => self.advance(c.len_utf8()),
            _ if c.is_ascii_punctuation() => {
                self.mark = c;
                self.literal &= matches!(c, '\\' | '+');
                self.advance(1);
            }
            _ => return self.fail("an array of bytes or a string", ""),
        }
        Ok(())
    }

    /// Whether the bracket here belongs to a declaration, `a[7] =` or `: [u8; 2] =`.
    fn is_type(&self) -> bool {
        let rest = self.rest();
        let close = rest.chars().next().map_or(']', closing);
        rest.find(close).is_some_and(|at| {
            let behind = rest[at + 1..].trim_start();
            behind.starts_with('=') && !behind.starts_with("==")
        })
    }

    /// An array, with any arrays inside of it.
    fn list(&mut self, out: &mut Out) -> Result<(), InputError> {
        let open = self.at;
        let mut depth = 0;
        while let Some(c) = self.peek() {
            match c {
                _ if self.comment() => {}
                '{' | '[' | '(' => {
                    depth += 1;
                    self.advance(1);
                }
                '}' | ']' | ')' => {
                    depth -= 1;
                    self.advance(1);
                    if depth == 0 {
                        return Ok(());
                    }
                }
                '"' | '\'' => self.string(false, out)?,
                _ => {
                    let len = loose::token(self.line_to(self.text.len()), self.at, out)?;
                    self.advance(len);
                }
            }
        }
        Err(fail(
            self.text,
            open,
            quote(self.text, open),
            "a closing bracket for it",
            "the paste may be incomplete",
        ))
    }

    /// A string: with escapes, or as a byte string, it stands for its characters; otherwise it has to be hex.
    fn string(&mut self, bytes: bool, out: &mut Out) -> Result<(), InputError> {
        let (open, quotes) = (self.at, self.peek().unwrap_or('"'));
        let Some(len) = length(&self.rest()[1..], quotes) else {
            return Err(fail(
                self.text,
                open,
                quote(self.text, open),
                "a closing quote for it",
                "the paste may be incomplete",
            ));
        };
        let content = &self.rest()[1..=len];
        let end = open + 1 + len;
        let is_hex = content.bytes().all(|b| b.is_ascii_hexdigit() || b" ,:-xX".contains(&b));
        self.advance(1);
        self.literal |= content.contains('\\');
        if self.literal || (bytes && !is_hex) || (quotes == '\'' && content.chars().count() == 1) {
            while self.at < end {
                self.character(out)?;
            }
        } else if content != "hex" {
            while self.at < end {
                let len = loose::token(self.line_to(end), self.at, out)?;
                self.advance(len);
            }
        }
        self.advance(end + 1 - self.at);
        Ok(())
    }

    /// One character of a string with escapes.
    fn character(&mut self, out: &mut Out) -> Result<(), InputError> {
        let rest = self.rest();
        let mut utf8 = [0; 4];
        let mut chars = rest.chars();
        let (len, bytes): (usize, &[u8]) = match (chars.next(), chars.next()) {
            (Some('\\'), Some('x' | 'X')) => {
                return loose::token(self.line_to(self.text.len()), self.at, out)
                    .map(|len| self.advance(len));
            }
            (Some('\\'), Some('u')) => {
                let digits = rest[2..].trim_start_matches('{');
                let digits = &digits[..hex_run(digits)];
                let Some(c) = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32) else {
                    return self.fail("a character after \\u", "write bytes as \\x81");
                };
                let braces = if rest[2..].starts_with('{') { 2 } else { 0 };
                (2 + braces + digits.len(), c.encode_utf8(&mut utf8).as_bytes())
            }
            (Some('\\'), Some('0'..='7')) => {
                let len = rest[1..].bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
                let Ok(byte) = u8::from_str_radix(&rest[1..=len], 8) else {
                    return self.fail("an octal escape up to \\377", "");
                };
                utf8[0] = byte;
                (1 + len, &utf8[..1])
            }
            (Some('\\'), Some('\n' | '\r')) => (2, &[]),
            (Some('\\'), Some(escape)) => {
                utf8[0] = match escape {
                    'n' => b'\n',
                    'r' => b'\r',
                    't' => b'\t',
                    'a' => 0x07,
                    'b' => 0x08,
                    'f' => 0x0C,
                    'v' => 0x0B,
                    'e' => 0x1B,
                    '\\' | '"' | '\'' | '`' | '/' => escape as u8,
                    _ => return self.fail("an escape, such as \\x81 or \\n", ""),
                };
                (2, &utf8[..1])
            }
            (Some(c), _) => (c.len_utf8(), c.encode_utf8(&mut utf8).as_bytes()),
            (None, _) => return Ok(()),
        };
        out.push(self.dir, self.line, bytes)?;
        self.advance(len);
        Ok(())
    }
}

fn closing(open: char) -> char {
    if open == '{' { '}' } else { ']' }
}

/// How long the content of a string is.
fn length(text: &str, quotes: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quotes => return Some(at),
            _ => {}
        }
    }
    None
}
