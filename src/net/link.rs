//! Link layers: where the IP packet begins.

use std::borrow::Cow;

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice, ether_type};

use super::network::Network;

/// PPP over Ethernet, session stage (RFC 2516 §4).
const PPPOE_SESSION: u16 = 0x8864;
/// MPLS, unicast and with the label assigned upstream (RFC 3032 §5, RFC 5332 §3).
const MPLS: u16 = 0x8847;
const MPLS_UPSTREAM: u16 = 0x8848;
/// Tags or labels of one frame that are walked through; more is no Ethernet that exists.
const VLAN_TAGS: usize = 8;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carried {
    /// An IP packet, from this byte on, in this virtual network.
    Ip(usize, Network),
    /// Something else, or not enough of anything.
    Other,
    /// The link type is not one of ours.
    Unsupported,
}

/// Finds the IP packet in a frame of link type `link`.
#[inline]
pub(super) fn carried(link: u32, data: &[u8]) -> Carried {
    let plain = |at: usize| (at, Network::PLAIN);
    let found = match link {
        1 => ethernet(data, 0, Network::PLAIN),
        113 => by_ether_type(data, 14, Network::PLAIN),
        276 => match be16(data, 0) {
            Some(kind) => ether_type_at(data, kind, 20, Network::PLAIN),
            None => None,
        },
        0 | 108 => address_family(data).map(plain),
        12 | 14 | 101 | 228 | 229 => Some(plain(0)),
        9 => ppp(data, 0).map(plain),
        _ => return Carried::Unsupported,
    };
    found.map_or(Carried::Other, |(at, network)| Carried::Ip(at, network))
}

/// Whether packets of this link type can be read.
pub fn is_supported(link: u32) -> bool {
    carried(link, &[]) != Carried::Unsupported
}

/// Where an IP packet begins, and in which virtual network.
pub(super) type Place = (usize, Network);

/// The IP packet in the Ethernet frame at `at`, which came in `network`.
#[inline]
pub(super) fn ethernet(data: &[u8], at: usize, network: Network) -> Option<Place> {
    by_ether_type(data, at + 12, network)
}

/// The `EtherType` stands at `at`, what it names after it.
#[inline]
fn by_ether_type(data: &[u8], at: usize, network: Network) -> Option<Place> {
    ether_type_at(data, be16(data, at)?, at + 2, network)
}

/// What follows at `at` is named by `kind`; 802.1Q, 802.1ad and the older double tags, PPP sessions,
/// MPLS labels and Ethernet behind these are stepped over.
pub(super) fn ether_type_at(data: &[u8], kind: u16, at: usize, network: Network) -> Option<Place> {
    let (mut kind, mut at, mut network) = (etherparse::EtherType(kind), at, network);
    for _ in 0..VLAN_TAGS {
        match kind {
            ether_type::IPV4 | ether_type::IPV6 => return Some((at, network)),
            ether_type::VLAN_TAGGED_FRAME
            | ether_type::PROVIDER_BRIDGING
            | ether_type::VLAN_DOUBLE_TAGGED_FRAME => {
                network = network.within(u32::from(be16(data, at)? & 0x0FFF));
                kind = etherparse::EtherType(be16(data, at + 2)?);
                at += 4;
            }
            etherparse::EtherType(PPPOE_SESSION) => return ppp(data, at + 6).map(|at| (at, network)),
            etherparse::EtherType(MPLS | MPLS_UPSTREAM) => match labelled(data, at)? {
                Labelled::Ip(at) => return Some((at, network)),
                Labelled::Ethernet(frame) => {
                    kind = etherparse::EtherType(be16(data, frame + 12)?);
                    at = frame + 14;
                }
            },
            _ => return None,
        }
    }
    None
}

/// What a stack of MPLS labels seems to carry, and where.
enum Labelled {
    Ip(usize),
    Ethernet(usize),
}

/// A stack of MPLS labels, the last of which has a bit set (RFC 3032 §2.1). Nothing names what
/// follows. An IP packet shows itself by its version, the control word of a pseudowire by being
/// none (RFC 4385 §3); else it may be Ethernet without one (RFC 4448 §4.4), if its type is known.
fn labelled(data: &[u8], at: usize) -> Option<Labelled> {
    let mut labels = data.get(at..)?.chunks_exact(4).take(VLAN_TAGS);
    let last = labels.position(|label| label[2] & 1 == 1)?;
    let at = at + 4 * (last + 1);
    match data.get(at)? >> 4 {
        // A frame to an address that begins with this digit looks like a packet of this version.
        4 | 6 if !is_ethernet(data, at) || is_sound(&data[at..]) => Some(Labelled::Ip(at)),
        0 if is_ethernet(data, at + 4) => Some(Labelled::Ethernet(at + 4)),
        _ if is_ethernet(data, at) => Some(Labelled::Ethernet(at)),
        _ => None,
    }
}

