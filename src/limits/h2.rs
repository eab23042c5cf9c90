//! Caps on following HTTP/2.

/// Bytes of one compressed header block of HTTP/2, its CONTINUATION frames included, as for a head of HTTP/1.
pub const H2_BLOCK: usize = super::HTTP_HEAD;

/// Bytes that a header block may decode to before it is called a bomb; what comes after is decoded, because
/// later blocks may refer to it, but not kept. One byte of a block may stand for a whole entry of the table.
pub const H2_HEADERS: usize = 2 * super::HTTP_HEAD;

/// Bytes of a table of header compression (RFC 7541 §4.1). Common ones have 4 KiB, browsers' 64 KiB; of
/// larger ones nothing is remembered.
pub const H2_TABLE: u32 = 1024 * 1024;

/// Bytes kept of a frame that carries neither header fields nor data.
pub const H2_FRAME_KEPT: usize = 4 * 1024;

/// CONTINUATION frames of one header block from which on they are a flood.
pub const H2_CONTINUATIONS: u32 = 64;

/// Streams of a connection that are followed at a time; servers allow 100 to 1,000.
pub const H2_STREAMS: usize = 4096;

/// Streams of a connection of which the beginning was not seen that are looked into at a time.
pub const H2_STRANGERS: usize = 64;

/// Frames of one kind that carry nothing (SETTINGS, PING, empty DATA, PRIORITY, unfinished streams reset)
/// within [`H2_FLOOD_TIME`] from which on they are a flood. Common servers stop at 100 to 1,000.
pub const H2_FLOOD: u32 = 1000;

/// Nanoseconds within which they are counted.
pub const H2_FLOOD_TIME: i64 = 10_000_000_000;

/// Frames kept until it is known that a connection of HTTP/2 has to do with WebSocket.
pub const H2_FRAMES_HELD: usize = 32;

/// Bytes of one direction that are held behind a hole until it is known where a frame of HTTP/2 begins.
pub const H2_TRIAL: usize = 64 * 1024;

/// Headers of frames that must lead from one to the next before bytes are taken for HTTP/2 whose beginning
/// was not captured.
pub const H2_CHAIN: usize = 3;
