use super::*;
use crate::lesson::report::{Done, FORMAT, Report};
use crate::lesson::{GENERATION, lesson, roster};

const COURSE: &str = "ws-2026";

fn students() -> Vec<Student> {
    roster::read("id,name,override\nanna,Anna Li\n张伟,张伟\ncarl,Carl,second try\n".as_bytes())
        .expect("a good list")
}

fn exercises() -> &'static [Exercise] {
    &lesson(0).expect("lesson 0").exercises
}

/// The report of one who answers everything rightly and claims to have been wrong.
fn report(course: &str, student: &str) -> Report {
    let done = |exercise: &Exercise| {
        let instance = exercise.instance(course, student);
        let answers = vec![instance.print(&instance.right)];
        Done { exercise: exercise.name(), key: exercise.key.clone(), answers, right: false, hints: 1 }
    };
    Report {
        format: FORMAT.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        generation: GENERATION,
        course: course.to_owned(),
        student: student.to_owned(),
        exercises: exercises().iter().map(done).collect(),
    }
}

fn grade(files: &[(&str, &[u8])], counts: Counts) -> Grades {
    let students = students();
    let lessons = [lesson(0).expect("lesson 0")];
    let mut grading = Grading::new(COURSE, &students, &lessons);
    for (file, bytes) in files {
        grading.take(file, bytes);
    }
    grading.finish(counts, &mut || {})
}

