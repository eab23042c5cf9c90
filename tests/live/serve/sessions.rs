//! What goes wrong on purpose befalls sessions of Socket.IO, on either transport, and what polls.

use std::io::{ErrorKind, Read as _};
use std::time::{Duration, Instant};

use super::{PATIENCE, Served, Wire, decoded, frame, open, rules};

const WEB_SOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// What a session is told first.
const FIRST: &str = r#"42["online users",[],0]"#;

fn said(wire: &mut Wire) -> Option<String> {
    wire.frame().map(|(first, payload)| {
        assert_eq!(first, 0x81, "{}", payload.escape_ascii());
        String::from_utf8(payload).expect("UTF-8")
    })
}

/// A session on a WebSocket that is in the main namespace, and has been told nothing yet.
fn joined(served: &Served) -> Wire {
    let (mut wire, head) = open(served.address, WEB_SOCKET, "");
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(said(&mut wire).is_some_and(|open| open.starts_with("0{")));
    wire.send(&frame(true, 1, b"40"));
    assert!(said(&mut wire).is_some_and(|open| open.starts_with("40{")));
    wire
}

/// Closes as it should be.
fn leave(mut wire: Wire) {
    wire.tcp.set_read_timeout(Some(PATIENCE)).expect("a socket");
    wire.send(&frame(true, 8, &1000u16.to_be_bytes()));
    while wire.more() {}
}

/// That nothing comes, and the connection stays.
fn is_silent(wire: &mut Wire) {
    assert!(wire.early.is_empty(), "{}", wire.early.escape_ascii());
    wire.tcp.set_read_timeout(Some(Duration::from_millis(300))).expect("a socket");
    let read = wire.tcp.read(&mut [0]);
    assert!(read.as_ref().is_err_and(|why| why.kind() == ErrorKind::WouldBlock), "{read:?}");
}

