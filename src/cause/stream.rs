//! Streams of HTTP/2 that end: a code says why (RFC 9113 §7, RFC 8441 §5).

use super::over::{Over, seen_in};
use crate::http::reset_diagnosis;
use crate::model::{Case, Cite, Finding, Rule, StreamEnd, Text, rules};

rules! {
    /// Ends of streams.
    RULES;
    STREAM_RESET = "stream-reset", Warning, Cite { doc: "RFC 8441", section: "5" }, Either,
        "a WebSocket over HTTP/2 was ended by RST_STREAM, without a Close frame",
        "what was on its way is thrown away on both ends; a browser reports close code 1006",
        usually "a page that was left, a program that dropped the stream, or a proxy's timeout",
        mend "see by the code and the log of who sent it why; close with a Close frame before the stream \
              ends";
}

pub(super) fn find(over: &Over<'_>, causes: &mut Vec<Finding>) {
    let Some(end) = over.cut() else { return };
    let StreamEnd::Reset(code) = end.how else { return };
    let is_explained = causes
        .iter()
        .any(|cause| super::silence::explains(cause.rule) || *cause.rule == super::size::AT_THE_END);
    // Of whom something is missing it may have been END_STREAM.
    if !over.is_websocket() || is_explained || !over.is_all_of(end.by) {
        return;
    }
    let got = Text::new("{} from the {}").and(end.how.flag()).word(end.by.name());
    let what =
        Text::new("ended with {} from the {}, without a Close frame").and(end.how.flag()).word(end.by.name());
    let case = Case::new(what, over.lifetime().into_iter().collect());
    let finding = Finding::new(&STREAM_RESET, None, "a Close frame, then END_STREAM".into(), got)
        .because(reset_diagnosis(code.into()))
        .like(case);
    causes.push(seen_in(finding, end.packet));
}

/// Whether a rule says no more than that a stream was reset.
pub(super) fn is_reset(rule: &Rule) -> bool {
    *rule == STREAM_RESET
}
