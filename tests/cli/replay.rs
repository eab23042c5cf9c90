//! `wstool replay` without a peer: what is played, what it says, how it ends, what it costs.
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use wstool::http::{Head, HeadReader, HeadState, check_request};
use wstool::limits;
use wstool::model::SourceId;
use wstool::replay::{film, transcript};

use crate::{schema, shelf};

/// Plays with these arguments and this standard input.
fn replay(args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wstool"))
        .arg("replay")
        .env("LC_ALL", "C.UTF-8")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut to = child.stdin.take().expect("piped");
    let stdin = stdin.to_vec();
    // Who has read enough closes the pipe.
    let writer = std::thread::spawn(move || drop(to.write_all(&stdin)));
    let output = child.wait_with_output().expect("the binary ends");
    writer.join().expect("writing does not panic");
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn records(output: &Output) -> Vec<Value> {
    let records = text(&output.stdout);
    records
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .inspect(schema::assert_valid)
        .collect()
}

fn scratch(name: &str, content: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).expect("the target directory is writable");
    path
}

#[test]
fn the_handshakes_of_the_rfc_as_films() {
    for name in ["rfc6455", "rfc6455-minimal"] {
        let output = replay(&[name], b"");
        assert_eq!(output.status.code(), Some(0));
        insta::assert_snapshot!(format!("{name}.text"), text(&output.stdout));
        let output = replay(&[name, "--format", "json"], b"");
        let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        insta::assert_snapshot!(format!("{name}.json"), serde_json::to_string_pretty(&value).expect("JSON"));
    }
    insta::assert_snapshot!(
        "rfc6455-minimal.explained",
        text(&replay(&["rfc6455-minimal", "--explain"], b"").stdout)
    );
    insta::assert_snapshot!("rfc6455.ascii", text(&replay(&["rfc6455", "--ascii"], b"").stdout));
}

#[test]
fn a_few_broken_ones_as_films() {
    for name in ["accept-mismatch", "handshake-rejected", "unsupported-version", "page-instead-of-websocket"]
    {
        let output = replay(&[name], b"");
        assert_eq!(output.status.code(), Some(1), "{name}");
        insta::assert_snapshot!(name, text(&output.stdout));
    }
}

/// A capture is FAILED for its accept value, in `replay` and in `decode`.
#[test]
fn a_wrong_accept_value_fails_wherever_it_is_seen() {
    let script = "request key=\"VMueuJIhu60C0hDKL+vS6g==\" subprotocol=v1\n\
                  response accept=\"N8ntNYkX6Qerw4tK3s/CYzpSZNc=-wrong\"\nfin client\nfin server\n";
    let path = scratch("wrong-accept.pcap", &shelf::capture(script));
    let path = path.to_str().expect("UTF-8");
    let output = replay(&[path, "--format", "ndjson"], b"");
    assert_eq!(output.status.code(), Some(1));
    let film = &records(&output)[0];
    assert_eq!(film["verdict"]["state"], "failed");
    assert_eq!(film["verdict"]["cause"]["rule"], "accept-mismatch");
    assert_eq!(film["accept"]["expected"], "N8ntNYkX6Qerw4tK3s/CYzpSZNc=");
    let finding = &film["response"]["findings"][0];
    assert_eq!(film["response"]["diagnoses"][0]["id"], "right-with-more");
    let decoded = Command::new(env!("CARGO_BIN_EXE_wstool"))
        .args(["decode", path, "--format", "ndjson"])
        .output()
        .expect("the binary runs");
    let records = records(&decoded);
    let decoded =
        records.iter().find(|record| record["rule"] == "accept-mismatch").expect("decode finds it too");
    for key in ["severity", "section", "who", "title", "expected", "got", "consequence", "spans"] {
        assert_eq!(finding[key], decoded[key], "{key}");
    }
    let text = text(&replay(&[path], b"").stdout);
    assert!(text.contains("FAILED  accept-mismatch"), "{text}");
}

/// The heads, spans and findings of a capture are those of the same text.
#[test]
fn captures_and_transcripts_say_the_same() {
    let capture = replay(&["samples/chromium.pcap", "--stream", "1", "--format", "ndjson"], b"");
    let transcript = replay(&["chromium", "--format", "ndjson"], b"");
    let (capture, transcript) = (&records(&capture)[0], &records(&transcript)[0]);
    assert_eq!(capture["conn"], 1);
    for key in ["verdict", "accept", "negotiation", "request", "response"] {
        assert_eq!(capture[key], transcript[key], "{key}");
    }
    let all = replay(&["samples/chat.pcap", "--format", "ndjson"], b"");
    let conns: Vec<_> = records(&all).iter().map(|film| film["conn"].as_u64()).collect();
    assert_eq!(conns, [Some(1), Some(2)]);
}

