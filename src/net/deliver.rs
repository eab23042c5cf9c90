//! The delivering half of a flow: what goes to the sink, when and in which order.

use std::num::NonZeroU32;
use std::ops::ControlFlow::Continue;

use super::flow::{Flow, Going, Order, Phase, pair};
use super::half::{Half, State};
use super::waiting::{End, Next};
use super::{FlowId, Opened, Side, StreamEnd, StreamSink};
use crate::limits;
use crate::model::{At, Finding, Receipt};

impl Flow {
    /// Delivers what can be delivered, in the order in which it was sent: first
    /// what acknowledges nothing undelivered, then by packet. Says whether
    /// something is still held back for the sake of order.
    pub(super) fn release<S: StreamSink>(&mut self, id: FlowId, order: Order, sink: &mut S) -> Going<bool> {
        if order != Order::Kept {
            self.settled = true;
            let since = std::mem::take(&mut self.held_since);
            for half in &mut self.halves {
                if order == Order::Dropped || half.since <= since {
                    half.anchor_lowest();
                }
            }
        }
        let unsure = self.is_unsure();
        let beginning = self.halves.iter().any(Half::seeks_beginning);
        let strict = order == Order::Kept || order == Order::Aged && beginning;
        loop {
            let mut blocked = beginning;
            let mut best: Option<((bool, u64), usize, Next)> = None;
            for from in 0..2 {
                let [half, peer] = pair(&mut self.halves, from);
                let Some(ready) = half.ready() else { continue };
                // What may be a probe may have overtaken the byte that it repeats.
                let age = |probe: NonZeroU32| self.packets.saturating_sub(probe.get());
                if order != Order::Dropped
                    && ready.by.probe.is_some_and(|probe| age(probe) < limits::HOLD_PACKETS)
                {
                    blocked = true;
                    continue;
                }
                let early = ready.by.ack.is_some_and(|ack| peer.is_behind(ack, unsure));
                blocked |= early;
                let rank = (early, ready.by.at.packet);
                if !(early && strict) && best.is_none_or(|(other, ..)| rank < other) {
                    best = Some((rank, from, ready.what));
                }
            }
            let Some((rank, from, what)) = best else {
                self.halves.iter_mut().for_each(Half::tidy);
                return Continue(blocked);
            };
            if rank.0 {
                // Whoever sent it had seen more of the peer's than is there.
                self.open(id, sink);
                sink.behind(id, self.side(1 - from));
            }
            self.step(id, from, what, sink)?;
        }
    }

    /// Delivers the next thing of a half.
    fn step<S: StreamSink>(&mut self, id: FlowId, from: usize, what: Next, sink: &mut S) -> Going {
        let half = &mut self.halves[from];
        match what {
            Next::Hole(to) => self.skip(id, from, to, sink),
            Next::End => {
                let Some(end) = half.waiting.take().and_then(|waiting| waiting.end) else {
                    return Continue(());
                };
                self.show_missing(id, from, &end, sink);
                self.deliver_end(id, from, end.how, end.by.ack, end.by.at, sink)
            }
            Next::Piece => {
                let Some((position, piece)) = half.waiting.as_mut().and_then(|w| w.pieces.pop_first()) else {
                    return Continue(());
                };
                let limit = half.end().map_or(u64::MAX, |end| end.position) - half.next;
                let (bytes, at) = piece.skip(half.next.saturating_sub(position));
                let bytes = &bytes[..bytes.len().min(usize::try_from(limit).unwrap_or(usize::MAX))];
                if bytes.is_empty() {
                    return Continue(());
                }
                if !piece.by.is_late {
                    return self.deliver(id, from, bytes, at, sink);
                }
                self.open(id, sink);
                sink.late(id, self.side(from), true);
                let going = self.deliver(id, from, bytes, at, sink);
                sink.late(id, self.side(from), false);
                going
            }
        }
    }

