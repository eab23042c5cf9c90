use super::*;
use crate::http::{Head, RULES};
use crate::model::{Severity, SourceId, Verdict};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n\
Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n";

fn request(text: &str) -> RequestReport {
    check_request(&Head::parse(text.as_bytes(), SourceId::Input, 0), true)
}

fn response(request: Option<&RequestFacts>, text: &str) -> ResponseReport {
    check_response(request, &Head::parse(text.as_bytes(), SourceId::Input, 0), Vec::new, true)
}

fn ids(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.rule.id).collect()
}

fn with(text: &str, line: &str) -> String {
    text.replacen("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"), 1)
}

/// Changes to the RFC's request, each with exactly the rules it then breaks.
const BROKEN_REQUESTS: &[(&str, &str, &[&str])] = &[
    ("GET /chat", "GET /chat#top", &["fragment-in-request-target"]),
    ("GET /chat", "GET /a b", &["malformed-request"]),
    ("Host: server.example.com", "Host: a\r\nHost: b", &["malformed-request"]),
    ("GET", "POST", &["method-not-get"]),
    ("HTTP/1.1", "HTTP/1.0", &["http-version-too-old"]),
    ("GET /chat", "GET ws://server.example.com/chat", &["request-target-mismatch"]),
    ("GET /chat", "GET http://other.example.com/chat", &["request-target-mismatch"]),
    ("Host: server.example.com\r\n", "", &["missing-host"]),
    ("Host: server.example.com", "Host:", &["missing-host"]),
    ("Host: server.example.com", "Host: a b", &["malformed-request"]),
    ("Host: server.example.com", "Host: http://a/", &["malformed-request"]),
    ("Host: server.example.com", "Host: me@a", &["malformed-request"]),
    ("Host: server.example.com", "Host: [::1]:80", &[]),
    ("Host: server.example.com", "Host: a_b.例子:80", &[]),
    ("Upgrade: websocket\r\n", "", &["missing-upgrade"]),
    ("Upgrade: websocket", "Upgrade: h2c", &["upgrade-not-websocket"]),
    ("Connection: Upgrade\r\n", "", &["missing-connection"]),
    ("Connection: Upgrade", "Connection: keep-alive", &["connection-lacks-upgrade"]),
    ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", &["missing-sec-websocket-key"]),
    ("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", &["invalid-sec-websocket-key"]),
    ("dGhlIHNhbXBsZSBub25jZQ==", "", &["invalid-sec-websocket-key"]),
    ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR==", &["invalid-sec-websocket-key"]),
    ("Origin:", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\nOrigin:", &["duplicate-sec-websocket-key"]),
    ("Origin: http://example.com", "User-Agent: Mozilla/5.0 (X11)", &["missing-origin"]),
    ("Sec-WebSocket-Version: 13\r\n", "", &["missing-sec-websocket-version"]),
    ("Version: 13", "Version: 8", &["unsupported-version"]),
    ("Version: 13", "Version: 013", &["unsupported-version"]),
    ("Version: 13", "Version: 13, 8", &["unsupported-version"]),
    ("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 13", &["duplicate-sec-websocket-version"]),
    ("chat, superchat", "chat room, b@d", &["invalid-subprotocol-token", "invalid-subprotocol-token"]),
    ("chat, superchat", "", &["invalid-subprotocol-token"]),
    ("chat, superchat", "chat, superchat, chat", &["duplicate-subprotocol-offer"]),
    ("chat, superchat", "chat\r\nSec-WebSocket-Protocol: chat", &["duplicate-subprotocol-offer"]),
    (
        "Origin:",
        "Sec-WebSocket-Extensions: permessage-deflate; ;\r\nOrigin:",
        &["malformed-extensions-header"],
    ),
    ("Origin:", "Sec-WebSocket-Extensions:\r\nOrigin:", &["malformed-extensions-header"]),
    ("Origin:", "Sec-WebSocket-Extensions: foo\r\nOrigin:", &["unregistered-extension"]),
    ("Origin:", "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\nOrigin:", &["draft-extension"]),
    ("Origin:", "Sec-WebSocket-Extensions: bbf-usp-protocol; x\r\nOrigin:", &["unknown-extension-param"]),
    ("Origin:", "Sec-WebSocket-Extensions: permessage-deflate; x\r\nOrigin:", &["pmd-unknown-param"]),
    (
        "Origin:",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=7\r\nOrigin:",
        &["pmd-invalid-param-value"],
    ),
    (
        "Origin:",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; client_max_window_bits\r\n\
         Origin:",
        &["pmd-duplicate-param"],
    ),
];

/// Changes to the RFC's response, each with exactly the rules it then breaks.
const BROKEN_RESPONSES: &[(&str, &str, &[&str])] = &[
    ("101 Switching Protocols", "101 Switching\x7f", &["malformed-response"]),
    ("Connection:", "No colon\r\nConnection:", &["malformed-response"]),
    ("HTTP/1.1", "HTTP/1.0", &["malformed-response"]),
    ("Upgrade: websocket\r\n", "", &["response-upgrade-invalid"]),
    ("Upgrade: websocket", "Upgrade: websocket, h2c", &["response-upgrade-invalid"]),
    ("Upgrade: websocket", "Upgrade: websocket\r\nUpgrade: websocket", &["response-upgrade-invalid"]),
    ("Connection: Upgrade\r\n", "", &["response-connection-invalid"]),
    ("Connection: Upgrade", "Connection: close", &["response-connection-invalid"]),
    ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "", &["missing-sec-websocket-accept"]),
    ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "BXhwxM0SZasKmCD9S4BfpPmCnEw=", &["accept-mismatch"]),
    (
        "xOo=",
        "xOo=\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        &["duplicate-sec-websocket-accept"],
    ),
    ("Protocol: chat", "Protocol: mqtt", &["unrequested-subprotocol"]),
    ("Protocol: chat", "Protocol: Chat", &["subprotocol-case-mismatch"]),
    ("Protocol: chat", "Protocol: chat, superchat", &["invalid-subprotocol-token"]),
    ("Protocol: chat", "Protocol:", &["invalid-subprotocol-token"]),
    (
        "Protocol: chat",
        "Protocol: chat\r\nSec-WebSocket-Protocol: chat",
        &["duplicate-subprotocol-in-response"],
    ),
    ("Protocol: chat", "Extensions: permessage-deflate", &["unrequested-extension"]),
    ("101 Switching Protocols", "302 Found\r\nLocation: /login", &["handshake-redirected"]),
    ("101 Switching Protocols", "304 Not Modified", &["handshake-redirected"]),
    ("101 Switching Protocols", "403 Forbidden", &["handshake-rejected"]),
    ("101 Switching Protocols", "200 OK", &["rejected-without-http-error"]),
    (
        "101 Switching Protocols",
        "400 Bad Request\r\nSec-WebSocket-Version: 08, 13",
        &["handshake-rejected", "unsupported-version"],
    ),
    ("101 Switching Protocols", "1O1 Switching", &["malformed-response"]),
];

