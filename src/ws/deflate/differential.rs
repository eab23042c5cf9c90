//! The inflater against zlib's: whole streams, broken ones, in any pieces.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use proptest::prelude::*;

use super::{Fault, Inflater};

/// How a stream is made: what is in each part, and how it is compressed.
#[derive(Clone, Debug)]
struct Part {
    alphabet: u8,
    length: usize,
    seed: u32,
    level: u32,
    flush: bool,
}

fn part() -> impl Strategy<Value = Part> {
    (1u8..=255, 0usize..3000, any::<u32>(), 0u32..=9, any::<bool>())
        .prop_map(|(alphabet, length, seed, level, flush)| Part { alphabet, length, seed, level, flush })
}

/// One raw DEFLATE stream of all parts, with stored, fixed and dynamic blocks.
fn stream(parts: &[Part]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::new(parts[0].level), false);
    let mut out = Vec::new();
    for part in parts {
        let mut state = part.seed | 1;
        let bytes: Vec<u8> = (0..part.length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Half of it repeats itself within few values.
                ((state >> 24) as u8 % part.alphabet).wrapping_add(b' ')
            })
            .collect();
        out.reserve(2 * bytes.len() + 1000);
        let flush = if part.flush { FlushCompress::Sync } else { FlushCompress::Partial };
        compress.compress_vec(&bytes, &mut out, flush).unwrap();
    }
    out
}

/// What zlib makes of it, up to an error at some byte or a final block.
fn zlib(bytes: &[u8]) -> (Vec<u8>, Option<u64>, bool) {
    let mut stream = Decompress::new(false);
    let mut out = Vec::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        let (taken, given) = (stream.total_in(), stream.total_out());
        let result = stream.decompress(&bytes[taken as usize..], &mut piece, FlushDecompress::None);
        out.extend_from_slice(&piece[..(stream.total_out() - given) as usize]);
        match result {
            Err(_) => return (out, Some(stream.total_in()), false),
            Ok(Status::StreamEnd) => return (out, None, true),
            Ok(_) if stream.total_out() == given => return (out, None, false),
            Ok(_) => {}
        }
    }
}

/// What the inflater makes of it, `cut` bytes at a time, whether its window is in a cache or not.
fn ours(bytes: &[u8], cut: usize) -> (Vec<u8>, Option<u64>) {
    let [warm, cold] = [false, true].map(|is_cold| inflated(bytes, cut, is_cold));
    assert!(warm == cold, "the way is another, and nothing else");
    cold
}

fn inflated(bytes: &[u8], cut: usize, is_cold: bool) -> (Vec<u8>, Option<u64>) {
    let mut inflater = Inflater::new();
    inflater.is_cold(is_cold);
    let mut out = Vec::new();
    inflater.begin();
    for piece in bytes.chunks(cut) {
        match inflater.push(piece, &mut |piece| out.extend_from_slice(piece)) {
            Ok(()) => {}
            Err(Fault::Corrupt { at }) => return (out, Some(at)),
            Err(Fault::TooLarge) => panic!("no bombs here"),
        }
    }
    (out, None)
}

/// One fixed block of literals below 144, each by its code of eight bits, and matches (RFC 1951 §3.2.6).
struct Fixed {
    out: Vec<u8>,
    bits: u32,
}

impl Fixed {
    /// The block's header: a final one.
    fn new() -> Self {
        let mut block = Self { out: Vec::new(), bits: 0 };
        block.put(0b011, 3);
        block
    }

    fn put(&mut self, value: u32, count: u32) {
        for i in 0..count {
            if self.bits.is_multiple_of(8) {
                self.out.push(0);
            }
            *self.out.last_mut().unwrap() |= ((value >> i & 1) as u8) << (self.bits % 8);
            self.bits += 1;
        }
    }

    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    fn literals(&mut self, bytes: impl Iterator<Item = u32>) {
        bytes.for_each(|byte| self.code(0x30 + byte % 144, 8));
    }

    /// 258 bytes from so far back, 24,577 at least.
    fn far(&mut self, distance: u32) {
        self.code(0b1100_0101, 8);
        self.code(29, 5);
        self.put(distance - 24_577, 13);
    }
}

#[test]
fn what_waits_to_be_copied_is_not_written_over() {
    let noise = |from: u32| (from..).map(|i| i.wrapping_mul(2_654_435_761) >> 13);
    for distance in [24_577, 28_671, 28_672, 28_673, 30_000, 32_768] {
        for behind in [0, 100, 3_837, 3_838, 3_839, 4_096, 6_000] {
            let mut block = Fixed::new();
            block.literals(noise(1).take(40_000));
            block.far(distance);
            block.literals(noise(100_000).take(behind));
            block.far(distance);
            block.literals(noise(200_000).take(6_000));
            block.code(0, 7);
            let (wanted, error, is_over) = zlib(&block.out);
            assert!(error.is_none() && is_over);
            assert_eq!(wanted.len(), 40_000 + behind + 6_000 + 2 * 258);
            assert!(ours(&block.out, usize::MAX) == (wanted, None), "{distance} {behind}");
        }
    }
}

