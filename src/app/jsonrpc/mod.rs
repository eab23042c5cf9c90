//! JSON-RPC 2.0: requests, notifications and responses, by either side, alone or in batches; also behind the
//! header of the Language Server Protocol.
//!
//! `framed` reads that header, `names` tells what speaks by its methods.

mod framed;
mod names;

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::glance::{Glance, JSONRPC};
use super::json::{self, Object};
use super::pending::{Id, Pending, Request, Requests};
use crate::limits::APP_PACKETS;
use crate::model::{Answer, App, Cite, Failure, Field, Finding, Text, fields, rules};

/// JSON-RPC 2.0.
pub static DIALECT: Dialect = Dialect {
    id: "json-rpc",
    subprotocols: &["jsonrpc", "json-rpc", "jsonrpc2.0", "mcp"],
    looks_like: Some(looks_like),
    first: b"{[ \t\n\x0C\rCc",
    last: &[],
    marks: JSONRPC,
    target: None,
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<JsonRpc>::default()),
    sheet: Sheet {
        name: "JSON-RPC 2.0, LSP, MCP",
        shown_by: "a member `jsonrpc`, alone, in a batch, or behind a header `Content-Length`",
        decoded: "method, id, parameters, result and error; requests of both sides tied to their \
                  responses, cancelled ones left out",
        sample: "clean/jsonrpc.script",
        source: ("JSON-RPC 2.0", "https://www.jsonrpc.org/specification"),
    },
};

/// A section of the specification.
const fn rpc(section: &'static str) -> Cite {
    Cite { doc: "JSON-RPC 2.0", section }
}

fields! {
    /// The fields of JSON-RPC.
    FIELDS;
    METHOD = "jsonrpc.method", "method", rpc("4"), "What is to be done.";
    ID = "jsonrpc.id", "id", rpc("4"), "Ties a response to its request.";
    PARAMS = "jsonrpc.params", "params", rpc("4.2"), "The arguments, by place or by name.";
    RESULT = "jsonrpc.result", "result", rpc("5"), "What the method returned.";
    ERROR = "jsonrpc.error", "error", rpc("5.1"), "Why it failed: code, message, and more.";
    HEADER = "jsonrpc.header", "header", LSP, "How long the content is that follows, and what it is.";
}

/// Where the header in front of messages is defined.
const LSP: Cite = Cite { doc: "LSP 3.17", section: "Header Part" };

rules! {
    /// The rules of JSON-RPC.
    RULES;
    BAD_MESSAGE = "jsonrpc-bad-message", Error, rpc("4"), Either,
        "Not a message of JSON-RPC 2.0",
        "A server answers with -32700 or -32600; a client drops it, or fails.";
    BOTH = "jsonrpc-result-and-error", Error, rpc("5"), Either,
        "A response with both a result and an error",
        "Whoever asked takes it for a success or for a failure, as its library likes.";
    CONTENT_LENGTH = "jsonrpc-content-length-mismatch", Error, LSP, Either,
        "The Content-Length in front of a message is not the length of what follows",
        "The receiver cuts the message off, or waits for more of it.",
        usually "the length was counted in characters instead of bytes",
        mend "count bytes of UTF-8; or leave the header out, as a WebSocket message has its own length";
    UNEXPECTED = "jsonrpc-unexpected-response", Warning, rpc("5"), Either,
        "A response to no request of the other side",
        "The receiver drops it; the request that was meant waits until its timeout.";
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct JsonRpc {
    pending: Pending,
    /// What speaks, as far as its methods have shown it.
    family: Option<names::Family>,
}

/// An object of JSON-RPC, by its members as they were written.
struct Call<'t> {
    method: Option<String>,
    id: Option<&'t str>,
    params: Option<&'t str>,
    result: Option<&'t str>,
    error: Option<&'t str>,
    method_at: &'t str,
}

