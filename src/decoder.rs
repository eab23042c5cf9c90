//! Bytes of connections in, units out: everything between them in one thing that is owned.
//!
//! ```text
//! open, data, gap, end, close ─► Decoder ─► Sink
//! ```
//!
//! A [`Decoder`] is told what the endpoints of any number of connections send, wherever that comes
//! from: packets ([`pipeline`](crate::pipeline)), sockets, a file of bytes. It finds out what each
//! connection carries, follows it from the first byte to the last, and tells its [`Sink`]. It does no
//! I/O, has no clock, and never waits.

mod beside;
mod budget;
mod lines;
mod rest;
#[cfg(feature = "tls")]
mod secrets;
mod told;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use self::budget::Budget;
use self::lines::Lines;
use crate::cause::Judge;
use crate::limits;
use crate::model::{
    At, Dir, Emitter, Finding, Flow, FlowId, Interest, Layer, Message, Missing, ON, Other, Receipt, Rule,
    Side, Single, Sink, StreamEnd, Summary, TcpFacts, Text, Time, Unit, Wants,
};
use crate::session::{Context, Memory, Refusals, Session};
use crate::timeline::Timeline;
pub use crate::timeline::{Given, Keys};
use crate::ws::Scratch;

pub use crate::session::{Census, Start, polls};
pub use crate::ws::{Extensions, Prospect};

/// What is known of a connection before it says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The addresses of [`Side::A`] and [`Side::B`]; `None` where there are none.
    pub endpoints: Option<[SocketAddr; 2]>,
    /// Where in it the bytes begin.
    pub start: Start,
    /// What the bytes are that are told of it: what the endpoints sent, or what that deciphers to.
    pub layer: Layer,
    /// The [number](Decoder::conn) of the connection within which this one is a stream, as in HTTP/2.
    pub parent: Option<NonZeroU32>,
    /// The beginning of what both endpoints send will be seen: who is silent is so for certain.
    pub both_heard: bool,
}

impl Beginning {
    /// Bytes that are known to be WebSocket, or its opening handshake, of which nothing else is known.
    pub const GIVEN: Self =
        Self { endpoints: None, start: Start::Given, layer: Layer::Stream, parent: None, both_heard: false };

    /// Every byte of both endpoints will be seen; `endpoints[0]` opened the connection.
    pub fn opened(endpoints: [SocketAddr; 2]) -> Self {
        Self { endpoints: Some(endpoints), start: Start::Opened, both_heard: true, ..Self::GIVEN }
    }
}

/// Decodes connections, any number of them at once, and tells a sink what they carry.
///
/// Whoever feeds it names each connection by a [`FlowId`] that is free: small numbers, as room is kept
/// up to the largest. The order of calls is the order in which things happened.
pub struct Decoder<S> {
    out: Emitter<Chain<S>>,
    scratch: Scratch,
    connections: u32,
    memory: Memory,
    refusals: Refusals,
    /// By flow id.
    sessions: Vec<Option<Session>>,
    budget: Budget,
    /// The slot that is [put to rest](Session::rest) next.
    to_rest: usize,
    /// What TCP says of the connection that is over next.
    transport: Option<(FlowId, Box<TcpFacts>)>,
    /// Ports that speak lines.
    lines: Lines,
    now: Option<Time>,
    bytes: u64,
    /// The sink has had enough.
    stopped: bool,
}

impl<S: Sink> Decoder<S> {
    /// A decoder in front of `sink`, which is asked once what it will look at. To keep the sink, lend
    /// it: `&mut S` is a sink too.
    pub fn new(sink: S) -> Self {
        Self::within(limits::MEMORY, sink)
    }

    /// The same, holding at most `memory` bytes at a time: beyond that the least useful is given up, with
    /// a finding.
    pub fn within(memory: usize, sink: S) -> Self {
        let Wants { app, causes, .. } = sink.wants();
        let chain = match (app, causes) {
            (false, false) => Chain::Plain(sink),
            (false, true) => Chain::Judged(Box::new(Judge::new(sink).within(memory))),
            (true, _) => {
                Chain::Timed(Box::new(Timeline::new(Judge::new(sink).within(memory)).within(memory)))
            }
        };
        Self {
            out: Emitter::new(chain),
            scratch: Scratch::within(memory),
            connections: 0,
            memory: Memory::default(),
            refusals: Refusals::default(),
            sessions: Vec::new(),
            budget: Budget::of(memory, app),
            to_rest: 0,
            transport: None,
            lines: Lines::default(),
            now: None,
            bytes: 0,
            stopped: false,
        }
    }

