//! The cases of a run, several at a time, as far as the server takes several connections.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::suspects::{MOMENT, Played, Suspects};
use super::way::Ways;
use crate::grade::Case;
use crate::grade::case::Status;
use crate::grade::play::{self, Target};
use crate::model::Text;
use crate::model::grade::{Behaviour, Chapter, EventKind, Graded};

/// What came of a case, and when it had its connection; or why its capture could not be written.
type Came = Result<(Graded, Option<Instant>), Text>;

/// A server, and the ways to it.
pub(super) type Peer = (Rc<Ways>, Rc<Target>);

/// Cases that are played.
pub(super) struct Playing {
    waiting: VecDeque<(usize, &'static Case)>,
    open: JoinSet<(usize, &'static Case, Came)>,
    peer: Peer,
    /// Whose figures stand beside the peer's.
    beside: Option<Peer>,
    /// A case is played that has to be alone.
    timed: bool,
    /// How many are played at a time.
    jobs: usize,
    /// Cases that still are open of those that were played at a time.
    crowd: usize,
    /// What came of those whose WebSocket was not opened while others were, or had just been: they get
    /// another chance, alone.
    again: VecDeque<Played>,
    /// Those during which the server may have ended.
    suspects: Suspects,
    /// The last that the server opened a WebSocket for, as many as are played at a time.
    last: VecDeque<String>,
    /// It turned out that the server takes one connection at a time.
    alone: bool,
    /// How often another chance was of no use.
    futile: usize,
    /// Cases that the server never had room for.
    unjudged: usize,
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
            suspects: Suspects::default(),
            last: VecDeque::new(),
            alone: false,
            futile: 0,
            unjudged: 0,
            unwritten: None,
        }
    }

    /// The next that is over, and its place among all; `None` when there are no more, or nobody to play with.
    pub async fn next(&mut self) -> Option<(usize, Graded)> {
        loop {
            if let Some(one) = self.suspects.settled(&self.peer.0)
                && let Some(certain) = self.certain(one)
            {
                return Some(certain);
            }
            let is_possible = self.is_possible();
            if is_possible {
                self.start();
            }
            let Some(done) = self.open.join_next().await else {
                if !self.suspects.is_waiting() || !is_possible {
                    break;
                }
                // Nobody else shows whether the server is still there.
                tokio::time::sleep(MOMENT).await;
                self.peer.0.look().await;
                continue;
            };
            // A case that panics has nothing to say.
            let Ok((at, case, played)) = done else { continue };
            self.remember(&played);
            let is_crowded = self.jobs > 1 || self.crowd > 0;
            self.crowd = self.crowd.saturating_sub(1);
            match played {
                // Nobody was there to play with.
                Ok((_, None)) if self.peer.0.gone().is_some() => self.waiting.push_front((at, case)),
                Ok((graded, connected)) => {
                    let played = Played { at, case, graded, connected, ended: Instant::now(), is_crowded };
                    if let Some(one) = self.suspects.keep(played, &self.peer.0)
                        && let Some(certain) = self.certain(one)
                    {
                        return Some(certain);
                    }
                }
                Err(why) => self.unwritten = Some(why),
            }
        }
        if let Some(one) = self.suspects.again() {
            return Some(self.alone(one).await);
        }
        // Who was turned away is asked once more when nobody else is there.
        let Some(Played { at, case, mut graded, is_crowded, .. }) = self.again.pop_front() else {
            return self.suspects.left().map(|one| (one.at, one.graded));
        };
        let chances = self.chances();
        // The server may not have noticed yet that the others have left.
        for leaving in chances {
            if !self.is_possible() {
                break;
            }
            tokio::time::sleep(*leaving).await;
            match play(&self.peer, self.beside.as_ref(), case).await {
                Ok((now, _)) => graded = now,
                Err(why) => self.unwritten = Some(why),
            }
            if !is_turned_away(case, &graded) {
                break;
            }
        }
        if is_turned_away(case, &graded) {
            self.futile += 1;
        } else {
            self.alone |= is_crowded;
        }
        self.leave(&mut graded);
        Some((at, graded))
    }