#[test]
fn several_exchanges_on_one_connection() {
    let script = fs::read_to_string("samples/version-negotiation.script").expect("a sample");
    let path = scratch("versions.pcap", &shelf::capture(&script));
    let output = replay(&[path.to_str().expect("UTF-8"), "--format", "ndjson"], b"");
    let states: Vec<_> = records(&output).iter().map(|film| film["verdict"]["state"].clone()).collect();
    assert_eq!(states, ["refused", "open"]);
    let one = fs::read("samples/handshakes/rfc6455.http").expect("a sample");
    let other = fs::read("samples/handshakes/broken/missing-host.http").expect("a sample");
    let both = [b"# two of them\r\n".as_slice(), &one, b"\r\n# the second\r\n", &other].concat();
    let output = replay(&["-", "--format", "ndjson"], &both);
    let states: Vec<_> = records(&output).iter().map(|film| film["verdict"]["state"].clone()).collect();
    assert_eq!(states, ["open", "refused"]);
    let output = replay(&["-", "--stream", "2"], &both);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("missing-host"));
}

/// An answer to the key of another exchange is recognised.
#[test]
fn an_answer_to_another_key() {
    let read = |name: &str| fs::read_to_string(format!("samples/handshakes/{name}.http")).expect("a sample");
    let wrong = read("rfc6455").replace("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEA==");
    let output = replay(&["-", "--format", "ndjson"], (read("rfc6455-minimal") + &wrong).as_bytes());
    let films = records(&output);
    assert_eq!(films[1]["response"]["diagnoses"][0]["id"], "answer-to-another-key");
}

