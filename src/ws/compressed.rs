//! Compressed messages of one direction: inflating them as their fragments arrive,
//! and holding the sender to what was agreed (RFC 7692 §7.2).

use super::agreed::Extensions;
use super::deflate::{Fault, Finish, Inflater, Seen};
use super::held::{self, Held};
use super::utf8::{Utf8Check, invalid_utf8};
use super::{
    MESSAGE_TOO_LARGE, PMD_CONTEXT_TAKEOVER_VIOLATION, PMD_INFLATE_ERROR, PMD_NONZERO_PADDING,
    PMD_TAIL_NOT_STRIPPED, PMD_WINDOW_EXCEEDED, PMD_WINDOW_LOST,
};
use crate::limits;
use crate::model::{Dir, Finding, SourceId, Span, Text, Utf8};

/// The compressed messages one endpoint sends.
#[derive(Debug)]
pub struct Compressed {
    dir: Dir,
    inflater: Inflater,
    /// The largest window the sender may use, as a power of two.
    window_bits: u8,
    /// Whether a message may refer to those before it.
    takeover: bool,
    /// Compression was agreed on. If not, inflating is only tried.
    agreed: bool,
    /// The handshake was seen, so that what was not agreed on has no meaning.
    known: bool,
    /// Messages whose distances were looked at only to tell what takeover saves.
    measured: u64,
    /// The window was given up here, because memory was short.
    given_up: bool,
    /// When its last message began, counted in such messages over all connections.
    used: u64,
    /// Bytes it is entered with where what is held is counted.
    entered: usize,
    message: Current,
}

/// The message being inflated.
#[derive(Debug, Default)]
struct Current {
    begun: bool,
    /// When it began, it could refer to earlier bytes that were lost.
    was_lossy: bool,
    is_text: bool,
    check: Utf8Check,
    /// The first inflated bytes.
    kept: Vec<u8>,
    /// It is told how much of it is copied from earlier messages.
    measured: bool,
    /// The compressed bytes, where it is open whether they are.
    raw: Option<Vec<u8>>,
    fault: Option<Fault>,
    /// Bytes inflated.
    total: u64,
    /// Those are more than is shown.
    is_bomb: bool,
    /// What was kept of them was given up, so that nothing is kept behind it.
    cut: bool,
}

/// A message that was inflated, as far as that went.
#[derive(Debug, Default)]
pub struct Inflated {
    /// Bytes it inflates to; `None` when it could not be inflated to its end.
    pub length: Option<u64>,
    /// The first of them.
    pub kept: Vec<u8>,
    /// Whether it is valid UTF-8; `None` when it is not text, or not all there.
    pub utf8: Option<Utf8>,
    /// Of the inflated bytes, how many were copied from earlier messages, where that was measured.
    pub from_earlier: Option<u64>,
    /// It is no DEFLATE, and that none was agreed on: the message is its payload as it was sent.
    pub as_sent: bool,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

impl Compressed {
    /// What `dir` compresses, by the parameters that were agreed on, if they were.
    ///
    /// `midway` says that earlier messages may be missing.
    pub fn new(dir: Dir, extensions: Extensions, midway: bool, mut inflater: Inflater) -> Self {
        let (window_bits, no_takeover) = match (extensions.deflate, dir) {
            (Some(d), Dir::Client) => (d.client_max_window_bits, d.client_no_context_takeover),
            (Some(d), Dir::Server) => (d.server_max_window_bits, d.server_no_context_takeover),
            (None, _) => (15, false),
        };
        inflater.is_lossy = midway;
        Self {
            dir,
            inflater,
            window_bits,
            takeover: !no_takeover,
            agreed: extensions.deflate.is_some(),
            known: extensions.known,
            measured: 0,
            given_up: false,
            used: 0,
            entered: 0,
            message: Current::default(),
        }
    }

