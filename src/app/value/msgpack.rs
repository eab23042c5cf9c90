//! The heads of values in `MessagePack`.

use std::borrow::Cow;

use super::head::Head;
use crate::app::cursor::Cursor;

/// Reads a head with the string or bytes it has; `None` where it is cut short or malformed.
pub(super) fn head<'a>(reader: &mut Cursor<'a>) -> Option<Head<'a>> {
    let first = reader.take(1)?[0];
    let low = |mask: u8| usize::from(first & mask);
    let signed = |number: u64, bits: u32| {
        let number = (number << (64 - bits)).cast_signed() >> (64 - bits);
        u64::try_from(number).map_or(Head::Negative(number.into()), Head::Whole)
    };
    Some(match first {
        0..=0x7F => Head::Whole(first.into()),
        0x80..=0x8F => Head::Dict(Some(low(0xF))),
        0x90..=0x9F => Head::List(Some(low(0xF))),
        0xA0..=0xBF => text(reader, low(0x1F))?,
        0xC0 => Head::Null,
        // Never used.
        0xC1 => return None,
        0xC2 | 0xC3 => Head::Bool(first == 0xC3),
        0xC4..=0xC6 => Head::Bytes(Cow::Borrowed(reader.vector(1 << (first - 0xC4))?)),
        0xC7..=0xC9 => {
            let length = reader.length(1 << (first - 0xC7))?;
            extension(reader, length)?
        }
        0xCA => Head::Single(f32::from_bits(reader.number(4)? as u32)),
        0xCB => Head::Double(f64::from_bits(reader.number(8)?)),
        0xCC..=0xCF => Head::Whole(reader.number(1 << (first - 0xCC))?),
        0xD0..=0xD3 => {
            let count = 1 << (first - 0xD0);
            signed(reader.number(count)?, 8 * count as u32)
        }
        0xD4..=0xD8 => extension(reader, 1 << (first - 0xD4))?,
        0xD9..=0xDB => {
            let length = reader.length(1 << (first - 0xD9))?;
            text(reader, length)?
        }
        0xDC | 0xDD => Head::List(Some(reader.length(2 << (first - 0xDC))?)),
        0xDE | 0xDF => Head::Dict(Some(reader.length(2 << (first - 0xDE))?)),
        0xE0.. => Head::Negative(first.cast_signed().into()),
    })
}

fn text<'a>(reader: &mut Cursor<'a>, length: usize) -> Option<Head<'a>> {
    str::from_utf8(reader.take(length)?).ok().map(|text| Head::Text(Cow::Borrowed(text)))
}

fn extension<'a>(reader: &mut Cursor<'a>, length: usize) -> Option<Head<'a>> {
    let kind = reader.take(1)?[0].cast_signed();
    Some(Head::Extension(kind, reader.take(length)?))
}