    /// Ties replies to requests by these keys, too, where the sink wants to know what messages mean.
    #[must_use]
    pub fn matching(mut self, keys: Option<Arc<Keys>>) -> Self {
        if let Chain::Timed(timeline) = self.out.sink() {
            timeline.match_by(keys);
        }
        self
    }

    /// Reads messages of protocols that the user has described, too, where the sink wants to know what
    /// messages mean.
    #[must_use]
    pub fn giving(mut self, given: Given) -> Self {
        if let Chain::Timed(timeline) = self.out.sink() {
            timeline.give(given);
        }
        self
    }

    /// The sink.
    pub fn sink(&mut self) -> &mut S {
        match self.out.sink() {
            Chain::Plain(sink) => sink,
            Chain::Judged(judge) => judge.inner(),
            Chain::Timed(timeline) => timeline.inner().inner(),
        }
    }

    /// What is looked at of what it tells.
    pub fn wants(&self) -> Wants {
        self.out.wants()
    }

    /// A connection begins. Its id must be free; one that is not is given to the new one.
    pub fn open(&mut self, id: FlowId, beginning: &Beginning) {
        self.refusals.opened += 1;
        let Beginning { endpoints, start, layer, parent, both_heard } = *beginning;
        let session = Session::new(endpoints, start).hearing_both(both_heard).on(layer).within(parent);
        self.take_in(id, self.lines.of(session, endpoints));
    }

    /// A connection begins behind its opening handshake, which was read elsewhere and agreed on
    /// `extensions`: everything that comes is frames. [`Side::A`] is the client.
    pub fn open_upgraded(
        &mut self,
        id: FlowId,
        endpoints: Option<[SocketAddr; 2]>,
        extensions: Extensions,
    ) -> Interest {
        self.refusals.opened += 1;
        self.take_in(id, Session::new(endpoints, Start::Opened));
        self.with(id, |session, cx| session.is_upgraded(extensions, cx))
    }

    /// Says which endpoint is the client, where that is known from elsewhere.
    pub fn set_client(&mut self, id: FlowId, side: Side) {
        if let Some(session) = self.session(id) {
            session.set_client(side);
        }
    }

    /// The next bytes of one side, in pieces of any size. `at` says where in a capture they stand;
    /// its time alone is as good.
    #[allow(clippy::inline_always)] // it is on the way of nearly every packet
    #[inline(always)]
    pub fn data(&mut self, id: FlowId, from: Side, bytes: &[u8], at: At) -> Interest {
        self.bytes += bytes.len() as u64;
        let session = self.sessions.get_mut(id.0 as usize).and_then(Option::as_mut);
        let Some((talk, dir)) = session.and_then(|session| session.settled(from)) else {
            return self.other_data(id, from, bytes, at);
        };
        let flow = talk.push(dir, bytes, at, &mut self.out, &mut self.scratch);
        self.answered(id, if flow.is_continue() { Interest::Follow } else { Interest::Stop })
    }

    /// The same of what is no WebSocket yet.
    #[inline(never)]
    fn other_data(&mut self, id: FlowId, from: Side, bytes: &[u8], at: At) -> Interest {
        self.with(id, |session, cx| session.data(from, bytes, at, cx))
    }

    /// What is certain of the frame and message that one side of a WebSocket has begun: an endpoint need not
    /// wait for their end to refuse them. `None` where there is no WebSocket yet.
    pub fn prospect(&mut self, id: FlowId, from: Side) -> Option<Prospect> {
        let session = self.session(id)?;
        let (talk, dir) = session.settled(from)?;
        Some(talk.prospect(dir))
    }

    /// The next `length` bytes of one side are missing, which is against `rule`. `between` are the
    /// packets on both sides of the hole, where there are any.
    pub fn gap(
        &mut self,
        id: FlowId,
        from: Side,
        length: u64,
        between: (Option<u64>, Option<u64>),
        rule: &'static Rule,
    ) -> Interest {
        self.with(id, |session, cx| session.gap(from, Missing::exactly(length), between, rule, cx))
    }

    /// What comes next was sent in knowledge of bytes of `from` that are not there yet, and may never be.
    pub fn behind(&mut self, id: FlowId, from: Side) {
        self.lend(id.0 as usize, |session, cx| session.behind(from, cx));
    }

    /// One side has ended its stream; `receipt` says what had been acknowledged by then.
    pub fn end(&mut self, id: FlowId, from: Side, how: StreamEnd, receipt: Receipt, at: At) -> Interest {
        self.with(id, |session, cx| session.end(from, how, receipt, at, cx))
    }

