//! Requests and replies that the user's keys tie, in what Engine.IO and Socket.IO carry.

use crate::app::glance::Glance;
use crate::app::keys::Matched;
use crate::app::{Said, socketio};
use crate::model::json::Json;
use crate::model::{App, Dir, Message, Opcode, SourceId, Unit};

/// A message as those take it who read what it says.
pub(super) fn said<'a>(dir: Dir, unit: &Unit<'a>, message: &Message<'a>, source: SourceId) -> Said<'a> {
    Said {
        dir,
        text: message.kind == Opcode::TEXT,
        bytes: message.payload,
        content: message.text.filter(|text| text.len() == message.payload.len()),
        glance: Glance::None,
        length: message.inflated_length.unwrap_or(message.length),
        source,
        sources: unit.sources,
        time: unit.time,
        packets: unit.packets,
        agreed: false,
        known: false,
    }
}

/// What a packet of Engine.IO answers by the keys of the user, if its data has one of them: as a whole, or
/// the first object among the arguments of an event or acknowledgement of Socket.IO.
pub(super) fn tie(said: &Said<'_>, matched: &mut Matched, app: &mut App) {
    let Some(text) = said.as_text() else { return };
    let json = match socketio::read(text) {
        Ok(packet) if !packet.data.is_empty() => packet.data,
        _ => text,
    };
    let argument = match Json::read(json) {
        Some(Json::Array(parts)) => parts.into_iter().find(|part| part.starts_with('{')),
        _ => None,
    };
    for json in [Some(json), argument].into_iter().flatten() {
        if let Some(answers) = matched.read(&said.of(json)) {
            app.answers = answers;
            return;
        }
    }
}
