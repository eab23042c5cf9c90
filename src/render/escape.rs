//! From untrusted text to text that a terminal shows and does not obey.
//!
//! Control characters, marks that reorder text, invisible characters and bytes
//! that are not UTF-8 are written as escapes: `\n`, `\u{1b}`, `\u{202e}`, `\xff`.
//! A backslash in data is doubled, so that an escape cannot be forged. What is
//! left advances the cursor by a known number of columns.

mod plain;

use std::str::Utf8Chunks;

use unicode_width::UnicodeWidthChar;

use self::plain::{Run, is_printable, run};

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

    /// Adds what to show to `out`.
    #[inline]
    pub fn push_to(&self, out: &mut String) {
        match self.len {
            1 => out.push(char::from(self.text[0])),
            _ => out.push_str(self.text()),
        }
    }

    /// Whether it is a space.
    #[inline]
    pub fn is_space(&self) -> bool {
        (self.len, self.text[0]) == (1, b' ')
    }

    /// A character that shows as it is.
    #[inline]
    fn of(c: char, width: usize, bytes: usize) -> Self {
        let mut text = [0; 12];
        let len = c.encode_utf8(&mut text).len() as u8;
        Self { text, len, width: width as u8, bytes: bytes as u8, line_end: false }
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

/// Bytes that are looked at as a whole before any of them is a cell: of more, only the first may be shown.
const WHOLE: usize = 4096;

/// The cells of `bytes`, which may hold anything.
pub fn cells(bytes: &[u8], kind: Kind, ascii: bool) -> Cells<'_> {
    // Nearly everything is valid, and to find that out at once is much cheaper than bit by bit.
    let whole = if bytes.len() <= WHOLE { simdutf8::basic::from_utf8(bytes).ok() } else { None };
    let (valid, chunks) = whole.map_or(("", bytes), |text| (text, &[][..]));
    Cells {
        chunks: chunks.utf8_chunks(),
        valid: valid.chars(),
        invalid: [].iter(),
        before: '\0',
        marks: MARKS,
        kind,
        ascii,
    }
}

/// The cells of the tool's own words.
pub fn words(words: &str, ascii: bool) -> Cells<'_> {
    let (chunks, kind) = ([].utf8_chunks(), Kind::Words);
    Cells { chunks, valid: words.chars(), invalid: [].iter(), before: '\0', marks: MARKS, kind, ascii }
}

/// Data, if it shows as it is, a byte a column, and is not too long to be looked at as a whole.
pub fn plain_data(bytes: &[u8]) -> Option<&str> {
    if bytes.len() > WHOLE || !is_printable::<true>(bytes) {
        return None;
    }
    simdutf8::basic::from_utf8(bytes).ok()
}

/// Columns that `words` take on the page.
#[inline]
pub fn columns(words: &str, ascii: bool) -> usize {
    as_they_are(words, ascii).unwrap_or_else(|| columns_of_cells(words, ascii))
}

/// Columns that `words` take if they show as they are.
#[inline]
pub fn as_they_are(words: &str, ascii: bool) -> Option<usize> {
    if is_printable::<false>(words.as_bytes()) {
        return Some(words.len());
    }
    let run = run::<false>(words, ascii, usize::MAX);
    (run.text.len() == words.len()).then_some(run.columns)
}

fn columns_of_cells(words: &str, ascii: bool) -> usize {
    let (mut all, mut columns) = (self::words(words, ascii), 0);
    loop {
        columns += all.run(usize::MAX).columns;
        let Some(cell) = all.next() else { return columns };
        columns += usize::from(cell.width);
    }
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
    chunks: Utf8Chunks<'a>,
    valid: std::str::Chars<'a>,
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
        loop {
            if let Some(c) = self.valid.next() {
                return Some(self.character(c));
            }
            if let Some(&byte) = self.invalid.next() {
                (self.before, self.marks) = ('\0', 0);
                return Some(Cell::coded("\\x", u32::from(byte), 2, "", 1));
            }
            let chunk = self.chunks.next()?;
            self.valid = chunk.valid().chars();
            self.invalid = chunk.invalid().iter();
        }
    }
}

