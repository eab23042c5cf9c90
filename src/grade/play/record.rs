//! What is kept of a case: what came, and the bytes, as far as they are looked at afterwards.

use std::io;
use std::time::{Duration, Instant};

use crate::limits;
use crate::model::Dir;
use crate::model::grade::{Event, EventKind, WirePiece};

/// What has happened so far.
#[derive(Debug)]
pub struct Record {
    began: Instant,
    /// How long it may take.
    limit: Duration,
    /// What came.
    pub events: Vec<Event>,
    /// Events that are not kept.
    pub more: u64,
    /// The first bytes of each direction.
    pub wire: Vec<WirePiece>,
    /// Bytes of each direction.
    pub bytes: [u64; 2],
    /// Bytes of the payloads that were sent, before they were compressed.
    pub payload: u64,
    /// Messages and control frames that came.
    pub frames: u64,
    /// Bytes of their payloads, inflated.
    pub inflated: u64,
    /// The peer took nothing for as long as that is put up with.
    stuck: bool,
}

impl Record {
    /// It begins now, and may take so long.
    pub fn new(limit: Duration) -> Self {
        Self {
            began: Instant::now(),
            limit,
            events: Vec::new(),
            more: 0,
            wire: Vec::new(),
            bytes: [0; 2],
            payload: 0,
            frames: 0,
            inflated: 0,
            stuck: false,
        }
    }

    /// When it has to be over, and how long that is from its beginning.
    pub fn end(&self) -> (Instant, Duration) {
        (self.began + self.limit, self.limit)
    }

    /// Since it began.
    pub fn after(&self) -> Duration {
        self.began.elapsed()
    }

    /// Something came.
    pub fn event(&mut self, what: EventKind, payload: &[u8]) {
        if self.events.len() == limits::GRADE_EVENTS {
            self.more += 1;
            return;
        }
        let kept = &payload[..payload.len().min(limits::GRADE_PAYLOAD)];
        let event = Event { what, payload: kept.to_vec(), length: payload.len() as u64, after: self.after() };
        self.events.push(event);
    }

    /// Bytes went over the connection.
    pub fn bytes(&mut self, from: Dir, bytes: &[u8]) {
        let total = &mut self.bytes[from.index()];
        let room = (limits::GRADE_WIRE as u64).saturating_sub(*total);
        *total += bytes.len() as u64;
        let kept = &bytes[..bytes.len().min(room as usize)];
        if !kept.is_empty() {
            self.wire.push(WirePiece { from, after: self.began.elapsed(), bytes: kept.to_vec() });
        }
    }

    /// How long the peer may take nothing of what is written to it: who was waited for in vain is not waited
    /// for again.
    pub fn patience(&self, usual: Duration) -> Duration {
        if self.stuck { Duration::ZERO } else { usual }
    }

    /// A write that had [as long](Self::patience) came to this.
    pub fn written(&mut self, written: io::Result<()>) -> io::Result<()> {
        self.stuck |= written.as_ref().is_err_and(|why| why.kind() == io::ErrorKind::TimedOut);
        written
    }

    /// Bytes that came, and how many are put up with: an endless answer ends the case.
    pub fn is_too_much(&self, us: Dir) -> bool {
        let [sent, got] = [us, us.peer()].map(|dir| self.bytes[dir.index()]);
        // Each frame is work, however short it is, and so is what it inflates to. What came compressed may go
        // back as it is.
        let got = got.max(self.inflated) + limits::GRADE_FRAME * self.frames;
        got > limits::GRADE_GOT + 4 * sent.max(self.payload)
    }
}