/// An object or a batch that names the protocol.
fn looks_like(said: &Said<'_>) -> bool {
    if framed::begins(said.bytes) {
        return said.text;
    }
    if !said.glance.may_bear(JSONRPC) {
        return false;
    }
    said.text && matches!(said.bytes.trim_ascii_start().first(), Some(b'{' | b'[')) && {
        // Whoever writes the member first or last writes it there; what is long stands between.
        let (first, last) = (said.bytes.first_chunk::<ENDS>(), said.bytes.last_chunk::<ENDS>());
        let names_it = |part: &[u8]| Glance::None.bears(JSONRPC, part);
        match (first, last) {
            (Some(first), Some(last)) => names_it(first) || names_it(last),
            _ => names_it(said.bytes),
        }
    }
}

/// Bytes at either end of a message that are looked at for the protocol's name.
const ENDS: usize = 128;

impl Decoder for JsonRpc {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            // It may have been a request or a response.
            self.pending.lost(said.dir);
            return None;
        }
        if !said.agreed && !looks_like(said) {
            return None;
        }
        let framed = said.as_text().filter(|text| framed::begins(text.as_bytes()));
        let mut app = if let Some(text) = framed {
            self.framed(said, text, found)?
        } else {
            let app = said.as_json().and_then(|text| self.content(said, text, found));
            if app.is_none() {
                found.push(said.broken(&BAD_MESSAGE, EXPECTED.into()));
            }
            app?
        };
        if let Some(family) = self.family {
            app.packets.iter_mut().for_each(|packet| packet.name = family.short());
            app.name = family.short();
        }
        Some(app)
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

/// What a message has to be.
const EXPECTED: &str = "an object with \"jsonrpc\":\"2.0\" and method, result or error, or an array of them";

impl JsonRpc {
    /// Reads messages behind headers.
    fn framed(&mut self, said: &Said<'_>, text: &str, found: &mut Vec<Finding>) -> Option<App> {
        let (mut apps, mut rest) = (Vec::new(), text);
        while !rest.trim().is_empty() && apps.len() < APP_PACKETS {
            let Some(part) = framed::Part::read(rest) else {
                found
                    .push(said.broken(&BAD_MESSAGE, "Content-Length, an empty line, and the content".into()));
                break;
            };
            if part.declared != part.content.len() {
                let expected = Text::with("Content-Length: {}", part.content.len());
                let got = Text::with("Content-Length: {}", part.declared);
                let finding = Finding::new(&CONTENT_LENGTH, said.dir, expected, got);
                found.push(finding.at(said.span_of(part.header)));
            }
            rest = part.rest;
            let content =
                json::is_valid(part.content).then(|| self.content(said, part.content, found)).flatten();
            let Some(mut app) = content else {
                found.push(said.broken(&BAD_MESSAGE, EXPECTED.into()));
                break;
            };
            let header = said.quote(&HEADER, part.header);
            app.packets.first_mut().map_or(&mut app.fields, |first| &mut first.fields).insert(0, header);
            apps.push(app);
        }
        if apps.len() > 1 {
            let mut all: Vec<App> = Vec::new();
            let mut summary = Text::with("{} messages", apps.len());
            for mut app in apps {
                summary = summary.then(app.summary.clone());
                let packets = std::mem::take(&mut app.packets);
                if packets.is_empty() { all.push(app) } else { all.extend(packets) }
            }
            return Some(App { packets: all, ..app(summary) });
        }
        apps.pop()
    }

    /// Reads an object or a batch.
    fn content(&mut self, said: &Said<'_>, text: &str, found: &mut Vec<Finding>) -> Option<App> {
        let parts = json::batch(text);
        let calls: Vec<Call<'_>> = parts.iter().take(APP_PACKETS).filter_map(|part| call(part)).collect();
        if calls.is_empty() || calls.len() < parts.len().min(APP_PACKETS) {
            return None;
        }
        if parts.len() > APP_PACKETS {
            self.pending.lost(said.dir);
        }
        let apps = calls.iter().map(|call| self.describe(said, call, found)).collect();
        Some(app(Text::with("a batch of {}", parts.len())).around(apps))
    }

