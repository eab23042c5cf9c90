//! The head of an HTTP message: each header field with the verdict on it.

use super::escape::whole_characters;
use super::outline::{INDENT, Outline};
use super::style::Ink;
use crate::model::{Dir, Field, Header, HttpHead, Unit, Verdict};

/// Where a header's name begins: after its mark.
pub const NAME: usize = INDENT + 2;

/// Names and values longer than these do not widen the columns of the others.
const NAME_COLUMNS: usize = 24;
const VALUE_COLUMNS: usize = 28;

/// Rows that a start line or a value may take: cookies can be long.
const VALUE_ROWS: usize = 6;

/// Writes the head: start line, header fields, the first of the body.
pub fn show(outline: &mut Outline, unit: &Unit<'_>, head: &HttpHead<'_>) {
    heading(outline, unit, head);
    outline.page.to(INDENT).spill(head.start_line.as_bytes(), INDENT + 2, VALUE_ROWS).line();
    for field in unit.fields.iter().filter(|field| tells_more(field, head)) {
        let lang = outline.lang();
        outline.page.to(NAME).word(Ink::Plain, field.def.label).word(Ink::Plain, ": ");
        outline.page.wrap(Ink::Faint, &lang.say(&field.meaning), NAME + 2, 0).line();
    }
    let names = columns(head, NAME_COLUMNS, |header| outline.page.measure(&header.name));
    let values = columns(head, VALUE_COLUMNS, |header| {
        if header.meaning.is_empty() { 0 } else { outline.page.measure(&header.value) }
    });
    for header in head.headers {
        let (ink, mark) = verdict(header.verdict);
        outline.page.to(INDENT).put(ink, mark).put(Ink::Plain, " ");
        outline.page.data(Ink::Strong, header.name.as_bytes(), outline.page.width() / 2, false);
        let value_at = NAME + names + 2;
        outline.page.to(value_at);
        outline.page.spill(header.value.as_bytes(), value_at, VALUE_ROWS);
        meaning(outline, header, value_at, value_at + values + 2);
    }
    if !head.body.is_empty() {
        outline.page.to(INDENT).word(Ink::Faint, "body").line();
        let text = str::from_utf8(whole_characters(head.body)).is_ok();
        outline.payload(head.body, head.body.len() as u64, text, NAME);
    }
}

/// The block's first line.
pub fn heading(outline: &mut Outline, unit: &Unit<'_>, head: &HttpHead<'_>) {
    let what = if is_response(unit, head) { "response" } else { "request" };
    let about = if head.complete { "" } else { outline.lang().words("incomplete") };
    outline.heading(unit, outline.lang().words(what), about);
}

/// A verdict's colour and mark; the marks differ without colour too.
pub fn verdict(verdict: Verdict) -> (Ink, &'static str) {
    match verdict {
        Verdict::Ok => (Ink::Good, "✓"),
        Verdict::Warning => (Ink::Warning, "!"),
        Verdict::Broken => (Ink::Error, "✗"),
        Verdict::Irrelevant => (Ink::Faint, "·"),
    }
}

/// Ends the line with what the header means: beside the value if there is room, else under it.
fn meaning(outline: &mut Outline, header: &Header, value_at: usize, beside: usize) {
    let meaning = outline.lang().say(&header.meaning);
    let page = &mut outline.page;
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
fn columns(head: &HttpHead<'_>, most: usize, measure: impl Fn(&Header) -> usize) -> usize {
    head.headers.iter().map(measure).filter(|columns| *columns <= most).max().unwrap_or_default()
}

/// Whether a field says something that the start line and the headers do not.
fn tells_more(field: &Field, head: &HttpHead<'_>) -> bool {
    let overlaps = |header: &Header| {
        [header.name_at, header.value_at].iter().any(|at| {
            at.source == field.span.source && at.start < field.span.end && field.span.start < at.end
        })
    };
    !field.meaning.is_empty() && !head.headers.iter().any(overlaps)
}

fn is_response(unit: &Unit<'_>, head: &HttpHead<'_>) -> bool {
    head.start_line.starts_with("HTTP/") || unit.dir == Some(Dir::Server)
}
