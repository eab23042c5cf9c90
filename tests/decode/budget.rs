//! The budget for memory is reached in each of the ways in which connections hold something, what is given up
//! is told, decoding goes on, and the peak stays within the budget and a tenth of it.
//!
//! The peak of a process is read from the system, so each way has a process of its own.
#![cfg(target_os = "linux")]
use std::cell::Cell;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::rc::Rc;

use flate2::{Compress, Compression, FlushCompress};
use wstool::decoder::{Beginning, Decoder};
use wstool::input;
use wstool::model::{
    At, Body, Flow, FlowId, Handshake, Interest, Message, Side, Sink, StreamEnd, Time, Unit, Wants,
};
use wstool::pipeline::{self, Means};
use wstool::render::views::{Choice, Form};
use wstool::render::{Options, hex, tree};

use crate::alone::{self, forget_peak, peak};
use crate::crowds;

/// What a run may hold.
const BUDGET: usize = 16 << 20;

/// What it may take besides, whatever it decodes.
const BASE: usize = 3 << 20;

const REQUEST: &[u8] = b"GET /stream HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/// What a run told, in numbers.
#[derive(Default)]
struct Seen {
    given_up: u64,
    /// Given up as one finding says: its first words behind the number.
    why: Vec<String>,
    lost: u64,
    messages: u64,
    /// Of those, whose payload is cut.
    cut: u64,
    inflated: u64,
    /// Connections whose handshake was complete.
    opened: u64,
    other_findings: Vec<&'static str>,
}

impl Sink for Seen {
    fn wants(&self) -> Wants {
        Wants { payload: 1 << 30, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        for finding in unit.findings {
            match finding.rule.id {
                "memory-budget-reached" => {
                    assert!(unit.conn > 0 && matches!(unit.body, Body::Note));
                    self.given_up += 1;
                    self.why.push(finding.got.template.to_owned());
                }
                "pmd-window-lost" => {
                    assert!(finding.got.to_string().contains("given up for --memory"), "{}", finding.got);
                    self.lost += 1;
                }
                other => self.other_findings.push(other),
            }
        }
        match unit.body {
            Body::Message(Message { payload_cut, inflated_length, .. }) => {
                self.messages += 1;
                self.cut += u64::from(*payload_cut);
                self.inflated += u64::from(inflated_length.is_some());
            }
            Body::Connection(connection) if connection.ending.is_some() => {
                self.opened += u64::from(connection.handshake == Handshake::Full);
            }
            _ => {}
        }
        Flow::Continue(())
    }
}

/// A decoder, and the time.
struct Feed {
    decoder: Decoder<Seen>,
    now: u64,
}

impl Feed {
    fn new() -> Self {
        Self { decoder: Decoder::within(BUDGET, Seen::default()), now: 0 }
    }

    fn open(&mut self, id: u32) {
        let client: SocketAddr =
            format!("192.0.2.{}:{}", 1 + id / 50_000, 10_000 + id % 50_000).parse().expect("one");
        let server = "198.51.100.7:80".parse().expect("one");
        self.decoder.open(FlowId(id), &Beginning::opened([client, server]));
    }

    fn data(&mut self, id: u32, side: Side, bytes: &[u8]) {
        self.now += 1_000_000;
        self.decoder.tick(Time(self.now));
        let at = At { time: Some(Time(self.now)), ..At::default() };
        assert_ne!(self.decoder.data(FlowId(id), side, bytes, at), Interest::Stop);
        assert!(self.decoder.held() <= BUDGET, "{} bytes are held", self.decoder.held());
    }

    fn handshake(&mut self, id: u32) {
        self.open(id);
        self.data(id, Side::A, REQUEST);
        self.data(id, Side::B, RESPONSE);
    }

    fn close(&mut self, id: u32) {
        assert!(self.decoder.close(FlowId(id), StreamEnd::Capture, Some(Time(self.now))).is_continue());
    }

    fn seen(self) -> Seen {
        self.decoder.finish().0
    }
}

/// A message of a server as one frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 127];
    frame.extend((payload.len() as u64).to_be_bytes());
    frame.extend(payload);
    frame
}

