//! Reading the blocks of a DEFLATE stream (RFC 1951) into one window.
//!
//! What comes out is written into the window and lent from there, so that a direction holds each byte once;
//! and while matches are copied it is seen how far they look back. An inflater that keeps its window to
//! itself would have to be followed by a second one (a final block makes it forget), and by a second reading
//! of the blocks: distances are what an agreed window is about.
//!
//! Input may end anywhere: what is read in one go (a symbol with its extra bits and its distance) is left in
//! `hold` until all of it is there.

#![allow(clippy::inline_always, reason = "the innermost loop: measured")]

use super::bits::{Bad, Bits};
use super::codes::{Codes, FIXED};
use super::dynamic::Dynamic;
use super::later::Later;
use super::ring::{WINDOW, copy, copy_all};

/// The window of a direction begins with so many bytes, and is doubled as more come out.
const SMALLEST: usize = 4 * 1024;

/// Bytes of the longest match.
const LONGEST: usize = 258;

/// What the matches of one message say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Of the inflated bytes, how many are copied from earlier messages.
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

/// Why reading stops.
enum Stop {
    /// What comes next is not all there.
    Input,
    /// The window must be lent before more comes out.
    Output,
    /// A block is over.
    Block,
}

/// Where the stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a block.
    Header,
    /// Before the length of a stored block.
    Size,
    /// In a stored block, with so many bytes to come.
    Stored(u16),
    /// Before the codes of a dynamic block, or among them.
    Codes,
    Fixed,
    Dynamic,
}

/// The blocks of one direction.
pub(super) struct Blocks {
    /// The window; a power of two long, or empty.
    ring: Vec<u8>,
    /// Where the next byte goes.
    at: usize,
    /// Bytes that came out since the window was empty.
    pub total: u64,
    /// Those of them that are no part of the message at hand.
    before: u64,
    /// Bits taken from the input and not used, the next one lowest.
    hold: u64,
    count: u32,
    state: State,
    /// The block is a final one.
    is_final: bool,
    /// Bytes of a match that did not fit in, and how far back they are.
    copying: (u32, u32),
    dynamic: Option<Box<Dynamic>>,
    /// The window has hardly been used since the message before: what it holds is in no cache.
    pub is_cold: bool,
    pub seen: Seen,
}

impl Blocks {
    /// The beginning of a stream.
    pub fn new() -> Self {
        Self {
            ring: Vec::new(),
            at: 0,
            total: 0,
            before: 0,
            hold: 0,
            count: 0,
            state: State::Header,
            is_final: false,
            copying: (0, 0),
            dynamic: None,
            is_cold: false,
            seen: Seen::default(),
        }
    }

    /// The same behind a window full of zeros, for a stream of which the beginning was not seen.
    pub fn midway() -> Self {
        Self { ring: vec![0; WINDOW], total: WINDOW as u64, ..Self::new() }
    }

    /// Bytes on the heap.
    pub fn cost(&self) -> usize {
        self.ring.capacity() + self.dynamic.as_ref().map_or(0, |_| size_of::<Dynamic>())
    }

    /// A message begins.
    pub fn begin(&mut self) {
        self.before = self.total;
        self.seen = Seen::default();
    }

    /// Forgets the window, and the block at hand.
    pub fn clear(&mut self) {
        (self.at, self.total, self.before) = (0, 0, 0);
        (self.hold, self.count, self.state, self.copying) = (0, 0, State::Header, (0, 0));
    }

    /// Whether no block is under way.
    pub fn is_between(&self) -> bool {
        self.state == State::Header
    }

    /// Takes `00 00 ff ff` where an empty stored block is under way, of which these are the size: what every
    /// message ends with. Says whether it is.
    pub fn take_tail(&mut self) -> bool {
        let is_usual = self.state == State::Size && self.count < 8;
        if is_usual {
            (self.hold, self.count, self.state) = (0, 0, State::Header);
        }
        is_usual
    }

    /// Reads `bytes`, the message's payload up to offset `end`; `put` is called with what comes out, a few
    /// KiB at a time, and gives up by `false`. `at_end` is set at the end of a final block, and cleared by
    /// bytes behind it.
    ///
    /// # Errors
    /// The offset behind the bytes that are no DEFLATE.
    pub fn run(
        &mut self,
        bytes: &[u8],
        end: u64,
        at_end: &mut bool,
        put: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), u64> {
        let mut bits = Bits { rest: bytes, hold: self.hold, count: self.count, end };
        *at_end &= bytes.is_empty();
        let result = loop {
            if self.at == self.ring.len() {
                self.make_room();
            }
            let from = self.at;
            let stop = self.step(&mut bits, at_end);
            if self.at > from && !put(&self.ring[from..self.at]) {
                break Ok(());
            }
            match stop {
                Ok(Stop::Input) => break Ok(()),
                Ok(Stop::Output | Stop::Block) => {}
                Err(Bad) => break Err(bits.offset().div_ceil(8)),
            }
        };
        // Above what is counted there may be bits of bytes that were not taken.
        self.hold = bits.hold & ((1 << bits.count) - 1);
        self.count = bits.count;
        result
    }

