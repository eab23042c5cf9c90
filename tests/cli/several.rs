//! Several files in one run: in turn, or put together as parts of one capture.
use std::collections::HashSet;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use wstool::input::{self, Input, PcapWriter};
use wstool::model::Time;

use crate::run::{packets, pcap};
use crate::schema;

/// Exit code, standard output, standard error.
fn decode(args: &[&str]) -> (i32, String, String) {
    finish(Command::new(env!("CARGO_BIN_EXE_wstool")).arg("decode").args(args).stdin(Stdio::null()))
}

fn finish(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        command.env("LC_ALL", "C.UTF-8").output().expect("the binary was built");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code().expect("no signal"), text(stdout), text(stderr))
}

/// A file in a folder of one test's own.
fn file(test: &str, name: &str, content: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("several").join(test).join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("there is room");
    fs::write(&path, content).expect("there is room");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// Records, as the schema says: one of each type and set of keys is held against it.
fn records(lines: &str) -> Vec<Value> {
    let mut checked = HashSet::new();
    let records = lines.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let records: Vec<Value> = records.collect();
    for record in &records {
        let keys: Vec<&String> = record.as_object().expect("an object").keys().collect();
        if checked.insert((record["type"].to_string(), format!("{keys:?}"))) {
            schema::assert_valid(record);
        }
    }
    records
}

fn of<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["type"] == kind).collect()
}

/// Captures of a connection, or of a session, that are cut below.
fn captures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut found = vec![root.join("chat.pcap")];
    for entry in fs::read_dir(root.join("socketio")).expect("samples") {
        let path = entry.expect("samples").path();
        if path.extension().is_some_and(|kind| kind == "gz") {
            found.push(path);
        }
    }
    assert!(found.len() > 8);
    found.sort();
    found
}

/// Its packets, and the link type that all of them have.
fn packets_of(path: &Path) -> (u32, Vec<(Time, Vec<u8>)>) {
    let bytes = fs::read(path).expect("a sample");
    let Ok(Input::Capture(mut capture)) = input::open(Box::new(Cursor::new(bytes)), "") else {
        panic!("{}: a capture", path.display())
    };
    let (mut link, mut packets) = (0, Vec::new());
    while let Some(packet) = capture.next() {
        let packet = packet.expect("a whole capture");
        link = packet.link;
        packets.push((packet.time, packet.data.to_vec()));
    }
    (link, packets)
}

fn written(link: u32, packets: &[(Time, Vec<u8>)]) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), link).expect("memory takes it");
    for (time, packet) in packets {
        writer.packet(*time, packet).expect("memory takes it");
    }
    writer.finish().expect("memory takes it")
}

/// What is said but for names, and for the bytes of the files' own heads.
fn nameless(text: &str, is_json: bool) -> String {
    let bytes = regex::Regex::new(r" \([\d,]+ bytes\)").expect("a regex");
    let lines =
        text.lines().filter(|line| is_json || !line.contains(".part") && !line.contains("whole.pcap"));
    let lines = lines.map(|line| match serde_json::from_str::<Value>(line) {
        Ok(mut record) if record["type"] == "meta" || record["type"] == "summary" => {
            for key in ["input", "files", "concat", "bytes"] {
                record.as_object_mut().expect("an object").remove(key);
            }
            record.to_string()
        }
        _ => bytes.replace(line, "").into_owned(),
    });
    let lines: Vec<String> = lines.filter(|line| !line.starts_with("Files ")).collect();
    // Where the table of files was, an empty line is left.
    lines.join("\n").replace("\n\n\n", "\n\n").trim_start().to_owned()
}

