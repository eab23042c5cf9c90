//! Exercises on paper: a set for each student, and the key to it, apart.
//!
//! A set is a few pieces of Markdown. Joined they are a file to read on a code host or
//! to convert; each in its element of a page they are HTML to print.

mod html;
mod key;
mod markdown;

use std::fmt::Write as _;

use super::roster::Student;
use super::{Answer, Exercise, Instance, Lesson};
use crate::lang::Lang;

use markdown::{code, escaped, prose, words as line};

pub use html::page;
pub use key::{key, key_csv};

/// What one student gets: pieces of Markdown, and files to go with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// In plain words.
    pub title: String,
    /// What comes before the exercises.
    pub head: String,
    /// The exercises, by lesson.
    pub groups: Vec<Group>,
    /// What comes after the exercises.
    pub tail: Vec<String>,
    /// Files that the exercises are about.
    pub files: Vec<Beside>,
}

/// A lesson in a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its heading.
    pub head: String,
    /// Its exercises, each as it is written out.
    pub items: Vec<String>,
}

/// A file that goes with a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// From the folder of the set on, with slashes.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Set {
    /// The set as one Markdown file.
    pub fn markdown(&self) -> String {
        let groups = self.groups.iter().flat_map(|group| std::iter::once(&group.head).chain(&group.items));
        let pieces = std::iter::once(&self.head).chain(groups).chain(&self.tail);
        pieces.map(|piece| piece.trim_end()).collect::<Vec<_>>().join("\n\n") + "\n"
    }
}

/// A student's exercises, and how to hand them in. Lessons without exercises are left out.
pub fn handout(course: &str, student: &Student, lessons: &[&Lesson], lang: Lang) -> Set {
    let words = |english| lang.words(english);
    let mut files = Vec::new();
    let mut sheet = format!(
        "## {}\n\n| {} | {} | {} | {} |\n|---|---|---|---|\n",
        words("Answer sheet"),
        words("Exercise"),
        words("Points"),
        words("Wanted"),
        words("Your answer")
    );
    let mut groups = Vec::new();
    for lesson in with_exercises(lessons) {
        let mut items = Vec::new();
        for exercise in &lesson.exercises {
            let instance = placed(exercise, course, student, &mut files);
            items.push(asked(exercise, &instance, student, lang));
            let wanted = match &instance.right {
                Answer::File(_) => words("a file, or its bytes in hex").into(),
                _ => lang.say(&instance.right.expected(&instance.options)),
            };
            let (name, points) = (exercise.name(), exercise.data.points);
            let _ =
                writeln!(sheet, "| {name} | {points} | {} | {} |", escaped(&wanted), room(&instance, lang));
        }
        groups.push(Group { head: heading(lesson, lang), items });
    }
    let title = labelled("Exercises", student.called(), lang);
    let head = head(&title, course, student, lang);
    let first = groups.first().and(with_exercises(lessons).next()).map_or(0, |lesson| lesson.data.number);
    let tail = vec![sheet, how_to_hand_in(course, student, first, lang)];
    Set { title, head, groups, tail, files }
}

/// Bytes that are written by hand without losing one's place.
const BYTES_ON_PAPER: usize = 16;

/// Where the answer goes: places for bytes, and for what nobody writes by hand a word.
fn room(instance: &Instance, lang: Lang) -> String {
    match &instance.right {
        // As many places for every question: their number is no hint.
        Answer::Hex(bytes) if bytes.len() <= BYTES_ON_PAPER => code(&["__"; BYTES_ON_PAPER].join(" ")),
        Answer::Hex(_) | Answer::File(_) => lang.words("not on paper: at the computer").to_owned(),
        _ => String::new(),
    }
}

/// The page that leads to all sets of a folder; `kinds` are the extensions of the files
/// that each student has.
pub fn index(course: &str, students: &[Student], lessons: &[&Lesson], kinds: &[&str], lang: Lang) -> Set {
    let words = |english| lang.words(english);
    let title = labelled("Exercises", course, lang);
    let list = with_exercises(lessons).map(|lesson| format!("- {}\n", titled(lesson, lang)));
    let head = format!("# {}\n\n{}", escaped(&title), list.collect::<String>());
    let mut table = format!("| {} | {} | |\n|---|---|---|\n", words("student"), words("name"));
    for student in students {
        let link = |kind: &&str| format!("[{kind}](<{}.{kind}>)", student.file);
        let links = kinds.iter().map(link).collect::<Vec<_>>().join(" · ");
        let (id, name) = (escaped(&student.id), escaped(&student.name));
        let _ = writeln!(table, "| {id} | {name} | {links} |");
    }
    Set { title, head, groups: Vec::new(), tail: vec![table], files: Vec::new() }
}

