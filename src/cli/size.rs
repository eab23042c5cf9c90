//! Sizes as they are written on the command line.

use crate::limits;

/// A number of bytes: `4096`, `4k`, `4KiB`, `1M`; `kB`, `MB` and `GB` are powers of 1000.
///
/// # Errors
/// A sentence that says what is understood.
pub fn bytes(text: &str) -> Result<u64, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let unit = unit.trim_start().to_ascii_lowercase();
    let scale = match unit.as_str() {
        "" | "b" => Some(1),
        "k" | "ki" | "kib" => Some(1 << 10),
        "m" | "mi" | "mib" => Some(1 << 20),
        "g" | "gi" | "gib" => Some(1 << 30),
        "kb" => Some(1000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        _ => None,
    };
    let size = number.parse::<u64>().ok().zip(scale).and_then(|(number, scale)| number.checked_mul(scale));
    size.ok_or_else(|| "a number of bytes, or one with a unit such as 4k, 64KiB, 1M".to_owned())
}

/// Bytes shown of a payload, or `all` of it, as much as is kept.
///
/// # Errors
/// What is understood.
pub fn payload_limit(text: &str) -> Result<u64, String> {
    if text == "all" { Ok(limits::PAYLOAD_KEPT) } else { bytes(text).map_err(|e| e + ", or all") }
}

/// A size within `least` and `most`.
///
/// # Errors
/// What is understood, or which sizes are allowed.
pub fn within(text: &str, least: u64, most: u64) -> Result<u64, String> {
    match bytes(text)? {
        size if size < least || size > most => Err(format!("{size} is not from {least} to {most}")),
        size => Ok(size),
    }
}

/// A size of at least `least`.
///
/// # Errors
/// What is understood, or how much is too little.
pub fn at_least(text: &str, least: u64) -> Result<u64, String> {
    match bytes(text)? {
        size if size < least => Err(format!("{size} is less than {least}")),
        size => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_with_and_without_a_unit() {
        for (text, size) in [
            ("0", Some(0)),
            ("4096", Some(4096)),
            ("4k", Some(4096)),
            ("4K", Some(4096)),
            ("4 KiB", Some(4096)),
            ("4kB", Some(4000)),
            ("1M", Some(1_048_576)),
            ("2g", Some(2_147_483_648)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551615k", None),
            ("-1", None),
            ("k", None),
            ("4x", None),
            ("", None),
        ] {
            assert_eq!(bytes(text).ok(), size, "{text}");
        }
        assert_eq!(at_least("1k", 4096), Err("1024 is less than 4096".into()));
        assert_eq!(at_least("4k", 4096), Ok(4096));
        assert!(within("4k", 0, 4095).is_err() && within("4k", 0, 4096).is_ok());
    }
}
