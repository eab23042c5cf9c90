//! `teacher grade`: what was handed in, judged, as text or for other systems.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::files::{self, Outbox};
use super::words::{cut, padded, wrapped};
use super::{Class, Count, FINDINGS, Shown, Trouble, all, chosen, say, students};
use crate::cli::output;
use crate::lang::Lang;
use crate::lesson::Lesson;
use crate::lesson::grade::{self, Graded, Grades, Grading, Mark, Verdict};
use crate::lesson::roster::plain;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    class: Class,
    /// Reports, files of answers, tables of answers from paper; or folders of them
    #[arg(required = true, value_name = "REPORTS")]
    reports: Vec<PathBuf>,
    /// The lessons that count, such as 3, 3,4,5 or 0..14; all when left out
    #[arg(long, value_name = "LESSONS")]
    lessons: Vec<String>,
    /// What to write
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// The folder to write to; standard output when left out
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Which of several answers to an exercise counts
    #[arg(long, value_name = "WHICH", default_value = "any")]
    count: Count,
    /// When students see their results on Gradescope
    #[arg(long, value_name = "WHEN", default_value = "visible")]
    visibility: Shown,
    /// Overwrite files that are there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table and the wrong answers, to read
    Text,
    /// A row for each exercise of each student
    Csv,
    /// A results.json for each student
    Gradescope,
    /// A results.json for each student and lesson
    Exercism,
}

pub(super) fn run(args: &Args, lang: Lang) -> Result<u8, Trouble> {
    let lessons = if args.lessons.is_empty() { all() } else { chosen(&args.lessons, lang)? };
    let lessons: Vec<&Lesson> = lessons.into_iter().filter(|lesson| !lesson.exercises.is_empty()).collect();
    let students = students(&args.class, lang)?;
    if args.out.is_none() {
        let files = match args.format {
            Format::Text | Format::Csv => 1,
            Format::Gradescope => students.len(),
            Format::Exercism => students.len() * lessons.len(),
        };
        if files > 1 {
            let (en, zh) = (
                "this format is many files; --out names the folder for them",
                "这种格式有多个文件；请用 --out 指定文件夹",
            );
            return Err(Trouble::Said(say(lang, en, zh).to_owned()));
        }
    }
    let mut grading = Grading::new(&args.class.seed, &students, &lessons);
    let list = args.class.students.canonicalize().ok();
    let mut unreadable = Vec::new();
    for path in &args.reports {
        for file in files::below(path).map_err(Trouble::Said)? {
            // The list may lie among the reports.
            if file.canonicalize().ok() == list && list.is_some() {
                continue;
            }
            match files::read(&file) {
                Ok(bytes) => grading.take(&file.to_string_lossy(), &bytes),
                // What was named outright has to be there.
                Err(e) if file == *path => return Err(Trouble::Said(e)),
                Err(e) => unreadable.push(e),
            }
        }
    }
    let bar = output::steps(students.len() as u64);
    let grades = grading.finish(args.count.into(), &mut || bar.inc(1));
    bar.finish_and_clear();
    let code = u8::from(
        !unreadable.is_empty()
            || grades.missing().next().is_some()
            || grades.remarks.iter().any(|remark| remark.grave),
    ) * FINDINGS;
    let remarks = remarks(&grades, &unreadable, lang);
    match args.format {
        Format::Text => {
            let text = text(&grades, &remarks, lang);
            deliver(args, vec![("grades.txt".to_owned(), text)], lang)?;
            // On paper and in files alike the remarks are in the text.
            return Ok(code);
        }
        Format::Csv => deliver(args, vec![("grades.csv".to_owned(), grade::csv(&grades))], lang)?,
        Format::Gradescope => {
            let file = |graded: &Graded| {
                let results = grade::gradescope(&grades, graded, args.visibility.into(), lang);
                (format!("{}/results.json", graded.student.file), json(&results))
            };
            deliver(args, grades.students.iter().map(file).collect(), lang)?;
        }
        Format::Exercism => {
            let mut found = Vec::new();
            for graded in &grades.students {
                for lesson in &lessons {
                    let path = format!("{}/{}/results.json", graded.student.file, lesson.slug);
                    found.push((path, json(&grade::exercism(graded, lesson, lang))));
                }
            }
            deliver(args, found, lang)?;
        }
    }
    let mut err = io::stderr().lock();
    for line in remarks {
        writeln!(err, "{line}")?;
    }
    Ok(code)
}

