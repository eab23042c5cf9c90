//! Requests and their answers: how long they take, by method, and by keys that the user names.
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::schema;

/// Exit code, standard output, standard error.
fn wstool(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(args).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").env("COLUMNS", "80");
    let Output { status, stdout, stderr } = command.output().expect("the binary was built");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code().expect("no signal"), text(stdout), text(stderr))
}

/// A sample's capture, for one test alone.
fn capture(test: &str, sample: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(sample);
    let to = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("requests-{test}.pcap"));
    let (script, to) = (script.to_str().expect("UTF-8"), to.to_str().expect("UTF-8"));
    let (code, _, error) = wstool(&["encode", "--script", script, "--seed", "1", "--pcap", to, "--force"]);
    assert_eq!(code, 0, "{error}");
    to.to_owned()
}

fn decode(file: &str, args: &[&str]) -> String {
    let (code, out, error) = wstool(&[&["decode", file], args].concat());
    assert_eq!((code, &*error), (0, ""));
    out
}

/// The rows of the table of requests, blanks made one.
fn rows(stats: &str) -> Vec<String> {
    let table = stats.split("\n\n").find(|part| part.starts_with("Requests"));
    let lines = table.unwrap_or_default().lines().skip(1);
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn latency_by_method_is_counted_on_demand() {
    let file = capture("latency", "clean/jsonrpc.script");
    assert!(rows(&decode(&file, &["--view", "stats"])).is_empty());
    let rows = rows(&decode(&file, &["--view", "stats", "--latency"]));
    assert!(
        rows.iter().any(|row| row.starts_with("subtract client 1 12.2 ms 12.2 ms 12.2 ms 0 0")),
        "{rows:#?}"
    );
    assert!(rows.iter().any(|row| row.starts_with("client/name server 1 3.")), "{rows:#?}");
    assert!(rows.iter().any(|row| row.starts_with("foobar client 1 ") && row.ends_with(" 1 0")), "{rows:#?}");
    let records = decode(&file, &["--view", "stats", "--latency", "--format", "ndjson"]);
    let records = records.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let totals = records.filter(|record| record["type"] == "stats" && record["conn"].is_null());
    let totals: Vec<Value> = totals.inspect(schema::assert_valid).collect();
    let requests = totals[0]["requests"].as_array().expect("requests");
    assert_eq!(requests.len(), 5);
    let sum = requests.iter().find(|it| it["method"] == "sum").expect("a method");
    assert_eq!((&sum["who"], &sum["count"]), (&Value::from("client"), &Value::from(1)));
}

#[test]
fn keys_of_ones_own_tie_replies_to_requests() {
    let file = capture("keys", "clean/json-keys.script");
    let keys = ["--match", "request=$.seq,reply=$.re,method=$.op"];
    let rows = rows(&decode(&file, &[&["--view", "stats"], &keys[..]].concat()));
    assert_eq!(rows.len(), 3, "{rows:#?}");
    assert!(rows[0].starts_with("move client 2 ") && rows[0].ends_with(" 0 0"), "{rows:#?}");
    assert!(rows[1].starts_with("login client 1 30."), "{rows:#?}");
    assert!(rows[2].starts_with("pick server 1 90"), "{rows:#?}");
    let messages = decode(&file, &[&["--view", "messages"], &keys[..]].concat());
    assert!(messages.contains("JSON answers login after 30."), "{messages}");
    assert!(!decode(&file, &["--view", "messages"]).contains("answers"));
}

/// Requests of an application in events of Socket.IO, each with a number of its own.
const EVENTS: &str = r#"
handshake path="/socket.io/?EIO=4&transport=websocket"
server text "0{\"sid\":\"A7\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}"
client text "40"
server text "40{\"sid\":\"n7\"}"
client text "42[\"rpc\",{\"seq\":1,\"op\":\"login\"}]"
wait 30ms
server text "42[\"rpc\",{\"re\":1,\"ok\":true}]"
client text "42[\"rpc\",{\"seq\":2,\"op\":\"move\"}]"
wait 2ms
server text "42[\"rpc\",{\"re\":2,\"ok\":true}]"
client text "40/rooms,"
server text "40/rooms,{\"sid\":\"n8\"}"
client text "42/rooms,[\"rpc\",{\"seq\":3,\"op\":\"move\"}]"
wait 4ms
server text "42/rooms,[\"rpc\",{\"re\":3,\"ok\":true}]"
client text "41"
client close 1000
server close 1000
"#;

/// They are looked for in what Engine.IO and Socket.IO carry.
#[test]
fn keys_of_ones_own_are_found_inside_events() {
    let script = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("requests-events.script");
    std::fs::write(&script, EVENTS).expect("there is room");
    let file = capture("events", script.to_str().expect("UTF-8"));
    let of = |keys: &[&str]| rows(&decode(&file, &[&["--view", "stats"], keys].concat()));
    let rows = of(&["--match", "request=$.seq,reply=$.re,method=$.op"]);
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert!(rows.iter().any(|row| row.starts_with("login 1 30.")), "{rows:#?}");
    assert!(rows.iter().any(|row| row.starts_with("move 2 ")), "{rows:#?}");
    // As a whole an event is an array.
    assert_eq!(rows, of(&["--match", "request=$[1].seq,reply=$[1].re,method=$[1].op"]));
}

/// A session that polls: what the client posts, and what its polls are answered with. Then it moves to a
/// WebSocket, where the last answer comes.
fn polled() -> String {
    let url = "/socket.io/?EIO=4&transport=polling&sid=A7";
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let post = |body: &str| {
        format!(
            "client raw \"POST {url} HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: {}\\r\\n\\r\\n{}\"\n\
             server raw \"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok\"\n",
            body.len(),
            quoted(body)
        )
    };
    let poll = |url: &str, body: &str| {
        format!(
            "client raw \"GET {url} HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\"\nwait 20ms\n\
             server raw \"HTTP/1.1 200 OK\\r\\nContent-Length: {}\\r\\n\\r\\n{}\"\n",
            body.len(),
            quoted(body)
        )
    };
    let open = r#"0{"sid":"A7","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}"#;
    let mut script = "no-handshake\n".to_owned();
    script += &poll("/socket.io/?EIO=4&transport=polling", open);
    script += &post("40");
    script += &poll(url, r#"40{"sid":"n7"}"#);
    script += &post(r#"42["rpc",{"seq":1,"op":"login"}]"#);
    script += &poll(url, r#"42["rpc",{"re":1,"ok":true}]"#);
    script += &post("42[\"rpc\",{\"seq\":2,\"op\":\"move\"}]\u{1e}42[\"rpc\",{\"seq\":3,\"op\":\"pick\"}]");
    script += "connection\nhandshake path=\"/socket.io/?EIO=4&transport=websocket&sid=A7\"\n\
               client text \"2probe\"\nserver text \"3probe\"\nclient text \"5\"\n\
               server text \"42[\\\"rpc\\\",{\\\"re\\\":2,\\\"ok\\\":true}]\"\n\
               wait 9s\nclient close 1000\nserver close 1000\n";
    script
}

/// A session is one over all its transports.
#[test]
fn keys_of_ones_own_are_found_in_bodies_of_polls() {
    let script = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("requests-polled.script");
    std::fs::write(&script, polled()).expect("there is room");
    let file = capture("polled", script.to_str().expect("UTF-8"));
    let keys = ["--match", "request=$.seq,reply=$.re,method=$.op"];
    let rows = rows(&decode(&file, &[&["--view", "stats"], &keys[..]].concat()));
    // The upgrade's own question and answer among them.
    assert_eq!(rows.len(), 4, "{rows:#?}");
    assert!(rows.iter().any(|row| row == "pick 0 - - - 0 1"), "{rows:#?}");
    assert!(rows.iter().any(|row| row.starts_with("login 1 2")), "{rows:#?}");
    assert!(rows.iter().any(|row| row.starts_with("move 1 ")), "{rows:#?}");
    let causes = decode(&file, &[&["--view", "causes"], &keys[..]].concat());
    assert!(causes.contains("request-unanswered") && causes.contains("pick"), "{causes}");
}

#[test]
fn what_is_asked_wrongly_says_what_is_understood() {
    let wrong = |args: &[&str]| {
        let (code, out, error) = wstool(&[&["decode", "8100"], args].concat());
        assert_eq!((code, &*out), (2, ""));
        error
    };
    let error = wrong(&["--match", "request=id,reply=$.re"]);
    assert!(error.contains("character 1: it must be $") && error.contains("$.params[0].id"), "{error}");
    assert!(wrong(&["--match", "id=$.id"]).contains("request=$.id,reply=$.id,method=$.method"));
    assert!(wrong(&["--latency"]).contains("--view stats"));
}
