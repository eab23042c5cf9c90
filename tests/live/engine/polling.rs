//! Handshakes, messages and refusals by HTTP long polling.

use std::io::Write as _;
use std::time::Duration;

use serde_json::Value;
use wstool::lab::engine::Engine;
use wstool::lab::engine::programs::Echo;
use wstool::lab::engine::settings::{Cors, Origins, Settings, Transport};

use super::client::{Socket, ask, connect, in_background, send};
use super::{Host, V3, V4, await_log, calm, conformance, watched};

#[test]
fn a_handshake_says_what_the_server_does() {
    let settings = Settings { path: "/engine.io/".to_owned(), ..Settings::conformance() };
    let host = Host::start(vec![Engine::new(settings, Echo)]);
    let opened = host.ask(&format!("GET {V4}&transport=polling"), "");
    assert_eq!(opened.status, 200);
    assert!(opened.has("content-type: text/plain; charset=UTF-8") && opened.has("cache-control: no-store"));
    assert!(opened.has("access-control-allow-origin: *"));
    let handshake: Value = serde_json::from_str(opened.text().strip_prefix('0').unwrap()).unwrap();
    let sid = handshake["sid"].as_str().unwrap();
    assert_eq!(sid.len(), 20);
    let expected = serde_json::json!({
        "sid": sid, "upgrades": ["websocket"], "pingInterval": 300, "pingTimeout": 200,
        "maxPayload": 1_000_000,
    });
    assert_eq!(handshake, expected);

    let opened = host.open(&format!("{V4}&transport=websocket")).hear();
    let handshake: Value = serde_json::from_str(opened.strip_prefix('0').unwrap()).unwrap();
    assert_eq!(handshake["upgrades"], serde_json::json!([]));

    let opened = host.ask(&format!("GET {V3}&transport=polling"), "");
    let (length, packet) = opened.text().split_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(length, packet.encode_utf16().count().to_string());
    let handshake: Value = serde_json::from_str(packet.strip_prefix('0').unwrap()).unwrap();
    assert_eq!((&handshake["maxPayload"], &handshake["pingTimeout"]), (&Value::Null, &200.into()));
    let cookie = format!("set-cookie: io={}; Path=/; HttpOnly; SameSite=Strict", super::sid(&packet));
    assert!(opened.has(&cookie), "{}", opened.fields);
}

#[test]
fn what_is_wrong_with_a_request_has_a_number() {
    let host = conformance();
    let sid = host.begin(V4);
    let mut socket = host.open(&format!("{V4}&transport=websocket"));
    let on_socket = super::sid(&socket.hear());
    for (request, code, message) in [
        ("GET /engine.io/?transport=polling".to_owned(), 5, "Unsupported protocol version"),
        ("GET /engine.io/?EIO=abc&transport=polling".to_owned(), 5, "Unsupported protocol version"),
        (format!("GET {V4}"), 0, "Transport unknown"),
        (format!("GET {V4}&transport=abc"), 0, "Transport unknown"),
        (format!("GET {V3}&transport=abc"), 0, "Transport unknown"),
        (format!("POST {V4}&transport=polling"), 2, "Bad handshake method"),
        (format!("PUT {V4}&transport=polling"), 2, "Bad handshake method"),
        (format!("PUT {V4}&transport=polling&sid={sid}"), 3, "Bad request"),
        (format!("GET {V4}&transport=polling&sid=unknown"), 1, "Session ID unknown"),
        (format!("GET {V4}&transport=websocket"), 3, "Bad request"),
        (format!("GET {V4}&transport=websocket&sid={sid}"), 3, "Bad request"),
        (format!("GET {V4}&transport=polling&sid={on_socket}"), 3, "Bad request"),
        (format!("POST {V4}&transport=polling&sid={on_socket}"), 3, "Bad request"),
    ] {
        let refused = host.ask(&request, "");
        let body = format!("{{\"code\":{code},\"message\":\"{message}\"}}");
        assert_eq!((refused.status, refused.text()), (400, body), "{request}");
        assert!(refused.has("content-type: application/json"), "{request}");
    }
    assert_eq!(host.ask("GET /elsewhere/?EIO=4&transport=polling", "").status, 404);
    for (target, message) in [
        ("/engine.io/?transport=websocket", "Unsupported protocol version"),
        ("/engine.io/?EIO=abc&transport=websocket", "Unsupported protocol version"),
        ("/engine.io/?EIO=4", "Transport unknown"),
        ("/engine.io/?EIO=4&transport=abc", "Transport unknown"),
        ("/engine.io/?EIO=4&transport=polling", "Bad request"),
        ("/engine.io/?EIO=4&transport=websocket&sid=unknown", "Session ID unknown"),
    ] {
        let refused = Socket::open(host.address, target).err().expect("refused");
        assert_eq!((refused.status, &*refused.text()), (400, message), "{target}");
        assert!(refused.has("connection: close"), "{target}");
    }
}

