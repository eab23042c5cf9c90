//! What messages mean to the application: Engine.IO, Socket.IO and other subprotocols.
//!
//! This is the spec sheet; each protocol has a file of its own. Engine.IO and Socket.IO are
//! followed over whole sessions, which is done above this layer. The other protocols are read by a
//! [`Decoder`] a connection, through the table [`DIALECTS`]: a new one is a file and a line there.

use crate::model::{Cite, FieldDef, Rule, Severity, Who};

pub mod compressed;
pub mod dialect;
pub mod engineio;
pub mod graphql_ws;
pub mod json;
pub mod mqtt;
pub mod payload;
pub mod signalr;
pub mod socketio;
pub mod stomp;
pub mod stream;
pub mod talk;
pub mod text_ping;

pub use dialect::{DIALECTS, Decoder, Dialect, Said};
pub use talk::Talk;

/// A section of the Engine.IO protocol, revision 4.
const fn eio(section: &'static str) -> Cite {
    Cite { doc: "Engine.IO 4", section }
}

/// A section of the Socket.IO protocol, revision 5.
const fn sio(section: &'static str) -> Cite {
    Cite { doc: "Socket.IO 5", section }
}

macro_rules! fields {
    ($($name:ident = $id:literal $label:literal $cite:expr, $help:literal;)*) => {
        $(pub static $name: FieldDef = FieldDef { id: $id, label: $label, help: $help, cite: $cite };)*
        /// The fields of Engine.IO and Socket.IO.
        pub static FIELDS: &[&FieldDef] = &[$(&$name),*];
    };
}

fields! {
    ENGINE_TYPE = "engineio.type" "type" eio("Protocol"), "What kind of Engine.IO packet it is.";
    ENGINE_DATA = "engineio.data" "data" eio("Protocol"), "What the packet carries.";
    ENGINE_ENCODING = "engineio.encoding" "encoding" eio("Packet encoding"), "How the packet's data is written.";
    OPEN_SID = "engineio.sid" "sid" eio("Handshake"), "The session's id, which every later request names.";
    OPEN_UPGRADES = "engineio.upgrades" "upgrades" eio("Handshake"), "The transports the session may move to.";
    OPEN_PING_INTERVAL = "engineio.ping_interval" "pingInterval" eio("Handshake"), "Milliseconds between heartbeats.";
    OPEN_PING_TIMEOUT = "engineio.ping_timeout" "pingTimeout" eio("Handshake"), "Milliseconds to wait for a heartbeat before the session is given up.";
    OPEN_MAX_PAYLOAD = "engineio.max_payload" "maxPayload" eio("Handshake"), "Bytes the server accepts in one polling request.";
    SOCKET_ENGINE = "socketio.engine_type" "Engine.IO" eio("Protocol"), "The Engine.IO packet that carries this one.";
    SOCKET_TYPE = "socketio.type" "type" sio("Packet encoding"), "What kind of Socket.IO packet it is.";
    SOCKET_ATTACHMENTS = "socketio.attachment_count" "attachments" sio("Packet encoding"), "How many binary packets follow and belong to it.";
    SOCKET_NAMESPACE = "socketio.namespace" "namespace" sio("Packet encoding"), "Which of the channels on this connection it is for.";
    SOCKET_ACK = "socketio.ack" "ack id" sio("Acknowledgement"), "Ties an acknowledgement to its event.";
    SOCKET_EVENT = "socketio.event" "event" sio("Sending and receiving data"), "The event's name.";
    SOCKET_ARGS = "socketio.args" "arguments" sio("Sending and receiving data"), "The event's or acknowledgement's arguments.";
    SOCKET_DATA = "socketio.data" "data" sio("Connection to a namespace"), "What a CONNECT, its answer or its refusal carries.";
    SOCKET_NUM = "socketio.num" "placeholder" sio("Packet encoding"), "Which placeholder this binary data stands for.";
    SOCKET_OF = "socketio.of" "belongs to" sio("Packet encoding"), "The packet this binary data belongs to.";
}

