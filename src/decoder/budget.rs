//! The budget for memory: what all connections hold, and what is given up first when it is too much.
//!
//! There is one account. Sessions that are no WebSocket yet are entered by what they cost before and after
//! something came; what is under way in a WebSocket is entered when it is put away
//! ([`Held`](crate::ws::Held)), so that one with nothing under way costs nothing to account for.

use std::cmp::Reverse;

use super::Decoder;
use crate::limits;
use crate::model::{At, Dir, Flow, FlowId, ON, Sink};
use crate::session::{Context, Session};
use crate::ws::{Loss, Scratch};

/// What sessions take, apart from what is under way in what they carry.
#[derive(Debug)]
pub(super) struct Budget {
    /// Bytes of all sessions.
    sessions: usize,
    /// Bytes among them of connections that may be anything, and how many may be.
    early: usize,
    early_limit: usize,
    /// Bytes of the whole run.
    memory: usize,
    /// Bytes of a connection that has to do with WebSocket.
    connection: usize,
    /// Bytes all connections together may take.
    limit: usize,
    /// The same, once nothing more can be given up here, until more was given up elsewhere.
    ceiling: usize,
    /// Bytes too many that nothing but fewer connections can save.
    excess: usize,
}

impl Budget {
    /// A budget of `memory` bytes, of which connections may take three quarters.
    /// `app` says that what messages mean is followed, too.
    pub fn of(memory: usize, app: bool) -> Self {
        let limit = memory / 4 * 3;
        let early_limit = limits::EARLY_TOTAL.min(limit / 4);
        let connection = limits::CONNECTION_HELD + if app { limits::CONNECTION_APP_HELD } else { 0 };
        Self { connection, sessions: 0, early: 0, early_limit, memory, limit, ceiling: limit, excess: 0 }
    }

    /// A session begins.
    pub fn enter(&mut self, session: &Session) {
        self.sessions += limits::FLOW_HELD;
        self.change((false, 0), (session.is_told(), session.cost()));
    }

    /// A session is over.
    pub fn leave(&mut self, session: &Session) {
        self.sessions = self.sessions.saturating_sub(limits::FLOW_HELD);
        self.change((session.is_told(), session.cost()), (false, 0));
    }

    /// A session that was numbered or not, and took so many bytes, has changed.
    pub fn change(&mut self, before: (bool, usize), after: (bool, usize)) {
        let cost = |(told, cost): (bool, usize)| cost + if told { self.connection } else { 0 };
        let early = |(told, cost): (bool, usize)| if told { 0 } else { cost };
        self.sessions = (self.sessions + cost(after)).saturating_sub(cost(before));
        self.early = (self.early + early(after)).saturating_sub(early(before));
    }

    fn total(&self, scratch: &Scratch) -> usize {
        self.sessions + scratch.held.bytes()
    }

    /// Whether something must be given up.
    #[inline]
    pub fn is_reached(&self, scratch: &Scratch) -> bool {
        self.sessions + scratch.held.bytes() > self.ceiling || self.early > self.early_limit
    }

    /// Bytes down to which things are given up: giving up looks at all connections, and is not to be for
    /// nothing.
    fn enough(&self) -> usize {
        self.limit - self.limit / 8
    }
}

impl<S: Sink> Decoder<S> {
    /// Bytes that the run may hold at a time.
    pub(crate) fn memory(&self) -> usize {
        self.budget.memory
    }

    /// Bytes that connections hold at the moment.
    pub fn held(&self) -> usize {
        self.budget.total(&self.scratch)
    }

    /// Whether there are too many connections: memory is short and nothing else is left to give up.
    #[inline]
    pub fn has_surplus(&self) -> bool {
        self.budget.excess > 0
    }

    /// How many connections are too many. Whoever feeds the decoder [gives them up](Self::give_up), those
    /// idle for longest first.
    #[cold]
    pub fn take_surplus(&mut self) -> usize {
        self.budget.ceiling = self.budget.limit;
        std::mem::take(&mut self.budget.excess).div_ceil(limits::FLOW_HELD + self.budget.connection)
    }

    /// Memory is short: says that a connection is followed no longer. [`close`](Self::close) is to follow.
    pub fn give_up(&mut self, id: FlowId) -> Flow {
        self.each(id.0 as usize, |session, at, cx| session.tell_given_up(at, cx))
    }

    /// A session goes without being told.
    pub(super) fn drop_session(&mut self, mut session: Session) {
        self.budget.leave(&session);
        for (_, talk) in session.talks() {
            talk.forget(&mut self.scratch);
        }
    }

