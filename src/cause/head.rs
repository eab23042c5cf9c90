//! What went wrong in an input, worst first and grouped: the answer before the evidence.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::{Fast, crash, crowd, reply};
use crate::limits;
use crate::model::{
    Body, Case, Connection, Diagnosis, Dir, Endpoint, Finding, Flow, Judgement, Measure, Meta, ON, Outcome,
    Quantity, Rule, Severity, Sink, Summary, Text, Time, Unit, Wants,
};
use crate::{net, ws};

/// Rules that only say how a connection ended: where a cause says why, they add nothing.
static MANNERS: &[&Rule] = &[
    &ws::NO_CLOSING_HANDSHAKE,
    &ws::UNCLEAN_CLOSE,
    &ws::TCP_RESET,
    &ws::CLOSE_NOT_ANSWERED,
    &ws::TRUNCATED_FRAME,
    &ws::INCOMPLETE_MESSAGE,
    &ws::FAILED_WITHOUT_CLOSE,
];

/// What the capture lacks: it limits what can be said, and explains nothing.
static LIMITS: &[&Rule] = &[&net::PACKET_TRUNCATED, &net::TCP_GAP];

/// From how many paths of a server on what is said of each in the same words is said once: one is a room, a
/// user or a token, then, and not a service.
const PATHS: usize = 3;

/// Gathers what a head of at most a screen says of an input, from its units.
#[derive(Debug, Default)]
pub struct Head {
    /// What the input is, and what is in it.
    pub meta: Meta,
    /// The totals.
    pub summary: Summary,
    /// The first and the last time that was seen.
    pub span: Option<(Time, Time)>,
    /// How many connections came to which outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    groups: Vec<Group>,
    /// Place among `groups` by what makes them one.
    places: HashMap<Key, usize, Fast>,
    /// Groups that there was no room for.
    pub more: u64,
    /// A line for each connection, the first [`limits::HEAD_CONNECTIONS`] of them.
    pub said: Vec<Said>,
    /// Findings that are notes, and no causes.
    pub notes: u64,
    /// What is known of the connections that are open.
    open: HashMap<u32, Open, Fast>,
    /// Where connections go: each place once.
    sites: Vec<Site>,
    /// Its number among those.
    numbers: HashMap<Site, u32, Fast>,
    /// Where the last connection goes that began.
    last_site: u32,
    /// Those that were over last, with the numbers of their sites: what is told of a session of Engine.IO
    /// comes behind its connections.
    over: VecDeque<(u32, u32)>,
    /// The connections of groups that have several.
    members: HashSet<(usize, u32), Fast>,
}

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

/// A line on a connection.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its number.
    pub conn: u32,
    /// The client's address.
    pub client: Option<Endpoint>,
    /// The server's address.
    pub server: Option<Endpoint>,
    /// Untrusted.
    pub target: Option<String>,
    /// What is said of it.
    pub line: Text,
    /// The worst of its causes.
    pub worst: Option<Severity>,
}

/// A server and a path there, without the query, in which each client may have a token of its own.
type Site = (Option<Endpoint>, Option<String>);

