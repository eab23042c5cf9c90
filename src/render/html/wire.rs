//! The bytes of units: how they are written, and where in them something stands.

use crate::model::{Body, Dir, Span, Unit};
use crate::render::json::write::Writer;
use crate::render::verdicts;

/// What is written.
pub type W = Writer<Vec<u8>>;

/// Bits of a unit's bytes.
pub type Range = (u64, u64);

/// Bytes in hexadecimal, as a string.
pub fn hex(bytes: &[u8], w: &mut W) {
    hex_of(bytes.iter().copied().map(Some), w);
}

/// The same where some are not at hand, which are `??`.
pub fn hex_of(bytes: impl Iterator<Item = Option<u8>>, w: &mut W) {
    let mut digits = String::with_capacity(2 * bytes.size_hint().0);
    for byte in bytes {
        match byte {
            Some(byte) => {
                digits.extend(
                    [byte >> 4, byte & 15].map(|it| char::from(b"0123456789abcdef"[usize::from(it)])),
                );
            }
            None => digits.push_str("??"),
        }
    }
    w.raw("\"");
    w.raw(&digits);
    w.raw("\"");
}

/// The bits of a span counted from the first byte that is shown of a unit, if it lies there.
pub fn in_bytes(unit: &Unit<'_>, span: Span) -> Option<Range> {
    let Body::Http(head) = unit.body else { return verdicts::in_frame(unit, span) };
    let sender: Dir = span.source.sender()?;
    if unit.dir.is_some_and(|dir| dir != sender) {
        return None;
    }
    let start = head.offset.checked_mul(8)?;
    Some((span.start.checked_sub(start)?, span.end.checked_sub(start)?))
}
