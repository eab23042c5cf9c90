//! From HTTP to what a connection becomes: a WebSocket, by its 101 or without one, or a tunnel.

use std::ops::ControlFlow;

use super::lane::Request;
use super::{Http, Next, OTHER, Rest, Turn, told};
use crate::http::handshake::{self, Outcome, ResponseFacts};
use crate::http::{DATA_BEFORE_COMPLETE, MALFORMED_RESPONSE};
use crate::model::{Dir, Finding, Handshake, Span, Text};
use crate::session::about::About;
use crate::session::{Context, Start};
use crate::ws::{Conversation, Extensions};

impl About {
    /// What a connection becomes by a 101 that was told: its client's and its server's frames begin at these
    /// offsets.
    pub(in crate::session) fn conversation(
        &self,
        starts: [u64; 2],
        extensions: Extensions,
    ) -> Option<Conversation> {
        let told = self.told.as_ref()?;
        let mut talk = Conversation::new(told.conn, starts, extensions).on(self.layer);
        talk.is_captured(Dir::Server);
        if told.connection.handshake == Handshake::Full {
            talk.is_captured(Dir::Client);
        } else {
            talk.begins_unseen(Dir::Client);
        }
        if self.bad_handshake.is_some() {
            talk.may_be_refused();
        }
        if self.parent.is_some() {
            talk.on_stream();
        }
        Some(talk)
    }
}

/// A request that is answered over HTTP/2 (RFC 7540 §3.2).
#[cfg(feature = "h2")]
pub(in crate::session) struct Upgrade {
    /// The client's settings; `None` where its request was not captured.
    pub settings: Option<Vec<u8>>,
    /// Its answer is shown.
    pub polls: bool,
}

impl Http {
    /// 101 to something else: to HTTP/2 (RFC 7540 §3.2), or what is none of our affairs, such as Docker's
    /// `tcp`.
    pub(super) fn switch(
        &mut self,
        request: Option<Request>,
        is_h2c: bool,
        about: &About,
        cx: &mut Context<'_, '_>,
    ) -> Turn {
        self.show_pending(Dir::Client, about, cx)?;
        self.show_pending(Dir::Server, about, cx)?;
        #[cfg(feature = "h2")]
        if is_h2c {
            let polls = request.as_ref().is_some_and(|it| it.polls);
            let settings = request.map(|request| request.h2c.unwrap_or_default());
            let upgrade = Upgrade { settings, polls };
            return ControlFlow::Break(Next::Http2(upgrade, self.take_rest()));
        }
        #[cfg(not(feature = "h2"))]
        let _ = (request, is_h2c);
        OTHER
    }

    /// A proxy has opened a tunnel: what goes through it begins anew.
    pub(super) fn tunnel(&mut self, about: &mut About) -> Turn {
        about.start = Start::Opened;
        ControlFlow::Break(Next::Anew(self.take_rest()))
    }

    /// 101: from byte `start` of the server's stream on it is WebSocket.
    pub(super) fn upgrade(
        &mut self,
        start: u64,
        facts: &ResponseFacts,
        about: &mut About,
        cx: &mut Context<'_, '_>,
    ) -> Turn {
        if self.client.lost {
            return OTHER;
        }
        let source = about.source(Dir::Client);
        let end = about.heard(Dir::Client);
        let Some(connection) = &about.told else { return OTHER };
        let early = &self.client.held;
        // Who had a part of an answer, or junk in its place, may have taken it for one.
        let is_junk = matches!(facts.outcome, Outcome::Failed(cause) if *cause == MALFORMED_RESPONSE);
        let too_early = self.client.before_response && !is_junk;
        if let Some(chunk) = early.front().filter(|_| too_early) {
            //= RFC 6455 §4.1
            //# the client MUST wait for a response from the
            //# server before sending any further data
            let length: u64 = early.iter().map(|chunk| chunk.len() as u64).sum();
            let got = Text::with("{} bytes before the response", length);
            let expected = "nothing before the response".into();
            let span = Span::bytes(source, chunk.offset, length);
            let finding = Finding::new(&DATA_BEFORE_COMPLETE, Dir::Client, expected, got).at(span);
            told(connection.note(Dir::Client, chunk.at, &[finding], cx))?;
        }
        if let Outcome::Failed(cause) = facts.outcome {
            about.bad_handshake = Some(cause);
        }
        let agreed = facts.extensions.as_deref().unwrap_or_default();
        let other = handshake::has_other_extensions(agreed);
        let extensions = Extensions { known: true, deflate: facts.deflate, other };
        let client_start = early.front().map_or(end, |chunk| chunk.offset);
        let Some(talk) = about.conversation([client_start, start], extensions) else { return OTHER };
        ControlFlow::Break(Next::WebSocket(cx.memory.spare.talk(talk), self.take_rest()))
    }

    /// No response will be seen: the client's bytes behind its request speak for themselves.
    pub(super) fn upgrade_unanswered(&mut self, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        if self.asks_again() {
            return self.next_request(about, cx);
        }
        let (Some(first), Some(told)) = (self.client.held.front(), &mut about.told) else { return OTHER };
        told.connection.handshake = Handshake::AnswerUnseen;
        let conn = told.conn;
        let offsets = [first.offset, about.heard(Dir::Server)];
        let talk = Conversation::new(conn, offsets, Extensions::UNKNOWN).on(about.layer);
        let early = self.client.take_held().into_iter().map(|chunk| (Dir::Client, chunk));
        ControlFlow::Break(Next::WebSocket(Box::new(talk), early.collect()))
    }

    /// What either endpoint sent behind its head. The response itself may have waited for its request, and
    /// frames behind it.
    fn take_rest(&mut self) -> Rest {
        let client = self.client.take_held().into_iter().map(|chunk| (Dir::Client, chunk));
        let server = self.server.take_held().into_iter().map(|chunk| (Dir::Server, chunk));
        client.chain(server).collect()
    }
}
