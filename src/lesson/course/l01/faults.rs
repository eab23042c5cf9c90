//! Handshakes with a fault each, and requests with one change each.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{block, request};
use crate::http::{Head, HeadReader, check_request, check_response};
use crate::lesson::course::draw::{host, pick};
use crate::lesson::{Answer, Instance};
use crate::model::SourceId;
use crate::synth::Rng;
use crate::synth::handshake::{Edits, Response};

/// The tool's rules that a request here may break, or a response.
const IN_REQUEST: [&str; 9] = [
    "method-not-get",
    "http-version-too-old",
    "missing-host",
    "missing-upgrade",
    "connection-lacks-upgrade",
    "missing-sec-websocket-key",
    "invalid-sec-websocket-key",
    "missing-sec-websocket-version",
    "unsupported-version",
];
const IN_RESPONSE: [&str; 3] =
    ["response-upgrade-invalid", "response-connection-invalid", "missing-sec-websocket-accept"];
const NO_FAULT: &str = "no-fault";

/// Six handshakes, and six things that may be said of one.
pub(super) fn mark_the_faults(rng: &mut Rng) -> Instance {
    let mut faults = drawn(rng, &IN_REQUEST, 3);
    faults.extend(drawn(rng, &IN_RESPONSE, 2));
    faults.push(NO_FAULT);
    rng.shuffle(&mut faults);
    let handshakes: Vec<_> = faults.iter().map(|fault| handshake(rng, fault)).collect();
    let right: Vec<_> = handshakes.iter().map(|text| verdict(text)).collect();

    let mut letters = right.clone();
    rng.shuffle(&mut letters);
    let instance = Instance::new(Answer::order(right.iter().copied()));
    let mut instance = (1..)
        .zip(&handshakes)
        .fold(instance, |instance, (n, text)| instance.hole(&format!("handshake-{n}"), lines(text)))
        .hole("faults", right.join(", "))
        .choices(letters.iter().copied())
        .in_this_order()
        .file("handshakes.http", handshakes.concat())
        .command(["replay", "{file:handshakes.http}"]);
    for (a, b) in (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b))) {
        let mut order = right.clone();
        order.swap(a, b);
        let answer = Answer::order(order.iter().copied());
        let (place_a, place_b) = ((a + 1).to_string(), (b + 1).to_string());
        instance = if let Some(passed) = [a, b].into_iter().find(|place| order[*place] == NO_FAULT) {
            instance.mistake_with("legal-refused", answer, &[("n", &(passed + 1).to_string())])
        } else {
            let refused = |place: usize| IN_REQUEST.contains(&right[place]);
            let id = if refused(a) == refused(b) { "two-exchanged" } else { "request-for-response" };
            instance.mistake_with(id, answer, &[("a", &place_a), ("b", &place_b)])
        };
    }
    // For each letter the place of its handshake, written with letters again.
    let places = letters.iter().filter_map(|letter| right.iter().position(|fault| fault == letter));
    let inverse = Answer::order(places.map(|place| letters[place]));
    let taken = instance.right == inverse || instance.mistakes.iter().any(|slip| slip.answer == inverse);
    if taken { instance } else { instance.mistake("sorted-by-letter", inverse) }
}

