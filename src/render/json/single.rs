//! The short way of the records `frame` and `message`: those of a text that came in a single frame and is
//! JSON of no protocol, as most of all traffic is, or nothing that is known.
//!
//! Most of such records is always the same, and is copied in few and long pieces; the text was made a
//! string of JSON by whoever found out which of both it is. What stands there in the end is what
//! [`Records::frame`] and [`Records::message`] write, which the tests hold both against.

use std::io::Write;

use super::Stream;
use super::frame::Records;
use super::write::Writer;
use crate::model::Single;

impl Records {
    /// Writes both records of a message, if it is one of those; else `false`, and nothing is changed.
    #[inline]
    pub fn single<W: Write>(&mut self, single: &Single<'_>, to: &mut Stream<W>) -> bool {
        let (Some(quoted), Some(text), false) = (single.quoted, single.text, single.inferred) else {
            return false;
        };
        if single.length > self.payload {
            return false;
        }
        to.record(|w| self.text_frame(single, quoted, w));
        to.record(|w| self.text_message(single, quoted, text, w));
        true
    }

    /// The record of the frame.
    #[inline]
    fn text_frame<W: Write>(&mut self, single: &Single<'_>, quoted: &[u8], w: &mut Writer<W>) {
        let packet = single.at.packet;
        let packets = (packet > 0).then_some((packet, packet));
        self.origin.become_of((Some(single.dir), single.at.time, packets), w);
        let head = single.head;
        w.line(|line| {
            line.raw(br#"{"type":"frame","conn":"#);
            line.remember(&mut self.conn, single.conn.into());
            line.raw(br#","n":"#);
            line.remember(&mut self.n, single.n);
            line.part(self.origin.text(), self.origin.length);
            line.raw(br#","offset":"#);
            line.number(single.offset);
            line.raw(
                br#","fin":true,"rsv1":false,"rsv2":false,"rsv3":false,"opcode":1,"opcode_name":"text""#,
            );
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
            line.remember(&mut self.length, single.length);
            line.raw(br#","header_length":"#);
            line.raw(&[b'0' + head.len() as u8]);
            line.raw(br#","captured":"#);
            line.recall(&self.length, single.length);
            line.raw(br#","truncated":false,"missing":0,"inferred":false,"payload":{"text":""#);
        });
        w.bytes(quoted);
        w.raw(r#""},"findings":[]"#);
    }

    /// The record of the message.
    #[inline]
    fn text_message<W: Write>(&mut self, single: &Single<'_>, quoted: &[u8], text: &str, w: &mut Writer<W>) {
        w.line(|line| {
            line.raw(br#"{"type":"message","conn":"#);
            line.recall(&self.conn, single.conn.into());
            line.raw(br#","m":"#);
            line.recall(&self.n, single.m);
            line.part(self.origin.text(), self.origin.length);
            line.raw(br#","kind":"text","frames":["#);
            line.recall(&self.n, single.n);
            line.raw(br#"],"frame_count":1,"length":"#);
            line.recall(&self.length, single.length);
            line.raw(br#","compressed":false,"inflated_length":null,"complete":true,"text":""#);
        });
        w.bytes(quoted);
        if single.app.is_none() {
            w.raw(r#"","app":null,"findings":[]"#);
            return;
        }
        w.raw(r#"","app":{"protocol":"json","data":"#);
        w.raw(text);
        w.raw(r#","summary":""},"findings":[]"#);
    }
}
