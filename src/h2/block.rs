//! Header blocks: gathered from HEADERS or `PUSH_PROMISE` and the CONTINUATION behind it, and decoded.

use super::hpack::{Decoded, Line, Tables};
use super::reader::FrameSeen;
use super::{
    CONNECTION_FIELD, CONTINUATION_FLOOD, HEADERS_TOO_LARGE, HPACK, MALFORMED_HEAD, PADDING, TABLE_UNKNOWN,
};
use crate::limits;
use crate::model::http2::{FrameHeader, Kind};
use crate::model::{At, Dir, Finding, Piece, SourceId, Span, Text};

/// Header fields as an endpoint sent them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeadSeen {
    /// The stream that they are of.
    pub stream: u32,
    /// The stream that a `PUSH_PROMISE` announces with them.
    pub promised: Option<u32>,
    /// Their sender sends nothing behind them on the stream.
    pub ends_stream: bool,
    /// The header fields, as many as are kept.
    pub lines: Vec<Line>,
    /// How many of them refer to what is not known.
    pub unknown: u64,
    /// Where the first frame begins in the sender's stream.
    pub offset: u64,
    /// Bytes of the frames.
    pub length: u64,
    /// Which packets carried them.
    pub pieces: Vec<Piece>,
    /// Where the last byte came from.
    pub at: At,
    /// What is wrong with them. Spans are of the sender's stream.
    pub findings: Vec<Finding>,
    /// Where the parts of the block stand in the stream: offset in the block, offset in the stream.
    parts: Vec<(usize, u64)>,
}

impl HeadSeen {
    /// Bytes that it takes.
    pub fn cost(&self) -> usize {
        /// What a field takes besides what it says.
        const FIELD: usize = 128;
        let fields = self.lines.iter().map(|line| line.name.len() + line.value.len() + FIELD);
        size_of::<Self>() + fields.sum::<usize>() + self.pieces.len() * size_of::<Piece>()
    }

    /// Of the findings, those that concern the whole connection, whatever the stream is for.
    pub fn of_connection(&self) -> Vec<Finding> {
        let of_head = [&MALFORMED_HEAD, &CONNECTION_FIELD, &TABLE_UNKNOWN];
        self.findings.iter().filter(|finding| !of_head.contains(&finding.rule)).cloned().collect()
    }

    /// Where byte `at` of the block stands in the sender's stream.
    pub fn offset_of(&self, at: usize) -> u64 {
        let part = self.parts.iter().rev().find(|(from, _)| *from <= at);
        part.map_or(self.offset, |(from, offset)| offset + (at - from) as u64)
    }

    /// The packet and the byte in it where byte `at` of the block stands.
    pub fn place(&self, at: usize) -> Option<(u64, u32)> {
        let offset = self.offset_of(at);
        let piece =
            self.pieces.iter().find(|piece| (piece.offset..piece.offset + piece.len).contains(&offset))?;
        Some((piece.packet, piece.byte.saturating_add((offset - piece.offset) as u32)))
    }
}

/// A block under way.
#[derive(Debug, Default)]
pub(super) struct Block {
    head: HeadSeen,
    bytes: Vec<u8>,
    /// Bytes of it that were not kept.
    skipped: u64,
    continuations: u32,
}

impl Block {
    /// Begins with a HEADERS or `PUSH_PROMISE` frame.
    pub fn begin(frame: FrameSeen, dir: Dir) -> Self {
        let mut block = Self::default();
        block.head.stream = frame.header.stream;
        block.head.offset = frame.offset;
        block.head.ends_stream = frame.header.ends_stream();
        let has = |flag| frame.header.has(flag);
        let mut at = 0;
        let mut padding = 0;
        let payload = &frame.payload[..];
        if has(FrameHeader::PADDED) {
            padding = payload.first().copied().unwrap_or_default() as usize;
            at += 1;
        }
        if frame.header.kind == Kind::PUSH_PROMISE {
            block.head.promised = Some(frame.number(at).unwrap_or_default() & 0x7FFF_FFFF);
            at += 4;
        } else if has(FrameHeader::PRIORITY) {
            at += 5;
        }
        let length = frame.header.length as usize;
        let end = length.checked_sub(padding).filter(|end| *end >= at);
        if end.is_none() {
            let expected = Text::with("at most {} bytes of padding", length.saturating_sub(at));
            let span = Span::bytes(SENT, frame.offset + 9, 1);
            let got = Text::with("{} bytes", padding);
            block.head.findings.push(Finding::new(&PADDING, dir, expected, got).at(span));
        }
        block.add(&frame, at..end.unwrap_or(at));
        block
    }

