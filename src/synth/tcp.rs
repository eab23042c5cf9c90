//! One TCP connection, written packet by packet as a capture would show it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use etherparse::{
    IpHeaders, Ipv4Extensions, Ipv4Header, Ipv6Extensions, Ipv6Header, PacketBuilder, TcpHeader,
    TcpOptionElement, ip_number,
};

use crate::model::{Dir, Time};

use super::Emit;

/// Nanoseconds from one packet to the next of the same sender.
const BACK_TO_BACK: u64 = 12_000;

/// Nanoseconds until the other endpoint answers.
const TURN_AROUND: u64 = 250_000;

/// Nanoseconds after which a segment is sent again.
const RETRANSMISSION: u64 = 200_000_000;

/// Largest segment: what fits an IPv4 packet with both headers.
pub const MSS_MAX: usize = 65_535 - 40;

/// The two endpoints and how they cut their streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The endpoint that opens the connection.
    pub client: SocketAddr,
    /// The other one; both IPv4 or both IPv6.
    pub server: SocketAddr,
    /// Payload bytes of a segment at most, 1 to [`MSS_MAX`].
    pub mss: usize,
    /// Whether the capture saw the connection being opened.
    pub syn: bool,
    /// Nanoseconds from the beginning of the conversation to that of the connection, which may be while
    /// others are open; `None`: when the one before is over.
    pub at: Option<u64>,
}

/// Addresses reserved for documentation (RFC 5737), and the segment size of Ethernet.
impl Default for Ends {
    fn default() -> Self {
        Self {
            client: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)), 49152),
            server: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 80)), 80),
            mss: 1460,
            syn: true,
            at: None,
        }
    }
}

/// What happens to bytes on their way into the capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Another segment size than the connection's.
    pub mss: Option<usize>,
    /// The bytes arrive, but the capture does not have them.
    pub lost: bool,
    /// Every segment is sent twice.
    pub twice: bool,
    /// Every segment is sent twice, the second time with other bytes.
    pub altered: bool,
    /// Every segment carries a wrong TCP checksum.
    pub bad_checksum: bool,
}

/// A connection under way.
#[derive(Debug)]
pub struct Tcp {
    ends: Ends,
    now: Time,
    /// Next sequence number of client and server.
    next: [u32; 2],
    /// Who has sent a FIN.
    fin: [bool; 2],
    reset: bool,
    last: Option<Dir>,
    /// What happens takes hardly any time.
    prompt: bool,
    packet: Vec<u8>,
}

impl Tcp {
    /// Opens a connection at `now`: SYN, SYN-ACK, ACK, unless [`Ends::syn`] is off.
    /// `isn` are the initial sequence numbers of client and server.
    pub fn open(ends: Ends, now: Time, isn: [u32; 2], emit: &mut Emit<'_>) -> Self {
        let mut tcp = Self {
            ends: Ends { mss: ends.mss.clamp(1, MSS_MAX), ..ends },
            now,
            next: isn,
            fin: [false; 2],
            reset: false,
            last: None,
            prompt: false,
            packet: Vec::new(),
        };
        if ends.syn {
            tcp.syn(Dir::Client, emit);
            tcp.syn(Dir::Server, emit);
            tcp.acknowledge(Dir::Client, emit);
        }
        tcp
    }

    /// When the last packet was seen, or the last wait was over.
    pub fn now(&self) -> Time {
        self.now
    }

    /// From here on packets come hardly later than what they carry was told of.
    #[must_use]
    pub fn prompt(mut self) -> Self {
        self.prompt = true;
        self
    }

    /// Lets time pass until then, if it has not yet.
    pub fn reach(&mut self, then: Time) {
        self.now = self.now.max(then);
    }

    /// Lets time pass.
    pub fn wait(&mut self, nanoseconds: u64) {
        self.now.0 = self.now.0.saturating_add(nanoseconds);
    }

    /// Sends `bytes` in segments; the other endpoint acknowledges every second
    /// one and the last (RFC 9293 §3.8.6.3).
    pub fn send(&mut self, from: Dir, bytes: &[u8], delivery: Delivery, emit: &mut Emit<'_>) {
        let mss = delivery.mss.unwrap_or(self.ends.mss).clamp(1, MSS_MAX);
        let count = bytes.len().div_ceil(mss);
        for (i, segment) in bytes.chunks(mss).enumerate() {
            let last = i + 1 == count;
            let mut header = self.header(from);
            header.psh = last;
            self.build(from, header, segment);
            if delivery.bad_checksum {
                self.spoil_checksum();
            }
            self.tick(from);
            if !delivery.lost {
                emit(self.now, &self.packet);
            }
            if delivery.twice {
                self.wait(RETRANSMISSION);
                emit(self.now, &self.packet);
            }
            if delivery.altered {
                self.wait(RETRANSMISSION);
                let other: Vec<u8> = segment.iter().map(|b| !b).collect();
                self.build(from, self.header(from), &other);
                emit(self.now, &self.packet);
            }
            self.advance(from, segment.len());
            if last || i % 2 == 1 {
                self.acknowledge(from.peer(), emit);
            }
        }
    }

