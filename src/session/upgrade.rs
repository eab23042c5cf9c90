//! From HTTP to what a connection becomes: a WebSocket, by its 101 or without one.

use super::{Context, Phase, Session, Side};
use crate::http::handshake::{self, Outcome, ResponseReport};
use crate::http::{DATA_BEFORE_COMPLETE, MALFORMED_RESPONSE};
use crate::model::{Dir, Finding, Flow, Handshake, ON, SourceId, Span, Text};
use crate::ws::{Conversation, Extensions};

impl Session {
    /// 101 to something else, which is none of our affairs: h2c, or Docker's `tcp`.
    pub(super) fn switch(&mut self, cx: &mut Context<'_, '_>) -> Flow {
        for side in [Side::A, Side::B] {
            self.show_pending(side, cx)?;
        }
        self.phase = Phase::Other;
        ON
    }

    /// 101: from byte `start` of the server's stream on it is WebSocket.
    pub(super) fn upgrade(
        &mut self,
        server: Side,
        start: u64,
        report: &ResponseReport,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let Phase::Http(mut http) = std::mem::replace(&mut self.phase, Phase::Other) else { return ON };
        let client = server.other();
        if http.lanes[client.index()].lost {
            return ON;
        }
        let early = std::mem::take(&mut http.lanes[client.index()].held);
        // The response itself may have waited for its request, and frames behind it.
        let behind = std::mem::take(&mut http.lanes[server.index()].held);
        let client_start = early.front().map_or(self.offsets[client.index()], |c| c.offset);
        let Some(told) = &mut self.told else { return ON };
        // Who had a part of an answer, or junk in its place, may have taken it for one.
        let is_junk = matches!(report.facts.outcome, Outcome::Failed(cause) if *cause == MALFORMED_RESPONSE);
        let too_early = http.lanes[client.index()].before_response && !is_junk;
        if let Some(chunk) = early.front().filter(|_| too_early) {
            //= RFC 6455 §4.1
            //# the client MUST wait for a response from the
            //# server before sending any further data
            let length: u64 = early.iter().map(|c| c.bytes.len() as u64).sum();
            let source = SourceId::Stream { conn: told.conn, dir: Dir::Client };
            let got = Text::with("{} bytes before the response", length);
            let expected = "nothing before the response".into();
            let finding = Finding::new(&DATA_BEFORE_COMPLETE, Dir::Client, expected, got).at(Span::bytes(
                source,
                chunk.offset,
                length,
            ));
            told.note(Dir::Client, chunk.at, &[finding], cx)?;
        }
        if let Outcome::Failed(cause) = report.facts.outcome {
            self.bad_handshake = Some(cause);
        }
        let facts = &report.facts;
        let deflate = facts.deflate;
        let agreed = facts.extensions.as_deref().unwrap_or_default();
        let other = handshake::parse_extensions(agreed.as_bytes())
            .0
            .iter()
            .any(|e| !e.name.eq_ignore_ascii_case("permessage-deflate"));
        let extensions = Extensions { known: true, deflate, other };
        let mut talk = Conversation::new(told.conn, [client_start, start], extensions);
        talk.is_captured(Dir::Server);
        if told.connection.handshake == Handshake::Full {
            talk.is_captured(Dir::Client);
        }
        if self.bad_handshake.is_some() {
            talk.may_be_refused();
        }
        talk.explain_rsv1(handshake::extensions_stripped);
        self.phase = Phase::WebSocket(Box::new(talk));
        early.iter().try_for_each(|c| self.pass(client, &c.bytes, c.at, c.offset, cx))?;
        behind.iter().try_for_each(|c| self.pass(server, &c.bytes, c.at, c.offset, cx))
    }

    /// No response will be seen: the client's bytes behind its request speak for themselves.
    pub(super) fn upgrade_unanswered(&mut self, client: Side, cx: &mut Context<'_, '_>) -> Flow {
        if self.asks_again(client) {
            return self.next_request(client, cx);
        }
        let Phase::Http(mut http) = std::mem::replace(&mut self.phase, Phase::Other) else { return ON };
        let early = std::mem::take(&mut http.lanes[client.index()].held);
        let (Some(first), Some(told)) = (early.front(), &self.told) else { return ON };
        let server_start = self.offsets[client.other().index()];
        let talk = Conversation::new(told.conn, [first.offset, server_start], Extensions::UNKNOWN);
        self.phase = Phase::WebSocket(Box::new(talk));
        early.iter().try_for_each(|c| self.pass(client, &c.bytes, c.at, c.offset, cx))
    }
}
