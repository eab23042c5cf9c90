//! When and where things were seen.

use crate::app::pending::Moment;
use crate::model::{Dir, Time, Unit};

/// The first Close frame: who sent it, with which code, in which packets.
pub(super) type Closed = (Dir, Option<u16>, Option<(u64, u64)>);

/// When and where something was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct When {
    pub conn: u32,
    pub time: Option<Time>,
    pub packets: Option<(u64, u64)>,
}

impl When {
    pub fn of(unit: &Unit<'_>) -> Self {
        Self { conn: unit.conn, time: unit.time, packets: unit.packets }
    }

    /// The moment alone.
    pub fn moment(self) -> Moment {
        Moment { time: self.time, packets: self.packets }
    }

    /// Nanoseconds from `earlier` to this.
    pub fn since(self, earlier: Self) -> Option<i64> {
        Some(self.time?.since(earlier.time?))
    }
}
