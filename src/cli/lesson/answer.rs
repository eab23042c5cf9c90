//! Answers and what is said of them, and hints.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::store::Store;
use super::tutor::{Tutor, lines};
use super::{Demonstrate, WRONG, show};
use crate::cli::file;
use crate::cli::trouble::{REFUSED, Trouble, of_file};
use crate::lesson::{self, Answer, Exercise, Instance, Judgement, Lesson};
use crate::model::Text;
use crate::render::columns;

/// Bytes of an answer that are read: more than any exercise wants.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What was answered.
pub(super) enum Given {
    Typed(String),
    File(Vec<u8>),
}

/// The answer as typed, from standard input or from a file.
pub(super) fn given(words: &[String], file: Option<&Path>) -> Result<Given, Text> {
    if let Some(path) = file {
        let read = file::open(path).and_then(|file| read(file.reader));
        return read.map(Given::File).map_err(|e| of_file(path, &e));
    }
    if words == ["-"] {
        let bytes =
            read(io::stdin().lock()).map_err(|e| Text::with("standard input cannot be read: {}", e))?;
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
    tutor: &Tutor,
    show: Option<&mut Demonstrate<'_>>,
) -> Result<u8, Trouble> {
    let instance = store.instance(exercise).map_err(Trouble::Asked)?;
    let code = judged(exercise, &instance, given, store, tutor)?;
    if code == 0 {
        if let Some(demonstrate) = show {
            demonstrated(&instance, demonstrate)?;
        }
        right(exercise, &instance, store, tutor)?;
        next(exercise, store, tutor)?;
    }
    Ok(code)
}

/// What the tool itself says of an exercise that was solved, and why.
pub(super) fn shown(
    exercise: &Exercise,
    store: &Store,
    tutor: &Tutor,
    demonstrate: &mut Demonstrate<'_>,
) -> Result<u8, Trouble> {
    let name = exercise.name();
    if !store.progress.solved(exercise) {
        let text = Text::with("{} is not solved yet: --show would give its answer away", name);
        return Err(Trouble::Asked(text));
    }
    let instance = store.instance(exercise).map_err(Trouble::Asked)?;
    demonstrated(&instance, demonstrate)?;
    right(exercise, &instance, store, tutor)?;
    Ok(0)
}

/// Shows what the tool itself says.
fn demonstrated(instance: &Instance, demonstrate: &mut Demonstrate<'_>) -> Result<(), Trouble> {
    if !instance.command.is_empty() {
        let arguments = instance.arguments();
        let words: Vec<_> = arguments.iter().map(|argument| quoted(argument)).collect();
        lines(&[format!("$ wstool {}", words.join(" "))])?;
        demonstrate(&arguments)?;
        lines(&[String::new()])?;
    }
    Ok(())
}

/// Why a right answer is right; last, that it is, and how far the lesson has come.
fn right(exercise: &Exercise, instance: &Instance, store: &Store, tutor: &Tutor) -> Result<(), Trouble> {
    explained(exercise, instance, tutor)?;
    Ok(tutor.say(&how_far(exercise, store, tutor))?)
}

/// Why a right answer is right.
fn explained(exercise: &Exercise, instance: &Instance, tutor: &Tutor) -> Result<(), Trouble> {
    let explanation = instance.fill(exercise.data.explanation.in_(tutor.lang()), tutor.lang());
    Ok(tutor.say(explanation.trim())?)
}

/// That an answer is right, and how far its lesson has come.
fn how_far(exercise: &Exercise, store: &Store, tutor: &Tutor) -> String {
    let Some(lesson) = lesson::lesson(exercise.lesson) else { return String::new() };
    let (solved, all) = (store.progress.solved_of(lesson), lesson.exercises.len());
    let words = "{}: right. Lesson {}: {} of {} solved.";
    tutor.fill(words, &[&exercise.name(), &exercise.lesson, &solved, &all])
}

/// Says what an answer is, and keeps it.
fn judged(
    exercise: &Exercise,
    instance: &Instance,
    given: &Given,
    store: &mut Store,
    tutor: &Tutor,
) -> Result<u8, Trouble> {
    let name = exercise.name();
    let answer = given.answer(instance).map_err(|unreadable| unread(&name, &unreadable, tutor))?;
    let judgement = instance.judge_answer(&answer);
    if let Judgement::Unreadable(_) = judgement {
        return Err(unread(&name, &judgement, tutor));
    }
    let kept = store.change(|progress| {
        let done = progress.of(exercise);
        done.answers.push(instance.print(&answer));
        done.right |= judgement.is_right();
    });
    kept.map_err(Trouble::Asked)?;
    if judgement.is_right() {
        return Ok(0);
    }
    tutor.say(&tutor.fill("{}: not right.", &[&name]))?;
    let told = exercise.told(instance, &judgement, &answer, tutor.lang());
    told.words.iter().try_for_each(|words| tutor.say(words))?;
    lines(&told.dump)?;
    tutor.say(&tutor.fill("See {}. Help: wstool lesson hint {}", &[&exercise.data.section, &name]))?;
    Ok(WRONG)
}

/// An answer that says nothing is no wrong answer.
fn unread(name: &str, judgement: &Judgement, tutor: &Tutor) -> Trouble {
    let expected = match judgement {
        Judgement::Unreadable(expected) => tutor.lang().say(expected),
        _ => "".into(),
    };
    Trouble::Said(tutor.fill("{}: this answer cannot be read; wanted: {}", &[&name, &expected]))
}

/// Where to go on: with what is left of this lesson, the next behind this one first; else
/// with the next lesson.
fn next(exercise: &Exercise, store: &Store, tutor: &Tutor) -> Result<(), Trouble> {
    let Some(lesson) = lesson::lesson(exercise.lesson) else { return Ok(()) };
    let open = || lesson.exercises.iter().filter(|e| !store.progress.solved(e));
    let left = open().find(|e| e.place > exercise.place).or_else(|| open().next());
    let following = lesson::lesson(exercise.lesson + 1).map(|lesson| lesson.data.number.to_string());
    if let Some(next) = left.map(Exercise::name).or(following) {
        let name = exercise.name();
        let words = "Next: wstool lesson {}. What the tool says of this one: wstool lesson {} --show";
        tutor.say(&tutor.fill(words, &[&next, &name]))?;
    }
    Ok(())
}

/// Asks, listens and answers, exercise by exercise, until all are solved or passed over.
pub(super) fn dialogue(exercises: &[&Exercise], store: &mut Store, tutor: &Tutor) -> Result<u8, Trouble> {
    let mut worst = 0;
    // That the answer before was right begins the page of the next question: it would be gone from the
    // screen before it is read where that page is long.
    let mut before = String::new();
    for (place, exercise) in exercises.iter().enumerate() {
        let instance = store.instance(exercise).map_err(Trouble::Asked)?;
        if place > 0 {
            before.push('\n');
        }
        let question = show::question(exercise, &instance, tutor) + &show::wanted(&instance, tutor);
        tutor.show(&(std::mem::take(&mut before) + &question))?;
        loop {
            let Some(said) = asked(&instance, tutor)? else { return Ok(WRONG) };
            let given = match said.as_str() {
                "q" | "quit" | "exit" => return Ok(WRONG),
                "" => {
                    worst = WRONG;
                    break;
                }
                "?" | "？" | "hint" | "help" | "提示" => {
                    hint(exercise, store, tutor)?;
                    continue;
                }
                said if let Some(command) = command_in(said) => {
                    run(command, tutor)?;
                    continue;
                }
                path if matches!(instance.right, Answer::File(_)) => given(&[], Some(Path::new(path))),
                _ => Ok(Given::Typed(said)),
            };
            let given = given.map_err(|e| Trouble::Said(tutor.lang().say(&e).into_owned()));
            match given.and_then(|given| judged(exercise, &instance, &given, store, tutor)) {
                Ok(0) => {
                    explained(exercise, &instance, tutor)?;
                    let words = "What the tool says of it: ! wstool lesson {} --show";
                    before = tutor.prose(&how_far(exercise, store, tutor))
                        + &tutor.prose(&tutor.fill(words, &[&exercise.name()]));
                    break;
                }
                Ok(_) => {}
                // Nothing is lost: the question stands.
                Err(Trouble::Said(message)) => tutor.say(&message)?,
                Err(trouble) => return Err(trouble),
            }
        }
    }
    io::stdout().lock().write_all(before.as_bytes())?;
    Ok(worst)
}

/// The command that a line at the prompt is: behind `!`, or a `wstool` that was pasted.
fn command_in(said: &str) -> Option<&str> {
    let behind = said.strip_prefix(['!', '！']).map(str::trim);
    behind
        .or_else(|| said.strip_prefix("$ ").map(str::trim))
        .or_else(|| said.starts_with("wstool ").then_some(said))
}

/// Runs a command as the shell would, with this very `wstool` first on its path; the
/// question stands meanwhile.
fn run(command: &str, tutor: &Tutor) -> Result<(), Trouble> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child = Command::new(shell);
    child.args([flag, command]);
    if let Some(own) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(own.to_path_buf()).chain(std::env::split_paths(&rest));
        if let Ok(path) = std::env::join_paths(folders) {
            child.env("PATH", path);
        }
    }
    if !io::stdin().is_terminal() {
        // What comes through a pipe are answers, and not for the command.
        child.stdin(Stdio::null());
    }
    match child.status() {
        Ok(_) => Ok(()),
        Err(e) => Ok(tutor.say(&tutor.fill("{} cannot be run: {}", &[&shell, &e]))?),
    }
}

