//! Whether bytes are values of a binary notation.
//!
//! Nearly every byte is the head of some value, so that bytes of whatever kind can be read as values for a
//! while. What counts is what chance hardly makes: everything is read to the very end, what is outside is a
//! list or a dictionary, and there are strings whose lengths are right and which can be read. What each is
//! worth is told in halves of a bit, below what random bytes would make it.

use super::binary::{Notation, Reader};
use super::head::Head;
use crate::limits::EVIDENCE_VALUES;

/// A head of a list or a dictionary is one of some 36 of 256 bytes, and so is that of a string.
const OPEN: u32 = 5;
const STRING: u32 = 5;
/// Letters, digits and the underscore are 63 of 256 bytes; all that can be printed are 95.
const LETTER: u32 = 4;
const PRINTED: u32 = 2;
/// The last value ends where the message does.
const EXACT: u32 = 6;

/// Where the values are that `bytes` consist of, each a list or a dictionary; `None` where they do not.
pub fn whole(notation: Notation, bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = Reader::new(notation, bytes);
    let mut values = Vec::new();
    while !reader.rest().is_empty() {
        if !opens(notation, reader.rest()) {
            return None;
        }
        values.push(reader.one()?);
    }
    (!values.is_empty()).then_some(values)
}

/// Whether a value begins here that is a list or a dictionary, behind any tags.
fn opens(notation: Notation, bytes: &[u8]) -> bool {
    match notation {
        Notation::MessagePack => matches!(bytes.first(), Some(0x80..=0x9F | 0xDC..=0xDF)),
        Notation::Cbor => match bytes {
            [0xC0..=0xD7, inner @ ..] | [0xD8, _, inner @ ..] | [0xD9, _, _, inner @ ..] => {
                matches!(inner.first(), Some(0x80..=0x9B | 0x9F..=0xBB | 0xBF))
            }
            _ => matches!(bytes.first(), Some(0x80..=0x9B | 0x9F..=0xBB | 0xBF)),
        },
    }
}

/// Whether bytes are such values without anybody having said so: at least
/// [`EVIDENCE_VALUES`](crate::limits::EVIDENCE_VALUES) bits speak for it.
pub fn is_evident(notation: Notation, bytes: &[u8]) -> bool {
    bits(notation, bytes).is_some_and(|bits| bits >= EVIDENCE_VALUES)
}

/// Bits of evidence; `None` where something speaks against it.
fn bits(notation: Notation, bytes: &[u8]) -> Option<u32> {
    let mut reader = Reader::new(notation, bytes);
    let mut halves = OPEN + EXACT;
    while !reader.rest().is_empty() {
        if !opens(notation, reader.rest()) {
            return None;
        }
        reader.walk(&mut |head, is_key| {
            match head {
                Head::Text(text) => halves = halves.saturating_add(worth(text)),
                // Nobody has lists, dictionaries, fractions or bytes for keys.
                Head::Whole(_) | Head::Negative(_) | Head::Bool(_) | Head::Tag(_) => {}
                _ if is_key => return None,
                _ => {}
            }
            Some(())
        })?;
    }
    // In CBOR the heads of short strings are letters themselves: a text behind a byte of some type could be
    // taken for strings. Where there are numbers, words or longer strings, there is another kind of byte.
    if notation == Notation::Cbor && bytes.iter().skip(1).all(|b| (0x20..0x7F).contains(b)) {
        return None;
    }
    Some(halves / 2)
}

/// What a string is worth, in halves of a bit.
fn worth(text: &str) -> u32 {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return 0;
    }
    let letter = |b: u8| if b.is_ascii_alphanumeric() || b == b'_' { LETTER } else { PRINTED };
    // A long text says no more than that it is one.
    let letters: u32 = text.bytes().take(64).map(letter).sum();
    if text.is_empty() { 0 } else { STRING + letters }
}
