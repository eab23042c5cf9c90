//! `wstool teacher`: exercises on paper, their key, grading, and a check of the course.

mod check;
mod files;
mod grade;
mod sets;
mod words;

use std::io;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::Look;
use super::trouble::{Trouble, told};
use crate::lang::Lang;
use crate::lesson::grade::{Counts, Visibility};
use crate::lesson::roster::{self, Student};
use crate::lesson::{self, Lesson};

// What is said of it would stand in the command's help.
#[allow(missing_docs)]
#[derive(clap::Args)]
#[command(after_help = "Examples:
  wstool teacher handout 3 --seed ws-2026 --students list.csv
  wstool teacher handout 0..4 --seed ws-2026 --students list.csv --out week1
  wstool teacher key 3 --seed ws-2026 --students list.csv
  wstool teacher grade reports/ --seed ws-2026 --students list.csv
  wstool teacher grade reports/ --seed ws-2026 --students list.csv \\
      --format gradescope --out results
  wstool teacher check")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write a set of exercises for each student
    Handout {
        #[command(flatten)]
        class: Class,
        /// Lessons, such as 3, 3 4 5, 0..14 or all
        #[arg(required = true, value_name = "LESSONS")]
        lessons: Vec<String>,
        /// What to write
        #[arg(long, value_name = "FORMAT", default_value = "both")]
        format: Page,
        /// The folder to write to
        #[arg(long, value_name = "DIR", default_value = "handouts")]
        out: PathBuf,
        /// Overwrite files that are there
        #[arg(long)]
        force: bool,
    },
    /// Write the right answers and worked solutions, apart from the handouts
    Key {
        #[command(flatten)]
        class: Class,
        /// Lessons, such as 3, 3 4 5, 0..14 or all
        #[arg(required = true, value_name = "LESSONS")]
        lessons: Vec<String>,
        /// What to write; csv is one table, on standard output without --out
        #[arg(long, value_name = "FORMAT", default_value = "both")]
        format: Key,
        /// The folder to write to [default: key]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Overwrite files that are there
        #[arg(long)]
        force: bool,
    },
    /// Judge what students handed in
    Grade(grade::Args),
    /// Check the course itself: every exercise, for many students
    Check {
        /// Lessons, such as 3, 3 4 5, 0..14; all when left out
        #[arg(value_name = "LESSONS")]
        lessons: Vec<String>,
        /// The course's word, what all exercises come from
        #[arg(long, value_name = "COURSE", alias = "course", default_value = "check")]
        seed: String,
        /// For how many students
        #[arg(
            long, value_name = "N", default_value_t = 200,
            value_parser = clap::value_parser!(u32).range(2..=100_000)
        )]
        instances: u32,
    },
}

/// Whose exercises.
#[derive(clap::Args)]
struct Class {
    /// The course's word, what all exercises come from; learners give it as --course
    #[arg(long, value_name = "COURSE", alias = "course")]
    seed: String,
    /// The students: CSV with the columns id, name, override; only id is needed
    #[arg(long, value_name = "LIST")]
    students: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Page {
    Md,
    Html,
    Both,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Key {
    Md,
    Html,
    Both,
    Csv,
}

/// Something was not counted or is missing, or the course has a fault.
const FINDINGS: u8 = 1;

/// Runs the command; the exit code.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    told(act(&args.action, look.lang), look)
}

fn act(action: &Action, lang: Lang) -> Result<u8, Trouble> {
    match action {
        Action::Handout { class, lessons, format, out, force } => {
            let kinds: &[&str] = match format {
                Page::Md => &["md"],
                Page::Html => &["html"],
                Page::Both => &["md", "html"],
            };
            let order = sets::Order::read(class, lessons, lang)?;
            order.write(sets::Kind::Handout, kinds, out, *force)
        }
        Action::Key { class, lessons, format, out, force } => {
            let order = sets::Order::read(class, lessons, lang)?;
            let kinds: &[&str] = match format {
                Key::Md => &["md"],
                Key::Html => &["html"],
                Key::Both => &["md", "html"],
                Key::Csv => return order.write_csv(out.as_deref(), *force),
            };
            let out = out.clone().unwrap_or_else(|| PathBuf::from("key"));
            order.write(sets::Kind::Key, kinds, &out, *force)
        }
        Action::Grade(args) => grade::run(args, lang),
        Action::Check { lessons, seed, instances } => {
            let lessons = if lessons.is_empty() { all() } else { chosen(lessons, lang)? };
            check::run(&lessons, seed, *instances as usize, lang)
        }
    }
}

/// The students of a list.
fn students(class: &Class, lang: Lang) -> Result<Vec<Student>, Trouble> {
    let path = &class.students;
    let bytes = files::read(path, lang).map_err(Trouble::Said)?;
    roster::read(&bytes).map_err(|fault| Trouble::Said(format!("{}:{}", path.display(), fault.told(lang))))
}

fn all() -> Vec<&'static Lesson> {
    lesson::lessons().iter().collect()
}

/// What may stand between the numbers of a list.
const BETWEEN: [char; 5] = [',', ' ', ';', '，', '、'];

/// Whether a word could be of a list of lessons: `3`, `4,5`, `0..14`, `all`.
fn lists_lessons(word: &str) -> bool {
    word == "all" || word.chars().all(|c| c.is_ascii_digit() || BETWEEN.contains(&c) || "-.=".contains(c))
}

/// The lessons that words such as `3`, `4,5`, `0..14` and `all` name, in their order.
fn chosen(words: &[String], lang: Lang) -> Result<Vec<&'static Lesson>, Trouble> {
    let last = lesson::lessons().last().map_or(0, |lesson| lesson.data.number);
    let refuse = |word: &str| {
        let all = format!("0..{last}");
        let template = "there is no lesson `{}`; they are 0 to {}; or 3 4 5, {}, all";
        Trouble::Said(lang.fill(template, &[&word, &last, &all]))
    };
    let mut wanted: Vec<u8> = Vec::new();
    for word in words.iter().flat_map(|word| word.split(BETWEEN)).filter(|word| !word.is_empty()) {
        if word == "all" {
            return Ok(all());
        }
        let (first, until) = word.split_once("..").or_else(|| word.split_once('-')).unwrap_or((word, word));
        let number = |text: &str| text.trim_start_matches('=').parse::<u8>().map_err(|_| refuse(word));
        let (first, until) = (number(first)?, number(until)?);
        let before = wanted.len();
        wanted.extend((first..=until).filter(|number| lesson::lesson(*number).is_some()));
        if wanted.len() == before {
            return Err(refuse(word));
        }
    }
    Ok(all().into_iter().filter(|lesson| wanted.contains(&lesson.data.number)).collect())
}

/// How answers count, as an option.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Count {
    /// A right one, whenever it came
    Any,
    /// The first
    First,
    /// The last
    Last,
}

impl From<Count> for Counts {
    fn from(count: Count) -> Self {
        match count {
            Count::Any => Self::Any,
            Count::First => Self::First,
            Count::Last => Self::Last,
        }
    }
}

/// When students see results on Gradescope, as an option.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Shown {
    Visible,
    Hidden,
    AfterDueDate,
    AfterPublished,
}

impl From<Shown> for Visibility {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Visible => Self::Visible,
            Shown::Hidden => Self::Hidden,
            Shown::AfterDueDate => Self::AfterDueDate,
            Shown::AfterPublished => Self::AfterPublished,
        }
    }
}
