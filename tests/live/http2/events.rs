//! Server-sent events over HTTP/2 between Node.js and Node.js, as a capture of what went between has them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Certificate, Listening, folder, text};
use crate::peers::{Ear, Peer, Running};

/// Node.js in a role of `tests/peers/events.mjs`; `None`, with the reason printed, where it cannot be had.
fn node(args: &[&str]) -> Option<Command> {
    let mut command = Peer::Ws.command("events")?;
    command.args(args).stdin(Stdio::null());
    Some(command)
}

/// The data of events, by what was asked for.
type Heard = BTreeMap<String, Vec<String>>;

/// What the client heard, and the trailer fields that it had.
fn heard_by_client(said: &str) -> (Heard, BTreeMap<String, Option<String>>) {
    let lines =
        said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{said}")));
    let of = |line: &Value| {
        let path = line["path"].as_str().expect("a path").to_owned();
        let data = line["data"].as_array().expect("events").iter().filter_map(Value::as_str);
        (
            (path.clone(), data.map(str::to_owned).collect()),
            (path, line["trailer"].as_str().map(str::to_owned)),
        )
    };
    lines.map(|line| of(&line)).unzip()
}

/// The records of a capture, as `wstool decode` has them.
fn decoded(args: &[&str]) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["decode", "--format", "ndjson"]).args(args).env("LC_ALL", "C.UTF-8");
    let output = command.env_remove("SSLKEYLOGFILE").output().expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// What the events of records say.
fn heard_by_decoder(records: &[Value]) -> Heard {
    let (mut paths, mut heard) = (BTreeMap::new(), Heard::new());
    for record in records {
        let stream = record["stream"].as_u64();
        if record["type"] == "http" && record["dir"] == "client" {
            let line = record["start_line"].as_str().expect("a request");
            paths.insert(stream, line.split(' ').nth(1).expect("a target").to_owned());
        }
        if record["type"] == "packet" && record["streamed"] == "event" {
            let Some(data) = record["app"]["data"].as_str() else { continue };
            heard.entry(paths[&stream].clone()).or_default().push(data.to_owned());
        }
    }
    heard
}

#[test]
fn events_between_node_and_node_are_those_that_the_client_heard() {
    let certificate = Certificate::make("events");
    let place = folder("events");
    let (keys, pcap) = (text(&place.join("node.keys")), text(&place.join("node.pcap")));
    let Certificate { key, cert, .. } = &certificate;
    for (scheme, files) in [("http", &[][..]), ("https", &[key.as_str(), cert.as_str()])] {
        let _ = fs::remove_file(&keys);
        let Some(mut server) = node(&[&["server"], files].concat()) else { return };
        let mut server = Running::start(&mut server, Ear::Stdout);
        // What goes by is not looked into: under TLS it is what was encrypted.
        let to = format!("ws://127.0.0.1:{}", server.line());
        let proxy = Listening::start("proxy", &["--to", &to, "--view", "none", "--pcap", &pcap]);
        let url = format!("{scheme}://{}", proxy.address);
        let asked = ["client", &url, &keys, "/events/20", "/zipped/9", "!/endless"];
        let output = node(&asked).expect("it was there").output().expect("it runs");
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        proxy.end();
        let (heard, trailers) = heard_by_client(&said);
        assert_eq!(heard["/events/20"].len(), 20, "{said}");
        assert_eq!(heard["/zipped/9"].last().map(String::as_str), Some("zipped 9\n你好 😀"), "{said}");
        assert!(heard["/endless"].len() >= 2, "{said}");
        assert_eq!(trailers["/events/20"].as_deref(), Some("20"), "{said}");

        let keylog = if files.is_empty() { Vec::new() } else { vec!["--keylog", &keys] };
        let records = decoded(&[&keylog[..], &[&pcap]].concat());
        let mut decoded = heard_by_decoder(&records);
        // Of what the client has reset it may not have taken all that came.
        let endless = decoded.get_mut("/endless").expect("it streams");
        assert!(endless.starts_with(&heard["/endless"]), "{endless:?}: {said}");
        endless.truncate(heard["/endless"].len());
        assert_eq!(decoded, heard, "{scheme}");
        let broken = records.iter().filter(|it| {
            it["type"] == "finding" && matches!(it["severity"].as_str(), Some("warning" | "error"))
        });
        assert_eq!(broken.collect::<Vec<_>>(), Vec::<&Value>::new(), "{scheme}");
    }
}

/// hyper's server, and Node.js as its client.
#[test]
fn serve_streams_events_to_node() {
    let served = Listening::start("serve", &["poll", "--format", "ndjson"]);
    for line in ["one", "two"] {
        let mut tcp = TcpStream::connect(&served.address).expect("it listens");
        let head =
            "POST /poll/say?name=Ann HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\n";
        tcp.write_all(format!("{head}{line}").as_bytes()).expect("it takes bytes");
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).expect("UTF-8");
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
    let url = format!("http://{}", served.address);
    let Some(mut command) = node(&["client", &url, "", "!/poll/events?since=0"]) else { return };
    let said = String::from_utf8(command.output().expect("it runs").stdout).expect("UTF-8");
    let shown = served.end();
    let expected = Heard::from([(
        "/poll/events?since=0".to_owned(),
        vec!["Ann: one".to_owned(), "Ann: two".to_owned()],
    )]);
    assert_eq!(heard_by_client(&said).0, expected);
    let records: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(heard_by_decoder(&records), expected, "{shown}");
}
