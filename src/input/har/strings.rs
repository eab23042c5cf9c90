//! Strings of JSON: those that are longer than there is room for, and halves of characters.
//!
//! Whoever reads a string holds all of it. And JavaScript's strings may have half of a character in them,
//! which is written as `\ud800` (RFC 8259 §8.2): no text has that, and what reads JSON fails there.

use std::cell::Cell;
use std::io::{self, Cursor, ErrorKind, Read};

use memchr::{memchr, memchr2};

/// Reads JSON, and fails with [`ErrorKind::FileTooLarge`] in a string that is longer than that. Halves of
/// characters become U+FFFD, and are counted.
pub(super) struct Bounded<'c, R> {
    reader: R,
    most: usize,
    /// Bytes of the string so far, if one has begun.
    string: Option<usize>,
    /// What may be given.
    ready: Cursor<Vec<u8>>,
    /// What was read behind it: the beginning of an escape.
    held: Vec<u8>,
    halves: &'c Cell<u64>,
}

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;
/// Bytes of `\u0000`.
const ESCAPE: usize = 6;
/// What stands for what is no character, in as many bytes.
const REPLACEMENT: &[u8; ESCAPE] = b"\\uFFFD";

impl<'c, R: Read> Bounded<'c, R> {
    /// Strings may have so many bytes, as they are written. Halves are counted in `halves`.
    pub fn new(reader: R, most: usize, halves: &'c Cell<u64>) -> Self {
        Self { reader, most, string: None, ready: Cursor::default(), held: Vec::new(), halves }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut ready = std::mem::take(&mut self.ready).into_inner();
        ready.clear();
        loop {
            ready.append(&mut self.held);
            let before = ready.len();
            ready.resize(before + PIECE, 0);
            let count = match self.reader.read(&mut ready[before..]) {
                Ok(count) => count,
                Err(error) => {
                    // Who was interrupted reads on.
                    ready.truncate(before);
                    self.held = ready;
                    return Err(error);
                }
            };
            ready.truncate(before + count);
            let is_end = count == 0;
            let looked = self.look(&mut ready, is_end)?;
            self.held.extend(ready.drain(looked..));
            if is_end || !ready.is_empty() {
                self.ready = Cursor::new(ready);
                return Ok(());
            }
        }
    }

    /// Looks through what was read; how far it could be told what it is.
    fn look(&mut self, ready: &mut [u8], is_end: bool) -> io::Result<usize> {
        let mut at = 0;
        while let Some(rest) = ready.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(length) = self.string else {
                let quote = memchr(b'"', rest);
                self.string = quote.map(|_| 0);
                at += quote.map_or(rest.len(), |quote| quote + 1);
                continue;
            };
            let end = memchr2(b'"', b'\\', rest);
            let (taken, closes) = match end {
                None => (rest.len(), false),
                Some(end) if rest[end] == b'"' => (end + 1, true),
                Some(end) if end > 0 => (end, false),
                Some(_) => {
                    let Some((taken, is_half)) = escape(rest, is_end) else { return Ok(at) };
                    if is_half {
                        self.halves.set(self.halves.get() + 1);
                        ready[at..at + ESCAPE].copy_from_slice(REPLACEMENT);
                    }
                    (taken, false)
                }
            };
            let length = length + taken;
            if length > self.most {
                return Err(ErrorKind::FileTooLarge.into());
            }
            at += taken;
            self.string = (!closes).then_some(length);
        }
        Ok(at)
    }
}

/// How long the escape is that stands in front, with the second half of its character, and whether it is half
/// of one. `None` where that takes more bytes.
fn escape(bytes: &[u8], is_end: bool) -> Option<(usize, bool)> {
    let unit = |at: usize| -> Option<u16> {
        let digits = bytes.get(at..at + ESCAPE)?.strip_prefix(b"\\u")?;
        let digits = str::from_utf8(digits).ok().filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u16::from_str_radix(digits, 16).ok()
    };
    let whole = |length: usize, is_half: bool| match bytes.len() {
        _ if is_end => Some((length.min(bytes.len()), is_half && bytes.len() >= ESCAPE)),
        have if have >= length => Some((length, is_half)),
        _ => None,
    };
    match (bytes.get(1), unit(0)) {
        (Some(b'u'), Some(0xD800..0xDC00)) => {
            let next = &bytes[ESCAPE..];
            let may_be = b"\\u".iter().zip(next).all(|(a, b)| a == b);
            match unit(ESCAPE) {
                Some(0xDC00..0xE000) => whole(2 * ESCAPE, false),
                None if may_be && next.len() < ESCAPE && !is_end => None,
                _ => whole(ESCAPE, true),
            }
        }
        (Some(b'u'), Some(0xDC00..0xE000)) => whole(ESCAPE, true),
        // Whoever reads it says what is wrong with it, if it is wrong.
        (Some(b'u'), _) if bytes.len() < ESCAPE && !is_end => None,
        _ => whole(2, false),
    }
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.ready.read(into)? {
            0 if !into.is_empty() => self.fill().and_then(|()| self.ready.read(into)),
            count => Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives so many bytes at a time.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(into.len());
            let (now, later) = self.0.split_at(count);
            into[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn read(text: &str, most: usize, piece: usize) -> (io::Result<String>, u64) {
        let halves = Cell::new(0);
        let mut read = String::new();
        let mut bounded = Bounded::new(Slowly(text.as_bytes(), piece), most, &halves);
        let result = bounded.read_to_string(&mut read).map(|_| read);
        (result, halves.get())
    }

    #[test]
    fn a_string_has_a_bound_and_what_is_around_has_none() {
        for (text, is_fine) in [
            (r#"{"abcd":1234567890,"a\"b":"\\"}"#, true),
            (r#"["abcde"]"#, false),
            (r#"["a\"bc"]"#, false),
            (r#""\\","abcdef"#, false),
        ] {
            for piece in [1, 2, 100] {
                let (result, _) = read(text, 5, piece);
                match result {
                    Ok(read) => assert!(is_fine && read == text, "{text} in pieces of {piece}"),
                    Err(error) => assert!(!is_fine && error.kind() == ErrorKind::FileTooLarge),
                }
            }
        }
    }

    #[test]
    fn halves_of_characters_are_replaced_and_whole_ones_are_not() {
        for (text, becomes, halves) in [
            (r#"["\ud800"]"#, r#"["\uFFFD"]"#, 1),
            (r#"["\uD83D\uDE00 \uDE00\uD83D"]"#, r#"["\uD83D\uDE00 \uFFFD\uFFFD"]"#, 2),
            (r#"["\ud83d\ud83d\ude00"]"#, r#"["\uFFFD\ud83d\ude00"]"#, 1),
            (r#"["\ud83d\\ude00"]"#, r#"["\uFFFD\\ude00"]"#, 1),
            (r#"["\\ud83d","\ud83d\n"]"#, r#"["\\ud83d","\uFFFD\n"]"#, 1),
            // Nothing of it is a string, or nothing an escape.
            (r#"[\ud800, "\u00e9\ud8zz\u12"]"#, r#"[\ud800, "\u00e9\ud8zz\u12"]"#, 0),
            (r#""\ud800"#, r#""\uFFFD"#, 1),
            (r#""\ud80"#, r#""\ud80"#, 0),
            ("\"\\", "\"\\", 0),
        ] {
            for piece in [1, 2, 3, 7, 100] {
                let (result, found) = read(text, 100, piece);
                assert_eq!((result.unwrap().as_str(), found), (becomes, halves), "in pieces of {piece}");
            }
        }
    }
}
