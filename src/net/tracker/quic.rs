//! Datagrams of UDP with which a client of QUIC begins.

use std::net::SocketAddr;

use crate::net::StreamSink;
use crate::net::ip::Datagram;

/// Bytes in front of what UDP carries (RFC 768).
const HEADER: usize = 8;

/// Bytes of the shortest datagram with an Initial packet (RFC 9000 §14.1).
const LEAST: usize = 1200;

/// Hands on what begins as an Initial packet does: a long header, a fixed bit that is set and a version that
/// is known (RFC 9000 §17.2, RFC 9369 §3.1).
#[inline]
pub(super) fn see<S: StreamSink>(datagram: &Datagram<'_>, sink: &mut S) {
    let payload = datagram.payload;
    if payload.len() < HEADER + LEAST || datagram.missing > 0 {
        return;
    }
    let &[from_high, from_low, to_high, to_low, _, _, _, _, first, a, b, c, d, ..] = payload else { return };
    if first & 0xC0 != 0xC0 || !matches!([a, b, c, d], [0, 0, 0, 1] | [0x6B, 0x33, 0x43, 0xCF]) {
        return;
    }
    let (from, to) = datagram.addresses.ips();
    let ports = [[from_high, from_low], [to_high, to_low]].map(u16::from_be_bytes);
    let ends = [SocketAddr::new(from, ports[0]), SocketAddr::new(to, ports[1])];
    sink.quic(ends, &payload[HEADER..]);
}
