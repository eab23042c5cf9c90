use super::*;
use crate::model::Time;
use crate::synth::Rng;
use crate::synth::conversation::{Piece, pieces, play};

/// What the script sends after the opening handshake: `C` or `S`, and hex.
fn wire(script: &str) -> String {
    let steps = parse(script).unwrap_or_else(|error| panic!("{script}: {error}"));
    let mut rng = Rng::new(1);
    let mut out = Vec::new();
    pieces(&steps, &mut |b| rng.fill(b), &mut |dir, piece| {
        let mut bytes = Vec::new();
        match piece {
            Piece::Frame(frame) => frame.write(&mut bytes),
            Piece::Raw(raw) => bytes.extend_from_slice(raw),
        }
        let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
        out.push(format!("{}{}", if dir == Dir::Client { 'C' } else { 'S' }, hex.concat()));
    });
    out.join(" ")
}

#[test]
fn lines_become_frames() {
    let cases = [
        ("server text \"Hello\"", "S810548656c6c6f"),
        ("client text \"Hello\" mask=37fa213d", "C818537fa213d7f9f4d5158"),
        ("server text \"Hello\" fragment=3", "S010348656c S80026c6f"),
        ("server binary 00 01ff \"a\"", "S82040001ff61"),
        ("server ping", "S8900"),
        ("server pong \"x\" # comment", "S8a0178"),
        ("server close", "S8800"),
        ("server close 1000", "S880203e8"),
        ("server close 1000 \"bye\"", "S880503e8627965"),
        ("server close \"x\"", "S880178"),
        ("server continuation \"x\" no-fin", "S000178"),
        ("client raw 81 05 \"He\"", "C81054865"),
        ("server text \"x\" rsv1 rsv3", "Sd10178"),
        ("server text \"x\" opcode=0xb", "S8b0178"),
        ("server text \"x\" length-form=16 length=9", "S817e000978"),
        ("server text \"xy\" bad-utf8", "S810278ff"),
        ("server text \"xy\" bad-utf8=0", "S8102ff79"),
        ("server text \"ab\" size=5", "S81056162616261"),
        ("server text \"hé\" size=5", "S810568c3a9682e"),
        ("client text \"x\" mask=zero\nclient text \"y\" mask=repeat", "C81810000000078 C81810000000079"),
        ("client text \"x\" mask=none", "C810178"),
        ("# nothing\n\n", ""),
    ];
    for (script, expected) in cases {
        assert_eq!(wire(script), expected, "{script}");
    }
}

#[test]
fn errors_say_where_and_what_to_do() {
    let cases = [
        ("\nhello", "2:1: a line begins with connection, "),
        ("client", "1:1: the line ends too early; it needs text, "),
        ("client shout", "1:8: an endpoint sends text, binary, "),
        ("client text hello", "1:13: \"hello\" is unknown here, or given twice"),
        ("client text \"x\" mask=blue", "1:17: mask is none, random, repeat, zero or a key of "),
        ("client text \"x\" size=many", "1:17: this is not a number, such as 200 or 0xc8"),
        ("client text \"x\" opcode=16", "1:17: this must be 0 to 15"),
        ("client text \"x\" fragment=0", "1:17: this must be at least 1"),
        ("client text \"x\" length-form=8", "1:17: length-form is 7, 16 or 64"),
        ("client close 70000", "1:14: this must be 0 to 65535"),
        ("wait", "1:1: the line ends too early; it needs a time"),
        ("wait 5", "1:6: a time is a number and a unit: 20us, 250ms, 3s"),
        ("connection at=soon", "1:12: a time is a number and a unit: 20us, 250ms, 3s"),
        ("fin both", "1:5: say client or server"),
        ("fin client\nclient ping", "2:1: the client can send no more: see line 1"),
        ("rst server\nclient ping", "2:1: the client can send no more: see line 1"),
        ("connection client=here", "1:12: this is not an address and port: "),
        ("connection client=[::1]:80", "1:1: client and server must both be IPv4 or both IPv6"),
        ("request header=\"\\xff\"", "1:9: this must be UTF-8; use a raw line for other bytes"),
        ("client text \"x\" rsv1 rsv1", "1:22: \"rsv1\" is unknown here, or given twice"),
    ];
    for (script, expected) in cases {
        let error = parse(script).expect_err(script).to_string();
        assert!(error.starts_with(expected), "{script}: {error}");
    }
}

