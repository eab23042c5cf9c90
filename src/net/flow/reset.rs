//! What a RST says of a stream (RFC 9293 §3.5.2, RFC 5961 §3).

use super::{Carrier, CloseReason, End, Flags, Flow, NEAR, Segment, State, StreamEnd};

impl Flow {
    /// Takes a reset, unless its sequence number says that it is blind (RFC 5961 §3).
    pub(super) fn reset(&mut self, from: usize, segment: &Segment<'_>) {
        let ack = segment.flags.any(Flags::ACK).then_some(segment.ack);
        let half = &mut self.halves[from];
        let position = half.position(segment.seq);
        let believable = match half.state {
            State::Unseen | State::Heard => true,
            State::Open | State::Ended => {
                let low = if half.acked > 0 { half.acked.min(half.next) } else { half.next };
                position + 1 >= low && position <= half.next.max(half.acked) + NEAR
            }
        };
        if !believable {
            return;
        }
        if half.state == State::Open {
            let by = Carrier { at: segment.at, ack, ..Carrier::default() };
            // One without ACK has its number from what it answers, which has acknowledged a FIN that the
            // capture lacks if it stands one behind the last byte (RFC 9293 §3.5.2).
            let has_ended = ack.is_none() && position == half.next + 1 && half.waiting.is_none();
            let (position, how) =
                if has_ended { (half.next, StreamEnd::Fin) } else { (position, StreamEnd::Rst) };
            half.waiting().ends(End { position, how, by });
        }
        self.over = Some(CloseReason::Reset);
        self.note_reset(from, segment.at, ack);
    }
}
