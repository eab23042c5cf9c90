//! What follows from a frame that is over: its unit, and its message's.

use super::hole::REPLAYED;
use super::{Half, Open, Scratch, State};
use crate::model::{At, Body, Flow, Frame, ON, Opcode, Out, Severity, Span, Unit, Utf8, hole};
use crate::ws::aftermath::Seen;
use crate::ws::compressed::Inflated;
use crate::ws::message::Assembly;
use crate::ws::repeats::Found;
use crate::ws::shared::{Over, Shared, blame_nobody};
use crate::ws::{close, describe, judge, unagreed};

/// How a data frame joins its message.
struct Joins {
    /// Bytes of its payload were not kept.
    cut: bool,
    /// What the message inflates to, with its last frame.
    inflated: Option<Inflated>,
}

impl Half {
    /// The current frame is over: whole, or as whole as it will ever be.
    pub(super) fn complete(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        open.state = State::Header;
        let Scratch { findings, counted, fields, sources, held, stories, .. } = scratch;
        let Open { current, head, message, kept, holes, pieces, .. } = open;
        let header = current.header;
        let conn = shared.conn;
        let n = shared.next_n + 1;
        let captured = current.arrived() - current.missing;
        let truncated = current.remaining > 0;
        // What is read, and not only shown, is read up to the first hole.
        let unbroken = hole::unbroken(kept, holes);

        findings.clear();
        counted.clear();
        let source = self.source(shared);
        let context = self.context(shared, current.offset, current.in_message);
        if judge::is_suspect(&header, &context) {
            let mut found = Found::new(self.dir, &shared.repeats, findings, counted);
            judge::judge(&header, &context, &mut found);
            if header.masking_key.is_none() && !self.is_in_doubt() {
                let is_first = self.counts.frames == 0;
                let head = &head[..usize::from(header.header_length())];
                unagreed::explain_text((self.dir, is_first), head, unbroken, findings);
            }
        }
        if let Some(key) = header.masking_key
            && !self.is_in_doubt()
            && let Some(rule) = self.keys.next(key)
        {
            findings.push(judge::key_finding(rule, key, &header, &context));
        }
        if header.opcode == Opcode::CLOSE {
            let length_at = Span::bits(source, context.bit(9), context.bit(16));
            close::check_length(header.length, length_at, self.dir, findings);
            let offset = current.offset + u64::from(header.header_length());
            let payload_at = Span::bytes(source, offset, header.length);
            // Only captures lack anything.
            let unseen = at.packet > 0 && shared.aftermath.may_have_closed(self.dir.peer());
            let answered = (shared.closed_by_peer(self.dir), unseen);
            close::check(unbroken, payload_at, self.dir, answered, findings);
        }
        if self.is_in_doubt()
            && self.doubt < REPLAYED
            && findings.iter().any(|found| found.rule.severity > Severity::Note)
        {
            findings.clear();
            return self.goes_astray(open, shared, at, out);
        }
        shared.next_n = n;
        let seen = Seen {
            header: &header,
            payload: unbroken,
            n,
            time: at.time,
            packet: at.packet,
            context: &context,
        };
        if header.opcode != Opcode::CLOSE {
            shared.hear(self.dir, at.time);
        }
        shared.judge_frame(&seen, stories, findings);
        if self.is_in_doubt() {
            blame_nobody(findings);
        }
        if !(findings.is_empty() && counted.is_empty()) {
            shared.repeats.sieve(self.dir, findings, counted);
        }

        self.counts.frames += 1;
        self.counts.bytes += u64::from(header.header_length()) + captured;
        self.counts.payload_bytes += captured;
        let is_data = !header.opcode.is_control() && !header.opcode.is_reserved();
        let of = match message {
            Some(message) if is_data => message.opcode,
            _ => header.opcode,
        };
        let mut compressed = is_data && message.as_ref().is_some_and(|m| m.compressed);
        let mut inflated = None;
        if compressed && let Some(assembly) = message {
            // The frame that ends a message is shown knowing whether it was one that was compressed.
            let is_last = header.fin && !truncated;
            (inflated, compressed) = self.inflate(assembly, is_last, shared, out.wants().payload);
            if let Some(compressed) = &mut shared.compressed[self.dir.index()] {
                compressed.settle(held);
            }
            let is_deflated = |it: &Inflated| !it.as_sent && it.length.is_some_and(|length| length > 0);
            if inflated.as_ref().is_some_and(is_deflated) {
                unagreed::explain_compressed(&header, findings);
            }
        }
        // What was kept to be looked at is not all shown.
        let most = usize::try_from(out.wants().payload).unwrap_or(usize::MAX);
        let shown = if is_data { &kept[..kept.len().min(most)] } else { &kept[..] };
        let frame = Frame {
            n,
            offset: current.offset,
            header,
            head: &head[..usize::from(header.header_length())],
            of,
            compressed,
            captured,
            missing: current.missing,
            truncated,
            inferred: self.inferred,
            payload: shown,
            holes,
        };
        fields.clear();
        if out.wants().fields {
            describe::frame(&frame, source, self.dir, fields);
            describe::frame_sources(&frame, conn, source, pieces, sources);
        } else {
            sources.clear();
        }
        let packets = (at.packet > 0).then_some((current.first_packet, at.packet));
        let unit = Unit {
            conn,
            dir: Some(self.dir),
            time: at.time,
            packets,
            body: Body::Frame(&frame),
            fields,
            findings,
            counted,
            sources,
        };
        out.emit(&unit)?;
        if header.opcode.is_reserved() {
            return ON;
        }
        let joins = Joins { cut: current.cut || shown.len() < kept.len(), inflated };
        if header.opcode.is_control() {
            self.counts.messages += 1;
            shared.control_message(self.dir, &frame, packets, at.time, out)
        } else {
            let is_bad = |message: &Assembly| matches!(message.verdict(true), Utf8::Invalid(_));
            let is_astray =
                self.is_in_doubt() && self.doubt < REPLAYED && message.as_ref().is_some_and(is_bad);
            self.fragment(message, shared, &frame, joins, at, out)?;
            if is_astray { self.goes_astray(open, shared, at, out) } else { ON }
        }
    }

