//! What may be behind reserved bits that the handshake agreed on nothing for: text that nobody has framed, or
//! compression.

use super::{FRAGMENTED_CONTROL_FRAME, RESERVED_BIT_SET, RESERVED_OPCODE};
use crate::model::{Diagnosis, Dir, Finding, FrameHeader, Rule, Text, prefix, readable};

/// The diagnosis of bytes that are text where frames should be.
pub const TEXT_WITHOUT_FRAMES: &str = "text-without-frames";
/// Bytes of text that are enough to see that it is some.
const ENOUGH: usize = 12;
/// Characters of it that are shown.
const SHOWN: usize = 40;

/// Says of a frame that cannot be one that its bytes are text, if they are: `head` are those of what was
/// taken for its header, and `payload` what is kept of the rest. `is_first` says that nothing came before it.
#[cold]
pub(super) fn explain_text(
    (dir, is_first): (Dir, bool),
    head: &[u8],
    payload: &[u8],
    findings: &mut [Finding],
) {
    // A line break, with which much text begins, is the header of a Pong in fragments.
    let is_odd = |rule: &'static Rule| {
        [&RESERVED_BIT_SET, &RESERVED_OPCODE, &FRAGMENTED_CONTROL_FRAME].contains(&rule)
    };
    let Some(finding) = findings.iter_mut().find(|finding| is_odd(finding.rule)) else { return };
    let bytes = [head, payload].concat();
    let Some(text) = text(&bytes) else { return };
    let text = readable(prefix(text.trim(), SHOWN));
    let what = if is_first {
        Text::new("these bytes of the {} are text, and no frame: “{}…”")
    } else {
        Text::new(
            "these bytes of the {} are text where a frame should begin: “{}…”; or the length of a \
             frame before is wrong",
        )
    };
    let fix = "find out what writes text into the connection without framing it: a program's warning or \
               error page, or an endpoint that knows no frames";
    let what = what.word(dir.name()).and(text);
    finding.cause = Some(Box::new(Diagnosis::new(TEXT_WITHOUT_FRAMES, what, fix)));
}

/// Says of a frame with RSV1, whose payload inflates, that it is compressed.
#[cold]
pub(super) fn explain_compressed(header: &FrameHeader, findings: &mut [Finding]) {
    if header.rsv2 || header.rsv3 {
        return;
    }
    let Some(finding) = findings.iter_mut().find(|finding| *finding.rule == RESERVED_BIT_SET) else { return };
    finding.cause = Some(Box::new(Diagnosis::new(
        "extensions-stripped",
        "the payload inflates: it is compressed, which was not agreed on, or Sec-WebSocket-Extensions was \
         taken out on the way",
        "let every proxy on the way pass Sec-WebSocket-Extensions on, in both directions, or switch \
         compression off at both ends",
    )));
}

/// The text that bytes begin with, of printed characters, blanks and ends of lines: enough of it where
/// something else follows, less where nothing does.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = bytes.utf8_chunks().next()?.valid();
    let is_printed = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    let text = &text[..text.find(|c| !is_printed(c)).unwrap_or(text.len())];
    // The last character may have been cut off.
    let is_all = bytes.len() - text.len() < 4;
    (text.len() >= if is_all { ENOUGH } else { 2 * ENOUGH }).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_front_of_text_is_no_pong() {
        let mut findings =
            vec![Finding::new(&FRAGMENTED_CONTROL_FRAME, Dir::Server, "FIN = 1".into(), "0".into())];
        explain_text((Dir::Server, false), b"\nW", b"arning: Undefined array key 1", &mut findings);
        assert_eq!(findings[0].cause.as_ref().map(|cause| cause.id), Some(TEXT_WITHOUT_FRAMES));
    }

    #[test]
    fn text_is_what_a_person_can_read() {
        for (bytes, is_text) in [
            (&b"<br />\n<b>Warning</b>: Undefined variable"[..], true),
            (b"HTTP/1.1 500 Internal Server Error\r\n\r\n", true),
            ("caf\u{e9} cr\u{e8}me, please".as_bytes(), true),
            (&"cut within the last \u{20ac}".as_bytes()[..21], true),
            (b"too short", false),
            (b"<b>Fatal error</b>: in line 12\n\x81\x05hello", true),
            (b"a frame, \x81\x05hello and so on", false),
            (b"\xC1\xE5with bytes of a frame before it", false),
        ] {
            assert_eq!(text(bytes).is_some(), is_text, "{bytes:?}");
        }
    }
}
