//! One connection: takes its segments, delivers its streams.

mod next;
mod reset;
mod short;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::ControlFlow::{self, Break, Continue};

use super::half::{Half, NEAR, State};
use super::key::Key;
use super::network::Network;
use super::pulse::Pulse;
use super::reassembly::Carrier;
use super::tcp::{Checksum, Flags, Segment};
use super::waiting::End;
use super::{CloseReason, FlowId, Interest, StreamEnd, StreamSink, anomaly};
use crate::limits;
use crate::model::{At, Time, Unopened};

/// A connection, or what looks like one.
#[derive(Debug)]
pub(super) struct Flow {
    pub key: Key,
    /// What each endpoint sends, in the order of the key.
    pub halves: [Half; 2],
    /// Through which network each endpoint's first packet came.
    pub networks: [Network; 2],
    /// The number of the first packet, which names the flow for good, and its time.
    pub first: (u64, Time),
    /// What TCP itself says of it.
    pub pulse: Pulse,
    /// Packets so far.
    pub packets: u32,
    /// `packets` when something was first held back only for the sake of order, 0 for nothing.
    pub held_since: u32,
    /// Which half is side A's; open to change until the sink has heard of the flow.
    pub a: u8,
    /// Who opened the connection is known.
    pub initiator_known: bool,
    /// Waiting for the beginning is over.
    pub settled: bool,
    pub phase: Phase,
    /// It is over, but something captured late may still come.
    pub over: Option<CloseReason>,
    /// What [`Self::is_calm`] says, since anything of it changed.
    calm: bool,
}

/// What the sink knows of a flow and wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has not heard of it.
    Silent,
    Followed,
    Ignored,
}

/// What is to be done with the flow after a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Nothing,
    /// Something is held back: come again after [`limits::HOLD_TIME`].
    Hold,
    /// It is over: come again after [`limits::LINGER_TIME`].
    Linger,
    /// It is over and nothing more can come.
    Close(CloseReason),
    /// The sink has had enough.
    Stop,
}

/// How much the order between the directions is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Wait for it.
    Kept,
    /// What has waited for [`limits::HOLD_PACKETS`] waits no longer.
    Aged,
    /// Nothing waits.
    Dropped,
}

/// Why delivering stops.
pub(super) enum Halt {
    Ignore,
    Stop,
}

/// Goes on, or not.
pub(super) type Going<T = ()> = ControlFlow<Halt, T>;

impl From<Interest> for Going {
    #[inline]
    fn from(interest: Interest) -> Self {
        match interest {
            Interest::Follow => Continue(()),
            Interest::Ignore => Break(Halt::Ignore),
            Interest::Stop => Break(Halt::Stop),
        }
    }
}

impl Flow {
    /// A flow whose first packet is sent by half `from`.
    pub(super) fn new(key: Key, from: usize, network: Network, packet: u64, time: Time) -> Self {
        Self {
            key,
            halves: [Half::new(), Half::new()],
            networks: [network; 2],
            first: (packet, time),
            pulse: Pulse::new(from, packet, time),
            packets: 0,
            held_since: 0,
            a: from as u8,
            initiator_known: false,
            settled: false,
            phase: Phase::Silent,
            over: None,
            calm: false,
        }
    }

    /// Whether the sink has heard of it.
    pub(super) fn is_open(&self) -> bool {
        self.phase != Phase::Silent
    }

    /// Whether the sink listens to it.
    pub(super) fn is_followed(&self) -> bool {
        self.phase == Phase::Followed
    }

    /// Whose port this connection's SYN was for, and why it came to nothing, if it did.
    pub(super) fn unopened(&self) -> Option<(SocketAddr, Unopened)> {
        let (client, server) = (usize::from(self.a), 1 - usize::from(self.a));
        let is_answered = self.halves[server].heard;
        let never_began = self.initiator_known && (!is_answered || self.halves[server].state != State::Open);
        let (low, high) = self.key.endpoints();
        let address = if client == 0 { high } else { low };
        let why = match self.over {
            _ if !never_began => return None,
            // What answers a SYN has an acknowledgement (RFC 9293 §3.5.2).
            Some(CloseReason::Reset) if is_answered && !self.is_disowned(server) => Unopened::Reset,
            _ if !is_answered && self.over.is_none() && self.sent_only_syns(client) => {
                let waited = self.pulse.last().1.since(self.first.1);
                Unopened::Silence { syns: self.packets, waited: u64::try_from(waited).unwrap_or_default() }
            }
            _ => return None,
        };
        Some((address, why))
    }

