//! Counts and names in words.

use std::borrow::Cow;

use crate::lang::{Around, Lang};
use crate::model::quantity::{self, Digits};
use crate::model::{CloseCode, Dir, Opcode};

/// What is counted: one of it, and several.
pub type Noun = [&'static str; 2];

pub const BYTES: Noun = ["{} byte", "{} bytes"];
pub const MORE_BYTES: Noun = ["{} more byte", "{} more bytes"];
pub const PACKETS: Noun = ["{} packet", "{} packets"];
pub const FRAMES: Noun = ["{} frame", "{} frames"];
pub const MESSAGES: Noun = ["{} message", "{} messages"];
pub const CONNECTIONS: Noun = ["{} connection", "{} connections"];
pub const SECRETS: Noun = ["{} secret", "{} secrets"];

/// What is said of nearly every frame, in one language: words around numbers.
#[derive(Debug)]
pub struct Frequent {
    pub lang: Lang,
    frame: Around,
    bytes: [Around; 2],
}

impl Frequent {
    /// Finds the words.
    pub fn new(lang: Lang) -> Self {
        Self { lang, frame: lang.around("frame {}"), bytes: lang.around_count(BYTES) }
    }

    /// `frame 7`, at the end of `out`.
    pub fn frame(&self, number: u64, out: &mut String) {
        self.frame.say(Digits::of(number).as_str(), out);
    }

    /// `1 byte`, `2,000 bytes`.
    pub fn bytes(&self, number: u64, out: &mut String) {
        self.bytes[usize::from(number != 1)].say(Digits::grouped(number).as_str(), out);
    }
}

/// `1 frame`, `2,000 frames`.
pub fn count(lang: Lang, number: u64, noun: Noun) -> String {
    let mut out = String::new();
    lang.count_in(number, Digits::grouped(number).as_str(), noun, &mut out);
    out
}

/// The same with at most 11 columns for the number.
pub fn bounded_count(lang: Lang, number: u64, noun: Noun) -> String {
    lang.count(number, &quantity::count(number), noun)
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

/// `text`, `reserved 0xb`.
pub fn opcode(lang: Lang, opcode: Opcode) -> Cow<'static, str> {
    if opcode.is_reserved() {
        lang.fill("reserved {}", &[&format_args!("{:#x}", opcode.0)]).into()
    } else {
        lang.words(opcode.name()).into()
    }
}

/// `1000 Normal Closure`.
pub fn close_code(lang: Lang, code: CloseCode) -> String {
    format!("{} {}", code.0, lang.words(code.name()))
}

/// Who sent something to whom.
pub fn way(lang: Lang, dir: Dir) -> String {
    format!("{} → {}", lang.words(dir.name()), lang.words(dir.peer().name()))
}

/// Parts with commas between them; those that are empty are left out.
pub fn joined(lang: Lang, parts: &[String]) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    parts.join(lang.words(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::quantity::grouped;

    #[test]
    fn numbers_are_grouped_and_counted() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(65_536), "65,536");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        let say = |number, noun| count(Lang::En, number, noun);
        assert_eq!((say(1, FRAMES), say(1000, BYTES)), ("1 frame".into(), "1,000 bytes".into()));
    }

    #[test]
    fn neighbours_join_into_runs() {
        assert_eq!(runs(&[1, 2, 3, 5]), "1–3, 5");
        assert_eq!(runs(&[3, 4, 9]), "3, 4, 9");
        assert_eq!(runs(&[]), "");
        assert_eq!(runs(&[u64::MAX]), u64::MAX.to_string());
    }
}
