//! What is found a thousand times is counted from then on: no view tells it again, and no count is wrong.
use serde_json::{Value, json};
use wstool::input;
use wstool::limits;
use wstool::model::{Opcode, Severity, Sink};
use wstool::pipeline;
use wstool::render::json::Json;
use wstool::render::stats::Stats;
use wstool::render::{Bits, Hex, Messages, Options, Table, Tree};
use wstool::select::{Select, Selection, Verdict};

use crate::run::hex;

/// Frames before the last one.
const FRAMES: u64 = 1500;

/// Frames that break two rules, one of them twice; the last is a ping that breaks the one.
fn input() -> Vec<u8> {
    [hex("fb00").repeat(FRAMES as usize), hex("f900")].concat()
}

fn show(sink: &mut dyn Sink) {
    let input = input::open(Box::new(std::io::Cursor::new(input())), "test").expect("it is raw");
    pipeline::run(input, sink, &mut |_| {});
}

fn records(selection: Selection) -> (Vec<Value>, Verdict) {
    let mut select = Select::new(selection, Json::lines(Vec::new(), 9));
    show(&mut select);
    let verdict = select.verdict();
    let text = String::from_utf8(select.into_inner().finish().expect("memory")).expect("JSON");
    (text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(), verdict)
}

fn of<'a>(records: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    records.iter().filter(move |record| record["type"] == kind)
}

#[test]
fn records_are_bounded_and_counts_exact() {
    let (records, _) = records(Selection::default());
    let built = |rule: &str| of(&records, "finding").filter(|record| record["rule"] == rule).count() as u64;
    assert_eq!(built("reserved-bit-set"), limits::FINDINGS_BUILT);
    assert_eq!(built("reserved-opcode"), limits::FINDINGS_BUILT);
    let more =
        |rule: &str, count: u64| json!({"rule": rule, "severity": "error", "who": "server", "count": count});
    let ends = of(&records, "connection").filter(|record| record["final"] == true);
    assert_eq!(
        ends.map(|end| end["more_findings"].clone()).collect::<Vec<_>>(),
        [json!([
            more("reserved-bit-set", 2 * (FRAMES + 1) - limits::FINDINGS_BUILT),
            more("reserved-opcode", FRAMES - limits::FINDINGS_BUILT),
        ])]
    );
    let summary = of(&records, "summary").next().expect("a summary");
    assert_eq!(summary["findings_by_rule"]["reserved-bit-set"], 2 * (FRAMES + 1));
    assert_eq!(summary["findings_by_rule"]["reserved-opcode"], FRAMES);
    // Each frame says all the same what it breaks.
    let frames: Vec<usize> =
        of(&records, "frame").map(|frame| frame["findings"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(frames.len() as u64, FRAMES + 1);
    assert!(frames[..frames.len() - 1].iter().all(|count| *count == 3));
    assert_eq!(frames.last(), Some(&2));
}

#[test]
fn statistics_count_what_is_not_told() {
    let mut stats = Stats::new();
    show(&mut stats);
    let mut out = Vec::new();
    stats.lines(&mut out).expect("memory");
    let text = String::from_utf8(out).expect("JSON");
    let total: Value = serde_json::from_str(text.lines().last().expect("a record")).expect("JSON");
    assert_eq!(total["findings_by_rule"]["reserved-bit-set"], 2 * (FRAMES + 1), "{total}");
    assert_eq!(total["findings_by_severity"]["error"], 2 * (FRAMES + 1) + FRAMES, "{total}");
}

#[test]
fn every_view_tells_how_many_more_there_are() {
    fn text<L: wstool::render::Layout>(
        view: impl Fn(Vec<u8>, Options) -> wstool::render::Screen<L, Vec<u8>>,
    ) -> String {
        let mut view = view(Vec::new(), Options::default());
        show(&mut view);
        String::from_utf8(view.finish().expect("memory")).expect("text")
    }
    let texts = [text(Tree::new), text(Bits::new), text(Hex::new), text(Messages::new), text(Table::new)];
    for text in texts {
        let end = &text[text.len() - 1000..];
        for said in
            ["… and 2,002 more of reserved-bit-set (server)", "… and 500 more of reserved-opcode (server)"]
        {
            assert_eq!(text.matches(said).count(), 1, "{end}");
        }
    }
}

#[test]
fn a_verdict_knows_what_is_only_counted() {
    // Of what is selected nothing has a finding: the rules were broken too often before.
    for findings in [false, true] {
        let selection = Selection { opcodes: vec![Opcode::PING], findings, ..Selection::default() };
        let (records, verdict) = records(selection);
        assert_eq!(of(&records, "finding").count(), 0);
        assert!(verdict.reaches(Severity::Error), "--findings: {findings}");
    }
    // What matters less than asked for is not told either.
    let (records, _) =
        records(Selection { min_severity: Severity::Error, findings: true, ..Selection::default() });
    assert!(of(&records, "connection").any(|record| record.get("more_findings").is_some()));
}
