//! What TLS around a connection is, once that is deciphered.

/// The TLS within which a connection was deciphered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secured {
    /// The version that was chosen.
    pub version: Option<&'static str>,
    /// The cipher suite that was chosen, by its name.
    pub suite: Option<Box<str>>,
    /// It is inferred: the server's hello is not there.
    pub is_inferred: bool,
    /// The host that the client asked for (RFC 6066 §3). Untrusted.
    pub server_name: Option<String>,
    /// The protocol that the server chose (RFC 7301). Untrusted.
    pub alpn: Option<String>,
    /// The server asked for a certificate of the client, which sent none (RFC 8446 §4.4.2).
    pub lacks_certificate: bool,
    /// How many secrets of it there are to decipher it with.
    pub secrets: usize,
}
