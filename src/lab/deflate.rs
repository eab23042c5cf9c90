//! Compressing messages as permessage-deflate asks (RFC 7692 §7.2.1).

use flate2::{Compress, Compression, FlushCompress, Status};

use crate::model::{Deflate, Dir};

/// The smallest window that the compressor knows.
const SMALLEST: u8 = 9;

/// What the message of a flush ends with, and which is not sent.
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Compresses the messages of one side of a connection.
#[derive(Debug)]
pub struct Deflater {
    /// Made with the first message: it takes a quarter of a megabyte.
    compress: Option<Compress>,
    bits: u8,
    takeover: bool,
    level: Compression,
}

impl Deflater {
    /// One whose window is 2^`bits` bytes, 8 to 15, and kept from one message to the next if `takeover` says
    /// so.
    pub fn new(bits: u8, takeover: bool) -> Self {
        Self { compress: None, bits, takeover, level: Compression::default() }
    }

    /// That of `us`, by what was agreed.
    pub fn of(us: Dir, agreed: Deflate) -> Self {
        match us {
            Dir::Client => Self::new(agreed.client_max_window_bits, !agreed.client_no_context_takeover),
            Dir::Server => Self::new(agreed.server_max_window_bits, !agreed.server_no_context_takeover),
        }
    }

    /// The same, which rather is quick than saves bytes.
    #[must_use]
    pub fn quickly(self) -> Self {
        Self { level: Compression::fast(), ..self }
    }

    /// Appends what a message compresses to.
    pub fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        if payload.is_empty() {
            // An empty block, as RFC 7692 §7.2.3.6 has it: a flush without input gives nothing.
            out.push(0x00);
            return;
        }
        let bits = self.bits.max(SMALLEST);
        let level = self.level;
        let new = || Compress::new_with_window_bits(level, false, bits);
        let compress = self.compress.get_or_insert_with(new);
        if self.bits < SMALLEST {
            // Blocks as long as the window, none of which refers to another: each distance fits.
            for block in payload.chunks(1 << self.bits) {
                compress.reset();
                flush(compress, block, out);
            }
        } else {
            if !self.takeover {
                compress.reset();
            }
            flush(compress, payload, out);
        }
        //= RFC 7692 §7.2.1
        //# Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end.
        if out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
    }

    /// Takes a message in as if it had been sent. Later ones refer to it, though nobody has seen it.
    pub fn mislead(&mut self, payload: &[u8]) {
        self.message(payload, &mut Vec::new());
    }
}

/// Compresses all of it up to a byte boundary.
fn flush(compress: &mut Compress, payload: &[u8], out: &mut Vec<u8>) {
    let before = compress.total_in();
    loop {
        let done = (compress.total_in() - before) as usize;
        let rest = &payload[done..];
        out.reserve(rest.len() / 2 + 64);
        let room = out.capacity();
        // The only errors are those of a dictionary, and there is none.
        let status = compress.compress_vec(rest, out, FlushCompress::Sync);
        // Where room is left, nothing else is.
        if !matches!(status, Ok(Status::Ok)) || out.len() < room {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::frames::Reader;
    use crate::model::{FrameHeader, Opcode};
    use crate::ws::encode;

    #[test]
    fn every_window_with_and_without_takeover_inflates_again() {
        // Repeats at distances that no small window reaches.
        let lines: Vec<String> = (0..6000u32).map(|n| format!("line {} of {}\n", n % 700, n * n)).collect();
        let text = lines.concat();
        let messages = [&b"Hello"[..], b"", b"Hello", text.as_bytes(), b"x", text.as_bytes(), b"Hello"];
        for bits in 8..=15 {
            for (takeover, is_quick) in [(false, false), (true, false), (false, true), (true, true)] {
                let agreed = Deflate {
                    server_no_context_takeover: !takeover,
                    client_no_context_takeover: false,
                    server_max_window_bits: bits,
                    client_max_window_bits: 15,
                };
                let mut deflater = Deflater::of(Dir::Server, agreed);
                if is_quick {
                    deflater = deflater.quickly();
                }
                let mut frames = Reader::taking(1_000_000).open(Dir::Server, Some(agreed));
                let mut lengths = Vec::new();
                for message in messages {
                    let mut payload = Vec::new();
                    deflater.message(message, &mut payload);
                    lengths.push(payload.len());
                    let header = FrameHeader {
                        rsv1: true,
                        ..FrameHeader::of(Opcode::TEXT, None, payload.len() as u64)
                    };
                    let mut bytes = Vec::new();
                    encode::frame(&header, &payload, &mut bytes);
                    let pushed = frames.push(&bytes);
                    // What exceeds the window, or refers back without leave, would be a violation.
                    assert_eq!(pushed.violation, None, "{bits} bits, takeover {takeover}");
                    assert_eq!(pushed.received[0].payload, message);
                }
                assert_eq!(lengths[2] < lengths[0], takeover && bits > 8, "{bits} bits: {lengths:?}");
            }
        }
    }

    #[test]
    fn what_was_never_sent_is_missed() {
        let mut deflater = Deflater::new(15, true);
        deflater.mislead(b"Hello, hello");
        let mut payload = Vec::new();
        deflater.message(b"Hello, hello", &mut payload);
        let bytes = {
            let header =
                FrameHeader { rsv1: true, ..FrameHeader::of(Opcode::TEXT, None, payload.len() as u64) };
            let mut bytes = Vec::new();
            encode::frame(&header, &payload, &mut bytes);
            bytes
        };
        let agreed = Deflate {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        };
        let pushed = Reader::taking(1000).open(Dir::Server, Some(agreed)).push(&bytes);
        assert!(pushed.violation.is_some(), "{pushed:?}");
    }
}
