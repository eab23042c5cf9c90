//! Questions with any number of right options: each wrong tick is told by itself.

use std::collections::BTreeSet;

use super::Exercise;
use super::answer::{Answer, label};
use super::data::fill;
use super::instance::{Instance, Slip};
use super::judgement::Tick;
use crate::lang::Lang;

impl Instance {
    /// The wrong ticks of an answer; none where it ticks nothing.
    pub fn wrong_ticks_of(&self, given: &Answer) -> Vec<Tick> {
        match (&self.right, given) {
            (Answer::Choices(right), Answer::Choices(given)) => self.wrong_ticks(right, given),
            _ => Vec::new(),
        }
    }

    /// The wrong ticks of an answer, in the order of the options.
    pub(super) fn wrong_ticks(&self, right: &BTreeSet<String>, given: &BTreeSet<String>) -> Vec<Tick> {
        let is_wrong = |id: &&String| right.contains(*id) != given.contains(*id);
        let ids = self.options.iter().map(|option| &option.id).filter(is_wrong);
        ids.map(|id| Tick { id: id.clone(), is_extra: given.contains(id) }).collect()
    }
}

impl Exercise {
    /// What is said of each wrong tick: the option's letter, and what is true of it.
    pub fn ticks(&self, instance: &Instance, ticks: &[Tick], lang: Lang) -> Vec<String> {
        let line = |tick: &Tick| {
            let place = instance.options.iter().position(|option| option.id == tick.id);
            let letter = label(place.unwrap_or_default());
            let why = self.why(instance, tick, lang).unwrap_or_default();
            if tick.is_extra {
                lang.fill("{}) does not belong there. {}", &[&letter, &why])
            } else {
                lang.fill("{}) is missing. {}", &[&letter, &why])
            }
        };
        ticks.iter().map(line).collect()
    }

    /// Why a tick is wrong: its own text, or that of the mistake that makes this tick and no other.
    pub fn why(&self, instance: &Instance, tick: &Tick, lang: Lang) -> Option<String> {
        let own = self.data.ticks.get(&tick.id);
        let own = own.and_then(|own| if tick.is_extra { own.extra.as_ref() } else { own.missing.as_ref() });
        let (text, slip) = if let Some(text) = own {
            (text.in_(lang), None)
        } else {
            let slip = instance.mistakes.iter().find(|slip| makes_only(instance, slip, tick))?;
            (self.data.mistakes.get(slip.id)?.in_(lang), Some(slip))
        };
        Some(fill(text, |name| instance.value(name, slip, lang)).trim().to_owned())
    }
}

fn makes_only(instance: &Instance, slip: &Slip, tick: &Tick) -> bool {
    instance.wrong_ticks_of(&slip.answer).as_slice() == std::slice::from_ref(tick)
}
