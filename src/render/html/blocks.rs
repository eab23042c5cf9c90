//! What is said, set as JSON: the second [`Setter`] beside the page of a terminal.
//!
//! Each [`Block`] becomes an object with its kind, `k`, and its values; words are in the reader's language
//! and safe to look at. `js/blocks.js` makes elements of them. Where a block stands in the bytes of its unit
//! it says so in bits, `at`: the first, and the one behind the last.

use super::known::Known;
use super::shown::{data, words};
use super::wire::{Range, W, in_bytes};
use crate::lang::Lang;
use crate::model::quantity::grouped;
use crate::model::{Finding, Unit, Value};
use crate::render::json::value::{List, ToJson, Word, members, open, with};
use crate::render::pretty::pretty;
use crate::render::said::{Block, Event, Happening, Heading, Run, Setter, Words};
use crate::render::set::app::is_told;
use crate::render::style::Ink;
use crate::render::verdicts;
use crate::render::words::{BYTES, count};

/// Columns that JSON is laid out for.
const JSON_COLUMNS: usize = 88;

/// Sets blocks as the elements of an array.
pub struct Blocks<'a> {
    pub(super) w: &'a mut W,
    pub(super) lang: Lang,
    pub(super) known: &'a mut Known,
    /// What is said something of, if it is a unit.
    pub(super) unit: Option<&'a Unit<'a>>,
    any: bool,
    /// Whether the first block begins something new.
    is_headed: bool,
}

impl<'a> Blocks<'a> {
    /// Nothing set yet; the array's brackets are for whoever asks.
    pub fn new(w: &'a mut W, lang: Lang, known: &'a mut Known, unit: Option<&'a Unit<'a>>) -> Self {
        Self { w, lang, known, unit, any: false, is_headed: false }
    }

    /// Whether anything was set, and whether it begins something new.
    pub fn end(self) -> Option<bool> {
        self.any.then_some(self.is_headed)
    }

    fn heading(&mut self, heading: &Heading<'_>) {
        open!(self.w, "k": "heading", "what": &*words(heading.what), "about": &*words(heading.about));
        if let Some(file) = heading.file {
            members!(self.w, "file": &*words(file));
        }
        if let Some(packets) = heading.packets {
            members!(self.w, "packets": packets);
        }
        if let Some(when) = heading.when {
            members!(self.w, "when": when);
        }
        self.w.raw("}");
    }

