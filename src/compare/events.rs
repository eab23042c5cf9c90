//! What can happen in a simulation, in order of time, and when messages are published.

use super::play::Play;
use crate::synth::Rng;

/// Who of a connection.
pub(super) type Side = usize;
pub(super) const CLIENT: Side = 0;
pub(super) const SERVER: Side = 1;

/// What is carried by one write.
#[derive(Debug)]
pub(super) enum Carried {
    Request,
    /// Messages by the time they were published, and heartbeats.
    Answer(Vec<f64>, u64),
    Message(f64),
    Post(Option<f64>),
    PostAnswer,
    Ping,
    Nothing,
}

#[derive(Debug)]
pub(super) enum Event {
    /// The server, or the client, has something to say.
    Publish(Side),
    /// A client's timer for the next poll.
    Poll,
    /// A write of so many segments is there.
    Arrival { connection: usize, from: Side, segments: u64, carried: Carried },
    /// A receiver has waited long enough with an acknowledgement.
    Acknowledge { connection: usize, side: Side, round: u64 },
    /// The server's timer for a sign of life.
    Beat,
    /// Whoever polls does so in their rhythm: what counts begins.
    Start,
    /// A poll has waited long enough.
    LetGo { round: u64 },
}

pub(super) struct Next {
    /// Bits of a time in seconds: for numbers above 0 they grow as it does.
    pub at: u64,
    /// What was planned first happens first.
    pub order: u64,
    pub what: Event,
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Next {}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Random moments: a Poisson process of which it is known how many there are, so that
/// the rate played is the rate asked for.
pub(super) struct Schedule {
    rng: Rng,
    left: u64,
    at: f64,
    scale: f64,
}

impl Schedule {
    pub fn new(how: Play, side: u64, (start, end): (f64, f64), rate: f64) -> Self {
        // The same for every way; of one direction not that of the other.
        let rng = Rng::new(how.seed ^ side << 63);
        let left = ((end - start) * rate / how.burst.max(1) as f64).round() as u64;
        let mut trial = rng.clone();
        let length: f64 = (0..=left).map(|_| pause(&mut trial)).sum();
        Self { rng, left, at: start, scale: (end - start) / length }
    }

    pub fn next(&mut self) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        self.at += pause(&mut self.rng) * self.scale;
        Some(self.at)
    }
}

/// A number from 0 to 1, 1 excluded.
pub(super) fn unit(rng: &mut Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A random pause of 1 on average.
pub(super) fn pause(rng: &mut Rng) -> f64 {
    -(1.0 - unit(rng)).ln()
}
