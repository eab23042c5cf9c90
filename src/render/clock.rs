//! Times as a reader wants them.

use super::TimeStyle;
use crate::model::Time;

/// Tells the time of one unit after another.
#[derive(Debug)]
pub struct Clock {
    style: TimeStyle,
    first: Option<Time>,
    last: Option<Time>,
}

impl Clock {
    pub fn new(style: TimeStyle) -> Self {
        Self { style, first: None, last: None }
    }

    /// How times are told.
    pub fn style(&self) -> TimeStyle {
        self.style
    }

    /// Notes that the time is `now`; gives the nanoseconds since the first time seen
    /// and since the time seen last, both 0 at the start.
    pub fn tick(&mut self, now: Time) -> (i64, i64) {
        let times = self.glance(now);
        self.first.get_or_insert(now);
        self.last = Some(now);
        times
    }

    /// The same without noting it.
    pub fn glance(&self, now: Time) -> (i64, i64) {
        (now.since(self.first.unwrap_or(now)), now.since(self.last.unwrap_or(now)))
    }

    /// Whether `now` is before the time seen last.
    pub fn is_past(&self, now: Time) -> bool {
        self.glance(now).1 < 0
    }

    /// The time `now` in words: `0.001204 s`, `+0.000020 s`, `2023-11-10T05:56:11.123456Z`.
    pub fn stamp(&mut self, now: Time) -> String {
        let (since_first, since_last) = self.tick(now);
        match self.style {
            TimeStyle::Relative => format!("{} s", seconds(since_first)),
            TimeStyle::Delta if since_last < 0 => format!("{} s", seconds(since_last)),
            TimeStyle::Delta => format!("+{} s", seconds(since_last)),
            TimeStyle::Utc => now.utc(),
        }
    }
}

/// Nanoseconds as seconds with six places.
pub fn seconds(nanos: i64) -> String {
    let sign = if nanos <= -1000 { "-" } else { "" };
    let micros = nanos.unsigned_abs() / 1000;
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_three_ways() {
        let (a, b) = (Time(1_699_595_771_000_000_000), Time(1_699_595_771_001_204_999));
        for (style, first, second, back) in [
            (TimeStyle::Relative, "0.000000 s", "0.001204 s", "0.000000 s"),
            (TimeStyle::Delta, "+0.000000 s", "+0.001204 s", "-0.001204 s"),
            (
                TimeStyle::Utc,
                "2023-11-10T05:56:11.000000Z",
                "2023-11-10T05:56:11.001204Z",
                "2023-11-10T05:56:11.000000Z",
            ),
        ] {
            let mut clock = Clock::new(style);
            assert_eq!([clock.stamp(a), clock.stamp(b), clock.stamp(a)], [first, second, back]);
        }
    }
}
