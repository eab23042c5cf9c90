//! permessage-deflate: inflating the messages of one direction (RFC 7692 §7.2.2).
//!
//! Messages share one sliding window unless it was agreed otherwise, so a message
//! can only be inflated when all before it were. What the sender was allowed to
//! refer to is judged apart from that, by [`scan`]: the inflater here keeps
//! 32 KiB whatever was agreed, as zlib's own 256-byte window never worked.

pub mod scan;

use flate2::{Decompress, FlushDecompress, Status};

use crate::limits;

/// What a compressor leaves off the end of each message (RFC 7692 §7.2.1).
pub const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The same, and an empty stored block behind it. Between blocks that changes nothing; inside a block,
/// where a payload that was cut short ends, it is no block and shows the error at once.
const TAIL_AND_CHECK: [u8; 9] = [0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0xFF, 0xFF];

/// The largest window DEFLATE knows.
const WINDOW: usize = 32 * 1024;

/// Inflates one direction.
pub struct Inflater {
    stream: Decompress,
    /// What came out last. A final block makes zlib forget its window, and it cannot
    /// be asked for it: so the window is kept twice.
    history: History,
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
        Self {
            stream: Decompress::new(false),
            history: History::default(),
            at_end: false,
            failed: false,
            is_lossy: false,
            last: [0xAA; 4],
            compressed: 0,
            inflated: 0,
        }
    }

    /// A message begins.
    pub fn begin(&mut self) {
        self.at_end = false;
        (self.failed, self.compressed, self.inflated, self.last) = (false, 0, 0, [0xAA; 4]);
    }

    /// Takes compressed bytes; `put` is called with what comes out, in pieces that `room` holds, which
    /// [`limits::INFLATE_PIECE`] bytes are good for.
    ///
    /// # Errors
    /// [`Fault`] once; what follows of the message is then ignored.
    pub fn push(&mut self, bytes: &[u8], room: &mut [u8], put: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        for byte in bytes.iter().rev().take(4).rev() {
            self.last.rotate_left(1);
            self.last[3] = *byte;
        }
        let start = self.compressed;
        self.compressed += bytes.len() as u64;
        self.run(bytes, start, room, put)
    }

    /// The message's payload is over: puts back what the compressor left off.
    ///
    /// # Errors
    /// As [`Inflater::push`].
    pub fn finish(&mut self, room: &mut [u8], put: &mut dyn FnMut(&[u8])) -> Result<Finish, Fault> {
        if self.failed {
            return Ok(Finish::Clean);
        }
        // A final block of stored bytes may end in what looks like the tail.
        if self.at_end {
            return Ok(Finish::Ended);
        }
        if self.last == TAIL {
            return Ok(Finish::TailNotStripped);
        }
        //= RFC 7692 §7.2.2
        //# Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the
        //# payload of the message.
        self.run(&TAIL_AND_CHECK, self.compressed, room, put)?;
        Ok(Finish::Clean)
    }

    /// Bytes of the stream are missing, or the message is given up: the window is lost.
    pub fn lose(&mut self) {
        self.failed = true;
        self.is_lossy = true;
        self.at_end = false;
        self.stream.reset(false);
        self.history.clear();
    }

    /// The window is thrown away on purpose: nothing may refer back from here on.
    pub fn forget(&mut self) {
        self.is_lossy = false;
        self.at_end = false;
        self.stream.reset(false);
        self.history.clear();
    }

    fn run(
        &mut self,
        mut bytes: &[u8],
        start: u64,
        piece: &mut [u8],
        put: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Fault> {
        let all = bytes.len();
        let mut is_full = false;
        while !self.failed && !bytes.is_empty() {
            let (taken, given) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(bytes, piece, FlushDecompress::None);
            let taken = (self.stream.total_in() - taken) as usize;
            let given = (self.stream.total_out() - given) as usize;
            bytes = &bytes[taken..];
            self.at_end = false;
            self.inflated += given as u64;
            is_full = given == piece.len();
            if given > 0 {
                self.remember(&piece[..given]);
                put(&piece[..given]);
            }
            match status {
                Ok(Status::StreamEnd) => self.restart(),
                Ok(_) if given == 0 && taken == 0 => break,
                Ok(_) => {}
                Err(_) => {
                    let at = start + (all - bytes.len()) as u64;
                    self.lose();
                    return Err(Fault::Corrupt { at });
                }
            }
            if self.inflated > limits::INFLATED {
                self.lose();
                return Err(Fault::TooLarge);
            }
        }
        // Output may be held back although all input is taken, where there was no more room for it.
        while is_full && !self.failed {
            let before = self.stream.total_out();
            let status = self.stream.decompress(&[], piece, FlushDecompress::None);
            let given = (self.stream.total_out() - before) as usize;
            if given == 0 {
                if matches!(status, Ok(Status::StreamEnd)) && !self.at_end {
                    self.restart();
                }
                return Ok(());
            }
            self.inflated += given as u64;
            self.remember(&piece[..given]);
            put(&piece[..given]);
            if self.inflated > limits::INFLATED {
                self.lose();
                return Err(Fault::TooLarge);
            }
        }
        Ok(())
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.history.push(bytes);
        // A whole window has come since: nothing can refer to what was lost before it.
        self.is_lossy &= self.history.ring.len() < WINDOW;
    }

    /// A final block ends the DEFLATE stream but not the connection: it goes on with its history.
    fn restart(&mut self) {
        //= RFC 7692 §7.2.3.4
        //# On platforms on which the flush method using an empty DEFLATE block
        //# with no compression is not available
        self.stream.reset(false);
        self.at_end = true;
        let history = self.history.straight();
        if !history.is_empty() {
            // A dictionary is always taken by a raw stream that has just begun.
            let _: Result<u32, _> = self.stream.set_dictionary(history);
        }
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

/// The last [`WINDOW`] bytes of a stream, and where they are read out again.
#[derive(Default)]
struct History {
    ring: Vec<u8>,
    /// Where the oldest byte stands, once the ring is full.
    oldest: usize,
}

impl History {
    fn push(&mut self, bytes: &[u8]) {
        let mut bytes = &bytes[bytes.len().saturating_sub(WINDOW)..];
        let room = (WINDOW - self.ring.len()).min(bytes.len());
        self.ring.extend_from_slice(&bytes[..room]);
        bytes = &bytes[room..];
        while !bytes.is_empty() {
            let take = bytes.len().min(WINDOW - self.oldest);
            self.ring[self.oldest..self.oldest + take].copy_from_slice(&bytes[..take]);
            self.oldest = (self.oldest + take) % WINDOW;
            bytes = &bytes[take..];
        }
    }

    /// The bytes in one piece, oldest first.
    fn straight(&mut self) -> &[u8] {
        self.ring.rotate_left(self.oldest);
        self.oldest = 0;
        &self.ring
    }

    fn clear(&mut self) {
        self.ring.clear();
        self.oldest = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inflates the messages of one direction, `cut` bytes at a time, into room for as many.
    fn inflate(messages: &[&[u8]], cut: usize) -> Vec<Result<String, Fault>> {
        let mut room = vec![0; cut.min(limits::INFLATE_PIECE)];
        let mut inflater = Inflater::new();
        messages
            .iter()
            .map(|message| {
                let mut out = Vec::new();
                inflater.begin();
                for chunk in message.chunks(cut) {
                    inflater.push(chunk, &mut room, &mut |piece| out.extend_from_slice(piece))?;
                }
                inflater.finish(&mut room, &mut |piece| out.extend_from_slice(piece))?;
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
        let mut room = [0; limits::INFLATE_PIECE];
        let mut inflater = Inflater::new();
        inflater.begin();
        inflater.lose();
        let stored = [&[0x00, 0x00, 0x80, 0xff, 0x7f], &*vec![b'x'; 32 * 1024], &[0x00]].concat();
        for (payload, is_lossy) in [(HELLO, true), (&stored, false), (AGAIN, false)] {
            inflater.begin();
            inflater.push(payload, &mut room, &mut |_| {}).unwrap();
            inflater.finish(&mut room, &mut |_| {}).unwrap();
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
            let mut room = [0; limits::INFLATE_PIECE];
            let mut inflater = Inflater::new();
            inflater.begin();
            inflater.push(payload, &mut room, &mut |_| {}).unwrap();
            assert_eq!(inflater.finish(&mut room, &mut |_| {}), Ok(how));
        }
    }

    #[test]
    fn a_tail_that_was_left_on_is_noticed() {
        let mut room = [0; limits::INFLATE_PIECE];
        let mut inflater = Inflater::new();
        let whole = [HELLO, &TAIL].concat();
        let mut out = Vec::new();
        inflater.begin();
        inflater.push(&whole, &mut room, &mut |piece| out.extend_from_slice(piece)).unwrap();
        assert_eq!(inflater.finish(&mut room, &mut |_| {}), Ok(Finish::TailNotStripped));
        assert_eq!(out, b"Hello");
    }

    #[test]
    fn the_history_is_the_end_of_what_went_in() {
        let all: Vec<u8> = (0..200_000u64).map(|i| (i * i / 7 % 251) as u8).collect();
        for step in [1, 7, 1000, 32_767, 32_768, 50_000] {
            let mut history = History::default();
            let mut seen = 0;
            for piece in all.chunks(step) {
                history.push(piece);
                seen += piece.len();
                if seen % 31 == 0 || seen == all.len() {
                    assert_eq!(history.straight(), &all[seen.saturating_sub(WINDOW)..seen], "{step}");
                }
            }
        }
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
        let mut room = [0; limits::INFLATE_PIECE];
        let mut inflater = Inflater::new();
        inflater.begin();
        assert_eq!(inflater.push(encoder.get_ref(), &mut room, &mut |_| {}), Err(Fault::TooLarge));
    }
}
