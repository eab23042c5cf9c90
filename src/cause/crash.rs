//! Connections whose end cuts off what was under way: a program crashed, or was ended.

use super::over::{Over, seen_in};
use crate::model::quantity::{grouped, span, wait};
use crate::model::{
    Case, Cite, Diagnosis, Dir, Finding, Measure, Quantity, Rule, StreamEnd, TcpEnd, Text, rules,
};

rules! {
    /// Ends in the middle of something.
    RULES;
    CUT_MESSAGE = "ended-inside-message", Error, Cite::rfc6455("7.1.5"), Either,
        "a connection ended while one of its endpoints was sending a message",
        "the message is lost: its receiver has a part of it, or nothing",
        usually "the sender's process crashed or was killed, or its host lost the network",
        mend "look for a crash of the sender at this time; send again what was not acknowledged";
    ABORTED = "connection-aborted", Warning, Cite::rfc6455("7.1.1"), Either,
        "a connection was ended by RST, without a Close frame",
        "what was on its way is thrown away on both ends",
        usually "the process was killed, or its program closed the socket with data unread",
        mend "look for a crash or a kill at this time; close with a Close frame before the socket is closed";
    AFTER_MESSAGE = "ended-after-message", Warning, Cite::rfc6455("7.1.1"), Server,
        "the server ended TCP right after a message of the client, without a Close frame",
        "the message has no answer, and the client learns no reason",
        usually "the program failed on that message: an exception that nobody caught, a worker that crashed",
        mend "look into the server's log at this time; send it that message again, and see whether it ends \
              so again";
}

/// Nanoseconds after a message within which an end belongs to it, unless messages are frequent.
const AT_ONCE: i64 = 20_000_000;
/// The client speaks so many times less often.
const SELDOM: i64 = 20;

/// Nanoseconds of silence before a reset that say more than it does.
const QUIET: i64 = 3_000_000_000;

/// How long before the end the server had got a message of its client, if that was no accident: the client
/// speaks seldom.
fn answered_by_end(over: &Over<'_>, end: TcpEnd) -> Option<i64> {
    let (dir, heard) = over.heard()?;
    let after = end.time?.since(heard);
    let messages = i64::try_from(over.ending.counts[Dir::Client.index()].messages).ok()?.max(1);
    let apart = over.lived()? / messages;
    // A reset says more.
    let has_left = over.left == Some(Dir::Client);
    let is_then = dir == Dir::Client && end.by == Dir::Server && !has_left;
    let is_plain = matches!(end.how, StreamEnd::Fin | StreamEnd::Notify);
    (is_then && is_plain && (0..=AT_ONCE).contains(&after) && after.saturating_mul(SELDOM) <= apart)
        .then_some(after)
}

/// Whether a rule says no more than that a connection was reset.
pub(super) fn is_reset(rule: &Rule) -> bool {
    *rule == ABORTED || super::stream::is_reset(rule)
}

