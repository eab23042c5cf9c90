//! Header fields of HTTP/2, written as HTTP/1 has them: what reads a handshake reads both.

use std::ops::Range;

use crate::h2::HeadSeen;
use crate::http::head::{Head, HeaderLine, Part, StartLine};
use crate::model::{Dir, Piece, SourceId};

/// A head as text.
pub(super) struct Written {
    pub bytes: Vec<u8>,
    /// The three parts of the first line.
    start: [Range<usize>; 3],
    lines: Vec<[Range<usize>; 2]>,
    /// Which packets carried what became which part of the text.
    pub pieces: Vec<Piece>,
    is_response: bool,
}

/// What stands for what is not known.
const UNKNOWN: &[u8] = b"?";

impl Written {
    /// Writes header fields that `dir` sent.
    pub fn of(head: &HeadSeen, dir: Dir) -> Self {
        let is_response = dir == Dir::Server;
        let value = |name: &[u8]| {
            let line = head.lines.iter().find(|line| line.name == name);
            line.map(|line| if line.is_known { &line.value[..] } else { UNKNOWN })
        };
        let target = || value(b":path").or_else(|| value(b":authority")).unwrap_or(UNKNOWN);
        let words: [&[u8]; 3] = if is_response {
            [b"HTTP/2", value(b":status").unwrap_or(UNKNOWN), b""]
        } else {
            [value(b":method").unwrap_or(UNKNOWN), target(), b"HTTP/2"]
        };
        let mut bytes = Vec::new();
        let start = words.map(|word| {
            if !bytes.is_empty() && !word.is_empty() {
                bytes.push(b' ');
            }
            put(&mut bytes, word)
        });
        bytes.extend_from_slice(b"\r\n");
        let mut marks = vec![(0, 0)];
        let lines = head.lines.iter().map(|line| {
            marks.push((bytes.len(), line.at.start));
            let name = put(&mut bytes, if line.name.is_empty() { UNKNOWN } else { &line.name });
            bytes.extend_from_slice(b": ");
            let value = put(&mut bytes, if line.is_known { &line.value } else { UNKNOWN });
            bytes.extend_from_slice(b"\r\n");
            [name, value]
        });
        let lines = lines.collect();
        bytes.extend_from_slice(b"\r\n");
        let ends = marks.iter().skip(1).map(|(at, _)| *at).chain([bytes.len()]);
        let pieces = marks.iter().zip(ends).filter_map(|((at, block), end)| {
            let (packet, byte) = head.place(*block)?;
            Some(Piece { offset: *at as u64, len: (end - at) as u64, packet, byte })
        });
        let pieces = pieces.collect();
        Self { bytes, start, lines, pieces, is_response }
    }

    /// The head, whose text begins at byte `offset` of `source`.
    pub fn head(&self, source: SourceId, offset: u64) -> Head<'_> {
        let part = |range: &Range<usize>| Part { bytes: &self.bytes[range.clone()], at: range.start };
        let [first, second, third] = [0, 1, 2].map(|n| part(&self.start[n]));
        let start = if self.is_response {
            StartLine::Response { version: first, status: second, reason: third }
        } else {
            StartLine::Request { method: first, target: second, version: third }
        };
        let line = |[name, value]: &[Range<usize>; 2]| HeaderLine { name: part(name), value: part(value) };
        Head::written(&self.bytes, source, offset, start, self.lines.iter().map(line).collect())
    }

    /// The pieces, where the text begins at byte `offset` of its source.
    pub fn pieces_from(&self, offset: u64) -> Vec<Piece> {
        self.pieces.iter().map(|piece| Piece { offset: piece.offset + offset, ..*piece }).collect()
    }
}

/// Writes `word`, and gives where it stands. What would end the line is left out.
fn put(to: &mut Vec<u8>, word: &[u8]) -> Range<usize> {
    let start = to.len();
    to.extend(word.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
    start..to.len()
}
