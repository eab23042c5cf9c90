//! What a message means to the application behind the WebSocket.

use std::str::FromStr;

use super::field::Field;
use super::reply::{Answer, Unanswered};
use super::source::Source;
use super::span::Span;
use super::text::Text;
use super::time::Time;
use super::wire::Endpoint;

/// A packet of an application protocol.
///
/// Its fields are named by [`FieldDef::id`](super::FieldDef): what follows the last dot is the key under
/// which NDJSON shows a field. Values came from the wire and are untrusted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct App {
    /// The protocol's id, such as `socket.io`.
    pub protocol: &'static str,
    /// The protocol's name, such as `Socket.IO`.
    pub name: &'static str,
    /// The packet in a line. What it quotes is untrusted.
    pub summary: Text,
    /// What the packet consists of, in wire order.
    pub fields: Vec<Field>,
    /// The packets that came in one message, where these are several; `fields` is empty then.
    pub packets: Vec<App>,
    /// Where its bytes stand, in order, if it began in an earlier message: in messages, or in what they
    /// inflate to. Its fields then point into [`SourceId::Joined`](super::SourceId::Joined).
    pub parts: Vec<Span>,
    /// The way back from there; empty unless [`Wants::fields`](super::Wants).
    pub sources: Vec<Source>,
    /// Binary data that belongs to it, as far as it was seen, in order.
    pub attachments: Vec<Attachment>,
    /// The session it belongs to.
    pub session: Option<SessionRef>,
    /// The packet that this one answers.
    pub answers: Option<Answer>,
    /// Which half of a heartbeat it is that the application sends as data.
    pub heartbeat: Option<Heartbeat>,
    /// What it says of the end of its connection.
    pub parting: Option<Parting>,
}

/// What a packet says of the end of its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parting {
    /// Its sender takes leave: that the peer ends the connection then is in order.
    Leave,
    /// Its sender says what is wrong, in these words. Untrusted.
    Error(Box<str>),
}

/// Half of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// It asks.
    Ping,
    /// It answers.
    Pong,
}

impl App {
    /// The only one of the packets of a message; or this with all of them in it, each told in its line behind
    /// what that says already.
    #[must_use]
    pub fn around(self, mut packets: Vec<App>) -> Self {
        if packets.len() == 1 {
            return packets.remove(0);
        }
        let lines = packets.iter().map(|packet| packet.summary.clone());
        Self { summary: lines.fold(self.summary, Text::then), packets, ..self }
    }

    /// The way back from the packets that began in earlier messages.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().chain(self.packets.iter().flat_map(|packet| &packet.sources))
    }

    /// What it says of the end, or one of the packets of the message.
    pub fn parting(&self) -> Option<&Parting> {
        self.parting.as_ref().or_else(|| self.packets.iter().find_map(|packet| packet.parting.as_ref()))
    }

    /// What it answers; the packets of one message may answer several.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().chain(self.packets.iter().filter_map(|packet| packet.answers.as_ref()))
    }
}

/// Binary data that stands for a placeholder in a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The number in its placeholder, from 0.
    pub num: u64,
    /// Its length in bytes.
    pub length: u64,
    /// Its first bytes, at most [`crate::limits::ATTACHMENT`] of them.
    pub bytes: Vec<u8>,
    /// The connection it came over.
    pub conn: u32,
    /// Numbers of the first and last packet that carried it.
    pub packets: Option<(u64, u64)>,
}

/// The session a packet belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRef {
    /// Its number, from 1, in order of appearance.
    pub number: u32,
    /// Its id, once the server has given one. Untrusted.
    pub sid: Option<String>,
    /// How this connection carries it.
    pub transport: Transport,
}

/// How Engine.IO packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In the bodies of HTTP requests and responses.
    Polling,
    /// In WebSocket messages.
    WebSocket,
}

impl Transport {
    /// As the `transport` parameter names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::WebSocket => "websocket",
        }
    }
}

impl FromStr for Transport {
    type Err = Text;

