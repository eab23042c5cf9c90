//! What stands at the right end of lines.

use super::Page;
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

impl Page {
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
