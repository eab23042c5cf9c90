//! Units: what a decoder produces and every view consumes.

use std::borrow::Cow;
use std::net::IpAddr;
use std::num::NonZeroU32;

use super::app::{App, AppPacket, AppSession};
use super::diagnosis::Diagnosis;
use super::ending::Ending;
use super::field::Field;
use super::finding::{Finding, More, Rule};
use super::hole::{Gap, Hole};
use super::layer::Layer;
use super::other::Opening;
use super::reply::Unanswered;
use super::run::{InputFile, Meta, Summary};
use super::secured::Secured;
use super::software::Software;
use super::source::Source;
use super::span::Span;
use super::stream::At;
use super::text::Text;
use super::time::Time;
use super::verdict::Judgement;
use super::wire::{CloseCode, Dir, Endpoint, Opcode};

/// What TCP's acknowledgements say at the end of a direction; `None` where the capture does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Whether the endpoint that ends has received all that its peer had sent by then.
    pub received: Option<bool>,
    /// Its peer had ended before, though that may not be in the capture.
    pub peer_ended: bool,
}

/// One thing a decoder has to say.
#[derive(Clone, Copy, Debug)]
pub struct Unit<'a> {
    /// Number of the connection, from 1; 0 for what concerns the whole input.
    pub conn: u32,
    /// Who sent it, where somebody did.
    pub dir: Option<Dir>,
    /// When its last byte was captured.
    pub time: Option<Time>,
    /// Numbers of the first and last packet that carried it.
    pub packets: Option<(u64, u64)>,
    /// What it is.
    pub body: Body<'a>,
    /// Its annotated fields in wire order; empty unless [`Wants::fields`](super::Wants::fields).
    pub fields: &'a [Field],
    /// The rules it breaks.
    pub findings: &'a [Finding],
    /// Rules that it breaks as well, as so many units of its connection did before it that they are only
    /// counted: one entry for each finding that there is not.
    pub counted: &'a [&'static Rule],
    /// The sources its spans point into; empty unless [`Wants::fields`](super::Wants::fields).
    pub sources: &'a [Source],
}

impl<'a> Unit<'a> {
    /// A unit of a connection with nothing around its body.
    pub const fn of(conn: u32, body: Body<'a>) -> Self {
        Self {
            conn,
            dir: None,
            time: None,
            packets: None,
            body,
            fields: &[],
            findings: &[],
            counted: &[],
            sources: &[],
        }
    }

    /// A unit that belongs to no connection.
    pub const fn about_input(body: Body<'a>) -> Self {
        Self::of(0, body)
    }

    /// The same, seen in one packet.
    #[must_use]
    pub fn at(self, at: At) -> Self {
        let packets = (at.packet > 0).then_some((at.packet, at.packet));
        Self { time: at.time, packets, ..self }
    }

    /// The rules it breaks, once for each time: those of its findings, and those that are only counted.
    #[inline]
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> + use<'a> {
        self.findings.iter().map(|finding| finding.rule).chain(self.counted.iter().copied())
    }
}

