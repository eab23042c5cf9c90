//! What was published, what of it arrived, and when.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::lab::client::Inbox;
use crate::lab::http::Failure;
use crate::lab::hub::held;
use crate::lab::schedule;

/// The messages of all clients, on their way and received.
#[derive(Debug)]
pub struct Tally {
    payload: usize,
    lanes: Vec<Mutex<Lane>>,
    /// Whether what arrives is measured.
    open: AtomicBool,
    requests: AtomicU64,
    polls: AtomicU64,
    empty: AtomicU64,
    failure: Mutex<Option<Failure>>,
}

#[derive(Debug, Default)]
struct Lane {
    /// When those that have not arrived were published.
    published: VecDeque<Instant>,
    sent: u64,
    arrived: u64,
    latencies: Vec<f64>,
}

/// What arrived while it was measured.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    /// Seconds from publishing to receipt, one for each message.
    pub latencies: Vec<f64>,
    /// Requests that were answered; of these, polls; of these, those that brought nothing.
    pub requests: u64,
    /// Of the requests, polls.
    pub polls: u64,
    /// Of the polls, those that brought nothing.
    pub empty: u64,
}

impl Tally {
    /// For so many clients, whose messages have `payload` bytes.
    pub fn new(clients: usize, payload: usize) -> Self {
        Self {
            payload,
            lanes: (0..clients).map(|_| Mutex::default()).collect(),
            open: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            empty: AtomicU64::new(0),
            failure: Mutex::default(),
        }
    }

    /// Notes that a message is being published now, and says what it is.
    pub fn publish(&self, client: usize) -> Vec<u8> {
        let mut lane = held(&self.lanes[client]);
        let k = lane.sent;
        lane.sent += 1;
        lane.published.push_back(Instant::now());
        drop(lane);
        schedule::message(client, k, self.payload)
    }

    /// Begins or ends measuring.
    pub fn measure(&self, open: bool) {
        self.open.store(open, SeqCst);
    }

    /// Notes why a client cannot go on; the first reason counts.
    pub fn fail(&self, why: Failure) {
        held(&self.failure).get_or_insert(why);
    }

    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<Failure> {
        held(&self.failure).clone()
    }

    /// What was measured.
    pub fn arrived(&self) -> Arrived {
        let latencies =
            self.lanes.iter().flat_map(|lane| std::mem::take(&mut held(lane).latencies)).collect();
        Arrived {
            latencies,
            requests: self.requests.load(SeqCst),
            polls: self.polls.load(SeqCst),
            empty: self.empty.load(SeqCst),
        }
    }
}

/// One client's place in the tally.
pub struct Place {
    pub tally: Arc<Tally>,
    pub client: usize,
}

impl Inbox for Place {
    fn message(&self, content: &[u8]) {
        let now = Instant::now();
        let mut lane = held(&self.tally.lanes[self.client]);
        let k = lane.arrived;
        lane.arrived += 1;
        let published = lane.published.pop_front();
        let expected = schedule::message(self.client, k, self.tally.payload);
        match published {
            Some(published) if content == expected => {
                if self.tally.open.load(SeqCst) {
                    lane.latencies.push((now - published).as_secs_f64());
                }
            }
            _ => self.tally.fail(format!(
                "message {} to client {} is not the one that was due",
                k + 1,
                self.client + 1
            )),
        }
    }

    fn answered(&self, poll: Option<bool>) {
        if !self.tally.open.load(SeqCst) {
            return;
        }
        self.tally.requests.fetch_add(1, SeqCst);
        if let Some(news) = poll {
            self.tally.polls.fetch_add(1, SeqCst);
            self.tally.empty.fetch_add(u64::from(!news), SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_out_of_order_is_a_failure() {
        let tally = Arc::new(Tally::new(2, 10));
        let place = Place { tally: Arc::clone(&tally), client: 1 };
        tally.measure(true);
        let (first, second) = (tally.publish(1), tally.publish(1));
        place.message(&first);
        place.answered(Some(true));
        place.answered(Some(false));
        assert_eq!(tally.failure(), None);
        let arrived = tally.arrived();
        assert_eq!((arrived.latencies.len(), arrived.polls, arrived.empty), (1, 2, 1));
        assert_ne!(first, second);
        place.message(&first);
        assert_eq!(tally.failure().unwrap(), "message 2 to client 2 is not the one that was due");
    }
}
