//! What a server has to do with every kind of frame, as the public test suites ask it.

use std::io::Write as _;
use std::time::Duration;

use wstool::lab::serve::Settings;
use wstool::lab::tap::{Tap, What};
use wstool::model::Dir;

use super::{Lab, Wire, frame};

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

fn lab() -> Lab {
    Lab::start(Settings { max_message: 16 << 20, ..Settings::default() })
}

/// What a server answers: frames by their first byte and payload, up to the end of the connection.
fn answers(lab: &Lab, bytes: &[u8], chop: usize) -> Vec<(u8, Vec<u8>)> {
    let mut wire = lab.echo();
    for piece in bytes.chunks(chop.max(1)) {
        // It may have had enough already.
        if wire.tcp.write_all(piece).is_err() {
            break;
        }
    }
    std::iter::from_fn(|| wire.frame()).collect()
}

/// A Close frame with a code.
fn close(code: u16) -> Vec<u8> {
    frame(true, CLOSE, &code.to_be_bytes())
}

/// The code that the connection was closed with, which has to be the last thing that was said.
fn code(answers: &[(u8, Vec<u8>)]) -> Option<u16> {
    let (first, payload) = answers.last()?;
    assert_eq!(*first, 0x88, "{answers:?}");
    payload.first_chunk().map(|code| u16::from_be_bytes(*code))
}

#[test]
fn every_length_and_form_comes_back() {
    let lab = lab();
    for opcode in [TEXT, BINARY] {
        for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537] {
            let payload = vec![b'*'; length];
            let bytes = [frame(true, opcode, &payload), close(1000)].concat();
            for chop in [usize::MAX, 997] {
                let answers = answers(&lab, &bytes, chop);
                assert_eq!(answers.len(), 2, "{length}");
                assert_eq!(answers[0], (0x80 | opcode, payload.clone()), "{length}");
                assert_eq!(code(&answers), Some(1000));
            }
        }
    }
    let octet_by_octet = [frame(true, TEXT, "héllo €".as_bytes()), close(1000)].concat();
    assert_eq!(answers(&lab, &octet_by_octet, 1)[0], (0x81, "héllo €".as_bytes().to_vec()));
}

#[test]
fn pings_are_answered_wherever_they_come() {
    let lab = lab();
    let long = [0xFF; 125];
    let bytes = [
        frame(true, PING, b""),
        frame(true, PING, &long),
        frame(true, PONG, b"nobody asked"),
        frame(false, TEXT, b"frag"),
        frame(true, PING, b"between"),
        frame(false, 0, b""),
        frame(true, PONG, b""),
        frame(true, 0, b"ment"),
        close(1000),
    ];
    let answers = answers(&lab, &bytes.concat(), usize::MAX);
    let expected = [
        (0x8A, Vec::new()),
        (0x8A, long.to_vec()),
        (0x8A, b"between".to_vec()),
        (0x81, b"fragment".to_vec()),
        (0x88, 1000u16.to_be_bytes().to_vec()),
    ];
    let mut sorted = answers.clone();
    // A pong may come before what was said earlier.
    sorted.sort_by_key(|(first, _)| (*first == 0x88, *first == 0x81));
    assert_eq!(sorted, expected, "{answers:?}");
    // Ten in a row keep their order.
    let ten: Vec<u8> = (0..10).flat_map(|n| frame(true, PING, &[n])).chain(close(1000)).collect();
    let answers = super::wire::answers(&lab, &ten, usize::MAX);
    let pongs: Vec<u8> = answers[..10].iter().map(|(_, payload)| payload[0]).collect();
    assert_eq!(pongs, (0..10).collect::<Vec<_>>());
}

