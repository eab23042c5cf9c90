//! What the application sees: one entry a message, frames folded.

use super::outline::{INDENT, Outline, PREVIEW};
use super::screen::{Layout, Screen};
use super::words::{count, opcode};
use super::{Options, app, verdicts};
use crate::model::{Body, Message, Opcode, Unit, Utf8, Wants};

/// Messages with their content, and what they mean.
pub type Messages<W> = Screen<MessagesLayout, W>;

/// See [`Messages`].
#[derive(Debug, Default)]
pub struct MessagesLayout;

impl Layout for MessagesLayout {
    fn wants(options: &Options) -> Wants {
        Wants { fields: false, payload: options.payload.unwrap_or(PREVIEW), app: true }
    }

    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>) {
        match unit.body {
            Body::Message(message) => {
                show(outline, unit, message);
                verdicts::show(&mut outline.page, unit);
            }
            Body::Packet(packet) => {
                let kind = if packet.text { "text" } else { "binary" };
                let length = count(packet.length, "byte");
                if unit.conn == 0 {
                    app::pasted(outline, unit, packet);
                } else {
                    outline.heading(unit, "packet", &format!("{kind}, {length}, by polling"));
                    app::details(outline, packet.app);
                }
                verdicts::show(&mut outline.page, unit);
            }
            // Frames and heads are what this view spares the reader, unless something is wrong with them.
            Body::Frame(frame) if !unit.findings.is_empty() => {
                outline.heading(unit, &format!("frame {}", frame.n), "");
                verdicts::show(&mut outline.page, unit);
            }
            Body::Http(_) if !unit.findings.is_empty() => outline.unit(unit),
            Body::Frame(_) | Body::Http(_) => {}
            _ => outline.unit(unit),
        }
    }
}

fn show(outline: &mut Outline, unit: &Unit<'_>, message: &Message<'_>) {
    let mut about = format!("{}, {}", opcode(message.kind), count(message.length, "byte"));
    if let Some(inflated) = message.inflated_length {
        about = format!("{about} compressed, {} inflated", count(inflated, "byte"));
    }
    if message.frame_count > 1 {
        about = format!("{about} in {}", count(message.frame_count, "frame"));
    }
    if !message.complete {
        about.push_str(", incomplete");
    }
    outline.heading(unit, &format!("message {}", message.m), &about);
    if let Some(close) = &message.close {
        if let Some(code) = close.code {
            outline.say(super::style::Ink::Plain, &super::words::close_code(code));
        }
        outline.payload(close.reason, close.reason.len() as u64, true, INDENT);
        return;
    }
    match message.app {
        Some(it) if !it.fields.is_empty() => app::details(outline, it),
        _ => {
            let text = message.kind == Opcode::TEXT || message.utf8 == Utf8::Valid;
            let length = message.inflated_length.unwrap_or(message.length);
            let length = if message.payload_cut { length } else { message.payload.len() as u64 };
            outline.payload(message.payload, length, text, INDENT);
        }
    }
}