#[test]
fn the_rfc_handshakes_are_clean() {
    let report = request(REQUEST);
    assert_eq!((ids(&report.findings), &report.diagnoses[..]), (vec![], &[][..]));
    assert!(report.facts.is_upgrade && report.facts.broken.is_empty());
    assert_eq!(report.facts.offered_subprotocols().collect::<Vec<_>>(), ["chat", "superchat"]);
    assert!(report.headers.iter().all(|header| header.verdict == Verdict::Ok), "{:?}", report.headers);
    let answer = response(Some(&report.facts), RESPONSE);
    assert_eq!((ids(&answer.findings), &answer.diagnoses[..]), (vec![], &[][..]));
    assert_eq!((answer.facts.outcome, answer.facts.status), (Outcome::Open, Some(101)));
    assert_eq!(answer.facts.subprotocol.as_deref(), Some("chat"));
    assert!(answer.headers.iter().all(|header| header.verdict == Verdict::Ok));
    // §1.3 chooses no subprotocol, and the response alone has nothing to be compared with.
    let minimal = RESPONSE.replace("Sec-WebSocket-Protocol: chat\r\n", "");
    assert_eq!(response(Some(&report.facts), &minimal).facts.outcome, Outcome::Open);
    assert_eq!(ids(&response(None, RESPONSE).findings), [""; 0]);
    assert_eq!(response(None, RESPONSE).facts.outcome, Outcome::Open);
}