#[test]
fn what_the_protocol_forbids_is_answered_with_1002() {
    let lab = lab();
    let good = frame(true, TEXT, b"good");
    let with = |first: u8| {
        let mut bytes = frame(true, TEXT, b"bad");
        bytes[0] = first;
        bytes
    };
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    // Reserved bits, alone and together, on data and control frames (RFC 6455 §5.2).
    for bits in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70] {
        for opcode in [TEXT, PING, CLOSE] {
            cases.push((format!("bits {bits:x} of {opcode:x}"), with(0x80 | bits | opcode)));
        }
    }
    // Reserved opcodes.
    for opcode in (3..8).chain(0xB..=0xF) {
        cases.push((format!("opcode {opcode:x}"), with(0x80 | opcode)));
    }
    cases.push(("a long ping".into(), frame(true, PING, &[0; 126])));
    cases.push(("a long close".into(), frame(true, CLOSE, &[3; 126])));
    cases.push(("a fragmented ping".into(), frame(false, PING, b"x")));
    cases.push(("a continuation of nothing".into(), frame(true, 0, b"x")));
    cases.push(("a first fragment that continues nothing".into(), frame(false, 0, b"x")));
    let twice = [frame(false, TEXT, b"one"), frame(true, TEXT, b"two")].concat();
    cases.push(("a message within a message".into(), twice));
    cases.push(("no mask".into(), b"\x81\x03bad".to_vec()));
    cases.push(("a length with a top bit".into(), b"\x82\xFF\x80\0\0\0\0\0\0\x01\0\0\0\0".to_vec()));
    cases.push(("a length that is not minimal".into(), b"\x82\xFE\0\x01\0\0\0\0x".to_vec()));
    cases.push(("a close of one byte".into(), frame(true, CLOSE, b"x")));
    for (what, bad) in cases {
        // What came before is answered, what comes behind is not.
        let bytes = [&good[..], &bad, &good].concat();
        let answers = answers(&lab, &bytes, usize::MAX);
        assert_eq!(answers[0], (0x81, b"good".to_vec()), "{what}");
        assert_eq!((answers.len(), code(&answers)), (2, Some(1002)), "{what}");
    }
}

#[test]
fn text_has_to_be_utf_8() {
    let lab = lab();
    for good in [
        "κόσμε",
        "Hello-µ@ßöäüàá-UTF-8!!",
        "\u{0}",
        "\u{80}",
        "\u{7FF}",
        "\u{800}",
        "\u{FFFF}",
        "\u{10000}",
        "\u{10FFFF}",
        "\u{D7FF}",
        "\u{E000}",
        "\u{FFFD}",
        "\u{FFFE}",
        "\u{1FFFF}",
    ] {
        // Also octet by octet, and a fragment each octet.
        let fragments: Vec<u8> = {
            let last = good.len() - 1;
            let piece = |at: usize, byte: u8| frame(at == last, if at == 0 { TEXT } else { 0 }, &[byte]);
            good.bytes().enumerate().flat_map(|(at, byte)| piece(at, byte)).collect()
        };
        for (bytes, chop) in [
            (frame(true, TEXT, good.as_bytes()), usize::MAX),
            (frame(true, TEXT, good.as_bytes()), 1),
            (fragments, usize::MAX),
        ] {
            let answers = answers(&lab, &[bytes, close(1000)].concat(), chop);
            assert_eq!(answers[0], (0x81, good.as_bytes().to_vec()), "{good:?}");
        }
    }
    for bad in [
        &b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80edited"[..],
        b"\x80",
        b"\xBF\x80",
        b"\xC0\xAF",
        b"\xC1\xBF",
        b"\xE0\x80\xAF",
        b"\xF0\x80\x80\xAF",
        b"\xF8\x88\x80\x80\x80",
        b"\xFC\x84\x80\x80\x80\x80",
        b"\xED\xA0\x80",
        b"\xED\xBF\xBF",
        b"\xED\xA0\x80\xED\xB0\x80",
        b"\xF4\x90\x80\x80",
        b"\xFE",
        b"\xFF",
        b"abc\xFF",
        // Cut off within a character.
        b"\xCE",
        b"\xF0\x90\x80",
    ] {
        for chop in [usize::MAX, 1] {
            let answers = answers(&lab, &frame(true, TEXT, bad), chop);
            assert_eq!((answers.len(), code(&answers)), (1, Some(1007)), "{}", bad.escape_ascii());
        }
        // As binary nobody minds.
        let fine = answers(&lab, &[frame(true, BINARY, bad), close(1000)].concat(), usize::MAX);
        assert_eq!(fine[0], (0x82, bad.to_vec()));
    }
}

