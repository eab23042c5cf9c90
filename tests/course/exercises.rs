//! The course, all of it: every exercise of every lesson for many learners, judged as
//! a learner's answers are, and the commands that go with them. `tests/course/pages.rs`
//! reads the pages.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use unicode_width::UnicodeWidthStr as _;
use wstool::lang::Lang;
use wstool::lesson::check::{self, Finding, Kind};
use wstool::lesson::report::Report;
use wstool::lesson::{self, Answer, Exercise, Instance, Judgement, Layout, Tick};

const STUDENTS: usize = 200;
const COURSE: &str = "a course";

fn exercises() -> impl Iterator<Item = &'static Exercise> {
    lesson::lessons().iter().flat_map(|lesson| &lesson.exercises)
}

/// What the library finds when it looks at everything.
fn findings() -> &'static [Finding] {
    static FINDINGS: LazyLock<Vec<Finding>> = LazyLock::new(|| {
        let of_lessons = lesson::lessons().iter().flat_map(check::lesson);
        let of_exercises = exercises().flat_map(|exercise| check::exercise(exercise, COURSE, STUDENTS));
        let of_terms = check::order(&lesson::lessons().iter().collect::<Vec<_>>(), &check::terms());
        of_lessons.chain(of_exercises).chain(of_terms).collect()
    });
    &FINDINGS
}

