//! Reading the blocks of a DEFLATE stream without inflating it (RFC 1951).
//!
//! An inflater copies from wherever a match points as long as its own window
//! reaches that far. Whether the sender kept to the agreed window, and whether a
//! message looks back to earlier ones, is written in the distances only. So this
//! walks the blocks and looks at nothing else. It is not fast and need not be:
//! it runs where something was agreed that has to be held to.

/// What the blocks of one message say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Bytes the message inflates to.
    pub produced: u64,
    /// How many of them are copied from earlier messages.
    pub from_earlier: u64,
    /// The farthest a match looks back.
    pub farthest: Option<Match>,
    /// The first match that looks back beyond the start of the message.
    pub beyond_start: Option<Match>,
    /// Bit offset of a padding bit behind a final block that is not zero (RFC 7692 §7.2.1).
    pub padding: Option<u64>,
}

/// A match: copy from so far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// How far back, in bytes.
    pub distance: u32,
    /// Bit offset, in the compressed bytes, behind the match's code.
    pub bit: u64,
}

/// Walks the blocks in `bytes`, the compressed payload of a whole message with
/// its `00 00 ff ff` put back. `None` when it is not DEFLATE to its end.
pub fn scan(bytes: &[u8]) -> Option<Scan> {
    let mut bits = Bits { bytes, at: 0 };
    let mut scan = Scan::default();
    while bits.left() >= 3 {
        let is_final = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(&mut bits, &mut scan)?,
            1 => {
                let (literals, distances) = fixed();
                codes(&mut bits, &mut scan, &literals, &distances)?;
            }
            2 => {
                let (literals, distances) = dynamic(&mut bits)?;
                codes(&mut bits, &mut scan, &literals, &distances)?;
            }
            _ => return None,
        }
        if is_final {
            // The next block begins at the next byte; what is skipped must be zero.
            while !bits.at.is_multiple_of(8) {
                if bits.take(1)? != 0 {
                    scan.padding.get_or_insert(bits.at as u64 - 1);
                }
            }
        }
    }
    Some(scan)
}

fn stored(bits: &mut Bits<'_>, scan: &mut Scan) -> Option<()> {
    bits.at = bits.at.next_multiple_of(8);
    let (length, check) = (bits.take(16)?, bits.take(16)?);
    if length != !check & 0xFFFF || bits.left() < length as usize * 8 {
        return None;
    }
    bits.at += length as usize * 8;
    scan.produced += u64::from(length);
    Some(())
}

/// The symbols of a compressed block (RFC 1951 §3.2.5).
fn codes(bits: &mut Bits<'_>, scan: &mut Scan, literals: &Huffman, distances: &Huffman) -> Option<()> {
    const LENGTH_BASE: [u16; 29] = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163,
        195, 227, 258,
    ];
    const LENGTH_EXTRA: [u8; 29] =
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    const DISTANCE_BASE: [u16; 30] = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
        3073, 4097, 6145, 8193, 12289, 16385, 24577,
    ];
    loop {
        let symbol = usize::from(literals.decode(bits)?);
        match symbol {
            0..256 => scan.produced += 1,
            256 => return Some(()),
            _ => {
                let index = symbol - 257;
                let extra = bits.take(u32::from(*LENGTH_EXTRA.get(index)?))?;
                let length = u32::from(LENGTH_BASE[index]) + extra;
                let index = usize::from(distances.decode(bits)?);
                let base = u32::from(*DISTANCE_BASE.get(index)?);
                let distance = base + bits.take((index as u32 / 2).saturating_sub(1))?;
                scan.matched(length, distance, bits.at as u64);
            }
        }
    }
}

impl Scan {
    fn matched(&mut self, length: u32, distance: u32, bit: u64) {
        let this = Match { distance, bit };
        if self.farthest.is_none_or(|m| distance > m.distance) {
            self.farthest = Some(this);
        }
        if u64::from(distance) > self.produced {
            self.beyond_start.get_or_insert(this);
            self.from_earlier += u64::from(length).min(u64::from(distance) - self.produced);
        }
        self.produced += u64::from(length);
    }
}

