//! The packets of a capture: to flows, and on to the decoder.

use super::following::{Following, Listener, Reached, follow};
use super::turns::{Reports, Turns};
use super::{Part, Read, Threads};
use crate::decoder::{Beginning, Decoder, Start};
use crate::input::Capture;
#[cfg(feature = "threads")]
use crate::model::Wants;
use crate::model::{
    At, Body, Finding, Flow, FlowId, InputFile, Interest, Meta, ON, Packet, Receipt, Side, Sink, StreamEnd,
    TcpFacts, Time, Unit, Unopened,
};
use crate::net::{self, CloseReason, Opened, StreamSink, Tracker};

/// Bytes that are read between two reports of progress, at least.
const PROGRESS_EVERY: u64 = 256 * 1024;

impl<S: Sink> Decoder<S> {
    /// The packets of a capture.
    pub(super) fn packets(
        &mut self,
        following: &mut Following,
        mut capture: Capture,
        part: Part<'_>,
        threads: Threads,
        progress: &mut dyn FnMut(u64),
    ) -> Read {
        let before = if let Part::Further(before) = part { before } else { 0 };
        // The first packet is read before the input is described: only then are its link types known.
        let first = capture.next().map(|packet| packet.map(|p| (Packet { data: &[], ..p }, p.data.to_vec())));
        if let Some(log) = capture.take_secrets() {
            self.hear_secrets(&log);
        }
        let start = first.as_ref().and_then(|first| first.as_ref().ok()).map(|(packet, _)| packet.time);
        let mut flow = self.describe(part, &about(&capture, start));
        let (mut packets, mut error) = (0, None);
        let mut goes_on = false;
        match first {
            None => {}
            Some(Err(e)) => error = Some(e),
            Some(Ok((packet, data))) => {
                packets = packet.number;
                self.tick(packet.time);
                if flow.is_continue() {
                    let packet = Packet { number: before + packets, data: &data, ..packet };
                    flow = self.first(following, &packet, progress);
                }
                goes_on = flow.is_continue();
            }
        }
        if goes_on {
            let reached = self.rest(following, &mut capture, before, threads, progress);
            (flow, error) = (reached.flow, reached.error);
            packets = packets.max(reached.packets);
            following.reports.settle(&mut following.turns, self);
            progress(reached.bytes);
            return Read {
                packets,
                bytes: reached.bytes,
                error,
                snaplen: capture.snaplen(),
                ..Read::new(flow)
            };
        }
        let bytes = capture.bytes_read();
        progress(bytes);
        Read { packets, bytes, error, snaplen: capture.snaplen(), ..Read::new(flow) }
    }

    /// The capture has lines of a key log.
    pub(super) fn hear_secrets(&mut self, log: &[u8]) {
        #[cfg(feature = "tls")]
        self.captured_secrets(log);
        #[cfg(not(feature = "tls"))]
        let _ = (self, log);
    }

