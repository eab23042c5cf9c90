//! Messages that somebody tells of: whole, unmasked and inflated, and without frames to judge.

use super::close;
use super::conversation::Conversation;
use crate::model::{At, Body, CloseCode, Flow, Message, Opcode, Out, ToldMessage, Unit, Utf8};

impl Conversation {
    /// A message, or what a control frame carried. No frame is told of it, and no rule of
    /// frames is held against it.
    pub fn told(&mut self, told: &ToldMessage<'_>, at: At, out: &mut Out<'_>) -> Flow {
        let ToldMessage { dir, kind, content, length } = *told;
        let Self { halves, shared } = self;
        shared.aftermath.sent(dir);
        shared.next_m += 1;
        if kind == Opcode::CLOSE {
            shared.aftermath.is_told_close(dir, close::parse(content), shared.next_m, at.time);
        } else if !kind.is_control() {
            shared.hear(dir, at.time);
            shared.measure(dir, length);
        }
        let counts = &mut halves[dir.index()].counts;
        counts.messages += 1;
        counts.bytes += length;
        counts.payload_bytes += length;
        let wanted = usize::try_from(out.wants().payload).unwrap_or(usize::MAX);
        let kept = &content[..content.len().min(if kind.is_control() { content.len() } else { wanted })];
        let text = (kind == Opcode::TEXT).then(|| super::utf8::text(content)).flatten();
        let message = Message {
            m: shared.next_m,
            kind,
            frames: &[],
            frame_count: 0,
            length,
            compressed: false,
            inflated_length: None,
            from_earlier: None,
            complete: content.len() as u64 == length,
            in_doubt: false,
            payload: kept,
            holes: &[],
            text: text.filter(|_| content.len() as u64 == length),
            payload_cut: (kept.len() as u64) < length,
            utf8: if text.is_some() { Utf8::Valid } else { Utf8::Unchecked },
            close: (kind == Opcode::CLOSE).then(|| close::parse(content)),
            app: None,
        };
        out.emit(&Unit { dir: Some(dir), ..Unit::of(shared.conn, Body::Message(&message)).at(at) })
    }

    /// The code of a Close frame of which nobody says who sent it.
    pub fn is_told_code(&mut self, code: CloseCode) {
        self.shared.aftermath.is_told_code(code);
    }
}
