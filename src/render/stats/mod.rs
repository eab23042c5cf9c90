//! The view `stats`: what a capture holds, counted.
//!
//! [`Stats`] is a sink that only counts. It looks at no field and no payload, so
//! decoders build none, and costs a few nanoseconds a frame; how long requests wait is counted on demand,
//! because messages have to be read for that. Its memory grows with
//! the connections that are open at the same time, not with the capture: of finished
//! ones the [`LISTED`] largest are kept apart, the others live on in the totals.

mod course;
mod ends;
mod json;
mod latency;
mod ledger;
mod table;
mod tally;
mod text;
mod view;
mod wire;

use std::cmp::Reverse;

use crate::cause::Head;
use crate::model::{
    App, Body, Connection, Dir, EndKind, Endpoint, FindingCounts, Flow, Message, Meta, Opcode, Places, Rule,
    Single, Sink, Summary, Time, Unanswered, Unit, Wants,
};
use course::Course;
use ends::Ends;
use latency::Latencies;
use tally::Tally;
use wire::Wire;

pub use table::Piece;
pub use view::{Counting, VIEW};

/// Finished connections that are reported one by one.
pub const LISTED: usize = 1000;

/// Open connections that are counted apart at a time; further ones count in the totals only.
const FOLLOWED: usize = 64 * 1024;

/// Counts units.
#[derive(Debug)]
pub struct Stats {
    /// The open connections; the first collects what belongs to none of them.
    open: Vec<Entry>,
    /// Places in `open` that can be used again.
    free: Vec<u32>,
    /// Where in `open` a connection's entry is.
    slots: Places,
    /// Finished connections, at most twice [`LISTED`] of them.
    finished: Vec<Entry>,
    /// Those that rank behind this one will not be listed.
    last_listed: Option<Rank>,
    /// All finished connections together.
    total: Tally,
    connections: u64,
    rules: FindingCounts,
    ends: Ends,
    wire: Wire,
    course: Course,
    /// What went wrong.
    head: Head,
    meta: Option<Meta>,
    summary: Option<Summary>,
    /// The number of the file that is being read; 0 where there is only one.
    file: usize,
    /// How long requests wait for their answers, if somebody wants to know: for that messages are read.
    latencies: Option<Box<Latencies>>,
}

/// A connection and its counts.
#[derive(Clone, Debug, Default)]
struct Entry {
    conn: u32,
    client: Option<Endpoint>,
    server: Option<Endpoint>,
    end: Option<EndKind>,
    /// Its file's number where there are several.
    file: usize,
    tally: Tally,
}

impl Entry {
    /// Has counted nothing, and keeps what it needs for counting.
    fn clear(&mut self) {
        let Self { conn, client, server, end, file, tally } = self;
        (*conn, *client, *server, *end, *file) = (0, None, None, None, 0);
        tally.clear();
    }
}

/// Everything that was counted.
struct Report<'a> {
    meta: Option<&'a Meta>,
    summary: Option<&'a Summary>,
    total: Tally,
    connections: u64,
    /// The largest first.
    listed: Vec<&'a Entry>,
    /// The most frequent first within a severity, the worst severity first.
    rules: Vec<(&'static Rule, u64)>,
    latencies: Option<&'a Latencies>,
    ends: &'a Ends,
    wire: &'a Wire,
    course: &'a Course,
    head: &'a Head,
}

impl Default for Stats {
    fn default() -> Self {
        Self::new()
    }
}

