//! Which packets are of the connections that were selected.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};

use super::Extent;
use crate::model::Packet;
use crate::net::{Glance, glance};
use crate::select::Window;

/// Two addresses with their ports, the lesser first.
type Pair = (SocketAddr, SocketAddr);

/// The connections that were selected, by their addresses.
pub(super) struct Pairs {
    lines: HashMap<Pair, Line, foldhash::fast::FixedState>,
    /// Between whom there may be fragments.
    hosts: HashSet<(IpAddr, IpAddr), foldhash::fast::FixedState>,
    window: Option<Window>,
}

/// The connections between the same two addresses and ports, one after the other.
#[derive(Default)]
struct Line {
    /// The last packet of each that carried anything shown, growing.
    last: Vec<u64>,
    /// Which of them the next packet is of.
    at: usize,
    /// Whether the answer to its handshake has been seen: without it nobody knows what comes after it.
    is_open: bool,
}

impl Pairs {
    /// Those of `extents`; of a `window` what is in it, and the handshakes.
    pub(super) fn new(extents: impl Iterator<Item = Extent>, window: Option<Window>) -> Self {
        let mut pairs: HashMap<Pair, Line, foldhash::fast::FixedState> = HashMap::default();
        let mut hosts: HashSet<(IpAddr, IpAddr), foldhash::fast::FixedState> = HashSet::default();
        for extent in extents {
            let Some((a, b)) = extent.ends else { continue };
            hosts.insert((a.ip(), b.ip()));
            hosts.insert((b.ip(), a.ip()));
            let last = extent.packets.map_or(u64::MAX, |(_, last)| last);
            pairs.entry(pair(a, b)).or_default().last.push(last);
        }
        for line in pairs.values_mut() {
            line.last.sort_unstable();
        }
        Self { lines: pairs, hosts, window }
    }

    /// Whether a packet is of one of them. Packets are asked for in the order of their numbers.
    ///
    /// Where a port is used again, a connection begins at its SYN; what came before the first one that was
    /// selected is taken for its beginning.
    pub(super) fn have(&mut self, packet: &Packet<'_>) -> bool {
        let in_window = |window: &Window| window.has_packet(packet.number, packet.time);
        let is_inside = self.window.as_ref().is_none_or(in_window);
        match glance(packet) {
            None => false,
            Some(Glance::Fragment { from, to }) => is_inside && self.hosts.contains(&(from, to)),
            Some(Glance::Segment { from, to, opens, data }) => {
                let Some(line) = self.lines.get_mut(&pair(from, to)) else { return false };
                if opens && line.last.get(line.at).is_some_and(|last| packet.number > *last) {
                    line.at += 1;
                    line.is_open = false;
                }
                let is_needed = line.at < line.last.len() && (is_inside || !line.is_open);
                line.is_open |= data.starts_with(b"HTTP/1.1 101");
                is_needed
            }
        }
    }
}

fn pair(a: SocketAddr, b: SocketAddr) -> Pair {
    if a <= b { (a, b) } else { (b, a) }
}
