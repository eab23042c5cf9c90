//! What students hand in, taken from files of several kinds.
//!
//! - a report, as `wstool lesson report` writes it: it names its student itself;
//! - a file of answers, a line each (`3.2 81 85`), named by its student;
//! - a table of answers from paper, CSV with the columns student, exercise, answer.

use super::{Grading, original};
use crate::lesson::report::Report;
use crate::lesson::roster::{self, Student, Table, plain};
use crate::lesson::{Exercise, GENERATION, exercise, lessons};

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
            return self.remark(file, true, "this is no text in UTF-8", "不是 UTF-8 文本");
        };
        if extension.as_deref() == Some("json") || text.trim_start().starts_with('{') {
            self.report(file, &text);
        } else {
            self.lines(file, &text);
        }
    }

    fn report(&mut self, file: &str, text: &str) {
        let report = match Report::read(text) {
            Ok(report) => report,
            Err(e) => return self.remark(file, true, plain(&e), plain(&e)),
        };
        let (tool, own) = (plain(&report.tool), env!("CARGO_PKG_VERSION"));
        if report.generation != GENERATION {
            let made = report.generation;
            return self.remark(
                file,
                true,
                format!(
                    "its exercises are of generation {made} (wstool {tool}), those of wstool {own} of \
                     generation {GENERATION}: grade it with wstool {tool}; not counted"
                ),
                format!(
                    "其中的题目属于第 {made} 代（wstool {tool}），而 wstool {own} 出的是第 {GENERATION} 代：\
                     请用 wstool {tool} 评分；未计入"
                ),
            );
        }
        let Some(owners) = self.owners(file, &report) else { return };
        if report.tool != own {
            let en = format!("made by wstool {tool}, this is {own}; the exercises are the same");
            self.remark(file, false, en, format!("由 wstool {tool} 生成，当前是 {own}；题目相同"));
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
            let list = unknown.join(", ");
            let en = format!("no such exercises, not counted: {list}");
            self.remark(file, true, en, format!("没有这些练习，未计入：{list}"));
        }
        for owner in owners {
            self.handed_in[owner].files.push(file.to_owned());
        }
    }

    /// Whose report it is: places in the list. More than one where students share exercises.
    fn owners(&mut self, file: &str, report: &Report) -> Option<Vec<usize>> {
        let (student, course) = (plain(&report.student), plain(&report.course));
        if report.course != self.course {
            let wanted = self.course;
            let (en, zh) = if course.is_empty() {
                ("outside of a course".to_owned(), "没有指定课程".to_owned())
            } else {
                (format!("for the course `{course}`"), format!("属于课程 `{course}`"))
            };
            self.remark(
                file,
                true,
                format!("{student} did these exercises {en}, not for `{wanted}`; not counted"),
                format!("{student} 的这些题目{zh}，不是 `{wanted}`；未计入"),
            );
            return None;
        }
        let places = |fits: &dyn Fn(&Student) -> bool| -> Vec<usize> {
            let students = self.students.iter().enumerate();
            students.filter(|(_, student)| fits(student)).map(|(place, _)| place).collect()
        };
        let owners = places(&|listed| listed.seed() == report.student);
        if owners.is_empty() {
            let moved = self.students.iter().find(|listed| listed.id == report.student);
            let (en, zh) = match moved {
                Some(listed) => {
                    let seed = listed.seed();
                    (
                        format!("the exercises of `{student}`, whose override is `{seed}`; not counted"),
                        format!("是 `{student}` 的题目，但名单中改用 `{seed}`；未计入"),
                    )
                }
                None => (
                    format!("the exercises of `{student}`, who is not in the list; not counted"),
                    format!("是 `{student}` 的题目，名单中没有此人；未计入"),
                ),
            };
            self.remark(file, true, en, zh);
            return None;
        }
        // A file named by one student that holds another's work.
        let named = places(&|listed| is_named(file, listed));
        if let [named] = named[..]
            && !owners.contains(&named)
        {
            let named = &self.students[named].id;
            let en = format!("the exercises of `{student}`, handed in as those of `{named}`; not counted");
            let zh = format!("是 `{student}` 的题目，却作为 `{named}` 的交了上来；未计入");
            self.remark(file, true, en, zh);
            return None;
        }
        Some(owners)
    }

    /// A file of answers, as `wstool lesson check` reads it.
    fn lines(&mut self, file: &str, text: &str) {
        let owner = self.students.iter().position(|student| is_named(file, student));
        let Some(owner) = owner else {
            let stem = plain(stem(file));
            let en = format!("no student of the list is `{stem}`; a file of answers is named by its student");
            let zh = format!("名单中没有 `{stem}`；答案文件要用学生的 id 命名");
            return self.remark(file, true, en, zh);
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
            Err(fault) => {
                let [en, zh] = crate::lang::Lang::ALL.map(|lang| fault.told(lang));
                return self.remark(file, true, en, zh);
            }
        };
        let header = table.header(&[STUDENT, EXERCISE, ANSWER, HINTS]);
        let [Some(student), Some(name), Some(answer), hints] = header.unwrap_or_default() else {
            let en = "the columns student, exercise and answer are wanted";
            return self.remark(file, true, en, "需要 student、exercise 和 answer 三列");
        };
        for row in 1..table.rows.len() {
            let at = || format!("{file}:{}", table.line(row));
            let id = original(table.cell(row, student));
            let owner = self.students.iter().position(|listed| listed.id == id);
            let Some(owner) = owner else {
                let id = plain(id);
                let en = format!("no student of the list is `{id}`; not counted");
                self.remark(at(), true, en, format!("名单中没有 `{id}`；未计入"));
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
        let name = plain(name);
        let en = format!("there is no exercise `{name}`; they are named like 3.2; not counted");
        self.remark(at, true, en, format!("没有练习 `{name}`；练习写作 3.2 这样；未计入"));
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
