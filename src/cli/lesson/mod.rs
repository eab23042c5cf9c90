//! `wstool lesson`: the course in the terminal.

mod answer;
mod show;
mod store;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;

use super::Look;
use crate::lang::Lang;
use crate::lesson::report::Report;
use crate::lesson::{self, Exercise, Lesson};
use store::Store;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  wstool lesson                       the lessons, and how far you are
  wstool lesson 3                     read lesson 3
  wstool lesson 3.2                   your version of its second exercise
  wstool lesson answer 3.2 \"81 85\"    answer it
  wstool lesson hint 3.2              a step of help
  wstool lesson check 3               what of lesson 3 is solved
  wstool lesson report > anna.json    what to hand in")]
pub struct Args {
    /// A lesson such as 3, or an exercise such as 3.2; all lessons when left out
    #[arg(value_name = "LESSON")]
    what: Option<String>,

    #[command(flatten)]
    who: Who,

    #[command(subcommand)]
    action: Option<Action>,
}

/// Whose instances, and where files go.
#[derive(clap::Args)]
struct Who {
    /// The course's word, from the teacher; kept for the next time
    #[arg(long, value_name = "WORD", global = true)]
    course: Option<String>,

    /// Who you are in the course; kept for the next time
    #[arg(long, value_name = "NAME", global = true)]
    student: Option<String>,

    /// Where to put the files of an exercise [default: a folder beside your progress]
    #[arg(long, value_name = "FOLDER", global = true)]
    dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Answer an exercise
    Answer {
        /// The exercise, such as 3.2
        exercise: String,
        /// The answer; - reads it from standard input
        #[arg(required_unless_present = "file", conflicts_with = "file")]
        answer: Vec<String>,
        /// A file that is the answer
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Check a lesson: what is solved, or what a file of answers comes to
    Check {
        /// The lesson, such as 3
        lesson: String,
        /// Answers, a line each: 3.2 81 85
        #[arg(value_name = "ANSWERS")]
        answers: Option<PathBuf>,
    },
    /// Show one more step of help; the last is the solution of another instance
    Hint {
        /// The exercise, such as 3.2
        exercise: String,
    },
    /// Print what to hand in: your answers and the hints you took, as JSON
    Report,
}

/// Runs a `wstool` command in this process, with its output on standard output.
pub type Demonstrate<'a> = dyn FnMut(&[String]) -> io::Result<u8> + 'a;

/// Something was answered, and it was not right; or not all is solved.
const WRONG: u8 = 1;
/// The command was used wrongly, or a file could not be read or written.
const REFUSED: u8 = 2;

/// Runs the command; the exit code.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &Args, look: Look, demonstrate: &mut Demonstrate<'_>) -> io::Result<u8> {
    match act(args, look, demonstrate) {
        Ok(code) => Ok(code),
        Err(Trouble::Output(e)) => Err(e),
        Err(Trouble::Said(message)) => {
            writeln!(io::stderr(), "error: {message}")?;
            Ok(REFUSED)
        }
    }
}

/// Why a command cannot go on.
enum Trouble {
    Output(io::Error),
    Said(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn act(args: &Args, look: Look, demonstrate: &mut Demonstrate<'_>) -> Result<u8, Trouble> {
    let lang = look.lang;
    let mut store = Store::open(&args.who).map_err(Trouble::Said)?;
    let mut out = io::stdout().lock();
    let code = match (&args.action, args.what.as_deref()) {
        (None, None) => show::list(&store, lang, &mut out)?,
        (None, Some(what)) if what.contains('.') => {
            show::exercise(find_exercise(what)?, &store, lang, &mut out)?
        }
        (None, Some(what)) => show::lesson(find_lesson(what)?, &store, lang, &mut out)?,
        (Some(Action::Answer { exercise, answer, file }), _) => {
            let exercise = find_exercise(exercise)?;
            drop(out);
            let given = answer::given(answer, file.as_deref()).map_err(Trouble::Said)?;
            return answer::answer(exercise, &given, &mut store, lang, demonstrate);
        }
        (Some(Action::Check { lesson, answers }), _) => {
            let lesson = find_lesson(lesson)?;
            match answers {
                Some(path) => answer::check_file(lesson, path, &mut store, lang, &mut out)?,
                None => show::check(lesson, &store, lang, &mut out)?,
            }
        }
        (Some(Action::Hint { exercise }), _) => {
            answer::hint(find_exercise(exercise)?, &mut store, lang, &mut out)?
        }
        (Some(Action::Report), _) => {
            out.write_all(Report::of(&store.progress).json().as_bytes())?;
            0
        }
    };
    out.flush()?;
    Ok(code)
}

fn find_lesson(name: &str) -> Result<&'static Lesson, Trouble> {
    let found = name.parse().ok().and_then(lesson::lesson);
    found.ok_or_else(|| Trouble::Said(format!("there is no lesson `{name}`; wstool lesson lists them")))
}

fn find_exercise(name: &str) -> Result<&'static Exercise, Trouble> {
    lesson::exercise(name).ok_or_else(|| {
        let like = "exercises are named like 3.2, lesson and number";
        Trouble::Said(format!("there is no exercise `{name}`; {like}; wstool lesson lists the lessons"))
    })
}

/// One of two phrasings.
fn say<'a>(lang: Lang, en: &'a str, zh: &'a str) -> &'a str {
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}
