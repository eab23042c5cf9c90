//! UTF-8 validation of a message that arrives in pieces (RFC 6455 §8.1, RFC 3629 §3).

use super::{INVALID_UTF8, mask};
use crate::model::{Dir, Finding, Span, Text};

/// Below this many bytes the standard library validates as fast as SIMD.
const SIMD_FROM: usize = 64;

/// Whether `bytes` are UTF-8 as they stand.
#[inline]
pub fn is_valid(bytes: &[u8]) -> bool {
    if bytes.len() < SIMD_FROM {
        is_ascii(bytes) || std::str::from_utf8(bytes).is_ok()
    } else {
        is_ascii(bytes) || simdutf8::basic::from_utf8(bytes).is_ok()
    }
}

/// The same as text, if they are.
#[inline]
pub fn text(bytes: &[u8]) -> Option<&str> {
    if bytes.len() < SIMD_FROM {
        std::str::from_utf8(bytes).ok()
    } else {
        simdutf8::basic::from_utf8(bytes).ok()
    }
}

/// Whether what `bytes` unmask to with `key` is seen to be ASCII without unmasking it. It may be so all the
/// same where it is not.
#[inline]
pub fn is_masked_ascii(bytes: &[u8], key: [u8; 4]) -> bool {
    let word = |phase| u64::from_ne_bytes(mask::eight(key, phase));
    // The last bytes begin anywhere in the key.
    all_ascii(bytes, word(0), word(bytes.len().wrapping_sub(8)))
}

/// Whether all of at least eight bytes are ASCII.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    all_ascii(bytes, 0, 0)
}

/// Whether all of at least eight bytes are ASCII once they are combined with `mask`, the last ones with
/// `last_mask`: in words of which the last may overlap the one before it, in a loop simple enough that the
/// compiler makes vector code of it.
#[inline]
fn all_ascii(bytes: &[u8], mask: u64, last_mask: u64) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else { return false };
    let (words, _) = bytes.as_chunks::<8>();
    let all = words.iter().fold(0, |all, word| all | u64::from_ne_bytes(*word) ^ mask);
    (all | u64::from_ne_bytes(*last) ^ last_mask) & 0x8080_8080_8080_8080 == 0
}

/// Validates a byte stream as it arrives. A character may be cut anywhere.
#[derive(Clone, Debug, Default)]
pub struct Utf8Check {
    /// The start of a character whose rest has not arrived.
    carry: [u8; 4],
    carried: u8,
    /// Bytes seen, the carried ones included.
    seen: u64,
    bad: Option<u64>,
}

impl Utf8Check {
    /// Takes the next bytes. Returns the offset, counted from the very first
    /// byte, where the first invalid sequence begins, as soon as there is one.
    #[inline]
    pub fn push(&mut self, mut bytes: &[u8]) -> Option<u64> {
        if self.bad.is_some() {
            return self.bad;
        }
        if self.carried > 0 {
            bytes = self.complete_carried(bytes);
            if self.bad.is_some() || self.carried > 0 {
                return self.bad;
            }
        }
        if is_valid(bytes) {
            self.seen += bytes.len() as u64;
        } else {
            self.locate(bytes);
        }
        self.bad
    }

    /// The verdict once everything has arrived: `Some` with the offset of the first invalid sequence.
    pub fn finish(&self) -> Option<u64> {
        self.bad.or_else(|| (self.carried > 0).then(|| self.seen - u64::from(self.carried)))
    }

    /// Bytes taken so far.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The verdict so far: `Some` only when no continuation could repair it.
    pub fn bad(&self) -> Option<u64> {
        self.bad
    }

