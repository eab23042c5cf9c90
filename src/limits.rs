//! Every cap in one place, with its unit and its reason.
//!
//! No buffer grows from a length that a peer declared; each grows with bytes
//! that arrived, up to a cap named here. Reaching a cap is a finding or a
//! documented cut, never an error, and decoding goes on by skipping.

mod grade;
mod h2;
mod lab;
mod reading;

pub use self::grade::*;
pub use self::h2::*;
pub use lab::*;
pub use reading::*;

/// Bytes read at a time from a file of raw bytes.
pub const RAW_READ: usize = 64 * 1024;

/// Bytes of pasted hex or text that are read. Text is decoded as a whole, so it must fit in memory.
pub const TEXT_INPUT: u64 = 64 * 1024 * 1024;

/// Bytes of one HTTP head. Servers commonly stop at 8 to 64 KiB; four times as much still explains itself.
pub const HTTP_HEAD: usize = 256 * 1024;

/// Header fields of one HTTP head. Common servers refuse from 100 to 2,000.
pub const HTTP_HEADERS: usize = 4096;

/// Bytes of an HTTP body kept for showing why a handshake was refused.
pub const HTTP_BODY_PREVIEW: usize = 4096;

/// Bytes kept of one event, part or line of what streams without frames: as much as is looked into of a
/// message.
pub const STREAMED_UNIT: usize = 1024 * 1024;

/// Bytes of a request target that are kept with its connection. RFC 9110 §4.1 asks for 8,000 at least.
pub const TARGET: usize = 8192;

/// Requests sent ahead of their responses that are remembered. Browsers pipeline none, scripts a few dozen.
pub const HTTP_REQUESTS_PIPELINED: usize = 1024;

/// Bytes kept of what an endpoint says that is neither HTTP nor WebSocket.
pub const OPENING: usize = 256;

/// Connections that wait for an answer to their SYN of which it is remembered that ICMP called it in vain.
pub const UNREACHABLE: usize = 1024;

/// Kinds of connections of other protocols that the summary tells apart.
pub const OTHERS_LISTED: usize = 64;

/// Bytes of each direction in which the hello of TLS is looked for.
pub const TLS_HELLO: usize = 16 * 1024;

/// Bytes of a connection that nobody can read in which the sizes of its records are looked at.
pub const TLS_WATCHED: u64 = 1024 * 1024;

/// Headers of records from which a connection whose beginning was not captured is one of TLS: by chance it
/// would be one of more than 2⁶⁰.
pub const TLS_SHAPE: u64 = 3;

/// Bytes of early data, with where they came from, that wait until it is known whether the server takes them.
pub const TLS_EARLY: usize = 64 * 1024;

/// Clients of QUIC whose hello is put together, or was; beyond that the oldest makes room.
pub const QUIC_CLIENTS: usize = 64;

/// Secrets of key logs that are kept: those of fifty thousand connections, some 30 MiB.
pub const TLS_SECRETS: usize = 200_000;

/// Sessions of TLS 1.2 whose beginning is remembered, by id and ticket; beyond that the oldest makes room.
pub const TLS_SESSIONS: usize = 4096;

/// Sessions of a key log that are tried in a capture, each with a record of a server whose client is not in
/// it.
pub const TLS_SESSIONS_TRIED: usize = 200_000;

/// Bytes of a key log that are read.
pub const KEYLOG: u64 = 64 * 1024 * 1024;

/// Lines of a key log of which it is told that something is wrong with them.
pub const KEYLOG_LINES_TOLD: usize = 8;

/// Bytes of a handshake message of TLS that is looked into: a hello with the keys of several groups has a few
/// thousand.
pub const TLS_MESSAGE: usize = 64 * 1024;

/// Records over which a handshake message lies of which it is remembered where they stand.
pub const TLS_MESSAGE_PIECES: usize = 1024;

/// Bytes behind a hole in which the next record of TLS is looked for: more than two of the longest records,
/// so that one of them is whole.
pub const TLS_SEARCHED: usize = 40 * 1024;

/// Numbers that a record behind a hole is tried to open with.
pub const TLS_RECORDS_TRIED: u64 = 256;

/// Records in a row that may fail to open before no more are tried.
pub const TLS_RECORDS_FAILED: usize = 16;

/// What TLS said of itself before it is known whether its connection is a WebSocket.
pub const TLS_HELD: usize = 24;

/// Findings of connections that are no WebSocket that can be read: why TLS cannot be deciphered, floods of
/// HTTP/2.
pub const NAMELESS_TOLD: usize = 64;

