//! pcapng (draft-ietf-opsawg-pcapng): sections of blocks.

use super::buffer::{Buffer, More};
use super::interface::{Interface, Order};
use super::note_link;
use crate::input::{InputError, Meter};
use crate::limits;
use crate::model::{Packet, Text, Time};

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
pub(super) const DECRYPTION_SECRETS: u32 = 10;

/// `TLSK`: the secrets are a key log of TLS.
pub(super) const TLS_KEY_LOG: u32 = 0x544C_534B;

const BYTE_ORDER: u32 = 0x1A2B_3C4D;

/// Type and length before a block's body, the length again after it.
const BLOCK_HEADER: usize = 8;
const BLOCK_TRAILER: usize = 4;
/// The shortest block, with an empty body. A section header's first word of body stands in as many bytes.
const LEAST_BLOCK: usize = BLOCK_HEADER + BLOCK_TRAILER;
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
    /// Lines of key logs that nobody has asked for yet.
    secrets: Vec<u8>,
}

/// A block that is whole in the buffer.
struct Block {
    kind: u32,
    len: usize,
}

/// A packet as its block describes it; the data stands at `at` in the block.
struct Record {
    time: Time,
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
            secrets: Vec::new(),
        }
    }

    /// The lines of key logs that stood before the last packet and are not taken yet.
    pub(super) fn take_secrets(&mut self) -> Option<Vec<u8>> {
        (!self.secrets.is_empty()).then(|| std::mem::take(&mut self.secrets))
    }

    /// Reads all blocks that are left, for their secrets. What is damaged is told when its packets are read.
    pub(super) fn all_secrets(&mut self) -> Vec<u8> {
        while let Ok(Some(block)) = self.block() {
            if block.kind == DECRYPTION_SECRETS {
                self.note_secrets(block.len);
            }
            self.buffer.take(block.len);
        }
        std::mem::take(&mut self.secrets)
    }

    /// Keeps the key log in the block at hand, if it is one.
    #[cold]
    fn note_secrets(&mut self, len: usize) {
        let body = &self.buffer.have()[BLOCK_HEADER..len - BLOCK_TRAILER];
        let Some((head, data)) = body.split_first_chunk::<8>() else { return };
        let length = self.order.u32(head, 4) as usize;
        let is_key_log = self.order.u32(head, 0) == TLS_KEY_LOG;
        if let Some(log) = data.get(..length).filter(|_| is_key_log)
            && self.secrets.len() + length < limits::KEYLOG as usize
        {
            self.secrets.extend_from_slice(log);
            self.secrets.push(b'\n');
        }
    }

    pub(super) fn links(&self) -> &[u32] {
        &self.links
    }

    pub(super) fn snaplen(&self) -> Option<u32> {
        self.interfaces.iter().map(|interface| interface.snaplen).filter(|most| *most > 0).min()
    }

    pub(super) fn meter(&self) -> &Meter {
        self.buffer.meter()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<Result<Packet<'_>, InputError>> {
        if self.done {
            return None;
        }
        match self.packet() {
            Ok(Some((record, len))) => {
                self.number += 1;
                self.last = record.time;
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
                ENHANCED_PACKET | PACKET => self.timed(body, block.kind),
                SIMPLE_PACKET => self.simple(body),
                SECTION_HEADER => {
                    self.interfaces.clear();
                    self.buffer.take(block.len);
                    continue;
                }
                INTERFACE_DESCRIPTION => {
                    let Some(interface) = Interface::read(body, self.order) else {
                        let what =
                            Text::new("the body of {} has {} bytes").word(name(block.kind)).and(body.len());
                        return Err(self.malformed(what));
                    };
                    if self.interfaces.len() == limits::INTERFACES {
                        let what = Text::with("it describes more than {} interfaces", limits::INTERFACES);
                        return Err(self.malformed(what));
                    }
                    note_link(&mut self.links, interface.link);
                    self.interfaces.push(interface);
                    self.buffer.take(block.len);
                    continue;
                }
                DECRYPTION_SECRETS => {
                    self.note_secrets(block.len);
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
            let mut needed = LEAST_BLOCK;
            if let Some(head) = have.first_chunk::<LEAST_BLOCK>() {
                let kind = self.order.u32(head, 0);
                if kind == SECTION_HEADER {
                    // Its own body says in which byte order its length is written.
                    self.order = self.byte_order(head)?;
                }
                needed = self.order.u32(head, 4) as usize;
                if needed < LEAST_BLOCK || !needed.is_multiple_of(4) || needed > limits::PACKET {
                    return Err(self.bad_length(kind, needed));
                }
                if have.len() >= needed {
                    let trailer = self.order.u32(have, needed - BLOCK_TRAILER) as usize;
                    if trailer != needed {
                        let what = Text::new("{} begins with length {} and ends with length {}");
                        let what = what.word(name(kind)).and(needed).and(trailer);
                        return Err(self.malformed(what));
                    }
                    return Ok(Some(Block { kind, len: needed }));
                }
            }
            if !self.fill(needed)? {
                return Ok(None);
            }
        }
    }

    #[cold]
    fn byte_order(&self, head: &[u8; LEAST_BLOCK]) -> Result<Order, InputError> {
        match (Order::Little.u32(head, 8), Order::Big.u32(head, 8)) {
            (BYTE_ORDER, _) => Ok(Order::Little),
            (_, BYTE_ORDER) => Ok(Order::Big),
            (_, other) => Err(self.malformed(Text::with(
                "the section header's byte-order magic is {}, expected 1a2b3c4d or 4d3c2b1a",
                format!("{other:08x}"),
            ))),
        }
    }

    #[cold]
    fn bad_length(&self, kind: u32, len: usize) -> InputError {
        let (words, limit) = if len > limits::PACKET {
            ("{} declares {} bytes, at most {} are read", limits::PACKET)
        } else {
            ("{} declares {} bytes, expected a multiple of 4, at least {}", LEAST_BLOCK)
        };
        self.malformed(Text::new(words).word(name(kind)).and(len).and(limit))
    }

    /// Reads on within a block; `false` when the file ends before it, as it should.
    #[cold]
    fn fill(&mut self, needed: usize) -> Result<bool, InputError> {
        let (more, have) = (self.buffer.more()?, self.buffer.have());
        let what = match (more, have.len()) {
            (More::Some, _) => return Ok(true),
            (More::End { cut: None }, 0) => return Ok(false),
            (More::End { cut: Some(packed) }, 0) => packed,
            (More::End { .. }, 1..LEAST_BLOCK) => "a block header",
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

    /// An Enhanced Packet Block, or the obsolete Packet Block, whose first word has the
    /// interface in 16 bits and a count of drops in the others.
    #[inline]
    fn timed(&self, body: &[u8], kind: u32) -> Result<Record, Text> {
        let Some((head, data)) = body.split_first_chunk::<ENHANCED_HEADER>() else {
            return Err(short(kind, body.len(), ENHANCED_HEADER));
        };
        let order = self.order;
        let id = if kind == PACKET { u32::from(order.u16(head, 0)) } else { order.u32(head, 0) };
        let interface = self.interface(id, kind)?;
        let ticks = u64::from(order.u32(head, 4)) << 32 | u64::from(order.u32(head, 8));
        let captured = order.u32(head, 12) as usize;
        if captured > data.len() {
            return Err(holds(kind, captured, data.len()));
        }
        Ok(Record {
            time: interface.time(ticks),
            link: interface.link,
            at: BLOCK_HEADER + ENHANCED_HEADER,
            captured,
            wire_len: order.u32(head, 16),
        })
    }

    /// A Simple Packet Block belongs to the first interface, and how much of the packet
    /// was captured follows from that interface's snap length.
    fn simple(&self, body: &[u8]) -> Result<Record, Text> {
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
        Ok(Record { time: self.last, link: interface.link, at: BLOCK_HEADER + 4, captured, wire_len })
    }

    #[inline]
    fn interface(&self, id: u32, kind: u32) -> Result<&Interface, Text> {
        self.interfaces.get(id as usize).ok_or_else(|| {
            Text::new("{} belongs to interface {}, but {} are described in this section")
                .word(name(kind))
                .and(id)
                .and(self.interfaces.len())
        })
    }

    #[cold]
    fn malformed(&self, what: Text) -> InputError {
        InputError::Malformed { offset: self.buffer.offset(), packet: self.number + 1, what }
    }
}

#[cold]
fn short(kind: u32, len: usize, least: usize) -> Text {
    Text::new("the body of {} has {} bytes, expected at least {}").word(name(kind)).and(len).and(least)
}

#[cold]
fn holds(kind: u32, captured: usize, room: usize) -> Text {
    Text::new("{} declares {} captured bytes and has room for {}").word(name(kind)).and(captured).and(room)
}

fn name(kind: u32) -> &'static str {
    match kind {
        SECTION_HEADER => "a section header block",
        INTERFACE_DESCRIPTION => "an interface description block",
        PACKET => "an obsolete packet block",
        SIMPLE_PACKET => "a simple packet block",
        ENHANCED_PACKET => "an enhanced packet block",
        DECRYPTION_SECRETS => "a decryption secrets block",
        _ => "a block",
    }
}
