//! What a learner has done so far. Pure data: the command line keeps it in a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Exercise, Lesson};

/// A learner's progress through the course.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The course's word for the seeds; empty outside of a course.
    #[serde(default)]
    pub course: String,
    /// Who learns: with the course what all instances come from.
    pub student: String,
    /// By [`Exercise::key`].
    #[serde(default)]
    pub exercises: BTreeMap<String, Done>,
}

/// What was done with an exercise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The answers given, as typed, in order.
    #[serde(default)]
    pub answers: Vec<String>,
    /// One of them was right.
    #[serde(default)]
    pub right: bool,
    /// Steps of help that were shown.
    #[serde(default)]
    pub hints: usize,
}

impl Progress {
    /// What was done with an exercise, to be added to.
    pub fn of(&mut self, exercise: &Exercise) -> &mut Done {
        self.exercises.entry(exercise.key.clone()).or_default()
    }

    /// Whether an exercise was solved.
    pub fn solved(&self, exercise: &Exercise) -> bool {
        self.exercises.get(&exercise.key).is_some_and(|done| done.right)
    }

    /// Whether an answer was given, or help taken, in a lesson.
    pub fn has_begun(&self, lesson: &Lesson) -> bool {
        let tried = |done: &Done| !done.answers.is_empty() || done.hints > 0;
        lesson.exercises.iter().any(|exercise| self.exercises.get(&exercise.key).is_some_and(tried))
    }

    /// How many exercises of a lesson were solved.
    pub fn solved_of(&self, lesson: &Lesson) -> usize {
        lesson.exercises.iter().filter(|exercise| self.solved(exercise)).count()
    }
}
