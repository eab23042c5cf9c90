//! The course, all of it: every exercise of every lesson for many learners, judged as
//! a learner's answers are, and the commands that go with them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wstool::lang::Lang;
use wstool::lesson::{self, Answer, BELIEFS, Bilingual, Exercise, Instance, Judgement, data};

const STUDENTS: usize = 200;
const COURSE: &str = "a course";

fn exercises() -> impl Iterator<Item = &'static Exercise> {
    lesson::lessons().iter().flat_map(|lesson| &lesson.exercises)
}

fn students() -> impl Iterator<Item = String> {
    (0..STUDENTS).map(|n| format!("student {n}"))
}

/// An answer as a learner hands it in: printed and read again, or as a file.
fn handed_in(instance: &Instance, answer: &Answer) -> Answer {
    if let Answer::File(_) = answer {
        return answer.clone();
    }
    let typed = instance.print(answer);
    instance.parse(&typed).unwrap_or_else(|wanted| panic!("`{typed}` cannot be read: {}", wanted.en))
}

#[test]
fn every_exercise_can_be_solved_by_everyone() {
    for exercise in exercises() {
        for student in students() {
            let instance = exercise.instance(COURSE, &student);
            let right = handed_in(&instance, &instance.right);
            let judgement = instance.judge_answer(&right);
            assert_eq!(judgement, Judgement::Right, "{} {student}: {instance:?}", exercise.key);
        }
    }
}

#[test]
fn no_two_learners_share_an_instance() {
    for exercise in exercises() {
        let mut seen = BTreeMap::new();
        for student in students() {
            let instance = exercise.instance(COURSE, &student);
            let files: Vec<_> = instance.files.iter().map(|file| file.bytes.clone()).collect();
            let question = (exercise.question(&instance, Lang::En), files);
            if let Some(other) = seen.insert(question, student.clone()) {
                panic!("{}: {other} and {student} are asked the same: {instance:?}", exercise.key);
            }
        }
        let again = exercise.instance(COURSE, "student 0");
        assert_eq!(again.right, exercise.instance(COURSE, "student 0").right, "{}", exercise.key);
    }
}

#[test]
fn mistakes_are_told_apart_and_named() {
    for exercise in exercises() {
        let key = &exercise.key;
        for student in students() {
            let instance = exercise.instance(COURSE, &student);
            let mut named = BTreeSet::new();
            for slip in &instance.mistakes {
                let given = handed_in(&instance, &slip.answer);
                let judgement = instance.judge_answer(&given);
                assert_eq!(judgement, Judgement::known(slip.id), "{key} {student}: {instance:?}");
                for lang in Lang::ALL {
                    let text = exercise.diagnosis(&instance, slip.id, &given, lang);
                    let text = text.unwrap_or_else(|| panic!("{key}: {} is not in lesson.toml", slip.id));
                    complete(&text, &format!("{key}: mistake {}", slip.id));
                }
                named.insert(slip.id);
            }
            assert!(named.len() >= 3, "{key} {student}: only the mistakes {named:?}");
        }
        let told: BTreeSet<_> = exercise.data.mistakes.keys().map(String::as_str).collect();
        let made: BTreeSet<_> = students()
            .flat_map(|student| exercise.instance(COURSE, &student).mistakes)
            .map(|slip| slip.id)
            .collect();
        assert_eq!(told, made, "{key}: the mistakes of lesson.toml and those that learners can make");
    }
}

/// Every text has its words in both languages and all its holes filled.
#[test]
fn texts_are_complete() {
    for exercise in exercises() {
        let key = &exercise.key;
        let example = exercise.example(COURSE, "student 0");
        let own = exercise.instance(COURSE, "student 0");
        for lang in Lang::ALL {
            let fill = |instance: &Instance, text: &Bilingual| instance.fill(text.in_(lang), lang);
            complete(&exercise.question(&own, lang), &format!("{key}: prompt"));
            complete(&fill(&own, &exercise.data.explanation), &format!("{key}: explanation"));
            complete(&fill(&example, &exercise.data.solution), &format!("{key}: solution"));
            assert_eq!(exercise.data.hints.in_(lang).len(), 3, "{key}: hints");
            for hint in exercise.data.hints.in_(lang) {
                complete(&own.fill(hint, lang), &format!("{key}: hint"));
                assert!(data::holes(hint).all(|hole| hole != "answer"), "{key}: a hint gives the answer");
            }
            for option in &own.options {
                complete(&fill(&own, &option.text), &format!("{key}: option {}", option.id));
            }
        }
        for (id, mistake) in &exercise.data.mistakes {
            if let Some(belief) = &mistake.belief {
                assert!(BELIEFS.contains(&belief.as_str()), "{key}: {id}: no belief is called {belief}");
            }
            let tells = |text: &str| data::holes(text).any(|hole| hole == "answer");
            assert!(!tells(&mistake.en) && !tells(&mistake.zh), "{key}: {id} gives the answer away");
        }
        let question = exercise.question(&example, Lang::En);
        assert_ne!(question, exercise.question(&own, Lang::En), "{key}: the example is another one");
    }
}

