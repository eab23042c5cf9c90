//! What is kept of the two directions of a connection that speaks HTTP.

use std::collections::VecDeque;

use super::Side;
use super::foreign::{Foreign, is_no_http};
use super::told::Judged;
use crate::http::body::Body;
use crate::http::handshake::RequestFacts;
use crate::http::head::HeadReader;
use crate::limits;
use crate::model::{At, Piece, Time};

/// Both directions of a connection that speaks HTTP.
#[derive(Default)]
pub(super) struct HttpPhase {
    pub lanes: [Lane; 2],
    /// Requests whose response has not come.
    pub requests: VecDeque<Request>,
}

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
    /// When a response was complete that waits for its request.
    pub waits: Option<At>,
    /// One has waited in vain; no other will.
    pub in_vain: bool,
    /// Its peer had seen more of it than is there.
    pub behind: bool,
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

pub(super) struct Chunk {
    pub bytes: Vec<u8>,
    pub at: At,
    pub offset: u64,
}

/// A request on its way to be answered.
pub(super) struct Request {
    pub method: String,
    /// What it offered, if it asks for a WebSocket.
    pub upgrade: Option<Box<RequestFacts>>,
    /// It is Engine.IO's, and shown although it asks for none.
    pub polls: bool,
    /// When it was complete.
    pub time: Option<Time>,
    /// It was told that nobody answers it.
    pub unanswered: bool,
    /// Bytes of its head, which what is kept of it cannot exceed.
    pub cost: usize,
}

impl HttpPhase {
    /// Whether the connection may turn into something else: it was asked to, or a request is
    /// under way that may ask it.
    pub fn may_upgrade(&self, client: Side) -> bool {
        let asks = |request: &Request| request.upgrade.is_some() || request.method == "CONNECT";
        self.requests.iter().any(asks) || self.lanes[client.index()].reader.total() > 0
    }

    /// What is held of both directions, in bytes.
    pub fn cost(&self) -> usize {
        let foreign = |lane: &Lane| lane.foreign.as_ref().map_or(0, |foreign| foreign.bytes.len());
        let lane = |lane: &Lane| lane.reader.bytes().len() + foreign(lane) + lane.held_cost();
        let request = |request: &Request| request.cost + size_of::<Request>();
        self.lanes.iter().map(lane).sum::<usize>() + self.requests.iter().map(request).sum::<usize>()
    }
}

impl Lane {
    /// Whether a server's next `bytes` are no part of an HTTP head.
    pub fn is_foreign(&self, bytes: &[u8]) -> bool {
        self.foreign.is_some() || is_no_http(self.reader.bytes().iter().chain(bytes))
    }

    pub fn held_cost(&self) -> usize {
        /// What keeping a chunk costs besides its bytes.
        const OVERHEAD: usize = size_of::<Chunk>() + 32;
        self.held_bytes + self.held.len() * OVERHEAD
    }

    /// Keeps bytes until it is known what they are; beyond the cap the rest is dropped with the connection.
    pub fn hold(&mut self, bytes: &[u8], at: At, offset: u64) {
        let room = limits::BEFORE_RESPONSE.saturating_sub(self.held_cost());
        let keep = &bytes[..bytes.len().min(room)];
        if !keep.is_empty() {
            self.held_bytes += keep.len();
            self.held.push_back(Chunk { bytes: keep.to_vec(), at, offset });
        }
    }
}
