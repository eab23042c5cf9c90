//! What a learner hands in: the parts of the seed, and the answers as typed.
//!
//! A report keeps no secret and proves nothing: a checker on the learner's machine
//! could be made to say anything. So it says only what was answered, and grading
//! makes the exercises again and judges the answers anew.

use serde::{Deserialize, Serialize};

use super::roster::plain;
use super::{GENERATION, Progress, lessons};
use crate::model::Text;

/// What the first field of a report says, up to the number of its format.
pub const FORMAT: &str = "wstool-report/1";

/// What a learner hands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: String,
    /// The version of the tool that the exercises were done with.
    pub tool: String,
    /// The tool's [`GENERATION`] of exercises.
    pub generation: u32,
    /// The course's word; empty outside of a course.
    #[serde(default)]
    pub course: String,
    /// Whose exercises they are.
    pub student: String,
    /// What was tried.
    #[serde(default)]
    pub exercises: Vec<Done>,
}

/// What was done with an exercise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Its name, such as `3.2`, for people.
    #[serde(default)]
    pub exercise: String,
    /// The lesson's folder and the exercise's id: what counts.
    pub key: String,
    /// The answers, as typed, in order.
    #[serde(default)]
    pub answers: Vec<String>,
    /// What the learner's tool said. Grading does not believe it.
    #[serde(default)]
    pub right: bool,
    /// Steps of help that were shown.
    #[serde(default)]
    pub hints: usize,
}

impl Report {
    /// The report of what a learner has done, in the order of the lessons.
    pub fn of(progress: &Progress) -> Self {
        let exercises = lessons().iter().flat_map(|lesson| &lesson.exercises).filter_map(|exercise| {
            let done = progress.exercises.get(&exercise.key)?;
            Some(Done {
                exercise: exercise.name(),
                key: exercise.key.clone(),
                answers: done.answers.clone(),
                right: done.right,
                hints: done.hints,
            })
        });
        Self {
            format: FORMAT.to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            generation: GENERATION,
            course: progress.course.clone(),
            student: progress.student.clone(),
            exercises: exercises.collect(),
        }
    }

    /// Reads a report.
    ///
    /// # Errors
    /// Why it is none, in one line.
    pub fn read(text: &str) -> Result<Self, Text> {
        #[derive(Deserialize)]
        struct Head {
            format: Option<String>,
        }
        let head: Head = serde_json::from_str(text)
            .map_err(|e| Text::with("not JSON as a report is: {}", plain(&e.to_string())))?;
        match head.format.as_deref() {
            Some(FORMAT) => serde_json::from_str(text).map_err(|e| Text::with("{}", plain(&e.to_string()))),
            Some(other) => {
                Err(Text::with("its format is `{}`; this version reads {}", plain(other)).and(FORMAT))
            }
            None => Err(Text::with("no report; one begins with \"format\": \"{}\"", FORMAT)),
        }
    }

    /// The report as it is handed in.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and numbers become JSON") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson;

    #[test]
    fn a_report_says_what_was_answered() {
        let mut progress = Progress {
            course: "c".into(),
            student: "张伟".into(),
            exercises: std::collections::BTreeMap::new(),
        };
        let exercise = lesson::exercise("0.2").expect("lesson 0 has exercises");
        progress.of(exercise).answers = vec!["81".into(), "82".into()];
        progress.of(exercise).hints = 2;
        let report = Report::of(&progress);
        assert_eq!(Report::read(&report.json()), Ok(report.clone()));
        let [done] = &report.exercises[..] else { panic!("{report:?}") };
        assert_eq!((done.exercise.as_str(), done.hints, done.answers.len()), ("0.2", 2, 2));
    }

    #[test]
    fn what_is_no_report_is_said_to_be_none() {
        for (text, says) in [
            ("", "not JSON"),
            ("[1]", "not JSON"),
            ("{}", "no report"),
            ("{\"format\": \"wstool-report/9\"}", "`wstool-report/9`"),
            ("{\"format\": \"wstool-report/1\"}", "missing field"),
        ] {
            let error = Report::read(text).expect_err(says).to_string();
            assert!(error.contains(says) && !error.contains('\n'), "{error}");
        }
    }
}
