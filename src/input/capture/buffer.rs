//! A window over the capture that always begins at the next record.

use std::io::Read;

use crate::input::InputError;
use crate::input::source::{Meter, Source};
use crate::limits;

/// A read buffer that grows, up to [`limits::PACKET`], only when it is full of bytes that have arrived.
pub(super) struct Buffer {
    source: Source,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Where in the uncompressed input `bytes` begin.
    base: u64,
    /// The compressed data, where it ended early, which is not the same as the capture ending.
    cut: Option<&'static str>,
}

/// What came of asking for more bytes.
pub(super) enum More {
    /// There are some.
    Some,
    /// The input ended: properly, or inside the compressed data.
    End { cut: Option<&'static str> },
}

impl Buffer {
    pub(super) fn new(source: Source) -> Self {
        Self { source, bytes: vec![0; limits::READ_BUFFER], start: 0, end: 0, base: 0, cut: None }
    }

    /// The bytes from the next record on that have been read.
    #[inline]
    pub(super) fn have(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Where [`Buffer::have`] begins in the uncompressed input.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// The same, and where they begin among all that are kept: to be moved on by as many bytes as are used.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(super) fn parts(&mut self) -> (&[u8], &mut usize) {
        (&self.bytes[self.start..self.end], &mut self.start)
    }

    /// Goes on by `len` bytes and lends them.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> &[u8] {
        let taken = self.start..self.start + len;
        self.start = taken.end;
        &self.bytes[taken]
    }

    /// Reads once, so that a live pipe is never waited for longer than necessary.
    pub(super) fn more(&mut self) -> Result<More, InputError> {
        if self.cut.is_some() {
            return Ok(More::End { cut: self.cut });
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.base += self.start as u64;
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.bytes.len() {
            // Room for the largest record and its headers; the callers refuse longer ones.
            let full = limits::PACKET + limits::READ_BUFFER;
            self.bytes.resize((self.end * 2).min(full), 0);
        }
        match self.source.read(&mut self.bytes[self.end..]) {
            Ok(0) => Ok(More::End { cut: None }),
            Ok(count) => {
                self.end += count;
                Ok(More::Some)
            }
            Err(error) => {
                self.cut = self.source.cut(&error);
                if self.cut.is_some() {
                    Ok(More::End { cut: self.cut })
                } else {
                    Err(self.source.explain(error))
                }
            }
        }
    }

    /// How many bytes of the underlying, possibly compressed, input were read.
    pub(super) fn meter(&self) -> &Meter {
        self.source.meter()
    }
}
