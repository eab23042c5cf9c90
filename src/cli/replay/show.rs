//! Showing films: text, step by step if wanted, or records.

use std::io::{self, IsTerminal, Write};

use console::{Key, Term};

use super::args::Args;
use crate::cli::Look;
use crate::cli::format::Format;
use crate::cli::output::Output;
use crate::model::film::{Aftermath, Comparison, Film, State};
use crate::model::{Flow, Text};
use crate::render::columns;
use crate::render::film::Projector;
use crate::render::json::film::Films;

/// Where films are shown.
pub struct Show {
    kind: Kind,
    step: Option<Term>,
    look: Look,
}

enum Kind {
    Text(Box<Projector>, Output),
    /// A line a handshake; of a live one and its recording, the live one.
    Brief {
        out: Output,
        live: bool,
    },
    Records(Box<Films<Output>>),
}

impl Show {
    pub fn new(args: &Args, look: Look) -> Self {
        let out = Output::new(args.to.is_some() || args.listen.is_some());
        let kind = match args.format {
            Format::Text if args.brief => {
                Kind::Brief { out, live: args.to.is_some() || args.listen.is_some() }
            }
            Format::Text => Kind::Text(Box::new(Projector::new(&args.options(look), args.explain)), out),
            Format::Json => Kind::Records(Box::new(Films::array(out))),
            Format::Ndjson => Kind::Records(Box::new(Films::lines(out))),
        };
        let step = args.step.then(|| keyboard(look)).flatten();
        Self { kind, step, look }
    }

    /// Whether people are reading.
    pub fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text(..))
    }

    /// Shows a film. `Break` when the user has seen enough.
    pub fn film(&mut self, film: &Film, role: &'static str) -> io::Result<Flow> {
        match &mut self.kind {
            Kind::Records(films) => films.film(film, role),
            Kind::Brief { live: true, .. } if role == "recorded" => {}
            Kind::Brief { out, .. } => {
                writeln!(out, "{}", columns::escaped(&self.look.lang.say(&verdict(film))))?;
            }
            Kind::Text(projector, out) => {
                let steps = projector.show(film);
                for (at, step) in steps.iter().enumerate() {
                    out.write_all(step.as_bytes())?;
                    // The title belongs to the first step.
                    if at > 0 && at + 1 < steps.len() && self.step.is_some() {
                        out.flush()?;
                        match pause(self.step.as_ref(), self.look)? {
                            Next::Step => {}
                            Next::Rest => self.step = None,
                            Next::End => return Ok(Flow::Break(())),
                        }
                    }
                }
            }
        }
        Ok(Flow::Continue(()))
    }

    pub fn comparison(&mut self, comparison: &Comparison) -> io::Result<()> {
        match &mut self.kind {
            Kind::Records(films) => films.comparison(comparison),
            Kind::Brief { .. } => {}
            Kind::Text(projector, out) => out.write_all(projector.compare(comparison).as_bytes())?,
        }
        Ok(())
    }

    pub fn aftermath(&mut self, after: &Aftermath) -> io::Result<()> {
        match &mut self.kind {
            Kind::Records(films) => films.aftermath(after),
            Kind::Brief { .. } => {}
            Kind::Text(projector, out) => out.write_all(projector.aftermath(after).as_bytes())?,
        }
        Ok(())
    }

    /// Says something besides, to people who read it all.
    pub fn said(&mut self, words: &Text) -> io::Result<()> {
        if let Kind::Text(_, out) = &mut self.kind {
            writeln!(out, "{}", columns::escaped(&self.look.lang.say(words)))?;
        }
        Ok(())
    }

    /// Leaves an empty line before what somebody else shows, and writes out what was gathered.
    pub fn make_way(&mut self) -> io::Result<()> {
        if let Kind::Text(_, out) = &mut self.kind {
            writeln!(out)?;
        }
        self.flush()
    }

    /// Writes out what was gathered.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::Records(_) => Ok(()),
            Kind::Text(_, out) | Kind::Brief { out, .. } => out.flush(),
        }
    }

    pub fn end(self) -> io::Result<()> {
        match self.kind {
            Kind::Records(films) => films.finish()?.flush(),
            Kind::Text(_, mut out) | Kind::Brief { mut out, .. } => out.flush(),
        }
    }
}

/// What came of a handshake, in a line.
fn verdict(film: &Film) -> Text {
    let status = film.response.as_ref().map_or("", |response| &*response.start_line);
    let title = match film.conn {
        0 => Text::with("{}", &film.title),
        conn => Text::with("{}, connection {}", &film.title).and(conn),
    };
    let words = match (film.ruling.state, &film.ruling.cause) {
        (State::Open, Some(cause)) => {
            Text::with("open ({}), although {} ({})", status).word(cause.rule.title).and(cause.rule.id)
        }
        (State::Open, None) => Text::with("open ({})", status),
        (State::Failed, Some(cause)) => {
            Text::new("failed: {} ({}): {}").word(cause.rule.title).and(cause.rule.id).word(cause.got.clone())
        }
        (State::Refused, Some(cause)) => Text::new("refused, rightly ({}): {} ({}): {}")
            .and(status)
            .word(cause.rule.title)
            .and(cause.rule.id)
            .word(cause.got.clone()),
        (State::Refused, None) => Text::with("refused, rightly ({})", status),
        (State::Failed, None) => Text::with("failed ({})", status),
        (State::Unanswered, _) => Text::new("not answered"),
        (State::Ordinary, _) => Text::with("no handshake ({})", status),
    };
    Text::new("{}: {}").word(title).word(words)
}

enum Next {
    Step,
    Rest,
    End,
}

/// The terminal to wait for keys on.
fn keyboard(look: Look) -> Option<Term> {
    let term = Term::stdout();
    // When standard input is the recording, keys come from the terminal all the same.
    let has_keys = io::stdin().is_terminal() || std::fs::File::open("/dev/tty").is_ok();
    if has_keys && io::stdout().is_terminal() {
        return Some(term);
    }
    // A broken standard error is no reason to stop.
    let words = "--step needs a terminal to wait for keys; playing without pauses";
    let _ = look.tell("note: {}", &words.into());
    None
}

fn pause(term: Option<&Term>, look: Look) -> io::Result<Next> {
    const PROMPT: &str = "-- any key: next step   a: all the rest   q: end --";
    let Some(term) = term else { return Ok(Next::Step) };
    term.write_str(look.lang.words(PROMPT))?;
    term.flush()?;
    let key = term.read_key();
    term.clear_line()?;
    Ok(match key? {
        Key::Char('q' | 'Q') | Key::Escape | Key::CtrlC => Next::End,
        Key::Char('a' | 'A') => Next::Rest,
        _ => Next::Step,
    })
}
