//! What comes of a handshake: what was agreed, whether the WebSocket is open, and who does
//! what now.

use crate::http::handshake::{refusal_rule, status};
use crate::http::{
    DUPLICATE_SUBPROTOCOL, FRAGMENT_IN_TARGET, INVALID_SUBPROTOCOL, Outcome, RequestReport, ResponseReport,
    UNSUPPORTED_VERSION, VERSION_REJECTION_BARE, accept_value,
};
use crate::model::film::{Cause, Deal, Ruling, State};
use crate::model::{Deflate, Dir, Finding, Header, Rule, Severity, Text, Verdict};

const FRAMES: &str = "both may send frames from now on: the client's masked, the server's not";

/// Rules on the answer to which there is no agreement: a page's script never breaks them, because
/// the constructor throws first.
const THROWN: &[&Rule] = &[&FRAGMENT_IN_TARGET, &DUPLICATE_SUBPROTOCOL, &INVALID_SUBPROTOCOL];

/// The verdict on a handshake.
pub(super) fn ruling(asked: Option<&RequestReport>, answered: Option<&ResponseReport>) -> Ruling {
    let outcome = answered.map(|report| report.facts.outcome);
    match (asked, outcome) {
        (_, Some(Outcome::Open)) => opened(asked, answered),
        (_, Some(Outcome::Failed(rule))) => Ruling {
            state: State::Failed,
            cause: Some(cause(rule, answered.map(|r| &r.findings[..]))),
            next: vec![Text::new("the client closes the connection and sends no frame")],
            browser: failure(),
        },
        (_, Some(Outcome::Rejected)) => rejected(asked, answered),
        (Some(report), None | Some(Outcome::Interim)) if report.facts.is_upgrade => unanswered(report),
        _ => Ruling {
            state: State::Ordinary,
            cause: None,
            next: vec![Text::new("nothing here asks for a WebSocket: it is ordinary HTTP")],
            browser: Vec::new(),
        },
    }
}

fn opened(asked: Option<&RequestReport>, answered: Option<&ResponseReport>) -> Ruling {
    let facts = answered.map(|report| &report.facts);
    let mut next = vec![Text::new(FRAMES)];
    let first = asked.and_then(|report| report.facts.broken.first().copied());
    let cause = first.map(|rule| cause(rule, asked.map(|r| &r.findings[..])));
    if cause.is_some() {
        next.push(Text::new("a conforming server would have answered with an HTTP error such as 400"));
    }
    let mut browser = thrown(asked);
    let none_chosen = asked.is_some_and(|report| report.facts.subprotocols.is_some())
        && facts.is_some_and(|facts| facts.subprotocol.is_none());
    if none_chosen && browser.is_empty() {
        //= RFC 6455 §4.1
        //# If the response includes a |Sec-WebSocket-Protocol| header field
        let but = "RFC 6455 lets the server choose no subprotocol; a browser does not, once its script \
                   offers some:";
        browser.push(Text::new(but));
        browser.extend(failure());
    } else if browser.is_empty() {
        let words = |value: Option<&String>| value.cloned().unwrap_or_default();
        let open = Text::with("onopen: readyState 1, protocol \"{}\", extensions \"{}\"", {
            words(facts.and_then(|facts| facts.subprotocol.as_ref()))
        });
        browser.push(open.and(words(facts.and_then(|facts| facts.extensions.as_ref()))));
    }
    Ruling { state: State::Open, cause, next, browser }
}

