//! Zstandard (RFC 8878), frame after frame, as content (RFC 9659).
//!
//! The decoder gives out what has left its window, and the rest when a frame is over; what a server has
//! flushed would come out late. So frames are taken apart into blocks here (§3.1.1), and the decoder is told
//! of each frame at once that it is over: then all that it holds can be seen, and stays for blocks to come to
//! refer to. Where what it holds lies in two pieces it is taken out and put back in one, as blocks that are
//! not compressed and change nothing else.
//!
//! Checksums are not checked.

pub(crate) mod format;

use std::io::{self, ErrorKind, Read as _, Write};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use self::format::{BLOCK, BlockHeader, Descriptor, LAST, MAGIC};
use super::{Halt, Put, Stop};
use crate::limits::CODING_WINDOW;

/// Takes `zstd` off.
pub(super) struct Zstd {
    next: Next,
    /// What has come of the next part.
    held: Vec<u8>,
    frame: Option<Frame>,
    /// At least one frame was there.
    begun: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// A frame, or a skippable one.
    Magic,
    /// The length of a skippable frame (§3.1.2).
    Length,
    /// So many bytes of it.
    Skipped(u64),
    /// `Frame_Header_Descriptor` (§3.1.1.1.1).
    Descriptor,
    /// The rest of the header.
    Header(Descriptor),
    /// The header of a block.
    Block,
    /// So many bytes of a block, of which this is the header.
    Body {
        header: [u8; 3],
        bytes: usize,
    },
    Checksum,
}

impl Next {
    /// How many bytes it takes; `None` where they are passed over.
    fn bytes(self) -> Option<usize> {
        match self {
            Self::Magic | Self::Length | Self::Checksum => Some(4),
            Self::Descriptor => Some(1),
            Self::Block => Some(3),
            Self::Header(descriptor) => Some(descriptor.rest()),
            Self::Body { bytes, .. } => Some(bytes),
            Self::Skipped(_) => None,
        }
    }
}

struct Frame {
    decoder: FrameDecoder,
    has_checksum: bool,
    /// It may refer back further than is kept.
    is_wide: bool,
    /// Bytes that are kept for blocks to come, a power of two.
    keeps: usize,
    /// Bytes that the decoder holds and that were given.
    given: usize,
    made: usize,
    /// How often it was taken out and put back.
    #[cfg(test)]
    turns: usize,
}

impl Zstd {
    pub fn new() -> Self {
        Self { next: Next::Magic, held: Vec::new(), frame: None, begun: false }
    }

    pub fn is_over(&self) -> bool {
        self.begun && self.held.is_empty() && matches!(self.next, Next::Magic)
    }

    /// Of the window that is there memory is taken only as it fills.
    pub fn cost(&self) -> usize {
        /// What a block decodes to, and tables.
        const TABLES: usize = 3 * BLOCK;
        let frame = self.frame.as_ref().map_or(0, |frame| frame.made.min(2 * frame.keeps) + TABLES);
        frame + self.held.capacity()
    }

    pub fn push(&mut self, mut bytes: &[u8], put: &mut Put<'_>) -> Result<(), Halt> {
        loop {
            let Some(wanted) = self.next.bytes() else {
                bytes = self.pass(bytes);
                if bytes.is_empty() {
                    return Ok(());
                }
                continue;
            };
            let taken = bytes.len().min(wanted - self.held.len());
            self.held.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if self.held.len() < wanted {
                return Ok(());
            }
            let part = std::mem::take(&mut self.held);
            self.next = self.take(&part, put)?;
            (self.held, self.begun) = (part, true);
            self.held.clear();
        }
    }

    /// Passes over bytes of a skippable frame: what is behind it.
    fn pass<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Next::Skipped(left) = self.next else { return bytes };
        let passed = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let left = left - passed as u64;
        self.next = if left == 0 { Next::Magic } else { Next::Skipped(left) };
        &bytes[passed..]
    }

    /// Takes the next part, which is whole.
    fn take(&mut self, part: &[u8], put: &mut Put<'_>) -> Result<Next, Halt> {
        const BROKEN: Halt = Halt::Stop(Stop::Broken);
        Ok(match self.next {
            Next::Magic if part == MAGIC => Next::Descriptor,
            Next::Magic if part.first_chunk().is_some_and(|magic| format::is_skippable(*magic)) => {
                Next::Length
            }
            Next::Magic | Next::Skipped(_) => return Err(BROKEN),
            Next::Length => {
                let length = part.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte));
                if length == 0 { Next::Magic } else { Next::Skipped(length) }
            }
            Next::Descriptor => {
                let descriptor = Descriptor::of(part[0]);
                // What a dictionary says is not here, and there is none in the coding.
                if descriptor.dictionary > 0 || descriptor.is_reserved {
                    return Err(BROKEN);
                }
                Next::Header(descriptor)
            }
            Next::Header(descriptor) => {
                self.frame = Some(Frame::new(descriptor, part).ok_or(BROKEN)?);
                Next::Block
            }
            Next::Block => {
                let header = [part[0], part[1], part[2]];
                let BlockHeader { is_reserved, bytes, .. } = BlockHeader::of(header);
                if is_reserved || bytes > BLOCK {
                    return Err(BROKEN);
                }
                Next::Body { header, bytes }
            }
            Next::Body { header, .. } => {
                let frame = self.frame.as_mut().ok_or(BROKEN)?;
                frame.block(header, part)?;
                frame.give(put)?;
                match (BlockHeader::of(header).is_last, frame.has_checksum) {
                    (false, _) => Next::Block,
                    (true, true) => Next::Checksum,
                    (true, false) => self.end(),
                }
            }
            Next::Checksum => self.end(),
        })
    }

    fn end(&mut self) -> Next {
        self.frame = None;
        Next::Magic
    }
}

