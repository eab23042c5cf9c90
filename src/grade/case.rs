//! A case: what is sent, what may come back, and how the connection is to end.

use std::sync::Arc;
use std::time::Duration;

use super::late;
use super::script::{self, Pacing, Step, Want};
use crate::model::grade::{CaseFacts, Chapter, Level};
use crate::model::{Bilingual, CloseCode, Dir, Rule};
use crate::synth::ScriptError;
use crate::synth::handshake::{Request, Response};

/// A case as its file has it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is said of it.
    pub facts: Arc<CaseFacts>,
    /// Who can be asked: the peer being a client, or a server.
    pub of: [bool; 2],
    /// Whether the peer has to send back what it gets.
    pub needs_echo: bool,
    /// Extensions that are offered to a server.
    pub offer: Option<String>,
    /// Extensions that are granted to a client: the first of these that fits its offer.
    pub grant: Option<String>,
    /// The lines of the script.
    pub play: String,
    /// Sequences that may come; which is right, and which is put up with.
    pub pass: Vec<String>,
    /// The same that are allowed, and not what should be.
    pub lenient: Vec<String>,
    /// What is other than usual in the opening handshake.
    pub request: Option<String>,
    /// The same of the response to a client.
    pub response: Option<String>,
    /// An ordinary request that a server is sent first, on the same connection.
    pub before: Option<String>,
    /// What a server may answer.
    pub answer: Answers,
    /// How the connection is to end.
    pub ending: Ending,
    /// What comes of it is left open.
    pub informational: bool,
    /// How long something is waited for.
    pub patience: Duration,
    /// Messages that are taken.
    pub most: usize,
    /// What is sent refers to earlier messages: there is nothing to be played where that was agreed away.
    pub takeover: bool,
    /// A server has to take other connections afterwards.
    pub survives: bool,
    /// Mistakes that are known by what comes.
    pub mistakes: Vec<Mistake>,
}

/// What a server may answer to the opening handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// As it should.
    pub right: Vec<Status>,
    /// As it may.
    pub lenient: Vec<Status>,
    /// Header fields that have to be there: `Name`, or `Name: element`.
    pub has: Vec<String>,
    /// Those that should be.
    pub should_have: Vec<String>,
    /// Those that must not be.
    pub lacks: Vec<String>,
}

/// An answer that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// This status.
    Is(u16),
    /// One of a hundred: 4 for 400 to 499.
    Class(u16),
    /// None: the connection is ended instead.
    Closed,
    /// None, and the connection stays.
    Silent,
}

impl Status {
    /// Reads `101`, `4xx`, `closed` or `silent`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "closed" => Some(Self::Closed),
            "silent" => Some(Self::Silent),
            _ => match text.strip_suffix("xx") {
                Some(class) => class.parse().ok().map(Self::Class),
                None => text.parse().ok().map(Self::Is),
            },
        }
    }

    /// Whether an answer is it; `None` where there was none.
    pub fn is(self, status: Option<u16>) -> bool {
        match (self, status) {
            (Self::Is(one), Some(status)) => one == status,
            (Self::Class(class), Some(status)) => status / 100 == class,
            (Self::Closed, None) => true,
            _ => false,
        }
    }
}

/// How a connection is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Who begins.
    pub closer: Closer,
    /// Codes of the peer's Close frame; none at all is right, too.
    pub codes: Vec<CloseCode>,
    /// Whether the closing handshake is owed.
    pub clean: bool,
    /// What of it decides on the behaviour, too.
    pub fatal: Option<Fatal>,
}

/// Who begins the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closer {
    /// The judge does.
    Judge,
    /// The peer, because of what was sent.
    Peer,
    /// Either.
    Either,
}

/// What of an ending decides on the behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fatal {
    /// The code says that a rule was broken, or something refused, where nothing is wrong.
    Error,
    /// Who began it.
    Closer,
    /// The code.
    Code,
    /// That it leaves the end of TCP to its client.
    Tcp,
}

/// A mistake that is known by what comes.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// The sequence; `None` where another is known by the rest.
    pub got: Option<String>,
    /// The code of the peer's Close frame.
    pub code: Option<CloseCode>,
    /// What it looks like.
    pub says: Bilingual,
}

