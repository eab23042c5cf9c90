//! Requests of an application's protocol: without an answer, answered twice, answered with errors, or late.
//!
//! What is looked at are the messages that the [timeline](crate::timeline) has tied to each other.

use std::collections::HashMap;

use super::Fast;
use super::crowd::Together;
use super::over::{Over, seen_in};
use crate::limits::{FAILURES_TOLD, REPLIES_FOLLOWED};
use crate::model::quantity::{grouped, wait};
use crate::model::{
    Answer, App, AppSession, Case, Cite, Connection, Dir, Distribution, Endpoint, Failure, Finding, Measure,
    Nth, Quantity, SessionEnd, Text, Time, Unanswered, Unit, rules,
};

rules! {
    /// Requests and what answers them.
    RULES;
    UNANSWERED = "request-unanswered", Warning, Cite::rfc6455("1.5"), Either,
        "a request of the application was never answered",
        "whoever asked waits until its own timeout, if it has one",
        usually "the receiver lost it, failed without saying so, or was busy until the connection ended",
        mend "look into the receiver's log at the time of the request; let every request be answered, with \
              an error if need be, and give those who ask a timeout";
    AWAITED = "request-awaited", Note, Cite::rfc6455("1.5"), Either,
        "a request of the application has no answer when the capture ends",
        "the answer may have come later",
        usually "a receiver that is slow or does not answer, or a capture that was stopped too early",
        mend "capture for longer, or look into the receiver's log at the time of the request";
    TWICE = "request-answered-twice", Warning, Cite::rfc6455("1.5"), Either,
        "a request of the application was answered more than once",
        "whoever asked ignores the further answers, or takes them for answers to another request",
        usually "two handlers for one request, or an answer that is sent again after an error or a timeout",
        mend "let one place answer, once: return after the answer is sent";
    FAILED = "request-failed", Warning, Cite::rfc6455("1.5"), Either,
        "requests of the application are answered with errors",
        "what was asked for is not done",
        usually "what the error says",
        mend "look the error up in the receiver's documentation or log";
    SLOW = "request-slow", Note, Cite::rfc6455("1.5"), Either,
        "requests wait far longer for their answers than others do",
        "whoever asks waits, or gives up and asks again",
        usually "a receiver that does one thing at a time, a lock, a full queue, or a slow database behind \
                 it",
        mend "look at what the receiver did while the slowest requests waited";
}

/// What is said of a connection that ended right after an answer that was an error.
const RIGHT_AFTER: &str = "ended right after an answer from the {} to {}: “{}”";

/// Whether a finding says why its connection was ended: an answer right before that was an error.
pub(super) fn explains(finding: &Finding) -> bool {
    finding.rule == &FAILED && finding.case.as_ref().is_some_and(|case| case.what.template == RIGHT_AFTER)
}

const SECOND: i64 = 1_000_000_000;

/// Who asked for less time than this when everything ended may not have wanted the answer any more.
const PATIENCE: i64 = 2 * SECOND;
/// The same where the capture ends.
const PATIENCE_AT_END: i64 = 5 * SECOND;
/// How soon a connection ends after the error that ended it.
const RIGHT_BEFORE: i64 = SECOND;
/// How many answers have to be the same error, and how many of a hundred, to be told of.
const FAIL: u64 = 3;
const FAIL_SHARE: u64 = 50;
/// What makes some of the answers to a kind of request slow: how many there are, how long the slowest in
/// twenty take, and how many times as long as the middle one.
const SLOW_OF: u64 = 40;
const SLOW_FROM: u64 = 1_000_000_000;
const SLOW_TIMES: u64 = 20;
/// What makes all of them slow: how many there are, and how many times as long as the middle one of all
/// kinds of requests the middle one takes.
const ALL_SLOW_OF: u64 = 3;
const ALL_SLOW_TIMES: u64 = 100;

/// What is remembered of requests and answers.
#[derive(Debug, Default)]
pub struct Replies {
    conns: HashMap<u32, Talk, Fast>,
    methods: HashMap<(Option<Endpoint>, Dir, Box<str>), Method, Fast>,
}

/// A connection that is open.
#[derive(Debug, Default)]
struct Talk {
    server: Option<Endpoint>,
    /// Nothing of this kind has happened in most connections.
    trouble: Option<Box<Trouble>>,
}

/// What went wrong with answers.
#[derive(Debug, Default)]
struct Trouble {
    /// Requests that were answered again: who asked for what, how often, and where the first time.
    again: Vec<(Dir, Box<str>, i64, u64)>,
    /// The last answer, if it says that the request failed.
    failed: Option<Failed>,
    /// Streams of answers that an error ended.
    broken: Vec<Failed>,
}

