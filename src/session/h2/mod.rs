//! A connection that speaks HTTP/2: each WebSocket on it is a connection of its own (RFC 8441).
//!
//! [`Http2`] owns the frames' machine and what becomes of the streams: a [`Child`] for an extended CONNECT,
//! an [`Exchange`] for an ordinary request that is shown, a [`Stranger`] for a stream whose beginning was not
//! captured. The connection itself is told, as their parent, once one of its streams is.

mod begin;
mod child;
mod exchange;
mod floods;
mod head;
mod holes;
mod show;
mod stranger;

use std::collections::HashMap;
use std::net::SocketAddr;

use foldhash::fast::RandomState;

use self::child::Child;
use self::exchange::Exchange;
use self::floods::Floods;
use self::stranger::Stranger;
use super::about::About;
use super::http::Upgrade;
use super::run::Run;
use super::{Context, Start};
use crate::h2::{Connection, Event, FrameSeen, HeadSeen};
use crate::http::head::{Head, StartLine};
use crate::http::{handshake, reset_diagnosis};
use crate::limits;
use crate::model::http2::Kind;
use crate::model::{
    At, Case, Dir, Finding, Flow, Handshake, ON, Other, Receipt, Roles, SourceId, StreamEnd, Text, Time,
};
use crate::ws::Conversation;

/// A connection that speaks HTTP/2.
pub(super) struct Http2 {
    connection: Connection,
    streams: HashMap<u32, Stream, RandomState>,
    /// Frames that are told once the connection is.
    held: Vec<(Dir, Box<FrameSeen>, Vec<Finding>)>,
    /// Findings of no frame that are told then.
    notes: Vec<(Dir, Vec<Finding>, At)>,
    /// Floods, as long as nothing is told.
    floods: Floods,
    /// Bytes of header fields of each direction so far, written as HTTP/1 has them.
    written: [u64; 2],
    /// When the first of it came.
    began: Option<Time>,
    /// Bytes that streams hold, those that hold any, and all of them together.
    costs: HashMap<u32, usize, RandomState>,
    cost: usize,
    /// Of whom something is not there that its peer has had.
    is_behind: [bool; 2],
    /// Bytes of each in which it is sought where frames begin.
    sought: [u64; 2],
}

/// What is known of the connection, and the way out.
pub(super) struct Around<'a, 'c, 's> {
    pub about: &'a mut About,
    pub cx: &'a mut Context<'c, 's>,
}

/// How an endpoint has ended a stream, or the connection below it.
pub(super) struct Stop {
    pub how: StreamEnd,
    /// What had been acknowledged by then.
    pub receipt: Receipt,
    pub at: At,
}

impl Stop {
    /// On a stream of HTTP/2, whose frames nobody acknowledges.
    fn of(how: StreamEnd, at: At) -> Self {
        Self { how, receipt: Receipt::default(), at }
    }
}

/// What is known of a stream, for those who follow what it carries.
enum Stream {
    /// An extended CONNECT, and the WebSocket that it opens.
    Child(Box<Child>),
    /// An ordinary request that is shown.
    Exchange(Box<Exchange>),
    /// An ordinary request that is shown if its answer streams.
    Asked(Box<HeadSeen>),
    /// Its header fields were not captured.
    Stranger(Box<Stranger>),
    /// Nothing that is followed.
    Other,
}

impl Stream {
    /// Bytes that it holds.
    fn cost(&self) -> usize {
        match self {
            Self::Child(child) => child.cost(),
            Self::Exchange(exchange) => exchange.cost(),
            Self::Asked(head) => head.cost(),
            Self::Stranger(stranger) => stranger.cost(),
            Self::Other => 0,
        }
    }
}

impl Http2 {
    /// A connection of which the client's preface comes next; `both_heard` where the capture is known to
    /// have what both endpoints send.
    pub fn new(mut connection: Connection, both_heard: bool) -> Self {
        if !both_heard {
            connection.begins_unseen();
        }
        Self {
            connection,
            streams: HashMap::default(),
            held: Vec::new(),
            notes: Vec::new(),
            floods: Floods::default(),
            written: [0, 0],
            began: None,
            costs: HashMap::default(),
            cost: 0,
            is_behind: [false; 2],
            sought: [0, 0],
        }
    }

    /// The same by an upgrade from HTTP/1.1: the request's answer comes on stream 1.
    pub fn upgraded(upgrade: Upgrade, both_heard: bool) -> Self {
        let mut it = Self::new(Connection::upgraded(upgrade.settings), both_heard);
        let first = if upgrade.polls { Stream::Exchange(Box::default()) } else { Stream::Other };
        it.streams.insert(1, first);
        it
    }

