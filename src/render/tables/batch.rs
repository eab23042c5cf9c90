//! Rows that wait to be written, column by column.

use super::cell::Cell;
use super::{Kind, Table};

/// Rows of a table.
#[derive(Debug)]
pub(super) struct Batch {
    pub columns: Vec<Values>,
    pub rows: usize,
    /// About how many bytes they take.
    pub bytes: usize,
}

/// The cells of a column, top down: what is null is in `levels` only.
#[derive(Debug)]
pub(super) struct Values {
    pub data: Data,
    /// For each cell, or each word of a list, whether it is there: 1 or 0.
    pub levels: Vec<i16>,
    /// Of lists, for each word, whether it is in the same list as the one before.
    pub repeats: Vec<i16>,
}

/// What is there, of whatever kind.
#[derive(Debug)]
pub(super) enum Data {
    Bools(Vec<bool>),
    /// Times, too, in microseconds.
    Ints(Vec<i64>),
    Reals(Vec<f64>),
    /// One behind the other, and where each ends.
    Bytes(Vec<u8>, Vec<usize>),
}

impl Batch {
    pub fn of(table: &Table) -> Self {
        let columns = table.columns.iter().map(|column| Values::of(column.kind)).collect();
        Self { columns, rows: 0, bytes: 0 }
    }

    /// Adds a row, which has a cell for each column.
    pub fn push<'a>(&mut self, row: impl IntoIterator<Item = Cell<'a>>) {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            self.bytes += column.push(cell);
        }
        self.rows += 1;
    }

    /// Forgets all rows, and keeps the room for as many.
    pub fn clear(&mut self) {
        (self.rows, self.bytes) = (0, 0);
        for column in &mut self.columns {
            column.levels.clear();
            column.repeats.clear();
            match &mut column.data {
                Data::Bools(values) => values.clear(),
                Data::Ints(values) => values.clear(),
                Data::Reals(values) => values.clear(),
                Data::Bytes(bytes, ends) => {
                    bytes.clear();
                    ends.clear();
                }
            }
        }
    }
}

impl Values {
    fn of(kind: Kind) -> Self {
        let data = match kind {
            Kind::Bool => Data::Bools(Vec::new()),
            Kind::Int | Kind::Time => Data::Ints(Vec::new()),
            Kind::Seconds => Data::Reals(Vec::new()),
            Kind::Text | Kind::Word | Kind::Bytes | Kind::Words => Data::Bytes(Vec::new(), Vec::new()),
        };
        Self { data, levels: Vec::new(), repeats: Vec::new() }
    }

    /// Adds a cell; about how many bytes it takes.
    fn push(&mut self, cell: Cell<'_>) -> usize {
        let mut words: &[&str] = &[];
        match (&mut self.data, &cell) {
            (Data::Bools(values), Cell::Bool(it)) => values.push(*it),
            (Data::Ints(values), Cell::Int(it)) => values.push(*it),
            (Data::Ints(values), Cell::Time(time)) => {
                values.push(i64::try_from(time.0 / 1000).unwrap_or(i64::MAX));
            }
            (Data::Reals(values), Cell::Seconds(it)) => values.push(*it),
            (Data::Bytes(bytes, ends), Cell::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len());
                self.levels.push(1);
                return 8 + text.len();
            }
            (Data::Bytes(bytes, ends), Cell::Bytes(it)) => {
                bytes.extend_from_slice(it);
                ends.push(bytes.len());
                self.levels.push(1);
                return 8 + it.len();
            }
            (Data::Bytes(bytes, ends), Cell::Words(all)) => {
                words = all;
                for word in words {
                    bytes.extend_from_slice(word.as_bytes());
                    ends.push(bytes.len());
                }
                self.levels.extend(words.iter().map(|_| 1));
                self.repeats.extend((0..words.len()).map(|place| i16::from(place > 0)));
                if words.is_empty() {
                    self.levels.push(0);
                    self.repeats.push(0);
                }
                return 8 + words.iter().map(|word| word.len()).sum::<usize>();
            }
            _ => {
                debug_assert!(cell == Cell::Null && words.is_empty(), "{cell:?} in another column");
                self.levels.push(0);
                return 2;
            }
        }
        self.levels.push(1);
        10
    }
}
