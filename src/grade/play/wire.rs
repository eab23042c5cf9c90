//! The bytes of what a case sends: when it is played, and when it is only shown.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::grade::script::What;
use crate::lab::deflate::Deflater;
use crate::limits;
use crate::model::{Deflate, Dir};
use crate::synth::Entropy;
use crate::synth::frames::{Keys, Message, Shape};
use crate::ws::header;

/// For how long a peer may take nothing, at least.
pub(super) const PATIENCE: Duration = Duration::from_nanos(limits::GRADE_WRITE);

/// Writes it all, and at once; a peer may take its time over it for `patience`.
pub(super) async fn put(
    writing: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    patience: Duration,
) -> io::Result<()> {
    let written = async {
        writing.write_all(bytes).await?;
        writing.flush().await
    };
    timeout(patience, written).await.map_err(|_| io::ErrorKind::TimedOut)?
}

/// Where in a frame what was written ends. A case may send frames in pieces, some of them as bare bytes.
#[derive(Default)]
pub(super) struct Boundary {
    /// A header that is not whole yet.
    head: Vec<u8>,
    /// Bytes of the payload that are still to come.
    rest: u64,
}

impl Boundary {
    /// Follows what is written.
    pub fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let count = self.rest.min(bytes.len() as u64);
                self.rest -= count;
                bytes = &bytes[usize::try_from(count).unwrap_or(bytes.len())..];
                continue;
            }
            let before = self.head.len();
            self.head.extend_from_slice(&bytes[..bytes.len().min(LONGEST_HEADER - before)]);
            let Ok(header) = header::decode(&self.head) else { return };
            self.rest = header.length;
            bytes = &bytes[usize::from(header.header_length()) - before..];
            self.head.clear();
        }
    }

    /// Whether a frame has begun that is not whole.
    pub fn is_within(&self) -> bool {
        self.rest > 0 || !self.head.is_empty()
    }
}

/// Bytes of the longest header: a length of 64 bits, and a masking key.
const LONGEST_HEADER: usize = 14;

/// What frames are made with.
pub(super) struct Framing {
    keys: Keys,
    deflater: Option<Deflater>,
}

impl Framing {
    /// As `us` sends them, with the compression that was agreed.
    pub fn new(us: Dir, agreed: Option<Deflate>) -> Self {
        Self { keys: Keys::default(), deflater: agreed.map(|agreed| Deflater::of(us, agreed).quickly()) }
    }

    /// Puts the `nth` of what is sent behind `out`.
    pub fn write(&mut self, what: &What, nth: u64, entropy: &mut Entropy<'_>, out: &mut Vec<u8>) {
        match what {
            What::Raw(bytes) => out.extend_from_slice(bytes),
            What::Message { opcode, payload, shape, deflate } => {
                let mut shape: Shape = *shape;
                let mut bytes = payload.bytes(nth).into_owned();
                if let Some(deflater) = self.deflater.as_mut().filter(|_| *deflate) {
                    let mut compressed = Vec::new();
                    deflater.message(&bytes, &mut compressed);
                    bytes = compressed;
                    shape.rsv[0] = true;
                }
                for frame in Message::new(*opcode, bytes).frames(shape, &mut self.keys, entropy) {
                    frame.write(out);
                }
            }
        }
    }
}

/// Random bytes for masking keys: a call of the system's for many keys.
pub(super) struct Pool {
    bytes: [u8; 512],
    at: usize,
}

impl Default for Pool {
    fn default() -> Self {
        Self { bytes: [0; 512], at: 512 }
    }
}

impl Pool {
    pub fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            if self.at == self.bytes.len() {
                // Without randomness the key is 0, which is a key too.
                let _ = getrandom::fill(&mut self.bytes);
                self.at = 0;
            }
            *byte = self.bytes[self.at];
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_begun_until_its_last_byte_however_it_is_cut() {
        let short = [0x89, 0x81, 1, 2, 3, 4, 9];
        let long: Vec<u8> = [&[0x82, 0xFE, 0x00, 0x80, 1, 2, 3, 4][..], &[7; 128]].concat();
        let all = [&short[..], &long, &[0x81, 0x00]].concat();
        let ends = [short.len(), short.len() + long.len(), all.len()];
        for size in 1..=all.len() {
            let mut boundary = Boundary::default();
            let mut written = 0;
            for piece in all.chunks(size) {
                boundary.pass(piece);
                written += piece.len();
                assert_eq!(boundary.is_within(), !ends.contains(&written), "{size}, {written}");
            }
        }
    }
}
