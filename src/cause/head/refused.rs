//! Refusals of both legs of a way through a proxy: who refused is told, and not who passed that on.

use std::collections::{HashMap, HashSet};

use super::{Fast, Place};
use crate::http::{HANDSHAKE_REDIRECTED, HANDSHAKE_REJECTED, REJECTED_WITHOUT_ERROR};
use crate::limits;
use crate::model::{Connection, Finding, Text};

/// An answer is passed on within so many nanoseconds.
const PASSED_ON: i64 = 250_000_000;

/// Refusals that wait until it is known which connections are legs of one way.
#[derive(Debug, Default)]
pub struct Refusals {
    waiting: Vec<Refusal>,
    /// The leg of the client, by that from the proxy to the server.
    ways: HashMap<u32, u32, Fast>,
}

/// An answer that opened no WebSocket.
#[derive(Debug)]
pub struct Refusal {
    /// Where its connection goes, among the sites.
    pub site: Option<u32>,
    /// What was found.
    pub finding: Finding,
    /// Where it is.
    pub place: Place,
}

impl Refusals {
    /// Whether a finding is one that has to wait, and there is room.
    pub fn takes(&self, finding: &Finding) -> bool {
        let rules = [&HANDSHAKE_REJECTED, &HANDSHAKE_REDIRECTED, &REJECTED_WITHOUT_ERROR];
        self.waiting.len() < limits::LEGS && rules.contains(&finding.rule)
    }

    /// A refusal, on a connection to this site.
    pub fn wait(&mut self, site: Option<u32>, finding: &Finding, place: Place) {
        self.waiting.push(Refusal { site, finding: finding.clone(), place });
    }

    /// A connection is over.
    pub fn ends(&mut self, conn: u32, connection: &Connection) {
        if let Some(client) = connection.passes_on
            && !self.waiting.is_empty()
            && self.ways.len() < limits::LEGS
        {
            self.ways.insert(conn, client.get());
        }
    }

    /// What is to be told, now that all connections are known.
    pub fn tell(&mut self) -> Vec<Refusal> {
        let (mut waiting, ways) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.ways));
        if ways.is_empty() {
            return waiting;
        }
        let mut by_conn: HashMap<u32, Vec<usize>, Fast> = HashMap::default();
        for (at, refusal) in waiting.iter().enumerate() {
            by_conn.entry(refusal.place.conn).or_default().push(at);
        }
        let (mut passed_on, mut first) = (HashSet::<usize, Fast>::default(), Vec::new());
        for (at, refusal) in waiting.iter().enumerate() {
            let client = ways.get(&refusal.place.conn).and_then(|client| by_conn.get(client));
            let same = client
                .into_iter()
                .flatten()
                .find(|other| !passed_on.contains(*other) && waiting[**other].is_passed_on_from(refusal));
            if let Some(other) = same {
                passed_on.insert(*other);
                first.push(at);
            }
        }
        for at in first {
            if let Some(case) = &mut waiting[at].finding.case {
                case.what = Text::new("{}, which the proxy in between passed on")
                    .word(std::mem::take(&mut case.what));
            }
        }
        let told = waiting.into_iter().enumerate().filter(|(at, _)| !passed_on.contains(at));
        told.map(|(_, refusal)| refusal).collect()
    }
}

impl Refusal {
    /// Whether it says what the other one says, right after it.
    fn is_passed_on_from(&self, other: &Self) -> bool {
        let what = |it: &Self| it.finding.case.as_ref().map(|case| case.what.to_string());
        let after = self.place.time.zip(other.place.time).map_or(0, |(own, other)| own.since(other));
        self.finding.rule == other.finding.rule && what(self) == what(other) && after.abs() <= PASSED_ON
    }
}
