//! From a file, a pipe or an argument to packets or bytes.
//!
//! # What is read
//!
//! | Format | Told by | Becomes |
//! |---|---|---|
//! | pcap | magic a1b2c3d4 (µs) or a1b23c4d (ns), either byte order | [`Capture`] |
//! | pcapng | a section header block | [`Capture`] |
//! | gzip, zstd, xz, bzip2 | magic; what is inside is told in turn | either |
//! | packets in text | rows of a dump that are IP packets: `tcpdump -X`, `tshark -x` | [`Capture`] |
//! | HAR | a JSON object | [`Archive`](har::Archive) |
//! | hex text | printable UTF-8 or UTF-16; the forms are listed in [`hex`] | [`Bytes`] |
//! | raw bytes | anything else, and text beginning with an HTTP head | [`Bytes`] |
//!
//! Formats that are known but not read are refused by name ([`sniff`]).
//!
//! # How
//!
//! Content decides, never a name's ending. Only as many bytes are waited for as
//! decide, and captures and raw bytes are read as they come, so a live pipe shows
//! its packets at once; only hex text is read to its end first. A file that is
//! cut or damaged gives everything before the damage, then one [`InputError`].
//! No reader allocates by a length the file declares.
//!
//! | Specification | Document |
//! |---|---|
//! | pcap | draft-ietf-opsawg-pcap |
//! | pcapng | draft-ietf-opsawg-pcapng |
//! | link types | <https://www.tcpdump.org/linktypes.html> |
//! | compressed data | see [`packed`] |

pub mod bytes;
pub mod capture;
mod dumped;
mod error;
pub mod har;
pub mod hex;
pub mod packed;
pub mod sniff;
mod source;

use std::io::{Cursor, Read};

pub use bytes::Bytes;
pub use capture::{Capture, PcapNgWriter, PcapWriter};
pub use error::InputError;
pub use hex::Chunk;
pub use source::Meter;

use crate::limits;
use sniff::{Format, Verdict};
use source::Source;

/// Something to decode.
pub enum Input {
    /// Packets.
    Capture(Capture),
    /// Bytes of one or both directions of a connection.
    Bytes(Bytes),
    /// What a browser or proxy tells of exchanges.
    Har(har::Archive),
}

impl Input {
    /// The name it was opened under.
    pub fn name(&self) -> &str {
        match self {
            Self::Capture(capture) => capture.name(),
            Self::Bytes(bytes) => bytes.name(),
            Self::Har(archive) => archive.name(),
        }
    }

    /// `pcap`, `pcapng`, `hex`, `raw` or `har`.
    pub fn format(&self) -> &'static str {
        match self {
            Self::Capture(capture) => capture.format(),
            Self::Bytes(bytes) => bytes.format(),
            Self::Har(_) => "har",
        }
    }
}

/// Recognises an input by its first bytes and opens it. `name` is kept for [`Input::name`];
/// messages do not repeat it.
///
/// # Errors
/// When reading fails, there is nothing to read, the format is known but not
/// supported, or the text is not hex.
pub fn open(reader: Box<dyn Read + Send>, name: &str) -> Result<Input, InputError> {
    let mut source = Source::new(reader);
    for _ in 0..=limits::PACKED_LAYERS {
        let format = loop {
            match sniff::recognise(source.seen(), source.ended()) {
                Verdict::Is(format) => break format,
                Verdict::More => source.look(limits::SNIFF)?,
                Verdict::Empty => return Err(InputError::Empty),
            }
        };
        return Ok(match format {
            Format::Packed(packing) => {
                source = source.unpack(packing)?;
                continue;
            }
            Format::Wide(order) => {
                source = source.narrow(order);
                continue;
            }
            Format::Pcap => Input::Capture(Capture::pcap(source, name)),
            Format::PcapNg => Input::Capture(Capture::pcapng(source, name)),
            Format::Text => text(source, name)?,
            Format::Har => Input::Har(har::Archive::new(source, name)),
            Format::Raw => Input::Bytes(Bytes::raw(source, name)),
            Format::Other(what, hint) => return Err(InputError::Unsupported { what, hint }),
        });
    }
    Err(InputError::Unsupported { what: "compressed many times over", hint: "unpack it first" })
}

/// Text: packets that a tool printed, or hex.
fn text(source: Source, name: &str) -> Result<Input, InputError> {
    let text = Bytes::read_text(source)?;
    Ok(match dumped::pcap(&text) {
        Some(pcap) => Input::Capture(Capture::pcap(Source::new(Box::new(Cursor::new(pcap))), name)),
        None => Input::Bytes(Bytes::text(&text, name)?),
    })
}

