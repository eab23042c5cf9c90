//! Deliberate faults, so that a learner sees how a client or a server takes them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::draft::Draft;
use crate::http::accept::RFC_KEY;
use crate::http::accept_value;
use crate::model::{Dir, Text};

/// Something done wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer hashes the decoded key, the most usual mistake.
    Accept,
    /// The request asks for a version nobody speaks; the response speaks another one.
    Version,
    /// No Upgrade, as when a proxy took it out.
    Upgrade,
    /// Connection does not name Upgrade.
    Connection,
    /// The request's key has 15 bytes; the response answers another key.
    Key,
    /// The request names a subprotocol that is no token; the response one that was not offered.
    Protocol,
    /// The request's extensions break their grammar; the response names one that was not offered.
    Extensions,
    /// The response has this status.
    Status(u16),
    /// The head comes in pieces with pauses between them.
    Slow,
    /// The head comes in segments of so many bytes.
    Split(usize),
}

/// A fault that one side cannot commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit(Fault);

impl Misfit {
    /// What to do about it.
    pub fn text(self) -> Text {
        Text::with("--break {} is a server's fault: use it with --listen", self.0)
    }
}

/// The faults as they are written.
pub const NAMES: &str =
    "accept, version, upgrade, connection, key, protocol, extensions, status=CODE, slow, split=BYTES";

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        Ok(match (name, value) {
            ("accept", None) => Self::Accept,
            ("version", None) => Self::Version,
            ("upgrade", None) => Self::Upgrade,
            ("connection", None) => Self::Connection,
            ("key", None) => Self::Key,
            ("protocol", None) => Self::Protocol,
            ("extensions", None) => Self::Extensions,
            ("slow", None) => Self::Slow,
            ("status", Some(code)) => match code.parse() {
                Ok(code @ 200..=599) => Self::Status(code),
                _ => return Err("a status is a number from 200 to 599".to_owned()),
            },
            ("split", Some(size)) => match size.parse() {
                Ok(size @ 1..=65_536) => Self::Split(size),
                _ => return Err("a segment has 1 to 65536 bytes".to_owned()),
            },
            _ => return Err(format!("one of {NAMES}")),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accept => "accept",
            Self::Version => "version",
            Self::Upgrade => "upgrade",
            Self::Connection => "connection",
            Self::Key => "key",
            Self::Protocol => "protocol",
            Self::Extensions => "extensions",
            Self::Slow => "slow",
            Self::Status(code) => return write!(f, "status={code}"),
            Self::Split(size) => return write!(f, "split={size}"),
        })
    }
}

impl Fault {
    /// Why it cannot be committed over HTTP/2 (RFC 8441), if it cannot. That a fault is a server's is said
    /// elsewhere.
    pub fn unfit_for_http2(self) -> Option<Text> {
        let words = match self {
            Self::Accept | Self::Version | Self::Protocol | Self::Extensions | Self::Status(_) => {
                return None;
            }
            Self::Upgrade | Self::Connection | Self::Key => {
                "--break {}: over HTTP/2 there is no such header field: leave it out, or --http2"
            }
            Self::Slow | Self::Split(_) => {
                "--break {}: over HTTP/2 a head is one frame: leave it out, or --http2"
            }
        };
        Some(Text::with(words, self))
    }

    /// Commits the fault in the head that `side` is about to send. `key` is what a client sent.
    /// True when the head was replaced as a whole, so that the recorded body no longer fits.
    pub(super) fn apply(self, side: Dir, draft: &mut Draft, key: Option<&[u8]>) -> Result<bool, Misfit> {
        match (self, side) {
            (Self::Accept | Self::Status(_), Dir::Client) => return Err(Misfit(self)),
            (Self::Accept, Dir::Server) => {
                let decoded = key.and_then(|key| STANDARD.decode(key).ok()).unwrap_or_default();
                draft.set("Sec-WebSocket-Accept", &accept_value(&decoded));
            }
            (Self::Version, Dir::Client) => draft.set("Sec-WebSocket-Version", "99"),
            (Self::Version, Dir::Server) => {
                draft.rewrite(refusal(426, "Sec-WebSocket-Version: 8\r\nUpgrade: websocket\r\n"));
                return Ok(true);
            }
            (Self::Upgrade, _) => draft.remove("Upgrade"),
            (Self::Connection, _) => draft.set("Connection", "keep-alive"),
            (Self::Key, Dir::Client) => draft.set("Sec-WebSocket-Key", &STANDARD.encode([0x2a; 15])),
            (Self::Key, Dir::Server) => draft.set("Sec-WebSocket-Accept", &accept_value(RFC_KEY)),
            (Self::Protocol, Dir::Client) => draft.set("Sec-WebSocket-Protocol", "two words"),
            (Self::Protocol, Dir::Server) => draft.set("Sec-WebSocket-Protocol", "never-offered"),
            (Self::Extensions, Dir::Client) => {
                draft.set("Sec-WebSocket-Extensions", "permessage-deflate; =15");
            }
            (Self::Extensions, Dir::Server) => draft.set("Sec-WebSocket-Extensions", "bbf-usp-protocol"),
            (Self::Status(code), Dir::Server) => {
                draft.rewrite(refusal(code, ""));
                return Ok(true);
            }
            (Self::Slow | Self::Split(_), _) => {}
        }
        Ok(false)
    }
}

