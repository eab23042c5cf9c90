//! Bytes that came too early: kept in order, each position once, first come first kept.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;

use crate::model::At;

/// What keeping a piece costs besides its bytes.
const OVERHEAD: usize = 96;
/// What keeping any costs: a tree's node has room for eleven from the start.
const FIRST: usize = 1024;

/// Runs of bytes by position, none overlapping another.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    by_position: BTreeMap<u64, Piece>,
    /// Bytes of all pieces.
    len: usize,
    /// How many pieces look like probes.
    probes: usize,
}

/// A run of bytes.
#[derive(Debug)]
pub(super) struct Piece {
    pub bytes: Box<[u8]>,
    pub by: Carrier,
}

/// What carried a run of bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Carrier {
    /// Where the first byte stands.
    pub at: At,
    /// What the segment acknowledged.
    pub ack: Option<u32>,
    /// Set when it looks like a keep-alive probe: the flow's packet count at that time.
    /// The byte of a probe gives way to any other.
    pub probe: Option<NonZeroU32>,
    /// Its bytes had been acknowledged a while before: an earlier copy is not in the capture.
    pub is_late: bool,
}

impl Piece {
    /// Drops the first `count` bytes.
    pub(super) fn skip(&self, count: u64) -> (&[u8], At) {
        let count = count.min(self.bytes.len() as u64) as usize;
        (&self.bytes[count..], At { byte: self.by.at.byte + count as u32, ..self.by.at })
    }
}

impl Pieces {
    /// Keeps `bytes` from position `start` on where nothing is kept yet. Says whether some
    /// position held a different byte already.
    pub(super) fn insert(&mut self, start: u64, bytes: &[u8], by: Carrier) -> bool {
        let end = start + bytes.len() as u64;
        if self.probes > 0 && by.probe.is_none() {
            self.drop_probes(start..end);
        }
        let mut conflict = false;
        let mut here = start;
        if let Some((&other, piece)) = self.by_position.range(..start).next_back() {
            here = Self::pass(other, piece, start, bytes, here, &mut conflict);
        }
        while here < end {
            let next = self.by_position.range(here..end).next();
            let stop = next.map_or(end, |(&other, _)| other);
            let after = next
                .map_or(end, |(&other, piece)| Self::pass(other, piece, start, bytes, other, &mut conflict));
            if stop > here {
                let offset = (here - start) as usize;
                let part = &bytes[offset..(stop - start) as usize];
                let at = At { byte: by.at.byte + offset as u32, ..by.at };
                self.by_position.insert(here, Piece { bytes: part.into(), by: Carrier { at, ..by } });
                self.len += part.len();
                self.probes += usize::from(by.probe.is_some());
            }
            here = after;
        }
        conflict && by.probe.is_none()
    }

    /// Makes room for data where only probes are kept.
    fn drop_probes(&mut self, positions: Range<u64>) {
        let probes = self.by_position.range(positions).filter(|(_, piece)| piece.by.probe.is_some());
        let positions: Vec<u64> = probes.map(|(&at, _)| at).collect();
        for at in positions {
            self.by_position.remove(&at);
            self.len -= 1;
            self.probes -= 1;
        }
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
        self.by_position.first_key_value().map(|(&at, piece)| (at, piece))
    }

    /// Takes the lowest piece out.
    pub(super) fn pop_first(&mut self) -> Option<(u64, Piece)> {
        let (at, piece) = self.by_position.pop_first()?;
        self.len -= piece.bytes.len();
        self.probes -= usize::from(piece.by.probe.is_some());
        Some((at, piece))
    }

    /// The position behind the last piece.
    pub(super) fn end(&self) -> Option<u64> {
        self.by_position.last_key_value().map(|(&at, piece)| at + piece.bytes.len() as u64)
    }

    /// Whether the byte at a position is kept.
    pub(super) fn holds(&self, position: u64) -> bool {
        let before = self.by_position.range(..=position).next_back();
        before.is_some_and(|(&at, piece)| position < at + piece.bytes.len() as u64)
    }

    /// All pieces in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Piece)> {
        self.by_position.iter().map(|(&at, piece)| (at, piece))
    }

    /// Bytes kept.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// What keeping them takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        let first = if self.by_position.is_empty() { 0 } else { FIRST };
        first + self.len + self.by_position.len() * OVERHEAD
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_position.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(pieces: &Pieces) -> Vec<(u64, Vec<u8>, u32)> {
        pieces.iter().map(|(at, piece)| (at, piece.bytes.to_vec(), piece.by.at.byte)).collect()
    }

    fn at(byte: u32) -> Carrier {
        Carrier { at: At { packet: 1, byte, time: None }, ..Carrier::default() }
    }

    #[test]
    fn the_first_bytes_stay() {
        let mut pieces = Pieces::default();
        assert!(!pieces.insert(10, b"cd", at(100)));
        assert!(!pieces.insert(14, b"gh", at(200)));
        assert!(!pieces.insert(8, b"abcdefghij", at(300)));
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
        assert_eq!((pieces.len(), pieces.cost()), (10, FIRST + 10 + 5 * OVERHEAD));
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
            pieces.insert(10, b"abcd", at(0));
            assert_eq!(pieces.insert(start, bytes, at(0)), conflict, "{start} {bytes:?}");
            let all: Vec<u8> = pieces.iter().flat_map(|(_, p)| p.bytes.to_vec()).collect();
            assert!(all.windows(4).any(|w| w == b"abcd"), "{all:?}");
        }
    }

    #[test]
    fn pieces_come_out_in_order() {
        let mut pieces = Pieces::default();
        for position in [7, 3, 5, 1, 9] {
            pieces.insert(position, &[position as u8], at(0));
        }
        let order: Vec<u64> = std::iter::from_fn(|| pieces.pop_first()).map(|(at, _)| at).collect();
        assert_eq!(order, [1, 3, 5, 7, 9]);
        assert_eq!((pieces.len(), pieces.is_empty()), (0, true));
    }

    #[test]
    fn a_probe_gives_way() {
        let probe = Carrier { probe: NonZeroU32::new(1), ..Carrier::default() };
        let mut pieces = Pieces::default();
        assert!(!pieces.insert(11, &[0], probe));
        assert!(!pieces.insert(10, b"ab", at(5)) && !pieces.insert(11, &[0], probe));
        assert_eq!(kept(&pieces), [(10, b"ab".to_vec(), 5)]);
        assert_eq!((pieces.len(), pieces.probes), (2, 0));
    }
}
