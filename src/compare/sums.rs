//! The columns that captures are counted in.

/// Bytes and numbers of all connections of one use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// TCP connections.
    pub connections: u64,
    /// Content of HTTP bodies and of data frames.
    pub application: u64,
    /// HTTP heads, the opening handshake's among them.
    pub heads: u64,
    /// Frame headers, control frames, chunk framing, and stream bytes that were not understood.
    pub framing: u64,
    /// Of those, what was not understood.
    pub unknown: u64,
    /// IP and TCP headers of packets that bring new data.
    pub headers: u64,
    /// Packets that only acknowledge.
    pub acks: u64,
    /// Bytes of their IP and TCP headers.
    pub ack_bytes: u64,
    /// Packets without data that open or close a connection.
    pub opening: u64,
    /// Bytes of their IP and TCP headers.
    pub opening_bytes: u64,
    /// Packets whose data was all seen before.
    pub resent: u64,
    /// Bytes of their IP and TCP headers, and of their data.
    pub resent_bytes: u64,
    /// HTTP requests.
    pub requests: u64,
    /// Answers without content.
    pub empty: u64,
    /// Data messages; of HTTP, bodies that are not empty, whatever they hold.
    pub messages: u64,
}

impl Counted {
    /// Every byte from the IP header on.
    pub fn total(&self) -> u64 {
        self.application
            + self.heads
            + self.framing
            + self.headers
            + self.ack_bytes
            + self.opening_bytes
            + self.resent_bytes
    }

    pub(super) fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.connections, other.connections),
            (&mut self.application, other.application),
            (&mut self.heads, other.heads),
            (&mut self.framing, other.framing),
            (&mut self.unknown, other.unknown),
            (&mut self.headers, other.headers),
            (&mut self.acks, other.acks),
            (&mut self.ack_bytes, other.ack_bytes),
            (&mut self.opening, other.opening),
            (&mut self.opening_bytes, other.opening_bytes),
            (&mut self.resent, other.resent),
            (&mut self.resent_bytes, other.resent_bytes),
            (&mut self.requests, other.requests),
            (&mut self.empty, other.empty),
            (&mut self.messages, other.messages),
        ];
        for (mine, theirs) in pairs {
            *mine += theirs;
        }
    }
}
