//! What is around a packet or a time.

use std::ops::RangeInclusive;

use crate::model::time::{date, nanoseconds, of_day};
use crate::model::{Time, Unit};

/// Packets on either side of the one that is named, unless something else is said.
const PACKETS: u64 = 20;

/// Nanoseconds on either side of a time, unless something else is said.
const NANOS: u64 = 2_000_000_000;

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

/// A part of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// What these packets carried.
    Packets(RangeInclusive<u64>),
    /// What came so many nanoseconds before or after a time.
    Around(When, u64),
    /// What came between two times.
    Between(Time, Time),
}

/// A time, as somebody names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nanoseconds since the first packet.
    Since(u64),
    /// Nanoseconds of the day, UTC: the first time after the beginning that it is so late.
    OfDay(u64),
    /// A date and its time.
    At(Time),
}

/// What `--around` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A packet, and how much around it.
    Packet(u64, Span),
    /// A time, and how much around it.
    Time(When, u64),
}

/// How much on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// So many packets.
    Packets(u64),
    /// So many nanoseconds.
    Nanos(u64),
}

/// Reads `1234`, `12.5s`, `14:03:22Z` or `2023-11-10T05:56:11Z`, each with how much around it behind a comma:
/// `1234,50`, `1234,3s`, `12.5s,500ms`.
///
/// # Errors
/// A sentence that says what is understood.
pub fn parse_place(text: &str) -> Result<Place, String> {
    let unknown = || {
        "around is the number of a packet, or a time such as 12.5s, 14:03:22Z or 2023-11-10T05:56:11Z; \
         behind a comma how much on either side: 1234,50 or 12.5s,500ms"
            .to_owned()
    };
    let (place, span) = match text.split_once(',') {
        Some((place, span)) => (place.trim(), Some(span.trim())),
        None => (text.trim(), None),
    };
    let span = match span {
        None => None,
        Some(span) => match (span.parse(), duration(span)) {
            (Ok(packets), _) => Some(Span::Packets(packets)),
            (_, Some(nanos)) => Some(Span::Nanos(nanos)),
            _ => return Err(unknown()),
        },
    };
    if let Ok(number) = place.parse::<u64>() {
        return match number {
            0 => Err("packets are numbered from 1".to_owned()),
            number => Ok(Place::Packet(number, span.unwrap_or(Span::Packets(PACKETS)))),
        };
    }
    let when = when(place).ok_or_else(unknown)?;
    match span {
        None => Ok(Place::Time(when, NANOS)),
        Some(Span::Nanos(nanos)) => Ok(Place::Time(when, nanos)),
        Some(Span::Packets(_)) => Err("around a time goes a time on either side, such as 5s".to_owned()),
    }
}

fn when(text: &str) -> Option<When> {
    if let Some(nanos) = duration(text) {
        return Some(When::Since(nanos));
    }
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    match text.split_once(['T', 't', ' ']) {
        Some((day, time)) => Some(When::At(Time(date(day)?.checked_mul(DAY)?.checked_add(of_day(time)?)?))),
        None => of_day(text).map(When::OfDay),
    }
}

/// `12.5s`, `500ms` or `3min` in nanoseconds.
fn duration(text: &str) -> Option<u64> {
    let (number, unit) = [("ms", SECOND / 1000), ("min", 60 * SECOND), ("s", SECOND)]
        .into_iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let billionths = nanoseconds(number.trim())?;
    u64::try_from(u128::from(billionths) * u128::from(unit) / u128::from(SECOND)).ok()
}

impl Window {
    /// The same with times that can be compared, now that it is known when the input begins.
    #[must_use]
    pub fn from(self, start: Option<Time>) -> Self {
        let Self::Around(when, span) = self else { return self };
        let start = start.unwrap_or_default().0;
        let at = match when {
            When::At(time) => time.0,
            When::Since(nanos) => start.saturating_add(nanos),
            When::OfDay(nanos) => {
                let today = start / DAY * DAY + nanos;
                if today.saturating_add(span) < start { today + DAY } else { today }
            }
        };
        Self::Between(Time(at.saturating_sub(span)), Time(at.saturating_add(span)))
    }

    /// Whether a unit is in it, as far as it can be told.
    pub fn has(&self, unit: &Unit<'_>) -> bool {
        match self {
            Self::Packets(range) => {
                unit.packets.is_some_and(|(first, last)| first <= *range.end() && last >= *range.start())
            }
            Self::Between(from, to) => unit.time.is_some_and(|time| (*from..=*to).contains(&time)),
            Self::Around(..) => false,
        }
    }

    /// Whether a packet is in it.
    pub fn has_packet(&self, number: u64, time: Time) -> bool {
        match self {
            Self::Packets(range) => range.contains(&number),
            Self::Between(from, to) => (*from..=*to).contains(&time),
            Self::Around(..) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_in_several_ways() {
        let at = 1_699_595_771 * SECOND;
        for (text, expected) in [
            ("1234", Place::Packet(1234, Span::Packets(20))),
            ("1234,50", Place::Packet(1234, Span::Packets(50))),
            ("7, 3s", Place::Packet(7, Span::Nanos(3 * SECOND))),
            ("12.5s", Place::Time(When::Since(12_500_000_000), NANOS)),
            ("0.25s,500ms", Place::Time(When::Since(250_000_000), SECOND / 2)),
            ("2min", Place::Time(When::Since(120 * SECOND), NANOS)),
            ("14:03:22Z", Place::Time(When::OfDay(50_602 * SECOND), NANOS)),
            ("00:00:01.5", Place::Time(When::OfDay(1_500_000_000), NANOS)),
            ("2023-11-10T05:56:11Z", Place::Time(When::At(Time(at)), NANOS)),
            ("2023-11-10 05:56:11,1s", Place::Time(When::At(Time(at)), SECOND)),
        ] {
            assert_eq!(parse_place(text), Ok(expected), "{text}");
        }
        for wrong in ["", "0", "12.5", "noon", "25:00:00", "12.5s,20", "-1", "5s,", "2023-13-01T00:00:00Z"] {
            assert!(parse_place(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_of_day_is_the_first_after_the_beginning() {
        let midnight = 19_671 * DAY;
        let late = Some(Time(midnight + DAY - 60 * SECOND));
        let window = |nanos| Window::Around(When::OfDay(nanos), SECOND).from(late);
        let between = |at: u64| Window::Between(Time(at - SECOND), Time(at + SECOND));
        assert_eq!(window(DAY - 30 * SECOND), between(midnight + DAY - 30 * SECOND));
        assert_eq!(window(30 * SECOND), between(midnight + DAY + 30 * SECOND), "past midnight");
        let since = Window::Around(When::Since(5 * SECOND), SECOND).from(Some(Time(midnight)));
        assert_eq!(since, between(midnight + 5 * SECOND));
    }
}
