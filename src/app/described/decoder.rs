//! Reads the messages of one connection as their description says.

use std::sync::Arc;

use super::layout::{Cursor, Datum, Got};
use super::{Check, Described, Field, Kind, Place, Source, Ties};
use crate::app::dialect::{Decoder, Said};
use crate::app::excerpt::clipped;
use crate::app::jsonrpc;
use crate::app::pending::{Id, Pending, Request, Requests};
use crate::app::value::{Node, Shape};
use crate::limits::APP_SHOWN;
use crate::model::{Answer, App, Failure, Field as Told, Finding, Span, Text, Value};

/// Fields that a summary lists where the description has none.
const LISTED: usize = 6;

/// Reads the messages of one connection, and remembers the requests in them.
#[derive(Debug)]
pub struct Interpreter {
    described: Arc<Described>,
    pending: Pending,
    has_paths: bool,
}

/// What was read of a message.
struct Message<'a> {
    node: Option<Node<'a>>,
    got: Vec<Got>,
}

impl Message<'_> {
    /// What a field says, or what stands at a path.
    fn of(&self, source: &Source) -> Option<Datum> {
        match source {
            Source::Path(path) => path.find_in(self.node?).map(Datum::of),
            Source::Field(name) => self.field(name).map(|got| got.datum.clone()),
        }
    }

    fn field(&self, name: &str) -> Option<&Got> {
        self.got.iter().find(|got| got.name == name)
    }

    fn id(&self, source: Option<&Source>) -> Option<Id> {
        match source? {
            Source::Path(path) => {
                let node = path.find_in(self.node?)?;
                (node.shape() != Shape::Null).then(|| Id::text(&node.json()?))?
            }
            Source::Field(name) => match &self.field(name)?.datum {
                Datum::Number(number) => u64::try_from(*number).ok().map(Id::Number),
                datum => Id::text(&datum.shown()),
            },
        }
    }

    /// Where a value stands, in bits.
    fn place(&self, said: &Said<'_>, source: &Source) -> Option<Span> {
        let (start, length) = match source {
            Source::Field(name) => self.field(name)?.bits,
            Source::Path(path) => {
                let bytes = path.find_in(self.node?)?.bytes();
                (said.place_of(bytes) as u64 * 8, bytes.len() as u64 * 8)
            }
        };
        Some(Span { source: said.source, start, end: start + length })
    }
}

