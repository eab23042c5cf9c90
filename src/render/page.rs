//! Lines of counted columns.
//!
//! A page collects the lines of one unit, so that a unit reaches the writer in
//! one piece; of a unit that is long, line after line goes there as it is made. It
//! knows where the cursor stands, in columns as a terminal counts them, and lets
//! nothing through that a terminal would obey.

mod data;
mod outlet;
mod repeated;
mod tail;
mod usual;

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use self::outlet::Outlet;
pub use self::repeated::Likeness;
use self::repeated::Repeated;
use self::tail::Tail;
use self::usual::Usual;
use super::Options;
use super::columns::split;
use super::escape;
use super::style::{Ink, Palette};
use crate::lang::Lang;
use crate::limits;

/// Columns of a page on which things stand side by side.
const NARROW: usize = 72;

/// What moves to a column.
const SPACES: &str = "                                ";

/// See the [module](self).
#[derive(Debug)]
pub struct Page {
    text: String,
    column: usize,
    width: usize,
    ascii: bool,
    lang: Lang,
    /// Whether payloads are shown whole, as far as they were kept.
    unabridged: bool,
    palette: Palette,
    /// Set at the right end of the line when it ends.
    tail: Tail,
    /// Whether a line was ever ended.
    begun: bool,
    /// Lines that may come again.
    repeated: Repeated,
    usual: Usual,
    outlet: Outlet,
}

impl Page {
    pub fn new(options: &Options) -> Self {
        Self {
            text: String::new(),
            column: 0,
            width: options.width.max(Options::NARROWEST),
            ascii: options.ascii,
            lang: options.lang,
            unabridged: options.payload.is_some(),
            palette: Palette::new(options.color),
            tail: Tail { words: String::new(), ink: Ink::Plain, columns: 0, is_plain: true, is_set: false },
            begun: false,
            repeated: Repeated::default(),
            usual: Usual::default(),
            outlet: Outlet::default(),
        }
    }

    /// A page whose lines go to `out`: when [`Page::deliver`] is called, and before that as soon as there are
    /// more than [`limits::LINES_HELD`] bytes of them.
    pub fn over(options: &Options, out: Rc<RefCell<dyn Write>>) -> Self {
        Self { outlet: Outlet { out: Some(out), error: None }, ..Self::new(options) }
    }

    /// Writes what was collected to where the lines go.
    pub fn deliver(&mut self) {
        let Some(out) = &self.outlet.out else { return };
        if self.outlet.error.is_none() && !self.text.is_empty() {
            self.outlet.error = out.borrow_mut().write_all(self.text.as_bytes()).err();
        }
        self.text.clear();
    }

    /// Whether writing has failed, so that laying out more is in vain.
    pub fn is_broken(&self) -> bool {
        self.outlet.error.is_some()
    }

    /// The error that writing failed with, which stays to be told at the end.
    pub fn error(&self) -> Option<&io::Error> {
        self.outlet.error.as_ref()
    }

