//! `wstool replay` with live peers: other implementations, servers that misbehave, TLS.
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use wstool::http::accept_value;

use crate::peers::{Ear, PEERS, Peer, Running};
use crate::schema;

fn replay(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.arg("replay").args(args).env("LC_ALL", "C.UTF-8");
    command
}

fn to(url: &str, args: &[&str]) -> Output {
    replay(&["--to", url, "--timeout", "20"]).args(args).output().expect("it runs")
}

pub fn records(text: &str) -> Vec<Value> {
    let record = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    text.lines().map(record).inspect(schema::assert_valid).collect()
}

fn record<'r>(records: &'r [Value], kind: &str, role: Option<&str>) -> &'r Value {
    let is = |it: &&Value| it["type"] == kind && role.is_none_or(|role| it["role"] == role);
    records.iter().find(is).unwrap_or_else(|| panic!("no {kind} in {records:?}"))
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A peer's server, and its URL.
pub fn server(peer: Peer) -> Option<(Running, String)> {
    let mut running = Running::start(&mut peer.command("server")?, Ear::Stdout);
    let port = running.line();
    Some((running, format!("ws://127.0.0.1:{port}/chat")))
}

#[test]
fn recorded_requests_open_at_live_servers() {
    for peer in PEERS {
        let Some((mut running, url)) = server(peer) else { continue };
        for sample in ["rfc6455", "npm-ws", "python-websockets"] {
            let output = to(&url, &[sample, "--format", "ndjson"]);
            assert_eq!(output.status.code(), Some(0), "{peer:?} {sample}: {}", text(&output.stderr));
            let records = records(&text(&output.stdout));
            let (recorded, live) = (
                record(&records, "handshake", Some("recorded")),
                record(&records, "handshake", Some("live")),
            );
            assert_eq!(live["verdict"]["state"], "open");
            assert_ne!(live["accept"]["key"], recorded["accept"]["key"], "the key is fresh");
            assert_eq!(live["accept"]["sent"], live["accept"]["expected"]);
            let host =
                live["request"]["headers"].as_array().expect("a list").iter().find(|h| h["name"] == "Host");
            assert_eq!(host.expect("Host")["value"], url["ws://".len()..].trim_end_matches("/chat"));
            let comparison = record(&records, "comparison", None);
            assert_eq!((&comparison["recorded"], &comparison["live"]), (&"open".into(), &"open".into()));
            let after = record(&records, "aftermath", None);
            assert_eq!((&after["who"], &after["end"]), (&"server".into(), &"close-frame".into()), "{after}");
            assert_eq!(running.line(), "open");
            if peer == Peer::Ws {
                assert_eq!(running.line(), "close 1000");
            }
        }
        let shown = text(&to(&url, &["rfc6455"]).stdout);
        for words in
            ["side by side", "each answers its own key", "close 1000", "it takes the WebSocket as open"]
        {
            assert!(shown.contains(words), "{words}: {shown}");
        }
    }
}