#[test]
fn transports_that_are_not_wanted_are_unknown() {
    let settings = Settings { transports: vec![Transport::WebSocket], ..calm() };
    let host = Host::start(vec![Engine::new(settings, Echo)]);
    let refused = host.ask("GET /socket.io/?EIO=4&transport=polling", "");
    assert_eq!((refused.status, &*refused.text()), (400, r#"{"code":0,"message":"Transport unknown"}"#));
    assert!(host.open("/socket.io/?EIO=4&transport=websocket").hear().starts_with('0'));

    let settings = Settings { transports: vec![Transport::Polling], version_3: false, ..calm() };
    let host = Host::start(vec![Engine::new(settings, Echo)]);
    let opened = host.ask("GET /socket.io/?EIO=4&transport=polling", "").text();
    assert!(opened.contains(r#""upgrades":[]"#), "{opened}");
    let refused = Socket::open(host.address, "/socket.io/?EIO=4&transport=websocket").err().expect("refused");
    assert_eq!(refused.text(), "Transport unknown");
    let refused = host.ask("GET /socket.io/?EIO=3&transport=polling", "");
    assert_eq!(refused.text(), r#"{"code":5,"message":"Unsupported protocol version"}"#);
}

#[test]
fn packets_go_in_bodies() {
    let host = conformance();
    for (path, sent, heard) in [
        (V4, "4hello", "4hello"),
        (V4, "4test1\x1e4test2\x1e4test3", "4test1\x1e4test2\x1e4test3"),
        (V4, "4hello\x1ebAQIDBA==", "4hello\x1ebAQIDBA=="),
        (V4, "4€ 😀", "4€ 😀"),
        ("/engine.io/?EIO=3&b64=1", "6:4hello", "6:4hello"),
        ("/engine.io/?EIO=3&b64=1", "6:4test16:4test26:4test3", "6:4test16:4test26:4test3"),
        ("/engine.io/?EIO=3&b64=1", "6:4hello10:b4AQIDBA==", "6:4hello10:b4AQIDBA=="),
        (V3, "2:4€3:4😀", "2:4€3:4😀"),
    ] {
        let target = format!("{path}&transport=polling&sid={}", host.begin(path));
        let taken = host.ask(&format!("POST {target}"), sent);
        assert_eq!((taken.status, &*taken.text()), (200, "ok"), "{sent}");
        assert!(taken.has("content-type: text/html"), "{}", taken.fields);
        let poll = host.ask(&format!("GET {target}"), "");
        assert_eq!((poll.status, &*poll.text()), (200, heard), "{sent}");
    }
}

#[test]
fn old_clients_have_bytes_in_bodies() {
    let host = conformance();
    let target = format!("{V3}&transport=polling&sid={}", host.begin(V3));
    let bytes = b"\x00\x04\xff4\xe2\x82\xac\x01\x05\xff\x04\x01\x02\x03\x04";
    let octets = "Content-Type: application/octet-stream\r\n";
    assert_eq!(ask(host.address, &format!("POST {target}"), octets, bytes).text(), "ok");
    let poll = host.ask(&format!("GET {target}"), "");
    assert!(poll.has("content-type: application/octet-stream"), "{}", poll.fields);
    assert_eq!(poll.body, bytes);

    // Version 4 sends bytes as Base64 only.
    let target = format!("{V4}&transport=polling&sid={}", host.begin(V4));
    assert_eq!(ask(host.address, &format!("POST {target}"), octets, b"4hello").status, 400);
    assert_eq!(host.ask(&format!("GET {target}"), "").status, 400);
}

#[test]
fn scripts_call_the_client_back() {
    let host = conformance();
    let opened = host.ask(&format!("GET {V4}&transport=polling&j=0"), "");
    assert!(opened.has("content-type: text/javascript; charset=UTF-8"), "{}", opened.fields);
    let text = opened.text();
    assert!(text.starts_with(r#"___eio[0]("0{\"sid\":\""#) && text.ends_with(r#"}");"#), "{text}");
    let target = format!("{V4}&transport=polling&sid={}&j=1", super::sid(&text.replace('\\', "")));
    // Line breaks are written out, and those of JSON once more.
    assert_eq!(host.ask(&format!("POST {target}"), "d=4a%5Cnb%5C%5Cnc%E2%80%A8%22").text(), "ok");
    assert_eq!(host.ask(&format!("GET {target}"), "").text(), "___eio[1](\"4a\\nb\\\\nc\\u2028\\\"\");");
}

#[test]
fn a_poll_waits_and_is_answered_at_once() {
    let (host, app, log) = watched(calm());
    let target = format!("{V4}&transport=polling&sid={}", host.begin(V4));
    let poll = in_background(send(host.address, &format!("GET {target}"), "", b""));
    app.await_poll();
    host.ask(&format!("POST {target}"), "4hello");
    assert_eq!(poll.join().unwrap().text(), "4hello");
    // A client that goes while its poll waits is gone.
    let poll = send(host.address, &format!("GET {target}"), "", b"");
    app.await_poll();
    drop(poll);
    await_log(&log, "over: transport error: the connection of a poll was closed");
    assert_eq!(host.ask(&format!("GET {target}"), "").status, 400);
}

#[test]
fn two_polls_at_once_end_the_session() {
    for (path, close) in [(V4, "1"), (V3, "1:1")] {
        let (host, app, log) = watched(calm());
        let target = format!("{path}&transport=polling&sid={}", host.begin(path));
        let first = in_background(send(host.address, &format!("GET {target}"), "", b""));
        app.await_poll();
        assert_eq!(host.ask(&format!("GET {target}"), "").status, 400);
        let first = first.join().unwrap();
        assert_eq!((first.status, &*first.text()), (200, close));
        assert_eq!(host.ask(&format!("GET {target}"), "").status, 400);
        await_log(&log, "over: transport error: two polls at once");
    }
}

#[test]
fn two_bodies_at_once_end_the_session() {
    let (host, app, log) = watched(calm());
    let target = format!("{V4}&transport=polling&sid={}", host.begin(V4));
    let mut first = connect(host.address);
    let head = format!("POST {target} HTTP/1.1\r\nHost: lab\r\nContent-Length: 9\r\n\r\n4hal");
    first.write_all(head.as_bytes()).unwrap();
    // The first is under way when the server has answered something on the second's connection that came
    // later; until then the second is taken as a body by itself.
    while app.session().is_over().is_none() {
        host.ask(&format!("POST {target}"), "4whole");
    }
    await_log(&log, "over: transport error: two bodies at once");
    assert_eq!(host.ask(&format!("GET {target}"), "").status, 400);
}

#[test]
fn a_body_that_ends_in_its_midst_ends_the_session() {
    let (host, _app, log) = watched(calm());
    let target = format!("{V4}&transport=polling&sid={}", host.begin(V4));
    let mut stream = connect(host.address);
    let head = format!("POST {target} HTTP/1.1\r\nHost: lab\r\nContent-Length: 9\r\n\r\n4hal");
    stream.write_all(head.as_bytes()).unwrap();
    drop(stream);
    await_log(&log, "over: transport error: the connection of a body was closed");
}

#[test]
fn a_client_can_close() {
    for (path, close, noop) in [(V4, "1", "6"), (V3, "1:1", "1:6")] {
        let (host, app, log) = watched(calm());
        let target = format!("{path}&transport=polling&sid={}", host.begin(path));
        let poll = in_background(send(host.address, &format!("GET {target}"), "", b""));
        app.await_poll();
        assert_eq!(host.ask(&format!("POST {target}"), close).text(), "ok");
        let poll = poll.join().unwrap();
        assert_eq!((poll.status, &*poll.text()), (200, noop));
        assert_eq!(host.ask(&format!("GET {target}"), "").status, 400);
        assert_eq!(*log.lock().unwrap(), ["begun polling", "over: transport close"]);
    }
    // A poll that was under way and comes later is answered as if it had come before.
    for (path, close, noop) in [(V4, "1", "6"), (V3, "1:1", "1:6")] {
        let (host, _app, log) = watched(calm());
        let target = format!("{path}&transport=polling&sid={}", host.begin(path));
        assert_eq!(host.ask(&format!("POST {target}"), close).text(), "ok");
        assert_eq!(*log.lock().unwrap(), ["begun polling", "over: transport close"]);
        assert_eq!(host.ask(&format!("POST {target}"), close).status, 400);
        let late = host.ask(&format!("GET {target}"), "");
        // It is waited for a second; this machine may be slower.
        let over = r#"{"code":1,"message":"Session ID unknown"}"#;
        assert!([(200, noop), (400, over)].contains(&(late.status, &*late.text())), "{}", late.text());
        assert_eq!(host.ask(&format!("GET {target}"), "").status, 400);
    }
    let host = conformance();
    for path in [V4, V3] {
        let mut socket = host.open(&format!("{path}&transport=websocket"));
        assert!(socket.hear().starts_with('0'));
        socket.text("1");
        assert_eq!(socket.closed(), Some(Vec::new()));
    }
}

#[test]
fn a_server_can_close_in_order() {
    let (host, app, log) = watched(calm());
    let target = format!("{V4}&transport=polling&sid={}", host.begin(V4));
    let (session, reason) = (app.session(), wstool::lab::engine::settings::Reason::ForcedClose("enough"));
    host.run(async move {
        session.send(["last words".into()]);
        session.close(reason);
        session.send(["never".into()]);
    });
    let poll = host.ask(&format!("GET {target}"), "");
    assert_eq!((poll.status, &*poll.text()), (200, "4last words\x1e1"));
    assert_eq!(host.ask(&format!("GET {target}"), "").status, 400);
    await_log(&log, "over: forced close: enough");
    let mut socket = host.open(&format!("{V4}&transport=websocket"));
    socket.hear();
    let session = app.session();
    host.run(async move {
        session.send(["last words".into()]);
        session.close(reason);
    });
    assert_eq!((socket.hear(), socket.closed()), ("4last words".to_owned(), Some(Vec::new())));
}

#[test]
fn a_body_that_is_no_packets_ends_the_session() {
    let host = conformance();
    for (path, wrong) in [(V4, "abc"), (V4, ""), (V4, "4a\x1eabc"), (V3, "abc"), (V3, ""), (V3, "9:4short")] {
        let target = format!("{path}&transport=polling&sid={}", host.begin(path));
        assert_eq!(host.ask(&format!("POST {target}"), wrong).status, 400, "{wrong}");
        assert_eq!(host.ask(&format!("GET {target}"), "").status, 400, "{wrong}");
    }
    for path in [V4, V3] {
        let mut socket = host.open(&format!("{path}&transport=websocket"));
        socket.hear();
        socket.text("abc");
        assert_eq!(socket.closed(), Some(Vec::new()));
    }
}

#[test]
fn pages_of_other_origins_may_ask_if_they_may() {
    let page = "Origin: http://page\r\n";
    let of = |origins| {
        let cors = Cors { origins, credentials: true };
        Host::start(vec![Engine::new(Settings { cors, ..calm() }, Echo)])
    };
    let target = "GET /socket.io/?EIO=4&transport=polling";
    let options = "OPTIONS /socket.io/?EIO=4&transport=polling";

    let host = of(Origins::Same);
    let opened = ask(host.address, target, page, b"");
    assert!(opened.status == 200 && !opened.fields.contains("access-control"), "{}", opened.fields);
    let preflight = ask(host.address, options, page, b"");
    assert_eq!(preflight.text(), r#"{"code":2,"message":"Bad handshake method"}"#);

    let host = of(Origins::List(vec!["http://page".to_owned()]));
    let preflight = ask(host.address, options, &format!("{page}Access-Control-Request-Headers: a\r\n"), b"");
    assert_eq!(preflight.status, 204);
    for field in ["access-control-allow-headers: a", "access-control-allow-origin: http://page"] {
        assert!(preflight.has(field), "{field}: {}", preflight.fields);
    }
    // Also what is refused can be read.
    let refused = ask(host.address, "GET /socket.io/?EIO=4", page, b"");
    assert!(refused.status == 400 && refused.has("access-control-allow-credentials: true"));
    let forbidden = ask(host.address, target, "Origin: http://elsewhere\r\n", b"");
    assert_eq!((forbidden.status, &*forbidden.text()), (403, r#"{"code":4,"message":"Forbidden"}"#));
    assert_eq!(ask(host.address, target, "Origin: http://lab\r\n", b"").status, 200, "its own page");
}

#[test]
fn deadlines_hold_when_a_request_comes() {
    let settings = Settings {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        ..calm()
    };
    for (path, ping) in [(V4, "1"), (V3, "1:2")] {
        let (host, _app, log) = watched(settings.clone());
        let target = format!("{path}&transport=polling&sid={}", host.begin(path));
        await_log(&log, "over: ping timeout");
        assert_eq!(
            host.ask(&format!("GET {target}"), "").text(),
            r#"{"code":1,"message":"Session ID unknown"}"#
        );
        assert_eq!(host.ask(&format!("POST {target}"), ping).status, 400);
    }
}
