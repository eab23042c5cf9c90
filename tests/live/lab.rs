//! The lab's servers and other people's clients: npm's `ws` and `socket.io-client`, Python's
//! `websockets`; and what a browser's `EventSource` or `fetch` would send, by hand.
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use wstool::lab::hub::Hub;
use wstool::lab::server::{self, Settings};
use wstool::lab::stage::Stage;

use crate::peers::{Ear, Peer, Running};

/// A server, its address, and where its messages are put.
fn lab(heartbeat: Duration, hold: bool) -> (Stage, SocketAddr, Arc<Hub>) {
    let stage = Stage::start("server").expect("a thread");
    let hub = Arc::new(Hub::default());
    let settings =
        Settings { heartbeat: Some(heartbeat), event: "message".to_owned(), hold, ..Settings::default() };
    let runtime = Builder::new_current_thread().build().expect("an event loop");
    let listener = runtime
        .block_on(stage.run(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))))
        .expect("no panic")
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    stage.spawn(server::serve(listener, Arc::clone(&hub), settings));
    (stage, address, hub)
}

/// Starts a peer that listens; `None`, with the reason printed, where there is none.
fn listen(peer: Peer, args: &[&str]) -> Option<Running> {
    let mut command = peer.command("lab")?;
    Some(Running::start(command.args(args), Ear::Stdout))
}

fn push(hub: &Hub, message: &'static str) {
    hub.mailbox("peer").expect("a mailbox").push(message.into());
}

#[test]
fn web_sockets_of_other_implementations_hear_everything() {
    for (peer, echo, close) in [
        (Peer::Ws, "message from ws", "close 1000"),
        (Peer::Websockets, "message from websockets", "close 1000"),
    ] {
        let (_stage, address, hub) = lab(Duration::from_millis(300), false);
        let Some(mut running) = listen(peer, &["ws", &format!("ws://{address}/any?client=peer")]) else {
            continue;
        };
        assert_eq!(running.line(), "open", "{peer:?}");
        assert_eq!(running.line(), echo, "{peer:?}");
        if peer == Peer::Ws {
            assert_eq!(running.line(), "ping");
        }
        push(&hub, "héllo € 你好 😀");
        push(&hub, "last");
        let mut said = running.all();
        said.retain(|c| c != '\r');
        let heard: Vec<&str> = said.lines().filter(|line| *line != "ping").collect();
        assert_eq!(heard[heard.len() - 3..], ["message héllo € 你好 😀", "message last", close], "{said}");
    }
}

#[test]
fn socket_io_s_own_client_is_at_home_on_every_transport() {
    for (transport, name) in [("polling", "polling"), ("websocket", "websocket"), ("upgrade", "websocket")] {
        let (_stage, address, hub) = lab(Duration::from_millis(300), false);
        let url = format!("http://{address}");
        let Some(mut running) = listen(Peer::SocketIo, &["socket.io", &url, transport]) else { return };
        assert_eq!(running.line(), format!("connect {name}"));
        let mut heard = Vec::new();
        // An acknowledgement, what it sent as an echo, and a ping that it answers.
        while !(heard.contains(&"open".to_owned()) && heard.contains(&"ping".to_owned())) {
            heard.push(running.line());
        }
        for line in [r#"ack "from socket.io""#, "message from socket.io"] {
            assert!(heard.contains(&line.to_owned()), "{transport}: {heard:?}");
        }
        // It has answered the ping: the session goes on.
        while running.line() != "ping" {}
        push(&hub, "\"quoted\" 😀");
        push(&hub, "last");
        let said = running.all();
        for line in ["message \"quoted\" 😀", "message last", "close io client disconnect"] {
            assert!(said.lines().any(|said| said == line), "{transport}: {said}");
        }
    }
}

/// Sends a request and reads until `enough` is there.
fn ask(address: SocketAddr, request: &str, enough: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if text.contains(enough) {
            return text;
        }
        let read = stream.read(&mut buffer).unwrap_or_else(|e| panic!("{e} after {text}"));
        assert!(read > 0, "no {enough:?} in {text}");
        answer.extend_from_slice(&buffer[..read]);
    }
}

fn get(target: &str, fields: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: lab\r\n{fields}\r\n")
}

#[test]
fn polls_and_event_streams_bring_what_was_published() {
    let (_stage, address, hub) = lab(Duration::from_millis(200), false);
    let poll = get("/any?client=peer", "");
    assert!(ask(address, &poll, "\r\n\r\n").contains("content-length: 0"));
    push(&hub, "one");
    push(&hub, "two");
    assert!(ask(address, &poll, "\r\n\r\n").ends_with("\r\n\r\none\ntwo"));

    push(&hub, "three\nlines");
    let stream = get("/any?client=peer", "Accept: text/event-stream\r\n");
    let heard = ask(address, &stream, ":\n\n");
    assert!(
        heard.contains("content-type: text/event-stream") && heard.contains("data: three\ndata: lines\n\n")
    );

    let (_stage, address, _) = lab(Duration::from_millis(200), true);
    let start = std::time::Instant::now();
    assert!(ask(address, &poll, "\r\n\r\n").contains("content-length: 0"));
    assert!(start.elapsed() >= Duration::from_millis(200), "held, and let go empty");
}

#[test]
fn what_is_wrong_is_refused() {
    let (_stage, address, _) = lab(Duration::from_secs(25), false);
    let upgrade = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (request, answer) in [
        (get("/", &format!("{upgrade}{key}Sec-WebSocket-Version: 8\r\n")), "426 Upgrade Required"),
        (
            get("/", &format!("{upgrade}Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n")),
            "400 Bad Request",
        ),
        (
            get("/socket.io/?EIO=3&transport=polling", ""),
            r#"{"code":5,"message":"Unsupported protocol version"}"#,
        ),
        (
            get("/socket.io/?EIO=4&transport=carrier-pigeon", ""),
            r#"{"code":0,"message":"Transport unknown"}"#,
        ),
        (
            get("/socket.io/?EIO=4&transport=polling&sid=x", ""),
            r#"{"code":1,"message":"Session ID unknown"}"#,
        ),
        (get(&format!("/?client={}", "x".repeat(65)), ""), "503 Service Unavailable"),
        ("DELETE / HTTP/1.1\r\nHost: lab\r\n\r\n".to_owned(), "405 Method Not Allowed"),
    ] {
        let heard = ask(address, &request, answer);
        assert!(heard.starts_with("HTTP/1.1 4") || heard.starts_with("HTTP/1.1 503"), "{heard}");
    }
    let open = get("/", &format!("{upgrade}{key}Sec-WebSocket-Version: 13\r\n"));
    assert!(ask(address, &open, "\r\n\r\n").contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}
