//! Tunnels: IP packets inside IP packets.
//!
//! A tunnel is known by its IP protocol, or by its UDP port and a header that fits. What is
//! inside may be a tunnel again, up to [`limits::TUNNELS`].

use etherparse::{IpNumber, UdpHeaderSlice, ip_number};

use super::Packet;
use super::ip::{self, Addresses, Datagram};
use super::link::{self, Carried, Place, be16};
use super::network::Network;
use crate::limits;

/// IP protocols that carry packets (the numbers are IANA's).
const ETHER_IP: IpNumber = IpNumber(97);
const MPLS_IN_IP: IpNumber = IpNumber(137);

/// What MPLS is as an `EtherType`.
const MPLS: u16 = 0x8847;

/// What there is in a captured packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside<'a> {
    Datagram(Datagram<'a>),
    /// No IP, or so little of it that its header is not there.
    Other,
    /// The link type is not one of ours.
    Unsupported,
}

/// The IP datagram in a packet: the innermost one, where it came through tunnels.
pub(super) fn inside<'a>(packet: &Packet<'a>) -> Inside<'a> {
    let place = match link::carried(packet.link, packet.data) {
        Carried::Ip(byte, network) => (byte, network),
        Carried::Other => return Inside::Other,
        Carried::Unsupported => return Inside::Unsupported,
    };
    match ip::datagram(packet.data, place.0, place.1) {
        Some(datagram) if datagram.protocol == ip_number::TCP || datagram.fragment.is_some() => {
            Inside::Datagram(datagram)
        }
        Some(datagram) => Inside::Datagram(innermost(packet.data, datagram)),
        None => Inside::Other,
    }
}

/// Steps into a datagram as long as it is a tunnel; `data` is what its bytes are counted in. A
/// fragment is not stepped into: the rest of what it carries stands elsewhere.
pub(super) fn innermost<'a>(data: &'a [u8], outermost: Datagram<'a>) -> Datagram<'a> {
    let mut datagram = outermost;
    for _ in 0..limits::TUNNELS {
        if datagram.protocol == ip_number::TCP || datagram.fragment.is_some() {
            break;
        }
        let end = datagram.byte as usize + datagram.payload.len();
        let inner = carried(data, &datagram)
            .and_then(|(byte, network)| ip::datagram(data.get(..end)?, byte, network))
            // What is longer than what carries it is no packet that was sent.
            .filter(|inner| inner.missing <= datagram.missing);
        let Some(inner) = inner else { break };
        datagram = inner;
    }
    datagram
}

/// Where in `data` the IP packet stands that a datagram carries, if it is a tunnel.
fn carried(data: &[u8], datagram: &Datagram<'_>) -> Option<Place> {
    let at = datagram.byte as usize;
    let network = datagram.network.within(ends(&datagram.addresses)).within(datagram.protocol.0.into());
    match datagram.protocol {
        ip_number::IPV4 | ip_number::IPV6 => Some((at, network)),
        ip_number::GRE => gre(data, at, network),
        ip_number::UDP => udp(data, datagram, network),
        MPLS_IN_IP => link::ether_type_at(data, MPLS, at, network),
        // Version 3, and nothing else in the header (RFC 3378 §3).
        ETHER_IP if be16(data, at)? == 0x3000 => link::ethernet(data, at + 2, network),
        _ => None,
    }
}

/// Both ends of a tunnel, the same from either of them.
fn ends(addresses: &Addresses) -> u32 {
    let fold = |bytes: &[u8]| {
        bytes
            .chunks_exact(4)
            .fold(0, |sum, four| sum ^ u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
    };
    match addresses {
        Addresses::V4(from, to) => fold(from) ^ fold(to),
        Addresses::V6(from, to) => fold(from) ^ fold(to),
    }
}

/// Generic Routing Encapsulation (RFC 2784 §2, RFC 2890 §2): IP, Ethernet, NVGRE (RFC 7637 §3.2), mirrored
/// frames (ERSPAN), and in version 1 PPP (PPTP, RFC 2637 §4.1).
fn gre(data: &[u8], at: usize, network: Network) -> Option<Place> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGEMENT: u16 = 0x0080;
    let (flags, kind) = (be16(data, at)?, be16(data, at + 2)?);
    let has = |flag: u16| flags & flag != 0;
    let field = |flag| if has(flag) { 4 } else { 0 };
    let key = at + 4 + field(CHECKSUM);
    let inner = key + field(KEY) + field(SEQUENCE);
    match (flags & 7, kind) {
        _ if has(ROUTING) => None,
        // The key is the length and the number of the call, which differs between the directions.
        (1, 0x880B) => link::ppp(data, inner + field(ACKNOWLEDGEMENT)).map(|at| (at, network)),
        (0, _) => {
            let network = network.within(kind.into());
            let network = if has(KEY) { network.within(be32(data, key)?) } else { network };
            match kind {
                0x88BE if has(SEQUENCE) => mirrored(data, inner, 8, 1, network),
                0x6558 | 0x88BE => link::ethernet(data, inner, network),
                0x22EB => {
                    // A header of eight more bytes may follow, as the last bit says.
                    let more = if data.get(inner + 11)? & 1 == 1 { 8 } else { 0 };
                    mirrored(data, inner, 12 + more, 2, network)
                }
                _ => link::ether_type_at(data, kind, inner, network),
            }
        }
        _ => None,
    }
}

