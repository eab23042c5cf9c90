//! Topics, put together from the files and the spec sheets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::data::{self, Fact, Group};
use crate::lang::Lang;
use crate::model::{Advice, Cite, FieldDef, Rule};

impl Group {
    /// Its name in this language.
    pub fn title(self, lang: Lang) -> &'static str {
        data::words(lang).groups.get(&self).map_or("", String::as_str)
    }
}

/// Bytes that show what a topic is about, to be decoded by whoever shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Example {
    /// Frames, as one side sends them, in hex.
    Frames(String),
    /// The head of a request, of a response, or both, with CR LF.
    Head(String),
    /// A packet of Engine.IO 4.
    EngineIo(&'static str),
    /// A packet of Socket.IO 5, in its Engine.IO message.
    SocketIo(&'static str),
}

/// A page.
#[derive(Debug)]
pub struct Topic {
    /// Stable id: `ping`, `1006`, `unmasked-client-frame`, `http.via`.
    pub id: &'static str,
    /// What kind of thing it is about.
    pub group: Group,
    /// Number of the lesson that treats it, 0 to 14.
    pub lesson: Option<u8>,
    /// The opcodes, close codes or status codes it is about, first and last.
    pub codes: Option<(u16, u16)>,
    /// Where it is written, most telling first.
    pub cites: Vec<Cite>,
    /// The spec sheet entries it is the page of.
    pub fields: Vec<&'static FieldDef>,
    /// The rule it is the page of.
    pub rule: Option<&'static Rule>,
    /// Ids of topics to read next.
    pub see: &'static [String],
    /// Something to look at.
    pub example: Option<Example>,
    /// Ids of the findings that the example has on purpose.
    pub findings: Vec<&'static str>,
    /// What else people may type for it, in no language.
    pub(super) names: &'static [String],
}

impl Topic {
    /// Its headline.
    pub fn title(&self, lang: Lang) -> &'static str {
        match (self.rule, &*self.fields) {
            (Some(rule), _) => lang.words(rule.title),
            (None, [field]) if self.group == Group::Part => lang.words(field.label),
            _ => data::words(lang).topic.get(self.id).map_or("", |said| &said.title),
        }
    }

    /// A few sentences. Empty for a rule, whose words are its sheet's and its [`advice`](Self::advice).
    pub fn text(&self, lang: Lang) -> &'static str {
        match &*self.fields {
            [field] if self.group == Group::Part => lang.words(field.help),
            _ => data::words(lang).topic.get(self.id).map_or("", |said| &said.text),
        }
    }

    /// The term as it occurs in running text; empty for what is no term.
    pub fn words(&self, lang: Lang) -> &'static [String] {
        data::words(lang).topic.get(self.id).map_or(&[], |said| &said.words)
    }

    /// Whether it is a term whose words are looked for in running text.
    pub fn is_term(&self) -> bool {
        !self.words(Lang::En).is_empty()
    }

    /// Why the rule is there, and how to fix what broke it.
    pub fn advice(&self, lang: Lang) -> Option<Advice> {
        let rule = self.rule?;
        let said = data::words(lang).rule.get(rule.id)?;
        let fix = rule.usually.map_or(said.fix.as_str(), |usually| lang.words(usually.fix));
        Some(Advice { why: &said.why, fix })
    }
}

/// Every topic.
#[derive(Debug)]
pub struct Book {
    pub topics: Vec<Topic>,
    by_id: BTreeMap<&'static str, usize>,
}

impl Book {
    pub fn get() -> &'static Self {
        static BOOK: OnceLock<Book> = OnceLock::new();
        BOOK.get_or_init(Self::bind)
    }

    pub fn topic(&self, id: &str) -> Option<&Topic> {
        self.by_id.get(id).map(|at| &self.topics[*at])
    }

    fn bind() -> Self {
        let facts = data::facts();
        let fields: BTreeMap<&str, &'static FieldDef> = crate::fields().map(|def| (def.id, def)).collect();
        let mut topics: Vec<Topic> = facts.topic.iter().map(|fact| page(fact, &fields)).collect();
        topics.sort_by_key(|topic| topic.group);
        topics.extend(crate::rules().map(of_rule));
        let treated: BTreeSet<&str> =
            topics.iter().flat_map(|topic| &topic.fields).map(|def| def.id).collect();
        topics.extend(fields.values().filter(|def| !treated.contains(def.id)).map(|def| of_field(def)));
        let by_id = topics.iter().enumerate().map(|(at, topic)| (topic.id, at)).collect();
        Self { topics, by_id }
    }
}

fn page(fact: &'static Fact, fields: &BTreeMap<&str, &'static FieldDef>) -> Topic {
    let example = match (&fact.hex, &fact.head, &fact.eio, &fact.sio) {
        (Some(hex), ..) => Some(frames(hex, fact.fill)),
        (_, Some(head), ..) => Some(Example::Head(format!("{head}\n").replace('\n', "\r\n"))),
        (.., Some(packet), _) => Some(Example::EngineIo(packet)),
        (.., Some(packet)) => Some(Example::SocketIo(packet)),
        _ => None,
    };
    Topic {
        id: &fact.id,
        group: fact.group,
        lesson: Some(fact.lesson),
        codes: fact.codes,
        cites: fact.cite.iter().map(|cite| cited(cite)).collect(),
        fields: fact.fields.iter().filter_map(|id| fields.get(id.as_str()).copied()).collect(),
        rule: None,
        see: &fact.see,
        example,
        findings: fact.findings.iter().map(String::as_str).collect(),
        names: &fact.names,
    }
}

fn of_rule(rule: &'static Rule) -> Topic {
    let fact = data::facts().rule.get(rule.id);
    Topic {
        id: rule.id,
        group: Group::Rule,
        lesson: fact.map(|fact| fact.lesson),
        codes: None,
        cites: vec![rule.cite],
        fields: Vec::new(),
        rule: Some(rule),
        see: fact.map_or(&[], |fact| &fact.see),
        example: fact.and_then(|fact| Some(frames(fact.hex.as_ref()?, fact.fill))),
        findings: vec![rule.id],
        names: &[],
    }
}

fn of_field(def: &'static FieldDef) -> Topic {
    Topic {
        id: def.id,
        group: Group::Part,
        lesson: None,
        codes: None,
        cites: vec![def.cite],
        fields: vec![def],
        rule: None,
        see: &[],
        example: None,
        findings: Vec::new(),
        names: &[],
    }
}

/// `hex` with `fill` zero bytes behind it.
fn frames(hex: &str, fill: usize) -> Example {
    Example::Frames(format!("{hex}{}", " 00".repeat(fill)))
}

/// `RFC 6455 §5.2` as document and section.
fn cited(cite: &'static str) -> Cite {
    let (doc, section) = cite.split_once(" §").unwrap_or((cite, ""));
    Cite { doc, section }
}
