//! Each sample and what the tool says about it: a sample is a file and its snapshots.
//!
//! To add one, put the file where it belongs, list it in `samples/README.md`, run
//! `cargo insta test --review`, and read the snapshots against the RFC before
//! accepting them.

#[path = "../run/mod.rs"]
mod run;
#[path = "../shelf/mod.rs"]
mod shelf;

mod causes;
mod dialects;
mod encrypted;
mod healthy;
mod http2;
mod incidents;
mod pages;
mod poorer;
mod resumed;
mod socketio;
mod spans;
mod stacked;
mod times;
mod vectors;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use shelf::{Sample, encrypted, incidents, records_of, root, samples};
use wstool::select::Selection;

/// Payload bytes shown in the records: enough to see what is there.
const PAYLOAD: u64 = 256;

#[test]
fn text_and_records() {
    insta::glob!("../../samples", "**/*.{bin,gz,har,hex,http,pcap,pcapng,script}", |path| {
        let sample = Sample::at(path);
        // They are played by `tests/cli/replay.rs`, and held against what was truly said.
        if ["handshakes/", "incidents/", "tls/"].iter().any(|folder| sample.name.starts_with(folder)) {
            return;
        }
        // In what is broken on purpose, only that matters.
        let selection = Selection { findings: sample.folder() == "broken", ..Selection::default() };
        insta::assert_snapshot!("text", sample.text(selection.clone()));
        // Another version of the tool is no reason for new snapshots.
        let tool = concat!("wstool ", env!("CARGO_PKG_VERSION"));
        let ndjson = sample.ndjson(selection, PAYLOAD).replace(tool, "wstool VERSION");
        insta::assert_snapshot!("ndjson", ndjson);
    });
}

/// `schema/wstool-1.schema.json` is what programs are promised.
#[test]
fn every_record_keeps_the_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/wstool-1.schema.json");
    let schema = fs::read_to_string(path).expect("the schema is there");
    let schema = serde_json::from_str(&schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    for sample in samples().into_iter().chain(incidents()) {
        for record in records_of(&sample.bytes()) {
            if let Err(error) = validator.validate(&record) {
                panic!("{}: {error}: {record}", sample.name);
            }
        }
    }
}

/// `samples/README.md` says what each shows, and of nothing that is not there.
#[test]
fn the_table_lists_every_sample() {
    let table = fs::read_to_string(root().join("README.md")).expect("samples/README.md");
    let listed: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| [`"))
        .filter_map(|line| line.split_once('`').map(|(name, _)| name))
        .collect();
    let there: Vec<_> = samples().into_iter().chain(incidents()).chain(encrypted()).collect();
    let there: BTreeSet<&str> = there.iter().map(|sample| sample.name.as_str()).collect();
    let missing: Vec<_> = there.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&there).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not listed: {missing:?}; listed, but not there: {gone:?}"
    );
}

/// What is called clean has nothing to find.
#[test]
fn clean_is_clean() {
    for sample in samples() {
        if sample.folder() == "clean" {
            let causes: Vec<&str> = wstool::cause::lists()
                .iter()
                .flat_map(|(_, rules)| rules.iter())
                .map(|rule| rule.id)
                .collect();
            let mut found = sample.findings();
            // That a connection is ended for a reason is no fault of anybody's.
            found.retain(|id| !causes.contains(&id.as_str()));
            assert_eq!(found, [""; 0], "{}", sample.name);
        }
    }
}

/// A clone should stay small.
#[test]
fn all_samples_together_are_small() {
    let all = samples().into_iter().chain(incidents()).chain(encrypted());
    let total: u64 = all.map(|s| fs::metadata(&s.path).expect("there").len()).sum();
    assert!(total < 2 << 20, "{total} bytes");
}
