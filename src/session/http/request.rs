//! Requests: what they ask for, and what is kept until they are answered.

use super::lane::{Gathered, Request};
use super::polling::asks_for_engine_io;
use super::{Http, OTHER, Over, STAY, Turn, told};
use crate::http::body::Body;
use crate::http::handshake;
use crate::http::head::{Head, HeadState, StartLine};
use crate::limits;
use crate::model::{At, Dir, Handshake, METHODS, Other, Roles, SourceId, Time};
use crate::session::about::About;
use crate::session::entry::Attempt;
use crate::session::judged::{Judged, plain_headers};
use crate::session::{Context, Start};

impl Http {
    /// What is known behind the head of a request for a WebSocket that breaks no rule: that it was made at
    /// `time`, and waits for its answer.
    pub fn asked(head: &[u8], source: SourceId, time: Option<Time>) -> Self {
        let facts = handshake::check_request(&Head::parse(head, source, 0), false).facts;
        let method = facts.method.clone();
        let upgrade = Some(Box::new(facts));
        let mut http = Self::new();
        http.client.blocked = true;
        let cost = head.len();
        http.requests.push_back(Request {
            method,
            upgrade,
            h2c: None,
            polls: false,
            asked: None,
            time,
            unanswered: false,
            given_up: false,
            cost,
        });
        http
    }

    /// What is held while one request waits whose head has so many bytes, and nothing else.
    pub fn cost_of_one(head: usize) -> usize {
        size_of::<Self>() + size_of::<Request>() + head
    }

    /// A request's head is there; `cut` when the input ends in it.
    pub(super) fn request(&mut self, at: At, cut: bool, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        let wants = about.wants(cx);
        let is_first = !self.client.had_head;
        let Gathered { reader, offset, pieces } = self.client.take_head();
        let source = about.source(Dir::Client);
        let mut head = if cut { reader.parse_cut(source, offset) } else { reader.parse(source, offset) };
        // Where the capture begins late, or behind a hole, so may a head: what is no request line is the rest
        // of one.
        let is_whole = match head.start {
            StartLine::Request { method, version, .. } => {
                // What is left of a method is none.
                version.bytes.starts_with(b"HTTP/") && (offset == 0 || METHODS.contains(&method.bytes))
            }
            StartLine::Response { .. } => false,
        };
        if about.start == Start::Midway && is_first {
            if !is_whole {
                return self.answer_waiting(at, about, cx);
            }
            if offset > 0 {
                // An end of line in front of it belongs to what is missing.
                head.findings.clear();
            }
        }
        if head.start_line() == "PRI * HTTP/2.0" {
            // The preface of HTTP/2 with prior knowledge (RFC 9113 §3.4).
            let server = about.endpoints.as_deref().map(|ends| ends[about.side(Dir::Server).index()]);
            cx.memory.census.count(Other { protocol: "http2", server, ..Other::default() });
            return OTHER;
        }
        let asks = handshake::is_upgrade(&head);
        let is_shown = wants.http && !head.start_line().starts_with("CONNECT ");
        let is_engine_io = !asks && asks_for_engine_io(&head);
        let polls = !asks && is_shown || is_engine_io;
        let is_new = about.told.is_none() && (asks || polls);
        if is_new {
            about.announce(Roles::Handshake, Handshake::RequestOnly, cx);
            // Now that the connection has a number, the spans can name it.
            head = head.renamed(about.source(Dir::Client));
        }
        let mut report = handshake::check_request(&head, wants.heads());
        if cut && about.start != Start::Given {
            // The capture ends here: what has not come cannot be missed.
            report.findings.clear();
            report.diagnoses.clear();
        } else if reader.state() == HeadState::Reading {
            // It was to go on, and nobody knows with what.
            report.findings.retain(|finding| !handshake::is_absence(finding.rule));
            report.facts.broken.retain(|rule| !handshake::is_absence(rule));
        }
        let facts = report.facts;
        let connects = facts.method == "CONNECT";
        if connects && about.told.is_none() {
            about.tunnel_head(Judged::plain(Dir::Client, &head, wants, pieces.clone(), at.time));
        }
        let h2c = handshake::h2c_settings(&head);
        self.client.blocked = facts.is_upgrade || connects || h2c.is_some();
        self.client.body = Some(Body::for_request(&head)).filter(|b| !b.is_done() && !self.client.blocked);
        if polls && wants.bodies() {
            // The whole body carries packets.
            self.client.body = self.client.body.take().map(|b| b.keeping(limits::APP_PAYLOAD as usize));
        }
        let method = facts.method.clone();
        let (mut upgrade, mut asked) = (None, None);
        if facts.is_upgrade || polls {
            if facts.is_upgrade || is_new {
                about.describe_request(
                    facts.is_upgrade,
                    &facts.target,
                    facts.host.as_deref(),
                    facts.http_version.clone(),
                    &mut cx.memory.spare,
                );
            }
            if is_new {
                told(about.introduce(at.time, cx))?;
            } else if is_engine_io {
                about.exchanges(Handshake::Polling);
            }
            if facts.is_upgrade {
                let (key, offers) = (facts.key.as_deref(), facts.extensions.is_some());
                let forwarded = facts.forwarded.as_deref().copied();
                let (target, now, is_late) = (&facts.target, at.time, about.is_late);
                let attempt = Attempt { pair: None, forwarded, target, key, offers, now, is_late };
                about.compare(&attempt, &mut report.findings, cx);
            }
            let plain = Judged {
                complete: reader.state() != HeadState::Reading,
                findings: report.findings,
                diagnoses: report.diagnoses,
                ..Judged::new(Dir::Client, &head, wants, pieces, at.time)
            };
            let judged = if polls {
                Judged { polls, headers: plain_headers(&head), ..plain }
            } else {
                Judged { headers: report.headers, fields: report.fields, ..plain }
            };
            self.client.pending = Some(Box::new(judged));
            if self.client.body.is_none() {
                self.show_pending(Dir::Client, about, cx)?;
            }
            upgrade = facts.is_upgrade.then(|| Box::new(facts));
        } else if !connects && h2c.is_none() {
            // Its answer may stream: it is shown then.
            asked = Some(pieces);
        }
        let cost = reader.bytes().len();
        self.requests.push_back(Request {
            method,
            upgrade,
            h2c,
            polls,
            asked: asked.map(|pieces| Box::new(Gathered { reader, offset, pieces })),
            time: at.time,
            unanswered: false,
            given_up: false,
            cost,
        });
        if self.requests.len() > limits::HTTP_REQUESTS_PIPELINED {
            return OTHER;
        }
        self.asked_in_vain(at, about, cx)?;
        self.tell_foreign(about, cx)?;
        self.answer_waiting(at, about, cx)
    }

    /// A request whose empty line will not come is judged as it is, if it asks for a WebSocket.
    pub(super) fn unfinished_request(
        &mut self,
        over: Over,
        at: At,
        about: &mut About,
        cx: &mut Context<'_, '_>,
    ) -> Turn {
        let lane = &self.client;
        // The server may have more of it than there is here.
        if !lane.is_unfinished() || lane.lost || lane.behind {
            return STAY;
        }
        let head = lane.reader.parse_cut(about.source(Dir::Client), lane.offset);
        if !handshake::is_upgrade(&head) {
            return STAY;
        }
        self.request(at, over.is_cut(), about, cx)
    }
}
