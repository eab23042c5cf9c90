//! What went wrong in an input, worst first and grouped: the answer before the evidence.

mod group;
mod refused;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::net::IpAddr;

use self::group::joined;
use super::{Fast, close, crash, crowd, heartbeat, pace, reply, silence, tcp};
use crate::http::{FAILURE_TOLD, RECONNECT_WITHOUT_BACKOFF};
use crate::limits;
use crate::model::{
    Body, ByNumber, Connection, Dir, Endpoint, Finding, Flow, Judgement, Meta, ON, Outcome, Rule, Secured,
    Severity, Sink, Summary, Text, Time, Unit, Wants,
};
use crate::{net, ws};

pub use self::group::{Group, Place};
use self::refused::{Refusal, Refusals};

/// Rules that only say how a connection ended: where a cause says why, they add nothing.
static MANNERS: &[&Rule] = &[
    &ws::NO_CLOSING_HANDSHAKE,
    &ws::UNCLEAN_CLOSE,
    &ws::TCP_RESET,
    &ws::CLOSE_NOT_ANSWERED,
    &ws::TRUNCATED_FRAME,
    &ws::INCOMPLETE_MESSAGE,
    &ws::FAILED_WITHOUT_CLOSE,
    &FAILURE_TOLD,
];

/// Whether a cause says of a ping without an answer what came of it.
fn tells_of_ping(cause: &Finding) -> bool {
    heartbeat::explains(cause.rule) || close::is_keepalive(cause.rule)
}

/// What the capture lacks: it limits what can be said, and explains nothing.
static LIMITS: &[&Rule] = &[&net::PACKET_TRUNCATED, &net::TCP_GAP];

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
    /// How many connections were deciphered, and with how many secrets, by version and suite of their TLS.
    pub secured: BTreeMap<Within, (u64, u64)>,
    /// Findings that are notes, and no causes.
    pub notes: u64,
    /// What is known of the connections that are open.
    open: ByNumber<Open>,
    /// Where connections go: each place once.
    sites: Vec<Site>,
    /// Its number among those.
    numbers: HashMap<Site, u32, Fast>,
    /// Where the last connection goes that began.
    last_site: u32,
    /// Clients that come back without a pause, by server: known when all connections are over.
    storms: HashSet<(Endpoint, u32), Fast>,
    /// What was found of the pauses of clients before that, and whose: a storm says the same, and more.
    hasty: Vec<Hasty>,
    /// Answers that a proxy may have passed on.
    refusals: Refusals,
    /// Those that were over last, with the numbers of their sites: what is told of a session of Engine.IO
    /// comes behind its connections.
    over: VecDeque<(u32, u32)>,
    /// The connections of groups that have several.
    members: HashSet<(usize, u32), Fast>,
}

