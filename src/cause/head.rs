//! What went wrong in an input, worst first and grouped: the answer before the evidence.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::{Fast, crowd, reply};
use crate::limits;
use crate::model::{
    Body, Case, Connection, Diagnosis, Dir, Endpoint, Finding, Flow, Judgement, Measure, Meta, ON, Outcome,
    Quantity, Rule, Severity, Sink, Summary, Text, Time, Unit, Wants,
};
use crate::ws;

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
    /// The one that was over last: what is told of a session of Engine.IO comes behind its connection.
    over: Option<(u32, Open)>,
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
    /// Untrusted.
    pub target: Option<String>,
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
    pub fn groups(&self) -> Vec<&Group> {
        let mut worst: HashMap<u32, Severity, Fast> = HashMap::default();
        for group in &self.groups {
            let known = worst.entry(group.first.conn).or_insert(group.rule.severity);
            *known = (*known).max(group.rule.severity);
        }
        // What explains the end of all connections of a server explains each.
        let is_explained = |group: &&Group| {
            let together = |other: &Group| crowd::ENDS.contains(&other.rule) && other.server == group.server;
            MANNERS.contains(&group.rule) && group.server.is_some() && self.groups.iter().any(together)
        };
        let mut groups: Vec<&Group> = self.groups.iter().filter(|group| !is_explained(group)).collect();
        groups.sort_by_key(|group| {
            let (own, conn) = (group.rule.severity, group.first.conn);
            // A note explains nothing.
            let explains = group.is_case && conn > 0 && own > Severity::Note;
            let severity = if explains { worst[&conn] } else { own };
            let is_shared = group.is_case && conn == 0;
            let weight = (severity, group.is_case, is_shared, own, group.connections, group.times);
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
        let path = connection.target.as_deref().map(|target| target.split('?').next().unwrap_or_default());
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
        self.over = self.open.remove(&unit.conn).map(|open| (unit.conn, open));
        let manners = self.over.as_mut().and_then(|(_, open)| open.manners.take());
        // Requests without an answer say nothing of the manner of the end.
        if unit.findings.iter().all(|finding| reply::RULES.contains(&finding.rule)) {
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
        let over = || self.over.as_ref().filter(|(conn, _)| *conn == place.conn).map(|(_, open)| open);
        let of = self.open.get(&place.conn).or_else(over);
        let site = of.and_then(|open| self.sites.get(open.site as usize));
        let (server, target) = site.cloned().unwrap_or((together, None));
        let what = finding.case.as_ref().map_or_else(String::new, |case| case.what.to_string());
        let key: Key = (rule.id, finding.blame, server, target, what);
        if let Some(group) = self.places.get(&key).and_then(|at| self.groups.get_mut(*at)) {
            group.add(finding, place);
        } else if self.groups.len() < limits::GROUPS {
            let (server, target) = (key.2, key.3.clone());
            self.places.insert(key, self.groups.len());
            self.groups.push(Group::new(finding, place, server, target));
        } else {
            self.more += 1;
        }
    }
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

    fn add(&mut self, finding: &Finding, place: Place) {
        self.times += 1;
        if place.conn != self.last.conn {
            self.connections += 1;
        }
        self.last = place;
        for one in finding.case.iter().flat_map(|case| &case.measures) {
            match self.measures.iter_mut().find(|all| all.of == one.of) {
                Some(all) => (all.least, all.most) = (all.least.min(one.least), all.most.max(one.most)),
                None => self.measures.push(*one),
            }
        }
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
