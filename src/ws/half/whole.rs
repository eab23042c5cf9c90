//! The short way for what nearly all traffic is: a whole message in a single frame that breaks no rule.
//!
//! Whether a frame goes this way is decided first, and until then nothing changes. Everything else goes
//! the long way, where the rules are: here it is only known that none of them is broken. What comes out
//! is the same either way, which the tests hold both against.

use super::described::Described;
use super::{Half, Scratch};
use crate::limits;
use crate::model::{At, Dir, Flow, LengthForm, ON, Opcode, Out, Sent, Single};
use crate::ws::judge::KeyWatch;
use crate::ws::shared::Shared;
use crate::ws::{mask, utf8};

/// A frame that carries a whole message.
struct Whole<'b> {
    dir: Dir,
    opcode: Opcode,
    /// The masking key, and the sender's keys, this one included.
    masking: Option<([u8; 4], KeyWatch)>,
    head: &'b [u8],
    /// As sent.
    payload: &'b [u8],
    rest: &'b [u8],
}

impl Half {
    /// Takes the next bytes of the stream.
    #[allow(clippy::inline_always)] // it is on the way of nearly every packet
    #[inline(always)]
    pub(in crate::ws) fn push(
        &mut self,
        shared: &mut Shared,
        bytes: &[u8],
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        let whole = self.whole(shared, bytes, at, out, scratch);
        match whole {
            Some(([], flow)) => flow,
            _ => self.push_rest(shared, bytes, whole, at, out, scratch),
        }
    }

    /// Takes bytes of which a frame that is whole was taken, or not.
    #[inline(never)]
    fn push_rest<'b>(
        &mut self,
        shared: &mut Shared,
        mut bytes: &'b [u8],
        mut whole: Option<(&'b [u8], Flow)>,
        mut at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        loop {
            let rest = match whole {
                Some((rest, flow)) => flow.map_continue(|()| rest)?,
                None if bytes.is_empty() => return ON,
                None => self.long_way(shared, bytes, at, out, scratch)?,
            };
            if rest.is_empty() {
                return ON;
            }
            at.byte = at.byte.saturating_add((bytes.len() - rest.len()) as u32);
            bytes = rest;
            whole = self.whole(shared, bytes, at, out, scratch);
        }
    }

    /// Takes the frame that `bytes` begin with, if it may go the short way. The bytes behind it are given
    /// back.
    #[allow(clippy::inline_always)] // it is on the way of nearly every frame
    #[inline(always)]
    fn whole<'b>(
        &mut self,
        shared: &mut Shared,
        bytes: &'b [u8],
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Option<(&'b [u8], Flow)> {
        if !scratch.short_way || self.open.is_some() {
            return None;
        }
        // What each endpoint's frames are like is known where this is compiled.
        match self.dir {
            Dir::Client => self.whole_of(Dir::Client, shared, bytes, at, out, scratch),
            Dir::Server => self.whole_of(Dir::Server, shared, bytes, at, out, scratch),
        }
    }

    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn whole_of<'b>(
        &mut self,
        dir: Dir,
        shared: &mut Shared,
        bytes: &'b [u8],
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Option<(&'b [u8], Flow)> {
        let wants = out.wants();
        if !shared.aftermath.is_quiet() {
            return None;
        }
        let whole = recognise(bytes, dir, &self.keys)?;
        let shown = usize::try_from(wants.payload).unwrap_or(usize::MAX).min(whole.payload.len());
        let (payload, text) = clear(&whole, shown, &mut scratch.block)?;
        let described = wants.fields.then_some(&mut scratch.described);
        let flow = self.take_whole(shared, &whole, (payload, text), at, out, described);
        Some((whole.rest, flow))
    }

