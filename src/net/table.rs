//! Which flow a packet belongs to: one hash lookup.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::flow::Flow;
use super::half::{Half, NEAR, State};
use super::ip::Addresses;
use super::key::{Key, KeyV4, KeyV6};
use super::tcp::{Flags, Segment};
use crate::limits;

/// Places for flows seen lately, as a power of two.
const RECENT: u32 = 14;

/// Which flow the packets between two endpoints were of, by a hash that both directions share. What stands
/// in a place is held against the flow itself, so it may be of another flow, or of none any longer.
#[derive(Debug)]
struct Recent(Box<[u32; 1 << RECENT]>);

impl Default for Recent {
    fn default() -> Self {
        #[allow(clippy::large_stack_arrays)] // it is never on the stack but in debug builds
        Self(Box::new([0; 1 << RECENT]))
    }
}

impl Recent {
    /// The place of these addresses and ports. Nothing is lost but time if somebody chooses them so that they
    /// meet.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn place(addresses: &Addresses, ports: u32) -> usize {
        let both = match addresses {
            Addresses::V4(from, to) => u64::from(u32::from_ne_bytes(*from) ^ u32::from_ne_bytes(*to)),
            Addresses::V6(from, to) => {
                let both = u128::from_ne_bytes(*from) ^ u128::from_ne_bytes(*to);
                (both >> 64) as u64 ^ both as u64
            }
        };
        let ports = ports >> 16 ^ ports & 0xFFFF;
        let mixed = (both.rotate_left(16) ^ u64::from(ports)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> (64 - RECENT)) as usize
    }
}

/// Marks a table entry that names a tombstone.
const TOMB: u32 = 1 << 31;

/// All flows, and the last ones that were closed.
#[derive(Debug, Default)]
pub(super) struct Table {
    v4: HashMap<KeyV4, u32, RandomState>,
    v6: HashMap<KeyV6, u32, RandomState>,
    /// Further connections between the same endpoints, in other networks; few captures have any.
    twins: HashMap<Key, Vec<u32>, RandomState>,
    slots: Vec<Option<Flow>>,
    free: Vec<u32>,
    tombs: Vec<Tomb>,
    /// The oldest tombstone, once there are [`limits::CLOSED_FLOWS`].
    oldest_tomb: usize,
    /// What was [sought](Self::seek) lately.
    recent: Recent,
}

/// What is remembered of a closed flow: its directions, with nothing waiting.
#[derive(Debug)]
struct Tomb {
    key: Key,
    halves: [Half; 2],
}

/// What the table has for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Flow(u32),
    /// A flow that is closed, and of which this segment is a leftover.
    Leftover,
    Nothing,
}

impl Table {
    /// The flow that a packet with these addresses and ports is of, its slot, and which of its halves sent
    /// the packet: if it is the only such flow, and was sought lately.
    #[allow(clippy::inline_always)] // the kind of address is known where it is called
    #[inline(always)]
    pub(super) fn recent(&mut self, addresses: &Addresses, ports: u32) -> Option<(&mut Flow, u32, usize)> {
        let slot = self.recent.0[Recent::place(addresses, ports)];
        if !self.twins.is_empty() {
            return None;
        }
        let flow = self.slots.get_mut(slot as usize)?.as_mut()?;
        let from = flow.key.source(addresses, ports)?;
        Some((flow, slot, from))
    }

    /// The flow between these, where it is the only one and not closed.
    pub(super) fn only(&self, key: &Key) -> Option<u32> {
        self.first(key).filter(|slot| slot & TOMB == 0 && self.twins.is_empty())
    }

    /// Seeks the flow of such packets, where it is the only one and not closed, for [`Self::recent`] to give.
    /// Says whether it does.
    #[inline(never)]
    pub(super) fn seek(&mut self, addresses: Addresses, ports: u32) -> bool {
        let (key, _) = Key::new(&addresses, ports);
        let only = self.only(&key);
        if let Some(slot) = only {
            self.recent.0[Recent::place(&addresses, ports)] = slot;
        }
        only.is_some()
    }

    /// Looks a segment's flow up.
    #[inline]
    pub(super) fn find(&self, key: &Key, from: usize, segment: &Segment<'_>) -> Found {
        let value = match key {
            Key::V4(key) => self.v4.get(key),
            Key::V6(key) => self.v6.get(key),
        };
        match value {
            Some(&slot) if slot & TOMB == 0 => {
                let elsewhere = self.get(slot).is_some_and(|flow| flow.networks[from] != segment.network);
                if elsewhere || !self.twins.is_empty() {
                    return self.find_among_twins(key, slot, from, segment);
                }
                Found::Flow(slot)
            }
            Some(&tomb) if !self.twins.is_empty() => self.find_among_twins(key, tomb, from, segment),
            Some(&tomb) if self.is_leftover((tomb & !TOMB) as usize, from, segment) => Found::Leftover,
            _ => Found::Nothing,
        }
    }

