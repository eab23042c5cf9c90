//! From an exchange to its film.

use super::exchange::Exchange;
use super::heard::Heard;
use super::ruling::{deals, ruling};
use crate::http::accept::{Steps, hex};
use crate::http::fields::{self, Name};
use crate::http::handshake::{extensions_stripped, status};
use crate::http::{
    Head, RequestFacts, RequestReport, ResponseReport, StartLine, check_request, check_response,
};
use crate::model::film::{Accept, Film, Line, Speech};
use crate::model::{Diagnosis, Dir, Field, Finding, Header, Severity, Span, Text, Verdict};

/// Plays an exchange. `others` are keys of other exchanges of the same recording, so that
/// an answer to one of them is recognised.
pub fn film(exchange: &Exchange, others: &[&[u8]]) -> Film {
    let request = exchange.request.as_ref().map(|heard| (heard, check_request(&heard.head(), true)));
    let facts = request.as_ref().map(|(_, report)| &report.facts);
    let response = exchange
        .response
        .as_ref()
        .map(|heard| (heard, check_response(facts, &heard.head(), || others.to_vec(), true)));
    let (asked, answered) = (request.as_ref().map(|r| &r.1), response.as_ref().map(|r| &r.1));
    let mut diagnoses = Vec::new();
    if exchange.compressed && answered.is_some_and(|report| report.facts.extensions.is_none()) {
        diagnoses.push(extensions_stripped());
    }
    Film {
        title: exchange.title.clone(),
        conn: exchange.conn,
        client: exchange.client,
        server: exchange.server,
        accept: asked.and_then(|asked| accept(asked, response.as_ref().map(|r| r.0))),
        deals: deals(asked, answered),
        ruling: ruling(asked, answered),
        request: request.as_ref().map(|(heard, report)| said_by_client(heard, report)),
        response: response.as_ref().map(|(heard, report)| said_by_server(heard, report)),
        around: exchange.around.clone(),
        diagnoses,
    }
}

fn accept(asked: &RequestReport, response: Option<&Heard>) -> Option<Accept> {
    let Steps { key, decoded, joined, digest, accept } = Steps::of(asked.facts.key.as_deref()?);
    let head = response.map(Heard::head);
    let has_answer = |head: &Head<'_>| head.values("Sec-WebSocket-Accept").next().is_some();
    if head.as_ref().is_some_and(|head| head.status() != Some(101) && !has_answer(head)) {
        // Who refuses need not answer the key.
        return None;
    }
    let sent =
        head.and_then(|head| head.values("Sec-WebSocket-Accept").next().map(|v| v.text().into_owned()));
    let decoded = decoded.as_deref().map(hex);
    Some(Accept { key, decoded, joined, sha1: hex(&digest), right: accept, sent })
}

fn said_by_client(heard: &Heard, report: &RequestReport) -> Speech {
    let RequestFacts { method, target, is_upgrade, .. } = &report.facts;
    let meaning = match (*is_upgrade, method.as_str()) {
        (true, "GET") => Text::with("asks for {}, to become a WebSocket", target),
        (true, _) => Text::with("{} is no way to open a WebSocket", method),
        (false, _) => Text::new("asks for no WebSocket"),
    };
    let speech =
        Speaker { heard, headers: &report.headers, fields: &report.fields, findings: &report.findings };
    speech.say(Dir::Client, meaning, report.diagnoses.clone())
}

fn said_by_server(heard: &Heard, report: &ResponseReport) -> Speech {
    let meaning = report.facts.status.map_or_else(|| Text::new("no status"), |code| status(code).meaning);
    let speech =
        Speaker { heard, headers: &report.headers, fields: &report.fields, findings: &report.findings };
    speech.say(Dir::Server, meaning, report.diagnoses.clone())
}

struct Speaker<'r> {
    heard: &'r Heard,
    headers: &'r [Header<'static>],
    fields: &'r [Field],
    findings: &'r [Finding],
}

impl Speaker<'_> {
    fn say(&self, dir: Dir, meaning: Text, diagnoses: Vec<Diagnosis>) -> Speech {
        let head = self.heard.head();
        // What a decoder found already is the same, except where it kept less than it saw.
        let mut findings = self.heard.findings.clone().unwrap_or_else(|| self.findings.to_vec());
        let start_verdict = verdict_on(head.start_line_at(), &findings);
        for span in findings.iter_mut().flat_map(|finding| &mut finding.spans) {
            *span = self.original(*span);
        }
        let why = match head.start {
            StartLine::Request { .. } => &fields::REQUEST_LINE,
            StartLine::Response { .. } => &fields::STATUS,
        };
        Speech {
            dir,
            length: self.heard.length(),
            time: self.heard.time,
            packets: self.heard.packets,
            start_line: head.start_line().into_owned(),
            start_verdict,
            meaning,
            why: Some(why),
            lines: self.lines(),
            findings,
            diagnoses,
            body: self.heard.body.clone(),
        }
    }

    fn lines(&self) -> Vec<Line> {
        let mut fields = self.fields.iter().peekable();
        let mut lines = Vec::with_capacity(self.headers.len());
        for header in self.headers {
            // The start line's fields come first, then each header field with its elements.
            while fields
                .next_if(|field| field.depth > 0 || field.span.start != header.name_at.start)
                .is_some()
            {}
            fields.next();
            let mut parts = Vec::new();
            while let Some(part) = fields.next_if(|field| field.depth > 0) {
                parts.push(Field { span: self.original(part.span), ..part.clone() });
            }
            let header = Header {
                name_at: self.original(header.name_at),
                value_at: self.original(header.value_at),
                ..header.clone()
            };
            let def = Name::of(header.name.as_bytes()).map(|known| &known.def);
            lines.push(Line { header, def, parts });
        }
        lines
    }

    /// A span in the recording as it was given.
    fn original(&self, span: Span) -> Span {
        Span::bits(span.source, self.heard.original(span.start), self.heard.original(span.end))
    }
}

/// What the findings make of some bytes.
fn verdict_on(place: Span, findings: &[Finding]) -> Verdict {
    let touches = |span: &Span| span.overlaps(&place);
    let worst = findings.iter().filter(|f| f.spans.iter().any(touches)).map(|f| f.rule.severity).max();
    match worst {
        Some(Severity::Error) => Verdict::Broken,
        Some(Severity::Warning) => Verdict::Warning,
        Some(Severity::Note) | None => Verdict::Ok,
    }
}
