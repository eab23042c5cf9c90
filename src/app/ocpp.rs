//! OCPP-J: the Open Charge Point Protocol over WebSocket. Each message is a JSON array that begins with its
//! type; a CALL of either side is answered by a CALLRESULT or a CALLERROR with its id.

use super::dialect::{Decoder, Dialect, Reader, Said};
use super::excerpt::clipped;
use super::json;
use super::pending::{Id, Pending, Request, Requests};
use crate::model::{Answer, App, Cite, Dir, Failure, Finding, Span, Text, fields, rules};

/// OCPP-J, which charging stations speak.
pub static DIALECT: Dialect = Dialect {
    id: "ocpp",
    subprotocols: &["ocpp1.2", "ocpp1.5", "ocpp1.6", "ocpp2.0", "ocpp2.0.1", "ocpp2.1"],
    looks_like: Some(looks_like),
    first: b"[ \t\n\x0C\r",
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<Ocpp>::default()),
};

/// A section of the JSON over `WebSockets` implementation guide of OCPP 2.0.1; that of 1.6 says the same.
const fn ocpp(section: &'static str) -> Cite {
    Cite { doc: "OCPP-J 2.0.1", section }
}

fields! {
    /// The fields of OCPP-J.
    FIELDS;
    TYPE = "ocpp.type", "type", ocpp("4.1.3"), "What the message is for.";
    ID = "ocpp.id", "id", ocpp("4.1.4"), "Ties an answer to its call.";
    ACTION = "ocpp.action", "action", ocpp("4.2.1"), "What is to be done.";
    PAYLOAD = "ocpp.payload", "payload", ocpp("4.2.1"), "The arguments, or what came of it.";
    ERROR_CODE = "ocpp.error_code", "error code", ocpp("4.2.3"), "Why it failed.";
    DESCRIPTION = "ocpp.description", "description", ocpp("4.2.3"), "The same in words.";
    DETAILS = "ocpp.details", "details", ocpp("4.2.3"), "What else there is to say of the error.";
}

