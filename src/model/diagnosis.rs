//! What may be behind a finding, and what is to be learnt from it.

use super::text::Text;

/// What is behind something that went wrong, and what to change.
///
/// A rule says what is broken; a diagnosis says who probably broke it and how:
/// the key was decoded before hashing, a proxy dropped a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Stable id, such as `key-decoded`.
    pub id: &'static str,
    /// What was done.
    pub what: Text,
    /// What to do instead.
    pub fix: Text,
}

impl Diagnosis {
    /// A diagnosis from its words.
    pub fn new(id: &'static str, what: impl Into<Text>, fix: impl Into<Text>) -> Self {
        Self { id, what: what.into(), fix: fix.into() }
    }
}

/// What is usually behind a broken rule, and what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual {
    /// What was probably done.
    pub what: &'static str,
    /// What to do instead.
    pub fix: &'static str,
}

/// Why a rule is there and what to do when it was broken, for those who want to understand it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Why the rule is there.
    pub why: &'static str,
    /// What to change; empty when the rule's title says it.
    pub fix: &'static str,
}
