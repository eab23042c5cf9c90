//! The short way for what nearly all `WebSocket`s end with: a whole Close frame that says a usual code and
//! nothing else, and the answer that repeats it.
//!
//! As with [whole messages](super::whole) it is decided first whether a frame goes this way, and nothing
//! changes until then. What it means for the connection is noted where it is for every frame, by
//! [`Aftermath`](crate::ws::aftermath::Aftermath), which finds nothing in it.

use super::{Half, Scratch};
use crate::model::{
    At, Body, CloseBody, CloseCode, Dir, Flow, Frame, FrameHeader, Message, Opcode, Out, Unit, Utf8,
};
use crate::ws::aftermath::Seen;
use crate::ws::judge::KeyWatch;
use crate::ws::shared::Shared;

/// Bytes of the body: the code.
const BODY: usize = 2;

/// A usual Close frame.
struct Parting<'b> {
    header: FrameHeader,
    head: &'b [u8],
    /// Unmasked.
    body: [u8; BODY],
    code: CloseCode,
    rest: &'b [u8],
    /// The sender's keys, this one included.
    keys: KeyWatch,
}

impl Half {
    /// Takes the Close frame that `bytes` begin with, if it may go the short way: nothing is under way, and
    /// nobody looks at fields. The bytes behind it are given back.
    #[inline(never)]
    pub(super) fn parting<'b>(
        &mut self,
        shared: &mut Shared,
        bytes: &'b [u8],
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Option<(&'b [u8], Flow)> {
        if !scratch.short_way || self.open.is_some() || out.wants().fields {
            return None;
        }
        let parting = recognise(bytes, self.dir, self.keys)?;
        if !shared.aftermath.may_part(self.dir, parting.code, at.time) {
            return None;
        }
        Some((parting.rest, self.take_parting(shared, &parting, at, out, scratch)))
    }

    /// Notes and counts the frame, and tells it and its message.
    fn take_parting(
        &mut self,
        shared: &mut Shared,
        parting: &Parting<'_>,
        at: At,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) -> Flow {
        let Parting { header, head, body, .. } = parting;
        let context = self.context(shared, self.offset, false);
        let bytes = (head.len() + BODY) as u64;
        let offset = std::mem::replace(&mut self.offset, context.offset + bytes);
        self.keys = parting.keys;
        self.counts.frames += 1;
        self.counts.messages += 1;
        self.counts.bytes += bytes;
        self.counts.payload_bytes += BODY as u64;
        shared.next_n += 1;
        shared.next_m += 1;
        let n = shared.next_n;
        scratch.findings.clear();
        let seen = Seen { header, payload: body, n, time: at.time, packet: at.packet, context: &context };
        shared.judge_frame(&seen, &mut scratch.stories, &mut scratch.findings);
        debug_assert!(scratch.findings.is_empty());
        let frame = Frame {
            n,
            offset,
            header: *header,
            head,
            of: Opcode::CLOSE,
            compressed: false,
            captured: BODY as u64,
            missing: 0,
            truncated: false,
            inferred: self.inferred,
            payload: body,
            holes: &[],
        };
        let message = Message {
            m: shared.next_m,
            kind: Opcode::CLOSE,
            frames: &[n],
            frame_count: 1,
            length: BODY as u64,
            compressed: false,
            inflated_length: None,
            from_earlier: None,
            complete: true,
            in_doubt: false,
            payload: body,
            holes: &[],
            payload_cut: false,
            text: None,
            utf8: Utf8::Valid,
            close: Some(CloseBody { code: Some(parting.code), reason: &[] }),
            app: None,
        };
        let body = Body::Frame(&frame);
        out.emit_whole(&Unit { dir: Some(self.dir), ..Unit::of(shared.conn, body).at(at) }, &message)
    }
}

/// Reads a Close frame that is whole and breaks no rule by itself: FIN, no RSV, masked as its sender has to,
/// two bytes of body, a key like others, and the code of a normal end or of a page that is left.
fn recognise(bytes: &[u8], dir: Dir, mut keys: KeyWatch) -> Option<Parting<'_>> {
    let &[0x88, second, ref behind @ ..] = bytes else { return None };
    let (masking_key, payload) = match (dir, second) {
        (Dir::Client, 0x82) => {
            let (key, payload) = behind.split_first_chunk::<4>()?;
            if keys.next(*key).is_some() {
                return None;
            }
            (Some(*key), payload)
        }
        (Dir::Server, 0x02) => (None, behind),
        _ => return None,
    };
    let (sent, rest) = payload.split_first_chunk::<BODY>()?;
    let [k0, k1, ..] = masking_key.unwrap_or_default();
    let body = [sent[0] ^ k0, sent[1] ^ k1];
    let code = CloseCode(u16::from_be_bytes(body));
    if !matches!(code.0, 1000 | 1001) {
        return None;
    }
    let header = FrameHeader::of(Opcode::CLOSE, masking_key, BODY as u64);
    let head = &bytes[..bytes.len() - payload.len()];
    Some(Parting { header, head, body, code, rest, keys })
}
