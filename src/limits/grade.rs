//! Caps on what the conformance suite holds of peers, and waits for them.

/// Events of a peer that are kept of a case that is graded: what is shown, and enough to see what went wrong.
pub const GRADE_EVENTS: usize = 200;

/// Bytes of the payload of each that are kept.
pub const GRADE_PAYLOAD: usize = 256;

/// Bytes of each direction of a case that are kept, for being looked at afterwards.
pub const GRADE_WIRE: usize = 64 * 1024;

/// Keys of opening handshakes that are kept of a client that is graded.
pub const GRADE_KEYS: usize = 4096;

/// Bytes that a peer may send in a case, besides four times those it was sent: who never ends is left.
pub const GRADE_GOT: u64 = 4 * 1024 * 1024;

/// Bytes that each message or control frame counts for there besides its own.
pub const GRADE_FRAME: u64 = 32;

/// Bytes of payload a second that a peer has to send back at least.
pub const GRADE_RATE: u64 = 512 * 1024;

/// Nanoseconds for which a peer may take none of what it is sent in a case.
pub const GRADE_WRITE: u64 = 10_000_000_000;

/// Clients that are told apart, by the names they give.
pub const GRADE_AGENTS: usize = 64;

/// Connections of clients that are graded at a time; more wait until one of them ends.
pub const GRADE_CONNECTIONS: usize = 256;

/// Bytes of payload that a case may send to a server which others use.
pub const GRADE_GENTLE: u64 = 256 * 1024;

/// Bytes that a client of HTTP/2 may send on a stream before they are read, and that wait for it there.
pub const GRADE_STREAM: u32 = 256 * 1024;

/// The same of all streams of a connection together.
pub const GRADE_STREAMS_HELD: u32 = 1024 * 1024;

/// Streams that a client of HTTP/2 may have open on a connection.
pub const GRADE_STREAMS: u32 = 16;

/// Bytes with which a client's connection of HTTP/2 is held against the rules.
pub const GRADE_WATCH: usize = 4 * 1024 * 1024;