    /// The same where the window was given up before, if it was.
    #[must_use]
    pub fn behind(mut self, given_up: bool) -> Self {
        self.given_up = given_up;
        self.inflater.is_lossy |= given_up;
        self
    }

    /// Enters what it takes now.
    pub fn settle(&mut self, held: &mut Held) {
        let raw = self.message.raw.as_ref().map_or(0, Vec::capacity);
        let cost = size_of::<Self>() + self.inflater.cost() + self.message.kept.capacity() + raw;
        held.change(self.entered, cost);
        self.entered = cost;
    }

    /// What it inflates with, once it is given up.
    pub fn into_inflater(self) -> Inflater {
        self.inflater
    }

    /// It is dropped.
    pub fn forget(&self, held: &mut Held) {
        held.release(self.entered);
    }

    /// Bytes it is entered with.
    pub fn entered(&self) -> usize {
        self.entered
    }

    /// Since when it is idle: a number that grows with time.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Bytes kept only to be shown of the message at hand.
    pub fn shown(&self) -> usize {
        self.message.kept.capacity()
    }

    /// Gives up what is kept to be shown, but for its beginning.
    pub fn give_up_shown(&mut self, held: &mut Held) -> usize {
        let before = self.entered;
        self.message.cut |= held::cut(&mut self.message.kept, &mut Vec::new());
        self.settle(held);
        before.saturating_sub(self.entered)
    }

    /// Whether later messages may refer to its window.
    pub fn has_window(&self) -> bool {
        self.takeover
    }

    /// A message begins.
    pub fn begin(&mut self, is_text: bool, held: &mut Held) {
        let before = std::mem::replace(&mut self.used, held.next_inflation());
        self.inflater.is_cold(self.used - before > limits::WINDOWS_CACHED);
        self.message = Current { is_text, ..Current::default() };
        self.settle(held);
    }

    /// Takes unmasked, compressed bytes; at most `keep` inflated ones are kept.
    pub fn push(&mut self, bytes: &[u8], keep: u64) {
        if bytes.is_empty() {
            return;
        }
        self.start(Some(bytes[0]));
        if let Some(raw) = &mut self.message.raw {
            if raw.len() + bytes.len() <= limits::SCANNED {
                raw.extend_from_slice(bytes);
            } else {
                self.message.raw = None;
            }
        }
        let Self { inflater, message, .. } = self;
        if message.fault.is_none()
            && let Err(fault) = inflater.push(bytes, &mut |piece| message.take(piece, keep))
        {
            message.fault = Some(fault);
        }
    }

    /// The message is over.
    pub fn finish(&mut self, conn: u32, m: u64, keep: u64) -> Inflated {
        self.start(None);
        let Self { inflater, message, .. } = self;
        let mut finish = Finish::Clean;
        if message.fault.is_none() {
            match inflater.finish(&mut |piece| message.take(piece, keep)) {
                Ok(how) => finish = how,
                Err(fault) => message.fault = Some(fault),
            }
        }
        let mut message = std::mem::take(&mut self.message);
        let source = SourceId::Message { conn, m };
        let mut done = Inflated::default();
        if !self.agreed && message.is_no_deflate() {
            if self.known || !message.refers_back() {
                self.lose();
                return Inflated { as_sent: true, ..Inflated::default() };
            }
            message.was_lossy = true;
        }
        if message.fault.is_none() {
            let seen = *self.inflater.seen();
            let is_measured = message.measured && self.inflater.compressed <= limits::SCANNED as u64;
            done.from_earlier = is_measured.then_some(seen.from_earlier);
            self.judge(&seen, source, &mut done.findings);
        }
        if !self.agreed && self.known {
            // Nobody promised to keep to RFC 7692.
            (finish, done.findings) = (Finish::Clean, Vec::new());
        }
        done.kept = message.kept;
        if message.fault.is_none() {
            done.length = Some(self.inflater.inflated);
        }
        if finish == Finish::TailNotStripped {
            //= RFC 7692 §7.2.1
            //# Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end.
            let at = self.inflater.compressed.saturating_sub(4);
            done.findings.push(
                Finding::new(
                    &PMD_TAIL_NOT_STRIPPED,
                    self.dir,
                    "a payload without 00 00 ff ff at its end".into(),
                    "00 00 ff ff".into(),
                )
                .at(Span::bytes(source, at, 4)),
            );
        }
        match message.fault {
            Some(Fault::Corrupt { at }) => done.findings.push(self.corrupt(at, message.was_lossy, source)),
            Some(Fault::TooLarge) => done.findings.push(self.bomb(true)),
            None if message.is_bomb => done.findings.push(self.bomb(false)),
            None => {}
        }
        if message.is_text && message.fault.is_none() && !message.is_bomb {
            done.utf8 = Some(message.check.finish().map_or(Utf8::Valid, Utf8::Invalid));
        }
        done
    }