    /// Looks up which connection between two endpoints a segment belongs to: the one that its
    /// numbers fit, else the one of its own network.
    #[cold]
    fn find_among_twins(&self, key: &Key, first: u32, from: usize, segment: &Segment<'_>) -> Found {
        let twins = self.twins.get(key).map_or(&[][..], Vec::as_slice);
        let all = || [first].into_iter().chain(twins.iter().copied());
        let flows = || all().filter_map(|slot| Some((slot, self.get(slot)?)));
        if let Some((slot, _)) = flows().find(|(_, flow)| flow.fits(from, segment)) {
            return Found::Flow(slot);
        }
        if let Some((slot, _)) = flows().find(|(_, flow)| flow.networks[from] == segment.network) {
            return Found::Flow(slot);
        }
        let mut tombs = all().filter(|tomb| tomb & TOMB != 0);
        if flows().count() > limits::TWINS
            || tombs.any(|tomb| self.is_leftover((tomb & !TOMB) as usize, from, segment))
        {
            return Found::Leftover;
        }
        Found::Nothing
    }

    fn is_leftover(&self, tomb: usize, from: usize, segment: &Segment<'_>) -> bool {
        let half = &self.tombs[tomb].halves[from];
        if half.state == State::Unseen {
            return !segment.flags.any(Flags::SYN);
        }
        if segment.flags.any(Flags::SYN) {
            return !half.is_begun_elsewhere(segment.seq.wrapping_add(1));
        }
        half.next.abs_diff(half.position(segment.seq)) < NEAR
    }

