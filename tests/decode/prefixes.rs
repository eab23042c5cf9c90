//! Inputs cut at every byte: what precedes the cut is shown, nothing is
//! invented, no span leaves what is there, and the end is named.
use std::collections::HashMap;

use wstool::model::Dir;
use wstool::synth::rewrite::Packet;

use crate::run::{Inspector, decode, digits, every_view, hex, inspect, packets, pcap, pcapng};
use crate::schema;

/// Two connections with most of what a capture can hold: fragments around a
/// control frame, all forms of the length, faults, TCP's own troubles.
const SCRIPT: &str = r#"
    handshake path=/chat subprotocol=chat
    client text "hello, world" fragment=5
    server binary 00ff size=130
    server ping "are you there?"
    client pong "are you there?"
    client text "caf\xC3"
    server text "too \xE2\x82" twice
    client text "unmasked" mask=none
    server raw "\xC1\x7F\x00\x00\x00\x00\x00\x00\x00\x02Hi"
    client close 1000 "bye"
    server close 1000
    connection client=[2001:db8::1]:50000 server=[2001:db8::2]:8080 mss=24
    client text "in small pieces"
    server text "an answer" mss=1
    rst server
"#;

/// Frames of a client as they stand in a pasted dump: text, a large binary, fragments, a close.
fn raw() -> Vec<u8> {
    let mut bytes = hex("81 85 37fa213d 7f9f4d5158  01 83 01020304 49656f  89 00  80 02 6c6f");
    bytes.extend(hex("82 7e 0100"));
    bytes.extend([0xAA; 256]);
    bytes.extend(hex("82 7f 0000000000000003 010203  c1 01 41  8b 00  88 82 00000000 03e8"));
    bytes
}

/// What a cut input must say of what precedes the cut: the units that were
/// complete by then, as the whole input has them.
fn is_prefix(part: &[String], whole: &[String], at: usize) {
    let mut rest = whole.iter().filter(|unit| is_settled(unit));
    for unit in part.iter().filter(|unit| is_settled(unit)) {
        assert!(rest.any(|known| known == unit), "cut at byte {at}, not in the whole:\n{unit}");
    }
}

/// Whether a unit says what more bytes will not change.
fn is_settled(unit: &str) -> bool {
    let open = ["truncated: true", "complete: false", "body_whole: false", "ending: Some"];
    !open.iter().any(|open| unit.contains(open))
}

#[test]
fn captures_cut_anywhere_keep_what_came_before() {
    let packets = packets(SCRIPT);
    for (format, file, step) in [("pcap", pcap(&packets), 1), ("pcapng", pcapng(&packets), 3)] {
        let mut whole = Inspector::default();
        assert_eq!(inspect(&file, &mut whole), None, "{format}");
        let frames = whole.summary.as_ref().map_or(0, |summary| summary.frames);
        assert!(frames >= 14, "{format}: {frames} frames");
        let (heads, record) = layout(format);
        let begin = heads[heads.len() - 1];
        let ends: Vec<usize> = packets
            .iter()
            .scan(begin, |at, (_, packet)| {
                *at += record(packet.len());
                Some(*at)
            })
            .collect();
        let mut seen = 0;
        // Fewer bytes could be anything.
        for at in (4..file.len()).step_by(step) {
            let complete = ends.iter().filter(|end| **end <= at).count();
            let mut part = Inspector { streams: streams(&packets[..complete]), ..Inspector::default() };
            let error = inspect(&file[..at], &mut part);
            let is_whole = heads.contains(&at) || ends.contains(&at);
            assert_eq!(error.is_none(), is_whole, "{format} cut at byte {at}: {error:?}");
            is_prefix(&part.units, &whole.units, at);
            if at >= begin {
                let summary = part.summary.expect("what is there is summed up");
                assert_eq!(summary.packets, complete as u64, "{format} cut at byte {at}");
                assert_eq!(summary.error.map(|words| words.to_string()), error, "{format} cut at byte {at}");
                let frames =
                    part.units.iter().filter(|unit| is_settled(unit) && unit.contains("Frame {")).count();
                assert!(frames >= seen, "{format} cut at byte {at}: a frame is lost");
                seen = frames;
            }
            if at % 61 == 0 {
                every_view(&file[..at]);
            }
        }
    }
}

/// Bytes after which a file of this format is whole without a packet, and how many
/// a packet of so many bytes takes.
fn layout(format: &str) -> (&'static [usize], fn(usize) -> usize) {
    match format {
        "pcap" => (&[24], |length| 16 + length),
        // A section, an interface.
        _ => (&[28, 48], |length| 32 + length.next_multiple_of(4)),
    }
}

