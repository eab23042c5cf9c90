//! IP headers: from and to whom, and what is inside.

use std::net::IpAddr;

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, ip_number,
};

use super::network::Network;

/// Extension headers of one packet that are walked through; RFC 8200 §4.1 lets each occur about once.
const EXTENSIONS: usize = 12;

/// Source and destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Addresses {
    V4([u8; 4], [u8; 4]),
    V6([u8; 16], [u8; 16]),
}

impl Addresses {
    /// Source and destination.
    pub fn ips(self) -> (IpAddr, IpAddr) {
        match self {
            Self::V4(from, to) => (from.into(), to.into()),
            Self::V6(from, to) => (from.into(), to.into()),
        }
    }
}

/// The inside of an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Datagram<'a> {
    /// What it came through.
    pub network: Network,
    /// Where its own header stands in the packet.
    pub header: u32,
    pub addresses: Addresses,
    pub protocol: IpNumber,
    /// What was captured of the payload, without link layer padding.
    pub payload: &'a [u8],
    /// Where the payload stands in the packet.
    pub byte: u32,
    /// Bytes of the payload that the capture cut off.
    pub missing: u32,
    /// Set when the payload is only a part.
    pub fragment: Option<Fragment>,
}

/// Which part of a datagram a fragment is (RFC 791 §3.2, RFC 8200 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub identification: u32,
    /// Where its payload stands in the datagram's.
    pub offset: u32,
    /// It is not the last part.
    pub more: bool,
}

/// Reads the IP packet at `byte` of `packet`; `None` when it is none, or its header is cut.
#[inline]
pub(super) fn datagram(packet: &[u8], byte: usize, network: Network) -> Option<Datagram<'_>> {
    let data = packet.get(byte..)?;
    match data.first()? >> 4 {
        4 => ipv4(data, byte, network),
        6 => ipv6(data, byte, network),
        _ => None,
    }
}

#[inline]
fn ipv4(data: &[u8], byte: usize, network: Network) -> Option<Datagram<'_>> {
    let header = Ipv4HeaderSlice::from_slice(data).ok()?;
    let start = header.slice().len();
    // A total length of 0 is a segment that the hardware had still to cut up.
    let declared = match usize::from(header.total_len()) {
        0 => data.len(),
        total if total < start => return None,
        total => total,
    };
    let end = declared.min(data.len());
    Some(Datagram {
        network,
        header: byte as u32,
        addresses: Addresses::V4(header.source(), header.destination()),
        protocol: header.protocol(),
        payload: &data[start..end],
        byte: (byte + start) as u32,
        missing: (declared - end) as u32,
        fragment: header.is_fragmenting_payload().then(|| Fragment {
            identification: header.identification().into(),
            offset: u32::from(header.fragments_offset().value()) * 8,
            more: header.more_fragments(),
        }),
    })
}

fn ipv6(data: &[u8], byte: usize, network: Network) -> Option<Datagram<'_>> {
    let header = Ipv6HeaderSlice::from_slice(data).ok()?;
    let start = header.slice().len();
    // 0 for a jumbogram, and for a segment that the hardware had still to cut up.
    let declared = match usize::from(header.payload_length()) {
        0 => data.len(),
        length => start + length,
    };
    let end = declared.min(data.len());
    let mut datagram = Datagram {
        network,
        header: byte as u32,
        addresses: Addresses::V6(header.source(), header.destination()),
        protocol: header.next_header(),
        payload: &data[start..end],
        byte: (byte + start) as u32,
        missing: (declared - end) as u32,
        fragment: None,
    };
    extensions(&mut datagram)?;
    Some(datagram)
}