/// Unfinished messages: each still is counted and checked, and shown as cut.
fn messages() {
    const MANY: u32 = 800;
    let mut feed = Feed::new();
    let part = vec![b'x'; 100_000];
    for id in 0..MANY {
        feed.handshake(id);
        feed.data(id, Side::B, &frame(0x01, &part));
        // A frame of which not all is there is one too.
        feed.data(id, Side::B, &frame(0x80, &part)[..50_000]);
    }
    for id in 0..MANY {
        feed.data(id, Side::B, &frame(0x80, &part)[50_000..]);
        // It is text all the same, which this one is not.
        feed.data(id, Side::B, if id == 0 { b"\x81\x01\xFF" } else { b"\x81\x01x" });
        feed.close(id);
    }
    let seen = feed.seen();
    let many = u64::from(MANY);
    assert!(seen.given_up > many / 2 && seen.given_up <= 2 * many, "{}", seen.given_up);
    assert!(seen.why.iter().all(|why| why.contains("unfinished message")));
    assert_eq!(seen.messages, 2 * many);
    assert!(seen.cut > many / 2 && seen.cut < many, "{}", seen.cut);
    assert_eq!(seen.other_findings.iter().filter(|id| **id == "invalid-utf8").count(), 1);
}

/// Windows: those idle for longest go, and what refers to them says why it cannot be inflated.
fn windows() {
    const MANY: u32 = 800;
    // A text that refers to nothing before it, and the same again, which is nothing but a reference.
    let text: Vec<u8> = (0..30_000_u32).map(|i| b'a' + (i.wrapping_mul(i ^ 0x4D) >> 5) as u8 % 26).collect();
    let mut compress = Compress::new(Compression::fast(), false);
    let [first, again] = [0, 1].map(|_| {
        let mut out = Vec::with_capacity(2 * text.len());
        compress.compress_vec(&text, &mut out, FlushCompress::Sync).expect("room enough");
        frame(0xC1, out.strip_suffix(&[0, 0, 0xFF, 0xFF]).expect("a flush ends like this"))
    });
    let mut feed = Feed::new();
    for id in 0..MANY {
        feed.handshake(id);
        feed.data(id, Side::B, &first);
    }
    for id in (0..MANY).rev() {
        feed.data(id, Side::B, &again);
    }
    let seen = feed.seen();
    let many = u64::from(MANY);
    assert!(seen.given_up > many / 2, "{}", seen.given_up);
    assert!(seen.why.iter().all(|why| why.contains("inflater")));
    assert_eq!(seen.messages, 2 * many);
    assert_eq!(seen.inflated + seen.lost, 2 * many);
    assert!(seen.lost > many / 2 && seen.lost < many, "{}", seen.lost);
}

/// Requests that nobody answers: what comes later is read as if the capture began there.
fn requests() {
    const MANY: u32 = 3600;
    let mut feed = Feed::new();
    let request = [&REQUEST[..REQUEST.len() - 2], b"Cookie: ", &vec![b'c'; 4000], b"\r\n\r\n"].concat();
    for id in 0..MANY {
        feed.open(id);
        feed.data(id, Side::A, &request);
    }
    for id in 0..MANY {
        feed.data(id, Side::B, RESPONSE);
        feed.data(id, Side::B, b"\x81\x02hi");
        feed.close(id);
    }
    let seen = feed.seen();
    let many = u64::from(MANY);
    assert!(seen.given_up > many / 2 && seen.given_up < many, "{}", seen.given_up);
    assert!(seen.why.iter().all(|why| why.contains("handshake")));
    // The response is known for what it is, and what follows it for frames.
    assert_eq!(seen.messages, many);
    assert_eq!(seen.opened, many);
}

/// A frame of one byte over and over, which is nowhere as a whole.
fn long(first: u8, byte: u8, length: usize) -> Box<dyn io::Read + Send> {
    let head = frame(first, &[]);
    let length = length as u64;
    let head = [&head[..2], &length.to_be_bytes()].concat();
    Box::new(io::Cursor::new(head).chain(io::repeat(byte).take(length)))
}

