//! Pings and pongs, who sends them, and who is missed.

use std::time::{Duration, Instant};

use wstool::lab::engine::settings::Settings;
use wstool::model::Opcode;

use super::client::{in_background, send};
use super::{V3, V4, await_log, calm, watched};

/// Hearts that beat soon, and are not missed.
fn lively() -> Settings {
    Settings { ping_interval: Duration::from_millis(50), ping_timeout: Duration::from_mins(10), ..calm() }
}

/// Hearts that are missed soon.
fn short() -> Settings {
    Settings { ping_interval: Duration::from_millis(50), ping_timeout: Duration::from_millis(50), ..calm() }
}

#[test]
fn a_server_of_version_4_pings() {
    let (host, _app, log) = watched(lively());
    let start = Instant::now();
    let target = format!("{V4}&transport=polling&sid={}", host.begin(V4));
    for number in 1..=3 {
        assert_eq!(host.ask(&format!("GET {target}"), "").text(), "2");
        assert!(start.elapsed() >= number * Duration::from_millis(50), "not at once");
        assert_eq!(host.ask(&format!("POST {target}"), "3").text(), "ok");
    }
    let mut socket = host.open(&format!("{V4}&transport=websocket"));
    assert!(socket.hear().starts_with('0'));
    for _ in 0..3 {
        assert_eq!(socket.hear(), "2");
        socket.text("3");
    }
    // Without a pong there is no other ping.
    assert_eq!(socket.hear(), "2");
    socket.text("4still there");
    assert_eq!(socket.hear(), "4still there");
    assert!(!log.lock().unwrap().iter().any(|line| line.starts_with("over")), "{log:?}");
}

#[test]
fn a_client_of_version_3_pings() {
    let (host, _app, _log) = watched(lively());
    let target = format!("{V3}&transport=polling&sid={}", host.begin(V3));
    for _ in 0..3 {
        assert_eq!(host.ask(&format!("POST {target}"), "1:2").text(), "ok");
        assert_eq!(host.ask(&format!("GET {target}"), "").text(), "1:3");
    }
    let mut socket = host.open(&format!("{V3}&transport=websocket"));
    assert!(socket.hear().starts_with('0'));
    for _ in 0..3 {
        socket.text("2");
        assert_eq!(socket.hear(), "3");
    }
}

#[test]
fn who_does_not_answer_is_missed() {
    for path in [V4, V3] {
        let (host, _app, log) = watched(short());
        let mut socket = host.open(&format!("{path}&transport=websocket"));
        assert!(socket.hear().starts_with('0'));
        assert_eq!(socket.closed(), Some(Vec::new()));
        await_log(&log, "over: ping timeout");
    }
    // A poll that waits is answered.
    let (host, _app, log) = watched(short());
    let target = format!("{V4}&transport=polling&sid={}", host.begin(V4));
    let mut heard = String::new();
    for _ in 0..2 {
        let poll = in_background(send(host.address, &format!("GET {target}"), "", b"")).join().unwrap();
        heard.push_str(&poll.text());
    }
    await_log(&log, "over: ping timeout");
    // How far it came before it was over depends on how busy the machine is.
    let over = r#"{"code":1,"message":"Session ID unknown"}"#;
    assert!(
        ["21".to_owned(), format!("2{over}"), format!("1{over}"), over.repeat(2)].contains(&heard),
        "{heard}"
    );
}

#[test]
fn hearts_beat_in_one_direction() {
    for (path, wrong) in [(V4, "2"), (V3, "3")] {
        let (host, _app, log) = watched(calm());
        let mut socket = host.open(&format!("{path}&transport=websocket"));
        socket.hear();
        socket.text(wrong);
        assert_eq!(socket.closed(), Some(Vec::new()));
        await_log(&log, "over: transport error: a heartbeat in the wrong direction");
    }
    let (host, _app, _log) = watched(calm());
    let target = format!("{V4}&transport=polling&sid={}", host.begin(V4));
    host.ask(&format!("POST {target}"), "2");
    assert_eq!(host.ask(&format!("GET {target}"), "").status, 400);
}

#[test]
fn pings_of_web_socket_are_answered_besides() {
    let (host, _app, _log) = watched(calm());
    let mut socket = host.open(&format!("{V4}&transport=websocket"));
    socket.hear();
    socket.frame(Opcode::PING, b"there?");
    assert_eq!(socket.next(), Some((Opcode::PONG, b"there?".to_vec())));
    socket.frame(Opcode::CLOSE, &[0x03, 0xE8, b'b', b'y', b'e']);
    assert_eq!(socket.next(), Some((Opcode::CLOSE, vec![0x03, 0xE8])));
    assert_eq!(socket.next(), None);
}
