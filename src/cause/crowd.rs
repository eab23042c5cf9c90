//! What shows only when several connections to a server are looked at together.
//!
//! Connections are told when they are over, in whatever order that is; what happened when is sorted out at
//! the end. So the same comes out however the capture is cut or its packets are ordered.

mod at_once;
mod deadline;
mod half_open;
mod storm;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::num::NonZeroU32;

use self::at_once::ended_together;
use self::deadline::{cut_short, same_lifetime};
use self::half_open::{left_half_open, orphaned};
use self::storm::Storm;
use super::over::Over;
use super::silence::Evidence;
use super::{Fast, silence};
use crate::limits;
use crate::model::quantity::span;
use crate::model::{
    Case, Cite, Diagnosis, Dir, Endpoint, Finding, Handshake, Measure, Quantity, Rule, Text, Time, rules,
};

rules! {
    /// What several connections show together.
    RULES;
    SAME_SILENCE = "same-silence", Warning, Cite::rfc6455("5.5.2"), Either,
        "several connections to a server were ended after the same silence, without a Close frame",
        "both endpoints learn of it late or never; messages sent meanwhile are lost",
        usually "an idle timeout on the way or in the server",
        mend "send pings at less than half of that interval, from either side, or raise the timeout";
    SAME_LIFETIME = "same-lifetime", Warning, Cite::rfc6455("7.1.1"), Either,
        "several connections were ended by their server when they were equally old, although in use",
        "what was under way is lost, and each client has to connect again, time after time",
        usually "a limit on the whole connection: a deadline that is never moved, or a proxy's timeout",
        mend "move the deadline on with each message and pong, or raise the limit for this path";
    RECONNECT_STORM = "reconnect-storm", Warning, Cite::rfc6455("7.2.3"), Client,
        "a client comes back again and again without a pause to speak of",
        "the server has to accept connections for nothing, and has less time for what made it fail",
        usually "a client that connects again in its onclose handler, at once",
        mend "wait before connecting again, longer each time, and a random part of it (exponential backoff)";
    ENDED_TOGETHER = "server-ended-all", Error, Cite::rfc6455("7.2.2"), Server,
        "all connections of a server ended within a moment",
        "every client has lost its connection and what was under way",
        usually "the server's process was restarted or crashed, or the proxy in front of it",
        mend "look for a deploy, a restart or a crash at this time; drain connections before a process ends";
    ENDED_SOME = "server-ended-some", Warning, Cite::rfc6455("7.2.2"), Server,
        "several connections of a server ended at the same moment, and others went on",
        "these clients have lost their connections and what was under way",
        usually "one of several processes or hosts behind this address ended: a worker that crashed or was \
                 recycled, a deploy of one after the other",
        mend "look for a crash, a restart or a deploy of one of them at this time; let it close its \
              connections with a Close frame (1001 or 1012) first";
    HALF_OPEN = "left-half-open", Warning, Cite { doc: "RFC 9293", section: "3.5.1" }, Capture,
        "a client was back while the server still held its old connection open",
        "the server counts the client twice, and what it sends on the old connection is lost",
        usually "a client whose host lost network or power: nobody told the server",
        mend "let the server ping every connection and drop those without a pong; expect a client twice \
              meanwhile";
    HERD = "thundering-herd", Warning, Cite::rfc6455("7.2.3"), Client,
        "many clients came back within a moment after a server ended their connections",
        "the server gets all its handshakes at once, just when it starts",
        usually "clients that come back at once, or all after the same pause",
        mend "let each client wait a random time before it comes back (RFC 6455 suggests up to 5 s)";
}

/// Those that explain why connections ended, and not only what came of it.
pub(super) static ENDS: &[&Rule] = &[&SAME_SILENCE, &SAME_LIFETIME, &ENDED_TOGETHER, &ENDED_SOME];

/// Whether one tells what came of ends, and not why they were.
pub(super) fn is_consequence(rule: &Rule) -> bool {
    [&RECONNECT_STORM, &HERD].contains(&rule)
}

/// Whether an end at a time is one of those that one of [`ENDS`] tells of, the last of which was at `ended`.
pub(super) fn is_then(rule: &Rule, ended: Option<Time>, time: Option<Time>) -> bool {
    let apart = time.zip(ended).map_or(0, |(time, ended)| time.since(ended).abs());
    ![&ENDED_TOGETHER, &ENDED_SOME].contains(&rule) || apart <= SECOND
}

