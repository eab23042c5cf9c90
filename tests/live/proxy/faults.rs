//! What goes wrong on purpose: each fault, as both sides see it, and as a capture of it is decoded.
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use wstool::model::Opcode;

use super::client::Client;
use super::{Proxy, Said, command, decode, folder, server};
use crate::peers::{Ear, Peer, Running};

/// A proxy before an echo server with these faults.
struct Faulty {
    proxy: Proxy,
    server: Running,
    file: PathBuf,
}

impl Faulty {
    fn start(name: &str, args: &[&str]) -> Option<Self> {
        let (server, port) = server(Peer::Ws)?;
        let file = folder("faults").join(format!("{name}.pcap"));
        let to = format!("ws://127.0.0.1:{port}");
        let own = ["--to", &to, "--pcap", file.to_str().expect("UTF-8"), "--seed", "1"];
        let proxy = Proxy::start(&[&own[..], args].concat());
        Some(Self { proxy, server, file })
    }

    fn fault(name: &str, fault: &str) -> Option<Self> {
        Self::start(name, &["--fault", fault])
    }

    fn client(&self) -> Client {
        Client::open(&self.proxy.address)
    }

    /// Ends it; what it said, and the rules that the capture breaks.
    fn end(self) -> (Said, Vec<String>) {
        let said = self.proxy.end();
        assert_eq!(said.code, Some(0), "{}", said.err);
        let records = decode(&["--format", "ndjson"], &self.file);
        let rules = records.lines().filter_map(|line| {
            let record: Value = serde_json::from_str(line).expect("JSON");
            (record["type"] == "finding").then(|| record["rule"].as_str().expect("a name").to_owned())
        });
        (said, rules.collect())
    }
}

#[test]
fn messages_wait() {
    let Some(faulty) = Faulty::fault("delay", "delay=300ms") else { return };
    let mut client = faulty.client();
    let start = Instant::now();
    client.text("one");
    client.text("two");
    assert_eq!((client.heard().as_str(), client.heard().as_str()), ("1 one", "1 two"));
    // There and back; the second does not wait for the first.
    assert!(start.elapsed() >= Duration::from_millis(600));
    faulty.end();
}

#[test]
fn messages_are_lost_and_control_frames_are_not() {
    let Some(mut faulty) = Faulty::fault("drop", "drop=1") else { return };
    let mut client = faulty.client();
    client.text("lost");
    client.send(Opcode::PING, b"there?");
    assert_eq!(client.heard(), "a there?");
    faulty.proxy.note("drop: the client's text message is lost");
    client.send(Opcode::CLOSE, b"\x03\xe8");
    assert_eq!(client.heard(), r"8 \x03\xe8");
    let (_, rules) = faulty.end();
    assert_eq!(rules, Vec::<String>::new(), "framing is kept");
}

#[test]
fn it_is_cut_behind_so_many_messages() {
    let Some(mut faulty) = Faulty::fault("cut-after", "cut-after=3") else { return };
    let mut client = faulty.client();
    client.text("one");
    assert_eq!(client.heard(), "1 one");
    client.text("two");
    assert_eq!(client.frame().expect("an end, no error"), None);
    faulty.proxy.note("cut-after: both connections end behind message 3");
    assert_eq!((faulty.server.line(), faulty.server.line()), ("open".to_owned(), "close 1006".to_owned()));
    let (_, rules) = faulty.end();
    assert!(rules.contains(&"no-closing-handshake".to_owned()), "{rules:?}");
}

#[test]
fn the_server_s_frames_are_masked() {
    let Some(faulty) = Faulty::fault("mask", "mask") else { return };
    let mut client = faulty.client();
    client.text("one");
    let frame = client.frame().expect("no error").expect("a frame");
    assert!(frame.masked && frame.payload == b"one");
    let (_, rules) = faulty.end();
    assert!(rules.contains(&"masked-server-frame".to_owned()), "{rules:?}");
}

