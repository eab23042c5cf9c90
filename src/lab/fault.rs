//! What goes wrong on purpose, for teaching and for tests: one set for `serve` and for `proxy`.
//!
//! A fault is written `NAME`, `NAME=VALUE`, and with `@0.1` behind it befalls one connection in ten.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::model::{CloseCode, Text};
use crate::synth::Rng;

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Every message waits before it is sent.
    Delay(Duration),
    /// A message is not sent, with this probability.
    Drop(f64),
    /// The connection is cut, without a Close frame, behind so many messages.
    CutAfter(u64),
    /// The server masks its frames, which it must not (RFC 6455 §5.1).
    Mask,
    /// The answer to the key is wrong (RFC 6455 §4.2.2).
    Accept,
    /// Text that is no UTF-8 (RFC 6455 §8.1).
    BadUtf8,
    /// Pings are not answered (RFC 6455 §5.5.2).
    NoPong,
    /// The connection is closed with this code and reason behind its first message.
    Close(CloseCode, String),
    /// What comes is read a few bytes at a time.
    SlowRead,
    /// The connection is reset behind its first message.
    Reset,
    /// Nothing is sent any longer behind the first message, and nothing is read, though TCP stays open.
    HalfOpen,
    /// The handshake is answered with this status.
    Status(u16),
    /// Upgrade and Connection are taken out of the handshake, as a proxy does that knows no WebSocket.
    StripUpgrade,
    /// `Sec-WebSocket-Extensions` is taken out of the request.
    StripExtensions,
    /// A connection on which nothing was said for so long is ended, without a Close frame.
    IdleTimeout(Duration),
    /// Messages are compressed with a window that the receiver does not have, as when a server goes on with
    /// one where another connection left off (RFC 7692 §7.2.1).
    WindowLost,
}

/// A fault, and how many connections it befalls.
#[derive(Clone, Debug, PartialEq)]
pub struct Chance {
    /// What goes wrong.
    pub fault: Fault,
    /// From 0 to 1.
    pub probability: f64,
}

/// What goes wrong on one connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// See [`Fault`], also for those below.
    pub delay: Option<Duration>,
    /// The probability that a message is lost.
    pub drop: f64,
    /// Messages after which the connection is cut.
    pub cut_after: Option<u64>,
    /// The server masks.
    pub mask: bool,
    /// The accept value is wrong.
    pub accept: bool,
    /// Text is broken.
    pub bad_utf8: bool,
    /// Pings are ignored.
    pub no_pong: bool,
    /// The connection is closed with this.
    pub close: Option<(CloseCode, String)>,
    /// Reading is slow.
    pub slow_read: bool,
    /// The connection is reset.
    pub reset: bool,
    /// The connection falls silent.
    pub half_open: bool,
    /// The handshake is refused with this.
    pub status: Option<u16>,
    /// The handshake loses its Upgrade.
    pub strip_upgrade: bool,
    /// The handshake loses its extensions.
    pub strip_extensions: bool,
    /// Silence ends the connection.
    pub idle_timeout: Option<Duration>,
    /// The compression window is not the receiver's.
    pub window_lost: bool,
}

/// The faults as they are written, with what they do.
pub const NAMES: [(&str, &str); 16] = [
    ("delay=TIME", "each message waits before it is sent"),
    ("drop=PROBABILITY", "a message is lost"),
    ("cut-after=N", "the connection is cut behind N messages, without a Close frame"),
    ("mask", "the server masks its frames"),
    ("accept", "Sec-WebSocket-Accept is wrong"),
    ("bad-utf8", "text is not UTF-8"),
    ("no-pong", "pings are not answered"),
    ("close=CODE:REASON", "the connection is closed behind its first message"),
    ("slow-read", "what comes is read a few bytes at a time"),
    ("reset", "the connection is reset behind its first message"),
    ("half-open", "behind the first message nothing is sent or read any longer"),
    ("status=CODE", "the handshake is refused"),
    ("strip-upgrade", "the handshake loses its Upgrade, as behind a proxy"),
    ("strip-extensions", "the handshake loses its extensions"),
    ("idle-timeout=TIME", "silence ends the connection, without a Close frame"),
    ("window-lost", "messages are compressed with a window that the client has not"),
];

