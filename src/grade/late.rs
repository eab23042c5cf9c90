//! Pongs that come later than they should, or one for several pings: a pong SHOULD come as soon as is
//! practical (RFC 6455 §5.5.2), and a ping MAY go without one where a later ping has its own (§5.5.3).

use super::script::Want;
use crate::model::Opcode;

/// Places that are looked at, at most: a case with more of them says itself what may come.
const PLACES: usize = 1024;

/// The sequences that a right one becomes when its pongs are late: the last has to come, behind any of the
/// messages that follow it; those before it may.
pub fn pongs(right: &[Want]) -> Vec<Vec<Want>> {
    let is_pong = |want: &Want| matches!(want, Want::Data(Opcode::PONG, _));
    let Some(last) = right.iter().rposition(is_pong) else { return Vec::new() };
    let count = right.iter().filter(|want| is_pong(want)).count();
    let rest = right.len() - count;
    if count == 1 && last + 1 == right.len() || (rest + 1) * (rest + 1) * count > PLACES {
        return Vec::new();
    }
    (last..right.len()).map(|place| behind(right, last, place, is_pong)).collect()
}

/// The same where the last pong comes behind what is at a place.
fn behind(right: &[Want], last: usize, place: usize, is_pong: impl Fn(&Want) -> bool) -> Vec<Want> {
    let mut sequence = Vec::new();
    let mut owed: Vec<&Want> = Vec::new();
    let may_come = |want: &Want| Want::Maybe(Box::new(want.clone()));
    for (at, want) in right.iter().enumerate() {
        if at != last && is_pong(want) {
            sequence.push(may_come(want));
            owed.push(want);
        } else if at != last {
            sequence.push(want.clone());
            let are_waited_for = at <= place;
            sequence.extend(owed.iter().filter(|_| are_waited_for).map(|want| may_come(want)));
        }
        if at == place {
            sequence.push(right[last].clone());
        }
    }
    sequence
}

#[cfg(test)]
mod tests {
    use super::super::script::wants;
    use super::*;

    #[test]
    fn pongs_may_be_late_or_be_one_for_several() {
        let read = |text: &str| wants(text, &[]).unwrap();
        for (right, late) in [
            ("text \"a\"\npong \"x\"", vec![]),
            ("text \"a\"", vec![]),
            ("pong \"x\"\npong \"y\"", vec!["maybe pong \"x\"\npong \"y\""]),
            ("pong \"x\"\ntext \"a\"", vec!["pong \"x\"\ntext \"a\"", "text \"a\"\npong \"x\""]),
            (
                "pong \"x\"\ntext \"a\"\npong \"y\"\ntext \"b\"",
                vec![
                    "maybe pong \"x\"\ntext \"a\"\nmaybe pong \"x\"\npong \"y\"\ntext \"b\"",
                    "maybe pong \"x\"\ntext \"a\"\nmaybe pong \"x\"\ntext \"b\"\n\
                     maybe pong \"x\"\npong \"y\"",
                ],
            ),
        ] {
            assert_eq!(pongs(&read(right)), late.into_iter().map(read).collect::<Vec<_>>(), "{right}");
        }
        assert!(pongs(&read("pong \"x\" times=2000\ntext \"a\"")).is_empty());
    }
}
