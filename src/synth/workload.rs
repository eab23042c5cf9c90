//! Captures of any size for measuring, with the truth about them.
//!
//! Packets are made one at a time in a buffer that is used again, so memory
//! stays the same however much is made. Addresses, numbers, keys and contents
//! come from the seed; checksums are right.

use flate2::{Compress, Compression, FlushCompress};

use crate::model::{CloseCode, Dir, FrameHeader, Opcode, Time};
use crate::ws::{encode, mask};

use super::handshake::{self, Request, Response};
use super::segment::{ACK, FIN, Headers, PSH, SYN};
use super::{Rng, START};

/// What kind of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// 2,000 connections side by side, JSON texts of 40 to 300 bytes, every
    /// one acknowledged.
    Small,
    /// Four connections with binary messages of 64 KiB to 1 MiB.
    Big,
    /// Short connections, 64 at a time: handshake, three texts, close.
    Flows,
    /// 64 connections side by side whose server sends JSON texts of 40 to 300 bytes, compressed with
    /// context takeover (RFC 7692 §7.1.1).
    Deflate,
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Packets.
    pub packets: u64,
    /// Bytes of a classic pcap file that holds them: file header, record headers, packets.
    pub bytes: u64,
    /// Connections.
    pub connections: u64,
    /// Frames by sender ([`Dir::index`]) and opcode; all are whole messages.
    pub frames: [[u64; 16]; 2],
    /// Payload bytes of all frames, by sender.
    pub payload_bytes: [u64; 2],
}

/// Makes packets until a capture file of them has at least `bytes` bytes, then
/// completes the messages (`Big`) and connections (`Flows`) under way.
pub fn generate(workload: Workload, bytes: u64, seed: u64, emit: impl FnMut(Time, &[u8])) -> Truth {
    let mut maker = Maker::new(seed, emit);
    match workload {
        Workload::Small => maker.small(bytes),
        Workload::Big => maker.big(bytes),
        Workload::Flows => maker.flows(bytes),
        Workload::Deflate => maker.deflate(bytes),
    }
    maker.truth
}

const SMALL_CONNECTIONS: usize = 2000;
const BIG_CONNECTIONS: usize = 4;
const FLOWS_AT_ONCE: usize = 64;
const DEFLATE_CONNECTIONS: usize = 64;

/// Payload bytes of a full segment.
const MSS: usize = 1460;

/// Segments a connection sends before it is another one's turn.
const BURST: usize = 16;

/// Nanoseconds from packet to packet.
const STEP: u64 = 1_500;

/// Bytes of the file header and of a record header of classic pcap.
const FILE_HEADER: u64 = 24;
const RECORD_HEADER: u64 = 16;

struct Maker<E> {
    rng: Rng,
    emit: E,
    now: Time,
    packet: Vec<u8>,
    texts: Vec<Vec<u8>>,
    truth: Truth,
}

/// A connection: its headers, and a message being sent.
struct Connection {
    headers: Headers,
    /// Frame bytes that remain to be sent, by the client; the front is at `sent`.
    frame: Vec<u8>,
    sent: usize,
    /// How far a short connection has come.
    stage: u8,
    request: Request,
}

impl<E: FnMut(Time, &[u8])> Maker<E> {
    fn new(seed: u64, emit: E) -> Self {
        let mut rng = Rng::new(seed);
        let texts = (0..512).map(|_| json(&mut rng)).collect();
        let truth = Truth { bytes: FILE_HEADER, ..Truth::default() };
        Self { rng, emit, now: START, packet: Vec::with_capacity(2048), texts, truth }
    }

    fn small(&mut self, bytes: u64) {
        let mut connections: Vec<Option<Connection>> = Vec::new();
        connections.resize_with(SMALL_CONNECTIONS, || None);
        while self.truth.bytes < bytes {
            let slot = self.rng.below(SMALL_CONNECTIONS as u64) as usize;
            let connection = match &mut connections[slot] {
                Some(connection) => connection,
                empty => empty.insert(self.open()),
            };
            let from = if self.rng.one_in(2) { Dir::Client } else { Dir::Server };
            self.text(connection, from);
        }
    }

