//! What is neither HTTP nor WebSocket.

use std::fmt::Write as _;

use super::text::Text;
use super::wire::Endpoint;

/// What an endpoint says that is neither HTTP/1 nor WebSocket: a PROXY header in front of the request, what a
/// server of another protocol answers, or what a layer below says, such as TLS or HTTP/2, whose name it has
/// then.
///
/// A layer's fields and findings are those of the [`Unit`](super::Unit); they point into the source in which
/// `offset` counts.
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
    /// Its first bytes, at most [`crate::limits::OPENING`] of them unless a layer says it.
    pub bytes: &'a [u8],
    /// How many bytes there are of it in its source.
    pub length: u64,
    /// The layer that says it, as people call it: `TLS`, `HTTP/2`. `None` for what stands in place of HTTP.
    pub layer: Option<&'static str>,
}

impl<'a> Opening<'a> {
    /// What `bytes`, which begin at `offset` of their sender's stream, are in the protocol that is so called
    /// by programs, and what they say.
    pub fn new(offset: u64, protocol: &'static str, about: &'a Text, bytes: &'a [u8]) -> Self {
        let length = bytes.len() as u64;
        Self { offset, protocol, about, client: None, server: None, bytes, length, layer: None }
    }

    /// Says that it has `length` bytes, of which those given may be the first.
    #[must_use]
    pub fn of_length(self, length: u64) -> Self {
        Self { length, ..self }
    }

    /// Says which layer it is of.
    #[must_use]
    pub fn on(self, layer: &'static str) -> Self {
        Self { layer: Some(layer), ..self }
    }
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
    /// The hello of a side is not in the capture, the server's where a version is known: no key opens them.
    pub is_joined: bool,
    /// What they carry was deciphered, and is no WebSocket.
    pub is_read: bool,
    /// Secrets of theirs are there, which did not do.
    pub has_secrets: bool,
    /// How many of them.
    pub connections: u64,
    /// Those of which a key log that is given has no secret.
    pub lacking: Option<Lacking>,
    /// What could be seen of those whose keys nobody had; `None` where nothing was.
    pub sealed: Option<SealedTraffic>,
}

/// Connections of TLS of which a key log has no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// How many.
    pub connections: u64,
    /// The client random of the first, which names its secrets in a key log.
    pub random: [u8; 32],
}

impl Lacking {
    /// One connection.
    pub fn of(random: [u8; 32]) -> Self {
        Self { connections: 1, random }
    }

    /// The random as it stands in a key log.
    pub fn digits(&self) -> String {
        self.random.iter().fold(String::with_capacity(64), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }

    /// As many of its first digits as tell sessions apart.
    pub fn short(&self) -> String {
        format!("{}…", &self.digits()[..8])
    }
}

/// What goes over connections that cannot be read, by their encrypted records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SealedTraffic {
    /// Those of the clients, and those of the servers.
    pub sides: [SealedRecords; 2],
    /// How long the longest of the connections was seen to live, in nanoseconds.
    pub longest: u64,
    /// Connections that look as a WebSocket might, by the sizes and times of their records: a guess.
    pub likely: u64,
    /// Those that the client, and the server, ended after a silence.
    pub quiet: [QuietEnds; 2],
}

/// Ends after a silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuietEnds {
    /// How many.
    pub connections: u64,
    /// Nanoseconds of the shortest of the silences.
    pub least: u64,
    /// And of the longest.
    pub most: u64,
}

impl QuietEnds {
    /// One.
    pub fn one(silence: u64) -> Self {
        Self { connections: 1, least: silence, most: silence }
    }

    fn join(&mut self, more: Self) {
        if more.connections > 0 {
            self.least = if self.connections == 0 { more.least } else { self.least.min(more.least) };
            self.most = self.most.max(more.most);
            self.connections += more.connections;
        }
    }
}

/// Encrypted records of one side: TLS records of application data, in which TLS 1.3 hides most of its
/// handshake, too (RFC 8446 §5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SealedRecords {
    /// How many.
    pub records: u64,
    /// Their bytes, without the headers of records.
    pub bytes: u64,
    /// Bytes of the smallest.
    pub least: u64,
    /// Bytes of the largest.
    pub most: u64,
    /// Those of at most [`SMALL`] bytes.
    pub small: u64,
}

/// Bytes of a small record: a message of a few words with its frame and what ciphers add. A request with the
/// header fields of a browser does not fit.
pub const SMALL: u64 = 200;

impl SealedRecords {
    /// One more record.
    pub fn add(&mut self, bytes: u64) {
        self.join(Self { records: 1, bytes, least: bytes, most: bytes, small: u64::from(bytes <= SMALL) });
    }

    /// More of them.
    pub fn join(&mut self, more: Self) {
        if more.records == 0 {
            return;
        }
        self.least = if self.records == 0 { more.least } else { self.least.min(more.least) };
        self.most = self.most.max(more.most);
        self.records += more.records;
        self.bytes += more.bytes;
        self.small += more.small;
    }
}

impl SealedTraffic {
    /// That of more connections.
    pub fn join(&mut self, more: &Self) {
        for (side, more) in self.sides.iter_mut().zip(more.sides) {
            side.join(more);
        }
        self.longest = self.longest.max(more.longest);
        self.likely += more.likely;
        for (quiet, more) in self.quiet.iter_mut().zip(more.quiet) {
            quiet.join(more);
        }
    }

    /// Whether one connection looks as a talk does: small records both ways, for ten seconds or longer.
    pub fn resembles_talk(&self) -> bool {
        let is_talk = |side: &SealedRecords| side.small >= 4 && side.small * 2 >= side.records;
        self.longest >= 10_000_000_000 && self.sides.iter().all(is_talk)
    }
}

impl Other {
    /// Whether what they carry is encrypted.
    pub fn is_tls(&self) -> bool {
        self.protocol == "tls"
    }

    /// Whether encrypted content of theirs was seen that nobody could read.
    pub fn is_sealed(&self) -> bool {
        self.is_tls() && self.sealed.is_some()
    }

    /// Whether they could be read if one had the keys.
    pub fn is_readable(&self) -> bool {
        self.is_sealed() && !self.is_joined
    }

    /// Whether nothing else is said of why they cannot be read: that is a finding where some of the secrets
    /// are there.
    pub fn awaits_secrets(&self) -> bool {
        self.is_readable() && !self.has_secrets
    }
}
