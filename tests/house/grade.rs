//! The conformance suite and its pages: every case stands in `docs/grade.md`, every key of a file of cases
//! and every word of its scripts in `docs/cases.md`.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use wstool::grade::load::suite;
use wstool::model::grade::Chapter;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is above it is written by hand.
const CASES: &str = "\n## All cases\n";

/// The table of `docs/grade.md` is written from the cases: `UPDATE_DOCS=1 cargo test --test house grade`.
#[test]
fn the_page_lists_the_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/grade.md");
    let page = read("docs/grade.md");
    let (by_hand, _) = page.split_once(CASES).expect("the page has a section of all cases");
    let reference = format!("{by_hand}{CASES}{}", cases());
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &reference).expect("docs/ is writable");
    }
    let written = read("docs/grade.md");
    assert!(
        written == reference,
        "docs/grade.md is not what the cases say: UPDATE_DOCS=1 cargo test --test house grade"
    );
}

fn cases() -> String {
    let numbered = suite().iter().filter(|case| case.facts.autobahn.is_some()).count();
    let mut page = format!(
        "\nThere are {} cases, {numbered} of them with a number of the Autobahn testsuite. *Who* can be\n\
         graded by it: servers, clients or both; *echo* says that the peer has to send messages back.\n\n\
         This section is written from the cases (`UPDATE_DOCS=1 cargo test --test house grade`).\n",
        suite().len()
    );
    for chapter in Chapter::ALL {
        let of_it: Vec<_> = suite().iter().filter(|case| case.facts.chapter == chapter).collect();
        if of_it.is_empty() {
            continue;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(page, "\n### {}\n", chapter.title());
        page.push_str("| case | Autobahn | what happens | section | level | stage | who |\n");
        page.push_str("|------|----------|--------------|---------|-------|-------|-----|\n");
        for case in of_it {
            let facts = &case.facts;
            let who = match case.of {
                [true, true] => "both",
                [true, false] => "client",
                _ => "server",
            };
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | {} | {} | {who}{} |",
                facts.id,
                facts.autobahn.as_deref().unwrap_or("–"),
                facts.title.en.replace('|', "\\|"),
                facts.cites.join(", "),
                facts.level.name(),
                facts.stage,
                if case.needs_echo { ", echo" } else { "" },
            );
        }
    }
    page
}

/// Ids are what reports, baselines and command lines name cases by.
#[test]
fn cases_have_names_of_their_own() {
    let mut seen = BTreeMap::new();
    for case in suite() {
        let facts = &case.facts;
        for name in [Some(facts.id.clone()), facts.autobahn.clone()].into_iter().flatten() {
            if let Some(other) = seen.insert(name.clone(), facts.title.en.clone()) {
                panic!("{name}: {} and {other}", facts.title.en);
            }
        }
        let (_, name) = facts.id.split_once('.').expect("chapter and name");
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        assert!(!name.is_empty() && name.bytes().all(is_plain), "{}", facts.id);
    }
}

/// Every case says what happens in both languages, and where it is written.
#[test]
fn cases_say_what_they_rest_on() {
    let mut wrong = String::new();
    for case in suite() {
        let facts = &case.facts;
        let is_said = |text: &wstool::model::Bilingual| text.en.is_empty() == text.zh.is_empty();
        if facts.title.en.is_empty() || facts.title.zh.is_empty() || facts.cites.is_empty() {
            let _ = writeln!(wrong, "{}: a title in both languages, and a section", facts.id);
        }
        let mistakes = case.mistakes.iter().map(|mistake| &mistake.says);
        if ![&facts.usually, &facts.mend].into_iter().chain(mistakes).all(is_said) {
            let _ = writeln!(wrong, "{}: in one language only", facts.id);
        }
        if facts.title.en.ends_with('.') || facts.title.zh.ends_with('。') {
            let _ = writeln!(wrong, "{}: a title has no full stop", facts.id);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What the keys are called in a file, from the sources.
fn keys() -> Vec<String> {
    let source = read("src/grade/load.rs");
    let mut keys = Vec::new();
    for name in ["struct File {", "struct Raw {", "struct RawMistake {"] {
        let (_, body) = source.split_once(name).unwrap_or_else(|| panic!("load.rs has `{name}`"));
        let (body, _) = body.split_once("\n}").expect("it ends");
        let fields = body.lines().filter(|line| !line.trim_start().starts_with(['#', '/']));
        keys.extend(fields.filter_map(|line| Some(line.split_once(':')?.0.trim().replace('_', "-"))));
    }
    keys
}

#[test]
fn every_key_of_a_case_is_documented() {
    let page = read("docs/cases.md");
    let words: Vec<&str> = page.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    let keys = keys();
    assert!(keys.len() > 30, "{keys:?}");
    let missing: Vec<_> = keys.iter().filter(|key| !words.contains(&key.as_str())).collect();
    assert!(missing.is_empty(), "docs/cases.md says nothing of {missing:?}");
}

#[test]
fn every_word_of_the_scripts_is_documented() {
    let page = read("docs/cases.md");
    let source = read("src/grade/script.rs");
    let (source, _) = source.split_once("#[cfg(test)]").expect("tests at its foot");
    let mut missing = Vec::new();
    for begin in ["option(\"", "flag(\"", "number(line, \"", "number(&mut line, \""] {
        for (_, rest) in source.match_indices(begin).map(|(at, it)| source.split_at(at + it.len())) {
            let word = rest.split('"').next().unwrap_or_default();
            if !page.contains(word) {
                missing.push(word.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "docs/cases.md says nothing of {missing:?}");
}
