//! Memory stays within its bounds however many connections there are, and
//! whatever each of them leaves unfinished.
//!
//! What a process has used at most is read from the system, so each capture is
//! decoded in a process of its own.
#![cfg(target_os = "linux")]
use std::io::{self, Read};
use std::net::Ipv4Addr;

use wstool::input;
use wstool::limits;
use wstool::pipeline;
use wstool::render::views::{self, Form};
use wstool::render::{Options, tree};

use crate::alone::{self, forget_peak, peak};

/// Mebibytes any run may take, besides what its connections may.
const BASE: usize = 6;

/// Bytes for a flow that is not followed, and for one that is looked at; half of it room to grow.
const SILENT: usize = 600;
const PROBED: usize = 1024;

/// The same for a WebSocket that is open, with all that is counted of it.
const LIVE: usize = 4 * 1024;

/// Connections that are reset, more than are remembered, and what it takes to wait for what comes late of
/// some, to have read ahead, and to remember them.
const RESETS: u32 = 90_000;
const RESET_HELD: usize = limits::LINGERING * 5 * 1024 + limits::CROWD * 192;

const ACK: u8 = 0x10;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;

pub const REQUEST: &[u8] =
    b"GET /stream HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
pub const RESPONSE: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A segment: which connection, whether its client sends it, its place in the stream, its flags and data.
pub type Segment = (u32, bool, u32, u8, Vec<u8>);

/// A capture that is made while it is read.
pub struct Made<M> {
    make: M,
    number: u32,
    ready: Vec<u8>,
    at: usize,
}

