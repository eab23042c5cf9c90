//! Writing JSON by hand, into one reused buffer.
//!
//! A record is some thirty keys and as many short values, so the cost is in the
//! number of small copies, not in the bytes: literals are copied with a length
//! the compiler knows, numbers are made eight digits at a time, and strings are
//! escaped a word at a time.

use std::fmt::Write as _;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::escape::{SCRATCH, Scratch, escape};

/// Bytes gathered before they are handed on: enough that system calls do not count.
const SPILL: usize = 64 * 1024;

/// Bytes of a long string that are escaped before the buffer is looked at again. Divisible by 3, for Base64.
pub(super) const PIECE: usize = 12 * 1024;

/// The largest whole number that every JSON reader keeps exact (RFC 8259 §6 recommends the range of a double).
const EXACT: u64 = 1 << 53;

/// A JSON writer that gathers what it writes and hands it on in large pieces.
///
/// The first error of the underlying writer stops all output and is kept for
/// [`Writer::flush`] or [`Writer::finish`].
#[derive(Debug)]
pub(crate) struct Writer<W> {
    buf: Vec<u8>,
    scratch: Box<Scratch>,
    to: W,
    error: Option<io::Error>,
    spills: u64,
}

/// Where some bytes stand in a [`Writer`]'s buffer, as long as it has not been handed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    spills: u64,
    start: usize,
    end: usize,
}

impl<W: Write> Writer<W> {
    /// A writer over `to`.
    pub fn new(to: W) -> Self {
        let buf = Vec::with_capacity(2 * SPILL);
        Self { buf, scratch: Box::new(SCRATCH), to, error: None, spills: 0 }
    }

    /// Whether the underlying writer has failed.
    pub fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// Ends a record: hands the buffer on if it is full.
    #[inline]
    pub fn settle(&mut self) {
        if self.buf.len() >= SPILL {
            self.spill();
        }
    }

