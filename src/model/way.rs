//! How applications get messages from a server to its clients.

/// A way to get messages from a server to its clients and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// Ask every T seconds.
    ShortPolling,
    /// Ask, and be answered once there is something to say (RFC 6202 §2).
    LongPolling,
    /// One answer that never ends (HTML, server-sent events).
    EventStream,
    /// RFC 6455.
    WebSocket,
    /// Socket.IO 4 on Engine.IO's HTTP long polling.
    SocketIoPolling,
    /// Socket.IO 4 on WebSocket, after its usual beginning with polling.
    SocketIoWebSocket,
}

impl Way {
    /// All of them, in the order of a table.
    pub const ALL: [Self; 6] = [
        Self::ShortPolling,
        Self::LongPolling,
        Self::EventStream,
        Self::WebSocket,
        Self::SocketIoPolling,
        Self::SocketIoWebSocket,
    ];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::ShortPolling => "short polling",
            Self::LongPolling => "long polling",
            Self::EventStream => "server-sent events",
            Self::WebSocket => "WebSocket",
            Self::SocketIoPolling => "Socket.IO, polling",
            Self::SocketIoWebSocket => "Socket.IO, WebSocket",
        }
    }
}
