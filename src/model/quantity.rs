//! Numbers, sizes and times as people read them, the same in every language.
//!
//! One way of writing a quantity is not enough: a column of a table has a width, a sentence has not; what is
//! counted is exact, what is a mean has as many digits as it deserves.

/// A number's digits, for those who write many of them.
#[derive(Clone, Copy, Debug)]
pub struct Digits {
    /// At the end, where the longest begin at the front.
    text: [u8; LONGEST],
    start: usize,
    /// The number itself, if it is one of [`SMALL`].
    small: Option<u16>,
}

/// Bytes of the longest number, grouped.
const LONGEST: usize = 26;

/// The numbers up to 999, three digits each.
const SMALL: &str = {
    const DIGITS: [u8; 3000] = {
        let (mut digits, mut number) = ([b'0'; 3000], 0);
        while number < 1000 {
            digits[3 * number] += (number / 100) as u8;
            digits[3 * number + 1] += (number / 10 % 10) as u8;
            digits[3 * number + 2] += (number % 10) as u8;
            number += 1;
        }
        digits
    };
    match str::from_utf8(&DIGITS) {
        Ok(digits) => digits,
        Err(_) => "",
    }
};

impl Digits {
    /// In decimal.
    pub fn of(number: u64) -> Self {
        Self::made(number, usize::MAX)
    }

    /// The same in groups of three: `1,234,567`.
    pub fn grouped(number: u64) -> Self {
        Self::made(number, 3)
    }

    /// In hexadecimal: `0x1f`.
    pub fn hexadecimal(mut number: u64) -> Self {
        let (mut text, mut start) = ([b'x'; LONGEST], LONGEST);
        loop {
            start -= 1;
            text[start] = b"0123456789abcdef"[(number & 0xF) as usize];
            number >>= 4;
            if number == 0 {
                text[start - 2] = b'0';
                return Self { text, start: start - 2, small: None };
            }
        }
    }

    /// So many zeros, at most as many as a number has digits.
    pub fn zeros(many: u8) -> Self {
        Self { text: [b'0'; LONGEST], start: LONGEST - usize::from(many).min(LONGEST), small: None }
    }

    #[inline]
    fn made(number: u64, group: usize) -> Self {
        if number < 1000 {
            return Self { text: [0; LONGEST], start: LONGEST, small: Some(number as u16) };
        }
        Self::large(number, group)
    }

    fn large(mut number: u64, group: usize) -> Self {
        let (mut text, mut start, mut left) = ([b','; LONGEST], LONGEST, group);
        loop {
            start -= 1;
            text[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return Self { text, start, small: None };
            }
            left -= 1;
            if left == 0 {
                (start, left) = (start - 1, group);
            }
        }
    }

    /// What to write.
    #[inline]
    pub fn as_str(&self) -> &str {
        if let Some(number) = self.small {
            let (end, leading) =
                (3 * usize::from(number) + 3, usize::from(number < 10) + usize::from(number < 100));
            return &SMALL[end - 3 + leading..end];
        }
        // Digits and commas.
        str::from_utf8(&self.text[self.start..]).unwrap_or_default()
    }
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    Digits::grouped(number).as_str().to_owned()
}

/// A count with its digits in groups of three; above a billion shortened, so that it is at most 11 columns
/// wide.
pub fn count(value: u64) -> String {
    if value >= 1_000_000_000 {
        return short(value);
    }
    grouped(value)
}

/// A count in at most 7 columns.
pub fn short(value: u64) -> String {
    if value < 100_000 {
        count(value)
    } else {
        scaled(value, 1000, &["", " k", " M", " G", " T", " P", " E"])
    }
}

