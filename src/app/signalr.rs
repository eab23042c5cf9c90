//! `SignalR`'s JSON hub protocol: JSON objects, each ended by the record separator.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::json::{self, Object};
use super::pending::{Id, Pending, Request, Requests};
use crate::model::json::place;
use crate::model::{Answer, App, Cite, Failure, Finding, Parting, Text, Value, fields};

/// `SignalR` with its JSON protocol.
pub static DIALECT: Dialect = Dialect {
    id: "signalr",
    subprotocols: &[],
    looks_like: Some(looks_like),
    first: b"{",
    last: b"\x1E",
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: &[],
    reader: Reader::Session(|| Box::<SignalR>::default()),
    sheet: Sheet {
        name: "SignalR, JSON",
        shown_by: "JSON that ends in the record separator 0x1E: the handshake \
                   `{\"protocol\":\"json\",\"version\":1}`, or a message of a known type with its members",
        decoded: "type, target and content of each message; invocations tied to their completions",
        sample: "clean/signalr.script",
        source: (
            "SignalR HubProtocol",
            "https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/HubProtocol.md",
        ),
    },
};

/// Objects of one message that are named.
const NAMED: usize = 16;

const CITE: Cite = Cite { doc: "SignalR HubProtocol", section: "JSON Encoding" };

fields! {
    /// What is annotated.
    FIELDS;
    TYPE = "signalr.type", "type", CITE, "What the message is for.";
    DATA = "signalr.data", "message content", CITE, "The message itself.";
}

