//! Link layers: where the IP packet begins.

use std::borrow::Cow;

use etherparse::ether_type;

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
    /// An IP packet, from this byte on.
    Ip(usize),
    /// Something else, or not enough of anything.
    Other,
    /// The link type is not one of ours.
    Unsupported,
}

/// Finds the IP packet in a frame of link type `link`.
#[inline]
pub(super) fn carried(link: u32, data: &[u8]) -> Carried {
    let at = match link {
        1 => by_ether_type(data, 12),
        113 => by_ether_type(data, 14),
        276 => match be16(data, 0) {
            Some(kind) => ether_type_at(data, kind, 20),
            None => None,
        },
        0 | 108 => address_family(data),
        12 | 14 | 101 | 228 | 229 => Some(0),
        9 => ppp(data, 0),
        _ => return Carried::Unsupported,
    };
    at.map_or(Carried::Other, Carried::Ip)
}

/// Whether packets of this link type can be read.
pub fn is_supported(link: u32) -> bool {
    carried(link, &[]) != Carried::Unsupported
}

/// The `EtherType` stands at `at`, what it names after it.
fn by_ether_type(data: &[u8], at: usize) -> Option<usize> {
    ether_type_at(data, be16(data, at)?, at + 2)
}

/// What follows at `at` is named by `kind`; 802.1Q, 802.1ad and the older double tags are stepped over.
fn ether_type_at(data: &[u8], kind: u16, at: usize) -> Option<usize> {
    let (mut kind, mut at) = (etherparse::EtherType(kind), at);
    for _ in 0..VLAN_TAGS {
        match kind {
            ether_type::IPV4 | ether_type::IPV6 => return Some(at),
            ether_type::VLAN_TAGGED_FRAME
            | ether_type::PROVIDER_BRIDGING
            | ether_type::VLAN_DOUBLE_TAGGED_FRAME => {
                kind = etherparse::EtherType(be16(data, at + 2)?);
                at += 4;
            }
            etherparse::EtherType(PPPOE_SESSION) => return ppp(data, at + 6),
            etherparse::EtherType(MPLS | MPLS_UPSTREAM) => return mpls(data, at),
            _ => return None,
        }
    }
    None
}

/// A stack of MPLS labels, the last of which has a bit set (RFC 3032 §2.1). Nothing names what
/// follows; an IP packet shows itself by its version, anything else is not ours.
fn mpls(data: &[u8], at: usize) -> Option<usize> {
    let mut labels = data.get(at..)?.chunks_exact(4).take(VLAN_TAGS);
    let last = labels.position(|label| label[2] & 1 == 1)?;
    let at = at + 4 * (last + 1);
    matches!(data.get(at)? >> 4, 4 | 6).then_some(at)
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
fn ppp(data: &[u8], at: usize) -> Option<usize> {
    let at = if data.get(at..at + 2)? == [0xFF, 0x03] { at + 2 } else { at };
    match be16(data, at)? {
        0x0021 | 0x0057 => Some(at + 2),
        _ => None,
    }
}

fn be16(data: &[u8], at: usize) -> Option<u16> {
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
        let table: [(u32, Vec<u8>, Carried); 24] = [
            (1, ethernet(&[0x08, 0x00, 0x45]), Carried::Ip(14)),
            (1, ethernet(&[0x86, 0xDD]), Carried::Ip(14)),
            (1, ethernet(&[0x08, 0x06]), Carried::Other),
            (1, ethernet(&[0x81, 0x00, 0, 5, 0x08, 0x00]), Carried::Ip(18)),
            (1, ethernet(&[0x88, 0xA8, 0, 5, 0x81, 0x00, 0, 6, 0x86, 0xDD]), Carried::Ip(22)),
            (1, ethernet(&[0x91, 0x00, 0, 5, 0x81, 0x00, 0, 6, 0x08, 0x00]), Carried::Ip(22)),
            (1, ethernet(&[0x81, 0x00, 0, 5, 0x08]), Carried::Other),
            (1, ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0x00, 0x21]), Carried::Ip(22)),
            (1, ethernet(&[0x88, 0x47, 0, 1, 0x01, 64, 0x45]), Carried::Ip(18)),
            (1, ethernet(&[0x88, 0x47, 0, 1, 0x00, 64, 0, 2, 0x01, 64, 0x60]), Carried::Ip(22)),
            (1, ethernet(&[0x88, 0x48, 0, 1, 0x01, 64, 0x00, 0x00]), Carried::Other),
            (1, ethernet(&[0x88, 0x47, 0, 1, 0x00, 64, 0x45]), Carried::Other),
            (1, vec![1, 2, 3], Carried::Other),
            (113, [&[0; 14][..], &[0x08, 0x00]].concat(), Carried::Ip(16)),
            (113, [&[0; 14][..], &[0x81, 0x00, 0, 5, 0x08, 0x00]].concat(), Carried::Ip(20)),
            (276, [&[0x86, 0xDD][..], &[0; 18]].concat(), Carried::Ip(20)),
            (0, vec![2, 0, 0, 0], Carried::Ip(4)),
            (0, vec![0, 0, 0, 30], Carried::Ip(4)),
            (108, vec![0, 0, 0, 24], Carried::Ip(4)),
            (0, vec![7, 0, 0, 0], Carried::Other),
            (101, vec![], Carried::Ip(0)),
            (9, vec![0xFF, 0x03, 0x00, 0x57], Carried::Ip(4)),
            (9, vec![0x00, 0x21], Carried::Ip(2)),
            (105, vec![0; 64], Carried::Unsupported),
        ];
        for (link, data, expected) in table {
            assert_eq!(carried(link, &data), expected, "{link} {data:02X?}");
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
