//! The short way of segments that open a stream, or end it, and of which nothing else is to be said.
//!
//! As with those that [come next](Flow::is_next) it is decided first, and what is done is what the long way
//! would come to. The tests feed all packets both ways.

use super::super::half::Half;
use super::super::network::Network;
use super::{After, Flags, Flow, FlowId, Phase, Segment, State, StreamEnd, StreamSink, Time, pair};

impl Flow {
    /// Whether a segment that half `from` sent simply opens its stream: a SYN that carries nothing, with
    /// nothing waiting anywhere and nothing over.
    pub(in crate::net) fn is_opened_by(&self, from: usize, segment: &Segment<'_>) -> bool {
        let is_fresh = |half: &Half| half.waiting.is_none() && half.state != State::Ended;
        self.phase != Phase::Ignored
            && segment.flags.0 & (Flags::SYN | Flags::FIN | Flags::RST) == Flags::SYN
            && segment.data.is_empty()
            && segment.missing == 0
            && self.over.is_none()
            && is_fresh(&self.halves[from])
            && is_fresh(&self.halves[1 - from])
    }

    /// Takes a segment that [simply opens](Self::is_opened_by) a stream, as [`Self::segment`] would.
    pub(in crate::net) fn take_opening(&mut self, from: usize, segment: &Segment<'_>, before: (u64, Time)) {
        self.packets = self.packets.saturating_add(1);
        self.note(from, segment, before);
        self.place(from, segment);
        // There is no hole, and nothing that is held back.
        for half in self.halves.iter_mut().filter(|half| half.state == State::Open) {
            half.since = 0;
        }
        self.held_since = 0;
        self.calm = self.is_calm();
    }

    /// Whether a segment that half `from` sent is one of the last, and nothing but that: it carries no data,
    /// is in order and acknowledges what was delivered, with nothing waiting anywhere and no window closed;
    /// and it has a FIN, or comes behind that of its peer.
    pub(in crate::net) fn is_last(&self, from: usize, segment: &Segment<'_>) -> bool {
        let (half, peer) = (&self.halves[from], &self.halves[1 - from]);
        self.phase != Phase::Ignored
            && segment.flags.0 & (Flags::ACK | Flags::SYN | Flags::RST) == Flags::ACK
            && (segment.flags.any(Flags::FIN) || peer.state == State::Ended)
            && segment.seq == half.next as u32
            && segment.data.is_empty()
            && segment.missing == 0
            && segment.window != 0
            && half.state == State::Open
            && half.heard
            && half.waiting.is_none()
            && half.window != 0
            && matches!(peer.state, State::Open | State::Ended)
            && peer.waiting.is_none()
            && peer.window != 0
            && segment.network == Network::PLAIN
            && self.networks == [Network::PLAIN; 2]
            && !peer.is_behind(segment.ack, true)
    }

    /// Takes a segment that [is one of the last](Self::is_last), as [`Self::segment`] would.
    pub(in crate::net) fn take_last<S: StreamSink>(
        &mut self,
        id: FlowId,
        from: usize,
        segment: &Segment<'_>,
        sink: &mut S,
    ) -> After {
        self.packets = self.packets.saturating_add(1);
        let is_end = segment.flags.any(Flags::FIN);
        let [_, peer] = pair(&mut self.halves, from);
        let is_news = peer.acknowledged(segment.ack);
        self.pulse.acknowledged(1 - from, segment.ack, segment.at.time.unwrap_or_default());
        if !is_news && !is_end {
            self.note_repeated_ack(from, segment);
        }
        self.halves[from].window = segment.window;
        if !is_end {
            return After::Nothing;
        }
        self.pulse.ends(from, segment.at);
        let going = self.deliver_end(id, from, StreamEnd::Fin, Some(segment.ack), segment.at, sink);
        let going = going.map_continue(|()| self.is_closed());
        self.settle(going)
    }
}
