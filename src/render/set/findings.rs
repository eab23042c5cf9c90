//! Findings: what is wrong, what was asked for, and what comes of it.

use super::INDENT;
use crate::model::{Advice, Diagnosis, Finding};
use crate::render::page::Page;
use crate::render::said::Cause;
use crate::render::style::Ink;
use crate::render::verdicts::{self, behind, details};

/// Where the words of a finding begin: after the longest severity.
const WORDS: usize = INDENT + 9;

/// Where what was expected and found begins.
const DETAIL: usize = WORDS + 10;

/// Sets a finding, where its bits are, and what is to be said of its rule.
pub fn finding(page: &mut Page, finding: &Finding, place: Option<String>, advice: Option<Advice>) {
    let (rule, lang) = (finding.rule, page.lang());
    page.to(INDENT).word(verdicts::ink(rule.severity), rule.severity.name());
    page.to(WORDS).wrap(Ink::Strong, rule.id, WORDS, 0).tail(Ink::Faint, &rule.cite.to_string()).line();
    page.to(WORDS).wrap(Ink::Plain, lang.words(rule.title), WORDS, 0).line();
    for (name, words) in details(lang, finding, place, advice) {
        detail(page, name, &words);
    }
}

/// Sets what went wrong, and with how many.
pub fn cause(page: &mut Page, it: &Cause) {
    page.to(INDENT).word(verdicts::ink(it.severity), it.severity.name());
    page.to(WORDS).wrap(Ink::Strong, &it.what, WORDS, 0).line();
    page.to(WORDS)
        .put(Ink::Plain, it.id)
        .put(Ink::Faint, "  ")
        .wrap(Ink::Faint, &it.evidence, WORDS, 0)
        .line();
    for (name, words) in it.details() {
        detail(page, name, words);
    }
}

/// Sets what may be behind a finding, and what to do about it.
pub fn diagnosis(page: &mut Page, cause: &Diagnosis) {
    for (name, words) in behind(page.lang(), cause) {
        detail(page, name, &words);
    }
}

/// A line of a finding, if it has anything to say.
fn detail(page: &mut Page, name: &'static str, words: &str) {
    if !words.is_empty() {
        let name = page.lang().words(name);
        page.to(WORDS).put(Ink::Faint, name).to(DETAIL).wrap(Ink::Plain, words, DETAIL, 0).line();
    }
}
