//! What goes wrong on purpose is what `wstool decode` says of the capture.

use std::time::{Duration, Instant};

use super::{Served, Wire, decoded, frame, open, rules};

/// What a client of ours does and sees: its part, and what decode has to find in the capture.
struct Case {
    fault: &'static str,
    client: fn(&Served),
    found: &'static [&'static str],
    log: &'static str,
}

fn text(payload: &str) -> (u8, Vec<u8>) {
    (0x81, payload.as_bytes().to_vec())
}

fn hello(served: &Served) -> Wire {
    let mut wire = served.open("/echo");
    wire.send(&frame(true, 1, b"hello"));
    wire
}

/// Closes as it should be.
fn leave(mut wire: Wire) {
    wire.send(&frame(true, 8, &1000u16.to_be_bytes()));
    assert_eq!(wire.frame().map(|(first, _)| first), Some(0x88));
    assert_eq!(wire.frame(), None);
}

const CASES: &[Case] = &[
    Case {
        fault: "delay=150ms",
        client: |served| {
            let began = Instant::now();
            let mut wire = hello(served);
            assert_eq!(wire.frame(), Some(text("hello")));
            assert!(began.elapsed() >= Duration::from_millis(150));
            leave(wire);
        },
        found: &[],
        log: "",
    },
    Case {
        fault: "drop=1",
        client: |served| {
            let mut wire = hello(served);
            wire.send(&frame(true, 9, b"?"));
            assert_eq!(wire.frame(), Some((0x8A, b"?".to_vec())), "pings are no messages");
            leave(wire);
        },
        found: &[],
        log: "",
    },
    Case {
        fault: "cut-after=2",
        client: |served| {
            let mut wire = hello(served);
            assert_eq!(wire.frame(), Some(text("hello")));
            wire.send(&frame(true, 1, b"again"));
            assert_eq!(wire.frame(), Some(text("again")));
            assert_eq!(wire.frame(), None);
        },
        found: &["no-closing-handshake"],
        log: "fault cut-after: cut behind message 2",
    },
    Case {
        fault: "mask",
        client: |served| {
            let mut wire = hello(served);
            while !wire.early.starts_with(&[0x81, 0x85]) {
                assert!(wire.more(), "{:?}", wire.early);
            }
            wire.send(&frame(true, 8, &1002u16.to_be_bytes()));
            while wire.more() {}
        },
        found: &["close-1002", "masked-server-frame"],
        log: "",
    },
    Case {
        fault: "accept",
        client: |served| {
            let (wire, head) = open(served.address, "/echo", "");
            wire.hang_up();
            let head = head.to_ascii_lowercase();
            assert!(
                head.starts_with("http/1.1 101") && !head.contains("s3pplmbitxaq9kygzzhzrbk+xoo="),
                "{head}"
            );
        },
        found: &["accept-mismatch"],
        log: "fault accept",
    },
    Case {
        fault: "bad-utf8",
        client: |served| {
            let mut wire = hello(served);
            assert_eq!(wire.frame(), Some((0x81, b"he\xFFllo".to_vec())));
            wire.send(&frame(true, 8, &1007u16.to_be_bytes()));
            assert_eq!(wire.frame().map(|(first, _)| first), Some(0x88));
        },
        found: &["close-1007", "invalid-utf8"],
        log: "",
    },
    Case {
        fault: "no-pong",
        client: |served| {
            let mut wire = hello(served);
            wire.send(&frame(true, 9, b"?"));
            assert_eq!(wire.frame(), Some(text("hello")));
            // So long a pong may take.
            std::thread::sleep(Duration::from_millis(2200));
            leave(wire);
        },
        found: &["ping-not-answered"],
        log: "",
    },
    Case {
        fault: "close=1011:overload",
        client: |served| {
            let mut wire = hello(served);
            assert_eq!(wire.frame(), Some(text("hello")));
            assert_eq!(wire.frame(), Some((0x88, [&1011u16.to_be_bytes()[..], b"overload"].concat())));
            wire.send(&frame(true, 8, &1011u16.to_be_bytes()));
            assert_eq!(wire.frame(), None);
        },
        found: &["close-1011"],
        log: "fault close: closed with 1011",
    },
    Case {
        fault: "slow-read",
        client: |served| {
            let mut wire = served.open("/echo");
            let long = "x".repeat(200);
            let began = Instant::now();
            wire.send(&frame(true, 1, long.as_bytes()));
            assert_eq!(wire.frame(), Some(text(&long)));
            assert!(began.elapsed() >= Duration::from_millis(100), "64 bytes each 50 ms");
            leave(wire);
        },
        found: &[],
        log: "",
    },
    Case {
        fault: "reset",
        client: |served| {
            let mut wire = hello(served);
            while wire.more() {}
        },
        found: &["connection-aborted", "no-closing-handshake", "tcp-reset"],
        log: "fault reset: the connection is reset",
    },
    Case {
        fault: "half-open",
        client: |served| {
            let mut wire = hello(served);
            assert_eq!(wire.frame(), Some(text("hello")));
            wire.send(&frame(true, 9, b"still there?"));
            let patience = Some(Duration::from_millis(300));
            wire.tcp.set_read_timeout(patience).expect("a socket");
            let read = std::io::Read::read(&mut wire.tcp, &mut [0]);
            assert!(
                read.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock),
                "it is silent, and there"
            );
        },
        found: &["no-closing-handshake"],
        log: "fault half-open",
    },
    Case {
        fault: "status=503",
        client: |served| {
            let (_wire, head) = open(served.address, "/echo", "");
            assert!(head.starts_with("HTTP/1.1 503"), "{head}");
        },
        found: &["handshake-rejected"],
        log: "fault status: answered with 503",
    },
    Case {
        fault: "strip-upgrade",
        client: |served| {
            let (_wire, head) = open(served.address, "/echo", "");
            assert!(head.starts_with("HTTP/1.1 426"), "{head}");
        },
        found: &["handshake-rejected"],
        log: "fault strip-upgrade",
    },
    Case {
        fault: "strip-extensions",
        client: |served| {
            let (wire, head) =
                open(served.address, "/echo", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
            assert!(!head.to_ascii_lowercase().contains("extensions"), "{head}");
            leave(wire);
        },
        found: &[],
        log: "fault strip-extensions",
    },
    Case {
        fault: "idle-timeout=100ms",
        client: |served| {
            let mut wire = hello(served);
            assert_eq!(wire.frame(), Some(text("hello")));
            assert_eq!(wire.frame(), None);
        },
        found: &["no-closing-handshake"],
        log: "fault idle-timeout",
    },
    Case {
        fault: "window-lost",
        client: |served| {
            let (mut wire, head) =
                open(served.address, "/echo", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
            assert!(head.to_ascii_lowercase().contains("extensions: permessage-deflate"), "{head}");
            wire.send(&frame(true, 1, b"hello, hello, hello"));
            assert_eq!(wire.frame().map(|(first, _)| first), Some(0xC1));
            wire.send(&frame(true, 8, &1007u16.to_be_bytes()));
            assert_eq!(wire.frame().map(|(first, _)| first), Some(0x88));
        },
        found: &["close-1007", "pmd-inflate-error"],
        log: "",
    },
];

#[test]
fn decode_finds_in_the_capture_what_went_wrong() {
    assert_eq!(CASES.len(), wstool::lab::fault::NAMES.len());
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        let running: Vec<_> = CASES
            .iter()
            .map(|case| {
                scope.spawn(|| {
                    let name = format!("fault-{}", case.fault.split('=').next().unwrap_or_default());
                    let mut served = Served::start(&name, &["ws", "--view", "none", "--fault", case.fault]);
                    (case.client)(&served);
                    if !case.log.is_empty() {
                        while !served.running.line().contains(case.log) {}
                    }
                    let (pcap, _) = served.end();
                    let mut found = rules(&decoded(&pcap));
                    // What our clients leave out on purpose.
                    found
                        .retain(|rule| !matches!(rule.as_str(), "weak-masking-key" | "repeated-masking-key"));
                    let expected = case.found.iter().map(|rule| (*rule).to_owned()).collect();
                    (found != expected).then(|| format!("{}: {found:?}", case.fault))
                })
            })
            .collect();
        wrong.extend(running.into_iter().filter_map(|it| it.join().expect("no panic")));
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A client that is answered wrongly has to leave without a word (RFC 6455 §4.1), and has not vanished.
#[test]
fn who_is_answered_wrongly_may_leave() {
    let mut served = Served::start("answered-wrongly", &["ws", "--view", "none", "--fault", "accept"]);
    served.open("/echo").hang_up();
    let mut garbage = Wire::to(served.address);
    garbage.send(b"GET /\x00 \x01\r\n\r\n");
    garbage.rest();
    loop {
        let line = served.running.line();
        assert!(!line.contains("vanished"), "{line}");
        if line.contains("sent what is no HTTP request") {
            break;
        }
    }
}

#[test]
fn what_cannot_befall_a_kind_is_said() {
    let mut served =
        Served::start("applies", &["tcp", "poll", "--fault", "mask,delay=1ms", "--fault", "slow-read"]);
    let mut lines = Vec::new();
    served.running.interrupt();
    loop {
        let line = served.running.line();
        if line.contains("closing now") {
            break;
        }
        lines.extend(line.starts_with("note:").then_some(line));
    }
    assert_eq!(
        lines,
        [
            "note: fault mask cannot befall the raw chat, which has no such thing",
            "note: fault mask cannot befall polling, which has no such thing"
        ]
    );
}

/// The raw chat and polling have their faults, too.
#[test]
fn faults_befall_lines_and_polls() {
    let mut served = Served::start("lines", &["tcp", "poll", "--view", "none", "--fault", "cut-after=2"]);
    let mut wire = Wire::to(served.address);
    wire.send(b"hello\n/who\n");
    assert_eq!(String::from_utf8_lossy(&wire.rest()), "you are guest1; online: guest1\nonline: guest1\n");
    while !served.running.line().contains("fault cut-after: cut behind message 2") {}
    let served = Served::start("polls", &["poll", "--view", "none", "--fault", "status=429"]);
    let mut wire = Wire::to(served.address);
    wire.send(b"GET /poll/short HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(wire.head().starts_with("HTTP/1.1 429"));
}
