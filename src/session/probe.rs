//! Finding out what a connection carries from its first bytes.

use super::{Side, Start};
use crate::http::head::{Sniff, sniff};
use crate::limits;
use crate::model::At;
use crate::ws::shape::{self, Shape};

/// Bytes that were looked at and are held until it is known whose they are.
#[derive(Debug)]
pub struct Held {
    pub side: Side,
    /// Where they stand in the stream of their side.
    pub offset: u64,
    bytes: Vec<u8>,
    /// Where in `bytes` each packet's part begins.
    marks: Vec<(usize, At)>,
}

impl Held {
    fn new(side: Side, offset: u64) -> Self {
        Self { side, offset, bytes: Vec::new(), marks: Vec::new() }
    }

    fn push(&mut self, bytes: &[u8], at: At) {
        // Mostly one packet tells, and there may be very many connections.
        if self.marks.is_empty() {
            self.marks.reserve_exact(1);
        }
        self.marks.push((self.bytes.len(), at));
        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes as they came: offset in the stream, origin, bytes.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, At, &[u8])> {
        let ends = self.marks.iter().skip(1).map(|(start, _)| *start).chain([self.bytes.len()]);
        self.marks
            .iter()
            .zip(ends)
            .map(|(&(start, at), end)| (self.offset + start as u64, at, &self.bytes[start..end]))
    }
}

/// What a connection turned out to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It takes more bytes.
    Nothing,
    /// HTTP/1 heads.
    Http,
    /// Frames without a handshake; `masked` is the side whose bytes were looked at last.
    Frames { masked: bool },
    /// Something else.
    Other,
}

/// Looks at the first bytes of both sides.
#[derive(Debug, Default)]
pub struct Probe {
    held: Vec<Held>,
    looked: usize,
    client: Option<Side>,
}

impl Probe {
    /// Takes the next bytes of one side.
    pub fn look(&mut self, side: Side, bytes: &[u8], at: At, offset: u64, start: Start) -> Found {
        self.looked += bytes.len();
        let is_first = side == Side::B && !self.held.iter().any(|held| held.side == Side::A);
        let whole = self.hold(side, bytes, at, offset);
        match sniff(whole) {
            Sniff::Request => return self.http(side, true),
            Sniff::Response => return self.http(side, false),
            // Empty lines in front of a head do not go on for ever.
            Sniff::NeedMore if whole.len() > limits::SNIFF => return Found::Other,
            Sniff::NeedMore => return Found::Nothing,
            Sniff::Neither => {}
        }
        match start {
            // A server that speaks first may be asked for a WebSocket all the same.
            Start::Opened if is_first && whole.len() <= limits::OPENING => Found::Nothing,
            Start::Opened => Found::Other,
            Start::Given => match whole.get(1) {
                Some(second) => Found::Frames { masked: second & 0x80 != 0 },
                // The MASK bit is yet to come.
                None => Found::Nothing,
            },
            Start::Midway => self.look_midway(side, bytes, at, offset),
        }
    }

    /// The capture begins in the middle: a segment may start anything.
    fn look_midway(&mut self, side: Side, bytes: &[u8], at: At, offset: u64) -> Found {
        let start_over = |probe: &mut Self| {
            probe.held.retain(|h| h.side != side);
            let mut held = Held::new(side, offset);
            held.push(bytes, at);
            probe.held.push(held);
        };
        match sniff(bytes) {
            Sniff::Request | Sniff::Response => {
                start_over(self);
                return self.http(side, sniff(bytes) == Sniff::Request);
            }
            Sniff::NeedMore | Sniff::Neither => {}
        }
        if let Some(shape) = shape::shape(bytes, None).filter(|s| s.convincing()) {
            start_over(self);
            return Found::Frames { masked: shape.masked };
        }
        // Segments may be tiny: then the frames show only in what they make together.
        let held = self.held.iter().find(|h| h.side == side);
        let whole = held.map_or(bytes, |h| h.bytes.as_slice());
        if let Some(shape) = shape::shape(whole, None).filter(|s: &Shape| s.whole >= 2) {
            return Found::Frames { masked: shape.masked };
        }
        if self.looked > limits::PROBE {
            return Found::Other;
        }
        if whole.len() > limits::PROBE / 8 {
            self.held.retain(|h| h.side != side);
        }
        Found::Nothing
    }

    /// What holding takes, in bytes.
    pub fn cost(&self) -> usize {
        self.held.iter().map(|held| held.bytes.len() + held.marks.len() * size_of::<(usize, At)>()).sum()
    }

    /// Which side is the client, if HTTP told.
    pub fn client(&self) -> Option<Side> {
        self.client
    }

    /// Whether anything is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether the first header of what is held says that it is masked.
    pub fn looks_masked(&self) -> bool {
        self.held.first().is_some_and(|h| h.bytes.get(1).is_none_or(|b| b & 0x80 != 0))
    }

    /// Which side spoke first.
    pub fn first(&self) -> Option<Side> {
        self.held.first().map(|h| h.side)
    }

    /// What was held, in the order in which it began.
    pub fn into_held(self) -> impl Iterator<Item = Held> {
        self.held.into_iter()
    }

    fn http(&mut self, side: Side, is_request: bool) -> Found {
        let other = if side == Side::A { Side::B } else { Side::A };
        self.client = Some(if is_request { side } else { other });
        // A response may have overtaken its request in the capture: requests first.
        let client = self.client;
        self.held.sort_by_key(|h| Some(h.side) != client);
        Found::Http
    }

    /// Adds to what is held of a side, and gives all of it.
    fn hold(&mut self, side: Side, bytes: &[u8], at: At, offset: u64) -> &[u8] {
        let index = self.held.iter().position(|h| h.side == side).unwrap_or_else(|| {
            self.held.reserve_exact(1);
            self.held.push(Held::new(side, offset));
            self.held.len() - 1
        });
        let held = &mut self.held[index];
        held.push(bytes, at);
        &held.bytes
    }
}
