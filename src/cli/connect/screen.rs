//! Where things are shown: standard output, or above the prompt of somebody who types.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use colored::Colorize as _;

use crate::cli::Look;
use crate::cli::look::{folded, said_width};
use crate::model::Text;
use crate::render::columns;

/// Bytes of a view that are gathered at most.
const GATHERED: usize = 64 * 1024;

/// Prints above a prompt.
pub trait Above: Send {
    /// Prints whole lines.
    ///
    /// # Errors
    /// When the terminal is gone.
    fn print(&mut self, lines: String) -> io::Result<()>;

    /// Waits until all of them are seen, and takes the prompt away.
    fn leave(&mut self);
}

/// What is written to by the one who talks, and by the recorder's thread.
#[derive(Clone)]
pub struct Screen {
    shared: Arc<Mutex<Shared>>,
    look: Look,
    ascii: bool,
}

struct Shared {
    above: Option<Box<dyn Above>>,
    /// What the wire's view writes before the verdict is said, which comes first.
    held: Option<Vec<u8>>,
}

impl Screen {
    /// Standard output, with `ascii` alone or all characters. What the wire's view has to say waits for
    /// [`release`](Self::release).
    pub fn new(look: Look, ascii: bool) -> Self {
        Self { shared: Arc::new(Mutex::new(Shared { above: None, held: Some(Vec::new()) })), look, ascii }
    }

    /// From now on there is a prompt.
    pub fn prompt(&self, above: Box<dyn Above>) {
        self.lock().above = Some(above);
    }

    /// From now on there is none.
    pub fn unprompt(&self) {
        if let Some(mut above) = self.lock().above.take() {
            above.leave();
        }
    }

    /// The verdict was said.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn release(&self) -> io::Result<()> {
        let mut shared = self.lock();
        let held = shared.held.take().unwrap_or_default();
        shared.write(&held)
    }

    /// What the wire's view writes to.
    pub fn view(&self) -> impl Write + Send + use<> {
        View { screen: self.clone(), pending: Vec::new() }
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.lock().write(bytes)
    }

    /// Writes lines whose words are safe for a terminal.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn line(&self, line: &str) -> io::Result<()> {
        self.lock().write(format!("{line}\n").as_bytes())
    }

    /// Says words of the tool to whoever reads standard error, or above the prompt: `indent` columns in,
    /// those behind the first line two more.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn say(&self, indent: usize, words: &Text, tone: Tone) -> io::Result<()> {
        let words = self.words(words);
        let colored = self.look.color && io::stderr().is_terminal();
        let mut all = String::new();
        for line in folded(&words, said_width(), indent) {
            all.push_str(&match tone {
                Tone::Good if colored => line.green().to_string(),
                Tone::Bad if colored => line.red().to_string(),
                Tone::Aside if colored => line.dimmed().to_string(),
                _ => line,
            });
            all.push('\n');
        }
        let mut shared = self.lock();
        match &mut shared.above {
            Some(above) => above.print(all),
            None => io::stderr().write_all(all.as_bytes()),
        }
    }

    /// Words of the tool, on a line of what is shown.
    pub fn words(&self, words: &Text) -> String {
        let words = self.look.lang.say(words);
        if self.ascii { columns::ascii(&words) } else { columns::escaped(&words) }
    }

    /// A line for each of these commands and what it does; in two where the screen is narrow.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn commands(&self, commands: &[(&str, &'static str)]) -> io::Result<()> {
        let width = said_width();
        let mut lines = Vec::new();
        for (what, does) in commands {
            let (what, does) = (self.words(&Text::with("{}", what)), self.words(&(*does).into()));
            let line = format!("  {} {does}", columns::left(&what, 23));
            if columns::width(&line) <= width {
                lines.push(line);
                continue;
            }
            lines.push(format!("  {what}"));
            lines.extend(folded(&does, width, 6));
        }
        // In one piece: above a prompt each is drawn anew, while somebody types.
        self.line(&lines.join("\n"))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How words sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As any.
    Plain,
    /// All is well.
    Good,
    /// It is not.
    Bad,
    /// Besides.
    Aside,
}

impl Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if let Some(above) = &mut self.above {
            return above.print(String::from_utf8_lossy(bytes).into_owned());
        }
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }
}

/// The wire's view on a screen: whole lines at a time.
struct View {
    screen: Screen,
    pending: Vec<u8>,
}

impl Write for View {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.ends_with(b"\n") || self.pending.len() > GATHERED {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut shared = self.screen.lock();
        match &mut shared.held {
            Some(held) => held.append(&mut self.pending),
            None => shared.write(&self.pending)?,
        }
        self.pending.clear();
        Ok(())
    }
}