    /// Ends one direction with a FIN, which the other endpoint acknowledges.
    /// A second FIN of the same sender is not sent.
    pub fn finish(&mut self, from: Dir, emit: &mut Emit<'_>) {
        if self.fin[from.index()] || self.reset {
            return;
        }
        let mut header = self.header(from);
        header.fin = true;
        self.packet(from, header, emit);
        self.advance(from, 1);
        self.fin[from.index()] = true;
        self.acknowledge(from.peer(), emit);
    }

    /// Ends both directions with a RST.
    pub fn reset(&mut self, from: Dir, emit: &mut Emit<'_>) {
        let mut header = self.header(from);
        header.rst = true;
        self.packet(from, header, emit);
        self.reset = true;
    }

    /// Ends what is still open, the server first.
    //= RFC 6455 §7.1.1
    //# SHOULD be closed first by the server
    pub fn close(&mut self, emit: &mut Emit<'_>) {
        self.finish(Dir::Server, emit);
        self.finish(Dir::Client, emit);
    }

    fn syn(&mut self, from: Dir, emit: &mut Emit<'_>) {
        let mut header = self.header(from);
        header.syn = true;
        if from == Dir::Client {
            (header.ack, header.acknowledgment_number) = (false, 0);
        }
        let mss = TcpOptionElement::MaximumSegmentSize(self.ends.mss as u16);
        header.set_options(&[mss]).expect("one option of four bytes fits");
        self.packet(from, header, emit);
        self.advance(from, 1);
    }

    fn acknowledge(&mut self, from: Dir, emit: &mut Emit<'_>) {
        let header = self.header(from);
        self.packet(from, header, emit);
    }

    fn packet(&mut self, from: Dir, header: TcpHeader, emit: &mut Emit<'_>) {
        self.build(from, header, &[]);
        self.tick(from);
        emit(self.now, &self.packet);
    }

    /// The next header of `from`: everything the other endpoint sent is acknowledged.
    fn header(&self, from: Dir) -> TcpHeader {
        let (source, destination) = self.addresses(from);
        let mut header = TcpHeader::new(source.port(), destination.port(), self.next[from.index()], u16::MAX);
        header.ack = true;
        header.acknowledgment_number = self.next[from.peer().index()];
        header
    }

    /// Puts headers and checksums before `payload`, into `self.packet`.
    fn build(&mut self, from: Dir, header: TcpHeader, payload: &[u8]) {
        let (source, destination) = self.addresses(from);
        let ip = match (source.ip(), destination.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                // The builder fills in lengths and checksums.
                let ip = Ipv4Header::new(0, 64, ip_number::TCP, source.octets(), destination.octets())
                    .expect("an empty payload fits");
                IpHeaders::Ipv4(ip, Ipv4Extensions::default())
            }
            (source, destination) => IpHeaders::Ipv6(
                Ipv6Header {
                    hop_limit: 64,
                    source: v6(source),
                    destination: v6(destination),
                    next_header: ip_number::TCP,
                    ..Default::default()
                },
                Ipv6Extensions::default(),
            ),
        };
        let mac = |dir: Dir| [2, 0, 0, 0, 0, 1 + dir.index() as u8];
        self.packet.clear();
        PacketBuilder::ethernet2(mac(from), mac(from.peer()))
            .ip(ip)
            .tcp_header(header)
            .write_to_vec(&mut self.packet, payload)
            .expect("a segment of at most MSS_MAX bytes fits an IP packet");
    }

    fn spoil_checksum(&mut self) {
        let ip = if self.ends.client.is_ipv4() { 20 } else { 40 };
        // Its place in the TCP header is octets 16 and 17 (RFC 9293 §3.1).
        self.packet[14 + ip + 16] ^= 0x55;
    }

    fn addresses(&self, from: Dir) -> (SocketAddr, SocketAddr) {
        match from {
            Dir::Client => (self.ends.client, self.ends.server),
            Dir::Server => (self.ends.server, self.ends.client),
        }
    }

    fn advance(&mut self, from: Dir, by: usize) {
        let next = &mut self.next[from.index()];
        *next = next.wrapping_add(by as u32);
    }

    fn tick(&mut self, from: Dir) {
        let answer = self.last.is_some_and(|last| last != from);
        // A microsecond is what a capture tells apart.
        self.wait(if self.prompt {
            1_000
        } else if answer {
            TURN_AROUND
        } else {
            BACK_TO_BACK
        });
        self.last = Some(from);
    }
}

