//! Why a connection ended: a sink between the decoders and the views.
//!
//! ```text
//! Emitter ─► Timeline ─► Judge ─► Select ─► view
//! ```
//!
//! Rules say what is wrong on the wire. Most connections that end badly break none: a proxy is tired of the
//! silence, a server has a limit, a client gives up. When a connection is over, [`Judge`] looks at how it
//! ended ([`Ending`](crate::model::Ending)) and at what was found in it, and tells a
//! [`Judgement`]: who ended it and how, and as
//! its findings the *causes*. What only several connections show (the same silence before each end, clients
//! that come back without a pause) is told at the end of the input.
//!
//! A cause is declared and told as a [`Rule`] is, in one table with a page of documentation, and a finding
//! of it has a [`Case`](crate::model::Case): what it has in common with others, so that [`Head`] can tell
//! hundreds of them in a line.

mod close;
mod crash;
mod crowd;
mod fault;
mod handshake;
mod head;
mod heartbeat;
mod identity;
mod legs;
mod line;
mod over;
mod pace;
mod reason;
mod reply;
mod silence;
mod size;
mod stream;
mod tcp;

use std::collections::{HashMap, HashSet};

use crate::limits;
use crate::model::{
    AppSession, Body, Connection, Diagnosis, Dir, Finding, FindingCounts, Flow, Judgement, Message, ON,
    Parting, Rule, Severity, Single, Sink, Summary, Time, Unit, Wants,
};

use self::crowd::Crowd;
use self::fault::{Faults, Kind};
pub use self::head::{Group, Head, Place, Said};
use self::heartbeat::Beats;
use self::identity::Identities;
use self::legs::Legs;
use self::over::Over;
use self::pace::Pace;
use self::reply::Replies;

/// How ids are hashed.
type Fast = foldhash::fast::FixedState;

