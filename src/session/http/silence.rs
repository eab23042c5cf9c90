//! Handshakes that come to no end: a request without an answer.

use super::{Http, STAY, Turn, told};
use crate::http::handshake::certificate_missing;
use crate::http::{HANDSHAKE_LEFT, HANDSHAKE_UNANSWERED};
use crate::limits;
use crate::model::quantity::wait;
use crate::model::{At, Case, Diagnosis, Dir, Finding, Measure, Quantity, Secured, StreamEnd, Text};
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
        if self.may_be_answered(about) {
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
        let wait = |waited: Option<i64>| wait(waited.unwrap_or_default());
        let got = match over {
            Over::Stream(how) if dir == Dir::Server => match how {
                StreamEnd::Rst => Text::with("a TCP reset after {}, and not a byte", wait(waited)),
                _ => Text::with("TCP closed after {}, and not a byte", wait(waited)),
            },
            // It knows best how long it wanted to wait.
            Over::Stream(_) if waited.is_some_and(|waited| waited >= limits::ANSWER_WANTED) => {
                Text::with("not a byte in {}, when the client gave up", wait(waited))
            }
            // Behind the server's own end it is no more than the answer to that.
            Over::Stream(_)
                if request.unanswered || about.ended[about.side(Dir::Server).index()].is_some() =>
            {
                return STAY;
            }
            Over::Stream(_) => return left_early(waited, at, about, cx),
            _ if waited.is_none_or(|waited| waited < limits::ANSWER_AWAITED) => return STAY,
            Over::Input => Text::with("not a byte in {}, when the capture ends", wait(waited)),
        };
        let what = match over {
            Over::Stream(StreamEnd::Rst) if dir == Dir::Server => "got no answer: RST from the server".into(),
            Over::Stream(_) if dir == Dir::Server => "got no answer: FIN from the server".into(),
            Over::Stream(_) => Text::with("got no answer in {}: the client gave up", wait(waited)),
            Over::Input => Text::with("got no answer in {}: the capture ends", wait(waited)),
        };
        let behind = match over {
            Over::Stream(_) if dir == Dir::Server => closing(about),
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
        let measures = waited.map(|waited| Measure::of(Quantity::Waited, waited));
        let case = Case { behind: Some(behind), ..Case::new(what, measures.into_iter().collect()) };
        tell(case, got, at, about, cx)
    }

    /// Says of the request that came last that the server had ended its stream before it.
    pub(super) fn asked_in_vain(&mut self, at: At, about: &About, cx: &mut Context<'_, '_>) -> Turn {
        let ended = about.ended[about.side(Dir::Server).index()].filter(|how| how.is_final());
        let (Some(how), false) = (ended, self.may_be_answered(about)) else { return STAY };
        let Some(request) = self.requests.back_mut().filter(|request| request.upgrade.is_some()) else {
            return STAY;
        };
        request.unanswered = true;
        let behind = match secured(about) {
            Some(Secured { lacks_certificate: true, .. }) => certificate_missing(),
            _ => Diagnosis::new(
                "closed-before-asked",
                "it takes connections and ends them at once: nothing is behind a port that is passed on \
                 (docker -p, ssh -L, a load balancer), it has no room for more of them (open files, a \
                 limit), shuts down, or does not let this address in",
                "look into the log of what listens there, at what is behind it, and at its limits (ulimit \
                 -n)",
            ),
        };
        let got = Text::with("{} of the server before the request, and not a byte", how.flag());
        let what = Text::with("got no answer: {} from the server, before it was asked", how.flag());
        tell(Case { behind: Some(behind), ..Case::new(what, Vec::new()) }, got, at, about, cx)
    }

    /// Whether the client may have an answer that is not there; or where the server's stream begins was not
    /// seen, so that one may be missing unnoticed.
    fn may_be_answered(&self, about: &About) -> bool {
        about.heard(Dir::Server) > 0 || self.server.behind || !about.both_heard
    }
}

/// Tells that the client did not wait for the answer.
fn left_early(waited: Option<i64>, at: At, about: &About, cx: &mut Context<'_, '_>) -> Turn {
    let Some(waited) = waited else { return STAY };
    let got = Text::with("the end of TCP by the client after {}", wait(waited));
    let case = Case::new(
        "ended by the client before the handshake was answered".into(),
        vec![Measure::of(Quantity::Waited, waited)],
    );
    let expected = "a client that waits for the answer";
    let finding = Finding::new(&HANDSHAKE_LEFT, Dir::Client, expected.into(), got).like(case);
    about.told.as_ref().map_or(STAY, |connection| told(connection.note(Dir::Client, at, &[finding], cx)))
}

/// Tells that a request was not answered, of which this was `got` instead.
fn tell(case: Case, got: Text, at: At, about: &About, cx: &mut Context<'_, '_>) -> Turn {
    let expected = "101 Switching Protocols, or an HTTP error that says why not";
    let finding = Finding::new(&HANDSHAKE_UNANSWERED, Dir::Server, expected.into(), got).like(case);
    about.told.as_ref().map_or(STAY, |connection| told(connection.note(Dir::Server, at, &[finding], cx)))
}

/// The TLS within which a connection was deciphered.
fn secured(about: &About) -> Option<&Secured> {
    about.told.as_ref()?.connection.secured.as_deref()
}

/// What is behind an end of TCP instead of an answer.
fn closing(about: &About) -> Diagnosis {
    match secured(about) {
        Some(Secured { lacks_certificate: true, .. }) => certificate_missing(),
        Some(_) => Diagnosis::new(
            "answered-by-closing",
            "the server or a proxy closes what it does not want (nginx: return 444), or nothing is behind \
             the proxy that ends TLS",
            "look into the log of what listens there",
        ),
        None => Diagnosis::new(
            "answered-by-closing",
            "the server or a proxy closes what it does not want (nginx: return 444), nothing is behind a \
             port that is passed on (docker -p, ssh -L), or the port expects another protocol, such as \
             TLS",
            "look into the log of what listens there; try wss:// and the right host name",
        ),
    }
}
