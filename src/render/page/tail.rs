//! What stands at the right end of lines.

use super::Page;
use crate::model::quantity::Digits;
use crate::render::escape;
use crate::render::style::Ink;

/// Words at the right end of a line. They stay when it has ended, as the next one's are mostly the same.
#[derive(Debug)]
pub struct Tail {
    pub words: String,
    pub ink: Ink,
    /// Columns that they take, and whether they show as they are.
    pub columns: usize,
    pub is_plain: bool,
    /// Whether the line that is under way has them.
    pub is_set: bool,
}

/// What stands between the parts.
const BETWEEN: &str = " · ";

impl Page {
    /// Columns of what stands between the parts of a tail.
    pub const BETWEEN_COLUMNS: usize = 3;

    /// Begins what is to stand at the right end of this line, instead of anything else: nothing yet.
    pub fn tail_anew(&mut self, ink: Ink) {
        self.tail.words.clear();
        (self.tail.ink, self.tail.columns, self.tail.is_plain, self.tail.is_set) = (ink, 0, true, false);
    }

    /// Adds a part to it.
    pub fn tail_part(&mut self, words: &str) {
        self.tail_between();
        self.tail.words.push_str(words);
        self.tail_grown(escape::as_they_are(words, self.ascii));
    }

    /// Adds words around a number to it: a template with one hole.
    pub fn tail_number(&mut self, template: &'static str, number: u64) {
        self.tail_between();
        let digits = Digits::of(number);
        let known = self.usual.numbered(template, self.lang, self.ascii);
        known.around.say(digits.as_str(), &mut self.tail.words);
        let columns = known.columns.map(|columns| columns + digits.as_str().len());
        self.tail_grown(columns);
    }

    fn tail_between(&mut self) {
        if self.tail.is_set {
            self.tail.words.push_str(BETWEEN);
            self.tail_grown((!self.ascii).then_some(Self::BETWEEN_COLUMNS));
        }
    }

    /// The tail has words more, which take so many columns if they show as they are.
    fn tail_grown(&mut self, columns: Option<usize>) {
        self.tail.is_set = !self.tail.words.is_empty();
        self.tail.is_plain &= columns.is_some();
        self.tail.columns = match columns {
            Some(columns) if self.tail.is_plain => self.tail.columns + columns,
            _ => self.measure(&self.tail.words),
        };
    }

    pub(super) fn end_with_tail(&mut self) {
        if self.column + 2 + self.tail.columns > self.width {
            self.end();
        }
        let start = self.width.saturating_sub(self.tail.columns);
        if self.column < start {
            self.to(start);
        }
        let (words, ink) = (std::mem::take(&mut self.tail.words), self.tail.ink);
        if self.tail.columns > self.width {
            self.wrap(ink, &words, 0, 0);
        } else {
            let columns = self.tail.is_plain.then_some(self.tail.columns);
            self.put_measured(ink, &words, columns);
        }
        self.tail.words = words;
    }
}
