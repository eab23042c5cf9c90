//! The voice of the lessons: their language, and how their words are laid out.

use std::fmt::Display;
use std::io::{self, Write};

use crate::cli::{Look, output, pager};
use crate::lang::Lang;
use crate::render::{Options, markdown, prose};

/// See the [module](self).
pub(super) struct Tutor {
    options: Options,
}

impl Tutor {
    pub(super) fn new(look: Look, ascii: bool) -> Self {
        let (color, lang) = (look.color, look.language(ascii));
        let ascii = look.ascii(ascii);
        Self { options: Options { width: output::width(), color, lang, ascii, ..Options::default() } }
    }

    pub(super) fn lang(&self) -> Lang {
        self.options.lang
    }

    /// Words of the tool in the learner's language.
    pub(super) fn words(&self, english: &'static str) -> &'static str {
        self.lang().words(english)
    }

    /// A template of the tool in the learner's language, its holes filled.
    pub(super) fn fill(&self, template: &'static str, args: &[&dyn Display]) -> String {
        self.lang().fill(template, args)
    }

    /// Says words as they are, in paragraphs that fit the terminal.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(super) fn say(&self, words: &str) -> io::Result<()> {
        io::stdout().lock().write_all(self.prose(words).as_bytes())
    }

    /// Words as they are, in paragraphs that fit the terminal.
    pub(super) fn prose(&self, words: &str) -> String {
        prose::render(words, &self.options)
    }

    /// Shows what is laid out already, a screen at a time where it is longer than the screen.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(super) fn show(&self, page: &str) -> io::Result<()> {
        pager::show(page, self.lang())
    }

    /// A page in Markdown, laid out.
    pub(super) fn page(&self, markdown: &str) -> String {
        markdown::render(markdown, &self.options)
    }
}

/// Writes lines that are laid out already.
///
/// # Errors
/// When the output cannot be written.
pub(super) fn lines(lines: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}
