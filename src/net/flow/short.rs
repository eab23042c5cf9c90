//! The short way of segments that open a stream, or end it, and of which nothing else is to be said.
//!
//! As with those that [come next](Flow::is_next) it is decided first, and what is done is what the long way
//! would come to. The tests feed all packets both ways.

use super::super::half::Half;
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

    /// Whether a segment that half `from` sent simply ends its stream: a FIN that carries nothing, in order
    /// and after all that was sent.
    #[inline]
    pub(in crate::net) fn is_ended_by(&self, from: usize, segment: &Segment<'_>) -> bool {
        let flags = segment.flags.0;
        flags & (Flags::ACK | Flags::FIN) == Flags::ACK | Flags::FIN
            && self.is_in_order(from, &Segment { flags: Flags(flags & !Flags::FIN), ..*segment })
    }

    /// Whether a segment that half `from` sent only acknowledges what was delivered, of a peer whose stream
    /// may be over.
    #[inline]
    pub(in crate::net) fn is_last_word(&self, from: usize, segment: &Segment<'_>) -> bool {
        self.is_in_order(from, segment)
    }

    /// Whether a segment that carries nothing comes next, where it is known where both streams begin, nothing
    /// waits anywhere and no window is closed.
    fn is_in_order(&self, from: usize, segment: &Segment<'_>) -> bool {
        let (half, peer) = (&self.halves[from], &self.halves[1 - from]);
        self.phase != Phase::Ignored
            && segment.flags.0 & (Flags::ACK | Flags::SYN | Flags::FIN | Flags::RST) == Flags::ACK
            && segment.data.is_empty()
            && segment.seq == half.next as u32
            && half.state == State::Open
            && half.heard
            && half.waiting.is_none()
            && peer.waiting.is_none()
            && self.networks[from] == segment.network
            && segment.missing == 0
            && segment.window != 0
            && half.window != 0
            && peer.window != 0
            && matches!(peer.state, State::Open | State::Ended)
            && !peer.is_behind(segment.ack, true)
    }

    /// Takes a segment that [only acknowledges](Self::is_last_word), as [`Self::segment`] would.
    pub(in crate::net) fn take_last_word(&mut self, from: usize, segment: &Segment<'_>) {
        self.packets = self.packets.saturating_add(1);
        let is_news = self.halves[1 - from].acknowledged(segment.ack);
        self.pulse.acknowledged(1 - from, segment.ack, segment.at.time.unwrap_or_default());
        if !is_news {
            self.note_repeated_ack(from, segment.ack, segment.window);
        }
        self.halves[from].window = segment.window;
    }

    /// Takes a segment that [simply ends](Self::is_ended_by) a stream, as [`Self::segment`] would.
    #[inline]
    pub(in crate::net) fn take_end<S: StreamSink>(
        &mut self,
        id: FlowId,
        from: usize,
        segment: &Segment<'_>,
        sink: &mut S,
    ) -> After {
        self.packets = self.packets.saturating_add(1);
        let [half, peer] = pair(&mut self.halves, from);
        peer.acknowledged(segment.ack);
        half.window = segment.window;
        self.pulse.acknowledged(1 - from, segment.ack, segment.at.time.unwrap_or_default());
        self.pulse.ends(from, segment.at);
        let going = self.deliver_end(id, from, StreamEnd::Fin, Some(segment.ack), segment.at, sink);
        let going = going.map_continue(|()| self.is_closed());
        self.settle(going)
    }
}
