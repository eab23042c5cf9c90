//! Layers stack: with a cipher between TCP and HTTP the decoders say the same, and every byte still leads to
//! the byte of the packet that carried it.
//!
//! The cipher is a stand-in. It knows what any other will: it is told what TCP carries, run by run, and hands
//! on what that deciphers to, each run with its place in the packet.

mod cipher;
mod places;

use std::fmt::Write as _;
use std::io::Cursor;
use std::net::SocketAddr;

use wstool::decoder::{Beginning, Decoder, Start};
use wstool::input::{self, Input};
use wstool::limits;
use wstool::model::{
    At, Body, Finding, Flow, FlowId, Interest, Layer, Meta, Packet, Receipt, Side, Sink, StreamEnd, TcpFacts,
    Time, Unit, Unopened,
};
use wstool::net::{self, CloseReason, Opened, StreamSink, Tracker};
use wstool::render::json::Json;
use wstool::render::{Options, Tree};

use crate::shelf::{Sample, samples};
use cipher::{Cipher, KEY, Records, Xor};
use places::Places;

/// A decoder that stands on a cipher.
struct Stack<'s, C> {
    decoder: Decoder<&'s mut dyn Sink>,
    ciphers: Vec<[C; 2]>,
}

impl<'s, C: Cipher> Stack<'s, C> {
    fn new(sink: &'s mut dyn Sink) -> Self {
        Self { decoder: Decoder::new(sink), ciphers: Vec::new() }
    }
}

impl<C: Cipher> StreamSink for Stack<'_, C> {
    fn open(&mut self, flow: FlowId, opened: &Opened) {
        let slot = flow.0 as usize;
        if self.ciphers.len() <= slot {
            self.ciphers.resize_with(slot + 1, Default::default);
        }
        self.ciphers[slot] = Default::default();
        let beginning = Beginning {
            endpoints: Some([opened.a, opened.b]),
            start: if opened.syn_seen { Start::Opened } else { Start::Midway },
            layer: Layer::Decrypted,
            parent: None,
            both_heard: opened.both_heard,
        };
        self.decoder.open(flow, &beginning);
    }

    fn data(&mut self, flow: FlowId, from: Side, bytes: &[u8], at: At) -> Interest {
        let cipher = &mut self.ciphers[flow.0 as usize][usize::from(from == Side::B)];
        let mut interest = Interest::Follow;
        cipher.decipher(bytes, at, &mut |clear, at| {
            if interest == Interest::Follow {
                interest = self.decoder.data(flow, from, clear, at);
            }
        });
        interest
    }

    fn gap(
        &mut self,
        flow: FlowId,
        from: Side,
        length: u64,
        between: (Option<u64>, Option<u64>),
    ) -> Interest {
        self.decoder.gap(flow, from, length, between, &net::TCP_GAP)
    }

    fn behind(&mut self, flow: FlowId, from: Side) {
        self.decoder.behind(flow, from);
    }

    fn end(&mut self, flow: FlowId, from: Side, how: StreamEnd, receipt: Receipt, at: At) -> Interest {
        self.decoder.end(flow, from, how, receipt, at)
    }

    fn transport(&mut self, flow: FlowId, facts: Box<TcpFacts>) {
        self.decoder.transport(flow, facts);
    }

    fn close(&mut self, flow: FlowId, _: CloseReason, last: Time) {
        let _: Flow = self.decoder.close(flow, StreamEnd::Capture, Some(last));
    }

    fn unopened(&mut self, server: SocketAddr, why: Unopened, at: At) {
        self.decoder.unopened(server, why, at);
    }

    fn anomaly(&mut self, flow: FlowId, from: Side, finding: Finding, at: At) {
        self.decoder.anomaly(flow, from, finding, at);
    }
}

/// A packet as it was captured.
struct Captured {
    time: Time,
    link: u32,
    data: Vec<u8>,
    wire_len: u32,
}

/// The packets of a sample, if it is a capture, and of nothing that is enciphered already.
fn packets(sample: &Sample) -> Option<Vec<Captured>> {
    if sample.stem().starts_with("tls1") || sample.stem().starts_with("tls-") {
        return None;
    }
    let input = input::open(Box::new(Cursor::new(sample.bytes())), &sample.name).ok()?;
    let Input::Capture(mut capture) = input else { return None };
    let mut packets = Vec::new();
    while let Some(Ok(packet)) = capture.next() {
        let data = packet.data.to_vec();
        packets.push(Captured { time: packet.time, link: packet.link, data, wire_len: packet.wire_len });
    }
    Some(packets)
}

/// Decodes packets whose payload is enciphered.
fn play(packets: &[Captured], sink: &mut dyn Sink) {
    let mut stack = Stack::<Xor>::new(sink);
    let about = Meta { start: packets.first().map(|packet| packet.time), ..Meta::default() };
    let _: Flow = stack.decoder.tell(&Unit::about_input(Body::Meta(&about)));
    let mut tracker = Tracker::new();
    for (number, packet) in (1..).zip(packets) {
        stack.decoder.tick(packet.time);
        let Captured { time, link, data, wire_len } = packet;
        let packet = Packet { number, time: *time, link: *link, data, wire_len: *wire_len };
        let _: Flow = tracker.packet(&packet, &mut stack);
    }
    let _: Flow = tracker.finish(&mut stack);
    stack.decoder.finish();
}

