//! The same Ethernet frames in VLANs and tunnels, for tests that what is decoded does not
//! depend on what carried the packets.

use etherparse::{PacketBuilder, ether_type, ip_number};

/// What a frame is put into. Numbers are the network's: VLAN, VNI, key, label, session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    /// IEEE 802.1Q.
    Vlan(u16),
    /// IEEE 802.1ad: the provider's tag before the customer's.
    QinQ(u16, u16),
    /// PPP over Ethernet (RFC 2516).
    Pppoe,
    /// Two MPLS labels before the IP packet (RFC 3032).
    Mpls(u32),
    /// An Ethernet pseudowire over MPLS (RFC 4448), with a control word or without.
    Pseudowire {
        /// The MPLS label, 20 bits.
        label: u32,
        /// With a control word.
        control: bool,
    },
    /// IP in IPv4: protocol 4 or 41 (RFC 2003, RFC 4213).
    Ip,
    /// GRE around the IP packet, with a key where there is one (RFC 2784, RFC 2890).
    Gre(Option<u32>),
    /// GRE around the frame, its key a subnet: NVGRE (RFC 7637).
    Nvgre(u32),
    /// PPP in GRE, as PPTP has it (RFC 2637).
    Pptp,
    /// A mirrored frame of a session; type 1 (which has no number), 2 or 3.
    Erspan(u8, u16),
    /// RFC 7348.
    Vxlan(u32),
    /// VXLAN whose header says that an IP packet follows.
    VxlanGpe(u32),
    /// RFC 8926, with four bytes of options.
    Geneve(u32),
    /// 3GPP TS 29.281, with an extension header.
    Gtp(u32),
    /// RFC 7510.
    MplsInUdp(u32),
    /// RFC 3378.
    EtherIp,
}

impl Wrap {
    /// One of each kind, in network `n`.
    pub fn all(n: u16) -> Vec<Self> {
        let wide = u32::from(n);
        vec![
            Self::Vlan(n),
            Self::QinQ(n, 7),
            Self::Pppoe,
            Self::Mpls(wide),
            Self::Pseudowire { label: wide, control: true },
            Self::Pseudowire { label: wide, control: false },
            Self::Ip,
            Self::Gre(None),
            Self::Gre(Some(wide)),
            Self::Nvgre(wide),
            Self::Pptp,
            Self::Erspan(1, 0),
            Self::Erspan(2, n),
            Self::Erspan(3, n),
            Self::Vxlan(wide),
            Self::VxlanGpe(wide),
            Self::Geneve(wide),
            Self::Gtp(wide),
            Self::MplsInUdp(wide),
            Self::EtherIp,
        ]
    }
}

