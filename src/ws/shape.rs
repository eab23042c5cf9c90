//! Recognising frames by their shape: without a handshake, and again after a gap.
//!
//! A random byte pair is a well-formed header surprisingly often, so one header
//! is not enough: the frames must follow each other to the end of the bytes, and
//! their text must be text.

use super::header::{self, LONGEST};
use super::mask;
use crate::limits;
use crate::model::{FrameHeader, LengthForm, Opcode, SourceId};

/// How far the bytes look like frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Whole frames in the bytes.
    pub whole: u32,
    /// Whether the last one ends exactly where the bytes end.
    pub exact: bool,
    /// Whether the first frame is masked.
    pub masked: bool,
}

impl Shape {
    /// Whether this much structure is hardly chance.
    pub fn convincing(self) -> bool {
        self.exact || self.whole >= 2
    }
}

/// Frames looked at before a run of them is believed.
const ENOUGH: u32 = 16;

/// Whether `bytes` begin with a frame, as far as one can tell.
///
/// `masked` says what the sender's role demands, where it is known. The answer
/// is `None` as soon as something no conforming endpoint would send is met.
pub fn shape(bytes: &[u8], masked: Option<bool>) -> Option<Shape> {
    let mut rest = bytes;
    let mut first_masked = masked;
    let mut whole = 0;
    while !rest.is_empty() && whole < ENOUGH {
        let Ok(header) = header::decode(rest, SourceId::Input, 0, &mut ()) else {
            // Cut inside a header: no news, good or bad, unless it is all there is.
            return (whole > 0).then(|| Shape { whole, exact: false, masked: first_masked == Some(true) });
        };
        if !is_sane(&header) || first_masked.is_some_and(|m| m != header.masking_key.is_some()) {
            return None;
        }
        first_masked = Some(header.masking_key.is_some());
        let payload = &rest[usize::from(header.header_length())..];
        let captured = usize::try_from(header.length).unwrap_or(usize::MAX).min(payload.len());
        if !text_is_text(&header, &payload[..captured]) {
            return None;
        }
        if (captured as u64) < header.length {
            return Some(Shape { whole, exact: false, masked: first_masked == Some(true) });
        }
        whole += 1;
        rest = &payload[captured..];
    }
    Some(Shape { whole, exact: rest.is_empty() && whole > 0, masked: first_masked == Some(true) })
}

/// The first offset from which `bytes` convincingly look like frames.
///
/// The last few bytes cannot be judged yet; the caller keeps them for next time.
pub fn find(bytes: &[u8], masked: Option<bool>) -> Option<usize> {
    let last = bytes.len().saturating_sub(LONGEST);
    (0..last).find(|&at| {
        let shape = shape(&bytes[at..], masked);
        // Inside a payload two frames in a row are needed, not only one that happens to end well.
        shape.is_some_and(|s| s.whole >= 2 || (at == 0 && s.exact))
    })
}

/// Whether a conforming sender could have written this header.
fn is_sane(header: &FrameHeader) -> bool {
    let is_control = header.opcode.is_control();
    let control_broken = is_control && (!header.fin || header.length > 125 || header.rsv1);
    let rsv_broken = header.rsv2 || header.rsv3 || (header.rsv1 && header.opcode == Opcode::CONTINUATION);
    let length_broken =
        header.length_form != LengthForm::minimal(header.length) || header.length > limits::MESSAGE_LARGE;
    !(control_broken || rsv_broken || length_broken || header.opcode.is_reserved())
}

/// Uncompressed text must be UTF-8 (a character may be cut at the end); a Close body must have a code in range.
fn text_is_text(header: &FrameHeader, payload: &[u8]) -> bool {
    let head = &payload[..payload.len().min(256)];
    let mut clear = [0; 256];
    let clear = match header.masking_key {
        Some(key) => {
            mask::unmask_into(&mut clear[..head.len()], head, key, 0);
            &clear[..head.len()]
        }
        None => head,
    };
    match header.opcode {
        Opcode::TEXT if !header.rsv1 => match std::str::from_utf8(clear) {
            Ok(text) => !text.contains('\0'),
            Err(e) => e.error_len().is_none(),
        },
        Opcode::CLOSE => match clear {
            [] => header.length == 0,
            [_] => header.length > 1,
            [high, low, ..] => (1000..5000).contains(&u16::from_be_bytes([*high, *low])),
        },
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = &[0x81, 0x05, b'H', b'e', b'l', b'l', b'o'];
    const MASKED: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

    #[test]
    fn frames_are_recognised() {
        assert_eq!(shape(HELLO, None), Some(Shape { whole: 1, exact: true, masked: false }));
        assert_eq!(shape(MASKED, Some(true)), Some(Shape { whole: 1, exact: true, masked: true }));
        assert_eq!(shape(MASKED, Some(false)), None);
        assert_eq!(shape(&[HELLO, &HELLO[..3]].concat(), None).map(|s| s.whole), Some(1));
    }

    #[test]
    fn other_protocols_are_not_frames() {
        let others: &[&[u8]] = &[
            b"GET / HTTP/1.1\r\n",
            b"HTTP/1.1 200 OK\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00",
            b"\x17\x03\x03\x00\x13abcdefghijklmnopqrs",
            b"EHLO example.com\r\n",
            b"*1\r\n$4\r\nPING\r\n",
        ];
        for bytes in others {
            assert!(!shape(bytes, None).is_some_and(Shape::convincing), "{bytes:?}");
        }
    }

    #[test]
    fn a_header_is_found_behind_the_rest_of_a_payload() {
        let bytes = [b"the tail of a payload".as_slice(), HELLO, HELLO, HELLO].concat();
        assert_eq!(find(&bytes, Some(false)), Some(21));
        assert_eq!(find(b"no frames here, only a long run of prose", Some(false)), None);
    }
}
