//! The header of a frame: 2 to 14 bytes before the payload (RFC 6455 §5.2).

use super::{EXTENDED_LENGTH, FIN, LENGTH, MASK, MASKING_KEY, OPCODE, RSV1, RSV2, RSV3};
use crate::model::{Cursor, FrameHeader, LengthForm, Opcode, Record, Short, SourceId, Text, Value};

/// The longest header: two bytes, a 64-bit length, a masking key.
pub const LONGEST: usize = 14;

/// Reads a header that begins with `bytes[0]`, which stands at byte `offset` of `source`.
///
/// Every field read is told to `record`. Reserved values, non-minimal lengths and a
/// set top bit are read as they are; judging them is the caller's affair.
///
/// # Errors
/// [`Short`] says how many bytes the header needs, as far as that is known yet.
#[inline]
pub fn decode<R: Record>(
    bytes: &[u8],
    source: SourceId,
    offset: u64,
    record: &mut R,
) -> Result<FrameHeader, Short> {
    let mut cursor = Cursor::new(bytes, source, offset, record);
    cursor.require(2)?;
    let fin = cursor.number(1) == 1;
    cursor.tell(&FIN, 1, || (Value::Bit(fin), "".into()));
    let rsv1 = cursor.number(1) == 1;
    cursor.tell(&RSV1, 1, || (Value::Bit(rsv1), "".into()));
    let rsv2 = cursor.number(1) == 1;
    cursor.tell(&RSV2, 1, || (Value::Bit(rsv2), "".into()));
    let rsv3 = cursor.number(1) == 1;
    cursor.tell(&RSV3, 1, || (Value::Bit(rsv3), "".into()));
    let opcode = Opcode(cursor.number(4) as u8);
    cursor.tell(&OPCODE, 4, || (Value::Code(opcode.0.into()), "".into()));
    let masked = cursor.number(1) == 1;
    cursor.tell(&MASK, 1, || (Value::Bit(masked), "".into()));
    let short = cursor.number(7);
    cursor.tell(&LENGTH, 7, || (Value::Number(short), short_length(short)));
    let (length_form, length) = match short {
        //= RFC 6455 §5.2
        //# If 126, the following 2 bytes interpreted as a
        //# 16-bit unsigned integer are the payload length.
        126 => {
            cursor.require(2)?;
            (LengthForm::Bits16, cursor.number(16))
        }
        127 => {
            cursor.require(8)?;
            (LengthForm::Bits64, cursor.number(64))
        }
        _ => (LengthForm::Bits7, short),
    };
    if length_form != LengthForm::Bits7 {
        let width = length_form.bits().into();
        cursor.tell(&EXTENDED_LENGTH, width, || (Value::Number(length), extended_length(length_form)));
    }
    let masking_key = if masked {
        cursor.require(4)?;
        let key = (cursor.number(32) as u32).to_be_bytes();
        cursor.tell(&MASKING_KEY, 32, || (Value::Bytes(key.to_vec()), "".into()));
        Some(key)
    } else {
        None
    };
    Ok(FrameHeader { fin, rsv1, rsv2, rsv3, opcode, masking_key, length_form, length })
}

fn short_length(short: u64) -> Text {
    match short {
        126 => "the length is in the next 16 bits".into(),
        127 => "the length is in the next 64 bits".into(),
        1 => "byte of payload".into(),
        _ => "bytes of payload".into(),
    }
}

fn extended_length(form: LengthForm) -> Text {
    match form {
        LengthForm::Bits64 => "bytes of payload, 64-bit form".into(),
        _ => "bytes of payload, 16-bit form".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Field;

    fn read(bytes: &[u8]) -> Result<FrameHeader, Short> {
        decode(bytes, SourceId::Input, 0, &mut ())
    }

    #[test]
    fn rfc6455_5_7_headers() {
        let hello = read(&[0x81, 0x05]).unwrap();
        assert_eq!((hello.fin, hello.opcode, hello.length), (true, Opcode::TEXT, 5));
        assert_eq!(hello.masking_key, None);
        let masked = read(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d]).unwrap();
        assert_eq!(masked.masking_key, Some([0x37, 0xfa, 0x21, 0x3d]));
        let first = read(&[0x01, 0x03]).unwrap();
        assert_eq!((first.fin, first.opcode), (false, Opcode::TEXT));
        let kib = read(&[0x82, 0x7E, 0x01, 0x00]).unwrap();
        assert_eq!((kib.length_form, kib.length), (LengthForm::Bits16, 256));
        let large = read(&[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]).unwrap();
        assert_eq!((large.length_form, large.length), (LengthForm::Bits64, 65536));
    }

    #[test]
    fn a_short_header_says_how_many_bytes_it_needs() {
        let cases: &[(&[u8], usize)] = &[
            (&[], 2),
            (&[0x81], 2),
            (&[0x81, 0x85], 6),
            (&[0x81, 0x7E, 0], 4),
            (&[0x81, 0xFE, 0, 0], 8),
            (&[0x81, 0xFF, 0, 0, 0], 10),
            (&[0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 1], 14),
        ];
        for (bytes, needed) in cases {
            assert_eq!(read(bytes), Err(Short { needed: *needed }), "{bytes:02x?}");
        }
    }

    #[test]
    fn all_64_bits_of_a_length_are_kept() {
        let header = read(&[0x82, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFC]).unwrap();
        assert_eq!(header.length, u64::MAX - 3);
    }

    #[test]
    fn every_bit_of_the_header_is_told_once() {
        let bytes = [0xC1, 0xFE, 0x00, 0x7C, 1, 2, 3, 4];
        let mut fields: Vec<Field> = Vec::new();
        let header = decode(&bytes, SourceId::Input, 3, &mut fields).unwrap();
        assert_eq!(header.header_length(), 8);
        let mut bit = 24;
        for field in &fields {
            assert_eq!(field.span.start, bit, "{}", field.def.id);
            bit = field.span.end;
        }
        assert_eq!(bit, 24 + 64);
    }
}
