//! Sentences, and numbers in them.

use crate::model::Text;

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

/// So many of something, whose templates for one and for more these are.
pub fn counted(value: u64, [one, more]: [&'static str; 2]) -> Text {
    Text::with(if value == 1 { one } else { more }, grouped(value))
}

pub const BYTES: [&str; 2] = ["{} byte", "{} bytes"];
pub const CLIENTS: [&str; 2] = ["{} client", "{} clients"];
pub const CONNECTIONS: [&str; 2] = ["{} connection", "{} connections"];
pub const POLLS: [&str; 2] = ["{} poll", "{} polls"];
pub const RUNS: [&str; 2] = ["{} run", "{} runs"];

/// What fills a hole: a value is the same in every language, words are said in it.
pub trait Fills {
    /// Fills the next hole of a text.
    fn fills(self, text: Text) -> Text;
}

impl Fills for Text {
    fn fills(self, text: Text) -> Text {
        text.word(self)
    }
}

impl Fills for &'static str {
    fn fills(self, text: Text) -> Text {
        text.word(self)
    }
}

macro_rules! values {
    ($($kind:ty)*) => {$(
        impl Fills for $kind {
            fn fills(self, text: Text) -> Text {
                text.and(self)
            }
        }
    )*};
}

values!(String &String u16 u64 usize);

/// A sentence, its holes filled by values and words.
macro_rules! said {
    ($template:literal $(, $part:expr)* $(,)?) => {{
        let text = crate::model::Text::new($template);
        $(let text = $crate::compare::words::Fills::fills($part, text);)*
        text
    }};
}

pub(crate) use said;

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
