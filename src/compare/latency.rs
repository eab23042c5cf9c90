//! Distributions of latency: what a formula knows exactly, and a simulation samples.

/// A mixture of constants and uniform distributions, which is all the models
/// here need: a message either meets an open way to the client, or waits for the
/// rest of an interval of which any part is as likely as another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// Weight, shortest, longest; the weights add up to 1.
    parts: Vec<(f64, f64, f64)>,
}

impl Latency {
    /// Always the same.
    pub fn constant(seconds: f64) -> Self {
        Self::uniform(seconds, seconds)
    }

    /// Any value from `low` to `high`, all as likely.
    pub fn uniform(low: f64, high: f64) -> Self {
        Self { parts: vec![(1.0, low, high)] }
    }

    /// One or the other, by their weights.
    #[must_use]
    pub fn mixed(parts: &[(f64, Self)]) -> Self {
        let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
        let scaled = |(weight, latency): &(f64, Self)| {
            let share = weight / total;
            latency.parts.iter().map(move |(w, low, high)| (w * share, *low, *high)).collect::<Vec<_>>()
        };
        let parts = parts.iter().flat_map(scaled).filter(|(weight, ..)| *weight > 0.0).collect();
        Self { parts }
    }

    /// The mean in seconds.
    pub fn mean(&self) -> f64 {
        self.parts.iter().map(|(weight, low, high)| weight * (low + high) / 2.0).sum()
    }

    /// The longest it can be, in seconds.
    pub fn worst(&self) -> f64 {
        self.parts.iter().map(|(_, _, high)| *high).fold(0.0, f64::max)
    }

    /// The value that a share `q` of all messages does not exceed, in seconds.
    pub fn quantile(&self, q: f64) -> f64 {
        let mut low = 0.0;
        let mut high = self.worst();
        // The distribution function grows: halving finds the place to more digits than are shown.
        for _ in 0..64 {
            let middle = f64::midpoint(low, high);
            if self.share_within(middle) >= q {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }

    /// The share of messages that take at most so long.
    pub fn share_within(&self, seconds: f64) -> f64 {
        let share = |&(weight, low, high): &(f64, f64, f64)| {
            if seconds >= high {
                weight
            } else if seconds <= low {
                0.0
            } else {
                weight * (seconds - low) / (high - low)
            }
        };
        self.parts.iter().map(share).sum()
    }
}

/// Latencies that were observed.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    seconds: Vec<f64>,
    sorted: bool,
}

impl Observed {
    /// Adds one.
    pub fn add(&mut self, seconds: f64) {
        self.seconds.push(seconds);
        self.sorted = false;
    }

    /// Adds all of another.
    pub fn append(&mut self, other: &Self) {
        self.seconds.extend_from_slice(&other.seconds);
        self.sorted = false;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.seconds.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.seconds.is_empty()
    }

    /// The mean; 0 of none.
    pub fn mean(&self) -> f64 {
        if self.is_empty() { 0.0 } else { self.seconds.iter().sum::<f64>() / self.len() as f64 }
    }

    /// The smallest value that at least a share `q` does not exceed; 0 of none.
    pub fn quantile(&mut self, q: f64) -> f64 {
        if !self.sorted {
            self.seconds.sort_by(f64::total_cmp);
            self.sorted = true;
        }
        let rank = (q * self.len() as f64).ceil() as usize;
        self.seconds.get(rank.max(1).min(self.len()).wrapping_sub(1)).copied().unwrap_or_default()
    }

    /// The share that takes at most so long.
    pub fn share_within(&self, seconds: f64) -> f64 {
        self.seconds.iter().filter(|s| **s <= seconds).count() as f64 / self.len().max(1) as f64
    }

    /// The longest; 0 of none.
    pub fn worst(&self) -> f64 {
        self.seconds.iter().copied().fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn quantiles_of_a_constant_and_a_uniform() {
        let constant = Latency::constant(0.05);
        assert!(near(constant.quantile(0.5), 0.05) && near(constant.mean(), 0.05));
        let uniform = Latency::uniform(0.05, 1.05);
        for (q, value) in [(0.5, 0.55), (0.95, 1.0), (1.0, 1.05)] {
            assert!(near(uniform.quantile(q), value));
        }
    }

    #[test]
    fn a_mixture_weighs_its_parts() {
        let mixed = Latency::mixed(&[(3.0, Latency::constant(1.0)), (1.0, Latency::uniform(1.0, 3.0))]);
        assert!(near(mixed.mean(), 0.75 + 0.5));
        assert!(near(mixed.quantile(0.5), 1.0), "three quarters are there");
        assert!(near(mixed.quantile(0.875), 2.0));
        assert!(near(mixed.worst(), 3.0));
    }

    #[test]
    fn observed_ranks() {
        let mut observed = Observed::default();
        assert!(near(observed.quantile(0.5), 0.0));
        for value in [5.0, 1.0, 3.0, 2.0, 4.0] {
            observed.add(value);
        }
        assert!(near(observed.quantile(0.5), 3.0) && near(observed.quantile(0.95), 5.0));
        assert!(near(observed.mean(), 3.0) && near(observed.worst(), 5.0));
    }
}
