//! Captures of real Socket.IO programs against what the programs themselves logged.
//!
//! `samples/record/socketio/` makes both: the packets of Engine.IO as server and client saw them, and
//! the events, acknowledgements and refusals as the application saw them.
use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::shelf::{Sample, records_of, root, samples};

/// What one side of a session said, in order: the packet's type and its data.
type Said = Vec<(String, Value)>;

fn captures() -> Vec<(String, Vec<Value>, Vec<Value>)> {
    let mut found = Vec::new();
    for sample in samples().into_iter().filter(|sample| sample.folder() == "socketio") {
        let name = sample.stem().trim_end_matches(".pcap").to_owned();
        let log = fs::read_to_string(root().join(format!("socketio/{name}.ndjson"))).expect("a log");
        let log = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        found.push((name, records_of(&sample.bytes()), log));
    }
    assert_eq!(found.len(), 8);
    found
}

/// Packets that belong to no transport: probes, upgrades and noops are not logged.
fn is_logged(kind: &str) -> bool {
    matches!(kind, "message" | "ping" | "pong")
}

/// By session and direction, as the server logged it.
fn logged(log: &[Value]) -> BTreeMap<(String, &str), Said> {
    let mut said: BTreeMap<(String, &str), Said> = BTreeMap::new();
    for line in log.iter().filter(|line| line["by"] == "server" && line["packet"].is_string()) {
        let kind = line["packet"].as_str().unwrap();
        let dir = if line["way"] == "in" { "client" } else { "server" };
        if is_logged(kind) {
            let sid = line["sid"].as_str().unwrap().to_owned();
            said.entry((sid, dir)).or_default().push((kind.to_owned(), line["data"].clone()));
        }
    }
    said
}

/// The same, as it was decoded.
fn decoded(records: &[Value]) -> BTreeMap<(String, &str), Said> {
    let mut said: BTreeMap<(String, &str), Said> = BTreeMap::new();
    let version = records.iter().find(|r| r["type"] == "session").unwrap()["version"].as_u64().unwrap();
    for record in records.iter().filter(|r| r["app"]["session"].is_object()) {
        let payload = if record["type"] == "packet" { &record["payload"] } else { record };
        let dir = if record["dir"] == "client" { "client" } else { "server" };
        let sid = record["app"]["session"]["sid"].as_str().unwrap_or_default().to_owned();
        let (kind, data) = if let Some(text) = payload["text"].as_str() {
            let kind = ["open", "close", "ping", "pong", "message", "upgrade", "noop"]
                [usize::from(text.as_bytes()[0] - b'0')];
            (kind, Value::from(&text[1..]))
        } else {
            let bytes = STANDARD.decode(payload["base64"].as_str().unwrap()).unwrap();
            // Revision 3 puts the type before the data, over WebSocket.
            let skip = usize::from(version == 3 && record["type"] == "message");
            ("message", json!({ "base64": STANDARD.encode(&bytes[skip..]) }))
        };
        if is_logged(kind) && data != "probe" {
            said.entry((sid, dir)).or_default().push((kind.to_owned(), data));
        }
    }
    said
}

#[test]
fn every_packet_is_as_the_server_logged_it() {
    for (name, records, log) in captures() {
        let (logged, decoded) = (logged(&log), decoded(&records));
        assert!(logged.values().map(Vec::len).sum::<usize>() > 8, "{name}");
        assert_eq!(decoded.keys().collect::<Vec<_>>(), logged.keys().collect::<Vec<_>>(), "{name}");
        for (key, mut said) in logged {
            if name.starts_with("v2") && key.1 == "server" {
                // Socket.IO 2 sends its CONNECT with the open packet, before anybody can listen.
                said.insert(0, ("message".to_owned(), "0".into()));
            }
            assert_eq!(decoded[&key], said, "{name} {key:?}");
        }
    }
}

/// The arguments with their attachments in the place of the placeholders.
fn resolved(args: &Value, attachments: &Value) -> Value {
    match args {
        Value::Object(map) if map.get("_placeholder") == Some(&Value::Bool(true)) => {
            let num = usize::try_from(map["num"].as_u64().unwrap()).unwrap();
            json!({ "base64": attachments[num]["base64"] })
        }
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), resolved(value, attachments))).collect()
        }
        Value::Array(all) => all.iter().map(|value| resolved(value, attachments)).collect(),
        other => other.clone(),
    }
}

