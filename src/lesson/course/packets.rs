//! What the generators of lessons 13 and 14 share: choices, frames, captures.

use crate::input::PcapWriter;
use crate::input::capture::ETHERNET;
use crate::model::{Dir, Opcode};
use crate::synth::conversation::play;
use crate::synth::frames::{Keys, Message, Shape};
use crate::synth::{Rng, START, script};

/// One of a list.
pub(super) fn pick<T: Copy>(rng: &mut Rng, list: &[T]) -> T {
    list[rng.below(list.len() as u64) as usize]
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
