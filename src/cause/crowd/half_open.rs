//! Connections that their client has left without a word.

use super::{Event, HALF_OPEN, Together, together};
use crate::cause::over::Over;
use crate::model::quantity::span;
use crate::model::{Case, Dir, Endpoint, Finding, Measure, Quantity, Text, Time};

/// Nanoseconds after which TCP sends again at the earliest what nobody acknowledges (RFC 6298 has a second,
/// systems have less).
const RESENT: i64 = 200_000_000;
/// Earlier connections of a client that are looked at.
const LOOKED_BACK: usize = 32;

/// When the client of a connection was heard last, if its host knew nothing of it afterwards, or was never
/// heard again although the server had something for it.
pub(super) fn orphaned(over: &Over<'_>) -> Option<Time> {
    let facts = over.ending.transport.as_deref().filter(|_| over.is_websocket() && over.close().is_none())?;
    let [client, server] = &facts.sides;
    if client.fin.is_some() || server.fin.is_some() {
        return None;
    }
    if client.disowned {
        return over.ending.sides[Dir::Client.index()].heard.or(over.ending.began);
    }
    let (heard, spoke) = (client.heard?.1, server.heard?.1);
    let in_vain = server.resent.unanswered > 0 || server.keep_alive.unanswered > 0;
    // Who sends the same again sooner has not waited for an answer.
    (in_vain && spoke.since(heard) >= RESENT).then_some(heard)
}

/// Connections that a server held open when their client was back; `events` are the client's own, by when
/// they began.
pub(super) fn left_half_open(server: Endpoint, events: &[Event]) -> Option<Together> {
    let back = |old: &Event| {
        let since = old.orphaned?;
        let later = events.partition_point(|event| event.began <= since);
        let next = events[later..].iter().find(|event| event.conn != old.conn)?;
        // Who has others open is several behind one address, or never was away.
        let is_open = |event: &Event| event.conn != old.conn && event.ended > next.began;
        let is_alone = !events[..later].iter().rev().take(LOOKED_BACK).any(is_open);
        (is_alone && next.began < old.ended).then(|| (*old, next.conn, old.ended.since(next.began)))
    };
    let held: Vec<_> = events.iter().filter_map(back).collect();
    let (old, new, both) = *held.first()?;
    let what = match events.first()?.client {
        Some(client) => {
            Text::with("{} was back at {} while its old connection was still open there", client).and(server)
        }
        None => Text::with("a client was back at {} while its old connection was still open there", server),
    };
    let got = Text::with("connection {} was open for {} after connection {} had begun", old.conn)
        .and(span(both))
        .and(new);
    let times = Some(held.len() as u64).filter(|times| *times > 1);
    let measures = times.map(|times| Measure::count(Quantity::Times, times)).into_iter().collect();
    let case = Case::new(what, measures);
    let behind = Text::with(
        "the host of the client lost connection {} without a word; it came back with connection {}",
        old.conn,
    )
    .and(new);
    let finding =
        Finding::new(&HALF_OPEN, None, "one connection at a time".into(), got).behind(behind).like(case);
    let lost: Vec<Event> = held.into_iter().map(|(old, ..)| old).collect();
    Some(together(finding, server, &lost))
}
