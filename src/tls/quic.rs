//! The first packets of QUIC, whose keys everybody can derive: what a client's hello asks for.
//!
//! ```text
//! datagram ─► Initial packets ─► header protection removed ─► opened ─► CRYPTO frames ─► client hello
//! ```
//!
//! Versions 1 (RFC 9000, RFC 9001) and 2 (RFC 9369). Everything behind the hello needs secrets of the
//! connection.

use std::collections::BTreeMap;

use super::cipher::Initial as Keys;
use super::hello::{self, ClientHello, Hello};
use crate::limits;

/// Bytes of the shortest datagram that an Initial packet of a client may come in (RFC 9000 §14.1).
pub const LEAST: usize = 1200;

/// A version of QUIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// RFC 9000.
    One,
    /// RFC 9369.
    Two,
}

impl Version {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "QUIC",
            Self::Two => "QUIC version 2",
        }
    }

    fn of(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            0x6B33_43CF => Some(Self::Two),
            _ => None,
        }
    }

    /// The type of Initial packets (RFC 9000 §17.2, RFC 9369 §3.2).
    fn initial(self) -> u8 {
        match self {
            Self::One => 0,
            Self::Two => 1,
        }
    }
}

/// The version of a datagram that begins as an Initial packet does, and may be one.
pub fn begins(datagram: &[u8]) -> Option<Version> {
    let &[first, a, b, c, d, ..] = datagram else { return None };
    let version = Version::of(u32::from_be_bytes([a, b, c, d]))?;
    let is_initial = first & 0xC0 == 0xC0 && first >> 4 & 3 == version.initial();
    (is_initial && datagram.len() >= LEAST).then_some(version)
}

/// A client's first flight, as far as it has come.
#[derive(Debug, Default)]
pub struct Flight {
    /// Bytes of the hello, by where they stand in it.
    pieces: BTreeMap<u64, Vec<u8>>,
    held: usize,
}

impl Flight {
    /// Takes a datagram that the client sent; whether an Initial packet in it could be opened.
    pub fn take(&mut self, datagram: &[u8]) -> bool {
        let mut is_client = false;
        let mut rest = datagram;
        while let Some((opened, after)) = packet(rest) {
            let Some(payload) = opened else { break };
            is_client = true;
            self.frames(&payload);
            rest = after;
        }
        is_client
    }

    /// The hello, once all of it is there.
    pub fn hello(&self) -> Option<ClientHello> {
        let mut message = Vec::new();
        for (offset, bytes) in &self.pieces {
            let known = (message.len() as u64).checked_sub(*offset)?;
            message.extend_from_slice(bytes.get(usize::try_from(known).ok()?..).unwrap_or_default());
        }
        let length = hello::length_of(&message)?;
        match hello::read(message.get(..length)?, &mut None) {
            Hello::Client(hello) => Some(hello),
            _ => None,
        }
    }

    /// Keeps what CRYPTO frames carry (RFC 9000 §19.6), and steps over what else an Initial packet may hold.
    fn frames(&mut self, payload: &[u8]) {
        let mut from = Reader(payload);
        while let Some(kind) = from.varint() {
            let stepped = match kind {
                // PADDING and PING.
                0 | 1 => Some(()),
                2 | 3 => from.acknowledged(kind == 3),
                6 => from.crypto().map(|(offset, bytes)| self.keep(offset, bytes)),
                _ => None,
            };
            if stepped.is_none() {
                break;
            }
        }
    }

    fn keep(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() || self.held + bytes.len() > limits::TLS_HELLO {
            return;
        }
        let longer = self.pieces.get(&offset).is_none_or(|known| known.len() < bytes.len());
        if longer {
            self.held += bytes.len();
            self.pieces.insert(offset, bytes.to_vec());
        }
    }
}

