//! What long payloads are made of: pieces of a text of each kind, which is made once.
//!
//! Each payload begins where that of the seed before it ends, as if a long file was sent in messages: making
//! one, and comparing with one, cost no more than copying it.

use std::sync::OnceLock;

use crate::synth::Rng;

/// Kinds of payloads. All but pictures, mixed ones and noise are text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Sentences.
    Words,
    /// Objects of JSON, a line each.
    Json,
    /// Rows of a table of HTML.
    Html,
    /// A bitmap of runs of one grey.
    Picture,
    /// Sentences, with bytes between them that do not compress.
    Mixed,
    /// Bytes that do not compress.
    Noise,
    /// Nothing but zeros, whatever the seed.
    Zeros,
}

/// Bytes of the text of a kind: more than any window of permessage-deflate, so that none of it is found
/// again.
const LENGTH: usize = 512 * 1024;

/// What is left out between the payloads of two seeds, so that those as long as the text differ.
const GAP: u64 = 31;

const WORDS: [&str; 32] = [
    "frame",
    "mask",
    "the",
    "of",
    "a",
    "ping",
    "close",
    "socket",
    "to",
    "and",
    "server",
    "client",
    "message",
    "is",
    "payload",
    "handshake",
    "in",
    "key",
    "fragment",
    "opcode",
    "text",
    "binary",
    "length",
    "code",
    "reason",
    "every",
    "waits",
    "answers",
    "masked",
    "without",
    "window",
    "stream",
];

impl Fill {
    const ALL: [(Self, &str); 7] = [
        (Self::Words, "words"),
        (Self::Json, "json"),
        (Self::Html, "html"),
        (Self::Picture, "picture"),
        (Self::Mixed, "mixed"),
        (Self::Noise, "noise"),
        (Self::Zeros, "zeros"),
    ];

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, own)| *own == name).map(|(fill, _)| fill)
    }

    /// So many bytes of it; each seed gives others.
    pub fn bytes(self, size: usize, seed: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size);
        for piece in self.pieces(size, seed) {
            bytes.extend_from_slice(piece);
        }
        bytes
    }

    /// Whether these are the bytes.
    pub fn is(self, size: usize, seed: u64, mut bytes: &[u8]) -> bool {
        bytes.len() == size
            && self.pieces(size, seed).all(|piece| {
                let (head, tail) = bytes.split_at(piece.len());
                bytes = tail;
                head == piece
            })
    }

    fn pieces(self, size: usize, seed: u64) -> impl Iterator<Item = &'static [u8]> {
        let text = self.text();
        let mut at = (u128::from(seed) * u128::from(size as u64 + GAP) % LENGTH as u128) as usize;
        let mut left = size;
        std::iter::from_fn(move || {
            let piece = &text[at..text.len().min(at + left)];
            left -= piece.len();
            at = 0;
            (!piece.is_empty()).then_some(piece)
        })
    }

    fn text(self) -> &'static [u8] {
        static TEXTS: [OnceLock<Vec<u8>>; 7] = [const { OnceLock::new() }; 7];
        TEXTS[self as usize].get_or_init(|| {
            let mut rng = Rng::new(1);
            // That lines come again, and not each in its turn, is what compressors live on.
            let lines: Vec<Vec<u8>> = (0..64).map(|id| self.line(id, &mut rng)).collect();
            let mut text = Vec::with_capacity(LENGTH + 4096);
            while text.len() < LENGTH {
                match self {
                    Self::Noise => text.extend_from_slice(&noise(&mut rng, 4096)),
                    Self::Mixed if rng.one_in(16) => text.extend_from_slice(&noise(&mut rng, 64)),
                    _ => text.extend_from_slice(&lines[rng.below(lines.len() as u64) as usize]),
                }
            }
            text.truncate(LENGTH);
            text
        })
    }

    /// A line, or something as long.
    fn line(self, id: u64, rng: &mut Rng) -> Vec<u8> {
        let (number, value, sentence) = (id * 7919, rng.below(100_000), sentence(rng));
        match self {
            Self::Words | Self::Mixed => format!("{sentence}\n").into_bytes(),
            Self::Json => format!(
                "{{\"id\":{number},\"value\":{value},\"tags\":[\"a\",\"b\"],\"text\":\"{sentence}\"}},\n"
            )
            .into_bytes(),
            Self::Html => {
                format!("<tr class=\"row\"><td>{number}</td><td>{sentence}</td><td>{value}</td></tr>\n")
                    .into_bytes()
            }
            Self::Picture => [vec![value as u8; 32 + value as usize % 256], noise(rng, 2)].concat(),
            Self::Noise => Vec::new(),
            Self::Zeros => vec![0; 4096],
        }
    }
}