    /// Whether the message at hand could not be inflated to where it is now.
    pub fn has_failed(&self) -> bool {
        matches!(self.message.fault, Some(Fault::Corrupt { .. }))
    }

    /// Bytes that the message at hand has inflated to.
    pub fn inflated_so_far(&self) -> u64 {
        self.message.total
    }

    /// The message at hand will never be over: what is wrong with what is there of it.
    pub fn judge_unfinished(&self, conn: u32, m: u64, findings: &mut Vec<Finding>) {
        let message = &self.message;
        if !self.agreed {
            return;
        }
        match message.fault {
            Some(Fault::Corrupt { at }) => {
                findings.push(self.corrupt(at, message.was_lossy, SourceId::Message { conn, m }));
            }
            Some(Fault::TooLarge) => findings.push(self.bomb(true)),
            None if message.is_bomb => findings.push(self.bomb(false)),
            None => {}
        }
        if message.is_text
            && !message.is_bomb
            && let Some(bad) = message.check.bad()
        {
            let at = Span::bytes(SourceId::Inflated { conn, m }, bad, 1);
            findings.push(invalid_utf8(self.dir, bad, Some(at)));
        }
    }

    /// Bytes are missing, or the message is given up: later ones may refer to what is not there.
    pub fn lose(&mut self) {
        self.given_up = false;
        self.inflater.lose();
        if !self.takeover {
            self.inflater.forget();
        }
    }

    fn start(&mut self, first: Option<u8>) {
        if std::mem::replace(&mut self.message.begun, true) {
            return;
        }
        // Whatever goes wrong with this message makes later ones lossy, not this one.
        self.message.was_lossy = self.inflater.is_lossy;
        self.inflater.begin();
        let is_held_to =
            self.window_bits < 15 || !self.takeover || !self.agreed || first.is_some_and(|b| b & 1 == 1);
        let is_measured = self.takeover && self.measured < limits::SCANNED_MESSAGES;
        if is_held_to || is_measured {
            self.measured += 1;
            self.message.measured = true;
        }
        self.message.raw = (!self.agreed).then(Vec::new);
    }

    fn judge(&self, seen: &Seen, source: SourceId, findings: &mut Vec<Finding>) {
        let largest = 1u32 << self.window_bits;
        if let Some(far) = seen.farthest.filter(|m| m.distance > largest) {
            //= RFC 7692 §7.2.1
            //# LZ77 sliding window longer than the w-th power of 2 bytes to compress
            findings.push(
                Finding::new(
                    &PMD_WINDOW_EXCEEDED,
                    self.dir,
                    Text::with("distances up to {}, {} bits being agreed", largest).and(self.window_bits),
                    Text::with("a distance of {}", far.distance),
                )
                .at(Span::bits(source, far.bit.saturating_sub(1), far.bit)),
            );
        }
        if let Some(back) = seen.beyond_start.filter(|_| !self.takeover) {
            findings.push(
                Finding::new(
                    &PMD_CONTEXT_TAKEOVER_VIOLATION,
                    self.dir,
                    Text::with("no reference to earlier messages, {} being agreed", self.parameter()),
                    Text::with("{} bytes copied from earlier messages", seen.from_earlier),
                )
                .at(Span::bits(source, back.bit.saturating_sub(1), back.bit)),
            );
        }
        if let Some(bit) = seen.padding {
            findings.push(
                Finding::new(
                    &PMD_NONZERO_PADDING,
                    self.dir,
                    "zero bits up to the next byte".into(),
                    "a one".into(),
                )
                .at(Span::bits(source, bit, bit + 1)),
            );
        }
    }

