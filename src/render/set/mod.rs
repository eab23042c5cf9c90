//! What is said, set for a terminal: in lines of counted columns.

pub mod app;
pub mod findings;
mod heading;
pub mod heads;
mod payload;
mod rows;

use super::files::shorten;
use super::page::Page;
use super::said::{Block, FilePlace, Most, Run, Setter, Words};
use super::style::Ink;
use super::verdicts;
use crate::model::Rule;
use crate::model::quantity::grouped;

pub use payload::payload;

/// Where the contents of a block begin.
pub const INDENT: usize = 2;

impl Setter for Page {
    fn set(&mut self, block: Block<'_>) {
        match block {
            Block::Gap => self.gap(),
            Block::Heading(it) => heading::set(self, &it),
            Block::Totals { about } => {
                self.gap();
                self.word(Ink::Strong, "summary");
                self.put(Ink::Plain, "  ").wrap(Ink::Plain, about, 9, 0).line();
            }
            Block::File { name, about, place } => file(self, name, about, place),
            Block::Words(Words { level, hangs, runs }) => {
                let indent = level * INDENT;
                self.to(indent).runs(runs, indent + if hangs { 2 } else { 0 }).line();
            }
            Block::Quote { lead, ink, quoted, most } => {
                self.to(INDENT).put(lead.ink, lead.words).put(Ink::Plain, " ");
                match most {
                    Most::Columns(columns) => self.data(ink, quoted.as_bytes(), columns, false),
                    Most::Rows(rows) => self.spill(quoted.as_bytes(), INDENT + 2, rows),
                };
                self.line();
            }
            Block::Row(it) => rows::set(self, &it),
            Block::StartLine(line) => {
                self.to(INDENT).spill(line.as_bytes(), INDENT + 2, heads::VALUE_ROWS).line();
            }
            Block::Headers(it) => heads::set(self, it),
            Block::Payload { payload, level } => payload::payload(self, &payload, level * INDENT),
            Block::Json { label, json, told } => app::json(self, label, json, told),
            Block::Part { label, value, help, cite } => app::part(self, label, value, help, cite),
            Block::Finding { finding, place, advice } => findings::finding(self, finding, place, advice),
            Block::Diagnosis(it) => findings::diagnosis(self, it),
            Block::Title(words) => self.wrap(Ink::Strong, words, INDENT, 0).line(),
            Block::Cause(it) => findings::cause(self, &it),
            Block::Rules(it) => rules(self, it),
            Block::Event(it) => app::event(self, &it),
        }
    }
}

impl Page {
    /// Writes words of several kinds, one after another; later lines begin at `indent`.
    pub fn runs(&mut self, runs: &[Run<'_>], indent: usize) -> &mut Self {
        for run in runs {
            if run.is_whole {
                self.put(run.ink, run.words);
            } else {
                self.wrap(run.ink, run.words, indent, 0);
            }
        }
        self
    }
}

/// A line about a file: its name, in which a path keeps its end, and what it is or came to.
fn file(page: &mut Page, name: &str, about: &str, place: FilePlace) {
    let ellipsis = if page.ascii() { "..." } else { "…" };
    match place {
        FilePlace::Beginning => {
            let room = page.width().saturating_sub(page.measure(about) + 2).max(16);
            // Hex has no name to keep.
            let is_path = name.contains(['/', '.']);
            let short = if is_path && page.measure_data(name.as_bytes(), room).is_none() {
                shorten(name, room, ellipsis)
            } else {
                name.to_owned()
            };
            page.data(Ink::Strong, short.as_bytes(), room, false);
            page.put(Ink::Faint, "  ").wrap(Ink::Faint, about, INDENT, 0).line();
        }
        FilePlace::Totals => {
            let room = page.width().saturating_sub(INDENT + 2 + page.measure(about)).max(16);
            let name = shorten(name, room, ellipsis);
            page.to(INDENT).data(Ink::Strong, name.as_bytes(), room, false);
            page.put(Ink::Plain, "  ").wrap(Ink::Plain, about, INDENT + 2, 0).line();
        }
    }
}

/// How often each rule was broken, in columns.
fn rules(page: &mut Page, rules: &[(&'static Rule, u64)]) {
    let widest = rules.iter().map(|(rule, _)| rule.id.len()).max().unwrap_or_default();
    let number = rules.iter().map(|(_, times)| grouped(*times).len() + 1).max().unwrap_or_default();
    for (rule, times) in rules {
        page.to(INDENT).word(verdicts::ink(rule.severity), rule.severity.name());
        let times = format!("{}×", grouped(*times));
        page.put(Ink::Plain, " ").put_right(Ink::Plain, &times, INDENT + 8 + number);
        let at = INDENT + 10 + number;
        page.to(at).wrap(Ink::Strong, rule.id, at, 0);
        page.to(at + 2 + widest.min(40)).tail(Ink::Faint, &rule.cite.to_string()).line();
    }
}
