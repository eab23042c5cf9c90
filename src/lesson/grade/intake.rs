//! What students hand in, taken from files of several kinds.
//!
//! - a report, as `wstool lesson report` writes it: it names its student itself;
//! - a file of answers, a line each (`3.2 81 85`), named by its student;
//! - a report of the conformance suite, of a server that they wrote (see `suite`);
//! - a table of answers from paper, CSV with the columns student, exercise, answer.

use super::{Grading, original, suite};
use crate::lesson::report::Report;
use crate::lesson::roster::{self, Student, Table, plain};
use crate::lesson::{Exercise, GENERATION, exercise, lessons};
use crate::model::Text;

const STUDENT: &[&str] = &["student", "id", "student_id", "学号", "学生"];
const EXERCISE: &[&str] = &["exercise", "question", "练习", "题号"];
const ANSWER: &[&str] = &["answer", "答案"];
const HINTS: &[&str] = &["hints", "提示"];

impl Grading<'_> {
    /// Takes a file that was handed in. What cannot be counted becomes a remark.
    pub fn take(&mut self, file: &str, bytes: &[u8]) {
        let extension = file.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
        if extension.as_deref() == Some("csv") {
            return self.table(file, bytes);
        }
        let Ok(text) = roster::text(bytes) else {
            return self.remark(file, true, "this is no text in UTF-8");
        };
        if extension.as_deref() == Some("json") || text.trim_start().starts_with('{') {
            if suite::is_one(&text) {
                self.suite(file, &text);
            } else {
                self.report(file, &text);
            }
        } else {
            self.lines(file, &text);
        }
    }

    fn report(&mut self, file: &str, text: &str) {
        let report = match Report::read(text) {
            Ok(report) => report,
            Err(why) => return self.remark(file, true, why),
        };
        let (tool, own) = (plain(&report.tool), env!("CARGO_PKG_VERSION"));
        if report.generation != GENERATION {
            let made = report.generation;
            let text = "its exercises are of generation {} (wstool {}), those of wstool {} of generation {}: \
                        grade it with wstool {}; not counted";
            let text = Text::with(text, made).and(&tool).and(own).and(GENERATION).and(&tool);
            return self.remark(file, true, text);
        }
        let Some(owners) = self.owners(file, &report) else { return };
        if report.tool != own {
            let text = Text::with("made by wstool {}, this is {}; the exercises are the same", tool);
            self.remark(file, false, text.and(own));
        }
        let mut unknown = Vec::new();
        for done in report.exercises {
            let known = lessons().iter().flat_map(|lesson| &lesson.exercises).find(|e| e.key == done.key);
            match known {
                Some(known) => {
                    for owner in &owners {
                        self.add(*owner, known, &done.answers, done.hints);
                    }
                }
                None => unknown.push(plain(&done.key)),
            }
        }
        if !unknown.is_empty() {
            self.remark(file, true, Text::with("no such exercises, not counted: {}", unknown.join(", ")));
        }
        for owner in owners {
            self.handed_in[owner].files.push(file.to_owned());
        }
    }

    /// Whose report it is: places in the list. More than one where students share exercises.
    fn owners(&mut self, file: &str, report: &Report) -> Option<Vec<usize>> {
        let (student, course) = (plain(&report.student), plain(&report.course));
        if report.course != self.course {
            let text = if course.is_empty() {
                Text::with("{} did these exercises outside of a course, not for `{}`; not counted", student)
            } else {
                let text = "{} did these exercises for the course `{}`, not for `{}`; not counted";
                Text::with(text, student).and(course)
            };
            self.remark(file, true, text.and(self.course));
            return None;
        }
        let places = |fits: &dyn Fn(&Student) -> bool| -> Vec<usize> {
            let students = self.students.iter().enumerate();
            students.filter(|(_, student)| fits(student)).map(|(place, _)| place).collect()
        };
        let owners = places(&|listed| listed.seed() == report.student);
        if owners.is_empty() {
            let moved = self.students.iter().find(|listed| listed.id == report.student);
            let text = match moved {
                Some(listed) => {
                    Text::with("the exercises of `{}`, whose override is `{}`; not counted", student)
                        .and(listed.seed())
                }
                None => Text::with("the exercises of `{}`, who is not in the list; not counted", student),
            };
            self.remark(file, true, text);
            return None;
        }
        // A file named by one student that holds another's work.
        let named = places(&|listed| is_named(file, listed));
        if let [named] = named[..]
            && !owners.contains(&named)
        {
            let named = &self.students[named].id;
            let text = "the exercises of `{}`, handed in as those of `{}`; not counted";
            self.remark(file, true, Text::with(text, student).and(named));
            return None;
        }
        Some(owners)
    }

    /// A file of answers, as `wstool lesson check` reads it.
    fn lines(&mut self, file: &str, text: &str) {
        let owner = self.students.iter().position(|student| is_named(file, student));
        let Some(owner) = owner else {
            let text = "no student of the list is `{}`; a file of answers is named by its student";
            return self.remark(file, true, Text::with(text, plain(stem(file))));
        };
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let parts = |c: char| c.is_whitespace() || matches!(c, ':' | '=' | '：');
            let (name, typed) = line.split_once(parts).unwrap_or((line, ""));
            let typed = typed.trim_start_matches(parts).to_owned();
            match exercise(name) {
                Some(exercise) => self.add(owner, exercise, &[typed], 0),
                None => self.no_exercise(&format!("{file}:{number}"), name),
            }
        }
        self.handed_in[owner].files.push(file.to_owned());
    }

    /// Answers that were given on paper.
    fn table(&mut self, file: &str, bytes: &[u8]) {
        let table = match Table::read(bytes) {
            Ok(table) => table,
            Err(fault) => return self.remark(file, true, fault.text()),
        };
        let header = table.header(&[STUDENT, EXERCISE, ANSWER, HINTS]);
        let [Some(student), Some(name), Some(answer), hints] = header.unwrap_or_default() else {
            return self.remark(file, true, "the columns student, exercise and answer are wanted");
        };
        for row in 1..table.rows.len() {
            let at = || format!("{file}:{}", table.line(row));
            let id = original(table.cell(row, student));
            let owner = self.students.iter().position(|listed| listed.id == id);
            let Some(owner) = owner else {
                let text = Text::with("no student of the list is `{}`; not counted", plain(id));
                self.remark(at(), true, text);
                continue;
            };
            let Some(exercise) = exercise(table.cell(row, name)) else {
                self.no_exercise(&at(), table.cell(row, name));
                continue;
            };
            let hints = hints.and_then(|column| table.cell(row, column).parse().ok()).unwrap_or(0);
            self.add(owner, exercise, &[original(table.cell(row, answer)).to_owned()], hints);
            if self.handed_in[owner].files.last().is_none_or(|last| last != file) {
                self.handed_in[owner].files.push(file.to_owned());
            }
        }
    }

    fn no_exercise(&mut self, at: &str, name: &str) {
        let text = "there is no exercise `{}`; they are named like 3.2; not counted";
        self.remark(at, true, Text::with(text, plain(name)));
    }

    fn add(&mut self, owner: usize, exercise: &Exercise, answers: &[String], hints: usize) {
        let given = self.handed_in[owner].answers.entry(exercise.key.clone()).or_default();
        given.hints = given.hints.max(hints);
        let typed = answers.iter().map(|answer| answer.trim()).filter(|answer| !answer.is_empty());
        let typed: Vec<_> = typed.map(str::to_owned).collect();
        // A later report begins with what an earlier one says.
        if typed.starts_with(&given.answers) {
            given.answers = typed;
        } else if !given.answers.starts_with(&typed) {
            given.answers.extend(typed);
        }
    }
}

/// The name of a file without folders and extension.
fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Whether a file is named by a student. Ids may have full stops themselves.
fn is_named(file: &str, student: &Student) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    [stem(file), name].iter().any(|name| *name == student.id || *name == student.file)
}
