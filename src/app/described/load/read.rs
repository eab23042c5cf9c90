//! Tables of a file, which know their places and the keys that they may have.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Wrong;
use crate::app::described::matching::Wanted;
use crate::model::Text;

type Load<T> = Result<T, Wrong>;

/// A table of the file.
pub(super) struct Table<'a> {
    table: &'a DeTable<'a>,
    at: Range<usize>,
}

/// The fields that may be named at a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    names: Vec<String>,
    /// In how many other fields this is.
    pub depth: usize,
}

impl Scope {
    pub fn add(&mut self, name: &str) {
        self.names.push(name.to_owned());
    }

    pub fn add_all(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Fails unless there is a field of this name; `expected` is what else could stand there.
    pub fn must_have(&self, at: Range<usize>, name: &str, expected: Text) -> Load<()> {
        if self.names.iter().any(|known| known == name) {
            return Ok(());
        }
        let all: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let what = match like(name, &all) {
            Some(like) => Text::with("there is no field `{}`; did you mean `{}`?", name).and(like),
            None => Text::with("there is no field `{}`; expected {}", name).word(expected),
        };
        Err(Wrong { at, what })
    }
}

pub(super) fn wrong<T>(at: Range<usize>, what: Text) -> Load<T> {
    Err(Wrong { at, what })
}

/// That a word is none of those that are known; `what` has a hole for it.
pub(super) fn unknown(at: Range<usize>, word: &str, known: &[&str], what: &'static str) -> Wrong {
    let what = Text::with(what, word);
    let what = match like(word, known) {
        Some(like) => Text::new("{}; did you mean `{}`?").word(what).and(like),
        None => Text::new("{}; known are {}").word(what).and(known.join(", ")),
    };
    Wrong { at, what }
}

/// The known word that somebody may have meant.
fn like<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let far = |known: &&&str| strsim::osa_distance(word, known);
    known.iter().min_by_key(far).filter(|known| far(known) <= 1 + word.len() / 4).copied()
}

/// A value as a key writes it: a number, or a word.
pub(super) fn literal(key: &str) -> Wanted {
    let hexadecimal = key.strip_prefix("0x").and_then(|digits| i128::from_str_radix(digits, 16).ok());
    hexadecimal.or_else(|| key.parse().ok()).map_or_else(|| Wanted::Text(key.to_owned()), Wanted::Number)
}

impl<'a> Table<'a> {
    pub fn new(table: &'a DeTable<'a>, at: Range<usize>) -> Self {
        Self { table, at }
    }

    pub fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// Its keys, in the order of the file.
    pub fn keys(&self) -> Vec<(Range<usize>, String)> {
        let mut keys: Vec<_> =
            self.table.iter().map(|(key, _)| (key.span(), key.get_ref().clone().into_owned())).collect();
        keys.sort_by_key(|(at, _)| at.start);
        keys
    }

    /// Fails if it has another key than these.
    pub fn only(&self, known: &[&str]) -> Load<()> {
        match self.keys().into_iter().find(|(_, key)| !known.contains(&key.as_str())) {
            Some((at, key)) => Err(unknown(at, &key, known, "`{}` is no key here")),
            None => Ok(()),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    pub fn text(&self, key: &str) -> Load<Option<(Range<usize>, String)>> {
        self.get(key).map(|value| text(value, key)).transpose()
    }

    /// A text that must be there.
    pub fn needed(&self, key: &'static str) -> Load<(Range<usize>, String)> {
        match self.text(key)? {
            Some(text) => Ok(text),
            None => wrong(self.at(), Text::with("`{}` is missing here", key)),
        }
    }

    /// One text, or a list of them.
    pub fn texts(&self, key: &str) -> Load<Vec<(Range<usize>, String)>> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(value) => match value.get_ref() {
                DeValue::Array(all) => all.iter().map(|value| text(value, key)).collect(),
                _ => text(value, key).map(|one| vec![one]),
            },
        }
    }

