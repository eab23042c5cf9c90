//! Follows the calls of a connection.

use super::actions::{self, V21, Versions};
use super::{
    ACTION, BAD_MESSAGE, DESCRIPTION, DETAILS, ERROR_CODE, ID, ID_REUSED, LATER_TYPE, NO_SUBPROTOCOL,
    PAYLOAD, SECOND_CALL, TYPE, UNEXPECTED_ANSWER, UNKNOWN_ACTION, UNKNOWN_ERROR,
};
use crate::app::dialect::{Decoder, Said};
use crate::app::excerpt::clipped;
use crate::app::json::{self, Object};
use crate::app::pending::{Id, Moment, Pending, Request, Requests};
use crate::app::remembered::Remembered;
use crate::limits::{IDS_REMEMBERED, OCPP_CALL_WAITS, REQUEST_ID};
use crate::model::quantity::wait;
use crate::model::{Answer, App, Dir, Failure, FieldDef, Finding, Text, Value};

/// What is remembered of a connection.
#[derive(Debug, Default)]
pub(super) struct Ocpp {
    pending: Pending,
    /// The ids of calls of each side.
    ids: [Remembered<IDS_REMEMBERED>; 2],
    /// It was said that no subprotocol was agreed on.
    told: bool,
    /// A call that others may make as well, until its answer shows whose it is.
    doubtful: Option<Doubtful>,
    /// Nothing has shown yet that this is OCPP.
    is_strange: bool,
}

/// A call of which nothing but the name of its action speaks for OCPP.
#[derive(Debug)]
struct Doubtful {
    dir: Dir,
    moment: Moment,
    id: Box<str>,
    action: Box<str>,
}

/// Types of messages: name, and what stands behind the type. `5` and `6` came with version 2.1.
const TYPES: [(&str, &str, &[&FieldDef]); 5] = [
    ("2", "CALL", &[&ID, &ACTION, &PAYLOAD]),
    ("3", "CALLRESULT", &[&ID, &PAYLOAD]),
    ("4", "CALLERROR", &[&ID, &ERROR_CODE, &DESCRIPTION, &DETAILS]),
    ("5", "CALLRESULTERROR", &[&ID, &ERROR_CODE, &DESCRIPTION, &DETAILS]),
    ("6", "SEND", &[&ID, &ACTION, &PAYLOAD]),
];

/// A message taken apart.
struct Message<'t> {
    kind: &'t str,
    name: &'static str,
    /// What stands behind the type, as it was written.
    parts: &'t [&'t str],
    /// The strings among it: the id, then action or error code, then the description.
    words: Vec<String>,
}

impl Decoder for Ocpp {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        let elements = said.as_json().map(json::elements).unwrap_or_default();
        match take(said, &elements) {
            Ok(message) => {
                if !self.is_ours(said, &message) {
                    return None;
                }
                self.judge(said, &message, found);
                Some(self.describe(said, &message, found))
            }
            Err(got) => {
                let expected = "[2, id, action, {…}], [3, id, {…}] or [4, id, code, description, {…}]".into();
                found.push(Finding::new(&BAD_MESSAGE, said.dir, expected, got).at(said.span()));
                self.pending.lost(said.dir);
                None
            }
        }
    }

    fn is_undecided(&self) -> bool {
        self.doubtful.is_some()
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

/// Reads a message, or says what it is instead.
fn take<'t>(said: &Said<'_>, elements: &'t [&'t str]) -> Result<Message<'t>, Text> {
    let Some((kind, parts)) = elements.split_first() else {
        let is_json = said.as_text().is_some_and(json::is_valid);
        return Err(if is_json { "JSON that is no array, or an empty one".into() } else { said.instead() });
    };
    let Some((_, name, defs)) = TYPES.iter().find(|(code, ..)| code == kind) else {
        return Err(Text::with("type {}", clipped(kind)));
    };
    if parts.len() != defs.len() {
        return Err(Text::with("{} with {} elements", *name).and(elements.len()));
    }
    let strings = parts.iter().take(defs.len() - 1);
    let words: Vec<String> = strings.filter_map(|part| json::string(part)).collect();
    let fits = words.len() == defs.len() - 1 && parts[defs.len() - 1].starts_with('{');
    if !fits {
        return Err(Text::with("{} with elements of other types", *name));
    }
    Ok(Message { kind, name, parts, words })
}