/// What two views say of everything but the input and its totals.
fn told(play: &mut dyn FnMut(&mut dyn Sink)) -> String {
    let mut json = Json::lines(Vec::new(), u64::MAX);
    play(&mut json);
    let json = String::from_utf8(json.finish().expect("memory takes it")).expect("JSON is UTF-8");
    let is_of = |line: &str, kind: &str| line.starts_with(&format!("{{\"type\":\"{kind}\""));
    let about_input = |line: &&str| !is_of(line, "meta") && !is_of(line, "summary");
    let records: Vec<&str> = json.lines().filter(about_input).collect();
    // So wide that the names of layers break no line.
    let mut tree = Tree::new(Vec::new(), Options { width: 400, ..Options::default() });
    play(&mut tree);
    let tree = String::from_utf8(tree.finish().expect("memory takes it")).expect("a view is UTF-8");
    let units = tree.lines().skip(1).filter(|line| !line.starts_with("summary "));
    let units: Vec<&str> = units.collect();
    format!("{}\n{}", records.join("\n"), units.join("\n"))
}

/// Every sample that is a capture whose TCP can be enciphered.
fn enciphered() -> impl Iterator<Item = (Sample, Vec<Captured>)> {
    samples().into_iter().filter_map(|sample| {
        let mut packets = packets(&sample)?;
        cipher::encipher(&mut packets).then_some((sample, packets))
    })
}

#[test]
fn a_layer_in_between_changes_nothing_that_is_said() {
    let (mut captures, mut named, mut wrong) = (0, 0, String::new());
    for (sample, packets) in enciphered() {
        // Where memory is short, it matters what else is held.
        if sample.memory() != limits::MEMORY {
            continue;
        }
        let plain = told(&mut |sink| sample.play(sink));
        let stacked = told(&mut |sink| play(&packets, sink));
        // What is said of a checksum is said of what is enciphered, and only of what is not that it is in
        // clear.
        if plain.contains("bad-tcp-checksum") || plain.contains("cleartext-websocket") {
            continue;
        }
        assert!(!stacked.contains("/client\"") && !stacked.contains("/server\""), "{}", sample.name);
        named += stacked.matches("/decrypted\"").count();
        let stacked = stacked.replace("/decrypted", "").replace("the deciphered stream", "the stream");
        if plain != stacked {
            let _ = writeln!(wrong, "{}: {}", sample.name, first_difference(&plain, &stacked));
        }
        captures += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(captures > 150 && named > 100, "{captures} captures, {named} places");
}

fn first_difference(one: &str, other: &str) -> String {
    let differs = one.lines().zip(other.lines()).find(|(a, b)| a != b);
    differs.map_or("one has more lines".to_owned(), |(a, b)| format!("\n  {a}\n  {b}"))
}

#[test]
fn every_byte_leads_to_its_packet() {
    let mut checked = 0;
    for sample in samples() {
        let Some(packets) = packets(&sample) else { continue };
        let mut places = Places::new(&packets, 0);
        sample.play(&mut places);
        checked += places.finish(&sample.name);
    }
    assert!(checked > 100_000, "{checked}");
}

#[test]
fn every_byte_that_was_deciphered_leads_to_its_packet() {
    let mut checked = 0;
    for (sample, packets) in enciphered() {
        let mut places = Places::new(&packets, KEY);
        play(&packets, &mut places);
        assert!(places.sources.iter().all(places::is_deciphered), "{}", sample.name);
        checked += places.finish(&sample.name);
    }
    assert!(checked > 100_000, "{checked}");
}

/// Where a layer has bytes of its own in between, offsets in what it carries are not those in what carries
/// it.
#[test]
fn a_byte_behind_headers_of_the_layer_leads_to_its_packet() {
    let response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let answered = [&response[..], b"\x01\x03Hel\x80\x02lo"].concat();
    let said: &[(Side, &[u8])] = &[
        (
            Side::A,
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ),
        (Side::B, &answered),
        (Side::A, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
    ];
    for (most, cut) in [(1, 1), (7, 10), (5, 64), (200, 9)] {
        let mut packets = Vec::new();
        let mut runs = Vec::new();
        for (side, bytes) in said {
            for part in Records::encipher(bytes, most).chunks(cut) {
                // In front of it stand headers.
                let data = [&[0xEE; 54][..], part].concat();
                runs.push((*side, part.to_vec()));
                packets.push(Captured { time: Time::default(), link: 1, data, wire_len: 0 });
            }
        }
        let mut places = Places::new(&packets, KEY);
        let mut stack = Stack::<Records>::new(&mut places);
        let (flow, time) = (FlowId(0), Time::default());
        let ends = ["10.0.0.1:5000", "10.0.0.2:80"].map(|end| end.parse().expect("an address"));
        let [a, b] = ends;
        stack.open(flow, &Opened { a, b, syn_seen: true, both_heard: true, packet: 1, time });
        for (packet, (side, part)) in (1..).zip(&runs) {
            stack.data(flow, *side, part, At { packet, byte: 54, time: Some(time) });
        }
        stack.close(flow, CloseReason::Closed, time);
        drop(stack);
        assert_eq!(places.texts(), ["Hello", "Hello"], "{most}, {cut}");
        // Two heads, three frames, two messages.
        let heads = (said[0].1.len() + response.len()) as u64;
        assert_eq!(places.finish("records"), heads + 10 + 10, "{most}, {cut}");
    }
}
