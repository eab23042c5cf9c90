//! Messages and their frames, with the faults one asks for.

use crate::model::{CloseCode, Dir, FrameHeader, LengthForm, Opcode};
use crate::ws::encode;

use super::Entropy;

/// How the frames of a message are masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masking {
    /// Not at all: what servers do.
    None,
    /// With a fresh key for every frame: what clients do.
    Fresh,
    /// With the key of the sender's last masked frame, a fresh one if there is none.
    Repeat,
    /// With this key; all zeros leave the payload as it is.
    Key([u8; 4]),
}

impl Masking {
    /// What the RFC asks of an endpoint.
    //= RFC 6455 §5.1
    //# a client MUST mask all frames that it sends to the server
    //= RFC 6455 §5.1
    //# A server MUST NOT mask any frames that it sends to the client.
    pub fn of(sender: Dir) -> Self {
        match sender {
            Dir::Client => Self::Fresh,
            Dir::Server => Self::None,
        }
    }
}

/// Gives each frame of one sender its masking key.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    last: Option<[u8; 4]>,
}

impl Keys {
    /// The next frame's key; `None` when it is not masked.
    //= RFC 6455 §5.3
    //# the client MUST pick a fresh masking key from the set of allowed 32-bit values
    pub fn next(&mut self, masking: Masking, entropy: &mut Entropy<'_>) -> Option<[u8; 4]> {
        let key = match (masking, self.last) {
            (Masking::None, _) => return None,
            (Masking::Key(key), _) | (Masking::Repeat, Some(key)) => key,
            (Masking::Fresh | Masking::Repeat, _) => {
                let mut key = [0; 4];
                entropy(&mut key);
                key
            }
        };
        self.last = Some(key);
        Some(key)
    }
}

/// How a message is put into frames; [`Shape::of`] is as the RFC asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Whether and how it is masked.
    pub masking: Masking,
    /// Payload bytes of a fragment; `None` for one frame however long.
    pub fragment: Option<usize>,
    /// RSV1, RSV2, RSV3 of the first frame.
    pub rsv: [bool; 3],
    /// Another opcode for the first frame.
    pub opcode: Option<Opcode>,
    /// Another form of the length than the shortest.
    pub length_form: Option<LengthForm>,
    /// Another declared length than the payload has.
    pub length: Option<u64>,
    /// FIN stays 0 on the last frame.
    pub no_fin: bool,
}

impl Shape {
    /// What the RFC asks of an endpoint.
    pub fn of(sender: Dir) -> Self {
        Self {
            masking: Masking::of(sender),
            fragment: None,
            rsv: [false; 3],
            opcode: None,
            length_form: None,
            length: None,
            no_fin: false,
        }
    }
}

/// A message, or a control frame's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Text, binary, close, ping or pong; or continuation, to build messages by hand.
    pub opcode: Opcode,
    /// Its payload, unmasked.
    pub payload: Vec<u8>,
}

impl Message {
    /// A message with this payload.
    pub fn new(opcode: Opcode, payload: impl Into<Vec<u8>>) -> Self {
        Self { opcode, payload: payload.into() }
    }

    /// A Close frame's content.
    pub fn close(code: CloseCode, reason: &[u8]) -> Self {
        Self::new(Opcode::CLOSE, encode::close(code, reason))
    }

    /// Overwrites a byte of the text, or of a Close frame's reason, with 0xFF,
    /// which is never part of UTF-8 (RFC 3629 §3): that at offset `at`, or the last.
    /// Past the end it is appended.
    pub fn spoil_utf8(&mut self, at: Option<usize>) {
        let text = if self.opcode == Opcode::CLOSE { self.payload.len().min(2) } else { 0 };
        let last = self.payload.len().saturating_sub(1).max(text);
        let at = at.map_or(last, |at| text.saturating_add(at));
        match self.payload.get_mut(at) {
            Some(byte) => *byte = 0xFF,
            None => self.payload.push(0xFF),
        }
    }

    /// The message's frames, in order.
    //= RFC 6455 §5.4
    //# A fragmented message consists of a single frame with the FIN bit clear and an opcode other than 0,
    //# followed by zero or more frames with the FIN bit clear and the opcode set to 0, and terminated by a
    //# single frame with the FIN bit set and an opcode of 0.
    pub fn frames<'a>(&'a self, shape: Shape, keys: &mut Keys, entropy: &mut Entropy<'_>) -> Vec<Frame<'a>> {
        let size = shape.fragment.unwrap_or(usize::MAX).max(1);
        // An empty message still is a frame, and has no chunk.
        let count = self.payload.len().div_ceil(size).max(1);
        let mut pieces = self.payload.chunks(size);
        (0..count)
            .map(|i| {
                let payload = pieces.next().unwrap_or_default();
                let first = i == 0;
                let length = shape.length.unwrap_or(payload.len() as u64);
                let header = FrameHeader {
                    fin: i + 1 == count && !shape.no_fin,
                    rsv1: first && shape.rsv[0],
                    rsv2: first && shape.rsv[1],
                    rsv3: first && shape.rsv[2],
                    opcode: if first { shape.opcode.unwrap_or(self.opcode) } else { Opcode::CONTINUATION },
                    masking_key: keys.next(shape.masking, entropy),
                    length_form: shape.length_form.unwrap_or(LengthForm::minimal(length)),
                    length,
                };
                Frame { header, payload }
            })
            .collect()
    }
}

