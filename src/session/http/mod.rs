//! The HTTP part of a connection: requests and responses up to the one that upgrades.
//!
//! [`Http`] owns all that it holds. It is handed what is known of the connection and the way out, takes what
//! each endpoint sends, that something is missing, that a stream ends, and breaks with what the connection
//! becomes [next](Next).

pub(super) mod foreign;
mod lane;
mod polling;
mod request;
mod response;
mod silence;
mod stream;
mod upgrade;
mod waiting;

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::about::About;
use super::run::{Chunk, Run};
use super::{Context, Start};
use crate::http::body::Body;
use crate::http::handshake;
use crate::http::head::HeadState;
use crate::model::{At, Dir, Flow, Time};
use crate::ws::Conversation;

use self::lane::{Lane, Request};

pub use self::polling::polls;
pub(super) use self::silence::Over;
#[cfg(feature = "h2")]
pub(super) use self::upgrade::Upgrade;

/// A connection that speaks HTTP.
pub(super) struct Http {
    client: Lane,
    server: Lane,
    /// Requests whose response has not come.
    requests: VecDeque<Request>,
}

/// What becomes of a connection that spoke HTTP until now.
pub(super) enum Next {
    /// Nothing: the sink has had enough.
    Stop,
    /// Something that is not followed.
    Other,
    /// Something that is found out anew, from these bytes on: what goes through a tunnel, or lies behind a
    /// hole.
    Anew(Rest),
    /// HTTP/2, to which these bytes belong.
    #[cfg(feature = "h2")]
    Http2(Upgrade, Rest),
    /// A WebSocket, to which these bytes belong.
    WebSocket(Box<Conversation>, Rest),
}

/// Bytes that HTTP did not use, in the order in which they are to be read.
type Rest = Vec<(Dir, Chunk)>;

/// Goes on with HTTP, or breaks with what comes next.
pub(super) type Turn = ControlFlow<Next>;

/// HTTP goes on.
const STAY: Turn = ControlFlow::Continue(());

/// It is nothing that is followed.
const OTHER: Turn = ControlFlow::Break(Next::Other);

/// HTTP goes on, unless the sink has had enough.
fn told(flow: Flow) -> Turn {
    flow.map_break(|()| Next::Stop)
}

impl Next {
    /// The same, with bytes behind those that it has.
    fn before(mut self, run: Run<'_>) -> Self {
        let rest = match &mut self {
            Self::Anew(rest) | Self::WebSocket(_, rest) => rest,
            #[cfg(feature = "h2")]
            Self::Http2(_, rest) => rest,
            Self::Stop | Self::Other => return self,
        };
        if !run.bytes.is_empty() {
            rest.push((run.dir, run.kept()));
        }
        self
    }
}