/// Steps over the extension headers in front of the upper layer (RFC 8200 §4.1),
/// up to a fragment header that really fragments: what follows that one may
/// begin in another packet.
pub(super) fn extensions(datagram: &mut Datagram<'_>) -> Option<()> {
    for _ in 0..EXTENSIONS {
        let payload = datagram.payload;
        let (length, next) = match datagram.protocol {
            ip_number::IPV6_HEADER_HOP_BY_HOP
            | ip_number::IPV6_ROUTE_HEADER
            | ip_number::IPV6_DESTINATION_OPTIONS => {
                let header = Ipv6RawExtHeaderSlice::from_slice(payload).ok()?;
                (header.slice().len(), header.next_header())
            }
            ip_number::AUTHENTICATION_HEADER => {
                let header = IpAuthHeaderSlice::from_slice(payload).ok()?;
                (header.slice().len(), header.next_header())
            }
            ip_number::IPV6_FRAGMENTATION_HEADER => {
                let header = Ipv6FragmentHeaderSlice::from_slice(payload).ok()?;
                if header.is_fragmenting_payload() {
                    datagram.fragment = Some(Fragment {
                        identification: header.identification(),
                        offset: u32::from(header.fragment_offset().value()) * 8,
                        more: header.more_fragments(),
                    });
                }
                (header.slice().len(), header.next_header())
            }
            _ => return Some(()),
        };
        datagram.protocol = next;
        datagram.payload = &payload[length..];
        datagram.byte += length as u32;
        if datagram.fragment.is_some() {
            return Some(());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 header without options to 10.0.0.2: `total` length, flags and offset.
    fn v4(total: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let [t0, t1] = total.to_be_bytes();
        let [f0, f1] = flags.to_be_bytes();
        [&[0x45, 0, t0, t1, 0xAB, 0xCD, f0, f1, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], payload].concat()
    }

    fn v6(length: u16, next: u8, payload: &[u8]) -> Vec<u8> {
        let [l0, l1] = length.to_be_bytes();
        [&[0x60, 0, 0, 0, l0, l1, next, 64][..], &[0xFE; 16], &[0xFD; 16], payload].concat()
    }

    #[test]
    fn lengths_come_from_the_header_where_it_has_one() {
        // packet, payload length and missing bytes
        let table = [
            (v4(24, 0, &[1, 2, 3, 4]), Some((4, 0))),
            (v4(22, 0, &[1, 2, 3, 4]), Some((2, 0))),
            (v4(0, 0, &[1, 2, 3, 4]), Some((4, 0))),
            (v4(1020, 0, &[1, 2, 3, 4]), Some((4, 996))),
            (v4(19, 0, &[1, 2, 3, 4]), None),
            (v6(4, 6, &[1, 2, 3, 4]), Some((4, 0))),
            (v6(0, 6, &[1, 2, 3, 4]), Some((4, 0))),
            (v6(2, 6, &[1, 2, 3, 4]), Some((2, 0))),
        ];
        for (packet, expected) in table {
            let seen = datagram(&packet, 0, Network::PLAIN).map(|d| (d.payload.len(), d.missing));
            assert_eq!(seen, expected, "{packet:02X?}");
        }
    }

    #[test]
    fn ipv4_options_are_stepped_over() {
        let mut packet = v4(28, 0, &[1, 1, 1, 0, 0xAA, 0xBB, 0xCC, 0xDD]);
        packet[0] = 0x46;
        let datagram = datagram(&packet, 0, Network::PLAIN).unwrap();
        assert_eq!((datagram.payload, datagram.byte), (&[0xAA, 0xBB, 0xCC, 0xDD][..], 24));
    }

    #[test]
    fn fragments_are_told_apart() {
        let fragment = |flags| datagram(&v4(24, flags, &[0; 4]), 0, Network::PLAIN).unwrap().fragment;
        assert_eq!(fragment(0x4000), None);
        assert_eq!(fragment(0x2000), Some(Fragment { identification: 0xABCD, offset: 0, more: true }));
        assert_eq!(fragment(0x0003), Some(Fragment { identification: 0xABCD, offset: 24, more: false }));
    }

    #[test]
    fn ipv6_extension_headers_are_stepped_over() {
        let hop = [43, 0, 1, 4, 0, 0, 0, 0];
        let route = [60, 0, 0, 0, 0, 0, 0, 0];
        let options = [51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let auth = [44, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
        let atomic = [6, 0, 0, 0, 0, 0, 0, 9];
        let packet = v6(0, 0, &[&hop[..], &route, &options, &auth, &atomic, &[0xEE; 3]].concat());
        let whole = datagram(&packet, 0, Network::PLAIN).unwrap();
        assert_eq!((whole.protocol, whole.payload, whole.byte), (ip_number::TCP, &[0xEE; 3][..], 92));
        assert_eq!(whole.fragment, None);

        let part = [6, 0, 0, 0x11, 0, 0, 0, 9, 0xEE];
        let packet = v6(0, 44, &part);
        let fragment = datagram(&packet, 0, Network::PLAIN).unwrap();
        assert_eq!(fragment.fragment, Some(Fragment { identification: 9, offset: 16, more: true }));
    }

    #[test]
    fn every_prefix_is_harmless() {
        let packet = v6(0, 0, &[43, 0, 1, 4, 0, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0x11, 0, 0, 0, 9]);
        for end in 0..packet.len() {
            let _ = datagram(&packet[..end], 0, Network::PLAIN);
        }
        assert_eq!(datagram(&packet, packet.len() + 9, Network::PLAIN), None);
    }
}
