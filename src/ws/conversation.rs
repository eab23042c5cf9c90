//! Both halves of a WebSocket connection together (RFC 6455 §5 to §7).

use super::aftermath::{Aftermath, Closing};
use super::compressed::{Compressed, Inflated};
use super::half::{Extensions, Half, Scratch};
use super::message::Assembly;
use super::{
    INCOMPLETE_MESSAGE, INVALID_UTF8, MESSAGE_TOO_LARGE, RESERVED_BIT_SET, TRUNCATED_FRAME, close, describe,
};
use crate::limits;
use crate::model::{
    At, Body, CloseCode, Counts, Diagnosis, Dir, EndKind, Finding, Flow, Frame, FrameHeader, Gap, Message,
    ON, Opcode, Out, Rule, Severity, Source, SourceId, Span, Text, Time, Unit, Utf8,
};

/// How a direction of the byte stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// Closed in order.
    Fin,
    /// Reset.
    Rst,
    /// The bytes that were given end here: pasted hex, a file of raw bytes.
    Input,
    /// The capture ends, and the stream may go on.
    Capture,
}

/// A WebSocket connection after its opening handshake.
#[derive(Debug)]
pub struct Conversation {
    halves: [Half; 2],
    shared: Shared,
    ended: [Option<StreamEnd>; 2],
}

/// What both halves number, judge and report together.
///
/// What each frame needs stands first, in one cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Shared {
    pub next_n: u64,
    pub next_m: u64,
    aftermath: Aftermath,
    pub conn: u32,
    pub extensions: Extensions,
    /// What each side compresses. Made at the first compressed message: an inflater's window is large.
    pub compressed: [Option<Box<Compressed>>; 2],
    /// What may be behind an RSV1 that nothing was agreed for; told once.
    rsv1_cause: Option<fn() -> Diagnosis>,
    /// The rule of the layer below that a hole is against.
    gap_rule: Option<&'static Rule>,
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
            shared: Shared {
                conn,
                extensions,
                next_n: 0,
                next_m: 0,
                aftermath: Aftermath::default(),
                compressed: [None, None],
                rsv1_cause: None,
                gap_rule: None,
            },
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
        if how == StreamEnd::Capture {
            return ON;
        }
        let half = &self.halves[dir.index()];
        let mut findings = Vec::new();
        if half.is_inside_frame() {
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
}

impl Shared {
    /// Holds a complete frame against what both sides did before.
    #[allow(clippy::too_many_arguments)]
    #[inline]
    pub fn judge_frame(
        &mut self,
        dir: Dir,
        header: &FrameHeader,
        payload: &[u8],
        n: u64,
        time: Option<Time>,
        offset: u64,
        findings: &mut Vec<Finding>,
    ) {
        let source = SourceId::Stream { conn: self.conn, dir };
        // What such a finding is about is that the frame is there, and what it is: its opcode.
        let opcode = offset.saturating_mul(8).saturating_add(4);
        let at = Span::bits(source, opcode, opcode.saturating_add(4));
        self.aftermath.frame(dir, header, payload, n, time, at, findings);
    }

    /// The code of the Close frame that the other endpoint has sent.
    pub fn closed_by_peer(&self, dir: Dir) -> Option<CloseCode> {
        self.aftermath.close_code_of(dir.peer())
    }

    /// Says what may be behind the first data frame with an RSV1 that was not agreed.
    #[cold]
    pub fn explain_rsv1(&mut self, header: &FrameHeader, findings: &mut [Finding]) {
        if !header.rsv1 || header.opcode.is_control() {
            return;
        }
        if let Some(finding) = findings.iter_mut().find(|f| *f.rule == RESERVED_BIT_SET) {
            finding.cause = self.rsv1_cause.take().map(|diagnosis| Box::new(diagnosis()));
        }
    }

