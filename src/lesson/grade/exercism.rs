//! Marks of a lesson as a test runner of Exercism writes them, `results.json` of
//! version 3 (exercism.org/docs/building/tooling/test-runners/interface).

use serde_json::{Value, json};

use super::{Graded, Mark, Verdict};
use crate::lang::Lang;
use crate::lesson::Lesson;

/// Characters of a message that Exercism keeps.
const MESSAGE: usize = 65_535;

/// A student's results for one lesson: the lesson is Exercism's exercise, its
/// exercises are the tasks, each with one test.
pub fn exercism(graded: &Graded, lesson: &Lesson, lang: Lang) -> Value {
    if !graded.handed_in {
        let message = lang.words("Nothing was handed in.");
        return json!({ "version": 3, "status": "error", "message": message, "tests": [] });
    }
    let marks: Vec<&Mark> = graded.marks.iter().filter(|mark| mark.lesson.slug == lesson.slug).collect();
    let passed = marks.iter().all(|mark| mark.verdict == Verdict::Right);
    json!({
        "version": 3,
        "status": if passed { "pass" } else { "fail" },
        "message": null,
        "tests": marks.iter().map(|mark| test(mark, lang)).collect::<Vec<_>>(),
    })
}

fn test(mark: &Mark, lang: Lang) -> Value {
    let status = match mark.verdict {
        Verdict::Right => "pass",
        Verdict::Unreadable => "error",
        _ => "fail",
    };
    let mut test = json!({
        "name": format!("{} {}", mark.exercise.name(), mark.exercise.data.id),
        "status": status,
        "test_code": mark.exercise.question(&mark.instance, lang),
        "task_id": mark.exercise.place,
    });
    if status != "pass" {
        let message: String = mark.lines(lang).join("\n").chars().take(MESSAGE).collect();
        test["message"] = message.into();
    }
    test
}
