//! How a connection ended, what that says to people, and what to an exit code.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

use super::verdict::short;
use crate::lab::frames::Violation;
use crate::lab::socket::{Came, Socket};
use crate::model::{CloseCode, Text};

/// How long a server may take to end TCP behind the closing handshake.
const PART: Duration = Duration::from_secs(2);

/// Ends a connection whose closing handshake is over, or that has broken.
pub async fn part(mut socket: Socket) {
    //= RFC 6455 §7.1.1
    //# when a client is instructed to do the same, it SHOULD wait for a TCP Close from the server.
    let servers_turn = async { while !matches!(socket.next().await, Ok(Came::End) | Err(_)) {} };
    let _ = timeout(PART, servers_turn).await;
    // Who does not take what is left has gone, or will not.
    let _ = timeout(PART, socket.finish(Duration::ZERO)).await;
}

/// A connection that is over.
#[derive(Debug)]
pub struct End {
    /// How it ended.
    pub how: How,
    /// Messages sent.
    pub sent: u64,
    /// Messages that came.
    pub received: u64,
    /// How many were waited for.
    pub wanted: Option<u64>,
    /// How long it was open.
    pub lasted: Duration,
    /// Ctrl-C was pressed.
    pub interrupted: bool,
    /// There was no session above it, as one was wanted.
    pub refused: bool,
    /// Some of what was to be sent could not be understood.
    pub unsent: bool,
    /// All was said, and nothing more was to be waited for: another connection would be in vain.
    pub done: bool,
}

/// How a connection ended.
#[derive(Debug)]
pub enum How {
    /// We closed it.
    Ours(Answer),
    /// The server closed it, with this code and reason.
    Theirs(Option<CloseCode>, String),
    /// The server broke the protocol, or sent more than is taken, and was told so.
    Violation(Violation),
    /// TCP ended, or broke, without a Close frame.
    Lost(Option<io::Error>),
}

/// What the server said to our Close frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Missing,
    /// That it is well.
    Well,
    /// Something else, with this code and reason.
    Other(CloseCode, String),
}

impl Answer {
    /// The server's Close frame, behind ours with the code `ours`.
    pub fn of(ours: Option<CloseCode>, code: Option<CloseCode>, reason: String) -> Self {
        match code {
            //= RFC 6455 §5.5.1
            //# When sending a Close frame in response, the endpoint
            //# typically echos the status code it received.
            Some(code) if !is_well(code) && Some(code) != ours => Self::Other(code, reason),
            _ => Self::Well,
        }
    }
}

/// Whether a code says that all is well.
fn is_well(code: CloseCode) -> bool {
    matches!(code.0, 1000 | 1001)
}

impl How {
    /// What came, or, where that was the last, how it ended: by the server, as long as nobody knows better.
    ///
    /// # Errors
    /// How it ended.
    pub fn of(came: io::Result<Came>) -> Result<Came, Self> {
        Err(match came {
            Ok(Came::Close(code, reason)) => Self::Theirs(code, reason),
            Ok(Came::Violation(violation)) => Self::Violation(violation),
            Ok(Came::End) => Self::Lost(None),
            Ok(came) => return Ok(came),
            Err(error) => Self::Lost(Some(error)),
        })
    }
}

impl End {
    /// Whether it ended as connections should.
    pub fn is_good(&self) -> bool {
        !self.is_short()
            && !self.refused
            && !self.unsent
            && match &self.how {
                How::Ours(answer) => !matches!(answer, Answer::Other(..)),
                How::Theirs(code, _) => code.is_none_or(is_well),
                How::Violation(_) | How::Lost(_) => false,
            }
    }

    /// Whether fewer messages came than were waited for.
    pub fn is_short(&self) -> bool {
        self.wanted.is_some_and(|wanted| self.received < wanted)
    }

    /// Whether we ended it.
    pub fn is_ours(&self) -> bool {
        self.interrupted || matches!(self.how, How::Ours(_))
    }

    /// How it ended, and what went over it.
    pub fn words(&self) -> Text {
        Text::new("{} · {} sent, {} received · open for {}")
            .word(self.how.words())
            .and(self.sent)
            .and(self.received)
            .and(short(self.lasted))
    }

    /// That too few messages came.
    pub fn shortfall(&self) -> Option<Text> {
        let wanted = self.wanted.filter(|_| self.is_short())?;
        let words = "{} of {} messages came: see whether the server answers, or raise --wait";
        Some(Text::with(words, self.received).and(wanted))
    }
}

