//! A peer that does not take off masks: what it sends back is as it was on the wire. Or that puts none on:
//! what it sends back is so on the wire, behind a key.

use std::collections::HashMap;

use super::payload::{NOT_MASKED, STILL_MASKED, hex};
use super::scene::{Framed, Scene};
use crate::model::{Opcode, Text};

/// A frame that came back with its mask still on, or with none where it should have one, if one did. Close
/// frames count: what is in them is as much of a proof as a message, and whoever sends that back breaks rules
/// which are not the mistake.
pub fn kept(scene: &Scene) -> Option<Text> {
    // There may be thousands of frames each way: each is looked at once.
    let mut sent: HashMap<(Opcode, &[u8]), &Framed> = HashMap::new();
    for frame in &scene.sent {
        let opcode = match frame.header.opcode {
            Opcode::PING => Opcode::PONG,
            opcode => opcode,
        };
        sent.entry((opcode, &scene.ours[frame.payload.clone()])).or_insert(frame);
    }
    scene.came.iter().find_map(|came| {
        let back = &scene.theirs[came.payload.clone()];
        let opcode = came.header.opcode;
        // A byte or two of a message may be anything by chance; a Close frame comes but once.
        let least = if opcode == Opcode::CLOSE { 2 } else { 3 };
        let sent = sent.get(&(opcode, back)).filter(|_| back.len() >= least)?;
        if came.header.length != sent.header.length {
            return None;
        }
        match (sent.header.masking_key, came.header.masking_key) {
            (Some(key), None) if scene.plain(sent) != back => Some(Text::with(STILL_MASKED, hex(&key))),
            (None, Some(_)) if scene.theirs(came) != back => Some(NOT_MASKED.into()),
            _ => None,
        }
    })
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

    /// Pings without an end are answered, and all that was kept of them is looked at.
    #[test]
    fn many_frames_take_no_time() {
        let piece = |from, bytes: Vec<u8>| WirePiece { from, after: Duration::ZERO, bytes };
        let pings = piece(Dir::Client, b"\x89\x83\x01\x02\x03\x04abc".repeat(40_000));
        let pongs = piece(Dir::Server, b"\x8a\x03xyz".repeat(40_000));
        // By pairs there would be 1.6 thousand million.
        assert!(kept(&Scene::of(Dir::Client, &[pings, pongs])).is_none());
    }

    #[test]
    fn a_key_that_masks_nothing_is_told() {
        let said = |sent: &[u8], came: &[u8]| {
            let piece = |from, bytes: &[u8]| WirePiece { from, after: Duration::ZERO, bytes: bytes.to_vec() };
            let wire = [piece(Dir::Server, sent), piece(Dir::Client, came)];
            kept(&Scene::of(Dir::Server, &wire)).map(|text| text.template)
        };
        let text = b"\x81\x04abcd";
        assert_eq!(said(text, b"\x81\x84\x01\x02\x03\x04abcd"), Some(NOT_MASKED));
        assert_eq!(said(b"\x88\x02\x03\xe8", b"\x88\x82\x01\x02\x03\x04\x03\xe8"), Some(NOT_MASKED));
        for (came, why) in [
            (&b"\x81\x84\x01\x02\x03\x04````"[..], "it is right"),
            (&b"\x81\x84\0\0\0\0abcd"[..], "a key of zeros changes nothing"),
            (&b"\x82\x84\x01\x02\x03\x04abcd"[..], "it is another message"),
            (&b"\x81\x04abcd"[..], "it has no key"),
        ] {
            assert_eq!(said(text, came), None, "{why}");
        }
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
