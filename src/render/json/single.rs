//! The short way of the records `frame` and `message`: those of a text that came in a single frame and is
//! JSON of no protocol, as most of all traffic is, or nothing that is known.
//!
//! Most of such records is always the same, and is copied in few and long pieces; the text was made a
//! string of JSON by whoever found out which of both it is. What stands there in the end is what
//! [`Records::frame`] and [`Records::message`] write, which the tests hold both against.

use std::io::Write;

use super::Stream;
use super::digits::{SHORT, Short};
use super::frame::Records;
use super::line::{Line, ROOM, Run};
use super::record::{ORIGIN, origin_of};
use crate::model::{Sent, Single};

/// Bytes of a text as a string of JSON that are written in this way at most.
const LONGEST: usize = 8 * 1024;

/// Lines of which both records are made, besides texts.
const LINES: usize = 6;

impl Records {
    /// Writes both records of a message, if it is one of those; else `false`, and nothing is changed.
    #[inline]
    pub fn single<W: Write>(&self, single: &Single<'_>, to: &mut Stream<W>) -> bool {
        let (Some(quoted), Some(text), false) = (single.quoted, single.text, single.inferred) else {
            return false;
        };
        let numbers = [single.conn.into(), single.n, single.m, single.length];
        if single.length > self.payload || quoted.len() > LONGEST || numbers.iter().any(|it| *it >= SHORT) {
            return false;
        }
        let n = Short::of(single.n);
        let pair = Pair {
            sent: single.sent,
            is_json: single.app.is_some(),
            quoted,
            text,
            conn: Short::of(single.conn.into()),
            n,
            m: if single.m == single.n { n } else { Short::of(single.m) },
            length: Short::of(single.length),
        };
        to.pair(LINES * ROOM + 2 * quoted.len() + text.len(), |run, between| pair.put(between, run));
        true
    }
}

/// A frame, and the message that it is.
struct Pair<'s> {
    sent: &'s Sent<'s>,
    /// The text is JSON itself.
    is_json: bool,
    quoted: &'s [u8],
    text: &'s str,
    conn: Short,
    n: Short,
    m: Short,
    length: Short,
}

#[allow(clippy::inline_always, reason = "only inlined does a line stay in registers")]
impl Pair<'_> {
    /// Both records, the second without its closing brace, with `between` between them.
    #[inline(always)]
    fn put(self, between: Option<&[u8]>, run: &mut Run<'_>) {
        let before = run.length();
        // Where its origin begins, and where it ends.
        let (mut from, mut to) = (0, 0);
        run.line(|line| {
            line.raw(br#"{"type":"frame","conn":"#);
            line.short(self.conn);
            line.raw(br#","n":"#);
            line.short(self.n);
            from = line.length();
            self.origin(line);
            to = line.length();
            self.frame(line);
        });
        run.bytes(self.quoted);
        match between {
            None => run.line(|line| line.raw(b"\"},\"findings\":[]}\n")),
            Some(between) => {
                run.line(|line| line.raw(br#""},"findings":[]"#));
                run.bytes(between);
            }
        }
        run.line(|line| {
            line.raw(br#"{"type":"message","conn":"#);
            line.short(self.conn);
            line.raw(br#","m":"#);
            line.short(self.m);
        });
        run.again::<ORIGIN>(before + from, to - from);
        run.line(|line| self.message(line));
        run.bytes(self.quoted);
        if !self.is_json {
            run.line(|line| line.raw(br#"","app":null,"findings":[]"#));
            return;
        }
        run.line(|line| line.raw(br#"","app":{"protocol":"json","data":"#));
        run.bytes(self.text.as_bytes());
        run.line(|line| line.raw(br#","summary":""},"findings":[]"#));
    }

    /// Who sent it, when, and in which packet.
    #[inline(always)]
    fn origin(&self, line: &mut Line<'_>) {
        let packet = self.sent.at.packet;
        let packets = (packet > 0).then_some((packet, packet));
        origin_of((Some(self.sent.dir), self.sent.at.time, packets), line);
    }

    /// What the frame has behind its origin, up to its text.
    #[inline(always)]
    fn frame(&self, line: &mut Line<'_>) {
        let head = self.sent.head;
        line.raw(br#","offset":"#);
        line.number(self.sent.offset);
        line.raw(br#","fin":true,"rsv1":false,"rsv2":false,"rsv3":false,"opcode":1,"opcode_name":"text""#);
        match *head {
            [_, second, .., k0, k1, k2, k3] if second & 0x80 != 0 => {
                line.raw(br#","masked":true,"masking_key":"#);
                line.key([k0, k1, k2, k3]);
            }
            _ => line.raw(br#","masked":false,"masking_key":null"#),
        }
        match head.len() {
            2 | 6 => line.raw(br#","length_form":7,"length":"#),
            _ => line.raw(br#","length_form":16,"length":"#),
        }
        line.short(self.length);
        line.raw(br#","header_length":"#);
        line.raw(&[b'0' + head.len() as u8]);
        line.raw(br#","captured":"#);
        line.short(self.length);
        line.raw(br#","truncated":false,"missing":0,"inferred":false,"payload":{"text":""#);
    }

    /// What the message has behind its origin, up to its text.
    #[inline(always)]
    fn message(&self, line: &mut Line<'_>) {
        line.raw(br#","kind":"text","frames":["#);
        line.short(self.n);
        line.raw(br#"],"frame_count":1,"length":"#);
        line.short(self.length);
        line.raw(br#","compressed":false,"inflated_length":null,"complete":true,"text":""#);
    }
}