fn nothing_wrong_with(kind: Kind) {
    let wrong = findings().iter().filter(|finding| finding.kind == kind);
    let wrong: Vec<_> = wrong.map(|finding| format!("{}: {}", finding.place, finding.text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn handed_in(instance: &Instance, answer: &Answer) -> Answer {
    check::handed_in(instance, answer).unwrap_or_else(|typed| panic!("`{typed}` cannot be read"))
}

#[test]
fn every_exercise_can_be_solved_by_everyone() {
    nothing_wrong_with(Kind::Solvable);
}

#[test]
fn no_two_learners_share_an_instance() {
    nothing_wrong_with(Kind::Distinct);
}

#[test]
fn mistakes_are_told_apart_and_named() {
    nothing_wrong_with(Kind::Mistakes);
}

/// Two options ticked or left out wrongly are two mistakes: each is told by its letter, and
/// in words of its own.
#[test]
fn each_wrong_tick_is_told_by_itself() {
    for exercise in exercises() {
        for number in 0..STUDENTS {
            let instance = exercise.instance(COURSE, &format!("student {number}"));
            let Answer::Choices(right) = &instance.right else { break };
            for (place, one) in instance.options.iter().enumerate() {
                for other in &instance.options[place + 1..] {
                    let pair = BTreeSet::from([one.id.clone(), other.id.clone()]);
                    let given = Answer::Choices(right.symmetric_difference(&pair).cloned().collect());
                    let judgement = instance.judge_answer(&given);
                    let told = exercise.told(&instance, &judgement, &given, Lang::En);
                    for id in [&one.id, &other.id] {
                        let tick = Tick { id: id.clone(), is_extra: !right.contains(id) };
                        let line = &exercise.ticks(&instance, &[tick], Lang::En)[0];
                        assert!(line.len() > 40, "{}: {line}", exercise.name());
                        assert!(told.words.contains(line), "{} {id}: {told:?}", exercise.name());
                    }
                }
            }
        }
    }
}

/// Of two mistakes planted in an answer in bytes both are named.
#[test]
fn each_wrong_byte_or_field_is_told_by_itself() {
    for exercise in exercises() {
        for number in 0..STUDENTS {
            let instance = exercise.instance(COURSE, &format!("student {number}"));
            let Answer::Hex(right) = &instance.right else { break };
            for (planted, names) in planted(&instance, right) {
                let given = Answer::Hex(planted);
                let judgement = instance.judge_answer(&given);
                let Judgement::Differs(difference) = &judgement else {
                    panic!("{}: {judgement:?}", exercise.name())
                };
                let words = difference.words(&instance, Lang::En).join("\n");
                for name in names {
                    assert!(words.contains(&name), "{}: {name} in {words}", exercise.name());
                }
            }
        }
    }
}

/// Right answers with two mistakes, and how each of the two is named.
fn planted(instance: &Instance, right: &[u8]) -> Vec<(Vec<u8>, Vec<String>)> {
    let changed = |changes: &[(usize, u8)]| {
        let mut bytes = right.to_vec();
        for (at, bits) in changes {
            bytes[*at] ^= bits;
        }
        bytes
    };
    let is_known = |bytes: &[u8]| instance.slip(&Answer::Hex(bytes.to_vec())).is_some();
    let mut all = Vec::new();
    if instance.layout() == Layout::Bytes {
        for apart in (2..right.len()).step_by(3) {
            let bytes = changed(&[(0, 0x10), (apart, 0x01)]);
            all.push((bytes, vec!["offset 0x00".to_owned(), format!("offset 0x{apart:02x}")]));
        }
    } else {
        // FIN and a reserved bit, opcode and MASK, RSV2 and the last bit of the length.
        all.push((changed(&[(0, 0x80), (0, 0x20)]), vec!["FIN".to_owned(), "RSV2".to_owned()]));
        all.push((changed(&[(0, 0x08), (1, 0x80)]), vec!["opcode".to_owned(), "MASK".to_owned()]));
        if right[1] & 0x7F < 0x7C {
            all.push((
                changed(&[(0, 0x20), (1, 0x01)]),
                vec!["RSV2".to_owned(), "payload length".to_owned()],
            ));
        }
    }
    all.retain(|(bytes, _)| !is_known(bytes));
    all
}

/// Who holds a wrong belief answers as it has them answer, fails, and is told why:
/// whoever it is.
#[test]
fn every_wrong_belief_is_met_by_an_exercise() {
    let holds = |exercise: &Exercise, id: &str, belief: &str| {
        exercise.data.mistakes[id].belief.as_deref() == Some(belief)
    };
    for belief in lesson::BELIEFS {
        let about =
            |exercise: &&Exercise| exercise.data.mistakes.keys().any(|id| holds(exercise, id, belief));
        let about: Vec<&Exercise> = exercises().filter(about).collect();
        for number in 0..STUDENTS {
            let student = format!("student {number}");
            let met = about.iter().any(|exercise| {
                let instance = exercise.instance(COURSE, &student);
                instance.mistakes.iter().filter(|slip| holds(exercise, slip.id, belief)).any(|slip| {
                    let judgement = instance.judge_answer(&handed_in(&instance, &slip.answer));
                    matches!(judgement, Judgement::Known(id) if id == slip.id)
                })
            });
            assert!(met, "no exercise fails {student}, who believes `{belief}`");
        }
    }
}

#[test]
fn hints_are_there_and_do_not_tell() {
    nothing_wrong_with(Kind::Hints);
}

/// Every text has its words in both languages and all its holes filled; both languages
/// of a page have the same parts and run the same commands.
#[test]
fn texts_are_complete() {
    nothing_wrong_with(Kind::Languages);
}

#[test]
fn lessons_stand_in_their_order() {
    nothing_wrong_with(Kind::Order);
    let numbers: Vec<_> = lesson::lessons().iter().map(|lesson| lesson.data.number).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[test]
fn the_course_by_the_command_line() {
    the_course_in(Lang::En);
}

#[test]
fn the_course_by_the_command_line_in_chinese() {
    the_course_in(Lang::Zh);
}

/// A learner's way through the course, from an empty home and in a folder that is not the clone: wrong
/// answers first, then help, then the right one and what it shows.
fn the_course_in(lang: Lang) {
    let home = folder(&format!("learner-{}", lang.code()));
    let run = |args: &[&str]| wstool(&home, lang, args);
    for exercise in exercises() {
        let (name, student) = (exercise.name(), "ada");
        let instance = exercise.instance(COURSE, student);
        let who = ["--course", COURSE, "--student", student];
        let (code, asked, err) = run(&[&["lesson"], &who[..], &[&name]].concat());
        assert_eq!((code, err.as_str()), (0, ""), "{name}");
        assert!(asked.contains(&format!("wstool lesson answer {name}")), "{asked}");
        let answer = |answer: &Answer| {
            let (flag, value) = match answer {
                Answer::File(bytes) => {
                    let path = home.join("answer.bin");
                    std::fs::write(&path, bytes).expect("there is room");
                    (Some("--file"), path.to_str().expect("a path in UTF-8").to_owned())
                }
                _ => (None, instance.print(answer)),
            };
            let args: Vec<&str> = ["lesson", "answer", name.as_str()].into_iter().chain(flag).collect();
            run(&[&args[..], &[value.as_str()]].concat())
        };
        for slip in &instance.mistakes {
            let (code, out, err) = answer(&slip.answer);
            assert_eq!((code, err.as_str()), (1, ""), "{name} {}: {out}", slip.id);
            let given = handed_in(&instance, &slip.answer);
            let diagnosis = exercise.diagnosis(&instance, slip.id, &given, lang).expect("it is described");
            let squeezed = |text: &str| text.split_whitespace().collect::<String>();
            assert!(squeezed(&out).contains(&squeezed(&diagnosis)), "{name} {}: {out}", slip.id);
            assert!(out.contains(&exercise.data.section), "{name}: the section is cited: {out}");
        }
        let help: Vec<String> = (0..5).map(|_| run(&["lesson", "hint", &name]).1).collect();
        assert_eq!(help[3], help[4], "{name}: the ladder ends with a solution");
        let (code, out, err) = answer(&instance.right);
        assert_eq!((code, err.as_str()), (0, ""), "{name}: {out}");
        // Right, how far, and what next, on one screen, whatever there is to say.
        let shown: Vec<&str> = out.lines().collect();
        assert!(rows(&shown) <= 12, "{name}: {out}");
        let right = lang.fill("{}: right.", &[&name]);
        let end: Vec<&str> = out.lines().rev().take(3).collect();
        assert!(end.iter().any(|line| line.starts_with(&right)), "{name}: {out}");
        let (code, out, err) = run(&["lesson", &name, "--show"]);
        assert_eq!((code, err.as_str()), (0, ""), "{name}: {out}");
        if !instance.command.is_empty() {
            let shown = out.strip_prefix("$ wstool ").unwrap_or_default();
            assert!(shown.lines().count() > 4, "{name}: the command shows the truth: {out}");
        }
    }
    for lesson in lesson::lessons() {
        let (code, out, _) = run(&["lesson", "check", &lesson.data.number.to_string()]);
        assert_eq!(code, 0, "{out}");
    }
    let (code, out, _) = run(&["lesson"]);
    assert_eq!((code, out.lines().count()), (0, lesson::lessons().len() + 3), "{out}");
}

/// On a terminal of 80×24, in `lesson try`: after each right answer the screen shows that it was, and how far
/// the lesson is, although the next question follows at once and may fill several screens of the pager.
#[test]
fn a_right_answer_stays_on_the_screen_when_the_next_question_is_asked() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lessons/terminal.py");
    let is_there = |name: &str| Command::new(name).arg("--version").output().is_ok();
    if !is_there("python3") || !is_there("less") {
        println!("skipped: a terminal takes python3 and less");
        return;
    }
    for lang in Lang::ALL {
        for number in [1, 10, 11] {
            let lesson = lesson::lesson(number).expect("a lesson");
            let home = folder(&format!("screen-{}-{number}", lang.code()));
            let mut said = Vec::new();
            for exercise in &lesson.exercises {
                let instance = exercise.instance(COURSE, "ada");
                said.push(match &instance.right {
                    Answer::File(bytes) => {
                        let path = home.join(format!("{}.bin", exercise.name()));
                        std::fs::write(&path, bytes).expect("there is room");
                        path.display().to_string()
                    }
                    right => instance.print(right),
                });
                said.push(lang.fill(
                    "{}: right. Lesson {}: {} of {} solved.",
                    &[&exercise.name(), &number, &(exercise.place), &lesson.exercises.len()],
                ));
            }
            let prompt = lang.words("Your answer (? help, ! command, empty to skip, q to leave): ");
            let mut terminal = Command::new("python3");
            // Answers and files are asked for in other words before this.
            terminal.arg(&script).arg(prompt.split_once('?').map_or(prompt, |(_, behind)| behind).trim_end());
            let hint = lang.words("space goes on, b goes back, q leaves");
            // Of other characters than ASCII in its prompt `less` makes nonsense.
            terminal.arg(if hint.is_ascii() { hint } else { "[space]" }).arg(hint).args(&said).arg("--");
            terminal.args([env!("CARGO_BIN_EXE_wstool"), "--lang", lang.code(), "lesson", "try"]);
            terminal.args([&number.to_string(), "--course", COURSE, "--student", "ada"]);
            terminal.env("WSTOOL_DATA", &home).current_dir(elsewhere());
            let output = terminal.output().expect("it runs");
            let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "lesson {number}, {}:\n{told}", lang.code());
        }
    }
}

/// Rows that lines take on a terminal of 80 columns, on which Chinese characters take two.
fn rows(lines: &[&str]) -> usize {
    lines.iter().map(|line| line.width().div_ceil(80).max(1)).sum()
}

#[test]
fn answers_come_from_a_file_too() {
    let home = folder("from-a-file");
    let exercise = lesson::exercise("0.1").expect("lesson 0 has exercises");
    let right = exercise.instance("", "grace");
    let path = home.join("answers.txt");
    let text = format!("# mine\n0.1: {}\n\n0.2 = 12 34\n0.3 many\n", right.print(&right.right));
    std::fs::write(&path, text).expect("there is room");
    let path = path.to_str().expect("a path in UTF-8");
    let (code, out, err) = wstool(&home, Lang::En, &["lesson", "check", "0", path, "--student", "grace"]);
    assert_eq!(code, 2, "{out}");
    assert!(out.starts_with("0.1: right.\n0.2: not right.\n"), "{out}");
    assert!(err.contains("line 5: 0.3: this answer cannot be read; wanted: a number"), "{err}");
}

#[test]
fn what_cannot_be_done_is_said_in_one_line() {
    let home = folder("refused");
    let cases: &[(&[&str], &str)] = &[
        (&["lesson", "99"], "there is no lesson `99`"),
        (&["lesson", "0.99"], "there is no exercise `0.99`"),
        (&["lesson", "hint", "one"], "there is no exercise `one`"),
        (&["lesson", "answer", "0.1", "hello?"], "bytes in hex"),
        (&["lesson", "answer", "0.1", "--file", "no-such-file"], "no-such-file"),
    ];
    for (args, says) in cases {
        let (code, out, err) = wstool(&home, Lang::En, args);
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1), "{args:?}: {err}");
        assert!(err.contains(says), "{args:?}: {err}");
    }
    for broken in [&b"{"[..], b"\xff\xfe"] {
        std::fs::write(home.join("learner.json"), broken).expect("there is room");
        let (code, _, err) = wstool(&home, Lang::En, &["lesson"]);
        assert_eq!((code, err.lines().count()), (2, 1), "{err}");
        assert!(err.contains("remove the file to begin anew"), "{err}");
    }
}

