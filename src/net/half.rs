//! One direction of a flow: what has been delivered, what is known to come.
//!
//! Sequence numbers are kept in 64 bits, unwrapped: the first one seen starts at
//! 2^32 plus itself, so that neither the wrap at 2^32 nor bytes before the first
//! captured ones need care.

use super::reassembly::Piece;
use super::waiting::{End, Ready, Waiting};
use crate::limits;

/// Delivered bytes remembered for telling a retransmission that differs.
const TAIL: usize = 16;
/// The largest window there can be (RFC 7323 §2.3): an acknowledgement further ahead is not of this stream.
const WINDOW: u64 = 1 << 30;
/// How far from where it is expected a reset, a late SYN or a leftover may be.
pub(super) const NEAR: u64 = 1 << 20;
/// How far from where it is expected what came through another tunnel may be: a few of the largest windows
/// in use. That both numbers of another connection are so near happens once in sixteen thousand times.
const AROUND: u64 = 1 << 24;

/// How much is known of where the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No packet of its sender was captured.
    Unseen,
    /// Some were, but not where the stream begins.
    Heard,
    /// `next` is the position of the next byte to deliver.
    Open,
    /// The end was delivered.
    Ended,
}

/// One direction of a flow, in one cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Half {
    /// Open: the next position to deliver. Heard: the lowest position with data, or the last one named.
    pub next: u64,
    /// The highest position that the peer acknowledged, 0 for none.
    pub acked: u64,
    /// The packet that carried the last byte delivered, 0 for none.
    pub last_packet: u64,
    /// What cannot be delivered yet.
    pub waiting: Option<Box<Waiting>>,
    /// The first sequence number of the stream's data, once it is heard.
    pub base: u32,
    /// Open: the flow's packet count when the hole at `next` was first seen to be acknowledged,
    /// 0 for not. Heard: that of the first packet with data, or that named `next`.
    pub since: u32,
    tail: [u8; TAIL],
    tail_len: u8,
    pub state: State,
    /// A packet of the sender was captured; the peer's alone may say where the stream begins.
    pub heard: bool,
    /// `base` comes from a SYN.
    pub syn_seen: bool,
    /// Heard: the data begins at `base`, or before that, as its peer said.
    told: bool,
    /// Checksums still to verify.
    pub checks: u8,
    /// The window that its sender advertised last, not scaled; any but 0 before.
    pub window: u16,
}

