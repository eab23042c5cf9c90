//! Bytes pass unchanged and at once, whatever they are, and both sides are decoded.
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use wstool::synth::Rng;

use super::{PATIENCE, Proxy, command, decode, folder, server};
use crate::peers::{Ear, PEERS, Peer, Running};

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

fn connect(proxy: &Proxy) -> TcpStream {
    patient(TcpStream::connect(&proxy.address).expect("it listens"))
}

fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// What a line of a view says, without times.
fn said(text: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| !line.starts_with("frame"));
    let columns = |line: &str| {
        let words = line.split_whitespace().filter(|word| {
            let digits = word.chars().all(|c| c.is_ascii_digit() || c == '.');
            !(digits && word.contains('.'))
        });
        words.collect::<Vec<_>>().join(" ")
    };
    lines.map(columns).collect()
}

#[test]
fn other_people_s_clients_and_servers_do_not_notice_it() {
    for (client, peer) in [(Peer::Ws, Peer::Ws), (Peer::Websockets, Peer::Ws), (Peer::Ws, Peer::Websockets)] {
        let Some((mut running, port)) = server(peer) else { continue };
        let Some(mut command) = client.command("client") else { continue };
        let file = folder("captures").join(format!("{client:?}-{peer:?}.pcap"));
        let to = format!("ws://127.0.0.1:{port}");
        let proxy = Proxy::start(&["--to", &to, "--pcap", file.to_str().expect("UTF-8")]);
        let said_by_client = Running::start(command.args([&proxy.url("/chat"), "chat"]), Ear::Stdout).all();
        assert!(said_by_client.starts_with("open\n"), "{said_by_client}");
        assert_eq!(running.line(), "open");
        let shown = proxy.end();
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        for words in ["GET /chat", "101 Switching Protocols", "hello from", "closing handshake complete"] {
            assert!(shown.out.contains(words), "{words}: {}", shown.out);
        }
        // What the capture says is what the terminal showed.
        assert_eq!(said(&shown.out), said(&decode(&["--view", "table"], &file)), "{client:?} {peer:?}");
        let path = file.to_str().expect("UTF-8");
        let fields = ["-T", "fields", "-e", "websocket.opcode", "-e", "_ws.malformed"];
        match Command::new("tshark").args(["-r", path, "-Y", "websocket"]).args(fields).output() {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                let mut opcodes: Vec<&str> =
                    text.split([',', '\n', '\t']).filter(|it| !it.is_empty()).collect();
                opcodes.sort_unstable();
                let frames = decode(&["--format", "ndjson"], &file);
                let mut ours: Vec<String> = frames
                    .lines()
                    .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
                    .filter(|record| record["type"] == "frame")
                    .map(|record| record["opcode"].to_string())
                    .collect();
                ours.sort_unstable();
                assert!(ours.len() >= 3 && opcodes == ours, "{client:?} {peer:?}: {text} {ours:?}");
            }
            Err(error) => println!("skipped: tshark does not run ({error})"),
        }
    }
}

