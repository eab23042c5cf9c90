//! How many messages come in a time, where each comes whenever it likes.

use super::wire::Load;

/// The mean of `value` over a Poisson distribution.
pub(super) fn over_poisson(mean: f64, value: impl Fn(u64) -> Load) -> Load {
    // Nine standard deviations: what is left out is less than a rounding error.
    let spread = 9.0 * mean.sqrt() + 20.0;
    let (from, to) = ((mean - spread).max(0.0) as u64, (mean + spread) as u64);
    let mut load = Load::default();
    for k in from..=to {
        let probability = poisson(mean, k);
        if probability > 0.0 {
            load += value(k) * probability;
        }
    }
    load
}

/// The probability of k events where `mean` are expected.
fn poisson(mean: f64, k: u64) -> f64 {
    if mean <= 0.0 {
        return if k == 0 { 1.0 } else { 0.0 };
    }
    (k as f64 * mean.ln() - mean - ln_factorial(k)).exp()
}

fn ln_factorial(k: u64) -> f64 {
    if k < 32 {
        return (2..=k).map(|i| (i as f64).ln()).sum();
    }
    // Stirling's series: from 32 on, three terms are exact to the last digit.
    let n = k as f64;
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_probabilities_add_up() {
        for mean in [0.01, 1.0, 40.0, 1e4] {
            let all =
                over_poisson(mean, |k| Load { application: k as f64, protocol: 1.0, ..Load::default() });
            assert!(
                (all.protocol - 1.0).abs() < 1e-9 && (all.application / mean - 1.0).abs() < 1e-9,
                "{mean}"
            );
        }
    }
}
