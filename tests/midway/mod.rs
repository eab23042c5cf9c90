//! Captures that begin in the middle: cutting them, and what is found in them.

// Each group of tests is a crate of its own and uses its part of this.
#![allow(dead_code)]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use etherparse::{SlicedPacket, TransportSlice};
use wstool::input::capture::ETHERNET;
use wstool::input::{self, Input, PcapWriter};
use wstool::model::{Body, Dir, Flow, Handshake, ON, Severity, Sink, Time, Unit, Wants};
use wstool::pipeline;
use wstool::synth::Rng;
use wstool::synth::rewrite::{self, Packet};

use crate::run;

/// A capture as a list of packets.
pub struct Trace {
    /// Its path below the repository.
    pub name: String,
    pub packets: Vec<Packet>,
    pub link: u32,
}

impl Trace {
    /// Reads a capture, or plays a script.
    pub fn read(path: &Path) -> Self {
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).display().to_string();
        let bytes = fs::read(path).unwrap_or_else(|e| panic!("{name}: {e}"));
        if path.extension().is_some_and(|kind| kind == "script") {
            let text = String::from_utf8(bytes).expect("a script is text");
            return Self { name, packets: run::packets(&text), link: ETHERNET };
        }
        let mut packets = Vec::new();
        let mut link = ETHERNET;
        match input::open(Box::new(Cursor::new(bytes)), &name) {
            Ok(Input::Capture(mut capture)) => {
                while let Some(packet) = capture.next() {
                    let packet = packet.unwrap_or_else(|e| panic!("{name}: {e}"));
                    link = packet.link;
                    // Not every file has sensible times, and what is written again ends in 2106.
                    let time = Time(packet.time.0.min(u64::from(u32::MAX) * 1_000_000_000));
                    packets.push((time, packet.data.to_vec()));
                }
            }
            _ => panic!("{name} is no capture"),
        }
        Self { name, packets, link }
    }

    /// The same capture with other packets.
    pub fn with(&self, packets: Vec<Packet>) -> Self {
        Self { name: self.name.clone(), packets, link: self.link }
    }

    /// The same streams in segments of at most `size` bytes.
    pub fn resegmented(&self, size: usize) -> Self {
        self.with(rewrite::cut(&self.packets, size))
    }

    /// What is decoded when the first `skip` packets are not there.
    pub fn from(&self, skip: usize) -> Found {
        found(self.link, self.packets[skip..].iter(), skip as u64)
    }

    /// What is decoded when the first `skip` packets from one side of each connection are not there.
    pub fn without_first_of_one_side(&self, skip: usize, lower: bool) -> Found {
        let mut left: HashMap<(Vec<u8>, u16, u16), usize> = HashMap::new();
        let packets = self.packets.iter().filter(|(_, packet)| {
            let Some(key) = sender(packet, self.link) else { return true };
            if (key.1 < key.2) != lower {
                return true;
            }
            let left = left.entry(key).or_insert(skip);
            let keep = *left == 0;
            *left = left.saturating_sub(1);
            keep
        });
        found(self.link, packets, 0)
    }
}

/// Addresses and ports of a TCP packet, the sender's port first.
fn sender(packet: &[u8], link: u32) -> Option<(Vec<u8>, u16, u16)> {
    let sliced = match link {
        ETHERNET => SlicedPacket::from_ethernet(packet).ok()?,
        _ => return None,
    };
    let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { return None };
    let addresses = match &sliced.net {
        Some(etherparse::NetSlice::Ipv4(ip)) => ip.header().slice()[12..20].to_vec(),
        Some(etherparse::NetSlice::Ipv6(ip)) => ip.header().slice()[8..40].to_vec(),
        _ => return None,
    };
    Some((addresses, tcp.source_port(), tcp.destination_port()))
}

/// A frame of a capture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// Who sent it, and to whom.
    pub way: (String, String),
    /// Its header.
    pub head: Vec<u8>,
    /// Payload bytes that are there.
    pub captured: u64,
    /// The first of them, unmasked.
    pub payload: Vec<u8>,
    /// Its first and last packet in the whole capture, counted from 0.
    pub packets: (u64, u64),
}

impl Seen {
    /// What makes it the same frame in two decodings: a retransmission carries it in another packet.
    pub fn same(&self) -> (&(String, String), &[u8], u64, &[u8]) {
        (&self.way, &self.head, self.captured, &self.payload)
    }
}

