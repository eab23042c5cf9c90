//! How messages are shown to whoever talks: as they are, or in a line with the time.

use std::io;
use std::time::{Duration, Instant};

use colored::Colorize as _;

use super::screen::Screen;
use super::verdict::short;
use crate::http::accept::hex;
use crate::lab::frames::Received;
use crate::model::{CloseCode, Opcode, Text, prefix};
use crate::render::columns;

/// How messages are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Not at all: a view of the wire shows them, or nobody looks.
    Nothing,
    /// As they are, a line each; binary ones in hex.
    Bare,
    /// The same at a terminal, which would obey what controls it.
    Seen,
    /// As they are, also binary ones, and nothing between them.
    Bytes,
    /// A line each, with its time.
    Lines,
}

/// Bytes of a message that a line shows.
const SHOWN: usize = 4096;

/// Bytes of a binary message that a line shows.
const HEX: usize = 32;

/// Shows what comes.
#[derive(Clone)]
pub struct Show {
    screen: Screen,
    style: Style,
    most: Option<u64>,
    began: Instant,
}

impl Show {
    /// Times count from now. A line shows `most` bytes of a message.
    pub fn new(screen: Screen, style: Style, most: Option<u64>) -> Self {
        Self { screen, style, most, began: Instant::now() }
    }

    /// Where it is shown.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// A message.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn message(&self, message: &Received) -> io::Result<()> {
        let Received { kind, payload } = message;
        match self.style {
            Style::Nothing => Ok(()),
            Style::Bytes => self.screen.write(payload),
            Style::Bare if *kind == Opcode::TEXT => {
                let mut line = payload.clone();
                line.push(b'\n');
                self.screen.write(&line)
            }
            Style::Seen if *kind == Opcode::TEXT => {
                let text = String::from_utf8_lossy(payload);
                text.split('\n').try_for_each(|line| self.screen.line(&columns::escaped(line)))
            }
            Style::Bare | Style::Seen => self.screen.line(&hex(payload)),
            Style::Lines if *kind == Opcode::TEXT => {
                let text = String::from_utf8_lossy(payload);
                self.incoming(&self.cut(&text))
            }
            Style::Lines => {
                let most = self.most.map_or(HEX, |most| usize::try_from(most).unwrap_or(usize::MAX));
                let shown = hex(&payload[..payload.len().min(most)]);
                let more = if payload.len() > most { " …" } else { "" };
                let words = Text::with("binary, {} bytes: {}", payload.len()).and(format!("{shown}{more}"));
                self.incoming(&self.screen.words(&words))
            }
        }
    }

    /// A ping, which is answered.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn ping(&self, payload: &[u8]) -> io::Result<()> {
        if payload.is_empty() {
            return self.note("ping, answered".into());
        }
        self.note(Text::with("ping, answered: {}", prefix(&String::from_utf8_lossy(payload), 125)))
    }

    /// A pong, and how long it took when it answers a ping.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn pong(&self, payload: &[u8], took: Option<Duration>) -> io::Result<()> {
        let content = String::from_utf8_lossy(payload);
        match (took, payload.is_empty()) {
            (Some(took), true) => self.note(Text::with("pong after {}", short(took))),
            (Some(took), false) => self.note(Text::with("pong after {}: {}", short(took)).and(content)),
            (None, _) => self.note(Text::with("pong that nobody asked for: {}", content)),
        }
    }

    /// Something that came, in words.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&self, words: Text) -> io::Result<()> {
        if self.style != Style::Lines {
            return Ok(());
        }
        let words = self.screen.words(&words);
        self.screen.line(&format!("{} {} {}", self.time(), "←".dimmed(), words.dimmed()))
    }

    /// Text that came, whose first line has the time.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn incoming(&self, text: &str) -> io::Result<()> {
        let mut lines = text.split('\n').map(|line| columns::escaped(line.trim_end_matches('\r')));
        let first = lines.next().unwrap_or_default();
        self.screen.line(&format!("{} {} {first}", self.time(), "←".cyan()))?;
        lines.try_for_each(|line| self.screen.line(&format!("{:12} {line}", "")))
    }

    /// How the connection ended, where that is said in a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(&self, code: Option<CloseCode>, reason: &str) -> io::Result<()> {
        let words = match (code, reason.is_empty()) {
            (Some(code), true) => Text::with("Close {}", code.0),
            (Some(code), false) => Text::with("Close {}: {}", code.0).and(reason),
            (None, _) => "Close without a code".into(),
        };
        self.note(words)
    }

    fn time(&self) -> String {
        format!("{:10.3}", self.began.elapsed().as_secs_f64()).dimmed().to_string()
    }

    fn cut(&self, text: &str) -> String {
        let most = self.most.map_or(SHOWN, |most| usize::try_from(most).unwrap_or(usize::MAX));
        if text.len() <= most {
            return text.to_owned();
        }
        let words = Text::with("… ({} bytes; --payload-limit all shows them)", text.len());
        format!("{} {}", prefix(text, most), self.screen.words(&words))
    }
}
