//! All that is known of a peer that was graded.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Chapter, Graded, Graduate, Letter, Tally, Verdict};
use crate::model::Time;

/// The schema of reports, and its version.
pub const REPORT: &str = "wstool-grade/1";

/// A peer, and what the cases came to that it was held against.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// Who.
    pub who: Graduate,
    /// When the first case began.
    pub began: Option<Time>,
    /// From then to the end of the last.
    pub took: Duration,
    /// How many cases were to be played; more than were when that was cut short.
    pub chosen: u64,
    /// Those that were played, in the order of the suite.
    pub graded: Vec<Graded>,
    /// What is known to fail, by the ids of cases, and what is said of it; may be empty.
    pub known: BTreeMap<String, String>,
    /// What changed since an earlier report, where one was given.
    pub changes: Option<Changes>,
}

impl Transcript {
    /// Of a peer of which nothing was played.
    pub fn new(who: Graduate, chosen: u64) -> Self {
        Self {
            who,
            began: None,
            took: Duration::ZERO,
            chosen,
            graded: Vec::new(),
            known: BTreeMap::new(),
            changes: None,
        }
    }

    /// How many cases came to what.
    pub fn tally(&self) -> Tally {
        self.graded.iter().map(Graded::verdict).collect()
    }

    /// The letter of all cases together.
    pub fn letter(&self) -> Option<Letter> {
        self.tally().letter()
    }

    /// The same chapter by chapter, the worst first.
    pub fn chapters(&self) -> Vec<(Chapter, Tally)> {
        let mut chapters: BTreeMap<Chapter, Tally> = BTreeMap::new();
        for one in &self.graded {
            chapters.entry(one.case.chapter).or_default().add(one.verdict());
        }
        let mut chapters: Vec<(Chapter, Tally)> = chapters.into_iter().collect();
        // What was not judged is no good news, and no bad.
        chapters.sort_by_key(|(_, tally)| {
            let failed = tally.of(Verdict::Fail);
            (tally.letter().is_none(), tally.letter(), std::cmp::Reverse(failed))
        });
        chapters
    }

    /// What is not known beforehand.
    pub fn news(&self) -> impl Iterator<Item = &Graded> {
        self.graded.iter().filter(|one| self.is_news(one))
    }

    /// Whether a case fails that is not known to.
    pub fn is_news(&self, one: &Graded) -> bool {
        !self.known.contains_key(&one.case.id)
    }

    /// The cases that are known to fail, and do not.
    pub fn surprises(&self) -> impl Iterator<Item = &Graded> {
        let is_good = |one: &&Graded| matches!(one.verdict(), Verdict::Pass | Verdict::Informational);
        self.graded.iter().filter(is_good).filter(|one| !self.is_news(one))
    }
}

/// What changed since an earlier report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The name of that report.
    pub since: String,
    /// What got worse.
    pub worse: Vec<Change>,
    /// What got better.
    pub better: Vec<Change>,
    /// How many cases were played that the earlier report does not have.
    pub added: u64,
    /// How many it has that were not played.
    pub left: u64,
}

/// A case whose verdict is another than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// Its number in the Autobahn testsuite.
    pub autobahn: Option<String>,
    /// What it was.
    pub before: Verdict,
    /// What it is.
    pub now: Verdict,
}
