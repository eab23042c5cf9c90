use super::*;
use crate::render::views::Kept;

const EMPTY: Message<'static> = Message {
    m: 1,
    kind: Opcode::TEXT,
    frames: &[],
    frame_count: 1,
    length: 0,
    compressed: false,
    inflated_length: None,
    from_earlier: None,
    complete: true,
    in_doubt: false,
    payload: &[],
    holes: &[],
    text: None,
    payload_cut: false,
    utf8: crate::model::Utf8::Unchecked,
    close: None,
    app: None,
};

/// What is written of these units.
fn archive(units: &[Unit<'_>]) -> Value {
    let kept = Kept::default();
    let mut har = Box::new(Har::new(kept.clone()));
    for unit in units {
        assert!(har.take(unit).is_continue());
    }
    (har as Box<dyn View>).end().unwrap();
    serde_json::from_slice(&kept.take()).unwrap()
}

fn head<'a>(line: &'a str, headers: &'a [crate::model::Header<'a>]) -> HttpHead<'a> {
    HttpHead { headers, ..crate::model::sample::head(line) }
}

fn header<'a>(name: &'a str, value: &'a str) -> crate::model::Header<'a> {
    let at = crate::model::Span::bytes(crate::model::SourceId::Input, 0, 0);
    crate::model::Header {
        name: name.into(),
        value: value.into(),
        verdict: crate::model::Verdict::Ok,
        meaning: crate::model::Text::default(),
        name_at: at,
        value_at: at,
    }
}

#[test]
fn nothing_is_an_archive_too() {
    let archive = archive(&[]);
    assert_eq!(archive["log"]["version"], "1.2");
    assert_eq!(archive["log"]["entries"], json!([]));
}

#[test]
fn what_asked_for_a_web_socket_is_one_that_was_refused() {
    for (line, fields, answer) in [
        ("GET /chat HTTP/1.1", [header("Host", "a"), header("Upgrade", "WebSocket")], "HTTP/1.1 403 No"),
        ("CONNECT /chat HTTP/2", [header(":authority", "a"), header(":protocol", "websocket")], "HTTP/2 403"),
    ] {
        let (request, response) = (head(line, &fields), head(answer, &[]));
        let archive = archive(&[
            Unit { dir: Some(Dir::Client), ..Unit::of(1, Body::Http(&request)) },
            Unit { dir: Some(Dir::Server), ..Unit::of(1, Body::Http(&response)) },
        ]);
        let entry = &archive["log"]["entries"][0];
        assert_eq!(
            (&entry["request"]["url"], &entry["response"]["status"]),
            (&"ws://a/chat".into(), &403.into())
        );
        assert_eq!(
            (&entry["_resourceType"], &entry["_webSocketMessages"]),
            (&"websocket".into(), &json!([]))
        );
    }
}

#[test]
fn a_web_socket_is_an_entry_with_its_messages() {
    let (host, upgrade) = ([header("Host", "a:9000")], [header("Upgrade", "websocket")]);
    let request = head("GET /chat?x=1 HTTP/1.1", &host);
    let response = head("HTTP/1.1 101 Switching Protocols", &upgrade);
    let text = Message { kind: Opcode::TEXT, payload: "é".as_bytes(), ..EMPTY };
    let binary = Message { kind: Opcode::BINARY, payload: b"\xff\0", ..EMPTY };
    let at = |seconds: u64, dir, body| Unit {
        dir: Some(dir),
        time: Some(Time(seconds * 500_000_000)),
        ..Unit::of(1, body)
    };
    let archive = archive(&[
        at(2, Dir::Client, Body::Http(&request)),
        at(3, Dir::Server, Body::Http(&response)),
        at(4, Dir::Client, Body::Message(&text)),
        at(5, Dir::Server, Body::Message(&binary)),
    ]);
    let entry = &archive["log"]["entries"][0];
    assert_eq!(entry["request"]["url"], "ws://a:9000/chat?x=1");
    assert_eq!(entry["request"]["queryString"], json!([{ "name": "x", "value": "1" }]));
    assert_eq!((&entry["response"]["status"], &entry["time"]), (&json!(101), &json!(500.0)));
    assert_eq!(entry["startedDateTime"], "1970-01-01T00:00:01.000000Z");
    assert_eq!(
        entry["_webSocketMessages"],
        json!([
            { "type": "send", "time": 2.0, "opcode": 1, "data": "é" },
            { "type": "receive", "time": 2.5, "opcode": 2, "data": "/wA=" },
        ])
    );
}

#[test]
fn a_content_is_written_without_its_codings() {
    use std::io::Write as _;
    let page = "<h1>Down</h1>".repeat(20);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(page.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let said = |coding, body, body_whole| {
        let fields = [header("Content-Encoding", coding)];
        let extent = crate::model::HttpExtent { content: gzip.len() as u64, ..Default::default() };
        let answer = HttpHead { body, body_whole, extent, ..head("HTTP/1.1 503 Busy", &fields) };
        let archive = archive(&[
            Unit { dir: Some(Dir::Client), ..Unit::of(1, Body::Http(&head("GET / HTTP/1.1", &[]))) },
            Unit { dir: Some(Dir::Server), ..Unit::of(1, Body::Http(&answer)) },
        ]);
        let content = &archive["log"]["entries"][0]["response"]["content"];
        ["text", "encoding", "size", "compression"].map(|name| content[name].clone())
    };
    let (size, saved) = (page.len(), page.len() - gzip.len());
    assert_eq!(said("gzip", &gzip, true), [json!(page), Value::Null, json!(size), json!(saved)]);
    // Of what is cut there is the beginning, and of what cannot be read the bytes.
    let [text, _, size, saved] = said("gzip", &gzip[..30], false);
    assert!(page.starts_with(text.as_str().unwrap()) && text != "", "{text}");
    assert_eq!((size, saved), (json!(gzip.len()), Value::Null));
    let base64 = STANDARD.encode(&gzip);
    assert_eq!(said("dcb", &gzip, true), [json!(base64), json!("base64"), json!(gzip.len()), Value::Null]);
}
