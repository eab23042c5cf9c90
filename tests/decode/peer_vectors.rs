//! What other implementations say of the same bytes: 1,667 inputs of their own
//! tests with their verdicts, held against ours.
//!
//! `tests/peers/vectors.md` says where they come from. Where a peer and we differ,
//! `tests/peers/adjudicated.json` says who is right and why; a difference that is
//! not listed there fails, and so does a listed one that is none any longer.
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use wstool::http::accept_value;

use crate::run::{Said, decode, digits, hex, packets, pcap};

/// The key that RFC 6455 uses as its example, and its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

fn vectors() -> Vec<Value> {
    let packed = std::fs::read(file("vectors.ndjson.gz")).expect("the vectors are there");
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).expect("gzip of UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Who is right where we differ, by the vector's id.
fn adjudicated() -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(file("adjudicated.json")).expect("it is there");
    serde_json::from_str(&text).expect("an object")
}

#[test]
fn peers_and_we_differ_only_where_it_is_known_who_is_right() {
    let (vectors, known) = (vectors(), adjudicated());
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut wrong, mut differ) = (String::new(), BTreeSet::new());
    for vector in &vectors {
        let id = text(vector, "id");
        *kinds.entry(text(vector, "kind")).or_default() += 1;
        let Err(difference) = judge(vector) else { continue };
        differ.insert(id);
        if !known.contains_key(id) {
            let _ = writeln!(wrong, "{id}: {difference}");
        }
    }
    for id in known.keys().filter(|id| !differ.contains(id.as_str())) {
        let _ = writeln!(wrong, "{id}: listed in adjudicated.json, and there is no difference");
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{wrong}", differ.len(), vectors.len());
    let expected = [
        ("accept", 1),
        ("answer", 50),
        ("ext", 138),
        ("hdr", 22),
        ("hdr2", 3),
        ("request", 96),
        ("response", 63),
        ("stream", 1065),
        ("sub", 48),
        ("tcp", 181),
    ];
    assert_eq!(kinds, BTreeMap::from(expected), "the vectors are all there");
}

/// Each adjudication names its reason, and in none is the peer right.
#[test]
fn adjudications_give_a_reason() {
    for (id, entry) in adjudicated() {
        assert!(["tool", "both"].contains(&text(&entry, "right")), "{id}");
        assert!(text(&entry, "why").len() > 20, "{id}");
    }
}

/// Whether we say of a vector what the peer says; if not, what we say.
fn judge(vector: &Value) -> Result<(), String> {
    match text(vector, "kind") {
        "stream" => stream(vector),
        "tcp" => tcp(vector),
        "request" => request(&hex(text(vector, "req")), vector),
        "response" => response(vector),
        "answer" => answer(vector),
        "ext" => {
            let rules = ["pmd-unknown-param", "pmd-invalid-param-value", "pmd-duplicate-param"];
            offer(
                vector,
                "Sec-WebSocket-Extensions",
                &[&["malformed-extensions-header"][..], &rules].concat(),
            )
        }
        "sub" => offer(
            vector,
            "Sec-WebSocket-Protocol",
            &["invalid-subprotocol-token", "duplicate-subprotocol-offer"],
        ),
        "hdr" => {
            let header = (text(vector, "name").to_owned(), Some(text(vector, "value").to_owned()));
            request(&request_with(&[header]), vector)
        }
        "hdr2" => {
            let part = |header: &Value, at: usize| header[at].as_str().expect("text").to_owned();
            let list = vector["headers"].as_array().expect("a list");
            let mut headers: Vec<_> = list.iter().map(|h| (part(h, 0), Some(part(h, 1)))).collect();
            for name in ["Upgrade", "Connection"] {
                if !headers.iter().any(|(known, _)| known == name) {
                    headers.push((name.to_owned(), None));
                }
            }
            request(&request_with(&headers), vector)
        }
        "accept" => {
            let ours = accept_value(text(vector, "key").as_bytes());
            if ours == text(vector, "accept") { Ok(()) } else { Err(ours) }
        }
        kind => panic!("no such kind: {kind}"),
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}"))
}

/// Compares the verdicts: `bad` lists the rules that we say are broken.
fn same(vector: &Value, bad: &[String]) -> Result<(), String> {
    match text(vector, "verdict") {
        "fail" if bad.is_empty() => Err("the peer fails it, we find no error".into()),
        "ok" | "trunc" | "limit" if !bad.is_empty() => Err(format!("the peer takes it, we say {bad:?}")),
        // The peer itself says that it need not be so.
        _ => Ok(()),
    }
}

/// The errors that are `who`'s.
fn errors(said: &Said, who: &str) -> Vec<String> {
    let errors = said.of("finding").filter(|f| f["severity"] == "error" && f["who"] == who);
    errors.map(|f| text(f, "rule").to_owned()).collect()
}

fn bytes(from: &str, bytes: &[u8]) -> String {
    format!("{from} raw \"{}\"\n", digits(bytes, "\\x", ""))
}

/// A conversation in a capture.
fn play(script: &str) -> Said {
    decode(&pcap(&packets(script)))
}

