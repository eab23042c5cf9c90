//! The records `frame` and `message`, on which the speed of the whole depends.

use std::io::Write;

use super::Stream;
use super::app::{meaning, packet, session};
use super::base64::{encode, encoded};
use super::digits::Known;
use super::headers::LastHeaders;
use super::last::LastSite;
use super::line::{Line, ROOM};
use super::record::{
    ORIGIN, Whence, as_text, close_body, connection, cut, finding_ids, gap, http, opening, origin_of,
};
use super::run::{meta, summary};
use super::value::{Base64, List, ToJson, members};
use super::write::{Mark, Writer};
#[cfg(feature = "parquet")]
use crate::model::AppPacket;
use crate::model::{Body, Dir, Frame, Hole, LengthForm, Message, Opcode, Part, Time, Unit, Utf8, hole};

/// Bytes of a payload that is no text of which the Base64 is kept for the message.
const KEPT: usize = 96 * 1024;

/// Room for what the first byte of a frame says.
const FIRST_BYTE: usize = 128;

/// What is remembered from record to record.
#[derive(Debug)]
pub(super) struct Records {
    /// How many bytes of a payload are shown.
    pub payload: u64,
    /// The keys that a frame's first byte decides, for each of its values, and how long they are.
    first_bytes: Vec<([u8; FIRST_BYTE], usize)>,
    /// The frame whose payload was written last as text.
    last_text: Option<LastText>,
    /// The same of one that was written in Base64, and that.
    last_base64: Option<LastBase64>,
    base64: Vec<u8>,
    origin: Origin,
    headers: LastHeaders,
    site: LastSite,
    /// The last frame's connection, its number there, and its length.
    conn: Known,
    n: Known,
    length: Known,
}

/// What was written last of where a unit came from: a message mostly comes from where its last frame came
/// from.
#[derive(Debug)]
struct Origin {
    dir: Option<Dir>,
    time: Option<Time>,
    packets: Option<(u64, u64)>,
    text: Box<[u8; ROOM]>,
    length: usize,
}

impl Origin {
    /// Of nothing yet.
    fn none() -> Self {
        Self { dir: None, time: None, packets: None, text: Box::new([0; ROOM]), length: 0 }
    }

    /// The text, and bytes behind it.
    #[inline]
    fn text(&self) -> &[u8; ORIGIN] {
        &self.text.as_chunks().0[0]
    }

    /// Becomes that of a unit.
    #[inline]
    fn become_of<W: Write>(&mut self, whence: Whence, w: &mut Writer<W>) {
        (self.dir, self.time, self.packets) = whence;
        self.length = w.apart(&mut self.text, |line| origin_of(whence, line));
    }

    #[inline]
    fn is_of(&self, unit: &Unit<'_>) -> bool {
        self.length > 0 && (self.dir, self.time, self.packets) == (unit.dir, unit.time, unit.packets)
    }
}

/// An unfragmented message repeats its frame's payload, and comes right after it.
#[derive(Clone, Copy, Debug)]
struct LastText {
    conn: u32,
    n: u64,
    length: usize,
    /// It was escaped without a thought: in JSON as well it may stand as it is.
    is_plain: bool,
    mark: Mark,
}

impl Records {
    pub fn new(payload: u64) -> Self {
        Self {
            payload,
            first_bytes: (0..=255).map(first_byte).collect(),
            last_text: None,
            last_base64: None,
            base64: Vec::new(),
            origin: Origin::none(),
            headers: LastHeaders::default(),
            site: LastSite::default(),
            conn: Known::ZERO,
            n: Known::ZERO,
            length: Known::ZERO,
        }
    }

