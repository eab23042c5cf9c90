//! Mistakes that are known by the payload that came instead of another.

use super::difference::{Difference, is};
use super::scene::{Framed, Scene};
use crate::model::grade::Event;
use crate::model::{Opcode, Text};

/// What came instead of what should have.
pub fn instead(scene: &Scene, it: &Difference<'_>, got: &Event) -> Option<Text> {
    let (opcode, payload) = it.wanted?;
    let came = got.what.opcode()?;
    let wanted = payload.map(|payload| payload.bytes(0));
    let is_same = wanted.as_deref().is_none_or(|wanted| same(wanted, got));
    if came != opcode && is_same {
        return kinds(opcode, came).map(Into::into);
    }
    let wanted = wanted?;
    if opcode == Opcode::PONG && came != Opcode::PONG {
        let is_pong = |event: &Event| event.what.opcode() == Some(Opcode::PONG);
        let is_later = |event: &&Event| same(&wanted, event) && is_pong(event);
        // Where something else came that nobody waits for, the answer may still have been on its way.
        if !it.later.iter().any(|want| is(want, got)) {
            return None;
        }
        let is_other = |event: &&Event| it.later.iter().any(|want| is(want, event) && is_pong(event));
        return Some(match it.behind.iter().position(is_later) {
            Some(0) if is_within_message(scene, &wanted) => AROUND.into(),
            Some(_) => LATE.into(),
            None if it.behind.iter().any(is_other) => SKIPPED.into(),
            None => "the ping was not answered".into(),
        });
    }
    // The right one came behind it, and it is nobody else's answer: nothing was misread.
    let is_right = |event: &&Event| event.what.opcode() == Some(opcode) && same(&wanted, event);
    let is_other = it.later.iter().any(|want| is(want, got))
        || it.before.iter().any(|before| (&before.what, &before.payload) == (&got.what, &got.payload));
    if !opcode.is_control() && !same(&wanted, got) && !is_other && it.behind.iter().any(is_right) {
        return Some(OF_ITS_OWN.into());
    }
    if came != opcode {
        return misread(scene, &got.payload, got.length);
    }
    if opcode == Opcode::PONG {
        return if it.later.iter().any(|want| is(want, got)) {
            Some(SKIPPED.into())
        } else {
            pong(&wanted, got)
        };
    }
    misread(scene, &got.payload, got.length)
        .or_else(|| shorter(scene, it, &wanted, got))
        .or_else(|| longer(&wanted, got))
        .or_else(|| otherwise(&wanted, got))
}

/// What a peer does that says more than it is asked for.
pub const OF_ITS_OWN: &str = "another message came first, and then the right one";

/// What a peer does that reads a whole message before it looks at what came within it.
pub const AROUND: &str = "pings are answered only when the message around them is whole";

/// What one does that has other things to send first.
pub const LATE: &str = "the pong is late: messages that were sent behind the ping were answered first";

/// What one does that answers the last of several pings.
const SKIPPED: &str = "of several pings only a later one was answered, which is allowed (RFC 6455 §5.5.3)";

/// Whether a ping was sent between the fragments of a message.
fn is_within_message(scene: &Scene, payload: &[u8]) -> bool {
    let mut is_within = false;
    for frame in &scene.sent {
        if !frame.header.opcode.is_control() {
            is_within = !frame.header.fin;
        } else if frame.header.opcode == Opcode::PING && scene.plain(frame) == payload {
            return is_within;
        }
    }
    false
}

/// Whether an event has this payload, as far as is kept.
pub fn same(wanted: &[u8], got: &Event) -> bool {
    wanted.len() as u64 == got.length && wanted.starts_with(&got.payload)
}

/// The right bytes as another kind of message.
pub fn kinds(wanted: Opcode, came: Opcode) -> Option<&'static str> {
    Some(match (wanted, came) {
        (Opcode::TEXT, Opcode::BINARY) => "text came back as binary: the opcode is not the one it came with",
        (Opcode::BINARY, Opcode::TEXT) => "binary came back as text: the opcode is not the one it came with",
        (Opcode::PONG, Opcode::PING) => "the ping was answered with a ping",
        (Opcode::PONG, _) => "the ping was answered as if it were a message",
        _ => return None,
    })
}

fn pong(wanted: &[u8], got: &Event) -> Option<Text> {
    if got.length == 0 {
        return Some("the pong has none of the ping's payload".into());
    }
    (wanted.starts_with(&got.payload) && got.length < wanted.len() as u64)
        .then(|| Text::with("the pong has only the first {} of {} bytes", got.length).and(wanted.len()))
}

/// It sends back what is on the wire.
pub const STILL_MASKED: &str = "it is still masked: XOR with the key {} gives what was sent";
const REVERSED_KEY: &str = "it was unmasked with the key's bytes in reverse order: {} instead of {}";
const KEY_RESTARTS: &str = "the masking key began anew at byte {}, where another TCP segment began";
const FIRST_OF_KEY: &str = "only the first byte of the masking key was used";

