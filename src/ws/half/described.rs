//! What those who look at fields are told of a frame that goes the short way.

use crate::model::{At, Body, Field, Flow, Message, Out, Piece, Source, SourceId, Span, Unit};
use crate::ws::describe;

/// Fields and sources of the frame and the message at hand: their room is used again for the next.
#[derive(Debug, Default)]
pub struct Described {
    fields: Vec<Field>,
    frame: Vec<Source>,
    message: Vec<Source>,
}

impl Described {
    /// Tells a frame and the message that it carries as a whole, with what they consist of. `unit` is the
    /// frame's, which stands in `source` and came in one packet, from the byte that `at` says.
    pub fn tell(
        &mut self,
        unit: &Unit<'_>,
        message: &Message<'_>,
        source: SourceId,
        at: At,
        out: &mut Out<'_>,
    ) -> Flow {
        let (Body::Frame(frame), Some(dir)) = (unit.body, unit.dir) else { return out.emit(unit) };
        self.fields.clear();
        describe::frame(frame, source, dir, &mut self.fields);
        let head = frame.head.len() as u64;
        let payload = Span::bytes(source, frame.offset + head, frame.captured);
        let piece = |from: u64, len| Piece {
            offset: frame.offset + from,
            len,
            packet: at.packet,
            byte: at.byte.saturating_add(from as u32),
        };
        let pieces = [piece(0, head), piece(head, frame.captured)];
        let known = match (at.packet, frame.captured) {
            (0, _) => 0,
            (_, 0) => 1,
            _ => 2,
        };
        describe::frame_sources(frame, unit.conn, source, &pieces[..known], &mut self.frame);
        describe::message_sources(&[payload], message.m, unit.conn, source, false, &mut self.message);
        out.emit(&Unit { fields: &self.fields, sources: &self.frame, ..*unit })?;
        out.emit(&Unit { body: Body::Message(message), sources: &self.message, ..*unit })
    }
}