fn complete(text: &str, what: &str) {
    assert!(!text.trim().is_empty(), "{what} is empty");
    let open: Vec<_> = data::holes(text).collect();
    assert!(open.is_empty(), "{what}: nothing fills {open:?} in: {text}");
}

#[test]
fn lessons_stand_in_their_order() {
    for lesson in lesson::lessons() {
        let number = lesson.data.number;
        assert!(lesson.slug.starts_with(&format!("{number:02}-")), "{}: number = {number}", lesson.slug);
        assert!(lesson.data.requires.iter().all(|before| *before < number), "{}: requires", lesson.slug);
        for text in [&lesson.data.title, &lesson.data.objective, &lesson.data.belief] {
            assert!(!text.en.is_empty() && !text.zh.is_empty(), "{}: a text is empty", lesson.slug);
        }
    }
    let numbers: Vec<_> = lesson::lessons().iter().map(|lesson| lesson.data.number).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
}

/// Both languages of a page have the same parts and run the same commands.
#[test]
fn pages_have_one_structure() {
    for lesson in lesson::lessons() {
        let [en, zh] = Lang::ALL.map(|lang| structure(lesson.page(lang)));
        assert_eq!(en, zh, "lessons/{}: en.md, zh.md", lesson.slug);
    }
}

/// Headings by their level, commands without their language, tables by their rows, code blocks.
fn structure(page: &str) -> Vec<String> {
    let mut inside = false;
    let mut parts = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside;
            parts.push(line.to_owned());
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            parts.push(command.replace(" --lang zh", ""));
        } else if !inside && line.starts_with('#') {
            parts.push(line.chars().take_while(|c| *c == '#').collect());
        } else if !inside && line.starts_with('|') {
            parts.push("a row".to_owned());
        }
    }
    parts
}

/// A learner's way through the course by the command line, in both languages: wrong
/// answers first, then help, then the right one and what it shows.
#[test]
fn the_course_by_the_command_line() {
    for lang in Lang::ALL {
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
                let diagnosis =
                    exercise.diagnosis(&instance, slip.id, &given, lang).expect("it is described");
                let squeezed = |text: &str| text.split_whitespace().collect::<String>();
                assert!(squeezed(&out).contains(&squeezed(&diagnosis)), "{name} {}: {out}", slip.id);
                assert!(out.contains(&exercise.data.section), "{name}: the section is cited: {out}");
            }
            let help: Vec<String> = (0..5).map(|_| run(&["lesson", "hint", &name]).1).collect();
            assert_eq!(help[3], help[4], "{name}: the ladder ends with a solution");
            let (code, out, err) = answer(&instance.right);
            assert_eq!((code, err.as_str()), (0, ""), "{name}: {out}");
            if !instance.command.is_empty() {
                let shown = out.split_once("\n$ wstool ").map_or("", |(_, shown)| shown);
                assert!(shown.lines().count() > 4, "{name}: the command shows the truth: {out}");
            }
        }
        for lesson in lesson::lessons() {
            let (code, out, _) = run(&["lesson", "check", &lesson.data.number.to_string()]);
            assert_eq!(code, 0, "{out}");
        }
        let (code, out, _) = run(&["lesson"]);
        assert_eq!((code, out.lines().count()), (0, lesson::lessons().len() + 2), "{out}");
    }
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
    std::fs::write(home.join("learner.json"), "{").expect("there is room");
    let (code, _, err) = wstool(&home, Lang::En, &["lesson"]);
    assert_eq!((code, err.lines().count()), (2, 1), "{err}");
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

/// Exit code, standard output, standard error.
fn wstool(home: &Path, lang: Lang, args: &[&str]) -> (i32, String, String) {
    wstool_told(home, lang, args, "")
}

/// The same, with what the learner types.
fn wstool_told(home: &Path, lang: Lang, args: &[&str], typed: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wstool"))
        .args(["--lang", lang.code()])
        .args(args)
        .env("WSTOOL_DATA", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    // Few bytes, which the pipe holds; whoever does not read them has ended.
    let _ = child.stdin.take().expect("piped").write_all(typed.as_bytes());
    let output = child.wait_with_output().expect("the binary ends");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}
