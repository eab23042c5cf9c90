//! The view `hex`: the bytes of a frame in order, and beside each what it means.

use super::choice::Choice;
use super::json::Scope;
use super::outline::{Outline, looked_into};
use super::page::Page;
use super::said::{Figure, Payload};
use super::screen::{Layout, Screen};
use super::set::INDENT;
use super::style::Ink;
use super::verdicts::{self, in_frame};
use super::words::{MORE_BYTES, count};
use super::{Options, frames, heads, hexdump, rows, set, tree};
use crate::model::{Body, Field, Frame, HttpHead, Opening, Part, Role, Span, Unit, Value, Wants, hole};

/// Offsets and bytes on the left, their meaning on the right.
pub type Hex<W> = Screen<HexLayout, W>;

/// See [`Hex`].
#[derive(Debug, Default)]
pub struct HexLayout;

/// Its place in the list of views.
pub static VIEW: Choice = Choice::of::<HexLayout>("hex", "Bytes beside their meaning", Scope::All);

impl Layout for HexLayout {
    fn wants(options: &Options) -> Wants {
        looked_into(options)
    }

    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>, page: &mut Page) {
        match unit.body {
            Body::Frame(frame) => {
                tree::heading(outline, unit, frame, page);
                fields(page, unit, frame);
                verdicts::say(outline, unit, page);
            }
            Body::Http(head) => {
                heads::heading(outline, unit, head, page);
                http(outline, head, page);
                verdicts::say(outline, unit, page);
            }
            Body::Opening(opening) => {
                outline.opening(unit, opening, true, page);
                if opening.layer.is_some() {
                    layer(page, opening);
                }
                verdicts::say(outline, unit, page);
            }
            _ => outline.unit(unit, page),
        }
    }
}

/// Bytes of a row beside a meaning.
const ROW: usize = 8;

/// Columns that a value takes beside its name at least, the space between them included.
const NARROW_VALUE: usize = 8;

/// Columns of a byte with its bits, and a space.
const PATTERN: usize = 15;

/// Rows of payload shown unless asked for more.
const PAYLOAD_ROWS: usize = 8;

/// The columns, which move right with the digits of the offsets.
#[derive(Clone, Copy)]
struct Columns {
    /// Digits of an offset.
    digits: usize,
    /// Where bytes begin.
    bytes: usize,
    /// Where names begin.
    name: usize,
    /// Bytes of a row beside a meaning.
    row: usize,
}

impl Columns {
    fn new(last: u64, page: &Page) -> Self {
        let digits = hexdump::offset(last).len();
        let bytes = INDENT + digits + 2;
        let row = if page.is_narrow() { ROW / 2 } else { ROW };
        // The bits of a byte stand behind it, too.
        let name = bytes + (row * 3 + 1).max(PATTERN);
        Self { digits, bytes, name, row }
    }

    /// Where unmasked bytes begin.
    fn plain(self) -> usize {
        self.bytes + self.row * 3 + 1
    }
}

/// The fields of a frame in rows; the payload alone when there are no fields.
fn fields(page: &mut Page, unit: &Unit<'_>, frame: &Frame<'_>) {
    let header = u64::from(frame.header.header_length());
    let columns = Columns::new(frame.offset.saturating_add(header).saturating_add(at_hand(frame)), page);
    // The byte whose bits are being told.
    let mut open = None;
    let mut rest = unit.fields;
    if rest.is_empty() {
        for from in (0..header).step_by(columns.row) {
            bytes_row(page, frame, columns, from, header);
            if from == 0 {
                page.to(columns.name).word(Ink::Plain, "frame header");
            }
            page.line();
        }
        payload(page, frame, columns, frames::is_text(None, frame));
    }
    while let [field, later @ ..] = rest {
        let zero = rows::reserved_bits_zero(unit, rest);
        let place = in_frame(unit, field.span);
        let end = if zero.is_some() { field.span.start.saturating_add(3) } else { field.span.end };
        if let Some(severity) = rows::blamed(unit, field) {
            page.put(verdicts::ink(severity), "!");
        }
        if field.def.role == Role::Payload {
            caption(page, frame, columns, field);
            payload(page, frame, columns, frames::is_text(Some(field), frame));
        } else {
            if let Some((start, stop)) =
                place.map(|(start, stop)| (start, stop.max(start + end - field.span.start)))
            {
                let bits = frames::pattern(frames::wire_byte(frame, start / 8), start, stop);
                if bits.is_empty() || open != Some(start / 8) {
                    let one = start / 8 + 1;
                    bytes_row(
                        page,
                        frame,
                        columns,
                        start / 8,
                        if bits.is_empty() { stop.div_ceil(8) } else { one },
                    );
                }
                if !bits.is_empty() {
                    page.to(columns.bytes + 5).put(Ink::Faint, &bits.picture());
                }
                open = (!bits.is_empty()).then_some(start / 8);
            }
            meaning(page, columns, field, zero.is_some());
        }
        rest = zero.unwrap_or(later);
    }
}

