//! Times as they are written on the command line.

/// What a time can be written as.
const WANTED: &str = "a number, or one with a unit such as 50ms, 2s, 5min";

/// A time in milliseconds unless it says otherwise; in seconds.
pub fn milliseconds(text: &str) -> Result<f64, &'static str> {
    duration(text, 0.001)
}

/// A time in seconds unless it says otherwise; in seconds.
pub fn seconds(text: &str) -> Result<f64, &'static str> {
    duration(text, 1.0)
}

/// A number in the unit of the option, or with one of its own; in seconds.
pub fn duration(text: &str, unit: f64) -> Result<f64, &'static str> {
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, named) = text.split_at(at);
    let scale = match named {
        "" => unit,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" | "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(WANTED),
    };
    match number.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number * scale),
        _ => Err(WANTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_a_unit() {
        for (text, unit, value) in [
            ("50", 0.001, Some(0.05)),
            ("50ms", 1.0, Some(0.05)),
            ("2min", 0.001, Some(120.0)),
            ("-1", 1.0, Some(-1.0)),
            ("1e999", 1.0, None),
            ("5 apples", 1.0, None),
            ("nan", 1.0, None),
        ] {
            let parsed = duration(text, unit).ok();
            let same = match (parsed, value) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-12,
                (a, b) => a.is_none() && b.is_none(),
            };
            assert!(same, "{text}: {parsed:?}");
        }
    }
}
