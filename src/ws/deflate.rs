//! permessage-deflate: inflating the messages of one direction (RFC 7692 §7.2.2).
//!
//! Messages share one sliding window unless it was agreed otherwise, so a message
//! can only be inflated when all before it were. What the sender was allowed to
//! refer to is judged apart from that, by what is [`Seen`] of its matches: the window here
//! has 32 KiB whatever was agreed, as zlib's own 256-byte window never worked.

mod bits;
mod blocks;
mod codes;
mod dynamic;
mod later;
mod ring;

pub use blocks::Seen;

use crate::limits;
use blocks::Blocks;
use ring::WINDOW;

/// What a compressor leaves off the end of each message (RFC 7692 §7.2.1).
pub const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// An empty stored block as it looks from inside another one, where a payload that was cut short ends: it is
/// no block there and shows the error.
const CHECK: [u8; 5] = [0x00, 0x00, 0x00, 0xFF, 0xFF];

/// Inflates one direction.
pub struct Inflater {
    blocks: Blocks,
    /// A final block has ended and nothing has come since.
    at_end: bool,
    /// The message being inflated is past the point where it can be followed.
    failed: bool,
    /// An earlier message could not be followed, so that what this one refers to may be missing.
    pub is_lossy: bool,
    /// The last bytes of the message's compressed payload.
    last: [u8; 4],
    /// Bytes of the message, before and after.
    pub compressed: u64,
    /// Bytes that came out of it.
    pub inflated: u64,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").field("inflated", &self.inflated).finish_non_exhaustive()
    }
}

/// A message cannot be inflated further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its bytes are not DEFLATE, or refer to what is not there.
    Corrupt {
        /// Byte of the compressed payload at which this showed.
        at: u64,
    },
    /// It goes on and on: more than [`limits::INFLATED`] bytes.
    TooLarge,
}

/// How the compressed payload of a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// As it should.
    Clean,
    /// `00 00 ff ff` was left on.
    TailNotStripped,
    /// With a final block and nothing behind it, to which nothing can be put back.
    Ended,
}

impl Inflater {
    /// An inflater at the start of a connection.
    pub fn new() -> Self {
        Self::with(Blocks::new())
    }

    /// An inflater for a stream of which the beginning was not seen: what is referred to there is taken
    /// for zeros.
    pub fn midway() -> Self {
        Self::with(Blocks::midway())
    }

    fn with(blocks: Blocks) -> Self {
        Self {
            blocks,
            at_end: false,
            failed: false,
            is_lossy: false,
            last: [0xAA; 4],
            compressed: 0,
            inflated: 0,
        }
    }

    /// Bytes it takes on the heap.
    pub fn cost(&self) -> usize {
        self.blocks.cost()
    }

    /// What the matches of the message look back to.
    pub fn seen(&self) -> &Seen {
        &self.blocks.seen
    }

    /// Says that many other windows were used since this one, or not: what is the sooner way depends on it,
    /// and nothing else.
    pub fn is_cold(&mut self, is_cold: bool) {
        self.blocks.is_cold = is_cold;
    }

    /// A message begins.
    pub fn begin(&mut self) {
        self.blocks.begin();
        self.at_end = false;
        (self.failed, self.compressed, self.inflated, self.last) = (false, 0, 0, [0xAA; 4]);
    }

    /// Takes compressed bytes; `put` is called with what comes out, in pieces of at most 32 KiB.
    ///
    /// # Errors
    /// [`Fault`] once; what follows of the message is then ignored.
    pub fn push(&mut self, bytes: &[u8], put: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        if let Some(last) = bytes.last_chunk() {
            self.last = *last;
        } else {
            self.last.rotate_left(bytes.len());
            self.last[4 - bytes.len()..].copy_from_slice(bytes);
        }
        self.compressed += bytes.len() as u64;
        self.run(bytes, self.compressed, put)
    }

    /// The message's payload is over: puts back what the compressor left off.
    ///
    /// # Errors
    /// As [`Inflater::push`].
    pub fn finish(&mut self, put: &mut dyn FnMut(&[u8])) -> Result<Finish, Fault> {
        if self.failed {
            return Ok(Finish::Clean);
        }
        // A final block of stored bytes may end in what looks like the tail.
        if self.at_end {
            return Ok(Finish::Ended);
        }
        let behind = self.compressed + TAIL.len() as u64;
        let mut finish = Finish::TailNotStripped;
        if self.last != TAIL {
            //= RFC 7692 §7.2.2
            //# Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the
            //# payload of the message.
            finish = Finish::Clean;
            if !self.blocks.take_tail() {
                self.run(&TAIL, behind, put)?;
            }
        }
        if !self.blocks.is_between() {
            // What is put back behind a block that was cut short can pass for codes of that block.
            if finish == Finish::Clean {
                self.run(&CHECK, behind + CHECK.len() as u64, put)?;
            }
            self.lose();
            return Err(Fault::Corrupt { at: self.compressed });
        }
        Ok(finish)
    }

