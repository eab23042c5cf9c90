//! What a conformance suite asks of an endpoint, and what it got.
//!
//! - [`Graded`]: what came of a case; [`Transcript`]: of all of them
//! - [`Tally`], [`Letter`]: how many came to what, and the grade for it
//! - `behind`: what is behind those that do not pass; [`Remedy`]: what mends it

mod behind;
mod remedy;
mod tally;
mod transcript;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::finding::Rule;
use super::text::Text;
use super::wire::{CloseCode, Dir, Opcode};
use super::{Bilingual, StreamEnd};

pub use behind::{Behind, behind};
pub use remedy::{Mended, Remedy};
pub use tally::{Letter, Tally};
pub use transcript::{Change, Changes, REPORT, Transcript};

/// What a case is about; chapters follow the RFCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Chapter {
    /// The opening handshake (RFC 6455 §4).
    Handshake,
    /// Opcodes, lengths, reserved bits (RFC 6455 §5.2).
    Framing,
    /// Masking (RFC 6455 §5.3).
    Masking,
    /// Fragments of messages (RFC 6455 §5.4).
    Fragmentation,
    /// Ping and Pong (RFC 6455 §5.5).
    Control,
    /// Text (RFC 6455 §8.1, RFC 3629).
    Utf8,
    /// The closing handshake (RFC 6455 §7).
    Closing,
    /// How much an endpoint takes (RFC 6455 §10.4).
    Limits,
    /// permessage-deflate (RFC 7692).
    Deflate,
    /// WebSocket over HTTP/2 (RFC 8441).
    Http2,
    /// What hurt others: known bugs, and what comes in odd pieces.
    Robustness,
    /// How long much takes.
    Performance,
}

impl Chapter {
    /// All, in their order.
    pub const ALL: [Self; 12] = [
        Self::Handshake,
        Self::Framing,
        Self::Masking,
        Self::Fragmentation,
        Self::Control,
        Self::Utf8,
        Self::Closing,
        Self::Limits,
        Self::Deflate,
        Self::Http2,
        Self::Robustness,
        Self::Performance,
    ];

    /// As it is written in ids and options: `utf8`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Framing => "framing",
            Self::Masking => "masking",
            Self::Fragmentation => "fragmentation",
            Self::Control => "control",
            Self::Utf8 => "utf8",
            Self::Closing => "closing",
            Self::Limits => "limits",
            Self::Deflate => "deflate",
            Self::Http2 => "http2",
            Self::Robustness => "robustness",
            Self::Performance => "performance",
        }
    }

    /// What it is about, in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Handshake => "The opening handshake",
            Self::Framing => "Frames: opcodes, lengths, reserved bits",
            Self::Masking => "Masking",
            Self::Fragmentation => "Fragmentation",
            Self::Control => "Ping and Pong",
            Self::Utf8 => "Text is UTF-8",
            Self::Closing => "The closing handshake",
            Self::Limits => "Limits",
            Self::Deflate => "permessage-deflate",
            Self::Http2 => "WebSocket over HTTP/2",
            Self::Robustness => "Robustness",
            Self::Performance => "Performance",
        }
    }
}

impl fmt::Display for Chapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How much not passing a case matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    May,
    /// Against a SHOULD, or against what users need.
    Should,
    /// Against a MUST.
    Must,
}

impl Level {
    /// As the RFCs write it (RFC 2119).
    pub fn name(self) -> &'static str {
        match self {
            Self::May => "MAY",
            Self::Should => "SHOULD",
            Self::Must => "MUST",
        }
    }
}

/// What is known of a case before it is played.
#[derive(Clone, Debug)]
pub struct CaseFacts {
    /// `control.ping-125`.
    pub id: String,
    /// Its number in the Autobahn testsuite: `2.4`.
    pub autobahn: Option<String>,
    /// What it is about.
    pub chapter: Chapter,
    /// What happens in it.
    pub title: Bilingual,
    /// Where that is written: `RFC 6455 §5.5.2`.
    pub cites: Vec<String>,
    /// The rules that it rests on.
    pub rules: Vec<&'static Rule>,
    /// When a learner meets it, 1 to 5.
    pub stage: u8,
    /// How much failing matters.
    pub level: Level,
    /// What is usually behind a failure; may be empty.
    pub usually: Bilingual,
    /// How to mend it; may be empty.
    pub mend: Bilingual,
    /// Bugs of others that it would have found: `CVE-2020-27813`.
    pub bugs: Vec<String>,
}

/// What the peer made of what it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Behaviour {
    /// It was against a MUST.
    Failed,
    /// Allowed, but not what should be, or later than could be.
    NonStrict,
    /// What is asked for, it has not.
    Unimplemented,
    /// Left open by the RFCs, and worth knowing.
    Informational,
    /// As it should be.
    Ok,
}

