//! `wstool connect URL`: a client that says whether a WebSocket opens and why not, and talks over it.
//!
//! ```text
//! prompt, pipe, script ─► Talk ─► Socket ─► Tapped stream ─► TLS, proxy, TCP
//!            Screen ◄───────┘                    └─► Recorder: views, capture
//! ```
//!
//! - `args`: the options
//! - `opening`: the handshake; `verdict`: what is said of it
//! - `input`, `command`: what is typed or piped in
//! - `talk`: a conversation, `ending`: how it ended
//! - `script`: what is sent and expected
//! - `echo`: what a test suite talks to
//! - `socketio`: Socket.IO on top; `polling`: what carries it without a WebSocket, `begin`: until it
//!   has one
//! - `transport`: which of both; `carrier`: either
//! - `screen`, `show`: where and how things are shown

mod args;
mod begin;
mod carrier;
mod command;
mod echo;
pub mod ending;
mod input;
pub mod opening;
mod polling;
pub mod screen;
mod script;
mod show;
mod socketio;
mod talk;
mod transport;
pub mod verdict;

use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::mpsc::Receiver;

use self::carrier::Carrier;
use self::ending::End;
use self::input::{Input, Left, Terminal};
use self::opening::{Asking, Failure, Opening};
use self::screen::{Screen, Tone};
use self::script::{Step, Verdict};
use self::show::{Show, Style};
use self::socketio::SocketIo;
use self::talk::{Plan, Talk};
use self::transport::Transport;
use super::dial::Url;
use super::interrupt::INTERRUPTED;
use super::live::stop::{self, Stop};
use super::live::{self, Below, Format, Recorder, Shown};
use super::{Look, file, trouble};
use crate::lab::engine::packet::Revision;
use crate::lab::socket::Socket;
use crate::lab::tap::Tap;
use crate::limits;
use crate::model::Text;
use crate::render::{messages, table, tree};

pub use args::Args;

/// All is well.
const FINE: u8 = 0;
/// The handshake failed, the connection ended badly, or an expectation was not met.
const FAILED: u8 = 1;
/// The command was used wrongly, or the server could not be reached.
const UNREACHED: u8 = 2;

/// Connects, talks, and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    let prepared = match args::contradiction(args).map_or_else(|| prepare(args, look), Err) {
        Ok(prepared) => prepared,
        Err(problem) => {
            look.tell("error: {}", &problem)?;
            return Ok(UNREACHED);
        }
    };
    let stop = stop::listen()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let terminal = Terminal::remember();
    let result = runtime.block_on(prepared.run(stop));
    // A thread may still wait for a line, or for a name to be resolved.
    runtime.shutdown_background();
    terminal.restore();
    result
}

/// What to do once it is open.
enum Task {
    /// Send what is typed or piped in, and show what comes.
    Talk(Plan, Source),
    /// These steps.
    Script(String, Vec<Step>),
    /// Send back what comes.
    Echo,
}

/// Where what is sent comes from.
enum Source {
    Nothing,
    Prompt,
    Lines,
    All,
    Named(Vec<String>),
}

/// What was opened.
enum Opened {
    WebSocket(Box<opening::Open>),
    /// A session of Engine.IO that began by polling.
    Session(Box<begin::Opened>),
}

/// What is said when all else is.
type Last = Option<(Text, Tone)>;

struct Prepared<'a> {
    args: &'a Args,
    look: Look,
    opening: Opening,
    transport: Transport,
    task: Task,
    shown: live::Args,
    below: Below,
    style: Style,
    /// The view of the wire where none was named.
    default: Shown,
}