    /// Hands on everything written so far and flushes the underlying writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.spill();
        match self.error.take() {
            Some(error) => Err(error),
            None => self.to.flush(),
        }
    }

    /// Flushes and gives the underlying writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.to)
    }

    /// What has been handed on.
    #[cfg(test)]
    pub fn handed_on(&self) -> &W {
        &self.to
    }

    #[cold]
    fn spill(&mut self) {
        if self.error.is_none()
            && let Err(error) = self.to.write_all(&self.buf)
        {
            self.error = Some(error);
        }
        self.buf.clear();
        self.spills += 1;
    }

    /// Writes JSON as it is.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "only inlined does a literal's length become a constant")]
    pub fn raw(&mut self, json: &str) {
        self.buf.extend_from_slice(json.as_bytes());
    }

    /// Writes `true` or `false`.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        if value { self.raw("true") } else { self.raw("false") }
    }

    /// Writes a whole number; above 2^53 as a decimal string, since readers that
    /// hold numbers as doubles would round it.
    #[inline]
    pub fn number(&mut self, value: u64) {
        if value <= EXACT {
            self.digits(value);
        } else {
            self.raw("\"");
            self.digits(value);
            self.raw("\"");
        }
    }

    /// Writes a number, or `null`.
    pub fn optional(&mut self, value: Option<u64>) {
        match value {
            Some(value) => self.number(value),
            None => self.raw("null"),
        }
    }

    /// Writes nanoseconds as seconds with nine places, in quotes.
    #[inline]
    pub fn seconds(&mut self, nanos: u64) {
        self.raw("\"");
        self.digits(nanos / 1_000_000_000);
        let fraction = nanos % 1_000_000_000;
        let first = b'0' + (fraction / 100_000_000) as u8;
        self.buf.extend_from_slice(&[b'.', first]);
        let rest = eight_digits((fraction % 100_000_000) as u32);
        self.buf.extend_from_slice(&(rest + ASCII_ZEROS).to_le_bytes());
        self.raw("\"");
    }

    /// Writes what `value` displays, as a string. Not for hot paths.
    pub fn display(&mut self, value: impl std::fmt::Display) {
        let mut text = String::new();
        // A String takes everything.
        let _ = write!(text, "{value}");
        self.string(&text);
    }

    /// Writes what a value displays, or `null`.
    pub fn optional_display(&mut self, value: Option<impl std::fmt::Display>) {
        match value {
            Some(value) => self.display(value),
            None => self.raw("null"),
        }
    }

    /// Writes a string or `null`.
    pub fn optional_string(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.string(value),
            None => self.raw("null"),
        }
    }

    /// Writes a string.
    ///
    /// Besides what JSON demands, everything that could play tricks on a terminal
    /// is escaped: DEL, C1 controls, bidirectional marks, line and paragraph separators.
    #[inline]
    pub fn string(&mut self, value: &str) {
        self.raw("\"");
        let mut rest = value;
        while rest.len() > PIECE {
            let (piece, tail) = rest.split_at(boundary(rest, PIECE));
            escape(piece, &mut self.scratch, &mut self.buf);
            self.settle();
            rest = tail;
        }
        escape(rest, &mut self.scratch, &mut self.buf);
        self.raw("\"");
    }

    /// Writes something and says where it stands, so that it can be written once more with [`Writer::again`].
    #[inline]
    pub fn marking(&mut self, write: impl FnOnce(&mut Self)) -> Mark {
        let (spills, start) = (self.spills, self.buf.len());
        write(self);
        Mark { spills, start, end: self.buf.len() }
    }

    /// Writes what was written before. `false`, and nothing written, when it is no longer in the buffer.
    #[inline]
    pub fn again(&mut self, mark: Mark) -> bool {
        let here = mark.spills == self.spills;
        if here {
            self.buf.extend_from_within(mark.start..mark.end);
        }
        here
    }

    /// Writes bytes as a string in Base64, with padding (RFC 4648 §4).
    pub fn base64(&mut self, bytes: &[u8]) {
        self.raw("\"");
        for piece in bytes.chunks(PIECE) {
            let start = self.buf.len();
            self.buf.resize(start + piece.len().div_ceil(3) * 4, 0);
            // The room is exactly what is needed.
            let _ = STANDARD.encode_slice(piece, &mut self.buf[start..]);
            self.settle();
        }
        self.raw("\"");
    }

    /// Writes a masking key as a string of eight lower-case hexadecimal digits.
    #[inline]
    pub fn key(&mut self, key: [u8; 4]) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = *b"\"________\"";
        for (i, byte) in key.iter().enumerate() {
            text[1 + 2 * i] = HEX[usize::from(byte >> 4)];
            text[2 + 2 * i] = HEX[usize::from(byte & 15)];
        }
        self.buf.extend_from_slice(&text);
    }

    /// Writes decimal digits. A fixed eight bytes are copied and the surplus dropped:
    /// far cheaper than a copy of unknown length.
    #[inline]
    fn digits(&mut self, value: u64) {
        if value < 10 {
            self.buf.push(b'0' + value as u8);
        } else if value < 100_000_000 {
            let digits = eight_digits(value as u32);
            let leading = digits.trailing_zeros() / 8;
            self.buf.extend_from_slice(&((digits + ASCII_ZEROS) >> (8 * leading)).to_le_bytes());
            self.buf.truncate(self.buf.len() - leading as usize);
        } else {
            self.digits_of_long(value);
        }
    }

    fn digits_of_long(&mut self, value: u64) {
        self.digits(value / 100_000_000);
        let low = eight_digits((value % 100_000_000) as u32);
        self.buf.extend_from_slice(&(low + ASCII_ZEROS).to_le_bytes());
    }
}

/// The last character boundary at or before `at`.
fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

const ASCII_ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight decimal digits of a number below 10^8, one a byte, the first in the lowest byte.
/// Halves, quarters and eighths are split by multiplication in parallel lanes.
fn eight_digits(value: u32) -> u64 {
    let fours = u64::from(value / 10_000) | u64::from(value % 10_000) << 32;
    let hundreds = (fours * 10_486) >> 20 & 0x0000_007F_0000_007F;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = (twos * 103) >> 10 & 0x000F_000F_000F_000F;
    tens | (twos - 10 * tens) << 8
}

<<<<<<< HEAD
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Room for escaping [`RUN`] bytes, each becoming at most two.
const SCRATCH: usize = 2 * RUN + 8;
const RUN: usize = 512;

/// Appends `text`, escaped, to `buf`.
fn escape(text: &str, scratch: &mut [u8; SCRATCH], buf: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let plain = escape_run(rest, scratch, buf);
        rest = &rest[plain..];
        if !rest.is_empty() {
            let odd = escape_odd(rest, buf);
            rest = &rest[odd..];
        }
    }
}

