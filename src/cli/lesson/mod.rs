//! `wstool lesson`: the course in the terminal.

mod answer;
mod show;
mod store;
mod tutor;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;

use super::Look;
use super::trouble::{Trouble, told};
use crate::lesson::report::Report;
use crate::lesson::{self, Exercise, Lesson};
use crate::model::Text;
use store::Store;
use tutor::Tutor;

// What is said of it would stand in the command's help.
#[allow(missing_docs)]
#[derive(clap::Args)]
#[command(override_usage = "wstool lesson [OPTIONS] [LESSON]\n       wstool lesson [OPTIONS] <COMMAND>")]
#[command(after_help = "Examples:
  wstool lesson                       the lessons, and how far you are
  wstool lesson 3                     read lesson 3
  wstool lesson 3.2                   your version of its second exercise
  wstool lesson answer 3.2 \"81 85\"    answer it
  wstool lesson hint 3.2              a step of help
  wstool lesson try 3                 its exercises one after another
  wstool lesson try                   go on where you are
  wstool lesson 3.2 --show            of a solved one, what the tool says of it
  wstool lesson check 3               what of lesson 3 is solved
  wstool lesson report > anna.json    what to hand in")]
pub struct Args {
    /// A lesson such as 3, or an exercise such as 3.2; all lessons when left out
    #[arg(value_name = "LESSON")]
    what: Option<String>,

    /// Forget what you did: in this lesson or exercise, or in all
    #[arg(long)]
    reset: bool,

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

    /// Of an exercise that is solved, show what the tool says of it
    #[arg(long, global = true)]
    show: bool,

    /// Use ASCII characters only
    #[arg(long, global = true)]
    ascii: bool,
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
        /// The lesson such as 3, or an exercise such as 3.2
        what: String,
        /// Answers, a line each: 3.2 81 85; - reads them from standard input
        #[arg(value_name = "ANSWERS")]
        answers: Option<PathBuf>,
    },
    /// Go through a lesson's exercises, question by question
    Try {
        /// The lesson such as 3, or an exercise such as 3.2; where you are when left out
        what: Option<String>,
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

/// Runs the command; the exit code.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &Args, look: Look, demonstrate: &mut Demonstrate<'_>) -> io::Result<u8> {
    let told_in = Look { lang: look.language(args.who.ascii), ..look };
    told(act(args, look, demonstrate), told_in)
}

fn act(args: &Args, look: Look, demonstrate: &mut Demonstrate<'_>) -> Result<u8, Trouble> {
    let what = args.what.as_deref();
    if args.action.is_some() && (args.reset || what.is_some()) {
        return Err(Trouble::Asked(Text::new(
            "either a lesson, with --reset or without, or a command such as hint; not both",
        )));
    }
    let mut store = Store::open(&args.who).map_err(Trouble::Asked)?;
    let tutor = Tutor::new(look, args.who.ascii);
    if args.reset {
        return show::reset(what, &mut store, &tutor);
    }
    match (&args.action, what) {
        (None, None) => show::list(&store, &tutor),
        (None, Some(what)) if what.contains('.') => {
            let exercise = find_exercise(what)?;
            if args.who.show {
                answer::shown(exercise, &store, &tutor, demonstrate)
            } else {
                show::exercise(exercise, &store, &tutor)
            }
        }
        (None, Some(what)) => show::lesson(find_lesson(what)?, &store, &tutor),
        (Some(Action::Answer { exercise, answer, file }), _) => {
            let exercise = find_exercise(exercise)?;
            let given = answer::given(answer, file.as_deref()).map_err(Trouble::Asked)?;
            let show = args.who.show.then_some(demonstrate);
            answer::answer(exercise, &given, &mut store, &tutor, show)
        }
        (Some(Action::Try { what: Some(what) }), _) if what.contains('.') => {
            answer::dialogue(&[find_exercise(what)?], &mut store, &tutor)
        }
        (Some(Action::Try { what }), _) => {
            let lesson = match what {
                Some(what) => find_lesson(what)?,
                None => match show::next(&store.progress) {
                    Some(lesson) => lesson,
                    None => return show::list(&store, &tutor),
                },
            };
            let open: Vec<_> = lesson.exercises.iter().filter(|e| !store.progress.solved(e)).collect();
            answer::dialogue(&open, &mut store, &tutor)?;
            show::check(lesson, None, &store, &tutor)
        }
        (Some(Action::Check { what, answers }), _) => {
            let only = if what.contains('.') { Some(find_exercise(what)?) } else { None };
            let lesson = find_lesson(what.split('.').next().unwrap_or(what))?;
            match answers {
                Some(path) => answer::check_file(lesson, path, &mut store, &tutor),
                None => show::check(lesson, only, &store, &tutor),
            }
        }
        (Some(Action::Hint { exercise }), _) => answer::hint(find_exercise(exercise)?, &mut store, &tutor),
        (Some(Action::Report), _) => {
            let mut out = io::stdout().lock();
            out.write_all(Report::of(&store.progress).json().as_bytes())?;
            out.flush()?;
            Ok(0)
        }
    }
}

fn find_lesson(name: &str) -> Result<&'static Lesson, Trouble> {
    let found = name.parse().ok().and_then(lesson::lesson);
    found.ok_or_else(|| {
        Trouble::Asked(Text::with("there is no lesson `{}`; wstool lesson lists them", name.to_owned()))
    })
}

fn find_exercise(name: &str) -> Result<&'static Exercise, Trouble> {
    lesson::exercise(name).ok_or_else(|| {
        let words =
            "there is no exercise `{}`; they are named like 3.2, lesson and number: wstool lesson 3 lists \
                     those of lesson 3";
        Trouble::Asked(Text::with(words, name.to_owned()))
    })
}
