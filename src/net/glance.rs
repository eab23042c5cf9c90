//! One packet by itself: between whom it goes, without following anything.

use std::net::{IpAddr, SocketAddr};

use etherparse::ip_number;

use super::Packet;
use super::tcp::{self, Flags};
use super::tunnel::{self, Inside};

/// What one packet is by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance<'a> {
    /// A TCP segment.
    Segment {
        /// Who sent it.
        from: SocketAddr,
        /// Whom it is for.
        to: SocketAddr,
        /// It opens a connection: SYN without ACK.
        opens: bool,
        /// What it carries, as far as it was captured.
        data: &'a [u8],
    },
    /// A part of a datagram, whose ports may stand in another part.
    Fragment {
        /// Who sent it.
        from: IpAddr,
        /// Whom it is for.
        to: IpAddr,
    },
}

/// Looks at one packet, the innermost where it came through tunnels; `None` for what is no TCP.
pub fn glance<'a>(packet: &Packet<'a>) -> Option<Glance<'a>> {
    let Inside::Datagram(datagram) = tunnel::inside(packet) else { return None };
    let (from, to) = datagram.addresses.ips();
    if datagram.fragment.is_some() {
        return Some(Glance::Fragment { from, to });
    }
    if datagram.protocol != ip_number::TCP {
        return None;
    }
    let segment = tcp::segment(&datagram, packet.number, packet.time)?;
    let [from_port, to_port] = [segment.ports >> 16, segment.ports & 0xFFFF].map(|port| port as u16);
    let opens = segment.flags.any(Flags::SYN) && !segment.flags.any(Flags::ACK);
    let start = segment.at.byte as usize;
    let data = packet.data.get(start..start + segment.data.len())?;
    Some(Glance::Segment {
        from: SocketAddr::new(from, from_port),
        to: SocketAddr::new(to, to_port),
        opens,
        data,
    })
}
