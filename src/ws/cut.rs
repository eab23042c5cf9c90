//! A header that the end of the stream cuts off, judged by the bits that are there.
//!
//! What is missing is filled in with whatever breaks no rule: the header is then judged
//! like any other, and what was found is kept as far as it points at bits that are there.

use super::close;
use super::header::{self, LONGEST};
use super::judge::{self, Context};
use super::repeats::{Found, Repeats};
use super::{CONTROL_FRAME_TOO_LONG, FRAME_TOO_LARGE, LENGTH_HIGH_BIT_SET, NON_MINIMAL_LENGTH};
use crate::model::{Dir, Finding, Opcode, Span};

/// Holds the first bytes of a header against the rules, as far as they decide them.
pub fn judge(bytes: &[u8], context: &Context, findings: &mut Vec<Finding>) {
    let Some(whole) = filled_in(bytes, context.dir) else { return };
    let Ok(header) = header::decode(&whole) else { return };
    let before = findings.len();
    let (repeats, mut counted) = (Repeats::default(), Vec::new());
    judge::judge(&header, context, &mut Found::new(context.dir, &repeats, findings, &mut counted));
    if header.opcode == Opcode::CLOSE && bytes.len() > 1 {
        let at = Span::bits(context.source, context.bit(9), context.bit(16));
        close::check_length(header.length, at, context.dir, findings);
    }
    let there = context.bit(bytes.len() as u64 * 8);
    let mut judged = findings.split_off(before);
    for finding in &mut judged {
        finding.spans.retain(|span| span.start < there);
        for span in &mut finding.spans {
            span.end = span.end.min(there);
        }
    }
    judged.retain(|finding| !finding.spans.is_empty());
    if length_is_cut(bytes) {
        // How long the frame is to be is known only roughly.
        judged.retain(|finding| *finding.rule != FRAME_TOO_LARGE);
        for finding in &mut judged {
            if *finding.rule == CONTROL_FRAME_TOO_LONG {
                finding.got = "a length of 126 bytes or more".into();
            } else if *finding.rule == LENGTH_HIGH_BIT_SET {
                finding.got = "a top bit of 1".into();
            } else if *finding.rule == NON_MINIMAL_LENGTH {
                finding.expected = "a length below 65,536 in the 16-bit form".into();
            }
        }
    }
    findings.append(&mut judged);
}

/// Whether an extended length is announced and not all there.
fn length_is_cut(bytes: &[u8]) -> bool {
    match bytes.get(1).map(|byte| byte & 0x7F) {
        Some(126) => bytes.len() < 4,
        Some(127) => bytes.len() < 10,
        Some(_) => false,
        None => true,
    }
}

/// The header with innocent bytes behind those that are there; `None` without any.
fn filled_in(bytes: &[u8], dir: Dir) -> Option<[u8; LONGEST]> {
    bytes.first()?;
    // A nonzero masking key; above it a length as large as it can be, so that no shorter form would do.
    let mut whole = [0xFF; LONGEST];
    // A frame of no bytes, masked as its sender has to.
    whole[1] = if dir == Dir::Client { 0x80 } else { 0 };
    let have = bytes.len().min(LONGEST);
    whole[..have].copy_from_slice(&bytes[..have]);
    if have == 2 && whole[1] & 0x7F == 127 {
        whole[2] = 0x7F;
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SourceId;
    use crate::ws::Extensions;

    /// A rule, and the bits that its finding points at.
    type Found = (&'static str, u64, u64);

    fn found(bytes: &[u8], dir: Dir) -> Vec<Found> {
        let context = Context {
            dir,
            source: SourceId::Input,
            offset: 0,
            extensions: Extensions::NONE,
            in_message: false,
            lenient: false,
        };
        let mut findings = Vec::new();
        judge(bytes, &context, &mut findings);
        findings.iter().map(|f| (f.rule.id, f.spans[0].start, f.spans[0].end)).collect()
    }

    #[test]
    fn bits_that_are_there_are_judged_and_no_others() {
        use Dir::{Client, Server};
        let rsv = |bit| ("reserved-bit-set", bit, bit + 1);
        let cases: &[(&[u8], Dir, &[Found])] = &[
            (&[], Client, &[]),
            (&[0x81], Client, &[]),
            (&[0x81, 0xFE], Client, &[]),
            (&[0x82, 0x7F], Server, &[]),
            (&[0x82, 0x7F, 0, 0, 0], Server, &[]),
            (&[0xC1, 0x8D, 0xB3, 0xB7, 0x97], Client, &[rsv(1)]),
            (&[0xFF], Server, &[rsv(1), rsv(2), rsv(3), ("reserved-opcode", 4, 8)]),
            (&[0x81, 0x7E], Client, &[("unmasked-client-frame", 8, 9)]),
            (&[0x81, 0x85, 0], Server, &[("masked-server-frame", 8, 9)]),
            (&[0x80], Server, &[("unexpected-continuation", 4, 8)]),
            (&[0x09], Server, &[("fragmented-control-frame", 0, 1)]),
            (&[0x89, 0x7E], Server, &[("control-frame-too-long", 9, 16)]),
            (&[0x89, 0x7E, 0], Server, &[("control-frame-too-long", 9, 24)]),
            (&[0x88, 0x81, 7], Client, &[("close-payload-one-byte", 9, 16)]),
            (&[0x82, 0x7F, 0x80], Server, &[("length-high-bit-set", 16, 17)]),
            // Whatever the last two bytes are, 16 bits would have been enough.
            (&[0x82, 0x7F, 0, 0, 0, 0, 0, 0], Server, &[("non-minimal-length", 9, 64)]),
            (&[0x82, 0xFE, 0, 9, 1, 2], Client, &[("non-minimal-length", 9, 32)]),
        ];
        for (bytes, dir, expected) in cases {
            assert_eq!(found(bytes, *dir), *expected, "{bytes:02x?}");
        }
    }
}
