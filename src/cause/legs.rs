//! Both legs of a way through a proxy: what ends the one ends the other, and is told once.

use std::collections::HashMap;

use super::over::Over;
use super::{Fast, crash, silence};
use crate::limits;
use crate::model::{Dir, Finding, Rule, Time};

/// Legs that end of the same cause end no further apart, in nanoseconds.
const APART: i64 = 250_000_000;
/// Nanoseconds of silence on both legs before an end that have something to do with it, and by how many
/// they differ at most.
const QUIET: i64 = 2_000_000_000;
const ALIKE: i64 = 50_000_000;

/// Connections that have ended of some cause, by the number of the leg that began first.
#[derive(Debug, Default)]
pub struct Legs {
    ended: HashMap<u32, Leg, Fast>,
    /// What is said of the silence of legs to servers, until those of their clients are over: these say
    /// whose timeout it is.
    waiting: HashMap<u32, Waiting, Fast>,
    /// Those for which that has been in vain.
    in_vain: Vec<Waiting>,
}

/// Causes that wait for the leg of the client.
#[derive(Debug)]
pub struct Waiting {
    /// The leg to the server.
    pub conn: u32,
    /// When it ended.
    pub time: Time,
    /// In which packet.
    pub packet: u64,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The silence before, if that was all there was to its end.
    quiet: Option<i64>,
}

#[derive(Debug)]
struct Leg {
    conn: u32,
    time: Time,
    /// It is the one from the client to the proxy.
    is_clients: bool,
    /// The silence before, if that was all there was to its end.
    quiet: Option<i64>,
    /// The causes, and what is said of them.
    causes: Vec<(&'static Rule, String)>,
}

impl Leg {
    fn is_near(&self, time: Time) -> bool {
        time.since(self.time).abs() <= APART
    }

    /// Whether this is the cause of its end, too. Of a proxy that is tired of the silence each leg says that
    /// it was ended by the other side; that of the client knows more of the proxy, which has answered there.
    fn has(&self, cause: &Finding) -> bool {
        let own = &what(cause);
        let is_silence = self.is_clients && silence::explains(cause.rule);
        self.causes.iter().any(|(rule, what)| *rule == cause.rule && (what == own || is_silence))
    }
}

impl Legs {
    /// Whether what is said of a leg waits for its other leg.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A connection is over. Causes of which its other leg has ended, too, are taken out: gives the number
    /// of that one.
    pub fn ends(&mut self, over: &Over<'_>, causes: &mut Vec<Finding>) -> Option<u32> {
        let time = over.ended()?;
        let way = over.connection.passes_on.map_or(over.conn, std::num::NonZeroU32::get);
        let quiet = quiet(over, causes);
        if over.connection.passes_on.is_none()
            && let Some(waiting) = self.waiting.remove(&way)
        {
            let is_near = waiting.is_near(time);
            if is_near && is_alike(quiet, waiting.quiet) {
                *causes = silence::between(over).into_iter().collect();
            } else if !(is_near && causes.iter().any(|cause| silence::explains(cause.rule))) {
                self.in_vain.push(waiting);
            }
        }
        if let Some(other) = self.ended.remove(&way).filter(|other| other.is_near(time)) {
            if is_alike(quiet, other.quiet) {
                *causes = silence::between(over).into_iter().collect();
                return None;
            }
            let before = causes.len();
            causes.retain(|cause| !other.has(cause));
            return (causes.len() < before).then_some(other.conn);
        }
        if self.ended.len() + self.waiting.len() >= limits::LEGS {
            self.ended.retain(|_, leg| leg.is_near(time));
        }
        if self.ended.len() + self.waiting.len() < limits::LEGS {
            let is_servers = over.connection.passes_on.is_some();
            let is_silence = quiet.is_some() || causes.iter().any(|cause| silence::explains(cause.rule));
            if is_servers && is_silence {
                let packet = over.ending.first.map_or(0, |end| end.packet);
                let findings = std::mem::take(causes);
                self.waiting.insert(way, Waiting { conn: over.conn, time, packet, findings, quiet });
                return Some(way);
            }
            let causes: Vec<_> = causes.iter().map(|cause| (cause.rule, what(cause))).collect();
            let is_clients = over.connection.passes_on.is_none();
            if causes.is_empty() && quiet.is_none() {
                return None;
            }
            self.ended.insert(way, Leg { conn: over.conn, time, is_clients, quiet, causes });
        }
        None
    }

    /// Whether any have waited for their other leg in vain.
    pub fn has_any_in_vain(&self) -> bool {
        !self.in_vain.is_empty()
    }

    /// Causes that have waited for the other leg in vain, and at the end of the input those that still do.
    pub fn in_vain(&mut self, is_end: bool) -> Vec<Waiting> {
        if is_end {
            let mut waiting: Vec<_> = self.waiting.drain().map(|(_, waiting)| waiting).collect();
            waiting.sort_by_key(|waiting| waiting.conn);
            self.in_vain.append(&mut waiting);
        }
        std::mem::take(&mut self.in_vain)
    }
}

impl Waiting {
    fn is_near(&self, time: Time) -> bool {
        time.since(self.time).abs() <= APART
    }
}

/// The silence before a leg was ended by the side of the proxy, where nothing else is known of its end.
fn quiet(over: &Over<'_>, causes: &[Finding]) -> Option<i64> {
    let proxy = if over.connection.passes_on.is_some() { Dir::Client } else { Dir::Server };
    let is_its = over.cut().is_some_and(|end| end.by == proxy) && over.knows_silence() && over.is_at_rest();
    let is_plain = |cause: &Finding| crash::is_reset(cause.rule) || silence::is_vague(cause.rule);
    over.silence().filter(|silence| is_its && *silence >= QUIET && causes.iter().all(is_plain))
}

/// Whether both legs fell silent at the same time, so that who is between has ended both for it.
fn is_alike(one: Option<i64>, other: Option<i64>) -> bool {
    one.zip(other).is_some_and(|(one, other)| (one - other).abs() <= ALIKE)
}

fn what(cause: &Finding) -> String {
    cause.case.as_ref().map_or_else(String::new, |case| case.what.to_string())
}