    fn big(&mut self, bytes: u64) {
        let mut pool = vec![0; 2 << 20];
        self.rng.fill(&mut pool);
        let mut connections: Vec<_> = (0..BIG_CONNECTIONS).map(|_| self.open()).collect();
        let mut turn = 0;
        while self.truth.bytes < bytes || connections.iter().any(|c| c.sent < c.frame.len()) {
            turn = (turn + 1) % BIG_CONNECTIONS;
            let connection = &mut connections[turn];
            if connection.sent == connection.frame.len() {
                if self.truth.bytes >= bytes {
                    continue;
                }
                let length = (64 << 10) + self.rng.below((960 << 10) + 1) as usize;
                let start = self.rng.below((pool.len() - length) as u64) as usize;
                let header = self.header(Dir::Client, Opcode::BINARY, length);
                connection.frame.clear();
                connection.sent = 0;
                encode::frame(&header, &pool[start..start + length], &mut connection.frame);
            }
            for i in 0..BURST {
                let rest = &connection.frame[connection.sent..];
                let segment = &rest[..rest.len().min(MSS)];
                let last = segment.len() == rest.len();
                self.begin();
                self.packet.extend_from_slice(segment);
                connection.sent += segment.len();
                self.send(&mut connection.headers, Dir::Client, if last { ACK | PSH } else { ACK });
                if last || i % 2 == 1 {
                    self.bare(&mut connection.headers, Dir::Server, ACK);
                }
                if last {
                    break;
                }
            }
        }
    }

    fn flows(&mut self, bytes: u64) {
        let mut slots: Vec<Option<Connection>> = Vec::new();
        slots.resize_with(FLOWS_AT_ONCE, || None);
        loop {
            let mut busy = false;
            for slot in &mut slots {
                match slot {
                    Some(connection) => {
                        if self.advance(connection) {
                            *slot = None;
                        }
                        busy = true;
                    }
                    None if self.truth.bytes < bytes => {
                        *slot = Some(self.connect());
                        busy = true;
                    }
                    None => {}
                }
            }
            if !busy {
                return;
            }
        }
    }

    fn deflate(&mut self, bytes: u64) {
        let mut connections: Vec<(Connection, Compress)> = Vec::new();
        for _ in 0..DEFLATE_CONNECTIONS {
            let mut connection = self.connect();
            connection.request.extensions = Some("permessage-deflate".to_owned());
            self.request(&mut connection);
            self.response(&mut connection);
            connections.push((connection, Compress::new(Compression::default(), false)));
        }
        let mut compressed = Vec::new();
        while self.truth.bytes < bytes {
            let (connection, compress) =
                &mut connections[self.rng.below(DEFLATE_CONNECTIONS as u64) as usize];
            let mut text = self.texts[self.rng.below(self.texts.len() as u64) as usize].clone();
            // Its id, so that no message is all of an earlier one.
            let id = format!("{:08}", self.rng.below(100_000_000));
            text[ID..ID + id.len()].copy_from_slice(id.as_bytes());
            compressed.clear();
            // More than anything so short can become.
            compressed.reserve(2 * text.len() + 64);
            let done = compress.compress_vec(&text, &mut compressed, FlushCompress::Sync);
            done.expect("there is room");
            // What a receiver puts back (RFC 7692 §7.2.1).
            compressed.truncate(compressed.len() - 4);
            let header = self.header(Dir::Server, Opcode::TEXT, compressed.len());
            self.begin();
            encode::header(&FrameHeader { rsv1: true, ..header }, &mut self.packet);
            self.packet.extend_from_slice(&compressed);
            self.answered(&mut connection.headers, Dir::Server);
        }
    }

    /// Takes a short connection one stage further; `true` when it is over.
    fn advance(&mut self, connection: &mut Connection) -> bool {
        connection.stage += 1;
        match connection.stage {
            1 => self.request(connection),
            2 => self.response(connection),
            3 | 5 => self.text(connection, Dir::Client),
            4 => self.text(connection, Dir::Server),
            6 => self.goodbye(connection, Dir::Client),
            7 => self.goodbye(connection, Dir::Server),
            _ => {
                for from in [Dir::Server, Dir::Client] {
                    self.bare(&mut connection.headers, from, FIN | ACK);
                    self.bare(&mut connection.headers, from.peer(), ACK);
                }
                return true;
            }
        }
        false
    }

