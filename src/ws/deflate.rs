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

/// The largest window DEFLATE knows.
const WINDOW: usize = 32 * 1024;

/// Inflates one direction.
pub struct Inflater {
    stream: Decompress,
    /// What came out last, once a final block made the stream forget: at most [`WINDOW`] bytes.
    history: Option<Vec<u8>>,
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
}

impl Inflater {
    /// An inflater at the start of a connection.
    pub fn new() -> Self {
        Self {
            stream: Decompress::new(false),
            history: None,
            at_end: false,
            failed: false,
            is_lossy: false,
            last: [0xAA; 4],
            compressed: 0,
            inflated: 0,
        }
    }

    /// A message begins; `first` is the first byte of its payload, if it is there.
    pub fn begin(&mut self, first: Option<u8>) {
        (self.failed, self.compressed, self.inflated, self.last) = (false, 0, 0, [0xAA; 4]);
        // A final block will make the stream forget its window: it is read out before.
        if first.is_some_and(|byte| byte & 1 == 1) && self.history.is_none() {
            self.history = Some(self.recall());
        }
    }

    /// Takes compressed bytes; `put` is called with what comes out, in pieces.
    ///
    /// # Errors
    /// [`Fault`] once; what follows of the message is then ignored.
    pub fn push(&mut self, bytes: &[u8], put: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        for byte in bytes.iter().rev().take(4).rev() {
            self.last.rotate_left(1);
            self.last[3] = *byte;
        }
        let start = self.compressed;
        self.compressed += bytes.len() as u64;
        self.run(bytes, start, put)
    }

    /// The message's payload is over: puts back what the compressor left off.
    ///
    /// # Errors
    /// As [`Inflater::push`].
    pub fn finish(&mut self, put: &mut dyn FnMut(&[u8])) -> Result<Finish, Fault> {
        if self.failed {
            return Ok(Finish::Clean);
        }
        if self.last == TAIL {
            return Ok(Finish::TailNotStripped);
        }
        if !self.at_end {
            //= RFC 7692 §7.2.2
            //# Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the
            //# payload of the message.
            self.run(&TAIL, self.compressed, put)?;
        }
        Ok(Finish::Clean)
    }

    /// Bytes of the stream are missing, or the message is given up: the window is lost.
    pub fn lose(&mut self) {
        self.failed = true;
        self.is_lossy = true;
        self.at_end = false;
        self.stream.reset(false);
        self.history = None;
    }

    /// The window is thrown away on purpose: nothing may refer back from here on.
    pub fn forget(&mut self) {
        self.is_lossy = false;
        self.at_end = false;
        self.stream.reset(false);
        self.history = None;
    }

