//! Plain packets that come next of which more is to be looked at than the short way does: their segments are
//! made anew for that, so that those of all others are never written to memory.

use super::{Flow, FlowId, Kind, Packet, StreamSink, plain, tcp};

/// Verifies the checksum of one.
#[inline(never)]
pub(super) fn verify<S: StreamSink>(
    flow: &mut Flow,
    slot: u32,
    from: usize,
    (kind, ip): (Kind, usize),
    packet: &Packet<'_>,
    sink: &mut S,
) {
    if let Some(datagram) = &plain::of(kind, ip, packet.data)
        && let Some(segment) = &tcp::segment(datagram, packet.number, packet.time)
    {
        flow.verify(FlowId(slot), from, segment, sink);
    }
}

/// Notes one that acknowledges again what was acknowledged already.
#[cold]
#[inline(never)]
pub(super) fn note_repeated_ack(
    flow: &mut Flow,
    from: usize,
    (kind, ip): (Kind, usize),
    packet: &Packet<'_>,
) {
    if let Some(datagram) = &plain::of(kind, ip, packet.data)
        && let Some(segment) = &tcp::segment(datagram, packet.number, packet.time)
    {
        flow.note_repeated_ack(from, segment);
    }
}
