//! What a dynamic block begins with: the lengths of its codes (RFC 1951 §3.2.7).

use super::bits::{Bad, Bits};
use super::codes::{Code, Codes, Huffman};

/// The codes of a dynamic block, and what they are made from.
pub(super) struct Dynamic {
    pub codes: Codes,
    stage: Stage,
    lengths: [u8; 320],
    /// How many lengths there are of literals, of distances, and for lengths.
    literals: usize,
    distances: usize,
    order: usize,
    /// How many of them were read.
    have: usize,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Stage {
    /// How many lengths there are.
    Counts,
    /// The lengths of the codes in which lengths are written.
    Order,
    /// The lengths.
    Lengths,
}

impl Dynamic {
    /// No codes yet.
    pub fn new() -> Box<Self> {
        Box::new(Self {
            codes: Codes { literals: Huffman::EMPTY, distances: Huffman::EMPTY },
            stage: Stage::Counts,
            lengths: [0; 320],
            literals: 0,
            distances: 0,
            order: 0,
            have: 0,
        })
    }

    /// A block begins.
    pub fn begin(&mut self) {
        self.stage = Stage::Counts;
    }

    /// Reads on; says whether the codes are all there.
    pub fn read(&mut self, bits: &mut Bits<'_>) -> Result<bool, Bad> {
        loop {
            let is_read = match self.stage {
                Stage::Counts => self.counts(bits)?,
                Stage::Order => self.order(bits)?,
                Stage::Lengths => return self.lengths(bits),
            };
            if !is_read {
                return Ok(false);
            }
        }
    }

    fn counts(&mut self, bits: &mut Bits<'_>) -> Result<bool, Bad> {
        let Some(counts) = bits.take(14) else { return Ok(false) };
        self.literals = (counts & 31) as usize + 257;
        self.distances = (counts >> 5 & 31) as usize + 1;
        self.order = (counts >> 10) as usize + 4;
        self.have = 0;
        self.lengths.fill(0);
        if self.literals > 286 || self.distances > 30 {
            return Err(Bad);
        }
        self.stage = Stage::Order;
        Ok(true)
    }

    fn order(&mut self, bits: &mut Bits<'_>) -> Result<bool, Bad> {
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        for place in &ORDER[self.have..self.order] {
            let Some(length) = bits.take(3) else { return Ok(false) };
            self.lengths[*place] = length as u8;
            self.have += 1;
        }
        // The place of the distances is free until their lengths are known.
        self.codes.distances = Huffman::new(&self.lengths[..19], Code::length).ok_or(Bad)?;
        // With one code or none, all lengths would be the same, and those make no code that can end a block.
        if !self.codes.distances.is_complete() {
            return Err(Bad);
        }
        self.have = 0;
        self.stage = Stage::Lengths;
        Ok(true)
    }

    fn lengths(&mut self, bits: &mut Bits<'_>) -> Result<bool, Bad> {
        let Self { codes, lengths, literals, distances, have, .. } = self;
        let all = *literals + *distances;
        while *have < all {
            bits.fill();
            let Some(code) = codes.distances.decode(bits.hold, bits.count) else { return Ok(false) };
            if code.bits() + code.extra() > bits.count {
                return Ok(false);
            }
            bits.drop(code.bits());
            let more = bits.take(code.extra()).unwrap_or(0) as usize;
            let (value, times) = match code.value() {
                16 => (*have.checked_sub(1).and_then(|last| lengths.get(last)).ok_or(Bad)?, 3 + more),
                17 => (0, 3 + more),
                18 => (0, 11 + more),
                length => (length as u8, 1),
            };
            let end = *have + times;
            if end > all {
                return Err(Bad);
            }
            lengths[*have..end].fill(value);
            *have = end;
        }
        let (literal, distance) = lengths[..all].split_at(*literals);
        // A block must be able to end.
        if literal[256] == 0 {
            return Err(Bad);
        }
        codes.literals = Huffman::new(literal, Code::literal).ok_or(Bad)?;
        codes.distances = Huffman::new(distance, Code::distance).ok_or(Bad)?;
        Ok(true)
    }
}
