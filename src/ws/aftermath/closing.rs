//! The closing handshake, and how TCP ends before, during and after it (RFC 6455 §5.5.1, §7.1).

use super::seen::Seen;
use super::{Closing, Ended, Sight, Story};
use crate::limits;
use crate::model::quantity::moment;
use crate::model::{
    Case, CloseBody, CloseCode, ClosePart, Diagnosis, Dir, Finding, FrameHeader, Measure, Opcode, Quantity,
    Receipt, Rule, SourceId, Span, StreamEnd, Text, Time,
};
use crate::ws::{
    CLIENT_CLOSED_TCP_FIRST, CLOSE_ANSWER_SLOW, CLOSE_CODE_NOT_ECHOED, CLOSE_NOT_ANSWERED,
    CONTROL_AFTER_CLOSE, DATA_AFTER_CLOSE, DUPLICATE_CLOSE, FAILED_WITHOUT_CLOSE, NO_CLOSING_HANDSHAKE,
    TCP_OPEN_AFTER_CLOSE, TCP_RESET, UNCLEAN_CLOSE, close,
};

/// The first Close frame of an endpoint.
#[derive(Clone, Debug)]
pub(super) struct Close {
    pub time: Option<Time>,
    pub code: Option<CloseCode>,
    /// As far as it is UTF-8.
    pub reason: Box<str>,
    /// The number of the frame, and that of the packet that completed it.
    pub n: u64,
    pub packet: u64,
    /// Its body is in the capture.
    pub is_whole: bool,
    pub at: Span,
    pub told_data: bool,
    /// The peer had ended its TCP stream before.
    pub too_late: bool,
}

impl Close {
    /// What is told of it when the connection is over.
    pub fn part(&self) -> ClosePart {
        let Self { time, code, ref reason, n, packet, .. } = *self;
        ClosePart { code, reason: reason.to_string(), n, time, packet }
    }
}

impl Story {
    pub(super) fn after_close(
        &mut self,
        dir: Dir,
        header: &FrameHeader,
        at: Span,
        findings: &mut Vec<Finding>,
    ) {
        let Some(close) = &mut self.sides[dir.index()].close else { return };
        let name = header.opcode.name();
        let (rule, expected): (&'static Rule, Text) = match header.opcode {
            //= RFC 6455 §5.5.1
            //# The application MUST NOT send any more data frames after sending a
            //# Close frame.
            opcode if !opcode.is_control() => {
                if std::mem::replace(&mut close.told_data, true) {
                    return;
                }
                (&DATA_AFTER_CLOSE, "nothing after one's own Close frame".into())
            }
            Opcode::CLOSE => (&DUPLICATE_CLOSE, "one Close frame".into()),
            _ => (&CONTROL_AFTER_CLOSE, "nothing after one's own Close frame".into()),
        };
        findings
            .push(Finding::new(rule, dir, expected, Text::new("a {} frame").word(name)).at(at).at(close.at));
    }

    /// Whether [`Self::close`] would find nothing in a whole Close frame.
    pub(super) fn may_part(&self, dir: Dir, code: CloseCode, time: Option<Time>) -> bool {
        let [client, server] = &self.sides;
        if client.violated || server.violated || self.sides[dir.index()].close.is_some() {
            return false;
        }
        self.sides[dir.peer().index()].close.as_ref().is_none_or(|first| {
            let waited = first.time.zip(time).map_or(0, |(asked, now)| now.since(asked));
            first.code == Some(code) && waited <= limits::CLOSE_SOON
        })
    }

    /// A Close frame that somebody tells of, as message `m`: who did something wrong by it cannot be said.
    pub(super) fn told_close(&mut self, dir: Dir, body: CloseBody<'_>, m: u64, time: Option<Time>) {
        self.first_code = self.first_code.or(body.code);
        self.sides[dir.index()].close.get_or_insert_with(|| Close {
            time,
            code: body.code,
            reason: valid(body.reason).into(),
            n: m,
            packet: 0,
            is_whole: true,
            at: Span::bytes(SourceId::Input, 0, 0),
            told_data: true,
            too_late: false,
        });
    }