/// Appends bytes of `text` until one comes that this fast path does not know: a
/// control character, or one that may begin a character that is [`hidden`]. Returns how many were taken.
#[inline]
fn escape_run(text: &[u8], scratch: &mut [u8; SCRATCH], buf: &mut Vec<u8>) -> usize {
    let mut taken = 0;
    for run in text.chunks(RUN) {
        let (mut at, mut whole) = (0, true);
        let words = run.chunks_exact(8);
        let tail = words.remainder();
        for word in words {
            let bytes: [u8; 8] = word.try_into().unwrap_or_default();
            let word = u64::from_le_bytes(bytes);
            if odd(word) {
                whole = false;
                break;
            }
            // The word is stored whole; at each quote the rest of it moves on by one.
            let mut escaped = (equal(word, b'"') | equal(word, b'\\')) >> 7;
            let (mut word, end) = (word, at + 8);
            scratch[at..at + 8].copy_from_slice(&bytes);
            let mut inserted = 0;
            while escaped != 0 {
                let skip = escaped.trailing_zeros();
                word >>= skip;
                escaped >>= skip;
                at += (skip / 8) as usize;
                scratch[at] = b'\\';
                at += 1;
                scratch[at..at + 8].copy_from_slice(&word.to_le_bytes());
                escaped ^= 1;
                inserted += 1;
            }
            at = end + inserted;
            taken += 8;
        }
        if whole {
            for &byte in tail {
                if ODD[usize::from(byte)] {
                    whole = false;
                    break;
                }
                scratch[at % SCRATCH] = b'\\';
                at += usize::from(byte == b'"' || byte == b'\\');
                scratch[at % SCRATCH] = byte;
                at += 1;
                taken += 1;
            }
        }
        buf.extend_from_slice(&scratch[..at]);
        if !whole {
            break;
        }
    }
    taken
}

/// The high bit of each byte that equals `byte`, in a word.
fn equal(word: u64, byte: u8) -> u64 {
    let differing = word ^ (ONES * u64::from(byte));
    // Only the seven low bits go through the subtraction, so that no borrow crosses bytes.
    !(((differing & !HIGHS) + (HIGHS - ONES)) | differing) & HIGHS
}

/// Whether any byte of a word is not for the fast path.
fn odd(word: u64) -> bool {
    let low = word & !HIGHS;
    let control = !((low + (HIGHS - ONES * 0x20)) | word) & HIGHS;
    let mut odd = control | equal(word, 0x7F);
    if word & HIGHS != 0 {
        odd |= equal(word, 0xC2) | equal(word, 0xD8) | equal(word, 0xE2);
    }
    odd != 0
}

/// The same for single bytes: controls, DEL, and the first bytes of characters that may be [`hidden`].
static ODD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte < 0x20 || matches!(byte, 0x7F | 0xC2 | 0xD8 | 0xE2);
        byte += 1;
    }
    table
};

/// Appends about a word of `text`, byte by byte. Returns how many bytes were taken.
///
/// `text` is the end of a str, but may begin inside a character that the fast path
/// has passed the beginning of; such continuation bytes go through as they are.
#[inline(never)]
fn escape_odd(text: &[u8], buf: &mut Vec<u8>) -> usize {
    let mut taken = 0;
    while taken < 8 && taken < text.len() {
        let rest = &text[taken..];
        let (code, length) = match *rest {
            [b'"', ..] => (b'"', 1),
            [b'\\', ..] => (b'\\', 1),
            [b'\n', ..] => (b'n', 1),
            [b'\r', ..] => (b'r', 1),
            [b'\t', ..] => (b't', 1),
            [0x08, ..] => (b'b', 1),
            [0x0C, ..] => (b'f', 1),
            _ => match hidden(rest) {
                Some((unit, length)) => {
                    let hex = |shift: u32| b"0123456789abcdef"[usize::from(unit >> shift & 15)];
                    buf.extend_from_slice(&[b'\\', b'u', hex(12), hex(8), hex(4), hex(0)]);
                    taken += length;
                    continue;
                }
                None => {
                    buf.push(rest[0]);
                    taken += 1;
                    continue;
                }
            },
        };
        buf.extend_from_slice(&[b'\\', code]);
        taken += length;
    }
    taken
}

/// The character at the front, if it must not reach a terminal, and its length in bytes:
/// C0 and C1 controls, DEL, U+061C, U+200E and U+200F, U+2028 to U+202E, U+2066 to U+2069.
fn hidden(text: &[u8]) -> Option<(u16, usize)> {
    match *text {
        [byte @ (..0x20 | 0x7F), ..] => Some((u16::from(byte), 1)),
        [0xC2, byte @ 0x80..=0x9F, ..] => Some((u16::from(byte), 2)),
        [0xD8, 0x9C, ..] => Some((0x061C, 2)),
        [0xE2, 0x80, byte @ (0x8E | 0x8F | 0xA8..=0xAE), ..] => Some((0x2000 + u16::from(byte - 0x80), 3)),
        [0xE2, 0x81, byte @ 0xA6..=0xA9, ..] => Some((0x2040 + u16::from(byte - 0x80), 3)),
        _ => None,
    }
}

