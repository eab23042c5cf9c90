//! Lesson 6: the stream, frames, messages.

use super::wire::{all_different, between, block, different, frame, one_of, served, word, words};
use crate::lesson::seen::SeenMessage;
use crate::lesson::{Answer, Instance, Make, decode, hex};
use crate::model::{Opcode, Severity};
use crate::synth::Rng;

pub(super) static EXERCISES: &[Make] = &[
    Make { id: "cut-the-stream", make: cut_the_stream },
    Make { id: "whole-messages", make: whole_messages },
    Make { id: "join-the-fragments", make: join_the_fragments },
    Make { id: "allowed-sequences", make: allowed_sequences },
];

/// A frame's first and last offset from its length.
type Range = (u64, u64);

/// Frames of a server, cut where TCP happens to cut.
fn cut_the_stream(rng: &mut Rng) -> Instance {
    loop {
        let count = between(rng, 3, 4) as usize;
        let frames: Vec<Vec<u8>> = (0..count)
            .map(|_| {
                let opcode = one_of(rng, &[Opcode::TEXT, Opcode::TEXT, Opcode::BINARY, Opcode::PING]);
                let content = word(rng);
                // Not all of it: lengths from 2 to 7.
                let length = between(rng, 2, content.len() as u64) as usize;
                served(opcode, &content.as_bytes()[..length])
            })
            .collect();
        let stream = frames.concat();
        let reads = cut(rng, &stream, count);
        let sizes = |lengths: &[usize]| ranges(lengths.iter().copied());
        let lengths: Vec<usize> =
            decode(hex(&stream).as_bytes()).frames.iter().map(|frame| frame.payload.len()).collect();
        let whole: Vec<usize> = lengths.iter().map(|length| length + 2).collect();
        let right = sizes(&whole);
        let read_sizes: Vec<usize> = reads.iter().map(Vec::len).collect();
        let mistakes = [
            ("read-is-frame", sizes(&read_sizes)),
            ("payload-only", right.iter().map(|(first, last)| (first + 2, *last)).collect()),
            ("end-too-far", right.iter().map(|(first, last)| (*first, last + 1)).collect()),
            ("header-in-length", sizes(&lengths)),
        ];
        let answers: Vec<&Vec<Range>> = mistakes.iter().map(|(_, ranges)| ranges).chain([&right]).collect();
        if !all_different(&answers) {
            continue;
        }
        let list = |numbers: &[usize]| numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let lines = reads.iter().zip(1..).map(|(read, n)| format!("{n}  {}", hex(read)));
        let instance = Instance::new(Answer::Ranges(right))
            .hole("count", count)
            .hole("reads", block(lines))
            .hole("stream", hex(&stream))
            .hole("first-length", lengths[0])
            .hole("lengths", list(&lengths))
            .hole("sizes", list(&whole))
            .command(["decode", &hex(&stream), "--view", "hex"]);
        return mistakes
            .into_iter()
            .fold(instance, |instance, (id, ranges)| instance.mistake(id, Answer::Ranges(ranges)));
    }
}

/// `stream` in so many pieces, none of them empty.
fn cut(rng: &mut Rng, stream: &[u8], pieces: usize) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = (1..stream.len()).collect();
    rng.shuffle(&mut places);
    places.truncate(pieces - 1);
    places.sort_unstable();
    places.insert(0, 0);
    places.push(stream.len());
    places.windows(2).map(|ends| stream[ends[0]..ends[1]].to_vec()).collect()
}

/// Pieces of these sizes, laid end to end.
fn ranges(sizes: impl Iterator<Item = usize>) -> Vec<Range> {
    let mut at = 0;
    let next = |size: usize| {
        let first = at;
        at += size as u64;
        (first, at - 1)
    };
    sizes.map(next).collect()
}

