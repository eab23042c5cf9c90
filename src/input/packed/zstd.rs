//! Zstandard (RFC 8878), frame after frame.
//!
//! The decoder gives out what has left its window, and the rest when a frame is over; of a frame that is cut
//! or damaged it would keep megabytes to itself. So frames are taken apart into blocks here (§3.1.1), and a
//! block without content ends what does not end by itself.

use std::io::{self, BufRead, ErrorKind, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Wrong, again};
use crate::coding::zstd::format::{self, BLOCK, BlockHeader, Descriptor, LAST, MAGIC};
use crate::limits;

/// Room for a checksum behind a last block.
const CHECKSUM: [u8; 4] = [0; 4];

/// Unpacks what it reads.
pub(super) struct Zstd<R> {
    packed: R,
    /// The frame at hand.
    frame: Option<Frame>,
    /// A block, with its header and what is behind it.
    block: Vec<u8>,
    /// At least one frame was there.
    begun: bool,
    /// Why there is no more.
    failed: Option<io::Error>,
}

struct Frame {
    decoder: FrameDecoder,
    has_checksum: bool,
    /// It was ended here, before its end: nothing of it can be checked.
    is_cut: bool,
}

impl<R: BufRead> Zstd<R> {
    pub(super) fn new(packed: R) -> Self {
        Self { packed, frame: None, block: Vec::new(), begun: false, failed: None }
    }

    /// Begins the next frame; `false` where there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            let mut magic = [0; 4];
            if self.packed.fill_buf()?.is_empty() {
                return if self.begun { Ok(false) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
            self.packed.read_exact(&mut magic)?;
            self.begun = true;
            if magic == MAGIC {
                break;
            }
            if !format::is_skippable(magic) {
                return Err(wrong("no frame begins behind the last one"));
            }
            let mut length = [0; 4];
            self.packed.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            if io::copy(&mut (&mut self.packed).take(length), &mut io::sink())? < length {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let mut header = MAGIC.to_vec();
        header.push(self.byte()?);
        let descriptor = Descriptor::of(header[MAGIC.len()]);
        for _ in 0..descriptor.rest() {
            header.push(self.byte()?);
        }
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(limits::UNPACK_WINDOW);
        decoder.init(&*header).map_err(|error| invalid(error.to_string()))?;
        self.frame = Some(Frame { decoder, has_checksum: descriptor.has_checksum, is_cut: false });
        Ok(true)
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.packed.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    /// Decodes one block of the frame.
    fn next_block(&mut self) -> io::Result<()> {
        let Some(frame) = &mut self.frame else { return Ok(()) };
        let mut header = [0; BlockHeader::LENGTH];
        self.packed.read_exact(&mut header)?;
        let BlockHeader { is_last, bytes, .. } = BlockHeader::of(header);
        if bytes > BLOCK {
            return Err(wrong("a block is longer than any may be"));
        }
        self.block.clear();
        self.block.extend(header);
        self.block.resize(header.len() + bytes, 0);
        self.packed.read_exact(&mut self.block[header.len()..])?;
        let mut checksum = CHECKSUM;
        let checked =
            if is_last && frame.has_checksum { self.packed.read_exact(&mut checksum) } else { Ok(()) };
        self.block.extend(checksum);
        let decoded = frame.decoder.decode_blocks(&*self.block, BlockDecodingStrategy::UptoBlocks(1));
        // A block is worth having even where only its checksum is missing.
        decoded.map_err(|error| invalid(error.to_string())).and(checked)
    }

    /// The frame was unpacked: whether it is what was packed.
    fn check(frame: &Frame) -> io::Result<()> {
        let decoder = &frame.decoder;
        let is_same = decoder.get_checksum_from_data() == decoder.get_calculated_checksum();
        if frame.has_checksum && !frame.is_cut && !is_same {
            return Err(wrong("the checksum of a frame is wrong"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.decoder.read(into)?;
                if count > 0 {
                    return Ok(count);
                }
                if frame.decoder.is_finished() {
                    let checked = Self::check(frame);
                    self.frame = None;
                    checked?;
                    continue;
                }
            } else if let Some(error) = &self.failed {
                return Err(again(error));
            }
            let next =
                if self.frame.is_some() { self.next_block().map(|()| true) } else { self.next_frame() };
            match next {
                Ok(true) => {}
                Ok(false) => return Ok(0),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error);
                    if let Some(frame) = &mut self.frame {
                        frame.is_cut = true;
                        // What was unpacked so far is all there will be.
                        if frame
                            .decoder
                            .decode_blocks(
                                LAST[..].chain(&CHECKSUM[..]),
                                BlockDecodingStrategy::UptoBlocks(1),
                            )
                            .is_err()
                        {
                            self.frame = None;
                        }
                    }
                }
            }
        }
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, Wrong(what))
}