/// What makes findings one group: rule, blame, server, path, and what they say they have in common.
type Key = (&'static str, Option<Dir>, Option<Endpoint>, Option<String>, String);

/// Findings, and where they are.
type Manners = Vec<(Finding, Place)>;

#[derive(Debug, Default)]
struct Open {
    /// Where it goes, among `sites`.
    site: u32,
    /// What was found of the manner of its end, to be told if no cause is.
    manners: Option<Box<Manners>>,
}

impl Head {
    /// The groups, worst first: by severity, then by the number of connections. What ended a connection
    /// comes before the rules that were broken in it, and what several connections show together before
    /// what each of them shows.
    ///
    /// What is said of [many paths](PATHS) of a server in the same words is said once.
    pub fn groups(&self) -> Vec<Cow<'_, Group>> {
        let mut worst: HashMap<u32, Severity, Fast> = HashMap::default();
        for group in &self.groups {
            let known = worst.entry(group.first.conn).or_insert(group.rule.severity);
            *known = (*known).max(group.rule.severity);
        }
        // What explains the end of all connections of a server explains each.
        let is_cut = |group: &Group| {
            let whole = |other: &Group| *other.rule == net::PACKET_TRUNCATED && other.server == group.server;
            *group.rule == net::TCP_GAP && self.groups.iter().any(whole)
        };
        let is_explained = |group: &&Group| {
            let is_reset = crash::is_reset(group.rule);
            let is_part = |other: &Group| {
                let is_then = |at: &Place| crowd::is_then(other.rule, other.last.time, at.time);
                crowd::ENDS.contains(&other.rule)
                    && other.server == group.server
                    // Resets of more connections, or at another time, are another thing.
                    && (!is_reset
                        || group.connections <= other.connections
                            && is_then(&group.first)
                            && is_then(&group.last))
            };
            (MANNERS.contains(&group.rule) || is_reset)
                && group.server.is_some()
                && self.groups.iter().any(is_part)
        };
        let mut groups = joined(self.groups.iter().filter(|group| !is_explained(group) && !is_cut(group)));
        groups.sort_by_key(|group| {
            let (own, conn) = (group.rule.severity, group.first.conn);
            // A note explains nothing.
            let explains = group.is_case && conn > 0 && own > Severity::Note;
            let severity = if explains { worst[&conn] } else { own };
            let is_shared = group.is_case && conn == 0;
            let is_seen = !LIMITS.contains(&group.rule);
            let weight = (severity, is_seen, group.is_case, is_shared, own, group.connections, group.times);
            (Reverse(weight), group.first.time, conn)
        });
        groups
    }

    /// Whether it has nothing to say that whoever looks at the input would not see at once: what was pasted
    /// comes from nowhere and goes nowhere.
    pub fn is_simple(&self) -> bool {
        self.summary.packets == 0 && self.said.iter().all(|said| said.server.is_none())
    }

    /// Whether nothing went wrong but what are notes.
    pub fn is_fine(&self) -> bool {
        self.groups.is_empty()
    }

    /// Takes a unit into account.
    pub fn see(&mut self, unit: &Unit<'_>) {
        if let Some(time) = unit.time {
            let (first, last) = self.span.unwrap_or((time, time));
            self.span = Some((first.min(time), last.max(time)));
        }
        match unit.body {
            Body::Meta(meta) => self.meta = meta.clone(),
            Body::Connection(connection) => self.connection(unit.conn, connection),
            Body::Judgement(judgement) => return self.judgement(unit, judgement),
            Body::Summary(summary) => self.summary = summary.clone(),
            _ => {}
        }
        for finding in unit.findings {
            let place = place(unit, finding);
            if MANNERS.contains(&finding.rule)
                && let Some(open) = self.open.get_mut(&unit.conn)
            {
                let manners = open.manners.get_or_insert_default();
                if manners.len() < limits::RULES_REMEMBERED {
                    manners.push((finding.clone(), place));
                }
                continue;
            }
            self.add(finding, place);
        }
    }

    fn connection(&mut self, conn: u32, connection: &Connection) {
        if connection.ending.is_some() {
            return;
        }
        let path = connection.target.as_deref().map(|target| {
            let end = target.bytes().position(|b| b == b'?');
            &target[..end.unwrap_or(target.len())]
        });
        let is_last = |site: &&u32| {
            self.sites
                .get(**site as usize)
                .is_some_and(|(server, last)| *server == connection.server && last.as_deref() == path)
        };
        let site = match Some(&self.last_site).filter(is_last) {
            Some(site) => *site,
            None => self.site(connection.server, path),
        };
        self.last_site = site;
        self.open.entry(conn).or_default().site = site;
    }

    /// The number of a site. Of too many only the server is told apart, and of too many of these nothing.
    fn site(&mut self, server: Option<Endpoint>, path: Option<&str>) -> u32 {
        for site in [(server, path.map(str::to_owned)), (server, None), (None, None)] {
            if let Some(number) = self.numbers.get(&site) {
                return *number;
            }
            if self.sites.len() < limits::GROUPS {
                let number = self.sites.len() as u32;
                self.sites.push(site.clone());
                self.numbers.insert(site, number);
                return number;
            }
        }
        u32::MAX
    }

    fn judgement(&mut self, unit: &Unit<'_>, judgement: &Judgement<'_>) {
        *self.outcomes.entry(judgement.outcome).or_default() += 1;
        let mut manners = None;
        if let Some(open) = self.open.remove(&unit.conn) {
            if self.over.len() == limits::HEAD_CONNECTIONS {
                self.over.pop_front();
            }
            self.over.push_back((unit.conn, open.site));
            manners = open.manners;
        }
        // Requests without an answer say nothing of the manner of the end.
        let says_little =
            |finding: &Finding| reply::RULES.contains(&finding.rule) && !reply::explains(finding);
        if unit.findings.iter().all(says_little) {
            for (finding, place) in manners.into_iter().flat_map(|manners| *manners) {
                self.add(&finding, place);
            }
        }
        for finding in unit.findings {
            self.add(finding, place(unit, finding));
        }
        if self.said.len() < limits::HEAD_CONNECTIONS {
            self.said.push(Said {
                conn: unit.conn,
                client: judgement.client,
                server: judgement.server,
                target: judgement.target.map(str::to_owned),
                line: judgement.line(),
                worst: unit.findings.iter().map(|finding| finding.rule.severity).max(),
            });
        }
    }

    fn add(&mut self, finding: &Finding, place: Place) {
        let rule = finding.rule;
        if rule.severity == Severity::Note && finding.case.is_none() {
            self.notes += 1;
            return;
        }
        let together = finding.case.as_ref().and_then(|case| case.server);
        let over = || self.over.iter().rev().find(|(conn, _)| *conn == place.conn).map(|(_, site)| *site);
        let of = self.open.get(&place.conn).map(|open| open.site).or_else(over);
        let site = of.and_then(|site| self.sites.get(site as usize));
        let (server, target) = site.cloned().unwrap_or((together, None));
        let what = finding.case.as_ref().map_or_else(String::new, |case| case.what.to_string());
        let key: Key = (rule.id, finding.blame, server, target, what);
        let known = self.places.get(&key).copied();
        if let Some((at, group)) = known.and_then(|at| Some((at, self.groups.get_mut(at)?))) {
            // Of too many it is no longer known whether they were counted; most come in their order.
            let is_new = place.conn != group.last.conn
                && (self.members.len() >= limits::CROWD || self.members.insert((at, place.conn)));
            group.add(finding, place, is_new);
        } else if self.groups.len() < limits::GROUPS {
            let (server, target) = (key.2, key.3.clone());
            self.members.insert((self.groups.len(), place.conn));
            self.places.insert(key, self.groups.len());
            self.groups.push(Group::new(finding, place, server, target));
        } else {
            self.more += 1;
        }
    }
}

