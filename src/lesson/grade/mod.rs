//! Grading: what students handed in, judged anew.
//!
//! ```text
//! reports, files of answers, CSV ─► intake ─► answers of each student
//! course, list, lessons ─► instances ─────────► marks ─► csv, gradescope, exercism
//! ```
//!
//! Nothing that a report claims is believed. It says whose exercises it was made for;
//! those are made again here, and every answer is judged as the learner's tool would.

mod copied;
mod csv;
mod exercism;
mod gradescope;
mod intake;
mod suite;

use std::collections::BTreeMap;

use super::roster::Student;
use super::{Answer, Exercise, Instance, Judgement, Lesson};
use crate::lang::Lang;
use crate::limits;
use crate::model::Text;

use self::csv::original;
pub use self::csv::{csv, harmless};
pub use exercism::exercism;
pub use gradescope::{Visibility, gradescope};

/// Which of several answers to one exercise counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counts {
    /// A right one, whenever it came: learners may try until it is right.
    #[default]
    Any,
    /// The first that was given.
    First,
    /// The last that was given.
    Last,
}

/// A grading on its way: files are taken one by one.
#[derive(Debug)]
pub struct Grading<'c> {
    course: &'c str,
    students: &'c [Student],
    lessons: &'c [&'static Lesson],
    handed_in: Vec<HandedIn>,
    remarks: Vec<Remark>,
}

/// What a student handed in, from all files.
#[derive(Clone, Debug, Default)]
struct HandedIn {
    files: Vec<String>,
    /// By [`Exercise::key`].
    answers: BTreeMap<String, Given>,
}

/// What was handed in for one exercise.
#[derive(Clone, Debug, Default)]
struct Given {
    /// As typed, in order.
    answers: Vec<String>,
    hints: usize,
}

/// Something that the teacher should know besides the marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The file, with a line where it has some.
    pub file: Option<String>,
    /// In one line.
    pub text: Text,
    /// Something was not counted, or is missing.
    pub grave: bool,
}

/// The result of a grading.
#[derive(Debug)]
pub struct Grades {
    /// The word that the exercises' numbers are drawn from.
    pub course: String,
    /// In the order of the list, or of their names without one.
    pub students: Vec<Graded>,
    /// What the teacher should look at.
    pub remarks: Vec<Remark>,
}

/// A student's marks.
#[derive(Debug)]
pub struct Graded {
    /// Whose they are.
    pub student: Student,
    /// Something was handed in.
    pub handed_in: bool,
    /// In the order of the lessons, a mark for every exercise.
    pub marks: Vec<Mark>,
}

/// What one exercise came to.
#[derive(Debug)]
pub struct Mark {
    /// The exercise.
    pub exercise: &'static Exercise,
    /// Its lesson.
    pub lesson: &'static Lesson,
    /// The student's instance.
    pub instance: Instance,
    /// What the answer was found to be.
    pub verdict: Verdict,
    /// The answer that counted, as typed; empty where there is none.
    pub answer: String,
    /// How many answers were given.
    pub attempts: usize,
    /// Steps of help that the learner's tool says it showed.
    pub hints: usize,
}

/// What an answer was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Right,
    /// A known mistake, by its id.
    Mistake(String),
    /// It is none of the known mistakes.
    Wrong,
    /// It cannot be read as an answer of its kind.
    Unreadable,
    /// No answer was given.
    Missing,
}

impl Verdict {
    /// The word for it in files.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Mistake(_) => "mistake",
            Self::Wrong => "wrong",
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
        }
    }

    /// The id of the known mistake.
    pub fn mistake(&self) -> Option<&str> {
        match self {
            Self::Mistake(id) => Some(id),
            _ => None,
        }
    }
}

impl<'c> Grading<'c> {
    /// `lessons` are those that count.
    pub fn new(course: &'c str, students: &'c [Student], lessons: &'c [&'static Lesson]) -> Self {
        let handed_in = students.iter().map(|_| HandedIn::default()).collect();
        Self { course, students, lessons, handed_in, remarks: Vec::new() }
    }

    fn remark(&mut self, file: impl Into<String>, grave: bool, text: impl Into<Text>) {
        self.remarks.push(Remark { file: Some(file.into()), text: text.into(), grave });
    }

    /// Judges all that was taken. `step` is called after each student.
    pub fn finish(mut self, counts: Counts, step: &mut dyn FnMut()) -> Grades {
        let mut students: Vec<Graded> = Vec::new();
        for (student, handed_in) in self.students.iter().zip(&self.handed_in) {
            let exercises =
                self.lessons.iter().flat_map(|lesson| lesson.exercises.iter().map(|e| (*lesson, e)));
            let marks = exercises.map(|(lesson, exercise)| {
                let instance = exercise.instance(self.course, student.seed());
                let given = handed_in.answers.get(&exercise.key);
                Mark::of(lesson, exercise, instance, given, counts)
            });
            let marks = marks.collect();
            students.push(Graded { student: student.clone(), handed_in: !handed_in.files.is_empty(), marks });
            step();
        }
        self.remarks.extend(copied::remarks(self.course, &students));
        Grades { course: self.course.to_owned(), students, remarks: self.remarks }
    }
}

