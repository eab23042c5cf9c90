//! `lesson.toml`: what a lesson says in words, in both languages.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::lang::Lang;
pub use crate::model::Bilingual;

/// A ladder of hints in every language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// In English, each saying more than the one before.
    pub en: Vec<String>,
    /// In Chinese, as many.
    pub zh: Vec<String>,
}

impl Ladder {
    /// The steps in one language, general to particular.
    pub fn in_(&self, lang: Lang) -> &[String] {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

/// What `lesson.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LessonData {
    /// Its number, from 1.
    pub number: u8,
    /// How long it takes with its exercises, an estimate that its page gives too.
    pub minutes: u16,
    /// Lessons that come before it.
    pub requires: Vec<u8>,
    /// Sections to read, such as `RFC 6455 §5.2`.
    pub rfc: Vec<String>,
    /// Ids of the terms that it introduces.
    #[serde(default)]
    pub teaches: Vec<String>,
    /// Ids of later lessons' terms that its page names on purpose.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// What it is called.
    pub title: Bilingual,
    /// What one can do after it.
    pub objective: Bilingual,
    /// The wrong belief it aims at, as people say it.
    pub belief: Bilingual,
    /// Its exercises, in order.
    #[serde(default, rename = "exercise")]
    pub exercises: Vec<ExerciseData>,
}

/// What `lesson.toml` says of one exercise. In all texts but `section`,
/// `{name}` is a hole that the instance fills.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExerciseData {
    /// The same as its generator's.
    pub id: String,
    /// Where the answer is laid down.
    pub section: String,
    /// What a right answer is worth.
    #[serde(default = "one")]
    pub points: u32,
    /// The question, which asks for a prediction.
    pub prompt: Bilingual,
    /// Steps of help that do not give the answer away.
    pub hints: Ladder,
    /// How another instance is solved: the last step of help.
    pub solution: Bilingual,
    /// Why the right answer is right.
    pub explanation: Bilingual,
    /// What can be chosen, by the options' ids.
    #[serde(default)]
    pub options: BTreeMap<String, Bilingual>,
    /// What the generator or the judge of a file says, by its ids for it.
    #[serde(default)]
    pub words: BTreeMap<String, Bilingual>,
    /// What people do wrong here, by the mistakes' ids.
    pub mistakes: BTreeMap<String, MistakeData>,
    /// What is wrong with one tick, by the options' ids, where no mistake says it.
    #[serde(default)]
    pub ticks: BTreeMap<String, TickData>,
}

/// Why an option has to be ticked or must not be, said to whoever did the contrary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TickData {
    /// It was ticked, and does not belong there.
    pub extra: Option<Bilingual>,
    /// It was left out, and belongs there.
    pub missing: Option<Bilingual>,
}

fn one() -> u32 {
    1
}

/// A known mistake: what was done, and what is true.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MistakeData {
    /// The wrong belief behind it, one of [`BELIEFS`].
    pub belief: Option<String>,
    /// What is said to who makes it, in English.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
}

impl MistakeData {
    /// The diagnosis in one language.
    pub fn in_(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

/// The wrong beliefs that the course corrects.
pub const BELIEFS: [&str; 17] = [
    "accept-is-encryption",
    "key-is-encrypted",
    "websocket-is-http",
    "server-masking-optional",
    "masking-hides",
    "rsv-ignored",
    "fin-is-last-message",
    "read-is-frame",
    "utf8-per-frame",
    "bad-utf8-closing-handshake",
    "json-ping-is-ping",
    "peer-sent-1006",
    "cors-protects",
    "compressed-alone",
    "socketio-is-websocket",
    "any-length-form",
    "http-always-closes",
];

/// Reads a `lesson.toml`.
///
/// # Errors
/// What is wrong with it, with line and column.
pub fn parse(text: &str) -> Result<LessonData, String> {
    toml::from_str(text).map_err(|e| e.to_string())
}

/// Fills the holes of a text: `{name}` is replaced by what `value` knows under that name.
///
/// A name is lower-case letters, digits and hyphens, and for files `file:NAME`;
/// other braces, such as those of JSON, stand for themselves.
pub fn fill<'a>(text: &str, mut value: impl FnMut(&str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Words(words) => out.push_str(words),
            Piece::Hole(name, whole) => out.push_str(value(name).unwrap_or(whole)),
        }
    }
    out
}

/// The names of the holes in a text.
pub fn holes(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|piece| match piece {
        Piece::Hole(name, _) => Some(name),
        Piece::Words(_) => None,
    })
}

enum Piece<'t> {
    Words(&'t str),
    /// The name, and the hole with its braces.
    Hole(&'t str, &'t str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(name) = hole(rest) {
            let (whole, after) = rest.split_at(name.len() + 2);
            rest = after;
            return Some(Piece::Hole(name, whole));
        }
        let next = rest.char_indices().skip(1).find(|(at, _)| hole(&rest[*at..]).is_some());
        let (words, after) = rest.split_at(next.map_or(rest.len(), |(at, _)| at));
        rest = after;
        Some(Piece::Words(words))
    })
}

/// The name of the hole that a text begins with.
fn hole(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let plain = name.strip_prefix("file:").map_or_else(
        || name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
        |file| file.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')),
    );
    (plain && name.starts_with(|c: char| c.is_ascii_lowercase())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_other_braces_stay() {
        let value = |name: &str| (name == "a-1").then_some("{b}");
        assert_eq!(
            fill("x {a-1}{a-1} {\"op\":\"ping\"} {} {no}", value),
            "x {b}{b} {\"op\":\"ping\"} {} {no}"
        );
        let names: Vec<_> = holes("{a} {B} {{c}} {file:x.pcap} {1} {d").collect();
        assert_eq!(names, ["a", "c", "file:x.pcap"]);
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = parse("number = 1\nobjektive = { en = \"\", zh = \"\" }").unwrap_err();
        assert!(error.contains("objektive"), "{error}");
    }
}
