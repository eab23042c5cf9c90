//! Mistakes that are known by the bytes of a frame: how its length and masking were written.

use super::payload::{NOT_MASKED, hex};
use super::scene::{Framed, Scene};
use crate::model::{Dir, LengthForm, Text};
use crate::ws::mask;

/// How the peer wrote the frame that should have this payload, where the decoder could not make that of it.
pub fn written(scene: &Scene, wanted: &[u8]) -> Option<Text> {
    scene.came.iter().find_map(|frame| one(scene, frame, wanted))
}

fn one(scene: &Scene, frame: &Framed, wanted: &[u8]) -> Option<Text> {
    let whole = wanted.len();
    if !frame.header.fin && !wanted.is_empty() && scene.theirs(frame) == wanted {
        return Some("FIN is 0 in the frame that came: the message never ends".into());
    }
    let Framed { header, at, payload } = frame;
    let bytes = &scene.theirs[*at..];
    let short = bytes[1] & 0x7F;
    if matches!(short, 126 | 127) && whole == usize::from(short) && follows(scene, frame, 2, wanted) {
        let text = "{} bytes are announced in the seven bits of the length, where {} says that it follows";
        return Some(Text::with(text, whole).and(short));
    }
    if header.length_form == LengthForm::Bits16 {
        if whole > 0xFFFF && header.length == (whole & 0xFFFF) as u64 && follows(scene, frame, 4, wanted) {
            return Some(
                Text::with("the length {} was written into 16 bits, as {}", whole).and(header.length),
            );
        }
        let little = (header.length as u16).swap_bytes();
        let rest = scene.theirs.len() - payload.start;
        if usize::from(little) == whole && header.length != whole as u64 && (rest >= whole || rest > 4096) {
            return Some(
                Text::with("the length was written as little-endian: {} for {}", hex(&bytes[2..4]))
                    .and(whole),
            );
        }
    }
    if header.length_form == LengthForm::Bits64
        && header.length.swap_bytes() == whole as u64
        && header.length != whole as u64
    {
        return Some(
            Text::with("the length was written as little-endian: {} for {}", hex(&bytes[2..10])).and(whole),
        );
    }
    masked(scene, frame, wanted)
}

/// Whether a payload stands so many bytes behind a frame's beginning, or behind the key there.
fn follows(scene: &Scene, frame: &Framed, behind: usize, wanted: &[u8]) -> bool {
    let Some(bytes) = scene.theirs.get(frame.at + behind..) else { return false };
    let is_it = |bytes: &[u8]| {
        let count = bytes.len().min(wanted.len());
        count > 2 && bytes[..count] == wanted[..count]
    };
    if frame.header.masking_key.is_none() {
        return is_it(bytes);
    }
    let Some((key, bytes)) = bytes.split_first_chunk() else { return false };
    let mut bytes = bytes[..bytes.len().min(wanted.len())].to_vec();
    mask::apply(&mut bytes, *key, 0);
    is_it(&bytes)
}

/// A payload that was masked otherwise than its key says.
fn masked(scene: &Scene, frame: &Framed, wanted: &[u8]) -> Option<Text> {
    let key = frame.header.masking_key.filter(|key| key.iter().any(|byte| *byte != key[0]))?;
    let bytes = &scene.theirs[frame.payload.clone()];
    let is_with = |key: [u8; 4]| {
        let mut bytes = bytes[..bytes.len().min(wanted.len())].to_vec();
        mask::apply(&mut bytes, key, 0);
        bytes.len() > 3 && wanted.starts_with(&bytes)
    };
    if is_with(key) {
        return None;
    }
    if is_with([0; 4]) {
        return Some(NOT_MASKED.into());
    }
    let [a, b, c, d] = key;
    let shifted = |by: usize| [key[by], key[(by + 1) % 4], key[(by + 2) % 4], key[(by + 3) % 4]];
    let shift = (1..4).find(|by| is_with(shifted(*by)));
    if is_with([d, c, b, a]) {
        // Of a key like 1 2 3 2 both come to the same.
        return shift.is_none().then(|| "it was masked with the key's bytes in reverse order".into());
    }
    shift.map(|by| Text::with("it was masked from byte {} of the key on, not from the first", by + 1))
}

