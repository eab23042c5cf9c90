//! Zstandard (RFC 8878), frame after frame.
//!
//! The decoder gives out what has left its window, and the rest when a frame is over; of a frame that is cut
//! or damaged it would keep megabytes to itself. So frames are taken apart into blocks here (§3.1.1), and a
//! block without content ends what does not end by itself.

use std::io::{self, BufRead, ErrorKind, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Wrong, again};
use crate::limits;

/// Begins a frame (§3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The longest block (§3.1.1.2.4).
const BLOCK: usize = 128 * 1024;

/// A last block, raw and empty (§3.1.1.2), and room for a checksum behind it.
const LAST: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

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
            if magic[0] & 0xF0 != 0x50 || magic[1..] != [0x2A, 0x4D, 0x18] {
                return Err(wrong("no frame begins behind the last one"));
            }
            // A skippable frame (§3.1.2).
            let mut length = [0; 4];
            self.packed.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            if io::copy(&mut (&mut self.packed).take(length), &mut io::sink())? < length {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let mut header = MAGIC.to_vec();
        header.push(self.byte()?);
        // Frame_Header_Descriptor (§3.1.1.1.1): window, dictionary and size of the content follow.
        let descriptor = header[4];
        let is_single = descriptor & 0x20 != 0;
        let sizes = [usize::from(is_single), 2, 4, 8];
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        for _ in 0..usize::from(!is_single) + dictionary + sizes[usize::from(descriptor >> 6)] {
            header.push(self.byte()?);
        }
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(limits::UNPACK_WINDOW);
        decoder.init(&*header).map_err(|error| invalid(error.to_string()))?;
        self.frame = Some(Frame { decoder, has_checksum: descriptor & 4 != 0, is_cut: false });
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
        let mut header = [0; 3];
        self.packed.read_exact(&mut header)?;
        let [low, middle, high] = header.map(usize::from);
        let (is_last, kind) = (low & 1 == 1, low >> 1 & 3);
        // A run has one byte, however long it gets.
        let size = if kind == 1 { 1 } else { (low | middle << 8 | high << 16) >> 3 };
        if size > BLOCK {
            return Err(wrong("a block is longer than any may be"));
        }
        self.block.clear();
        self.block.extend(header);
        self.block.resize(3 + size, 0);
        self.packed.read_exact(&mut self.block[3..])?;
        let mut checksum = [0; 4];
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
                            .decode_blocks(&LAST[..], BlockDecodingStrategy::UptoBlocks(1))
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
