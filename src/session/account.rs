//! Connections that somebody tells of: a browser, or the archive that a program saved.
//!
//! A handshake of which all fields are listed is held against the same rules as one on the wire. Where some
//! are left out nobody is blamed for it: then it is only shown, and what it came to.

use std::borrow::Cow;

use super::judged::Judged;
use super::{Context, Phase, Session};
use crate::http::handshake::{self, Outcome, RequestFacts, ResponseFacts};
use crate::http::head::Head;
use crate::http::{Body, FAILURE_TOLD, failure_diagnosis, failure_status};
use crate::limits;
use crate::model::{
    At, Case, CloseCode, Dir, Finding, Flow, Handshake, Header, Interest, ON, Roles, Rule, Side, SourceId,
    Span, Text, Time, ToldHead, ToldMessage, ToldStart, Verdict, prefix,
};
use crate::ws::Extensions;

impl Session {
    /// A head, with its content.
    pub fn head_told(&mut self, head: &ToldHead<'_>, at: At, cx: &mut Context<'_, '_>) -> Interest {
        self.about.client = Some(Side::A);
        let is_judged = head.opens && head.is_listed() && head.is_http1();
        let flow = match head.start {
            ToldStart::Request { .. } if is_judged => return self.data(Side::A, &head.http1(), at, cx),
            ToldStart::Request { method, target, authority } => {
                self.request_told((method, target, authority), head, at, cx)
            }
            ToldStart::Response { .. } if is_judged && matches!(self.phase, Phase::Http(_)) => {
                return self.data(Side::B, &head.http1(), at, cx);
            }
            ToldStart::Response { status, .. } => self.response_told(status, head, at, cx),
        };
        self.interest(flow)
    }

    /// A request that is not judged.
    fn request_told(
        &mut self,
        (method, target, authority): (&str, &str, &str),
        head: &ToldHead<'_>,
        at: At,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        self.phase = Phase::Other;
        let about = &mut self.about;
        let is_new = about.told.is_none();
        about.announce(Roles::Handshake, Handshake::RequestOnly, cx);
        if is_new || head.opens {
            let host = head.header("Host").or_else(|| head.header(":authority"));
            let host = host.or_else(|| (!authority.is_empty()).then_some(authority));
            let version = head.version.strip_prefix("HTTP/").unwrap_or(head.version).to_owned();
            let version = (!version.is_empty()).then_some(Cow::Owned(version));
            about.describe_request(head.opens, target, host, version, &mut cx.memory.spare);
        }
        if is_new {
            about.introduce(at.time, cx)?;
        }
        if head.opens {
            about.tunnel.get_or_insert_default().asked_with = Some(method.into());
        }
        self.show_told(head, at.time, Vec::new(), cx)
    }

    /// A response that is not judged, beyond what its status says.
    fn response_told(&mut self, status: u16, head: &ToldHead<'_>, at: At, cx: &mut Context<'_, '_>) -> Flow {
        // So it is told where nothing came.
        if status == 0 {
            return ON;
        }
        if !head.opens {
            return self.show_told(head, at.time, Vec::new(), cx);
        }
        let is_http1 = head.version.starts_with("HTTP/1");
        // Over HTTP/2 it is answered as any request (RFC 8441 §5).
        let has_opened = status == 101 || !is_http1 && (200..300).contains(&status);
        let about = &mut self.about;
        let has_request = about.told.is_some();
        about.announce(Roles::Handshake, Handshake::ResponseOnly, cx);
        let mut facts = ResponseFacts { status: Some(status), ..ResponseFacts::default() };
        let mut findings = Vec::new();
        if has_opened {
            facts.outcome = Outcome::Open;
            facts.subprotocol = head.header("Sec-WebSocket-Protocol").map(str::to_owned);
            facts.extensions = head.header("Sec-WebSocket-Extensions").map(str::to_owned);
        } else {
            facts.outcome = Outcome::Rejected;
            let method = about.tunnel.as_ref().and_then(|tunnel| tunnel.asked_with.as_deref());
            findings.extend(refusal(status, head, method));
        }
        about.describe_response(&facts, has_request);
        if !has_request {
            about.introduce(at.time, cx)?;
        }
        self.show_told(head, at.time, findings, cx)?;
        if has_opened {
            self.opened_as_told();
        }
        ON
    }

    /// From here on there are messages.
    fn opened_as_told(&mut self) {
        let Some(mut talk) = self.about.conversation([0, 0], Extensions::NONE) else { return };
        // Whatever is told of the handshake, both are told of.
        talk.is_captured(Dir::Client);
        self.phase = Phase::WebSocket(Box::new(talk));
    }

