//! What is neither HTTP nor WebSocket.

use super::text::Text;
use super::wire::Endpoint;

/// The first bytes of an endpoint that are neither HTTP nor WebSocket: a PROXY header in front of
/// the request, or what a server of another protocol answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opening<'a> {
    /// Offset of its first byte in the sender's stream.
    pub offset: u64,
    /// What it is, in a word for programs: `proxy-v1`, `tls`, `ssh`; `unknown` for what is not recognised.
    pub protocol: &'static str,
    /// What it says, for people.
    pub about: &'a Text,
    /// Who is the client, according to a proxy. Claimed, not seen.
    pub client: Option<Endpoint>,
    /// Where that proxy was asked.
    pub server: Option<Endpoint>,
    /// Its bytes, at most [`crate::limits::OPENING`] of them.
    pub bytes: &'a [u8],
}

/// Connections that are no WebSocket as far as can be seen, and alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Other {
    /// In a word for programs: `tls`, `http2`, `refused`.
    pub protocol: &'static str,
    /// The server's address; `None` for input without addresses.
    pub server: Option<Endpoint>,
    /// The host that a TLS client asks for. Untrusted.
    pub server_name: Option<String>,
    /// The version of TLS that was chosen; where no answer was seen, the highest that was offered.
    pub version: Option<&'static str>,
    /// The protocol that was chosen within TLS, or those that were offered. Untrusted.
    pub alpn: Vec<String>,
    /// How many of them.
    pub connections: u64,
}

impl Other {
    /// Whether what they carry is encrypted.
    pub fn is_tls(&self) -> bool {
        self.protocol == "tls"
    }
}
