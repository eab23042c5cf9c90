//! Heartbeats: who waits for an answer in vain, of those that an application sends as data, too.
//!
//! Pings of the protocol itself (opcode 0x9) are held against the rules where frames are; here is who ended
//! the connection before a rule is broken.

use super::over::{Over, seen_in};
use crate::limits;
use crate::model::quantity::{grouped, wait};
use crate::model::{
    Case, Cite, Diagnosis, Dir, Finding, Heartbeat, Measure, Message, Quantity, Rule, Text, Time, Unit, rules,
};

rules! {
    /// Heartbeats as data.
    RULES;
    UNANSWERED = "app-ping-unanswered", Warning, Cite::rfc6455("5.5.2"), Either,
        "pings that an application sends as data were not answered",
        "whoever sends them takes its peer for gone, and ends the connection",
        usually "the peer's program does not answer them: its library answers Ping frames by itself, data \
                 never",
        mend "answer such messages in the program, or send Ping frames, which every library answers";
    GIVEN_UP = "ping-given-up", Warning, Cite::rfc6455("5.5.2"), Either,
        "an endpoint ended TCP while it waited for a pong, without a Close frame",
        "its peer learns of it when it reads again, or never, and what was under way is lost",
        usually "a program that gives up when a pong does not come in time (aiohttp waits half of its \
                 heartbeat, many with npm ws until their next ping), and a peer that was busy, stuck or cut \
                 off",
        mend "look at what kept the peer at that time, and at the way to it; allow more time for a pong";
}

const SECOND: i64 = 1_000_000_000;
/// How long a ping waits before anybody may miss its answer.
const PATIENCE: i64 = 2 * SECOND;
/// The same where the capture ends.
const PATIENCE_AT_END: i64 = 5 * SECOND;

/// Nanoseconds that a pong is waited for at least before it can be missed.
const MISSED: i64 = SECOND / 2;
/// Who has left so many pings unanswered, and never answered one, answers none.
const MANY: u64 = 2;
/// A pong is missed after so many times as long as the slowest one took.
const SLOWER: i64 = 10;

/// Whether a rule says that somebody gave up waiting for a pong: any silence before that is part of it.
pub(super) fn explains(rule: &Rule) -> bool {
    *rule == GIVEN_UP
}

/// Who closed in order while its ping was not answered, if its Close frame was not answered either: the peer
/// was no longer there for it. (Who says more in that frame has other reasons.)
fn closed(over: &Over<'_>) -> Option<(Dir, Option<Time>, Text)> {
    let (by, close) = over.close()?;
    let is_plain = close.reason.is_empty() && close.code.is_none_or(|code| matches!(code.0, 1000 | 1001));
    let is_unanswered = over.ending.sides[by.peer().index()].close.is_none()
        && over.ending.first.is_some_and(|end| end.by == by);
    (is_plain && is_unanswered).then_some((by, close.time, "a Close frame".into()))
}

/// Who ended the connection itself while its ping was not answered.
pub(super) fn find(over: &Over<'_>, causes: &mut Vec<Finding>) {
    let cut = over.cut().map(|end| (end.by, end.time, Text::with("{}", end.how.flag())));
    let Some((dir, Some(ended), how)) = cut.or_else(|| closed(over)) else { return };
    let peer = dir.peer();
    let sides = &over.ending.sides;
    let Some(ping) = sides[dir.index()].waiting else { return };
    let waited = ended.since(ping.since);
    let is_silent = sides[peer.index()].heard.is_none_or(|heard| heard <= ping.since);
    // A library that waits half as long as it sends pings is known by it, also by its first ping.
    let is_first = ping.interval.is_none() && sides[peer.index()].heard.is_none();
    let since_began = || over.ending.began.map(|began| ping.since.since(began)).filter(|_| is_first);
    let interval = ping.interval.or_else(since_began);
    let is_near = |time: i64| (waited - time).abs() <= time / 50;
    // Who lets several pings go by has a deadline of its own for what it reads.
    let missed = sides[dir.index()].pings.saturating_sub(sides[peer.index()].pongs);
    let silent = sides[peer.index()].heard.map(|heard| ended.since(heard)).filter(|_| is_silent);
    let several = silent.filter(|silent| missed > 1 && ping.answered > 0 && *silent > waited);
    let is_half = interval.is_some_and(|interval| is_near(interval / 2));
    // One that looks for a pong when its next ping is due waits for a whole one.
    let is_whole = interval.is_some_and(is_near);
    // It may say other things and answer none.
    let answers_none = sides[dir.index()].pings >= MANY && sides[peer.index()].pongs == 0;
    let is_missed = waited > limits::PONG_SOON
        || waited >= MISSED
            && match ping.answered {
                0 => answers_none || is_first && (is_half || is_whole),
                _ => is_whole || waited >= ping.slowest.saturating_mul(SLOWER),
            };
    if !(is_missed && (is_silent || answers_none) && over.is_websocket() && over.is_whole()) {
        return;
    }
    let what = Text::new("ended by the {} while its ping was not answered").word(dir.name());
    let got = Text::with("none in {}, then {}", wait(waited)).word(how);
    let measures = vec![Measure::of(Quantity::Waited, several.unwrap_or(waited))];
    // What it sent before the end has arrived, the ping among it.
    let own = over.ending.transport.as_deref().map(|facts| &facts.sides[dir.index()]);
    let is_taken = own.is_some_and(|own| own.unacknowledged == 0);
    let behind = match is_taken {
        true if several.is_some() => Text::new(
            "the {}'s TCP took the pings, and its program answered the last {} of them no more: it was busy \
             or stuck (its pongs had taken {} at most)",
        ),
        _ if ping.answered == 0 && !is_silent => {
            Text::new("the {} answered no ping, and went on sending: its program or library answers none")
        }
        _ if ping.answered == 0 => {
            Text::new("the {} answered no ping: its program was busy or stuck, or answers none")
        }
        true => Text::new(
            "the {}'s TCP took the ping, and its program did not answer: it was busy or stuck (its pongs had \
             taken {} at most)",
        ),
        false => Text::new("the {} was busy, stuck or cut off: its pongs had taken {} at most before"),
    };
    let behind = behind.word(peer.name());
    let behind = if several.is_some() && is_taken { behind.and(missed) } else { behind };
    let behind = if ping.answered == 0 { behind } else { behind.and(wait(ping.slowest)) };
    let mend = match ping.interval.filter(|_| is_half) {
        _ if several.is_some() => Text::new(
            "look at what the {} did at that time; it was given up after {} in which nothing of it came: a \
             deadline for what is read; allow more time if a pong may take it",
        ),
        Some(_) => Text::new(
            "look at what the {} did at that time; the wait is half of the interval between the pings, as \
             with aiohttp (heartbeat): raise that if a pong may take longer",
        ),
        None if !is_silent => Text::new("let the {} answer each ping with a pong of the same payload"),
        None => {
            Text::new("look at what the {} did at that time; allow more time for a pong if it may take it")
        }
    };
    let mend = mend.word(peer.name());
    let mend = several.map_or(mend.clone(), |silent| mend.and(wait(silent)));
    let diagnosis = Diagnosis::new(GIVEN_UP.id, behind, mend);
    let finding = Finding::new(&GIVEN_UP, peer, "a pong".into(), got);
    causes.push(seen_in(finding.because(diagnosis).like(Case::new(what, measures)), ping.packet));
}