impl<M: FnMut(u32) -> Option<Segment>> Read for Made<M> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            (self.at, self.number) = (0, self.number + 1);
            self.ready.clear();
            if let Some(segment) = (self.make)(self.number - 1) {
                record(self.number, &segment, &mut self.ready);
            }
        }
        let count = into.len().min(self.ready.len() - self.at);
        into[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// A packet in its pcap record: raw IPv4, a microsecond after the one before.
fn record(number: u32, (connection, from_client, seq, flags, data): &Segment, into: &mut Vec<u8>) {
    let client = (Ipv4Addr::from(0x0A00_0000 + connection / 50_000), 10_000 + (connection % 50_000) as u16);
    let server = (Ipv4Addr::new(192, 0, 2, 80), 80);
    let (from, to) = if *from_client { (client, server) } else { (server, client) };
    let length = 40 + data.len() as u32;
    for word in [1_700_000_000 + number / 1_000_000, number % 1_000_000, length, length] {
        into.extend_from_slice(&word.to_le_bytes());
    }
    into.extend_from_slice(&[0x45, 0]);
    into.extend_from_slice(&(length as u16).to_be_bytes());
    into.extend_from_slice(&[0, 0, 0, 0, 64, 6, 0, 0]);
    into.extend_from_slice(&from.0.octets());
    into.extend_from_slice(&to.0.octets());
    into.extend_from_slice(&from.1.to_be_bytes());
    into.extend_from_slice(&to.1.to_be_bytes());
    into.extend_from_slice(&seq.to_be_bytes());
    into.extend_from_slice(&[0; 4]);
    // No acknowledgement that says anything, and a checksum left to the hardware.
    into.extend_from_slice(&[0x50, flags & !ACK, 0xFF, 0xFF, 0, 0, 0, 0]);
    into.extend_from_slice(data);
}

/// A crowd: its name, bytes it may take, what looks at it, packets, and how they are made.
type Crowd = (&'static str, usize, &'static str, u32, fn(u32) -> Segment);

const MANY: u32 = 60_000;
const OPEN: u32 = 15_000;

const CROWDS: &[Crowd] = &[
    ("handshakes without data", MANY as usize * SILENT, "stats", MANY, |n| (n, true, 0, SYN, vec![])),
    ("something else, from its beginning", MANY as usize * SILENT, "stats", 2 * MANY, |n| match n / MANY {
        0 => (n, true, 0, SYN, vec![]),
        _ => (n % MANY, true, 1, ACK, vec![0x16; 100]),
    }),
    ("a byte each, midway", MANY as usize * PROBED, "stats", MANY, |n| (n, true, 5, ACK, vec![0x55])),
    ("garbage midway", MANY as usize * PROBED + limits::EARLY_TOTAL, "stats", 2 * MANY, |n| {
        let garbage = (0..1000_u32).map(|i| (i * i + n) as u8 | 0x70);
        (n % MANY, true, 1000 * (n / MANY), ACK, garbage.collect())
    }),
    ("heads without end", 3 * limits::EARLY_TOTAL, "ndjson", 100_000, |n| match (n % 500, n / 500) {
        (connection, 0) => (connection, true, 0, ACK, b"GET / HTTP/1.1\r\n".to_vec()),
        (connection, round) => (connection, true, 16 + 1000 * (round - 1), ACK, vec![b'x'; 1000]),
    }),
    ("empty lines without end", 0, "stats", 100_000, |n| match n {
        0..4 => (n, true, u32::MAX, SYN, vec![]),
        _ => (n % 4, true, 2 * (n / 4 - 1), ACK, b"\r\n".to_vec()),
    }),
    ("data before the response, byte by byte", limits::EARLY_TOTAL, "stats", 300_000, |n| match n {
        0 => (0, true, 0, ACK, REQUEST.to_vec()),
        1 => (0, false, 0, ACK, b"HTTP/1.1 ".to_vec()),
        n => (0, true, REQUEST.len() as u32 + n - 2, ACK, vec![0x81]),
    }),
    ("WebSockets that stay open", OPEN as usize * LIVE, "stats", 4 * OPEN, |n| match (n % OPEN, n / OPEN) {
        (connection, 0) => (connection, true, 0, ACK, REQUEST.to_vec()),
        (connection, 1) => (connection, false, 0, ACK, RESPONSE.to_vec()),
        (connection, 2) => (connection, false, RESPONSE.len() as u32, ACK, b"\x81\x02hi".to_vec()),
        (connection, _) => (connection, true, REQUEST.len() as u32, ACK, b"\x81\xFE\x01".to_vec()),
    }),
    ("WebSockets that are reset", RESET_HELD, "stats", 4 * RESETS, |n| match (n / 4, n % 4) {
        (connection, 0) => (connection, true, 0, ACK, REQUEST.to_vec()),
        (connection, 1) => (connection, false, 0, ACK, RESPONSE.to_vec()),
        (connection, 2) => (connection, false, RESPONSE.len() as u32, ACK, b"\x81\x02hi".to_vec()),
        (connection, _) => (connection, false, RESPONSE.len() as u32 + 4, RST, vec![]),
    }),
    ("one frame in very many packets", 0, "tree", 300_000, |n| match n {
        0 => (0, true, 0, ACK, REQUEST.to_vec()),
        1 => (0, false, 0, ACK, RESPONSE.to_vec()),
        2 => (0, false, RESPONSE.len() as u32, ACK, b"\x82\x7F\x0F\0\0\0\0\0\0\0".to_vec()),
        n => (0, false, RESPONSE.len() as u32 + 10 + n - 3, ACK, vec![7]),
    }),
    ("keys and targets as long as heads", limits::MEMORY, "ndjson", 4000, |n| {
        const PART: usize = 40_000;
        let upgrade = "Upgrade: websocket\r\nSec-WebSocket-Key";
        let head = format!("GET /{n:0>60000} HTTP/1.1\r\nHost: a\r\n{upgrade}: {n:0>60000}\r\n\r\n");
        let (connection, part) = (n / 4, n as usize % 4);
        let data = match part {
            3 => b"\x88\x80\0\0\0\0".to_vec(),
            2 => head.as_bytes()[2 * PART..].to_vec(),
            _ => head.as_bytes()[part * PART..][..PART].to_vec(),
        };
        (connection, true, if part == 3 { head.len() } else { part * PART } as u32, ACK, data)
    }),
];

#[test]
fn memory_is_bounded_by_connections() {
    if let Some(which) = alone::which() {
        return decode(CROWDS[which.parse::<usize>().expect("a number")]);
    }
    let start = |which: usize| alone::start("crowds::memory_is_bounded_by_connections", &which.to_string());
    let children: Vec<_> = (0..CROWDS.len()).map(start).collect();
    for (child, (name, ..)) in children.into_iter().zip(CROWDS) {
        let said = alone::said(child, name);
        println!("{}", said.lines().find(|line| line.contains("KiB")).unwrap_or_default());
    }
}

/// A capture of so many packets.
pub fn capture(packets: u32, make: fn(u32) -> Segment) -> Made<impl FnMut(u32) -> Option<Segment>> {
    let header = b"\xD4\xC3\xB2\xA1\x02\0\x04\0\0\0\0\0\0\0\0\0\xFF\xFF\0\0\x65\0\0\0".to_vec();
    let make = move |number| (number < packets).then(|| make(number));
    Made { make, number: 0, ready: header, at: 0 }
}

/// Decodes a capture and holds what it took against what is allowed.
fn decode((name, allowed, view, packets, make): Crowd) {
    let (view, form) = match view {
        "ndjson" => (&tree::VIEW, Form::Lines),
        name => (views::named(name).expect("a view"), Form::Text),
    };
    let run = |packets| {
        let input = input::open(Box::new(capture(packets, make)), "made").expect("a capture");
        let mut sink = view.over(io::sink(), form, &Options::default());
        pipeline::run(input, sink.as_mut(), &mut |_| {})
    };
    // The pages of the program's own code are there before it is measured what it keeps.
    run(packets.min(100));
    forget_peak();
    let before = peak();
    let outcome = run(packets);
    assert_eq!(outcome.summary.packets, u64::from(packets), "{name}: {:?}", outcome.error);
    let (took, allowed) = (peak().saturating_sub(before), (BASE << 20) + allowed);
    let connections = outcome.summary.connections;
    eprintln!("{name}: {} KiB of {}, {connections} connections", took >> 10, allowed >> 10);
    assert!(took <= allowed, "{name} takes more than it may");
}
