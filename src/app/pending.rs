//! Requests that wait for their answers, of all protocols that have such.
//!
//! A protocol says what [begins](Pending::begin) a request and which message is a possible answer; what is
//! kept of requests, for how long and how much of it is decided here.

use std::collections::VecDeque;

use super::excerpt::clipped;
use crate::limits::{ACKS_OUTSTANDING, ANSWERED_REMEMBERED, REQUEST_ID, REQUESTS_HELD};
use crate::model::{Answer, Dir, Failure, Nth, Time, Unanswered};

/// What ties an answer to its request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Id {
    /// Nothing but the order.
    #[default]
    None,
    /// A number.
    Number(u64),
    /// As it is written on the wire, with quotes where these tell a string from a number.
    Text(Box<str>),
}

impl Id {
    /// An id that is written like this; `None` if it is too long to be remembered.
    pub fn text(text: &str) -> Option<Self> {
        (text.len() <= REQUEST_ID).then(|| Self::Text(text.into()))
    }

    /// To be shown.
    pub fn shown(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.trim_matches('"').to_owned()),
        }
    }
}

/// When and in which packets something was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// When it was complete.
    pub time: Option<Time>,
    /// The first and the last packet that carried it.
    pub packets: Option<(u64, u64)>,
}

/// A request. `X` is what else its protocol needs to know when the answer comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request<X = ()> {
    /// What sort of answer it wants, where a protocol has several that have ids of their own.
    pub kind: u64,
    /// What its answer will carry.
    pub id: Id,
    /// What is asked for, to be shown.
    pub what: String,
    /// The name under which its latency counts; `None` where that is `what`.
    pub method: Option<String>,
    /// It may stay without an answer, or waits for events: its times say nothing about how fast the peer
    /// answers.
    pub lasting: bool,
    /// It may stay without an answer; one that comes counts.
    pub optional: bool,
    /// What else its protocol needs to know when the answer comes.
    pub extra: X,
}

#[derive(Debug)]
struct Asked<X> {
    request: Request<X>,
    moment: Moment,
    /// A part of its answer has come.
    answered: bool,
    /// Its answer may have come: something of who answers is missing, or answers that came later were read
    /// before it, which happens behind a hole.
    doubtful: bool,
}

impl<X> Asked<X> {
    /// Bytes that it takes.
    fn cost(&self) -> usize {
        let Request { id, what, method, .. } = &self.request;
        let id = if let Id::Text(text) = id { text.len() } else { 0 };
        size_of::<Self>() + id + what.len() + method.as_ref().map_or(0, String::len)
    }

    /// Whether its answer is missing.
    fn is_due(&self) -> bool {
        let Request { lasting, optional, .. } = self.request;
        !(self.answered || self.doubtful || lasting || optional)
    }

    fn answer(&self, now: Moment, nth: Nth, failure: Option<Failure>) -> Answer {
        let nth = if self.request.lasting && failure.is_none() { Nth::More } else { nth };
        let after = now.time.zip(self.moment.time).map(|(now, then)| now.since(then));
        let Request { what, method, .. } = &self.request;
        let (what, method, packets) = (what.clone(), method.clone(), self.moment.packets);
        Answer { what, method, packets, after, nth, failure }
    }
}

/// What a direction asked for.
#[derive(Debug)]
struct Lane<X> {
    waiting: VecDeque<Asked<X>>,
    /// The last requests that have their answer, where another one would be wrong.
    answered: VecDeque<Asked<X>>,
    /// There may have been other requests: some were not seen, or forgotten.
    incomplete: bool,
    /// When the last answer came that no request fitted.
    unfit: Option<Time>,
    /// How many of them may belong to requests that are yet to be read.
    early: u32,
}

impl<X> Default for Lane<X> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), answered: VecDeque::new(), incomplete: false, unfit: None, early: 0 }
    }
}

impl<X> Lane<X> {
    /// An answer came that no request fits.
    fn misfits(&mut self, now: Moment) {
        self.unfit = self.unfit.max(now.time);
        self.early = self.early.saturating_add(u32::from(self.incomplete));
    }

    /// Whether the answer to a request of this moment may have been read before it.
    fn may_be_answered(&mut self, moment: Moment) -> bool {
        let is_early = self.early > 0;
        self.early = self.early.saturating_sub(1);
        is_early || self.unfit.zip(moment.time).is_some_and(|(unfit, time)| unfit >= time)
    }
}

