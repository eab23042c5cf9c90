//! What was noted of a flow becomes what TCP says of it.

use std::time::Duration;

use super::{Flow, RareSide};
use crate::model::{RoundTrip, Stuck, TcpFacts, TcpSide};

impl Flow {
    /// All that TCP says of the flow, by [`Side`](super::Side).
    pub(in crate::net) fn facts(&self) -> Box<TcpFacts> {
        let mut facts = Box::<TcpFacts>::default();
        let end = self.pulse.end.as_deref();
        let rare = end.and_then(|end| end.rare.as_deref());
        for (side, of) in facts.sides.iter_mut().zip([self.a, 1 - self.a]) {
            self.side_facts(usize::from(of), side);
            if let Some(rare) = rare {
                self.rare_facts(usize::from(of), &rare.sides[usize::from(of)], side);
            } else if self.halves[usize::from(of)].window == 0 {
                self.rare_facts(usize::from(of), &RareSide::default(), side);
            }
        }
        facts
    }

    /// What there is to say of every flow.
    fn side_facts(&self, of: usize, side: &mut TcpSide) {
        let (half, pulse) = (&self.halves[of], &self.pulse);
        let clock = pulse.clocks[of];
        let micros = |n: u32| (n > 0).then(|| Duration::from_micros(n.into()));
        side.heard = Some(pulse.last[of]).filter(|(packet, _)| *packet > 0);
        side.spoke = Some(pulse.spoke[of]).filter(|time| time.0 > 0);
        side.bytes = half.sent().saturating_sub(half.begin());
        side.syn = half.syn_seen;
        side.fin = pulse.fin(of);
        side.round_trip = RoundTrip {
            handshake: micros(pulse.handshake[of]),
            least: micros(clock.least),
            smoothed: micros(clock.smoothed),
            samples: clock.samples.into(),
        };
        if pulse.last[1 - of].0 > 0 {
            side.unacknowledged = half.unacknowledged(0);
        }
    }

    /// The rest.
    #[inline(never)]
    fn rare_facts(&self, of: usize, rare: &RareSide, side: &mut TcpSide) {
        let (now, peer_heard) = (self.pulse.last().1, self.pulse.last[1 - of].0);
        let RareSide { mut resent, mut keep_alive, mut zero_window, .. } = *rare;
        if peer_heard > rare.last_resent {
            (resent.unanswered, resent.unanswered_from) = (0, None);
        }
        if peer_heard > rare.last_probe {
            keep_alive.answered += u32::from(keep_alive.unanswered > 0);
            (keep_alive.unanswered, keep_alive.unanswered_from) = (0, None);
        }
        let half = &self.halves[of];
        if rare.stuck_at != half.awaited() || half.acked >= half.sent() {
            resent.stuck = Stuck::default();
        }
        if half.window == 0 {
            zero_window.lasted(rare.shut_since, now);
            zero_window.at_end = true;
        }
        if let Some(in_flight) = rare.in_flight.filter(|_| peer_heard > 0) {
            side.unacknowledged = in_flight;
        }
        side.fin_behind_hole = rare.fin_behind_hole;
        side.reset = rare.reset;
        side.disowned = rare.disowned;
        (side.after_own_fin, side.after_peers_fin) = (rare.after_own_fin, rare.after_peers_fin);
        (side.after_peers_reset, side.last_after_reset) = rare.after_peers_reset;
        (side.out_of_order, side.copies) = (rare.out_of_order, rare.copies);
        side.duplicate_acks = rare.duplicate_acks;
        (side.resent, side.zero_window, side.keep_alive) = (resent, zero_window, keep_alive);
        side.in_vain.clone_from(&rare.in_vain);
    }
}
