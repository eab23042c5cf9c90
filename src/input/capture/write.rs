//! Writing classic pcap.

use std::borrow::Cow;
use std::io::{self, Write};

use pcap_file::pcap::{PcapHeader, PcapTsResolution, PcapWriteError, RawPcapPacket};
use pcap_file::{DataLink, Endianness};

use crate::model::Time;

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
        let bad = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        let ts_sec = u32::try_from(time.0 / 1_000_000_000)
            .map_err(|_| bad("the time does not fit a pcap file, which ends in 2106"))?;
        let len = u32::try_from(data.len()).map_err(|_| bad("the packet is longer than pcap can say"))?;
        let packet = RawPcapPacket {
            ts_sec,
            ts_frac: (time.0 % 1_000_000_000 / 1000) as u32,
            incl_len: len,
            orig_len: len,
            data: Cow::Borrowed(data),
        };
        self.inner.write_raw_packet(&packet).map_err(explain)?;
        Ok(())
    }

    /// Flushes and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.flush().map_err(explain)?;
        Ok(self.inner.into_inner())
    }
}

fn explain(error: PcapWriteError) -> io::Error {
    match error {
        PcapWriteError::Io(error) | PcapWriteError::FieldWriteFailed(_, error) => error,
        PcapWriteError::Validation(error) => io::Error::new(io::ErrorKind::InvalidInput, error),
    }
}
