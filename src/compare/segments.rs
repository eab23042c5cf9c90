//! TCP's packets for pieces of stream whose moments are known: what a live run would have
//! sent on a network with this MTU, where loopback sends otherwise.

use foldhash::{HashMap, HashMapExt as _};

use super::wire::Wire;

/// A piece of stream, written at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// When it arrived, in seconds from any moment.
    pub at: f64,
    /// Number of its connection.
    pub connection: u32,
    /// 0 when the client sent it, 1 when the server did.
    pub from: usize,
    /// How many they are.
    pub bytes: u32,
}

/// Packets with data, and pure acknowledgements, by phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packets {
    /// Before measuring, up to a moment.
    pub setup: u64,
    /// While it was measured.
    pub steady: u64,
}

/// The moments that divide a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phases {
    /// When set-up was over.
    pub ready: f64,
    /// When measuring began and ended.
    pub begin: f64,
    /// In seconds, as `begin`.
    pub end: f64,
}

impl Phases {
    fn count(self, at: f64, packets: u64, to: &mut Packets) {
        if at < self.ready {
            to.setup += packets;
        } else if (self.begin..self.end).contains(&at) {
            to.steady += packets;
        }
    }
}

/// Counts the packets of pieces that took `delay` seconds to arrive.
///
/// An acknowledgement belongs to the phase of the segment it acknowledges. A receiver acknowledges every
/// second segment at once, an odd one with what it sends next or, after the wire's acknowledgement delay,
/// alone.
pub fn packets(pieces: &[Piece], wire: Wire, delay: f64, phases: Phases) -> Packets {
    let mut events: Vec<(f64, u32, Event)> = Vec::with_capacity(2 * pieces.len());
    for piece in pieces {
        let segments = wire.segments(piece.bytes.into());
        events.push((piece.at - delay, piece.connection, Event::Sent { by: piece.from }));
        events.push((piece.at, piece.connection, Event::Arrived { at: 1 - piece.from, segments }));
    }
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut packets = Packets::default();
    // By connection and side: since when a segment waits for its acknowledgement.
    let mut owed: HashMap<(u32, usize), f64> = HashMap::new();
    for (now, connection, event) in events {
        let side = match event {
            Event::Sent { by } => by,
            Event::Arrived { at, .. } => at,
        };
        let mut since = owed.remove(&(connection, side));
        if let Some(arrived) = since.filter(|since| since + wire.ack_delay <= now) {
            phases.count(arrived, 1, &mut packets);
            since = None;
        }
        if let Event::Arrived { segments, .. } = event {
            phases.count(now, segments, &mut packets);
            let waiting = segments + u64::from(since.is_some());
            phases.count(now, waiting / 2, &mut packets);
            if waiting % 2 == 1 {
                owed.insert((connection, side), if segments % 2 == 1 { now } else { since.unwrap_or(now) });
            }
        }
    }
    for since in owed.into_values() {
        phases.count(since, 1, &mut packets);
    }
    packets
}

#[derive(Clone, Copy)]
enum Event {
    Sent { by: usize },
    Arrived { at: usize, segments: u64 },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Scenario;

    fn count(pieces: &[(f64, usize, u32)]) -> u64 {
        let wire = Scenario::default().wire;
        let pieces: Vec<_> =
            pieces.iter().map(|&(at, from, bytes)| Piece { at, connection: 0, from, bytes }).collect();
        packets(&pieces, wire, 0.05, Phases { ready: 0.0, begin: 0.0, end: 100.0 }).steady
    }

    #[test]
    fn acknowledgements_alone_and_together() {
        assert_eq!(count(&[(1.0, 1, 100)]), 2, "alone, after 40 ms");
        assert_eq!(count(&[(1.0, 1, 100), (1.02, 1, 100)]), 3, "two at once");
        assert_eq!(count(&[(1.0, 1, 100), (1.2, 1, 100)]), 4, "too far apart");
        // What arrives at 1.06 was sent at 1.01, and took the acknowledgement along; its own is late.
        assert_eq!(count(&[(1.0, 1, 100), (1.06, 0, 100)]), 3);
        assert_eq!(count(&[(1.0, 1, 1448 * 4)]), 4 + 2, "long writes");
    }

    #[test]
    fn phases_are_told_apart() {
        let piece = |at| Piece { at, connection: 0, from: 1, bytes: 100 };
        let pieces = [piece(0.5), piece(1.5), piece(2.5), piece(3.5)];
        let phases = Phases { ready: 1.0, begin: 2.0, end: 3.0 };
        let seen = packets(&pieces, Scenario::default().wire, 0.05, phases);
        assert_eq!(seen, Packets { setup: 2, steady: 2 });
    }
}
