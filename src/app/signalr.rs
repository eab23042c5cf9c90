//! `SignalR`'s JSON hub protocol: JSON objects, each ended by the record separator.

use super::dialect::{Dialect, Reader, Said};
use super::json;
use crate::model::json::place;
use crate::model::{App, Cite, Text, Value, fields};

/// SignalR with its JSON protocol.
pub static DIALECT: Dialect = Dialect {
    id: "signalr",
    subprotocols: &[],
    looks_like: Some(looks_like),
    fields: FIELDS,
    rules: &[],
    reader: Reader::Each(read),
};

/// Objects of one message that are named.
const NAMED: usize = 16;

const CITE: Cite = Cite { doc: "SignalR HubProtocol", section: "JSON Encoding" };

fields! {
    /// What is annotated.
    FIELDS;
    TYPE = "signalr.type", "type", CITE, "What the message is for.";
    DATA = "signalr.data", "message", CITE, "The message itself.";
}

/// What begins as an object and ends with the separator.
fn looks_like(said: &Said<'_>) -> bool {
    said.text && said.bytes.first() == Some(&b'{') && said.bytes.last() == Some(&0x1E)
}

fn read(said: &Said<'_>) -> Option<App> {
    let text = said.as_text()?;
    let whole = text.strip_suffix('\u{1e}').filter(|whole| whole.starts_with('{'))?;
    let (mut words, mut fields) = (Vec::new(), Vec::new());
    for part in whole.split('\u{1e}').take(NAMED) {
        if !json::is_valid(part) {
            return None;
        }
        let kind = name(part)?;
        let target = json::member(part, "target").and_then(json::string);
        words.push(target.map_or_else(|| kind.to_owned(), |target| format!("{kind} {target}")));
        let place = place(text, part);
        fields.push(said.field(&TYPE, place, part.len(), Value::Text(kind.to_owned())));
        fields.push(said.json(&DATA, part));
    }
    let summary = Text::with("{}", words.join(", "));
    Some(App { protocol: "signalr", name: "SignalR", summary, fields, ..App::default() })
}

fn name(message: &str) -> Option<&'static str> {
    let Some(kind) = json::member(message, "type") else {
        // The handshake and its answer have no type.
        let is_handshake = message == "{}"
            || json::member(message, "protocol").is_some()
            || json::member(message, "error").is_some();
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
    fn messages() {
        for (wire, summary) in [
            ("{\"protocol\":\"json\",\"version\":1}\u{1e}", Some("handshake")),
            ("{}\u{1e}", Some("handshake")),
            (
                "{\"type\":6}\u{1e}{\"type\":1,\"target\":\"Send\",\"arguments\":[42]}\u{1e}",
                Some("Ping, Invocation Send"),
            ),
            ("{\"type\":6}", None),
            ("{\"type\":99}\u{1e}", None),
            ("\u{1e}", None),
        ] {
            let said = Said::sample(Dir::Client, 1, true, wire.as_bytes());
            assert_eq!(read(&said).map(|a| a.summary.to_string()).as_deref(), summary, "{wire:?}");
        }
    }
}
