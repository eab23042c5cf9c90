//! From who is asked what to the numbers behind the question.

use sha1::{Digest, Sha1};

use crate::synth::Rng;

/// The generation of the exercises. It rises whenever a generator changes what it
/// makes, so that a report from an older tool is not judged by other questions.
pub const GENERATION: u32 = 1;

/// What an instance of an exercise depends on, and nothing else.
///
/// ```
/// use wstool::lesson::Seed;
///
/// let seed = Seed { course: "ws-2026", student: "ada", exercise: "lengths/write-three", variant: 0 };
/// assert_eq!(seed.rng().next_u64(), seed.rng().next_u64());
/// assert_ne!(seed.rng().next_u64(), Seed { student: "grace", ..seed }.rng().next_u64());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed<'a> {
    /// The course's own word: two courses share no instance.
    pub course: &'a str,
    /// Who is asked.
    pub student: &'a str,
    /// The lesson's folder and the exercise's id, as [`super::Exercise::key`] joins them.
    pub exercise: &'a str,
    /// 0 is the student's own instance; others are for another try, and [`Seed::EXAMPLE`]
    /// for the one that is worked as an example.
    pub variant: u32,
}

impl Seed<'_> {
    /// Variants from here on are examples; students are never given them.
    pub const EXAMPLE: u32 = 1 << 16;

    /// The generator of this seed: the same on every machine.
    ///
    /// SHA-1 spreads the parts over 64 bits. It is no secret: whoever has the tool
    /// can compute every answer, as a checker on the learner's machine must.
    pub fn rng(&self) -> Rng {
        let mut hash = Sha1::new();
        let numbers = [self.variant, GENERATION].map(u32::to_be_bytes);
        let texts = [self.course, self.student, self.exercise].map(str::as_bytes);
        // Each part after its length: "ab" + "c" is not "a" + "bc".
        for part in texts.into_iter().chain(numbers.iter().map(<[u8; 4]>::as_slice)) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest: [u8; 20] = hash.finalize().into();
        let first = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        Rng::new(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Seed<'_> = Seed { course: "a", student: "bc", exercise: "d", variant: 0 };

    #[test]
    fn every_part_counts_and_where_it_ends() {
        let others = [
            Seed { course: "ab", student: "c", ..SEED },
            Seed { student: "b", exercise: "cd", ..SEED },
            Seed { variant: 1, ..SEED },
            Seed { variant: Seed::EXAMPLE, ..SEED },
            Seed { exercise: "e", ..SEED },
        ];
        for other in others {
            assert_ne!(SEED.rng().next_u64(), other.rng().next_u64(), "{other:?}");
        }
    }

    /// A handout of today has to be graded tomorrow.
    #[test]
    fn a_seed_gives_the_same_numbers_in_every_version() {
        // Computed apart, from SHA-1 and SplitMix64 as they are published.
        assert_eq!(SEED.rng().next_u64(), 11_784_872_044_828_286_223);
    }
}
