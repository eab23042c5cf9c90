//! Where what came first differs from what may come.

use std::time::Duration;

use super::super::matching::{Came, Matcher};
use crate::grade::case::Prepared;
use crate::grade::script::{Payload, Want};
use crate::model::Opcode;
use crate::model::grade::{Event, EventKind};

/// The first difference from the sequence that what came is most of.
#[derive(Debug)]
pub struct Difference<'a> {
    /// What should have come; `None` where nothing more should.
    pub wanted: Option<(Opcode, Option<&'a Payload>)>,
    /// What came instead.
    pub got: Option<&'a Event>,
    /// What came before it, as it should.
    pub before: Vec<&'a Event>,
    /// What came behind it.
    pub behind: Vec<&'a Event>,
    /// What should have come behind what is wanted.
    pub later: &'a [Want],
}

/// Finds it; `None` where all is as it should be, or the connection should have been kept. What came before
/// `began`, when the first of ours went out, answers nothing.
pub fn first<'a>(prepared: &'a Prepared, all: &'a [Event], began: Duration) -> Option<Difference<'a>> {
    let matcher = Matcher::new(prepared);
    let counts = |event: &&Event| Came::of(event).is_some_and(|came| matcher.counts(came));
    let got: Vec<&Event> = all.iter().filter(counts).collect();
    let right = prepared.wants.iter().take(prepared.right);
    let (at, wanted, later) = right.map(|wants| reach(wants, &got)).max_by_key(|(at, ..)| *at)?;
    let wanted = match wanted {
        Some(Want::Data(opcode, payload)) => Some((*opcode, payload.as_ref())),
        Some(_) => return None,
        None if at == got.len() => return None,
        None => None,
    };
    // A pong that does not count is an answer where the right one never came: as far as anybody can tell.
    let pong = |event: &&Event| event.what == EventKind::Pong && event.after >= began && !counts(event);
    let instead = matches!(wanted, Some((Opcode::PONG, _))).then(|| all.iter().find(pong)).flatten();
    Some(Difference {
        wanted,
        got: instead.or(got.get(at).copied()),
        before: got[..at].to_vec(),
        behind: got.get(at + 1..).unwrap_or_default().to_vec(),
        later,
    })
}

/// How many events are as a sequence has them, and what of that should have come next.
fn reach<'a>(wants: &'a [Want], got: &[&Event]) -> (usize, Option<&'a Want>, &'a [Want]) {
    let mut at = 0;
    for (number, want) in wants.iter().enumerate() {
        let fits = |at: usize, want: &Want| got.get(at).is_some_and(|event| is(want, event));
        match want {
            Want::Maybe(want) => at += usize::from(fits(at, want)),
            Want::Many(want) => {
                while fits(at, want) {
                    at += 1;
                }
            }
            want if fits(at, want) => at += 1,
            want => return (at, Some(want), &wants[number + 1..]),
        }
    }
    (at, None, &[])
}

/// Whether an event is what may come.
pub fn is(want: &Want, event: &Event) -> bool {
    Came::of(event).is_some_and(|came| want.is(came))
}

/// Whether all that came is one of the sequences.
pub fn is_one_of(wants: &[Vec<Want>], prepared: &Prepared, got: &[Event]) -> bool {
    let mut matcher = Matcher::of(wants, prepared);
    for came in got.iter().filter_map(Came::of) {
        if matcher.counts(came) {
            matcher.take(came);
        }
    }
    matcher.matched().is_some()
}
