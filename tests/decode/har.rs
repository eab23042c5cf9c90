//! HAR in and out: what programs saved is what the page itself sent and got.

use std::borrow::Cow;
use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;
use wstool::cause::{Group, Head};
use wstool::input;
use wstool::model::Sink;
use wstool::pipeline;
use wstool::render::har::Har;
use wstool::render::json::Json;
use wstool::render::views::{self, Form, Kept};
use wstool::render::{Options, View as _};

fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if path.extension().is_none_or(|it| it != "gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    GzDecoder::new(&bytes[..]).read_to_end(&mut plain).expect("it is whole");
    plain
}

fn play(bytes: &[u8], sink: &mut dyn Sink) {
    let input = input::open(Box::new(Cursor::new(bytes.to_vec())), "test").expect("it is known");
    let outcome = pipeline::run(input, sink, &mut |_| {});
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
}

fn records(bytes: &[u8]) -> Vec<Value> {
    let mut json = Json::lines(Vec::new(), 1 << 20);
    play(bytes, &mut json);
    let lines = String::from_utf8(json.finish().expect("memory takes it")).expect("JSON is UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("every record is JSON")).collect()
}

/// The archive of what is decoded.
fn archive(bytes: &[u8]) -> Vec<u8> {
    let kept = Kept::default();
    let mut har = Box::new(Har::new(kept.clone()));
    play(bytes, &mut *har);
    har.end().expect("memory takes it");
    kept.take()
}

/// Messages by the target of their connection: sender, kind, content and time.
fn messages(records: &[Value], control: bool) -> Vec<(String, String, String, Value, u64)> {
    let target = |conn: &Value| {
        let of = |record: &&Value| record["type"] == "connection" && record["conn"] == *conn;
        let last = records.iter().rfind(of).expect("a connection");
        last["target"].as_str().unwrap_or_default().to_owned()
    };
    let mut all: Vec<_> = records
        .iter()
        .filter(|record| record["type"] == "message")
        .filter(|record| control || record["kind"] == "text" || record["kind"] == "binary")
        .map(|record| {
            let content = if record["text"].is_null() { &record["base64"] } else { &record["text"] };
            let word = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
            let nanoseconds = word("time").replace('.', "").parse().unwrap_or_default();
            (target(&record["conn"]), word("dir"), word("kind"), content.clone(), nanoseconds)
        })
        .collect();
    // Connections are numbered as they appear, which is not told where they were captured.
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Holds that both are the same, their times to the microsecond.
fn assert_same(before: &[Value], after: &[Value], name: &str) {
    let (before, after) = (messages(before, true), messages(after, true));
    assert_eq!(before.len(), after.len(), "{name}");
    for (was, is) in before.iter().zip(&after) {
        assert_eq!((&was.0, &was.1, &was.2, &was.3), (&is.0, &is.1, &is.2, &is.3), "{name}");
        assert!(was.4.abs_diff(is.4) <= 1000, "{name}: {} and {}", was.4, is.4);
    }
}

/// What the page says it sent and got.
fn told(truth: &Value) -> Vec<(String, String, Value)> {
    let pair = |entry: &Value| {
        let dir = if entry[0] == "send" { "client" } else { "server" };
        match entry[1].get("base64") {
            Some(base64) => (dir.to_owned(), "binary".to_owned(), base64.clone()),
            None => (dir.to_owned(), "text".to_owned(), entry[1].clone()),
        }
    };
    truth["echo"].as_array().expect("a list").iter().map(pair).collect()
}

#[test]
fn messages_are_those_that_the_page_sent_and_got() {
    for name in ["chromium", "mitmproxy", "playwright"] {
        let truth = serde_json::from_slice(&sample(&format!("har/{name}.truth.json"))).expect("JSON");
        let mut expected = told(&truth);
        assert_eq!(expected.len(), 14);
        if name == "playwright" {
            // It leaves out messages that are empty.
            expected.retain(|(.., content)| content != "");
            assert_eq!(expected.len(), 12);
        }
        let records = records(&sample(&format!("har/{name}.har")));
        let got: Vec<_> = messages(&records, false)
            .into_iter()
            .filter(|(target, ..)| target.starts_with("/echo"))
            .map(|(_, dir, kind, content, _)| (dir, kind, content))
            .collect();
        assert_eq!(got, expected, "{name}");
        let events: Vec<&str> = records
            .iter()
            .filter(|record| record["type"] == "message")
            .filter_map(|record| record["app"]["summary"].as_str())
            .collect();
        assert!(events.iter().any(|event| event.contains("EVENT \"add\"(1,2)")), "{name}: {events:?}");
        let session = records.iter().find(|record| record["type"] == "session").expect("a session");
        assert_eq!(session["upgraded"], true, "{name}: polls and WebSocket are one session: {session}");
    }
}

/// mitmproxy compresses what it writes into a file whose name ends with `.zhar`.
#[test]
fn an_archive_may_be_compressed_with_zlib() {
    let plain = sample("har/mitmproxy.har");
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&plain).expect("memory takes it");
    let packed = packed.finish().expect("memory takes it");
    assert!(packed.len() < plain.len() / 2);
    assert_same(&records(&plain), &records(&packed), "zlib");
}

/// Chromium tells of it as if it were of HTTP/1.1, answered with 200 and without a key.
#[test]
fn an_archive_may_be_in_utf16() {
    let plain = sample("har/chromium.har");
    let text = String::from_utf8(plain.clone()).unwrap();
    for mark in ["", "\u{FEFF}"] {
        let units: Vec<u16> = format!("{mark}{text}").encode_utf16().collect();
        for wide in [
            units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>(),
            units.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        ] {
            assert_eq!(messages(&records(&wide), false), messages(&records(&plain), false));
        }
    }
}

#[test]
fn half_of_a_character_ends_no_archive() {
    let text = String::from_utf8(sample("har/chromium.har")).unwrap();
    let broken = text.replacen("\"data\": \"Hello\"", "\"data\": \"\\ud800Hello\"", 1);
    assert_ne!(text, broken);
    let (before, after) = (records(text.as_bytes()), records(broken.as_bytes()));
    let texts = |all: &[Value]| -> Vec<String> {
        all.iter().filter(|it| it["type"] == "message").map(|it| it["text"].to_string()).collect()
    };
    let changed: Vec<_> = texts(&after).into_iter().filter(|text| !texts(&before).contains(text)).collect();
    assert_eq!(changed, ["\"\u{FFFD}Hello\""]);
    assert_eq!(texts(&before).len(), texts(&after).len());
}

#[test]
fn over_http2_a_browsers_200_opens_the_websocket() {
    let truth = serde_json::from_slice(&sample("har/chromium-http2.truth.json")).expect("JSON");
    let records = records(&sample("har/chromium-http2.har"));
    let got: Vec<_> =
        messages(&records, false).into_iter().map(|(_, dir, kind, it, _)| (dir, kind, it)).collect();
    assert_eq!(got, told(&truth));
    let heads = records.iter().filter(|it| it["type"] == "http");
    let lines: Vec<_> = heads.filter_map(|it| it["start_line"].as_str()).collect();
    assert_eq!(lines, ["CONNECT /echo?room=1 HTTP/2", "HTTP/2 200 "]);
    assert_eq!(records.last().expect("a summary")["findings_by_rule"], serde_json::json!({}));
}

#[test]
fn no_frame_is_told_of_that_nobody_saw() {
    for name in [
        "chromium",
        "chromium-http2",
        "failures",
        "mitmproxy",
        "playwright",
        "firefox",
        "safari",
        "provisional",
        "http2",
    ] {
        let records = records(&sample(&format!("har/{name}.har")));
        let summary = records.last().expect("a summary");
        assert_eq!((&records[0]["format"], &summary["frames"]), (&"har".into(), &0.into()), "{name}");
        assert!(
            records[0]["lacks"].as_array().is_some_and(|lacks| lacks.contains(&"frames".into())),
            "{name}"
        );
        for record in &records {
            assert_ne!(record["type"], "frame", "{name}");
            if record["type"] == "message" {
                assert_eq!((&record["frame_count"], &record["compressed"]), (&0.into(), &Value::Null));
            }
            if record["type"] == "finding" {
                assert_eq!(record["spans"], Value::Array(Vec::new()), "{name}: {record}");
            }
            if record["type"] == "connection" && record["final"] == true && record["handshake"] != "polling" {
                let failed = record["end"] == "failed";
                assert!(record["end"] == "untold" || failed && name != "safari", "{name}");
            }
        }
    }
}

#[test]
fn views_count_messages_and_no_frames() {
    let shown = |view: &str| {
        let kept = Kept::default();
        let view = views::named(view).expect("a view");
        let mut view = view.over(kept.clone(), Form::Text, &Options::default());
        play(&sample("har/safari.har"), &mut *view);
        view.end().expect("memory takes it");
        String::from_utf8(kept.take()).expect("UTF-8")
    };
    let stats = shown("stats");
    assert!(stats.contains("1 connection, 2 data messages, 13 B"), "{stats}");
    assert!(!stats.contains("Frames"), "{stats}");
    let table = shown("table");
    assert!(table.contains("   m1   1.250000  1.238000   1 c→s text              5 Hello\n"), "{table}");
    assert!(table.contains("s→c close             5 1000 Normal Closure bye\n"), "{table}");
    for view in ["tree", "bits", "hex"] {
        let text = shown(view);
        assert!(text.contains("message 1  client → server  text, 5 bytes"), "{view}: {text}");
        assert!(!text.contains("FIN") && !text.contains("Masking key"), "{view}: {text}");
    }
}

#[test]
fn what_a_program_leaves_out_is_nobodys_fault() {
    let ids = |name: &str| -> Vec<String> {
        let records = records(&sample(&format!("har/{name}.har")));
        let findings = records.iter().filter(|record| record["type"] == "finding");
        findings.map(|finding| finding["rule"].as_str().expect("an id").to_owned()).collect()
    };
    // No key, no Upgrade; over HTTP/2 neither is there at all.
    for name in ["firefox", "safari", "http2", "playwright"] {
        assert_eq!(ids(name), [""; 0], "{name}");
    }
    assert_eq!(ids("chromium"), ["handshake-rejected", "browser-reports-failure"]);
    assert_eq!(ids("mitmproxy"), ["handshake-rejected"]);
    assert_eq!(
        ids("provisional"),
        ["handshake-rejected", "browser-reports-failure", "browser-reports-failure"]
    );
    // What is listed is judged as on the wire.
    assert_eq!(ids("http-toolkit"), ["accept-mismatch"]);
}

/// What Chromium says of servers that let no WebSocket come about, each in a way of its own: it is said what
/// is behind it and what to try, once for each.
#[test]
fn what_is_behind_a_failure_is_said_in_the_head() {
    let bytes = sample("har/failures.har");
    let mut head = Head::default();
    play(&bytes, &mut head);
    let groups = head.groups();
    for (path, rule, behind) in [
        ("/status-403", "handshake-rejected", "the server understood and will not"),
        ("/status-200", "rejected-without-http-error", "an ordinary page"),
        ("/status-401", "browser-reports-failure", "the server wants to know who asks"),
        ("/status-502", "handshake-rejected", "a gateway got no proper answer"),
        ("/no-upgrade", "browser-reports-failure", "a proxy on the way has dropped"),
        ("/no-connection", "browser-reports-failure", "a proxy on the way has dropped"),
        ("/accept-wrong", "browser-reports-failure", "the server computes Sec-WebSocket-Accept wrongly"),
        ("/subprotocol-none", "browser-reports-failure", "the server took none of the subprotocols"),
        ("/subprotocol-other", "browser-reports-failure", "the server names a subprotocol"),
        ("/extension-unasked", "browser-reports-failure", "the server answers with an extension"),
        ("/no-http", "browser-reports-failure", "what listens there does not speak HTTP"),
        ("/closed", "browser-reports-failure", "the server, or a proxy before it, ended TCP"),
        ("/reset", "browser-reports-failure", "the server, or a proxy before it, ended TCP"),
        ("/reserved-bits", "browser-reports-failure", "the server compresses although"),
        ("/masked", "browser-reports-failure", "the server, or a proxy, writes what is no frame"),
        ("/not-utf8", "browser-reports-failure", "the server sends a text that is not UTF-8"),
        ("/opcode", "browser-reports-failure", "the server, or a proxy, writes what is no frame"),
    ] {
        let is_of = |group: &&Cow<'_, Group>| group.target.as_deref().is_some_and(|it| it.ends_with(path));
        let of: Vec<_> = groups.iter().filter(is_of).collect();
        assert_eq!(of.len(), 1, "{path}: {of:?}");
        let said = of[0].diagnosis.as_ref().map(|it| it.what.to_string()).unwrap_or_default();
        assert!(of[0].rule.id == rule && said.starts_with(behind), "{path}: {} {said}", of[0].rule.id);
    }
    let said = |path: &str| {
        let it = head.said.iter().find(|it| it.target.as_deref().is_some_and(|it| it.ends_with(path)));
        it.expect("a line").line.to_string()
    };
    assert_eq!(said("/status-502"), "refused with 502");
    assert_eq!(said("/reset"), "failed, as the browser says; no message");
}

/// The head is told, too, where an archive knows no addresses.
#[test]
fn an_archive_without_addresses_has_a_head() {
    for (name, words) in [
        ("har/safari.har", "nothing went wrong"),
        ("har/provisional.har", "connection 2 to chat.example.com/private got 403"),
    ] {
        let bytes = sample(name);
        let mut head = Head::default();
        play(&bytes, &mut head);
        assert!(!head.is_simple(), "{name}");
        let kept = Kept::default();
        let options = Options { width: 100, ..Options::default() };
        let mut view = views::named("messages").expect("a view").over(kept.clone(), Form::Text, &options);
        view.lead(head);
        play(&bytes, &mut *view);
        view.end().expect("memory takes it");
        let text = String::from_utf8(kept.take()).expect("UTF-8");
        assert!(text.contains(words), "{name}: {text}");
    }
}

#[test]
fn an_archive_of_an_archive_has_the_same() {
    for name in
        ["failures", "chromium", "mitmproxy", "playwright", "safari", "provisional", "http-toolkit", "http2"]
    {
        let first = sample(&format!("har/{name}.har"));
        let second = archive(&first);
        let (before, after) = (records(&first), records(&second));
        assert_same(&before, &after, name);
        let findings = |records: &[Value]| -> Vec<Value> {
            let all = records.iter().filter(|record| record["type"] == "finding");
            all.map(|finding| finding["rule"].clone()).collect()
        };
        assert_eq!(findings(&before), findings(&after), "{name}");
        let targets = |records: &[Value]| -> Vec<Value> {
            let all = records.iter().filter(|record| record["type"] == "connection");
            all.map(|it| Value::Array(vec![it["target"].clone(), it["host"].clone(), it["secure"].clone()]))
                .collect()
        };
        assert_eq!(targets(&before), targets(&after), "{name}");
    }
}

#[test]
fn an_archive_of_a_capture_has_its_messages() {
    let captures = [
        "chat.pcap",
        "chromium.pcap",
        "node-ws.pcapng",
        "python-websockets.pcap",
        "socketio/v4-upgrade.pcap.gz",
        "socketio/v4-raw.pcap.gz",
        "socketio/v2-polling.pcap.gz",
    ];
    for name in captures {
        let capture = sample(name);
        let (before, after) = (records(&capture), records(&archive(&capture)));
        assert_same(&before, &after, name);
        // What came by polling is there as well, in the same order.
        let packets = |records: &[Value]| -> Vec<Value> {
            let mut all: Vec<Value> = records
                .iter()
                .filter(|record| record["type"] == "packet")
                .map(|it| {
                    Value::Array(vec![it["time"].clone(), it["dir"].clone(), it["app"]["summary"].clone()])
                })
                .collect();
            all.sort_by_key(ToString::to_string);
            all
        };
        let (told, seen) = (packets(&after), packets(&before));
        assert_eq!(told.len(), seen.len(), "{name}");
    }
}

#[test]
fn a_large_archive_is_read_without_holding_it() {
    // Of a content that nobody wants nothing is held, whatever it is.
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("large.har");
    let text = "x".repeat(1 << 20);
    let entry = format!(
        r#"{{"request":{{"method":"GET","url":"http://a/"}},
        "response":{{"status":200,"content":{{"text":"{text}"}}}}}}"#
    );
    let whole = format!(r#"{{"log":{{"entries":[{}]}}}}"#, vec![entry; 16].join(","));
    fs::write(&path, whole).expect("there is room");
    let input = input::open(Box::new(fs::File::open(&path).expect("there")), "large").expect("it is known");
    let mut json = Json::lines(Vec::new(), 100);
    let outcome = pipeline::run(input, &mut json, &mut |_| {});
    assert_eq!((outcome.requests, outcome.summary.connections), (Some(16), 0));
}