    /// Bytes of the stream are missing, or the message is given up: the window is lost.
    pub fn lose(&mut self) {
        self.forget();
        self.failed = true;
        self.is_lossy = true;
    }

    /// The window is thrown away on purpose: nothing may refer back from here on.
    pub fn forget(&mut self) {
        self.is_lossy = false;
        self.at_end = false;
        self.blocks.clear();
    }

    /// Inflates `bytes`, which end at byte `end` of the payload.
    fn run(&mut self, bytes: &[u8], end: u64, put: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        if self.failed {
            return Ok(());
        }
        let inflated = &mut self.inflated;
        let mut put = |piece: &[u8]| {
            *inflated += piece.len() as u64;
            put(piece);
            *inflated <= limits::INFLATED
        };
        let result = self.blocks.run(bytes, end, &mut self.at_end, &mut put);
        // A whole window has come since: nothing can refer to what was lost before it.
        self.is_lossy &= self.blocks.total < WINDOW as u64;
        let fault = match result {
            Err(at) => Fault::Corrupt { at },
            Ok(()) if self.inflated > limits::INFLATED => Fault::TooLarge,
            Ok(()) => return Ok(()),
        };
        self.lose();
        Err(fault)
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod differential;

#[cfg(test)]
mod tests {
    use super::blocks::Match;
    use super::*;

    /// Inflates the messages of one direction, `cut` bytes at a time.
    fn inflate(messages: &[&[u8]], cut: usize) -> Vec<Result<String, Fault>> {
        let mut inflater = Inflater::new();
        messages
            .iter()
            .map(|message| {
                let mut out = Vec::new();
                inflater.begin();
                for chunk in message.chunks(cut) {
                    inflater.push(chunk, &mut |piece| out.extend_from_slice(piece))?;
                }
                inflater.finish(&mut |piece| out.extend_from_slice(piece))?;
                Ok(String::from_utf8(out).unwrap())
            })
            .collect()
    }

    const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    const AGAIN: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];
    const FINAL: &[u8] = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];

