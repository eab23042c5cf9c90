//! Lesson 5: masking.

use super::draw::{all_different, between, different, telling_key, word, words};
use super::wire::{capture, frame, masked, served};
use crate::lesson::{Answer, Instance, Judgement, Make, Said, decode, hex};
use crate::model::{FrameHeader, Opcode};
use crate::synth::Rng;
use crate::ws::mask;

pub(super) static EXERCISES: &[Make] = &[
    Make { id: "unmask", make: unmask },
    Make { id: "recover-the-key", make: recover_the_key },
    Make { id: "who-can-read", make: who_can_read },
    Make { id: "who-must-mask", make: who_must_mask },
    Make { id: "write-a-masked-frame", make: write_a_masked_frame },
];

/// Bytes of a client's header when the payload is short, before the key.
const HEADER: usize = 2;
const KEY: usize = 4;

/// `bytes` combined with `key`, as if they stood at offset `phase` of the payload.
fn xor(bytes: &[u8], key: [u8; 4], phase: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    mask::apply(&mut out, key, phase);
    out
}

/// XOR with the key, byte i with key byte i mod 4.
fn unmask(rng: &mut Rng) -> Instance {
    loop {
        let (key, text) = (telling_key(rng), words(rng));
        let bytes = masked(Opcode::TEXT, key, text.as_bytes());
        let on_wire = &bytes[HEADER + KEY..];
        let right = decode(hex(&bytes).as_bytes()).frames[0].payload.clone();
        let mut reversed = key;
        reversed.reverse();
        let subtracted: Vec<u8> =
            on_wire.iter().zip(key.iter().cycle()).map(|(byte, key)| byte.wrapping_sub(*key)).collect();
        let mistakes = [
            ("counted-from-the-frame", xor(on_wire, key, HEADER + KEY)),
            ("key-not-rotated", xor(on_wire, [key[0]; 4], 0)),
            ("key-reversed", xor(on_wire, reversed, 0)),
            ("still-masked", on_wire.to_vec()),
            ("subtracted", subtracted),
        ];
        if !told_apart(&right, &mistakes) {
            continue;
        }
        return with(Instance::new(Answer::Hex(right)), mistakes)
            .hole("bytes", hex(&bytes))
            .hole("count", text.len())
            .hole("text", &text)
            .hole("key", hex(&key))
            .hole("masked", hex(on_wire))
            .hole("first-masked", hex(&on_wire[..1]))
            .hole("first-key", hex(&key[..1]))
            .command(["decode", &hex(&bytes), "--view", "hex"]);
    }
}

