//! One TCP connection from its first byte to its last: HTTP, then the upgrade,
//! then WebSocket.
//!
//! A session is told what each endpoint sent and finds out for itself what it
//! is: `probe` looks for HTTP or for the shape of frames, `http` follows
//! requests and responses until one upgrades, and from there on the bytes go to a
//! [`Conversation`]. A connection that has nothing to do with WebSocket is given
//! up without a word.

mod about;
mod account;
mod address;
mod asked;
mod census;
mod encrypted;
mod entry;
mod failed;
mod follow;
#[cfg(feature = "h2")]
mod h2;
mod holes;
mod http;
mod joined;
mod judged;
mod key;
mod keyed;
mod lines;
mod memory;
mod nameless;
mod over;
mod preface;
mod probe;
mod proxy;
#[cfg(feature = "tls")]
mod quic;
mod records;
mod refused;
mod rest;
mod resting;
mod resumed;
mod run;
mod said;
mod sealed;
mod spare;
mod tls;
mod told;
mod tunnel;
mod unanswered;
mod unasked;
mod undeciphered;
mod upgraded;
mod usual;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use crate::model::{At, Dir, Finding, Flow, Handshake, Interest, Layer, ON, Out, Side, Time};
use crate::ws::{Conversation, Given, Scratch};

use self::about::{About, Told};
use self::asked::Asked;
pub use self::census::Census;
use self::encrypted::Encrypted;
#[cfg(feature = "h2")]
use self::h2::Http2;
pub use self::http::polls;
use self::http::{Http, Next, Over, Turn};
use self::lines::Lines;
pub use self::memory::Memory;
use self::probe::Probe;
pub use self::refused::Refusals;
use self::run::Run;
use self::sealed::Sealed;
#[cfg(test)]
pub(crate) use self::spare::Spare;
use self::tls::Tls;

/// What a session reports to and borrows from.
pub struct Context<'c, 's> {
    /// Where units go.
    pub out: &'c mut Out<'s>,
    /// Buffers that nobody keeps between two calls.
    pub scratch: &'c mut Scratch,
    /// Connections numbered so far.
    pub connections: &'c mut u32,
    /// What is remembered of them.
    pub memory: &'c mut Memory,
}

/// What is known of a connection before it says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Its first bytes will be seen: they are HTTP, or it is something else.
    Opened,
    /// The capture begins in the middle of it.
    Midway,
    /// It spoke HTTP and asked for no WebSocket, and a hole hides how it went on: it may ask for one yet.
    SpokeHttp,
    /// The user says it is WebSocket: pasted hex, a file of raw bytes.
    Given,
}

/// A connection being followed.
pub struct Session {
    phase: Phase,
    about: About,
}

enum Phase {
    /// Nothing has come.
    New,
    /// A usual request waits for its answer.
    Asked(Box<Asked>),
    Probe(Box<Probe>),
    Http(Box<Http>),
    WebSocket(Box<Conversation>),
    Encrypted(Box<Encrypted>),
    #[cfg(feature = "h2")]
    Http2(Box<Http2>),
    /// TLS that nobody can read is watched from outside.
    Sealed(Box<Sealed>),
    /// TLS is deciphered: what it carries is in a session of its own.
    Tls(Box<Tls>),
    /// Lines of text, as whoever gives the bytes says.
    Lines(Box<Lines>),
    Other,
}

impl Session {
    /// A session between two addresses; `endpoints[0]` is [`Side::A`].
    pub fn new(endpoints: Option<[SocketAddr; 2]>, start: Start) -> Self {
        Self { phase: Phase::New, about: About::new(endpoints, start) }
    }

    /// Says whether the beginning of what both endpoints send was captured.
    #[must_use]
    pub fn hearing_both(mut self, both: bool) -> Self {
        self.about.both_heard = both;
        self
    }

    /// Says that what it is told are not the bytes that the endpoints sent to each other, but what they
    /// decipher to. It is to be told with each where a packet carried it.
    #[must_use]
    pub fn on(mut self, layer: Layer) -> Self {
        self.about.layer = layer;
        self
    }

    /// Says that this is one of many streams within connection `parent`, if it is.
    #[must_use]
    pub fn within(mut self, parent: Option<NonZeroU32>) -> Self {
        self.about.parent = parent;
        self
    }

