//! Cuts the bytes of one endpoint into frames, whatever pieces they come in.

use crate::limits;
use crate::model::http2::{FrameHeader, HEADER, Kind, PREFACE};
use crate::model::{At, Piece};

/// Bytes that one endpoint sent and one packet carried.
#[derive(Clone, Copy, Debug)]
pub struct Run<'b> {
    /// The bytes.
    pub bytes: &'b [u8],
    /// Where they come from.
    pub at: At,
    /// Where the first of them stands in the sender's stream.
    pub offset: u64,
}

impl Run<'_> {
    /// Takes the first `count` bytes.
    #[must_use]
    pub fn take(&mut self, count: usize) -> Self {
        let count = count.min(self.bytes.len());
        let (bytes, rest) = self.bytes.split_at(count);
        let taken = Self { bytes, ..*self };
        self.bytes = rest;
        self.offset += count as u64;
        self.at.byte = self.at.byte.saturating_add(count as u32);
        taken
    }
}

/// A frame as it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrameSeen {
    /// What its header says.
    pub header: FrameHeader,
    /// Where its header begins in the sender's stream.
    pub offset: u64,
    /// Its payload as far as it is kept; of DATA nothing.
    pub payload: Vec<u8>,
    /// Which packets carried it.
    pub pieces: Vec<Piece>,
    /// Where its last byte came from.
    pub at: At,
    /// Padding of DATA, the byte that says how much included.
    pub padding: u32,
}

impl FrameSeen {
    /// Whether the padding of DATA is longer than the frame.
    pub fn is_badly_padded(&self) -> bool {
        self.padding > self.header.length
    }

    /// Notes which packet the next of its bytes came with.
    pub(super) fn came(&mut self, part: &Run<'_>) {
        self.at = part.at;
        let (At { packet, byte, .. }, offset, len) = (part.at, part.offset, part.bytes.len() as u64);
        if packet == 0 {
            return;
        }
        let goes_on = |last: &&mut Piece| last.packet == packet && last.offset + last.len == offset;
        if let Some(last) = self.pieces.last_mut().filter(goes_on) {
            last.len += len;
        } else if self.pieces.len() < limits::PIECES_LISTED {
            self.pieces.push(Piece { offset, len, packet, byte });
        }
    }

    /// The number of 32 bits at byte `at` of the payload.
    pub fn number(&self, at: usize) -> Option<u32> {
        self.payload.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
    }

    /// What SETTINGS set: identifier and value each (RFC 9113 §6.5.1).
    pub fn settings(&self) -> impl Iterator<Item = (u16, u32)> {
        self.payload
            .as_chunks()
            .0
            .iter()
            .map(|[a, b, value @ ..]: &[u8; 6]| (u16::from_be_bytes([*a, *b]), u32::from_be_bytes(*value)))
    }

    /// The error code of `RST_STREAM` or GOAWAY.
    pub fn error_code(&self) -> Option<u32> {
        let at = match self.header.kind {
            Kind::RST_STREAM => 0,
            Kind::GOAWAY => 4,
            _ => return None,
        };
        self.number(at)
    }

    /// The error code of a GOAWAY, and what it says besides.
    pub fn goaway(&self) -> Option<(u32, &[u8])> {
        Some((self.error_code()?, self.payload.get(8..)?))
    }

    /// Whether it is the client's preface, which has no header.
    pub fn is_preface(&self) -> bool {
        self.header == FrameHeader::default() && self.payload.len() == PREFACE.len()
    }

    /// Header and payload as they stand on the wire, as far as they are kept.
    pub fn bytes(&self) -> Vec<u8> {
        if self.is_preface() {
            self.payload.clone()
        } else {
            [&self.header.written(), &self.payload[..]].concat()
        }
    }

    /// Bytes that it has on the wire.
    pub fn length(&self) -> u64 {
        let header = if self.is_preface() { self.payload.len() } else { HEADER };
        header as u64 + u64::from(self.header.length)
    }

    /// Bytes that keeping it takes.
    pub fn cost(&self) -> usize {
        size_of::<Self>() + self.payload.len() + self.pieces.len() * size_of::<Piece>()
    }
}

/// What a reader has read.
#[derive(Debug)]
pub(super) enum Read<'b> {
    /// A frame's header; its payload comes next.
    Header(FrameHeader),
    /// A piece of the DATA of a stream, without padding.
    Data(u32, Run<'b>),
    /// A whole frame.
    Frame(Box<FrameSeen>),
}

/// Reads frames.
#[derive(Debug, Default)]
pub(super) struct Reader {
    head: [u8; HEADER],
    have: usize,
    frame: FrameSeen,
    /// The header was given, and the payload is under way.
    is_open: bool,
    /// Bytes of the payload that are still to come.
    left: u32,
    /// Bytes of padding behind the data, once they are known.
    padding: Option<u32>,
}

impl Reader {
    /// The frame under way, if its header was read, and how many bytes of it are to come.
    pub fn under_way(&self) -> Option<(FrameHeader, u32)> {
        self.is_open.then_some((self.frame.header, self.left))
    }

