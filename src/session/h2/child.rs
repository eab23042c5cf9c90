//! A WebSocket on a stream of HTTP/2, from its CONNECT on (RFC 8441 §5).

use std::collections::VecDeque;

use super::head::Written;
use super::{Around, Stop, ends_of, show};
use crate::h2::{HeadSeen, Run};
use crate::http::body::Body;
use crate::http::handshake::{self, RequestFacts};
use crate::http::{CONNECT_ENDS_STREAM, CONNECT_WITHOUT_SETTING, DATA_BEFORE_COMPLETE, HANDSHAKE_UNANSWERED};
use crate::limits;
use crate::model::http2::error_shown;
use crate::model::{
    At, Case, Dir, Finding, Flow, Handshake, Interest, Layer, Missing, ON, Receipt, Roles, Rule, Side,
    SourceId, Span, StreamEnd, Text, Time,
};
use crate::session::about::About;
use crate::session::judged::Judged;
use crate::session::{Context, Phase, Session, Start};
use crate::ws::{Conversation, Extensions};

/// A WebSocket on a stream.
pub(super) struct Child {
    session: Session,
    stream: u32,
    /// What was asked for, until the answer comes.
    asked: Option<Box<RequestFacts>>,
    /// What came before the answer.
    held: VecDeque<(Dir, Vec<u8>, At)>,
    held_bytes: usize,
    /// A refusal that is shown with its body.
    refusal: Option<(Box<Judged>, Body)>,
    ended: [bool; 2],
    is_reset: bool,
    /// Its client had more of the server than is there when it said what came before the answer.
    is_behind: bool,
    /// Bytes of header fields that were written.
    written: [u64; 2],
}

impl Child {
    /// A stream of the connection `about` whose beginning is not known.
    pub fn new(stream: u32, about: &About) -> Self {
        let session = Session::new(ends_of(about), Start::Opened)
            .hearing_both(about.both_heard)
            .on(about.layer)
            .within(about.told.as_ref().and_then(|told| std::num::NonZeroU32::new(told.conn)));
        Self {
            session,
            stream,
            asked: None,
            held: VecDeque::new(),
            held_bytes: 0,
            refusal: None,
            ended: [false; 2],
            is_reset: false,
            is_behind: false,
            written: [0, 0],
        }
    }

    /// Its session, which is a WebSocket whose handshake was not captured.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Its WebSocket, once it is one.
    pub fn talk(&mut self) -> Option<&mut Conversation> {
        self.session.talk()
    }

    /// Bytes that it holds.
    pub fn cost(&self) -> usize {
        let refusal = self.refusal.as_ref().map_or(0, |(_, body)| body.preview().len());
        limits::FLOW_HELD + limits::CONNECTION_HELD + self.held_bytes + refusal
    }

    /// Begins with an extended CONNECT. `allowed` says whether the server has said that it takes one, where
    /// that is known.
    pub fn request(
        head: &HeadSeen,
        written: &Written,
        allowed: Option<bool>,
        to: &mut Around<'_, '_, '_>,
    ) -> std::ops::ControlFlow<(), Self> {
        let (parent, cx) = (&*to.about, &mut *to.cx);
        let mut child = Self::new(head.stream, parent);
        let about = &mut child.session.about;
        about.client = Some(Side::A);
        about.announce(Roles::Handshake, Handshake::RequestOnly, cx);
        let source = Layer::headers(about.number(), Dir::Client);
        let read = written.head(source, 0);
        let wants = cx.out.wants();
        let mut report = handshake::check_request(&read, wants.heads());
        let findings = &mut report.findings;
        if head.unknown > 0 {
            // What is not known cannot be missed.
            findings.clear();
            report.facts.broken.clear();
        }
        if allowed == Some(false) {
            //= RFC 8441 §3
            //# opt-in negotiation
            let expected = "SETTINGS_ENABLE_CONNECT_PROTOCOL = 1 from the server before it".into();
            let got = "a CONNECT with :protocol".into();
            findings.push(Finding::new(&CONNECT_WITHOUT_SETTING, Dir::Client, expected, got));
        }
        if head.ends_stream {
            let (expected, got) = ("a stream that stays open".into(), "END_STREAM".into());
            findings.push(Finding::new(&CONNECT_ENDS_STREAM, Dir::Client, expected, got));
        }
        findings.extend(show::named(head.findings.clone(), parent.source(Dir::Client)));
        let facts = report.facts;
        about.describe_request(
            true,
            &facts.target,
            facts.host.as_deref(),
            facts.http_version.clone(),
            &mut cx.memory.spare,
        );
        about.introduce(head.at.time, cx)?;
        let judged = Judged {
            stream: Some((head.stream, parent.source(Dir::Client))),
            length: head.length,
            last_packet: Some(head.at.packet),
            headers: report.headers,
            fields: report.fields,
            findings: report.findings,
            diagnoses: report.diagnoses,
            ..Judged::new(Dir::Client, &read, wants, written.pieces.clone(), head.at.time)
        };
        about.show(&judged, None, cx)?;
        child.written[Dir::Client.index()] = written.bytes.len() as u64;
        child.asked = Some(Box::new(facts));
        std::ops::ControlFlow::Continue(child)
    }