impl Message<'_> {
    /// What is asked for, or given.
    fn object(&self) -> Option<Object<'_>> {
        Object::read(self.parts.last()?)
    }

    /// Whether it names an action: CALL and SEND.
    fn is_call(&self) -> bool {
        matches!(self.kind, "2" | "6")
    }
}

impl Ocpp {
    /// Whether the messages of this connection are known to be of OCPP, or this one shows it. Other protocols
    /// have calls of this form, and some have actions of these names.
    fn is_ours(&mut self, said: &Said<'_>, message: &Message<'_>) -> bool {
        let before = self.doubtful.take();
        if said.known && (said.agreed || !self.is_strange) {
            return true;
        }
        let shown = match (message.kind, before) {
            ("2", _) => {
                let action = &message.words[1];
                let is_named = actions::of_action(action) != 0;
                let is_shown = is_named
                    && (said.expected
                        || message.object().is_some_and(|asked| actions::shows_itself(action, &asked)));
                if is_named && !is_shown && message.words[0].len() <= REQUEST_ID {
                    let (id, action) = (message.words[0].as_str().into(), action.as_str().into());
                    self.doubtful = Some(Doubtful { dir: said.dir, moment: said.moment(), id, action });
                }
                is_shown
            }
            ("3" | "4", Some(call)) => {
                let is_its = call.dir != said.dir && *call.id == *message.words[0];
                let is_shown = is_its
                    && match message.words.get(1) {
                        Some(code) => actions::of_error(code) != 0,
                        None => message
                            .object()
                            .is_some_and(|given| actions::is_shown_by_result(&call.action, &given)),
                    };
                if is_shown {
                    self.ids[call.dir.index()].insert(&call.id);
                    if let Some(id) = Id::text(&call.id) {
                        let request = Request { id, what: call.action.into(), ..Request::default() };
                        self.pending.begin(call.dir, call.moment, request);
                    }
                }
                is_shown
            }
            _ => false,
        };
        self.is_strange = !shown;
        shown
    }

    /// What may not come now, or not in the version that was agreed on.
    fn judge(&mut self, said: &Said<'_>, message: &Message<'_>, found: &mut Vec<Finding>) {
        let mut tell = |rule, expected: Text, got: Text, part: Option<&str>| {
            let span = part.map_or_else(|| said.span(), |part| said.span_of(part));
            found.push(Finding::new(rule, said.dir, expected, got).at(span));
        };
        let is_own = message.is_call() && actions::of_action(&message.words[1]) != 0;
        if said.bare && !said.agreed && is_own && !std::mem::replace(&mut self.told, true) {
            let expected = "a subprotocol in both halves of the handshake, such as ocpp1.6 or ocpp2.0.1";
            tell(&NO_SUBPROTOCOL, expected.into(), "none".into(), None);
        }
        if let Some(version) = said.subprotocol.and_then(actions::version) {
            let agreed = actions::name(version);
            if version & V21 == 0 && matches!(message.kind, "5" | "6") {
                let expected = Text::with("CALL, CALLRESULT or CALLERROR in {}", agreed);
                tell(&LATER_TYPE, expected, Text::with("{}", message.name), None);
            } else if message.is_call() {
                let (action, at) = (&message.words[1], message.parts.get(1).copied());
                let expected = Text::with("an action of {}", agreed);
                if let Some(got) = foreign(action, actions::of_action(action), version) {
                    tell(&UNKNOWN_ACTION, expected, got, at);
                }
            } else if let ("4" | "5", Some(code)) = (message.kind, message.words.get(1)) {
                let expected = Text::with("an error code of {}", agreed);
                if let Some(got) = foreign(code, actions::of_error(code), version) {
                    tell(&UNKNOWN_ERROR, expected, got, message.parts.get(1).copied());
                }
            }
        }
        let own = said.dir.index();
        let id = &message.words[0];
        if message.kind == "2"
            && let Some((open, moment)) = self.pending.due(said.dir)
            && let Some(waited) = said.time.zip(moment.time).map(|(now, then)| now.since(then))
            && waited < OCPP_CALL_WAITS
        {
            let expected = Text::with(
                "the answer to {}, or its timeout, before another \
                                           CALL",
                &open.what,
            );
            let got = Text::with("{}, {} after it", clipped(&message.words[1])).and(wait(waited.max(0)));
            tell(&SECOND_CALL, expected, got, None);
        }
        if message.is_call() && !self.ids[own].insert(id) {
            let expected = "an id of its own for each message of a connection";
            let at = message.parts.first().copied();
            tell(&ID_REUSED, expected.into(), Text::with("{} again", clipped(id)), at);
        }
    }

