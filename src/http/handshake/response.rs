//! The server's half of the handshake (RFC 6455 §4.1, §4.2.2).

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::limits;
use crate::model::{Deflate, Diagnosis, Rule, Software, Text, Verdict, prefix};

use super::super::accept::{accept_value, diagnose};
use super::super::fields::Name;
use super::super::head::{Head, shown};
use super::super::{
    ACCEPT_MISMATCH, CROSS_ORIGIN_ACCEPTED, DUPLICATE_ACCEPT, DUPLICATE_SUBPROTOCOL_RESPONSE,
    HANDSHAKE_REDIRECTED, HANDSHAKE_REJECTED, INVALID_SUBPROTOCOL, MALFORMED_RESPONSE, MISSING_ACCEPT,
    PMD_RSV1_CONFLICT, PMD_SMALL_WINDOW, REJECTED_WITHOUT_ERROR, RESPONSE_CONNECTION_INVALID,
    RESPONSE_UPGRADE_INVALID, SERVER_ACCEPTED_BAD, STATUS_101_OVER_HTTP2, SUBPROTOCOL_CASE,
    UNREQUESTED_EXTENSION, UNREQUESTED_SUBPROTOCOL, UNSUPPORTED_VERSION, VERSION_REJECTION_BARE,
};
use super::deflate::{self, Params};
use super::exam::Exam;
use super::extensions::{COMPRESSION_DRAFTS, Extension};
use super::lists::{Element, elements};
use super::request::{is_error, is_version, note_extension};
use super::site::is_same_site;
use super::{Outcome, RequestFacts, ResponseFacts, ResponseReport, connect, middlebox, refusal, status};

/// Checks a response against the request it answers, as far as that was seen.
///
/// `others` gives keys of other handshakes in the same capture, to recognise a wrong
/// answer as one to one of them. Header fields and their verdicts are only listed with
/// `detail`. The answer to a request for no WebSocket is reported without findings.
pub fn check_response<'k>(
    request: Option<&RequestFacts>,
    head: &Head<'_>,
    others: impl Fn() -> Vec<&'k [u8]>,
    detail: bool,
) -> ResponseReport {
    let mut exam = Exam::new(head, detail);
    let code = head.status();
    let mut report = Report {
        request,
        diagnoses: Vec::new(),
        facts: ResponseFacts {
            status: code,
            http_version: exam.http_version(),
            software: software(&exam),
            ..ResponseFacts::default()
        },
    };
    report.facts.outcome = match code {
        _ if !report.concerns_us(&exam) => Outcome::NotWebSocket,
        Some(101) if report.is_extended() => {
            connect::switches(&mut exam);
            Outcome::Failed(&STATUS_101_OVER_HTTP2)
        }
        Some(200..=299) if report.is_extended() => report.opening(&mut exam),
        Some(101) => report.switching(&mut exam, &others),
        Some(100..=199) => Outcome::Interim,
        Some(code) => report.refusal(&mut exam, code),
        // The head says already that it is malformed.
        None => Outcome::Failed(&MALFORMED_RESPONSE),
    };
    if report.facts.outcome != Outcome::NotWebSocket {
        let own = std::mem::take(&mut exam.findings);
        exam.findings = head.findings.iter().cloned().chain(own).collect();
    }
    let headers = exam.headers();
    let concerns = report.facts.outcome != Outcome::NotWebSocket;
    let is_open = matches!(report.facts.outcome, Outcome::Open | Outcome::Failed(_)) && code != Some(101);
    let meaning = match code.filter(|_| concerns) {
        Some(_) if is_open && report.is_extended() => "the WebSocket is open on this stream".into(),
        Some(code) => status(code).meaning,
        None => Text::default(),
    };
    let fields = exam.fields(&headers, meaning);
    ResponseReport {
        headers,
        fields,
        findings: exam.findings,
        diagnoses: report.diagnoses,
        facts: report.facts,
    }
}

/// Who answered, as far as the response says.
fn software(exam: &Exam<'_, '_>) -> Software {
    let named = exam
        .first(Name::Server)
        .map_or(Software::Unnamed, |(_, value)| Software::Unnamed.with_server(value.bytes));
    exam.all(Name::Via).fold(named, |known, (_, value)| known.with_via(value.bytes))
}