    #[test]
    fn rfc7692_7_2_3() {
        let stored: &[u8] = b"\x00\x05\x00\xfa\xffHello\x00";
        let two: &[u8] = &[0xf2, 0x48, 0x05, 0, 0, 0, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        let cases: &[(&[&[u8]], &[&str])] = &[
            (&[HELLO], &["Hello"]),
            (&[HELLO, AGAIN], &["Hello", "Hello"]),
            (&[HELLO, HELLO], &["Hello", "Hello"]),
            (&[stored], &["Hello"]),
            (&[FINAL], &["Hello"]),
            (&[FINAL, FINAL], &["Hello", "Hello"]),
            (&[FINAL, AGAIN], &["Hello", "Hello"]),
            // A final block must not forget what came before it either.
            (&[HELLO, FINAL, AGAIN], &["Hello", "Hello", "Hello"]),
            (&[two], &["Hello"]),
            (&[&[0]], &[""]),
        ];
        for (messages, expected) in cases {
            for cut in [usize::MAX, 1, 3] {
                let texts: Vec<String> = inflate(messages, cut).into_iter().map(Result::unwrap).collect();
                assert_eq!(texts, *expected, "{messages:02x?} {cut} at a time");
            }
        }
    }

    #[test]
    fn a_message_that_refers_to_nothing_is_corrupt_and_the_next_still_inflates() {
        let results = inflate(&[AGAIN, HELLO, AGAIN], usize::MAX);
        assert!(matches!(results[0], Err(Fault::Corrupt { .. })));
        assert_eq!((&results[1], &results[2]), (&Ok("Hello".into()), &Ok("Hello".into())));
    }

    #[test]
    fn a_window_later_nothing_is_lost_any_more() {
        let mut inflater = Inflater::new();
        inflater.begin();
        inflater.lose();
        let stored = [&[0x00, 0x00, 0x80, 0xff, 0x7f], &*vec![b'x'; 32 * 1024], &[0x00]].concat();
        for (payload, is_lossy) in [(HELLO, true), (&stored, false), (AGAIN, false)] {
            inflater.begin();
            inflater.push(payload, &mut |_| {}).unwrap();
            inflater.finish(&mut |_| {}).unwrap();
            assert_eq!(inflater.is_lossy, is_lossy);
        }
    }

    #[test]
    fn stored_bytes_of_a_final_block_are_no_tail() {
        for (payload, how) in [
            (&b"\x01\x04\x00\xfb\xff\x00\x00\xff\xff"[..], Finish::Ended),
            (b"\x01\x04\x00\xfb\xff\x00\x00\xff\xff\x00", Finish::Clean),
            (b"\x01\x04\x00\xfb\xff\x00\x00\xff\xff\x00\x00\x00\xff\xff", Finish::TailNotStripped),
        ] {
            let mut inflater = Inflater::new();
            inflater.begin();
            inflater.push(payload, &mut |_| {}).unwrap();
            assert_eq!(inflater.finish(&mut |_| {}), Ok(how));
        }
    }

    #[test]
    fn a_tail_that_was_left_on_is_noticed() {
        let mut inflater = Inflater::new();
        let whole = [HELLO, &TAIL].concat();
        let mut out = Vec::new();
        inflater.begin();
        inflater.push(&whole, &mut |piece| out.extend_from_slice(piece)).unwrap();
        assert_eq!(inflater.finish(&mut |_| {}), Ok(Finish::TailNotStripped));
        assert_eq!(out, b"Hello");
    }

    #[test]
    fn matches_that_look_back_are_seen() {
        let mut inflater = Inflater::new();
        let mut seen = |payload: &[u8]| {
            inflater.begin();
            inflater.push(payload, &mut |_| {}).unwrap();
            inflater.finish(&mut |_| {}).unwrap();
            *inflater.seen()
        };
        assert_eq!(seen(HELLO), Seen::default());
        // The second "Hello" is one literal and a match that reaches into the first message.
        let again = seen(AGAIN);
        assert_eq!(again.from_earlier, 4);
        assert_eq!(again.beyond_start, Some(Match { distance: 5, bit: 24 }));
        assert_eq!(again.farthest, again.beyond_start);
        assert_eq!(seen(FINAL).padding, None);
        assert_eq!(seen(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x80, 0x00]).padding, Some(55));
    }

    #[test]
    fn a_message_cut_in_a_block_is_none() {
        for cut in 1..HELLO.len() - 1 {
            let mut inflater = Inflater::new();
            inflater.begin();
            let pushed = inflater.push(&HELLO[..cut], &mut |_| {});
            let result = pushed.and_then(|()| inflater.finish(&mut |_| {}));
            assert!(matches!(result, Err(Fault::Corrupt { .. })), "{cut}: {result:?}");
        }
    }

    #[test]
    fn a_direction_takes_as_much_as_came_out_and_one_window_at_most() {
        let mut inflater = Inflater::new();
        inflater.begin();
        inflater.push(HELLO, &mut |_| {}).unwrap();
        inflater.finish(&mut |_| {}).unwrap();
        assert!(inflater.cost() <= 4 * 1024);
        for seed in 0..64u32 {
            let bytes: Vec<u8> = (0..5000u32).map(|i| (((i * i) ^ (seed * i)) / 7) as u8 & 63).collect();
            inflater.begin();
            inflater.push(&deflated(&bytes, 9), &mut |_| {}).unwrap();
            inflater.finish(&mut |_| {}).unwrap();
        }
        assert!(inflater.cost() + size_of::<super::super::compressed::Compressed>() <= 40 * 1024);
    }

    /// A message on its own, as `level` compresses it.
    fn deflated(bytes: &[u8], level: u32) -> Vec<u8> {
        use std::io::Write;
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(bytes).unwrap();
        encoder.flush().unwrap();
        let mut deflated = encoder.get_ref().clone();
        deflated.truncate(deflated.len() - TAIL.len());
        deflated
    }

    #[test]
    fn a_bomb_stops_at_the_cap() {
        use std::io::Write;
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        let zeros = vec![0; 1 << 20];
        for _ in 0..=(limits::INFLATED >> 20) {
            encoder.write_all(&zeros).unwrap();
        }
        encoder.flush().unwrap();
        let mut inflater = Inflater::new();
        inflater.begin();
        assert_eq!(inflater.push(encoder.get_ref(), &mut |_| {}), Err(Fault::TooLarge));
    }
}