#[test]
fn wss_to_either_side() {
    for peer in PEERS {
        let Some((mut running, port)) = server(peer) else { continue };
        let Some(mut client) = Peer::Ws.command("client") else { continue };
        // The second one is the server that speaks TLS.
        let behind = Proxy::start(&["--tls", "--to", &format!("ws://127.0.0.1:{port}"), "--view", "none"]);
        let ca = folder("data").join("authority/ca.pem");
        let to = format!("wss://{}", behind.address);
        let mut proxy = Proxy::start(&["--tls", "--to", &to, "--cacert", ca.to_str().expect("UTF-8")]);
        let url = format!("wss://{}/chat", proxy.address);
        let said =
            Running::start(client.args([&url, "chat"]).env("NODE_EXTRA_CA_CERTS", &ca), Ear::Stdout).all();
        let heard = if said.starts_with("open") { String::new() } else { proxy.note("502") };
        assert_eq!(said, "open\nclose 1000\n", "{heard}");
        assert_eq!(running.line(), "open");
        let shown = proxy.end();
        assert!(shown.out.contains("hello from ws"), "{}", shown.out);
    }
    // Who does not trust the authority, and who does not speak TLS at all.
    let (_listener, to) = listener();
    let mut proxy = Proxy::start(&["--tls", "--to", &to]);
    if let Some(mut client) = Peer::Ws.command("client") {
        let said = Running::start(client.arg(format!("wss://{}", proxy.address)), Ear::Stdout).all();
        assert!(said.contains("certificate"), "{said}");
        proxy.note("trust");
    }
    let mut plain = connect(&proxy);
    plain.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    plain.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("wss://"), "{answer}");
    proxy.note("connect to wss://");
    // A server that does not speak TLS.
    let (listener, to) = listener_that(|mut stream| {
        let _ = stream.read(&mut [0; 100]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let mut proxy = Proxy::start(&["--to", &to.replace("ws://", "wss://"), "--insecure"]);
    let answer = ask(&proxy);
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("does not speak TLS"), "{answer}");
    proxy.note("502");
    listener.join().expect("no panic");
}

/// A server for one connection.
fn listener_that(serve: impl FnOnce(TcpStream) + Send + 'static) -> (thread::JoinHandle<()>, String) {
    let (listener, url) = listener();
    let thread = thread::spawn(move || serve(patient(listener.accept().expect("a client").0)));
    (thread, url)
}

/// Asks for a WebSocket, and reads to the end.
fn ask(proxy: &Proxy) -> String {
    let mut client = connect(proxy);
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    client.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("it answers and ends");
    answer
}

/// Sends random bytes in random pieces.
fn send(mut stream: &TcpStream, bytes: &[u8], rng: &mut Rng) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.len().min(1 + rng.below(9000) as usize));
        stream.write_all(piece).expect("it reads");
        rest = more;
        if rng.one_in(3) {
            thread::yield_now();
        }
    }
}

/// Whatever both sides send, in whatever pieces, and whoever ends first: it arrives as it was sent.
#[test]
fn bytes_pass_as_they_are() {
    let (listener, to) = listener();
    let proxy = Proxy::start(&["--to", &to, "--view", "stats"]);
    for case in 0..24_u64 {
        let mut rng = Rng::new(case);
        let mut sizes = [rng.below(200_000), rng.below(200_000)];
        if case % 6 == 5 {
            sizes[(case % 2) as usize] = 0;
        }
        let [up, down] = sizes.map(|size| {
            let mut bytes = vec![0; size as usize];
            rng.fill(&mut bytes);
            bytes
        });
        let (client, server) = (connect(&proxy), patient(listener.accept().expect("the proxy").0));
        let whole = |mut stream: &TcpStream| {
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).expect("it ends");
            heard
        };
        let mut rngs = [Rng::new(case + 100), Rng::new(case + 200)];
        let [rng_up, rng_down] = &mut rngs;
        // Half of them hear all before they answer: the other side has ended its stream by then.
        let turns = case % 2 == 0;
        let (heard_up, heard_down) = thread::scope(|scope| {
            let sender = scope.spawn(|| {
                send(&client, &up, rng_up);
                client.shutdown(Shutdown::Write).expect("open");
            });
            let answerer = scope.spawn(|| {
                let early = turns.then(|| whole(&server));
                send(&server, &down, rng_down);
                server.shutdown(Shutdown::Write).expect("open");
                early
            });
            let reader = (!turns).then(|| scope.spawn(|| whole(&server)));
            let heard_down = whole(&client);
            sender.join().expect("no panic");
            let early = answerer.join().expect("no panic");
            (early.unwrap_or_else(|| reader.expect("one of both").join().expect("no panic")), heard_down)
        });
        assert!(heard_up == up, "case {case}: {} of {} bytes", heard_up.len(), up.len());
        assert!(heard_down == down, "case {case}: {} of {} bytes", heard_down.len(), down.len());
    }
    assert_eq!(proxy.end().code, Some(0));
}

