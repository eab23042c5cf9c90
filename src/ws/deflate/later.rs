//! Matches that are copied together.
//!
//! Of a thousand connections that take turns no window is in a cache when its next message comes, and each
//! match is copied from a place that has to be fetched first. Nothing but the output depends on what is
//! there: so matches are noted, all their places are read, one right behind the other, which fetches them at
//! the same time, and only then copied.

#![allow(clippy::inline_always, reason = "the innermost loop: measured")]

use super::ring::{WINDOW, copy_all};

/// Matches that wait to be copied, in order.
pub(super) struct Later {
    matches: [Waiting; Self::MANY],
    count: usize,
}

/// A match: so many bytes to a place in the window, from so far back.
#[derive(Clone, Copy)]
struct Waiting {
    at: u32,
    length: u16,
    distance: u16,
}

impl Later {
    const MANY: usize = 24;
    /// Bytes of the window from the first of them to the end of the last, at the most.
    const AHEAD: usize = 4 * 1024;
    /// What two of them are worth waiting for is there anyway.
    const FEW: usize = 2;

    #[inline(always)]
    pub fn new() -> Self {
        Self { matches: [Waiting { at: 0, length: 0, distance: 0 }; Self::MANY], count: 0 }
    }

    /// Whether what stands so far back is still there when it is copied: what comes out meanwhile is written
    /// over the oldest bytes of the window.
    #[inline(always)]
    pub fn may_wait(distance: u32) -> bool {
        distance <= (WINDOW - Self::AHEAD) as u32
    }

    /// Has a match wait that fits in before the end of the ring. Gives up to where more may come out before
    /// they are copied.
    #[inline(always)]
    #[must_use]
    pub fn add(&mut self, ring: &mut [u8], at: usize, length: u32, distance: u32) -> usize {
        if self.count == Self::MANY || at + length as usize > self.end(ring.len()) {
            self.copy_all(ring);
        }
        let waiting = Waiting { at: at as u32, length: length as u16, distance: distance as u16 };
        if let Some(place) = self.matches.get_mut(self.count) {
            *place = waiting;
            self.count += 1;
        }
        self.end(ring.len())
    }

    /// Up to where more may come out, in a ring of so many bytes.
    #[inline(always)]
    fn end(&self, ring: usize) -> usize {
        if self.count == 0 { ring } else { ring.min(self.matches[0].at as usize + Self::AHEAD) }
    }

    /// Copies them.
    #[inline]
    pub fn copy_all(&mut self, ring: &mut [u8]) {
        let matches = &self.matches[..self.count.min(Self::MANY)];
        if matches.len() > Self::FEW {
            let read = matches.iter().fold(0, |read, it| read ^ ring[it.from(ring.len())]);
            // Or nobody would have to read them.
            std::hint::black_box(read);
        }
        for it in matches {
            copy_all(ring, it.at as usize, usize::from(it.distance), usize::from(it.length));
        }
        self.count = 0;
    }
}

impl Waiting {
    /// Where it is copied from, in a ring of a power of two bytes.
    #[inline(always)]
    fn from(self, ring: usize) -> usize {
        (self.at as usize).wrapping_sub(usize::from(self.distance)) & (ring - 1)
    }
}
