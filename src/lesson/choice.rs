//! Options of questions.

use super::data::Bilingual;

/// An option of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What answers name it by.
    pub id: String,
    /// What it says; from `[exercise.options]` when left empty here. May have holes.
    pub text: Bilingual,
}

impl Choice {
    /// An option that says `text`.
    pub fn new(id: impl Into<String>, text: Bilingual) -> Self {
        Self { id: id.into(), text }
    }
}

/// An option whose text stands in `lesson.toml`.
impl From<&str> for Choice {
    fn from(id: &str) -> Self {
        Self::new(id, Bilingual::default())
    }
}

/// An option's id, and what it says in every language: bytes, a path.
impl<T: Into<String>> From<(&str, T)> for Choice {
    fn from((id, text): (&str, T)) -> Self {
        let text = text.into();
        Self::new(id, Bilingual::new(text.clone(), text))
    }
}
