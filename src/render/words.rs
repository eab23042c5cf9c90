//! Numbers and names in words.

use crate::lang::Lang;
use crate::model::{Cite, CloseCode, Opcode};

/// What is counted: one of it, and several.
pub type Noun = [&'static str; 2];

pub const BYTES: Noun = ["{} byte", "{} bytes"];
pub const MORE_BYTES: Noun = ["{} more byte", "{} more bytes"];
pub const PACKETS: Noun = ["{} packet", "{} packets"];
pub const FRAMES: Noun = ["{} frame", "{} frames"];
pub const MESSAGES: Noun = ["{} message", "{} messages"];
pub const CONNECTIONS: Noun = ["{} connection", "{} connections"];

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 frame`, `2,000 frames`.
pub fn count(lang: Lang, number: u64, noun: Noun) -> String {
    lang.count(number, &grouped(number), noun)
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

/// Sorted numbers as runs: `1–3, 5`.
pub fn runs(numbers: &[u64]) -> String {
    let mut out = String::new();
    let mut rest = numbers;
    while let Some(&first) = rest.first() {
        let len = rest
            .iter()
            .enumerate()
            .take_while(|(at, number)| number.checked_sub(first) == Some(*at as u64))
            .count();
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(&first.to_string());
        if len > 1 {
            out.push_str(if len == 2 { ", " } else { "–" });
            out.push_str(&rest[len - 1].to_string());
        }
        rest = &rest[len..];
    }
    out
}

/// A paragraph as briefly as its context allows: `§5.2` for RFC 6455.
pub fn brief(cite: Cite) -> String {
    match cite {
        Cite { doc: "RFC 6455", section } if !section.is_empty() => format!("§{section}"),
        _ => cite.to_string(),
    }
}

/// `text`, `reserved 0xb`.
pub fn opcode(lang: Lang, opcode: Opcode) -> String {
    if opcode.is_reserved() {
        lang.fill("reserved {}", &[&format_args!("{:#x}", opcode.0)])
    } else {
        lang.words(opcode.name()).to_owned()
    }
}

/// `1000 Normal Closure`.
pub fn close_code(lang: Lang, code: CloseCode) -> String {
    format!("{} {}", code.0, lang.words(code.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_counted() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(65_536), "65,536");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        let say = |number, noun| count(Lang::En, number, noun);
        assert_eq!((say(1, FRAMES), say(1000, BYTES)), ("1 frame".into(), "1,000 bytes".into()));
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
    fn neighbours_join_into_runs() {
        assert_eq!(runs(&[1, 2, 3, 5]), "1–3, 5");
        assert_eq!(runs(&[3, 4, 9]), "3, 4, 9");
        assert_eq!(runs(&[]), "");
        assert_eq!(runs(&[u64::MAX]), u64::MAX.to_string());
    }

    #[test]
    fn sections_of_the_protocol_itself_are_brief() {
        assert_eq!(brief(Cite::rfc6455("5.2")), "§5.2");
        assert_eq!(brief(Cite::rfc7692("6")), "RFC 7692 §6");
    }
}
