//! Nothing is found where there is no WebSocket: conversations of other protocols
//! (`tests/foreign/`), whole and joined midway.
//!
//! A capture rarely begins with the connection. Whatever is met then must not look like
//! frames: no frame, no connection, no error, no warning.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wstool::synth::Rng;

use crate::midway::{Found, Trace, places, traces};
use crate::run;

/// Cuts of each capture, of each kind.
const CUTS: usize = 12;

fn foreign() -> Vec<Trace> {
    traces("tests/foreign", &[".pcap.gz"]).iter().map(|path| Trace::read(path)).collect()
}

/// What was found although nothing is there, a line a capture.
#[derive(Default)]
struct Ledger(BTreeMap<String, Vec<String>>);

impl Ledger {
    fn enter(&mut self, trace: &Trace, how: &str, found: &Found) {
        if !found.is_silent() {
            let rules: BTreeSet<&str> = found.findings.iter().copied().collect();
            let rules: Vec<&str> = rules.into_iter().take(4).collect();
            let heads: Vec<String> =
                found.frames.iter().take(4).map(|frame| run::digits(&frame.head, "", "")).collect();
            let line = format!(
                "{how}: {} connections, {} frames {heads:?}, {} findings {rules:?}",
                found.websockets.len(),
                found.frames.len(),
                found.findings.len(),
            );
            self.0.entry(trace.name.clone()).or_default().push(line);
        }
    }

    fn must_be_empty(&self) {
        let text: Vec<String> = self
            .0
            .iter()
            .map(|(name, lines)| format!("{name}: {} cuts, such as\n    {}", lines.len(), lines[0]))
            .collect();
        assert!(text.is_empty(), "frames where there are none:\n{}", text.join("\n"));
    }
}

#[test]
fn whole_captures_of_other_protocols_hold_no_websocket() {
    let mut ledger = Ledger::default();
    for trace in foreign() {
        ledger.enter(&trace, "whole", &trace.from(0));
    }
    ledger.must_be_empty();
}

#[test]
fn other_protocols_joined_midway_are_no_websocket() {
    let mut ledger = Ledger::default();
    for (seed, trace) in foreign().iter().enumerate() {
        for skip in places(trace.packets.len(), CUTS, seed as u64) {
            ledger.enter(trace, &format!("without the first {skip} packets"), &trace.from(skip));
        }
    }
    ledger.must_be_empty();
}

#[test]
fn other_protocols_joined_inside_their_units_are_no_websocket() {
    let mut ledger = Ledger::default();
    for (seed, trace) in foreign().iter().enumerate() {
        let mut rng = Rng::new(seed as u64);
        for most in [10, 60, 300] {
            let size = 1 + rng.below(most) as usize;
            let pieces = trace.resegmented(size);
            for skip in places(pieces.packets.len(), 1, rng.next_u64()) {
                let how = format!("in segments of {size} bytes, without the first {skip}");
                ledger.enter(trace, &how, &pieces.from(skip));
            }
        }
    }
    ledger.must_be_empty();
}

#[test]
fn one_side_joined_midway_is_no_websocket() {
    let mut ledger = Ledger::default();
    for (seed, trace) in foreign().iter().enumerate() {
        for skip in places(trace.packets.len() / 2, CUTS / 2, seed as u64) {
            for lower in [false, true] {
                let how = format!("without the first {skip} packets from the port that is lower: {lower}");
                ledger.enter(trace, &how, &trace.without_first_of_one_side(skip, lower));
            }
        }
    }
    ledger.must_be_empty();
}

#[test]
fn the_index_names_every_capture_and_how_it_was_made() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
    let index = std::fs::read_to_string(root.join("INDEX.tsv")).expect("the index can be read");
    let mut named: Vec<String> = Vec::new();
    for line in index.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, made, program, protocol] = fields[..] else { panic!("four columns: {line}") };
        assert!(matches!(made, "real" | "generated"), "{line}");
        assert!(!program.is_empty() && !protocol.is_empty(), "{line}");
        named.push(format!("{name}.pcap.gz"));
    }
    named.sort();
    let files: Vec<String> = traces("tests/foreign", &[".pcap.gz"])
        .iter()
        .map(|path| path.file_name().expect("a file").to_string_lossy().into_owned())
        .collect();
    assert_eq!(files, named);
    let bytes: u64 =
        files.iter().map(|name| std::fs::metadata(root.join(name)).expect("it is there").len()).sum();
    assert!(bytes < 1_100_000, "{bytes} bytes are more than a repository should carry");
}