/// ERSPAN: a frame that a switch mirrored, behind a header of `length` bytes in this version.
fn mirrored(data: &[u8], at: usize, length: usize, version: u16, network: Network) -> Option<Place> {
    (be16(data, at)? >> 12 == version).then_some(())?;
    link::ethernet(data, at + length, network.within(u32::from(be16(data, at + 2)? & 0x03FF)))
}

/// Tunnels in UDP, known by the port they are sent to.
fn udp(data: &[u8], datagram: &Datagram<'_>, network: Network) -> Option<Place> {
    let header = UdpHeaderSlice::from_slice(datagram.payload).ok()?;
    let at = datagram.byte as usize + header.slice().len();
    // The same number in another kind of tunnel is another network.
    let network = network.within(header.destination_port().into());
    match header.destination_port() {
        // The second one is what Linux took before there was a number.
        4789 | 8472 => vxlan(data, at, network),
        4790 => vxlan_gpe(data, at, network),
        6081 => geneve(data, at, network),
        2152 => gtp(data, at, network),
        6635 => link::ether_type_at(data, MPLS, at, network),
        _ => None,
    }
}

/// VXLAN: Ethernet behind eight bytes (RFC 7348 §5). The bit that says that there is a network
/// must be set, those of RFC 7348 that are reserved may be used by a group policy.
fn vxlan(data: &[u8], at: usize, network: Network) -> Option<Place> {
    let flags = be16(data, at)?;
    (flags & 0x0800 != 0 && flags & 0x7700 == 0).then_some(())?;
    link::ethernet(data, at + 8, network.within(be32(data, at + 4)? >> 8))
}

/// VXLAN whose header says what follows (draft-ietf-nvo3-vxlan-gpe §3).
fn vxlan_gpe(data: &[u8], at: usize, network: Network) -> Option<Place> {
    let flags = data.get(at)?;
    (flags & 0x0C == 0x0C && flags & 0x30 == 0).then_some(())?;
    let network = network.within(be32(data, at + 4)? >> 8);
    match data.get(at + 3)? {
        1 | 2 => Some((at + 8, network)),
        3 => link::ethernet(data, at + 8, network),
        5 => link::ether_type_at(data, MPLS, at + 8, network),
        _ => None,
    }
}

/// Geneve: options, then what an `EtherType` names (RFC 8926 §3.4).
fn geneve(data: &[u8], at: usize, network: Network) -> Option<Place> {
    let (first, kind) = (data.get(at)?, be16(data, at + 2)?);
    (first >> 6 == 0).then_some(())?;
    let inner = at + 8 + 4 * usize::from(first & 0x3F);
    let network = network.within(be32(data, at + 4)? >> 8);
    match kind {
        0x6558 => link::ethernet(data, inner, network),
        _ => link::ether_type_at(data, kind, inner, network),
    }
}

/// GTP-U, the user's packets in mobile networks (3GPP TS 29.281 §5). Its endpoint identifiers are
/// those of one direction; the tunnel's ends have to do.
fn gtp(data: &[u8], at: usize, network: Network) -> Option<Place> {
    const G_PDU: u8 = 255;
    let (flags, kind) = (*data.get(at)?, *data.get(at + 1)?);
    // Version 1, and GTP rather than the charging protocol.
    (flags & 0xF0 == 0x30 && kind == G_PDU).then_some(())?;
    let mut inner = at + 8;
    if flags & 7 != 0 {
        inner += 4;
        let mut extension = if flags & 4 == 0 { 0 } else { *data.get(inner - 1)? };
        for _ in 0..limits::TUNNELS {
            if extension == 0 {
                break;
            }
            let length = 4 * usize::from(*data.get(inner)?);
            (length > 0).then_some(())?;
            inner += length;
            extension = *data.get(inner - 1)?;
        }
        (extension == 0).then_some(())?;
    }
    Some((inner, network))
}

fn be32(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().map(|&bytes| u32::from_be_bytes(bytes))
}
