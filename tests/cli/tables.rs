//! Tables for analytics hold what the records hold, in the files that their names say.
#![cfg(feature = "parquet")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::peers::Peer;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};
use wstool::render::tables::{Kind, TABLES};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Exit code, standard output, standard error.
fn decode(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.current_dir(ROOT).arg("decode").args(args).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
    let Output { status, stdout, stderr } = command.output().expect("the binary was built");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code().expect("no signal"), text(stdout), text(stderr))
}

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tables").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("there is room");
    path
}

/// All files below, by their path there.
fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// A cell as the records would have it.
fn cell(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(it) => json!(it),
        Field::Long(it) | Field::TimestampMicros(it) => json!(it),
        Field::Double(it) => json!(it),
        Field::Str(it) => json!(it),
        Field::Bytes(it) => json!(it.data()),
        Field::ListInternal(it) => it.elements().iter().map(cell).collect(),
        other => panic!("{other:?}"),
    }
}

/// The rows of a table, of all files below `root`, by capture.
fn rows(root: &Path, table: &str) -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for name in files(&root.join(table)) {
        let capture =
            name.split('/').next().and_then(|part| part.strip_prefix("capture=")).expect("a capture");
        let reader =
            SerializedFileReader::new(File::open(root.join(table).join(&name)).expect("it is there"))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = found.entry(capture.replace("%2F", "/")).or_default();
        for row in reader.get_row_iter(None).expect("rows") {
            let row = row.expect("a row");
            let cells = row.get_column_iter().map(|(name, field)| (name.clone(), cell(field)));
            rows.push(Value::Object(cells.collect()));
        }
    }
    found
}

/// What a column of a table is in a record: what lies deeper is joined by `_`.
fn in_record(record: &Value, column: &str) -> Value {
    if let Some(value) = record.get(column) {
        return value.clone();
    }
    for (at, _) in column.match_indices('_') {
        let (key, rest) = (&column[..at], &column[at + 1..]);
        match (record.get(key), rest) {
            (Some(Value::Array(pair)), "first" | "last") if pair.len() == 2 => {
                return pair[usize::from(rest == "last")].clone();
            }
            (Some(inner @ Value::Object(_)), _) => return in_record(inner, rest),
            (Some(Value::Array(_)) | None, _) => {}
            (Some(_), _) => return Value::Null,
        }
    }
    Value::Null
}

/// The same, as a cell of this kind.
fn as_cell(value: Value, kind: Kind) -> Value {
    let Some(text) = value.as_str() else { return value };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    match kind {
        Kind::Time => {
            let micros = whole.parse::<i64>().expect("seconds") * 1_000_000;
            json!(micros + fraction[..6].parse::<i64>().expect("a fraction"))
        }
        Kind::Seconds => json!(text.parse::<f64>().expect("seconds")),
        Kind::Bytes => {
            use base64::Engine as _;
            json!(base64::engine::general_purpose::STANDARD.decode(text).expect("Base64"))
        }
        _ => value,
    }
}

