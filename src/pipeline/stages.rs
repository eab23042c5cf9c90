//! Two stages, each on a thread of its own.
//!
//! ```text
//! reader: Capture ─► Tracker ─► Recorder ─┐ batches  ┌─ play ─► Decoder ─► Sink
//!                               ▲         └─────────►┘    │
//!                               └─────────────────────────┘ batches with reports
//! ```
//!
//! The reader puts what the tracker says into batches, the caller's thread plays them to the decoder in
//! the same order: order and output are those of one thread by construction. There are [`TURNS_AHEAD`]
//! batches, which come back with a [`Report`] when they have been played, so that memory is bounded and
//! what the decoder answers is heard at the same place of a capture as on one thread.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::following::{self, Following, Listener, Reached};
use super::turns::{Relief, Report, Turns};
use crate::decoder::Decoder;
use crate::input::{Capture, Meter};
use crate::limits::{TURN_BYTES, TURN_EVENTS, TURNS_AHEAD};
use crate::model::{
    At, Finding, Flow, FlowId, Interest, ON, Packet, Receipt, Side, Sink, StreamEnd, TcpFacts, Time, Unopened,
};
use crate::net::{CloseReason, Opened, StreamSink, Tracker};

/// Follows a capture on a thread of its own, and decodes here what it says. `None`, and nothing was read,
/// where no thread is to be had.
pub(super) fn follow<S: Sink>(
    decoder: &mut Decoder<S>,
    following: &mut Following,
    capture: &mut Capture,
    before: u64,
    progress: &mut dyn FnMut(u64),
) -> Option<Reached> {
    let Following { tracker, turns, reports, unsupported } = following;
    let (full, to_play) = sync_channel(TURNS_AHEAD);
    let (played, to_fill) = sync_channel(TURNS_AHEAD);
    let early = reports.waiting.clone();
    let mut recorder = Recorder {
        full,
        to_fill,
        early,
        out: 0,
        meter: capture.meter(),
        batch: Batch::new(turns.turn()),
        turns,
        packet: None,
        last: None,
        unsupported: tracker.counts().unsupported,
        unreadable: None,
        nobody_listens: false,
    };
    let (stopped, reader) = thread::scope(|scope| {
        let reader = thread::Builder::new().name("reader".to_owned()).spawn_scoped(scope, move || {
            let reached = following::follow(capture, tracker, before, &mut recorder, |_| false);
            let last = recorder.last;
            let (early, to_fill) = recorder.end();
            (reached, last, early, to_fill)
        });
        let reader = reader.ok()?;
        let mut place = Place::default();
        // The beginning of the turn was played before.
        let mut earlier = Some(std::mem::take(&mut reports.current));
        let mut stopped = None;
        while let Ok(mut batch) = to_play.recv() {
            if let Some(earlier) = earlier.take() {
                batch.report.add(&earlier);
            }
            if batch.play(decoder, &mut place, &mut reports.relief).is_break() {
                stopped = Some(std::mem::take(&mut place));
                break;
            }
            progress(place.bytes);
            // The reader keeps its end open until it has ended.
            let _ = played.send(batch);
        }
        reports.current = earlier.unwrap_or_default();
        // Whatever the reader waits for, it will not come.
        drop((to_play, played));
        Some((stopped, reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))))
    })?;
    let (reached, last, early, to_fill) = reader;
    if let Some(place) = stopped {
        // What the reader saw beyond has not happened.
        *unsupported = Some(place.unsupported);
        return Some(Reached {
            flow: Flow::Break(()),
            packets: place.packets,
            bytes: place.bytes,
            error: None,
        });
    }
    reports.waiting = early;
    reports.waiting.extend(to_fill.try_iter().map(|batch: Batch| batch.report));
    if let Some(last) = last {
        decoder.tick(last);
    }
    Some(reached)
}

/// Where in the capture the decoder is.
#[derive(Default)]
struct Place {
    packets: u64,
    bytes: u64,
    unsupported: Vec<(u32, u64)>,
}

/// A turn of what the tracker says.
struct Batch {
    events: Vec<Event>,
    /// What the data is, one after the other.
    bytes: Vec<u8>,
    /// The flows that are opened, one after the other.
    opened: Vec<Opened>,
    report: Report,
}

/// One call of the [`StreamSink`], or what happens in between.
enum Event {
    /// What follows comes with this packet.
    Packet {
        number: u64,
        time: Time,
        bytes_read: u64,
    },
    /// By now so many packets could not be read.
    Unreadable(Vec<(u32, u64)>),
    Open(FlowId),
    Data {
        flow: FlowId,
        from: Side,
        length: u32,
        at: At,
    },
    Gap(Box<Gap>),
    Behind(FlowId, Side),
    Late(FlowId, Side, bool),
    End {
        flow: FlowId,
        from: Side,
        how: StreamEnd,
        receipt: Receipt,
        at: At,
    },
    Transport(FlowId, Box<TcpFacts>),
    Close(FlowId, CloseReason, Time),
    Unopened(Box<(SocketAddr, Unopened, At)>),
    Quic(Box<([SocketAddr; 2], Vec<u8>)>),
    Secrets(Vec<u8>),
    Anomaly(Box<(FlowId, Side, Finding, At)>),
}

