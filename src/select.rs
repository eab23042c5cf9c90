//! Showing only a part: a sink in front of another sink.
//!
//! Conditions are joined by *and*. Those on connections and directions (`streams`,
//! `from`) pass everything that fits them. Those on single frames and messages
//! (`opcodes`, `grep`, `findings`) pass a frame or a message that fits, leave out
//! everything else but the lines that say what a unit belongs to, and show a
//! connection only once something of it is shown. What `grep` searches is what is shown: a message
//! as a whole, unmasked and inflated, with which its frames are shown or not.

mod held;
mod search;
mod selection;
mod stream;
mod window;

use std::collections::{HashMap, HashSet};

use crate::limits;
use crate::model::{
    Body, Connection, Dir, Finding, Flow, Frame, Message, Rule, Severity, Single, Sink, Time, Unit, Wants,
    hole,
};

use self::held::{Held, Queue};
use self::selection::cut;
pub use self::selection::{Selection, parse_opcode};
pub use self::stream::{Stream, parse_streams};
pub use self::window::{Place, Span, When, Window, parse_place};

/// How bad it was: the worst finding among what was shown, for the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// `None` when there was no finding.
    pub worst: Option<Severity>,
}

impl Verdict {
    /// Takes findings into account.
    #[inline]
    pub fn see(&mut self, findings: &[Finding]) {
        for finding in findings {
            self.worst = self.worst.max(Some(finding.rule.severity));
        }
    }

    /// Takes rules into account that are broken without a finding.
    #[inline]
    pub fn count(&mut self, rules: &[&'static Rule]) {
        for rule in rules {
            self.worst = self.worst.max(Some(rule.severity));
        }
    }

    /// Whether there was a finding of at least this severity.
    pub fn reaches(self, severity: Severity) -> bool {
        self.worst >= Some(severity)
    }
}

/// Passes what a [`Selection`] shows on to another sink.
#[derive(Debug)]
pub struct Select<S> {
    selection: Selection,
    all: bool,
    inner: S,
    verdict: Verdict,
    /// The beginnings of open connections of which nothing was shown so far.
    waiting: HashMap<u32, Waiting, foldhash::fast::FixedState>,
    /// Open connections that `streams` chooses, and which of `streams` have chosen any so far.
    chosen: HashSet<u32, foldhash::fast::FixedState>,
    found: Vec<bool>,
    /// Frames of which `grep` has to see the message first, and what came behind them.
    queues: HashMap<u32, Queue, foldhash::fast::FixedState>,
    /// What these keep, in bytes.
    queued: usize,
    /// A judgement comes behind each connection's last unit.
    judged: bool,
    frames: u64,
    /// The last frame of the limit, when it may yet complete a message.
    last: Option<(u32, u64)>,
    done: bool,
}

#[derive(Debug)]
struct Waiting {
    connection: Connection,
    time: Option<Time>,
    packets: Option<(u64, u64)>,
}

impl<S: Sink> Select<S> {
    /// Shows `selection` in `inner`.
    pub fn new(selection: Selection, inner: S) -> Self {
        let done = selection.limit == Some(0);
        let inner_wants = inner.wants();
        Self {
            all: selection.is_all(),
            found: vec![false; selection.streams.len()],
            selection,
            inner,
            verdict: Verdict::default(),
            waiting: HashMap::default(),
            chosen: HashSet::default(),
            queues: HashMap::default(),
            queued: 0,
            judged: inner_wants.causes,
            frames: 0,
            last: None,
            done,
        }
    }

    /// How bad what was shown is, so far.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Those of `streams` that no connection was one of. After the limit nobody has looked.
    pub fn missing(&self) -> Vec<&Stream> {
        let streams = self.selection.streams.iter().zip(&self.found);
        streams.filter(|(_, found)| !**found && !self.done).map(|(stream, _)| stream).collect()
    }