fn prepare(args: &Args, look: Look) -> Result<Prepared<'_>, Text> {
    let url = Url::parse(&args.url)?;
    let (url, transport) = if args.socketio {
        let transport = args.transport.or(transport::named(&url)).unwrap_or(Transport::WebSocket);
        let mut url = transport::url(url);
        if args.auth.is_some() && transport::revision(&url) == Revision::V3 {
            return Err("Socket.IO 2 has no --auth: it takes what the URL's query says".into());
        }
        if transport == Transport::WebSocket {
            url.resource.push_str("&transport=websocket");
        }
        (url, transport)
    } else {
        (url, Transport::WebSocket)
    };
    let task = task(args)?;
    let mut shown = args.shown.clone();
    if args.json {
        shown.format = Format::Ndjson;
    }
    let default = match args.verbose {
        0 if shown.has_keys() || shown.format != Format::Text => Shown::View(&messages::VIEW),
        0 => Shown::Nothing,
        1 => Shown::View(&table::VIEW),
        _ => Shown::View(&tree::VIEW),
    };
    let shows_wire = shown.view.unwrap_or(default) != Shown::Nothing;
    let style = match &task {
        _ if shows_wire => Style::Nothing,
        Task::Echo | Task::Script(..) => Style::Nothing,
        Task::Talk(..) if args.binary => Style::Bytes,
        Task::Talk(..) if !io::stdout().is_terminal() => Style::Bare,
        Task::Talk(..) if args.quiet => Style::Seen,
        Task::Talk(..) => Style::Lines,
    };
    let below = shown.below(look)?;
    let opening = opening(args, url, &below, look)?;
    Ok(Prepared { args, look, opening, transport, task, shown, below, style, default })
}

fn task(args: &Args) -> Result<Task, Text> {
    if args.echo {
        return Ok(Task::Echo);
    }
    if let Some(name) = &args.script {
        let mut text = String::new();
        let told = |error: io::Error| trouble::of_file(Path::new(name), &error);
        let reader: Box<dyn io::Read> = match name.as_str() {
            "-" => Box::new(io::stdin()),
            _ => file::open(Path::new(name)).map_err(told)?.reader,
        };
        reader.take(limits::PAYLOAD_KEPT).read_to_string(&mut text).map_err(told)?;
        let steps = script::parse(&text)
            .map_err(|(line, problem)| Text::with("{}:{}: {}", name).and(line).word(problem))?;
        return Ok(Task::Script(name.clone(), steps));
    }
    let source = if args.listen_only {
        Source::Nothing
    } else if !args.send.is_empty() {
        Source::Named(args.send.clone())
    } else if args.binary {
        Source::All
    } else if io::stdin().is_terminal() && io::stdout().is_terminal() && !args.quiet {
        Source::Prompt
    } else {
        Source::Lines
    };
    let plan = Plan {
        typed: matches!(source, Source::Prompt),
        listens: matches!(source, Source::Nothing),
        wait: args.wait,
        count: args.count,
        ping_every: args.ping_every,
        timeout: args.dial.timeout,
    };
    Ok(Task::Talk(plan, source))
}

fn opening(args: &Args, url: Url, below: &Below, look: Look) -> Result<Opening, Text> {
    Ok(Opening {
        named: args.url.clone(),
        reach: args.dial.reach(url, &below.keylog, below.tap.clone(), look)?,
        asking: Asking::of(args),
        most: args.max_message,
        masks: !args.no_masking,
        http2: args.dial.http2,
    })
}

