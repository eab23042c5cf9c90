//! What TCP itself says of a connection: who ended it, what was sent again, who did not read, how long the
//! way is.
//!
//! Everything is as the packets of the capture say it, at the place where they were captured: what was lost
//! before it came there is seen only by what followed, and a round trip is that of the part of the way that
//! lies beyond.

use std::time::Duration;

use super::stream::{At, Side};
use super::time::Time;

/// What TCP says of a connection, once it is over or the capture ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpFacts {
    /// By [`Side`] as long as it is not known who is the client; by [`Dir`](super::Dir), the client first,
    /// in an [`Ending`](super::Ending).
    pub sides: [TcpSide; 2],
}

/// What one endpoint did, as far as its TCP and that of its peer say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpSide {
    /// Its last packet of any kind, and when that was captured; `None` where none was.
    pub heard: Option<(u64, Time)>,
    /// When its last new payload was captured.
    pub spoke: Option<Time>,
    /// Bytes of its stream, each counted once, captured or not.
    pub bytes: u64,
    /// Its SYN was captured (RFC 9293 §3.5).
    pub syn: bool,
    /// Its first FIN (RFC 9293 §3.6).
    pub fin: Option<At>,
    /// Bytes right before that FIN are not in the capture.
    pub fin_behind_hole: bool,
    /// Its first reset that its peer had to believe (RFC 9293 §3.5.2, RFC 5961 §3).
    pub reset: Option<At>,
    /// That reset acknowledged nothing: its host knew of no such connection (RFC 9293 §3.5.2).
    pub disowned: bool,
    /// Bytes it had sent that its peer had not acknowledged at the end: when the connection was reset, or
    /// when its last packet was captured.
    pub unacknowledged: u64,
    /// Bytes it sent beyond its own FIN, which nobody may do (RFC 9293 §3.6).
    pub after_own_fin: u64,
    /// New bytes it sent after its peer's FIN was seen. That is allowed (RFC 9293 §3.6), but a peer that has
    /// closed its socket answers with a reset (RFC 9293 §3.6.1).
    pub after_peers_fin: u64,
    /// Segments with data that it sent a fifth of a second and more after its peer's
    /// [reset](Self::reset), new or sent again: it does not know of that (RFC 9293 §3.5.3).
    pub after_peers_reset: u32,
    /// The last of these.
    pub last_after_reset: Option<At>,
    /// How long acknowledgements took.
    pub round_trip: RoundTrip,
    /// What it sent again.
    pub resent: Resent,
    /// The longest time in which it did so, and nothing came from the peer.
    pub in_vain: Option<Box<InVain>>,
    /// Segments whose bytes came after later ones, too soon to have been sent again.
    pub out_of_order: u32,
    /// Packets that are there twice, so close that the capture made two of one.
    pub copies: u32,
    /// Duplicate acknowledgements that it sent (RFC 5681 §2): something of its peer's is missing there.
    pub duplicate_acks: u32,
    /// When it had no room for more.
    pub zero_window: ZeroWindow,
    /// How it asked whether its peer is still there.
    pub keep_alive: KeepAlive,
}

/// How long its peer's acknowledgements took to come, from the packet of which they are.
///
/// One segment at a time is measured, never one that was sent again (RFC 6298 §3). A receiver may wait for
/// up to half a second before it acknowledges (RFC 9293 §3.8.6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrip {
    /// That of its SYN.
    pub handshake: Option<Duration>,
    /// The least.
    pub least: Option<Duration>,
    /// What it was of late: each new one weighs an eighth (RFC 6298 §2).
    pub smoothed: Option<Duration>,
    /// How many were measured.
    pub samples: u32,
}

/// What was sent again: retransmissions (RFC 6298 §5, RFC 5681 §3.2).
///
/// Segments that are missing only in the capture, or were lost on the way to it, count where they come
/// after later ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resent {
    /// Segments, among them SYNs and FINs.
    pub segments: u32,
    /// Bytes of their data that had been sent before.
    pub bytes: u64,
    /// The first of them.
    pub first: Option<At>,
    /// The last ones of them, after which nothing came from the peer.
    pub unanswered: u32,
    /// The first of these.
    pub unanswered_from: Option<At>,
    /// The one that its peer waits for at the end.
    pub stuck: Stuck,
}

/// A time in which an endpoint sent again and again, and nothing came from its peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InVain {
    /// How often.
    pub times: u32,
    /// The first time.
    pub from: Option<At>,
    /// From the first to the last.
    pub lasted: Duration,
}

/// A segment that was sent again and again, and never acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stuck {
    /// Bytes of its data.
    pub bytes: u64,
    /// How often it was sent again.
    pub times: u32,
    /// The first time.
    pub since: Option<At>,
    /// Bytes of the longest piece behind it that has arrived, as its receiver says in selective
    /// acknowledgements (RFC 2018 §3); 0 where it says of none.
    pub arrived: u32,
}

/// When an endpoint advertised a window of nothing (RFC 9293 §3.8.6): its application does not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZeroWindow {
    /// How often.
    pub times: u32,
    /// The first time.
    pub first: Option<At>,
    /// For how long at a time, at most; until the last packet if it was so at the end.
    pub longest: Duration,
    /// For how long in all.
    pub total: Duration,
    /// Its window never opened again.
    pub at_end: bool,
    /// How often its peer asked whether it has opened, having something to send (RFC 9293 §3.8.6.1).
    pub probes: u32,
}

/// Keep-alive probes that an endpoint's TCP sent (RFC 9293 §3.8.4), which no application sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// How many.
    pub sent: u32,
    /// Of how many, or how many rows of them, its peer was heard afterwards.
    pub answered: u32,
    /// The last ones, after which nothing came from the peer.
    pub unanswered: u32,
    /// The first of these.
    pub unanswered_from: Option<At>,
}

impl TcpSide {
    /// Which part of the bytes that it sent were sent again, from 0 to 1.
    pub fn resent_share(&self) -> f64 {
        let again = self.resent.bytes;
        if again == 0 { 0.0 } else { again as f64 / (again + self.bytes) as f64 }
    }
}

impl TcpFacts {
    /// Puts the client first, where that is known.
    pub fn set_client(&mut self, client: Side) {
        if client == Side::B {
            self.sides.reverse();
        }
    }

    /// The least that the way there and back was measured to take: beyond the place of the capture on either
    /// side.
    pub fn least_round_trip(&self) -> Option<Duration> {
        let [a, b] = &self.sides;
        Some(a.round_trip.least? + b.round_trip.least?)
    }

    /// From the client's SYN to its acknowledgement of the server's (what Wireshark calls iRTT): the whole
    /// way there and back, wherever the packets were captured.
    pub fn initial_round_trip(&self) -> Option<Duration> {
        let [a, b] = &self.sides;
        Some(a.round_trip.handshake? + b.round_trip.handshake?)
    }
}