    /// Counts packets since a hole is known to be lost; gives up those that have
    /// been for long enough. Says whether there were any.
    pub(super) fn count_stalled<S: StreamSink>(&mut self, id: FlowId, sink: &mut S) -> Going<bool> {
        let mut any = false;
        for from in 0..2 {
            let packets = self.packets;
            let [half, peer] = pair(&mut self.halves, from);
            let (to, patience) = if !peer.heard {
                (half.hole(), limits::REORDER_PACKETS_ONE_SIDED)
            } else if half.waiting.is_some() || peer.waiting.is_some() {
                (half.lost(), limits::REORDER_PACKETS)
            } else {
                (None, 0)
            };
            let Some(to) = to else {
                if half.state == State::Open {
                    half.since = 0;
                }
                continue;
            };
            if half.since == 0 {
                half.since = packets;
            } else if packets.saturating_sub(half.since) >= patience {
                self.skip(id, from, to, sink)?;
                any = true;
            }
        }
        Continue(any)
    }

    /// Gives up the first hole, wherever it is, and delivers what was behind it.
    pub(super) fn give_up<S: StreamSink>(&mut self, id: FlowId, sink: &mut S) -> Going {
        // What acknowledges what is behind the hole comes behind that. But where the beginning was not
        // captured the one direction may tell what the other one is.
        let order = if self.initiator_known { Order::Kept } else { Order::Dropped };
        if order == Order::Dropped {
            self.release(id, order, sink)?;
        }
        let first = |from: &usize| self.halves[*from].first().map(|(_, piece)| piece.by.at.packet);
        let hole = |from: &usize| self.halves[*from].hole().is_some();
        let from = (0..2).filter(hole).min_by_key(|from| first(from).unwrap_or(u64::MAX));
        let Some((from, to)) = from.and_then(|from| Some((from, self.halves[from].hole()?))) else {
            return self.release(id, Order::Dropped, sink).map_continue(drop);
        };
        self.skip(id, from, to, sink)?;
        self.release(id, order, sink).map_continue(drop)
    }

    /// Delivers everything there is.
    pub(super) fn fill<S: StreamSink>(&mut self, id: FlowId, sink: &mut S) -> Going {
        loop {
            while self.halves.iter().any(|half| half.hole().is_some()) {
                self.give_up(id, sink)?;
            }
            self.release(id, Order::Dropped, sink)?;
            // Where a direction begins may have been decided only now.
            if self.halves.iter().all(|half| half.hole().is_none()) {
                return Continue(());
            }
        }
    }

    /// Delivers everything there is, and says what is missing: nothing more will come.
    pub(super) fn flush<S: StreamSink>(&mut self, id: FlowId, sink: &mut S) -> Going {
        if self.phase == Phase::Ignored {
            return Continue(());
        }
        self.fill(id, sink)?;
        for from in 0..2 {
            // Acknowledged, but not there. One single number may be a FIN that was not captured.
            if let Some(to) = self.halves[from].lost()
                && to > self.halves[from].next + 1
            {
                self.skip(id, from, to, sink)?;
            }
            // A reset is where it is, even if its sender had sent more.
            if let Some(&end) = self.halves[from].end() {
                self.halves[from].waiting = None;
                self.show_missing(id, from, &end, sink);
                self.deliver_end(id, from, end.how, end.by.ack, end.by.at, sink)?;
            }
        }
        Continue(())
    }

    /// What a reset of half `from` shows that the capture lacks. It stands behind all that its sender has
    /// sent, and acknowledges what that has received; one without ACK answers a segment of the peer's, whose
    /// acknowledgement is its number (RFC 9293 §3.5.2).
    fn show_missing<S: StreamSink>(&mut self, id: FlowId, from: usize, end: &End, sink: &mut S) {
        let half = &self.halves[from];
        if end.how != StreamEnd::Rst || half.state != State::Open {
            return;
        }
        let own = end.position > half.next;
        let peer = &self.halves[1 - from];
        let peers = match end.by.ack {
            None => end.position > half.acked,
            // One that is one ahead may be of a FIN.
            Some(ack) => peer.state == State::Open && peer.heard && peer.position(ack) > peer.next + 1,
        };
        for (of, is_missing) in [(from, own), (1 - from, peers)] {
            if is_missing {
                self.open(id, sink);
                sink.behind(id, self.side(of));
            }
        }
    }

