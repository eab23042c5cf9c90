//! Classic pcap (draft-ietf-opsawg-pcap).

use pcap_file::Endianness;
use pcap_file::pcap::{PcapParseError, PcapParser, PcapTsResolution};

use super::buffer::{Buffer, More};
use super::{longest, note_link};
use crate::input::{InputError, Meter};
use crate::model::{Packet, Text, Time};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// A classic pcap file being read.
pub(super) struct File {
    buffer: Buffer,
    header: Option<Header>,
    links: Vec<u32>,
    number: u64,
    done: bool,
}

struct Header {
    big_endian: bool,
    /// Nanoseconds of one unit of the records' fractions.
    unit: u64,
    link: u32,
    longest: usize,
    snaplen: u32,
}

/// Where a packet stands behind its record's header, and what that header says.
struct Record {
    time: Time,
    wire_len: u32,
    captured: usize,
}

impl File {
    pub(super) fn new(buffer: Buffer) -> Self {
        Self { buffer, header: None, links: Vec::new(), number: 0, done: false }
    }

    pub(super) fn links(&self) -> &[u32] {
        &self.links
    }

    pub(super) fn snaplen(&self) -> Option<u32> {
        self.header.as_ref().map(|header| header.snaplen).filter(|most| *most > 0)
    }

    pub(super) fn meter(&self) -> &Meter {
        self.buffer.meter()
    }

    /// The next packet, if all of it is in the buffer.
    #[allow(clippy::inline_always)] // or what it gives goes through memory
    #[inline(always)]
    pub(super) fn at_hand(&mut self) -> Option<Packet<'_>> {
        let header = self.header.as_ref()?;
        let (have, start) = self.buffer.parts();
        let (record, behind) = header.read(have)?;
        let data = behind.get(..record.captured)?;
        *start += RECORD_HEADER + record.captured;
        self.number += 1;
        let Record { time, wire_len, .. } = record;
        Some(Packet { number: self.number, time, link: header.link, data, wire_len })
    }

    #[inline(never)]
    pub(super) fn next(&mut self) -> Option<Result<Packet<'_>, InputError>> {
        if self.done {
            return None;
        }
        match self.wait() {
            Ok(true) => self.at_hand().map(Ok),
            Ok(false) => {
                self.done = true;
                None
            }
            Err(error) => {
                self.done = true;
                Some(Err(error))
            }
        }
    }

    /// Makes sure that a whole record is in the buffer; `false` at the end of the file.
    fn wait(&mut self) -> Result<bool, InputError> {
        loop {
            let Some(header) = &self.header else {
                self.read_header()?;
                continue;
            };
            let is_whole = |(record, behind): (Record, &[u8])| behind.len() >= record.captured;
            if header.read(self.buffer.have()).is_some_and(is_whole) {
                return Ok(true);
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    #[cold]
    fn read_header(&mut self) -> Result<(), InputError> {
        loop {
            match PcapParser::new(self.buffer.have()) {
                Ok((_, parser)) => {
                    let header = parser.header();
                    if header.version_major != 2 {
                        let (major, minor) = (header.version_major, header.version_minor);
                        let what = Text::with("its version is {}.{}, expected 2.4", major).and(minor);
                        return Err(self.malformed(what));
                    }
                    // The upper half may hold the length of a frame check sequence.
                    let link = u32::from(header.datalink) & 0xFFFF;
                    let unit = match header.ts_resolution {
                        PcapTsResolution::MicroSecond => 1000,
                        PcapTsResolution::NanoSecond => 1,
                    };
                    note_link(&mut self.links, link);
                    self.buffer.take(FILE_HEADER);
                    let big_endian = header.endianness == Endianness::Big;
                    let longest = longest(header.snaplen);
                    let snaplen = header.snaplen;
                    self.header = Some(Header { big_endian, unit, link, longest, snaplen });
                    return Ok(());
                }
                Err(PcapParseError::IncompleteBuffer(..)) => match self.buffer.more()? {
                    More::Some => {}
                    More::End { .. } => return Err(self.truncated("the file header", FILE_HEADER as u64)),
                },
                Err(error) => return Err(self.malformed(Text::with("{}", error))),
            }
        }
    }

    /// Reads on within a record; `false` when the file ends before it, as it should.
    #[cold]
    fn fill(&mut self) -> Result<bool, InputError> {
        let declared = self.declared();
        if let (Some(declared), Some(header)) = (declared, &self.header)
            && declared > header.longest
        {
            let what = Text::with("the record declares {} bytes, at most {} are plausible", declared);
            return Err(self.malformed(what.and(header.longest)));
        }
        Ok(match (self.buffer.more()?, declared, self.buffer.have().len()) {
            (More::Some, ..) => true,
            (More::End { cut: None }, _, 0) => false,
            (More::End { cut: Some(packed) }, _, 0) => return Err(self.truncated(packed, 0)),
            (More::End { .. }, None, _) => {
                return Err(self.truncated("the record header", RECORD_HEADER as u64));
            }
            (More::End { .. }, Some(len), _) => {
                return Err(self.truncated("the record", (RECORD_HEADER + len) as u64));
            }
        })
    }

    /// How long the record at hand says its data is, if that much has arrived.
    fn declared(&self) -> Option<usize> {
        self.header.as_ref()?.read(self.buffer.have()).map(|(record, _)| record.captured)
    }

    fn truncated(&self, what: &'static str, needed: u64) -> InputError {
        let have = self.buffer.have().len() as u64;
        InputError::Truncated { offset: self.buffer.offset(), packet: self.number + 1, what, needed, have }
    }

    fn malformed(&self, what: Text) -> InputError {
        InputError::Malformed { offset: self.buffer.offset(), packet: self.number + 1, what }
    }
}

impl Header {
    /// The header that `bytes` begin with, and what is behind it.
    ///
    /// Takes what a record says as it is: a fraction beyond a second counts on, and
    /// a length on the wire below that of the data is what the data has.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn read<'b>(&self, bytes: &'b [u8]) -> Option<(Record, &'b [u8])> {
        let (head, behind) = bytes.split_first_chunk::<RECORD_HEADER>()?;
        let (words, _) = head.as_chunks();
        let number = |i: usize| {
            if self.big_endian { u32::from_be_bytes(words[i]) } else { u32::from_le_bytes(words[i]) }
        };
        let (seconds, fraction, captured, on_wire) = (number(0), number(1), number(2), number(3));
        let record = Record {
            time: Time(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * self.unit),
            wire_len: on_wire.max(captured),
            captured: captured as usize,
        };
        Some((record, behind))
    }
}