    /// Gives up the least useful, until an eighth is free.
    #[cold]
    pub(super) fn relieve(&mut self) -> Flow {
        if self.budget.early > self.budget.early_limit {
            self.give_up_early();
        }
        if self.budget.total(&self.scratch) > self.budget.ceiling {
            self.give_up_windows(|loss| loss == Loss::Nothing)?;
            self.give_up_payloads()?;
            self.give_up_windows(|_| true)?;
            self.give_up_heads()?;
        }
        let total = self.budget.total(&self.scratch);
        self.budget.excess = total.saturating_sub(self.budget.limit);
        if self.budget.excess > 0 {
            self.budget.excess = total - self.budget.enough();
        }
        self.budget.ceiling = self.budget.limit.max(total + self.budget.limit / 8);
        ON
    }

    fn is_enough(&self) -> bool {
        self.budget.total(&self.scratch) <= self.budget.enough()
    }

    /// Connections that may be anything: those that hold the most, until half is free. Nothing is known of
    /// them that could be told.
    fn give_up_early(&mut self) {
        let is_early = |session: &&mut Session| !session.is_told() && session.cost() > 0;
        let mut largest: Vec<usize> =
            self.sessions.iter_mut().flatten().filter(is_early).map(|session| session.cost()).collect();
        largest.sort_unstable();
        let Some(least) = largest.get(largest.len() / 2).copied() else { return };
        for session in self.sessions.iter_mut().flatten().filter(is_early) {
            let cost = session.cost();
            if cost >= least && self.budget.early > self.budget.early_limit / 2 {
                session.give_up();
                self.budget.change((false, cost), (false, session.cost()));
            }
        }
    }

    /// Inflaters with their windows, of connections that have compressed nothing for longest first.
    fn give_up_windows(&mut self, which: fn(Loss) -> bool) -> Flow {
        let mut windows: Vec<(Loss, usize, u32, Dir)> = Vec::new();
        for (slot, session) in self.sessions.iter_mut().enumerate() {
            for (of, talk) in session.iter_mut().flat_map(Session::talks) {
                let these = talk.windows().filter(|(_, loss)| which(*loss));
                windows.extend(these.map(|(dir, loss)| (loss, slot, of, dir)));
            }
        }
        windows.sort_unstable_by_key(|(loss, slot, of, dir)| (*loss, *slot, *of, dir.index()));
        for (loss, slot, of, dir) in windows {
            if self.is_enough() {
                break;
            }
            self.each(slot, |session, at, cx| {
                session.talk_of(of).map_or(ON, |talk| talk.give_up_window(dir, loss, at, cx.out, cx.scratch))
            })?;
        }
        ON
    }

    /// Payload kept to be shown of what is not over, the largest first.
    fn give_up_payloads(&mut self) -> Flow {
        let mut kept: Vec<(Reverse<usize>, usize, u32, Dir)> = Vec::new();
        for (slot, session) in self.sessions.iter_mut().enumerate() {
            for (of, talk) in session.iter_mut().flat_map(Session::talks) {
                for dir in [Dir::Client, Dir::Server] {
                    let shown = talk.shown(dir);
                    if shown > 2 * limits::SHOWN_OF_GIVEN_UP {
                        kept.push((Reverse(shown), slot, of, dir));
                    }
                }
            }
        }
        kept.sort_unstable_by_key(|(shown, slot, of, dir)| (*shown, *slot, *of, dir.index()));
        for (_, slot, of, dir) in kept {
            if self.is_enough() {
                break;
            }
            self.each(slot, |session, at, cx| {
                session.talk_of(of).map_or(ON, |talk| talk.give_up_shown(dir, at, cx.out, cx.scratch))
            })?;
        }
        ON
    }

    /// Heads of handshakes whose endpoints have been silent for longest.
    fn give_up_heads(&mut self) -> Flow {
        let silent = |(slot, session): (usize, &Option<Session>)| {
            session.as_ref().and_then(Session::silent_since).map(|since| (since, slot))
        };
        let mut silent: Vec<_> = self.sessions.iter().enumerate().filter_map(silent).collect();
        let cost = |(_, slot): &(_, usize)| self.sessions[*slot].as_ref().map_or(0, Session::cost);
        if silent.iter().map(cost).sum::<usize>() < self.budget.limit / 16 {
            // It is not for a few handshakes that memory is short.
            return ON;
        }
        silent.sort_unstable();
        for (_, slot) in silent {
            if self.is_enough() {
                break;
            }
            self.each(slot, Session::give_up_heads)?;
        }
        ON
    }

    /// Has one session give something up, or say that it was.
    fn each(
        &mut self,
        slot: usize,
        give_up: impl FnOnce(&mut Session, At, &mut Context<'_, '_>) -> Flow,
    ) -> Flow {
        let at = At { time: self.now, ..At::default() };
        self.lend(slot, |session, cx| give_up(session, at, cx)).unwrap_or(ON)
    }
}
