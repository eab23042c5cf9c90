//! Home Assistant's WebSocket API: the client proves who it is by a token, then commands have ids that grow,
//! and results and events name them. The token is not shown.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::glance::HA_VERSION;
use super::json::{self, Object};
use super::jsonrpc::failure;
use super::pending::{Id, Pending, Request, Requests};
use crate::limits::APP_PACKETS;
use crate::model::{Answer, App, Cite, Dir, Finding, Text, Value, fields, rules};

/// Home Assistant.
pub static DIALECT: Dialect = Dialect {
    id: "home-assistant",
    subprotocols: &[],
    looks_like: Some(looks_like),
    first: b"{ \t\n\x0C\r",
    last: &[],
    marks: HA_VERSION,
    target: Some(is_target),
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<HomeAssistant>::default()),
    sheet: Sheet {
        name: "Home Assistant",
        shown_by: "a target `/api/websocket`; `auth_required` or `auth_ok` with `ha_version`",
        decoded: "type, id, what a command carries, result, error and event; commands tied to their results, \
                  the phase of authentication, ids that must grow; tokens are left out",
        sample: "home-assistant.pcap",
        source: ("Home Assistant WebSocket API", "https://developers.home-assistant.io/docs/api/websocket/"),
    },
};

/// A part of the documentation.
const fn ha(section: &'static str) -> Cite {
    Cite { doc: "Home Assistant WebSocket API", section }
}

fields! {
    /// The fields of Home Assistant.
    FIELDS;
    TYPE = "home-assistant.type", "type", ha("Message format"), "What the message is for.";
    ID = "home-assistant.id", "id", ha("Message format"), "Ties results and events to their command.";
    VERSION = "home-assistant.ha_version", "ha_version", ha("Authentication phase"), "The server's version.";
    TOKEN = "home-assistant.access_token", "access_token", ha("Authentication phase"),
        "What proves who the client is; it is not shown.";
    SUCCESS = "home-assistant.success", "success", ha("Message format"), "Whether the command was done.";
    RESULT = "home-assistant.result", "result", ha("Message format"), "What the command returned.";
    ERROR = "home-assistant.error", "error", ha("Error handling"), "Why it failed: code and message.";
    EVENT = "home-assistant.event_data", "event", ha("Events"), "What happened.";
    DATA = "home-assistant.data", "data", ha("Message format"), "What else the command carries.";
}

rules! {
    /// The rules of Home Assistant.
    RULES;
    BAD_MESSAGE = "home-assistant-bad-message", Error, ha("Message format"), Either,
        "Not a message of Home Assistant's API",
        "The server answers invalid_format, or closes the connection.";
    AUTH_INVALID = "home-assistant-auth-invalid", Error, ha("Authentication phase"), Client,
        "The server does not take the client's token",
        "The server closes the connection, and may ban the address after several attempts.",
        usually "the token was revoked or has run out, or is one of another server",
        mend "make a long-lived token in the user's profile; renew an access token before it runs out";
    BEFORE_AUTH = "home-assistant-command-before-auth", Error, ha("Authentication phase"), Client,
        "A command before the client has proved who it is",
        "The server answers auth_invalid and closes the connection.";
    ID_NOT_GREATER = "home-assistant-id-not-greater", Error, ha("Message format"), Client,
        "An id that is not greater than those before",
        "The server answers id_reuse and does nothing.",
        usually "two parts of the client count by themselves on one connection",
        mend "let one counter a connection give the ids";
}

/// `/api/websocket`, also behind a prefix.
fn is_target(path: &str, _query: &str) -> bool {
    path.ends_with("/api/websocket")
}