    /// A new connection after its opening handshake.
    fn open(&mut self) -> Connection {
        let mut connection = self.connect();
        self.request(&mut connection);
        self.response(&mut connection);
        connection
    }

    /// A new connection after TCP's handshake.
    fn connect(&mut self) -> Connection {
        let isn = [self.rng.next_u64() as u32, self.rng.next_u64() as u32];
        let mut headers = Headers::new(self.truth.connections, isn);
        self.truth.connections += 1;
        self.bare(&mut headers, Dir::Client, SYN);
        self.bare(&mut headers, Dir::Server, SYN | ACK);
        self.bare(&mut headers, Dir::Client, ACK);
        let mut nonce = [0; 16];
        self.rng.fill(&mut nonce);
        let request = Request {
            path: Some("/stream".to_owned()),
            key: Some(handshake::key(nonce)),
            ..Request::default()
        };
        Connection { headers, frame: Vec::new(), sent: 0, stage: 0, request }
    }

    fn request(&mut self, connection: &mut Connection) {
        self.begin();
        self.packet.extend_from_slice(&connection.request.bytes(""));
        self.answered(&mut connection.headers, Dir::Client);
    }

    fn response(&mut self, connection: &mut Connection) {
        self.begin();
        self.packet.extend_from_slice(&Response::default().bytes(&connection.request, ""));
        self.answered(&mut connection.headers, Dir::Server);
    }

    fn text(&mut self, connection: &mut Connection, from: Dir) {
        let text = self.rng.below(self.texts.len() as u64) as usize;
        // Lent out while a frame is made of it.
        let payload = std::mem::take(&mut self.texts[text]);
        self.frame(connection, from, Opcode::TEXT, &payload);
        self.texts[text] = payload;
    }

    fn goodbye(&mut self, connection: &mut Connection, from: Dir) {
        self.frame(connection, from, Opcode::CLOSE, &encode::close(CloseCode(1000), b""));
    }

    /// A frame in a segment of its own, acknowledged.
    fn frame(&mut self, connection: &mut Connection, from: Dir, opcode: Opcode, payload: &[u8]) {
        let header = self.header(from, opcode, payload.len());
        self.begin();
        encode::header(&header, &mut self.packet);
        match header.masking_key {
            Some(key) => mask::append(&mut self.packet, payload, key, 0),
            None => self.packet.extend_from_slice(payload),
        }
        self.answered(&mut connection.headers, from);
    }

    /// A right header, counted.
    fn header(&mut self, from: Dir, opcode: Opcode, length: usize) -> FrameHeader {
        self.truth.frames[from.index()][usize::from(opcode.0)] += 1;
        self.truth.payload_bytes[from.index()] += length as u64;
        let key = || (self.rng.next_u64() as u32).to_be_bytes();
        FrameHeader::of(opcode, (from == Dir::Client).then(key), length as u64)
    }

    /// Leaves room for the headers of a packet; its payload is appended next.
    fn begin(&mut self) {
        self.packet.clear();
        self.packet.extend_from_slice(&Headers::ROOM);
    }

    /// Sends the packet, and a bare acknowledgement of it.
    fn answered(&mut self, headers: &mut Headers, from: Dir) {
        self.send(headers, from, ACK | PSH);
        self.bare(headers, from.peer(), ACK);
    }

    /// Sends a packet without payload.
    fn bare(&mut self, headers: &mut Headers, from: Dir, flags: u8) {
        self.begin();
        self.send(headers, from, flags);
    }

    fn send(&mut self, headers: &mut Headers, from: Dir, flags: u8) {
        headers.fill(&mut self.packet, from, flags);
        self.now.0 += STEP;
        (self.emit)(self.now, &self.packet);
        self.truth.packets += 1;
        self.truth.bytes += RECORD_HEADER + self.packet.len() as u64;
    }
}

/// Where the eight digits of [`json`]'s id stand.
const ID: usize = 6;

