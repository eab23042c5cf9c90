//! What a pcapng section and its interfaces say about their packets: byte order, link type, units of time.

use crate::model::Time;

const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

/// Bytes of an interface description before its options.
const FIXED: usize = 8;

/// The byte order of the section at hand.
#[derive(Clone, Copy)]
pub(super) enum Order {
    Little,
    Big,
}

/// One interface of a section.
pub(super) struct Interface {
    pub(super) link: u32,
    /// The most bytes captured of a packet; 0 when there is no limit.
    pub(super) snaplen: u32,
    ticks: Ticks,
    /// Nanoseconds to add.
    offset: i128,
}

/// How a timestamp becomes nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ticks {
    /// Decimal, at most nine places.
    Times(u64),
    /// Decimal, finer than nanoseconds.
    Per(u64),
    /// Units of 2 to the minus so many seconds.
    Binary(u32),
}

impl Order {
    #[inline]
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[at..at + 4]);
        match self {
            Self::Little => u32::from_le_bytes(word),
            Self::Big => u32::from_be_bytes(word),
        }
    }

    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let word = [bytes[at], bytes[at + 1]];
        match self {
            Self::Little => u16::from_le_bytes(word),
            Self::Big => u16::from_be_bytes(word),
        }
    }

    pub(super) fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let (first, second) = (u64::from(self.u32(bytes, at)), u64::from(self.u32(bytes, at + 4)));
        match self {
            Self::Little => second << 32 | first,
            Self::Big => first << 32 | second,
        }
    }
}

impl Interface {
    /// Reads an interface description. Options that do not concern time are not looked into,
    /// and the list ends where it stops making sense. `None` when there is not even what precedes them.
    pub(super) fn read(body: &[u8], order: Order) -> Option<Self> {
        if body.len() < FIXED {
            return None;
        }
        let (link, snaplen) = (u32::from(order.u16(body, 0)), order.u32(body, 4));
        let mut interface = Self { link, snaplen, ticks: Ticks::new(6), offset: 0 };
        let mut options = &body[FIXED..];
        while options.len() >= 4 {
            let (code, len) = (order.u16(options, 0), order.u16(options, 2) as usize);
            let Some(value) = options.get(4..4 + len).filter(|_| code != 0) else { break };
            match (code, len) {
                (IF_TSRESOL, 1) => interface.ticks = Ticks::new(value[0]),
                (IF_TSOFFSET, 8) => {
                    interface.offset = i128::from(order.u64(value, 0).cast_signed()) * 1_000_000_000;
                }
                _ => {}
            }
            options = options.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        }
        Some(interface)
    }

    #[inline]
    pub(super) fn time(&self, ticks: u64) -> Time {
        let nanos = match self.ticks {
            Ticks::Times(factor) if self.offset == 0 => return Time(ticks.saturating_mul(factor)),
            Ticks::Times(factor) => u128::from(ticks) * u128::from(factor),
            Ticks::Per(divisor) => u128::from(ticks / divisor),
            Ticks::Binary(shift) => (u128::from(ticks) * 1_000_000_000) >> shift,
        };
        // Below 2^94 at most, so it fits.
        let nanos = nanos.cast_signed().saturating_add(self.offset);
        Time(nanos.clamp(0, i128::from(u64::MAX)) as u64)
    }
}

impl Ticks {
    /// From the value of the option `if_tsresol`: a power of ten, or of two with the top bit set.
    fn new(resolution: u8) -> Self {
        match (resolution & 0x80 != 0, u32::from(resolution & 0x7F)) {
            (true, places) => Self::Binary(places),
            (false, places @ 0..=9) => Self::Times(10_u64.pow(9 - places)),
            // Beyond 28 places 64 bits do not reach a nanosecond.
            (false, places) => 10_u64.checked_pow(places - 9).map_or(Self::Times(0), Self::Per),
        }
    }
}