    pub(super) fn close(&mut self, dir: Dir, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let Seen { payload, time, .. } = *seen;
        let is_whole = payload.len() as u64 == seen.header.length;
        let CloseBody { code, reason } = close::parse(payload);
        self.first_code = self.first_code.or(code);
        if self.sides[dir.index()].close.is_some() {
            return;
        }
        let too_late = self.first_end.is_some();
        self.sides[dir.index()].close = Some(Close {
            time,
            code,
            reason: valid(reason).into(),
            n: seen.n,
            packet: seen.packet,
            is_whole,
            at: seen.opcode_at(),
            told_data: false,
            too_late,
        });
        let Some(first) = &self.sides[dir.peer().index()].close else {
            self.first_closer = Some(dir);
            return;
        };
        self.closed_at = time;
        // Who fails the connection says why, not what it was told.
        if first.code != code && first.is_whole && is_whole && !self.sides[dir.peer().index()].violated {
            let text = |code: Option<CloseCode>| match code {
                Some(CloseCode(code)) => Text::with("{}", code),
                None => Text::new("no code"),
            };
            findings.push(
                Finding::new(&CLOSE_CODE_NOT_ECHOED, dir, text(first.code), text(code)).at(seen.code_at()),
            );
        }
        if let (Some(asked), Some(now)) = (first.time, time)
            && now.since(asked) > limits::CLOSE_SOON
        {
            //= RFC 6455 §5.5.1
            //# It SHOULD do so as soon as practical.
            let got = Text::with("{} later", moment(now.since(asked)));
            findings.push(
                Finding::new(&CLOSE_ANSWER_SLOW, dir, "an answer as soon as practical".into(), got)
                    .at(seen.opcode_at()),
            );
        }
    }

    pub(super) fn ended(&mut self, dir: Dir, end: Ended, sight: [Sight; 2], findings: &mut Vec<Finding>) {
        let Ended { how, receipt, .. } = end;
        // After both Close frames there is nothing left to lose, once whoever resets has both.
        let has_arrived = receipt.received != Some(false) || !sight.iter().all(|sight| sight.is_whole());
        // A Close frame that is missing from the capture may have been sent.
        let closed = |dir: Dir| self.sides[dir.index()].close.is_some() || !sight[dir.index()].is_whole();
        if how == StreamEnd::Rst && !(closed(dir) && closed(dir.peer()) && has_arrived) {
            findings.push(Finding::new(&TCP_RESET, dir, "FIN".into(), "RST".into()));
        }
        if self.first_end.is_some() {
            self.over = true;
            return;
        }
        if receipt.peer_ended {
            // The peer was first, and the capture lacks its FIN.
            let first = Ended { how: StreamEnd::Fin, receipt: Receipt::default(), ..end };
            self.first_end = Some((dir.peer(), first));
            self.over = true;
            return;
        }
        self.first_end = Some((dir, end));
        match self.closing() {
            // A FIN that crossed the server's Close was sent before it.
            Closing::Complete
                if dir == Dir::Client && how == StreamEnd::Fin && receipt.received != Some(false) =>
            {
                //= RFC 6455 §7.1.1
                //# in most normal cases, SHOULD be closed first by the server
                findings.push(Finding::new(
                    &CLIENT_CLOSED_TCP_FIRST,
                    dir,
                    "the server closes first".into(),
                    "FIN from the client first".into(),
                ));
            }
            Closing::NotBegun if self.is_failed_by(dir, end) && sight.iter().all(|s| !s.blind) => {
                findings.push(Finding::new(
                    &FAILED_WITHOUT_CLOSE,
                    dir,
                    "a Close frame with a code".into(),
                    "the end of TCP".into(),
                ));
            }
            _ => {}
        }
    }

    /// Whether `dir` ends the connection because of what its peer did: it has received the violation,
    /// says nothing more, and ends TCP at once. Who goes on, or ends later, has other reasons.
    fn is_failed_by(&self, dir: Dir, end: Ended) -> bool {
        let (side, peer) = (&self.sides[dir.index()], &self.sides[dir.peer().index()]);
        let at_once = match (peer.violated_at, end.time) {
            (Some(violated), Some(ended)) => ended.since(violated) <= limits::VIOLATION_SEEN,
            _ => true,
        };
        peer.violated && !side.spoke_on && at_once && end.receipt.received != Some(false)
    }

