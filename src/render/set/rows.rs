//! A frame's fields in columns: place, bits, name, value, meaning, section.

use super::{INDENT, payload};
use crate::model::Cite;
use crate::model::quantity::Digits;
use crate::render::hexdump;
use crate::render::page::{Likeness, Page};
use crate::render::said::{Payload, Row, RowValue};
use crate::render::style::Ink;
use crate::render::verdicts;

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

/// What differs between rows that look the same otherwise, where it shows as it is.
#[derive(Clone, Copy, Default)]
struct Own<'a> {
    /// The place.
    place: Option<&'a str>,
    /// The value, if it is short, or how long it is.
    value: Option<&'a str>,
}

/// Sets a field.
pub fn set(page: &mut Page, row: &Row<'_>) {
    let plain_meaning = row.meaning.args.is_empty();
    match row.value {
        RowValue::Number(figure) if plain_meaning => {
            let digits = figure.digits();
            again(page, row, digits.as_str());
        }
        RowValue::Bytes(bytes, length) if plain_meaning && fits_a_key(bytes, length) => {
            again(page, row, &hexdump::pairs(bytes));
        }
        RowValue::Payload(ref it, parts_follow)
            if plain_meaning && !page.ascii() && stands_below(page, it, parts_follow) =>
        {
            caption(page, row, it);
            payload(page, it, BLOCK);
        }
        _ => set_anew(page, row, Own::default()),
    }
}

/// Whether all of a value is there, and short.
fn fits_a_key(bytes: &[u8], length: u64) -> bool {
    bytes.len() as u64 == length && (1..=KEY).contains(&bytes.len())
}

/// Whether a payload surely stands below its name, whatever else stands on that line.
fn stands_below(page: &Page, it: &Payload<'_>, parts_follow: bool) -> bool {
    let whole = it.bytes.len() as u64 == it.declared;
    if it.text {
        !whole || page.measure_data(it.bytes, page.width()).is_none()
    } else {
        !parts_follow && (!whole || it.bytes.len() * 3 > page.width() + 1)
    }
}

/// Sets a row with a short value of ASCII as it was set before with another.
fn again(page: &mut Page, row: &Row<'_>, value: &str) {
    let (first, last) = row.place.unwrap_or((u64::MAX, u64::MAX));
    let like = likeness(row, [first, last, value.len() as u64], false);
    let own = Own { place: None, value: Some(value) };
    page.as_before(like, [value, ""], |page| set_anew(page, row, own));
}

/// Sets the row of a payload that stands below it.
fn caption(page: &mut Page, row: &Row<'_>, it: &Payload<'_>) {
    let Some((first, last)) = row.place else { return set_caption(page, row, it, Own::default()) };
    let mut place = Digits::of(first).as_str().to_owned();
    if first != last {
        place.push('–');
        place.push_str(Digits::of(last).as_str());
    }
    let counted = row.meaning.is_empty().then(|| page.bytes_in_words(it.declared));
    let value = counted.as_deref().unwrap_or_default();
    let own = Own { place: Some(&place), value: counted.as_deref() };
    let columns = [place.len() as u64, value.len() as u64, page.measure(value) as u64];
    let like = likeness(row, columns, true);
    page.as_before(like, [&place, value], |page| set_caption(page, row, it, own));
}

/// What decides how a row looks besides these numbers, and what is its own.
fn likeness(row: &Row<'_>, [a, b, c]: [u64; 3], is_caption: bool) -> Likeness {
    let blamed = row.blamed.map_or(0, |severity| 1 + severity as u64);
    let looks = u64::from(row.bits.code()) | u64::from(row.depth) << 16 | blamed << 24;
    let Cite { doc, section } = row.cite;
    let numbers = [a, b, c, looks | u64::from(is_caption) << 32];
    Likeness::of(numbers, [row.label, row.meaning.template, doc, section])
}

/// Where the value of a row stands.
struct Room {
    at: usize,
    columns: usize,
    /// Columns kept free at the right for the section.
    reserve: usize,
    /// The section, if it stands behind all the rest.
    late: Option<Cite>,
}

/// Sets everything left of the value, and the section at the right end: on a narrow page that comes later.
fn open(page: &mut Page, row: &Row<'_>, own: Own<'_>) -> Room {
    lead(page, row, own);
    let is_narrow = page.is_narrow();
    let late = is_narrow.then_some(row.cite);
    if !is_narrow {
        cite(page, row.cite);
    }
    page.to(if is_narrow { NARROW_VALUE } else { VALUE });
    let reserve = if is_narrow { 0 } else { page.tail_columns() + 2 };
    let at = page.column();
    Room { at, columns: page.width().saturating_sub(at + reserve), reserve, late }
}