/// An offset and the bytes `from..to` of a frame, as many as fit a row.
fn bytes_row(page: &mut Page, frame: &Frame<'_>, columns: Columns, from: u64, to: u64) {
    let header = u64::from(frame.header.header_length());
    let shown: Vec<u8> = (from..to)
        .take(columns.row)
        // What lies in the payload was told in full above; here it is what it means.
        .map_while(|at| match at.checked_sub(header) {
            Some(at) => hole::byte(frame.payload, frame.holes, at),
            None => frames::wire_byte(frame, at),
        })
        .collect();
    offset(page, columns, frame.offset.saturating_add(from));
    page.to(columns.bytes).put(Ink::Plain, &hexdump::pairs(&shown));
}

fn offset(page: &mut Page, columns: Columns, at: u64) {
    let digits = columns.digits;
    page.to(INDENT).put(Ink::Faint, &format!("{at:0digits$x}"));
}

/// Ends a row with name, value and meaning.
fn meaning(page: &mut Page, columns: Columns, field: &Field, three: bool) {
    page.to(columns.name + 2 * usize::from(field.depth));
    let label = page.lang().words(if three { "RSV1–3" } else { field.def.label });
    page.wrap(Ink::Plain, label, columns.name, 0);
    let value_at = columns.name + if page.is_narrow() { 2 } else { 15 };
    if page.is_narrow() && page.column() + NARROW_VALUE > page.width() {
        page.line();
    }
    page.to(value_at);
    let at = page.column();
    match &field.value {
        _ if three => {
            let words = page.lang().words("no extension bits");
            page.put(Ink::Strong, "000").put(Ink::Plain, " ").wrap(Ink::Plain, words, value_at, 0);
        }
        Value::Text(text) | Value::Json(text) => {
            page.quote(text.as_bytes(), false, at, PAYLOAD_ROWS, 0);
        }
        // The bytes stand on the left already.
        Value::Bytes(_) => {
            page.wrap(Ink::Plain, &page.lang().say(&field.meaning), value_at, 0);
        }
        _ => {
            let number = Figure::of(&field.value).map(Figure::digits);
            let number = number.as_ref().map_or("", |digits| digits.as_str());
            if page.column() + number.len() > page.width() {
                page.line();
                page.to(value_at.min(page.width().saturating_sub(number.len())));
            }
            page.put(Ink::Strong, number);
            if !field.meaning.is_empty() {
                // A value of one to three digits, and a space.
                let start = if page.is_narrow() { value_at } else { at + 4 };
                let gap = (at + 4).saturating_sub(page.column()).max(1);
                let meaning = page.lang().say(&field.meaning);
                page.put(Ink::Plain, &" ".repeat(gap)).wrap(Ink::Plain, &meaning, start, 0);
            }
        }
    }
    page.line();
}

/// The heading over a payload's columns.
fn caption(page: &mut Page, frame: &Frame<'_>, columns: Columns, field: &Field) {
    page.to(columns.bytes).word(Ink::Plain, field.def.label);
    if frame.header.masking_key.is_some() {
        page.word(Ink::Faint, ", ")
            .word(Ink::Faint, "masked")
            .to(columns.plain())
            .word(Ink::Faint, "unmasked");
    }
    page.line();
}

