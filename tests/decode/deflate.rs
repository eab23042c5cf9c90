//! permessage-deflate from the wire to the message: the examples of RFC 7692
//! §7.2.3, bombs, and the bugs of other implementations that concern it.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use wstool::decoder::{Decoder, Extensions};
use wstool::limits;
use wstool::model::{
    At, Body, Deflate, Flow, FlowId, FrameHeader, Interest, ON, Opcode, Side, Sink, StreamEnd, Unit, Wants,
};
use wstool::ws::encode;

const AGREED: Deflate = Deflate {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
};

/// What was made of the messages: the text (or what there is of it), and the rules broken.
#[derive(Default)]
struct Seen {
    messages: Vec<(String, Option<u64>)>,
    findings: Vec<&'static str>,
}

impl Sink for Seen {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: 1 << 20, app: false, causes: false, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.findings.extend(unit.findings.iter().map(|f| f.rule.id));
        for finding in unit.findings {
            for span in &finding.spans {
                assert!(span.start <= span.end);
            }
        }
        if let Body::Message(message) = unit.body
            && !message.kind.is_control()
        {
            let text = String::from_utf8_lossy(message.payload).into_owned();
            self.messages.push((text, message.inflated_length));
        }
        ON
    }
}

/// What the server sends is decoded, `cut` bytes at a time.
fn decode(agreed: Option<Deflate>, wire: &[u8], cut: usize) -> Seen {
    decode_with(Extensions { known: true, deflate: agreed, other: false }, wire, cut, false)
}

const AGREEING: Extensions = Extensions { known: true, deflate: Some(AGREED), other: false };

/// What the server sends is decoded, `cut` bytes at a time; `ends` says that the capture ends there.
fn decode_with(extensions: Extensions, wire: &[u8], cut: usize, ends: bool) -> Seen {
    const ONE: FlowId = FlowId(0);
    let mut decoder = Decoder::new(Seen::default());
    assert_eq!(decoder.open_upgraded(ONE, None, extensions), Interest::Follow);
    for chunk in wire.chunks(cut) {
        assert_eq!(decoder.data(ONE, Side::B, chunk, At::default()), Interest::Follow);
    }
    if ends {
        assert!(decoder.close(ONE, StreamEnd::Capture, None).is_continue());
    }
    std::mem::take(decoder.sink())
}

fn frame(opcode: Opcode, fin: bool, rsv1: bool, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader { fin, rsv1, ..FrameHeader::of(opcode, None, payload.len() as u64) };
    let mut wire = Vec::new();
    encode::frame(&header, payload, &mut wire);
    wire
}

/// One compressed text message in one frame.
fn message(payload: &[u8]) -> Vec<u8> {
    frame(Opcode::TEXT, true, true, payload)
}

/// A compressor for one direction.
struct Sender(DeflateEncoder<Vec<u8>>);

impl Sender {
    fn new() -> Self {
        Self(DeflateEncoder::new(Vec::new(), Compression::default()))
    }

    fn message(&mut self, content: &[u8]) -> Vec<u8> {
        let before = self.0.get_ref().len();
        self.0.write_all(content).unwrap();
        self.0.flush().unwrap();
        let whole = &self.0.get_ref()[before..];
        whole[..whole.len() - 4].to_vec()
    }
}

const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
const AGAIN: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];
const FINAL: &[u8] = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];

#[test]
fn the_examples_of_rfc7692_7_2_3() {
    let cases: &[(&str, Vec<u8>, &[&str])] = &[
        ("7.2.3.1, one frame", vec![0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], &["Hello"]),
        (
            "7.2.3.1, two fragments",
            vec![0x41, 0x03, 0xf2, 0x48, 0xcd, 0x80, 0x04, 0xc9, 0xc9, 0x07, 0x00],
            &["Hello"],
        ),
        ("7.2.3.2, takeover", [message(HELLO), message(AGAIN)].concat(), &["Hello", "Hello"]),
        // The RFC prints a length of 7 here; the byte is 0x0b.
        ("7.2.3.3, stored", b"\xc1\x0b\x00\x05\x00\xfa\xffHello\x00".to_vec(), &["Hello"]),
        ("7.2.3.4, final", message(FINAL), &["Hello"]),
        ("7.2.3.4, final, then takeover", [message(FINAL), message(AGAIN)].concat(), &["Hello", "Hello"]),
        (
            "7.2.3.5, two blocks",
            message(&[0xf2, 0x48, 0x05, 0, 0, 0, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00]),
            &["Hello"],
        ),
        ("7.2.3.6, empty", message(&[0]), &[""]),
    ];
    for (name, wire, expected) in cases {
        for cut in [usize::MAX, 1, 2] {
            let seen = decode(Some(AGREED), wire, cut);
            let texts: Vec<&str> = seen.messages.iter().map(|(text, _)| text.as_str()).collect();
            assert_eq!(texts, *expected, "{name}");
            assert_eq!(seen.findings, [""; 0], "{name}");
        }
    }
}

