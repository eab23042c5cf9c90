//! Frames for exercises, written by the tool's own encoder.

use crate::lesson::hex;
use crate::model::{FrameHeader, LengthForm, Opcode};
use crate::synth::Rng;
use crate::ws::encode;

/// A header of a whole message, its length in the shortest form.
pub(super) fn header(opcode: Opcode, masking_key: Option<[u8; 4]>, length: u64) -> FrameHeader {
    let length_form = LengthForm::minimal(length);
    FrameHeader { fin: true, opcode, masking_key, length_form, length, ..FrameHeader::default() }
}

/// The bytes of a header.
pub(super) fn header_bytes(header: &FrameHeader) -> Vec<u8> {
    let mut out = Vec::new();
    encode::header(header, &mut out);
    out
}

/// The bytes of a frame with this header.
pub(super) fn bytes(header: &FrameHeader, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::frame(header, payload, &mut out);
    out
}

/// A message in one frame.
pub(super) fn whole(opcode: Opcode, masking_key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    bytes(&header(opcode, masking_key, payload.len() as u64), payload)
}

/// Bytes as a block of code in Markdown, in rows that fit a terminal.
pub(super) fn block(bytes: &[u8]) -> String {
    let rows = bytes.chunks(24).map(|row| format!("    {}", hex(row)));
    rows.collect::<Vec<_>>().join("\n")
}

/// A masking key of a client's frame.
pub(super) fn masking_key(rng: &mut Rng) -> [u8; 4] {
    let mut key = [0; 4];
    rng.fill(&mut key);
    key
}
