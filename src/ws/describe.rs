//! Fields and sources of a frame, for those who look at them.

use super::{
    CLOSE_CODE, CLOSE_REASON, EXTENDED_LENGTH, FIN, LENGTH, MASK, MASKING_KEY, OPCODE, PAYLOAD, RSV1, RSV2,
    RSV3, close, utf8,
};
use crate::limits;
use crate::model::{
    Dir, Field, FieldDef, Frame, FrameHeader, LengthForm, Opcode, Origin, Piece, Source, SourceId, Span,
    Text, Value, hole,
};

/// The fields of a frame in wire order.
///
/// `source` is what `dir` sent, where the frame stands.
pub fn frame(frame: &Frame<'_>, source: SourceId, dir: Dir, fields: &mut Vec<Field>) {
    header(frame, dir, &mut Row { source, bit: frame.offset.saturating_mul(8), fields });
    let start = frame.offset.saturating_add(frame.head.len() as u64);
    if frame.captured > 0 {
        let what = match (frame.header.masking_key, frame.truncated || frame.missing > 0) {
            (_, true) => Text::with("{} of {} bytes captured", frame.captured).and(frame.header.length),
            (Some(_), false) => Text::new("unmasked"),
            (None, false) => Text::default(),
        };
        fields.push(field(&PAYLOAD, Span::bytes(source, start, reach(frame)), payload(frame), what, 0));
    }
    let whole = frame.payload.len() as u64 == frame.header.length;
    if frame.header.opcode == Opcode::CLOSE && whole {
        let body = close::parse(frame.payload);
        if let Some(code) = body.code {
            let value = Value::Number(code.0.into());
            fields.push(field(&CLOSE_CODE, Span::bytes(source, start, 2), value, code.name().into(), 1));
            if !body.reason.is_empty() {
                let span = Span::bytes(source, start + 2, body.reason.len() as u64);
                let value = text_or_bytes(body.reason);
                fields.push(field(&CLOSE_REASON, span, value, Text::default(), 1));
            }
        }
    }
}

/// Fields that follow each other without a gap.
struct Row<'a> {
    source: SourceId,
    /// Where the next one begins.
    bit: u64,
    fields: &'a mut Vec<Field>,
}

impl Row<'_> {
    /// Adds a field of `width` bits.
    fn add(&mut self, def: &'static FieldDef, width: u64, value: Value, meaning: impl Into<Text>) {
        let end = self.bit.saturating_add(width);
        self.fields.push(field(def, Span::bits(self.source, self.bit, end), value, meaning.into(), 0));
        self.bit = end;
    }
}

/// The fields of a header, each with what it means in this frame (RFC 6455 §5.2).
fn header(frame: &Frame<'_>, dir: Dir, row: &mut Row<'_>) {
    let header = &frame.header;
    row.add(&FIN, 1, Value::Bit(header.fin), fin(header));
    row.add(&RSV1, 1, Value::Bit(header.rsv1), rsv1(frame));
    row.add(&RSV2, 1, Value::Bit(header.rsv2), reserved(header.rsv2));
    row.add(&RSV3, 1, Value::Bit(header.rsv3), reserved(header.rsv3));
    row.add(&OPCODE, 4, Value::Code(header.opcode.0.into()), opcode(frame));
    row.add(&MASK, 1, Value::Bit(header.masking_key.is_some()), mask(header, dir));
    let (short, what) = match header.length_form {
        LengthForm::Bits7 if header.length == 1 => (1, "byte of payload"),
        LengthForm::Bits7 => (header.length, "bytes of payload"),
        LengthForm::Bits16 => (126, "the length is in the next 16 bits"),
        LengthForm::Bits64 => (127, "the length is in the next 64 bits"),
    };
    row.add(&LENGTH, 7, Value::Number(short), what);
    let form = match header.length_form {
        LengthForm::Bits7 => None,
        LengthForm::Bits16 => Some((16, "bytes of payload, 16-bit form")),
        LengthForm::Bits64 => Some((64, "bytes of payload, 64-bit form")),
    };
    if let Some((width, what)) = form {
        row.add(&EXTENDED_LENGTH, width, Value::Number(header.length), what);
    }
    if let Some(key) = header.masking_key {
        let zero = key == [0; 4];
        let what = if zero { "XOR with zero changes nothing" } else { "byte i XOR key[i mod 4]" };
        row.add(&MASKING_KEY, 32, Value::Bytes(key.to_vec()), what);
    }
}

