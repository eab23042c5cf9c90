//! Rules: which messages something is done to, and what.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use regex::Regex;

use crate::app::path::Path;
use crate::model::{CloseCode, Dir, Opcode};

/// Which messages, and what is done to them.
#[derive(Debug)]
pub struct Rule {
    /// Where it stands, for people, such as `rules.toml:3`.
    pub name: String,
    /// Of which side; of both where that is left open.
    pub side: Option<Dir>,
    /// Of which kind: text, binary, close, ping or pong; text and binary where that is left open.
    pub opcode: Option<Opcode>,
    /// Text that stands in it.
    pub text: Option<String>,
    /// An expression that matches in it.
    pub regex: Option<Regex>,
    /// Values at places of its JSON.
    pub json: Vec<(Path, serde_json::Value)>,
    /// The event that it is, of Socket.IO, or a server-sent one.
    pub event: Option<String>,
    /// What is done.
    pub then: Then,
    /// How long the message, or the answer instead, waits before.
    pub delay: Option<Duration>,
    /// To how many of those that match, from 0 to 1.
    pub probability: f64,
    /// How often at most, on all connections together.
    pub times: Option<u64>,
    /// How often it was applied.
    pub used: AtomicU64,
}

/// What is done to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// It passes.
    Pass,
    /// It does not arrive.
    Drop,
    /// It arrives with other content.
    Replace(String),
    /// It does not arrive, and whoever sent it gets these.
    Answer(Vec<String>),
    /// The connection is closed, on both sides.
    Close(CloseCode, String),
}

/// A message as rules see it.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub from: Dir,
    pub kind: Opcode,
    /// Without masks, and inflated.
    pub payload: Vec<u8>,
    /// Less than there is.
    pub cut: bool,
    pub compressed: bool,
    /// The event that it is: of Socket.IO, or a server-sent one.
    pub event: Option<String>,
    /// What the event is called does not stand in the payload.
    pub is_named_apart: bool,
}

impl Content {
    /// What it says, where that is text.
    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.payload).ok()
    }

    /// The JSON in it; of a Socket.IO packet what follows its type, namespace and acknowledgement id.
    fn json(&self) -> Option<&str> {
        let text = self.text()?;
        if self.event.is_some() && !self.is_named_apart {
            text.find('[').map(|at| &text[at..])
        } else {
            Some(text)
        }
    }
}

impl Rule {
    /// Whether it is about a message.
    pub(super) fn is_about(&self, message: &Content) -> bool {
        let is_kind = match self.opcode {
            Some(opcode) => message.kind == opcode,
            None => !message.kind.is_control(),
        };
        let says = |test: &dyn Fn(&str) -> bool| message.text().is_some_and(test);
        is_kind
            && !message.cut
            && self.side.is_none_or(|side| side == message.from)
            && self.text.as_ref().is_none_or(|text| says(&|it| it.contains(text.as_str())))
            && self.regex.as_ref().is_none_or(|regex| says(&|it| regex.is_match(it)))
            && self.event.as_ref().is_none_or(|event| message.event.as_ref() == Some(event))
            && (self.json.is_empty() || message.json().is_some_and(|json| self.is_in(json)))
    }

    fn is_in(&self, json: &str) -> bool {
        self.json.iter().all(|(path, wanted)| {
            let found = path.find(json).and_then(|found| serde_json::from_str(found).ok());
            found.is_some_and(|found: serde_json::Value| found == *wanted)
        })
    }

    /// Counts that it is applied; false when that was often enough already.
    pub(super) fn counts(&self) -> bool {
        let Some(times) = self.times else { return true };
        self.used.fetch_update(SeqCst, SeqCst, |used| (used < times).then_some(used + 1)).is_ok()
    }