/// So many of a list.
fn drawn(rng: &mut Rng, list: &[&'static str], count: usize) -> Vec<&'static str> {
    let mut list = list.to_vec();
    rng.shuffle(&mut list);
    list.truncate(count);
    list
}

fn lines(text: &str) -> String {
    let (request, response) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    format!("{}\n\n{}", block(request.lines()), block(response.lines()))
}

/// A handshake with this fault and no other: both heads, one behind the other.
fn handshake(rng: &mut Rng, fault: &str) -> String {
    let mut request = request(rng);
    let path = request.path.clone().unwrap_or_default();
    let edits = &mut request.edits;
    match fault {
        "method-not-get" => edits.line = Some(format!("POST {path} HTTP/1.1")),
        "http-version-too-old" => edits.line = Some(format!("GET {path} HTTP/1.0")),
        "missing-host" => edits.drop.push("Host".to_owned()),
        "missing-upgrade" => edits.drop.push("Upgrade".to_owned()),
        "connection-lacks-upgrade" => instead(edits, "Connection", "keep-alive"),
        "missing-sec-websocket-key" => edits.drop.push("Sec-WebSocket-Key".to_owned()),
        "invalid-sec-websocket-key" => request.key = Some(short_key(rng)),
        "missing-sec-websocket-version" => edits.drop.push("Sec-WebSocket-Version".to_owned()),
        "unsupported-version" => instead(edits, "Sec-WebSocket-Version", pick(rng, &["6", "7", "8"])),
        _ => {}
    }
    let mut response = Response::default();
    let edits = &mut response.edits;
    match fault {
        "response-upgrade-invalid" => edits.drop.push("Upgrade".to_owned()),
        "response-connection-invalid" => instead(edits, "Connection", "close"),
        "missing-sec-websocket-accept" => edits.drop.push("Sec-WebSocket-Accept".to_owned()),
        _ => {}
    }
    let asked = text(&request.bytes(""));
    let answered = text(&response.bytes(&request, ""));
    match fault {
        NO_FAULT => unusual(rng, &asked) + &answered,
        "missing-sec-websocket-version" | "unsupported-version" => {
            // A 426 names the protocol that is wanted (RFC 9110 §7.8).
            asked
                + "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n"
        }
        _ if IN_REQUEST.contains(&fault) => asked + "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        _ => asked + &answered,
    }
}

/// Right, but not as everybody writes it.
fn unusual(rng: &mut Rng, request: &str) -> String {
    let request = request.replace("Connection: Upgrade", "Connection: keep-alive, Upgrade");
    if rng.one_in(2) { lower_case_names(&request) } else { request.replace("websocket", "WebSocket") }
}

fn lower_case_names(head: &str) -> String {
    let lower = |line: &str| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}\r\n", name.to_ascii_lowercase()),
        None => format!("{line}\r\n"),
    };
    head.lines().map(lower).collect()
}

fn instead(edits: &mut Edits, name: &str, value: &str) {
    edits.drop.push(name.to_owned());
    edits.add.push(format!("{name}: {value}"));
}

/// Base64, but of 8 bytes.
fn short_key(rng: &mut Rng) -> String {
    STANDARD.encode(rng.next_u64().to_be_bytes())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the tool says of a handshake first.
fn verdict(handshake: &str) -> &'static str {
    let mut reader = HeadReader::new();
    let length = reader.push(handshake.as_bytes()).consumed;
    let request = check_request(&reader.parse(SourceId::Input, 0), false);
    let response = Head::parse(&handshake.as_bytes()[length..], SourceId::Input, 0);
    let response = check_response(Some(&request.facts), &response, Vec::new, false);
    request.findings.iter().chain(&response.findings).next().map_or(NO_FAULT, |finding| finding.rule.id)
}

/// One request and six changes.
pub(super) fn which_are_refused(rng: &mut Rng) -> Instance {
    const BROKEN: [&str; 9] = [
        "post",
        "http-1-0",
        "no-host",
        "upgrade-h2c",
        "keep-alive-only",
        "short-key",
        "no-key",
        "version-8",
        "no-version",
    ];
    let case = pick(rng, &["lower-case-names", "websocket-capitals"]);
    let free = pick(rng, &["cookie-too", "other-order", "no-origin"]);
    let fine = [case, "keep-alive-too", free];
    let changes: Vec<_> = drawn(rng, &BROKEN, 3).into_iter().chain(fine).collect();
    let page = host(rng);
    let mut request = request(rng);
    request.edits.add.push(format!("Origin: https://{page}"));
    let short = short_key(rng);
    let original = text(&request.bytes(""));

    let refused: BTreeSet<_> =
        changes.iter().copied().filter(|change| is_refused(&changed(&original, change, &short))).collect();
    let with = |more: &'static str| Answer::choices(refused.iter().copied().chain([more]));
    let mut instance = Instance::new(Answer::choices(refused.iter().copied()))
        .hole("request", block(original.lines()))
        .hole("short-key", &short)
        .mistake("case-matters", with(case))
        .mistake("connection-is-a-list", with("keep-alive-too"))
        .mistake("free-refused", with(free))
        .mistake("opposite", Answer::choices(fine))
        .choices(changes.iter().copied())
        .file("request.http", original)
        .command(["replay", "{file:request.http}"]);
    for passed in &refused {
        let others = refused.iter().copied().filter(|change| change != passed);
        instance = instance.mistake("one-passed", Answer::choices(others));
    }
    instance
}

