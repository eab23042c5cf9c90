//! What waits: responses that overtook their request in the capture, and bytes of which it is open what
//! they are until an answer comes.

use super::{Http, STAY, Turn};
use crate::http::head::{Sniff, sniff};
use crate::limits;
use crate::model::{At, Dir};
use crate::session::about::About;
use crate::session::run::Run;
use crate::session::{Context, Start};

impl Http {
    /// A response that overtook its request in the capture can be read now.
    pub(super) fn answer_waiting(&mut self, at: At, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        if !self.server.has_waiting_head() {
            return STAY;
        }
        self.server.blocked = false;
        let waited = self.server.waits.take().unwrap_or(at);
        self.server.in_vain = self.requests.is_empty();
        let at = if self.server.in_vain { waited } else { at };
        self.response(at, false, about, cx)?;
        self.release(Dir::Server, about, cx)
    }

    /// The client's stream begins with these bytes: where they are no request, a response has waited in vain.
    pub(super) fn answer_nobody(
        &mut self,
        run: Run<'_>,
        about: &mut About,
        cx: &mut Context<'_, '_>,
    ) -> Turn {
        let is_first = run.dir == Dir::Client
            && self.requests.is_empty()
            && !self.client.has_begun()
            && self.server.waits.is_some();
        if is_first && sniff(run.bytes) == Sniff::Neither {
            self.answer_waiting(run.at, about, cx)
        } else {
            STAY
        }
    }

    /// A part of the stream is missing: who waits for a request must not wait for it any longer.
    pub fn stop_waiting(&mut self, at: At, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        // Where a part of the request is there, its rest must not be taken for frames.
        if self.server.waits.is_some() && !self.client.has_begun() {
            self.answer_waiting(at, about, cx)
        } else {
            STAY
        }
    }

    /// Whether the client has sent another request behind the one that awaits its answer: that was
    /// refused by an answer that the capture lacks.
    pub(super) fn asks_again(&self) -> bool {
        let first = self.client.held.front().map(|first| first.run(Dir::Client));
        self.client.blocked && first.is_some_and(|first| sniff(first.bytes) == Sniff::Request)
    }

    /// Goes on with the client's next request.
    pub(super) fn next_request(&mut self, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        self.requests.pop_front();
        self.client.blocked = false;
        self.release(Dir::Client, about, cx)
    }

    /// Takes bytes of which it is open what they are.
    pub(super) fn hold_back(&mut self, run: Run<'_>, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        let peer = run.dir.peer();
        let is_alone = about.heard(peer) == 0;
        let answer = self.lane(peer);
        // Of a peer whose beginning was not seen, an answer may be among what is missing.
        let is_known = about.hears_both();
        let has_begun = answer.has_begun() || answer.behind || !is_known;
        let lane = self.lane(run.dir);
        let is_given = about.start == Start::Given;
        if is_alone && is_given && lane.held.is_empty() && sniff(run.bytes) == Sniff::Response {
            // A transcript: the response follows its request in the same text.
            about.offsets[about.side(peer).index()] = run.bytes.len() as u64;
            return self.data(Run { dir: peer, offset: 0, ..run }, about, cx);
        }
        if lane.held.is_empty() {
            lane.before_response = !has_begun;
        }
        lane.hold(run);
        let is_long = lane.held_bytes > limits::UNANSWERED;
        if is_alone && lane.waits.is_some() && is_long {
            return self.answer_waiting(run.at, about, cx);
        }
        if is_alone && (is_long || is_given) && self.asks_for_websocket() {
            return self.upgrade_unanswered(about, cx);
        }
        STAY
    }

    /// The client's bytes that waited for the response are HTTP after all.
    pub(super) fn resume_client(&mut self, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        self.client.blocked = self.requests.iter().any(super::Request::may_turn);
        if self.client.blocked { STAY } else { self.release(Dir::Client, about, cx) }
    }

    /// Bytes that were held back are read. What follows must not overtake what is left of them, so they are
    /// held no longer; those that must wait once more are held again, in their order.
    fn release(&mut self, dir: Dir, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        let mut held = self.lane(dir).take_held().into_iter();
        while let Some(chunk) = held.next() {
            self.data(chunk.run(dir), about, cx)
                .map_break(|next| held.by_ref().fold(next, |next, chunk| next.before(chunk.run(dir))))?;
        }
        STAY
    }
}