/// Options may come first; a lesson and a command, or `--reset` and a command, are not one.
#[test]
fn options_go_before_a_command_too() {
    let home = folder("options-first");
    let (code, out, err) = wstool(&home, Lang::En, &["lesson", "--student", "ada", "hint", "0.2"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("Help 1 of 4 for 0.2:"), "{out}");
    for args in [&["lesson", "--reset", "hint", "0.2"][..], &["lesson", "0", "answer", "0.2", "81"]] {
        let (code, out, err) = wstool(&home, Lang::En, args);
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1), "{args:?}: {err}");
        assert!(err.contains("not both"), "{err}");
    }
    let (_, report, _) = wstool(&home, Lang::En, &["lesson", "report"]);
    assert!(report.contains("\"hints\": 1"), "nothing was forgotten: {report}");
}

/// Two terminals, or an impatient script: no answer is lost.
#[test]
fn answers_from_several_terminals_are_all_kept() {
    const EACH: usize = 12;
    let home = folder("terminals");
    // Nobody is known here yet: they meet at the first command already.
    std::thread::scope(|scope| {
        for exercise in ["0.2", "0.3"] {
            let home = &home;
            scope.spawn(move || {
                for _ in 0..EACH {
                    let (code, _, err) = wstool(home, Lang::En, &["lesson", "answer", exercise, "99"]);
                    assert!(code != 2 && err.is_empty(), "{err}");
                }
            });
        }
    });
    // One question is open in a dialogue while another is answered elsewhere.
    let mut child =
        command(&home, Lang::En, &["lesson", "try", "0.4"]).spawn().expect("the binary was built");
    let mut asked = [0];
    child.stdout.as_mut().expect("piped").read_exact(&mut asked).expect("it asks");
    assert_eq!(wstool(&home, Lang::En, &["lesson", "answer", "0.1", "99"]).0, 1);
    child.stdin.take().expect("piped").write_all(b"99\n").expect("the pipe holds it");
    child.wait_with_output().expect("the binary ends");
    let (_, report, _) = wstool(&home, Lang::En, &["lesson", "report"]);
    let report = Report::read(&report).expect("a report");
    let answers: Vec<_> =
        report.exercises.iter().map(|done| (done.exercise.as_str(), done.answers.len())).collect();
    assert_eq!(answers, [("0.1", 1), ("0.2", EACH), ("0.3", EACH), ("0.4", 1)]);
}