#[test]
fn what_cannot_be_played_is_said_in_one_line() {
    let empty = scratch("empty.http", b"");
    let no_answer = scratch("request-only.http", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let path = |path: &PathBuf| path.to_str().expect("UTF-8").to_owned();
    for (args, code, words) in [
        (vec!["no-such-sample".to_owned()], 2, "--list"),
        (vec!["samples".to_owned()], 2, "directory"),
        (vec![path(&empty)], 2, "error: "),
        (vec!["rfc6455".to_owned(), "--stream".to_owned(), "2".to_owned()], 2, "no handshake with number 2"),
        (vec!["samples/hole.script".to_owned()], 2, "error: "),
        (vec!["rfc6455".to_owned(), "--break".to_owned(), "accept".to_owned()], 2, "--to URL or --listen"),
        (vec![path(&no_answer), "--listen".to_owned(), "127.0.0.1:0".to_owned()], 2, "no response"),
        (vec!["rfc6455".to_owned(), "--to".to_owned(), "http://a/".to_owned()], 2, "ws://"),
        (
            vec![
                "rfc6455".to_owned(),
                "--to".to_owned(),
                "ws://a/".to_owned(),
                "--break=status=403".to_owned(),
            ],
            2,
            "--listen",
        ),
        (vec!["rfc6455".to_owned(), "--break".to_owned(), "acept".to_owned()], 2, "one of accept"),
        (vec![path(&no_answer)], 0, ""),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = replay(&args, b"");
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
        assert!(told.contains(words), "{args:?}: {told}");
        assert!(!told.contains("panicked"), "{told}");
    }
}

#[test]
fn the_list_names_every_sample() {
    let list = text(&replay(&["--list"], b"").stdout);
    let mut files: Vec<String> = Vec::new();
    for folder in ["", "broken/", "middlebox/"] {
        for entry in fs::read_dir(format!("samples/handshakes/{folder}")).expect("a folder") {
            let name = entry.expect("readable").file_name().into_string().expect("UTF-8");
            files.extend(name.strip_suffix(".http").map(|stem| format!("{folder}{stem}")));
        }
    }
    assert!(files.len() > 50);
    let readme = fs::read_to_string("samples/handshakes/README.md").expect("a README");
    for file in &files {
        assert!(list.lines().any(|line| line.split(' ').next() == Some(file)), "{file} is not listed");
        assert!(readme.contains(&format!("({file}.http)")), "{file} is not in the README");
    }
    // A name, and below it what it shows.
    assert_eq!(list.lines().count(), 2 * files.len());
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
}

#[test]
fn terminals_are_not_commanded() {
    let hostile = "GET /\u{1b}[2J HTTP/1.1\r\nHost: a\u{1b}]0;x\u{7}\r\nUpgrade: websocket\r\n\
                   \u{202e}X: \u{9b}31m\r\n\r\n\
                   HTTP/1.1 101 \u{1b}c\r\nServer: \u{1b}[31m\r\n\r\n";
    let shown = text(&replay(&["-", "--explain"], hostile.as_bytes()).stdout);
    assert!(!shown.contains(|c: char| c.is_control() && c != '\n') && !shown.contains('\u{202e}'), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
}

/// A head that never ends is read up to a cap, and said to be too large.
#[test]
fn a_head_that_never_ends() {
    let mut endless = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nX: ".to_vec();
    endless.resize(limits::TRANSCRIPT + (1 << 20), b'a');
    let output = replay(&["-", "--format", "ndjson"], &endless);
    assert!(text(&output.stderr).contains("only the first 4 MiB"));
    assert!(text(&output.stdout).contains("http-head-too-large"));
    let lines = "X: y\r\n".repeat(limits::TRANSCRIPT / 6 + 10);
    let endless = format!("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n{lines}");
    let output = replay(&["-", "--format", "ndjson"], endless.as_bytes());
    assert!(text(&output.stdout).contains("http-head-too-large"));
}

/// A right request with 1000 fields, or with 64 KiB of them, is still right, in any pieces.
#[test]
fn many_fields_and_small_pieces() {
    let right = fs::read_to_string("samples/handshakes/rfc6455.http").expect("a sample");
    let thousand = "X-Filler: value\r\n".repeat(1000);
    let large = format!("X-Large: {}\r\n", "a".repeat(64 * 1024));
    for filler in [thousand, large] {
        let text = right.replacen("Upgrade:", &format!("{filler}Upgrade:"), 1);
        let exchange = &transcript::parse(text.as_bytes(), "t")[0];
        let film = film(exchange, &[]);
        assert_eq!(film.request.expect("a request").findings, []);
        let head = &text.as_bytes()[..text.find("\r\n\r\n").expect("an end") + 4];
        let mut reader = HeadReader::new();
        for (at, byte) in head.iter().enumerate() {
            let progress = reader.push(std::slice::from_ref(byte));
            assert_eq!((progress.consumed, progress.state == HeadState::Complete), (1, at + 1 == head.len()));
        }
        let (pieces, whole) = (reader.parse(SourceId::Input, 0), Head::parse(head, SourceId::Input, 0));
        assert_eq!(check_request(&pieces, true), check_request(&whole, true));
    }
}

/// What parsing costs grows with the bytes, not with their square: sixteen times the bytes, in
/// segments of one byte, take about sixteen times as long and far from 256 times.
#[test]
#[ignore = "it compares times; .ci/run asks for it"]
fn the_cost_of_a_head_is_linear() {
    let shapes: [fn(usize) -> Vec<u8>; 4] = [
        |size| [b"GET / HTTP/1.1\r\n".to_vec(), b"X: y\r\n".repeat(size / 6), b"\r\n".to_vec()].concat(),
        |size| [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b' '; size], b"\r\n\r\n".to_vec()].concat(),
        |size| {
            [
                b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: ".to_vec(),
                b",".repeat(size),
                b"\r\n\r\n".to_vec(),
            ]
            .concat()
        },
        |size| {
            [
                b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: ".to_vec(),
                b"a;b,".repeat(size / 4),
                b"\r\n\r\n".to_vec(),
            ]
            .concat()
        },
    ];
    let cost = |bytes: &[u8]| {
        let once = || {
            let start = Instant::now();
            let mut reader = HeadReader::new();
            for byte in bytes {
                reader.push(std::slice::from_ref(byte));
            }
            let report = check_request(&reader.parse(SourceId::Input, 0), true);
            assert!(report.findings.len() < 64);
            start.elapsed()
        };
        (0..9).map(|_| once()).min().unwrap_or_default()
    };
    for shape in shapes {
        let (small, large) = (cost(&shape(8 * 1024)), cost(&shape(128 * 1024)));
        assert!(large < small.max(Duration::from_micros(50)) * 128, "{small:?} grew to {large:?}");
    }
}