impl Http {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Self { client: Lane::default(), server: Lane::default(), requests: VecDeque::new() }
    }

    fn lane(&mut self, dir: Dir) -> &mut Lane {
        match dir {
            Dir::Client => &mut self.client,
            Dir::Server => &mut self.server,
        }
    }

    /// Takes the next bytes of one endpoint.
    pub fn data(&mut self, mut run: Run<'_>, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        self.answer_nobody(run, about, cx).map_break(|next| next.before(run))?;
        while !run.bytes.is_empty() {
            let lane = self.lane(run.dir);
            if lane.lost {
                return STAY;
            }
            if lane.blocked {
                return self.hold_back(run, about, cx);
            }
            let used = if lane.follow.is_some() {
                self.stream(run, about, cx)?
            } else if let Some(body) = &mut lane.body {
                let (used, done) = body.push(run.bytes);
                // Who counts waits for the end.
                if done || body.is_full() && !cx.out.wants().http {
                    if let Some(pending) = lane.pending.as_mut().filter(|p| p.polls) {
                        (pending.time, pending.last_packet) = (run.at.time, Some(run.at.packet));
                    }
                    self.show_pending(run.dir, about, cx)?;
                }
                if done {
                    self.lane(run.dir).body = None;
                }
                used
            } else if run.dir == Dir::Server && lane.is_foreign(run.bytes) {
                return self.foreign(run, about, cx);
            } else {
                let (used, state) = lane.gather(run);
                match state {
                    HeadState::Reading => {}
                    HeadState::Complete => {
                        self.head(run, about, cx).map_break(|next| next.before(run.after(used)))?;
                    }
                    HeadState::Overflowing => {
                        return match self.head(run, about, cx) {
                            ControlFlow::Continue(()) => self.lose(run.dir),
                            ControlFlow::Break(Next::Stop) => ControlFlow::Break(Next::Stop),
                            // Where that begins nobody knows.
                            ControlFlow::Break(_) => OTHER,
                        };
                    }
                }
                used
            };
            run = run.after(used);
        }
        STAY
    }

    /// A direction is over: a body may have lasted until now.
    pub fn end(&mut self, dir: Dir, over: Over, at: At, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        self.show_pending(dir, about, cx)?;
        if dir == Dir::Server {
            self.end_stream(over, at, about, cx)?;
        }
        self.unfinished_request(over, at, about, cx)?;
        match dir {
            // A response that waited for its request will wait no longer.
            Dir::Server if self.server.has_waiting_head() => {
                self.answer_waiting(At::default(), about, cx)?;
                return self.show_pending(dir, about, cx);
            }
            Dir::Client if about.heard(Dir::Server) == 0 && self.client.held_bytes > 0 => {
                return self.upgrade_unanswered(about, cx);
            }
            Dir::Client => {}
            Dir::Server => {
                self.tell_foreign(about, cx)?;
                self.unfinished_response(over, at, about, cx)?;
            }
        }
        self.unanswered(dir, over, at, about, cx)
    }

    /// Something is missing. Heads cannot be followed across a hole; whatever comes next is found anew.
    pub fn gap(&mut self, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        self.show_pending(Dir::Client, about, cx)?;
        self.show_pending(Dir::Server, about, cx)?;
        self.end_stream(Over::Input, At::default(), about, cx)?;
        // It was asked to turn into something else, or a request is under way that may ask it.
        let may_turn = self.requests.iter().any(Request::may_turn) || self.client.has_begun();
        about.start = match about.start {
            Start::Given => Start::Given,
            _ if may_turn => Start::Midway,
            _ => Start::SpokeHttp,
        };
        ControlFlow::Break(Next::Anew(Vec::new()))
    }

    /// Bytes of one direction are not there that the other had when it sent what comes next.
    pub fn behind(&mut self, dir: Dir) {
        self.lane(dir).behind = true;
    }

    /// What is held of both directions, in bytes.
    pub fn cost(&self) -> usize {
        let request = |request: &Request| request.cost + size_of::<Request>();
        let requests = self.requests.iter().map(request).sum::<usize>();
        size_of::<Self>() + self.client.cost() + self.server.cost() + requests
    }

    /// Whether it holds more than itself.
    pub fn holds_something(&self) -> bool {
        self.cost() > size_of::<Self>()
    }

    /// When the last request was made.
    pub fn silent_since(&self) -> Option<Time> {
        self.requests.back().and_then(|request| request.time)
    }

    /// A head is complete, or too large to become so, with these bytes.
    fn head(&mut self, run: Run<'_>, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        match run.dir {
            Dir::Client => self.request(run.at, false, about, cx),
            Dir::Server => self.response(run.at, true, about, cx),
        }
    }

    /// What an endpoint sends behind a head that was too large cannot be read. The answer to
    /// a request for a WebSocket can.
    fn lose(&mut self, dir: Dir) -> Turn {
        if dir == Dir::Client && self.asks_for_websocket() {
            self.client.lost = true;
            STAY
        } else {
            OTHER
        }
    }

    /// Whether a request for a WebSocket awaits its answer.
    fn asks_for_websocket(&self) -> bool {
        self.requests.iter().any(|request| request.upgrade.is_some())
    }

    /// Shows a head that waited for its body, with as much of it as there is.
    fn show_pending(&mut self, dir: Dir, about: &About, cx: &mut Context<'_, '_>) -> Turn {
        let lane = self.lane(dir);
        let Some(mut judged) = lane.pending.take() else { return STAY };
        let body = lane.body.as_ref();
        let plain = body.map(Body::plain).unwrap_or_default();
        // Only a proxy begins with a PROXY header, and a server that knows none reads it as a request.
        let is_proxied = about.tunnel.as_ref().is_some_and(|tunnel| tunnel.preface.is_some());
        judged.findings.iter_mut().for_each(|finding| handshake::with_body(finding, &plain, is_proxied));
        told(about.show(&judged, body, cx))
    }
}

#[cfg(test)]
mod tests;
