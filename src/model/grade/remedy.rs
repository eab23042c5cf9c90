//! What is known of a mistake, whatever the case is about that shows it.

use super::{Chapter, EventKind, Graded};
use crate::model::Rule;

/// How a mistake is mended that is known by the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What such mistakes are called: templates of [`Graded::looks_like`].
    pub of: &'static [&'static str],
    /// What is to be done, in English.
    pub mend: &'static str,
    /// The rule that is broken, by its id; may be empty.
    pub rule: &'static str,
    /// Where that rule, or else what is to be done, is written; may be empty.
    pub cite: &'static str,
    /// The chapter that treats of it.
    pub chapter: Chapter,
    /// It is the reason for every rule that was broken besides.
    pub is_first: bool,
}

/// By what is known what mends a failure: what is known of something else may not fit what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mended {
    /// By the mistake that it looks like.
    Mistake(&'static Remedy),
    /// By the rule that was broken, whatever the case is about.
    Rule(&'static Rule),
    /// By the case.
    Case,
    /// By nothing that is known.
    Nothing,
}

impl Graded {
    /// By what is known what mends it.
    pub fn mended(&self) -> Mended {
        if let Some(remedy) = self.remedy.filter(|remedy| remedy.is_first || self.broken.is_none()) {
            return Mended::Mistake(remedy);
        }
        match self.broken {
            // What is known of a case is about its own rules.
            Some(rule) if !self.case.rules.contains(&rule) || self.case.mend.is_empty() => Mended::Rule(rule),
            None if self.is_only_end => Mended::Nothing,
            _ => Mended::Case,
        }
    }

    /// The rule that the case rests on, but one that who sent a Close frame did not break.
    pub fn rests_on(&self) -> Option<&'static Rule> {
        let has_closed = self.got.iter().any(|event| matches!(event.what, EventKind::Close(_)));
        let is_kept = |rule: &&Rule| has_closed && rule.id == "close-not-answered";
        self.case.rules.first().copied().filter(|rule| !is_kept(rule))
    }

    /// What is behind all that went wrong, broken rules among it, where that is known by the bytes.
    pub fn root(&self) -> Option<&'static Remedy> {
        self.remedy.filter(|remedy| remedy.is_first)
    }
}