impl Stats {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self {
            open: vec![Entry::default()],
            free: Vec::new(),
            slots: Places::default(),
            finished: Vec::new(),
            last_listed: None,
            total: Tally::default(),
            connections: 0,
            rules: FindingCounts::default(),
            ends: Ends::default(),
            wire: Wire::default(),
            course: Course::default(),
            head: Head::default(),
            meta: None,
            summary: None,
            file: 0,
            latencies: None,
        }
    }

    /// The same, and how long requests wait for their answers is counted, too.
    pub fn with_latency() -> Self {
        Self { latencies: Some(Box::default()), ..Self::new() }
    }

    /// The place of a connection's entry, made if need be.
    #[inline]
    fn slot(&mut self, conn: u32) -> usize {
        match self.slots.get(conn) {
            Some(slot) => slot as usize,
            None => self.follow(conn) as usize,
        }
    }

    #[inline(never)]
    fn follow(&mut self, conn: u32) -> u32 {
        // What belongs to no connection is counted at the first place.
        if conn == 0 {
            return 0;
        }
        self.connections += 1;
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.open.len() > FOLLOWED => 0,
            None => {
                self.open.push(Entry::default());
                (self.open.len() - 1) as u32
            }
        };
        if slot > 0 {
            // What is free has counted nothing.
            let entry = &mut self.open[slot as usize];
            (entry.conn, entry.file) = (conn, self.file);
        }
        self.slots.insert(conn, slot);
        slot
    }

    /// Takes a finished connection's counts over into the totals.
    fn finish_connection(&mut self, conn: u32, slot: usize) {
        self.slots.remove(conn);
        if slot == 0 {
            return;
        }
        self.free.push(slot as u32);
        let entry = &mut self.open[slot];
        self.total.add(&entry.tally);
        if self.last_listed.is_some_and(|last| largest_first(entry) > last) {
            entry.clear();
            return;
        }
        self.finished.push(std::mem::take(entry));
        if self.finished.len() >= 2 * LISTED {
            self.finished.sort_unstable_by_key(largest_first);
            self.finished.truncate(LISTED);
            self.last_listed = self.finished.last().map(largest_first);
        }
    }

    fn connection(&mut self, conn: u32, connection: &Connection) {
        let slot = self.slot(conn);
        if slot != 0 {
            let entry = &mut self.open[slot];
            (entry.client, entry.server) = (connection.client, connection.server);
            entry.end = connection.ending.as_ref().map(|ending| ending.how);
            if connection.ending.is_some() {
                for (side, window) in entry.tally.sides.iter_mut().zip(ledger::windows(connection)) {
                    // Whoever sent nothing compressed made its peer keep no window.
                    if let Some(ledger) = &mut side.ledger {
                        ledger.windows = if ledger.messages > 0 { window } else { 0 };
                    }
                }
            }
        }
        if let Some(ending) = &connection.ending {
            if let Some(facts) = &ending.transport {
                self.wire.take(facts);
            }
            self.finish_connection(conn, slot);
        }
    }

    /// Counts the findings of a connection that is counted already, and its entry gone, unless it is
    /// among those that are listed.
    #[cold]
    fn judged(&mut self, unit: &Unit<'_>) {
        let mut listed = self.finished.iter_mut().find(|entry| entry.conn == unit.conn);
        for rule in unit.rules() {
            self.total.findings.add(rule.severity, 1);
            if let Some(entry) = &mut listed {
                entry.tally.findings.add(rule.severity, 1);
            }
        }
    }

    /// Counts a frame without findings that is all there, by its opcode and the lengths of its header and
    /// payload, and the message that consists of it.
    #[allow(clippy::inline_always)] // it is on the way of nearly every frame
    #[inline(always)]
    fn whole(&mut self, conn: u32, dir: Option<Dir>, time: Option<Time>, frame: (Opcode, u64, u64)) {
        self.course.take(time, frame.2);
        let slot = self.slot(conn);
        self.open[slot].tally.whole(dir, time, frame, slot != 0);
    }

    #[cold]
    fn rules(&mut self, broken: impl Iterator<Item = &'static Rule>) {
        for broken in broken {
            self.rules.add(broken, 1);
        }
    }

    /// Counts what a packet of the application answers.
    fn answers(&mut self, unit: &Unit<'_>, app: &App) {
        if let (Some(latencies), Some(dir)) = (&mut self.latencies, unit.dir) {
            app.answers().for_each(|answer| latencies.answer(dir, answer));
        }
    }

    fn unanswered(&mut self, all: &[Unanswered]) {
        if let Some(latencies) = &mut self.latencies {
            latencies.unanswered(all);
        }
    }

    fn report(&self) -> Report<'_> {
        let mut total = self.total.clone();
        self.open.iter().for_each(|entry| total.add(&entry.tally));
        let mut listed: Vec<&Entry> =
            self.finished.iter().chain(self.open.iter().filter(|entry| entry.conn != 0)).collect();
        listed.sort_by_key(|entry| largest_first(entry));
        listed.truncate(LISTED);
        let rules = self.rules.by_weight();
        let (meta, summary) = (self.meta.as_ref(), self.summary.as_ref());
        let latencies = self.latencies.as_deref();
        let Self { ends, wire, course, head, connections, .. } = self;
        Report {
            meta,
            summary,
            total,
            connections: *connections,
            listed,
            rules,
            latencies,
            ends,
            wire,
            course,
            head,
        }
    }
}

