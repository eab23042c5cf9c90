//! From untrusted text to text that a terminal shows and does not obey.
//!
//! Control characters, marks that reorder text, invisible characters and bytes
//! that are not UTF-8 are written as escapes: `\n`, `\u{1b}`, `\u{202e}`, `\xff`.
//! A backslash in data is doubled, so that an escape cannot be forged. What is
//! left advances the cursor by a known number of columns.

use unicode_width::UnicodeWidthChar;

/// Marks that may stand on one character. Scripts need three or four; without an
/// end, one column would take any number of bytes.
const MARKS: u8 = 4;

/// Whose text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From the wire: a backslash is doubled.
    Data,
    /// The tool's own words, which may quote the wire: a backslash stands for itself.
    Words,
}

/// The smallest piece of escaped text that is not broken over lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    text: [u8; 12],
    len: u8,
    /// Columns it takes; 0 for a mark on the cell before.
    pub width: u8,
    /// Bytes of the original that it stands for.
    pub bytes: u8,
    /// Whether the original ends a line here.
    pub line_end: bool,
}

impl Cell {
    /// What to show: printable, of the width given.
    pub fn text(&self) -> &str {
        // Built from `char`s and ASCII only.
        str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }

    /// Writes [`Self::text`] to the end of `to`.
    #[inline]
    pub fn append_to(&self, to: &mut String) {
        if self.len == 1 {
            to.push(char::from(self.text[0]));
        } else {
            to.push_str(self.text());
        }
    }

    /// Whether it is a space.
    #[inline]
    pub fn is_space(&self) -> bool {
        self.text[0] == b' '
    }

    /// A printable character of ASCII, which stands for itself.
    #[inline]
    fn ascii(byte: u8) -> Self {
        let mut text = [0; 12];
        text[0] = byte;
        Self { text, len: 1, width: 1, bytes: 1, line_end: false }
    }

    fn new(text: &str, width: usize, bytes: usize) -> Self {
        let mut cell = Self {
            text: [0; 12],
            len: text.len() as u8,
            width: width as u8,
            bytes: bytes as u8,
            line_end: false,
        };
        cell.text[..text.len()].copy_from_slice(text.as_bytes());
        cell
    }

    /// `before`, `value` in hex of at least `digits`, `after`; all ASCII.
    fn coded(before: &str, value: u32, digits: u32, after: &str, bytes: usize) -> Self {
        let mut cell = Self::new(before, 0, bytes);
        let mut push = |byte: u8| {
            cell.text[usize::from(cell.len)] = byte;
            cell.len += 1;
        };
        let digits = digits.max((32 - value.leading_zeros()).div_ceil(4));
        for digit in (0..digits).rev() {
            push(b"0123456789abcdef"[(value >> (4 * digit) & 0xF) as usize]);
        }
        after.bytes().for_each(&mut push);
        cell.width = cell.len;
        cell
    }
}

/// The cells of `bytes`, which may hold anything.
pub fn cells(bytes: &[u8], kind: Kind, ascii: bool) -> Cells<'_> {
    Cells { rest: bytes, invalid: [].iter(), before: '\0', marks: MARKS, kind, ascii }
}

/// Columns that `words` take on the page.
pub fn columns(words: &str, ascii: bool) -> usize {
    if is_plain(words) {
        return words.len();
    }
    cells(words.as_bytes(), Kind::Words, ascii).map(|cell| usize::from(cell.width)).sum()
}

/// Whether `words` are printable ASCII, so that bytes are columns.
pub fn is_plain(words: &str) -> bool {
    words.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// `bytes` without a character that a cut left incomplete at their end.
pub fn whole_characters(bytes: &[u8]) -> &[u8] {
    for back in 1..=bytes.len().min(3) {
        let at = bytes.len() - back;
        let needed = match bytes[at] {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            0x80..=0xBF => continue,
            _ => 1,
        };
        return if needed > back { &bytes[..at] } else { bytes };
    }
    bytes
}

/// See [`cells`].
#[derive(Debug)]
pub struct Cells<'a> {
    rest: &'a [u8],
    /// Bytes before it that are no UTF-8.
    invalid: std::slice::Iter<'a, u8>,
    before: char,
    marks: u8,
    kind: Kind,
    ascii: bool,
}

impl Iterator for Cells<'_> {
    type Item = Cell;

    #[inline]
    fn next(&mut self) -> Option<Cell> {
        // Nearly all text is printable ASCII.
        if let [byte @ b' '..=b'~', rest @ ..] = self.rest
            && !(*byte == b'\\' && self.kind == Kind::Data)
            && self.invalid.as_slice().is_empty()
        {
            (self.before, self.marks) = (char::from(*byte), 0);
            self.rest = rest;
            return Some(Cell::ascii(*byte));
        }
        self.next_of_any()
    }
}