    /// What TCP itself says of a connection, by [`Side`]; it is over with the next call.
    pub fn transport(&mut self, id: FlowId, facts: Box<TcpFacts>) {
        self.transport = Some((id, facts));
    }

    /// The connection is over, and its id is free. `how` says what ended a side that has not said so
    /// itself, and `last` when something came last.
    pub fn close(&mut self, id: FlowId, how: StreamEnd, last: Option<Time>) -> Flow {
        let transport = self.transport.take().filter(|(of, _)| *of == id).map(|(_, facts)| facts);
        let Some(mut session) = self.sessions.get_mut(id.0 as usize).and_then(Option::take) else {
            return ON;
        };
        session.wake(&mut self.memory);
        self.budget.leave(&session);
        let mut cx = Context {
            out: &mut self.out,
            scratch: &mut self.scratch,
            connections: &mut self.connections,
            memory: &mut self.memory,
        };
        session.finish(how, transport, last, self.now, &mut cx)
    }

    /// Something is wrong with a packet of one side.
    pub fn anomaly(&mut self, id: FlowId, from: Side, finding: Finding, at: At) -> Interest {
        self.with(id, |session, cx| session.anomaly(from, finding, at, cx))
    }

    /// What time it is: how long endpoints have been waited for when a connection is over.
    #[inline]
    pub fn tick(&mut self, now: Time) {
        self.now = Some(now);
    }

    /// Passes on what belongs to no connection.
    pub fn tell(&mut self, unit: &Unit<'_>) -> Flow {
        self.out.emit(unit)
    }

    /// The number that units have of the connection, once it has one.
    pub fn conn(&self, id: FlowId) -> Option<u32> {
        self.sessions.get(id.0 as usize)?.as_ref()?.conn()
    }

    /// Whether what the connection carries is still of interest.
    pub fn is_followed(&self, id: FlowId) -> bool {
        self.sessions.get(id.0 as usize).is_some_and(Option::is_some)
    }

    /// Whether frames were taken for such without a handshake to open them.
    pub fn has_no_handshake(&self, id: FlowId) -> bool {
        self.sessions.get(id.0 as usize).and_then(Option::as_ref).is_some_and(Session::has_no_handshake)
    }

    /// No more will come for now: connections that are still open are over, and what only the whole
    /// tells is told.
    pub fn settle(&mut self) -> Flow {
        for slot in 0..self.sessions.len() {
            let is_given = self.sessions[slot].as_ref().is_some_and(Session::is_given);
            let how = if is_given { StreamEnd::Input } else { StreamEnd::Capture };
            // The sink will say so again at the next unit if it has had enough.
            let _: Flow = self.close(FlowId(slot as u32), how, self.now);
        }
        #[cfg(feature = "tls")]
        self.memory.quic.finish(&mut self.memory.census);
        self.memory.undeciphered.tell_all(&mut self.out)?;
        // What is told now is not told again when more has come.
        let failures = std::mem::take(&mut self.memory.failures);
        std::mem::take(&mut self.refusals).tell(&failures, &self.memory, &mut self.out)
    }

    /// Forgets what is remembered from one connection to the next, because what follows was captured
    /// elsewhere; gives the connections of other protocols.
    pub fn forget(&mut self) -> Vec<Other> {
        let before = std::mem::take(&mut self.memory);
        self.memory.secrets = before.secrets;
        self.memory.undeciphered = before.undeciphered.of_next();
        let mut census = before.census;
        let others = census.take();
        self.out.others(others.clone());
        for session in std::mem::take(&mut self.sessions).into_iter().flatten() {
            self.drop_session(session);
        }
        self.now = None;
        others
    }

    /// One of several files ends, of which this is known: its totals.
    pub fn end_file(&mut self, name: &str, packets: u64, bytes: u64, error: Option<Text>) -> Summary {
        self.out.end_file(name, packets, bytes, error)
    }

    /// Several files were decoded: the totals of all. `others` are what [`forget`](Self::forget) gave,
    /// or `None` where nothing was forgotten.
    pub fn finish_files(mut self, others: Option<Vec<Other>>, error: Option<Text>) -> (S, Summary) {
        let others = others.unwrap_or_else(|| self.memory.census.take());
        let (chain, summary) = self.out.finish_files(others, error);
        (chain.end(), summary)
    }

    /// Everything has been told: the sink, which has taken the totals as its last unit, and the totals.
    pub fn finish(self) -> (S, Summary) {
        let bytes = self.bytes;
        self.finish_input(0, bytes, None)
    }

