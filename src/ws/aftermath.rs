//! The rules that need both endpoints and time: pings and pongs, closing, and
//! what an endpoint does after its peer broke the protocol (RFC 6455 §5.5, §7).

mod seen;

use std::collections::VecDeque;

use self::seen::{Place, Seen};
use super::agreed::StreamEnd;
use super::judge::Context;
use super::{
    CLIENT_CLOSED_TCP_FIRST, CLOSE_ANSWER_SLOW, CLOSE_CODE_NOT_ECHOED, CLOSE_NOT_ANSWERED,
    CONTROL_AFTER_CLOSE, DATA_AFTER_CLOSE, DUPLICATE_CLOSE, FAILED_WITHOUT_CLOSE, NO_CLOSING_HANDSHAKE,
    OPEN_AFTER_VIOLATION, PING_NOT_ANSWERED, PONG_PAYLOAD_MISMATCH, PONG_SLOW, TCP_OPEN_AFTER_CLOSE,
    TCP_RESET, UNCLEAN_CLOSE, UNSOLICITED_PONG, close,
};
use crate::limits;
use crate::model::{CloseCode, Dir, Finding, FrameHeader, Opcode, Rule, Severity, Span, Text, Time};

/// How far the closing handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    NotBegun,
    /// One side has sent a Close frame.
    Begun(Dir),
    /// Both have.
    Complete,
}

/// What is remembered of both endpoints.
#[derive(Debug, Default)]
pub struct Aftermath {
    sight: [Sight; 2],
    /// Nothing of this kind has happened yet in most connections.
    story: Option<Box<Story>>,
}

/// How much of what an endpoint sent was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Sight {
    /// Anything at all.
    seen: bool,
    /// Some of it is missing from the capture.
    blind: bool,
}

/// Pings, closing and violations.
#[derive(Debug, Default)]
struct Story {
    sides: [Side; 2],
    first_closer: Option<Dir>,
    /// When the second Close frame was sent.
    closed_at: Option<Time>,
    /// Who ended its TCP stream first, and how.
    first_end: Option<(Dir, StreamEnd)>,
    first_end_at: Option<Time>,
    first_code: Option<CloseCode>,
    /// The client must refuse the server's response, and may do so without a word.
    refusable: bool,
}

#[derive(Debug, Default)]
struct Side {
    /// Pings this endpoint sent that await their pong, oldest first.
    pings: VecDeque<Ping>,
    close: Option<Close>,
    /// This endpoint broke the protocol.
    violated: bool,
    /// When it first did, if that is known.
    violated_at: Option<Time>,
    /// It was told that this endpoint carried on after its peer's violation.
    carried_on: bool,
}

#[derive(Debug)]
struct Ping {
    n: u64,
    time: Option<Time>,
    /// As much of it as a ping may have.
    payload: Box<[u8]>,
    length: u64,
    at: Span,
    /// Whether the other endpoint has sent a frame since.
    overtaken: bool,
    /// Where the first pong with another payload that came since has its own.
    other_pong: Option<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Close {
    time: Option<Time>,
    code: Option<CloseCode>,
    at: Span,
    told_data: bool,
}

impl Aftermath {
    /// `dir` sent bytes.
    #[inline]
    pub fn sent(&mut self, dir: Dir) {
        self.sight[dir.index()].seen = true;
    }

    /// The response was such that the client must fail the connection.
    pub fn may_be_refused(&mut self) {
        self.story.get_or_insert_default().refusable = true;
    }

    /// Bytes of `dir` are missing from the capture, so that nothing can be concluded from its silence.
    pub fn blind(&mut self, dir: Dir) {
        self.sight[dir.index()].blind = true;
    }

    /// `dir` broke the protocol in a way that its peer must not put up with.
    pub fn violated(&mut self, dir: Dir, time: Option<Time>) {
        self.story.get_or_insert_default().violated(dir, time);
    }

    /// Takes a complete frame, with the findings it already has.
    #[inline]
    pub fn frame(
        &mut self,
        context: &Context,
        header: &FrameHeader,
        payload: &[u8],
        n: u64,
        time: Option<Time>,
        findings: &mut Vec<Finding>,
    ) {
        if self.story.is_none() && !header.opcode.is_control() && findings.is_empty() {
            return;
        }
        let sight = self.sight[context.dir.peer().index()];
        let seen = Seen { header, payload, n, time, at: Place::of(header, context) };
        self.story.get_or_insert_default().frame(context.dir, &seen, sight, findings);
    }

