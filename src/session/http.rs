//! The HTTP part of a connection: requests and responses up to the one that upgrades.

use super::lane::{Chunk, HttpPhase, Request};
use super::polling::{asks_for_engine_io, plain_headers};
use super::silence::Over;
use super::told::Judged;
use super::{Context, Phase, Session, Side, Start};
use crate::http::body::Body;
use crate::http::handshake;
use crate::http::head::{HeadState, Sniff, StartLine, sniff};
use crate::limits;
use crate::model::{At, Dir, Flow, Handshake, ON, Other, Piece, Roles, SourceId};

impl Session {
    /// Takes bytes of a connection that speaks HTTP.
    pub(super) fn http_data(
        &mut self,
        side: Side,
        mut bytes: &[u8],
        mut at: At,
        mut offset: u64,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        self.answer_nobody(side, bytes, at, cx)?;
        while !bytes.is_empty() {
            let Phase::Http(http) = &mut self.phase else {
                return self.pass(side, bytes, at, offset, cx);
            };
            let lane = &mut http.lanes[side.index()];
            if lane.lost {
                return ON;
            }
            if lane.blocked {
                return self.held_back(side, bytes, at, offset, cx);
            }
            let used = if let Some(body) = &mut lane.body {
                let (used, done) = body.push(bytes);
                if done || body.is_full() {
                    if let Some(pending) = lane.pending.as_mut().filter(|p| p.polls) {
                        (pending.time, pending.last_packet) = (at.time, Some(at.packet));
                    }
                    self.show_pending(side, cx)?;
                }
                if done && let Phase::Http(http) = &mut self.phase {
                    http.lanes[side.index()].body = None;
                }
                used
            } else if self.client != Some(side) && lane.is_foreign(bytes) {
                return self.foreign(side, bytes, at, offset, cx);
            } else {
                if lane.reader.total() == 0 {
                    lane.offset = offset;
                    lane.pieces.clear();
                }
                let progress = lane.reader.push(bytes);
                if at.packet > 0 && lane.pieces.len() < limits::PIECES_LISTED {
                    let len = progress.consumed as u64;
                    lane.pieces.push(Piece { offset, len, packet: at.packet, byte: at.byte });
                }
                match progress.state {
                    HeadState::Reading => {}
                    HeadState::Complete => self.head(side, at, cx)?,
                    HeadState::Overflowing => {
                        self.head(side, at, cx)?;
                        self.lose(side);
                        return ON;
                    }
                }
                progress.consumed
            };
            bytes = &bytes[used..];
            offset += used as u64;
            at.byte = at.byte.saturating_add(used as u32);
        }
        ON
    }

    /// A side's stream is over: a body may have lasted until now.
    pub(super) fn http_end(&mut self, side: Side, over: Over, at: At, cx: &mut Context<'_, '_>) -> Flow {
        self.show_pending(side, cx)?;
        if let Some(client) = self.client {
            self.unfinished_request(client, over, at, cx)?;
        }
        // A response that waited for its request will wait no longer.
        let Phase::Http(http) = &mut self.phase else { return ON };
        let lane = &mut http.lanes[side.index()];
        if self.client != Some(side) && lane.blocked && lane.reader.state() == HeadState::Complete {
            return self.answer_waiting(side, At::default(), cx);
        }
        let is_alone = self.offsets[side.other().index()] == 0;
        if self.client == Some(side) && is_alone && lane.held_bytes > 0 {
            return self.upgrade_unanswered(side, cx);
        }
        if self.client != Some(side) {
            self.tell_foreign(side, cx)?;
            self.unfinished_answer(side, over, at, cx)?;
        }
        self.unanswered(side, over, at, cx)
    }

    /// A head is complete, or too large to become so.
    fn head(&mut self, side: Side, at: At, cx: &mut Context<'_, '_>) -> Flow {
        if self.client == Some(side) {
            self.request(side, at, false, cx)
        } else {
            self.response(side, at, true, cx)
        }
    }