    fn describe(&mut self, said: &Said<'_>, call: &Call<'_>, found: &mut Vec<Finding>) -> App {
        let answers = self.tie(said, call);
        if let (Some(result), Some(error)) = (call.result.filter(|it| *it != "null"), call.error) {
            let got = Text::with("result {}, error {}", clipped(result)).and(clipped(error));
            let finding = Finding::new(&BOTH, said.dir, "result or error".into(), got);
            found.push(finding.at(said.span_of(error)));
        }
        let is_known = said.agreed && !self.pending.is_incomplete(said.dir.peer());
        if let (None, true, None, Some(id)) =
            (&answers, is_known, &call.method, call.id.filter(|id| *id != "null"))
        {
            let expected = "the id of a request without a response".into();
            let finding = Finding::new(&UNEXPECTED, said.dir, expected, Text::with("id {}", clipped(id)));
            found.push(finding.at(said.span_of(id)));
        }
        let id = call.id.map(|id| clipped(id.trim_matches('"')));
        let summary = match (&call.method, &id) {
            (Some(method), Some(id)) => Text::with("{}, request {}", clipped(method)).and(id),
            (Some(method), None) => Text::with("{}, notification", clipped(method)),
            (None, id) => {
                let id = id.as_deref().unwrap_or("null");
                match call.error.map(failure) {
                    Some(failure) => Text::with("error {}, request {}", in_a_line(&failure)).and(id),
                    None => Text::with("result, request {}", id),
                }
            }
        };
        let mut fields = Vec::new();
        if let Some(method) = &call.method {
            self.family = self.family.or_else(|| names::Family::of(method, call.params));
            let meaning = self.family.map_or_else(Text::default, names::Family::name);
            fields.push(Field { meaning, ..said.quote(&METHOD, call.method_at.trim_matches('"')) });
        }
        fields.extend(call.id.map(|at| match at.strip_prefix('"').and_then(|at| at.strip_suffix('"')) {
            Some(inner) => said.quote(&ID, inner),
            None => said.json(&ID, at),
        }));
        for (def, at) in [(&PARAMS, call.params), (&RESULT, call.result), (&ERROR, call.error)] {
            fields.extend(at.map(|at| said.json(def, at)));
        }
        if let (Some(error), Some(field)) = (call.error, fields.last_mut().filter(|it| it.def == &ERROR)) {
            field.meaning = json::member(error, "code").and_then(names::code).unwrap_or_default();
        }
        App { fields, answers, ..app(summary) }
    }

    /// Remembers a request, or finds the one that is answered.
    fn tie(&mut self, said: &Said<'_>, call: &Call<'_>) -> Option<Answer> {
        if let Some(given_up) = call.cancels() {
            let id = Id::text(given_up)?;
            self.pending.cancel(said.dir, |asked| asked.id == id);
            return None;
        }
        let (now, id) = (said.moment(), Id::text(call.id?)?);
        let Some(method) = &call.method else {
            let failure = call.error.map(failure);
            let known = self.pending.answer(said.dir, now, |asked| asked.id == id, failure.clone());
            // What could not be read has no id (JSON-RPC 2.0 §5).
            let is_of_none = failure.is_some() && call.id == Some("null");
            let unread = || Answer { what: "null".into(), failure, ..Answer::default() };
            return known.or_else(|| is_of_none.then(unread));
        };
        // In version 1.0 a request with null for its id was a notification, and some take it for one still.
        let lasting = call.id == Some("null");
        let what = clipped(method).into_owned();
        self.pending.begin(said.dir, now, Request { id, what, lasting, ..Request::default() });
        None
    }
}

impl<'t> Call<'t> {
    /// The request that is given up: what is said to it afterwards is no answer to wait for. JSON-RPC itself
    /// has no such thing; this is how the Language Server Protocol and the Model Context Protocol say it.
    fn cancels(&self) -> Option<&'t str> {
        match self.method.as_deref()? {
            "$/cancelRequest" => json::member(self.params?, "id"),
            "notifications/cancelled" => json::member(self.params?, "requestId"),
            _ => None,
        }
    }
}

