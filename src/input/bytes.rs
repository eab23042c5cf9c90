//! Bytes that are no capture: hex text, or one direction's raw bytes.

use std::io::Read;
use std::vec;

use super::InputError;
use super::hex::{self, Chunk};
use super::source::Source;
use crate::limits;

/// Hex text or raw bytes being read.
pub struct Bytes {
    name: String,
    kind: Kind,
}

enum Kind {
    Hex { chunks: vec::IntoIter<Chunk>, read: u64 },
    Raw { source: Source, done: bool, read: u64 },
}

impl Bytes {
    /// Decodes the hex in a text.
    pub(super) fn text(text: &str, name: &str) -> Result<Self, InputError> {
        Ok(Self::chunks(hex::parse(text)?, name))
    }

    /// Reads all of a text.
    pub(super) fn read_text(mut source: Source) -> Result<String, InputError> {
        let mut text = Vec::new();
        if let Err(error) = (&mut source).take(limits::TEXT_INPUT + 1).read_to_end(&mut text) {
            return Err(source.failed(error, text.len() as u64));
        }
        if text.len() as u64 > limits::TEXT_INPUT {
            return Err(InputError::TextTooLong(limits::TEXT_INPUT));
        }
        Ok(characters(&text))
    }

    /// Chunks that were decoded before.
    pub(super) fn chunks(chunks: Vec<Chunk>, name: &str) -> Self {
        let read = chunks.iter().map(|chunk| chunk.bytes.len() as u64).sum();
        Self { name: name.to_owned(), kind: Kind::Hex { chunks: chunks.into_iter(), read } }
    }

    /// Reads raw bytes as they come.
    pub(super) fn raw(source: Source, name: &str) -> Self {
        Self { name: name.to_owned(), kind: Kind::Raw { source, done: false, read: 0 } }
    }

    /// The next bytes: of hex text all that one side sent before the other side did, of
    /// raw bytes what one read gives. After an error there is nothing more.
    #[allow(clippy::should_implement_trait)] // as with captures, which cannot be iterators
    pub fn next(&mut self) -> Option<Result<Chunk, InputError>> {
        match &mut self.kind {
            Kind::Hex { chunks, .. } => chunks.next().map(Ok),
            Kind::Raw { done: true, .. } => None,
            Kind::Raw { source, done, read } => {
                let mut bytes = vec![0; limits::RAW_READ];
                match source.read(&mut bytes) {
                    Ok(0) => {
                        *done = true;
                        None
                    }
                    Ok(count) => {
                        *read += count as u64;
                        bytes.truncate(count);
                        Some(Ok(Chunk { dir: None, bytes, line: 0 }))
                    }
                    Err(error) => {
                        *done = true;
                        Some(Err(source.failed(error, *read)))
                    }
                }
            }
        }
    }

    /// The name it was opened under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `hex` or `raw`.
    pub fn format(&self) -> &'static str {
        match self.kind {
            Kind::Hex { .. } => "hex",
            Kind::Raw { .. } => "raw",
        }
    }

    /// Bytes of the underlying input that were read, compressed ones if it is compressed; of hex, the
    /// bytes that it stands for.
    pub fn bytes_read(&self) -> u64 {
        match &self.kind {
            Kind::Hex { read, .. } => *read,
            Kind::Raw { source, .. } => source.meter().read(),
        }
    }
}

/// Text in UTF-8, without a byte order mark.
fn characters(text: &[u8]) -> String {
    String::from_utf8_lossy(text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)).into_owned()
}
