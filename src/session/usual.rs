//! The short way of a handshake that is as nearly all are, where nobody looks at annotated fields.
//!
//! A connection that opens with a whole [usual request](UsualRequest) holds its head until the answer, and
//! becomes a WebSocket by a usual answer without HTTP being followed at all. Whatever else comes, HTTP is
//! followed from the request on as if it had been from the beginning: what is told is the same.

use std::ops::ControlFlow;

use super::asked::Asked;
use super::entry::Attempt;
use super::http::Http;
use super::told::UsualHead;
use super::{Context, Phase, Session, Side, Start};
use crate::http::handshake::{self, ResponseFacts, UsualRequest};
use crate::model::{At, Dir, Handshake, Roles};
use crate::ws::Extensions;

impl Asked {
    /// Bytes that it counts for: as many as HTTP would hold in its place.
    pub fn cost(&self) -> usize {
        Http::cost_of_one(self.head.len())
    }
}

impl Session {
    /// Takes bytes of one side that are a usual request, or begin with the usual answer to it. Says whether
    /// they were; if not, nothing has changed.
    pub(super) fn usual(
        &mut self,
        side: Side,
        bytes: &[u8],
        at: At,
        offset: u64,
        cx: &mut Context<'_, '_>,
    ) -> ControlFlow<(), bool> {
        let is_told = self.about.layer.is_told();
        if offset != 0 || self.about.ended != [None, None] || cx.out.wants().fields || is_told {
            return ControlFlow::Continue(false);
        }
        match &self.phase {
            Phase::New if side == Side::A && cx.scratch.takes_short_way() => self.ask(bytes, at, cx),
            Phase::Asked(_) if side == self.about.side(Dir::Server) => self.answer(bytes, at, cx),
            _ => ControlFlow::Continue(false),
        }
    }

    fn ask(&mut self, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) -> ControlFlow<(), bool> {
        let about = &mut self.about;
        let is_first = about.start == Start::Opened
            && about.client != Some(Side::B)
            && about.offsets[Side::B.index()] == 0
            && about.told.is_none()
            && about.tunnel.is_none();
        if !is_first {
            return ControlFlow::Continue(false);
        }
        let Some(request) = cx.memory.usual.request(bytes) else { return ControlFlow::Continue(false) };
        about.client = Some(Side::A);
        about.announce(Roles::Handshake, Handshake::RequestOnly, cx);
        let UsualRequest { target, host, .. } = request;
        about.describe_request(true, target, Some(host), Some("1.1".into()), &mut cx.memory.spare);
        about.introduce(at.time, cx)?;
        let mut findings = Vec::new();
        let UsualRequest { target, key, offers, .. } = request;
        let (now, is_late) = (at.time, about.is_late);
        let attempt = Attempt { pair: None, forwarded: None, target, key: Some(key), offers, now, is_late };
        about.compare(&attempt, &mut findings, cx);
        for finding in &mut findings {
            handshake::with_body(finding, &[], false);
        }
        let usual = UsualHead { start_line: request.start_line, bytes, asked: None };
        about.show_usual(Dir::Client, &usual, &findings, at, cx)?;
        self.phase = Phase::Asked(cx.memory.spare.asked(bytes, *request.key, at));
        ControlFlow::Continue(true)
    }

    fn answer(&mut self, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) -> ControlFlow<(), bool> {
        let (Phase::Asked(asked), Some(told)) = (&self.phase, &mut self.about.told) else {
            return ControlFlow::Continue(false);
        };
        let Some(response) = cx.memory.usual.response(bytes, &asked.key) else {
            return ControlFlow::Continue(false);
        };
        let mut findings = Vec::new();
        cx.memory.replied(told.conn, &mut told.entry, at.time, &mut findings);
        let software = response.software;
        let facts = ResponseFacts { status: Some(101), software, ..ResponseFacts::default() };
        self.about.describe_response(&facts, true);
        let (start_line, head) = (response.start_line, &bytes[..response.length]);
        let usual = UsualHead { start_line, bytes: head, asked: Some(&asked.head) };
        self.about.show_usual(Dir::Server, &usual, &findings, at, cx)?;
        let starts = [self.about.heard(Dir::Client), response.length as u64];
        if let Some(talk) = self.about.conversation(starts, Extensions::NONE) {
            let talk = Phase::WebSocket(cx.memory.spare.talk(talk));
            if let Phase::Asked(asked) = std::mem::replace(&mut self.phase, talk) {
                cx.memory.spare.keep_asked(asked);
            }
        }
        let rest = &bytes[response.length..];
        if !rest.is_empty() {
            let at = At { byte: at.byte.saturating_add(response.length as u32), ..at };
            self.pass(self.about.side(Dir::Server), rest, at, response.length as u64, cx)?;
        }
        ControlFlow::Continue(true)
    }

    /// What happens is none of the usual: HTTP is followed.
    pub(super) fn follow_http(&mut self) {
        if let Phase::Asked(asked) = &self.phase {
            let http = Http::asked(&asked.head, self.about.source(Dir::Client), asked.at.time);
            self.phase = Phase::Http(Box::new(http));
        }
    }
}
