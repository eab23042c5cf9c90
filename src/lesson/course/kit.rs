//! What the generators of several lessons need: names, phrases, captures, a compressor.

use flate2::{Compress, Compression, FlushCompress};

use crate::input::PcapWriter;
use crate::input::capture::ETHERNET;
use crate::model::{Dir, Opcode};
use crate::synth::conversation::play;
use crate::synth::frames::{Keys, Message, Shape};
use crate::synth::{Rng, START, script};
use crate::ws::deflate::TAIL;

const NAMES: [&str; 16] = [
    "amber", "birch", "comet", "dune", "ember", "fjord", "grove", "heron", "iris", "juniper", "kestrel",
    "lagoon", "maple", "nectar", "opal", "pebble",
];

const OTHERS: [&str; 8] =
    ["bargain", "clickhere", "freebies", "gadgets", "lottery", "prizes", "quickwin", "zippy"];

const PHRASES: [&str; 12] = [
    "the kettle is on",
    "meet me at noon",
    "rain until six",
    "three new messages",
    "gate B is open",
    "bring the blue one",
    "dinner at eight",
    "ready when you are",
    "last call for tea",
    "see you tomorrow",
    "the train is late",
    "all lights are green",
];

/// One of a list.
pub(super) fn pick<T: Copy>(rng: &mut Rng, list: &[T]) -> T {
    list[rng.below(list.len() as u64) as usize]
}

/// The host of somebody one may trust, such as `heron-4821.example` (RFC 6761 §6.5).
pub(super) fn host(rng: &mut Rng) -> String {
    format!("{}-{}.example", pick(rng, &NAMES), 1000 + rng.below(9000))
}

/// The host of somebody one had better not trust.
pub(super) fn stranger(rng: &mut Rng) -> String {
    format!("{}-{}.example", pick(rng, &OTHERS), 100 + rng.below(900))
}

/// A few words, different for nearly everyone.
pub(super) fn phrase(rng: &mut Rng) -> String {
    format!("{}, {}", pick(rng, &PHRASES), 1000 + rng.below(9000))
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