/// What a unit is.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// What the input is; the first unit.
    Meta(&'a Meta),
    /// One of several files begins: what follows is of it, up to the next one or the summary.
    File(&'a InputFile),
    /// A connection appeared, or (with an [`Ending`]) is over.
    Connection(&'a Connection),
    /// The head of an HTTP message.
    Http(&'a HttpHead<'a>),
    /// What an endpoint said that is neither HTTP nor WebSocket.
    Opening(&'a Opening<'a>),
    /// A WebSocket frame.
    Frame(&'a Frame<'a>),
    /// A WebSocket message, complete or cut short.
    Message(&'a Message<'a>),
    /// A packet of an application protocol that came by HTTP, or a unit of what streams without frames.
    Packet(&'a AppPacket<'a>),
    /// An application's session is over.
    Session(&'a AppSession),
    /// How a connection went, once it is over, and why it ended: its findings are the causes.
    Judgement(&'a Judgement<'a>),
    /// Stream bytes that are missing from the capture.
    Gap(&'a Gap),
    /// Findings that belong to the connection or the capture, not to one frame or message.
    Note,
    /// Totals; the last unit.
    Summary(&'a Summary),
}

/// How client and server were told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// By who sent the opening handshake's request, or its response.
    Handshake,
    /// By who masks its frames (RFC 6455 §5.1).
    Masking,
    /// By the port numbers.
    Ports,
    /// Not at all: a guess.
    Assumed,
}

/// How much of the opening handshake was seen, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// Request and a 101 response.
    Full,
    /// The request only (so far).
    RequestOnly,
    /// The request, and an answer that could not be read, or was not captured: what it was nobody can tell.
    AnswerUnseen,
    /// The 101 response only.
    ResponseOnly,
    /// Neither.
    Missing,
    /// The request was answered with another status than 101.
    Refused,
    /// No WebSocket was asked for: HTTP requests, of which no more is known.
    Http,
    /// The same of requests that carry the packets of an application.
    Polling,
    /// The same of a request that was answered by something that streams.
    Streaming,
    /// No HTTP either: whoever gave the bytes says that they are lines of text.
    Lines,
    /// A connection of HTTP/2: each WebSocket on it is a connection of its own, with this one for its parent.
    Http2,
}

impl Handshake {
    /// Whether nothing but HTTP or text was seen of the connection, and it has no frames of a WebSocket.
    pub fn has_no_frames(self) -> bool {
        matches!(self, Self::Http | Self::Polling | Self::Streaming | Self::Lines | Self::Http2)
    }

    /// Whether the connection became a WebSocket, as far as it was seen.
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::Full | Self::AnswerUnseen | Self::ResponseOnly | Self::Missing)
    }
}

/// The agreed parameters of permessage-deflate (RFC 7692 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// The server starts each message with an empty window (RFC 7692 §7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client does (RFC 7692 §7.1.1.2).
    pub client_no_context_takeover: bool,
    /// 8 to 15; 15 when not named.
    pub server_max_window_bits: u8,
    /// 8 to 15; 15 when not named.
    pub client_max_window_bits: u8,
}

/// What is known about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The number of the connection within which this one is a stream of its own (RFC 8441 §4).
    pub parent: Option<NonZeroU32>,
    /// What it is known from: its bytes, what they decipher to, or what somebody tells of it.
    pub layer: Layer,
    /// The number of the connection whose handshake a proxy passes on with this one: both are legs of one
    /// way. Known from the request on.
    pub passes_on: Option<NonZeroU32>,
    /// `None` for input without addresses.
    pub client: Option<Endpoint>,
    /// As `client`.
    pub server: Option<Endpoint>,
    /// The client's address as the proxies on the way have it, in a PROXY header before the request or in its
    /// `X-Forwarded-For` or `Forwarded`; `client` is that of the last proxy then.
    pub forwarded: Option<Box<IpAddr>>,
    /// The TLS within which it was deciphered; `None` for what came in clear.
    pub secured: Option<Box<Secured>>,
    /// How it is known who is the client.
    pub roles: Roles,
    /// What was seen of the opening handshake.
    pub handshake: Handshake,
    /// The request target.
    pub target: Option<String>,
    /// The request's Host (RFC 9110 §7.2). Untrusted.
    pub host: Option<String>,
    /// The status code of the last response.
    pub status: Option<u16>,
    /// The agreed subprotocol.
    pub subprotocol: Option<String>,
    /// The agreed extensions, as the response names them.
    pub extensions: Option<String>,
    /// The agreed compression; `None` when there is none.
    pub deflate: Option<Deflate>,
    /// Such as `1.1`.
    pub http_version: Option<Cow<'static, str>>,
    /// The program that answered the handshake.
    pub software: Software,
    /// How it ended; only on the connection's last unit.
    pub ending: Option<Box<Ending>>,
    /// Findings that were counted and not built; only on the connection's last unit.
    pub more: Vec<More>,
    /// Requests that had no answer in the end; only on the connection's last unit, where what messages
    /// mean is [wanted](super::Wants::app).
    pub unanswered: Vec<Unanswered>,
}

impl Connection {
    /// The address of the client itself, as far as it is known: that behind the proxy where there is one
    /// that names it.
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.forwarded.as_deref().copied().or_else(|| self.client.map(|client| client.ip()))
    }
}

