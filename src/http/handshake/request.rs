//! The client's half of the handshake (RFC 6455 §4.1, §4.2.1).

use std::collections::HashSet;

use crate::model::{Rule, Severity, Text, Verdict};

use super::super::accept::{KeyProblem, RFC_KEY, check_key};
use super::super::fields::{self, Name};
use super::super::head::{Head, Part, StartLine, shown};
use super::super::{
    CONNECTION_LACKS_UPGRADE, DRAFT_EXTENSION, DUPLICATE_KEY, DUPLICATE_SUBPROTOCOL, DUPLICATE_VERSION,
    EXTENDED_CONNECT_INCOMPLETE, FRAGMENT_IN_TARGET, HTTP_VERSION_TOO_OLD, INVALID_KEY, INVALID_SUBPROTOCOL,
    MALFORMED_EXTENSIONS, MALFORMED_REQUEST, METHOD_NOT_GET, MISSING_CONNECTION, MISSING_HOST, MISSING_KEY,
    MISSING_ORIGIN, MISSING_UPGRADE, MISSING_VERSION, REQUEST_TARGET_MISMATCH, UNKNOWN_EXTENSION_PARAM,
    UNREGISTERED_EXTENSION, UNSUPPORTED_VERSION, UPGRADE_NOT_WEBSOCKET,
};
use super::deflate::{self, Params};
use super::exam::Exam;
use super::extensions::{COMPRESSION_DRAFTS, Extension};
use super::lists::elements;
use super::{RequestFacts, RequestReport, asks, connect, forwarded, middlebox};

/// Checks a request. Header fields and their verdicts are only listed with `detail`.
///
/// A request that asks for no WebSocket is reported without findings.
pub fn check_request(head: &Head<'_>, detail: bool) -> RequestReport {
    let mut exam = Exam::new(head, detail);
    let mut facts = facts(&exam);
    let mut diagnoses = Vec::new();
    if facts.is_upgrade {
        if facts.extended {
            connect::request(&mut exam);
        } else {
            start_line(&mut exam);
            host(&mut exam);
            upgrade(&mut exam);
            connection(&mut exam);
            key(&mut exam);
        }
        version(&mut exam);
        origin(&mut exam);
        subprotocols(&mut exam);
        for (field, extension) in exam.extensions() {
            offer(&mut exam, field, &extension);
        }
        facts.broken = must_be_refused(&exam);
        diagnoses = middlebox::in_request(&mut exam);
        let own = std::mem::take(&mut exam.findings);
        exam.findings = head.findings.iter().cloned().chain(own).collect();
    }
    let headers = exam.headers();
    let fields = exam.fields(&headers, Text::default());
    RequestReport { headers, fields, findings: exam.findings, diagnoses, facts }
}

fn facts(exam: &Exam<'_, '_>) -> RequestFacts {
    let StartLine::Request { method, target, .. } = exam.head.start else { return RequestFacts::default() };
    let first = |name| exam.first(name).map(|(_, value)| value.text().into_owned());
    RequestFacts {
        method: method.text().into_owned(),
        target: target.text().into_owned(),
        http_version: exam.http_version(),
        host: exam.authority().map(|(_, value)| value.text().into_owned()),
        origin: first(Name::Origin),
        is_upgrade: asks(exam),
        broken: Vec::new(),
        key: exam.first(Name::Key).map(|(_, value)| value.bytes.to_vec()),
        version: first(Name::Version),
        subprotocols: exam.joined(Name::Protocol),
        extensions: exam.joined(Name::Extensions),
        extended: connect::asks(exam),
        forwarded: forwarded::client(exam).map(Box::new),
    }
}

