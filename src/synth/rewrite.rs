//! The same traffic in other packets: cut, shuffled, repeated, overlapping.
//!
//! Each function takes packets with their times and gives packets that carry
//! the same streams, with right lengths and checksums, for tests that what is
//! decoded does not depend on how TCP carried it. What is not TCP over IP in
//! Ethernet or Linux cooked capture is passed on as it is.

use etherparse::checksum::Sum16BitWords;
use etherparse::{NetSlice, SlicedPacket, TransportSlice, ip_number};

use crate::model::Time;

use super::Rng;

/// A packet and when it was seen.
pub type Packet = (Time, Vec<u8>);

/// Cuts every segment into segments of at most `size` bytes.
pub fn cut(packets: &[Packet], size: usize) -> Vec<Packet> {
    let mut out = Vec::new();
    for (time, packet) in packets {
        match Segment::of(packet) {
            Some(segment) if segment.payload().len() > size && !segment.has(SYN) => {
                let pieces = segment.payload().chunks(size.max(1));
                let last = pieces.len() - 1;
                for (i, piece) in pieces.enumerate() {
                    // What stands at the end of the data stays at its end.
                    let clear = if i == last { 0 } else { FIN | RST | PSH };
                    out.push((*time, segment.with((i * size.max(1)) as u32, piece, clear)));
                }
            }
            _ => out.push((*time, packet.clone())),
        }
    }
    out
}

/// Lets segments of the same sender overtake each other within windows of
/// `window` packets; times stay in order.
///
/// Only segments with data are moved, and only to places where such segments
/// of the same direction stood: an answer is still seen after its question.
pub fn shuffle(packets: &[Packet], window: usize, rng: &mut Rng) -> Vec<Packet> {
    let mut out = packets.to_vec();
    let window = window.max(1);
    for places in by_sender(packets) {
        for places in places.chunk_by(|a, b| a / window == b / window) {
            let mut from = places.to_vec();
            rng.shuffle(&mut from);
            for (&to, &from) in places.iter().zip(&from) {
                out[to].1.clone_from(&packets[from].1);
            }
        }
    }
    out
}

/// Repeats one data segment in `one_in`, up to eight packets later.
pub fn duplicate(packets: &[Packet], one_in: u64, rng: &mut Rng) -> Vec<Packet> {
    let mut out = Vec::with_capacity(packets.len());
    let mut again: Vec<(usize, &Packet)> = Vec::new();
    for (i, packet) in packets.iter().enumerate() {
        out.push(packet.clone());
        let repeats = Segment::of(&packet.1).is_some_and(|s| !s.payload().is_empty()) && rng.one_in(one_in);
        if repeats {
            again.push((i + rng.below(8) as usize, packet));
        }
        again.retain(|&(due, repeated)| {
            if due <= i {
                out.push((packet.0, repeated.1.clone()));
            }
            due > i
        });
    }
    out.extend(again.into_iter().map(|(_, packet)| packet.clone()));
    out
}

/// Lets each segment begin with up to `most` bytes that the one before it in
/// its direction already carried.
pub fn overlap(packets: &[Packet], most: usize, rng: &mut Rng) -> Vec<Packet> {
    let mut out = packets.to_vec();
    for places in by_sender(packets) {
        for pair in places.windows(2) {
            let (Some(before), Some(segment)) =
                (Segment::of(&packets[pair[0]].1), Segment::of(&packets[pair[1]].1))
            else {
                continue;
            };
            let adjacent = before.sequence().wrapping_add(before.payload().len() as u32);
            let room = before.payload().len().min(most).min(60_000 - segment.payload().len().min(60_000));
            if adjacent == segment.sequence() && !before.has(SYN) && room > 0 {
                let again = 1 + rng.below(room as u64) as usize;
                let tail = &before.payload()[before.payload().len() - again..];
                let joined = [tail, segment.payload()].concat();
                out[pair[1]].1 = segment.with((again as u32).wrapping_neg(), &joined, 0);
            }
        }
    }
    out
}