    fn describe(&mut self, said: &Said<'_>, message: &Message<'_>, found: &mut Vec<Finding>) -> App {
        let Message { kind, name, parts, words } = message;
        let defs = TYPES.iter().find(|(code, ..)| code == kind).map_or(&[][..], |(_, _, defs)| defs);
        let mut fields = Vec::with_capacity(1 + parts.len());
        let at = said.as_text().and_then(|text| text.find(*kind)).unwrap_or_default();
        fields.push(said.field(&TYPE, at, kind.len(), Value::Text((*name).to_owned())));
        fields.extend(defs.iter().zip(*parts).map(|(def, part)| said.literal(def, part)));
        let (id, second) = (clipped(&words[0]), words.get(1).map(|word| clipped(word)));
        let summary = match second {
            Some(word) => Text::with("{} {}, {}", *name).and(word).and(&id),
            None => Text::with("{} {}", *name).and(&id),
        };
        let answers = self.tie(said, message, found);
        App { protocol: "ocpp", name: "OCPP", summary, fields, answers, ..App::default() }
    }

    /// Remembers a call, or finds the one that is answered.
    fn tie(&mut self, said: &Said<'_>, message: &Message<'_>, found: &mut Vec<Finding>) -> Option<Answer> {
        let words = &message.words;
        let (now, id) = (said.moment(), Id::text(&words[0])?);
        match message.kind {
            "2" => {
                let what = clipped(&words[1]).into_owned();
                self.pending.begin(said.dir, now, Request { id, what, ..Request::default() });
                return None;
            }
            "3" | "4" => {}
            // A SEND wants no answer, and the caller's complaint about an answer is none.
            _ => return None,
        }
        let failure = (message.kind == "4").then(|| Failure {
            code: words.get(1).map(|word| clipped(word).into_owned()),
            message: words.get(2).filter(|word| !word.is_empty()).map(|word| clipped(word).into_owned()),
        });
        let answer = self.pending.answer(said.dir, now, |asked| asked.id == id, failure);
        if answer.is_none() && said.agreed && !self.pending.is_incomplete(said.dir.peer()) {
            let expected = "the id of a CALL of the other side that waits for its answer".into();
            let got = Text::with("{} {}", message.name).and(clipped(&words[0]));
            let at = message.parts.first().map_or_else(|| said.span(), |part| said.span_of(part));
            found.push(Finding::new(&UNEXPECTED_ANSWER, said.dir, expected, got).at(at));
        }
        answer
    }
}

/// What to say of a name that other versions have than the one agreed on, or none; `None` where that has it.
fn foreign(name: &str, known: Versions, agreed: Versions) -> Option<Text> {
    if known & agreed != 0 {
        return None;
    }
    let name = clipped(name);
    Some(if known == 0 {
        Text::with("{}, which no version has", name)
    } else {
        Text::with("{}, which {} has", name).and(actions::name(known))
    })
}