    fn parameter(&self) -> &'static str {
        match self.dir {
            Dir::Client => "client_no_context_takeover",
            Dir::Server => "server_no_context_takeover",
        }
    }

    fn corrupt(&self, at: u64, was_lossy: bool, source: SourceId) -> Finding {
        let span = Span::bytes(source, at.saturating_sub(1), 1);
        if was_lossy && self.takeover {
            return Finding::new(
                &PMD_WINDOW_LOST,
                None,
                "the messages it refers to".into(),
                if self.given_up {
                    Text::with(
                        "a reference to bytes given up for --memory, before byte {} of the payload",
                        at,
                    )
                } else {
                    Text::with("a reference to lost bytes, before byte {} of the payload", at)
                },
            )
            .at(span);
        }
        Finding::new(
            &PMD_INFLATE_ERROR,
            self.dir,
            "DEFLATE data".into(),
            Text::with("none any more before byte {} of the payload", at),
        )
        .at(span)
    }

    fn bomb(&self, given_up: bool) -> Finding {
        let size = self.inflater.inflated;
        let got = Text::with("{} bytes out of {}", size).and(self.inflater.compressed);
        let got = match (given_up, self.takeover) {
            (false, _) => got,
            (true, false) => Text { template: "more than {} bytes out of {}; given up", ..got },
            (true, true) => Text {
                template: "more than {} bytes out of {}; given up, and with it what later messages refer to",
                ..got
            },
        };
        let expected = Text::with("at most {} bytes once inflated", limits::INFLATED_SHOWN);
        Finding::new(&MESSAGE_TOO_LARGE, self.dir, expected, got)
    }
}

impl Current {
    /// Whether this is hardly a compressed message, nothing having been agreed on: it does not inflate, or
    /// a text becomes none by it.
    fn is_no_deflate(&self) -> bool {
        let reads_better = |raw: &Vec<u8>| {
            let is_gone = self.total == 0 && raw.iter().all(|byte| *byte >= b' ');
            std::str::from_utf8(raw).is_ok() && (is_gone || self.check.finish().is_some())
        };
        matches!(self.fault, Some(Fault::Corrupt { .. }))
            || self.is_text && self.raw.as_ref().is_some_and(reads_better)
    }

    /// Whether it is DEFLATE from beginning to end, only that it refers to bytes before it.
    fn refers_back(&self) -> bool {
        let Some(raw) = self.raw.as_deref().filter(|_| self.fault.is_some()) else { return false };
        let mut again = Inflater::midway();
        again.begin();
        let is_whole = again.push(raw, &mut |_| {}).is_ok() && again.finish(&mut |_| {}).is_ok();
        is_whole && again.seen().beyond_start.is_some()
    }

    fn take(&mut self, piece: &[u8], keep: u64) {
        // What is beyond the cap is neither checked nor kept, what is before it to the last byte.
        let left = limits::INFLATED_SHOWN.saturating_sub(self.total);
        self.total += piece.len() as u64;
        let piece = &piece[..piece.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        if self.is_text && !self.is_bomb {
            self.check.push(piece);
        }
        self.is_bomb |= self.total > limits::INFLATED_SHOWN;
        if self.cut {
            return;
        }
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let piece = &piece[..piece.len().min(keep.saturating_sub(self.kept.len()))];
        held::grow(&mut self.kept, piece.len(), keep);
        self.kept.extend_from_slice(piece);
    }
}
