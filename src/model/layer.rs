//! What decoders stand on.

use super::span::SourceId;
use super::wire::Dir;

/// What a connection's bytes are when they come to the decoders of HTTP and WebSocket.
///
/// Layers stack: packets carry streams, a stream may be enciphered, what it deciphers to carries heads,
/// frames and messages. A decoder is told the layer when its input opens and names its [sources](SourceId) by
/// it; it need not know what lies below. Whoever puts a layer in between hands on runs of bytes each of which
/// one packet carried, and says with each [where](super::At) it stands there. So a [`Piece`](super::Piece)
/// leads from any layer straight down to a byte of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layer {
    /// What the endpoints sent, as a transport carries it.
    #[default]
    Stream,
    /// What that deciphers to.
    Decrypted,
    /// What a program that took part in the connection, or looked on, tells of it: the fields of heads, and
    /// whole messages. There are no bytes of the wire, and no frames.
    Told {
        /// It was `wss://`: what went over the wire was enciphered.
        secure: bool,
    },
}

impl Layer {
    /// The name of what `dir` of connection `conn` sent, on this layer.
    #[inline]
    pub fn source(self, conn: u32, dir: Dir) -> SourceId {
        match self {
            // What is told has no bytes; nothing points into it.
            Self::Stream | Self::Told { .. } => SourceId::Stream { conn, dir },
            Self::Decrypted => SourceId::Decrypted { conn, dir },
        }
    }

    /// The name of the header fields that `dir` of connection `conn` sent over HTTP/2, whatever the layer.
    pub fn headers(conn: u32, dir: Dir) -> SourceId {
        SourceId::Headers { conn, dir }
    }

    /// What somebody taps who is inside TLS, where there `is_tls`, and not on the wire.
    pub fn tapped(is_tls: bool) -> Self {
        if is_tls { Self::Decrypted } else { Self::Stream }
    }

    /// Whether nothing of the wire is known: no bytes, no frames.
    #[inline]
    pub fn is_told(self) -> bool {
        matches!(self, Self::Told { .. })
    }

    /// Whether TLS protects it.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Decrypted | Self::Told { secure: true })
    }
}
