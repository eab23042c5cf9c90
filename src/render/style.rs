//! Colours: the only place that names the `colored` crate.
//!
//! Few colours, readable on light and on dark backgrounds: no yellow, which is
//! lost on white, and no plain blue, which is lost on black. Whether they are used
//! is each view's own setting, not the crate's global one, so that two views in
//! one process do not depend on each other.

use colored::Color;

use crate::model::Dir;

/// What a piece of text is for, as far as its looks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Running text.
    Plain,
    /// What the eye should find first: headings, names.
    Strong,
    /// What may be skipped: offsets, sections, times.
    Faint,
    /// Sent by the client.
    Client,
    /// Sent by the server.
    Server,
    /// As it should be.
    Good,
    /// A warning, or something odd.
    Warning,
    /// An error.
    Error,
    /// A note.
    Note,
}

const INKS: [Ink; 9] = [
    Ink::Plain,
    Ink::Strong,
    Ink::Faint,
    Ink::Client,
    Ink::Server,
    Ink::Good,
    Ink::Warning,
    Ink::Error,
    Ink::Note,
];

impl Ink {
    /// The parameters of the SGR sequence (ECMA-48 §8.3.117) that turns it on.
    fn parameters(self) -> String {
        let (attribute, color) = match self {
            Self::Plain => return String::new(),
            Self::Strong => return "1".to_owned(),
            Self::Faint => return "2".to_owned(),
            Self::Client => ("", Color::Cyan),
            Self::Server | Self::Good => ("", Color::Green),
            Self::Warning => ("1;", Color::Magenta),
            Self::Error => ("1;", Color::Red),
            Self::Note => ("1;", Color::Cyan),
        };
        format!("{attribute}{}", color.to_fg_str())
    }
}

/// The sequences of every ink, or nothing at all.
#[derive(Debug)]
pub struct Palette(Option<[String; INKS.len()]>);

impl Palette {
    pub fn new(color: bool) -> Self {
        Self(color.then(|| INKS.map(|ink| format!("\x1b[{}m", ink.parameters()))))
    }

    /// Whether anything is written around text in `ink`.
    #[inline]
    pub fn tells(&self, ink: Ink) -> bool {
        self.0.is_some() && ink != Ink::Plain
    }

    /// What to write before text in `ink`.
    pub fn open(&self, ink: Ink) -> &str {
        match &self.0 {
            Some(sequences) if ink != Ink::Plain => &sequences[ink as usize],
            _ => "",
        }
    }

    /// What to write after it.
    pub fn close(&self, ink: Ink) -> &'static str {
        if self.0.is_some() && ink != Ink::Plain { "\x1b[0m" } else { "" }
    }
}

/// The colour of a sender.
pub fn sender(dir: Dir) -> Ink {
    match dir {
        Dir::Client => Ink::Client,
        Dir::Server => Ink::Server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ink_finds_its_own_sequence() {
        let palette = Palette::new(true);
        for (at, ink) in INKS.into_iter().enumerate() {
            assert_eq!(ink as usize, at);
        }
        assert_eq!(palette.open(Ink::Error), "\x1b[1;31m");
        assert_eq!(palette.open(Ink::Plain), "");
        assert_eq!(palette.close(Ink::Faint), "\x1b[0m");
    }

    #[test]
    fn no_colour_is_no_sequence() {
        let palette = Palette::new(false);
        assert!(INKS.into_iter().all(|ink| palette.open(ink).is_empty() && palette.close(ink).is_empty()));
    }
}
