//! Packets to TCP streams.
//!
//! ```text
//! Packet ─► link ─► ip ─► (fragments) ─► tcp ─► table ─► flow ─► deliver ─► StreamSink
//!           where    addresses            segment  which   two      in order,
//!           IP is    ▲    │                        flow    halves   exactly once
//!                    └ tunnel: IP inside IP
//! ```
//!
//! [`Tracker`] takes captured packets in any order and tells a [`StreamSink`]
//! what the endpoints of each connection sent: every byte in order and exactly
//! once, holes with their length, how each direction ended.
//!
//! # What is promised
//!
//! - Bytes of one direction come in sequence order. Where segments overlap, the
//!   bytes that came first win; bytes that differ are [`TCP_OVERLAP_CONFLICT`].
//! - Between the directions, an answer never comes before what it acknowledges,
//!   unless that stays missing ([`limits::HOLD_PACKETS`], [`limits::HOLD_TIME`]).
//! - A hole is waited for as long as it may still be filled: until its receiver
//!   has acknowledged it and [`limits::REORDER_PACKETS`] more packets of the flow
//!   were seen, until a cap is reached, or until the flow is over.
//! - A flow is heard of only when it has something to say (data, a gap, an end): port
//!   scans and bare handshakes are never opened; of those that are refused only that is told.
//! - A reset may overtake what was sent before it: [`StreamSink::end`] tells it at once,
//!   [`StreamSink::close`] follows some packets later ([`limits::LINGER_TIME`]).
//! - TCP checksums of the first segments of each direction are verified
//!   ([`limits::CHECKSUMS`]); segments with wrong ones are used all the same.
//! - Every buffer is bounded by a cap in [`limits`].
//!
//! - Connections between the same addresses and ports in several VLANs or tunnels are told
//!   apart by their sequence numbers; one connection that was captured in several of them, or each
//!   direction in another, is one flow.
//!
//! Not followed: urgent data as something apart from the stream (RFC 6093 asks for the
//! same), window scaling.

mod anomaly;
#[cfg(test)]
mod conversations;
mod deliver;
mod facts;
mod flow;
mod fragments;
mod glance;
mod half;
mod icmp;
mod ip;
mod key;
mod link;
mod measure;
mod network;
mod plain;
mod pulse;
mod reassembly;
mod table;
mod tcp;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tracker;
mod tunnel;
mod waiting;

use std::net::SocketAddr;

#[cfg(doc)]
use crate::limits;
use crate::model::{
    At, Cite, Finding, FlowId, Interest, Packet, Receipt, Side, StreamEnd, TcpFacts, Time, Unopened, rules,
};

pub use glance::{Glance, glance};
pub use link::{is_supported, link_name};
pub use measure::{Measured, measure};
pub use tracker::{Counts, Tracker};

/// A flow that has something to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The address of [`Side::A`].
    pub a: SocketAddr,
    /// The address of [`Side::B`].
    pub b: SocketAddr,
    /// Whether who opened the connection is known: a SYN or its answer was captured.
    pub syn_seen: bool,
    /// The SYN of both endpoints was captured: nothing that either sent first can be missing unnoticed.
    pub both_heard: bool,
    /// The first packet of the flow.
    pub packet: u64,
    /// When it was captured.
    pub time: Time,
}

/// Why a flow is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Both directions ended with FIN.
    Closed,
    /// One endpoint reset it.
    Reset,
    /// A new connection began between the same addresses and ports.
    Reused,
    /// It made room: the longest idle of [`limits::FLOWS`].
    Evicted,
    /// The capture ended first.
    CaptureEnd,
}

/// Takes what the endpoints sent.
///
/// Where it answers [`Interest::Ignore`], it only hears [`close`](Self::close) of the flow, of which
/// nothing is kept.
///
/// For each flow: [`open`](Self::open) first and [`close`](Self::close) last,
/// for each direction at most one [`end`](Self::end), after all its data.
pub trait StreamSink {
    /// A flow has something to say. Both directions start at offset 0.
    fn open(&mut self, flow: FlowId, opened: &Opened);

    /// The next bytes of a direction, never empty. `at` says which packet
    /// carried them and where in it the first one stands.
    fn data(&mut self, flow: FlowId, from: Side, bytes: &[u8], at: At) -> Interest;

    /// The next `length` bytes of a direction are not in the capture. `between`
    /// are the packets on both sides of the hole, where there are any.
    fn gap(&mut self, flow: FlowId, from: Side, length: u64, between: (Option<u64>, Option<u64>))
    -> Interest;

    /// What comes next was sent in knowledge of bytes of `from` that have not been delivered, and may never
    /// be.
    fn behind(&mut self, _flow: FlowId, _from: Side) {}

    /// Whether what comes next of `from` had been received a while before it was captured: its time says
    /// nothing of when it was sent.
    fn late(&mut self, _flow: FlowId, _from: Side, _is_late: bool) {}

    /// A direction has ended; `receipt` says what had been acknowledged by then.
    fn end(&mut self, flow: FlowId, from: Side, how: StreamEnd, receipt: Receipt, at: At) -> Interest;

    /// All that TCP itself says of a flow, by [`Side`]; just before its [`close`](Self::close).
    fn transport(&mut self, _flow: FlowId, _facts: Box<TcpFacts>) {}

    /// The flow is over; its id may now name another one. `last` is when its last packet was captured.
    fn close(&mut self, flow: FlowId, why: CloseReason, last: Time);

    /// A client's SYN came to nothing at this address and port. Such a flow is never opened. `at` is its
    /// last packet.
    fn unopened(&mut self, _server: SocketAddr, _why: Unopened, _at: At) {}

    /// A datagram of UDP from one address to another that may be the first of a client of QUIC.
    fn quic(&mut self, _ends: [SocketAddr; 2], _datagram: &[u8]) {}

    /// A rule was broken by a packet that `from` sent. The finding's spans point
    /// into the packet.
    fn anomaly(&mut self, flow: FlowId, from: Side, finding: Finding, at: At);
}

rules! {
    /// Every rule of this layer.
    RULES;
    /// Bytes of a stream are missing. Reported through [`StreamSink::gap`]; whoever
    /// knows what they belonged to makes the finding.
    TCP_GAP = "tcp-gap", Warning, Cite { doc: "RFC 9293", section: "3.4" }, Capture,
        "TCP bytes are missing from the capture",
        "the endpoints did not notice: the capture dropped or never saw the packets, and what they \
         carried cannot be shown";
    /// The same sequence numbers were sent with different bytes.
    TCP_OVERLAP_CONFLICT = "tcp-overlap-conflict", Warning,
        Cite { doc: "RFC 9293", section: "3.10.7.4" }, Either,
        "a TCP segment repeats sequence numbers with different bytes",
        "which bytes the receiver took depends on its TCP; the ones captured first are used here";
    /// The checksum is wrong, and hardware that fills it in later does not explain it.
    BAD_TCP_CHECKSUM = "bad-tcp-checksum", Warning, Cite { doc: "RFC 9293", section: "3.1" }, Either,
        "the TCP checksum is wrong",
        "a receiver drops the segment and waits for it to be sent again; its bytes are used here \
         all the same";
    /// The capture kept only the beginning of a packet.
    PACKET_TRUNCATED = "packet-truncated", Warning, Cite { doc: "RFC 9293", section: "3.4" }, Capture,
        "the capture cut packets short",
        "the endpoints did not notice; capture with a larger snap length to see all of it",
        usually "a snap length (-s) that is smaller than the packets",
        mend "capture whole packets: tcpdump -s 0, dumpcap without -s";
}
