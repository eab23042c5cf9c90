//! GraphQL over WebSocket: `graphql-transport-ws`, and the older `graphql-ws` of subscriptions-transport-ws.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::json::{self, Object};
use super::jsonrpc::failure;
use super::pending::{Id, Pending, Request, Requests};
use crate::model::{Answer, App, Cite, Failure, Finding, Text, fields, rules};

/// GraphQL over WebSocket, as the package graphql-ws speaks it.
pub static DIALECT: Dialect = Dialect {
    id: "graphql-transport-ws",
    subprotocols: &["graphql-transport-ws"],
    looks_like: None,
    first: &[],
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::new(Graphql::new("graphql-transport-ws", TYPES, true))),
    sheet: Sheet {
        name: "GraphQL over WebSocket",
        shown_by: "",
        decoded: "type, operation id and payload; each operation tied to its results, `connection_init` \
                  and `ping` to their answers",
        sample: "clean/graphql.script",
        source: ("GraphQL over WebSocket", "https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md"),
    },
};

/// What came before, of the package subscriptions-transport-ws.
pub static LEGACY: Dialect = Dialect {
    id: "graphql-ws",
    subprotocols: &["graphql-ws"],
    looks_like: None,
    first: &[],
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: &[],
    reader: Reader::Session(|| Box::new(Graphql::new("graphql-ws", LEGACY_TYPES, false))),
    sheet: Sheet {
        name: "subscriptions-transport-ws",
        shown_by: "",
        decoded: "the same of the protocol before it",
        sample: "clean/graphql-legacy.script",
        source: (
            "GraphQL over WebSocket \
                  Protocol",
            "https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md",
        ),
    },
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

/// What is not of the protocol is found where the protocol says so.
#[derive(Debug)]
struct Graphql {
    protocol: &'static str,
    types: &'static [&'static str],
    strict: bool,
    /// Operations without a result, and what else is answered; the kind is a [`Want`].
    pending: Pending,
}

/// What is waited for.
#[derive(Clone, Copy)]
enum Want {
    Result,
    Ack,
    Pong,
}

