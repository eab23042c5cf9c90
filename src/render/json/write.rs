//! Writing JSON by hand, into one reused buffer.
//!
//! A record is some thirty keys and as many short values, so the cost is in the
//! number of small copies, not in the bytes: literals are copied with a length
//! the compiler knows, numbers are made eight digits at a time, and strings are
//! escaped a word at a time.

use std::convert::Infallible;
use std::fmt::Write as _;

use std::io::{self, Write};
use std::net::{SocketAddr, SocketAddrV4};

use super::base64::{encode, encoded};
use super::digits::Second;
use super::escape::{self, ODD_ROOM, RUN, RUN_ROOM};
use super::line::{Line, ROOM, Run};
use crate::model::{Endpoint, Text};

/// Bytes gathered before they are handed on: enough that system calls do not count.
const SPILL: usize = 64 * 1024;

/// Bytes that are handed on by themselves instead of being gathered with others.
const LARGE: usize = 16 * 1024;

/// Bytes of Base64 that are encoded before the buffer is looked at again. Divisible by 3.
const PIECE: usize = 12 * 1024;

/// A JSON writer that gathers what it writes and hands it on in large pieces.
///
/// The first error of the underlying writer stops all output and is kept for
/// [`Writer::flush`] or [`Writer::finish`].
#[derive(Debug)]
pub(crate) struct Writer<W> {
    /// Written up to `at`.
    buf: Box<[u8]>,
    at: usize,
    to: W,
    error: Option<io::Error>,
    spills: u64,
    second: Second,
    endpoints: [Known; 2],
    /// Which of them was written last.
    last_endpoint: usize,
}

