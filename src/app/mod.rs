//! What messages mean to the application: Engine.IO, Socket.IO and other subprotocols.
//!
//! This is the spec sheet; each protocol has a file of its own. Engine.IO and Socket.IO are
//! followed over whole sessions, which is done above this layer. The other protocols are read by a
//! [`Decoder`] a connection, through the table [`DIALECTS`]: a new one is a file and a line there.

use crate::model::{Cite, fields, rules};

mod cursor;
#[cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "only files describe them, and `cli` reads those")
)]
pub mod described;
pub mod dialect;
pub mod engineio;
pub mod excerpt;
pub mod given;
pub mod glance;
#[cfg(test)]
mod heard;
pub mod keys;
pub mod path;
pub mod payload;
pub mod pending;
mod remembered;
pub mod socketio;
pub mod stream;
pub mod talk;
mod validity;
pub mod value;

pub use dialect::{Decoder, Dialect, Reader, Said, Sheet};
pub use glance::Glance;
pub use talk::{Meaning, Talk};

/// Declares the files of protocols, each with the dialects in it, and the table of all of them.
///
/// `rustfmt` does not look for files behind macros: `.ci/run` names them to it.
macro_rules! dialects {
    ($($file:ident: $($name:ident),+;)*) => {
        $(pub mod $file;)*

        /// All protocols; those recognised by content in the order in which they are tried.
        pub static DIALECTS: &[&Dialect] = &[$($(&$file::$name),+),*];
    };
}

dialects! {
    graphql_ws: DIALECT, LEGACY;
    sockjs: DIALECT;
    actioncable: DIALECT;
    phoenix: DIALECT;
    pusher: DIALECT;
    jupyter: DIALECT;
    homeassistant: DIALECT;
    devtools: DIALECT;
    sip: DIALECT;
    xmpp: DIALECT;
    stomp: DIALECT;
    mqtt: DIALECT;
    wamp: JSON, MSGPACK, CBOR;
    signalr: DIALECT;
    jsonrpc: DIALECT;
    ocpp: DIALECT;
    text_ping: DIALECT;
    tunnel: DIALECT;
    values: MSGPACK, CBOR;
    protobuf: DIALECT;
    compressed: DIALECT;
    json: DIALECT;
}

/// A section of the Engine.IO protocol, revision 4.
const fn eio(section: &'static str) -> Cite {
    Cite { doc: "Engine.IO 4", section }
}

/// A section of the Socket.IO protocol, revision 5.
const fn sio(section: &'static str) -> Cite {
    Cite { doc: "Socket.IO 5", section }
}

fields! {
    /// The fields of Engine.IO and Socket.IO.
    FIELDS;
    ENGINE_TYPE = "engineio.type", "type", eio("Protocol"), "What kind of Engine.IO packet it is.";
    ENGINE_DATA = "engineio.data", "data", eio("Protocol"), "What the packet carries.";
    ENGINE_ENCODING = "engineio.encoding", "encoding", eio("Packet encoding"),
        "How the packet's data is written.";
    OPEN_SID = "engineio.sid", "sid", eio("Handshake"), "The session's id, which every later request names.";
    OPEN_UPGRADES = "engineio.upgrades", "upgrades", eio("Handshake"),
        "The transports the session may move to.";
    OPEN_PING_INTERVAL = "engineio.ping_interval", "pingInterval", eio("Handshake"),
        "Milliseconds between heartbeats.";
    OPEN_PING_TIMEOUT = "engineio.ping_timeout", "pingTimeout", eio("Handshake"),
        "Milliseconds to wait for a heartbeat before the session is given up.";
    OPEN_MAX_PAYLOAD = "engineio.max_payload", "maxPayload", eio("Handshake"),
        "Bytes the server accepts in one polling request.";
    SOCKET_ENGINE = "socketio.engine_type", "Engine.IO", eio("Protocol"),
        "The Engine.IO packet that carries this one.";
    SOCKET_TYPE = "socketio.type", "type", sio("Packet encoding"), "What kind of Socket.IO packet it is.";
    SOCKET_ATTACHMENTS = "socketio.attachment_count", "attachments", sio("Packet encoding"),
        "How many binary packets follow and belong to it.";
    SOCKET_NAMESPACE = "socketio.namespace", "namespace", sio("Packet encoding"),
        "Which of the channels on this connection it is for.";
    SOCKET_ACK = "socketio.ack", "ack id", sio("Acknowledgement"), "Ties an acknowledgement to its event.";
    SOCKET_EVENT = "socketio.event", "event", sio("Sending and receiving data"), "The event's name.";
    SOCKET_ARGS = "socketio.args", "arguments", sio("Sending and receiving data"),
        "The event's or acknowledgement's arguments.";
    SOCKET_DATA = "socketio.data", "data", sio("Connection to a namespace"),
        "What a CONNECT, its answer or its refusal carries.";
    SOCKET_NUM = "socketio.num", "placeholder", sio("Packet encoding"),
        "Which placeholder this binary data stands for.";
    SOCKET_OF = "socketio.of", "belongs to", sio("Packet encoding"),
        "The packet this binary data belongs to.";
}

