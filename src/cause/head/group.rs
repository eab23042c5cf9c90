//! Findings that are told together.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Key;
use crate::cause::Fast;
use crate::model::{Case, Diagnosis, Dir, Endpoint, Finding, Measure, Quantity, Rule, Text, Time};

/// From how many paths of a server on what is said of each in the same words is said once: one is a room, a
/// user or a token, then, and not a service.
const PATHS: usize = 3;

/// Findings that are told together.
#[derive(Clone, Debug)]
pub struct Group {
    /// The rule of all of them.
    pub rule: &'static Rule,
    /// Who broke it, where it is a rule that somebody broke.
    pub blame: Option<Dir>,
    /// The server, where it is the same for all.
    pub server: Option<Endpoint>,
    /// The path, where it is the same for all. Untrusted.
    pub target: Option<String>,
    /// How many paths there are.
    pub paths: usize,
    /// What they have in common, as a sentence about connections; what the first of them found where they
    /// have no more in common than the rule.
    pub what: Text,
    /// What was measured, over all of them.
    pub measures: Vec<Measure>,
    /// How many findings there are, and in how many connections.
    pub times: u64,
    /// Connections only.
    pub connections: u64,
    /// The first and the last of them.
    pub first: Place,
    /// The last only.
    pub last: Place,
    /// What may be behind the first, or else what usually is, and what to change.
    pub diagnosis: Option<Diagnosis>,
    /// `what` is a sentence about connections that is true of all of them.
    pub is_case: bool,
}

/// Where a finding is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The connection; 0 for the whole input.
    pub conn: u32,
    /// Number of the packet, from 1; 0 when there are no packets.
    pub packet: u64,
    /// When it was captured.
    pub time: Option<Time>,
}

/// Puts together what is said of many paths of a server in the same words.
pub(super) fn joined<'a>(groups: impl Iterator<Item = &'a Group>) -> Vec<Cow<'a, Group>> {
    let mut rows: Vec<Vec<&Group>> = Vec::new();
    let mut places: HashMap<(Key, bool), usize, Fast> = HashMap::default();
    for group in groups {
        let is_of_connections = group.is_case && group.first.conn > 0;
        let target = group.target.clone().filter(|_| !is_of_connections);
        let key = (group.rule.id, group.blame, group.server, target, group.what.to_string());
        let at = *places.entry((key, is_of_connections)).or_insert(rows.len());
        match rows.get_mut(at) {
            Some(row) => row.push(group),
            None => rows.push(vec![group]),
        }
    }
    let mut joined = Vec::new();
    for row in rows {
        match row.split_first() {
            Some((first, others)) if row.len() >= PATHS => {
                let mut all = (*first).clone();
                for other in others {
                    all.join(other);
                }
                joined.push(Cow::Owned(all));
            }
            _ => joined.extend(row.into_iter().map(Cow::Borrowed)),
        }
    }
    joined
}

impl Group {
    pub(super) fn new(
        finding: &Finding,
        place: Place,
        server: Option<Endpoint>,
        target: Option<String>,
    ) -> Self {
        let is_case = finding.case.is_some();
        let case = finding.case.as_deref().cloned();
        let Case { what, measures, behind, .. } =
            case.unwrap_or_else(|| Case::new(finding.got.clone(), Vec::new()));
        let usual = || finding.rule.usually.map(|it| Diagnosis::new(finding.rule.id, it.what, it.fix));
        let diagnosis = behind.or_else(|| finding.cause.as_deref().cloned()).or_else(usual);
        let together = measures.iter().find(|measure| measure.of == Quantity::Connections);
        let connections = together.map_or(1, |measure| measure.most.max(1).unsigned_abs());
        Self {
            rule: finding.rule,
            blame: finding.blame,
            server,
            target,
            paths: 1,
            what,
            measures,
            times: 1,
            connections,
            first: place,
            last: place,
            diagnosis,
            is_case,
        }
    }

    pub(super) fn add(&mut self, finding: &Finding, place: Place, is_new: bool) {
        self.times += 1;
        self.connections += u64::from(is_new);
        if place.packet > 0 && place.packet < self.first.packet {
            self.first = place;
        }
        if place.packet == 0 || place.packet >= self.last.packet {
            self.last = place;
        }
        self.measure(finding.case.iter().flat_map(|case| &case.measures));
    }

    fn measure<'a>(&mut self, measures: impl IntoIterator<Item = &'a Measure>) {
        for one in measures {
            match self.measures.iter_mut().find(|all| all.of == one.of) {
                Some(all) => (all.least, all.most) = (all.least.min(one.least), all.most.max(one.most)),
                None => self.measures.push(*one),
            }
        }
    }

    /// Takes what another group has, of another path.
    fn join(&mut self, other: &Self) {
        self.target = None;
        self.paths += other.paths;
        self.times += other.times;
        self.connections += other.connections;
        let when = |place: &Place| (place.packet, place.time);
        self.first = if when(&other.first) < when(&self.first) { other.first } else { self.first };
        self.last = if when(&other.last) > when(&self.last) { other.last } else { self.last };
        self.measure(&other.measures);
    }
}
