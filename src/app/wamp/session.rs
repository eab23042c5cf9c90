//! Follows the WAMP sessions of a connection, and ties answers to their requests.

use std::collections::VecDeque;

use super::element::{Element, Shape};
use super::encoding::Encoding;
use super::form::{Code, Form, From};
use super::reasons;
use super::{
    BAD_MESSAGE, DETAILS, ERROR_URI, OPTIONS, PROCEDURE, PROTOCOL_ERROR, PUBLICATION, REALM, REASON, REFUSED,
    REGISTRATION, REQUEST, REQUEST_TYPE, SESSION, SUBSCRIPTION, TOPIC, TYPE, UNEXPECTED_ANSWER,
};
use crate::app::dialect::{Decoder, Said};
use crate::app::excerpt::clipped;
use crate::app::json;
use crate::app::pending::{Id, Pending, Request, Requests};
use crate::app::value::Notation;
use crate::limits::ACKS_OUTSTANDING;
use crate::model::{Answer, App, Dir, Failure, Field, FieldDef, Finding, Span, Text, Value};

/// What is remembered of a connection.
#[derive(Debug)]
pub(super) struct Wamp {
    encoding: Encoding,
    phase: Phase,
    /// Who is the client of the router; mostly the client of the WebSocket.
    client: Option<Dir>,
    /// Requests without an answer, each with its topic or procedure; the kind is its code.
    pending: Pending<Option<String>>,
    /// The URIs behind the router's numbers of subscriptions and registrations.
    names: VecDeque<(&'static FieldDef, u64, String)>,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was said.
    Fresh,
    /// Something is missing: nobody can say what may come.
    Unknown,
    /// HELLO was said.
    Opening,
    Open,
    /// GOODBYE was said, but not answered.
    Closing,
    /// GOODBYE was answered, or ABORT said; another session may begin.
    Over,
}

/// A message taken apart.
struct Message {
    form: &'static Form,
    /// The message's own id, which ties answers to it.
    id: Option<u64>,
    /// Of an ERROR: the type of the request.
    request_type: Option<Code>,
    fields: Vec<Field>,
    /// The options or details say so: `acknowledge`, `progress`.
    acknowledged: bool,
    progress: bool,
}

impl Decoder for Wamp {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            // Too large to be read: it may have been a request.
            self.lost(said.dir);
            return None;
        }
        let message = match self.take(said) {
            Ok(Some(message)) => message,
            Ok(None) => return Some(self.app(Text::new("a message of an extension"))),
            Err(fault) => {
                found.push(*fault);
                self.pending.miss(said.dir);
                return None;
            }
        };
        self.judge(said, &message, found);
        self.refusal(said, &message, found);
        // A SUBSCRIBED shows the number that later messages are known by.
        let summary = self.summary(&message);
        let answers = self.answers(said, &message, found);
        self.remember(said, &message);
        Some(App { fields: message.fields, answers, ..self.app(summary) })
    }

    fn lost(&mut self, dir: Dir) {
        // A GOODBYE or a HELLO may have been among it.
        self.phase = Phase::Unknown;
        self.pending.lose_all(dir);
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl Wamp {
    pub(super) fn new(encoding: Encoding) -> Self {
        let (pending, names) = (Pending::default(), VecDeque::new());
        Self { encoding, phase: Phase::Fresh, client: None, pending, names }
    }

    fn app(&self, summary: Text) -> App {
        let protocol = match self.encoding {
            Encoding::Json => super::JSON.id,
            Encoding::Binary(Notation::MessagePack) => super::MSGPACK.id,
            Encoding::Binary(Notation::Cbor) => super::CBOR.id,
        };
        App { protocol, name: "WAMP", summary, ..App::default() }
    }

    /// Takes a message apart; `None` for one that WAMP leaves to implementations.
    fn take(&self, said: &Said<'_>) -> Result<Option<Message>, Box<Finding>> {
        let bad = |at: usize, length: usize, expected: Text, got: Text| {
            let span = Span::bytes(said.source, at as u64, length as u64);
            Box::new(Finding::new(&BAD_MESSAGE, said.dir, expected, got).at(span))
        };
        let whole = said.bytes.len();
        if said.text != (self.encoding == Encoding::Json) {
            let (expected, got) = match self.encoding {
                Encoding::Json => ("text messages only", "a binary message of {} bytes"),
                Encoding::Binary(_) => ("binary messages only", "a text message of {} bytes"),
            };
            return Err(bad(0, whole, expected.into(), Text::with(got, said.length)));
        }
        let elements = self.encoding.elements(said).map_err(|(at, what)| {
            let expected = match self.encoding {
                Encoding::Json => "a list in JSON",
                Encoding::Binary(Notation::MessagePack) => "a list in MessagePack",
                Encoding::Binary(Notation::Cbor) => "a list in CBOR",
            };
            bad(at, usize::from(at < whole), expected.into(), what)
        })?;
        let Some(first) = elements.first() else {
            return Err(bad(0, whole, "a type, and what belongs to it".into(), "an empty list".into()));
        };
        let expected = || Text::new("one of WAMP's types as the first element");
        let Shape::Whole(code) = first.shape else {
            return Err(bad(first.at.start, first.at.len(), expected(), self.quote(said, first)));
        };
        let Some(form) = Form::of(code) else {
            // The range that is left to implementations.
            if (256..=1023).contains(&code) {
                return Ok(None);
            }
            return Err(bad(first.at.start, first.at.len(), expected(), Text::with("type {}", code)));
        };
        let parts = &elements[1..];
        let (least, most) = (form.parts.len(), form.parts.len() + form.optional.len());
        if parts.len() < least || parts.len() > most {
            let count = if least == most {
                Text::with("{}", least + 1)
            } else {
                Text::with("{} to {}", least + 1).and(most + 1)
            };
            let expected = Text::with("{} with {} elements", form.name).word(count);
            return Err(bad(0, whole, expected, Text::with("{} elements", elements.len())));
        }
        if let Some((i, kind)) = form.fault(parts) {
            let expected = Text::with("{} with {} as element {}", form.name).word(kind).and(i + 2);
            return Err(bad(parts[i].at.start, parts[i].at.len(), expected, self.quote(said, &parts[i])));
        }
        Ok(Some(self.message(said, form, &elements)))
    }

    /// The beginning of an element, to be shown.
    fn quote(&self, said: &Said<'_>, element: &Element) -> Text {
        match self.encoding.json(said, element) {
            Some(json) => Text::with("{}", clipped(&json)),
            None => Text::with("{} bytes", element.at.len()),
        }
    }

    fn message(&self, said: &Said<'_>, form: &'static Form, elements: &[Element]) -> Message {
        let (first, parts) = (&elements[0], &elements[1..]);
        let kind = said.field(&TYPE, first.at.start, first.at.len(), Value::Text(form.name.to_owned()));
        let kind = Field { meaning: Text::with("{}", form.code.0), ..kind };
        let mut message = Message {
            form,
            id: None,
            request_type: None,
            fields: vec![kind],
            acknowledged: false,
            progress: false,
        };
        for ((def, _), element) in form.parts.iter().chain(form.optional).zip(parts) {
            let number = if let Shape::Whole(number) = element.shape { Some(number) } else { None };
            let mut field = self.encoding.field(said, def, element);
            if *def == &REQUEST {
                message.id = number;
            } else if *def == &REQUEST_TYPE {
                message.request_type = number.map(Code);
                let name = number.and_then(Form::of).map(|form| Text::with("{}", form.name));
                field.meaning = name.unwrap_or_default();
            } else if *def == &REASON || *def == &ERROR_URI {
                if let Value::Text(uri) = &field.value {
                    field.meaning = reasons::meaning(uri);
                }
            } else if *def == &OPTIONS || *def == &DETAILS {
                let dict = self.encoding.json(said, element).unwrap_or_default();
                let says = |key: &str| json::member(&dict, key) == Some("true");
                (message.acknowledged, message.progress) = (says("acknowledge"), says("progress"));
            }
            message.fields.push(field);
        }
        message
    }

    /// What may not come from this side, or not now.
    fn judge(&mut self, said: &Said<'_>, message: &Message, found: &mut Vec<Finding>) {
        let (code, name) = (message.form.code, message.form.name);
        let at = message.fields[0].span;
        let mut wrong = |expected: Text, got: Text| {
            found.push(Finding::new(&PROTOCOL_ERROR, said.dir, expected, got).at(at));
        };
        let may_begin = matches!(self.phase, Phase::Fresh | Phase::Unknown | Phase::Over);
        let is_first = may_begin && code == Code::HELLO;
        if is_first {
            // From here on everything is seen.
            self.client = Some(said.dir);
            self.pending.begin_anew();
            self.names.clear();
        }
        let by_client = self.client.map(|client| client == said.dir);
        match (message.form.from, by_client) {
            (From::Client, Some(false)) => {
                wrong("messages that a router sends".into(), Text::with("{}", name));
            }
            (From::Router, Some(true)) => {
                wrong("messages that a client sends".into(), Text::with("{}", name));
            }
            _ => {}
        }
        if let (Some(request), Some(by_client)) = (message.request_type, by_client) {
            let is_clients = request == Code::INVOCATION;
            if !request.may_fail() || is_clients != by_client {
                let expected = if by_client {
                    "ERROR in answer to an INVOCATION (68)"
                } else {
                    "ERROR in answer to a request of the client's (16, 32, 34, 48, 64, 66)"
                };
                let got = message.form_name(request);
                wrong(expected.into(), Text::new("ERROR in answer to {}").word(got));
            }
        }
        self.phase = match self.phase {
            Phase::Fresh if !is_first && code != Code::ABORT => {
                wrong("HELLO as the first message".into(), Text::with("{}", name));
                Phase::Unknown
            }
            _ if code == Code::ABORT => Phase::Over,
            // The answer to a HELLO that is read behind a hole may have been read before it.
            Phase::Unknown if is_first => Phase::Unknown,
            _ if is_first => Phase::Opening,
            Phase::Opening if code == Code::WELCOME => Phase::Open,
            Phase::Unknown if code == Code::WELCOME && by_client == Some(false) => Phase::Open,
            Phase::Opening if matches!(code, Code::CHALLENGE | Code::AUTHENTICATE) => Phase::Opening,
            Phase::Opening => {
                wrong("WELCOME, CHALLENGE or ABORT, before anything else".into(), Text::with("{}", name));
                Phase::Opening
            }
            phase @ (Phase::Open | Phase::Closing)
                if matches!(code, Code::HELLO | Code::WELCOME | Code::CHALLENGE | Code::AUTHENTICATE) =>
            {
                let got = Text::with("{} while the session is open", name);
                wrong("one HELLO and one WELCOME a session".into(), got);
                phase
            }
            Phase::Open if code == Code::GOODBYE => Phase::Closing,
            Phase::Closing if code == Code::GOODBYE => Phase::Over,
            phase => phase,
        };
    }

    /// What was refused, in the words of who refused it.
    fn refusal(&self, said: &Said<'_>, message: &Message, found: &mut Vec<Finding>) {
        let is_error = message.form.code == Code::ERROR && self.client != Some(said.dir);
        let Some(field) = message.field(&REASON).or(message.field(&ERROR_URI)) else { return };
        let Value::Text(uri) = &field.value else { return };
        if message.form.code != Code::ABORT && !(is_error && is_refusal(uri)) {
            return;
        }
        let details = message.field(&DETAILS).map(|details| &details.value);
        let words = details.and_then(|details| match details {
            Value::Json(dict) => json::string(json::member(dict, "message")?),
            _ => None,
        });
        let expected = if is_error { "the answer to the request" } else { "a session that goes on" };
        let got = match (message.request_type.map(|request| message.form_name(request)), words) {
            (Some(request), _) => Text::new("{}: {}").word(request).and(clipped(uri)),
            (None, Some(words)) => Text::with("{}: {}", clipped(uri)).and(clipped(&words)),
            (None, None) => Text::with("{}", clipped(uri)),
        };
        let finding = Finding::new(&REFUSED, said.dir, expected.into(), got).at(field.span);
        found.push(finding.behind(field.meaning.clone()));
    }

    /// Finds the request that this answers, and what is an answer to none.
    fn answers(&mut self, said: &Said<'_>, message: &Message, found: &mut Vec<Finding>) -> Option<Answer> {
        let code = message.form.code;
        let id = message.id.unwrap_or_default();
        let fits = |asked: &Request<_>| {
            let (of, is_it) = (Code(asked.kind), asked.id == Id::Number(id));
            match code {
                Code::ERROR => Some(of) == message.request_type && is_it,
                Code::ABORT => of == Code::HELLO,
                _ => of.answer() == Some(code) && is_it,
            }
        };
        let now = said.moment();
        // More of the same answer may follow.
        if message.progress && matches!(code, Code::RESULT | Code::YIELD) {
            let answer = self.pending.go_on(said.dir, now, fits);
            if answer.is_some() {
                return answer;
            }
        }
        let failure = matches!(code, Code::ERROR | Code::ABORT).then(|| message.failure());
        let Some((answer, asked)) = self.pending.take(said.dir, now, fits, failure) else {
            let of_request = message.request_type.unwrap_or(code);
            // An unacknowledged PUBLISH is not remembered, and the router may speak by itself (0).
            let is_answer = if code == Code::ERROR {
                of_request.may_fail() && of_request != Code::CANCEL && of_request != Code::PUBLISH
            } else {
                is_answer(code)
            };
            let is_known = matches!(self.phase, Phase::Open | Phase::Closing)
                && !self.pending.is_incomplete(said.dir.peer());
            if is_answer && is_known && id > 0 && self.may_send(said.dir, message) {
                let expected = Text::with("the id of a request without an answer, not {}", id);
                let span = message.field(&REQUEST).unwrap_or(&message.fields[0]).span;
                let got = match message.request_type {
                    Some(request) => Text::new("ERROR in answer to {}").word(message.form_name(request)),
                    None => Text::with("{}", message.form.name),
                };
                found.push(Finding::new(&UNEXPECTED_ANSWER, said.dir, expected, got).at(span));
            }
            return None;
        };
        let number = |def| message.field(def).and_then(number_of).map(|number| (def, number));
        if let Some(uri) = asked.extra
            && let Some((def, number)) = number(&SUBSCRIPTION).or(number(&REGISTRATION))
        {
            if self.names.len() == ACKS_OUTSTANDING {
                self.names.pop_front();
            }
            self.names.push_back((def, number, uri));
        }
        Some(answer)
    }

    /// Whether a message may come from this side at all; otherwise that is what is wrong with it.
    fn may_send(&self, dir: Dir, message: &Message) -> bool {
        let by_client = self.client == Some(dir);
        match message.form.from {
            From::Client => by_client,
            From::Router => !by_client,
            From::Both => message.request_type.is_none_or(|of| (of == Code::INVOCATION) == by_client),
        }
    }

    /// Remembers what wants an answer.
    fn remember(&mut self, said: &Said<'_>, message: &Message) {
        let code = message.form.code;
        let wants = match code {
            Code::PUBLISH => message.acknowledged,
            // The second GOODBYE is the answer.
            Code::GOODBYE => self.phase == Phase::Closing,
            code => code.answer().is_some(),
        };
        if !wants {
            return;
        }
        let uri = message.uri().map(str::to_owned);
        let uri =
            uri.or_else(|| self.name(message, &REGISTRATION)).or_else(|| self.name(message, &SUBSCRIPTION));
        let what = match &uri {
            Some(uri) => format!("{} {}", message.form.name, clipped(uri)),
            None => message.form.name.to_owned(),
        };
        let (kind, id) = (code.0, Id::Number(message.id.unwrap_or_default()));
        let request = Request { kind, id, what, extra: uri, method: None, lasting: false, optional: false };
        // A call whose arguments come in several messages is one request.
        self.pending.begin_once(said.dir, said.moment(), request);
    }

    /// The URI behind the subscription or registration that a message names.
    fn name(&self, message: &Message, def: &'static FieldDef) -> Option<String> {
        let number = number_of(message.field(def)?)?;
        let names = self.names.iter().rev();
        names.into_iter().find(|(of, n, _)| *of == def && *n == number).map(|(_, _, uri)| uri.clone())
    }

    /// The message in a line.
    fn summary(&self, message: &Message) -> Text {
        let mut line = message.form.name.to_owned();
        let mut add = |word: &str| {
            line.push(' ');
            line.push_str(&clipped(word));
        };
        if let Some(request) = message.request_type {
            add(Form::of(request.0).map_or(&*request.0.to_string(), |form| form.name));
        }
        let number = |def| message.field(def).and_then(number_of);
        if let Some(id) = message.id.or_else(|| number(&SESSION)) {
            add(&id.to_string());
        }
        if let Some(uri) = message.uri() {
            add(uri);
        }
        let mut summary = Text::with("{}", line);
        for (def, words) in [(&SUBSCRIPTION, "{}, subscription {}"), (&REGISTRATION, "{}, registration {}")] {
            if let Some(number) = number(def) {
                summary = match self.name(message, def) {
                    Some(uri) => Text::new("{} {}").word(summary).and(clipped(&uri)),
                    None => Text::new(words).word(summary).and(number),
                };
            }
        }
        if let Some(number) = number(&PUBLICATION) {
            summary = Text::new("{}, publication {}").word(summary).and(number);
        }
        summary
    }
}

impl Message {
    fn field(&self, def: &'static FieldDef) -> Option<&Field> {
        self.fields.iter().find(|field| field.def == def)
    }

    /// What it is about.
    fn uri(&self) -> Option<&str> {
        let field =
            [&PROCEDURE, &TOPIC, &REALM, &REASON, &ERROR_URI].into_iter().find_map(|def| self.field(def))?;
        if let Value::Text(uri) = &field.value { Some(uri) } else { None }
    }

    /// What an ERROR or ABORT says of the request that it answers.
    fn failure(&self) -> Failure {
        let code = self.field(&ERROR_URI).or(self.field(&REASON)).and_then(|field| match &field.value {
            Value::Text(uri) => Some(clipped(uri).into_owned()),
            _ => None,
        });
        Failure { code, message: None }
    }

    /// A request's type and id, to be shown.
    fn form_name(&self, request: Code) -> Text {
        let name = Form::of(request.0).map_or_else(|| request.0.to_string(), |form| form.name.to_owned());
        Text::with("{} {}", name).and(self.id.unwrap_or_default())
    }
}

/// Whether messages of this type are answers, each to a request of its own.
fn is_answer(code: Code) -> bool {
    matches!(
        code,
        Code::PUBLISHED
            | Code::SUBSCRIBED
            | Code::UNSUBSCRIBED
            | Code::RESULT
            | Code::REGISTERED
            | Code::UNREGISTERED
            | Code::YIELD
    )
}

/// Whether a URI says that the router would not, or could not, do what it was asked for. What an
/// application's procedure answers is not the router's.
fn is_refusal(uri: &str) -> bool {
    let Some(what) = uri.strip_prefix("wamp.error.") else { return false };
    let begins = ["auth", "no_", "not_authorized", "procedure_already_exists", "option_", "invalid_uri"];
    begins.iter().any(|begin| what.starts_with(begin))
        || matches!(what, "feature_not_supported" | "payload_size_exceeded" | "unavailable" | "disclose_me")
}

fn number_of(field: &Field) -> Option<u64> {
    if let Value::Number(number) = field.value { Some(number) } else { None }
}
