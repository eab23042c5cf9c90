//! Connections that were ended the same time after they had begun, whatever was said.

use std::collections::HashSet;

use super::{ALL, Event, Fast, MOMENT, SAME_LIFETIME, SECOND, Together, alike, range, together};
use crate::cause::over::Over;
use crate::model::quantity::span;
use crate::model::{Case, Diagnosis, Dir, Endpoint, Finding, Measure, Quantity, Text};

/// Connections that lasted for less end for other reasons.
const LEAST: i64 = 2 * SECOND;

/// How long a connection lasted that its server ended without a word, while it was in use and for no other
/// reason that was found.
pub(super) fn cut_short(over: &Over<'_>, is_unexplained: bool) -> Option<i64> {
    over.cut().filter(|end| end.by == Dir::Server && end.how.is_orderly() && is_unexplained)?;
    if !over.is_websocket() || !over.is_whole() {
        return None;
    }
    // After a silence it is that.
    let (lived, silence) = (over.lived()?, over.silence()?);
    (silence < lived / 3).then_some(lived)
}

/// Several connections that lasted equally long, if they have not ended together.
pub(super) fn same_lifetime(
    server: Endpoint,
    events: &[Event],
    gone: &HashSet<u32, Fast>,
) -> Option<Together> {
    let mut lasted: Vec<(i64, Event)> = events
        .iter()
        .filter(|event| !gone.contains(&event.conn))
        .filter_map(|event| event.cut_short.map(|lasted| (lasted, *event)))
        .collect();
    lasted.sort_unstable_by_key(|(lasted, event)| (*lasted, event.conn));
    let most = alike(&lasted);
    let (least, longest) = (most.first()?.0, most.last()?.0);
    // Among many some are as old as others; and of those that begin together nobody knows what ended them.
    let mut ends: Vec<_> = most.iter().map(|(_, event)| event.ended).collect();
    ends.sort_unstable();
    ends.dedup_by(|a, b| a.since(*b) <= MOMENT);
    if ends.len() < ALL || least < LEAST || most.len() * 2 <= lasted.len() {
        return None;
    }
    let events: Vec<Event> = most.iter().map(|(_, event)| *event).collect();
    let got = Text::with("{} connections ended {} to {} after they had begun", most.len())
        .and(span(least))
        .and(span(longest));
    let what = Text::with("{} connections to {} ended by the server when they were equally old", most.len())
        .and(server);
    let lived = range(Quantity::Lived, most.iter().map(|(lasted, _)| *lasted));
    let count = Measure::count(Quantity::Connections, most.len() as u64);
    let case = Case::new(what, std::iter::once(count).chain(lived).collect());
    let behind = Text::with(
        "a limit of {} on the whole connection, in use or not: a deadline that is set once and never moved \
         (SetReadDeadline in Go), or a load balancer's timeout for a request (30 s on Google Cloud)",
        span(least),
    );
    let mend = "move the deadline on with each message and pong, or raise the limit for this path; let \
                clients come back by themselves";
    let expected = "connections that last for as long as they are wanted".into();
    let finding = Finding::new(&SAME_LIFETIME, None, expected, got)
        .because(Diagnosis::new(SAME_LIFETIME.id, behind, mend))
        .like(case);
    Some(together(finding, server, &events))
}

#[cfg(test)]
mod tests {
    use super::super::MILLISECOND;
    use super::*;
    use crate::model::Time;

    /// What is told of connections that began and ended so, in milliseconds.
    fn told(lasted: &[(u64, u64)]) -> Option<String> {
        let at = |ms: u64| Time(ms * MILLISECOND.cast_unsigned());
        let event = |(n, (began, ended)): (usize, &(u64, u64))| Event {
            began: at(*began),
            ended: at(*ended),
            silence: None,
            cut_short: Some(at(*ended).since(at(*began))),
            ..super::super::tests::event(n as u32 + 1, *began, *ended)
        };
        let events: Vec<Event> = lasted.iter().enumerate().map(event).collect();
        let server = Endpoint::V4(std::net::SocketAddrV4::new([192, 0, 2, 80].into(), 80));
        let told = same_lifetime(server, &events, &HashSet::default())?;
        told.findings[0].case.as_ref().map(|case| case.what.to_string())
    }

    #[test]
    fn a_deadline_ends_each_at_the_same_age() {
        let what = "3 connections to 192.0.2.80:80 ended by the server when they were equally old";
        assert_eq!(told(&[(0, 30_001), (700, 30_702), (5000, 35_010), (5000, 9000)]).as_deref(), Some(what));
    }

    #[test]
    fn who_is_as_old_by_chance_or_ends_together_shows_no_deadline() {
        assert_eq!(told(&[(0, 30_001), (700, 30_702)]), None, "two");
        assert_eq!(told(&[(0, 30_001), (10, 30_002), (20, 30_010)]), None, "at once");
        assert_eq!(told(&[(0, 1001), (700, 1702), (5000, 6010)]), None, "too soon");
        assert_eq!(told(&[(0, 30_001), (700, 30_702), (5000, 36_000)]), None, "a second later");
        let many: Vec<(u64, u64)> = (0..40).map(|n| (n * 1000, n * 1000 + 3000 + n * 150)).collect();
        assert_eq!(told(&many), None, "of every age");
    }
}
