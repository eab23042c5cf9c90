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
use crate::model::{CloseCode, Dir, Finding, FrameHeader, Opcode, Receipt, Rule, Span, Text, Time};

/// How far the closing handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    NotBegun,
    /// One side has sent a Close frame.
    Begun(Dir),
    /// Both have.
    Complete,
}

/// How a direction of TCP ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    pub how: StreamEnd,
    pub receipt: Receipt,
    pub time: Option<Time>,
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
    /// Its beginning was not seen.
    late: bool,
    /// The handshake shows that it is in the capture, whether it sent anything since or not.
    captured: bool,
}

impl Sight {
    /// Whether what was not seen was not sent.
    fn is_whole(self) -> bool {
        (self.seen || self.captured) && !self.blind
    }
}

/// Pings, closing and violations.
#[derive(Debug, Default)]
struct Story {
    sides: [Side; 2],
    first_closer: Option<Dir>,
    /// When the second Close frame was sent.
    closed_at: Option<Time>,
    /// Who ended its TCP stream first, and how.
    first_end: Option<(Dir, Ended)>,
    /// Both have ended it.
    over: bool,
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
    /// This endpoint has sent a frame other than Close after its peer's violation.
    spoke_on: bool,
    /// It was told that this endpoint carried on after its peer's violation.
    carried_on: bool,
    /// A ping of this endpoint was answered: none of before the capture waits any longer.
    answered: bool,
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
    /// Its body is in the capture.
    is_whole: bool,
    at: Span,
    told_data: bool,
    /// The peer had ended its TCP stream before.
    too_late: bool,
}

impl Aftermath {
    /// The beginning of both directions was not seen.
    pub fn joined_midway(&mut self) {
        for sight in &mut self.sight {
            sight.late = true;
        }
    }

    /// What `dir` sends is in the capture.
    pub fn captured(&mut self, dir: Dir) {
        self.sight[dir.index()].captured = true;
    }

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
    pub fn ended(&mut self, dir: Dir, end: Ended, findings: &mut Vec<Finding>) {
        if !matches!(end.how, StreamEnd::Input | StreamEnd::Capture) {
            self.story.get_or_insert_default().ended(dir, end, self.sight, findings);
        }
    }

    /// Who ended its TCP stream first, and how.
    pub fn first_end(&self) -> Option<(Dir, StreamEnd)> {
        let (dir, end) = self.story.as_ref()?.first_end?;
        Some((dir, end.how))
    }

    /// Whether the client must refuse the server's response, and has sent nothing since.
    pub fn is_refused(&self) -> bool {
        self.story.as_ref().is_some_and(|story| story.refusable) && !self.sight[Dir::Client.index()].seen
    }

    /// The connection is over; `now` is the time of the last packet of the capture.
    pub fn finish(&mut self, now: Option<Time>, findings: &mut Vec<Finding>) {
        if let Some(story) = &self.story {
            story.finish(now, self.sight, findings);
        }
    }

