//! Marks as a table for spreadsheets and scripts.

use super::{Grades, Mark};
use crate::lesson::roster::plain;

const COLUMNS: [&str; 11] = [
    "student", "lesson", "exercise", "points", "max", "verdict", "mistake", "hints", "answer", "attempts",
    "name",
];

/// The marks as CSV, a row for each exercise of each student.
///
/// A cell that a spreadsheet would take for a formula begins with an apostrophe.
pub fn csv(grades: &Grades) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    for graded in &grades.students {
        let row = |mark: &Mark| {
            [
                harmless(&graded.student.id),
                mark.exercise.lesson.to_string(),
                mark.exercise.name(),
                mark.points().to_string(),
                mark.max().to_string(),
                mark.verdict.word().to_owned(),
                mark.verdict.mistake().unwrap_or_default().to_owned(),
                mark.hints.to_string(),
                harmless(&plain(&mark.answer)),
                mark.attempts.to_string(),
                harmless(&graded.student.name),
            ]
        };
        rows.extend(graded.marks.iter().map(row));
    }
    for row in rows {
        writer.write_record(row).expect("rows of one length go into memory");
    }
    String::from_utf8(writer.into_inner().expect("memory takes it")).expect("cells are UTF-8")
}

/// A cell that no spreadsheet computes: an apostrophe goes before what looks like a formula.
pub fn harmless(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// What a cell said before it was made harmless.
pub fn original(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

fn is_formula(cell: &str) -> bool {
    let begins =
        |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    cell.trim_start_matches(' ').starts_with(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed() {
        for (cell, shown) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            (" +1", "' +1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("81 05", "81 05"),
            ("a=b", "a=b"),
        ] {
            assert_eq!((harmless(cell).as_str(), original(shown)), (shown, cell));
        }
    }
}
