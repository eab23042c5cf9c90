//! Numbers in sentences.

/// With about three digits, grouped: `1,234`, `12.3`, `0.55`.
pub fn number(value: f64) -> String {
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

/// In groups of three.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration in ms, s, or min.
pub fn time(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{} ms", number(seconds * 1000.0))
    } else if seconds < 600.0 {
        format!("{} s", number(seconds))
    } else if seconds < 3600.0 {
        format!("{} min", number(seconds / 60.0))
    } else {
        format!("{} h", number(seconds / 3600.0))
    }
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// `1 client`, `2 clients`.
pub fn counted(value: u64, singular: &str) -> String {
    format!("{} {singular}{}", grouped(value), if value == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn times_change_their_unit() {
        assert_eq!(
            (time(0.05498), time(1.05), time(3600.0)),
            ("55 ms".into(), "1.05 s".into(), "1 h".into())
        );
        assert_eq!(
            (percent(0.368), percent(0.001), percent(0.0)),
            ("37 %".into(), "0.1 %".into(), "0 %".into())
        );
    }
}
