//! Both halves of a WebSocket connection together (RFC 6455 §5 to §7).

use super::aftermath::Closing;
use super::agreed::{Extensions, StreamEnd};
use super::half::{Half, Scratch};
use super::shared::Shared;
use super::{INCOMPLETE_MESSAGE, TRUNCATED_FRAME};
use crate::model::{
    At, CloseCode, Counts, Diagnosis, Dir, EndKind, Finding, Flow, ON, Out, Rule, Severity, Text, Time,
};

/// A WebSocket connection after its opening handshake.
#[derive(Debug)]
pub struct Conversation {
    halves: [Half; 2],
    shared: Shared,
    ended: [Option<StreamEnd>; 2],
}

impl Conversation {
    /// A conversation whose client's and server's first frames begin at these offsets of their streams.
    pub fn new(conn: u32, offsets: [u64; 2], extensions: Extensions) -> Self {
        let inferred = !extensions.known;
        Self {
            halves: [
                Half::new(Dir::Client, offsets[0], inferred),
                Half::new(Dir::Server, offsets[1], inferred),
            ],
            ended: [None, None],
            shared: Shared::new(conn, extensions),
        }
    }

    /// A conversation that the capture joins midway: each side's first header has to be found.
    pub fn midway(conn: u32, offsets: [u64; 2]) -> Self {
        let mut talk = Self::new(conn, offsets, Extensions::UNKNOWN);
        for half in &mut talk.halves {
            half.join_midway();
        }
        talk
    }

    /// The response was such that the client must fail the connection.
    pub fn may_be_refused(&mut self) {
        self.shared.aftermath.may_be_refused();
    }

    /// What to say when RSV1 is set although the handshake agreed on nothing.
    pub fn explain_rsv1(&mut self, diagnosis: fn() -> Diagnosis) {
        self.shared.rsv1_cause = Some(diagnosis);
    }

    /// The number of the connection.
    pub fn conn(&self) -> u32 {
        self.shared.conn
    }

    /// Takes the next bytes `dir` sent.
    pub fn push(&mut self, dir: Dir, bytes: &[u8], at: At, out: &mut Out<'_>, scratch: &mut Scratch) -> Flow {
        self.shared.aftermath.sent(dir);
        self.halves[dir.index()].push(&mut self.shared, bytes, at, out, scratch)
    }

    /// `length` bytes `dir` sent are not in the capture, which is against `rule`.
    pub fn gap(
        &mut self,
        dir: Dir,
        length: u64,
        between: (Option<u64>, Option<u64>),
        rule: &'static Rule,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        self.shared.aftermath.blind(dir);
        self.shared.gap_rule = Some(rule);
        self.halves[dir.index()].gap(&mut self.shared, length, between, out, scratch)
    }

    /// The stream of `dir` is over.
    pub fn end(
        &mut self,
        dir: Dir,
        how: StreamEnd,
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        if self.ended[dir.index()].is_some() {
            return ON;
        }
        self.ended[dir.index()] = Some(how);
        self.blame_unfinished(at);
        self.cut_short(dir, how, at, out)?;
        self.halves[dir.index()].finish(&mut self.shared, at, out, scratch)?;
        let mut findings = std::mem::take(&mut scratch.findings);
        findings.clear();
        self.shared.aftermath.ended(dir, how, at.time, &mut findings);
        let flow = self.shared.note(Some(dir), at, &findings, out);
        scratch.findings = findings;
        flow
    }

    /// The connection is over, `now` being the time of the last packet of the input.
    pub fn finish(
        &mut self,
        how: StreamEnd,
        now: Option<Time>,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        for dir in [Dir::Client, Dir::Server] {
            let at = At { time: now, ..At::default() };
            self.end(dir, how, at, out, scratch)?;
        }
        let mut findings = Vec::new();
        self.shared.aftermath.finish(now, &mut findings);
        let at = At { time: now, ..At::default() };
        for finding in &findings {
            self.shared.note(finding.blame, at, std::slice::from_ref(finding), out)?;
        }
        ON
    }

    /// What the client and the server sent.
    pub fn counts(&self) -> [Counts; 2] {
        [self.halves[0].counts, self.halves[1].counts]
    }

    /// How the connection ended, as far as it has.
    pub fn end_kind(&self) -> EndKind {
        if self.shared.aftermath.closing() == Closing::Complete {
            return EndKind::CloseHandshake;
        }
        match self.ended {
            [Some(StreamEnd::Rst), _] | [_, Some(StreamEnd::Rst)] => EndKind::Rst,
            [Some(StreamEnd::Fin), _] | [_, Some(StreamEnd::Fin)] => EndKind::Fin,
            _ => EndKind::CaptureEnd,
        }
    }

    /// The code of the first Close frame that carried one.
    pub fn close_code(&self) -> Option<CloseCode> {
        self.shared.aftermath.close_code()
    }

    /// Findings for a frame or message that its stream's end cuts short.
    fn cut_short(&mut self, dir: Dir, how: StreamEnd, at: At, out: &mut Out<'_>) -> Flow {
        let half = &self.halves[dir.index()];
        let mut findings = Vec::new();
        half.judge_unfinished(&self.shared, &mut findings);
        if how == StreamEnd::Capture {
            // The stream may go on.
        } else if half.is_inside_frame() {
            let expected = Text::new("the frame's remaining bytes");
            findings.push(
                Finding::new(&TRUNCATED_FRAME, dir, expected, "the end of the stream".into())
                    .at(half.unfinished(self.shared.conn)),
            );
        } else if half.is_inside_message() {
            //= RFC 6455 §5.4
            //# terminated by a single frame with the FIN bit set and an opcode of 0
            let expected = Text::new("a last fragment with FIN = 1");
            findings.push(Finding::new(&INCOMPLETE_MESSAGE, dir, expected, "the end of the stream".into()));
        }
        self.shared.note(Some(dir), at, &findings, out)
    }

    /// Notes who broke the protocol in a header that has not arrived whole: what its peer does next may be
    /// the answer to it.
    fn blame_unfinished(&mut self, at: At) {
        for half in &self.halves {
            let mut findings = Vec::new();
            half.judge_unfinished(&self.shared, &mut findings);
            for finding in findings.iter().filter(|finding| finding.rule.severity == Severity::Error) {
                if let Some(dir) = finding.blame {
                    self.shared.aftermath.violated(dir, at.time);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
