//! Masking and unmasking, which are the same thing (RFC 6455 §5.3).
//!
//! Eight bytes are combined at a time with the key written twice, in loops
//! simple enough that the compiler makes vector code of them; from 4 KiB up they
//! run at the speed of a copy. Wider chunks are no faster, and
//! `iter_mut().enumerate()` with `key[i % 4]` does not vectorise at all.

/// Bytes that [`unmask_into`] takes at a time, as long as there are so many.
const STRIDE: usize = 128;

/// The same of what is left.
const STEP: usize = 32;

/// Combines `buf` with `key` in place.
///
/// `phase` is the offset of `buf` in the frame's payload; only its remainder
/// by 4 matters, so any offset may be given.
//= RFC 6455 §5.3
//# The same algorithm applies regardless of the direction of the translation
pub fn apply(buf: &mut [u8], key: [u8; 4], phase: usize) {
    let key = eight(key, phase);
    let word = u64::from_ne_bytes(key);
    let (words, tail) = buf.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, k) in tail.iter_mut().zip(key) {
        *byte ^= k;
    }
}

/// Writes `src` combined with `key` to the first `src.len()` bytes of `dst`.
///
/// One pass instead of a copy and an [`apply`]: what a reader of frames does
/// block by block into a scratch buffer. `phase` is as for [`apply`].
///
/// # Panics
/// If `dst` is shorter than `src`.
pub fn unmask_into(dst: &mut [u8], src: &[u8], key: [u8; 4], phase: usize) {
    let dst = &mut dst[..src.len()];
    let word = |phase| u64::from_ne_bytes(eight(key, phase));
    let first = word(phase);
    // Several words at a time, so that less is spent on counting them.
    let (to, from) = strides::<STRIDE>(dst, src, first);
    let (to, from) = strides::<STEP>(to, from, first);
    strides::<8>(to, from, first);
    // The last eight bytes may overlap those before them, and begin anywhere in the key.
    if let (Some(to), Some(from)) = (dst.last_chunk_mut(), src.last_chunk()) {
        *to = unmasked(*from, word(phase % 4 + src.len() % 4));
    } else {
        for ((to, from), k) in dst.iter_mut().zip(src).zip(eight(key, phase)) {
            *to = from ^ k;
        }
    }
}

/// Eight bytes combined with the key written twice.
#[inline]
fn unmasked(bytes: [u8; 8], word: u64) -> [u8; 8] {
    (u64::from_ne_bytes(bytes) ^ word).to_ne_bytes()
}

/// Unmasks `N` bytes at a time, as long as there are so many. Gives what is left.
#[allow(clippy::inline_always, reason = "three loops of one function")]
#[inline(always)]
fn strides<'t, 'f, const N: usize>(to: &'t mut [u8], from: &'f [u8], word: u64) -> (&'t mut [u8], &'f [u8]) {
    let (to, to_rest) = to.as_chunks_mut::<N>();
    let (from, from_rest) = from.as_chunks::<N>();
    for (to, from) in to.iter_mut().zip(from) {
        for (to, from) in to.as_chunks_mut::<8>().0.iter_mut().zip(from.as_chunks::<8>().0) {
            *to = unmasked(*from, word);
        }
    }
    (to_rest, from_rest)
}

/// Appends `src` combined with `key` to `dst`. `phase` is as for [`apply`].
pub fn append(dst: &mut Vec<u8>, src: &[u8], key: [u8; 4], phase: usize) {
    let start = dst.len();
    dst.extend_from_slice(src);
    apply(&mut dst[start..], key, phase);
}

/// The key as it meets eight bytes from payload offset `phase` on.
//= RFC 6455 §5.3
//# j                   = i MOD 4
#[inline]
pub(super) fn eight(key: [u8; 4], phase: usize) -> [u8; 8] {
    let key = u32::from_le_bytes(key).rotate_right(8 * (phase % 4) as u32);
    (u64::from(key) << 32 | u64::from(key)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// The RFC's formula, byte by byte.
    //= RFC 6455 §5.3
    //# transformed-octet-i = original-octet-i XOR masking-key-octet-j
    fn by_the_book(bytes: &[u8], phase: usize) -> Vec<u8> {
        bytes.iter().enumerate().map(|(i, byte)| byte ^ KEY[(phase + i) % 4]).collect()
    }

    #[test]
    fn every_length_and_phase_agrees_with_the_formula() {
        let bytes: Vec<u8> = (0..300u32).map(|i| (i * 7 + 3) as u8).collect();
        for len in 0..=bytes.len() {
            for phase in 0..=8 {
                let expected = by_the_book(&bytes[..len], phase);
                let mut in_place = bytes[..len].to_vec();
                apply(&mut in_place, KEY, phase);
                assert_eq!(in_place, expected, "in place, {len} bytes from {phase}");

                let mut copied = vec![0xEE; len + 3];
                unmask_into(&mut copied, &bytes[..len], KEY, phase);
                assert_eq!(copied[..len], expected, "copied, {len} bytes from {phase}");
                assert_eq!(copied[len..], [0xEE; 3], "nothing is written past the end");

                let mut appended = b"before".to_vec();
                append(&mut appended, &bytes[..len], KEY, phase);
                assert_eq!(appended, [b"before", &expected[..]].concat());
            }
        }
    }

    #[test]
    fn masking_twice_gives_the_original() {
        let mut bytes = b"Hello".to_vec();
        apply(&mut bytes, KEY, 0);
        assert_eq!(bytes, [0x7F, 0x9F, 0x4D, 0x51, 0x58]);
        apply(&mut bytes, KEY, 0);
        assert_eq!(bytes, b"Hello");
    }

    #[test]
    fn a_payload_can_be_unmasked_in_pieces_of_any_size() {
        let masked = by_the_book(&[0x55; 100], 0);
        for step in 1..20 {
            let mut plain = Vec::new();
            for (i, piece) in masked.chunks(step).enumerate() {
                append(&mut plain, piece, KEY, i * step);
            }
            assert_eq!(plain, [0x55; 100]);
        }
    }

    #[test]
    fn the_phase_may_be_any_offset() {
        let mut bytes = [0; 9];
        apply(&mut bytes, KEY, usize::MAX);
        assert_eq!(bytes, [0x3D, 0x37, 0xFA, 0x21, 0x3D, 0x37, 0xFA, 0x21, 0x3D]);
    }
}