/// A client's frame says that it is masked.
pub const NOT_MASKED: &str = "the frame has a masking key, and its payload is not masked";

/// All that is said of masks.
pub const OF_MASKS: [&str; 5] = [STILL_MASKED, REVERSED_KEY, KEY_RESTARTS, FIRST_OF_KEY, NOT_MASKED];

/// A message that was sent, read with a mistake in the masking.
pub fn misread(scene: &Scene, got: &[u8], length: u64) -> Option<Text> {
    // A byte or two may be anything by chance.
    if got.len() < 3 {
        return None;
    }
    for message in scene.messages() {
        let total: u64 = message.iter().map(|frame| frame.header.length).sum();
        let key = message[0].header.masking_key?;
        if total != length || scene.misread(&message, |key| key).starts_with(got) {
            continue;
        }
        if scene.misread(&message, |_| [0; 4]).starts_with(got) {
            return Some(Text::with(STILL_MASKED, hex(&key)));
        }
        let reversed = |[a, b, c, d]: [u8; 4]| [d, c, b, a];
        if scene.misread(&message, reversed).starts_with(got) {
            return Some(Text::with(REVERSED_KEY, hex(&reversed(key))).and(hex(&key)));
        }
        if let Some(at) = scene.key_restarts(&message, got) {
            return Some(Text::with(KEY_RESTARTS, at));
        }
        if scene.misread(&message, |key| [key[0]; 4]).starts_with(got) {
            return Some(FIRST_OF_KEY.into());
        }
    }
    None
}

fn shorter(scene: &Scene, it: &Difference<'_>, wanted: &[u8], got: &Event) -> Option<Text> {
    let (length, whole) = (usize::try_from(got.length).ok()?, wanted.len());
    if length >= whole {
        return None;
    }
    let messages = scene.messages();
    let message =
        messages.iter().find(|message| scene.misread(message, |key| key).starts_with(prefix(wanted)));
    let fragments: Vec<usize> =
        message.map(|message| message.iter().map(|frame| frame.payload.len()).collect()).unwrap_or_default();
    let is_in_fragments = fragments.len() > 1;
    let is_begin = wanted.starts_with(&got.payload);
    let is_end = wanted[whole - length..].starts_with(&got.payload);
    let last = fragments.last().copied().unwrap_or_default();
    if is_in_fragments && is_begin && length == fragments[0] {
        let second = it.behind.first().is_some_and(|next| {
            next.length == fragments[1] as u64 && wanted[length..].starts_with(&next.payload)
        });
        return Some(if second {
            "each fragment came back as a message of its own: FIN was not looked at".into()
        } else if length + last == whole {
            "the last fragment is missing".into()
        } else {
            "only the first fragment came back".into()
        });
    }
    if is_in_fragments && is_begin && length + last == whole {
        return Some("the last fragment is missing".into());
    }
    let is_end = is_end && !is_begin;
    if is_in_fragments && is_end && length == last {
        return Some("only the last fragment came back: those before it are lost".into());
    }
    if is_in_fragments && is_end {
        return Some(Text::with("the first {} bytes are lost", whole - length));
    }
    if !is_begin {
        return None;
    }
    if length == whole & 0xFFFF {
        return Some(Text::with("the length {} was read into 16 bits: {} is left of it", whole).and(length));
    }
    if length == whole & 0xFF && whole > 0xFF {
        return Some(Text::with("the length {} was read into 8 bits: {} is left of it", whole).and(length));
    }
    if length == 0 {
        return Some("it came back empty".into());
    }
    if wanted[length] == 0 && !wanted[..length].contains(&0) {
        return Some("it ends at its first zero byte, as strings of C do".into());
    }
    let first = message.map(|message| scene.in_first_write(message[0]));
    if first == Some(length) {
        return Some(Text::with("only the {} bytes that came with the first TCP segment came back", length));
    }
    Some(Text::with("it is cut: the first {} of {} bytes came back", length).and(whole))
}

fn longer(wanted: &[u8], got: &Event) -> Option<Text> {
    let (length, whole) = (usize::try_from(got.length).ok()?, wanted.len());
    if let Some(front) = front(wanted, got) {
        return Some(front);
    }
    // What is behind it is known only where all was kept.
    if length <= whole || got.payload.len() != length || !got.payload.starts_with(wanted) {
        return None;
    }
    let behind = &got.payload[whole..];
    Some(match behind {
        b"\n" | b"\r\n" => "a line end was added".into(),
        [0] => "a zero byte was added".into(),
        _ if behind == wanted => "it came back twice, in one message".into(),
        _ => Text::with("{} bytes were added behind it", behind.len()),
    })
}

