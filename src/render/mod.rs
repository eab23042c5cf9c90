//! Views: each is a [`Sink`] that writes what a decoder says, over any [`io::Write`].
//!
//! | view            | for                                                              |
//! |-----------------|------------------------------------------------------------------|
//! | [`tree::Tree`]  | reading a conversation, every field named (the default)          |
//! | [`bits::Bits`]  | seeing a header as RFC 6455 §5.2 draws it, its bits filled in    |
//! | [`hex::Hex`]    | finding a byte, and what it means                                |
//! | [`table::Table`]| looking over many frames, one line each                          |
//! | [`messages::Messages`]| what the application sees: messages, frames folded         |
//! | [`session::Session`]| a Socket.IO session over polling and WebSocket, one timeline |
//!
//! [`har::Har`] writes what browsers' developer tools load.
//!
//! [`markdown::render`] lays out pages of words, [`prose`] words without marks, [`article`]
//! a page of explanation, all on the same page that breaks their lines;
//! [`film::Projector`] lays out handshakes step by step.
//!
//! No view knows a rule of a protocol: field names, meanings, citations and
//! findings come with the units. The views only lay out. How they stack:
//!
//! ```text
//! views                            the list of views, by name
//! tree  bits  hex  table           what a frame looks like
//! messages  session                what the application sees
//!    screen                        a sink over a writer
//!    outline, rows, heads, verdicts, app   what is said of everything, as values
//!    said                          blocks of what is said, and what sets them
//!    set                           blocks on a page
//!    frames, hexdump, pretty       bytes, JSON
//!    page, columns                 one column-counting line after another
//!    escape, style, clock, words   characters, colours, times, counts
//! ```
//!
//! `tree`, `messages` and `session` say what they show in blocks, so that something else than a page can
//! set them; `bits`, `hex` and `table` draw on the page between the blocks, because columns are what
//! they are.
//!
//! What came from the wire is untrusted. `escape` is the only way from bytes to
//! the page, and the page escapes the tool's own words as well, because they may
//! quote the wire: no view can emit a control character other than the line feed.

use std::collections::BTreeMap;
use std::io;

use crate::cause::Head;
use crate::lang::Lang;
use crate::model::{Advice, Sink};

pub mod article;
pub mod bits;
pub mod causes;
pub mod columns;
pub mod comment;
pub mod compare;
pub mod files;
pub mod film;
pub mod grade;
pub mod har;
pub mod hex;
pub mod html;
pub mod json;
#[cfg(feature = "cli")]
pub mod markdown;
pub mod messages;
pub mod prose;
pub mod session;
pub mod stats;
pub mod table;
#[cfg(feature = "parquet")]
pub mod tables;
pub mod tree;
pub mod views;

mod advice;
mod app;
mod choice;
mod clock;
mod escape;
mod frames;
mod head;
mod heads;
mod hexdump;
mod outline;
mod page;
mod pretty;
mod rows;
mod said;
mod screen;
mod set;
mod style;
mod totals;
mod units;
mod verdicts;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod tests;

pub use bits::Bits;
pub use hex::Hex;
pub use messages::Messages;
pub use screen::{Layout, Screen};
pub use session::Session;
pub use table::Table;
pub use tree::Tree;
pub use views::VIEWS;

/// A sink that writes somewhere and can be chosen at run time.
pub trait View: Sink {
    /// Hands on what is known already, where it may be long until more comes.
    ///
    /// # Errors
    /// The first error of writing, here or earlier.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Shows what an input came to before any of it is shown again.
    fn lead(&mut self, head: Head) {
        let _ = head;
    }

    /// Ends the view: flushes it, or reports the first error of writing, after
    /// which [`Sink::take`] has answered `Break`.
    fn end(self: Box<Self>) -> io::Result<()>;
}

/// How the text views are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Columns of the terminal. Views are laid out for 80, use more when there are more and make do with
    /// less; below [`Options::NARROWEST`] lines are left to the terminal to break.
    pub width: usize,
    /// Whether to use colours. They never say anything that words do not.
    pub color: bool,
    /// The language of the words.
    pub lang: Lang,
    /// Whether to use ASCII only: `->` for an arrow, `\u{4f60}` for what has no ASCII form.
    pub ascii: bool,
    /// How times are told.
    pub time: TimeStyle,
    /// Payload bytes shown of each frame and message; `None` for a few lines' worth.
    pub payload: Option<u64>,
    /// Whether counts have how long requests wait for their answers.
    pub latency: bool,
    /// What to add to the first finding of each rule, by the rule's id; `None` to add nothing.
    pub advice: Option<&'static BTreeMap<&'static str, Advice>>,
    /// Whether what the input came to is told before the totals.
    pub head: bool,
}

impl Options {
    /// The narrowest layout, in columns. Only the diagrams of [`Bits`] are wider: they take 32 bits at two
    /// columns each.
    pub const NARROWEST: usize = 40;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 80,
            color: false,
            lang: Lang::En,
            ascii: false,
            time: TimeStyle::Relative,
            payload: None,
            latency: false,
            advice: None,
            head: false,
        }
    }
}

/// How times are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeStyle {
    /// Seconds since the first packet of the input.
    #[default]
    Relative,
    /// The date and time of day, UTC.
    Utc,
    /// Seconds since the latest unit before; none for a unit that is told late.
    Delta,
}