fn said(grades: &Grades) -> String {
    let line = |r: &Remark| format!("{}: {}", r.file.as_deref().unwrap_or("-"), r.text);
    grades.remarks.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn answers_are_judged_whatever_a_report_claims() {
    let mut liar = report(COURSE, "张伟");
    for done in &mut liar.exercises {
        done.right = true;
        done.answers = vec!["00".to_owned()];
    }
    let files = [
        ("r/anna.json", report(COURSE, "anna").json()),
        ("r/upload-17.json", liar.json()),
        ("r/carl.json", report(COURSE, "second try").json()),
    ];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let grades = grade(&files, Counts::Any);
    let points: Vec<_> = grades.students.iter().map(Graded::points).collect();
    assert_eq!((points, said(&grades).as_str()), (vec![4, 0, 4], ""));
    assert_eq!(grades.students[0].marks[0].hints, 1);
}

#[test]
fn what_a_server_came_to_is_told_and_earns_nothing() {
    let suite = |schema: &str| {
        let case = |stage: u8, verdict: &str| format!(r#"{{"stage":{stage},"verdict":"{verdict}"}}"#);
        let cases = [case(1, "pass"), case(1, "pass"), case(2, "fail")].join(",");
        format!(
            r#"{{"schema":"{schema}","peers":[{{"agent":"ws://localhost","grade":"D","cases":[{cases}]}}]}}"#
        )
    };
    let (good, other) = (suite("wstool-grade/1"), suite("wstool-grade/9"));
    let files =
        [("anna/grade.json", good.as_bytes()), ("carl.json", other.as_bytes()), ("x.json", good.as_bytes())];
    let grades = grade(&files, Counts::Any);
    let handed_in: Vec<_> =
        grades.students.iter().map(|graded| (graded.handed_in, graded.points())).collect();
    assert_eq!(handed_in, [(true, 0), (false, 0), (false, 0)]);
    let said = said(&grades);
    assert!(
        said.contains("of ws://localhost: 3 cases, 1 fail, grade D; stages that are whole: 1 of 5"),
        "{said}"
    );
    assert!(said.contains("carl.json: a report of wstool-grade/9"), "{said}");
    assert!(said.contains("x.json: no student of the list"), "{said}");
    assert_eq!(grades.remarks.iter().filter(|remark| remark.grave).count(), 2);
}

#[test]
fn reports_of_others_are_named_and_not_counted() {
    let with = |change: fn(&mut Report)| {
        let mut report = report(COURSE, "anna");
        change(&mut report);
        report.json()
    };
    let anna = || report(COURSE, "anna").json();
    for (file, text, says) in [
        ("anna.json", report("other", "anna").json(), "for the course `other`, not for `ws-2026`"),
        ("anna.json", report("", "anna").json(), "outside of a course, not for `ws-2026`"),
        ("x.json", report(COURSE, "dora").json(), "`dora`, who is not in the list"),
        ("carl.json", report(COURSE, "carl").json(), "`carl`, whose override is `second try`"),
        ("张伟.json", anna(), "the exercises of `anna`, handed in as those of `张伟`"),
        ("anna.json", with(|r| r.generation = 99), "generation 99"),
        ("anna.json", with(|r| r.format = "wstool-report/2".into()), "its format is `wstool-report/2`"),
        ("anna.json", anna()[..60].to_owned(), "not JSON"),
        ("dora.txt", "0.1 00".to_owned(), "no student of the list is `dora`"),
        ("paper.csv", "a,b\n1,2\n".to_owned(), "the columns student, exercise and answer"),
    ] {
        let grades = grade(&[(file, text.as_bytes())], Counts::Any);
        let said = said(&grades);
        assert!(said.contains(says) && said.lines().count() == 1, "{file}: {said}");
        assert_eq!(grades.missing().count(), 3, "{said}");
        assert!(grades.remarks.iter().all(|remark| remark.grave));
    }
    let other_tool = with(|r| r.tool = "0.0.9".into());
    let grades = grade(&[("anna.json", other_tool.as_bytes())], Counts::Any);
    assert!(said(&grades).contains("made by wstool 0.0.9"), "{}", said(&grades));
    assert_eq!((grades.students[0].points(), grades.remarks[0].grave), (4, false));
}

#[test]
fn answers_come_in_lines_and_from_paper() {
    let right = |student: &str, place: usize| {
        let instance = exercises()[place].instance(COURSE, student);
        instance.print(&instance.right)
    };
    let lines = format!("\u{FEFF}# mine\n0.1: {}\n0.2 = 00 11\n9.77 x\n0.3\n", right("张伟", 0));
    let utf16: Vec<u8> = lines.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let paper = format!(
        "Student;Exercise;Answer;Hints\nanna;0.1;{};2\nanna;0.3;many;\ndora;0.1;1;\nanna;0;1;\n",
        right("anna", 0)
    );
    let grades = grade(&[("a/张伟.txt", &utf16), ("paper.csv", paper.as_bytes())], Counts::Any);
    let words = |at: usize| grades.students[at].marks.iter().map(|m| m.verdict.word()).collect::<Vec<_>>();
    assert_eq!(words(0), ["right", "missing", "unreadable", "missing"]);
    assert_eq!(words(1), ["right", "wrong", "missing", "missing"]);
    assert_eq!(grades.students[0].marks[0].hints, 2);
    let said = said(&grades);
    for says in
        ["a/张伟.txt:4: there is no exercise `9.77`", "paper.csv:4: no student", "paper.csv:5: there is no"]
    {
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn which_answer_counts_can_be_chosen() {
    let instance = exercises()[0].instance(COURSE, "anna");
    let text = format!("0.1 00\n0.1 {}\n0.1 11\n", instance.print(&instance.right));
    for (counts, verdict) in
        [(Counts::Any, Verdict::Right), (Counts::First, Verdict::Wrong), (Counts::Last, Verdict::Wrong)]
    {
        let grades = grade(&[("anna.txt", text.as_bytes())], counts);
        let mark = &grades.students[0].marks[0];
        assert_eq!((&mark.verdict, mark.attempts), (&verdict, 3), "{counts:?}");
    }
}

#[test]
fn answers_to_somebody_elses_exercises_are_recognised() {
    let mut copy = report(COURSE, "anna");
    copy.student = "张伟".to_owned();
    let mut lost = report("", "anna");
    lost.course = COURSE.to_owned();
    let grades =
        grade(&[("anna.json", lost.json().as_bytes()), ("w.json", copy.json().as_bytes())], Counts::Any);
    let said = said(&grades);
    assert!(said.contains("张伟: 3 of 3 wrong answers are right for the exercises of `anna`"), "{said}");
    assert!(
        said.contains("anna: 3 of 3 wrong answers are right for exercises made without --course"),
        "{said}"
    );
}

#[test]
fn mistakes_are_diagnosed_and_counted() {
    let exercise = &exercises()[1];
    let lines = |student: &str| {
        let instance = exercise.instance(COURSE, student);
        format!("0.2 {}\n", instance.print(&instance.mistakes[0].answer))
    };
    let (anna, wei) = (lines("anna"), lines("张伟"));
    let grades = grade(&[("anna.txt", anna.as_bytes()), ("张伟.txt", wei.as_bytes())], Counts::Any);
    assert_eq!(
        grades.mistakes().iter().map(|(e, id, n)| (e.name(), *id, *n)).collect::<Vec<_>>(),
        [("0.2".to_owned(), "counted-from-one", 2)]
    );
    let lines = grades.students[0].marks[1].lines(Lang::En);
    assert!(lines[0].contains("counted the first byte as 1"), "{lines:?}");
    assert_eq!(lines[1], "See RFC 6455 §5.2.");
}

/// Students hand in what they like: whatever it is, grading goes on, and what it says
/// can be printed.
#[test]
fn nothing_that_is_handed_in_stops_a_grading() {
    use proptest::prelude::*;
    let whole = report(COURSE, "anna").json();
    let table = "student,exercise,answer\nanna,0.1,\"81 05\"\n张伟,0.2,x\n";
    let seeds = [whole.as_bytes(), table.as_bytes(), "0.1 81\n0.2：x\n# 张\n".as_bytes()];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6);
    let mut runner = proptest::test_runner::TestRunner::default();
    let strategy = (0..3_usize, 0..3_usize, edits);
    let outcome = runner.run(&strategy, |(seed, name, edits)| {
        let mut bytes = seeds[seed].to_vec();
        for (at, byte, edit) in edits {
            let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match edit {
                _ if bytes.is_empty() => bytes.push(byte),
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        let name = ["anna.json", "anna.csv", "anna.txt"][name];
        let grades = grade(&[(name, &bytes)], Counts::Any);
        let said = said(&grades);
        prop_assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
        // A list of students is read by the same reader.
        let _ = roster::read(&bytes);
        Ok(())
    });
    outcome.unwrap_or_else(|e| panic!("{e}"));
}