    fn from_str(name: &str) -> Result<Self, Text> {
        match name {
            "polling" => Ok(Self::Polling),
            "websocket" => Ok(Self::WebSocket),
            _ => Err(Text::with("`{}` is no transport: polling, websocket", name)),
        }
    }
}

/// A packet that did not come in a WebSocket message: one of an HTTP body's, or a unit of something that
/// streams without frames.
#[derive(Clone, Copy, Debug)]
pub struct AppPacket<'a> {
    /// What it streams in; `None` for a packet of a body that was read as a whole.
    pub streamed: Option<Streamed>,
    /// Its place in the body or the stream, from 1.
    pub place: u64,
    /// Whether it is text, otherwise binary.
    pub text: bool,
    /// Its length in bytes, without the framing and encoding of the transport.
    pub length: u64,
    /// Its first bytes, at most [`Wants::payload`](super::Wants) of them.
    pub payload: &'a [u8],
    /// What it means.
    pub app: &'a App,
}

/// How a unit stands in what streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streamed {
    /// What it is.
    pub kind: StreamedKind,
    /// The stream of HTTP/2 that it came on; `None` elsewhere.
    pub stream: Option<u32>,
    /// Where it begins in the sender's stream, or in the content of its stream of HTTP/2. Where the content
    /// is compressed: where what it was inflated from begins.
    pub offset: u64,
    /// Whether its end was seen.
    pub complete: bool,
}

/// The units of what streams without frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamedKind {
    /// An event of server-sent events (HTML, section 9.2).
    Event,
    /// A part of `multipart/x-mixed-replace`.
    Part,
    /// Content of a page that goes on, as it arrived.
    Piece,
    /// A line of text on raw TCP.
    Line,
}

impl StreamedKind {
    /// Its name, in English.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Part => "part",
            Self::Piece => "piece",
            Self::Line => "line",
        }
    }

    /// Its place among all of them.
    pub fn index(self) -> usize {
        self as usize
    }

    /// All of them.
    pub const ALL: [Self; 4] = [Self::Event, Self::Part, Self::Piece, Self::Line];
}

/// A session over all its connections and transports; shown when it is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppSession {
    /// Its number, from 1, in order of appearance.
    pub number: u32,
    /// Its id; `None` when no session came about, or its beginning was not seen. Untrusted.
    pub sid: Option<String>,
    /// The revision of Engine.IO: 3 or 4; `None` when nothing told.
    pub version: Option<u8>,
    /// In the order in which they were used.
    pub transports: Vec<Transport>,
    /// Numbers of its connections, at most [`crate::limits::SESSION_CONNS`] of them.
    pub conns: Vec<u32>,
    /// The client's address; `None` for input without addresses.
    pub client: Option<Endpoint>,
    /// The server's.
    pub server: Option<Endpoint>,
    /// The path it is served under. Untrusted.
    pub path: Option<String>,
    /// When its first packet was captured; and its last, or the end of its WebSocket's connection.
    pub began: Option<Time>,
    /// As `began`.
    pub ended: Option<Time>,
    /// Whether it moved from polling to WebSocket.
    pub upgraded: bool,
    /// How it ended.
    pub end: Option<SessionEnd>,
    /// Engine.IO packets that the client and the server sent.
    pub packets: [u64; 2],
    /// Events that the client and the server sent.
    pub events: [u64; 2],
    /// Events that were acknowledged.
    pub acks: u64,
    /// Those that wanted an acknowledgement and had none at the end, by name.
    pub unanswered: Vec<Unanswered>,
    /// Heartbeats that were answered.
    pub heartbeats: u64,
    /// The namespaces that were connected to. Untrusted.
    pub namespaces: Vec<String>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// With a close packet, or its WebSocket's closing handshake.
    Closed,
    /// The connection that carried it ended without one.
    Dropped,
    /// The server no longer knew it, or never came to know it.
    Refused,
    /// The capture ends first.
    CaptureEnd,
}

impl SessionEnd {
    /// As records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Dropped => "dropped",
            Self::Refused => "refused",
            Self::CaptureEnd => "capture-end",
        }
    }
}
