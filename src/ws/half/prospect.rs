//! What is certain of a frame or message before it is over: an endpoint need not wait for the end of what it
//! will refuse.

use super::{Half, State};
use crate::model::{Finding, Opcode, Rule, Severity, Span};
use crate::ws::repeats::{Found, Repeats};
use crate::ws::shared::Shared;
use crate::ws::{INVALID_UTF8, close, judge};

/// What is certain of what one endpoint has begun to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prospect {
    /// A rule that it breaks, whatever comes next: the first with [`Severity::Error`].
    pub broken: Option<&'static Rule>,
    /// Bytes that its message will have at least: those of its fragments, as long as they say they are, or
    /// what they have inflated to.
    pub length: u64,
}

impl Half {
    /// What is certain of what is under way. Nothing is noted for it while bytes come: it costs only whom it
    /// is asked by.
    pub(in crate::ws) fn prospect(&self, shared: &Shared) -> Prospect {
        let Some(open) = self.open.as_deref() else { return Prospect::default() };
        let mut findings: Vec<Finding> = Vec::new();
        let mut length = 0;
        self.judge_unfinished(shared, &mut findings);
        if matches!(open.state, State::Payload) {
            let header = &open.current.header;
            let context = self.context(shared, open.current.offset, open.current.in_message);
            if judge::is_suspect(header, &context) {
                let (repeats, mut counted) = (Repeats::default(), Vec::new());
                judge::judge(
                    header,
                    &context,
                    &mut Found::new(self.dir, &repeats, &mut findings, &mut counted),
                );
            }
            if header.opcode == Opcode::CLOSE {
                let at = Span::bits(context.source, context.bit(9), context.bit(16));
                close::check_length(header.length, at, self.dir, &mut findings);
            }
            if !header.opcode.is_control() {
                length = header.length;
            }
        }
        let error = |finding: &&Finding| finding.rule.severity == Severity::Error;
        let mut broken = findings.iter().find(error).map(|finding| finding.rule);
        if let Some(message) = &open.message {
            length = length.saturating_add(message.length);
            if message.bad_at.is_some() {
                broken = broken.or(Some(&INVALID_UTF8));
            }
            let inflating = shared.compressed[self.dir.index()].as_ref().filter(|_| message.compressed);
            if let Some(compressed) = inflating {
                findings.clear();
                compressed.judge_unfinished(shared.conn, shared.next_m + 1, &mut findings);
                broken = broken.or_else(|| findings.iter().find(error).map(|finding| finding.rule));
                length = compressed.inflated_so_far();
            }
        }
        Prospect { broken, length }
    }
}
