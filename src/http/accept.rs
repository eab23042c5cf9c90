//! The echo that proves a server understood the handshake (RFC 6455 §1.3, §4.2.2).
//!
//! [`accept_value`] computes it, [`Steps`] shows how, [`check_key`] says whether a
//! key is one, and [`diagnose`] tells from a wrong answer what was done wrong.

mod diagnose;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest, Sha1};

use crate::model::Text;

pub use diagnose::diagnose;

/// The string that every server appends to the client's key (RFC 6455 §1.3).
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The key that RFC 6455 §4.1 prints as its example. The last symbol carries four
/// bits that no byte uses and that are not zero, so it is not canonical Base64.
pub const RFC_KEY: &[u8] = b"AQIDBAUGBwgJCgsMDQ4PEC==";

/// Decodes what a lenient decoder would: padding may be missing, unused bits may be set.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The `Sec-WebSocket-Accept` value for a key, as text and not decoded.
pub fn accept_value(key: &[u8]) -> String {
    //= RFC 6455 §4.2.2
    //# taking the SHA-1 hash of this concatenated value to obtain a 20-byte value and
    STANDARD.encode(digest_of(key))
}

/// What a key is answered with, before it is written in Base64.
pub(super) fn digest_of(key: &[u8]) -> [u8; 20] {
    digest(&[key, GUID.as_bytes()])
}

/// [`digest_of`] a key of the usual length, whose two blocks (RFC 3174 §4) need not be gathered.
pub(super) fn digest_of_usual(key: &[u8; 24]) -> [u8; 20] {
    /// RFC 3174 §6.1.
    const BEGINNING: [u32; 5] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
    const LENGTH: usize = 24 + GUID.len();
    let mut blocks = [[0; 64]; 2];
    blocks[0][..24].copy_from_slice(key);
    blocks[0][24..LENGTH].copy_from_slice(GUID.as_bytes());
    blocks[0][LENGTH] = 0x80;
    blocks[1][56..].copy_from_slice(&(LENGTH as u64 * 8).to_be_bytes());
    let mut state = BEGINNING;
    sha1::block_api::compress(&mut state, &blocks);
    let mut digest = [0; 20];
    for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

fn digest(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |b: &u8| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]].map(char::from);
    bytes.iter().flat_map(digits).collect()
}

/// Every step from a key to its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The key as it is sent. Untrusted.
    pub key: String,
    /// The bytes the key stands for; they take no part in the computation. `None` when it is no Base64.
    pub decoded: Option<Vec<u8>>,
    /// Key and [`GUID`] in one string.
    pub joined: String,
    /// SHA-1 of that string.
    pub digest: [u8; 20],
    /// The digest in Base64.
    pub accept: String,
}

impl Steps {
    /// The steps from `key`, the value of `Sec-WebSocket-Key` as it was sent (RFC 6455 §4.2.2).
    pub fn of(key: &[u8]) -> Self {
        let text = String::from_utf8_lossy(key).into_owned();
        let digest = digest_of(key);
        Self {
            joined: format!("{text}{GUID}"),
            decoded: LENIENT.decode(key).ok(),
            accept: STANDARD.encode(digest),
            key: text,
            digest,
        }
    }
}

/// What is wrong with a key. Offsets are in bytes from the key's first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyProblem {
    /// It has no bytes.
    Empty,
    /// White space or a line end at the beginning or the end.
    SurroundingSpace {
        /// Offset of the first such byte.
        at: usize,
    },
    /// A byte that is no Base64 symbol, or padding before the end.
    InvalidSymbol {
        /// Offset of the byte.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// The right number of symbols without the final `==`.
    MissingPadding {
        /// Where it should begin.
        at: usize,
    },
    /// Base64, but not of 16 bytes.
    WrongLength {
        /// Where the key ends.
        at: usize,
        /// How many it encodes.
        bytes: usize,
    },
    /// The last symbol's unused bits are not zero (RFC 4648 §3.5).
    NonCanonical {
        /// Offset of that symbol.
        at: usize,
        /// The key as it should be written.
        canonical: String,
    },
}