    /// What a side sends behind a head that was too large cannot be read. The answer to
    /// a request for a WebSocket can.
    fn lose(&mut self, side: Side) {
        match &mut self.phase {
            Phase::Http(http)
                if self.client == Some(side) && http.requests.iter().any(|r| r.upgrade.is_some()) =>
            {
                http.lanes[side.index()].lost = true;
            }
            phase => *phase = Phase::Other,
        }
    }

    /// A request's head is there; `cut` when the input ends in it.
    pub(super) fn request(&mut self, side: Side, at: At, cut: bool, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Http(http) = &mut self.phase else { return ON };
        let lane = &mut http.lanes[side.index()];
        let complete = lane.reader.state() != HeadState::Reading;
        let (reader, offset) = (std::mem::take(&mut lane.reader), lane.offset);
        let pieces = std::mem::take(&mut lane.pieces);
        let source = SourceId::Stream { conn: self.number(), dir: Dir::Client };
        let mut head = if cut { reader.parse_cut(source, offset) } else { reader.parse(source, offset) };
        // Where the capture begins late, so may a head: what is no request line is the rest of one.
        let is_whole =
            matches!(head.start, StartLine::Request { version, .. } if version.bytes.starts_with(b"HTTP/"));
        if self.start == Start::Midway && offset == 0 && !is_whole {
            return self.answer_waiting(side.other(), at, cx);
        }
        if head.start_line() == "PRI * HTTP/2.0" {
            // The preface of HTTP/2 with prior knowledge (RFC 9113 §3.4).
            let server = self.endpoints.as_deref().map(|ends| ends[side.other().index()]);
            cx.memory.census.count(Other { protocol: "http2", server, ..Other::default() });
            self.phase = Phase::Other;
            return ON;
        }
        let asks = handshake::is_upgrade(&head);
        let polls = !asks && asks_for_engine_io(&head);
        let is_new = self.told.is_none() && (asks || polls);
        if is_new {
            self.announce(Roles::Handshake, Handshake::RequestOnly, cx);
            // Now that the connection has a number, the spans can name it.
            head = head.renamed(SourceId::Stream { conn: self.number(), dir: Dir::Client });
        }
        let mut report = handshake::check_request(&head, cx.out.wants().heads());
        if cut && self.start != Start::Given {
            // The capture ends here: what has not come cannot be missed.
            report.findings.clear();
            report.diagnoses.clear();
        }
        let facts = report.facts;
        if facts.method == "CONNECT" && self.told.is_none() {
            self.tunnel_head(
                Dir::Client,
                &head,
                &pieces,
                at.time,
                if cx.out.wants().fields { reader.bytes() } else { &[] },
            );
        }
        let Phase::Http(http) = &mut self.phase else { return ON };
        let lane = &mut http.lanes[side.index()];
        lane.blocked = facts.is_upgrade || facts.method == "CONNECT";
        lane.body = Some(Body::for_request(&head)).filter(|b| !b.is_done() && !lane.blocked);
        let method = facts.method.clone();
        let mut upgrade = None;
        if polls {
            // The whole body carries packets.
            lane.body = lane.body.take().map(|body| body.keeping(limits::APP_PAYLOAD as usize));
        }
        if facts.is_upgrade || polls {
            if facts.is_upgrade || is_new {
                self.describe_request(&facts);
            }
            if is_new {
                self.introduce(at.time, cx)?;
            }
            if facts.is_upgrade
                && let Some(told) = &mut self.told
            {
                let proxied = self.tunnel.as_ref().and_then(|tunnel| tunnel.preface.as_ref()?.client());
                told.compare(&facts, proxied, at.time, &mut report.findings, cx);
            }
            let judged = Judged {
                polls,
                last_packet: None,
                dir: Dir::Client,
                offset,
                bytes: if cx.out.wants().fields { reader.bytes().to_vec() } else { Vec::new() },
                start_line: head.start_line().into_owned(),
                complete,
                headers: if polls { plain_headers(&head) } else { report.headers },
                fields: if polls { Vec::new() } else { report.fields },
                findings: report.findings,
                diagnoses: report.diagnoses,
                pieces,
                time: at.time,
            };
            let Phase::Http(http) = &mut self.phase else { return ON };
            let lane = &mut http.lanes[side.index()];
            lane.pending = Some(Box::new(judged));
            if lane.body.is_none() {
                self.show_pending(side, cx)?;
            }
            upgrade = facts.is_upgrade.then(|| Box::new(facts));
        }
        let Phase::Http(http) = &mut self.phase else { return ON };
        let cost = reader.bytes().len();
        http.requests.push_back(Request { method, upgrade, polls, time: at.time, unanswered: false, cost });
        if http.requests.len() > limits::HTTP_REQUESTS_PIPELINED {
            self.phase = Phase::Other;
            return ON;
        }
        self.tell_foreign(side.other(), cx)?;
        self.answer_waiting(side.other(), at, cx)
    }