/// Pieces in which the hellos of TLS come before their connection is given up.
pub const TLS_PIECES: usize = 1024;

/// Nanoseconds that a request for a WebSocket is not answered before that is worth a finding.
pub const ANSWER_AWAITED: i64 = 5_000_000_000;

/// Nanoseconds of the same where the client gives up, and not because somebody looked elsewhere at once.
pub const ANSWER_WANTED: i64 = 1_000_000_000;

/// Findings about a connection's packets that are held until it is known to be a WebSocket.
pub const ANOMALIES_HELD: usize = 8;

/// Bytes of a text transcript that are read: sixteen of the largest heads.
pub const TRANSCRIPT: usize = 16 * HTTP_HEAD;

/// Exchanges of one transcript that are read.
pub const TRANSCRIPT_EXCHANGES: usize = 1024;

/// Handshakes of a capture that wait to be shown behind an earlier one that is not over.
pub const HANDSHAKES_PENDING: usize = 1024;

/// `Sec-WebSocket-Key`s remembered, to see one used again: a few megabytes at most.
pub const KEYS_REMEMBERED: usize = 16 * 1024;

/// Times in a row that a handshake is taken as passed on by proxies and translators of addresses, each on a
/// connection of its own: more than any sensible chain has.
pub const KEY_HOPS: u8 = 4;

/// Bytes of a key that is remembered; right ones have 24.
pub const KEY_REMEMBERED: usize = 64;

/// Of these, how many of the latest a wrong `Sec-WebSocket-Accept` is compared with.
pub const KEYS_COMPARED: usize = 16;

/// Pairs of client and server whose handshakes are compared; later pairs are not.
pub const PAIRS_REMEMBERED: usize = 16 * 1024;

/// Nanoseconds from a failure to the next attempt that are no pause, if all are like that (RFC 6455 §7.2.3
/// finds up to five seconds reasonable for the first).
pub const RECONNECT_SOON: i64 = 1_000_000_000;

/// Nanoseconds below which the difference between two pauses is chance.
pub const BACKOFF_GROWTH_SEEN: i64 = 50_000_000;

/// Nanoseconds after which a connection was established for good: its end begins a new series of attempts.
pub const CONNECTION_LASTS: i64 = 10_000_000_000;

/// Bytes a client may send after its upgrade request and before the response, while it is not yet known what
/// they are.
pub const BEFORE_RESPONSE: usize = 1024 * 1024;

/// Bytes after which a client whose server was not captured has sent enough behind its request to be shown.
pub const UNANSWERED: usize = 64 * 1024;

/// Bytes held over all connections of which nobody knows yet that they are WebSocket: what is looked at to
/// find out. Beyond it those that hold the most are given up.
pub const EARLY_TOTAL: usize = 16 * 1024 * 1024;

/// Bytes held at a time, unless `--memory` says otherwise; the program itself takes some ten mebibytes
/// besides. Three quarters are for connections, their unfinished messages, windows and heads; the rest is
/// for what waits for its order and for `--grep`. Beyond it the least useful is given up, with a finding,
/// and decoding goes on: payload kept to be shown, the largest first, then windows and heads of those
/// silent for longest.
pub const MEMORY: usize = 256 * 1024 * 1024;

/// Bytes that `--memory` may be at least.
pub const MEMORY_LEAST: u64 = 64 * 1024;

/// Bytes that are still shown of a payload that was given up because memory was short.
pub const SHOWN_OF_GIVEN_UP: usize = 256;

/// Bytes that a connection takes at least as long as it is followed, with its flow.
pub const FLOW_HELD: usize = 1024;

/// Bytes that it takes besides once it is known to have to do with WebSocket.
pub const CONNECTION_HELD: usize = 1024;

/// Bytes that it takes besides where it is told what messages mean.
pub const CONNECTION_APP_HELD: usize = 1024;

/// Packets of one frame or head that are remembered, for leading a byte back to its packet.
pub const PIECES_LISTED: usize = 4096;

/// Payload bytes of a frame or message kept for showing, unless the user asks otherwise.
pub const PAYLOAD_SHOWN: u64 = 64 * 1024;

/// Heads of `CONNECT` and its answers that are kept until what goes through the tunnel is known: a proxy may
/// ask for a password first.
pub const TUNNEL_HEADS: usize = 8;

/// Bytes of frames that wait over all connections until `--grep` has seen their messages; beyond it those
/// of the connection at hand are judged one by one.
pub const GREP_HELD: usize = 32 * 1024 * 1024;

/// Bytes of a payload that are copied into the value of its field; all of it stands in its frame.
pub const VALUE_COPIED: usize = 64 * 1024;