/// The learner's next line; `None` when there is none to come.
fn asked(instance: &Instance, tutor: &Tutor) -> Result<Option<String>, Trouble> {
    let ask = match instance.right {
        Answer::File(_) => "The path of your file (? help, ! command, empty to skip, q to leave): ",
        _ => "Your answer (? help, ! command, empty to skip, q to leave): ",
    };
    let mut out = io::stdout().lock();
    write!(out, "{}", tutor.words(ask))?;
    out.flush()?;
    let mut line = Vec::new();
    let read = io::stdin().lock().take(LONGEST).read_until(b'\n', &mut line)?;
    // What is no UTF-8 is no answer, and is told so like any other.
    let line = String::from_utf8_lossy(&line);
    if read == 0 || !io::stdin().is_terminal() {
        // What a terminal would have shown, or the line that nobody ended.
        writeln!(out, "{}", columns::escaped(line.trim_end()))?;
    }
    Ok((read > 0).then(|| line.trim().to_owned()))
}

/// Judges the answers of a file, a line each, and says what of the lesson is solved.
///
/// A line that names no exercise of the lesson is found before anything is judged and kept.
pub(super) fn check_file(
    lesson: &Lesson,
    path: &Path,
    store: &mut Store,
    tutor: &Tutor,
) -> Result<u8, Trouble> {
    let text = match path.to_str() {
        Some("-") => io::read_to_string(io::stdin().lock().take(LONGEST)),
        _ => file::open(path).and_then(|file| io::read_to_string(file.reader)),
    };
    let text = text.map_err(|e| Trouble::Asked(of_file(path, &e)))?;
    let mut answers = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, typed) = line.split_once([' ', ':', '\t', '=']).unwrap_or((line, ""));
        let exercise = lesson.exercises.iter().find(|exercise| exercise.name() == name).ok_or_else(|| {
            let words = "{}: line {}: `{}`; wanted: an exercise of lesson {}, then the answer";
            let text = Text::with(words, path.display()).and(number).and(name);
            Trouble::Asked(text.and(lesson.data.number))
        })?;
        answers.push((
            number,
            exercise,
            Given::Typed(typed.trim_start_matches([' ', ':', '\t', '=']).to_owned()),
        ));
    }
    let mut worst = 0;
    for (number, exercise, given) in answers {
        let instance = store.instance(exercise).map_err(Trouble::Asked)?;
        match judged(exercise, &instance, &given, store, tutor) {
            Ok(code) => {
                if code == 0 {
                    tutor.say(&tutor.fill("{}: right.", &[&exercise.name()]))?;
                }
                worst = worst.max(code);
            }
            Err(Trouble::Said(message)) => {
                let line = tutor.fill("error: {}: line {}: {}", &[&path.display(), &number, &message]);
                writeln!(io::stderr(), "{}", columns::escaped(&line))?;
                worst = REFUSED;
            }
            Err(trouble) => return Err(trouble),
        }
    }
    let all = show::check(lesson, None, store, tutor)?;
    Ok(worst.max(all))
}

