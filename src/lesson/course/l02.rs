//! Lesson 2: `Sec-WebSocket-Key` and `Sec-WebSocket-Accept`.

mod bugs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use super::draw::pick;
use crate::http::{Steps, accept, accept_value, check_key};
use crate::lesson::{Answer, Choice, Instance, Make, hex};
use crate::synth::Rng;

pub static EXERCISES: &[Make] = &[
    Make { id: "bytes-of-a-key", make: bytes_of_a_key },
    Make { id: "which-are-keys", make: which_are_keys },
    Make { id: "compute-accept", make: bugs::compute_accept },
    Make { id: "name-the-bug", make: bugs::name_the_bug },
    Make { id: "what-it-proves", make: what_it_proves },
];

fn bytes<const N: usize>(rng: &mut Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill(&mut bytes);
    bytes
}

fn key(rng: &mut Rng) -> String {
    STANDARD.encode(bytes::<16>(rng))
}

/// Base64 hides nothing.
fn bytes_of_a_key(rng: &mut Rng) -> Instance {
    let key = key(rng);
    let steps = Steps::of(key.as_bytes());
    let decoded = steps.decoded.unwrap_or_default();
    let answer = |bytes: &[u8]| Answer::Hex(bytes.to_vec());
    // Four characters of six bits make three bytes.
    let group = decoded.iter().take(3).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    let sextets = [18, 12, 6, 0].map(|place| group >> place & 0x3F);
    Instance::new(answer(&decoded))
        .hole("key", &key)
        .hole("four", &key[..4])
        .hole("numbers", sextets.map(|n| n.to_string()).join(", "))
        .hole("bits", sextets.map(|n| format!("{n:06b}")).join(" "))
        .hole("three", hex(&decoded[..3]))
        .mistake("characters-themselves", answer(key.as_bytes()))
        .mistake("hashed", answer(&steps.digest))
        .mistake("padding-as-zeros", answer(&[&decoded[..], &[0, 0]].concat()))
        .mistake("last-byte-lost", answer(&decoded[..15]))
        .command(["accept", "--explain", &key])
}

/// Keys, and what looks like one.
fn which_are_keys(rng: &mut Rng) -> Instance {
    let with_signs = loop {
        let nonce = bytes::<16>(rng);
        if STANDARD.encode(nonce).contains(['+', '/']) {
            break nonce;
        }
    };
    let words: Vec<u8> = (0..16).map(|_| b'a' + rng.below(26) as u8).collect();
    let unpadded = rng.one_in(2);
    let values = [
        ("plain", STANDARD.encode(&words)),
        ("signs", STANDARD.encode(with_signs)),
        ("hex-digits", accept::hex(&bytes::<16>(rng))),
        (
            "counted-characters",
            if rng.one_in(2) { STANDARD.encode(bytes::<17>(rng)) } else { STANDARD.encode(bytes::<18>(rng)) },
        ),
        if unpadded {
            ("padding-optional", STANDARD_NO_PAD.encode(bytes::<16>(rng)))
        } else {
            let nonce = with_signs.map(|byte| byte.rotate_left(1) ^ 0xA5);
            ("url-safe-alphabet", url_safe(rng, nonce))
        },
        ("too-short", STANDARD.encode(bytes::<15>(rng))),
    ];
    let keys: Vec<_> =
        values.iter().filter(|(_, value)| check_key(value.as_bytes()).is_ok()).map(|(id, _)| *id).collect();
    let mut instance = Instance::new(Answer::choices(keys.iter().copied()))
        .choices(values.iter().map(|(id, value)| Choice::from((*id, format!("`{value}`")))))
        .command(["accept", "--explain", &values[1].1]);
    for (id, _) in values.iter().filter(|(id, _)| !keys.contains(id)) {
        let more = keys.iter().copied().chain([*id]);
        instance = instance.mistake(id, Answer::choices(more));
    }
    for missed in &keys {
        let others = keys.iter().copied().filter(|id| id != missed);
        instance = instance.mistake("one-missed", Answer::choices(others));
    }
    instance
}

/// A value of the URL-safe alphabet that shows it.
fn url_safe(rng: &mut Rng, mut nonce: [u8; 16]) -> String {
    loop {
        let value = URL_SAFE.encode(nonce);
        if value.contains(['-', '_']) {
            return value;
        }
        nonce = bytes(rng);
    }
}

/// What the echo is good for, and what not.
fn what_it_proves(rng: &mut Rng) -> Instance {
    const TRUE: [&str; 4] = ["understood", "anyone-computes", "old-answer", "no-decoding"];
    let key = key(rng);
    let mut right = TRUE.to_vec();
    rng.shuffle(&mut right);
    right.truncate(2 + rng.below(2) as usize);
    let secret = pick(rng, &["secret", "encrypted"]);
    let wrong = [
        (secret, "takes-it-for-secret"),
        ("identity", "takes-it-for-identity"),
        ("sha1-broken", "fears-sha1"),
    ];
    let mut instance = Instance::new(Answer::choices(right.iter().copied()))
        .hole("accept", accept_value(key.as_bytes()))
        .choices(right.iter().copied().chain(wrong.iter().map(|(id, _)| *id)))
        .command(["accept", "--explain", &key])
        .hole("key", key);
    for (option, id) in wrong {
        instance = instance.mistake(id, Answer::choices(right.iter().copied().chain([option])));
    }
    for missed in &right {
        let others = right.iter().copied().filter(|id| id != missed);
        instance = instance.mistake("one-missed", Answer::choices(others));
    }
    instance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_the_six_are_keys() {
        for seed in 0..50 {
            let instance = which_are_keys(&mut Rng::new(seed));
            assert_eq!(instance.right, Answer::choices(["plain", "signs"]), "{instance:?}");
        }
    }
}