fn rejected(asked: Option<&RequestReport>, answered: Option<&ResponseReport>) -> Ruling {
    let code = answered.and_then(|report| report.facts.status).unwrap_or_default();
    // A refusal is the consequence of what was wrong before it, if anything was.
    let broken = asked.and_then(|report| report.facts.broken.first().copied());
    // Some servers are stricter than they need be.
    let strict = asked.filter(|_| matches!(code, 400 | 405 | 426)).and_then(|report| {
        report.findings.iter().map(|finding| finding.rule).find(|rule| rule.severity == Severity::Error)
    });
    let fault = broken.or(strict);
    // A refusal may break rules of its own.
    let own = answered.and_then(|report| {
        let mut errors = report.findings.iter().filter(|f| f.rule.severity == Severity::Error);
        errors.find(|f| f.blame == Some(Dir::Server)).map(|f| f.rule)
    });
    let is_right = fault.is_some() && own.is_none() && (400..500).contains(&code);
    let cause = match (fault, own) {
        (Some(_), Some(rule)) => cause(rule, answered.map(|r| &r.findings[..])),
        (Some(rule), None) => cause(rule, asked.map(|r| &r.findings[..])),
        (None, _) => cause(refusal_rule(code), answered.map(|r| &r.findings[..])),
    };
    let advice = status(code).advice;
    let mut next = Vec::new();
    if is_right {
        //= RFC 6455 §4.2.1
        //# the server MUST stop processing the client's handshake and return an HTTP
        //# response with an appropriate error code (such as 400 Bad Request).
        next.push(Text::new(match broken {
            Some(_) => "the server refuses a broken request, as it should",
            None => "the server refuses a request with this fault, as it may",
        }));
    }
    next.push(Text::new("the client opens no WebSocket: the answer is ordinary HTTP"));
    // What to look at is known when the request is at fault.
    next.extend((fault.is_none() && !advice.is_empty()).then_some(advice));
    let mut browser = thrown(asked);
    if browser.is_empty() {
        browser = failure();
        browser.push(Text::new("the script is not told the status: it stands in the console only"));
    }
    let state = if is_right { State::Refused } else { State::Failed };
    Ruling { state, cause: Some(cause), next, browser }
}

fn unanswered(asked: &RequestReport) -> Ruling {
    let facts = &asked.facts;
    let (cause, next) = match (facts.broken.first(), &facts.key) {
        (Some(rule), _) if *rule == &UNSUPPORTED_VERSION => (
            Some(cause(rule, Some(&asked.findings))),
            Text::new(
                "the server answers 426 and names the versions it understands: Sec-WebSocket-Version: 13",
            ),
        ),
        (Some(rule), _) => (
            Some(cause(rule, Some(&asked.findings))),
            Text::new("the server answers with an HTTP error such as 400 and opens no WebSocket"),
        ),
        (None, Some(key)) => (
            None,
            Text::with(
                "the server answers 101 with Sec-WebSocket-Accept: {}, or an HTTP error",
                accept_value(key),
            ),
        ),
        (None, None) => (None, Text::default()),
    };
    let mut browser = thrown(Some(asked));
    if browser.is_empty() {
        browser.push(Text::new("readyState 0: the script waits"));
    }
    Ruling { state: State::Unanswered, cause, next: vec![next], browser }
}

/// The events of a failed connection. The WebSocket API tells a script no more, so that it cannot
/// explore a network.
fn failure() -> Vec<Text> {
    vec![
        Text::new("onerror: an event without a reason"),
        Text::new("onclose: code 1006, reason \"\", wasClean false"),
    ]
}

fn thrown(asked: Option<&RequestReport>) -> Vec<Text> {
    let broken = asked.is_some_and(|report| report.findings.iter().any(|f| THROWN.contains(&f.rule)));
    let words = "new WebSocket() throws a SyntaxError: no browser sends such a request";
    if broken { vec![Text::new(words)] } else { Vec::new() }
}

fn cause(rule: &'static Rule, findings: Option<&[Finding]>) -> Cause {
    let finding = findings.unwrap_or_default().iter().find(|finding| finding.rule == rule);
    Cause {
        rule,
        by: finding.and_then(|finding| finding.blame),
        got: finding.map_or_else(Text::default, |finding| finding.got.clone()),
    }
}

