//! Packets to flows to sessions to units, one packet at a time.
//!
//! ```text
//! Input ─► Tracker (net) ─► Router ─► Session ─► Out ─► Sink
//! ```
//!
//! The tracker puts TCP streams in order, the router here finds the session of
//! each flow. Nothing runs ahead: a packet is read when the one before it has
//! been shown, so memory does not grow with the file.

mod files;

pub use files::{Files, run_files};

use crate::input::{Bytes, Capture, Input, InputError};
use crate::limits;
use crate::model::{
    At, Body, Dir, Finding, Flow, InputFile, Interest, Meta, ON, Other, Out, Packet, Receipt, Side, Sink,
    StreamEnd, Summary, Text, Time, Unit,
};
use crate::net::{self, CloseReason, FlowId, Opened, StreamSink, Tracker};
use crate::session::{Context, Memory, Refusals, Session, Start};
use crate::timeline::Timeline;
use crate::ws::{Scratch, shape};

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The totals, which the sink has seen too.
    pub summary: Summary,
    /// Why the input ended before its end.
    pub error: Option<InputError>,
    /// Packets that no link layer of ours can read: the link type's name and how many.
    pub unreadable: Vec<(String, u64)>,
    /// The input is raw bytes, and what it begins with does not look like frames.
    pub unlike_frames: bool,
}

/// How many packets pass between two reports of progress.
const PROGRESS_EVERY: u64 = 4096;

/// Decodes an input from beginning to end, or until the sink has had enough.
///
/// `progress` is told now and then how many bytes of the input have been read.
pub fn run(input: Input, sink: &mut dyn Sink, progress: &mut dyn FnMut(u64)) -> Outcome {
    let mut timeline;
    let sink: &mut dyn Sink = if sink.wants().app {
        timeline = Timeline::new(sink);
        &mut timeline
    } else {
        sink
    };
    let mut router = Router::new(sink);
    let mut read = router.input(input, Part::Whole, progress);
    router.out.others(router.memory.census.take());
    let summary = router.out.finish(read.packets, read.bytes, read.why());
    read.outcome(summary)
}

/// What an input is of the run.
#[derive(Clone, Copy)]
enum Part<'a> {
    /// All of it.
    Whole,
    /// One of several files.
    One(&'a InputFile),
    /// A part of a capture that began earlier, behind so many packets.
    Further(u64),
}

/// What reading an input came to.
struct Read {
    flow: Flow,
    packets: u64,
    bytes: u64,
    error: Option<InputError>,
    unreadable: Vec<(String, u64)>,
    unlike_frames: bool,
}

impl Read {
    /// Why the input is not read as a whole, if it is not.
    fn why(&self) -> Option<Text> {
        let skipped: u64 = self.unreadable.iter().map(|(_, count)| count).sum();
        match (&self.error, self.unreadable.as_slice()) {
            (Some(error), _) => Some(error.text()),
            (None, [(link, _), ..]) if skipped == self.packets => {
                Some(Text::with("no packet can be read: their link type is {}", link))
            }
            (None, _) => None,
        }
    }

    fn outcome(&mut self, summary: Summary) -> Outcome {
        let unreadable = std::mem::take(&mut self.unreadable);
        Outcome { summary, error: self.error.take(), unreadable, unlike_frames: self.unlike_frames }
    }
}