/// The broken rules that RFC 6455 §4.2.1 lists. Faults that a server may overlook,
/// such as a bare LF, and offers that it may simply decline are not among them.
fn must_be_refused(exam: &Exam<'_, '_>) -> Vec<&'static Rule> {
    //= RFC 6455 §4.2.1
    //# the server MUST stop processing the client's handshake and return an HTTP response
    let refused = [
        &MALFORMED_REQUEST,
        &METHOD_NOT_GET,
        &HTTP_VERSION_TOO_OLD,
        &MISSING_HOST,
        &MISSING_UPGRADE,
        &UPGRADE_NOT_WEBSOCKET,
        &MISSING_CONNECTION,
        &CONNECTION_LACKS_UPGRADE,
        &MISSING_KEY,
        &DUPLICATE_KEY,
        &MISSING_VERSION,
        &UNSUPPORTED_VERSION,
        &DUPLICATE_VERSION,
        &INVALID_SUBPROTOCOL,
        &MALFORMED_EXTENSIONS,
        &EXTENDED_CONNECT_INCOMPLETE,
    ];
    // A lenient decoder makes 16 bytes of a key that is merely not canonical.
    let bad_key = || {
        let key = exam.first(Name::Key).map(|(_, value)| check_key(value.bytes));
        matches!(key, Some(Err(problem)) if !matches!(problem, KeyProblem::NonCanonical { .. }))
    };
    let mut broken: Vec<&'static Rule> = Vec::new();
    broken.extend(exam.head.invalid.then_some(&MALFORMED_REQUEST));
    for finding in &exam.findings {
        let counts = refused.contains(&finding.rule) || (finding.rule == &INVALID_KEY && bad_key());
        if counts && !broken.contains(&finding.rule) {
            broken.push(finding.rule);
        }
    }
    broken
}

/// Whether a rule is against something that is not there.
pub fn is_absence(rule: &Rule) -> bool {
    [&MISSING_HOST, &MISSING_UPGRADE, &MISSING_CONNECTION, &MISSING_KEY, &MISSING_VERSION, &MISSING_ORIGIN]
        .contains(&rule)
}

fn start_line(exam: &mut Exam<'_, '_>) {
    let StartLine::Request { method, target, version } = exam.head.start else { return };
    if method.bytes != b"GET" {
        //= RFC 6455 §4.1
        //# The method of the request MUST be GET, and the HTTP version MUST be at least 1.1.
        let span = exam.head.span_of(method);
        exam.find(&METHOD_NOT_GET, "GET", Text::with("{}", shown(method.bytes)), Some(span));
    }
    if exam.head.version().is_some_and(|version| version < (1, 1)) {
        let span = exam.head.span_of(version);
        exam.find(&HTTP_VERSION_TOO_OLD, "HTTP/1.1", Text::with("{}", shown(version.bytes)), Some(span));
    }
    if let Some(at) = target.bytes.iter().position(|b| *b == b'#') {
        //= RFC 6455 §3
        //# Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used on
        //# these URIs.
        let span = exam.head.span(target.at + at, target.bytes.len() - at);
        let expected = "no fragment; a # that is meant literally as %23";
        exam.find(&FRAGMENT_IN_TARGET, expected, Text::with("{}", shown(&target.bytes[at..])), Some(span));
    }
    if target.bytes.first().is_some_and(|b| *b != b'/') {
        absolute_target(exam, target);
    }
}

fn absolute_target(exam: &mut Exam<'_, '_>, target: Part<'_>) {
    let span = exam.head.span_of(target);
    let lower = target.bytes[..target.bytes.len().min(8)].to_ascii_lowercase();
    let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| lower.starts_with(scheme));
    let Some(scheme) = scheme else {
        let expected = "a path that begins with /, or an absolute http or https URI";
        let got = Text::with("{}", shown(target.bytes));
        return exam.find(&REQUEST_TARGET_MISMATCH, expected, got, Some(span));
    };
    let rest = &target.bytes[scheme.len()..];
    let end = rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len());
    let Some((field, host)) = exam.first(Name::Host) else { return };
    if !rest[..end].eq_ignore_ascii_case(host.bytes) {
        let got = Text::with("{} in the target, {} in Host", shown(&rest[..end])).and(shown(host.bytes));
        let expected = "the same host and port in target and Host";
        exam.mark(field, Verdict::Warning, || got.clone());
        exam.find(&REQUEST_TARGET_MISMATCH, expected, got, Some(span));
    }
}

fn host(exam: &mut Exam<'_, '_>) {
    exam.once(Name::Host, &MALFORMED_REQUEST);
    match exam.first(Name::Host) {
        None => exam.find(&MISSING_HOST, "Host with host and port", "no Host", None),
        Some((field, value)) if value.bytes.is_empty() => {
            exam.find_value(field, &MISSING_HOST, "Host with host and port", Text::new("an empty Host"));
        }
        Some((field, value)) if !is_host(value.bytes) => {
            // RFC 9112 §3.2: a server answers 400 to a Host with an invalid value.
            let got = Text::with("{}", shown(value.bytes));
            exam.find_value(field, &MALFORMED_REQUEST, "Host with host and port", got);
        }
        Some((field, _)) => {
            exam.mark(field, Verdict::Ok, || "the server, and which of its sites is wanted".into());
        }
    }
}

