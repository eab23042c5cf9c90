//! A peer that does not take off masks: what it sends back is as it was on the wire.

use super::payload::{STILL_MASKED, hex};
use super::scene::{Framed, Scene};
use crate::model::{Opcode, Text};

/// A frame that came back with its mask still on, if one did. Close frames count: what is in them is as much
/// of a proof as a message, and whoever sends that back breaks rules which are not the mistake.
pub fn kept(scene: &Scene) -> Option<Text> {
    let sent = scene.came.iter().find_map(|came| scene.sent.iter().find(|sent| is_raw(scene, sent, came)))?;
    Some(Text::with(STILL_MASKED, hex(&sent.header.masking_key?)))
}

/// Whether what came is what was sent, mask and all.
fn is_raw(scene: &Scene, sent: &Framed, came: &Framed) -> bool {
    let opcode = match sent.header.opcode {
        Opcode::PING => Opcode::PONG,
        opcode => opcode,
    };
    // A byte or two of a message may be anything by chance; a Close frame comes but once.
    let least = if opcode == Opcode::CLOSE { 2 } else { 3 };
    let [raw, back] = [&scene.ours[sent.payload.clone()], &scene.theirs[came.payload.clone()]];
    back.len() >= least
        && came.header.masking_key.is_none()
        && (came.header.opcode, came.header.length) == (opcode, sent.header.length)
        && raw.starts_with(back)
        && !scene.plain(sent).starts_with(back)
}
