//! Base64 (RFC 4648 §4) of payloads, which are long: twelve bits at a time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Two symbols for each value of twelve bits.
static PAIRS: [[u8; 2]; 4096] = {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut pairs = [[0; 2]; 4096];
    let mut at = 0;
    while at < pairs.len() {
        pairs[at] = [SYMBOLS[at >> 6], SYMBOLS[at & 63]];
        at += 1;
    }
    pairs
};

/// How many symbols bytes have, with padding.
pub(super) fn encoded(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Encodes `bytes`, with padding, into `room` that is exactly what is needed.
pub(super) fn encode(bytes: &[u8], room: &mut [u8]) {
    let (dozens, rest) = bytes.as_chunks::<12>();
    let (sixteens, last) = room.as_chunks_mut::<16>();
    for (dozen, sixteen) in dozens.iter().zip(&mut *sixteens) {
        // Two words of eight bytes, which overlap by four.
        let [first @ .., _, _, _, _] = dozen;
        let [_, _, _, _, second @ ..] = dozen;
        let (first, second) = (u64::from_be_bytes(*first), u64::from_be_bytes(*second));
        let bits = [first >> 52, first >> 40, first >> 28, first >> 16];
        let bits = bits.into_iter().chain([second >> 36, second >> 24, second >> 12, second]);
        let (pairs, _) = sixteen.as_chunks_mut::<2>();
        for (pair, bits) in pairs.iter_mut().zip(bits) {
            *pair = PAIRS[(bits & 0xFFF) as usize];
        }
    }
    // What is left takes less than sixteen symbols, or all of the last sixteen.
    let room = if dozens.len() < sixteens.len() { sixteens[dozens.len()].as_mut_slice() } else { last };
    // The room is exactly what is needed.
    let _ = STANDARD.encode_slice(rest, room);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_as_the_crate_has_it() {
        let bytes: Vec<u8> = (0..200_u32).map(|i| (i * 167 + 13) as u8).chain([0, 255, 62, 63]).collect();
        for length in 0..bytes.len() {
            let mut room = vec![b'!'; encoded(length)];
            encode(&bytes[..length], &mut room);
            assert_eq!(String::from_utf8(room).unwrap(), STANDARD.encode(&bytes[..length]));
        }
        for value in 0..=u16::MAX {
            let bytes = [value.to_be_bytes(); 3].concat();
            let mut room = [0; 8];
            encode(&bytes, &mut room);
            assert_eq!(str::from_utf8(&room).unwrap(), STANDARD.encode(&bytes));
        }
    }
}