fn json(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Writes the files, or the only one to standard output.
fn deliver(args: &Args, files: Vec<(String, String)>, lang: Lang) -> Result<(), Trouble> {
    let mut out = io::stdout().lock();
    let Some(folder) = &args.out else {
        for (_, content) in files {
            out.write_all(content.as_bytes())?;
        }
        return Ok(out.flush()?);
    };
    let mut outbox = Outbox::new(folder);
    for (path, content) in files {
        outbox.put(&path, content);
    }
    let count = outbox.write(args.force, lang).map_err(Trouble::Said)?;
    let folder = folder.display();
    match lang {
        Lang::En if count == 1 => writeln!(out, "{folder}: 1 file")?,
        Lang::En => writeln!(out, "{folder}: {count} files")?,
        Lang::Zh => writeln!(out, "{folder}：{count} 个文件")?,
    }
    Ok(out.flush()?)
}

/// What could not be counted, what is missing: a line each.
fn remarks(grades: &Grades, unreadable: &[String], lang: Lang) -> Vec<String> {
    let mut lines: Vec<String> = unreadable.iter().map(|line| plain(line)).collect();
    for remark in &grades.remarks {
        let text = remark.text.in_(lang);
        lines.push(match &remark.file {
            Some(file) => format!("{}: {text}", plain(file)),
            None => text.to_owned(),
        });
    }
    let missing: Vec<_> = grades.missing().map(|student| student.id.as_str()).collect();
    if !missing.is_empty() {
        let list = missing.join(say(lang, ", ", "、"));
        lines.push(match lang {
            Lang::En => format!("nothing from {} of {}: {list}", missing.len(), grades.students.len()),
            Lang::Zh => format!("{} 人中有 {} 人没有交：{list}", grades.students.len(), missing.len()),
        });
    }
    lines
}

/// Columns of the text.
const WIDTH: usize = 79;
/// Columns of an id or a name.
const NAME: usize = 24;
/// Mistakes that are listed, the most frequent ones.
const MISTAKES: usize = 10;

fn text(grades: &Grades, remarks: &[String], lang: Lang) -> String {
    let mut lines = table(grades, lang);
    for graded in grades.students.iter().filter(|graded| graded.handed_in) {
        lines.extend(wrong(graded, lang));
    }
    let mistakes = grades.mistakes();
    if !mistakes.is_empty() {
        lines.push(String::new());
        lines.push(say(lang, "mistakes made most often", "最常见的错误").to_owned());
        for (exercise, id, count) in mistakes.into_iter().take(MISTAKES) {
            let students = match lang {
                Lang::En if count == 1 => "1 student".to_owned(),
                Lang::En => format!("{count} students"),
                Lang::Zh => format!("{count} 人"),
            };
            lines.push(format!("  {:<5} {id}: {students}", exercise.name()));
        }
    }
    if !remarks.is_empty() {
        lines.push(String::new());
        lines.push(say(lang, "remarks", "说明").to_owned());
        for remark in remarks {
            lines.extend(wrapped(remark, WIDTH - 4).into_iter().enumerate().map(|(at, line)| {
                let indent = if at == 0 { "  " } else { "    " };
                format!("{indent}{line}")
            }));
        }
    }
    lines.join("\n") + "\n"
}

/// A line a student.
fn table(grades: &Grades, lang: Lang) -> Vec<String> {
    let head = [say(lang, "student", "学生"), say(lang, "name", "姓名"), say(lang, "points", "得分")];
    let row = |id: &str, name: &str, rest: &str| {
        let line = format!("{} {} {rest}", padded(&cut(id, NAME), NAME), padded(&cut(name, NAME), NAME));
        line.trim_end().to_owned()
    };
    let mut lines = vec![row(head[0], head[1], head[2])];
    for graded in &grades.students {
        let (points, max) = (graded.points(), graded.max());
        let points = match lang {
            Lang::En => format!("{points:>4} of {max}"),
            Lang::Zh => format!("{points:>4} / {max}"),
        };
        let missing = say(lang, "  nothing handed in", "  没有交");
        let rest = if graded.handed_in { points } else { points + missing };
        lines.push(row(&graded.student.id, &graded.student.name, &rest));
    }
    lines
}

/// A student's wrong answers, each with its diagnosis, and what was not answered.
fn wrong(graded: &Graded, lang: Lang) -> Vec<String> {
    let marks = |missing: bool| {
        let marks = graded.marks.iter().filter(|mark| mark.verdict != Verdict::Right);
        marks.filter(move |mark| (mark.verdict == Verdict::Missing) == missing)
    };
    if marks(true).chain(marks(false)).next().is_none() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), graded.student.id.clone()];
    for mark in marks(false) {
        let verdict = match &mark.verdict {
            Verdict::Mistake(id) => id,
            Verdict::Unreadable => say(lang, "unreadable", "读不懂"),
            _ => say(lang, "wrong", "不对"),
        };
        let room = WIDTH.saturating_sub(verdict.width() + 14);
        let answer = cut(&plain(&mark.answer).replace("\\u{a}", " "), room);
        lines.push(format!("  {:<5} {verdict}: `{answer}`", mark.exercise.name()));
        let said = mark.lines(lang).into_iter().flat_map(|line| wrapped(&plain_lines(&line), WIDTH - 8));
        lines.extend(said.map(|line| format!("        {line}").trim_end().to_owned()));
    }
    let missing: Vec<_> = marks(true).map(|mark: &Mark| mark.exercise.name()).collect();
    if !missing.is_empty() {
        let list = say(lang, "not answered: ", "未作答：").to_owned() + &missing.join(", ");
        lines.extend(wrapped(&list, WIDTH - 2).into_iter().map(|line| format!("  {line}")));
    }
    lines
}

fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}
