//! Finding where frames begin in the bytes of one direction, of which nothing is
//! known but what they are: without a handshake, and again after a gap.

use super::shape::{Known, Trial};
use crate::limits;
use crate::model::At;

/// Bytes that were looked at and are held until it is known what they are.
#[derive(Debug)]
pub struct Held {
    /// Where they stand in the stream.
    offset: u64,
    bytes: Vec<u8>,
    /// Where in the stream each packet's part begins.
    marks: Vec<(u64, At)>,
}

impl Held {
    /// Nothing, before byte `offset` of the stream.
    pub fn new(offset: u64) -> Self {
        Self { offset, bytes: Vec::new(), marks: Vec::new() }
    }

    /// Adds the bytes of a packet.
    pub fn push(&mut self, bytes: &[u8], at: At) {
        // Mostly one packet tells, and there may be very many connections.
        if self.marks.is_empty() {
            self.marks.reserve_exact(1);
        }
        self.marks.push((self.end(), at));
        self.bytes.extend_from_slice(bytes);
    }

    /// Where in the stream the first of them stands.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Where in the stream the next one will stand.
    pub fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// All of them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What holding takes, in bytes.
    pub fn cost(&self) -> usize {
        self.bytes.len() + self.marks.len() * size_of::<(u64, At)>()
    }

    /// The bytes as they came: offset in the stream, origin, bytes.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, At, &[u8])> {
        let ends = self.marks.iter().skip(1).map(|(start, _)| *start).chain([self.end()]);
        self.marks.iter().zip(ends).map(|(&(start, at), end)| {
            (start, at, &self.bytes[(start - self.offset) as usize..(end - self.offset) as usize])
        })
    }

    /// Lets go of what comes before byte `offset` of the stream.
    pub fn release(&mut self, offset: u64) {
        let offset = offset.min(self.end());
        if offset <= self.offset {
            return;
        }
        self.bytes.drain(..(offset - self.offset) as usize);
        self.offset = offset;
        let gone = self.marks.partition_point(|(start, _)| *start <= offset);
        if self.bytes.is_empty() {
            // There may be very many that hold nothing.
            (self.bytes, self.marks) = (Vec::new(), Vec::new());
            return;
        }
        self.marks.drain(..gone.saturating_sub(1));
        if let Some((start, at)) = self.marks.first_mut() {
            at.byte = at.byte.saturating_add((offset - *start) as u32);
            *start = offset;
        }
    }
}

/// A place where frames may begin, as it looks so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is in the stream.
    pub offset: u64,
    /// What speaks for it, in bits.
    pub bits: i32,
    /// Whether its frames are masked, if it is known yet.
    pub masked: Option<bool>,
}

/// Looks for the place in one direction.
#[derive(Debug)]
pub struct Seeker {
    held: Held,
    /// What is on trial, in the order of the stream.
    trials: Vec<(u64, Trial)>,
    /// Where the first byte stood.
    first: u64,
    /// Bytes looked at.
    seen: u64,
    /// Segments that are no frames, as far as can be said.
    strange: u32,
}

impl Seeker {
    /// A search from byte `offset` of the stream on.
    pub fn new(offset: u64) -> Self {
        Self { held: Held::new(offset), trials: Vec::new(), first: offset, seen: 0, strange: 0 }
    }

    /// Takes the bytes of a segment. `inside` says whether frames may begin elsewhere than at its start.
    pub fn push(&mut self, bytes: &[u8], at: At, known: Known, inside: bool) {
        let start = self.held.end();
        self.held.push(bytes, at);
        self.seen += bytes.len() as u64;
        let mut is_covered = false;
        self.trials.retain_mut(|(_, trial)| {
            let was_at_boundary = trial.is_at_boundary();
            let lives = trial.take(bytes, known);
            if lives {
                trial.segment_ends(bytes.len());
                // A trial of the same frames would only have less to say.
                is_covered |= was_at_boundary && trial.bits() >= 0;
            }
            lives
        });
        let is_strange = self.trials.is_empty();
        let is_found = !is_covered && self.try_place(start, bytes, at_start(bytes.len()), known);
        self.strange += u32::from(is_strange && !is_found);
        if inside && self.seen <= limits::RESYNC as u64 {
            for from in 1..bytes.len() {
                let rest = &bytes[from..];
                if known.may_begin(rest) {
                    self.try_place(start + from as u64, rest, -limits::EVIDENCE_INSIDE, known);
                    if self.is_sure(limits::EVIDENCE_RESYNC) {
                        break;
                    }
                }
            }
        }
        self.tidy();
    }

    fn try_place(&mut self, offset: u64, bytes: &[u8], bits: i32, known: Known) -> bool {
        /// Most of what is no frame shows within so many bytes.
        const GLANCE: usize = 256;
        if !known.may_begin(bytes) {
            return false;
        }
        let mut trial = Trial::new(bits);
        let bytes_taken = bytes.len();
        let (glance, rest) = bytes.split_at(bytes.len().min(GLANCE));
        if !trial.take(glance, known) || !trial.take(rest, known) {
            return false;
        }
        if bits > -limits::EVIDENCE_INSIDE && trial.is_whole() {
            trial.give(-bits);
        }
        trial.segment_ends(bytes_taken);
        if self.trials.len() >= limits::TRIALS {
            let least = self.trials.iter().enumerate().min_by_key(|(i, (_, t))| (t.bits(), usize::MAX - i));
            match least {
                Some((index, (_, least))) if least.bits() < trial.bits() => {
                    self.trials.remove(index);
                }
                _ => return true,
            }
        }
        self.trials.push((offset, trial));
        true
    }

    /// Holds no more than what is on trial, and no more than the cap.
    fn tidy(&mut self) {
        loop {
            let start = self.trials.first().map_or(self.held.end(), |(start, _)| *start);
            self.held.release(start);
            if self.held.cost() <= limits::TRIAL_HELD {
                return;
            }
            self.trials.remove(0);
        }
    }

    /// The most likely place; of equal ones the first.
    pub fn best(&self) -> Option<Place> {
        let (offset, trial) = self.trials.iter().max_by_key(|(offset, t)| (t.bits(), u64::MAX - offset))?;
        Some(Place { offset: *offset, bits: trial.bits(), masked: trial.masked() })
    }

    /// Whether a place has so much that speaks for it.
    pub fn is_sure(&self, bits: i32) -> bool {
        self.trials.iter().any(|(_, trial)| trial.bits() >= bits)
    }

    /// Where the first byte stood that was looked at.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// How many segments were no frames, as far as can be said.
    pub fn strange(&self) -> u32 {
        self.strange
    }

    /// What holding takes, in bytes.
    pub fn cost(&self) -> usize {
        self.held.cost() + self.trials.len() * size_of::<(u64, Trial)>()
    }

    /// What is held from byte `offset` of the stream on, or from where there is something.
    pub fn into_held(mut self, offset: u64) -> Held {
        self.held.release(offset);
        self.held
    }
}

/// What is known of a place for being the start of a segment of so many bytes, in bits: of
/// tiny segments, most begin in the middle of something. Unless they are whole frames.
fn at_start(length: usize) -> i32 {
    -(limits::EVIDENCE_INSIDE - 1 - 2 * length.max(1).ilog2().cast_signed()).max(0)
}
