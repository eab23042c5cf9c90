//! The counts of one connection, or of all together.

use std::collections::VecDeque;

use super::distribution::{Distribution, Range};
use super::ledger::Ledger;
use super::{KINDS, kind};
use crate::limits;
use crate::model::{Dir, Frame, Message, Opcode, Severity, Time, Unit};

/// The counts of one connection. What is per direction stands in pairs, the client's first.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Frames by [`kind`].
    pub frames: [[u64; KINDS.len()]; 2],
    /// Payload bytes by [`kind`], captured or lost in a hole.
    pub payload: [[u64; KINDS.len()]; 2],
    /// Bytes of frame headers.
    pub headers: [u64; 2],
    /// Payload bytes of text and binary messages.
    pub sizes: [Distribution; 2],
    /// Compressed messages.
    pub ledgers: [Ledger; 2],
    /// Nanoseconds from one text or binary message to the next in the same direction.
    pub gaps: [Range; 2],
    /// Nanoseconds from a ping to its pong, by who pinged.
    pub pings: [Range; 2],
    /// Pings that no pong has answered, by who pinged.
    pub unanswered: [u64; 2],
    /// Pongs that answer no ping, by who sent them.
    pub unasked: [u64; 2],
    /// Errors, warnings, notes.
    pub findings: [u64; 3],
    /// When the first and the last unit were captured.
    pub times: Option<(Time, Time)>,
    last_message: [Option<Time>; 2],
    /// Pings without a pong so far, oldest first.
    outstanding: [VecDeque<Ping>; 2],
}

#[derive(Clone, Copy, Debug)]
struct Ping {
    payload: u64,
    time: Option<Time>,
}

impl Tally {
    /// Counts what all units have.
    #[inline]
    pub fn unit(&mut self, unit: &Unit<'_>) {
        if let Some(time) = unit.time {
            self.times = Some(match self.times {
                Some((first, last)) => (first.min(time), last.max(time)),
                None => (time, time),
            });
        }
        for finding in unit.findings {
            let i = match finding.rule.severity {
                Severity::Error => 0,
                Severity::Warning => 1,
                Severity::Note => 2,
            };
            self.findings[i] += 1;
        }
    }

    /// Counts a frame.
    #[inline]
    pub fn frame(&mut self, unit: &Unit<'_>, frame: &Frame<'_>) {
        let (dir, kind) = (unit.dir.map_or(0, Dir::index), kind(frame.header.opcode));
        self.frames[dir][kind] += 1;
        // The declared length may be a lie of 2^63; these bytes were really sent.
        self.payload[dir][kind] += frame.captured.saturating_add(frame.missing);
        self.headers[dir] += u64::from(frame.header.header_length());
    }

    /// Counts a message. `alone` when this tally is of a single connection.
    #[inline]
    pub fn message(&mut self, unit: &Unit<'_>, message: &Message<'_>, alone: bool) {
        let dir = unit.dir.unwrap_or(Dir::Client);
        match message.kind {
            Opcode::PING if alone => self.ping(dir, message.payload, unit.time),
            Opcode::PONG if alone => self.pong(dir, message.payload, unit.time),
            kind if kind.is_control() => {}
            _ => {
                let dir = dir.index();
                self.sizes[dir].take(message.length);
                self.ledgers[dir].message(message);
                if let (Some(last), Some(time)) = (self.last_message[dir], unit.time) {
                    self.gaps[dir].take(time.since(last).max(0) as u64);
                }
                self.last_message[dir] = if alone { unit.time } else { None };
            }
        }
    }

    fn ping(&mut self, dir: Dir, payload: &[u8], time: Option<Time>) {
        self.unanswered[dir.index()] += 1;
        let outstanding = &mut self.outstanding[dir.index()];
        if outstanding.len() == limits::PINGS_OUTSTANDING {
            outstanding.pop_front();
        }
        outstanding.push_back(Ping { payload: fingerprint(payload), time });
    }

    fn pong(&mut self, dir: Dir, payload: &[u8], time: Option<Time>) {
        let payload = fingerprint(payload);
        let asker = dir.peer().index();
        let outstanding = &mut self.outstanding[asker];
        let Some(i) = outstanding.iter().position(|ping| ping.payload == payload) else {
            self.unasked[dir.index()] += 1;
            return;
        };
        //= RFC 6455 §5.5.3
        //# send a Pong frame for only the most recently processed Ping frame
        // Older pings are not waited for any longer, but stay unanswered.
        let ping = outstanding.drain(..=i).next_back();
        self.unanswered[asker] -= 1;
        if let (Some(asked), Some(answered)) = (ping.and_then(|ping| ping.time), time) {
            self.pings[asker].take(answered.since(asked).max(0) as u64);
        }
    }

    /// Takes over what another tally has counted.
    pub fn add(&mut self, other: &Self) {
        for dir in 0..2 {
            for kind in 0..KINDS.len() {
                self.frames[dir][kind] += other.frames[dir][kind];
                self.payload[dir][kind] += other.payload[dir][kind];
            }
            self.headers[dir] += other.headers[dir];
            self.sizes[dir].add(&other.sizes[dir]);
            self.ledgers[dir].add(&other.ledgers[dir]);
            self.gaps[dir].add(&other.gaps[dir]);
            self.pings[dir].add(&other.pings[dir]);
            self.unanswered[dir] += other.unanswered[dir];
            self.unasked[dir] += other.unasked[dir];
        }
        for (mine, theirs) in self.findings.iter_mut().zip(other.findings) {
            *mine += theirs;
        }
        self.times = match (self.times, other.times) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (mine, theirs) => mine.or(theirs),
        };
    }

    /// Frames in both directions.
    pub fn all_frames(&self) -> u64 {
        self.frames.iter().flatten().sum()
    }

    /// Payload bytes of one direction.
    pub fn payload_of(&self, dir: usize) -> u64 {
        self.payload[dir].iter().sum()
    }

    /// Bytes of frames, headers and payloads, in both directions.
    pub fn bytes(&self) -> u64 {
        self.headers.iter().sum::<u64>() + self.payload_of(0) + self.payload_of(1)
    }

    /// Nanoseconds from the first to the last unit.
    pub fn duration(&self) -> Option<u64> {
        self.times.map(|(first, last)| last.since(first).max(0) as u64)
    }
}

/// A hash (FNV-1a) of a control frame's payload, to tell one ping from another.
fn fingerprint(payload: &[u8]) -> u64 {
    payload.iter().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