/// Indices of the data segments of each direction of each connection, in order.
fn by_sender(packets: &[Packet]) -> Vec<Vec<usize>> {
    let mut senders: Vec<(Vec<u8>, Vec<usize>)> = Vec::new();
    for (i, (_, packet)) in packets.iter().enumerate() {
        let Some(segment) = Segment::of(packet).filter(|s| !s.payload().is_empty()) else { continue };
        let sender = segment.sender();
        match senders.iter_mut().find(|(known, _)| *known == sender) {
            Some((_, places)) => places.push(i),
            None => senders.push((sender, vec![i])),
        }
    }
    senders.into_iter().map(|(_, places)| places).collect()
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;

/// Where the parts of a packet are.
struct Segment<'a> {
    packet: &'a [u8],
    /// Offsets of the IP header, the TCP header, the payload and its end.
    ip: usize,
    tcp: usize,
    payload: usize,
    end: usize,
}

impl<'a> Segment<'a> {
    /// `None` for what is not a whole TCP segment in a whole, unfragmented packet.
    fn of(packet: &'a [u8]) -> Option<Self> {
        let sliced = SlicedPacket::from_ethernet(packet)
            .ok()
            .filter(|s| s.transport.is_some())
            .or_else(|| SlicedPacket::from_linux_sll(packet).ok())?;
        let offset = |part: &[u8]| part.as_ptr() as usize - packet.as_ptr() as usize;
        let (ip, end) = match sliced.net? {
            NetSlice::Ipv4(ip) => {
                let start = offset(ip.header().slice());
                (start, start + usize::from(ip.header().total_len()))
            }
            NetSlice::Ipv6(ip) => {
                let start = offset(ip.header().slice());
                (start, start + 40 + usize::from(ip.header().payload_length()))
            }
            NetSlice::Arp(_) => return None,
        };
        let TransportSlice::Tcp(tcp) = sliced.transport? else { return None };
        let payload = offset(tcp.slice()) + tcp.header_slice().len();
        let whole = payload <= end && end <= packet.len();
        whole.then(|| Self { packet, ip, tcp: offset(tcp.slice()), payload, end })
    }

    fn payload(&self) -> &'a [u8] {
        &self.packet[self.payload..self.end]
    }

    fn sequence(&self) -> u32 {
        let at = self.tcp + 4;
        u32::from_be_bytes([self.packet[at], self.packet[at + 1], self.packet[at + 2], self.packet[at + 3]])
    }

    fn has(&self, flag: u8) -> bool {
        self.packet[self.tcp + 13] & flag != 0
    }

    fn is_v4(&self) -> bool {
        self.packet[self.ip] >> 4 == 4
    }

    /// Source and destination address as they stand in the IP header.
    fn addresses(&self) -> &'a [u8] {
        let at = if self.is_v4() { self.ip + 12..self.ip + 20 } else { self.ip + 8..self.ip + 40 };
        &self.packet[at]
    }

    /// What tells this direction of this connection from others.
    fn sender(&self) -> Vec<u8> {
        [self.addresses(), &self.packet[self.tcp..self.tcp + 4]].concat()
    }

    /// The same packet with another payload, `shift` bytes further on in the
    /// stream (modulo 2^32), without the flags in `clear`.
    fn with(&self, shift: u32, payload: &[u8], clear: u8) -> Vec<u8> {
        let mut packet = [&self.packet[..self.payload], payload].concat();
        let sequence = self.sequence().wrapping_add(shift);
        packet[self.tcp + 4..self.tcp + 8].copy_from_slice(&sequence.to_be_bytes());
        packet[self.tcp + 13] &= !clear;
        let length = packet.len() - self.ip;
        if self.is_v4() {
            put(&mut packet, self.ip + 2, length as u16);
            put(&mut packet, self.ip + 10, 0);
            let header = self.ip..self.ip + usize::from(packet[self.ip] & 0x0F) * 4;
            let sum = Sum16BitWords::new().add_slice(&packet[header]).ones_complement();
            put(&mut packet, self.ip + 10, sum.to_be());
        } else {
            put(&mut packet, self.ip + 4, (length - 40) as u16);
        }
        put(&mut packet, self.tcp + 16, 0);
        let segment = &packet[self.tcp..];
        let sum = Sum16BitWords::new()
            .add_slice(self.addresses())
            .add_2bytes([0, ip_number::TCP.0])
            .add_2bytes((segment.len() as u16).to_be_bytes())
            .add_slice(segment)
            .ones_complement();
        put(&mut packet, self.tcp + 16, sum.to_be());
        packet
    }
}

