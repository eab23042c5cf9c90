//! Caps on what a lab's servers, its proxy and its recorders hold for their peers.

/// Mailboxes of a lab's server, which are its clients.
pub const LAB_MAILBOXES: usize = 64 * 1024;

/// Bytes of a name a client goes by.
pub const LAB_NAME: usize = 64;

/// Messages that wait in one mailbox; the oldest makes room.
pub const LAB_MAILBOX: usize = 16 * 1024;

/// Sessions of Engine.IO that a lab's server has at a time; who comes then is refused.
pub const LAB_SESSIONS: usize = 64 * 1024;

/// Packets that wait for one session's client; beyond it the session is ended, its client being too slow.
pub const LAB_SESSION_PACKETS: usize = 16 * 1024;

/// Bytes that do.
pub const LAB_SESSION_BYTES: usize = 8 * 1024 * 1024;

/// Bytes that wait for the clients of all sessions; beyond it those are ended that hold more than the mean.
/// And as many of attachments that wait for the last one of their packet.
pub const LAB_SESSIONS_BYTES: usize = 256 * 1024 * 1024;

/// Bytes of one client's attachments that wait for the last one of their packet.
pub const LAB_ATTACHED: usize = 8 * 1024 * 1024;

/// Namespaces a client is in at a time, and rooms in a namespace.
pub const LAB_ROOMS: usize = 64;

/// Events of a socket whose acknowledgement is awaited; an event that would be one more is not acknowledged.
pub const LAB_ACKS: usize = 1024;

/// Names that are listed of those who are online; more are counted.
pub const LAB_ONLINE: usize = 100;

/// Bytes of a message a lab's server or client takes: what Engine.IO calls `maxPayload`.
pub const LAB_MESSAGE: usize = 1_000_000;

/// Pieces, each of at most [`LAB_READ`] bytes, on their way on a delay line in one direction of a connection.
pub const LAB_LINE_PIECES: usize = 1024;

/// Bytes a delay line reads at a time.
pub const LAB_READ: usize = 16 * 1024;

/// Bytes a lab's WebSocket reads at a time; those of a thread share the room.
pub const LAB_SOCKET_READ: usize = 16 * 1024;

/// Bytes that may wait to be sent on a lab's WebSocket before it reads no more.
pub const LAB_SOCKET_WAITING: usize = 256 * 1024;

/// Bytes of a line of the raw TCP chat.
pub const LAB_LINE: usize = 4 * 1024;

/// Bytes of what was said in a chat that are remembered for those who poll, and lines.
pub const LAB_HISTORY: usize = 1024 * 1024;
/// See [`LAB_HISTORY`].
pub const LAB_HISTORY_LINES: usize = 1000;

/// Bytes of the largest message that a lab's server makes up.
pub const LAB_BIG: u64 = 1024 * 1024 * 1024;

/// Bytes that unfinished messages of all connections of a lab may hold: beyond it, they are refused.
pub const LAB_HELD: usize = 512 * 1024 * 1024;

/// Bytes of one connection that a delay line keeps for the decoder.
pub const LAB_RECORDING: usize = 4 * 1024 * 1024;

/// Bytes that may wait for whoever records a live connection; beyond that, connections wait.
pub const LAB_TAP: usize = 16 * 1024 * 1024;

/// Bytes of packets that wait for the keys of their TLS handshake, of a connection; beyond that, they are
/// written without.
pub const LAB_HANDSHAKE: usize = 256 * 1024;

/// Panels in browsers that a lab's server tells of connections; the oldest that nobody reads makes room.
pub const LAB_PANELS: usize = 256;

/// Bytes of records that wait for a panel nobody reads.
pub const LAB_PANEL: usize = 1024 * 1024;

/// Bytes of hex that somebody types into a page.
pub const LAB_TYPED: usize = 256 * 1024;

/// Records that wait for a panel that is read; more are left out.
pub const LAB_PANEL_RECORDS: usize = 4096;

/// Bytes that a proxy reads at a time in each direction of a connection, while little comes.
pub const PROXY_SIP: usize = 2 * 1024;

/// Bytes that a proxy reads at a time in each direction of a connection, at most.
pub const PROXY_READ: usize = 64 * 1024;

/// Bytes of a message that a proxy holds until it is whole, and as many again that wait for a receiver; what
/// is longer passes as it is.
pub const PROXY_HELD: usize = 1024 * 1024;

/// Bytes of a message that a browser's developer tools may send: one carries a WebSocket message of a page,
/// or a content, in JSON.
pub const DEVTOOLS_MESSAGE: usize = 256 * 1024 * 1024;

/// Events of a browser that wait for the content of a poll before them.
pub const DEVTOOLS_WAITING: usize = 4096;

/// Bytes of messages that an HTTP Archive holds of connections that are not over.
pub const HAR_HELD: usize = 64 * 1024 * 1024;

/// Certificates that an authority keeps of those it has signed.
pub const LAB_CERTIFICATES: usize = 1024;

/// Pieces whose time and length a delay line notes. What comes later is counted, but not noted.
pub const LAB_LOG: usize = 8 * 1024 * 1024;
