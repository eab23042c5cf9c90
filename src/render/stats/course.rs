//! How much was said when, over the whole of a capture, in little room.

use crate::model::Time;

/// Buckets that time is divided into.
pub(super) const BUCKETS: usize = 64;

/// Messages and their bytes by time. Buckets are as wide as they have to be: when time goes on behind the
/// last one, each takes its neighbour in.
#[derive(Clone, Debug)]
pub(super) struct Course {
    start: Option<Time>,
    /// A bucket is so many nanoseconds wide, as a power of two.
    shift: u32,
    pub messages: [u64; BUCKETS],
    pub bytes: [u64; BUCKETS],
}

impl Default for Course {
    fn default() -> Self {
        // A thousandth of a millisecond: whatever is shorter is not looked at over time.
        Self { start: None, shift: 10, messages: [0; BUCKETS], bytes: [0; BUCKETS] }
    }
}

impl Course {
    /// A message of so many bytes came at this time.
    #[inline]
    pub fn take(&mut self, time: Option<Time>, bytes: u64) {
        let Some(time) = time else { return };
        let start = *self.start.get_or_insert(time);
        // What is captured out of order counts at the beginning.
        let since = time.0.saturating_sub(start.0);
        self.add(since, bytes);
    }

    /// So long since the start.
    #[inline]
    fn add(&mut self, since: u64, bytes: u64) {
        let bucket = (since >> self.shift) as usize;
        let (Some(messages), Some(sum)) = (self.messages.get_mut(bucket), self.bytes.get_mut(bucket)) else {
            return self.add_behind(since, bytes);
        };
        *messages += 1;
        *sum = sum.saturating_add(bytes);
    }

    /// The same where that is behind the last bucket.
    #[cold]
    fn add_behind(&mut self, since: u64, bytes: u64) {
        self.widen(since);
        self.add(since, bytes);
    }

    /// Makes buckets as wide as they have to be.
    fn widen(&mut self, since: u64) {
        while since >> self.shift >= BUCKETS as u64 {
            self.shift += 1;
            for buckets in [&mut self.messages, &mut self.bytes] {
                for at in 0..BUCKETS {
                    let both = |at: usize| buckets.get(at).copied().unwrap_or_default();
                    buckets[at] = both(2 * at).saturating_add(both(2 * at + 1));
                }
            }
        }
    }

    /// Nanoseconds that a bucket is wide.
    pub fn width(&self) -> u64 {
        1 << self.shift
    }

    /// How many buckets there are up to the last one in which something was said.
    pub fn used(&self) -> usize {
        self.messages.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1)
    }
}

/// Numbers as bars of one character each, the greatest as the highest.
pub(super) fn sparkline(numbers: &[u64], ascii: bool) -> String {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const MARKS: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '%', '#'];
    let highest = numbers.iter().copied().max().unwrap_or_default().max(1);
    let marks = if ascii { MARKS } else { BARS };
    // What there is of at all is seen.
    let height = |number: u64| (u128::from(number) * 8).div_ceil(u128::from(highest)) as usize;
    numbers.iter().map(|number| marks[height(*number).min(8)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_widen_and_lose_nothing() {
        let mut course = Course::default();
        for second in 0..1000u64 {
            course.take(Some(Time(1_000_000_000 * second)), 10);
        }
        assert_eq!(course.messages.iter().sum::<u64>(), 1000);
        assert_eq!(course.bytes.iter().sum::<u64>(), 10_000);
        assert!(course.used() > BUCKETS / 2 && course.used() <= BUCKETS);
        assert!(course.width() * course.used() as u64 >= 999_000_000_000);
    }

    #[test]
    fn bars_are_as_high_as_the_numbers() {
        assert_eq!(sparkline(&[0, 1, 4, 8], false), " ▁▄█");
        assert_eq!(sparkline(&[0, 1, 4, 8], true), " .=#");
        assert_eq!(sparkline(&[0, 0], false), "  ");
    }
}
