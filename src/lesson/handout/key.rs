//! The key: right answers, worked solutions, and what known mistakes give.

use std::fmt::Write as _;

use super::{Beside, Group, Set, asked, code, head, heading, labelled, placed, prose, with_exercises};
use crate::lang::Lang;
use crate::lesson::grade::harmless;
use crate::lesson::roster::Student;
use crate::lesson::{Answer, Exercise, Instance, Lesson};

/// The key to a student's handout. Its files hold samples of right answers that are files.
pub fn key(course: &str, student: &Student, lessons: &[&Lesson], lang: Lang) -> Set {
    let mut files = Vec::new();
    let mut groups = Vec::new();
    for lesson in with_exercises(lessons) {
        let solved = |exercise: &Exercise| {
            let instance = placed(exercise, course, student, &mut files);
            let mut text = asked(exercise, &instance, student, lang);
            solved(&mut text, exercise, &instance, student, lang);
            if let Answer::File(bytes) = &instance.right {
                files.push(Beside { path: sample(exercise, student), bytes: bytes.clone() });
            }
            text
        };
        let items = lesson.exercises.iter().map(solved).collect();
        groups.push(Group { head: heading(lesson, lang), items });
    }
    let title = labelled("Key", student.called(), lang);
    let head = head(&title, course, student, lang);
    Set { title, head, groups, tail: Vec::new(), files }
}

/// Where a file lies that is a right answer.
fn sample(exercise: &Exercise, student: &Student) -> String {
    format!("{}/{}/right.bin", student.file, exercise.name())
}

/// Characters of a file in hex that are worth reading on paper.
const READABLE: usize = 200;

fn solved(text: &mut String, exercise: &Exercise, instance: &Instance, student: &Student, lang: Lang) {
    text.truncate(text.trim_end().len());
    let colon = lang.words(": ");
    let label = |words| format!("**{}**{colon}", lang.words(words));
    let shown = |answer: &Answer| {
        let printed = instance.print(answer);
        let fits = !matches!(answer, Answer::File(_)) || printed.len() <= READABLE;
        fits.then(|| code(&printed))
    };
    let _ = write!(text, "\n\n{}{}", label("Right answer"), shown(&instance.right).unwrap_or_default());
    if let Answer::File(_) = instance.right {
        let _ =
            write!(text, " {} [right.bin](<{}>)", lang.words("a file such as"), sample(exercise, student));
    }
    let worked = instance.fill(exercise.data.solution.in_(lang), lang);
    let _ = write!(text, "\n\n{}{}", label("Solution"), prose(&worked));
    let _ = write!(text, "\n\n{}\n\n", label("Known mistakes").trim());
    for slip in &instance.mistakes {
        let answer = shown(&slip.answer).map(|answer| answer + " — ").unwrap_or_default();
        let told = exercise.diagnosis(instance, slip.id, &slip.answer, lang).unwrap_or_default();
        let told: Vec<_> = told.lines().map(str::trim).collect();
        let _ = writeln!(text, "- {answer}{}", prose(&told.join(" ")));
    }
}

/// The right answers of all students as CSV: student, exercise, answer.
pub fn key_csv(course: &str, students: &[Student], lessons: &[&Lesson]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut rows = vec![["student", "exercise", "answer"].map(str::to_owned)];
    for student in students {
        for exercise in with_exercises(lessons).flat_map(|lesson| &lesson.exercises) {
            let instance = exercise.instance(course, student.seed());
            let right = instance.print(&instance.right);
            rows.push([harmless(&student.id), exercise.name(), harmless(&right)]);
        }
    }
    for row in rows {
        writer.write_record(row).expect("rows of one length go into memory");
    }
    String::from_utf8(writer.into_inner().expect("memory takes it")).expect("cells are UTF-8")
}