/// What is told of missing bytes.
struct Gap {
    flow: FlowId,
    from: Side,
    length: u64,
    between: (Option<u64>, Option<u64>),
}

impl Batch {
    fn empty() -> Self {
        Self { events: Vec::new(), bytes: Vec::new(), opened: Vec::new(), report: Report::default() }
    }

    fn new(turn: u32) -> Self {
        let mut batch = Self::empty();
        batch.report.begin(turn);
        // Of each packet is told, too; the segment that ends a turn may go beyond it.
        batch.events.reserve(2 * TURN_EVENTS as usize);
        batch.bytes.reserve(TURN_BYTES + TURN_BYTES / 2);
        batch
    }

    /// Tells the decoder everything, in order. Breaks where the sink has had enough.
    fn play<S: Sink>(&mut self, decoder: &mut Decoder<S>, place: &mut Place, relief: &mut Relief) -> Flow {
        let mut bytes = self.bytes.as_slice();
        let mut opened = self.opened.drain(..);
        for event in self.events.drain(..) {
            let (flow, interest) = match event {
                Event::Data { flow, from, length, at } => {
                    let (data, rest) = bytes.split_at(length as usize);
                    bytes = rest;
                    (flow, StreamSink::data(decoder, flow, from, data, at))
                }
                Event::Packet { number, time, bytes_read } => {
                    (place.packets, place.bytes) = (number, bytes_read);
                    decoder.tick(time);
                    continue;
                }
                Event::Unreadable(unsupported) => {
                    place.unsupported = unsupported;
                    continue;
                }
                Event::Open(flow) => {
                    if let Some(opened) = opened.next() {
                        StreamSink::open(decoder, flow, &opened);
                    }
                    continue;
                }
                Event::Gap(gap) => {
                    let Gap { flow, from, length, between } = *gap;
                    (flow, StreamSink::gap(decoder, flow, from, length, between))
                }
                Event::Behind(flow, from) => {
                    StreamSink::behind(decoder, flow, from);
                    continue;
                }
                Event::Late(flow, from, is_late) => {
                    StreamSink::late(decoder, flow, from, is_late);
                    continue;
                }
                Event::End { flow, from, how, receipt, at } => {
                    (flow, StreamSink::end(decoder, flow, from, how, receipt, at))
                }
                Event::Transport(flow, facts) => {
                    StreamSink::transport(decoder, flow, facts);
                    continue;
                }
                Event::Close(flow, why, last) => {
                    StreamSink::close(decoder, flow, why, last);
                    continue;
                }
                Event::Unopened(unopened) => {
                    let (server, why, at) = *unopened;
                    StreamSink::unopened(decoder, server, why, at);
                    continue;
                }
                Event::Quic(quic) => {
                    StreamSink::quic(decoder, quic.0, &quic.1);
                    continue;
                }
                Event::Secrets(log) => {
                    decoder.hear_secrets(&log);
                    continue;
                }
                Event::Anomaly(anomaly) => {
                    let (flow, from, finding, at) = *anomaly;
                    StreamSink::anomaly(decoder, flow, from, finding, at);
                    continue;
                }
            };
            if self.report.note(flow, interest) == Interest::Stop {
                return Flow::Break(());
            }
        }
        drop(opened);
        self.bytes.clear();
        self.report.seal(decoder, relief);
        ON
    }
}

/// Puts what the tracker says into batches.
struct Recorder<'a> {
    full: SyncSender<Batch>,
    to_fill: Receiver<Batch>,
    /// Reports of turns before the first batch.
    early: VecDeque<Report>,
    /// Batches that have not come back.
    out: usize,
    meter: Meter,
    batch: Batch,
    turns: &'a mut Turns,
    /// The packet at hand, if nothing has come of it.
    packet: Option<(u64, Time)>,
    /// When the last one was captured.
    last: Option<Time>,
    /// Packets that could not be read.
    unsupported: u64,
    unreadable: Option<Vec<(u32, u64)>>,
    /// The sink has had enough.
    nobody_listens: bool,
}

