//! Other people's programs at the other end, and what they and tshark see of it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Served, Wire, decoded, records, rules};
use crate::peers::{ECHOES, Ear, Peer, Running};

/// What a frame is known by: its connection, sender, opcode and length.
type Frame = (u64, String, u64, u64);

fn frames(records: &[Value]) -> Vec<Frame> {
    let frame = |it: &Value| {
        let number = |key: &str| it[key].as_u64().expect("a number");
        (number("conn"), it["dir"].as_str().expect("a side").to_owned(), number("opcode"), number("length"))
    };
    records.iter().filter(|it| it["type"] == "frame").map(frame).collect()
}

/// The frames that tshark sees of a connection to a port; `None`, with the reason printed, without tshark.
fn tshark(pcap: &Path, port: u16) -> Option<Vec<Frame>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(pcap).args(["-d", &format!("tcp.port=={port},http"), "-Y", "websocket"]);
    command.args(["-T", "fields", "-e", "tcp.stream", "-e", "tcp.srcport", "-e", "websocket.opcode"]);
    command.args(["-e", "websocket.payload_length", "-e", "websocket.payload_length_ext_16"]);
    command.args(["-e", "websocket.payload_length_ext_64"]);
    let Ok(output) = command.output() else {
        println!("skipped: there is no tshark");
        return None;
    };
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut all = Vec::new();
    for line in text.lines() {
        let columns: Vec<Vec<u64>> = line
            .split('\t')
            .map(|column| column.split(',').filter_map(|number| number.parse().ok()).collect())
            .collect();
        let (mut two, mut eight) = (columns[4].iter(), columns[5].iter());
        let from = if columns[1][0] == u64::from(port) { "server" } else { "client" };
        for (opcode, length) in columns[2].iter().zip(&columns[3]) {
            let length = match length {
                126 => *two.next().expect("16 bits"),
                127 => *eight.next().expect("64 bits"),
                short => *short,
            };
            all.push((columns[0][0] + 1, from.to_owned(), *opcode, length));
        }
    }
    Some(all)
}

