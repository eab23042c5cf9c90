//! The short way for what nearly all captures are of: Ethernet or nothing, then IPv4 without options or IPv6
//! without extension headers, then TCP, all of it captured.
//!
//! Everything else (tags, tunnels, fragments, what was cut) goes the long way, by `tunnel`, `link` and
//! `ip`, which says the same of these packets, too.

use etherparse::ip_number;

use super::Packet;
use super::ip::{Addresses, Datagram};
use super::network::Network;
use super::tcp;

const ETHERNET: u32 = 1;
/// IP without a link layer.
const RAW: u32 = 101;
/// Bytes of an Ethernet header, and of the IP headers.
const LINK: usize = 14;
const V4: usize = 20;
const V6: usize = 40;

/// IPv4 on Ethernet.
pub(super) const USUAL: (Kind, usize) = (Kind::V4, LINK);

/// What a packet may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    V4,
    V6,
}

/// Whether a packet is of what is most frequent by far, IPv4 on Ethernet: [`kind`] gives [`USUAL`] of it.
#[allow(clippy::inline_always)] // or what it says is first made, then looked at
#[inline(always)]
pub(super) fn is_usual(packet: &Packet<'_>) -> bool {
    let word = packet.data.get(LINK - 2..).and_then(<[u8]>::first_chunk);
    packet.link == ETHERNET && word.is_some_and(|word| u32::from_be_bytes(*word) >> 8 == 0x08_0045)
}

/// What a packet is, and where its IP header begins, if it is plain.
#[inline]
pub(super) fn kind(packet: &Packet<'_>) -> Option<(Kind, usize)> {
    match packet.link {
        // The type, and the first two bytes of the IP header, in one word.
        ETHERNET => match u32::from_be_bytes(*packet.data.get(LINK - 2..)?.first_chunk()?) {
            0x0800_4500..=0x0800_45FF => Some((Kind::V4, LINK)),
            0x86DD_6000..=0x86DD_6FFF => Some((Kind::V6, LINK)),
            _ => None,
        },
        RAW => match packet.data.first()? {
            0x45 => Some((Kind::V4, 0)),
            0x60..=0x6F => Some((Kind::V6, 0)),
            _ => None,
        },
        _ => None,
    }
}

/// The TCP segment in a plain packet; `None` for any other.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(super) fn datagram<'a>(packet: &Packet<'a>) -> Option<Datagram<'a>> {
    let (kind, ip) = kind(packet)?;
    of(kind, ip, packet.data)
}

/// The same of a packet of this kind, whose IP header begins at byte `ip`. Where the kind is known when this
/// is compiled, what is not looked at is not made.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(super) fn of(kind: Kind, ip: usize, data: &[u8]) -> Option<Datagram<'_>> {
    match kind {
        Kind::V4 => ipv4(ip, data),
        Kind::V6 => ipv6(ip, data),
    }
}

/// Whether the checksum of a plain packet's segment, of so many bytes, is right: the segment stands right
/// behind the addresses, so that all of it is added up in one go.
#[inline]
pub(super) fn is_right(kind: Kind, ip: usize, data: &[u8], length: usize) -> bool {
    let (start, addresses) = match kind {
        Kind::V4 => (V4 - 8, 8),
        Kind::V6 => (V6 - 32, 32),
    };
    data.get(ip + start..)
        .and_then(|it| it.get(..addresses + length))
        .is_some_and(|both| tcp::is_right(both, addresses))
}

#[allow(clippy::inline_always)] // or it is built in memory, and copied
#[inline(always)]
fn ipv4(ip: usize, data: &[u8]) -> Option<Datagram<'_>> {
    let header: &[u8; V4] = data.get(ip..)?.first_chunk()?;
    // The protocol, and neither "more fragments" nor an offset (RFC 791 §3.1), in one word.
    if u32::from_be_bytes(*header[6..].first_chunk()?) & 0x3FFF_00FF != u32::from(ip_number::TCP.0) {
        return None;
    }
    let total = usize::from(u16::from_be_bytes(*header[2..].first_chunk()?));
    let (source, destination) = (*header[12..].first_chunk()?, *header[16..].first_chunk()?);
    segment(data, ip, ip + V4, ip + total, Addresses::V4(source, destination))
}

