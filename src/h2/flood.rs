//! Frames that only cost their receiver, counted.

use crate::limits;
use crate::model::Time;
use crate::model::http2::{FrameHeader, Kind};

/// What one endpoint has sent of them lately.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flood {
    control: Tally,
    resets: Tally,
}

/// How many, since when.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    since: Option<Time>,
    count: u32,
    is_told: bool,
}

impl Tally {
    /// One more; how many there are, when they become too many.
    fn add(&mut self, now: Option<Time>) -> Option<u32> {
        let lasts = |(since, now): (Time, Time)| now.since(since) <= limits::H2_FLOOD_TIME;
        if !self.since.zip(now).is_none_or(lasts) {
            self.count = 0;
        }
        if self.count == 0 {
            self.since = now;
        }
        self.count = self.count.saturating_add(1);
        let is_flood = self.count >= limits::H2_FLOOD && !self.is_told;
        self.is_told |= is_flood;
        is_flood.then_some(self.count)
    }
}

impl Flood {
    /// A frame came; how many of its kind there were, when they become too many.
    pub fn frame(&mut self, header: FrameHeader, now: Option<Time>) -> Option<u32> {
        let only_costs = match header.kind {
            Kind::SETTINGS | Kind::PING => !header.is_ack(),
            Kind::PRIORITY => true,
            Kind::DATA => header.length == 0 && !header.ends_stream(),
            _ => false,
        };
        if only_costs { self.control.add(now) } else { None }
    }

    /// A stream was reset that was not answered; how many, when they become too many.
    pub fn reset(&mut self, now: Option<Time>) -> Option<u32> {
        self.resets.add(now)
    }
}
