//! Bit ranges in named sources.

use std::fmt;

use super::wire::Dir;

/// Names a run of bytes that a [`Span`] can point into.
///
/// Ids are structural, not allocated: the client's byte stream of connection 3
/// has the same name in every run and every output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceId {
    /// The bytes one endpoint of a connection sent, in order, from its first captured byte.
    Stream {
        /// Number of the connection, from 1.
        conn: u32,
        /// Who sent them.
        dir: Dir,
    },
    /// What those bytes decipher to, in order.
    Decrypted {
        /// Number of the connection, from 1.
        conn: u32,
        /// Who sent them.
        dir: Dir,
    },
    /// The header fields that one endpoint of a connection sent over HTTP/2, decompressed (RFC 7541) and
    /// written as HTTP/1 has them, one head behind the other.
    Headers {
        /// Number of the connection, from 1.
        conn: u32,
        /// Who sent them.
        dir: Dir,
    },
    /// The unmasked payload of frame `n` of a connection.
    Payload {
        /// Number of the connection, from 1.
        conn: u32,
        /// Number of the frame, from 1.
        n: u64,
    },
    /// The joined, unmasked payload of message `m` of a connection.
    Message {
        /// Number of the connection, from 1.
        conn: u32,
        /// Number of the message, from 1.
        m: u64,
    },
    /// What message `m` of a connection inflates to (RFC 7692 §6.2).
    Inflated {
        /// Number of the connection, from 1.
        conn: u32,
        /// Number of the message, from 1.
        m: u64,
    },
    /// A packet of the application that began in an earlier message and ends in message `m` of a connection.
    Joined {
        /// Number of the connection, from 1.
        conn: u32,
        /// Number of the message, from 1.
        m: u64,
    },
    /// What the body of the `n`th request of a connection, or of its response, holds, without the codings of
    /// HTTP.
    Body {
        /// Number of the connection, from 1.
        conn: u32,
        /// Whether it is the request's (the client's) or the response's.
        dir: Dir,
        /// Number of the request, from 1.
        n: u64,
    },
    /// A packet of the capture, from its first captured byte.
    Packet {
        /// Number of the packet, from 1.
        number: u64,
    },
    /// The input as it was given (pasted hex, a text transcript).
    Input,
}

impl SourceId {
    /// Who sent the bytes, where they are all that an endpoint of a connection sent, on some layer.
    pub fn sender(self) -> Option<Dir> {
        match self {
            Self::Stream { dir, .. } | Self::Decrypted { dir, .. } | Self::Headers { dir, .. } => Some(dir),
            _ => None,
        }
    }
}

/// Printed in NDJSON and in findings: `conn1/client`, `conn1/m2`, `conn1/m2/inflated`, `packet7`.
impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Stream { conn, dir } => write!(f, "conn{conn}/{dir}"),
            Self::Decrypted { conn, dir } => write!(f, "conn{conn}/{dir}/decrypted"),
            Self::Headers { conn, dir } => write!(f, "conn{conn}/{dir}/headers"),
            Self::Payload { conn, n } => write!(f, "conn{conn}/n{n}"),
            Self::Message { conn, m } => write!(f, "conn{conn}/m{m}"),
            Self::Inflated { conn, m } => write!(f, "conn{conn}/m{m}/inflated"),
            Self::Joined { conn, m } => write!(f, "conn{conn}/m{m}/joined"),
            Self::Body { conn, dir, n } => write!(f, "conn{conn}/{dir}/body{n}"),
            Self::Packet { number } => write!(f, "packet{number}"),
            Self::Input => f.write_str("input"),
        }
    }
}

/// A half-open range of bits in a source: `start..end`, bit 0 being the most
/// significant bit of the first byte (the RFCs' own numbering).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The bytes the range points into.
    pub source: SourceId,
    /// First bit.
    pub start: u64,
    /// One past the last bit; never below `start`.
    pub end: u64,
}

impl Span {
    /// The bits `start..end` of `source`.
    pub fn bits(source: SourceId, start: u64, end: u64) -> Self {
        debug_assert!(start <= end, "a span must not end before it starts");
        Self { source, start, end }
    }

    /// Whether both have bits in common.
    #[inline]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.source == other.source && self.start < other.end && other.start < self.end
    }

    /// `len` bytes of `source` from byte `offset`. Saturates at the end of the
    /// 64-bit bit space, so that a declared length of 2^63 cannot wrap.
    pub fn bytes(source: SourceId, offset: u64, len: u64) -> Self {
        let start = offset.saturating_mul(8);
        Self { source, start, end: start.saturating_add(len.saturating_mul(8)) }
    }

    /// How many bits the range covers.
    pub fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether the range covers nothing.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The byte that holds the first bit.
    pub fn first_byte(self) -> u64 {
        self.start / 8
    }

    /// One past the byte that holds the last bit.
    pub fn end_byte(self) -> u64 {
        self.end.div_ceil(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: SourceId = SourceId::Stream { conn: 1, dir: Dir::Client };

    #[test]
    fn spans_count_bits_and_cover_bytes() {
        let fin = Span::bits(STREAM, 80, 81);
        assert_eq!((fin.len(), fin.first_byte(), fin.end_byte()), (1, 10, 11));
        let key = Span::bytes(STREAM, 2, 4);
        assert_eq!((key.start, key.end, key.is_empty()), (16, 48, false));
    }

    #[test]
    fn a_huge_length_saturates_instead_of_wrapping() {
        assert_eq!(Span::bytes(STREAM, 10, u64::MAX).end, u64::MAX);
    }

    #[test]
    fn source_names_are_stable() {
        assert_eq!(STREAM.to_string(), "conn1/client");
        assert_eq!(SourceId::Inflated { conn: 2, m: 7 }.to_string(), "conn2/m7/inflated");
    }
}
