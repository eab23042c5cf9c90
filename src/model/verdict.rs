//! Why a connection ended, in one place and for one connection.

use std::net::IpAddr;

use super::diagnosis::Diagnosis;
use super::ending::{ClosePart, TcpEnd, Unfinished};
use super::reply::Unanswered;
use super::text::Text;
use super::time::Time;
use super::wire::{CloseCode, Dir, Endpoint};

/// How a connection went, told once when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement<'a> {
    /// What became of it.
    pub outcome: Outcome,
    /// Who ended it; `None` where nobody did, or nobody can tell.
    pub by: Option<Dir>,
    /// The first Close frame and its sender.
    pub close: Option<(Dir, &'a ClosePart)>,
    /// The Close frame of the other endpoint, where that says more: both closed at once.
    pub crossing: Option<(Dir, &'a ClosePart)>,
    /// The first Close frame may be the answer to one that is not in the capture.
    pub may_be_answer: bool,
    /// Who had taken leave first, in the protocol of the application.
    pub left: Option<Dir>,
    /// The close code, also where it is not known who sent it.
    pub code: Option<CloseCode>,
    /// The first end of a TCP stream.
    pub tcp: Option<TcpEnd>,
    /// The status of the last HTTP response.
    pub status: Option<u16>,
    /// Nanoseconds from its first bytes to what ended it.
    pub lived: Option<i64>,
    /// Nanoseconds without a frame of either endpoint before what ended it.
    pub silence: Option<i64>,
    /// Whose frame was the last one before that.
    pub last: Option<Dir>,
    /// What the client and the server never finished.
    pub unfinished: [Option<Unfinished>; 2],
    /// Frames, messages and bytes of both together.
    pub frames: u64,
    /// Messages only.
    pub messages: u64,
    /// Bytes only.
    pub bytes: u64,
    /// When its first bytes were captured.
    pub began: Option<Time>,
    /// The addresses, and what was asked for.
    pub client: Option<Endpoint>,
    /// The server's address.
    pub server: Option<Endpoint>,
    /// Untrusted.
    pub target: Option<&'a str>,
    /// The request's Host (RFC 9110 §7.2), or what HTTP/2 calls its authority. Untrusted.
    pub host: Option<&'a str>,
    /// Not all that the client, and the server, sent is in the capture, although the connection is over.
    pub unseen: [bool; 2],
    /// The requests that had no answer, by kind.
    pub unanswered: &'a [Unanswered],
    /// The connection with which its causes are told: it is the other leg of a way through a proxy.
    pub told_with: Option<u32>,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Both endpoints sent a Close frame.
    Closed,
    /// One did, and TCP ended before the other could answer.
    HalfClosed,
    /// TCP was ended by FIN without a Close frame.
    Dropped,
    /// TCP was reset without a Close frame.
    Reset,
    /// The handshake was answered with another status than 101.
    Refused,
    /// The handshake was not answered, or not by HTTP.
    Unanswered,
    /// It was an HTTP connection, of which no more is known.
    Http,
    /// It was an HTTP connection of an application that polls.
    Polling,
    /// It was an HTTP connection on which an answer streamed.
    Streaming,
    /// It was lines of text on raw TCP.
    Lines,
    /// It was a connection of HTTP/2, whose streams are connections of their own.
    Http2,
    /// The capture ends first.
    Open,
    /// Whoever [tells](super::Layer::Told) of it does not say.
    Untold,
    /// Whoever tells of it says that it failed.
    Failed,
}

impl Outcome {
    /// Whether the connection had no frames of a WebSocket to count.
    pub fn has_no_frames(self) -> bool {
        matches!(self, Self::Http | Self::Polling | Self::Streaming | Self::Lines | Self::Http2)
    }

    /// Whether that is no way for a connection to end that was wanted.
    pub fn is_bad(self) -> bool {
        matches!(
            self,
            Self::HalfClosed | Self::Dropped | Self::Reset | Self::Refused | Self::Unanswered | Self::Failed
        )
    }

    /// As records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfClosed => "half-closed",
            Self::Dropped => "dropped",
            Self::Reset => "reset",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
            Self::Http => "http",
            Self::Polling => "polling",
            Self::Streaming => "streaming",
            Self::Lines => "lines",
            Self::Http2 => "http2",
            Self::Open => "open",
            Self::Untold => "untold",
            Self::Failed => "failed",
        }
    }
}

/// What makes one of several findings of the same cause: they are told together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// What is the same in all of them, as a sentence about a connection. What it quotes is untrusted.
    pub what: Text,
    /// What was measured.
    pub measures: Vec<Measure>,
    /// What may be behind it and what to change, where the finding itself does not say so.
    pub behind: Option<Diagnosis>,
    /// The server whose connections it is about, where it is about several together.
    pub server: Option<Endpoint>,
    /// The client whose connections those are, where it is about those of one.
    pub client: Option<IpAddr>,
}

impl Case {
    /// What is the same, and what was measured.
    pub fn new(what: Text, measures: Vec<Measure>) -> Self {
        Self { what, measures, behind: None, server: None, client: None }
    }
}

/// A quantity that differs from case to case, as the range of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// What is measured.
    pub of: Quantity,
    /// The least value.
    pub least: i64,
    /// The greatest value.
    pub most: i64,
}

impl Measure {
    /// So many of something.
    pub fn count(of: Quantity, count: u64) -> Self {
        Self::of(of, i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// One value.
    pub fn of(of: Quantity, value: i64) -> Self {
        Self { of, least: value, most: value }
    }
}

/// What a [`Measure`] is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Nanoseconds that the connection lasted.
    Lived,
    /// Nanoseconds of silence before its end.
    Silence,
    /// Nanoseconds that were waited for something in vain, or until it came.
    Waited,
    /// Nanoseconds until the client came back.
    Back,
    /// Bytes of a message.
    Bytes,
    /// How many of something.
    Times,
    /// How many connections; what is said of them says it.
    Connections,
    /// Parts of a thousand.
    Share,
    /// What compressed messages take, in parts of a thousand of what they inflate to.
    Compressed,
    /// Messages a second: at first, and in the end.
    Rate,
}

impl Quantity {
    /// As records name it, its unit included.
    pub fn key(self) -> &'static str {
        match self {
            Self::Lived => "lived_seconds",
            Self::Silence => "silence_seconds",
            Self::Waited => "waited_seconds",
            Self::Back => "back_after_seconds",
            Self::Bytes => "bytes",
            Self::Times => "times",
            Self::Connections => "connections",
            Self::Share => "per_mille",
            Self::Compressed => "compressed_to_per_mille",
            Self::Rate => "messages_per_second",
        }
    }

    /// Whether it is a time, in nanoseconds.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Lived | Self::Silence | Self::Waited | Self::Back)
    }
}
