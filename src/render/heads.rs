//! The head of an HTTP message: each header field with the verdict on it.

use super::escape::whole_characters;
use super::outline::Outline;
use super::said::{Block, Payload, Run, Setter, Words};
use super::style::Ink;
use crate::coding::{Codings, Plain, Stop};
use crate::limits;
use crate::model::quantity::grouped;
use crate::model::{Dir, Field, Header, HttpHead, Text, Unit, Verdict};

/// Says the head: start line, header fields, the first of the body.
pub fn say(outline: &mut Outline, unit: &Unit<'_>, head: &HttpHead<'_>, to: &mut dyn Setter) {
    heading(outline, unit, head, to);
    let lang = outline.lang();
    to.set(Block::StartLine(head.start_line));
    for field in unit.fields.iter().filter(|field| tells_more(field, head)) {
        let meaning = lang.say(&field.meaning);
        let (label, colon) = (lang.words(field.def.label), lang.words(": "));
        let runs =
            [Run::whole(Ink::Plain, label), Run::whole(Ink::Plain, colon), Run::text(Ink::Faint, &meaning)];
        to.set(Block::Words(Words { level: 2, hangs: true, runs: &runs }));
    }
    to.set(Block::Headers(head.headers));
    if !head.body.is_empty() {
        let codings = Codings::of_head(head);
        let plain = codings.plain(head.body, limits::HTTP_BODY_PREVIEW);
        // What cannot be decoded is shown as it came.
        let bytes = if plain.bytes.is_empty() { head.body } else { &plain.bytes };
        body(outline, &about_body(codings, head.body, &plain), to);
        let text = str::from_utf8(whole_characters(bytes)).is_ok();
        to.set(Block::Payload { payload: Payload::whole(bytes, text), level: 2 });
    }
}

/// The words above a body as it came.
pub fn coded(outline: &Outline, to: &mut dyn Setter) {
    body(outline, &Text::new("body"), to);
}

fn body(outline: &Outline, about: &Text, to: &mut dyn Setter) {
    let about = outline.lang().say(about);
    let word = Run::whole(Ink::Faint, &about);
    to.set(Block::Words(Words { level: 1, hangs: false, runs: &[word] }));
}

/// What a body is, with what is around it.
fn about_body(codings: Codings, came: &[u8], plain: &Plain<'_>) -> Text {
    if codings.is_none() {
        return Text::new("body");
    }
    let came = grouped(came.len() as u64);
    let decoded = grouped(plain.bytes.len() as u64);
    match plain.stop {
        Some(Stop::Unread) => Text::with("body, {} bytes, in a content coding that is not read", came),
        Some(_) if plain.bytes.is_empty() => {
            Text::with("body, {} bytes that are not {}, as is said", came).and(codings)
        }
        stop if plain.is_cut || stop.is_some() => {
            Text::with("body, {}, {} bytes, the first {} decoded", codings).and(came).and(decoded)
        }
        _ => Text::with("body, {}, {} bytes, {} decoded", codings).and(came).and(decoded),
    }
}

/// The block's first line.
pub fn heading(outline: &mut Outline, unit: &Unit<'_>, head: &HttpHead<'_>, to: &mut dyn Setter) {
    let what = if is_response(unit, head) { "response" } else { "request" };
    let about = if head.complete { "" } else { outline.lang().words("incomplete") };
    outline.heading(unit, outline.lang().words(what), about, to);
}

/// A verdict's colour and mark; the marks differ without colour too.
pub fn verdict(verdict: Verdict) -> (Ink, &'static str) {
    match verdict {
        Verdict::Ok => (Ink::Good, "✓"),
        Verdict::Warning => (Ink::Warning, "!"),
        Verdict::Broken => (Ink::Error, "✗"),
        Verdict::Irrelevant => (Ink::Faint, "·"),
    }
}

/// Whether a field says something that the start line and the headers do not.
fn tells_more(field: &Field, head: &HttpHead<'_>) -> bool {
    let overlaps =
        |header: &Header<'_>| [header.name_at, header.value_at].iter().any(|at| at.overlaps(&field.span));
    !field.meaning.is_empty() && !head.headers.iter().any(overlaps)
}

fn is_response(unit: &Unit<'_>, head: &HttpHead<'_>) -> bool {
    head.start_line.starts_with("HTTP/") || unit.dir == Some(Dir::Server)
}