/// Puts together what is said of many paths of a server in the same words.
fn joined<'a>(groups: impl Iterator<Item = &'a Group>) -> Vec<Cow<'a, Group>> {
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
                others.iter().for_each(|other| all.join(other));
                joined.push(Cow::Owned(all));
            }
            _ => joined.extend(row.into_iter().map(Cow::Borrowed)),
        }
    }
    joined
}

impl Group {
    fn new(finding: &Finding, place: Place, server: Option<Endpoint>, target: Option<String>) -> Self {
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

    fn add(&mut self, finding: &Finding, place: Place, is_new: bool) {
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

/// Where a finding of a unit is.
fn place(unit: &Unit<'_>, finding: &Finding) -> Place {
    let packet = finding.spans.iter().find_map(|span| match span.source {
        crate::model::SourceId::Packet { number } => Some(number),
        _ => None,
    });
    let packet = packet.or(unit.packets.map(|(_, last)| last)).unwrap_or_default();
    Place { conn: unit.conn, packet, time: unit.time }
}

/// Alone it is a view that shows nothing.
impl Sink for Head {
    fn wants(&self) -> Wants {
        // What messages mean, too: Engine.IO and requests have causes of their own.
        Wants { causes: true, app: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.see(unit);
        ON
    }
}

#[cfg(test)]
mod tests;
