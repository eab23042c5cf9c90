//! Findings about segments.

use super::tcp::Segment;
use super::{BAD_TCP_CHECKSUM, PACKET_TRUNCATED, TCP_OVERLAP_CONFLICT};
use crate::model::{Finding, SourceId, Span, Text};

/// The capture cut the segment.
#[cold]
pub(super) fn truncated(segment: &Segment<'_>) -> Finding {
    let captured = segment.data.len();
    let expected = Text::with("{} bytes of TCP data", captured + segment.missing as usize);
    Finding::new(&PACKET_TRUNCATED, None, expected, Text::with("{} bytes", captured)).at(data(segment))
}

/// The segment repeats sequence numbers with other bytes.
#[cold]
pub(super) fn conflict(segment: &Segment<'_>) -> Finding {
    let expected = "the same bytes at the same sequence numbers".into();
    let got = "other bytes than those captured first".into();
    Finding::new(&TCP_OVERLAP_CONFLICT, None, expected, got).at(data(segment))
}

/// The segment's checksum is `got` and should be `expected`.
#[cold]
pub(super) fn bad_checksum(segment: &Segment<'_>, expected: u16, got: u16) -> Finding {
    let header = segment.whole.len() - segment.data.len();
    let field = u64::from(segment.at.byte) + 16 - header as u64;
    let hex = |sum: u16| Text::with("{}", format_args!("0x{sum:04x}"));
    let span = Span::bytes(SourceId::Packet { number: segment.at.packet }, field, 2);
    Finding::new(&BAD_TCP_CHECKSUM, None, hex(expected), hex(got)).at(span)
}

fn data(segment: &Segment<'_>) -> Span {
    let packet = SourceId::Packet { number: segment.at.packet };
    Span::bytes(packet, segment.at.byte.into(), segment.data.len() as u64)
}
