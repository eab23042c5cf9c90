//! The key: right answers, worked solutions, and what known mistakes give.

use std::fmt::Write as _;

use super::{Beside, Group, Set, Words, asked, code, escaped, head, heading, placed, prose, with_exercises};
use crate::lang::Lang;
use crate::lesson::grade::harmless;
use crate::lesson::roster::Student;
use crate::lesson::{Answer, Exercise, Instance, Lesson};

/// The key to a student's handout. Its files hold samples of right answers that are files.
pub fn key(course: &str, student: &Student, lessons: &[&Lesson], lang: Lang) -> Set {
    let words = Words::of(lang);
    let mut files = Vec::new();
    let mut groups = Vec::new();
    for lesson in with_exercises(lessons) {
        let solved = |exercise: &Exercise| {
            let instance = placed(exercise, course, student, &mut files);
            let mut text = asked(exercise, &instance, student, words, lang);
            solved(&mut text, exercise, &instance, words, lang);
            if let Answer::File(bytes) = &instance.right {
                let path = format!("{}/{}/right.bin", student.file, exercise.name());
                let _ = write!(text, "\n\n{}{}[right.bin](<{path}>)", words.sample, words.colon);
                files.push(Beside { path, bytes: bytes.clone() });
            }
            text
        };
        let items = lesson.exercises.iter().map(solved).collect();
        groups.push(Group { head: heading(lesson, lang), items });
    }
    let title = format!("{}{}{}", words.key, words.colon, student.called());
    let head = head(&title, course, student, words);
    Set { title, head, groups, tail: Vec::new(), files }
}

/// Bytes of an answer that are worth reading on paper.
const READABLE: usize = 200;

fn solved(text: &mut String, exercise: &Exercise, instance: &Instance, words: &Words, lang: Lang) {
    text.truncate(text.trim_end().len());
    let Words { right, solution, mistakes, colon, .. } = words;
    let printed = instance.print(&instance.right);
    let _ = write!(text, "\n\n**{right}**{colon}");
    match &instance.right {
        Answer::File(_) if printed.len() > READABLE => text.push_str(words.a_file),
        _ => text.push_str(&code(&printed)),
    }
    let worked = instance.fill(exercise.data.solution.in_(lang), lang);
    let _ = write!(text, "\n\n**{solution}**{colon}{}\n\n**{mistakes}**{}\n\n", prose(&worked), colon.trim());
    for slip in &instance.mistakes {
        let printed = instance.print(&slip.answer);
        let answer = if printed.len() > READABLE { words.a_file.to_owned() } else { code(&printed) };
        let _ = writeln!(text, "- {answer} — {}", escaped(slip.id));
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
