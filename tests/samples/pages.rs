//! A page says of each sample what its records say, and of each byte what is there.
use std::collections::BTreeMap;

use serde_json::Value;
use wstool::render::html::Html;
use wstool::render::views::Kept;
use wstool::render::{Options, View};
use wstool::select::Selection;

use crate::shelf::{Sample, incidents, of, samples};

/// The records on the page of a sample.
fn page(sample: &Sample) -> Vec<Value> {
    let kept = Kept::default();
    let mut view = Html::new(kept.clone(), Options { head: true, ..Options::default() });
    sample.play(&mut view);
    Box::new(view).end().expect("memory takes everything");
    let page = String::from_utf8(kept.take()).expect("UTF-8");
    let (_, records) = page.split_once("id=\"records\">\n").expect("there are records");
    let (records, end) = records.split_once("</script>").expect("they end");
    assert_eq!(end, "\n</body>\n</html>\n", "{}: what was sent is part of the page", sample.name);
    records.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn blocks<'a>(record: &'a Value, kind: &str) -> Vec<&'a Value> {
    let all = record["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter(|block| block["k"] == kind).collect()
}

/// How often each rule is named.
fn counted<'a>(ids: impl Iterator<Item = &'a Value>) -> BTreeMap<&'a str, usize> {
    let mut times = BTreeMap::new();
    ids.for_each(|id| *times.entry(id.as_str().expect("an id")).or_default() += 1);
    times
}

/// The number that bits of a frame's bytes are; `None` where some of them are not at hand.
fn number(record: &Value, from: u64, to: u64) -> Option<u64> {
    let digits = record["bytes"].as_str()?;
    (from..to).try_fold(0, |number, bit| {
        let at = usize::try_from(bit / 8 * 2).ok()?;
        let byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        Some(number << 1 | u64::from(byte >> (7 - bit % 8) & 1))
    })
}

fn parsed(value: &str) -> Option<u64> {
    match value.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => value.parse().ok(),
    }
}

#[test]
fn pages_find_what_records_find_and_point_at_what_is_there() {
    let mut fields = 0;
    for sample in samples().into_iter().chain(incidents()) {
        let page = page(&sample);
        let ndjson = sample.ndjson(Selection::default(), 64);
        let ndjson: Vec<Value> =
            ndjson.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let findings: Vec<&Value> = page.iter().flat_map(|record| blocks(record, "finding")).collect();
        assert_eq!(
            counted(findings.iter().map(|it| &it["id"])),
            counted(of(&ndjson, "finding").iter().map(|it| &it["rule"])),
            "{}",
            sample.name
        );
        let frames = of(&page, "frame");
        assert_eq!(frames.len(), of(&ndjson, "frame").len(), "{}", sample.name);
        for frame in frames {
            for row in blocks(frame, "row") {
                let Some([from, to]) = row["at"].as_array().map(|at| [&at[0], &at[1]].map(Value::as_u64))
                else {
                    continue;
                };
                let (from, to) = (from.expect("a bit"), to.expect("a bit"));
                assert!(from < to || row["payload"].is_object(), "{}: {row}", sample.name);
                // Numbers of the header are what its bits are.
                let value = row["v"].as_str().and_then(parsed).filter(|_| to - from <= 64);
                let is_header = Some(to) <= frame["header"].as_u64().map(|bytes| 8 * bytes);
                if let (Some(value), true, Some(bits)) = (value, is_header, number(frame, from, to)) {
                    assert_eq!(value, bits, "{}: {row} of {frame}", sample.name);
                    fields += 1;
                }
            }
        }
    }
    assert!(fields > 10_000, "only {fields} fields were looked at");
}