=======
>>>>>>> json
#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer<Vec<u8>>)) -> String {
        let mut writer = Writer::new(Vec::new());
        write(&mut writer);
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn numbers_are_exact_at_every_length() {
        let mut values = vec![0, EXACT - 1, EXACT, EXACT + 1, (1 << 63) - 1, 1 << 63, u64::MAX];
        let mut power: u64 = 1;
        while let Some(next) = power.checked_mul(10) {
            values.extend([power - 1, power, power + 1, power * 9 + power / 7]);
            power = next;
        }
        for value in values {
            let digits = value.to_string();
            let expected = if value <= 9_007_199_254_740_992 { digits } else { format!("\"{digits}\"") };
            assert_eq!(written(|w| w.number(value)), expected);
        }
    }

    #[test]
    fn seconds_keep_their_nine_places() {
        for (nanos, text) in [
            (0, "\"0.000000000\""),
            (1, "\"0.000000001\""),
            (1_699_595_771_123_456_789, "\"1699595771.123456789\""),
            (5_000_000_000, "\"5.000000000\""),
            (u64::MAX, "\"18446744073.709551615\""),
        ] {
            assert_eq!(written(|w| w.seconds(nanos)), text);
        }
    }

    #[test]
<<<<<<< HEAD
    fn what_would_act_on_a_terminal_is_escaped() {
        for (text, json) in [
            ("Hello", r#""Hello""#),
            ("say \"hi\" \\o/", r#""say \"hi\" \\o/""#),
            ("\u{0}\u{1b}[2J\u{7f}", r#""\u0000\u001b[2J\u007f""#),
            ("\u{8}\t\n\u{c}\r", r#""\b\t\n\f\r""#),
            ("\u{85}\u{9b}m\u{a0}", "\"\\u0085\\u009bm\u{a0}\""),
            ("a\u{202e}b\u{2066}c\u{200f}d\u{61c}", r#""a\u202eb\u2066c\u200fd\u061c""#),
            ("\u{2028}\u{2029}\u{2027}\u{202f}\u{206a}", "\"\\u2028\\u2029\u{2027}\u{202f}\u{206a}\""),
            ("你好，“世界” 😀", "\"你好，“世界” 😀\""),
        ] {
            assert_eq!(written(|w| w.string(text)), json);
        }
    }

    /// Every awkward character at every place of a word, a run and a piece.
    #[test]
    fn strings_come_back_as_they_were() {
        let awkward = [
            "\"", "\\", "\n", "\u{0}", "\u{1f}", "\u{7f}", "\u{9b}", "ß", "؜", "\u{2028}", "…", "😀", "\"\\\"",
        ];
        for around in (0..20).chain([RUN - 3, RUN - 1, RUN, PIECE - 2, PIECE - 1, PIECE, 3 * PIECE + 1]) {
            for odd in awkward {
                let text = format!(
                    "{}{odd}{odd}{}",
                    "é".repeat(around / 2) + &"x".repeat(around % 2),
                    "y".repeat(11)
                );
                let json = written(|w| w.string(&text));
                assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text, "{json}");
            }
        }
    }

    #[test]
=======
>>>>>>> json
    fn base64_of_long_input_is_one_string() {
        let bytes: Vec<u8> = (0..3 * PIECE + 7).map(|i| (i % 251) as u8).collect();
        let json = written(|w| w.base64(&bytes));
        assert_eq!(json, format!("\"{}\"", STANDARD.encode(&bytes)));
        assert_eq!(written(|w| w.base64(&[])), "\"\"");
    }

    #[test]
    fn a_string_can_be_repeated_until_it_is_handed_on() {
        let mut writer = Writer::new(Vec::new());
        let mark = writer.marking(|w| w.string("a\"b"));
        assert!(writer.again(mark));
        writer.flush().unwrap();
        assert!(!writer.again(mark));
        let long = writer.marking(|w| w.string(&"x".repeat(3 * SPILL)));
        assert!(!writer.again(long));
        writer.to.truncate(12);
        writer.buf.clear();
        assert_eq!(writer.finish().unwrap(), br#""a\"b""a\"b""#);
    }

    #[test]
    fn an_error_is_kept_and_told() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writer = Writer::new(Broken);
        writer.string(&"x".repeat(10 * SPILL));
        assert!(writer.failed());
        assert_eq!(writer.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
