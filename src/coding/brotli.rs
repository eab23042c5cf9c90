//! Brotli (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, SliceWrapper, StandardAlloc};

use super::{Halt, PIECE, Put, Stop};

/// Takes `br` off.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    /// Bytes that came out.
    made: usize,
    is_over: bool,
}

impl Brotli {
    pub fn new() -> Self {
        let alloc = StandardAlloc::default;
        // Windows of more than 16 MiB are no part of the coding.
        let state = BrotliState::new_strict(alloc(), alloc(), alloc());
        Self { state, made: 0, is_over: false }
    }

    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Of the window that is there memory is taken only as it fills.
    pub fn cost(&self) -> usize {
        /// Trees of codes of a usual size, and the state itself.
        const TABLES: usize = 64 * 1024;
        self.state.ringbuffer.slice().len().min(self.made) + TABLES
    }

    pub fn push(&mut self, bytes: &[u8], put: &mut Put<'_>) -> Result<(), Halt> {
        let mut piece = [0; PIECE];
        let (mut left, mut at) = (bytes.len(), 0);
        // What is behind its end is no content.
        while !self.is_over {
            let (mut room, mut made) = (PIECE, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut at,
                bytes,
                &mut room,
                &mut made,
                &mut piece,
                &mut self.made,
                &mut self.state,
            );
            if made > 0 {
                put(&piece[..made])?;
            }
            match result {
                BrotliResult::ResultSuccess => self.is_over = true,
                BrotliResult::ResultFailure => return Err(Halt::Stop(Stop::Broken)),
                BrotliResult::NeedsMoreOutput => {}
                // What is full may have left something behind.
                BrotliResult::NeedsMoreInput if made == PIECE => {}
                BrotliResult::NeedsMoreInput => break,
            }
        }
        Ok(())
    }
}
