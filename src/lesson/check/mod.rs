//! The course, checked: what holds for every exercise and every student.
//!
//! `wstool teacher check` prints what is found, and the tests of the course want that
//! nothing is.

mod exercise;
mod order;
mod page;

pub use exercise::exercise;
pub use order::{Term, order, terms};

use super::{Answer, Instance, Lesson};
use crate::lang::Lang;
use crate::model::Text;

/// Known mistakes that every instance must have at least.
pub const MISTAKES: usize = 3;
/// Steps of help before the worked solution.
pub const HINTS: usize = 3;

/// Something that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// An exercise such as `3.2`, or a lesson's folder.
    pub place: String,
    /// What kind of defect it is.
    pub kind: Kind,
    /// What is wrong, in a sentence.
    pub text: Text,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Everyone can solve it.
    Solvable,
    /// No two students are asked the same, and one student always is.
    Distinct,
    /// Planted wrong answers are told apart, and each is diagnosed as itself.
    Mistakes,
    /// The ladder of hints has its steps and does not give the answer away.
    Hints,
    /// Every text is there in every language, with its holes filled.
    Languages,
    /// Nothing is used before it is taught.
    Order,
}

impl Kind {
    /// All of them, in the order of a table.
    pub const ALL: [Self; 6] =
        [Self::Solvable, Self::Distinct, Self::Mistakes, Self::Hints, Self::Languages, Self::Order];

    /// Its word in a table.
    pub fn title(self, lang: Lang) -> &'static str {
        lang.words(match self {
            Self::Solvable => "solvable",
            Self::Distinct => "distinct",
            Self::Mistakes => "mistakes",
            Self::Hints => "hints",
            Self::Languages => "languages",
            Self::Order => "order",
        })
    }
}

/// Checks what a lesson says besides its exercises.
pub fn lesson(lesson: &Lesson) -> Vec<Finding> {
    let mut findings = Findings::at(lesson.slug);
    page::check(lesson, &mut findings);
    findings.list
}

/// Findings about one place.
struct Findings {
    place: String,
    list: Vec<Finding>,
}

impl Findings {
    fn at(place: impl Into<String>) -> Self {
        Self { place: place.into(), list: Vec::new() }
    }

    fn add(&mut self, kind: Kind, text: impl Into<Text>) {
        self.list.push(Finding { place: self.place.clone(), kind, text: text.into() });
    }

    /// Wants that a text says something and has no hole that nothing fills.
    fn complete(&mut self, kind: Kind, text: &str, what: &str) {
        if text.trim().is_empty() {
            self.add(kind, Text::with("{} is empty", what));
        }
        for hole in super::data::holes(text) {
            let hole = format!("{{{hole}}}");
            self.add(kind, Text::with("{}: nothing fills {}", what).and(hole));
        }
    }
}

/// An answer as it is handed in: printed and read again, or as a file.
///
/// # Errors
/// What was printed, where that cannot be read.
pub fn handed_in(instance: &Instance, answer: &Answer) -> Result<Answer, String> {
    if let Answer::File(_) = answer {
        return Ok(answer.clone());
    }
    let typed = instance.print(answer);
    instance.parse(&typed).map_err(|_| typed)
}

#[cfg(test)]
mod tests;