impl Recorder<'_> {
    #[inline]
    fn record(&mut self, event: Event, bytes: usize) {
        if self.nobody_listens {
            return;
        }
        if let Some((number, time)) = self.packet.take() {
            if let Some(unreadable) = self.unreadable.take() {
                self.batch.events.push(Event::Unreadable(unreadable));
            }
            self.batch.events.push(Event::Packet { number, time, bytes_read: self.meter.read() });
        }
        self.batch.events.push(event);
        if self.turns.count(bytes) {
            self.turn();
        }
    }

    /// The same for what is answered.
    #[inline]
    fn ask(&mut self, flow: FlowId, bytes: &[u8], event: Event) -> Interest {
        if self.nobody_listens {
            return Interest::Stop;
        }
        if self.turns.is_ignored(flow) {
            return Interest::Ignore;
        }
        self.batch.bytes.extend_from_slice(bytes);
        self.record(event, bytes.len());
        Interest::Follow
    }

    /// Hands a full batch on, and waits for one to fill.
    #[cold]
    fn turn(&mut self) {
        let turn = self.turns.next();
        let full = std::mem::replace(&mut self.batch, Batch::empty());
        self.nobody_listens |= self.full.send(full).is_err();
        self.out += 1;
        self.batch = if self.early.len() + self.out < TURNS_AHEAD {
            Batch::new(turn)
        } else if let Some(report) = self.early.pop_front() {
            self.turns.hear(&report);
            Batch::new(turn)
        } else if let Ok(mut batch) = self.to_fill.recv() {
            self.out -= 1;
            self.turns.hear(&batch.report);
            batch.report.begin(turn);
            batch
        } else {
            self.nobody_listens = true;
            Batch::empty()
        };
    }

    /// Hands on what is there; gives what has not been heard, in order.
    fn end(self) -> (VecDeque<Report>, Receiver<Batch>) {
        if !self.batch.events.is_empty() {
            // Nobody may be listening any longer.
            let _ = self.full.send(self.batch);
        }
        (self.early, self.to_fill)
    }
}

impl Listener for Recorder<'_> {
    #[inline]
    fn begins(&mut self, packet: &Packet<'_>, tracker: &Tracker) {
        self.packet = Some((packet.number, packet.time));
        self.last = Some(packet.time);
        let unsupported = tracker.counts().unsupported;
        if unsupported != self.unsupported {
            self.unsupported = unsupported;
            self.unreadable = Some(tracker.unsupported().to_vec());
        }
    }

    #[inline]
    fn waits(&mut self, _: &Capture) {}

    #[inline]
    fn surplus(&mut self) -> usize {
        self.turns.take_surplus()
    }

    fn secrets(&mut self, log: Vec<u8>) {
        let length = log.len();
        self.record(Event::Secrets(log), length);
    }
}

impl StreamSink for Recorder<'_> {
    fn open(&mut self, flow: FlowId, opened: &Opened) {
        self.turns.open(flow);
        self.batch.opened.push(*opened);
        self.record(Event::Open(flow), 0);
    }

    #[inline]
    fn data(&mut self, flow: FlowId, from: Side, bytes: &[u8], at: At) -> Interest {
        self.ask(flow, bytes, Event::Data { flow, from, length: bytes.len() as u32, at })
    }

    fn gap(
        &mut self,
        flow: FlowId,
        from: Side,
        length: u64,
        between: (Option<u64>, Option<u64>),
    ) -> Interest {
        self.ask(flow, &[], Event::Gap(Box::new(Gap { flow, from, length, between })))
    }

    fn behind(&mut self, flow: FlowId, from: Side) {
        self.record(Event::Behind(flow, from), 0);
    }

    fn late(&mut self, flow: FlowId, from: Side, is_late: bool) {
        self.record(Event::Late(flow, from, is_late), 0);
    }

    fn end(&mut self, flow: FlowId, from: Side, how: StreamEnd, receipt: Receipt, at: At) -> Interest {
        self.ask(flow, &[], Event::End { flow, from, how, receipt, at })
    }

    fn transport(&mut self, flow: FlowId, facts: Box<TcpFacts>) {
        self.record(Event::Transport(flow, facts), 0);
    }

    fn close(&mut self, flow: FlowId, why: CloseReason, last: Time) {
        self.record(Event::Close(flow, why, last), 0);
    }

    fn unopened(&mut self, server: SocketAddr, why: Unopened, at: At) {
        self.record(Event::Unopened(Box::new((server, why, at))), 0);
    }

    fn quic(&mut self, ends: [SocketAddr; 2], datagram: &[u8]) {
        self.record(Event::Quic(Box::new((ends, datagram.to_vec()))), datagram.len());
    }

    fn anomaly(&mut self, flow: FlowId, from: Side, finding: Finding, at: At) {
        self.record(Event::Anomaly(Box::new((flow, from, finding, at))), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_small() {
        assert!(size_of::<Event>() <= 56, "{}", size_of::<Event>());
    }
}