/// Payload bytes kept even with `--payload-limit all`.
pub const PAYLOAD_KEPT: u64 = 256 * 1024 * 1024;

/// Bytes of one message that many endpoints refuse (tungstenite 64 MiB, ws 100 MiB): worth a note.
pub const MESSAGE_LARGE: u64 = 64 * 1024 * 1024;

/// Bytes of one frame that many endpoints refuse: worth a note.
pub const FRAME_LARGE: u64 = 16 * 1024 * 1024;

/// Bytes a message may inflate to before it is given up, and with it the window.
/// DEFLATE makes at most 1,032 bytes of one, so this much costs a sender some 250 KB.
pub const INFLATED: u64 = 256 * 1024 * 1024;

/// Bytes a message may inflate to before it is called a bomb: what comes after is
/// inflated, because later messages may refer to it, but neither kept nor checked.
pub const INFLATED_SHOWN: u64 = 32 * 1024 * 1024;

/// Compressed messages of other directions after which a window is hardly in a cache any longer: so many
/// windows are more than most second-level caches hold. What is read in which order depends on it, and
/// nothing else.
pub const WINDOWS_CACHED: u64 = 128;

/// Compressed bytes of one message up to which it is told what context takeover saves, and which are kept
/// where nothing was agreed on, to tell whether they are compressed.
pub const SCANNED: usize = 1024 * 1024;

/// Compressed messages of a direction whose distances are looked at to tell what
/// context takeover saves: enough for an estimate, too few to cost time.
pub const SCANNED_MESSAGES: u64 = 64;

/// Bytes of a view's text that are gathered, to be written in one piece; of what is longer the lines are
/// written as they are made.
pub const LINES_HELD: usize = 256 * 1024;

/// Findings of one rule, connection and endpoint that are built. Those beyond are counted: nobody reads them,
/// and two bytes may be worth several.
pub const FINDINGS_BUILT: u64 = 1000;

/// Frame numbers listed with a message.
pub const MESSAGE_FRAMES_LISTED: usize = 1024;

/// Holes in a payload that are remembered; what was captured behind more of them is counted, but not shown.
pub const HOLES_LISTED: usize = 1024;

/// Fragments of one message from which it is worth a note: each costs its receiver more than its bytes.
pub const MESSAGE_FRAGMENTS_MANY: u64 = 4096;

/// Pings awaiting their pong that are remembered per direction.
pub const PINGS_OUTSTANDING: usize = 64;

/// Payload bytes of a control frame that are kept whatever is shown: as many as one may have (RFC 6455 §5.5).
pub const CONTROL_PAYLOAD: u64 = 125;

/// Bytes unmasked and validated at a time: small enough to stay in the first-level cache.
pub const BLOCK: usize = 16 * 1024;

/// Bytes of both sides of a connection without a handshake in which frames are looked for before it is given
/// up as something else: a message of a megabyte may be under way when a capture begins. Only what may turn
/// out to be frames is held.
pub const PROBE: usize = 1024 * 1024;

/// Bytes of one direction that are held because they may be frames: one frame with a 16-bit length, and what
/// comes before and behind it.
pub const TRIAL_HELD: usize = 96 * 1024;

/// Places of one direction that are on trial at a time; the least likely makes room.
pub const TRIALS: usize = 16;

/// Bytes of a Close body or a compressed message that are kept to be looked at as a whole.
pub const TRIAL_KEPT: usize = 4096;

/// Bits of evidence (`ws::shape`) for the frames of both sides together from which a connection without a
/// handshake is a WebSocket: of a thousand segment starts in a million connections not one reaches it by
/// chance, and a text of twenty characters that is masked does.
pub const EVIDENCE_MIDWAY: i32 = 32;

/// The same, if the connection is over and nothing in it speaks against it but that parts are no frames.
pub const EVIDENCE_AT_END: i32 = 24;

/// The same, if the connection is over and frames are all it has from the first byte of each side to the
/// last.
pub const EVIDENCE_IF_ALL: i32 = 14;

/// Bits of evidence for a header at the start of a segment after a hole, or of the other side of a
/// connection that is known to be a WebSocket.
pub const EVIDENCE_RESYNC: i32 = 8;

/// Bits of evidence that count as nothing where a header is found elsewhere than at the start of a segment:
/// there are a thousand such places for each start.
pub const EVIDENCE_INSIDE: i32 = 12;

/// Bits of evidence that are enough after a hole when nothing more will come.
pub const EVIDENCE_LAST: i32 = 4;

