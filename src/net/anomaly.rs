//! Findings about segments.

use super::tcp::Segment;
use super::{BAD_TCP_CHECKSUM, PACKET_TRUNCATED, TCP_OVERLAP_CONFLICT};
use crate::limits;
use crate::model::{At, Case, Finding, SourceId, Span, Text};

/// The segments of a flow that the capture cut.
#[derive(Debug)]
pub(super) struct Cut {
    /// Who sent the first of them.
    pub from: usize,
    pub at: At,
    count: u64,
    captured: u64,
    missing: u64,
    /// What is there of the first ones.
    spans: Vec<Span>,
}

impl Cut {
    #[cold]
    pub fn new(from: usize, at: At) -> Self {
        Self { from, at, count: 0, captured: 0, missing: 0, spans: Vec::new() }
    }

    pub fn add(&mut self, segment: &Segment<'_>) {
        self.count += 1;
        self.captured += segment.data.len() as u64;
        self.missing += u64::from(segment.missing);
        if self.spans.len() < limits::EVIDENCE {
            self.spans.push(data(segment));
        }
    }

    /// One finding for all of them, which names the first.
    pub fn finding(self) -> Finding {
        let expected = Text::with("{} bytes of TCP data in {} packets", self.captured + self.missing);
        let mut numbers = String::new();
        for span in &self.spans {
            if let SourceId::Packet { number } = span.source {
                let comma = if numbers.is_empty() { "" } else { ", " };
                numbers = format!("{numbers}{comma}{number}");
            }
        }
        if self.count > self.spans.len() as u64 {
            numbers.push_str(", …");
        }
        let got = Text::with("{} bytes; packets {}", self.captured).and(numbers);
        let mut finding = Finding::new(&PACKET_TRUNCATED, None, expected.and(self.count), got);
        finding.spans = self.spans;
        finding.like(Case::new("had packets of which only the beginning was captured".into(), Vec::new()))
    }
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
