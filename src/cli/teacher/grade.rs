//! `teacher grade`: what was handed in, judged, as text or for other systems.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Value;

use super::files::{self, Outbox};
use super::words::{cut, wrapped};
use super::{Class, Count, FINDINGS, Shown, Trouble, all, chosen, lists_lessons, students};
use crate::cli::output;
use crate::lang::Lang;
use crate::lesson::Lesson;
use crate::lesson::grade::{self, Graded, Grades, Grading, Mark, Verdict};
use crate::lesson::roster::plain;
use crate::render::columns::{left, width};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    class: Class,
    /// Reports, files of answers, tables of answers from paper; or folders of them
    #[arg(required_unless_present = "lessons", value_name = "REPORTS")]
    reports: Vec<PathBuf>,
    /// The lessons that count, such as 3, 3 4 5 or 0..14; all when left out
    #[arg(long, value_name = "LESSONS", num_args = 1..)]
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
    // `--lessons 2 4 6 reports/`: what is no list of lessons behind one names reports.
    let (listed, named): (Vec<String>, Vec<String>) =
        args.lessons.iter().cloned().partition(|word| lists_lessons(word));
    let reports: Vec<PathBuf> = args.reports.iter().cloned().chain(named.iter().map(PathBuf::from)).collect();
    if reports.is_empty() {
        return Err(Trouble::Said(
            lang.words("no reports are named: give files, or a folder of them").to_owned(),
        ));
    }
    let lessons = if listed.is_empty() { all() } else { chosen(&listed, lang)? };
    let lessons: Vec<&Lesson> = lessons.into_iter().filter(|lesson| !lesson.exercises.is_empty()).collect();
    let students = students(&args.class, lang)?;
    if args.out.is_none() {
        let files = match args.format {
            Format::Text | Format::Csv => 1,
            Format::Gradescope => students.len(),
            Format::Exercism => students.len() * lessons.len(),
        };
        if files > 1 {
            let message = lang.words("this format is many files; --out names the folder for them");
            return Err(Trouble::Said(message.to_owned()));
        }
    }
    let mut grading = Grading::new(&args.class.seed, &students, &lessons);
    let list = args.class.students.canonicalize().ok();
    let mut unreadable = Vec::new();
    for path in &reports {
        for file in files::below(path, lang).map_err(Trouble::Said)? {
            // The list may lie among the reports.
            if file.canonicalize().ok() == list && list.is_some() {
                continue;
            }
            match files::read(&file, lang) {
                Ok(bytes) => grading.take(&file.to_string_lossy(), &bytes),
                // What was named outright has to be there.
                Err(e) if file == *path => return Err(Trouble::Said(e)),
                Err(e) => unreadable.push(e),
            }
        }
    }
    let bar = output::steps(students.len() as u64, lang);
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
    let files = lang.count(count as u64, &count, ["{} file", "{} files"]);
    writeln!(out, "{}{}{files}", folder.display(), lang.words(": "))?;
    Ok(out.flush()?)
}

/// What could not be counted, what is missing: a line each.
fn remarks(grades: &Grades, unreadable: &[String], lang: Lang) -> Vec<String> {
    let mut lines: Vec<String> = unreadable.iter().map(|line| plain(line)).collect();
    for remark in &grades.remarks {
        let text = lang.say(&remark.text);
        lines.push(match &remark.file {
            Some(file) => format!("{}: {text}", plain(file)),
            None => text.into_owned(),
        });
    }
    let missing: Vec<_> = grades.missing().map(|student| student.id.as_str()).collect();
    if !missing.is_empty() {
        let list = missing.join(lang.words(", "));
        let all = grades.students.len();
        lines.push(lang.fill("nothing from {} of {}: {}", &[&missing.len(), &all, &list]));
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
        lines.push(lang.words("mistakes made most often").to_owned());
        for (exercise, id, count) in mistakes.into_iter().take(MISTAKES) {
            let students = lang.count(count as u64, &count, ["{} student", "{} students"]);
            lines.push(format!("  {:<5} {id}{}{students}", exercise.name(), lang.words(": ")));
        }
    }
    if !remarks.is_empty() {
        lines.push(String::new());
        lines.push(lang.words("remarks").to_owned());
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
    let head = ["student", "name", "points"].map(|words| lang.words(words));
    let row = |id: &str, name: &str, rest: &str| {
        let line = format!("{} {} {rest}", left(&cut(id, NAME), NAME), left(&cut(name, NAME), NAME));
        line.trim_end().to_owned()
    };
    let mut lines = vec![row(head[0], head[1], head[2])];
    for graded in &grades.students {
        let (points, max) = (graded.points(), graded.max());
        let mut rest = lang.fill("{} of {}", &[&format_args!("{points:>4}"), &max]);
        if !graded.handed_in {
            rest = format!("{rest}  {}", lang.words("nothing handed in"));
        }
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
            Verdict::Unreadable => lang.words("unreadable"),
            _ => lang.words("wrong"),
        };
        let room = WIDTH.saturating_sub(width(verdict) + 14);
        let answer = cut(&plain(&mark.answer).replace("\\u{a}", " "), room);
        lines.push(format!("  {:<5} {verdict}{}`{answer}`", mark.exercise.name(), lang.words(": ")));
        for said in mark.lines(lang) {
            let said = plain_lines(&said);
            lines.extend(
                wrapped(&said, WIDTH - 8).iter().map(|line| format!("        {line}").trim_end().to_owned()),
            );
        }
    }
    let missing: Vec<_> = marks(true).map(|mark: &Mark| mark.exercise.name()).collect();
    if !missing.is_empty() {
        let list = lang.fill("not answered: {}", &[&missing.join(", ")]);
        lines.extend(wrapped(&list, WIDTH - 2).into_iter().map(|line| format!("  {line}")));
    }
    lines
}

fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}
