//! A frame's fields, one row each: place, bits, name, value, meaning, section.
//!
//! ```text
//!   0     1... ....  FIN             1    final fragment of a message      §5.2
//!   2–5              Masking key     37 fa 21 3d                           §5.3
//! ```

use super::frames::{content, is_text, pattern, wire_byte};
use super::hexdump;
use super::outline::{INDENT, Outline};
use super::style::Ink;
use super::verdicts::{self, in_frame};
use super::words::{BYTES, brief, count};
use crate::model::{Field, Finding, Frame, Role, Severity, Unit, Value};

const PLACE: usize = INDENT;
const BITS: usize = PLACE + 6;
const NAME: usize = BITS + 11;
const VALUE: usize = NAME + 16;
/// Where a payload's block begins.
const BLOCK: usize = 4;
/// Values are aligned up to this many columns, so that meanings are too.
const VALUE_COLUMNS: usize = 3;

/// Levels of nesting that are shown by indenting.
const MOST_DEPTH: usize = 4;

/// Rows a long value of text may take.
const VALUE_ROWS: usize = 4;

/// Writes the rows of a frame's fields, or its payload alone when there are no fields.
pub fn show(outline: &mut Outline, unit: &Unit<'_>, frame: &Frame<'_>) {
    let mut rest = unit.fields;
    if rest.is_empty() {
        let (content, holes) = content(frame);
        let length = (frame.captured + frame.missing).min(frame.header.length);
        let length = length.saturating_sub((frame.payload.len() - content.len()) as u64);
        outline.broken(content, &holes, length, is_text(None, frame), INDENT);
    }
    while let [field, later @ ..] = rest {
        rest = if let Some(after) = reserved_bits_zero(unit, rest) {
            reserved_row(outline, unit, field);
            after
        } else {
            if field.def.role == Role::Payload {
                payload_row(outline, unit, frame, field, !later.is_empty());
            } else {
                row(outline, unit, frame, field);
            }
            later
        };
    }
}

/// A value that is a number; empty for text and bytes.
pub fn number(field: &Field) -> String {
    match &field.value {
        Value::Bit(bit) => u8::from(*bit).to_string(),
        Value::Number(number) => number.to_string(),
        Value::Code(code) => format!("{code:#x}"),
        Value::Bytes(_) | Value::Text(_) | Value::Json(_) => String::new(),
    }
}

/// The rest of the fields when they begin with RSV1, RSV2 and RSV3, all 0 and with nothing to say about.
pub fn reserved_bits_zero<'a>(unit: &Unit<'_>, fields: &'a [Field]) -> Option<&'a [Field]> {
    let (three, rest) = fields.split_at_checked(3)?;
    let quiet = three.iter().all(|field| {
        field.def.role == Role::Reserved && field.value == Value::Bit(false) && blamed(unit, field).is_none()
    });
    quiet.then_some(rest)
}

/// The severity of the worst finding that points at a field.
pub fn blamed(unit: &Unit<'_>, field: &Field) -> Option<Severity> {
    let touches = |finding: &&Finding| {
        finding.spans.iter().any(|span| {
            span.source == field.span.source && span.start < field.span.end && field.span.start < span.end
        })
    };
    unit.findings.iter().filter(touches).map(|finding| finding.rule.severity).max()
}

fn reserved_row(outline: &mut Outline, unit: &Unit<'_>, rsv1: &Field) {
    let start = in_frame(unit, rsv1.span).map(|(start, _)| start);
    let place = start.map_or_else(String::new, |start| (start / 8).to_string());
    let page = &mut outline.page;
    page.to(PLACE).put(Ink::Faint, &place).to(BITS).put(Ink::Faint, ".000 ....");
    page.to(NAME).put(Ink::Plain, "RSV1–3").to(VALUE).put(Ink::Strong, "000");
    page.to(VALUE + VALUE_COLUMNS + 2).word(Ink::Plain, "no extension bits");
    page.tail(Ink::Faint, brief(rsv1.def.cite)).line();
}

