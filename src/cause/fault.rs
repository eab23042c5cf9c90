//! Messages that say of themselves that they are errors, right before an end.
//!
//! Many services say in a message what is wrong, and then close with a code that says that nothing is. Of
//! messages of no known protocol, those are taken for errors that say so where they begin: `{"error":…}`,
//! `{"type":"error",…}` and the like.

use super::over::{Over, seen_in};
use crate::model::quantity::wait;
use crate::model::{Case, Cite, Diagnosis, Dir, Finding, Rule, Text, Time, Unit, prefix, readable, rules};

rules! {
    /// Errors as messages.
    RULES;
    AFTER_ERROR = "closed-after-error", Warning, Cite::rfc6455("7.1.5"), Either,
        "an endpoint said in a message that something is wrong, or that it leaves, and ended the connection",
        "by the way it ended, nothing went wrong: who looks at the Close code alone does not learn of it",
        usually "what the message says",
        mend "look the error up in the sender's documentation or log";
}

/// Nanoseconds from the message to the end that it explains.
const RIGHT_BEFORE: i64 = 1_000_000_000;
/// Bytes of it that are kept, and shown.
const KEPT: usize = 160;

/// The last message of each endpoint that was an error.
#[derive(Debug, Default)]
pub struct Faults([Option<Fault>; 2]);

#[derive(Debug)]
struct Fault {
    time: Option<Time>,
    packet: u64,
    text: Box<str>,
    kind: Kind,
}

/// Rules of protocols whose servers say by a message why they end the connection.
const REASONS: &[&str] = &[
    "pusher-error",
    "action-cable-disconnected",
    "sockjs-closed",
    "xmpp-stream-error",
    "wamp-refused",
    "home-assistant-auth-invalid",
];

/// Whether a rule is one of those.
pub(super) fn says_why(rule: &Rule) -> bool {
    REASONS.contains(&rule.id)
}

impl Faults {
    /// Whether a text may be an error: most others are told apart by their first eight bytes.
    #[inline]
    pub fn may_be_one(text: Option<&str>) -> bool {
        /// In words: each is compared at once.
        const BEGINNINGS: [u64; 4] = [
            u64::from_ne_bytes(*b"{\"error\""),
            u64::from_ne_bytes(*b"{\"type\":"),
            u64::from_ne_bytes(*b"{\"event\""),
            u64::from_ne_bytes(*b"{\"status"),
        ];
        let first = text.and_then(|text| text.as_bytes().first_chunk());
        first.is_some_and(|first| BEGINNINGS.contains(&u64::from_ne_bytes(*first)))
    }

    /// What the text of a message is of this.
    #[inline]
    pub fn kind(text: Option<&str>) -> Option<Kind> {
        text.filter(|_| Self::may_be_one(text)).and_then(kind)
    }

    /// Takes one.
    pub fn see(&mut self, unit: &Unit<'_>, text: &str, kind: Kind) {
        let Some(dir) = unit.dir else { return };
        let packet = unit.packets.map_or(0, |(first, _)| first);
        self.0[dir.index()] = Some(Fault { time: unit.time, packet, text: prefix(text, KEPT).into(), kind });
    }

