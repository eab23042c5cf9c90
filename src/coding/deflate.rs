//! gzip (RFC 1952), zlib (RFC 1950) and bare DEFLATE (RFC 1951).

use flate2::{Decompress, FlushDecompress, Status};

use super::{Halt, PIECE, Put, Stop};

/// Takes gzip, or what is named `deflate`, off.
pub(super) struct Inflate {
    is_gzip: bool,
    /// What inflates; nothing before the first byte, and behind the end.
    engine: Option<Decompress>,
    /// A member, or all there is, has ended, and nothing has come since that is another one.
    is_over: bool,
    /// What follows the end is no content: it is passed over.
    is_done: bool,
}

impl Inflate {
    /// Bytes that it holds: a window of 32 KiB, and tables.
    pub const COST: usize = 48 * 1024;

    /// Bits of the largest window (RFC 1950 §2.2).
    const WINDOW_BITS: u8 = 15;

    /// The first byte of a member (RFC 1952 §2.3.1).
    const MEMBER: u8 = 0x1F;

    pub fn gzip() -> Self {
        Self { is_gzip: true, engine: None, is_over: false, is_done: false }
    }

    pub fn deflate() -> Self {
        Self { is_gzip: false, ..Self::gzip() }
    }

    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// What reads a stream that begins with this byte; `None` where none does.
    fn begin(&self, first: u8) -> Option<Decompress> {
        if self.is_gzip {
            return (first == Self::MEMBER).then(|| Decompress::new_gzip(Self::WINDOW_BITS));
        }
        // CM = 8 and a window of at most 32 KiB (RFC 1950 §2.2): bare DEFLATE hardly begins so.
        let is_zlib = first & 0xF == 8 && first >> 4 <= 7;
        Some(Decompress::new(is_zlib))
    }

    pub fn push(&mut self, mut bytes: &[u8], put: &mut Put<'_>) -> Result<(), Halt> {
        while let Some(&first) = bytes.first() {
            if self.is_done {
                return Ok(());
            }
            if self.engine.is_none() {
                // Members may follow one another (RFC 1952 §2.2), and what is no member is padding.
                match self.begin(first).filter(|_| self.is_gzip || !self.is_over) {
                    Some(engine) => self.engine = Some(engine),
                    None if self.is_over => {
                        self.is_done = true;
                        return Ok(());
                    }
                    None => return Err(Halt::Stop(Stop::Broken)),
                }
                self.is_over = false;
            }
            bytes = &bytes[self.step(bytes, put)?..];
        }
        Ok(())
    }

    /// Inflates as much as fits one piece, or all there is: how many bytes that took.
    fn step(&mut self, bytes: &[u8], put: &mut Put<'_>) -> Result<usize, Halt> {
        let Some(engine) = &mut self.engine else { return Ok(bytes.len()) };
        let mut piece = [0; PIECE];
        let mut used = 0;
        loop {
            let before = (engine.total_in(), engine.total_out());
            let status = engine.decompress(&bytes[used..], &mut piece, FlushDecompress::None);
            let made = (engine.total_out() - before.1) as usize;
            used += (engine.total_in() - before.0) as usize;
            if made > 0 {
                put(&piece[..made])?;
            }
            match status {
                Err(_) => return Err(Halt::Stop(Stop::Broken)),
                Ok(Status::StreamEnd) => {
                    (self.engine, self.is_over) = (None, true);
                    return Ok(used);
                }
                // What is full may have left something behind.
                Ok(_) if made == PIECE => {}
                Ok(_) => return Ok(bytes.len()),
            }
        }
    }
}
