//! Values of options that commands which connect have in common.

use std::time::Duration;

/// A number of seconds, and no pause of nothing.
///
/// # Errors
/// What is understood.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text).parse::<f64>();
    match number {
        Ok(number) if (0.001..=86_400.0).contains(&number) => Ok(Duration::from_secs_f64(number)),
        _ => Err("a number of seconds, such as 10 or 0.5".to_owned()),
    }
}

/// A header field, as `NAME: VALUE`.
///
/// # Errors
/// How it is written.
pub fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header field is written NAME: VALUE")?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) || text.contains(['\r', '\n', '\0']) {
        return Err("a header field is written NAME: VALUE, on one line".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// What stands in a header field.
///
/// # Errors
/// That it is more than a line.
#[cfg(feature = "lab")]
pub fn field_value(text: &str) -> Result<String, String> {
    if text.contains(['\r', '\n', '\0']) {
        return Err("what stands in a header field is one line".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_cannot_smuggle_lines() {
        assert_eq!(header("X-A:  b "), Ok(("X-A".to_owned(), "b".to_owned())));
        assert_eq!(header("Origin:"), Ok(("Origin".to_owned(), String::new())));
        for bad in ["X-A", ": b", "X A: b", "X-A: b\r\nC: d", "X\n: y"] {
            assert!(header(bad).is_err(), "{bad}");
        }
    }

    #[cfg(feature = "lab")]
    #[test]
    fn values_are_one_line() {
        assert!(field_value("a\r\nb").is_err() && field_value("a b").is_ok());
    }

    #[test]
    fn timeouts_are_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("10s"), Ok(Duration::from_secs(10)));
        for bad in ["0", "-1", "x", "1e99", "NaN", "inf"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
