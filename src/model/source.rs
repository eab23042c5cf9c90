//! Where derived bytes came from, down to the packet.

use super::span::{SourceId, Span};

/// A run of bytes and how it was obtained.
///
/// The bytes themselves are lent by the [`Unit`](super::Unit) that carries the
/// source; a source only remembers the way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name spans use.
    pub id: SourceId,
    /// How the bytes were obtained.
    pub origin: Origin,
}

/// How a run of bytes was obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Given as they are: pasted hex, a file of raw bytes.
    Input,
    /// Put together from packets; the pieces that matter to the unit at hand, in stream order.
    Stream {
        /// Where its bytes were carried.
        pieces: Vec<Piece>,
    },
    /// Deciphered from another source, of which a byte may become a byte, or nothing, and put together like a
    /// stream: the pieces are of what was deciphered, and lead to the packets that carried the enciphered
    /// bytes.
    Decrypted {
        /// The enciphered bytes.
        of: SourceId,
        /// Where its bytes were carried.
        pieces: Vec<Piece>,
    },
    /// Decompressed from another source (RFC 7541), of which each piece becomes one byte or many: all bytes
    /// of a piece lead to the first of the packet's that stand for them.
    Decompressed {
        /// The compressed bytes.
        of: SourceId,
        /// What became of which bytes.
        pieces: Vec<Piece>,
    },
    /// Unmasked with `key` (RFC 6455 §5.3) from the bytes at `of`, byte for byte.
    Unmask {
        /// The masked bytes.
        of: Span,
        /// The frame's masking key.
        key: [u8; 4],
    },
    /// Joined from the spans, in order, byte for byte.
    Join {
        /// The fragments.
        parts: Vec<Span>,
    },
    /// Inflated (RFC 7692 §6.2) from another source; offsets do not correspond.
    Inflate {
        /// The compressed bytes.
        of: SourceId,
    },
}

/// Bytes of a direction that one packet carried, one behind the other: the stream itself, or what a layer
/// made of it byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Offset of the first byte in the source that the pieces are of.
    pub offset: u64,
    /// How many bytes.
    pub len: u64,
    /// The packet's number in the capture, from 1.
    pub packet: u64,
    /// Offset of the first byte in the captured packet.
    pub byte: u32,
}

/// A byte of a captured packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The packet's number in the capture, from 1.
    pub packet: u64,
    /// Offset in the captured packet.
    pub byte: u32,
}

impl Source {
    /// What an endpoint sent, on the layer that `id` names, of which these pieces matter. Where there are
    /// none there are no packets: the bytes were given as they are.
    pub fn carried(id: SourceId, pieces: Vec<Piece>) -> Self {
        let origin = match id {
            _ if pieces.is_empty() => Origin::Input,
            SourceId::Decrypted { conn, dir } => {
                Origin::Decrypted { of: SourceId::Stream { conn, dir }, pieces }
            }
            _ => Origin::Stream { pieces },
        };
        Self { id, origin }
    }
}

/// Follows a byte of a source back to the packet that carried it.
///
/// `None` when the bytes came from no packet, when the way back is not among
/// `sources`, or when the byte was inflated (no single packet byte is its cause).
/// Sources of several units may be gathered: each has the pieces that matter to it.
pub fn trace(sources: &[Source], id: SourceId, byte: u64) -> Option<Place> {
    // Every step goes one derivation up, so the number of sources bounds the walk
    // even if somebody builds a cycle.
    let (mut id, mut byte) = (id, byte);
    for _ in 0..=sources.len() {
        let mut named = sources.iter().filter(|source| source.id == id);
        match named.find_map(|source| source.origin.step(byte))? {
            Step::Packet(place) => return Some(place),
            Step::Source(source, at) => (id, byte) = (source, at),
        }
    }
    None
}

/// Where a byte came from, one derivation up.
enum Step {
    Packet(Place),
    Source(SourceId, u64),
}

impl Origin {
    /// Where a byte of the source came from, if that is known.
    fn step(&self, byte: u64) -> Option<Step> {
        match self {
            Self::Input | Self::Inflate { .. } => None,
            Self::Stream { pieces } | Self::Decrypted { pieces, .. } => {
                let piece = pieces.iter().find(|p| byte >= p.offset && byte - p.offset < p.len)?;
                let delta = u32::try_from(byte - piece.offset).ok()?;
                let byte = piece.byte.checked_add(delta)?;
                Some(Step::Packet(Place { packet: piece.packet, byte }))
            }
            Self::Decompressed { pieces, .. } => {
                let piece = pieces.iter().find(|p| byte >= p.offset && byte - p.offset < p.len)?;
                Some(Step::Packet(Place { packet: piece.packet, byte: piece.byte }))
            }
            Self::Unmask { of, .. } => Some(Step::Source(of.source, of.first_byte() + byte)),
            Self::Join { parts } => {
                let mut rest = byte;
                let part = parts.iter().find(|part| {
                    let len = part.len() / 8;
                    let here = rest < len;
                    if !here {
                        rest -= len;
                    }
                    here
                })?;
                Some(Step::Source(part.source, part.first_byte() + rest))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::wire::Dir;

    #[test]
    fn a_byte_of_a_message_leads_to_its_packet() {
        let stream = SourceId::Stream { conn: 1, dir: Dir::Client };
        let message = SourceId::Message { conn: 1, m: 1 };
        let sources = [
            Source {
                id: message,
                origin: Origin::Join { parts: vec![Span::bytes(stream, 6, 3), Span::bytes(stream, 15, 2)] },
            },
            Source {
                id: stream,
                origin: Origin::Stream {
                    pieces: vec![
                        Piece { offset: 0, len: 9, packet: 4, byte: 66 },
                        Piece { offset: 9, len: 8, packet: 9, byte: 66 },
                    ],
                },
            },
        ];
        assert_eq!(trace(&sources, message, 0), Some(Place { packet: 4, byte: 72 }));
        assert_eq!(trace(&sources, message, 4), Some(Place { packet: 9, byte: 73 }));
        assert_eq!(trace(&sources, message, 5), None);
    }

    #[test]
    fn what_was_deciphered_leads_to_the_packets_of_the_cipher() {
        let id = SourceId::Decrypted { conn: 1, dir: Dir::Server };
        let piece = |offset, packet, byte| Piece { offset, len: 4, packet, byte };
        // Pieces of two units, each with its own.
        let sources = [
            Source::carried(id, vec![piece(0, 4, 71)]),
            Source::carried(id, vec![piece(4, 4, 80), piece(8, 5, 66)]),
        ];
        let of = SourceId::Stream { conn: 1, dir: Dir::Server };
        assert!(matches!(&sources[0].origin, Origin::Decrypted { of: below, .. } if *below == of));
        for (byte, packet, at) in [(3, 4, 74), (5, 4, 81), (11, 5, 69)] {
            assert_eq!(trace(&sources, id, byte), Some(Place { packet, byte: at }), "{byte}");
        }
        assert_eq!(trace(&sources, id, 12), None);
        assert_eq!(Source::carried(id, Vec::new()).origin, Origin::Input);
    }

    #[test]
    fn a_cycle_ends() {
        let id = SourceId::Input;
        let sources = [Source { id, origin: Origin::Join { parts: vec![Span::bytes(id, 0, 9)] } }];
        assert_eq!(trace(&sources, id, 3), None);
    }
}