    /// The window's end was reached: it is doubled, or begun anew.
    fn make_room(&mut self) {
        if self.ring.len() < WINDOW {
            let more = self.ring.len().max(SMALLEST);
            self.ring.reserve_exact(more);
            self.ring.resize(self.ring.len() + more, 0);
        } else {
            self.at = 0;
        }
    }

    /// Goes on until something stops it.
    fn step(&mut self, bits: &mut Bits<'_>, at_end: &mut bool) -> Result<Stop, Bad> {
        loop {
            let stop = match self.state {
                State::Header => self.header(bits, at_end)?,
                State::Size => self.size(bits)?,
                State::Stored(left) => self.stored(bits, left),
                State::Codes => {
                    if !self.dynamic.get_or_insert_with(Dynamic::new).read(bits)? {
                        return Ok(Stop::Input);
                    }
                    self.state = State::Dynamic;
                    None
                }
                State::Fixed => self.compressed(bits, &FIXED)?,
                State::Dynamic => {
                    let Some(dynamic) = self.dynamic.take() else { return Err(Bad) };
                    let stop = self.compressed(bits, &dynamic.codes);
                    self.dynamic = Some(dynamic);
                    stop?
                }
            };
            match stop {
                Some(Stop::Block) if self.is_final => {
                    // The next block begins at the next byte; what is skipped must be zero.
                    let skipped = bits.count % 8;
                    let padding = bits.hold & ((1 << skipped) - 1);
                    if padding != 0 {
                        let bit = bits.offset() + u64::from(padding.trailing_zeros());
                        self.seen.padding.get_or_insert(bit);
                    }
                    bits.drop(skipped);
                    self.state = State::Header;
                    *at_end = bits.count == 0 && bits.rest.is_empty();
                }
                Some(Stop::Block) => self.state = State::Header,
                Some(stop) => return Ok(stop),
                None => {}
            }
        }
    }

    fn header(&mut self, bits: &mut Bits<'_>, at_end: &mut bool) -> Result<Option<Stop>, Bad> {
        let Some(header) = bits.take(3) else { return Ok(Some(Stop::Input)) };
        *at_end = false;
        self.is_final = header & 1 == 1;
        self.state = match header >> 1 {
            0 => State::Size,
            1 => State::Fixed,
            2 => {
                self.dynamic.get_or_insert_with(Dynamic::new).begin();
                State::Codes
            }
            _ => return Err(Bad),
        };
        Ok(None)
    }

    /// The length of a stored block (RFC 1951 §3.2.4).
    fn size(&mut self, bits: &mut Bits<'_>) -> Result<Option<Stop>, Bad> {
        bits.drop(bits.count % 8);
        let Some(size) = bits.take(32) else { return Ok(Some(Stop::Input)) };
        let length = size as u16;
        if length != !((size >> 16) as u16) {
            return Err(Bad);
        }
        self.state = State::Stored(length);
        Ok(None)
    }

    #[allow(clippy::unnecessary_wraps, reason = "as the readers of other blocks")]
    fn stored(&mut self, bits: &mut Bits<'_>, mut left: u16) -> Option<Stop> {
        let room = &mut self.ring[self.at..];
        let length = room.len();
        let mut room = room.iter_mut();
        while left > 0
            && bits.count >= 8
            && let Some(place) = room.next()
        {
            *place = bits.hold as u8;
            bits.drop(8);
            left -= 1;
        }
        let mut put = length - room.len();
        if bits.count == 0 {
            // What was read ahead is not in the way of these any more.
            bits.hold = 0;
            let room = room.into_slice();
            let more = usize::from(left).min(room.len()).min(bits.rest.len());
            let (now, rest) = bits.rest.split_at(more);
            room[..more].copy_from_slice(now);
            bits.rest = rest;
            left -= more as u16;
            put += more;
        }
        self.at += put;
        self.total += put as u64;
        self.state = State::Stored(left);
        Some(match left {
            0 => Stop::Block,
            _ if self.at == self.ring.len() => Stop::Output,
            _ => Stop::Input,
        })
    }

    /// The symbols of a compressed block (RFC 1951 §3.2.5).
    fn compressed(&mut self, bits: &mut Bits<'_>, codes: &Codes) -> Result<Option<Stop>, Bad> {
        if self.is_cold { self.symbols::<true>(bits, codes) } else { self.symbols::<false>(bits, codes) }
    }

