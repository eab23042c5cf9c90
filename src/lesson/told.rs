//! What is said of a wrong answer, in whatever form it is shown.

use super::judgement::Tick;
use super::{Answer, Exercise, Instance, Judgement};
use crate::lang::Lang;

/// Wrong ticks that are still gone through one by one where a belief behind all of them is known.
const TICKS_TOLD: usize = 3;

/// The diagnosis of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// In sentences, a paragraph each.
    pub words: Vec<String>,
    /// For bytes the lines of a dump, whose columns count.
    pub dump: Vec<String>,
}

impl Exercise {
    /// What is said of a judgement of `given`; nothing of a right answer, nor of one that
    /// could not be read.
    pub fn told(&self, instance: &Instance, judgement: &Judgement, given: &Answer, lang: Lang) -> Told {
        let words = |words| Told { words, dump: Vec::new() };
        match judgement {
            Judgement::Right | Judgement::Unreadable(_) => Told::default(),
            Judgement::Ticks(ticks) => words(self.ticks(instance, ticks, lang)),
            Judgement::Differs(difference) => {
                Told { words: difference.words(instance, lang), dump: difference.dump() }
            }
            Judgement::Known(id) => {
                let diagnosis = self.diagnosis(instance, id, given, lang);
                let mut told: Vec<String> = diagnosis.into_iter().collect();
                // A belief behind several ticks comes first, then what is true of each.
                let ticks: Vec<Tick> = instance.wrong_ticks_of(given);
                if (2..=TICKS_TOLD).contains(&ticks.len()) {
                    told.extend(self.ticks(instance, &ticks, lang));
                }
                words(told)
            }
        }
    }
}