/// The head of an HTTP request or response.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpHead<'a> {
    /// The stream of HTTP/2 on which it was sent; `None` in HTTP/1.
    pub stream: Option<u32>,
    /// Offset of its first byte in the sender's stream, or among its [header
    /// fields](super::SourceId::Headers).
    pub offset: u64,
    /// The head as it stands on the wire, or decompressed, as far as it is kept; empty unless
    /// [`Wants::fields`](super::Wants::fields).
    pub bytes: &'a [u8],
    /// The request or status line, without its line end. Untrusted.
    pub start_line: &'a str,
    /// The header fields in order.
    pub headers: &'a [Header<'a>],
    /// Whether all of the head was captured, up to its empty line; if not, it is as much as there is.
    pub complete: bool,
    /// The first bytes of the body; empty when there is none.
    pub body: &'a [u8],
    /// Whether that is the whole body; never where the head itself breaks off.
    pub body_whole: bool,
    /// Its body streams, and is told unit by unit behind it: nothing of it is here.
    pub streams: bool,
    /// What may be behind the findings, and what else is worth knowing.
    pub diagnoses: &'a [Diagnosis],
    /// Bytes on the wire, shown or not.
    pub extent: HttpExtent,
}

impl<'a> HttpHead<'a> {
    /// The value of the first header field of a name. Untrusted.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let headers: &'a [Header<'a>] = self.headers;
        headers.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| &*field.value)
    }

    /// What a request, which this has to be, asks for (RFC 9112 §3.2). Untrusted.
    pub fn target(&self) -> Option<&str> {
        self.start_line.split(' ').nth(1)
    }
}

/// How much of a stream a message of HTTP takes, as far as it was captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpExtent {
    /// Bytes of the head.
    pub head: u64,
    /// Bytes of content.
    pub content: u64,
    /// Bytes of the chunks' framing around it (RFC 9112 §7.1).
    pub framing: u64,
}

/// One header field with the verdict on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// As written.
    pub name: Cow<'a, str>,
    /// Without surrounding white space. Untrusted.
    pub value: Cow<'a, str>,
    /// Whether it is right.
    pub verdict: Verdict,
    /// What it means for the WebSocket, empty when nothing.
    pub meaning: Text,
    /// Where the name stands.
    pub name_at: Span,
    /// Where the value stands.
    pub value_at: Span,
}

/// A verdict on a header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As the RFC asks.
    Ok,
    /// Odd, or against a SHOULD.
    Warning,
    /// Against a MUST.
    Broken,
    /// Without a meaning for the WebSocket.
    Irrelevant,
}

/// A frame's header (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameHeader {
    /// FIN: the last fragment of its message.
    pub fin: bool,
    /// RSV1: with permessage-deflate, a compressed message (RFC 7692 §6).
    pub rsv1: bool,
    /// RSV2, which is 0 unless an extension defines it.
    pub rsv2: bool,
    /// RSV3, which is 0 unless an extension defines it.
    pub rsv3: bool,
    /// What the payload is.
    pub opcode: Opcode,
    /// The masking key; `None` when MASK is 0.
    pub masking_key: Option<[u8; 4]>,
    /// Which of the three forms carries the length.
    pub length_form: LengthForm,
    /// Payload length as declared: all 64 bits, even when the top one is set.
    pub length: u64,
}

/// The three forms of the payload length (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LengthForm {
    /// In the seven bits themselves: 0–125.
    #[default]
    Bits7,
    /// 126, then 16 bits.
    Bits16,
    /// 127, then 64 bits.
    Bits64,
}

impl LengthForm {
    /// 7, 16 or 64.
    pub fn bits(self) -> u8 {
        match self {
            Self::Bits7 => 7,
            Self::Bits16 => 16,
            Self::Bits64 => 64,
        }
    }

    /// The shortest form that can carry `length` (RFC 6455 §5.2).
    #[inline]
    pub fn minimal(length: u64) -> Self {
        match length {
            0..=125 => Self::Bits7,
            126..=0xFFFF => Self::Bits16,
            _ => Self::Bits64,
        }
    }
}

impl FrameHeader {
    /// The header of a whole message's only frame, or a control frame: FIN set, no reserved bit, and the
    /// length in its shortest form (RFC 6455 §5.2). Masked with `masking_key`, if there is one.
    #[inline]
    pub fn of(opcode: Opcode, masking_key: Option<[u8; 4]>, length: u64) -> Self {
        let length_form = LengthForm::minimal(length);
        Self { fin: true, rsv1: false, rsv2: false, rsv3: false, opcode, masking_key, length_form, length }
    }