/// What a session on a WebSocket sees of a fault, what decode finds in the capture, and what the log says.
type Case = (&'static str, fn(&Served), &'static [&'static str], &'static str);

const CASES: &[Case] = &[
    (
        "delay=150ms",
        |served| {
            let began = Instant::now();
            let mut wire = joined(served);
            assert_eq!(said(&mut wire).as_deref(), Some(FIRST), "in order");
            assert!(began.elapsed() >= Duration::from_millis(150));
            leave(wire);
        },
        &[],
        "",
    ),
    (
        "drop=1",
        |served| {
            let mut wire = joined(served);
            wire.send(&frame(true, 1, br#"420["echo",1]"#));
            wire.send(&frame(true, 9, b"?"));
            assert_eq!(wire.frame(), Some((0x8A, b"?".to_vec())), "whatever is no message arrives");
            leave(wire);
        },
        &[],
        "",
    ),
    (
        "cut-after=2",
        |served| {
            let mut wire = joined(served);
            assert_eq!(said(&mut wire).as_deref(), Some(FIRST));
            wire.send(&frame(true, 1, br#"420["echo",1]"#));
            assert_eq!(said(&mut wire).as_deref(), Some("430[1]"));
            assert_eq!(wire.frame(), None);
        },
        &["no-closing-handshake"],
        "fault cut-after: cut behind message 2",
    ),
    (
        "close=1011:overload",
        |served| {
            let mut wire = joined(served);
            assert_eq!(said(&mut wire).as_deref(), Some(FIRST));
            assert_eq!(wire.frame(), Some((0x88, [&1011u16.to_be_bytes()[..], b"overload"].concat())));
            wire.send(&frame(true, 8, &1011u16.to_be_bytes()));
            assert_eq!(wire.frame(), None);
        },
        &["close-1011"],
        "fault close: closed with 1011",
    ),
    (
        "reset",
        |served| {
            let mut wire = joined(served);
            while wire.more() {}
        },
        &["connection-aborted", "no-closing-handshake", "tcp-reset"],
        "fault reset: the connection is reset",
    ),
    (
        "half-open",
        |served| {
            let mut wire = joined(served);
            assert_eq!(said(&mut wire).as_deref(), Some(FIRST));
            wire.send(&frame(true, 9, b"still there?"));
            is_silent(&mut wire);
        },
        &["no-closing-handshake"],
        "fault half-open",
    ),
    (
        "idle-timeout=200ms",
        |served| {
            let mut wire = joined(served);
            assert_eq!(said(&mut wire).as_deref(), Some(FIRST));
            assert_eq!(wire.frame(), None);
        },
        &["no-closing-handshake"],
        "fault idle-timeout",
    ),
    (
        "no-pong",
        |served| {
            // Neither does the server ask whether a client is there, nor does it say that itself is.
            let mut wire = joined(served);
            assert_eq!(said(&mut wire).as_deref(), Some(FIRST));
            wire.send(&frame(true, 9, b"?"));
            is_silent(&mut wire);
            let (mut old, _) = open(served.address, "/socket.io/?EIO=3&transport=websocket", "");
            for begins in ["0{", "40", "42["] {
                assert!(said(&mut old).is_some_and(|text| text.starts_with(begins)), "{begins}");
            }
            old.send(&frame(true, 1, b"2"));
            is_silent(&mut old);
            leave(wire);
            leave(old);
        },
        &[],
        "",
    ),
    (
        "mask",
        |served| {
            let (mut wire, _) = open(served.address, WEB_SOCKET, "");
            while wire.early.len() < 2 {
                assert!(wire.more());
            }
            assert_eq!((wire.early[0], wire.early[1] & 0x80), (0x81, 0x80));
            wire.send(&frame(true, 8, &1002u16.to_be_bytes()));
            while wire.more() {}
        },
        &["close-1002", "masked-server-frame"],
        "",
    ),
    (
        "bad-utf8",
        |served| {
            let (mut wire, _) = open(served.address, WEB_SOCKET, "");
            assert!(said(&mut wire).is_some_and(|open| open.starts_with("0{")));
            wire.send(&frame(true, 1, b"40"));
            let (_, payload) = wire.frame().expect("a frame");
            assert!(payload.starts_with(b"40{") && payload.contains(&0xFF));
            wire.send(&frame(true, 8, &1007u16.to_be_bytes()));
            while wire.more() {}
        },
        &["close-1007", "invalid-utf8"],
        "",
    ),
    (
        "accept",
        |served| {
            let (mut wire, head) = open(served.address, WEB_SOCKET, "");
            // It does not look at what it got, goes on, and leaves in order.
            assert!(said(&mut wire).is_some_and(|open| open.starts_with("0{")));
            wire.send(&frame(true, 1, b"40"));
            leave(wire);
            assert!(head.to_ascii_lowercase().contains("accept: aaaaaaaaaaaaaaaaaaaaaaaaaaa="), "{head}");
        },
        &["accept-mismatch", "client-accepted-bad-handshake"],
        "fault accept",
    ),
];

#[test]
fn faults_befall_sessions_on_websockets() {
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        let run = |(fault, client, found, log): &Case| {
            let name = format!("session-{}", fault.split('=').next().unwrap_or_default());
            // With no-pong there would be a ping otherwise.
            let args = ["socketio", "--ping-interval", "100ms", "--view", "none", "--fault", fault];
            let args =
                if *fault == "no-pong" { &args[..] } else { &[args[0], args[3], args[4], args[5], args[6]] };
            let mut served = Served::start(&name, args);
            client(&served);
            while !log.is_empty() && !served.running.line().contains(log) {}
            let (pcap, _) = served.end();
            let mut seen = rules(&decoded(&pcap));
            // What our clients leave out on purpose.
            let ours = ["weak-masking-key", "repeated-masking-key", "reused-sec-websocket-key"];
            seen.retain(|rule| !ours.contains(&rule.as_str()));
            let expected = found.iter().map(|rule| (*rule).to_owned()).collect();
            (seen != expected).then(|| format!("{fault}: {seen:?}"))
        };
        let running: Vec<_> = CASES.iter().map(|case| scope.spawn(move || run(case))).collect();
        wrong.extend(running.into_iter().filter_map(|it| it.join().expect("no panic")));
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Asks over a connection of its own, which is kept: what comes of it.
fn ask(served: &Served, what: &str, body: &str) -> Wire {
    let mut wire = Wire::to(served.address);
    let length = body.len();
    wire.send(format!("{what} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes());
    wire
}

fn body(mut wire: Wire) -> String {
    let head = wire.head();
    let length = head.to_ascii_lowercase();
    let (_, length) = length.split_once("content-length: ").unwrap_or_else(|| panic!("{head}"));
    let length: usize = length.split("\r\n").next().and_then(|it| it.parse().ok()).expect("a length");
    while wire.early.len() < length {
        assert!(wire.more(), "{head}");
    }
    String::from_utf8_lossy(&wire.early[..length]).into_owned()
}

/// A session on polling that is in the main namespace: where it is asked.
fn polling(served: &Served) -> String {
    let opened = body(ask(served, &format!("GET {POLLING}"), ""));
    let (_, sid) = opened.split_once("\"sid\":\"").expect("a session");
    let target = format!("{POLLING}&sid={}", sid.split('"').next().expect("its end"));
    assert_eq!(body(ask(served, &format!("POST {target}"), "40")), "ok");
    target
}

#[test]
fn faults_befall_sessions_on_polling() {
    let start = |fault: &str| {
        let name = format!("polling-{}", fault.split('=').next().unwrap_or_default());
        Served::start(&name, &["socketio", "--view", "none", "--fault", fault])
    };
    // Behind the first message of its application the next request is not answered: its connection ends.
    for fault in ["cut-after=1", "reset", "half-open"] {
        let mut served = start(fault);
        let target = polling(&served);
        let told = body(ask(&served, &format!("GET {target}"), ""));
        assert!(told.starts_with("40{") && told.ends_with(FIRST), "{fault}: {told}");
        let mut next = ask(&served, &format!("GET {target}"), "");
        if fault == "half-open" {
            is_silent(&mut next);
        } else {
            assert!(!next.more() && next.early.is_empty(), "{fault}");
        }
        let name = fault.split('=').next().expect("a name");
        while !served.running.line().contains(&format!("fault {name}: ")) {}
    }
    let mut served = start("close=1011");
    let target = polling(&served);
    let told = body(ask(&served, &format!("GET {target}"), ""));
    assert!(told.ends_with(&format!("{FIRST}\u{1e}1")), "closed in order: {told}");
    assert!(body(ask(&served, &format!("GET {target}"), "")).contains("Session ID unknown"));
    while !served.running.line().contains("fault close: closed with 1011") {}
    // A poll that is held, and ends without an answer.
    let mut served = start("idle-timeout=200ms");
    let target = polling(&served);
    body(ask(&served, &format!("GET {target}"), ""));
    let mut held = ask(&served, &format!("GET {target}"), "");
    assert!(!held.more() && held.early.is_empty());
    while !served.running.line().contains("fault idle-timeout") {}
    // A message is lost as a whole, and the session goes on.
    let served = start("drop=1");
    let target = polling(&served);
    assert!(!body(ask(&served, &format!("GET {target}"), "")).contains("42"));
    let began = Instant::now();
    let served = start("delay=150ms");
    let target = polling(&served);
    assert!(body(ask(&served, &format!("GET {target}"), "")).starts_with("40{"));
    assert!(began.elapsed() >= Duration::from_millis(150));
}

/// A stream of lines, and polls on one connection.
#[test]
fn faults_befall_streams_and_polls() {
    let start = |fault: &str| {
        let name = format!("stream-{}", fault.split('=').next().unwrap_or_default());
        Served::start(&name, &["poll", "--view", "none", "--fault", fault])
    };
    for fault in ["cut-after=1", "reset", "half-open"] {
        let mut served = start(fault);
        let mut stream = ask(&served, "GET /poll/events", "");
        assert!(stream.head().starts_with("HTTP/1.1 200"));
        let mut said = ask(&served, "POST /poll/say?name=Ann", "hello");
        assert!(said.head().starts_with("HTTP/1.1 204"));
        while !String::from_utf8_lossy(&stream.early).contains("Ann: hello") {
            assert!(stream.more(), "{fault}: {}", stream.early.escape_ascii());
        }
        let name = fault.split('=').next().expect("a name");
        while !served.running.line().contains(&format!("fault {name}: ")) {}
        if fault == "half-open" {
            stream.early.clear();
            is_silent(&mut stream);
            continue;
        }
        let rest = stream.rest();
        assert!(!rest.ends_with(b"0\r\n\r\n"), "it is no end: {}", rest.escape_ascii());
        // A poll that was answered, and the next on its connection.
        let mut poll = ask(&served, "GET /poll/short?since=0", "");
        assert!(poll.head().starts_with("HTTP/1.1 200"));
        while !poll.early.ends_with(b"]}") {
            assert!(poll.more());
        }
        poll.early.clear();
        let _ =
            std::io::Write::write_all(&mut poll.tcp, b"GET /poll/short?since=0 HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(!poll.more() && poll.early.is_empty(), "{fault}");
    }
    let mut served = start("idle-timeout=200ms");
    let mut held = ask(&served, "GET /poll/long?since=0", "");
    assert!(!held.more() && held.early.is_empty());
    let mut stream = ask(&served, "GET /poll/events", "");
    assert!(stream.head().starts_with("HTTP/1.1 200"));
    assert!(!stream.rest().ends_with(b"0\r\n\r\n"));
    while !served.running.line().contains("fault idle-timeout") {}
    let served = start("bad-utf8");
    let mut poll = ask(&served, "GET /poll/short?since=0", "");
    poll.head();
    while !poll.early.contains(&b'}') {
        assert!(poll.more());
    }
    assert!(poll.early.contains(&0xFF));
}

/// A session's WebSocket is a connection like others.
#[test]
fn sessions_take_seats() {
    let served = Served::start("seats", &["socketio", "--view", "none", "--max-connections", "2"]);
    let (one, two) = (joined(&served), joined(&served));
    let (_refused, head) = open(served.address, WEB_SOCKET, "");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    drop((one, two));
    served.end();
}
