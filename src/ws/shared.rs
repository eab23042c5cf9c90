//! What the two halves of a conversation share: numbers, judgement, and the way out.

use super::aftermath::{Aftermath, Closing, Seen, Stories};
use super::agreed::Extensions;
use super::compressed::{Compressed, Inflated};
use super::message::Assembly;
use super::repeats::Repeats;
use super::utf8::invalid_utf8;
use super::{MESSAGE_TOO_LARGE, close, describe, interleaved};
use crate::limits;
use crate::model::{
    At, Body, CloseCode, Dir, Finding, Flow, Frame, Gap, Layer, Message, ON, Opcode, Out, Rule, Sometime,
    Source, SourceId, Span, StreamEnd, Text, Time, Unit, Utf8, Who, hole,
};

/// What both halves number, judge and report together.
///
/// What each frame needs stands first, in one cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Shared {
    pub next_n: u64,
    pub next_m: u64,
    /// When the last frame of each direction before the first Close frame of either was complete.
    pub heard: [Sometime; 2],
    /// In which directions it is not known where frames begin: what is there of them waits to be read.
    pub seeking: [bool; 2],
    /// What comes now was received a while before it was captured.
    pub is_late: bool,
    pub aftermath: Aftermath,
    pub conn: u32,
    /// What the halves get is of this layer.
    pub layer: Layer,
    pub extensions: Extensions,
    /// What each side compresses. Made at the first compressed message: an inflater's window is large.
    pub compressed: [Option<Box<Compressed>>; 2],
    /// The window was given up because memory was short, and nothing was compressed since.
    pub windows_given_up: [bool; 2],
    /// Bytes were lost before anything was compressed, as far as was seen.
    pub windows_lost: [bool; 2],
    /// How each direction's stream has ended.
    pub ended: [Option<StreamEnd>; 2],
    /// The rule of the layer below that a hole is against.
    pub gap_rule: Option<&'static Rule>,
    pub repeats: Repeats,
    /// What is remembered of the large messages of each direction; nothing in most connections.
    pub large: Option<Box<[Large; 2]>>,
}

/// The large messages of a direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Large {
    /// Bytes of the longest, and of the latest.
    pub longest: u64,
    latest: u64,
    /// The number of the latest.
    m: u64,
}

impl Large {
    /// Bytes of the latest, if no message came after it of which `next_m` is the number.
    pub fn last_of(self, next_m: u64) -> u64 {
        if self.m == next_m { self.latest } else { 0 }
    }
}

/// A data message that is over.
pub(super) struct Over<'a, 'f> {
    pub assembly: &'a mut Assembly,
    /// Its last frame; `None` where it was cut short.
    pub last: Option<&'a Frame<'f>>,
    /// What it inflates to.
    pub inflated: Option<Inflated>,
    /// What was found before it was looked at as a whole.
    pub findings: Vec<Finding>,
    /// It is not certain that its frames are some: nothing is blamed on who sent it.
    pub in_doubt: bool,
}

impl Shared {
    /// The beginning of connection `conn`.
    pub fn new(conn: u32, extensions: Extensions) -> Self {
        Self {
            conn,
            layer: Layer::default(),
            extensions,
            next_n: 0,
            next_m: 0,
            heard: [Sometime::NEVER; 2],
            seeking: [false; 2],
            is_late: false,
            aftermath: Aftermath::default(),
            compressed: [None, None],
            windows_given_up: [false, false],
            windows_lost: [false, false],
            gap_rule: None,
            repeats: Repeats::default(),
            large: None,
            ended: [None, None],
        }
    }

    /// The name of what `dir` sent.
    #[inline]
    pub fn source(&self, dir: Dir) -> SourceId {
        self.layer.source(self.conn, dir)
    }

    /// A frame of `dir` other than Close is complete.
    #[inline]
    pub fn hear(&mut self, dir: Dir, time: Option<Time>) {
        if self.aftermath.closing() == Closing::NotBegun {
            self.heard[dir.index()] = time.into();
        }
    }

