//! Every rule has a sample that breaks it and a comparable one that does not.
//!
//! The samples in `samples/broken/` are named after the rules. Their second
//! comment line, `# Right: clean/chat.script`, names a sample of similar traffic in
//! which the rule is kept.
use std::collections::BTreeMap;
use std::fmt::Write as _;

use wstool::cause::is_cause;
use wstool::model::{Rule, Severity, Who};

use crate::pages;
use crate::shelf::{Sample, root, samples};

/// Where what these captures do wrong is right; a capture has no comments.
const RIGHT_OF_CAPTURES: &[(&str, &str)] = &[
    ("broken/browser-reports-failure.har", "har/safari.har"),
    ("broken/connection-refused.pcap", "chat.pcap"),
    ("broken/connection-unanswered.pcap", "chat.pcap"),
    ("broken/destination-unreachable.pcap", "chat.pcap"),
    ("broken/keep-alive-unanswered.pcap", "chat.pcap"),
    ("broken/left-half-open.pcap", "chat.pcap"),
    ("broken/packet-loss.pcap", "chat.pcap"),
    ("broken/packet-truncated.pcap", "chat.pcap"),
    ("broken/parallel-connecting.pcap", "clean/endings.script"),
    ("broken/large-packets-lost.pcap", "chat.pcap"),
    ("broken/path-interrupted.pcap", "chat.pcap"),
    ("broken/path-went-dark.pcap", "chat.pcap"),
    ("broken/sent-after-fin.pcap", "chat.pcap"),
    ("broken/tls-alert.pcap", "chat.pcap"),
    ("broken/tls-client-alert.pcap", "chat.pcap"),
    ("broken/tls-handshake-dropped.pcap", "chat.pcap"),
    ("broken/sent-after-rst.pcap", "chat.pcap"),
    ("broken/tls-fatal-alert.pcapng", "tls13.pcapng"),
    ("broken/tls-not-deciphered.pcapng", "tls12.pcapng"),
    ("broken/tls-record-not-authentic.pcapng", "tls13.pcapng"),
    ("broken/tls-records-lost.pcapng", "tls13.pcapng"),
    ("broken/tls-secret-missing.pcapng", "tls13.pcapng"),
    ("broken/zero-window.pcap", "chat.pcap"),
];

#[test]
fn each_rule_is_broken_by_a_sample_and_kept_by_another() {
    let broken: BTreeMap<String, Sample> = samples()
        .into_iter()
        .filter(|sample| sample.folder() == "broken")
        .map(|sample| (sample.stem().to_owned(), sample))
        .collect();
    let mut wrong = String::new();
    for rule in wstool::rules() {
        let Some(sample) = broken.get(rule.id) else {
            let _ = writeln!(wrong, "{}: no samples/broken/{0}.script", rule.id);
            continue;
        };
        if !sample.findings().iter().any(|id| id == rule.id) {
            let _ = writeln!(
                wrong,
                "{}: {} does not break it, but {:?}",
                rule.id,
                sample.name,
                sample.findings()
            );
        }
        match right_of(sample) {
            None => {
                let _ = writeln!(wrong, "{}: {} names no sample that is right", rule.id, sample.name);
            }
            Some(right) if right.findings().iter().any(|id| id == rule.id) => {
                let _ = writeln!(wrong, "{}: {} breaks it too", rule.id, right.name);
            }
            Some(_) => {}
        }
    }
    for name in broken.keys().filter(|name| wstool::rules().all(|rule| rule.id != **name)) {
        let _ = writeln!(wrong, "samples/broken/{name}: no such rule");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The sample of comparable traffic in which the rule is kept.
fn right_of(sample: &Sample) -> Option<Sample> {
    let source = sample.source().unwrap_or_default();
    let named = source.lines().find_map(|line| line.strip_prefix("# Right: "));
    let listed = RIGHT_OF_CAPTURES.iter().find(|(name, _)| *name == sample.name).map(|(_, right)| *right);
    named.or(listed).map(|name| Sample::at(&root().join(name)))
}

#[test]
fn ids_are_unique_and_say_what_is_wrong() {
    let mut seen = BTreeMap::new();
    for rule in wstool::rules() {
        if let Some(other) = seen.insert(rule.id, rule.title) {
            panic!("{}: {} and {other}", rule.id, rule.title);
        }
        assert!(
            !rule.title.is_empty() && !rule.consequence.is_empty() && !rule.cite.section.is_empty(),
            "{}",
            rule.id
        );
        assert!(
            rule.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{}",
            rule.id
        );
    }
}

/// What a violation means for the Close frame is said in words and as data, and both agree.
#[test]
fn the_code_that_fails_a_connection_is_the_one_in_words() {
    for rule in wstool::rules() {
        let Some(code) = rule.fails else {
            assert!(!rule.consequence.starts_with("the receiver fails the connection, with"), "{}", rule.id);
            continue;
        };
        assert_eq!(rule.severity, Severity::Error, "{}", rule.id);
        if rule.consequence.contains("if it says why") {
            assert!(rule.consequence.contains(&code.0.to_string()), "{}: {}", rule.id, rule.consequence);
        }
    }
    // Each is one static: equal to itself and to no other.
    for rule in wstool::rules() {
        assert_eq!(wstool::rules().filter(|other| *other == rule).count(), 1, "{}", rule.id);
    }
}

/// `docs/rules.md` is written from the rules: `UPDATE_DOCS=1 cargo test --test house rules`.
#[test]
fn the_reference_is_what_the_code_says() {
    pages::hold("docs/rules.md", &reference(), "rules");
}

/// The rules as a page: a table of all, then each with its consequence.
fn reference() -> String {
    let mut page = String::from(
        "# Rules\n\n\
         What `wstool` holds traffic against. A broken rule is a *finding*; its id is the same in the\n\
         text views, in NDJSON, in the documentation and in the samples: `samples/broken/` has a file\n\
         for each.\n\n\
         An *error* is certainly a broken MUST. A *warning* is a broken SHOULD, or a MUST that can only be\n\
         inferred from what is on the wire. A *note* is allowed and worth knowing. *Close* is the code with\n\
         which a receiver fails the connection because of it, if it does.\n\n\
         Why connections end that break no rule: [causes](causes.md).\n\n\
         This page is written from the code (`UPDATE_DOCS=1 cargo test --test house rules`).\n",
    );
    // Causes have a page of their own.
    let lists = wstool::rule_lists().into_iter();
    for (title, rules) in lists.filter(|(_, rules)| !rules.iter().any(|rule| is_cause(rule))) {
        let _ = writeln!(page, "\n## {title}\n");
        // Only where there are frames can a connection be failed by one.
        let fails = rules.iter().any(|rule| rule.fails.is_some());
        let (head, line) = if fails { (" Close |", "-------|") } else { ("", "") };
        let _ = writeln!(page, "| rule | severity | section | who | what is wrong | what follows |{head}");
        let _ = writeln!(page, "|------|----------|---------|-----|---------------|--------------|{line}");
        for rule in rules {
            let code = rule.fails.map_or_else(|| "–".to_owned(), |code| code.0.to_string());
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | {} | {} |{}",
                rule.id,
                severity(rule),
                rule.cite,
                who(rule),
                rule.title,
                rule.consequence.trim_end_matches('.'),
                if fails { format!(" {code} |") } else { String::new() }
            );
        }
    }
    page
}

fn severity(rule: &Rule) -> &'static str {
    match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn who(rule: &Rule) -> &'static str {
    match rule.who {
        Who::Client => "client",
        Who::Server => "server",
        Who::Either => "either",
        Who::Capture => "capture",
    }
}