/// What a row of a table should be, by the records of a capture.
fn expected(table: &str, records: &[Value]) -> Vec<Value> {
    let of = |kind: &'static str| records.iter().filter(move |record| record["type"] == kind);
    match table {
        "connections" => {
            let mut all = Vec::new();
            for last in of("connection").filter(|record| record["final"] == true) {
                let mut row = last.clone();
                let is_same = |record: &&Value| record["conn"] == last["conn"];
                let first = of("connection").find(is_same).expect("it has begun");
                row["time"] = first["time"].clone();
                // What there is nothing to say of is left out of a record.
                for side in ["client", "server"] {
                    if row["tcp"][side].is_object() && row["tcp"][side]["resent"].is_null() {
                        row["tcp"][side]["resent"] = json!({"segments": 0});
                    }
                }
                if let Some(verdict) = of("verdict").find(is_same) {
                    for key in ["outcome", "by", "close", "lived", "silence", "last", "line"] {
                        row[key] = verdict[key].clone();
                    }
                    for key in ["by", "how"] {
                        row[format!("tcp_{key}")] = verdict["tcp"][key].clone();
                    }
                    // `close_code` is there already, and is the same.
                    row["close_code_name"] = verdict["close"]["code_name"].clone();
                }
                all.push(row);
            }
            all
        }
        "messages" => {
            let rows =
                records.iter().filter(|record| record["type"] == "message" || record["type"] == "packet");
            rows.map(|record| {
                let mut row = record.clone();
                if let Some(payload) = record["payload"].as_object() {
                    row["text"] = payload.get("text").cloned().unwrap_or_default();
                    row["base64"] = payload.get("base64").cloned().unwrap_or_default();
                    row["payload_truncated"] = payload.get("truncated").cloned().unwrap_or(json!(false));
                }
                row["bytes"] = row["base64"].clone();
                // Of several packets in one message the first that answers something.
                let packets = record["app"]["packets"].as_array().cloned().unwrap_or_default();
                let mut all = std::iter::once(&record["app"]).chain(&packets).map(|app| &app["answers"]);
                if let Some(answers) = all.find(|answers| answers.is_object()) {
                    for key in ["what", "after"] {
                        row[format!("app_answers_{key}")] = answers[key].clone();
                    }
                    let nth = answers["nth"].as_str().unwrap_or("first");
                    row["app_answers_nth"] = json!(nth);
                    for key in ["code", "message"] {
                        row[format!("app_answers_failure_{key}")] = answers["failure"][key].clone();
                    }
                }
                if row["payload_truncated"].is_null() {
                    row["payload_truncated"] = json!(false);
                }
                row
            })
            .collect()
        }
        "findings" => of("finding").cloned().collect(),
        "causes" => of("cause").cloned().collect(),
        "frames" => of("frame").cloned().collect(),
        other => panic!("{other}"),
    }
}

/// Columns that say more, or otherwise, than one key of the record does.
const OTHERWISE: &[&str] = &["app", "app_type", "app_event", "app_summary", "app_answers_method", "try"];

/// With its secrets in it.
const TLS: &str = "samples/tls/tls12-chromium.pcapng";