    /// Adds a flow whose key has none in its network.
    pub(super) fn add(&mut self, flow: Flow) -> u32 {
        let key = flow.key;
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(flow);
            slot
        } else {
            self.slots.push(Some(flow));
            self.slots.len() as u32 - 1
        };
        match self.first(&key) {
            Some(live) if live & TOMB == 0 => {
                let twins = self.twins.entry(key).or_default();
                match twins.iter_mut().find(|twin| **twin & TOMB != 0) {
                    Some(tomb) => *tomb = slot,
                    None => twins.push(slot),
                }
            }
            _ => self.set(key, slot),
        }
        slot
    }

    /// Takes a flow out, and leaves a tombstone. Says whether there was one.
    pub(super) fn remove(&mut self, slot: u32) -> bool {
        let Some(place) = self.slots.get_mut(slot as usize) else { return false };
        let Some(flow) = place else { return false };
        let key = flow.key;
        let tomb = Tomb { key, halves: [flow.halves[0].without_waiting(), flow.halves[1].without_waiting()] };
        *place = None;
        self.free.push(slot);
        let index = if self.tombs.len() < limits::CLOSED_FLOWS {
            self.tombs.push(tomb);
            self.tombs.len() - 1
        } else {
            let index = self.oldest_tomb;
            self.oldest_tomb = (index + 1) % limits::CLOSED_FLOWS;
            let old = self.tombs[index].key;
            self.tombs[index] = tomb;
            self.forget(&old, index as u32 | TOMB);
            index
        };
        if self.first(&key) == Some(slot) {
            self.set(key, index as u32 | TOMB);
        } else if let Some(twin) = self.twin(&key, slot) {
            *twin = index as u32 | TOMB;
        }
        true
    }

    /// The entry of a key, and one of its further ones.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn first(&self, key: &Key) -> Option<u32> {
        match key {
            Key::V4(key) => self.v4.get(key).copied(),
            Key::V6(key) => self.v6.get(key).copied(),
        }
    }

    fn twin(&mut self, key: &Key, value: u32) -> Option<&mut u32> {
        self.twins.get_mut(key)?.iter_mut().find(|twin| **twin == value)
    }

    fn set(&mut self, key: Key, value: u32) {
        match key {
            Key::V4(key) => self.v4.insert(key, value),
            Key::V6(key) => self.v6.insert(key, value),
        };
    }

    /// Removes an entry if it still says `value`.
    fn forget(&mut self, key: &Key, value: u32) {
        let first_gone = self.first(key) == Some(value);
        match key {
            Key::V4(key) if self.v4.get(key) == Some(&value) => self.v4.remove(key),
            Key::V6(key) if self.v6.get(key) == Some(&value) => self.v6.remove(key),
            _ => None,
        };
        let Some(twins) = self.twins.get_mut(key) else { return };
        twins.retain(|twin| *twin != value);
        let orphan = if first_gone { twins.pop() } else { None };
        if twins.is_empty() {
            self.twins.remove(key);
        }
        if let Some(orphan) = orphan {
            self.set(*key, orphan);
        }
    }

    #[inline]
    fn get(&self, slot: u32) -> Option<&Flow> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// The flow in a slot.
    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Flow> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// How many flows there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The slots of the flows that `wanted` accepts, the longest idle first.
    pub(super) fn idle_longest(&self, wanted: impl Fn(&Flow) -> bool) -> Vec<u32> {
        let flows = self.slots.iter().enumerate().filter_map(|(slot, flow)| Some((slot, flow.as_ref()?)));
        let mut idle: Vec<(u64, u32)> = flows
            .filter(|(_, flow)| wanted(flow))
            .map(|(slot, flow)| (flow.pulse.last().0, slot as u32))
            .collect();
        idle.sort_unstable();
        idle.into_iter().map(|(_, slot)| slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Time;
    use crate::net::network::Network;

    fn ports(source: u16, destination: u16) -> u32 {
        u32::from(source) << 16 | u32::from(destination)
    }

    fn key(port: u16) -> Key {
        Key::new(&Addresses::V4([10, 0, 0, 9], [10, 0, 0, 1]), ports(port, 80)).0
    }

    proptest! {
        #[test]
        fn a_key_knows_its_packets(
            v6 in any::<bool>(),
            ends in prop::array::uniform2((0..3_u8, 0..3_u16)),
            other in prop::array::uniform2((0..3_u8, 0..3_u16)),
        ) {
            let both = |ends: [(u8, u16); 2]| {
                let [(a, p), (b, q)] = ends;
                let addresses = if v6 {
                    Addresses::V6([a; 16], [b; 16])
                } else {
                    Addresses::V4([a; 4], [b; 4])
                };
                (addresses, ports(p, q))
            };
            let (addresses, ports) = both(ends);
            let (key, from) = Key::new(&addresses, ports);
            prop_assert_eq!(key.source(&addresses, ports), Some(from));
            let (others, other_ports) = both(other);
            let (other_key, other_from) = Key::new(&others, other_ports);
            let expected = (key == other_key).then_some(other_from);
            prop_assert_eq!(key.source(&others, other_ports), expected);
            if expected.is_some() {
                let place = Recent::place(&addresses, ports);
                prop_assert_eq!(place, Recent::place(&others, other_ports));
            }
        }
    }

    #[test]
    fn flows_that_meet_in_a_place_are_apart() {
        let mut table = Table::default();
        let addresses = Addresses::V4([10, 0, 0, 9], [10, 0, 0, 1]);
        let place = Recent::place(&addresses, ports(1, 80));
        // Another address of a client that shares the place.
        let other = (0..u32::MAX).map(|low| Addresses::V4(low.to_be_bytes(), [10, 0, 0, 1]));
        let other = other.into_iter().find(|other| Recent::place(other, ports(1, 80)) == place).unwrap();
        let both = [addresses, other];
        for (slot, addresses) in both.iter().enumerate() {
            let (key, from) = Key::new(addresses, ports(1, 80));
            assert_eq!(table.add(Flow::new(key, from, Network::PLAIN, 1, Time(0))), slot as u32);
        }
        for round in 0..6 {
            let (slot, addresses) = (round % 2, both[round % 2]);
            let found = table.recent(&addresses, ports(1, 80)).map(|(_, slot, _)| slot);
            assert!(found.is_none_or(|found| found == slot as u32));
            assert!(table.seek(addresses, ports(1, 80)));
            let (_, found, from) = table.recent(&addresses, ports(1, 80)).unwrap();
            assert_eq!((found, from), (slot as u32, Key::new(&addresses, ports(1, 80)).1));
        }
        // What is closed is found no longer, and what takes its slot is not taken for it.
        assert!(table.remove(1) && table.recent(&other, ports(1, 80)).is_none());
        assert!(!table.seek(other, ports(1, 80)));
        assert_eq!(table.add(Flow::new(key(7), 0, Network::PLAIN, 2, Time(0))), 1);
        assert!(table.recent(&other, ports(1, 80)).is_none());
    }

    #[test]
    fn tombstones_are_bounded_and_do_not_hide_new_flows() {
        let mut table = Table::default();
        for round in 0..3 {
            for port in 0..u16::try_from(limits::CLOSED_FLOWS * 2).unwrap() {
                let slot = table.add(Flow::new(key(port), 0, Network::PLAIN, round, Time(0)));
                assert_eq!(table.len(), 1);
                assert!(table.remove(slot) && !table.remove(slot));
            }
        }
        assert_eq!((table.v4.len(), table.slots.len()), (limits::CLOSED_FLOWS, 1));
    }

    #[test]
    fn flows_are_small() {
        assert_eq!(size_of::<Option<Flow>>(), 320);
        assert_eq!(size_of::<(KeyV4, u32)>(), 16);
    }
}