impl Prepared<'_> {
    async fn run(mut self, mut stop: Stop) -> io::Result<u8> {
        let ascii = self.shown.options(self.look).ascii;
        let screen = Screen::new(self.look, ascii);
        let out = screen.clone();
        let below = std::mem::replace(&mut self.below, Below::nothing(self.look));
        let recorder = live::start_on(&self.shown, &self.args.url, self.default, below, move || out.view());
        let (tap, mut recorder) = match recorder {
            Ok(recording) => recording,
            Err(problem) => {
                self.look.tell("error: {}", &problem)?;
                return Ok(UNREACHED);
            }
        };
        let mut last = None;
        let result = tokio::select! {
            result = self.connections(&screen, &tap, &mut last, &mut stop) => result,
            () = recorder.gone() => Ok(FINE),
        };
        screen.unprompt();
        drop(tap);
        screen.release()?;
        let code = finish(recorder, result?);
        if let Some((words, tone)) = last {
            screen.say(0, &words, tone)?;
        }
        code
    }

    async fn open(&self, tap: &Tap) -> Result<Opened, Failure> {
        Ok(match self.transport {
            Transport::WebSocket => Opened::WebSocket(Box::new(self.opening.open(tap).await?)),
            transport => Opened::Session(Box::new(begin::open(&self.opening, transport, tap).await?)),
        })
    }

    /// One connection, or one after another. The `last` words are for after all that was recorded.
    async fn connections(
        &self,
        screen: &Screen,
        tap: &Tap,
        last: &mut Last,
        stop: &mut Stop,
    ) -> io::Result<u8> {
        let mut input: Option<Option<Receiver<Input>>> = None;
        let mut left = Left::never();
        let mut attempt = 0;
        loop {
            let opened = tokio::select! {
                opened = self.open(tap) => opened,
                _ = stop.recv() => return left_waiting(&mut input, screen, INTERRUPTED),
                () = left.wait() => return left_waiting(&mut input, screen, FAILED),
            };
            let code = match opened {
                Err(failure) => {
                    verdict::closed(screen, &failure)?;
                    if !self.args.reconnect || is_final(&failure) {
                        let code =
                            if matches!(failure, Failure::Refused { .. }) { FAILED } else { UNREACHED };
                        return left_waiting(&mut input, screen, code);
                    }
                    None
                }
                Ok(open) => {
                    if !self.args.quiet {
                        match &open {
                            Opened::WebSocket(open) => verdict::open(screen, open)?,
                            Opened::Session(opened) => verdict::session(screen, &opened.session)?,
                        }
                    }
                    screen.release()?;
                    attempt = 0;
                    match (&self.task, open) {
                        (Task::Echo, Opened::WebSocket(open)) => {
                            return Ok(self.echo(open.socket, last, stop).await);
                        }
                        (Task::Script(name, steps), Opened::WebSocket(open)) => {
                            return tokio::select! {
                                code = self.script(open.socket, name, steps, screen) => code,
                                _ = stop.recv() => Ok(INTERRUPTED),
                            };
                        }
                        // Only what talks can do without a WebSocket.
                        (Task::Echo | Task::Script(..), Opened::Session(_)) => return Ok(FAILED),
                        (Task::Talk(plan, source), open) => {
                            let carrier = match open {
                                Opened::WebSocket(open) => Carrier::from(open.socket),
                                Opened::Session(session) => session.carrier,
                            };
                            let input = input.get_or_insert_with(|| begin(source, screen, &mut left));
                            let most = self.shown.options(self.look).payload;
                            let show = Show::new(screen.clone(), self.style, most);
                            let session = self.args.socketio.then(|| {
                                let namespace = self.args.namespace.as_deref().unwrap_or("/");
                                let revision = transport::revision(&self.opening.reach.url);
                                SocketIo::new(revision, namespace, self.args.auth.clone())
                            });
                            let end = Talk::new(carrier, &show, session, *plan).run(input, stop).await?;
                            self.over(screen, plan, &end, last)?
                        }
                    }
                }
            };
            if let Some(code) = code {
                return Ok(code);
            }
            let pause = backoff(attempt);
            attempt += 1;
            let words = Text::with("connecting again in {}", verdict::short(pause));
            screen.say(2, &words, Tone::Aside)?;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.recv() => return left_waiting(&mut input, screen, INTERRUPTED),
                () = left.wait() => return left_waiting(&mut input, screen, FAILED),
            }
        }
    }

    /// Says how a conversation ended; its exit code, unless another connection is to follow.
    fn over(&self, screen: &Screen, plan: &Plan, end: &End, last: &mut Last) -> io::Result<Option<u8>> {
        if let Some(shortfall) = end.shortfall() {
            screen.say(0, &shortfall, Tone::Bad)?;
        }
        let is_good = end.is_good();
        let again = self.args.reconnect && !end.is_ours() && !end.done;
        let words = self.words(end);
        if again {
            if let Some((words, tone)) = words {
                screen.say(0, &words, tone)?;
            }
            return Ok(None);
        }
        *last = words;
        let is_session = plan.typed || self.args.listen_only;
        Ok(Some(if end.interrupted && !is_session {
            INTERRUPTED
        } else if end.unsent {
            UNREACHED
        } else if is_good {
            FINE
        } else {
            FAILED
        }))
    }

    /// What is said of an end.
    fn words(&self, end: &End) -> Last {
        let is_good = end.is_good();
        let tone = if is_good { Tone::Aside } else { Tone::Bad };
        (!self.args.quiet || !is_good).then(|| (end.words(), tone))
    }

    async fn echo(&self, socket: Socket, last: &mut Last, stop: &mut Stop) -> u8 {
        let end = echo::run(socket, stop).await;
        *last = self.words(&end);
        if end.is_good() { FINE } else { FAILED }
    }

    async fn script(&self, socket: Socket, name: &str, steps: &[Step], screen: &Screen) -> io::Result<u8> {
        let show = Show::new(screen.clone(), self.style, None);
        let began = Instant::now();
        match script::run(socket, &show, steps, self.args.dial.timeout).await? {
            Verdict::Passed => {
                if !self.args.quiet {
                    let words = match steps.len() {
                        1 => Text::new("as expected: 1 step in {}"),
                        many => Text::with("as expected: {} steps in {}", many),
                    };
                    screen.say(0, &words.and(verdict::short(began.elapsed())), Tone::Good)?;
                }
                Ok(FINE)
            }
            Verdict::Failed { line, expected, got } => {
                screen.say(0, &Text::with("{}:{}: not as expected", name).and(line), Tone::Bad)?;
                screen.say(2, &Text::new("expected: {}").word(expected), Tone::Plain)?;
                screen.say(2, &Text::new("got:      {}").word(got), Tone::Plain)?;
                Ok(FAILED)
            }
        }
    }
}

