//! Peers that are slow, deaf, flooding, lying, vanishing, or too many: each is named, and nobody else minds.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use wstool::lab::serve::Settings;

use super::{Lab, Wire, frame};

/// Somebody else, who does not mind.
fn is_served(lab: &Lab) {
    let mut wire = lab.echo();
    wire.send(&frame(true, 1, b"and me?"));
    assert_eq!(wire.frame(), Some((0x81, b"and me?".to_vec())));
}

#[test]
fn who_takes_nothing_is_cut_off() {
    let lab = Lab::start(Settings { write_timeout: Duration::from_millis(300), ..Settings::default() });
    let mut deaf = lab.echo();
    deaf.tcp.set_write_timeout(Some(Duration::from_millis(200))).expect("a socket");
    let bytes = frame(true, 2, &vec![7; 100_000]);
    // Until neither side takes any more.
    let mut sent = 0;
    while deaf.tcp.write_all(&bytes).is_ok() && sent < 1000 {
        sent += 1;
    }
    assert!(sent < 1000, "what is not taken is not read for ever");
    is_served(&lab);
    assert!(lab.logs("cut off: it took nothing of what it was sent for 0.3 s"));
    // A stream of an answer, too.
    let mut stream = Wire::to(lab.address);
    stream.send(b"GET /poll/events HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(stream.head().starts_with("HTTP/1.1 200"));
    is_served(&lab);
}

#[test]
fn who_floods_is_read_no_faster_than_it_takes() {
    let lab = Lab::start(Settings::default());
    let mut flood = lab.echo();
    let mut sender = flood.tcp.try_clone().expect("a socket");
    let pings: Vec<u8> = (0..2000).flat_map(|_| frame(true, 9, &[9; 125])).collect();
    let sending = std::thread::spawn(move || {
        for _ in 0..20 {
            sender.write_all(&pings).expect("it takes pings");
        }
        sender.shutdown(Shutdown::Write).expect("a socket");
    });
    is_served(&lab);
    let mut pongs = 0;
    while let Some((first, payload)) = flood.frame() {
        assert_eq!((first, payload.len()), (0x8A, 125));
        pongs += 1;
        if pongs == 40_000 {
            break;
        }
    }
    assert_eq!(pongs, 40_000);
    assert!(lab.logs("floods: 10,000 messages within 5 s"));
    sending.join().expect("no panic");
    assert!(lab.logs("it vanished: the connection ended without a Close"));
}

/// A chat goes on without who does not take its lines.
#[test]
fn who_does_not_read_holds_up_no_chat() {
    let lab = Lab::start(Settings { write_timeout: Duration::from_millis(500), ..Settings::default() });
    let mut deaf = lab.open("/chat?name=Deaf", "").0;
    assert!(deaf.frame().is_some());
    let mut listener = lab.open("/chat?name=Ear", "").0;
    assert!(listener.frame().is_some());
    let mut loud = Wire::to(lab.address);
    let line = format!("{}\n", "x".repeat(4000));
    loud.send(b"hello\n");
    assert!(loud.more());
    assert_eq!(listener.frame().map(|(_, text)| text), Some(b"guest3 joined".to_vec()));
    assert_eq!(listener.frame().map(|(_, text)| text), Some(b"guest3: hello".to_vec()));
    for _ in 0..3000 {
        loud.send(line.as_bytes());
        let mut next = listener.frame();
        if next.as_ref().is_some_and(|(_, text)| text == b"Deaf left") {
            next = listener.frame();
        }
        assert_eq!(next.map(|(_, text)| text.len()), Some("guest3: ".len() + 4000));
    }
    assert!(lab.logs("cut off: it took nothing of what it was sent for 0.5 s"));
    is_served(&lab);
}

#[test]
fn who_vanishes_or_lies_is_named() {
    let lab = Lab::start(Settings {
        ping_interval: Some(Duration::from_millis(100)),
        idle_timeout: Some(Duration::from_millis(400)),
        ..Settings::default()
    });
    // Half-open: no pong comes.
    let mut dead = lab.echo();
    assert_eq!(dead.frame().map(|(first, _)| first), Some(0x89));
    assert!(lab.logs("cut off: no answer to a ping for 0.1 s"));
    // It answers, and says nothing else.
    let mut idle = lab.echo();
    loop {
        match idle.frame() {
            Some((0x89, payload)) => idle.send(&frame(true, 10, &payload)),
            Some((0x88, payload)) => {
                assert_eq!(&payload[..2], &1001u16.to_be_bytes()[..]);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(lab.logs("closed: no message for 0.4 s"));
    // It declares more than it will ever send.
    let mut liar = lab.echo();
    liar.send(b"\x82\xFF\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00");
    while let Some((first, payload)) = liar.frame() {
        if first == 0x88 {
            assert_eq!(&payload[..2], &1009u16.to_be_bytes()[..]);
        }
    }
    assert!(lab.logs("closed with 1009: a message is longer than is taken here"));
    // No HTTP, TLS without TLS, and a reset.
    let mut garbage = Wire::to(lab.address);
    garbage.send(b"GET /\x00 \x01\r\n\r\n");
    garbage.rest();
    assert!(lab.logs("sent what is no HTTP request"));
    let mut tls = Wire::to(lab.address);
    tls.send(b"\x16\x03\x01\x02\x00\x01");
    tls.rest();
    assert!(lab.logs("speaks TLS: let it connect to ws://"));
    let reset = lab.echo();
    reset.tcp.shutdown(Shutdown::Both).expect("a socket");
    drop(reset);
    assert!(lab.logs("it vanished"));
}

/// Ten thousand more than there is room for: each is told, those who are there do not notice.
#[test]
fn connections_beyond_the_limit_are_refused() {
    const BEYOND: usize = 10_000;
    let lab = Lab::start(Settings { max_connections: 3, ..Settings::default() });
    let mut inside: Vec<Wire> = (0..3).map(|_| lab.echo()).collect();
    for _ in 0..BEYOND {
        let mut beyond = Wire::to(lab.address);
        // It may be gone already.
        let _ = beyond.tcp.write_all(b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    let mut told = Wire::to(lab.address);
    let _ = told.tcp.write_all(b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut answer = Vec::new();
    // Politeness has a limit of its own.
    let _ = told.tcp.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 503"), "{}", answer.escape_ascii());
    for wire in &mut inside {
        wire.send(&frame(true, 1, b"still here"));
        assert_eq!(wire.frame(), Some((0x81, b"still here".to_vec())));
    }
    assert!(lab.logs("refused: 3 connections are there already"));
    let refused = || {
        let log = lab.log.lock().expect("nobody panics");
        log.iter().filter(|line| line.contains("refused: 3")).count()
    };
    while refused() < BEYOND + 1 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((refused(), lab.server.connections()), (BEYOND + 1, 3));
    // Who leaves makes room.
    drop(inside);
    while lab.server.connections() > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    is_served(&lab);
}
