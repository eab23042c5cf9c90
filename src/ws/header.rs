//! The header of a frame: 2 to 14 bytes before the payload (RFC 6455 §5.2).

use crate::model::{FrameHeader, LengthForm, Opcode};

/// The longest header: two bytes, a 64-bit length, a masking key.
pub const LONGEST: usize = 14;

/// More bytes are needed: how many must be there in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// Bytes needed from the header's first on, as far as that is known yet.
    pub needed: usize,
}

/// Reads a header that begins with `bytes[0]`.
///
/// Reserved values, non-minimal lengths and a set top bit are read as they are; judging them is the
/// caller's affair, and so is saying where each bit stands, which `describe` does.
///
/// # Errors
/// [`Short`] says how many bytes the header needs, as far as that is known yet.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<FrameHeader, Short> {
    let [first, second, rest @ ..] = bytes else { return Err(Short { needed: 2 }) };
    let is_set = |bit: u8| first & bit != 0;
    let (length_form, length, rest) = match second & 0x7F {
        //= RFC 6455 §5.2
        //# If 126, the following 2 bytes interpreted as a
        //# 16-bit unsigned integer are the payload length.
        126 => {
            let (length, rest) = rest.split_first_chunk().ok_or(Short { needed: 4 })?;
            (LengthForm::Bits16, u16::from_be_bytes(*length).into(), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk().ok_or(Short { needed: 10 })?;
            (LengthForm::Bits64, u64::from_be_bytes(*length), rest)
        }
        short => (LengthForm::Bits7, short.into(), rest),
    };
    let masking_key = if second & 0x80 == 0 {
        None
    } else {
        let needed = bytes.len() - rest.len() + 4;
        Some(*rest.first_chunk().ok_or(Short { needed })?)
    };
    Ok(FrameHeader {
        fin: is_set(0x80),
        rsv1: is_set(0x40),
        rsv2: is_set(0x20),
        rsv3: is_set(0x10),
        opcode: Opcode(first & 0x0F),
        masking_key,
        length_form,
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6455_5_7_headers() {
        let hello = decode(&[0x81, 0x05]).unwrap();
        assert_eq!((hello.fin, hello.opcode, hello.length), (true, Opcode::TEXT, 5));
        assert_eq!(hello.masking_key, None);
        let masked = decode(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d]).unwrap();
        assert_eq!(masked.masking_key, Some([0x37, 0xfa, 0x21, 0x3d]));
        let first = decode(&[0x01, 0x03]).unwrap();
        assert_eq!((first.fin, first.opcode), (false, Opcode::TEXT));
        let kib = decode(&[0x82, 0x7E, 0x01, 0x00]).unwrap();
        assert_eq!((kib.length_form, kib.length), (LengthForm::Bits16, 256));
        let large = decode(&[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]).unwrap();
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
            assert_eq!(decode(bytes), Err(Short { needed: *needed }), "{bytes:02x?}");
        }
    }

    #[test]
    fn all_64_bits_of_a_length_are_kept() {
        let header = decode(&[0x82, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFC]).unwrap();
        assert_eq!(header.length, u64::MAX - 3);
    }
}