    /// Whether anything waits.
    #[inline]
    pub(super) fn has_waiting(&self) -> bool {
        self.halves[0].waiting.is_some() || self.halves[1].waiting.is_some()
    }

    /// What waiting takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.halves[0].cost() + self.halves[1].cost()
    }

    /// Whether a segment that half `from` sent, as its addresses say, may be of this connection: its
    /// numbers are near those that are expected. Two connections are hardly so alike.
    pub(super) fn fits(&self, from: usize, segment: &Segment<'_>) -> bool {
        let (half, peer) = (&self.halves[from], &self.halves[1 - from]);
        let acknowledges = !segment.flags.any(Flags::ACK) || peer.is_around(segment.ack);
        if segment.flags.any(Flags::SYN) {
            return !half.is_begun_elsewhere(segment.seq.wrapping_add(1)) && acknowledges;
        }
        // Where an ignored one stands is not known.
        self.phase == Phase::Ignored || half.is_around(segment.seq) && acknowledges
    }

    /// Whether this SYN belongs to a new connection between the same ports.
    pub(super) fn is_reused_by(&self, from: usize, segment: &Segment<'_>) -> bool {
        self.halves[from].is_begun_elsewhere(segment.seq.wrapping_add(1))
    }

    /// Takes a segment that half `from` sent, whose last packet `before` was.
    #[inline]
    pub(super) fn segment<S: StreamSink>(
        &mut self,
        id: FlowId,
        from: usize,
        segment: &Segment<'_>,
        before: (u64, Time),
        sink: &mut S,
    ) -> After {
        self.packets = self.packets.saturating_add(1);
        if self.phase == Phase::Ignored {
            return self.ignored(from, segment);
        }
        self.note(from, segment, before);
        let going = self.take(id, from, segment, sink);
        self.settle(going)
    }

    /// Holds nothing back for the sake of order any longer.
    pub(super) fn let_go<S: StreamSink>(&mut self, id: FlowId, sink: &mut S) -> After {
        let going = self.release(id, Order::Dropped, sink);
        self.settle(going.map_continue(|_| self.is_closed()))
    }

    /// Waits for nothing any longer.
    pub(super) fn give_up_all<S: StreamSink>(&mut self, id: FlowId, sink: &mut S) -> After {
        let going = self.fill(id, sink);
        self.settle(going.map_continue(|()| self.is_closed()))
    }

    /// Does what the sink asked for, after anything that may have changed whether all is calm.
    #[inline]
    fn settle(&mut self, going: Going<After>) -> After {
        let after = match going {
            Continue(after) => after,
            Break(halt) => self.heed(halt),
        };
        self.calm = self.is_calm();
        after
    }

    #[inline(never)]
    fn heed(&mut self, halt: Halt) -> After {
        match halt {
            Halt::Stop => After::Stop,
            Halt::Ignore => {
                self.ignore();
                self.over.map_or_else(|| self.is_closed(), After::Close)
            }
        }
    }

    /// Tells what the capture cut of it, once all is known.
    pub(super) fn tell_cut<S: StreamSink>(&mut self, id: FlowId, sink: &mut S) {
        if let Some(cut) = self.pulse.any_rare().and_then(|rare| rare.cut.take()) {
            let (from, at) = (cut.from, cut.at);
            self.tell(id, from, cut.finding(), at, sink);
        }
    }

    /// A flow nobody listens to: only its end matters.
    fn ignored(&mut self, from: usize, segment: &Segment<'_>) -> After {
        if segment.flags.any(Flags::FIN | Flags::RST) {
            // Where it ends, for telling leftovers; what comes later counts for nothing.
            self.halves[from].next = (1 << 32) + u64::from(segment.seq) + segment.data.len() as u64;
            self.halves[from].state = State::Ended;
        }
        if segment.flags.any(Flags::RST) {
            return After::Close(CloseReason::Reset);
        }
        self.is_closed()
    }

    /// Frees everything and delivers no more.
    fn ignore(&mut self) {
        self.phase = Phase::Ignored;
        self.calm = false;
        self.pulse.forget();
        for half in &mut self.halves {
            half.waiting = None;
        }
    }

    /// Whether it is so early that the beginning of a direction may still come.
    #[inline]
    pub(super) fn is_unsure(&self) -> bool {
        !self.settled && self.packets <= limits::HOLD_PACKETS
    }

    /// From now on something is held back for the sake of order. A direction that
    /// began to speak later than the other gets its own time to find its beginning.
    fn hold(&mut self) -> After {
        let seeking = self.halves.iter().filter(|half| half.seeks_beginning());
        self.held_since = seeking.map(|half| half.since).min().unwrap_or(self.packets);
        After::Hold
    }

    fn is_closed(&self) -> After {
        if self.halves.iter().all(|half| half.state == State::Ended) {
            After::Close(self.over.unwrap_or(CloseReason::Closed))
        } else {
            After::Nothing
        }
    }

    #[inline]
    fn take<S: StreamSink>(
        &mut self,
        id: FlowId,
        from: usize,
        segment: &Segment<'_>,
        sink: &mut S,
    ) -> Going<After> {
        if segment.missing > 0 {
            let cut = &mut self.pulse.rare().cut;
            cut.get_or_insert_with(|| anomaly::Cut::new(from, segment.at)).add(segment);
        }
        self.verify(id, from, segment, sink);
        let flags = segment.flags;
        let ack = flags.any(Flags::ACK).then_some(segment.ack);
        let unsure = self.is_unsure();
        let [half, peer] = pair(&mut self.halves, from);
        let simple = half.state == State::Open
            && half.heard
            && segment.seq == half.next as u32
            && half.waiting.is_none()
            && peer.waiting.is_none()
            && segment.missing == 0
            && segment.data != [0]
            && !flags.any(Flags::SYN | Flags::RST)
            && ack.is_none_or(|ack| !peer.is_behind(ack, unsure));
        if !simple {
            return self.take_slowly(id, from, segment, sink);
        }
        if !segment.data.is_empty() {
            self.deliver(id, from, segment.data, segment.at, sink)?;
        }
        if flags.any(Flags::FIN) {
            self.deliver_end(id, from, StreamEnd::Fin, ack, segment.at, sink)?;
            return Continue(self.is_closed());
        }
        Continue(After::Nothing)
    }

    /// Verifies the checksum, if it is one of the first of its direction.
    #[inline]
    pub(super) fn verify<S: StreamSink>(
        &mut self,
        id: FlowId,
        from: usize,
        segment: &Segment<'_>,
        sink: &mut S,
    ) {
        if self.halves[from].checks > 0 && !segment.data.is_empty() && !segment.whole.is_empty() {
            self.halves[from].checks -= 1;
            if let Checksum::Bad { expected, got } = segment.checksum() {
                self.halves[from].checks = 0;
                self.tell(id, from, anomaly::bad_checksum(segment, expected, got), segment.at, sink);
            }
        }
    }

    /// Takes a segment that is not simply the next one.
    fn take_slowly<S: StreamSink>(
        &mut self,
        id: FlowId,
        from: usize,
        segment: &Segment<'_>,
        sink: &mut S,
    ) -> Going<After> {
        let was_over = self.over.is_some();
        self.place(from, segment);
        if segment.flags.any(Flags::RST) {
            self.reset(from, segment);
        } else {
            self.keep(id, from, segment, sink);
        }
        let mut blocked = self.release(id, Order::Kept, sink)?;
        if self.count_stalled(id, sink)? {
            blocked = self.release(id, Order::Kept, sink)?;
        }
        while self.halves.iter().any(|half| half.cost() > limits::REORDER_FLOW) {
            self.give_up(id, sink)?;
        }
        if self.held_since != 0 && self.packets.saturating_sub(self.held_since) >= limits::HOLD_PACKETS {
            blocked = self.release(id, Order::Aged, sink)?;
        }
        let after = self.is_closed();
        if after != After::Nothing {
            return Continue(after);
        }
        if self.over.is_none() && self.halves.iter().all(Half::has_end) {
            self.over = Some(CloseReason::Closed);
        }
        if self.over.is_some() && !was_over {
            return Continue(After::Linger);
        }
        if !blocked {
            self.held_since = 0;
        } else if self.held_since == 0 {
            return Continue(self.hold());
        }
        Continue(After::Nothing)
    }

    /// Finds out where the streams are, and who opened the connection.
    fn place(&mut self, from: usize, segment: &Segment<'_>) {
        let [half, peer] = pair(&mut self.halves, from);
        half.heard = true;
        if segment.flags.any(Flags::SYN) {
            half.anchor(segment.seq.wrapping_add(1), true);
            if segment.flags.any(Flags::ACK) && peer.state != State::Open {
                peer.anchor(segment.ack, false);
            }
            if !self.initiator_known && !self.is_open() {
                self.initiator_known = true;
                self.a = (if segment.flags.any(Flags::ACK) { 1 - from } else { from }) as u8;
            }
            return;
        }
        // What answers the other's SYN, which was not captured, says where the other begins.
        let is_third = half.syn_seen && half.state == State::Open && segment.seq == half.base;
        if is_third && segment.data.is_empty() && segment.flags.any(Flags::ACK) && peer.state == State::Unseen
        {
            peer.begins_by(segment.ack, self.packets);
        }
        // Long after its sender was first heard, data that goes on where it said that it stands is
        // in order, though its beginning was not captured.
        let settled = half.state == State::Heard && self.packets - half.since > limits::HOLD_PACKETS;
        let expected = half.waiting.is_none() && segment.seq == half.next as u32;
        if settled && expected && !segment.data.is_empty() {
            half.anchor(half.begins_with(half.next) as u32, false);
        } else {
            half.hear(segment.seq, !segment.data.is_empty(), self.packets);
        }
    }

    /// Keeps what a segment carries for [`Self::release`] to deliver.
    fn keep<S: StreamSink>(&mut self, id: FlowId, from: usize, segment: &Segment<'_>, sink: &mut S) {
        let flags = segment.flags;
        let ack = flags.any(Flags::ACK).then_some(segment.ack);
        let half = &mut self.halves[from];
        if half.state == State::Ended {
            return;
        }
        let data = segment.data;
        let start = half.position(segment.seq.wrapping_add(u32::from(flags.any(Flags::SYN))));
        let end = start + data.len() as u64;
        // A keep-alive probe carries nothing, or one byte of garbage, zero in practice, that was
        // sent and acknowledged before (RFC 9293 §3.8.4).
        let probe = NonZeroU32::new(self.packets).filter(|_| data == [0]);
        let is_late =
            self.pulse.any_rare().is_some_and(|rare| rare.sides[from].is_late(start, segment.at.time));
        let by = Carrier { at: segment.at, ack, probe, is_late };
        let mut conflict = false;
        let mut old = 0;
        if half.state == State::Open && start < half.next {
            let garbage = probe.is_some() || data.len() == 1 && end == half.next;
            conflict = !garbage && half.conflicts(start, data);
            old = (half.next - start).min(data.len() as u64) as usize;
        }
        if old < data.len() {
            let at = At { byte: segment.at.byte + old as u32, ..segment.at };
            conflict |= half.waiting().pieces.insert(start + old as u64, &data[old..], Carrier { at, ..by });
        }
        let missing = u64::from(segment.missing);
        if missing > 0 && end + missing > half.next {
            half.waiting().cut(end..end + missing);
        }
        if flags.any(Flags::FIN) && (end + missing >= half.next || half.state != State::Open) {
            half.waiting().ends(End { position: end + missing, how: StreamEnd::Fin, by });
        }
        if conflict {
            self.tell(id, from, anomaly::conflict(segment), segment.at, sink);
        }
    }
}

/// The half that sends and the one that receives.
#[inline]
pub(super) fn pair(halves: &mut [Half; 2], from: usize) -> [&mut Half; 2] {
    let [first, second] = halves;
    if from == 0 { [first, second] } else { [second, first] }
}
