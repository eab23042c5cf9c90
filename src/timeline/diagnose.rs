//! What went wrong with a session, as far as it shows only at its end; and what to change.

use super::followed::Followed;
use super::when::{Closed, When};
use crate::app::{
    CONNECT_TIMEOUT, CORS_BLOCKED, NOT_ENGINE_IO, PAYLOAD_TOO_BIG, PING_TIMEOUT, POLL_CLOSED,
    PROXY_IDLE_TIMEOUT, STUCK_ON_POLLING,
};
use crate::model::{Dir, Finding, Text, Time, Transport};

const MILLISECOND: i64 = 1_000_000;

/// The connection that carried the session's WebSocket is over.
pub(super) fn socket_ended(session: &mut Followed, closed: Option<&Closed>, when: When) {
    let ended = closed.map(|(dir, code, packets)| (*dir, *code, When { packets: *packets, ..when }));
    if let Some((dir, Some(1009), at)) = ended {
        let blame = dir.peer();
        let expected = match session.open.as_ref().and_then(|open| open.max_payload) {
            Some(most) if blame == Dir::Client => {
                Text::with("messages of at most {} bytes (maxPayload)", most)
            }
            _ => "messages of no more bytes than their receiver accepts".into(),
        };
        session.find(
            Finding::new(&PAYLOAD_TOO_BIG, Some(blame), expected, "Close 1009, Message Too Big".into()),
            &[at],
        );
    }
    ping_timeout(session, ended.map(|(dir, _, at)| (dir, at)), when);
    let is_silent = session.open.is_none() && session.record.sid.is_none();
    let is_seen = !session.missed[Dir::Server.index()];
    if is_silent && is_seen && session.record.path.is_some() && session.record.packets[1] == 0 {
        let got = "a WebSocket on which the server sends no open packet".into();
        let began = session.began;
        session.find(
            Finding::new(&NOT_ENGINE_IO, Some(Dir::Client), "an open packet, 0{…}, first".into(), got),
            &[began],
        );
        session.refused = true;
    }
    connect_timeout(session, ended.map(|(dir, ..)| dir), when);
}

/// One side was silent, and the other gave it up.
fn ping_timeout(session: &mut Followed, ended: Option<(Dir, When)>, when: When) {
    // A heartbeat may be among what is missing.
    let Some(open) = session.open.as_ref().filter(|_| session.missed == [false; 2]) else { return };
    let (Some(interval), Some(timeout)) = (open.ping_interval, open.ping_timeout) else { return };
    let [interval, timeout] = [interval, timeout].map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
    // Timers are late rather than early; a tenth is for the way there.
    let reached = |nanos: i64, millis: i64| nanos / MILLISECOND >= millis - millis / 10;
    let at = ended.map_or(when, |(_, at)| at);
    // Who leaves waits no more.
    let until = session.leaving.map_or(when, |(_, when)| when);
    if let Some((pinger, asked)) = session.waiting
        && ended.is_none_or(|(dir, _)| dir == pinger)
        && until.since(asked).is_some_and(|nanos| reached(nanos, timeout))
    {
        let expected = Text::with("a pong within {} ms (pingTimeout)", timeout);
        let waited = until.since(asked).unwrap_or_default() / MILLISECOND;
        let got = Text::new("a ping of the {}, and no pong for {} ms").word(pinger.name()).and(waited);
        session.find(Finding::new(&PING_TIMEOUT, Some(pinger.peer()), expected, got), &[asked, at]);
        return;
    }
    // The other way round: no ping came, and whoever waited for it left.
    let pinger = if session.version() >= 4 { Dir::Server } else { Dir::Client };
    let last = session.pinged.unwrap_or(session.began);
    let silent = until.since(last).unwrap_or_default();
    if let Some((dir, _)) = ended
        && dir != pinger
        && session.waiting.is_none()
        && reached(silent, interval.saturating_add(timeout))
    {
        let expected = Text::with("a ping every {} ms (pingInterval)", interval);
        let got = Text::with("no ping for {} ms", silent / MILLISECOND);
        session.find(Finding::new(&PING_TIMEOUT, Some(pinger), expected, got), &[last, at]);
    }
}

/// The server closed a connection on which the client asked for no namespace.
fn connect_timeout(session: &mut Followed, ended: Option<Dir>, when: When) {
    let is_new = session.asked == Some(4) && session.at_socket_io;
    let by_server = ended.is_none_or(|dir| dir == Dir::Server);
    // The shortest that anybody sets.
    let waited = when.since(session.began).unwrap_or_default() >= 500 * MILLISECOND;
    let is_idle = session.missed == [false; 2]
        && !session.socket.connects
        && !session.socket.connected
        && session.waiting.is_none();
    if is_new && by_server && is_idle && waited && session.open.is_some() && session.findings.is_empty() {
        let got = Text::with("none in {} ms", when.since(session.began).unwrap_or_default() / MILLISECOND);
        let began = session.began;
        session.find(
            Finding::new(&CONNECT_TIMEOUT, Some(Dir::Client), "a CONNECT packet, 40, first".into(), got),
            &[began, when],
        );
    }
}

