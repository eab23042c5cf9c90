//! One direction of a connection that speaks HTTP: the head or body being read, and what waits.

use std::collections::VecDeque;

use super::told::Judged;
use crate::http::body::Body;
use crate::http::head::HeadReader;
use crate::limits;
use crate::model::{At, Piece};

/// One direction.
#[derive(Default)]
pub(super) struct Lane {
    pub reader: HeadReader,
    /// Where the head being read begins.
    pub offset: u64,
    pub body: Option<Body>,
    /// Set while it is open what the following bytes are; they wait in `held`.
    pub blocked: bool,
    pub held: VecDeque<Chunk>,
    pub held_bytes: usize,
    /// A head that is shown with its body, which is being read.
    pub pending: Option<Box<Judged>>,
    /// Which packets carried the head being read.
    pub pieces: Vec<Piece>,
    /// A request's head was too large to be kept, so that nobody knows where it ends:
    /// what follows it is skipped.
    pub lost: bool,
}

pub(super) struct Chunk {
    pub bytes: Vec<u8>,
    pub at: At,
    pub offset: u64,
}

impl Lane {
    /// Keeps bytes until it is known what they are; beyond the cap the rest is dropped with the connection.
    pub fn hold(&mut self, bytes: &[u8], at: At, offset: u64) {
        let room = limits::BEFORE_RESPONSE.saturating_sub(self.held_bytes);
        let keep = &bytes[..bytes.len().min(room)];
        if !keep.is_empty() {
            self.held_bytes += keep.len();
            self.held.push_back(Chunk { bytes: keep.to_vec(), at, offset });
        }
    }
}
