//! Recorded answers and live ones, set side by side.

/// A recorded answer and a live one, or one of both, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair {
    /// They are the same.
    Same(usize, usize),
    /// The live one stands in the place of the recorded one.
    Differs(usize, usize),
    /// The recorded one did not come.
    Missing(usize),
    /// The live one was not recorded.
    More(usize),
}

/// Answers of each side up to which the longest common sequence is looked for.
const COMPARED: usize = 2000;

/// Pairs answers in order, so that as many as can be are the same.
pub fn pair<T: PartialEq>(recorded: &[T], live: &[T]) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(recorded.len().max(live.len()));
    let (mut was, mut at) = (0, 0);
    for (same, here) in common(recorded, live).into_iter().chain([(recorded.len(), live.len())]) {
        while was < same && at < here {
            pairs.push(Pair::Differs(was, at));
            (was, at) = (was + 1, at + 1);
        }
        pairs.extend((was..same).map(Pair::Missing));
        pairs.extend((at..here).map(Pair::More));
        if same < recorded.len() {
            pairs.push(Pair::Same(same, here));
        }
        (was, at) = (same + 1, here + 1);
    }
    pairs
}

/// A longest common sequence, as pairs of places; what stands in the same place where there is too much.
fn common<T: PartialEq>(recorded: &[T], live: &[T]) -> Vec<(usize, usize)> {
    let (rows, columns) = (recorded.len(), live.len());
    if rows > COMPARED || columns > COMPARED {
        return (0..rows.min(columns)).filter(|&at| recorded[at] == live[at]).map(|at| (at, at)).collect();
    }
    let width = columns + 1;
    // How many are common behind each pair of places.
    let mut behind = vec![0_u16; (rows + 1) * width];
    for was in (0..rows).rev() {
        for at in (0..columns).rev() {
            behind[was * width + at] = if recorded[was] == live[at] {
                behind[(was + 1) * width + at + 1] + 1
            } else {
                behind[(was + 1) * width + at].max(behind[was * width + at + 1])
            };
        }
    }
    let (mut was, mut at, mut pairs) = (0, 0, Vec::new());
    while was < rows && at < columns {
        if recorded[was] == live[at] {
            pairs.push((was, at));
            (was, at) = (was + 1, at + 1);
        } else if behind[(was + 1) * width + at] >= behind[was * width + at + 1] {
            was += 1;
        } else {
            at += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::Pair::{Differs, Missing, More, Same};
    use super::*;

    #[test]
    fn as_many_as_can_be_are_the_same() {
        for (recorded, live, pairs) in [
            ("abc", "abc", vec![Same(0, 0), Same(1, 1), Same(2, 2)]),
            ("abc", "axc", vec![Same(0, 0), Differs(1, 1), Same(2, 2)]),
            ("abc", "bc", vec![Missing(0), Same(1, 0), Same(2, 1)]),
            ("abc", "ab", vec![Same(0, 0), Same(1, 1), Missing(2)]),
            ("ab", "axb", vec![Same(0, 0), More(1), Same(1, 2)]),
            ("ab", "xyz", vec![Differs(0, 0), Differs(1, 1), More(2)]),
            ("", "", vec![]),
        ] {
            let bytes = |text: &str| text.bytes().collect::<Vec<u8>>();
            assert_eq!(pair(&bytes(recorded), &bytes(live)), pairs, "{recorded} {live}");
        }
    }

    #[test]
    fn what_is_too_much_is_compared_place_by_place() {
        let recorded: Vec<usize> = (0..=COMPARED).collect();
        let mut live = recorded.clone();
        live[7] = 0;
        let pairs = pair(&recorded, &live);
        assert_eq!((pairs.len(), pairs[7]), (COMPARED + 1, Differs(7, 7)));
    }
}
