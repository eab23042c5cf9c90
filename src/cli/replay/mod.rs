//! `wstool replay`: handshakes played, checked, and played again with a live peer.

mod args;
mod client;
mod expect;
mod live;
#[cfg(feature = "lab")]
mod messages;
mod recording;
mod server;
mod show;
mod watch;

use std::io::{self, Write};
use std::ops::ControlFlow;

use colored::Colorize;

use self::recording::Recording;
use self::show::Show;
use crate::cli::Look;
use crate::cli::output::Output;
use crate::model::film::State;
use crate::model::{Flow, Text};
use crate::replay::{Exchange, film, samples};

pub use args::Args;

/// Every handshake is open.
const OPEN: u8 = 0;
/// A handshake failed.
const FAILED: u8 = 1;
/// There was none, the command was used wrongly, or a peer could not be reached.
const NONE: u8 = 2;

/// Plays a recording and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    if args.list {
        return list(look);
    }
    if let Some(problem) = args::contradiction(args) {
        look.tell("error: {}", &problem)?;
        return Ok(NONE);
    }
    #[cfg(feature = "lab")]
    if let (true, Some(name), Some(url)) = (args.messages, &args.recording, &args.to) {
        return messages::run(args, name, url, look);
    }
    let exchange = match args.recording.as_deref() {
        // What to send to a server needs no recording.
        None => samples::minimal(),
        Some(name) => {
            let about = |words: Text| Text::with("{}: {}", name).word(words);
            let recording = match recording::open(name, look) {
                Ok(recording) => recording,
                Err(problem) => {
                    look.tell("error: {}", &about(problem))?;
                    return Ok(NONE);
                }
            };
            if args.to.is_none() && args.listen.is_none() {
                return play(args, name, recording, look);
            }
            match choose(args, recording) {
                Ok(exchange) => exchange,
                Err(problem) => {
                    look.tell("error: {}", &about(problem))?;
                    return Ok(NONE);
                }
            }
        }
    };
    let mut show = Show::new(args, look);
    let result = match &args.to {
        Some(url) => client::run(args, url, &exchange, &mut show, look),
        None => server::run(args, args.listen.as_deref().unwrap_or_default(), &exchange, &mut show, look)
            .map(code),
    };
    match result {
        Ok(code) => {
            show.end()?;
            Ok(code)
        }
        Err(live::Stop::Io(e)) => Err(e),
        Err(live::Stop::Told(problem)) => {
            show.end()?;
            look.tell("error: {}", &problem)?;
            Ok(NONE)
        }
    }
}

/// The first handshake of a recording that can be replayed live.
fn choose(args: &Args, recording: Recording) -> Result<Exchange, Text> {
    let mut chosen = None;
    let ended = recording::each(recording, args.stream, &mut |exchange| {
        let fits = if args.to.is_some() { exchange.request.is_some() } else { exchange.response.is_some() };
        if fits {
            chosen = Some(exchange);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    chosen.ok_or_else(|| {
        let what = Text::new(if args.to.is_some() {
            "no request to send in it"
        } else {
            "no response to answer with in it"
        });
        match ended {
            Err(why) => Text::new("{} ({})").word(what).word(why),
            Ok(()) => what,
        }
    })
}

fn play(args: &Args, name: &str, recording: Recording, look: Look) -> io::Result<u8> {
    let mut show = Show::new(args, look);
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut worst = None;
    let mut result = Ok(());
    let mut one = |exchange: Exchange| -> io::Result<Flow> {
        let others: Vec<&[u8]> = seen.iter().map(Vec::as_slice).collect();
        let film = film(&exchange, &others);
        if let Some(accept) = &film.accept
            && seen.len() < KEYS
        {
            seen.push(accept.key.clone().into_bytes());
        }
        worst = worst.max(Some(code(film.ruling.state)));
        show.film(&film, "recorded")
    };
    let ended = recording::each(recording, args.stream, &mut |exchange| match one(exchange) {
        Ok(flow) => flow,
        Err(e) => {
            result = Err(e);
            ControlFlow::Break(())
        }
    });
    result?;
    show.end()?;
    if let Err(problem) = ended {
        look.tell("error: {}", &Text::with("{}: {}", name).word(problem))?;
        return Ok(NONE);
    }
    let Some(code) = worst else {
        let problem = match args.stream {
            Some(stream) => Text::with("no handshake with number {} in it", stream),
            None => Text::new("no handshake in it"),
        };
        look.tell("error: {}", &Text::with("{}: {}", name).word(problem))?;
        return Ok(NONE);
    };
    Ok(code)
}

/// Keys remembered, to recognise an answer to another request.
const KEYS: usize = 64;

fn code(state: State) -> u8 {
    match state {
        State::Open | State::Ordinary => OPEN,
        State::Failed | State::Refused | State::Unanswered => FAILED,
    }
}

fn list(look: Look) -> io::Result<u8> {
    let mut out = Output::new(false);
    for sample in samples::SAMPLES {
        writeln!(out, "{}\n    {}", sample.name.bold(), look.lang.words(sample.about()))?;
    }
    out.flush()?;
    Ok(0)
}
