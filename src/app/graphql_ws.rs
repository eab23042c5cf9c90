//! GraphQL over WebSocket: `graphql-transport-ws`, and the older `graphql-ws` of subscriptions-transport-ws.

use super::dialect::{Dialect, Said};
use super::json;
use crate::model::{App, Cite, FieldDef, Text};

pub static DIALECT: Dialect = Dialect {
    id: "graphql-transport-ws",
    subprotocols: &["graphql-transport-ws"],
    by_content: false,
    fields: &[&TYPE, &ID, &PAYLOAD],
    read: |said| read(said, "graphql-transport-ws", TYPES),
};

pub static LEGACY: Dialect = Dialect {
    id: "graphql-ws",
    subprotocols: &["graphql-ws"],
    by_content: false,
    fields: &[&TYPE, &ID, &PAYLOAD],
    read: |said| read(said, "graphql-ws", LEGACY_TYPES),
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

static TYPE: FieldDef =
    FieldDef { id: "graphql.type", label: "type", help: "What the message is for.", cite: CITE };
static ID: FieldDef =
    FieldDef { id: "graphql.id", label: "id", help: "The operation it belongs to.", cite: CITE };
static PAYLOAD: FieldDef = FieldDef {
    id: "graphql.payload",
    label: "payload",
    help: "The operation, its result or its errors.",
    cite: CITE,
};

fn read(said: &Said<'_>, protocol: &'static str, types: &[&str]) -> Option<App> {
    let text = said.as_text().filter(|text| json::is_valid(text))?;
    let kind_at = json::member(text, "type")?;
    let kind = json::string(kind_at).filter(|kind| types.contains(&kind.as_str()))?;
    let mut fields = vec![said.quote(&TYPE, kind_at.trim_matches('"'))];
    let mut summary = Text::with("{}", &kind);
    if let Some(at) = json::member(text, "id") {
        summary = Text::with("{}, operation {}", &kind).and(at.trim_matches('"'));
        fields.push(said.quote(&ID, at.trim_matches('"')));
    }
    fields.extend(json::member(text, "payload").map(|at| said.json(&PAYLOAD, at)));
    Some(App { protocol, name: "GraphQL", summary, fields, ..App::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dir, SourceId};

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
            let said = Said { dir: Dir::Client, text: true, bytes: wire.as_bytes(), source: SourceId::Input };
            let app = (dialect.read)(&said);
            assert_eq!(app.map(|a| a.summary.to_string()).as_deref(), summary, "{wire}");
        }
    }
}
