//! What came, held against the sequences that may come, event by event.

use crate::grade::case::Prepared;
use crate::grade::script::{Payload, Send, Step, Want, What};
use crate::model::Opcode;
use crate::model::grade::{Event, EventKind};

/// Something that came.
#[derive(Clone, Copy, Debug)]
pub enum Came<'a> {
    /// A message or control frame, whole.
    Data(Opcode, &'a [u8]),
    /// The same, of which the first bytes and the length were kept.
    Kept(Opcode, &'a [u8], u64),
    /// The connection was still there.
    Still(&'a str),
    /// The peer began the end of the connection.
    Ends,
}

impl<'a> Came<'a> {
    /// What is kept of it; `None` where that is no part of any sequence.
    pub fn of(event: &'a Event) -> Option<Self> {
        match &event.what {
            EventKind::Still(name) => Some(Self::Still(name)),
            what => what.opcode().map(|opcode| Self::Kept(opcode, &event.payload, event.length)),
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is none of the sequences, whatever comes.
    Other,
    /// More may come, or has to.
    Open,
    /// It is one of the sequences, and anything more would be too much.
    Whole,
}

/// A sequence, and how much of it has come.
type Place = (usize, usize);

/// The sequences that what came may become.
#[derive(Clone, Debug)]
pub struct Matcher<'c> {
    wants: &'c [Vec<Want>],
    /// Sequences, and how much of each has come, in their order.
    alive: Vec<Place>,
    /// The same where empty pongs were passed over that may answer what was sent, or nothing: a peer may send
    /// any that it likes (RFC 6455 §5.5.3).
    beside: Vec<Place>,
    /// Whether a ping by the peer's own doing counts.
    pings: bool,
    /// What is sent in pings and pongs: a pong with something else answers none of them.
    sent: Vec<&'c Payload>,
    /// Whether that it ends the connection does.
    ends: bool,
    /// Whether messages do.
    messages: bool,
}

impl<'c> Matcher<'c> {
    /// Nothing has come.
    pub fn new(prepared: &'c Prepared) -> Self {
        Self::of(&prepared.wants, prepared)
    }

    /// The same, where other sequences may come than a case has.
    pub fn of(wants: &'c [Vec<Want>], prepared: &'c Prepared) -> Self {
        let any = |is: fn(&Want) -> bool| wants.iter().flatten().any(is);
        Self {
            wants,
            alive: (0..wants.len()).map(|sequence| (sequence, 0)).collect(),
            beside: Vec::new(),
            pings: any(|want| matches!(want, Want::Data(Opcode::PING, _))),
            sent: prepared.steps.iter().filter_map(in_control).collect(),
            ends: any(|want| matches!(want, Want::Ends)),
            messages: !prepared.only_control,
        }
    }

    /// Whether it counts: pings of an endpoint that looks whether we are there do not, nor pongs that it
    /// sends to show that it is (RFC 6455 §5.5.3), nor messages of one that sends what it likes, nor the end
    /// where no sequence has it.
    pub fn counts(&self, came: Came<'_>) -> bool {
        match came {
            Came::Data(Opcode::PING, _) | Came::Kept(Opcode::PING, ..) => self.pings,
            Came::Data(Opcode::PONG, bytes) | Came::Kept(Opcode::PONG, bytes, _) => {
                let is_sent = self.sent.iter().any(|sent| sent.is(bytes));
                is_sent || self.wants.iter().flatten().any(|want| want.is(came))
            }
            Came::Data(opcode, _) | Came::Kept(opcode, ..) if !opcode.is_control() => self.messages,
            Came::Ends => self.ends,
            _ => true,
        }
    }

    /// Takes what came next.
    pub fn take(&mut self, came: Came<'_>) {
        let mut beside = self.behind(&self.beside, came);
        if matches!(came, Came::Data(Opcode::PONG, []) | Came::Kept(Opcode::PONG, [], 0)) {
            beside.extend(self.alive.iter().chain(&self.beside));
            beside.sort_unstable();
            beside.dedup();
        }
        (self.alive, self.beside) = (self.behind(&self.alive, came), beside);
    }

    /// Where it is behind that. Each place is looked at once, however many ways there are to it.
    fn behind(&self, places: &[Place], came: Came<'_>) -> Vec<Place> {
        let mut next = Vec::new();
        for places in places.chunk_by(|one, two| one.0 == two.0) {
            let (sequence, first) = places[0];
            let mut places = places.iter().map(|(_, at)| *at).peekable();
            let mut is_reached = false;
            for (at, want) in self.wants[sequence].iter().enumerate().skip(first) {
                is_reached |= places.next_if_eq(&at).is_some();
                if !is_reached && places.peek().is_none() {
                    break;
                }
                let (want, taken, is_optional) = match want {
                    Want::Maybe(want) => (&**want, 1, true),
                    Want::Many(want) => (&**want, 0, true),
                    want => (want, 1, false),
                };
                let state = (sequence, at + taken);
                if is_reached && want.is(came) && next.last() != Some(&state) {
                    next.push(state);
                }
                is_reached &= is_optional;
            }
        }
        next
    }

    /// How far it is.
    pub fn state(&self) -> State {
        let is_open = |(sequence, at): &Place| *at < self.wants[*sequence].len();
        match if self.alive.is_empty() { &*self.beside } else { &*self.alive } {
            [] => State::Other,
            alive if alive.iter().any(is_open) => State::Open,
            _ => State::Whole,
        }
    }

    /// The part of a sequence that has come, where that is not all.
    pub fn part(&self) -> Option<f64> {
        let parts = self.alive.iter().map(|(sequence, at)| *at as f64 / self.wants[*sequence].len() as f64);
        parts.filter(|part| (f64::MIN_POSITIVE..1.0).contains(part)).max_by(f64::total_cmp)
    }

    /// The first of the sequences that what came is.
    pub fn matched(&self) -> Option<usize> {
        self.whole(&self.alive)
    }

    /// The same where empty pongs were passed over that may answer nothing.
    pub fn matched_beside(&self) -> Option<usize> {
        self.whole(&self.beside)
    }

    fn whole(&self, places: &[Place]) -> Option<usize> {
        let is_whole = |(sequence, at): &&Place| {
            self.wants[*sequence][*at..].iter().all(|want| matches!(want, Want::Maybe(_) | Want::Many(_)))
        };
        places.iter().filter(is_whole).map(|(sequence, _)| *sequence).min()
    }
}

/// What a step sends in a ping or pong.
fn in_control(step: &Step) -> Option<&Payload> {
    match step {
        Step::Send(Send {
            what: What::Message { opcode: Opcode::PING | Opcode::PONG, payload, .. }, ..
        }) => Some(payload),
        _ => None,
    }
}

impl Want {
    /// Whether something that came is it.
    pub fn is(&self, came: Came<'_>) -> bool {
        match (self, came) {
            (Self::Data(opcode, payload), Came::Data(got, bytes)) => {
                *opcode == got && payload.as_ref().is_none_or(|payload| payload.is(bytes))
            }
            (Self::Data(opcode, payload), Came::Kept(got, bytes, length)) => {
                let is_it = |payload: &Payload| {
                    payload.length() as u64 == length && payload.bytes(0).starts_with(bytes)
                };
                *opcode == got && payload.as_ref().is_none_or(is_it)
            }
            (Self::Still(name), Came::Still(got)) => name == got,
            (Self::Ends, Came::Ends) => true,
            (Self::Maybe(want) | Self::Many(want), came) => want.is(came),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::script::{play, wants};
    use crate::model::Dir;

    /// A case of which these sequences may come.
    fn waiting(wants: Vec<Vec<Want>>) -> Prepared {
        Prepared { right: wants.len(), wants, ..Prepared::default() }
    }

    #[test]
    fn many_that_may_be_missing_take_no_time() {
        let prepared = waiting(vec![wants("maybe pong \"x\" times=2000\npong \"y\"", &[]).unwrap()]);
        let mut matcher = Matcher::new(&prepared);
        for _ in 0..1999 {
            matcher.take(Came::Data(Opcode::PONG, b"x"));
        }
        assert_eq!((matcher.state(), matcher.matched()), (State::Open, None));
        matcher.take(Came::Data(Opcode::PONG, b"y"));
        assert_eq!((matcher.state(), matcher.matched()), (State::Whole, Some(0)));
        matcher.take(Came::Data(Opcode::PONG, b"y"));
        assert_eq!(matcher.state(), State::Other);
    }

    #[test]
    fn the_end_counts_where_a_sequence_has_it() {
        let wants: Vec<_> = ["ends", "text \"a\""].map(|text| wants(text, &[]).unwrap()).into();
        let prepared = waiting(wants.clone());
        let mut matcher = Matcher::new(&prepared);
        assert_eq!((matcher.state(), matcher.matched()), (State::Open, None));
        assert!(matcher.counts(Came::Ends) && !matcher.counts(Came::Data(Opcode::PING, b"")));
        matcher.take(Came::Ends);
        assert_eq!((matcher.state(), matcher.matched()), (State::Whole, Some(0)));
        assert!(!Matcher::new(&waiting(wants[1..].to_vec())).counts(Came::Ends));
    }

    #[test]
    fn what_came_is_one_of_the_sequences_or_none() {
        let wants: Vec<_> =
            ["text \"a\"\nmaybe pong \"x\"\ntext \"b\"", "", "still A", "many pong \"y\"\ntext \"c\""]
                .map(|text| wants(text, &[]).unwrap())
                .into();
        let prepared = waiting(wants);
        let text = |text: &'static str| Came::Data(Opcode::TEXT, text.as_bytes());
        for (came, state, matched) in [
            (vec![], State::Open, Some(1)),
            (vec![text("a")], State::Open, None),
            (vec![text("a"), text("b")], State::Whole, Some(0)),
            (vec![text("a"), Came::Data(Opcode::PONG, b"x"), text("b")], State::Whole, Some(0)),
            (vec![text("a"), text("b"), text("b")], State::Other, None),
            (vec![text("b")], State::Other, None),
            (vec![Came::Still("A")], State::Whole, Some(2)),
            (vec![Came::Data(Opcode::BINARY, b"a")], State::Other, None),
            (vec![text("c")], State::Whole, Some(3)),
            (vec![Came::Data(Opcode::PONG, b"y"); 3], State::Open, None),
            (
                vec![Came::Data(Opcode::PONG, b"y"), Came::Data(Opcode::PONG, b"y"), text("c")],
                State::Whole,
                Some(3),
            ),
            (
                vec![Came::Data(Opcode::PONG, b"y"), text("c"), Came::Data(Opcode::PONG, b"y")],
                State::Other,
                None,
            ),
        ] {
            let mut matcher = Matcher::new(&prepared);
            for came in &came {
                matcher.take(*came);
            }
            assert_eq!((matcher.state(), matcher.matched()), (state, matched), "{came:?}");
        }
    }

    #[test]
    fn how_much_has_come_is_known_of_what_is_as_it_should() {
        let prepared = waiting(vec![wants("text \"a\" times=4", &[]).unwrap()]);
        let part = |count: usize, word: &'static [u8]| {
            let mut matcher = Matcher::new(&prepared);
            (0..count).for_each(|_| matcher.take(Came::Data(Opcode::TEXT, word)));
            matcher.part()
        };
        assert_eq!((part(0, b"a"), part(1, b"a"), part(4, b"a")), (None, Some(0.25), None));
        assert_eq!(part(1, b"b"), None);
    }

    #[test]
    fn pings_and_messages_of_the_peers_own_do_not_count() {
        let [ping, text] = [Opcode::PING, Opcode::TEXT].map(|opcode| Came::Data(opcode, b"a"));
        let counts = |only_control| {
            let prepared = Prepared { only_control, ..waiting(vec![wants("pong any", &[]).unwrap()]) };
            let matcher = Matcher::new(&prepared);
            [ping, text].map(|came| matcher.counts(came))
        };
        assert_eq!((counts(false), counts(true)), ([false, true], [false, false]));
    }

    #[test]
    fn pongs_count_that_may_answer_what_was_sent_or_that_may_come() {
        let steps = play("ping \"a\"\npong \"b\"", Dir::Client).unwrap();
        let prepared = Prepared { steps, ..waiting(vec![wants("pong \"c\"\ntext \"d\"", &[]).unwrap()]) };
        let matcher = Matcher::new(&prepared);
        for (payload, counts) in [("a", true), ("b", true), ("c", true), ("d", false), ("", false)] {
            assert_eq!(matcher.counts(Came::Data(Opcode::PONG, payload.as_bytes())), counts, "{payload}");
        }
        let any = waiting(vec![wants("many pong any", &[]).unwrap()]);
        assert!(Matcher::new(&any).counts(Came::Kept(Opcode::PONG, b"d", 1)));
    }

    #[test]
    fn a_thousand_that_may_come_are_taken_in_no_time() {
        let prepared = waiting(vec![wants("maybe pong \"x\" times=3000\ntext \"b\"", &[]).unwrap()]);
        let mut matcher = Matcher::new(&prepared);
        for _ in 0..3000 {
            matcher.take(Came::Data(Opcode::PONG, b"x"));
        }
        assert_eq!((matcher.state(), matcher.matched()), (State::Open, None));
        matcher.take(Came::Data(Opcode::TEXT, b"b"));
        assert_eq!((matcher.state(), matcher.matched()), (State::Whole, Some(0)));
    }
}
