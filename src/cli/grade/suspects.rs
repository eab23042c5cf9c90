//! Whose doing it was that the server ended while several cases were played: those that were open then are
//! played again, alone.
//!
//! A server that ends takes all its connections with it, and for a while nobody can connect. What came of a
//! case whose connection was cut is kept back until somebody has connected behind it: then it was the
//! server's answer to that case. Where nobody could, or many connections were cut at one moment (something
//! else listens for the server, and starts it again), any of the cases may be the reason.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::way::Ways;
use crate::grade::Case;
use crate::model::Text;
use crate::model::grade::{Behaviour, EventKind, Graded};

/// Connections that are cut within so long are cut at one moment; somebody has to connect behind that.
pub(super) const MOMENT: Duration = Duration::from_millis(50);

/// Connections that are cut at one moment, at least, before that is no accident.
const MANY: usize = 3;

/// A case that was played.
pub(super) struct Played {
    /// Its place among all.
    pub at: usize,
    pub case: &'static Case,
    /// What came of it.
    pub graded: Graded,
    /// When it had its connection; `None` where it never had one.
    pub connected: Option<Instant>,
    pub ended: Instant,
    /// Others were open beside it.
    pub is_crowded: bool,
}

impl Played {
    /// Whether its connection may have been cut by the server's end.
    fn is_cut(&self) -> bool {
        let has_answer = self.graded.got.iter().any(|event| matches!(event.what, EventKind::Answer(_)));
        match &self.graded.ended {
            Some(ended) => ended.stream.is_some() && self.graded.code.is_none() && !ended.clean,
            None => !self.graded.opened && !has_answer,
        }
    }
}

/// Cases whose outcome is kept back.
#[derive(Default)]
pub(super) struct Suspects {
    kept: VecDeque<Played>,
    /// They are played again, alone.
    again: VecDeque<Played>,
    /// Cases that the server ended at, by their ids.
    pub guilty: Vec<String>,
}

impl Suspects {
    /// Keeps back what came of a case if that may be the end of the server; gives it back if it cannot.
    pub fn keep(&mut self, played: Played, ways: &Ways) -> Option<Played> {
        let Some(connected) = played.connected else { return Some(played) };
        if played.is_cut() || ways.was_away_since(connected) {
            self.kept.push_back(played);
            return None;
        }
        Some(played)
    }

    /// The next whose outcome is certain.
    pub fn settled(&mut self, ways: &Ways) -> Option<Played> {
        let mut at = 0;
        while let Some(one) = self.kept.get(at) {
            let since = one.connected.unwrap_or(one.ended);
            let is_away = ways.was_away_since(since);
            let beside = |other: &&Played| {
                let [first, last] = [one.ended.min(other.ended), one.ended.max(other.ended)];
                other.is_crowded && other.is_cut() && last - first < MOMENT
            };
            let is_at_once = one.is_crowded && self.kept.iter().filter(beside).count() >= MANY;
            let is_certain = is_away || ways.was_there_at(one.ended + MOMENT);
            if !is_certain {
                at += 1;
                continue;
            }
            if one.is_crowded && (is_away || is_at_once) {
                // All of them at once: who is left would look as if it had been alone.
                let all: Vec<usize> = (0..self.kept.len())
                    .rev()
                    .filter(|other| *other == at || is_at_once && beside(&&self.kept[*other]))
                    .collect();
                self.again.extend(all.into_iter().filter_map(|other| self.kept.remove(other)));
                at = 0;
                continue;
            }
            let mut one = self.kept.remove(at)?;
            if is_away {
                self.blame(&mut one.graded);
            }
            return Some(one);
        }
        None
    }

    /// Whether something is kept back of which nothing is certain yet.
    pub fn is_waiting(&self) -> bool {
        !self.kept.is_empty()
    }

    /// The next that is to be played again.
    pub fn again(&mut self) -> Option<Played> {
        self.again.pop_front()
    }

    /// It was this case, which was alone.
    pub fn blame(&mut self, graded: &mut Graded) {
        self.guilty.push(graded.case.id.clone());
        graded.behaviour = Behaviour::Failed;
        graded.why = "the server ended: afterwards nobody could connect for a while".into();
    }

    /// What is left when the server is gone for good.
    pub fn left(&mut self) -> Option<Played> {
        self.again.pop_front().or_else(|| self.kept.pop_front()).map(Self::unknown)
    }

    /// Whether it was this case is not known, and cannot be found out.
    pub fn unknown(mut one: Played) -> Played {
        if one.is_crowded && one.is_cut() && one.graded.behaviour == Behaviour::Failed {
            one.graded.why = Text::from(
                "the server ended while this and other cases were played: which of them it was, \
                            --jobs 1 shows",
            );
        }
        one
    }
}