/// Single frames, fragments, and a ping between them.
fn whole_messages(rng: &mut Rng) -> Instance {
    let mut frames = Vec::new();
    let singles_before = between(rng, 0, 2);
    let singles_after = between(rng, u64::from(singles_before == 0), 2);
    let fragments = between(rng, 2, 3);
    let ping_behind = between(rng, 1, fragments - 1);
    for _ in 0..singles_before {
        frames.push(served(Opcode::TEXT, word(rng).as_bytes()));
    }
    for n in 1..=fragments {
        let opcode = if n == 1 { Opcode::TEXT } else { Opcode::CONTINUATION };
        frames.push(frame(opcode, n == fragments, None, word(rng).as_bytes()));
        if n == ping_behind {
            frames.push(served(Opcode::PING, word(rng).as_bytes()));
        }
    }
    for _ in 0..singles_after {
        frames.push(served(Opcode::TEXT, word(rng).as_bytes()));
    }
    let seen = decode(hex(&frames.concat()).as_bytes());
    let numbers = |wanted: &dyn Fn(usize) -> bool| -> Vec<u64> {
        (0..frames.len()).filter(|&n| wanted(n)).map(|n| n as u64 + 1).collect()
    };
    let complete_texts = |count: usize| {
        let seen = decode(hex(&frames[..count].concat()).as_bytes());
        seen.messages.iter().filter(|message| message.kind == Opcode::TEXT && message.complete).count()
    };
    let right = numbers(&|n| complete_texts(n + 1) > complete_texts(n));
    let header = |n: usize| seen.frames[n].header;
    let beginnings = numbers(&|n| header(n).opcode == Opcode::TEXT);
    let with_fin = numbers(&|n| header(n).fin);
    let all = numbers(&|_| true);
    let last = vec![frames.len() as u64];
    let first = right[..1].to_vec();
    let lines = frames.iter().zip(1..).map(|(frame, n)| format!("{n}  {}", hex(frame)));
    Instance::new(Answer::Numbers(right.clone()))
        .hole("frames", block(lines))
        .hole("count", right.len())
        .mistake("fin-is-last-message", Answer::Numbers(last))
        .mistake("fin-is-last-message", Answer::Numbers(first))
        .mistake("ping-counted", Answer::Numbers(with_fin))
        .mistake("every-frame", Answer::Numbers(all))
        .mistake("beginnings", Answer::Numbers(beginnings))
        .command(["decode", &hex(&frames.concat()), "--view", "table"])
}

/// A text in three fragments, and a ping among them.
fn join_the_fragments(rng: &mut Rng) -> Instance {
    loop {
        let (text, ping) = (format!("{} {}", words(rng), word(rng)), word(rng));
        let first = between(rng, 2, 6) as usize;
        let second = first + between(rng, 2, 6) as usize;
        let parts = [&text[..first], &text[first..second], &text[second..]];
        // A space at a cut could not be seen.
        if parts.iter().any(|part| part.trim() != *part) {
            continue;
        }
        let behind = between(rng, 1, 2) as usize;
        let mut frames: Vec<Vec<u8>> = parts
            .iter()
            .enumerate()
            .map(|(n, part)| {
                let opcode = if n == 0 { Opcode::TEXT } else { Opcode::CONTINUATION };
                frame(opcode, n == 2, None, part.as_bytes())
            })
            .collect();
        frames.insert(behind, served(Opcode::PING, ping.as_bytes()));
        let seen = decode(hex(&frames.concat()).as_bytes());
        let text_of = |message: &SeenMessage| String::from_utf8_lossy(&message.payload).into_owned();
        let right = seen.messages.iter().find(|message| message.kind == Opcode::TEXT).map(text_of);
        let joined: String = parts[..behind].iter().chain([&ping]).chain(&parts[behind..]).copied().collect();
        let before: String = parts[..behind].concat();
        let after: String = parts[behind..].concat();
        let mistakes = [
            ("ping-joined", joined),
            ("ping-ends-it", before),
            ("only-the-last", parts[2].to_owned()),
            ("behind-the-ping", after),
        ];
        let opcodes: Vec<String> =
            seen.frames.iter().map(|frame| frame.header.opcode.0.to_string()).collect();
        let instance = Instance::new(Answer::exact(right.unwrap_or_default()))
            .hole("frames", block(frames.iter().map(|frame| hex(frame))))
            .hole("count", text.len())
            .hole("opcodes", opcodes.join(", "))
            .hole("parts", parts.map(|part| format!("“{part}”")).join(" "))
            .command(["decode", &hex(&frames.concat()), "--view", "messages"]);
        // With the ping behind the second fragment, what follows it is the last fragment.
        let wrong = mistakes.into_iter().filter(|(id, _)| behind == 1 || *id != "behind-the-ping");
        return wrong.fold(instance, |instance, (id, text)| instance.mistake(id, Answer::exact(text)));
    }
}

