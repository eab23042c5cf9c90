//! Reports as the Autobahn testsuite writes them: `index.json`, and a file a case. What it has no number for
//! is not in them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::said::{self, hex};
use crate::lang::Lang;
use crate::model::grade::{Closing, Event, EventKind, Graded, Transcript};
use crate::model::{CloseCode, Dir, Time};

/// Bytes that are quoted of what went over the wire, and of a payload.
const QUOTED: usize = 60;

/// The files of a report, by name.
pub fn files(all: &[&Transcript]) -> Vec<(String, String)> {
    let mut index = Map::new();
    let mut files = Vec::new();
    for transcript in all {
        let mut cases = Map::new();
        for (place, one) in transcript.graded.iter().enumerate() {
            let Some(number) = &one.case.autobahn else { continue };
            let name = file_name(&transcript.who.agent, number);
            cases.insert(
                number.clone(),
                json!({
                    "behavior": one.behaviour.name(),
                    "behaviorClose": one.closing.name(),
                    "remoteCloseCode": one.code.map(|CloseCode(code)| code),
                    "duration": milliseconds(one),
                    "reportfile": name,
                }),
            );
            files.push((name, written(&case(place + 1, number, one, transcript))));
        }
        index.insert(transcript.who.agent.clone(), cases.into());
    }
    files.push(("index.json".to_owned(), written(&index.into())));
    files
}

fn written(value: &Value) -> String {
    // Values always make JSON.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// `wstool_case_1_1_1.json`: of an agent's name what is neither a letter nor a digit becomes a line.
fn file_name(agent: &str, number: &str) -> String {
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { ' ' };
    let agent: String = agent.trim().to_lowercase().chars().map(plain).collect();
    format!("{}_case_{}.json", agent.trim().replace(' ', "_"), number.replace('.', "_"))
}

fn milliseconds(one: &Graded) -> u64 {
    u64::try_from((one.took.as_micros() + 500) / 1000).unwrap_or(u64::MAX)
}

fn case(place: usize, number: &str, one: &Graded, transcript: &Transcript) -> Value {
    let role = transcript.who.role;
    let closer = one.ended.and_then(|ended| ended.closer);
    let is_clean = one.ended.is_some_and(|ended| ended.clean);
    let heads = [Dir::Client, Dir::Server].map(|dir| head(one, dir));
    let result = if one.why.is_empty() { said::got(one, Lang::En) } else { one.why.to_string() };
    let bytes = |dir: Dir| {
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        for piece in one.wire.iter().filter(|piece| piece.from == dir) {
            *counted.entry(piece.bytes.len().to_string()).or_default() += 1;
        }
        counted
    };
    let closed = match one.closing {
        Closing::Ok => "Connection was properly closed".to_owned(),
        closing => format!("{}: {}", closing.name(), one.why),
    };
    let mut members = Map::new();
    let mut put = |part: Value| {
        if let Value::Object(part) = part {
            members.extend(part);
        }
    };
    put(json!({
        "case": place,
        "id": number,
        "description": one.case.title.en,
        "expectation": one.expected.join("; "),
        "agent": transcript.who.agent,
        "started": transcript.began.map(Time::utc),
        "duration": milliseconds(one),
        "reportTime": false,
        "reportCompressionRatio": false,
        "isServer": role == Dir::Client,
        "trafficStats": null,
        "wstool": { "id": one.case.id, "rule": one.broken.map(|rule| rule.id) },
    }));
    put(json!({
        "behavior": one.behaviour.name(),
        "behaviorClose": one.closing.name(),
        "expected": { "OK": one.expected },
        "expectedClose": {},
        "received": one.got.iter().filter_map(received).collect::<Vec<_>>(),
        "result": result,
        "resultClose": closed,
        "httpRequest": heads[0],
        "httpResponse": heads[1],
    }));
    put(json!({
        "closedByMe": closer == Some(role.peer()),
        "failedByMe": one.broken.is_some(),
        "droppedByMe": one.ended.is_some_and(|ended| ended.stream.is_none()),
        "wasClean": is_clean,
        "wasNotCleanReason": (!is_clean).then(|| one.why.to_string()),
        "wasServerConnectionDropTimeout": one.closing == Closing::FailedByClient,
        "wasOpenHandshakeTimeout": false,
        "wasCloseHandshakeTimeout": false,
        "localCloseCode": null,
        "localCloseReason": null,
        "remoteCloseCode": one.code.map(|CloseCode(code)| code),
        "remoteCloseReason": one.got.iter().find_map(reason),
    }));
    put(json!({
        "createWirelog": true,
        "wirelog": wirelog(one, role),
        "createStats": true,
        "rxOctetStats": bytes(role),
        "rxFrameStats": {},
        "txOctetStats": bytes(role.peer()),
        "txFrameStats": {},
    }));
    members.into()
}

/// The reason of a Close frame.
fn reason(event: &Event) -> Option<String> {
    let is_close = matches!(event.what, EventKind::Close(_)) && event.length > 0;
    is_close.then(|| String::from_utf8_lossy(&event.payload).into_owned())
}

fn received(event: &Event) -> Option<Value> {
    let payload = quoted(&event.payload, event.length);
    match event.what {
        EventKind::Text => Some(json!(["message", payload, false])),
        EventKind::Binary => Some(json!(["message", payload, true])),
        EventKind::Ping => Some(json!(["ping", payload])),
        EventKind::Pong => Some(json!(["pong", payload])),
        EventKind::Still(_) => Some(json!(["timeout", payload])),
        _ => None,
    }
}

/// Bytes as text where they are some, and else in hex; what is left out is three points.
fn quoted(bytes: &[u8], length: u64) -> String {
    let is_cut = length > QUOTED as u64;
    let shown = &bytes[..bytes.len().min(QUOTED)];
    let rest = if is_cut { " ..." } else { "" };
    match std::str::from_utf8(if is_cut { crate::render::escape::whole_characters(shown) } else { shown }) {
        Ok(text) => format!("{text}{rest}"),
        Err(_) => format!("0x{}{rest}", hex(shown)),
    }
}

/// What was sent and got, in the pieces in which it came.
fn wirelog(one: &Graded, role: Dir) -> Vec<Value> {
    let piece = |piece: &crate::model::grade::WirePiece| {
        let length = piece.bytes.len();
        let rest = if length > QUOTED { " ..." } else { "" };
        let bytes = format!("{}{rest}", hex(&piece.bytes[..length.min(QUOTED)]));
        if piece.from == role {
            json!(["RO", [length, bytes]])
        } else {
            json!(["TO", [length, bytes], false])
        }
    };
    one.wire.iter().map(piece).collect()
}

/// The head of one side's part of the opening handshake.
fn head(one: &Graded, dir: Dir) -> String {
    let bytes = one.sent_by(dir);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    end.map_or_else(|| "?".to_owned(), |at| String::from_utf8_lossy(&bytes[..at + 4]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_as_autobahn_calls_them() {
        assert_eq!(file_name("ws 8.23", "1.1.1"), "ws_8_23_case_1_1_1.json");
        assert_eq!(file_name("AutobahnPython/0.6", "12.1.1"), "autobahnpython_0_6_case_12_1_1.json");
    }

    #[test]
    fn payloads_are_quoted_in_either_way() {
        assert_eq!(quoted(b"Hello", 5), "Hello");
        assert_eq!(quoted(b"\x03\xe8", 2), "0x03e8");
        assert_eq!(quoted(&[b'*'; 64], 125), format!("{} ...", "*".repeat(60)));
    }
}