/// With every set of parameters, and what is agreed on.
#[test]
fn other_clients_are_echoed_and_everybody_sees_the_same_frames() {
    for peer in ECHOES {
        let sets: &[(&str, &str)] = match peer {
            // It tells whether, and not what it agreed on.
            Peer::Aiohttp => &[("", ""), ("15", "deflate"), ("10", "deflate")],
            Peer::Ws => &[
                ("", ""),
                ("{}", "permessage-deflate"),
                (r#"{"serverNoContextTakeover":true}"#, "permessage-deflate; server_no_context_takeover"),
                (
                    r#"{"clientNoContextTakeover":true,"serverMaxWindowBits":9}"#,
                    "permessage-deflate; client_no_context_takeover; server_max_window_bits=9",
                ),
                (r#"{"clientMaxWindowBits":10}"#, "permessage-deflate; client_max_window_bits=10"),
                (r#"{"serverMaxWindowBits":15}"#, "permessage-deflate; server_max_window_bits=15"),
            ],
            _ => &[
                ("", ""),
                ("{}", "permessage-deflate"),
                (
                    r#"{"server_no_context_takeover":true,"client_no_context_takeover":true}"#,
                    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                ),
                (
                    r#"{"server_max_window_bits":9,"client_max_window_bits":12}"#,
                    "permessage-deflate; server_max_window_bits=9; client_max_window_bits=12",
                ),
            ],
        };
        let name = format!("echo-{peer:?}");
        let served = Served::start(&name, &["--format", "ndjson", "--payload-limit", "16"]);
        let mut count = 0;
        for (options, agreed) in sets {
            let Some(mut command) = peer.command("serve") else { break };
            command.arg(served.url("/echo")).args((!options.is_empty()).then_some(options));
            let said = Running::start(&mut command, Ear::Stdout).all();
            let expected = format!("open chat {agreed}\npong there?\n7 messages, close 4000\n");
            assert_eq!(said, expected, "{peer:?} {options}");
            count += 1;
        }
        let port = served.address.port();
        let (pcap, shown) = served.end();
        let live = records(&shown);
        let kept = decoded(&pcap);
        assert_eq!(frames(&live), frames(&kept), "{peer:?}");
        // Sent and echoed: seven messages, a ping, a Close; fragments by one of them.
        assert!(frames(&kept).len() >= count * 18, "{peer:?}");
        // What was asked for: a Close with a code of one's own, and a window that saves hardly anything.
        let mut found = rules(&kept);
        found.retain(|rule| !matches!(rule.as_str(), "close-application" | "pmd-small-window"));
        assert!(found.is_empty(), "{found:?}");
        let Some(seen) = tshark(&pcap, port) else { continue };
        let by_side = |all: Vec<Frame>| {
            let mut all = all;
            // Who of both spoke first within a packet's time is nobody's question.
            all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
            all
        };
        assert_eq!(by_side(seen), by_side(frames(&kept)), "{peer:?}");
    }
}

#[test]
fn netcat_joins_the_chat() {
    let served = Served::start("nc", &["tcp", "--view", "none"]);
    let mut first = Wire::to(served.address);
    first.send(b"/name Ann\n");
    let mut command = Command::new("sh");
    let port = served.address.port().to_string();
    command
        .args(["-c", "command -v nc >/dev/null && (echo hello; echo /who; sleep 1) | nc -q 1 127.0.0.1 $0"]);
    let output = command.arg(&port).output().expect("there is a shell");
    if !output.status.success() {
        println!("skipped: there is no nc, or another one");
        return;
    }
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(said, "you are guest2; online: Ann, guest2\nonline: Ann, guest2\n");
    let mut lines = Vec::new();
    while lines.len() < 5 {
        assert!(first.more(), "{lines:?}");
        lines = String::from_utf8_lossy(&first.early).lines().map(str::to_owned).collect();
    }
    let told = [
        "you are guest1; online: guest1",
        "you are now Ann",
        "guest2 joined",
        "guest2: hello",
        "guest2 left",
    ];
    assert_eq!(lines, told);
}

/// Ctrl-C: everybody is told that the server ends, and it does.
#[test]
fn an_interrupt_closes_with_1001() {
    let served = Served::start("end", &["--view", "none"]);
    let mut echo = served.open("/echo");
    let mut chat = served.open("/chat");
    assert_eq!(chat.frame().map(|(first, _)| first), Some(0x81));
    let mut raw = Wire::to(served.address);
    raw.send(b"hello\n");
    assert!(raw.more());
    served.running.interrupt();
    for wire in [&mut echo, &mut chat] {
        loop {
            let (first, payload) = wire.frame().expect("a frame");
            if first == 0x88 {
                assert_eq!(&payload[..2], &1001u16.to_be_bytes()[..]);
                break;
            }
        }
        wire.send(&super::frame(true, 8, &1001u16.to_be_bytes()));
    }
    assert!(String::from_utf8_lossy(&raw.rest()).ends_with("the server ends\n"));
    let (status, _) = served.running.end();
    assert_eq!(status.code(), Some(0));
    // Who does not answer is not waited for for ever; who insists, not at all.
    let served = Served::start("insist", &["--view", "none"]);
    let _deaf = served.open("/echo");
    served.running.interrupt();
    served.running.interrupt();
    let (status, _) = served.running.end();
    assert!(matches!(status.code(), Some(0 | 130)), "{status:?}");
}

#[test]
fn tls_is_spoken_with_a_certificate_made_on_the_spot() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve");
    let served = Served::start("tls", &["--tls", "--view", "none"]);
    let ca = place.join("authority/ca.pem");
    assert!(ca.is_file());
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "60", "--cacert"])
        .arg(&ca)
        .arg(format!("https://{}/poll/short", served.address))
        .output();
    match output {
        Ok(output) => {
            let body = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(body, "{\"last\":0,\"lines\":[]}", "{}", String::from_utf8_lossy(&output.stderr));
        }
        Err(_) => println!("skipped: there is no curl"),
    }
    if let Some(mut command) = Peer::Ws.command("serve") {
        command.arg(format!("wss://{}/echo", served.address)).arg("{}").env("NODE_EXTRA_CA_CERTS", &ca);
        let said = Running::start(&mut command, Ear::Stdout).all();
        assert_eq!(said, "open chat permessage-deflate\npong there?\n7 messages, close 4000\n");
    }
    // Who speaks something else is told apart.
    let mut plain = Wire::to(served.address);
    plain.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut served = served;
    while !served.running.line().contains("speaks no TLS") {}
    // What is inside is what the capture has.
    let (pcap, _) = served.end();
    assert!(frames(&decoded(&pcap)).len() >= 16);
}