impl How {
    /// How it ended.
    pub fn words(&self) -> Text {
        match self {
            Self::Ours(Answer::Well) => "closed".into(),
            Self::Ours(Answer::Missing) => "closed, though the server did not answer our Close frame".into(),
            Self::Ours(Answer::Other(code, reason)) if reason.is_empty() => {
                Text::with("closed, and the server's own Close frame says {}", code.0)
            }
            Self::Ours(Answer::Other(code, reason)) => {
                Text::with("closed, and the server's own Close frame says {}: {}", code.0).and(reason)
            }
            Self::Theirs(Some(code), reason) if reason.is_empty() => {
                Text::with("closed by the server with {}", code.0)
            }
            Self::Theirs(Some(code), reason) => {
                Text::with("closed by the server with {}: {}", code.0).and(reason)
            }
            Self::Theirs(None, _) => "closed by the server without a code".into(),
            Self::Violation(violation) if violation.rule.is_none() => {
                let code = violation.code.0;
                let words = if code == 1009 {
                    "closed with {}: {}; --max-message takes more"
                } else {
                    "closed with {}: {}"
                };
                Text::with(words, code).word(Text::new(violation.why))
            }
            Self::Violation(violation) => {
                Text::new("closed with {}, because the server broke the protocol: {}")
                    .and(violation.code.0)
                    .word(Text::new(violation.why))
            }
            Self::Lost(None) => "lost: the server ended TCP without a Close frame (1006)".into(),
            Self::Lost(Some(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                "lost: the connection was reset without a Close frame (1006)".into()
            }
            Self::Lost(Some(error)) => Text::with("lost without a Close frame (1006): {}", error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_good_or_not() {
        let end = |how, wanted| End {
            how,
            sent: 1,
            received: 2,
            wanted,
            lasted: Duration::from_secs(3),
            interrupted: false,
            refused: false,
            unsent: false,
            done: false,
        };
        let answered = |ours: u16, theirs: Option<u16>| {
            How::Ours(Answer::of(Some(CloseCode(ours)), theirs.map(CloseCode), "why".into()))
        };
        for (how, wanted, is_good) in [
            (How::Ours(Answer::Well), None, true),
            (How::Ours(Answer::Well), Some(2), true),
            (How::Ours(Answer::Well), Some(3), false),
            (How::Ours(Answer::Missing), None, true),
            (answered(1000, Some(1000)), None, true),
            (answered(1000, Some(1001)), None, true),
            (answered(1000, None), None, true),
            (answered(4000, Some(4000)), None, true),
            (answered(4000, Some(1000)), None, true),
            (answered(1000, Some(1002)), None, false),
            (answered(4000, Some(1011)), None, false),
            (How::Theirs(Some(CloseCode(1001)), String::new()), None, true),
            (How::Theirs(None, String::new()), None, true),
            (How::Theirs(Some(CloseCode(1011)), String::new()), None, false),
            (How::Lost(None), None, false),
        ] {
            let end = end(how, wanted);
            assert_eq!((end.is_good(), end.shortfall().is_some()), (is_good, wanted == Some(3)), "{end:?}");
            let end = End { refused: true, ..end };
            assert!(!end.is_good(), "without a session");
            assert!(!End { refused: false, unsent: true, ..end }.is_good(), "with something unsent");
        }
        let words = answered(1000, Some(1002)).words().to_string();
        assert_eq!(words, "closed, and the server's own Close frame says 1002: why");
        let words = end(How::Theirs(Some(CloseCode(1011)), "x".into()), None).words().to_string();
        assert_eq!(words, "closed by the server with 1011: x · 1 sent, 2 received · open for 3.0 s");
        // A message that is too long for us breaks no rule.
        let violation =
            |code, rule| Violation { code: CloseCode(code), why: "of a reason", rule, close: None };
        let rule = Some(&crate::ws::MASKED_SERVER_FRAME);
        for (violation, words) in [
            (violation(1009, None), "closed with 1009: of a reason; --max-message takes more"),
            (violation(1013, None), "closed with 1013: of a reason"),
            (violation(1002, rule), "closed with 1002, because the server broke the protocol: of a reason"),
        ] {
            assert_eq!(How::Violation(violation).words().to_string(), words);
        }
    }
}