/// Writes 16 bits in network byte order.
fn put(packet: &mut [u8], at: usize, value: u16) {
    packet[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use etherparse::{NetHeaders, PacketHeaders, TransportHeader};

    use super::*;
    use crate::model::Dir;
    use crate::synth::tcp::{Delivery, Ends, Tcp};

    /// A server that sends 0, 1, 2 … and a client that says little.
    fn traffic(ends: Ends) -> Vec<Packet> {
        let mut packets = Vec::new();
        let mut emit = |time, packet: &[u8]| packets.push((time, packet.to_vec()));
        let mut tcp = Tcp::open(Ends { mss: 100, ..ends }, Time(5), [7, u32::MAX - 500], &mut emit);
        let bytes: Vec<u8> = (0..2000u32).map(|i| i as u8).collect();
        tcp.send(Dir::Server, &bytes, Delivery::default(), &mut emit);
        tcp.send(Dir::Client, b"thanks", Delivery::default(), &mut emit);
        tcp.close(&mut emit);
        packets
    }

    /// Puts the server's stream together, later bytes over earlier ones, and
    /// checks every checksum and length on the way.
    fn stream(packets: &[Packet]) -> Vec<u8> {
        let mut stream = vec![0xEE; 2000];
        for (_, packet) in packets {
            let headers = PacketHeaders::from_ethernet_slice(packet).unwrap();
            let payload = headers.payload.slice();
            let Some(TransportHeader::Tcp(tcp)) = headers.transport else { panic!("no TCP") };
            let checksum = match headers.net.unwrap() {
                NetHeaders::Ipv4(ip, _) => {
                    assert_eq!(ip.header_checksum, ip.calc_header_checksum());
                    assert_eq!(usize::from(ip.total_len), packet.len() - 14);
                    tcp.calc_checksum_ipv4(&ip, payload).unwrap()
                }
                NetHeaders::Ipv6(ip, _) => tcp.calc_checksum_ipv6(&ip, payload).unwrap(),
                NetHeaders::Arp(_) => panic!("no IP"),
            };
            assert_eq!(tcp.checksum, checksum);
            if tcp.source_port == 80 && !payload.is_empty() {
                let at = tcp.sequence_number.wrapping_sub(u32::MAX - 499) as usize;
                stream[at..at + payload.len()].copy_from_slice(payload);
            }
        }
        stream
    }

    #[test]
    fn every_rewriting_carries_the_same_stream() {
        let v6 = Ends {
            client: "[2001:db8::1]:5000".parse().unwrap(),
            server: "[2001:db8::2]:80".parse().unwrap(),
            ..Ends::default()
        };
        for ends in [Ends::default(), v6] {
            let packets = traffic(ends);
            let expected = stream(&packets);
            let mut rng = Rng::new(3);
            let all = [
                ("cut", cut(&packets, 1)),
                ("shuffled", shuffle(&packets, 8, &mut rng)),
                ("duplicated", duplicate(&packets, 2, &mut rng)),
                ("overlapping", overlap(&packets, 30, &mut rng)),
                (
                    "all",
                    overlap(&duplicate(&shuffle(&cut(&packets, 7), 8, &mut rng), 3, &mut rng), 5, &mut rng),
                ),
            ];
            for (name, rewritten) in all {
                assert_eq!(stream(&rewritten), expected, "{name}");
                assert_ne!(rewritten, packets, "{name}");
                assert!(rewritten.is_sorted_by_key(|p| p.0), "{name}");
            }
        }
    }

    #[test]
    fn cutting_in_single_bytes_makes_as_many_segments() {
        let packets = traffic(Ends::default());
        let data = packets.iter().filter(|p| !Segment::of(&p.1).unwrap().payload().is_empty()).count();
        assert_eq!(cut(&packets, 1).len(), packets.len() - data + 2006);
        assert_eq!(cut(&packets, 100), packets);
    }

    #[test]
    fn a_seed_decides_the_order() {
        let packets = traffic(Ends::default());
        assert_eq!(shuffle(&packets, 8, &mut Rng::new(1)), shuffle(&packets, 8, &mut Rng::new(1)));
        assert_ne!(shuffle(&packets, 8, &mut Rng::new(1)), shuffle(&packets, 8, &mut Rng::new(2)));
        assert_eq!(shuffle(&packets, 1, &mut Rng::new(1)), packets);
    }

    #[test]
    fn what_is_not_tcp_is_left_alone() {
        let packets = vec![(Time(1), vec![1, 2, 3]), (Time(2), vec![0; 60])];
        let mut rng = Rng::new(1);
        assert_eq!(cut(&packets, 1), packets);
        assert_eq!(overlap(&shuffle(&duplicate(&packets, 1, &mut rng), 8, &mut rng), 9, &mut rng), packets);
    }
}
