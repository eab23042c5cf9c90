//! Answers: what a learner types, forgivingly read, and how an answer is printed.

mod read;

use std::collections::BTreeSet;

use super::choice::Choice;
use super::fold;
use crate::model::Text;
use read::{bytes, decimal, is_none, labels, number, ranges, separated};

/// An answer to an exercise, right or wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One number.
    Number(u64),
    /// Several numbers, in order.
    Numbers(Vec<u64>),
    /// A number with a fraction; the right answer's tolerance counts.
    Decimal {
        /// The number.
        value: f64,
        /// How far from it an answer may be.
        tolerance: f64,
    },
    /// Bytes.
    Hex(Vec<u8>),
    /// The id of one option.
    Choice(String),
    /// The ids of any number of options.
    Choices(BTreeSet<String>),
    /// The ids of all options in order.
    Order(Vec<String>),
    /// Ranges of byte offsets, first and last included, in ascending order.
    Ranges(Vec<(u64, u64)>),
    /// A short text such as a header's value. Spaces around `;`, `,` and `=` do not
    /// count, and case only where `exact`.
    Text {
        /// The text.
        text: String,
        /// Case counts.
        exact: bool,
    },
    /// The content of a file; [`super::Instance::judged_by`] says what makes it right.
    File(Vec<u8>),
}

impl Answer {
    /// The option with this id.
    pub fn choice(id: impl Into<String>) -> Self {
        Self::Choice(id.into())
    }