pub(super) fn find(over: &Over<'_>, causes: &mut Vec<Finding>) {
    let Some(end) = over.cut() else { return };
    if !over.is_websocket() || !over.is_whole() {
        return;
    }
    for dir in [Dir::Client, Dir::Server] {
        let Some(unfinished) = over.ending.sides[dir.index()].unfinished else { continue };
        let got = match unfinished.frame {
            Some((arrived, declared)) => {
                Text::new("ended while the {} was sending: {} of a frame's {} bytes had come")
                    .word(dir.name())
                    .and(grouped(arrived))
                    .and(grouped(declared))
            }
            None => Text::new("ended while the {} was sending: {} bytes in {} fragments, and no last one")
                .word(dir.name())
                .and(grouped(unfinished.bytes))
                .and(unfinished.fragments),
        };
        let what = Text::new("ended while the {} was sending a message").word(dir.name());
        let case = Case::new(what, over.lifetime().into_iter().collect());
        let mut finding = Finding::new(&CUT_MESSAGE, None, "the rest of the message".into(), got).like(case);
        if end.by == dir
            && let Some(shut) = super::tcp::shut_at_end(over, dir.peer(), end)
        {
            let behind = Text::new(
                "the {} had not read for {} (its window was zero), and the {} gave it up with what still \
                 waited for it",
            )
            .word(dir.peer().name())
            .and(wait(shut))
            .word(dir.name());
            let mend = Text::new(
                "look at what the {} did at that time; bound what waits for it, and drop or merge the rest",
            )
            .word(dir.peer().name());
            finding = finding.because(Diagnosis::new(CUT_MESSAGE.id, behind, mend));
        } else if let Some(shut) = super::tcp::shut_at_end(over, dir.peer(), end) {
            let behind = Text::new("the {} had not read for {} (its window was zero), and then ended TCP")
                .word(end.by.name())
                .and(wait(shut));
            let mend = Text::new("look at what the {} did at that time: it reads too little or not at all")
                .word(end.by.name());
            finding = finding.because(Diagnosis::new(CUT_MESSAGE.id, behind, mend));
        } else if end.by != dir {
            let limit = super::size::behind(unfinished.length());
            let behind = limit.unwrap_or_else(|| {
                Text::new("the {} ended TCP without waiting for the rest").word(end.by.name())
            });
            let mend = Text::new("look at what the {} did at this time: a crash, a timeout, a limit")
                .word(end.by.name());
            finding = finding.because(Diagnosis::new(CUT_MESSAGE.id, behind, mend));
        }
        causes.push(seen_in(finding, end.packet));
        return;
    }
    // Who has waited in vain for long enough gives up.
    let is_explained = causes.iter().any(|cause| {
        super::tcp::explains(cause.rule)
            || super::heartbeat::explains(cause.rule)
            || super::silence::explains(cause.rule)
            || *cause.rule == super::size::AT_THE_END
    });
    if let Some(after) = answered_by_end(over, end).filter(|_| !is_explained) {
        let got = Text::with("{} after a message of the client", wait(after)).then(end.how.flag().into());
        let what = "ended by the server right after a message of the client, without a Close frame";
        let measures = vec![Measure::of(Quantity::Waited, after)];
        let finding = Finding::new(&AFTER_MESSAGE, Dir::Server, "an answer, or a Close frame".into(), got);
        causes.push(seen_in(finding.like(Case::new(what.into(), measures)), end.packet));
        return;
    }
    if end.how == StreamEnd::Rst && !is_explained {
        let got = Text::new("RST from the {}").word(end.by.name());
        let what = Text::new("ended with RST from the {}, without a Close frame").word(end.by.name());
        let case = Case::new(what, over.lifetime().into_iter().collect());
        let mut finding = Finding::new(&ABORTED, None, "a Close frame, then FIN".into(), got).like(case);
        let facts = over.ending.transport.as_deref();
        let lost = facts.map_or(0, |facts| facts.sides[end.by.peer().index()].unacknowledged);
        let own = facts.map(|facts| &facts.sides[end.by.index()]);
        if own.is_some_and(|own| own.disowned && own.fin.is_none()) {
            let behind = Text::new(
                "the host of the {} knew of no such connection: it was restarted, or a NAT or firewall on \
                 the way forgot it",
            )
            .word(end.by.name());
            let mend = "send pings and give up when no pong comes in time; let the NAT remember for longer \
                        than the pings are apart";
            finding = finding.because(Diagnosis::new(ABORTED.id, behind, mend));
        } else if lost > 0 {
            let behind = Text::new(
                "the {} threw away {} bytes that were on their way to it: its process was killed, or \
                 closed the socket with data unread",
            )
            .word(end.by.name())
            .and(grouped(lost));
            let mend =
                "look for a crash or a kill at this time, or read what is there before the socket is closed";
            finding = finding.because(Diagnosis::new(ABORTED.id, behind, mend));
        } else if let Some(silence) = quiet(over) {
            let behind = Text::new(
                "nothing was under way, and nobody had said anything for {}: an idle timeout of the {} or of \
                 something on the way, or a process that was killed",
            )
            .and(span(silence))
            .word(end.by.name());
            let mend = Text::with(
                "see whether other connections end after the same silence; a ping or a message every {} \
                 keeps one open",
                super::silence::often_enough(silence),
            );
            finding = finding.because(Diagnosis::new(ABORTED.id, behind, mend));
        }
        causes.push(seen_in(finding, end.packet));
    }
}

/// Nanoseconds of silence before an end that was a reset, if they are enough to have something to do with it.
fn quiet(over: &Over<'_>) -> Option<i64> {
    over.silence().filter(|silence| *silence >= QUIET && over.knows_silence() && over.is_at_rest())
}