impl Decoder for Graphql {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        let text = said.as_json();
        let object = text.and_then(Object::read);
        let app = object.as_ref().and_then(|object| self.take(said, object));
        if app.is_none() && self.strict {
            let got = match object.as_ref().and_then(|object| object.get("type")) {
                Some(kind) => Text::with("type {}", clipped(kind)),
                None if text.is_some() => "JSON without a type".into(),
                None => said.instead(),
            };
            let expected = "a JSON object with one of the protocol's types".into();
            found.push(Finding::new(&BAD_MESSAGE, said.dir, expected, got).at(said.span()));
        }
        app
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl Graphql {
    fn new(protocol: &'static str, types: &'static [&'static str], strict: bool) -> Self {
        Self { protocol, types, strict, pending: Pending::default() }
    }

    fn take(&mut self, said: &Said<'_>, object: &Object<'_>) -> Option<App> {
        let (kind_at, id, payload) = (object.get("type")?, object.get("id"), object.get("payload"));
        let kind = json::string(kind_at).filter(|kind| self.types.contains(&kind.as_str()))?;
        let mut fields = vec![said.quote(&TYPE, kind_at.trim_matches('"'))];
        let mut summary = Text::with("{}", &kind);
        if let Some(at) = id {
            summary = Text::new("{}, operation {}").word(summary).and(at.trim_matches('"'));
            fields.push(said.quote(&ID, at.trim_matches('"')));
        }
        fields.extend(payload.map(|at| said.json(&PAYLOAD, at)));
        let answers = self.tie(said, &kind, id, payload);
        Some(App { protocol: self.protocol, name: "GraphQL", summary, fields, answers, ..App::default() })
    }

    /// Remembers what wants an answer, or finds what is answered.
    fn tie(
        &mut self,
        said: &Said<'_>,
        kind: &str,
        id: Option<&str>,
        payload: Option<&str>,
    ) -> Option<Answer> {
        let (dir, now) = (said.dir, said.moment());
        let begin = |pending: &mut Pending, want: Want, what: &str| {
            let what = what.to_owned();
            pending.begin(dir, now, Request { kind: want as u64, what, ..Request::default() });
            None
        };
        let is = |want: Want| move |asked: &Request| asked.kind == want as u64;
        let failed = |payload: Option<&str>| Some(payload.map(error).unwrap_or_default());
        match kind {
            "connection_init" => return begin(&mut self.pending, Want::Ack, "connection_init"),
            "ping" => return begin(&mut self.pending, Want::Pong, "ping"),
            "connection_ack" => return self.over(said, is(Want::Ack), None),
            "connection_error" => return self.over(said, is(Want::Ack), failed(payload)),
            "pong" => return self.over(said, is(Want::Pong), None),
            _ => {}
        }
        let id = Id::text(id?)?;
        let is_it = |asked: &Request| asked.kind == Want::Result as u64 && asked.id == id;
        match kind {
            "subscribe" | "start" => {
                let Operation { title, lasting } = Operation::of(payload.unwrap_or_default());
                let kind = Want::Result as u64;
                let request = Request { kind, id, what: title, lasting, ..Request::default() };
                self.pending.begin(dir, now, request);
                None
            }
            "next" | "data" => {
                let errors = payload.and_then(|payload| json::member(payload, "errors"));
                let errors = errors.filter(|errors| !json::elements(errors).is_empty());
                let mut answer = self.pending.go_on(dir, now, is_it)?;
                answer.failure = errors.map(error);
                Some(answer)
            }
            "error" => self.over(said, is_it, failed(payload)),
            // The client has heard enough; or there is no more.
            "complete" if !self.pending.waits(dir.peer(), is_it) => {
                self.pending.cancel(dir, is_it);
                None
            }
            "complete" => self.over(said, is_it, None),
            "stop" => {
                self.pending.cancel(dir, is_it);
                None
            }
            _ => None,
        }
    }

    fn over(
        &mut self,
        said: &Said<'_>,
        fits: impl Fn(&Request) -> bool,
        failure: Option<Failure>,
    ) -> Option<Answer> {
        let taken = self.pending.take(said.dir, said.moment(), fits, failure);
        taken.map(|(answer, _)| answer)
    }
}

/// What the first of some errors says: a list of them, or one.
fn error(errors: &str) -> Failure {
    let first = json::elements(errors).first().copied().unwrap_or(errors);
    let mut said = failure(first);
    let extensions = json::member(first, "extensions");
    if let Some(code) = extensions.and_then(|it| json::member(it, "code")).and_then(json::string) {
        said.code = Some(clipped(&code).into_owned());
    }
    said
}

/// What an operation is.
struct Operation {
    /// Such as `mutation AddPost`.
    title: String,
    /// It waits for events; or nobody can tell that it does not.
    lasting: bool,
}

impl Operation {
    /// The operation in the payload of `subscribe` or `start`.
    fn of(payload: &str) -> Self {
        let payload = Object::read(payload);
        let of = |name: &str| payload.as_ref().and_then(|payload| payload.string(name));
        let query = of("query").unwrap_or_default();
        let name = of("operationName").filter(|it| !it.is_empty());
        let all = operations(&query);
        let chosen = match &name {
            Some(name) => all.iter().find(|(_, known)| known == name),
            None => all.first(),
        };
        let kind = chosen.map(|(kind, _)| *kind);
        let name = name.or(chosen.map(|(_, name)| (*name).to_owned()).filter(|name| !name.is_empty()));
        let title = match (kind, name) {
            (Some(kind), Some(name)) => format!("{kind} {}", clipped(&name)),
            (None, Some(name)) => clipped(&name).into_owned(),
            (kind, None) => kind.unwrap_or("operation").to_owned(),
        };
        Self { title, lasting: !matches!(kind, Some("query" | "mutation")) }
    }
}

/// The operations of a document (GraphQL §2.3), each with its kind and its name, or else its first field.
fn operations(query: &str) -> Vec<(&'static str, &str)> {
    let (mut all, mut depth) = (Vec::new(), 0_u32);
    let mut rest = query;
    // Whether an operation, or a fragment, was begun whose braces are still to come.
    let (mut is_named, mut is_operation) = (false, false);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' => string_end(rest),
            '{' | '(' => {
                if first == '{' && depth == 0 {
                    if !std::mem::take(&mut is_named) {
                        all.push(("query", ""));
                        is_operation = true;
                    }
                    // Without a name it goes by what it asks for first.
                    if let (true, Some((_, name @ ""))) = (is_operation, all.last_mut()) {
                        *name = word(rest[1..].trim_start());
                    }
                }
                depth += 1;
                1
            }
            '}' | ')' => {
                depth = depth.saturating_sub(1);
                1
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let word = word(rest);
                if depth == 0 && !is_named {
                    is_named = true;
                    let kind = ["query", "mutation", "subscription"].into_iter().find(|kind| *kind == word);
                    let name = self::word(rest[word.len()..].trim_start());
                    is_operation = kind.is_some();
                    all.extend(kind.map(|kind| (kind, name)));
                }
                word.len()
            }
            c => c.len_utf8(),
        };
        rest = &rest[length.max(1)..];
    }
    all
}

