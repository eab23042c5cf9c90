//! Bytes that came too early: kept in order, each position once, first come first kept.

use std::collections::BTreeMap;

use crate::model::At;

/// What keeping a piece costs besides its bytes.
const OVERHEAD: usize = 96;

/// Runs of bytes by position, none overlapping another.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pieces: BTreeMap<u64, Piece>,
    /// Bytes of all pieces.
    len: usize,
}

/// A run of bytes.
#[derive(Debug)]
pub(super) struct Piece {
    pub bytes: Box<[u8]>,
    /// Where they came from.
    pub at: At,
    /// What the segment acknowledged.
    pub ack: Option<u32>,
}

impl Piece {
    /// Drops the first `count` bytes.
    pub(super) fn skip(&self, count: u64) -> (&[u8], At) {
        let count = count.min(self.bytes.len() as u64) as usize;
        (&self.bytes[count..], At { byte: self.at.byte + count as u32, ..self.at })
    }
}

impl Pieces {
    /// Keeps `bytes` from position `start` on where nothing is kept yet. Says whether some
    /// position held a different byte already.
    pub(super) fn insert(&mut self, start: u64, bytes: &[u8], at: At, ack: Option<u32>) -> bool {
        let end = start + bytes.len() as u64;
        let mut conflict = false;
        let mut here = start;
        if let Some((&other, piece)) = self.pieces.range(..start).next_back() {
            here = Self::pass(other, piece, start, bytes, here, &mut conflict);
        }
        while here < end {
            let next = self.pieces.range(here..end).next();
            let stop = next.map_or(end, |(&other, _)| other);
            let after = next
                .map_or(end, |(&other, piece)| Self::pass(other, piece, start, bytes, other, &mut conflict));
            if stop > here {
                let offset = (here - start) as usize;
                let part = &bytes[offset..(stop - start) as usize];
                let at = At { byte: at.byte + offset as u32, ..at };
                self.pieces.insert(here, Piece { bytes: part.into(), at, ack });
                self.len += part.len();
            }
            here = after;
        }
        conflict
    }

    /// Compares `bytes` (from `start`) with the piece at `other` and says where to go on.
    fn pass(other: u64, piece: &Piece, start: u64, bytes: &[u8], here: u64, conflict: &mut bool) -> u64 {
        let piece_end = other + piece.bytes.len() as u64;
        let end = start + bytes.len() as u64;
        let to = piece_end.min(end);
        if to <= here {
            return here;
        }
        let kept = &piece.bytes[(here - other) as usize..(to - other) as usize];
        *conflict |= kept != &bytes[(here - start) as usize..(to - start) as usize];
        to
    }

    /// The lowest position kept, and its piece.
    pub(super) fn first(&self) -> Option<(u64, &Piece)> {
        self.pieces.first_key_value().map(|(&at, piece)| (at, piece))
    }

    /// Takes the lowest piece out.
    pub(super) fn pop_first(&mut self) -> Option<(u64, Piece)> {
        let (at, piece) = self.pieces.pop_first()?;
        self.len -= piece.bytes.len();
        Some((at, piece))
    }

    /// All pieces in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Piece)> {
        self.pieces.iter().map(|(&at, piece)| (at, piece))
    }

    /// Bytes kept.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// What keeping them takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.len + self.pieces.len() * OVERHEAD
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(pieces: &Pieces) -> Vec<(u64, Vec<u8>, u32)> {
        pieces.iter().map(|(at, piece)| (at, piece.bytes.to_vec(), piece.at.byte)).collect()
    }

    fn at(byte: u32) -> At {
        At { packet: 1, byte, time: None }
    }

    #[test]
    fn the_first_bytes_stay() {
        let mut pieces = Pieces::default();
        assert!(!pieces.insert(10, b"cd", at(100), None));
        assert!(!pieces.insert(14, b"gh", at(200), None));
        assert!(!pieces.insert(8, b"abcdefghij", at(300), None));
        assert_eq!(
            kept(&pieces),
            [
                (8, b"ab".to_vec(), 300),
                (10, b"cd".to_vec(), 100),
                (12, b"ef".to_vec(), 304),
                (14, b"gh".to_vec(), 200),
                (16, b"ij".to_vec(), 308),
            ]
        );
        assert_eq!((pieces.len(), pieces.cost()), (10, 10 + 5 * OVERHEAD));
    }

    #[test]
    fn different_bytes_are_a_conflict_and_do_not_replace() {
        // start, bytes, conflict; "abcd" is kept from 10 on
        let table: [(u64, &[u8], bool); 8] = [
            (10, b"abcd", false),
            (11, b"bc", false),
            (11, b"bX", true),
            (8, b"xxab", false),
            (8, b"xxaX", true),
            (12, b"cdee", false),
            (12, b"Xdee", true),
            (8, b"xxabcXee", true),
        ];
        for (start, bytes, conflict) in table {
            let mut pieces = Pieces::default();
            pieces.insert(10, b"abcd", at(0), None);
            assert_eq!(pieces.insert(start, bytes, at(0), None), conflict, "{start} {bytes:?}");
            let all: Vec<u8> = pieces.iter().flat_map(|(_, p)| p.bytes.to_vec()).collect();
            assert!(all.windows(4).any(|w| w == b"abcd"), "{all:?}");
        }
    }

    #[test]
    fn pieces_come_out_in_order() {
        let mut pieces = Pieces::default();
        for position in [7, 3, 5, 1, 9] {
            pieces.insert(position, &[position as u8], at(0), None);
        }
        let order: Vec<u64> = std::iter::from_fn(|| pieces.pop_first()).map(|(at, _)| at).collect();
        assert_eq!(order, [1, 3, 5, 7, 9]);
        assert_eq!((pieces.len(), pieces.is_empty()), (0, true));
    }
}
