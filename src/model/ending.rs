//! How a connection ended, and what its endpoints had done by then.

use super::stream::StreamEnd;
use super::time::Time;
use super::transport::TcpFacts;
use super::wire::{CloseCode, Dir};

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The way it ended.
    pub how: EndKind,
    /// The code of the first Close frame that carried one.
    pub close_code: Option<CloseCode>,
    /// What the client and the server sent, in this order.
    pub counts: [Counts; 2],
    /// When it appeared: its first bytes that were seen.
    pub began: Option<Time>,
    /// The endpoint that was first to end its TCP stream; `None` while both are open.
    pub first: Option<TcpEnd>,
    /// What the client and the server had done, in this order.
    pub sides: [SideEnd; 2],
    /// What TCP itself says of it, the client first; `None` where there are no packets.
    pub transport: Option<Box<TcpFacts>>,
}

impl Ending {
    /// Nothing but what ended it is known.
    pub fn new(how: EndKind) -> Self {
        Self {
            how,
            close_code: None,
            counts: <[_; 2]>::default(),
            began: None,
            first: None,
            sides: <[_; 2]>::default(),
            transport: None,
        }
    }

    /// The Close frame that came first, and who sent it.
    pub fn close(&self) -> Option<(Dir, &ClosePart)> {
        let [client, server] = &self.sides;
        let client = client.close.as_ref().map(|close| (Dir::Client, close));
        let server = server.close.as_ref().map(|close| (Dir::Server, close));
        match (client, server) {
            (Some(client), Some(server)) => Some(if client.1.n <= server.1.n { client } else { server }),
            (one, other) => one.or(other),
        }
    }

    /// The endpoint whose frame was the last one before any Close frame, and when that was.
    pub fn heard(&self) -> Option<(Dir, Time)> {
        let of = |dir: Dir| self.sides[dir.index()].heard.map(|time| (dir, time));
        match (of(Dir::Client), of(Dir::Server)) {
            (Some(client), Some(server)) => Some(if client.1 > server.1 { client } else { server }),
            (one, other) => one.or(other),
        }
    }
}

/// What ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    /// Both endpoints sent a Close frame.
    CloseHandshake,
    /// TCP was closed by FIN without a complete closing handshake.
    Fin,
    /// TCP was reset.
    Rst,
    /// The capture ends first.
    CaptureEnd,
    /// Whoever [tells](super::Layer::Told) of the connection does not say.
    Untold,
    /// Whoever tells of it says that it failed, and not who ended it.
    Failed,
}

impl EndKind {
    /// Whether the end was seen.
    pub fn is_seen(self) -> bool {
        !matches!(self, Self::CaptureEnd | Self::Untold | Self::Failed)
    }
}

/// What one endpoint sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames.
    pub frames: u64,
    /// Messages, control frames among them.
    pub messages: u64,
    /// Frame headers and payloads.
    pub bytes: u64,
    /// Payloads only.
    pub payload_bytes: u64,
}

/// How an endpoint ended its TCP stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpEnd {
    /// Who ended it.
    pub by: Dir,
    /// By FIN or by RST.
    pub how: StreamEnd,
    /// When that was captured; `None` where it was before the first that is told of the connection.
    pub time: Option<Time>,
    /// Number of the packet, from 1; 0 when there are no packets, or no time.
    pub packet: u64,
}

/// What an endpoint had done when its connection was over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SideEnd {
    /// Its first Close frame.
    pub close: Option<ClosePart>,
    /// When its last frame before the first Close frame of either was complete.
    pub heard: Option<Time>,
    /// When it sent its last ping before the first Close frame of either.
    pub pinged: Option<Time>,
    /// Its last ping, if that was not answered when the connection was over.
    pub waiting: Option<Waiting>,
    /// Pings that it sent.
    pub pings: u64,
    /// Pongs that it sent.
    pub pongs: u64,
    /// Its longest message, in bytes of payload as sent, if that is one of
    /// [`LARGE_MESSAGE`](crate::limits::LARGE_MESSAGE) or more; otherwise 0.
    pub largest: u64,
    /// The bytes of such a message, if it is the last of the connection: no other came after it, of neither
    /// endpoint; otherwise 0.
    pub last_large: u64,
    /// The message that it never finished.
    pub unfinished: Option<Unfinished>,
    /// Whether all that it sent is in the capture: what was not seen was not sent.
    pub is_whole: bool,
    /// Some of what it sent is missing from the capture.
    pub is_blind: bool,
    /// Whether the end of its TCP stream was seen: no more of it can come.
    pub is_over: bool,
}

/// A ping that has no answer yet, and how it went with those before (RFC 6455 §5.5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// When it was complete.
    pub since: Time,
    /// Number of the packet that completed it, from 1; 0 when there are no packets.
    pub packet: u64,
    /// How many pongs had answered pings of the same endpoint before.
    pub answered: u64,
    /// Nanoseconds that the slowest of these took.
    pub slowest: i64,
    /// Nanoseconds from the ping before it.
    pub interval: Option<i64>,
}

/// A Close frame that ended a connection (RFC 6455 §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClosePart {
    /// Its code; `None` for an empty body, which stands for 1005 (RFC 6455 §7.1.5).
    pub code: Option<CloseCode>,
    /// The reason as far as it is UTF-8; empty where there is none. Untrusted.
    pub reason: String,
    /// The number of the frame within its connection.
    pub n: u64,
    /// When it was complete.
    pub time: Option<Time>,
    /// Number of the packet that completed it, from 1; 0 when there are no packets.
    pub packet: u64,
}

/// A message that is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Fragments that are complete.
    pub fragments: u64,
    /// Payload bytes of it that have come.
    pub bytes: u64,
    /// Of the frame that was under way, the payload bytes that had come and those that its header
    /// declares; `None` between two frames.
    pub frame: Option<(u64, u64)>,
}

impl Unfinished {
    /// Payload bytes that it has as far as it is known: what the header under way declares, and what came
    /// before that.
    pub fn length(&self) -> u64 {
        let before = |arrived| self.bytes.saturating_sub(arrived);
        self.frame.map_or(self.bytes, |(arrived, declared)| before(arrived).saturating_add(declared))
    }
}
