//! Plain packets that come next of which more is to be looked at than the short way does: their segments are
//! made anew for that, so that those of all others are never written to memory.

use super::{Flow, FlowId, Kind, Packet, Segment, StreamSink, plain, tcp};

/// Verifies the checksum of one.
#[inline(never)]
pub(super) fn verify<S: StreamSink>(
    flow: &mut Flow,
    slot: u32,
    from: usize,
    plain: (Kind, usize),
    packet: &Packet<'_>,
    sink: &mut S,
) {
    with_segment(plain, packet, |segment| flow.verify(FlowId(slot), from, segment, sink));
}

/// Notes one that acknowledges again what was acknowledged already.
#[cold]
#[inline(never)]
pub(super) fn note_repeated_ack(flow: &mut Flow, from: usize, plain: (Kind, usize), packet: &Packet<'_>) {
    with_segment(plain, packet, |segment| flow.note_repeated_ack(from, segment));
}

/// Makes the segment of a packet, and has it looked at.
fn with_segment((kind, ip): (Kind, usize), packet: &Packet<'_>, look: impl FnOnce(&Segment<'_>)) {
    if let Some(datagram) = &plain::of(kind, ip, packet.data)
        && let Some(segment) = &tcp::segment(datagram, packet.number, packet.time)
    {
        look(segment);
    }
}
