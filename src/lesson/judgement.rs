//! What is said of an answer: right, a known mistake, or where it differs.

use super::answer::{Answer, bytes_in_hex};
use super::fields::{self, Layout};
use super::fold;
use crate::model::{Diagnosis, Text};

/// What an answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is right.
    Right,
    /// A mistake that people make here, by its id in `lesson.toml`.
    Known(String),
    /// Options ticked or left out wrongly.
    Ticks(Vec<Tick>),
    /// Wrong in a way nobody has described: where.
    Differs(Difference),
    /// It could not be read: what was expected.
    Unreadable(Text),
}

impl Judgement {
    /// A known mistake.
    pub fn known(id: &str) -> Self {
        Self::Known(id.to_owned())
    }

    /// Wrong, and in which way.
    pub fn differs(how: impl Into<Said>) -> Self {
        Self::Differs(Difference::Said(how.into()))
    }

    /// Whether it is right.
    pub fn is_right(&self) -> bool {
        *self == Self::Right
    }
}

/// One option that was ticked or left out wrongly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick {
    /// The option's id.
    pub id: String,
    /// It was ticked and does not belong there; otherwise it was left out and does.
    pub is_extra: bool,
}

/// How an answer differs from the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Another value.
    Value,
    /// Other bytes: each way in which they differ, and the offset of the first.
    Bytes {
        /// The answer's bytes.
        given: Vec<u8>,
        /// Offset of the first byte that differs.
        first: usize,
        /// In what they differ, a sentence each.
        ways: Vec<Text>,
    },
    /// Other items from a place on, counted from 0; `given` and `wanted` are how many there are.
    Items {
        /// The first place where they differ.
        first: usize,
        /// How many the answer has.
        given: usize,
        /// How many there are.
        wanted: usize,
    },
    /// Another character at a place, counted from 0.
    Text {
        /// That place.
        first: usize,
    },
    /// What the answer itself gives away of how it was made.
    Made(Diagnosis),
    /// In words.
    Said(Said),
}

/// Words of `[exercise.words]` in `lesson.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Their id.
    pub id: &'static str,
    /// What fills their holes.
    pub holes: Vec<(&'static str, Text)>,
}

impl Said {
    /// What fills `{name}`: a value, or words of the tool.
    #[must_use]
    pub fn hole(mut self, name: &'static str, value: impl Into<Text>) -> Self {
        self.holes.push((name, value.into()));
        self
    }

    /// What fills `{name}` in every language.
    #[must_use]
    pub fn value(self, name: &'static str, value: impl ToString) -> Self {
        self.hole(name, Text::with("{}", value))
    }
}

impl From<&'static str> for Said {
    fn from(id: &'static str) -> Self {
        Self { id, holes: Vec::new() }
    }
}

/// Bytes in a row of a hex diff.
const ROW: usize = 16;

/// So few bytes need no dump to find one's way.
const SHORT: usize = 4;

impl Difference {
    pub(super) fn between(right: &Answer, given: &Answer, layout: Layout) -> Self {
        match (right, given) {
            (Answer::Hex(right), Answer::Hex(given)) => Self::Bytes {
                given: given.clone(),
                first: first(right, given),
                ways: fields::differences(layout, right, given),
            },
            (Answer::Numbers(right), Answer::Numbers(given)) => Self::items(right, given),
            (Answer::Order(right), Answer::Order(given)) => Self::items(right, given),
            (Answer::Ranges(right), Answer::Ranges(given)) => Self::items(right, given),
            (Answer::Text { text: right, exact }, Answer::Text { text: given, .. }) => {
                // What does not count is no difference.
                let case = |text: &str| if *exact { text.to_owned() } else { text.to_lowercase() };
                let chars = |text: &str| case(&fold::loose(text)).chars().collect::<Vec<_>>();
                let (right, given) = (chars(right), chars(given));
                Self::Text { first: first(&right, &given) }
            }
            _ => Self::Value,
        }
    }

    fn items<T: PartialEq>(right: &[T], given: &[T]) -> Self {
        Self::Items { first: first(right, given), given: given.len(), wanted: right.len() }
    }

    /// Of bytes, the lines of a dump with the first wrong one marked.
    pub fn dump(&self) -> Vec<String> {
        match self {
            Self::Bytes { given, first, .. } if given.len() > SHORT => dump(given, *first),
            _ => Vec::new(),
        }
    }

    /// What the tool itself says of it.
    pub(super) fn texts(&self) -> Vec<Text> {
        let mut texts = Vec::new();
        match self {
            Self::Value => texts.push(Text::new("It is another value.")),
            Self::Bytes { ways, .. } => texts.clone_from(ways),
            Self::Made(made) => {
                texts.push(Text::new("Your answer looks like this: {}.").word(made.what.clone()));
                texts.push(Text::new("Do this instead: {}.").word(made.fix.clone()));
            }
            Self::Items { first, given, wanted } => {
                texts.push(Text::with("The first that differs is number {}.", first + 1));
                if given != wanted {
                    texts.push(Text::with("You gave {}; {} are wanted.", given).and(wanted));
                }
            }
            Self::Text { first } => {
                texts.push(Text::with("The first character that differs is number {}.", first + 1));
            }
            Self::Said(_) => {}
        }
        texts
    }
}

/// The row of a dump with the byte at `first`, the one before it for orientation, and a mark below.
fn dump(bytes: &[u8], first: usize) -> Vec<String> {
    let row = first / ROW * ROW;
    let mut lines = Vec::new();
    for start in [row.checked_sub(ROW), Some(row)].into_iter().flatten() {
        let end = bytes.len().min(start + ROW);
        let digits = bytes_in_hex(&bytes[start.min(end)..end]);
        lines.push(format!("  {start:04x}  {digits}"));
    }
    lines.push(format!("        {}^^ 0x{first:02x}", "   ".repeat(first - row)));
    lines
}

/// The first place where two lists differ.
fn first<T: PartialEq>(right: &[T], given: &[T]) -> usize {
    right.iter().zip(given).take_while(|(right, given)| right == given).count()
}
