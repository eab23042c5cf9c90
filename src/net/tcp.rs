//! TCP segments: headers and checksums.

use super::ip::{Addresses, Datagram};
use super::network::Network;
use crate::model::{At, Time};

/// Bytes of a header without options.
const MIN_HEADER: usize = 20;

/// The control bits of a segment (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(pub u8);

impl Flags {
    pub(super) const FIN: u8 = 0x01;
    pub(super) const SYN: u8 = 0x02;
    pub(super) const RST: u8 = 0x04;
    pub(super) const ACK: u8 = 0x10;

    /// Whether any of `bits` is set.
    #[inline]
    pub(super) fn any(self, bits: u8) -> bool {
        self.0 & bits != 0
    }
}

/// A TCP segment, or a part of one that came in fragments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub addresses: &'a Addresses,
    pub network: Network,
    /// Source and destination port, in one word: written and read as a whole, it stays in registers.
    pub ports: u32,
    pub seq: u32,
    /// Only meaningful with [`Flags::ACK`].
    pub ack: u32,
    pub flags: Flags,
    /// As advertised, not scaled: 0 is 0 on any scale (RFC 7323 §2.2).
    pub window: u16,
    pub data: &'a [u8],
    /// Bytes after `data` that the capture cut off.
    pub missing: u32,
    /// Where `data` stands in the packet.
    pub at: At,
    /// Header and data, for the checksum; empty when they are not all there.
    pub whole: &'a [u8],
}

/// Reads the segment in a datagram; `None` when its header is damaged or cut.
#[allow(clippy::inline_always)] // or it is built in memory, and copied
#[inline(always)]
pub(super) fn segment<'a>(datagram: &'a Datagram<'_>, packet: u64, time: Time) -> Option<Segment<'a>> {
    let header: &[u8; MIN_HEADER] = datagram.payload.first_chunk()?;
    // In words, as it is drawn (RFC 9293 §3.1): each is read at once.
    let ([ports, seq, ack, offset_flags_window, _], _) = header.as_chunks() else { return None };
    let (ports, seq, ack) = (u32::from_be_bytes(*ports), u32::from_be_bytes(*seq), u32::from_be_bytes(*ack));
    let bits = u32::from_be_bytes(*offset_flags_window);
    // In words of four bytes.
    let length = (bits >> 28) as usize * 4;
    if length < MIN_HEADER {
        return None;
    }
    let data = datagram.payload.get(length..)?;
    Some(Segment {
        addresses: &datagram.addresses,
        network: datagram.network,
        ports,
        seq,
        ack,
        flags: Flags((bits >> 16) as u8),
        window: bits as u16,
        data,
        missing: datagram.missing,
        at: At { packet, byte: datagram.byte + length as u32, time: Some(time) },
        whole: if datagram.missing == 0 { datagram.payload } else { &[] },
    })
}

impl Segment<'_> {
    /// The part of the segment whose data is `from..to` of its own, which stands `at`.
    #[must_use]
    pub(super) fn part(&self, from: usize, to: usize, at: At) -> Self {
        let (first, last) = (from == 0, to == self.data.len());
        let mut flags = self.flags.0;
        if !last {
            flags &= !(Flags::FIN | Flags::RST);
        }
        let mut seq = self.seq.wrapping_add(from as u32);
        if !first && self.flags.any(Flags::SYN) {
            flags &= !Flags::SYN;
            seq = seq.wrapping_add(1);
        }
        let whole = if first { self.whole } else { &[] };
        Self { seq, flags: Flags(flags), data: &self.data[from..to], at, whole, ..*self }
    }

    /// Verifies the checksum (RFC 9293 §3.1); the segment must be whole.
    pub(super) fn checksum(&self) -> Checksum {
        let Some(&field) = self.whole.get(16..).and_then(<[u8]>::first_chunk::<2>) else {
            return Checksum::Good;
        };
        let addresses = match self.addresses {
            Addresses::V4(source, destination) => add(source) + add(destination),
            Addresses::V6(source, destination) => add(source) + add(destination),
        };
        let protocol = addresses + PROTOCOL;
        let pseudo = protocol + length(self.whole.len());
        // With the checksum among what is added the sum is that of nothing.
        if fold(pseudo + add(self.whole)) == 0xFFFF {
            return Checksum::Good;
        }
        let rest = add(&self.whole[..16]) + add(&self.whole[18..]);
        let expected = (!fold(pseudo + rest)).to_ne_bytes();
        if field == expected {
            return Checksum::Good;
        }
        // A sending host leaves the sum to its network card: it fills in the sum over the
        // pseudo-header only (with the length, or without it for a segment that the card cuts up) or nothing.
        let offloaded = [fold(pseudo), fold(protocol), 0];
        if offloaded.map(u16::to_ne_bytes).contains(&field) {
            return Checksum::Offloaded;
        }
        Checksum::Bad { expected: u16::from_be_bytes(expected), got: u16::from_be_bytes(field) }
    }
}

