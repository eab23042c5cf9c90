//! Bodies of polls: any number of packets.
//!
//! Version 4 puts [`SEPARATOR`] between them. Version 3 puts a length before each, counted in UTF-16 code
//! units as JavaScript counts a string; or, where a packet is binary and the client takes bytes, a marker,
//! the length in bytes a digit a byte, and 255.

use std::fmt::Write as _;

use hyper::body::Bytes;

use super::packet::{Data, Packet, Revision, SEPARATOR};
use crate::limits;

/// A body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// `text/plain`.
    Text(String),
    /// `application/octet-stream`: version 3 with the second `XMLHttpRequest`.
    Binary(Vec<u8>),
}

/// Before a packet of text, and before one of bytes.
const TEXT: u8 = 0;
const BINARY: u8 = 1;
/// Behind a length.
const END: u8 = 255;

/// Writes a body for a client that `takes_binary`, or does not.
pub fn write(packets: &[Packet], revision: Revision, takes_binary: bool) -> Body {
    let is_binary = |packet: &Packet| matches!(packet, Packet::Message(Data::Binary(_)));
    match revision {
        Revision::V4 => {
            let texts: Vec<String> = packets.iter().map(|packet| packet.text(revision)).collect();
            Body::Text(texts.join(&SEPARATOR.to_string()))
        }
        Revision::V3 if takes_binary && packets.iter().any(is_binary) => {
            let mut body = Vec::new();
            for packet in packets {
                let (opcode, payload) = packet.payload(revision, true);
                body.push(if opcode == crate::model::Opcode::BINARY { BINARY } else { TEXT });
                body.extend(payload.len().to_string().bytes().map(|digit| digit - b'0'));
                body.push(END);
                body.extend_from_slice(&payload);
            }
            Body::Binary(body)
        }
        Revision::V3 => {
            let mut body = String::new();
            for packet in packets {
                let text = packet.text(revision);
                // Strings take what is written.
                let _ = write!(body, "{}:{text}", text.encode_utf16().count());
            }
            Body::Text(if packets.is_empty() { "0:".to_owned() } else { body })
        }
    }
}

/// What a body held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The packets before anything that is none.
    pub packets: Vec<Packet>,
    /// Something in it is no packet.
    pub is_broken: bool,
}

impl Read {
    /// Takes packets until one is none.
    fn all(packets: impl Iterator<Item = Option<Packet>>) -> Self {
        let mut read = Self::default();
        for packet in packets {
            match packet {
                Some(packet) if read.packets.len() < limits::POLLING_PACKETS => read.packets.push(packet),
                _ => {
                    read.is_broken = true;
                    break;
                }
            }
        }
        read
    }
}

/// Reads the text of a body.
pub fn read(text: &str, revision: Revision) -> Read {
    match revision {
        Revision::V4 => Read::all(text.split(SEPARATOR).map(|packet| Packet::from_text(packet, revision))),
        Revision::V3 if text.is_empty() => Read { is_broken: true, ..Read::default() },
        Revision::V3 => {
            let mut rest = text;
            Read::all(std::iter::from_fn(|| {
                while !rest.is_empty() {
                    let Some((packet, behind)) = counted(rest) else {
                        rest = "";
                        return Some(None);
                    };
                    rest = behind;
                    // Nothing is sent as `0:`.
                    if !packet.is_empty() {
                        return Some(Packet::from_text(packet, revision));
                    }
                }
                None
            }))
        }
    }
}

/// A packet with its length before it, and what is behind it.
fn counted(text: &str) -> Option<(&str, &str)> {
    let (length, rest) = text.split_once(':')?;
    let length = digits(length.bytes().map(|b| b.wrapping_sub(b'0')))?;
    let mut units = 0;
    let mut ends = rest.char_indices().skip_while(|(_, c)| {
        let is_before = units < length;
        units += if is_before { c.len_utf16() } else { 0 };
        is_before
    });
    let end = ends.next().map_or(rest.len(), |(at, _)| at);
    (units == length).then(|| rest.split_at(end))
}

/// Reads a binary body of version 3.
pub fn read_binary(bytes: &Bytes) -> Read {
    let mut rest = bytes.clone();
    Read::all(std::iter::from_fn(|| {
        if rest.is_empty() {
            return None;
        }
        let packet = marked(&rest);
        rest = packet.as_ref().map_or_else(Bytes::new, |(_, behind)| behind.clone());
        Some(packet.and_then(|(packet, _)| packet))
    }))
}

