//! Where frames begin in bytes of which nothing is known: headers that lead from one to the next.

use crate::limits;
use crate::model::At;
use crate::model::http2::{FrameHeader, HEADER, Kind};

/// Bytes of one direction in which frames are looked for.
#[derive(Debug, Default)]
pub struct Chain {
    /// Where in the stream the first of them stands.
    offset: u64,
    bytes: Vec<u8>,
    /// Where packets begin among them, and what they are.
    marks: Vec<(usize, At)>,
    /// Where the first of a chain of frames begins.
    found: Option<usize>,
}

impl Chain {
    /// Takes the bytes of a packet.
    pub fn push(&mut self, bytes: &[u8], at: At, offset: u64) {
        if self.bytes.is_empty() {
            self.offset = offset;
        }
        // Mostly one packet tells, and there may be very many connections.
        if self.marks.is_empty() {
            self.marks.reserve_exact(1);
        }
        self.marks.push((self.bytes.len(), at));
        self.bytes.extend_from_slice(bytes);
        // Frames begin where packets do, mostly.
        let mut from = None;
        for (mark, _) in &self.marks {
            match self.leads(*mark) {
                Some(count) if count >= limits::H2_CHAIN => self.found = self.found.or(Some(*mark)),
                Some(_) => from = from.or(Some(*mark)),
                None => {}
            }
        }
        if self.found.is_some() {
            return;
        }
        // What leads nowhere is not needed any more.
        let is_full = self.bytes.len() > limits::H2_TRIAL;
        let next = |mark: usize| self.marks.iter().map(|(mark, _)| *mark).find(|other| *other > mark);
        let from = if is_full { from.and_then(next) } else { from };
        let Some(from) = from else {
            *self = Self::default();
            return;
        };
        self.bytes.drain(..from);
        self.offset += from as u64;
        self.marks.retain(|(mark, _)| *mark >= from);
        self.marks.iter_mut().for_each(|(mark, _)| *mark -= from);
    }

    /// Whether what there is may become frames.
    pub fn is_promising(&self) -> bool {
        self.marks.iter().any(|(mark, _)| self.leads(*mark).is_some_and(|count| count > 0))
    }

    /// How many headers lead from one to the next, from here on; `None` once one leads to none.
    fn leads(&self, start: usize) -> Option<usize> {
        let (mut at, mut count) = (start, 0);
        while let Some(header) = self.bytes.get(at..at + HEADER) {
            let header = FrameHeader::read(header.try_into().ok()?);
            if !is_plausible(header) {
                return None;
            }
            count += 1;
            at += HEADER + header.length as usize;
        }
        may_begin(self.bytes.get(at..).unwrap_or_default()).then_some(count)
    }

    /// Whether there is nothing that may become frames.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes are held.
    pub fn held(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether frames were found.
    pub fn is_found(&self) -> bool {
        self.found.is_some()
    }

    /// The bytes from the first frame on, as they came: offset in the stream, origin, bytes.
    pub fn into_pieces(self) -> Vec<(u64, At, Vec<u8>)> {
        let from = self.found.unwrap_or_default();
        let ends: Vec<usize> =
            self.marks.iter().skip(1).map(|(mark, _)| *mark).chain([self.bytes.len()]).collect();
        let pieces = self.marks.iter().zip(ends).filter(|((mark, _), _)| *mark >= from);
        pieces
            .map(|((mark, at), end)| (self.offset + *mark as u64, *at, self.bytes[*mark..end].to_vec()))
            .collect()
    }

    /// Bytes that it takes.
    pub fn cost(&self) -> usize {
        self.bytes.len() + self.marks.len() * size_of::<(usize, At)>()
    }
}

/// The longest payload that is taken for a frame's.
const LONGEST: u32 = 1 << 20;

/// Whether the first bytes of a header may be those of one that is plausible.
fn may_begin(bytes: &[u8]) -> bool {
    let fits = |first: &u8| u32::from(*first) <= LONGEST >> 16;
    bytes.first().is_none_or(fits) && bytes.get(3).is_none_or(|kind| *kind <= Kind::CONTINUATION.0)
}

/// Whether nine bytes look like the header of a frame as endpoints send them.
fn is_plausible(header: FrameHeader) -> bool {
    let FrameHeader { length, kind, flags, reserved, stream } = header;
    let known: u8 = kind.flags().iter().map(|(bit, _)| bit).sum();
    let fits = match kind {
        Kind::DATA | Kind::HEADERS | Kind::PUSH_PROMISE | Kind::CONTINUATION => length <= LONGEST,
        Kind::SETTINGS if header.is_ack() => length == 0,
        Kind::SETTINGS => length > 0 && length.is_multiple_of(6) && length <= 120,
        Kind::PING => length == 8,
        Kind::RST_STREAM | Kind::WINDOW_UPDATE => length == 4,
        Kind::PRIORITY => length == 5,
        Kind::GOAWAY => (8..4096).contains(&length),
        _ => false,
    };
    let is_in_place = kind == Kind::WINDOW_UPDATE || kind.is_of_connection() == (stream == 0);
    fits && is_in_place && !reserved && flags & !known == 0 && stream < 1 << 24
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_headers_lead_from_one_to_the_next() {
        let frames = [
            &[0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0][..],
            &[0, 0, 2, 0, 0, 0, 0, 0, 1, 0x81, 0],
            &[0, 0, 8, 6, 0, 0, 0, 0, 0],
        ]
        .concat();
        let mut chain = Chain::default();
        chain.push(b"the end of a frame", At::default(), 100);
        assert!(!chain.is_found());
        chain.push(&frames, At { packet: 7, ..At::default() }, 118);
        assert!(chain.is_found());
        let pieces = chain.into_pieces();
        assert_eq!((pieces.len(), pieces[0].0, &pieces[0].2), (1, 118, &frames));
        for nothing in [&[0; 64][..], &[0xFF; 64], b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"] {
            let mut chain = Chain::default();
            chain.push(nothing, At::default(), 0);
            assert!(!chain.is_found(), "{nothing:?}");
        }
    }
}