/// Bytes, and the connection's number.
type Rank = (Reverse<u64>, u32);

fn largest_first(entry: &Entry) -> Rank {
    (Reverse(entry.tally.bytes()), entry.conn)
}

impl Sink for Stats {
    fn wants(&self) -> Wants {
        Wants { causes: true, app: self.latencies.is_some(), ..Wants::NOTHING }
    }

    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        let (Body::Frame(frame), true) = (unit.body, unit.findings.is_empty() && unit.counted.is_empty())
        else {
            self.take(unit)?;
            return self.take(&Unit { body: Body::Message(message), ..*unit });
        };
        if message.kind.is_control() {
            let slot = self.slot(unit.conn);
            let tally = &mut self.open[slot].tally;
            tally.unit(unit);
            tally.frame(unit, frame);
            tally.message(unit, message, slot != 0);
            return Flow::Continue(());
        }
        let head = u64::from(frame.header.header_length());
        self.whole(unit.conn, unit.dir, unit.time, (frame.header.opcode, head, message.length));
        if let Some(app) = message.app {
            self.answers(unit, app);
        }
        Flow::Continue(())
    }

    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        let frame = (single.opcode, single.head.len() as u64, single.length);
        self.whole(single.conn, Some(single.dir), single.at.time, frame);
        Flow::Continue(())
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if !(unit.findings.is_empty() && unit.counted.is_empty()) {
            self.rules(unit.rules());
            self.head.see(unit);
        } else if !matches!(unit.body, Body::Frame(_) | Body::Message(_)) {
            self.head.see(unit);
        }
        if let Body::Judgement(judgement) = unit.body {
            self.ends.take(judgement);
            if !unit.findings.is_empty() {
                self.judged(unit);
            }
            return Flow::Continue(());
        }
        // A session may be over behind its connections, which are counted then.
        let is_over = matches!(unit.body, Body::Session(_)) && self.slots.get(unit.conn).is_none();
        let slot = if unit.conn == 0 || is_over { 0 } else { self.slot(unit.conn) };
        let tally = &mut self.open[slot].tally;
        tally.unit(unit);
        match unit.body {
            Body::Frame(frame) => tally.frame(unit, frame),
            // Where many connections share one tally, times between their units mean nothing.
            Body::Message(message) => {
                if !message.kind.is_control() {
                    self.course.take(unit.time, message.length);
                }
                tally.message(unit, message, slot != 0);
                if let Some(app) = message.app {
                    self.answers(unit, app);
                }
            }
            Body::Packet(packet) => {
                if let (Some(streamed), Some(dir)) = (packet.streamed, unit.dir) {
                    tally.streamed(dir, streamed.kind, packet.length);
                }
                self.answers(unit, packet.app);
            }
            Body::Session(session) => self.unanswered(&session.unanswered),
            Body::Connection(connection) => {
                self.connection(unit.conn, connection);
                self.unanswered(&connection.unanswered);
            }
            Body::Meta(meta) => self.meta = Some(meta.clone()),
            Body::File(file) => self.file = file.number,
            Body::Summary(summary) => self.summary = Some(summary.clone()),
            Body::Http(_) | Body::Opening(_) | Body::Judgement(_) | Body::Gap(_) | Body::Note => {}
        }
        Flow::Continue(())
    }
}

/// The kinds of frames that are counted apart.
const KINDS: [&str; 7] = ["text", "binary", "continuation", "close", "ping", "pong", "reserved"];

/// How many of them, the first ones, are those of text and binary frames.
const DATA: usize = 2;

/// Which of them are Close frames.
const CLOSE: usize = 3;

/// An index into [`KINDS`].
#[inline]
fn kind(opcode: Opcode) -> usize {
    const INDEX: [u8; 16] = [2, 0, 1, 6, 6, 6, 6, 6, 3, 4, 5, 6, 6, 6, 6, 6];
    usize::from(INDEX[usize::from(opcode.0 & 15)])
}

#[cfg(test)]
mod tests {
    use super::tally::Side;
    use super::*;
    use crate::model::Dir::{Client, Server};
    use crate::model::sample::{Talk, finding};