/// What a peer does that knows no length but that of seven bits.
pub const LENGTH_TAKEN: &str = "{} was taken for the length, where it says that {} bytes of length follow";

/// Bytes that are no accident.
const ENOUGH: usize = 8;

/// Whether the first of our frames with a longer length was read as if 126 or 127 were it, and came back so.
pub fn length_taken(scene: &Scene) -> Option<Text> {
    let sent = scene.sent.iter().find(|frame| frame.header.length_form != LengthForm::Bits7)?;
    let (short, follow) = if sent.header.length_form == LengthForm::Bits16 { (126, 2) } else { (127, 8) };
    let mut bytes = &scene.ours[sent.at + 2..];
    let mut key = [0; 4];
    if sent.header.masking_key.is_some() {
        let (first, rest) = bytes.split_first_chunk()?;
        (key, bytes) = (*first, rest);
    }
    let mut read = bytes[..bytes.len().min(short)].to_vec();
    mask::apply(&mut read, key, 0);
    let is_it = |frame: &Framed| {
        let theirs = scene.theirs(frame);
        let count = read.len().min(theirs.len());
        // Who reads lengths so may write them so: what the decoder takes for the length is payload then.
        count >= ENOUGH && theirs[..count] == read[..count]
            || frame.header.length != sent.header.length && follows(scene, frame, 2, &read)
    };
    let is_taken = read.len() >= ENOUGH && scene.came.iter().any(is_it);
    is_taken.then(|| Text::with(LENGTH_TAKEN, short).and(follow))
}

/// What a server does that does not look at the mask bit.
pub const KEY_TAKEN: &str =
    "the frame has no mask, and its first 4 bytes of payload were taken for a masking key all the same";

/// Whether one of our frames without a mask was read as if it had one, and came back so. What stands behind
/// it is the end of its payload then.
pub fn key_taken(scene: &Scene, us: Dir) -> Option<Text> {
    let sent = scene.sent.iter().find(|frame| frame.header.masking_key.is_none() && us == Dir::Client)?;
    let (key, rest) = scene.ours[sent.payload.start..].split_first_chunk()?;
    let length = usize::try_from(sent.header.length).ok()?;
    let mut read = rest.get(..length)?.to_vec();
    mask::apply(&mut read, *key, 0);
    // A byte or two may be anything by chance.
    let is_it = |frame: &Framed| read.len() >= 3 && scene.theirs(frame) == read;
    scene.came.iter().any(is_it).then(|| KEY_TAKEN.into())
}

/// How the last of our lengths reads to somebody who waits for more, or ended for no other reason.
pub fn length_read(scene: &Scene, ended: bool) -> Option<Text> {
    let frame = scene.sent.iter().find(|frame| frame.header.length > 125)?;
    let bytes = &scene.ours[frame.at..];
    let rest = (scene.ours.len() - frame.payload.start) as u64;
    match frame.header.length_form {
        LengthForm::Bits16 if ended && frame.header.length > 0x7FFF => {
            let text = "the length {} is a negative number where 16 bits are read as signed";
            Some(Text::with(text, hex(&bytes[2..4])))
        }
        LengthForm::Bits16 if !ended => {
            let little = (frame.header.length as u16).swap_bytes();
            let text = "it waits for more: the length {} is {} where it is read as little-endian";
            (u64::from(little) > rest).then(|| Text::with(text, hex(&bytes[2..4])).and(little))
        }
        LengthForm::Bits64 if !ended && frame.header.length < 1 << 40 => {
            let little = frame.header.length.swap_bytes();
            let text = "it waits for more: the length {} is {} where it is read as little-endian";
            (little > rest).then(|| Text::with(text, hex(&bytes[2..10])).and(little))
        }
        _ => None,
    }
}