#[test]
fn events_and_acknowledgements_are_as_the_application_saw_them() {
    for (name, records, log) in captures() {
        let apps: Vec<(&str, &Value)> = records
            .iter()
            .filter(|r| r["app"]["protocol"] == "socket.io")
            .map(|r| (r["dir"].as_str().unwrap(), &r["app"]))
            .collect();
        // A packet is complete at once, or with its last attachment.
        let whole = |app: &Value| {
            app["attachment_count"].is_null() && (app["num"].is_null() || app["attachments"].is_array())
        };
        for (by, from) in [("server", "client"), ("client", "server")] {
            let seen: Vec<Value> = apps
                .iter()
                .filter(|(dir, app)| *dir == from && whole(app))
                .map(|(_, app)| {
                    let args = resolved(&app["args"], &app["attachments"]);
                    json!({ "event": app["event"], "args": args })
                })
                .collect();
            let told = log.iter().filter(|line| line["by"] == by && line["way"] == "in");
            for line in told {
                let (event, args) = match (&line["event"], &line["ack"]) {
                    (Value::Null, Value::Null) => continue,
                    (Value::Null, args) => (&Value::Null, args),
                    (event, _) => (event, &line["args"]),
                };
                let expected = json!({ "event": event, "args": args });
                assert!(seen.contains(&expected), "{name}, {by}: {expected}\n{seen:#?}");
            }
        }
        if log.iter().any(|line| !line["ack"].is_null()) {
            let answered: Vec<&str> =
                apps.iter().filter_map(|(_, app)| app["answers"]["what"].as_str()).collect();
            assert!(answered.contains(&"upload") && answered.contains(&"question"), "{name}: {answered:?}");
        }
    }
}

#[test]
fn sessions_are_told_as_they_went() {
    for (name, records, log) in captures() {
        let sessions: Vec<&Value> = records.iter().filter(|r| r["type"] == "session").collect();
        let version = if name.starts_with("v4") { 4 } else { 3 };
        for session in &sessions {
            assert_eq!(session["version"], version, "{name}");
        }
        let (transports, upgraded) = match name.split_once('-').unwrap().1 {
            "upgrade" => (json!(["polling", "websocket"]), true),
            "websocket" => (json!(["websocket"]), false),
            _ => (json!(["polling"]), false),
        };
        assert_eq!(
            (&sessions[0]["transports"], &sessions[0]["upgraded"]),
            (&transports, &upgraded.into()),
            "{name}"
        );
        // Nothing is wrong with any of them but the namespace that was refused.
        let refused = log.iter().filter(|line| line["by"] == "client" && !line["refused"].is_null()).count();
        let findings: Vec<&Value> = sessions.iter().flat_map(|s| s["findings"].as_array().unwrap()).collect();
        assert_eq!(findings, vec![&Value::from("namespace-refused"); refused], "{name}");
        if !name.ends_with("raw") {
            assert_eq!(sessions.len(), 1, "{name}");
            assert!(sessions[0]["heartbeats"].as_u64() >= Some(2), "{name}");
            assert_eq!(sessions[0]["namespaces"], json!(["/", "/admin"]), "{name}");
        }
    }
}

/// The failures that people meet, each by name, with its cause and its evidence, in both outputs.
#[test]
fn failures_are_diagnosed_by_name() {
    for rule in [
        "no-sticky-session",
        "stuck-on-polling",
        "client-too-old",
        "server-too-old",
        "cors-blocked",
        "ping-timeout",
        "proxy-idle-timeout",
        "payload-too-big",
        "not-an-engineio-server",
        "plain-websocket-client",
        "transport-disabled",
        "namespace-refused",
        "connect-timeout",
        "event-before-connect",
        "concurrent-polls",
        "poll-closed-at-once",
        "session-expired",
    ] {
        let sample = Sample::at(&root().join(format!("broken/{rule}.script")));
        let records = records_of(&sample.bytes());
        let finding = records.iter().find(|r| r["rule"] == rule).unwrap_or_else(|| panic!("{rule}"));
        assert!(finding["session"].is_number(), "{rule}");
        assert_eq!(finding["cause"]["id"], rule);
        assert!(!finding["cause"]["fix"].as_str().unwrap().is_empty());
        assert!(
            finding["spans"].as_array().unwrap().iter().any(|s| s[0].as_str().unwrap().starts_with("packet")),
            "{rule}: {finding}"
        );
        let of_session = records
            .iter()
            .find(|r| r["type"] == "session" && r["diagnoses"].as_array().unwrap().contains(&rule.into()));
        assert!(of_session.is_some(), "{rule}");
        let text = sample.text(wstool::select::Selection::default());
        assert!(text.contains(rule) && text.contains("likely"), "{rule}");
    }
}