    /// Bytes that it holds, and what each stream takes.
    pub fn cost(&self) -> usize {
        let streams = self.streams.len() * limits::FLOW_HELD / 8;
        let frames: usize = self.held.iter().map(|(_, frame, _)| frame.cost()).sum();
        self.connection.cost() + self.cost + streams + frames
    }

    /// The WebSockets on it, by stream.
    pub fn talks(&mut self) -> impl Iterator<Item = (u32, &mut Conversation)> {
        self.streams.iter_mut().filter_map(|(id, stream)| match stream {
            Stream::Child(child) => Some((*id, child.talk()?)),
            _ => None,
        })
    }

    /// The WebSocket on a stream.
    pub fn talk(&mut self, stream: u32) -> Option<&mut Conversation> {
        match self.streams.get_mut(&stream)? {
            Stream::Child(child) => child.talk(),
            _ => None,
        }
    }

    /// Takes the next bytes of one endpoint.
    pub fn data(&mut self, run: Run<'_>, to: &mut Around<'_, '_, '_>) -> Flow {
        self.began = self.began.or(run.at.time);
        let Run { dir, bytes, at, offset } = run;
        if self.connection.is_seeking(dir.peer()) {
            self.behind(dir.peer(), to.cx);
        }
        if self.connection.is_seeking(dir) {
            self.sought[dir.index()] += bytes.len() as u64;
        }
        let mut run = crate::h2::Run { bytes, at, offset };
        while let Some(event) = self.connection.next(dir, &mut run) {
            self.event(dir, event, to)?;
        }
        ON
    }

    fn event(&mut self, dir: Dir, event: Event<'_>, to: &mut Around<'_, '_, '_>) -> Flow {
        if to.about.told.is_none() {
            self.floods.see(&event);
        }
        let (id, flow) = match event {
            Event::Frame(frame, findings) => (frame.header.stream, self.frame(dir, frame, findings, to)),
            Event::Head(head) => (head.stream, self.head(dir, &head, to)),
            Event::Data(id, run) => (id, self.content(dir, id, run, to)),
            Event::End(id, at) => (id, self.ended(dir, id, at, to)),
            Event::Note(findings, at) => return self.note(dir, findings, at, to),
            Event::Again(pieces) => {
                self.seeks_no_more(dir, pieces.iter().map(|(.., bytes)| bytes.len() as u64).sum());
                return pieces.iter().try_for_each(|(offset, at, bytes)| {
                    self.data(Run { dir, bytes, at: *at, offset: *offset }, to)
                });
            }
        };
        self.recount(id);
        flow
    }

    /// Something has come to a stream, or befallen it: what it holds by now.
    fn recount(&mut self, id: u32) {
        let now = self.streams.get(&id).map_or(0, Stream::cost);
        let before = if now == 0 { self.costs.remove(&id) } else { self.costs.insert(id, now) };
        self.cost = self.cost + now - before.unwrap_or_default();
    }

    /// Header fields of a stream.
    fn head(&mut self, dir: Dir, head: &HeadSeen, to: &mut Around<'_, '_, '_>) -> Flow {
        let id = head.stream;
        if head.promised.is_some() {
            // What a server pushes is no answer to a request of interest.
            return self.note(dir, head.findings.clone(), head.at, to);
        }
        if dir == Dir::Server && matches!(self.streams.get(&id), Some(Stream::Asked(_))) {
            return self.answer(head, to);
        }
        if !matches!(self.streams.get(&id), None | Some(Stream::Child(_) | Stream::Exchange(_))) {
            return self.note(dir, head.of_connection(), head.at, to);
        }
        match self.streams.get_mut(&id) {
            None if dir == Dir::Client => self.request(head, to),
            Some(Stream::Child(child)) if dir == Dir::Server => {
                let source = to.about.source(dir);
                child.response(head, source, to.cx)
            }
            Some(Stream::Exchange(exchange)) if dir == Dir::Server => {
                exchange.response(head, &mut self.written, to)
            }
            // Its request is among what was not captured.
            None => {
                self.streams.insert(id, Stream::Other);
                self.note(dir, head.of_connection(), head.at, to)
            }
            Some(_) => ON,
        }
    }