/// The frames of one direction behind a handshake.
fn stream(vector: &Value) -> Result<(), String> {
    let dir = text(vector, "dir");
    let header = |value: &Value| {
        value.as_str().map(|v| format!(" header=\"Sec-WebSocket-Extensions: {v}\"")).unwrap_or_default()
    };
    let mut script = format!("request{}\nresponse{}\n", header(&vector["offer"]), header(&vector["ext"]));
    for chunk in vector["chunks"].as_array().expect("a list") {
        let chunk = hex(chunk.as_str().expect("hex"));
        if !chunk.is_empty() {
            script.push_str(&bytes(dir, &chunk));
        }
    }
    script.push_str("leave-open\n");
    let said = play(&script);
    let mut bad = errors(&said, dir);
    // What the end cuts off is no error of whoever was cut off; behind a Close peers read no further.
    let unseen = [
        "truncated-frame",
        "incomplete-message",
        "data-after-close",
        "duplicate-close",
        "control-after-close",
    ];
    bad.retain(|id| !unseen.contains(&id.as_str()));
    same(vector, &bad)?;
    if let ("ok", Some(expected)) = (text(vector, "verdict"), vector["msgs"].as_array()) {
        // Not every peer hands on the control frames that it takes.
        let lists = |kind: &Value| expected.iter().any(|message| message[0] == *kind);
        let is_data = |kind: &Value| kind == "text" || kind == "binary";
        let got: Vec<&Value> = said.of("message").filter(|m| m["complete"] == true).collect();
        let end = got.iter().position(|m| m["kind"] == "close").map_or(got.len(), |close| close + 1);
        let got =
            got[..end].iter().filter(|m| is_data(&m["kind"]) || lists(&m["kind"])).map(|m| delivered(m));
        if !got.eq(expected.iter().cloned()) {
            return Err("other messages are delivered".into());
        }
    }
    Ok(())
}

/// A message as the vectors list it.
fn delivered(message: &Value) -> Value {
    let kind = text(message, "kind");
    if kind == "close" {
        let code = message["code"].as_u64().unwrap_or(1005);
        return json!([
            kind,
            code,
            digits(message["reason"].as_str().unwrap_or_default().as_bytes(), "", "")
        ]);
    }
    let payload = match (message["text"].as_str(), message["base64"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, base64) => STANDARD.decode(base64.unwrap_or_default()).expect("Base64"),
    };
    json!([kind, digits(&payload, "", "")])
}

/// Both directions of a connection, from its first byte. The client is the peer.
fn tcp(vector: &Value) -> Result<(), String> {
    let mut script = String::from("no-handshake\n");
    for event in vector["ev"].as_array().expect("a list") {
        let (who, what) = (event[0].as_str().expect("who"), hex(event[1].as_str().expect("hex")));
        match who {
            "client-fin" => script.push_str("fin client\n"),
            _ if what.is_empty() => {}
            who => script.push_str(&bytes(who, &what)),
        }
    }
    let said = play(&script);
    // Other refusals are not about the request's form.
    let refused = [400, 405, 426].iter().any(|status| vector["status"] == *status);
    let Some(connection) = said.of("connection").last() else {
        // A refused request for no WebSocket is none of ours.
        return if refused { Ok(()) } else { Err("no connection".into()) };
    };
    if vector["status"].is_u64() && connection["status"] != vector["status"] {
        return Err(format!("status {}", connection["status"]));
    }
    same(vector, &errors(&said, "server"))?;
    match errors(&said, "client") {
        bad if !bad.is_empty() && !refused => Err(format!("the peer's server takes it, we say {bad:?}")),
        _ => Ok(()),
    }
}

/// A request; the peer is the server.
fn request(head: &[u8], vector: &Value) -> Result<(), String> {
    if vector["policy"] == true {
        return Ok(());
    }
    let said = play(&format!("no-handshake\n{}leave-open\n", bytes("client", head)));
    if said.of("connection").next().is_none() {
        // What asks for no WebSocket gets none.
        return same(vector, &["no-websocket".to_owned()]);
    }
    same(vector, &errors(&said, "client"))
}

/// A request with these header fields instead of its own of the same names; `None` leaves one out.
fn request_with(headers: &[(String, Option<String>)]) -> Vec<u8> {
    let own = [
        ("Host", "server.example.com"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", KEY),
        ("Sec-WebSocket-Version", "13"),
    ];
    let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let own = own.filter(|(name, _)| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    let given = headers.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
    let all = own.chain(given);
    let mut head = "GET /chat HTTP/1.1\r\n".to_owned();
    for (name, value) in all {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A header field of the request; these rules or the grammar of HTTP are broken, or none.
fn offer(vector: &Value, name: &str, rules: &[&str]) -> Result<(), String> {
    let head = request_with(&[(name.to_owned(), Some(text(vector, "value").to_owned()))]);
    let said = play(&format!("no-handshake\n{}leave-open\n", bytes("client", &head)));
    let mut bad = errors(&said, "client");
    bad.retain(|id| rules.contains(&id.as_str()) || id == "malformed-request");
    same(vector, &bad)
}

/// A response; the peer is the client.
fn response(vector: &Value) -> Result<(), String> {
    exchange(vector, &hex(text(vector, "req")), &hex(text(vector, "resp")))
}

/// The answer to an offer of extensions; the peer is the client.
fn answer(vector: &Value) -> Result<(), String> {
    let header = |key| ("Sec-WebSocket-Extensions".to_owned(), Some(text(vector, key).to_owned()));
    let offer = vector["offer"].as_str().map(|_| header("offer"));
    let head = request_with(offer.as_slice());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Extensions: {}\r\n\r\n",
        accept_value(KEY.as_bytes()),
        text(vector, "value"),
    );
    exchange(vector, &head, answer.as_bytes())
}

fn exchange(vector: &Value, request: &[u8], response: &[u8]) -> Result<(), String> {
    let script =
        format!("no-handshake\n{}{}fin server\n", bytes("client", request), bytes("server", response));
    let said = play(&script);
    let mut bad = errors(&said, "server");
    let status = said.of("connection").last().map(|c| c["status"].clone());
    if bad.is_empty() && status.is_none_or(|status| status != 101) {
        bad.push("no 101".to_owned());
    }
    same(vector, &bad)
}
