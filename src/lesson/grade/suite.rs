//! What a student's own server came to in the conformance suite: a report of `wstool grade --report json`.
//!
//! It cannot be judged anew: the server is not at hand. So it earns no points, and is told as what it is.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Grading;
use crate::lesson::roster::{Student, plain};
use crate::model::Text;
use crate::model::grade::REPORT;

/// Stages of who writes a first server.
const STAGES: u8 = 5;

#[derive(Deserialize)]
struct Report {
    schema: String,
    #[serde(default)]
    peers: Vec<Peer>,
}

#[derive(Deserialize)]
struct Peer {
    agent: String,
    grade: Option<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    stage: u8,
    verdict: String,
}

/// Whether a file is such a report, or claims to be.
pub(super) fn is_one(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Named {
        schema: String,
    }
    serde_json::from_str::<Named>(text).is_ok_and(|named| named.schema.starts_with("wstool-grade/"))
}

impl Grading<'_> {
    /// Takes a report of the conformance suite.
    pub(super) fn suite(&mut self, file: &str, text: &str) {
        let report = match serde_json::from_str::<Report>(text) {
            Ok(report) if report.schema == REPORT => report,
            Ok(report) => {
                let words = "a report of {}, and {} is what this tool reads; not counted";
                return self.remark(file, true, Text::with(words, plain(&report.schema)).and(REPORT));
            }
            Err(error) => {
                let words = "this is no report of wstool grade: {}; not counted";
                return self.remark(file, true, Text::with(words, plain(&error.to_string())));
            }
        };
        let Some(owner) = self.students.iter().position(|student| is_of(file, student)) else {
            let words = "no student of the list has this report of wstool grade: call it by the student, or \
                         its folder; not counted";
            return self.remark(file, true, words);
        };
        for peer in report.peers {
            self.remark(file, false, came_to(&peer));
        }
        self.handed_in[owner].files.push(file.to_owned());
    }
}

/// Whether a file, or a folder that it is in, is called by a student: `anna.json`, `anna.grade.json`,
/// `anna/grade.json`.
fn is_of(file: &str, student: &Student) -> bool {
    let is_name = |name: &str| name == student.id || name == student.file;
    let beginnings = |part: &str| part.match_indices('.').any(|(at, _)| is_name(&part[..at]));
    file.split(['/', '\\']).any(|part| is_name(part) || beginnings(part))
}

/// What a server came to, as its report says.
fn came_to(peer: &Peer) -> Text {
    let is_fine = |case: &&Case| case.verdict != "fail";
    let mut stages: BTreeMap<u8, bool> = BTreeMap::new();
    for case in &peer.cases {
        *stages.entry(case.stage).or_insert(true) &= is_fine(&case);
    }
    // Who fails at the first has not come to the second.
    let whole = (1..=STAGES).take_while(|stage| stages.get(stage).copied().unwrap_or_default()).count();
    let failed = peer.cases.len() - peer.cases.iter().filter(is_fine).count();
    let words = "the conformance suite, as this report says, of {}: {} cases, {} fail, grade {}; stages that \
                 are whole: {} of {}. Play it again to be sure: wstool grade URL";
    Text::with(words, plain(&peer.agent))
        .and(peer.cases.len())
        .and(failed)
        .and(plain(peer.grade.as_deref().unwrap_or("-")))
        .and(whole)
        .and(STAGES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::roster;

    #[test]
    fn a_report_is_somebodys_by_its_name_or_its_folder() {
        let students = roster::read("id\nanna\nb.x\n".as_bytes()).unwrap();
        for (file, owner) in [
            ("r/anna.json", Some(0)),
            ("r/anna.grade.json", Some(0)),
            ("anna/grade.json", Some(0)),
            ("r/b.x.json", Some(1)),
            ("b.json", None),
            ("annabel.json", None),
        ] {
            assert_eq!(students.iter().position(|student| is_of(file, student)), owner, "{file}");
        }
    }

    #[test]
    fn stages_count_as_far_as_they_are_whole() {
        let case = |stage, verdict: &str| Case { stage, verdict: verdict.to_owned() };
        let cases = vec![case(1, "pass"), case(2, "non-strict"), case(3, "fail"), case(4, "pass")];
        let said = came_to(&Peer { agent: "ws://a\u{1b}".to_owned(), grade: Some("D".to_owned()), cases });
        let said = said.to_string();
        assert!(said.contains("4 cases, 1 fail, grade D; stages that are whole: 2 of 5"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}