/// A frame to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The header to be written.
    pub header: FrameHeader,
    /// Not masked yet; its length need not be the declared one.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Appends the frame as it goes on the wire.
    pub fn write(&self, out: &mut Vec<u8>) {
        encode::frame(&self.header, self.payload, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::Rng;

    fn wire(message: &Message, shape: Shape) -> Vec<Vec<u8>> {
        let mut rng = Rng::new(1);
        let frames = message.frames(shape, &mut Keys::default(), &mut |bytes| rng.fill(bytes));
        frames
            .iter()
            .map(|frame| {
                let mut out = Vec::new();
                frame.write(&mut out);
                out
            })
            .collect()
    }

    #[test]
    fn fragments_of_the_rfc() {
        let hello = Message::new(Opcode::TEXT, "Hello");
        let shape = Shape { fragment: Some(3), ..Shape::of(Dir::Server) };
        assert_eq!(wire(&hello, shape), [&b"\x01\x03Hel"[..], b"\x80\x02lo"]);
        let whole = Shape { fragment: Some(5), ..shape };
        assert_eq!(wire(&hello, whole), [b"\x81\x05Hello"]);
        assert_eq!(wire(&Message::new(Opcode::TEXT, ""), shape), [b"\x81\x00"]);
    }

    #[test]
    fn faults_are_where_they_were_asked_for() {
        let right = Shape::of(Dir::Server);
        let cases: &[(&str, Shape, &[&[u8]])] = &[
            (
                "rsv",
                Shape { rsv: [true, false, true], fragment: Some(2), ..right },
                &[b"\x51\x02Hi", b"\x80\x01!"],
            ),
            ("opcode", Shape { opcode: Some(Opcode(0xB)), ..right }, &[b"\x8B\x03Hi!"]),
            ("form", Shape { length_form: Some(LengthForm::Bits16), ..right }, &[b"\x81\x7E\x00\x03Hi!"]),
            ("length", Shape { length: Some(300), ..right }, &[b"\x81\x7E\x01\x2CHi!"]),
            ("fin", Shape { no_fin: true, ..right }, &[b"\x01\x03Hi!"]),
            ("zero key", Shape { masking: Masking::Key([0; 4]), ..right }, &[b"\x81\x83\0\0\0\0Hi!"]),
        ];
        for (name, shape, expected) in cases {
            assert_eq!(wire(&Message::new(Opcode::TEXT, "Hi!"), *shape), *expected, "{name}");
        }
    }

    #[test]
    fn keys_are_fresh_or_not_as_asked() {
        let hello = Message::new(Opcode::TEXT, "Hello");
        let keys = |masking| {
            let frames = wire(&hello, Shape { fragment: Some(2), masking, ..Shape::of(Dir::Client) });
            frames.iter().map(|f| f[2..6].to_vec()).collect::<Vec<_>>()
        };
        let fresh = keys(Masking::Fresh);
        assert!(fresh[0] != fresh[1] && fresh[1] != fresh[2], "{fresh:?}");
        let same = keys(Masking::Repeat);
        assert!(same[0] == same[1] && same[1] == same[2] && same[0] != [0; 4], "{same:?}");
    }

    #[test]
    fn utf8_is_spoilt_at_its_place() {
        let spoilt = |mut message: Message, at| {
            message.spoil_utf8(at);
            message.payload
        };
        let hello = Message::new(Opcode::TEXT, "Hello");
        assert_eq!(spoilt(hello.clone(), None), b"Hell\xFF");
        assert_eq!(spoilt(hello.clone(), Some(1)), b"H\xFFllo");
        assert_eq!(spoilt(hello, Some(5)), b"Hello\xFF");
        assert_eq!(spoilt(Message::new(Opcode::TEXT, ""), None), b"\xFF");
        let bye = Message::close(CloseCode(1000), b"bye");
        assert_eq!(spoilt(bye.clone(), Some(0)), b"\x03\xE8\xFFye");
        assert_eq!(spoilt(bye, None), b"\x03\xE8by\xFF");
        assert_eq!(spoilt(Message::close(CloseCode(1000), b""), None), b"\x03\xE8\xFF");
    }
}
