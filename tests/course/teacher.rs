//! A teacher's way through the course by the command line: exercises for a class, what
//! the class hands in, and its grading in every format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use wstool::lang::Lang;
use wstool::lesson::report::{Done, FORMAT, Report};
use wstool::lesson::roster::{self, Student};
use wstool::lesson::{self, Exercise, GENERATION, Lesson};

const COURSE: &str = "ws-2026";
const STUDENTS: usize = 40;

/// Forty students, some with names that files cannot have, two who share exercises.
fn list() -> String {
    let mut list = "\u{FEFF}id,name,override\r\n".to_owned();
    for number in 0..STUDENTS {
        let id = match number {
            0 => "../up".to_owned(),
            1 => "=cmd|' /C calc'!A0".to_owned(),
            2 => "张伟".to_owned(),
            _ => format!("s{number:02}"),
        };
        let shared = if number == 5 || number == 6 { "pair" } else { "" };
        let _ = write!(list, "\"{id}\",\"Student, {number}\",{shared}\r\n");
    }
    list
}

fn lessons() -> Vec<&'static Lesson> {
    lesson::lessons().iter().filter(|lesson| !lesson.exercises.is_empty()).collect()
}

fn exercises() -> Vec<&'static Exercise> {
    lessons().into_iter().flat_map(|lesson| &lesson.exercises).collect()
}

/// What a student does with an exercise: every third answer shows a known mistake, every
/// eleventh exercise is left out.
enum Deed {
    Right,
    Mistake(usize),
    Nothing,
}

fn deed(student: usize, exercise: usize) -> Deed {
    match student * 7 + exercise {
        n if n % 11 == 10 => Deed::Nothing,
        n if n % 3 == 0 => Deed::Mistake(n / 3),
        _ => Deed::Right,
    }
}

/// A student's report, which claims that all is right, and the marks it deserves.
fn report(place: usize, student: &Student) -> (Report, BTreeMap<String, String>) {
    let mut marks = BTreeMap::new();
    let mut done = Vec::new();
    for (number, exercise) in exercises().into_iter().enumerate() {
        let instance = exercise.instance(COURSE, student.seed());
        // Students who share exercises share a report.
        let place = if student.instead.is_some() { 5 } else { place };
        let (answer, mark) = match deed(place, number) {
            Deed::Right => (instance.print(&instance.right), "right".to_owned()),
            Deed::Mistake(n) => {
                let slip = &instance.mistakes[n % instance.mistakes.len()];
                (instance.print(&slip.answer), slip.id.to_owned())
            }
            Deed::Nothing => {
                marks.insert(exercise.name(), "missing".to_owned());
                continue;
            }
        };
        marks.insert(exercise.name(), mark);
        let (name, key) = (exercise.name(), exercise.key.clone());
        done.push(Done { exercise: name, key, answers: vec![answer], right: true, hints: number % 4 });
    }
    let report = Report {
        format: FORMAT.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        generation: GENERATION,
        course: COURSE.to_owned(),
        student: student.seed().to_owned(),
        exercises: done,
    };
    (report, marks)
}

