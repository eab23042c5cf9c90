//! Lesson 4: the three forms of the length.

use super::draw::{masking_key, pick};
use super::wire::{header_bytes, masked, served};
use crate::lesson::{Answer, Choice, Instance, Layout, Make, decode, hex};
use crate::model::{Dir, FrameHeader, LengthForm, Opcode};
use crate::synth::Rng;
use crate::ws::header;

pub static EXERCISES: &[Make] = &[
    Make { id: "header-of-7-bits", make: header_of_7_bits },
    Make { id: "header-of-16-bits", make: header_of_16_bits },
    Make { id: "header-of-64-bits", make: header_of_64_bits },
    Make { id: "which-headers-break-a-rule", make: which_headers_break_a_rule },
    Make { id: "where-the-next-begins", make: where_the_next_begins },
];

/// The header of a binary message that somebody sends, without a masking key.
fn header_of(from: Dir, length: u64, length_form: LengthForm) -> Vec<u8> {
    let key = (from == Dir::Client).then_some([0; 4]);
    let mut bytes =
        header_bytes(&FrameHeader { length_form, ..FrameHeader::of(Opcode::BINARY, key, length) });
    bytes.truncate(bytes.len() - key.map_or(0, |key| key.len()));
    bytes
}

/// How a payload begins: nobody else has the same.
fn beginning(rng: &mut Rng) -> [u8; 6] {
    let mut bytes = [0; 6];
    rng.fill(&mut bytes);
    bytes
}

fn header_of_7_bits(rng: &mut Rng) -> Instance {
    let length = if rng.one_in(4) { pick(rng, &[122, 123, 124, 125]) } else { 16 + rng.below(84) };
    let right = header_of(Dir::Server, length, LengthForm::Bits7);
    let first = right[0];
    let mut payload = beginning(rng).to_vec();
    payload.resize(length as usize, 0);
    let with = |first: u8, second: u64| Answer::Hex(vec![first, second as u8]);
    let long = |form| Answer::Hex(header_of(Dir::Server, length, form));
    let instance = Instance::new(Answer::Hex(right.clone()))
        .laid_out(Layout::Headers)
        .hole("length", length)
        .hole("first", hex(&payload[..6]))
        .hole("hex", format!("{length:02x}"))
        .mistake("sixteen-bits", long(LengthForm::Bits16))
        .mistake("sixty-four-bits", long(LengthForm::Bits64))
        .mistake("mask-set", Answer::Hex(header_of(Dir::Client, length, LengthForm::Bits7)))
        .mistake("header-counted", with(first, length + 2))
        .mistake("fin-cleared", with(first ^ 0x80, length))
        .command(["decode", &hex(&served(Opcode::BINARY, &payload))]);
    // Three digits do not fit into a byte, whatever one takes them for.
    match u64::from_str_radix(&length.to_string(), 16) {
        Ok(digits) if length < 100 => instance.mistake("length-read-as-decimal", with(first, digits)),
        _ => instance,
    }
}

fn header_of_16_bits(rng: &mut Rng) -> Instance {
    let boundary = pick(rng, &[126_u16, 127, 128, 255, 256, 65_534]);
    let length = if rng.one_in(3) { boundary } else { two_different_bytes(rng) };
    let bytes = length.to_be_bytes();
    let length = u64::from(length);
    let right = header_of(Dir::Client, length, LengthForm::Bits16);
    let [high, low] = bytes;
    let starting = |start: &[u8], rest: &[u8]| Answer::Hex([start, rest].concat());
    let key = masking_key(rng);
    let whole = header_bytes(&FrameHeader::of(Opcode::BINARY, Some(key), length));
    Instance::new(Answer::Hex(right.clone()))
        .laid_out(Layout::Headers)
        .hole("length", length)
        .hole("first", hex(&beginning(rng)))
        .hole("high", high)
        .hole("low", low)
        .hole("hex", hex(&bytes))
        .mistake_with(
            "little-endian",
            starting(&right[..2], &[low, high]),
            &[("got-length", &u16::from_le_bytes(bytes).to_string())],
        )
        .mistake("sixty-four-bits", Answer::Hex(header_of(Dir::Client, length, LengthForm::Bits64)))
        .mistake("mark-missing", starting(&right[..1], &bytes))
        .mistake("mask-missing", Answer::Hex(header_of(Dir::Server, length, LengthForm::Bits16)))
        .mistake("mark-of-64-bits", starting(&[right[0], right[1] | 1], &bytes))
        .command(["decode", &hex(&whole)])
}

/// A length that is another one when its bytes are exchanged.
fn two_different_bytes(rng: &mut Rng) -> u16 {
    loop {
        let length = 300 + rng.below(65_000) as u16;
        if length.swap_bytes() != length {
            return length;
        }
    }
}