/// A number of bytes in at most 10 columns: exact below 10,000, in binary units above.
pub fn size(bytes: u64) -> String {
    if bytes < 10_000 {
        with_unit(count(bytes), " B")
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
pub fn time(nanos: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1, "ns"), (1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s")];
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
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// A number in at most `columns` (at least 5), by thousands when it needs more: `65.5k`, `4.2G`.
pub fn compact(number: u64, columns: usize) -> String {
    let digits = number.to_string();
    if digits.len() <= columns {
        return digits;
    }
    let thousands = (digits.len() - 1) / 3;
    let unit = 1000u64.pow(thousands as u32);
    format!("{}.{}{}", number / unit, number % unit / (unit / 10), b" kMGTPE"[thousands] as char)
}

/// Nanoseconds as seconds with six places.
pub fn seconds(nanos: i64) -> String {
    let mut out = String::with_capacity(LONGEST);
    seconds_in(nanos, &mut out);
    out
}

/// The same at the end of `out`.
pub fn seconds_in(nanos: i64, out: &mut String) {
    let micros = nanos.unsigned_abs() / 1000;
    if nanos <= -1000 {
        out.push('-');
    }
    out.push_str(Digits::of(micros / 1_000_000).as_str());
    out.push('.');
    // One more digit than there are places, to keep the zeros.
    out.push_str(&Digits::of(1_000_000 + micros % 1_000_000).as_str()[1..]);
}

/// Nanoseconds of a time that somebody waited in vain, in a sentence.
pub fn wait(nanos: i64) -> String {
    match nanos.max(0) {
        nanos @ 0..1_000_000 => format!("{} µs", nanos / 1000),
        nanos @ 1_000_000..1_000_000_000 => format!("{} ms", nanos / 1_000_000),
        nanos => format!("{}.{} s", nanos / 1_000_000_000, nanos % 1_000_000_000 / 100_000_000),
    }
}

/// Nanoseconds as seconds with three places, in a sentence.
pub fn moment(nanos: i64) -> String {
    format!("{:.3} s", nanos as f64 / 1e9)
}

/// A number that is no count with about three digits, in a sentence, grouped: `1,234`, `12.3`, `0.55`.
pub fn rounded(value: f64) -> String {
    if value >= 99.95 {
        grouped(value.round() as u64)
    } else if value >= 9.995 {
        trimmed(value, 1)
    } else {
        trimmed(value, 2)
    }
}

fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Seconds as ms, s, min or h, in a sentence.
pub fn lasting(seconds: f64) -> String {
    if seconds < 1.0 {
        with_unit(rounded(seconds * 1000.0), " ms")
    } else if seconds < 600.0 {
        with_unit(rounded(seconds), " s")
    } else if seconds < 3600.0 {
        with_unit(rounded(seconds / 60.0), " min")
    } else {
        with_unit(rounded(seconds / 3600.0), " h")
    }
}

fn with_unit(mut number: String, unit: &str) -> String {
    number.push_str(unit);
    number
}

/// Nanoseconds of something that lasted, in a sentence.
pub fn span(nanos: i64) -> String {
    let nanos = nanos.max(0).unsigned_abs();
    plain_span(nanos).unwrap_or_else(|| lasting(nanos as f64 / 1e9))
}

/// The same in whole numbers, where no rounding is between two: each connection says how long it lived.
fn plain_span(nanos: u64) -> Option<String> {
    let (scale, unit) = match nanos {
        0..1_000_000_000 => (1_000_000, " ms"),
        1_000_000_000..600_000_000_000 => (1_000_000_000, " s"),
        _ => return None,
    };
    // From where on there is one decimal less, as in `rounded`.
    let (one, none) = (scale / 1000 * 9_995, scale / 100 * 9_995);
    if nanos == one || nanos == none {
        return None;
    }
    let parts = if nanos > none { 1 } else { 10 * if nanos > one { 1 } else { 10 } };
    let step = scale / parts;
    if 2 * (nanos % step) == step {
        return None;
    }
    let value = (nanos + step / 2) / step;
    let mut text = grouped(value / parts);
    let rest = value % parts;
    if rest > 0 {
        text.push('.');
        let tens = if parts == 100 { rest / 10 } else { rest };
        text.push(char::from(b'0' + tens as u8));
        if parts == 100 && !rest.is_multiple_of(10) {
            text.push(char::from(b'0' + (rest % 10) as u8));
        }
    }
    Some(with_unit(text, unit))
}

/// A part of 1 in percent, in a sentence.
pub fn share(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// A mean, with decimals while they say something.
pub fn mean(value: f64) -> String {
    match value {
        _ if value >= 1e6 => short(value.round() as u64),
        _ if value >= 99.95 || (value - value.round()).abs() < 1e-9 => grouped(value.round() as u64),
        _ if value >= 9.995 => format!("{value:.1}"),
        _ if value >= 0.0995 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// So many times as much.
pub fn ratio(value: f64) -> String {
    match value {
        _ if value >= 999.95 => format!("{}x", grouped(value.round() as u64)),
        _ if value >= 9.995 => format!("{value:.1}x"),
        _ => format!("{value:.2}x"),
    }
}

/// Seconds with four digits or so, in a table.
pub fn lasted(value: f64) -> String {
    match value {
        _ if value >= 600.0 => time((value * 1e9).round() as u64),
        _ if value >= 100.0 => format!("{value:.1} s"),
        _ if value >= 0.999_95 => format!("{value:.2} s"),
        _ if value >= 0.099_995 => format!("{:.1} ms", value * 1e3),
        _ => format!("{:.2} ms", value * 1e3),
    }
}

/// A part of 1, or how far something is off, in a table.
pub fn part(value: f64) -> String {
    let percent = value * 100.0;
    match percent.abs() {
        size if size <= 1e-4 => "0.0 %".to_owned(),
        // How small, and on which side, matters to nobody.
        size if size < 0.05 => "<0.1 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_written_as_wanted() {
        for number in (0..=1000).chain([65_536, u64::MAX]) {
            assert_eq!(Digits::of(number).as_str(), number.to_string());
            assert_eq!(Digits::hexadecimal(number).as_str(), format!("{number:#x}"));
            assert_eq!(Digits::grouped(number).as_str().replace(',', ""), number.to_string());
        }
        assert_eq!(Digits::zeros(3).as_str(), "000");
    }

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
            (1_500, "1.50 µs"),
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
    fn spans_are_rounded_as_their_seconds_are() {
        let around = |nanos: u64| nanos.saturating_sub(2)..nanos + 3;
        let ends = [1, 5, 10, 95, 995, 9_995, 99_950, 100_000].into_iter();
        let all = ends.flat_map(|end| (0..10).map(move |power| end * 10_u64.pow(power))).flat_map(around);
        let spread = (0..200_000).map(|i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (24 + i % 40));
        for nanos in all.chain(spread) {
            assert_eq!(span(nanos.cast_signed()), lasting(nanos as f64 / 1e9), "{nanos}");
        }
        assert_eq!(
            (span(-1), span(9_994_999), span(1_250_000_001)),
            ("0 ms".into(), "9.99 ms".into(), "1.25 s".into())
        );
    }

    #[test]
    fn shares_are_rounded() {
        assert_eq!(
            (percent(1, 3), percent(2, 3), percent(7, 7), percent(0, 0)),
            ("33.3 %".into(), "66.7 %".into(), "100.0 %".into(), String::new())
        );
    }

    #[test]
    fn long_numbers_are_shortened_to_fit() {
        for (number, expected) in [
            (0, "0"),
            (999_999, "999999"),
            (1_000_000, "1.0M"),
            (123_456_789, "123.4M"),
            (4_294_967_301, "4.2G"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(compact(number, 6), expected);
        }
    }

    #[test]
    fn numbers_have_about_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.5534, "0.55"),
            (1.0, "1"),
            (9.996, "10"),
            (54.98, "55"),
            (12.34, "12.3"),
            (1234.5, "1,235"),
        ] {
            assert_eq!(rounded(value), text, "{value}");
        }
    }

    #[test]
    fn times_change_their_unit() {
        assert_eq!(
            (lasting(0.05498), lasting(1.05), lasting(3600.0)),
            ("55 ms".into(), "1.05 s".into(), "1 h".into())
        );
        assert_eq!((share(0.368), share(0.001), share(0.0)), ("37 %".into(), "0.1 %".into(), "0 %".into()));
    }

    #[test]
    fn tables_have_more_digits() {
        for (shown, text) in [
            (mean(0.632), "0.63"),
            (mean(12_345.4), "12,345"),
            (ratio(8.551), "8.55x"),
            (ratio(435.5), "435.5x"),
            (ratio(4355.0), "4,355x"),
            (part(0.3679), "36.8 %"),
            (part(-0.0213), "-2.1 %"),
            (part(-0.0003), "<0.1 %"),
            (part(-0.0), "0.0 %"),
            (lasted(0.05498), "54.98 ms"),
            (lasted(0.55), "550.0 ms"),
            (lasted(1.05), "1.05 s"),
            (seconds(1_204_999), "0.001204"),
            (seconds(-1_204_999), "-0.001204"),
            (moment(1_234_567_890), "1.235 s"),
            (wait(999_999), "999 µs"),
            (wait(31_000_000), "31 ms"),
            (wait(2_560_000_000), "2.5 s"),
        ] {
            assert_eq!(shown, text);
        }
    }
}
