//! Writing classic pcap, and pcapng with comments.

use std::borrow::Cow;
use std::io::{self, Write};

use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapTsResolution, PcapWriteError, RawPcapPacket};
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::blocks::unknown::UnknownBlock;
use pcap_file::pcapng::{PcapNgWriteError, PcapNgWriter as Blocks};
use pcap_file::{DataLink, Endianness};

use super::pcapng::{DECRYPTION_SECRETS, TLS_KEY_LOG};
use crate::limits;
use crate::model::{Packet, Time};

/// What tcpdump declares when it cuts nothing.
const SNAPLEN: u32 = 262_144;

/// Writes packets as classic pcap, little-endian, in microseconds.
///
/// Every packet takes several small writes, so hand it a buffered writer.
pub struct PcapWriter<W: Write> {
    inner: pcap_file::pcap::PcapWriter<W>,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header. `link` is a LINKTYPE_ number, such as [`ETHERNET`](super::ETHERNET).
    pub fn new(writer: W, link: u32) -> io::Result<Self> {
        let header = PcapHeader {
            snaplen: SNAPLEN,
            datalink: DataLink::from(link),
            ts_resolution: PcapTsResolution::MicroSecond,
            endianness: Endianness::Little,
            ..PcapHeader::default()
        };
        let inner = pcap_file::pcap::PcapWriter::with_header(writer, header).map_err(explain)?;
        Ok(Self { inner })
    }

    /// Writes one whole packet.
    ///
    /// # Errors
    /// Besides those of the writer: a time after 2106-02-07, where 32 bits of seconds end.
    pub fn packet(&mut self, time: Time, data: &[u8]) -> io::Result<()> {
        let wire_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.cut_packet(&Packet { number: 0, time, link: 0, data, wire_len })
    }

    /// Writes a packet of which the capture may have cut something; its link type is that of the file.
    ///
    /// # Errors
    /// Those of [`PcapWriter::packet`].
    pub fn cut_packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let Packet { time, data, wire_len, .. } = *packet;
        let bad = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        let ts_sec = u32::try_from(time.0 / 1_000_000_000)
            .map_err(|_| bad("the time does not fit a pcap file, which ends in 2106"))?;
        let len = u32::try_from(data.len()).map_err(|_| bad("the packet is longer than pcap can say"))?;
        let packet = RawPcapPacket {
            ts_sec,
            ts_frac: (time.0 % 1_000_000_000 / 1000) as u32,
            incl_len: len,
            orig_len: wire_len.max(len),
            data: Cow::Borrowed(data),
        };
        self.inner.write_raw_packet(&packet).map_err(explain)?;
        Ok(())
    }

    /// Writes out what was gathered.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.inner.flush().map_err(explain)
    }

    /// Flushes and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.flush().map_err(explain)?;
        Ok(self.inner.into_inner())
    }
}

/// Writes packets as pcapng, little-endian, in nanoseconds: an interface for each link type, comments with
/// each packet that Wireshark shows as its packet comments.
///
/// Every block takes several small writes, so hand it a buffered writer.
pub struct PcapNgWriter<W: Write> {
    inner: Blocks<W>,
    /// Link types of the interfaces described so far.
    links: Vec<u32>,
}

impl<W: Write> PcapNgWriter<W> {
    /// Writes the section header, in which `application` stands as what wrote the file.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(writer: W, application: &str) -> io::Result<Self> {
        let section = SectionHeaderBlock {
            endianness: Endianness::Little,
            options: vec![SectionHeaderOption::UserApplication(application.into())],
            ..SectionHeaderBlock::default()
        };
        let inner = Blocks::with_section_header(writer, section).map_err(explain_block)?;
        Ok(Self { inner, links: Vec::new() })
    }

    /// Writes a packet with what is said of it, at most [`limits::COMMENT`] bytes each.
    ///
    /// # Errors
    /// Those of the writer; a link type that pcapng cannot name.
    pub fn packet(&mut self, packet: &Packet<'_>, comments: &[String]) -> io::Result<()> {
        let known = self.links.iter().position(|link| *link == packet.link);
        let interface = if let Some(interface) = known {
            interface
        } else {
            let block = InterfaceDescriptionBlock {
                linktype: DataLink::from(packet.link),
                snaplen: 0,
                options: vec![InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO)],
            };
            self.inner.write_pcapng_block(block).map_err(explain_block)?;
            self.links.push(packet.link);
            self.links.len() - 1
        };
        let comment = |comment: &String| {
            let text = comment[..comment.floor_char_boundary(limits::COMMENT)].to_owned();
            EnhancedPacketOption::Common(CommonOption::Comment(text.into()))
        };
        let block = EnhancedPacketBlock {
            interface_id: u32::try_from(interface).unwrap_or(u32::MAX),
            timestamp: Duration::from_nanos(packet.time.0),
            original_len: packet.wire_len.max(u32::try_from(packet.data.len()).unwrap_or(u32::MAX)),
            data: Cow::Borrowed(packet.data),
            options: comments.iter().map(comment).collect(),
        };
        self.inner.write_pcapng_block(block).map_err(explain_block)?;
        Ok(())
    }

    /// Writes lines of a TLS key log, which apply to the packets behind them: a Decryption Secrets Block
    /// (draft-ietf-opsawg-pcapng, Decryption Secrets Block).
    ///
    /// # Errors
    /// Those of the writer; more than a block can hold.
    pub fn secrets(&mut self, keylog: &[u8]) -> io::Result<()> {
        let length = u32::try_from(keylog.len())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "more keys than pcapng can hold"))?;
        let mut value = Vec::with_capacity(8 + keylog.len() + 3);
        value.extend(TLS_KEY_LOG.to_le_bytes());
        value.extend(length.to_le_bytes());
        value.extend(keylog);
        value.resize(value.len().next_multiple_of(4), 0);
        let block = UnknownBlock::new(DECRYPTION_SECRETS, 12 + length.next_multiple_of(4) + 8, &value);
        self.inner.write_pcapng_block(block).map_err(explain_block)?;
        Ok(())
    }

    /// Writes out what was gathered.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.inner.get_mut().flush()
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(self) -> io::Result<W> {
        let mut writer = self.inner.into_inner();
        writer.flush()?;
        Ok(writer)
    }
}

fn explain_block(error: PcapNgWriteError) -> io::Error {
    match error {
        PcapNgWriteError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidInput, other.to_string()),
    }
}

fn explain(error: PcapWriteError) -> io::Error {
    match error {
        PcapWriteError::Io(error) | PcapWriteError::FieldWriteFailed(_, error) => error,
        PcapWriteError::Validation(error) => io::Error::new(io::ErrorKind::InvalidInput, error),
    }
}