/// The one rule by which an answer other than 101 is told.
pub fn refusal_rule(status: u16) -> &'static Rule {
    match status {
        200..=299 => &REJECTED_WITHOUT_ERROR,
        300..=399 => &HANDSHAKE_REDIRECTED,
        _ => &HANDSHAKE_REJECTED,
    }
}

struct Report<'r> {
    request: Option<&'r RequestFacts>,
    diagnoses: Vec<Diagnosis>,
    facts: ResponseFacts,
}

impl Report<'_> {
    /// Whether the exchange has to do with a WebSocket at all.
    fn concerns_us(&self, exam: &Exam<'_, '_>) -> bool {
        let switches = exam.head.status() == Some(101) && super::answers(exam);
        let asked = self.request.is_some_and(|request| request.is_upgrade);
        exam.head.is_response() && (switches || asked || self.request.is_none() && super::wants(exam))
    }

    /// Whether the request was an extended CONNECT (RFC 8441 §4).
    fn is_extended(&self) -> bool {
        self.request.is_some_and(|request| request.extended)
    }

    /// The answer to an extended CONNECT opens the WebSocket.
    fn opening(&mut self, exam: &mut Exam<'_, '_>) -> Outcome {
        connect::response(exam);
        self.subprotocol(exam);
        self.extensions(exam);
        let first = exam.findings.iter().map(|f| f.rule).find(|rule| is_error(rule));
        self.origin(exam);
        self.was_request_sound(exam);
        first.map_or(Outcome::Open, Outcome::Failed)
    }

    fn switching<'k>(&mut self, exam: &mut Exam<'_, '_>, others: &dyn Fn() -> Vec<&'k [u8]>) -> Outcome {
        Self::http_version(exam);
        upgrade(exam);
        connection(exam);
        self.accept(exam, others);
        self.subprotocol(exam);
        self.extensions(exam);
        Self::bodiless(exam);
        let malformed = exam.head.invalid.then_some(&MALFORMED_RESPONSE);
        let first = malformed.or_else(|| exam.findings.iter().map(|f| f.rule).find(|rule| is_error(rule)));
        self.origin(exam);
        self.was_request_sound(exam);
        self.diagnoses.extend(middlebox::in_response(exam, 101, self.request, false));
        first.map_or(Outcome::Open, Outcome::Failed)
    }

    fn http_version(exam: &mut Exam<'_, '_>) {
        if exam.head.version().is_some_and(|version| version < (1, 1)) {
            let version = exam.head.start.version();
            let got = Text::with("101 in a response of {}", shown(version.bytes));
            let span = exam.head.span_of(version);
            exam.find(&MALFORMED_RESPONSE, "HTTP/1.1, the first version with 101", got, Some(span));
        }
    }

    fn accept<'k>(&mut self, exam: &mut Exam<'_, '_>, others: &dyn Fn() -> Vec<&'k [u8]>) {
        exam.once(Name::Accept, &DUPLICATE_ACCEPT);
        let key = self.request.and_then(|request| request.key.as_deref());
        let right = key.map(accept_value);
        let Some((field, value)) = exam.first(Name::Accept) else {
            let expected = match right {
                Some(right) => Text::with("Sec-WebSocket-Accept: {}", right),
                None => Text::new("Sec-WebSocket-Accept"),
            };
            return exam.find(&MISSING_ACCEPT, expected, "no Sec-WebSocket-Accept", None);
        };
        let (Some(key), Some(right)) = (key, right) else {
            // Without the key only the shape can be checked.
            if STANDARD.decode(value.bytes).is_ok_and(|bytes| bytes.len() == 20) {
                let unseen = "20 bytes in Base64; the key it answers was not seen";
                return exam.mark(field, Verdict::Ok, || unseen.into());
            }
            let got = Text::with("{}", shown(value.bytes));
            return exam.find_value(field, &ACCEPT_MISMATCH, "20 bytes in Base64", got);
        };
        let is_right = value.bytes == right.as_bytes();
        match (!is_right).then(|| diagnose(key, value.bytes, &others())).flatten() {
            None => exam.mark(field, Verdict::Ok, || "the right answer to the client's key".into()),
            Some(diagnosis) => {
                // Marked first: the row says what is wrong, the finding what was found.
                exam.mark(field, Verdict::Broken, || "not the answer to the client's key".into());
                let got = Text::with("{}", shown(value.bytes));
                exam.find_value(field, &ACCEPT_MISMATCH, Text::with("{}", right), got);
                self.diagnoses.push(diagnosis);
            }
        }
    }

    fn subprotocol(&mut self, exam: &mut Exam<'_, '_>) {
        exam.once(Name::Protocol, &DUPLICATE_SUBPROTOCOL_RESPONSE);
        let Some((field, value)) = exam.first(Name::Protocol) else {
            if let Some(offered) = self.request.and_then(|request| request.subprotocols.as_deref()) {
                self.diagnoses.push(Diagnosis::new(
                    "no-subprotocol-chosen",
                    Text::with(
                        "the client offered {} and the server chose none, which RFC 6455 allows",
                        prefix(offered, limits::REASON_SHOWN),
                    ),
                    "choose one that the client offered: browsers fail the connection otherwise",
                ));
            }
            return;
        };
        self.facts.subprotocol = Some(value.text().into_owned());
        if value.bytes.is_empty() {
            //= RFC 6455 §4.2.2
            //# The empty string is not the same as the null value for these purposes and is not a legal value
            //# for this field.
            let expected = "one subprotocol, or no such header field";
            return exam.find_value(field, &INVALID_SUBPROTOCOL, expected, Text::new("nothing"));
        }
        if !exam.subprotocol(field, Element { bytes: value.bytes, at: 0 }) {
            return;
        }
        let Some(request) = self.request else {
            return exam.mark(field, Verdict::Ok, || "the subprotocol that both will speak".into());
        };
        let chosen = value.text();
        if request.offered_subprotocols().any(|offer| offer == chosen) {
            return exam.mark(field, Verdict::Ok, || "one of those that the client offered".into());
        }
        let offered = Text::with(
            "one of those offered: {}",
            shown(request.subprotocols.as_deref().unwrap_or_default().as_bytes()),
        );
        if let Some(offer) = request.offered_subprotocols().find(|offer| offer.eq_ignore_ascii_case(&chosen))
        {
            //= RFC 7936 §2
            //# matched using case-sensitive string match
            let got = Text::with("{}, where {} was offered", shown(value.bytes)).and(shown(offer.as_bytes()));
            return exam.find_value(field, &SUBPROTOCOL_CASE, "exactly what the client offered", got);
        }
        let expected = match request.subprotocols {
            Some(_) => offered,
            None => Text::new("no Sec-WebSocket-Protocol, since none was offered"),
        };
        exam.find_value(field, &UNREQUESTED_SUBPROTOCOL, expected, Text::with("{}", shown(value.bytes)));
    }

    fn extensions(&mut self, exam: &mut Exam<'_, '_>) {
        let accepted = exam.extensions();
        self.facts.extensions = exam.joined(Name::Extensions);
        if accepted.is_empty() {
            return;
        }
        let offered = self.request.map(RequestFacts::offered_extensions);
        let names: Option<HashSet<&str>> =
            offered.as_ref().map(|offered| offered.iter().map(|extension| extension.name).collect());
        let mut rsv1: Option<&str> = None;
        for (field, extension) in &accepted {
            let (field, name) = (*field, extension.name);
            note_extension(exam, field, extension);
            let span = exam.within(field, extension.at, name.len());
            if names.as_ref().is_some_and(|names| !names.contains(name)) {
                //= RFC 6455 §9
                //# A server MUST NOT respond with any extension not requested by the client.
                let got = Text::with("{}", shown(name.as_bytes()));
                exam.find_in(
                    field,
                    &UNREQUESTED_EXTENSION,
                    "only extensions that the client offered",
                    got,
                    span,
                );
            }
            if uses_rsv1(name) {
                if let Some(first) = rsv1.filter(|_| first_or_this_is_pmd(rsv1, name)) {
                    let got = Text::with("{} and {}", first).and(name);
                    exam.find_in(field, &PMD_RSV1_CONFLICT, "one extension that uses RSV1", got, span);
                }
                rsv1 = rsv1.or(Some(name));
            }
            if name == deflate::NAME && self.facts.deflate.is_none() {
                let offers = offered.as_deref().unwrap_or_default();
                self.facts.deflate = Some(Self::answer(exam, field, extension, offers));
            }
            exam.mark(field, Verdict::Ok, || "the extensions in use, in the order they are applied".into());
        }
    }

    /// Checks the answer to the offers of permessage-deflate.
    fn answer(
        exam: &mut Exam<'_, '_>,
        field: usize,
        answer: &Extension<'_>,
        offers: &[Extension<'_>],
    ) -> Deflate {
        let params = Params::read(answer, true, |param, wrong| {
            let span = exam.within(field, param.at, param.len);
            exam.find_in(field, wrong.rule, wrong.expected, wrong.got, span);
        });
        let end = answer.params.last().map_or(answer.name.len(), |last| last.at + last.len - answer.at);
        let span = exam.within(field, answer.at, end);
        let agreed = params.agreed();
        // The answer stands for whichever offer it fits; only if it fits none is it wrong.
        let mut refusal = None;
        let mut bad_offer = None;
        let mut fits = false;
        for offer in offers.iter().filter(|offer| offer.name == deflate::NAME) {
            let offer = Params::read(offer, false, |_, _| ());
            match (offer.broken, offer.refuses(&params)) {
                (Some(rule), _) => bad_offer = bad_offer.or(Some(rule)),
                (None, Some(wrong)) => refusal = refusal.or(Some(wrong)),
                (None, None) => fits = true,
            }
        }
        if let (false, Some(wrong)) = (fits, refusal.as_ref()) {
            exam.find_in(field, wrong.rule, wrong.expected, wrong.got.clone(), span);
        } else if let (false, Some(rule)) = (fits, bad_offer) {
            //= RFC 7692 §7
            //# A server MUST decline an extension negotiation offer for this extension if any of the
            //# following conditions are met
            let got = Text::new("an invalid offer was accepted");
            exam.find_in(
                field,
                rule,
                "permessage-deflate declined, since every offer of it is invalid",
                got,
                span,
            );
        }
        let smallest = agreed.server_max_window_bits.min(agreed.client_max_window_bits);
        if smallest < 10 {
            //= RFC 7692 §7.3
            //# an LZ77 sliding window size of 1,024 or more is RECOMMENDED
            let got = Text::with("a window of {} bytes", 1u32 << smallest);
            exam.find_in(field, &PMD_SMALL_WINDOW, "windows of 1,024 bytes (10 bits) or more", got, span);
        }
        agreed
    }

    /// A 101 has no body: frames follow (RFC 9110 §15.2.2).
    fn bodiless(exam: &mut Exam<'_, '_>) {
        for name in [Name::ContentLength, Name::TransferEncoding] {
            if let Some((field, _)) = exam.first(name) {
                exam.mark(field, Verdict::Warning, || {
                    "out of place: a 101 has no body, frames follow".into()
                });
            }
        }
    }

    /// Whether a page of another site was let in.
    fn origin(&self, exam: &mut Exam<'_, '_>) {
        let Some(request) = self.request else { return };
        let (Some(origin), Some(host)) = (&request.origin, &request.host) else { return };
        let Some((_, site)) = origin.split_once("://") else { return };
        if !is_same_site(site, host) {
            //= RFC 6455 §10.2
            //# Servers that are not intended to process input from any web page but
            //# only for certain sites SHOULD verify the |Origin| field is an origin
            //# they expect.
            let [site, host] = [site, host].map(|name| shown(name.as_bytes()));
            let got = match exam.head.status() {
                Some(status) if request.extended => {
                    Text::with("{} for a page of {}, on {}", status).and(site).and(host)
                }
                _ => Text::with("101 for a page of {}, on {}", site).and(host),
            };
            let expected = "403 unless any site may connect";
            exam.find(&CROSS_ORIGIN_ACCEPTED, expected, got, Some(exam.head.start_line_at()));
        }
    }

    fn was_request_sound(&self, exam: &mut Exam<'_, '_>) {
        let Some(request) = self.request else { return };
        let got = if !request.is_upgrade {
            Text::new("101 to a request that asks for no WebSocket")
        } else if let Some(first) = request.broken.first() {
            let ids: Vec<_> = request.broken.iter().map(|rule| rule.id).collect();
            let template =
                if request.extended { "success, although {} ({})" } else { "101, although {} ({})" };
            Text::new(template).word(first.title).and(ids.join(", "))
        } else {
            return;
        };
        let span = exam.head.start_line_at();
        exam.find(&SERVER_ACCEPTED_BAD, "an HTTP error such as 400", got, Some(span));
    }

    fn refusal(&mut self, exam: &mut Exam<'_, '_>, code: u16) -> Outcome {
        let span = exam.head.start_line_at();
        let got = Text::with("{}: {}", code).word(status(code).meaning);
        let rule = refusal_rule(code);
        let expected = match code {
            _ if self.is_extended() => "200, which opens the WebSocket over HTTP/2",
            200..=299 => "101, or an HTTP error that says why not",
            _ => "101 Switching Protocols",
        };
        if let (300..=399, Some((field, place))) = (code, exam.first(Name::Location)) {
            let got = Text::with("{} to {}", code).and(shown(place.bytes));
            exam.mark(field, Verdict::Ok, || "where the client is sent".into());
            exam.find(rule, expected, got, Some(span));
        } else {
            exam.find(rule, expected, got, Some(span));
        }
        let case = refusal::case(exam, code, self.request);
        if let Some(finding) = exam.findings.last_mut() {
            finding.case = Some(Box::new(case));
        }
        let at = exam.findings.len() - 1;
        self.versions(exam, code);
        let page = exam.first(Name::ContentType).is_some_and(|(_, kind)| {
            kind.bytes.get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/html"))
        });
        let diagnoses = middlebox::in_response(exam, code, self.request, page);
        // Who stands between tells more than the status.
        let behind = diagnoses.first().cloned();
        let names_version = exam.first(Name::Version).is_some();
        if let Some(case) = exam.findings.get_mut(at).and_then(|finding| finding.case.as_mut()) {
            let own = || refusal::diagnosis(code, self.request, names_version);
            case.behind = Some(behind.unwrap_or_else(own));
        }
        self.diagnoses.extend(diagnoses);
        Outcome::Rejected
    }

    /// The versions a refusing server names, or fails to name.
    fn versions(&self, exam: &mut Exam<'_, '_>, code: u16) {
        for (field, value) in exam.all(Name::Version) {
            for element in elements(value.bytes).filter(|element| !is_version(element.bytes)) {
                let span = exam.within(field, element.at, element.bytes.len());
                let got = Text::with("{}", shown(element.bytes));
                exam.find_in(
                    field,
                    &UNSUPPORTED_VERSION,
                    "versions from 0 to 255 without leading zero",
                    got,
                    span,
                );
            }
            exam.mark(field, Verdict::Ok, || "the versions that the server understands".into());
        }
        let asked = self.request.and_then(|request| request.version.as_deref());
        if let (0, Some(asked), 400 | 426) =
            (exam.count(Name::Version), asked.filter(|asked| *asked != "13"), code)
        {
            //= RFC 6455 §4.4
            //# If the server doesn't support the requested version, it MUST respond with a
            let got = Text::with("{} to version {}, without Sec-WebSocket-Version", code)
                .and(shown(asked.as_bytes()));
            let span = exam.head.start_line_at();
            exam.find(&VERSION_REJECTION_BARE, "Sec-WebSocket-Version: 13", got, Some(span));
        }
    }
}

