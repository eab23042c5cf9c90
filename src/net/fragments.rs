//! Datagrams that came in fragments (RFC 791 §3.2, RFC 8200 §4.5).

use std::collections::HashMap;

use etherparse::{IpNumber, ip_number};
use foldhash::fast::RandomState;

use super::ip::{Addresses, Datagram};
use super::network::Network;
use super::reassembly::{Carrier, Pieces};
use crate::limits;
use crate::model::{At, Time};

/// Bytes of the largest datagram there can be.
const DATAGRAM: u64 = 65_535;

/// Fragments that wait for the others.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    waiting: HashMap<Key, Waiting, RandomState>,
    /// What they cost, in bytes.
    cost: usize,
}

/// What the fragments of one datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    network: Network,
    addresses: Addresses,
    identification: u32,
    /// For IPv4 only; an IPv6 fragment names what begins the first one, so that all agree too.
    protocol: u8,
}

#[derive(Debug)]
struct Waiting {
    pieces: Pieces,
    /// The datagram's length, once the last fragment is there.
    total: Option<u64>,
    since: Time,
}

/// A datagram put together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub network: Network,
    pub addresses: Addresses,
    pub protocol: IpNumber,
    pub bytes: Vec<u8>,
    /// Where each part stands in `bytes`, and where it came from.
    pub parts: Vec<(usize, At)>,
}

impl Fragments {
    /// Takes a fragment; gives back the datagram that it completes.
    ///
    /// Overlapping fragments: what came first stays. A fragment that the capture
    /// cut leaves its datagram incomplete.
    pub(super) fn push(&mut self, datagram: &Datagram<'_>, packet: u64, time: Time) -> Option<Whole> {
        let fragment = datagram.fragment?;
        // A tunnel too, which makes packets longer than the way is wide.
        let may_be_tcp = matches!(
            datagram.protocol,
            ip_number::TCP
                | ip_number::UDP
                | ip_number::GRE
                | ip_number::IPV4
                | ip_number::IPV6
                | ip_number::IPV6_DESTINATION_OPTIONS
                | ip_number::IPV6_ROUTE_HEADER
                | ip_number::AUTHENTICATION_HEADER
        );
        let end = u64::from(fragment.offset) + datagram.payload.len() as u64;
        if !may_be_tcp || end > DATAGRAM {
            return None;
        }
        let key = Key {
            network: datagram.network,
            addresses: datagram.addresses,
            identification: fragment.identification,
            protocol: datagram.protocol.0,
        };
        self.make_room(&key, time);
        let waiting = self.waiting.entry(key).or_insert_with(|| Waiting {
            pieces: Pieces::default(),
            total: None,
            since: time,
        });
        let before = waiting.pieces.cost();
        let at = At { packet, byte: datagram.byte, time: Some(time) };
        let by = Carrier { at, ..Carrier::default() };
        waiting.pieces.insert(fragment.offset.into(), datagram.payload, by);
        if !fragment.more && datagram.missing == 0 && waiting.total.is_none() {
            waiting.total = Some(end);
        }
        self.cost += waiting.pieces.cost() - before;
        if waiting.total != Some(waiting.pieces.len() as u64) {
            return None;
        }
        let waiting = self.waiting.remove(&key)?;
        self.cost -= waiting.pieces.cost();
        let mut whole = Whole {
            network: key.network,
            addresses: key.addresses,
            protocol: datagram.protocol,
            bytes: Vec::with_capacity(waiting.pieces.len()),
            parts: Vec::new(),
        };
        for (start, piece) in waiting.pieces.iter() {
            // As many bytes as the length says, but not where it says: a part lies beyond the end.
            if start != whole.bytes.len() as u64 {
                return None;
            }
            whole.parts.push((whole.bytes.len(), piece.by.at));
            whole.bytes.extend_from_slice(&piece.bytes);
        }
        Some(whole)
    }

    /// Drops what has waited too long, and the oldest when there are too many.
    fn make_room(&mut self, key: &Key, now: Time) {
        let stale = |waiting: &Waiting| now.since(waiting.since) > limits::IP_REASSEMBLY.cast_signed();
        if self.waiting.get(key).is_some_and(stale) {
            self.drop_one(key);
        }
        let full = self.waiting.len() >= limits::IP_DATAGRAMS && !self.waiting.contains_key(key);
        if full || self.cost > limits::IP_FRAGMENT_BYTES {
            let oldest = self.waiting.iter().min_by_key(|(_, waiting)| waiting.since).map(|(key, _)| *key);
            if let Some(oldest) = oldest {
                self.drop_one(&oldest);
            }
        }
    }

    fn drop_one(&mut self, key: &Key) {
        if let Some(waiting) = self.waiting.remove(key) {
            self.cost -= waiting.pieces.cost();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ip::Fragment;

    fn part(identification: u32, offset: u32, more: bool, payload: &[u8]) -> Datagram<'_> {
        Datagram {
            network: Network::PLAIN,
            header: 14,
            addresses: Addresses::V4([1; 4], [2; 4]),
            protocol: ip_number::TCP,
            payload,
            byte: 34,
            missing: 0,
            fragment: Some(Fragment { identification, offset, more }),
        }
    }

    #[test]
    fn any_order_gives_the_datagram() {
        let parts = [part(1, 0, true, b"abcdefgh"), part(1, 8, true, b"ijklmnop"), part(1, 16, false, b"qr")];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let mut fragments = Fragments::default();
            let mut whole = None;
            for (packet, &i) in order.iter().enumerate() {
                assert_eq!(whole, None);
                assert!(fragments.push(&part(2, 0, true, b"other"), 9, Time(0)).is_none());
                whole = fragments.push(&parts[i], packet as u64 + 1, Time(0));
            }
            let whole = whole.unwrap();
            assert_eq!(whole.bytes, b"abcdefghijklmnopqr", "{order:?}");
            assert_eq!(whole.parts.iter().map(|&(at, _)| at).collect::<Vec<_>>(), [0, 8, 16]);
            assert_eq!(whole.parts[2].1.packet as usize, order.iter().position(|&i| i == 2).unwrap() + 1);
        }
    }

    #[test]
    fn overlaps_keep_what_came_first() {
        let mut fragments = Fragments::default();
        fragments.push(&part(1, 0, true, b"abcdefgh"), 1, Time(0));
        fragments.push(&part(1, 0, true, b"XXXXXXXXXXXXXXXX"), 2, Time(0));
        let whole = fragments.push(&part(1, 16, false, b"z"), 3, Time(0)).unwrap();
        assert_eq!(whole.bytes, b"abcdefghXXXXXXXXz");
        assert_eq!(fragments.cost, 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut fragments = Fragments::default();
        let payload = vec![0; 60_000];
        for id in 0..5000 {
            fragments.push(&part(id, 0, true, &payload), 1, Time(id.into()));
            assert!(fragments.cost <= limits::IP_FRAGMENT_BYTES + 2 * DATAGRAM as usize);
        }
        for id in 0..5000 {
            fragments.push(&part(id, 0, true, b"x"), 1, Time(id.into()));
        }
        assert!(fragments.waiting.len() <= limits::IP_DATAGRAMS);
        assert!(fragments.push(&part(1, 65_528, false, &[0; 64]), 1, Time(0)).is_none());
    }

    #[test]
    fn an_old_fragment_does_not_meet_a_new_one() {
        let mut fragments = Fragments::default();
        fragments.push(&part(1, 0, true, b"abcdefgh"), 1, Time(0));
        let late = Time(limits::IP_REASSEMBLY + 1);
        assert!(fragments.push(&part(1, 8, false, b"z"), 2, late).is_none());
    }
}