rules! {
    /// What befalls requests of whatever protocol.
    REQUEST_RULES;
    REQUESTS_FORGOTTEN = "requests-forgotten", Note, Cite::rfc6455("10.4"), Capture,
        "memory was short, and requests that waited for their answers were forgotten",
        "their answers are tied to nothing, and those without an answer are not told; --memory raises the \
         budget";
}

rules! {
    /// The rules of Engine.IO and Socket.IO.
    RULES;
    // Broken packets.
    ENGINE_BAD_PACKET = "engineio-bad-packet", Error, eio("Packet encoding"), Either,
        "Not an Engine.IO packet",
        "The receiver closes the session with a parse error.";
    ENGINE_BAD_PAYLOAD = "engineio-bad-payload", Error, eio("Payload encoding"), Either,
        "The body does not divide into Engine.IO packets",
        "The receiver closes the session with a parse error.";
    HEARTBEAT_DIRECTION = "heartbeat-wrong-direction", Error, eio("Heartbeat"), Either,
        "Heartbeat in the wrong direction for the protocol's revision",
        "Engine.IO 6 closes the session at once: \"invalid heartbeat direction\".";
    SOCKET_BAD_PACKET = "socketio-bad-packet", Error, sio("Packet encoding"), Either,
        "Not a Socket.IO packet",
        "The receiver closes the connection with a parse error.";
    ATTACHMENT_MISSING = "socketio-attachment-missing", Error, sio("Packet encoding"), Either,
        "Fewer binary attachments than the packet announced",
        "The receiver waits for binary data, and takes other packets for an error.";
    ATTACHMENT_UNEXPECTED = "socketio-attachment-unexpected", Error, sio("Packet encoding"), Either,
        "Binary data that no packet announced",
        "The receiver closes the connection with a parse error.";

    // What goes wrong with sessions.
    NO_STICKY_SESSION = "no-sticky-session", Error, eio("HTTP long-polling"), Server,
        "The server does not know a session that was opened a moment ago",
        "The client starts over, and fails again whenever another server process answers.",
        usually "requests of one session reach different server processes: a load balancer or cluster \
         without sticky sessions",
        mend "make the load balancer send a session's requests to the process that opened it (ip_hash, \
         a cookie, @socket.io/sticky), or allow transports: [\"websocket\"] only";
    SESSION_EXPIRED = "session-expired", Warning, eio("HTTP long-polling"), Client,
        "A request names a session that is over",
        "The server answers 400 with code 1, and the client has to start over.",
        usually "the session timed out or its server was restarted, and the client went on with the old id",
        mend "nothing, if the client opens a new session at once; otherwise let the library reconnect";
    STUCK_ON_POLLING = "stuck-on-polling", Warning, eio("Upgrade"), Either,
        "The session never reached WebSocket",
        "Everything works, but every packet costs an HTTP request.",
        usually "a proxy in between does not pass the Upgrade on, or the server offers no WebSocket",
        mend "let the proxy pass on Upgrade and Connection with HTTP/1.1 (nginx: proxy_http_version \
         1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"), \
         and allow the transport websocket on the server";
    CLIENT_TOO_OLD = "client-too-old", Error, eio("Handshake"), Client,
        "A client of Socket.IO 2 at a server of Socket.IO 3 or 4",
        "The server answers 400 with code 5, and the client tries again and again.",
        usually "the client library is of Socket.IO 1 or 2, the server of 3 or 4",
        mend "update the client to the server's major version, or set allowEIO3: true on the server";
    SERVER_TOO_OLD = "server-too-old", Error, eio("Handshake"), Server,
        "A client of Socket.IO 3 or 4 at a server of Socket.IO 2",
        "The client cannot read the length-prefixed answer and never uses the session.",
        usually "the client library is of Socket.IO 3 or 4, the server of 1 or 2",
        mend "update the server, or use a client of Socket.IO 2";
    CORS_BLOCKED = "cors-blocked", Error, Cite { doc: "Fetch", section: "CORS protocol" }, Server,
        "The browser may not read the answer",
        "The page sees a network error although the server answered, and tries again.",
        usually "the server does not allow the page's origin",
        mend "set cors: { origin: \"https://the-page's-origin\" } on the server, with credentials: true \
         if cookies are sent; * does not go with credentials";
    PING_TIMEOUT = "ping-timeout", Error, eio("Heartbeat"), Either,
        "A heartbeat went unanswered until the session was given up",
        "The application sees a disconnection with the reason \"ping timeout\".",
        usually "one side was suspended or blocked: a browser's background tab, a long computation, a lost \
         network",
        mend "raise pingTimeout, and keep the event loop free; expect clients in the background to come \
         back";
    PROXY_IDLE_TIMEOUT = "proxy-idle-timeout", Warning, eio("Heartbeat"), Either,
        "The connection was cut after a time without traffic",
        "The application sees \"transport close\", and connects again.",
        usually "a proxy or load balancer between the two closes connections that are idle for that long",
        mend "set pingInterval below that time, or raise it (nginx: proxy_read_timeout)";
    PAYLOAD_TOO_BIG = "payload-too-big", Error, eio("Handshake"), Either,
        "A packet was larger than its receiver accepts",
        "The application sees only \"transport close\".",
        usually "one message is larger than its receiver's limit, on servers 1 MB unless told otherwise",
        mend "raise maxHttpBufferSize on the server, or send less at a time";
    NOT_ENGINE_IO = "not-an-engineio-server", Error, eio("Handshake"), Client,
        "There is no Engine.IO server at this address",
        "The client sees an error of the transport and tries again.",
        usually "something else answers under this host, port and path: another path, a plain WebSocket \
         server, a proxy's page",
        mend "compare path on both sides (the default is /socket.io/), and the port; a plain WebSocket \
         server needs a plain WebSocket client";
    PLAIN_CLIENT = "plain-websocket-client", Error, eio("Handshake"), Client,
        "A plain WebSocket client at an Engine.IO server",
        "The server answers 400 \"Transport unknown\".",
        usually "the client speaks WebSocket only (new WebSocket(…)), the server Socket.IO",
        mend "use socket.io-client; Socket.IO is a protocol on top of WebSocket";
    TRANSPORT_DISABLED = "transport-disabled", Error, eio("Handshake"), Either,
        "The client asks for a transport that the server does not offer",
        "The server answers 400 with code 0, and the client never connects.",
        usually "client and server do not agree on transports",
        mend "set transports to the same list on both sides; a server of [\"websocket\"] needs it in \
         the client too";
    NAMESPACE_REFUSED = "namespace-refused", Error, sio("Connection to a namespace"), Either,
        "The server refused a namespace",
        "The client's socket of this namespace gets \"connect_error\" and stays disconnected.",
        usually "the namespace does not exist on the server, or a middleware there refused the client",
        mend "create it with io.of(…) before clients come; if it was a middleware, look at its message \
         in connect_error";
    CONNECT_TIMEOUT = "connect-timeout", Error, sio("Connection to a namespace"), Client,
        "The client never connected to a namespace",
        "The server closes the connection after its connectTimeout (45 s by default).",
        usually "the client opened Engine.IO but never sent Socket.IO's CONNECT: another library, or one \
         of Socket.IO 2",
        mend "send 40 first, or use socket.io-client in the server's major version";
    EVENT_BEFORE_CONNECT = "event-before-connect", Error, sio("Connection to a namespace"), Client,
        "A packet for a namespace that is not connected",
        "The server closes the connection at once.",
        usually "the client sent an event before the server had answered its CONNECT",
        mend "wait for the server's 40 with the sid; socket.io-client does so by itself";
    CONCURRENT_POLLS = "concurrent-polls", Error, eio("HTTP long-polling"), Client,
        "Two polls of one session at once",
        "The server closes the session.",
        usually "the client has two polls on the way, often because a proxy or a retry repeated one",
        mend "send the next poll when the last is answered; do not retry polls in a proxy";
    POLL_CLOSED = "poll-closed-at-once", Error, eio("HTTP long-polling"), Server,
        "Long polls are ended by the server instead of waiting",
        "The client disconnects and connects again without end.",
        usually "a middleware in front of Engine.IO reads the body of GET requests, so that the request \
         looks closed",
        mend "attach Engine.IO before body parsers and wrappers of the request, or leave its path out \
         of them";
    REQUEST_REFUSED = "engineio-request-refused", Error, eio("HTTP long-polling"), Either,
        "The server refused a request of Engine.IO",
        "The client sees an error of the transport.",
        usually "the server refused the request by its own rules",
        mend "look at the message, and at allowRequest on the server";
}

