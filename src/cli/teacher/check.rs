//! `teacher check`: the course, checked as its tests do.

use std::io::{self, Write};

use super::words::wrapped;
use super::{FINDINGS, Trouble, all};
use crate::cli::output;
use crate::lang::Lang;
use crate::lesson::Lesson;
use crate::lesson::check::{self, Finding, Kind};
use crate::render::columns::left;

/// Columns of a finding.
const WIDTH: usize = 75;

pub(super) fn run(lessons: &[&Lesson], course: &str, instances: usize, lang: Lang) -> Result<u8, Trouble> {
    let exercises: usize = lessons.iter().map(|lesson| lesson.exercises.len()).sum();
    let bar = output::steps(exercises as u64, lang);
    // What a lesson may use depends on all lessons.
    let order = check::order(&all(), &check::terms());
    let mut rows = Vec::new();
    for lesson in lessons {
        let mut findings = check::lesson(lesson);
        findings.extend(order.iter().filter(|finding| finding.place == lesson.slug).cloned());
        for exercise in &lesson.exercises {
            findings.extend(check::exercise(exercise, course, instances));
            bar.inc(1);
        }
        rows.push((lesson, findings));
    }
    bar.finish_and_clear();
    let mut out = io::stdout().lock();
    let heads = Kind::ALL.map(|kind| kind.title(lang));
    let begin = ["lesson", "exercises"].map(|words| lang.words(words));
    writeln!(out, "{}", row(&[&begin[..], &heads[..]].concat()))?;
    for (lesson, findings) in &rows {
        let count = |kind: Kind| findings.iter().filter(|finding| finding.kind == kind).count();
        let cells = Kind::ALL.map(|kind| match count(kind) {
            0 => lang.words("ok").to_owned(),
            bad => lang.fill("{} bad", &[&bad]),
        });
        let begin = [lesson.data.number.to_string(), lesson.exercises.len().to_string()];
        let cells: Vec<&str> = begin.iter().chain(&cells).map(String::as_str).collect();
        writeln!(out, "{}", row(&cells))?;
    }
    let findings: Vec<&Finding> = rows.iter().flat_map(|(_, findings)| findings).collect();
    writeln!(out)?;
    for finding in &findings {
        let text = format!("{}: {}: {}", finding.place, finding.kind.title(lang), lang.say(&finding.text));
        for (at, line) in wrapped(&text, WIDTH).into_iter().enumerate() {
            writeln!(out, "{}{line}", if at == 0 { "" } else { "    " })?;
        }
    }
    let count = findings.len();
    if count > 0 {
        writeln!(out)?;
    }
    let template = match count {
        0 => "{} exercises, {} instances each: no findings",
        _ => "{} exercises, {} instances each: {} findings",
    };
    writeln!(out, "{}", lang.fill(template, &[&exercises, &instances, &count]))?;
    out.flush()?;
    Ok(if count == 0 { 0 } else { FINDINGS })
}

fn row(cells: &[&str]) -> String {
    const WIDTHS: [usize; 8] = [6, 9, 8, 8, 8, 5, 9, 5];
    let cells = cells.iter().zip(WIDTHS).map(|(cell, width)| left(cell, width));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}