    /// What a message says instead: what the expression or the text stood for is replaced, or else all of it.
    pub(super) fn replaced(&self, message: &Content, new: &str) -> Vec<u8> {
        match (message.text(), &self.regex, &self.text) {
            (Some(text), Some(regex), _) => regex.replace_all(text, new).into_owned().into_bytes(),
            (Some(text), None, Some(old)) => text.replace(old.as_str(), new).into_bytes(),
            _ => new.as_bytes().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        Rule {
            name: "rules.toml:1".to_owned(),
            side: None,
            opcode: None,
            text: None,
            regex: None,
            json: Vec::new(),
            event: None,
            then: Then::Drop,
            delay: None,
            probability: 1.0,
            times: None,
            used: AtomicU64::new(0),
        }
    }

    fn message(text: &str) -> Content {
        Content {
            from: Dir::Client,
            kind: Opcode::TEXT,
            payload: text.into(),
            cut: false,
            compressed: false,
            event: None,
            is_named_apart: false,
        }
    }

    #[test]
    fn every_condition_has_to_hold() {
        let hello = message("hello world");
        assert!(rule().is_about(&hello));
        assert!(Rule { side: Some(Dir::Client), text: Some("lo w".to_owned()), ..rule() }.is_about(&hello));
        assert!(!Rule { side: Some(Dir::Server), ..rule() }.is_about(&hello));
        assert!(!Rule { opcode: Some(Opcode::BINARY), ..rule() }.is_about(&hello));
        assert!(!Rule { text: Some("bye".to_owned()), ..rule() }.is_about(&hello));
        assert!(Rule { regex: Regex::new("^h.*d$").ok(), ..rule() }.is_about(&hello));
        assert!(
            !Rule { regex: Regex::new("^w").ok(), text: Some("w".to_owned()), ..rule() }.is_about(&hello)
        );
        // Control frames only where they are asked for.
        let ping = Content { kind: Opcode::PING, ..message("") };
        assert!(!rule().is_about(&ping) && Rule { opcode: Some(Opcode::PING), ..rule() }.is_about(&ping));
        let cut = Content { cut: true, ..hello };
        assert!(!rule().is_about(&cut), "what is not known whole is not judged");
    }

    #[test]
    fn values_in_json_are_compared_as_values() {
        let is = |path: &str, value: serde_json::Value, text: &str| {
            Rule { json: vec![(Path::parse(path).unwrap(), value)], ..rule() }.is_about(&message(text))
        };
        assert!(is("$.type", "ping".into(), r#"{"type": "p\u0069ng"}"#));
        assert!(is("$.items[1].id", 7.into(), r#"{"items":[{"id":1},{"id":7}]}"#));
        assert!(!is("$.type", "ping".into(), r#"{"type": "pong"}"#));
        assert!(!is("$.type", "ping".into(), "ping") && !is("$.id", "7".into(), r#"{"id":7}"#));
        let event = Content { event: Some("chat".to_owned()), ..message(r#"42/room,3["chat",{"to":"x"}]"#) };
        let rule = Rule {
            event: Some("chat".to_owned()),
            json: vec![(Path::parse("$[1].to").unwrap(), "x".into())],
            ..rule()
        };
        assert!(rule.is_about(&event) && !rule.is_about(&message("x")));
        let streamed =
            Content { event: Some("chat".to_owned()), is_named_apart: true, ..message("{\"a\":[1]}") };
        let rule = Rule { json: vec![(Path::parse("$.a[0]").unwrap(), 1.into())], ..rule };
        assert!(rule.is_about(&streamed) && !rule.is_about(&Content { is_named_apart: false, ..streamed }));
    }

    #[test]
    fn what_is_replaced_is_what_was_named() {
        let text = message("one two two");
        assert_eq!(rule().replaced(&text, "all"), b"all");
        assert_eq!(Rule { text: Some("two".to_owned()), ..rule() }.replaced(&text, "2"), b"one 2 2");
        let regex = Regex::new(r"(\w+) (\w+)$").ok();
        assert_eq!(Rule { regex, ..rule() }.replaced(&text, "$2-$1"), b"one two-two");
    }

    #[test]
    fn times_are_counted() {
        let rule = Rule { times: Some(2), ..rule() };
        assert_eq!([rule.counts(), rule.counts(), rule.counts()], [true, true, false]);
    }
}
