//! `WebSockets` over HTTP/2, recorded with real programs, against the programs' own logs.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::shelf::{Sample, capture, findings, records_of, root};

/// What was said, by path and sender, in order: text, or bytes in hexadecimal.
type Said = BTreeMap<(String, String), Vec<String>>;

fn said_by_programs(path: &str) -> Said {
    let log = fs::read_to_string(root().join(format!("{path}.jsonl"))).expect("a log");
    let mut said = Said::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let (Some(path), Some(from), Some(data)) =
            (line["stream"].as_str(), line["from"].as_str(), line["data"].as_str())
        else {
            continue;
        };
        said.entry((path.to_owned(), from.to_owned())).or_default().push(data.to_owned());
    }
    said
}

fn said_by_decoder(records: &[Value]) -> Said {
    let mut paths = BTreeMap::new();
    let mut said = Said::new();
    for record in records {
        let conn = record["conn"].as_u64().unwrap_or_default();
        if let (Some("connection"), Some(path)) = (record["type"].as_str(), record["target"].as_str()) {
            paths.insert(conn, path.to_owned());
        }
        let kind = record["kind"].as_str().unwrap_or_default();
        if record["type"] != "message" || !["text", "binary"].contains(&kind) {
            continue;
        }
        let data = match record["text"].as_str() {
            Some(text) => text.to_owned(),
            None => hex_of(record),
        };
        let from = record["dir"].as_str().unwrap_or_default().to_owned();
        said.entry((paths[&conn].clone(), from)).or_default().push(data);
    }
    said
}

/// The bytes of a binary message.
fn hex_of(record: &Value) -> String {
    use base64::Engine;
    let data = record["payload"]["base64"].as_str().or(record["base64"].as_str()).unwrap_or_default();
    let bytes = base64::engine::general_purpose::STANDARD.decode(data).expect("Base64");
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes all");
        hex
    })
}

#[test]
fn messages_are_those_of_the_programs() {
    // The last within TLS, whose keys are in it.
    for path in ["http2/node-h2c.pcap", "http2/python-h2.pcap", "../tests/streams/node-tls.pcapng"] {
        let records = records_of(&fs::read(root().join(path)).expect("a recording"));
        let name = path.trim_end_matches("ng").trim_end_matches(".pcap");
        let (expected, got) = (said_by_programs(name), said_by_decoder(&records));
        assert!(!expected.is_empty(), "{name}: nothing was said");
        assert_eq!(got, expected, "{name}");
    }
}

/// What this project's lab says with others: recorded by `samples/record/http2/through.sh`.
#[test]
fn messages_of_the_lab_are_those_of_the_programs() {
    for file in [
        "hyper-serve.pcap",
        "hyper-connect.pcap",
        "haproxy-front.pcap",
        "haproxy-back.pcap",
        "nghttpx-front.pcap",
        // Chromium, under TLS: the secrets are in it.
        "chromium-tls.pcapng",
    ] {
        let path = root().join("../tests/streams").join(file);
        let bytes = fs::read(&path).expect("a recording");
        let records = records_of(&bytes);
        let (name, _) = file.split_once('.').expect("an extension");
        let (expected, got) =
            (said_by_programs(&format!("../tests/streams/{name}")), said_by_decoder(&records));
        assert!(!expected.is_empty(), "{name}: nothing was said");
        assert_eq!(got, expected, "{name}");
        let broken = records.iter().filter(|record| {
            record["type"] == "finding" && matches!(record["severity"].as_str(), Some("warning" | "error"))
        });
        assert_eq!(broken.count(), 0, "{name}");
    }
}

#[test]
fn each_websocket_has_the_connection_for_its_parent() {
    let sample = Sample::at(&root().join("http2/node-h2c.pcap"));
    let records = records_of(&sample.bytes());
    let ends = records.iter().filter(|record| record["type"] == "connection" && record["final"] == true);
    let mut connections: Vec<_> = ends
        .map(|end| {
            let number = |key: &str| end[key].as_u64().unwrap_or_default();
            let text = |key: &str| end[key].as_str().unwrap_or_default().to_owned();
            (number("conn"), number("parent"), text("handshake"), number("status"))
        })
        .collect();
    connections.sort();
    let expected = [
        (1, 0, "http2", 0),
        (2, 1, "full", 200),
        (3, 1, "full", 200),
        (4, 1, "refused", 404),
        (5, 1, "full", 200),
    ];
    assert_eq!(
        connections,
        expected.map(|(conn, parent, how, status)| (conn, parent, how.to_owned(), status))
    );
}

/// Some programs end a stream in order before they say that it has failed; others take back what they ended.
#[test]
fn an_error_behind_the_end_of_a_stream_is_told() {
    let reset = root().join("broken/stream-reset.script");
    let script = fs::read_to_string(reset).expect("a script");
    let (before, _) = script.split_once("client h2 rst-stream").expect("how it ends");
    for (code, is_told) in [(2, true), (0, false), (8, false)] {
        let end = format!("server h2 data stream=1 end-stream\nserver h2 rst-stream stream=1 code={code}\n");
        let rules = findings(&records_of(&capture(&format!("{before}{end}"))));
        assert_eq!(rules.iter().any(|rule| rule == "stream-reset"), is_told, "{code}: {rules:?}");
    }
}