impl Half {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            acked: 0,
            last_packet: 0,
            waiting: None,
            base: 0,
            since: 0,
            tail: [0; TAIL],
            tail_len: 0,
            state: State::Unseen,
            heard: false,
            syn_seen: false,
            told: false,
            checks: limits::CHECKSUMS,
            window: 1,
        }
    }

    /// The same, with nothing waiting.
    pub(super) fn without_waiting(&self) -> Self {
        Self { waiting: None, ..*self }
    }

    /// The position that a sequence number means, being the nearest to `next`.
    #[inline]
    pub(super) fn position(&self, seq: u32) -> u64 {
        let ahead = seq.wrapping_sub(self.next as u32).cast_signed();
        self.next.wrapping_add_signed(ahead.into())
    }

    /// The flow's packet number `count` is the sender's and names `seq`.
    pub(super) fn hear(&mut self, seq: u32, has_data: bool, count: u32) {
        if self.state == State::Unseen {
            self.next = (1 << 32) + u64::from(seq);
            self.state = State::Heard;
            self.since = count;
        } else if self.state == State::Heard {
            let position = self.position(seq);
            let has_pieces = self.waiting.as_ref().is_some_and(|w| !w.pieces.is_empty());
            if !has_pieces && (has_data || position != self.next) {
                self.since = count;
            }
            if !has_pieces || has_data && position < self.next {
                self.next = position;
            }
        }
    }

    /// The flow's packet number `count`, which the peer sent before any data, acknowledges the stream's SYN:
    /// the data begins at `seq`, or before that where packets have changed places.
    pub(super) fn begins_by(&mut self, seq: u32, count: u32) {
        self.hear(seq, false, count);
        (self.base, self.told) = (seq, true);
    }

    /// Where the data begins if the first of it that was captured is at `position`.
    pub(super) fn begins_with(&self, position: u64) -> u64 {
        if self.told { position.min(self.position(self.base)) } else { position }
    }

    /// The stream's data begins at `seq`, as a SYN (`syn`) or the answer to one says.
    pub(super) fn anchor(&mut self, seq: u32, syn: bool) {
        match self.state {
            State::Unseen => self.next = (1 << 32) + u64::from(seq),
            State::Heard => self.next = self.position(seq),
            // The answer acknowledged data of the SYN itself (RFC 7413), which comes only now.
            State::Open if syn && !self.syn_seen && self.last_packet == 0 => {
                self.next = self.next.min(self.position(seq));
            }
            State::Open | State::Ended => return,
        }
        self.base = seq;
        self.syn_seen = syn;
        self.since = 0;
        self.state = State::Open;
    }

    /// Where the stream begins was not captured: it begins with the first byte that was.
    pub(super) fn anchor_lowest(&mut self) {
        if self.state != State::Heard {
            return;
        }
        let Some(waiting) = &mut self.waiting else { return };
        let Some(lowest) = waiting.lowest() else { return };
        self.next = lowest;
        // The byte of a keep-alive probe was sent before.
        let is_probe = |(at, piece): (u64, &Piece)| at == lowest && piece.by.probe.is_some();
        if waiting.first().is_some_and(is_probe) {
            waiting.pieces.pop_first();
            self.next += 1;
        }
        self.next = self.begins_with(self.next);
        self.base = self.next as u32;
        self.since = 0;
        self.state = State::Open;
    }

    /// Whether a connection that begins at sequence number `begin` is another one. A SYN
    /// captured late begins just before what was seen.
    pub(super) fn is_begun_elsewhere(&self, begin: u32) -> bool {
        let distance = match self.state {
            State::Unseen => return false,
            _ if self.syn_seen => return begin != self.base,
            State::Heard => (self.next as u32).wrapping_sub(begin),
            State::Open | State::Ended => self.base.wrapping_sub(begin),
        };
        u64::from(distance) > NEAR
    }

    /// Whether a sequence number is so near that it may be of this stream.
    pub(super) fn is_around(&self, seq: u32) -> bool {
        self.state == State::Unseen || self.position(seq).abs_diff(self.next) < AROUND
    }

    /// Whether something waits for it to be known where the stream begins.
    pub(super) fn seeks_beginning(&self) -> bool {
        self.state == State::Heard && self.waiting.is_some()
    }

    /// The peer acknowledged everything before `ack`. Says whether that was news.
    #[inline]
    pub(super) fn acknowledged(&mut self, ack: u32) -> bool {
        if !self.heard {
            return false;
        }
        let position = self.position(ack);
        let is_news = position > self.acked && position <= self.next.saturating_add(WINDOW);
        if is_news {
            self.acked = position;
        }
        is_news
    }

    /// Whether the peer has already seen bytes, as `ack` says, that are not delivered here.
    /// Before it is known where they begin, the answer is `unsure`.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(super) fn is_behind(&self, ack: u32, unsure: bool) -> bool {
        match self.state {
            State::Open if self.heard => self.position(ack) > self.next,
            State::Ended => false,
            State::Heard if self.first().is_some() => self.position(ack) > self.next,
            State::Unseen | State::Heard | State::Open => unsure,
        }
    }

    /// `bytes` are delivered.
    #[inline]
    pub(super) fn advance(&mut self, bytes: &[u8], packet: u64) {
        self.next += bytes.len() as u64;
        self.last_packet = packet;
        self.since = 0;
        if let Some(last) = bytes.last_chunk::<TAIL>() {
            self.tail = *last;
            self.tail_len = TAIL as u8;
        } else {
            // Shifted to the left, so that the last byte delivered is the array's last one.
            self.tail.copy_within(bytes.len().., 0);
            self.tail[TAIL - bytes.len()..].copy_from_slice(bytes);
            self.tail_len = (self.tail_len + bytes.len() as u8).min(TAIL as u8);
        }
    }

    /// Everything before `position` is given up.
    pub(super) fn skip_to(&mut self, position: u64) {
        self.next = position;
        self.since = 0;
        self.tail_len = 0;
    }

    /// Whether bytes of the past, from `position` on, are others than those delivered,
    /// as far as that is remembered.
    pub(super) fn conflicts(&self, position: u64, bytes: &[u8]) -> bool {
        let end = (position + bytes.len() as u64).min(self.next);
        let start = position.max(self.next - u64::from(self.tail_len));
        if start >= end {
            return false;
        }
        let new = &bytes[(start - position) as usize..(end - position) as usize];
        let back = (self.next - start) as usize;
        &self.tail[TAIL - back..][..new.len()] != new
    }

    /// What waits, to add to it.
    pub(super) fn waiting(&mut self) -> &mut Waiting {
        self.waiting.get_or_insert_default()
    }

    /// Whether it has ended, or where it ends is known.
    pub(super) fn has_end(&self) -> bool {
        self.state == State::Ended || self.end().is_some()
    }

    pub(super) fn end(&self) -> Option<&End> {
        self.waiting.as_ref()?.end.as_ref()
    }

    /// The lowest position kept, and its piece.
    pub(super) fn first(&self) -> Option<(u64, &Piece)> {
        self.waiting.as_ref()?.first()
    }

    /// What can be delivered next, as far as this direction alone is concerned.
    pub(super) fn ready(&self) -> Option<Ready> {
        self.open_waiting()?.ready(self.next)
    }

    /// Up to where the hole at `next` reaches for certain; `None` when there is none.
    pub(super) fn hole(&self) -> Option<u64> {
        self.open_waiting()?.hole(self.next)
    }

    fn open_waiting(&self) -> Option<&Waiting> {
        self.waiting.as_deref().filter(|_| self.state == State::Open)
    }

    /// Up to where the hole at `next` is certainly lost: its receiver has it, the capture has not.
    pub(super) fn lost(&self) -> Option<u64> {
        if self.state != State::Open || self.acked <= self.next {
            return None;
        }
        let end = self.end().map(|end| end.position);
        let first = self.first().map(|(position, _)| position);
        [first, end].into_iter().flatten().chain([self.acked]).min().filter(|&to| to > self.next)
    }

    /// Drops what waits when nothing does.
    pub(super) fn tidy(&mut self) {
        if self.waiting.as_mut().is_some_and(|waiting| waiting.is_over(self.next)) {
            self.waiting = None;
        }
    }

    /// What waiting takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.pieces.cost())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::net::reassembly::Carrier;

    #[test]
    fn a_half_is_small() {
        assert_eq!(size_of::<Half>(), 64);
    }

    fn open(seq: u32) -> Half {
        let mut half = Half::new();
        half.anchor(seq, true);
        half.heard = true;
        half
    }

    fn keep(half: &mut Half, seq: u32, bytes: &[u8]) {
        let position = half.position(seq);
        let probe = NonZeroU32::new(1).filter(|_| bytes == [0]);
        half.waiting().pieces.insert(position, bytes, Carrier { probe, ..Carrier::default() });
    }

    #[test]
    fn sequence_numbers_wrap() {
        let mut half = open(0xFFFF_FFFE);
        let start = half.next;
        half.advance(b"abc", 1);
        assert_eq!((half.next - start, half.next as u32), (3, 1));
        assert_eq!(half.position(0xFFFF_FFFF), start + 1);
        assert_eq!(half.position(10), start + 12);
    }

    #[test]
    fn the_tail_tells_other_bytes() {
        let mut half = open(100);
        let start = half.next;
        half.advance(b"hello ", 1);
        half.advance(b"world", 2);
        assert!(!half.conflicts(start, b"hello world"));
        assert!(!half.conflicts(start + 6, b"world and more"));
        assert!(half.conflicts(start + 4, b"O"));
        assert!(!half.conflicts(start - 9, b"?????????hello"));
        half.advance(&[b'x'; 100], 3);
        assert!(!half.conflicts(start, b"HELLO WORLD"));
        assert!(half.conflicts(half.next - 2, b"xy"));
        assert!(!half.conflicts(half.next + 2, b"xy"));
    }

    #[test]
    fn a_stream_begins_at_its_syn_or_with_its_lowest_byte() {
        let mut half = Half::new();
        half.hear(120, true, 1);
        keep(&mut half, 120, b"c");
        half.hear(118, true, 2);
        keep(&mut half, 118, b"a");
        half.anchor_lowest();
        assert_eq!((half.state, half.next as u32, half.base), (State::Open, 118, 118));

        let mut half = Half::new();
        half.hear(120, true, 1);
        half.anchor(101, true);
        assert_eq!((half.state, half.next as u32), (State::Open, 101));
    }

    #[test]
    fn a_keep_alive_probe_begins_no_stream() {
        let mut half = Half::new();
        half.hear(119, true, 1);
        keep(&mut half, 119, &[0]);
        half.anchor_lowest();
        assert_eq!((half.next as u32, half.first().is_none()), (120, true));
    }

    #[test]
    fn acknowledgements_far_off_are_not_believed() {
        let mut half = open(100);
        half.acknowledged(150);
        half.acknowledged(140);
        assert_eq!(half.acked, half.next + 50);
        half.acknowledged(100_u32.wrapping_sub(5));
        half.acknowledged(0x7000_0000);
        assert_eq!(half.acked, half.next + 50);
        assert!(half.is_behind(101, false) && !half.is_behind(100, true));
        assert_eq!(half.lost(), Some(half.next + 50));
    }
}