/// Says what nobody will send any longer, where lines wait for a connection; the exit code.
fn left_waiting<'i>(
    inputs: impl IntoIterator<Item = &'i mut Option<Receiver<Input>>>,
    screen: &Screen,
    code: u8,
) -> io::Result<u8> {
    match inputs.into_iter().flatten().map(input::waiting).sum() {
        0 => {}
        1 => screen.say(0, &"1 line was not sent: no connection came about".into(), Tone::Bad)?,
        many @ 2_usize.. => {
            let words = Text::with("{} lines were not sent: no connection came about", many);
            screen.say(0, &words, Tone::Bad)?;
        }
    }
    Ok(code)
}

/// Waits for what is recorded; the exit code.
fn finish(recorder: Recorder, code: u8) -> io::Result<u8> {
    let ending = recorder.end()?;
    Ok(if ending.is_kept() { code } else { code.max(UNREACHED) })
}

/// Begins to read what is to be sent; `None` when nothing is. `left` knows of a prompt from then on.
fn begin(source: &Source, screen: &Screen, left: &mut Left) -> Option<Receiver<Input>> {
    match source {
        Source::Nothing => None,
        Source::Lines => Some(input::lines()),
        Source::All => Some(input::all()),
        Source::Named(texts) => Some(input::named(texts.clone())),
        Source::Prompt => {
            let _ = screen.say(0, &"/help lists what can be typed; Ctrl-D closes".into(), Tone::Aside);
            // Where lines cannot be edited they can be read.
            let Ok((input, reader)) = input::prompt(screen) else { return Some(input::lines()) };
            *left = reader;
            Some(input)
        }
    }
}

/// Whether trying again would change nothing.
fn is_final(failure: &Failure) -> bool {
    match failure {
        Failure::Unreached(_) => false,
        Failure::Refused { code, .. } => (400..500).contains(code) && ![408, 425, 429].contains(code),
        Failure::Usage(_) => true,
    }
}

/// How long to wait before another attempt: 1 second, 2, 4 and so on to 60, and of that a random part, so
/// that many clients do not come back at once (RFC 6455 §7.2.3).
fn backoff(attempt: u32) -> Duration {
    let most = 1000_u64 << attempt.min(6);
    let mut random = [0; 8];
    // Without randomness it is the shortest.
    let _ = getrandom::fill(&mut random);
    let most = most.min(60_000);
    Duration::from_millis(most / 2 + u64::from_le_bytes(random) % (most / 2 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer() {
        for (attempt, least, most) in
            [(0, 500, 1000), (1, 1000, 2000), (5, 16_000, 32_000), (40, 30_000, 60_000)]
        {
            let pause = backoff(attempt).as_millis();
            assert!((least..=most).contains(&pause), "{attempt}: {pause}");
        }
    }
}