/// An IPv6 address, an IPv4 one mapped into it, so that a mixed pair has a form too.
fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use etherparse::{NetHeaders, PacketHeaders, TransportHeader};

    use super::*;

    /// Runs `script` over a fresh connection and returns its packets.
    fn packets(ends: Ends, script: impl FnOnce(&mut Tcp, &mut Emit<'_>)) -> Vec<(Time, Vec<u8>)> {
        let mut packets = Vec::new();
        let mut emit = |time, packet: &[u8]| packets.push((time, packet.to_vec()));
        let mut tcp = Tcp::open(ends, Time(1_000), [100, u32::MAX - 50], &mut emit);
        script(&mut tcp, &mut emit);
        packets
    }

    fn tcp(packet: &[u8]) -> (TcpHeader, &[u8], bool) {
        let headers = PacketHeaders::from_ethernet_slice(packet).unwrap();
        let Some(TransportHeader::Tcp(tcp)) = headers.transport else { panic!("no TCP") };
        let payload = headers.payload.slice();
        let checksum = match headers.net.unwrap() {
            NetHeaders::Ipv4(ip, _) => {
                assert_eq!(ip.header_checksum, ip.calc_header_checksum());
                tcp.calc_checksum_ipv4(&ip, payload).unwrap()
            }
            NetHeaders::Ipv6(ip, _) => tcp.calc_checksum_ipv6(&ip, payload).unwrap(),
            NetHeaders::Arp(_) => panic!("no IP"),
        };
        let right = checksum == tcp.checksum;
        (tcp, payload, right)
    }

    #[test]
    fn a_hundred_kilobytes_are_cut_at_the_segment_size() {
        let bytes: Vec<u8> = (0..100 * 1024u32).map(|i| i as u8).collect();
        let packets = packets(Ends::default(), |tcp, emit| {
            tcp.send(Dir::Server, &bytes, Delivery::default(), emit);
            tcp.close(emit);
        });
        let (mut got, mut next, mut segments, mut acks) = (Vec::new(), None, 0, 0);
        for (_, packet) in &packets {
            let (header, payload, right) = tcp(packet);
            assert!(right, "checksum");
            if payload.is_empty() {
                acks += u32::from(!header.syn && !header.fin && !header.rst);
                continue;
            }
            assert!(payload.len() <= 1460);
            assert_eq!(*next.get_or_insert(header.sequence_number), header.sequence_number, "wraps");
            next = Some(header.sequence_number.wrapping_add(payload.len() as u32));
            segments += 1;
            got.extend_from_slice(payload);
        }
        assert_eq!(got, bytes);
        // 71 segments; ACKs: the opening one, every second segment and the last, one for each FIN.
        assert_eq!((segments, acks), (71, 1 + 36 + 2));
        assert!(packets.is_sorted_by(|a, b| a.0 < b.0), "time goes on");
    }

    #[test]
    fn both_ip_versions_open_and_close() {
        let v6 = Ends {
            client: "[2001:db8::1]:5000".parse().unwrap(),
            server: "[2001:db8::2]:80".parse().unwrap(),
            ..Ends::default()
        };
        for ends in [Ends::default(), v6] {
            let packets = packets(ends, |tcp, emit| {
                tcp.send(Dir::Client, b"hello", Delivery::default(), emit);
                tcp.finish(Dir::Server, emit);
                tcp.close(emit);
            });
            let flags: Vec<String> = packets
                .iter()
                .map(|(_, packet)| {
                    let (h, payload, right) = tcp(packet);
                    assert!(right);
                    let names = [(h.syn, "S"), (h.fin, "F"), (h.rst, "R"), (h.psh, "P"), (h.ack, "A")];
                    let names: String = names.iter().filter(|n| n.0).map(|n| n.1).collect();
                    format!("{names}{}", payload.len())
                })
                .collect();
            assert_eq!(flags, ["S0", "SA0", "A0", "PA5", "A0", "FA0", "A0", "FA0", "A0"]);
        }
    }

    #[test]
    fn what_is_asked_for_goes_wrong() {
        let deliver = |delivery| {
            packets(Ends { syn: false, ..Ends::default() }, |tcp, emit| {
                tcp.send(Dir::Client, b"hello", delivery, emit);
            })
        };
        let all_right = Delivery::default();
        assert_eq!(deliver(all_right).len(), 2);
        let lost = deliver(Delivery { lost: true, ..all_right });
        assert_eq!((lost.len(), tcp(&lost[0].1).0.acknowledgment_number), (1, 105));
        let twice = deliver(Delivery { twice: true, ..all_right });
        assert_eq!((twice.len(), &twice[0].1), (3, &twice[1].1));
        let altered = deliver(Delivery { altered: true, ..all_right });
        assert_eq!(altered.len(), 3);
        assert_eq!(tcp(&altered[0].1).0.sequence_number, tcp(&altered[1].1).0.sequence_number);
        assert_ne!(tcp(&altered[0].1).1, tcp(&altered[1].1).1);
        let bad = deliver(Delivery { bad_checksum: true, ..all_right });
        assert_eq!((tcp(&bad[0].1).2, tcp(&bad[1].1).2), (false, true));
        assert_eq!(deliver(Delivery { mss: Some(1), ..all_right }).len(), 5 + 3);
    }

    #[test]
    fn a_reset_is_the_end() {
        let packets = packets(Ends::default(), |tcp, emit| {
            tcp.reset(Dir::Client, emit);
            tcp.close(emit);
        });
        assert_eq!(packets.len(), 4);
        assert!(tcp(&packets[3].1).0.rst);
    }
}