    /// The TCP stream of `dir` is over.
    pub fn ended(&mut self, dir: Dir, how: StreamEnd, time: Option<Time>, findings: &mut Vec<Finding>) {
        if !matches!(how, StreamEnd::Input | StreamEnd::Capture) {
            self.story.get_or_insert_default().ended(dir, how, time, findings);
        }
    }

    /// The connection is over; `now` is the time of the last packet of the capture.
    pub fn finish(&mut self, now: Option<Time>, findings: &mut Vec<Finding>) {
        if let Some(story) = &self.story {
            story.finish(now, self.sight, findings);
        }
    }

    /// How far the closing handshake has come.
    pub fn closing(&self) -> Closing {
        self.story.as_ref().map_or(Closing::NotBegun, |story| story.closing())
    }

    /// The code of the Close frame that `dir` has sent.
    pub fn close_code_of(&self, dir: Dir) -> Option<CloseCode> {
        self.story.as_ref().and_then(|story| story.sides[dir.index()].close?.code)
    }

    /// The code of the first Close frame that carried one.
    pub fn close_code(&self) -> Option<CloseCode> {
        self.story.as_ref().and_then(|story| story.first_code)
    }
}

impl Story {
    fn violated(&mut self, dir: Dir, time: Option<Time>) {
        let side = &mut self.sides[dir.index()];
        if !side.violated {
            side.violated = true;
            side.violated_at = time;
        }
    }

    fn frame(&mut self, dir: Dir, seen: &Seen<'_>, peer: Sight, findings: &mut Vec<Finding>) {
        let Seen { header, time, at, .. } = *seen;
        let quiet = !self.sides[0].violated
            && !self.sides[1].violated
            && self.first_closer.is_none()
            && findings.is_empty();
        if !header.opcode.is_control() && quiet {
            for ping in &mut self.sides[dir.peer().index()].pings {
                ping.overtaken = true;
            }
            return;
        }
        self.carried_on(dir, header, time, at.opcode, findings);
        self.after_close(dir, header, at.opcode, findings);
        match header.opcode {
            Opcode::PING => self.ping(dir, seen),
            Opcode::PONG => self.pong(dir, seen, peer, findings),
            Opcode::CLOSE => self.close(dir, seen, findings),
            _ => {}
        }
        if findings.iter().any(|f| f.rule.severity == Severity::Error && f.blame == Some(dir)) {
            self.violated(dir, time);
        }
    }

    fn carried_on(
        &mut self,
        dir: Dir,
        header: &FrameHeader,
        time: Option<Time>,
        at: Span,
        findings: &mut Vec<Finding>,
    ) {
        let Some(when) = self.sides[dir.peer().index()].violated_at else { return };
        let side = &mut self.sides[dir.index()];
        let late = time.is_some_and(|t| t.since(when) > limits::VIOLATION_SEEN);
        if late && header.opcode != Opcode::CLOSE && side.close.is_none() && !side.carried_on {
            side.carried_on = true;
            //= RFC 6455 §7.1.7
            //# Certain algorithms and specifications require an endpoint to _Fail
            //# the WebSocket Connection_.
            let later = seconds(time.map_or(0, |t| t.since(when)));
            let got = Text::new("a {} frame {} after the violation").word(header.opcode.name()).and(later);
            findings
                .push(Finding::new(&OPEN_AFTER_VIOLATION, dir, "the connection failed".into(), got).at(at));
        }
    }

