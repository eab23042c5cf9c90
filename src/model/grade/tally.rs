//! How many cases came to what, and the letter that this earns.

use super::Verdict;

/// How many cases came to each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally([u64; Verdict::ALL.len()]);

impl Tally {
    /// One more case.
    pub fn add(&mut self, verdict: Verdict) {
        self.0[verdict as usize] += 1;
    }

    /// How many cases came to a verdict.
    pub fn of(&self, verdict: Verdict) -> u64 {
        self.0[verdict as usize]
    }

    /// How many cases there are.
    pub fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    /// How many of them say how well the peer does: what it does not have, and what is left open, does not.
    pub fn judged(&self) -> u64 {
        [Verdict::Fail, Verdict::NonStrict, Verdict::Pass].map(|verdict| self.of(verdict)).iter().sum()
    }

    /// Whether a letter rests on little: fewer than half of the cases were judged.
    pub fn is_thin(&self) -> bool {
        2 * self.judged() < self.all()
    }

    /// The letter for the cases that were judged; `None` where none was.
    pub fn letter(&self) -> Option<Letter> {
        let (judged, failed) = (self.judged(), self.of(Verdict::Fail));
        if judged == 0 {
            return None;
        }
        Some(match failed {
            0 if self.of(Verdict::NonStrict) * 20 <= judged => Letter::A,
            _ if failed * 50 <= judged => Letter::B,
            _ if failed * 10 <= judged => Letter::C,
            _ if failed * 3 <= judged => Letter::D,
            _ => Letter::F,
        })
    }
}

impl FromIterator<Verdict> for Tally {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut tally = Self::default();
        verdicts.into_iter().for_each(|verdict| tally.add(verdict));
        tally
    }
}

/// A grade, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Letter {
    /// More than one of three cases fails.
    F,
    /// At most one of three fails.
    D,
    /// At most one of ten fails.
    C,
    /// At most one of fifty fails, or none does and more than one of twenty is not as it should be.
    B,
    /// None fails, and at most one of twenty is not as it should be.
    A,
}

impl Letter {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::F => "F",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_earned_by_shares() {
        let letter = |fail: usize, non_strict: usize, pass: usize| {
            let verdicts = [(Verdict::Fail, fail), (Verdict::NonStrict, non_strict), (Verdict::Pass, pass)];
            let tally: Tally = verdicts.into_iter().flat_map(|(it, n)| std::iter::repeat_n(it, n)).collect();
            assert_eq!(tally.all(), (fail + non_strict + pass) as u64);
            tally.letter()
        };
        assert_eq!(letter(0, 0, 0), None);
        for (fail, non_strict, pass, expected) in [
            (0, 0, 1, Letter::A),
            (0, 4, 513, Letter::A),
            (0, 1, 19, Letter::A),
            (0, 2, 18, Letter::B),
            (3, 4, 510, Letter::B),
            (1, 0, 48, Letter::C),
            (1, 0, 6, Letter::D),
            (214, 0, 303, Letter::F),
            (1, 0, 0, Letter::F),
        ] {
            assert_eq!(letter(fail, non_strict, pass), Some(expected), "{fail} {non_strict} {pass}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_judged() {
        let tally: Tally = [Verdict::Unimplemented, Verdict::Informational].into_iter().collect();
        assert_eq!((tally.all(), tally.judged(), tally.letter()), (2, 0, None));
        for (unimplemented, is_thin) in [(3, false), (4, true)] {
            let verdicts = [(Verdict::Unimplemented, unimplemented), (Verdict::Pass, 3)];
            let tally: Tally = verdicts.into_iter().flat_map(|(it, n)| std::iter::repeat_n(it, n)).collect();
            assert_eq!((tally.letter(), tally.is_thin()), (Some(Letter::A), is_thin));
        }
    }
}
