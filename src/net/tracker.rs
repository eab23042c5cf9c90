//! All flows of a capture, driven packet by packet.

mod anew;
mod appointments;
mod quic;
mod seen;
mod unopened;

use std::collections::VecDeque;
use std::ops::ControlFlow::{Break, Continue};

use etherparse::ip_number;

use super::flow::{After, Flow, Halt};
use super::fragments::{Fragments, Whole};
use super::ip::{self, Datagram};
use super::key::Key;
use super::network::Network;
use super::plain::{self, Kind};
use super::table::{Found, Table};
use super::tcp::{self, Flags, Segment};
use super::tunnel::{self, Inside};
use super::{CloseReason, FlowId, Packet, StreamSink};
use crate::limits;
use crate::model::{At, Flow as Going, Time, Unopened};

/// Follows every TCP connection of a capture.
///
/// Packets go in with [`packet`](Self::packet), streams come out at the sink;
/// [`finish`](Self::finish) says that no more will come.
#[derive(Debug)]
pub struct Tracker {
    table: Table,
    /// [`limits::FLOWS`].
    max_flows: usize,
    /// [`limits::REORDER_TOTAL`], or less where memory is short.
    max_held: usize,
    /// [`limits::LINGERING`], or less where memory is short.
    max_lingering: usize,
    fragments: Fragments,
    /// Bytes that wait over all flows.
    held: usize,
    /// Flows that hold something back for the sake of order.
    holding: VecDeque<Appointment>,
    /// Flows that are over but may get something late.
    lingering: VecDeque<Appointment>,
    /// No appointment is earlier.
    first_due: Time,
    counts: Counts,
    unsupported: Vec<(u32, u64)>,
    /// What ICMP says of flows that wait for an answer to their SYN, by [`Flow::first`].
    unreachable: Vec<(u64, Unopened, At)>,
    /// Packets before which others are missing, the latest ones.
    losses: VecDeque<u64>,
    /// Packets that acknowledge what was not captured.
    uncaptured: u64,
    /// Whether what simply comes next may go the short way.
    short_way: bool,
}

/// When an appointment is that there is not.
const NEVER: Time = Time(u64::MAX);

/// What the packets were, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All packets.
    pub packets: u64,
    /// Those of a link type that cannot be read.
    pub unsupported: u64,
    /// Those that carry no IP, or so little of it that its header is not there.
    pub not_ip: u64,
    /// Those that carry IP but not TCP.
    pub not_tcp: u64,
    /// Those that carry TCP whose header is damaged or cut.
    pub damaged: u64,
    /// TCP segments; one that came in fragments counts once.
    pub segments: u64,
}

/// Come back to a flow when both are reached.
#[derive(Debug)]
struct Appointment {
    slot: u32,
    /// [`Flow::first`]: a slot may have got another flow since.
    flow: u64,
    /// [`Flow::held_since`]: it may hold something else since.
    since: u32,
    packet: u64,
    time: Time,
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new()
    }
}

impl Tracker {
    /// Knows no flow yet.
    pub fn new() -> Self {
        Self::with_max_flows(limits::FLOWS)
    }

    /// The same in a run that may hold so many bytes, a sixteenth of which may wait for its order.
    pub fn within(memory: usize) -> Self {
        let max_flows = limits::FLOWS.min(memory / limits::FLOW_HELD);
        Self {
            max_held: limits::REORDER_TOTAL.min(memory / 16),
            max_lingering: limits::LINGERING.min((memory / limits::LINGERING_MEMORY).max(64)),
            ..Self::with_max_flows(max_flows)
        }
    }

    /// Follows at most so many flows at a time, instead of [`limits::FLOWS`].
    pub(super) fn with_max_flows(max_flows: usize) -> Self {
        Self {
            table: Table::default(),
            max_flows,
            max_held: limits::REORDER_TOTAL,
            max_lingering: limits::LINGERING,
            fragments: Fragments::default(),
            held: 0,
            holding: VecDeque::new(),
            lingering: VecDeque::new(),
            first_due: NEVER,
            counts: Counts::default(),
            unsupported: Vec::new(),
            unreachable: Vec::new(),
            losses: VecDeque::new(),
            uncaptured: 0,
            short_way: true,
        }
    }

    /// Everything goes the long way: what the short one is held against.
    #[cfg(test)]
    pub(super) fn without_short_way(self) -> Self {
        Self { short_way: false, ..self }
    }

