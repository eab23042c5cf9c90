//! What waits for one client, and for all.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio::time::Instant;

use crate::lab::engine::packet::Packet;
use crate::limits;

/// What waits for the clients of all sessions.
#[derive(Debug, Default)]
pub struct Load {
    bytes: AtomicUsize,
    queues: AtomicUsize,
}

impl Load {
    /// Whether so much for one is too much: all together is, and this is more than the mean.
    fn is_too_much(&self, weight: usize) -> bool {
        let bytes = self.bytes.load(SeqCst);
        bytes > limits::LAB_SESSIONS_BYTES && weight >= bytes / self.queues.load(SeqCst).max(1)
    }
}

/// Packets that wait for a client, oldest first.
#[derive(Debug)]
pub struct Queue {
    packets: VecDeque<Packet>,
    /// Those behind them that are held back until their time.
    later: VecDeque<(Instant, Packet)>,
    /// How many of the first ones are to arrive before the rest does, where that can be had.
    apart: usize,
    /// Bytes, about.
    weight: usize,
    load: Arc<Load>,
    /// It was too long, and takes nothing any more.
    pub too_slow: bool,
}

impl Queue {
    pub fn new(load: &Arc<Load>) -> Self {
        load.queues.fetch_add(1, SeqCst);
        Self {
            packets: VecDeque::new(),
            later: VecDeque::new(),
            apart: 0,
            weight: 0,
            load: Arc::clone(load),
            too_slow: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.later.is_empty()
    }

    /// Puts packets in, held back until a moment if there is one; moments come in order. One packet fits
    /// always.
    pub fn push(&mut self, due: Option<Instant>, packets: impl IntoIterator<Item = Packet>) {
        if self.too_slow {
            return;
        }
        for packet in packets {
            let weight = packet.weight();
            self.weight += weight;
            self.load.bytes.fetch_add(weight, SeqCst);
            match due {
                Some(due) => self.later.push_back((due, packet)),
                None => self.packets.push_back(packet),
            }
            let count = self.packets.len() + self.later.len();
            let full = count > limits::LAB_SESSION_PACKETS
                || self.weight > limits::LAB_SESSION_BYTES
                || self.load.is_too_much(self.weight);
            if full && count > 1 {
                self.clear();
                self.too_slow = true;
                return;
            }
        }
    }

    /// When the next of those that are held back is due.
    pub fn due(&self) -> Option<Instant> {
        self.later.front().map(|(due, _)| *due)
    }

    /// Holds nothing back any longer that is due by now; whether there was any.
    pub fn ripen(&mut self, now: Instant) -> bool {
        let before = self.packets.len();
        while let Some((_, packet)) = self.later.pop_front_if(|(due, _)| *due <= now) {
            self.packets.push_back(packet);
        }
        self.packets.len() > before
    }

    /// Holds nothing back any longer.
    pub fn hurry(&mut self) {
        self.packets.extend(self.later.drain(..).map(|(_, packet)| packet));
    }

    /// What comes from now on is to arrive behind what there is, not with it.
    pub fn part(&mut self) {
        self.apart = self.packets.len();
    }

    /// Takes packets out that may arrive together, about so many bytes; and whether the rest waits.
    pub fn take_apart(&mut self, most: usize) -> (Vec<Packet>, bool) {
        let before = self.apart;
        let packets = self.take_of(if before > 0 { before } else { usize::MAX }, most);
        (packets, before > 0 && self.apart == 0)
    }

    /// Takes all packets out.
    pub fn take(&mut self) -> Vec<Packet> {
        self.take_of(usize::MAX, usize::MAX)
    }

    fn take_of(&mut self, first: usize, most: usize) -> Vec<Packet> {
        let mut taken = 0;
        let fits = |packet: &&Packet| {
            let fits = taken < most;
            taken += packet.weight();
            fits
        };
        let count = self.packets.iter().take(first).take_while(fits).count();
        let packets: Vec<Packet> = self.packets.drain(..count).collect();
        self.apart = self.apart.saturating_sub(count);
        self.shrink(packets.iter().map(Packet::weight).sum());
        packets
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        (self.packets, self.later, self.apart) = (VecDeque::new(), VecDeque::new(), 0);
        self.shrink(self.weight);
    }

    fn shrink(&mut self, by: usize) {
        self.weight -= by;
        self.load.bytes.fetch_sub(by, SeqCst);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.shrink(self.weight);
        self.load.queues.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Packet {
        Packet::Message("x".repeat(bytes).into())
    }

    #[test]
    fn what_is_put_in_is_taken_out_in_order() {
        let load = Arc::new(Load::default());
        let mut queue = Queue::new(&load);
        queue.push(None, [message(10), Packet::Noop, message(20)]);
        assert_eq!(queue.take_apart(1), (vec![message(10)], false), "one at least");
        assert_eq!(queue.take(), [Packet::Noop, message(20)]);
        assert!(queue.is_empty() && queue.take().is_empty());
        assert_eq!(load.bytes.load(SeqCst), 0);
    }

    #[test]
    fn what_is_to_arrive_apart_is_taken_apart() {
        let mut queue = Queue::new(&Arc::default());
        queue.push(None, [message(1), message(2)]);
        queue.part();
        queue.push(None, [message(3)]);
        assert_eq!(queue.take_apart(1), (vec![message(1)], false));
        assert_eq!(queue.take_apart(1000), (vec![message(2)], true));
        assert_eq!(queue.take_apart(1000), (vec![message(3)], false));
        queue.push(None, [message(1)]);
        queue.part();
        queue.push(None, [message(2)]);
        assert_eq!(queue.take().len(), 2, "where it cannot be had");
        queue.push(None, [message(3), message(4)]);
        assert_eq!(queue.take_apart(1000).0.len(), 2);
    }

    #[test]
    fn what_is_held_back_comes_in_its_time() {
        let load = Arc::new(Load::default());
        let mut queue = Queue::new(&load);
        let now = Instant::now();
        let soon = now + std::time::Duration::from_secs(1);
        queue.push(Some(soon), [message(1), message(2)]);
        queue.push(None, [Packet::Ping(String::new())]);
        assert_eq!((queue.due(), queue.ripen(now)), (Some(soon), false));
        assert_eq!(queue.take(), [Packet::Ping(String::new())], "a heartbeat does not wait");
        assert!(!queue.is_empty() && queue.ripen(soon));
        assert_eq!(queue.take(), [message(1), message(2)]);
        queue.push(Some(soon), [message(3)]);
        queue.hurry();
        assert_eq!((queue.take(), queue.is_empty()), (vec![message(3)], true));
        queue.push(Some(soon), (0..=limits::LAB_SESSION_PACKETS).map(|_| Packet::Noop));
        assert!(queue.too_slow && queue.is_empty(), "nor is there more room for it");
        assert_eq!(load.bytes.load(SeqCst), 0);
    }

    #[test]
    fn a_client_that_takes_nothing_is_too_slow() {
        let load = Arc::new(Load::default());
        let mut queue = Queue::new(&load);
        queue.push(None, [message(limits::LAB_SESSION_BYTES + 1)]);
        assert!(!queue.too_slow, "one packet fits");
        queue.push(None, [Packet::Noop]);
        assert!(queue.too_slow && queue.is_empty());
        queue.push(None, [Packet::Noop]);
        assert!(queue.is_empty());
        let mut many = Queue::new(&load);
        many.push(None, (0..limits::LAB_SESSION_PACKETS).map(|_| Packet::Noop));
        assert!(!many.too_slow);
        many.push(None, [Packet::Noop]);
        assert!(many.too_slow);
    }

    #[test]
    fn of_all_those_are_too_slow_that_hold_most() {
        let load = Arc::new(Load::default());
        let mut heavy: Vec<Queue> = (0..40).map(|_| Queue::new(&load)).collect();
        let mut light = Queue::new(&load);
        // Clones share their bytes: that much is only counted.
        let half = message(limits::LAB_SESSION_BYTES / 2 - 1000);
        for queue in &mut heavy {
            queue.push(None, [half.clone(), half.clone()]);
            light.push(None, [message(1)]);
        }
        assert!(load.bytes.load(SeqCst) <= limits::LAB_SESSIONS_BYTES);
        assert!(heavy.iter().any(|queue| queue.too_slow) && !light.too_slow);
        drop((heavy, light));
        assert_eq!(load.bytes.load(SeqCst) + load.queues.load(SeqCst), 0);
    }
}
