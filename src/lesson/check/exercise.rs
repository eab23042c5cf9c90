//! One exercise, for many students.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Finding, Findings, HINTS, Kind, MISTAKES, handed_in};
use crate::lang::Lang;
use crate::lesson::{Answer, BELIEFS, Exercise, Instance, Judgement, Tick, data};
use crate::model::Text;

/// Students among whom every mistake can be made by somebody.
const MANY: usize = 100;

/// Checks an exercise with the instances of so many students of a course.
pub fn exercise(exercise: &Exercise, course: &str, students: usize) -> Vec<Finding> {
    let mut findings = Findings::at(exercise.name());
    let mut instances = Vec::with_capacity(students);
    for number in 0..students {
        let student = format!("student {number}");
        // A generator that panics for one seed in many is the fault most worth finding.
        let made = catch_unwind(AssertUnwindSafe(|| exercise.instance(course, &student)));
        let Ok(instance) = made else {
            let text = Text::with("for {} of {} there is no instance: the generator panics", student);
            findings.add(Kind::Solvable, text.and(course));
            return findings.list;
        };
        instances.push((student, instance));
    }
    solvable(&instances, &mut findings);
    distinct(exercise, course, &instances, &mut findings);
    mistakes(exercise, &instances, &mut findings);
    ticks(exercise, &instances, &mut findings);
    if let Some((student, own)) = instances.first() {
        texts(exercise, own, &exercise.example(course, student), &mut findings);
    }
    findings.list
}

fn solvable(instances: &[(String, Instance)], findings: &mut Findings) {
    for (student, instance) in instances {
        let judgement = match handed_in(instance, &instance.right) {
            Ok(right) => instance.judge_answer(&right),
            Err(typed) => {
                let text = Text::with("for {} the right answer `{}` cannot be read", student);
                return findings.add(Kind::Solvable, text.and(typed));
            }
        };
        if judgement != Judgement::Right {
            let text = Text::with("for {} the right answer is {}", student);
            return findings.add(Kind::Solvable, text.and(format!("{judgement:?}")));
        }
    }
}

fn distinct(exercise: &Exercise, course: &str, instances: &[(String, Instance)], findings: &mut Findings) {
    let question = |instance: &Instance| {
        let files: Vec<_> = instance.files.iter().map(|file| file.bytes.clone()).collect();
        (exercise.question(instance, Lang::En), files)
    };
    let mut seen = BTreeMap::new();
    for (student, instance) in instances {
        if let Some(other) = seen.insert(question(instance), student) {
            findings.add(Kind::Distinct, Text::with("{} and {} are asked the same", other).and(student));
            break;
        }
    }
    if let Some((student, instance)) = instances.first() {
        let again = exercise.instance(course, student);
        if question(&again) != question(instance) || again.right != instance.right {
            findings.add(Kind::Distinct, Text::with("{} is asked something else the second time", student));
        }
    }
}

fn mistakes(exercise: &Exercise, instances: &[(String, Instance)], findings: &mut Findings) {
    let mut made = BTreeSet::new();
    let mut told = BTreeSet::new();
    for (student, instance) in instances {
        let mut named = BTreeSet::new();
        for slip in &instance.mistakes {
            named.insert(slip.id);
            let given = match handed_in(instance, &slip.answer) {
                Ok(given) => given,
                Err(typed) => {
                    if told.insert(slip.id) {
                        let text = Text::with("{}: for {} `{}` cannot be read", slip.id);
                        findings.add(Kind::Mistakes, text.and(student).and(typed));
                    }
                    continue;
                }
            };
            let judgement = instance.judge_answer(&given);
            if judgement != Judgement::known(slip.id) && told.insert(slip.id) {
                let text = Text::with("{}: for {} it is judged {}", slip.id).and(student);
                findings.add(Kind::Mistakes, text.and(format!("{judgement:?}")));
            }
            for lang in Lang::ALL {
                let text = exercise.diagnosis(instance, slip.id, &given, lang).unwrap_or_default();
                let open = text.trim().is_empty() || data::holes(&text).next().is_some();
                if open && told.insert(slip.id) {
                    let what = format!("{} ({}): `{text}`", slip.id, lang.code());
                    findings.complete(Kind::Languages, &text, &what);
                }
            }
        }
        if named.len() < MISTAKES && told.insert("") {
            let text = Text::with("{} can make only the mistakes {}", student);
            findings.add(Kind::Mistakes, text.and(format!("{named:?}")));
        }
        made.extend(named);
    }
    let described: BTreeSet<_> = exercise.data.mistakes.keys().map(String::as_str).collect();
    for id in made.difference(&described) {
        findings.add(Kind::Mistakes, Text::with("{} is not described in lesson.toml", id));
    }
    // Few students do not make every mistake.
    let unmade = described.difference(&made).filter(|_| instances.len() >= MANY);
    for id in unmade {
        findings.add(Kind::Mistakes, Text::with("nobody makes the mistake {}", id));
    }
}

