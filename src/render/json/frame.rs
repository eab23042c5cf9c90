//! The records `frame` and `message`, on which the speed of the whole depends.

use std::io::Write;

use super::Stream;
use super::app::{app, packet, session};
use super::record::{as_text, close_body, connection, cut, finding_ids, gap, http, list, opening, origin};
use super::run::{meta, summary};
use super::write::{Mark, Writer};
use crate::model::{Body, Dir, Frame, Hole, LengthForm, Message, Opcode, Part, Time, Unit, Utf8, hole};

/// What is remembered from record to record.
#[derive(Debug)]
pub(super) struct Records {
    /// How many bytes of a payload are shown.
    pub payload: u64,
    /// The keys that a frame's first byte decides, for each of its values.
    first_bytes: Vec<String>,
    /// The frame whose payload was written last as text.
    last_text: Option<LastText>,
    /// The last frame's `dir`, `time` and `packets`.
    last_origin: Option<LastOrigin>,
}

/// An unfragmented message repeats its frame's payload, and comes right after it.
#[derive(Debug)]
struct LastText {
    conn: u32,
    n: u64,
    length: usize,
    mark: Mark,
}

impl Records {
    pub fn new(payload: u64) -> Self {
        Self { payload, first_bytes: (0..=255).map(first_byte).collect(), last_text: None, last_origin: None }
    }

    /// Writes a unit's own record, if its kind has one.
    pub fn unit<W: Write>(&mut self, unit: &Unit<'_>, to: &mut Stream<W>) {
        match unit.body {
            Body::Frame(it) => to.record(|w| self.frame(unit, it, w)),
            Body::Message(it) => to.record(|w| self.message(unit, it, w)),
            Body::Meta(it) => to.record(|w| meta(it, w)),
            Body::Connection(it) => to.record(|w| connection(unit, it, w)),
            Body::Http(it) => to.record(|w| http(unit, it, w)),
            Body::Opening(it) => to.record(|w| opening(unit, it, w)),
            Body::Gap(it) => to.record(|w| gap(unit, it, w)),
            Body::Summary(it) => to.record(|w| summary(it, w)),
            Body::Packet(it) => to.record(|w| packet(unit, it, self.payload, w)),
            Body::Session(it) => to.record(|w| session(unit, it, w)),
            Body::File(_) | Body::Note => {}
        }
    }