/// A JSON object of 40 to 300 bytes.
fn json(rng: &mut Rng) -> Vec<u8> {
    const WORDS: [&str; 8] = ["bid ", "ask ", "last ", "open ", "high ", "low ", "volume ", "change "];
    let length = 40 + rng.below(261) as usize;
    let mut text = format!("{{\"id\":{:08},\"text\":\"", rng.below(100_000_000));
    while text.len() < length {
        text += WORDS[rng.below(8) as usize];
    }
    text.truncate(length - 2);
    text += "\"}";
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use etherparse::{NetHeaders, PacketHeaders, TransportHeader};

    use super::*;

    /// What a reader that only adds up lengths finds, with all checksums checked.
    fn read(workload: Workload, bytes: u64) -> (Truth, u64, [u64; 2]) {
        let (mut file, mut payload, mut last) = (FILE_HEADER, [0; 2], Time(0));
        let truth = generate(workload, bytes, 5, |time, packet| {
            assert!(time > last, "time goes on");
            last = time;
            let headers = PacketHeaders::from_ethernet_slice(packet).unwrap();
            let Some(NetHeaders::Ipv4(ip, _)) = headers.net else { panic!("no IPv4") };
            let Some(TransportHeader::Tcp(tcp)) = headers.transport else { panic!("no TCP") };
            let data = headers.payload.slice();
            assert_eq!(ip.header_checksum, ip.calc_header_checksum());
            assert_eq!(tcp.checksum, tcp.calc_checksum_ipv4(&ip, data).unwrap());
            if !data.starts_with(b"GET") && !data.starts_with(b"HTTP") {
                payload[usize::from(tcp.source_port == 80)] += data.len() as u64;
            }
            file += RECORD_HEADER + packet.len() as u64;
        });
        (truth, file, payload)
    }

    #[test]
    fn the_truth_is_true() {
        for (workload, bytes) in [
            (Workload::Small, 1 << 20),
            (Workload::Big, 3 << 20),
            (Workload::Flows, 1 << 20),
            (Workload::Flows, 1),
            (Workload::Deflate, 1 << 20),
        ] {
            let (truth, file, sent) = read(workload, bytes);
            assert_eq!(truth.bytes, file);
            assert!(file >= bytes);
            for dir in [Dir::Client, Dir::Server] {
                // Header bytes are 2 to 14 a frame.
                let frames: u64 = truth.frames[dir.index()].iter().sum();
                let over = sent[dir.index()] - truth.payload_bytes[dir.index()];
                assert!(
                    (2 * frames..=14 * frames).contains(&over),
                    "{workload:?} {dir}: {over} for {frames}"
                );
            }
        }
    }

    #[test]
    fn workloads_are_what_they_say() {
        let (small, ..) = read(Workload::Small, 2 << 20);
        let texts = small.frames[0][1] + small.frames[1][1];
        let mean = small.payload_bytes.iter().sum::<u64>() / texts;
        assert!((150..190).contains(&mean) && small.connections > 500, "{mean} {small:?}");

        let (big, ..) = read(Workload::Big, 2 << 20);
        assert!(big.connections == 4 && big.frames[0][2] >= 4 && big.frames[1] == [0; 16], "{big:?}");

        let (flows, ..) = read(Workload::Flows, 1 << 20);
        let n = flows.connections;
        assert!(n >= 64, "{flows:?}");
        assert_eq!(flows.frames.map(|f| (f[1], f[8])), [(2 * n, n), (n, n)]);

        let (deflate, ..) = read(Workload::Deflate, 1 << 20);
        let mean = deflate.payload_bytes[1] / deflate.frames[1][1];
        assert!((20..120).contains(&mean) && deflate.connections == 64, "{mean} {deflate:?}");
    }

    #[test]
    fn a_seed_decides_every_byte() {
        let hash = |seed| {
            let mut hash = 0u64;
            generate(Workload::Flows, 100_000, seed, |_, packet| {
                for &byte in packet {
                    hash = hash.wrapping_mul(31).wrapping_add(u64::from(byte));
                }
            });
            hash
        };
        assert_eq!(hash(1), hash(1));
        assert_ne!(hash(1), hash(2));
    }
}
