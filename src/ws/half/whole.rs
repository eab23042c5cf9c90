//! The short way for what nearly all traffic is: a whole message in a single frame that breaks no rule.
//!
//! Whether a frame goes this way is decided first, and until then nothing changes. Everything else goes
//! the long way, where the rules are: here it is only known that none of them is broken. What comes out
//! is the same either way, which the tests hold both against.

use super::{Half, Scratch};
use crate::limits;
use crate::model::{
    At, Body, Dir, Flow, Frame, FrameHeader, LengthForm, Message, Opcode, Out, Unit, Utf8, Wants,
};
use crate::ws::judge::KeyWatch;
use crate::ws::shared::Shared;
use crate::ws::{mask, utf8};

/// A frame that carries a whole message.
struct Whole<'b> {
    header: FrameHeader,
    head: &'b [u8],
    /// As sent.
    payload: &'b [u8],
    rest: &'b [u8],
    /// The sender's keys, this one included.
    keys: KeyWatch,
}

impl Half {
    /// Takes the frame that `bytes` begin with, if it may go the short way; nothing is under way.
    /// The bytes behind it are given back.
    #[inline]
    pub(super) fn whole<'b>(
        &mut self,
        shared: &mut Shared,
        bytes: &'b [u8],
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Option<(&'b [u8], Flow)> {
        let wants = out.wants();
        if wants.fields || !shared.aftermath.is_quiet() {
            return None;
        }
        let found = recognise(bytes, self.dir, self.keys);
        let whole = found.as_ref()?;
        let clear = clear(whole, wants, &mut scratch.block);
        let mut text = None;
        if whole.header.opcode == Opcode::TEXT {
            // Who looks at it looks at it as text.
            if wants.payload > 0 {
                text = Some(utf8::text(clear)?);
            } else if !utf8::is_valid(clear) {
                return None;
            }
        }
        let shown = usize::try_from(wants.payload).unwrap_or(usize::MAX).min(whole.payload.len());
        let flow = self.take_whole(shared, whole, (&clear[..shown], text), at, out);
        Some((whole.rest, flow))
    }

    /// Counts the frame, and tells it and its message.
    #[inline]
    fn take_whole(
        &mut self,
        shared: &mut Shared,
        whole: &Whole<'_>,
        (shown, text): (&[u8], Option<&str>),
        at: At,
        out: &mut Out<'_>,
    ) -> Flow {
        let length = whole.header.length;
        let offset = self.offset;
        let bytes = whole.head.len() as u64 + length;
        self.offset += bytes;
        self.keys = whole.keys;
        self.lenient = false;
        self.counts.frames += 1;
        self.counts.bytes += bytes;
        self.counts.payload_bytes += length;
        shared.heard[self.dir.index()] = at.time;
        shared.measure(self.dir, length);
        shared.aftermath.quiet_frame(self.dir);
        shared.next_n += 1;
        let n = shared.next_n;
        let frame = Frame {
            n,
            offset,
            header: whole.header,
            head: whole.head,
            of: whole.header.opcode,
            compressed: false,
            captured: length,
            missing: 0,
            truncated: false,
            inferred: self.inferred,
            payload: shown,
            holes: &[],
        };
        let unit = Unit {
            conn: shared.conn,
            dir: Some(self.dir),
            time: at.time,
            packets: (at.packet > 0).then_some((at.packet, at.packet)),
            body: Body::Frame(&frame),
            fields: &[],
            findings: &[],
            counted: &[],
            sources: &[],
        };
        self.counts.messages += 1;
        shared.next_m += 1;
        let message = Message {
            m: shared.next_m,
            kind: whole.header.opcode,
            frames: &[n],
            frame_count: 1,
            length,
            compressed: false,
            inflated_length: None,
            from_earlier: None,
            complete: true,
            payload: shown,
            holes: &[],
            text,
            payload_cut: (shown.len() as u64) < length,
            utf8: if whole.header.opcode == Opcode::TEXT { Utf8::Valid } else { Utf8::Unchecked },
            close: None,
            app: None,
        };
        out.emit_whole(&unit, &message)
    }
}

/// Reads a frame that is whole, and breaks no rule by its header: FIN, no RSV, text or binary, masked as
/// its sender has to, with a length of 7 or 16 bits that is the shortest form, and a key like others.
#[inline]
fn recognise(bytes: &[u8], dir: Dir, mut keys: KeyWatch) -> Option<Whole<'_>> {
    let &[first, second, ..] = bytes else { return None };
    let opcode = match first {
        0x81 => Opcode::TEXT,
        0x82 => Opcode::BINARY,
        _ => return None,
    };
    if (second & 0x80 != 0) != (dir == Dir::Client) {
        return None;
    }
    let (length_form, length, mut at) = match second & 0x7F {
        126 => (LengthForm::Bits16, u16::from_be_bytes(*bytes[2..].first_chunk()?).into(), 4),
        127 => return None,
        short => (LengthForm::Bits7, u64::from(short), 2),
    };
    if length_form != LengthForm::minimal(length) {
        return None;
    }
    let mut masking_key = None;
    if dir == Dir::Client {
        let key = *bytes.get(at..)?.first_chunk()?;
        if keys.next(key).is_some() {
            return None;
        }
        masking_key = Some(key);
        at += 4;
    }
    let (head, behind) = bytes.split_at_checked(at)?;
    let (payload, rest) = behind.split_at_checked(length as usize)?;
    if payload.len() > limits::BLOCK {
        return None;
    }
    let header = FrameHeader {
        fin: true,
        rsv1: false,
        rsv2: false,
        rsv3: false,
        opcode,
        masking_key,
        length_form,
        length,
    };
    Some(Whole { header, head, payload, rest, keys })
}

/// The unmasked payload, as far as somebody looks at it.
#[inline]
fn clear<'c>(whole: &Whole<'c>, wants: Wants, block: &'c mut [u8]) -> &'c [u8] {
    let Some(key) = whole.header.masking_key else { return whole.payload };
    let needed = match whole.header.opcode {
        Opcode::TEXT => whole.payload.len(),
        _ => usize::try_from(wants.payload).unwrap_or(usize::MAX).min(whole.payload.len()),
    };
    mask::unmask_into(block, &whole.payload[..needed], key, 0);
    &block[..needed]
}