#[test]
fn rotated_captures_say_what_the_whole_says() {
    for path in captures() {
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        let (link, packets) = packets_of(&path);
        let whole = file("rotated", &format!("{name}.whole.pcap"), &written(link, &packets));
        let count = packets.len();
        for (round, cuts) in [
            vec![count / 2],
            vec![1, count / 5, count / 3, count - 2],
            (1..6).map(|n| n * count / 6).collect(),
        ]
        .into_iter()
        .enumerate()
        {
            let (mut parts, mut from) = (Vec::new(), 0);
            for (n, to) in cuts.into_iter().chain([count]).enumerate() {
                let part = written(link, &packets[from..to]);
                parts.push(file("rotated", &format!("{name}.part{round}{n}"), &part));
                from = to;
            }
            // As a shell lists them, the tenth comes before the second.
            parts.reverse();
            let views: &[&str] = match round {
                0 if !name.contains("raw") && !name.contains("polling") => {
                    &["tree", "table", "messages", "session", "stats", "ndjson"]
                }
                0 => &["session", "ndjson"],
                _ => &["ndjson"],
            };
            for view in views {
                let how = if *view == "ndjson" { ["-f", "ndjson"] } else { ["-v", view] };
                let is_json = *view == "ndjson";
                let (code, expected, _) = decode(&[&how[..], &[&whole]].concat());
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                let (code_of_parts, got, err) = decode(&[&how[..], &["--concat"], &parts].concat());
                assert_eq!((code_of_parts, &*err), (code, ""), "{name}, {view}");
                let (expected, got) = (nameless(&expected, is_json), nameless(&got, is_json));
                assert!(!expected.is_empty());
                for (a, b) in expected.lines().zip(got.lines()) {
                    assert_eq!(a, b, "{name}, {view}");
                }
                assert_eq!(expected.lines().count(), got.lines().count(), "{name}, {view}");
            }
        }
    }
}

