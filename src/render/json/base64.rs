//! Base64 (RFC 4648 §4) of payloads, which are long: twelve bits at a time.

/// Bytes that are encoded together, and the symbols they have.
const FIFTEEN: usize = 15;
const TWENTY: usize = 20;

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
pub(super) const fn encoded(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Encodes `bytes`, with padding, into `room` that is exactly what is needed.
pub(super) fn encode(bytes: &[u8], room: &mut [u8]) {
    let (longs, rest) = bytes.as_chunks::<{ 4 * FIFTEEN }>();
    let (rooms, _) = room.as_chunks_mut::<{ 4 * TWENTY }>();
    for (long, room) in longs.iter().zip(rooms) {
        fifteens(long, room);
    }
    // As much of the room is filled as was encoded.
    let room = &mut room[longs.len() * 4 * TWENTY..];
    let (_, last) = rest.as_chunks::<FIFTEEN>();
    fifteens(rest, room);
    let room = &mut room[(rest.len() - last.len()) / FIFTEEN * TWENTY..];
    few(last, room);
}

/// Encodes bytes fifteen at a time, as long as there are so many.
#[allow(clippy::inline_always, reason = "where it is known how many there are, there is no loop")]
#[inline(always)]
fn fifteens(bytes: &[u8], room: &mut [u8]) {
    let (fifteens, _) = bytes.as_chunks::<FIFTEEN>();
    let (twenties, _) = room.as_chunks_mut::<TWENTY>();
    for (fifteen, twenty) in fifteens.iter().zip(twenties) {
        // Two words of eight bytes, which overlap by one: of each, sixty bits count.
        let [first @ .., _, _, _, _, _, _, _] = fifteen;
        let [_, _, _, _, _, _, _, second @ ..] = fifteen;
        let (first, second) = (u64::from_be_bytes(*first), u64::from_be_bytes(*second));
        let bits = [first >> 52, first >> 40, first >> 28, first >> 16, first >> 4];
        let bits = bits.into_iter().chain([second >> 48, second >> 36, second >> 24, second >> 12, second]);
        let (pairs, _) = twenty.as_chunks_mut::<2>();
        for (pair, bits) in pairs.iter_mut().zip(bits) {
            *pair = PAIRS[(bits & 0xFFF) as usize];
        }
    }
}

/// Encodes fewer than that, with padding.
fn few(bytes: &[u8], room: &mut [u8]) {
    let (triples, last) = bytes.as_chunks::<3>();
    let (fours, _) = room.as_chunks_mut::<4>();
    for (&[a, b, c], four) in triples.iter().zip(&mut *fours) {
        *four = four_of([a, b, c]);
    }
    let Some(four) = fours.get_mut(triples.len()) else { return };
    match *last {
        [a] => {
            *four = four_of([a, 0, 0]);
            four[2..].fill(b'=');
        }
        [a, b] => {
            *four = four_of([a, b, 0]);
            four[3] = b'=';
        }
        _ => {}
    }
}

/// The four symbols of three bytes.
#[inline]
fn four_of([a, b, c]: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, a, b, c]) as usize;
    let ([one, two], [three, four]) = (PAIRS[bits >> 12], PAIRS[bits & 0xFFF]);
    [one, two, three, four]
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

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
            let bytes = [value.to_be_bytes(); 17].concat();
            let mut room = [0; encoded(34)];
            encode(&bytes, &mut room);
            assert_eq!(str::from_utf8(&room).unwrap(), STANDARD.encode(&bytes));
        }
    }
}