/// What is remembered of a connection that is over.
#[derive(Clone, Copy, Debug)]
struct Event {
    conn: u32,
    began: Time,
    ended: Time,
    client: Option<IpAddr>,
    /// Who ended it.
    by: Option<Dir>,
    /// Without a Close frame.
    is_cut: bool,
    /// Its client has a reason to come back.
    failed: bool,
    /// A page was left (1001).
    left: bool,
    /// The server took it, and closed it soon (1000) before anybody had sent a thing.
    dismissed: bool,
    /// After a silence that a usual timeout explains.
    is_idle: bool,
    /// Without a Close frame: the silence before its end, if no cause of its own was found for that.
    silence: Option<i64>,
    /// How long it lasted, if its server cut it short while it was in use.
    cut_short: Option<i64>,
    /// Who may have had a timeout then.
    evidence: Option<Evidence>,
    /// Its client knew nothing of it any more: when it was heard last before that.
    orphaned: Option<Time>,
    packet: u64,
    /// The connection that a proxy passes on with it.
    passes_on: Option<NonZeroU32>,
}

/// The connections that are over, by server.
#[derive(Debug)]
pub struct Crowd {
    servers: HashMap<Endpoint, Vec<Event>, Fast>,
    events: usize,
    /// How many are remembered.
    limit: usize,
}

/// What the end of the input tells.
pub struct Together {
    /// When the last of them ended.
    pub time: Option<Time>,
    /// The first and the last packet that ended one.
    pub packets: Option<(u64, u64)>,
    /// What the connections have in common.
    pub findings: Vec<Finding>,
}

const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1000 * MILLISECOND;
/// How often a client has to come back without a pause, to be told of.
const STORM: usize = 5;
/// A page that is left sooner than this was hardly looked at.
const GLANCE: i64 = 2 * SECOND;
/// No browser leaves a page sooner than this: that is a program that only asks whether the server is there.
const BLINK: i64 = 20 * MILLISECOND;
/// Ends that belong together are not further apart than this.
const MOMENT: i64 = 250 * MILLISECOND;
/// How many connections have to end for it to be the server's end, and to come back to be a herd.
const ALL: usize = 3;
const MANY: usize = 10;
/// Silences that come from the same timeout differ by no more than this part of them.
const ALIKE: i64 = 50;
/// Two are enough where they are longer than this, and differ by no more than this part of them.
const PATIENCE: i64 = 3 * SECOND;
const EXACT: i64 = 500;

impl Crowd {
    /// Nobody so far, as part of a run that may hold so many bytes.
    pub fn within(memory: usize) -> Self {
        let limit = limits::CROWD.min((memory / limits::CROWD_MEMORY).max(64));
        Self { servers: HashMap::default(), events: 0, limit }
    }

    /// A connection is over, for these causes.
    pub fn ends(&mut self, over: &Over<'_>, causes: &[Finding]) {
        let (Some(server), Some(began), Some(ended)) =
            (over.connection.server, over.ending.began, over.ended())
        else {
            return;
        };
        if self.events >= self.limit || over.connection.handshake.has_no_frames() {
            return;
        }
        let end = over.ending.first;
        let close = over.close();
        let by = over.ender();
        let code = close.and_then(|(_, close)| close.code).map(|code| code.0);
        let is_fine = matches!(code, Some(1000)) || code == Some(1001) && by == Some(Dir::Client);
        // That a silent connection was reset is no cause beside the silence.
        let is_unexplained = causes
            .iter()
            .all(|cause| super::crash::is_reset(cause.rule) || *cause.rule == silence::NO_HEARTBEAT);
        let is_silent = over.is_websocket() && is_unexplained && over.knows_silence() && over.is_at_rest();
        let is_refused = over.connection.handshake == Handshake::Refused || over.is_unanswered();
        // A Close frame of 1000 that was not captured may have been there.
        let is_dropped = by == Some(Dir::Server) && (close.is_some() || over.is_whole());
        let is_mute = over.is_whole() && over.ending.sides.iter().all(|side| side.heard.is_none());
        let is_glance = ended.since(began) < GLANCE;
        self.events += 1;
        self.servers.entry(server).or_default().push(Event {
            conn: over.conn,
            began,
            ended,
            client: over.connection.client_ip(),
            by,
            is_cut: close.is_none(),
            left: code == Some(1001) && by == Some(Dir::Client),
            dismissed: code == Some(1000) && by == Some(Dir::Server) && is_mute && is_glance,
            failed: !is_fine && (is_dropped || is_refused),
            is_idle: causes.iter().any(|cause| silence::explains(cause.rule)),
            silence: over.silence().filter(|_| is_silent),
            cut_short: cut_short(over, is_unexplained),
            evidence: over.cut().map(|end| Evidence::about(over, end)),
            orphaned: orphaned(over),
            passes_on: over.connection.passes_on,
            packet: close.map(|(_, close)| close.packet).or(end.map(|end| end.packet)).unwrap_or_default(),
        });
    }