impl Behaviour {
    /// All, the worst first.
    pub const ALL: [Self; 5] =
        [Self::Failed, Self::NonStrict, Self::Unimplemented, Self::Informational, Self::Ok];

    /// As reports have it, Autobahn's among them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NonStrict => "NON-STRICT",
            Self::Failed => "FAILED",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Informational => "INFORMATIONAL",
        }
    }
}

/// How the connection was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    /// As it should be.
    Ok,
    /// The server left it to its client to end TCP (RFC 6455 §7.1.1).
    FailedByClient,
    /// By the right endpoint, with another code than is meant for it.
    WrongCode,
    /// Without the closing handshake that it owed.
    Unclean,
    /// Nothing depends on it.
    Informational,
    /// By the wrong endpoint, or never.
    Failed,
}

impl Closing {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::FailedByClient, Self::WrongCode, Self::Unclean, Self::Informational, Self::Failed];

    /// As reports have it, Autobahn's among them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::FailedByClient => "FAILED BY CLIENT",
            Self::WrongCode => "WRONG CODE",
            Self::Unclean => "UNCLEAN",
            Self::Informational => "INFORMATIONAL",
            Self::Failed => "FAILED",
        }
    }
}

/// What behaviour and closing come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Against a MUST.
    Fail,
    /// Allowed, and not what should be.
    NonStrict,
    /// What is asked for, it has not.
    Unimplemented,
    /// Worth knowing.
    Informational,
    /// As it should be.
    Pass,
}

impl Verdict {
    /// All, the worst first.
    pub const ALL: [Self; 5] =
        [Self::Fail, Self::NonStrict, Self::Unimplemented, Self::Informational, Self::Pass];

    /// As it is written: `non-strict`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NonStrict => "non-strict",
            Self::Fail => "fail",
            Self::Unimplemented => "unimplemented",
            Self::Informational => "informational",
        }
    }
}

/// Something that came from the peer, or did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub what: EventKind,
    /// The first bytes of its payload, unmasked and inflated.
    pub payload: Vec<u8>,
    /// How many there are.
    pub length: u64,
    /// Since the case began.
    pub after: Duration,
}

/// Kinds of what comes from a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A text message.
    Text,
    /// A binary message.
    Binary,
    /// A ping.
    Ping,
    /// A pong.
    Pong,
    /// A Close frame, and its code.
    Close(Option<CloseCode>),
    /// The connection was still there at this point of the script.
    Still(String),
    /// The status of its answer to a request.
    Answer(u16),
    /// It ended its stream.
    End(StreamEnd),
}

impl EventKind {
    /// The opcode of a message, a ping or a pong; `None` of what else comes.
    pub fn opcode(&self) -> Option<Opcode> {
        match self {
            Self::Text => Some(Opcode::TEXT),
            Self::Binary => Some(Opcode::BINARY),
            Self::Ping => Some(Opcode::PING),
            Self::Pong => Some(Opcode::PONG),
            _ => None,
        }
    }
}

/// Bytes that went over the connection.
#[derive(Clone, Debug)]
pub struct WirePiece {
    /// Who sent them.
    pub from: Dir,
    /// Since the case began.
    pub after: Duration,
    /// They.
    pub bytes: Vec<u8>,
}

/// How the connection of a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Who was graded.
    pub peer: Dir,
    /// Who began the end, by a Close frame or without.
    pub closer: Option<Dir>,
    /// Close went both ways.
    pub clean: bool,
    /// How the peer ended its stream; `None` where it left that to us.
    pub stream: Option<StreamEnd>,
}

/// How quickly a peer sent back what it got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages and control frames that came.
    pub messages: u64,
    /// Bytes of their payloads, unmasked and inflated.
    pub payload: u64,
    /// From the first that was sent to the last that came.
    pub took: Duration,
}

impl Figures {
    /// Messages a second.
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// Bytes of payload a second.
    pub fn throughput(&self) -> f64 {
        self.payload as f64 / self.took.as_secs_f64().max(1e-9)
    }
}

