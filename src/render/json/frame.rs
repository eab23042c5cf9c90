//! The records `frame` and `message`, on which the speed of the whole depends.

use std::io::Write;

use super::Stream;
use super::app::{packet, session};
use super::record::{as_text, close_body, connection, cut, finding_ids, gap, http, opening, origin};
use super::run::{meta, summary};
use super::value::{Base64, List, ToJson, Word, members, open, with};
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
            Body::Judgement(it) => to.record(|w| super::cause::verdict(unit, it, w)),
            Body::File(_) | Body::Note => {}
        }
    }

    /// The record of a frame.
    pub fn frame<W: Write>(&mut self, unit: &Unit<'_>, frame: &Frame<'_>, w: &mut Writer<W>) {
        let header = &frame.header;
        open!(w, "type": "frame", "conn": unit.conn, "n": frame.n);
        let mark = w.marking(|w| origin(unit, w));
        self.last_origin = Some(LastOrigin { is: origin_of(unit), mark });
        members!(w, "offset": frame.offset);
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
        header.length.put(w);
        members!(w, "header_length": header.header_length(), "captured": frame.captured);
        if (frame.truncated, frame.missing, frame.inferred) == (false, 0, false) {
            w.raw(r#","truncated":false,"missing":0,"inferred":false"#);
        } else {
            members!(w, "truncated": frame.truncated, "missing": frame.missing, "inferred": frame.inferred);
        }
        self.payload(unit.conn, frame, w);
        finding_ids(unit, w);
    }

    /// `payload`, with its key.
    fn payload<W: Write>(&mut self, conn: u32, frame: &Frame<'_>, w: &mut Writer<W>) {
        let shown = cut(frame.payload, self.payload);
        let shortened = (shown.len() as u64) < frame.captured;
        // A compressed payload is no text, even where its bytes happen to be.
        let textual = frame.of == Opcode::TEXT && !frame.compressed && !frame.header.rsv1;
        let holes = hole::among(frame.holes, shown.len());
        if let Some(text) = textual.then(|| text_of(shown, holes, shortened)).flatten() {
            w.raw(r#","payload":{"text":"#);
            let mark = w.marking(|w| w.string(text));
            self.last_text = Some(LastText { conn, n: frame.n, length: text.len(), mark });
        } else {
            w.raw(r#","payload":{"base64":"#);
            Base64(shown).put(w);
        }
        holes_of(holes, w);
        if shortened {
            members!(w, "truncated": true);
        }
        w.raw("}");
    }

    /// The record of a message.
    pub fn message<W: Write>(&mut self, unit: &Unit<'_>, message: &Message<'_>, w: &mut Writer<W>) {
        open!(w, "type": "message", "conn": unit.conn, "m": message.m);
        let again = self.last_origin.is_some_and(|last| last.is == origin_of(unit) && w.again(last.mark));
        if !again {
            origin(unit, w);
        }
        members!(w, "kind": Word(message.kind.name()));
        match message.frames {
            &[n] if message.frame_count == 1 => {
                members!(w, "frames": (n,));
                w.raw(r#","frame_count":1"#);
            }
            frames => {
                members!(w, "frames": List(frames.iter().copied()), "frame_count": message.frame_count);
            }
        }
        members!(w, "length": message.length);
        if message.complete && !message.compressed {
            w.raw(r#","compressed":false,"inflated_length":null,"complete":true"#);
        } else {
            members!(
                w,
                "compressed": message.compressed,
                "inflated_length": if message.compressed { message.inflated_length } else { None },
                "complete": message.complete,
            );
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
                let text = |w: &mut Writer<W>| {
                    if !w.again(last.mark) {
                        w.string(text_of(shown, holes, shortened).unwrap_or_default());
                    }
                };
                members!(w, "text": with(text));
            }
            _ => {
                if let Some(text) = textual.then(|| text_of(shown, holes, shortened)).flatten() {
                    members!(w, "text": text);
                } else {
                    members!(w, "base64": Base64(shown));
                }
            }
        }
        holes_of(holes, w);
        if shortened {
            members!(w, "payload_truncated": true);
        }
        members!(w, "app": message.app);
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
    members!(w, "holes": List(holes.iter().map(|hole| (hole.offset, hole.length))));
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