    /// The sink behind, for flushing it.
    pub fn inner(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Gives the sink behind back.
    pub fn into_inner(self) -> S {
        self.inner
    }

    fn connection(&mut self, unit: &Unit<'_>, connection: &Connection) -> Flow {
        let is_chosen = self.choose(unit.conn, connection);
        if connection.ending.is_some() {
            self.settle(unit.conn)?;
            if !self.judged {
                self.chosen.remove(&unit.conn);
            }
        }
        if !is_chosen {
            return Flow::Continue(());
        }
        let is_found = !(unit.findings.is_empty() && connection.more.is_empty());
        let worth = !self.selection.is_fine() || self.selection.findings && is_found;
        if worth {
            // On its last unit too: what it was is said before how it ended.
            self.introduce(unit.conn)?;
            return self.pass(unit);
        }
        if connection.ending.is_none() {
            let (time, packets) = (unit.time, unit.packets);
            self.waiting.insert(unit.conn, Waiting { connection: connection.clone(), time, packets });
            Flow::Continue(())
        } else if !self.waiting.contains_key(&unit.conn) {
            self.pass(unit)
        } else {
            if !self.judged {
                self.waiting.remove(&unit.conn);
            }
            Flow::Continue(())
        }
    }

    /// What is to be said of a connection that is over: as much as is shown of it, or what went wrong where
    /// that is asked for.
    fn judgement(&mut self, unit: &Unit<'_>) -> Flow {
        let is_shown = self.shows_stream(unit.conn);
        self.chosen.remove(&unit.conn);
        let worth = self.selection.findings && !unit.findings.is_empty();
        if is_shown && worth {
            self.introduce(unit.conn)?;
        }
        let was_shown = self.waiting.remove(&unit.conn).is_none();
        if is_shown && was_shown { self.pass(unit) } else { Flow::Continue(()) }
    }

    /// Whether a connection is one of `streams`, now that something is known of it.
    fn choose(&mut self, conn: u32, connection: &Connection) -> bool {
        if self.selection.streams.is_empty() || self.chosen.contains(&conn) {
            return true;
        }
        if connection.ending.is_some() {
            return false;
        }
        for (stream, found) in self.selection.streams.iter().zip(&mut self.found) {
            if stream.matches(conn, connection) {
                *found = true;
                self.chosen.insert(conn);
            }
        }
        self.chosen.contains(&conn)
    }

    fn shows_stream(&self, conn: u32) -> bool {
        conn == 0 || self.selection.streams.is_empty() || self.chosen.contains(&conn)
    }

    #[inline(never)]
    fn select_single(&mut self, single: &Single<'_>) -> Flow {
        single.lend(|unit, message| self.take_whole(unit, message))
    }

    /// Searches a frame or a message, and shows what is decided by it.
    fn search(&mut self, unit: &Unit<'_>) -> Flow {
        let matches = self.selection.matches(unit);
        if let Body::Message(message) = unit.body
            && !message.kind.is_control()
            && let Some(queue) = self.queues.get_mut(&unit.conn)
        {
            held::decide(queue, unit.dir, matches);
        }
        let waits = matches!(unit.body, Body::Frame(frame) if held::waits(frame));
        let is_inflated = !matches!(unit.body, Body::Frame(frame) if frame.compressed);
        let may_show = self.selection.fits(unit, unit.findings) && (waits || matches);
        if may_show && (waits || self.queues.contains_key(&unit.conn)) {
            if let Some(held) = Held::new(unit, matches && is_inflated, (!waits).then_some(true)) {
                self.queued += held.cost();
                self.queues.entry(unit.conn).or_default().push_back(held);
            }
            let most = self.selection.memory.map_or(limits::GREP_HELD, |memory| memory / 8);
            if self.queued > most.min(limits::GREP_HELD) {
                return self.settle(unit.conn);
            }
        } else if may_show {
            return self.show(unit);
        }
        self.flush(unit.conn)
    }

    /// Shows what a connection's queue has in front that is decided.
    fn flush(&mut self, conn: u32) -> Flow {
        while let Some(queue) = self.queues.get_mut(&conn) {
            let Some(held) = queue.pop_front_if(|held| held.shown.is_some()) else {
                if queue.is_empty() {
                    self.queues.remove(&conn);
                }
                break;
            };
            self.queued -= held.cost();
            if held.shown == Some(true) {
                held.lend(|unit| self.show(unit))?;
            }
        }
        Flow::Continue(())
    }

    /// Nothing waits any longer: what is undecided is judged by itself.
    fn settle(&mut self, conn: u32) -> Flow {
        if let Some(queue) = self.queues.get_mut(&conn) {
            for dir in [None, Some(Dir::Client), Some(Dir::Server)] {
                held::decide(queue, dir, false);
            }
        }
        self.flush(conn)
    }

    /// Shows a unit that was selected.
    fn show(&mut self, unit: &Unit<'_>) -> Flow {
        if self.done {
            return self.after_limit(unit, true);
        }
        self.introduce(unit.conn)?;
        self.pass_cut(unit)?;
        self.count(unit)
    }

    /// Shows the beginning of a connection if that is still to be done.
    fn introduce(&mut self, conn: u32) -> Flow {
        if self.waiting.is_empty() {
            return Flow::Continue(());
        }
        let Some(Waiting { connection, time, packets }) = self.waiting.remove(&conn) else {
            return Flow::Continue(());
        };
        let body = Body::Connection(&connection);
        self.inner.take(&Unit { time, packets, ..Unit::of(conn, body) })
    }

    fn pass(&mut self, unit: &Unit<'_>) -> Flow {
        self.verdict.see(unit.findings);
        self.verdict.count(unit.counted);
        self.inner.take(unit)
    }

    /// Passes a unit on with no more payload than the sink behind asked for.
    fn pass_cut(&mut self, unit: &Unit<'_>) -> Flow {
        let wanted = self.inner.wants().payload;
        with_payload(unit, wanted, |unit| self.pass(unit))
    }

    /// Counts what is shown against the limit.
    fn count(&mut self, unit: &Unit<'_>) -> Flow {
        let Some(limit) = self.selection.limit else {
            return Flow::Continue(());
        };
        if let Body::Frame(frame) = unit.body {
            self.frames += 1;
            if self.frames >= limit {
                self.done = true;
                // What a final frame completes comes right after it.
                self.last = frame.header.fin.then_some((unit.conn, frame.n));
                return if self.last.is_some() { Flow::Continue(()) } else { Flow::Break(()) };
            }
        }
        Flow::Continue(())
    }

    /// Past the limit: passes the message that the last frame completes, and ends.
    fn after_limit(&mut self, unit: &Unit<'_>, is_shown: bool) -> Flow {
        if let (Body::Message(message), Some((conn, n))) = (unit.body, self.last.take())
            && unit.conn == conn
            && message.frames.last() == Some(&n)
            && is_shown
        {
            self.pass_cut(unit)?;
        }
        Flow::Break(())
    }
}

impl<S: Sink> Sink for Select<S> {
    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        // What has no findings makes no difference to the verdict.
        if self.all && unit.findings.is_empty() && unit.counted.is_empty() {
            return self.inner.take_whole(unit, message);
        }
        self.take(unit)?;
        self.take(&Unit { body: Body::Message(message), ..*unit })
    }