#[allow(clippy::inline_always)]
#[inline(always)]
fn ipv6(ip: usize, data: &[u8]) -> Option<Datagram<'_>> {
    let header: &[u8; V6] = data.get(ip..)?.first_chunk()?;
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    // A length of 0 is that of a jumbogram, or not filled in yet.
    if header[6] != ip_number::TCP.0 || length == 0 {
        return None;
    }
    let (source, destination) = (*header[8..].first_chunk()?, *header[24..].first_chunk()?);
    segment(data, ip, ip + V6, ip + V6 + length, Addresses::V6(source, destination))
}

/// What stands at `start..end`, unless some of it was cut off.
#[allow(clippy::inline_always)]
#[inline(always)]
fn segment(data: &[u8], ip: usize, start: usize, end: usize, addresses: Addresses) -> Option<Datagram<'_>> {
    Some(Datagram {
        network: Network::PLAIN,
        header: ip as u32,
        addresses,
        protocol: ip_number::TCP,
        payload: data.get(start..end)?,
        byte: start as u32,
        missing: 0,
        fragment: None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Time;
    use crate::net::tunnel::{self, Inside};

    fn packet(link: u32, data: &[u8]) -> Packet<'_> {
        Packet { number: 1, time: Time(0), link, data, wire_len: data.len() as u32 }
    }

    fn built(v6: bool, payload: &[u8]) -> Vec<u8> {
        let ethernet = etherparse::PacketBuilder::ethernet2([2; 6], [3; 6]);
        let mut bytes = Vec::new();
        if v6 {
            let ip = ethernet.ipv6([0xFD; 16], [0xFE; 16], 64);
            ip.tcp(1000, 80, 77, 4096).ack(9).write(&mut bytes, payload).unwrap();
        } else {
            let ip = ethernet.ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
            ip.tcp(1000, 80, 77, 4096).ack(9).write(&mut bytes, payload).unwrap();
        }
        bytes
    }

    /// Whether the packet went the short way, which has to say what the long one says.
    fn same(link: u32, data: &[u8]) -> bool {
        let packet = packet(link, data);
        assert_eq!(is_usual(&packet), kind(&packet) == Some(USUAL));
        let Some(short) = datagram(&packet) else { return false };
        assert_eq!(Inside::Datagram(short), tunnel::inside(&packet), "{data:02X?}");
        true
    }

    #[test]
    fn whichever_byte_is_another_both_ways_say_the_same() {
        for v6 in [false, true] {
            let right = built(v6, b"Hello");
            assert!(same(1, &right) && same(101, &right[LINK..]) && !same(113, &right[LINK..]));
            // Neither is the other.
            assert!(!same(101, &right) && !same(1, &right[LINK..]));
            // Padding behind the packet is none of it; what is cut off has to be told.
            assert!(same(1, &[&right[..], &[0; 9]].concat()));
            let mut short = 0;
            for at in 0..right.len() {
                for value in 0..=255 {
                    let mut other = right.clone();
                    other[at] = value;
                    short += usize::from(same(1, &other));
                    if at >= LINK {
                        assert_eq!(same(101, &other[LINK..]), same(1, &other));
                    }
                }
                assert!(!same(1, &right[..at]));
            }
            // MAC and IP addresses and the payload may be anything, versions and lengths may not.
            let length = right.len();
            assert!(short > (length - 20) * 256 && short < (length - 5) * 256, "{short} of {length}");
        }
    }

    proptest! {
        #[test]
        fn any_packet_is_the_same_either_way(
            v6 in any::<bool>(),
            payload in prop::collection::vec(any::<u8>(), 0..40),
            changes in prop::collection::vec((0..64_usize, any::<u8>()), 0..4),
            cut in 0..100_usize,
        ) {
            let mut data = built(v6, &payload);
            for (at, value) in changes {
                let at = at % data.len();
                data[at] = value;
            }
            same(1, &data);
            same(101, &data[LINK..]);
            data.truncate(cut);
            same(1, &data);
            same(101, data.get(LINK..).unwrap_or_default());
        }
    }
}