/// Takes a positional argument that names no file as hex, if it is hex: whole bytes
/// in any form of [`hex`], with at least one decimal digit.
///
/// A word of letters alone, such as `dead` or `face`, is more likely a misspelt
/// file name and gives `None`; `0xdead` is hex.
pub fn from_argument(text: &str) -> Option<Input> {
    if !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let chunks = hex::parse(text).ok()?;
    Some(Input::Bytes(Bytes::chunks(chunks, text)))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::*;

    fn bytes(content: &[u8]) -> Result<Vec<Chunk>, InputError> {
        match open(Box::new(Cursor::new(content.to_vec())), "test")? {
            Input::Bytes(mut bytes) => std::iter::from_fn(|| bytes.next()).collect(),
            Input::Har(_) => Ok(Vec::new()),
            Input::Capture(_) => panic!("not a capture"),
        }
    }

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn text_is_hex_and_everything_else_is_raw() {
        let hello = b"\x81\x05Hello";
        let wide: Vec<u8> =
            "\u{FEFF}81 05\r\n48 65 6c 6c 6f".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for content in [
            &b"81 05 48 65 6c 6c 6f\n"[..],
            b"\xEF\xBB\xBF810548656c6c6f",
            &wide,
            hello,
            &packed(b"0x81, 0x05, 0x48656c6c6f"),
            &packed(hello),
            &packed(&packed(hello)),
            &[packed(&hello[..3]), packed(&hello[3..])].concat(),
        ] {
            let all: Vec<u8> = bytes(content).unwrap().into_iter().flat_map(|chunk| chunk.bytes).collect();
            assert_eq!(all, hello);
        }
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(bytes(head).unwrap()[0].bytes, head);
    }

    #[test]
    fn what_cannot_be_read_is_said_in_one_line() {
        let long = vec![b' '; limits::TEXT_INPUT as usize + 1];
        for (content, words) in [
            (&b""[..], "the input is empty"),
            (&packed(b""), "the input is empty"),
            (b"It was a dark night.", "line 1, column 1: found `It`, expected hex digits (this is text"),
            (b"[{\"log\": {\"version\"", "a JSON array"),
            (b"\xA1\xB2\xCD\x34\0\0\0\0", "\"modified\" pcap"),
            (&packed(b"PK\x03\x04"), "this is a zip archive; unpack it first"),
            (&packed(&packed(&packed(&packed(b"\x81\0")))), "compressed many times over"),
            (&packed(b"81 05 48 65 6c")[..20], "the input ends at byte"),
            (&long, "longer than 67108864 bytes"),
            (b"\x1F\x8B\x08\0", "the gzip data is damaged"),
        ] {
            let said = bytes(content).expect_err(words).to_string();
            assert!(said.contains(words), "{said}");
            assert!(!said.contains('\n'));
        }
        let directory = InputError::Io(io::Error::from(io::ErrorKind::IsADirectory));
        assert_eq!(directory.to_string(), "this is a directory; name a file in it");
    }

    #[test]
    fn a_live_pipe_is_not_waited_for() {
        /// Gives its parts one by one; asking for more than there is would be waiting.
        struct Live(Vec<&'static [u8]>);
        impl Read for Live {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                assert!(!self.0.is_empty(), "waited for more than was needed");
                let part = self.0.remove(0);
                into[..part.len()].copy_from_slice(part);
                Ok(part.len())
            }
        }
        let header = b"\xD4\xC3\xB2\xA1\x02\0\x04\0\0\0\0\0\0\0\0\0\xFF\xFF\0\0\x01\0\0\0";
        let record = b"\x01\0\0\0\0\0\0\0\x02\0\0\0\x02\0\0\0hi";
        let Ok(Input::Capture(mut capture)) = open(Box::new(Live(vec![header, record])), "-") else {
            panic!()
        };
        assert_eq!(capture.next().unwrap().unwrap().data, b"hi");
        let Ok(Input::Bytes(mut bytes)) = open(Box::new(Live(vec![b"\x8A\0", b"\x89\0"])), "-") else {
            panic!()
        };
        assert_eq!(bytes.next().unwrap().unwrap().bytes, b"\x8A\0");
        assert_eq!(bytes.next().unwrap().unwrap().bytes, b"\x89\0");
    }

    #[test]
    fn hex_is_counted_in_the_bytes_it_stands_for() {
        let text = b"> 81 05 48 65 6c 6c 6f # a comment\n< 89 00\n";
        let Ok(Input::Bytes(mut bytes)) = open(Box::new(Cursor::new(text.to_vec())), "test") else {
            panic!("it is hex")
        };
        while bytes.next().is_some() {}
        assert_eq!(bytes.bytes_read(), 9);
        let Some(Input::Bytes(bytes)) = from_argument("81 05 48 65 6c 6c 6f") else { panic!("it is hex") };
        assert_eq!(bytes.bytes_read(), 7);
    }

    #[test]
    fn arguments_are_hex_only_when_nothing_else_is_likely() {
        for hex in [
            "8105",
            "81 05 48",
            "0x8105",
            "0xdead",
            "81:05",
            r"\x81\x05",
            "810548656c6c6f",
            r#"b"\x81\x05Hi""#,
        ] {
            assert!(from_argument(hex).is_some(), "{hex}");
        }
        for other in [
            "dead",
            "face",
            "add",
            "de ad",
            "810",
            "chat.pcap",
            "a1/b2",
            "2024-01-02",
            "12.34",
            "",
            "-",
            "1x",
        ] {
            assert!(from_argument(other).is_none(), "{other}");
        }
        let Some(Input::Bytes(mut bytes)) = from_argument("8105 48") else { panic!() };
        assert_eq!(bytes.next().unwrap().unwrap().bytes, b"\x81\x05H");
        assert_eq!((bytes.format(), bytes.name()), ("hex", "8105 48"));
    }
}