/// The end of the frame is never sent: who waits for it waits for ever.
#[test]
fn bad_text_fails_fast() {
    let lab = lab();
    let good = "κόσμε".as_bytes();
    let whole = frame(true, TEXT, &[good, b"\xF4\x90\x80\x80 and the rest"].concat());
    let mut wire = lab.echo();
    // Up to the byte that makes it impossible.
    wire.send(&whole[..6 + good.len() + 2]);
    assert_eq!(wire.frame().map(|(first, _)| first), Some(0x88));
    assert_eq!(wire.frame(), None);
    // In the second fragment, behind a ping.
    let mut wire = lab.echo();
    let bytes = [frame(false, TEXT, b"ok \xF4"), frame(true, PING, b"?"), frame(false, 0, b"\x90 rest")];
    let bytes = bytes.concat();
    wire.send(&bytes[..bytes.len() - 5]);
    assert_eq!(wire.frame().map(|(first, _)| first), Some(0x8A));
    let (first, payload) = wire.frame().expect("a frame");
    assert_eq!((first, &payload[..2]), (0x88, &1007u16.to_be_bytes()[..]));
    // One byte before it, nothing is wrong yet: the connection goes on.
    let mut wire = lab.echo();
    let whole = frame(true, TEXT, "a\u{10FFFF}".as_bytes());
    wire.send(&whole[..whole.len() - 1]);
    wire.send(&whole[whole.len() - 1..]);
    assert_eq!(wire.frame(), Some((0x81, "a\u{10FFFF}".as_bytes().to_vec())));
}

#[test]
fn close_codes_are_echoed_if_they_may_be_sent() {
    let lab = lab();
    for good in
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
    {
        assert_eq!(code(&answers(&lab, &close(good), usize::MAX)), Some(good));
    }
    for bad in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        assert_eq!(code(&answers(&lab, &close(bad), usize::MAX)), Some(1002), "{bad}");
    }
    let empty = answers(&lab, &frame(true, CLOSE, b""), usize::MAX);
    assert_eq!(empty, [(0x88, Vec::new())]);
    let reason = |text: &[u8]| frame(true, CLOSE, &[&1000u16.to_be_bytes()[..], text].concat());
    assert_eq!(code(&answers(&lab, &reason(&[b'*'; 123]), usize::MAX)), Some(1000));
    assert_eq!(code(&answers(&lab, &reason(b"\xCE\xBA\xED\xA0\x80"), usize::MAX)), Some(1007));
    // Nothing is answered behind it.
    let behind = [close(1000), frame(true, TEXT, b"late"), frame(true, PING, b"late")].concat();
    assert_eq!(answers(&lab, &behind, usize::MAX).len(), 1);
    // A message that is not over when it comes is forgotten.
    let within = [frame(false, TEXT, b"half"), close(1000)].concat();
    assert_eq!(answers(&lab, &within, usize::MAX).len(), 1);
}

#[test]
fn sixteen_mebibytes_come_back_whole_or_in_fragments() {
    let lab = lab();
    let big: Vec<u8> = (0..16u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut wire = lab.echo();
    wire.send(&frame(true, BINARY, &big));
    assert!(wire.frame() == Some((0x82, big.clone())), "it comes back");
    let text = "é".repeat(8 << 20);
    let count = text.len().div_ceil(64 << 10);
    for (at, piece) in text.as_bytes().chunks(64 << 10).enumerate() {
        wire.send(&frame(at + 1 == count, if at == 0 { TEXT } else { 0 }, piece));
    }
    assert!(wire.frame() == Some((0x81, text.into_bytes())), "it comes back");
    // A byte more is refused by its header.
    wire.send(&frame(true, BINARY, &[])[..1]);
    wire.send(b"\xFF\0\0\0\0\x01\0\0\x01\0\0\0\0");
    let (first, payload) = wire.frame().expect("a frame");
    assert_eq!((first, &payload[..2]), (0x88, &1009u16.to_be_bytes()[..]));
    assert!(lab.logs("closed with 1009"));
}

fn many(count: u32) {
    let lab = lab();
    let mut wire = lab.echo();
    let mut sender = Wire { tcp: wire.tcp.try_clone().expect("a socket"), early: Vec::new() };
    let sending = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        for n in 0..count {
            bytes.extend(frame(true, BINARY, &n.to_be_bytes()));
            if bytes.len() > 1 << 16 {
                sender.send(&std::mem::take(&mut bytes));
            }
        }
        sender.send(&bytes);
    });
    for n in 0..count {
        assert_eq!(wire.frame(), Some((0x82, n.to_be_bytes().to_vec())));
    }
    sending.join().expect("it sends");
}

#[test]
fn many_small_messages_come_back_in_order() {
    many(100_000);
}

#[test]
#[ignore = "a million messages take their time"]
fn a_million_small_messages_come_back_in_order() {
    many(1_000_000);
}

