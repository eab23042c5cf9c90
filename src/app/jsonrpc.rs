//! JSON-RPC 2.0: requests, notifications and responses, by either side, alone or in batches.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::dialect::{Decoder, Dialect, Reader, Said};
use super::excerpt::clipped;
use super::glance::Glance;
use super::json;
use super::pending::{Id, Pending, Request, Requests};
use crate::limits::APP_PACKETS;
use crate::model::json::Json;
use crate::model::{Answer, App, Cite, Dir, Failure, Finding, Text, fields};

/// JSON-RPC 2.0.
pub static DIALECT: Dialect = Dialect {
    id: "json-rpc",
    subprotocols: &["jsonrpc", "json-rpc", "jsonrpc2.0"],
    looks_like: Some(looks_like),
    first: b"{[ \t\n\x0C\r",
    fields: FIELDS,
    rules: &[],
    reader: Reader::Session(|| Box::<JsonRpc>::default()),
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
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct JsonRpc {
    pending: Pending,
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
    if let Glance::Json { says_jsonrpc: false, .. } = said.glance {
        return false;
    }
    said.text && matches!(said.bytes.trim_ascii_start().first(), Some(b'{' | b'[')) && {
        // Whoever writes the member first or last writes it there; what is long stands between.
        let (first, last) = (said.bytes.first_chunk::<ENDS>(), said.bytes.last_chunk::<ENDS>());
        let names_it = |part: &[u8]| NAME.find(part).is_some();
        match (first, last) {
            (Some(first), Some(last)) => names_it(first) || names_it(last),
            _ => names_it(said.bytes),
        }
    }
}

/// The member that names the protocol. Nearly every message in JSON is searched for it.
static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"jsonrpc\""));

/// Bytes at either end of a message that are looked at for the protocol's name.
const ENDS: usize = 128;

impl Decoder for JsonRpc {
    fn read(&mut self, said: &Said<'_>, _found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            // It may have been a request or a response.
            self.pending.lost(said.dir);
            return None;
        }
        if !looks_like(said) {
            return None;
        }
        let text = said.as_json()?;
        let parts = match Json::read(text)? {
            Json::Array(parts) => parts,
            _ => vec![text],
        };
        let calls: Vec<Call<'_>> = parts.iter().take(APP_PACKETS).filter_map(|part| call(part)).collect();
        if calls.is_empty() || calls.len() < parts.len().min(APP_PACKETS) {
            return None;
        }
        if parts.len() > APP_PACKETS {
            self.pending.lost(said.dir);
        }
        let mut apps: Vec<App> = calls.iter().map(|call| self.describe(said, call)).collect();
        if apps.len() == 1 {
            return apps.pop();
        }
        let mut summary = Text::with("a batch of {}", parts.len());
        for app in &apps {
            summary = Text::new("{}; {}").word(summary).word(app.summary.clone());
        }
        Some(App { packets: apps, ..app(summary) })
    }

    fn lost(&mut self, dir: Dir) {
        self.pending.lost(dir);
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl JsonRpc {
    fn describe(&mut self, said: &Said<'_>, call: &Call<'_>) -> App {
        let answers = self.tie(said, call);
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
        if call.method.is_some() {
            fields.push(said.quote(&METHOD, call.method_at.trim_matches('"')));
        }
        fields.extend(call.id.map(|at| match at.strip_prefix('"').and_then(|at| at.strip_suffix('"')) {
            Some(inner) => said.quote(&ID, inner),
            None => said.json(&ID, at),
        }));
        for (def, at) in [(&PARAMS, call.params), (&RESULT, call.result), (&ERROR, call.error)] {
            fields.extend(at.map(|at| said.json(def, at)));
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
            return self.pending.answer(said.dir, now, |asked| asked.id == id, failure);
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
    let Json::Object(members) = Json::read(text)? else { return None };
    let of = |name: &str| {
        let is_it = |(key, _): &&(&str, &str)| key.trim_matches('"') == name;
        members.iter().find(is_it).map(|(_, value)| *value)
    };
    if of("jsonrpc") != Some("\"2.0\"") {
        return None;
    }
    let method = of("method").and_then(json::string);
    let (id, params, result, error) = (of("id"), of("params"), of("result"), of("error"));
    let is_one = method.is_some() || result.is_some() || error.is_some();
    let method_at = of("method").unwrap_or_default();
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
    use crate::model::Nth;

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
