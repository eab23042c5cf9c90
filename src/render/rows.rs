//! A frame's fields, one row each: place, bits, name, value, meaning, section.
//!
//! ```text
//!   0     1... ....  FIN             1    final fragment of a message      §5.2
//!   2–5              Masking key     37 fa 21 3d                           §5.3
//! ```

use super::frames::{Bits, content, is_text, pattern, wire_byte};
use super::said::{Block, Figure, Payload, Row, RowValue, Setter};
use super::verdicts::in_frame;
use crate::model::{Field, Finding, Frame, Opening, Role, Severity, Text, Unit, Value};

/// Says the fields of a frame, or its payload alone when there are no fields.
pub fn say(unit: &Unit<'_>, frame: &Frame<'_>, to: &mut dyn Setter) {
    let mut rest = unit.fields;
    if rest.is_empty() {
        let (content, holes) = content(frame);
        let length = (frame.captured + frame.missing).min(frame.header.length);
        let length = length.saturating_sub((frame.payload.len() - content.len()) as u64);
        let text = is_text(None, frame);
        let payload = Payload { bytes: content, holes: &holes, length, declared: length, text };
        to.set(Block::Payload { payload, level: 1 });
    }
    while let [field, later @ ..] = rest {
        rest = if let Some(after) = reserved_bits_zero(unit, rest) {
            to.set(Block::Row(reserved(unit, field)));
            after
        } else {
            let (place, bits) = place(unit, frame, field);
            let value = if field.def.role == Role::Payload {
                let declared = frame.header.length;
                let payload = Payload {
                    bytes: frame.payload,
                    holes: frame.holes,
                    length: (frame.captured + frame.missing).min(declared),
                    declared,
                    text: is_text(Some(field), frame),
                };
                RowValue::Payload(payload, !later.is_empty())
            } else {
                value(field)
            };
            to.set(Block::Row(row(blamed(unit, field), field, place, bits, value)));
            later
        };
    }
}

/// Says the fields of what a layer below says.
pub fn of_layer(unit: &Unit<'_>, opening: &Opening<'_>, to: &mut dyn Setter) {
    for field in unit.fields {
        let (mut at, mut bits) = <(Option<(u64, u64)>, Bits)>::default();
        if let Some((start, end)) = in_frame(unit, field.span).filter(|(start, end)| start < end) {
            at = Some((start / 8, (end - 1) / 8));
            let first = usize::try_from(start / 8).ok().and_then(|first| opening.bytes.get(first));
            bits = pattern(first.copied(), start, end);
        }
        to.set(Block::Row(row(blamed(unit, field), field, at, bits, value(field))));
    }
}

/// What stands in a field's row, unless that is the payload.
fn value(field: &Field) -> RowValue<'_> {
    match &field.value {
        Value::Text(text) | Value::Json(text) => RowValue::Text(text),
        Value::Bytes(bytes) => RowValue::Bytes(bytes, field.span.len() / 8),
        number => Figure::of(number).map_or(RowValue::Text(""), RowValue::Number),
    }
}

/// Says a field of what a message carries: its bytes are counted from the beginning of the message.
pub fn part(field: &Field, to: &mut dyn Setter) {
    let value = match &field.value {
        // A number or a word.
        Value::Json(plain) if plain.len() <= 24 && !plain.starts_with(['"', '[', '{']) => {
            RowValue::Plain(plain)
        }
        _ => value(field),
    };
    let (start, end) = (field.span.start, field.span.end);
    let byte = match (&field.value, end - start) {
        (Value::Bit(bit), 1) => Some(u8::from(*bit) << (7 - start % 8)),
        (Value::Number(bits) | Value::Code(bits), 1..8) => {
            8_u64.checked_sub(start % 8 + end - start).map(|up| (*bits as u8) << up)
        }
        _ => None,
    };
    let place = (end > start).then(|| (start / 8, (end - 1) / 8));
    let bits = byte.map_or_else(Bits::default, |byte| pattern(Some(byte), start, end));
    to.set(Block::Row(row(None, field, place, bits, value)));
}

fn row<'a>(
    blamed: Option<Severity>,
    field: &'a Field,
    place: Option<(u64, u64)>,
    bits: Bits,
    value: RowValue<'a>,
) -> Row<'a> {
    Row {
        blamed,
        place,
        bits,
        depth: field.depth,
        label: field.def.label,
        help: field.def.help,
        value,
        meaning: &field.meaning,
        cite: field.def.cite,
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
    let touches = |finding: &&Finding| finding.spans.iter().any(|span| span.overlaps(&field.span));
    unit.findings.iter().filter(touches).map(|finding| finding.rule.severity).max()
}

/// The row of the three reserved bits together.
fn reserved(unit: &Unit<'_>, rsv1: &Field) -> Row<'static> {
    static MEANING: Text = Text::new("no extension bits");
    let start = in_frame(unit, rsv1.span).map(|(start, _)| start);
    Row {
        blamed: None,
        place: start.map(|start| (start / 8, start / 8)),
        bits: Bits::of(0, 0b0111_0000),
        depth: 0,
        label: "RSV1–3",
        help: rsv1.def.help,
        value: RowValue::Number(Figure::Zeros(3)),
        meaning: &MEANING,
        cite: rsv1.def.cite,
    }
}

/// Which bytes and which bits of the frame a field is; neither where it is none of it.
fn place(unit: &Unit<'_>, frame: &Frame<'_>, field: &Field) -> (Option<(u64, u64)>, Bits) {
    let Some((start, end)) = in_frame(unit, field.span) else { return Default::default() };
    // A payload's span is as long as declared; its place ends where its bytes do.
    let there = u64::from(frame.header.header_length()) + frame.captured + frame.missing;
    let there = there.saturating_mul(8);
    let end = if frame.truncated { end.min(there) } else { end };
    let (first, last) = (start / 8, end.saturating_sub(1).max(start) / 8);
    (Some((first, last)), pattern(wire_byte(frame, first), start, end))
}