/// What was offered, and what was chosen of it.
pub(super) fn deals(asked: Option<&RequestReport>, answered: Option<&ResponseReport>) -> Vec<Deal> {
    let asks = asked.is_some_and(|report| report.facts.is_upgrade);
    let concerned = asks || answered.is_some_and(|report| report.facts.outcome != Outcome::NotWebSocket);
    if !concerned {
        return Vec::new();
    }
    let facts = answered.map(|report| &report.facts);
    let opens = facts.is_some_and(|facts| facts.status == Some(101));
    if facts.is_some_and(|facts| facts.status != Some(101))
        && answered.is_none_or(|report| values(&report.headers, "Sec-WebSocket-Version").is_none())
    {
        // A refusal agrees to nothing, unless it names the versions to choose from.
        return Vec::new();
    }
    let verdict = |name: &str| worst(name, asked, answered);
    let offer = |value: fn(&RequestReport) -> Option<&String>| asked.and_then(value).cloned();
    let versions = answered.and_then(|report| values(&report.headers, "Sec-WebSocket-Version"));
    let subprotocol = facts.and_then(|facts| facts.subprotocol.clone());
    let extensions = facts.and_then(|facts| facts.extensions.clone());
    let offered = |deal: &Option<String>| deal.is_some();
    let version = offer(|r| r.facts.version.as_ref());
    let protocols = offer(|r| r.facts.subprotocols.as_ref());
    let extended = offer(|r| r.facts.extensions.as_ref());
    vec![
        Deal {
            what: "version",
            tacit: opens && versions.is_none() && version.is_some(),
            meaning: match (&versions, opens, facts.is_some()) {
                (Some(_), ..) => Text::new("the versions that the server understands"),
                (None, true, _) => Text::new("101 agrees to it without repeating it"),
                (None, false, true) => Text::new("nothing is agreed"),
                (None, false, false) => Text::default(),
            },
            offer: version,
            answer: versions,
            verdict: verdict("Sec-WebSocket-Version"),
        },
        Deal {
            what: "subprotocol",
            tacit: false,
            meaning: match (offered(&protocols), offered(&subprotocol), opens) {
                (_, true, true) => Text::new("what the messages mean is agreed under this name"),
                (_, _, false) => Text::default(),
                (true, false, true) => {
                    Text::new("none of those offered: the messages mean what the URL stands for")
                }
                (false, false, true) => Text::new("none: the messages mean what the URL stands for"),
            },
            offer: protocols,
            answer: subprotocol,
            verdict: verdict("Sec-WebSocket-Protocol"),
        },
        Deal {
            what: "extensions",
            tacit: false,
            meaning: match (facts.and_then(|facts| facts.deflate), offered(&extensions), opens) {
                (_, _, false) => Text::default(),
                (Some(deflate), ..) => windows(deflate),
                (None, true, true) => Text::new("frames are changed by these, in this order"),
                (None, false, true) => Text::new("none: every message is sent as it is"),
            },
            offer: extended,
            answer: extensions,
            verdict: verdict("Sec-WebSocket-Extensions"),
        },
    ]
}

/// What permessage-deflate was agreed to (RFC 7692 §7.1).
fn windows(agreed: Deflate) -> Text {
    let size = |bits: u8| 1u32 << bits;
    let text = match (agreed.client_no_context_takeover, agreed.server_no_context_takeover) {
        (false, false) => {
            "messages may be compressed; windows of {} bytes (client) and {} (server), kept over messages"
        }
        (true, true) => {
            "messages may be compressed; windows of {} bytes (client) and {} (server), empty for each message"
        }
        (true, false) => {
            "messages may be compressed; windows of {} bytes (client, empty for each message) and {} \
             (server, kept)"
        }
        (false, true) => {
            "messages may be compressed; windows of {} bytes (client, kept) and {} (server, empty for each \
             message)"
        }
    };
    Text::with(text, size(agreed.client_max_window_bits)).and(size(agreed.server_max_window_bits))
}

/// All values of the fields called `name`, joined by commas.
fn values(headers: &[Header], name: &str) -> Option<String> {
    let named: Vec<_> =
        headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name)).map(|h| &*h.value).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

fn worst(name: &str, asked: Option<&RequestReport>, answered: Option<&ResponseReport>) -> Verdict {
    let headers = asked.iter().flat_map(|r| &r.headers).chain(answered.iter().flat_map(|r| &r.headers));
    let mut verdict = Verdict::Irrelevant;
    for header in headers.filter(|h| h.name.eq_ignore_ascii_case(name)) {
        verdict = match (verdict, header.verdict) {
            (Verdict::Broken, _) | (_, Verdict::Broken) => Verdict::Broken,
            (Verdict::Warning, _) | (_, Verdict::Warning) => Verdict::Warning,
            (Verdict::Ok, _) | (_, Verdict::Ok) => Verdict::Ok,
            _ => Verdict::Irrelevant,
        };
    }
    let is_about = |f: &Finding| [&UNSUPPORTED_VERSION, &VERSION_REJECTION_BARE].contains(&f.rule);
    if name == "Sec-WebSocket-Version"
        && answered.is_some_and(|r| r.findings.iter().any(|f| is_about(f) && f.blame == Some(Dir::Server)))
    {
        verdict = Verdict::Broken;
    }
    verdict
}
