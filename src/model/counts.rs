//! How often rules were broken.

use std::cmp::Reverse;
use std::ops::Deref;

use super::finding::{Rule, Severity};

/// How often each rule was broken, in the order in which they were first broken until it is
/// [sorted](Self::sort). Reads like a slice of rules and numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingCounts(Vec<(&'static Rule, u64)>);

impl FindingCounts {
    /// The rule was broken `times` more.
    pub fn add(&mut self, rule: &'static Rule, times: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, count)) => *count += times,
            None => self.0.push((rule, times)),
        }
    }

    /// Takes over what another has counted.
    pub fn add_all(&mut self, other: &Self) {
        for (rule, times) in &other.0 {
            self.add(rule, *times);
        }
    }

    /// Puts the most severe first, in the order of their names.
    pub fn sort(&mut self) {
        self.0.sort_by_key(|(rule, _)| (Reverse(rule.severity), rule.id));
    }

    /// The most severe first, and of these the most frequent; those that were broken.
    pub fn by_weight(&self) -> Vec<(&'static Rule, u64)> {
        let mut sorted: Vec<_> = self.0.iter().copied().filter(|(_, times)| *times > 0).collect();
        sorted.sort_by_key(|(rule, times)| (Reverse((rule.severity, *times)), rule.id));
        sorted
    }

    /// The same by severity.
    pub fn by_severity(&self) -> SeverityCounts {
        let mut counts = SeverityCounts::default();
        for (rule, times) in &self.0 {
            counts.add(rule.severity, *times);
        }
        counts
    }
}

impl Deref for FindingCounts {
    type Target = [(&'static Rule, u64)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a> IntoIterator for &'a FindingCounts {
    type Item = &'a (&'static Rule, u64);
    type IntoIter = std::slice::Iter<'a, (&'static Rule, u64)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromIterator<(&'static Rule, u64)> for FindingCounts {
    fn from_iter<I: IntoIterator<Item = (&'static Rule, u64)>>(counts: I) -> Self {
        let mut all = Self::default();
        counts.into_iter().for_each(|(rule, times)| all.add(rule, times));
        all
    }
}

/// How many findings of each severity there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeverityCounts {
    /// Errors.
    pub errors: u64,
    /// Warnings.
    pub warnings: u64,
    /// Notes.
    pub notes: u64,
}

impl SeverityCounts {
    /// `times` more of this severity.
    #[inline]
    pub fn add(&mut self, severity: Severity, times: u64) {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        };
        *count = count.saturating_add(times);
    }

    /// Takes over what another has counted.
    pub fn add_all(&mut self, other: Self) {
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            self.add(severity, other.of(severity));
        }
    }

    /// How many of this severity.
    pub fn of(self, severity: Severity) -> u64 {
        match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.warnings,
            Severity::Note => self.notes,
        }
    }

    /// How many in all.
    pub fn total(self) -> u64 {
        self.errors.saturating_add(self.warnings).saturating_add(self.notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cite, rules};

    rules! {
        /// Three.
        THREE;
        B = "b", Note, Cite::rfc6455("5"), Either, "rule b", "nothing follows";
        C = "c", Error, Cite::rfc6455("5"), Either, "rule c", "nothing follows";
        A = "a", Error, Cite::rfc6455("5"), Either, "rule a", "nothing follows";
    }

    #[test]
    fn rules_are_counted_once_and_sorted_by_severity() {
        let mut counts: FindingCounts = [(&B, 2), (&A, 1), (&B, 1)].into_iter().collect();
        counts.add_all(&[(&C, 5), (&A, 1)].into_iter().collect());
        counts.sort();
        assert_eq!(*counts, [(&A, 2), (&C, 5), (&B, 3)]);
        assert_eq!(counts.by_weight(), [(&C, 5), (&A, 2), (&B, 3)]);
        let mut by = counts.by_severity();
        assert_eq!(by, SeverityCounts { errors: 7, warnings: 0, notes: 3 });
        by.add_all(by);
        assert_eq!((by.total(), by.of(Severity::Error), THREE.len()), (20, 14, 3));
    }
}
