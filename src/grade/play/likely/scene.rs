//! What went over the wire of a case, taken apart as far as it was kept: what was sent is known to the bit,
//! also how it would read to somebody who makes a mistake.

use std::ops::Range;
use std::time::Duration;

use crate::model::grade::WirePiece;
use crate::model::{Dir, FrameHeader, Opcode};
use crate::ws::{header, mask};

/// A frame on the wire.
#[derive(Clone, Debug)]
pub struct Framed {
    /// Its header, as written.
    pub header: FrameHeader,
    /// Where it begins.
    pub at: usize,
    /// Where its payload stands, as far as it was kept.
    pub payload: Range<usize>,
}

/// Both directions behind the opening handshake.
#[derive(Debug, Default)]
pub struct Scene {
    /// What was sent to the peer.
    pub ours: Vec<u8>,
    /// Where a write ended.
    cuts: Vec<usize>,
    /// What came from it.
    pub theirs: Vec<u8>,
    /// Our frames.
    pub sent: Vec<Framed>,
    /// The peer's.
    pub came: Vec<Framed>,
    /// When the first of our frames went out, since the case began.
    pub began: Duration,
}

impl Scene {
    /// Takes apart what was kept.
    pub fn of(us: Dir, wire: &[WirePiece]) -> Self {
        let (ours, cuts) = stream(us, wire);
        let (theirs, _) = stream(us.peer(), wire);
        // Writes of the head alone come first.
        let writes: Vec<_> = wire.iter().filter(|piece| piece.from == us).collect();
        let heads = writes.len() - cuts.iter().filter(|cut| **cut > 0).count();
        let began = writes.get(heads).map(|piece| piece.after).unwrap_or_default();
        Self { sent: frames(&ours), came: frames(&theirs), ours, cuts, theirs, began }
    }

    /// The data frames that were sent, message by message, without those that are compressed: what they would
    /// read to whom is another matter.
    pub fn messages(&self) -> Vec<Vec<&Framed>> {
        let mut messages: Vec<Vec<&Framed>> = Vec::new();
        for frame in self.sent.iter().filter(|frame| !frame.header.opcode.is_control()) {
            match messages.last_mut() {
                Some(message) if frame.header.opcode == Opcode::CONTINUATION => message.push(frame),
                _ => messages.push(vec![frame]),
            }
        }
        messages.retain(|message| !message[0].header.rsv1);
        messages
    }

    /// The payload of our frame as it was meant.
    pub fn plain(&self, frame: &Framed) -> Vec<u8> {
        unmasked(&self.ours, frame)
    }

    /// The same of the peer's.
    pub fn theirs(&self, frame: &Framed) -> Vec<u8> {
        unmasked(&self.theirs, frame)
    }

    /// A message as somebody reads it who does this with each masking key.
    pub fn misread(&self, message: &[&Framed], key: impl Fn([u8; 4]) -> [u8; 4]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for frame in message {
            let key = key(frame.header.masking_key.unwrap_or_default());
            mask::append(&mut bytes, &self.ours[frame.payload.clone()], key, 0);
        }
        bytes
    }

    /// Where in its payload the masking key began anew for somebody who read `got` of a message, each time at
    /// the beginning of a write. Several writes may have come in one read.
    pub fn key_restarts(&self, message: &[&Framed], got: &[u8]) -> Option<usize> {
        let mut got = got;
        let mut first = None;
        let mut before = 0;
        for frame in message {
            let key = frame.header.masking_key?;
            let Range { start, end } = frame.payload;
            let within = self.cuts.iter().copied().filter(|cut| (start + 1..end).contains(cut));
            let ends: Vec<usize> = within.chain([end]).collect();
            let (mut at, mut began) = (start, start);
            for end in ends {
                let count = (end - at).min(got.len());
                let piece = &self.ours[at..at + count];
                let reads = |phase| {
                    let mut bytes = Vec::new();
                    mask::append(&mut bytes, piece, key, phase);
                    bytes == got[..count]
                };
                if !reads(at - began) {
                    if !reads(0) {
                        return None;
                    }
                    began = at;
                    first.get_or_insert(before + at - start);
                }
                got = &got[count..];
                at = end;
            }
            before += end - start;
        }
        first
    }

    /// Whether what came ends within a frame, as far as it was kept.
    pub fn is_cut(&self) -> bool {
        let is_whole = |frame: &Framed| frame.header.length == frame.payload.len() as u64;
        let end = self.came.last().map_or(0, |frame| frame.payload.end);
        !self.came.last().is_none_or(is_whole) || end < self.theirs.len()
    }

    /// Bytes of a payload that came with the first write that has any of it.
    pub fn in_first_write(&self, frame: &Framed) -> usize {
        let Range { start, end } = frame.payload;
        self.cuts.iter().find(|cut| **cut > start).map_or(end, |cut| (*cut).min(end)) - start
    }
}

/// What one side sent behind its head, and where writes ended.
fn stream(from: Dir, wire: &[WirePiece]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut cuts = Vec::new();
    for piece in wire.iter().filter(|piece| piece.from == from) {
        bytes.extend_from_slice(&piece.bytes);
        cuts.push(bytes.len());
    }
    let mut begin = 0;
    // Over HTTP/2 there is no head here.
    let is_head = |bytes: &[u8]| match from {
        Dir::Client => bytes.starts_with(b"GET "),
        Dir::Server => bytes.starts_with(b"HTTP/1."),
    };
    while is_head(&bytes[begin..]) {
        let end = bytes[begin..].windows(4).position(|it| it == b"\r\n\r\n");
        begin = end.map_or(bytes.len(), |end| begin + end + 4);
    }
    bytes.drain(..begin);
    let cuts = cuts.into_iter().filter_map(|cut| cut.checked_sub(begin)).collect();
    (bytes, cuts)
}

/// The frames of a stream, to the last whose header is whole.
fn frames(bytes: &[u8]) -> Vec<Framed> {
    let mut frames = Vec::new();
    let mut at = 0;
    while let Ok(header) = header::decode(&bytes[at..]) {
        let start = at + usize::from(header.header_length());
        let rest = bytes.len() - start;
        let length = usize::try_from(header.length).unwrap_or(usize::MAX).min(rest);
        frames.push(Framed { header, at, payload: start..start + length });
        at = start + length;
    }
    frames
}

fn unmasked(bytes: &[u8], frame: &Framed) -> Vec<u8> {
    let mut bytes = bytes[frame.payload.clone()].to_vec();
    if let Some(key) = frame.header.masking_key {
        mask::apply(&mut bytes, key, 0);
    }
    bytes
}
