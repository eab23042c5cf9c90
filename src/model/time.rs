//! Capture time.

use std::fmt;

/// Nanoseconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// Nanoseconds from `earlier` to `self`, negative when packets are out of order.
    #[inline]
    pub fn since(self, earlier: Self) -> i64 {
        match self.0.checked_sub(earlier.0) {
            Some(later) => i64::try_from(later).unwrap_or(i64::MAX),
            None => i64::try_from(earlier.0 - self.0).map_or(i64::MIN, |before| -before),
        }
    }

    /// Since 1970 a `number` of times so many nanoseconds, as programs write it with a point: exact to the
    /// microsecond, for which such a number has digits left. `None` before 1970, and from 2554 on.
    pub fn of(number: f64, nanoseconds: u64) -> Option<Self> {
        if !number.is_finite() || number < 0.0 {
            return None;
        }
        // What is behind the point is kept apart from what is before it: together they are more than a
        // number has room for.
        let whole = (number.trunc() as u64).checked_mul(nanoseconds)?;
        let part = (number.fract() * nanoseconds as f64 / 1e3).round() * 1e3;
        whole.checked_add(part as u64).map(Self)
    }

    /// ISO 8601 in UTC, with microseconds: `2023-11-10T05:56:11.123456Z`.
    pub fn utc(self) -> String {
        let (secs, nanos) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let (days, rest) = (secs / 86_400, secs % 86_400);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (rest / 3600, rest % 3600 / 60, rest % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", nanos / 1000)
    }
}

/// A time or none, in half the room of an `Option`: the latest time there can be stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sometime(Time);

impl Sometime {
    /// No time.
    pub const NEVER: Self = Self(Time(u64::MAX));

    /// The time, if there is one.
    #[inline]
    pub fn time(self) -> Option<Time> {
        (self != Self::NEVER).then_some(self.0)
    }
}

impl Default for Sometime {
    fn default() -> Self {
        Self::NEVER
    }
}

impl From<Option<Time>> for Sometime {
    #[inline]
    fn from(time: Option<Time>) -> Self {
        time.map_or(Self::NEVER, Self)
    }
}

/// Seconds as a decimal with all nine places, so that nothing is lost on the way to JSON.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

/// `12:00:01.5` in nanoseconds.
pub fn of_day(word: &str) -> Option<u64> {
    let mut parts = word.split(':');
    let (hours, minutes) = (parts.next()?.parse::<u64>().ok()?, parts.next()?.parse::<u64>().ok()?);
    let seconds = nanoseconds(parts.next()?)?;
    if hours >= 24 || minutes >= 60 || parts.next().is_some() {
        return None;
    }
    ((hours * 60 + minutes) * 60_000_000_000).checked_add(seconds)
}

/// `1.5` in billionths.
pub fn nanoseconds(word: &str) -> Option<u64> {
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let fraction = format!("{:0<9}", fraction.get(..fraction.len().min(9))?);
    whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(fraction.parse().ok()?)
}

/// `2024-01-31` in days since 1970.
pub fn date(word: &str) -> Option<u64> {
    let mut parts = word.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=2105).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March end with the leap day.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days.checked_sub(719_468)
}

/// Year, month and day of a number of days since 1970-01-01 (H. Hinnant's
/// `civil_from_days`, restricted to dates after 1970).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_exactly_and_in_utc() {
        let t = Time(1_699_595_771_123_456_789);
        assert_eq!(t.to_string(), "1699595771.123456789");
        assert_eq!(t.utc(), "2023-11-10T05:56:11.123456Z");
        assert_eq!(Time(0).utc(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Time(951_782_400_000_000_000).utc(), "2000-02-29T00:00:00.000000Z");
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        assert_eq!(of_day("12:00:01.5"), Some(43_201_500_000_000));
        for word in ["24:00:00", "12:60:00", "12:00", "12:00:00:00", "23:59:18446744073.7"] {
            assert_eq!(of_day(word), None, "{word}");
        }
        assert_eq!(Time::of(1.000_001, 1_000_000_000), Some(Time(1_000_001_000)));
        assert_eq!(Time::of(1_699_595_771.123_456, 1_000_000_000), Some(Time(1_699_595_771_123_456_000)));
        assert_eq!(Time::of(1_699_595_771_123.5, 1_000_000), Some(Time(1_699_595_771_123_500_000)));
        for number in [-0.5, 1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(Time::of(number, 1_000_000_000), None, "{number}");
        }
    }

    #[test]
    fn differences_can_be_negative() {
        assert_eq!(Time(5).since(Time(8)), -3);
    }
}
