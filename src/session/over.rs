//! How a session ends: one side after the other, then all of it.

#[cfg(feature = "h2")]
use super::h2::{Around, Stop};
use super::http::Over;
use super::memory::Memory;
use super::{Context, Phase, Session, Start};
use crate::model::{
    At, Dir, EndKind, Ending, Flow, Handshake, Interest, ON, Receipt, Side, StreamEnd, TcpFacts, Time,
};

impl Session {
    /// One side has ended its stream.
    pub fn end(
        &mut self,
        side: Side,
        how: StreamEnd,
        receipt: Receipt,
        at: At,
        cx: &mut Context<'_, '_>,
    ) -> Interest {
        if let Phase::Tls(tls) = &mut self.phase {
            let interest = tls.inner_mut().end(side, how, receipt, at, cx);
            let interest = tls.heard(interest);
            let flow = self.heed(interest, cx);
            return self.interest(flow);
        }
        self.follow_http();
        if self.give_up_unasked(cx).is_break()
            || self.release_preface(cx).is_break()
            || self.probe_end(at, cx).is_break()
        {
            return Interest::Stop;
        }
        self.about.ended[side.index()] = Some(how);
        let dir = self.about.dir(side);
        // A WebSocket remembers it itself, and stays one.
        if !self.is_settled() {
            self.about.first_end(dir, how, at);
        }
        let flow = match &mut self.phase {
            Phase::WebSocket(talk) => {
                talk.end(dir.unwrap_or(Dir::Server), how, receipt, at, cx.out, cx.scratch)
            }
            Phase::Http(_) => self.http_end(side, Over::Stream(how), at, cx),
            Phase::Encrypted(_) | Phase::Sealed(_) => {
                self.tls_ended(side, how, at, cx);
                self.watch_encrypted(cx);
                self.settle_sealed();
                ON
            }
            #[cfg(feature = "h2")]
            Phase::Http2(_) => {
                let dir = dir.unwrap_or(Dir::Server);
                self.http2(cx, |http2, to| http2.end(dir, &Stop { how, receipt, at }, to))
            }
            Phase::Lines(_) => self.line_end(dir.unwrap_or(Dir::Server), at, cx),
            Phase::New | Phase::Asked(_) | Phase::Probe(_) | Phase::Tls(_) | Phase::Other => ON,
        };
        self.remember_end(at.time, cx);
        self.interest(flow)
    }

    /// The WebSocket is over for both as soon as one side ends its stream.
    fn remember_end(&mut self, now: Option<Time>, cx: &mut Context<'_, '_>) {
        let Some(told) = &mut self.about.told else { return };
        if Memory::is_over(&told.entry) {
            return;
        }
        let ended = |side: Side| self.about.ended[side.index()].is_some();
        let by_client = self.about.client.is_some_and(|client| ended(client) && !ended(client.other()));
        let has_failed = match (&self.phase, told.connection.status) {
            (Phase::WebSocket(talk), _) => talk.has_failed(),
            // Asked for a password, or sent elsewhere, a client may try again at once.
            (_, Some(status)) => status >= 500 || status == 429,
            (_, None) => !by_client,
        };
        cx.memory.over(told.conn, &mut told.entry, !has_failed, now);
    }

    /// The connection is over. `how` says what ended a side that has not said so
    /// itself, `transport` what TCP says of it, `ended` is when its last packet was captured, and `now` when
    /// that of the whole input was, so far: what the endpoints are waited for until then.
    pub fn finish(
        mut self,
        how: StreamEnd,
        transport: Option<Box<TcpFacts>>,
        ended: Option<Time>,
        now: Option<Time>,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        if let Phase::Tls(_) = self.phase {
            let Phase::Tls(tls) = std::mem::replace(&mut self.phase, Phase::Other) else { return ON };
            return tls.over(cx).finish(how, transport, ended, now, cx);
        }
        self.follow_http();
        self.give_up_unasked(cx)?;
        self.release_preface(cx)?;
        self.remember_end(ended, cx);
        match &self.phase {
            Phase::Http(_) => {
                let at = At { time: now, ..At::default() };
                self.http_end(Side::A, Over::Input, at, cx)?;
                self.http_end(Side::B, Over::Input, at, cx)?;
                // The answer may be among what is not there.
                if let (Phase::Http(_), Some(told)) = (&self.phase, &mut self.about.told)
                    && self.about.lacks[Dir::Server.index()]
                    && told.connection.handshake == Handshake::RequestOnly
                {
                    told.connection.handshake = Handshake::AnswerUnseen;
                }
            }
            // Too little to tell what it is, but the user said so.
            Phase::Probe(probe) if self.about.start == Start::Given => {
                if let Some((side, masked)) = probe.first() {
                    self.begin_frames(side, None, masked, cx)?;
                }
            }
            Phase::Probe(_) => self.probe_end(At { time: ended, ..At::default() }, cx)?,
            Phase::Lines(_) => self.lines_over(At { time: ended, ..At::default() }, cx)?,
            _ => {}
        }
        self.watch_encrypted(cx);
        self.sealed_over(cx);
        let phase = std::mem::replace(&mut self.phase, Phase::Other);
        #[cfg(feature = "h2")]
        let phase = match phase {
            Phase::Http2(http2) => {
                http2.finish(how, ended, now, &mut Around { about: &mut self.about, cx })?;
                Phase::Other
            }
            phase => phase,
        };
        let Some(mut told) = self.about.told.take() else { return ON };
        let mut ending = if let Phase::WebSocket(mut talk) = phase {
            talk.finish(how, ended, now, cx.out, cx.scratch)?;
            let mut ending = cx.memory.spare.ending();
            talk.tell_ending(&mut ending);
            // Without Close frames, who says first within TLS that no more comes has ended it.
            let notified = told.first_end.as_deref().filter(|end| end.how == StreamEnd::Notify);
            if let (Some(notified), None) = (notified, ending.close()) {
                ending.first = Some(*notified);
            }
            told.connection.more = talk.more();
            talk.leave(cx.scratch);
            cx.memory.spare.keep_talk(talk);
            ending
        } else {
            let mut ending = cx.memory.spare.ending();
            let lacks = self.about.lacks;
            *ending = Ending { first: told.first_end.as_deref().copied(), ..Ending::new(self.end_kind()) };
            for (side, is_blind) in ending.sides.iter_mut().zip(lacks) {
                side.is_blind = is_blind;
            }
            ending
        };
        // That the input is over says nothing where somebody tells of what is over.
        if self.about.layer.is_told() && how == StreamEnd::Capture && ending.how == EndKind::CaptureEnd {
            ending.how = if told.has_failed { EndKind::Failed } else { EndKind::Untold };
        }
        ending.began = told.began;
        ending.transport = transport;
        if let Some(facts) = &mut ending.transport {
            facts.set_client(self.about.side(Dir::Client));
        }
        told.connection.ending = Some(ending);
        let flow = cx.out.emit(&told.unit(ended));
        cx.memory.spare.keep_told(told);
        flow
    }

    fn end_kind(&self) -> EndKind {
        match self.about.ended {
            ends if ends.iter().flatten().any(|end| end.is_reset()) => EndKind::Rst,
            ends if ends.iter().flatten().any(|end| end.is_orderly()) => EndKind::Fin,
            _ => EndKind::CaptureEnd,
        }
    }
}