impl Mark {
    fn of(
        lesson: &'static Lesson,
        exercise: &'static Exercise,
        instance: Instance,
        given: Option<&Given>,
        counts: Counts,
    ) -> Self {
        let answers = given.map_or(&[][..], |given| &given.answers);
        let considered = match counts {
            Counts::Any => answers,
            Counts::First => &answers[..answers.len().min(1)],
            Counts::Last => &answers[answers.len().saturating_sub(1)..],
        };
        let mut counted = (Verdict::Missing, String::new());
        for typed in considered.iter().rev().take(limits::ANSWERS_JUDGED) {
            let verdict = match instance.judge(typed) {
                Judgement::Right => Verdict::Right,
                Judgement::Known(id) => Verdict::Mistake(id),
                Judgement::Differs(_) | Judgement::Ticks(_) => Verdict::Wrong,
                Judgement::Unreadable(_) => Verdict::Unreadable,
            };
            // A right one; else the last one.
            if verdict == Verdict::Right || counted.0 == Verdict::Missing {
                counted = (verdict, typed.clone());
            }
            if counted.0 == Verdict::Right {
                break;
            }
        }
        let (verdict, answer) = counted;
        let hints = given.map_or(0, |given| given.hints);
        Self { exercise, lesson, instance, verdict, answer, attempts: answers.len(), hints }
    }

    /// The points earned.
    pub fn points(&self) -> u32 {
        if self.verdict == Verdict::Right { self.exercise.data.points } else { 0 }
    }

    /// The points that can be earned.
    pub fn max(&self) -> u32 {
        self.exercise.data.points
    }

    /// What is said of the answer: the diagnosis of a wrong one, and where to read.
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let mut lines = match &self.verdict {
            Verdict::Right => return vec![lang.words("Right.").to_owned()],
            Verdict::Missing => return vec![lang.words("Not answered.").to_owned()],
            Verdict::Mistake(_) | Verdict::Wrong => {
                let judgement = self.instance.judge(&self.answer);
                let given = self.given().unwrap_or_else(|| self.instance.right.clone());
                let told = self.exercise.told(&self.instance, &judgement, &given, lang);
                told.words.into_iter().chain(told.dump).collect()
            }
            Verdict::Unreadable => {
                let expected = self.instance.right.expected(&self.instance.options);
                vec![lang.fill("The answer cannot be read; wanted: {}.", &[&lang.say(&expected)])]
            }
        };
        lines.push(lang.fill("See {}.", &[&self.exercise.data.section]));
        lines
    }

    fn given(&self) -> Option<Answer> {
        self.instance.parse(&self.answer).ok()
    }
}

impl Graded {
    /// The points earned.
    pub fn points(&self) -> u32 {
        self.marks.iter().map(Mark::points).sum()
    }

    /// The points that can be earned.
    pub fn max(&self) -> u32 {
        self.marks.iter().map(Mark::max).sum()
    }
}

impl Grades {
    /// Who handed nothing in.
    pub fn missing(&self) -> impl Iterator<Item = &Student> {
        self.students.iter().filter(|graded| !graded.handed_in).map(|graded| &graded.student)
    }

    /// The mistakes that were made, most often first: exercise, id, how many students.
    pub fn mistakes(&self) -> Vec<(&'static Exercise, &str, usize)> {
        let mut count: BTreeMap<(u8, u8, &str), (&'static Exercise, usize)> = BTreeMap::new();
        for mark in self.students.iter().flat_map(|graded| &graded.marks) {
            if let Some(id) = mark.verdict.mistake() {
                let key = (mark.exercise.lesson, mark.exercise.place, id);
                count.entry(key).or_insert((mark.exercise, 0)).1 += 1;
            }
        }
        let mut mistakes: Vec<_> =
            count.into_iter().map(|((_, _, id), (exercise, n))| (exercise, id, n)).collect();
        mistakes.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
        mistakes
    }
}

#[cfg(test)]
mod tests;