/// Each wrong tick has a text of its own, whoever makes it.
fn ticks(exercise: &Exercise, instances: &[(String, Instance)], findings: &mut Findings) {
    let mut told = BTreeSet::new();
    for (student, instance) in instances {
        let Answer::Choices(right) = &instance.right else { return };
        for lang in Lang::ALL {
            let mut said: BTreeMap<String, &str> = BTreeMap::new();
            for option in &instance.options {
                let tick = Tick { id: option.id.clone(), is_extra: !right.contains(&option.id) };
                let what = format!("tick {} ({})", option.id, lang.code());
                let Some(text) = exercise.why(instance, &tick, lang).filter(|text| !text.is_empty()) else {
                    if told.insert(what.clone()) {
                        let text = Text::with("{}: for {} nothing is said of it", what).and(student);
                        findings.add(Kind::Mistakes, text);
                    }
                    continue;
                };
                if data::holes(&text).next().is_some() && told.insert(what.clone()) {
                    findings.complete(Kind::Languages, &text, &what);
                }
                if let Some(other) = said.insert(text, &option.id)
                    && told.insert(what.clone())
                {
                    findings.add(Kind::Mistakes, Text::with("{} is told as that of {} is", what).and(other));
                }
            }
        }
    }
}

/// Every text has its words in both languages and all its holes filled.
fn texts(exercise: &Exercise, own: &Instance, example: &Instance, findings: &mut Findings) {
    let data = &exercise.data;
    for lang in Lang::ALL {
        let code = lang.code();
        let parts = [
            ("prompt", exercise.question(own, lang)),
            ("explanation", own.fill(data.explanation.in_(lang), lang)),
            ("solution", example.fill(data.solution.in_(lang), lang)),
        ];
        for (part, text) in parts {
            findings.complete(Kind::Languages, &text, &format!("{part} ({code})"));
        }
        for option in &own.options {
            let text = own.fill(option.text.in_(lang), lang);
            findings.complete(Kind::Languages, &text, &format!("option {} ({code})", option.id));
        }
        let hints = data.hints.in_(lang);
        if hints.len() != HINTS {
            let text = Text::with("{} hints ({}), {} are wanted", hints.len());
            findings.add(Kind::Hints, text.and(code).and(HINTS));
        }
        for (step, hint) in (1..).zip(hints) {
            findings.complete(Kind::Hints, &own.fill(hint, lang), &format!("hint {step} ({code})"));
            if data::holes(hint).any(|hole| hole == "answer") {
                let text = Text::with("hint {} ({}) gives the answer away", step).and(code);
                findings.add(Kind::Hints, text);
            }
        }
    }
    for (id, mistake) in &data.mistakes {
        if let Some(belief) = &mistake.belief
            && !BELIEFS.contains(&belief.as_str())
        {
            findings.add(Kind::Mistakes, Text::with("{}: no belief is called {}", id).and(belief));
        }
        if [&mistake.en, &mistake.zh].iter().any(|text| data::holes(text).any(|hole| hole == "answer")) {
            findings.add(Kind::Mistakes, Text::with("{} gives the answer away", id));
        }
    }
    if exercise.question(example, Lang::En) == exercise.question(own, Lang::En) {
        findings.add(Kind::Distinct, "the example is the student's own instance");
    }
}