impl<'a> Cells<'a> {
    /// What comes next as far as it shows as it is, a cell a column, but at most so many.
    pub fn run(&mut self, most: usize) -> Run<'a> {
        if self.valid.as_str().is_empty() && self.invalid.as_slice().is_empty() {
            let Some(chunk) = self.chunks.next() else { return Run { text: "", columns: 0 } };
            self.valid = chunk.valid().chars();
            self.invalid = chunk.invalid().iter();
        }
        let rest = self.valid.as_str();
        let run = match self.kind {
            Kind::Data => run::<true>(rest, self.ascii, most),
            Kind::Words => run::<false>(rest, self.ascii, most),
        };
        if let Some(last) = run.text.chars().next_back() {
            (self.before, self.marks) = (last, 0);
            self.valid = rest[run.text.len()..].chars();
        }
        run
    }

    #[inline]
    fn character(&mut self, c: char) -> Cell {
        if let ' '..='~' = c {
            (self.before, self.marks) = (c, 0);
            if c != '\\' || self.kind == Kind::Words {
                return Cell::of(c, 1, 1);
            }
            return Cell::new("\\\\", 2, 1);
        }
        self.unusual(c)
    }

    /// Anything but printable ASCII.
    fn unusual(&mut self, c: char) -> Cell {
        let before = std::mem::replace(&mut self.before, c);
        let bytes = c.len_utf8();
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
            return Cell::of(c, 1, bytes);
        }
        match c.width() {
            Some(0) if self.marks < MARKS && !is_deceptive(c) => {
                self.marks += 1;
                Cell::of(c, 0, bytes)
            }
            Some(width @ 1..) if !is_deceptive(c) => {
                self.marks = 0;
                Cell::of(c, width, bytes)
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
    use super::plain::is_own;
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
    fn own_glyphs_are_those_that_are_spelt() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_own(c), !transliterated(c).is_empty(), "{c:?}");
            assert!(!is_own(c) || c.width() == Some(1) && !is_deceptive(c), "{c:?}");
        }
    }

    #[test]
    fn a_cut_character_is_left_off() {
        assert_eq!(whole_characters("a好".as_bytes()), "a好".as_bytes());
        assert_eq!(whole_characters(&"a好".as_bytes()[..3]), b"a");
        assert_eq!(whole_characters(b"a\x80\x80"), b"a\x80\x80");
        assert_eq!(whole_characters(b""), b"");
    }

    #[test]
    fn words_show_as_they_are_if_each_of_their_cells_does() {
        for odd in [
            "", "~", " ", "\\", "\u{1f}", "\u{7f}", "é", "\u{301}", "\u{200b}", "…", "你", "\u{ff}", "\u{80}",
        ] {
            for (before, behind) in (0..20).flat_map(|before| [0, 1, 7, 8, 9].map(|behind| (before, behind)))
            {
                let text = format!("{}{odd}{}", &"§5.2 of an RFC, not §1"[..before + 2], "x".repeat(behind));
                let plain = text.trim_start_matches('§');
                for (text, ascii) in [(&*text, false), (&*text, true), (plain, false), (plain, true)] {
                    let cells = || words(text, ascii);
                    let shown: String = cells().map(|cell| cell.text().to_owned()).collect();
                    let taken = cells().map(|cell| usize::from(cell.width)).sum();
                    assert_eq!(columns(text, ascii), taken, "{text:?}");
                    if let Some(columns) = as_they_are(text, ascii) {
                        assert_eq!((&*shown, taken), (text, columns));
                    }
                    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
                    assert!(!is_plain || as_they_are(text, ascii).is_some(), "{text:?}");
                }
            }
        }
    }

    /// What ends a run, at each place of a word.
    const LONG: &str =
        "12345678\x7f1234567\x1f123456\\12345é1234…\u{301}123\n12\u{200b}1…→ §5.2 \u{2764}\u{fe0f}";

    #[test]
    fn runs_of_plain_characters_are_the_same_cells() {
        for text in [
            "Hello, \\ wörld\u{301}\u{301} \u{1b}[2J → §5.2\n",
            "e\u{301}",
            "",
            "\\\\",
            "plain",
            "\u{301}x",
            LONG,
        ] {
            for bytes in [text.as_bytes().to_vec(), [b"a\xff", text.as_bytes(), b"\xc3"].concat()] {
                for (kind, ascii) in
                    [(Kind::Data, false), (Kind::Words, false), (Kind::Data, true), (Kind::Words, true)]
                {
                    for most in [0, 1, 3, usize::MAX] {
                        let mut all = cells(&bytes, kind, ascii);
                        let (mut shown, mut columns) = (String::new(), 0);
                        loop {
                            let run = all.run(most);
                            assert!(run.columns <= most);
                            shown.push_str(run.text);
                            columns += run.columns;
                            let Some(cell) = all.next() else { break };
                            cell.push_to(&mut shown);
                            columns += usize::from(cell.width);
                        }
                        let cells: Vec<Cell> = cells(&bytes, kind, ascii).collect();
                        assert_eq!(shown, cells.iter().map(Cell::text).collect::<String>());
                        assert_eq!(columns, cells.iter().map(|cell| usize::from(cell.width)).sum::<usize>());
                    }
                }
            }
        }
    }
}
