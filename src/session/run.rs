//! Bytes of an endpoint on their way through HTTP, and those that wait.

use crate::model::{At, Dir};

/// Bytes that one endpoint sent and one packet carried.
#[derive(Clone, Copy)]
pub(in crate::session) struct Run<'b> {
    pub dir: Dir,
    pub bytes: &'b [u8],
    pub at: At,
    /// Where the first of them stands in the sender's stream.
    pub offset: u64,
}

/// Bytes that wait.
pub(in crate::session) struct Chunk {
    bytes: Vec<u8>,
    pub at: At,
    pub offset: u64,
}

impl Run<'_> {
    /// What is behind its first `used` bytes.
    pub fn after(self, used: usize) -> Self {
        Self {
            bytes: &self.bytes[used..],
            at: At { byte: self.at.byte.saturating_add(used as u32), ..self.at },
            offset: self.offset + used as u64,
            ..self
        }
    }

    /// Its first `count` bytes.
    pub fn first(self, count: usize) -> Self {
        Self { bytes: &self.bytes[..count], ..self }
    }

    /// A copy that may wait.
    pub fn kept(self) -> Chunk {
        Chunk { bytes: self.bytes.to_vec(), at: self.at, offset: self.offset }
    }
}

impl Chunk {
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes, as `dir` sent them.
    pub fn run(&self, dir: Dir) -> Run<'_> {
        Run { dir, bytes: &self.bytes, at: self.at, offset: self.offset }
    }
}