    /// Takes the next step; `None` once all bytes are used.
    pub fn next<'b>(&mut self, run: &mut Run<'b>) -> Option<Read<'b>> {
        if !self.is_open {
            return self.header(run);
        }
        if self.frame.header.kind == Kind::DATA {
            return self.data(run);
        }
        if self.left > 0 {
            let taken = self.part(run, self.left as usize)?;
            let kept = match self.frame.header.kind {
                Kind::HEADERS | Kind::CONTINUATION | Kind::PUSH_PROMISE => limits::H2_BLOCK,
                _ => limits::H2_FRAME_KEPT,
            };
            let room = kept.saturating_sub(self.frame.payload.len());
            self.frame.payload.extend_from_slice(&taken.bytes[..taken.bytes.len().min(room)]);
        }
        (self.left == 0).then(|| self.close())
    }

    /// Skips `length` bytes that are missing, if all of them are within the DATA of a frame.
    pub fn skip(&mut self, length: u64) -> bool {
        let is_data = self.is_open && self.frame.header.kind == Kind::DATA;
        let data =
            self.padding.filter(|_| is_data).map(|padding| u64::from(self.left.saturating_sub(padding)));
        let is_within = data.is_some_and(|data| length <= data);
        if is_within {
            self.left -= length as u32;
        }
        is_within
    }

    fn header<'b>(&mut self, run: &mut Run<'b>) -> Option<Read<'b>> {
        if self.have == 0 {
            self.frame.offset = run.offset;
        }
        let taken = self.note(run, HEADER - self.have)?;
        self.head[self.have..][..taken.bytes.len()].copy_from_slice(taken.bytes);
        self.have += taken.bytes.len();
        if self.have < HEADER {
            return None;
        }
        self.have = 0;
        self.is_open = true;
        let header = FrameHeader::read(self.head);
        self.frame.header = header;
        self.left = header.length;
        let is_padded = header.kind == Kind::DATA && header.has(FrameHeader::PADDED);
        self.padding = (!is_padded).then_some(0);
        Some(Read::Header(header))
    }

    fn data<'b>(&mut self, run: &mut Run<'b>) -> Option<Read<'b>> {
        if self.padding.is_none() && self.left > 0 {
            let taken = self.part(run, 1)?;
            let padding = u32::from(taken.bytes[0]);
            self.frame.padding = padding + 1;
            // Where it is longer than the frame nobody knows what is data: all is skipped.
            self.padding = Some(padding.min(self.left));
        }
        let padding = self.padding.unwrap_or_default();
        if self.left > padding {
            let taken = self.part(run, (self.left - padding) as usize)?;
            return Some(Read::Data(self.frame.header.stream, taken));
        }
        if self.left > 0 {
            self.part(run, self.left as usize)?;
        }
        (self.left == 0).then(|| self.close())
    }

    /// Takes a part of the payload.
    fn part<'b>(&mut self, run: &mut Run<'b>, most: usize) -> Option<Run<'b>> {
        let taken = self.note(run, most)?;
        self.left -= taken.bytes.len() as u32;
        Some(taken)
    }

    /// Takes bytes, and notes which packet they came with.
    fn note<'b>(&mut self, run: &mut Run<'b>, most: usize) -> Option<Run<'b>> {
        let taken = run.take(most);
        if taken.bytes.is_empty() {
            return None;
        }
        self.frame.came(&taken);
        Some(taken)
    }

    fn close<'b>(&mut self) -> Read<'b> {
        self.is_open = false;
        Read::Frame(Box::new(std::mem::take(&mut self.frame)))
    }

    /// Bytes that what is under way takes.
    pub fn cost(&self) -> usize {
        self.frame.cost()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], size: usize) -> Vec<String> {
        let mut reader = Reader::default();
        let (mut said, mut data) = (Vec::new(), Vec::new());
        for (n, piece) in bytes.chunks(size).enumerate() {
            let mut run = Run { bytes: piece, at: At::default(), offset: (n * size) as u64 };
            while let Some(read) = reader.next(&mut run) {
                match read {
                    Read::Header(_) => {}
                    Read::Data(_, piece) => data.extend_from_slice(piece.bytes),
                    Read::Frame(frame) => {
                        let data = std::mem::take(&mut data);
                        let is_badly_padded = frame.is_badly_padded();
                        let FrameSeen { header, offset, payload, padding, .. } = *frame;
                        said.push(format!(
                            "{} {offset} {payload:?} {data:?} {padding} {is_badly_padded}",
                            header.kind.shown()
                        ));
                    }
                }
            }
        }
        said
    }

    #[test]
    fn any_pieces_make_the_same_frames() {
        let bytes = [
            &[0, 0, 0, 4, 1, 0, 0, 0, 0][..],
            &[0, 0, 3, 0, 0, 0, 0, 0, 1, 7, 8, 9],
            &[0, 0, 5, 0, 8, 0, 0, 0, 1, 2, 7, 8, 0, 0],
            &[0, 0, 2, 0, 8, 0, 0, 0, 1, 9, 9],
            &[0, 0, 1, 0xAB, 0, 0, 0, 0, 0, 5],
            &[0, 0, 0, 0, 1, 0, 0, 0, 1],
        ]
        .concat();
        let whole = read(&bytes, usize::MAX);
        assert_eq!(
            whole,
            [
                "SETTINGS 0 [] [] 0 false",
                "DATA 9 [] [7, 8, 9] 0 false",
                "DATA 21 [] [7, 8] 3 false",
                "DATA 35 [] [] 10 true",
                "0xab 46 [5] [] 0 false",
                "DATA 56 [] [] 0 false"
            ]
        );
        for size in 1..20 {
            assert_eq!(read(&bytes, size), whole, "{size}");
        }
    }
}