/// What may follow what, without extensions.
fn allowed_sequences(rng: &mut Rng) -> Instance {
    let part = |rng: &mut Rng| {
        let word = word(rng);
        word.as_bytes()[..between(rng, 2, 4) as usize].to_vec()
    };
    let first = |rng: &mut Rng| frame(Opcode::TEXT, false, None, &part(rng));
    let long = between(rng, 126, 200);
    let pinged = different(rng, &[]).as_bytes()[..2].to_vec();
    let sequences = [
        (
            "ping-between",
            "h-ping-between",
            [first(rng), served(Opcode::PING, &pinged), frame(Opcode::CONTINUATION, true, None, &part(rng))]
                .concat(),
        ),
        ("empty-last", "h-empty-last", [first(rng), frame(Opcode::CONTINUATION, true, None, &[])].concat()),
        (
            "ping-fragmented",
            "h-ping-fragmented",
            [
                frame(Opcode::PING, false, None, &part(rng)),
                frame(Opcode::CONTINUATION, true, None, &part(rng)),
            ]
            .concat(),
        ),
        ("long-ping", "h-long-ping", served(Opcode::PING, &vec![b'.'; long as usize])),
        ("two-at-once", "h-two-at-once", [first(rng), served(Opcode::TEXT, &part(rng))].concat()),
        ("nothing-to-continue", "h-nothing-to-continue", frame(Opcode::CONTINUATION, true, None, &part(rng))),
    ];
    let faultless = |bytes: &[u8]| {
        decode(hex(bytes).as_bytes()).findings.iter().all(|rule| rule.severity < Severity::Error)
    };
    let allowed: Vec<&str> =
        sequences.iter().filter(|(_, _, bytes)| faultless(bytes)).map(|(id, ..)| *id).collect();
    let without = |out: &str| Answer::choices(allowed.iter().copied().filter(|id| *id != out));
    let and = |more| Answer::choices(allowed.iter().copied().chain([more]));
    let shown = sequences.iter().filter(|(id, ..)| *id != "long-ping").map(|(_, _, bytes)| hex(bytes));
    let arguments = ["decode", "--view", "table"].map(str::to_owned).into_iter().chain(shown);
    let instance = Instance::new(Answer::choices(allowed.iter().copied()))
        .choices(sequences.iter().map(|(id, ..)| *id))
        .mistake("nothing-between", without("ping-between"))
        .mistake("empty-refused", without("empty-last"))
        .mistake("ping-fragmented", and("ping-fragmented"))
        .mistake("long-ping", and("long-ping"))
        .mistake("two-at-once", and("two-at-once"))
        .mistake("nothing-to-continue", and("nothing-to-continue"))
        .hole("long", long)
        .command(arguments);
    sequences.iter().fold(instance, |instance, (id, hole, bytes)| {
        let shown = if *id == "long-ping" { &bytes[..4] } else { &bytes[..] };
        instance.hole(hole, hex(shown))
    })
}
