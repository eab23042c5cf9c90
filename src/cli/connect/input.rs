//! What is to be sent, as it is typed or piped in: read on a thread of its own.

use std::convert::Infallible;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Config, Editor, ExternalPrinter};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;

use super::command;
use super::screen::{Above, Screen};
use crate::limits;
use crate::model::Text;

/// Something to do.
#[derive(Debug)]
pub enum Input {
    /// A line that was typed: text, or a command.
    Typed(String),
    /// A line that was piped in.
    Line(String),
    /// All that was piped in.
    All(Vec<u8>),
    /// Ctrl-C was pressed at the prompt.
    Interrupt,
    /// There is no more, because of this.
    Broken(Text),
}

/// Lines that wait until they are sent.
const AHEAD: usize = 64;

/// Lines of standard input.
pub fn lines() -> Receiver<Input> {
    let (sender, input) = mpsc::channel(AHEAD);
    thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        for number in 1_u64.. {
            let mut line = Vec::new();
            // The end of the line does not count.
            let said = match (&mut stdin).take(limits::PAYLOAD_KEPT + 2).read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) => {
                    if line.ends_with(b"\n") {
                        line.pop();
                        if line.ends_with(b"\r") {
                            line.pop();
                        }
                    }
                    if line.len() as u64 > limits::PAYLOAD_KEPT {
                        let words = "line {} of standard input has more than {} bytes";
                        let words = Text::with(words, number).and(limits::PAYLOAD_KEPT);
                        // Nobody may be listening any more.
                        let _ = sender.blocking_send(Input::Broken(words));
                        return;
                    }
                    let words = "line {} of standard input is no UTF-8, and text has to be: --binary sends \
                                 it all as one binary message";
                    String::from_utf8(line)
                        .map_or_else(|_| Input::Broken(Text::with(words, number)), Input::Line)
                }
                Err(error) => Input::Broken(Text::with("standard input: {}", error)),
            };
            let is_last = matches!(said, Input::Broken(_));
            if sender.blocking_send(said).is_err() || is_last {
                return;
            }
        }
    });
    input
}

/// All of standard input.
pub fn all() -> Receiver<Input> {
    let (sender, input) = mpsc::channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let said = match io::stdin().lock().take(limits::PAYLOAD_KEPT + 1).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 > limits::PAYLOAD_KEPT => {
                Input::Broken(Text::with("standard input has more than {} bytes", limits::PAYLOAD_KEPT))
            }
            Ok(_) => Input::All(bytes),
            Err(error) => Input::Broken(Text::with("standard input: {}", error)),
        };
        // Nobody may be listening any more.
        let _ = sender.blocking_send(said);
    });
    input
}

/// Texts that were named.
pub fn named(texts: Vec<String>) -> Receiver<Input> {
    let (sender, input) = mpsc::channel(texts.len().max(1));
    for text in texts {
        // There is room for all.
        let _ = sender.try_send(Input::Line(text));
    }
    input
}

/// How many lines still wait to be sent.
pub fn waiting(input: &mut Receiver<Input>) -> usize {
    let lines = std::iter::from_fn(|| input.try_recv().ok());
    lines.filter(|said| matches!(said, Input::Typed(line) | Input::Line(line) if !line.is_empty())).count()
}

/// Whether somebody at a prompt has left it, by Ctrl-C or Ctrl-D; nobody else ever has.
pub struct Left(Option<oneshot::Receiver<Infallible>>);

impl Left {
    /// There is no prompt to leave.
    pub fn never() -> Self {
        Self(None)
    }

    /// Waits until it was left. Is not asked again.
    pub async fn wait(&mut self) {
        match &mut self.0 {
            // The one who reads lines says nothing: it has gone.
            Some(reader) => drop(reader.await),
            None => std::future::pending().await,
        }
    }
}

/// Lines typed at a prompt, above which the screen prints from now on, and when it is left. While it is there
/// the keys that end a program are read by it, and are no signals.
///
/// # Errors
/// When there is no terminal to edit lines on.
pub fn prompt(screen: &Screen) -> Result<(Receiver<Input>, Left), ReadlineError> {
    let config = Config::builder().auto_add_history(true).build();
    let mut editor = Editor::<(), DefaultHistory>::with_config(config)?;
    let printer = editor.create_external_printer()?;
    let over = Arc::new(AtomicBool::new(false));
    screen.prompt(Box::new(Printer { printer, over: Arc::clone(&over) }));
    let (sender, input) = mpsc::channel(AHEAD);
    let (reads, left) = oneshot::channel();
    thread::spawn(move || {
        type_lines(&mut editor, &sender, &over);
        drop(reads);
    });
    Ok((input, Left(Some(left))))
}

fn type_lines(editor: &mut Editor<(), DefaultHistory>, sender: &Sender<Input>, over: &AtomicBool) {
    while !over.load(SeqCst) {
        let said = match editor.readline("> ") {
            Ok(line) => Input::Typed(line),
            Err(ReadlineError::Interrupted) => Input::Interrupt,
            Err(ReadlineError::Eof) => return,
            Err(error) => Input::Broken(Text::with("the terminal: {}", error)),
        };
        let is_last = !matches!(&said, Input::Typed(line) if !command::is_last(line));
        if sender.blocking_send(said).is_err() || is_last {
            return;
        }
    }
}

struct Printer<P> {
    printer: P,
    /// There is to be no further prompt.
    over: Arc<AtomicBool>,
}

impl<P: ExternalPrinter + Send> Above for Printer<P> {
    fn print(&mut self, lines: String) -> io::Result<()> {
        self.printer.print(lines).map_err(io::Error::other)
    }

    fn leave(&mut self) {
        self.over.store(true, SeqCst);
        // A line up, and down again: nobody sees it. The editor takes one at a time, so that what was printed
        // before is on the screen once it has taken the second.
        let is_seen = (0..2).all(|_| self.print("\x1b[1A\n".to_owned()).is_ok());
        if is_seen {
            // What is left is the prompt, and what is half typed.
            let _ = io::stdout().write_all(b"\r\x1b[K").and_then(|()| io::stdout().flush());
        }
    }
}

/// The terminal's settings, to be put back when the program ends while a line is edited.
pub struct Terminal(#[cfg(unix)] Option<rustix::termios::Termios>);

impl Terminal {
    /// As it is now.
    pub fn remember() -> Self {
        Self(
            #[cfg(unix)]
            rustix::termios::tcgetattr(io::stdin()).ok(),
        )
    }

    /// As it was then.
    pub fn restore(&self) {
        #[cfg(unix)]
        if let Some(settings) = &self.0 {
            // A terminal that is gone needs no settings.
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, settings);
        }
    }
}
