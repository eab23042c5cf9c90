//! What the commands write that write text or records.

use clap::ValueEnum;

use crate::render::views::Form;

/// Text, or records of schema `wstool/1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One array of records
    Json,
    /// One record a line
    Ndjson,
}

impl From<Format> for Form {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Array,
            Format::Ndjson => Self::Lines,
        }
    }
}