    /// Feeds the carried character byte by byte until it is whole or wrong; returns what is left.
    fn complete_carried<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while let Some((&byte, rest)) = bytes.split_first() {
            let at = usize::from(self.carried);
            self.carry[at] = byte;
            match std::str::from_utf8(&self.carry[..=at]) {
                Ok(_) => {
                    self.seen += 1;
                    self.carried = 0;
                    return rest;
                }
                Err(e) if e.error_len().is_none() => {
                    self.seen += 1;
                    self.carried += 1;
                    bytes = rest;
                }
                Err(_) => {
                    self.bad = Some(self.seen - u64::from(self.carried));
                    return rest;
                }
            }
        }
        bytes
    }

    /// Finds out whether `bytes` are wrong, or only end inside a character.
    #[cold]
    fn locate(&mut self, bytes: &[u8]) {
        let Err(e) = std::str::from_utf8(bytes) else { return };
        let valid = e.valid_up_to();
        if e.error_len().is_some() {
            self.bad = Some(self.seen + valid as u64);
        } else {
            let tail = &bytes[valid..];
            self.carry[..tail.len()].copy_from_slice(tail);
            self.carried = tail.len() as u8;
            self.seen += bytes.len() as u64;
        }
    }
}

/// A text is not UTF-8 from byte `offset` of the message on.
pub(super) fn invalid_utf8(dir: Dir, offset: u64, at: Option<Span>) -> Finding {
    //= RFC 6455 §8.1
    //# MUST _Fail the WebSocket Connection_.
    let mut finding = Finding::new(
        &INVALID_UTF8,
        dir,
        "valid UTF-8 in the whole message".into(),
        Text::with("an invalid sequence at byte {} of the message", offset),
    );
    finding.spans.extend(at);
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `None` for valid, else where the first invalid sequence begins.
    const CASES: &[(&[u8], Option<u64>)] = &[
        (b"", None),
        (b"Hello", None),
        ("κόσμε 你好 😀".as_bytes(), None),
        // U+10FFFF, the last character, and one beyond it.
        (b"\xF4\x8F\xBF\xBF", None),
        (b"a\xF4\x90\x80\x80", Some(1)),
        // Overlong forms and surrogates (RFC 3629 §3).
        (b"\xC0\x80", Some(0)),
        (b"ab\xE0\x80\xAF", Some(2)),
        (b"\xED\xA0\x80", Some(0)),
        // Autobahn 6.3.1: invalid in the middle.
        (b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80edited", Some(11)),
        // Cut short at the end.
        (b"Hello \xE2\x82", Some(6)),
        (b"\xFF", Some(0)),
    ];

    #[test]
    fn every_cut_gives_the_same_verdict() {
        for (bytes, expected) in CASES {
            for cut in 0..=bytes.len() {
                let mut check = Utf8Check::default();
                check.push(&bytes[..cut]);
                check.push(&bytes[cut..]);
                assert_eq!(check.finish(), *expected, "{bytes:02x?} cut at {cut}");
            }
            let mut check = Utf8Check::default();
            for byte in *bytes {
                check.push(&[*byte]);
            }
            assert_eq!(check.finish(), *expected, "{bytes:02x?} byte by byte");
        }
    }

    #[test]
    fn long_text_takes_the_fast_way_and_still_locates() {
        let mut long = "0123456789 你好 ".repeat(50).into_bytes();
        let at = long.len() as u64;
        let mut check = Utf8Check::default();
        assert_eq!(check.push(&long), None);
        long.push(0xC3);
        long.push(b'(');
        let mut check = Utf8Check::default();
        assert_eq!(check.push(&long), Some(at));
    }

    #[test]
    fn ascii_is_seen_through_any_mask() {
        let key = [0x37, 0xFA, 0x21, 0xBD];
        for length in 0..100 {
            let mut clear = vec![b'~'; length];
            let masked = |clear: &[u8]| {
                let mut masked = clear.to_vec();
                mask::apply(&mut masked, key, 0);
                is_masked_ascii(&masked, key)
            };
            assert_eq!(masked(&clear), length >= 8, "{length}");
            assert_eq!(is_ascii(&clear), length >= 8, "{length}");
            for at in 0..length {
                clear[at] = 0x80;
                assert!(!masked(&clear) && !is_ascii(&clear), "byte {at} of {length}");
                clear[at] = b'~';
            }
        }
    }
}