fn looks_like(said: &Said<'_>) -> bool {
    said.bears(b"{", HA_VERSION)
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct HomeAssistant {
    pending: Pending,
    /// The client has said who it is.
    is_in: bool,
    /// It was told that it had not.
    told: bool,
    /// The greatest id of the client's so far.
    greatest: Option<u64>,
    /// Something of the client's may be missing.
    incomplete: bool,
}

impl Decoder for HomeAssistant {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.lost(said.dir);
            return None;
        }
        if !said.known && !said.expected && !looks_like(said) {
            return None;
        }
        if !said.known && !said.expected {
            // What came before was not read.
            self.incomplete = true;
        }
        // Who agreed on coalesce_messages gets several in an array.
        let parts = said.as_json().map(json::batch).unwrap_or_default();
        let objects: Vec<_> = parts.iter().take(APP_PACKETS).filter_map(|part| typed(part)).collect();
        if objects.is_empty() || objects.len() < parts.len().min(APP_PACKETS) {
            found.push(said.broken(&BAD_MESSAGE, "an object with a type".into()));
            return None;
        }
        if !said.known && !objects.iter().any(|(kind, _)| kind.starts_with("auth")) {
            return None;
        }
        if parts.len() > APP_PACKETS {
            self.pending.lost(said.dir);
        }
        let apps = objects.iter().map(|(kind, object)| self.take(said, kind, object, found)).collect();
        Some(app(Text::default()).around(apps))
    }

    fn lost(&mut self, dir: Dir) {
        self.pending.lost(dir);
        self.incomplete |= dir == Dir::Client;
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

/// An object and its type.
fn typed(text: &str) -> Option<(String, Object<'_>)> {
    let object = Object::read(text)?;
    Some((object.string("type")?, object))
}

impl HomeAssistant {
    fn take(&mut self, said: &Said<'_>, kind: &str, object: &Object<'_>, found: &mut Vec<Finding>) -> App {
        let id = object.get("id").filter(|id| id.parse::<u64>().is_ok());
        let mut fields = Vec::new();
        for (def, name) in [
            (&TYPE, "type"),
            (&ID, "id"),
            (&VERSION, "ha_version"),
            (&TOKEN, "access_token"),
            (&SUCCESS, "success"),
            (&RESULT, "result"),
            (&ERROR, "error"),
            (&EVENT, "event"),
        ] {
            let Some(literal) = object.get(name) else { continue };
            let mut field = said.literal(def, literal);
            if name == "access_token" {
                // Who has it may do what its owner may: it stays in the capture.
                field.value = Value::Text("…".to_owned());
                field.meaning = Text::with("{} characters, not shown", literal.len().saturating_sub(2));
            }
            fields.push(field);
        }
        for name in
            ["event_type", "domain", "service", "service_data", "target", "entity_id", "template", "message"]
        {
            fields.extend(object.get(name).map(|literal| said.literal(&DATA, literal)));
        }
        let failed = object.get("error").filter(|_| object.get("success") == Some("false")).map(failure);
        let mut line = clipped(kind).into_owned();
        if let Some(failed) = &failed {
            let words = failed.code.as_deref().or(failed.message.as_deref()).unwrap_or_default();
            line = format!("{line} {words}");
        }
        let summary = Text::with("{}", id.map_or_else(|| line.clone(), |id| format!("{line}, {id}")));
        self.judge(said, kind, object, found);
        let answers = self.tie(said, kind, id, failed);
        App { fields, answers, ..app(summary) }
    }

    fn judge(&mut self, said: &Said<'_>, kind: &str, object: &Object<'_>, found: &mut Vec<Finding>) {
        let at = |name: &str| object.get(name).map_or_else(|| said.span(), |part| said.span_of(part));
        match (said.dir, kind) {
            (Dir::Server, "auth_ok") | (Dir::Client, "auth") => self.is_in = true,
            (Dir::Server, "auth_invalid") if !self.told => {
                let words = object.string("message").unwrap_or_default();
                let got = Text::with("{}", format!("auth_invalid: {}", clipped(&words)));
                found.push(Finding::new(&AUTH_INVALID, Dir::Client, "auth_ok".into(), got).at(at("type")));
            }
            (Dir::Client, _) => {
                if !self.is_in && !self.incomplete {
                    let got = Text::with("{}", clipped(kind));
                    found.push(Finding::new(&BEFORE_AUTH, said.dir, "auth first".into(), got).at(at("type")));
                    (self.is_in, self.told) = (true, true);
                }
                let Some(number) = object.get("id").and_then(|id| id.parse::<u64>().ok()) else { return };
                if let Some(greatest) = self.greatest.filter(|greatest| number <= *greatest) {
                    let expected = Text::with("an id greater than {}", greatest);
                    let got = Text::with("{}", number);
                    found.push(Finding::new(&ID_NOT_GREATER, said.dir, expected, got).at(at("id")));
                }
                self.greatest = self.greatest.max(Some(number));
            }
            _ => {}
        }
    }

    /// Remembers a command, or finds the one whose result this is.
    fn tie(
        &mut self,
        said: &Said<'_>,
        kind: &str,
        id: Option<&str>,
        failed: Option<crate::model::Failure>,
    ) -> Option<Answer> {
        let (dir, now) = (said.dir, said.moment());
        match (dir, kind, id) {
            (Dir::Client, _, Some(id)) => {
                let (id, what) = (Id::text(id)?, clipped(kind).into_owned());
                self.pending.begin(dir, now, Request { id, what, ..Request::default() });
                None
            }
            (Dir::Server, "result" | "pong", Some(id)) => {
                let id = Id::text(id)?;
                self.pending.answer(dir, now, |asked| asked.id == id, failed)
            }
            _ => None,
        }
    }
}

fn app(summary: Text) -> App {
    App { protocol: "home-assistant", name: "Home Assistant", summary, ..App::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::heard;
    use Dir::{Client, Server};

    /// The summary of each message and what it answers, and the rules that are broken.
    fn read(messages: &[(Dir, &str)]) -> (Vec<String>, Vec<&'static str>) {
        let (apps, broken) = heard::apps(&mut HomeAssistant::default(), messages, |i, said| Said {
            known: i > 0,
            expected: true,
            ..said
        });
        assert!(!format!("{apps:?}").contains("sesame"), "the token is shown: {apps:?}");
        (apps.iter().map(|app| heard::line(app.as_ref())).collect(), broken)
    }

    const REQUIRED: (Dir, &str) = (Server, r#"{"type":"auth_required","ha_version":"2026.11.0"}"#);
    const AUTH: (Dir, &str) = (Client, r#"{"type":"auth","access_token":"sesame"}"#);
    const OK: (Dir, &str) = (Server, r#"{"type":"auth_ok","ha_version":"2026.11.0"}"#);
    const STATES: (Dir, &str) = (Client, r#"{"id":2,"type":"get_states"}"#);

    #[test]
    fn a_conversation() {
        let (lines, found) = read(&[
            REQUIRED,
            AUTH,
            OK,
            STATES,
            (Client, r#"{"id":3,"type":"ping"}"#),
            (Server, r#"[{"id":2,"type":"result","success":true,"result":[]},{"id":3,"type":"pong"}]"#),
            (Client, r#"{"id":4,"type":"nothing"}"#),
            (Server, r#"{"id":4,"type":"result","success":false,"error":{"code":"unknown_command"}}"#),
        ]);
        let expected = [
            "auth_required",
            "auth",
            "auth_ok",
            "get_states, 2",
            "ping, 3",
            "result, 2; pong, 3 < get_states < ping",
            "nothing, 4",
            "result unknown_command, 4 < nothing",
        ];
        assert_eq!(lines, expected);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_breaks_the_rules() {
        let invalid = (Server, r#"{"type":"auth_invalid","message":"Invalid access token"}"#);
        for (messages, rule) in [
            (&[REQUIRED, (Client, "[1]")][..], "home-assistant-bad-message"),
            (&[REQUIRED, AUTH, invalid], "home-assistant-auth-invalid"),
            (&[REQUIRED, STATES, invalid], "home-assistant-command-before-auth"),
            (&[REQUIRED, AUTH, OK, STATES, STATES], "home-assistant-id-not-greater"),
        ] {
            assert_eq!(read(messages).1, [rule], "{messages:?}");
        }
    }
}
