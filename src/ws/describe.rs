//! Fields and sources of a frame, for those who look at them.

use super::{
    CLOSE_CODE, CLOSE_REASON, FIN, MASK, MASKING_KEY, OPCODE, PAYLOAD, RSV1, RSV2, RSV3, close, header,
};
use crate::model::{
    Dir, Field, FieldDef, Frame, Opcode, Origin, Piece, Source, SourceId, Span, Text, Value, hole,
};

/// The fields of a frame in wire order.
///
/// `source` is what `dir` sent, where the frame stands.
pub fn frame(frame: &Frame<'_>, source: SourceId, dir: Dir, fields: &mut Vec<Field>) {
    // The header was read once on the fast path; reading it again tells every bit.
    let read = header::decode(frame.head, source, frame.offset, fields);
    debug_assert!(read.is_ok(), "a frame carries a whole header");
    for field in fields.iter_mut().filter(|f| f.meaning.is_empty()) {
        field.meaning = meaning(field.def, frame, dir);
    }
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

/// Where the bytes of a frame came from that stands in `source`.
pub fn frame_sources(
    frame: &Frame<'_>,
    conn: u32,
    source: SourceId,
    pieces: &[Piece],
    sources: &mut Vec<Source>,
) {
    sources.push(Source::carried(source, pieces.to_vec()));
    if let Some(key) = frame.header.masking_key {
        let start = frame.offset.saturating_add(frame.head.len() as u64);
        let of = Span::bytes(source, start, reach(frame));
        sources
            .push(Source { id: SourceId::Payload { conn, n: frame.n }, origin: Origin::Unmask { of, key } });
    }
}

/// Where the bytes of message `m` of connection `conn` came from; `parts` are offsets in `source`.
pub fn message_sources(
    parts: &[Span],
    m: u64,
    conn: u32,
    source: SourceId,
    is_inflated: bool,
    sources: &mut Vec<Source>,
) {
    let parts = parts.iter().map(|part| Span { source, ..*part }).collect();
    let id = SourceId::Message { conn, m };
    sources.push(Source { id, origin: Origin::Join { parts } });
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

fn payload(frame: &Frame<'_>) -> Value {
    if frame.of == Opcode::TEXT && !frame.compressed && !frame.holes.is_empty() {
        // Read as text part by part; a view that shows holes shows the parts themselves.
        return if hole::is_text(frame.payload, frame.holes, true) {
            Value::Text(String::from_utf8_lossy(frame.payload).into_owned())
        } else {
            Value::Bytes(frame.payload.to_vec())
        };
    }
    if frame.of == Opcode::TEXT && !frame.compressed {
        text_or_bytes(frame.payload)
    } else {
        match std::str::from_utf8(frame.payload) {
            // Most pings carry words; show them as such.
            Ok(text) if frame.header.opcode.is_control() && frame.header.opcode != Opcode::CLOSE => {
                Value::Text(text.to_owned())
            }
            _ => Value::Bytes(frame.payload.to_vec()),
        }
    }
}

/// Text where it is; a character cut at the end of a fragment is left off, not an error.
fn text_or_bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::Text(text.to_owned()),
        Err(e) if e.error_len().is_none() && e.valid_up_to() > 0 => {
            Value::Text(String::from_utf8_lossy(&bytes[..e.valid_up_to()]).into_owned())
        }
        Err(_) => Value::Bytes(bytes.to_vec()),
    }
}

fn meaning(def: &'static FieldDef, frame: &Frame<'_>, dir: Dir) -> Text {
    let header = &frame.header;
    let is = |other: &'static FieldDef| def == other;
    if is(&FIN) {
        match (header.fin, header.opcode) {
            (true, Opcode::CONTINUATION) => "last fragment of its message".into(),
            (true, _) => "a message in one frame".into(),
            (false, Opcode::CONTINUATION) => "more fragments follow".into(),
            (false, _) => "first fragment, more follow".into(),
        }
    } else if is(&RSV1) && header.rsv1 && frame.compressed && header.opcode != Opcode::CONTINUATION {
        "marks a compressed message".into()
    } else if is(&RSV1) && header.rsv1 && ends_message(frame) && header.opcode != Opcode::CONTINUATION {
        "no compression: the payload is no DEFLATE, and shown as sent".into()
    } else if (is(&RSV1) && header.rsv1) || (is(&RSV2) && header.rsv2) || (is(&RSV3) && header.rsv3) {
        "has a meaning only by an extension".into()
    } else if is(&RSV1) || is(&RSV2) || is(&RSV3) {
        "no extension".into()
    } else if is(&OPCODE) {
        opcode(frame)
    } else if is(&MASK) {
        match (header.masking_key.is_some(), dir) {
            (true, Dir::Client) => "masked, as clients must".into(),
            (true, Dir::Server) => "masked, which servers must not".into(),
            (false, Dir::Client) => "not masked, which clients must".into(),
            (false, Dir::Server) => "not masked, as servers must".into(),
        }
    } else if is(&MASKING_KEY) {
        match header.masking_key {
            Some([0, 0, 0, 0]) => "XOR with zero changes nothing".into(),
            _ => "byte i XOR key[i mod 4]".into(),
        }
    } else {
        Text::default()
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
