//! What a frame costs, as multiples of copying its payload: header, unmasking
//! and UTF-8 alone, then everything a conversation does with it. And what an
//! accept value costs.
//!
//! ```text
//! cargo bench --bench frames
//! ```

mod measure;

use std::hint::black_box;

use measure::{Goal, contender, take_turns};
use wstool::http::accept_value;
use wstool::limits;
use wstool::model::{At, Dir, Emitter, Flow, FrameHeader, Opcode, Sink, Unit, Wants};
use wstool::ws::utf8::Utf8Check;
use wstool::ws::{Conversation, Extensions, Scratch, encode, header, mask};

const ROUNDS: usize = 21;

/// Payload bytes of one turn: more than a second-level cache holds, as it is with a capture.
const PER_TURN: usize = 8 << 20;

/// Below 1 KiB what is done once a frame weighs more than its bytes.
const SIZES: [(usize, Option<Goal>); 4] = [
    (64, None),
    (1 << 10, Some(Goal::at_most(1.3, 1.04))),
    (64 << 10, Some(Goal::at_most(1.3, 1.16))),
    (1 << 20, Some(Goal::at_most(1.3, 0.55))),
];

/// Accept values computed in one turn.
const KEYS: u32 = 100_000;

fn main() {
    println!("masked text, as a multiple of copying its payload");
    println!("  {:>9} {:>10} {:>13} {:>13}", "payload", "ns a copy", "frame alone", "conversation");
    for (length, goal) in SIZES {
        frames(length, goal.as_ref());
    }
    let mut keys = [*b"dGhlIHNhbXBsZSBub25jZQ=="; 64];
    for (i, key) in keys.iter_mut().enumerate() {
        key[0] = b'A' + i as u8 % 26;
    }
    let mut accept = [contender("accept", || {
        for i in 0..KEYS {
            black_box(accept_value(&keys[i as usize % keys.len()]));
        }
    })];
    let times = take_turns(&mut accept, ROUNDS);
    println!("\naccept: {:.0} ns a key", times.seconds(0) / f64::from(KEYS) * 1e9);
}

fn frames(length: usize, goal: Option<&Goal>) {
    let count = PER_TURN / length;
    let stream = stream(length, count);
    let each = stream.len() / count;
    let mut copy = vec![0; length];
    let mut block = vec![0; limits::BLOCK];
    let mut contenders = [
        contender("copy", || {
            for frame in stream.chunks_exact(each) {
                copy.copy_from_slice(&frame[each - length..]);
                black_box(&mut copy);
            }
        }),
        contender("frame", || {
            for frame in stream.chunks_exact(each) {
                black_box(alone(frame, &mut block));
            }
        }),
        contender("conversation", || converse(&stream, each)),
    ];
    let times = take_turns(&mut contenders, ROUNDS);
    println!(
        "  {length:>9} {:>10.0} {:>13.2} {:>13.2}  {}",
        times.seconds(0) / count as f64 * 1e9,
        times.ratio(1, 0),
        times.ratio(2, 0),
        goal.map(|goal| goal.verdict(times.ratio(1, 0))).unwrap_or_default()
    );
}

/// Frames of a client, one after the other.
fn stream(length: usize, count: usize) -> Vec<u8> {
    let payload: Vec<u8> = (b' '..b'~').cycle().take(length).collect();
    let mut stream = Vec::new();
    for i in 0..count {
        let key = (i as u32).wrapping_mul(0x9E37_79B9).to_be_bytes();
        let header = FrameHeader::of(Opcode::TEXT, Some(key), length as u64);
        encode::frame(&header, &payload, &mut stream);
    }
    stream
}

/// Reads a header, unmasks in blocks that stay in the cache, validates while warm.
fn alone(frame: &[u8], block: &mut [u8]) -> Option<u64> {
    let header = header::decode(frame).ok()?;
    let payload = &frame[usize::from(header.header_length())..];
    let mut text = Utf8Check::default();
    for masked in payload.chunks(limits::BLOCK) {
        let clear = &mut block[..masked.len()];
        mask::unmask_into(clear, masked, header.masking_key?, 0);
        text.push(clear);
    }
    text.finish()
}

/// Everything up to the units, which nobody looks at.
fn converse(stream: &[u8], each: usize) {
    struct Nobody;
    impl Sink for Nobody {
        fn wants(&self) -> Wants {
            Wants::NOTHING
        }
        fn take(&mut self, unit: &Unit<'_>) -> Flow {
            black_box(unit);
            Flow::Continue(())
        }
    }
    let mut sink = Nobody;
    let (mut out, mut scratch) = (Emitter::new(&mut sink), Scratch::default());
    let mut talk = Conversation::new(1, [0, 0], Extensions::NONE);
    for bytes in stream.chunks(each) {
        let _: Flow = talk.push(Dir::Client, bytes, At::default(), &mut out, &mut scratch);
    }
}