    /// A message of `dir` has this length, fragments that are not over included.
    #[allow(clippy::inline_always)] // it is on the way of nearly every frame
    #[inline(always)]
    pub fn measure(&mut self, dir: Dir, length: u64) {
        if length >= limits::LARGE_MESSAGE {
            self.measure_large(dir, length);
        }
    }

    #[cold]
    fn measure_large(&mut self, dir: Dir, length: u64) {
        let m = self.next_m + 1;
        let large = &mut self.large.get_or_insert_default()[dir.index()];
        *large = Large { longest: length.max(large.longest), latest: length, m };
    }

    /// Holds a complete frame against what both sides did before.
    #[inline]
    pub fn judge_frame(&mut self, seen: &Seen<'_>, stories: &mut Stories, findings: &mut Vec<Finding>) {
        self.aftermath.frame(seen, self.is_late, stories, findings);
    }

    /// The code of the Close frame that the other endpoint has sent.
    pub fn closed_by_peer(&self, dir: Dir) -> Option<CloseCode> {
        self.aftermath.close_code_of(dir.peer())
    }

    /// A control frame is a message of its own.
    pub fn control_message(
        &mut self,
        dir: Dir,
        frame: &Frame<'_>,
        packets: Option<(u64, u64)>,
        time: Option<Time>,
        out: &mut Out<'_>,
    ) -> Flow {
        self.next_m += 1;
        let is_close = frame.header.opcode == Opcode::CLOSE;
        let complete = !frame.truncated && frame.missing == 0;
        let close = is_close.then(|| close::parse(hole::unbroken(frame.payload, frame.holes)));
        let utf8 = match close {
            Some(body) => match std::str::from_utf8(body.reason) {
                Ok(_) => Utf8::Valid,
                Err(e) if !complete && e.error_len().is_none() => Utf8::Unchecked,
                Err(e) => Utf8::Invalid(2 + e.valid_up_to() as u64),
            },
            None => Utf8::Unchecked,
        };
        let message = Message {
            m: self.next_m,
            kind: frame.header.opcode,
            frames: &[frame.n],
            frame_count: 1,
            length: frame.captured + frame.missing,
            compressed: false,
            inflated_length: None,
            from_earlier: None,
            complete,
            in_doubt: false,
            payload: frame.payload,
            holes: frame.holes,
            text: None,
            payload_cut: (frame.payload.len() as u64) < frame.captured,
            utf8,
            close,
            app: None,
        };
        let body = Body::Message(&message);
        out.emit(&Unit { dir: Some(dir), time, packets, ..Unit::of(self.conn, body) })
    }

