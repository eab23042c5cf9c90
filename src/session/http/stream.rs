//! Responses that stream: their content is told unit by unit, as it arrives.

use std::ops::ControlFlow;

use super::lane::{Lane, Request};
use super::{Http, Next, Over, STAY, Turn, told};
use crate::http::handshake;
use crate::http::head::{Head, Sniff, sniff};
use crate::model::{At, Dir, Handshake, Roles};
use crate::session::Context;
use crate::session::about::About;
use crate::session::follow::{Follow, Missed};
use crate::session::judged::Judged;
use crate::session::run::Run;

impl Http {
    /// Who follows the content of a response to `request`, if it streams and nothing is upgraded by it.
    pub(super) fn follow(
        &self,
        head: &Head<'_>,
        request: Option<&Request>,
        about: &About,
        cx: &Context<'_, '_>,
    ) -> Option<Box<Follow>> {
        let is_plain = request.is_none_or(|request| request.upgrade.is_none() && request.method != "CONNECT");
        // What has a body that is over has nothing to stream.
        let streams = is_plain && self.server.body.is_some();
        streams.then(|| Follow::of(head, self.server.heads, None, about.wants(cx)))?.map(Box::new)
    }

    /// Shows the request whose answer streams, and the connection, if it asked for no WebSocket until now.
    pub(super) fn show_asked(
        request: Option<&mut Request>,
        at: At,
        about: &mut About,
        cx: &mut Context<'_, '_>,
    ) -> Turn {
        let time = request.as_ref().map_or(at.time, |request| request.time);
        let asked = request.and_then(|request| request.asked.take());
        let is_new = about.told.is_none();
        if is_new {
            about.announce(Roles::Handshake, Handshake::Streaming, cx);
        }
        let head = asked.as_deref().map(|it| it.reader.parse(about.source(Dir::Client), it.offset));
        if let Some(head) = head.as_ref().filter(|_| is_new) {
            let facts = handshake::check_request(head, false).facts;
            let (host, version) = (facts.host.as_deref(), facts.http_version.clone());
            about.describe_request(false, &facts.target, host, version, &mut cx.memory.spare);
        }
        about.exchanges(Handshake::Streaming);
        if is_new {
            told(about.introduce(time, cx))?;
        }
        let Some((head, asked)) = head.zip(asked.as_deref()) else { return STAY };
        let judged = Judged::plain(Dir::Client, &head, about.wants(cx), asked.pieces.clone(), time);
        told(about.show(&judged, None, cx))
    }

    /// Takes bytes of a response that streams: how many of them are its own.
    pub(super) fn stream(
        &mut self,
        run: Run<'_>,
        about: &mut About,
        cx: &mut Context<'_, '_>,
    ) -> ControlFlow<Next, usize> {
        let lane = self.lane(run.dir);
        let (Some(body), Some(follow)) = (&mut lane.body, &mut lane.follow) else {
            return ControlFlow::Continue(0);
        };
        if body.is_sought() {
            return self.seek(run, about, cx);
        }
        let was_broken = body.is_malformed();
        let mut used = 0;
        while used < run.bytes.len() && !body.is_done() {
            let (taken, content) = body.next_content(&run.bytes[used..]);
            if body.is_malformed() && !was_broken {
                used += taken - content;
                if follow.goes_astray(about, cx).map_break(|()| Next::Stop)? {
                    body.seek();
                    follow.pass_over((run.bytes.len() - used) as u64);
                    return ControlFlow::Continue(run.bytes.len());
                }
                let broken = run.after(used.saturating_sub(1));
                let flow = told(follow.breaks(broken, about, cx));
                lane.follow = None;
                return flow.map_continue(|()| used);
            }
            used += taken;
            if content > 0 {
                told(follow.push(run.after(used - content).first(content), about, cx))?;
            }
        }
        let ended = body.is_done().then(|| (lane.body.take(), lane.follow.take()));
        if let Some((_, Some(follow))) = ended {
            told(follow.end(true, run.at, about, cx))?;
        }
        ControlFlow::Continue(used)
    }

    /// Bytes of `dir` are missing: what streams goes on behind them if that can be
    /// told, and all else is found anew.
    pub fn miss(&mut self, dir: Dir, missed: Missed, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        let Lane { body, follow, .. } = &mut self.server;
        let (Dir::Server, Some(content), Some(follow)) = (dir, body, follow) else {
            return self.gap(about, cx);
        };
        let is_framed = content.miss(missed.gap.length);
        told(follow.miss(missed, is_framed, about, cx))?;
        match (is_framed, content.is_sought()) {
            (false, false) => self.gap(about, cx),
            (true, _) | (_, true) => STAY,
        }
    }

    /// Takes bytes of the server behind a hole, while it is sought where the next chunk begins: how many of
    /// them are passed over.
    fn seek(
        &mut self,
        run: Run<'_>,
        about: &mut About,
        cx: &mut Context<'_, '_>,
    ) -> ControlFlow<Next, usize> {
        let Lane { body: Some(body), follow: Some(follow), .. } = &mut self.server else {
            return ControlFlow::Continue(0);
        };
        // Once the client has asked for something else, what looks like a chunk may be one of that.
        let used = if self.requests.is_empty() {
            body.find(run.bytes, |content| follow.may_go_on(content))
        } else {
            None
        };
        if self.requests.len() == 1 && sniff(run.bytes) == Sniff::Response {
            self.server.body = None;
            self.end_stream(Over::Input, run.at, about, cx)?;
            return ControlFlow::Continue(0);
        }
        if self.requests.len() > 1 || self.requests.iter().any(Request::may_turn) {
            return self.gap(about, cx).map_break(|next| next.before(run)).map_continue(|()| 0);
        }
        let used = used.unwrap_or(run.bytes.len());
        follow.pass_over(used as u64);
        ControlFlow::Continue(used)
    }

    /// The server sends no more, and so what it streamed is over.
    pub(super) fn end_stream(&mut self, over: Over, at: At, about: &About, cx: &mut Context<'_, '_>) -> Turn {
        let Some(follow) = self.server.follow.take() else { return STAY };
        // Who has left takes nothing any more.
        let has_left = about.ended[about.side(Dir::Client).index()].is_some();
        let ended = matches!(over, Over::Stream(how) if how.is_final()) && !has_left;
        told(follow.end(ended, at, about, cx))
    }
}
