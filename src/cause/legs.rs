//! Both legs of a way through a proxy: what ends the one ends the other, and is told once.

use std::collections::HashMap;

use super::over::Over;
use super::{Fast, silence};
use crate::limits;
use crate::model::{Finding, Rule, Time};

/// Legs that end of the same cause end no further apart, in nanoseconds.
const APART: i64 = 250_000_000;

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
}

#[derive(Debug)]
struct Leg {
    conn: u32,
    time: Time,
    /// It is the one from the client to the proxy.
    is_clients: bool,
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
    /// A connection is over. Causes of which its other leg has ended, too, are taken out: gives the number
    /// of that one.
    pub fn ends(&mut self, over: &Over<'_>, causes: &mut Vec<Finding>) -> Option<u32> {
        let time = over.ended()?;
        let way = over.connection.passes_on.map_or(over.conn, std::num::NonZeroU32::get);
        if over.connection.passes_on.is_none()
            && let Some(waiting) = self.waiting.remove(&way)
            && !(waiting.is_near(time) && causes.iter().any(|cause| silence::explains(cause.rule)))
        {
            self.in_vain.push(waiting);
        }
        if let Some(other) = self.ended.remove(&way).filter(|other| other.is_near(time)) {
            let before = causes.len();
            causes.retain(|cause| !other.has(cause));
            return (causes.len() < before).then_some(other.conn);
        }
        if self.ended.len() + self.waiting.len() >= limits::LEGS {
            self.ended.retain(|_, leg| leg.is_near(time));
        }
        if self.ended.len() + self.waiting.len() < limits::LEGS {
            let is_servers = over.connection.passes_on.is_some();
            if is_servers && causes.iter().any(|cause| silence::explains(cause.rule)) {
                let packet = over.ending.first.map_or(0, |end| end.packet);
                let findings = std::mem::take(causes);
                self.waiting.insert(way, Waiting { conn: over.conn, time, packet, findings });
                return Some(way);
            }
            let causes = causes.iter().map(|cause| (cause.rule, what(cause))).collect();
            let is_clients = over.connection.passes_on.is_none();
            self.ended.insert(way, Leg { conn: over.conn, time, is_clients, causes });
        }
        None
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

fn what(cause: &Finding) -> String {
    cause.case.as_ref().map_or_else(String::new, |case| case.what.to_string())
}