/// The name at the beginning of a text.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Where a string ends that a text begins with.
fn string_end(text: &str) -> usize {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        return block.find("\"\"\"").map_or(text.len(), |end| end + 6);
    }
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => return at + 1,
            _ => is_escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dir, Nth};

    #[test]
    fn operations_have_their_kind_and_name() {
        for (payload, title, lasting) in [
            (r#"{"query":"{ hero { name } }"}"#, "query hero", false),
            (r#"{"query":"subscription($x: Int) {\n  price(of: $x) }"}"#, "subscription price", true),
            (r#"{"query":"query A($x: In = {a: 1}) { b }"}"#, "query A", false),
            (r##"{"query":"# { \n mutation Add @x(y: \"}{\") { c }"}"##, "mutation Add", false),
            (r#"{"query":"subscription News { n }"}"#, "subscription News", true),
            (r#"{"query":"fragment F on T { a } query A { b } subscription S { c }"}"#, "query A", false),
            (r#"{"query":"query A { b } subscription S { c }","operationName":"S"}"#, "subscription S", true),
            (r#"{"operationName":"Stored","extensions":{}}"#, "Stored", true),
            ("{}", "operation", true),
        ] {
            let of = Operation::of(payload);
            assert_eq!((&*of.title, of.lasting), (title, lasting), "{payload}");
        }
    }

    #[test]
    fn results_find_their_operations() {
        let mut decoder = Graphql::new("graphql-transport-ws", TYPES, true);
        let mut read = |dir, wire: &str| {
            let app = decoder.read(&Said::sample(dir, 1, true, wire.as_bytes()), &mut Vec::new()).unwrap();
            app.answers.map(|it| (it.what, it.nth, it.failure.and_then(|it| it.message)))
        };
        let (client, server) = (Dir::Client, Dir::Server);
        read(client, r#"{"type":"connection_init"}"#);
        let got = read(server, r#"{"type":"connection_ack"}"#);
        assert_eq!(got, Some(("connection_init".into(), Nth::First, None)));
        read(client, r#"{"id":"1","type":"subscribe","payload":{"query":"query Q { a }"}}"#);
        read(client, r#"{"id":"2","type":"subscribe","payload":{"query":"subscription S { a }"}}"#);
        read(client, r#"{"id":"3","type":"subscribe","payload":{"query":"mutation M { a }"}}"#);
        let next = |id: u8| format!(r#"{{"id":"{id}","type":"next","payload":{{"data":{{}}}}}}"#);
        let complete = |id: u8| format!(r#"{{"id":"{id}","type":"complete"}}"#);
        assert_eq!(read(server, &next(1)), Some(("query Q".into(), Nth::First, None)));
        assert_eq!(read(server, &complete(1)), Some(("query Q".into(), Nth::More, None)));
        assert_eq!(read(server, &next(2)), Some(("subscription S".into(), Nth::More, None)));
        assert_eq!(read(client, &complete(2)), None);
        assert_eq!(read(server, &next(2)), None, "it may have been on its way");
        let error = r#"{"id":"3","type":"error","payload":[{"message":"no","path":["a"]}]}"#;
        assert_eq!(read(server, error), Some(("mutation M".into(), Nth::First, Some("no".into()))));
    }

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
