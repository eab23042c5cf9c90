//! GraphQL over WebSocket: `graphql-transport-ws`, and the older `graphql-ws` of subscriptions-transport-ws.

use super::dialect::{Decoder, Dialect, Reader, Said};
use super::excerpt::clipped;
use super::json;
use crate::model::{App, Cite, Finding, Span, Text, fields, rules};

/// GraphQL over WebSocket, as the package graphql-ws speaks it.
pub static DIALECT: Dialect = Dialect {
    id: "graphql-transport-ws",
    subprotocols: &["graphql-transport-ws"],
    looks_like: None,
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| {
        Box::new(Graphql { protocol: "graphql-transport-ws", types: TYPES, strict: true })
    }),
};

/// What came before, of the package subscriptions-transport-ws.
pub static LEGACY: Dialect = Dialect {
    id: "graphql-ws",
    subprotocols: &["graphql-ws"],
    looks_like: None,
    fields: FIELDS,
    rules: &[],
    reader: Reader::Session(|| {
        Box::new(Graphql { protocol: "graphql-ws", types: LEGACY_TYPES, strict: false })
    }),
};

const TYPES: &[&str] =
    &["connection_init", "connection_ack", "ping", "pong", "subscribe", "next", "error", "complete"];

const LEGACY_TYPES: &[&str] = &[
    "connection_init",
    "connection_ack",
    "connection_error",
    "ka",
    "start",
    "stop",
    "data",
    "error",
    "complete",
    "connection_terminate",
];

const CITE: Cite = Cite { doc: "GraphQL over WebSocket", section: "" };

fields! {
    /// The fields of both protocols.
    FIELDS;
    TYPE = "graphql.type", "type", CITE, "What the message is for.";
    ID = "graphql.id", "id", CITE, "The operation it belongs to.";
    PAYLOAD = "graphql.payload", "payload", CITE, "The operation, its result or its errors.";
}

rules! {
    /// The rules of graphql-transport-ws.
    RULES;
    BAD_MESSAGE = "graphql-bad-message", Error,
        Cite { doc: "GraphQL over WebSocket", section: "Invalid message" }, Either,
        "Not a message of graphql-transport-ws",
        "The receiver closes the connection with 4400.";
}

/// Each message stands for itself; what is not of the protocol is found where the protocol says so.
#[derive(Debug)]
struct Graphql {
    protocol: &'static str,
    types: &'static [&'static str],
    strict: bool,
}

impl Decoder for Graphql {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            return None;
        }
        let app = read(said, self.protocol, self.types);
        if app.is_none() && self.strict {
            let got = match said.as_text() {
                None => "a binary message".into(),
                Some(text) if !json::is_valid(text) => "something that is no JSON".into(),
                Some(text) => match json::member(text, "type") {
                    Some(kind) => Text::with("type {}", clipped(kind)),
                    None => "JSON without a type".into(),
                },
            };
            let expected = "a JSON object with one of the protocol's types".into();
            let at = Span::bytes(said.source, 0, said.length);
            found.push(Finding::new(&BAD_MESSAGE, said.dir, expected, got).at(at));
        }
        app
    }
}

fn read(said: &Said<'_>, protocol: &'static str, types: &[&str]) -> Option<App> {
    let text = said.as_text().filter(|text| json::is_valid(text))?;
    let kind_at = json::member(text, "type")?;
    let kind = json::string(kind_at).filter(|kind| types.contains(&kind.as_str()))?;
    let mut fields = vec![said.quote(&TYPE, kind_at.trim_matches('"'))];
    let mut summary = Text::with("{}", &kind);
    if let Some(at) = json::member(text, "id") {
        summary = Text::new("{}, operation {}").word(summary).and(at.trim_matches('"'));
        fields.push(said.quote(&ID, at.trim_matches('"')));
    }
    fields.extend(json::member(text, "payload").map(|at| said.json(&PAYLOAD, at)));
    Some(App { protocol, name: "GraphQL", summary, fields, ..App::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dir;

    #[test]
    fn messages_of_both_protocols() {
        for (dialect, wire, summary) in [
            (&DIALECT, r#"{"type":"connection_init"}"#, Some("connection_init")),
            (&DIALECT, r#"{"id":"a-1","type":"next","payload":{"data":{}}}"#, Some("next, operation a-1")),
            (&DIALECT, r#"{"type":"start","id":"1"}"#, None),
            (&LEGACY, r#"{"type":"start","id":"1"}"#, Some("start, operation 1")),
            (&LEGACY, r#"{"type":"ka"}"#, Some("ka")),
            (&DIALECT, r#"{"type":1}"#, None),
            (&DIALECT, "{", None),
        ] {
            let said = Said::sample(Dir::Client, 1, true, wire.as_bytes());
            let mut found = Vec::new();
            let Reader::Session(decoder) = dialect.reader else { panic!("{} has no decoder", dialect.id) };
            let app = decoder().read(&said, &mut found);
            let rules: Vec<_> = found.iter().map(|f| f.rule.id).collect();
            let is_bad = app.is_none() && dialect.id == "graphql-transport-ws";
            assert_eq!(rules, if is_bad { vec!["graphql-bad-message"] } else { vec![] }, "{wire}");
            assert_eq!(app.map(|a| a.summary.to_string()).as_deref(), summary, "{wire}");
        }
    }
}
