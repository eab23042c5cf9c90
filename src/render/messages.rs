//! What the application sees: one entry a message, frames folded.

use super::choice::Choice;
use super::json::Scope;
use super::outline::{Outline, PREVIEW};
use super::page::Page;
use super::said::{self, Block, Payload, Setter};
use super::screen::{Layout, Screen};
use super::style::Ink;
use super::words::{BYTES, FRAMES, close_code, count, joined, opcode};
use super::{Options, app, verdicts};
use crate::model::{Body, Message, Opcode, Unit, Utf8, Wants, hole};

/// Messages with their content, and what they mean.
pub type Messages<W> = Screen<MessagesLayout, W>;

/// See [`Messages`].
#[derive(Debug, Default)]
pub struct MessagesLayout;

/// Its place in the list of views.
pub static VIEW: Choice = Choice::of::<MessagesLayout>(
    "messages",
    "What the application sees: messages with their content, frames folded",
    Scope::Messages,
);

impl Layout for MessagesLayout {
    fn wants(options: &Options) -> Wants {
        Wants {
            fields: false,
            payload: options.payload.unwrap_or(PREVIEW),
            app: true,
            causes: true,
            ..Wants::NOTHING
        }
    }

    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>, page: &mut Page) {
        say(outline, unit, page);
    }
}

/// Says a unit, if the application sees it or something is wrong with it.
pub fn say(outline: &mut Outline, unit: &Unit<'_>, to: &mut dyn Setter) {
    match unit.body {
        Body::Message(it) => {
            message(outline, unit, it, to);
            verdicts::say(outline, unit, to);
        }
        Body::Packet(packet) => {
            if unit.conn == 0 {
                app::pasted(outline, unit, packet, to);
            } else {
                app::packet_in_full(outline, unit, packet, to);
            }
            verdicts::say(outline, unit, to);
        }
        // Frames and heads are what this view spares the reader, unless something is wrong with them.
        Body::Frame(frame) if !unit.findings.is_empty() => {
            outline.heading(unit, &outline.lang().fill("frame {}", &[&frame.n]), "", to);
            verdicts::say(outline, unit, to);
        }
        Body::Http(_) if !unit.findings.is_empty() => outline.unit(unit, to),
        Body::Frame(_) | Body::Http(_) => {}
        // So are the handshake of TLS and the frames of HTTP/2.
        Body::Opening(opening) if opening.layer.is_some() && unit.findings.is_empty() => {}
        _ => outline.unit(unit, to),
    }
}

fn message(outline: &mut Outline, unit: &Unit<'_>, message: &Message<'_>, to: &mut dyn Setter) {
    let lang = outline.lang();
    let mut length = count(lang, message.length, BYTES);
    if let Some(inflated) = message.inflated_length {
        length = lang.fill("{} compressed, {} inflated", &[&length, &count(lang, inflated, BYTES)]);
    }
    if message.frame_count > 1 {
        length = lang.fill("{} in {}", &[&length, &count(lang, message.frame_count, FRAMES)]);
    }
    let incomplete = if message.complete { "" } else { lang.words("incomplete") };
    let about = joined(lang, &[opcode(lang, message.kind).into_owned(), length, incomplete.to_owned()]);
    outline.heading(unit, &lang.fill("message {}", &[&message.m]), &about, to);
    if let Some(close) = &message.close {
        if let Some(code) = close.code {
            said::say(Ink::Plain, &close_code(lang, code), to);
        }
        to.set(Block::Payload { payload: Payload::whole(close.reason, true), level: 1 });
        return;
    }
    match message.app {
        Some(it) if !it.fields.is_empty() || !it.packets.is_empty() => app::details(lang, it, to),
        it => {
            if let Some(it) = it {
                app::line(lang, it, to);
            }
            // Only what was not inflated has holes.
            let as_bytes = message.compressed && !message.holes.is_empty();
            let text = message.kind == Opcode::TEXT && !as_bytes || message.utf8 == Utf8::Valid;
            let length = message.inflated_length.unwrap_or(message.length);
            let at_hand = message.payload.len() as u64 + hole::missing(message.holes);
            let length = if message.payload_cut { length } else { at_hand };
            let (bytes, holes) = (message.payload, message.holes);
            let payload = Payload { bytes, holes, length, declared: length, text };
            to.set(Block::Payload { payload, level: 1 });
        }
    }
}
