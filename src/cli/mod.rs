//! The command line: the only place that knows of files, terminals, the clock
//! and the environment.
//!
//! Exit codes: 0 when all is well, 1 when there are findings at or above
//! `--fail-on` (or a check failed), 2 when the command was used wrongly or its
//! input could not be read.

pub mod accept;
#[cfg(feature = "lab")]
pub mod attach;
#[cfg(feature = "lab")]
pub mod authority;
pub mod compare;
mod completions;
#[cfg(feature = "lab")]
pub mod connect;
pub mod decode;
mod dial;
pub mod encode;
pub mod explain;
mod file;
mod folder;
mod format;
#[cfg(feature = "lab")]
pub mod grade;
mod habits;
pub mod help;
mod interrupt;
mod keylog;
pub mod lesson;
mod listen;
#[cfg(feature = "lab")]
pub mod live;
mod locale;
mod look;
mod manual;
mod mistaken;
mod output;
mod pager;
mod protocols;
#[cfg(feature = "lab")]
pub mod proxy;
pub mod replay;
pub mod samples;
#[cfg(feature = "lab")]
pub mod serve;
mod size;
pub mod teacher;
mod trouble;
mod usage;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::input::PcapWriter;
use crate::input::capture::ETHERNET;
use crate::lang::Lang;
use crate::synth;

use habits::Meant;
pub use look::Look;

/// Shows what is on the wire of a WebSocket, whether it is right and why it ended; and teaches
/// the protocol, down to the bit and the paragraph of the RFC.
#[derive(Parser)]
#[command(name = "wstool", version, max_term_width = 80, arg_required_else_help = true)]
#[command(after_help = "Begin with:
  wstool lesson                    to learn the protocol
  wstool capture.pcap              to see why a connection fails: short for wstool decode
  wstool explain 1006              to look something up
  wstool teacher --help            to teach a class")]
struct Cli {
    /// Colour the output: auto is when it goes to a terminal and `NO_COLOR` is not set
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    color: ColorWhen,

    /// The language of the text: en or zh; the locale's when left out
    #[arg(long, value_name = "LANG", global = true)]
    lang: Option<Lang>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Learn the protocol: lessons with exercises that check themselves
    Lesson(lesson::Args),
    /// Say what a word means: an opcode, a close code, a header field, a rule, a term
    Explain(explain::Args),
    /// Show what is on the wire: captures, hex, raw bytes
    #[command(visible_alias = "d")]
    Decode(Box<decode::Args>),
    /// Open a WebSocket, say why when it does not, and talk over it
    #[cfg(feature = "lab")]
    Connect(Box<connect::Args>),
    /// Play a handshake step by step, check it, and replay it with a live peer
    Replay(Box<replay::Args>),
    /// Serve what tutorials describe: WebSocket, Socket.IO, polling, a raw chat
    #[cfg(feature = "lab")]
    Serve(Box<serve::Args>),
    /// Stand between a client and a server, and show what goes by
    #[cfg(feature = "lab")]
    Proxy(Box<proxy::Args>),
    /// Look into a running browser: its WebSocket connections as they talk, wss without keys
    #[cfg(feature = "lab")]
    Attach(Box<attach::Args>),
    /// Hold a server or client against the RFCs, case by case: a conformance suite
    #[cfg(feature = "lab")]
    Grade(Box<grade::Args>),
    /// Grade as the Autobahn testsuite's wstest does
    #[cfg(feature = "lab")]
    #[command(hide = true)]
    Wstest(grade::wstest::Args),
    /// Write frames, or a whole conversation as a capture
    Encode(Box<encode::Args>),
    /// Name the samples that come with the tool, or write them into a folder
    Samples(samples::Args),
    /// Compute and check Sec-WebSocket-Accept
    Accept(accept::Args),
    /// What polling and WebSocket really cost: by formula, in captures, or measured live
    Compare(Box<compare::Args>),
    /// Teach with the lessons: handouts, keys, grading, a check of the course
    Teacher(Box<teacher::Args>),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete in
        shell: clap_complete::Shell,
    },
    /// Print the manual page (read it with: wstool man | man -l -)
    Man {
        /// The subcommand to describe; the tool as a whole when left out
        command: Option<String>,
    },
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    match run(std::env::args_os()) {
        Ok(code) => ExitCode::from(code),
        // Whoever reads our output has seen enough; that is no failure.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => {
            let lang = language(&std::env::args_os().collect::<Vec<_>>());
            let _ = writeln!(io::stderr(), "{}", lang.fill("error: cannot write the output: {}", &[&e]));
            ExitCode::from(2)
        }
    }
}