    /// What the whole shows; nobody is remembered from then on.
    pub fn tell(&mut self) -> Vec<Together> {
        self.events = 0;
        let mut servers: Vec<_> = std::mem::take(&mut self.servers).into_iter().collect();
        servers.sort_by_key(|(server, _)| *server);
        let other_leg = |event: &Event| event.passes_on.map(NonZeroU32::get);
        let all = || servers.iter().flat_map(|(_, events)| events);
        let passed_on: HashSet<u32, Fast> = all().filter_map(other_leg).collect();
        let is_relayed = |event: &&Event| event.by == Some(Dir::Server);
        let relayed: HashSet<u32, Fast> = all().filter(is_relayed).filter_map(other_leg).collect();
        let mut told = Vec::new();
        for (server, mut events) in servers {
            // There may be many: they are sorted where they are, and no two have the same number.
            events.sort_unstable_by_key(|event| (event.began, event.conn));
            // What a proxy ends on both sides of it, it ends itself.
            let (together, gone) = ended_together(server, &but(&events, &relayed));
            // Of a way through a proxy that is in the capture, what a server does is told of its own leg, and
            // what a client does of the client's.
            let own = but(&events, &passed_on);
            // What ended all at once has not waited for the silence of each.
            told.extend(same_silences(server, &own, &gone));
            told.extend(same_lifetime(server, &own, &gone));
            drop(own);
            events.retain(|event| event.passes_on.is_none());
            events.sort_unstable_by_key(|event| (event.client, event.began, event.conn));
            let each = events.chunk_by(|a, b| a.client == b.client);
            let storms: Vec<_> = each
                .clone()
                .filter_map(|own| Storm::of(own, |it| it.failed || it.dismissed, STORM))
                .collect();
            told.extend(storms.iter().filter_map(|storm| storm.tell(server, storms.len())));
            for own in each {
                let lived = |event: &Event| event.ended.since(event.began);
                let is_glance = |event: &Event| event.left && (BLINK..GLANCE).contains(&lived(event));
                told.extend(Storm::of(own, is_glance, MANY).and_then(|storm| storm.tell(server, 1)));
                told.extend(left_half_open(server, own));
            }
            told.extend(together);
        }
        told
    }
}

/// Events but those of some connections.
fn but<'e>(events: &'e [Event], conns: &HashSet<u32, Fast>) -> Cow<'e, [Event]> {
    if conns.is_empty() {
        return events.into();
    }
    events.iter().filter(|event| !conns.contains(&event.conn)).copied().collect()
}

/// A finding about these connections.
fn together(mut finding: Finding, server: Endpoint, events: &[Event]) -> Together {
    if let Some(case) = &mut finding.case {
        case.server = Some(server);
    }
    let packets = events.iter().map(|event| event.packet).filter(|packet| *packet > 0);
    let range = packets.clone().min().zip(packets.max());
    Together { time: events.iter().map(|event| event.ended).max(), packets: range, findings: vec![finding] }
}

fn range(of: Quantity, values: impl Iterator<Item = i64> + Clone) -> Option<Measure> {
    let (least, most) = values.clone().min().zip(values.max())?;
    Some(Measure { of, least, most })
}

/// The longest run of silences, which are sorted, that may come from the same timeout.
fn alike(silent: &[(i64, Event)]) -> &[(i64, Event)] {
    let (mut from, mut most) = (0, &silent[..0]);
    for to in 0..silent.len() {
        let reach = |from: usize| (silent[from].0 / ALIKE).max(20 * MILLISECOND);
        while silent[to].0 - silent[from].0 > reach(from) {
            from += 1;
        }
        if to + 1 - from > most.len() {
            most = &silent[from..=to];
        }
    }
    most
}