    fn details<S: AsRef<str>>(&mut self, details: impl IntoIterator<Item = (&'static str, S)>) {
        let lang = self.lang;
        let told = details.into_iter().filter(|(_, said)| !said.as_ref().is_empty());
        let lines =
            told.map(|(name, said)| with(move |w: &mut W| (lang.words(name), &*words(said.as_ref())).put(w)));
        members!(self.w, "lines": List(lines));
    }

    fn finding(&mut self, finding: &Finding, details: Vec<(&'static str, impl AsRef<str>)>) {
        let rule = finding.rule;
        open!(
            self.w,
            "k": "finding",
            "severity": rule.severity,
            "name": self.lang.words(rule.severity.name()),
            "id": rule.id,
            "cite": rule.cite,
            "title": self.lang.words(rule.title),
        );
        if let Some(dir) = finding.blame {
            members!(self.w, "blame": dir);
        }
        let at: Vec<Range> = finding
            .spans
            .iter()
            .filter_map(|span| in_bytes(self.unit?, *span))
            .filter(|(a, b)| a < b)
            .collect();
        if !at.is_empty() {
            members!(self.w, "at": List(at));
        }
        self.details(details);
        self.w.raw("}");
    }

    fn event(&mut self, event: &Event<'_>) {
        open!(self.w, "k": "event", "when": event.when, "whose": event.whose, "by": &*words(event.by));
        if let Some(file) = event.file {
            members!(self.w, "file": &*words(file));
        }
        if let Some(dir) = event.from {
            members!(self.w, "from": dir);
        }
        match event.said {
            Happening::Runs(runs) => {
                members!(self.w, "runs": Runs(runs));
            }
            Happening::Line(line) => {
                members!(self.w, "line": &*data(line.as_bytes()));
            }
        }
        self.w.raw("}");
    }
}

impl Setter for Blocks<'_> {
    fn set(&mut self, block: Block<'_>) {
        // JSON that is short is in the line above it.
        let laid_out = match block {
            Block::Gap => return,
            Block::Json { json, .. } => pretty(json, JSON_COLUMNS),
            _ => String::new(),
        };
        if let Block::Json { json, told, .. } = block
            && is_told(told, json, &laid_out)
        {
            return;
        }
        if self.any {
            self.w.raw(",");
        } else {
            self.is_headed = matches!(
                block,
                Block::Heading(_) | Block::Totals { .. } | Block::File { .. } | Block::Event(_)
            );
        }
        self.any = true;
        let lang = self.lang;
        match block {
            Block::Gap => {}
            Block::Heading(it) => self.heading(&it),
            Block::Totals { about } => {
                open!(self.w, "k": "heading", "what": lang.words("summary"), "about": &*words(about));
                self.w.raw("}");
            }
            Block::File { name, about, .. } => {
                open!(self.w, "k": "file", "what": &*words(name), "about": &*words(about));
                self.w.raw("}");
            }
            Block::Words(Words { level, runs, .. }) => {
                open!(self.w, "k": "words", "level": level, "runs": Runs(runs));
                self.w.raw("}");
            }
            Block::Quote { lead, ink, quoted, .. } => {
                let space = Run::whole(Ink::Plain, " ");
                let quoted = data(quoted.as_bytes());
                let runs = [lead, space, Run::text(ink, &quoted)].map(Told);
                open!(self.w, "k": "words", "level": 1_u8, "runs": List(runs));
                self.w.raw("}");
            }
            Block::Row(it) => self.row(&it),
            Block::StartLine(line) => {
                open!(self.w, "k": "start", "line": &*data(line.as_bytes()));
                members!(self.w, "at": (0_u64, line.len() as u64 * 8));
                self.w.raw("}");
            }
            Block::Headers(it) => self.headers(it),
            Block::Payload { payload, level } => {
                open!(self.w, "k": "payload", "level": level);
                self.payload("payload", &payload);
                self.w.raw("}");
            }
            Block::Json { label, .. } => {
                open!(self.w, "k": "json", "label": lang.words(label), "json": List(
                    laid_out.lines().map(|line| with(move |w: &mut W| (&*words(line)).put(w)))
                ));
                self.w.raw("}");
            }
            Block::Part { label, value, help, cite } => {
                open!(self.w, "k": "part", "label": lang.words(label), "help": &*words(help), "cite": cite);
                members!(self.w, "v": &*self::value(lang, value));
                self.w.raw("}");
            }
            Block::Finding { finding, place, advice } => {
                self.finding(finding, verdicts::details(lang, finding, place, advice));
            }
            Block::Diagnosis(it) => {
                open!(self.w, "k": "behind");
                self.details(verdicts::behind(lang, it));
                self.w.raw("}");
            }
            Block::Title(title) => {
                open!(self.w, "k": "title", "what": &*words(title));
                self.w.raw("}");
            }
            Block::Cause(it) => {
                open!(self.w, "k": "cause", "severity": it.severity);
                members!(self.w, "name": lang.words(it.severity.name()), "id": it.id);
                members!(self.w, "what": &*words(&it.what), "evidence": &*words(&it.evidence));
                self.details(it.details());
                self.w.raw("}");
            }
            Block::Rules(it) => {
                open!(self.w, "k": "rules", "rules": List(it.iter().map(|(rule, times)| {
                    with(move |w: &mut W| {
                        open!(w, "severity": rule.severity, "name": lang.words(rule.severity.name()));
                        members!(w, "id": rule.id, "times": &*grouped(*times), "cite": rule.cite);
                        w.raw("}");
                    })
                })));
                self.w.raw("}");
            }
            Block::Event(it) => self.event(&it),
        }
    }
}

/// Words of several kinds: their ink, where it is not that of running text, and the words.
struct Runs<'a>(&'a [Run<'a>]);

impl ToJson<Vec<u8>> for Runs<'_> {
    fn put(self, w: &mut W) {
        List(self.0.iter().map(|run| Told(*run))).put(w);
    }
}

/// Words of one kind.
struct Told<'a>(Run<'a>);

impl ToJson<Vec<u8>> for Told<'_> {
    fn put(self, w: &mut W) {
        let name = match self.0.ink {
            Ink::Plain => "",
            Ink::Strong => "strong",
            Ink::Faint => "faint",
            Ink::Client => "client",
            Ink::Server => "server",
            Ink::Good => "good",
            Ink::Warning => "warning",
            Ink::Error => "error",
            Ink::Note => "note",
        };
        (Word(name), &*words(self.0.words)).put(w);
    }
}

/// A field's value in a few words.
fn value(lang: Lang, value: &Value) -> String {
    match value {
        Value::Text(text) => data(text.as_bytes()).into_owned(),
        Value::Json(json) => words(&pretty(json, JSON_COLUMNS)).into_owned(),
        Value::Bytes(bytes) => count(lang, bytes.len() as u64, BYTES),
        Value::Number(number) | Value::Code(number) => number.to_string(),
        Value::Bit(bit) => u8::from(*bit).to_string(),
    }
}
