//! Responses: which request each answers, and what the connection becomes by it.

use super::lane::Gathered;
use super::{Http, Over, STAY, Turn, told};
use crate::http::body::Body;
use crate::http::handshake;
use crate::limits;
use crate::model::{At, Dir, Handshake, Roles};
use crate::session::about::About;
use crate::session::judged::Judged;
use crate::session::{Context, Start};

impl Http {
    /// A response's head is complete. `may_wait` allows it to wait for its request.
    pub(super) fn response(
        &mut self,
        at: At,
        may_wait: bool,
        about: &mut About,
        cx: &mut Context<'_, '_>,
    ) -> Turn {
        let wants = about.wants(cx);
        // 101 to the first of two requests would make frames of the second.
        if self.asks_again() && self.server.reader.bytes().get(9..12) == Some(b"101") {
            self.next_request(about, cx)?;
        }
        if self.requests.is_empty() && may_wait && self.request_is_coming(about) {
            self.server.blocked = true;
            self.server.waits = Some(at);
            return STAY;
        }
        let is_first = !self.server.had_head;
        let Gathered { reader, offset, pieces } = self.server.take_head();
        let mut head = reader.parse(about.source(Dir::Server), offset);
        if is_first && offset > 0 && about.start == Start::Midway {
            // Behind a hole an end of line in front of it belongs to what is missing.
            head.findings.clear();
        }
        let status = head.status();
        // An interim response answers nothing yet (RFC 9110 §15.2); 101 is final for its request.
        let is_interim = status.is_some_and(|s| (100..200).contains(&s) && s != 101);
        if is_interim {
            let judged = wants.http.then(|| Judged::plain(Dir::Server, &head, wants, pieces, at.time));
            return judged.map_or(STAY, |judged| told(about.show(&judged, None, cx)));
        }
        let mut request = self.requests.pop_front();
        let method = request.as_ref().map(|r| r.method.as_str());
        let succeeds = status.is_some_and(|s| (200..300).contains(&s));
        let may_tunnel = method == Some("CONNECT") || (request.is_none() && about.start == Start::Midway);
        self.server.body = Some(Body::for_response(&head, method)).filter(|b| !b.is_done());
        // Where the request was not seen, what has no length may be a tunnel; else nothing comes behind it.
        let tunnels = may_tunnel
            && succeeds
            && (method.is_some() || self.server.body.as_ref().is_some_and(Body::is_until_close));
        let answers_connect = method == Some("CONNECT");
        // Its request is not there, but it is shown all the same where everything is.
        let is_alone = wants.http && request.is_none() && !tunnels && !handshake::wants_websocket(&head);
        let follow = self.follow(&head, request.as_ref(), about, cx);
        if follow.is_some() {
            Self::show_asked(request.as_mut(), at, about, cx)?;
            head = head.renamed(about.source(Dir::Server));
        }
        let polls = is_alone || follow.is_some() || request.as_ref().is_some_and(|r| r.polls);
        if status == Some(101) && !handshake::switches_to_websocket(&head) {
            let is_unasked = request.as_ref().is_none_or(|request| request.upgrade.is_none());
            if is_unasked {
                let is_h2c = handshake::switches_to_h2c(&head);
                return self.switch(request, is_h2c, about, cx);
            }
        }
        let offer = request.and_then(|r| r.upgrade);
        if polls && status != Some(101) {
            if is_alone && about.told.is_none() {
                about.announce(Roles::Handshake, Handshake::Http, cx);
                told(about.introduce(at.time, cx))?;
                head = head.renamed(about.source(Dir::Server));
            }
            if wants.bodies() {
                self.server.body = self.server.body.take().map(|b| b.keeping(limits::APP_PAYLOAD as usize));
            }
            let streams = follow.is_some();
            let judged = Judged::plain(Dir::Server, &head, wants, pieces, at.time);
            self.server.pending = Some(Box::new(Judged { polls, streams, ..judged }));
            let is_whole = streams || self.server.body.is_none();
            if streams {
                self.server.body = self.server.body.take().map(|body| body.keeping(0));
                self.server.follow = follow;
            }
            // A server may answer before it has the whole request, 413 for example.
            self.show_pending(Dir::Client, about, cx)?;
            if is_whole {
                self.show_pending(Dir::Server, about, cx)?;
            }
            return self.resume_client(about, cx);
        }
        if answers_connect && about.told.is_none() {
            about.tunnel_head(Judged::plain(Dir::Server, &head, wants, pieces.clone(), at.time));
        }
        if tunnels {
            return self.tunnel(about);
        }
        if let Some(status) = status.filter(|_| answers_connect) {
            about.no_tunnel(status, &head, at, cx);
        }
        // Its request was seen, but had to be given up.
        let is_resumed = about.is_asked_for();
        let is_unasked = about.told.is_none() && handshake::wants_websocket(&head);
        if offer.is_none() && !is_unasked && (status != Some(101) || about.told.is_some() && !is_resumed) {
            return self.resume_client(about, cx);
        }
        if about.told.is_none() {
            about.announce(Roles::Handshake, Handshake::ResponseOnly, cx);
        }
        if matches!(status, Some(502..=504)) {
            cx.memory.gateway_failed(at.time);
        }
        let head = head.renamed(about.source(Dir::Server));
        let mut overlap = Vec::new();
        if let Some(told) = &mut about.told {
            // One that waited for its request came earlier.
            let answer = at.time.filter(|_| may_wait);
            cx.memory.replied(told.conn, &mut told.entry, answer, &mut overlap);
        }
        let others = || cx.memory.latest_keys();
        // Where the server has had more of the client than is here, it may have answered another request.
        let asked = offer.as_deref().filter(|_| !self.client.behind);
        let mut report = handshake::check_response(asked, &head, others, wants.heads());
        report.findings.append(&mut overlap);
        about.describe_response(&report.facts, offer.is_some() || is_resumed);
        if offer.is_none() && !is_resumed {
            told(about.introduce(at.time, cx))?;
        }
        let judged = Judged {
            headers: report.headers,
            fields: report.fields,
            findings: report.findings,
            diagnoses: report.diagnoses,
            ..Judged::new(Dir::Server, &head, wants, pieces, at.time)
        };
        if status == Some(101) {
            told(about.show(&judged, None, cx))?;
            return self.upgrade(offset + reader.total(), &report.facts, about, cx);
        }
        self.server.pending = Some(Box::new(judged));
        if self.server.body.is_none() {
            self.show_pending(Dir::Server, about, cx)?;
        }
        self.resume_client(about, cx)
    }

