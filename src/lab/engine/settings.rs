//! How a server of Engine.IO behaves.

use std::fmt;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};

use crate::lab::fate::Fate;
use crate::limits;
use crate::model::Text;
pub use crate::model::Transport;

/// What a server tells its clients, and what it takes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where requests' targets begin, `/socket.io/` mostly.
    pub path: String,
    /// From the beginning to the first ping, and from a pong to the next ping.
    pub ping_interval: Duration,
    /// How long the other side may take with its part of the heartbeat.
    pub ping_timeout: Duration,
    /// Whether hearts beat at all: without it nothing is sent, and nobody is missed.
    pub beats: bool,
    /// Bytes of a message, or of a body.
    pub max_payload: usize,
    /// How long a client may take to join a namespace.
    pub connect_timeout: Duration,
    /// How long it may take to move to a WebSocket.
    pub upgrade_timeout: Duration,
    /// Who may ask from another origin.
    pub cors: Cors,
    /// What may carry packets.
    pub transports: Vec<Transport>,
    /// Whether clients of Engine.IO 3 (Socket.IO 1 and 2) are served, too.
    pub version_3: bool,
    /// Header fields of every answer to a poll, instead of those that the reference sends.
    pub fields: Vec<(HeaderName, HeaderValue)>,
}

/// As socket.io is without options, but that old clients are served, too.
impl Default for Settings {
    fn default() -> Self {
        Self {
            path: "/socket.io/".to_owned(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            beats: true,
            max_payload: limits::LAB_MESSAGE,
            connect_timeout: Duration::from_secs(45),
            upgrade_timeout: Duration::from_secs(10),
            cors: Cors::default(),
            transports: vec![Transport::Polling, Transport::WebSocket],
            version_3: true,
            fields: Vec::new(),
        }
    }
}

impl Settings {
    /// What the protocols' conformance suites ask of a server.
    pub fn conformance() -> Self {
        Self {
            ping_interval: Duration::from_millis(300),
            ping_timeout: Duration::from_millis(200),
            max_payload: 1_000_000,
            connect_timeout: Duration::from_secs(1),
            cors: Cors { origins: Origins::Any, credentials: false },
            ..Self::default()
        }
    }
}

/// Which pages of other origins may ask (the Fetch standard's CORS protocol).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Where they come from.
    pub origins: Origins,
    /// Whether they may send cookies.
    pub credentials: bool,
}

/// Origins that may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// A page's own server only: others get answers that their browser keeps from them.
    #[default]
    Same,
    /// All.
    Any,
    /// These; others are refused.
    List(Vec<String>),
}

/// What happens to a session, for whoever keeps a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It begins on this transport.
    Begun(Transport),
    /// It has moved to a WebSocket.
    Moved,
    /// Something went wrong on purpose, behind so many messages.
    Befallen(Fate, u64),
    /// It sends more than people do.
    Floods,
    /// It is over, or about to be.
    Over(Reason),
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The other side's part of the heartbeat did not come in time.
    PingTimeout,
    /// The client has closed it, or its connection.
    TransportClose,
    /// The client did what it must not do.
    TransportError(&'static str),
    /// What came could not be read.
    ParseError(&'static str),
    /// The application has ended it.
    ForcedClose(&'static str),
    /// The client has left the namespace, its session goes on.
    ClientLeft,
    /// The application has sent it out of the namespace.
    SentOut,
    /// The client takes less than is sent to it.
    TooSlow,
    /// The server ends.
    ShutDown,
    /// Something went wrong on purpose.
    Fault,
}

impl Reason {
    /// Why, in words, with the reference's name for it.
    pub fn words(self) -> Text {
        match self {
            Self::PingTimeout => "no heartbeat came in time (ping timeout)".into(),
            Self::TransportClose => "the client has closed it (transport close)".into(),
            Self::TransportError(what) => Text::new("{} (transport error)").word(what),
            Self::ParseError(what) => Text::new("{} (parse error)").word(what),
            Self::ForcedClose(what) => Text::new("{} (forced close)").word(what),
            Self::ClientLeft => "the client has left the namespace (client namespace disconnect)".into(),
            Self::SentOut => "sent out of the namespace (server namespace disconnect)".into(),
            Self::TooSlow => "the client takes less than is sent to it".into(),
            Self::ShutDown => "the server ends".into(),
            Self::Fault => "a fault on purpose".into(),
        }
    }
}

/// As the reference says it, and what exactly.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reason, what) = match self {
            Self::PingTimeout => ("ping timeout", ""),
            Self::TransportClose => ("transport close", ""),
            Self::TransportError(what) => ("transport error", *what),
            Self::ParseError(what) => ("parse error", *what),
            Self::ForcedClose(what) => ("forced close", *what),
            Self::ClientLeft => ("client namespace disconnect", ""),
            Self::SentOut => ("server namespace disconnect", ""),
            Self::TooSlow => ("too slow", ""),
            Self::ShutDown => ("server shutting down", ""),
            Self::Fault => ("fault on purpose", ""),
        };
        f.write_str(reason)?;
        if what.is_empty() { Ok(()) } else { write!(f, ": {what}") }
    }
}
