//! Measuring on a machine that has other things to do: contenders take turns,
//! what is compared is always from the same turn, and where the system tells
//! processor time, waiting for a processor does not count.

use std::sync::LazyLock;
use std::time::Instant;

/// What a ratio should be.
pub struct Goal {
    /// More than this is a defect.
    pub must: f64,
    /// Less than this is the best known to be possible.
    pub aim: f64,
}

impl Goal {
    /// At most `must`, better `aim`.
    pub const fn at_most(must: f64, aim: f64) -> Self {
        Self { must, aim }
    }

    /// The goals and whether `ratio` meets them.
    pub fn verdict(&self, ratio: f64) -> String {
        let met = |limit: f64| if ratio <= limit { "met" } else { "MISSED" };
        format!("must {:>5.2} {:<6}  aim {:>5.2} {}", self.must, met(self.must), self.aim, met(self.aim))
    }
}

/// One of the things that are compared: its name, and how to run it once.
pub type Contender<'a> = (&'static str, Box<dyn FnMut() + 'a>);

/// Names something to run.
pub fn contender<'a>(name: &'static str, run: impl FnMut() + 'a) -> Contender<'a> {
    (name, Box::new(run))
}

/// Seconds of each contender, by round.
pub struct Times(Vec<Vec<f64>>);

/// Runs all contenders in turn, `rounds` times, after one round that does not count.
pub fn take_turns(contenders: &mut [Contender<'_>], rounds: usize) -> Times {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..=rounds {
        for ((_, run), times) in contenders.iter_mut().zip(&mut times) {
            let start = now();
            run();
            if round > 0 {
                times.push(now() - start);
            }
        }
    }
    Times(times)
}

/// Seconds this thread has spent on a processor (Linux), or since the first call.
fn now() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    // Makes the kernel bring its account up to date, which it otherwise does every few milliseconds.
    std::thread::yield_now();
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match spent.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()) {
        Some(nanos) if nanos > 0 => nanos as f64 / 1e9,
        _ => START.elapsed().as_secs_f64(),
    }
}

impl Times {
    /// The median of a contender's seconds.
    pub fn seconds(&self, which: usize) -> f64 {
        median(self.0[which].clone())
    }

    /// How many times as long as `base` a contender takes: the median over the rounds.
    pub fn ratio(&self, which: usize, base: usize) -> f64 {
        median(self.0[which].iter().zip(&self.0[base]).map(|(time, base)| time / base).collect())
    }
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
