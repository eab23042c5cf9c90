use std::collections::BTreeMap;

use super::*;
use crate::lesson::data::{Bilingual, ExerciseData, Ladder, MistakeData};
use crate::lesson::{Exercise, Make};
use crate::synth::Rng;

/// An exercise without a fault, but for what `data` and `make` do.
fn with(data: fn(&mut ExerciseData), make: fn(&mut Rng) -> Instance) -> Vec<(Kind, String)> {
    let text = |text: &str| Bilingual::new(text, text);
    let mistake = |text: &str| MistakeData { belief: None, en: text.to_owned(), zh: text.to_owned() };
    let hints = vec!["one".to_owned(), "two".to_owned(), "three".to_owned()];
    let mut exercise = ExerciseData {
        id: "double".to_owned(),
        section: "RFC 6455 §5.2".to_owned(),
        points: 1,
        prompt: text("Double {n}."),
        hints: Ladder { en: hints.clone(), zh: hints },
        solution: text("{answer}"),
        explanation: text("It is {answer}."),
        words: BTreeMap::new(),
        options: BTreeMap::new(),
        mistakes: ["not-doubled", "squared", "added-two"]
            .map(|id| (id.to_owned(), mistake("No: {got}.")))
            .into(),
        ticks: BTreeMap::new(),
    };
    data(&mut exercise);
    let exercise = Exercise {
        lesson: 0,
        place: 9,
        key: "x/double".to_owned(),
        data: exercise,
        make: Make { id: "double", make },
    };
    super::exercise(&exercise, "c", 100).into_iter().map(|f| (f.kind, f.text.to_string())).collect()
}

fn double(rng: &mut Rng) -> Instance {
    let n = 3 + rng.next_u64() % 1_000_000;
    Instance::new(Answer::Number(2 * n))
        .hole("n", n)
        .mistake("not-doubled", Answer::Number(n))
        .mistake("squared", Answer::Number(n * n))
        .mistake("added-two", Answer::Number(n + 2))
}

#[test]
fn a_good_exercise_has_no_findings() {
    assert_eq!(with(|_| {}, double), []);
}

#[test]
fn every_fault_is_found() {
    fn again(rng: &mut Rng) -> Instance {
        double(&mut Rng::new(rng.below(5)))
    }
    fn panics(rng: &mut Rng) -> Instance {
        assert!(!rng.one_in(10), "on purpose");
        double(rng)
    }
    fn coincides(rng: &mut Rng) -> Instance {
        let mut instance = double(rng);
        let right = instance.right.clone();
        instance.mistakes.clear();
        instance
            .mistake("not-doubled", right)
            .mistake("squared", Answer::Number(1))
            .mistake("squared", Answer::Number(2))
    }
    fn unsolvable(rng: &mut Rng) -> Instance {
        double(rng).judged_by(|_| Judgement::Right)
    }
    use crate::lesson::Judgement;
    let cases = [
        (Kind::Distinct, "are asked the same", with(|_| {}, again)),
        (Kind::Solvable, "the generator panics", with(|_| {}, panics)),
        (Kind::Mistakes, "not-doubled: for student 0 it is judged Right", with(|_| {}, coincides)),
        (Kind::Mistakes, "can make only the mistakes", with(|_| {}, coincides)),
        (Kind::Mistakes, "nobody makes the mistake added-two", with(|_| {}, coincides)),
        (Kind::Hints, "hint 2 (zh) is empty", with(|data| data.hints.zh[1].clear(), double)),
        (Kind::Hints, "2 hints (en)", with(|data| data.hints.en.truncate(2), double)),
        (Kind::Languages, "explanation (zh) is empty", with(|data| data.explanation.zh.clear(), double)),
        (
            Kind::Languages,
            "prompt (en): nothing fills {m}",
            with(|data| data.prompt.en.push_str("{m}"), double),
        ),
    ];
    for (kind, says, findings) in cases {
        let found = findings.iter().any(|(of, text)| *of == kind && text.contains(says));
        assert!(found, "{says}: {findings:?}");
    }
    assert_eq!(with(|_| {}, unsolvable), [], "a judge of files does not judge numbers");
    let told = with(|data| data.hints.en[2].push_str("{answer}"), double);
    assert_eq!(told.last().map(|(kind, _)| *kind), Some(Kind::Hints), "{told:?}");
}