    /// The options with these ids, in any order.
    pub fn choices<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self::Choices(ids.into_iter().map(Into::into).collect())
    }

    /// The options with these ids, in this order.
    pub fn order<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self::Order(ids.into_iter().map(Into::into).collect())
    }

    /// A text whose case counts, such as a Base64 value.
    pub fn exact(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), exact: true }
    }

    /// A text whose case does not count, such as a header's name.
    pub fn word(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), exact: false }
    }

    /// `tolerance` is how far from `value` an answer may be.
    pub fn decimal(value: f64, tolerance: f64) -> Self {
        Self::Decimal { value, tolerance }
    }

    /// Whether `given` is as good as this answer.
    pub fn accepts(&self, given: &Self) -> bool {
        match (self, given) {
            (Self::Decimal { value, tolerance }, Self::Decimal { value: given, .. }) => {
                // A little more than the tolerance: 8.55 ± 0.01 takes 8.56.
                (value - given).abs() <= tolerance + 1e-9 * value.abs().max(1.0)
            }
            (Self::Text { text, exact }, Self::Text { text: given, .. }) => {
                let (text, given) = (fold::loose(text), fold::loose(given));
                if *exact { text == given } else { text.to_lowercase() == given.to_lowercase() }
            }
            _ => self == given,
        }
    }

    /// The answer as it could be typed. `options` are those of the instance, in its order.
    pub fn print(&self, options: &[Choice]) -> String {
        let label = |id: &String| {
            options.iter().position(|o| o.id == *id).map_or_else(|| id.clone(), |at| label(at).to_string())
        };
        match self {
            Self::Number(number) => number.to_string(),
            Self::Numbers(numbers) => join(numbers.iter().map(u64::to_string)),
            Self::Decimal { value, .. } => value.to_string(),
            Self::Hex(bytes) | Self::File(bytes) => bytes_in_hex(bytes),
            Self::Choice(id) => label(id),
            Self::Choices(ids) if ids.is_empty() => "none".to_owned(),
            Self::Choices(ids) => {
                let mut labels: Vec<_> = ids.iter().map(label).collect();
                labels.sort();
                join(labels.into_iter())
            }
            Self::Order(ids) => join(ids.iter().map(label)),
            Self::Ranges(ranges) => join(ranges.iter().map(|(first, last)| {
                if first == last { first.to_string() } else { format!("{first}-{last}") }
            })),
            Self::Text { text, .. } => text.clone(),
        }
    }

    /// Reads an answer of the same kind as this one.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn parse_like(&self, typed: &str, options: &[Choice]) -> Result<Self, Text> {
        let folded = fold::width(typed);
        let text = fold::unquoted(folded.trim());
        let read = if text.is_empty() { None } else { self.read(text, typed, options) };
        read.ok_or_else(|| self.expected(options))
    }

    fn read(&self, text: &str, typed: &str, options: &[Choice]) -> Option<Self> {
        Some(match self {
            Self::Number(_) => Self::Number(number(text)?),
            Self::Numbers(_) => Self::Numbers(separated(text).map(number).collect::<Option<Vec<_>>>()?),
            Self::Decimal { .. } => Self::Decimal { value: decimal(text)?, tolerance: 0.0 },
            Self::Hex(_) => Self::Hex(bytes(text)?),
            Self::File(_) => Self::File(bytes(text).unwrap_or_else(|| typed.as_bytes().to_vec())),
            Self::Choice(_) => match labels(text, options)?.as_slice() {
                [id] => Self::Choice(id.clone()),
                _ => return None,
            },
            Self::Choices(_) if is_none(text) => Self::Choices(BTreeSet::new()),
            Self::Choices(_) => Self::Choices(labels(text, options)?.into_iter().collect()),
            Self::Order(_) => {
                let ids = labels(text, options)?;
                let different: BTreeSet<_> = ids.iter().collect();
                if different.len() != ids.len() {
                    return None;
                }
                Self::Order(ids)
            }
            Self::Ranges(_) => Self::Ranges(ranges(text)?),
            Self::Text { text: right, exact } => {
                // `Name: value` was typed where the value alone is wanted.
                let value = text.split_once(": ").filter(|_| !right.contains(": ")).map(|(_, value)| value);
                Self::Text { text: value.unwrap_or(text).trim().to_owned(), exact: *exact }
            }
        })
    }

    /// What an answer of this kind looks like.
    pub fn expected(&self, options: &[Choice]) -> Text {
        let last = label(options.len().saturating_sub(1));
        match self {
            Self::Number(_) => Text::new("a number, such as 126 or 0x7e"),
            Self::Numbers(_) => Text::new("numbers in order, such as 2, 14, 130"),
            Self::Decimal { .. } => Text::new("a number, such as 71 or 8.55"),
            Self::Hex(_) => Text::new("bytes in hex, two digits a byte, such as 81 05 48"),
            Self::Choice(_) => Text::with("one letter, a to {}", last),
            Self::Choices(_) => Text::with("letters from a to {}, such as a c, or none", last),
            Self::Order(_) => Text::with("the letters a to {} in order, each once, such as b a c", last),
            Self::Ranges(_) => Text::new("byte ranges, first-last, counted from 0, such as 0-1, 2-5"),
            Self::Text { .. } => Text::new("a short text"),
            Self::File(_) => Text::new("a file (--file NAME), or its bytes in hex"),
        }
    }
}

/// The letter of the option at a place: a, b, c …
pub fn label(place: usize) -> char {
    char::from(b'a' + (place % 26) as u8)
}

/// Bytes in pairs of hex digits.
pub fn bytes_in_hex(bytes: &[u8]) -> String {
    join_with(bytes.iter().map(|byte| format!("{byte:02x}")), " ")
}

fn join(parts: impl Iterator<Item = String>) -> String {
    join_with(parts, ", ")
}