/// What begins as an object and ends with the separator.
fn looks_like(said: &Said<'_>) -> bool {
    said.text && said.bytes.first() == Some(&b'{') && said.bytes.last() == Some(&0x1E)
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct SignalR {
    /// Invocations that want a completion.
    pending: Pending,
}

impl Decoder for SignalR {
    fn read(&mut self, said: &Said<'_>, _found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        let text = said.as_text()?;
        let whole = text.strip_suffix('\u{1e}').filter(|whole| whole.starts_with('{'))?;
        let mut kinds = Vec::new();
        for part in whole.split('\u{1e}').take(NAMED) {
            let object = if json::is_valid(part) { Object::read(part)? } else { return None };
            kinds.push((name(part, &object)?, part, object));
        }
        if !said.known && !kinds.iter().any(|(kind, _, object)| shows_itself(kind, object)) {
            return None;
        }
        let mut apps: Vec<App> = Vec::new();
        for (kind, part, object) in kinds {
            let target = object.string("target");
            let words = target.map_or_else(|| kind.to_owned(), |target| format!("{kind} {target}"));
            let fields = vec![
                said.field(&TYPE, place(text, part), part.len(), Value::Text(kind.to_owned())),
                said.json(&DATA, part),
            ];
            let answers = self.tie(said, kind, &object);
            let parting = (kind == "Close").then(|| parting(&object));
            apps.push(App { fields, answers, parting, ..app(Text::with("{}", words)) });
        }
        if whole.split('\u{1e}').nth(NAMED).is_some() {
            self.pending.lost(said.dir);
        }
        Some(app(Text::default()).around(apps))
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl SignalR {
    /// Remembers an invocation that wants a completion, or finds the one that is answered.
    fn tie(&mut self, said: &Said<'_>, kind: &str, message: &Object<'_>) -> Option<Answer> {
        let (dir, now) = (said.dir, said.moment());
        let id = message.get("invocationId").and_then(Id::text)?;
        let is_it = |asked: &Request| asked.id == id;
        match kind {
            "Invocation" | "StreamInvocation" => {
                let target = message.string("target").unwrap_or_default();
                let what = clipped(&target).into_owned();
                self.pending.begin(dir, now, Request { id, what, ..Request::default() });
                None
            }
            // What the caller streams has ids of its own.
            "StreamItem" => self.pending.go_on(dir, now, is_it),
            "Completion" => {
                let error = message.string("error");
                let failure = error.map(|words| clipped(&words).into_owned());
                let failure = failure.map(|message| Failure { code: None, message: Some(message) });
                self.pending.answer(dir, now, is_it, failure)
            }
            "CancelInvocation" => {
                self.pending.cancel(dir, is_it);
                None
            }
            _ => None,
        }
    }
}

fn app(summary: Text) -> App {
    App { protocol: "signalr", name: "SignalR", summary, ..App::default() }
}

/// What a Close message says: an error, if there was one.
fn parting(message: &Object<'_>) -> Parting {
    let error = message.string("error");
    error.map_or(Parting::Leave, |words| Parting::Error(clipped(&words).into()))
}

/// Whether a message of this kind has what nobody else's has by chance: others end their JSON with a
/// separator, and number its types, too.
fn shows_itself(kind: &str, message: &Object<'_>) -> bool {
    let is_string = |name| message.string(name).is_some();
    let begins = |name, first: char| message.get(name).is_some_and(|value| value.starts_with(first));
    let is_number = |name| message.get(name).is_some_and(|value| value.parse::<u32>().is_ok());
    let has_only = |names: &[&str]| message.names().all(|name| names.contains(&name.as_str()));
    match kind {
        "handshake" => is_string("protocol") && is_number("version"),
        "Invocation" | "StreamInvocation" => is_string("target") && begins("arguments", '['),
        "StreamItem" | "Completion" | "CancelInvocation" => is_string("invocationId"),
        "Ping" => has_only(&["type"]),
        "Close" => has_only(&["type", "error", "allowReconnect"]),
        _ => is_number("sequenceId"),
    }
}

fn name(text: &str, message: &Object<'_>) -> Option<&'static str> {
    let Some(kind) = message.get("type") else {
        // The handshake and its answer have no type.
        let is_handshake =
            text == "{}" || message.get("protocol").is_some() || message.get("error").is_some();
        return is_handshake.then_some("handshake");
    };
    Some(match kind {
        "1" => "Invocation",
        "2" => "StreamItem",
        "3" => "Completion",
        "4" => "StreamInvocation",
        "5" => "CancelInvocation",
        "6" => "Ping",
        "7" => "Close",
        "8" => "Ack",
        "9" => "Sequence",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dir;

    #[test]
    fn completions_find_their_invocations() {
        let mut signalr = SignalR::default();
        let mut read = |dir, wire: &str| {
            let app = signalr.read(&Said::sample(dir, 1, true, wire.as_bytes()), &mut Vec::new()).unwrap();
            let what = |it: &Answer| (it.what.clone(), it.failure.clone().and_then(|it| it.message));
            app.answers().map(what).collect::<Vec<_>>()
        };
        let two =
            "{\"type\":1,\"invocationId\":\"1\",\"target\":\"A\"}\u{1e}{\"type\":1,\"target\":\"B\"}\u{1e}";
        assert_eq!(read(Dir::Client, two), []);
        read(Dir::Client, "{\"type\":1,\"invocationId\":\"2\",\"target\":\"C\"}\u{1e}");
        let both = "{\"type\":3,\"invocationId\":\"2\",\"error\":\"no\"}\u{1e}\
                    {\"type\":3,\"invocationId\":\"1\"}\u{1e}";
        let expected = [("C".to_owned(), Some("no".to_owned())), ("A".to_owned(), None)];
        assert_eq!(read(Dir::Server, both), expected);
    }

    #[test]
    fn a_close_says_why_if_there_is_a_reason() {
        for (wire, expected) in [
            ("{\"type\":7,\"error\":\"no\"}\u{1e}", Some(Parting::Error("no".into()))),
            ("{\"type\":7,\"allowReconnect\":true}\u{1e}", Some(Parting::Leave)),
            ("{\"type\":6}\u{1e}", None),
        ] {
            let said = Said::sample(Dir::Server, 1, true, wire.as_bytes());
            let app = SignalR::default().read(&said, &mut Vec::new()).unwrap();
            assert_eq!(app.parting(), expected.as_ref(), "{wire}");
        }
    }

    #[test]
    fn what_only_looks_like_it() {
        let read = |wire: &str| {
            let said =
                Said { known: false, agreed: false, ..Said::sample(Dir::Client, 1, true, wire.as_bytes()) };
            SignalR::default().read(&said, &mut Vec::new()).is_some()
        };
        for wire in [
            r#"{"protocol":"json","version":1}"#,
            r#"{"type":6}"#,
            r#"{"type":1,"target":"Send","arguments":[42]}"#,
            r#"{"type":3,"invocationId":"1","result":null}"#,
            r#"{"type":7,"error":"bye","allowReconnect":true}"#,
        ] {
            assert!(read(&format!("{wire}\u{1e}")), "{wire}");
        }
        for wire in [
            "{}",
            r#"{"error":"x"}"#,
            r#"{"protocol":"chat"}"#,
            r#"{"type":1,"text":"hello"}"#,
            r#"{"type":3,"id":1}"#,
            r#"{"type":6,"n":1}"#,
            r#"{"type":8,"x":1}"#,
        ] {
            assert!(!read(&format!("{wire}\u{1e}")), "{wire}");
        }
    }

    #[test]
    fn messages() {
        for (wire, summary) in [
            ("{\"protocol\":\"json\",\"version\":1}\u{1e}", Some("handshake")),
            ("{}\u{1e}", Some("handshake")),
            (
                "{\"type\":6}\u{1e}{\"type\":1,\"target\":\"Send\",\"arguments\":[42]}\u{1e}",
                Some("Ping; Invocation Send"),
            ),
            ("{\"type\":6}", None),
            ("{\"type\":99}\u{1e}", None),
            ("\u{1e}", None),
        ] {
            let said = Said::sample(Dir::Client, 1, true, wire.as_bytes());
            assert_eq!(
                SignalR::default().read(&said, &mut Vec::new()).map(|a| a.summary.to_string()).as_deref(),
                summary,
                "{wire:?}"
            );
        }
    }
}
