//! Packets to flows to connections to units, one packet at a time.
//!
//! ```text
//! Input ─► Tracker (net) ─► Decoder ─► Sink
//! ```
//!
//! The tracker puts TCP streams in order, the decoder is told what they carry. Nothing runs ahead: a packet
//! is read when the one before it has been shown, so memory does not grow with the file.

mod files;

pub use files::{Files, run_files};

use crate::decoder::{Beginning, Decoder, Start};
use crate::input::{Bytes, Capture, Input, InputError};
use crate::limits;
use crate::model::{
    At, Body, Dir, Finding, Flow, FlowId, InputFile, Interest, Meta, ON, Packet, Receipt, Side, Sink,
    StreamEnd, Summary, Text, Time, Unit,
};
use crate::net::{self, CloseReason, Opened, StreamSink, Tracker};
use crate::ws::shape;

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
    run_within(limits::MEMORY, input, sink, progress)
}

/// The same, holding at most `memory` bytes at a time.
pub fn run_within(
    memory: usize,
    input: Input,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(u64),
) -> Outcome {
    let mut decoder = Decoder::within(memory, sink);
    let mut read = decoder.input(input, Part::Whole, progress);
    let (_, summary) = decoder.finish_input(read.packets, read.bytes, read.why());
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

impl<S: Sink> Decoder<S> {
    /// Decodes an input from beginning to end.
    fn input(&mut self, input: Input, part: Part<'_>, progress: &mut dyn FnMut(u64)) -> Read {
        match input {
            Input::Bytes(bytes) => self.bytes(bytes, part, progress),
            Input::Capture(capture) => {
                let mut tracker = Tracker::within(self.memory());
                let mut read = self.packets(&mut tracker, capture, part, progress);
                self.packets_end(&mut tracker, &mut read);
                read
            }
        }
    }

    /// No more packets will come.
    fn packets_end(&mut self, tracker: &mut Tracker, read: &mut Read) {
        if read.flow.is_continue() {
            read.flow = tracker.finish(self);
            if read.flow.is_continue() {
                read.flow = self.settle();
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
            let number = match capture.next() {
                None => break,
                Some(Err(e)) => {
                    error = Some(e);
                    break;
                }
                Some(Ok(packet)) if !first => {
                    self.tick(packet.time);
                    flow = tracker.packet(&Packet { number: before + packet.number, ..packet }, self);
                    packet.number
                }
                Some(Ok(packet)) => {
                    first = false;
                    let (number, time) = (packet.number, packet.time);
                    let data = packet.data.to_vec();
                    let kept = Packet { number: before + number, data: &[], ..packet };
                    self.tick(time);
                    flow = self.describe(part, &about(&capture, Some(time)));
                    if flow.is_continue() {
                        flow = tracker.packet(&Packet { data: &data, ..kept }, self);
                    }
                    number
                }
            };
            packets = number;
            if self.has_surplus() && flow.is_continue() {
                flow = tracker.give_up_idle(self.take_surplus(), self);
            }
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
            Part::Whole => self.tell(&Unit::about_input(Body::Meta(about))),
            Part::One(file) => {
                let (format, link_types) = (Some(about.format.clone()), about.link_types.clone());
                let file = InputFile { format, link_types, start: about.start, ..file.clone() };
                self.tell(&Unit::about_input(Body::File(&file)))
            }
            Part::Further(_) => ON,
        }
    }

    /// Hex and raw bytes: one connection without packets.
    fn bytes(&mut self, mut bytes: Bytes, part: Part<'_>, progress: &mut dyn FnMut(u64)) -> Read {
        const ONE: FlowId = FlowId(0);
        let mut error = None;
        self.open(ONE, &Beginning::GIVEN);
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
                self.set_client(ONE, Side::A);
            }
            interest = self.data(ONE, side, &chunk.bytes, At::default());
            progress(bytes.bytes_read());
        }
        let mut flow = Flow::Break(());
        let without_handshake = self.has_no_handshake(ONE);
        if interest != Interest::Stop {
            flow = self.close(ONE, StreamEnd::Input, None);
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

impl<S: Sink> StreamSink for Decoder<S> {
    fn open(&mut self, flow: FlowId, opened: &Opened) {
        let start = if opened.syn_seen { Start::Opened } else { Start::Midway };
        let endpoints = Some([opened.a, opened.b]);
        Decoder::open(
            self,
            flow,
            &Beginning { endpoints, start, both_heard: opened.both_heard, ..Beginning::GIVEN },
        );
    }

    #[inline]
    fn data(&mut self, flow: FlowId, from: Side, bytes: &[u8], at: At) -> Interest {
        Decoder::data(self, flow, from, bytes, at)
    }

    fn gap(
        &mut self,
        flow: FlowId,
        from: Side,
        length: u64,
        between: (Option<u64>, Option<u64>),
    ) -> Interest {
        Decoder::gap(self, flow, from, length, between, &net::TCP_GAP)
    }

    fn behind(&mut self, flow: FlowId, from: Side) {
        Decoder::behind(self, flow, from);
    }

    fn end(&mut self, flow: FlowId, from: Side, how: StreamEnd, receipt: Receipt, at: At) -> Interest {
        Decoder::end(self, flow, from, how, receipt, at)
    }

    fn close(&mut self, flow: FlowId, why: CloseReason, last: Time) {
        if why == CloseReason::Evicted {
            let _: Flow = self.give_up(flow);
        }
        // The sink will say so again at the next unit if it has had enough.
        let _: Flow = Decoder::close(self, flow, StreamEnd::Capture, Some(last));
    }

    fn refused(&mut self, server: std::net::SocketAddr, at: At) {
        Decoder::refused(self, server, at);
    }

    fn anomaly(&mut self, flow: FlowId, from: Side, finding: Finding, at: At) {
        Decoder::anomaly(self, flow, from, finding, at);
    }
}