fn set_anew(page: &mut Page, row: &Row<'_>, own: Own<'_>) {
    let room = open(page, row, own);
    match &row.value {
        RowValue::Number(figure) => {
            let (digits, width) = (figure.digits(), page.width());
            let value = digits.as_str();
            if page.column() + value.len() > width {
                page.line();
                page.to(NARROW_VALUE.min(width.saturating_sub(value.len())));
            }
            page.put_value(Ink::Strong, 0, value, value.len());
        }
        RowValue::Text(text) => {
            page.quote(text.as_bytes(), false, room.at, page.at_most(VALUE_ROWS), room.reserve);
        }
        RowValue::Plain(text) => {
            page.put(Ink::Strong, text);
        }
        RowValue::Bytes(bytes, length) => match own.value {
            Some(value) if value.len() <= room.columns => {
                page.put_value(Ink::Strong, 0, value, value.len());
            }
            _ => hexdump::put(page, Ink::Strong, bytes, *length, room.columns),
        },
        // Beside its name when it is short, else under it over the whole width.
        RowValue::Payload(it, parts_follow) => {
            let (bytes, declared) = (it.bytes, it.declared);
            let whole = bytes.len() as u64 == declared;
            if whole && it.text && page.measure_data(bytes, room.columns.saturating_sub(2)).is_some() {
                page.put_glyph(Ink::Faint, "“")
                    .data(Ink::Strong, bytes, room.columns, false)
                    .put_glyph(Ink::Faint, "”");
            } else if !it.text && (*parts_follow || whole && bytes.len() * 3 <= room.columns + 1) {
                hexdump::put(page, Ink::Strong, bytes, declared, room.columns);
            } else {
                say_how_much(page, row, it, own, &room);
                return payload(page, it, BLOCK);
            }
        }
    }
    meaning(page, &page.lang().say(row.meaning), &room);
}

fn set_caption(page: &mut Page, row: &Row<'_>, it: &Payload<'_>, own: Own<'_>) {
    let room = open(page, row, own);
    say_how_much(page, row, it, own, &room);
}

/// Ends the row of a payload that stands below it: what it is, or how much.
fn say_how_much(page: &mut Page, row: &Row<'_>, it: &Payload<'_>, own: Own<'_>, room: &Room) {
    let words = page.lang().say(row.meaning);
    match own.value {
        Some(value) if page.column() + page.measure(value) <= page.width() - room.reserve => {
            page.put_value(Ink::Plain, 1, value, page.measure(value));
        }
        _ if words.is_empty() => {
            let words = page.bytes_in_words(it.declared);
            page.wrap(Ink::Plain, &words, room.at, room.reserve);
        }
        _ => {
            page.wrap(Ink::Plain, &words, room.at, room.reserve);
        }
    }
    if let Some(late) = room.late {
        cite(page, late);
    }
    page.line();
}

/// Columns that a section and its document take at most where the page has [not many](ROOMY): more of them
/// leave no room for the value.
const CITE: usize = 22;

/// Columns of a page on which the longest of them does.
const ROOMY: usize = 110;

/// Sets the section at the right end: `§5.2` of the protocol itself, as its readers know it. Of what else
/// there is, a section with a name says enough where its document's name has no room.
fn cite(page: &mut Page, cite: Cite) {
    let Cite { doc, section } = cite;
    let is_named = section.starts_with(|first: char| first.is_alphabetic());
    let is_long = doc.len() + section.len() + 2 > CITE && page.width() < ROOMY;
    match (doc, section) {
        (doc, "") => page.tail(Ink::Faint, doc),
        ("RFC 6455", section) => page.tail_all(Ink::Faint, &["§", section]),
        (_, section) if is_named && is_long => page.tail_all(Ink::Faint, &["§", section]),
        (doc, section) => page.tail_all(Ink::Faint, &[doc, " §", section]),
    };
}

/// Everything left of the value.
fn lead(page: &mut Page, row: &Row<'_>, own: Own<'_>) {
    if let Some(severity) = row.blamed {
        page.put(verdicts::ink(severity), "!");
    }
    if let Some((first, last)) = row.place {
        let start = Digits::of(first);
        page.to(PLACE);
        if let Some(place) = own.place {
            page.put_value(Ink::Faint, 0, place, page.measure(place));
        } else if first == last {
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
fn meaning(page: &mut Page, words: &str, room: &Room) {
    if !words.is_empty() {
        let column = room.at + if page.is_narrow() { 2 } else { VALUE_COLUMNS + 2 };
        if page.column() > column && page.column() + 2 + page.measure(words) > page.width() - room.reserve {
            page.line();
        }
        page.to(column).wrap(Ink::Plain, words, column, room.reserve);
    }
    if let Some(late) = room.late {
        cite(page, late);
    }
    page.line();
}