/// Whether our fault is one that zlib sees later, and `zlib` is where: in a dynamic block in which all codes
/// for lengths are said to have no bits (RFC 1951 §3.2.7). No length can be written so, and the block is at
/// fault as soon as this is read. zlib takes a bit for each length, as if it were a zero, and then misses the
/// code that ends the block; when the stream ends before that, it misses nothing.
fn is_seen_late(bytes: &[u8], ours: Option<u64>, zlib: Option<u64>) -> bool {
    let Some(at) = ours.map(|at| at as usize) else { return false };
    let number = |from: usize, count: usize| {
        (from..from + count)
            .rev()
            .fold(0u64, |number, i| number << 1 | u64::from(bytes[i / 8] >> (i % 8) & 1))
    };
    (8 * at - 7..=8 * at).any(|end| {
        (4..=19usize).any(|order| {
            let Some(start) = end.checked_sub(3 + 14 + 3 * order) else { return false };
            let [literals, distances] = [number(start + 3, 5) + 257, number(start + 8, 5) + 1];
            let late = (end as u64 + literals + distances).div_ceil(8);
            number(start + 1, 2) == 2
                && number(start + 13, 4) == order as u64 - 4
                && number(start + 17, 3 * order) == 0
                && zlib == (late <= bytes.len() as u64).then_some(late)
        })
    })
}

/// Holds that `bytes` inflate to what zlib inflates them to, up to the same fault.
fn compare(bytes: &[u8], cut: usize) {
    let (wanted, error, is_over) = zlib(bytes);
    let (out, ours) = ours(bytes, cut);
    // Behind a final block zlib is over, while the connection goes on.
    if is_over {
        assert!(out.starts_with(&wanted));
    } else {
        assert!(out == wanted);
        assert!(ours == error || is_seen_late(bytes, ours, error), "ours: {ours:?}, of zlib: {error:?}");
    }
}

#[test]
fn a_code_for_lengths_without_symbols_is_at_fault_before_lengths_are_read() {
    // 257 literals, one distance, and four lengths of the code for lengths, all 0: 29 bits. zlib reads on for
    // 258.
    let empty = [&[0x04, 0x00, 0x00, 0x00][..], &[0xAA; 40]].concat();
    for (bytes, late) in [(&empty[..], Some(36)), (&empty[..36], Some(36)), (&empty[..35], None)] {
        assert_eq!((zlib(bytes).1, ours(bytes, 1).1), (late, Some(4)));
        compare(bytes, 1);
        assert!(!is_seen_late(bytes, Some(4), Some(35)) && !is_seen_late(bytes, Some(3), late));
        assert!(!is_seen_late(bytes, None, late));
    }
    // Bits that are no code of a block end it by chance, and such a block begins.
    let mut bytes = stream(&[Part { alphabet: 32, length: 113, seed: 4_091_794_176, level: 2, flush: true }]);
    bytes[88] = 4;
    assert_eq!((zlib(&bytes).1, ours(&bytes, 1).1), (None, Some(95)));
    compare(&bytes, 1);
}

#[test]
fn a_code_for_lengths_of_one_symbol_is_at_fault_before_lengths_are_read() {
    // As above, with a code of one bit for the length 0: no other length can be written.
    let single = [&[0x04, 0x00, 0x00, 0x04][..], &[0x00; 40]].concat();
    assert_eq!((zlib(&single).1, ours(&single, 1).1), (Some(4), Some(4)));
}

proptest! {
    #[test]
    fn a_stream_inflates_to_what_zlib_inflates_it_to(
        parts in prop::collection::vec(part(), 1..40),
        cut in prop_oneof![1usize..40, Just(usize::MAX)],
    ) {
        let bytes = stream(&parts);
        let (wanted, error, _) = zlib(&bytes);
        prop_assert_eq!(error, None);
        let (out, error) = ours(&bytes, cut);
        prop_assert_eq!(error, None);
        prop_assert!(out == wanted);
    }

    #[test]
    fn a_broken_stream_breaks_where_it_breaks_for_zlib(
        parts in prop::collection::vec(part(), 1..4),
        broken in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop_oneof![1usize..40, Just(usize::MAX)],
    ) {
        let mut bytes = stream(&parts);
        for (place, value) in broken {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        compare(&bytes, cut);
    }

    #[test]
    fn any_bytes_break_where_they_break_for_zlib(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        cut in 1usize..40,
    ) {
        compare(&bytes, cut);
    }
}