/// The requests of one connection, of both directions, that wait for answers.
///
/// Of each direction at most [`ACKS_OUTSTANDING`] wait, and what is held takes at most [`REQUESTS_HELD`]
/// bytes; beyond that the oldest is forgotten.
#[derive(Debug)]
pub struct Pending<X = ()> {
    lanes: [Lane<X>; 2],
    held: usize,
}

impl<X> Default for Pending<X> {
    fn default() -> Self {
        Self { lanes: Default::default(), held: 0 }
    }
}

impl<X> Pending<X> {
    /// `dir` asks for something.
    pub fn begin(&mut self, dir: Dir, moment: Moment, request: Request<X>) {
        let Self { lanes, held } = self;
        let lane = &mut lanes[dir.index()];
        // An id that is used again stands for the new request.
        if let Some(at) = lane.answered.iter().position(|it| it.request.is_like(&request))
            && let Some(old) = lane.answered.remove(at)
        {
            *held -= old.cost();
        }
        // Who uses it again has had the answer that was missed.
        let is_over = |asked: &Asked<X>| asked.doubtful && asked.request.is_like(&request);
        if let Some(at) = lane.waiting.iter().position(is_over)
            && let Some(old) = lane.waiting.remove(at)
        {
            *held -= old.cost();
        }
        let doubtful = lane.may_be_answered(moment);
        let asked = Asked { request, moment, answered: false, doubtful };
        *held += asked.cost();
        lane.waiting.push_back(asked);
        while lane.waiting.len() > ACKS_OUTSTANDING || *held > REQUESTS_HELD {
            // Who has its answer goes first.
            let gone = lane.answered.pop_front();
            let Some(gone) = gone.or_else(|| {
                lane.incomplete = true;
                lane.waiting.pop_front()
            }) else {
                break;
            };
            *held -= gone.cost();
        }
    }

    /// The same, unless the request waits already: what says it once more is the same request.
    pub fn begin_once(&mut self, dir: Dir, moment: Moment, request: Request<X>) {
        if !self.lanes[dir.index()].waiting.iter().any(|asked| asked.request.is_like(&request)) {
            self.begin(dir, moment, request);
        }
    }

    /// The last request of `dir` whose answer is certainly still to come, and when it was made.
    pub fn due(&self, dir: Dir) -> Option<(&Request<X>, Moment)> {
        let due = self.lanes[dir.index()].waiting.iter().rfind(|asked| asked.is_due())?;
        Some((&due.request, due.moment))
    }

    /// Whether `dir` waits for an answer to a request like this.
    pub fn waits(&self, dir: Dir, fits: impl Fn(&Request<X>) -> bool) -> bool {
        self.lanes[dir.index()].waiting.iter().any(|asked| fits(&asked.request))
    }

    /// Whether a request of `dir` like this has had its answer.
    pub fn was_answered(&self, dir: Dir, fits: impl Fn(&Request<X>) -> bool) -> bool {
        self.lanes[dir.index()].answered.iter().any(|asked| fits(&asked.request))
    }

    /// `dir` gives a part of an answer to the first request that fits, and more of it may follow.
    pub fn go_on(&mut self, dir: Dir, now: Moment, fits: impl Fn(&Request<X>) -> bool) -> Option<Answer> {
        let lane = &mut self.lanes[dir.peer().index()];
        let Some(asked) = lane.waiting.iter_mut().find(|asked| fits(&asked.request)) else {
            lane.misfits(now);
            return None;
        };
        let nth = if std::mem::replace(&mut asked.answered, true) { Nth::More } else { Nth::First };
        Some(asked.answer(now, nth, None))
    }

    /// `dir` answers the first request that fits, which is over with that.
    pub fn take(
        &mut self,
        dir: Dir,
        now: Moment,
        fits: impl Fn(&Request<X>) -> bool,
        failure: Option<Failure>,
    ) -> Option<(Answer, Request<X>)> {
        let Some(asked) = self.remove(dir, fits) else {
            let lane = &mut self.lanes[dir.peer().index()];
            lane.misfits(now);
            return None;
        };
        let nth = if asked.answered { Nth::More } else { Nth::First };
        Some((asked.answer(now, nth, failure), asked.request))
    }