/// nginx-clojure #163: an uncompressed message among compressed ones was inflated all the same.
#[test]
fn uncompressed_messages_leave_the_window_alone() {
    let wire = [message(HELLO), frame(Opcode::TEXT, true, false, b"plain"), message(AGAIN)].concat();
    let seen = decode(Some(AGREED), &wire, usize::MAX);
    assert_eq!(seen.messages, [("Hello".into(), Some(5)), ("plain".into(), None), ("Hello".into(), Some(5))]);
}

/// Suricata 8413: a control frame between fragments went into the message.
#[test]
fn a_ping_between_compressed_fragments_is_not_inflated() {
    let wire = [
        frame(Opcode::TEXT, false, true, &HELLO[..3]),
        frame(Opcode::PING, true, false, b"ping"),
        frame(Opcode::CONTINUATION, true, false, &HELLO[3..]),
    ]
    .concat();
    assert_eq!(decode(Some(AGREED), &wire, 1).messages, [("Hello".into(), Some(5))]);
}

/// ws #1840: resetting the inflater with `no_context_takeover` while data was queued.
#[test]
fn without_takeover_each_message_stands_alone() {
    let agreed = Deflate { server_no_context_takeover: true, ..AGREED };
    let seen = decode(Some(agreed), &[message(HELLO), message(HELLO)].concat(), 1);
    assert_eq!(seen.messages, [("Hello".into(), Some(5)), ("Hello".into(), Some(5))]);
    assert_eq!(seen.findings, [""; 0]);
    // One that looks back all the same is shown, and found.
    let seen = decode(Some(agreed), &[message(HELLO), message(AGAIN)].concat(), 1);
    assert_eq!(seen.messages[1], ("Hello".into(), Some(5)));
    assert_eq!(seen.findings, ["pmd-context-takeover-violation"]);
}

/// zlib's own 256-byte window: data made for 2^9 although 2^8 was agreed still inflates.
#[test]
fn a_window_larger_than_agreed_is_found_and_still_inflated() {
    let noise: Vec<u8> = (0..400u32).flat_map(|i| (i * i * 7919).to_le_bytes()).collect();
    let text: Vec<u8> = [&noise[..], &noise[..200]].concat();
    let wire = message(&Sender::new().message(&text));
    let agreed = Deflate { server_max_window_bits: 10, ..AGREED };
    let seen = decode(Some(agreed), &wire, usize::MAX);
    assert_eq!(seen.messages[0].1, Some(text.len() as u64));
    assert!(seen.findings.contains(&"pmd-window-exceeded"), "{:?}", seen.findings);
    let agreed = Deflate { server_max_window_bits: 11, ..AGREED };
    assert!(!decode(Some(agreed), &wire, usize::MAX).findings.contains(&"pmd-window-exceeded"));
}

/// websocketpp #1144: an inflate error concerns one message, and what can be trusted later is said.
#[test]
fn an_inflate_error_is_that_messages_own() {
    let seen = decode(
        Some(AGREED),
        &[message(b"\x07nonsense"), message(AGAIN), message(HELLO), message(AGAIN)].concat(),
        usize::MAX,
    );
    assert_eq!(seen.messages[2], ("Hello".into(), Some(5)));
    assert_eq!(seen.messages[3], ("Hello".into(), Some(5)));
    assert_eq!(seen.findings, ["pmd-inflate-error", "pmd-window-lost"]);
}

/// whistle #1048: unfinished DEFLATE data stalled the stream.
#[test]
fn a_message_cut_in_a_block_does_not_hold_up_the_next() {
    let cut = [message(&HELLO[..3]), message(HELLO)].concat();
    let seen = decode(Some(AGREED), &cut, 1);
    assert_eq!(seen.messages.len(), 2);
    assert!(seen.findings.contains(&"pmd-inflate-error"), "{:?}", seen.findings);
    assert_eq!(seen.messages[1], ("Hello".into(), Some(5)));
}

/// Suricata: RSV1 was taken for compression without an agreement.
#[test]
fn rsv1_without_agreement_is_a_reserved_bit() {
    let seen = decode(None, &message(HELLO), usize::MAX);
    assert_eq!(seen.findings, ["reserved-bit-set"]);
}

/// A peer that sets RSV1 for no reason sends words, and they are shown.
#[test]
fn rsv1_without_agreement_and_without_compression_is_shown_as_sent() {
    for (text, cut) in ["rsv 4", "Hello, world!", "x", ""].iter().zip([1, 2, usize::MAX].iter().cycle()) {
        let halves = [
            frame(Opcode::TEXT, false, true, &text.as_bytes()[..text.len() / 2]),
            frame(Opcode::CONTINUATION, true, false, &text.as_bytes()[text.len() / 2..]),
        ];
        for wire in [message(text.as_bytes()), halves.concat()] {
            let seen = decode(None, &[wire, message(HELLO)].concat(), *cut);
            assert_eq!(seen.messages, [((*text).into(), None), ("Hello".into(), Some(5))], "{text}");
            assert_eq!(seen.findings, ["reserved-bit-set", "reserved-bit-set"], "{text}");
        }
    }
}