#[test]
fn handshakes_are_answered_as_they_ask() {
    let lab = Lab::start(Settings {
        welcome: wstool::lab::handshake::Welcome {
            subprotocols: vec!["chat".to_owned(), "superchat".to_owned()],
            deflate: wstool::http::handshake::deflate_limits("server_max_window_bits=12").ok(),
            origins: vec!["http://example.com".to_owned()],
        },
        ..Settings::default()
    });
    let head = |more: &str| lab.open("/echo", more).1.to_ascii_lowercase();
    assert!(head("").starts_with("http/1.1 101"), "no browser");
    assert!(head("Origin: http://example.com\r\n").starts_with("http/1.1 101"));
    assert!(head("Origin: http://evil.example\r\n").starts_with("http/1.1 403"));
    let chosen = head("Sec-WebSocket-Protocol: mqtt, superchat\r\nSec-WebSocket-Protocol: chat\r\n");
    assert!(chosen.contains("sec-websocket-protocol: superchat\r\n"), "{chosen}");
    assert!(!head("Sec-WebSocket-Protocol: mqtt\r\n").contains("sec-websocket-protocol"));
    let deflate = |offer: &str| {
        let head = head(&format!("Sec-WebSocket-Extensions: {offer}\r\n"));
        head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: ").map(str::to_owned))
    };
    assert_eq!(
        deflate("permessage-deflate").as_deref(),
        Some("permessage-deflate; server_max_window_bits=12")
    );
    assert_eq!(deflate("permessage-deflate; x=1, x-webkit-deflate-frame"), None);
    assert_eq!(
        deflate("permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=9")
            .as_deref(),
        Some("permessage-deflate; server_max_window_bits=9")
    );
    let mut wire = Wire::to(lab.address);
    wire.send(
        b"GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
    );
    let refused = wire.head().to_ascii_lowercase();
    assert!(
        refused.starts_with("http/1.1 426") && refused.contains("sec-websocket-version: 13"),
        "{refused}"
    );
    // What the decoder would hold against a server that accepts it.
    for wrong in [
        "Sec-WebSocket-Extensions: \r\n",
        "Sec-WebSocket-Protocol: a b\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ] {
        assert!(head(wrong).starts_with("http/1.1 400"), "{wrong}");
    }
    assert!(lab.open("/nowhere", "").1.starts_with("HTTP/1.1 404"));
}