/// Symbols of a key before its padding.
const SYMBOLS: usize = 22;

/// Checks that a key is 16 bytes in canonical Base64 (RFC 6455 §4.1, RFC 4648 §4).
///
/// The RFC's own example, [`RFC_KEY`], is reported as not canonical too: whether
/// to accept it is the caller's choice.
pub fn check_key(key: &[u8]) -> Result<[u8; 16], KeyProblem> {
    let (Some(first), Some(last)) = (key.first(), key.last()) else { return Err(KeyProblem::Empty) };
    if first.is_ascii_whitespace() {
        return Err(KeyProblem::SurroundingSpace { at: 0 });
    }
    if last.is_ascii_whitespace() {
        return Err(KeyProblem::SurroundingSpace { at: key.trim_ascii_end().len() });
    }
    let padding = key.iter().rev().take(2).take_while(|b| **b == b'=').count();
    let symbols = &key[..key.len() - padding];
    if let Some(at) = symbols.iter().position(|&b| !is_symbol(b)) {
        return Err(KeyProblem::InvalidSymbol { at, byte: symbols[at] });
    }
    if symbols.len() != SYMBOLS || padding == 1 {
        let bytes = symbols.len() * 6 / 8;
        return Err(match symbols.len() {
            SYMBOLS => KeyProblem::MissingPadding { at: key.len() },
            _ => KeyProblem::WrongLength { at: symbols.len().min(SYMBOLS), bytes },
        });
    }
    if padding == 0 {
        return Err(KeyProblem::MissingPadding { at: key.len() });
    }
    let Some(decoded) = LENIENT.decode(key).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()) else {
        return Err(KeyProblem::WrongLength { at: 0, bytes: 0 });
    };
    // 22 symbols carry 132 bits, 4 more than 16 bytes have; only these symbols leave them zero.
    if matches!(symbols[SYMBOLS - 1], b'A' | b'Q' | b'g' | b'w') {
        Ok(decoded)
    } else {
        Err(KeyProblem::NonCanonical { at: SYMBOLS - 1, canonical: STANDARD.encode(decoded) })
    }
}

fn is_symbol(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'+' || b == b'/'
}

impl KeyProblem {
    /// Offset of the first byte that shows it.
    pub fn at(&self) -> usize {
        match *self {
            Self::Empty => 0,
            Self::SurroundingSpace { at }
            | Self::InvalidSymbol { at, .. }
            | Self::MissingPadding { at }
            | Self::WrongLength { at, .. }
            | Self::NonCanonical { at, .. } => at,
        }
    }

