//! How long requests of an application's protocol wait for their answers, by method.

use std::collections::HashMap;

use crate::model::distribution::Distribution;
use crate::model::{Answer, Dir, Nth, Unanswered};

/// Methods that are counted apart; those that come later count together.
pub(super) const METHODS: usize = 256;

/// The latencies of all requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies {
    /// By who asked, and for what.
    methods: HashMap<(Dir, Box<str>), Latency>,
    /// Methods beyond those that are counted apart.
    pub other: Latency,
}

/// The latencies of the requests of one method.
#[derive(Clone, Debug, Default)]
pub(super) struct Latency {
    /// Nanoseconds from a request to its answer, or to the first part of it.
    pub times: Distribution,
    /// Answers to requests without times.
    pub untimed: u64,
    /// Answers that say that the request failed.
    pub errors: u64,
    /// Further answers to requests that had been answered.
    pub again: u64,
    /// Requests that had no answer when their connection, or the capture, ended.
    pub unanswered: u64,
}

impl Latency {
    /// Requests that had an answer.
    pub fn answered(&self) -> u64 {
        self.times.range.count + self.untimed
    }
}

impl Latencies {
    /// Counts an answer that `dir` gave.
    pub fn answer(&mut self, dir: Dir, answer: &Answer) {
        let it = self.of(dir.peer(), answer.method());
        let is_again = answer.nth == Nth::Again;
        it.again += u64::from(is_again);
        it.errors += u64::from(answer.failure.is_some() && !is_again);
        if answer.nth == Nth::First {
            match answer.after {
                // Packets out of order make an answer that comes before what it answers.
                Some(after) => it.times.take(u64::try_from(after).unwrap_or_default()),
                None => it.untimed += 1,
            }
        }
    }

    /// Counts what had no answer in the end.
    pub fn unanswered(&mut self, all: &[Unanswered]) {
        for it in all {
            self.of(it.dir, &it.method).unanswered += it.count;
        }
    }

    fn of(&mut self, asks: Dir, method: &str) -> &mut Latency {
        let key = (asks, Box::from(method));
        if self.methods.len() >= METHODS && !self.methods.contains_key(&key) {
            return &mut self.other;
        }
        self.methods.entry(key).or_default()
    }

    /// Each with who asks and for what, those with most requests first.
    pub fn by_count(&self) -> Vec<(Dir, &str, &Latency)> {
        // Events that were subscribed to are answers without a request that is counted.
        let counts = |it: &Latency| it.answered() + it.errors + it.again + it.unanswered > 0;
        let methods = self.methods.iter().filter(|(_, it)| counts(it));
        let mut all: Vec<_> = methods.map(|((dir, method), it)| (*dir, &**method, it)).collect();
        all.sort_by(|(dir, method, it), (other_dir, other_method, other)| {
            let count = |it: &Latency| it.answered() + it.unanswered;
            let order = count(other).cmp(&count(it));
            order.then_with(|| method.cmp(other_method)).then_with(|| dir.index().cmp(&other_dir.index()))
        });
        all
    }

    /// Whether some methods are counted together.
    pub fn has_other(&self) -> bool {
        self.other.answered() + self.other.errors + self.other.again + self.other.unanswered > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(what: &str, after: i64) -> Answer {
        Answer { what: what.to_owned(), after: Some(after), ..Answer::default() }
    }

    #[test]
    fn methods_are_counted_apart_up_to_a_cap() {
        let mut all = Latencies::default();
        for i in 0..METHODS + 10 {
            all.answer(Dir::Server, &answer(&format!("m{i}"), 5));
        }
        all.answer(Dir::Server, &answer("m0", 7));
        assert_eq!((all.by_count().len(), all.other.times.range.count), (METHODS, 10));
        let (dir, method, it) = all.by_count()[0];
        assert_eq!((dir, method, it.times.range.count, it.times.range.max), (Dir::Client, "m0", 2, 7));
    }

    #[test]
    fn only_first_answers_are_latencies() {
        let mut all = Latencies::default();
        all.answer(Dir::Server, &answer("a", 5));
        all.answer(Dir::Server, &Answer { nth: Nth::More, ..answer("a", 500) });
        all.answer(Dir::Server, &Answer { nth: Nth::Again, ..answer("a", 900) });
        all.answer(
            Dir::Server,
            &Answer { failure: Some(crate::model::Failure::default()), ..answer("a", -3) },
        );
        all.answer(Dir::Client, &Answer { nth: Nth::More, ..answer("events", 1) });
        let list = all.by_count();
        assert_eq!(list.len(), 1);
        let (_, _, it) = list[0];
        assert_eq!((it.times.range.max, it.answered(), it.errors, it.again), (5, 2, 1, 1));
    }
}
