//! The move from polling to WebSocket, and messages there.

use std::time::Duration;

use wstool::lab::engine::settings::Settings;
use wstool::model::Opcode;

use super::client::{in_background, send};
use super::{V3, V4, await_log, calm, conformance, watched};

#[test]
fn a_session_moves() {
    for (path, noop) in [(V4, "6"), (V3, "1:6")] {
        let (host, app, log) = watched(calm());
        let sid = host.begin(path);
        let target = format!("{path}&transport=polling&sid={sid}");
        let waiting = in_background(send(host.address, &format!("GET {target}"), "", b""));
        app.await_poll();
        let mut socket = host.open(&format!("{path}&transport=websocket&sid={sid}"));
        socket.text("2probe");
        assert_eq!(socket.hear(), "3probe");
        assert_eq!(waiting.join().unwrap().text(), noop, "the poll that waits");
        assert_eq!(host.ask(&format!("GET {target}"), "").text(), noop, "one that comes later");
        // Until it has moved, messages come where they came.
        host.ask(&format!("POST {target}"), if path == V4 { "4before" } else { "7:4before" });
        let before = host.ask(&format!("GET {target}"), "").text();
        assert_eq!(before, if path == V4 { "4before" } else { "7:4before" });
        socket.text("5");
        socket.text("4hello");
        assert_eq!(socket.hear(), "4hello");
        assert_eq!(*log.lock().unwrap(), ["begun polling", "moved"]);

        // What comes for the same session afterwards does not disturb it.
        let poll = host.ask(&format!("GET {target}"), "");
        assert_eq!((poll.status, &*poll.text()), (400, r#"{"code":3,"message":"Bad request"}"#));
        let mut other = host.open(&format!("{path}&transport=websocket&sid={sid}"));
        assert_eq!(other.closed(), Some(Vec::new()));
        socket.text("4still");
        assert_eq!(socket.hear(), "4still");
        socket.frame(Opcode::CLOSE, b"");
        assert_eq!(socket.next(), Some((Opcode::CLOSE, Vec::new())));
        await_log(&log, "over: transport close");
    }
}

#[test]
fn what_comes_at_once_is_taken() {
    let (host, _app, _log) = watched(calm());
    let sid = host.begin(V4);
    host.ask(&format!("POST {V4}&transport=polling&sid={sid}"), "4waits");
    let mut socket = host.open(&format!("{V4}&transport=websocket&sid={sid}"));
    socket.text("2probe");
    socket.text("5");
    socket.text("4one");
    socket.text("4two");
    let heard: Vec<String> = (0..4).map(|_| socket.hear()).collect();
    assert_eq!(heard, ["3probe", "4waits", "4one", "4two"]);
}

#[test]
fn a_web_socket_that_says_something_else_does_not_move_it() {
    for (path, wrong, post) in [(V4, "4hello", "4x"), (V4, "2other", "4x"), (V3, "3probe", "2:4x")] {
        let (host, _app, log) = watched(calm());
        let sid = host.begin(path);
        let mut socket = host.open(&format!("{path}&transport=websocket&sid={sid}"));
        socket.text(wrong);
        assert_eq!(socket.closed(), Some(Vec::new()), "{wrong}");
        let target = format!("{path}&transport=polling&sid={sid}");
        host.ask(&format!("POST {target}"), post);
        assert_eq!(host.ask(&format!("GET {target}"), "").text(), post, "it goes on where it was");
        // It may try again.
        let mut socket = host.open(&format!("{path}&transport=websocket&sid={sid}"));
        socket.text("2probe");
        assert_eq!(socket.hear(), "3probe");
        socket.text("5");
        await_log(&log, "moved");
    }
}

#[test]
fn one_web_socket_at_a_time_tries() {
    let (host, _app, _log) = watched(calm());
    let sid = host.begin(V4);
    let target = format!("{V4}&transport=websocket&sid={sid}");
    let mut first = host.open(&target);
    first.text("2probe");
    assert_eq!(first.hear(), "3probe");
    assert_eq!(host.open(&target).closed(), Some(Vec::new()));
    first.text("5");
    first.text("4hello");
    assert_eq!(first.hear(), "4hello");
}

#[test]
fn who_takes_too_long_does_not_move() {
    let settings = Settings { upgrade_timeout: Duration::from_millis(50), ..calm() };
    let (host, _app, _log) = watched(settings);
    let sid = host.begin(V4);
    let mut socket = host.open(&format!("{V4}&transport=websocket&sid={sid}"));
    assert_eq!(socket.closed(), Some(Vec::new()));
    let target = format!("{V4}&transport=polling&sid={sid}");
    host.ask(&format!("POST {target}"), "4here");
    assert_eq!(host.ask(&format!("GET {target}"), "").text(), "4here");
}

#[test]
fn messages_go_in_frames() {
    let host = conformance();
    for (path, bytes) in [(V4, &[1, 2, 3, 4][..]), (V3, &[4, 1, 2, 3, 4])] {
        let mut socket = host.open(&format!("{path}&transport=websocket"));
        assert!(socket.hear().starts_with('0'));
        socket.text("4hello € 😀");
        assert_eq!(socket.hear(), "4hello € 😀");
        socket.frame(Opcode::BINARY, bytes);
        assert_eq!(socket.hear_bytes(), bytes);
    }
    // A client that cannot have bytes.
    let mut socket = host.open("/engine.io/?EIO=3&transport=websocket&b64=1");
    socket.hear();
    socket.text("b4AQIDBA==");
    assert_eq!(socket.hear(), "b4AQIDBA==");
}