/// A packet with its marker and length before it, and what is behind it.
fn marked(bytes: &Bytes) -> Option<(Option<Packet>, Bytes)> {
    let length = bytes.iter().skip(1).take_while(|b| **b != END).count();
    let start = length + 2;
    let end = start.checked_add(digits(bytes.get(1..=length)?.iter().copied())?)?;
    if end > bytes.len() {
        return None;
    }
    let packet = bytes.slice(start..end);
    let packet = match bytes[0] {
        TEXT => str::from_utf8(&packet).ok().and_then(|text| Packet::from_text(text, Revision::V3)),
        BINARY => Packet::from_binary(packet, Revision::V3),
        _ => None,
    };
    Some((packet, bytes.slice(end..)))
}

/// The number these digits are; `None` when there is none or it is longer than any body.
fn digits(digits: impl ExactSizeIterator<Item = u8>) -> Option<usize> {
    if !(1..=9).contains(&digits.len()) {
        return None;
    }
    digits.into_iter().try_fold(0, |number, digit| (digit < 10).then(|| 10 * number + usize::from(digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Packet {
        Packet::Message(text.into())
    }

    fn binary(bytes: &'static [u8]) -> Packet {
        Packet::Message(Bytes::from_static(bytes).into())
    }

    fn whole(packets: Vec<Packet>) -> Read {
        Read { packets, is_broken: false }
    }

    #[test]
    fn version_4_separates() {
        let packets = vec![text("hello"), Packet::Ping(String::new()), text("world"), binary(&[1, 2, 3, 4])];
        let body = "4hello\x1e2\x1e4world\x1ebAQIDBA==";
        assert_eq!(write(&packets, Revision::V4, true), Body::Text(body.to_owned()));
        assert_eq!(read(body, Revision::V4), whole(packets));
        let broken = read("4hello\x1eabc\x1e4never", Revision::V4);
        assert_eq!((broken.packets.len(), broken.is_broken), (1, true));
        assert!(read("", Revision::V4).is_broken);
    }

    #[test]
    fn version_3_counts_as_javascript_does() {
        let event = r#"2["chat message","héllo € 你好 😀"]"#;
        let packets = vec![text("hello"), text("€"), text(event), binary(&[1, 2, 3, 4])];
        let body = format!("6:4hello2:4€34:4{event}10:b4AQIDBA==");
        assert_eq!(write(&packets, Revision::V3, false), Body::Text(body.clone()));
        assert_eq!(read(&body, Revision::V3), whole(packets));
        assert_eq!(write(&[], Revision::V3, false), Body::Text("0:".to_owned()));
        assert_eq!(read("0:6:4hello", Revision::V3), whole(vec![text("hello")]));
        for wrong in
            ["", "abc", "7:4hello", ":4", "1:", "-1:4", "2:4😀", "99999999999999999999:4", "6:4hello3"]
        {
            assert!(read(wrong, Revision::V3).is_broken, "{wrong}");
        }
    }

    #[test]
    fn version_3_has_bytes_where_the_client_takes_them() {
        let packets = vec![text("€"), binary(&[1, 2, 3, 4])];
        let body = b"\x00\x04\xff4\xe2\x82\xac\x01\x05\xff\x04\x01\x02\x03\x04";
        assert_eq!(write(&packets, Revision::V3, true), Body::Binary(body.to_vec()));
        assert_eq!(read_binary(&Bytes::from_static(body)), whole(packets));
        assert_eq!(write(&[text("€")], Revision::V3, true), Body::Text("2:4€".to_owned()), "no need");
        let ten = [&b"\x00\x01\x00\xff4"[..], b"123456789"].concat();
        assert_eq!(read_binary(&ten.into()), whole(vec![text("123456789")]));
        for wrong in
            [&b"\x00"[..], b"\x00\xff4", b"\x00\x02\xff4", b"\x02\x01\xff4", b"\x00\x0b\xff4", b"\x00\x01"]
        {
            assert!(read_binary(&Bytes::from_static(wrong)).is_broken, "{wrong:?}");
        }
    }
}