    /// What is wrong, and where.
    pub fn text(&self) -> Text {
        match self {
            Self::Empty => Text::new("the key is empty"),
            Self::SurroundingSpace { at } => Text::with("white space or a line end at offset {}", at),
            Self::InvalidSymbol { at, byte: b'-' | b'_' } => {
                Text::with("the symbol at offset {} belongs to the URL-safe alphabet; keys use + and /", at)
            }
            Self::InvalidSymbol { at, byte: b'=' } => {
                Text::with("padding (=) at offset {}, where none belongs", at)
            }
            Self::InvalidSymbol { at, byte } => {
                Text::with("byte 0x{} at offset {} is no Base64 symbol", format!("{byte:02x}")).and(at)
            }
            Self::MissingPadding { at } => {
                Text::with("the padding (==) is missing or incomplete at offset {}", at)
            }
            Self::WrongLength { at, bytes } => {
                Text::with("not 16 bytes but {}; the difference begins at offset {}", bytes).and(at)
            }
            Self::NonCanonical { at, canonical } => {
                Text::with("the last symbol (offset {}) sets bits that no byte uses; canonical is {}", at)
                    .and(canonical)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_pairs() {
        let pairs = [
            ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
            ("Iv8io/9s+lYFgZWcXczP8Q==", "hsBlbuDTkk24srzEOTBUlZAlC2g="),
            ("w4v7O6xFTi36lq3RNcgctw==", "Oy4NRAQ13jhfONC7bP8dTKb4PTU="),
            ("AQIDBAUGBwgJCgsMDQ4PEC==", "OfS0wDaT5NoxF2gqm7Zj2YtetzM="),
            ("AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="),
        ];
        for (key, accept) in pairs {
            assert_eq!(accept_value(key.as_bytes()), accept, "{key}");
            let usual = key.as_bytes().try_into().unwrap();
            assert_eq!(digest_of_usual(usual), digest_of(key.as_bytes()), "{key}");
        }
    }

    /// RFC 6455 §1.3 and §4.2.2 print every step.
    #[test]
    fn the_steps_of_the_rfc() {
        let steps = Steps::of(b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(steps.decoded.as_deref(), Some(&b"the sample nonce"[..]));
        assert_eq!(steps.joined, "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
        assert_eq!(
            steps.digest,
            [
                0xb3, 0x7a, 0x4f, 0x2c, 0xc0, 0x62, 0x4f, 0x16, 0x90, 0xf6, 0x46, 0x06, 0xcf, 0x38, 0x59,
                0x45, 0xb2, 0xbe, 0xc4, 0xea
            ]
        );
        assert_eq!(steps.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_key_is_sixteen_bytes_in_canonical_base64() {
        assert_eq!(check_key(b"dGhlIHNhbXBsZSBub25jZQ=="), Ok(*b"the sample nonce"));
        assert_eq!(check_key(b"AQIDBAUGBwgJCgsMDQ4PEA==").map(|bytes| bytes[15]), Ok(16));
    }

    #[test]
    fn what_is_wrong_with_a_key_and_where() {
        let canonical = "AQIDBAUGBwgJCgsMDQ4PEA==".to_owned();
        let cases: &[(&[u8], KeyProblem)] = &[
            (b"", KeyProblem::Empty),
            (b" dGhlIHNhbXBsZSBub25jZQ==", KeyProblem::SurroundingSpace { at: 0 }),
            (b"dGhlIHNhbXBsZSBub25jZQ==\r\n", KeyProblem::SurroundingSpace { at: 24 }),
            (b"dGhlIHNhbXBsZSBub25jZQ", KeyProblem::MissingPadding { at: 22 }),
            (b"dGhlIHNhbXBsZSBub25jZQ=", KeyProblem::MissingPadding { at: 23 }),
            (b"dGhlIHNhbXBsZSBub25jZQ===", KeyProblem::InvalidSymbol { at: 22, byte: b'=' }),
            (b"dGhl!HNhbXBsZSBub25jZQ==", KeyProblem::InvalidSymbol { at: 4, byte: b'!' }),
            (b"dGhl-HNhbXBsZSBub25jZQ==", KeyProblem::InvalidSymbol { at: 4, byte: b'-' }),
            (b"dGhlIHNhbXBsZSBub25j", KeyProblem::WrongLength { at: 20, bytes: 15 }),
            (b"dGhlIHNhbXBsZSBub25jZSE=", KeyProblem::WrongLength { at: 22, bytes: 17 }),
            (b"==", KeyProblem::WrongLength { at: 0, bytes: 0 }),
            (b"MTM=", KeyProblem::WrongLength { at: 3, bytes: 2 }),
            (RFC_KEY, KeyProblem::NonCanonical { at: 21, canonical }),
        ];
        for (key, problem) in cases {
            let shown = String::from_utf8_lossy(key);
            assert_eq!(check_key(key), Err(problem.clone()), "{shown:?}");
            assert!(problem.at() <= key.len(), "{shown:?}");
            assert!(!problem.text().is_empty());
        }
    }
}
