//! Times as a reader wants them.

use super::TimeStyle;
use crate::model::Time;
use crate::model::quantity::seconds_in;

/// Tells the time of one unit after another.
///
/// Relative times count from the first packet of the input, whatever is shown of it, so that
/// every view and every selection gives a frame the same time.
#[derive(Debug)]
pub struct Clock {
    style: TimeStyle,
    start: Option<Time>,
    last: Option<Time>,
}

impl Clock {
    pub fn new(style: TimeStyle) -> Self {
        Self { style, start: None, last: None }
    }

    /// How times are told.
    pub fn style(&self) -> TimeStyle {
        self.style
    }

    /// Says when the input's first packet was captured. Where nobody does, times count from the
    /// first that is told.
    pub fn begin(&mut self, start: Option<Time>) {
        self.start = self.start.or(start);
    }

    /// What comes next has nothing to do with what came before: nothing is told of the time in between.
    pub fn pause(&mut self) {
        self.last = None;
    }

    /// Notes that the time is `now`; gives the nanoseconds since the start, and since the latest
    /// time noted before, 0 for the first one.
    ///
    /// What is told late (a connection that was recognised only some packets later, or that is
    /// introduced once something of it is shown) turns no clock back: there are no nanoseconds
    /// since something that came after it.
    pub fn tick(&mut self, now: Time) -> (i64, Option<i64>) {
        let start = *self.start.get_or_insert(now);
        let last = self.last.unwrap_or(now);
        self.last = Some(last.max(now));
        (now.since(start), (now >= last).then(|| now.since(last)))
    }

    /// The time `now` in words: `0.001204 s`, `+0.000020 s`, `2023-11-10T05:56:11.123456Z`.
    pub fn stamp(&mut self, now: Time) -> Option<String> {
        let mut out = String::new();
        self.stamp_in(now, &mut out).then_some(out)
    }

    /// The same at the end of `out`, if there is something to tell.
    pub fn stamp_in(&mut self, now: Time, out: &mut String) -> bool {
        let (since_start, since_last) = self.tick(now);
        match self.style {
            TimeStyle::Relative => seconds_in(since_start, out),
            TimeStyle::Delta => {
                let Some(nanos) = since_last else { return false };
                out.push('+');
                seconds_in(nanos, out);
            }
            TimeStyle::Utc => {
                out.push_str(&now.utc());
                return true;
            }
        }
        out.push_str(" s");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_three_ways() {
        let (a, b) = (Time(1_699_595_771_000_000_000), Time(1_699_595_771_001_204_999));
        for (style, first, second, back) in [
            (TimeStyle::Relative, "0.000000 s", "0.001204 s", Some("0.000000 s")),
            (TimeStyle::Delta, "+0.000000 s", "+0.001204 s", None),
            (
                TimeStyle::Utc,
                "2023-11-10T05:56:11.000000Z",
                "2023-11-10T05:56:11.001204Z",
                Some("2023-11-10T05:56:11.000000Z"),
            ),
        ] {
            let mut clock = Clock::new(style);
            let told = [a, b, a].map(|time| clock.stamp(time));
            assert_eq!(told, [Some(first), Some(second), back].map(|words| words.map(str::to_owned)));
        }
    }

    #[test]
    fn times_count_from_the_start_of_the_input() {
        let mut clock = Clock::new(TimeStyle::Relative);
        clock.begin(Some(Time(2_000_000)));
        clock.begin(Some(Time(9_000_000)));
        assert_eq!(clock.stamp(Time(5_000_000)).as_deref(), Some("0.003000 s"));
        assert_eq!(clock.tick(Time(4_000_000)), (2_000_000, None));
        assert_eq!(clock.tick(Time(6_000_000)), (4_000_000, Some(1_000_000)));
    }
}