/// Whether an Ethernet frame that carries IP, or tags before it, may begin at `at`.
fn is_ethernet(data: &[u8], at: usize) -> bool {
    let Some(kind) = be16(data, at + 12) else { return false };
    match etherparse::EtherType(kind) {
        ether_type::IPV4 => is_ip(data, at + 14, 4),
        ether_type::IPV6 => is_ip(data, at + 14, 6),
        ether_type::VLAN_TAGGED_FRAME
        | ether_type::PROVIDER_BRIDGING
        | ether_type::VLAN_DOUBLE_TAGGED_FRAME => true,
        _ => false,
    }
}

/// Whether an IP packet of this version may begin at `at`.
fn is_ip(data: &[u8], at: usize, version: u8) -> bool {
    match (data.get(at), version) {
        (Some(0x45..=0x4F), 4) => be16(data, at + 2).is_some_and(|length| length == 0 || length >= 20),
        (Some(first), 6) => first >> 4 == 6,
        _ => false,
    }
}

/// Whether an IP header is right in itself: its checksum, or its length where it has none.
fn is_sound(packet: &[u8]) -> bool {
    match Ipv4HeaderSlice::from_slice(packet) {
        Ok(header) => header.header_checksum() == header.to_header().calc_header_checksum(),
        Err(_) => Ipv6HeaderSlice::from_slice(packet)
            .is_ok_and(|header| usize::from(header.payload_length()) + header.slice().len() <= packet.len()),
    }
}

/// BSD loopback: four bytes of address family, in the byte order of the host
/// that captured (NULL) or big-endian (LOOP). Either order is taken for both;
/// the numbers are below 256, so that one cannot be mistaken for the other.
fn address_family(data: &[u8]) -> Option<usize> {
    let ([family, 0, 0, 0] | [0, 0, 0, family]) = *data.first_chunk::<4>()? else { return None };
    // AF_INET; AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, Darwin.
    matches!(family, 2 | 10 | 23 | 24 | 28 | 30).then_some(4)
}

/// PPP, with or without the address and control bytes of HDLC framing (RFC 1662 §3.2).
pub(super) fn ppp(data: &[u8], at: usize) -> Option<usize> {
    let at = if data.get(at..at + 2)? == [0xFF, 0x03] { at + 2 } else { at };
    match be16(data, at)? {
        0x0021 | 0x0057 => Some(at + 2),
        _ => None,
    }
}

pub(super) fn be16(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().map(|&bytes| u16::from_be_bytes(bytes))
}