/// Where the bytes of a frame came from that stands in `source`. What `sources` were before, they are no
/// longer.
pub fn frame_sources(
    frame: &Frame<'_>,
    conn: u32,
    source: SourceId,
    pieces: &[Piece],
    sources: &mut Vec<Source>,
) {
    // The pieces of the frame before leave room for these.
    let mut room = match sources.first_mut().map(|source| &mut source.origin) {
        Some(Origin::Stream { pieces } | Origin::Decrypted { pieces, .. }) => std::mem::take(pieces),
        _ => Vec::new(),
    };
    room.clear();
    room.extend_from_slice(pieces);
    sources.clear();
    sources.push(Source::carried(source, room));
    if let Some(key) = frame.header.masking_key {
        let start = frame.offset.saturating_add(frame.head.len() as u64);
        let of = Span::bytes(source, start, reach(frame));
        sources
            .push(Source { id: SourceId::Payload { conn, n: frame.n }, origin: Origin::Unmask { of, key } });
    }
}

/// Where the bytes of message `m` of connection `conn` came from; `parts` are offsets in `source`. What
/// `sources` were before, they are no longer.
pub fn message_sources(
    parts: &[Span],
    m: u64,
    conn: u32,
    source: SourceId,
    is_inflated: bool,
    sources: &mut Vec<Source>,
) {
    let mut room = match sources.first_mut().map(|source| &mut source.origin) {
        Some(Origin::Join { parts }) => std::mem::take(parts),
        _ => Vec::new(),
    };
    room.clear();
    room.extend(parts.iter().map(|part| Span { source, ..*part }));
    sources.clear();
    let id = SourceId::Message { conn, m };
    sources.push(Source { id, origin: Origin::Join { parts: room } });
    if is_inflated {
        let origin = Origin::Inflate { of: id };
        sources.push(Source { id: SourceId::Inflated { conn, m }, origin });
    }
}

fn field(def: &'static FieldDef, span: Span, value: Value, meaning: Text, depth: u8) -> Field {
    Field { def, span, value, meaning, depth }
}

/// How far the payload is known to reach: captured or lost, as many bytes of the stream.
fn reach(frame: &Frame<'_>) -> u64 {
    frame.captured.saturating_add(frame.missing)
}

/// What the payload is, with its beginning: all of it is in the frame, and may be large.
fn payload(frame: &Frame<'_>) -> Value {
    let payload = frame.payload;
    let start = &payload[..payload.len().min(limits::VALUE_COPIED)];
    let is_text_message = frame.of == Opcode::TEXT && !frame.compressed;
    if is_text_message && !frame.holes.is_empty() {
        // Read as text part by part; a view that shows holes shows the parts themselves.
        return if hole::is_text(payload, frame.holes, true) {
            Value::Text(String::from_utf8_lossy(start).into_owned())
        } else {
            Value::Bytes(start.to_vec())
        };
    }
    // Most pings carry words; show them as such.
    let may_be_text = is_text_message
        || frame.header.opcode.is_control() && frame.header.opcode != Opcode::CLOSE && is_utf8(payload);
    if may_be_text && (start.len() == payload.len() || is_text(payload)) {
        text_or_bytes(start)
    } else {
        Value::Bytes(start.to_vec())
    }
}

fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// Whether bytes are text, but for a character that is cut at their end.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|e| e.error_len().is_none() && e.valid_up_to() > 0, |_| true)
}

/// Text where it is; a character cut at the end of a fragment is left off, not an error.
fn text_or_bytes(bytes: &[u8]) -> Value {
    if let Some(text) = utf8::text(bytes) {
        return Value::Text(text.to_owned());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::Text(text.to_owned()),
        Err(e) if e.error_len().is_none() && e.valid_up_to() > 0 => {
            Value::Text(String::from_utf8_lossy(&bytes[..e.valid_up_to()]).into_owned())
        }
        Err(_) => Value::Bytes(bytes.to_vec()),
    }
}