/// The window that a header asks for (§3.1.1.1.2, §3.1.1.1.4).
fn window(descriptor: Descriptor, header: &[u8]) -> u64 {
    if descriptor.window > 0 {
        let (exponent, mantissa) = (header[0] >> 3, u64::from(header[0] & 7));
        let base = 1 << (10 + exponent);
        return base + base / 8 * mantissa;
    }
    let size = header.iter().rev().fold(0, |size, byte| size << 8 | u64::from(*byte));
    // Two bytes begin at 256.
    if header.len() == 2 { size + 256 } else { size }
}

impl Frame {
    /// A frame that begins with these fields behind its descriptor.
    fn new(descriptor: Descriptor, header: &[u8]) -> Option<Self> {
        let window = window(descriptor, header);
        let keeps = window.clamp(BLOCK as u64, CODING_WINDOW).next_power_of_two();
        let mut decoder = FrameDecoder::new();
        // A header of a window twice as wide as is kept, and of no more: so much room there is before what it
        // holds comes to lie in two pieces.
        let exponent = keeps.trailing_zeros().checked_sub(9)?;
        let mut begin = MAGIC.to_vec();
        begin.extend([0, u8::try_from(exponent << 3).ok()?]);
        decoder.set_max_window_size(2 * keeps);
        decoder.init(&*begin).ok()?;
        decoder.decode_blocks(&LAST[..], BlockDecodingStrategy::UptoBlocks(1)).ok()?;
        Some(Self {
            decoder,
            has_checksum: descriptor.has_checksum,
            is_wide: window > keeps,
            keeps: usize::try_from(keeps).ok()?,
            given: 0,
            made: 0,
            #[cfg(test)]
            turns: 0,
        })
    }

    /// Decodes a block.
    fn block(&mut self, header: [u8; 3], body: &[u8]) -> Result<(), Halt> {
        let block = header[..].chain(body);
        let decoded = self.decoder.decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1));
        let stop = if self.is_wide { Stop::TooLarge } else { Stop::Broken };
        decoded.map(|_| ()).map_err(|_| Halt::Stop(stop))
    }

    /// Gives what has come out and was not given.
    fn give(&mut self, put: &mut Put<'_>) -> Result<(), Halt> {
        let length = self.decoder.can_collect();
        if length > self.given {
            self.made += length - self.given;
            let mut look = Look { from: self.given, length, put, said: None };
            // It takes nothing.
            let _ = self.decoder.collect_to_writer(&mut look);
            match look.said {
                Some(said) => {
                    self.given = length;
                    said?;
                }
                None => self.turn(length, put)?,
            }
        }
        // What nothing may refer to any more goes.
        let old = self.given.saturating_sub(self.keeps);
        if old > 0 {
            self.given -= old;
            let _ = self.decoder.collect_to_writer(First(old));
        }
        Ok(())
    }

    /// The same where what is held lies in two pieces: afterwards it lies in one.
    fn turn(&mut self, length: usize, put: &mut Put<'_>) -> Result<(), Halt> {
        #[cfg(test)]
        {
            self.turns += 1;
        }
        let mut all = Vec::with_capacity(length);
        let _ = self.decoder.collect_to_writer(&mut all);
        let kept = &all[all.len().saturating_sub(self.keeps)..];
        for raw in kept.chunks(BLOCK) {
            let header = (raw.len() << 3).to_le_bytes();
            self.block([header[0], header[1], header[2]], raw)?;
        }
        let new = all.get(self.given..).unwrap_or_default();
        self.given = kept.len();
        put(new)
    }
}

/// Sees what is held, and takes nothing of it.
struct Look<'l, 'p> {
    from: usize,
    /// All of it.
    length: usize,
    put: &'l mut Put<'p>,
    /// What became of it; nothing where it is not in one piece.
    said: Option<Result<(), Halt>>,
}

impl Write for Look<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() == self.length {
            self.said = Some((self.put)(&bytes[self.from..]));
        }
        Err(ErrorKind::Other.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes the first bytes, so many.
struct First(usize);

impl Write for First {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    /// What is further back than a window, and blocks over each turn of what holds them.
    #[test]
    fn a_window_goes_round() {
        let mut text = Vec::new();
        let mut seed = 7_u64;
        while text.len() < 3 << 20 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let _ = writeln!(text, "data: price {} of share {}", seed >> 50, seed >> 60);
        }
        let coded = compress_to_vec(&text[..], CompressionLevel::Fastest);
        assert!(coded.len() < text.len() * 3 / 4);
        for size in [1009, 1 << 17, coded.len()] {
            let (mut zstd, mut told) = (Zstd::new(), Vec::new());
            let mut turns = 0;
            for piece in coded.chunks(size) {
                let pushed = zstd.push(piece, &mut |plain| {
                    told.extend_from_slice(plain);
                    Ok(())
                });
                assert_eq!(pushed, Ok(()));
                turns = turns.max(zstd.frame.as_ref().map_or(0, |frame| frame.turns));
            }
            assert!(zstd.is_over() && told == text, "{size}: {}", told.len());
            // Of what comes at once the frame is over by then.
            assert!(turns > 1 || size == coded.len(), "{size}: {turns} turns");
        }
    }
}