    /// The same, with what is known of the input.
    pub fn finish_input(mut self, packets: u64, bytes: u64, error: Option<Text>) -> (S, Summary) {
        if !self.stopped {
            // It is over anyway.
            let _: Flow = self.settle();
        }
        self.out.others(self.memory.census.take());
        let (chain, summary) = self.out.finish(packets, bytes, error);
        (chain.end(), summary)
    }

    fn session(&mut self, id: FlowId) -> Option<&mut Session> {
        self.sessions.get_mut(id.0 as usize)?.as_mut()
    }

    /// Has one session take something, and does what it answers; one that is not there ignores it.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn with(
        &mut self,
        id: FlowId,
        act: impl FnOnce(&mut Session, &mut Context<'_, '_>) -> Interest,
    ) -> Interest {
        let Some(interest) = self.lend(id.0 as usize, act) else { return Interest::Ignore };
        self.answered(id, interest)
    }

    /// A session has answered.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn answered(&mut self, id: FlowId, interest: Interest) -> Interest {
        if interest == Interest::Follow && !self.budget.is_reached(&self.scratch) {
            return interest;
        }
        self.heed(id, interest)
    }

    /// Does what a session answered, and gives something up where memory is short.
    #[inline(never)]
    fn heed(&mut self, id: FlowId, mut interest: Interest) -> Interest {
        if interest == Interest::Ignore
            && let Some(session) = self.sessions[id.0 as usize].take()
        {
            self.drop_session(session);
        }
        if self.budget.is_reached(&self.scratch) && self.relieve().is_break() {
            interest = Interest::Stop;
        }
        if interest == Interest::Stop {
            self.stopped = true;
        }
        interest
    }

    /// Lends one session, if it is there, all that it needs to do something, and accounts for what it takes
    /// by then.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(crate) fn lend<T>(
        &mut self,
        slot: usize,
        act: impl FnOnce(&mut Session, &mut Context<'_, '_>) -> T,
    ) -> Option<T> {
        let session = self.sessions.get_mut(slot)?.as_mut()?;
        let mut cx = Context {
            out: &mut self.out,
            scratch: &mut self.scratch,
            connections: &mut self.connections,
            memory: &mut self.memory,
        };
        session.wake(cx.memory);
        let before = (!session.is_settled()).then(|| (session.is_told(), session.cost()));
        let result = act(session, &mut cx);
        if let Some(before) = before {
            self.budget.change(before, (session.is_told(), session.cost()));
        }
        Some(result)
    }
}

/// What stands between the decoders and the sink.
enum Chain<S> {
    Plain(S),
    /// Why connections end is asked for.
    Judged(Box<Judge<S>>),
    /// What messages mean is asked for.
    Timed(Box<Timeline<Judge<S>>>),
}

impl<S> Chain<S> {
    fn end(self) -> S {
        match self {
            Self::Plain(sink) => sink,
            Self::Judged(judge) => judge.into_inner(),
            Self::Timed(timeline) => timeline.into_inner().into_inner(),
        }
    }
}

impl<S: Sink> Sink for Chain<S> {
    fn wants(&self) -> Wants {
        match self {
            Self::Plain(sink) => sink.wants(),
            Self::Judged(judge) => judge.wants(),
            Self::Timed(timeline) => timeline.wants(),
        }
    }

    fn behind(&mut self, conn: u32, dir: Dir) {
        match self {
            Self::Plain(sink) => sink.behind(conn, dir),
            Self::Judged(judge) => judge.behind(conn, dir),
            Self::Timed(timeline) => timeline.behind(conn, dir),
        }
    }

    #[inline]
    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        match self {
            Self::Plain(sink) => sink.take(unit),
            Self::Judged(judge) => judge.take(unit),
            Self::Timed(timeline) => timeline.take(unit),
        }
    }

    #[inline]
    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        match self {
            Self::Plain(sink) => sink.take_whole(unit, message),
            Self::Judged(judge) => judge.take_whole(unit, message),
            Self::Timed(timeline) => timeline.take_whole(unit, message),
        }
    }

    #[inline]
    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        match self {
            Self::Plain(sink) => sink.take_single(single),
            Self::Judged(judge) => judge.take_single(single),
            Self::Timed(timeline) => timeline_single(timeline, single),
        }
    }
}

/// Has messages read; of its own, because it needs room that nobody else does.
#[inline(never)]
fn timeline_single<S: Sink>(timeline: &mut Timeline<Judge<S>>, single: &Single<'_>) -> Flow {
    timeline.take_single(single)
}

#[cfg(test)]
mod ways;

#[cfg(test)]
mod tests;
