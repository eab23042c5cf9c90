//! The way from the decoders to a sink, with the tally every run keeps.

use std::ops::ControlFlow;

use super::finding::Rule;
use super::text::Text;
use super::unit::{Body, Flow, Other, Sink, Summary, Unit};
use super::wants::Wants;

/// Passes units on to a sink and counts them for the summary.
pub struct Out<'s> {
    sink: &'s mut dyn Sink,
    wants: Wants,
    tally: Summary,
}

impl<'s> Out<'s> {
    /// An empty tally in front of `sink`.
    pub fn new(sink: &'s mut dyn Sink) -> Self {
        let wants = sink.wants();
        Self { sink, wants, tally: Summary::default() }
    }

    /// What the sink will look at.
    pub fn wants(&self) -> Wants {
        self.wants
    }

    /// Counts a unit and passes it on.
    pub fn emit(&mut self, unit: &Unit<'_>) -> Flow {
        match unit.body {
            Body::Frame(_) => self.tally.frames += 1,
            Body::Message(_) => self.tally.messages += 1,
            Body::Connection(c) if c.ending.is_none() => self.tally.connections += 1,
            _ => {}
        }
        for rule in unit.rules() {
            self.count(rule);
        }
        self.sink.take(unit)
    }

    /// What else there is in the input.
    pub fn others(&mut self, others: Vec<Other>) {
        self.tally.others = others;
    }

    /// The last unit: the totals, with what the caller knows about the input.
    pub fn finish(mut self, packets: u64, bytes: u64, error: Option<Text>) -> Summary {
        self.tally.packets = packets;
        self.tally.bytes = bytes;
        self.tally.error = error;
        self.tally.findings.sort_by_key(|(rule, _)| (std::cmp::Reverse(rule.severity), rule.id));
        // The run is over: whether the sink wants more no longer matters.
        let _: Flow = self.sink.take(&Unit::about_input(Body::Summary(&self.tally)));
        self.tally
    }

    fn count(&mut self, rule: &'static Rule) {
        match self.tally.findings.iter_mut().find(|(known, _)| std::ptr::eq(*known, rule)) {
            Some((_, count)) => *count += 1,
            None => self.tally.findings.push((rule, 1)),
        }
    }
}

impl<'a> Unit<'a> {
    /// The rules it breaks, once for each time: those of its findings, and those that are only counted.
    #[inline]
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> + use<'a> {
        self.findings.iter().map(|finding| finding.rule).chain(self.counted.iter().copied())
    }

    /// A unit that belongs to no connection.
    pub fn about_input(body: Body<'a>) -> Self {
        Self {
            conn: 0,
            dir: None,
            time: None,
            packets: None,
            body,
            fields: &[],
            findings: &[],
            counted: &[],
            sources: &[],
        }
    }
}

/// Goes on.
pub const ON: Flow = ControlFlow::Continue(());
