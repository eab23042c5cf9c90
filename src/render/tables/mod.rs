//! Tables for analytics: what the records of NDJSON hold, in columns, as Parquet files.
//!
//! Columns are named as the keys of the records are. What lies deeper is joined by `_`: `app.protocol` is
//! `app_protocol`; of a pair there are `_first` and `_last`. The tests hold them against the records.

mod batch;
mod cell;
mod columns;
mod parquet;
mod sink;

#[cfg(test)]
mod tests;

pub use columns::TABLES;
pub use parquet::About;
pub use sink::{Place, Tables};

/// The schema's name and version, in the metadata of each file.
pub const SCHEMA: &str = "wstool-tables/1";

/// A table.
#[derive(Debug)]
pub struct Table {
    /// What it is called, and its folder.
    pub name: &'static str,
    /// What a row is.
    pub about: &'static str,
    /// Its columns, in order.
    pub columns: &'static [Column],
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// A column of a table. Any cell may be null, but for lists.
#[derive(Debug)]
pub struct Column {
    /// What it is called.
    pub name: &'static str,
    /// What is in it.
    pub kind: Kind,
    /// What that means.
    pub about: &'static str,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// Seconds, with a fraction.
    Seconds,
    /// Date and time of day, UTC, in microseconds.
    Time,
    /// Text.
    Text,
    /// Text that is one of few words: kept once, and named by number.
    Word,
    /// Bytes.
    Bytes,
    /// A list of words.
    Words,
}

impl Kind {
    /// As SQL calls it.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Bool => "BOOLEAN",
            Self::Int => "BIGINT",
            Self::Seconds => "DOUBLE",
            Self::Time => "TIMESTAMPTZ",
            Self::Text | Self::Word => "VARCHAR",
            Self::Bytes => "BLOB",
            Self::Words => "VARCHAR[]",
        }
    }
}