    /// Takes the next packet. Breaks when the sink said [`Interest::Stop`](super::Interest::Stop).
    #[allow(clippy::inline_always)] // into the loop over all packets
    #[inline(always)]
    pub fn packet<S: StreamSink>(&mut self, packet: &Packet<'_>, sink: &mut S) -> Going {
        self.counts.packets += 1;
        self.keep_appointments(packet.number, packet.time, sink)?;
        let going = if !self.short_way {
            None
        } else if plain::is_usual(packet) {
            self.next(plain::USUAL, packet, false, sink)
        } else {
            self.next_elsewhere(&{ *packet }, false, sink)
        };
        match going {
            Some(going) => going,
            None => self.any_packet(&{ *packet }, sink),
        }
    }

    /// Takes a [plain] packet whose segment [simply comes next](Flow::is_next), and no other.
    ///
    /// What is made of the packet here is lent to nothing that is not inlined, and made anew for what looks
    /// at all of it: so it is never written to memory. The packet itself is copied for that.
    /// `sought` says that its flow was sought because it has not been for long.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn next<S: StreamSink>(
        &mut self,
        (kind, ip): (Kind, usize),
        packet: &Packet<'_>,
        sought: bool,
        sink: &mut S,
    ) -> Option<Going> {
        let datagram = plain::of(kind, ip, packet.data)?;
        let segment = tcp::segment(&datagram, packet.number, packet.time)?;
        let Some((flow, slot, from)) = self.table.recent(segment.addresses, segment.ports) else {
            let is_there = !sought && self.table.seek(*segment.addresses, segment.ports);
            return if is_there { self.next_elsewhere(&{ *packet }, true, sink) } else { None };
        };
        let Some(acked) = flow.is_next(from, &segment) else {
            return self.last((kind, ip), slot, from, &{ *packet }, sink);
        };
        self.counts.segments += 1;
        flow.pulse.last[from] = (packet.number, packet.time);
        if !segment.data.is_empty() && flow.halves[from].checks > 0 {
            if plain::is_right(kind, ip, packet.data, datagram.payload.len()) {
                flow.halves[from].checks -= 1;
            } else {
                anew::verify(flow, slot, from, (kind, ip), &{ *packet }, sink);
            }
        }
        if segment.data.is_empty() && acked <= flow.halves[1 - from].acked {
            anew::note_repeated_ack(flow, from, (kind, ip), &{ *packet });
        }
        Some(match flow.take_next(FlowId(slot), from, &segment, acked, sink) {
            After::Nothing => Continue(()),
            after => self.after(slot, after, packet.number, packet.time, sink),
        })
    }

    /// Takes a plain packet whose segment is [one of the last](Flow::is_last), and no other.
    #[inline(never)]
    fn last<S: StreamSink>(
        &mut self,
        (kind, ip): (Kind, usize),
        slot: u32,
        from: usize,
        packet: &Packet<'_>,
        sink: &mut S,
    ) -> Option<Going> {
        let datagram = &plain::of(kind, ip, packet.data)?;
        let segment = &tcp::segment(datagram, packet.number, packet.time)?;
        let flow = self.table.get_mut(slot).filter(|flow| flow.is_last(from, segment))?;
        self.counts.segments += 1;
        flow.pulse.last[from] = (packet.number, packet.time);
        let after = flow.take_last(FlowId(slot), from, segment, sink);
        Some(self.after(slot, after, packet.number, packet.time, sink))
    }

    /// The same where it is not IPv4 on Ethernet, or its flow was sought.
    #[inline(never)]
    fn next_elsewhere<S: StreamSink>(
        &mut self,
        packet: &Packet<'_>,
        sought: bool,
        sink: &mut S,
    ) -> Option<Going> {
        let (kind, ip) = plain::kind(packet)?;
        match kind {
            Kind::V4 => self.next((Kind::V4, ip), packet, sought, sink),
            Kind::V6 => self.next((Kind::V6, ip), packet, sought, sink),
        }
    }

    /// Takes a packet of which more is to be said.
    #[inline(never)]
    fn any_packet<S: StreamSink>(&mut self, packet: &Packet<'_>, sink: &mut S) -> Going {
        if self.short_way
            && let Some(datagram) = &plain::datagram(packet)
        {
            return self.datagram(datagram, packet.number, packet.time, sink);
        }
        let datagram = match tunnel::inside(packet) {
            Inside::Datagram(datagram) => datagram,
            Inside::Other => {
                self.counts.not_ip += 1;
                return Continue(());
            }
            Inside::Unsupported => {
                self.count_unsupported(packet.link);
                return Continue(());
            }
        };
        if datagram.fragment.is_some() {
            return match self.fragments.push(&datagram, packet.number, packet.time) {
                Some(whole) => self.whole(&whole, packet, sink),
                None => Continue(()),
            };
        }
        if datagram.protocol != ip_number::TCP {
            self.counts.not_tcp += 1;
            if datagram.protocol == ip_number::UDP {
                quic::see(&datagram, sink);
            } else {
                self.unreachable(&datagram, packet);
            }
            return Continue(());
        }
        self.datagram(&datagram, packet.number, packet.time, sink)
    }

    /// Takes a whole datagram of TCP.
    #[inline]
    fn datagram<S: StreamSink>(
        &mut self,
        datagram: &Datagram<'_>,
        packet: u64,
        time: Time,
        sink: &mut S,
    ) -> Going {
        // Looked at where it was made: moving what has so many fields costs more than making it.
        let Some(segment) = &tcp::segment(datagram, packet, time) else {
            self.counts.damaged += 1;
            return Continue(());
        };
        self.counts.segments += 1;
        self.segment(segment, packet, time, sink)
    }

    /// No more packets will come: delivers what waits and closes every flow,
    /// the longest idle first.
    pub fn finish<S: StreamSink>(&mut self, sink: &mut S) -> Going {
        for slot in self.table.idle_longest(|_| true) {
            self.close(slot, CloseReason::CaptureEnd, sink)?;
        }
        Continue(())
    }

    /// Takes a datagram that came in fragments: a segment for each, so that each byte
    /// is known by its packet.
    #[cold]
    fn whole<S: StreamSink>(&mut self, whole: &Whole, packet: &Packet<'_>, sink: &mut S) -> Going {
        let mut datagram = Datagram {
            network: whole.network,
            header: 0,
            addresses: whole.addresses,
            protocol: whole.protocol,
            payload: &whole.bytes,
            byte: 0,
            missing: 0,
            fragment: None,
        };
        if ip::extensions(&mut datagram).is_some() {
            datagram = tunnel::innermost(&whole.bytes, datagram);
        }
        // Fragments in a tunnel that came in fragments: nobody sends that on purpose.
        if datagram.protocol != ip_number::TCP || datagram.fragment.is_some() {
            self.counts.not_tcp += 1;
            return Continue(());
        }
        let Some(segment) = tcp::segment(&datagram, packet.number, packet.time) else {
            self.counts.damaged += 1;
            return Continue(());
        };
        self.counts.segments += 1;
        let data_start = segment.at.byte as usize;
        let data_end = data_start + segment.data.len();
        if data_start == data_end {
            let at = whole.parts.last().map_or(segment.at, |&(_, at)| at);
            return self.segment(&Segment { at, ..segment }, packet.number, packet.time, sink);
        }
        let ends = whole.parts.iter().skip(1).map(|&(start, _)| start).chain([data_end]);
        for (&(start, at), end) in whole.parts.iter().zip(ends) {
            let (from, end) = (start.max(data_start), end.min(data_end));
            if from < end {
                let at = At { byte: at.byte + (from - start) as u32, ..at };
                let part = segment.part(from - data_start, end - data_start, at);
                self.segment(&part, packet.number, packet.time, sink)?;
            }
        }
        Continue(())
    }

    #[inline]
    fn segment<S: StreamSink>(
        &mut self,
        segment: &Segment<'_>,
        packet: u64,
        time: Time,
        sink: &mut S,
    ) -> Going {
        let (key, from) = Key::new(segment.addresses, segment.ports);
        let mut slot = match self.table.find(&key, from, segment) {
            Found::Flow(slot) => slot,
            Found::Leftover => return Continue(()),
            // A reset of nothing is nothing.
            Found::Nothing if segment.flags.any(Flags::RST) => return Continue(()),
            Found::Nothing => self.add(key, from, segment.network, packet, time, sink)?,
        };
        if segment.flags.any(Flags::SYN)
            && self.table.get_mut(slot).is_some_and(|flow| flow.is_reused_by(from, segment))
        {
            self.close(slot, CloseReason::Reused, sink)?;
            slot = self.add(key, from, segment.network, packet, time, sink)?;
        }
        let Some(flow) = self.table.get_mut(slot) else { return Continue(()) };
        let waited = flow.has_waiting();
        let before = if waited { flow.cost() } else { 0 };
        let last = std::mem::replace(&mut flow.pulse.last[from], (packet, time));
        if !flow.halves[from].heard {
            flow.networks[from] = segment.network;
        }
        if flow.shows_loss(from, segment) {
            if self.losses.len() == limits::LOSSES {
                self.losses.pop_front();
            }
            self.losses.push_back(packet);
            self.uncaptured += u64::from(flow.shows_uncaptured(from, segment));
        }
        if self.short_way && flow.is_opened_by(from, segment) {
            flow.take_opening(from, segment, last);
            return Continue(());
        }
        let after = flow.segment(FlowId(slot), from, segment, last, sink);
        if waited || flow.has_waiting() {
            self.held = (self.held + flow.cost()).saturating_sub(before);
        }
        if after != After::Nothing {
            self.after(slot, after, packet, time, sink)?;
        }
        if self.held > self.max_held {
            self.relieve(sink)?;
        }
        Continue(())
    }

    fn after<S: StreamSink>(
        &mut self,
        slot: u32,
        after: After,
        packet: u64,
        time: Time,
        sink: &mut S,
    ) -> Going {
        let Some(flow) = self.table.get_mut(slot) else { return Continue(()) };
        let due = |wait| Time(time.0.saturating_add(wait));
        let mut appointment = Appointment { slot, flow: flow.first.0, since: flow.held_since, packet, time };
        match after {
            After::Nothing => Continue(()),
            After::Stop => Break(()),
            After::Close(why) => self.close(slot, why, sink),
            After::Hold => {
                appointment.time = due(limits::HOLD_TIME);
                self.first_due = self.first_due.min(appointment.time);
                self.holding.push_back(appointment);
                if self.holding.len() > self.max_lingering {
                    self.release_first(sink)?;
                }
                Continue(())
            }
            After::Linger => {
                appointment.time = due(limits::LINGER_TIME);
                appointment.packet = packet + u64::from(limits::REORDER_PACKETS);
                self.first_due = self.first_due.min(appointment.time);
                self.lingering.push_back(appointment);
                if self.lingering.len() > self.max_lingering {
                    self.close_first(sink)?;
                }
                Continue(())
            }
        }
    }

    /// Adds a flow, making room first.
    fn add<S: StreamSink>(
        &mut self,
        key: Key,
        from: usize,
        network: Network,
        packet: u64,
        time: Time,
        sink: &mut S,
    ) -> std::ops::ControlFlow<(), u32> {
        if self.table.len() >= self.max_flows {
            // Many at once, because finding the longest idle ones looks at all.
            let some = self.max_flows.div_ceil(64);
            for slot in self.table.idle_longest(|_| true).into_iter().take(some) {
                self.close(slot, CloseReason::Evicted, sink)?;
            }
        }
        Continue(self.table.add(Flow::new(key, from, network, packet, time)))
    }

    /// Delivers what a flow still has and closes it.
    fn close<S: StreamSink>(&mut self, slot: u32, why: CloseReason, sink: &mut S) -> Going {
        let is_lossy = self.uncaptured.saturating_mul(limits::LOSSY) > self.counts.segments;
        let Some(flow) = self.table.get_mut(slot) else { return Continue(()) };
        let cost = flow.cost();
        let going = flow.flush(FlowId(slot), sink);
        if flow.is_open() {
            let is_before_loss = || self.losses.binary_search(&(flow.pulse.last().0 + 1)).is_ok();
            // Of a whole row of packets that is missing nothing need tell.
            if why == CloseReason::CaptureEnd && (is_lossy || is_before_loss()) {
                flow.break_off(FlowId(slot), sink);
            }
            flow.tell_cut(FlowId(slot), sink);
            if flow.is_followed() {
                sink.transport(FlowId(slot), flow.facts());
            }
            sink.close(FlowId(slot), flow.over.unwrap_or(why), flow.pulse.last().1);
        } else {
            self.tell_unopened(slot, sink);
        }
        self.held = self.held.saturating_sub(cost);
        self.table.remove(slot);
        match going {
            Break(Halt::Stop) => Break(()),
            _ => Continue(()),
        }
    }
}