#[test]
fn tokens_and_names_are_compared_without_case() {
    let text = REQUEST
        .replace("Upgrade: websocket", "uPGRADE: h2c, WebSocket")
        .replace("Connection: Upgrade", "CONNECTION: keep-alive\r\nConnection: ,UPGRADE")
        .replace("Sec-WebSocket-Key", "SEC-WEBSOCKET-KEY");
    let report = request(&text);
    assert_eq!(ids(&report.findings), [""; 0]);
    let answer =
        RESPONSE.replace("websocket\r\n", "WebSocket\r\n").replace(": Upgrade", ": keep-alive, upgrade");
    assert_eq!(response(Some(&report.facts), &answer).facts.outcome, Outcome::Open);
}

#[test]
fn each_fault_breaks_its_rule_and_no_other() {
    for (from, to, rules) in BROKEN_REQUESTS {
        let text = REQUEST.replacen(from, to, 1);
        assert_ne!(text, REQUEST, "{from}");
        let report = request(&text);
        assert_eq!(ids(&report.findings), *rules, "{to}");
        for span in report.findings.iter().flat_map(|finding| &finding.spans) {
            assert!(span.end_byte() <= text.len() as u64, "{to}");
        }
    }
    let facts = request(REQUEST).facts;
    for (from, to, rules) in BROKEN_RESPONSES {
        let text = RESPONSE.replacen(from, to, 1);
        assert_ne!(text, RESPONSE, "{from}");
        let report = response(Some(&facts), &text);
        assert_eq!(ids(&report.findings), *rules, "{to}");
        assert_ne!(report.facts.outcome, Outcome::Open, "{to}");
    }
}

/// RFC 9112 §2.2, §4, §5.2: receivers may put up with these, and the connection is open.
#[test]
fn a_loose_answer_opens_the_connection_all_the_same() {
    let facts = request(REQUEST).facts;
    for (from, to, rule) in [
        ("Upgrade: websocket\r\n", "Upgrade: websocket\n", "bare-line-feed"),
        ("Upgrade: websocket\r\n", "Upgrade:\r\n websocket\r\n", "folded-header-field"),
        ("101 Switching Protocols", "101", "status-line-lacks-space"),
    ] {
        let report = response(Some(&facts), &RESPONSE.replacen(from, to, 1));
        assert_eq!((ids(&report.findings), report.facts.outcome), (vec![rule], Outcome::Open), "{to}");
    }
}

/// The rules that no change above can trigger are triggered by a test of their own.
#[test]
fn every_rule_is_triggered_somewhere() {
    let elsewhere = [
        "duplicate-extensions-in-response",
        "server-accepted-bad-handshake",
        "version-rejection-lacks-version",
        "cross-origin-accepted",
        "pmd-rsv1-conflict",
        "pmd-no-context-takeover-unacknowledged",
        "pmd-server-window-larger-than-offer",
        "pmd-client-window-unsolicited",
        "pmd-small-window",
        "http-head-too-large",
        "bare-line-feed",
        "folded-header-field",
        "status-line-lacks-space",
        // Of those over HTTP/2 there are samples.
        "extended-connect-incomplete",
        "websocket-key-over-http2",
        "websocket-accept-over-http2",
        "status-101-over-http2",
        "extended-connect-without-setting",
        "extended-connect-ends-stream",
        "browser-reports-failure",
    ];
    for rule in RULES {
        let here = BROKEN_REQUESTS.iter().chain(BROKEN_RESPONSES).any(|(_, _, ids)| ids.contains(&rule.id));
        assert!(here || elsewhere.contains(&rule.id), "{}", rule.id);
    }
}

#[test]
fn a_fault_is_shown_where_it_is() {
    let text = REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhl!HNhbXBsZSBub25jZQ==");
    let report = request(&text);
    let at = text.find('!').expect("it is there") as u64;
    assert_eq!(report.findings[0].spans[0].first_byte(), at);
    assert_eq!(report.findings[0].got.to_string(), "byte 0x21 at offset 4 is no Base64 symbol");
    let key = report.headers.iter().find(|header| header.name == "Sec-WebSocket-Key").expect("it is there");
    assert_eq!(key.verdict, Verdict::Broken);
    assert_eq!(key.meaning, report.findings[0].got);
}