/// RFC 6455 §3: no fragment; RFC 9112 §3.2: a Host with a space is answered with 400.
#[test]
fn what_names_no_place_is_refused() {
    let lab = lab();
    let fields = |host: &str| {
        format!(
            "Host: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
    };
    for (target, host, status) in [
        ("/echo", "a", "101"),
        ("/echo#here", "a", "400"),
        ("/echo?x#", "a", "400"),
        ("/echo%23here", "a", "404"),
        ("/echo", "a b", "400"),
        ("/echo", "a/b", "400"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\n{}", fields(host));
        let begin = format!("HTTP/1.1 {status} ");
        let mut wire = Wire::to(lab.address);
        wire.send(request.as_bytes());
        let head = wire.head();
        assert!(head.starts_with(&begin), "{target} {host}: {head}");
        // The same in pieces, behind another request on the same connection.
        let mut wire = Wire::to(lab.address);
        wire.send(b"HEAD /nowhere#at-all HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(wire.head().starts_with("HTTP/1.1 404 "));
        for piece in request.as_bytes().chunks(7) {
            wire.send(piece);
        }
        let head = wire.head();
        assert!(head.starts_with(&begin), "{target} {host}: {head}");
    }
}

#[test]
fn places_do_what_their_paths_say() {
    let lab = lab();
    let open = |path| lab.open(path, "").0;
    let mut wire = open("/close/4001?reason=so%20be%20it");
    assert_eq!(wire.frame(), Some((0x88, [&4001u16.to_be_bytes()[..], b"so be it"].concat())));
    assert_eq!(open("/close/1005").frame(), Some((0x88, Vec::new())));
    assert_eq!(open("/close/1006").frame(), None);
    let mut wire = open("/big/200000");
    assert_eq!(wire.frame().map(|(first, payload)| (first, payload.len())), Some((0x82, 200_000)));
    let mut wire = open("/fragments/3");
    wire.send(&frame(true, TEXT, b"abcdefg"));
    let frames: Vec<_> = (0..3).filter_map(|_| wire.frame()).collect();
    assert_eq!(frames, [(0x01, b"ab".to_vec()), (0x00, b"cd".to_vec()), (0x80, b"efg".to_vec())]);
    let mut wire = open("/ticker?every=5ms");
    assert_eq!(wire.frame(), Some((0x81, b"tick 1".to_vec())));
    assert_eq!(wire.frame(), Some((0x81, b"tick 2".to_vec())));
    let mut wire = open("/slow?delay=60ms");
    let asked = std::time::Instant::now();
    wire.send(&frame(true, TEXT, b"x"));
    assert_eq!(wire.frame(), Some((0x81, b"x".to_vec())));
    assert!(asked.elapsed() >= Duration::from_millis(60));
    // Frames, raw TCP and a poll: one room.
    let mut ann = open("/chat?name=Ann");
    assert_eq!(ann.frame(), Some((0x81, b"you are Ann; online: Ann".to_vec())));
    let mut bob = Wire::to(lab.address);
    bob.send(b"hello\n/name Bob\n");
    assert_eq!(ann.frame().map(|(_, text)| text), Some(b"guest2 joined".to_vec()));
    assert_eq!(ann.frame().map(|(_, text)| text), Some(b"guest2: hello".to_vec()));
    assert_eq!(ann.frame().map(|(_, text)| text), Some(b"guest2 is now Bob".to_vec()));
    ann.send(&frame(true, TEXT, b"hi, Bob"));
    let mut poll = Wire::to(lab.address);
    poll.send(b"GET /poll/long?since=4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = String::from_utf8(poll.rest()).expect("UTF-8");
    assert!(answer.ends_with("{\"last\":5,\"lines\":[\"Ann: hi, Bob\"]}"), "{answer}");
    bob.tcp.shutdown(std::net::Shutdown::Write).expect("a socket");
    let bobs = String::from_utf8(bob.rest()).expect("UTF-8");
    assert_eq!(bobs, "you are guest2; online: Ann, guest2\nyou are now Bob\nAnn: hi, Bob\n");
    assert_eq!(ann.frame().map(|(_, text)| text), Some(b"Bob left".to_vec()));
}

/// Who asks otherwise than it is meant hears how (RFC 9110 §15.5.6), in a text that says it is one.
#[test]
fn other_methods_are_refused_with_those_there_are() {
    let lab = lab();
    for (request, status, field) in [
        ("DELETE /poll/short", "405", "\r\nallow: GET\r\n"),
        ("GET /poll/say", "405", "\r\nallow: POST\r\n"),
        ("DELETE /nowhere", "405", "\r\nallow: GET, HEAD\r\n"),
        ("GET /nowhere", "404", "\r\n\r\nthere is nothing here\nthere are:\n"),
    ] {
        let mut wire = Wire::to(lab.address);
        wire.send(format!("{request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes());
        let answer = String::from_utf8(wire.rest()).expect("UTF-8");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(field), "{answer}");
        assert!(answer.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{answer}");
    }
}

/// With `--view none` only pages look on. What no page looks on at is not decoded a second time.
#[test]
fn who_listens_for_pages_is_told_of_theirs_alone() {
    let (tap, recording) = Tap::for_pages();
    let lab = Lab::tapped(Settings::default(), tap);
    for path in ["/echo", "/echo?panel=", "/echo?panel=en123", "/echo?PANEL=en123"] {
        let (mut wire, head) = lab.open(path, "");
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        wire.send(&frame(true, TEXT, path.as_bytes()));
        assert_eq!(wire.frame(), Some((0x81, path.as_bytes().to_vec())));
    }
    let mut raw = Wire::to(lab.address);
    raw.send(b"/who\n");
    assert!(raw.more());
    drop(raw);
    drop(lab);
    let mut said = Vec::new();
    while let Some(happened) = recording.next() {
        if let What::Data(Dir::Server, bytes) = happened.what {
            said.push(bytes);
        }
    }
    let echoes: Vec<_> = said.iter().filter(|it| it.starts_with(b"\x81")).collect();
    assert_eq!(echoes, [&b"\x81\x11/echo?panel=en123"[..]], "{said:?}");
    // No page can open raw TCP: the one of lines is told of all there are.
    let (lines, others): (Vec<_>, Vec<_>) =
        said.iter().partition(|it| it.starts_with(b"you are ") || it.starts_with(b"online: "));
    assert!(!lines.is_empty(), "{said:?}");
    assert_eq!(others.len(), 2, "the answer to its handshake and its echo: {said:?}");
}