/// A case that is ready to be played by one side.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// What is sent.
    pub steps: Vec<Step>,
    /// Sequences that may come; the first `right` of them are right.
    pub wants: Vec<Vec<Want>>,
    /// How many are right.
    pub right: usize,
    /// The head that is sent instead of a right one.
    pub request: Option<(Request, Pacing)>,
    /// The same of a response.
    pub response: Option<(Response, Pacing)>,
    /// The request that is sent first.
    pub before: Option<Request>,
    /// The script ends the connection itself.
    pub closes: bool,
    /// What came of each known mistake: a sequence, or none.
    pub mistakes: Vec<Vec<Vec<Want>>>,
    /// The closing handshake is a later matter: TCP is ended when the rest is over.
    pub parts: bool,
    /// Messages that come do not count: the peer sends what it likes.
    pub only_control: bool,
    /// The peer greets whoever comes with so many messages, which do not count.
    pub greeting: usize,
}

impl Case {
    /// One that sends nothing and closes.
    pub fn nothing() -> Self {
        let facts = CaseFacts {
            id: String::new(),
            autobahn: None,
            chapter: Chapter::Closing,
            title: Bilingual::default(),
            cites: Vec::new(),
            rules: Vec::new(),
            stage: 1,
            level: Level::May,
            usually: Bilingual::default(),
            mend: Bilingual::default(),
            bugs: Vec::new(),
        };
        Self {
            facts: Arc::new(facts),
            of: [true, true],
            needs_echo: false,
            offer: None,
            grant: None,
            play: String::new(),
            pass: vec![String::new()],
            lenient: Vec::new(),
            request: None,
            response: None,
            before: None,
            answer: Answers::default(),
            ending: Ending { closer: Closer::Judge, codes: vec![CloseCode(1000)], clean: true, fatal: None },
            informational: false,
            patience: Duration::ZERO,
            most: 64 * 1024,
            takeover: false,
            survives: false,
            mistakes: Vec::new(),
        }
    }

    /// One that looks whether a server is still there.
    pub fn alive() -> Self {
        let ping = "ping \"still there\"".to_owned();
        let pong = vec!["pong \"still there\"".to_owned()];
        Self { play: ping, pass: pong, patience: Duration::from_secs(5), most: 4096, ..Self::nothing() }
    }

    /// Whether it is about a rule.
    pub fn rests_on(&self, rule: &Rule) -> bool {
        self.facts.rules.iter().any(|it| it.id == rule.id)
    }

    /// What is expected, a line each, as its file has it.
    pub fn expected(&self) -> Vec<String> {
        let lines = self.pass.first().map(|text| text.lines().map(|line| line.trim().to_owned()));
        lines.into_iter().flatten().filter(|line| !line.is_empty()).collect()
    }

    /// Reads its scripts, as `us` plays them.
    ///
    /// # Errors
    /// The line that cannot be understood, and of which key.
    pub fn prepare(&self, us: Dir) -> Result<Prepared, (&'static str, ScriptError)> {
        let steps = script::play(&self.play, us).map_err(|error| ("play", error))?;
        let mut wants = Vec::new();
        for (key, texts) in [("pass", &self.pass), ("lenient", &self.lenient)] {
            for text in texts {
                wants.push(script::wants(text, &steps).map_err(|error| (key, error))?);
            }
        }
        // What the testsuite numbers keeps its verdict.
        if self.facts.autobahn.is_none() {
            let late: Vec<_> = wants[..self.pass.len()].iter().flat_map(|right| late::pongs(right)).collect();
            wants.extend(late);
        }
        let mut mistakes = Vec::new();
        for mistake in &self.mistakes {
            let got = mistake.got.iter().map(|text| script::wants(text, &steps));
            mistakes.push(got.collect::<Result<_, _>>().map_err(|error| ("mistake", error))?);
        }
        let request = self.request.as_deref().map(script::request).transpose();
        let response = self.response.as_deref().map(script::response).transpose();
        let response = response.map_err(|error| ("response", error))?;
        let before = self.before.as_deref().map(script::request).transpose();
        let is_ended = response.as_ref().is_some_and(|(_, pacing)| pacing.end.is_some());
        let closes = is_ended || steps.iter().any(Step::ends);
        Ok(Prepared {
            wants,
            right: self.pass.len(),
            request: request.map_err(|error| ("request", error))?,
            response,
            before: before.map_err(|error| ("before", error))?.map(|(request, _)| request),
            closes,
            mistakes,
            parts: false,
            only_control: false,
            greeting: 0,
            steps,
        })
    }
}