/// `docs/limits.md` is written from those files (`UPDATE_DOCS=1 cargo test --test house rules`).
#[test]
fn the_page_of_limits_says_what_the_code_says() {
    let sources = [
        include_str!("../../src/limits/reading.rs"),
        include_str!("../../src/limits.rs"),
        include_str!("../../src/limits/h2.rs"),
        include_str!("../../src/limits/lab.rs"),
        include_str!("../../src/limits/grade.rs"),
    ];
    pages::hold("docs/limits.md", &limits(&sources.concat()), "rules");
}

/// The caps as a page, in the order of the source.
fn limits(source: &str) -> String {
    let mut page = String::from(
        "# Limits\n\n\
         No buffer of `wstool` grows from a length that a peer declared: each grows with bytes that\n\
         arrived, up to a cap of this table. Reaching one is a finding or a cut that is told, never an\n\
         error, and decoding goes on.\n\n\
         This page is written from the code (`UPDATE_DOCS=1 cargo test --test house rules`).\n\n\
         | limit | value | of what, and why |\n|---|---|---|\n",
    );
    let mut known = BTreeMap::new();
    let mut about = String::new();
    for line in source.lines() {
        if let Some(words) = line.strip_prefix("/// ") {
            about.push_str(words);
            about.push(' ');
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let (name, rest) = rest.split_once(": ").expect("a type");
            let value = rest.split_once(" = ").expect("a value").1.trim_end_matches(';');
            let value: u64 = value.split(" * ").map(|factor| number(factor, &known)).product();
            known.insert(name.to_owned(), value);
            let about = about.trim_end().replace(['[', ']'], "");
            let _ = writeln!(page, "| `{name}` | {} | {about} |", shown(value, &about));
        } else {
            about.clear();
        }
    }
    page
}

fn number(factor: &str, known: &BTreeMap<String, u64>) -> u64 {
    let factor = factor.split(" as ").next().unwrap_or(factor).replace("super::", "").replace('_', "");
    let by_name = || known.iter().find(|(name, _)| name.replace('_', "") == factor).map(|(_, value)| *value);
    factor.parse().ok().or_else(by_name).unwrap_or_else(|| panic!("{factor} is no number"))
}

/// A value in the unit that its description begins with.
fn shown(value: u64, about: &str) -> String {
    const KIB: u64 = 1024;
    if about.starts_with("Nanoseconds") {
        return format!("{} s", value as f64 / 1e9);
    }
    let mut words = about.split(' ');
    let is_bytes = words.next() == Some("Bytes") || matches!(words.next(), Some("bytes"));
    match value {
        _ if !is_bytes || value < KIB || !value.is_multiple_of(KIB) => value.to_string(),
        _ if value.is_multiple_of(KIB * KIB) => format!("{} MiB", value / KIB / KIB),
        _ => format!("{} KiB", value / KIB),
    }
}
