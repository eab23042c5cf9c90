//! What is known of a conversation: by who acts the script, and by who listens.

use std::time::Duration;

use tokio::time::Instant;

use super::LIMIT_A_PATIENCE;
use super::matching::{Came, Matcher};
use super::record::Record;
use crate::grade::case::Closer;
use crate::lab::frames::{self, Frames, Violation};
use crate::model::grade::{EventKind, Figures};
use crate::model::{CloseCode, Dir, Opcode, StreamEnd};
use crate::ws::{DUPLICATE_CLOSE, encode};

/// Bytes that are taken at a time: what they inflate to is held at once.
const PIECE: usize = 4 * 1024;

/// How much slower than before the rest may come.
const SLACK: f64 = 1.25;

/// The longest, in seconds, that somebody is told to wait.
const LONGEST: f64 = 3600.0;

/// What a case was like when its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// How long it had.
    pub limit: Duration,
    /// The peer was still sending.
    pub is_sending: bool,
    /// Bytes that had come behind the handshake.
    pub bytes: u64,
    /// Frames that were whole by then.
    pub frames: u64,
    /// How long would have to be waited for what has to come in the case, for all of it to come: where the
    /// peer was still sending, and as it should.
    pub patience: Option<Duration>,
}

/// What listening and acting both know.
pub(super) struct Shared<'c> {
    pub us: Dir,
    pub frames: Frames,
    pub matcher: Matcher<'c>,
    /// Messages that still are the peer's greeting.
    pub greeting: usize,
    pub record: &'c mut Record,
    /// Events that count.
    pub seen: u64,
    /// What has to be sent because of what came.
    pub answers: Vec<u8>,
    #[allow(clippy::option_option, reason = "a Close frame need not have a code")]
    pub close: Option<Option<CloseCode>>,
    pub sent_close: bool,
    pub closer: Option<Dir>,
    pub end: Option<StreamEnd>,
    pub violation: Option<Violation>,
    pub too_much: bool,
    /// A second Close frame is what the case is about.
    pub is_of_second_close: bool,
    /// What came of it was cut off when its time was over.
    pub late: Option<Late>,
    /// Bytes and whole frames that came, and when the last byte did.
    pub got: (u64, u64),
    pub heard: Option<Instant>,
    pub reset: bool,
    /// What was waited for before sending more did not come: nothing else will.
    pub gave_up: bool,
    /// Nothing is read until then.
    pub deaf: Option<Instant>,
    /// When the script began to send.
    pub began: Option<Instant>,
    pub figures: Figures,
}

