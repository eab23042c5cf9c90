//! Messages that say of themselves that they are errors, right before an end.
//!
//! Many services say in a message what is wrong, and then close with a code that says that nothing is. Of
//! messages of no known protocol, those are taken for errors that say so where they begin: `{"error":…}`,
//! `{"type":"error",…}` and the like.

use super::over::{Over, seen_in};
use crate::model::quantity::wait;
use crate::model::{Case, Cite, Diagnosis, Finding, Text, Time, Unit, prefix, readable, rules};

rules! {
    /// Errors as messages.
    RULES;
    AFTER_ERROR = "closed-after-error", Warning, Cite::rfc6455("7.1.5"), Either,
        "an endpoint said in a message that something is wrong, and ended the connection",
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

    /// Whether the text of a message is one.
    #[inline]
    pub fn is_one(text: Option<&str>) -> bool {
        Self::may_be_one(text) && text.is_some_and(is_error)
    }

    /// Takes one.
    pub fn see(&mut self, unit: &Unit<'_>, text: &str) {
        let Some(dir) = unit.dir else { return };
        let packet = unit.packets.map_or(0, |(first, _)| first);
        self.0[dir.index()] = Some(Fault { time: unit.time, packet, text: prefix(text, KEPT).into() });
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
        let mend = AFTER_ERROR.usually.map_or("", |usually| usually.fix);
        let mut is_told = false;
        for cause in causes.iter_mut().filter(|cause| super::close::RULES.contains(&cause.rule)) {
            is_told = true;
            if cause.cause.is_none() {
                cause.cause = Some(Box::new(Diagnosis::new(cause.rule.id, said.clone(), mend)));
            }
        }
        if is_told {
            return;
        }
        let what =
            Text::new("ended by the {} right after a message that says what is wrong").word(dir.name());
        let got = Text::with("“{}”, {} before the end", &words).and(wait(before));
        let finding = Finding::new(&AFTER_ERROR, None, "a Close code that says so, too".into(), got)
            .behind(said)
            .like(Case::new(what, over.lifetime().into_iter().collect()));
        causes.push(seen_in(finding, fault.packet));
    }
}

/// Whether a text in JSON says where it begins that it is an error.
#[inline(never)]
fn is_error(text: &str) -> bool {
    let Some(inside) = text.strip_prefix("{\"") else { return false };
    let Some((name, value)) = inside.split_once('"') else { return false };
    let Some(value) = value.trim_start().strip_prefix(':').map(str::trim_start) else { return false };
    match name {
        "error" => !["null", "false", "0", "\"\"", "[]", "{}"].iter().any(|none| value.starts_with(none)),
        "type" | "event" | "status" => value.starts_with("\"error\""),
        _ => false,
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
        ] {
            assert!(Faults::may_be_one(Some(text)) && is_error(text), "{text}");
        }
        for text in [
            r#"{"error":null,"result":1}"#,
            r#"{"error": false}"#,
            r#"{"errors":0,"lines":12}"#,
            r#"{"type":"message","text":"error"}"#,
            r#"{"status":"ok"}"#,
            r#"{"event":"errors-per-minute","n":4}"#,
            "error",
            r#"{"e":1}"#,
        ] {
            assert!(!Faults::may_be_one(Some(text)) || !is_error(text), "{text}");
        }
    }
}