    /// A response that overtook its request in the capture can be read now.
    fn answer_waiting(&mut self, server: Side, at: At, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Http(http) = &mut self.phase else { return ON };
        let answer = &mut http.lanes[server.index()];
        if answer.blocked && answer.reader.state() == HeadState::Complete {
            answer.blocked = false;
            let waited = answer.waits.take().unwrap_or(at);
            answer.in_vain = http.requests.is_empty();
            let at = if answer.in_vain { waited } else { at };
            self.response(server, at, false, cx)?;
            return self.release(server, cx);
        }
        ON
    }

    /// The client's stream begins with `bytes`: where they are no request, a response has waited in vain.
    fn answer_nobody(&mut self, side: Side, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Http(http) = &self.phase else { return ON };
        let is_first = self.client == Some(side)
            && http.requests.is_empty()
            && http.lanes[side.index()].reader.total() == 0
            && http.lanes[side.other().index()].waits.is_some();
        if is_first && sniff(bytes) == Sniff::Neither {
            self.answer_waiting(side.other(), at, cx)
        } else {
            ON
        }
    }

    /// A part of the stream is missing: who waits for a request must not wait for it any longer.
    pub(super) fn stop_waiting(&mut self, at: At, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Http(http) = &self.phase else { return ON };
        // Where a part of the request is there, its rest must not be taken for frames.
        let waits = |side: &Side| {
            http.lanes[side.index()].waits.is_some() && http.lanes[side.other().index()].reader.total() == 0
        };
        match [Side::A, Side::B].into_iter().find(waits) {
            Some(server) => self.answer_waiting(server, at, cx),
            None => ON,
        }
    }