#[test]
fn files_are_numbered_through_on_one_clock() {
    let (chat, node) = ("samples/chat.pcap", "samples/node-ws.pcapng");
    let hex = "818537fa213d7f9f4d5158";
    let alone = |name: &str| records(&decode(&["-f", "ndjson", name]).1);
    let (code, lines, err) = decode(&["-f", "ndjson", node, chat, hex]);
    assert_eq!((code, &*err), (0, ""));
    let all = records(&lines);
    assert_eq!((of(&all, "meta").len(), of(&all, "summary").len()), (1, 1));
    assert_eq!((&all[0]["type"], &all.last().expect("one")["type"]), (&"meta".into(), &"summary".into()));

    // The records of each are what they are alone, but for the connections' numbers.
    let mut before = 0;
    let mut starts = Vec::new();
    for name in [node, chat, hex] {
        let own: Vec<Value> = all.iter().filter(|record| record["input"] == name).cloned().collect();
        let mut expected = alone(name);
        let meta = expected.remove(0);
        starts.extend(meta["start"].as_str().map(str::to_owned));
        let summary = expected.pop().expect("a summary");
        let own: Vec<Value> = own
            .into_iter()
            .filter(|record| record["type"] != "meta")
            .map(|mut record| {
                record.as_object_mut().expect("an object").remove("input");
                record["conn"] = (record["conn"].as_u64().expect("a number") - before).into();
                record
            })
            .collect();
        // Spans name connections too.
        let of_one = |record: &&Value| record["type"] != "finding";
        assert_eq!(
            own.iter().filter(of_one).collect::<Vec<_>>(),
            expected.iter().filter(of_one).collect::<Vec<_>>(),
            "{name}"
        );
        before += summary["connections"].as_u64().expect("a number");
    }
    let (meta, summary) = (&all[0], all.last().expect("one"));
    assert_eq!(summary["connections"], before);
    assert_eq!(meta["start"].as_str(), starts.iter().min().map(String::as_str));
    let names = |list: &Value| -> Vec<String> {
        let files = list.as_array().expect("a list").iter();
        files.map(|file| file["input"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(&meta["files"]), [node, chat, hex]);
    assert_eq!(names(&summary["files"]), [node, chat, hex]);
    // The same in one array.
    let array: Vec<Value> =
        serde_json::from_str(&decode(&["-f", "json", node, chat, hex]).1).expect("one array");
    assert_eq!(array, all);

    // Every line and heading says its file, and counts from the earliest of them.
    let start: f64 = meta["start"].as_str().expect("a time").parse().expect("a number");
    let (_, table, _) = decode(&["-v", "table", node, chat, hex]);
    let frames = of(&all, "frame");
    let mut seen = 0;
    for line in table.lines().filter(|line| line.contains(" F-") || line.contains(" F1")) {
        let label = line.split(' ').next().expect("a word");
        assert!(["node-…pcapng", "chat.pcap", "81853…4d5158"].contains(&label), "{line}");
        let words: Vec<&str> = line.split_whitespace().collect();
        if label.starts_with("8185") {
            continue;
        }
        let (n, time): (u64, f64) = (words[1].parse().expect("a number"), words[2].parse().expect("a time"));
        let conn: u64 = words[4].parse().expect("a number");
        let frame =
            frames.iter().find(|frame| frame["conn"] == conn && frame["n"] == n).expect("it is there");
        let at: f64 = frame["time"].as_str().expect("a time").parse().expect("a number");
        assert!((at - start - time).abs() < 1e-4, "{line}");
        seen += 1;
    }
    assert!(seen > 30, "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let (_, tree, _) = decode(&[node, chat, hex]);
    let lines: Vec<&str> = tree.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("frame ")) {
        // What does not fit stands below.
        let heading = format!("{line}{}", lines[at + 1]);
        assert!(
            ["node-…pcapng", "chat.pcap", "81853…4d5158"].iter().any(|name| heading.contains(name)),
            "{heading}"
        );
    }
    assert_eq!(tree.matches("\nsummary  ").count(), 1);
}

#[test]
fn a_broken_file_does_not_stop_the_others() {
    let talk = |text: &str| pcap(&packets(&format!("client text \"{text}\"\nserver text \"you too\"\n")));
    let first = file("broken", "first.pcap", &talk("one"));
    let cut = talk("two");
    let cut = file("broken", "cut.pcap", &cut[..cut.len() - 5]);
    let text = file("broken", "text.pcap", b"Dear Sir or Madam,\n");
    let last = file("broken", "last.pcap", &talk("three"));
    let missing = first.replace("first.pcap", "missing.pcap");
    let names = [&*first, &*missing, &*cut, &*text, &*last];
    for more in [&[][..], &["--concat"]] {
        let (code, lines, err) = decode(&[&["-f", "ndjson", "--fail-on", "never"], more, &names].concat());
        assert_eq!((code, err.lines().count()), (2, 3), "{err}");
        let all = records(&lines);
        let texts: Vec<&str> =
            of(&all, "message").iter().filter_map(|message| message["text"].as_str()).collect();
        for text in ["one", "two", "three"] {
            assert!(more.len() == 1 || texts.contains(&text), "{texts:?}");
        }
        let summary = all.last().expect("a summary");
        assert_eq!(summary["complete"], false);
        let error = summary["error"].as_str().expect("an error");
        for part in ["missing.pcap: no such file", "cut.pcap: ", "text.pcap: line 1"] {
            assert!(error.contains(part) && err.contains(part.split(':').next().expect("a name")), "{error}");
        }
        let complete = summary["files"].as_array().expect("files").iter();
        let complete = complete.filter(|file| file["complete"] == true).count();
        assert_eq!(complete, 2);
    }
    // When all is missing, that is said in the same way.
    let (code, lines, err) = decode(&["-f", "ndjson", &missing, &text]);
    assert_eq!((code, err.lines().count(), records(&lines).len()), (2, 2, 2), "{lines}{err}");
}

/// What two capture points see of the same connection is no second connection with its key.
#[test]
fn no_rule_compares_connections_of_different_files() {
    let (code, once, _) = decode(&["-f", "ndjson", "--fail-on", "warning", "samples/chat.pcap"]);
    let copy = file("points", "server-side.pcap", &fs::read("samples/chat.pcap").expect("a sample"));
    let (code_of_both, both, _) =
        decode(&["-f", "ndjson", "--fail-on", "warning", "samples/chat.pcap", &copy]);
    assert_eq!((code, code_of_both), (0, 0));
    let (once, both) = (records(&once), records(&both));
    assert_eq!(of(&both, "finding").len(), 2 * of(&once, "finding").len());
    // Parts of one capture are compared: two connections with the same key, one in each.
    let script = fs::read_to_string("samples/broken/reused-sec-websocket-key.script").expect("a sample");
    let both = packets(&script);
    let (one, two) = both.split_at(both.len() / 2);
    let [one, two] =
        [("one.pcap", one), ("two.pcap", two)].map(|(name, part)| file("points", name, &pcap(part)));
    let reuses = |args: &[&str]| {
        let all = records(&decode(&[&["-f", "ndjson", &one, &two], args].concat()).1);
        let findings = of(&all, "finding");
        findings.iter().filter(|finding| finding["rule"] == "reused-sec-websocket-key").count()
    };
    assert_eq!((reuses(&[]), reuses(&["--concat"])), (0, 1));
    // Sessions are numbered through, and those of another file are others though they have the same id.
    let sample = "samples/socketio/v4-upgrade.pcap.gz";
    let again = file("points", "again.pcap.gz", &fs::read(sample).expect("a sample"));
    let all = records(&decode(&["-f", "ndjson", sample, &again]).1);
    let sessions = of(&all, "session");
    let numbers: Vec<&Value> = sessions.iter().map(|session| &session["session"]).collect();
    assert_eq!(numbers, [&Value::from(1), &Value::from(2)]);
    assert_eq!((&sessions[0]["sid"], &sessions[0]["sent"]), (&sessions[1]["sid"], &sessions[1]["sent"]));
    assert_eq!((&sessions[0]["input"], &sessions[1]["input"]), (&sample.into(), &again.as_str().into()));
}

#[test]
fn selections_go_over_all_files() {
    let (chat, node) = ("samples/chat.pcap", "samples/node-ws.pcapng");
    let (code, lines, err) = decode(&["-f", "ndjson", "-s", "3", chat, node]);
    assert_eq!((code, &*err), (0, ""));
    let all = records(&lines);
    assert!(of(&all, "frame").iter().all(|frame| frame["conn"] == 3 && frame["input"] == node));
    assert!(!of(&all, "frame").is_empty());
    let (code, _, err) = decode(&["-s", "77", chat, node]);
    assert_eq!((code, err.lines().count()), (2, 1), "{err}");
    assert!(err.contains("there is no connection 77: they are numbered 1 to 3"), "{err}");
    // The limit counts over all of them, too.
    for (limit, files) in [(5, 1), (40, 2)] {
        let all = records(&decode(&["-f", "ndjson", "-n", &limit.to_string(), chat, node]).1);
        assert_eq!(of(&all, "frame").len(), limit);
        let names: HashSet<&str> =
            of(&all, "frame").iter().filter_map(|frame| frame["input"].as_str()).collect();
        assert_eq!(names.len(), files);
    }
}

#[test]
fn standard_input_is_one_of_them() {
    let mut command = Command::new("sh");
    let script = "cat samples/node-ws.pcapng | \"$0\" decode -f ndjson samples/chat.pcap -";
    let (code, lines, err) = finish(command.args(["-c", script, env!("CARGO_BIN_EXE_wstool")]));
    assert_eq!((code, &*err), (0, ""));
    let all = records(&lines);
    let from = |name: &str| of(&all, "frame").iter().filter(|frame| frame["input"] == name).count();
    assert!(from("samples/chat.pcap") == 36 && from("-") > 5, "{} {}", from("samples/chat.pcap"), from("-"));
    assert_eq!(all[0]["files"][1]["format"], Value::Null);
}

#[test]
fn long_paths_keep_the_name_of_the_file() {
    let deep = format!("deep/{}/the-capture-in-question.pcap", "directory/".repeat(9));
    let path = file("paths", &deep, &pcap(&packets("client text \"hello\"\n")));
    let (_, tree, _) = decode(&[&path]);
    let heading = tree.lines().next().expect("a heading");
    assert!(heading.contains("…/the-capture-in-question.pcap  pcap"), "{heading}");
    assert!(heading.chars().count() <= 80, "{heading}");
    for view in ["tree", "table", "messages", "session", "stats"] {
        let (_, text, _) = decode(&["-v", view, &path, "samples/chat.pcap"]);
        assert!(text.contains("uestion.pcap"), "{view}: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{view}: {text}");
    }
    let (_, _, err) = decode(&[&path.replace(".pcap", ".pcapng")]);
    assert!(err.contains(".../the-capture-in-question.pcapng: no such file"), "{err}");
}
