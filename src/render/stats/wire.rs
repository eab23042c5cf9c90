//! What TCP says of all connections together.

use crate::model::TcpFacts;
use crate::model::distribution::Range;

/// Counts of what TCP says.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    /// Nanoseconds of the handshakes of TCP: a round trip each.
    pub round_trip: Range,
    /// The client's and the server's.
    pub sides: [WireSide; 2],
}

/// The same of one endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct WireSide {
    /// Bytes that it sent, each counted once.
    pub bytes: u64,
    pub resent_segments: u64,
    pub resent_bytes: u64,
    /// Nanoseconds for which its window was zero, of each connection in which it ever was.
    pub zero_window: Range,
}

impl Wire {
    /// Takes a connection into account.
    pub fn take(&mut self, facts: &TcpFacts) {
        let nanos = |duration: std::time::Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if let Some(round_trip) = facts.initial_round_trip() {
            self.round_trip.take(nanos(round_trip));
        }
        for (mine, side) in self.sides.iter_mut().zip(&facts.sides) {
            mine.bytes = mine.bytes.saturating_add(side.bytes);
            mine.resent_segments += u64::from(side.resent.segments);
            mine.resent_bytes = mine.resent_bytes.saturating_add(side.resent.bytes);
            if side.zero_window.times > 0 {
                mine.zero_window.take(nanos(side.zero_window.total));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Resent, RoundTrip, ZeroWindow};

    #[test]
    fn connections_are_added_up() {
        let mut facts = TcpFacts::default();
        let handshake = Some(Duration::from_millis(3));
        for side in &mut facts.sides {
            side.round_trip = RoundTrip { handshake, ..RoundTrip::default() };
        }
        facts.sides[1].bytes = 100;
        facts.sides[1].resent = Resent { segments: 2, bytes: 30, ..Resent::default() };
        facts.sides[0].zero_window =
            ZeroWindow { times: 3, total: Duration::from_secs(2), ..ZeroWindow::default() };
        let mut wire = Wire::default();
        wire.take(&facts);
        wire.take(&facts);
        wire.take(&TcpFacts::default());
        let [client, server] = &wire.sides;
        assert_eq!((wire.round_trip.count, wire.round_trip.max), (2, 6_000_000));
        assert_eq!((server.bytes, server.resent_segments, server.resent_bytes), (200, 4, 60));
        assert_eq!((client.zero_window.count, client.zero_window.sum), (2, 4_000_000_000));
        assert_eq!((client.resent_segments, server.zero_window.count), (0, 0));
    }
}