    /// What it comes to, now that the connection is over.
    pub fn find(&self, over: &Over<'_>, causes: &mut Vec<Finding>) {
        let Some(dir) = over.ender().filter(|_| over.is_websocket()) else { return };
        let Some(fault) = &self.0[dir.index()] else { return };
        let Some((ended, said)) = over.ended().zip(fault.time) else { return };
        // Whoever said other things since has gone on.
        let is_last = over.ending.sides[dir.index()].heard.is_some_and(|heard| heard <= said);
        let before = ended.since(said);
        if !is_last || !(0..=RIGHT_BEFORE).contains(&before) {
            return;
        }
        let words = readable(&fault.text);
        let said = Text::new("the {} said right before: “{}”").word(dir.name()).and(&words);
        let mend = match fault.kind {
            Kind::Farewell => {
                "send a Close frame behind such a message: by that clients learn that the end is meant"
            }
            _ => AFTER_ERROR.usually.map_or("", |usually| usually.fix),
        };
        let mut is_told = match fault.kind {
            Kind::Error => false,
            // Clients leave when they like.
            Kind::Farewell => dir == Dir::Client || over.close().is_some(),
            Kind::Told => true,
        };
        for cause in causes.iter_mut().filter(|cause| super::close::RULES.contains(&cause.rule)) {
            is_told = true;
            if cause.cause.is_none() {
                cause.cause = Some(Box::new(Diagnosis::new(cause.rule.id, said.clone(), mend)));
            }
        }
        if is_told {
            return;
        }
        let what = if fault.kind == Kind::Farewell {
            Text::new("ended by the {} right after a message in which it takes leave, without a Close frame")
        } else {
            Text::new("ended by the {} right after a message that says what is wrong")
        };
        let what = what.word(dir.name());
        let got = Text::with("“{}”, {} before the end", &words).and(wait(before));
        let finding = Finding::new(&AFTER_ERROR, None, "a Close code that says so, too".into(), got)
            .because(Diagnosis::new(AFTER_ERROR.id, said, mend))
            .like(Case::new(what, over.lifetime().into_iter().collect()));
        causes.push(seen_in(finding, fault.packet));
    }
}

/// What a message says of the end of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something is wrong.
    Error,
    /// Its sender takes leave.
    Farewell,
    /// Why its sender ends the connection, of which another rule tells: what a Close code leaves open is to
    /// be said, and no more.
    Told,
}

/// What a text in JSON says of itself where it begins.
#[inline(never)]
fn kind(text: &str) -> Option<Kind> {
    let inside = text.strip_prefix("{\"")?;
    let (name, value) = inside.split_once('"')?;
    let value = value.trim_start().strip_prefix(':').map(str::trim_start)?;
    match name {
        "error" => {
            let is_none =
                ["null", "false", "0", "\"\"", "[]", "{}"].iter().any(|none| value.starts_with(none));
            (!is_none).then_some(Kind::Error)
        }
        "type" | "event" | "status" => named(value.strip_prefix('"')?.split_once('"')?.0),
        _ => None,
    }
}

/// What the name of a message says.
fn named(name: &str) -> Option<Kind> {
    match name {
        "error" | "unauthorized" | "forbidden" | "session_expired" | "token_expired" | "auth_failed"
        | "fatal" => Some(Kind::Error),
        "bye" | "goodbye" | "disconnect" | "shutdown" | "closing" | "kicked" | "kick" | "terminated" => {
            Some(Kind::Farewell)
        }
        // Such as `connection_error`: in words of their own, and not as a part of one.
        _ => {
            let before = name.strip_suffix("error")?;
            before.ends_with(['_', ':', '-', '.']).then_some(Kind::Error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_so_where_it_begins() {
        for text in [
            r#"{"error":{"code":-1003,"msg":"Too many requests"}}"#,
            r#"{"error": "invalid api key"}"#,
            r#"{"type":"error","error":{"code":"session_expired"}}"#,
            r#"{"event": "error", "code": 4}"#,
            r#"{"status":"error","message":"no such room"}"#,
            r#"{"type":"connection_error","message":"no such room"}"#,
            r#"{"type":"unauthorized"}"#,
        ] {
            assert_eq!(Faults::kind(Some(text)), Some(Kind::Error), "{text}");
        }
        for text in [r#"{"type":"bye","detail":"worker recycled"}"#, r#"{"event": "shutdown"}"#] {
            assert_eq!(Faults::kind(Some(text)), Some(Kind::Farewell), "{text}");
        }
        for text in [
            r#"{"error":null,"result":1}"#,
            r#"{"error": false}"#,
            r#"{"errors":0,"lines":12}"#,
            r#"{"type":"message","text":"error"}"#,
            r#"{"status":"ok"}"#,
            r#"{"event":"errors-per-minute","n":4}"#,
            "error",
            r#"{"type":"terror","n":4}"#,
            r#"{"type":"bye-laws","n":4}"#,
            r#"{"e":1}"#,
        ] {
            assert_eq!(Faults::kind(Some(text)), None, "{text}");
        }
    }
}
