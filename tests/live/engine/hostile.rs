//! Clients that ask too much, or take too little.

use std::io::Write as _;

use wstool::lab::engine::settings::Settings;
use wstool::limits;
use wstool::model::Opcode;

use super::client::{connect, read_response};
use super::{Host, V3, V4, await_log, calm, watched};

const TOO_LONG: &str = "a message is longer than is taken here";

#[test]
fn what_is_too_long_is_refused() {
    let (host, _app, log) = watched(Settings { max_payload: 1000, ..calm() });
    let target = format!("{V4}&transport=polling&sid={}", host.begin(V4));
    assert_eq!(host.ask(&format!("POST {target}"), &"4".repeat(1000)).text(), "ok");
    let refused = host.ask(&format!("POST {target}"), &"4".repeat(1001));
    assert_eq!(refused.status, 413);
    // As in the reference the session goes on.
    assert_eq!(host.ask(&format!("GET {target}"), "").text().len(), 1000);

    let mut socket = host.open(&format!("{V4}&transport=websocket"));
    socket.hear();
    socket.text(&"4".repeat(1000));
    assert_eq!(socket.hear().len(), 1000);
    socket.text(&"4".repeat(1001));
    let close = socket.closed().expect("it is told why");
    assert_eq!((&close[..2], &close[2..]), (&1009_u16.to_be_bytes()[..], TOO_LONG.as_bytes()));
    await_log(&log, &format!("over: transport error: {TOO_LONG}"));
}

#[test]
fn frames_that_break_the_rules_are_answered_with_their_code() {
    let (host, _app, _log) = watched(calm());
    for (opcode, payload, code) in [(Opcode(3), &b""[..], 1002_u16), (Opcode::TEXT, b"4\xff", 1007)] {
        let mut socket = host.open(&format!("{V4}&transport=websocket"));
        socket.hear();
        socket.frame(opcode, payload);
        assert_eq!(socket.closed().expect("it is told why")[..2], code.to_be_bytes());
    }
}

#[test]
fn who_takes_nothing_is_left_behind() {
    let (host, app, log) = watched(calm());
    // By polling: nobody fetches what waits.
    host.begin(V4);
    let session = app.session();
    host.run(async move {
        for _ in 0..=limits::LAB_SESSION_PACKETS + 1 {
            session.send(["x".into()]);
        }
    });
    await_log(&log, "over: too slow");
    log.lock().unwrap().clear();
    // By WebSocket: the client does not read, though it is still heard.
    let mut socket = host.open(&format!("{V4}&transport=websocket"));
    socket.hear();
    let session = app.session();
    host.run(async move {
        let block: wstool::lab::engine::packet::Data = "x".repeat(900_000).into();
        while session.is_over().is_none() {
            session.send([block.clone()]);
            tokio::task::yield_now().await;
        }
    });
    await_log(&log, "over: too slow");
    // Others are not affected.
    let mut other = host.open(&format!("{V4}&transport=websocket"));
    other.hear();
    other.text("4hello");
    assert_eq!(other.hear(), "4hello");
    drop(socket);
}

#[test]
fn a_flood_of_packets_in_a_body_is_no_body() {
    let (host, _app, log) = watched(calm());
    let target = format!("{V4}&transport=polling&sid={}", host.begin(V4));
    let flood = vec!["6"; limits::POLLING_PACKETS + 1].join("\x1e");
    assert_eq!(host.ask(&format!("POST {target}"), &flood).status, 400);
    await_log(&log, "over: parse error: a body that is no packets");
}

#[test]
fn a_server_that_ends_says_so() {
    let engine = wstool::lab::engine::chat(calm());
    let host = Host::start(vec![engine.clone()]);
    let mut socket = host.open("/socket.io/?EIO=4&transport=websocket");
    socket.hear();
    let target = format!("/socket.io/?EIO=4&transport=polling&sid={}", host.begin("/socket.io/?EIO=4"));
    let mut poll = connect(host.address);
    let head = format!("GET {target} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n");
    poll.write_all(head.as_bytes()).unwrap();
    assert_eq!(engine.sessions(), 2);
    host.run(async move { engine.shut_down() });
    assert_eq!(socket.closed(), Some(1001_u16.to_be_bytes().to_vec()));
    // The poll was waiting, or came too late.
    let poll = read_response(poll);
    assert!(
        [(200, "1"), (400, r#"{"code":1,"message":"Session ID unknown"}"#)]
            .contains(&(poll.status, &*poll.text()))
    );
}

#[test]
fn a_body_of_the_wrong_version_is_none() {
    let (host, _app, _log) = watched(calm());
    let target = format!("{V3}&transport=polling&sid={}", host.begin(V3));
    assert_eq!(host.ask(&format!("POST {target}"), "4hello").status, 400);
}