#[test]
fn a_file_is_read_to_its_end_before_anything_is_judged() {
    let home = folder("typing-error");
    let args = ["lesson", "check", "0", "-", "--student", "grace"];
    let (code, out, err) = wstool_told(&home, Lang::En, &args, "0.2 12\n0.22 13\n");
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("-: line 2: `0.22`"), "{err}");
    let (_, report, _) = wstool(&home, Lang::En, &["lesson", "report"]);
    assert!(report.contains("\"exercises\": []"), "{report}");
}

#[test]
fn what_is_typed_may_be_anything_and_may_end_anywhere() {
    let home = folder("bytes");
    let mut child = command(&home, Lang::En, &["lesson", "try", "0"]).spawn().expect("the binary was built");
    child.stdin.take().expect("piped").write_all(b"\xff\xfe\n").expect("the pipe holds it");
    let output = child.wait_with_output().expect("the binary ends");
    let out = String::from_utf8(output.stdout).expect("output is UTF-8");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(1), &b""[..]), "{out}");
    assert!(out.contains("0.1: this answer cannot be read"), "{out}");
    assert!(out.contains(" to leave): \n  0.1  not answered"), "{out}");
}

#[test]
fn the_list_says_whose_it_is() {
    let home = folder("whose");
    let says = |args: &[&str], lang| wstool(&home, lang, &[&["lesson"], args].concat()).1;
    assert!(!says(&[], Lang::En).contains("You are"));
    let out = says(&["--course", "ws-2026"], Lang::En);
    assert!(out.contains("\nThe course is ws-2026, and you have no name in it yet"), "{out}");
    let out = says(&["--student", "anna"], Lang::En);
    assert!(out.contains("\nYou are anna in the course ws-2026.\n"), "{out}");
    assert!(says(&[], Lang::Zh).contains("\n你是 anna，课程是 ws-2026。\n"));
}