/// The name of a link type, as the registry of the capture formats has it
/// without its `LINKTYPE_`; those without a name here by their number.
pub fn link_name(link: u32) -> Cow<'static, str> {
    Cow::Borrowed(match link {
        0 => "NULL",
        1 => "ETHERNET",
        3 => "AX25",
        6 => "IEEE802_5",
        8 => "SLIP",
        9 => "PPP",
        10 => "FDDI",
        12 | 14 | 101 => "RAW",
        50 => "PPP_HDLC",
        51 => "PPP_ETHER",
        100 => "ATM_RFC1483",
        104 => "C_HDLC",
        105 => "IEEE802_11",
        107 => "FRELAY",
        108 => "LOOP",
        113 => "LINUX_SLL",
        114 => "LTALK",
        117 => "PFLOG",
        119 => "IEEE802_11_PRISM",
        122 => "IP_OVER_FC",
        123 => "SUNATM",
        127 => "IEEE802_11_RADIOTAP",
        138 => "APPLE_IP_OVER_IEEE1394",
        147..=162 => return Cow::Owned(format!("USER{}", link - 147)),
        163 => "IEEE802_11_AVS",
        166 => "PPP_PPPD",
        187 => "BLUETOOTH_HCI_H4",
        189 => "USB_LINUX",
        192 => "PPI",
        195 => "IEEE802_15_4_WITHFCS",
        201 => "BLUETOOTH_HCI_H4_WITH_PHDR",
        204 => "PPP_WITH_DIR",
        220 => "USB_LINUX_MMAPPED",
        226 => "IPNET",
        227 => "CAN_SOCKETCAN",
        228 => "IPV4",
        229 => "IPV6",
        230 => "IEEE802_15_4_NOFCS",
        231 => "DBUS",
        239 => "NFLOG",
        242 => "IPOIB",
        247 => "INFINIBAND",
        249 => "USBPCAP",
        251 => "BLUETOOTH_LE_LL",
        253 => "NETLINK",
        254 => "BLUETOOTH_LINUX_MONITOR",
        256 => "BLUETOOTH_LE_LL_WITH_PHDR",
        258 => "PKTAP",
        266 => "USB_DARWIN",
        272 => "NORDIC_BLE",
        276 => "LINUX_SLL2",
        _ => return Cow::Owned(link.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ip_packet_is_found_behind_each_link_layer() {
        const MACS: [u8; 12] = [2; 12];
        let ethernet = |rest: &[u8]| [&MACS[..], rest].concat();
        let frame = |first| [&[first][..], &[2; 11], &[8, 0, 0x45, 0, 0, 20]].concat();
        let table: [(u32, Vec<u8>, Result<usize, Carried>); 29] = [
            (1, ethernet(&[0x08, 0x00, 0x45]), Ok(14)),
            (1, ethernet(&[0x86, 0xDD]), Ok(14)),
            (1, ethernet(&[0x08, 0x06]), Err(Carried::Other)),
            (1, ethernet(&[0x81, 0x00, 0, 5, 0x08, 0x00]), Ok(18)),
            (1, ethernet(&[0x88, 0xA8, 0, 5, 0x81, 0x00, 0, 6, 0x86, 0xDD]), Ok(22)),
            (1, ethernet(&[0x91, 0x00, 0, 5, 0x81, 0x00, 0, 6, 0x08, 0x00]), Ok(22)),
            (1, ethernet(&[0x81, 0x00, 0, 5, 0x08]), Err(Carried::Other)),
            (1, ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0x00, 0x21]), Ok(22)),
            (1, ethernet(&[0x88, 0x47, 0, 1, 0x01, 64, 0x45]), Ok(18)),
            (1, ethernet(&[0x88, 0x47, 0, 1, 0x00, 64, 0, 2, 0x01, 64, 0x60]), Ok(22)),
            (1, ethernet(&[0x88, 0x48, 0, 1, 0x01, 64, 0x00, 0x00]), Err(Carried::Other)),
            (1, ethernet(&[&[0x88, 0x47, 0, 1, 0x01, 64, 0, 0, 0, 0][..], &frame(2)].concat()), Ok(36)),
            (1, ethernet(&[&[0x88, 0x47, 0, 1, 0x01, 64][..], &frame(2)].concat()), Ok(32)),
            // Without a control word, to an address that begins like a packet.
            (1, ethernet(&[&[0x88, 0x47, 0, 1, 0x01, 64][..], &frame(0x45)].concat()), Ok(32)),
            (1, ethernet(&[&[0x88, 0x47, 0, 1, 0x01, 64][..], &frame(0x60)].concat()), Ok(32)),
            (1, ethernet(&[0x88, 0x47, 0, 1, 0x01, 64, 0, 0, 0, 0, 8, 6]), Err(Carried::Other)),
            (1, ethernet(&[0x88, 0x47, 0, 1, 0x00, 64, 0x45]), Err(Carried::Other)),
            (1, vec![1, 2, 3], Err(Carried::Other)),
            (113, [&[0; 14][..], &[0x08, 0x00]].concat(), Ok(16)),
            (113, [&[0; 14][..], &[0x81, 0x00, 0, 5, 0x08, 0x00]].concat(), Ok(20)),
            (276, [&[0x86, 0xDD][..], &[0; 18]].concat(), Ok(20)),
            (0, vec![2, 0, 0, 0], Ok(4)),
            (0, vec![0, 0, 0, 30], Ok(4)),
            (108, vec![0, 0, 0, 24], Ok(4)),
            (0, vec![7, 0, 0, 0], Err(Carried::Other)),
            (101, vec![], Ok(0)),
            (9, vec![0xFF, 0x03, 0x00, 0x57], Ok(4)),
            (9, vec![0x00, 0x21], Ok(2)),
            (105, vec![0; 64], Err(Carried::Unsupported)),
        ];
        for (link, data, expected) in table {
            let found = match carried(link, &data) {
                Carried::Ip(at, _) => Ok(at),
                other => Err(other),
            };
            assert_eq!(found, expected, "{link} {data:02X?}");
        }
    }

    #[test]
    fn endless_tags_end() {
        assert_eq!(carried(1, &[0x81; 2000].map(|_| 0x81)), Carried::Other);
        assert_eq!(carried(1, &[[0x81, 0x00]; 500].concat()), Carried::Other);
    }

    #[test]
    fn link_types_have_names() {
        assert!(is_supported(276) && !is_supported(127));
        assert_eq!(link_name(127), "IEEE802_11_RADIOTAP");
        assert_eq!(link_name(149), "USER2");
        assert_eq!(link_name(9999), "9999");
    }
}