/// Signed by an authority of one's own, as `rcgen` makes them.
#[test]
fn tls_is_spoken_with_a_certificate_of_ones_own() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve/own");
    std::fs::create_dir_all(&place).expect("there is room");
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let (cert, key) = (place.join("cert.pem"), place.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).expect("there is room");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("there is room");
    let [cert, key] = [&cert, &key].map(|path| path.to_str().expect("UTF-8"));
    let served = Served::start("own", &["--tls", "--cert", cert, "--key", key, "--view", "none"]);
    let url = format!("wss://{}/echo", served.address);
    let connect = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
        command.args(["connect", "-q", "--timeout", "60", "--send", "hello", &url]).args(more);
        command.env("LC_ALL", "C.UTF-8").env("no_proxy", "*").stdin(Stdio::null());
        let output = command.output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(connect(&["--cacert", cert]), (Some(0), "hello\n".to_owned()));
    // Nobody vouches for it but itself.
    let (code, said) = connect(&[]);
    assert!(code != Some(0) && said.is_empty(), "{code:?} {said}");
    let (pcap, _) = served.end();
    assert!(frames(&decoded(&pcap)).len() >= 4);
    // A key that is not the certificate's.
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    std::fs::write(key, other.signing_key.serialize_pem()).expect("there is room");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--tls", "--cert", cert, "--key", key]);
    let output = command.env("LC_ALL", "C.UTF-8").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("cert.pem"), "{said}");
    std::fs::write(key, "no key").expect("there is room");
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("key.pem: there is no key in it"), "{said}");
}

/// What opens a page is called with its address.
#[cfg(target_os = "linux")]
#[test]
fn a_page_is_opened_in_the_browser() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve/open");
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).expect("there is room");
    let (browser, told) = (place.join("xdg-open"), place.join("told"));
    // Written beside and renamed, so that who waits sees all of it.
    let script = format!("#!/bin/sh\necho \"$@\" > '{0}.part' && mv '{0}.part' '{0}'\n", told.display());
    std::fs::write(&browser, script).expect("there is room");
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = format!("{}:{}", place.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--open", "--view", "none"]);
    command.env("LC_ALL", "C.UTF-8").env("PATH", path);
    let mut running = Running::start(&mut command, Ear::Stderr);
    let address = loop {
        let line = running.line();
        if let Some(rest) = line.strip_prefix("listening on ") {
            break rest.split(';').next().unwrap_or_default().to_owned();
        }
    };
    let start = std::time::Instant::now();
    while !told.is_file() {
        assert!(start.elapsed() < super::PATIENCE, "nothing was opened");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let url = std::fs::read_to_string(&told).expect("UTF-8");
    assert_eq!(url.trim_end(), format!("http://{address}/"));
    running.interrupt();
    assert_eq!(running.end().0.code(), Some(0));
}

#[test]
fn what_cannot_be_listened_on_is_said_in_a_line() {
    let served = Served::start("in-use", &["--view", "none"]);
    let run = |address: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
        let output = command.args(["serve", "--listen", address]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let address = served.address.to_string();
    assert_eq!(
        run(&address),
        format!(
            "error: {address} is in use: stop what listens there, or take a free port: --listen 127.0.0.1:0\n"
        )
    );
    assert!(run("nowhere").starts_with("error: `nowhere` is no address to listen on"));
    assert!(run("192.0.2.1:0").contains("is no address of this machine"));
}