impl Shared<'_> {
    /// Takes what came. A little of it may inflate to very much, which is noticed on the way.
    pub fn take(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.got.0 += bytes.len() as u64;
            self.heard = Some(Instant::now());
        }
        for piece in bytes.chunks(PIECE) {
            self.too_much |= self.record.is_too_much(self.us);
            if self.too_much {
                return;
            }
            self.piece(piece);
        }
        self.too_much |= self.record.is_too_much(self.us);
    }

    fn piece(&mut self, bytes: &[u8]) {
        let pushed = self.frames.push(bytes);
        self.got.1 += pushed.frames;
        self.record.frames += pushed.received.len() as u64;
        self.record.inflated += pushed.received.iter().map(|it| it.payload.len() as u64).sum::<u64>();
        for it in pushed.received {
            match it.kind {
                Opcode::CLOSE => {
                    let code = it.payload.first_chunk().map(|code| CloseCode(u16::from_be_bytes(*code)));
                    self.record.event(EventKind::Close(code), it.payload.get(2..).unwrap_or_default());
                    self.close = Some(code);
                    self.ends();
                    if !self.sent_close {
                        self.sent_close = true;
                        let body = code.map_or_else(Vec::new, |code| encode::close(code, b""));
                        self.answers.extend(frames::frame(self.us, Opcode::CLOSE, &body));
                    }
                }
                kind => {
                    if kind == Opcode::PING && !self.sent_close {
                        self.answers.extend(frames::frame(self.us, Opcode::PONG, &it.payload));
                    }
                    self.event(Came::Data(kind, &it.payload));
                }
            }
        }
        if let Some(violation) = pushed.violation {
            if let Some(code) = violation.close {
                self.record.event(EventKind::Close(Some(code)), b"");
                self.close.get_or_insert(Some(code));
                self.ends();
            }
            // One mistake, which would fail most cases: those that are about it say so.
            if self.is_of_second_close || violation.rule.is_none_or(|rule| rule.id != DUPLICATE_CLOSE.id) {
                self.violation.get_or_insert(violation);
            }
        }
    }

    pub fn event(&mut self, came: Came<'_>) {
        if self.greeting > 0 && matches!(came, Came::Data(Opcode::TEXT | Opcode::BINARY, _)) {
            self.greeting -= 1;
            return;
        }
        let (kind, payload) = match came {
            Came::Data(Opcode::TEXT, payload) => (EventKind::Text, payload),
            Came::Data(Opcode::PING, payload) => (EventKind::Ping, payload),
            Came::Data(Opcode::PONG, payload) => (EventKind::Pong, payload),
            Came::Data(_, payload) | Came::Kept(_, payload, _) => (EventKind::Binary, payload),
            Came::Still(name) => (EventKind::Still(name.to_owned()), &b""[..]),
            // It is known by the Close frame, or the end of the stream.
            Came::Ends => return,
        };
        self.record.event(kind, payload);
        if self.matcher.counts(came) {
            self.matcher.take(came);
            self.seen += 1;
            if let (Some(began), Came::Data(..)) = (self.began, came) {
                self.figures.messages += 1;
                self.figures.payload += payload.len() as u64;
                self.figures.took = began.elapsed();
            }
        }
    }

    /// Its time is over, which is longer the more patience there is; the peer is still sending where it has
    /// within twice that, or a `farewell`.
    pub fn is_late(&mut self, limit: Duration, patience: Duration, farewell: Duration) {
        let recently = (patience * 2).max(farewell);
        let is_sending = self.heard.is_some_and(|heard| heard.elapsed() < recently);
        let (bytes, frames) = self.got;
        let part = self.matcher.part().filter(|_| is_sending);
        let patience = part.and_then(|part| enough(limit, patience, part));
        self.late = Some(Late { limit, is_sending, bytes, frames, patience });
    }

    /// The peer ends it, if nobody has yet.
    pub fn ends(&mut self) {
        if self.closer.is_none() {
            self.closer = Some(self.us.peer());
            if self.matcher.counts(Came::Ends) {
                self.matcher.take(Came::Ends);
            }
        }
    }

    /// We send a Close frame.
    pub fn closes(&mut self) {
        self.sent_close = true;
        self.closer.get_or_insert(self.us);
    }

    /// Whatever else comes, it has failed: it broke a rule, or kept what it has to end.
    pub fn is_failed(&self, closer: Closer) -> bool {
        self.violation.is_some() || closer == Closer::Peer && self.closer != Some(self.us.peer())
    }

    /// Nothing more is sent, and nothing more waited for.
    pub fn is_done(&self) -> bool {
        self.is_over() || self.gave_up
    }

    /// Nothing more comes, or nothing more is asked for.
    pub fn is_over(&self) -> bool {
        self.end.is_some() || self.close.is_some() || self.violation.is_some() || self.too_much
    }
}

/// How long what has to come has to be waited for, where a part of it came within the limit that a patience
/// leads to: the rest takes as long as that did, and a little longer, as nothing is always as quick.
fn enough(limit: Duration, patience: Duration, part: f64) -> Option<Duration> {
    let more = limit.as_secs_f64() * (SLACK / part - 1.0) / f64::from(LIMIT_A_PATIENCE);
    let enough = (patience.as_secs_f64() + more).ceil();
    (enough <= LONGEST).then(|| Duration::from_secs_f64(enough))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_slow_is_told_how_long_to_be_waited_for() {
        let [limit, patience] = [50, 5].map(Duration::from_secs);
        for (part, seconds) in [(0.999, Some(9)), (0.5, Some(24)), (0.1, Some(149)), (0.001, None)] {
            assert_eq!(enough(limit, patience, part), seconds.map(Duration::from_secs), "{part}");
        }
    }
}