    /// Whether a Close frame of `dir` may have been sent that the capture does not show.
    pub fn may_have_closed(&self, dir: Dir) -> bool {
        let sight = self.sight[dir.index()];
        sight.late || !sight.is_whole()
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
        if findings.iter().any(|f| f.rule.fails.is_some() && f.blame == Some(dir)) {
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
        side.spoke_on |= header.opcode != Opcode::CLOSE;
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
        let asker = &mut self.sides[dir.peer().index()];
        // What it answers may have been sent before the capture began, or be lost.
        let is_missing = peer.blind || (peer.late && !asker.answered);
        let pings = &mut asker.pings;
        let payload = seen.control_payload();
        let answers = |ping: &Ping| *ping.payload == *payload && ping.length == seen.header.length;
        let Some(index) = pings.iter().position(answers) else {
            //= RFC 6455 §5.5.3
            //# A Pong frame MAY be sent unsolicited.
            // So it may be with a ping under way; whether that one is answered too shows later.
            if !is_missing {
                for ping in pings {
                    ping.other_pong.get_or_insert(at.payload);
                }
            }
            if peer.seen && !is_missing {
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
        asker.answered = true;
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
        let is_whole = payload.len() as u64 == seen.header.length;
        let code = close::parse(payload).code;
        self.first_code = self.first_code.or(code);
        if self.sides[dir.index()].close.is_some() {
            return;
        }
        let too_late = self.first_end.is_some();
        self.sides[dir.index()].close =
            Some(Close { time, code, is_whole, at: at.opcode, told_data: false, too_late });
        let Some(first) = self.sides[dir.peer().index()].close else {
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

    fn ended(&mut self, dir: Dir, end: Ended, sight: [Sight; 2], findings: &mut Vec<Finding>) {
        let Ended { how, receipt, time } = end;
        // After both Close frames there is nothing left to lose, once whoever resets has both.
        let has_arrived = receipt.received != Some(false);
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
            let first = Ended { how: StreamEnd::Fin, receipt: Receipt::default(), time };
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

    fn finish(&self, now: Option<Time>, sight: [Sight; 2], findings: &mut Vec<Finding>) {
        self.unanswered_pings(now, sight, findings);
        let is_whole = sight.iter().all(|s| s.is_whole());
        match (self.closing(), self.first_end) {
            // The connection was never established for the client (§4.1), so there is none to close.
            (Closing::NotBegun, Some(_)) if self.refusable && !sight[0].seen => {}
            (Closing::NotBegun, Some((dir, _))) if is_whole => findings.push(Finding::new(
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
            (Closing::Begun(closer), Some((dir, end))) if is_whole => {
                self.unclean(closer, dir, end, now, findings);
            }
            (Closing::Complete, end) if sight.iter().all(|s| !s.blind) => {
                let until = end.map_or(now, |(_, end)| end.time);
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

    /// `closer` has sent a Close frame, no answer was seen, and `dir` was the first to end TCP.
    fn unclean(&self, closer: Dir, dir: Dir, end: Ended, now: Option<Time>, findings: &mut Vec<Finding>) {
        let Some(close) = self.sides[closer.index()].close else { return };
        let waited = |from: Option<Time>, to: Option<Time>| {
            from.zip(to).is_some_and(|(from, to)| to.since(from) > limits::CLOSE_SOON)
        };
        // Behind a FIN of the closer's the answer may still come, after the capture's end.
        if dir == closer && end.how == StreamEnd::Fin && !self.over && !waited(end.time, now) {
            return;
        }
        let got = Text::new("the {} ends TCP first").word(dir.name());
        let expected = "a Close frame from both sides".into();
        findings.push(Finding::new(&UNCLEAN_CLOSE, dir, expected, got).at(close.at));
        // Whoever is left before there was time to answer owes none, nor does who had left before.
        let could_answer = if dir == closer {
            waited(close.time, end.time)
        } else {
            !close.too_late && end.receipt.received == Some(true)
        };
        if could_answer {
            let expected = "a Close frame in answer".into();
            findings
                .push(Finding::new(&CLOSE_NOT_ANSWERED, closer.peer(), expected, "none".into()).at(close.at));
        }
    }

    fn unanswered_pings(&self, now: Option<Time>, sight: [Sight; 2], findings: &mut Vec<Finding>) {
        for dir in [Dir::Client, Dir::Server] {
            let Sight { seen, blind, .. } = sight[dir.peer().index()];
            // Only the latest ping has to be answered, and only when there was time for it: a Close
            // frame, or the end of TCP, ends the waiting.
            let pings = &self.sides[dir.index()].pings;
            let Some(last) = pings.back() else { continue };
            let closes = self.sides.iter().filter_map(|side| side.close);
            let ended = self.first_end.and_then(|(_, end)| end.time);
            let until = closes.map(|close| close.time).chain([ended]).flatten().min().or(now);
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