    #[test]
    fn finished_connections_make_room() {
        let mut stats = Stats::new();
        let mut talk = Talk::new(&mut stats);
        // The largest come first, and again at the end.
        let sizes = (1..=6000_u32).map(|conn| (conn, if conn <= 3 || conn > 5997 { 100 } else { 1 }));
        for (conn, length) in sizes {
            let mut wire = vec![0x82, length];
            wire.resize(2 + usize::from(length), 0);
            talk.connect(conn).frame_bytes(Server, &wire).end(EndKind::Fin, None);
        }
        assert_eq!((stats.open.len(), stats.slots.count()), (2, 0));
        assert!(stats.finished.len() < 2 * LISTED);
        let report = stats.report();
        assert_eq!((report.connections, report.listed.len()), (6000, LISTED));
        let first: Vec<u32> = report.listed.iter().take(7).map(|entry| entry.conn).collect();
        assert_eq!(first, [1, 2, 3, 5998, 5999, 6000, 4]);
        assert_eq!((report.total.all_frames(), report.total.bytes()), (6000, 6000 * 3 + 6 * 99));
    }

    #[test]
    fn a_session_that_is_over_behind_its_connection_is_none_of_its_own() {
        let mut stats = Stats::with_latency();
        Talk::new(&mut stats).connect(1).frame(Server, "8900").end(EndKind::Fin, None);
        let session = crate::model::AppSession::default();
        let unit = Unit { findings: &[finding()], ..Unit::of(1, Body::Session(&session)) };
        assert!(stats.take(&unit).is_continue());
        let report = stats.report();
        assert_eq!((report.connections, report.listed.len(), report.total.findings.total()), (1, 1, 1));
    }

    #[test]
    fn connections_that_share_a_place_in_the_table_are_apart() {
        let mut stats = Stats::new();
        let mut talk = Talk::new(&mut stats);
        for conn in [1, 4097, 1, 8193, 4097] {
            talk.conn = conn;
            talk.frame(Client, "8100");
        }
        let report = stats.report();
        let counts: Vec<(u32, u64)> =
            report.listed.iter().map(|entry| (entry.conn, entry.tally.all_frames())).collect();
        assert_eq!(counts, [(1, 2), (4097, 2), (8193, 1)]);
        assert_eq!(report.connections, 3);
    }

    #[test]
    fn beyond_the_limit_connections_count_in_the_totals() {
        let mut stats = Stats::new();
        let mut talk = Talk::new(&mut stats);
        for conn in 1..=FOLLOWED as u32 + 5 {
            talk.connect(conn).frame(Client, "8100");
        }
        talk.frame(Client, "8100").end(EndKind::Fin, None);
        assert_eq!(stats.open.len(), FOLLOWED + 1);
        let report = stats.report();
        assert_eq!(
            (report.connections, report.total.all_frames()),
            (FOLLOWED as u64 + 5, FOLLOWED as u64 + 6)
        );
        assert_eq!(report.total.sides[0].gaps.count, 0);
    }

    #[test]
    fn rules_are_counted_once_a_finding() {
        let mut stats = Stats::new();
        let mut talk = Talk::new(&mut stats);
        for _ in 0..3 {
            talk.findings.push(finding());
            talk.frame(Client, "8100");
        }
        let report = stats.report();
        assert_eq!((report.rules.len(), report.rules[0].1, report.total.findings.errors), (1, 3, 3));
    }

    #[test]
    fn pings_find_their_pongs() {
        let mut stats = Stats::new();
        let mut talk = Talk::new(&mut stats);
        // Two pings, the second answered first: the older one is not waited for any longer.
        talk.frame(Client, "890161").frame(Client, "890162").frame(Server, "8a0162").frame(Server, "8a0161");
        // An empty ping with an empty pong; a pong to one's own ping is none.
        talk.frame(Server, "8900").frame(Server, "8a00").wait(7_000_000).frame(Client, "8a00");
        let tally = stats.report().total;
        let [client, server] = tally.sides.each_ref().map(Side::pings);
        assert_eq!((client.times.count, client.times.max), (1, 1_000_000));
        assert_eq!((server.times.count, server.times.max), (1, 9_000_000));
        assert_eq!([client.unanswered, client.unasked, server.unanswered, server.unasked], [1, 0, 0, 2]);
    }
}
