//! `wstool grade URL`: a server or client held against the RFCs.
//!
//! - `args`: the options; `consent`: whether a server may be tested
//! - `listen`: clients that come are graded; `clients`: the options for that
//! - `autobahn`, [`wstest`]: what is asked for as of the Autobahn testsuite
//! - `server`: a server is graded; `probe`: what kind it is, `way`: how it is reached, `playing`: the cases,
//!   `suspects`: which of them the server ended at
//! - `report`: what is told of them

mod args;
mod autobahn;
mod clients;
mod consent;
mod listen;
mod playing;
mod probe;
pub(crate) mod report;
mod server;
mod suspects;
mod way;
pub mod wstest;

use std::io::{self, Write as _};

use tokio::runtime::Builder;

use super::output::Output;
use super::trouble::of_file;
use super::{Look, live};
use crate::grade::autobahn::{Exclusions, order};
use crate::grade::load::{read, suite};
use crate::grade::{Case, Choice, Manner, Patterns};
use crate::model::{Dir, Text};
use crate::render::grade as render;

pub use args::Args;

/// The command was used wrongly, or the server could not be reached.
const UNREACHED: u8 = 2;

/// Grades, and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    told(start(args, look), look)
}

/// The exit code; what is wrong with what was asked for is said.
fn told(code: Result<io::Result<u8>, Text>, look: Look) -> io::Result<u8> {
    code.unwrap_or_else(|problem| look.tell("error: {}", &problem).map(|()| UNREACHED))
}

fn start(args: &Args, look: Look) -> Result<io::Result<u8>, Text> {
    let all = cases(args)?;
    if let Some(path) = &args.autobahn {
        return autobahn::grade(args, autobahn::read(path, None, None)?, all, look);
    }
    let choice = Choice {
        cases: args.cases.clone(),
        exclude: args.exclude.clone(),
        chapters: args.chapters.clone(),
        sections: args.sections.clone(),
        stage: args.stage,
    };
    let peer = if args.clients.listen.is_some() { Dir::Client } else { Dir::Server };
    let mut cases: Vec<&Case> = all.iter().filter(|case| choice.takes(case, peer)).collect();
    let manner = Manner { http2: args.dial.http2, ..Manner::default() };
    if cases.is_empty() {
        return Err(unchosen(&choice, all, peer));
    }
    let chosen_in_vain = choice.in_vain(all, peer).into_iter().map(|(_, pattern)| pattern);
    for pattern in chosen_in_vain.chain(choice.excluded_in_vain(all)) {
        note(look, &Text::with("no case fits {}", pattern));
    }
    if args.list {
        if peer == Dir::Client {
            cases.retain(|case| manner.leaves_out(case).is_none());
            order(&mut cases);
        }
        return Ok(list(&cases, args, look));
    }
    if let Some(address) = &args.clients.listen {
        let mut cases = server::chosen(manner, &cases, look)?;
        order(&mut cases);
        return listen::grade(args, address, cases, Exclusions::default(), look);
    }
    let runtime = Builder::new_current_thread().enable_all().build().map_err(live::untold)?;
    runtime.block_on(server::grade(args, &cases, look))
}

/// Says something of the run on standard error, beside its results.
fn note(look: Look, words: &Text) {
    // A broken standard error is no reason to stop.
    let _ = look.tell("note: {}", words);
}

/// Why no case is chosen: what none fits, and what was probably meant.
fn unchosen(choice: &Choice, all: &[Case], peer: Dir) -> Text {
    let Some((of, pattern)) = choice.in_vain(all, peer).into_iter().next() else {
        return "no case is chosen; wstool grade --list names them all".into();
    };
    let wider = format!("*{}*", pattern.trim_matches('*'));
    let wide = Choice { cases: vec![wider.clone()], ..Choice::default() };
    let count = all.iter().filter(|case| wide.takes(case, peer)).count();
    if of == Patterns::Cases && count > 0 {
        let words = "no case fits {}; --case '{}' fits {}";
        return Text::with(words, pattern).and(wider).and(count);
    }
    Text::with("no case fits {}; wstool grade --list names them all", pattern)
}

/// Names the cases.
fn list(cases: &[&Case], args: &Args, look: Look) -> io::Result<u8> {
    let mut out = Output::new(false);
    let facts: Vec<_> = cases.iter().map(|case| case.facts.clone()).collect();
    let text = match args.report.format {
        report::Format::Json => render::json::list(&facts),
        _ => render::list(&facts, &args.report.options(look)),
    };
    out.write_all(text.as_bytes())?;
    out.flush().map(|()| 0)
}

/// The cases of the suite, or those of the files that were named.
fn cases(args: &Args) -> Result<&'static [Case], Text> {
    let mut all = Vec::new();
    match args.patience {
        None if args.cases_file.is_empty() => return Ok(suite()),
        _ if args.cases_file.is_empty() => all.extend_from_slice(suite()),
        _ => {}
    }
    for path in &args.cases_file {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| of_file(path, &error))?;
        all.extend(read(&text).map_err(|problem| Text::with("{}: {}", &name).and(problem))?);
    }
    if let Some(patience) = args.patience {
        for case in &mut all {
            case.patience = patience;
        }
    }
    // They are there until the end.
    Ok(all.leak())
}
