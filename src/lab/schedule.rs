//! When something is published, and what: the same for every way of delivering.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::synth::Rng;

/// Independent messages for each client at random moments (a Poisson process each), in order.
#[derive(Debug)]
pub struct Schedule {
    rate: f64,
    clients: Vec<Rng>,
    /// Nanoseconds, client.
    next: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Schedule {
    /// For so many clients, each at `rate` messages a second. The same seed gives the same moments.
    pub fn new(seed: u64, clients: usize, rate: f64) -> Self {
        let mut seeds = Rng::new(seed);
        let clients: Vec<Rng> = (0..clients).map(|_| Rng::new(seeds.next_u64())).collect();
        let mut schedule = Self { rate, next: BinaryHeap::with_capacity(clients.len()), clients };
        for client in 0..schedule.clients.len() {
            schedule.plan(client, 0);
        }
        schedule
    }

    fn plan(&mut self, client: usize, after: u64) {
        let pause = -(1.0 - unit(&mut self.clients[client])).ln() / self.rate;
        self.next.push(Reverse((after.saturating_add((pause * 1e9) as u64), client)));
    }
}

impl Iterator for Schedule {
    /// Nanoseconds from the beginning, and for whom.
    type Item = (u64, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((at, client)) = self.next.pop()?;
        self.plan(client, at);
        Some((at, client))
    }
}

/// A number from 0 up to 1.
pub fn unit(rng: &mut Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// The `k`th message to a client: letters and digits that differ from the one before and after.
pub fn message(client: usize, k: u64, payload: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let from = (k.wrapping_mul(7).wrapping_add(client as u64 * 13) % 62) as usize;
    (0..payload).map(|i| ALPHABET[(from + i) % 62]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_moments_at_the_rate() {
        let until = 100_000_000_000;
        let all: Vec<_> = Schedule::new(1, 20, 2.0).take_while(|(at, _)| *at < until).collect();
        assert!(all.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        // 4,000 are expected; the standard deviation is 63.
        assert!((3_750..4_250).contains(&all.len()), "{}", all.len());
        let of = |client| all.iter().filter(move |(_, c)| *c == client).map(|(at, _)| *at);
        assert!((150..250).contains(&of(7).count()) && of(7).ne(of(8)));
        assert!(Schedule::new(1, 20, 2.0).take(100).eq(all[..100].iter().copied()));
    }

    #[test]
    fn messages_have_their_length_and_differ() {
        assert_eq!(message(0, 0, 21).len(), 21);
        assert_ne!(message(0, 0, 21), message(0, 1, 21));
        assert_ne!(message(0, 0, 21), message(1, 0, 21));
    }
}