impl Cells<'_> {
    fn next_of_any(&mut self) -> Option<Cell> {
        loop {
            if let Some(&byte) = self.invalid.next() {
                (self.before, self.marks) = ('\0', 0);
                return Some(Cell::coded("\\x", u32::from(byte), 2, "", 1));
            }
            // A character, or what is none, shows within the longest one there can be.
            let chunk = self.rest[..self.rest.len().min(4)].utf8_chunks().next()?;
            if let Some(c) = chunk.valid().chars().next() {
                self.rest = &self.rest[c.len_utf8()..];
                return Some(self.character(c));
            }
            let (invalid, rest) = self.rest.split_at(chunk.invalid().len());
            (self.invalid, self.rest) = (invalid.iter(), rest);
        }
    }

    fn character(&mut self, c: char) -> Cell {
        let before = std::mem::replace(&mut self.before, c);
        let bytes = c.len_utf8();
        if let ' '..='~' = c {
            self.marks = 0;
            return match (c, self.kind) {
                ('\\', Kind::Data) => Cell::new("\\\\", 2, 1),
                _ => Cell::new(c.encode_utf8(&mut [0; 4]), 1, 1),
            };
        }
        let named = match c {
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ => "",
        };
        if !named.is_empty() {
            self.marks = MARKS;
            return Cell { line_end: c == '\n', ..Cell::new(named, 2, 1) };
        }
        if self.ascii {
            let plain = if self.kind == Kind::Words { transliterated(c) } else { "" };
            return if plain.is_empty() { coded(c) } else { Cell::new(plain, plain.len(), bytes) };
        }
        // The variation selector that turns a symbol into an emoji widens it.
        if c == '\u{fe0f}' && matches!(before, '\u{203c}'..='\u{3299}') {
            return Cell::new(c.encode_utf8(&mut [0; 4]), 1, bytes);
        }
        match c.width() {
            Some(0) if self.marks < MARKS && !is_deceptive(c) => {
                self.marks += 1;
                Cell::new(c.encode_utf8(&mut [0; 4]), 0, bytes)
            }
            Some(width @ 1..) if !is_deceptive(c) => {
                self.marks = 0;
                Cell::new(c.encode_utf8(&mut [0; 4]), width, bytes)
            }
            _ => {
                self.marks = 0;
                coded(c)
            }
        }
    }
}

fn coded(c: char) -> Cell {
    Cell::coded("\\u{", u32::from(c), 1, "}", c.len_utf8())
}

/// What the tool's own glyphs become without Unicode.
fn transliterated(c: char) -> &'static str {
    match c {
        '→' => "->",
        '←' => "<-",
        '–' | '·' | '−' => "-",
        '—' => "--",
        '…' => "...",
        '“' | '”' => "\"",
        '‘' | '’' => "'",
        '×' | '✗' => "x",
        '✓' => "+",
        '§' => "sec. ",
        '≥' => ">=",
        '≤' => "<=",
        'µ' => "u",
        _ => "",
    }
}

/// Characters that change what is seen around them, that nobody sees, or whose
/// looks are nobody's agreement: controls, bidirectional formatting (UAX #9),
/// default ignorables, separators, private use, noncharacters.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..)
        || u32::from(c) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    fn shown(bytes: &[u8]) -> String {
        cells(bytes, Kind::Data, false).map(|cell| cell.text().to_owned()).collect()
    }

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        for (bytes, expected) in [
            (&b"plain {\"a\": 1}"[..], "plain {\"a\": 1}"),
            (b"a\r\nb\tc\0", "a\\r\\nb\\tc\\u{0}"),
            (b"\x1b[2J\x7f", "\\u{1b}[2J\\u{7f}"),
            ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
            ("abc\u{202e}fed\u{2066}\u{200f}\u{61c}".as_bytes(), "abc\\u{202e}fed\\u{2066}\\u{200f}\\u{61c}"),
            ("a\u{200b}b\u{2028}c\u{feff}\u{e0041}".as_bytes(), "a\\u{200b}b\\u{2028}c\\u{feff}\\u{e0041}"),
            ("\u{e000}\u{10ffff}\u{ffff}".as_bytes(), "\\u{e000}\\u{10ffff}\\u{ffff}"),
            (b"\\n is not a line end", "\\\\n is not a line end"),
            (b"\xff\xe4\xbdok", "\\xff\\xe4\\xbdok"),
            ("你好, мир".as_bytes(), "你好, мир"),
            ("\u{2764}\u{fe0f} a\u{fe0f}".as_bytes(), "\u{2764}\u{fe0f} a\\u{fe0f}"),
        ] {
            assert_eq!(shown(bytes), expected);
        }
    }

    #[test]
    fn marks_stand_on_something_and_come_to_an_end() {
        assert_eq!(shown("e\u{301}".as_bytes()), "e\u{301}");
        assert_eq!(shown("\u{301}".as_bytes()), "\\u{301}");
        let stacked = format!("e{}", "\u{301}".repeat(9));
        assert!(shown(stacked.as_bytes()).starts_with("e\u{301}\u{301}\u{301}\u{301}\\u{301}"));
    }

    #[test]
    fn every_character_is_shown_in_the_width_it_says_and_gives_its_bytes_back() {
        for c in '\0'..=char::MAX {
            let mut buffer = [0; 4];
            let text = c.encode_utf8(&mut buffer);
            for ascii in [false, true] {
                let mut all = cells(text.as_bytes(), Kind::Data, ascii);
                let cell = all.next().unwrap();
                assert_eq!(all.next(), None);
                assert_eq!(usize::from(cell.bytes), text.len(), "{c:?}");
                assert_eq!(usize::from(cell.width), cell.text().width(), "{c:?}");
                assert!(!cell.text().chars().any(char::is_control), "{c:?}");
                assert!(!ascii || cell.text().is_ascii(), "{c:?}");
            }
        }
    }

    #[test]
    fn ascii_spells_the_tools_own_glyphs() {
        let words: String = cells("client → server §5.2 5–9 你\\".as_bytes(), Kind::Words, true)
            .map(|cell| cell.text().to_owned())
            .collect();
        assert_eq!(words, "client -> server sec. 5.2 5-9 \\u{4f60}\\");
    }

    #[test]
    fn a_cut_character_is_left_off() {
        assert_eq!(whole_characters("a好".as_bytes()), "a好".as_bytes());
        assert_eq!(whole_characters(&"a好".as_bytes()[..3]), b"a");
        assert_eq!(whole_characters(b"a\x80\x80"), b"a\x80\x80");
        assert_eq!(whole_characters(b""), b"");
    }
}