    /// A control frame is a message of its own.
    #[allow(clippy::too_many_arguments)]
    pub fn control_message(
        &mut self,
        dir: Dir,
        frame: &Frame<'_>,
        payload: &[u8],
        packets: Option<(u64, u64)>,
        time: Option<Time>,
        complete: bool,
        out: &mut Out<'_>,
    ) -> Flow {
        self.next_m += 1;
        let is_close = frame.header.opcode == Opcode::CLOSE;
        let close = (is_close && complete).then(|| close::parse(payload));
        let utf8 = match close {
            Some(body) => match std::str::from_utf8(body.reason) {
                Ok(_) => Utf8::Valid,
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
            complete: complete && frame.missing == 0,
            payload,
            payload_cut: (payload.len() as u64) < frame.captured,
            utf8,
            close,
        };
        let body = Body::Message(&message);
        out.emit(&Unit {
            conn: self.conn,
            dir: Some(dir),
            time,
            packets,
            body,
            fields: &[],
            findings: &[],
            sources: &[],
        })
    }

    /// A data message is over: with its `last` frame, or cut short without.
    pub fn data_message(
        &mut self,
        dir: Dir,
        assembly: &mut Assembly,
        last: Option<&Frame<'_>>,
        inflated: Option<Inflated>,
        at: At,
        out: &mut Out<'_>,
    ) -> Flow {
        if !matches!(assembly.opcode, Opcode::TEXT | Opcode::BINARY) {
            // The start of the message was lost, or never there: its frames have been shown.
            return ON;
        }
        self.next_m += 1;
        let m = self.next_m;
        let complete = last.is_some() && !assembly.lossy;
        let mut utf8 = assembly.verdict(last.is_some());
        let mut findings = Vec::new();
        let mut inflated = inflated;
        if let Some(inflated) = &mut inflated {
            findings.append(&mut inflated.findings);
            utf8 = inflated.utf8.unwrap_or(utf8);
        }
        if let Utf8::Invalid(offset) = utf8 {
            let at = match &inflated {
                Some(_) => Some(Span::bytes(SourceId::Inflated { conn: self.conn, m }, offset, 1)),
                None => {
                    assembly.bad_at.map(|at| Span::bytes(SourceId::Stream { conn: self.conn, dir }, at, 1))
                }
            };
            findings.push(invalid_utf8(dir, offset, at));
        }
        if findings.iter().any(|f| f.rule.severity == Severity::Error) {
            self.aftermath.violated(dir, at.time);
        }
        let too_large = assembly.length > limits::MESSAGE_LARGE;
        if too_large || assembly.frame_count > limits::MESSAGE_FRAGMENTS_MANY {
            findings.push(too_much(dir, assembly));
        }
        // A single frame lends its payload; fragments are joined; inflated bytes are their own.
        let (payload, payload_cut) = match last {
            _ if inflated.is_some() => inflated.as_ref().map_or((&[][..], false), |i| {
                (i.kept.as_slice(), i.length.is_none_or(|length| (i.kept.len() as u64) < length))
            }),
            Some(frame) if assembly.frame_count == 1 => {
                (frame.payload, (frame.payload.len() as u64) < frame.captured)
            }
            Some(frame) => {
                if !assembly.cut {
                    let room = out.wants().payload.saturating_sub(assembly.kept.len() as u64);
                    let keep = usize::try_from(room).unwrap_or(usize::MAX).min(frame.payload.len());
                    assembly.kept.extend_from_slice(&frame.payload[..keep]);
                }
                (assembly.kept.as_slice(), (assembly.kept.len() as u64) < assembly.length)
            }
            None => (assembly.kept.as_slice(), (assembly.kept.len() as u64) < assembly.length),
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
            payload,
            payload_cut,
            utf8,
            close: None,
        };
        let mut sources: Vec<Source> = Vec::new();
        if out.wants().fields {
            let is_inflated = inflated.is_some();
            describe::message_sources(&assembly.parts, m, self.conn, dir, is_inflated, &mut sources);
        }
        out.emit(&Unit {
            conn: self.conn,
            dir: Some(dir),
            time: at.time,
            packets: (at.packet > 0).then_some((assembly.first_packet, at.packet)),
            body: Body::Message(&message),
            fields: &[],
            findings: &findings,
            sources: &sources,
        })
    }

    /// Bytes `dir` compressed, and that later messages may refer to, are missing.
    pub fn lose_window(&mut self, dir: Dir) {
        if let Some(compressed) = &mut self.compressed[dir.index()] {
            compressed.lose();
        }
    }

    /// Reports a hole.
    pub fn emit_gap(&self, dir: Dir, gap: &Gap, out: &mut Out<'_>) -> Flow {
        let packets = gap.between.0.or(gap.between.1).zip(gap.between.1.or(gap.between.0));
        let found = self.gap_rule.map(|rule| {
            let got = Text::with("{} bytes missing at offset {}", gap.length).and(gap.offset);
            Finding::new(rule, None, "every byte of the stream".into(), got).at(Span::bytes(
                SourceId::Stream { conn: self.conn, dir },
                gap.offset,
                gap.length,
            ))
        });
        out.emit(&Unit {
            conn: self.conn,
            dir: Some(dir),
            time: None,
            packets,
            body: Body::Gap(gap),
            fields: &[],
            findings: found.as_slice(),
            sources: &[],
        })
    }

    /// Reports findings that hang on no frame.
    pub fn note(&self, dir: Option<Dir>, at: At, findings: &[Finding], out: &mut Out<'_>) -> Flow {
        if findings.is_empty() {
            return ON;
        }
        out.emit(&Unit {
            conn: self.conn,
            dir,
            time: at.time,
            packets: (at.packet > 0).then_some((at.packet, at.packet)),
            body: Body::Note,
            fields: &[],
            findings,
            sources: &[],
        })
    }
}

fn invalid_utf8(dir: Dir, offset: u64, at: Option<Span>) -> Finding {
    //= RFC 6455 §8.1
    //# MUST _Fail the WebSocket Connection_.
    let mut finding = Finding::new(
        &INVALID_UTF8,
        dir,
        "valid UTF-8 in the whole message".into(),
        Text::with("an invalid sequence at byte {} of the message", offset),
    );
    finding.spans.extend(at);
    finding
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Sink, Wants};
    use crate::ws::half::Scratch;

