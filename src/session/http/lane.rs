//! What is kept of one direction of a connection that speaks HTTP.

use std::collections::VecDeque;

use super::foreign::{Foreign, is_no_http};
use crate::http::body::Body;
use crate::http::handshake::RequestFacts;
use crate::http::head::{HeadReader, HeadState};
use crate::limits;
use crate::model::{At, Piece, Time};
use crate::session::follow::Follow;
use crate::session::judged::Judged;
use crate::session::run::{Chunk, Run};

/// One direction.
#[derive(Default)]
pub(super) struct Lane {
    pub reader: HeadReader,
    /// Where the head being read begins.
    pub offset: u64,
    pub body: Option<Body>,
    /// Who takes the content of that, where it streams.
    pub follow: Option<Box<Follow>>,
    /// Heads of it so far.
    pub heads: u64,
    /// Set while it is open what the following bytes are; they wait in `held`.
    pub blocked: bool,
    pub held: VecDeque<Chunk>,
    /// When a response was complete that waits for its request.
    pub waits: Option<At>,
    /// One has waited in vain; no other will.
    pub in_vain: bool,
    /// Its peer had seen more of it than is there.
    pub behind: bool,
    /// A head of it was read.
    pub had_head: bool,
    /// Nothing of the response had come when the first of `held` did.
    pub before_response: bool,
    pub held_bytes: usize,
    /// A head that is shown with its body, which is being read.
    pub pending: Option<Box<Judged>>,
    /// Which packets carried the head being read.
    pub pieces: Vec<Piece>,
    /// What the server says is no HTTP.
    pub foreign: Option<Box<Foreign>>,
    /// A request's head was too large to be kept, so that nobody knows where it ends:
    /// what follows it is skipped.
    pub lost: bool,
}

/// A head that was gathered, and where it stands.
pub(super) struct Gathered {
    pub reader: HeadReader,
    pub offset: u64,
    pub pieces: Vec<Piece>,
}

/// A request on its way to be answered.
pub(super) struct Request {
    pub method: String,
    /// What it offered, if it asks for a WebSocket.
    pub upgrade: Option<Box<RequestFacts>>,
    /// It asks for HTTP/2 with these settings (RFC 7540 §3.2.1).
    pub h2c: Option<Vec<u8>>,
    /// It is Engine.IO's, and shown although it asks for none.
    pub polls: bool,
    /// Its head, where it is not shown unless its answer streams.
    pub asked: Option<Box<Gathered>>,
    /// When it was complete.
    pub time: Option<Time>,
    /// It was told that nobody answers it.
    pub unanswered: bool,
    /// Its client has ended its stream without an answer.
    pub given_up: bool,
    /// Bytes of its head, which what is kept of it cannot exceed.
    pub cost: usize,
}

impl Request {
    /// Whether the connection may turn into something else by its answer.
    pub fn may_turn(&self) -> bool {
        self.upgrade.is_some() || self.h2c.is_some() || self.method == "CONNECT"
    }
}

impl Lane {
    /// Whether a server's next `bytes` are no part of an HTTP head.
    pub fn is_foreign(&self, bytes: &[u8]) -> bool {
        self.foreign.is_some() || is_no_http(self.reader.bytes().iter().chain(bytes))
    }

    /// Whether a part of a head is there.
    pub fn has_begun(&self) -> bool {
        self.reader.total() > 0
    }

    /// Whether a head has begun that is not whole.
    pub fn is_unfinished(&self) -> bool {
        self.has_begun() && self.reader.state() == HeadState::Reading
    }

    /// Whether a whole head waits to be read.
    pub fn has_waiting_head(&self) -> bool {
        self.blocked && self.reader.state() == HeadState::Complete
    }

    /// Takes what it can of a head; gives how much that was, and how far the head is.
    pub fn gather(&mut self, run: Run<'_>) -> (usize, HeadState) {
        if !self.has_begun() {
            self.offset = run.offset;
            self.pieces.clear();
        }
        let progress = self.reader.push(run.bytes);
        if run.at.packet > 0 && self.pieces.len() < limits::PIECES_LISTED {
            let (offset, len) = (run.offset, progress.consumed as u64);
            self.pieces.push(Piece { offset, len, packet: run.at.packet, byte: run.at.byte });
        }
        (progress.consumed, progress.state)
    }

    /// The head that was gathered; the next one is gathered anew.
    pub fn take_head(&mut self) -> Gathered {
        let reader = std::mem::take(&mut self.reader);
        self.had_head = true;
        self.heads += 1;
        Gathered { reader, offset: self.offset, pieces: std::mem::take(&mut self.pieces) }
    }

    /// What is held, in bytes.
    pub fn cost(&self) -> usize {
        let foreign = self.foreign.as_ref().map_or(0, |foreign| foreign.bytes.len());
        let foreign = foreign + self.follow.as_ref().map_or(0, |follow| follow.cost());
        self.reader.bytes().len() + foreign + self.held_cost()
    }

    fn held_cost(&self) -> usize {
        /// What keeping a chunk costs besides its bytes.
        const OVERHEAD: usize = size_of::<Chunk>() + 32;
        self.held_bytes + self.held.len() * OVERHEAD
    }

    /// Keeps bytes until it is known what they are; beyond the cap the rest is dropped with the connection.
    pub fn hold(&mut self, run: Run<'_>) {
        let room = limits::BEFORE_RESPONSE.saturating_sub(self.held_cost());
        let keep = &run.bytes[..run.bytes.len().min(room)];
        if !keep.is_empty() {
            self.held_bytes += keep.len();
            self.held.push_back(Run { bytes: keep, ..run }.kept());
        }
    }

    /// What was held, which is held no longer.
    pub fn take_held(&mut self) -> VecDeque<Chunk> {
        self.held_bytes = 0;
        std::mem::take(&mut self.held)
    }
}