#[test]
fn the_accept_value_is_wrong() {
    let Some(faulty) = Faulty::fault("accept", "accept") else { return };
    let mut client = Client::open(&faulty.proxy.address);
    client.text("one");
    assert_eq!(client.heard(), "1 one");
    if let Some(mut ws) = Peer::Ws.command("client") {
        let said = Running::start(ws.arg(faulty.proxy.url("/")), Ear::Stdout).all();
        assert!(said.contains("error Invalid Sec-WebSocket-Accept header"), "{said}");
    }
    let (_, rules) = faulty.end();
    assert!(rules.contains(&"accept-mismatch".to_owned()), "{rules:?}");
}

#[test]
fn text_is_no_utf8() {
    let Some(faulty) = Faulty::fault("bad-utf8", "bad-utf8") else { return };
    let mut client = faulty.client();
    client.text("one");
    assert_eq!(client.heard(), r"1 on\xff");
    client.send(Opcode::BINARY, b"two");
    assert_eq!(client.heard(), "2 two");
    let (_, rules) = faulty.end();
    assert!(rules.contains(&"invalid-utf8".to_owned()), "{rules:?}");
}

#[test]
fn pings_are_not_answered() {
    let Some(faulty) = Faulty::fault("no-pong", "no-pong") else { return };
    let mut client = faulty.client();
    client.send(Opcode::PING, b"there?");
    client.text("one");
    assert_eq!(client.heard(), "1 one");
    assert!(client.is_left_alone(Duration::from_millis(300)));
    faulty.end();
}

#[test]
fn it_is_closed_behind_the_first_message() {
    let Some(mut faulty) = Faulty::fault("close", "close=1011:db pool @ 3 exhausted") else { return };
    let mut client = faulty.client();
    client.text("one");
    assert_eq!(client.heard(), r"8 \x03\xf3db pool @ 3 exhausted");
    client.send(Opcode::CLOSE, b"\x03\xf3");
    assert_eq!(client.frame().expect("an end, no error"), None, "the server closes first");
    assert_eq!((faulty.server.line(), faulty.server.line()), ("open".to_owned(), "close 1011".to_owned()));
    let (said, _) = faulty.end();
    assert!(said.out.contains("1011"), "{}", said.out);
}

#[test]
fn it_is_read_slowly() {
    let Some(faulty) = Faulty::fault("slow-read", "slow-read") else { return };
    let mut client = faulty.client();
    let start = Instant::now();
    client.text(&"x".repeat(100));
    assert_eq!(client.heard().len(), 102);
    // 106 and 102 bytes, 16 at a time.
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
    faulty.end();
}