    /// A line for each unit: enough to see what was decoded and what was found.
    #[derive(Default)]
    struct Lines(Vec<String>);

    impl Sink for Lines {
        fn wants(&self) -> Wants {
            Wants { fields: true, payload: 1000 }
        }

        fn take(&mut self, unit: &Unit<'_>) -> Flow {
            let what = match unit.body {
                Body::Frame(f) => {
                    let fin = if f.header.fin { "fin" } else { "..." };
                    let cut = if f.truncated { " truncated" } else { "" };
                    let inferred = if f.inferred { " inferred" } else { "" };
                    format!("frame {} {} {fin} {}{cut}{inferred}", f.n, f.header.opcode.name(), f.captured)
                }
                Body::Message(m) => {
                    let text = String::from_utf8_lossy(m.payload).into_owned();
                    let part = if m.complete { "" } else { " incomplete" };
                    format!("message {} {} {:?} {text:?}{part}", m.m, m.kind.name(), m.frames)
                }
                Body::Gap(g) => format!("gap {}+{} {:?}", g.offset, g.length, g.effect),
                Body::Note => "note".to_owned(),
                _ => "?".to_owned(),
            };
            let ids: Vec<_> = unit.findings.iter().map(|f| f.rule.id).collect();
            let who = unit.dir.map_or_else(|| "-".to_owned(), |d| d.to_string());
            self.0.push(format!("{who}: {what} {}", ids.join(" ")).trim_end().to_owned());
            ON
        }
    }

    enum Act<'a> {
        Send(Dir, &'a [u8]),
        Lose(Dir, u64),
        End(Dir, StreamEnd),
    }
    use Act::{End, Lose, Send};
    use Dir::{Client, Server};