fn refusal(code: u16, more: &str) -> String {
    let reason = match code {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    };
    let location = if (300..400).contains(&code) { "Location: /elsewhere\r\n" } else { "" };
    format!("HTTP/1.1 {code} {reason}\r\n{more}{location}Content-Length: 0\r\nConnection: close\r\n\r\n")
}

/// How fast a head is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    slow: bool,
    split: Option<usize>,
}

impl Pace {
    /// What the faults ask for.
    pub fn of(faults: &[Fault]) -> Self {
        faults.iter().fold(Self::default(), |pace, fault| match *fault {
            Fault::Slow => Self { slow: true, ..pace },
            Fault::Split(size) => Self { split: Some(size), ..pace },
            _ => pace,
        })
    }

    /// The pieces to send, each with the pause that follows it. Slow means ten pieces in two
    /// seconds, unless the size of a piece is given.
    pub fn pieces(self, bytes: &[u8]) -> impl Iterator<Item = (&[u8], Duration)> {
        const PIECES: usize = 10;
        const PAUSE: Duration = Duration::from_millis(200);
        let size = match (self.split, self.slow) {
            (Some(size), _) => size,
            (None, true) => bytes.len().div_ceil(PIECES),
            (None, false) => bytes.len(),
        };
        let count = bytes.len().div_ceil(size.max(1));
        let pause =
            if self.slow { PAUSE.min(PAUSE * PIECES as u32 / count.max(1) as u32) } else { Duration::ZERO };
        bytes.chunks(size.max(1)).map(move |piece| (piece, pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Head, Outcome, check_request, check_response};
    use crate::model::SourceId;

    const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const RESPONSE: &[u8] =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    /// Each fault breaks the rule it is meant to break, on either side.
    #[test]
    fn faults_are_found() {
        let cases = [
            ("accept", None, Some("accept-mismatch")),
            ("version", Some("unsupported-version"), Some("handshake-rejected")),
            ("upgrade", Some("missing-upgrade"), Some("response-upgrade-invalid")),
            ("connection", Some("connection-lacks-upgrade"), Some("response-connection-invalid")),
            ("key", Some("invalid-sec-websocket-key"), Some("accept-mismatch")),
            ("protocol", Some("invalid-subprotocol-token"), Some("unrequested-subprotocol")),
            ("extensions", Some("malformed-extensions-header"), Some("unrequested-extension")),
            ("status=403", None, Some("handshake-rejected")),
            ("slow", Some(""), Some("")),
            ("split=1", Some(""), Some("")),
        ];
        let request = check_request(&Head::parse(REQUEST, SourceId::Input, 0), false);
        let key = request.facts.key.as_deref();
        for (name, in_request, in_response) in cases {
            let fault: Fault = name.parse().expect("a fault");
            assert_eq!(fault.to_string(), name);
            let mut draft = Draft::new(REQUEST);
            let applied = fault.apply(Dir::Client, &mut draft, None);
            assert_eq!(applied.is_ok(), in_request.is_some(), "{name}");
            if let Some(rule) = in_request {
                let report = check_request(&Head::parse(draft.bytes(), SourceId::Input, 0), false);
                assert_eq!(report.findings.first().map_or("", |f| f.rule.id), rule, "{name}");
            }
            let mut draft = Draft::new(RESPONSE);
            fault.apply(Dir::Server, &mut draft, key).expect("servers commit every fault");
            let head = Head::parse(draft.bytes(), SourceId::Input, 0);
            let report = check_response(Some(&request.facts), &head, Vec::new, false);
            assert_eq!(
                report.findings.first().map(|f| f.rule.id),
                in_response.filter(|r| !r.is_empty()),
                "{name}"
            );
            assert_eq!(report.facts.outcome == Outcome::Open, in_response == Some(""), "{name}");
        }
        for wrong in ["", "acept", "status", "status=99", "status=x", "split=0", "accept=1"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn faults_of_what_http_2_has_not_do_not_fit_it() {
        for (fault, fits) in
            [("version", true), ("protocol", true), ("extensions", true), ("upgrade", false), ("slow", false)]
        {
            let fault: Fault = fault.parse().unwrap();
            assert_eq!(fault.unfit_for_http2().is_none(), fits, "{fault}");
        }
    }

    #[test]
    fn a_pace_loses_nothing() {
        for (faults, pieces) in [
            (vec![], 1),
            (vec![Fault::Split(1)], RESPONSE.len()),
            (vec![Fault::Slow], 10),
            (vec![Fault::Slow, Fault::Split(64)], RESPONSE.len().div_ceil(64)),
        ] {
            let pace = Pace::of(&faults);
            let sent: Vec<_> = pace.pieces(RESPONSE).collect();
            assert_eq!(sent.len(), pieces);
            assert_eq!(sent.iter().flat_map(|(piece, _)| *piece).copied().collect::<Vec<_>>(), RESPONSE);
            assert!(sent.iter().map(|(_, pause)| *pause).sum::<Duration>() <= Duration::from_secs(3));
        }
        assert_eq!(Pace::default().pieces(b"").count(), 0);
    }
}