    /// The same, with `COLD` copying many matches together.
    fn symbols<const COLD: bool>(&mut self, bits: &mut Bits<'_>, codes: &Codes) -> Result<Option<Stop>, Bad> {
        let Self { ring, at, total, before, copying, seen, .. } = self;
        let ring = ring.as_mut_slice();
        // What came out before the window's first byte, in all and of the message.
        let offset = total.wrapping_sub(*at as u64);
        let own = offset.wrapping_sub(*before);
        let (mut put, mut now) = (*at, *bits);
        let mut later = Later::new();
        // Up to where literals may come out.
        let mut end = ring.len();
        let stop = loop {
            while copying.0 > 0 && put < ring.len() {
                if COLD {
                    later.copy_all(ring);
                    end = ring.len();
                }
                let copied = copy(ring, put, copying.1 as usize, copying.0 as usize);
                put += copied;
                copying.0 -= copied as u32;
            }
            // While there is enough of everything, nothing has to be asked for.
            while now.rest.len() >= Bits::WORD && put + LONGEST < end {
                now.fill();
                let mut code = codes.literals.find(now.hold);
                if code.is_literal() {
                    ring[put] = code.value() as u8;
                    put += 1;
                    now.drop(code.bits());
                    code = codes.literals.find(now.hold);
                    if code.is_literal() {
                        ring[put] = code.value() as u8;
                        put += 1;
                        now.drop(code.bits());
                        continue;
                    }
                    now.fill();
                }
                if !code.is_length() {
                    break;
                }
                let literal = now;
                now.drop(code.bits());
                let times = now.value(code);
                let code = codes.distances.find(now.hold);
                now.drop(code.bits());
                let distance = now.value(code);
                if code.is_none() || u64::from(distance) > offset.wrapping_add(put as u64) {
                    now = literal;
                    break;
                }
                seen.note(times, distance, own.wrapping_add(put as u64), &now);
                if COLD && Later::may_wait(distance) {
                    end = later.add(ring, put, times, distance);
                } else {
                    if COLD {
                        later.copy_all(ring);
                        end = ring.len();
                    }
                    copy_all(ring, put, distance as usize, times as usize);
                }
                put += times as usize;
            }
            // Literals, up to what is none.
            let code = loop {
                if put >= end {
                    break None;
                }
                now.fill();
                let code = codes.literals.decode(now.hold, now.count);
                match code {
                    Some(code) if code.is_literal() => {
                        ring[put] = code.value() as u8;
                        put += 1;
                        now.drop(code.bits());
                    }
                    _ => break code,
                }
            };
            let Some(code) = code else {
                if COLD && put >= end && end < ring.len() {
                    later.copy_all(ring);
                    end = ring.len();
                    continue;
                }
                break Ok(Some(if put >= ring.len() { Stop::Output } else { Stop::Input }));
            };
            let mut then = now;
            then.drop(code.bits());
            if code.is_end() {
                now = then;
                break Ok(Some(Stop::Block));
            }
            if code.is_none() {
                now = then;
                break Err(Bad);
            }
            let Some(times) = then.with_extra(code) else { break Ok(Some(Stop::Input)) };
            let Some(code) = codes.distances.decode(then.hold, then.count) else {
                break Ok(Some(Stop::Input));
            };
            then.drop(code.bits());
            if code.is_none() {
                now = then;
                break Err(Bad);
            }
            let Some(distance) = then.with_extra(code) else { break Ok(Some(Stop::Input)) };
            now = then;
            if u64::from(distance) > offset.wrapping_add(put as u64) {
                break Err(Bad);
            }
            seen.note(times, distance, own.wrapping_add(put as u64), &now);
            if COLD && Later::may_wait(distance) && put + times as usize <= ring.len() {
                end = later.add(ring, put, times, distance);
                put += times as usize;
            } else {
                *copying = (times, distance);
            }
        };
        if COLD {
            later.copy_all(ring);
        }
        *bits = now;
        *total = offset.wrapping_add(put as u64);
        *at = put;
        stop
    }
}

impl Seen {
    /// Notes a match behind `produced` bytes of the message.
    #[inline(always)]
    fn note(&mut self, times: u32, distance: u32, produced: u64, bits: &Bits<'_>) {
        if self.farthest.is_none_or(|farthest| distance > farthest.distance) {
            self.farthest = Some(Match { distance, bit: bits.offset() });
        }
        if u64::from(distance) > produced {
            self.beyond_start.get_or_insert_with(|| Match { distance, bit: bits.offset() });
            self.from_earlier += u64::from(times).min(u64::from(distance) - produced);
        }
    }
}
