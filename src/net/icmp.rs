//! What ICMP says of connections that are not to be opened: destination unreachable.

use etherparse::ip_number;

use super::ip::{self, Datagram};
use super::key::Key;
use crate::model::{Unopened, Unreachable};

/// Bytes before the packet that a message is about (RFC 792, RFC 4443 §3.1).
const HEADER: usize = 8;

/// What a datagram of ICMP says of a TCP segment, and that segment's connection; `None` where it says
/// something else.
pub(super) fn unreachable(datagram: &Datagram<'_>) -> Option<(Key, Unopened)> {
    let [kind, code, ..] = *datagram.payload else { return None };
    let why = match (datagram.protocol, kind) {
        (ip_number::ICMP, 3) => v4(code)?,
        (ip_number::IPV6_ICMP, 1) => v6(code),
        _ => return None,
    };
    // As much of the segment as comes back has its ports (RFC 792: 64 bits of it).
    let inner = ip::datagram(datagram.payload.get(HEADER..)?, 0, datagram.network)?;
    if inner.protocol != ip_number::TCP || inner.fragment.is_some() {
        return None;
    }
    let ports = u32::from_be_bytes(*inner.payload.first_chunk()?);
    let (by, _) = datagram.addresses.ips();
    let (key, _) = Key::new(&inner.addresses, ports);
    Some((key, Unopened::Unreachable { by, why }))
}

fn v4(code: u8) -> Option<Unreachable> {
    Some(match code {
        0 | 6 | 11 => Unreachable::Network,
        1 | 7 | 8 | 12 => Unreachable::Host,
        3 => Unreachable::Port,
        // A longer packet would have to be cut: the host is there.
        4 => return None,
        9 | 10 | 13 => Unreachable::Prohibited,
        _ => Unreachable::Other,
    })
}

fn v6(code: u8) -> Unreachable {
    match code {
        0 => Unreachable::Network,
        1 | 5 | 6 => Unreachable::Prohibited,
        3 => Unreachable::Host,
        4 => Unreachable::Port,
        _ => Unreachable::Other,
    }
}
