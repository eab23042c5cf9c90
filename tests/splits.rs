//! However the same bytes are cut, carried and handed over, the same frames and
//! messages come out.
//!
//! Conversations are made by chance, put into TCP by `synth`, and carried
//! otherwise by `synth::rewrite`. Only what the carriage itself decides may
//! differ: packet numbers, times, and findings about either.

mod run;

use std::io::Cursor;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;
use wstool::model::{CloseCode, Dir, LengthForm, Opcode};
use wstool::synth::Rng;
use wstool::synth::conversation::{self, Content, Piece, Send, Step};
use wstool::synth::frames::{Masking, Message, Shape};
use wstool::synth::handshake::{Request, Response};
use wstool::synth::rewrite::{self, Packet};
use wstool::synth::tcp::{Delivery, Ends};

use run::{Pieces, decode, digits, pcap, play, read};

/// Findings about time or packets, not about the bytes.
const CARRIAGE: &[&str] =
    &["pong-slow", "close-answer-slow", "open-after-violation", "packet-truncated", "bad-tcp-checksum"];

/// Findings about what one endpoint did after the other: when segments overtake
/// each other, the order between the two directions is another one.
const BETWEEN: &[&str] = &[
    "unsolicited-pong",
    "pong-payload-mismatch",
    "ping-not-answered",
    "close-not-answered",
    "close-code-not-echoed",
];

/// What must stay the same: heads, frames and messages, without their carriage.
fn essence(records: &[Value]) -> Vec<Value> {
    let mut kept = Vec::new();
    for record in records {
        if !matches!(record["type"].as_str(), Some("http" | "frame" | "message" | "gap" | "connection")) {
            continue;
        }
        let mut record = record.clone();
        let object = record.as_object_mut().expect("a record is an object");
        object.remove("time");
        object.remove("packets");
        if let Some(Value::Array(findings)) = object.get_mut("findings") {
            findings.retain(|id| !CARRIAGE.iter().any(|carriage| id == carriage));
        }
        kept.push(record);
    }
    kept
}

fn essence_of(packets: &[Packet]) -> Vec<Value> {
    essence(&decode(&pcap(packets)).records)
}

/// The same, each direction of each connection by itself: numbers that count both
/// directions are left out, and how much of the handshake was known at first.
fn each_direction(mut records: Vec<Value>) -> Vec<Value> {
    records.retain(|record| record["final"] != false);
    records.sort_by_key(|record| (record["conn"].as_u64(), record["dir"].as_str().map(str::to_owned)));
    for record in &mut records {
        let object = record.as_object_mut().expect("a record is an object");
        for key in ["n", "m", "frames"] {
            if !object.contains_key("final") {
                object.remove(key);
            }
        }
        if let Some(Value::Array(findings)) = object.get_mut("findings") {
            findings.retain(|id| !BETWEEN.iter().any(|between| id == between));
        }
    }
    records
}

/// Fails with the first difference, in few words.
fn same(expected: &[Value], got: &[Value], how: &str) -> Result<(), TestCaseError> {
    for (at, (expected, got)) in expected.iter().zip(got).enumerate() {
        if expected != got {
            let (a, b) = (expected.as_object().expect("an object"), got.as_object().expect("an object"));
            let other = a.iter().find(|(key, value)| b.get(*key) != Some(value));
            let other = other.map(|(key, value)| format!("{key} is {:?}, was {value}", b.get(key)));
            return Err(TestCaseError::fail(format!(
                "{how}: record {at}, a {}: {other:?}",
                expected["type"]
            )));
        }
    }
    prop_assert_eq!(expected.len(), got.len(), "{}", how);
    Ok(())
}

