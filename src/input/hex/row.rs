//! One line of a dump, taken apart.

use super::{fail, hex_run, nibble};
use crate::input::InputError;

/// One line of a dump.
pub(super) struct Row<'t> {
    /// Byte of the text at which the offset begins. Columns count from here.
    pub(super) at: usize,
    /// Line of the text, from 1.
    pub(super) number: u32,
    /// Whether it is as far to the right as what a server sent in a followed stream.
    pub(super) indented: bool,
    /// The offset's digits.
    pub(super) offset: &'t str,
    /// Whether a colon follows the offset, as xxd has it.
    colon: bool,
    /// All that can be bytes, the text column included where it looks like them.
    pub(super) tokens: Vec<Token<'t>>,
    /// What follows the last token.
    pub(super) rest: &'t str,
    /// Where that begins, and how much space precedes it.
    pub(super) rest_column: usize,
    pub(super) rest_gap: usize,
}

/// A run of hex digits in a row.
pub(super) struct Token<'t> {
    /// The digits, an even number.
    pub(super) digits: &'t str,
    column: usize,
    /// Spaces before it.
    gap: usize,
}

impl<'t> Row<'t> {
    /// Takes a line apart, if it can be one of a dump.
    pub(super) fn split(at: usize, line: &'t str, number: u32) -> Option<Self> {
        let body = line.trim_start();
        let indent = &line[..line.len() - body.len()];
        let indented = indent.contains('\t') || indent.len() >= 4;
        let prefix = if body.starts_with("0x") { 2 } else { 0 };
        let digits = hex_run(&body[prefix..]);
        if !(4..=16).contains(&digits) {
            return None;
        }
        let (offset, mut rest) = (&body[prefix..prefix + digits], &body[prefix + digits..]);
        let colon = rest.starts_with(':');
        rest = rest.strip_prefix(':').unwrap_or(rest);
        if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
            return None;
        }
        let mut tokens = Vec::new();
        loop {
            let next = rest.trim_start_matches([' ', '\t']);
            let gap = rest.len() - next.len();
            // A tab is as wide as any gap.
            let gap = if rest[..gap].contains('\t') { gap.max(3) } else { gap };
            let len = hex_run(next);
            let whole = next[len..].is_empty() || next[len..].starts_with([' ', '\t']);
            if !whole || len == 0 || (!colon && len != 2) || len % 2 == 1 {
                let rest_column = body.len() - next.len();
                let at = at + indent.len();
                return Some(Self {
                    at,
                    number,
                    indented,
                    offset,
                    colon,
                    tokens,
                    rest: next,
                    rest_column,
                    rest_gap: gap,
                });
            }
            tokens.push(Token { digits: &next[..len], column: body.len() - next.len(), gap });
            rest = &next[len..];
        }
    }

    /// Spaces between the offset and the first token.
    pub(super) fn first_gap(&self) -> usize {
        self.tokens.first().map_or(0, |token| token.gap)
    }

    /// The offset, read in a radix.
    pub(super) fn offset(&self, radix: u32) -> Option<u64> {
        u64::from_str_radix(self.offset, radix).ok()
    }

    /// Whether it is a row rather than loose hex, seen by itself.
    pub(super) fn is_certain(&self) -> bool {
        if self.tokens.is_empty() {
            return false;
        }
        let zero = self.offset(16) == Some(0);
        let digits = self.offset.len();
        self.colon
            || (self.first_gap() >= 2 && (zero || digits >= 6 || !self.rest.is_empty()))
            || (self.first_gap() == 1 && (digits == 7 || (digits >= 6 && zero)))
    }

    /// How many bytes the first tokens hold.
    pub(super) fn bytes(&self, tokens: usize) -> u64 {
        self.tokens[..tokens].iter().map(|token| token.digits.len() as u64 / 2).sum()
    }

    /// The number of tokens that hold so many bytes, if the row can end there.
    pub(super) fn fits(&self, bytes: u64) -> Option<usize> {
        let ends = |count: usize| count == self.tokens.len() || self.tokens[count].gap >= 2;
        (1..=self.tokens.len()).find(|&count| ends(count) && self.bytes(count) == bytes)
    }

    /// The number of tokens before the text column, as far as the row itself and those before it tell.
    pub(super) fn guess(&self, width: Option<u64>, text_column: Option<usize>) -> usize {
        let cut = (1..self.tokens.len()).find(|&count| {
            let token = &self.tokens[count];
            let middle = !self.colon && self.bytes(count) == 8 && width != Some(8);
            token.gap >= 3
                || (token.gap == 2 && !middle)
                || text_column.is_some_and(|column| token.column >= column)
        });
        cut.unwrap_or(self.tokens.len())
    }

    /// Where the text column begins if the row has so many tokens of bytes, and the text there.
    pub(super) fn text(&self, tokens: usize, body: &'t str) -> (usize, &'t str) {
        let column = self.tokens.get(tokens).map_or(self.rest_column, |token| token.column);
        (column, body.get(column..).unwrap_or_default())
    }
}

/// Whether a line is one of a dump.
pub(super) fn looks_like_row(line: &str) -> bool {
    Row::split(0, line, 1).is_some_and(|row| row.is_certain())
}

/// Whether a line is one of hexdump's or od's with words of 16 bits and more, or octal bytes.
pub(super) fn is_words(line: &str) -> bool {
    let mut parts = line.split_ascii_whitespace();
    let offset = parts.next().unwrap_or_default();
    let first = parts.next().map_or(0, str::len);
    matches!(offset.len(), 6 | 7)
        && offset.bytes().all(|digit| digit == b'0')
        && (3..=8).contains(&first)
        && line.split_ascii_whitespace().skip(1).all(|word| word.len() == first && hex_run(word) == first)
}

/// Refuses groups that are not bytes in order, which the text column gives away.
pub(super) fn check_groups(text: &str, row: &Row<'_>, tokens: usize, column: &str) -> Result<(), InputError> {
    let groups = || row.tokens[..tokens].iter().map(|token| token.digits);
    if !row.colon || groups().all(|digits| digits.len() == 2) {
        return Ok(());
    }
    let bits =
        groups().all(|digits| digits.len() == 8 && digits.bytes().all(|digit| matches!(digit, b'0' | b'1')));
    if bits && column.chars().count() <= tokens && !column.is_empty() {
        return Err(fail(text, row.at, "a dump of bits", "one of hex digits", "use xxd without -b"));
    }
    let shown = |reverse: bool| -> String {
        let mut shown = String::new();
        for digits in groups() {
            let mut bytes: Vec<u8> =
                digits.as_bytes().chunks(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect();
            if reverse {
                bytes.reverse();
            }
            shown.extend(bytes.iter().map(|&b| if (0x20..0x7F).contains(&b) { char::from(b) } else { '.' }));
        }
        shown.trim_end().to_owned()
    };
    let column = column.trim_start();
    if shown(false).trim_start() != column && shown(true).trim_start() == column && !column.is_empty() {
        let found = "a dump of little-endian groups";
        return Err(fail(text, row.at, found, "bytes in order", "use xxd without -e"));
    }
    Ok(())
}