    /// A request: what it asks for decides what its stream is.
    fn request(&mut self, head: &HeadSeen, to: &mut Around<'_, '_, '_>) -> Flow {
        let id = head.stream;
        let written = head::Written::of(head, Dir::Client);
        let wants = to.cx.out.wants();
        let (asks, polls) = {
            let read = written.head(SourceId::Input, 0);
            let asks = handshake::is_upgrade(&read);
            (asks, !asks && (wants.http || polls_engine_io(&read)))
        };
        if !asks && !polls {
            self.streams.insert(id, Stream::Asked(Box::new(head.clone())));
            return self.note(Dir::Client, head.of_connection(), head.at, to);
        }
        self.tell(to)?;
        if polls {
            let exchange = Exchange::request(head, &written, &mut self.written, to)?;
            self.streams.insert(id, Stream::Exchange(Box::new(exchange)));
            return ON;
        }
        let setting = self.connection.connect_protocol();
        // Where its SETTINGS may be among what the capture lacks nobody is to blame.
        let is_known = to.about.both_heard
            && !self.connection.is_midway()
            && !self.is_behind[Dir::Server.index()]
            && setting != Some(1);
        let allowed = if is_known { Some(false) } else { setting.map(|setting| setting == 1) };
        let mut child = Child::request(head, &written, allowed, to)?;
        // Of what was held until frames were found nobody knows which came first, the one's or the other's.
        if self.connection.is_midway() || self.is_behind[Dir::Server.index()] {
            child.behind(Dir::Server, to.cx);
        }
        self.streams.insert(id, Stream::Child(Box::new(child)));
        ON
    }

    /// An answer to a request that asked for no WebSocket: both are shown if it streams.
    fn answer(&mut self, head: &HeadSeen, to: &mut Around<'_, '_, '_>) -> Flow {
        let id = head.stream;
        let written = head::Written::of(head, Dir::Server);
        let read = written.head(SourceId::Input, 0);
        if read.status().is_some_and(|status| (100..200).contains(&status)) {
            return self.note(Dir::Server, head.of_connection(), head.at, to);
        }
        let Some(Stream::Asked(asked)) = self.streams.insert(id, Stream::Other) else { return ON };
        if !exchange::streams(head, &read, to.about.wants(to.cx)) {
            return self.note(Dir::Server, head.of_connection(), head.at, to);
        }
        self.tell(to)?;
        let request = head::Written::of(&asked, Dir::Client);
        let mut exchange = Exchange::request(&asked, &request, &mut self.written, to)?;
        exchange.response(head, &mut self.written, to)?;
        self.streams.insert(id, Stream::Exchange(Box::new(exchange)));
        ON
    }

    /// Content of a stream.
    fn content(&mut self, dir: Dir, id: u32, run: crate::h2::Run<'_>, to: &mut Around<'_, '_, '_>) -> Flow {
        match self.streams.get_mut(&id) {
            Some(Stream::Child(child)) => child.data(dir, run, to.cx),
            Some(Stream::Exchange(exchange)) => exchange.content(dir, run.bytes, run.at, to),
            Some(Stream::Stranger(_)) => self.look(dir, id, run, to),
            None if self.connection.is_midway() => {
                self.meet(id);
                self.look(dir, id, run, to)
            }
            Some(Stream::Asked(_) | Stream::Other) | None => ON,
        }
    }

    /// An endpoint sends nothing on a stream any more.
    fn ended(&mut self, dir: Dir, id: u32, at: At, to: &mut Around<'_, '_, '_>) -> Flow {
        let is_over = match self.streams.get_mut(&id) {
            Some(Stream::Child(child)) => {
                child.end(dir, &Stop::of(StreamEnd::EndStream, at), to.cx)?;
                child.is_over()
            }
            Some(Stream::Exchange(exchange)) => exchange.end(dir, &Stop::of(StreamEnd::EndStream, at), to)?,
            Some(Stream::Asked(_) | Stream::Other | Stream::Stranger(_)) => dir == Dir::Server,
            None => false,
        };
        if is_over { self.close(id, at.time, to) } else { ON }
    }

    /// A stream is over for both.
    fn close(&mut self, id: u32, now: Option<Time>, to: &mut Around<'_, '_, '_>) -> Flow {
        match self.streams.remove(&id) {
            Some(Stream::Child(child)) => child.finish(StreamEnd::Capture, now, now, to.cx),
            _ => ON,
        }
    }

    /// One side of the connection itself has ended: all its streams have.
    pub fn end(&mut self, dir: Dir, stop: &Stop, to: &mut Around<'_, '_, '_>) -> Flow {
        self.seeks_no_more(dir, 0);
        for id in self.sorted() {
            match self.streams.get_mut(&id) {
                Some(Stream::Child(child)) => child.end(dir, stop, to.cx)?,
                Some(Stream::Exchange(exchange)) => {
                    exchange.end(dir, stop, to)?;
                }
                Some(Stream::Stranger(_)) => self.decide(id, to)?,
                Some(Stream::Asked(_) | Stream::Other) | None => {}
            }
            self.recount(id);
        }
        ON
    }

