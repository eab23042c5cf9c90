//! What there is to read: the lessons, one of them, one exercise.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::store::Store;
use super::{Trouble, WRONG, say};
use crate::lang::Lang;
use crate::lesson::{self, Answer, Exercise, Instance, Lesson};

/// All lessons, and how far the learner is.
pub(super) fn list(store: &Store, lang: Lang, out: &mut impl Write) -> Result<u8, Trouble> {
    let widest = lesson::lessons().iter().map(|l| l.data.title.in_(lang).width()).max().unwrap_or(0);
    for lesson in lesson::lessons() {
        let title = lesson.data.title.in_(lang);
        let space = " ".repeat(widest - title.width());
        writeln!(out, "{:>4}  {title}{space}  {}", lesson.data.number, solved(lesson, store, lang))?;
    }
    writeln!(out, "\n{}", say(lang, "Read one with: wstool lesson 0", "阅读某一课：wstool lesson 0"))?;
    Ok(0)
}

fn solved(lesson: &Lesson, store: &Store, lang: Lang) -> String {
    let (solved, all) = (store.progress.solved_of(lesson), lesson.exercises.len());
    match (solved, all) {
        (_, 0) => String::new(),
        (0, _) => say(lang, "not begun", "未开始").to_owned(),
        _ if solved == all => say(lang, "done", "已完成").to_owned(),
        _ => match lang {
            Lang::En => format!("{solved} of {all} solved"),
            Lang::Zh => format!("{all} 题中已做对 {solved} 题"),
        },
    }
}

/// A lesson's page, and its exercises.
pub(super) fn lesson(
    lesson: &Lesson,
    store: &Store,
    lang: Lang,
    out: &mut impl Write,
) -> Result<u8, Trouble> {
    writeln!(out, "{}\n", lesson.page(lang).trim_end())?;
    check(lesson, store, lang, out)?;
    Ok(0)
}

/// What of a lesson is solved.
pub(super) fn check(lesson: &Lesson, store: &Store, lang: Lang, out: &mut impl Write) -> Result<u8, Trouble> {
    for exercise in &lesson.exercises {
        let done = store.progress.exercises.get(&exercise.key);
        let state = match done {
            Some(done) if done.right => say(lang, "solved", "已做对"),
            Some(done) if !done.answers.is_empty() => say(lang, "not right yet", "还没做对"),
            _ => say(lang, "not answered", "未作答"),
        };
        let name = exercise.name();
        writeln!(out, "{name:>5}  {state}   wstool lesson {name}")?;
    }
    let all = store.progress.solved_of(lesson) == lesson.exercises.len();
    Ok(if all { 0 } else { WRONG })
}

/// The learner's version of an exercise.
pub(super) fn exercise(
    exercise: &Exercise,
    store: &Store,
    lang: Lang,
    out: &mut impl Write,
) -> Result<u8, Trouble> {
    let instance = store.instance(exercise).map_err(Trouble::Said)?;
    let (name, section, points) = (exercise.name(), &exercise.data.section, exercise.data.points);
    match lang {
        Lang::En => {
            let points = if points == 1 { "1 point".to_owned() } else { format!("{points} points") };
            writeln!(out, "Exercise {name} ({section}, {points})\n")?;
        }
        Lang::Zh => writeln!(out, "练习 {name}（{section}，{points} 分）\n")?,
    }
    writeln!(out, "{}\n", exercise.question(&instance, lang))?;
    files(&instance, lang, out)?;
    let how = instance.right.expected(&instance.options);
    let answer = if let Answer::File(_) = instance.right { "--file FILE" } else { "\"…\"" };
    writeln!(out, "{}wstool lesson answer {name} {answer}", say(lang, "Answer with: ", "作答："))?;
    writeln!(out, "  {}{}", say(lang, "wanted: ", "要写的是："), how.in_(lang))?;
    writeln!(out, "{}wstool lesson hint {name}", say(lang, "Help with: ", "提示："))?;
    Ok(0)
}

fn files(instance: &Instance, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    for file in &instance.files {
        let path = instance.fill(&format!("{{file:{}}}", file.name), lang);
        writeln!(out, "{}{path}", say(lang, "File for you: ", "给你的文件："))?;
    }
    if !instance.files.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}
