//! What there is to read: the lessons, one of them, one exercise.

use unicode_width::UnicodeWidthStr;

use super::store::Store;
use super::tutor::{Tutor, lines};
use super::{WRONG, find_exercise, find_lesson};
use crate::cli::trouble::Trouble;
use crate::lesson::{self, Answer, Exercise, Instance, Lesson, Progress};
use crate::render::columns::left;

/// All lessons, and how far the learner is.
pub(super) fn list(store: &Store, tutor: &Tutor) -> Result<u8, Trouble> {
    let lang = tutor.lang();
    let widest = lesson::lessons().iter().map(|l| l.data.title.in_(lang).width()).max().unwrap_or(0);
    let mut rows = Vec::new();
    for lesson in lesson::lessons() {
        let title = lesson.data.title.in_(lang);
        let space = " ".repeat(widest - title.width());
        let time = match lesson.data.minutes {
            minutes if minutes < 120 => tutor.fill("{} min", &[&minutes]),
            minutes => tutor.fill("{} h", &[&(minutes / 60)]),
        };
        let solved = solved(lesson, store, tutor);
        let line = format!("{:>4}  {title}{space}  {}{solved}", lesson.data.number, left(&time, 9));
        rows.push(line.trim_end().to_owned());
    }
    lines(&rows)?;
    let next = next(&store.progress);
    let number = next.map_or(0, |lesson| lesson.data.number);
    let who = learner(store, tutor).map_or(String::new(), |who| who + "\n");
    let go_on = if next.is_some_and(|lesson| store.progress.has_begun(lesson)) {
        tutor.words("Go on where you are with: wstool lesson try").to_owned() + "\n"
    } else {
        String::new()
    };
    let read = tutor.fill("Read one with: wstool lesson {}", &[&number]);
    tutor.say(&format!("\n{who}{go_on}{read}"))?;
    Ok(0)
}

/// Who learns, once a name or a course was given: exercises and progress go with both.
fn learner(store: &Store, tutor: &Tutor) -> Option<String> {
    let Progress { course, student, .. } = &store.progress;
    match (store.is_named(), course.is_empty()) {
        (false, true) => None,
        (true, true) => Some(tutor.fill("You are {}.", &[student])),
        (true, false) => Some(tutor.fill("You are {} in the course {}.", &[student, course])),
        (false, false) => {
            let ask = "The course is {}, and you have no name in it yet: wstool lesson --student NAME";
            Some(tutor.fill(ask, &[course]))
        }
    }
}

fn solved(lesson: &Lesson, store: &Store, tutor: &Tutor) -> String {
    let (solved, all) = (store.progress.solved_of(lesson), lesson.exercises.len());
    match (solved, all) {
        (_, 0) => String::new(),
        (0, _) if !store.progress.has_begun(lesson) => tutor.words("not begun").to_owned(),
        _ if solved == all => tutor.words("done").to_owned(),
        _ => tutor.fill("{} of {} solved", &[&solved, &all]),
    }
}

/// The lesson to go on with: the first that was begun and is not done, else the first with
/// something left to solve.
pub(super) fn next(progress: &Progress) -> Option<&'static Lesson> {
    let is_open = |lesson: &&Lesson| progress.solved_of(lesson) < lesson.exercises.len();
    let open = || lesson::lessons().iter().filter(is_open);
    open().find(|lesson| progress.has_begun(lesson)).or_else(|| open().next())
}

/// A lesson's page, its exercises, and what comes next.
pub(super) fn lesson(lesson: &Lesson, store: &Store, tutor: &Tutor) -> Result<u8, Trouble> {
    let mut page = tutor.page(lesson.page(tutor.lang()));
    if !lesson.exercises.is_empty() {
        page.push('\n');
    }
    for line in states(|| lesson.exercises.iter(), store, tutor) {
        page += &line;
        page.push('\n');
    }
    let number = lesson.data.number;
    if !lesson.exercises.is_empty() {
        page += &tutor.prose(&tutor.fill("Do them one after another with: wstool lesson try {}", &[&number]));
    }
    if let Some(next) = lesson::lesson(number + 1) {
        let next =
            tutor.fill("Next: wstool lesson {}, {}", &[&(number + 1), &next.data.title.in_(tutor.lang())]);
        page += &tutor.prose(&next);
    }
    tutor.show(&page)?;
    Ok(0)
}