impl FromStr for Chance {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Text> {
        // A reason may hold an @ of its own.
        let (written, probability) = match text.rsplit_once('@') {
            Some((written, chance)) if !chance.is_empty() && chance.parse::<f64>().is_ok() => {
                (written, probability(chance)?)
            }
            _ => (text, 1.0),
        };
        Ok(Self { fault: written.parse()?, probability })
    }
}

impl FromStr for Fault {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Text> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        Ok(match (name, value) {
            ("delay", Some(time)) => Self::Delay(duration(time)?),
            ("drop", Some(chance)) => Self::Drop(probability(chance)?),
            ("cut-after", Some(count)) => {
                Self::CutAfter(count.parse().map_err(|_| Text::with("`{}` is no number of messages", count))?)
            }
            ("mask", None) => Self::Mask,
            ("accept", None) => Self::Accept,
            ("bad-utf8", None) => Self::BadUtf8,
            ("no-pong", None) => Self::NoPong,
            ("close", Some(how)) => {
                let (code, reason) = close(how)?;
                Self::Close(code, reason)
            }
            ("slow-read", None) => Self::SlowRead,
            ("reset", None) => Self::Reset,
            ("half-open", None) => Self::HalfOpen,
            ("status", Some(code)) => match code.parse() {
                Ok(code @ 200..=599) => Self::Status(code),
                _ => return Err("a status is a number from 200 to 599".into()),
            },
            ("strip-upgrade", None) => Self::StripUpgrade,
            ("strip-extensions", None) => Self::StripExtensions,
            ("idle-timeout", Some(time)) => Self::IdleTimeout(duration(time)?),
            ("window-lost", None) => Self::WindowLost,
            _ => {
                let written = |it: &&(&'static str, _)| it.0.split('=').next() == Some(name);
                return Err(match NAMES.iter().find(written) {
                    Some((known, _)) => Text::with("`{}` is written {}", name).and(*known),
                    None => Text::with("`{}` is no fault; there are {}", name)
                        .and(NAMES.map(|(name, _)| name).join(", ")),
                });
            }
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(time) => write!(f, "delay={}ms", time.as_millis()),
            Self::Drop(chance) => write!(f, "drop={chance}"),
            Self::CutAfter(count) => write!(f, "cut-after={count}"),
            Self::Mask => f.write_str("mask"),
            Self::Accept => f.write_str("accept"),
            Self::BadUtf8 => f.write_str("bad-utf8"),
            Self::NoPong => f.write_str("no-pong"),
            Self::Close(code, reason) if reason.is_empty() => write!(f, "close={}", code.0),
            Self::Close(code, reason) => write!(f, "close={}:{reason}", code.0),
            Self::SlowRead => f.write_str("slow-read"),
            Self::Reset => f.write_str("reset"),
            Self::HalfOpen => f.write_str("half-open"),
            Self::Status(code) => write!(f, "status={code}"),
            Self::StripUpgrade => f.write_str("strip-upgrade"),
            Self::StripExtensions => f.write_str("strip-extensions"),
            Self::IdleTimeout(time) => write!(f, "idle-timeout={}ms", time.as_millis()),
            Self::WindowLost => f.write_str("window-lost"),
        }
    }
}

impl Plan {
    /// Whether a message gets lost now.
    pub fn loses(&self, rng: &mut Rng) -> bool {
        self.drop > 0.0 && happens(self.drop, rng)
    }

    /// What befalls one connection.
    pub fn roll(chances: &[Chance], rng: &mut Rng) -> Self {
        let mut plan = Self::default();
        for chance in chances.iter().filter(|chance| happens(chance.probability, rng)) {
            plan.add(&chance.fault);
        }
        plan
    }