impl Decoder for Interpreter {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        let described = self.described.clone();
        let node = if self.has_paths { described.node(said) } else { None };
        if !described.content.fits(said, node) {
            return None;
        }
        let mut message = Message { node, got: Vec::new() };
        let mut cursor = Cursor::new(said.bytes);
        let as_bytes = |text: Option<bool>| !said.text || text == Some(true);
        let all_bytes = as_bytes(described.content.text);
        let mut cut = false;
        if all_bytes {
            cut = cursor.fields(&described.fields, 0).is_err();
        }
        message.got.append(&mut cursor.taken.fields);
        paths(said, node, &described.fields, &mut message.got);
        let kind = described.kinds.iter().find(|kind| kind.fits(said, &message));
        if kind.is_none() && message.got.is_empty() && described.content.is_empty() {
            return None;
        }
        if let Some(kind) = kind {
            if !cut && as_bytes(described.content.text.or(kind.content.text)) {
                // Switches and lengths may look at the fields of all messages.
                std::mem::swap(&mut cursor.taken.fields, &mut message.got);
                let _ = cursor.fields(&kind.fields, 0);
                std::mem::swap(&mut cursor.taken.fields, &mut message.got);
            }
            paths(said, node, &kind.fields, &mut message.got);
        }
        if let Some((at, expected, got)) = cursor.taken.cut_words(said.bytes.len()) {
            let length = said.bytes.len() - at;
            let span = Span::bytes(said.source, at as u64, length as u64);
            found.push(Finding::new(described.cut, said.dir, expected, got).at(span));
        }
        for check in &described.checks {
            found.extend(check.judge(said, kind, &message));
        }
        let answers = self.tie(said, kind, &message);
        let mut fields: Vec<Told> = message.got.iter().map(|got| told(said, got)).collect();
        let taken = &cursor.taken;
        if taken.end > 0 && taken.end < said.bytes.len() && taken.cut.is_none() && !taken.more {
            let rest = &said.bytes[taken.end..];
            let value = Value::Bytes(rest[..rest.len().min(APP_SHOWN)].to_vec());
            fields.push(said.part(described.rest, rest, value));
        }
        let summary = summary(kind, &message);
        Some(App { protocol: described.id, name: described.name, summary, fields, answers, ..App::default() })
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl Interpreter {
    /// Nothing was said so far.
    pub fn new(described: Arc<Described>) -> Self {
        let has_paths = described.has_paths();
        Self { described, pending: Pending::default(), has_paths }
    }

    /// Remembers a request, or finds the one that is answered.
    fn tie(&mut self, said: &Said<'_>, kind: Option<&Kind>, message: &Message<'_>) -> Option<Answer> {
        let common = &self.described.ties;
        let own = kind.map(|kind| &kind.ties).filter(|ties| ties.request.is_some() || ties.reply.is_some());
        let Ties { request, reply, .. } = own.unwrap_or(common);
        let of = |pick: fn(&Ties) -> Option<&Source>| kind.and_then(|kind| pick(&kind.ties)).or(pick(common));
        let (asked, answered) = (message.id(request.as_ref()), message.id(reply.as_ref()));
        let (dir, now) = (said.dir, said.moment());
        let is = |id: Id| move |asked: &Request| asked.id == id;
        // With one place for both, what the other side waits for is a reply.
        let answered = answered.filter(|id| {
            asked.as_ref() != Some(id)
                || self.pending.waits(dir.peer(), is(id.clone()))
                || self.pending.was_answered(dir.peer(), is(id.clone()))
        });
        if let Some(id) = answered {
            let failure = of(|ties| ties.error.as_ref()).and_then(|source| failure(message, source));
            return self.pending.answer(dir, now, is(id), failure);
        }
        let id = asked?;
        let method = of(|ties| ties.method.as_ref()).and_then(|source| match source {
            Source::Field(name) => message.field(name).map(Got::said),
            Source::Path(_) => message.of(source).map(|datum| datum.shown()),
        });
        let what = method.or_else(|| kind.map(|kind| kind.name.to_owned()));
        let what = what.or_else(|| id.shown()).unwrap_or_default();
        let method = kind
            .is_none()
            .then(|| self.described.name.to_owned())
            .filter(|_| self.described.ties.method.is_none());
        let what = clipped(&what).into_owned();
        self.pending.begin(dir, now, Request { id, what, method, ..Request::default() });
        None
    }
}

impl Kind {
    fn fits(&self, said: &Said<'_>, message: &Message<'_>) -> bool {
        self.from.is_none_or(|from| from == said.dir)
            && self.when.iter().all(|(name, wanted)| {
                message.field(name).is_some_and(|got| wanted.iter().any(|wanted| got.is(wanted)))
            })
            && self.content.fits(said, message.node)
            && (message.node.is_some()
                || !said.text
                || self.content.text == Some(true)
                || self.fields.is_empty())
    }
}

impl Check {
    fn judge(&self, said: &Said<'_>, kind: Option<&Kind>, message: &Message<'_>) -> Option<Finding> {
        if !self.of.is_empty() && !kind.is_some_and(|kind| self.of.contains(&kind.name)) {
            return None;
        }
        let name = match &self.field {
            Source::Path(path) => path.to_string(),
            Source::Field(name) => name.clone(),
        };
        let finding = |expected, got| Finding::new(self.rule, said.dir, expected, got);
        let Some(datum) = message.of(&self.field) else {
            // What is not there is only known to be missing where the rest is.
            return self.required.then(|| finding(Text::with("{} in it", name), "there is none".into()));
        };
        let is_one = |wanted: &super::Wanted| match &self.field {
            Source::Field(name) => message.field(name).is_some_and(|got| got.is(wanted)),
            Source::Path(_) => datum.is(wanted),
        };
        let number = datum.number();
        let expected = if !self.one_of.is_empty() && !self.one_of.iter().any(is_one) {
            let all: Vec<String> = self.one_of.iter().map(super::Wanted::shown).collect();
            Text::with("{}: one of {}", name).and(all.join(", "))
        } else if let (Some(min), Some(max), Some(number)) = (self.min, self.max, number) {
            if (min..=max).contains(&number) {
                return None;
            }
            Text::with("{}: from {} to {}", name).and(min).and(max)
        } else if let Some(min) = self.min.filter(|min| number.is_some_and(|number| number < *min)) {
            Text::with("{}: {} at least", name).and(min)
        } else if let Some(max) = self.max.filter(|max| number.is_some_and(|number| number > *max)) {
            Text::with("{}: {} at most", name).and(max)
        } else {
            return None;
        };
        let finding = finding(expected, Text::with("{}", datum.shown()));
        Some(match message.place(said, &self.field) {
            Some(span) => finding.at(span),
            None => finding,
        })
    }
}

/// Finds fields by their paths.
fn paths(said: &Said<'_>, node: Option<Node<'_>>, fields: &[Field], to: &mut Vec<Got>) {
    let Some(node) = node else { return };
    for field in fields {
        let Place::Path(path) = &field.place else { continue };
        let Some(there) = path.find_in(node) else { continue };
        let datum = Datum::of(there);
        let word = field.names.iter().find(|(value, _)| datum.is(value)).map(|(_, word)| word.clone());
        let bytes = there.bytes();
        let bits = (said.place_of(bytes) as u64 * 8, bytes.len() as u64 * 8);
        to.push(Got { name: field.name.clone(), def: field.def, bits, datum, word, depth: 0 });
    }
}

/// A field to be shown.
fn told(said: &Said<'_>, got: &Got) -> Told {
    let (start, length) = got.bits;
    let span = Span { source: said.source, start, end: start + length };
    Told { def: got.def, span, value: got.datum.value(), meaning: got.meaning(), depth: got.depth }
}

fn summary(kind: Option<&Kind>, message: &Message<'_>) -> Text {
    let Some(kind) = kind else {
        return Text::new("a message of no kind that is described");
    };
    if let Some(template) = &kind.summary {
        return Text::with("{}", template.fill(|name| message.field(name).map(Got::said)));
    }
    let scalar = |got: &&Got| !matches!(got.datum, Datum::Bytes(_)) && got.depth == 0;
    let parts: Vec<String> = message
        .got
        .iter()
        .filter(scalar)
        .take(LISTED)
        .map(|got| format!("{} {}", got.def.label, clipped(&got.said())))
        .collect();
    if parts.is_empty() {
        return Text::with("{}", kind.name);
    }
    Text::with("{}: {}", kind.name).and(parts.join(", "))
}

/// What an error says, where there is one.
fn failure(message: &Message<'_>, source: &Source) -> Option<Failure> {
    let word = match source {
        Source::Field(name) => message.field(name).and_then(|got| got.word.clone()),
        Source::Path(_) => None,
    };
    match message.of(source)? {
        Datum::Number(0) | Datum::Bit(false) => None,
        Datum::Number(code) => Some(Failure { code: Some(code.to_string()), message: word }),
        Datum::Text(text) if text.is_empty() => None,
        Datum::Text(text) => Some(Failure { code: None, message: Some(clipped(&text).into_owned()) }),
        Datum::Json(json) if Node::Json(&json).shape() == Shape::Null || json.trim().parse() == Ok(false) => {
            None
        }
        Datum::Json(json) => Some(jsonrpc::failure(&json)),
        datum => Some(Failure { code: None, message: Some(datum.shown()) }),
    }
}