    /// Bytes the header takes: 2 to 14.
    #[inline]
    pub fn header_length(&self) -> u8 {
        let extended = match self.length_form {
            LengthForm::Bits7 => 0,
            LengthForm::Bits16 => 2,
            LengthForm::Bits64 => 8,
        };
        2 + extended + if self.masking_key.is_some() { 4 } else { 0 }
    }
}

/// A WebSocket frame as it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Number within the connection, from 1, both directions together, in order of completion.
    pub n: u64,
    /// Offset of the first header byte in the sender's stream.
    pub offset: u64,
    /// What the header says.
    pub header: FrameHeader,
    /// The header as it stands on the wire.
    pub head: &'a [u8],
    /// The opcode of the message it belongs to: for a continuation frame, that of the first fragment.
    pub of: Opcode,
    /// It belongs to a compressed message (RFC 7692 §6): the payload makes sense only once inflated.
    pub compressed: bool,
    /// Payload bytes that are in the capture.
    pub captured: u64,
    /// Payload bytes lost in a hole.
    pub missing: u64,
    /// The stream ends inside the frame.
    pub truncated: bool,
    /// Found by its shape: after a hole over a header, or without a handshake.
    pub inferred: bool,
    /// The first captured payload bytes, unmasked, at most [`Wants::payload`](super::Wants::payload) of them.
    pub payload: &'a [u8],
    /// The holes before, between and right behind those bytes (see [`super::hole::parts`]).
    pub holes: &'a [Hole],
}

/// A WebSocket message, or a control frame's content.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Number within the connection, from 1.
    pub m: u64,
    /// Text, binary, close, ping or pong.
    pub kind: Opcode,
    /// Numbers of its frames, at most [`crate::limits::MESSAGE_FRAMES_LISTED`] of them.
    pub frames: &'a [u64],
    /// How many frames it has in all; 0 where they are not known, as it was [told](Layer::Told).
    pub frame_count: u64,
    /// Payload bytes of all its frames.
    pub length: u64,
    /// RSV1 is set on its first frame (RFC 7692 §6).
    pub compressed: bool,
    /// What it inflates to, in bytes; `None` when not compressed or not inflatable.
    pub inflated_length: Option<u64>,
    /// Of the inflated bytes, how many are copied from earlier messages (context
    /// takeover, RFC 7692 §7.1.1); measured for the first few of a direction only.
    pub from_earlier: Option<u64>,
    /// Whether the last fragment was seen, and nothing is missing.
    pub complete: bool,
    /// Its place was found by its shape and is not certain: nobody is to be blamed for what it says.
    pub in_doubt: bool,
    /// The first captured bytes of the content, unmasked (and inflated): at most [`super::Wants::payload`].
    pub payload: &'a [u8],
    /// The holes before, between and right behind those bytes; none in what was inflated.
    pub holes: &'a [Hole],
    /// The whole content as text, where it was found to be some on the way; of which `payload` may be less.
    pub text: Option<&'a str>,
    /// Whether `payload` is less than what there is of the content.
    pub payload_cut: bool,
    /// Whether the content is valid UTF-8; only text messages and close reasons are checked.
    pub utf8: Utf8,
    /// A Close frame's body.
    pub close: Option<CloseBody<'a>>,
    /// What it means to the application; `None` where that is not known, or not asked for.
    pub app: Option<&'a App>,
}

impl Message<'_> {
    /// Whether it is [told](Layer::Told): of its frames nothing is known.
    #[inline]
    pub fn is_told(&self) -> bool {
        self.frame_count == 0
    }
}

/// The verdict of a UTF-8 check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Utf8 {
    /// Not text, or not decidable.
    Unchecked,
    /// Valid as far as the message goes.
    Valid,
    /// Offset of the byte where the first invalid sequence begins.
    Invalid(u64),
}

/// The body of a Close frame (RFC 6455 §5.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseBody<'a> {
    /// `None` for an empty body, which stands for 1005 (RFC 6455 §7.1.5).
    pub code: Option<CloseCode>,
    /// Up to 123 bytes; untrusted.
    pub reason: &'a [u8],
}