/// Everything left of the value.
fn lead(outline: &mut Outline, unit: &Unit<'_>, frame: &Frame<'_>, field: &Field) {
    let page = &mut outline.page;
    if let Some(severity) = blamed(unit, field) {
        page.put(verdicts::ink(severity), "!");
    }
    if let Some((start, end)) = in_frame(unit, field.span) {
        // A payload's span is as long as declared; its place ends where its bytes do.
        let there = u64::from(frame.header.header_length()) + frame.captured + frame.missing;
        let there = there.saturating_mul(8);
        let end = if frame.truncated { end.min(there) } else { end };
        let (first, last) = (start / 8, end.saturating_sub(1).max(start) / 8);
        let place = if first == last { first.to_string() } else { format!("{first}–{last}") };
        page.to(PLACE).put(Ink::Faint, &place);
        let bits = pattern(wire_byte(frame, first), start, end);
        if !bits.is_empty() {
            page.to(BITS).put(Ink::Faint, &bits);
        }
    }
    // A long name begins under the bits, if there are none.
    let name = NAME + 2 * usize::from(field.depth).min(MOST_DEPTH);
    let label = page.lang().words(field.def.label);
    let long = page.measure(label).saturating_sub(VALUE - 2 - name);
    page.to((name - long.min(NAME)).max(page.column().min(name))).put(Ink::Plain, label);
    page.to(VALUE).tail(Ink::Faint, brief(field.def.cite));
}

/// Columns kept free at the right for the section.
fn reserve(outline: &Outline, field: &Field) -> usize {
    outline.page.measure(&brief(field.def.cite)) + 2
}

fn row(outline: &mut Outline, unit: &Unit<'_>, frame: &Frame<'_>, field: &Field) {
    lead(outline, unit, frame, field);
    let reserve = reserve(outline, field);
    let page = &mut outline.page;
    let at = page.column();
    match &field.value {
        Value::Text(text) | Value::Json(text) => {
            let rows = if outline.unabridged { usize::MAX } else { VALUE_ROWS };
            page.quote(text.as_bytes(), false, at, rows, reserve);
        }
        Value::Bytes(bytes) => {
            let room = page.width().saturating_sub(at + reserve);
            hexdump::put(page, Ink::Strong, bytes, field.span.len() / 8, room);
        }
        _ => {
            page.put(Ink::Strong, &number(field));
        }
    }
    meaning(outline, field, at);
}

/// Ends a row with the meaning, after the value or below it.
fn meaning(outline: &mut Outline, field: &Field, value_at: usize) {
    let reserve = reserve(outline, field);
    let page = &mut outline.page;
    if !field.meaning.is_empty() {
        let words = page.lang().say(&field.meaning);
        let column = value_at + VALUE_COLUMNS + 2;
        if page.column() > column && page.column() + 2 + page.measure(&words) > page.width() - reserve {
            page.line();
        }
        page.to(column).wrap(Ink::Plain, &words, column, reserve);
    }
    page.line();
}

/// The payload beside its name when it is short, else under it over the whole width.
fn payload_row(outline: &mut Outline, unit: &Unit<'_>, frame: &Frame<'_>, field: &Field, parts_follow: bool) {
    lead(outline, unit, frame, field);
    let text = is_text(Some(field), frame);
    let (bytes, length) = (frame.payload, frame.header.length);
    let page = &mut outline.page;
    let at = page.column();
    let room = page.width().saturating_sub(reserve(outline, field) + at);
    let page = &mut outline.page;
    let whole = bytes.len() as u64 == length;
    if whole && text && page.measure_data(bytes, room.saturating_sub(2)).is_some() {
        page.put(Ink::Faint, "“").data(Ink::Strong, bytes, room, false).put(Ink::Faint, "”");
        meaning(outline, field, at);
    } else if !text && (parts_follow || whole && bytes.len() * 3 <= room + 1) {
        hexdump::put(page, Ink::Strong, bytes, length, room);
        meaning(outline, field, at);
    } else {
        let lang = outline.lang();
        let meaning = &field.meaning;
        let words = if meaning.is_empty() { count(lang, length, BYTES) } else { lang.say(meaning) };
        let reserve = reserve(outline, field);
        outline.page.wrap(Ink::Plain, &words, at, reserve).line();
        let length = (frame.captured + frame.missing).min(length);
        outline.broken(bytes, frame.holes, length, text, BLOCK);
    }
}
