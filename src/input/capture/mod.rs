//! Packets of a capture file, one after the other, lent from the read buffer.
//!
//! Only this folder names the `pcap_file` crate. It reads classic pcap and
//! writes it. Blocks of pcapng are walked here: what a packet needs of them is
//! little, and the crate refuses files for what does not matter, such as an
//! interface in picoseconds or a comment that is not UTF-8.

mod buffer;
mod interface;
mod pcap;
mod pcapng;
mod write;

use pcap_file::DataLink;

use super::InputError;
use super::source::{Meter, Source};
use crate::limits;
use crate::model::Packet;
use buffer::Buffer;

pub use write::{PcapNgWriter, PcapWriter};

/// `LINKTYPE_ETHERNET`, the link type of most captures.
pub const ETHERNET: u32 = 1;

/// A capture file being read.
pub struct Capture {
    name: String,
    file: File,
}

enum File {
    Pcap(pcap::File),
    PcapNg(pcapng::File),
}

impl Capture {
    /// Reads classic pcap. Nothing is read before the first packet is asked for.
    pub(super) fn pcap(source: Source, name: &str) -> Self {
        Self { name: name.to_owned(), file: File::Pcap(pcap::File::new(Buffer::new(source))) }
    }

    /// Reads pcapng. Nothing is read before the first packet is asked for.
    pub(super) fn pcapng(source: Source, name: &str) -> Self {
        Self { name: name.to_owned(), file: File::PcapNg(pcapng::File::new(Buffer::new(source))) }
    }

    /// The next packet, if all of it has been read from a file of classic pcap already: nothing is waited
    /// for, and nothing can fail. Else [`next`](Self::next) says what there is.
    #[allow(clippy::inline_always)] // or what it gives goes through memory
    #[inline(always)]
    pub fn at_hand(&mut self) -> Option<Packet<'_>> {
        match &mut self.file {
            File::Pcap(file) => file.at_hand(),
            File::PcapNg(_) => None,
        }
    }

    /// The next packet. After an error there is nothing more.
    ///
    /// # Errors
    /// [`InputError::Truncated`], [`InputError::Malformed`], [`InputError::Packed`], [`InputError::Io`]:
    /// the packets before were complete.
    #[inline]
    #[allow(clippy::should_implement_trait)] // a packet is lent, which an Iterator cannot do
    pub fn next(&mut self) -> Option<Result<Packet<'_>, InputError>> {
        match &mut self.file {
            File::Pcap(file) => file.next(),
            File::PcapNg(file) => file.next(),
        }
    }

    /// Lines of key logs of TLS that stood before the packet that came last, or the end, and were not taken
    /// yet (Decryption Secrets Blocks of pcapng).
    #[inline]
    pub fn take_secrets(&mut self) -> Option<Vec<u8>> {
        match &mut self.file {
            File::Pcap(_) => None,
            File::PcapNg(file) => file.take_secrets(),
        }
    }

    /// All of them in the whole file, of which nothing else is left then.
    pub fn into_secrets(mut self) -> Vec<u8> {
        match &mut self.file {
            File::Pcap(_) => Vec::new(),
            File::PcapNg(file) => file.all_secrets(),
        }
    }

    /// The name it was opened under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `pcap` or `pcapng`.
    pub fn format(&self) -> &'static str {
        match &self.file {
            File::Pcap(_) => "pcap",
            File::PcapNg(_) => "pcapng",
        }
    }

    /// Names of the link types described so far, each once, in order of appearance:
    /// those of <https://www.tcpdump.org/linktypes.html> without `LINKTYPE_`.
    pub fn link_types(&self) -> Vec<String> {
        let links = match &self.file {
            File::Pcap(file) => file.links(),
            File::PcapNg(file) => file.links(),
        };
        links.iter().map(|link| link_name(*link)).collect()
    }

    /// Bytes of the underlying input that were read, compressed ones if it is compressed. For a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.counter().read()
    }

    /// The same, to be asked while packets are lent.
    pub fn meter(&self) -> Meter {
        self.counter().clone()
    }

    /// The most bytes that were captured of a packet, as the capture says: the least of its interfaces.
    pub fn snaplen(&self) -> Option<u32> {
        match &self.file {
            File::Pcap(file) => file.snaplen(),
            File::PcapNg(file) => file.snaplen(),
        }
    }

    fn counter(&self) -> &Meter {
        match &self.file {
            File::Pcap(file) => file.meter(),
            File::PcapNg(file) => file.meter(),
        }
    }
}

/// The name of a link type, such as `ETHERNET`; `LINKTYPE 999` when it has none here.
pub fn link_name(link: u32) -> String {
    match DataLink::from(link) {
        DataLink::Unknown(number) => format!("LINKTYPE {number}"),
        known => format!("{known:?}"),
    }
}

/// The bytes a record may declare in a file with this snap length.
fn longest(snaplen: u32) -> usize {
    (snaplen as usize).clamp(limits::PACKET_BEYOND_SNAPLEN, limits::PACKET)
}

/// Adds a link type to those seen.
fn note_link(links: &mut Vec<u32>, link: u32) {
    if links.len() < limits::LINK_TYPES_LISTED && !links.contains(&link) {
        links.push(link);
    }
}

#[cfg(test)]
mod tests;