/// A first byte and those of a payload, and how they are shown.
type Shown = (u8, u8, &'static Choice, Form);

static SHOWN: [Shown; 5] = [
    (0x81, b'x', &tree::VIEW, Form::Text),
    (0x82, 0xAA, &tree::VIEW, Form::Text),
    (0x81, b'x', &hex::VIEW, Form::Text),
    (0x81, b'x', &tree::VIEW, Form::Lines),
    (0x82, 0xAA, &tree::VIEW, Form::Lines),
];

/// Shows a frame of so many bytes, and gives how many are written of it.
fn show(&(first, byte, view, form): &Shown, length: usize) -> usize {
    let options = Options { payload: Some(1 << 30), ..Options::default() };
    let counted = Counted::default();
    let mut sink = view.over(counted.clone(), form, &options);
    let input = input::open(long(first, byte, length), "test").expect("it is raw");
    pipeline::run_with(Means { memory: BUDGET, ..Means::default() }, input, sink.as_mut(), &mut |_| {});
    sink.end().expect("it counts");
    counted.0.get()
}

/// One large payload that is shown as a whole: it is kept once, and its rows are written as they are made.
fn payload() {
    const LARGE: usize = 10 << 20;
    for shown in &SHOWN {
        let counted = show(shown, LARGE);
        assert!(counted > LARGE, "{} in {:?}: all of it is shown, not {counted}", shown.2.name, shown.3);
    }
    // What is beyond the budget is shown cut.
    let input = input::open(long(0x81, b'x', 2 * LARGE), "test").expect("it is raw");
    let mut seen = Seen::default();
    pipeline::run_with(Means { memory: BUDGET, ..Means::default() }, input, &mut seen, &mut |_| {});
    assert_eq!((seen.given_up, seen.messages, seen.cut), (1, 1, 1));
}

/// Connections that are open and nothing else: those idle for longest are followed no longer.
fn connections() {
    const MANY: u32 = 10_000;
    let packets = 3 * MANY;
    let capture = crowds::capture(packets, |n| match (n / 3, n % 3) {
        (connection, 0) => (connection, true, 0, 0, crowds::REQUEST.to_vec()),
        (connection, 1) => (connection, false, 0, 0, crowds::RESPONSE.to_vec()),
        (connection, _) => (connection, false, crowds::RESPONSE.len() as u32, 0, b"\x81\x02hi".to_vec()),
    });
    let input = input::open(Box::new(capture), "made").expect("a capture");
    let mut seen = Seen::default();
    let outcome =
        pipeline::run_with(Means { memory: BUDGET, ..Means::default() }, input, &mut seen, &mut |_| {});
    assert_eq!(outcome.summary.packets, u64::from(packets));
    assert_eq!((outcome.summary.connections, seen.messages), (u64::from(MANY), u64::from(MANY)));
    assert!(seen.given_up > 1000 && seen.given_up < u64::from(MANY), "{}", seen.given_up);
    assert!(seen.why.iter().all(|why| why.contains("a connection")));
}

/// Counts what is written.
#[derive(Clone, Default)]
struct Counted(Rc<Cell<usize>>);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The ways of reaching the budget.
const WAYS: &[(&str, fn())] = &[
    ("messages", messages),
    ("windows", windows),
    ("requests", requests),
    ("payload", payload),
    ("connections", connections),
];

#[test]
fn the_budget_is_kept() {
    if let Some(which) = alone::which() {
        let (name, run) = WAYS[which.parse::<usize>().expect("a number")];
        // The pages of the program's own code are there before it is measured what it keeps.
        for shown in &SHOWN {
            show(shown, 4096);
        }
        forget_peak();
        let before = peak();
        run();
        let took = peak().saturating_sub(before);
        let allowed = BUDGET + BUDGET / 10 + BASE;
        eprintln!("{name}: {} KiB of {}", took >> 10, allowed >> 10);
        assert!(took <= allowed, "{name} takes more than it may");
        return;
    }
    let start = |which: usize| alone::start("budget::the_budget_is_kept", &which.to_string());
    let children: Vec<_> = (0..WAYS.len()).map(start).collect();
    for (child, (name, ..)) in children.into_iter().zip(WAYS) {
        let said = alone::said(child, name);
        println!("{}", said.lines().find(|line| line.contains("KiB")).unwrap_or_default());
    }
}