#[test]
fn the_same_key_and_host_are_sent_on_request() {
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let output = to(
        &url,
        &[
            "rfc6455",
            "--same-key",
            "--same-host",
            "--origin",
            "null",
            "--header",
            "X-A: b",
            "--format=ndjson",
        ],
    );
    let records = records(&text(&output.stdout));
    let live = record(&records, "handshake", Some("live"));
    assert_eq!(live["accept"]["sent"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let headers = live["request"]["headers"].as_array().expect("a list");
    let value = |name: &str| headers.iter().find(|h| h["name"] == name).map(|h| h["value"].clone());
    assert_eq!(value("Host"), Some("server.example.com".into()));
    assert_eq!((value("Origin"), value("X-A")), (Some("null".into()), Some("b".into())));
}

/// Each fault in a request is refused, as it should be; a slow or cut one is not.
#[test]
fn broken_requests_meet_live_servers() {
    for peer in PEERS {
        let Some((_running, url)) = server(peer) else { continue };
        for (fault, open) in [
            ("version", false),
            ("upgrade", false),
            ("connection", false),
            ("key", false),
            ("protocol", false),
            ("extensions", false),
            ("slow", true),
            ("split=1", true),
        ] {
            let output = to(&url, &["rfc6455", "--break", fault, "--format", "ndjson"]);
            let shown = text(&output.stdout);
            let records = records(&shown);
            let state = &record(&records, "handshake", Some("live"))["verdict"]["state"];
            // It refuses, and owes the list of versions (RFC 6455 §4.2.2).
            let owes = peer == Peer::Websockets && fault == "version";
            let expected = if open { "open" } else { "refused" };
            assert_eq!(state, if owes { "failed" } else { expected }, "{peer:?} {fault}: {shown}");
            assert_eq!(output.status.code(), Some(i32::from(owes)), "{peer:?} {fault}");
        }
    }
}

/// Plays the server for a peer's client: what the client says, the exit code, and our records.
fn listen(peer: Peer, args: &[&str], offers: &[&str]) -> Option<(String, Option<i32>, Vec<Value>)> {
    let mut command = peer.command("client")?;
    let listen = ["--listen", "127.0.0.1:0", "--timeout", "20", "--format", "ndjson"];
    let mut ours = Running::start(replay(&listen).args(args), Ear::Stderr);
    let line = ours.line();
    let url = line.split_whitespace().find(|word| word.starts_with("ws://")).expect("an address");
    let theirs =
        Running::start(command.arg(format!("{}/chat", url.trim_end_matches(','))).args(offers), Ear::Stdout);
    let said = theirs.all();
    let (status, records_text) = ours.end();
    Some((said, status.code(), records(&records_text)))
}

#[test]
fn live_clients_open_what_is_recorded() {
    for peer in PEERS {
        for (sample, offers) in
            [("rfc6455-minimal", &[][..]), ("rfc6455", &["chat"][..]), ("npm-ws", &["chat"][..])]
        {
            let Some((said, code, records)) = listen(peer, &[sample], offers) else { continue };
            assert!(said.contains("open\n"), "{peer:?} {sample}: {said}");
            assert_eq!(code, Some(0), "{records:?}");
            assert_eq!(record(&records, "handshake", Some("live"))["verdict"]["state"], "open");
            let after = record(&records, "aftermath", None);
            assert_eq!((&after["who"], &after["end"]), (&"client".into(), &"close-frame".into()), "{after}");
            assert_eq!((&after["frames"], &after["close_code"]), (&2.into(), &1000.into()), "{after}");
        }
    }
}

#[test]
fn live_clients_refuse_a_wrong_accept_value() {
    for peer in PEERS {
        let Some((said, code, records)) = listen(peer, &["rfc6455-minimal", "--break", "accept"], &[]) else {
            continue;
        };
        assert!(said.contains("error") && !said.contains("open\n"), "{peer:?}: {said}");
        assert_eq!(code, Some(1));
        let film = record(&records, "handshake", Some("live"));
        assert_eq!(film["verdict"]["cause"]["rule"], "accept-mismatch");
        assert_eq!(film["response"]["diagnoses"][0]["id"], "key-decoded");
        let after = record(&records, "aftermath", None);
        assert_eq!((&after["frames"], &after["verdict"]), (&0.into(), &"failed".into()));
        assert!(after["end"] == "fin" || after["end"] == "rst", "{after}");
    }
}

#[test]
fn live_clients_take_faults_as_they_take_them() {
    for peer in PEERS {
        for (fault, open) in [
            ("upgrade", false),
            ("connection", false),
            ("key", false),
            ("protocol", false),
            ("extensions", false),
        ]
        .into_iter()
        .chain([
            ("version", false),
            ("status=403", false),
            ("status=302", false),
            ("split=1", true),
            ("slow", true),
        ]) {
            let Some((said, code, records)) = listen(peer, &["rfc6455-minimal", "--break", fault], &[])
            else {
                continue;
            };
            let state = &record(&records, "handshake", Some("live"))["verdict"]["state"];
            assert_eq!(state == "open", open, "{peer:?} {fault}");
            assert_eq!(code, Some(i32::from(!open)), "{peer:?} {fault}: {said}");
            assert_eq!(said.contains("open\n"), open, "{peer:?} {fault}: {said}");
        }
    }
}

/// A server that takes one connection.
pub fn once(serve: impl FnOnce(TcpStream) + Send + 'static) -> (JoinHandle<()>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    (thread::spawn(move || serve(listener.accept().expect("a client").0)), url)
}

pub fn read_request(stream: &mut impl Read) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("a request") > 0 {
        request.push(byte[0]);
    }
    text(&request)
}

/// What keeps a server from answering is one line that says what to do; the exit code is 2.
#[test]
fn failures_are_one_actionable_line() {
    type Serve = fn(TcpStream);
    let closing: Serve = |mut stream| drop(read_request(&mut stream));
    let silent: Serve = |mut stream| {
        read_request(&mut stream);
        thread::sleep(Duration::from_secs(3));
    };
    let ssh: Serve = |mut stream| stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n\r\n").expect("sent");
    let tls: Serve = |mut stream| {
        read_request(&mut stream);
        stream.write_all(b"\x15\x03\x01\x00\x02\x02\x46").expect("sent");
    };
    let half: Serve = |mut stream| {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgr").expect("sent");
    };
    let interim: Serve = |mut stream| {
        read_request(&mut stream);
        // The client has had enough before all are sent.
        let _ = stream.write_all(&b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000));
    };
    for (serve, words) in [
        (closing, "closed the connection after 0 bytes"),
        (silent, "within 1 s"),
        (ssh, "not HTTP"),
        (tls, "try wss://"),
        (half, "after 38 bytes of a response"),
        (interim, "interim"),
    ] {
        let (thread, url) = once(serve);
        let output = replay(&["rfc6455", "--to", &url, "--timeout", "1"]).output().expect("it runs");
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{told}");
        assert!(told.contains(words), "{words}: {told}");
        thread.join().expect("the server does not panic");
    }
    let closed =
        TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port that is free again");
    for (url, words) in [
        (format!("ws://{closed}/"), "refuses connections"),
        ("ws://no-such-host.invalid/".to_owned(), "cannot resolve"),
    ] {
        let output = to(&url, &["rfc6455"]);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{told}");
        assert!(told.contains(words), "{words}: {told}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = replay(&["rfc6455", "--listen", &address]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("in use"));
}

/// A client that connects and leaves is not the one; one that goes on after a wrong answer is told off.
#[test]
fn clients_that_misbehave() {
    let listen = ["rfc6455-minimal", "--listen", "127.0.0.1:0", "--timeout", "5", "--same-accept"];
    let mut ours = Running::start(&mut replay(&listen), Ear::Stderr);
    let line = ours.line();
    let address =
        line.split("ws://").nth(1).and_then(|rest| rest.split(',').next()).expect("an address").to_owned();
    drop(TcpStream::connect(&address).expect("it listens"));
    assert!(ours.line().contains("left without a word"));
    let mut client = TcpStream::connect(&address).expect("it still listens");
    client
        .write_all(
            b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .expect("sent");
    let answer = read_request(&mut client);
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
    // A masked text frame: "Hello".
    client.write_all(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58").expect("sent");
    drop(client);
    let (status, shown) = ours.end();
    assert_eq!(status.code(), Some(1));
    for words in [
        "accept-mismatch",
        "client-accepted-bad-handshake",
        "Hello",
        "it went on as if the WebSocket were open",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

/// A server that opens, pings, says something, and closes after the pong; what it was asked and answered.
fn pinging() -> (JoinHandle<(String, Vec<u8>)>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    let serve = move || {
        let mut stream = listener.accept().expect("a client").0;
        let request = read_request(&mut stream);
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
        let accept = accept_value(key.as_bytes());
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream.write_all(b"\x81\x05Hello\x89\x04ping").expect("sent");
        let mut pong = vec![0; 10];
        stream.read_exact(&mut pong).expect("a Pong frame");
        stream.write_all(b"\x88\x02\x03\xe8").expect("sent");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        (request, pong)
    };
    (thread::spawn(serve), url)
}

#[test]
fn a_url_is_enough_and_pings_are_answered() {
    let (thread, url) = pinging();
    let output = replay(&["--to", &url, "--timeout", "20"]).output().expect("it runs");
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let (request, pong) = thread.join().expect("the server does not panic");
    assert!(request.starts_with("GET / HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("Host: {}", url.trim_start_matches("ws://"))), "{request}");
    let unmasked: Vec<u8> = pong[6..].iter().zip(&pong[2..6]).map(|(byte, key)| byte ^ key).collect();
    assert_eq!((pong[0], pong[1], &unmasked[..]), (0x8A, 0x84, &b"ping"[..]));
    for words in ["“Hello”", "server → client  ping, 4 bytes", "client → server  pong, 4 bytes", "Close 1000"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("side by side"), "nothing was recorded: {shown}");
}

/// What is said of the end agrees with the line of the Close frame; both count from the request.
#[test]
fn durations_agree_with_the_frames() {
    let (thread, url) = pinging();
    let output = replay(&["--to", &url, "--timeout", "20"]).output().expect("it runs");
    thread.join().expect("the server does not panic");
    let shown = text(&output.stdout);
    let line = |words: &str| {
        shown.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {shown}"))
    };
    let close =
        line("server → client  close 1000").trim_end_matches(" s").rsplit(' ').next().unwrap_or_default();
    let milliseconds = close.replace('.', "").parse::<u64>().expect(close) / 1000;
    let end = line("sent Close 1000");
    assert!(end.contains(&format!("after {milliseconds} ms")), "{end}: {close}");
}

#[test]
fn brief_is_one_line() {
    let (thread, url) = pinging();
    let output = replay(&["rfc6455", "--to", &url, "--brief", "--timeout", "20"]).output().expect("it runs");
    thread.join().expect("the server does not panic");
    assert_eq!(text(&output.stdout), format!("{url}: open (HTTP/1.1 101 Switching Protocols)\n"));
    let output = replay(&["broken/accept-mismatch", "--brief"]).output().expect("it runs");
    let shown = text(&output.stdout);
    assert_eq!((output.status.code(), shown.lines().count()), (Some(1), 1), "{shown}");
    assert!(shown.contains("failed: ") && shown.contains("(accept-mismatch)"), "{shown}");
}

/// A server that greets and waits is named at once, not when the time is up.
#[test]
fn a_peer_that_is_no_http_server_is_named() {
    for (greeting, name) in [
        (&b"SSH-2.0-OpenSSH_9.6\r\n"[..], "SSH"),
        (b"220 mail.example ESMTP\r\n", "SMTP"),
        (b"-ERR unknown command 'GET'\r\n", "Redis"),
        (b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\x01\0\0", "HTTP/2"),
    ] {
        let (thread, url) = once(move |mut stream| {
            stream.write_all(greeting).expect("sent");
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let began = std::time::Instant::now();
        let output = to(&url, &[]);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{told}");
        assert!(told.contains(name) && told.contains("not HTTP"), "{told}");
        assert!(began.elapsed() < Duration::from_secs(15), "it does not wait");
        thread.join().expect("the server does not panic");
    }
}

#[test]
fn a_plain_get_is_told_to_be_one() {
    let listen = ["rfc6455-minimal", "--listen", "127.0.0.1:0", "--timeout", "5"];
    let mut ours = Running::start(&mut replay(&listen), Ear::Stderr);
    let line = ours.line();
    let address =
        line.split("ws://").nth(1).and_then(|rest| rest.split(',').next()).expect("an address").to_owned();
    let mut client = TcpStream::connect(&address).expect("it listens");
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: curl\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("an answer");
    let answer = text(&answer);
    assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains(&format!("ws://{address}")), "{answer}");
    assert!(ours.line().contains("asks for a page, not for a WebSocket"));
    drop(client);
    let (status, shown) = ours.end();
    assert_eq!(status.code(), Some(0), "{shown}");
}

/// Certificates of an authority of our own.
pub struct Tls {
    pub ca: String,
    config: Arc<rustls::ServerConfig>,
}

pub fn tls(names: &[&str]) -> Tls {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().expect("a key");
    let ca = params.self_signed(&ca_key).expect("a certificate").pem();
    let issuer = Issuer::new(params, ca_key);
    let key = KeyPair::generate().expect("a key");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).expect("names").signed_by(&key, &issuer).expect("signed");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate that fits its key");
    Tls { ca, config: Arc::new(config) }
}

/// A WebSocket server under TLS, as small as it can be.
pub fn tls_server(tls: &Tls) -> (JoinHandle<()>, String) {
    let config = Arc::clone(&tls.config);
    let (thread, url) = once(move |tcp| {
        let connection = rustls::ServerConnection::new(config).expect("a connection");
        let mut stream = rustls::StreamOwned::new(connection, tcp);
        let mut first = [0];
        // Who does not trust the certificate says no more.
        if !matches!(stream.read(&mut first), Ok(1)) {
            return;
        }
        let request = read_request(&mut stream);
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept_value(key.as_bytes())
        );
        stream.write_all(answer.as_bytes()).expect("sent");
        // The client's Close frame, answered by one.
        let mut close = [0; 8];
        stream.read_exact(&mut close).expect("a Close frame");
        stream.write_all(b"\x88\x02\x03\xe8").expect("sent");
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    (thread, url.replace("ws://", "wss://"))
}

#[test]
fn wss_with_an_authority_of_ones_own() {
    let ours = tls(&["localhost", "127.0.0.1"]);
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ca.pem");
    std::fs::write(&path, &ours.ca).expect("writable");
    let cacert = path.to_str().expect("UTF-8");
    for host in ["127.0.0.1", "localhost"] {
        let (thread, url) = tls_server(&ours);
        let output = to(
            &url.replace("127.0.0.1", host),
            &["rfc6455-minimal", "--cacert", cacert, "--format", "ndjson"],
        );
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let records = records(&text(&output.stdout));
        assert_eq!(record(&records, "handshake", Some("live"))["verdict"]["state"], "open");
        assert_eq!(record(&records, "aftermath", None)["close_code"], 1000);
        thread.join().expect("the server does not panic");
    }
    let (thread, url) = tls_server(&ours);
    let output = to(&url, &["rfc6455-minimal", "--insecure"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("WARNING: --insecure"), "it says so loudly");
    thread.join().expect("the server does not panic");
}

#[test]
fn what_is_wrong_with_tls_is_one_line() {
    let ours = tls(&["localhost"]);
    let ca = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ca-of-localhost.pem");
    std::fs::write(&ca, &ours.ca).expect("writable");
    let ca = ca.to_str().expect("UTF-8");
    for (args, words) in [
        (vec!["rfc6455"], "signed by nobody known here"),
        (vec!["rfc6455", "--cacert", ca], "not for 127.0.0.1"),
    ] {
        let (thread, url) = tls_server(&ours);
        let output = to(&url, &args);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{told}");
        assert!(told.contains(words), "{words}: {told}");
        thread.join().expect("the server does not panic");
    }
    let (thread, url) = once(|mut stream| {
        let mut hello = [0; 16];
        stream.read_exact(&mut hello).expect("a hello");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("sent");
    });
    let output = to(&url.replace("ws://", "wss://"), &["rfc6455"]);
    assert!(text(&output.stderr).contains("try ws://"), "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(2));
    thread.join().expect("the server does not panic");
    let output = to("wss://127.0.0.1:1/", &["rfc6455", "--cacert", "no-such-file.pem"]);
    assert_eq!(output.status.code(), Some(2));
}

/// A certificate that signed itself, whether it calls itself an authority or not.
#[test]
fn a_self_signed_certificate_is_accepted_when_it_is_named() {
    for (is_ca, file) in [(true, "self-ca.pem"), (false, "self.pem")] {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
        std::fs::write(&path, certificate.pem()).expect("writable");
        let path = path.to_str().expect("UTF-8");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate that fits its key");
        let ours = Tls { ca: String::new(), config: Arc::new(config) };
        let (thread, url) = tls_server(&ours);
        let output = to(&url, &["--cacert", path, "--brief"]);
        assert_eq!(output.status.code(), Some(0), "{is_ca}: {}", text(&output.stderr));
        thread.join().expect("the server does not panic");
        // Its names must fit, and it must be the one that was named.
        for (host, args, words) in [
            ("localhost", vec!["--cacert", path], "not for localhost"),
            ("127.0.0.1", vec![], if is_ca { "--cacert" } else { "signed by nobody known here" }),
        ] {
            let (thread, url) = tls_server(&ours);
            let output = to(&url.replace("127.0.0.1", host), &args);
            let told = text(&output.stderr);
            assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{told}");
            assert!(told.contains(words), "{words}: {told}");
            let debug = ["UsedAs", "Context", "InvalidCertificate", "OtherError", "{ "];
            assert!(debug.iter().all(|word| !told.contains(word)), "{told}");
            thread.join().expect("the server does not panic");
        }
    }
}
