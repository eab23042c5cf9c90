//! The Huffman codes of DEFLATE's blocks (RFC 1951 §3.2.2, §3.2.6, §3.2.7).

#![allow(clippy::inline_always, reason = "the innermost loop: measured")]

use std::sync::LazyLock;

/// Bits by which a code is looked up at once: all of a fixed code, most of what a dynamic one is used for.
const ROOT: u32 = 9;

/// What a code means, in one word: its length in bits 0 to 3, how many extra bits follow it in bits 4 to 7,
/// what it is in the flags, and from bit 16 on its value, to which the extra bits are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code(u32);

/// What symbols of an alphabet mean.
type Alphabet = fn(symbol: u16) -> Code;

/// The codes of a block's literals and lengths, and of its distances.
pub(super) struct Codes {
    pub literals: Huffman,
    pub distances: Huffman,
}

/// Those of a fixed block.
pub(super) static FIXED: LazyLock<Codes> = LazyLock::new(|| {
    let mut lengths = [8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    let (literals, distances) =
        (Huffman::new(&lengths, Code::literal), Huffman::new(&[5; 32], Code::distance));
    let (Some(literals), Some(distances)) = (literals, distances) else { unreachable!("both are complete") };
    Codes { literals, distances }
});

impl Code {
    const LITERAL: u32 = 1 << 8;
    const END: u32 = 1 << 9;
    const NONE: u32 = 1 << 10;
    /// Where a code is longer than what is looked up.
    const LONG: Self = Self(0);

    /// A literal, the end of the block or a length (RFC 1951 §3.2.5).
    pub fn literal(symbol: u16) -> Self {
        const BASE: [u16; 29] = [
            3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
            163, 195, 227, 258,
        ];
        match symbol {
            0..256 => Self(u32::from(symbol) << 16 | Self::LITERAL),
            256 => Self(Self::END),
            257..265 | 285 => Self::with(BASE[usize::from(symbol) - 257], 0),
            265..285 => Self::with(BASE[usize::from(symbol) - 257], (symbol - 261) / 4),
            _ => Self(Self::NONE),
        }
    }

    /// A distance (RFC 1951 §3.2.5).
    pub fn distance(symbol: u16) -> Self {
        const BASE: [u16; 30] = [
            1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
            3073, 4097, 6145, 8193, 12289, 16385, 24577,
        ];
        match BASE.get(usize::from(symbol)) {
            Some(base) => Self::with(*base, (symbol / 2).saturating_sub(1)),
            None => Self(Self::NONE),
        }
    }

    /// The length of a code, or how often one is repeated (RFC 1951 §3.2.7).
    pub fn length(symbol: u16) -> Self {
        match symbol {
            0..16 => Self::with(symbol, 0),
            16 => Self::with(symbol, 2),
            17 => Self::with(symbol, 3),
            18 => Self::with(symbol, 7),
            _ => Self(Self::NONE),
        }
    }

    fn with(base: u16, extra: u16) -> Self {
        Self(u32::from(base) << 16 | u32::from(extra) << 4)
    }

    fn of_length(self, length: u32) -> Self {
        Self(self.0 | length)
    }

    /// Its bits.
    #[inline(always)]
    pub fn bits(self) -> u32 {
        self.0 & 15
    }

    /// Bits behind it that belong to it.
    #[inline(always)]
    pub fn extra(self) -> u32 {
        self.0 >> 4 & 15
    }

    #[inline(always)]
    pub fn value(self) -> u32 {
        self.0 >> 16
    }

    #[inline(always)]
    pub fn is_literal(self) -> bool {
        self.0 & Self::LITERAL != 0
    }

    /// The end of a block.
    #[inline(always)]
    pub fn is_end(self) -> bool {
        self.0 & Self::END != 0
    }

    /// The length of a match.
    #[inline(always)]
    pub fn is_length(self) -> bool {
        self.0 & (Self::LITERAL | Self::END | Self::NONE) == 0
    }

    /// Bits that no code begins with, or a code without meaning.
    #[inline(always)]
    pub fn is_none(self) -> bool {
        self.0 & Self::NONE != 0
    }
}

/// A canonical code.
pub(super) struct Huffman {
    /// By the next [`ROOT`] bits.
    table: [Code; 1 << ROOT],
    alphabet: Alphabet,
    /// How many codes there are of each length.
    counts: [u16; 16],
    /// The symbols in the order of their codes.
    symbols: [u16; 288],
}

impl Huffman {
    /// A code without symbols.
    pub const EMPTY: Self = Self {
        table: [Code(Code::NONE | 1); 1 << ROOT],
        alphabet: Code::length,
        counts: [0; 16],
        symbols: [0; 288],
    };

    /// The code in which symbol n has `lengths[n]` bits, 0 for none. `None` when there are more codes
    /// than bits can tell apart, or bits that no code begins with: only a single code may leave the other
    /// bit open.
    pub fn new(lengths: &[u8], alphabet: Alphabet) -> Option<Self> {
        let mut counts = [0u16; 16];
        for length in lengths {
            counts[usize::from(*length)] += 1;
        }
        counts[0] = 0;
        let mut open = 1i32;
        let mut next = [0u16; 16];
        for length in 1..16 {
            open = (open << 1) - i32::from(counts[length]);
            if open < 0 {
                return None;
            }
            next[length] = next[length - 1] + counts[length - 1];
        }
        let codes: u16 = counts.iter().sum();
        let is_single = codes == counts[1];
        if open > 0 && !is_single {
            return None;
        }
        let table = [if open > 0 { Code(Code::NONE | 1) } else { Code::LONG }; 1 << ROOT];
        let mut code = Self { table, alphabet, counts, symbols: [0; 288] };
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let place = &mut next[usize::from(*length)];
            code.symbols[usize::from(*place)] = symbol as u16;
            *place += 1;
        }
        code.fill();
        Some(code)
    }

    /// Whether any bits begin with a code.
    pub fn is_complete(&self) -> bool {
        (1..16).map(|length| u32::from(self.counts[length]) << (15 - length)).sum::<u32>() == 1 << 15
    }

    /// Fills the table with the codes that are short enough.
    fn fill(&mut self) {
        let (mut first, mut index) = (0usize, 0usize);
        for length in 1..=ROOT as usize {
            let count = usize::from(self.counts[length]);
            for (code, symbol) in (first..).zip(&self.symbols[index..index + count]) {
                // Codes are packed with their first bit lowest.
                let start = code.reverse_bits() >> (usize::BITS as usize - length);
                let entry = (self.alphabet)(*symbol).of_length(length as u32);
                for place in self.table[start..].iter_mut().step_by(1 << length) {
                    *place = entry;
                }
            }
            first = (first + count) << 1;
            index += count;
        }
    }

    /// The code that stands lowest in `hold`; `None` when it is longer than `count` bits.
    #[inline(always)]
    pub fn decode(&self, hold: u64, count: u32) -> Option<Code> {
        let code = self.table[(hold & ((1 << ROOT) - 1)) as usize];
        if code == Code::LONG {
            return self.decode_long(hold, count);
        }
        (code.bits() <= count).then_some(code)
    }

    /// The same where there are as many bits as the longest code has.
    #[inline(always)]
    pub fn find(&self, hold: u64) -> Code {
        let code = self.table[(hold & ((1 << ROOT) - 1)) as usize];
        if code == Code::LONG { self.decode_long(hold, 15).unwrap_or(Code(Code::NONE)) } else { code }
    }

    /// The same bit by bit.
    #[cold]
    fn decode_long(&self, hold: u64, count: u32) -> Option<Code> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for length in 1..16 {
            let codes = u32::from(self.counts[length as usize]);
            code |= (hold >> (length - 1)) as u32 & 1;
            if code < first + codes {
                let symbol = self.symbols.get((index + code - first) as usize).copied();
                let code = symbol.map_or(Code(Code::NONE), self.alphabet);
                return (length <= count).then_some(code.of_length(length));
            }
            index += codes;
            first = (first + codes) << 1;
            code <<= 1;
        }
        (15 <= count).then_some(Code(Code::NONE).of_length(15))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(lengths: &[u8]) -> Option<Huffman> {
        Huffman::new(lengths, |symbol| Code::with(symbol, 0))
    }

    /// The symbol that `hold` begins with, and its bits.
    fn symbol(code: &Huffman, hold: u64, count: u32) -> Option<(u32, u32)> {
        code.decode(hold, count).map(|code| (code.value(), code.bits()))
    }

    #[test]
    fn rfc1951_3_2_2_the_example() {
        // ABCDEFGH have lengths 3 3 3 3 3 2 4 4; F is 00, G 1110.
        let code = plain(&[3, 3, 3, 3, 3, 2, 4, 4]).unwrap();
        assert_eq!(symbol(&code, 0b00, 2), Some((5, 2)));
        assert_eq!(symbol(&code, 0b0111, 4), Some((6, 4)));
        assert_eq!(symbol(&code, 0b0111, 3), None);
    }

    #[test]
    fn rfc1951_3_2_5_the_tables() {
        let of = |code: Code| (code.value(), code.extra());
        for (symbol, expected) in
            [(257, (3, 0)), (264, (10, 0)), (265, (11, 1)), (268, (17, 1)), (269, (19, 2))]
        {
            assert_eq!(of(Code::literal(symbol)), expected, "{symbol}");
        }
        for (symbol, expected) in [(281, (131, 5)), (284, (227, 5)), (285, (258, 0))] {
            assert_eq!(of(Code::literal(symbol)), expected, "{symbol}");
        }
        for (symbol, expected) in [(0, (1, 0)), (3, (4, 0)), (4, (5, 1)), (5, (7, 1)), (29, (24577, 13))] {
            assert_eq!(of(Code::distance(symbol)), expected, "{symbol}");
        }
        assert!(Code::literal(286).is_none() && Code::distance(30).is_none() && Code::literal(256).is_end());
    }

    #[test]
    fn what_is_looked_up_is_what_is_found_bit_by_bit() {
        // Lengths 1, 2, … 14, 15, 15: a complete code with most of it beyond the table.
        let lengths: Vec<u8> = (1..=15).chain([15]).collect();
        let code = plain(&lengths).unwrap();
        for hold in 0..1u64 << 15 {
            assert_eq!(code.decode(hold, 15), code.decode_long(hold, 15), "{hold:b}");
            let (symbol, length) = symbol(&code, hold, 15).unwrap();
            assert_eq!(length, u32::from(lengths[symbol as usize]), "{hold:b}");
        }
    }

    #[test]
    fn only_a_single_code_may_leave_bits_open() {
        assert!(plain(&[1, 1, 1]).is_none());
        assert!(plain(&[2, 2, 2]).is_none());
        assert!(plain(&[0, 2]).is_none());
        let single = plain(&[0, 1]).unwrap();
        assert_eq!(symbol(&single, 0, 1), Some((1, 1)));
        assert!(single.decode(1, 1).is_some_and(Code::is_none));
        let none = plain(&[0; 30]).unwrap();
        assert!(none.decode(0, 1).is_some_and(Code::is_none));
        assert!(!single.is_complete() && !none.is_complete() && plain(&[2, 1, 2]).unwrap().is_complete());
    }
}