macro_rules! rules {
    ($($name:ident = $id:literal $severity:ident $who:ident $cite:expr, $title:literal, $consequence:literal;)*) => {
        $(pub static $name: Rule = Rule {
            id: $id,
            severity: Severity::$severity,
            cite: $cite,
            who: Who::$who,
            title: $title,
            consequence: $consequence,
        };)*
        /// Every rule of this layer.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    // Broken packets.
    ENGINE_BAD_PACKET = "engineio-bad-packet" Error Either eio("Packet encoding"),
        "Not an Engine.IO packet",
        "The receiver closes the session with a parse error.";
    ENGINE_BAD_PAYLOAD = "engineio-bad-payload" Error Either eio("Payload encoding"),
        "The body does not divide into Engine.IO packets",
        "The receiver closes the session with a parse error.";
    HEARTBEAT_DIRECTION = "heartbeat-wrong-direction" Error Either eio("Heartbeat"),
        "Heartbeat in the wrong direction for the protocol's revision",
        "Engine.IO 6 closes the session at once: \"invalid heartbeat direction\".";
    SOCKET_BAD_PACKET = "socketio-bad-packet" Error Either sio("Packet encoding"),
        "Not a Socket.IO packet",
        "The receiver closes the connection with a parse error.";
    ATTACHMENT_MISSING = "socketio-attachment-missing" Error Either sio("Packet encoding"),
        "Fewer binary attachments than the packet announced",
        "The receiver waits for binary data, and takes other packets for an error.";
    ATTACHMENT_UNEXPECTED = "socketio-attachment-unexpected" Error Either sio("Packet encoding"),
        "Binary data that no packet announced",
        "The receiver closes the connection with a parse error.";

    // What goes wrong with sessions.
    NO_STICKY_SESSION = "no-sticky-session" Error Server eio("HTTP long-polling"),
        "The server does not know a session that was opened a moment ago",
        "The client starts over, and fails again whenever another server process answers.";
    SESSION_EXPIRED = "session-expired" Warning Client eio("HTTP long-polling"),
        "A request names a session that is over",
        "The server answers 400 with code 1, and the client has to start over.";
    STUCK_ON_POLLING = "stuck-on-polling" Warning Either eio("Upgrade"),
        "The session never reached WebSocket",
        "Everything works, but every packet costs an HTTP request.";
    CLIENT_TOO_OLD = "client-too-old" Error Client eio("Handshake"),
        "A client of Socket.IO 2 at a server of Socket.IO 3 or 4",
        "The server answers 400 with code 5, and the client tries again and again.";
    SERVER_TOO_OLD = "server-too-old" Error Server eio("Handshake"),
        "A client of Socket.IO 3 or 4 at a server of Socket.IO 2",
        "The client cannot read the length-prefixed answer and never uses the session.";
    CORS_BLOCKED = "cors-blocked" Error Server Cite { doc: "Fetch", section: "CORS protocol" },
        "The browser may not read the answer",
        "The page sees a network error although the server answered, and tries again.";
    PING_TIMEOUT = "ping-timeout" Error Either eio("Heartbeat"),
        "A heartbeat went unanswered until the session was given up",
        "The application sees a disconnection with the reason \"ping timeout\".";
    PROXY_IDLE_TIMEOUT = "proxy-idle-timeout" Warning Either eio("Heartbeat"),
        "The connection was cut after a time without traffic",
        "The application sees \"transport close\", and connects again.";
    PAYLOAD_TOO_BIG = "payload-too-big" Error Either eio("Handshake"),
        "A packet was larger than its receiver accepts",
        "The application sees only \"transport close\".";
    NOT_ENGINE_IO = "not-an-engineio-server" Error Client eio("Handshake"),
        "There is no Engine.IO server at this address",
        "The client sees an error of the transport and tries again.";
    PLAIN_CLIENT = "plain-websocket-client" Error Client eio("Handshake"),
        "A plain WebSocket client at an Engine.IO server",
        "The server answers 400 \"Transport unknown\".";
    TRANSPORT_DISABLED = "transport-disabled" Error Either eio("Handshake"),
        "The client asks for a transport that the server does not offer",
        "The server answers 400 with code 0, and the client never connects.";
    NAMESPACE_REFUSED = "namespace-refused" Error Either sio("Connection to a namespace"),
        "The server refused a namespace",
        "The client's socket of this namespace gets \"connect_error\" and stays disconnected.";
    CONNECT_TIMEOUT = "connect-timeout" Error Client sio("Connection to a namespace"),
        "The client never connected to a namespace",
        "The server closes the connection after its connectTimeout (45 s by default).";
    EVENT_BEFORE_CONNECT = "event-before-connect" Error Client sio("Connection to a namespace"),
        "A packet for a namespace that is not connected",
        "The server closes the connection at once.";
    CONCURRENT_POLLS = "concurrent-polls" Error Client eio("HTTP long-polling"),
        "Two polls of one session at once",
        "The server closes the session.";
    POLL_CLOSED = "poll-closed-at-once" Error Server eio("HTTP long-polling"),
        "Long polls are ended by the server instead of waiting",
        "The client disconnects and connects again without end.";
    REQUEST_REFUSED = "engineio-request-refused" Error Either eio("HTTP long-polling"),
        "The server refused a request of Engine.IO",
        "The client sees an error of the transport.";
}