fn fin(header: &FrameHeader) -> &'static str {
    match (header.fin, header.opcode) {
        (true, Opcode::CONTINUATION) => "last fragment of its message",
        (true, _) => "a message in one frame",
        (false, Opcode::CONTINUATION) => "more fragments follow",
        (false, _) => "first fragment, more follow",
    }
}

fn rsv1(frame: &Frame<'_>) -> &'static str {
    let header = &frame.header;
    let begins = header.rsv1 && header.opcode != Opcode::CONTINUATION;
    if begins && frame.compressed {
        "marks a compressed message"
    } else if begins && ends_message(frame) {
        "no compression: the payload is no DEFLATE, and shown as sent"
    } else {
        reserved(header.rsv1)
    }
}

fn reserved(is_set: bool) -> &'static str {
    if is_set { "has a meaning only by an extension" } else { "no extension" }
}

fn mask(header: &FrameHeader, dir: Dir) -> &'static str {
    match (header.masking_key.is_some(), dir) {
        (true, Dir::Client) => "masked, as clients must",
        (true, Dir::Server) => "masked, which servers must not",
        (false, Dir::Client) => "not masked, which clients must",
        (false, Dir::Server) => "not masked, as servers must",
    }
}

/// Whether it is the last frame of a data message, which was tried to be inflated if it might be compressed.
fn ends_message(frame: &Frame<'_>) -> bool {
    let is_data = matches!(frame.of, Opcode::TEXT | Opcode::BINARY) && !frame.header.opcode.is_control();
    is_data && frame.header.fin && frame.captured == frame.header.length
}

fn opcode(frame: &Frame<'_>) -> Text {
    match frame.header.opcode {
        Opcode::CONTINUATION => match frame.of {
            Opcode::TEXT if frame.compressed => "continuation of a compressed text message".into(),
            Opcode::TEXT => "continuation of a text message".into(),
            Opcode::BINARY => "continuation of a binary message".into(),
            _ => "continuation".into(),
        },
        Opcode::TEXT => "text".into(),
        Opcode::BINARY => "binary".into(),
        Opcode::CLOSE => "connection close".into(),
        Opcode::PING => "ping".into(),
        Opcode::PONG => "pong".into(),
        other if other.is_control() => "reserved for further control frames".into(),
        _ => "reserved for further non-control frames".into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ws::header::decode;

    proptest! {
        /// The layout stands in two places, the decoder and here: they agree on every bit of every header.
        #[test]
        fn each_bit_of_a_header_is_told_once_and_as_it_stands(head: [u8; 14], offset in 0..1_u64 << 40) {
            let read = decode(&head).expect("the longest header");
            let length = usize::from(read.header_length());
            let frame = Frame {
                n: 1,
                offset,
                header: read,
                head: &head[..length],
                of: read.opcode,
                compressed: false,
                captured: 0,
                missing: 0,
                truncated: false,
                inferred: false,
                payload: &[],
                holes: &[],
            };
            let mut fields = Vec::new();
            let source = SourceId::Stream { conn: 1, dir: Dir::Client };
            super::frame(&frame, source, Dir::Client, &mut fields);
            let mut next = offset * 8;
            for field in &fields {
                prop_assert_eq!(field.span.start, next, "{}", field.def.id);
                next = field.span.end;
                let bits = (field.span.start - offset * 8)..(field.span.end - offset * 8);
                let bits = bits.map(|bit| head[(bit / 8) as usize] >> (7 - bit % 8) & 1);
                let stands = bits.fold(0, |all, bit| all << 1 | u64::from(bit));
                let told = match &field.value {
                    Value::Bit(bit) => u64::from(*bit),
                    Value::Number(number) | Value::Code(number) => *number,
                    Value::Bytes(bytes) => bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
                    other => return Err(TestCaseError::fail(format!("{other:?}"))),
                };
                prop_assert_eq!(told, stands, "{}", field.def.id);
                prop_assert!(!field.meaning.is_empty(), "{}", field.def.id);
            }
            prop_assert_eq!(next, (offset + length as u64) * 8);
        }
    }
}
