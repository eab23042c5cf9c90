//! What clients ask for over HTTP/2: each stream is one as a connection of HTTP/1.1 is (RFC 8441 §5).

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_local};
use tokio::time::{Instant, sleep_until};

use super::asked::Asked as Target;
use super::{Desk, FAREWELL, HEAD, Line};
use crate::grade::play;
use crate::lab::abort::Abort;
use crate::lab::http2::served::{Asked, Served, Visit};
use crate::lab::http2::{self, Refused};
use crate::lab::socket::Stream;
use crate::model::{Dir, SourceId, Text};
use crate::replay::Heard;

/// How long a connection may be there on which nothing is asked for, whatever else comes.
const IDLE: Duration = Duration::from_secs(30);

impl Desk {
    /// Serves a client that begins with HTTP/2, where that is to be, to the end of its connection.
    pub(super) async fn streams(self: &Rc<Self>, stream: impl Stream, peer: SocketAddr) -> Result<(), Text> {
        if !self.settings.http2 {
            http2::refuse(stream).await;
            return Err("speaks HTTP/2, which is not graded without --http2".into());
        }
        let mut served = Served::begin(stream, [peer, self.settings.ours], HEAD).await?;
        let mut visits = JoinSet::new();
        let mut patience = IDLE;
        let mut idle = Instant::now() + patience;
        loop {
            let asked = tokio::select! {
                asked = served.next() => asked,
                Some(_) = visits.join_next() => {
                    idle = Instant::now() + patience;
                    continue;
                }
                () = sleep_until(idle), if visits.is_empty() => {
                    // Who does not leave then is left.
                    if patience != IDLE {
                        break;
                    }
                    served.end();
                    patience = FAREWELL;
                    idle = Instant::now() + patience;
                    continue;
                }
            };
            match asked {
                None => break,
                Some(Err(why)) => {
                    self.complain(peer, why).await;
                    break;
                }
                Some(Ok(Asked::Refused(refused))) => {
                    let desk = Rc::clone(self);
                    // The connection goes on.
                    spawn_local(async move { desk.refused(refused, peer).await });
                }
                Some(Ok(Asked::Visit(visit))) => {
                    let desk = Rc::clone(self);
                    visits.spawn_local(async move { desk.visit(visit, peer).await });
                }
            }
        }
        // They are told by their streams.
        while visits.join_next().await.is_some() {}
        Ok(())
    }

    async fn visit(&self, visit: Visit, peer: SocketAddr) {
        // It is never closed.
        let Ok(_seat) = self.streams.acquire().await else { return };
        let Visit { head, stream, watch } = visit;
        let heard = Heard::of(&head, SourceId::Stream { conn: 1, dir: Dir::Client }, 0);
        let stream = Box::new(stream);
        let line = Line { early: Vec::new(), stream, abort: Abort::default(), http2: Some(watch) };
        if let Err(why) = self.asked(&heard, line).await {
            self.complain(peer, why).await;
        }
    }

    /// A request was so wrong that HTTP/2 refuses it: where it asks for a case, it has failed that.
    async fn refused(&self, Refused { target, broken }: Refused, peer: SocketAddr) {
        if let Ok(Target::Run(which, agent)) = Target::of(&target, None)
            && let Some((number, case)) = self.find(&which)
            && !self.is_excluded(&agent, case)
            && self.standings.begin(&agent, number)
        {
            return self.played(number, agent, play::refused(case, broken)).await;
        }
        let why = Text::new("{}: {}").word(broken.rule.title).word(broken.got);
        self.complain(peer, Text::new("its request was refused: {}").word(why)).await;
    }
}
