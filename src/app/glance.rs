//! What is known of a message in JSON once its strings were passed by.

use std::sync::LazyLock;

use memchr::memchr_iter;
use memchr::memmem::Finder;

use crate::model::json::{Quoted, is_plainly_json_of};

/// Marks, a bit each, of which some dialects have one in each message that shows by itself what it is.
pub type Marks = u8;

/// A string or name is `jsonrpc`.
pub const JSONRPC: Marks = 1;
/// A string or name ends as `ping`, `pong` and `heartbeat` do, in whatever case.
pub const PING: Marks = 1 << 1;
/// A string begins with `phx_`, or is `phoenix`.
pub const PHOENIX: Marks = 1 << 2;
/// A string begins with `pusher`.
pub const PUSHER: Marks = 1 << 3;
/// A name is `parent_header`.
pub const PARENT_HEADER: Marks = 1 << 4;
/// A name is `identifier`.
pub const IDENTIFIER: Marks = 1 << 5;
/// A name is `method`.
pub const METHOD: Marks = 1 << 6;
/// A name is `ha_version`.
pub const HA_VERSION: Marks = 1 << 7;

/// What stands in a message that bears a mark, quotes and all. [`PING`] is not looked for like this.
const NEEDLES: [(Marks, &str); 8] = [
    (JSONRPC, "\"jsonrpc\""),
    (PHOENIX, "\"phx_"),
    (PHOENIX, "\"phoenix\""),
    (PUSHER, "\"pusher"),
    (PARENT_HEADER, "\"parent_header\""),
    (IDENTIFIER, "\"identifier\""),
    (METHOD, "\"method\""),
    (HA_VERSION, "\"ha_version\""),
];

/// Nearly every message in JSON that a glance does not do for is searched.
static FINDERS: LazyLock<[Finder<'static>; NEEDLES.len()]> =
    LazyLock::new(|| NEEDLES.map(|(_, needle)| Finder::new(needle)));

/// Bytes that a string with a mark other than [`PING`] may begin with.
static BEGINS: [bool; 256] = {
    let (mut table, mut at) = ([false; 256], 0);
    while at < NEEDLES.len() {
        table[NEEDLES[at].1.as_bytes()[1] as usize] = true;
        at += 1;
    }
    table
};

/// What one look at a text message has shown, so that not every protocol looks again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glance {
    /// Nobody has looked.
    #[default]
    None,
    /// Whether it is JSON takes more than a look; it bears these marks but for [`PING`].
    Unsure(Marks),
    /// It is JSON, and bears these marks.
    Json(Marks),
}

impl Glance {
    /// Looks at `text`.
    pub fn at(text: &str) -> Self {
        let mut marks = 0;
        let is_json = is_plainly_json_of(text, |string| marks |= marks_at(string));
        if is_json { Self::Json(marks) } else { Self::Unsure(marks_in(text.as_bytes())) }
    }

    /// The same of a text that becomes a string of JSON on the way. [`Unsure`](Self::Unsure) is only what is
    /// no JSON at all.
    #[inline]
    pub fn quoting(text: &str, quoted: &mut Quoted) -> Self {
        let mut marks = 0;
        match quoted.become_of(text, |string| marks |= marks_at(string)) {
            Some(true) => Self::Json(marks),
            Some(false) => Self::Unsure(marks_in(text.as_bytes())),
            None => Self::None,
        }
    }

    /// Whether a message of this kind may bear one of some marks, of which there are none in any other.
    pub fn may_bear(self, marks: Marks) -> bool {
        match self {
            Self::Json(borne) => marks == 0 || borne & marks != 0,
            Self::None | Self::Unsure(_) => true,
        }
    }

    /// Whether the message with these bytes bears one of some marks: a search where nobody has looked.
    /// [`PING`] is none of them.
    pub fn bears(self, marks: Marks, bytes: &[u8]) -> bool {
        match self {
            Self::Json(borne) | Self::Unsure(borne) => borne & marks != 0,
            Self::None => {
                let all = NEEDLES.iter().zip(FINDERS.iter());
                all.into_iter().any(|((mark, _), finder)| mark & marks != 0 && finder.find(bytes).is_some())
            }
        }
    }
}

/// The marks but for [`PING`] of whatever text, which all of them begin with a quote in.
fn marks_in(text: &[u8]) -> Marks {
    let mut marks = 0;
    for at in memchr_iter(b'"', text) {
        let here = &text[at..];
        if here.get(1).is_some_and(|first| BEGINS[usize::from(*first)]) {
            let borne = NEEDLES.iter().filter(|(_, needle)| here.starts_with(needle.as_bytes()));
            marks |= borne.fold(0, |all, (mark, _)| all | mark);
        }
    }
    marks
}

/// The marks of a string, seen by how it begins and ends.
#[allow(clippy::inline_always, reason = "mostly there are none")]
#[inline(always)]
fn marks_at(string: &[u8]) -> Marks {
    let [first, .., last_but_one, last] = string else { return 0 };
    let end = (last_but_one | 0x20, last | 0x20);
    let ping = if matches!(end, (b'n', b'g') | (b'a', b't')) { PING } else { 0 };
    if BEGINS[usize::from(*first)] { ping | marks_of(string) } else { ping }
}

/// The marks of a string but for [`PING`].
#[inline(never)]
fn marks_of(string: &[u8]) -> Marks {
    match string {
        b"jsonrpc" => JSONRPC,
        b"phoenix" | [b'p', b'h', b'x', b'_', ..] => PHOENIX,
        [b'p', b'u', b's', b'h', b'e', b'r', ..] => PUSHER,
        b"parent_header" => PARENT_HEADER,
        b"identifier" => IDENTIFIER,
        b"method" => METHOD,
        b"ha_version" => HA_VERSION,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_what_a_look_has_seen() {
        for (text, marks) in [
            (r#"{"jsonrpc":"2.0","method":"a"}"#, JSONRPC | METHOD),
            (r#"["1","2","room:a","phx_join",{}]"#, PHOENIX),
            (r#"[null,"2","phoenix","heartbeat",{}]"#, PHOENIX | PING),
            (r#"{"event":"pusher:ping"}"#, PUSHER | PING),
            (r#"{"header":{},"parent_header":{}}"#, PARENT_HEADER),
            (r#"{"identifier":"{}","ha_version":"1"}"#, IDENTIFIER | HA_VERSION),
            (r#"{"phoenixes":"json","methods":[]}"#, 0),
        ] {
            assert_eq!(Glance::at(text), Glance::Json(marks), "{text}");
            for mark in (0..Marks::BITS).map(|bit| 1 << bit).filter(|mark| *mark != PING) {
                let unsure = Glance::at(&format!("{text} no more"));
                assert!(matches!(unsure, Glance::Unsure(_)));
                let found =
                    [Glance::None, unsure, Glance::at(text)].map(|it| it.bears(mark, text.as_bytes()));
                assert_eq!(found, [marks & mark != 0; 3], "{text} {mark:#x}");
            }
        }
    }
}