/// How many bytes each endpoint sent, as far as these packets carry them.
fn streams(packets: &[Packet]) -> HashMap<(u32, Dir), u64> {
    let mut streams = HashMap::new();
    for (_, packet) in packets {
        let sliced = etherparse::SlicedPacket::from_ethernet(packet).expect("a whole packet");
        let Some(etherparse::TransportSlice::Tcp(tcp)) = sliced.transport else { panic!("no TCP") };
        let conn = if matches!(sliced.net, Some(etherparse::NetSlice::Ipv6(_))) { 2 } else { 1 };
        let dir = if tcp.destination_port() == 80 || tcp.destination_port() == 8080 {
            Dir::Client
        } else {
            Dir::Server
        };
        *streams.entry((conn, dir)).or_insert(0) += tcp.payload().len() as u64;
    }
    // A connection without a byte has no bits to point at.
    for key in [(1, Dir::Client), (1, Dir::Server), (2, Dir::Client), (2, Dir::Server)] {
        streams.entry(key).or_insert(0);
    }
    streams
}

#[test]
fn raw_bytes_cut_anywhere_keep_what_came_before() {
    let file = raw();
    let mut whole = Inspector::default();
    assert_eq!(inspect(&file, &mut whole), None);
    assert_eq!(whole.summary.as_ref().map(|s| s.frames), Some(9), "{:#?}", whole.units);
    for at in 1..file.len() {
        let streams = [(1, Dir::Client), (1, Dir::Server)].map(|key| (key, at as u64)).into();
        let mut part = Inspector { streams, ..Inspector::default() };
        let error = inspect(&file[..at], &mut part);
        assert_eq!(error, None, "cut at byte {at}");
        is_prefix(&part.units, &whole.units, at);
        every_view(&file[..at]);
    }
}

#[test]
fn hex_cut_anywhere_is_decoded_or_refused_with_a_place() {
    let bytes = raw();
    let plain = digits(&bytes, "", " ");
    let rows = bytes.chunks(16).enumerate();
    let rows: Vec<String> =
        rows.map(|(i, row)| format!("{:08x}  {}", i * 16, digits(row, "", " "))).collect();
    let dump = rows.join("\n");
    let array = digits(&bytes, "0x", ", ");
    for text in [plain, dump, format!("unsigned char f[] = {{ {array} }};")] {
        let mut whole = Inspector::default();
        assert_eq!(inspect(text.as_bytes(), &mut whole), None);
        for at in (1..text.len()).step_by(3) {
            let mut part = Inspector::default();
            match inspect(&text.as_bytes()[..at], &mut part) {
                Some(error) => assert!(error.starts_with("line "), "cut at byte {at}: {error}"),
                // The beginning of a dump may be read as plain digits, its offset being one of them.
                None if text.starts_with("0000") && at < 160 => {}
                None => is_prefix(&part.units, &whole.units, at),
            }
        }
    }
}

#[test]
fn compressed_captures_cut_anywhere_keep_what_came_before() {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&pcap(&packets(SCRIPT))).expect("memory takes it");
    let file = gzip.finish().expect("memory takes it");
    let mut whole = Inspector::default();
    assert_eq!(inspect(&file, &mut whole), None);
    for at in (1..file.len()).step_by(5) {
        let mut part = Inspector::default();
        let error = inspect(&file[..at], &mut part);
        assert!(error.is_some() || at < 3, "cut at byte {at} unnoticed");
        if at > 24 {
            is_prefix(&part.units, &whole.units, at);
        }
    }
}

/// Programs are promised the same keys of a frame that the end cuts short.
#[test]
fn records_of_what_is_cut_keep_the_schema() {
    let frames = hex("88 87 00000001 03e9627965e282  81 0a 61 62 ff fe 62 62 62 62 62 62");
    for at in 2..frames.len() {
        for record in decode(&frames[..at]).records {
            schema::assert_valid(&record);
        }
    }
}

/// What of the last frame is there is judged, be it one byte of its header.
#[test]
fn what_is_cut_is_judged_as_far_as_it_is_there() {
    let head = "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\
        HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    for (cut, rules) in [
        (
            "ffff",
            &["reserved-bit-set", "reserved-opcode", "masked-server-frame", "control-frame-too-long"][..],
        ),
        ("897e", &["control-frame-too-long"]),
        ("8801", &["close-payload-one-byte"]),
        ("810a6162fffe", &["invalid-utf8"]),
        ("880503ed", &["reserved-close-code", "close-unusual"]),
        ("c1", &["reserved-bit-set"]),
        ("81", &[]),
        ("8800 81", &[]),
    ] {
        let said = decode(&[head.as_bytes(), &hex(cut)].concat());
        for rule in rules {
            assert!(said.has(rule), "{cut}: {:?}", said.findings());
        }
        assert!(said.has("truncated-frame"), "{cut}");
        let found: Vec<&str> = said.findings().into_iter().filter(|rule| rules.contains(rule)).collect();
        let others = ["truncated-frame", "data-after-close", "close-without-code"];
        let all = said.findings();
        let rest: Vec<&&str> =
            all.iter().filter(|rule| !found.contains(*rule) && !others.contains(*rule)).collect();
        assert!(rest.is_empty(), "{cut}: {rest:?}");
    }
}