/// The first packet of a datagram, if it is an Initial packet: what it deciphers to with a client's keys, and
/// what follows it.
fn packet(datagram: &[u8]) -> Option<(Option<Vec<u8>>, &[u8])> {
    let mut from = Reader(datagram);
    let first = from.take(1)?[0];
    let version = Version::of(u32::from_be_bytes(*from.take(4)?.first_chunk()?))?;
    if first & 0xC0 != 0xC0 || first >> 4 & 3 != version.initial() {
        return None;
    }
    let length = from.take(1)?[0];
    // RFC 9000 §17.2: a connection id has at most 20 bytes.
    let destination = from.take(usize::from(length)).filter(|id| id.len() <= 20)?;
    let source = from.take(1)?[0];
    from.take(usize::from(source))?;
    let token = from.varint()?;
    from.take(usize::try_from(token).ok()?)?;
    let length = usize::try_from(from.varint()?).ok()?;
    let before = datagram.len() - from.0.len();
    let packet = datagram.get(..before.checked_add(length)?)?;
    let after = &datagram[packet.len()..];
    Some((open(version, destination, packet, before), after))
}

/// Opens an Initial packet of a client whose packet number stands at `before` (RFC 9001 §5.3, §5.4).
fn open(version: Version, destination: &[u8], packet: &[u8], before: usize) -> Option<Vec<u8>> {
    const SAMPLE: usize = 16;
    let keys = Keys::of_client(version == Version::Two, destination)?;
    let sample = packet.get(before + 4..before + 4 + SAMPLE)?.first_chunk()?;
    let mask = keys.mask(sample);
    let mut header = packet[..before + 4].to_vec();
    header[0] ^= mask[0] & 0x0F;
    let length = usize::from(header[0] & 3) + 1;
    let mut number = 0;
    for (byte, mask) in header[before..before + length].iter_mut().zip(&mask[1..]) {
        *byte ^= mask;
        number = number << 8 | u64::from(*byte);
    }
    header.truncate(before + length);
    keys.open(number, &header, &packet[before + length..])
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// RFC 9000 §16.
    fn varint(&mut self) -> Option<u64> {
        let length = 1 << (self.0.first()? >> 6);
        let bytes = self.take(length)?;
        let first = u64::from(bytes[0] & 0x3F);
        Some(bytes[1..].iter().fold(first, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// RFC 9000 §19.3.
    fn acknowledged(&mut self, has_counts: bool) -> Option<()> {
        self.varint()?;
        self.varint()?;
        let ranges = self.varint()?;
        self.varint()?;
        let more = if has_counts { 3 } else { 0 };
        // Each takes two bytes at least: what is not there ends it.
        for _ in 0..ranges.checked_mul(2)?.checked_add(more)? {
            self.varint()?;
        }
        Some(())
    }

    fn crypto(&mut self) -> Option<(u64, &'a [u8])> {
        let offset = self.varint()?;
        let length = usize::try_from(self.varint()?).ok()?;
        Some((offset, self.take(length)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
    }

    /// RFC 9001 §A.2 and RFC 9369 §A.2: the same hello in either version, in a protected packet.
    const SAMPLES: [(&str, Version); 2] = [
        (include_str!("quic/rfc9001-a2.hex"), Version::One),
        (include_str!("quic/rfc9369-a2.hex"), Version::Two),
    ];

    #[test]
    fn the_sample_packets_of_the_rfcs_are_opened() {
        for (hex, version) in SAMPLES {
            let datagram = bytes(hex);
            assert_eq!((datagram.len(), begins(&datagram)), (1200, Some(version)));
            let mut flight = Flight::default();
            assert!(flight.take(&datagram));
            let hello = flight.hello().expect("all of it is there");
            assert_eq!(hello.server_name.as_deref(), Some("example.com"));
            assert_eq!(hello.alpn, ["alpn"]);
        }
    }

    #[test]
    fn what_is_changed_cut_or_another_s_is_not_opened() {
        let datagram = bytes(SAMPLES[0].0);
        for at in [0, 5, 10, 20, 600, 1199] {
            let mut other = datagram.clone();
            other[at] ^= 1;
            assert!(!Flight::default().take(&other), "{at}");
        }
        for length in 0..datagram.len() {
            assert!(!Flight::default().take(&datagram[..length]), "{length}");
        }
        assert_eq!(begins(&datagram[..LEAST - 1]), None);
    }

    #[test]
    fn a_hello_is_put_together_from_pieces_in_any_order() {
        let mut whole = Flight::default();
        whole.take(&bytes(SAMPLES[0].0));
        let message = whole.pieces[&0].clone();
        let mut flight = Flight::default();
        for (place, piece) in message.chunks(50).enumerate().rev() {
            assert_eq!(flight.hello(), None);
            flight.keep(place as u64 * 50, piece);
        }
        assert_eq!(flight.hello(), whole.hello());
    }
}