impl Router<'_> {
    /// Decodes an input from beginning to end.
    fn input(&mut self, input: Input, part: Part<'_>, progress: &mut dyn FnMut(u64)) -> Read {
        match input {
            Input::Bytes(bytes) => self.bytes(bytes, part, progress),
            Input::Capture(capture) => {
                let mut tracker = Tracker::new();
                let mut read = self.packets(&mut tracker, capture, part, progress);
                self.end(&mut tracker, &mut read);
                read
            }
        }
    }

    /// No more packets will come.
    fn end(&mut self, tracker: &mut Tracker, read: &mut Read) {
        if read.flow.is_continue() {
            read.flow = tracker.finish(self);
            if read.flow.is_continue() {
                read.flow = self.refusals.tell(&self.memory, &mut self.out);
            }
        }
        let unreadable = tracker.unsupported().iter();
        read.unreadable = unreadable.map(|(link, n)| (net::link_name(*link).into_owned(), *n)).collect();
    }

    /// The packets of a capture.
    fn packets(
        &mut self,
        tracker: &mut Tracker,
        mut capture: Capture,
        part: Part<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Read {
        let before = if let Part::Further(before) = part { before } else { 0 };
        let mut packets = 0;
        let mut error = None;
        let mut flow = ON;
        // The first packet is read before the input is described: only then are its link types known.
        let mut first = true;
        while flow.is_continue() {
            let (number, time) = match capture.next() {
                None => break,
                Some(Err(e)) => {
                    error = Some(e);
                    break;
                }
                Some(Ok(packet)) if !first => {
                    self.now = Some(packet.time);
                    flow = tracker.packet(&Packet { number: before + packet.number, ..packet }, self);
                    (packet.number, packet.time)
                }
                Some(Ok(packet)) => {
                    first = false;
                    let (number, time) = (packet.number, packet.time);
                    let data = packet.data.to_vec();
                    let kept = Packet { number: before + number, data: &[], ..packet };
                    self.now = Some(time);
                    flow = self.describe(part, &about(&capture, Some(time)));
                    if flow.is_continue() {
                        flow = tracker.packet(&Packet { data: &data, ..kept }, self);
                    }
                    (number, time)
                }
            };
            packets = number;
            self.now = Some(time);
            if number % PROGRESS_EVERY == 0 {
                progress(capture.bytes_read());
            }
        }
        if first {
            flow = self.describe(part, &about(&capture, None));
        }
        let bytes = capture.bytes_read();
        progress(bytes);
        Read { flow, packets, bytes, error, unreadable: Vec::new(), unlike_frames: false }
    }

    /// Says what the input is, or which of several files begins.
    fn describe(&mut self, part: Part<'_>, about: &Meta) -> Flow {
        match part {
            Part::Whole => self.out.emit(&Unit::about_input(Body::Meta(about))),
            Part::One(file) => {
                let (format, link_types) = (Some(about.format.clone()), about.link_types.clone());
                let file = InputFile { format, link_types, start: about.start, ..file.clone() };
                self.out.emit(&Unit::about_input(Body::File(&file)))
            }
            Part::Further(_) => ON,
        }
    }

    /// Hex and raw bytes: one connection without packets.
    fn bytes(&mut self, mut bytes: Bytes, part: Part<'_>, progress: &mut dyn FnMut(u64)) -> Read {
        let mut error = None;
        let mut session = Session::new(None, Start::Given);
        let about =
            Meta { input: bytes.name().to_owned(), format: bytes.format().to_owned(), ..Meta::default() };
        let mut unlike_frames = (bytes.format() != "raw").then_some(false);
        let mut interest = match self.describe(part, &about) {
            flow if flow.is_break() => Interest::Stop,
            _ => Interest::Follow,
        };
        while interest != Interest::Stop {
            let chunk = match bytes.next() {
                None => break,
                Some(Err(e)) => {
                    error = Some(e);
                    break;
                }
                Some(Ok(chunk)) => chunk,
            };
            unlike_frames.get_or_insert_with(|| shape::is_unlike_frames(&chunk.bytes));
            let side = match chunk.dir {
                Some(Dir::Server) => Side::B,
                Some(Dir::Client) | None => Side::A,
            };
            if chunk.dir.is_some() {
                session.set_client(Side::A);
            }
            interest = session.data(side, &chunk.bytes, At::default(), &mut self.context());
            progress(bytes.bytes_read());
        }
        let mut flow = Flow::Break(());
        let without_handshake = session.has_no_handshake();
        if interest != Interest::Stop {
            flow = session.finish(StreamEnd::Input, None, None, &mut self.context());
        }
        Read {
            flow,
            packets: 0,
            bytes: bytes.bytes_read(),
            error,
            unreadable: Vec::new(),
            // What a handshake opened is no matter of looks.
            unlike_frames: without_handshake && unlike_frames == Some(true),
        }
    }
}

/// What a capture is.
fn about(capture: &Capture, start: Option<Time>) -> Meta {
    Meta {
        input: capture.name().to_owned(),
        format: capture.format().to_owned(),
        link_types: capture.link_types(),
        start,
        ..Meta::default()
    }
}

/// Finds the session of each flow.
struct Router<'s> {
    out: Out<'s>,
    scratch: Scratch,
    connections: u32,
    memory: Memory,
    refusals: Refusals,
    /// By flow id, which the tracker uses again when a flow is over.
    sessions: Vec<Option<Session>>,
    /// What they hold before they are a WebSocket, in bytes.
    held: usize,
    now: Option<Time>,
}