    /// Writes a unit's own record, if its kind has one.
    pub fn unit<W: Write>(&mut self, unit: &Unit<'_>, to: &mut Stream<W>) {
        match unit.body {
            Body::Frame(it) => to.record(|w| self.frame(unit, it, None, w)),
            Body::Message(it) => to.record(|w| self.message(unit, it, w)),
            Body::Meta(it) => to.record(|w| meta(it, w)),
            Body::Connection(it) => to.record(|w| connection(unit, it, &mut self.site, w)),
            Body::Http(it) => to.record(|w| http(unit, it, &mut self.headers, w)),
            Body::Opening(it) => to.record(|w| opening(unit, it, w)),
            Body::Gap(it) => to.record(|w| gap(unit, it, w)),
            Body::Summary(it) => to.record(|w| summary(it, w)),
            Body::Packet(it) => to.record(|w| packet(unit, it, self.payload, w)),
            Body::Session(it) => to.record(|w| session(unit, it, w)),
            Body::Judgement(it) => to.record(|w| super::cause::verdict(unit, it, &mut self.site, w)),
            Body::File(_) | Body::Note => {}
        }
    }

    /// The record of a frame, whose payload is `text` if that is known.
    pub fn frame<W: Write>(
        &mut self,
        unit: &Unit<'_>,
        frame: &Frame<'_>,
        text: Option<&str>,
        w: &mut Writer<W>,
    ) {
        let header = &frame.header;
        self.origin.become_of((unit.dir, unit.time, unit.packets), w);
        let (first_byte, length) = &self.first_bytes[usize::from(first_byte_of(frame))];
        w.line(|line| {
            line.raw(br#"{"type":"frame","conn":"#);
            line.remember(&mut self.conn, unit.conn.into());
            line.raw(br#","n":"#);
            line.remember(&mut self.n, frame.n);
            line.part(self.origin.text(), self.origin.length);
            line.raw(br#","offset":"#);
            line.number(frame.offset);
            line.part(first_byte, *length);
            match header.masking_key {
                Some(key) => {
                    line.raw(br#","masked":true,"masking_key":"#);
                    line.key(key);
                }
                None => line.raw(br#","masked":false,"masking_key":null"#),
            }
            match header.length_form {
                LengthForm::Bits7 => line.raw(br#","length_form":7,"length":"#),
                LengthForm::Bits16 => line.raw(br#","length_form":16,"length":"#),
                LengthForm::Bits64 => line.raw(br#","length_form":64,"length":"#),
            }
            line.remember(&mut self.length, header.length);
            line.raw(br#","header_length":"#);
            line.number(header.header_length().into());
            line.raw(br#","captured":"#);
            line.recall(&self.length, frame.captured);
            if (frame.truncated, frame.missing, frame.inferred) == (false, 0, false) {
                line.raw(br#","truncated":false,"missing":0,"inferred":false"#);
            } else {
                line.raw(br#","truncated":"#);
                line.bool(frame.truncated);
                line.raw(br#","missing":"#);
                line.number(frame.missing);
                line.raw(br#","inferred":"#);
                line.bool(frame.inferred);
            }
        });
        self.payload(unit.conn, frame, text, w);
        finding_ids(unit, w);
    }

    /// `payload`, with its key.
    #[inline]
    fn payload<W: Write>(&mut self, conn: u32, frame: &Frame<'_>, text: Option<&str>, w: &mut Writer<W>) {
        if let Some(text) = text {
            w.raw(r#","payload":{"text":"#);
            self.text(conn, frame.n, text, w);
            w.raw("}");
        } else {
            self.unknown_payload(conn, frame, w);
        }
    }

    /// The frame's payload, which is text, where the message finds it again.
    #[inline]
    fn text<W: Write>(&mut self, conn: u32, n: u64, text: &str, w: &mut Writer<W>) {
        let mut is_plain = false;
        let mark = w.marking(|w| is_plain = w.string(text));
        self.last_text = Some(LastText { conn, n, length: text.len(), is_plain, mark });
    }

    /// The frame's payload, which is no text, where the message finds it again.
    fn bytes<W: Write>(&mut self, conn: u32, n: u64, shown: &[u8], w: &mut Writer<W>) {
        if shown.len() > KEPT {
            Base64(shown).put(w);
            return;
        }
        self.base64.resize(encoded(shown.len()), 0);
        encode(shown, &mut self.base64);
        w.encoded(&self.base64);
        self.last_base64 = Some(LastBase64 { conn, n, length: shown.len() });
    }

    fn unknown_payload<W: Write>(&mut self, conn: u32, frame: &Frame<'_>, w: &mut Writer<W>) {
        let shown = cut(frame.payload, self.payload);
        let shortened = (shown.len() as u64) < frame.captured;
        // A compressed payload is no text, even where its bytes happen to be.
        let textual = frame.of == Opcode::TEXT && !frame.compressed && !frame.header.rsv1;
        let holes = hole::among(frame.holes, shown.len());
        if let Some(text) = textual.then(|| text_of(shown, holes, shortened)).flatten() {
            w.raw(r#","payload":{"text":"#);
            self.text(conn, frame.n, text, w);
        } else {
            w.raw(r#","payload":{"base64":"#);
            self.bytes(conn, frame.n, shown, w);
        }
        holes_of(holes, w);
        if shortened {
            members!(w, "truncated": true);
        }
        w.raw("}");
    }

    /// `type` to `frame_count`, these only if it has one frame.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "only inlined does a line stay in registers")]
    fn message_head(&self, unit: &Unit<'_>, message: &Message<'_>, line: &mut Line<'_>) {
        line.raw(br#"{"type":"message","conn":"#);
        line.recall(&self.conn, unit.conn.into());
        line.raw(br#","m":"#);
        line.recall(&self.n, message.m);
        line.part(self.origin.text(), self.origin.length);
        match message.kind {
            Opcode::TEXT => line.raw(br#","kind":"text""#),
            Opcode::BINARY => line.raw(br#","kind":"binary""#),
            Opcode::CLOSE => line.raw(br#","kind":"close""#),
            Opcode::PING => line.raw(br#","kind":"ping""#),
            Opcode::PONG => line.raw(br#","kind":"pong""#),
            Opcode::CONTINUATION => line.raw(br#","kind":"continuation""#),
            _ => line.raw(br#","kind":"reserved""#),
        }
        if let ([n], 1) = (message.frames, message.frame_count) {
            line.raw(br#","frames":["#);
            line.recall(&self.n, *n);
            line.raw(br#"],"frame_count":1"#);
        }
    }

    /// The record of a message.
    pub fn message<W: Write>(&mut self, unit: &Unit<'_>, message: &Message<'_>, w: &mut Writer<W>) {
        if !self.origin.is_of(unit) {
            self.origin.become_of((unit.dir, unit.time, unit.packets), w);
        }
        w.line(|line| self.message_head(unit, message, line));
        if message.frame_count != 1 || message.frames.len() != 1 {
            members!(w, "frames": List(message.frames.iter().copied()), "frame_count": message.frame_count);
        }
        w.line(|line| content_head(message, &self.length, line));
        if let Some(close) = &message.close {
            close_body(close, w);
        }
        let (shown, shortened) = content(message, self.payload);
        let textual = is_text(message);
        let holes = hole::among(message.holes, shown.len());
        let last = self.last_text.take();
        let last = last.filter(|last| textual && last.is_content_of(unit.conn, message, shown));
        let last_base64 = self.last_base64.take();
        let last_base64 = last_base64.filter(|last| last.is_content_of(unit.conn, message, shown));
        if let Some(last) = last {
            w.raw(r#","text":"#);
            if !w.again(last.mark) {
                w.string(text_of(shown, holes, shortened).unwrap_or_default());
            }
        } else if let Some(text) = textual.then(|| text_of(shown, holes, shortened)).flatten() {
            members!(w, "text": text);
        } else {
            w.raw(r#","base64":"#);
            match last_base64 {
                Some(_) => w.encoded(&self.base64),
                None => Base64(shown).put(w),
            }
        }
        holes_of(holes, w);
        if shortened {
            members!(w, "payload_truncated": true);
        }
        match message.app {
            Some(app) => {
                w.raw(r#","app":"#);
                let plain = last.is_some_and(|last| last.is_plain).then_some(shown);
                meaning(app, plain, w);
            }
            None => w.raw(r#","app":null"#),
        }
        finding_ids(unit, w);
    }
}

/// The bytes of a message that are shown, and whether there are more.
#[inline]
fn content<'a>(message: &Message<'a>, limit: u64) -> (&'a [u8], bool) {
    let shown = cut(message.payload, limit);
    (shown, message.payload_cut || shown.len() < message.payload.len())
}

/// Whether what is shown of a message is text.
#[inline]
fn is_text(message: &Message<'_>) -> bool {
    let readable = !message.compressed || message.inflated_length.is_some();
    message.kind == Opcode::TEXT && readable && !matches!(message.utf8, Utf8::Invalid(_))
}

/// What is shown of a content.
#[cfg(feature = "parquet")]
pub(crate) struct Shown<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The same as text, where they are.
    pub text: Option<&'a str>,
    /// There are more of them.
    pub shortened: bool,
}

/// What is shown of a message's content, of which that is at most `limit` bytes.
#[cfg(feature = "parquet")]
pub(crate) fn shown<'a>(message: &Message<'a>, limit: u64) -> Shown<'a> {
    let (bytes, shortened) = content(message, limit);
    let holes = hole::among(message.holes, bytes.len());
    let text = if is_text(message) { text_of(bytes, holes, shortened) } else { None };
    Shown { bytes, text, shortened }
}

/// The same of a packet's.
#[cfg(feature = "parquet")]
pub(crate) fn shown_of_packet<'a>(packet: &AppPacket<'a>, limit: u64) -> Shown<'a> {
    let bytes = cut(packet.payload, limit);
    let shortened = (bytes.len() as u64) < packet.length;
    let text = if packet.text { as_text(bytes, shortened) } else { None };
    Shown { bytes, text, shortened }
}

/// `length` to `complete`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "only inlined does a line stay in registers")]
fn content_head(message: &Message<'_>, length: &Known, line: &mut Line<'_>) {
    line.raw(br#","length":"#);
    line.recall(length, message.length);
    if message.is_told() {
        // As it was told; how it was sent is not.
        line.raw(br#","compressed":null,"inflated_length":null,"complete":"#);
        line.bool(message.complete);
        return;
    }
    if message.complete && !message.compressed {
        line.raw(br#","compressed":false,"inflated_length":null,"complete":true"#);
        return;
    }
    line.raw(br#","compressed":"#);
    line.bool(message.compressed);
    line.raw(br#","inflated_length":"#);
    match message.inflated_length.filter(|_| message.compressed) {
        Some(length) => line.number(length),
        None => line.raw(b"null"),
    }
    line.raw(br#","complete":"#);
    line.bool(message.complete);
}

/// Whether the payload of a frame, by its connection, its number and what was shown of it, is the whole
/// content of `message`.
fn is_content((conn, n, length): (u32, u64, usize), of: u32, message: &Message<'_>, shown: &[u8]) -> bool {
    conn == of
        && message.frames == [n]
        && message.frame_count == 1
        && !message.compressed
        && length == shown.len()
}

impl LastText {
    fn is_content_of(&self, conn: u32, message: &Message<'_>, shown: &[u8]) -> bool {
        is_content((self.conn, self.n, self.length), conn, message, shown)
    }
}

/// The same of one that is no text.
#[derive(Clone, Copy, Debug)]
struct LastBase64 {
    conn: u32,
    n: u64,
    length: usize,
}

impl LastBase64 {
    fn is_content_of(&self, conn: u32, message: &Message<'_>, shown: &[u8]) -> bool {
        is_content((self.conn, self.n, self.length), conn, message, shown)
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

/// The keys from `fin` to `opcode_name`, and how long they are.
fn first_byte(byte: u8) -> ([u8; FIRST_BYTE], usize) {
    let opcode = Opcode(byte & 0xF);
    let said = format!(
        r#","fin":{},"rsv1":{},"rsv2":{},"rsv3":{},"opcode":{},"opcode_name":"{}""#,
        byte & 0x80 != 0,
        byte & 0x40 != 0,
        byte & 0x20 != 0,
        byte & 0x10 != 0,
        opcode.0,
        opcode.name()
    );
    let mut text = [0; FIRST_BYTE];
    text[..said.len()].copy_from_slice(said.as_bytes());
    (text, said.len())
}

fn first_byte_of(frame: &Frame<'_>) -> u8 {
    let header = &frame.header;
    u8::from(header.fin) << 7
        | u8::from(header.rsv1) << 6
        | u8::from(header.rsv2) << 5
        | u8::from(header.rsv3) << 4
        | (header.opcode.0 & 0xF)
}
