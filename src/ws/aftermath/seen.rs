//! A frame as the rules of both endpoints look at it, and where its parts stand.

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
    /// Where its parts stand.
    pub(super) fn place(&self) -> Place {
        Place::of(self.header, self.context)
    }

    /// The payload, as far as a control frame may have one.
    pub(super) fn control_payload(&self) -> &[u8] {
        &self.payload[..self.payload.len().min(limits::CONTROL_PAYLOAD as usize)]
    }
}

/// Where the parts of a frame stand that findings point at.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// What is found about a frame being there at all.
    pub opcode: Span,
    /// The payload; where there is none, the length that says so.
    pub payload: Span,
    /// The code of a Close frame; likewise.
    pub code: Span,
}

impl Place {
    fn of(header: &FrameHeader, context: &Context) -> Self {
        let bits = |from, to| Span::bits(context.source, context.bit(from), context.bit(to));
        let start = context.offset.saturating_add(header.header_length().into());
        let bytes = |length| match header.length {
            0 => bits(9, 16),
            _ => Span::bytes(context.source, start, length),
        };
        Self { opcode: bits(4, 8), payload: bytes(header.length), code: bytes(header.length.min(2)) }
    }
}