#[test]
fn a_101_to_a_broken_request_is_the_servers_fault_too() {
    for (from, to, _) in [
        ("Version: 13", "Version: 8", ""),
        ("Host: server.example.com\r\n", "", ""),
        ("Connection: Upgrade", "Connection: close", ""),
        ("GET", "POST", ""),
    ] {
        let facts = request(&REQUEST.replacen(from, to, 1)).facts;
        let answer = response(Some(&facts), RESPONSE);
        assert_eq!(ids(&answer.findings), ["server-accepted-bad-handshake"], "{to}");
        // The client's own fault does not oblige it to fail the connection.
        assert_eq!(answer.facts.outcome, Outcome::Open);
    }
    // A server may decline these, or overlook them.
    for (from, to) in [
        ("superchat", "chat"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEC=="),
        ("GET /chat HTTP/1.1\r\n", "GET /chat HTTP/1.1\n"),
    ] {
        assert_eq!(request(&REQUEST.replacen(from, to, 1)).facts.broken, Vec::<&Rule>::new(), "{to}");
    }
    // The RFC's own example of a key is accepted.
    assert_eq!(
        ids(&request(&REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEC==")).findings),
        [""; 0]
    );
}

#[test]
fn an_unknown_version_is_answered_with_the_known_ones() {
    let facts = request(&REQUEST.replace("Version: 13", "Version: 25")).facts;
    let refusal = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    let bare = response(Some(&facts), refusal);
    assert_eq!(ids(&bare.findings), ["handshake-rejected", "version-rejection-lacks-version"]);
    // RFC 6455 §4.4 shows both forms.
    for line in
        ["Sec-WebSocket-Version: 13, 8, 7", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8, 7"]
    {
        assert_eq!(ids(&response(Some(&facts), &with(refusal, line)).findings), ["handshake-rejected"]);
    }
}

/// RFC 7692 §7.1.3, and pairs that break one rule each.
#[test]
fn offers_and_answers_of_permessage_deflate() {
    let two = "client_max_window_bits; server_max_window_bits=10, permessage-deflate; client_max_window_bits";
    let cases: &[(&str, Option<&str>, &[&str])] = &[
        ("", Some(""), &[]),
        ("client_max_window_bits; server_max_window_bits=10", Some("server_max_window_bits=10"), &[]),
        (two, Some("server_max_window_bits=10"), &[]),
        (two, Some(""), &[]),
        ("server_max_window_bits=\"10\"", Some("server_max_window_bits=10"), &[]),
        ("server_max_window_bits=11", Some("server_max_window_bits=10"), &[]),
        ("", Some("server_max_window_bits=12; server_no_context_takeover; client_no_context_takeover"), &[]),
        ("", Some("client_max_window_bits=10"), &["pmd-client-window-unsolicited"]),
        ("server_max_window_bits=10", Some(""), &["pmd-server-window-larger-than-offer"]),
        ("server_max_window_bits=15", Some(""), &[]),
        (
            "server_max_window_bits=10",
            Some("server_max_window_bits=11"),
            &["pmd-server-window-larger-than-offer"],
        ),
        ("server_max_window_bits=10", Some("server_max_window_bits=9"), &["pmd-small-window"]),
        ("server_no_context_takeover", Some(""), &["pmd-no-context-takeover-unacknowledged"]),
        ("client_max_window_bits", Some("client_max_window_bits"), &["pmd-invalid-param-value"]),
        ("client_max_window_bits=7", Some(""), &["pmd-invalid-param-value"]),
        ("foo", Some(""), &["pmd-unknown-param"]),
        ("", Some("client_no_context_takeover; client_no_context_takeover"), &["pmd-duplicate-param"]),
        ("", None, &[]),
        ("", Some(", permessage-deflate"), &["pmd-rsv1-conflict"]),
        (
            "",
            Some("\r\nSec-WebSocket-Extensions: foo"),
            &["duplicate-extensions-in-response", "unrequested-extension", "unregistered-extension"],
        ),
    ];
    let value = |params: &str| match params {
        "" => "permessage-deflate".to_owned(),
        more if more.starts_with([',', '\r']) => format!("permessage-deflate{more}"),
        params => format!("permessage-deflate; {params}"),
    };
    for (offer, answer, rules) in cases {
        let facts = request(&with(REQUEST, &format!("Sec-WebSocket-Extensions: {}", value(offer)))).facts;
        let text = match answer {
            Some(answer) => with(RESPONSE, &format!("Sec-WebSocket-Extensions: {}", value(answer))),
            None => RESPONSE.to_owned(),
        };
        let report = response(Some(&facts), &text);
        let mut found = ids(&report.findings);
        let mut rules = rules.to_vec();
        found.sort_unstable();
        rules.sort_unstable();
        assert_eq!(found, rules, "{offer} answered by {answer:?}");
        assert_eq!(report.facts.deflate.is_some(), answer.is_some());
    }
}

#[test]
fn agreed_parameters_are_told() {
    let facts =
        request(&with(REQUEST, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")).facts;
    let line =
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=11; server_no_context_takeover";
    let report = response(Some(&facts), &with(RESPONSE, line));
    let agreed = Deflate {
        server_no_context_takeover: true,
        client_no_context_takeover: false,
        server_max_window_bits: 15,
        client_max_window_bits: 11,
    };
    assert_eq!(report.facts.deflate, Some(agreed));
    let tail: Vec<_> = report.fields.iter().rev().take(4).rev().map(|f| (f.def.id, f.depth)).collect();
    assert_eq!(
        tail,
        [
            ("http.sec_websocket_extensions", 0),
            ("http.extension", 1),
            ("http.extension.param", 2),
            ("http.extension.param", 2)
        ]
    );
    assert_eq!(
        report.fields[report.fields.len() - 2].meaning.to_string(),
        "the client refers back at most 2^11 = 2048 bytes"
    );
}

#[test]
fn middleboxes_leave_signatures() {
    let diagnosed = |list: &[Diagnosis]| list.iter().map(|d| d.id).collect::<Vec<_>>();
    let stripped = REQUEST.replace("Upgrade: websocket\r\nConnection: Upgrade\r\n", "");
    assert_eq!(diagnosed(&request(&stripped).diagnoses), ["hop-by-hop-headers-dropped"]);
    let old = REQUEST.replace("HTTP/1.1", "HTTP/1.0").replace("Origin:", "Via: 1.1 proxy\r\nOrigin:");
    assert_eq!(diagnosed(&request(&old).diagnoses), ["downgraded-to-http-1.0"]);
    let script = REQUEST.replace("Origin:", "User-Agent: Mozilla/5.0\r\nOrigin:");
    assert_eq!(diagnosed(&request(&script).diagnoses), [""; 0], "anybody can name a browser");
    let sent =
        "Pragma: no-cache\r\nCache-Control: no-cache\r\nAccept-Encoding: gzip\r\nAccept-Language: en\r\n";
    let browser = script.replace("Origin:", &format!("{sent}Origin:"));
    assert_eq!(diagnosed(&request(&browser).diagnoses), ["extensions-stripped"]);
    assert_eq!(diagnosed(&request(&browser.replace("Origin:", "Referer:")).diagnoses), [""; 0]);
    let facts = request(REQUEST).facts;
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";
    assert_eq!(diagnosed(&response(Some(&facts), page).diagnoses), ["page-instead-of-websocket"]);
    // Who answers in HTTP/1.0 need not be a proxy; where the request was older already, that says it all.
    let simple = "HTTP/1.0 404 Not Found\r\nServer: SimpleHTTP/0.6\r\n\r\n";
    assert_eq!(diagnosed(&response(Some(&facts), simple).diagnoses), ["answer-in-http-1.0"]);
    let page = page.replace("HTTP/1.1", "HTTP/1.0");
    let both = ["page-instead-of-websocket", "answer-in-http-1.0"];
    assert_eq!(diagnosed(&response(Some(&facts), &page).diagnoses), both);
    assert_eq!(diagnosed(&response(Some(&request(&old).facts), simple).diagnoses), [""; 0]);
    let lost = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(diagnosed(&response(Some(&facts), lost).diagnoses), ["upgrade-lost-on-the-way"]);
    // Who lists this version has nothing against it; who wants something else has lost nothing.
    for (fields, is_lost) in [
        ("", true),
        ("Sec-WebSocket-Version: 13\r\n", true),
        ("Sec-WebSocket-Version: 8, 13\r\n", true),
        ("Sec-WebSocket-Version: 8\r\n", false),
        ("Upgrade: websocket\r\nSec-WebSocket-Version: 7, 8\r\n", false),
        ("Upgrade: TLS/1.2, HTTP/1.1\r\n", false),
        ("Upgrade: h2c, WebSocket\r\n", true),
    ] {
        let text = format!("HTTP/1.1 426 Upgrade Required\r\n{fields}\r\n");
        let found = diagnosed(&response(Some(&facts), &text).diagnoses);
        assert_eq!(found == ["upgrade-lost-on-the-way"], is_lost, "{fields}{found:?}");
        assert_eq!(found.is_empty(), !is_lost, "{fields}{found:?}");
    }
    let bare = RESPONSE.replace("Upgrade: websocket\r\n", "");
    assert_eq!(diagnosed(&response(Some(&facts), &bare).diagnoses), ["hop-by-hop-headers-dropped"]);
}

#[test]
fn ordinary_http_is_left_alone() {
    for text in [
        "GET / HTTP/1.1\nHost: a\nHost: b\n\n",
        "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n",
        "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\
         Proxy-authorization: Basic ZWRuYW1vZGU6bm9jYXBlcyE=\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAA\r\n\r\n",
    ] {
        let report = request(text);
        assert!(!report.facts.is_upgrade && report.findings.is_empty(), "{text}");
        let answer = response(Some(&report.facts), "HTTP/1.1 404 Not Found\r\n\r\n");
        assert_eq!((answer.facts.outcome, ids(&answer.findings)), (Outcome::NotWebSocket, vec![]));
        let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
        assert_eq!(response(Some(&report.facts), switch).facts.outcome, Outcome::NotWebSocket);
        assert_eq!(ids(&response(Some(&report.facts), RESPONSE).findings)[..1], ["unrequested-subprotocol"]);
    }
    let facts = request(REQUEST).facts;
    assert_eq!(response(Some(&facts), "HTTP/1.1 100 Continue\r\n\r\n").facts.outcome, Outcome::Interim);
}

#[test]
fn without_detail_the_findings_are_the_same() {
    for (from, to, _) in BROKEN_REQUESTS {
        let text = REQUEST.replacen(from, to, 1);
        let head = Head::parse(text.as_bytes(), SourceId::Input, 0);
        let (brief, full) = (check_request(&head, false), check_request(&head, true));
        assert_eq!((&brief.findings, &brief.facts), (&full.findings, &full.facts));
        assert!(brief.headers.is_empty() && brief.fields.is_empty());
    }
}

/// CVE-2024-37890 (ws): with more header fields than expected, Upgrade was missing and the server crashed.
#[test]
fn cve_2024_37890_many_fields_before_upgrade() {
    let many = REQUEST.replacen("Upgrade:", &format!("{}Upgrade:", "X: y\r\n".repeat(2500)), 1);
    assert_eq!(ids(&request(&many).findings), [""; 0]);
    let too_many = REQUEST.replacen("Upgrade:", &format!("{}Upgrade:", "X: y\r\n".repeat(5000)), 1);
    assert!(!request(&too_many).facts.is_upgrade);
    for value in ["", "Upgrade:\r\n", "Upgrade: websocket\r\nUpgrade: websocket\r\n"] {
        let report = request(&REQUEST.replace("Upgrade: websocket\r\n", value));
        assert!(report.facts.is_upgrade, "{value}");
    }
}

/// CVE-2021-32640 (ws): a regular expression split the list, and tried every run of spaces.
/// Here a list is split at its commas and trimmed at its ends: each byte is looked at a
/// fixed number of times, and what is reported does not grow with the value.
#[test]
fn cve_2021_32640_spaces_in_a_subprotocol() {
    for size in [1 << 6, 1 << 12, 1 << 16] {
        let text = REQUEST.replace("chat, superchat", &format!("b{}x", " ".repeat(size)));
        let report = request(&text);
        assert_eq!(ids(&report.findings), ["invalid-subprotocol-token"]);
        assert!(report.findings[0].got.to_string().len() < 200);
    }
}

#[test]
fn a_value_full_of_faults_is_not_as_many_findings() {
    let text = REQUEST.replace("chat, superchat", &"@,".repeat(50_000));
    assert_eq!(request(&text).findings.len(), 8);
    let text = with(REQUEST, &format!("Sec-WebSocket-Extensions: {}", "x,".repeat(50_000)));
    assert_eq!(request(&text).findings.len(), 8);
}

#[test]
fn severities_are_as_decided() {
    for rule in RULES {
        if ["missing-origin", "cross-origin-accepted", "draft-extension"].contains(&rule.id) {
            assert_eq!(rule.severity, Severity::Note);
        } else {
            assert!(rule.severity >= Severity::Warning, "{}", rule.id);
        }
    }
}