    pub fn flag(&self, key: &str) -> Load<Option<bool>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref().as_bool() {
            Some(is) => Ok(Some(is)),
            None => wrong(value.span(), Text::with("`{}` is true or false", key)),
        }
    }

    /// A whole number that is not negative.
    pub fn whole(&self, key: &str) -> Load<Option<u64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match integer(value.get_ref()).and_then(|number| u64::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => wrong(value.span(), Text::with("`{}` is a whole number from 0", key)),
        }
    }

    /// The same, where something else may stand there too.
    pub fn whole_if(&self, key: &str) -> Load<Option<u64>> {
        match self.get(key) {
            Some(value) if value.get_ref().is_str() => Ok(None),
            _ => self.whole(key),
        }
    }

    pub fn number(&self, key: &str) -> Load<Option<f64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = match value.get_ref() {
            DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
            other => integer(other).map(|number| number as f64),
        };
        match number {
            Some(number) => Ok(Some(number)),
            None => wrong(value.span(), Text::with("`{}` is a number", key)),
        }
    }

    /// A number, or the least and the greatest.
    pub fn range(&self, key: &str) -> Load<Option<(u64, u64)>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let whole = |value: &DeValue<'_>| integer(value).and_then(|number| u64::try_from(number).ok());
        let range = match value.get_ref() {
            DeValue::Array(two) => match (two.first(), two.get(1), two.get(2)) {
                (Some(least), Some(most), None) => whole(least.get_ref()).zip(whole(most.get_ref())),
                _ => None,
            },
            one => whole(one).map(|number| (number, number)),
        };
        match range {
            Some((least, most)) if least <= most => Ok(Some((least, most))),
            _ => {
                let what = "`{}` is a number of bytes, or the least and the most: [4, 64]";
                wrong(value.span(), Text::with(what, key))
            }
        }
    }

    /// Bits: the number of one, or "4-7".
    pub fn bits(&self, key: &str) -> Load<(u8, u8)> {
        let Some(value) = self.get(key) else { return Ok((0, 0)) };
        let small = |text: &str| text.trim().parse::<u8>().ok();
        let bits = match value.get_ref() {
            DeValue::String(text) => text.split_once('-').and_then(|(low, high)| small(low).zip(small(high))),
            one => integer(one).and_then(|number| u8::try_from(number).ok()).map(|bit| (bit, bit)),
        };
        if let Some(bits) = bits {
            Ok(bits)
        } else {
            let what = "bits are the number of one, from 0, the lowest, or \"4-7\"";
            wrong(value.span(), Text::new(what))
        }
    }

    pub fn one_of<T: Copy>(&self, key: &str, known: &[(&str, T)]) -> Load<Option<T>> {
        let Some((at, text)) = self.text(key)? else { return Ok(None) };
        if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
            Ok(Some(*value))
        } else {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            Err(unknown(at, &text, &names, "`{}` is not understood here"))
        }
    }

    /// A value to compare with.
    pub fn wanted(&self, key: &str) -> Load<Wanted> {
        match self.get(key) {
            Some(value) => wanted(value),
            None => wrong(self.at(), Text::with("`{}` is missing here", key)),
        }
    }

    /// One value, or a list of them.
    pub fn all_wanted(&self, key: &str) -> Load<Vec<Wanted>> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(value) => match value.get_ref() {
                DeValue::Array(all) => all.iter().map(wanted).collect(),
                _ => wanted(value).map(|one| vec![one]),
            },
        }
    }

    pub fn table(&self, key: &str) -> Load<Option<Table<'a>>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref().as_table() {
            Some(table) => Ok(Some(Table { table, at: value.span() })),
            None => wrong(value.span(), Text::with("`{}` is a table: { … = … }", key)),
        }
    }

    pub fn tables(&self, key: &str) -> Load<Vec<Table<'a>>> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let Some(all) = value.get_ref().as_array() else {
            return wrong(value.span(), Text::with("there may be several: write [[{}]]", key));
        };
        all.iter()
            .map(|value| match value.get_ref().as_table() {
                Some(table) => Ok(Table { table, at: value.span() }),
                None => wrong(value.span(), Text::with("`{}` is a table: { … = … }", key)),
            })
            .collect()
    }
}

fn text(value: &Spanned<DeValue<'_>>, key: &str) -> Load<(Range<usize>, String)> {
    match value.get_ref().as_str() {
        Some(text) => Ok((value.span(), text.to_owned())),
        None => wrong(value.span(), Text::with("`{}` is a text in quotes", key)),
    }
}

fn integer(value: &DeValue<'_>) -> Option<i128> {
    let integer = value.as_integer()?;
    i128::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

fn wanted(value: &Spanned<DeValue<'_>>) -> Load<Wanted> {
    match value.get_ref() {
        DeValue::String(text) => Ok(Wanted::Text(text.clone().into_owned())),
        DeValue::Boolean(is) => Ok(Wanted::Bool(*is)),
        DeValue::Float(float) => {
            float.as_str().replace('_', "").parse().map(Wanted::Float).map_err(|_| Wrong {
                at: value.span(),
                what: Text::with("`{}` is no number", float.as_str()),
            })
        }
        other => match integer(other) {
            Some(number) => Ok(Wanted::Number(number)),
            None => wrong(value.span(), Text::new("a value is a text, a number, true or false")),
        },
    }
}