    #[inline]
    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        if self.all { self.inner.take_single(single) } else { self.select_single(single) }
    }

    fn wants(&self) -> Wants {
        let searched = if self.selection.grep.is_some() { self.selection.grep_bytes } else { 0 };
        self.inner.wants().or(Wants { payload: searched, ..Wants::NOTHING })
    }

    fn looks_at(&mut self, conn: u32, connection: &Connection) -> bool {
        self.choose(conn, connection)
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if self.all {
            return self.pass(unit);
        }
        let least = self.selection.min_severity;
        let kept: Vec<Finding>;
        let findings = if unit.findings.iter().all(|finding| finding.rule.severity >= least) {
            unit.findings
        } else {
            kept = unit.findings.iter().filter(|finding| finding.rule.severity >= least).cloned().collect();
            &kept
        };
        let counted: Vec<&'static Rule> =
            unit.counted.iter().copied().filter(|rule| rule.severity >= least).collect();
        let unit = &Unit { findings, counted: &counted, ..*unit };
        match unit.body {
            Body::Meta(meta) => {
                let window = self.selection.window.take();
                self.selection.window = window.map(|window| window.from(meta.start));
                self.pass(unit)
            }
            Body::Summary(_) => self.pass(unit),
            Body::File(_) if !self.done => self.pass(unit),
            _ if self.done => {
                let is_shown = self.shows_stream(unit.conn) && self.selection.shows(unit, findings);
                self.after_limit(unit, is_shown)
            }
            Body::Connection(connection) if connection.more.iter().any(|more| more.rule.severity < least) => {
                let mut connection = connection.clone();
                connection.more.retain(|more| more.rule.severity >= least);
                self.connection(&Unit { body: Body::Connection(&connection), ..*unit }, &connection)
            }
            Body::Connection(connection) => self.connection(unit, connection),
            Body::Judgement(_) => self.judgement(unit),
            _ if !self.shows_stream(unit.conn) => Flow::Continue(()),
            Body::Frame(_) | Body::Message(_) if self.selection.grep.is_some() => self.search(unit),
            _ if self.selection.shows(unit, findings) => self.show(unit),
            _ => {
                // What is only counted is not shown, but it is wrong.
                if self.selection.findings && self.selection.fits_by_itself(unit) {
                    self.verdict.count(unit.counted);
                }
                Flow::Continue(())
            }
        }
    }
}

/// Hands a unit on with at most `wanted` bytes of its payload.
pub fn with_payload(unit: &Unit<'_>, wanted: u64, take: impl FnOnce(&Unit<'_>) -> Flow) -> Flow {
    match unit.body {
        Body::Frame(frame) if frame.payload.len() as u64 > wanted => {
            let payload = cut(frame.payload, wanted);
            let frame = Frame { payload, holes: hole::among(frame.holes, payload.len()), ..*frame };
            take(&Unit { body: Body::Frame(&frame), ..*unit })
        }
        // Control messages are whole in any case.
        Body::Message(message) if message.payload.len() as u64 > wanted && !message.kind.is_control() => {
            let payload = cut(message.payload, wanted);
            let holes = hole::among(message.holes, payload.len());
            let message = Message { payload, holes, payload_cut: true, ..*message };
            take(&Unit { body: Body::Message(&message), ..*unit })
        }
        _ => take(unit),
    }
}

/// Lends a unit with no more of it than a sink asked for, where another one asked for more.
pub fn as_wanted(unit: &Unit<'_>, wants: Wants, take: impl FnOnce(&Unit<'_>) -> Flow) -> Flow {
    with_payload(unit, wants.payload, |unit| match unit.body {
        Body::Packet(packet) if !wants.app && packet.streamed.is_none() => Flow::Continue(()),
        Body::Session(_) if !wants.app => Flow::Continue(()),
        Body::Judgement(_) if !wants.causes => Flow::Continue(()),
        Body::Message(message) if !wants.app && message.app.is_some() => {
            let message = Message { app: None, ..*message };
            take(&Unit { body: Body::Message(&message), ..*unit })
        }
        _ => take(unit),
    })
}

#[cfg(all(test, feature = "cli"))]
mod tests;