/// The bytes of the longest block that a header acknowledges selectively (RFC 2018 §3), if any.
pub(super) fn longest_block(header: &[u8]) -> Option<u32> {
    // Kinds of options: the end of them, nothing, and blocks that have arrived.
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    const ARRIVED: u8 = 5;
    let length = usize::from(header.get(12)? >> 4) * 4;
    let mut options = header.get(MIN_HEADER..length)?;
    while let [kind, rest @ ..] = options {
        options = match (*kind, rest) {
            (END, _) => return None,
            (NOTHING, rest) => rest,
            (kind, [length, ..]) => {
                let value = options.get(2..usize::from(*length))?;
                if kind == ARRIVED {
                    let edges = value.as_chunks::<4>().0.as_chunks::<2>().0;
                    let of = |[left, right]: &[[u8; 4]; 2]| {
                        u32::from_be_bytes(*right).wrapping_sub(u32::from_be_bytes(*left))
                    };
                    return edges.iter().map(of).max();
                }
                &options[usize::from(*length)..]
            }
            (_, []) => return None,
        };
    }
    None
}

/// What became of a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    Good,
    /// Not yet computed: captured before the network card did it.
    Offloaded,
    Bad {
        expected: u16,
        got: u16,
    },
}

/// Whether the checksum is right of a segment that stands right behind its addresses: `both` are these and
/// the segment, of which so many bytes are the addresses.
#[inline]
pub(super) fn is_right(both: &[u8], addresses: usize) -> bool {
    fold(add(both) + PROTOCOL + length(both.len() - addresses)) == 0xFFFF
}

/// The number of TCP in the pseudo-header.
const PROTOCOL: u64 = u32::from_ne_bytes([0, 6, 0, 0]) as u64;

/// The length of a segment in the pseudo-header: 32 bits do for both versions of IP.
#[inline]
fn length(bytes: usize) -> u64 {
    u64::from((bytes as u32).to_be())
}

/// Adds 16-bit words in the machine's own byte order, eight bytes at a time, which the checksum allows
/// (RFC 1071 §2). Gives no more than 34 bits.
#[inline]
fn add(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = 0_u64;
    for word in words {
        let (more, carries) = sum.overflowing_add(u64::from_ne_bytes(*word));
        sum = more + u64::from(carries);
    }
    let (words, rest) = rest.as_chunks::<4>();
    let last = match *rest {
        [a, b, c] => [a, b, c, 0],
        [a, b] => [a, b, 0, 0],
        [a] => [a, 0, 0, 0],
        _ => [0; 4],
    };
    let more = words.first().map_or(0, |word| u64::from(u32::from_ne_bytes(*word)));
    (sum & 0xFFFF_FFFF) + (sum >> 32) + more + u64::from(u32::from_ne_bytes(last))
}

/// Folds the carries in.
fn fold(mut sum: u64) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ip::datagram;

    fn build(data: &[u8]) -> Vec<u8> {
        let mut packet = Vec::new();
        etherparse::PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(1000, 80, 77, 4096)
            .syn()
            .fin()
            .ack(99)
            .write(&mut packet, data)
            .unwrap();
        packet
    }

    fn read(packet: &[u8], check: impl FnOnce(&Segment<'_>)) {
        let datagram = datagram(packet, 0, Network::PLAIN).unwrap();
        check(&segment(&datagram, 7, Time(5)).unwrap());
    }

    fn checksum(packet: &[u8]) -> Checksum {
        let datagram = datagram(packet, 0, Network::PLAIN).unwrap();
        segment(&datagram, 7, Time(5)).unwrap().checksum()
    }

    #[test]
    fn headers_are_read() {
        read(&build(b"abc"), |segment| {
            assert_eq!((segment.ports, segment.seq, segment.ack), (0x03E8_0050, 77, 99));
            assert_eq!((segment.data, segment.at.byte, segment.at.packet), (&b"abc"[..], 40, 7));
            assert!(segment.flags.any(Flags::SYN) && !segment.flags.any(Flags::RST));
        });
    }

    #[test]
    fn a_part_keeps_only_the_flags_at_its_ends() {
        read(&build(b"abcdef"), |whole| {
            let parts = [(0, 2), (2, 4), (4, 6)].map(|(from, to)| whole.part(from, to, whole.at));
            assert_eq!(parts.map(|p| p.seq), [77, 80, 82]);
            assert_eq!(parts.map(|p| p.flags.any(Flags::SYN)), [true, false, false]);
            assert_eq!(parts.map(|p| p.flags.any(Flags::FIN)), [false, false, true]);
            assert_eq!(parts.map(|p| p.data), [b"ab", b"cd", b"ef"]);
        });
    }

    #[test]
    fn checksums_good_offloaded_and_bad() {
        for length in 0..70_u8 {
            let data: Vec<u8> = (0..length).map(|i: u8| i.wrapping_mul(37)).collect();
            let mut packet = build(&data);
            assert_eq!(checksum(&packet), Checksum::Good, "{length}");
            let good = [packet[36], packet[37]];
            // The pseudo-header: 10.0.0.1, 10.0.0.2, protocol 6, 20 bytes of header and the data.
            let partial = 0x0A00 + 1 + 0x0A00 + 2 + 6 + 20 + u16::from(length);
            for field in [partial, partial - 20 - u16::from(length), 0] {
                packet[36..38].copy_from_slice(&field.to_be_bytes());
                assert_eq!(checksum(&packet), Checksum::Offloaded, "{length} {field:04x}");
            }
            packet[36..38].copy_from_slice(&[good[0] ^ 0x40, good[1]]);
            let bad = Checksum::Bad {
                expected: u16::from_be_bytes(good),
                got: u16::from_be_bytes([good[0] ^ 0x40, good[1]]),
            };
            assert_eq!(checksum(&packet), bad, "{length}");
        }
    }
}
