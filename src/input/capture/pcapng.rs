//! pcapng (draft-ietf-opsawg-pcapng): sections of blocks.

use super::buffer::{Buffer, More};
use super::{Packet, note_link};
use crate::input::InputError;
use crate::limits;
use crate::model::Time;

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER: u32 = 0x1A2B_3C4D;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

/// Type and length before a block's body, the length again after it.
const BLOCK_HEADER: usize = 8;
const BLOCK_TRAILER: usize = 4;
const ENHANCED_HEADER: usize = 20;

/// A pcapng file being read.
pub(super) struct File {
    buffer: Buffer,
    order: Order,
    interfaces: Vec<Interface>,
    links: Vec<u32>,
    number: u64,
    last: Time,
    done: bool,
}

/// The byte order of the section at hand.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

struct Interface {
    link: u32,
    snaplen: u32,
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

/// A block that is whole in the buffer.
struct Block {
    kind: u32,
    len: usize,
}

/// A packet as its block describes it; the data stands at `at` in the block.
struct Record {
    time: Option<Time>,
    link: u32,
    at: usize,
    captured: usize,
    wire_len: u32,
}

impl File {
    pub(super) fn new(buffer: Buffer) -> Self {
        Self {
            buffer,
            order: Order::Little,
            interfaces: Vec::new(),
            links: Vec::new(),
            number: 0,
            last: Time(0),
            done: false,
        }
    }

    pub(super) fn links(&self) -> &[u32] {
        &self.links
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.buffer.bytes_read()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<Result<Packet<'_>, InputError>> {
        if self.done {
            return None;
        }
        match self.packet() {
            Ok(Some((record, len))) => {
                self.number += 1;
                self.last = record.time.unwrap_or(self.last);
                let data = &self.buffer.take(len)[record.at..record.at + record.captured];
                let wire_len = record.wire_len.max(data.len() as u32);
                Some(Ok(Packet { number: self.number, time: self.last, link: record.link, data, wire_len }))
            }
            Ok(None) => {
                self.done = true;
                None
            }
            Err(error) => {
                self.done = true;
                Some(Err(error))
            }
        }
    }

    /// Goes to the next packet block and says how long that block is.
    #[inline]
    fn packet(&mut self) -> Result<Option<(Record, usize)>, InputError> {
        loop {
            let Some(block) = self.block()? else { return Ok(None) };
            let body = &self.buffer.have()[BLOCK_HEADER..block.len - BLOCK_TRAILER];
            let record = match block.kind {
                ENHANCED_PACKET => self.enhanced(body),
                SIMPLE_PACKET => self.simple(body),
                PACKET => self.obsolete(body),
                SECTION_HEADER => {
                    self.interfaces.clear();
                    self.buffer.take(block.len);
                    continue;
                }
                INTERFACE_DESCRIPTION => {
                    let interface = Interface::read(body, self.order).map_err(|what| self.malformed(what))?;
                    if self.interfaces.len() == limits::INTERFACES {
                        let what = format!("it describes more than {} interfaces", limits::INTERFACES);
                        return Err(self.malformed(what));
                    }
                    note_link(&mut self.links, interface.link);
                    self.interfaces.push(interface);
                    self.buffer.take(block.len);
                    continue;
                }
                _ => {
                    self.buffer.take(block.len);
                    continue;
                }
            };
            return match record {
                Ok(record) => Ok(Some((record, block.len))),
                Err(what) => Err(self.malformed(what)),
            };
        }
    }

    /// Makes sure that a whole block is in the buffer; `None` at the end of the file.
    #[inline]
    fn block(&mut self) -> Result<Option<Block>, InputError> {
        loop {
            let have = self.buffer.have();
            let mut needed = BLOCK_HEADER;
            if have.len() >= needed {
                let kind = self.order.u32(have, 0);
                if kind == SECTION_HEADER {
                    // Its own body says in which byte order its length is written.
                    needed += 4;
                    if have.len() >= needed {
                        self.order = self.byte_order()?;
                    }
                }
                if have.len() >= needed {
                    needed = self.length(kind)?;
                    let have = self.buffer.have();
                    if have.len() >= needed {
                        let trailer = self.order.u32(have, needed - BLOCK_TRAILER) as usize;
                        if trailer != needed {
                            let name = name(kind);
                            let what =
                                format!("{name} begins with length {needed} and ends with length {trailer}");
                            return Err(self.malformed(what));
                        }
                        return Ok(Some(Block { kind, len: needed }));
                    }
                }
            }
            if !self.fill(needed)? {
                return Ok(None);
            }
        }
    }

    fn byte_order(&self) -> Result<Order, InputError> {
        let have = self.buffer.have();
        match (Order::Little.u32(have, 8), Order::Big.u32(have, 8)) {
            (BYTE_ORDER, _) => Ok(Order::Little),
            (_, BYTE_ORDER) => Ok(Order::Big),
            (_, other) => Err(self.malformed(format!(
                "the section header's byte-order magic is {other:08x}, expected 1a2b3c4d or 4d3c2b1a"
            ))),
        }
    }

    /// The length a block declares, if it is possible.
    #[inline]
    fn length(&self, kind: u32) -> Result<usize, InputError> {
        let len = self.order.u32(self.buffer.have(), 4) as usize;
        let least = BLOCK_HEADER + BLOCK_TRAILER;
        if len >= least && len.is_multiple_of(4) && len <= limits::PACKET {
            return Ok(len);
        }
        let name = name(kind);
        Err(self.malformed(if len > limits::PACKET {
            format!("{name} declares {len} bytes, at most {} are read", limits::PACKET)
        } else {
            format!("{name} declares {len} bytes, expected a multiple of 4, at least {least}")
        }))
    }

