//! The short way of what simply comes next, which nearly all segments do: decided first, then taken.

use std::ops::ControlFlow::{Break, Continue};

use super::super::StreamSink;
use super::super::network::Network;
use super::super::tcp::{Flags, Segment};
use super::{After, Flow, Half, Phase, State};
use crate::model::FlowId;

impl Flow {
    /// Whether a segment may simply come next in either direction: it is not ignored, both are open, nothing
    /// waits anywhere, no window is closed, and all came through no tunnel.
    ///
    /// While it is not known where a stream begins, or once it has ended, this is for the long way to say.
    pub(super) fn is_calm(&self) -> bool {
        let is_calm = |half: &Half| {
            half.state == State::Open && half.heard && half.waiting.is_none() && half.window != 0
        };
        self.phase != Phase::Ignored
            && self.halves.iter().all(is_calm)
            && self.networks == [Network::PLAIN; 2]
    }

    /// Whether a segment that half `from` sent simply comes next, which nearly all do: data, or only an
    /// acknowledgement, in order and of what was delivered, the end of nothing, where all [is
    /// calm](Self::is_calm). If so, gives the position of the peer that it acknowledges.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(in crate::net) fn is_next(&self, from: usize, segment: &Segment<'_>) -> Option<u64> {
        let (half, peer) = (&self.halves[from], &self.halves[1 - from]);
        let acked = peer.position(segment.ack);
        let is_next = self.calm
            && segment.flags.0 & (Flags::ACK | Flags::SYN | Flags::FIN | Flags::RST) == Flags::ACK
            && segment.seq == half.next as u32
            && segment.network == Network::PLAIN
            && segment.missing == 0
            && segment.data != [0]
            && segment.window != 0
            && acked <= peer.next;
        is_next.then_some(acked)
    }

    /// Takes a segment that [comes next](Self::is_next), with what that gave, [is verified](Self::verify),
    /// and noted if it [says nothing new](Self::note_repeated_ack), as [`Self::segment`] would.
    #[allow(clippy::inline_always)] // or the segment is built in memory
    #[inline(always)]
    pub(in crate::net) fn take_next<S: StreamSink>(
        &mut self,
        id: FlowId,
        from: usize,
        segment: &Segment<'_>,
        acked: u64,
        sink: &mut S,
    ) -> After {
        self.packets = self.packets.saturating_add(1);
        // As `Half::acknowledged`, for what is known not to be ahead.
        let peer = &mut self.halves[1 - from];
        peer.acked = acked.max(peer.acked);
        let time = segment.at.time.unwrap_or_default();
        self.pulse.acknowledged(1 - from, segment.ack, time);
        self.halves[from].window = segment.window;
        if segment.data.is_empty() {
            return After::Nothing;
        }
        let end = segment.seq.wrapping_add(segment.data.len() as u32);
        self.pulse.speaks(from, end, time, self.packets);
        match self.deliver(id, from, segment.data, segment.at, sink) {
            Continue(()) => After::Nothing,
            Break(halt) => self.heed(halt),
        }
    }
}