    /// Ends the inflating of a message with its last frame. Gives what it inflates to, and whether the
    /// frame at hand belongs to a compressed message, as far as that is known.
    fn inflate(
        &self,
        assembly: &mut Assembly,
        is_last: bool,
        shared: &mut Shared,
        keep: u64,
    ) -> (Option<Inflated>, bool) {
        let (conn, m, known) = (shared.conn, shared.next_m + 1, shared.extensions.known);
        let agreed = shared.extensions.rsv1_is_agreed();
        let Some(compressed) = &mut shared.compressed[self.dir.index()] else { return (None, true) };
        if !is_last || assembly.lossy {
            return (None, agreed || !known && !compressed.has_failed());
        }
        let inflated = compressed.finish(conn, m, keep);
        assembly.compressed = !inflated.as_sent;
        (Some(inflated), assembly.compressed)
    }

    /// A data frame joins its message, which may be complete now.
    fn fragment(
        &mut self,
        message: &mut Option<Assembly>,
        shared: &mut Shared,
        frame: &Frame<'_>,
        joins: Joins,
        at: At,
        out: &mut Out<'_>,
    ) -> Flow {
        let Some(assembly) = message else { return ON };
        assembly.join(frame, joins.cut, out.wants());
        shared.measure(self.dir, assembly.length);
        if !frame.header.fin || frame.truncated {
            return ON;
        }
        self.lenient = false;
        self.counts.messages += 1;
        let over = Over {
            assembly,
            last: Some(frame),
            inflated: joins.inflated,
            findings: Vec::new(),
            in_doubt: self.is_in_doubt(),
        };
        let flow = shared.data_message(self.dir, over, at, out);
        *message = None;
        flow
    }

    /// The open message will never be complete.
    pub(super) fn abandon(
        &mut self,
        open: &mut Open,
        shared: &mut Shared,
        at: At,
        out: &mut Out<'_>,
    ) -> Flow {
        let Some(mut assembly) = open.message.take() else { return ON };
        let mut findings = Vec::new();
        if assembly.compressed {
            let (conn, m) = (shared.conn, shared.next_m + 1);
            if let Some(compressed) = &shared.compressed[self.dir.index()] {
                compressed.judge_unfinished(conn, m, &mut findings);
            }
            shared.lose_window(self.dir);
        }
        if assembly.frame_count == 0 {
            return ON;
        }
        self.counts.messages += 1;
        let over = Over {
            assembly: &mut assembly,
            last: None,
            inflated: None,
            findings,
            in_doubt: self.is_in_doubt(),
        };
        shared.data_message(self.dir, over, at, out)
    }
}
