//! One clock: whatever the view, the format and the selection, a frame has the same time,
//! counted from the first packet of the input.
use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use wstool::model::{Dir, Flow, Opcode, Sink, Unit, Wants};
use wstool::render::bits::BitsLayout;
use wstool::render::hex::HexLayout;
use wstool::render::json::Json;
use wstool::render::messages::MessagesLayout;
use wstool::render::table::TableLayout;
use wstool::render::tree::TreeLayout;
use wstool::render::{Layout, Options, Screen, TimeStyle};
use wstool::select::{Select, Selection};

use crate::shelf::samples;

/// Relative times by what they belong to: `frame 1.7`, `message 2.3`.
type Times = BTreeMap<String, String>;

/// A line of the table: frame, time, connection and opcode. A heading: what, its number, its time.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^ *(\d*) +(-?\d+\.\d{6}) +(?:-?\d+\.\d{6})? +(\d+) .{4}(\S*)").expect("a regex")
});
static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(frame|message|connection) (\d+)( ends)?  .* (-?\d+\.\d{6}) s$").expect("a regex")
});
static CONNECTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r" connection (\d+) · ").expect("a regex"));
static NEGATIVE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r" -\d+\.\d{6} ").expect("a regex"));

/// Wide enough that no heading leaves anything out.
const WIDE: Options = Options {
    width: 400,
    color: false,
    lang: wstool::lang::Lang::En,
    ascii: false,
    time: TimeStyle::Relative,
    payload: None,
    latency: false,
    advice: None,
    head: false,
};

/// The views, over one selection.
struct Shown {
    json: Select<Json<Vec<u8>>>,
    table: Select<Screen<TableLayout, Vec<u8>>>,
    tree: Select<Screen<TreeLayout, Vec<u8>>>,
    bits: Select<Screen<BitsLayout, Vec<u8>>>,
    hex: Select<Screen<HexLayout, Vec<u8>>>,
    messages: Select<Screen<MessagesLayout, Vec<u8>>>,
}

fn view<L: Layout>(selection: &Selection) -> Select<Screen<L, Vec<u8>>> {
    Select::new(selection.clone(), Screen::new(Vec::new(), WIDE))
}

fn text<L: Layout>(view: Select<Screen<L, Vec<u8>>>) -> String {
    String::from_utf8(view.into_inner().finish().expect("memory takes it")).expect("UTF-8")
}

impl Shown {
    fn new(selection: &Selection) -> Self {
        Self {
            json: Select::new(selection.clone(), Json::lines(Vec::new(), 64)),
            table: view(selection),
            tree: view(selection),
            bits: view(selection),
            hex: view(selection),
            messages: view(selection),
        }
    }

    fn all(&mut self) -> [&mut dyn Sink; 6] {
        let Self { json, table, tree, bits, hex, messages } = self;
        [json, table, tree, bits, hex, messages]
    }

    /// By view, what has which time.
    fn times(self, name: &str) -> [(&'static str, Times); 6] {
        let lines = self.json.into_inner().finish().expect("memory takes it");
        [
            ("ndjson", from_records(&String::from_utf8(lines).expect("UTF-8"), name)),
            ("table", from_table(&text(self.table), name)),
            ("tree", from_headings(&text(self.tree), name)),
            ("bits", from_headings(&text(self.bits), name)),
            ("hex", from_headings(&text(self.hex), name)),
            ("messages", from_headings(&text(self.messages), name)),
        ]
    }
}

/// Shows a sample to all of them at once.
struct Each(Vec<Shown>);

impl Sink for Each {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: 2048, app: true, causes: false, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        for sink in self.0.iter_mut().flat_map(Shown::all) {
            // Each of these selections goes on to the end.
            assert!(sink.take(unit).is_continue());
        }
        Flow::Continue(())
    }
}

/// Nanoseconds of a record's time.
fn nanos(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.replace('.', "").parse().expect("a number"))
}

/// What the records say, and that nothing is before the first packet.
fn from_records(lines: &str, name: &str) -> Times {
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let start = nanos(&records[0]["start"]);
    let mut times = Times::new();
    for record in &records {
        let Some(time) = nanos(&record["time"]) else { continue };
        let start = start.expect("where there are times, there is a first packet");
        let since = time.checked_sub(start).unwrap_or_else(|| panic!("{name}: {record}"));
        let key = match record["type"].as_str() {
            Some("frame") => format!("frame {}.{}", record["conn"], record["n"]),
            Some("message") => format!("message {}.{}", record["conn"], record["m"]),
            Some("connection") if record["final"] == true => format!("end {}", record["conn"]),
            _ => continue,
        };
        times.insert(key, format!("{}.{:06}", since / 1_000_000_000, since / 1000 % 1_000_000));
    }
    times
}

/// What the lines of the table say.
fn from_table(table: &str, name: &str) -> Times {
    assert!(!NEGATIVE.is_match(table), "{name}:\n{table}");
    let mut times = Times::new();
    for parts in table.lines().filter_map(|text| LINE.captures(text)) {
        let key = match (&parts[1], &parts[4]) {
            ("", "end") => format!("end {}", &parts[3]),
            ("", _) => continue,
            (n, _) => format!("frame {}.{n}", &parts[3]),
        };
        times.insert(key, parts[2].to_owned());
    }
    times
}

/// What the headings of the other views say.
fn from_headings(text: &str, name: &str) -> Times {
    let mut times = Times::new();
    for parts in text.lines().filter_map(|line| HEADING.captures(line)) {
        assert!(!parts[4].starts_with('-'), "{name}: {}", &parts[0]);
        let conn = CONNECTION.captures(&parts[0]).map_or("1".to_owned(), |found| found[1].to_owned());
        let key = match (&parts[1], parts.get(3)) {
            ("connection", None) => continue,
            ("connection", Some(_)) => format!("end {}", &parts[2]),
            (what, _) => format!("{what} {conn}.{}", &parts[2]),
        };
        times.insert(key, parts[4].to_owned());
    }
    times
}

/// Everything, and parts that begin late.
fn selections() -> Vec<Selection> {
    let all = Selection::default;
    vec![
        all(),
        Selection { findings: true, ..all() },
        Selection { opcodes: vec![Opcode::CLOSE], ..all() },
        Selection { from: Some(Dir::Server), ..all() },
    ]
}

#[test]
fn every_view_gives_a_frame_the_same_time() {
    let mut compared = 0;
    for sample in samples() {
        let mut each = Each(selections().iter().map(Shown::new).collect());
        sample.play(&mut each);
        let times: Vec<_> = each.0.into_iter().map(|shown| shown.times(&sample.name)).collect();
        // What a view says of a part is what the records say of the whole.
        let whole = &times[0][0].1;
        for (view, times) in times.iter().flatten() {
            for (what, time) in times {
                assert_eq!(Some(time), whole.get(what), "{}: {view}: {what}", sample.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 5000, "{compared} times compared");
}
