//! Stand-ins for a layer that enciphers what TCP carries.

use std::ops::Range;

use wstool::model::{At, Finding, FlowId, Interest, Packet, Receipt, Side, StreamEnd, Time};
use wstool::net::{CloseReason, Opened, StreamSink, Tracker};

use super::Captured;

/// What every byte is `XORed` with.
pub const KEY: u8 = 0x5A;

/// One direction of a layer between TCP and HTTP.
pub trait Cipher: Default {
    /// Takes what TCP carries, and hands on runs of what it deciphers to, each with its place in the packet.
    fn decipher(&mut self, bytes: &[u8], at: At, up: &mut dyn FnMut(&[u8], At));
}

/// Every byte by itself.
#[derive(Default)]
pub struct Xor;

impl Cipher for Xor {
    fn decipher(&mut self, bytes: &[u8], at: At, up: &mut dyn FnMut(&[u8], At)) {
        up(&xored(bytes), at);
    }
}

/// Records: a byte that is their length, and so many bytes that are enciphered.
#[derive(Default)]
pub struct Records {
    /// Bytes of the record that are still to come.
    rest: usize,
}

impl Records {
    /// The records, of at most so many bytes, that carry some bytes.
    pub fn encipher(bytes: &[u8], most: usize) -> Vec<u8> {
        bytes.chunks(most).flat_map(|part| [&[part.len() as u8][..], &xored(part)].concat()).collect()
    }
}

impl Cipher for Records {
    fn decipher(&mut self, bytes: &[u8], at: At, up: &mut dyn FnMut(&[u8], At)) {
        let mut next = 0;
        while next < bytes.len() {
            if self.rest == 0 {
                self.rest = usize::from(bytes[next]);
                next += 1;
                continue;
            }
            let run = &bytes[next..bytes.len().min(next + self.rest)];
            up(&xored(run), At { byte: at.byte + next as u32, ..at });
            self.rest -= run.len();
            next += run.len();
        }
    }
}

fn xored(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ KEY).collect()
}

/// Enciphers what TCP carries in some packets; `false` where that is out of reach: fragments, tunnels, link
/// types that are not read here.
pub fn encipher(packets: &mut [Captured]) -> bool {
    let payloads: Vec<Range<usize>> = packets.iter().map(|packet| payload(packet).unwrap_or(0..0)).collect();
    // What the tracker finds has to be all that is found here.
    let mut seen = Seen { payloads: &payloads, all: true };
    let mut tracker = Tracker::new();
    for (number, packet) in (1..).zip(&*packets) {
        let Captured { time, link, data, wire_len } = packet;
        let packet = Packet { number, time: *time, link: *link, data, wire_len: *wire_len };
        let _ = tracker.packet(&packet, &mut seen);
    }
    let _ = tracker.finish(&mut seen);
    let all = seen.all;
    for (packet, payload) in packets.iter_mut().zip(&payloads).filter(|(_, payload)| !payload.is_empty()) {
        let segment = Segment::of(packet).expect("it has a payload");
        let is_valid = segment.sum(packet) == 0xFFFF;
        for byte in &mut packet.data[payload.clone()] {
            *byte ^= KEY;
        }
        // A checksum that is wrong, or for the network card to fill in, stays what it is.
        if is_valid {
            let at = segment.tcp.start + 16;
            packet.data[at..at + 2].fill(0);
            let sum = !segment.sum(packet);
            packet.data[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        }
    }
    all
}

struct Seen<'p> {
    payloads: &'p [Range<usize>],
    all: bool,
}

impl StreamSink for Seen<'_> {
    fn open(&mut self, _: FlowId, _: &Opened) {}

    fn data(&mut self, _: FlowId, _: Side, bytes: &[u8], at: At) -> Interest {
        let payload = &self.payloads[at.packet as usize - 1];
        let byte = at.byte as usize;
        self.all &= payload.start <= byte && byte + bytes.len() <= payload.end;
        Interest::Follow
    }

    fn gap(&mut self, _: FlowId, _: Side, _: u64, _: (Option<u64>, Option<u64>)) -> Interest {
        Interest::Follow
    }

    fn end(&mut self, _: FlowId, _: Side, _: StreamEnd, _: Receipt, _: At) -> Interest {
        Interest::Follow
    }

    fn close(&mut self, _: FlowId, _: CloseReason, _: Time) {}

    fn anomaly(&mut self, _: FlowId, _: Side, _: Finding, _: At) {}
}

/// Where a packet's TCP segment lies.
struct Segment {
    /// The two addresses.
    addresses: Range<usize>,
    tcp: Range<usize>,
}

impl Segment {
    /// A whole segment in a whole IP packet on Ethernet, or without a link layer.
    fn of(packet: &Captured) -> Option<Self> {
        let data = &packet.data;
        let number = |at: usize| Some(u16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?]));
        let ip = match packet.link {
            1 => match number(12)? {
                0x0800 | 0x86DD => 14,
                0x8100 => 18,
                _ => return None,
            },
            101 | 228 | 229 => 0,
            113 => 16,
            276 => 20,
            _ => return None,
        };
        let first = *data.get(ip)?;
        let (addresses, protocol, start, end) = if first >> 4 == 4 {
            let is_fragment = number(ip + 6)? & 0x3FFF != 0;
            if is_fragment {
                return None;
            }
            let (header, total) = (usize::from(first & 15) * 4, usize::from(number(ip + 2)?));
            (ip + 12..ip + 20, data[ip + 9], ip + header, ip + total)
        } else {
            (ip + 8..ip + 40, *data.get(ip + 6)?, ip + 40, ip + 40 + usize::from(number(ip + 4)?))
        };
        (protocol == 6 && start + 20 <= end && end <= data.len())
            .then_some(Self { addresses, tcp: start..end })
    }

    /// The sum over segment and pseudo-header; all ones where the checksum in it is right.
    fn sum(&self, packet: &Captured) -> u16 {
        let length = (self.tcp.len() as u32).to_be_bytes();
        let mut bytes = [&packet.data[self.addresses.clone()], &length, &[0, 6]].concat();
        bytes.extend_from_slice(&packet.data[self.tcp.clone()]);
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        let words = bytes.chunks(2).map(|word| u64::from(u16::from_be_bytes([word[0], word[1]])));
        let mut sum: u64 = words.sum();
        while sum > 0xFFFF {
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
        sum as u16
    }
}

fn payload(packet: &Captured) -> Option<Range<usize>> {
    let Segment { tcp, .. } = Segment::of(packet)?;
    let start = tcp.start + usize::from(packet.data[tcp.start + 12] >> 4) * 4;
    (start <= tcp.end).then_some(start..tcp.end)
}