/// Version and suite of TLS, and whether the suite is inferred.
pub type Within = (Option<&'static str>, Option<Box<str>>, bool);

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

/// What was found of the pauses of a client.
#[derive(Debug)]
struct Hasty {
    finding: Finding,
    place: Place,
    /// Where its connection goes, among the sites.
    site: Option<u32>,
    /// What its client's address is hashed to.
    client: u32,
}

#[derive(Debug, Default)]
struct Open {
    /// Where it goes, among `sites`.
    site: u32,
    /// What its client's address is hashed to.
    client: u32,
    /// What was found of the manner of its end, to be told if no cause is.
    manners: Option<Box<Manners>>,
}

impl Head {
    /// A connection was deciphered.
    fn secured(&mut self, it: &Secured) {
        let within = (it.version, it.suite.clone(), it.is_inferred);
        // A server chooses one of a few.
        if self.secured.len() < limits::GROUPS || self.secured.contains_key(&within) {
            let (connections, secrets) = self.secured.entry(within).or_default();
            *connections += 1;
            *secrets += it.secrets as u64;
        }
    }

    /// The groups, worst first: by severity, then by the number of connections. What ended a connection
    /// comes before the rules that were broken in it, and what several connections show together before
    /// what each of them shows.
    ///
    /// What is said of many paths of a server in the same words is said once.
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
            let is_manner = MANNERS.contains(&group.rule) || *group.rule == silence::NO_HEARTBEAT;
            (is_manner || is_reset) && group.server.is_some() && self.groups.iter().any(is_part)
        };
        let mut groups = joined(self.groups.iter().filter(|group| !is_explained(group) && !is_cut(group)));
        groups.sort_by_key(|group| {
            let (own, conn) = (group.rule.severity, group.first.conn);
            // A note explains nothing, unless it says what led to the end, nor does the manner of an end.
            let says_why = own > Severity::Note && !MANNERS.contains(&group.rule);
            let explains = group.is_case && conn > 0 && (says_why || *group.rule == pace::RATE_GREW);
            let severity = if explains { worst[&conn] } else { own };
            let is_shared = group.is_case && conn == 0 && !crowd::is_consequence(group.rule);
            let is_seen = !LIMITS.contains(&group.rule);
            // That it was reset, or not let go of, says less than why.
            let is_how = crash::is_reset(group.rule) || *group.rule == tcp::CLOSE_WAIT;
            let is_why = !(is_how || MANNERS.contains(&group.rule));
            let often = group.connections;
            let weight = (severity, is_seen, group.is_case, is_shared, own, often, is_why, group.times);
            (Reverse(weight), group.first.time, conn)
        });
        groups
    }

    /// Whether it has nothing to say that whoever looks at the input would not see at once: what was pasted
    /// comes from nowhere and goes nowhere.
    pub fn is_simple(&self) -> bool {
        let is_pasted = self.summary.packets == 0 && self.meta.account.is_none();
        is_pasted && self.said.iter().all(|said| said.server.is_none())
    }

    /// Whether nothing went wrong but what are notes.
    pub fn is_fine(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether no connection came to nothing or was cut off, as far as is known.
    pub fn is_orderly(&self) -> bool {
        self.outcomes.keys().all(|outcome| !outcome.is_bad())
    }

    /// Takes a unit into account.
    #[inline]
    pub fn see(&mut self, unit: &Unit<'_>) {
        if let Some(time) = unit.time {
            let (first, last) = self.span.unwrap_or((time, time));
            self.span = Some((first.min(time), last.max(time)));
        }
        // Most units are others, of which nothing is read but what is found in them.
        let says_more = matches!(
            unit.body,
            Body::Meta(_) | Body::Connection(_) | Body::Judgement(_) | Body::File(_) | Body::Summary(_)
        );
        if says_more || !unit.findings.is_empty() {
            self.read(unit);
        }
    }

    fn read(&mut self, unit: &Unit<'_>) {
        match unit.body {
            Body::Meta(meta) => self.meta = meta.clone(),
            Body::Connection(connection) => {
                self.connection(unit.conn, connection);
                if let (Some(it), None) = (&connection.secured, &connection.ending) {
                    self.secured(it);
                }
            }
            Body::Judgement(judgement) => return self.judgement(unit, judgement),
            Body::File(_) => self.calm(),
            Body::Summary(summary) => {
                self.summary = summary.clone();
                self.calm();
            }
            _ => {}
        }
        for finding in unit.findings {
            let place = place(unit, finding);
            if *finding.rule == RECONNECT_WITHOUT_BACKOFF && self.hasty.len() < limits::GROUPS {
                let open = self.open.get(unit.conn);
                let (site, client) = open.map_or((None, 0), |open| (Some(open.site), open.client));
                self.hasty.push(Hasty { finding: finding.clone(), place, site, client });
                continue;
            }
            let storm = finding.case.iter().filter_map(|case| case.server.zip(case.client.map(hash)));
            self.storms.extend(storm);
            if self.refusals.takes(finding) {
                let site = self.open.get(unit.conn).map(|open| open.site);
                self.refusals.wait(site, finding, place);
                continue;
            }
            if (MANNERS.contains(&finding.rule) || *finding.rule == ws::PING_NOT_ANSWERED)
                && let Some(open) = self.open.get_mut(unit.conn)
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

    /// All connections are over: what was found of clients that make no storm is told.
    fn calm(&mut self) {
        for Refusal { site, finding, place } in self.refusals.tell() {
            self.add_at(site, &finding, place);
        }
        let storms = std::mem::take(&mut self.storms);
        for Hasty { finding, place, site, client } in std::mem::take(&mut self.hasty) {
            let server = site.and_then(|site| self.sites.get(site as usize)).and_then(|(server, _)| *server);
            if server.is_none_or(|server| !storms.contains(&(server, client))) {
                self.add_at(site, &finding, place);
            }
        }
    }

    fn connection(&mut self, conn: u32, connection: &Connection) {
        if connection.ending.is_some() {
            return self.refusals.ends(conn, connection);
        }
        let path = connection.target.as_deref().map(|target| {
            let end = target.bytes().position(|b| b == b'?');
            &target[..end.unwrap_or(target.len())]
        });
        let path = whole(connection.server, connection.host.as_deref(), path);
        let path = path.as_deref();
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
        let open = self.open.follow(conn);
        open.site = site;
        open.client = connection.client_ip().map_or(0, hash);
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
        if let Some(open) = self.open.remove(unit.conn) {
            if self.over.len() == limits::HEAD_CONNECTIONS {
                self.over.pop_front();
            }
            self.over.push_back((unit.conn, open.site));
            manners = open.manners;
        }
        // Requests without an answer say nothing of the manner of the end.
        let says_little =
            |finding: &Finding| reply::RULES.contains(&finding.rule) && !reply::explains(finding);
        let is_unexplained = judgement.told_with.is_none()
            && judgement.left != Some(Dir::Client)
            && unit.findings.iter().all(says_little);
        // That a browser says so, too, adds nothing to an answer that opened no WebSocket.
        let is_refused = judgement.outcome == Outcome::Refused;
        let says_why = |finding: &Finding| *finding.rule == FAILURE_TOLD && !is_refused;
        let is_of_ping = unit.findings.iter().any(tells_of_ping);
        for (finding, place) in manners.into_iter().flat_map(|manners| *manners) {
            if *finding.rule == ws::PING_NOT_ANSWERED {
                if !is_of_ping {
                    self.add(&finding, place);
                }
                continue;
            }
            if says_why(&finding) || is_unexplained && *finding.rule != FAILURE_TOLD {
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
                target: whole(judgement.server, judgement.host, judgement.target).map(Cow::into_owned),
                line: judgement.line(),
                worst: unit.findings.iter().map(|finding| finding.rule.severity).max(),
            });
        }
    }

    fn add(&mut self, finding: &Finding, place: Place) {
        let over = || self.over.iter().rev().find(|(conn, _)| *conn == place.conn).map(|(_, site)| *site);
        let site = self.open.get(place.conn).map(|open| open.site).or_else(over);
        self.add_at(site, finding, place);
    }

    /// The same of a connection to this site.
    fn add_at(&mut self, site: Option<u32>, finding: &Finding, place: Place) {
        let rule = finding.rule;
        if rule.severity == Severity::Note && finding.case.is_none() {
            self.notes += 1;
            return;
        }
        let together = finding.case.as_ref().and_then(|case| case.server);
        let site = site.and_then(|site| self.sites.get(site as usize));
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

/// What was asked for. Who tells of a connection names its host, and seldom an address: it stands in front
/// then.
fn whole<'a>(server: Option<Endpoint>, host: Option<&str>, target: Option<&'a str>) -> Option<Cow<'a, str>> {
    match (server, host, target) {
        (None, Some(host), Some(target)) => Some(Cow::Owned(format!("{host}{target}"))),
        (.., target) => target.map(Cow::Borrowed),
    }
}

/// A client's address, in few bytes: there may be many that are open.
fn hash(client: IpAddr) -> u32 {
    Fast::default().hash_one(client) as u32
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