    fn frame<W: Write>(&mut self, unit: &Unit<'_>, frame: &Frame<'_>, w: &mut Writer<W>) {
        let header = &frame.header;
        w.raw(r#"{"type":"frame","conn":"#);
        w.number(unit.conn.into());
        w.raw(r#","n":"#);
        w.number(frame.n);
        let mark = w.marking(|w| origin(unit, w));
        self.last_origin = Some(LastOrigin { is: origin_of(unit), mark });
        w.raw(r#","offset":"#);
        w.number(frame.offset);
        w.raw(&self.first_bytes[usize::from(first_byte_of(frame))]);
        match header.masking_key {
            Some(key) => {
                w.raw(r#","masked":true,"masking_key":"#);
                w.key(key);
            }
            None => w.raw(r#","masked":false,"masking_key":null"#),
        }
        match header.length_form {
            LengthForm::Bits7 => w.raw(r#","length_form":7,"length":"#),
            LengthForm::Bits16 => w.raw(r#","length_form":16,"length":"#),
            LengthForm::Bits64 => w.raw(r#","length_form":64,"length":"#),
        }
        w.number(header.length);
        w.raw(r#","header_length":"#);
        w.number(header.header_length().into());
        w.raw(r#","captured":"#);
        w.number(frame.captured);
        if !frame.truncated && frame.missing == 0 && !frame.inferred {
            w.raw(r#","truncated":false,"missing":0,"inferred":false"#);
        } else {
            w.raw(r#","truncated":"#);
            w.bool(frame.truncated);
            w.raw(r#","missing":"#);
            w.number(frame.missing);
            w.raw(r#","inferred":"#);
            w.bool(frame.inferred);
        }
        w.raw(r#","payload":{"#);
        let shown = cut(frame.payload, self.payload);
        let shortened = (shown.len() as u64) < frame.captured;
        // A compressed payload is no text, even where its bytes happen to be.
        let textual = frame.of == Opcode::TEXT && !frame.compressed && !header.rsv1;
        let holes = hole::among(frame.holes, shown.len());
        if let Some(text) = textual.then(|| text_of(shown, holes, shortened)).flatten() {
            w.raw(r#""text":"#);
            let mark = w.marking(|w| w.string(text));
            self.last_text = Some(LastText { conn: unit.conn, n: frame.n, length: text.len(), mark });
        } else {
            w.raw(r#""base64":"#);
            w.base64(shown);
        }
        holes_of(holes, w);
        if shortened {
            w.raw(r#","truncated":true"#);
        }
        w.raw("}");
        finding_ids(unit, w);
    }

    fn message<W: Write>(&mut self, unit: &Unit<'_>, message: &Message<'_>, w: &mut Writer<W>) {
        w.raw(r#"{"type":"message","conn":"#);
        w.number(unit.conn.into());
        w.raw(r#","m":"#);
        w.number(message.m);
        let again = self.last_origin.is_some_and(|last| last.is == origin_of(unit) && w.again(last.mark));
        if !again {
            origin(unit, w);
        }
        match message.kind {
            Opcode::TEXT => w.raw(r#","kind":"text","frames":"#),
            Opcode::BINARY => w.raw(r#","kind":"binary","frames":"#),
            kind => {
                w.raw(r#","kind":""#);
                w.raw(kind.name());
                w.raw(r#"","frames":"#);
            }
        }
        list(message.frames, w, |w, n| w.number(*n));
        w.raw(r#","frame_count":"#);
        w.number(message.frame_count);
        w.raw(r#","length":"#);
        w.number(message.length);
        if message.compressed {
            w.raw(r#","compressed":true,"inflated_length":"#);
            w.optional(message.inflated_length);
        } else {
            w.raw(r#","compressed":false,"inflated_length":null"#);
        }
        if message.complete {
            w.raw(r#","complete":true"#);
        } else {
            w.raw(r#","complete":false"#);
        }
        if let Some(close) = &message.close {
            close_body(close, w);
        }
        let shown = cut(message.payload, self.payload);
        let shortened = message.payload_cut || shown.len() < message.payload.len();
        let readable = !message.compressed || message.inflated_length.is_some();
        let textual = message.kind == Opcode::TEXT && readable && !matches!(message.utf8, Utf8::Invalid(_));
        let holes = hole::among(message.holes, shown.len());
        match self.last_text.take() {
            Some(last) if textual && last.is_content_of(unit.conn, message, shown) => {
                w.raw(r#","text":"#);
                if !w.again(last.mark) {
                    w.string(text_of(shown, holes, shortened).unwrap_or_default());
                }
            }
            _ => {
                if let Some(text) = textual.then(|| text_of(shown, holes, shortened)).flatten() {
                    w.raw(r#","text":"#);
                    w.string(text);
                } else {
                    w.raw(r#","base64":"#);
                    w.base64(shown);
                }
            }
        }
        holes_of(holes, w);
        if shortened {
            w.raw(r#","payload_truncated":true"#);
        }
        w.raw(r#","app":"#);
        match message.app {
            Some(it) => app(it, w),
            None => w.raw("null"),
        }
        finding_ids(unit, w);
    }
}

/// A message mostly comes from where its last frame came from.
#[derive(Clone, Copy, Debug)]
struct LastOrigin {
    is: Origin,
    mark: Mark,
}

type Origin = (Option<Dir>, Option<Time>, Option<(u64, u64)>);

fn origin_of(unit: &Unit<'_>) -> Origin {
    (unit.dir, unit.time, unit.packets)
}

impl LastText {
    /// Whether the frame's payload is the whole content of `message`.
    fn is_content_of(&self, conn: u32, message: &Message<'_>, shown: &[u8]) -> bool {
        self.conn == conn
            && message.frames == [self.n]
            && message.frame_count == 1
            && !message.compressed
            && self.length == shown.len()
    }
}

/// The captured bytes as text, if each part between holes is text by itself: a character
/// that a hole cuts would have no place in a string.
fn text_of<'a>(bytes: &'a [u8], holes: &[Hole], shortened: bool) -> Option<&'a str> {
    let mut parts = if holes.is_empty() { None } else { Some(hole::parts(bytes, holes).peekable()) };
    while let Some(part) = parts.as_mut().and_then(Iterator::next) {
        let is_last = parts.as_mut().is_some_and(|parts| parts.peek().is_none());
        if let Part::Bytes(_, bytes) = part {
            as_text(bytes, shortened && is_last)?;
        }
    }
    as_text(bytes, shortened)
}

/// `holes` as pairs of offset and length, if there are any.
fn holes_of<W: Write>(holes: &[Hole], w: &mut Writer<W>) {
    if holes.is_empty() {
        return;
    }
    w.raw(r#","holes":"#);
    list(holes, w, |w, hole| {
        w.raw("[");
        w.number(hole.offset);
        w.raw(",");
        w.number(hole.length);
        w.raw("]");
    });
}

/// The keys from `fin` to `opcode_name`.
fn first_byte(byte: u8) -> String {
    let opcode = Opcode(byte & 0xF);
    format!(
        r#","fin":{},"rsv1":{},"rsv2":{},"rsv3":{},"opcode":{},"opcode_name":"{}""#,
        byte & 0x80 != 0,
        byte & 0x40 != 0,
        byte & 0x20 != 0,
        byte & 0x10 != 0,
        opcode.0,
        opcode.name()
    )
}

fn first_byte_of(frame: &Frame<'_>) -> u8 {
    let header = &frame.header;
    u8::from(header.fin) << 7
        | u8::from(header.rsv1) << 6
        | u8::from(header.rsv2) << 5
        | u8::from(header.rsv3) << 4
        | (header.opcode.0 & 0xF)
}