/// Bits of evidence after a hole from which it is certain that what was found are frames: until then what
/// does not fit is taken for none, and blamed on nobody.
pub const EVIDENCE_CERTAIN: i32 = 24;

/// Bytes searched for a plausible header after a gap before only the starts of segments are looked at.
pub const RESYNC: usize = 1024 * 1024;

/// Out-of-order bytes held for one direction of a flow, waiting for a hole to fill.
pub const REORDER_FLOW: usize = 4 * 1024 * 1024;

/// Out-of-order bytes held over all flows.
pub const REORDER_TOTAL: usize = 16 * 1024 * 1024;

/// Packets of a flow after which a hole its receiver has acknowledged is taken as lost by the capture.
pub const REORDER_PACKETS: u32 = 64;

/// Packets of a flow after which a hole is taken as lost when nothing of its receiver was captured, so that
/// no acknowledgement can tell. More than a congestion window may pass before a retransmission.
pub const REORDER_PACKETS_ONE_SIDED: u32 = 1024;

/// Packets of a flow that are held back until it is clear where a stream begins, or until the peer's bytes
/// that they acknowledge are there: twice the reordering that merged or multi-queue captures show.
pub const HOLD_PACKETS: u32 = 16;

/// Nanoseconds of capture time after which they are held back no longer.
pub const HOLD_TIME: u64 = 200_000_000;

/// Nanoseconds of capture time, besides [`REORDER_PACKETS`] packets, that a flow is kept after a reset or
/// with bytes missing before its end, for what was captured late.
pub const LINGER_TIME: u64 = 200_000_000;

/// Flows kept in such a state; the oldest makes room. Each takes some four kibibytes.
pub const LINGERING: usize = 4 * 1024;

/// Bytes of the run's memory for each of these: there are fewer where memory is short.
pub const LINGERING_MEMORY: usize = 64 * 1024;

/// Closed flows remembered, so that a late retransmission does not look like a new flow.
pub const CLOSED_FLOWS: usize = 4096;

/// Data segments of each direction whose TCP checksum is verified. A capture with bad checksums has them
/// from the start; verifying all would cost more than everything else that is done with a packet.
pub const CHECKSUMS: u8 = 4;

/// Rooms of connections that are over, kept for those that begin: so many of each kind.
pub const SPARE_ROOMS: usize = 64;

/// Bytes of a text or head whose room is kept.
pub const SPARE_TEXT: usize = 1024;

/// Flows followed at a time; the longest idle one makes room.
pub const FLOWS: usize = 1024 * 1024;

/// Datagrams being put together from IP fragments.
pub const IP_DATAGRAMS: usize = 1024;

/// Bytes held over all datagrams being put together.
pub const IP_FRAGMENT_BYTES: usize = 8 * 1024 * 1024;

/// Nanoseconds after which an unfinished datagram is dropped (RFC 791 suggests 15 s, RFC 8200 §4.5 asks for
/// 60 s).
pub const IP_REASSEMBLY: u64 = 60_000_000_000;

/// Nanoseconds from a ping to its pong that are still "as soon as is practical" (RFC 6455 §5.5.2).
pub const PONG_SOON: i64 = 2_000_000_000;

/// Nanoseconds from a Close to the answering Close that are still "as soon as practical" (RFC 6455 §5.5.1).
pub const CLOSE_SOON: i64 = 2_000_000_000;

/// Nanoseconds after which a peer has certainly seen a violation: two slow round trips.
pub const VIOLATION_SEEN: i64 = 1_000_000_000;

/// Nanoseconds after both Close frames within which TCP should be closed too.
pub const TCP_CLOSE_SOON: i64 = 2_000_000_000;

/// Bytes of a message, or of an HTTP body of Engine.IO, that are looked at for what they mean. Socket.IO
/// refuses messages above 1 MB unless told otherwise.
pub const APP_PAYLOAD: u64 = 1024 * 1024;

/// Bytes kept of an application's packet that goes on in the next message; what is beyond is counted.
pub const APP_PACKET: usize = 64 * 1024;

/// Messages of such a packet that are listed with it.
pub const APP_PARTS: usize = 1024;

/// Packets of one message that are described; those beyond are counted.
pub const APP_PACKETS: usize = 64;

/// Fields of a packet of an application that are shown.
pub const APP_FIELDS: usize = 256;

/// Bytes of the largest payload buffer that is lent from frame to frame instead of being
/// given back: what growing by doubling needs for [`APP_PAYLOAD`]. One a run, not one a connection.
pub const PAYLOAD_LENT: usize = 2 * APP_PAYLOAD as usize;

/// Arrays and objects of a JSON text inside each other. Common parsers stop at 128 to 512.
pub const JSON_DEPTH: usize = 128;