    /// Header fields of the server.
    pub fn response(&mut self, head: &HeadSeen, parent: SourceId, cx: &mut Context<'_, '_>) -> Flow {
        let written = Written::of(head, Dir::Server);
        let about = &mut self.session.about;
        let offset = self.written[Dir::Server.index()];
        let source = Layer::headers(about.number(), Dir::Server);
        let read = written.head(source, offset);
        self.written[Dir::Server.index()] += written.bytes.len() as u64;
        let wants = cx.out.wants();
        let pieces = written.pieces_from(offset);
        let status = read.status();
        let is_interim = status.is_some_and(|status| (100..200).contains(&status) && status != 101);
        let Some(facts) = self.asked.take() else { return ON };
        let mut report = handshake::check_response(Some(&facts), &read, Vec::new, wants.heads());
        report.findings.extend(show::named(head.findings.clone(), parent));
        let judged = Judged {
            stream: Some((self.stream, parent)),
            length: head.length,
            last_packet: Some(head.at.packet),
            headers: report.headers,
            fields: report.fields,
            findings: report.findings,
            diagnoses: report.diagnoses,
            ..Judged::new(Dir::Server, &read, wants, pieces, head.at.time)
        };
        if is_interim {
            self.asked = Some(facts);
            return about.show(&judged, None, cx);
        }
        about.describe_response(&report.facts, true);
        if !report.facts.opens() {
            let body = Body::until_end().coded(&read);
            if head.ends_stream {
                about.show(&judged, None, cx)?;
            } else {
                self.refusal = Some((Box::new(judged), body));
            }
            return ON;
        }
        about.show(&judged, None, cx)?;
        if let handshake::Outcome::Failed(cause) = report.facts.outcome {
            about.bad_handshake = Some(cause);
        }
        let agreed = report.facts.extensions.as_deref().unwrap_or_default();
        let other = handshake::has_other_extensions(agreed);
        let extensions = Extensions { known: true, deflate: report.facts.deflate, other };
        self.open(extensions, cx)
    }

    /// The WebSocket is open; what came before is read now.
    fn open(&mut self, extensions: Extensions, cx: &mut Context<'_, '_>) -> Flow {
        let about = &mut self.session.about;
        let Some(talk) = about.conversation([0, 0], extensions) else { return ON };
        let early: u64 = self
            .held
            .iter()
            .filter(|(dir, ..)| *dir == Dir::Client)
            .map(|(_, held, _)| held.len() as u64)
            .sum();
        if early > 0
            && !self.is_behind
            && let (Some(told), Some((_, _, at))) = (&about.told, self.held.front())
        {
            //= RFC 6455 §4.1
            //# the client MUST wait for a response from the
            //# server before sending any further data
            let got = Text::with("{} bytes before the response", early);
            let expected = "nothing before the response".into();
            let span = Span::bytes(about.source(Dir::Client), 0, early);
            let finding = Finding::new(&DATA_BEFORE_COMPLETE, Dir::Client, expected, got).at(span);
            told.note(Dir::Client, *at, &[finding], cx)?;
        }
        self.session.phase = Phase::WebSocket(Box::new(talk));
        self.held_bytes = 0;
        for (dir, held, at) in std::mem::take(&mut self.held) {
            flow(self.session.data(Side::of(dir), &held, at, cx))?;
        }
        ON
    }