#[test]
fn a_reset_resets_the_other_side() {
    let (listener, to) = listener();
    let file = folder("captures").join("reset.pcap");
    let proxy = Proxy::start(&["--to", &to, "--pcap", file.to_str().expect("UTF-8")]);
    let open = || {
        let (mut client, mut server) = (connect(&proxy), patient(listener.accept().expect("the proxy").0));
        client.write_all(b"up").expect("it reads");
        server.read_exact(&mut [0; 2]).expect("it came");
        server.write_all(b"down").expect("it reads");
        client.read_exact(&mut [0; 4]).expect("it came");
        (client, server)
    };
    for is_client in [true, false] {
        let (client, server) = open();
        let (gone, mut other) = if is_client { (client, server) } else { (server, client) };
        reset(gone);
        let error = other.read(&mut [0; 10]).expect_err("no end, but a reset");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    assert_eq!(proxy.end().code, Some(0));
    let bytes = std::fs::read(&file).expect("written");
    assert!(bytes.len() > 500, "both connections are in it");
}

/// Ends a connection with a reset.
fn reset(stream: TcpStream) {
    stream.set_nonblocking(true).expect("a socket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("an event loop");
    let _inside = runtime.enter();
    let stream = tokio::net::TcpStream::from_std(stream).expect("a socket");
    stream.set_zero_linger().expect("the system can");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let (listener, to) = listener();
    drop(listener);
    let mut proxy = Proxy::start(&["--to", &to, "--format", "ndjson"]);
    let answer = ask(&proxy);
    assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
    assert!(answer.contains("refuses connections: nothing listens there"), "{answer}");
    assert!(proxy.note("502").contains("start the server"));
    let said = proxy.end();
    let records = said.records();
    assert!(records.iter().any(|it| it["type"] == "connection" && it["status"] == 502), "{records:#?}");
    let mut proxy = Proxy::start(&["--to", "ws://nobody.invalid", "--format", "ndjson"]);
    assert!(ask(&proxy).contains("cannot resolve nobody.invalid"));
    proxy.note("check its spelling");
    // It is the proxy that answers, where there is nobody else.
    let records = proxy.end().records();
    let server = records.iter().find_map(|it| it["server"].as_str()).expect("a connection");
    assert!(server.starts_with("127.0.0.1:"), "{server}");
}

#[test]
fn a_server_that_does_not_read_makes_the_client_wait() {
    let (listener, to) = listener();
    let proxy = Proxy::start(&["--to", &to, "--view", "stats"]);
    let (client, server) = (connect(&proxy), patient(listener.accept().expect("the proxy").0));
    let total = 64 << 20;
    let (tell, is_stuck) = std::sync::mpsc::channel();
    let sender = thread::spawn(move || {
        let mut client = client;
        let piece = vec![0x55; 1 << 20];
        let mut sent = 0;
        client.set_write_timeout(Some(std::time::Duration::from_secs(2))).expect("a timeout");
        // As much as anybody takes while the server takes nothing.
        while sent < total {
            match client.write(&piece[..piece.len().min(total - sent)]) {
                Ok(count) => sent += count,
                Err(_) => break,
            }
        }
        tell.send(sent).expect("the test waits for it");
        client.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        while sent < total {
            sent += client.write(&piece[..piece.len().min(total - sent)]).expect("it reads");
        }
    });
    let stuck = is_stuck.recv_timeout(PATIENCE).expect("it is stuck, or done");
    assert!(stuck < total, "the proxy took {stuck} bytes for a server that read nothing");
    let pid = proxy.child.id();
    let resident = || -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        Some(text.split_whitespace().nth(1)?.parse::<u64>().ok()? * 4096)
    };
    if let Some(bytes) = resident() {
        assert!(bytes < 200 << 20, "{bytes} bytes of memory");
    }
    let mut server = server;
    let (mut heard, mut buffer) = (0, vec![0; 1 << 16]);
    loop {
        let read = server.read(&mut buffer).expect("it goes on");
        assert!(buffer[..read].iter().all(|byte| *byte == 0x55));
        heard += read;
        if read == 0 {
            break;
        }
    }
    sender.join().expect("no panic");
    assert_eq!(heard, total);
}

#[test]
fn ctrl_c_ends_connections_and_shows_what_was_gathered() {
    let Some((mut running, port)) = server(Peer::Ws) else { return };
    let proxy = Proxy::start(&["--to", &format!("ws://127.0.0.1:{port}"), "--view", "stats"]);
    let mut client = connect(&proxy);
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    client.write_all(request.as_bytes()).expect("it reads");
    assert_eq!(running.line(), "open");
    client.read_exact(&mut [0; 100]).expect("an answer");
    let said = proxy.end();
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains("1 connection"), "{}", said.out);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("it is over");
    assert_eq!(running.line(), "close 1006");
}