    /// A data message of `dir` is over.
    pub fn data_message(&mut self, dir: Dir, over: Over<'_, '_>, at: At, out: &mut Out<'_>) -> Flow {
        let Over { assembly, last, mut inflated, mut findings, in_doubt } = over;
        if !matches!(assembly.opcode, Opcode::TEXT | Opcode::BINARY) {
            // The start of the message was lost, or never there: its frames have been shown.
            return ON;
        }
        self.next_m += 1;
        let m = self.next_m;
        let complete = last.is_some() && !assembly.lossy;
        let mut utf8 = assembly.verdict(last.is_some());
        if let Some(inflated) = &mut inflated {
            findings.append(&mut inflated.findings);
            utf8 = inflated.utf8.unwrap_or(utf8);
        }
        // What was no DEFLATE is shown as it was sent.
        let inflated = inflated.filter(|inflated| !inflated.as_sent);
        if let Utf8::Invalid(offset) = utf8 {
            let at = match &inflated {
                Some(_) => Some(Span::bytes(SourceId::Inflated { conn: self.conn, m }, offset, 1)),
                None => assembly.bad_at.map(|at| Span::bytes(self.source(dir), at, 1)),
            };
            let mut finding = invalid_utf8(dir, offset, at);
            if let (None, Some(frame), 1) = (&inflated, last, assembly.frame_count) {
                interleaved::explain(dir, hole::unbroken(frame.payload, frame.holes), offset, &mut finding);
            }
            findings.push(finding);
        }
        if in_doubt {
            blame_nobody(&mut findings);
        }
        if findings.iter().any(|f| f.rule.fails.is_some()) {
            self.aftermath.violated(dir, at.time);
        }
        let too_large = assembly.length > limits::MESSAGE_LARGE;
        if too_large || assembly.frame_count > limits::MESSAGE_FRAGMENTS_MANY {
            findings.push(too_much(dir, assembly));
        }
        let mut counted = Vec::new();
        if !findings.is_empty() {
            self.repeats.sieve(dir, &mut findings, &mut counted);
        }
        // A single frame lends its payload; fragments are joined; inflated bytes are their own.
        let (payload, holes, payload_cut) = match (&inflated, last) {
            (Some(inflated), _) => {
                let kept = inflated.kept.as_slice();
                (kept, &[][..], inflated.length.is_none_or(|length| (kept.len() as u64) < length))
            }
            (None, Some(frame)) if assembly.frame_count == 1 => {
                (frame.payload, frame.holes, (frame.payload.len() as u64) < frame.captured)
            }
            (None, last) => {
                if let Some(frame) = last {
                    assembly.keep(frame, out.wants().payload);
                }
                let kept = assembly.kept.as_slice();
                (kept, assembly.holes.as_slice(), (kept.len() as u64) < assembly.captured)
            }
        };
        let alone = [last.map_or(0, |f| f.n)];
        let message = Message {
            m,
            kind: assembly.opcode,
            frames: if assembly.frames.is_empty() { &alone } else { &assembly.frames },
            frame_count: assembly.frame_count,
            length: assembly.length,
            compressed: assembly.compressed,
            inflated_length: inflated.as_ref().and_then(|i| i.length),
            from_earlier: inflated.as_ref().and_then(|i| i.from_earlier),
            complete,
            in_doubt,
            payload,
            holes,
            text: None,
            payload_cut,
            utf8,
            close: None,
            app: None,
        };
        let mut sources: Vec<Source> = Vec::new();
        if out.wants().fields {
            let is_inflated = inflated.is_some();
            let source = self.source(dir);
            describe::message_sources(&assembly.parts, m, self.conn, source, is_inflated, &mut sources);
        }
        out.emit(&Unit {
            conn: self.conn,
            dir: Some(dir),
            time: at.time,
            packets: (at.packet > 0).then_some((assembly.first_packet, at.packet)),
            body: Body::Message(&message),
            fields: &[],
            findings: &findings,
            counted: &counted,
            sources: &sources,
        })
    }

    /// Bytes `dir` compressed, and that later messages may refer to, are missing.
    pub fn lose_window(&mut self, dir: Dir) {
        match &mut self.compressed[dir.index()] {
            Some(compressed) => compressed.lose(),
            None => self.windows_lost[dir.index()] = true,
        }
    }

    /// Reports a hole.
    pub fn emit_gap(&self, dir: Dir, gap: &Gap, out: &mut Out<'_>) -> Flow {
        let found = self.gap_rule.map(|rule| gap.finding(rule, self.source(dir), gap.missing()));
        out.emit(&Unit {
            dir: Some(dir),
            packets: gap.packets(),
            findings: found.as_slice(),
            ..Unit::of(self.conn, Body::Gap(gap))
        })
    }

    /// Reports findings that hang on no frame.
    pub fn note(&self, dir: Option<Dir>, at: At, findings: &[Finding], out: &mut Out<'_>) -> Flow {
        if findings.is_empty() {
            return ON;
        }
        out.emit(&Unit { dir, findings, ..Unit::of(self.conn, Body::Note).at(at) })
    }
}

/// Leaves what is about the capture alone: where it is not certain that what was found by its shape are
/// frames, nobody sent them wrong.
pub(super) fn blame_nobody(findings: &mut Vec<Finding>) {
    findings.retain(|finding| finding.rule.who == Who::Capture);
}

fn too_much(dir: Dir, assembly: &Assembly) -> Finding {
    Finding::new(
        &MESSAGE_TOO_LARGE,
        dir,
        Text::with("at most {} bytes in at most {} fragments to be safe", limits::MESSAGE_LARGE)
            .and(limits::MESSAGE_FRAGMENTS_MANY),
        Text::with("{} bytes in {} fragments", assembly.length).and(assembly.frame_count),
    )
}
