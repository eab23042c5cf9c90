//! Results of `compare`: for people in a terminal or a document, for programs, as a chart.

mod chart;
mod data;
mod markdown;
mod scale;
mod text;

use std::io::{self, Write};

use crate::lang::Lang;
use crate::model::quantity::{self, grouped};
use crate::model::report::{Cell, Report};
use crate::render::escape::{self, Kind};

pub use chart::svg;
pub use text::Page;

/// The forms a report is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Tables and bars for a terminal.
    Text(Page),
    /// Tables of GitHub's Markdown.
    Markdown,
    /// A header and a row for each row of the tables (RFC 4180).
    Csv,
    /// One JSON object.
    Json,
    /// A JSON object a line.
    Lines,
}

/// Writes a report.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, form: Form, lang: Lang, mut out: impl Write) -> io::Result<()> {
    let page = match form {
        Form::Text(page) => text::page(report, page, lang),
        Form::Markdown => markdown::page(report, lang),
        Form::Csv => data::csv(report),
        Form::Json => data::object(report),
        Form::Lines => data::lines(report),
    };
    out.write_all(page.as_bytes())?;
    out.flush()
}

/// A value as people read it.
fn shown(cell: &Cell, lang: Lang) -> String {
    match cell {
        Cell::Nothing => "-".to_owned(),
        Cell::Text(text) => plain(&lang.say(text)),
        Cell::Count(value) | Cell::Exact(value) => grouped(*value),
        Cell::Number(value) => quantity::mean(*value),
        Cell::Bytes(value) => quantity::size(value.round() as u64),
        Cell::Ratio(value) => quantity::ratio(*value),
        Cell::Share(value) => quantity::part(*value),
        Cell::Seconds(value) => quantity::lasted(*value),
        Cell::Fixed(value, 0) => grouped(value.round() as u64),
        Cell::Fixed(value, decimals) => format!("{value:.*}", usize::from(*decimals)),
    }
}

/// Words without what could command a terminal: some quote a file.
fn plain(text: &str) -> String {
    escape::cells(text.as_bytes(), Kind::Words, false).map(|cell| cell.text().to_owned()).collect()
}

/// Columns that words take.
fn columns(text: &str) -> usize {
    escape::columns(text, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Text;

    #[test]
    fn values_for_people() {
        for (cell, text) in [
            (Cell::Nothing, "-"),
            (Cell::Text(Text::with("{}", "a\u{1b}[31m")), "a\\u{1b}[31m"),
            (Cell::Count(1234), "1,234"),
            (Cell::Number(0.632), "0.63"),
            (Cell::Number(12_345.4), "12,345"),
            (Cell::Bytes(9_999.0), "9,999 B"),
            (Cell::Ratio(8.551), "8.55x"),
            (Cell::Ratio(435.5), "435.5x"),
            (Cell::Ratio(4355.0), "4,355x"),
            (Cell::Share(0.3679), "36.8 %"),
            (Cell::Share(-0.0213), "-2.1 %"),
            (Cell::Share(-0.0003), "<0.1 %"),
            (Cell::Share(-0.0), "0.0 %"),
            (Cell::Seconds(0.05498), "54.98 ms"),
            (Cell::Seconds(0.55), "550.0 ms"),
            (Cell::Seconds(1.05), "1.05 s"),
            (Cell::Fixed(665.0, 0), "665"),
        ] {
            assert_eq!(shown(&cell, Lang::En), text);
        }
    }
}