    /// Plays the acts one second apart; `cut` bytes are pushed at a time.
    fn play(acts: &[Act<'_>], cut: usize) -> Vec<String> {
        let mut lines = Lines::default();
        let mut out = Out::new(&mut lines);
        let mut scratch = Scratch::default();
        let mut talk = Conversation::new(1, [0, 0], Extensions::NONE);
        let mut at = At { packet: 0, byte: 0, time: Some(Time(0)) };
        for act in acts {
            at.packet += 1;
            at.time = at.time.map(|t| Time(t.0 + 1_000_000_000));
            let flow = match act {
                Send(dir, bytes) => {
                    bytes.chunks(cut).try_for_each(|chunk| talk.push(*dir, chunk, at, &mut out, &mut scratch))
                }
                Lose(dir, len) => {
                    talk.gap(*dir, *len, (Some(1), Some(2)), &super::super::TCP_RESET, &mut out, &mut scratch)
                }
                End(dir, how) => talk.end(*dir, *how, at, &mut out, &mut scratch),
            };
            assert!(flow.is_continue());
        }
        assert!(talk.finish(StreamEnd::Capture, at.time, &mut out, &mut scratch).is_continue());
        out.finish(0, 0, None);
        lines.0.pop();
        lines.0
    }

    #[track_caller]
    fn check(acts: &[Act<'_>], expected: &[&str]) {
        for cut in [usize::MAX, 1, 3] {
            assert_eq!(play(acts, cut), expected, "{cut} bytes at a time");
        }
    }

    const HELLO: &[u8] = b"\x81\x05Hello";
    const MASKED_HELLO: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";

    #[test]
    fn what_each_frame_touches_is_in_few_cache_lines() {
        // A kibibyte a live connection is the goal for everything together.
        assert_eq!(size_of::<Half>(), 64);
        assert!(std::mem::offset_of!(Shared, compressed) <= 64);
        assert!(size_of::<Conversation>() <= 320, "{}", size_of::<Conversation>());
    }

    #[test]
    fn fragments_with_a_ping_between_make_one_message() {
        check(
            &[Send(Server, b"\x01\x03Hel\x89\x01x\x80\x02lo"), Send(Client, b"\x8a\x81\0\0\0\x01y")],
            &[
                "server: frame 1 text ... 3",
                "server: frame 2 ping fin 1",
                "server: message 1 ping [2] \"x\"",
                "server: frame 3 continuation fin 2",
                "server: message 2 text [1, 3] \"Hello\"",
                "client: frame 4 pong fin 1 pong-payload-mismatch",
                "client: message 3 pong [4] \"y\"",
            ],
        );
    }

    #[test]
    fn a_clean_close_is_quiet() {
        check(
            &[
                Send(Client, MASKED_HELLO),
                Send(Client, b"\x88\x82\x01\x02\x03\x04\x02\xea"),
                Send(Server, b"\x88\x02\x03\xe8"),
                End(Server, StreamEnd::Fin),
                End(Client, StreamEnd::Fin),
            ],
            &[
                "client: frame 1 text fin 5",
                "client: message 1 text [1] \"Hello\"",
                "client: frame 2 close fin 2",
                "client: message 2 close [2] \"\\u{3}\u{fffd}\"",
                "server: frame 3 close fin 2",
                "server: message 3 close [3] \"\\u{3}\u{fffd}\"",
            ],
        );
    }

    #[test]
    fn a_character_may_be_cut_by_a_fragment_but_not_by_the_message() {
        check(
            &[Send(Server, b"\x01\x01\xe2\x80\x02\x82\xac\x81\x02\xe2\x82")],
            &[
                "server: frame 1 text ... 1",
                "server: frame 2 continuation fin 2",
                "server: message 1 text [1, 2] \"€\"",
                "server: frame 3 text fin 2",
                "server: message 2 text [3] \"\u{fffd}\" invalid-utf8",
            ],
        );
    }

    #[test]
    fn a_hole_inside_a_payload_keeps_the_frames_in_step() {
        check(
            &[Send(Server, b"\x81\x05He"), Lose(Server, 2), Send(Server, b"o"), Send(Server, HELLO)],
            &[
                "server: gap 4+2 SkippedInPayload tcp-reset",
                "server: frame 1 text fin 3",
                "server: message 1 text [1] \"He\" incomplete",
                "server: frame 2 text fin 5",
                "server: message 2 text [2] \"Hello\"",
            ],
        );
    }

    #[test]
    fn a_hole_over_a_header_is_bridged_at_the_next_plausible_one() {
        let acts = [
            Send(Server, b"\x81\x05He"),
            Lose(Server, 9),
            Send(Server, b"llo and more of it"),
            Send(Server, HELLO),
        ];
        let lines = play(&acts, usize::MAX);
        assert_eq!(
            lines,
            [
                "server: frame 1 text fin 2",
                "server: message 1 text [1] \"He\" incomplete",
                "server: gap 4+9 Resynchronised tcp-reset",
                "server: frame 2 text fin 5 inferred",
                "server: message 2 text [2] \"Hello\"",
            ]
        );
    }

    #[test]
    fn what_ends_too_early_is_shown_and_found() {
        check(
            &[Send(Server, b"\x81\x05Hel"), End(Server, StreamEnd::Fin)],
            &[
                "server: note truncated-frame",
                "server: frame 1 text fin 3 truncated",
                "server: message 1 text [1] \"Hel\" incomplete",
                "server: note no-closing-handshake",
            ],
        );
    }

    #[test]
    fn huge_lengths_allocate_nothing_and_never_wrap() {
        for length in [u64::MAX, u64::MAX - 3, 1 << 63, (1 << 63) - 1, (1 << 32) + 5] {
            let mut bytes = vec![0x82, 0x7F];
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(b"1234");
            let lines = play(&[Send(Server, &bytes)], usize::MAX);
            assert!(lines[0].starts_with("server: frame 1 binary fin 4 truncated"), "{lines:?}");
            assert_eq!(lines[0].contains("length-high-bit-set"), length >> 63 == 1);
        }
    }

    #[test]
    fn closing_rules() {
        let close: &[u8] = b"\x88\x02\x03\xe8";
        let lines = play(&[Send(Server, close), Send(Server, HELLO), Send(Server, close)], 9);
        assert!(lines.iter().any(|l| l.contains("data-after-close")), "{lines:?}");
        assert!(lines.iter().any(|l| l.contains("duplicate-close")), "{lines:?}");
        let acts = [Send(Client, MASKED_HELLO), Send(Server, close), End(Client, StreamEnd::Rst)];
        let lines = play(&acts, 9);
        for rule in ["tcp-reset", "unclean-close", "close-not-answered"] {
            assert!(lines.iter().any(|l| l.contains(rule)), "{rule}: {lines:?}");
        }
    }

    #[test]
    fn a_violation_must_not_be_put_up_with() {
        let acts = [
            Send(Server, b"\x83\x00"),
            Send(Client, MASKED_HELLO),
            Send(Client, MASKED_HELLO),
            End(Client, StreamEnd::Fin),
        ];
        let lines = play(&acts, 9);
        assert!(lines.iter().any(|l| l.contains("open-after-violation")), "{lines:?}");
        assert!(lines.iter().any(|l| l.contains("failed-without-close")), "{lines:?}");
    }

    #[test]
    fn pings_want_answers() {
        let ping: &[u8] = b"\x89\x01x";
        let acts = [Send(Client, MASKED_HELLO), Send(Server, ping), Send(Server, HELLO), Send(Server, HELLO)];
        let acts = acts.into_iter().chain([Send(Server, HELLO)]).collect::<Vec<_>>();
        assert!(play(&acts, 9).iter().any(|l| l.contains("ping-not-answered")));
        let pong: &[u8] = b"\x8a\x81\0\0\0\0x";
        let prompt = [Send(Server, ping), Send(Client, pong)];
        assert!(play(&prompt, 9).iter().all(|l| !l.contains("pong-")));
        let slow = [Send(Server, ping), Send(Server, HELLO), Send(Server, HELLO), Send(Client, pong)];
        assert!(play(&slow, 9).iter().any(|l| l.contains("pong-slow")));
    }
}
