//! Connections that end at the same moment, and clients that come back together.

use std::collections::HashSet;

use super::{
    ALL, BLINK, ENDED_SOME, ENDED_TOGETHER, Event, Fast, HERD, MANY, MILLISECOND, MOMENT, SECOND, Together,
    together,
};
use crate::model::quantity::span;
use crate::model::{Case, Dir, Endpoint, Finding, Measure, Quantity, Text, Time};

/// All connections of a server that were open ended together, and perhaps came back together.
/// They, and the numbers of the connections.
pub(super) fn ended_together(server: Endpoint, events: &[Event]) -> (Vec<Together>, HashSet<u32, Fast>) {
    let mut ends: Vec<Event> =
        events.iter().copied().filter(|event| event.by == Some(Dir::Server) && event.failed).collect();
    ends.sort_unstable_by_key(|event| (event.ended, event.conn));
    let (mut told, mut all) = (Vec::new(), HashSet::default());
    for burst in ends.chunk_by(|a, b| b.ended.since(a.ended) <= MOMENT) {
        let (Some(first), Some(last)) = (burst.first(), burst.last()) else { continue };
        let took = last.ended.since(first.ended);
        let gone = burst.iter().filter(|event| event.began < first.ended).count();
        // Where most of those that end have begun meanwhile, one after the other fails.
        // Two in use that end at the same moment are no accident either.
        let is_busy = |event: &Event| event.silence.is_none_or(|silence| silence < SECOND);
        let is_pair = gone == 2 && took <= 10 * MILLISECOND && burst.iter().all(is_busy);
        if gone < ALL && !is_pair || gone * 5 < burst.len() * 4 {
            continue;
        }
        // They were open at the same time, and hardly another was. (All events are looked at: only now.)
        let open_then = |event: &&Event| event.began < first.ended && event.ended >= first.ended;
        // Of some of those that end with them not all was seen.
        let is_with = |event: &&Event| {
            let is_unclear = event.by == Some(Dir::Server) && event.is_cut && !event.failed;
            is_unclear && (-BLINK..=took + BLINK).contains(&event.ended.since(first.ended))
        };
        let with: Vec<&Event> = events.iter().filter(is_with).collect();
        let open = events.iter().filter(open_then).count();
        let open = open + with.iter().filter(|event| event.ended < first.ended).count();
        let gone = gone + with.len();
        if gone * 5 < open * 4 {
            let is_worker = took <= BLINK && burst.iter().all(|event| event.is_cut && is_busy(event));
            if is_worker && let Some(found) = ended_some(server, events, burst, open) {
                all.extend(burst.iter().map(|event| event.conn));
                told.push(found);
            }
            continue;
        }
        // Connections that never last long end close to each other all the time.
        let is_old = |event: &&Event| first.ended.since(event.began) > took.max(MOMENT);
        if burst.iter().filter(is_old).count() * 2 < gone {
            continue;
        }
        told.extend(herd(server, last.ended, events));
        // Close frames say themselves why, and so does a timeout of connections that fell silent together.
        if burst.iter().any(|event| !event.is_cut) || burst.iter().all(|event| event.is_idle) {
            continue;
        }
        let got = Text::with("{} connections ended within {}", gone).and(span(took));
        let what = if gone == open && gone == 2 {
            Text::with("both connections to {} ended within {}", server)
        } else if gone == open {
            Text::with("all {} connections to {} ended within {}", gone).and(server)
        } else {
            Text::with("{} of {} connections to {} ended within {}", gone).and(open).and(server)
        };
        let measures = vec![Measure::count(Quantity::Connections, gone as u64)];
        let case = Case::new(what.and(span(took)), measures);
        let finding =
            Finding::new(&ENDED_TOGETHER, None, "connections that end one by one".into(), got).like(case);
        all.extend(burst.iter().map(|event| event.conn));
        told.push(together(finding, server, burst));
    }
    (told, all)
}

/// Several connections in use ended at the same moment, and others, which were `open` with them, went on.
fn ended_some(server: Endpoint, events: &[Event], burst: &[Event], open: usize) -> Option<Together> {
    let (first, last) = (burst.first()?, burst.last()?);
    let took = last.ended.since(first.ended);
    let is_old = |event: &Event| first.ended.since(event.began) > MOMENT;
    // Where connections are cut off all the time, some are at the same moment.
    let cut = events.iter().filter(|event| event.by == Some(Dir::Server) && event.is_cut).count();
    if burst.len() < ALL || !burst.iter().all(is_old) || cut > burst.len() || open < burst.len() + 2 {
        return None;
    }
    let got = Text::with("{} of {} connections ended within {}", burst.len()).and(open).and(span(took));
    let what = Text::with("{} of {} connections to {} ended within {}, and the others went on", burst.len())
        .and(open)
        .and(server)
        .and(span(took));
    let case = Case::new(what, vec![Measure::count(Quantity::Connections, burst.len() as u64)]);
    let expected = "connections that end one by one".into();
    Some(together(Finding::new(&ENDED_SOME, None, expected, got).like(case), server, burst))
}

/// Clients that came back together after `since`.
fn herd(server: Endpoint, since: Time, events: &[Event]) -> Option<Together> {
    let back: Vec<Event> =
        events.iter().copied().filter(|event| (0..60 * SECOND).contains(&event.began.since(since))).collect();
    let runs = back.chunk_by(|a, b| b.began.since(a.began) <= MOMENT / 5);
    let run = runs.max_by_key(|run| run.len()).filter(|run| run.len() >= MANY)?;
    let (first, last) = (run.first()?, run.last()?);
    let (pause, took) = (first.began.since(since), last.began.since(first.began));
    let got = Text::with("{} connections within {}, {} after the server had ended them", run.len())
        .and(span(took))
        .and(span(pause));
    let what = Text::with("{} connections to {} come back within {}", run.len()).and(server).and(span(took));
    let measures =
        vec![Measure::count(Quantity::Connections, run.len() as u64), Measure::of(Quantity::Back, pause)];
    let finding = Finding::new(&HERD, None, "clients that come back one by one".into(), got)
        .like(Case::new(what, measures));
    Some(together(finding, server, run))
}