/// What looks for causes when a connection is over.
type Detector = fn(&Over<'_>, &mut Vec<Finding>);

const DETECTORS: &[Detector] = &[
    handshake::find,
    close::find,
    heartbeat::find,
    silence::find,
    tcp::find,
    size::find,
    crash::find,
    stream::find,
];

/// Whether a sink wants to know causes and what messages mean.
fn is_asked<S: Sink>(sink: &S) -> bool {
    let Wants { app, causes, .. } = sink.wants();
    app && causes
}

/// Of a Close code of which nothing else is known, an answer right before that was an error says why.
fn blame_answer(causes: &mut [Finding]) {
    let answer = causes.iter().find(|cause| reply::explains(cause));
    let Some((what, usual)) = answer.and_then(|it| Some((it.case.as_ref()?.what.clone(), it.rule.usually?)))
    else {
        return;
    };
    for cause in causes.iter_mut().filter(|cause| close::RULES.contains(&cause.rule) && cause.cause.is_none())
    {
        let behind = Diagnosis::new(cause.rule.id, what.clone(), usual.fix);
        cause.cause = Some(Box::new(behind));
    }
}

/// The causes, under what they are about.
pub fn lists() -> Vec<(&'static str, &'static [&'static Rule])> {
    vec![
        ("Handshakes", handshake::RULES),
        ("Close codes", close::RULES),
        ("Silence", silence::RULES),
        ("Heartbeats", heartbeat::RULES),
        ("Crashes", crash::RULES),
        ("What TCP shows", tcp::RULES),
        ("Streams of HTTP/2", stream::RULES),
        ("Large messages", size::RULES),
        ("Messages over time", pace::RULES),
        ("Requests and replies", reply::RULES),
        ("Errors as messages", fault::RULES),
        ("Identities", identity::RULES),
        ("Several connections together", crowd::RULES),
    ]
}

/// Whether a rule is a cause: something that happened, broken rule or not, after which a connection ended
/// or suffered.
pub fn is_cause(rule: &Rule) -> bool {
    lists().iter().any(|(_, rules)| rules.contains(&rule))
}

/// See the [module](self).
#[derive(Debug)]
pub struct Judge<S> {
    inner: S,
    /// What was found in the connections that are open and have findings.
    found: HashMap<u32, Found, Fast>,
    /// Connections that the sink does not look at.
    ignored: HashSet<u32, Fast>,
    /// What was noticed about the handshakes of those that are open.
    hints: HashMap<u32, Vec<Diagnosis>, Fast>,
    /// What is remembered of the messages of those where it matters.
    paces: HashMap<u32, Pace, Fast>,
    /// Heartbeats that are sent as data.
    beats: HashMap<u32, Beats, Fast>,
    /// Messages that are errors.
    faults: HashMap<u32, Faults, Fast>,
    /// Connections in which somebody has taken leave: who did first, and when.
    farewells: HashMap<u32, (Dir, Option<Time>), Fast>,
    /// Who their clients say that they are.
    identities: Identities,
    crowd: Crowd,
    /// Connections of which another one may be the other leg.
    legs: Legs,
    /// Requests and their answers, if messages are read.
    replies: Option<Box<Replies>>,
    /// Findings of this layer, for the summary.
    tally: FindingCounts,
    /// Somebody wants to know.
    is_asked: bool,
}

/// The rules that a connection has broken: the first few, and by whom.
type Found = Vec<(&'static Rule, Option<Dir>)>;

impl<S> Judge<S> {
    /// What it was in front of.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// What it is in front of.
    pub fn inner(&mut self) -> &mut S {
        &mut self.inner
    }
}

impl<S: Sink> Judge<S> {
    /// A judge in front of `inner`.
    pub fn new(inner: S) -> Self {
        Self {
            is_asked: inner.wants().causes,
            replies: is_asked(&inner).then(Box::default),
            inner,
            found: HashMap::default(),
            ignored: HashSet::default(),
            hints: HashMap::default(),
            paces: HashMap::default(),
            beats: HashMap::default(),
            faults: HashMap::default(),
            farewells: HashMap::default(),
            identities: Identities::default(),
            crowd: Crowd::within(limits::MEMORY),
            legs: Legs::default(),
            tally: FindingCounts::default(),
        }
    }

    /// The same, as part of a run that may hold so many bytes.
    #[must_use]
    pub fn within(self, memory: usize) -> Self {
        Self { crowd: Crowd::within(memory), ..self }
    }

    fn connection(&mut self, unit: &Unit<'_>, connection: &Connection) -> Flow {
        let Some(ending) = connection.ending.as_deref() else {
            let is_looked_at = self.inner.looks_at(unit.conn, connection);
            if !is_looked_at {
                self.ignored.insert(unit.conn);
            }
            if let Some(replies) = self.replies.as_mut().filter(|_| is_looked_at) {
                replies.begins(unit.conn, connection);
            }
            return self.inner.take(unit);
        };
        self.inner.take(unit)?;
        let found = forget(&mut self.found, unit.conn).unwrap_or_default();
        let hints = forget(&mut self.hints, unit.conn).unwrap_or_default();
        if !self.ignored.is_empty() && self.ignored.remove(&unit.conn) {
            self.paces.remove(&unit.conn);
            self.beats.remove(&unit.conn);
            self.faults.remove(&unit.conn);
            self.farewells.remove(&unit.conn);
            return ON;
        }
        let pace = forget(&mut self.paces, unit.conn);
        let inflated = pace.as_ref().map_or([0; 2], Pace::largest);
        let (conn, time) = (unit.conn, unit.time);
        let (close, garbled) = close::first(ending, &found, &hints);
        let left = forget(&mut self.farewells, conn);
        let ended = close.and_then(|(_, close)| close.time).or(ending.first.and_then(|end| end.time));
        let left = left.filter(|left| is_leave(*left, ended)).map(|(dir, _)| dir);
        let (found, hints) = (&found[..], &hints[..]);
        let over = Over { conn, connection, ending, close, garbled, time, found, inflated, hints, left };
        let mut causes = Vec::new();
        for find in DETECTORS {
            find(&over, &mut causes);
        }
        if let Some(pace) = pace {
            pace.find(&over, &mut causes);
        }
        if let Some(beats) = forget(&mut self.beats, unit.conn) {
            beats.find(&over, &mut causes);
        }
        self.identities.ends(&over, &mut causes);
        self.crowd.ends(&over, &causes);
        if let Some(replies) = &mut self.replies {
            replies.ends(&over, &mut causes);
            blame_answer(&mut causes);
        }
        if let Some(faults) = forget(&mut self.faults, unit.conn)
            && !causes.iter().any(reply::explains)
        {
            faults.find(&over, &mut causes);
        }
        // Of most that are closed nothing is to be said.
        let is_leg = connection.passes_on.is_some() || self.legs.is_waiting() || over.cut().is_some();
        let told_with = if causes.is_empty() && !is_leg { None } else { self.legs.ends(&over, &mut causes) };
        self.count(&causes);
        let judgement = Judgement { told_with, ..line::judgement(&over) };
        let packets = ending.first.map(|end| end.packet).filter(|packet| *packet > 0);
        self.inner.take(&Unit {
            time: unit.time,
            packets: packets.map(|packet| (packet, packet)),
            findings: &causes,
            ..Unit::of(unit.conn, Body::Judgement(&judgement))
        })?;
        if self.legs.has_any_in_vain() { self.legs(false) } else { ON }
    }

    /// Tells what was to be told of another leg of a way through a proxy, and was not.
    fn legs(&mut self, is_end: bool) -> Flow {
        for waiting in self.legs.in_vain(is_end) {
            self.count(&waiting.findings);
            self.inner.take(&Unit {
                time: Some(waiting.time),
                packets: (waiting.packet > 0).then_some((waiting.packet, waiting.packet)),
                findings: &waiting.findings,
                ..Unit::of(waiting.conn, Body::Note)
            })?;
        }
        ON
    }

    #[inline]
    fn message(&mut self, unit: &Unit<'_>, message: &Message<'_>) {
        if Pace::is_mark(message) {
            self.paces.entry(unit.conn).or_default().see(message, unit.dir, unit.time);
        }
        if let Some(kind) = Faults::kind(message.text) {
            let text = message.text.unwrap_or_default();
            self.faults.entry(unit.conn).or_default().see(unit, text, kind);
        }
        let (Some(app), Some(replies)) = (message.app, &mut self.replies) else { return };
        if Identities::is_one(unit, message) {
            self.identities.see(unit, message, replies.server(unit.conn));
        }
        if app.answers().next().is_some() {
            replies.see(unit, app);
        }
        if let Some(parting) = app.parting() {
            self.part(unit, parting);
        }
        if Beats::is_one(message) {
            self.beats.entry(unit.conn).or_default().see(unit, message);
        }
    }

    /// Takes what a message says of the end of its connection.
    #[cold]
    fn part(&mut self, unit: &Unit<'_>, parting: &Parting) {
        match (parting, unit.dir) {
            (Parting::Leave, Some(dir)) if self.farewells.len() < limits::CROWD => {
                let said = (dir, unit.time);
                let last = self.farewells.entry(unit.conn).or_insert(said);
                // One of several rooms may have been left long before.
                if !is_leave(*last, unit.time) {
                    *last = said;
                }
            }
            (Parting::Leave, _) => {}
            (Parting::Error(words), _) => {
                self.faults.entry(unit.conn).or_default().see(unit, words, Kind::Error);
            }
        }
    }

    /// Takes a message of which something may be remembered: all of it, so that nothing has to be kept for
    /// what comes behind.
    #[inline(never)]
    fn take_marked(&mut self, single: &Single<'_>) -> Flow {
        single.lend(|unit, message| self.message(unit, message));
        self.inner.take_single(single)
    }

    /// Remembers what is wrong in a connection.
    fn see(&mut self, unit: &Unit<'_>) {
        if unit.conn == 0 {
            return;
        }
        for finding in unit.findings.iter().filter(|finding| finding.rule.severity > Severity::Note) {
            let found = self.found.entry(unit.conn).or_default();
            let this = (finding.rule, finding.blame);
            if fault::says_why(finding.rule) {
                let words = finding.got.to_string();
                self.faults.entry(unit.conn).or_default().see(unit, &words, Kind::Told);
            }
            if found.len() < limits::RULES_REMEMBERED && !found.contains(&this) {
                found.push(this);
                if let Some(cause) = finding.cause.as_ref().filter(|it| close::GARBLED.contains(&it.id)) {
                    self.hints.entry(unit.conn).or_default().push((**cause).clone());
                }
            }
        }
    }

    /// Counts findings that this layer made; those of the layers below are counted already.
    fn count(&mut self, findings: &[Finding]) {
        for finding in findings {
            self.tally.add(finding.rule, 1);
        }
    }

    /// A session of Engine.IO is over.
    fn session(&mut self, unit: &Unit<'_>, session: &AppSession) -> Flow {
        self.inner.take(unit)?;
        let causes = if self.replies.is_some() { Replies::session(session) } else { Vec::new() };
        if causes.is_empty() {
            return ON;
        }
        self.count(&causes);
        self.inner.take(&Unit { body: Body::Note, fields: &[], findings: &causes, sources: &[], ..*unit })
    }

    /// Tells what all connections of an input show together.
    fn together(&mut self) -> Flow {
        self.legs(true)?;
        let replies = self.replies.as_mut().map(|replies| std::mem::take(&mut **replies).tell());
        for told in self.crowd.tell().into_iter().chain(replies.into_iter().flatten()) {
            self.count(&told.findings);
            self.inner.take(&Unit {
                time: told.time,
                packets: told.packets,
                findings: &told.findings,
                ..Unit::of(0, Body::Note)
            })?;
        }
        ON
    }

    fn summary(&mut self, unit: &Unit<'_>, summary: &Summary) -> Flow {
        // A sink that has had enough takes the summary all the same.
        let _: Flow = self.together();
        if self.tally.is_empty() {
            return self.inner.take(unit);
        }
        let summary = summary.with_findings(&std::mem::take(&mut self.tally));
        self.inner.take(&Unit { body: Body::Summary(&summary), ..*unit })
    }
}

/// Whether somebody has taken leave so short before something that this comes of it.
fn is_leave((_, said): (Dir, Option<Time>), then: Option<Time>) -> bool {
    const SOON: i64 = 5_000_000_000;
    said.zip(then).is_none_or(|(said, then)| then.since(said) <= SOON)
}

/// Takes out what is remembered of a connection: of most nothing is, and then there is nothing to look for.
fn forget<T>(all: &mut HashMap<u32, T, Fast>, conn: u32) -> Option<T> {
    if all.is_empty() { None } else { all.remove(&conn) }
}

impl<S: Sink> Sink for Judge<S> {
    fn wants(&self) -> Wants {
        self.inner.wants()
    }

    fn looks_at(&mut self, conn: u32, connection: &Connection) -> bool {
        self.inner.looks_at(conn, connection)
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if !self.is_asked {
            return self.inner.take(unit);
        }
        if !unit.findings.is_empty() {
            self.see(unit);
        }
        match unit.body {
            Body::Connection(connection) => self.connection(unit, connection),
            Body::Http(head) if !head.diagnoses.is_empty() => {
                let hints = self.hints.entry(unit.conn).or_default();
                let room = limits::RULES_REMEMBERED.saturating_sub(hints.len());
                hints.extend(head.diagnoses.iter().take(room).cloned());
                self.inner.take(unit)
            }
            Body::Packet(packet) => {
                if let Some(replies) = &mut self.replies {
                    replies.see(unit, packet.app);
                    if let Some(parting) = packet.app.parting() {
                        self.part(unit, parting);
                    }
                }
                self.inner.take(unit)
            }
            Body::Session(session) => self.session(unit, session),
            Body::Message(message) => {
                self.message(unit, message);
                self.inner.take(unit)
            }
            Body::File(_) => {
                self.together()?;
                self.inner.take(unit)
            }
            Body::Summary(summary) => self.summary(unit, summary),
            _ => self.inner.take(unit),
        }
    }

    #[inline]
    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        if self.is_asked {
            self.message(unit, message);
        }
        self.inner.take_whole(unit, message)
    }

    #[allow(clippy::inline_always)] // it is on the way of nearly every frame
    #[inline(always)]
    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        // Of a text that is of no protocol nothing is remembered but when it came.
        let is_read = single.app.is_some() && single.quoted.is_none();
        if self.is_asked && (Pace::is_marked(single.m) || is_read || Faults::may_be_one(single.text)) {
            return self.take_marked(single);
        }
        self.inner.take_single(single)
    }
}
