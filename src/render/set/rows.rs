//! A frame's fields in columns: place, bits, name, value, meaning, section.

use super::{INDENT, payload};
use crate::model::Cite;
use crate::model::quantity::Digits;
use crate::render::hexdump;
use crate::render::page::{Likeness, Page};
use crate::render::said::{Row, RowValue};
use crate::render::style::Ink;
use crate::render::verdicts;
use crate::render::words::{BYTES, count};

const PLACE: usize = INDENT;
const BITS: usize = PLACE + 6;
const NAME: usize = BITS + 11;
const VALUE: usize = NAME + 16;
/// Where names and values begin on a narrow page, which has no bits.
const NARROW_NAME: usize = PLACE + 6;
const NARROW_VALUE: usize = NARROW_NAME + 14;
/// Where a payload's block begins.
const BLOCK: usize = 4;
/// Values are aligned up to this many columns, so that meanings are too.
const VALUE_COLUMNS: usize = 3;

/// Levels of nesting that are shown by indenting.
const MOST_DEPTH: usize = 4;

/// Rows a long value of text may take.
const VALUE_ROWS: usize = 4;

/// Bytes of a value that is one of many of the same length.
const KEY: usize = 8;

/// Sets a field.
pub fn set(page: &mut Page, row: &Row<'_>) {
    let (digits, pairs);
    let value = match row.value {
        RowValue::Number(figure) => {
            digits = figure.digits();
            digits.as_str()
        }
        RowValue::Bytes(bytes, length) if bytes.len() as u64 == length && bytes.len() <= KEY => {
            pairs = hexdump::pairs(bytes);
            &pairs
        }
        _ => return set_anew(page, row, ""),
    };
    if row.meaning.args.is_empty() && !value.is_empty() {
        page.as_before(likeness(row, value.len()), value, |page| set_anew(page, row, value));
    } else {
        set_anew(page, row, value);
    }
}

/// What decides how a row looks, but for the value, which takes so many columns.
fn likeness(row: &Row<'_>, columns: usize) -> Likeness {
    let (first, last) = row.place.unwrap_or((u64::MAX, u64::MAX));
    let blamed = row.blamed.map_or(0, |severity| 1 + severity as u64);
    let looks = u64::from(row.bits.code()) | u64::from(row.depth) << 16 | blamed << 24;
    let Cite { doc, section } = row.cite;
    Likeness::of([first, last, columns as u64, looks], [row.label, row.meaning.template, doc, section])
}

/// The same, with its value in short if it has such a one.
fn set_anew(page: &mut Page, row: &Row<'_>, short: &str) {
    lead(page, row);
    let is_narrow = page.is_narrow();
    // The section stands at the right end, and on a narrow page behind all the rest.
    let late = is_narrow.then_some(row.cite);
    if !is_narrow {
        cite(page, row.cite);
    }
    page.to(if is_narrow { NARROW_VALUE } else { VALUE });
    // Columns kept free at the right for the section.
    let reserve = if is_narrow { 0 } else { page.tail_columns() + 2 };
    let at = page.column();
    let room = page.width().saturating_sub(at + reserve);
    let words = page.lang().say(row.meaning);
    match &row.value {
        RowValue::Number(_) => {
            if page.column() + short.len() > page.width() {
                page.line();
                page.to(NARROW_VALUE.min(page.width().saturating_sub(short.len())));
            }
            page.put_value(Ink::Strong, short);
        }
        RowValue::Text(text) => {
            page.quote(text.as_bytes(), false, at, page.at_most(VALUE_ROWS), reserve);
        }
        RowValue::Bytes(..) if !short.is_empty() && short.len() <= room => page.put_value(Ink::Strong, short),
        RowValue::Bytes(bytes, length) => hexdump::put(page, Ink::Strong, bytes, *length, room),
        // Beside its name when it is short, else under it over the whole width.
        RowValue::Payload(it, parts_follow) => {
            let (bytes, declared) = (it.bytes, it.declared);
            let whole = bytes.len() as u64 == declared;
            if whole && it.text && page.measure_data(bytes, room.saturating_sub(2)).is_some() {
                page.put(Ink::Faint, "“").data(Ink::Strong, bytes, room, false).put(Ink::Faint, "”");
            } else if !it.text && (*parts_follow || whole && bytes.len() * 3 <= room + 1) {
                hexdump::put(page, Ink::Strong, bytes, declared, room);
            } else {
                let counted;
                let words = if words.is_empty() {
                    counted = count(page.lang(), declared, BYTES);
                    &counted
                } else {
                    &*words
                };
                page.wrap(Ink::Plain, words, at, reserve);
                if let Some(late) = late {
                    cite(page, late);
                }
                page.line();
                return payload(page, it, BLOCK);
            }
        }
    }
    meaning(page, &words, at, reserve, late);
}

/// Sets the section at the right end: `§5.2` of the protocol itself, as its readers know it.
fn cite(page: &mut Page, cite: Cite) {
    let Cite { doc, section } = cite;
    match (doc, section) {
        (doc, "") => page.tail(Ink::Faint, doc),
        ("RFC 6455", section) => page.tail_all(Ink::Faint, &["§", section]),
        (doc, section) => page.tail_all(Ink::Faint, &[doc, " §", section]),
    };
}

/// Everything left of the value.
fn lead(page: &mut Page, row: &Row<'_>) {
    if let Some(severity) = row.blamed {
        page.put(verdicts::ink(severity), "!");
    }
    if let Some((first, last)) = row.place {
        let start = Digits::of(first);
        page.to(PLACE);
        if first == last {
            page.put(Ink::Faint, start.as_str());
        } else {
            page.put_all(Ink::Faint, &[start.as_str(), "–", Digits::of(last).as_str()]);
        }
        if !row.bits.is_empty() && !page.is_narrow() {
            page.to(BITS).put(Ink::Faint, &row.bits.picture());
        }
    }
    // A long name begins under the bits, if there are none.
    let (name, value) = if page.is_narrow() { (NARROW_NAME, NARROW_VALUE) } else { (NAME, VALUE) };
    let name = name + 2 * usize::from(row.depth).min(MOST_DEPTH);
    let label = page.lang().words(row.label);
    let long = page.measure(label).saturating_sub((value - 2).saturating_sub(name));
    page.to(name.saturating_sub(long.min(NAME)).max(page.column().min(name))).put(Ink::Plain, label);
}

/// Ends a row with the meaning, after the value or below it.
fn meaning(page: &mut Page, words: &str, value_at: usize, reserve: usize, late: Option<Cite>) {
    if !words.is_empty() {
        let column = value_at + if page.is_narrow() { 2 } else { VALUE_COLUMNS + 2 };
        if page.column() > column && page.column() + 2 + page.measure(words) > page.width() - reserve {
            page.line();
        }
        page.to(column).wrap(Ink::Plain, words, column, reserve);
    }
    if let Some(late) = late {
        cite(page, late);
    }
    page.line();
}