#[derive(Clone, Debug)]
struct Failed {
    /// Who asked.
    dir: Dir,
    what: Box<str>,
    words: String,
    time: Option<Time>,
    packet: u64,
}

/// The answers to requests of one kind at one server.
#[derive(Debug, Default)]
struct Method {
    times: Distribution,
    answers: u64,
    /// Which errors, how often, and where the first time.
    errors: Vec<(String, u64, Place)>,
    /// The slowest.
    slowest: (u64, Place),
    last: Place,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    time: Option<Time>,
    packets: Option<(u64, u64)>,
}

impl Replies {
    /// A connection begins.
    pub fn begins(&mut self, conn: u32, connection: &Connection) {
        self.conns.entry(conn).or_default().server = connection.server;
    }

    /// Where a connection that is open goes.
    pub fn server(&self, conn: u32) -> Option<Endpoint> {
        self.conns.get(&conn)?.server
    }

    /// A packet of the application.
    pub fn see(&mut self, unit: &Unit<'_>, app: &App) {
        let (Some(talk), Some(by)) = (self.conns.get_mut(&unit.conn), unit.dir) else { return };
        let packet = unit.packets.map(|(first, _)| first).unwrap_or_default();
        for answer in app.answers() {
            if answer.nth == Nth::Again {
                talk.trouble.get_or_insert_default().again(by.peer(), answer, packet);
                continue;
            }
            let words = answer.failure.as_ref().map(in_words);
            let failed = words.clone().map(|words| {
                let (what, time) = (answer.what.as_str().into(), unit.time);
                Failed { dir: by.peer(), what, words, time, packet }
            });
            if failed.is_some() || talk.trouble.is_some() {
                let trouble = talk.trouble.get_or_insert_default();
                if answer.nth == Nth::More && trouble.broken.len() < FAILURES_TOLD {
                    trouble.broken.extend(failed.clone());
                }
                trouble.failed = failed;
            }
            if answer.nth == Nth::First {
                let key = (talk.server, by.peer(), answer.method().into());
                if self.methods.len() < REPLIES_FOLLOWED || self.methods.contains_key(&key) {
                    let place = Place { time: unit.time, packets: unit.packets };
                    self.methods.entry(key).or_default().take(answer, words, place);
                }
            }
        }
    }

    /// A connection is over.
    pub fn ends(&mut self, over: &Over<'_>, causes: &mut Vec<Finding>) {
        let talk = self.conns.remove(&over.conn).unwrap_or_default();
        let is_seen = over.ending.how.is_seen();
        // Where something of who answers is missing, the answer may have been among it.
        let told = over.connection.unanswered.iter().filter(|it| over.is_all_of(it.dir.peer()));
        causes.extend(told.filter_map(|it| unanswered(it, patience(it, over))));
        let Some(trouble) = talk.trouble else { return };
        for (dir, what, times, packet) in &trouble.again {
            let got = Text::with("{} further answers to {}", grouped(*times as u64)).and(what);
            let what =
                Text::new("had more than one answer from the {} to {}").word(dir.peer().name()).and(what);
            let measures = if *times > 1 { vec![Measure::of(Quantity::Times, *times)] } else { Vec::new() };
            let case = Case::new(what, measures);
            let finding = Finding::new(&TWICE, dir.peer(), "one answer".into(), got).like(case);
            causes.push(seen_in(finding, *packet));
        }
        for failed in &trouble.broken {
            causes.push(failed.finding("had the answers from the {} to {} end with “{}”", None));
        }
        let code = over.close().and_then(|(_, close)| close.code).map(|code| code.0);
        let is_fine = matches!(code, Some(1000 | 1001));
        if let Some(failed) = &trouble.failed
            // A page that is left has its own reason.
            && is_seen && !(code == Some(1001) && over.ender() == Some(Dir::Client))
            // What is not there may have come between, and said more.
            && (code.is_some() && !is_fine || over.is_whole())
            && !(is_fine && is_in_order(failed, over))
            && let Some((end, failed_at)) = over.ended().zip(failed.time)
            // Where its packet was overtaken on the way it seems to be later.
            && end.since(failed_at).abs() <= RIGHT_BEFORE
        {
            let before = Some(end.since(failed_at).max(0));
            causes.push(failed.finding(RIGHT_AFTER, before));
        }
    }