/// What is said in front of a message that is sent back: greetings, quotation marks, a byte order mark.
fn front(wanted: &[u8], got: &Event) -> Option<Text> {
    // A byte or two are found anywhere.
    if wanted.len() < 3 || got.length <= wanted.len() as u64 {
        return None;
    }
    let more = usize::try_from(got.length - wanted.len() as u64).ok()?;
    if got.payload.len() as u64 == got.length {
        let at = got.payload.windows(wanted.len()).position(|it| it == wanted).filter(|at| *at > 0)?;
        let behind = more - at;
        return Some(match behind {
            0 => Text::with("{} bytes were put in front of it", at),
            _ => Text::with("{} bytes were put in front of it, and {} behind it", at).and(behind),
        });
    }
    let rest = got.payload.get(more..)?;
    let is_it = rest.len() > 3 && wanted.starts_with(rest) && !wanted.starts_with(&got.payload);
    is_it.then(|| Text::with("{} bytes were put in front of it", more))
}

fn otherwise(wanted: &[u8], got: &Event) -> Option<Text> {
    if let Some(text) = replaced(wanted, got) {
        return Some(text);
    }
    let latin: String = wanted.iter().map(|byte| char::from(*byte)).collect();
    if !wanted.is_ascii() && same(latin.as_bytes(), got) {
        return Some("its UTF-8 was read as Latin-1, and each of its bytes written as a character".into());
    }
    let text = String::from_utf8_lossy(wanted);
    let marks: String = text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    if !wanted.is_ascii() && same(marks.as_bytes(), got) {
        return Some("characters beyond ASCII were replaced by question marks".into());
    }
    None
}

/// Whether what came is what was sent with U+FFFD for what is no UTF-8.
pub fn replaced(sent: &[u8], got: &Event) -> Option<Text> {
    let is_it = std::str::from_utf8(sent).is_err() && same(String::from_utf8_lossy(sent).as_bytes(), got);
    is_it.then(|| "what is no UTF-8 was replaced by U+FFFD, and not refused".into())
}

/// What came though nothing more should. `is_told`: behind it the peer ended the connection because of an
/// error.
pub fn too_much(scene: &Scene, it: &Difference<'_>, got: &Event, is_told: bool) -> Option<Text> {
    let came = got.what.opcode()?;
    if let Some(before) = it.before.last()
        && (&before.what, &before.payload, before.length) == (&got.what, &got.payload, got.length)
        && (is_told || !asked_twice(scene, got))
    {
        return Some("it came twice, and was sent once".into());
    }
    let has_sent = |opcode: Opcode| {
        let frames = scene.sent.iter().filter(move |frame| frame.header.opcode == opcode);
        frames.map(|frame| scene.plain(frame)).any(|bytes| same(&bytes, got))
    };
    if came == Opcode::PONG {
        return has_sent(Opcode::PONG).then(|| "a pong was answered with a pong".into()).or_else(|| {
            let is_long = got.length > 125;
            let is_whole = |frame: &Framed| frame.header.opcode != Opcode::PING || frame.header.fin;
            if !scene.sent.iter().all(is_whole) && has_sent(Opcode::PING) {
                return Some("a fragment of a ping was answered as if it were a ping".into());
            }
            (is_long && has_sent(Opcode::PING)).then(|| "it answers a ping of more than 125 bytes".into())
        });
    }
    let closed = scene.sent.iter().position(|frame| frame.header.opcode == Opcode::CLOSE);
    let is_behind = closed.is_some_and(|closed| {
        scene.sent[closed..]
            .iter()
            .any(|frame| !frame.header.opcode.is_control() && same(&scene.plain(frame), got))
    });
    if is_behind {
        return Some("what was sent behind Close was still answered".into());
    }
    let messages = scene.messages();
    let bytes = |message: &Vec<_>| scene.misread(message, |key| key);
    if let Some(text) = messages.iter().find_map(|message| replaced(&bytes(message), got)) {
        return Some(text);
    }
    if is_told {
        return None;
    }
    if messages.iter().any(|message| same(&bytes(message), got)) {
        return Some("it took what it has to refuse, and sent it back".into());
    }
    let is_frame = |frame: &&Framed| !frame.header.opcode.is_control() && got.length > 0;
    let fragment = scene.sent.iter().filter(is_frame).any(|frame| same(&scene.plain(frame), got));
    fragment.then(|| "a fragment came back as if it were a message".into())
}

/// Whether the same was sent twice, too.
fn asked_twice(scene: &Scene, got: &Event) -> bool {
    scene.sent.iter().filter(|frame| same(&scene.plain(frame), got)).count() > 1
}

/// The beginning that the wire is compared with.
fn prefix(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(1024)]
}

/// `37 fa 21 3d`.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