    /// A response's head is complete. `may_wait` allows it to wait for its request.
    fn response(&mut self, side: Side, at: At, may_wait: bool, cx: &mut Context<'_, '_>) -> Flow {
        // 101 to the first of two requests would make frames of the second.
        let switches = |http: &HttpPhase| http.lanes[side.index()].reader.bytes().get(9..12) == Some(b"101");
        if self.asks_again(side.other()) && matches!(&self.phase, Phase::Http(http) if switches(http)) {
            self.next_request(side.other(), cx)?;
        }
        let Phase::Http(http) = &mut self.phase else { return ON };
        let has_begun = http.lanes[side.other().index()].reader.total() > 0;
        // All of both streams is in the capture, so a request is: it was captured later than this.
        let is_overtaken = self.both_heard
            && !http.lanes[side.index()].in_vain
            && matches!(self.start, Start::Opened | Start::Given)
            && self.offsets[side.other().index()] == 0
            && self.ended[side.other().index()].is_none();
        let request_is_coming = has_begun || is_overtaken;
        let lane = &mut http.lanes[side.index()];
        if http.requests.is_empty() && request_is_coming && may_wait {
            lane.blocked = true;
            lane.waits = Some(at);
            return ON;
        }
        let (reader, offset) = (std::mem::take(&mut lane.reader), lane.offset);
        let pieces = std::mem::take(&mut lane.pieces);
        let source = SourceId::Stream { conn: self.told.as_ref().map_or(0, |t| t.conn), dir: Dir::Server };
        let head = reader.parse(source, offset);
        let status = head.status();
        // An interim response answers nothing yet (RFC 9110 §15.2); 101 is final for its request.
        let is_interim = status.is_some_and(|s| (100..200).contains(&s) && s != 101);
        if is_interim {
            return ON;
        }
        let request = http.requests.pop_front();
        let method = request.as_ref().map(|r| r.method.as_str());
        let succeeds = status.is_some_and(|s| (200..300).contains(&s));
        let may_tunnel = method == Some("CONNECT") || (request.is_none() && self.start == Start::Midway);
        lane.body = Some(Body::for_response(&head, method)).filter(|b| !b.is_done());
        // Where the request was not seen, what has no length may be a tunnel; else nothing comes behind it.
        let tunnels = may_tunnel
            && succeeds
            && (method.is_some() || lane.body.as_ref().is_some_and(Body::is_until_close));
        let answers_connect = method == Some("CONNECT");
        let polls = request.as_ref().is_some_and(|r| r.polls);
        let offer = request.and_then(|r| r.upgrade);
        if polls && status != Some(101) {
            lane.body = lane.body.take().map(|body| body.keeping(limits::APP_PAYLOAD as usize));
            let judged = Judged {
                polls,
                last_packet: None,
                dir: Dir::Server,
                offset,
                bytes: if cx.out.wants().fields { reader.bytes().to_vec() } else { Vec::new() },
                start_line: head.start_line().into_owned(),
                complete: true,
                headers: plain_headers(&head),
                fields: Vec::new(),
                findings: Vec::new(),
                diagnoses: Vec::new(),
                pieces,
                time: at.time,
            };
            lane.pending = Some(Box::new(judged));
            let is_whole = lane.body.is_none();
            // A server may answer before it has the whole request, 413 for example.
            self.show_pending(side.other(), cx)?;
            if is_whole {
                self.show_pending(side, cx)?;
            }
            return self.resume_client(side.other(), cx);
        }
        if answers_connect && self.told.is_none() {
            let bytes = if cx.out.wants().fields { reader.bytes() } else { &[] };
            self.tunnel_head(Dir::Server, &head, &pieces, at.time, bytes);
        }
        if tunnels {
            return self.tunnel(side, cx);
        }
        if offer.is_none() && status == Some(101) && !handshake::switches_to_websocket(&head) {
            return self.switch(cx);
        }
        if offer.is_none() && (status != Some(101) || self.told.is_some()) {
            return self.resume_client(side.other(), cx);
        }
        if self.told.is_none() {
            self.announce(Roles::Handshake, Handshake::ResponseOnly, cx);
        }
        let head = head.renamed(SourceId::Stream { conn: self.number(), dir: Dir::Server });
        let mut overlap = Vec::new();
        if let Some(told) = &mut self.told {
            // One that waited for its request came earlier.
            let answer = at.time.filter(|_| may_wait);
            cx.memory.replied(told.conn, &mut told.entry, answer, &mut overlap);
        }
        let others = cx.memory.latest_keys();
        let mut report = handshake::check_response(offer.as_deref(), &head, &others, cx.out.wants().heads());
        report.findings.append(&mut overlap);
        self.describe_response(&report, offer.is_some());
        if offer.is_none() {
            self.introduce(at.time, cx)?;
        }
        let judged = Judged {
            polls: false,
            last_packet: None,
            dir: Dir::Server,
            offset,
            bytes: if cx.out.wants().fields { reader.bytes().to_vec() } else { Vec::new() },
            start_line: head.start_line().into_owned(),
            complete: true,
            headers: std::mem::take(&mut report.headers),
            fields: std::mem::take(&mut report.fields),
            findings: std::mem::take(&mut report.findings),
            diagnoses: std::mem::take(&mut report.diagnoses),
            pieces,
            time: at.time,
        };
        if status == Some(101) {
            if let Some(told) = &self.told {
                told.show(&judged, &[], true, cx)?;
            }
            return self.upgrade(side, offset + reader.total(), &report, cx);
        }
        let Phase::Http(http) = &mut self.phase else { return ON };
        let lane = &mut http.lanes[side.index()];
        lane.pending = Some(Box::new(judged));
        if lane.body.is_none() {
            self.show_pending(side, cx)?;
        }
        self.resume_client(side.other(), cx)
    }