    /// The same, and where the request has had its answer already, this is another one.
    pub fn answer(
        &mut self,
        dir: Dir,
        now: Moment,
        fits: impl Fn(&Request<X>) -> bool,
        failure: Option<Failure>,
    ) -> Option<Answer> {
        let Some(asked) = self.remove(dir, &fits) else {
            let lane = &mut self.lanes[dir.peer().index()];
            let Some(asked) = lane.answered.iter().rev().find(|asked| fits(&asked.request)) else {
                lane.misfits(now);
                return None;
            };
            return Some(asked.answer(now, Nth::Again, failure));
        };
        let nth = if asked.answered { Nth::More } else { Nth::First };
        let answer = asked.answer(now, nth, failure);
        let Self { lanes, held } = self;
        let answered = &mut lanes[dir.peer().index()].answered;
        *held += asked.cost();
        answered.push_back(asked);
        while answered.len() > ANSWERED_REMEMBERED || *held > REQUESTS_HELD {
            let Some(gone) = answered.pop_front() else { break };
            *held -= gone.cost();
        }
        Some(answer)
    }

    /// Whoever asked does not want an answer any longer.
    pub fn cancel(&mut self, dir: Dir, fits: impl Fn(&Request<X>) -> bool) {
        self.remove(dir.peer(), fits);
    }

    fn remove(&mut self, dir: Dir, fits: impl Fn(&Request<X>) -> bool) -> Option<Asked<X>> {
        let queue = &mut self.lanes[dir.peer().index()].waiting;
        let at = queue.iter().position(|asked| fits(&asked.request))?;
        let asked = queue.remove(at)?;
        self.held -= asked.cost();
        Some(asked)
    }

    /// Something that `dir` sent was not read: answers may have been among it, and requests. An answer that
    /// names its request still finds it; those that are told by their order alone cannot.
    pub fn lost(&mut self, dir: Dir) {
        self.lanes[dir.index()].incomplete = true;
        let Self { lanes, held } = self;
        let lane = &mut lanes[dir.peer().index()];
        let before = lane.waiting.len();
        lane.waiting.retain_mut(|asked| {
            asked.doubtful = true;
            let is_named = asked.request.id != Id::None;
            *held -= if is_named { 0 } else { asked.cost() };
            is_named
        });
        lane.incomplete |= lane.waiting.len() < before;
    }

    /// Whether requests of `dir` are missing among those that are remembered.
    pub fn is_incomplete(&self, dir: Dir) -> bool {
        self.lanes[dir.index()].incomplete
    }

    /// The same where what was lost may have ended requests of both directions.
    pub fn lose_all(&mut self, dir: Dir) {
        let incomplete = self.lanes.each_ref().map(|lane| lane.incomplete);
        *self = Self::default();
        for (lane, was) in self.lanes.iter_mut().zip(incomplete) {
            lane.incomplete = was;
        }
        self.miss(dir);
    }

    /// Nothing was asked so far, and everything that is from now on is seen: another session begins.
    pub fn begin_anew(&mut self) {
        *self = Self::default();
    }

    /// Requests of `dir` may have been missed.
    pub fn miss(&mut self, dir: Dir) {
        self.lanes[dir.index()].incomplete = true;
    }
}

/// What is asked of the requests of a connection whatever its protocol.
pub trait Requests {
    /// Bytes that they take.
    fn held(&mut self) -> usize;

    /// Something that `dir` sent was not read.
    fn lost(&mut self, dir: Dir);

    /// Forgets all requests of both directions.
    fn forget(&mut self);

    /// What is left without an answer when everything ends, by direction and method.
    fn list(&mut self, end: Option<Time>, to: &mut Vec<Unanswered>);
}

impl<X> Requests for Pending<X> {
    fn held(&mut self) -> usize {
        self.held
    }

    fn lost(&mut self, dir: Dir) {
        Self::lost(self, dir);
    }

    fn forget(&mut self) {
        *self = Self::default();
        self.lanes.iter_mut().for_each(|lane| lane.incomplete = true);
    }

