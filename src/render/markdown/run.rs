//! A run of words in several inks that is broken into lines as one.

use std::ops::Range;

use crate::render::columns;
use crate::render::page::Page;
use crate::render::style::Ink;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Run {
    text: String,
    /// Where each ink is used; what lies between is plain.
    inks: Vec<(Range<usize>, Ink)>,
    /// The source went on to another line.
    soft: bool,
}

impl Run {
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text
    }

    pub fn push(&mut self, ink: Ink, words: &str) {
        if std::mem::take(&mut self.soft) && !self.joins(words) {
            self.text.push(' ');
        }
        let start = self.text.len();
        self.text.push_str(words);
        if ink != Ink::Plain {
            self.inks.push((start..self.text.len(), ink));
        }
    }

    /// The source goes on to another line, which means a space; not so between Chinese characters.
    pub fn soft_break(&mut self) {
        self.soft = true;
    }

    fn joins(&self, words: &str) -> bool {
        let last = self.text.chars().next_back();
        let is_wide = |c: char| columns::width(c.encode_utf8(&mut [0; 4])) == 2 || "“”‘’…".contains(c);
        last.is_none() || (last.is_some_and(is_wide) && words.chars().next().is_some_and(is_wide))
    }

    /// Writes the words from `indent` on, in lines that break as if they were in one ink.
    /// `over` is for what is plain.
    pub fn write(&self, page: &mut Page, over: Ink, indent: usize) {
        let room = page.width().saturating_sub(indent.max(page.column()));
        let mut at = 0;
        for line in columns::lines(&self.text, room) {
            if at > 0 {
                page.line();
            }
            if page.column() < indent {
                page.to(indent);
            }
            // Spaces at which lines break belong to neither.
            let start = at + self.text[at..].find(line).unwrap_or(0);
            at = start + line.len();
            self.write_part(page, over, start..at);
        }
    }

    fn write_part(&self, page: &mut Page, over: Ink, part: Range<usize>) {
        let mut at = part.start;
        for (range, ink) in &self.inks {
            let (start, end) = (range.start.max(at), range.end.min(part.end));
            if start < end {
                page.put(over, &self.text[at..start]).put(*ink, &self.text[start..end]);
                at = end;
            }
        }
        page.put(over, &self.text[at..part.end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Options;

    #[test]
    fn inks_do_not_change_where_lines_break() {
        let mut run = Run::default();
        run.push(Ink::Plain, &"word ".repeat(15));
        run.push(Ink::Client, "`FIN`");
        run.push(Ink::Plain, ", and a mark stays with its word");
        let mut page = Page::new(&Options::default());
        run.write(&mut page, Ink::Plain, 0);
        page.line();
        let text = page.lines().clone();
        assert!(text.lines().all(|line| !line.starts_with(',')), "{text}");
    }
}