    /// Whether the client has sent another request behind the one that awaits its answer: that was
    /// refused by an answer that the capture lacks.
    pub(super) fn asks_again(&self, client: Side) -> bool {
        let Phase::Http(http) = &self.phase else { return false };
        let lane = &http.lanes[client.index()];
        let is_request = |first: &Chunk| sniff(&first.bytes) == Sniff::Request;
        lane.blocked && lane.held.front().is_some_and(is_request)
    }

    /// Goes on with the client's next request.
    pub(super) fn next_request(&mut self, client: Side, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Http(http) = &mut self.phase else { return ON };
        http.requests.pop_front();
        http.lanes[client.index()].blocked = false;
        self.release(client, cx)
    }

    /// Bytes of which it is open what they are.
    fn held_back(&mut self, side: Side, bytes: &[u8], at: At, offset: u64, cx: &mut Context<'_, '_>) -> Flow {
        let is_alone = self.offsets[side.other().index()] == 0;
        let Phase::Http(http) = &mut self.phase else { return ON };
        let answer = &http.lanes[side.other().index()];
        let has_begun = answer.reader.total() > 0 || answer.behind;
        let lane = &mut http.lanes[side.index()];
        if is_alone && self.start == Start::Given && lane.held.is_empty() && sniff(bytes) == Sniff::Response {
            // A transcript: the response follows its request in the same text.
            self.offsets[side.other().index()] = bytes.len() as u64;
            return self.pass(side.other(), bytes, at, 0, cx);
        }
        if lane.held.is_empty() {
            lane.before_response = !has_begun;
        }
        lane.hold(bytes, at, offset);
        if is_alone && lane.waits.is_some() && lane.held_bytes > limits::UNANSWERED {
            return self.answer_waiting(side, at, cx);
        }
        let is_long = lane.held_bytes > limits::UNANSWERED || self.start == Start::Given;
        if is_alone && is_long && http.requests.iter().any(|r| r.upgrade.is_some()) {
            return self.upgrade_unanswered(side, cx);
        }
        ON
    }

    /// The client's bytes that waited for the response are HTTP after all.
    fn resume_client(&mut self, client: Side, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Http(http) = &mut self.phase else { return ON };
        let is_awaiting = http.requests.iter().any(|r| r.upgrade.is_some() || r.method == "CONNECT");
        http.lanes[client.index()].blocked = is_awaiting;
        if is_awaiting { ON } else { self.release(client, cx) }
    }

    /// Bytes that were held back are read. What follows must not overtake what is left of them, so they are
    /// held no longer; those that must wait once more are held again, in their order.
    fn release(&mut self, side: Side, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Http(http) = &mut self.phase else { return ON };
        let lane = &mut http.lanes[side.index()];
        let held = std::mem::take(&mut lane.held);
        lane.held_bytes = 0;
        held.iter().try_for_each(|chunk| self.pass(side, &chunk.bytes, chunk.at, chunk.offset, cx))
    }

    /// Shows a head that waited for its body, with as much of it as there is.
    pub(super) fn show_pending(&mut self, side: Side, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Http(http) = &mut self.phase else { return ON };
        let lane = &mut http.lanes[side.index()];
        let Some(judged) = lane.pending.take() else { return ON };
        let body = lane.body.as_ref();
        let preview = body.map_or(&[][..], Body::preview);
        let whole =
            body.is_none_or(|b| b.length() == preview.len() as u64 && (b.is_done() || b.is_until_close()));
        match &self.told {
            Some(told) => told.show(&judged, preview, whole, cx),
            None => ON,
        }
    }

    /// The number of the connection, 0 while it has none.
    pub(super) fn number(&self) -> u32 {
        self.told.as_ref().map_or(0, |t| t.conn)
    }
}
