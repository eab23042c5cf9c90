//! Lesson 0: bytes, offsets, hexadecimal digits, bits.

use super::wire::served;
use crate::lesson::{Answer, Instance, Make, hex};
use crate::model::Opcode;
use crate::synth::Rng;

pub static EXERCISES: &[Make] = &[
    Make { id: "copy-bytes", make: copy_bytes },
    Make { id: "byte-at-offset", make: byte_at_offset },
    Make { id: "hex-to-decimal", make: hex_to_decimal },
    Make { id: "bits-to-hex", make: bits_to_hex },
];

const FIRST: [&str; 16] = [
    "amber", "brisk", "clear", "dusty", "early", "faint", "green", "hazel", "ivory", "jolly", "loud", "mild",
    "noble", "quiet", "rapid", "solar",
];
const SECOND: [&str; 16] = [
    "anchor", "birch", "comet", "delta", "ember", "falcon", "garden", "harbour", "island", "kettle",
    "lantern", "meadow", "orbit", "pebble", "river", "violin",
];

/// Typing what one sees: the first exercise passes at once.
fn copy_bytes(rng: &mut Rng) -> Instance {
    let word = |rng: &mut Rng, list: [&'static str; 16]| list[rng.below(16) as usize];
    let text = format!("{} {} {}", word(rng, FIRST), word(rng, SECOND), rng.below(1_000_000));
    let bytes = served(Opcode::TEXT, text.as_bytes());
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let swapped: Vec<u8> = bytes.iter().map(|byte| byte.rotate_left(4)).collect();
    Instance::new(Answer::Hex(bytes.clone()))
        .hole("bytes", hex(&bytes))
        .hole("count", bytes.len())
        .hole("text", &text)
        .mistake("first-byte-missing", Answer::Hex(bytes[1..].to_vec()))
        .mistake("last-byte-missing", Answer::Hex(bytes[..bytes.len() - 1].to_vec()))
        .mistake("back-to-front", Answer::Hex(reversed))
        .mistake("digits-swapped", Answer::Hex(swapped))
        .command(["decode", &hex(&bytes), "--view", "hex"])
}

/// Offsets are counted from 0.
fn byte_at_offset(rng: &mut Rng) -> Instance {
    let bytes = served(Opcode::BINARY, &different_bytes(rng, 10));
    // In twelve bytes the middle ones are their own neighbours from the other end.
    let offset = [3, 4, 7, 8][rng.below(4) as usize];
    let at = |offset: usize| Answer::Hex(vec![bytes[offset]]);
    Instance::new(at(offset))
        .hole("bytes", hex(&bytes))
        .hole("offset", format!("0x{offset:02x}"))
        .hole("before", offset)
        .mistake("counted-from-one", at(offset - 1))
        .mistake("one-too-far", at(offset + 1))
        .mistake("counted-from-the-end", at(bytes.len() - 1 - offset))
        .mistake("offset-itself", Answer::Hex(vec![offset as u8]))
        .command(["decode", &hex(&bytes), "--view", "hex"])
}

/// Bytes that all differ from each other and from every small number.
fn different_bytes(rng: &mut Rng, count: usize) -> Vec<u8> {
    let mut all: Vec<u8> = (0x20..=0xFF).collect();
    rng.shuffle(&mut all);
    all.truncate(count);
    all
}

/// A hex digit is worth sixteen times the one to its right.
fn hex_to_decimal(rng: &mut Rng) -> Instance {
    // Two digits that read as a decimal number, too; 0x53 would give two mistakes one answer.
    let fits = |high: u64, low: u64| high != low && (high, low) != (5, 3);
    let (high, low) = loop {
        let (high, low) = (2 + rng.below(8), 1 + rng.below(9));
        if fits(high, low) {
            break (high, low);
        }
    };
    let (value, decimal, swapped, sum) = (16 * high + low, 10 * high + low, 16 * low + high, high + low);
    let mut content = different_bytes(rng, 14);
    content.retain(|byte| ![value, decimal, swapped].contains(&u64::from(*byte)));
    let place = 1 + rng.below(content.len() as u64 - 1) as usize;
    content[place] = value as u8;
    let bytes = served(Opcode::BINARY, &content);
    let offset = place + 2;
    // As a decimal: `0x47` copied from the question is no answer to it.
    let answer = |number: u64| Answer::decimal(number as f64, 0.0);
    Instance::new(answer(value))
        .hole("bytes", hex(&bytes))
        .hole("offset", format!("0x{offset:02x}"))
        .hole("byte", format!("0x{value:02x}"))
        .hole("high", high)
        .hole("low", low)
        .mistake("read-as-decimal", answer(decimal))
        .mistake("digits-swapped", answer(swapped))
        .mistake("digits-added", answer(sum))
        .mistake("counted-from-one", answer(u64::from(bytes[offset - 1])))
        .command(["decode", &hex(&bytes), "--view", "hex"])
}

/// Four bits are one hex digit, the most significant first.
fn bits_to_hex(rng: &mut Rng) -> Instance {
    let bytes = served(Opcode::BINARY, &different_bytes(rng, 4));
    let nibbles = |byte: &u8| format!("{:04b} {:04b}", byte >> 4, byte & 15);
    let bits: Vec<String> = bytes.iter().map(nibbles).collect();
    let map = |change: fn(&u8) -> u8| Answer::Hex(bytes.iter().map(change).collect());
    Instance::new(Answer::Hex(bytes.clone()))
        .hole("bits", bits.join("  "))
        .hole("first", hex(&bytes[..1]))
        .hole("second-bits", &bits[1])
        .mistake("least-significant-first", map(|byte| byte.reverse_bits()))
        .mistake("digits-swapped", map(|byte| byte.rotate_left(4)))
        .mistake("bytes-back-to-front", Answer::Hex(bytes.iter().rev().copied().collect()))
        .mistake("inverted", map(|byte| !byte))
        .command(["decode", &hex(&bytes), "--view", "bits"])
}