    /// Reads on within a block; `false` when the file ends before it, as it should.
    #[cold]
    fn fill(&mut self, needed: usize) -> Result<bool, InputError> {
        let (more, have) = (self.buffer.more()?, self.buffer.have());
        let what = match (more, have.len()) {
            (More::Some, _) => return Ok(true),
            (More::End { cut: false }, 0) => return Ok(false),
            (More::End { .. }, 0) => "the gzip data",
            (More::End { .. }, 1..BLOCK_HEADER) => "a block header",
            (More::End { .. }, _) => name(self.order.u32(have, 0)),
        };
        let (have, needed) = (have.len() as u64, if have.is_empty() { 0 } else { needed as u64 });
        Err(InputError::Truncated {
            offset: self.buffer.offset(),
            packet: self.number + 1,
            what,
            needed,
            have,
        })
    }

    #[inline]
    fn enhanced(&self, body: &[u8]) -> Result<Record, String> {
        if body.len() < ENHANCED_HEADER {
            return Err(short(ENHANCED_PACKET, body.len(), ENHANCED_HEADER));
        }
        let order = self.order;
        self.timed(body, order.u32(body, 0), ENHANCED_PACKET)
    }

    /// The obsolete Packet Block differs in its first word only: 16 bits of interface, 16 of drops.
    fn obsolete(&self, body: &[u8]) -> Result<Record, String> {
        if body.len() < ENHANCED_HEADER {
            return Err(short(PACKET, body.len(), ENHANCED_HEADER));
        }
        self.timed(body, u32::from(self.order.u16(body, 0)), PACKET)
    }

    #[inline]
    fn timed(&self, body: &[u8], id: u32, kind: u32) -> Result<Record, String> {
        let order = self.order;
        let interface = self.interface(id, kind)?;
        let ticks = u64::from(order.u32(body, 4)) << 32 | u64::from(order.u32(body, 8));
        let captured = order.u32(body, 12) as usize;
        if captured > body.len() - ENHANCED_HEADER {
            return Err(holds(kind, captured, body.len() - ENHANCED_HEADER));
        }
        Ok(Record {
            time: Some(interface.time(ticks)),
            link: interface.link,
            at: BLOCK_HEADER + ENHANCED_HEADER,
            captured,
            wire_len: order.u32(body, 16),
        })
    }

    /// A Simple Packet Block belongs to the first interface, and how much of the packet
    /// was captured follows from that interface's snap length.
    fn simple(&self, body: &[u8]) -> Result<Record, String> {
        if body.len() < 4 {
            return Err(short(SIMPLE_PACKET, body.len(), 4));
        }
        let interface = self.interface(0, SIMPLE_PACKET)?;
        let wire_len = self.order.u32(body, 0);
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let captured = wire_len.min(snaplen) as usize;
        if captured > body.len() - 4 {
            return Err(holds(SIMPLE_PACKET, captured, body.len() - 4));
        }
        Ok(Record { time: None, link: interface.link, at: BLOCK_HEADER + 4, captured, wire_len })
    }

    #[inline]
    fn interface(&self, id: u32, kind: u32) -> Result<&Interface, String> {
        self.interfaces.get(id as usize).ok_or_else(|| {
            let count = self.interfaces.len();
            format!("{} belongs to interface {id}, but {count} are described in this section", name(kind))
        })
    }

    #[cold]
    fn malformed(&self, what: String) -> InputError {
        InputError::Malformed { offset: self.buffer.offset(), packet: self.number + 1, what }
    }
}

#[cold]
fn short(kind: u32, len: usize, least: usize) -> String {
    format!("the body of {} has {len} bytes, expected at least {least}", name(kind))
}

#[cold]
fn holds(kind: u32, captured: usize, room: usize) -> String {
    format!("{} declares {captured} captured bytes and has room for {room}", name(kind))
}

fn name(kind: u32) -> &'static str {
    match kind {
        SECTION_HEADER => "a section header block",
        INTERFACE_DESCRIPTION => "an interface description block",
        PACKET => "an obsolete packet block",
        SIMPLE_PACKET => "a simple packet block",
        ENHANCED_PACKET => "an enhanced packet block",
        _ => "a block",
    }
}

impl Order {
    #[inline]
    fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        match self {
            Self::Little => u32::from_le_bytes(word),
            Self::Big => u32::from_be_bytes(word),
        }
    }

    fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let word = [bytes[at], bytes[at + 1]];
        match self {
            Self::Little => u16::from_le_bytes(word),
            Self::Big => u16::from_be_bytes(word),
        }
    }

    fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let (first, second) = (u64::from(self.u32(bytes, at)), u64::from(self.u32(bytes, at + 4)));
        match self {
            Self::Little => second << 32 | first,
            Self::Big => first << 32 | second,
        }
    }
}

impl Interface {
    /// Reads an interface description. Options that do not concern time are not looked into,
    /// and the list ends where it stops making sense.
    fn read(body: &[u8], order: Order) -> Result<Self, String> {
        if body.len() < 8 {
            return Err(short(INTERFACE_DESCRIPTION, body.len(), 8));
        }
        let (link, snaplen) = (u32::from(order.u16(body, 0)), order.u32(body, 4));
        let mut interface = Self { link, snaplen, ticks: Ticks::new(6), offset: 0 };
        let mut options = &body[8..];
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
        Ok(interface)
    }

    #[inline]
    fn time(&self, ticks: u64) -> Time {
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