    /// The error that writing failed with.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.outlet.error.take()
    }

    /// A page of prose, which is broken to any width: nothing in it is drawn.
    pub fn of_prose(options: &Options) -> Self {
        Self { width: options.width, ..Self::new(options) }
    }

    /// Columns of a line.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether what stands side by side on a usual page has to stand in fewer columns, or below each other.
    pub fn is_narrow(&self) -> bool {
        self.width < NARROW
    }

    /// The column the cursor stands in, from 0.
    pub fn column(&self) -> usize {
        self.column
    }

    /// Whether only ASCII is written.
    pub fn ascii(&self) -> bool {
        self.ascii
    }

    /// The language of the tool's own words.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// At most so many rows, unless all are wanted.
    pub fn at_most(&self, rows: usize) -> usize {
        if self.unabridged { usize::MAX } else { rows }
    }

    /// Columns that an ellipsis takes.
    fn ellipsis(&self) -> usize {
        if self.ascii { 3 } else { 1 }
    }

    /// Columns that `words` would take.
    pub fn measure(&self, words: &str) -> usize {
        escape::columns(words, self.ascii)
    }

    /// Writes the tool's own words.
    pub fn put(&mut self, ink: Ink, words: &str) -> &mut Self {
        if !words.is_empty() {
            self.open(ink);
            self.add(words);
            self.close(ink);
        }
        self
    }

    /// Writes one of the tool's own glyphs, which take a column each.
    pub fn put_glyph(&mut self, ink: Ink, glyph: &'static str) -> &mut Self {
        let columns = (!self.ascii).then_some(1);
        self.put_measured(ink, glyph, columns);
        self
    }

    /// The same for words in several parts.
    pub fn put_all(&mut self, ink: Ink, parts: &[&str]) -> &mut Self {
        self.open(ink);
        for words in parts {
            self.add(words);
        }
        self.close(ink);
        self
    }

    /// The same for words that were [measured](escape::as_they_are) before.
    #[inline]
    fn put_measured(&mut self, ink: Ink, words: &str, columns: Option<usize>) {
        let Some(columns) = columns else {
            self.put(ink, words);
            return;
        };
        self.open(ink);
        self.text.push_str(words);
        self.column += columns;
        self.close(ink);
    }

    /// Writes words as what is written is.
    #[inline]
    fn add(&mut self, words: &str) {
        if let Some(columns) = escape::as_they_are(words, self.ascii) {
            self.text.push_str(words);
            self.column += columns;
        } else {
            self.add_cells(words);
        }
    }

    fn add_cells(&mut self, words: &str) {
        let mut all = escape::words(words, self.ascii);
        loop {
            let run = all.run(usize::MAX);
            self.text.push_str(run.text);
            self.column += run.columns;
            let Some(cell) = all.next() else { break };
            cell.push_to(&mut self.text);
            self.column += usize::from(cell.width);
        }
    }

    #[inline]
    fn open(&mut self, ink: Ink) {
        if self.palette.tells(ink) {
            self.text.push_str(self.palette.open(ink));
        }
    }

    #[inline]
    fn close(&mut self, ink: Ink) {
        if self.palette.tells(ink) {
            self.text.push_str(self.palette.close(ink));
        }
    }

    /// Writes a value of printable ASCII at the right end of so many columns, and a space behind it.
    pub fn put_cell(&mut self, ink: Ink, value: &str, columns: usize) {
        let spaces = columns.saturating_sub(value.len());
        self.open(ink);
        self.space(spaces);
        self.text.push_str(value);
        self.text.push(' ');
        self.column += value.len() + 1;
        self.close(ink);
    }

    /// Writes words of the tool in the page's language.
    pub fn word(&mut self, ink: Ink, english: &'static str) -> &mut Self {
        let words = self.lang.words(english);
        self.put(ink, words)
    }

    /// Moves to `column`; when the line is there already, or beyond, two columns on.
    pub fn to(&mut self, column: usize) -> &mut Self {
        let by = match column.saturating_sub(self.column) {
            0 if self.column > 0 => 2,
            by => by,
        };
        self.space(by);
        self
    }

    /// Writes so many spaces.
    #[inline]
    fn space(&mut self, by: usize) {
        // A copy of a fixed length, and off with what is too much, is cheaper than one of another.
        let end = self.text.len() + by;
        while self.text.len() < end {
            self.text.push_str(SPACES);
        }
        self.text.truncate(end);
        self.column += by;
    }

    /// Writes `words` so that they end before `column`, if they fit.
    pub fn put_right(&mut self, ink: Ink, words: &str, column: usize) -> &mut Self {
        let start = column.saturating_sub(self.measure(words));
        if self.column < start {
            self.to(start);
        }
        self.put(ink, words)
    }

    /// Sets `words` at the right end of this line, or below it when there is no room.
    pub fn tail(&mut self, ink: Ink, words: &str) -> &mut Self {
        self.tail_all(ink, &[words])
    }

    /// The same for words in several parts.
    pub fn tail_all(&mut self, ink: Ink, parts: &[&str]) -> &mut Self {
        let mut rest = Some(&*self.tail.words);
        for words in parts {
            rest = rest.and_then(|rest| rest.strip_prefix(words));
        }
        let is_known = rest == Some("");
        if parts.iter().all(|words| words.is_empty()) {
            return self;
        }
        if !is_known {
            self.tail.words.clear();
            for words in parts {
                self.tail.words.push_str(words);
            }
            let columns = escape::as_they_are(&self.tail.words, self.ascii);
            self.tail.is_plain = columns.is_some();
            self.tail.columns = columns.unwrap_or_else(|| self.measure(&self.tail.words));
        }
        (self.tail.ink, self.tail.is_set) = (ink, true);
        self
    }

    /// Columns that are taken at the right end of this line.
    pub fn tail_columns(&self) -> usize {
        if self.tail.is_set { self.tail.columns } else { 0 }
    }

    /// Ends the line.
    pub fn line(&mut self) {
        if std::mem::take(&mut self.tail.is_set) {
            self.end_with_tail();
        }
        self.end();
    }

    fn end(&mut self) {
        if self.text.ends_with(' ') {
            let end = self.text.trim_end_matches(' ').len();
            self.text.truncate(end);
        }
        self.text.push('\n');
        self.ended();
    }

    /// A line is over.
    fn ended(&mut self) {
        self.column = 0;
        self.begun = true;
        if self.text.len() > limits::LINES_HELD {
            self.deliver();
        }
    }

    /// Leaves an empty line, except at the very top.
    pub fn gap(&mut self) {
        if self.begun {
            self.end();
        }
    }

    /// Writes the tool's own words, breaking between them; lines after the first begin
    /// at `indent`, and `reserve` columns at the right stay free.
    pub fn wrap(&mut self, ink: Ink, words: &str, indent: usize, reserve: usize) -> &mut Self {
        let (indent, limit) = self.frame(indent, reserve);
        let room = limit.saturating_sub(self.column);
        if !words.is_empty()
            && words.len() / 3 <= room
            && !words.ends_with(' ')
            && let Some(columns) = escape::as_they_are(words, self.ascii)
            && columns <= room
        {
            self.put_measured(ink, words, Some(columns));
            return self;
        }
        let mut rest = words;
        while !rest.is_empty() {
            let room = limit.saturating_sub(self.column);
            let (now, later) = split(rest, room, self.column <= indent, self.ascii);
            self.put(ink, now);
            if !later.is_empty() {
                self.line();
                self.to(indent);
            }
            rest = later;
        }
        self
    }

    /// The lines collected, for the writer to take.
    pub fn lines(&mut self) -> &mut String {
        &mut self.text
    }

    /// Where wrapped lines begin and end: even a far indent leaves room to say something.
    fn frame(&self, indent: usize, reserve: usize) -> (usize, usize) {
        let limit = self.width.saturating_sub(reserve);
        (indent.min(limit.saturating_sub(16)), limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: usize) -> Page {
        Page { width, ..Page::new(&Options::default()) }
    }

    #[test]
    fn words_wrap_between_words_and_inside_only_when_they_must() {
        let mut page = page(20);
        page.put(Ink::Plain, "x").wrap(Ink::Plain, "  one two three four", 4, 0).line();
        page.to(4).wrap(Ink::Plain, "unbreakable-and-long-word", 4, 0).line();
        assert_eq!(page.lines(), "x  one two three\n    four\n    unbreakable-and-\n    long-word\n");
    }

    #[test]
    fn a_tail_stands_at_the_right_or_below() {
        let mut page = page(20);
        page.put(Ink::Plain, "short").tail(Ink::Faint, "§5.2").line();
        page.put(Ink::Plain, "a line that is full").tail(Ink::Faint, "§5.2").line();
        assert_eq!(page.lines(), "short           §5.2\na line that is full\n                §5.2\n");
    }

    #[test]
    fn quoted_wire_text_in_the_tools_words_is_escaped() {
        let mut page = page(80);
        page.put(Ink::Plain, "got \u{1b}[2J\n").wrap(Ink::Plain, "\u{202e}", 0, 0);
        assert_eq!(page.lines(), "got \\u{1b}[2J\\n\\u{202e}");
    }
}
