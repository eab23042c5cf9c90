//! The bytes of an input: counted, peeked into, unpacked.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::InputError;
use super::packed::{self, Packing};
use crate::coding::wide::{Narrow, Order};

/// Whatever an input is read from.
pub(super) type Reader = Box<dyn Read + Send>;

/// A reader whose first bytes can be looked at before they are read, with any
/// compression around them removed.
pub(super) struct Source {
    reader: Reader,
    seen: Vec<u8>,
    at: usize,
    ended: bool,
    packing: Option<Packing>,
    read: Meter,
}

/// How much of an input was read, told while somebody else reads it.
#[derive(Clone, Default)]
pub struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Bytes of the underlying, possibly compressed, input that were read.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Source {
    pub(super) fn new(reader: Reader) -> Self {
        let read = Meter::default();
        let reader = Box::new(Counted { reader, read: read.clone() });
        Self { reader, seen: Vec::new(), at: 0, ended: false, packing: None, read }
    }

    /// What has been looked at and not been read yet.
    pub(super) fn seen(&self) -> &[u8] {
        &self.seen[self.at..]
    }

    /// Whether [`Source::seen`] is all there is.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Looks at more bytes: as many as one read gives, at most `limit`.
    pub(super) fn look(&mut self, limit: usize) -> Result<(), InputError> {
        let len = self.seen.len();
        self.seen.resize(len + limit, 0);
        let result = retry(&mut self.reader, &mut self.seen[len..]);
        self.seen.truncate(len + result.as_ref().map_or(0, |count| *count));
        match result {
            Ok(count) => self.ended = count == 0,
            // What the cut data holds may still be recognised; reading on will meet the cut again.
            Err(error) if self.cut(&error).is_some() && len > 0 => self.ended = true,
            Err(error) => return Err(self.explain(error)),
        }
        Ok(())
    }

    /// Removes one layer of compression.
    ///
    /// # Errors
    /// When this build cannot read it.
    pub(super) fn unpack(self, packing: Packing) -> Result<Self, InputError> {
        let read = self.read.clone();
        let (what, hint) = packing.unread();
        let reader = packing.unpack(self).ok_or(InputError::Unsupported { what, hint })?;
        Ok(Self { reader, seen: Vec::new(), at: 0, ended: false, packing: Some(packing), read })
    }

    /// Reads UTF-16 as UTF-8.
    pub(super) fn narrow(self, order: Order) -> Self {
        let (packing, read) = (self.packing, self.read.clone());
        let reader = Box::new(Narrow::new(self, order));
        Self { reader, seen: Vec::new(), at: 0, ended: false, packing, read }
    }

    /// The compressed data, where an error means that it ends early.
    pub(super) fn cut(&self, error: &io::Error) -> Option<&'static str> {
        let packing = self.packing.filter(|_| error.kind() == io::ErrorKind::UnexpectedEof);
        packing.map(Packing::data)
    }

    /// Says what an error of [`Source::read`] means behind so many bytes of what is no capture.
    pub(super) fn failed(&self, error: io::Error, have: u64) -> InputError {
        match self.cut(&error) {
            Some(what) => InputError::Truncated { offset: 0, packet: 0, what, needed: 0, have },
            None => self.explain(error),
        }
    }

    /// Says what an error of [`Source::read`] means.
    pub(super) fn explain(&self, error: io::Error) -> InputError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match (self.packing, error.kind()) {
            (Some(packing), UnexpectedEof | InvalidData | InvalidInput) => {
                InputError::Packed { packing, offset: self.read.read(), what: packed::wrong(&error) }
            }
            _ => InputError::Io(error),
        }
    }

    /// Counts what is read.
    pub(super) fn meter(&self) -> &Meter {
        &self.read
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let seen = &self.seen[self.at..];
        if seen.is_empty() {
            return retry(&mut self.reader, into);
        }
        let count = seen.len().min(into.len());
        into[..count].copy_from_slice(&seen[..count]);
        self.at += count;
        Ok(count)
    }
}

fn retry(reader: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Counts what is read through it.
struct Counted {
    reader: Reader,
    read: Meter,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        self.read.0.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