/// What of a lesson, or whether `only` one exercise of it, is solved.
pub(super) fn check(
    lesson: &Lesson,
    only: Option<&Exercise>,
    store: &Store,
    tutor: &Tutor,
) -> Result<u8, Trouble> {
    if lesson.exercises.is_empty() {
        let number = &lesson.data.number;
        let none =
            tutor.fill("Lesson {} has no exercises. Read it with: wstool lesson {}", &[number, number]);
        tutor.say(&none)?;
    }
    let asked =
        || lesson.exercises.iter().filter(|exercise| only.is_none_or(|only| only.key == exercise.key));
    lines(&states(asked, store, tutor))?;
    Ok(if asked().all(|exercise| store.progress.solved(exercise)) { 0 } else { WRONG })
}

/// A line an exercise.
fn states<'l, I: Iterator<Item = &'l Exercise>>(
    exercises: impl Fn() -> I,
    store: &Store,
    tutor: &Tutor,
) -> Vec<String> {
    let state = |exercise: &Exercise| match store.progress.exercises.get(&exercise.key) {
        Some(done) if done.right => tutor.words("solved"),
        Some(done) if !done.answers.is_empty() => tutor.words("not right yet"),
        _ => tutor.words("not answered"),
    };
    let widest = exercises().map(|exercise| state(exercise).width()).max().unwrap_or(0);
    let line = |exercise: &Exercise| {
        let (name, state) = (exercise.name(), state(exercise));
        format!("{name:>5}  {state}{}  wstool lesson {name}", " ".repeat(widest - state.width()))
    };
    exercises().map(line).collect()
}

/// The learner's version of an exercise, and how to answer it.
pub(super) fn exercise(exercise: &Exercise, store: &Store, tutor: &Tutor) -> Result<u8, Trouble> {
    let instance = store.instance(exercise).map_err(Trouble::Asked)?;
    let name = exercise.name();
    let answer = if let Answer::File(_) = instance.right { "--file FILE" } else { "\"…\"" };
    let mut page = question(exercise, &instance, tutor);
    page += &tutor.prose(&tutor.fill("Answer with: wstool lesson answer {} {}", &[&name, &answer]));
    page += &wanted(&instance, tutor);
    page += &tutor.prose(&tutor.fill("Help with: wstool lesson hint {}", &[&name]));
    if store.progress.solved(exercise) {
        page +=
            &tutor.prose(&tutor.fill("You have solved it; what it shows: wstool lesson {} --show", &[&name]));
    }
    tutor.show(&page)?;
    Ok(0)
}

/// What is asked, laid out.
pub(super) fn question(exercise: &Exercise, instance: &Instance, tutor: &Tutor) -> String {
    let (name, section, points) = (exercise.name(), &exercise.data.section, exercise.data.points);
    let head = match points {
        1 => tutor.fill("Exercise {} ({}, 1 point)", &[&name, section]),
        _ => tutor.fill("Exercise {} ({}, {} points)", &[&name, section, &points]),
    };
    let mut page = tutor.prose(&format!("{head}\n\n{}\n\n", exercise.question(instance, tutor.lang())));
    for file in &instance.files {
        let path = instance.fill(&format!("{{file:{}}}", file.name), tutor.lang());
        page += &tutor.fill("File for you: {}", &[&path]);
        page.push('\n');
    }
    if !instance.files.is_empty() {
        page.push('\n');
    }
    page
}

/// In which form an answer is wanted, laid out.
pub(super) fn wanted(instance: &Instance, tutor: &Tutor) -> String {
    let how = instance.right.expected(&instance.options);
    tutor.prose(&tutor.fill("Wanted: {}", &[&tutor.lang().say(&how)]))
}

/// Forgets what was done, in all lessons, in one, or in an exercise.
pub(super) fn reset(what: Option<&str>, store: &mut Store, tutor: &Tutor) -> Result<u8, Trouble> {
    let forgotten = match what {
        None => store.reset(|_| true),
        Some(what) if what.contains('.') => {
            let exercise = find_exercise(what)?;
            store.reset(|key| key == exercise.key)
        }
        Some(what) => {
            let lesson = find_lesson(what)?;
            store.reset(|key| lesson.exercises.iter().any(|exercise| exercise.key == key))
        }
    };
    let forgotten = forgotten.map_err(Trouble::Asked)? as u64;
    tutor.say(&tutor.lang().count(
        forgotten,
        &forgotten,
        ["Forgotten: what you did with {} exercise.", "Forgotten: what you did with {} exercises."],
    ))?;
    Ok(0)
}