    fn run(&mut self, mut bytes: &[u8], start: u64, put: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        let all = bytes.len();
        let mut piece = [0; limits::INFLATE_PIECE];
        while !self.failed && !bytes.is_empty() {
            let (taken, given) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(bytes, &mut piece, FlushDecompress::None);
            let taken = (self.stream.total_in() - taken) as usize;
            let given = (self.stream.total_out() - given) as usize;
            bytes = &bytes[taken..];
            self.at_end = false;
            self.inflated += given as u64;
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
        // Output may be held back although all input is taken.
        while !self.failed {
            let before = self.stream.total_out();
            let status = self.stream.decompress(&[], &mut piece, FlushDecompress::None);
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

    /// A final block ends the DEFLATE stream but not the connection: it goes on with its history.
    fn restart(&mut self) {
        //= RFC 7692 §7.2.3.4
        //# On platforms on which the flush method using an empty DEFLATE block
        //# with no compression is not available
        self.stream.reset(false);
        self.at_end = true;
        if let Some(history) = &self.history
            && !history.is_empty()
        {
            // A dictionary is always taken by a raw stream that has just begun.
            let _: Result<u32, _> = self.stream.set_dictionary(history);
        }
    }

    fn remember(&mut self, bytes: &[u8]) {
        let Some(history) = &mut self.history else { return };
        history.extend_from_slice(bytes);
        if history.len() > 2 * WINDOW {
            history.drain(..history.len() - WINDOW);
        }
    }

    /// Reads the window out of the stream: a block that copies all of it once more, which changes nothing.
    fn recall(&mut self) -> Vec<u8> {
        let size = usize::try_from(self.stream.total_out()).unwrap_or(WINDOW).min(WINDOW);
        if size == 0 {
            return Vec::new();
        }
        let block = copying_block(size);
        let mut window = Vec::with_capacity(size + 3);
        let mut piece = [0; 4096];
        let mut rest = block.as_slice();
        loop {
            let (taken, given) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(rest, &mut piece, FlushDecompress::None);
            rest = &rest[(self.stream.total_in() - taken) as usize..];
            let given = (self.stream.total_out() - given) as usize;
            window.extend_from_slice(&piece[..given]);
            if status.is_err() || given == 0 {
                break;
            }
        }
        window.truncate(size);
        window
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

/// A fixed-code block that copies the last `size` bytes, all of them, and an empty
/// stored block. The window ends as it did before: exactly `size` bytes are copied,
/// or for a size below a match's shortest length, a multiple of it.
fn copying_block(size: usize) -> Vec<u8> {
    let mut bits = BitWriter::default();
    bits.put(0b010, 3);
    let mut left = match size {
        1 => 3,
        2 => 4,
        size => size,
    };
    while left > 0 {
        // No match may be left that is shorter than three bytes.
        let length = if left > LONGEST && left < LONGEST + 3 { left - 3 } else { left.min(LONGEST) };
        left -= length;
        let (symbol, extra, extra_bits) = length_code(length);
        // Fixed codes stand most significant bit first (RFC 1951 §3.2.6).
        match symbol {
            280.. => bits.put(u32::from((0b1100_0000 + (symbol - 280) as u8).reverse_bits()), 8),
            _ => bits.put(u32::from(((symbol - 256) as u8).reverse_bits() >> 1), 7),
        }
        bits.put(extra, extra_bits);
        let (code, extra, extra_bits) = distance_code(size);
        bits.put(u32::from((code as u8).reverse_bits() >> 3), 5);
        bits.put(extra, extra_bits);
    }
    bits.put(0, 7);
    bits.put(0, 3);
    bits.align();
    bits.bytes.extend_from_slice(&TAIL);
    bits.bytes
}

/// The longest match.
const LONGEST: usize = 258;

/// The symbol of a match length, its extra bits, and how many they are (RFC 1951 §3.2.5).
fn length_code(length: usize) -> (u32, u32, u32) {
    let beyond = length as u32 - 3;
    match beyond {
        255 => (285, 0, 0),
        0..8 => (257 + beyond, 0, 0),
        _ => {
            let extra_bits = 29 - beyond.leading_zeros();
            let symbol = 261 + 4 * extra_bits + (beyond >> extra_bits & 3);
            (symbol, beyond & ((1 << extra_bits) - 1), extra_bits)
        }
    }
}

/// The code of a distance, its extra bits, and how many they are.
fn distance_code(distance: usize) -> (u32, u32, u32) {
    let before = distance as u32 - 1;
    if before < 4 {
        return (before, 0, 0);
    }
    let extra_bits = 30 - before.leading_zeros();
    let code = 2 * extra_bits + 2 + (before >> extra_bits & 1);
    (code, before & ((1 << extra_bits) - 1), extra_bits)
}

/// Bits, least significant first within each byte.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    used: u32,
}

impl BitWriter {
    fn put(&mut self, value: u32, count: u32) {
        for place in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(byte) = self.bytes.last_mut() {
                *byte |= ((value >> place & 1) as u8) << (self.used % 8);
            }
            self.used += 1;
        }
    }

    fn align(&mut self) {
        self.used = self.used.next_multiple_of(8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inflates the messages of one direction, `cut` bytes at a time.
    fn inflate(messages: &[&[u8]], cut: usize) -> Vec<Result<String, Fault>> {
        let mut inflater = Inflater::new();
        messages
            .iter()
            .map(|message| {
                let mut out = Vec::new();
                inflater.begin(message.first().copied());
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
    fn a_tail_that_was_left_on_is_noticed() {
        let mut inflater = Inflater::new();
        let whole = [HELLO, &TAIL].concat();
        let mut out = Vec::new();
        inflater.begin(whole.first().copied());
        inflater.push(&whole, &mut |piece| out.extend_from_slice(piece)).unwrap();
        assert_eq!(inflater.finish(&mut |_| {}), Ok(Finish::TailNotStripped));
        assert_eq!(out, b"Hello");
    }

    #[test]
    fn the_window_can_be_read_out_and_stays_as_it_is() {
        use std::io::Write;
        for size in [1usize, 2, 3, 4, 5, 257, 258, 259, 1000, 32_767, 32_768, 32_769, 70_000] {
            let text: Vec<u8> = (0..size).map(|i| (i * i / 7 % 251) as u8).collect();
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&text).unwrap();
            encoder.flush().unwrap();
            let mut inflater = Inflater::new();
            inflater.begin(None);
            inflater.push(encoder.get_ref(), &mut |_| {}).unwrap();
            let last = &text[size.saturating_sub(WINDOW)..];
            assert_eq!(inflater.recall(), last, "{size}");
            // The copies are in the window now, and say the same.
            assert!(inflater.recall().ends_with(last), "{size} again");
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
        let mut inflater = Inflater::new();
        inflater.begin(None);
        assert_eq!(inflater.push(encoder.get_ref(), &mut |_| {}), Err(Fault::TooLarge));
    }
}
