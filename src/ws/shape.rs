//! What makes bytes WebSocket, and what excludes it.
//!
//! Without a handshake, and again after a hole, only the bytes can tell. One header
//! tells little: every twentieth byte could begin one. So each place where frames
//! might begin is put on trial: its frames are followed for as long as there are
//! bytes, what no endpoint would send ends the trial, and what is there although
//! other bytes would hardly have it there is counted as evidence, in bits:
//! one more says that chance, or another protocol, would do it half as often.
//!
//! The bits are not what random bytes would give, but what is left of it where the
//! bytes are another protocol's: many begin messages with a type and a length
//! that is right, many carry text, and zeros are everywhere.

mod text;

use self::text::Clear;
use super::agreed::Extensions;
use super::deflate::Inflater;
use super::header::{self, LONGEST};
use super::mask;
use crate::limits;
use crate::model::{FrameHeader, LengthForm, Opcode};

/// What is known before the bytes are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// What the sender's role demands, if its role is known.
    pub masked: Option<bool>,
    /// What the handshake agreed on.
    pub extensions: Extensions,
    /// That they are WebSocket, so that only the place is open.
    pub is_websocket: bool,
}

impl Known {
    /// Nothing but, where something told the roles, which way the bytes went.
    pub fn little(masked: Option<bool>) -> Self {
        Self { masked, extensions: Extensions::UNKNOWN, is_websocket: false }
    }

    /// Whether a conforming sender could begin a frame with these bytes, of which two are looked at.
    #[inline]
    pub fn may_begin(self, bytes: &[u8]) -> bool {
        let Some(&first) = bytes.first() else { return false };
        let opcode = Opcode(first & 0x0F);
        let is_control = opcode.is_control();
        let is_start = !is_control && opcode != Opcode::CONTINUATION;
        let rsv_fits = self.extensions.other
            || first & 0x30 == 0 && (first & 0x40 == 0 || is_start && self.extensions.rsv1_has_meaning());
        let second_fits = bytes.get(1).is_none_or(|second| {
            self.masked.is_none_or(|masked| masked == (second & 0x80 != 0))
                && !(is_control && second & 0x7F > 125)
        });
        !opcode.is_reserved() && rsv_fits && !(is_control && first & 0x80 == 0) && second_fits
    }
}

/// A place where frames might begin, and what speaks for it so far.
#[derive(Clone, Debug)]
pub struct Trial {
    bits: i32,
    /// Headers that were met.
    headers: u32,
    masked: Option<bool>,
    message: Message,
    stage: Stage,
    /// A Close was sent.
    closed: bool,
    /// The frame under way, or the last one, began in the segment that is being looked at.
    is_fresh: bool,
    /// A frame ended in this segment, and where it ended says something.
    has_ended: bool,
    /// What it says where the frame ends, in bits, unless it is masked.
    tells: i32,
    /// The text of the open message.
    text: Clear,
    /// A payload that is looked at as a whole.
    kept: Vec<u8>,
}

/// Where in its messages the sender stands (RFC 6455 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    /// What came before was not seen.
    Unknown,
    /// Between two.
    None,
    /// In one whose text can be read.
    Text,
    /// In another one.
    Other,
}

#[derive(Clone, Debug)]
enum Stage {
    Header { bytes: [u8; LONGEST], have: u8 },
    Payload { header: FrameHeader, remaining: u64 },
}

impl Stage {
    const BOUNDARY: Self = Self::Header { bytes: [0; LONGEST], have: 0 };
}

impl Trial {
    /// A trial of the place before the next byte, whose evidence begins at `bits`.
    pub fn new(bits: i32) -> Self {
        Self {
            bits,
            headers: 0,
            masked: None,
            message: Message::Unknown,
            stage: Stage::BOUNDARY,
            closed: false,
            is_fresh: true,
            has_ended: false,
            tells: 0,
            text: Clear::default(),
            kept: Vec::new(),
        }
    }

    /// What speaks for it, in bits.
    pub fn bits(&self) -> i32 {
        match &self.stage {
            Stage::Payload { header, .. } if self.reads_text(header) => {
                self.bits + self.text.bits(header.masking_key.is_some())
            }
            _ => self.bits,
        }
    }

    /// Whether the frames are masked, once there is one.
    pub fn masked(&self) -> Option<bool> {
        self.masked
    }

    /// Whether a frame begins with the next byte.
    pub fn is_at_boundary(&self) -> bool {
        matches!(self.stage, Stage::Header { have: 0, .. })
    }

    /// Whether all that it was given are whole frames.
    pub fn is_whole(&self) -> bool {
        self.is_at_boundary() && self.has_ended && self.is_fresh
    }

    /// Adds evidence from elsewhere, in bits.
    pub fn give(&mut self, bits: i32) {
        self.bits += bits;
    }

