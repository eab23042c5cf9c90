//! Tables, and the page they are printed on.

use std::ops::Range;

use crate::lang::Lang;
use crate::render::columns::{left, lines, right, width};

/// Lines of at most so many columns; or pieces for whoever lays them out in a way of its own.
pub(super) struct Page {
    text: String,
    columns: usize,
    pieces: Option<Vec<Piece>>,
}

/// A part of what was counted, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Lines of words.
    Lines(String),
    /// A table, of which the first columns are labels.
    Table {
        /// The heads first.
        rows: Vec<Vec<String>>,
        /// So many columns.
        labels: usize,
    },
    /// How much of something there was, from one span of time to the next.
    Course {
        /// Of what.
        name: &'static str,
        /// One a span.
        numbers: Vec<u64>,
    },
}

impl std::fmt::Write for Page {
    fn write_str(&mut self, words: &str) -> std::fmt::Result {
        self.append(words);
        Ok(())
    }
}

impl Page {
    /// Nothing on it yet.
    pub fn new(columns: usize) -> Self {
        Self { text: String::new(), columns, pieces: None }
    }

    /// The same for pieces; lines are as long as they like.
    pub fn of_pieces() -> Self {
        Self { pieces: Some(Vec::new()), ..Self::new(usize::MAX) }
    }

    /// The pieces.
    pub fn into_pieces(self) -> Vec<Piece> {
        self.pieces.unwrap_or_default()
    }

    /// Lines that are set already.
    pub fn append(&mut self, lines: &str) {
        match &mut self.pieces {
            None => self.text.push_str(lines),
            Some(pieces) => match pieces.last_mut() {
                Some(Piece::Lines(text)) => text.push_str(lines),
                _ => pieces.push(Piece::Lines(lines.to_owned())),
            },
        }
    }

    /// Takes a piece as it is, if it is for pieces.
    pub fn takes(&mut self, piece: impl FnOnce() -> Piece) -> bool {
        let Some(pieces) = &mut self.pieces else { return false };
        pieces.push(piece());
        true
    }

    /// Columns of its lines.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// What was written, where lines that are too long go on in the next, further to the right.
    pub fn wrapped(&self) -> String {
        let mut wrapped = String::with_capacity(self.text.len());
        for line in self.text.lines() {
            let words = line.trim_start_matches(' ');
            let mut indent = line.len() - words.len();
            let room = if width(line) <= self.columns {
                usize::MAX
            } else {
                self.columns.saturating_sub(indent + 2).max(2)
            };
            if words.is_empty() {
                wrapped.push('\n');
            }
            for part in lines(words, room) {
                wrapped.extend(std::iter::repeat_n(' ', indent));
                wrapped.push_str(part.trim_end());
                wrapped.push('\n');
                indent = line.len() - words.len() + 2;
            }
        }
        wrapped
    }
}

/// A table: cells in rows, the first column to the left, the others to the right.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns.
    pub fn new(lang: Lang, heads: &[&'static str]) -> Self {
        Self { rows: vec![heads.iter().map(|head| lang.words(head).to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether it has no row but its heads.
    pub fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// Prints it after an empty line. The first columns, the `labels`, are aligned to the left.
    pub fn print(&self, labels: usize, page: &mut Page) {
        self.print_wide(labels, 0, page);
    }

    /// The same, each column to the right at least `least` wide, so that tables below each other match.
    /// What does not fit beside each other comes below, with its labels again.
    pub fn print_wide(&self, labels: usize, least: usize, page: &mut Page) {
        if page.takes(|| Piece::Table { rows: self.rows.clone(), labels }) {
            return;
        }
        let columns = self.rows[0].len();
        let widest = |i: usize| self.rows.iter().map(|row| width(&row[i])).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| {
                if i == 0 {
                    widest(i) + 2
                } else if i < labels {
                    widest(i)
                } else {
                    least.max(widest(i))
                }
            })
            .collect();
        let label: usize = widths[..labels].iter().map(|width| width + 2).sum();
        let mut from = labels;
        while from < columns {
            let (mut to, mut used) = (from, label);
            while to < columns && (to == from || used + widths[to] <= page.columns) {
                used += widths[to] + 2;
                to += 1;
            }
            page.text.push('\n');
            self.block(&widths, labels, from..to, page);
            from = to;
        }
    }

    /// Prints the labels and some of the columns.
    fn block(&self, widths: &[usize], labels: usize, columns: Range<usize>, page: &mut Page) {
        for (r, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for i in (0..labels).chain(columns.clone()) {
                let indent = if i == 0 && r > 0 { 2 } else { 0 };
                let (cell, width) = (&row[i], widths[i]);
                line.extend(std::iter::repeat_n(' ', indent));
                line.push_str(&if i < labels { left(cell, width - indent) } else { right(cell, width) });
                line.push_str("  ");
            }
            page.text.push_str(line.trim_end());
            page.text.push('\n');
        }
    }
}