fn header_of_64_bits(rng: &mut Rng) -> Instance {
    let boundary = pick(rng, &[65_536, 65_537, 65_792, 131_072, 1_048_576]);
    let length = if rng.one_in(3) { boundary } else { 70_000 + rng.below(900_000_000) };
    let right = header_of(Dir::Server, length, LengthForm::Bits64);
    let starting = |rest: &[u8]| Answer::Hex([&right[..2], rest].concat());
    Instance::new(Answer::Hex(right.clone()))
        .laid_out(Layout::Headers)
        .hole("length", length)
        .hole("first", hex(&beginning(rng)))
        .hole("hex", format!("{length:x}"))
        .mistake("little-endian", starting(&length.to_le_bytes()))
        .mistake("thirty-two-bits", starting(&right[6..]))
        .mistake("sixteen-bits", Answer::Hex(header_of(Dir::Server, length, LengthForm::Bits16)))
        .mistake("mask-set", Answer::Hex(header_of(Dir::Client, length, LengthForm::Bits64)))
        .command(["decode", &hex(&right)])
}

/// Headers at the boundaries between the forms, on either side.
fn which_headers_break_a_rule(rng: &mut Rng) -> Instance {
    let server = |length, form| header_of(Dir::Server, length, form);
    let short = 2 + rng.below(124);
    let boundary = pick(rng, &[65_535, 65_536]);
    let headers = [
        ("smallest", server(126, LengthForm::Bits16)),
        ("boundary", server(boundary, LengthForm::minimal(boundary))),
        ("plain", server(two_different_bytes(rng).into(), LengthForm::Bits16)),
        ("sixteen", server(short, LengthForm::Bits16)),
        ("sixty-four", server(126 + rng.below(65_400), LengthForm::Bits64)),
        ("top-bit", server(1 << 63 | rng.below(1 << 32), LengthForm::Bits64)),
    ];
    let breaks = |bytes: &[u8]| {
        let seen = decode(hex(bytes).as_bytes());
        seen.has("non-minimal-length") || seen.has("length-high-bit-set")
    };
    let right: Vec<_> = headers.iter().filter(|(_, bytes)| breaks(bytes)).map(|(id, _)| *id).collect();
    let but = |left_out: &[&str]| Answer::choices(right.iter().copied().filter(|id| !left_out.contains(id)));
    let and = |more: &'static str| Answer::choices(right.iter().copied().chain([more]));
    let option = |(id, bytes): &(&str, Vec<u8>)| {
        let shown = format!("`{}`", hex(bytes));
        Choice::from((*id, shown))
    };
    let example = [&headers[3].1[..], &vec![0; short as usize]].concat();
    Instance::new(Answer::choices(right.iter().copied()))
        .choices(headers.iter().map(option))
        .mistake("any-form-taken", but(&["sixteen", "sixty-four"]))
        .mistake("top-bit-let-pass", but(&["top-bit"]))
        .mistake("sixty-four-let-pass", but(&["sixty-four"]))
        .mistake("smallest-refused", and("smallest"))
        .mistake("boundary-refused", and("boundary"))
        .command(["decode", "--findings", &hex(&example)])
}

/// Three frames of a client; the question is about the second.
fn where_the_next_begins(rng: &mut Rng) -> Instance {
    let mut payload = vec![0; 24 + rng.below(90) as usize];
    rng.fill(&mut payload);
    let first = masked(Opcode::BINARY, masking_key(rng), &payload);
    let length = loop {
        let length = 200 + rng.below(1800) as u16;
        if length.swap_bytes() != length {
            break length;
        }
    };
    payload.resize(usize::from(length), 0x2A);
    let second = masked(Opcode::BINARY, masking_key(rng), &payload);
    let third = masked(Opcode::PING, masking_key(rng), b"still there?");

    let start = first.len() as u64;
    let read = header::decode(&second).unwrap_or_default();
    let begins = u64::from(read.header_length());
    let right = start + begins + read.length;
    let number = Answer::Number;
    Instance::new(number(right))
        .hole("start", start)
        .hole("bytes", hex(&second[..usize::from(read.header_length())]))
        .hole("length", read.length)
        .hole("hex", format!("{right:04x}"))
        .mistake("little-endian", number(start + begins + u64::from(length.swap_bytes())))
        .mistake("key-forgotten", number(right - 4))
        .mistake("extended-length-forgotten", number(right - 2))
        .mistake("header-forgotten", number(right - begins))
        .mistake("sign-taken-for-length", number(start + 2 + 4 + 126))
        .mistake("counted-from-the-frame", number(right - start))
        .file("client.bin", [first, second, third].concat())
        .command(["decode", "--view", "hex", "--payload-limit", "16", "{file:client.bin}"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_the_six_headers_are_wrong() {
        for seed in 0..50 {
            let instance = which_headers_break_a_rule(&mut Rng::new(seed));
            assert_eq!(instance.right, Answer::choices(["sixteen", "sixty-four", "top-bit"]), "{instance:?}");
        }
    }
}
