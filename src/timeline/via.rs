//! How a packet came, and what is said of it by that.

use super::when::When;
use crate::app::engineio::Fault;
use crate::model::{Answer, Dir, Finding, Rule, SourceId, Span, Text, Transport};

/// How a packet came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Via {
    pub dir: Dir,
    pub transport: Transport,
    /// Where the packet's bytes stand.
    pub source: SourceId,
    pub offset: u64,
    pub when: When,
}

impl Via {
    /// In the body of a request or response.
    pub fn polling(dir: Dir, source: SourceId, when: When) -> Self {
        Self { dir, transport: Transport::Polling, source, offset: 0, when }
    }
}

/// What a packet answers.
pub(super) fn answer(what: &str, asked: When, now: When) -> Answer {
    Answer { what: what.to_owned(), packets: asked.packets, after: now.since(asked), ..Answer::default() }
}

/// A packet that cannot be read.
pub(super) fn finding_of(rule: &'static Rule, fault: &Fault, via: Via) -> Finding {
    let span = Span::bytes(via.source, via.offset + fault.at as u64, 1);
    Finding::new(rule, via.dir, Text::new(fault.expected), fault.got.clone()).at(span)
}
