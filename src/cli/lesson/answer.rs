//! Answers and what is said of them, and hints.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use super::store::Store;
use super::{Demonstrate, REFUSED, Trouble, WRONG, say};
use crate::lang::Lang;
use crate::lesson::{self, Answer, Exercise, Instance, Judgement, Lesson};

/// Bytes of an answer that are read: more than any exercise wants.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What was answered.
pub(super) enum Given {
    Typed(String),
    File(Vec<u8>),
}

/// The answer as typed, from standard input or from a file.
pub(super) fn given(words: &[String], file: Option<&Path>) -> Result<Given, String> {
    if let Some(path) = file {
        let read = fs::File::open(path).and_then(read);
        return read.map(Given::File).map_err(|e| format!("{}: {e}", path.display()));
    }
    if words == ["-"] {
        let bytes = read(io::stdin().lock()).map_err(|e| format!("standard input: {e}"))?;
        return Ok(match String::from_utf8(bytes) {
            Ok(text) => Given::Typed(text),
            Err(e) => Given::File(e.into_bytes()),
        });
    }
    Ok(Given::Typed(words.join(" ")))
}

fn read(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Given {
    /// The answer it is to an instance.
    fn answer(&self, instance: &Instance) -> Result<Answer, Judgement> {
        match (self, &instance.right) {
            (Self::File(bytes), Answer::File(_)) => Ok(Answer::File(bytes.clone())),
            (Self::File(bytes), _) => {
                instance.parse(&String::from_utf8_lossy(bytes)).map_err(Judgement::Unreadable)
            }
            (Self::Typed(text), _) => instance.parse(text).map_err(Judgement::Unreadable),
        }
    }
}

/// Judges an answer, keeps it, and says what it is; after a right one, shows the truth.
pub(super) fn answer(
    exercise: &Exercise,
    given: &Given,
    store: &mut Store,
    lang: Lang,
    demonstrate: &mut Demonstrate<'_>,
) -> Result<u8, Trouble> {
    let mut out = io::stdout().lock();
    let instance = store.instance(exercise).map_err(Trouble::Said)?;
    let code = judged(exercise, &instance, given, store, lang, &mut out)?;
    if code != 0 {
        return Ok(code);
    }
    if !instance.command.is_empty() {
        let arguments = instance.arguments();
        writeln!(out, "\n$ wstool {}", arguments.iter().map(|a| quoted(a)).collect::<Vec<_>>().join(" "))?;
        out.flush()?;
        drop(out);
        demonstrate(&arguments)?;
        out = io::stdout().lock();
    }
    writeln!(out, "\n{}\n", instance.fill(exercise.data.explanation.in_(lang), lang).trim())?;
    next(exercise, lang, &mut out)?;
    out.flush()?;
    Ok(0)
}

/// Says what an answer is, and keeps it.
fn judged(
    exercise: &Exercise,
    instance: &Instance,
    given: &Given,
    store: &mut Store,
    lang: Lang,
    out: &mut impl Write,
) -> Result<u8, Trouble> {
    let answer = given.answer(instance);
    let judgement = match &answer {
        Ok(answer) => instance.judge_answer(answer),
        Err(unreadable) => unreadable.clone(),
    };
    if let Judgement::Unreadable(expected) = &judgement {
        let name = exercise.name();
        let expected = expected.in_(lang);
        let message = match lang {
            Lang::En => format!("{name}: this answer cannot be read; wanted: {expected}"),
            Lang::Zh => format!("{name}：看不懂这个答案；要写的是：{expected}"),
        };
        return Err(Trouble::Said(message));
    }
    if let Ok(answer) = &answer {
        let done = store.progress.of(exercise);
        done.answers.push(instance.print(answer));
        done.right |= judgement.is_right();
        store.save().map_err(Trouble::Said)?;
        for line in verdict(exercise, instance, answer, &judgement, lang) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(if judgement.is_right() { 0 } else { WRONG })
}

/// What is said of an answer.
fn verdict(
    exercise: &Exercise,
    instance: &Instance,
    answer: &Answer,
    judgement: &Judgement,
    lang: Lang,
) -> Vec<String> {
    let name = exercise.name();
    let mut lines = match judgement {
        Judgement::Right => return vec![format!("{name}: {}", say(lang, "right.", "正确。"))],
        Judgement::Known(id) => {
            let diagnosis = exercise.diagnosis(instance, id, answer, lang).unwrap_or_default();
            vec![format!("{name}: {}", say(lang, "not right.", "不对。")), diagnosis]
        }
        Judgement::Differs(difference) => {
            let mut lines = vec![format!("{name}: {}", say(lang, "not right.", "不对。"))];
            lines.extend(difference.lines(lang));
            lines
        }
        Judgement::Unreadable(expected) => vec![expected.in_(lang).to_owned()],
    };
    let section = &exercise.data.section;
    lines.push(match lang {
        Lang::En => format!("See {section}. Help: wstool lesson hint {name}"),
        Lang::Zh => format!("参见 {section}。提示：wstool lesson hint {name}"),
    });
    lines
}

fn next(exercise: &Exercise, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let after = format!("{}.{}", exercise.lesson, exercise.place + 1);
    let next = match lesson::exercise(&after) {
        Some(next) => next.name(),
        None => match lesson::lesson(exercise.lesson + 1) {
            Some(lesson) => lesson.data.number.to_string(),
            None => return Ok(()),
        },
    };
    writeln!(out, "{}wstool lesson {next}", say(lang, "Next: ", "接下来："))
}

/// Judges the answers of a file, a line each, and says what of the lesson is solved.
pub(super) fn check_file(
    lesson: &Lesson,
    path: &Path,
    store: &mut Store,
    lang: Lang,
    out: &mut impl Write,
) -> Result<u8, Trouble> {
    let text = fs::read_to_string(path).map_err(|e| Trouble::Said(format!("{}: {e}", path.display())))?;
    let mut worst = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, typed) = line.split_once([' ', ':', '\t', '=']).unwrap_or((line, ""));
        let exercise = lesson.exercises.iter().find(|exercise| exercise.name() == name).ok_or_else(|| {
            let wanted = format!("an exercise of lesson {}, then the answer", lesson.data.number);
            Trouble::Said(format!("{}: line {number}: `{name}`; wanted: {wanted}", path.display()))
        })?;
        let instance = store.instance(exercise).map_err(Trouble::Said)?;
        let typed = typed.trim_start_matches([' ', ':', '\t', '=']);
        let given = Given::Typed(typed.to_owned());
        match judged(exercise, &instance, &given, store, lang, out) {
            Ok(code) => worst = worst.max(code),
            Err(Trouble::Said(message)) => {
                writeln!(io::stderr(), "error: {}: line {number}: {message}", path.display())?;
                worst = REFUSED;
            }
            Err(trouble) => return Err(trouble),
        }
    }
    let all = super::show::check(lesson, store, lang, out)?;
    Ok(worst.max(all))
}