/// The same few cases each time; `PROPTEST_CASES` asks for more, `PROPTEST_RNG_SEED` for others.
fn config() -> ProptestConfig {
    let number = |name| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    ProptestConfig {
        cases: number("PROPTEST_CASES").unwrap_or(32) as u32,
        rng_seed: RngSeed::Fixed(number("PROPTEST_RNG_SEED").unwrap_or(1)),
        failure_persistence: None,
        max_shrink_time: 15_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// Cut in pieces of any size, down to one byte. A lone 00 may be a keep-alive probe and waits
    /// for what follows, so what one endpoint says can pass what the other does.
    #[test]
    fn cutting_changes_nothing(steps in conversation(), size in 1..40usize) {
        let packets = play(&steps, 1);
        let expected = each_direction(essence_of(&packets));
        let cut = |size| each_direction(essence_of(&rewrite::cut(&packets, size)));
        same(&expected, &cut(1), "bytes")?;
        same(&expected, &cut(size), "pieces")?;
    }

    /// Segments overtake each other within a window of eight.
    #[test]
    fn order_changes_nothing(steps in conversation(), size in 1..40usize, seed: u64) {
        let packets = play(&steps, 1);
        let expected = each_direction(essence_of(&packets));
        let mut rng = Rng::new(seed);
        let shuffled = essence_of(&rewrite::shuffle(&packets, 8, &mut rng));
        same(&expected, &each_direction(shuffled), "shuffled")?;
        let shuffled = essence_of(&rewrite::shuffle(&rewrite::cut(&packets, size), 8, &mut rng));
        same(&expected, &each_direction(shuffled), "cut and shuffled")?;
    }

    /// Segments arrive twice, or begin with bytes that were there before.
    #[test]
    fn repetition_changes_nothing(steps in conversation(), size in 1..40usize, seed: u64) {
        let packets = play(&steps, 1);
        let expected = each_direction(essence_of(&packets));
        let essence = |packets: &[Packet]| each_direction(essence_of(packets));
        let mut rng = Rng::new(seed);
        same(&expected, &essence(&rewrite::duplicate(&packets, 2, &mut rng)), "duplicated")?;
        let cut = rewrite::cut(&packets, size);
        same(&expected, &essence(&rewrite::duplicate(&cut, 3, &mut rng)), "cut and duplicated")?;
        same(&expected, &essence(&rewrite::overlap(&cut, 60, &mut rng)), "overlapping")?;
    }

    /// All of it at once.
    #[test]
    fn everything_at_once_changes_nothing(steps in conversation(), size in 1..20usize, seed: u64) {
        let packets = play(&steps, 1);
        let expected = each_direction(essence_of(&packets));
        let mut rng = Rng::new(seed);
        let overlapping = rewrite::overlap(&rewrite::cut(&packets, size), 9, &mut rng);
        let twice = rewrite::duplicate(&overlapping, 3, &mut rng);
        let shuffled = essence_of(&rewrite::shuffle(&twice, 8, &mut rng));
        same(&expected, &each_direction(shuffled), "everything")?;
    }

    /// A file, a slow pipe and hex text of the same bytes say the same.
    #[test]
    fn reading_in_pieces_changes_nothing(steps in conversation(), sizes in sizes(), from in dir()) {
        let file = pcap(&play(&steps, 1));
        let expected = decode(&file);
        let slow = read(Box::new(Pieces::new(&file, &sizes)));
        prop_assert!(expected.records == slow.records, "a slow pipe");

        // One direction's bytes, without the handshake.
        let mut rng = Rng::new(2);
        let mut raw = Vec::new();
        conversation::pieces(&steps, &mut |b| rng.fill(b), &mut |sender, piece| match piece {
            Piece::Frame(frame) if sender == from => frame.write(&mut raw),
            Piece::Raw(bytes) if sender == from => raw.extend(bytes),
            _ => {}
        });
        // What begins with text is text.
        raw.splice(..0, *b"\x8A\x00");
        let whole = decode(&raw);
        let slow = read(Box::new(Pieces::new(&raw, &sizes)));
        same(&essence(&whole.records), &essence(&slow.records), "raw")?;
        prop_assert_eq!(whole.findings(), slow.findings());

        let text = digits(&raw, "", "");
        let hex = read(Box::new(Cursor::new(text.into_bytes())));
        same(&essence(&whole.records), &essence(&hex.records), "hex")?;
        let lines: Vec<String> = raw.chunks(16).map(|row| digits(row, "", " ")).collect();
        let hex = read(Box::new(Pieces::new(lines.join("\n").as_bytes(), &sizes)));
        same(&essence(&whole.records), &essence(&hex.records), "rows of hex")?;
    }
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![Just(1usize), 1..20usize, 100..70_000usize], 1..8)
}

