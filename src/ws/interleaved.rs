//! What may be behind a text of a server that is not UTF-8: the header of another frame stands in it, because
//! two threads or tasks wrote into one socket at the same time.
//!
//! What a client sends is masked: such a header in it would be unreadable.

use crate::model::{Diagnosis, Dir, Finding, Text};

/// The diagnosis of a frame within another.
pub const INTERLEAVED_WRITERS: &str = "interleaved-writers";
/// Bytes of text behind such a header that are enough to see that it is one.
const ENOUGH: usize = 8;

/// Says of a text of `dir`, which stands in one frame and is wrong from byte `bad` of its payload on, that
/// another frame begins there, if it does.
#[cold]
pub(super) fn explain(dir: Dir, payload: &[u8], bad: u64, finding: &mut Finding) {
    let behind = usize::try_from(bad).ok().and_then(|bad| payload.get(bad..));
    let Some(length) = behind.filter(|_| dir == Dir::Server).and_then(frame_of_text) else { return };
    let what = Text::new(
        "within a message of the {} another of its frames begins, of {} bytes: two threads or tasks wrote \
         into the connection at the same time",
    );
    let fix = "let one of them, or a lock, write each frame as a whole: a header, and its payload right \
               behind it";
    finding.cause =
        Some(Box::new(Diagnosis::new(INTERLEAVED_WRITERS, what.word(dir.name()).and(length), fix)));
}

/// The payload bytes of the whole, unmasked text that begins with a header like this (RFC 6455 §5.2), if its
/// beginning is some.
fn frame_of_text(bytes: &[u8]) -> Option<u64> {
    /// FIN, no reserved bit, and the opcode of a text.
    const WHOLE_TEXT: u8 = 0x81;
    let (length, text) = match bytes {
        [WHOLE_TEXT, length @ 0..=125, text @ ..] => (u64::from(*length), text),
        [WHOLE_TEXT, 126, high, low, text @ ..] => (u64::from(u16::from_be_bytes([*high, *low])), text),
        _ => return None,
    };
    let is_shortest = length > 125 || bytes[1] < 126;
    let text = &text[..text.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
    // What was kept may be cut within a character, and the first writer may go on within it.
    let begin = text.utf8_chunks().next()?.valid();
    let is_text = begin.len() >= ENOUGH && !begin[..].chars().any(|c| c.is_control() && !c.is_whitespace());
    (is_shortest && is_text).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_begins_with_a_header_and_text_behind_it() {
        assert_eq!(frame_of_text(b"\x81\x1a{\"from\":\"b\",\"n\":9,\"v\":\"bb\"}"), Some(26));
        assert_eq!(frame_of_text(b"\x81\x7e\x00\x80{\"from\":\"b\",\"n\":9"), Some(128));
        // Not the shortest form of a length, not whole, masked, no text, or too little of it.
        for bytes in [
            &b"\x81\x7e\x00\x1a{\"from\":\"b\",\"n\":9"[..],
            b"\x01\x1a{\"from\":\"b\",\"n\":9",
            b"\x81\x9a{\"from\":\"b\",\"n\":9",
            b"\x81\x1a\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09",
            b"\x81\x05hello, and more",
            b"\xe9t\xe9 fran\xe7ais",
        ] {
            assert_eq!(frame_of_text(bytes), None, "{bytes:?}");
        }
    }
}