/// The place among [`DIALECTS`] of the protocol that a subprotocol stands for, and that of its name there.
fn agreed(subprotocol: &str) -> Option<(usize, usize)> {
    let is = |name: &str| name.eq_ignore_ascii_case(subprotocol);
    let ends = |name: &str| {
        name.strip_prefix('*').is_some_and(|end| {
            let from = subprotocol.len().checked_sub(end.len());
            from.and_then(|from| subprotocol.get(from..)).is_some_and(|it| it.eq_ignore_ascii_case(end))
        })
    };
    let by = |fits: &dyn Fn(&str) -> bool| {
        let name_of = |dialect: &Dialect| dialect.subprotocols.iter().position(|name| fits(name));
        DIALECTS.iter().enumerate().find_map(|(at, dialect)| Some((at, name_of(dialect)?)))
    };
    by(&is).or_else(|| by(&ends))
}

/// The place of the protocol that a request for this target asks for.
fn expected(target: &str) -> Option<usize> {
    // Every handshake is asked this: it is taken apart once.
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let is_its = |at: &usize| DIALECTS[*at].target.is_some_and(|is_its| is_its(path, query));
    TARGETED.iter().copied().find(is_its)
}

/// The places of those that have a target of their own.
static TARGETED: [usize; targeted(&mut [0; DIALECTS.len()])] = {
    let mut places = [0; DIALECTS.len()];
    let count = targeted(&mut places);
    let mut own = [0; targeted(&mut [0; DIALECTS.len()])];
    let mut at = 0;
    while at < count {
        own[at] = places[at];
        at += 1;
    }
    own
};

/// Puts their places in front. How many there are.
const fn targeted(places: &mut [usize; DIALECTS.len()]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < DIALECTS.len() {
        if DIALECTS[at].target.is_some() {
            places[count] = at;
            count += 1;
        }
        at += 1;
    }
    count
}