/// Puts an untagged Ethernet frame that carries IP into something else, again an Ethernet frame.
/// The ends of a tunnel are the same for both directions.
///
/// # Panics
/// When the frame has no Ethernet header, or is too long to be put into another packet.
pub fn wrap(frame: &[u8], wrap: Wrap) -> Vec<u8> {
    let (macs, kind, ip) = (&frame[..12], &frame[12..14], &frame[14..]);
    let protocol = if kind == [0x08, 0x00] { ip_number::IPV4 } else { ip_number::IPV6 };
    let ppp: &[u8] = if kind == [0x08, 0x00] { &[0x00, 0x21] } else { &[0x00, 0x57] };
    let tagged = |tags: &[&[u8]]| [&[macs][..], tags, &[kind, ip]].concat().concat();
    let vlan = |kind: u16, id: u16| [kind.to_be_bytes(), id.to_be_bytes()].concat();
    let length = |n: usize| (n as u16).to_be_bytes();
    match wrap {
        Wrap::Vlan(id) => tagged(&[&vlan(ether_type::VLAN_TAGGED_FRAME.0, id)]),
        Wrap::QinQ(outer, inner) => tagged(&[
            &vlan(ether_type::PROVIDER_BRIDGING.0, outer),
            &vlan(ether_type::VLAN_TAGGED_FRAME.0, inner),
        ]),
        Wrap::Pppoe => [macs, &[0x88, 0x64, 0x11, 0, 0, 9], &length(ip.len() + 2), ppp, ip].concat(),
        Wrap::Mpls(label) => [macs, &[0x88, 0x47], &mpls(17, false), &mpls(label, true), ip].concat(),
        Wrap::Pseudowire { label, control } => {
            let word: &[u8] = if control { &[0; 4] } else { &[] };
            [macs, &[0x88, 0x47], &mpls(label, true), word, frame].concat()
        }
        Wrap::Ip => in_ip(protocol, ip),
        Wrap::Gre(None) => in_ip(ip_number::GRE, &[&[0, 0], kind, ip].concat()),
        Wrap::Gre(Some(key)) => in_ip(ip_number::GRE, &[&[0x20, 0], kind, &key.to_be_bytes(), ip].concat()),
        Wrap::Nvgre(subnet) => {
            in_ip(ip_number::GRE, &[&[0x20, 0, 0x65, 0x58], &three(subnet)[..], &[0], frame].concat())
        }
        Wrap::Pptp => {
            let payload = [&[0xFF, 0x03], ppp, ip].concat();
            let header =
                [&[0x30, 0x01, 0x88, 0x0B], &length(payload.len())[..], &[0, 5, 0, 0, 0, 1]].concat();
            in_ip(ip_number::GRE, &[header, payload].concat())
        }
        Wrap::Erspan(1, _) => in_ip(ip_number::GRE, &[&[0, 0, 0x88, 0xBE], frame].concat()),
        Wrap::Erspan(2, session) => {
            let header = [&[0x10, 0, 0x88, 0xBE, 0, 0, 0, 1, 0x10, 0][..], &session.to_be_bytes(), &[0; 4]];
            in_ip(ip_number::GRE, &[&header.concat(), frame].concat())
        }
        Wrap::Erspan(_, session) => {
            let header =
                [&[0x10, 0, 0x22, 0xEB, 0, 0, 0, 1, 0x20, 0][..], &session.to_be_bytes(), &[0; 7], &[1]];
            in_ip(ip_number::GRE, &[&header.concat()[..], &[0; 8], frame].concat())
        }
        Wrap::Vxlan(vni) => in_udp(4789, &[&[0x08, 0, 0, 0], &three(vni)[..], &[0], frame].concat()),
        Wrap::VxlanGpe(vni) => {
            let next = if protocol == ip_number::IPV4 { 1 } else { 2 };
            in_udp(4790, &[&[0x0C, 0, 0, next], &three(vni)[..], &[0], ip].concat())
        }
        Wrap::Geneve(vni) => {
            let options = [0, 1, 0x80, 0];
            in_udp(6081, &[&[0x01, 0, 0x65, 0x58], &three(vni)[..], &[0], &options, frame].concat())
        }
        Wrap::Gtp(teid) => {
            let (optional, extension) = ([0, 0, 0, 0x85], [1, 0x10, 9, 0]);
            let total = length(ip.len() + 8);
            let header = [&[0x34, 0xFF], &total[..], &teid.to_be_bytes(), &optional, &extension].concat();
            in_udp(2152, &[&header, ip].concat())
        }
        Wrap::MplsInUdp(label) => in_udp(6635, &[&mpls(label, true)[..], ip].concat()),
        Wrap::EtherIp => in_ip(ETHER_IP, &[&[0x30, 0], frame].concat()),
    }
}

const ETHER_IP: etherparse::IpNumber = etherparse::IpNumber(97);

/// A label with a time to live, which may be the last of its stack.
fn mpls(label: u32, last: bool) -> [u8; 4] {
    (label << 12 | u32::from(last) << 8 | 64).to_be_bytes()
}

/// The lower 24 bits.
fn three(number: u32) -> [u8; 3] {
    let [_, a, b, c] = number.to_be_bytes();
    [a, b, c]
}

fn outer() -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
    PacketBuilder::ethernet2([2, 0, 0, 0, 1, 1], [2, 0, 0, 0, 1, 2]).ipv4(
        [198, 51, 100, 1],
        [198, 51, 100, 2],
        64,
    )
}

fn in_ip(protocol: etherparse::IpNumber, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    outer().write(&mut packet, protocol, payload).expect("a segment of Ethernet fits into another packet");
    packet
}

fn in_udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    outer()
        .udp(53_000, port)
        .write(&mut packet, payload)
        .expect("a segment of Ethernet fits into another packet");
    packet
}