/// The payload: as on the wire, unmasked if it is masked, and as letters.
fn payload(page: &mut Page, frame: &Frame<'_>, columns: Columns, text: bool) {
    let header = u64::from(frame.header.header_length());
    let rows = page.at_most(PAYLOAD_ROWS);
    let masked = frame.header.masking_key.is_some();
    let has_room = columns.bytes + 2 * columns.row * 4 < page.width();
    let per_row = if masked || !has_room { columns.row } else { 2 * columns.row };
    let mut shown = 0;
    let all = hole::parts(frame.payload, frame.holes).flat_map(|part| rows_of(part, per_row));
    for part in all.take(rows) {
        if page.is_broken() {
            break;
        }
        let (at, row) = match part {
            Part::Bytes(at, row) => (at, row),
            Part::Hole(hole) => {
                offset(page, columns, frame.offset.saturating_add(header + hole.offset));
                let words = frames::missing(page.lang(), hole);
                page.to(columns.bytes).put(Ink::Warning, &words).line();
                shown += hole.length;
                continue;
            }
        };
        let from = header + at;
        offset(page, columns, frame.offset.saturating_add(from));
        let wire: Vec<u8> = (from..).take(row.len()).map_while(|at| frames::wire_byte(frame, at)).collect();
        page.to(columns.bytes).put(Ink::Plain, &hexdump::pairs(&wire));
        if masked {
            page.to(columns.plain()).put(Ink::Strong, &hexdump::pairs(row));
        }
        page.to(columns.bytes + 2 * columns.row * 3 + if masked { 2 } else { 1 });
        page.put(Ink::Plain, &hexdump::letters(row)).line();
        shown += row.len() as u64;
    }
    let left = frame.header.length.saturating_sub(shown);
    if left > 0 {
        let words = count(page.lang(), left, MORE_BYTES);
        page.to(columns.bytes).put(Ink::Faint, "… ").wrap(Ink::Faint, &words, columns.bytes, 0).line();
    }
    if text && !frame.payload.is_empty() && !frame.payload.is_ascii() {
        if !frame.holes.is_empty() {
            let (bytes, holes, length) = (frame.payload, frame.holes, at_hand(frame));
            let shown = Payload { bytes, holes, length, declared: length, text: true };
            return set::payload(page, &shown, columns.bytes);
        }
        let more = (frame.payload.len() as u64) < frame.header.length;
        page.to(columns.bytes).quote(frame.payload, more, columns.bytes, PAYLOAD_ROWS, 0);
        page.line();
    }
}

/// A part of a payload in rows of `per_row` bytes; a hole is a row of its own.
fn rows_of(part: Part<'_>, per_row: usize) -> impl Iterator<Item = Part<'_>> {
    let (from, bytes, hole) = match part {
        Part::Bytes(from, bytes) => (from, bytes, None),
        Part::Hole(_) => (0, &[][..], Some(part)),
    };
    let rows = bytes.chunks(per_row).enumerate();
    let rows = rows.map(move |(row, bytes)| Part::Bytes(from + (row * per_row) as u64, bytes));
    hole.into_iter().chain(rows)
}

/// Payload bytes from the first to the last that is at hand, or known to be missing.
fn at_hand(frame: &Frame<'_>) -> u64 {
    frame.payload.len() as u64 + hole::missing(frame.holes)
}

/// The start line and the header fields, each with its bytes.
fn http(outline: &Outline, head: &HttpHead<'_>, page: &mut Page) {
    hexdump::dump(page, head.start_line.as_bytes(), head.offset, INDENT, PAYLOAD_ROWS);
    for header in head.headers {
        let (ink, mark) = heads::verdict(header.verdict);
        page.to(INDENT).put(ink, mark).put(Ink::Plain, " ");
        page.data(Ink::Strong, header.name.as_bytes(), 32, false);
        if !header.meaning.is_empty() {
            let meaning = page.lang().say(&header.meaning);
            let at = set::heads::NAME + if page.is_narrow() { 2 } else { 28 };
            if page.is_narrow() {
                page.line();
            }
            page.to(at).wrap(Ink::Plain, &meaning, at, 0);
        }
        page.line();
        let at = |span: Span| span.first_byte();
        hexdump::dump(page, header.value.as_bytes(), at(header.value_at), INDENT, PAYLOAD_ROWS);
    }
    if !head.body.is_empty() {
        heads::coded(outline, page);
        set::payload(page, &Payload::whole(head.body, false), INDENT);
    }
}

/// The bytes of what a layer below says; what they mean stands above.
fn layer(page: &mut Page, opening: &Opening<'_>) {
    let rows = page.at_most(PAYLOAD_ROWS);
    hexdump::dump(page, opening.bytes, opening.offset, INDENT, rows);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::Show;
    use crate::render::scenes;

    fn show() -> Show<HexLayout> {
        Show::new(Options::default())
    }

    #[test]
    fn a_handshake_and_the_frames_of_rfc_6455_5_7() {
        let mut show = show();
        show.handshake();
        scenes::rfc_5_7(&mut show);
        insta::assert_snapshot!(show.text());
    }

    #[test]
    fn frames_with_findings_and_a_closing_handshake() {
        let mut show = show();
        scenes::troubled(&mut show);
        scenes::ending(&mut show);
        insta::assert_snapshot!(show.text());
    }

    #[test]
    fn without_fields_the_header_is_bytes() {
        let mut show = show();
        show.fields = false;
        scenes::rfc_5_7(&mut show);
        insta::assert_snapshot!(show.text());
    }
}