    /// Content of the stream.
    pub fn data(&mut self, dir: Dir, run: Run<'_>, cx: &mut Context<'_, '_>) -> Flow {
        if self.session.is_settled() {
            return flow(self.session.data(Side::of(dir), run.bytes, run.at, cx));
        }
        if let Some((judged, body)) = &mut self.refusal {
            if dir == Dir::Server {
                body.push(run.bytes);
                judged.last_packet = Some(run.at.packet);
            }
        } else if self.asked.is_some() {
            let room = limits::BEFORE_RESPONSE.saturating_sub(self.held_bytes).min(run.bytes.len());
            self.held_bytes += room;
            self.held.push_back((dir, run.bytes[..room].to_vec(), run.at));
        }
        ON
    }

    /// Something of `dir` is not there that its peer had when it sent what comes next.
    pub fn behind(&mut self, dir: Dir, cx: &mut Context<'_, '_>) {
        self.is_behind |= dir == Dir::Server;
        self.session.behind(Side::of(dir), cx);
    }

    /// Some of its content is missing, of which it is not known how much: among the `length` bytes that the
    /// connection lacks may be frames' headers and what is of other streams. What comes next must not be
    /// taken for the rest of a frame.
    pub fn lose(&mut self, dir: Dir, rule: &'static Rule, length: u64, cx: &mut Context<'_, '_>) -> Flow {
        self.gap(dir, rule, Missing { length, is_exact: false }, cx)
    }

    /// So much of its content is missing.
    pub fn gap(&mut self, dir: Dir, rule: &'static Rule, missing: Missing, cx: &mut Context<'_, '_>) -> Flow {
        self.is_behind |= dir == Dir::Server;
        flow(self.session.gap(Side::of(dir), missing, (None, None), rule, cx))
    }

    /// An endpoint has ended the stream, or the connection below it.
    pub fn end(&mut self, dir: Dir, stop: &Stop, cx: &mut Context<'_, '_>) -> Flow {
        if std::mem::replace(&mut self.ended[dir.index()], true) {
            return ON;
        }
        if dir == Dir::Server {
            self.show_refusal(cx)?;
        }
        flow(self.session.end(Side::of(dir), stop.how, stop.receipt, stop.at, cx))
    }

    /// An endpoint has reset the stream.
    pub fn reset(&mut self, dir: Dir, code: u32, at: At, cx: &mut Context<'_, '_>) -> Flow {
        self.show_refusal(cx)?;
        self.is_reset = true;
        if self.asked.is_some()
            && dir == Dir::Server
            && !self.is_behind
            && let Some(told) = &self.session.about.told
        {
            let name = error_shown(code);
            let got = Text::with("RST_STREAM with {}, and no answer", &name);
            let expected = "200, or an HTTP error that says why not".into();
            let case = Case {
                behind: Some(crate::http::reset_diagnosis(code)),
                ..Case::new(
                    Text::with("got no answer: the server reset the stream with {}", name),
                    Vec::new(),
                )
            };
            let finding = Finding::new(&HANDSHAKE_UNANSWERED, Dir::Server, expected, got).like(case);
            told.note(Dir::Server, at, &[finding], cx)?;
        }
        let how = StreamEnd::Reset(u8::try_from(code).unwrap_or(u8::MAX));
        if std::mem::replace(&mut self.ended[dir.index()], true) {
            // Some programs end a stream in order before they say that it has failed. NO_ERROR and CANCEL say
            // no more than that they want nothing else on it.
            if !matches!(code, 0 | 8)
                && let Some(talk) = self.session.talk()
            {
                talk.reset(dir, how);
            }
            return ON;
        }
        flow(self.session.end(Side::of(dir), how, Receipt::default(), at, cx))
    }

    fn show_refusal(&mut self, cx: &mut Context<'_, '_>) -> Flow {
        let Some((mut judged, body)) = self.refusal.take() else { return ON };
        let plain = body.plain();
        judged.findings.iter_mut().for_each(|finding| handshake::with_body(finding, &plain, false));
        self.session.about.show(&judged, Some(&body), cx)
    }

    /// Whether nothing more can come on its stream.
    pub fn is_over(&self) -> bool {
        self.is_reset || self.ended == [true; 2]
    }

    /// The stream is over, or the connection below it.
    pub fn finish(
        mut self,
        how: StreamEnd,
        ended: Option<Time>,
        now: Option<Time>,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        self.show_refusal(cx)?;
        self.session.finish(how, None, ended, now, cx)
    }
}

fn flow(interest: Interest) -> Flow {
    if interest == Interest::Stop { std::ops::ControlFlow::Break(()) } else { ON }
}
