//! Hex without offsets: runs of digits, prefixed or not, and what stands between them.

use super::{Out, fail, hex_run, quote};
use crate::input::InputError;
use crate::model::Dir;
use crate::model::Text;

const PROSE: &str = "this is text, but neither hex nor an HTTP head; see the forms in the manual";
const DECIMAL: &str = "decimal numbers are not read; write 0x81 for 129";

/// A part of a text, mostly a line.
#[derive(Clone, Copy)]
pub(super) struct Line<'t> {
    /// The whole text.
    pub text: &'t str,
    /// Where in it the line ends, in bytes.
    pub end: usize,
    /// The line's number, from 1.
    pub number: u32,
    /// Who sent what is on it.
    pub dir: Option<Dir>,
}

/// Reads lines of loose hex.
#[derive(Default)]
pub(super) struct Loose {
    comment: bool,
}

impl Loose {
    /// Whether a `/*` has not met its `*/` yet.
    pub(super) fn in_comment(&self) -> bool {
        self.comment
    }

    /// Reads one line, which begins at byte `start` of the text.
    pub(super) fn line(&mut self, line: Line<'_>, start: usize, out: &mut Out) -> Result<(), InputError> {
        let mut at = start;
        while at < line.end {
            let rest = &line.text[at..line.end];
            if self.comment {
                let Some(close) = rest.find("*/") else { return Ok(()) };
                self.comment = false;
                at += close + 2;
            } else if rest.starts_with("/*") {
                self.comment = true;
                at += 2;
            } else if rest.starts_with("//") || rest.starts_with('#') {
                return Ok(());
            } else if rest.starts_with("<Buffer ") {
                at += "<Buffer ".len();
            } else if matches!(rest, "\\" | ">") {
                return Ok(());
            } else {
                at += token(line, at, out)?;
            }
        }
        Ok(())
    }
}

/// Reads one run of digits or one separator at byte `at`, and says how long it is.
pub(super) fn token(line: Line<'_>, at: usize, out: &mut Out) -> Result<usize, InputError> {
    let Line { text, end, number, dir } = line;
    let rest = &text[at..end];
    if let Some(separator) = rest.chars().next().filter(|c| c.is_whitespace() || matches!(c, ',' | ';')) {
        return Ok(separator.len_utf8());
    }
    if rest.starts_with("\\x") || rest.starts_with("\\X") {
        let digits = hex_run(&rest[2..]);
        if digits < 2 {
            let bad = at + 2 + digits;
            return Err(fail(text, bad, quote(text, bad), "two hex digits after \\x", ""));
        }
        out.digits(dir, number, &rest[2..4])?;
        return Ok(4);
    }
    let prefix = if rest.starts_with("0x") || rest.starts_with("0X") { 2 } else { 0 };
    let len = hex_run(&rest[prefix..]);
    let (digits, behind) = rest[prefix..].split_at(len);
    if len == 0 {
        let bad = at + prefix;
        return Err(fail(text, bad, quote(text, bad), "hex digits", if prefix == 0 { PROSE } else { "" }));
    }
    // A suffix of C or Rust, as in 0x81u8.
    let suffix = if prefix == 0 {
        0
    } else {
        ["u8", "U", "u"].iter().find(|s| behind.starts_with(**s)).map_or(0, |s| s.len())
    };
    let behind = &behind[suffix..];
    let joined = matches!(behind.as_bytes(), [b':' | b'-', next, ..] if next.is_ascii_hexdigit());
    if !joined
        && !behind.starts_with(|c: char| {
            c.is_whitespace() || matches!(c, ',' | ';' | '\\' | '#' | '/' | '>' | '}' | ']')
        })
        && !behind.is_empty()
    {
        let bad = end - behind.len();
        return Err(fail(text, bad, quote(text, bad), "hex digits", PROSE));
    }
    match len {
        1 if prefix > 0 => out.push(dir, number, &[super::nibble(digits.as_bytes()[0])])?,
        _ if len % 2 == 1 => {
            let decimal = len == 3 && prefix == 0 && digits.bytes().all(|digit| digit.is_ascii_digit());
            let words = if len == 1 { "`{}`, {} hex digit" } else { "`{}`, {} hex digits" };
            let found = Text::with(words, &digits[..len.min(20)]).and(len);
            return Err(fail(
                text,
                at,
                found,
                "an even number, two a byte",
                if decimal { DECIMAL } else { "" },
            ));
        }
        _ => out.digits(dir, number, digits)?,
    }
    if !joined {
        return Ok(prefix + len + suffix);
    }
    // 81:05 and 81-05 join single bytes only; 2024-01-02 is a date.
    let next = hex_run(&behind[1..]);
    if len != 2 || next != 2 {
        let bad = end - behind.len();
        let found = Text::with("`{}`", &behind[..1]);
        return Err(fail(text, bad, found, "`:` or `-` between pairs of hex digits only", ""));
    }
    Ok(prefix + len + suffix + 1)
}