/// The request with one change made.
fn changed(request: &str, change: &str, short_key: &str) -> String {
    let drop = |name: &str| -> String {
        let lines = request.lines().filter(|line| !line.starts_with(name));
        lines.flat_map(|line| [line, "\r\n"]).collect()
    };
    let with = |line: &str| request.replacen("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"), 1);
    match change {
        "lower-case-names" => lower_case_names(request),
        "websocket-capitals" => request.replace("Upgrade: websocket", "Upgrade: WebSocket"),
        "keep-alive-too" => request.replace("Connection: Upgrade", "Connection: keep-alive, Upgrade"),
        "cookie-too" => with("Cookie: id=7\r\nX-Course: 1"),
        "other-order" => {
            let (first, fields) = request.split_once("\r\n").unwrap_or((request, ""));
            let fields: Vec<_> = fields.lines().filter(|line| !line.is_empty()).rev().collect();
            format!("{first}\r\n{}\r\n\r\n", fields.join("\r\n"))
        }
        "no-origin" => drop("Origin"),
        "post" => request.replacen("GET", "POST", 1),
        "http-1-0" => request.replacen("HTTP/1.1", "HTTP/1.0", 1),
        "no-host" => drop("Host"),
        "upgrade-h2c" => request.replace("Upgrade: websocket", "Upgrade: h2c"),
        "keep-alive-only" => request.replace("Connection: Upgrade", "Connection: keep-alive"),
        "short-key" => drop("Sec-WebSocket-Key").replacen(
            "\r\n\r\n",
            &format!("\r\nSec-WebSocket-Key: {short_key}\r\n\r\n"),
            1,
        ),
        "no-key" => drop("Sec-WebSocket-Key"),
        "version-8" => request.replace("Version: 13", "Version: 8"),
        "no-version" => drop("Sec-WebSocket-Version"),
        _ => request.to_owned(),
    }
}

/// Whether the tool's reading of RFC 6455 §4.2.1 has a server answer with an error.
fn is_refused(request: &str) -> bool {
    !check_request(&Head::parse(request.as_bytes(), SourceId::Input, 0), false).facts.broken.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::handshake::{Request, key};

    #[test]
    fn each_fault_is_the_only_one() {
        for seed in 0..20 {
            let mut rng = Rng::new(seed);
            for fault in IN_REQUEST.into_iter().chain(IN_RESPONSE).chain([NO_FAULT]) {
                let handshake = handshake(&mut rng, fault);
                assert_eq!(verdict(&handshake), fault, "{handshake}");
            }
        }
    }

    #[test]
    fn what_must_be_refused_and_what_not() {
        let base = text(&Request::default().bytes(&key([7; 16])));
        for (change, expected) in [
            ("none", false),
            ("lower-case-names", false),
            ("websocket-capitals", false),
            ("keep-alive-too", false),
            ("cookie-too", false),
            ("other-order", false),
            ("no-origin", false),
            ("post", true),
            ("http-1-0", true),
            ("no-host", true),
            ("upgrade-h2c", true),
            ("keep-alive-only", true),
            ("short-key", true),
            ("no-key", true),
            ("version-8", true),
            ("no-version", true),
        ] {
            let request = changed(&base, change, "c2hvcnQ=");
            assert_eq!(is_refused(&request), expected, "{request}");
            assert_eq!(request == base, matches!(change, "none" | "no-origin"), "{request}");
        }
    }
}