    /// A message.
    pub fn message_told(&mut self, told: &ToldMessage<'_>, at: At, cx: &mut Context<'_, '_>) -> Interest {
        self.about.client = Some(Side::A);
        if !self.is_settled() {
            // Whatever was told of its handshake, there are messages.
            let is_new = self.about.told.is_none();
            self.about.announce(Roles::Handshake, Handshake::Missing, cx);
            if is_new && self.about.introduce(at.time, cx).is_break() {
                return Interest::Stop;
            }
            if let Some(told) = &mut self.about.told {
                told.connection.handshake = Handshake::Missing;
            }
            self.opened_as_told();
        }
        let Phase::WebSocket(talk) = &mut self.phase else { return Interest::Follow };
        let flow = talk.told(told, at, cx.out);
        self.interest(flow)
    }

    /// A close code, of which nobody says who sent it.
    pub fn code_told(&mut self, code: CloseCode) {
        if let Phase::WebSocket(talk) = &mut self.phase {
            talk.is_told_code(code);
        }
    }

    /// What the program that tells of the connection gives as the reason for its failure.
    pub fn failure_told(&mut self, why: &str, at: At, cx: &mut Context<'_, '_>) -> Interest {
        let Some(told) = &mut self.about.told else { return Interest::Follow };
        told.has_failed = true;
        let is_unanswered = told.connection.handshake == Handshake::RequestOnly;
        let why = prefix(why, limits::FAILURE_SHOWN);
        // Of an answer that opened nothing, Chromium's developer tools tell the status in these words alone.
        if let Some(status) = failure_status(why).filter(|_| is_unanswered) {
            let flow = self.response_told(status, &ToldHead::answered(status), at, cx);
            if flow.is_break() {
                return Interest::Stop;
            }
        }
        let finding =
            Finding::new(&FAILURE_TOLD, None, "a WebSocket that works".into(), Text::with("{}", why));
        // In front of what it says stands, where it failed.
        let short = ["Error in connection establishment: ", "Error during WebSocket handshake: "]
            .iter()
            .find_map(|words| why.strip_prefix(words))
            .unwrap_or(why);
        let case = Case {
            behind: failure_diagnosis(why),
            ..Case::new(Text::with("failed; the browser says: {}", short), Vec::new())
        };
        let Some(told) = &self.about.told else { return Interest::Follow };
        let flow = told.note(Dir::Client, at, &[finding.like(case)], cx);
        self.interest(flow)
    }

    /// Shows a head as it is listed.
    fn show_told(
        &self,
        head: &ToldHead<'_>,
        time: Option<Time>,
        findings: Vec<Finding>,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let is_request = matches!(head.start, ToldStart::Request { .. });
        let dir = if is_request { Dir::Client } else { Dir::Server };
        let nowhere = Span::bytes(SourceId::Input, 0, 0);
        // What a content was coded in on the wire says nothing of it as it is told.
        let is_coding = |name: &str| !head.body.is_empty() && name.eq_ignore_ascii_case("Content-Encoding");
        let headers = head.headers.iter().filter(|(name, _)| !is_coding(name)).map(|(name, value)| Header {
            name: name.clone().into(),
            value: value.clone().into(),
            verdict: Verdict::Irrelevant,
            meaning: Text::default(),
            name_at: nowhere,
            value_at: nowhere,
        });
        let headers = if cx.out.wants().heads() { headers.collect() } else { Vec::new() };
        let judged = Judged {
            stream: None,
            polls: !head.opens,
            dir,
            offset: 0,
            length: 0,
            bytes: Vec::new(),
            start_line: head.start_line(),
            complete: true,
            headers,
            fields: Vec::new(),
            findings,
            diagnoses: Vec::new(),
            pieces: Vec::new(),
            time,
            last_packet: None,
            streams: false,
        };
        let body = (head.length > 0).then(|| Body::whole(head.body, head.length));
        self.about.show(&judged, body.as_ref(), cx)
    }
}

/// What an answer other than 101 is against, and what may be behind it.
fn refusal(status: u16, head: &ToldHead<'_>, method: Option<&str>) -> Option<Finding> {
    let rule: &'static Rule = handshake::refusal_rule(status);
    let bytes = format!("HTTP/1.1 {status} \r\n\r\n");
    let parsed = Head::parse(bytes.as_bytes(), SourceId::Input, 0);
    let method = method.unwrap_or("GET").to_owned();
    let facts = RequestFacts { is_upgrade: true, method, ..RequestFacts::default() };
    let report = handshake::check_response(Some(&facts), &parsed, Vec::new, false);
    let mut finding = report.findings.into_iter().find(|finding| *finding.rule == *rule)?;
    handshake::with_body(&mut finding, head.body, false);
    Some(finding)
}
