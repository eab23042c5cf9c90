//! `--expect`: whether a server did what was to be seen.

use std::fmt;
use std::str::FromStr;

use crate::model::film::{Aftermath, Film, PeerEnd, State};
use crate::model::{Body, Opcode, Rule, Severity, Text, Unit};

/// Messages of one side that are remembered.
const REMEMBERED: usize = 256;

/// What a server is expected to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Opens the WebSocket, and answers a Close frame.
    Open,
    /// Answers with an HTTP error.
    Refused,
    /// Sends back every message that it is sent, answers every ping, and answers a Close frame.
    Echo,
    /// Fails the connection, and says so with this close code.
    Close(u16),
}

impl FromStr for Expect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "open" => Ok(Self::Open),
            "refused" => Ok(Self::Refused),
            "echo" => Ok(Self::Echo),
            _ => match text.parse() {
                Ok(code @ 1000..=4999) => Ok(Self::Close(code)),
                _ => Err("open, refused, echo or a close code such as 1002".to_owned()),
            },
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Refused => f.write_str("refused"),
            Self::Echo => f.write_str("echo"),
            Self::Close(code) => write!(f, "{code}"),
        }
    }
}

/// What both said once the WebSocket was open.
#[derive(Debug, Default)]
pub struct Talk {
    sent: Vec<Said>,
    got: Vec<Said>,
    /// One of our frames or messages broke a rule: what comes behind it is for nobody.
    broken: bool,
    /// The first rule that the peer broke.
    fault: Option<&'static Rule>,
}

/// A message; of a long one its first bytes.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    kind: Opcode,
    length: u64,
    content: Vec<u8>,
}

impl Talk {
    /// Notes what one side said.
    pub fn take(&mut self, unit: &Unit<'_>, from_peer: bool) {
        let fault = unit.findings.iter().find(|finding| finding.rule.severity == Severity::Error);
        if from_peer {
            self.fault = self.fault.or(fault.map(|finding| finding.rule));
        } else {
            self.broken |= fault.is_some();
        }
        let Body::Message(message) = unit.body else { return };
        if message.kind == Opcode::CLOSE || !message.complete || !from_peer && self.broken {
            return;
        }
        let list = if from_peer { &mut self.got } else { &mut self.sent };
        if list.len() < REMEMBERED {
            let length = message.inflated_length.unwrap_or(message.length);
            list.push(Said { kind: message.kind, length, content: message.payload.to_vec() });
        }
    }

    fn data(list: &[Said]) -> Vec<&Said> {
        list.iter().filter(|said| said.kind == Opcode::TEXT || said.kind == Opcode::BINARY).collect()
    }

    /// Whether all that was sent came back, and every ping was answered.
    fn echoed(&self) -> Result<(), Text> {
        let (sent, got) = (Self::data(&self.sent), Self::data(&self.got));
        if sent != got {
            let count = got.len();
            let same = sent.iter().zip(&got).take_while(|(sent, got)| sent == got).count();
            return Err(Text::with("{} messages were sent, {} came, and of them {} as sent", sent.len())
                .and(count)
                .and(same));
        }
        let pings = self.sent.iter().filter(|said| said.kind == Opcode::PING);
        let mut pongs = self.got.iter().filter(|said| said.kind == Opcode::PONG);
        for ping in pings {
            // A pong may answer the most recent of several pings (RFC 6455 §5.5.3).
            if !pongs.any(|pong| pong.content == ping.content) {
                return Err(Text::new("a ping was not answered with a pong of the same data"));
            }
        }
        Ok(())
    }
}

/// Whether the server did as expected, or else as the request deserves; what it did instead.
pub fn judge(expected: Option<Expect>, film: &Film, after: Option<(&Aftermath, &Talk)>) -> Result<(), Text> {
    let state = film.ruling.state;
    let Some(expected) = expected else {
        return match state {
            State::Open if film.ruling.cause.is_some() => Err(opened_although(film)),
            State::Open | State::Refused | State::Ordinary => Ok(()),
            State::Failed | State::Unanswered => Err(not_open(film)),
        };
    };
    if expected == Expect::Refused {
        let status = film.response.as_ref().map_or("", |response| &*response.start_line);
        let code = status.split(' ').nth(1).unwrap_or_default();
        return match state {
            State::Open => Err(opened_although(film)),
            State::Refused => Ok(()),
            _ if code.len() == 3 && code.starts_with('4') => Ok(()),
            _ => Err(Text::with("it answered {}", status)),
        };
    }
    let Some((after, talk)) = after.filter(|_| state == State::Open) else { return Err(not_open(film)) };
    if let Expect::Close(code) = expected {
        return closed(code, after, talk);
    }
    if film.ruling.cause.is_some() {
        return Err(opened_although(film));
    }
    if let Some(rule) = talk.fault {
        return Err(Text::new("{} ({})").word(rule.title).and(rule.id));
    }
    if expected == Expect::Echo {
        talk.echoed()?;
    }
    match (after.close_answered, after.end) {
        (Some(true), _) => Ok(()),
        (None, PeerEnd::CloseFrame) => {
            let code = after.close_code.map_or_else(String::new, |code| code.0.to_string());
            Err(Text::with("it sent Close {} before it was asked to close", code))
        }
        _ => Err(Text::new("it did not answer a Close frame with one")),
    }
}

fn closed(code: u16, after: &Aftermath, talk: &Talk) -> Result<(), Text> {
    if Talk::data(&talk.got).len() > Talk::data(&talk.sent).len() {
        return Err(Text::new("it passed on what it should have refused"));
    }
    match (after.end, after.close_code) {
        (PeerEnd::CloseFrame, Some(came)) if came.0 == code => Ok(()),
        (PeerEnd::CloseFrame, Some(came)) => Err(Text::with("it sent Close {}", came.0)),
        (PeerEnd::CloseFrame, None) => Err(Text::new("it sent a Close frame without a code")),
        (PeerEnd::Closed | PeerEnd::Reset, _) => {
            Err(Text::new("it ended TCP without a Close frame that says why (RFC 6455 §7.1.7)"))
        }
        (PeerEnd::Silent, _) => Err(Text::new("it sent no Close frame")),
    }
}

fn opened_although(film: &Film) -> Text {
    match &film.ruling.cause {
        Some(cause) => Text::new("it opened a WebSocket although {}").word(cause.rule.title),
        None => Text::new("it opened a WebSocket"),
    }
}

fn not_open(film: &Film) -> Text {
    let status = film.response.as_ref().map_or("", |response| &*response.start_line);
    Text::with("it opened no WebSocket but answered {}", status)
}
