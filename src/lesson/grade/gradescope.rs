//! Marks as an autograder of Gradescope writes them, `results.json`
//! (gradescope-autograders.readthedocs.io, Autograder Specifications).

use serde_json::{Value, json};

use super::{Graded, Grades, Mark, Verdict};
use crate::lang::Lang;
use crate::lesson::GENERATION;

/// When a student may see the results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// At once.
    #[default]
    Visible,
    /// Never.
    Hidden,
    /// Once nothing can be handed in any more.
    AfterDueDate,
    /// Once the marks are published.
    AfterPublished,
}

impl Visibility {
    /// As Gradescope spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::Hidden => "hidden",
            Self::AfterDueDate => "after_due_date",
            Self::AfterPublished => "after_published",
        }
    }
}

/// A student's `results.json`.
///
/// The format has no top-level maximum: it is in `extra_data`, and the tests' maxima
/// add up to it.
pub fn gradescope(grades: &Grades, graded: &Graded, visibility: Visibility, lang: Lang) -> Value {
    let template =
        if graded.handed_in { "{} of {} points." } else { "{} of {} points. Nothing was handed in." };
    let output = lang.fill(template, &[&graded.points(), &graded.max()]);
    json!({
        "score": graded.points(),
        "output": output,
        "output_format": "text",
        "visibility": visibility.word(),
        "tests": graded.marks.iter().map(|mark| test(mark, visibility, lang)).collect::<Vec<_>>(),
        "extra_data": {
            "max_score": graded.max(),
            "course": grades.course,
            "student": graded.student.id,
            "tool": concat!("wstool ", env!("CARGO_PKG_VERSION")),
            "generation": GENERATION,
        },
    })
}

fn test(mark: &Mark, visibility: Visibility, lang: Lang) -> Value {
    let mut tags = vec![mark.lesson.slug.to_owned()];
    tags.extend(mark.verdict.mistake().map(str::to_owned));
    json!({
        "number": mark.exercise.name(),
        "name": mark.exercise.data.id,
        "score": mark.points(),
        "max_score": mark.max(),
        "status": if mark.verdict == Verdict::Right { "passed" } else { "failed" },
        "output": mark.lines(lang).join("\n"),
        "visibility": visibility.word(),
        "tags": tags,
        "extra_data": {
            "verdict": mark.verdict.word(),
            "answer": mark.answer,
            "attempts": mark.attempts,
            "hints": mark.hints,
        },
    })
}