impl<'s> Router<'s> {
    fn new(sink: &'s mut dyn Sink) -> Self {
        Self {
            out: Out::new(sink),
            scratch: Scratch::default(),
            connections: 0,
            memory: Memory::default(),
            refusals: Refusals::default(),
            sessions: Vec::new(),
            held: 0,
            now: None,
        }
    }

    fn context(&mut self) -> Context<'_, 's> {
        Context {
            out: &mut self.out,
            scratch: &mut self.scratch,
            connections: &mut self.connections,
            memory: &mut self.memory,
        }
    }

    #[inline]
    fn with(
        &mut self,
        flow: FlowId,
        act: impl FnOnce(&mut Session, &mut Context<'_, 's>) -> Interest,
    ) -> Interest {
        let Some(Some(session)) = self.sessions.get_mut(flow.0 as usize) else {
            return Interest::Ignore;
        };
        let mut cx = Context {
            out: &mut self.out,
            scratch: &mut self.scratch,
            connections: &mut self.connections,
            memory: &mut self.memory,
        };
        let before = session.cost();
        let interest = act(session, &mut cx);
        let after = session.cost();
        if after != before {
            self.held = (self.held + after).saturating_sub(before);
            if self.held > limits::EARLY_TOTAL {
                self.relieve();
            }
        }
        if interest == Interest::Ignore {
            self.sessions[flow.0 as usize] = None;
        }
        interest
    }
}

impl Router<'_> {
    /// Gives up the connections that hold the most, until half is free.
    #[cold]
    fn relieve(&mut self) {
        let costs = self.sessions.iter().flatten().map(Session::cost);
        self.held = costs.clone().sum();
        let mut largest: Vec<usize> = costs.filter(|cost| *cost > 0).collect();
        largest.sort_unstable();
        let Some(least) = largest.get(largest.len() / 2).copied() else { return };
        for session in self.sessions.iter_mut().flatten() {
            let cost = session.cost();
            if cost >= least && self.held > limits::EARLY_TOTAL / 2 {
                session.give_up();
                self.held -= cost;
            }
        }
    }
}

impl StreamSink for Router<'_> {
    fn open(&mut self, flow: FlowId, opened: &Opened) {
        self.refusals.has_others = true;
        let slot = flow.0 as usize;
        if self.sessions.len() <= slot {
            self.sessions.resize_with(slot + 1, || None);
        }
        let start = if opened.syn_seen { Start::Opened } else { Start::Midway };
        self.sessions[slot] =
            Some(Session::new(Some([opened.a, opened.b]), start).hearing_both(opened.both_heard));
    }

    #[inline]
    fn data(&mut self, flow: FlowId, from: Side, bytes: &[u8], at: At) -> Interest {
        self.with(flow, |session, cx| session.data(from, bytes, at, cx))
    }

    fn gap(
        &mut self,
        flow: FlowId,
        from: Side,
        length: u64,
        between: (Option<u64>, Option<u64>),
    ) -> Interest {
        self.with(flow, |session, cx| session.gap(from, length, between, &net::TCP_GAP, cx))
    }

    fn behind(&mut self, flow: FlowId, from: Side) {
        if let Some(session) = self.sessions.get_mut(flow.0 as usize).and_then(Option::as_mut) {
            session.behind(from);
        }
    }

    fn end(&mut self, flow: FlowId, from: Side, how: StreamEnd, receipt: Receipt, at: At) -> Interest {
        self.with(flow, |session, cx| session.end(from, how, receipt, at, cx))
    }

    fn close(&mut self, flow: FlowId, _: CloseReason, last: Time) {
        let Some(session) = self.sessions.get_mut(flow.0 as usize).and_then(Option::take) else { return };
        self.held = self.held.saturating_sub(session.cost());
        let mut cx = Context {
            out: &mut self.out,
            scratch: &mut self.scratch,
            connections: &mut self.connections,
            memory: &mut self.memory,
        };
        // The sink will say so again at the next unit if it has had enough.
        let _: Flow = session.finish(StreamEnd::Capture, Some(last), self.now, &mut cx);
    }

    fn refused(&mut self, server: std::net::SocketAddr, at: At) {
        self.refusals.count(server, at);
        let one = Other { protocol: "refused", server: Some(server), ..Other::default() };
        self.memory.census.count(one);
    }

    fn anomaly(&mut self, flow: FlowId, from: Side, finding: Finding, at: At) {
        self.with(flow, |session, cx| session.anomaly(from, finding, at, cx));
    }
}
