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
    Stream { pieces: Vec<Piece> },
    /// Unmasked with `key` (RFC 6455 §5.3) from the bytes at `of`, byte for byte.
    Unmask { of: Span, key: [u8; 4] },
    /// Joined from the spans, in order, byte for byte.
    Join { parts: Vec<Span> },
    /// Inflated (RFC 7692 §6.2) from another source; offsets do not correspond.
    Inflate { of: SourceId },
}

/// Stream bytes that one packet carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Offset of the first byte in the stream.
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

/// Follows a byte of a source back to the packet that carried it.
///
/// `None` when the bytes came from no packet, when the way back is not among
/// `sources`, or when the byte was inflated (no single packet byte is its cause).
pub fn trace(sources: &[Source], id: SourceId, byte: u64) -> Option<Place> {
    // Every step goes one derivation up, so the number of sources bounds the walk
    // even if somebody builds a cycle.
    let (mut id, mut byte) = (id, byte);
    for _ in 0..=sources.len() {
        let source = sources.iter().find(|s| s.id == id)?;
        match &source.origin {
            Origin::Input | Origin::Inflate { .. } => return None,
            Origin::Stream { pieces } => {
                let piece = pieces.iter().find(|p| byte >= p.offset && byte - p.offset < p.len)?;
                let delta = u32::try_from(byte - piece.offset).ok()?;
                return Some(Place { packet: piece.packet, byte: piece.byte.checked_add(delta)? });
            }
            Origin::Unmask { of, .. } => {
                (id, byte) = (of.source, of.first_byte() + byte);
            }
            Origin::Join { parts } => {
                let mut rest = byte;
                let part = parts.iter().find(|part| {
                    let len = part.len() / 8;
                    let here = rest < len;
                    if !here {
                        rest -= len;
                    }
                    here
                })?;
                (id, byte) = (part.source, part.first_byte() + rest);
            }
        }
    }
    None
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
    fn a_cycle_ends() {
        let id = SourceId::Input;
        let sources = [Source { id, origin: Origin::Join { parts: vec![Span::bytes(id, 0, 9)] } }];
        assert_eq!(trace(&sources, id, 3), None);
    }
}