    /// The first packet.
    #[inline(never)]
    fn first(
        &mut self,
        following: &mut Following,
        packet: &Packet<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Flow {
        let Following { tracker, turns, reports, .. } = following;
        tracker.packet(packet, &mut Direct::new(self, turns, reports, progress))
    }

    /// The packets behind the first one.
    fn rest(
        &mut self,
        following: &mut Following,
        capture: &mut Capture,
        before: u64,
        threads: Threads,
        progress: &mut dyn FnMut(u64),
    ) -> Reached {
        #[cfg(not(feature = "threads"))]
        let (Threads::One, packets) = (threads, 0);
        #[cfg(feature = "threads")]
        let (threads, packets) = match threads {
            Threads::One | Threads::Two => (threads, 0),
            Threads::WherePays => match self.first_few(following, capture, before, progress) {
                Begun::Ends(reached) => return reached,
                Begun::Goes(threads, packets) => (threads, packets),
            },
        };
        #[cfg(feature = "threads")]
        if threads == Threads::Two
            && let Some(reached) = super::stages::follow(self, following, capture, before, progress)
        {
            return reached.behind(packets);
        }
        let Following { tracker, turns, reports, .. } = following;
        let mut listener = Direct::new(self, turns, reports, progress);
        follow(capture, tracker, before, &mut listener, |_| false).behind(packets)
    }

    /// The first of them, and on how many threads the others are decoded. Apart from these, which are many.
    #[cfg(feature = "threads")]
    #[cold]
    #[inline(never)]
    fn first_few(
        &mut self,
        following: &mut Following,
        capture: &mut Capture,
        before: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Begun {
        let mut first = First::default();
        let Following { tracker, turns, reports, .. } = following;
        let mut listener = Direct::new(self, turns, reports, progress);
        let reached = follow(capture, tracker, before, &mut listener, |packet| first.is_last(packet));
        if !first.are_seen() || reached.flow.is_break() || reached.error.is_some() {
            return Begun::Ends(reached);
        }
        let threads = if first.pay(self.wants()) { Threads::Two } else { Threads::One };
        Begun::Goes(threads, reached.packets)
    }

    /// No more packets will come.
    pub(super) fn packets_end(&mut self, following: &mut Following, read: &mut Read) {
        if read.flow.is_continue() {
            let Following { tracker, turns, reports, .. } = following;
            read.flow = tracker.finish(&mut Direct::new(self, turns, reports, &mut |_| ()));
            if read.flow.is_continue() {
                read.flow = self.settle();
            }
        }
        read.unreadable = following.unreadable();
    }

    /// Says what the input is, or which of several files begins.
    pub(super) fn describe(&mut self, part: Part<'_>, about: &Meta) -> Flow {
        match part {
            Part::Whole => self.tell(&Unit::about_input(Body::Meta(about))),
            Part::One(file) => {
                let (format, link_types) = (Some(about.format.clone()), about.link_types.clone());
                let file = InputFile {
                    format,
                    link_types,
                    start: about.start,
                    account: about.account.clone(),
                    ..file.clone()
                };
                self.tell(&Unit::about_input(Body::File(&file)))
            }
            Part::Further(_) => ON,
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

/// What comes of the first packets.
#[cfg(feature = "threads")]
enum Begun {
    /// There are no more.
    Ends(Reached),
    /// There may be more, behind the last of them, of which this is the number.
    Goes(Threads, u64),
}

/// The first packets of a capture, by which it is decided whether a second thread pays.
#[cfg(feature = "threads")]
#[derive(Default)]
struct First {
    packets: usize,
    bytes: usize,
}

#[cfg(feature = "threads")]
impl First {
    /// So many are looked at.
    const MANY: usize = 512;

    /// Bytes of a packet from which handing it over costs more than decoding it, if that is to count: it is
    /// copied for that, while a payload of which nothing is kept is hardly looked at. Of what benches/decode
    /// makes, packets of large messages have 1,025 bytes on average, those of small ones 144.
    const LARGE: usize = 512;

    /// Takes one; whether that is the last of them.
    fn is_last(&mut self, packet: &Packet<'_>) -> bool {
        self.packets += 1;
        self.bytes += packet.data.len();
        self.are_seen()
    }

    fn are_seen(&self) -> bool {
        self.packets >= Self::MANY
    }

    /// Whether a second thread pays for the others.
    fn pay(&self, wants: Wants) -> bool {
        wants.heads() || self.bytes < self.packets * Self::LARGE
    }
}

/// Tells the decoder what the tracker says, as it says it.
struct Direct<'a, S> {
    decoder: &'a mut Decoder<S>,
    turns: &'a mut Turns,
    reports: &'a mut Reports,
    progress: &'a mut dyn FnMut(u64),
    /// The bytes read of which progress was told last.
    reported: u64,
}

impl<'a, S: Sink> Direct<'a, S> {
    fn new(
        decoder: &'a mut Decoder<S>,
        turns: &'a mut Turns,
        reports: &'a mut Reports,
        progress: &'a mut dyn FnMut(u64),
    ) -> Self {
        Self { decoder, turns, reports, progress, reported: 0 }
    }

    #[inline]
    fn count(&mut self, bytes: usize) {
        if self.turns.count(bytes) {
            self.reports.turn(self.turns, self.decoder);
        }
    }

    #[inline]
    fn answer(&mut self, flow: FlowId, bytes: usize, interest: Interest) -> Interest {
        let interest = self.reports.current.note(flow, interest);
        self.count(bytes);
        interest
    }
}

impl<S: Sink> Listener for Direct<'_, S> {
    #[inline]
    fn begins(&mut self, packet: &Packet<'_>, _: &Tracker) {
        self.decoder.tick(packet.time);
    }

    fn waits(&mut self, capture: &Capture) {
        let read = capture.bytes_read();
        if read >= self.reported.saturating_add(PROGRESS_EVERY) {
            self.reported = read;
            (self.progress)(read);
        }
    }

    #[inline]
    fn surplus(&mut self) -> usize {
        self.turns.take_surplus()
    }

    fn secrets(&mut self, log: Vec<u8>) {
        let length = log.len();
        self.decoder.hear_secrets(&log);
        self.count(length);
    }
}

impl<S: Sink> StreamSink for Direct<'_, S> {
    fn open(&mut self, flow: FlowId, opened: &Opened) {
        self.turns.open(flow);
        StreamSink::open(self.decoder, flow, opened);
        self.count(0);
    }

    #[inline]
    fn data(&mut self, flow: FlowId, from: Side, bytes: &[u8], at: At) -> Interest {
        if self.turns.is_ignored(flow) {
            return Interest::Ignore;
        }
        let interest = StreamSink::data(self.decoder, flow, from, bytes, at);
        self.answer(flow, bytes.len(), interest)
    }

    fn gap(
        &mut self,
        flow: FlowId,
        from: Side,
        length: u64,
        between: (Option<u64>, Option<u64>),
    ) -> Interest {
        if self.turns.is_ignored(flow) {
            return Interest::Ignore;
        }
        let interest = StreamSink::gap(self.decoder, flow, from, length, between);
        self.answer(flow, 0, interest)
    }

    fn behind(&mut self, flow: FlowId, from: Side) {
        StreamSink::behind(self.decoder, flow, from);
        self.count(0);
    }

    fn late(&mut self, flow: FlowId, from: Side, is_late: bool) {
        StreamSink::late(self.decoder, flow, from, is_late);
        self.count(0);
    }

    fn end(&mut self, flow: FlowId, from: Side, how: StreamEnd, receipt: Receipt, at: At) -> Interest {
        if self.turns.is_ignored(flow) {
            return Interest::Ignore;
        }
        let interest = StreamSink::end(self.decoder, flow, from, how, receipt, at);
        self.answer(flow, 0, interest)
    }

    fn transport(&mut self, flow: FlowId, facts: Box<TcpFacts>) {
        StreamSink::transport(self.decoder, flow, facts);
        self.count(0);
    }

    fn close(&mut self, flow: FlowId, why: CloseReason, last: Time) {
        StreamSink::close(self.decoder, flow, why, last);
        self.count(0);
    }

    fn unopened(&mut self, server: std::net::SocketAddr, why: Unopened, at: At) {
        StreamSink::unopened(self.decoder, server, why, at);
        self.count(0);
    }

    fn quic(&mut self, ends: [std::net::SocketAddr; 2], datagram: &[u8]) {
        StreamSink::quic(self.decoder, ends, datagram);
        self.count(0);
    }

    fn anomaly(&mut self, flow: FlowId, from: Side, finding: Finding, at: At) {
        StreamSink::anomaly(self.decoder, flow, from, finding, at);
        self.count(0);
    }
}

impl<S: Sink> StreamSink for Decoder<S> {
    fn open(&mut self, flow: FlowId, opened: &Opened) {
        let start = if opened.syn_seen { Start::Opened } else { Start::Midway };
        let endpoints = Some([opened.a, opened.b]);
        let both_heard = opened.both_heard;
        Decoder::open(self, flow, &Beginning { endpoints, start, both_heard, ..Beginning::GIVEN });
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

    fn late(&mut self, flow: FlowId, from: Side, is_late: bool) {
        self.lend(flow.0 as usize, |session, cx| session.late(from, is_late, cx));
    }

    fn end(&mut self, flow: FlowId, from: Side, how: StreamEnd, receipt: Receipt, at: At) -> Interest {
        Decoder::end(self, flow, from, how, receipt, at)
    }

    fn transport(&mut self, flow: FlowId, facts: Box<TcpFacts>) {
        Decoder::transport(self, flow, facts);
    }

    fn close(&mut self, flow: FlowId, why: CloseReason, last: Time) {
        if why == CloseReason::Evicted {
            let _: Flow = self.give_up(flow);
        }
        // The sink will say so again at the next unit if it has had enough.
        let _: Flow = Decoder::close(self, flow, StreamEnd::Capture, Some(last));
    }

    fn unopened(&mut self, server: std::net::SocketAddr, why: Unopened, at: At) {
        Decoder::unopened(self, server, why, at);
    }

    fn quic(&mut self, ends: [std::net::SocketAddr; 2], datagram: &[u8]) {
        Decoder::quic(self, ends, datagram);
    }

    fn anomaly(&mut self, flow: FlowId, from: Side, finding: Finding, at: At) {
        // The same holds here.
        Decoder::anomaly(self, flow, from, finding, at);
    }
}

#[cfg(all(test, feature = "threads"))]
mod tests {
    use super::*;

    /// The first packets, whose sizes go round.
    fn first(sizes: &[usize]) -> First {
        let mut first = First::default();
        let room = [0; 2048];
        loop {
            let data = &room[..sizes[first.packets % sizes.len()]];
            let packet = Packet { number: 1, time: Time::default(), link: 101, data, wire_len: 0 };
            if first.is_last(&packet) {
                return first;
            }
        }
    }

    #[test]
    fn a_second_thread_pays_for_small_packets_and_for_payloads() {
        let (small, large, both) = (first(&[60, 144]), first(&[1514]), first(&[1514, 54, 1514]));
        assert!(small.are_seen() && large.are_seen());
        assert!(!First { packets: First::MANY - 1, bytes: 0 }.are_seen());
        let (counts, payload) = (Wants::NOTHING, Wants { payload: 1, ..Wants::NOTHING });
        let causes = Wants { causes: true, ..counts };
        for wants in [counts, causes] {
            assert!(small.pay(wants) && !large.pay(wants) && !both.pay(wants));
        }
        assert!(small.pay(payload) && large.pay(payload) && both.pay(payload));
    }
}