/// Reads an object; `None` when it is none of JSON-RPC.
fn call(text: &str) -> Option<Call<'_>> {
    let object = Object::read(text)?;
    if object.get("jsonrpc") != Some("\"2.0\"") {
        return None;
    }
    let of = |name| object.get(name);
    let (id, params, result, error) = (of("id"), of("params"), of("result"), of("error"));
    let (method_at, method) = (of("method").unwrap_or_default(), object.string("method"));
    let is_one = method.is_some() || result.is_some() || error.is_some();
    // Some write both, one of them null.
    let error = error.filter(|error| *error != "null");
    is_one.then_some(Call { method, id, params, result, error, method_at })
}

/// What an error object says: `code` and `message`.
pub(super) fn failure(error: &str) -> Failure {
    let code = json::member(error, "code").map(|code| {
        let said = json::string(code);
        clipped(said.as_deref().unwrap_or(code)).into_owned()
    });
    let message = match json::string(error) {
        // Some put a string where the object should be.
        Some(words) => Some(words),
        None => json::member(error, "message").and_then(json::string),
    };
    Failure { code, message: message.map(|words| clipped(&words).into_owned()) }
}

/// Code and message together.
fn in_a_line(failure: &Failure) -> String {
    match (&failure.code, &failure.message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (code, message) => code.clone().or(message.clone()).unwrap_or_default(),
    }
}

