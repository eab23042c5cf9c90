//! What names a flow: both of its endpoints.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::ip::Addresses;

/// Both endpoints of a flow, the lower one first, so that both directions have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    V4(KeyV4),
    V6(KeyV6),
}

/// Two addresses, and two ports in one word: 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyV4([u32; 2], u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct KeyV6([[u8; 16]; 2], u32);

impl Hash for KeyV4 {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[0]) << 32 | u64::from(self.0[1]));
        state.write_u32(self.1);
    }
}

impl Key {
    /// The key, and which of its endpoints is the source. The source's port is the upper half of `ports`.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(super) fn new(addresses: &Addresses, ports: u32) -> (Self, usize) {
        let (source, destination) = (ports >> 16, ports & 0xFFFF);
        let swapped = ports.rotate_right(16);
        match addresses {
            Addresses::V4(from, to) => {
                let (from, to) = (u32::from_be_bytes(*from), u32::from_be_bytes(*to));
                // In one comparison.
                let place = |address: u32, port: u32| u64::from(address) << 16 | u64::from(port);
                if place(from, source) <= place(to, destination) {
                    (Self::V4(KeyV4([from, to], ports)), 0)
                } else {
                    (Self::V4(KeyV4([to, from], swapped)), 1)
                }
            }
            Addresses::V6(from, to) => {
                if (from, source) <= (to, destination) {
                    (Self::V6(KeyV6([*from, *to], ports)), 0)
                } else {
                    (Self::V6(KeyV6([*to, *from], swapped)), 1)
                }
            }
        }
    }

    /// Which of its endpoints sent a packet with these addresses and ports; `None` for a packet of others.
    /// The answer is that of [`Self::new`].
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(super) fn source(&self, addresses: &Addresses, ports: u32) -> Option<usize> {
        #[allow(clippy::inline_always)]
        #[inline(always)]
        fn source<A: PartialEq>(
            [low, high]: &[A; 2],
            own: u32,
            from: &A,
            to: &A,
            ports: u32,
        ) -> Option<usize> {
            if own == ports && low == from && high == to {
                return Some(0);
            }
            (own == ports.rotate_right(16) && low == to && high == from).then_some(1)
        }
        match (self, addresses) {
            (Self::V4(KeyV4(both, own)), Addresses::V4(from, to)) => {
                let (from, to) = (u32::from_be_bytes(*from), u32::from_be_bytes(*to));
                source(both, *own, &from, &to, ports)
            }
            (Self::V6(KeyV6(both, own)), Addresses::V6(from, to)) => source(both, *own, from, to, ports),
            _ => None,
        }
    }

    /// Both endpoints, in the key's order.
    pub(super) fn endpoints(&self) -> (SocketAddr, SocketAddr) {
        let (low, high, ports): (IpAddr, IpAddr, u32) = match *self {
            Self::V4(KeyV4([low, high], ports)) => {
                (Ipv4Addr::from(low).into(), Ipv4Addr::from(high).into(), ports)
            }
            Self::V6(KeyV6([low, high], ports)) => {
                (Ipv6Addr::from(low).into(), Ipv6Addr::from(high).into(), ports)
            }
        };
        (SocketAddr::new(low, (ports >> 16) as u16), SocketAddr::new(high, ports as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(source: u16, destination: u16) -> u32 {
        u32::from(source) << 16 | u32::from(destination)
    }

    #[test]
    fn both_directions_have_the_same_key() {
        let (one, from) = Key::new(&Addresses::V4([10, 0, 0, 9], [10, 0, 0, 1]), ports(5000, 80));
        let (other, back) = Key::new(&Addresses::V4([10, 0, 0, 1], [10, 0, 0, 9]), ports(80, 5000));
        assert_eq!((one, from, back), (other, 1, 0));
        let endpoints = ("10.0.0.1:80".parse().unwrap(), "10.0.0.9:5000".parse().unwrap());
        assert_eq!(one.endpoints(), endpoints);

        let loopback = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let (one, from) = Key::new(&Addresses::V6(loopback, loopback), ports(5000, 80));
        let (other, back) = Key::new(&Addresses::V6(loopback, loopback), ports(80, 5000));
        assert_eq!((one, from, back), (other, 1, 0));
        assert_eq!(one.endpoints().1, "[::1]:5000".parse().unwrap());
    }
}
