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
        if let Some(other) = self.ended.remove(&way).filter(|other| other.is_near(time)) {
            let before = causes.len();
            causes.retain(|cause| !other.has(cause));
            return (causes.len() < before).then_some(other.conn);
        }
        if self.ended.len() >= limits::LEGS {
            self.ended.retain(|_, leg| leg.is_near(time));
        }
        if self.ended.len() < limits::LEGS {
            let causes = causes.iter().map(|cause| (cause.rule, what(cause))).collect();
            let is_clients = over.connection.passes_on.is_none();
            self.ended.insert(way, Leg { conn: over.conn, time, is_clients, causes });
        }
        None
    }
}

fn what(cause: &Finding) -> String {
    cause.case.as_ref().map_or_else(String::new, |case| case.what.to_string())
}
