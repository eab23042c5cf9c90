//! What goes on below HTTP and WebSocket: captured packets, and the two byte streams of a connection.

use std::net::IpAddr;

use super::http2;
use super::time::Time;
use super::wire::Dir;

/// A captured packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its number in the capture, from 1, growing, as Wireshark counts.
    pub number: u64,
    /// When it was captured. Where a file does not say (simple packet blocks of
    /// pcapng), the time of the packet before it, 0 at the start.
    pub time: Time,
    /// Link type of its interface: the LINKTYPE_ number of <https://www.tcpdump.org/linktypes.html>.
    pub link: u32,
    /// The bytes that were captured, from the link layer's header on.
    pub data: &'a [u8],
    /// Bytes it had on the wire, at least as many as were captured.
    pub wire_len: u32,
}

/// Where in the capture some stream bytes came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// Number of the packet, from 1; 0 when there are no packets (hex, raw bytes).
    pub packet: u64,
    /// Offset of the first of the bytes in the captured packet.
    pub byte: u32,
    /// When the packet was captured.
    pub time: Option<Time>,
}

/// Names a connection while it is open. Small, and used again afterwards: an index into a slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u32);

/// One of the two endpoints of a connection, before it is known which is the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that opened the connection; where that was not captured, the one
    /// that sent the first packet.
    A,
    /// The other one.
    B,
}

impl Side {
    /// That of an endpoint whose role is known, where the client opened the connection.
    pub fn of(dir: Dir) -> Self {
        match dir {
            Dir::Client => Self::A,
            Dir::Server => Self::B,
        }
    }

    /// The other endpoint.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// 0 for A, 1 for B: an index into a pair.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// How a direction of the byte stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// Its sender has no more to say (RFC 9293 §3.6).
    Fin,
    /// Its sender aborted the connection (RFC 9293 §3.5.2).
    Rst,
    /// The same as a FIN on a stream of HTTP/2: `END_STREAM` (RFC 8441 §5).
    EndStream,
    /// The same as a reset: `RST_STREAM` with this code, 255 for those that have no number below.
    Reset(u8),
    /// Within TLS its sender has no more to say: `close_notify` (RFC 8446 §6.1). TCP is ended by whoever is
    /// quicker then.
    Notify,
    /// The bytes that were given end here: pasted hex, a file of raw bytes.
    Input,
    /// The capture ends, and the stream may go on.
    Capture,
}

impl StreamEnd {
    /// Its sender has said all that it had to say.
    pub fn is_orderly(self) -> bool {
        matches!(self, Self::Fin | Self::EndStream | Self::Notify)
    }

    /// Its sender has thrown away what was on its way.
    pub fn is_reset(self) -> bool {
        matches!(self, Self::Rst | Self::Reset(_))
    }

    /// Its sender has ended it, one way or the other; it is not only that no more is known.
    pub fn is_final(self) -> bool {
        self.is_orderly() || self.is_reset()
    }

    /// It is a stream of HTTP/2 that was ended, and not TCP.
    pub fn is_of_http2(self) -> bool {
        matches!(self, Self::EndStream | Self::Reset(_))
    }

    /// The flag of TCP that ends a stream so: `RST` for what was aborted, `FIN` for all else; or that of
    /// HTTP/2, or its frame with the name of its code (RFC 9113 §7).
    pub fn flag(self) -> &'static str {
        match self {
            Self::Rst => "RST",
            Self::Fin | Self::Input | Self::Capture => "FIN",
            Self::EndStream => "END_STREAM",
            Self::Notify => "close_notify",
            Self::Reset(code) => http2::reset_shown(code),
        }
    }
}

/// Why TCP never opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// RST answered its SYN: nothing listens there (RFC 9293 §3.10.7.1).
    Reset,
    /// Nothing answered.
    Silence {
        /// How often the SYN was sent.
        syns: u32,
        /// Nanoseconds from the first to the last of them.
        waited: u64,
    },
    /// An ICMP message said that it does not come there.
    Unreachable {
        /// Who said so.
        by: IpAddr,
        /// Why.
        why: Unreachable,
    },
}

/// What cannot be reached, or why not (RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// There is no route.
    Network,
    /// Its neighbours do not find it.
    Host,
    /// Nothing listens at the port, or a firewall says so.
    Port,
    /// A firewall does not allow it.
    Prohibited,
    /// Something else, or it is not said.
    Other,
}

impl Unreachable {
    /// As it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network unreachable",
            Self::Host => "host unreachable",
            Self::Port => "port unreachable",
            Self::Prohibited => "administratively prohibited",
            Self::Other => "destination unreachable",
        }
    }
}

/// Whether a decoder still wants to be told what a connection carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Everything.
    Follow,
    /// Nothing but that it is over: it has nothing to do with WebSocket.
    Ignore,
    /// Nothing, and nothing of any other connection either: the sink has had enough.
    Stop,
}