    /// Says who is the client, where the input itself says so of both directions.
    pub fn set_client(&mut self, side: Side) {
        self.about.client.get_or_insert(side);
        self.about.both_heard = true;
        if let Phase::Tls(tls) = &mut self.phase {
            tls.inner_mut().set_client(side);
        }
    }

    /// The number of the connection, once it has one.
    pub fn conn(&self) -> Option<u32> {
        match &self.phase {
            Phase::Tls(tls) => tls.inner().conn(),
            _ => self.about.conn(),
        }
    }

    /// What is told of it, whatever it is within.
    fn told(&self) -> Option<&Told> {
        match &self.phase {
            Phase::Tls(tls) => tls.inner().told(),
            _ => self.about.told.as_deref(),
        }
    }

    /// Whether frames were taken for such without a handshake to open them.
    pub fn has_no_handshake(&self) -> bool {
        self.told().is_some_and(|told| told.connection.handshake == Handshake::Missing)
    }

    /// Whether it is known to have to do with WebSocket.
    #[inline]
    pub fn is_told(&self) -> bool {
        self.about.is_told() || matches!(&self.phase, Phase::Tls(tls) if tls.inner().is_told())
    }

    /// Whether what it [costs](Self::cost) is settled: it is a WebSocket, and stays one.
    #[inline]
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::WebSocket(_))
    }

    /// Bytes it holds because it is not a WebSocket yet. What is under way in one is entered elsewhere.
    #[inline]
    pub fn cost(&self) -> usize {
        match &self.phase {
            Phase::New | Phase::WebSocket(_) | Phase::Other => 0,
            _ => self.early_cost(),
        }
    }

    #[inline(never)]
    fn early_cost(&self) -> usize {
        match &self.phase {
            Phase::New | Phase::WebSocket(_) | Phase::Other => 0,
            Phase::Asked(asked) => asked.cost(),
            Phase::Probe(probe) => {
                probe.cost() + self.about.tunnel.as_ref().map_or(0, |tunnel| tunnel.cost())
            }
            Phase::Http(http) => http.cost() + self.about.tunnel.as_ref().map_or(0, |tunnel| tunnel.cost()),
            Phase::Encrypted(tls) => tls.cost(),
            #[cfg(feature = "h2")]
            Phase::Http2(http2) => http2.cost(),
            Phase::Sealed(sealed) => sealed.cost(),
            Phase::Tls(tls) => tls.cost(),
            Phase::Lines(lines) => lines.cost(),
        }
    }

    /// Gives up finding out what the connection carries, and holds nothing any longer.
    pub fn give_up(&mut self) {
        self.about.tunnel = None;
        self.phase = Phase::Other;
    }

    /// Its WebSocket, if it is one.
    pub fn talk(&mut self) -> Option<&mut Conversation> {
        match &mut self.phase {
            Phase::WebSocket(talk) => Some(talk),
            Phase::Tls(tls) => tls.inner_mut().talk(),
            _ => None,
        }
    }

    /// All WebSockets that it carries, each with its number among them: 0 for its own, or that of a stream.
    pub fn talks(&mut self) -> Box<dyn Iterator<Item = (u32, &mut Conversation)> + '_> {
        match &mut self.phase {
            Phase::WebSocket(talk) => Box::new(std::iter::once((0, &mut **talk))),
            #[cfg(feature = "h2")]
            Phase::Http2(http2) => Box::new(http2.talks()),
            Phase::Tls(tls) => tls.inner_mut().talks(),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// One of [these](Self::talks).
    #[cfg_attr(
        not(feature = "h2"),
        allow(clippy::only_used_in_recursion, reason = "it counts streams of HTTP/2")
    )]
    pub fn talk_of(&mut self, number: u32) -> Option<&mut Conversation> {
        match &mut self.phase {
            Phase::WebSocket(talk) => Some(talk),
            #[cfg(feature = "h2")]
            Phase::Http2(http2) => http2.talk(number),
            Phase::Tls(tls) => tls.inner_mut().talk_of(number),
            _ => None,
        }
    }

    /// Its WebSocket, to take what this side sent, if there is nothing else to do about that.
    #[allow(clippy::inline_always)] // it is on the way of nearly every packet
    #[inline(always)]
    pub fn settled(&mut self, side: Side) -> Option<(&mut Conversation, Dir)> {
        let Phase::WebSocket(talk) = &mut self.phase else { return None };
        let dir = if self.about.client == Some(side) { Dir::Client } else { Dir::Server };
        self.about.bad_handshake.is_none().then_some((talk, dir))
    }

    /// When it asked for what is not answered yet, if it waits for an answer.
    pub fn silent_since(&self) -> Option<Option<Time>> {
        match &self.phase {
            Phase::Asked(asked) => Some(asked.at.time),
            Phase::Http(http) if self.is_told() && http.holds_something() => Some(http.silent_since()),
            Phase::Tls(tls) => tls.inner().silent_since(),
            _ => None,
        }
    }

    /// Gives up the heads of a handshake that is not over, and what waits for it, and says so: what comes
    /// next is found out anew, as behind a hole.
    pub fn give_up_heads(&mut self, at: At, cx: &mut Context<'_, '_>) -> Flow {
        if let Phase::Tls(tls) = &mut self.phase {
            return tls.inner_mut().give_up_heads(at, cx);
        }
        let bytes = self.cost();
        self.follow_http();
        let given_up = cx.scratch.held.finding(Given::Heads, bytes);
        self.about.tunnel = None;
        self.about.heads_given_up = true;
        self.http(cx, Http::gap)?;
        let Some(told) = &self.about.told else { return ON };
        told.note(Dir::Client, at, &[given_up], cx)
    }

    /// Says that the connection is followed no longer.
    pub fn tell_given_up(&self, at: At, cx: &mut Context<'_, '_>) -> Flow {
        let Some(told) = self.told() else { return ON };
        let given_up = cx.scratch.held.finding(Given::Connection, 0);
        told.note(Dir::Client, at, &[given_up], cx)
    }

    /// Takes the next bytes of one side.
    pub fn data(&mut self, side: Side, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) -> Interest {
        let Phase::WebSocket(talk) = &mut self.phase else {
            return self.early_data(side, bytes, at, cx);
        };
        let dir = if self.about.client == Some(side) { Dir::Client } else { Dir::Server };
        if dir == Dir::Client
            && self.about.bad_handshake.is_some()
            && self.about.tell_accepted(bytes, at, cx).is_break()
        {
            return Interest::Stop;
        }
        match talk.push(dir, bytes, at, cx.out, cx.scratch) {
            ControlFlow::Continue(()) => Interest::Follow,
            ControlFlow::Break(()) => Interest::Stop,
        }
    }

    /// Something is wrong with a packet of one side.
    pub fn anomaly(&mut self, side: Side, finding: Finding, at: At, cx: &mut Context<'_, '_>) -> Interest {
        if let Phase::Tls(tls) = &mut self.phase {
            return tls.inner_mut().anomaly(side, finding, at, cx);
        }
        self.about.anomaly(side, finding, at);
        let flow = self.about.tell_anomalies(cx);
        self.interest(flow)
    }

    fn interest(&self, flow: Flow) -> Interest {
        match &self.phase {
            _ if flow.is_break() => Interest::Stop,
            Phase::Other if !self.about.is_told() => Interest::Ignore,
            _ => Interest::Follow,
        }
    }

    /// Bytes before the WebSocket is reached.
    #[inline(never)]
    fn early_data(&mut self, side: Side, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) -> Interest {
        if let Phase::Tls(_) = self.phase {
            let flow = self.tls(side, bytes, at, cx);
            return self.interest(flow);
        }
        let flow = if let Phase::Lines(_) = self.phase {
            self.line_data(side, bytes, at, cx)
        } else {
            self.before_frames(side, bytes, at, cx)
        };
        self.interest(flow)
    }

    fn before_frames(&mut self, side: Side, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) -> Flow {
        let offset = self.about.offsets[side.index()];
        self.about.offsets[side.index()] += bytes.len() as u64;
        if self.usual(side, bytes, at, offset, cx)? {
            return self.about.tell_anomalies(cx);
        }
        self.follow_http();
        let used = self.preface(side, bytes, at, offset, cx)?;
        if used < bytes.len() {
            let at = At { byte: at.byte.saturating_add(used as u32), ..at };
            self.pass(side, &bytes[used..], at, offset + used as u64, cx)?;
        }
        self.about.tell_anomalies(cx)
    }

    /// Has HTTP take something, where that is the phase, and goes on with what the connection becomes by it.
    fn http(
        &mut self,
        cx: &mut Context<'_, '_>,
        takes: impl FnOnce(&mut Http, &mut About, &mut Context<'_, '_>) -> Turn,
    ) -> Flow {
        let Phase::Http(http) = &mut self.phase else { return ON };
        let ControlFlow::Break(next) = takes(http, &mut self.about, cx) else { return ON };
        let (phase, rest) = match next {
            Next::Stop => return ControlFlow::Break(()),
            Next::Other => (Phase::Other, Vec::new()),
            Next::Anew(rest) => (Phase::New, rest),
            Next::WebSocket(talk, rest) => (Phase::WebSocket(talk), rest),
            #[cfg(feature = "h2")]
            Next::Http2(upgrade, rest) => {
                (Phase::Http2(Box::new(Http2::upgraded(upgrade, self.about.hears_both()))), rest)
            }
        };
        self.phase = phase;
        rest.iter().try_for_each(|(dir, chunk)| {
            let run = chunk.run(*dir);
            self.pass(self.about.side(*dir), run.bytes, run.at, run.offset, cx)
        })
    }

    fn http_end(&mut self, side: Side, over: Over, at: At, cx: &mut Context<'_, '_>) -> Flow {
        let dir = self.about.dir(side).unwrap_or(Dir::Server);
        self.http(cx, |http, about, cx| http.end(dir, over, at, about, cx))
    }

    /// Bytes that were counted already go to HTTP, or, once it has upgraded, to the conversation.
    fn pass(&mut self, side: Side, bytes: &[u8], at: At, offset: u64, cx: &mut Context<'_, '_>) -> Flow {
        let dir = self.about.dir(side).unwrap_or(Dir::Server);
        match &mut self.phase {
            Phase::WebSocket(talk) => talk.push(dir, bytes, at, cx.out, cx.scratch),
            Phase::Http(_) => {
                self.http(cx, |http, about, cx| http.data(Run { dir, bytes, at, offset }, about, cx))
            }
            Phase::New | Phase::Probe(_) => self.probe_data(side, bytes, at, offset, cx),
            Phase::Encrypted(_) => self.encrypted_data(side, bytes, at, offset, cx),
            #[cfg(feature = "h2")]
            Phase::Http2(_) => self.http2(cx, |http2, to| http2.data(Run { dir, bytes, at, offset }, to)),
            Phase::Sealed(_) => {
                self.sealed_data(side, bytes, at, cx);
                ON
            }
            Phase::Asked(_) | Phase::Tls(_) | Phase::Lines(_) | Phase::Other => ON,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Emitter, Sink, StreamEnd, Unit, Wants};

    #[test]
    fn a_stream_within_a_connection_names_that() {
        struct Parents(Vec<(u32, Option<u32>)>);
        impl Sink for Parents {
            fn wants(&self) -> Wants {
                Wants::NOTHING
            }

            fn take(&mut self, unit: &Unit<'_>) -> Flow {
                if let Body::Connection(connection) = unit.body {
                    self.0.push((unit.conn, connection.parent.map(NonZeroU32::get)));
                }
                ON
            }
        }
        let mut out = Emitter::new(Parents(Vec::new()));
        let (mut scratch, mut memory, mut connections) = (Scratch::default(), Memory::default(), 3);
        let mut cx = Context {
            out: &mut out,
            scratch: &mut scratch,
            connections: &mut connections,
            memory: &mut memory,
        };
        for session in
            [Session::new(None, Start::Given).within(Some(NonZeroU32::MIN)), Session::new(None, Start::Given)]
        {
            let mut session = session;
            session.data(Side::B, b"\x81\x02Hi", At::default(), &mut cx);
            assert!(session.finish(StreamEnd::Capture, None, None, None, &mut cx).is_continue());
        }
        assert_eq!(out.sink().0, [(4, Some(1)), (4, Some(1)), (5, None), (5, None)]);
    }

    #[test]
    fn a_session_is_small() {
        // There is one for each flow that is looked at, however many; an ignored one leaves its place.
        assert!(size_of::<Option<Session>>() <= 96, "{}", size_of::<Option<Session>>());
        assert!(size_of::<Told>() <= 384, "{}", size_of::<Told>());
    }
}