    /// A session of Engine.IO is over: what its events wanted and did not get.
    pub fn session(session: &AppSession) -> Vec<Finding> {
        let is_seen = session.end.is_some_and(|end| end != SessionEnd::CaptureEnd);
        let patience = if is_seen { PATIENCE } else { PATIENCE_AT_END };
        session.unanswered.iter().filter_map(|it| unanswered(it, (is_seen, patience))).collect()
    }

    /// What all connections to a server show.
    pub fn tell(self) -> Vec<Together> {
        let mut methods: Vec<_> = self.methods.into_iter().collect();
        methods.sort_by(|((a, of, method), _), ((b, or, other), _)| {
            (a, of.index(), method).cmp(&(b, or.index(), other))
        });
        let mut all: HashMap<_, Distribution, Fast> = HashMap::default();
        for ((server, dir, _), it) in &methods {
            all.entry((*server, *dir)).or_default().add(&it.times);
        }
        let mut told = Vec::new();
        for ((server, dir, method), it) in methods {
            it.failing(dir, &method, &mut told);
            it.slow(dir, &method, &all[&(server, dir)], &mut told);
        }
        told
    }
}

impl Trouble {
    fn again(&mut self, dir: Dir, answer: &Answer, packet: u64) {
        let method = answer.method();
        let has_room = self.again.len() < FAILURES_TOLD;
        match self.again.iter_mut().find(|(of, known, ..)| *of == dir && **known == *method) {
            Some((_, _, times, _)) => *times += 1,
            None if has_room => self.again.push((dir, method.into(), 1, packet)),
            None => {}
        }
    }
}

impl Failed {
    /// A finding about it, how many nanoseconds `before` the end, in words that have room for who answers,
    /// for what was asked for and for the error.
    fn finding(&self, what: &'static str, before: Option<i64>) -> Finding {
        let Self { dir, what: asked, words, packet, .. } = self;
        let got = match before {
            Some(before) => {
                Text::with("“{}” in answer to {}, {} before the end", words).and(asked).and(wait(before))
            }
            None => Text::with("“{}” in answer to {}", words).and(asked),
        };
        let what = Text::new(what).word(dir.peer().name()).and(asked).and(words);
        let finding = Finding::new(&FAILED, None, "an answer that is no error".into(), got);
        seen_in(finding.like(Case::new(what, Vec::new())), *packet)
    }
}

impl Method {
    fn take(&mut self, answer: &Answer, words: Option<String>, place: Place) {
        self.answers += 1;
        self.last = place;
        if let Some(words) = words {
            let has_room = self.errors.len() < FAILURES_TOLD;
            match self.errors.iter_mut().find(|(known, ..)| *known == words) {
                Some((_, times, _)) => *times += 1,
                None if has_room => self.errors.push((words, 1, place)),
                None => {}
            }
        }
        if let Some(after) = answer.after.and_then(|after| u64::try_from(after).ok()) {
            self.times.take(after);
            if after > self.slowest.0 {
                self.slowest = (after, place);
            }
        }
    }

    /// Errors that most of its answers are.
    fn failing(&self, dir: Dir, method: &str, told: &mut Vec<Together>) {
        for (words, times, place) in &self.errors {
            if *times < FAIL || times * 100 < self.answers * FAIL_SHARE {
                continue;
            }
            let got =
                Text::with("“{}” in {} of {} answers", words).and(grouped(*times)).and(grouped(self.answers));
            let what =
                Text::new("the {} answers {} with “{}”").word(dir.peer().name()).and(method).and(words);
            let case = Case::new(what, vec![Measure::count(Quantity::Times, *times)]);
            let finding = Finding::new(&FAILED, None, "answers that are no errors".into(), got).like(case);
            told.push(Together { time: place.time, packets: place.packets, findings: vec![finding] });
        }
    }