fn dir() -> impl Strategy<Value = Dir> {
    prop_oneof![Just(Dir::Client), Just(Dir::Server)]
}

/// One to three connections of a few dozen frames, mostly right, at times wrong.
fn conversation() -> impl Strategy<Value = Vec<Step>> {
    let connection =
        (ends(), prop::collection::vec(step(), 1..16), prop_oneof![4 => Just(true), 1 => Just(false)]);
    prop::collection::vec(connection, 1..4).prop_map(|connections| {
        let mut steps = Vec::new();
        for (i, (mut ends, sent, close)) in connections.into_iter().enumerate() {
            ends.client.set_port(50_000 + i as u16);
            steps.push(Step::Connect(ends));
            steps.extend(Step::handshake(Request::default(), Response::default()));
            steps.extend(sent);
            if close {
                let bye = Message::close(CloseCode(1000), b"bye");
                steps.push(Step::message(Dir::Client, bye.clone()));
                steps.push(Step::message(Dir::Server, bye));
            }
        }
        steps
    })
}

fn ends() -> impl Strategy<Value = Ends> {
    (any::<bool>(), prop_oneof![Just(1460usize), 1..100usize]).prop_map(|(v6, mss)| {
        let ends = Ends { mss, ..Ends::default() };
        if !v6 {
            return ends;
        }
        let client = "[2001:db8::1]:50000".parse().expect("an address");
        Ends { client, server: "[2001:db8::2]:80".parse().expect("an address"), ..ends }
    })
}

/// A message, whole or in fragments, alone or glued to the next, right or wrong.
fn step() -> impl Strategy<Value = Step> {
    (dir(), message(), prop::option::weighted(0.3, 1..40usize), fault(), any::<bool>()).prop_map(
        |(from, message, fragment, fault, more)| {
            let mut shape = Shape::of(from);
            // Control frames are not to be fragmented; data goes on after them.
            shape.fragment = fragment.filter(|_| message.opcode.0 < 8);
            match fault {
                Fault::None => {}
                Fault::Rsv => shape.rsv = [false, true, false],
                Fault::Opcode => shape.opcode = Some(Opcode(0xB)),
                Fault::Form => shape.length_form = Some(LengthForm::Bits64),
                Fault::Masking => {
                    let wrong = if from == Dir::Client { Masking::None } else { Masking::Key([1, 2, 3, 4]) };
                    shape.masking = wrong;
                }
                Fault::NoFin => shape.no_fin = true,
            }
            let content = Content::Message(message, shape);
            Step::Send(Send { from, content, delivery: Delivery::default(), more })
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    let size = prop_oneof![8 => 0..130usize, 2 => 200..400usize];
    prop_oneof![
        4 => "[ -~é日😀]{0,60}".prop_map(|text| Message::new(Opcode::TEXT, text)),
        3 => (size, any::<u8>()).prop_map(|(size, byte)| Message::new(Opcode::BINARY, vec![byte; size])),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Message::new(Opcode::TEXT, bytes)),
        1 => prop::collection::vec(any::<u8>(), 0..126).prop_map(|bytes| Message::new(Opcode::PING, bytes)),
        1 => prop::collection::vec(any::<u8>(), 0..126).prop_map(|bytes| Message::new(Opcode::PONG, bytes)),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Rsv,
    Opcode,
    Form,
    Masking,
    NoFin,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        20 => Just(Fault::None),
        1 => Just(Fault::Rsv),
        1 => Just(Fault::Opcode),
        1 => Just(Fault::Form),
        1 => Just(Fault::Masking),
        1 => Just(Fault::NoFin),
    ]
}
