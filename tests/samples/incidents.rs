//! Connections of real programs that went wrong: the cause is on the first screen, and in the records.
//!
//! `samples/incidents/truth.toml` says what was done and what must be said of it. It was written from
//! the programs and from tshark, not from what the tool says.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::shelf::{incidents, root};

/// Incidents whose cause is not told yet. It may only get shorter: who explains one takes it out.
const WAITING: &[&str] = &[];

/// What a terminal shows at once.
const SCREEN: usize = 24;

/// What was done, and what must be said of it.
struct Incident {
    file: String,
    done: String,
    /// Ids of `cause` records; none for what is healthy.
    causes: Vec<String>,
    /// Words on the first screen.
    must_show: Vec<String>,
    /// Ids that would be wrong.
    never: Vec<String>,
}

impl Incident {
    fn name(&self) -> &str {
        self.file.split_once('.').expect("a file has a kind").0
    }

    /// What is missing or too much in what the tool says.
    fn wrong(&self) -> String {
        let mut wrong = String::new();
        let screen = self.screen();
        for words in self.must_show.iter().filter(|words| !contains(&screen, words)) {
            let _ = writeln!(wrong, "  not on the first screen: {words}");
        }
        let told = self.told();
        for cause in self.causes.iter().filter(|cause| !told.contains(*cause)) {
            let _ = writeln!(wrong, "  no cause {cause}, but {told:?}");
        }
        for cause in self.never.iter().filter(|cause| told.contains(*cause)) {
            let _ = writeln!(wrong, "  told, and wrong: {cause}");
        }
        if self.causes.is_empty() && !told.is_empty() {
            let _ = writeln!(wrong, "  it is healthy, and yet {told:?}");
        }
        wrong
    }

    /// The first screen of `wstool decode`, as a reader's eye sees it: whatever the lines are broken at.
    fn screen(&self) -> String {
        screen(&[&self.file])
    }

    /// The ids of the causes that are told.
    fn told(&self) -> BTreeSet<String> {
        told(&[&self.file])
    }

    fn decode(&self, more: &[&str]) -> String {
        decode(&[&self.file], more)
    }
}

/// The first screen of `wstool decode` of these, as one line.
fn screen(files: &[&str]) -> String {
    let out = decode(files, &[]);
    let lines: Vec<&str> = out.lines().take(SCREEN).collect();
    lines.join("\n").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The ids of the causes that are told of these.
fn told(files: &[&str]) -> BTreeSet<String> {
    let records = decode(files, &["--format", "ndjson"]);
    let records = records.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let causes = records.filter(|record| record["type"] == "cause");
    causes.map(|cause| cause["id"].as_str().expect("an id").to_owned()).collect()
}

fn decode(files: &[&str], more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.arg("decode").args(more).args(files.iter().map(|file| root().join("incidents").join(file)));
    command.env("COLUMNS", "80").env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
    String::from_utf8(command.output().expect("the tool starts").stdout).expect("UTF-8")
}

/// A word that begins and ends where words do: `5` is not in `15`.
fn contains(text: &str, words: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(words).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + words.len()..]);
        let begins_inside = is_part(before.chars().next_back()) && is_part(words.chars().next());
        let ends_inside = is_part(after.chars().next()) && is_part(words.chars().next_back());
        !(begins_inside || ends_inside)
    })
}

fn truth() -> Vec<Incident> {
    let text = fs::read_to_string(root().join("incidents/truth.toml")).expect("truth.toml");
    let table: toml::Table = text.parse().unwrap_or_else(|e| panic!("truth.toml: {e}"));
    let strings = |value: Option<&toml::Value>| -> Vec<String> {
        let list = value.and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|word| word.as_str().expect("a string").to_owned()).collect()
    };
    let one = |incident: &toml::Value| Incident {
        file: incident["file"].as_str().expect("a string").to_owned(),
        done: incident["done"].as_str().expect("a string").to_owned(),
        causes: strings(Some(&incident["causes"])),
        must_show: strings(incident.get("must_show")),
        never: strings(incident.get("never")),
    };
    table["incident"].as_array().expect("[[incident]]").iter().map(one).collect()
}

#[test]
fn the_cause_is_on_the_first_screen_and_in_the_records() {
    let (mut wrong, mut told) = (String::new(), String::new());
    for incident in truth() {
        let is_waiting = WAITING.contains(&incident.name());
        match incident.wrong() {
            missing if missing.is_empty() && is_waiting => {
                let _ = writeln!(told, "{}", incident.name());
            }
            missing if !missing.is_empty() && !is_waiting => {
                let _ = writeln!(wrong, "{} ({}):\n{missing}", incident.name(), incident.done);
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(told.is_empty(), "these are explained now, take them out of WAITING:\n{told}");
}

/// For those that have no room, their ids stand.
#[test]
fn of_many_causes_each_is_named_on_the_first_screen() {
    let files = ["stomp-refused.pcap", "half-open.pcap", "refused-404-path.pcap", "idle-nginx-5s.pcap"];
    let (screen, told) = (screen(&files), told(&files));
    let missing: Vec<&String> = told.iter().filter(|id| !contains(&screen, id)).collect();
    assert!(told.len() >= 4 && missing.is_empty(), "{missing:?} of {told:?} in {screen}");
    assert!(contains(&screen, "more (") && !screen.contains('…'), "{screen}");
}

#[test]
fn a_cause_counts_among_the_findings_of_its_connection() {
    let named = |incident: &Incident| incident.name() == "close-1011-db-pool";
    let incident = truth().into_iter().find(named).expect("40 connections that end with 1011");
    let stats = incident.decode(&["--view", "stats"]);
    let listed = stats.lines().skip_while(|line| !line.starts_with("Largest")).skip(1);
    let rows: Vec<&str> = listed.take_while(|line| !line.trim_start().starts_with("and ")).collect();
    assert_eq!(rows.len(), 10, "{stats}");
    for row in rows {
        let findings = row.split_whitespace().rev().nth(1).and_then(|count| count.parse::<u64>().ok());
        assert!(findings.is_some_and(|count| count > 0), "{row}");
    }
}

#[test]
fn every_incident_has_its_truth_and_its_line_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).expect("samples/README.md");
    let truth = truth();
    let mut wrong = String::new();
    for incident in &truth {
        let row = format!("| [`incidents/{0}`](incidents/{0}) | {1} |", incident.file, incident.done);
        if !readme.contains(&row) {
            let _ = writeln!(wrong, "samples/README.md lacks: {row}");
        }
        if incident.causes.is_empty() != incident.name().starts_with("healthy-") {
            let _ = writeln!(wrong, "{}: only what is healthy has no cause", incident.name());
        }
    }
    let told: BTreeSet<&str> = truth.iter().map(|incident| incident.file.as_str()).collect();
    let there = incidents();
    let there: BTreeSet<&str> =
        there.iter().map(|sample| sample.name.trim_start_matches("incidents/")).collect();
    assert_eq!(told, there, "truth.toml tells of each file");
    assert!(wrong.is_empty(), "{wrong}");
    assert!(WAITING.iter().all(|name| truth.iter().any(|incident| incident.name() == *name)), "{WAITING:?}");
}
