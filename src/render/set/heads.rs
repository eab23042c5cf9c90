//! The header fields of HTTP: each with the verdict on it, names and values in columns.

use super::INDENT;
use crate::model::Header;
use crate::render::heads::verdict;
use crate::render::page::Page;
use crate::render::style::Ink;

/// Where a header's name begins: after its mark.
pub const NAME: usize = INDENT + 2;

/// Names and values longer than these do not widen the columns of the others.
const NAME_COLUMNS: usize = 24;
const VALUE_COLUMNS: usize = 28;

/// Columns for a value beside its name, at least.
const SHORTEST: usize = 12;

/// Rows that a start line or a value may take: cookies can be long.
pub const VALUE_ROWS: usize = 6;

/// Sets header fields.
pub fn set(page: &mut Page, headers: &[Header<'_>]) {
    let widest = if page.is_narrow() { page.width() / 3 } else { NAME_COLUMNS };
    let names = columns(headers, widest, |header| page.measure(&header.name));
    let values = columns(headers, VALUE_COLUMNS, |header| {
        if header.meaning.is_empty() { 0 } else { page.measure(&header.value) }
    });
    for header in headers {
        let (ink, mark) = verdict(header.verdict);
        page.to(INDENT).put(ink, mark).put(Ink::Plain, " ");
        let room = if page.is_narrow() { page.width() - NAME } else { page.width() / 2 };
        page.data(Ink::Strong, header.name.as_bytes(), room, false);
        let value_at = NAME + names + 2;
        if page.column() + SHORTEST > page.width() {
            page.line();
        }
        page.to(value_at);
        page.spill(header.value.as_bytes(), value_at, VALUE_ROWS);
        meaning(page, header, value_at, value_at + values + 2);
    }
}

/// Ends the line with what the header means: beside the value if there is room, else under it.
fn meaning(page: &mut Page, header: &Header<'_>, value_at: usize, beside: usize) {
    let meaning = page.lang().say(&header.meaning);
    let start = if page.column() < beside { beside } else { page.column() + 2 };
    let fits = start + page.measure(&meaning) <= page.width();
    if meaning.is_empty() {
        page.line();
    } else if fits {
        page.to(start).put(Ink::Faint, &meaning).line();
    } else {
        page.line();
        page.to(value_at + 2).wrap(Ink::Faint, &meaning, value_at + 2, 0).line();
    }
}

/// The widest of the headers' `measure`, those beyond `most` not counting.
fn columns(headers: &[Header<'_>], most: usize, measure: impl Fn(&Header<'_>) -> usize) -> usize {
    headers.iter().map(measure).filter(|columns| *columns <= most).max().unwrap_or_default()
}
