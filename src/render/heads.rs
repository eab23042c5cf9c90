//! The head of an HTTP message: each header field with the verdict on it.

use super::escape::whole_characters;
use super::outline::Outline;
use super::said::{Block, Payload, Run, Setter, Words};
use super::style::Ink;
use crate::model::{Dir, Field, Header, HttpHead, Unit, Verdict};

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
        body(outline, to);
        let text = str::from_utf8(whole_characters(head.body)).is_ok();
        to.set(Block::Payload { payload: Payload::whole(head.body, text), level: 2 });
    }
}

/// The word above a body.
pub fn body(outline: &Outline, to: &mut dyn Setter) {
    let word = Run::whole(Ink::Faint, outline.lang().words("body"));
    to.set(Block::Words(Words { level: 1, hangs: false, runs: &[word] }));
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
