//! What exercises are made of: frames and captures by the tool's own encoder, a
//! compressor, and how bytes are set in a text.

use flate2::{Compress, Compression, FlushCompress};

use crate::input::PcapWriter;
use crate::input::capture::ETHERNET;
use crate::lesson::hex;
use crate::model::{Dir, FrameHeader, Opcode};
use crate::synth::conversation::play;
use crate::synth::frames::{Keys, Message, Shape};
use crate::synth::{Rng, START, script};
use crate::ws::deflate::TAIL;
use crate::ws::encode;

/// The bytes of a header.
pub(super) fn header_bytes(header: &FrameHeader) -> Vec<u8> {
    let mut out = Vec::new();
    encode::header(header, &mut out);
    out
}

/// The bytes of a frame with this header.
pub(super) fn frame_bytes(header: &FrameHeader, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::frame(header, payload, &mut out);
    out
}

/// A frame as the RFC asks.
pub(super) fn frame(opcode: Opcode, fin: bool, masking_key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader { fin, ..FrameHeader::of(opcode, masking_key, payload.len() as u64) };
    frame_bytes(&header, payload)
}

/// A whole message, or a control frame, as a server sends it.
pub(super) fn served(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    encode::whole(opcode, None, payload)
}

/// The same from a client.
pub(super) fn masked(opcode: Opcode, key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    frame(opcode, true, Some(key), payload)
}

/// A text message in one frame, as an endpoint sends it.
pub(super) fn text_frame(from: Dir, text: &str, rng: &mut Rng) -> Vec<u8> {
    let message = Message::new(Opcode::TEXT, text);
    let frames = message.frames(Shape::of(from), &mut Keys::default(), &mut |bytes| rng.fill(bytes));
    let mut out = Vec::new();
    for frame in &frames {
        frame.write(&mut out);
    }
    out
}

/// The capture of a conversation, from its script (`docs/script.md`).
pub(super) fn capture(text: &str, rng: &mut Rng) -> Vec<u8> {
    let steps = script::parse(text).expect("a generator writes right scripts");
    let mut writer = PcapWriter::new(Vec::new(), ETHERNET).expect("a vector takes everything");
    play(&steps, START, &mut |buffer| rng.fill(buffer), &mut |time, packet| {
        writer.packet(time, packet).expect("a vector takes everything");
    });
    writer.finish().expect("a vector takes everything")
}

/// One direction's compressor of permessage-deflate (RFC 7692 §7.2.1).
pub(super) struct Deflater(Compress);

impl Deflater {
    pub(super) fn new() -> Self {
        Self(Compress::new(Compression::best(), false))
    }

    /// What DEFLATE makes of a message when it is flushed: `00 00 ff ff` still at its end.
    pub(super) fn flushed(&mut self, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(message.len() + 64);
        let state = self.0.compress_vec(message, &mut out, FlushCompress::Sync);
        state.expect("DEFLATE takes every message");
        out
    }

    /// The payload of a compressed message.
    pub(super) fn payload(&mut self, message: &[u8]) -> Vec<u8> {
        let mut out = self.flushed(message);
        out.truncate(out.len() - TAIL.len());
        out
    }

    /// Without context takeover: the next message begins with an empty window.
    pub(super) fn begin_afresh(&mut self) {
        self.0.reset();
    }
}

/// Bytes as a block of code in Markdown, in rows that fit a terminal.
pub(super) fn hex_block(bytes: &[u8]) -> String {
    let rows = bytes.chunks(24).map(|row| format!("    {}", hex(row)));
    rows.collect::<Vec<_>>().join("\n")
}

/// Lines of a block whose hole in the text is set in already.
pub(super) fn block<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> String {
    let lines: Vec<String> = lines.into_iter().map(|line| line.as_ref().to_owned()).collect();
    lines.join("\n    ")
}