/// A case that was played.
#[derive(Clone, Debug)]
pub struct Graded {
    /// Which.
    pub case: Arc<CaseFacts>,
    /// What the peer made of what it was sent.
    pub behaviour: Behaviour,
    /// How the connection was ended.
    pub closing: Closing,
    /// What was other than expected, in a sentence; empty where nothing was.
    pub why: Text,
    /// What was expected, as scripts have it.
    pub expected: Vec<String>,
    /// What came.
    pub got: Vec<Event>,
    /// Events beyond those that are kept.
    pub more: u64,
    /// The rule that the peer broke, whatever the case is about.
    pub broken: Option<&'static Rule>,
    /// Whether the WebSocket was opened.
    pub opened: bool,
    /// The mistake that this looks like; may be empty.
    pub likely: Bilingual,
    /// The same as words of the tool; may be empty.
    pub looks_like: Text,
    /// What is known of that mistake; `None` where only the case says what is to be mended.
    pub remedy: Option<&'static Remedy>,
    /// What the case is about went well: only how the connection ended did not.
    pub is_only_end: bool,
    /// The code of the peer's Close frame.
    pub code: Option<CloseCode>,
    /// How the connection ended, where a WebSocket was opened.
    pub ended: Option<Ended>,
    /// What of it was sent and got, as far as it is kept.
    pub wire: Vec<WirePiece>,
    /// Bytes of each direction that went over the connection.
    pub bytes: [u64; 2],
    /// From the first byte sent to the end.
    pub took: Duration,
    /// How quickly what was sent came back; `None` where nothing did.
    pub figures: Option<Figures>,
    /// The same of another peer, at the same moment.
    pub beside: Option<Figures>,
}

impl Graded {
    /// What one side sent, its head among it, as far as it is kept.
    pub fn sent_by(&self, from: Dir) -> Vec<u8> {
        let pieces = self.wire.iter().filter(|piece| piece.from == from);
        pieces.flat_map(|piece| piece.bytes.iter().copied()).collect()
    }

    /// The status that stood where 101 opens a WebSocket, if one did.
    pub fn refusal(&self) -> Option<u16> {
        self.got.iter().find_map(|event| match event.what {
            EventKind::Answer(status) => Some(status),
            _ => None,
        })
    }

    /// Whether the server had no room for one more, whatever was asked for (RFC 6585 §4, RFC 9110 §15.6.4),
    /// where that is not what was wanted.
    pub fn has_no_room(&self) -> bool {
        !self.opened && self.behaviour != Behaviour::Ok && matches!(self.refusal(), Some(429 | 503))
    }

    /// Nothing is said against the peer, because of this.
    pub fn leave_open(&mut self, why: &'static str) {
        (self.behaviour, self.closing) = (Behaviour::Informational, Closing::Informational);
        (self.broken, self.why) = (None, why.into());
        (self.likely, self.looks_like, self.remedy) = (Bilingual::default(), Text::default(), None);
    }

    /// What behaviour and closing come to.
    pub fn verdict(&self) -> Verdict {
        let worst = verdict_of(self.behaviour, self.closing);
        // Where no MUST is broken nothing fails.
        if worst == Verdict::Fail && self.case.level != Level::Must { Verdict::NonStrict } else { worst }
    }
}

/// Why a case failed where nothing more is known: what came says more.
pub const NOT_WHAT_MAY_COME: &str = "what came is not what may come";

/// What behaviour and closing come to, where a MUST is at stake.
pub fn verdict_of(behaviour: Behaviour, closing: Closing) -> Verdict {
    let closing = match closing {
        Closing::Ok | Closing::Informational => Verdict::Pass,
        Closing::FailedByClient | Closing::WrongCode => Verdict::NonStrict,
        Closing::Unclean | Closing::Failed => Verdict::Fail,
    };
    match behaviour {
        Behaviour::Failed => Verdict::Fail,
        Behaviour::NonStrict => closing.min(Verdict::NonStrict),
        Behaviour::Unimplemented => Verdict::Unimplemented,
        Behaviour::Informational => Verdict::Informational,
        Behaviour::Ok => closing,
    }
}

/// What a case would send, and what may come.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which.
    pub case: Arc<CaseFacts>,
    /// The opening handshake is as usual.
    pub is_usual: bool,
    /// It.
    pub head: Vec<u8>,
    /// What is done then, in its order.
    pub steps: Vec<PlannedStep>,
    /// Sequences that should come, as scripts have them.
    pub expected: Vec<String>,
    /// Those that may.
    pub lenient: Vec<String>,
    /// How it is to end.
    pub ends: Text,
}

/// A step of a case.
#[derive(Clone, Debug)]
pub struct PlannedStep {
    /// As scripts have it.
    pub said: String,
    /// The first of its bytes; none where it only waits.
    pub bytes: Vec<u8>,
    /// How many there are.
    pub length: u64,
}

/// Who is graded.
#[derive(Clone, Debug)]
pub struct Graduate {
    /// What it calls itself, or is called.
    pub agent: String,
    /// Whether it is a client or a server.
    pub role: Dir,
    /// Its URL, or where it was waited for.
    pub url: String,
    /// The command that grades it, up to which cases are played: `wstool grade ws://127.0.0.1:9001`.
    pub again: String,
}