/// Those of the lessons that have exercises.
pub fn with_exercises<'l>(lessons: &'l [&'l Lesson]) -> impl Iterator<Item = &'l Lesson> {
    lessons.iter().copied().filter(|lesson| !lesson.exercises.is_empty())
}

/// A student's instance, its files among `files`.
fn placed(exercise: &Exercise, course: &str, student: &Student, files: &mut Vec<Beside>) -> Instance {
    let mut instance = exercise.instance(course, student.seed());
    for given in instance.files.clone() {
        let path = format!("{}/{}/{}", student.file, exercise.name(), given.name);
        instance.placed(given.name, &path);
        files.push(Beside { path, bytes: given.bytes });
    }
    instance
}

fn head(title: &str, course: &str, student: &Student, lang: Lang) -> String {
    let mut head = format!("# {}\n\n{}", escaped(title), labelled("Course", &code(course), lang));
    let _ = write!(head, " · {}", labelled("student", &code(&student.id), lang));
    if let Some(instead) = &student.instead {
        let _ = write!(head, " · {}", labelled("exercises made from", &code(instead), lang));
    }
    head
}

/// Something behind its label.
fn labelled(label: &'static str, what: &str, lang: Lang) -> String {
    format!("{}{}{what}", lang.words(label), lang.words(": "))
}

fn heading(lesson: &Lesson, lang: Lang) -> String {
    format!("## {}\n\n{}", titled(lesson, lang), lesson.data.objective.in_(lang).trim())
}

fn titled(lesson: &Lesson, lang: Lang) -> String {
    let (number, title) = (lesson.data.number, lesson.data.title.in_(lang));
    lang.fill("Lesson {}: {}", &[&number, &title])
}

/// An exercise as it is asked.
fn asked(exercise: &Exercise, instance: &Instance, student: &Student, lang: Lang) -> String {
    let (name, section, points) = (exercise.name(), &exercise.data.section, exercise.data.points);
    let template = if points == 1 { "{} ({}, 1 point)" } else { "{} ({}, {} points)" };
    let mut asked = format!("### {}\n\n", lang.fill(template, &[&name, section, &points]));
    asked.push_str(&prose(&instance.fill(exercise.data.prompt.in_(lang), lang)));
    asked.push_str("\n\n");
    for option in instance.labelled(lang) {
        // The letters are what is answered: no numbering of the reader's own.
        let (label, text) = option.split_once(") ").unwrap_or(("", &option));
        let text: Vec<_> = text.lines().map(|text| line(text.trim())).collect();
        let _ = writeln!(asked, "- **{label})** {}", text.join("\\\n  "));
    }
    if !instance.files.is_empty() {
        let link = |name: &str| format!("[{name}](<{}/{}/{name}>)", student.file, exercise.name());
        let links: Vec<_> = instance.files.iter().map(|file| link(file.name)).collect();
        asked.truncate(asked.trim_end().len());
        let _ = writeln!(asked, "\n\n{}", labelled("Files for you", &links.join(", "), lang));
    }
    asked
}

fn how_to_hand_in(course: &str, student: &Student, lesson: u8, lang: Lang) -> String {
    let (course, seed) = (argument(course), argument(student.seed()));
    let file = &student.file;
    let commands = format!(
        "```sh\nwstool lesson {lesson} --course {course} --student {seed}\n\
         wstool lesson answer {lesson}.1 \"…\"\n\
         wstool lesson report > {}\n```",
        argument(&format!("{file}.json"))
    );
    let text = code(&format!("{file}.txt"));
    format!(
        "## {}\n\n{}\n\n{}\n\n{commands}\n\n{}\n\n    {lesson}.1 …",
        lang.words("How to hand in"),
        lang.words("On paper: fill in the sheet."),
        lang.fill(
            "With the tool: it has the same exercises for you, says at once what is wrong, and helps \
             (`wstool lesson hint {}.1`). What you hand in is the report. It holds your answers, and how \
             many steps of help you took.",
            &[&lesson]
        ),
        lang.fill("As a text file: {}, a line for each exercise, its number and the answer:", &[&text]),
    )
}

/// A word as a shell takes it.
fn argument(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+%@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests;
