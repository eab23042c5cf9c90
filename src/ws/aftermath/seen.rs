//! A frame as the rules of both endpoints look at it, and where the parts of it stand that findings point at.

use crate::limits;
use crate::model::{FrameHeader, Span, Time};
use crate::ws::judge::Context;

/// A complete frame.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// Its header.
    pub header: &'a FrameHeader,
    /// What is kept of its payload, all of it where that is no longer than a control frame's may be.
    pub payload: &'a [u8],
    /// Its number in the connection, from 1.
    pub n: u64,
    /// When its last byte was captured.
    pub time: Option<Time>,
    /// The packet that completed it, from 1; 0 when there are no packets.
    pub packet: u64,
    /// Who sent it, and where it stands.
    pub context: &'a Context,
}

impl Seen<'_> {
    fn bits(&self, from: u64, to: u64) -> Span {
        Span::bits(self.context.source, self.context.bit(from), self.context.bit(to))
    }

    /// So many bytes from the payload's first; where there is none, the length that says so.
    fn bytes(&self, length: u64) -> Span {
        let start = self.context.offset.saturating_add(self.header.header_length().into());
        match self.header.length {
            0 => self.bits(9, 16),
            _ => Span::bytes(self.context.source, start, length),
        }
    }

    /// Where its opcode stands: what is found about the frame being there at all.
    pub(super) fn opcode_at(&self) -> Span {
        self.bits(4, 8)
    }

    /// Where the payload stands; where there is none, the length that says so.
    pub(super) fn payload_at(&self) -> Span {
        self.bytes(self.header.length)
    }

    /// Where the code of a Close frame stands; likewise.
    pub(super) fn code_at(&self) -> Span {
        self.bytes(self.header.length.min(2))
    }

    /// The payload, as far as a control frame may have one.
    pub(super) fn control_payload(&self) -> &[u8] {
        &self.payload[..self.payload.len().min(limits::CONTROL_PAYLOAD as usize)]
    }
}
