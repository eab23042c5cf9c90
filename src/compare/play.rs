//! How a simulation is played.

/// What the formulas leave out, and how long to play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Play {
    /// What chance is drawn from: the same seed, the same play.
    pub seed: u64,
    /// Messages to publish.
    pub messages: u64,
    /// Seconds a packet may take more, any part of it as likely.
    pub jitter: f64,
    /// The share of segments that are lost and sent again.
    pub loss: f64,
    /// Messages published at a time.
    pub burst: u64,
}

impl Default for Play {
    fn default() -> Self {
        Self { seed: 1, messages: 50_000, jitter: 0.0, loss: 0.0, burst: 1 }
    }
}