/// Whether a text may be host and port (RFC 9110 §7.2): nothing in it ends one in every URI, or cannot be in
/// a URI at all. Bytes beyond ASCII are let pass.
pub(super) fn is_host(text: &[u8]) -> bool {
    let is_of_it = |byte: &u8| *byte > b' ' && *byte != 0x7F && !b"\"#/<>?@\\^`{|}".contains(byte);
    text.iter().all(is_of_it)
}

fn upgrade(exam: &mut Exam<'_, '_>) {
    let Some((first, value)) = exam.first(Name::Upgrade) else {
        return exam.find(&MISSING_UPGRADE, "Upgrade: websocket", "no Upgrade", None);
    };
    if let Some(field) = exam.listing(Name::Upgrade, "websocket") {
        exam.mark(field, Verdict::Ok, || "asks to switch to the WebSocket protocol".into());
    } else {
        let got = Text::with("{}", shown(value.bytes));
        exam.find_value(first, &UPGRADE_NOT_WEBSOCKET, "websocket in the list", got);
    }
}

fn connection(exam: &mut Exam<'_, '_>) {
    let Some((first, value)) = exam.first(Name::Connection) else {
        return exam.find(&MISSING_CONNECTION, "Connection: Upgrade", "no Connection", None);
    };
    if let Some(field) = exam.listing(Name::Connection, "upgrade") {
        exam.mark(field, Verdict::Ok, || "says that Upgrade is meant for the next hop".into());
    } else {
        let got = Text::with("{}", shown(value.bytes));
        exam.find_value(first, &CONNECTION_LACKS_UPGRADE, "Upgrade in the list", got);
    }
}

fn key(exam: &mut Exam<'_, '_>) {
    exam.once(Name::Key, &DUPLICATE_KEY);
    let Some((field, value)) = exam.first(Name::Key) else {
        let old = exam.first(Name::OldKey1).is_some();
        let got = if old { "the keys of the draft hixie-76 of 2010" } else { "no Sec-WebSocket-Key" };
        return exam.find(&MISSING_KEY, "Sec-WebSocket-Key with 16 bytes in Base64", got, None);
    };
    match check_key(value.bytes) {
        Ok(_) => exam.mark(field, Verdict::Ok, || "16 bytes, which the server must echo hashed".into()),
        Err(KeyProblem::NonCanonical { .. }) if value.bytes == RFC_KEY => {
            exam.mark(field, Verdict::Ok, || "16 bytes: the RFC's own example, not canonical Base64".into());
        }
        Err(problem) => {
            //= RFC 6455 §4.1
            //# a nonce consisting of a randomly selected 16-byte value that has been base64-encoded
            let at = problem.at();
            let span = exam.within(field, at, value.bytes.len() - at);
            exam.find_in(field, &INVALID_KEY, "16 bytes in Base64: 22 symbols and ==", problem.text(), span);
        }
    }
}

fn version(exam: &mut Exam<'_, '_>) {
    exam.once(Name::Version, &DUPLICATE_VERSION);
    let Some((field, value)) = exam.first(Name::Version) else {
        return exam.find(&MISSING_VERSION, "Sec-WebSocket-Version: 13", "no Sec-WebSocket-Version", None);
    };
    if value.bytes == b"13" {
        return exam.mark(field, Verdict::Ok, || "the version of RFC 6455, the only one in use".into());
    }
    let shown = shown(value.bytes);
    let got = match value.bytes {
        b"0" | b"1" | b"2" | b"3" | b"4" | b"5" | b"6" | b"7" | b"8" => {
            Text::with("{}, a draft of RFC 6455", shown)
        }
        b"9" | b"10" | b"11" | b"12" => Text::with("{}, a number that was reserved and never used", shown),
        text if is_version(text) => Text::with("{}, which no specification defines", shown),
        _ => Text::with("{}, not a number from 0 to 255 without leading zero", shown),
    };
    exam.find_value(field, &UNSUPPORTED_VERSION, "13", got);
}

/// Whether a text is a version number by RFC 6455 §4.3: 0 to 255 without leading zero.
pub(super) fn is_version(text: &[u8]) -> bool {
    //= RFC 6455 §4.3
    //# Limited to 0-255 range, with no leading zeros
    let digits = (1..=3).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    digits && (text.len() == 1 || text[0] != b'0') && (text.len() < 3 || text <= &b"255"[..])
}

