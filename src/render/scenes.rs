//! What the tests of the views show: the examples of RFC 6455, and everything that
//! is hard to show.

use super::fixture::{Show, meta};
use super::screen::Layout;
use crate::model::*;

pub static UNMASKED: Rule = Rule {
    id: "unmasked-client-frame",
    severity: Severity::Error,
    cite: Cite::rfc6455("5.1"),
    who: Who::Client,
    title: "A client sent a frame that is not masked",
    consequence: "The server closes the connection on receiving it; it may send a Close frame with 1002.",
    fails: None,
    usually: None,
};

pub static NON_MINIMAL: Rule = Rule {
    id: "non-minimal-length",
    severity: Severity::Error,
    cite: Cite::rfc6455("5.2"),
    who: Who::Either,
    title: "A payload length takes more bytes than it needs",
    consequence: "A strict receiver fails the connection.",
    fails: None,
    usually: None,
};

pub static UTF8: Rule = Rule {
    id: "invalid-utf8",
    severity: Severity::Error,
    cite: Cite::rfc6455("8.1"),
    who: Who::Either,
    title: "A text message is not valid UTF-8",
    consequence: "The receiver fails the connection, with 1007.",
    fails: None,
    usually: None,
};

pub static UNCLEAN: Rule = Rule {
    id: "unclean-close",
    severity: Severity::Warning,
    cite: Cite::rfc6455("7.1.4"),
    who: Who::Either,
    title: "TCP was closed without a complete closing handshake",
    consequence: "Applications are told 1006, which is never on the wire.",
    fails: None,
    usually: None,
};

/// The frames of RFC 6455 §5.7.
pub fn rfc_5_7<L: Layout>(show: &mut Show<L>) {
    show.frame(Dir::Server, b"\x81\x05Hello");
    show.frame(Dir::Client, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    show.frame(Dir::Server, b"\x01\x03Hel");
    show.frame(Dir::Server, b"\x80\x02lo");
    show.message(Dir::Server, Opcode::TEXT, &[3, 4], b"Hello", true);
    show.frame(Dir::Server, b"\x89\x05Hello");
    show.frame(Dir::Client, b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    show.frame(Dir::Server, &[&[0x82, 0x7E, 0x01, 0x00][..], &[0; 256]].concat());
    show.frame(Dir::Server, &[&[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0][..], &vec![0; 65_536]].concat());
}

/// A masked frame of `payload`.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut wire = vec![first];
    match payload.len() {
        short @ 0..=125 => wire.push(0x80 | short as u8),
        long => {
            wire.push(0xFE);
            wire.extend((long as u16).to_be_bytes());
        }
    }
    wire.extend(KEY);
    wire.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    wire
}

/// Frames with something wrong or odd about them.
pub fn troubled<L: Layout>(show: &mut Show<L>) {
    show.blame(&UNMASKED, Dir::Client, (8, 9), "MASK 1 and a masking key", "MASK 0");
    show.frame(Dir::Client, b"\x81\x05Hello");
    show.blame(&NON_MINIMAL, Dir::Server, (16, 32), "124 in the 7-bit form", "124 in the 16-bit form");
    show.frame(Dir::Server, &[&[0x82, 0x7E, 0x00, 0x7C][..], &[7; 124]].concat());
    show.frame(Dir::Server, b"\xFB\x02\x00\xFF");
    show.frame(
        Dir::Client,
        &masked(0x81, "\u{1b}[2J\u{7}you are \u{202e}dekcah\u{202c}\r\n\\u{7}".as_bytes()),
    );
    show.frame(Dir::Server, &[&[0x81, 0x7E, 0x01, 0x0E][..], "你好，世界".repeat(18).as_bytes()].concat());
    show.frame(Dir::Client, &masked(0x81, &b"{\"op\":\"say\",\"words\":\"over and over\"},\n".repeat(20)));
    show.blame(&UTF8, Dir::Server, (40, 48), "UTF-8", "0xFF");
    show.frame(Dir::Server, b"\x81\x05abc\xFF!");
    let gap =
        Gap { offset: 1000, length: 1448, between: (Some(40), Some(44)), effect: GapEffect::Resynchronised };
    show.body(Dir::Server, Body::Gap(&gap), &[]);
    show.frame(
        Dir::Server,
        &[&[0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF][..], b"cut"].concat(),
    );
    show.message(Dir::Client, Opcode::BINARY, &[1, 2, 3, 5, 9], &[0xA5; 70], false);
}

/// A closing handshake, the end of the connection, and the totals.
pub fn ending<L: Layout>(show: &mut Show<L>) {
    show.frame(Dir::Client, &masked(0x88, b"\x03\xE8bye"));
    show.message(Dir::Client, Opcode::CLOSE, &[9], b"\x03\xE8bye", true);
    show.frame(Dir::Server, b"\x88\x00");
    let counts = [
        Counts { frames: 3, messages: 1, bytes: 33, payload_bytes: 15 },
        Counts { frames: 7, messages: 4, bytes: 65_838, payload_bytes: 65_807 },
    ];
    let how = Box::new(Ending {
        close_code: Some(CloseCode(1000)),
        counts,
        ..Ending::new(EndKind::CloseHandshake)
    });
    show.connection(Roles::Handshake, Some(how));
    show.findings.push(Finding::new(&UNCLEAN, None, "a Close frame each way".into(), "FIN".into()));
    show.body(None, Body::Note, &[]);
    let summary = Summary {
        packets: 1021,
        bytes: 123_456,
        connections: 1,
        frames: 10,
        messages: 5,
        others: Vec::new(),
        findings: [(&UNCLEAN, 1), (&UNMASKED, 12)].into_iter().collect(),
        error: Some("packet 1022 is cut short".into()),
        ..Summary::default()
    };
    show.body(None, Body::Summary(&summary), &[]);
}

/// Everything there is, one after another.
pub fn everything<L: Layout>(show: &mut Show<L>) {
    use Verdict::{Broken, Warning};
    let input = meta("captures/ev\u{1b}il.pcap");
    show.body(None, Body::Meta(&input), &[]);
    show.connection(Roles::Handshake, None);
    show.handshake();
    rfc_5_7(show);
    troubled(show);
    ending(show);
    show.conn = 2;
    show.connection(Roles::Masking, None);
    let cookie = "sid=0123456789abcdef; ".repeat(20);
    show.http(
        Dir::Client,
        &format!("GET /{} HTTP/1.1", "long/".repeat(30)),
        &[
            ("Cookie", &cookie, Warning, "sent by browsers to any site that asks"),
            (
                "X-\u{1b}]0;",
                "\u{202e}\r",
                Broken,
                "not a header field that anybody should send, nor that anybody should read aloud",
            ),
        ],
        b"",
    );
    show.http(Dir::Server, "HTTP/1.1 403 Forbidden", &[], b"<html>\n<body>No.</body>\n</html>\n");
    troubled(show);
    show.fields = false;
    rfc_5_7(show);
    troubled(show);
    ending(show);
}
