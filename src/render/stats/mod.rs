//! The view `stats`: what a capture holds, counted.
//!
//! [`Stats`] is a sink that only counts. It looks at no field and no payload, so
//! decoders build none, and costs a few nanoseconds a frame. Its memory grows with
//! the connections that are open at the same time, not with the capture: of finished
//! ones the [`LISTED`] largest are kept apart, the others live on in the totals.

mod distribution;
mod json;
mod tally;
mod text;

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::model::{
    Body, Connection, EndKind, Endpoint, Finding, Flow, Meta, Opcode, Rule, Sink, Summary, Unit, Wants,
};
use tally::Tally;

/// Finished connections that are reported one by one.
pub const LISTED: usize = 1000;

/// Open connections that are counted apart at a time; further ones count in the totals only.
const FOLLOWED: usize = 64 * 1024;

/// Entries of the table that finds a connection without hashing.
const RECENT: usize = 4096;

/// Counts units.
#[derive(Debug)]
pub struct Stats {
    /// The open connections; the first collects what belongs to none of them.
    open: Vec<Entry>,
    /// Places in `open` that can be used again.
    free: Vec<u32>,
    /// Where in `open` a connection's entry is.
    slots: HashMap<u32, u32, foldhash::fast::FixedState>,
    /// The same for connections seen lately: number and place, by the number's low bits.
    recent: Vec<(u32, u32)>,
    /// Finished connections, at most twice [`LISTED`] of them.
    finished: Vec<Entry>,
    /// All finished connections together.
    total: Tally,
    connections: u64,
    rules: Vec<(&'static Rule, u64)>,
    meta: Option<Meta>,
    summary: Option<Summary>,
}

/// A connection and its counts.
#[derive(Clone, Debug, Default)]
struct Entry {
    conn: u32,
    client: Option<Endpoint>,
    server: Option<Endpoint>,
    end: Option<EndKind>,
    tally: Tally,
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
            slots: HashMap::default(),
            recent: vec![(0, 0); RECENT],
            finished: Vec::new(),
            total: Tally::default(),
            connections: 0,
            rules: Vec::new(),
            meta: None,
            summary: None,
        }
    }

    /// The place of a connection's entry, made if need be.
    #[inline]
    fn slot(&mut self, conn: u32) -> usize {
        let (recent, slot) = self.recent[conn as usize % RECENT];
        if recent == conn { slot as usize } else { self.find(conn) }
    }

    fn find(&mut self, conn: u32) -> usize {
        let slot = match self.slots.get(&conn) {
            Some(slot) => *slot,
            None => self.follow(conn),
        };
        self.recent[conn as usize % RECENT] = (conn, slot);
        slot as usize
    }

    fn follow(&mut self, conn: u32) -> u32 {
        self.connections += 1;
        let entry = Entry { conn, ..Entry::default() };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.open[slot as usize] = entry;
                slot
            }
            None if self.open.len() > FOLLOWED => 0,
            None => {
                self.open.push(entry);
                (self.open.len() - 1) as u32
            }
        };
        self.slots.insert(conn, slot);
        slot
    }

    /// Takes a finished connection's counts over into the totals.
    fn finish_connection(&mut self, conn: u32, slot: usize) {
        self.slots.remove(&conn);
        self.recent[conn as usize % RECENT] = (0, 0);
        if slot == 0 {
            return;
        }
        let entry = std::mem::take(&mut self.open[slot]);
        self.free.push(slot as u32);
        self.total.add(&entry.tally);
        self.finished.push(entry);
        if self.finished.len() >= 2 * LISTED {
            sort_largest_first(&mut self.finished);
            self.finished.truncate(LISTED);
        }
    }

    fn connection(&mut self, conn: u32, connection: &Connection) {
        let slot = self.slot(conn);
        if slot != 0 {
            let entry = &mut self.open[slot];
            (entry.client, entry.server) = (connection.client, connection.server);
            entry.end = connection.ending.map(|ending| ending.how);
        }
        if connection.ending.is_some() {
            self.finish_connection(conn, slot);
        }
    }

    #[cold]
    fn findings(&mut self, findings: &[Finding]) {
        for finding in findings {
            match self.rules.iter_mut().find(|(rule, _)| rule.id == finding.rule.id) {
                Some((_, count)) => *count += 1,
                None => self.rules.push((finding.rule, 1)),
            }
        }
    }

    fn report(&self) -> Report<'_> {
        let mut total = self.total.clone();
        self.open.iter().for_each(|entry| total.add(&entry.tally));
        let mut listed: Vec<&Entry> =
            self.finished.iter().chain(self.open.iter().filter(|entry| entry.conn != 0)).collect();
        listed.sort_by_key(|entry| largest_first(entry));
        listed.truncate(LISTED);
        let mut rules = self.rules.clone();
        rules.sort_by_key(|(rule, count)| (Reverse((rule.severity, *count)), rule.id));
        let (meta, summary) = (self.meta.as_ref(), self.summary.as_ref());
        Report { meta, summary, total, connections: self.connections, listed, rules }
    }
}

fn largest_first(entry: &Entry) -> (Reverse<u64>, u32) {
    (Reverse(entry.tally.bytes()), entry.conn)
}

fn sort_largest_first(entries: &mut [Entry]) {
    entries.sort_by_key(largest_first);
}

impl Sink for Stats {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if !unit.findings.is_empty() {
            self.findings(unit.findings);
        }
        let slot = if unit.conn == 0 { 0 } else { self.slot(unit.conn) };
        let tally = &mut self.open[slot].tally;
        tally.unit(unit);
        match unit.body {
            Body::Frame(frame) => tally.frame(unit, frame),
            // Where many connections share one tally, times between their units mean nothing.
            Body::Message(message) => tally.message(unit, message, slot != 0),
            Body::Connection(connection) => self.connection(unit.conn, connection),
            Body::Meta(meta) => self.meta = Some(meta.clone()),
            Body::Summary(summary) => self.summary = Some(summary.clone()),
            Body::Http(_) | Body::Gap(_) | Body::Note => {}
        }
        Flow::Continue(())
    }
}

/// The kinds of frames that are counted apart.
const KINDS: [&str; 7] = ["text", "binary", "continuation", "close", "ping", "pong", "reserved"];

/// An index into [`KINDS`].
#[inline]
fn kind(opcode: Opcode) -> usize {
    const INDEX: [u8; 16] = [2, 0, 1, 6, 6, 6, 6, 6, 3, 4, 5, 6, 6, 6, 6, 6];
    usize::from(INDEX[usize::from(opcode.0 & 15)])
}