    fn add(&mut self, fault: &Fault) {
        match fault {
            Fault::Delay(time) => self.delay = Some(*time),
            Fault::Drop(chance) => self.drop = *chance,
            Fault::CutAfter(count) => self.cut_after = Some(*count),
            Fault::Mask => self.mask = true,
            Fault::Accept => self.accept = true,
            Fault::BadUtf8 => self.bad_utf8 = true,
            Fault::NoPong => self.no_pong = true,
            Fault::Close(code, reason) => self.close = Some((*code, reason.clone())),
            Fault::SlowRead => self.slow_read = true,
            Fault::Reset => self.reset = true,
            Fault::HalfOpen => self.half_open = true,
            Fault::Status(code) => self.status = Some(*code),
            Fault::StripUpgrade => self.strip_upgrade = true,
            Fault::StripExtensions => self.strip_extensions = true,
            Fault::IdleTimeout(time) => self.idle_timeout = Some(*time),
            Fault::WindowLost => self.window_lost = true,
        }
    }
}

/// Whether something of this probability happens now.
pub fn happens(probability: f64, rng: &mut Rng) -> bool {
    super::schedule::unit(rng) < probability
}

fn probability(text: &str) -> Result<f64, Text> {
    match text.parse() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err(Text::with("`{}` is no probability: a number from 0 to 1, such as 0.05", text)),
    }
}

/// A close code, and behind a colon its reason: `1011`, `1011:overload`.
///
/// # Errors
/// How it is written.
pub fn close(text: &str) -> Result<(CloseCode, String), Text> {
    let (code, reason) = text.split_once(':').unwrap_or((text, ""));
    let code = code
        .parse()
        .map_err(|_| Text::with("`{}` is no close code: write close=1011:reason, or close=1011", code))?;
    if reason.len() > 123 {
        return Err("the reason of a close has at most 123 bytes (RFC 6455 §5.5)".into());
    }
    Ok((CloseCode(code), reason.to_owned()))
}

/// A time as it is written on a command line: `200ms`, `5s`, `2m`, or a number of seconds.
///
/// # Errors
/// How it is written.
pub fn duration(text: &str) -> Result<Duration, Text> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    };
    match digits.parse::<f64>().map(|number| number * scale) {
        Ok(seconds) if (0.0..=1e6).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(Text::with("`{}` is no time: write 200ms, 5s or 2m", text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_as_it_is_written() {
        for written in [
            "delay=200ms",
            "drop=0.05",
            "cut-after=10",
            "mask",
            "accept",
            "bad-utf8",
            "no-pong",
            "close=1011:db pool @ 3 exhausted",
            "slow-read",
            "reset",
            "half-open",
            "status=503",
            "strip-upgrade",
            "strip-extensions",
            "idle-timeout=5000ms",
            "window-lost",
        ] {
            let chance: Chance = written.parse().expect(written);
            assert_eq!((chance.fault.to_string(), chance.probability), (written.to_owned(), 1.0));
            let rare: Chance = format!("{written}@0.25").parse().expect(written);
            assert_eq!((rare.fault, rare.probability), (chance.fault, 0.25));
        }
        assert_eq!("close=1011".parse(), Ok(Fault::Close(CloseCode(1011), String::new())));
    }

    #[test]
    fn what_is_no_fault_says_what_is() {
        for (written, advice) in [
            ("delay", "`delay` is written delay=TIME"),
            ("delay=soon", "200ms"),
            ("drop=2", "from 0 to 1"),
            ("status=99", "200 to 599"),
            ("mask=1", "`mask` is written mask"),
            ("close=x", "close=1011:reason"),
            ("lag", "idle-timeout=TIME"),
            ("reset@2", "from 0 to 1"),
        ] {
            let problem = written.parse::<Chance>().expect_err(written).to_string();
            assert!(problem.contains(advice), "{written}: {problem}");
        }
    }

    #[test]
    fn chances_befall_some() {
        let chances = ["reset@0.3".parse().unwrap(), "mask".parse().unwrap()];
        let mut rng = Rng::new(7);
        let plans: Vec<Plan> = (0..1000).map(|_| Plan::roll(&chances, &mut rng)).collect();
        let reset = plans.iter().filter(|plan| plan.reset).count();
        assert!(plans.iter().all(|plan| plan.mask) && (230..370).contains(&reset), "{reset}");
    }

    #[test]
    fn times_have_units() {
        for (text, milliseconds) in [("200ms", 200), ("5s", 5000), ("0.5", 500), ("2m", 120_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert!(duration("").is_err() && duration("-1s").is_err() && duration("5 days").is_err());
    }
}
