//! Frames, streams and captures that exercises are made of.

use crate::input::PcapWriter;
use crate::input::capture::ETHERNET;
use crate::model::{FrameHeader, LengthForm, Opcode};
use crate::synth::{Rng, START, conversation, script};
use crate::ws::encode;

const WORDS: [&str; 48] = [
    "amber", "anchor", "apple", "birch", "bridge", "candle", "carpet", "castle", "cherry", "cloud", "comet",
    "copper", "desert", "dragon", "ember", "falcon", "feather", "forest", "garden", "glacier", "hammer",
    "harbour", "island", "jungle", "kettle", "ladder", "lantern", "lemon", "marble", "meadow", "mirror",
    "needle", "orbit", "orchid", "paper", "pebble", "pepper", "planet", "pocket", "rabbit", "river",
    "saddle", "silver", "thunder", "tunnel", "velvet", "violin", "window",
];

/// A word of 5 to 7 letters.
pub(super) fn word(rng: &mut Rng) -> &'static str {
    WORDS[rng.below(WORDS.len() as u64) as usize]
}

/// Two different words.
pub(super) fn words(rng: &mut Rng) -> String {
    let first = word(rng);
    let second = different(rng, &[first]);
    format!("{first} {second}")
}

/// A word that is none of these.
pub(super) fn different(rng: &mut Rng, others: &[&str]) -> &'static str {
    loop {
        let word = word(rng);
        if !others.contains(&word) {
            return word;
        }
    }
}

/// A number from `first` to `last`.
pub(super) fn between(rng: &mut Rng, first: u64, last: u64) -> u64 {
    first + rng.below(last - first + 1)
}

/// One of these.
pub(super) fn one_of<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.below(items.len() as u64) as usize]
}

/// A masking key whose bytes differ from each other and from zero.
pub(super) fn key(rng: &mut Rng) -> [u8; 4] {
    loop {
        let mut key = [0; 4];
        rng.fill(&mut key);
        let different = (0..4).all(|i| key[i] != 0 && !key[..i].contains(&key[i]));
        if different {
            return key;
        }
    }
}

/// A frame as the RFC asks.
pub(super) fn frame(opcode: Opcode, fin: bool, masking_key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u64;
    let header = FrameHeader {
        fin,
        rsv1: false,
        rsv2: false,
        rsv3: false,
        opcode,
        masking_key,
        length_form: LengthForm::minimal(length),
        length,
    };
    let mut out = Vec::new();
    encode::frame(&header, payload, &mut out);
    out
}

/// A whole message, or a control frame, as a server sends it.
pub(super) fn served(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    frame(opcode, true, None, payload)
}

/// The same from a client.
pub(super) fn masked(opcode: Opcode, key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    frame(opcode, true, Some(key), payload)
}

/// The capture of a conversation script (`docs/script.md`).
pub(super) fn capture(rng: &mut Rng, conversation: &str) -> Vec<u8> {
    let steps = script::parse(conversation).expect("the lessons' scripts are right");
    let mut writer = PcapWriter::new(Vec::new(), ETHERNET).expect("memory takes it");
    conversation::play(&steps, START, &mut |bytes| rng.fill(bytes), &mut |time, packet| {
        writer.packet(time, packet).expect("memory takes it");
    });
    writer.finish().expect("memory takes it")
}

/// Lines of a block that is indented by four.
pub(super) fn block<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> String {
    let lines: Vec<String> = lines.into_iter().map(|line| line.as_ref().to_owned()).collect();
    lines.join("\n    ")
}

/// Whether no two of these are the same.
pub(super) fn all_different<T: PartialEq>(items: &[T]) -> bool {
    items.iter().enumerate().all(|(i, item)| !items[..i].contains(item))
}