/// Shows the next step of help; the last one, again and again, is a worked solution.
pub(super) fn hint(
    exercise: &Exercise,
    store: &mut Store,
    lang: Lang,
    out: &mut impl Write,
) -> Result<u8, Trouble> {
    let instance = store.instance(exercise).map_err(Trouble::Said)?;
    let ladder = exercise.data.hints.in_(lang);
    let done = store.progress.of(exercise);
    let step = done.hints.min(ladder.len());
    done.hints = step + 1;
    store.save().map_err(Trouble::Said)?;
    let (step_of, all) = (step + 1, ladder.len() + 1);
    match lang {
        Lang::En => writeln!(out, "Help {step_of} of {all} for {}:\n", exercise.name())?,
        Lang::Zh => writeln!(out, "{} 的提示，第 {step_of} 步，共 {all} 步：\n", exercise.name())?,
    }
    if let Some(hint) = ladder.get(step) {
        writeln!(out, "{}", instance.fill(hint, lang).trim())?;
        return Ok(0);
    }
    let Store { progress, .. } = store;
    let example = exercise.example(&progress.course, &progress.student);
    let head =
        say(lang, "Another instance, and how it is solved. It asks:", "另一道同类题和它的解法。题目是：");
    writeln!(out, "{head}\n\n{}\n", exercise.question(&example, lang))?;
    let solution = example.fill(exercise.data.solution.in_(lang), lang);
    writeln!(out, "{}\n{}", say(lang, "Solution:", "解法："), solution.trim())?;
    Ok(0)
}

/// An argument as a shell takes it.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+%@".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    if argument.contains(['"', '$', '`', '\\', '!']) {
        return format!("'{}'", argument.replace('\'', "'\\''"));
    }
    format!("\"{argument}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_where_a_shell_would_part_them() {
        assert_eq!(quoted("--view"), "--view");
        assert_eq!(quoted("81 05"), "\"81 05\"");
        assert_eq!(quoted("{\"op\": 1}"), "'{\"op\": 1}'");
        assert_eq!(quoted("it's \"x\""), "'it'\\''s \"x\"'");
    }
}