#[test]
fn it_says_why_it_does_not_begin() {
    let (listener, url) = listener();
    let taken = listener.local_addr().expect("an address").to_string();
    for (args, words) in [
        (vec!["--to", "http://a/b"], "ws://a/b"),
        (vec!["--to", "ws://a", "--listen", &taken], "is in use"),
        (vec!["--to", "ws://a", "--listen", "nowhere"], "is no address to listen on"),
        (vec!["--to", "wss://a", "--cacert", "missing.pem"], "missing.pem"),
        (vec!["--to", &url, "--pcap", "/missing/folder/x.pcap"], "cannot be written"),
    ] {
        let mut wstool = command(&[]);
        // The address that is wrong instead of the free one.
        let output = if args.contains(&"--listen") {
            let mut plain = std::process::Command::new(env!("CARGO_BIN_EXE_wstool"));
            plain.arg("proxy").args(&args).env("LC_ALL", "C.UTF-8").output()
        } else {
            wstool.args(&args).output()
        };
        let output = output.expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {err}");
        assert!(err.contains(words), "{args:?}: {err}");
    }
}

#[test]
fn the_authority_is_told_once_and_when_asked() {
    let data = folder("fresh");
    let _ = std::fs::remove_dir_all(&data);
    let trust = || {
        let output = command(&["--trust"]).env("WSTOOL_DATA", &data).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let first = trust();
    assert!(first.contains("made just now") && first.contains("NODE_EXTRA_CA_CERTS="), "{first}");
    let second = trust();
    assert!(second.contains("your own authority") && second.contains("curl --cacert"), "{second}");
    assert!(data.join("authority/ca.pem").is_file());
}

#[test]
fn an_archive_has_handshakes_and_messages() {
    let Some((_server, port)) = server(Peer::Ws) else { return };
    let Some(mut client) = Peer::Ws.command("client") else { return };
    let file = folder("captures").join("talk.har");
    let to = format!("ws://127.0.0.1:{port}");
    let proxy = Proxy::start(&["--to", &to, "--view", "none", "--har", file.to_str().expect("UTF-8")]);
    let url = proxy.url("/chat?x=1");
    let said = Running::start(client.args([&url, "chat"]), Ear::Stdout).all();
    assert_eq!(said, "open\nclose 1000\n");
    assert_eq!(proxy.end().code, Some(0));
    let text = std::fs::read_to_string(&file).expect("written");
    let archive: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let entry = &archive["log"]["entries"][0];
    assert_eq!((&entry["request"]["url"], &entry["response"]["status"]), (&url.into(), &101.into()));
    let messages = entry["_webSocketMessages"].as_array().expect("a list");
    let texts = |kind: &str| -> Vec<&str> {
        let of = messages.iter().filter(|it| it["type"] == kind && it["opcode"] == 1);
        of.filter_map(|it| it["data"].as_str()).collect()
    };
    assert_eq!((texts("send"), texts("receive")), (vec!["hello from ws"], vec!["hello from ws"]), "{text}");
}

/// More connections than anybody has at once, each with a message both ways.
#[test]
fn many_connections_are_no_trouble() {
    let (listener, to) = listener();
    let proxy = Proxy::start(&["--to", &to, "--view", "stats"]);
    let count = 300;
    let server = thread::spawn(move || {
        let mut open = Vec::new();
        for _ in 0..count {
            let mut stream = patient(listener.accept().expect("the proxy").0);
            let mut got = [0; 4];
            stream.read_exact(&mut got).expect("a message");
            stream.write_all(&got).expect("it reads");
            open.push(stream);
        }
        open
    });
    let mut clients = Vec::new();
    for number in 0..count as u32 {
        let mut client = connect(&proxy);
        client.write_all(&number.to_be_bytes()).expect("it reads");
        let mut got = [0; 4];
        client.read_exact(&mut got).expect("an answer");
        assert_eq!(u32::from_be_bytes(got), number);
        clients.push(client);
    }
    let servers = server.join().expect("no panic");
    if let Ok(text) = std::fs::read_to_string(format!("/proc/{}/statm", proxy.child.id())) {
        let pages: u64 = text.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number");
        println!("{count} connections: {} KiB in all", pages * 4);
    }
    drop((clients, servers));
    assert_eq!(proxy.end().code, Some(0));
}
