//! What is told of a server: reports of every format in one run, what changed, what is known, and what was
//! graded by the time somebody pressed Ctrl-C.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Kind, cases, grade, server};

/// A ping, which every server here answers, and messages, which not every one sends back.
fn some(name: &str) -> String {
    let title = "title = { en = \"x <b>\", zh = \"x\" }\ncite = [\"RFC 6455 §5\"]";
    let text = [
        "chapter = \"control\"\n".to_owned(),
        format!(
            "[[case]]\nid = \"ping\"\nautobahn = \"2.2\"\n{title}\nplay = 'ping \"a\"'\npass = 'pong \"a\"'\n"
        ),
        format!(
            "[[case]]\nid = \"echo\"\nautobahn = \"1.1.2\"\n{title}\nplay = 'text \"ab\"'\npass = 'echo'\n"
        ),
        format!("[[case]]\nid = \"both\"\n{title}\nplay = 'binary 00 ff'\npass = 'echo'\n"),
    ];
    cases(&format!("reports-{name}"), &text.concat())
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reports-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("writable");
    folder
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// How those are graded that keep messages to themselves.
const SILENT: [&str; 2] = ["--endpoint", "echo"];

#[test]
fn one_run_writes_all_reports() {
    let (url, _) = server(Kind::Silent);
    let (some, folder) = (some("all"), folder("all"));
    let at = |name: &str| folder.join("made/later").join(name);
    let mut args = vec![url.clone(), "--cases-file".to_owned(), some];
    args.extend(SILENT.map(str::to_owned));
    for (format, name) in [
        ("", "grade.json"),
        ("", "grade.xml"),
        ("", "grade.md"),
        ("", "grade.html"),
        ("ndjson=", "lines"),
        ("text=", "words"),
        ("autobahn=", "servers"),
    ] {
        args.extend(["--report".to_owned(), format!("{format}{}", at(name).display())]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (code, out, err) = grade(&args);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("3 cases: 2 fail, 1 pass; grade F"), "{out}");
    assert!(out.contains(&format!("wstool grade {url} --endpoint echo --cases-file")), "{out}");
    let report = json(&at("grade.json"));
    assert_eq!(report["schema"], "wstool-grade/1");
    assert_eq!(report["peers"][0]["counts"]["fail"], 2);
    assert_eq!(report["peers"][0]["cases"][1]["id"], "control.echo");
    assert_eq!(report["peers"][0]["behind"].as_array().map(Vec::len), Some(1));
    let lines = fs::read_to_string(at("lines")).expect("it is there");
    let types: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["type"].clone())
        .collect();
    assert_eq!(types, ["meta", "case", "case", "case", "summary"]);
    let xml = fs::read_to_string(at("grade.xml")).expect("it is there");
    assert!(
        xml.contains("<failure message=") && xml.contains("x &lt;b&gt;") && xml.contains("failures=\"2\""),
        "{xml}"
    );
    let markdown = fs::read_to_string(at("grade.md")).expect("it is there");
    assert!(markdown.contains("<details>") && markdown.contains("| F | "), "{markdown}");
    let page = fs::read_to_string(at("grade.html")).expect("it is there");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Sec-WebSocket-Key"), "its bytes are in it");
    assert!(fs::read_to_string(at("words")).expect("it is there").contains("control.both"));
    let index = json(&at("servers/index.json"));
    let of = &index[&url];
    assert_eq!(of.as_object().map(serde_json::Map::len), Some(2), "numbered cases only: {index}");
    assert_eq!((&of["1.1.2"]["behavior"], &of["2.2"]["behavior"]), (&"FAILED".into(), &"OK".into()));
    let file = of["1.1.2"]["reportfile"].as_str().expect("a name");
    let case = json(&at("servers").join(file));
    assert!(
        case["httpRequest"].as_str().is_some_and(|head| head.starts_with("GET / HTTP/1.1\r\n")),
        "{case}"
    );
    assert!(at("servers/index.html").is_file());
}

#[test]
fn standard_output_has_the_format_that_was_asked_for() {
    let (url, _) = server(Kind::Echo);
    let some = some("out");
    let of = |format: &str| grade(&[&url, "--cases-file", &some, "--format", format]);
    let (code, out, err) = of("json");
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(serde_json::from_str::<Value>(&out).expect("JSON")["peers"][0]["grade"], "A");
    let (_, out, _) = of("ndjson");
    assert_eq!(out.lines().count(), 5, "{out}");
    assert!(of("junit").1.starts_with("<?xml"));
    assert!(of("html").1.starts_with("<!DOCTYPE html>"));
    assert!(of("markdown").1.starts_with("### "));
    let (code, out, err) = of("autobahn");
    assert!(code == Some(2) && out.is_empty() && err.contains("--report autobahn=DIR"), "{err}");
}

#[test]
fn only_what_got_worse_fails_beside_an_earlier_report() {
    let (some, folder) = (some("before"), folder("before"));
    let ((echo, _), (silent, _)) = (server(Kind::Echo), server(Kind::Silent));
    let run = |url: &str, rest: &[&str]| grade(&[&[url, "--cases-file", &some][..], &SILENT, rest].concat());
    let at = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    let [good, bad, index] = [at("good.json"), at("bad.json"), at("autobahn")];
    assert_eq!(run(&echo, &["--report", &good, "--report", &format!("autobahn={index}")]).0, Some(0));
    assert_eq!(run(&silent, &["--report", &bad]).0, Some(1));
    for before in [good.clone(), format!("{index}/index.json")] {
        let (code, out, _) = run(&silent, &["--baseline", &before]);
        assert_eq!(code, Some(1), "{out}");
        assert!(
            out.contains(" got worse since ") && out.contains("control.echo (1.1.2): pass before, fail now"),
            "{out}"
        );
    }
    let (code, out, _) = run(&silent, &["--baseline", &bad]);
    assert!(code == Some(0) && out.contains("the same as in "), "{out}");
    let (code, out, _) = run(&echo, &["--baseline", &bad]);
    assert!(code == Some(0) && out.contains("2 cases got better since "), "{out}");
    let (code, _, err) = run(&echo, &["--baseline", &some]);
    assert!(code == Some(2) && err.contains("reports-before.toml: "), "{err}");
}

#[test]
fn what_is_known_fails_nothing_and_what_passes_after_all_is_told() {
    let (some, folder) = (some("known"), folder("known"));
    let (url, _) = server(Kind::Silent);
    let known = folder.join("known.txt");
    fs::write(&known, "# kept to itself\n1.1.2   # see #12\ncontrol.bo*\ncontrol.ping\ncontrol.pong\n")
        .expect("writable");
    let known = known.to_str().expect("UTF-8");
    let (code, out, err) =
        grade(&[&[&*url, "--cases-file", &some][..], &SILENT, &["--expect", known]].concat());
    assert_eq!(code, Some(0), "{out}{err}");
    for words in ["2 cases fail as expected", "1 case is expected to fail, and passes", "control.ping (2.2)"]
    {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(err.contains("known.txt:5: no case that was played is `control.pong`"), "{err}");
}

#[test]
fn the_bytes_of_a_case_are_annotated() {
    let some = some("explain");
    let (url, _) = server(Kind::Silent);
    let of = |rest: &[&str]| grade(&[&[&*url, "--cases-file", &some][..], &SILENT, rest].concat()).1;
    let tree = of(&["--case", "control.ping", "--explain"]);
    for words in ["GET / HTTP/1.1", "101", "ping", "pong", "§5.2"] {
        assert!(tree.contains(words), "{words}: {tree}");
    }
    let bits = of(&["--case", "control.ping", "--explain=bits"]);
    assert!(bits.contains("|F|R|R|R|") || bits.contains("FIN"), "{bits}");
    // Of many only those that do not pass.
    let all = of(&["--explain"]);
    assert!(all.matches("GET / HTTP/1.1").count() == 2, "{all}");
}

#[test]
#[cfg(unix)]
fn what_was_graded_is_reported_when_somebody_ends_it() {
    let (some, folder) = (some("ended"), folder("ended"));
    let (url, _) = server(Kind::Silent);
    let report = folder.join("grade.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["--lang", "en", "grade", &url, "--cases-file", &some, "--endpoint", "echo", "--jobs", "1"]);
    command.args(["--patience", "600", "--report"]).arg(&report);
    command.env("LC_ALL", "C.UTF-8").env("no_proxy", "*").stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert!(line.contains("control.ping"), "{line}");
    // The time that it waits is part of the time that it took.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("it runs");
    assert!(kill.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{rest}");
    assert!(rest.contains("only 1 of 3 cases were played"), "{rest}");
    let report = json(&report);
    assert_eq!((&report["peers"][0]["played"], &report["peers"][0]["chosen"]), (&1.into(), &3.into()));
    assert!(report["peers"][0]["took"].as_f64().is_some_and(|took| took > 1.0), "{rest}");
}