/// A folder with the list of students, and their reports in `reports/`.
fn class(name: &str) -> (PathBuf, Vec<Student>, Vec<BTreeMap<String, String>>) {
    let home = folder(name);
    write(&home.join("list.csv"), &list());
    let students = roster::read(list().as_bytes()).expect("a good list");
    fs::create_dir(home.join("reports")).expect("there is room");
    let mut marks = Vec::new();
    for (place, student) in students.iter().enumerate() {
        let (report, deserved) = report(place, student);
        // As reports come: from the tool, as lines, from Windows.
        let text = report.json();
        let path = home.join("reports").join(&student.file);
        match place % 5 {
            3 if student.instead.is_none() => {
                let lines =
                    report.exercises.iter().map(|done| format!("{} {}\n", done.exercise, done.answers[0]));
                write(&path.with_file_name(format!("{}.txt", student.file)), &lines.collect::<String>());
            }
            4 => {
                let utf16 =
                    format!("\u{FEFF}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
                fs::write(path.with_file_name(format!("{}.json", student.file)), utf16)
                    .expect("there is room");
            }
            _ => write(&path.with_file_name(format!("upload-{place}.json")), &text),
        }
        marks.push(deserved);
    }
    (home, students, marks)
}

#[test]
fn a_class_gets_its_handouts() {
    let (home, students, _) = class("handouts");
    let who = ["--seed", COURSE, "--students", "list.csv"];
    for lang in Lang::ALL {
        let out = format!("handouts-{}", lang.code());
        let args =
            [&["--lang", lang.code(), "teacher", "handout", "all"], &who[..], &["--out", &out]].concat();
        let (code, said, err) = wstool(&home, &args);
        assert_eq!((code, err.as_str()), (0, ""), "{said}");
        for student in &students {
            let page = read(&home.join(&out).join(format!("{}.md", student.file)));
            for exercise in exercises() {
                assert!(page.contains(&format!("\n### {}", exercise.name())), "{}", exercise.name());
                for file in &exercise.instance(COURSE, student.seed()).files {
                    let path = home.join(&out).join(&student.file).join(exercise.name()).join(file.name);
                    assert_eq!(fs::read(&path).expect("it was given"), file.bytes, "{}", path.display());
                }
            }
            let html = read(&home.join(&out).join(format!("{}.html", student.file)));
            let code = if lang == Lang::Zh { "zh-Hans" } else { "en" };
            assert!(html.starts_with("<!DOCTYPE html>") && html.contains(&format!("<html lang=\"{code}\">")));
            assert_eq!(html.matches("<section class=\"exercise").count(), exercises().len());
        }
        let index = read(&home.join(&out).join("index.html"));
        for student in &students {
            assert!(home.join(&out).join(format!("{}.html", student.file)).exists());
            assert!(index.contains(&student.name), "{}", student.name);
        }
        let all = read(&home.join(&out).join("all.html"));
        assert_eq!(all.matches("<article>").count(), STUDENTS);
    }
    // A second time nothing is overwritten.
    let again = [&["teacher", "handout", "0"], &who[..], &["--out", "handouts-en"]].concat();
    let (code, said, err) = wstool(&home, &again);
    assert_eq!((code, said.as_str(), err.lines().count()), (2, "", 1), "{err}");
    assert!(err.contains("--force"), "{err}");
    assert_eq!(wstool(&home, &[&again[..], &["--force"]].concat()).0, 0);
    assert!(!home.parent().expect("a folder").join("up.md").exists(), "an id leads out of the folder");
}

#[test]
fn the_key_solves_every_exercise() {
    let (home, students, _) = class("key");
    let who = ["--seed", COURSE, "--students", "list.csv"];
    let (code, _, err) = wstool(&home, &[&["teacher", "key", "0..15"], &who[..]].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    let page = read(&home.join("key").join(format!("{}.md", students[2].file)));
    assert_eq!(page.matches("**Right answer**").count(), exercises().len(), "{page}");
    // The key as a table is what a flawless class would have handed in on paper.
    let csv = [&["teacher", "key", "all", "--format", "csv", "--out", "paper"], &who[..]].concat();
    assert_eq!(wstool(&home, &csv).0, 0);
    let grade = [&["teacher", "grade", "paper", "--format", "csv"], &who[..]].concat();
    let (code, table, err) = wstool(&home, &grade);
    assert_eq!((code, err.as_str()), (0, ""));
    let rows: Vec<_> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), STUDENTS * exercises().len());
    assert!(rows.iter().all(|row| row.contains(",right,")), "{table}");
}

