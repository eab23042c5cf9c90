//! Requests and replies that the user's keys tie, in what Engine.IO and Socket.IO carry.

use std::sync::Arc;

use super::body::Carried;
use super::table::Table;
use crate::app::keys::{Keys, Matched};
use crate::app::{Said, socketio};
use crate::model::json::Json;
use crate::model::{App, Dir, Message, Opcode, SourceId, Unit};

/// A message as those take it who read what it says.
pub(super) fn said<'a>(dir: Dir, unit: &Unit<'a>, message: &Message<'a>, source: SourceId) -> Said<'a> {
    Said {
        content: message.text.filter(|text| text.len() == message.payload.len()),
        length: message.inflated_length.unwrap_or(message.length),
        sources: unit.sources,
        time: unit.time,
        packets: unit.packets,
        ..Said::new(dir, message.kind == Opcode::TEXT, message.payload, source)
    }
}

/// What a packet that came in a body answers by the keys of the user.
pub(super) fn tie_carried(
    keys: &Arc<Keys>,
    (dir, unit): (Dir, &Unit<'_>),
    packet: &mut Carried,
    table: &mut Table,
) {
    let number = packet.app.session.as_ref().map(|session| session.number);
    let Some(session) = number.and_then(|number| table.of(number)).filter(|_| !packet.binary) else { return };
    let Ok(text) = str::from_utf8(&packet.data) else { return };
    // Behind the packet's type.
    let Some(text) = text.get(1..) else { return };
    let source = SourceId::Body { conn: unit.conn, dir, n: 0 };
    let said = Said {
        content: Some(text),
        time: unit.time,
        packets: unit.packets,
        ..Said::new(dir, true, text.as_bytes(), source)
    };
    let matched = session.matched.get_or_insert_with(|| Matched::new(keys.clone()).into());
    tie(&said, matched, &mut packet.app);
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
        if let Some(answers) = matched.read(&said.of(json), None) {
            app.answers = answers;
            return;
        }
    }
}