type Slips<const N: usize> = [(&'static str, Vec<u8>); N];

fn told_apart<const N: usize>(right: &[u8], mistakes: &Slips<N>) -> bool {
    let answers: Vec<&[u8]> = mistakes.iter().map(|(_, bytes)| bytes.as_slice()).chain([right]).collect();
    all_different(&answers)
}

fn with<const N: usize>(instance: Instance, mistakes: Slips<N>) -> Instance {
    mistakes.into_iter().fold(instance, |instance, (id, bytes)| instance.mistake(id, Answer::Hex(bytes)))
}

/// Four known bytes in a row give the key away, turned by where they stand.
fn recover_the_key(rng: &mut Rng) -> Instance {
    loop {
        let (key, name, said) = (telling_key(rng), word(rng), words(rng));
        let text = format!("{name}: {said}");
        // The known bytes begin where turning them the wrong way gives another key.
        let from = between(rng, 4, (text.len() - 4) as u64) as usize;
        let phase = from % 4;
        if phase.is_multiple_of(2) {
            continue;
        }
        let (known, on_wire) = (&text[from..from + 4], xor(text.as_bytes(), key, 0));
        let there = &on_wire[from..from + 4];
        let found = pair(there, known);
        let mut right = found;
        right.rotate_right(phase);
        let mut wrong_way = found;
        wrong_way.rotate_left(phase);
        let mistakes = [
            ("not-rotated", found.to_vec()),
            ("rotated-the-wrong-way", wrong_way.to_vec()),
            ("from-the-start", pair(&on_wire, known).to_vec()),
            ("masked-bytes", there.to_vec()),
        ];
        if known.contains(' ') || !told_apart(&right, &mistakes) {
            continue;
        }
        let bytes = masked(Opcode::TEXT, key, text.as_bytes());
        return with(Instance::new(Answer::Hex(right.to_vec())), mistakes)
            .hole("masked", hex(&on_wire))
            .hole("known", known)
            .hole("known-hex", hex(known.as_bytes()))
            .hole("from", from)
            .hole("to", from + 3)
            .hole("phase", phase)
            .hole("masked-there", hex(there))
            .hole("found", hex(&found))
            .hole("text", &text)
            .command(["decode", &hex(&bytes), "--view", "hex"]);
    }
}

/// The XOR of the first four bytes of each.
fn pair(bytes: &[u8], known: &str) -> [u8; 4] {
    std::array::from_fn(|i| bytes[i] ^ known.as_bytes()[i])
}

/// The key is in the frame: whoever has the one has the other.
fn who_can_read(rng: &mut Rng) -> Instance {
    let (key, text) = (telling_key(rng), words(rng));
    let bytes = masked(Opcode::TEXT, key, text.as_bytes());
    Instance::new(Answer::choice("everything"))
        .choices(["everything", "length-only", "handshake-key", "server-only"])
        .mistake("length-only", Answer::choice("length-only"))
        .mistake("handshake-key", Answer::choice("handshake-key"))
        .mistake("server-only", Answer::choice("server-only"))
        .hole("bytes", hex(&bytes))
        .hole("key", hex(&key))
        .hole("count", text.len())
        .hole("text", text)
        .command(["decode", &hex(&bytes), "--view", "hex"])
}

/// Clients always, servers never; TLS and the kind of frame make no difference.
fn who_must_mask(rng: &mut Rng) -> Instance {
    let first = word(rng);
    let second = different(rng, &[first]);
    let third = different(rng, &[first, second]);
    let (client_key, server_key) = (telling_key(rng), telling_key(rng));
    let pieces = [
        ("client-masked", "h-masked", format!("client text \"{first}\" mask={}", plain(client_key))),
        ("client-plain", "h-plain", format!("client text \"{second}\" mask=none")),
        ("client-plain-tls", "h-tls", format!("client text \"{third}\" mask=none")),
        ("client-plain-ping", "h-ping", format!("client ping \"{first}\" mask=none")),
        ("server-plain", "h-server", format!("server text \"{second}\"")),
        ("server-masked", "h-server-masked", format!("server text \"{third}\" mask={}", plain(server_key))),
    ];
    let frames = [
        masked(Opcode::TEXT, client_key, first.as_bytes()),
        served(Opcode::TEXT, second.as_bytes()),
        served(Opcode::TEXT, third.as_bytes()),
        served(Opcode::PING, first.as_bytes()),
        served(Opcode::TEXT, second.as_bytes()),
        masked(Opcode::TEXT, server_key, third.as_bytes()),
    ];
    let ids = pieces.iter().map(|(id, ..)| *id);
    // Each frame in a connection of its own.
    let refused: Vec<&str> = pieces
        .iter()
        .filter(|(_, _, line)| {
            let seen = decode(&capture(line, rng));
            seen.has("unmasked-client-frame") || seen.has("masked-server-frame")
        })
        .map(|(id, ..)| *id)
        .collect();
    let without = |out: &str| Answer::choices(refused.iter().copied().filter(|id| *id != out));
    let everyone = refused.iter().map(|id| if *id == "server-masked" { "server-plain" } else { id });
    let opposite = ids.clone().filter(|id| !refused.contains(id));
    let script: Vec<&str> = pieces.iter().map(|(_, _, line)| line.as_str()).collect();
    let instance = Instance::new(Answer::choices(refused.iter().copied()))
        .choices(ids)
        .mistake("server-masking-optional", without("server-masked"))
        .mistake("tls-replaces-masking", without("client-plain-tls"))
        .mistake("control-frames-exempt", without("client-plain-ping"))
        .mistake("everyone-masks", Answer::choices(everyone))
        .mistake("opposite", Answer::choices(opposite))
        .file("frames.pcap", capture(&script.join("\n"), rng))
        .command(["decode", "{file:frames.pcap}", "--view", "table"]);
    pieces
        .iter()
        .zip(frames)
        .fold(instance, |instance, ((_, hole, _), bytes)| instance.hole(hole, hex(&bytes)))
}

/// A key as scripts write it.
fn plain(key: [u8; 4]) -> String {
    hex(&key).replace(' ', "")
}

/// A client's text, masked with any key that is not zero.
fn write_a_masked_frame(rng: &mut Rng) -> Instance {
    let (key, text) = (telling_key(rng), format!("{} {}", words(rng), between(rng, 100, 99_999)));
    let payload = text.as_bytes();
    let sample = |fin_and_opcode: u8, mask_and_length: usize, key: [u8; 4], payload: Vec<u8>| {
        [&[fin_and_opcode, mask_and_length as u8][..], &key, &payload].concat()
    };
    let (count, hidden) = (payload.len(), xor(payload, key, 0));
    let right = masked(Opcode::TEXT, key, payload);
    let slips = [
        ("unmasked", served(Opcode::TEXT, payload)),
        ("mask-bit-missing", sample(0x81, count, key, hidden.clone())),
        ("mask-not-applied", sample(0x81, 0x80 | count, key, payload.to_vec())),
        ("key-counted", sample(0x81, 0x80 | (count + KEY), key, hidden)),
        ("counted-from-the-frame", sample(0x81, 0x80 | count, key, xor(payload, key, HEADER + KEY))),
        ("zero-key", masked(Opcode::TEXT, [0; 4], payload)),
        ("binary", frame(Opcode::BINARY, true, Some(key), payload)),
    ];
    let wanted = text.clone();
    let instance = Instance::new(Answer::File(right.clone()))
        .hole("text", &text)
        .hole("text-hex", hex(payload))
        .hole("count", count)
        .hole("key", hex(&key))
        .hole("header", hex(&right[..HEADER]))
        .judged_by(move |bytes| judge(bytes, &wanted))
        .command(["decode", &hex(&right), "--view", "hex"]);
    slips.into_iter().fold(instance, |instance, (id, bytes)| instance.mistake(id, Answer::File(bytes)))
}

/// Holds what was handed in against the frame of a client with this text.
fn judge(bytes: &[u8], text: &str) -> Judgement {
    let seen = decode(bytes);
    let Some(first) = seen.frames.first() else {
        return Judgement::differs("no-frame");
    };
    let (header, payload, wanted) = (first.header, first.payload.as_slice(), text.as_bytes());
    let FrameHeader { masking_key, length, .. } = header;
    let Some(key) = masking_key else {
        // A key and a masked text may stand where the payload should.
        let hidden = payload
            .split_first_chunk::<KEY>()
            .is_some_and(|(key, rest)| !rest.is_empty() && wanted.starts_with(&xor(rest, *key, 0)));
        return Judgement::known(if hidden { "mask-bit-missing" } else { "unmasked" });
    };
    if first.truncated && length == (wanted.len() + KEY) as u64 {
        return Judgement::known("key-counted");
    }
    let count = seen.frames.len();
    if count > 1 {
        return Judgement::differs(
            Said::from("several-frames").value("count", count).value("length", length),
        );
    }
    if first.truncated {
        return Judgement::differs(Said::from("truncated").value("length", length));
    }
    if key == [0; 4] {
        return Judgement::known("zero-key");
    }
    if xor(payload, key, 0) == wanted {
        return Judgement::known("mask-not-applied");
    }
    // What the receiver makes of bytes that were masked from the frame's first byte on.
    if xor(&xor(payload, key, 0), key, HEADER + KEY) == wanted {
        return Judgement::known("counted-from-the-frame");
    }
    if payload != wanted && wanted.starts_with(payload) {
        return Judgement::differs(
            Said::from("too-short").value("length", length).value("wanted", wanted.len()),
        );
    }
    if payload != wanted {
        let first = payload.iter().zip(wanted).take_while(|(given, wanted)| given == wanted).count();
        return Judgement::differs(Said::from("another-text").value("first", first));
    }
    if header.opcode == Opcode::BINARY {
        return Judgement::known("binary");
    }
    if header.opcode != Opcode::TEXT || !header.fin || header.rsv1 || header.rsv2 || header.rsv3 {
        return Judgement::differs("first-byte");
    }
    if let Some(rule) = seen.findings.first() {
        return Judgement::differs(Said::from("fault").hole("title", rule.title).value("rule", rule.id));
    }
    Judgement::Right
}
