//! The lines of a usual head, and which fields they are.

use super::super::super::fields::Name;
use super::super::super::head::is_token;

/// The fields that were there.
#[derive(Default)]
pub(super) struct Seen(u64);

impl Seen {
    /// Notes a field; whether it is the first one of its name.
    pub fn once(&mut self, name: Name) -> bool {
        let bit = 1 << name as u32;
        let is_first = self.0 & bit == 0;
        self.0 |= bit;
        is_first
    }

    pub fn has(&self, name: Name) -> bool {
        self.0 & (1 << name as u32) != 0
    }
}

/// Goes through lines of visible ASCII, spaces among it, that end with CR LF.
pub(super) struct Lines<'b>(pub &'b [u8]);

impl<'b> Lines<'b> {
    /// The next line, without its line end.
    pub fn next(&mut self) -> Option<&'b [u8]> {
        let end = printable(self.0);
        let [b'\r', b'\n', rest @ ..] = &self.0[end..] else { return None };
        let line = &self.0[..end];
        self.0 = rest;
        Some(line)
    }

    /// The next field: its name, if it is a known one, and its value, which is not empty. `Some(None)` at
    /// the empty line, `None` where the line is not usual.
    #[allow(clippy::option_option)]
    #[inline]
    pub fn field(&mut self) -> Option<Option<(Option<Name>, &'b [u8])>> {
        let line = self.next()?;
        if line.is_empty() {
            return Some(None);
        }
        let colon = find_colon(line)?;
        let (name, rest) = line.split_at(colon);
        let value = rest.strip_prefix(b": ")?;
        let ([first, ..], [.., last]) = (value, value) else { return None };
        if *first == b' ' || *last == b' ' {
            return None;
        }
        let known = Name::of(name).map(|known| known.name);
        let is_name = known.is_some() || !name.is_empty() && name.iter().all(|b| is_token(*b));
        is_name.then_some(Some((known, value)))
    }
}

/// How many visible ASCII characters and spaces `bytes` begin with: eight at a time.
#[inline]
fn printable(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES * 0x80;
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // A borrow or a carry only ever comes from a byte further down that is marked itself.
        let below = word.wrapping_sub(ONES * 0x20) & !word;
        let above = word.wrapping_add(ONES) | word;
        let marked = (below | above) & HIGH;
        if marked != 0 {
            return at * 8 + (marked.trailing_zeros() / 8) as usize;
        }
    }
    let more = rest.iter().take_while(|b| matches!(b, b' '..=b'~')).count();
    words.len() * 8 + more
}

/// Where the first colon stands.
#[inline]
pub(in super::super) fn find_colon(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word) ^ (ONES * u64::from(b':'));
        let marked = word.wrapping_sub(ONES) & !word & (ONES * 0x80);
        if marked != 0 {
            return Some(at * 8 + (marked.trailing_zeros() / 8) as usize);
        }
    }
    let more = rest.iter().position(|b| *b == b':')?;
    Some(words.len() * 8 + more)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn words_of_eight_bytes_count_as_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let one_by_one = bytes.iter().take_while(|b| matches!(b, b' '..=b'~')).count();
            prop_assert_eq!(printable(&bytes), one_by_one);
            let ascii: Vec<u8> = bytes.iter().map(|b| b % 128).collect();
            let one_by_one = ascii.iter().take_while(|b| matches!(b, b' '..=b'~')).count();
            prop_assert_eq!(printable(&ascii), one_by_one);
            let few: Vec<u8> = bytes.iter().map(|b| b'8' + b % 5).collect();
            prop_assert_eq!(find_colon(&few), few.iter().position(|b| *b == b':'));
            prop_assert_eq!(find_colon(&bytes), bytes.iter().position(|b| *b == b':'));
        }
    }
}