/// The pings as data of the client and the server.
#[derive(Debug, Default)]
pub struct Beats([Beat; 2]);

/// Those of one endpoint.
#[derive(Clone, Copy, Debug, Default)]
struct Beat {
    /// Pings that were answered.
    answered: u64,
    /// Those since then, and the first of them.
    waiting: u64,
    first: Option<(Time, u64)>,
}

impl Beats {
    /// Whether a message is a heartbeat as data.
    pub fn is_one(message: &Message<'_>) -> bool {
        message.app.is_some_and(|app| app.heartbeat.is_some())
    }

    /// Takes such a message.
    pub fn see(&mut self, unit: &Unit<'_>, message: &Message<'_>) {
        let (Some(dir), Some(app)) = (unit.dir, message.app) else { return };
        match app.heartbeat {
            Some(Heartbeat::Ping) => {
                let own = &mut self.0[dir.index()];
                own.waiting += 1;
                let packet = unit.packets.map_or(0, |(first, _)| first);
                own.first = own.first.or(unit.time.map(|time| (time, packet)));
            }
            Some(Heartbeat::Pong) => {
                let asked = &mut self.0[dir.peer().index()];
                if asked.waiting > 0 {
                    *asked = Beat { answered: asked.answered + 1, ..Beat::default() };
                }
            }
            None => {}
        }
    }

    /// What it comes to, now that the connection is over.
    pub fn find(&self, over: &Over<'_>, causes: &mut Vec<Finding>) {
        for dir in [Dir::Client, Dir::Server] {
            causes.extend(self.0[dir.index()].unanswered(dir, over));
        }
    }
}

impl Beat {
    fn unanswered(self, dir: Dir, over: &Over<'_>) -> Option<Finding> {
        let (Self { answered, waiting, .. }, (asked, packet)) = (self, self.first?);
        let waited = over.ended()?.since(asked);
        let is_seen = over.ending.how.is_seen();
        if waiting == 0 || waited < if is_seen { PATIENCE } else { PATIENCE_AT_END } {
            return None;
        }
        let peer = dir.peer();
        if !over.is_all_of(peer) {
            return None;
        }
        // Some want no answer. Who has never had one wants it if it ends the connection itself.
        if answered == 0 && !(over.has_ended_badly() && over.ender() == Some(dir)) {
            return None;
        }
        let got = Text::with("{} in {}, and no answer", grouped(waiting)).and(wait(waited));
        let what = Text::new("had pings as data of the {} that were not answered").word(dir.name());
        let measures = vec![Measure::count(Quantity::Times, waiting), Measure::of(Quantity::Waited, waited)];
        let mut finding =
            Finding::new(&UNANSWERED, peer, "a pong as data".into(), got).like(Case::new(what, measures));
        if answered > 0 {
            let behind = Text::new(
                "the {} had answered {} such pings, and then no more: its program was busy or stuck",
            )
            .word(peer.name())
            .and(grouped(answered));
            let mend = Text::new("look at what the {} did at that time").word(peer.name());
            finding = finding.because(Diagnosis::new(UNANSWERED.id, behind, mend));
        }
        Some(seen_in(finding, packet))
    }
}