fn origin(exam: &mut Exam<'_, '_>) {
    let Some((field, value)) = exam.first(Name::Origin) else {
        if let Some((field, agent)) = exam.first(Name::UserAgent)
            && agent.bytes.starts_with(b"Mozilla/")
        {
            let span = exam.head.span_of(exam.head.headers[field].value);
            let got = "a browser's User-Agent without Origin";
            exam.find(&MISSING_ORIGIN, "Origin, which browsers always send", got, Some(span));
        }
        return;
    };
    let site = value.text();
    let authority = site.split_once("://").map_or(&*site, |(_, rest)| rest);
    let host = exam.authority().map(|(_, host)| host.text());
    let same = host.is_some_and(|host| host.eq_ignore_ascii_case(authority));
    exam.mark(field, Verdict::Ok, || match &*site {
        "null" => "a page without an origin of its own: sandboxed, or a local file".into(),
        _ if same => "a page of the same host is asking".into(),
        _ => "a page of another origin is asking; the server should check that it may".into(),
    });
}

fn subprotocols(exam: &mut Exam<'_, '_>) {
    let Some((first, _)) = exam.first(Name::Protocol) else { return };
    let mut seen = HashSet::new();
    let mut empty = true;
    for (field, value) in exam.all(Name::Protocol) {
        for element in elements(value.bytes) {
            empty = false;
            if exam.subprotocol(field, element) && !seen.insert(element.bytes) {
                //= RFC 6455 §4.1
                //# MUST all be unique strings
                let span = exam.within(field, element.at, element.bytes.len());
                let got = Text::with("{} again", shown(element.bytes));
                exam.find_in(field, &DUPLICATE_SUBPROTOCOL, "each subprotocol once", got, span);
            }
        }
        exam.mark(field, Verdict::Ok, || "subprotocols the client can speak, best first".into());
    }
    if empty {
        let expected = "at least one subprotocol, or no such header field";
        exam.find_value(first, &INVALID_SUBPROTOCOL, expected, Text::new("an empty list"));
    }
}

fn offer(exam: &mut Exam<'_, '_>, field: usize, extension: &Extension<'_>) {
    note_extension(exam, field, extension);
    if extension.name == deflate::NAME {
        Params::read(extension, false, |param, wrong| {
            let span = exam.within(field, param.at, param.len);
            exam.find_in(field, wrong.rule, wrong.expected, wrong.got, span);
        });
    }
    exam.mark(field, Verdict::Ok, || "extensions the client can use, best first".into());
}

/// Notes an extension and its parameters, and checks them against the registry.
pub(super) fn note_extension(exam: &mut Exam<'_, '_>, field: usize, extension: &Extension<'_>) {
    /// The registry of RFC 6455 §11.4 with the parameters that each defines.
    const REGISTERED: &[(&str, &[&str])] = &[(deflate::NAME, &[]), ("bbf-usp-protocol", &["eid"])];
    let answer = exam.head.is_response();
    let pmd = extension.name == deflate::NAME;
    let known = REGISTERED.iter().find(|(name, _)| *name == extension.name);
    let span = exam.within(field, extension.at, extension.name.len());
    let at = (extension.at, extension.name.len());
    exam.child(field, &fields::EXTENSION, 1, at, extension.name, || {
        if pmd { "each message may be compressed (RFC 7692)".into() } else { Text::default() }
    });
    if known.is_none() {
        //= RFC 6455 §9.1
        //# Any extension-token used MUST be a registered token
        let got = Text::with("{}", shown(extension.name.as_bytes()));
        let is_of_a_draft = COMPRESSION_DRAFTS.contains(&extension.name);
        let rule = if is_of_a_draft { &DRAFT_EXTENSION } else { &UNREGISTERED_EXTENSION };
        exam.find_in(field, rule, "a registered extension, such as permessage-deflate", got, span);
    }
    for param in &extension.params {
        let text = match &param.value {
            Some(value) if exam.detail => format!("{}={value}", param.name),
            _ => param.name.to_owned(),
        };
        let meaning = || if pmd { deflate::meaning(param, answer) } else { Text::default() };
        exam.child(field, &fields::EXTENSION_PARAM, 2, (param.at, param.len), &text, meaning);
        if let (false, Some((_, params))) = (pmd, known)
            && !params.contains(&param.name)
        {
            let span = exam.within(field, param.at, param.len);
            let got = Text::with("{}", shown(param.name.as_bytes()));
            exam.find_in(
                field,
                &UNKNOWN_EXTENSION_PARAM,
                "a parameter that the extension defines",
                got,
                span,
            );
        }
    }
}

/// Whether a finding is one that the other side must act on.
pub(super) fn is_error(rule: &Rule) -> bool {
    rule.severity == Severity::Error
}