    /// Goes on with a CONTINUATION frame.
    pub fn go_on(&mut self, frame: &FrameSeen) {
        self.continuations += 1;
        self.add(frame, 0..frame.header.length as usize);
    }

    /// The stream that it is of.
    pub fn stream(&self) -> u32 {
        self.head.stream
    }

    fn add(&mut self, frame: &FrameSeen, part: std::ops::Range<usize>) {
        let there = part.start.min(frame.payload.len())..part.end.min(frame.payload.len());
        let room = limits::H2_BLOCK.saturating_sub(self.bytes.len());
        let kept = there.len().min(room);
        self.skipped += (part.len() - kept) as u64;
        if kept > 0 && self.head.parts.len() < limits::PIECES_LISTED {
            self.head.parts.push((self.bytes.len(), frame.offset + 9 + part.start as u64));
        }
        self.bytes.extend_from_slice(&frame.payload[there.start..there.start + kept]);
        self.head.length += 9 + u64::from(frame.header.length);
        self.head.at = frame.at;
        let room = limits::PIECES_LISTED.saturating_sub(self.head.pieces.len());
        self.head.pieces.extend(frame.pieces.iter().take(room));
    }

    /// All of it is there.
    pub fn end(self, dir: Dir, tables: &mut Tables) -> HeadSeen {
        let Self { mut head, bytes, skipped, continuations } = self;
        let decoded = tables.decode(&bytes);
        let span = Span::bytes(SENT, head.offset, head.length);
        if continuations >= limits::H2_CONTINUATIONS {
            let got = Text::with("{} of them", continuations);
            let expected = Text::with("fewer than {}", limits::H2_CONTINUATIONS);
            head.findings.push(Finding::new(&CONTINUATION_FLOOD, dir, expected, got).at(span));
        }
        if skipped > 0 || decoded.is_bomb() {
            let got = match skipped {
                0 => Text::with("{} bytes, from {} bytes on the wire", decoded.size).and(bytes.len()),
                more => Text::with("{} bytes on the wire", bytes.len() as u64 + more),
            };
            let expected = Text::with("at most {} bytes", limits::H2_HEADERS);
            head.findings.push(Finding::new(&HEADERS_TOO_LARGE, dir, expected, got).at(span));
            if skipped > 0 {
                tables.lose();
            }
        }
        let Decoded { lines, fault, unknown, .. } = decoded;
        if let Some(fault) = fault.filter(|_| skipped == 0) {
            let span = Span::bytes(SENT, head.offset_of(fault.at.min(bytes.len().saturating_sub(1))), 1);
            head.findings.push(Finding::new(&HPACK, dir, fault.expected.into(), fault.got).at(span));
        }
        if unknown > 0 {
            let got = Text::with("{} of {} header fields", unknown).and(decoded.count);
            let expected = "a table that is known from its beginning".into();
            head.findings.push(Finding::new(&TABLE_UNKNOWN, None, expected, got));
        }
        (head.lines, head.unknown) = (lines, unknown);
        head
    }

    /// Bytes that it takes.
    pub fn cost(&self) -> usize {
        self.bytes.len() + self.head.pieces.len() * size_of::<Piece>()
    }
}

/// Stands for the sender's stream, until the connection has a number.
pub(super) const SENT: SourceId = SourceId::Input;