    fn list(&mut self, end: Option<Time>, to: &mut Vec<Unanswered>) {
        for dir in [Dir::Client, Dir::Server] {
            let waiting = &self.lanes[dir.index()].waiting;
            for asked in waiting.iter().filter(|asked| asked.is_due()) {
                let Request { id, what, method, .. } = &asked.request;
                let method = clipped(method.as_deref().unwrap_or(what));
                if let Some(known) = to.iter_mut().find(|it| it.dir == dir && it.method == method) {
                    known.count += 1;
                    continue;
                }
                let Moment { time, packets } = asked.moment;
                let waited = end.zip(time).map(|(end, then)| end.since(then));
                let (method, id) = (method.into_owned(), id.shown());
                to.push(Unanswered { dir, method, count: 1, id, time, packets, waited });
            }
        }
    }
}

impl<X> Request<X> {
    /// Whether an answer to the one could be an answer to the other.
    fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.id == other.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment { time: Some(Time(millis * 1_000_000)), packets: None }
    }

    fn ask(id: u64, what: &str) -> Request {
        Request { id: Id::Number(id), what: what.to_owned(), ..Request::default() }
    }

    fn is(id: u64) -> impl Fn(&Request) -> bool {
        move |request| request.id == Id::Number(id)
    }

    fn left(pending: &mut Pending) -> Vec<(String, u64, Option<i64>)> {
        let mut to = Vec::new();
        pending.list(at(1000).time, &mut to);
        to.into_iter().map(|it| (it.method, it.count, it.waited)).collect()
    }

    #[test]
    fn answers_find_their_requests_of_the_other_side() {
        let mut pending = Pending::default();
        pending.begin(Dir::Client, at(0), ask(1, "a"));
        pending.begin(Dir::Server, at(5), ask(1, "b"));
        assert_eq!(pending.answer(Dir::Server, at(7), is(2), None), None);
        let answer = pending.answer(Dir::Server, at(7), is(1), None).unwrap();
        assert_eq!((&*answer.what, answer.after, answer.nth), ("a", Some(7_000_000), Nth::First));
        assert_eq!(left(&mut pending), [("b".to_owned(), 1, Some(995_000_000))]);
        let failure = Some(Failure { code: Some("-1".into()), message: None });
        let answer = pending.answer(Dir::Client, at(9), is(1), failure.clone()).unwrap();
        assert_eq!((&*answer.what, answer.failure), ("b", failure));
        assert!(left(&mut pending).is_empty());
    }

    #[test]
    fn another_answer_is_known_until_the_id_is_used_again() {
        let mut pending = Pending::default();
        pending.begin(Dir::Client, at(0), ask(1, "a"));
        assert_eq!(pending.answer(Dir::Server, at(1), is(1), None).unwrap().nth, Nth::First);
        assert_eq!(pending.answer(Dir::Server, at(2), is(1), None).unwrap().nth, Nth::Again);
        pending.begin(Dir::Client, at(3), ask(1, "b"));
        let answer = pending.answer(Dir::Server, at(4), is(1), None).unwrap();
        assert_eq!((&*answer.what, answer.nth), ("b", Nth::First));
        // Two at a time with one id are answered in their order.
        pending.begin(Dir::Client, at(5), ask(7, "c"));
        pending.begin(Dir::Client, at(6), ask(7, "d"));
        let parts = [8, 9].map(|t| pending.answer(Dir::Server, at(t), is(7), None).unwrap());
        assert_eq!(parts.map(|it| (it.what, it.nth)), [("c", Nth::First), ("d", Nth::First)].map(own));
    }

    fn own((what, part): (&str, Nth)) -> (String, Nth) {
        (what.to_owned(), part)
    }

    #[test]
    fn parts_and_what_lasts() {
        let mut pending = Pending::default();
        pending.begin(Dir::Client, at(0), ask(1, "stream"));
        pending.begin(Dir::Client, at(0), Request { lasting: true, ..ask(2, "events") });
        pending.begin_once(Dir::Client, at(9), ask(1, "stream"));
        assert_eq!(pending.go_on(Dir::Server, at(1), is(1)).unwrap().nth, Nth::First);
        assert_eq!(pending.go_on(Dir::Server, at(2), is(1)).unwrap().nth, Nth::More);
        assert_eq!(pending.go_on(Dir::Server, at(3), is(2)).unwrap().nth, Nth::More);
        pending.begin(Dir::Client, at(0), Request { optional: true, ..ask(3, "push") });
        assert!(left(&mut pending).is_empty(), "one is answered in part, the other may wait for ever");
        assert_eq!(pending.answer(Dir::Server, at(3), is(1), None).unwrap().nth, Nth::More);
        pending.cancel(Dir::Client, is(2));
        assert_eq!(pending.go_on(Dir::Server, at(4), is(2)), None);
    }

    #[test]
    fn who_is_read_too_late_is_not_called_unanswered() {
        let mut pending = Pending::default();
        assert_eq!(pending.answer(Dir::Server, at(9), is(1), None), None);
        pending.begin(Dir::Client, at(8), ask(1, "held back behind a hole"));
        pending.begin(Dir::Client, at(10), ask(2, "later"));
        assert_eq!(left(&mut pending), [("later".to_owned(), 1, Some(990_000_000))]);
    }

    #[test]
    fn who_comes_late_may_have_its_answer() {
        let mut pending = Pending::default();
        pending.lost(Dir::Client);
        assert_eq!(pending.answer(Dir::Server, at(1), is(1), None), None);
        pending.begin(Dir::Client, at(5), ask(1, "sent again"));
        pending.begin(Dir::Client, at(6), ask(2, "b"));
        assert_eq!(left(&mut pending), [("b".to_owned(), 1, Some(994_000_000))]);
    }

    #[test]
    fn room_is_bounded_in_number_and_bytes() {
        let mut pending = Pending::default();
        for id in 0..ACKS_OUTSTANDING as u64 + 5 {
            pending.begin(Dir::Client, at(0), ask(id, "a"));
        }
        assert_eq!(left(&mut pending)[0].1, ACKS_OUTSTANDING as u64);
        assert!(pending.is_incomplete(Dir::Client) && !pending.is_incomplete(Dir::Server));
        let mut pending = Pending::default();
        for id in 0..100 {
            pending.begin(Dir::Client, at(0), ask(id, &"a".repeat(REQUESTS_HELD / 10)));
            assert!(pending.held() <= REQUESTS_HELD);
        }
        assert_eq!(left(&mut pending)[0].1, 9);
        for id in 91..100 {
            pending.answer(Dir::Server, at(1), is(id), None).unwrap();
            assert!(pending.held() <= REQUESTS_HELD);
        }
        pending.forget();
        assert_eq!(pending.held(), 0);
        let mut pending = Pending::default();
        for id in 0..1000 {
            pending.begin(Dir::Client, at(0), ask(id, "a"));
            pending.answer(Dir::Server, at(1), is(id), None).unwrap();
        }
        assert!(pending.held() < (ANSWERED_REMEMBERED + 1) * 256, "{}", pending.held());
    }

    #[test]
    fn what_is_lost_may_have_been_an_answer() {
        let mut pending = Pending::default();
        pending.begin(Dir::Client, at(0), ask(1, "a"));
        pending.begin(Dir::Server, at(0), ask(2, "b"));
        pending.begin(Dir::Client, at(1), Request { what: "by its place".to_owned(), ..Request::default() });
        assert_eq!(pending.due(Dir::Client).unwrap().1, at(1));
        pending.lost(Dir::Server);
        assert_eq!(left(&mut pending), [("b".to_owned(), 1, Some(1_000_000_000))]);
        assert!(pending.is_incomplete(Dir::Server) && pending.due(Dir::Client).is_none());
        // It was not: who names it is understood, and what may answer the other one is nobody's fault.
        let answer = pending.answer(Dir::Server, at(3), is(1), None).unwrap();
        assert_eq!((&*answer.what, answer.after), ("a", Some(3_000_000)));
        assert!(pending.is_incomplete(Dir::Client));
        assert_eq!(pending.answer(Dir::Server, at(4), |it| it.id == Id::None, None), None);
    }

    #[test]
    fn an_id_in_doubt_is_free_again() {
        let mut pending = Pending::default();
        pending.begin(Dir::Client, at(0), ask(1, "its answer is missing"));
        pending.lost(Dir::Server);
        pending.begin(Dir::Client, at(5), ask(1, "b"));
        assert_eq!(pending.answer(Dir::Server, at(6), is(1), None).unwrap().after, Some(1_000_000));
        assert_eq!(pending.held(), pending.lanes[0].answered[0].cost());
    }
}
