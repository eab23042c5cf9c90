//! What is noted of a flow for what TCP itself says of it.
//!
//! Of every flow a few times are noted, on the short way as well ([`Pulse`]). The rest happens to few, and
//! never to a segment that simply comes next ([`Rare`]).

use super::anomaly::Cut;
use crate::limits;
use crate::model::{At, Finding, InVain, KeepAlive, Resent, Stuck, Time, ZeroWindow};

/// So many round trips are measured as they come; then, of so many packets of the flow, one may be.
const DENSE: u16 = 16;
const SPARSE: u32 = 8;

/// What is noted of every flow, by its halves.
#[derive(Debug)]
pub(super) struct Pulse {
    /// The last packet of each, and when it was captured; packet 0 for none.
    pub last: [(u64, Time); 2],
    /// When the last new data of each was captured, 0 for never.
    pub spoke: [Time; 2],
    pub clocks: [Clock; 2],
    /// The round trips of their SYNs in microseconds, 0 for unknown.
    pub handshake: [u32; 2],
    pub end: Option<Box<End>>,
}

/// What is noted of a flow that ends, or has something rare to it: nothing of most of those that are open.
#[derive(Debug, Default)]
pub(super) struct End {
    /// The first FIN of each half.
    pub fins: [Option<At>; 2],
    pub rare: Option<Box<Rare>>,
}

/// Measures how long acknowledgements take to come, one at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// When what is measured was captured, 0 for nothing.
    pub sent: Time,
    /// Which acknowledgement is waited for.
    pub end: u32,
    /// In microseconds.
    pub least: u32,
    pub smoothed: u32,
    pub samples: u16,
    /// It is a SYN.
    pub is_syn: bool,
}

/// What is noted of few flows.
#[derive(Debug, Default)]
pub(super) struct Rare {
    /// What the capture cut of it.
    pub cut: Option<Cut>,
    /// Findings of the time before the sink heard of it.
    pub untold: Vec<(usize, Finding, At)>,
    pub sides: [RareSide; 2],
}

#[derive(Debug, Default)]
pub(super) struct RareSide {
    /// Bytes right before the first FIN are missing.
    pub fin_behind_hole: bool,
    pub reset: Option<At>,
    /// That acknowledged nothing.
    pub disowned: bool,
    /// What was not acknowledged when the connection was reset.
    pub in_flight: Option<u64>,
    pub after_own_fin: u64,
    pub after_peers_fin: u64,
    /// Segments with data long after its peer's reset, and the last of them.
    pub after_peers_reset: (u32, Option<At>),
    pub resent: Resent,
    pub in_vain: Option<Box<InVain>>,
    /// Where the one stands that its peer waited for when it was sent again last, or when its peer said that
    /// something behind that has arrived.
    pub stuck_at: u64,
    /// The packet of the last one that was sent again.
    pub last_resent: u64,
    /// Up to where its peer had received more than there was, and since when that is known.
    pub ahead: (u64, Time),
    /// When data behind a hole was captured first, 0 for no hole.
    pub hole_since: Time,
    pub out_of_order: u32,
    pub copies: u32,
    pub duplicate_acks: u32,
    pub zero_window: ZeroWindow,
    /// When the window was closed.
    pub shut_since: Time,
    pub keep_alive: KeepAlive,
    /// The packet of the last probe.
    pub last_probe: u64,
}

impl RareSide {
    /// What is known of the segment at `place`, which its peer waits for.
    pub(super) fn stuck_at(&mut self, place: u64) -> &mut Stuck {
        if self.stuck_at != place {
            self.stuck_at = place;
            self.resent.stuck = Stuck::default();
        }
        &mut self.resent.stuck
    }

    /// Its peer acknowledges what is not in the capture, between these positions.
    pub(super) fn lacks(&mut self, from: u64, to: u64, time: Time) {
        // Where nothing has come since, it is known since then.
        if self.ahead.0 <= from {
            self.ahead.1 = time;
        }
        self.ahead.0 = self.ahead.0.max(to);
    }

    /// Whether what begins at `position` had been acknowledged so long before it was captured that it was
    /// not overtaken by that on the way, but sent again or copied.
    pub(super) fn is_late(&self, position: u64, time: Option<Time>) -> bool {
        let since = |time: Time| time.since(self.ahead.1);
        position < self.ahead.0 && time.map(since).is_some_and(|since| since > limits::OVERTAKEN)
    }
}

impl Pulse {
    pub(super) fn new(from: usize, packet: u64, time: Time) -> Self {
        let mut last = [(0, Time(0)); 2];
        last[from] = (packet, time);
        let clocks = <[_; 2]>::default();
        Self { last, spoke: [Time(0); 2], clocks, handshake: [0; 2], end: None }
    }

    /// The last packet of all, and when it was captured.
    pub(super) fn last(&self) -> (u64, Time) {
        let [one, other] = self.last;
        if one.0 > other.0 { one } else { other }
    }

    pub(super) fn rare(&mut self) -> &mut Rare {
        self.end.get_or_insert_default().rare.get_or_insert_default()
    }

    /// The same, if there is anything.
    pub(super) fn any_rare(&mut self) -> Option<&mut Rare> {
        self.end.as_mut()?.rare.as_deref_mut()
    }

    /// Nobody will ask for what happened to few.
    pub(super) fn forget(&mut self) {
        self.end = None;
    }

    /// The first FIN of half `of`, if it was seen.
    pub(super) fn fin(&self, of: usize) -> Option<At> {
        self.end.as_ref()?.fins[of]
    }

    /// Half `of` sends a FIN.
    pub(super) fn ends(&mut self, of: usize, at: At) {
        self.end.get_or_insert_default().fins[of].get_or_insert(at);
    }

    pub(super) fn side(&mut self, of: usize) -> &mut RareSide {
        &mut self.rare().sides[of]
    }

    /// Everything before `ack` of half `of` was acknowledged.
    #[inline]
    pub(super) fn acknowledged(&mut self, of: usize, ack: u32, time: Time) {
        let clock = &mut self.clocks[of];
        if clock.sent.0 != 0 && ack.wrapping_sub(clock.end).cast_signed() >= 0 {
            let was_syn = clock.is_syn;
            let took = clock.stop(time);
            if was_syn {
                self.handshake[of] = took;
            }
        }
    }

    /// Half `from` sent new data up to sequence number `end`, in order.
    #[inline]
    pub(super) fn speaks(&mut self, from: usize, end: u32, time: Time, packets: u32) {
        self.spoke[from] = time;
        let clock = &mut self.clocks[from];
        if clock.sent.0 == 0 && (clock.samples < DENSE || packets.is_multiple_of(SPARSE)) {
            (clock.sent, clock.end) = (time, end);
        }
    }
}

impl Clock {
    /// What is measured was acknowledged. Gives how long that took, in microseconds, at least one.
    pub(super) fn stop(&mut self, time: Time) -> u32 {
        let took = time.0.saturating_sub(self.sent.0) / 1000;
        let took = u32::try_from(took).unwrap_or(u32::MAX).max(1);
        if self.samples == 0 {
            (self.least, self.smoothed) = (took, took);
        } else {
            self.least = self.least.min(took);
            let smoothed = (u64::from(self.smoothed) * 7 + u64::from(took)) / 8;
            self.smoothed = smoothed as u32;
        }
        self.samples = self.samples.saturating_add(1);
        (self.sent, self.is_syn) = (Time(0), false);
        took
    }

    /// It was sent again: of which an acknowledgement is, nobody can tell.
    pub(super) fn reset(&mut self) {
        (self.sent, self.is_syn) = (Time(0), false);
    }
}