/// The kinds of the script's steps.
fn kinds(script: &str) -> String {
    let kind = |step: &Step| match step {
        Step::Connect(_) => "connect",
        Step::Send(Send { content: Content::Request(_), .. }) => "request",
        Step::Send(Send { content: Content::Response(_), .. }) => "response",
        Step::Send(_) => "send",
        Step::Wait(_) => "wait",
        Step::Finish(_) => "fin",
        Step::Reset(_) => "rst",
        Step::Leave => "leave",
    };
    parse(script).unwrap().iter().map(kind).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_handshake_is_there_unless_told_otherwise() {
    assert_eq!(kinds(""), "");
    assert_eq!(kinds("connection"), "connect request response");
    assert_eq!(kinds("client ping"), "connect request response send");
    assert_eq!(kinds("wait 1s\nclient ping"), "connect wait request response send");
    assert_eq!(kinds("handshake path=/x\nclient ping"), "connect request response send");
    assert_eq!(kinds("no-handshake\nclient ping"), "connect send");
    assert_eq!(kinds("connection\nno-handshake\nfin client"), "connect fin");
    assert_eq!(kinds("request\nclient ping\nresponse"), "connect request send response");
    assert_eq!(
        kinds("leave-open\nconnection\nrst client"),
        "connect request response leave connect request response rst"
    );
}

/// The example of the reference, and every script made of its pieces, is
/// played or refused without a panic.
#[test]
fn no_script_is_too_odd() {
    let reference = include_str!("../../../docs/script.md");
    let block = reference.split("\n\n").find(|block| block.contains("# A chat")).unwrap();
    assert_eq!(parse(block).unwrap().iter().filter(|s| matches!(s, Step::Send(_))).count(), 9);

    let pieces: Vec<&str> = block.split_inclusive([' ', '=', '"', '\n']).collect();
    let mut rng = Rng::new(11);
    let mut played = 0;
    for _ in 0..5000 {
        let script: String =
            (0..rng.below(14)).map(|_| pieces[rng.below(pieces.len() as u64) as usize]).collect();
        if let Ok(steps) = parse(&script) {
            let mut keys = Rng::new(1);
            play(&steps, Time(0), &mut |b| keys.fill(b), &mut |_, _| played += 1);
        }
    }
    assert!(played > 0);
}

#[test]
fn heads_can_be_edited() {
    let steps = parse(
        "request path=/a key=abc drop=Host drop=Origin header=\"Origin: null\"\n\
         response accept=no line=\"HTTP/1.1 403 No\" body=\"x\" more lost mss=9",
    )
    .unwrap();
    let [_, Step::Send(request), Step::Send(response)] = &steps[..] else { panic!("{steps:?}") };
    let Content::Request(request) = &request.content else { panic!() };
    assert_eq!((request.path.as_deref(), request.key.as_deref()), (Some("/a"), Some("abc")));
    assert_eq!(request.edits.drop, ["Host", "Origin"]);
    assert_eq!(request.edits.add, ["Origin: null"]);
    assert!(response.more && response.delivery.lost && response.delivery.mss == Some(9));
    let Content::Response(response) = &response.content else { panic!() };
    assert_eq!((response.accept.as_deref(), &response.edits.body[..]), (Some("no"), &b"x"[..]));
}

/// Connections that are open at the same time are in the capture in the order of time.
#[test]
fn connections_may_be_side_by_side() {
    let script = "connection\nwait 1s\nclient ping\nconnection at=500ms\nclient ping\nconnection\nfin client";
    let mut keys = Rng::new(1);
    let (mut times, mut ports) = (Vec::new(), Vec::new());
    play(&parse(script).unwrap(), Time(7), &mut |b| keys.fill(b), &mut |time, packet| {
        times.push(time);
        let headers = etherparse::PacketHeaders::from_ethernet_slice(packet).unwrap();
        let tcp = headers.transport.and_then(etherparse::TransportHeader::tcp).unwrap();
        ports.push(tcp.source_port.max(tcp.destination_port));
    });
    assert!(times.is_sorted() && times[0] >= Time(7));
    ports.dedup();
    assert_eq!(ports, [49152, 49153, 49154, 49152]);
}
