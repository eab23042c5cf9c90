//! Values as programs write them: numbers as text, text as numbers, and nothing for either.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::{Time, time};

/// A number or a text; anything else is nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Scalar {
    /// `null`, an object or an array.
    #[default]
    Nothing,
    /// A whole number.
    Whole(i64),
    /// Another number.
    Number(f64),
    /// A text.
    Text(String),
}

impl Scalar {
    /// As text.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Whole(number) => Some(number.to_string()),
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text),
        }
    }

    /// As a number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Nothing => None,
            Self::Whole(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
        }
        .filter(|number| number.is_finite())
    }

    /// As a moment: seconds since 1970, or what can only be milli-, micro- or nanoseconds, or a date.
    pub fn moment(&self) -> Option<Time> {
        if let Self::Text(text) = self
            && let Some(time) = date(text)
        {
            return Some(time);
        }
        // In seconds 1e11 is the year 5138, in milliseconds 1973; in nanoseconds 1e19 is 2286, and what is
        // more is no moment.
        let number = self.number().filter(|number| *number > 0.0 && *number < 1e19)?;
        let scale = match number {
            ..1e11 => 1_000_000_000,
            ..1e14 => 1_000_000,
            ..1e17 => 1_000,
            _ => 1,
        };
        Time::of(number, scale)
    }
}

/// `2024-01-31T12:00:00.000+01:00` (RFC 3339).
fn date(text: &str) -> Option<Time> {
    let text = text.trim();
    let (day, rest) = (text.get(..10)?, text.get(11..)?);
    if !matches!(text.as_bytes()[10], b'T' | b't' | b' ') {
        return None;
    }
    let zone = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone);
    let day = time::date(day)?.checked_mul(86_400_000_000_000)?;
    let moment = i64::try_from(day.checked_add(time::of_day(clock)?)?).ok()?;
    let moment = moment.checked_sub(offset(zone)?)?;
    u64::try_from(moment).ok().map(Time)
}

/// `+01:00` in nanoseconds.
fn offset(zone: &str) -> Option<i64> {
    let (sign, zone) = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => (1, &zone[1..]),
        [b'-', ..] => (-1, &zone[1..]),
        _ => return None,
    };
    let digits: String = zone.chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    let minutes = if minutes.is_empty() { 0 } else { minutes.parse::<i64>().ok()? };
    Some(sign * (hours.parse::<i64>().ok()? * 60 + minutes) * 60_000_000_000)
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Scalars)
    }
}

struct Scalars;

impl<'de> Visitor<'de> for Scalars {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, it: bool) -> Result<Scalar, E> {
        Ok(Scalar::Whole(it.into()))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(it))
    }

    fn visit_u64<E>(self, it: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(it).map_or(Scalar::Number(it as f64), Scalar::Whole))
    }

    fn visit_f64<E>(self, it: f64) -> Result<Scalar, E> {
        Ok(Scalar::Number(it))
    }

    fn visit_str<E>(self, it: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(it.to_owned()))
    }

    fn visit_string<E>(self, it: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(it))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Scalar, A::Error> {
        while all.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Scalar, A::Error> {
        while all.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_as_programs_write_them() {
        let half = Some(Time(1_700_000_000_500_000_000));
        for scalar in [
            Scalar::Number(1_700_000_000.5),
            Scalar::Text("1700000000.5".into()),
            Scalar::Whole(1_700_000_000_500),
            Scalar::Whole(1_700_000_000_500_000),
            Scalar::Text("2023-11-14T22:13:20.500Z".into()),
            Scalar::Text("2023-11-14T23:13:20.5+01:00".into()),
            Scalar::Text("2023-11-14T16:43:20.500-0530".into()),
            Scalar::Text("2023-11-14 22:13:20.500000".into()),
        ] {
            assert_eq!(scalar.moment(), half, "{scalar:?}");
        }
        let texts = ["soon", "2023-11-14T22:13:20+01999999999999999", "2023-11-14T22:13:20+0-1"];
        let texts = texts.map(|text| Scalar::Text(text.into()));
        for scalar in [Scalar::Nothing, Scalar::Whole(0), Scalar::Number(-1.0)].into_iter().chain(texts) {
            assert_eq!(scalar.moment(), None, "{scalar:?}");
        }
    }
}