fn noise(rng: &mut Rng, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    rng.fill(&mut bytes);
    bytes
}

fn sentence(rng: &mut Rng) -> String {
    let count = 8 + rng.below(8);
    let words: Vec<&str> = (0..count).map(|_| WORDS[rng.below(WORDS.len() as u64) as usize]).collect();
    words.join(" ") + "."
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::deflate::Deflater;
    use crate::lab::frames::Reader;
    use crate::model::{Deflate, Dir, FrameHeader, Opcode};
    use crate::ws::encode;

    #[test]
    fn each_seed_gives_other_bytes_of_the_size_asked_for() {
        for (fill, name) in Fill::ALL {
            assert_eq!(Fill::named(name), Some(fill));
            for size in [0, 1, 16, 4096, LENGTH - 1, LENGTH, 2 * LENGTH + 7] {
                let both = [0, 1].map(|seed| fill.bytes(size, seed));
                assert_eq!(both[0].len(), size);
                assert!(fill.is(size, 0, &both[0]) && fill.is(size, 1, &both[1]), "{name} {size}");
                if size > 16 && fill != Fill::Zeros {
                    assert!(!fill.is(size, 0, &both[1]) && !fill.is(size, 0, &both[0][1..]), "{name} {size}");
                }
            }
            let is_text = !matches!(fill, Fill::Picture | Fill::Mixed | Fill::Noise);
            assert_eq!(fill.text().is_ascii(), is_text, "{name}");
        }
    }

    /// What `deflate.keeps-window-9` and its like rest on.
    #[test]
    fn who_refers_back_farther_than_was_agreed_is_seen() {
        for bits in 8..15 {
            let agreed = Deflate {
                server_no_context_takeover: false,
                client_no_context_takeover: false,
                server_max_window_bits: bits,
                client_max_window_bits: 15,
            };
            let violation = |bits: u8| {
                let mut deflater = Deflater::new(bits, true);
                let mut frames = Reader::taking(100_000).open(Dir::Server, Some(agreed));
                (0..40).find_map(|nth| {
                    let mut payload = Vec::new();
                    deflater.message(&Fill::Json.bytes(9000, nth), &mut payload);
                    let header = FrameHeader {
                        rsv1: true,
                        ..FrameHeader::of(Opcode::TEXT, None, payload.len() as u64)
                    };
                    let mut bytes = Vec::new();
                    encode::frame(&header, &payload, &mut bytes);
                    frames.push(&bytes).violation.and_then(|it| it.rule)
                })
            };
            assert_eq!(violation(bits), None, "{bits}");
            assert_eq!(violation(15).map(|rule| rule.id), Some("pmd-window-exceeded"), "{bits}");
            assert_eq!(violation(bits.max(9) + 1).map(|rule| rule.id), Some("pmd-window-exceeded"), "{bits}");
        }
    }

    #[test]
    fn seeds_follow_one_another_and_never_overflow() {
        assert!(Fill::Words.is(10, u64::MAX, &Fill::Words.bytes(10, u64::MAX)));
        let long = Fill::Json.bytes(300, 0);
        assert_eq!(Fill::Json.bytes(100, 1), long[131..231]);
    }
}