fn upgrade(exam: &mut Exam<'_, '_>) {
    let expected = "Upgrade: websocket";
    let Some((field, value)) = exam.first(Name::Upgrade) else {
        return exam.find(&RESPONSE_UPGRADE_INVALID, expected, "no Upgrade", None);
    };
    if let Some((second, _)) = exam.all(Name::Upgrade).nth(1) {
        exam.find_value(second, &RESPONSE_UPGRADE_INVALID, expected, Text::new("more than one Upgrade"));
    } else if value.bytes.eq_ignore_ascii_case(b"websocket") {
        exam.mark(field, Verdict::Ok, || "this connection now speaks WebSocket".into());
    } else {
        exam.find_value(field, &RESPONSE_UPGRADE_INVALID, expected, Text::with("{}", shown(value.bytes)));
    }
}

fn connection(exam: &mut Exam<'_, '_>) {
    let expected = "Upgrade in Connection";
    let Some((first, value)) = exam.first(Name::Connection) else {
        return exam.find(&RESPONSE_CONNECTION_INVALID, expected, "no Connection", None);
    };
    if let Some(field) = exam.listing(Name::Connection, "upgrade") {
        exam.mark(field, Verdict::Ok, || "says that Upgrade is meant for this hop".into());
    } else {
        exam.find_value(first, &RESPONSE_CONNECTION_INVALID, expected, Text::with("{}", shown(value.bytes)));
    }
}

/// Extensions that are known to use RSV1, registered or not.
fn uses_rsv1(name: &str) -> bool {
    name.starts_with("permessage-") || COMPRESSION_DRAFTS.contains(&name)
}

fn first_or_this_is_pmd(first: Option<&str>, this: &str) -> bool {
    let is = |name: &str| name.starts_with("permessage-");
    first.is_some_and(is) || is(this)
}