fn join_with(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::Bilingual;

    fn options() -> Vec<Choice> {
        ["ping", "pong", "close"].map(|id| Choice::new(id, Bilingual::new(format!("A {id}"), id))).to_vec()
    }

    fn read(like: &Answer, typed: &str) -> Option<Answer> {
        like.parse_like(typed, &options()).ok()
    }

    #[test]
    fn numbers_in_the_forms_people_type() {
        for typed in [
            "126",
            "0x7E",
            "0X7e",
            " 126\n",
            "１２６",
            "126 bytes",
            "126 字节",
            "`126`",
            "126。",
            "0b1111110",
            "126.0",
            "126x",
            "126ms",
            "126 bit/s",
            "#126",
        ] {
            assert_eq!(read(&Answer::Number(0), typed), Some(Answer::Number(126)), "{typed}");
        }
        for typed in ["65536", "65,536", "65 536", "65_536", "６５，５３６"] {
            assert_eq!(read(&Answer::Number(0), typed), Some(Answer::Number(65536)), "{typed}");
        }
        for typed in ["", "7e", "1.5", "1.05", "-1", "12,34", "eight", "0x", "99999999999999999999"] {
            assert_eq!(read(&Answer::Number(0), typed), None, "{typed}");
        }
        assert_eq!(read(&Answer::Numbers(vec![]), "2，14; 0x82"), Some(Answer::Numbers(vec![2, 14, 130])));
    }

    #[test]
    fn decimals() {
        let right = Answer::decimal(8.55, 0.01);
        for (typed, fine) in [
            ("8.55", true),
            ("8.56ms", true),
            ("8.54 %", true),
            ("8.57", false),
            ("８．５５", true),
            ("8.55×", true),
        ] {
            assert_eq!(right.accepts(&read(&right, typed).expect("a number")), fine, "{typed}");
        }
        assert_eq!(read(&right, "1,024.5"), Some(Answer::decimal(1024.5, 0.0)));
        assert_eq!(read(&right, "8,5"), None);
    }

    #[test]
    fn bytes_in_the_forms_people_paste() {
        let right = Answer::Hex(vec![0x81, 0x05]);
        for typed in
            ["8105", "81 05", "0x81, 0x05", "81:05", "８１　０５", "\\x81\\x05", "“81 05”", "0x81 0x5"]
        {
            assert_eq!(read(&right, typed).as_ref(), Some(&right), "{typed}");
        }
        assert_eq!(read(&right, "81 0"), None);
        assert_eq!(read(&right, "eight one"), None);
    }

    #[test]
    fn options_by_letter_id_and_text() {
        let one = Answer::choice("pong");
        for typed in ["b", "B", "b)", "(b)", "ｂ", "pong", "A pong", "b."] {
            assert_eq!(read(&one, typed).as_ref(), Some(&one), "{typed}");
        }
        assert_eq!((read(&one, "d"), read(&one, "a b")), (None, None));
        let some = Answer::choices(["close", "ping"]);
        for typed in ["a c", "c,a", "ca", "a、c", "ping close"] {
            assert_eq!(read(&some, typed).as_ref(), Some(&some), "{typed}");
        }
        assert_eq!(some.print(&options()), "a, c");
        assert_eq!(read(&some, "无"), Some(Answer::Choices(BTreeSet::new())));
        let order = Answer::order(["close", "ping", "pong"]);
        for typed in ["c a b", "cab", "c > a > b", "c, a, b", "c → a → b", "c -> a -> b"] {
            assert_eq!(read(&order, typed).as_ref(), Some(&order), "{typed}");
        }
        assert_eq!(read(&order, "c a a"), None);
    }

    #[test]
    fn byte_ranges() {
        let right = Answer::Ranges(vec![(0, 1), (2, 5), (7, 7)]);
        for typed in [
            "0-1, 2-5, 7",
            "2-5 0-1 7-7",
            "0..1; 2..5; 7",
            "0 - 1, 2 to 5, 7",
            "0x0-0x1，2—5、7",
            "0–1 2～5 7",
        ] {
            assert_eq!(read(&right, typed).as_ref(), Some(&right), "{typed}");
        }
        assert_eq!(read(&right, "5-2"), None);
        assert_eq!(right.print(&[]), "0-1, 2-5, 7");
    }

    #[test]
    fn texts() {
        let value = Answer::word("permessage-deflate; server_no_context_takeover");
        for typed in [
            "Permessage-Deflate;server_no_context_takeover",
            "Sec-WebSocket-Extensions: permessage-deflate;  server_no_context_takeover",
        ] {
            assert!(value.accepts(&read(&value, typed).expect("a text")), "{typed}");
        }
        let hash = Answer::exact("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(hash.accepts(&read(&hash, "`s3pPLMBiTxaQ9kYGzzhZRbK+xOo=`").expect("a text")));
        assert!(!hash.accepts(&read(&hash, "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=").expect("a text")));
    }
}
