//! What may be behind a finding.

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
