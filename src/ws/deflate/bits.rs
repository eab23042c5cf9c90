//! A DEFLATE stream's bits (RFC 1951 §3.1.1).

#![allow(clippy::inline_always, reason = "the innermost loop: measured")]

use super::codes::Code;

/// The bytes are no DEFLATE from here on.
#[derive(Debug)]
pub(super) struct Bad;

/// The input, bit by bit.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    pub rest: &'a [u8],
    /// Bits taken from `rest` and not used, the next one lowest.
    pub hold: u64,
    pub count: u32,
    /// Offset, in the message's payload, of the end of `rest`.
    pub end: u64,
}

impl Bits<'_> {
    /// Bytes that are taken in one go where there are so many.
    pub const WORD: usize = size_of::<u64>();

    /// Takes bytes until there are 56 bits, or all that are left.
    #[inline(always)]
    pub fn fill(&mut self) {
        // A symbol, a distance and what both have extra are at most 48 bits.
        if self.count >= 48 {
            return;
        }
        if let Some(word) = self.rest.first_chunk() {
            // The bits above those that are counted are what comes next, and stay the same.
            self.hold |= u64::from_le_bytes(*word) << self.count;
            let taken = (63 - self.count) >> 3;
            self.rest = &self.rest[taken as usize..];
            self.count += taken * 8;
        } else {
            while self.count < 56
                && let Some((byte, rest)) = self.rest.split_first()
            {
                self.hold |= u64::from(*byte) << self.count;
                self.count += 8;
                self.rest = rest;
            }
        }
    }

    /// The next `count` bits, if they are there; at most 32.
    #[inline]
    pub fn take(&mut self, count: u32) -> Option<u32> {
        if self.count < count {
            self.fill();
        }
        if self.count < count {
            return None;
        }
        let value = self.hold & ((1 << count) - 1);
        self.drop(count);
        Some(value as u32)
    }

    /// The value of a code together with its extra bits, if they are there.
    #[inline(always)]
    pub fn with_extra(&mut self, code: Code) -> Option<u32> {
        if code.extra() > self.count {
            return None;
        }
        Some(self.value(code))
    }

    /// The value of a code together with its extra bits, which are there.
    #[inline(always)]
    pub fn value(&mut self, code: Code) -> u32 {
        let extra = code.extra();
        let value = code.value() + (self.hold & ((1 << extra) - 1)) as u32;
        self.drop(extra);
        value
    }

    #[inline(always)]
    pub fn drop(&mut self, count: u32) {
        self.hold >>= count;
        self.count -= count;
    }

    /// Bits of the message's payload before the next one.
    pub fn offset(&self) -> u64 {
        (self.end - self.rest.len() as u64) * 8 - u64::from(self.count)
    }
}