    /// Answers that come far later than others: than most of those to the same requests, or most of `all`.
    fn slow(&self, dir: Dir, method: &str, all: &Distribution, told: &mut Vec<Together>) {
        let (count, of_all) = (self.times.range.count, all.range.count);
        let (median, slow, usual) = (self.times.quantile(50), self.times.quantile(95), all.quantile(50));
        let nanos = |nanos: u64| wait(i64::try_from(nanos).unwrap_or(i64::MAX));
        let some = count >= SLOW_OF && slow >= SLOW_FROM && slow >= median.saturating_mul(SLOW_TIMES);
        let most = count >= ALL_SLOW_OF
            && count * 2 < of_all
            && median >= SLOW_FROM
            && median >= usual.saturating_mul(ALL_SLOW_TIMES);
        let longest = nanos(self.times.range.max);
        let (expected, got, what, least) = if some {
            let words = "half of {} answers within {}, one in twenty after {} or more, the slowest after {}";
            (
                Text::with(
                    "answers within 1 s, or within {}, twenty times as long as half of them take",
                    nanos(median.saturating_mul(SLOW_TIMES)),
                ),
                Text::with(words, grouped(count)).and(nanos(median)).and(nanos(slow)).and(longest),
                "the {} sometimes answers {} far later than usual",
                slow,
            )
        } else if most {
            let words =
                "half of {} answers after {} or more, the slowest after {}; half of all {} answers within {}";
            (
                Text::with(
                    "answers within 1 s, or within {}, a hundred times as long as half of all take",
                    nanos(usual.saturating_mul(ALL_SLOW_TIMES)),
                ),
                Text::with(words, grouped(count))
                    .and(nanos(median))
                    .and(longest)
                    .and(grouped(of_all))
                    .and(nanos(usual)),
                "the {} answers {} far later than anything else",
                median,
            )
        } else {
            return;
        };
        let what = Text::new(what).word(dir.peer().name()).and(method);
        let waited = Measure {
            of: Quantity::Waited,
            least: i64::try_from(least).unwrap_or(i64::MAX),
            most: i64::try_from(self.times.range.max).unwrap_or(i64::MAX),
        };
        let finding = Finding::new(&SLOW, None, expected, got).like(Case::new(what, vec![waited]));
        let (_, Place { time, packets }) = self.slowest;
        told.push(Together { time, packets, findings: vec![finding] });
    }
}

/// Whether an end in order has nothing to do with the error before it, or a rule tells of that already: the
/// server has said something since, did not end it, or is who asked. (Clients leave when they like.)
fn is_in_order(failed: &Failed, over: &Over<'_>) -> bool {
    let is_told = over.found.iter().any(|(_, blame)| *blame == Some(failed.dir.peer()));
    let heard = over.ending.sides[failed.dir.peer().index()].heard;
    let has_said_more = heard.zip(failed.time).is_none_or(|(heard, said)| heard > said);
    is_told || has_said_more || failed.dir == Dir::Server || over.ender() != Some(Dir::Server)
}

/// Whether the end of its connection was seen, and how long a request has to have waited until then to be
/// missed: who ends the connection itself while it waits for a heartbeat has waited for long enough.
fn patience(it: &Unanswered, over: &Over<'_>) -> (bool, i64) {
    let method = it.method.to_ascii_lowercase();
    let is_beat = method.contains("ping") || method.contains("heartbeat");
    let is_given_up = is_beat && over.ender() == Some(it.dir) && over.has_ended_badly();
    match over.ending.how.is_seen() {
        true if is_given_up => (true, SECOND),
        true => (true, PATIENCE),
        false => (false, PATIENCE_AT_END),
    }
}

/// Requests that have no answer in the end; `is_seen` says whether that is the end of their connection.
fn unanswered(it: &Unanswered, (is_seen, patience): (bool, i64)) -> Option<Finding> {
    let waited = it.waited.filter(|waited| *waited >= patience)?;
    let who = it.dir.peer().name();
    let request = match &it.id {
        Some(id) => Text::with("{} (id {})", &it.method).and(id),
        None => Text::with("{}", &it.method),
    };
    let (rule, expected, got, what) = if is_seen {
        let got =
            Text::new("none to {} until the connection ended, {} later").word(request).and(wait(waited));
        (&UNANSWERED, "an answer", got, "never had an answer from the {} to {}")
    } else {
        let got = Text::new("none to {} until the capture ended, {} later").word(request).and(wait(waited));
        (&AWAITED, "an answer", got, "has no answer from the {} to {} when the capture ends")
    };
    let what = Text::new(what).word(who).and(&it.method);
    let mut measures = vec![Measure::of(Quantity::Waited, waited)];
    if it.count > 1 {
        measures.push(Measure::of(Quantity::Times, i64::try_from(it.count).unwrap_or(i64::MAX)));
    }
    let finding = Finding::new(rule, it.dir.peer(), expected.into(), got).like(Case::new(what, measures));
    Some(seen_in(finding, it.packets.map(|(first, _)| first).unwrap_or_default()))
}

/// What an error says, in a line.
fn in_words(failure: &Failure) -> String {
    match (&failure.code, &failure.message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (code, message) => code.clone().or(message.clone()).unwrap_or_else(|| "error".to_owned()),
    }
}