    /// Right behind its last packet others are missing from the capture, and some may be its own.
    pub(super) fn break_off<S: StreamSink>(&self, id: FlowId, sink: &mut S) {
        for from in 0..2 {
            if self.is_followed() && self.halves[from].state != State::Ended {
                sink.behind(id, self.side(from));
            }
        }
    }

    #[allow(clippy::inline_always)] // it is on the way of nearly every packet
    #[inline(always)]
    pub(super) fn deliver<S: StreamSink>(
        &mut self,
        id: FlowId,
        from: usize,
        bytes: &[u8],
        at: At,
        sink: &mut S,
    ) -> Going {
        self.open(id, sink);
        self.halves[from].advance(bytes, at.packet);
        sink.data(id, self.side(from), bytes, at).into()
    }

    /// Half `from` ends with a packet that acknowledges everything of its peer's before `ack`.
    pub(super) fn deliver_end<S: StreamSink>(
        &mut self,
        id: FlowId,
        from: usize,
        how: StreamEnd,
        ack: Option<u32>,
        at: At,
        sink: &mut S,
    ) -> Going {
        self.open(id, sink);
        let [half, peer] = pair(&mut self.halves, from);
        half.state = State::Ended;
        let acked = ack.filter(|_| peer.heard).map(|ack| peer.position(ack));
        let receipt = Receipt {
            received: acked.map(|acked| acked >= peer.next),
            // A FIN takes one number.
            peer_ended: peer.state == State::Ended || acked == Some(peer.next + 1),
        };
        sink.end(id, self.side(from), how, receipt, at).into()
    }

    /// Gives up what is missing before `to`.
    fn skip<S: StreamSink>(&mut self, id: FlowId, from: usize, to: u64, sink: &mut S) -> Going {
        self.open(id, sink);
        let half = &mut self.halves[from];
        let length = to - half.next;
        let before = (half.last_packet != 0).then_some(half.last_packet);
        let after = half.first().map(|(_, piece)| piece.by.at.packet);
        half.skip_to(to);
        sink.gap(id, self.side(from), length, (before, after)).into()
    }

    /// Makes the flow known to the sink, if it is not.
    #[inline]
    fn open<S: StreamSink>(&mut self, id: FlowId, sink: &mut S) {
        if self.phase == Phase::Silent {
            self.make_known(id, sink);
        }
    }

    #[inline(never)]
    fn make_known<S: StreamSink>(&mut self, id: FlowId, sink: &mut S) {
        self.phase = Phase::Followed;
        let (first, second) = self.key.endpoints();
        let (a, b) = if self.a == 0 { (first, second) } else { (second, first) };
        let (packet, time) = self.first;
        let both_heard = self.halves.iter().all(|half| half.heard && half.syn_seen);
        sink.open(id, &Opened { a, b, syn_seen: self.initiator_known, both_heard, packet, time });
        let untold = self.pulse.any_rare().map(|rare| std::mem::take(&mut rare.untold));
        for (from, finding, at) in untold.into_iter().flatten() {
            sink.anomaly(id, self.side(from), finding, at);
        }
    }

    #[inline]
    fn side(&self, from: usize) -> Side {
        if from == usize::from(self.a) { Side::A } else { Side::B }
    }

    pub(super) fn tell<S: StreamSink>(
        &mut self,
        id: FlowId,
        from: usize,
        finding: Finding,
        at: At,
        sink: &mut S,
    ) {
        if self.is_open() {
            sink.anomaly(id, self.side(from), finding, at);
        } else {
            // Opening it now would fix who is side A before that is known.
            self.pulse.rare().untold.push((from, finding, at));
        }
    }
}
