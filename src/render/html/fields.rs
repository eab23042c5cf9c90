//! Fields, header fields and payloads: what has a place in the bytes of a unit.

use super::blocks::Blocks;
use super::shown::{data, words};
use super::wire::{W, hex, in_bytes};
use crate::model::{Header, Part, hole};
use crate::render::json::value::{members, open, with};
use crate::render::said::{Payload, Row, RowValue};
use crate::render::words::{BYTES, MORE_BYTES, count};
use crate::render::{frames, hexdump};

impl Blocks<'_> {
    /// Writes a payload as a member of an object that has some.
    pub(super) fn payload(&mut self, key: &'static str, payload: &Payload<'_>) {
        let lang = self.lang;
        let mut at_hand = 0;
        self.w.named(false, key);
        self.w.raw("{\"parts\":[");
        for (place, part) in hole::parts(payload.bytes, payload.holes).enumerate() {
            if place > 0 {
                self.w.raw(",");
            }
            match part {
                Part::Hole(hole) => {
                    at_hand += hole.length;
                    open!(self.w, "lost": &*words(&frames::missing(lang, hole)));
                }
                Part::Bytes(_, bytes) if payload.text => {
                    at_hand += bytes.len() as u64;
                    open!(self.w, "text": &*data(bytes));
                }
                Part::Bytes(from, bytes) => {
                    at_hand += bytes.len() as u64;
                    open!(self.w, "hex": with(|w: &mut W| hex(bytes, w)), "from": from);
                }
            }
            self.w.raw("}");
        }
        self.w.raw("]");
        let left = payload.length.saturating_sub(at_hand);
        if left > 0 {
            let left = format!("… {}", count(lang, left, MORE_BYTES));
            members!(self.w, "left": &*left);
        }
        self.w.raw("}");
    }

    /// Writes a field of a frame.
    pub(super) fn row(&mut self, row: &Row<'_>) {
        let lang = self.lang;
        let def = self.known.def(row.label, row.help, row.cite);
        open!(self.w, "k": "row", "d": def);
        // Some bits of one byte, or whole bytes.
        if let Some((first, last)) = row.place {
            let [mask, _] = row.bits.code().to_be_bytes();
            let at = match u64::from(mask.leading_zeros()) {
                8 => (first * 8, last.saturating_add(1).saturating_mul(8)),
                skipped => (first * 8 + skipped, first * 8 + 8 - u64::from(mask.trailing_zeros())),
            };
            members!(self.w, "at": at);
        }
        match &row.value {
            RowValue::Number(figure) => {
                members!(self.w, "v": figure.digits().as_str());
            }
            RowValue::Text(text) | RowValue::Plain(text) => {
                members!(self.w, "v": &*data(text.as_bytes()));
            }
            RowValue::Bytes(bytes, length) => {
                let more = if (bytes.len() as u64) < *length { " …" } else { "" };
                members!(self.w, "v": &*(hexdump::pairs(bytes) + more));
            }
            RowValue::Payload(payload, _) => {
                let told = count(lang, payload.declared, BYTES);
                members!(self.w, "v": &*told);
                self.payload("payload", payload);
            }
        }
        let meaning = lang.say(row.meaning);
        if !meaning.is_empty() {
            members!(self.w, "m": &*words(&meaning));
        }
        if row.depth > 0 {
            members!(self.w, "depth": row.depth);
        }
        if let Some(severity) = row.blamed {
            members!(self.w, "blamed": severity);
        }
        self.w.raw("}");
    }

    /// Writes the header fields of HTTP.
    pub(super) fn headers(&mut self, headers: &[Header<'_>]) {
        let (unit, lang) = (self.unit, self.lang);
        open!(self.w, "k": "headers");
        self.w.named(false, "h");
        self.w.raw("[");
        for (place, header) in headers.iter().enumerate() {
            if place > 0 {
                self.w.raw(",");
            }
            // What a field of this name is for, where that is known.
            let at = [header.name_at, header.value_at];
            let fields = unit.map_or(&[][..], |unit| unit.fields);
            let known = fields.iter().find(|field| at.iter().any(|at| at.overlaps(&field.span)));
            let def = known.map(|it| self.known.def(it.def.label, it.def.help, it.def.cite));
            open!(
                self.w,
                "name": &*data(header.name.as_bytes()),
                "v": &*data(header.value.as_bytes()),
                "verdict": header.verdict,
            );
            let meaning = lang.say(&header.meaning);
            if !meaning.is_empty() {
                members!(self.w, "m": &*words(&meaning));
            }
            if let Some(def) = def {
                members!(self.w, "d": def);
            }
            let [name, value] = at.map(|span| unit.and_then(|unit| in_bytes(unit, span)));
            if let Some(((start, _), (_, end))) = name.zip(value.or(name)) {
                members!(self.w, "at": (start, end));
            }
            self.w.raw("}");
        }
        self.w.raw("]}");
    }
}
