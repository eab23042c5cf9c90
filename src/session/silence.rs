//! Handshakes that come to no end: a head without its last line, a request without an answer.

use crate::http::HANDSHAKE_UNANSWERED;
use crate::http::handshake;
use crate::http::head::HeadState;
use crate::limits;
use crate::model::{At, Dir, Finding, Flow, ON, SourceId, StreamEnd, Text};

use super::told::Judged;
use super::{Context, Phase, Session, Side};

/// What ended a side's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// It did itself.
    Stream(StreamEnd),
    /// There is no more input.
    Input,
}

impl Over {
    /// Nobody ended it: what is incomplete is nobody's fault.
    fn is_cut(self) -> bool {
        self == Self::Input
    }
}

impl Session {
    /// A request whose empty line will not come is judged as it is, if it asks for a WebSocket.
    pub(super) fn unfinished_request(
        &mut self,
        client: Side,
        over: Over,
        at: At,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let number = self.number();
        let Phase::Http(http) = &self.phase else { return ON };
        let lane = &http.lanes[client.index()];
        if lane.reader.total() == 0 || lane.reader.state() != HeadState::Reading || lane.lost {
            return ON;
        }
        // The server has more of it than there is here.
        if lane.behind {
            return ON;
        }
        let head = lane.reader.parse_cut(SourceId::Stream { conn: number, dir: Dir::Client }, lane.offset);
        if !handshake::is_upgrade(&head) {
            return ON;
        }
        self.request(client, at, over.is_cut(), cx)
    }

    /// An answer that breaks off is shown as far as it came.
    pub(super) fn unfinished_answer(
        &mut self,
        server: Side,
        over: Over,
        at: At,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let conn = self.number();
        let Phase::Http(http) = &mut self.phase else { return ON };
        let Some(request) = http.requests.front().filter(|request| request.upgrade.is_some()) else {
            return ON;
        };
        let lane = &mut http.lanes[server.index()];
        if lane.reader.total() == 0 || lane.reader.state() != HeadState::Reading || lane.behind {
            return ON;
        }
        let (reader, offset) = (std::mem::take(&mut lane.reader), lane.offset);
        let pieces = std::mem::take(&mut lane.pieces);
        let source = SourceId::Stream { conn, dir: Dir::Server };
        let head =
            if over.is_cut() { reader.parse_cut(source, offset) } else { reader.parse(source, offset) };
        let report =
            handshake::check_response(request.upgrade.as_deref(), &head, &[], cx.out.wants().heads());
        let Some(told) = &mut self.told else { return ON };
        if !over.is_cut() {
            told.refused();
        }
        told.connection.status = head.status();
        cx.memory.answered(told.conn, &mut told.entry);
        let judged = Judged {
            polls: false,
            last_packet: None,
            dir: Dir::Server,
            offset,
            bytes: if cx.out.wants().fields { reader.bytes().to_vec() } else { Vec::new() },
            start_line: head.start_line().into_owned(),
            complete: false,
            headers: report.headers,
            fields: report.fields,
            // What has not come cannot be missed.
            findings: if over.is_cut() { Vec::new() } else { head.findings.clone() },
            diagnoses: Vec::new(),
            time: at.time,
            pieces,
        };
        told.show(&judged, &[], true, cx)
    }

    /// Says that nothing was answered, where that is certain and not only cut off.
    pub(super) fn unanswered(&mut self, side: Side, over: Over, at: At, cx: &mut Context<'_, '_>) -> Flow {
        let Some(client) = self.client else { return ON };
        if self.offsets[client.other().index()] > 0 {
            return ON;
        }
        let Phase::Http(http) = &mut self.phase else { return ON };
        // The client has an answer that is not there; or where the server's stream begins was not
        // seen, so that one may be missing unnoticed.
        if http.lanes[client.other().index()].behind || !self.both_heard {
            return ON;
        }
        let Some(request) = http.requests.iter_mut().find(|request| request.upgrade.is_some()) else {
            return ON;
        };
        let waited = request.time.zip(at.time).map(|(asked, now)| now.since(asked));
        let got = match over {
            Over::Stream(how) if side != client => match how {
                StreamEnd::Rst => Text::with("a TCP reset after {}, and not a byte", span(waited)),
                _ => Text::with("TCP closed after {}, and not a byte", span(waited)),
            },
            _ if waited.is_none_or(|waited| waited < limits::ANSWER_AWAITED) => return ON,
            Over::Stream(_) => Text::with("not a byte in {}, when the client gave up", span(waited)),
            Over::Input => Text::with("not a byte in {}, when the capture ends", span(waited)),
        };
        if std::mem::replace(&mut request.unanswered, true) {
            return ON;
        }
        let expected = "101 Switching Protocols, or an HTTP error that says why not";
        let finding = Finding::new(&HANDSHAKE_UNANSWERED, Dir::Server, expected.into(), got);
        match &self.told {
            Some(told) => told.note(Dir::Server, at, &[finding], cx),
            None => ON,
        }
    }
}

/// A duration of nanoseconds, to three digits or so.
fn span(nanos: Option<i64>) -> String {
    match nanos.unwrap_or_default().max(0) {
        nanos @ 0..1_000_000 => format!("{} µs", nanos / 1000),
        nanos @ 1_000_000..1_000_000_000 => format!("{} ms", nanos / 1_000_000),
        nanos => format!("{}.{} s", nanos / 1_000_000_000, nanos % 1_000_000_000 / 100_000_000),
    }
}