#[test]
fn it_is_reset() {
    let Some(mut faulty) = Faulty::fault("reset", "reset") else { return };
    let mut client = faulty.client();
    client.text("one");
    let error = client.frame().expect_err("no end, but a reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(faulty.server.line(), "open");
    let (said, rules) = faulty.end();
    assert!(said.out.contains("reset"), "{}", said.out);
    assert!(rules.iter().any(|rule| rule.contains("reset")), "{rules:?}");
}

#[test]
fn it_falls_silent_and_stays_open() {
    let Some(mut faulty) = Faulty::fault("half-open", "half-open") else { return };
    let mut client = faulty.client();
    client.text("one");
    client.text("two");
    client.send(Opcode::PING, b"there?");
    assert!(client.is_left_alone(Duration::from_secs(1)));
    assert_eq!(faulty.server.line(), "open");
    faulty.end();
}

#[test]
fn the_handshake_is_refused() {
    let Some(faulty) = Faulty::fault("status", "status=503") else { return };
    let (mut client, head) = Client::ask(&faulty.proxy.address, "");
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert_eq!(client.frame().expect("an end, no error"), None);
    let (_, rules) = faulty.end();
    assert!(!rules.is_empty());
}

#[test]
fn the_handshake_loses_what_makes_it_one() {
    let Some(faulty) = Faulty::fault("strip-upgrade", "strip-upgrade") else { return };
    let (_, head) = Client::ask(&faulty.proxy.address, "");
    assert!(head.starts_with("HTTP/1.1 4"), "{head}");
    faulty.end();
    // The server's side shows what it got.
    let args = ["--fault", "strip-upgrade", "--side", "server", "--view", "tree"];
    let Some(faulty) = Faulty::start("strip-upgrade-server", &args) else { return };
    drop(Client::ask(&faulty.proxy.address, ""));
    let (said, rules) = faulty.end();
    assert!(rules.contains(&"missing-upgrade".to_owned()), "{} {rules:?}", said.out);
}

#[test]
fn the_handshake_loses_its_extensions() {
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let Some(faulty) = Faulty::start("plain", &[]) else { return };
    let (_, head) = Client::ask(&faulty.proxy.address, offer);
    assert!(head.contains("permessage-deflate"), "bytes pass as they are: {head}");
    faulty.end();
    for args in [["--fault", "strip-extensions"], ["--fault", "no-pong"]] {
        let Some(faulty) = Faulty::start("strip-extensions", &args) else { return };
        let (_, head) = Client::ask(&faulty.proxy.address, offer);
        assert!(head.starts_with("HTTP/1.1 101 ") && !head.contains("deflate"), "{args:?}: {head}");
        let said = faulty.end().0;
        assert_eq!(said.err.contains("compression is taken out"), args[1] == "no-pong", "{}", said.err);
    }
    let Some(faulty) = Faulty::start("kept", &["--fault", "no-pong", "--keep-extensions"]) else { return };
    let (_, head) = Client::ask(&faulty.proxy.address, offer);
    assert!(head.contains("permessage-deflate"), "{head}");
    faulty.end();
}

#[test]
fn silence_ends_it() {
    let Some(mut faulty) = Faulty::fault("idle-timeout", "idle-timeout=500ms") else { return };
    let mut client = faulty.client();
    client.text("one");
    assert_eq!(client.heard(), "1 one");
    let start = Instant::now();
    assert_eq!(client.frame().expect("an end, no error"), None);
    assert!(start.elapsed() >= Duration::from_millis(300));
    faulty.proxy.note("idle-timeout: nobody says anything");
    assert_eq!((faulty.server.line(), faulty.server.line()), ("open".to_owned(), "close 1006".to_owned()));
    faulty.end();
}

#[test]
fn the_window_is_lost() {
    let run = |name: &str, args: &[&str]| {
        let faulty = Faulty::start(name, args)?;
        let mut client = Peer::Ws.command("proxy")?;
        let said = Running::start(client.args(["big", &faulty.proxy.url("/")]), Ear::Stdout).all();
        Some((said, faulty.end().1))
    };
    let Some((said, _)) = run("window-kept", &[]) else { return };
    assert!(said.starts_with("open permessage-deflate\n") && said.ends_with("close 1000\n"), "{said}");
    let Some((said, rules)) = run("window-lost", &["--fault", "window-lost"]) else { return };
    assert!(said.starts_with("open permessage-deflate\nmessage "), "{said}");
    assert!(
        said.contains("error ") && !said.contains("close 1000"),
        "the second refers to the first: {said}"
    );
    assert!(rules.iter().any(|rule| rule.contains("inflat") || rule.contains("deflate")), "{rules:?}");
}

#[test]
fn faults_that_are_none_or_cannot_be_are_refused() {
    for (args, words) in [
        (vec!["--fault", "lag"], "is no fault; there are delay=TIME"),
        (vec!["--fault", "window-lost", "--fault", "strip-extensions"], "window-lost needs the compression"),
    ] {
        let output = command(&["--to", "ws://a"]).args(&args).output().expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {err}");
        assert!(err.contains(words), "{args:?}: {err}");
    }
}
