//! Which bytes of a direction were sent for the first time.

use std::collections::VecDeque;

use crate::limits;

/// Which bytes of a direction have been seen.
#[derive(Default)]
pub(super) struct Sequence {
    /// The next sequence number, counted on beyond 32 bits; `None` before the first packet.
    next: Option<u64>,
    /// Ranges below it that are missing: from, to.
    holes: VecDeque<(u64, u64)>,
}

impl Sequence {
    /// A connection begins.
    pub(super) fn begin(&mut self, seq: u32) {
        let next = u64::from(seq) + 1;
        // A SYN sent again begins nothing.
        if self.next.is_none_or(|old| old as u32 != next as u32) {
            *self = Self { next: Some(next), holes: VecDeque::new() };
        }
    }

    /// How many of `length` bytes from `seq` on were not seen before; they are from now on.
    pub(super) fn new_bytes(&mut self, seq: u32, length: u64) -> u64 {
        let next = *self.next.get_or_insert(u64::from(seq));
        // The nearest number, forwards or backwards, with these lower 32 bits.
        let from = next.wrapping_add_signed(i64::from(seq.wrapping_sub(next as u32).cast_signed()));
        let to = from + length;
        let mut new = 0;
        if to > next {
            if from > next && self.holes.len() < limits::REORDER_PACKETS as usize {
                self.holes.push_back((next, from));
            }
            new += to - from.max(next);
            self.next = Some(to);
        }
        for (low, high) in std::mem::take(&mut self.holes) {
            let (cut_low, cut_high) = (from.clamp(low, high), to.clamp(low, high));
            if to <= next || from < next {
                new += cut_high - cut_low;
            }
            let filled = cut_high > cut_low;
            if !filled {
                self.holes.push_back((low, high));
                continue;
            }
            for (low, high) in [(low, cut_low), (cut_high, high)] {
                if high > low {
                    self.holes.push_back((low, high));
                }
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_seen_before_are_not_new() {
        let mut seen = Sequence::default();
        seen.begin(u32::MAX - 4);
        let first = u32::MAX - 3;
        assert_eq!(seen.new_bytes(first, 4), 4, "up to the wrap");
        assert_eq!(seen.new_bytes(first, 4), 0);
        assert_eq!(seen.new_bytes(10, 5), 5, "a hole before it");
        assert_eq!(seen.new_bytes(0, 10), 10, "and filled");
        assert_eq!(seen.new_bytes(0, 15), 0);
        assert_eq!(seen.new_bytes(12, 6), 3, "partly new");
    }
}
