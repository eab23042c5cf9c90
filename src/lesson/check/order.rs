//! Nothing is used before it is taught.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Findings, Kind};
use crate::explain::{self, Topic};
use crate::lang::Lang;
use crate::lesson::{Lesson, data};
use crate::model::Text;

/// A term of the field: what `teaches` and `mentions` may name.
#[derive(Clone, Copy, Debug)]
pub struct Term<'t> {
    /// What `teaches` and `mentions` call it.
    pub id: &'t str,
    /// Its words in every form, by language as in [`Lang::ALL`]; none for what is not
    /// looked for in running text.
    pub words: [&'t [String]; 2],
}

/// The terms of the field: all that can be explained.
pub fn terms() -> Vec<Term<'static>> {
    let term = |topic: &'static Topic| Term { id: topic.id, words: Lang::ALL.map(|lang| topic.words(lang)) };
    explain::topics().iter().map(term).collect()
}

/// Looks for terms that a lesson uses and only a later one teaches, except those that
/// it says it mentions. Terms that no lesson teaches are not looked for.
pub fn order(lessons: &[&Lesson], terms: &[Term<'_>]) -> Vec<Finding> {
    let known: BTreeSet<&str> = terms.iter().map(|term| term.id).collect();
    let mut taught: BTreeMap<&str, u8> = BTreeMap::new();
    for lesson in lessons {
        for id in &lesson.data.teaches {
            let first = taught.entry(id).or_insert(lesson.data.number);
            *first = lesson.data.number.min(*first);
        }
    }
    let mut list = Vec::new();
    for lesson in lessons {
        let mut findings = Findings::at(lesson.slug);
        let data = &lesson.data;
        for id in data.teaches.iter().chain(&data.mentions).filter(|id| !known.contains(id.as_str())) {
            findings.add(Kind::Order, Text::with("no term is called {}", id));
        }
        for lang in Lang::ALL {
            let text = said(lesson, lang);
            for (id, word) in early(&text, terms, lang, |id| {
                taught.get(id).is_some_and(|first| *first > data.number)
                    && !data.mentions.iter().any(|m| m == id)
            }) {
                let (code, first) = (lang.code(), taught[id]);
                let text = "“{}” ({}): {} is taught in lesson {}; `mentions` would allow it";
                findings.add(Kind::Order, Text::with(text, word).and(code).and(id).and(first));
            }
        }
        list.extend(findings.list);
    }
    list
}

/// The terms in a text that are too early, each with the word that was found.
fn early<'t>(
    text: &str,
    terms: &[Term<'t>],
    lang: Lang,
    is_early: impl Fn(&str) -> bool,
) -> Vec<(&'t str, &'t str)> {
    let mut words: Vec<(&str, &str)> = Vec::new();
    for term in terms {
        words.extend(term.words[lang as usize].iter().map(|word| (word.as_str(), term.id)));
    }
    // A longer term has shorter ones in it: 控制帧 is no use of 帧.
    words.sort_by_key(|(word, _)| std::cmp::Reverse(word.chars().count()));
    let mut text = text.to_owned();
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    for (word, id) in words {
        // A sentence may begin with it; `Host` is no host.
        let first = word.chars().next().map_or(0, char::len_utf8);
        let begun = word[..first].to_uppercase() + &word[first..];
        let places = text.match_indices(word).chain(text.match_indices(&begun)).map(|(at, _)| at);
        let places: Vec<usize> = places.filter(|at| stands_alone(&text, *at, word.len())).collect();
        if places.is_empty() {
            continue;
        }
        if is_early(id) {
            found.entry(id).or_insert(word);
        }
        // What was found is not found again as a part; the length stays.
        for at in places {
            text.replace_range(at..at + word.len(), &"\0".repeat(word.len()));
        }
    }
    found.into_iter().collect()
}

/// Whether no letter of the same script goes on before or after.
fn stands_alone(text: &str, at: usize, length: usize) -> bool {
    // `#fragment` and `no_frame` are names of other things.
    let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '#' | '_'));
    let (before, word, after) = (&text[..at], &text[at..at + length], &text[at + length..]);
    let glued = |inner: Option<char>, outer: Option<char>| latin(inner) && latin(outer);
    !glued(word.chars().next(), before.chars().next_back())
        && !glued(word.chars().next_back(), after.chars().next())
}

/// All that a lesson says in a language: its page without blocks of code, and its exercises.
fn said(lesson: &Lesson, lang: Lang) -> String {
    let mut text = String::new();
    let mut inside = false;
    for line in lesson.page(lang).lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside && !line.starts_with("    ") {
            text.push_str(&without_pointers(line));
            text.push('\n');
        }
    }
    for exercise in &lesson.exercises {
        let said = &exercise.data;
        let parts = [&said.prompt, &said.solution, &said.explanation].map(|part| part.in_(lang));
        let more = said.hints.in_(lang).iter().map(String::as_str);
        let mistakes = said.mistakes.values().map(|mistake| mistake.in_(lang));
        let options = said.options.values().map(|option| option.in_(lang));
        for part in parts.into_iter().chain(more).chain(mistakes).chain(options) {
            // What fills a hole comes from elsewhere; its name is not read by learners.
            text.push_str(&data::fill(part, |_| Some(" ")));
            text.push('\n');
        }
    }
    text
}

/// A line without the words that lead to another lesson.
fn without_pointers(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, target)) = rest.split_once("](../") {
        let words = before.rfind('[').unwrap_or(before.len());
        out.push_str(&before[..words]);
        rest = target.split_once(')').map_or("", |(_, rest)| rest);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole_and_the_longest_first() {
        let words = |list: &[&str]| -> Vec<String> { list.iter().map(|word| (*word).to_owned()).collect() };
        let (frame, control) = (words(&["frame", "frames"]), words(&["control frame", "control frames"]));
        let (frame_zh, control_zh) = (words(&["帧"]), words(&["控制帧"]));
        let terms = [
            Term { id: "frame", words: [&frame, &frame_zh] },
            Term { id: "control-frame", words: [&control, &control_zh] },
        ];
        let found = |text: &str, lang| -> Vec<&str> {
            early(text, &terms, lang, |_| true).into_iter().map(|(id, _)| id).collect()
        };
        assert_eq!(found("Control frames come.", Lang::En), ["control-frame"]);
        assert_eq!(found("A control frame is a frame.", Lang::En), ["control-frame", "frame"]);
        assert!(found("A framework, reframed, #frame.", Lang::En).is_empty());
        assert_eq!(without_pointers("a [frame](../03-x/en.md), a [b](#b)"), "a , a [b](#b)");
        assert_eq!(found("这是控制帧。", Lang::Zh), ["control-frame"]);
        assert_eq!(found("每一帧", Lang::Zh), ["frame"]);
        assert!(early("frame", &terms, Lang::En, |_| false).is_empty());
    }

    #[test]
    fn terms_that_a_lesson_names_have_to_exist() {
        let lesson = crate::lesson::lesson(0).expect("lesson 0");
        let findings = order(&[lesson], &[]);
        assert_eq!(findings.len(), lesson.data.teaches.len() + lesson.data.mentions.len());
    }
}
