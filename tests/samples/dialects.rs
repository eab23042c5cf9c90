//! A protocol of messages is asked at a glance whether a message may be its own, before the message is
//! read: a glance must never turn down what would be read.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use wstool::app::{DIALECTS, Dialect, Glance, Reader, Said};
use wstool::model::{App, Body, Dir, Flow, Opcode, Sink, SourceId, Unit, Wants};

use crate::shelf::samples;

/// All messages of the samples, each once, with whether it is text.
#[derive(Default)]
struct Messages(BTreeSet<(bool, Vec<u8>)>);

impl Sink for Messages {
    fn wants(&self) -> Wants {
        Wants { fields: false, payload: 1 << 20, app: true, causes: false, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if let Body::Message(message) = unit.body {
            self.0.insert((message.kind == Opcode::TEXT, message.payload.to_vec()));
        }
        Flow::Continue(())
    }
}

/// Whether a connection of this protocol could begin with the message, by the one who reads it.
fn reads(dialect: &Dialect, said: &Said<'_>) -> bool {
    match dialect.reader {
        Reader::Each(read) => read(said).is_some(),
        Reader::Whole(read) => read(said, &mut App::default()),
        Reader::Session(new) => new().read(said, &mut Vec::new()).is_some(),
    }
}

/// Asserts it of both directions and kinds of message; how often a protocol read one.
fn is_seen_by_all_who_read(bytes: &[u8]) -> usize {
    let mut read = 0;
    for (dir, text) in [Dir::Client, Dir::Server].into_iter().flat_map(|dir| [(dir, true), (dir, false)]) {
        let said = Said::new(dir, text, bytes, SourceId::Message { conn: 1, m: 1 });
        for dialect in DIALECTS {
            let Some(looks_like) = dialect.looks_like else { continue };
            if reads(dialect, &said) {
                read += 1;
                let first = dialect.first;
                let glance = str::from_utf8(bytes).map_or(Glance::None, Glance::at);
                assert!(
                    glance.may_bear(dialect.marks)
                        && looks_like(&said)
                        && looks_like(&Said { glance, ..said })
                        && (first.is_empty() || first.contains(&bytes[0])),
                    "{} turns down {:?}",
                    dialect.id,
                    bytes.escape_ascii().to_string()
                );
            }
        }
    }
    read
}

/// A message as it came, cut, wrapped, and with other letters.
fn variants(bytes: &[u8]) -> Vec<Vec<u8>> {
    let with = |before: &str, after: &str| [before.as_bytes(), bytes, after.as_bytes()].concat();
    vec![
        bytes.to_vec(),
        bytes[..bytes.len() / 2].to_vec(),
        bytes.get(1..).unwrap_or_default().to_vec(),
        bytes.to_ascii_uppercase(),
        with(" \r\n\t", ""),
        with("", " \n"),
        with("\u{3000}", "\u{85}"),
        with("\"", "\""),
        with("", "\u{1e}"),
        with("[", "]"),
        with("{\"type\":", "}"),
        with("{\"type\" : \"", "\"\n}"),
    ]
}

#[test]
fn a_glance_never_turns_down_what_would_be_read() {
    let mut messages = Messages::default();
    for sample in samples() {
        sample.play(&mut messages);
    }
    for wire in ["ping", "Pong", "a:heartbeat", "{no json:ping", "CONNECT\nhost:x\n\n\0", "{}", "[]", ""] {
        messages.0.insert((true, wire.into()));
    }
    let of_each = |(_, bytes): &(bool, Vec<u8>)| {
        variants(bytes).iter().map(|bytes| is_seen_by_all_who_read(bytes)).sum::<usize>()
    };
    let read: usize = messages.0.iter().map(of_each).sum();
    assert!(read > 1000, "only {read} messages were read at all");
}

/// Pieces of which messages of the protocols consist, and any bytes.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "ping",
        "PONG",
        "heartbeat",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"type\"",
        "1",
        " ",
        "\n",
        "\0",
        "\u{1e}",
        "\u{3000}",
        "SEND",
        "MESSAGE",
        "\u{10}\u{c}\0\u{4}MQTT\u{4}",
        "\u{1f}",
        "x\u{1}",
    ];
    let piece = proptest::sample::select(pieces.map(|piece| piece.as_bytes().to_vec()).to_vec());
    let piece = prop_oneof![8 => piece, 1 => proptest::collection::vec(any::<u8>(), 0..8)];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4096,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn nor_that_of_anything_else(wire in wire()) {
        is_seen_by_all_who_read(&wire);
    }
}
