//! What is behind cases that do not pass: one mistake may fail hundreds.

use super::{Behaviour, Chapter, Closing, Graded, Verdict};
use crate::model::finding::Rule;
use crate::model::text::Arg;

/// Cases that do not pass, and probably for one reason.
#[derive(Clone, Debug)]
pub struct Behind<'g> {
    /// The rule that the peer broke in all of them, whatever they are about.
    pub broken: Option<&'static Rule>,
    /// The cases, as they were played; the first says what happened. Never empty.
    pub cases: Vec<&'g Graded>,
}

/// What cases have in common that probably have one reason.
#[derive(PartialEq)]
enum Key<'g> {
    Broken(&'static str),
    /// A mistake that is known by the bytes, or what it did: the first of what fills those words, a code
    /// mostly, is what it did too.
    Looks(&'static str, Option<&'g Arg>),
    Likely(&'g str),
    Alike {
        chapter: Chapter,
        why: (&'static str, Option<&'g Arg>),
        rule: Option<&'static str>,
        how: (Behaviour, Closing),
    },
}

impl Behind<'_> {
    /// The verdict of its cases.
    pub fn verdict(&self) -> Verdict {
        self.cases.first().map_or(Verdict::Pass, |one| one.verdict())
    }
}

/// The cases of one verdict, by what is probably behind them; what hits most cases first.
pub fn behind<'g>(graded: impl IntoIterator<Item = &'g Graded>, verdict: Verdict) -> Vec<Behind<'g>> {
    let mut groups: Vec<(Key<'_>, Behind<'_>)> = Vec::new();
    for one in graded.into_iter().filter(|one| one.verdict() == verdict) {
        let key = key(one);
        if let Some((_, group)) = groups.iter_mut().find(|(known, _)| *known == key) {
            group.cases.push(one);
            continue;
        }
        let broken = one.broken.filter(|_| matches!(key, Key::Broken(_)));
        groups.push((key, Behind { broken, cases: vec![one] }));
    }
    let mut groups: Vec<Behind<'_>> = groups.into_iter().map(|(_, group)| group).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.cases.len()));
    groups
}

fn key(one: &Graded) -> Key<'_> {
    let looks_like = &one.looks_like;
    if one.root().is_some() {
        return Key::Looks(looks_like.template, None);
    }
    if let Some(rule) = one.broken {
        return Key::Broken(rule.id);
    }
    if !looks_like.is_empty() && (one.remedy.is_some() || one.likely.is_empty()) {
        let filled = looks_like.args.first().filter(|_| one.remedy.is_none());
        return Key::Looks(looks_like.template, filled);
    }
    if !one.likely.is_empty() {
        return Key::Likely(&one.likely.en);
    }
    Key::Alike {
        chapter: one.case.chapter,
        why: (one.why.template, one.why.args.first()),
        rule: one.case.rules.first().map(|rule| rule.id),
        how: (one.behaviour, one.closing),
    }
}
