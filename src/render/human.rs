//! Quantities as people read them: grouped digits, binary sizes, short times.

use super::words::{Noun, grouped};
use crate::lang::Lang;

/// A count with its digits in groups of three; above a billion shortened, so that it is at most 11 columns
/// wide.
pub(crate) fn count(value: u64) -> String {
    if value >= 1_000_000_000 {
        return short(value);
    }
    grouped(value)
}

/// A count and what it counts, in the right number.
pub(crate) fn counted(lang: Lang, value: u64, noun: Noun) -> String {
    lang.count(value, &count(value), noun)
}

/// A count in at most 7 columns.
pub(crate) fn short(value: u64) -> String {
    if value < 100_000 {
        count(value)
    } else {
        scaled(value, 1000, &["", " k", " M", " G", " T", " P", " E"])
    }
}

/// A number of bytes in at most 10 columns: exact below 10,000, in binary units above.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 10_000 {
        format!("{} B", count(bytes))
    } else {
        scaled(bytes, 1024, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"])
    }
}

fn scaled(value: u64, step: u64, units: &[&str]) -> String {
    let (mut unit, mut scale) = (0, 1);
    while unit + 1 < units.len() && value / scale >= step {
        scale *= step;
        unit += 1;
    }
    // In tenths, rounded down: nothing is shown as more than it is.
    let tenths = u128::from(value) * 10 / u128::from(scale);
    format!("{}.{}{}", tenths / 10, tenths % 10, units[unit])
}

/// A duration in at most 8 columns, with about three digits.
pub(crate) fn time(nanos: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1, "ns"), (1_000, "us"), (1_000_000, "ms"), (1_000_000_000, "s")];
    let seconds = nanos / 1_000_000_000;
    match seconds {
        0..600 => {
            let (scale, unit) = UNITS.into_iter().rfind(|(scale, _)| nanos >= *scale).unwrap_or(UNITS[0]);
            let (whole, rest) = (nanos / scale, nanos % scale * 100 / scale);
            match whole {
                _ if scale == 1 => format!("{whole} {unit}"),
                0..10 => format!("{whole}.{rest:02} {unit}"),
                10..100 => format!("{whole}.{} {unit}", rest / 10),
                _ => format!("{whole} {unit}"),
            }
        }
        600..36_000 => format!("{} min", seconds / 60),
        36_000..864_000 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A share in percent with one place, empty when there is no whole.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_and_bounded() {
        for (value, text, few) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1000, "1,000", "1,000"),
            (99_999, "99,999", "99,999"),
            (123_456, "123,456", "123.4 k"),
            (999_999_999, "999,999,999", "999.9 M"),
            (1_000_000_000, "1.0 G", "1.0 G"),
            (u64::MAX, "18.4 E", "18.4 E"),
        ] {
            assert_eq!((count(value).as_str(), short(value).as_str()), (text, few));
        }
        let frames = |value| counted(Lang::En, value, super::super::words::FRAMES);
        assert_eq!((frames(1), frames(0)), ("1 frame".into(), "0 frames".into()));
    }

    #[test]
    fn sizes_are_exact_while_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (9_999, "9,999 B"),
            (10_000, "9.7 KiB"),
            (1024 * 1024 - 1, "1023.9 KiB"),
            (1024 * 1024, "1.0 MiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn times_have_three_digits() {
        for (nanos, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_500, "1.50 us"),
            (25_043_210, "25.0 ms"),
            (999_999_999, "999 ms"),
            (4_210_000_000, "4.21 s"),
            (599_000_000_000, "599 s"),
            (600_000_000_000, "10 min"),
            (86_400_000_000_000, "24 h"),
            (u64::MAX, "213503 d"),
        ] {
            assert_eq!(time(nanos), text);
        }
    }

    #[test]
    fn shares_are_rounded() {
        assert_eq!(
            (percent(1, 3), percent(2, 3), percent(7, 7), percent(0, 0)),
            ("33.3 %".into(), "66.7 %".into(), "100.0 %".into(), String::new())
        );
    }
}