/// The code lengths of a dynamic block (RFC 1951 §3.2.7).
fn dynamic(bits: &mut Bits<'_>) -> Option<(Huffman, Huffman)> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let literals = bits.take(5)? as usize + 257;
    let distances = bits.take(5)? as usize + 1;
    let given = bits.take(4)? as usize + 4;
    let mut lengths = [0u8; 19];
    for place in &ORDER[..given] {
        lengths[*place] = bits.take(3)? as u8;
    }
    let code = Huffman::new(&lengths);
    let mut lengths = [0u8; 320];
    let mut at = 0;
    while at < literals + distances {
        let symbol = code.decode(bits)?;
        let (value, repeat) = match symbol {
            0..16 => (symbol as u8, 1),
            16 => (*lengths.get(at.checked_sub(1)?)?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            _ => (0, 11 + bits.take(7)?),
        };
        let end = at + repeat as usize;
        lengths.get_mut(at..end)?.fill(value);
        at = end;
    }
    let (literal, rest) = lengths[..at].split_at(literals);
    Some((Huffman::new(literal), Huffman::new(rest)))
}

/// The codes of a fixed block (RFC 1951 §3.2.6).
fn fixed() -> (Huffman, Huffman) {
    let mut lengths = [8u8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    (Huffman::new(&lengths), Huffman::new(&[5; 30]))
}

/// A canonical code: how many codes of each length, and the symbols in order of their codes.
struct Huffman {
    counts: [u16; 16],
    symbols: [u16; 320],
}

impl Huffman {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0u16; 16];
        for length in lengths {
            counts[usize::from(*length)] += 1;
        }
        counts[0] = 0;
        let mut next = [0u16; 16];
        for length in 1..16 {
            next[length] = next[length - 1] + counts[length - 1];
        }
        let mut symbols = [0; 320];
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let place = &mut next[usize::from(*length)];
            symbols[usize::from(*place)] = symbol as u16;
            *place += 1;
        }
        Self { counts, symbols }
    }

    fn decode(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        for count in &self.counts[1..] {
            let count = u32::from(*count);
            code |= bits.take(1)?;
            if code < first + count {
                return self.symbols.get((index + code - first) as usize).copied();
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

/// Bits, least significant first within each byte.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn left(&self) -> usize {
        (self.bytes.len() * 8).saturating_sub(self.at)
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for place in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_tail(payload: &[u8]) -> Vec<u8> {
        [payload, &[0, 0, 0xFF, 0xFF]].concat()
    }

    #[test]
    fn rfc7692_7_2_3_examples() {
        let hello = scan(&with_tail(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00])).unwrap();
        assert_eq!((hello.produced, hello.from_earlier, hello.farthest), (5, 0, None));
        // The second "Hello" is one literal and a match that reaches into the first message.
        let again = scan(&with_tail(&[0xf2, 0x00, 0x11, 0x00, 0x00])).unwrap();
        assert_eq!((again.produced, again.from_earlier), (5, 4));
        assert_eq!(again.beyond_start.map(|m| m.distance), Some(5));
        let stored = scan(&with_tail(b"\x00\x05\x00\xfa\xffHello\x00")).unwrap();
        assert_eq!(stored.produced, 5);
        let last = scan(&with_tail(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00])).unwrap();
        assert_eq!((last.produced, last.padding), (5, None));
        let two = [0xf2, 0x48, 0x05, 0, 0, 0, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(scan(&with_tail(&two)).unwrap().produced, 5);
        assert_eq!(scan(&with_tail(&[0])).unwrap().produced, 0);
    }

    #[test]
    fn padding_behind_a_final_block_is_looked_at() {
        let dirty = scan(&with_tail(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x80, 0x00])).unwrap();
        assert_eq!(dirty.padding, Some(55));
    }

    #[test]
    fn it_agrees_with_a_compressor_on_every_level() {
        use std::io::Write;
        let text: Vec<u8> = (0..40_000u32).flat_map(|i| (i * i % 977).to_le_bytes()).collect();
        for level in 0..=9 {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
            encoder.write_all(&text).unwrap();
            encoder.flush().unwrap();
            let compressed = encoder.get_ref().clone();
            let seen = scan(&compressed).unwrap();
            assert_eq!((seen.produced, seen.from_earlier), (text.len() as u64, 0), "level {level}");
            assert!(seen.farthest.is_none_or(|m| m.distance <= 32768));
        }
    }

    #[test]
    fn nonsense_ends() {
        for seed in 0..2000u32 {
            let bytes: Vec<u8> = (0..64u32)
                .map(|i| (seed.wrapping_mul(2_654_435_761).wrapping_add(i * 97) >> 13) as u8)
                .collect();
            let _: Option<Scan> = scan(&bytes);
        }
    }
}
