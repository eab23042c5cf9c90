//! Writing frames: the inverse of reading them.
//!
//! Nothing here refuses anything. A header is written as it is described, also
//! when it breaks a rule: that is how the frames of lessons and tests are made.

use crate::model::{CloseCode, FrameHeader, LengthForm, Opcode};

use super::mask;

/// Appends the 2 to 14 bytes of a header (RFC 6455 §5.2).
///
/// The length takes the form asked for, even when a shorter one would do or
/// the top bit of 64 is set. Of a length too large for its form the low bits
/// are written.
pub fn header(header: &FrameHeader, out: &mut Vec<u8>) {
    let bit = |set, place: u8| u8::from(set) << place;
    out.push(
        bit(header.fin, 7)
            | bit(header.rsv1, 6)
            | bit(header.rsv2, 5)
            | bit(header.rsv3, 4)
            | header.opcode.0 & 0x0F,
    );
    let mask = bit(header.masking_key.is_some(), 7);
    //= RFC 6455 §5.2
    //# Multibyte length quantities are expressed in network byte order.
    match header.length_form {
        LengthForm::Bits7 => out.push(mask | header.length as u8 & 0x7F),
        LengthForm::Bits16 => {
            out.push(mask | 0x7E);
            out.extend_from_slice(&(header.length as u16).to_be_bytes());
        }
        LengthForm::Bits64 => {
            out.push(mask | 0x7F);
            out.extend_from_slice(&header.length.to_be_bytes());
        }
    }
    //= RFC 6455 §5.2
    //# This field is present if the mask bit is set to 1 and is absent if the mask bit is set to 0.
    if let Some(key) = header.masking_key {
        out.extend_from_slice(&key);
    }
}

/// Appends a whole frame: the header, and the payload masked with its key if
/// it has one.
///
/// `payload` is written in full whatever length the header declares.
pub fn frame(frame: &FrameHeader, payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(usize::from(frame.header_length()) + payload.len());
    header(frame, out);
    match frame.masking_key {
        Some(key) => mask::append(out, payload, key, 0),
        None => out.extend_from_slice(payload),
    }
}

/// A whole message in one frame, or a control frame, as the RFC asks: with the shortest form of the
/// length, and masked if there is a key.
pub fn whole(opcode: Opcode, masking_key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frame(&FrameHeader::of(opcode, masking_key, payload.len() as u64), payload, &mut out);
    out
}

/// The payload of a Close frame that says why (RFC 6455 §5.5.1). Neither the code nor the length of
/// `reason`, at most 123 bytes of UTF-8, is checked.
//= RFC 6455 §5.5.1
//# the first two bytes of the body MUST be a 2-byte unsigned integer (in network byte order) representing a
//# status code
pub fn close(code: CloseCode, reason: &[u8]) -> Vec<u8> {
    [&code.0.to_be_bytes(), reason].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    fn plain(opcode: Opcode, length: u64) -> FrameHeader {
        FrameHeader::of(opcode, None, length)
    }

    fn written(header: &FrameHeader, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        frame(header, payload, &mut out);
        out
    }

    /// RFC 6455 §5.7, in its order.
    #[test]
    fn the_examples_of_the_rfc() {
        let hello = plain(Opcode::TEXT, 5);
        assert_eq!(written(&hello, b"Hello"), [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]);
        assert_eq!(
            written(&FrameHeader { masking_key: Some(KEY), ..hello }, b"Hello"),
            [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        );
        let hel = FrameHeader { fin: false, ..plain(Opcode::TEXT, 3) };
        assert_eq!(written(&hel, b"Hel"), [0x01, 0x03, 0x48, 0x65, 0x6C]);
        assert_eq!(written(&plain(Opcode::CONTINUATION, 2), b"lo"), [0x80, 0x02, 0x6C, 0x6F]);
        assert_eq!(written(&plain(Opcode::PING, 5), b"Hello"), [0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]);
        assert_eq!(
            written(&FrameHeader { masking_key: Some(KEY), ..plain(Opcode::PONG, 5) }, b"Hello"),
            [0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        );
        let bytes = written(&plain(Opcode::BINARY, 256), &[0; 256]);
        assert_eq!((&bytes[..4], bytes.len()), (&[0x82, 0x7E, 0x01, 0x00][..], 260));
        let bytes = written(&plain(Opcode::BINARY, 65536), &vec![0; 65536]);
        assert_eq!((&bytes[..10], bytes.len()), (&[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0][..], 65546));
    }

    /// RFC 6455 §5.5.1: the code in network byte order, then the reason.
    #[test]
    fn a_close_frame_says_why() {
        let body = close(CloseCode(1001), b"bye");
        assert_eq!(whole(Opcode::CLOSE, None, &body), [0x88, 0x05, 0x03, 0xE9, b'b', b'y', b'e']);
        assert_eq!(whole(Opcode::CLOSE, Some([0xFF; 4]), b""), [0x88, 0x80, 0xFF, 0xFF, 0xFF, 0xFF]);
    }

    #[test]
    fn every_bit_has_its_place() {
        let all = FrameHeader {
            fin: false,
            rsv1: true,
            rsv2: false,
            rsv3: true,
            opcode: Opcode(0xB),
            masking_key: Some([1, 2, 3, 4]),
            length_form: LengthForm::Bits16,
            length: 0x1234,
        };
        let mut out = Vec::new();
        header(&all, &mut out);
        assert_eq!(out, [0b0101_1011, 0xFE, 0x12, 0x34, 1, 2, 3, 4]);
        assert_eq!(out.len(), usize::from(all.header_length()));
    }

    #[test]
    fn a_length_is_written_in_the_form_asked_for() {
        let cases: &[(LengthForm, u64, &[u8])] = &[
            (LengthForm::Bits7, 125, &[0x82, 0x7D]),
            (LengthForm::Bits16, 126, &[0x82, 0x7E, 0x00, 0x7E]),
            (LengthForm::Bits16, 0xFFFF, &[0x82, 0x7E, 0xFF, 0xFF]),
            (LengthForm::Bits64, 0x1_0000, &[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]),
            // RFC 6455 §5.2: 124 "can't be encoded as the sequence 126, 0, 124"; here it can.
            (LengthForm::Bits16, 124, &[0x82, 0x7E, 0x00, 0x7C]),
            (LengthForm::Bits64, 1, &[0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0, 1]),
            (LengthForm::Bits64, u64::MAX, &[0x82, 0x7F, 255, 255, 255, 255, 255, 255, 255, 255]),
            (LengthForm::Bits7, 0x181, &[0x82, 0x01]),
        ];
        for &(length_form, length, expected) in cases {
            let mut out = Vec::new();
            header(&FrameHeader { length_form, ..plain(Opcode::BINARY, length) }, &mut out);
            assert_eq!(out, expected, "{length} in {} bits", length_form.bits());
        }
    }
}