    pub(super) fn finish(&self, now: Option<Time>, sight: [Sight; 2], findings: &mut Vec<Finding>) {
        self.unanswered_pings(now, sight, findings);
        let is_whole = sight.iter().all(|s| s.is_whole());
        match (self.closing(), self.first_end) {
            // The connection was never established for the client (§4.1), so there is none to close.
            (Closing::NotBegun, Some(_)) if self.refusable && !sight[0].seen => {}
            (Closing::NotBegun, Some((dir, end))) if is_whole => findings.push(
                Finding::new(
                    &NO_CLOSING_HANDSHAKE,
                    dir,
                    if end.how.is_of_http2() {
                        "a Close frame before the end of the stream".into()
                    } else {
                        "a Close frame before the end of TCP".into()
                    },
                    "none from either side".into(),
                )
                .like(without_close(dir, end)),
            ),
            //= RFC 6455 §7.1.7
            //# An endpoint MUST NOT continue to attempt to
            //# process data (including a responding Close frame) from the remote
            //# endpoint after being instructed to _Fail the WebSocket Connection_.
            (Closing::Begun(closer), Some(_)) if self.sides[closer.peer().index()].violated => {}
            (Closing::Begun(closer), Some((dir, end))) if is_whole => {
                self.unclean(closer, dir, end, now, findings);
            }
            (Closing::Complete, end) if sight.iter().all(|s| !s.blind) && !self.on_stream => {
                let until = end.map_or(now, |(_, end)| end.time);
                if let (Some(closed), Some(until)) = (self.closed_at, until)
                    && until.since(closed) > limits::TCP_CLOSE_SOON
                {
                    findings.push(Finding::new(
                        &TCP_OPEN_AFTER_CLOSE,
                        Dir::Server,
                        "TCP closed at once".into(),
                        Text::with("still open after {}", moment(until.since(closed))),
                    ));
                }
            }
            _ => {}
        }
    }

    /// `closer` has sent a Close frame, no answer was seen, and `dir` was the first to end TCP.
    fn unclean(&self, closer: Dir, dir: Dir, end: Ended, now: Option<Time>, findings: &mut Vec<Finding>) {
        let Some(close) = &self.sides[closer.index()].close else { return };
        let waited = |from: Option<Time>, to: Option<Time>| {
            from.zip(to).is_some_and(|(from, to)| to.since(from) > limits::CLOSE_SOON)
        };
        let has_waited = dir == closer && waited(close.time, end.time);
        // Behind a FIN of the closer's the answer may still come, after the capture's end; unless that had
        // waited for it for long enough.
        if dir == closer && end.how.is_orderly() && !self.over && !waited(end.time, now) && !has_waited {
            return;
        }
        let words =
            if end.how.is_of_http2() { "the {} ends the stream first" } else { "the {} ends TCP first" };
        let got = Text::new(words).word(dir.name());
        let expected = "a Close frame from both sides".into();
        findings.push(Finding::new(&UNCLEAN_CLOSE, dir, expected, got).at(close.at));
        // Whoever is left before there was time to answer owes none, nor does who had left before.
        let could_answer =
            if dir == closer { has_waited } else { !close.too_late && end.receipt.received == Some(true) };
        if could_answer {
            let expected = "a Close frame in answer".into();
            let mut finding =
                Finding::new(&CLOSE_NOT_ANSWERED, closer.peer(), expected, "none".into()).at(close.at);
            if has_waited {
                let since = close.time.zip(end.time).map(|(close, end)| end.since(close));
                finding = finding.like(in_vain(closer, since));
            }
            findings.push(finding);
        }
    }

    pub(super) fn closing(&self) -> Closing {
        match (self.first_closer, self.sides[0].close.is_some() && self.sides[1].close.is_some()) {
            (_, true) => Closing::Complete,
            (Some(dir), false) => Closing::Begun(dir),
            (None, false) => Closing::NotBegun,
        }
    }
}

/// What an end without a Close frame has in common with others.
fn without_close(dir: Dir, end: Ended) -> Case {
    let what =
        Text::new("ended with {} from the {}, without a Close frame").word(end.how.flag()).word(dir.name());
    let behind = Diagnosis::new(
        "ended-without-close",
        "the program ended or closed its socket without closing the WebSocket, or something between did",
        "look at what happened on that side at this time; close the WebSocket before the program ends",
    );
    Case { behind: Some(behind), ..Case::new(what, Vec::new()) }
}

/// What a Close frame that was waited for in vain has in common with others.
fn in_vain(closer: Dir, waited: Option<i64>) -> Case {
    let what = Text::new("closed by the {}, and the {} did not answer that")
        .word(closer.name())
        .word(closer.peer().name());
    let behind = Diagnosis::new(
        "close-waited-in-vain",
        Text::new("the program of the {} was busy or stuck, does not read any more, or is cut off")
            .word(closer.peer().name()),
        Text::new("look at what the {} did at that time").word(closer.peer().name()),
    );
    let measures = waited.map(|waited| Measure::of(Quantity::Waited, waited));
    Case { behind: Some(behind), ..Case::new(what, measures.into_iter().collect()) }
}

/// What there is of UTF-8 at the beginning.
fn valid(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}
