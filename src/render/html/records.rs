//! A unit, and the record of it that a page draws.

use std::fmt;

use super::blocks::Blocks;
use super::known::Known;
use super::shown::words;
use super::wire::{W, hex, hex_of};
use crate::cause::Head;
use crate::model::{Body, Flow, Frame, ON, Sink, Unit, Wants, hole};
use crate::render::head::{self, Depth};
use crate::render::json::value::{List, ToJson, Word, members, open, with};
use crate::render::json::write::Writer;
use crate::render::outline::{Outline, PREVIEW, looked_into};
use crate::render::stats::{Piece, Stats};
use crate::render::{Options, app, frames, messages, tree, verdicts};

/// Makes records of units: a line of JSON each, with what the outline says of it in blocks and the bytes that
/// it is about. `js/` draws them, from a page of their own or as they arrive.
///
/// A record says each kind of field, and each form of a header, in full when it comes for the first time; the
/// others refer to that by number. Who joins later is given [`Records::known`] first.
///
/// ```
/// use wstool::model::{Body, Meta, Unit};
/// use wstool::render::{Options, html::Records};
///
/// let mut records = Records::new(&Options::default());
/// let meta = Meta { input: "<img>".into(), format: "hex".into(), ..Meta::default() };
/// let record = records.of(&Unit::about_input(Body::Meta(&meta))).unwrap();
/// assert!(record.starts_with(r#"{"type":"meta","#) && record.contains(r#""what":"<img>""#));
/// ```
pub struct Records {
    outline: Outline,
    known: Known,
    options: Options,
    w: W,
    /// The record that was made last.
    last: String,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Records {
    /// For readers of one language, with times told in one way. Of each payload a record holds as much as
    /// [`Options::payload`] says, or else 2 KiB.
    pub fn new(options: &Options) -> Self {
        Self {
            outline: Outline::new(options),
            known: Known::new(options.lang),
            options: *options,
            w: Writer::new(Vec::new()),
            last: String::new(),
        }
    }

    /// What a decoder has to look into for them.
    pub fn wants(&self) -> Wants {
        Wants { app: true, ..looked_into(&self.options) }
    }

    /// The record of a unit: one line of JSON, without its end; `None` where there is nothing to say.
    ///
    /// What it says belongs to the record of the same connection before it if it has `"under": true`.
    pub fn of(&mut self, unit: &Unit<'_>) -> Option<&str> {
        let Self { outline, known, w, last, .. } = self;
        open!(w, "type": Word(kind(&unit.body)), "conn": unit.conn);
        if let Some(dir) = unit.dir {
            members!(w, "dir": dir);
        }
        if let Some(time) = unit.time {
            members!(w, "t": time);
        }
        members!(w, "worst": verdicts::worst(unit));
        match unit.body {
            Body::Frame(frame) => {
                members!(w, "n": frame.n, "op": frame.header.opcode.name());
                bytes(frame, w);
                let shape = known.shape(frame);
                members!(w, "shape": shape);
            }
            Body::Message(message) => {
                members!(w, "n": message.m, "op": message.kind.name());
            }
            Body::Http(head) if !head.bytes.is_empty() => {
                members!(w, "bytes": with(|w: &mut W| hex(head.bytes, w)), "length": head.extent.head);
            }
            Body::Opening(opening) if opening.layer.is_some() => {
                let shown = &opening.bytes[..opening.bytes.len().min(PREVIEW as usize)];
                members!(w, "bytes": with(|w: &mut W| hex(shown, w)), "length": opening.length);
            }
            // Where it stands in what was sent is told by its beginning alone: chunks may be in between.
            Body::Packet(packet) if packet.streamed.is_some() && unit.conn > 0 => {
                members!(w, "bytes": with(|w: &mut W| hex(packet.payload, w)), "length": packet.length);
            }
            Body::Connection(connection) => {
                members!(w, "over": connection.ending.is_some());
            }
            _ => {}
        }
        w.raw(",\"blocks\":[");
        let mut blocks = Blocks::new(w, outline.lang(), known, Some(unit));
        match unit.body {
            // Pasted, to be explained from beginning to end.
            Body::Packet(_) if unit.conn == 0 => messages::say(outline, unit, &mut blocks),
            _ => tree::say(outline, unit, &mut blocks),
        }
        // There is room for what a packet holds.
        let app = match unit.body {
            Body::Message(message) => message.app,
            Body::Packet(packet) if unit.conn > 0 => Some(packet.app),
            _ => None,
        };
        if let Some(app) = app {
            app::contents(outline.lang(), app, &mut blocks);
        }
        let is_headed = blocks.end();
        w.raw("]");
        if is_headed == Some(false) {
            members!(w, "under": true);
        }
        if is_headed.is_some() {
            known.tell_new(w);
        }
        w.raw("}");
        *last = taken(w);
        is_headed.is_some().then_some(&**last)
    }

    /// What records so far have said once and for all, as a record: for who has not seen them.
    pub fn known(&mut self) -> &str {
        open!(self.w, "type": "known");
        self.known.tell_all(&mut self.w);
        self.w.raw("}");
        self.last = taken(&mut self.w);
        &self.last
    }

    /// The record of what an input came to: what went wrong, worst first, and how its connections ended.
    pub fn head(&mut self, head: &Head) -> &str {
        let Self { outline, known, options, w, last } = self;
        open!(w, "type": "head");
        w.raw(",\"blocks\":[");
        let mut blocks = Blocks::new(w, outline.lang(), known, None);
        head::say(head, options, Depth::Full, &mut blocks);
        w.raw("]}");
        *last = taken(w);
        last
    }

    /// The record of what was counted: words, tables, and how much there was when.
    pub fn stats(&mut self, stats: &Stats) -> &str {
        let Self { outline, w, last, .. } = self;
        open!(w, "type": "stats");
        w.raw(",\"pieces\":[");
        for (place, piece) in stats.pieces(outline.lang()).into_iter().enumerate() {
            if place > 0 {
                w.raw(",");
            }
            self::piece(piece, w);
        }
        w.raw("]}");
        *last = taken(w);
        last
    }
}

/// A part of what was counted.
fn piece(piece: Piece, w: &mut W) {
    let shown = |text: String| with(move |w: &mut W| (&*words(&text)).put(w));
    match piece {
        Piece::Lines(lines) => {
            let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
            open!(w, "lines": List(lines.map(str::to_owned).map(shown)));
        }
        Piece::Table { rows, labels } => {
            let rows = rows.into_iter().map(|row| List(row.into_iter().map(shown)));
            open!(w, "labels": labels, "rows": List(rows));
        }
        Piece::Course { name, numbers } => {
            open!(w, "name": name, "numbers": List(numbers));
        }
    }
    w.raw("}");
}

fn taken(w: &mut W) -> String {
    // All that is written is text.
    String::from_utf8(w.take()).unwrap_or_default()
}

/// What a unit is, in a word.
fn kind(body: &Body<'_>) -> &'static str {
    match body {
        Body::Meta(_) => "meta",
        Body::File(_) => "file",
        Body::Connection(_) => "connection",
        Body::Http(_) => "http",
        Body::Opening(_) => "opening",
        Body::Frame(_) => "frame",
        Body::Message(_) => "message",
        Body::Packet(_) => "packet",
        Body::Session(_) => "session",
        Body::Judgement(_) => "judgement",
        Body::Gap(_) => "gap",
        Body::Note => "note",
        Body::Summary(_) => "summary",
    }
}

/// The bytes of a frame as they are on the wire, as far as they are at hand, and how they are unmasked; a
/// byte that is lost is `??`.
fn bytes(frame: &Frame<'_>, w: &mut W) {
    let header = u64::from(frame.header.header_length());
    let payload = frame.payload.len() as u64;
    let holes = hole::missing(hole::among(frame.holes, frame.payload.len()));
    let at_hand = header + (payload + holes).min(payload.max(PREVIEW));
    w.named(false, "bytes");
    hex_of((0..at_hand).map(|at| frames::wire_byte(frame, at)), w);
    members!(w, "header": header, "length": header.saturating_add(frame.header.length));
    if let Some(key) = frame.header.masking_key {
        members!(w, "key": with(|w: &mut W| hex(&key, w)));
    }
}

/// Makes a record of each unit and hands it on: for a decoder that works while somebody looks on.
pub struct Told<F> {
    records: Records,
    to: F,
}

impl<F: FnMut(&str) -> Flow> Told<F> {
    /// Records go to `to`, one call each, until it has had enough.
    pub fn new(records: Records, to: F) -> Self {
        Self { records, to }
    }

    /// The records.
    pub fn records(&mut self) -> &mut Records {
        &mut self.records
    }
}

impl<F> fmt::Debug for Told<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").field("records", &self.records).finish_non_exhaustive()
    }
}

impl<F: FnMut(&str) -> Flow> Sink for Told<F> {
    fn wants(&self) -> Wants {
        self.records.wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.records.of(unit).map_or(ON, &mut self.to)
    }
}
