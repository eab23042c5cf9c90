//! Connections that ended right after a large message: a limit that its receiver does not speak of.

use super::over::{Over, seen_in};
use crate::model::quantity::{grouped, size};
use crate::model::{Case, Cite, Finding, Measure, Quantity, Text, rules};

rules! {
    /// Large messages.
    RULES;
    AT_THE_END = "large-message-at-end", Warning, Cite::rfc6455("7.4.1"), Either,
        "the receiver of a large message ended the connection without a Close frame",
        "the connection is lost with the message; sent again, it ends the same way",
        usually "a limit for messages or memory in the receiver or in a proxy before it, which says no 1009",
        mend "compare the length with the receiver's limit and raise that, or send it in parts";
}

/// Limits that receivers have unless they are set, in bytes.
const LIMITS: &[(u64, &str)] = &[
    (64 << 10, "Jetty"),
    (128 << 10, "AWS API Gateway"),
    (1_000_000, "Socket.IO (maxHttpBufferSize)"),
    (1 << 20, "Python websockets (max_size)"),
    (4 << 20, "aiohttp (max_msg_size)"),
    (16 << 20, "uvicorn (ws_max_size)"),
    (100 << 20, "ws (maxPayload)"),
];

/// Nanoseconds after which the end has nothing to do with the message.
const RIGHT_AFTER: i64 = 2_000_000_000;

pub(super) fn find(over: &Over<'_>, causes: &mut Vec<Finding>) {
    let Some(end) = over.cut() else { return };
    let sender = end.by.peer();
    let is_explained = causes.iter().any(|cause| super::tcp::explains(cause.rule));
    // A receiver that ends in order may have got what it wanted.
    if !end.how.is_reset() || !over.is_websocket() || !over.is_whole() || is_explained {
        return;
    }
    let bytes = over.ending.sides[sender.index()].last_large;
    let is_soon = over.silence().is_some_and(|silence| silence <= RIGHT_AFTER);
    let Some(behind) = behind(bytes).filter(|_| is_soon) else { return };
    let got = Text::with("a message of {} bytes, then {} from the {}", grouped(bytes))
        .and(end.how.flag())
        .word(end.by.name());
    let what = Text::new("ended with {} from the {} right after a large message of the {}")
        .and(end.how.flag())
        .word(end.by.name())
        .word(sender.name());
    let measure = Measure::of(Quantity::Bytes, i64::try_from(bytes).unwrap_or(i64::MAX));
    let finding = Finding::new(&AT_THE_END, None, "1009 from who cannot take it".into(), got)
        .behind(behind)
        .like(Case::new(what, vec![measure]));
    causes.push(seen_in(finding, end.packet));
}

/// Which usual limit a message of so many bytes exceeds, in words.
pub(super) fn behind(bytes: u64) -> Option<Text> {
    let (limit, whose) = LIMITS.iter().rev().find(|(limit, _)| bytes > *limit)?;
    let words =
        "a limit of the receiver: the message has {} bytes ({}), and {} is the limit of {} unless it is set";
    Some(Text::with(words, grouped(bytes)).and(size(bytes)).and(size(*limit)).word(*whose))
}
