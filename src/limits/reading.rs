//! Caps on reading captures, and on what is remembered from one connection to the next.

/// Bytes of the read buffer over capture files. 256 KiB reads fastest; more does not help.
pub const READ_BUFFER: usize = 256 * 1024;

/// Bytes of one packet record or block of a capture. The read buffer grows up to here with bytes that
/// arrived; D-Bus and USB captures hold the longest packets, well below this.
pub const PACKET: usize = 64 * 1024 * 1024;

/// Bytes a packet record may hold although the file's snap length is smaller, as it happens with offloaded
/// segments (up to 512 KiB with BIG TCP). A longer one means that the file is damaged there.
pub const PACKET_BEYOND_SNAPLEN: usize = 1024 * 1024;

/// Interfaces of one pcapng section that are remembered.
pub const INTERFACES: usize = 64 * 1024;

/// Link types listed by name for a capture.
pub const LINK_TYPES_LISTED: usize = 16;

/// Bytes looked at to tell text from binary. Formats with a signature are told by at most 12.
pub const SNIFF: usize = 512;

/// Tunnels within tunnels that are stepped into, and extension headers of one.
pub const TUNNELS: usize = 8;

/// Connections between the same addresses and ports that are followed at once: in so many networks or tunnels
/// does a capture hardly see the same pair. What belongs to none of them is not read.
pub const TWINS: usize = 64;

/// Bytes of a refusal's body that are read for its first line.
pub const REFUSAL_READ: usize = 2048;

/// Bytes of a header field, or of a body's first line, that are quoted where causes are told.
pub const REASON_SHOWN: usize = 100;

/// Bytes that are quoted of what a browser says why a connection failed.
pub const FAILURE_SHOWN: usize = 300;

/// Rules that a connection has broken that are remembered until it is over, when causes are looked for.
pub const RULES_REMEMBERED: usize = 16;

/// Connections that are over and are remembered, to see what several of them show together.
pub const CROWD: usize = 64 * 1024;

/// Bytes of the run's memory for each of these: there are fewer where memory is short.
pub const CROWD_MEMORY: usize = 4 * 1024;

/// Connections that have ended for a cause and are remembered until their other leg, on the other side of a
/// proxy, has ended, too.
pub const LEGS: usize = 1024;

/// Groups of causes that a head tells; further ones are counted.
pub const GROUPS: usize = 1024;

/// Connections that a head has a line for; further ones are counted.
pub const HEAD_CONNECTIONS: usize = 1000;

/// Bytes from which on a message is a large one, whose length is remembered until its connection ends.
pub const LARGE_MESSAGE: u64 = 16 * 1024;

/// Turns that the reader of a capture may be ahead of the decoder: batches on their way between two threads.
/// As many turns pass on one thread, too, until a flow that is of no interest is followed no longer.
pub const TURNS_AHEAD: usize = 4;

/// Events of streams in such a turn: what handing them over costs is small beside what they cost.
pub const TURN_EVENTS: u32 = 2048;

/// Bytes of the run's memory for each event of a turn, which has fewer where memory is short: five turns of
/// new connections take less than what is given up at once.
pub const TURN_EVENT_MEMORY: usize = 32 * 1024;

/// Bytes of streams in such a turn, with the rest of a segment. What ends first ends it; all fits in the
/// second-level cache of the one who takes it.
pub const TURN_BYTES: usize = 128 * 1024;

/// Rows of a table that are gathered before they are written, as a row group of Parquet.
pub const TABLE_ROWS: usize = 64 * 1024;

/// Bytes of such rows. What comes first is enough: a row group is what a reader reads at a time.
pub const TABLE_BYTES: usize = 8 * 1024 * 1024;

/// Days of which a table is written at the same time: a capture goes over midnight, and its packets may not
/// be quite in order. For another day a new file is begun.
pub const TABLE_DAYS_AT_ONCE: usize = 2;

/// Days that a capture may have; rows of further ones are of no day.
pub const TABLE_DAYS: usize = 1000;

/// Layers of compression removed from around a file.
pub const PACKED_LAYERS: usize = 3;

/// Bytes of unpacked data that compressed data may refer back to: what `zstd` takes unless it is told
/// otherwise, and twice what `xz -9` needs. More is refused.
pub const UNPACK_WINDOW: u64 = 128 * 1024 * 1024;

/// Content codings, one around the other, that are taken off: what curl takes off, too.
pub const CODINGS_IN_A_ROW: usize = 5;

/// Bytes that a content coding may refer back to: as many as RFC 9659 §3 has a client be ready for.
pub const CODING_WINDOW: u64 = 8 * 1024 * 1024;

/// Bytes that the codings of a content may make of it, whatever it takes: beyond this and
/// [`DECODED_TIMES`] what has come, it is a bomb, and given up.
pub const DECODED_FREELY: u64 = 32 * 1024 * 1024;

/// Bytes that they may make of each byte besides: what DEFLATE can. Brotli and zstd can make millions.
pub const DECODED_TIMES: u64 = 1032;

/// Connections beyond which, whenever one begins, another one that goes on is put to rest: what is told of it
/// is kept in less room, which takes time.
pub const AWAKE: usize = 4096;

/// Kinds of connections that rest, of which each holds once what they have in common.
pub const RESTING_KINDS: usize = 16;

/// Nanoseconds by which packets overtake each other on their way into a capture, at most.
pub const OVERTAKEN: i64 = 20_000_000;

/// Packets of a capture among which one is, at most, that acknowledges what was not captured, if it is taken
/// for whole: where it lacks more, an endpoint that falls silent may have sent more.
pub const LOSSY: u64 = 200;

/// Places of a capture that are remembered at which packets are missing: whose last packet stands right
/// before one may have sent more.
pub const LOSSES: usize = 16 * 1024;

/// Bytes of one string of a HAR file, as it is written: whoever reads one holds all of it. Browsers make none
/// that are longer, and a short file that is compressed can.
pub const HAR_STRING: usize = 256 * 1024 * 1024;
