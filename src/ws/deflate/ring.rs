//! The window: a ring in which matches are copied.

#![allow(clippy::inline_always, reason = "the innermost loop: measured")]

/// The largest window DEFLATE knows.
pub(super) const WINDOW: usize = 32 * 1024;

/// Copies `length` bytes from `distance` before `at` to there, which fit before the end of the ring.
#[inline(always)]
pub(super) fn copy_all(ring: &mut [u8], at: usize, distance: usize, length: usize) {
    let copied = copy(ring, at, distance, length);
    if copied < length {
        // What stands behind the end of the ring stands at its beginning.
        copy(ring, at + copied, distance, length - copied);
    }
}

/// Copies up to `length` bytes from `distance` before `at` to there, as many as fit before the end of the
/// ring; says how many.
#[inline(always)]
pub(super) fn copy(ring: &mut [u8], at: usize, distance: usize, length: usize) -> usize {
    let length = length.min(ring.len() - at);
    let Some(from) = at.checked_sub(distance) else {
        // From the end of the ring, which may go on at its beginning.
        let from = ring.len() + at - distance;
        let length = length.min(ring.len() - from);
        ring.copy_within(from..from + length, at);
        return length;
    };
    if distance >= length {
        let (before, behind) = ring.split_at_mut(at);
        let (source, target) = (&before[from..from + length], &mut behind[..length]);
        // Most are short: two words that overlap are sooner copied than a call is made.
        match length {
            0..4 => source.iter().zip(target).for_each(|(from, to)| *to = *from),
            4..8 => copy_ends::<4>(source, target),
            8..=16 => copy_ends::<8>(source, target),
            _ => target.copy_from_slice(source),
        }
    } else {
        // What is copied is copied again.
        let mut done = distance;
        ring.copy_within(from..at, at);
        while done < length {
            let now = done.min(length - done);
            ring.copy_within(at..at + now, at + done);
            done += now;
        }
    }
    length
}

/// Copies as many bytes as `N` to twice `N` are.
#[inline(always)]
fn copy_ends<const N: usize>(source: &[u8], target: &mut [u8]) {
    if let (Some(first), Some(last)) = (source.first_chunk::<N>(), source.last_chunk::<N>())
        && let Some(place) = target.first_chunk_mut()
    {
        *place = *first;
        if let Some(place) = target.last_chunk_mut() {
            *place = *last;
        }
    }
}
