//! Raw TCP that carries lines of text, as whoever gives the bytes knows.

use super::about::About;
use super::follow::Follow;
use super::run::Run;
use super::{Context, Phase, Session};
use crate::model::{At, Dir, Flow, Handshake, ON, Roles, Side};

/// Lines of both endpoints.
pub(super) struct Lines {
    follows: [Box<Follow>; 2],
}

impl Lines {
    /// Nothing has come.
    fn new() -> Self {
        Self { follows: [Dir::Client, Dir::Server].map(|dir| Box::new(Follow::lines(dir))) }
    }

    /// Bytes that it holds.
    pub fn cost(&self) -> usize {
        self.follows.iter().map(|follow| follow.cost()).sum()
    }

    /// Takes bytes of one endpoint.
    fn data(&mut self, run: Run<'_>, about: &About, cx: &mut Context<'_, '_>) -> Flow {
        self.follows[run.dir.index()].push(run, about, cx)
    }

    /// Tells what is under way, which gets no end any more, or whose end is missing.
    fn end(&mut self, dir: Dir, at: At, about: &About, cx: &mut Context<'_, '_>) -> Flow {
        let follow = std::mem::replace(&mut self.follows[dir.index()], Box::new(Follow::lines(dir)));
        follow.end(false, at, about, cx)
    }
}

impl Session {
    /// Says that both endpoints send lines of text, and that `client` is the client.
    #[must_use]
    pub fn of_lines(mut self, client: Side) -> Self {
        self.about.client = Some(client);
        self.phase = Phase::Lines(Box::new(Lines::new()));
        self
    }

    /// Takes bytes of one side.
    pub(super) fn line_data(&mut self, side: Side, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) -> Flow {
        let offset = self.about.offsets[side.index()];
        self.about.offsets[side.index()] += bytes.len() as u64;
        if self.about.told.is_none() {
            self.about.announce(Roles::Ports, Handshake::Lines, cx);
            self.about.introduce(at.time, cx)?;
        }
        let dir = self.about.dir(side).unwrap_or(Dir::Server);
        let Phase::Lines(lines) = &mut self.phase else { return ON };
        lines.data(Run { dir, bytes, at, offset }, &self.about, cx)?;
        self.about.tell_anomalies(cx)
    }

    /// One side sends no more, or something of it is missing.
    pub(super) fn line_end(&mut self, dir: Dir, at: At, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Lines(lines) = &mut self.phase else { return ON };
        lines.end(dir, at, &self.about, cx)
    }

    /// The connection is over.
    pub(super) fn lines_over(&mut self, at: At, cx: &mut Context<'_, '_>) -> Flow {
        self.line_end(Dir::Client, at, cx)?;
        self.line_end(Dir::Server, at, cx)
    }
}
