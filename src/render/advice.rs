//! What to do about the rules that are broken, told once each.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Advice, Rule};

/// What is to be said of rules besides their findings.
#[derive(Debug)]
pub struct Adviser {
    advice: Option<&'static BTreeMap<&'static str, Advice>>,
    /// Rules on which advice was given.
    given: BTreeSet<&'static str>,
}

impl Adviser {
    /// With something to say of some rules, or nothing of any.
    pub fn new(advice: Option<&'static BTreeMap<&'static str, Advice>>) -> Self {
        Self { advice, given: BTreeSet::new() }
    }

    /// What is to be said of a rule: the first time, and if it is wanted at all.
    pub fn on(&mut self, rule: &Rule) -> Option<Advice> {
        let (id, advice) = self.advice?.get_key_value(rule.id)?;
        self.given.insert(id).then_some(*advice)
    }
}
