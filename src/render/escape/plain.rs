//! How far text shows as it is: looked at in words of eight bytes.

/// Characters that show as they are, each in one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    pub text: &'a str,
    /// How many they are.
    pub columns: usize,
}

/// What shows as it is at the beginning of `text`, a character a column, but at most so many. In `DATA` a
/// backslash does not.
#[inline]
pub fn run<const DATA: bool>(text: &str, ascii: bool, most: usize) -> Run<'_> {
    let (mut at, mut columns) = (0, 0);
    loop {
        let here = &text.as_bytes()[at..];
        let printable = printable::<DATA>(&here[..here.len().min(most - columns)]);
        at += printable;
        columns += printable;
        if at == text.len() || columns == most || ascii {
            break;
        }
        match text[at..].chars().next() {
            Some(glyph) if is_own(glyph) => {
                at += glyph.len_utf8();
                columns += 1;
            }
            _ => break,
        }
    }
    Run { text: &text[..at], columns }
}

/// How many bytes of printable ASCII there are before anything else.
#[inline]
fn printable<const DATA: bool>(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks();
    for (at, word) in words.iter().enumerate() {
        let others = others::<DATA>(u64::from_le_bytes(*word));
        if others != 0 {
            return 8 * at + others.trailing_zeros() as usize / 8;
        }
    }
    // The rest in one word too, with what is left of it printable.
    let word = match bytes.last_chunk() {
        _ if tail.is_empty() => return bytes.len(),
        Some(last) => u64::from_le_bytes(*last) >> (u64::BITS - 8 * tail.len() as u32),
        None => short_word(tail),
    };
    let others = others::<DATA>(word | spaces_from(tail.len()));
    bytes.len().min(8 * words.len() + others.trailing_zeros() as usize / 8)
}

/// The same in each byte of a word, to multiply by.
const ONES: u64 = 0x0101_0101_0101_0101;

/// The high bit of each byte of a word.
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// A word of spaces, but for its first bytes: fewer than eight.
#[inline]
fn spaces_from(length: usize) -> u64 {
    (ONES * u64::from(b' ')) << (8 * length)
}

/// The high bit of each byte that is not printable ASCII, or a backslash in `DATA`.
#[inline]
fn others<const DATA: bool>(word: u64) -> u64 {
    // Without their highest bits no byte carries into the next one.
    let low = word & !HIGHS;
    let (not_controls, deletes) = (low + (HIGHS - ONES * 0x20), low + ONES);
    let differing = low ^ (ONES * u64::from(b'\\'));
    let backslashes = if DATA { !(differing + (HIGHS - ONES)) } else { 0 };
    (word | deletes | !not_controls | backslashes) & HIGHS
}

/// Up to seven bytes as a word, the first in the lowest byte: of four and more in two halves that overlap.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(*half)));
            first | last << (8 * (bytes.len() - 4))
        }
        // The first, the one in the middle and the last: all that there are.
        _ => match (bytes.first(), bytes.last()) {
            (Some(first), Some(last)) => {
                let middle = u64::from(bytes[bytes.len() / 2]) << (8 * (bytes.len() / 2));
                u64::from(*first) | middle | u64::from(*last) << (8 * (bytes.len() - 1))
            }
            _ => 0,
        },
    }
}

/// Whether all of `bytes` is printable ASCII, and in `DATA` no backslash: without a branch but for the
/// length.
#[inline]
pub fn is_printable<const DATA: bool>(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk() else {
        return others::<DATA>(short_word(bytes) | spaces_from(bytes.len())) == 0;
    };
    // The last word may overlap the one before it.
    let all = others::<DATA>(u64::from_le_bytes(*last));
    let (words, _) = bytes.as_chunks();
    words.iter().fold(all, |all, word| all | others::<DATA>(u64::from_le_bytes(*word))) == 0
}

/// Whether it is one of the tool's own glyphs, each of which takes one column.
#[inline]
pub fn is_own(c: char) -> bool {
    matches!(c, '·' | '§' | '×' | 'µ' | '–' | '—' | '‘' | '’' | '“' | '”' | '…' | '←' | '→' | '−')
        || matches!(c, '≤' | '≥' | '✓' | '✗')
}
