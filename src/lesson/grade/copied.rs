//! Answers that are wrong for the student and right for somebody else's exercises.

use super::{Graded, Mark, Remark, Verdict};
use crate::lesson::{Answer, Instance};
use crate::model::Text;

/// So many answers fit by chance in no class.
const FEWEST: usize = 3;

/// Whose exercises the wrong answers fit, where they fit any.
pub(super) fn remarks(course: &str, students: &[Graded]) -> Vec<Remark> {
    students.iter().filter_map(|graded| of(course, graded, students)).collect()
}

fn of(course: &str, graded: &Graded, students: &[Graded]) -> Option<Remark> {
    let wrong =
        |mark: &Mark| !matches!(mark.verdict, Verdict::Right | Verdict::Missing) && tells(&mark.instance);
    let wrong: Vec<(usize, &Mark)> =
        graded.marks.iter().enumerate().filter(|(_, mark)| wrong(mark)).collect();
    if wrong.len() < FEWEST {
        return None;
    }
    let enough = |fit: usize| fit >= FEWEST && fit * 2 > wrong.len();
    let id = &graded.student.id;
    let remark = |text: Text| Remark { file: None, text, grave: true };
    // The student's own exercises outside of the course.
    if !course.is_empty() {
        let own = |mark: &Mark| mark.exercise.instance("", graded.student.seed());
        let fit = wrong.iter().filter(|(_, mark)| own(mark).judge(&mark.answer).is_right()).count();
        if enough(fit) {
            let all = wrong.len();
            let text = "{}: {} of {} wrong answers are right for exercises made without --course";
            return Some(remark(Text::with(text, id).and(fit).and(all)));
        }
    }
    let others = students.iter().filter(|other| other.student.seed() != graded.student.seed());
    let fits = others.map(|other| {
        let right = |place: usize, mark: &Mark| other.marks[place].instance.judge(&mark.answer).is_right();
        (wrong.iter().filter(|(place, mark)| right(*place, mark)).count(), other)
    });
    let (fit, other) = fits.max_by_key(|(fit, _)| *fit).filter(|(fit, _)| enough(*fit))?;
    let (other, all) = (&other.student.id, wrong.len());
    let text = Text::with("{}: {} of {} wrong answers are right for the exercises of `{}`", id);
    Some(remark(text.and(fit).and(all).and(other)))
}

/// Whether a right answer to another instance is hardly a coincidence: a letter may be.
fn tells(instance: &Instance) -> bool {
    match &instance.right {
        Answer::Choice(_) | Answer::Choices(_) | Answer::File(_) => false,
        Answer::Number(number) => *number >= 32,
        Answer::Numbers(numbers) => numbers.len() > 2,
        Answer::Order(ids) => ids.len() > 4,
        Answer::Hex(bytes) => bytes.len() > 1,
        Answer::Text { text, .. } => text.len() > 11,
        Answer::Decimal { .. } | Answer::Ranges(_) => true,
    }
}
