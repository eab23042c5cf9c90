//! What streams is shown while it does.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde_json::Value;

use super::{PATIENCE, Served, Wire, decoded};
use crate::schema;

/// A server whose records are read as they come.
struct Told {
    child: Child,
    records: Receiver<Value>,
    address: std::net::SocketAddr,
}

impl Told {
    fn start(kind: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
        command.args(["serve", kind, "--listen", "127.0.0.1:0", "--format", "ndjson"]);
        let place = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        command.env("LC_ALL", "C.UTF-8").env("WSTOOL_DATA", place);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (tell, records) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().expect("piped"));
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let record: Value = serde_json::from_str(&line).expect("JSON");
                schema::assert_valid(&record);
                if tell.send(record).is_err() {
                    return;
                }
            }
        });
        let mut err = BufReader::new(child.stderr.take().expect("piped")).lines();
        let address = loop {
            let line = err.next().expect("it listens").expect("UTF-8");
            if let Some(rest) = line.strip_prefix("listening on ") {
                break rest.split(';').next().and_then(|it| it.parse().ok()).expect("an address");
            }
        };
        thread::spawn(move || err.for_each(drop));
        Self { child, records, address }
    }

    /// Waits for a unit of what streams that says this.
    fn packet(&self, words: &str) -> Value {
        loop {
            let record = self.records.recv_timeout(PATIENCE).expect("it is told while it streams");
            if record["type"] == "packet" && record.to_string().contains(words) {
                return record;
            }
        }
    }

    fn get(&self, path: &str) -> Wire {
        let mut wire = Wire::to(self.address);
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert!(wire.head().starts_with("HTTP/1.1 200"));
        wire
    }

    fn say(&self, line: &str) {
        let mut wire = Wire::to(self.address);
        let head =
            format!("POST /poll/say?name=Ann HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", line.len());
        wire.send(head.as_bytes());
        wire.send(line.as_bytes());
        assert!(wire.head().starts_with("HTTP/1.1 204"));
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn events_are_told_as_they_come() {
    let told = Told::start("poll");
    let _open = told.get("/poll/events?since=0");
    for line in ["one", "two"] {
        told.say(line);
        let packet = told.packet(line);
        assert_eq!(packet["streamed"], "event");
        assert_eq!(packet["app"]["protocol"], "event-stream");
        assert_eq!(packet["app"]["data"], format!("Ann: {line}"));
        assert_eq!((&packet["app"]["event"], &packet["dir"]), (&"message".into(), &"server".into()));
    }
}

#[test]
fn parts_and_pages_are_told_as_they_come() {
    let told = Told::start("poll");
    for (path, kind, protocol) in
        [("/poll/multipart", "part", "multipart"), ("/poll/iframe", "piece", "html-stream")]
    {
        let _open = told.get(path);
        told.say(path);
        let packet = told.packet(&format!("Ann: {path}"));
        assert_eq!((&packet["streamed"], &packet["app"]["protocol"]), (&kind.into(), &protocol.into()));
        if kind == "piece" {
            assert!(packet["app"]["scripts"].as_u64() >= Some(1), "{packet}");
        }
    }
}

#[test]
fn lines_of_raw_tcp_are_told_as_they_come() {
    let told = Told::start("tcp");
    let mut wire = Wire::to(told.address);
    wire.send(b"/who\n");
    let packet = told.packet("/who");
    assert_eq!((&packet["streamed"], &packet["dir"]), (&"line".into(), &"client".into()));
    assert_eq!((&packet["payload"]["text"], &packet["offset"]), (&"/who".into(), &0.into()));
    let packet = told.packet("you are guest1");
    assert_eq!((&packet["dir"], &packet["place"]), (&"server".into(), &1.into()));
}

/// Beside HTTP the first line tells that there are lines: that is one of them.
#[test]
fn a_capture_has_lines_where_somebody_says_so() {
    let served = Served::start("lines-beside", &["--view", "none"]);
    let mut wire = Wire::to(served.address);
    wire.send(b"hello\n/who\n");
    assert!(wire.until(b"online: guest1\nonline: guest1\n"));
    wire.hang_up();
    let port = served.address.port().to_string();
    let (pcap, _) = served.end();
    let is_told = |record: &Value| record["type"] == "packet" || record["type"] == "connection";
    assert!(!decoded(&pcap).iter().any(is_told), "nobody says that there are lines");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.arg("decode").arg(&pcap).args(["--format", "ndjson", "--lines", &port]);
    let records =
        super::records(&String::from_utf8(command.output().expect("it runs").stdout).expect("UTF-8"));
    let lines: Vec<_> = records.iter().filter(|record| record["type"] == "packet").collect();
    let said: Vec<_> = lines.iter().map(|line| (&line["dir"], line["payload"]["text"].as_str())).collect();
    let (client, server) = (Value::from("client"), Value::from("server"));
    let expected = [
        (&client, Some("hello")),
        (&client, Some("/who")),
        (&server, Some("you are guest1; online: guest1")),
        (&server, Some("online: guest1")),
    ];
    assert_eq!(said, expected);
    assert!(records.iter().any(|it| it["type"] == "connection" && it["handshake"] == "lines"));
}
