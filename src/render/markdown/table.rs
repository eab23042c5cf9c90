//! Tables whose cells are broken into lines where the page is too narrow.

use crate::render::columns;
use crate::render::page::Page;
use crate::render::style::Ink;

/// Columns between two columns of a table.
const BETWEEN: usize = 2;

/// A column is not made narrower than this.
const NARROWEST: usize = 8;

/// The cells of a table, the head first.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn row(&mut self) {
        self.rows.push(Vec::new());
    }

    pub fn cell(&mut self, text: String) {
        if let Some(row) = self.rows.last_mut() {
            row.push(text);
        }
    }

    /// Writes the table from `indent` on.
    pub fn write(&self, page: &mut Page, indent: usize) {
        let widths = self.widths(page.width().saturating_sub(indent));
        let starts: Vec<usize> = widths
            .iter()
            .scan(indent, |at, width| Some(std::mem::replace(at, *at + width + BETWEEN)))
            .collect();
        for (number, row) in self.rows.iter().enumerate() {
            let ink = if number == 0 { Ink::Strong } else { Ink::Plain };
            let cells: Vec<Vec<&str>> =
                row.iter().zip(&widths).map(|(cell, width)| columns::lines(cell, *width)).collect();
            let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
            for line in 0..lines {
                for (cell, start) in cells.iter().zip(&starts) {
                    if let Some(words) = cell.get(line) {
                        if page.column() < *start {
                            page.to(*start);
                        }
                        page.put(ink, words);
                    }
                }
                page.line();
            }
            if number == 0 {
                for (width, start) in widths.iter().zip(&starts) {
                    if page.column() < *start {
                        page.to(*start);
                    }
                    page.put(Ink::Faint, &"-".repeat(*width));
                }
                page.line();
            }
        }
    }

    /// How wide each column is, the widest giving way until all fit `room`.
    fn widths(&self, room: usize) -> Vec<usize> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let natural =
            |at: usize| self.rows.iter().filter_map(|row| row.get(at)).map(|c| columns::width(c)).max();
        let mut widths: Vec<usize> = (0..count).map(|at| natural(at).unwrap_or(0)).collect();
        let room = room.saturating_sub(BETWEEN * count.saturating_sub(1));
        while widths.iter().sum::<usize>() > room {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}
