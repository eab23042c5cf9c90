//! Headers of TCP segments, made fast: a template a direction, in which only
//! what changes is filled in.

use etherparse::checksum::Sum16BitWords;
use etherparse::ip_number;

use crate::model::Dir;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

/// Offsets of the headers: Ethernet, IPv4 and TCP without options.
const IP: usize = 14;
const TCP: usize = IP + 20;
const PAYLOAD: usize = TCP + 20;

/// The two ends of an IPv4 connection and where they are in their streams.
#[derive(Clone, Debug)]
pub struct Headers {
    templates: [[u8; PAYLOAD]; 2],
    next: [u32; 2],
}

impl Headers {
    /// What a packet begins with before its headers are filled in.
    pub const ROOM: [u8; PAYLOAD] = [0; PAYLOAD];

    /// Connection number `n`, each with an address and port of its own, to
    /// port 80 of one server.
    pub fn new(n: u64, isn: [u32; 2]) -> Self {
        const PORTS: u64 = 50_000;
        let client = (0x0A00_0001 + (n / PORTS) as u32).to_be_bytes();
        let client_port = (10_000 + (n % PORTS) as u16).to_be_bytes();
        let server = [192, 0, 2, 80];
        let server_port = [0, 80];
        Self {
            templates: [
                template(Dir::Client, client, client_port, server, server_port),
                template(Dir::Server, server, server_port, client, client_port),
            ],
            next: isn,
        }
    }

    /// Fills in the headers of `packet`, which begins with [`Headers::ROOM`]
    /// and goes on with the payload, and moves on in the sender's stream.
    pub fn fill(&mut self, packet: &mut [u8], from: Dir, flags: u8) {
        let (sender, receiver) = (from.index(), from.peer().index());
        let payload = packet.len() - PAYLOAD;
        let header = &mut self.templates[sender];
        header[IP + 2..IP + 4].copy_from_slice(&((packet.len() - IP) as u16).to_be_bytes());
        header[TCP + 4..TCP + 8].copy_from_slice(&self.next[sender].to_be_bytes());
        let acknowledged = if flags & ACK == 0 { 0 } else { self.next[receiver] };
        header[TCP + 8..TCP + 12].copy_from_slice(&acknowledged.to_be_bytes());
        header[TCP + 13] = flags;
        packet[..PAYLOAD].copy_from_slice(header);

        // The sum comes in the order its bytes have in memory.
        let sum = Sum16BitWords::new().add_slice(&packet[IP..TCP]).ones_complement();
        packet[IP + 10..IP + 12].copy_from_slice(&sum.to_ne_bytes());
        let sum = Sum16BitWords::new()
            .add_slice(&packet[IP + 12..TCP])
            .add_2bytes([0, ip_number::TCP.0])
            .add_2bytes(((packet.len() - TCP) as u16).to_be_bytes())
            .add_slice(&packet[TCP..])
            .ones_complement();
        packet[TCP + 16..TCP + 18].copy_from_slice(&sum.to_ne_bytes());

        let counted = payload as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.next[sender] = self.next[sender].wrapping_add(counted);
    }
}

fn template(from: Dir, source: [u8; 4], port: [u8; 2], to: [u8; 4], to_port: [u8; 2]) -> [u8; PAYLOAD] {
    let mut header = Headers::ROOM;
    header[..12].copy_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
    if from == Dir::Server {
        (header[5], header[11]) = (1, 2);
    }
    // Ethertype IPv4; version 4 with 5 words of header; don't fragment; TTL 64.
    header[12] = 0x08;
    (header[IP], header[IP + 6], header[IP + 8], header[IP + 9]) = (0x45, 0x40, 64, ip_number::TCP.0);
    header[IP + 12..IP + 16].copy_from_slice(&source);
    header[IP + 16..IP + 20].copy_from_slice(&to);
    header[TCP..TCP + 2].copy_from_slice(&port);
    header[TCP + 2..TCP + 4].copy_from_slice(&to_port);
    // 5 words of header; the largest window.
    (header[TCP + 12], header[TCP + 14], header[TCP + 15]) = (0x50, 0xFF, 0xFF);
    header
}