fn samples() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["samples", "samples/socketio", "samples/incidents", "samples/clean"] {
        for entry in fs::read_dir(Path::new(ROOT).join(folder)).expect("samples") {
            let name = entry.expect("a file").file_name().into_string().expect("UTF-8");
            if [".pcap", ".pcapng", ".pcap.gz"].iter().any(|end| name.ends_with(end)) {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    found.sort();
    // Every third says enough, and takes a third of the time.
    found
        .into_iter()
        .step_by(3)
        .chain(["samples/broken/masks.pcap".to_owned()])
        .filter(|name| Path::new(ROOT).join(name).exists())
        .chain(["samples/har/chromium.har", "samples/http2/node-h2c.pcap", TLS].map(str::to_owned))
        .collect()
}

#[test]
fn rows_are_what_the_records_are() {
    let out = folder("rows");
    let samples = samples();
    assert!(samples.len() > 8, "{samples:?}");
    let names: Vec<&str> = samples.iter().map(String::as_str).collect();
    let all = "--tables=connections,messages,findings,causes,frames";
    let to = ["--format", "parquet", "--out", out.to_str().expect("UTF-8"), all];
    let (code, shown, told) = decode(&[&to[..], &names].concat());
    assert_eq!((code, &*shown), (0, ""), "{told}");
    assert!(told.contains(&format!("{} captures (connections ", samples.len())), "{told}");
    let tables: Vec<_> = TABLES.iter().map(|table| (table, rows(&out, table.name))).collect();
    for name in names {
        let (_, lines, _) = decode(&["--format", "ndjson", name]);
        let records: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for (table, rows) in &tables {
            let mut rows = rows.get(name).unwrap_or_else(|| panic!("{name}: no {}", table.name)).clone();
            let mut expected = expected(table.name, &records);
            // Days are told apart, and within a day rows are in their order.
            let key = |row: &Value| ["time", "first_time"].map(|key| row[key].to_string());
            rows.sort_by_key(key);
            for row in &mut expected {
                let time = |value: Value| as_cell(value, Kind::Time);
                row["time"] = time(row["time"].clone());
                row["first_time"] = time(in_record(row, "first_time"));
            }
            expected.sort_by_key(key);
            assert_eq!(rows.len(), expected.len(), "{name}: {}", table.name);
            for (row, record) in rows.iter().zip(&expected) {
                for column in table.columns.iter().filter(|column| !OTHERWISE.contains(&column.name)) {
                    let value = as_cell(in_record(record, column.name), column.kind);
                    assert_eq!(row[column.name], value, "{name}: {}.{}: {record}", table.name, column.name);
                }
                if name == TLS && table.name == "connections" {
                    assert_eq!(row["encryption_sni"], "chat.example");
                }
                if table.name == "messages" && !record["app"].is_null() {
                    let app: Value = serde_json::from_str(row["app"].as_str().expect("text")).expect("JSON");
                    assert_eq!(app, record["app"], "{name}");
                }
            }
        }
    }
}

#[test]
fn the_same_captures_again_take_the_place_of_their_tables() {
    let out = folder("again");
    let to = ["--format", "parquet", "--out", out.to_str().expect("UTF-8")];
    let chat = "samples/chat.pcap";
    let both = [chat, "samples/node-ws.pcapng"];
    assert_eq!(decode(&[&to[..], &both].concat()).0, 0);
    let before = files(&out);
    assert!(before.iter().all(|name| name.ends_with("/part-0.parquet")), "{before:?}");
    assert!(before.iter().any(|name| name.starts_with("messages/capture=samples%2Fchat.pcap/day=20")));
    let rows_before: Vec<_> = TABLES.iter().map(|table| rows_of(&out, table.name)).collect();
    // A file of an earlier run that this one does not make.
    let old = out.join("messages/capture=samples%2Fchat.pcap/day=1999-01-01");
    fs::create_dir(&old).expect("there is room");
    fs::write(old.join("part-0.parquet"), "old").expect("there is room");
    let (code, _, told) = decode(&[&to[..], &["--threads", "1", chat]].concat());
    assert!(code == 0 && told.contains("1 capture ("), "{told}");
    assert_eq!(files(&out), before, "nothing is left of what was there, and nothing beside");
    assert_eq!(TABLES.iter().map(|table| rows_of(&out, table.name)).collect::<Vec<_>>(), rows_before);
}

/// The rows of a table, where there is one.
fn rows_of(root: &Path, table: &str) -> BTreeMap<String, Vec<Value>> {
    if root.join(table).is_dir() { rows(root, table) } else { BTreeMap::new() }
}

#[test]
fn however_many_threads_there_are_the_files_are_the_same() {
    let samples = samples();
    let names: Vec<&str> = samples.iter().map(String::as_str).take(6).collect();
    let [one, four] = ["1", "4"].map(|threads| {
        let out = folder(&format!("threads-{threads}"));
        let to = ["--format", "parquet", "--threads", threads, "--out", out.to_str().expect("UTF-8")];
        let (code, _, told) = decode(&[&to[..], &names].concat());
        assert_eq!(code, 0, "{told}");
        let all = files(&out).into_iter().map(|name| (fs::read(out.join(&name)).expect("a file"), name));
        (all.collect::<Vec<_>>(), told.replace(out.to_str().expect("UTF-8"), "OUT"))
    });
    assert!(!one.0.is_empty());
    assert!(one == four, "the same bytes under the same names, and the same is told: {} {}", one.1, four.1);
}

#[test]
fn a_broken_file_does_not_stop_the_others() {
    let out = folder("broken");
    let chat = fs::read(Path::new(ROOT).join("samples/chat.pcap")).expect("a sample");
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tables");
    let (cut, none) = (place.join("cut.pcap"), place.join("none.pcap"));
    fs::write(&cut, &chat[..chat.len() / 2]).expect("there is room");
    let _ = fs::remove_file(&none);
    let [cut, none] = [&cut, &none].map(|path| path.to_str().expect("UTF-8"));
    let to = ["--format", "parquet", "--out", out.to_str().expect("UTF-8")];
    let (code, shown, told) = decode(&[&to[..], &[none, cut, "samples/chat.pcap"]].concat());
    assert_eq!((code, &*shown), (2, ""));
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(lines[0].contains("none.pcap: no such file"), "{told}");
    assert!(lines[1].contains("cut.pcap: the input ends at byte"), "{told}");
    assert!(lines[2].contains("2 captures ("), "{told}");
    let messages = rows(&out, "messages");
    assert_eq!(messages.len(), 2, "{:?}", messages.keys());
    let counts: Vec<usize> = messages.values().map(Vec::len).collect();
    assert!(counts.iter().all(|count| *count > 0) && counts[0] < counts[1], "{counts:?}");
}

#[test]
fn parts_of_a_capture_are_one_capture() {
    let chat = fs::read(Path::new(ROOT).join("samples/chat.pcap")).expect("a sample");
    let (head, mut at, mut middle) = (&chat[..24], 24, 0);
    // A record's length is in its third word.
    while at < chat.len() {
        let length = u32::from_le_bytes(chat[at + 8..at + 12].try_into().expect("a word")) as usize;
        at += 16 + length;
        if at < chat.len() / 2 {
            middle = at;
        }
    }
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tables");
    let (first, second) = (place.join("ws.pcap0"), place.join("ws.pcap1"));
    fs::create_dir_all(&place).expect("there is room");
    fs::write(&first, &chat[..middle]).expect("there is room");
    fs::write(&second, [head, &chat[middle..]].concat()).expect("there is room");
    let [first, second] = [&first, &second].map(|path| path.to_str().expect("UTF-8"));
    let (whole, parts) = (folder("whole"), folder("parts"));
    let to = |out: &Path| ["--format=parquet".to_owned(), format!("--out={}", out.to_str().expect("UTF-8"))];
    let [a, b] = to(&whole);
    assert_eq!(decode(&[&a, &b, "samples/chat.pcap"]).0, 0);
    let [a, b] = to(&parts);
    let (code, _, told) = decode(&[&a, &b, "--concat", second, first]);
    assert!(code == 0 && told.contains("1 capture ("), "{told}");
    for table in ["connections", "messages", "findings"] {
        let [whole, parts] = [&whole, &parts].map(|out| rows(out, table).into_values().collect::<Vec<_>>());
        assert_eq!(whole, parts, "{table}");
    }
    assert!(rows(&parts, "connections").keys().all(|name| name.ends_with("ws.pcap0")));
    // Nothing in any of them is worth a word, once.
    for name in [first, second] {
        fs::write(name, head).expect("there is room");
    }
    let (code, _, told) = decode(&[&a, &b, "--concat", second, first]);
    assert_eq!((code, told.matches("no WebSocket connection in 0 packets").count()), (0, 1), "{told}");
}

/// What has come until then is in whole files.
#[cfg(unix)]
#[test]
fn after_ctrl_c_files_are_whole() {
    use std::io::Write as _;
    use std::time::{Duration, Instant};
    let out = folder("interrupted");
    let chat = fs::read(Path::new(ROOT).join("samples/chat.pcap")).expect("a sample");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["decode", "--format", "parquet", "--out"]).arg(&out).arg("-");
    command.stdin(Stdio::piped()).stderr(Stdio::piped()).env("LC_ALL", "C.UTF-8");
    let mut child = command.spawn().expect("the binary was built");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(&chat).expect("it reads");
    // It listens to Ctrl-C before it makes its folder, and what it has read it has got, however busy it is.
    let start = Instant::now();
    let unread = || rustix::io::ioctl_fionread(&stdin).expect("a pipe");
    while fs::read_dir(&out).expect("a folder").count() == 0 || unread() > 0 {
        assert!(start.elapsed() < Duration::from_mins(1), "it does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(130), "{told}");
    drop(stdin);
    assert!(told.contains("1 capture (connections 2"), "{told}");
    assert!(files(&out).iter().all(|name| name.contains("/capture=stdin/")), "{:?}", files(&out));
    assert!(rows(&out, "messages")["stdin"].len() > 10);
}

#[test]
fn the_captures_in_a_folder_are_found() {
    let (place, out) = (folder("recursive"), folder("recursive-out"));
    let deep = place.join("b/c");
    fs::create_dir_all(&deep).expect("there is room");
    let of = |name: &str| Path::new(ROOT).join(name);
    fs::copy(of("samples/chat.pcap"), deep.join("no-ending")).expect("there is room");
    fs::copy(of("tests/compressed/chat.pcap.xz"), place.join("a.xz")).expect("there is room");
    fs::copy(of("samples/chat.pcap"), place.join(".hidden.pcap")).expect("there is room");
    fs::write(place.join("b/notes.txt"), "8100").expect("there is room");
    fs::copy(of("samples/har/safari.har"), deep.join("page.har")).expect("there is room");
    fs::write(place.join("package.json"), r#"{"name": "log", "log": {}}"#).expect("there is room");
    let name = place.to_str().expect("UTF-8");
    let (code, lines, told) = decode(&["-f", "ndjson", "--recursive", name]);
    assert_eq!((code, &*told), (0, ""));
    let meta: Value = serde_json::from_str(lines.lines().next().expect("a record")).expect("JSON");
    assert_eq!(meta["input"], format!("{name}/a.xz, {name}/b/c/no-ending, {name}/b/c/page.har"));
    let to = ["--format", "parquet", "--out", out.to_str().expect("UTF-8")];
    let (code, _, told) = decode(&[&to[..], &["--recursive", name]].concat());
    assert!(code == 0 && told.contains("3 captures ("), "{told}");
    let (code, _, told) = decode(&["--recursive", "schema"]);
    assert!(code == 2 && told.contains("schema: there is no capture in it"), "{told}");
    let (code, _, told) = decode(&[name]);
    assert!(code == 2 && told.contains("add --recursive"), "{told}");
}

#[test]
fn what_makes_no_tables_is_said() {
    for (args, words) in [
        (&["--format", "parquet", "samples/chat.pcap"][..], "--out DIR names it"),
        (&["--out", "x", "samples/chat.pcap"], "go with --format parquet"),
        (&["--format", "parquet", "--out", "x", "--around", "3", "samples/chat.pcap"], "whole captures"),
        (&["--format", "parquet", "--out", "x", "--write", "y.pcap", "samples/chat.pcap"], "other formats"),
        (&["--format", "parquet", "--out", "Cargo.toml", "samples/chat.pcap"], "Cargo.toml: this is a file"),
        (&["--format", "parquet", "--out", "target/tmp/tables/same", "8100", "8100"], "named twice"),
    ] {
        let (code, shown, told) = decode(args);
        assert_eq!((code, &*shown), (2, ""), "{args:?}");
        assert!(told.contains(words) && told.lines().count() == 1, "{args:?}: {told}");
    }
}

/// The page about tables.
const PAGE: &str = "docs/many.md";

/// What the page has, or is to have with `UPDATE_DOCS=1`.
fn hold(page: &str, wanted: &str) {
    if page != wanted && std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(Path::new(ROOT).join(PAGE), wanted).expect("it can be written");
        return;
    }
    for (number, (has, wants)) in (1..).zip(page.lines().zip(wanted.lines())) {
        assert_eq!(has, wants, "{PAGE}:{number}: write it with UPDATE_DOCS=1 cargo test --test cli tables");
    }
    assert_eq!(page.lines().count(), wanted.lines().count(), "{PAGE}");
}

#[test]
fn the_page_of_many_captures_is_what_the_tables_are() {
    // DuckDB's answers stand on it, too: one after the other.
    the_page_names_every_column();
    duckdb_says_what_the_page_says();
}

fn the_page_names_every_column() {
    let page = fs::read_to_string(Path::new(ROOT).join(PAGE)).expect("the page");
    let end = page.find(" -->\n").expect("where columns begin") + 5;
    let mut wanted = page[..end].to_owned();
    for table in TABLES {
        let (name, about) = (table.name, table.about);
        writeln!(wanted, "\n### `{name}`\n\nA row is {about}.\n").expect("a string takes all");
        wanted.push_str("| column | type | meaning |\n|---|---|---|\n");
        for column in table.columns {
            let (name, kind, about) = (column.name, column.kind.sql(), column.about);
            writeln!(wanted, "| `{name}` | {kind} | {about} |").expect("a string takes all");
        }
    }
    hold(&page, &wanted);
}

/// A block of code on the page, without its fences, and what it is in.
struct Block {
    kind: String,
    lines: Vec<String>,
    /// The line behind its first fence, from 0.
    at: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(kind) if !inside => {
                blocks.push(Block { kind: kind.to_owned(), lines: Vec::new(), at: number + 1 });
                inside = true;
            }
            Some(_) => inside = false,
            None if inside => blocks.last_mut().expect("one has begun").lines.push(line.to_owned()),
            None => {}
        }
    }
    blocks
}

fn duckdb_says_what_the_page_says() {
    let Some(mut duckdb) = Peer::DuckDb.command("duck") else { return };
    let page = fs::read_to_string(Path::new(ROOT).join(PAGE)).expect("the page");
    let place = folder("page");
    let blocks = blocks(&page);
    let is_command = |line: &&String| line.starts_with("$ wstool ");
    let commands = blocks.iter().filter(|block| block.kind == "console").flat_map(|block| &block.lines);
    let binary = Path::new(env!("CARGO_BIN_EXE_wstool")).parent().expect("a folder").display();
    let path = format!("{binary}:{}", std::env::var("PATH").unwrap_or_default());
    for command in commands.filter(is_command) {
        let mut shell = Command::new("sh");
        shell.args(["-c", &command[2..]]).current_dir(&place).env("PATH", &path).env("LC_ALL", "C.UTF-8");
        let output = shell.output().expect("a shell");
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let queries: Vec<String> =
        blocks.iter().filter(|block| block.kind == "sql").map(|block| block.lines.join("\n")).collect();
    assert!(queries.len() >= 9);
    duckdb.current_dir(&place).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = duckdb.spawn().expect("python3 is there");
    let stdin = child.stdin.take().expect("piped");
    serde_json::to_writer(stdin, &queries).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Vec<String> = serde_json::from_slice(&output.stdout).expect("a list");
    assert_eq!(said.len(), queries.len());
    // Below each query that is followed by text stands what it gives.
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    let asked = blocks.iter().zip(blocks.iter().skip(1)).filter(|(block, _)| block.kind == "sql");
    let answered: Vec<_> = asked.zip(&said).filter(|((_, next), _)| next.kind == "text").collect();
    assert!(answered.len() >= 6, "{}", answered.len());
    for ((_, text), said) in answered.into_iter().rev() {
        let new = said.lines().map(str::to_owned);
        lines.splice(text.at..text.at + text.lines.len(), new);
    }
    hold(&page, &(lines.join("\n") + "\n"));
}

/// The same queries with Spark, where there is Java, and `PySpark`: `tests/peers/spark.sh` installs it.
#[test]
fn spark_says_what_the_page_says() {
    let peers = Path::new(ROOT).join("tests/peers");
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../spark/python");
    let has_java = Command::new("java").arg("-version").output().is_ok_and(|output| output.status.success());
    if !has_java || !python.join("pyspark").is_dir() {
        println!("skipped: no Java, or no PySpark in {}", python.display());
        return;
    }
    let mut spark = Command::new("python3");
    spark.arg(peers.join("spark.py")).arg(Path::new(ROOT).join(PAGE)).arg(folder("spark"));
    spark.env("PYTHONPATH", &python).env("WSTOOL", env!("CARGO_BIN_EXE_wstool")).env("LC_ALL", "C.UTF-8");
    let output = spark.output().expect("python3 is there");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("as on the page"), "{said}");
}
