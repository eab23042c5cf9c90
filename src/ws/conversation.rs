//! Both halves of a WebSocket connection together (RFC 6455 §5 to §7).

use super::aftermath::{Closing, Ended};
use super::agreed::Extensions;
use super::half::{Half, Prospect, Scratch};
use super::held::{Given, Held, Loss};
use super::shared::Shared;
use super::{INCOMPLETE_MESSAGE, TRUNCATED_FRAME};
use crate::model::{
    At, CloseCode, Counts, Dir, EndKind, Ending, Finding, Flow, Layer, Missing, More, ON, Out, Receipt, Rule,
    Severity, StreamEnd, Text, Time,
};

/// A WebSocket connection after its opening handshake.
#[derive(Debug)]
pub struct Conversation {
    pub(super) halves: [Half; 2],
    pub(super) shared: Shared,
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
            shared: Shared::new(conn, extensions),
        }
    }

    /// The same on another layer than that of the transport's streams.
    #[must_use]
    pub fn on(mut self, layer: Layer) -> Self {
        self.shared.layer = layer;
        self
    }

    /// The capture is known to hold what `dir` sends: the handshake shows it.
    pub fn is_captured(&mut self, dir: Dir) {
        self.shared.aftermath.captured(dir);
    }

    /// The capture may lack what `dir` sent first: what it compresses may refer to that.
    pub fn begins_unseen(&mut self, dir: Dir) {
        self.shared.lose_window(dir);
    }

    /// A conversation that the capture joins midway. The first header of `found` begins where
    /// its offset says, the other side's has to be found.
    pub fn midway(conn: u32, offsets: [u64; 2], found: Dir) -> Self {
        let mut talk = Self::new(conn, offsets, Extensions::UNKNOWN);
        talk.shared.aftermath.joined_midway();
        talk.halves[found.index()].join_midway(true);
        talk.halves[found.peer().index()].join_midway(false);
        talk.shared.seeking[found.peer().index()] = true;
        talk
    }

    /// The response was such that the client must fail the connection.
    pub fn may_be_refused(&mut self) {
        self.shared.aftermath.may_be_refused();
    }

    /// It is a stream of HTTP/2 that carries it, and not TCP.
    pub fn on_stream(&mut self) {
        self.shared.aftermath.on_stream();
    }

    /// The number of the connection.
    pub fn conn(&self) -> u32 {
        self.shared.conn
    }

    /// Takes the next bytes `dir` sent.
    #[allow(clippy::inline_always)] // it is on the way of nearly every packet
    #[inline(always)]
    pub fn push(&mut self, dir: Dir, bytes: &[u8], at: At, out: &mut Out<'_>, scratch: &mut Scratch) -> Flow {
        self.shared.aftermath.sent(dir);
        if self.shared.seeking[dir.peer().index()] {
            out.sink().behind(self.shared.conn, dir.peer());
        }
        self.halves[dir.index()].push(&mut self.shared, bytes, at, out, scratch)
    }

    /// What is certain of what `dir` has begun to send.
    pub fn prospect(&self, dir: Dir) -> Prospect {
        self.halves[dir.index()].prospect(&self.shared)
    }

    /// Bytes kept only to be shown of what is not over of one direction.
    pub fn shown(&self, dir: Dir) -> usize {
        let inflated = self.shared.compressed[dir.index()].as_ref();
        self.halves[dir.index()].shown() + inflated.map_or(0, |inflated| inflated.shown())
    }

    /// Gives those up, but for their beginning, and says so.
    pub fn give_up_shown(&mut self, dir: Dir, at: At, out: &mut Out<'_>, scratch: &mut Scratch) -> Flow {
        let mut freed = self.halves[dir.index()].give_up_shown(&mut scratch.held);
        if let Some(compressed) = &mut self.shared.compressed[dir.index()] {
            freed += compressed.give_up_shown(&mut scratch.held);
        }
        if freed == 0 {
            return ON;
        }
        self.given_up(dir, Given::Payload, freed, at, out, &scratch.held)
    }

    /// The directions that hold an inflater, with how much would be lost by it.
    pub fn windows(&self) -> impl Iterator<Item = (Dir, Loss)> {
        [Dir::Client, Dir::Server].into_iter().filter_map(|dir| {
            let compressed = self.shared.compressed[dir.index()].as_ref()?;
            let loss = match (self.halves[dir.index()].is_inflating(), compressed.has_window()) {
                (false, false) => Loss::Nothing,
                (false, true) => Loss::Later(compressed.used()),
                (true, _) => Loss::Message(compressed.used()),
            };
            Some((dir, loss))
        })
    }

    /// Gives up the inflater of one direction, and says so if something is lost by it.
    pub fn give_up_window(
        &mut self,
        dir: Dir,
        loss: Loss,
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        let Some(compressed) = self.shared.compressed[dir.index()].take() else { return ON };
        compressed.forget(&mut scratch.held);
        self.shared.windows_given_up[dir.index()] |= compressed.has_window();
        let bytes = compressed.entered();
        scratch.held.keep_spare(compressed.into_inflater());
        if loss == Loss::Nothing {
            return ON;
        }
        self.given_up(dir, Given::Window, bytes, at, out, &scratch.held)
    }

    fn given_up(&self, dir: Dir, what: Given, bytes: usize, at: At, out: &mut Out<'_>, held: &Held) -> Flow {
        self.shared.note(Some(dir), at, &[held.finding(what, bytes)], out)
    }

    /// Bytes `dir` sent are not there, and may never be: nothing follows from its silence.
    pub fn behind(&mut self, dir: Dir) {
        self.shared.aftermath.blind(dir);
    }

    /// Whether what comes next was received a while before it was captured.
    pub fn late(&mut self, is_late: bool) {
        self.shared.is_late = is_late;
    }

    /// `length` bytes `dir` sent are not in the capture, which is against `rule`.
    pub fn gap(
        &mut self,
        dir: Dir,
        missing: Missing,
        between: (Option<u64>, Option<u64>),
        rule: &'static Rule,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        self.shared.aftermath.blind(dir);
        self.shared.gap_rule = Some(rule);
        self.halves[dir.index()].gap(&mut self.shared, missing, between, out, scratch)
    }

    /// The stream of `dir` is over; `receipt` says what had been acknowledged by then.
    pub fn end(
        &mut self,
        dir: Dir,
        how: StreamEnd,
        receipt: Receipt,
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        if self.shared.ended[dir.index()].is_some() {
            return ON;
        }
        self.shared.ended[dir.index()] = Some(how);
        if self.halves.iter().any(Half::is_under_way) {
            let unfinished = self.halves[dir.index()].under_way();
            self.shared.aftermath.leaves_unfinished(dir, unfinished, &mut scratch.stories);
            self.blame_unfinished(at);
            self.cut_short(dir, how, at, out)?;
            self.halves[dir.index()].finish(&mut self.shared, at, out, scratch)?;
        }
        let mut findings = std::mem::take(&mut scratch.findings);
        findings.clear();
        let ended = Ended { how, receipt, time: at.time, packet: at.packet };
        self.shared.aftermath.ended(dir, ended, &mut scratch.stories, &mut findings);
        let flow = self.shared.note(Some(dir), at, &findings, out);
        scratch.findings = findings;
        flow
    }

    /// `dir` has reset the stream that it had ended in order before.
    pub fn reset(&mut self, dir: Dir, how: StreamEnd) {
        self.shared.ended[dir.index()] = Some(how);
        self.shared.aftermath.reset(dir, how);
    }

    /// The connection is over: its last packet came at `ended`, the last one of the input so far at `now`.
    pub fn finish(
        &mut self,
        how: StreamEnd,
        ended: Option<Time>,
        now: Option<Time>,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        for dir in [Dir::Client, Dir::Server] {
            let at = At { time: ended, ..At::default() };
            self.end(dir, how, Receipt::default(), at, out, scratch)?;
        }
        let mut findings = Vec::new();
        // What somebody does not tell may have happened all the same.
        if !self.shared.layer.is_told() {
            self.shared.aftermath.finish(now, &mut findings);
        }
        let at = At { time: ended, ..At::default() };
        self.forget(scratch);
        for finding in &findings {
            self.shared.note(finding.blame, at, std::slice::from_ref(finding), out)?;
        }
        ON
    }

    /// Nothing is held any longer.
    pub fn forget(&mut self, scratch: &mut Scratch) {
        self.halves.iter_mut().for_each(|half| half.forget(&mut scratch.held));
        for compressed in &mut self.shared.compressed {
            if let Some(compressed) = compressed.take() {
                compressed.forget(&mut scratch.held);
            }
        }
    }

    /// Says how it ended, once it [has](Self::finish), apart from what others know of it.
    pub fn tell_ending(&self, ending: &mut Ending) {
        let Ending { how, close_code, counts, began, first, sides, transport } = ending;
        *how = self.end_kind();
        *close_code = self.close_code();
        *counts = self.counts();
        *first = self.shared.aftermath.seen_end();
        (*began, *transport) = (None, None);
        for dir in [Dir::Client, Dir::Server] {
            let (at, shared) = (dir.index(), &self.shared);
            let side = &mut sides[at];
            shared.aftermath.tell_end(dir, side);
            let large = shared.large.as_ref().map_or_else(Default::default, |large| large[at]);
            side.heard = shared.heard[at].time();
            (side.largest, side.last_large) = (large.longest, large.last_of(shared.next_m));
            side.is_over = shared.ended[at].is_some_and(StreamEnd::is_final);
        }
    }

    /// Leaves what others can use, once all is told.
    pub fn leave(&mut self, scratch: &mut Scratch) {
        self.shared.aftermath.leave(&mut scratch.stories);
    }

    /// What the client and the server sent.
    pub fn counts(&self) -> [Counts; 2] {
        [self.halves[0].counts, self.halves[1].counts]
    }

    /// The findings that were counted and not built.
    pub fn more(&self) -> Vec<More> {
        self.shared.repeats.more()
    }

    /// How the connection ended, as far as it has.
    pub fn end_kind(&self) -> EndKind {
        if self.shared.aftermath.closing() == Closing::Complete {
            return EndKind::CloseHandshake;
        }
        match self.shared.ended {
            ends if ends.iter().flatten().any(|end| end.is_reset()) => EndKind::Rst,
            ends if ends.iter().flatten().any(|end| end.is_orderly()) => EndKind::Fin,
            _ => EndKind::CaptureEnd,
        }
    }

    /// Whether the connection has failed its client, who then has a reason to try again: refused by the
    /// client itself, reset by the server, or ended by it without a word before both had said something.
    /// What the client ended, or somebody with a Close frame, was ended on purpose.
    pub fn has_failed(&self) -> bool {
        let by_server = self.shared.aftermath.first_end().filter(|(dir, _)| *dir == Dir::Server);
        match (self.shared.aftermath.closing(), by_server) {
            _ if self.shared.aftermath.is_refused() => true,
            (Closing::NotBegun, Some((_, how))) if how.is_reset() => true,
            (Closing::NotBegun, Some(_)) => self.counts().iter().any(|side| side.messages == 0),
            _ => false,
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
        } else if half.is_in_doubt() || self.shared.aftermath.may_lack_more(dir) {
            // What was found by its shape may be no frame, and its rest may be among what is missing.
        } else if half.is_inside_frame() {
            let expected = Text::new("the frame's remaining bytes");
            findings.push(
                Finding::new(&TRUNCATED_FRAME, dir, expected, "the end of the stream".into())
                    .at(half.unfinished(&self.shared)),
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
mod holes;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod ways;