/// A connection was cut after `gap` nanoseconds without traffic; `before` are such gaps at the same server.
pub(super) fn idle(session: &mut Followed, gap: i64, mut before: impl Iterator<Item = i64>, when: When) {
    let interval = session.open.as_ref().and_then(|open| open.ping_interval).unwrap_or_default();
    let interval = i64::try_from(interval).unwrap_or(i64::MAX).saturating_mul(MILLISECOND);
    let near = |a: i64, b: i64| a.abs_diff(b) <= a.unsigned_abs().max(b.unsigned_abs()) / 20;
    // Proxies are set to round numbers of seconds; anything may be the same twice.
    let round = 5_000 * MILLISECOND;
    let is_round =
        gap >= 2 * round && near(gap, (gap + round / 2) / round * round) && gap % round < round / 20;
    let again = gap >= 2_000 * MILLISECOND && before.any(|other| near(gap, other));
    if session.closed.is_none() && gap < interval && (is_round || again) {
        let expected = Text::with(
            "an open connection until the next heartbeat, due {} ms after the last (pingInterval)",
            interval / MILLISECOND,
        );
        let got = Text::with("TCP closed after {} ms of silence, without a Close frame", gap / MILLISECOND);
        session.find(Finding::new(&PROXY_IDLE_TIMEOUT, None, expected, got), &[when]);
    }
}

/// The session is over, or the capture.
pub(super) fn at_end(session: &mut Followed, now: Option<Time>) {
    let last = When { time: session.record.ended, conn: 0, packets: session.packets.map(|(_, to)| (to, to)) };
    if let Some((when, why)) = session.cors.take()
        && session.requests == 0
    {
        let expected = "Access-Control-Allow-Origin with the page's origin".into();
        let began = session.began;
        session.find(Finding::new(&CORS_BLOCKED, Some(Dir::Server), expected, why), &[began, when]);
    }
    let by_polling = session.record.transports == [Transport::Polling] || session.upgrade.over;
    if by_polling && !session.record.upgraded {
        stuck(session);
    }
    if session.record.transports == [Transport::Polling] {
        polling_ended(session, now, last);
    }
}

/// The session stayed with polling although it should not have.
fn stuck(session: &mut Followed) {
    let Some(open) = &session.open else {
        return refused_upgrade(session);
    };
    if open.upgrades.is_empty() && session.requests > 1 {
        let got = "upgrades: [] from the server, which offers no other transport".into();
        let began = session.began;
        session.find(
            Finding::new(&STUCK_ON_POLLING, Some(Dir::Server), "a WebSocket to be offered".into(), got),
            &[began],
        );
    } else {
        refused_upgrade(session);
    }
}

fn refused_upgrade(session: &mut Followed) {
    let goes_on = session.upgrade.polls_since > 0;
    let asked = session.upgrade.asked.unwrap_or_default();
    if let Some((when, status)) = session.upgrade.refused.filter(|_| goes_on) {
        let got = Text::with("{}, and requests by polling from then on", status);
        session.find(
            Finding::new(&STUCK_ON_POLLING, None, "101 Switching Protocols".into(), got),
            &[asked, when],
        );
    } else if let Some(probed) = session
        .upgrade
        .probed
        .filter(|_| !session.upgrade.answered && session.upgrade.over && !session.missed[Dir::Server.index()])
    {
        let got = "a WebSocket on which the probe was never answered".into();
        session.find(
            Finding::new(&STUCK_ON_POLLING, None, "3probe, the answer to 2probe".into(), got),
            &[asked, probed],
        );
    }
}

/// A session that was only ever polled is over.
fn polling_ended(session: &mut Followed, now: Option<Time>, last: When) {
    if let Some((Dir::Server, when)) = session.closed {
        let [_, said] = session.record.packets;
        // The open packet and the close packet, and nothing between.
        if said <= 2 && !session.socket.connected && session.waiting.is_none() {
            let expected = "polls that wait until there is something to say".into();
            let got = "a poll answered with 1, close, before anything else".into();
            let began = session.began;
            session.find(Finding::new(&POLL_CLOSED, Some(Dir::Server), expected, got), &[began, when]);
        } else {
            ping_timeout(session, Some((Dir::Server, when)), when);
        }
    } else if session.closed.is_none() && now.is_some() {
        ping_timeout(session, None, When { time: now, ..last });
    }
}

impl Followed {
    /// Nanoseconds from the last sign of life before `when`.
    pub fn heard_before(&self, when: When) -> Option<i64> {
        // The request itself has been noted: what counts is the time before it.
        let last = [self.pinged, Some(self.began)].into_iter().flatten().filter_map(|w| when.since(w));
        last.min()
    }
}