fn run(args: impl Iterator<Item = OsString>) -> io::Result<u8> {
    let args: Vec<OsString> = args.collect();
    let matches = match Cli::command().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(e) => {
            return match habits::meant(&args, &e) {
                Some(Meant::Line(line)) => run(line.into_iter()),
                Some(Meant::Taken(line, how)) => {
                    look_of(&args).tell("note: {}", &how)?;
                    run(line.into_iter())
                }
                Some(Meant::Said(answer)) => habits::tell(&answer, look_of(&args)),
                None => refuse(&args, &e),
            };
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(e) => return refuse(&args, &e),
    };
    let look = Look { color: cli.color.decide(), lang: cli.lang.unwrap_or_else(locale::language) };
    colored::control::set_override(look.color);
    let mut out = io::stdout().lock();
    let mut err = io::stderr().lock();
    match &cli.command {
        #[cfg(feature = "lab")]
        Command::Attach(args) => {
            drop((out, err));
            attach::run(args, look)
        }
        Command::Accept(args) => accept::run(args, look, &mut out, &mut err, &mut io::stdin().lock()),
        Command::Compare(args) => {
            drop((out, err));
            compare::run(args, look)
        }
        #[cfg(feature = "lab")]
        Command::Connect(args) => {
            drop((out, err));
            connect::run(args, look)
        }
        Command::Decode(args) => {
            drop((out, err));
            decode::run(args, look)
        }
        #[cfg(feature = "lab")]
        Command::Grade(args) => {
            drop((out, err));
            grade::run(args, look)
        }
        #[cfg(feature = "lab")]
        Command::Wstest(args) => {
            drop((out, err));
            grade::wstest::run(args, look)
        }
        Command::Lesson(args) => {
            drop((out, err));
            lesson::run(args, look, &mut |arguments| demonstrate(arguments, look))
        }
        #[cfg(feature = "lab")]
        Command::Proxy(args) => {
            drop((out, err));
            proxy::run(args, look)
        }
        Command::Replay(args) => {
            drop((out, err));
            replay::run(args, look)
        }
        Command::Samples(args) => {
            drop((out, err));
            samples::run(args, look)
        }
        #[cfg(feature = "lab")]
        Command::Serve(args) => {
            drop((out, err));
            serve::run(args, look)
        }
        Command::Teacher(args) => {
            drop((out, err));
            teacher::run(args, look)
        }
        Command::Encode(_) => {
            let Some(("encode", matches)) = matches.subcommand() else { return Ok(2) };
            let code = encode::run(matches, look.lang, &mut out, &mut err, write_capture)?;
            out.flush()?;
            Ok(code)
        }
        Command::Explain(args) => {
            let mut page = Vec::new();
            let code = explain::run(args, look, &mut page, &mut err)?;
            drop((out, err));
            pager::show(&String::from_utf8_lossy(&page), look.lang)?;
            Ok(code)
        }
        Command::Completions { shell } => {
            out.write_all(completions::script(*shell, look.lang).as_bytes())?;
            Ok(0)
        }
        Command::Man { command } => {
            drop(err);
            manual::man(command.as_deref(), look, &mut out)
        }
    }
}

/// The subcommand that was asked for: the first word that is no option, nor the value of one.
fn command_of(args: &[OsString]) -> Option<&OsString> {
    let mut words = args.iter().skip(1);
    let is_option = |word: &&OsString| word.as_encoded_bytes().starts_with(b"-");
    loop {
        let word = words.next()?;
        if !is_option(&word) {
            return Some(word);
        }
        if word == "--color" || word == "--lang" {
            words.next();
        }
    }
}

/// Prints what clap has to say, in the language that was asked for: help and version are
/// answers, the rest is wrong usage.
fn refuse(args: &[OsString], error: &clap::Error) -> io::Result<u8> {
    let lang = language(args);
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let code = if error.use_stderr() { 2 } else { 0 };
        match lang {
            Lang::En => error.print()?,
            Lang::Zh => help::translated(Cli::command(), lang)
                .try_get_matches_from(args)
                .map_or_else(|page| page.print(), |_| error.print())?,
        }
        return Ok(code);
    }
    match (lang, usage::text(error, lang)) {
        (Lang::En, _) | (_, None) => {
            if command_of(args).is_some_and(|command| command == "compare") {
                writeln!(io::stderr(), "{}", one_line(&error.to_string()))?;
            } else if let Some(lines) = look_of(args).fitting(&error.render().to_string()) {
                write!(io::stderr(), "{lines}")?;
            } else {
                error.print()?;
            }
        }
        (_, Some(problem)) => look_of(args).tell("error: {}", &problem)?,
    }
    Ok(2)
}

/// How to tell what is wrong with a command line that is not understood.
fn look_of(args: &[OsString]) -> Look {
    Look { color: false, lang: language(args) }
}

/// The command line as clap has it, in English.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The language that a command line asks for, before it is understood.
fn language(args: &[OsString]) -> Lang {
    let words = || args.iter().map(|arg| arg.to_string_lossy());
    let named = words().zip(words().skip(1)).find(|(name, _)| name == "--lang").map(|(_, code)| code);
    let joined = words().find_map(|arg| arg.strip_prefix("--lang=").map(ToOwned::to_owned));
    let code = named.map(Cow::into_owned).or(joined);
    code.and_then(|code| code.parse().ok()).unwrap_or_else(locale::language)
}

/// What is wrong, without the usage that follows it.
fn one_line(error: &str) -> String {
    let problem = error.split("\n\n").next().unwrap_or_default();
    problem.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs another command in this process, in the same colours and language.
fn demonstrate(arguments: &[String], look: Look) -> io::Result<u8> {
    let color = if look.color { "--color=always" } else { "--color=never" };
    let lang = format!("--lang={}", look.lang.code());
    let own = ["wstool", color, &lang].map(OsString::from);
    run(own.into_iter().chain(arguments.iter().map(OsString::from)))
}

impl ColorWhen {
    fn decide(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
                !refused && io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
            }
        }
    }
}

/// Writes synthesised packets as a capture file.
fn write_capture(out: &mut dyn Write, packets: &mut dyn FnMut(&mut synth::Emit<'_>)) -> io::Result<()> {
    let mut writer = PcapWriter::new(out, ETHERNET)?;
    let mut result = Ok(());
    packets(&mut |time, data| {
        if result.is_ok() {
            result = writer.packet(time, data);
        }
    });
    result?;
    writer.finish()?.flush()
}
