//! Text is UTF-8 (RFC 3629), checked as it comes, and the ways in which that is done wrong.

use super::bugs::Bug;
use super::endpoint::Stop;

/// The beginning of a character whose end has not come.
#[derive(Default)]
pub struct Utf8(Vec<u8>);

impl Utf8 {
    /// Takes what comes next.
    pub fn push(&mut self, bytes: &[u8], bug: Bug) -> Result<(), Stop> {
        self.0.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            let rest = &self.0[at..];
            let Err(error) = std::str::from_utf8(rest) else {
                at = self.0.len();
                break;
            };
            at += error.valid_up_to();
            match passed(&self.0[at..], bug) {
                Some(length) => at += length,
                None if error.error_len().is_some() => return Err(Stop::Fail(1007)),
                None => break,
            }
        }
        self.0.drain(..at);
        Ok(())
    }

    /// Nothing more comes.
    pub fn end(&mut self, bug: Bug) -> Result<(), Stop> {
        let is_whole = self.0.is_empty() || bug == Bug::CutTextAccepted;
        if is_whole { Ok(()) } else { Err(Stop::Fail(1007)) }
    }
}

/// Bytes of an invalid sequence that a decoder with a bug takes for a character.
fn passed(bytes: &[u8], bug: Bug) -> Option<usize> {
    match (bug, bytes) {
        (Bug::SurrogatesAccepted, [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..])
        | (Bug::OverlongAccepted, [0xE0, 0x80..=0x9F, 0x80..=0xBF, ..]) => Some(3),
        (Bug::OverlongAccepted, [0xC0 | 0xC1, 0x80..=0xBF, ..]) => Some(2),
        (Bug::OverlongAccepted, [0xF0, 0x80..=0x8F, _, _, ..])
        | (Bug::BeyondUnicodeAccepted, [0xF4, 0x90..=0xBF, _, _, ..] | [0xF5..=0xF7, _, _, _, ..]) => Some(4),
        _ => None,
    }
}

/// As programs do that never fail.
pub fn repaired(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(bytes).into_owned().into_bytes()
}
