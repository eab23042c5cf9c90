//! Heartbeats that applications send as data, not to be taken for the Ping frames of RFC 6455 §5.5.2.

use memchr::memchr2_iter;

use super::dialect::{Dialect, Reader, Said, Sheet};
use super::glance::PING;
use super::json::Object;
use crate::model::{App, Cite, Heartbeat, Text, fields};

/// Heartbeats that applications write as texts: `ping`, `{"type":"ping"}`.
pub static DIALECT: Dialect = Dialect {
    id: "text-ping",
    subprotocols: &[],
    looks_like: Some(looks_like),
    first: &[],
    last: &[],
    marks: PING,
    target: None,
    fields: FIELDS,
    rules: &[],
    reader: Reader::Each(read),
    sheet: Sheet {
        name: "Heartbeats as data",
        shown_by: "a short message that says `ping`, `pong` or `heartbeat`, alone or as a member of JSON",
        decoded: "which half of a heartbeat it is; pings without a pong are told",
        sample: "broken/app-ping-unanswered.script",
        source: ("none: a habit of many applications", ""),
    },
};

/// Longer messages are something else.
const LONGEST: usize = 256;

fields! {
    /// What is annotated.
    FIELDS;
    WORD = "text-ping.type", "type", Cite::rfc6455("5.5.2"), "Which half of the heartbeat it is.";
}

/// What is short and has one of the words in it.
fn looks_like(said: &Said<'_>) -> bool {
    if !said.glance.may_bear(PING) {
        return false;
    }
    said.text
        && said.bytes.len() <= LONGEST
        && match said.bytes {
            // As JSON is mostly written: no word could be behind the brace.
            [b'{', inner @ .., b'}'] => may_end_a_string(inner) && may_be(inner),
            text => may_be(text),
        }
}

/// Whether a string in JSON may end in one of the words: whether the last two letters of one stand before
/// quotes. Written without a branch, so that the compiler makes vector code of it.
fn may_end_a_string(json: &[u8]) -> bool {
    let end = |last_but_one: u8, last: u8, quote: u8| {
        let (last_but_one, last) = (last_but_one | 0x20, last | 0x20);
        let is_ng = u8::from(last_but_one == b'n') & u8::from(last == b'g');
        let is_at = u8::from(last_but_one == b'a') & u8::from(last == b't');
        (is_ng | is_at) & u8::from(quote == b'"')
    };
    // The last block may overlap the one before it.
    let Some(last) = json.len().checked_sub(LANES + 2) else {
        return json.windows(3).any(|place| end(place[0], place[1], place[2]) != 0);
    };
    let (mut any, mut at) = ([0; LANES], 0);
    while let Some(here) = json[at..].first_chunk::<{ LANES + 2 }>() {
        for lane in 0..LANES {
            any[lane] |= end(here[lane], here[lane + 1], here[lane + 2]);
        }
        if at == last {
            break;
        }
        at = last.min(at + LANES);
    }
    any != [0; LANES]
}

/// Places that are looked at together.
const LANES: usize = 16;

fn read(said: &Said<'_>) -> Option<App> {
    if !looks_like(said) {
        return None;
    }
    let text = said.as_text()?.trim();
    let object = if text.starts_with('{') { Object::read(text) } else { None };
    let word = match object {
        // {"type":"ping"}, {"op":"ping"}, {"event":"pusher:ping","data":{}}
        Some(object) => {
            let keys = ["type", "op", "event", "method", "action", "cmd"];
            keys.iter().find_map(|key| object.string(key))?
        }
        None => text.trim_matches('"').to_owned(),
    };
    let word = word.rsplit([':', '.']).next()?.to_ascii_lowercase();
    let (heartbeat, summary) = match word.as_str() {
        "ping" => (Some(Heartbeat::Ping), "ping as data: the WebSocket sees an ordinary text message"),
        "pong" => (Some(Heartbeat::Pong), "pong as data: the WebSocket sees an ordinary text message"),
        "heartbeat" => (None, "heartbeat as data: the WebSocket sees an ordinary text message"),
        _ => return None,
    };
    let fields = vec![said.quote(&WORD, text)];
    Some(App {
        protocol: "text-ping",
        name: "Heartbeat",
        summary: Text::new(summary),
        heartbeat,
        fields,
        ..App::default()
    })
}

/// Whether any of the words is in there. Nearly every message is something else, and taking JSON apart
/// costs more than everything that was done with the message before.
fn may_be(text: &[u8]) -> bool {
    let begins = |at: usize, word: &[u8]| {
        text[at..].get(..word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word))
    };
    memchr2_iter(b'p', b'P', text).any(|at| begins(at, b"ping") || begins(at, b"pong"))
        // By its rarest letter.
        || memchr2_iter(b'b', b'B', text).any(|at| at >= 5 && begins(at - 5, b"heartbeat"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dir;

    #[test]
    fn heartbeats_as_text() {
        for (wire, word) in [
            ("ping", Some("ping")),
            ("PONG\n", Some("pong")),
            ("\"ping\"", Some("ping")),
            ("{\"type\":\"ping\",\"t\":1}", Some("ping")),
            ("{\"event\":\"pusher:pong\",\"data\":{}}", Some("pong")),
            ("{\"type\":\"pinged\"}", None),
            ("pinging", None),
            ("{\"op\":\"server.HeartBeat\"}", Some("heartbeat")),
            (" {\"op\" : \"PONG\"}\n", Some("pong")),
            ("{\"op\":\"greeting\",\"of\":\"pingpong\"}", None),
            ("{no json:ping", Some("ping")),
            ("", None),
        ] {
            let said = Said::sample(Dir::Client, 1, true, wire.as_bytes());
            let seen = read(&said).map(|a| a.summary.to_string());
            assert_eq!(seen.as_deref().and_then(|s| s.split(' ').next()), word, "{wire:?}");
        }
    }

    #[test]
    fn heartbeats_are_found_wherever_they_stand() {
        for (before, behind) in (0..50).flat_map(|before| (0..50).map(move |behind| (before, behind))) {
            let (before, behind) = (" ".repeat(before), " ".repeat(behind));
            let wire = format!("{{{before}\"op\":\"pong\"{behind}}}");
            assert!(read(&Said::sample(Dir::Client, 1, true, wire.as_bytes())).is_some(), "{wire}");
            let wire = format!("{{{before}\"op\":\"pong \"{behind}}}");
            assert!(!looks_like(&Said::sample(Dir::Client, 1, true, wire.as_bytes())), "{wire}");
        }
    }
}