/// Bytes of a JSON text, or of anything else decoded, that are shown with a message.
pub const APP_SHOWN: usize = 64 * 1024;

/// Bits of evidence (`app::value`) from which a binary message is `MessagePack` or CBOR without anybody
/// having said so: of some ten million messages of random bytes one may be.
pub const EVIDENCE_VALUES: u32 = 24;

/// Parts of such a value that are listed with their places; of one with more only the whole is shown.
pub const VALUE_LEAVES: usize = 64;

/// Levels within each other that are guessed at in a message of Protocol Buffers without a schema.
pub const PROTOBUF_LEVELS: usize = 16;

/// Bytes that are read for guesses in one such message: each level reads all that is within it.
pub const PROTOBUF_GUESSED: usize = 4 * 1024 * 1024;

/// Bytes of a file that describes a dialect.
pub const DIALECT_FILE: usize = 1024 * 1024;

/// Messages that such a file may describe, and fields of one of them.
pub const DIALECT_PARTS: usize = 256;

/// Levels of fields within each other that it may describe.
pub const DIALECT_DEPTH: usize = 8;

/// Bytes of an attachment that are kept until its packet is complete.
pub const ATTACHMENT: usize = 64 * 1024;

/// Attachments of one packet that are waited for.
pub const ATTACHMENTS: usize = 256;

/// Bytes kept of all attachments of one packet.
pub const ATTACHMENTS_KEPT: usize = 1024 * 1024;

/// Packets in one polling body.
pub const POLLING_PACKETS: usize = 64 * 1024;

/// Engine.IO sessions followed at a time; the one idle for longest makes room.
pub const SESSIONS: usize = 16 * 1024;

/// Connections listed with a session. Clients that do not keep connections alive use one a request.
pub const SESSION_CONNS: usize = 256;

/// Namespaces remembered of a session.
pub const SESSION_NAMESPACES: usize = 64;

/// Requests awaiting their answer, and events their acknowledgement, that are remembered per session and
/// direction.
pub const ACKS_OUTSTANDING: usize = 256;

/// Bytes held per session for its requests, both directions together.
pub const REQUESTS_HELD: usize = 64 * 1024;

/// Bytes held for the requests of all connections, or an eighth of the run's memory where that is less; those
/// of connections that ask more are forgotten.
pub const REQUESTS_HELD_TOTAL: usize = 32 * 1024 * 1024;

/// Kinds of requests, by server, whose answers are compared with each other.
pub const REPLIES_FOLLOWED: usize = 1024;

/// Errors of one kind of request, and kinds of requests of one connection, that are told apart.
pub const FAILURES_TOLD: usize = 16;

/// Bytes of a request's id. Requests with longer ones are not followed.
pub const REQUEST_ID: usize = 256;

/// Requests per session and direction that are remembered after their answer, so that another answer is
/// known for what it is.
pub const ANSWERED_REMEMBERED: usize = 16;

/// Ids of requests per direction that are remembered, eight bytes each, where a protocol wants each to be
/// used once; it is not told of others that are used again.
pub const IDS_REMEMBERED: usize = 1024;

/// Channels per connection that are remembered, eight bytes each, to know what is not among them; beyond it
/// nothing is said of what may be among the others.
pub const CHANNELS_REMEMBERED: usize = 256;

/// Nanoseconds within which a call of OCPP has not timed out: stations wait 30 s and more.
pub const OCPP_CALL_WAITS: i64 = 10_000_000_000;

/// Nanoseconds without a message after which clients of Action Cable take the connection for dead.
pub const ACTION_CABLE_STALE: i64 = 6_000_000_000;

/// Packet numbers kept as evidence for one diagnosis.
pub const EVIDENCE: usize = 16;

/// Answers to one exercise that are judged, the last ones first. Nobody types so many; a
/// report that was made to order may hold more.
pub const ANSWERS_JUDGED: usize = 1000;

/// Bytes of one comment on a packet that is written.
pub const COMMENT: usize = 4 * 1024;

/// Bytes of comments that are kept until their packets are written; what is said after that is left out.
pub const COMMENTS: usize = 64 * 1024 * 1024;

/// Connections whose packets are written; those of any more are left out.
pub const WRITTEN_CONNECTIONS: usize = 1024 * 1024;

/// Records of a page for a browser. It draws what is on the screen only, but reads all of them when it opens.
pub const HTML_RECORDS: usize = 100_000;

/// Bytes of those records: more, and a browser takes seconds to open it.
pub const HTML_BYTES: usize = 64 * 1024 * 1024;