#[test]
fn a_class_is_graded_in_every_format() {
    let (home, students, marks) = class("grades");
    let who = ["--seed", COURSE, "--students", "list.csv"];
    let grade = |more: &[&str]| wstool(&home, &[&["teacher", "grade", "reports"], &who[..], more].concat());

    let (code, table, err) = grade(&["--format", "csv"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let mut rows = 0;
    for (at, row) in reader.records().enumerate() {
        let row = row.expect("every row has all columns");
        let place = at / exercises().len();
        let mark = row[6].to_owned() + if row[6].is_empty() { &row[5] } else { "" };
        let id = &students[place].id;
        assert_eq!(row[0].trim_start_matches('\''), id, "{row:?}");
        assert_eq!(row[0].starts_with('\''), id.starts_with('='), "{row:?}");
        assert_eq!(mark, marks[place][&row[2]], "{row:?}");
        let points = if mark == "right" { &row[4] } else { "0" };
        assert_eq!(&row[3], points, "{row:?}");
        rows += 1;
    }
    assert_eq!(rows, STUDENTS * exercises().len());

    let (code, _, err) =
        grade(&["--format", "gradescope", "--out", "scope", "--visibility", "after_published"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let valid = schema("gradescope");
    for (student, marks) in students.iter().zip(&marks) {
        let results = json(&home.join("scope").join(&student.file).join("results.json"));
        assert!(valid.is_valid(&results), "{:?}", valid.iter_errors(&results).next().map(|e| e.to_string()));
        let tests = results["tests"].as_array().expect("a list");
        let sum: u64 = tests.iter().filter_map(|test| test["score"].as_u64()).sum();
        assert_eq!(results["score"], sum);
        assert_eq!(results["visibility"], "after_published");
        for test in tests {
            let name = test["number"].as_str().expect("a text");
            let passed = if marks[name] == "right" { "passed" } else { "failed" };
            assert_eq!(test["status"], passed, "{test}");
        }
    }

    let (code, _, err) = grade(&["--format", "exercism", "--out", "track"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let valid = schema("exercism");
    for (student, marks) in students.iter().zip(&marks) {
        for lesson in lessons() {
            let results =
                json(&home.join("track").join(&student.file).join(lesson.slug).join("results.json"));
            assert!(
                valid.is_valid(&results),
                "{:?}",
                valid.iter_errors(&results).next().map(|e| e.to_string())
            );
            let tests = results["tests"].as_array().expect("a list");
            assert_eq!(tests.len(), lesson.exercises.len());
            for (test, exercise) in tests.iter().zip(&lesson.exercises) {
                let passed = if marks[&exercise.name()] == "right" { "pass" } else { "fail" };
                assert_eq!(test["status"], passed, "{test}");
            }
        }
    }

    let (code, text, err) = grade(&["--lessons", "0"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(text.contains("mistakes made most often"), "{text}");
}

/// The schemas can fail.
#[test]
fn the_schemas_refuse_what_the_formats_do() {
    let refuses = |name: &str, text: &str| {
        let value: Value = serde_json::from_str(text).expect("JSON");
        assert!(!schema(name).is_valid(&value), "{name}: {text}");
    };
    for text in [
        "{}",
        r#"{"score": "1"}"#,
        r#"{"score": 1, "visibility": "always"}"#,
        r#"{"tests": [{"name": "x"}]}"#,
        r#"{"score": 1, "tests": [{"status": "pass"}]}"#,
        r#"{"score": 1, "max_score": 2}"#,
    ] {
        refuses("gradescope", text);
    }
    for text in [
        r#"{"version": 3, "status": "fail"}"#,
        r#"{"version": 3, "status": "error", "tests": []}"#,
        r#"{"version": 3, "status": "fail", "tests": [{"name": "a", "status": "pass"}]}"#,
        r#"{"version": 3, "status": "pass", "tests": [{"name": "a", "status": "fail"}]}"#,
        r#"{"version": 3, "status": "pass", "tests": [{"name": "a", "status": "passed"}]}"#,
        r#"{"version": 2, "status": "pass", "tests": [{"name": "a", "status": "pass"}]}"#,
    ] {
        refuses("exercism", text);
    }
}

#[test]
fn what_a_learner_does_is_what_the_teacher_grades() {
    let home = folder("round");
    write(&home.join("list.csv"), "anna\nbob\n");
    let exercise = lesson::exercise("0.1").expect("lesson 0 has exercises");
    let instance = exercise.instance(COURSE, "anna");
    let who = ["--course", COURSE, "--student", "anna"];
    assert_eq!(wstool(&home, &[&["lesson", "hint", "0.1"], &who[..]].concat()).0, 0);
    let wrong = instance.print(&instance.mistakes[0].answer);
    assert_eq!(wstool(&home, &["lesson", "answer", "0.1", &wrong]).0, 1);
    let right = instance.print(&instance.right);
    assert_eq!(wstool(&home, &["lesson", "answer", "0.1", &right]).0, 0);
    let (code, report, err) = wstool(&home, &["lesson", "report"]);
    assert_eq!((code, err.as_str()), (0, ""));
    write(&home.join("anna.json"), &report);
    let grade =
        ["teacher", "grade", "anna.json", "--seed", COURSE, "--students", "list.csv", "--lessons", "0"];
    let grade = |more: &[&str]| wstool(&home, &[&grade, more].concat());
    let (code, table, err) = grade(&["--format", "csv"]);
    assert_eq!((code, err.as_str()), (1, "nothing from 1 of 2: bob\n"));
    assert!(table.contains(&format!("anna,0,0.1,1,1,right,,1,{right},2,")), "{table}");
    let (_, table, _) = grade(&["--format", "csv", "--count", "first"]);
    assert!(table.contains(&format!("anna,0,0.1,0,1,mistake,{},1,", instance.mistakes[0].id)), "{table}");
    // What was not answered is missing to Exercism; who handed in nothing is an error.
    assert_eq!(grade(&["--format", "exercism", "--out", "track"]).0, 1);
    let valid = schema("exercism");
    for (student, status) in [("anna", "fail"), ("bob", "error")] {
        let results = json(&home.join("track").join(student).join(lessons()[0].slug).join("results.json"));
        assert!(valid.is_valid(&results), "{results}");
        assert_eq!(results["status"], status);
    }
}

#[test]
fn what_cannot_be_graded_is_said_and_the_rest_goes_on() {
    let home = folder("bad");
    write(&home.join("list.csv"), "id\nanna\nbob\ncarl\n");
    let reports = home.join("reports/late");
    fs::create_dir_all(&reports).expect("there is room");
    let students = roster::read(b"anna\nbob\ncarl\n").expect("a good list");
    let text = report(1, &students[0]).0.json();
    for (name, text) in [
        ("anna.json", text.as_str()),
        ("bob.json", text.as_str()),
        ("torn.json", &text[..200]),
        ("other.json", &text.replace(COURSE, "other\\u001b[2J")),
        ("old.json", &text.replace("\"generation\": 1", "\"generation\": 0")),
        ("carl.txt", "0.1 00\n9.99 00\n"),
        (".hidden", "nothing"),
    ] {
        write(&reports.join(name), text);
    }
    let grade = ["teacher", "grade", "reports", "--seed", COURSE, "--students", "list.csv"];
    let (code, table, err) = wstool(&home, &[&grade[..], &["--format", "csv"]].concat());
    assert_eq!((code, err.lines().count()), (1, 6), "{err}");
    for says in [
        "bob.json: the exercises of `anna`, handed in as those of `bob`",
        "carl.txt:2: there is no exercise `9.99`",
        "torn.json: not JSON",
        "other.json: anna did these exercises for the course `other\\u{1b}[2J`",
        "old.json: its exercises are of generation 0",
        "nothing from 1 of 3: bob",
    ] {
        assert!(err.contains(says), "{says}: {err}");
    }
    assert!(table.contains("anna,0,0.1,1,1,right,"), "{table}");
    assert!(table.contains("carl,0,0.1,0,1,wrong,,0,00,"), "{table}");
}

#[test]
fn what_is_used_wrongly_is_said_in_one_line() {
    let home = folder("refused");
    write(&home.join("list.csv"), "id\nanna\nanna\n");
    write(&home.join("good.csv"), "anna\nbob\n");
    let class = |list| ["--seed", COURSE, "--students", list];
    let cases: &[(&[&str], &str, &str)] = &[
        (&["handout", "0"], "list.csv", "list.csv:3:1: `anna` is there twice"),
        (&["handout", "0"], "none.csv", "none.csv"),
        (&["handout", "99"], "good.csv", "there is no lesson `99`"),
        (&["handout", "5..x"], "good.csv", "there is no lesson `5..x`"),
        (&["grade", "no-such-folder"], "good.csv", "no-such-folder"),
        (&["grade", ".", "--format", "gradescope"], "good.csv", "--out names the folder"),
    ];
    for (args, list, says) in cases {
        let (code, out, err) = wstool(&home, &[&["teacher"], *args, &class(list)[..]].concat());
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1), "{args:?}: {err}");
        assert!(err.contains(says), "{args:?}: {err}");
    }
}

#[test]
fn the_course_checks_itself() {
    let home = folder("check");
    for lang in Lang::ALL {
        let args = ["--lang", lang.code(), "teacher", "check", "0", "--instances", "20"];
        let (code, out, err) = wstool(&home, &args);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert_eq!(out.lines().count(), 4, "{out}");
    }
}

fn schema(name: &str) -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema").join(format!("{name}.json"));
    jsonschema::validator_for(&json(&path)).expect("it is a schema")
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).expect("JSON")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// An empty folder to work in.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("teacher").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("there is room");
    folder
}

/// Exit code, standard output, standard error.
fn wstool(home: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wstool"))
        .args(args)
        .current_dir(home)
        .env("WSTOOL_DATA", home.join("data"))
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .expect("the binary was built");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}