    /// Whether the request that a response answers is still to come.
    fn request_is_coming(&self, about: &About) -> bool {
        // All of both streams is in the capture, so a request is: it was captured later than this.
        let is_overtaken = about.both_heard
            && !self.server.in_vain
            && matches!(about.start, Start::Opened | Start::Given)
            && about.heard(Dir::Client) == 0
            && about.ended[about.side(Dir::Client).index()].is_none();
        self.client.has_begun() || is_overtaken
    }

    /// A response that breaks off is shown as far as it came.
    pub(super) fn unfinished_response(
        &mut self,
        over: Over,
        at: At,
        about: &mut About,
        cx: &mut Context<'_, '_>,
    ) -> Turn {
        let wants = about.wants(cx);
        let Some(offer) = self.requests.front().and_then(|request| request.upgrade.as_deref()) else {
            return STAY;
        };
        if !self.server.is_unfinished() || self.server.behind {
            return STAY;
        }
        let Gathered { reader, offset, pieces } = self.server.take_head();
        let source = about.source(Dir::Server);
        let head =
            if over.is_cut() { reader.parse_cut(source, offset) } else { reader.parse(source, offset) };
        let report = handshake::check_response(Some(offer), &head, Vec::new, wants.heads());
        let Some(connection) = &mut about.told else { return STAY };
        if !over.is_cut() {
            connection.refused();
        }
        connection.connection.status = head.status();
        cx.memory.answered(connection.conn, &mut connection.entry);
        let judged = Judged {
            complete: false,
            headers: report.headers,
            fields: report.fields,
            // What has not come cannot be missed.
            findings: if over.is_cut() { Vec::new() } else { head.findings.clone() },
            ..Judged::new(Dir::Server, &head, wants, pieces, at.time)
        };
        told(about.show(&judged, None, cx))
    }
}