/// Shows the next step of help; the last one, again and again, is a worked solution.
pub(super) fn hint(exercise: &Exercise, store: &mut Store, tutor: &Tutor) -> Result<u8, Trouble> {
    let lang = tutor.lang();
    let instance = store.instance(exercise).map_err(Trouble::Asked)?;
    let ladder = exercise.data.hints.in_(lang);
    let shown = store.change(|progress| {
        let done = progress.of(exercise);
        let step = done.hints.min(ladder.len());
        done.hints = step + 1;
        step
    });
    let step = shown.map_err(Trouble::Asked)?;
    let head = tutor.fill("Help {} of {} for {}:", &[&(step + 1), &(ladder.len() + 1), &exercise.name()]);
    if let Some(hint) = ladder.get(step) {
        tutor.say(&format!("{head}\n\n{}\n", instance.fill(hint, lang).trim()))?;
        return Ok(0);
    }
    let Store { progress, .. } = store;
    let example = exercise.example(&progress.course, &progress.student);
    let solution = example.fill(exercise.data.solution.in_(lang), lang);
    tutor.say(&format!(
        "{head}\n\n{}\n\n{}\n\n{}\n{}\n",
        tutor.words("Another instance, and how it is solved. It asks:"),
        exercise.question(&example, lang),
        tutor.words("Solution:"),
        solution.trim()
    ))?;
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
