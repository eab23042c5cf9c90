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

/// The largest whole number that every JSON reader keeps exact (RFC 8259 §6 recommends the range of a
/// double).
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
    /// The second that was written last, most times being of the same: its lower and upper digits.
    second: (u64, Short, Short),
    /// The number that was written last, if it is [`Short`] and has two digits at least.
    number: (u64, Short),
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
        let zero = Short::of(0);
        let (second, number) = ((0, zero, zero), (0, zero));
        Self { buf, scratch: Box::new(SCRATCH), to, error: None, spills: 0, second, number }
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

    /// Writes a key that is not known before, and its colon: a `first` member has no comma before it.
    pub fn named(&mut self, first: bool, key: &'static str) {
        if !first {
            self.raw(",");
        }
        self.word(key);
        self.raw(":");
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

    /// Writes nanoseconds as seconds with nine places, in quotes.
    #[inline]
    pub fn seconds(&mut self, nanos: u64) {
        let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        if self.second.0 != seconds {
            self.second = (seconds, Short::of(seconds % SHORT), Short::of(seconds / SHORT));
        }
        let (_, low, high) = self.second;
        self.raw("\"");
        if seconds >= SHORT {
            self.short(high);
            self.buf.extend_from_slice(&low.all());
        } else {
            self.short(low);
        }
        let mut text = *b".#########\"";
        text[1] = b'0' + (fraction / SHORT) as u8;
        text[2..10].copy_from_slice(&Short::of(fraction % SHORT).all());
        self.buf.extend_from_slice(&text);
    }

    /// Writes a word of this program's own as a string: there is nothing in it to escape.
    #[inline]
    pub fn word(&mut self, word: &'static str) {
        debug_assert!(
            word.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte)),
            "{word}"
        );
        self.raw("\"");
        self.raw(word);
        self.raw("\"");
    }

    /// Writes what `value` displays, as a string. Not for hot paths.
    pub fn display(&mut self, value: impl std::fmt::Display) {
        let mut text = String::new();
        // A String takes everything.
        let _ = write!(text, "{value}");
        self.string(&text);
    }

    /// Writes a string.
    ///
    /// Besides what JSON demands, everything that could play tricks on a terminal
    /// is escaped: DEL, C1 controls, bidirectional marks, line and paragraph separators.
    #[inline]
    pub fn string(&mut self, value: &str) {
        if value.is_empty() {
            self.raw("\"\"");
            return;
        }
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

    /// Writes a valid JSON value as it was written, with what could play tricks on a terminal escaped.
    pub fn value(&mut self, json: &str) {
        super::escape::json(json, &mut self.buf);
        self.settle();
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
        let mut text = *b"\"________\"";
        text[1..9].copy_from_slice(&eight_hex_digits(u32::from_be_bytes(key)).to_be_bytes());
        self.buf.extend_from_slice(&text);
    }

    /// Writes a number that was made into digits before.
    #[inline]
    pub fn short(&mut self, number: Short) {
        self.buf.extend_from_slice(&number.digits.to_le_bytes());
        self.buf.truncate(self.buf.len() - number.surplus as usize);
    }

    /// Writes decimal digits.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "half of its cost is the call")]
    fn digits(&mut self, value: u64) {
        if value < 10 {
            self.buf.push(b'0' + value as u8);
        } else if value < SHORT {
            // A packet's number is written twice, and what is declared is mostly there.
            if self.number.0 != value {
                self.number = (value, Short::of(value));
            }
            self.short(self.number.1);
        } else {
            self.digits_of_long(value);
        }
    }

    #[inline(never)]
    fn digits_of_long(&mut self, value: u64) {
        match value / SHORT {
            high @ ..SHORT => self.short(Short::of(high)),
            high => self.digits_of_long(high),
        }
        self.buf.extend_from_slice(&Short::of(value % SHORT).all());
    }
}

/// The least number that is not [`Short`].
const SHORT: u64 = 100_000_000;

/// The digits of a number below [`SHORT`]: a fixed eight bytes are copied and the surplus dropped,
/// which is far cheaper than a copy of unknown length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short {
    /// The first digit in the lowest byte.
    digits: u64,
    /// Bytes that are none of them, at the end.
    surplus: u32,
}

impl Short {
    /// The digits of `value`, which is below [`SHORT`].
    #[inline]
    fn of(value: u64) -> Self {
        if value < 10_000 {
            return Self::of_four(value as u32);
        }
        let digits = eight_digits(value as u32);
        // Zero has a digit too.
        let surplus = (digits | 1 << 56).trailing_zeros() / 8;
        Self { digits: (digits + ASCII_ZEROS) >> (8 * surplus), surplus }
    }

    /// The same below 10,000, in half the steps.
    #[inline]
    fn of_four(value: u32) -> Self {
        let hundreds = (value * 5243) >> 19;
        let twos = hundreds | (value - 100 * hundreds) << 16;
        let tens = (twos * 103) >> 10 & 0x000F_000F;
        let digits = tens | (twos - 10 * tens) << 8;
        let surplus = (digits | 1 << 24).trailing_zeros() / 8;
        let digits = (digits + ASCII_ZEROS as u32) >> (8 * surplus);
        Self { digits: digits.into(), surplus: 4 + surplus }
    }

    /// All eight digits, zeros in front of the first.
    #[inline]
    fn all(self) -> [u8; 8] {
        (self.digits << (8 * self.surplus) | ASCII_ZEROS).to_le_bytes()
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

/// The eight hexadecimal digits of a number as characters, the first in the highest byte: its halves,
/// bytes and nibbles are moved apart in parallel.
fn eight_hex_digits(value: u32) -> u64 {
    let value = u64::from(value);
    let halves = (value | value << 16) & 0x0000_FFFF_0000_FFFF;
    let bytes = (halves | halves << 8) & 0x00FF_00FF_00FF_00FF;
    let nibbles = (bytes | bytes << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    // One in each byte that is a letter.
    let letters = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    nibbles + ASCII_ZEROS + letters * u64::from(b'a' - b'0' - 10)
}

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
        values.extend(0..10_000);
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
    fn masking_keys_have_eight_digits() {
        for key in [[0; 4], [0x37, 0xFA, 0x21, 0x3D], [0xFF; 4], [0x09, 0x90, 0xA0, 0x0F]] {
            assert_eq!(written(|w| w.key(key)), format!("\"{:08x}\"", u32::from_be_bytes(key)));
        }
    }

    #[test]
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