    /// The connection is over.
    pub fn finish(
        mut self,
        how: StreamEnd,
        ended: Option<Time>,
        now: Option<Time>,
        to: &mut Around<'_, '_, '_>,
    ) -> Flow {
        self.seeks_no_more(Dir::Server, 0);
        for id in self.sorted() {
            if let Some(Stream::Stranger(_)) = self.streams.get(&id) {
                self.decide(id, to)?;
            }
            match self.streams.remove(&id) {
                Some(Stream::Child(child)) => child.finish(how, ended, now, to.cx)?,
                Some(Stream::Exchange(mut exchange)) => exchange.finish(to)?,
                _ => {}
            }
        }
        if to.about.told.is_none() {
            let server = to.about.endpoints.as_deref().map(|ends| ends[to.about.side(Dir::Server).index()]);
            to.cx.memory.census.count(Other { protocol: "http2", server, ..Other::default() });
            return self.floods.tell(to);
        }
        ON
    }

    fn sorted(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.streams.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Numbers and shows the connection itself, and what was seen of it until now.
    fn tell(&mut self, to: &mut Around<'_, '_, '_>) -> Flow {
        if to.about.told.is_none() {
            let roles = match (self.connection.is_midway(), to.about.start) {
                (true, Start::Midway) => Roles::Ports,
                _ => Roles::Handshake,
            };
            to.about.announce(roles, Handshake::Http2, to.cx);
            if let Some(told) = &mut to.about.told {
                told.connection.http_version = Some("2".into());
            }
            let first = self.held.iter().filter_map(|(_, frame, _)| frame.at.time).min();
            to.about.introduce(self.began.into_iter().chain(first).min(), to.cx)?;
        }
        // A server may have spoken first.
        self.held.sort_by_key(|(_, frame, _)| frame.at.packet);
        for (dir, frame, findings) in std::mem::take(&mut self.held) {
            show::frame(dir, &frame, findings, to)?;
        }
        for (dir, findings, at) in std::mem::take(&mut self.notes) {
            show::note(dir, findings, at, to)?;
        }
        ON
    }

    fn frame(
        &mut self,
        dir: Dir,
        frame: Box<FrameSeen>,
        findings: Vec<Finding>,
        to: &mut Around<'_, '_, '_>,
    ) -> Flow {
        let id = frame.header.stream;
        let at = frame.at;
        let is_reset = frame.header.kind == Kind::RST_STREAM;
        let is_shown = match self.streams.get(&id) {
            _ if !findings.is_empty() || !is_reset => true,
            Some(Stream::Child(_) | Stream::Exchange(_)) => true,
            _ => false,
        };
        let code = frame.error_code();
        let findings = findings.into_iter().map(|finding| told_with(finding, code)).collect::<Vec<_>>();
        if to.about.told.is_some() && is_shown {
            show::frame(dir, &frame, findings, to)?;
        } else if is_shown && self.held.len() < limits::H2_FRAMES_HELD {
            self.held.push((dir, frame, findings));
        }
        if !is_reset {
            return ON;
        }
        match self.streams.get_mut(&id) {
            Some(Stream::Child(child)) => child.reset(dir, code.unwrap_or_default(), at, to.cx)?,
            Some(Stream::Exchange(exchange)) => {
                exchange.pass_over(self.sought[Dir::Server.index()]);
                exchange.finish(to)?;
            }
            _ => {}
        }
        self.close(id, at.time, to)
    }

    fn note(&mut self, dir: Dir, findings: Vec<Finding>, at: At, to: &mut Around<'_, '_, '_>) -> Flow {
        if findings.is_empty() {
            return ON;
        }
        if to.about.told.is_some() {
            return show::note(dir, findings, at, to);
        }
        if self.notes.len() < limits::H2_FRAMES_HELD {
            self.notes.push((dir, findings, at));
        }
        ON
    }
}

/// Whether a request has the parameters of Engine.IO.
fn polls_engine_io(head: &Head<'_>) -> bool {
    matches!(head.start, StartLine::Request { target, .. } if super::http::polls(target.bytes))
}

/// A finding of a frame with what its error code means.
fn told_with(finding: Finding, code: Option<u32>) -> Finding {
    match code {
        Some(code) if finding.rule == &crate::h2::GOAWAY => {
            let case =
                Case::new(Text::new("was ended with GOAWAY: {}").word(finding.got.clone()), Vec::new());
            let finding =
                if finding.cause.is_some() { finding } else { finding.because(reset_diagnosis(code)) };
            finding.like(case)
        }
        _ => finding,
    }
}

/// The addresses of client and server, for a stream's connection.
fn ends_of(about: &About) -> Option<[SocketAddr; 2]> {
    let told = about.told.as_ref()?;
    told.connection.client.zip(told.connection.server).map(|(client, server)| [client, server])
}
