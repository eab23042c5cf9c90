//! What people see in Chinese: whole outputs to read, and every other one searched
//! for English and for lines that are too long.

mod shelf;

use std::process::Command;

use shelf::{Sample, samples};
use unicode_width::UnicodeWidthStr;
use wstool::lang::Lang;
use wstool::model::{Body, Flow, ON, Sink, Unit, Wants};
use wstool::render::film::Projector;
use wstool::render::stats::Stats;
use wstool::render::{Bits, Hex, Layout, Messages, Options, Screen, Session, Table, TimeStyle, Tree};
use wstool::select::{Select, Selection};

const CHINESE: Options = Options {
    width: 80,
    color: false,
    lang: Lang::Zh,
    ascii: false,
    time: TimeStyle::Relative,
    payload: None,
    advice: None,
};

/// What `wstool` prints in Chinese: standard output, then standard error.
fn wstool(args: &[&str]) -> String {
    wstool_in("zh", args)
}

fn wstool_in(lang: &str, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wstool"))
        .args(["--lang", lang])
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    text(output.stdout) + &text(output.stderr)
}

#[test]
fn the_frames_of_rfc_6455_5_7() {
    let frames = ["text-unmasked", "text-masked", "text-fragmented", "ping", "256-bytes"];
    let paths = frames.map(|name| format!("samples/rfc6455/5.7-{name}.hex"));
    let paths = paths.iter().map(String::as_str);
    let args: Vec<&str> = ["decode"].into_iter().chain(paths).collect();
    insta::assert_snapshot!("frames", wstool(&args));
    insta::assert_snapshot!("bits", wstool(&["decode", "--view", "bits", "818537fa213d7f9f4d5158"]));
}

#[test]
fn findings_and_what_is_behind_them() {
    let broken = |name: &str| shelf::root().join("broken").join(name);
    for name in ["accept-mismatch", "no-sticky-session", "predictable-masking-key"] {
        let sample = Sample::at(&broken(&format!("{name}.script")));
        let selection = Selection { findings: true, ..Selection::default() };
        let mut select = Select::new(selection, Tree::new(Vec::new(), CHINESE));
        sample.play(&mut select);
        let shown = select.into_inner().finish().expect("memory takes it");
        insta::assert_snapshot!(name, String::from_utf8(shown).expect("UTF-8"));
    }
}

#[test]
fn a_film() {
    insta::assert_snapshot!("film", wstool(&["replay", "--explain", "accept-mismatch"]));
}

#[test]
fn an_answer_step_by_step() {
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let wrong = "BXhwxM0SZasKmCD9S4BfpPmCnEw=";
    insta::assert_snapshot!("accept", wstool(&["accept", key, "--explain", "--verify", wrong]));
    insta::assert_snapshot!("no-key", wstool(&["accept", "dGhl!HNhbXBsZSBub25jZQ=="]));
}

#[test]
fn a_browser_in_numbers_and_line_by_line() {
    insta::assert_snapshot!("stats", wstool(&["decode", "--view", "stats", "samples/chromium.pcap"]));
    insta::assert_snapshot!("table", wstool(&["decode", "--view", "table", "samples/chromium.pcap"]));
}

/// Ids are the contract with programs: records are the same in every language.
#[test]
fn records_are_english_in_every_language() {
    for args in [
        &["decode", "--format", "ndjson", "samples/one-direction.pcap"][..],
        &["decode", "--view", "stats", "--format", "json", "samples/chromium.pcap"],
        &["replay", "--format", "json", "accept-mismatch"],
        &["accept", "dGhlIHNhbXBsZSBub25jZQ==", "--format", "json", "--verify", "x"],
    ] {
        assert_eq!(wstool(args), wstool_in("en", args), "{args:?}");
    }
}

/// An output in Chinese.
struct Shown {
    what: String,
    text: String,
}

fn shown<L: Layout>(
    what: &str,
    sample: &Sample,
    view: impl Fn(Vec<u8>, Options) -> Screen<L, Vec<u8>>,
) -> Shown {
    let mut screen = view(Vec::new(), CHINESE);
    sample.play(&mut screen);
    let text = String::from_utf8(screen.finish().expect("memory takes it")).expect("UTF-8");
    Shown { what: format!("{} in {what}", sample.name), text }
}

fn statistics(sample: &Sample) -> Shown {
    let mut stats = Stats::default();
    sample.play(&mut stats);
    let mut text = Vec::new();
    stats.text(&mut text, Lang::Zh, false, 80).expect("memory takes it");
    Shown { what: format!("{} in numbers", sample.name), text: String::from_utf8(text).expect("UTF-8") }
}

#[test]
fn every_view_of_every_sample_is_chinese_on_80_columns() {
    for sample in samples() {
        let mut wire = Wire::default();
        sample.play(&mut wire);
        for shown in [
            shown("the tree", &sample, Tree::new),
            shown("bits", &sample, Bits::new),
            shown("hex", &sample, Hex::new),
            shown("the table", &sample, Table::new),
            shown("messages", &sample, Messages::new),
            shown("sessions", &sample, Session::new),
            statistics(&sample),
        ] {
            check(&shown, &wire.0);
        }
    }
}

#[test]
fn every_film_is_chinese_on_80_columns() {
    for (name, film) in shelf::films() {
        let mut wire = String::new();
        for speech in [&film.request, &film.response].into_iter().flatten() {
            wire.push_str(&speech.start_line);
            wire.push_str(&String::from_utf8_lossy(&speech.body));
            for line in &speech.lines {
                wire.push_str(&line.header.value);
            }
        }
        for explain in [false, true] {
            let text = Projector::new(&CHINESE, explain).show(&film).concat();
            check(&Shown { what: format!("the film of {name}"), text }, &wire);
        }
    }
}

/// Fails on lines that are too long and on English sentences that did not come from the wire.
fn check(shown: &Shown, wire: &str) {
    let Shown { what, text } = shown;
    for line in text.lines() {
        let width = line.width();
        assert!(width <= 80, "{what}: {width} columns in\n{line}");
        for english in sentences(line) {
            assert!(wire.contains(&english), "{what}: `{english}` in\n{line}");
        }
    }
}

/// Runs of three words and more in lower case.
fn sentences(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    for word in line.split(' ').chain([""]) {
        let is_hex = word.bytes().all(|b| b.is_ascii_hexdigit());
        if word.len() >= 2 && !is_hex && word.bytes().all(|b| b.is_ascii_lowercase()) {
            run.push(word);
            continue;
        }
        if run.len() >= 3 {
            found.push(run.join(" "));
        }
        run.clear();
    }
    found
}

/// All that peers said, so that it is not taken for the tool's own words.
#[derive(Default)]
struct Wire(String);

impl Wire {
    fn heard(&mut self, bytes: &[u8]) {
        self.0.push_str(&String::from_utf8_lossy(bytes));
        self.0.push('\n');
    }
}

impl Sink for Wire {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: u64::MAX, app: true }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        match unit.body {
            Body::Http(head) => {
                self.heard(head.bytes);
                self.heard(head.body);
            }
            Body::Frame(frame) => self.heard(frame.payload),
            Body::Message(message) => self.heard(message.payload),
            Body::Packet(packet) => self.heard(packet.payload),
            _ => {}
        }
        ON
    }
}
