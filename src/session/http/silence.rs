//! Handshakes that come to no end: a request without an answer.

use super::{Http, STAY, Turn, told};
use crate::http::HANDSHAKE_UNANSWERED;
use crate::limits;
use crate::model::quantity::wait;
use crate::model::{At, Case, Diagnosis, Dir, Finding, Measure, Quantity, StreamEnd, Text};
use crate::session::Context;
use crate::session::about::About;

/// What ended a side's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum Over {
    /// It did itself.
    Stream(StreamEnd),
    /// There is no more input.
    Input,
}

impl Over {
    /// Nobody ended it: what is incomplete is nobody's fault.
    pub(super) fn is_cut(self) -> bool {
        self == Self::Input
    }
}

impl Http {
    /// Says that nothing was answered, where that is certain and not only cut off.
    pub(super) fn unanswered(
        &mut self,
        dir: Dir,
        over: Over,
        at: At,
        about: &About,
        cx: &mut Context<'_, '_>,
    ) -> Turn {
        // The client may have an answer that is not there; or where the server's stream begins was not
        // seen, so that one may be missing unnoticed.
        if about.heard(Dir::Server) > 0 || self.server.behind || !about.both_heard {
            return STAY;
        }
        let Some(request) = self.requests.iter_mut().find(|request| request.upgrade.is_some()) else {
            return STAY;
        };
        // What comes after the client has given up is no answer to it any more.
        let is_given_up = std::mem::replace(&mut request.given_up, dir == Dir::Client && !over.is_cut());
        if is_given_up {
            request.given_up = true;
            return STAY;
        }
        let waited = request.time.zip(at.time).map(|(asked, now)| now.since(asked));
        // The server had left before.
        let is_late = waited.is_some_and(|waited| waited < 0);
        let wait = |waited: Option<i64>| wait(waited.unwrap_or_default().abs());
        let got = match over {
            Over::Stream(_) if dir == Dir::Server && is_late => {
                Text::with("TCP closed {} before the request came", wait(waited))
            }
            Over::Stream(how) if dir == Dir::Server => match how {
                StreamEnd::Rst => Text::with("a TCP reset after {}, and not a byte", wait(waited)),
                _ => Text::with("TCP closed after {}, and not a byte", wait(waited)),
            },
            // It knows best how long it wanted to wait.
            Over::Stream(_) if waited.is_some_and(|waited| waited >= limits::ANSWER_WANTED) => {
                Text::with("not a byte in {}, when the client gave up", wait(waited))
            }
            _ if waited.is_none_or(|waited| waited < limits::ANSWER_AWAITED) => return STAY,
            Over::Stream(_) => return STAY,
            Over::Input => Text::with("not a byte in {}, when the capture ends", wait(waited)),
        };
        let what = match over {
            Over::Stream(_) if dir == Dir::Server && is_late => {
                "got no answer: the server had ended TCP before the request came".into()
            }
            Over::Stream(StreamEnd::Rst) if dir == Dir::Server => "got no answer: RST from the server".into(),
            Over::Stream(_) if dir == Dir::Server => "got no answer: FIN from the server".into(),
            Over::Stream(_) => Text::with("got no answer in {}: the client gave up", wait(waited)),
            Over::Input => Text::with("got no answer in {}: the capture ends", wait(waited)),
        };
        let behind = match over {
            Over::Stream(_) if dir == Dir::Server && is_late => Diagnosis::new(
                "ended-before-asked",
                "it takes connections and ends them at once: nothing is behind a port that is passed on \
                 (docker -p, ssh -L, a load balancer), or it has no room for more of them (open files, a \
                 limit)",
                "look into the log of what listens there, at what is behind it, and at its limits (ulimit \
                 -n)",
            ),
            Over::Stream(_) if dir == Dir::Server => Diagnosis::new(
                "answered-by-closing",
                "the server or a proxy closes what it does not want (nginx: return 444), nothing is behind a \
                 port that is passed on (docker -p, ssh -L), or the port expects another protocol, such as \
                 TLS",
                "look into the log of what listens there; try wss:// and the right host name",
            ),
            // A shorter time than most clients allow.
            Over::Stream(_) if waited.is_some_and(|waited| waited < limits::ANSWER_AWAITED) => {
                let what = "what listens there is slower than the client's timeout, or does not answer at \
                            all; or whoever wanted the connection has left";
                let fix = "see with curl from the server's own host how long the answer takes; give the \
                           client more time (open_timeout, handshakeTimeout)";
                Diagnosis::new("no-answer-in-time", what, fix)
            }
            _ => Diagnosis::new(
                "no-answer",
                "what listens there does not read, is overloaded, or waits for the end of the request; a \
                 firewall may drop the answer",
                "ask the same port with curl from the server's own host, and see where it stops",
            ),
        };
        if std::mem::replace(&mut request.unanswered, true) {
            return STAY;
        }
        let expected = "101 Switching Protocols, or an HTTP error that says why not";
        let measures = waited.filter(|_| !is_late).map(|waited| Measure::of(Quantity::Waited, waited));
        let case = Case { behind: Some(behind), ..Case::new(what, measures.into_iter().collect()) };
        let finding = Finding::new(&HANDSHAKE_UNANSWERED, Dir::Server, expected.into(), got).like(case);
        about.told.as_ref().map_or(STAY, |connection| told(connection.note(Dir::Server, at, &[finding], cx)))
    }
}
