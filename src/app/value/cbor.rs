//! The heads of values in CBOR (RFC 8949), which `minicbor` reads.

use std::borrow::Cow;

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};

use super::head::Head;
use crate::app::cursor::Cursor;

/// Reads a head with the string or bytes it has; `None` where it is cut short or malformed.
pub(super) fn head<'a>(reader: &mut Cursor<'a>) -> Option<Head<'a>> {
    let rest = reader.rest();
    let mut decoder = Decoder::new(rest);
    let head = read(&mut decoder, rest).ok().flatten()?;
    reader.take(decoder.position())?;
    Some(head)
}

fn read<'a>(decoder: &mut Decoder<'a>, rest: &'a [u8]) -> Result<Option<Head<'a>>, Error> {
    let length = |count: Option<u64>| match count {
        Some(count) => usize::try_from(count).ok().map(Some),
        None => Some(None),
    };
    Ok(Some(match decoder.datatype()? {
        Type::Bool => Head::Bool(decoder.bool()?),
        Type::Null => {
            decoder.null()?;
            Head::Null
        }
        Type::Undefined => {
            decoder.undefined()?;
            Head::Null
        }
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => Head::Whole(decoder.u64()?),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
            Head::Negative(i128::from(decoder.int()?))
        }
        Type::F16 => {
            let [_, a, b, ..] = *rest else { return Ok(None) };
            decoder.set_position(decoder.position() + 3);
            Head::Double(half(u16::from_be_bytes([a, b])))
        }
        Type::F32 => Head::Single(decoder.f32()?),
        Type::F64 => Head::Double(decoder.f64()?),
        Type::Simple => Head::Simple(decoder.simple()?),
        Type::Bytes => Head::Bytes(Cow::Borrowed(decoder.bytes()?)),
        Type::String => Head::Text(Cow::Borrowed(decoder.str()?)),
        Type::BytesIndef => {
            let mut all = Vec::new();
            for part in decoder.bytes_iter()? {
                all.extend_from_slice(part?);
            }
            Head::Bytes(Cow::Owned(all))
        }
        Type::StringIndef => {
            let mut all = String::new();
            for part in decoder.str_iter()? {
                all.push_str(part?);
            }
            Head::Text(Cow::Owned(all))
        }
        Type::Array | Type::ArrayIndef => {
            let Some(count) = length(decoder.array()?) else { return Ok(None) };
            Head::List(count)
        }
        Type::Map | Type::MapIndef => {
            let Some(count) = length(decoder.map()?) else { return Ok(None) };
            Head::Dict(count)
        }
        Type::Tag => Head::Tag(decoder.tag()?.as_u64()),
        Type::Break => {
            decoder.set_position(decoder.position() + 1);
            Head::Break
        }
        Type::Unknown(_) => return Ok(None),
    }))
}

/// A number of half precision (RFC 8949 Appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1F), f64::from(bits & 0x3FF));
    let size = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}