fn app(summary: Text) -> App {
    App { protocol: "json-rpc", name: "JSON-RPC", summary, ..App::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dir, Nth};

    fn read(messages: &[(Dir, &str)]) -> Vec<Option<App>> {
        let mut decoder = JsonRpc::default();
        let said = |(i, (dir, wire)): (usize, &(Dir, &'static str))| {
            Said::sample(*dir, i as u64, true, wire.as_bytes())
        };
        let messages: Vec<(Dir, &'static str)> =
            messages.iter().map(|(dir, wire)| (*dir, &*wire.to_string().leak())).collect();
        messages.iter().enumerate().map(said).map(|said| decoder.read(&said, &mut Vec::new())).collect()
    }

    fn answered(app: &App) -> Vec<(String, Nth, Option<String>)> {
        let failure = |it: &Answer| it.failure.clone().and_then(|it| it.code);
        app.answers().map(|it| (it.what.clone(), it.nth, failure(it))).collect()
    }

    #[test]
    fn requests_notifications_and_responses() {
        for (wire, summary) in [
            (r#"{"jsonrpc":"2.0","method":"sum","params":[1,2],"id":1}"#, Some("sum, request 1")),
            (r#" {"id":"a-1", "method":"x", "jsonrpc" : "2.0"}"#, Some("x, request a-1")),
            (r#"{"jsonrpc":"2.0","method":"update"}"#, Some("update, notification")),
            (r#"{"jsonrpc":"2.0","result":null,"id":1}"#, Some("result, request 1")),
            (
                r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}"#,
                Some("error -32601: Method not found, request 1"),
            ),
            (
                r#"[{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"b"}]"#,
                Some("a batch of 2; a, request 1; b, notification"),
            ),
            (r#"{"jsonrpc":"1.0","method":"a","id":1}"#, None),
            (r#"{"jsonrpc":"2.0"}"#, None),
            (r#"[{"jsonrpc":"2.0","method":"a","id":1},7]"#, None),
            (r#"{"method":"a","id":1}"#, None),
            (r#"{"jsonrpc":"2.0","method":"a""#, None),
        ] {
            let app = read(&[(Dir::Client, wire)]).remove(0);
            assert_eq!(app.map(|it| it.summary.to_string()).as_deref(), summary, "{wire}");
        }
    }

    #[test]
    fn messages_behind_headers() {
        let one = r#"{"jsonrpc":"2.0","id":1,"method":"textDocument/hover","params":{}}"#;
        let two = r#"{"jsonrpc":"2.0","method":"$/progress"}"#;
        let framed = |declared: usize, content: &str| format!("Content-Length: {declared}\r\n\r\n{content}");
        let both = framed(one.len(), one) + &framed(two.len(), two);
        let broken = |wire: &str, agreed| {
            let (mut decoder, mut found) = (JsonRpc::default(), Vec::new());
            let said = Said { agreed, ..Said::sample(Dir::Client, 1, true, wire.as_bytes()) };
            let line = decoder.read(&said, &mut found).map(|app| app.summary.to_string()).unwrap_or_default();
            (line, found.iter().map(|finding| finding.rule.id).collect::<Vec<_>>())
        };
        let line = "2 messages; textDocument/hover, request 1; $/progress, notification";
        assert_eq!(broken(&both, false), (line.to_owned(), vec![]));
        assert_eq!(broken(&framed(9, one), false).1, ["jsonrpc-content-length-mismatch"]);
        assert_eq!(broken("Content-Length: 2\r\n\r\n{}", false).1, ["jsonrpc-bad-message"]);
        assert_eq!(broken(r#"{"jsonrpc":"2.0"}"#, true).1, ["jsonrpc-bad-message"]);
        let error = r#"{"jsonrpc":"2.0","id":1,"result":0,"error":{"code":1,"message":"x"}}"#;
        assert_eq!(broken(error, true).1, ["jsonrpc-result-and-error", "jsonrpc-unexpected-response"]);
        assert_eq!(broken(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}"#, true).1, [""; 0]);
    }

    #[test]
    fn ids_of_both_sides_and_of_all_types() {
        let apps = read(&[
            (Dir::Client, r#"{"jsonrpc":"2.0","method":"a","id":1}"#),
            (Dir::Server, r#"{"jsonrpc":"2.0","method":"b","id":1}"#),
            (Dir::Client, r#"{"jsonrpc":"2.0","method":"c","id":"1"}"#),
            (Dir::Server, r#"{"jsonrpc":"2.0","result":0,"id":"1"}"#),
            (Dir::Client, r#"{"jsonrpc":"2.0","result":0,"id":1}"#),
            (Dir::Server, r#"{"jsonrpc":"2.0","error":{"code":5,"message":"no"},"id":1}"#),
            (Dir::Server, r#"{"jsonrpc":"2.0","result":0,"id":1}"#),
            (Dir::Server, r#"{"jsonrpc":"2.0","result":0,"id":99}"#),
        ]);
        let all: Vec<_> = apps.iter().map(|app| answered(app.as_ref().unwrap())).collect();
        let one = |what: &str, nth, code: Option<&str>| vec![(what.to_owned(), nth, code.map(str::to_owned))];
        assert_eq!(all[3], one("c", Nth::First, None));
        assert_eq!(all[4], one("b", Nth::First, None));
        assert_eq!(all[5], one("a", Nth::First, Some("5")));
        assert_eq!(all[6], one("a", Nth::Again, None));
        assert_eq!(all[7], []);
    }

    #[test]
    fn who_gives_up_does_not_wait() {
        for cancel in [
            r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        ] {
            let apps = read(&[
                (Dir::Client, r#"{"jsonrpc":"2.0","method":"complete","id":1}"#),
                (Dir::Client, cancel),
                (Dir::Server, r#"{"jsonrpc":"2.0","error":{"code":-32800,"message":"cancelled"},"id":1}"#),
            ]);
            assert_eq!(answered(apps[2].as_ref().unwrap()), [], "{cancel}");
        }
    }

    #[test]
    fn a_batch_is_answered_in_any_order() {
        let apps = read(&[
            (
                Dir::Client,
                r#"[{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"b","id":null},
                    {"jsonrpc":"2.0","method":"c","id":2}]"#,
            ),
            (Dir::Server, r#"[{"jsonrpc":"2.0","result":0,"id":2},{"jsonrpc":"2.0","result":0,"id":1}]"#),
        ]);
        let whats: Vec<_> = apps[1].as_ref().unwrap().answers().map(|it| it.what.clone()).collect();
        assert_eq!(whats, ["c", "a"]);
    }
}
