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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Dir;
    use crate::model::grade::WirePiece;

    /// What is said where a client sends this, and that comes back.
    fn said(sent: &[u8], came: &[u8]) -> bool {
        let piece = |from, bytes: &[u8]| WirePiece { from, after: Duration::ZERO, bytes: bytes.to_vec() };
        kept(&Scene::of(Dir::Client, &[piece(Dir::Client, sent), piece(Dir::Server, came)])).is_some()
    }

    #[test]
    fn only_what_is_still_masked_is_told() {
        let key = [1, 2, 3, 4];
        let [hello, raw] = [b"abcd", b"````"].map(|bytes| bytes.to_vec());
        assert_eq!(hello.iter().zip(key).map(|(byte, key)| byte ^ key).collect::<Vec<_>>(), raw);
        let frame = |first: u8, key: [u8; 4], payload: &[u8]| {
            let masked = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
            [&[first, 0x80 | payload.len() as u8][..], &key, &masked.collect::<Vec<_>>()].concat()
        };
        let text = frame(0x81, key, &hello);
        assert!(said(&text, b"\x81\x04````"));
        assert!(said(&frame(0x89, key, &hello), b"\x8a\x04````"), "a pong");
        assert!(said(&frame(0x88, key, &[3, 0xE8]), b"\x88\x02\x02\xea"), "a Close frame");
        for (sent, came, why) in [
            (&text, &b"\x81\x04abcd"[..], "it is right"),
            (&text, &b"\x82\x04````"[..], "it is another message"),
            (&text, &b"\x81\x03```"[..], "it is cut"),
            (&text, &text[..], "it is masked, and says so"),
            (&frame(0x81, [0; 4], &hello), b"\x81\x04abcd", "a key of zeros changes nothing"),
            (&frame(0x81, key, b"ab"), b"\x81\x02``", "two bytes may be anything"),
            (&frame(0x88, key, &[3, 0xE8]), b"\x88\x02\x03\xea", "another code"),
        ] {
            assert!(!said(sent, came), "{why}");
        }
    }
}
