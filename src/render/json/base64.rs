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
    let (sixes, rest) = bytes.as_chunks::<6>();
    let (eights, room) = room.as_chunks_mut::<8>();
    for (six, eight) in sixes.iter().zip(&mut *eights) {
        let mut word = [0; 8];
        word[2..].copy_from_slice(six);
        let bits = u64::from_be_bytes(word);
        let pair = |shift: u32| PAIRS[(bits >> shift & 0xFFF) as usize];
        let [one, two, three, four] = [pair(36), pair(24), pair(12), pair(0)];
        *eight = [one[0], one[1], two[0], two[1], three[0], three[1], four[0], four[1]];
    }
    // What is left takes less than eight symbols, or all of the last eight.
    let room = if sixes.len() < eights.len() { eights[sixes.len()].as_mut_slice() } else { room };
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