    /// Counts the frame, and tells it and its message.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn take_whole(
        &mut self,
        shared: &mut Shared,
        whole: &Whole<'_>,
        (payload, text): (&[u8], Option<&str>),
        at: At,
        out: &mut Out<'_>,
        described: Option<&mut Described>,
    ) -> Flow {
        let (dir, length) = (whole.dir, whole.payload.len() as u64);
        let bytes = whole.head.len() as u64 + length;
        let offset = self.offset;
        self.offset += bytes;
        if let Some((_, keys)) = whole.masking {
            self.keys = keys;
        }
        (self.lenient, self.doubt) = (false, 0);
        self.counts.frames += 1;
        self.counts.messages += 1;
        self.counts.bytes += bytes;
        self.counts.payload_bytes += length;
        shared.heard[dir.index()] = at.time.into();
        shared.measure(dir, length);
        shared.aftermath.quiet_frame(dir);
        shared.next_n += 1;
        shared.next_m += 1;
        let sent = Sent {
            conn: shared.conn,
            dir,
            at,
            n: shared.next_n,
            m: shared.next_m,
            offset,
            opcode: whole.opcode,
            length,
            head: whole.head,
            payload,
            text,
            inferred: self.inferred,
        };
        let single = Single { sent: &sent, app: None, quoted: None };
        match described {
            None => out.emit_single(&single),
            Some(described) => {
                let source = shared.source(dir);
                single.lend(|unit, message| described.tell(unit, message, source, at, out))
            }
        }
    }
}

/// Reads a frame that is whole, and breaks no rule by its header: FIN, no RSV, text or binary, masked as
/// its sender has to, with a length of 7 or 16 bits that is the shortest form, and a key like others.
#[allow(clippy::inline_always)] // or it is built in memory
#[inline(always)]
fn recognise<'b>(bytes: &'b [u8], dir: Dir, keys: &KeyWatch) -> Option<Whole<'b>> {
    let &[first, second, ..] = bytes else { return None };
    let opcode = match first {
        0x81 => Opcode::TEXT,
        0x82 => Opcode::BINARY,
        _ => return None,
    };
    if (second & 0x80 != 0) != (dir == Dir::Client) {
        return None;
    }
    let (form, length, mut at) = match second & 0x7F {
        126 => (LengthForm::Bits16, u16::from_be_bytes(*bytes[2..].first_chunk()?).into(), 4),
        127 => return None,
        short => (LengthForm::Bits7, u64::from(short), 2),
    };
    if form != LengthForm::minimal(length) {
        return None;
    }
    let mut masking = None;
    if dir == Dir::Client {
        let mut keys = *keys;
        let key = *bytes.get(at..)?.first_chunk()?;
        if keys.next(key).is_some() {
            return None;
        }
        masking = Some((key, keys));
        at += 4;
    }
    let (head, behind) = bytes.split_at_checked(at)?;
    let (payload, rest) = behind.split_at_checked(length as usize)?;
    if payload.len() > limits::BLOCK {
        return None;
    }
    Some(Whole { dir, opcode, masking, head, payload, rest })
}

/// The first `shown` bytes of the unmasked payload, and all of it as text if somebody looks at text; `None`
/// if it should be text and is not.
///
/// No more is unmasked than somebody looks at: of most text it can be seen through the mask that it is
/// ASCII.
#[allow(clippy::inline_always)]
#[inline(always)]
fn clear<'c>(whole: &Whole<'c>, shown: usize, block: &'c mut [u8]) -> Option<(&'c [u8], Option<&'c str>)> {
    let &Whole { payload, opcode, .. } = whole;
    let is_text = opcode == Opcode::TEXT;
    let clear = match whole.masking {
        None => payload,
        Some((key, _)) if shown == 0 && (!is_text || utf8::is_masked_ascii(payload, key)) => {
            return Some((&[], None));
        }
        Some((key, _)) => {
            let needed = if is_text { payload.len() } else { shown };
            mask::unmask_into(block, &payload[..needed], key, 0);
            &block[..needed]
        }
    };
    match (is_text, shown) {
        (false, _) => Some((&clear[..shown], None)),
        (true, 0) => utf8::is_valid(clear).then_some((&[], None)),
        // Who looks at it looks at it as text.
        (true, _) => utf8::text(clear).map(|text| (&clear[..shown], Some(text))),
    }
}
