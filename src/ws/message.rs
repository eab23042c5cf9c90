//! A data message being put together from its fragments (RFC 6455 §5.4).

use super::held;
use super::utf8::Utf8Check;
use crate::limits;
use crate::model::{Frame, Hole, Opcode, Span, Utf8, Wants, hole};

/// A message whose last fragment has not arrived.
#[derive(Debug)]
pub struct Assembly {
    /// The opcode of the first fragment; continuation if its start was lost.
    pub opcode: Opcode,
    /// RSV1 of the first fragment.
    pub compressed: bool,
    /// Number of the packet in which it begins; 0 without packets.
    pub first_packet: u64,
    /// Fragments that are complete.
    pub frame_count: u64,
    /// Their numbers, the first [`limits::MESSAGE_FRAMES_LISTED`] of them; empty for a single frame.
    pub frames: Vec<u64>,
    /// Payload bytes so far, and how many of them were captured.
    pub length: u64,
    /// Payload bytes that were captured.
    pub captured: u64,
    /// What is kept of the payload; the last fragment's part is lent by its frame.
    pub kept: Vec<u8>,
    /// The holes among that.
    pub holes: Vec<Hole>,
    /// Where the kept bytes stand in the stream.
    pub parts: Vec<Span>,
    /// Whether bytes were not kept, so that nothing is kept behind them.
    pub cut: bool,
    /// Whether bytes are missing from the capture.
    pub lossy: bool,
    check: Utf8Check,
    /// Stream offset of the first byte of the first invalid sequence.
    pub bad_at: Option<u64>,
}

/// The UTF-8 check of a message, fed with bytes whose stream offset is known.
pub struct TextCheck<'a> {
    check: &'a mut Utf8Check,
    bad_at: &'a mut Option<u64>,
    /// Stream offset of the next byte, and how many of the message's bytes came before it.
    stream: u64,
    before: u64,
}

impl TextCheck<'_> {
    /// Takes the next unmasked bytes.
    pub fn push(&mut self, clear: &[u8]) {
        if self.bad_at.is_some() {
            return;
        }
        if let Some(bad) = self.check.push(clear) {
            // A sequence begun in an earlier fragment is pointed at where it goes wrong.
            *self.bad_at = Some(self.stream + bad.saturating_sub(self.before));
        }
        self.stream += clear.len() as u64;
        self.before += clear.len() as u64;
    }
}

impl Assembly {
    /// A message that begins with a frame of `opcode`.
    pub fn new(opcode: Opcode, compressed: bool, first_packet: u64) -> Self {
        Self {
            opcode,
            compressed,
            first_packet,
            frame_count: 0,
            frames: Vec::new(),
            length: 0,
            captured: 0,
            kept: Vec::new(),
            holes: Vec::new(),
            parts: Vec::new(),
            cut: false,
            lossy: false,
            check: Utf8Check::default(),
            bad_at: None,
        }
    }

    /// The UTF-8 check, if the payload that arrives at stream offset `stream` is to be checked.
    pub fn utf8(&mut self, stream: u64) -> Option<TextCheck<'_>> {
        let before = self.check.seen();
        let is_checked = self.opcode == Opcode::TEXT && !self.compressed && !self.lossy;
        is_checked.then_some(TextCheck { check: &mut self.check, bad_at: &mut self.bad_at, stream, before })
    }

    /// Takes a complete fragment. The payload of the last one is not copied: it is lent to the message's
    /// unit.
    pub fn join(&mut self, frame: &Frame<'_>, cut: bool, wants: Wants) {
        self.frame_count += 1;
        self.length += frame.captured + frame.missing;
        self.captured += frame.captured;
        let is_last = frame.header.fin && !frame.truncated;
        let is_only = is_last && self.frame_count == 1;
        if !is_only && self.frames.len() < limits::MESSAGE_FRAMES_LISTED {
            self.frames.push(frame.n);
        }
        if wants.fields && self.parts.len() < limits::MESSAGE_FRAMES_LISTED {
            let start = frame.offset + u64::from(frame.header.header_length());
            // The source is filled in by whoever knows the connection.
            self.parts.push(Span::bytes(
                crate::model::SourceId::Input,
                start,
                frame.captured + frame.missing,
            ));
        }
        if !is_last {
            self.keep(frame, wants.payload);
        }
        // For the last fragment the cut concerns what is lent, which the unit knows by itself.
        self.cut |= cut && !is_last;
        self.lossy |= frame.missing > 0 || frame.truncated;
    }

    /// Keeps the payload of a fragment that has joined, as far as `most` bytes of a message are shown.
    pub fn keep(&mut self, frame: &Frame<'_>, most: u64) {
        if self.cut {
            return;
        }
        let room = most.saturating_sub(self.kept.len() as u64);
        let keep = usize::try_from(room).unwrap_or(usize::MAX).min(frame.payload.len());
        let before = self.length - (frame.captured + frame.missing);
        for at in hole::among(frame.holes, keep) {
            if self.holes.len() == limits::HOLES_LISTED {
                // What is behind it would stand at the wrong place.
                let end = usize::try_from(at.offset - hole::missing(hole::until(frame.holes, at.offset)));
                self.kept.extend_from_slice(&frame.payload[..end.unwrap_or(keep).min(keep)]);
                self.cut = true;
                return;
            }
            hole::push(&mut self.holes, Hole { offset: before + at.offset, ..*at });
        }
        held::grow(&mut self.kept, keep, usize::try_from(most).unwrap_or(usize::MAX));
        self.kept.extend_from_slice(&frame.payload[..keep]);
        self.cut |= keep < frame.payload.len();
    }

    /// Bytes of the stream were lost while the message was open.
    pub fn lose(&mut self) {
        self.lossy = true;
    }

    /// The verdict on the text, once the last fragment is there.
    pub fn verdict(&self, complete: bool) -> Utf8 {
        if self.opcode != Opcode::TEXT || self.compressed {
            return Utf8::Unchecked;
        }
        match self.check.bad().or_else(|| self.check.finish().filter(|_| complete && !self.lossy)) {
            Some(bad) => Utf8::Invalid(bad),
            // Nothing is wrong with what is there.
            None if self.lossy || self.check.seen() < self.length => Utf8::Unchecked,
            None => Utf8::Valid,
        }
    }
}