/// The same silences before the ends by either side, of those that are not among the ones that are `gone`.
fn same_silences(server: Endpoint, events: &[Event], gone: &HashSet<u32, Fast>) -> Vec<Together> {
    let is_silent = |event: &&Event| event.silence.is_some() && !gone.contains(&event.conn);
    let mut silent: Vec<Event> = events.iter().filter(is_silent).copied().collect();
    silent.sort_unstable_by_key(|event| (event.by.map(Dir::index), event.began, event.conn));
    silent.chunk_by(|a, b| a.by == b.by).filter_map(|own| same_silence(server, own)).collect()
}

/// Several ends by the same side after the same silence that no usual timeout explains.
fn same_silence(server: Endpoint, events: &[Event]) -> Option<Together> {
    let mut silent: Vec<(i64, Event)> =
        events.iter().filter_map(|event| event.silence.map(|silence| (silence, *event))).collect();
    silent.retain(|(silence, _)| *silence >= SECOND && silence::usual(*silence).is_none());
    silent.sort_unstable_by_key(|(silence, event)| (*silence, event.conn));
    let most = alike(&silent);
    let (least, longest) = (most.first()?.0, most.last()?.0);
    // Two may be a coincidence, unless it is a long time to the moment.
    let is_exact = least >= PATIENCE && longest - least <= (least / EXACT).max(10 * MILLISECOND);
    if most.len() < 2 || most.len() < ALL && !is_exact {
        return None;
    }
    let by = most.first()?.1.by?;
    // A client that ends ends all of its connections, however long they were silent.
    let ends = most.iter().map(|(_, event)| event.ended);
    let (first, last) = ends.clone().min().zip(ends.max())?;
    if by == Dir::Client && last.since(first) <= MOMENT {
        return None;
    }
    let events: Vec<Event> = most.iter().map(|(_, event)| *event).collect();
    let got = Text::with("{} connections ended after {} to {} of silence", most.len())
        .and(span(least))
        .and(span(longest));
    let what =
        Text::with("{} connections to {} ended by the {} after the same silence", most.len()).and(server);
    let what = what.word(by.name());
    let silence = Measure { of: Quantity::Silence, least, most: longest };
    let case = Case::new(what, vec![Measure::count(Quantity::Connections, most.len() as u64), silence]);
    let evidence = events.first().and_then(|event| event.evidence);
    let same = evidence.filter(|_| events.iter().all(|event| event.evidence == evidence));
    let timeout = || Text::with("an idle timeout of {}", span(least));
    let behind = same.map_or_else(timeout, |evidence| evidence.of(span(least)));
    let often = silence::often_enough(least);
    let mend = Text::with("a ping every {} would have kept them open; or raise the timeout", often);
    let expected = "a frame, or a ping, more often than that".into();
    let finding = Finding::new(&SAME_SILENCE, None, expected, got)
        .because(Diagnosis::new(SAME_SILENCE.id, behind, mend))
        .like(case);
    Some(together(finding, server, &events))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// A connection that lasted from one moment to another, in milliseconds, and was ended so by the server.
    pub(super) fn event(conn: u32, began: u64, ended: u64) -> Event {
        Event {
            conn,
            began: Time(began * MS),
            ended: Time(ended * MS),
            client: Some([192, 0, 2, 1].into()),
            by: Some(Dir::Server),
            is_cut: true,
            failed: true,
            left: false,
            dismissed: false,
            is_idle: false,
            silence: Some((ended - began).cast_signed() * MILLISECOND),
            cut_short: None,
            evidence: None,
            orphaned: None,
            passes_on: None,
            packet: u64::from(conn),
        }
    }

    /// The ids of what these show.
    fn told(events: &[Event]) -> Vec<&'static str> {
        let server = Endpoint::V4(std::net::SocketAddrV4::new([192, 0, 2, 80].into(), 80));
        let mut crowd =
            Crowd { servers: [(server, events.to_vec())].into_iter().collect(), ..Crowd::within(1 << 20) };
        crowd.tell().iter().flat_map(|told| &told.findings).map(|finding| finding.rule.id).collect()
    }

    #[test]
    fn what_ends_all_at_once_has_not_waited_for_the_silence_of_each() {
        let all: Vec<Event> = (0..8).map(|n| event(n, 20 * u64::from(n), 4000)).collect();
        assert_eq!(told(&all), ["server-ended-all"]);
        // One after the other, each after the same silence, it is a timeout.
        let each: Vec<Event> =
            (0..8).map(|n| event(n, 900 * u64::from(n), 900 * u64::from(n) + 7000)).collect();
        assert_eq!(told(&each), ["same-silence"]);
        // A usual timeout explains each, also of those that fell silent together.
        let idle: Vec<Event> =
            all.iter().map(|event| Event { is_idle: true, silence: None, ..*event }).collect();
        assert_eq!(told(&idle), [""; 0]);
    }

    #[test]
    fn some_that_end_at_the_same_moment_are_those_of_one_process() {
        let busy = |n: u32, ended: u64| Event { silence: None, ..event(n, 50 * u64::from(n), ended) };
        let left = |n: u32, ended: u64| Event { by: Some(Dir::Client), failed: false, ..busy(n, ended) };
        let some: Vec<Event> =
            (0..6).map(|n| if n % 2 == 0 { busy(n, 4000 + u64::from(n)) } else { left(n, 9000) }).collect();
        assert_eq!(told(&some), ["server-ended-some"]);
        // Where others are cut off, too, it may be an accident.
        let more: Vec<Event> = some.iter().copied().chain([busy(7, 2000)]).collect();
        assert_eq!(told(&more), [""; 0]);
        let two: Vec<Event> = some.iter().copied().filter(|event| event.conn != 4).collect();
        assert_eq!(told(&two), [""; 0]);
    }

    #[test]
    fn a_proxy_in_front_of_a_server_is_tired_of_silence_and_a_client_that_ends_is_not() {
        let by_client = |event: Event| Event { by: Some(Dir::Client), failed: false, ..event };
        let each = (0..4).map(|n| by_client(event(n, 900 * u64::from(n), 900 * u64::from(n) + 7000)));
        assert_eq!(told(&each.collect::<Vec<_>>()), ["same-silence"]);
        let all = (0..4).map(|n| by_client(event(n, 20 * u64::from(n), 7000)));
        assert_eq!(told(&all.collect::<Vec<_>>()), [""; 0]);
    }

    #[test]
    fn silences_of_one_timeout_differ_hardly() {
        // Each is near the next, and the last far from the first.
        let drifting: Vec<Event> =
            (0..20).map(|n| event(n, 900 * u64::from(n), 960 * u64::from(n) + 3000)).collect();
        let server = Endpoint::V4(std::net::SocketAddrV4::new([192, 0, 2, 80].into(), 80));
        let case = same_silence(server, &drifting).and_then(|told| told.findings[0].case.clone());
        assert!(case.is_none(), "{case:?}");
    }

    #[test]
    fn who_is_not_known_is_named_in_words_and_not_by_a_value() {
        let unknown = |event: Event| Event { client: None, ..event };
        let mut events: Vec<Event> =
            (0..8).map(|n| unknown(event(n, 100 * u64::from(n), 100 * u64::from(n) + 50))).collect();
        events[0] =
            Event { ended: Time(9000 * MS), orphaned: Some(Time(60 * MS)), failed: false, ..events[0] };
        let server = Endpoint::V4(std::net::SocketAddrV4::new([192, 0, 2, 80].into(), 80));
        let mut crowd = Crowd { servers: [(server, events)].into_iter().collect(), ..Crowd::within(1 << 20) };
        let told = crowd.tell();
        let cases = told.iter().flat_map(|told| &told.findings).filter_map(|finding| finding.case.as_deref());
        let what: Vec<_> = cases.map(|case| (case.what.template, case.what.args.len())).collect();
        assert_eq!(
            what,
            [
                ("a client connects to {} again and again, with hardly a pause", 1),
                ("a client was back at {} while its old connection was still open there", 1),
            ]
        );
    }

    #[test]
    fn a_page_that_reloads_itself_is_a_storm_and_one_that_is_left_is_none() {
        let page = |n: u32, lasts: u64| {
            let began = u64::from(n) * (lasts + 50);
            Event {
                by: Some(Dir::Client),
                is_cut: false,
                left: true,
                failed: false,
                silence: None,
                ..event(n, began, began + lasts)
            }
        };
        let reloads: Vec<Event> = (0..20).map(|n| page(n, 300)).collect();
        assert_eq!(told(&reloads), ["reconnect-storm"]);
        // A monitor that says goodbye like a page is none.
        let probes: Vec<Event> = (0..20).map(|n| page(n, 2)).collect();
        assert_eq!(told(&probes), [""; 0]);
        let few: Vec<Event> = (0..6).map(|n| page(n, 300)).collect();
        assert_eq!(told(&few), [""; 0]);
        let reader: Vec<Event> = (0..20).map(|n| page(n, 9000)).collect();
        assert_eq!(told(&reader), [""; 0]);
    }
}