    /// How long is waited before each further chance: what was of no use for the first will be of none for
    /// those that follow.
    fn chances(&self) -> &'static [Duration] {
        match self.futile {
            0 => &play::LEAVING[..],
            1..TURNED_AWAY => &play::LEAVING[..1],
            _ => &[],
        }
    }

    /// Leaves open what the server had no room for, even when nobody else was there.
    fn leave(&mut self, graded: &mut Graded) {
        if graded.has_no_room() {
            self.unjudged += 1;
            graded.leave_open("the server had no room for it");
        }
    }

    /// Whether there is somebody to play with.
    fn is_possible(&self) -> bool {
        self.peer.0.gone().is_none() && self.unwritten.is_none()
    }

    /// What came of a case, unless it was turned away.
    fn certain(&mut self, one: Played) -> Option<(usize, Graded)> {
        let were_others = one.is_crowded || !self.last.is_empty() || one.graded.has_no_room();
        if were_others && is_turned_away(one.case, &one.graded) {
            self.again.push_back(one);
            return None;
        }
        Some((one.at, one.graded))
    }

    /// Plays a case once more, when nobody else is there, and looks whether the server survives it.
    async fn alone(&mut self, one: Played) -> (usize, Graded) {
        let mut played = Ok((one.graded.clone(), None));
        for leaving in [Duration::ZERO].iter().chain(self.chances()) {
            tokio::time::sleep(*leaving).await;
            if self.is_possible() {
                played = play(&self.peer, self.beside.as_ref(), one.case).await;
            }
            if !matches!(&played, Ok((graded, Some(_))) if graded.has_no_room()) {
                break;
            }
        }
        match played {
            Ok((mut graded, Some(connected))) => {
                self.futile += usize::from(graded.has_no_room());
                self.leave(&mut graded);
                self.peer.0.look().await;
                if self.peer.0.was_away_since(connected) {
                    self.suspects.blame(&mut graded);
                }
                (one.at, graded)
            }
            Ok((_, None)) => {
                let at = one.at;
                (at, Suspects::unknown(one).graded)
            }
            Err(why) => {
                self.unwritten = Some(why);
                (one.at, one.graded)
            }
        }
    }

    /// Notes that the server was there for a case.
    fn remember(&mut self, played: &Came) {
        if let Ok((graded, _)) = played
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
            self.waiting.extend(self.again.drain(..).map(|one| (one.at, one.case)));
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

    /// Whether the server went before all were played.
    pub fn is_cut_short(&self) -> bool {
        !self.waiting.is_empty() && self.peer.0.gone().is_some()
    }

    /// What there is to say of the run besides what came of the cases.
    pub fn notes(&self) -> Vec<Text> {
        let mut notes = Vec::new();
        if self.alone {
            notes.push("the server turned connections away while others were open: give it --jobs 1".into());
        }
        if self.unjudged > 0 {
            let words = "cases that the server had no room for, and that were not judged: {}";
            notes.push(Text::with(words, self.unjudged));
        }
        if let Some(why) = self.peer.0.gone() {
            let last = self.last.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let words = "the server is gone: {}; {} cases were not played; the last that reached it: {}";
            notes.push(Text::new(words).word(why).and(self.waiting.len()).and(last));
        }
        if !self.suspects.guilty.is_empty() {
            let list = self.suspects.guilty.join(", ");
            notes.push(Text::with("the server ended at: {}", list));
        }
        notes.extend(self.unwritten.clone());
        notes
    }
}

/// Cases that are turned away before it is taken for the server's way.
const TURNED_AWAY: usize = 8;

/// Whether a server did not open a WebSocket that it would open if nobody else were there.
fn is_turned_away(case: &Case, graded: &Graded) -> bool {
    // Whatever was asked for, that is no answer to it.
    if graded.has_no_room() {
        return true;
    }
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

/// Whether another server's figures stand beside its own.
pub(super) fn is_compared(case: &Case) -> bool {
    is_timed(case) || case.facts.chapter == Chapter::Limits
}

async fn play((ways, target): &Peer, beside: Option<&Peer>, case: &Case) -> Came {
    let way = ways.of(&case.facts.id)?;
    let graded = if let Some((others, other)) = beside.filter(|_| is_compared(case)) {
        let unkept = others.unkept();
        // At the same moment, so that what else the machine does slows both down.
        let (mut graded, beside) =
            tokio::join!(play::server(case, target, &way), play::server(case, other, &unkept));
        graded.beside = beside.figures.filter(|_| beside.behaviour == Behaviour::Ok);
        graded
    } else {
        play::server(case, target, &way).await
    };
    let connected = way.connected();
    way.end()?;
    Ok((graded, connected))
}
