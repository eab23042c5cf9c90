//! The Huffman codes of DEFLATE's blocks (RFC 1951 §3.2.2, §3.2.6, §3.2.7).

use std::sync::LazyLock;

/// Bits by which a code is looked up at once: all of a fixed code, most of what a dynamic one is used for.
const ROOT: u32 = 9;

/// What is no symbol: bits that no code of the set begins with.
pub(super) const NONE: u16 = 0xFFF;

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
    let (literals, distances) = (Huffman::new(&lengths), Huffman::new(&[5; 32]));
    let (Some(literals), Some(distances)) = (literals, distances) else { unreachable!("both are complete") };
    Codes { literals, distances }
});

/// A canonical code.
pub(super) struct Huffman {
    /// By the next [`ROOT`] bits: the symbol, and in the lowest four bits the length of its code; 0 where that
    /// is longer.
    table: [u16; 1 << ROOT],
    /// How many codes there are of each length.
    counts: [u16; 16],
    /// The symbols in the order of their codes.
    symbols: [u16; 288],
}

impl Huffman {
    /// A code without symbols.
    pub const EMPTY: Self = Self { table: [NONE << 4 | 1; 1 << ROOT], counts: [0; 16], symbols: [0; 288] };

    /// The code in which symbol n has `lengths[n]` bits, 0 for none. `None` when there are more codes than
    /// bits can tell apart, or bits that no code begins with: only a single code may leave the other bit open.
    pub fn new(lengths: &[u8]) -> Option<Self> {
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
        let table = [if open > 0 { NONE << 4 | 1 } else { 0 }; 1 << ROOT];
        let mut code = Self { table, counts, symbols: [0; 288] };
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let place = &mut next[usize::from(*length)];
            code.symbols[usize::from(*place)] = symbol as u16;
            *place += 1;
        }
        code.fill();
        Some(code)
    }

    /// Fills the table with the codes that are short enough.
    fn fill(&mut self) {
        let (mut first, mut index) = (0usize, 0usize);
        for length in 1..=ROOT as usize {
            let count = usize::from(self.counts[length]);
            for (code, symbol) in (first..).zip(&self.symbols[index..index + count]) {
                // Codes are packed with their first bit lowest.
                let start = code.reverse_bits() >> (usize::BITS as usize - length);
                let entry = *symbol << 4 | length as u16;
                for place in self.table[start..].iter_mut().step_by(1 << length) {
                    *place = entry;
                }
            }
            first = (first + count) << 1;
            index += count;
        }
    }

    /// The symbol, or [`NONE`], whose code stands lowest in `hold`, and the length of that; `None` when it is
    /// longer than `count` bits.
    #[inline(always)]
    pub fn decode(&self, hold: u64, count: u32) -> Option<(u16, u32)> {
        let entry = self.table[(hold & ((1 << ROOT) - 1)) as usize];
        let length = u32::from(entry & 15);
        if length == 0 {
            return self.decode_long(hold, count);
        }
        (length <= count).then_some((entry >> 4, length))
    }

    /// The same bit by bit.
    #[cold]
    fn decode_long(&self, hold: u64, count: u32) -> Option<(u16, u32)> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for length in 1..16 {
            let codes = u32::from(self.counts[length as usize]);
            code |= (hold >> (length - 1)) as u32 & 1;
            if code < first + codes {
                let symbol = self.symbols.get((index + code - first) as usize).copied();
                return (length <= count).then_some((symbol.unwrap_or(NONE), length));
            }
            index += codes;
            first = (first + codes) << 1;
            code <<= 1;
        }
        (15 <= count).then_some((NONE, 15))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc1951_3_2_2_the_example() {
        // ABCDEFGH have lengths 3 3 3 3 3 2 4 4; F is 00, G 1110.
        let code = Huffman::new(&[3, 3, 3, 3, 3, 2, 4, 4]).unwrap();
        assert_eq!(code.decode(0b00, 2), Some((5, 2)));
        assert_eq!(code.decode(0b0111, 4), Some((6, 4)));
        assert_eq!(code.decode(0b0111, 3), None);
    }

    #[test]
    fn what_is_looked_up_is_what_is_found_bit_by_bit() {
        // Lengths 1, 2, … 14, 15, 15: a complete code with most of it beyond the table.
        let lengths: Vec<u8> = (1..=15).chain([15]).collect();
        let code = Huffman::new(&lengths).unwrap();
        for hold in 0..1u64 << 15 {
            assert_eq!(code.decode(hold, 15), code.decode_long(hold, 15), "{hold:b}");
            let (symbol, length) = code.decode(hold, 15).unwrap();
            assert_eq!(length, u32::from(lengths[usize::from(symbol)]), "{hold:b}");
        }
    }

    #[test]
    fn only_a_single_code_may_leave_bits_open() {
        assert!(Huffman::new(&[1, 1, 1]).is_none());
        assert!(Huffman::new(&[2, 2, 2]).is_none());
        assert!(Huffman::new(&[0, 2]).is_none());
        let single = Huffman::new(&[0, 1]).unwrap();
        assert_eq!((single.decode(0, 1), single.decode(1, 1)), (Some((1, 1)), Some((NONE, 1))));
        assert_eq!(Huffman::new(&[0; 30]).unwrap().decode(0, 1), Some((NONE, 1)));
    }
}
