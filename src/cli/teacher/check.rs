//! `teacher check`: the course, checked as its tests do.

use std::io::{self, Write};

use super::words::wrapped;
use super::{FINDINGS, Trouble, all, say};
use crate::cli::output;
use crate::lang::Lang;
use crate::lesson::Lesson;
use crate::lesson::check::{self, Finding, Kind};

/// Columns of a finding.
const WIDTH: usize = 75;

pub(super) fn run(lessons: &[&Lesson], course: &str, instances: usize, lang: Lang) -> Result<u8, Trouble> {
    let exercises: usize = lessons.iter().map(|lesson| lesson.exercises.len()).sum();
    let bar = output::steps(exercises as u64);
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
    let begin = [say(lang, "lesson", "课"), say(lang, "exercises", "练习")];
    writeln!(out, "{}", row(&[&begin[..], &heads[..]].concat()))?;
    for (lesson, findings) in &rows {
        let count = |kind: Kind| findings.iter().filter(|finding| finding.kind == kind).count();
        let cells = Kind::ALL.map(|kind| match (count(kind), lang) {
            (0, Lang::En) => "ok".to_owned(),
            (0, Lang::Zh) => "通过".to_owned(),
            (bad, Lang::En) => format!("{bad} bad"),
            (bad, Lang::Zh) => format!("{bad} 处"),
        });
        let begin = [lesson.data.number.to_string(), lesson.exercises.len().to_string()];
        let cells: Vec<&str> = begin.iter().chain(&cells).map(String::as_str).collect();
        writeln!(out, "{}", row(&cells))?;
    }
    let findings: Vec<&Finding> = rows.iter().flat_map(|(_, findings)| findings).collect();
    writeln!(out)?;
    for finding in &findings {
        let text = format!("{}: {}: {}", finding.place, finding.kind.title(lang), finding.text.in_(lang));
        for (at, line) in wrapped(&text, WIDTH).into_iter().enumerate() {
            writeln!(out, "{}{line}", if at == 0 { "" } else { "    " })?;
        }
    }
    let count = findings.len();
    if count > 0 {
        writeln!(out)?;
    }
    match lang {
        Lang::En if count == 0 => {
            writeln!(out, "{exercises} exercises, {instances} instances each: no findings")?;
        }
        Lang::En => writeln!(out, "{exercises} exercises, {instances} instances each: {count} findings")?,
        Lang::Zh => writeln!(out, "{exercises} 道练习，每题 {instances} 个实例：发现 {count} 处问题")?,
    }
    out.flush()?;
    Ok(if count == 0 { 0 } else { FINDINGS })
}

fn row(cells: &[&str]) -> String {
    const WIDTHS: [usize; 8] = [6, 9, 8, 8, 8, 5, 9, 5];
    let cells = cells.iter().zip(WIDTHS).map(|(cell, width)| super::words::padded(cell, width));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}