/// What was decoded.
#[derive(Debug, Default)]
pub struct Found {
    pub frames: Vec<Seen>,
    /// Connections that are said to be WebSocket.
    pub websockets: BTreeSet<u32>,
    /// Rules said to be broken, notes left out.
    pub findings: Vec<&'static str>,
    /// The packet of each connection's answer 101, by who sends to whom; for both ways.
    pub handshakes: HashMap<(String, String), u64>,
    /// The packet of the client's preface, of connections that carry WebSockets over HTTP/2; for both ways.
    pub prefaces: HashMap<(String, String), Option<u64>>,
    ends: HashMap<u32, (String, String)>,
    skipped: u64,
}

impl Sink for Found {
    fn wants(&self) -> Wants {
        Wants { fields: false, payload: 64, app: true, causes: false, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let severe = unit.findings.iter().filter(|finding| finding.rule.severity != Severity::Note);
        self.findings.extend(severe.map(|finding| finding.rule.id));
        match unit.body {
            Body::Connection(connection) => {
                let name =
                    |end: Option<wstool::model::Endpoint>| end.map(|end| end.to_string()).unwrap_or_default();
                let (client, server) = (name(connection.client), name(connection.server));
                if connection.parent.is_some() {
                    self.prefaces.entry((client.clone(), server.clone())).or_default();
                    self.prefaces.entry((server.clone(), client.clone())).or_default();
                }
                self.ends.insert(unit.conn, (client, server));
                if matches!(
                    connection.handshake,
                    Handshake::Full | Handshake::ResponseOnly | Handshake::Missing
                ) {
                    self.websockets.insert(unit.conn);
                }
            }
            Body::Http(head) if head.start_line.split(' ').nth(1) == Some("101") => {
                let (client, server) = self.ends.get(&unit.conn).cloned().unwrap_or_default();
                let packet = (unit.packets.unwrap_or_default().0 + self.skipped).saturating_sub(1);
                self.handshakes.insert((server.clone(), client.clone()), packet);
                self.handshakes.insert((client, server), packet);
            }
            Body::Opening(opening) if opening.bytes.starts_with(b"PRI * HTTP/2.0") => {
                let (client, server) = self.ends.get(&unit.conn).cloned().unwrap_or_default();
                let packet = (unit.packets.unwrap_or_default().0 + self.skipped).saturating_sub(1);
                self.prefaces.insert((server.clone(), client.clone()), Some(packet));
                self.prefaces.insert((client, server), Some(packet));
            }
            Body::Frame(frame) => {
                let (client, server) = self.ends.get(&unit.conn).cloned().unwrap_or_default();
                let way = if unit.dir == Some(Dir::Client) { (client, server) } else { (server, client) };
                let (first, last) = unit.packets.unwrap_or_default();
                let absolute = |packet: u64| (packet + self.skipped).saturating_sub(1);
                self.frames.push(Seen {
                    way,
                    packets: (absolute(first), absolute(last)),
                    head: frame.head.to_vec(),
                    captured: frame.captured,
                    payload: frame.payload.to_vec(),
                });
            }
            _ => {}
        }
        ON
    }
}

impl Found {
    /// Nothing that is about WebSocket, and nobody accused.
    pub fn is_silent(&self) -> bool {
        self.frames.is_empty() && self.websockets.is_empty() && self.findings.is_empty()
    }
}

fn found<'a>(link: u32, packets: impl Iterator<Item = &'a Packet>, skipped: u64) -> Found {
    let mut writer = PcapWriter::new(Vec::new(), link).expect("memory takes it");
    let mut any = false;
    for (time, packet) in packets {
        writer.packet(*time, packet).expect("memory takes it");
        any = true;
    }
    let mut found = Found { skipped, ..Found::default() };
    if any {
        let file = writer.finish().expect("memory takes it");
        let input = input::open(Box::new(Cursor::new(file)), "cut").expect("it is a capture");
        pipeline::run(input, &mut found, &mut |_| {});
    }
    found
}

/// The captures and scripts of a folder, by name.
pub fn traces(folder: &str, kinds: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| kinds.iter().any(|kind| path.to_string_lossy().ends_with(kind)))
        .collect();
    paths.sort();
    paths
}

/// Places to cut a capture at: `count` of them by chance, or each there is.
pub fn places(packets: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut rng = Rng::new(seed);
    let mut places: Vec<usize> = (1..packets).collect();
    rng.shuffle(&mut places);
    places.truncate(count);
    places.sort_unstable();
    places
}