/// What takes a string part by part.
type Parts<'p> = dyn FnMut(&str) -> Result<(), Infallible> + 'p;

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
        let buf = vec![0; 2 * SPILL].into();
        let (endpoints, last_endpoint) = ([Known::NONE; 2], 0);
        Self { buf, at: 0, to, error: None, spills: 0, second: Second::ZERO, endpoints, last_endpoint }
    }

    /// Whether the underlying writer has failed.
    pub fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// Ends a record: hands the buffer on if it is full.
    #[inline]
    pub fn settle(&mut self) {
        if self.at >= SPILL {
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

    /// Hands on everything written so far, and gives what it was handed to.
    pub fn take(&mut self) -> W
    where
        W: Default,
    {
        self.spill();
        std::mem::take(&mut self.to)
    }

    /// What has been handed on.
    #[cfg(test)]
    pub fn handed_on(&self) -> &W {
        &self.to
    }

    #[cold]
    fn spill(&mut self) {
        let at = std::mem::take(&mut self.at);
        self.hand_on(|to, buf| to.write_all(&buf[..at]));
        self.spills += 1;
    }

    /// Hands something on, unless that has failed before.
    fn hand_on(&mut self, write: impl FnOnce(&mut W, &[u8]) -> io::Result<()>) {
        if self.error.is_none()
            && let Err(error) = write(&mut self.to, &self.buf)
        {
            self.error = Some(error);
        }
    }

    /// Makes room for `bytes`, which are far fewer than are gathered.
    #[inline]
    fn reserve(&mut self, bytes: usize) {
        debug_assert!(bytes <= SPILL);
        if self.buf.len() - self.at < bytes {
            self.spill();
        }
    }

    /// Writes a part of a record, which is no longer than a [`Line`] may be.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "only inlined does it stay in registers")]
    pub(super) fn line(&mut self, write: impl FnOnce(&mut Line<'_>)) {
        self.reserve(ROOM);
        let Some(room) = self.buf[self.at..].first_chunk_mut() else { return };
        let mut line = Line::new(room, &mut self.second);
        write(&mut line);
        self.at += line.length();
    }

    /// Writes what takes no more room than `bytes`, which are far fewer than are gathered.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "only inlined does it stay in registers")]
    pub(super) fn run(&mut self, bytes: usize, write: impl FnOnce(&mut Run<'_>)) {
        self.reserve(bytes);
        let mut run = Run::new(&mut self.buf[self.at..], &mut self.second);
        write(&mut run);
        self.at += run.length();
    }

    /// Puts a part of a record where it can be copied from. Gives its length.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "only inlined does it stay in registers")]
    pub(super) fn apart(&mut self, room: &mut [u8; ROOM], write: impl FnOnce(&mut Line<'_>)) -> usize {
        let mut line = Line::new(room, &mut self.second);
        write(&mut line);
        line.length()
    }

    /// Writes JSON as it is.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "only inlined does a literal's length become a constant")]
    pub fn raw(&mut self, json: &str) {
        self.bytes(json.as_bytes());
    }

    /// Writes bytes that are a part of JSON.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "only inlined does a literal's length become a constant")]
    pub(super) fn bytes(&mut self, json: &[u8]) {
        match self.buf[self.at..].get_mut(..json.len()) {
            Some(room) if json.len() < LARGE => {
                room.copy_from_slice(json);
                self.at += json.len();
            }
            _ => self.many(json),
        }
    }

    /// Writes what there is no room for, or what is not worth a copy.
    #[cold]
    fn many(&mut self, json: &[u8]) {
        self.spill();
        if json.len() < LARGE {
            self.buf[..json.len()].copy_from_slice(json);
            self.at = json.len();
        } else {
            self.hand_on(|to, _| to.write_all(json));
        }
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
        self.line(|line| line.number(value));
    }

    /// Writes nanoseconds as seconds with nine places, in quotes.
    #[inline]
    pub fn seconds(&mut self, nanos: u64) {
        self.line(|line| line.seconds(nanos));
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
    ///
    /// Whether there was nothing to escape in it but quotes and backslashes.
    #[inline]
    pub fn string(&mut self, value: &str) -> bool {
        self.plain(value.as_bytes(), true) || self.text(value)
    }

    /// Writes a part of a string, or all of it with its quotes, if nothing of it is to be escaped: else
    /// `false`, and nothing is written.
    fn plain(&mut self, value: &[u8], is_all: bool) -> bool {
        if value.len() > RUN {
            return false;
        }
        self.reserve(RUN + 2);
        let start = self.at + usize::from(is_all);
        let end = start + value.len();
        let is_plain = escape::as_it_is(value, &mut self.buf[start..end]);
        if is_plain && is_all {
            (self.buf[start - 1], self.buf[end]) = (b'"', b'"');
        }
        if is_plain {
            self.at = end + usize::from(is_all);
        }
        is_plain
    }

    /// Writes words as a string.
    pub fn words(&mut self, words: &Text) {
        self.told(|part| words.parts(part));
    }

    /// Writes what is told part by part, as a string.
    pub fn told(&mut self, tell: impl FnOnce(&mut Parts<'_>) -> Result<(), Infallible>) {
        self.raw("\"");
        let Ok(()) = tell(&mut |part| {
            self.part(part);
            Ok(())
        });
        self.raw("\"");
    }

    /// Writes an address as a string.
    pub fn endpoint(&mut self, endpoint: Endpoint) {
        let SocketAddr::V4(v4) = endpoint else { return self.display(endpoint) };
        if let Some(at) = self.endpoints.iter().position(|known| known.of == Some(v4)) {
            self.last_endpoint = at;
            let Known { text, length, .. } = self.endpoints[at];
            return self.line(|line| line.part(&text, length));
        }
        let (spills, start) = (self.spills, self.at);
        self.line(|line| {
            let [a, b, c, d] = v4.ip().octets();
            line.raw(b"\"");
            line.number(a.into());
            for octet in [b, c, d] {
                line.raw(b".");
                line.number(octet.into());
            }
            line.raw(b":");
            line.number(v4.port().into());
            line.raw(b"\"");
        });
        if spills == self.spills
            && let Some(text) = self.buf[start..].first_chunk()
        {
            // In the place of the one that was not written last.
            self.last_endpoint = usize::from(self.last_endpoint == 0);
            let known = Known { of: Some(v4), text: *text, length: self.at - start };
            self.endpoints[self.last_endpoint] = known;
        }
    }

    fn text(&mut self, value: &str) -> bool {
        self.raw("\"");
        let is_plain = self.escaped(value);
        self.raw("\"");
        is_plain
    }

    /// Writes a part of a string.
    fn part(&mut self, value: &str) {
        if !self.plain(value.as_bytes(), false) {
            self.escaped(value);
        }
    }

    /// Writes a part of a string in which there may be something to escape. Whether there was nothing but
    /// quotes and backslashes.
    fn escaped(&mut self, value: &str) -> bool {
        let mut is_plain = true;
        let mut rest = value.as_bytes();
        while !rest.is_empty() {
            self.reserve(RUN_ROOM + ODD_ROOM);
            let run = &rest[..rest.len().min(RUN)];
            let (taken, at) = escape::run(run, &mut self.buf, self.at);
            self.at = at;
            let is_odd = taken < run.len();
            rest = &rest[taken..];
            if is_odd {
                is_plain = false;
                let (taken, at) = escape::odd(rest, &mut self.buf, self.at);
                self.at = at;
                rest = &rest[taken..];
            }
        }
        is_plain
    }

    /// Writes a valid JSON value as it was written, but on one line and with what could play tricks on a
    /// terminal escaped: such characters can only stand in its strings.
    pub fn value(&mut self, json: &str) {
        let mut rest = json.as_bytes();
        while !rest.is_empty() {
            let (plain, others) = rest.split_at(escape::plain(rest));
            self.bytes(plain);
            self.reserve(ODD_ROOM);
            let (taken, at) = escape::json(others, &mut self.buf, self.at);
            self.at = at;
            rest = &others[taken..];
        }
        self.settle();
    }

    /// Writes something and says where it stands, so that it can be written once more with [`Writer::again`].
    #[inline]
    pub fn marking(&mut self, write: impl FnOnce(&mut Self)) -> Mark {
        let (spills, start) = (self.spills, self.at);
        write(self);
        Mark { spills, start, end: self.at }
    }

    /// Writes what was written before. `false`, and nothing written, when it is no longer in the buffer.
    #[inline]
    pub fn again(&mut self, mark: Mark) -> bool {
        let end = self.at + (mark.end.saturating_sub(mark.start));
        let here = mark.spills == self.spills && end <= self.buf.len();
        if here {
            self.buf.copy_within(mark.start..mark.end, self.at);
            self.at = end;
        }
        here
    }

    /// What was written, if it has not been handed on.
    pub fn marked(&self, mark: Mark) -> Option<&[u8]> {
        (mark.spills == self.spills).then(|| self.buf.get(mark.start..mark.end)).flatten()
    }

    /// Writes Base64 that was made before, as a string.
    pub fn encoded(&mut self, base64: &[u8]) {
        self.raw("\"");
        self.bytes(base64);
        self.raw("\"");
    }

    /// Writes bytes as a string in Base64, with padding (RFC 4648 §4).
    pub fn base64(&mut self, bytes: &[u8]) {
        self.raw("\"");
        for piece in bytes.chunks(PIECE) {
            let length = encoded(piece.len());
            self.reserve(length);
            encode(piece, &mut self.buf[self.at..][..length]);
            self.at += length;
            self.settle();
        }
        self.raw("\"");
    }
}

/// An address that was written before, most times the server's of all connections, or this one's client's.
#[derive(Clone, Copy, Debug)]
struct Known {
    of: Option<SocketAddrV4>,
    /// In quotes; the longest there is.
    text: [u8; 23],
    length: usize,
}

impl Known {
    const NONE: Self = Self { of: None, text: [0; 23], length: 0 };
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::super::digits::EXACT;
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
            assert_eq!(
                written(|w| w.line(|line| line.key(key))),
                format!("\"{:08x}\"", u32::from_be_bytes(key))
            );
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
        let mark = writer.marking(|w| _ = w.string("a\"b"));
        assert!(writer.again(mark));
        writer.flush().unwrap();
        assert!(!writer.again(mark));
        let long = writer.marking(|w| _ = w.string(&"x".repeat(3 * SPILL)));
        assert!(!writer.again(long));
        writer.to.truncate(12);
        writer.at = 0;
        assert_eq!(writer.finish().unwrap(), br#""a\"b""a\"b""#);
    }

    #[test]
    fn what_is_large_is_handed_on_in_its_order() {
        let lengths = [1, LARGE - 1, LARGE, 3, 2 * SPILL, 3 * SPILL + 1, 5];
        let written = written(|w| lengths.iter().for_each(|length| w.raw(&("x".repeat(length - 1) + ","))));
        let expected: String = lengths.iter().map(|length| "x".repeat(length - 1) + ",").collect();
        assert!(written == expected);
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
