//! The cases of a run, several at a time, as far as the server takes several connections.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::way::Ways;
use crate::grade::Case;
use crate::grade::case::Status;
use crate::grade::play::{self, Target};
use crate::model::Text;
use crate::model::grade::{Behaviour, Chapter, EventKind, Graded};

/// A server, and the ways to it.
pub(super) type Peer = (Rc<Ways>, Rc<Target>);

/// Cases that are played.
pub(super) struct Playing {
    waiting: VecDeque<(usize, &'static Case)>,
    open: JoinSet<(usize, &'static Case, Result<Graded, Text>)>,
    peer: Peer,
    /// Whose figures stand beside the peer's.
    beside: Option<Peer>,
    /// A case is played that has to be alone.
    timed: bool,
    /// How many are played at a time.
    jobs: usize,
    /// Cases that still are open of those that were played at a time.
    crowd: usize,
    /// What came of those whose WebSocket was not opened while others were: they get another chance, alone.
    again: VecDeque<(usize, &'static Case, Graded)>,
    /// The last that the server opened a WebSocket for, as many as are played at a time.
    last: VecDeque<String>,
    /// It turned out that the server takes one connection at a time.
    alone: bool,
    /// Why a capture could not be written.
    unwritten: Option<Text>,
}

impl Playing {
    /// Nothing is played yet. It has to be in a set of local tasks.
    pub fn new(cases: &[&'static Case], peer: Peer, beside: Option<Peer>, jobs: usize) -> Self {
        Self {
            waiting: cases.iter().copied().enumerate().collect(),
            open: JoinSet::new(),
            peer,
            beside,
            timed: false,
            jobs,
            crowd: 0,
            again: VecDeque::new(),
            last: VecDeque::new(),
            alone: false,
            unwritten: None,
        }
    }

    /// The next that is over, and its place among all; `None` when there are no more, or nobody to play with.
    pub async fn next(&mut self) -> Option<(usize, Graded)> {
        loop {
            if self.peer.0.gone().is_none() && self.unwritten.is_none() {
                self.start();
            }
            let Some(done) = self.open.join_next().await else { break };
            // A case that panics has nothing to say.
            let Ok((at, case, graded)) = done else { continue };
            self.remember(&graded);
            let is_crowded = self.jobs > 1 || self.crowd > 0;
            self.crowd = self.crowd.saturating_sub(1);
            match graded {
                Ok(graded) if is_crowded && is_turned_away(case, &graded) => {
                    self.again.push_back((at, case, graded));
                }
                Ok(graded) => return Some((at, graded)),
                Err(why) => self.unwritten = Some(why),
            }
        }
        // Who was turned away is asked once more when nobody else is there.
        let (at, case, before) = self.again.pop_front()?;
        if self.peer.0.gone().is_some() || self.unwritten.is_some() {
            return Some((at, before));
        }
        // The server may not have noticed yet that the others have left.
        tokio::time::sleep(LEAVING).await;
        let graded = match play(&self.peer, self.beside.as_ref(), case).await {
            Ok(graded) => graded,
            Err(why) => {
                self.unwritten = Some(why);
                return Some((at, before));
            }
        };
        self.alone |= graded.opened;
        Some((at, graded))
    }

    /// Notes that the server was there for a case.
    fn remember(&mut self, graded: &Result<Graded, Text>) {
        if let Ok(graded) = graded
            && graded.opened
        {
            self.last.push_back(graded.case.id.clone());
            if self.last.len() > self.jobs {
                self.last.pop_front();
            }
        }
    }

    /// Starts as many as are played at a time.
    fn start(&mut self) {
        // Several were turned away: that is no accident.
        if self.again.len() >= TURNED_AWAY && self.jobs > 1 {
            self.jobs = 1;
            self.crowd = self.open.len();
            self.waiting.extend(self.again.drain(..).map(|(at, case, _)| (at, case)));
            self.alone = true;
        }
        while self.open.len() < self.jobs
            && let Some((_, case)) = self.waiting.front()
            && (self.open.is_empty() || !self.timed && !is_timed(case))
            && let Some((at, case)) = self.waiting.pop_front()
        {
            self.timed = is_timed(case);
            let (peer, beside) = (self.peer.clone(), self.beside.clone());
            self.open.spawn_local(async move { (at, case, play(&peer, beside.as_ref(), case).await) });
        }
    }

    /// What there is to say of the run besides what came of the cases.
    pub fn notes(&self) -> Vec<Text> {
        let mut notes = Vec::new();
        if self.alone {
            notes.push("the server turned connections away while others were open: give it --jobs 1".into());
        }
        if let Some(why) = self.peer.0.gone() {
            let last = self.last.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let words = "the server is gone: {}; {} cases were not played; the last that reached it: {}";
            notes.push(Text::new(words).word(why).and(self.waiting.len()).and(last));
        }
        notes.extend(self.unwritten.clone());
        notes
    }
}

/// How long a server may take to notice that a connection has ended.
const LEAVING: Duration = Duration::from_millis(200);

/// Cases that are turned away before it is taken for the server's way.
const TURNED_AWAY: usize = 8;

/// Whether a server did not open a WebSocket that it would open if nobody else were there.
fn is_turned_away(case: &Case, graded: &Graded) -> bool {
    let right = &case.answer.right;
    let may_open = case.request.is_none() && (right.is_empty() || right.contains(&Status::Is(101)));
    // A refusal of what was asked for is an answer.
    let refuses = |kind: &EventKind| matches!(kind, EventKind::Answer(400..=428 | 430..=499));
    let is_refused = graded.got.iter().any(|event| refuses(&event.what));
    !graded.opened
        && graded.behaviour == Behaviour::Failed
        && graded.broken.is_none()
        && may_open
        && !is_refused
}

/// Whether what else goes on would be seen in a case's figures.
fn is_timed(case: &Case) -> bool {
    case.facts.chapter == Chapter::Performance
}

async fn play((ways, target): &Peer, beside: Option<&Peer>, case: &Case) -> Result<Graded, Text> {
    let way = ways.of(&case.facts.id)?;
    let is_compared = is_timed(case) || case.facts.chapter == Chapter::Limits;
    let graded = if let Some((others, other)) = beside.filter(|_| is_compared) {
        let unkept = others.unkept();
        // At the same moment, so that what else the machine does slows both down.
        let (mut graded, beside) =
            tokio::join!(play::server(case, target, &way), play::server(case, other, &unkept));
        graded.beside = beside.figures.filter(|_| beside.behaviour == Behaviour::Ok);
        graded
    } else {
        play::server(case, target, &way).await
    };
    way.end()?;
    Ok(graded)
}
