//! What chance chooses: names, words, numbers, masking keys.
//!
//! A seed is to give the same exercise for ever: how much of it each of these takes must
//! not change, nor what stands in the lists.

use crate::synth::Rng;

const NAMES: [&str; 16] = [
    "amber", "birch", "comet", "dune", "ember", "fjord", "grove", "heron", "iris", "juniper", "kestrel",
    "lagoon", "maple", "nectar", "opal", "pebble",
];

const OTHERS: [&str; 8] =
    ["bargain", "clickhere", "freebies", "gadgets", "lottery", "prizes", "quickwin", "zippy"];

const PHRASES: [&str; 12] = [
    "the kettle is on",
    "meet me at noon",
    "rain until six",
    "three new messages",
    "gate B is open",
    "bring the blue one",
    "dinner at eight",
    "ready when you are",
    "last call for tea",
    "see you tomorrow",
    "the train is late",
    "all lights are green",
];

const WORDS: [&str; 48] = [
    "amber", "anchor", "apple", "birch", "bridge", "candle", "carpet", "castle", "cherry", "cloud", "comet",
    "copper", "desert", "dragon", "ember", "falcon", "feather", "forest", "garden", "glacier", "hammer",
    "harbour", "island", "jungle", "kettle", "ladder", "lantern", "lemon", "marble", "meadow", "mirror",
    "needle", "orbit", "orchid", "paper", "pebble", "pepper", "planet", "pocket", "rabbit", "river",
    "saddle", "silver", "thunder", "tunnel", "velvet", "violin", "window",
];

/// One of a list.
pub(super) fn pick<T: Copy>(rng: &mut Rng, list: &[T]) -> T {
    list[rng.below(list.len() as u64) as usize]
}

/// A number from `first` to `last`.
pub(super) fn between(rng: &mut Rng, first: u64, last: u64) -> u64 {
    first + rng.below(last - first + 1)
}

/// The host of somebody one may trust, such as `heron-4821.example` (RFC 6761 §6.5).
pub(super) fn host(rng: &mut Rng) -> String {
    format!("{}-{}.example", pick(rng, &NAMES), 1000 + rng.below(9000))
}

/// The host of somebody one had better not trust.
pub(super) fn stranger(rng: &mut Rng) -> String {
    format!("{}-{}.example", pick(rng, &OTHERS), 100 + rng.below(900))
}

/// A few words, different for nearly everyone.
pub(super) fn phrase(rng: &mut Rng) -> String {
    format!("{}, {}", pick(rng, &PHRASES), 1000 + rng.below(9000))
}

/// A word of 5 to 7 letters.
pub(super) fn word(rng: &mut Rng) -> &'static str {
    pick(rng, &WORDS)
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

/// The masking key of a client's frame.
pub(super) fn masking_key(rng: &mut Rng) -> [u8; 4] {
    let mut key = [0; 4];
    rng.fill(&mut key);
    key
}

/// A masking key whose bytes differ from each other and from zero, so that no wrong use
/// of it looks right.
pub(super) fn telling_key(rng: &mut Rng) -> [u8; 4] {
    loop {
        let key = masking_key(rng);
        if !key.contains(&0) && all_different(&key) {
            return key;
        }
    }
}

/// Whether no two of these are the same.
pub(super) fn all_different<T: PartialEq>(items: &[T]) -> bool {
    items.iter().enumerate().all(|(i, item)| !items[..i].contains(item))
}
