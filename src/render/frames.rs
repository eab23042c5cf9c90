//! What can be said of a frame from its header and payload alone.

use super::words::{self, BYTES, Frequent, close_code, count};
use crate::lang::Lang;
use crate::model::quantity::grouped;
use crate::model::{CloseCode, Dir, Field, Frame, Hole, Opcode, Part, Value, hole};

/// What a frame's heading says about it: `text, 5 bytes`, `close 1000 Normal Closure`.
pub fn about(frequent: &Frequent, dir: Option<Dir>, frame: &Frame<'_>, about: &mut String) {
    let (header, lang) = (&frame.header, frequent.lang);
    match header.opcode {
        Opcode::CONTINUATION if frame.of != Opcode::CONTINUATION => {
            lang.fill_in("continuation of {}", &[&words::opcode(lang, frame.of)], about);
        }
        opcode => about.push_str(&words::opcode(lang, opcode)),
    }
    let code = close(lang, frame);
    if let Some(code) = &code {
        about.push(' ');
        about.push_str(code);
    }
    if !header.fin && !header.opcode.is_control() {
        let is_first = header.opcode != Opcode::CONTINUATION;
        about.push_str(lang.words(", "));
        about.push_str(lang.words(if is_first { "first fragment" } else { "more follows" }));
    }
    if code.is_none() {
        about.push_str(lang.words(", "));
        frequent.bytes(header.length, about);
    }
    // Clients mask and servers do not (RFC 6455 §5.1): only the opposite is news.
    match (dir, header.masking_key) {
        (Some(Dir::Client), None) => *about = lang.fill("{}, unmasked", &[about]),
        (Some(Dir::Server) | None, Some(_)) => *about = lang.fill("{}, masked", &[about]),
        _ => {}
    }
    if frame.inferred {
        about.push_str(lang.words(", "));
        about.push_str(lang.words("inferred"));
    }
}

/// What is not there of a frame, if anything.
pub fn absent(lang: Lang, frame: &Frame<'_>) -> Option<String> {
    let length = || grouped(frame.header.length);
    if frame.truncated {
        let words = "cut short: {} of {} payload bytes are there";
        Some(lang.fill(words, &[&grouped(frame.captured), &length()]))
    } else if frame.missing > 0 {
        Some(lang.fill("{} of {} payload bytes are lost in a gap", &[&grouped(frame.missing), &length()]))
    } else {
        None
    }
}

/// A Close frame's code with its name.
pub fn close(lang: Lang, frame: &Frame<'_>) -> Option<String> {
    match (frame.header.opcode, hole::unbroken(frame.payload, frame.holes)) {
        (Opcode::CLOSE, [high, low, ..]) => {
            Some(close_code(lang, CloseCode(u16::from_be_bytes([*high, *low]))))
        }
        _ => None,
    }
}

/// The content of a payload and the holes in it: a Close frame's begins after its code.
pub fn content<'a>(frame: &Frame<'a>) -> (&'a [u8], Vec<Hole>) {
    let code_is_there = frame.holes.first().is_none_or(|hole| hole.offset >= 2);
    if frame.header.opcode == Opcode::CLOSE && code_is_there {
        let behind = |hole: &Hole| Hole { offset: hole.offset - 2, ..*hole };
        let holes = frame.holes.iter().map(behind).collect();
        return (frame.payload.get(2..).unwrap_or_default(), holes);
    }
    (frame.payload, frame.holes.to_vec())
}

/// What stands for the bytes of a hole: `…98 bytes missing…`.
pub fn missing(lang: Lang, hole: Hole) -> String {
    format!("…{}…", lang.fill("{} missing", &[&count(lang, hole.length, BYTES)]))
}

/// Whether a frame's payload is text, as far as its decoder says or else its opcode.
/// A control frame's is whatever it looks like.
pub fn is_text(field: Option<&Field>, frame: &Frame<'_>) -> bool {
    let readable = |bytes| str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control));
    match field.map(|field| &field.value) {
        Some(Value::Text(_)) => true,
        Some(_) => false,
        None if frame.header.rsv1 || frame.compressed => false,
        None if frame.of.is_control() => {
            let (content, holes) = content(frame);
            hole::parts(content, &holes).all(|part| match part {
                Part::Bytes(_, bytes) => readable(bytes),
                Part::Hole(_) => true,
            })
        }
        None => frame.of == Opcode::TEXT,
    }
}

/// A byte of a frame as it stands on the wire, if it is at hand.
pub fn wire_byte(frame: &Frame<'_>, at: u64) -> Option<u8> {
    let at = usize::try_from(at).ok()?;
    let header = usize::from(frame.header.header_length());
    if at < header {
        return frame.head.get(at).copied();
    }
    let at = at - header;
    let key = frame.header.masking_key.map_or(0, |key| key[at % 4]);
    Some(hole::byte(frame.payload, frame.holes, at as u64)? ^ key)
}

/// Some bits of a byte; none stand for the whole of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    byte: u8,
    /// Which of them, the first bit being the highest.
    mask: u8,
}

impl Bits {
    /// Those of `byte` that are set in `mask`.
    pub fn of(byte: u8, mask: u8) -> Self {
        Self { byte: byte & mask, mask }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.mask == 0
    }

    /// The bits in one number, another one for any others.
    pub fn code(self) -> u16 {
        u16::from_be_bytes([self.mask, self.byte])
    }

    /// What to write: `.000 ....`, the other bits of the byte as dots; nothing for whole bytes.
    pub fn picture(self) -> String {
        let mut text = String::with_capacity(9);
        for bit in (0..8).filter(|_| !self.is_empty()) {
            if bit == 4 {
                text.push(' ');
            }
            text.push(match (self.mask << bit & 0x80, self.byte << bit & 0x80) {
                (0, _) => '.',
                (_, 0) => '0',
                _ => '1',
            });
        }
        text
    }
}

/// The bits of `start..end` in their byte, the others as dots; none for whole bytes.
pub fn pattern(byte: Option<u8>, start: u64, end: u64) -> Bits {
    let first = start / 8;
    let whole = start.is_multiple_of(8) && end.is_multiple_of(8);
    let Some(byte) = byte.filter(|_| !whole && end <= (first + 1) * 8) else { return Bits::default() };
    let (from, to) = (start - first * 8, end - first * 8);
    Bits::of(byte, (0xFF >> from) & !(0xFF_u16 >> to) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_stand_in_their_byte() {
        for (start, end, expected) in [
            (0, 1, "1... ...."),
            (1, 4, ".010 ...."),
            (4, 8, ".... 0110"),
            (3, 5, "...0 0..."),
            (8, 16, ""),
            (6, 9, ""),
        ] {
            assert_eq!(pattern(Some(0b1010_0110), start, end).picture(), expected);
        }
        assert!(pattern(None, 0, 1).is_empty() && !pattern(Some(0), 9, 16).is_empty());
    }
}