    fn after_close(&mut self, dir: Dir, header: &FrameHeader, at: Span, findings: &mut Vec<Finding>) {
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

    fn ping(&mut self, dir: Dir, seen: &Seen<'_>) {
        let pings = &mut self.sides[dir.index()].pings;
        if pings.len() == limits::PINGS_OUTSTANDING {
            pings.pop_front();
        }
        pings.push_back(Ping {
            n: seen.n,
            time: seen.time,
            payload: seen.control_payload().into(),
            length: seen.header.length,
            at: seen.at.opcode,
            overtaken: false,
            other_pong: None,
        });
    }

    fn pong(&mut self, dir: Dir, seen: &Seen<'_>, peer: Sight, findings: &mut Vec<Finding>) {
        let Seen { time, at, .. } = *seen;
        let pings = &mut self.sides[dir.peer().index()].pings;
        let payload = seen.control_payload();
        let answers = |ping: &Ping| *ping.payload == *payload && ping.length == seen.header.length;
        let Some(index) = pings.iter().position(answers) else {
            //= RFC 6455 §5.5.3
            //# A Pong frame MAY be sent unsolicited.
            // So it may be with a ping under way; whether that one is answered too shows later.
            for ping in pings {
                ping.other_pong.get_or_insert(at.payload);
            }
            if peer.seen && !peer.blind {
                findings.push(
                    Finding::new(
                        &UNSOLICITED_PONG,
                        dir,
                        "a ping with this payload before it".into(),
                        "none".into(),
                    )
                    .at(at.opcode),
                );
            }
            return;
        };
        //= RFC 6455 §5.5.3
        //# MAY elect to
        //# send a Pong frame for only the most recently processed Ping frame.
        let ping = pings.drain(..=index).next_back();
        let Some(ping) = ping else { return };
        if let (Some(sent), Some(now)) = (ping.time, time)
            && now.since(sent) > limits::PONG_SOON
        {
            findings.push(
                Finding::new(
                    &PONG_SLOW,
                    dir,
                    "a pong as soon as is practical".into(),
                    Text::with("{} later", seconds(now.since(sent))),
                )
                .at(at.opcode)
                .at(ping.at),
            );
        }
    }

    fn close(&mut self, dir: Dir, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let Seen { payload, time, at, .. } = *seen;
        let code = close::parse(payload).code;
        self.first_code = self.first_code.or(code);
        if self.sides[dir.index()].close.is_some() {
            return;
        }
        self.sides[dir.index()].close = Some(Close { time, code, at: at.opcode, told_data: false });
        let Some(first) = self.sides[dir.peer().index()].close else {
            self.first_closer = Some(dir);
            return;
        };
        self.closed_at = time;
        // Who fails the connection says why, not what it was told.
        if first.code != code && !self.sides[dir.peer().index()].violated {
            let text = |code: Option<CloseCode>| match code {
                Some(CloseCode(code)) => Text::with("{}", code),
                None => Text::new("no code"),
            };
            findings
                .push(Finding::new(&CLOSE_CODE_NOT_ECHOED, dir, text(first.code), text(code)).at(at.code));
        }
        if let (Some(asked), Some(now)) = (first.time, time)
            && now.since(asked) > limits::CLOSE_SOON
        {
            //= RFC 6455 §5.5.1
            //# It SHOULD do so as soon as practical.
            let got = Text::with("{} later", seconds(now.since(asked)));
            findings.push(
                Finding::new(&CLOSE_ANSWER_SLOW, dir, "an answer as soon as practical".into(), got)
                    .at(at.opcode),
            );
        }
    }

    fn ended(&mut self, dir: Dir, how: StreamEnd, time: Option<Time>, findings: &mut Vec<Finding>) {
        if how == StreamEnd::Rst {
            findings.push(Finding::new(&TCP_RESET, dir, "FIN".into(), "RST".into()));
        }
        if self.first_end.is_some() {
            return;
        }
        self.first_end = Some((dir, how));
        self.first_end_at = time;
        let peer = &self.sides[dir.peer().index()];
        match self.closing() {
            Closing::Complete if dir == Dir::Client && how == StreamEnd::Fin => {
                //= RFC 6455 §7.1.1
                //# in most normal cases, SHOULD be closed first by the server
                findings.push(Finding::new(
                    &CLIENT_CLOSED_TCP_FIRST,
                    dir,
                    "the server closes first".into(),
                    "FIN from the client first".into(),
                ));
            }
            Closing::NotBegun if peer.violated => findings.push(Finding::new(
                &FAILED_WITHOUT_CLOSE,
                dir,
                "a Close frame with a code".into(),
                "the end of TCP".into(),
            )),
            _ => {}
        }
    }

    fn finish(&self, now: Option<Time>, sight: [Sight; 2], findings: &mut Vec<Finding>) {
        self.unanswered_pings(now, sight, findings);
        let is_blind = sight.iter().any(|s| s.blind);
        match (self.closing(), self.first_end) {
            // The connection was never established for the client (§4.1), so there is none to close.
            (Closing::NotBegun, Some(_)) if self.refusable && !sight[0].seen => {}
            (Closing::NotBegun, Some((dir, _))) if !is_blind => findings.push(Finding::new(
                &NO_CLOSING_HANDSHAKE,
                dir,
                "a Close frame before the end of TCP".into(),
                "none from either side".into(),
            )),
            //= RFC 6455 §7.1.7
            //# An endpoint MUST NOT continue to attempt to
            //# process data (including a responding Close frame) from the remote
            //# endpoint after being instructed to _Fail the WebSocket Connection_.
            (Closing::Begun(closer), Some(_)) if self.sides[closer.peer().index()].violated => {}
            (Closing::Begun(closer), Some((dir, how))) if !is_blind => {
                let close = self.sides[closer.index()].close;
                let got = Text::new("the {} ends TCP first").word(dir.name());
                let mut finding =
                    Finding::new(&UNCLEAN_CLOSE, dir, "a Close frame from both sides".into(), got);
                finding.spans.extend(close.map(|c| c.at));
                findings.push(finding);
                // Whoever is reset has no chance to answer.
                let cut_off = dir == closer && how == StreamEnd::Rst;
                if sight[closer.peer().index()].seen && !cut_off {
                    let expected = "a Close frame in answer".into();
                    let mut finding =
                        Finding::new(&CLOSE_NOT_ANSWERED, closer.peer(), expected, "none".into());
                    finding.spans.extend(close.map(|c| c.at));
                    findings.push(finding);
                }
            }
            (Closing::Complete, end) => {
                let until = if end.is_some() { self.first_end_at } else { now };
                if let (Some(closed), Some(until)) = (self.closed_at, until)
                    && until.since(closed) > limits::TCP_CLOSE_SOON
                {
                    findings.push(Finding::new(
                        &TCP_OPEN_AFTER_CLOSE,
                        Dir::Server,
                        "TCP closed at once".into(),
                        Text::with("still open after {}", seconds(until.since(closed))),
                    ));
                }
            }
            _ => {}
        }
    }

    fn unanswered_pings(&self, now: Option<Time>, sight: [Sight; 2], findings: &mut Vec<Finding>) {
        for dir in [Dir::Client, Dir::Server] {
            let Sight { seen, blind } = sight[dir.peer().index()];
            // Only the latest ping has to be answered, and only when there was time for it: a Close
            // frame, or the end of TCP, ends the waiting.
            let pings = &self.sides[dir.index()].pings;
            let Some(last) = pings.back() else { continue };
            let closes = self.sides.iter().filter_map(|side| side.close);
            let until = closes.map(|close| close.time).chain([self.first_end_at]).flatten().min().or(now);
            let waited = match (last.time, until) {
                (Some(sent), Some(until)) => until.since(sent) > limits::PONG_SOON,
                _ => last.overtaken,
            };
            if waited && seen && !blind {
                // One that was followed by other pongs tells more.
                let ping = pings.iter().rfind(|ping| ping.other_pong.is_some()).unwrap_or(last);
                //= RFC 6455 §5.5.2
                //# Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in
                //# response
                let expected = Text::with("a pong for ping {}", ping.n);
                findings.push(match ping.other_pong {
                    //= RFC 6455 §5.5.3
                    //# A Pong frame sent in response to a Ping frame must have identical
                    //# "Application data" as found in the message body of the Ping frame
                    Some(pong) => {
                        let got = "only pongs with other payloads".into();
                        Finding::new(&PONG_PAYLOAD_MISMATCH, dir.peer(), expected, got).at(pong).at(ping.at)
                    }
                    None => Finding::new(&PING_NOT_ANSWERED, dir.peer(), expected, "none".into()).at(ping.at),
                });
            }
        }
    }

    fn closing(&self) -> Closing {
        match (self.first_closer, self.sides[0].close.is_some() && self.sides[1].close.is_some()) {
            (_, true) => Closing::Complete,
            (Some(dir), false) => Closing::Begun(dir),
            (None, false) => Closing::NotBegun,
        }
    }
}

/// Nanoseconds as seconds with milliseconds.
fn seconds(nanos: i64) -> String {
    format!("{:.3} s", nanos as f64 / 1e9)
}