    /// Takes the next bytes; `false` as soon as no endpoint would have sent them.
    pub fn take(&mut self, mut bytes: &[u8], known: Known) -> bool {
        while !bytes.is_empty() {
            match &mut self.stage {
                Stage::Header { bytes: head, have } => {
                    self.is_fresh |= *have == 0;
                    let held = usize::from(*have);
                    let take = (LONGEST - held).min(bytes.len());
                    head[held..held + take].copy_from_slice(&bytes[..take]);
                    let Ok(header) = header::decode(&head[..held + take]) else {
                        *have += take as u8;
                        return known.may_begin(&head[..held + take]);
                    };
                    bytes = &bytes[usize::from(header.header_length()) - held..];
                    if !self.header(header, known) {
                        return false;
                    }
                }
                Stage::Payload { header, remaining } => {
                    let take = usize::try_from(*remaining).unwrap_or(usize::MAX).min(bytes.len());
                    let (now, rest) = bytes.split_at(take);
                    let (header, arrived) = (*header, header.length - *remaining);
                    *remaining -= take as u64;
                    let is_over = *remaining == 0;
                    bytes = rest;
                    if !self.payload(&header, now, arrived, known) || (is_over && !self.over(&header, known))
                    {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// The segment is over, which had `length` bytes of this trial.
    ///
    /// Senders write whole frames, so that frames and segments end together far more often than by chance.
    pub fn segment_ends(&mut self, length: usize) {
        if self.is_at_boundary() && self.has_ended {
            // Where masked bytes end depends on four bytes more than in any other protocol.
            let most = if self.masked == Some(true) { 7 } else { self.tells };
            // A frame may end with a segment because segments are tiny.
            let chance = length.max(1).ilog2().cast_signed();
            self.bits += if self.is_fresh { most } else { most.min(chance) };
        }
        (self.is_fresh, self.has_ended) = (false, false);
    }

    fn header(&mut self, header: FrameHeader, known: Known) -> bool {
        let FrameHeader { fin, opcode, length, .. } = header;
        let (is_control, is_masked) = (opcode.is_control(), header.masking_key.is_some());
        let is_continuation = opcode == Opcode::CONTINUATION;
        let role = self.masked.or(known.masked);
        let is_empty_middle = is_continuation && !fin && length == 0;
        let is_possible = known.may_begin(&[header_byte(&header)])
            && role.is_none_or(|masked| masked == is_masked)
            && !(is_control && length > 125)
            && header.length_form == LengthForm::minimal(length)
            && length <= limits::MESSAGE_LARGE
            && (!self.closed || is_control)
            && match self.message {
                // Zeros are no conversation, and hardly anybody sends nothing in the middle of a message.
                Message::Unknown => !is_empty_middle,
                Message::None => !is_continuation,
                Message::Text | Message::Other => is_continuation || is_control,
            };
        if !is_possible {
            return false;
        }
        // Two bytes of length are an unfinished fragment, one after the other, as often as one likes;
        // MQTT's type and length are sometimes those of a binary message.
        let is_binary = opcode == Opcode::BINARY && header.length_form == LengthForm::Bits7;
        self.tells = if !(fin || is_masked || known.is_websocket) {
            0
        } else if is_binary && !known.is_websocket {
            2
        } else {
            4
        };
        self.bits += i32::from(role.is_some() && self.tells > 0);
        self.bits += match header.length_form {
            LengthForm::Bits7 => 0,
            LengthForm::Bits16 => 4,
            // At least four of its bytes are zero.
            LengthForm::Bits64 => 20,
        };
        let is_unknown = self.message == Message::Unknown && !known.is_websocket;
        self.bits += match (opcode, fin) {
            (Opcode::CONTINUATION, _) if is_empty_middle => -4,
            // Half of all protocols begin a message with its length, of which the first byte is mostly 0.
            (Opcode::CONTINUATION, _) if is_unknown && self.headers == 0 => -8,
            (Opcode::CONTINUATION, _) if is_unknown => 0,
            (Opcode::CONTINUATION, false) => 3 * i32::from(is_masked || known.is_websocket),
            (Opcode::BINARY, true) if header.rsv1 => 4,
            (Opcode::BINARY, true) => 4 + i32::from(is_masked || known.is_websocket),
            (_, true) => 6,
            // A first fragment begins with 01 or 02, like much else.
            (_, false) if length == 0 => -2,
            (Opcode::TEXT, false) => 1,
            _ => 0,
        };
        if header.masking_key == Some([0; 4]) {
            self.bits -= 6;
        }
        self.headers += 1;
        self.masked = Some(is_masked);
        if !is_control && !is_continuation {
            let is_clear = opcode == Opcode::TEXT && !header.rsv1;
            self.message = if is_clear { Message::Text } else { Message::Other };
            self.text = Clear::default();
        }
        self.kept.clear();
        self.stage = Stage::Payload { header, remaining: length };
        length > 0 || self.over(&header, known)
    }

    /// Whether the payload of this frame is text that can be read.
    fn reads_text(&self, header: &FrameHeader) -> bool {
        !header.opcode.is_control() && self.message == Message::Text
    }

    /// Looks at bytes of a payload.
    fn payload(&mut self, header: &FrameHeader, bytes: &[u8], arrived: u64, known: Known) -> bool {
        let is_deflated = header.rsv1 && !header.opcode.is_control();
        // The third kind of block does not exist (RFC 1951 §3.2.3).
        let key = header.masking_key.unwrap_or_default();
        if is_deflated && arrived == 0 && (bytes[0] ^ key[0]) & 0x06 == 0x06 {
            return false;
        }
        let room = if header.opcode == Opcode::CLOSE || (is_deflated && header.fin) {
            limits::TRIAL_KEPT
        } else {
            0
        };
        let reads_text = self.reads_text(header);
        let mut block = [0; 256];
        let mut phase = (arrived % 4) as usize;
        for piece in bytes.chunks(block.len()) {
            if !reads_text && self.kept.len() >= room {
                break;
            }
            let clear = &mut block[..piece.len()];
            mask::unmask_into(clear, piece, key, phase);
            phase = (phase + piece.len()) % 4;
            // Odd text is text all the same, where it is known that there is some.
            if reads_text && !(self.text.take(clear) && (known.is_websocket || self.text.is_likely())) {
                return false;
            }
            if self.kept.len() < room {
                self.kept.extend_from_slice(clear);
            }
        }
        true
    }

    /// A frame is over.
    fn over(&mut self, header: &FrameHeader, known: Known) -> bool {
        self.has_ended = self.tells > 0;
        self.stage = Stage::BOUNDARY;
        let is_masked = header.masking_key.is_some();
        if header.opcode == Opcode::CLOSE {
            self.closed = true;
            let Some(bits) = text::close_bits(&self.kept) else { return false };
            self.bits += bits;
            return true;
        }
        if header.opcode.is_control() {
            return true;
        }
        if self.message == Message::Text {
            if header.fin && !self.text.is_whole() {
                return false;
            }
            self.bits += self.text.bits(is_masked) + if header.fin { self.text.closing_bits() } else { 0 };
            self.text.next_frame();
        } else if header.rsv1 && header.fin && !known.is_websocket && self.kept.len() as u64 == header.length
        {
            self.bits += inflated_bits(&self.kept, header.opcode == Opcode::TEXT);
        }
        if header.fin {
            self.message = Message::None;
        } else if self.message == Message::Unknown {
            self.message = Message::Other;
        }
        true
    }
}

/// Whether most of the headers that `bytes` would have, if frames began with the first of them, are
/// such as no endpoint sends. One that is wrong and whose frame is there as a whole may be meant so.
pub fn is_unlike_frames(bytes: &[u8]) -> bool {
    const ENOUGH: u32 = 8;
    /// Of fewer, somebody may want to see what the header says.
    const FEWEST: usize = 16;
    let (mut rest, mut headers, mut wrong) = (bytes, 0, 0);
    if bytes.len() < FEWEST {
        return false;
    }
    while headers < ENOUGH
        && let Ok(header) = header::decode(rest)
    {
        headers += 1;
        let fits =
            Known::little(None).may_begin(rest) && header.length_form == LengthForm::minimal(header.length);
        wrong += u32::from(!fits || header.length > limits::MESSAGE_LARGE);
        let frame = u64::from(header.header_length()).saturating_add(header.length);
        match usize::try_from(frame).ok().and_then(|frame| rest.get(frame..)) {
            Some([]) => return wrong * 2 > headers && headers > 1,
            Some(behind) => rest = behind,
            None => break,
        }
    }
    wrong * 2 > headers
}

/// The first byte of a header.
fn header_byte(header: &FrameHeader) -> u8 {
    u8::from(header.fin) << 7
        | u8::from(header.rsv1) << 6
        | u8::from(header.rsv2) << 5
        | u8::from(header.rsv3) << 4
        | header.opcode.0
}

/// What speaks for a compressed message that is there as a whole. That it cannot be inflated
/// says nothing: what it refers to may have been sent before.
fn inflated_bits(payload: &[u8], is_text: bool) -> i32 {
    let mut inflater = Inflater::new();
    inflater.begin();
    let mut text = Clear::default();
    let mut is_clear = true;
    let mut length = 0;
    let mut put = |bytes: &[u8]| {
        length += bytes.len();
        is_clear &= !is_text || text.take(bytes);
    };
    let is_whole = inflater.push(payload, &mut put).is_ok() && inflater.finish(&mut put).is_ok();
    match length {
        0 => 0,
        _ if !is_whole || !is_clear || !text.is_whole() => 0,
        _ if is_text => text.bits(true) + text.closing_bits(),
        _ => 8,
    }
}

#[cfg(test)]
mod tests;