rules! {
    /// The rules of OCPP-J.
    RULES;
    BAD_MESSAGE = "ocpp-bad-message", Error, ocpp("4.2"), Either,
        "Not a message of OCPP-J",
        "The receiver ignores it, or answers CALLERROR; whoever sent a call waits until its timeout.";
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct Ocpp {
    pending: Pending,
}

/// Types of messages: name, and what stands behind the type. `5` and `6` came with version 2.1.
const TYPES: [(&str, &str, &[&crate::model::FieldDef]); 5] = [
    ("2", "CALL", &[&ID, &ACTION, &PAYLOAD]),
    ("3", "CALLRESULT", &[&ID, &PAYLOAD]),
    ("4", "CALLERROR", &[&ID, &ERROR_CODE, &DESCRIPTION, &DETAILS]),
    ("5", "CALLRESULTERROR", &[&ID, &ERROR_CODE, &DESCRIPTION, &DETAILS]),
    ("6", "SEND", &[&ID, &ACTION, &PAYLOAD]),
];

/// A CALL shows by itself what it is; an answer may be any array.
fn looks_like(said: &Said<'_>) -> bool {
    let begins = |bytes: &[u8]| {
        matches!(bytes.trim_ascii_start(), [b'[', rest @ ..]
        if rest.trim_ascii_start().first() == Some(&b'2'))
    };
    said.text && begins(said.bytes)
}

impl Decoder for Ocpp {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        let read = self.take(said);
        match read {
            Ok(app) => Some(app),
            Err(got) => {
                let expected = "[2, id, action, {…}], [3, id, {…}] or [4, id, code, description, {…}]".into();
                let at = Span::bytes(said.source, 0, said.length);
                found.push(Finding::new(&BAD_MESSAGE, said.dir, expected, got).at(at));
                self.pending.lost(said.dir);
                None
            }
        }
    }

    fn lost(&mut self, dir: Dir) {
        self.pending.lost(dir);
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl Ocpp {
    /// Reads a message, or says what it is instead.
    fn take(&mut self, said: &Said<'_>) -> Result<App, Text> {
        let Some(text) = said.as_text() else { return Err("a binary message".into()) };
        if !json::is_valid(text) {
            return Err("something that is no JSON".into());
        }
        let elements = json::elements(text);
        let Some((kind, parts)) = elements.split_first() else {
            return Err("JSON that is no array, or an empty one".into());
        };
        let Some((_, name, defs)) = TYPES.iter().find(|(code, ..)| code == kind) else {
            return Err(Text::with("type {}", clipped(kind)));
        };
        if parts.len() != defs.len() {
            return Err(Text::with("{} with {} elements", *name).and(elements.len()));
        }
        let strings = parts.iter().take(defs.len() - 1);
        let words: Vec<String> = strings.filter_map(|part| json::string(part)).collect();
        let is_call = matches!(*kind, "2" | "6");
        let fits = words.len() == defs.len() - 1 && parts[defs.len() - 1].starts_with('{');
        // Who knows nothing else of the connection takes nothing for a call but what looks like one.
        let is_action = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_uppercase())
                && word.bytes().all(|c| c.is_ascii_alphanumeric())
        };
        let is_ours = said.known || *kind == "2" && is_action(&words[1]);
        if !(fits && is_ours) {
            return Err(Text::with("{} with elements of other types", *name));
        }
        let mut fields = vec![said.quote(&TYPE, kind)];
        fields[0].value = crate::model::Value::Text((*name).to_owned());
        fields.extend(defs.iter().zip(parts).map(|(def, part)| {
            if part.starts_with('"') { said.quote(def, part.trim_matches('"')) } else { said.json(def, part) }
        }));
        let (id, second) = (clipped(&words[0]), words.get(1).map(|word| clipped(word)));
        let summary = match second {
            Some(word) => Text::with("{} {}, {}", *name).and(word).and(&id),
            None => Text::with("{} {}", *name).and(&id),
        };
        let answers = self.tie(said, kind, &words, is_call);
        Ok(App { protocol: "ocpp", name: "OCPP", summary, fields, answers, ..App::default() })
    }

    /// Remembers a call, or finds the one that is answered.
    fn tie(&mut self, said: &Said<'_>, kind: &str, words: &[String], is_call: bool) -> Option<Answer> {
        let (now, id) = (said.moment(), Id::text(&words[0])?);
        if is_call {
            // A SEND wants no answer.
            if kind == "2" {
                let what = clipped(&words[1]).into_owned();
                self.pending.begin(said.dir, now, Request { id, what, ..Request::default() });
            }
            return None;
        }
        if kind == "5" {
            // The caller's complaint about an answer.
            return None;
        }
        let failure = (kind == "4").then(|| Failure {
            code: words.get(1).map(|word| clipped(word).into_owned()),
            message: words.get(2).filter(|word| !word.is_empty()).map(|word| clipped(word).into_owned()),
        });
        self.pending.answer(said.dir, now, |asked| asked.id == id, failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: &str = r#"[2,"19223201","BootNotification",{"reason":"PowerUp"}]"#;

    #[test]
    fn calls_and_their_answers() {
        let mut ocpp = Ocpp::default();
        let mut found = Vec::new();
        let mut read = |dir, wire: &str| {
            let app = ocpp.read(&Said::sample(dir, 1, true, wire.as_bytes()), &mut found).unwrap();
            let answer = app.answers.map(|it| (it.what, it.failure.and_then(|it| it.code)));
            (app.summary.to_string(), answer)
        };
        assert_eq!(read(Dir::Client, BOOT), ("CALL BootNotification, 19223201".into(), None));
        let ok = r#"[3,"19223201",{"status":"Accepted"}]"#;
        let answer = Some(("BootNotification".to_owned(), None));
        assert_eq!(read(Dir::Server, ok), ("CALLRESULT 19223201".into(), answer));
        read(Dir::Server, r#"[2, "a", "Reset", {}]"#);
        let (summary, answer) = read(Dir::Client, r#"[4,"a","NotSupported","no",{}]"#);
        assert_eq!(summary, "CALLERROR NotSupported, a");
        assert_eq!(answer, Some(("Reset".to_owned(), Some("NotSupported".to_owned()))));
        assert!(found.is_empty());
    }

    #[test]
    fn what_is_none() {
        for wire in ["{}", "[2]", "[2,\"a\",\"B\"]", "[9,\"a\",{}]", "[2,1,\"B\",{}]", "x", "[3,\"a\",[]]"] {
            let mut found = Vec::new();
            let said = Said::sample(Dir::Client, 1, true, wire.as_bytes());
            assert_eq!(Ocpp::default().read(&said, &mut found), None, "{wire}");
            assert_eq!(found.iter().map(|f| f.rule.id).collect::<Vec<_>>(), ["ocpp-bad-message"], "{wire}");
        }
        // Where nothing was agreed on, only what cannot be anything else.
        let said = Said::sample(Dir::Client, 1, true, br#"[2,"a","lower",{}]"#);
        assert!(Ocpp::default().read(&said, &mut Vec::new()).is_some());
        assert!(Ocpp::default().read(&Said { known: false, ..said }, &mut Vec::new()).is_none());
        let said = Said { known: false, ..Said::sample(Dir::Client, 1, true, BOOT.as_bytes()) };
        assert!(Ocpp::default().read(&said, &mut Vec::new()).is_some());
    }
}