/// Where nothing can be kept one can read all the same, in ASCII too, which has no Chinese.
#[test]
fn lessons_are_read_without_a_folder_to_write_to() {
    let home = folder("no-folder");
    std::fs::write(home.join("file"), "").expect("there is room");
    let nowhere = home.join("file").join("data");
    for (args, says) in [(&["lesson"][..], "Hello, bytes"), (&["lesson", "1", "--ascii"], "1 - Upgrade")] {
        let (code, out, err) = wstool(&nowhere, Lang::En, args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        assert!(out.contains(says), "{out}");
    }
    for args in [&["lesson", "0.1"][..], &["lesson", "--student", "anna"]] {
        let (code, _, err) = wstool(&nowhere, Lang::En, args);
        assert_eq!((code, err.contains("WSTOOL_DATA names another folder")), (2, true), "{args:?}: {err}");
    }
    let (_, out, _) = wstool(&home, Lang::Zh, &["lesson", "1", "--ascii"]);
    assert!(out.starts_with("1 - Upgrade\n") && out.is_ascii(), "{out}");
}

#[test]
fn a_lesson_is_gone_through_question_by_question() {
    for lang in Lang::ALL {
        let home = folder(&format!("dialogue-{}", lang.code()));
        let instances: Vec<_> =
            lesson::lesson(0).expect("a lesson").exercises.iter().map(|e| e.instance("", "ada")).collect();
        let right: Vec<String> = instances.iter().map(|instance| instance.print(&instance.right)).collect();
        // Help, something unreadable, a wrong answer, the right one; then a question passed over.
        let said = format!("?\nhello?\n{}\n\n{}\n{}\n", right[0], right[2], right[3]);
        let args = ["lesson", "try", "0", "--student", "ada"];
        let (code, out, err) = wstool_told(&home, lang, &args, &said);
        assert_eq!((code, err.as_str()), (1, ""), "{out}");
        let (_, states, _) = wstool(&home, lang, &["lesson", "check", "0"]);
        assert!(out.ends_with(&states), "{out}");
        let solved = lang.words("solved");
        let lines: Vec<bool> = states.lines().map(|line| line.contains(&format!("  {solved}"))).collect();
        assert_eq!(lines, [true, false, true, true], "{states}");
        // What is left is asked again, and nothing else.
        let (code, out, _) = wstool_told(&home, lang, &args, &right[1]);
        assert_eq!(code, 0, "{out}");
        // Another student of another course has not begun; who is named last stays.
        let (_, out, _) = wstool(&home, lang, &["lesson", "check", "0", "--course", "x", "--student", "bob"]);
        assert!(!out.contains(&format!("  {solved}")), "{out}");
        let back = ["lesson", "check", "0", "--course", "", "--student", "ada"];
        assert_eq!(wstool(&home, lang, &back).0, 0);
        assert_eq!(wstool(&home, lang, &["lesson", "0.2", "--reset"]).0, 0);
        let (_, out, _) = wstool(&home, lang, &["lesson", "check", "0"]);
        assert_eq!(out.lines().filter(|line| line.contains(&format!("  {solved}"))).count(), 3, "{out}");
        assert_eq!(wstool(&home, lang, &["lesson", "--reset"]).0, 0);
        let (_, out, _) = wstool(&home, lang, &["lesson", "check", "0"]);
        assert!(!out.contains(&format!("  {solved}")), "{out}");
    }
}

/// An empty folder for a learner.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lessons").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("there is room");
    folder
}

/// An empty folder to work in, in which commands leave nothing either.
fn elsewhere() -> &'static Path {
    static ELSEWHERE: LazyLock<PathBuf> = LazyLock::new(|| folder("elsewhere"));
    &ELSEWHERE
}

/// Exit code, standard output, standard error.
fn wstool(home: &Path, lang: Lang, args: &[&str]) -> (i32, String, String) {
    wstool_told(home, lang, args, "")
}

/// The same, with what the learner types.
fn wstool_told(home: &Path, lang: Lang, args: &[&str], typed: &str) -> (i32, String, String) {
    let mut child = command(home, lang, args).spawn().expect("the binary was built");
    // Few bytes, which the pipe holds; whoever does not read them has ended.
    let _ = child.stdin.take().expect("piped").write_all(typed.as_bytes());
    let output = child.wait_with_output().expect("the binary ends");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

fn command(home: &Path, lang: Lang, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    // Samples are in the tool: nobody needs the clone.
    command.args(["--lang", lang.code()]).args(args).env("WSTOOL_DATA", home).current_dir(elsewhere());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