/// Of a connection joined midway it is not known what was agreed on: nobody is blamed.
#[test]
fn what_cannot_be_inflated_midway_is_shown_as_sent() {
    let seen = decode_with(Extensions::UNKNOWN, &message(b"rsv 4"), 1, true);
    assert_eq!((seen.messages, seen.findings), (vec![("rsv 4".into(), None)], vec![]));
    let seen = decode_with(Extensions::UNKNOWN, &[message(AGAIN), message(HELLO)].concat(), 1, true);
    // This is DEFLATE, and refers to what came before.
    assert_eq!(seen.messages[0], ("H".into(), None));
    assert_eq!(seen.messages[1], ("Hello".into(), Some(5)));
    assert_eq!(seen.findings, ["pmd-window-lost"]);
}

/// What is there of a message that never ends is judged all the same.
#[test]
fn an_unfinished_message_is_judged_as_far_as_it_goes() {
    let first = frame(Opcode::TEXT, false, true, b"\x07nonsense");
    let cut = &message(b"\x07nonsense and more of it")[..12];
    for wire in [&first[..], cut] {
        assert_eq!(decode_with(AGREEING, wire, 1, true).findings, ["pmd-inflate-error"], "{wire:02x?}");
    }
    let fine = &message(&Sender::new().message(b"Hello, Hello, Hello"))[..6];
    assert_eq!(decode_with(AGREEING, fine, 1, true).findings, [""; 0]);
    let mut sender = Sender::new();
    let bad = frame(Opcode::TEXT, false, true, &sender.message(b"Hello \xff, and more of it"));
    assert_eq!(decode_with(AGREEING, &bad, 1, true).findings, ["invalid-utf8"]);
}

#[test]
fn rsv1_belongs_on_the_first_frame_of_a_data_message() {
    let wire = [
        frame(Opcode::TEXT, false, true, &HELLO[..3]),
        frame(Opcode::CONTINUATION, true, true, &HELLO[3..]),
        frame(Opcode::PING, true, true, b""),
    ]
    .concat();
    let seen = decode(Some(AGREED), &wire, 1);
    assert_eq!(seen.findings, ["pmd-rsv1-on-continuation", "pmd-rsv1-on-control"]);
}

/// CVE-2026-1526, CVE-2018-1000518: no limit on what a message inflates to.
#[test]
fn a_bomb_is_told_and_the_next_message_decoded() {
    let mut sender = Sender::new();
    let bomb = sender.message(&vec![0; 64 << 20]);
    let after = sender.message(b"still here");
    assert!(bomb.len() < 128 << 10);
    let whole = message(&bomb);
    let middle = bomb.len() / 2;
    let fragmented = [
        frame(Opcode::TEXT, false, true, &bomb[..middle]),
        frame(Opcode::PING, true, false, b""),
        frame(Opcode::CONTINUATION, true, false, &bomb[middle..]),
    ]
    .concat();
    for wire in [whole, fragmented] {
        let seen = decode(Some(AGREED), &[wire, message(&after)].concat(), 1460);
        assert_eq!(seen.findings, ["message-too-large"]);
        assert_eq!(seen.messages[0].1, Some(64 << 20));
        assert_eq!(seen.messages[1], ("still here".into(), Some(10)));
    }
}

/// Somebody who wants all of it gets all up to the cap, to the byte.
#[test]
fn a_bomb_is_kept_up_to_the_cap_exactly() {
    #[derive(Default)]
    struct Kept(u64, bool);
    impl Sink for Kept {
        fn wants(&self) -> Wants {
            Wants { fields: false, payload: u64::MAX, app: false, causes: false, ..Wants::NOTHING }
        }

        fn take(&mut self, unit: &Unit<'_>) -> Flow {
            if let Body::Message(message) = unit.body {
                *self = Self(message.payload.len() as u64, message.payload_cut);
            }
            ON
        }
    }
    let content = vec![b'x'; limits::INFLATED_SHOWN as usize + 4711];
    let wire = message(&Sender::new().message(&content));
    let mut decoder = Decoder::new(Kept::default());
    decoder.open_upgraded(FlowId(0), None, AGREEING);
    decoder.data(FlowId(0), Side::B, &wire, At::default());
    let (kept, _) = decoder.finish();
    assert_eq!((kept.0, kept.1), (limits::INFLATED_SHOWN, true));
}

/// Suricata e728aae1: 100,000 compressed messages of one byte.
#[test]
fn many_tiny_messages() {
    let mut sender = Sender::new();
    let wire: Vec<u8> = (0..100_000).flat_map(|_| message(&sender.message(b"x"))).collect();
    let seen = decode(Some(AGREED), &wire, usize::MAX);
    assert_eq!(seen.messages.len(), 100_000);
    assert!(seen.messages.iter().all(|(text, _)| text == "x"));
    assert_eq!(seen.findings, [""; 0]);
}

/// UTF-8 is checked in what a message inflates to, and its place is told there (RFC 7692 §6.1).
#[test]
fn text_is_checked_after_inflating() {
    let mut sender = Sender::new();
    let seen = decode(Some(AGREED), &message(&sender.message(b"Hello \xff")), 1);
    assert_eq!(seen.findings, ["invalid-utf8"]);
}
