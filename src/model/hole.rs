//! Bytes that a capture does not have, in the midst of a payload.
//!
//! A payload that is shown holds the bytes that were captured, one behind the other, and a list of
//! the holes between them. Nothing stands for the bytes of a hole: their length is all that is kept.

use super::{Finding, Rule, SourceId, Span, Text};

/// A run of payload bytes that are missing from the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Offset of the first missing byte in the payload as it was sent.
    pub offset: u64,
    /// How many bytes are missing; at least one.
    pub length: u64,
}

/// A run of a payload, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Captured bytes, and the offset of the first of them in the payload as it was sent; never empty.
    Bytes(u64, &'a [u8]),
    /// Bytes that were not captured.
    Hole(Hole),
}

/// The captured bytes and the holes of a payload in the order in which they were sent.
pub fn parts<'a>(bytes: &'a [u8], holes: &'a [Hole]) -> impl Iterator<Item = Part<'a>> {
    let (mut rest, mut holes, mut at) = (bytes, holes.iter().copied().peekable(), 0);
    std::iter::from_fn(move || {
        let until = holes.peek().map(|hole| hole.offset.saturating_sub(at));
        match until {
            Some(0) => {
                let hole = holes.next()?;
                at += hole.length;
                Some(Part::Hole(hole))
            }
            _ if rest.is_empty() => None,
            until => {
                let until = usize::try_from(until.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
                let (now, later) = rest.split_at(rest.len().min(until));
                let from = at;
                (rest, at) = (later, at + now.len() as u64);
                Some(Part::Bytes(from, now))
            }
        }
    })
}

/// The bytes before the first hole: all that can be read as one.
pub fn unbroken<'a>(bytes: &'a [u8], holes: &[Hole]) -> &'a [u8] {
    let Some(first) = holes.first() else { return bytes };
    let end = usize::try_from(first.offset).unwrap_or(usize::MAX);
    &bytes[..bytes.len().min(end)]
}

/// The holes before, between and right behind the first `shown` captured bytes.
pub fn among(holes: &[Hole], shown: usize) -> &[Hole] {
    let mut before = 0;
    let count = holes.iter().take_while(|hole| {
        let captured = hole.offset - before;
        before += hole.length;
        captured <= shown as u64
    });
    &holes[..count.count()]
}

/// The holes before `offset` of the payload as it was sent.
pub fn until(holes: &[Hole], offset: u64) -> &[Hole] {
    &holes[..holes.partition_point(|hole| hole.offset < offset)]
}

/// How many bytes the holes are long together.
pub fn missing(holes: &[Hole]) -> u64 {
    holes.iter().map(|hole| hole.length).sum()
}

/// The captured byte at `offset` of the payload as it was sent; `None` in a hole, and behind what is there.
pub fn byte(bytes: &[u8], holes: &[Hole], offset: u64) -> Option<u8> {
    let mut before = 0;
    for hole in until(holes, offset.saturating_add(1)) {
        if offset < hole.offset.saturating_add(hole.length) {
            return None;
        }
        before += hole.length;
    }
    bytes.get(usize::try_from(offset - before).ok()?).copied()
}

/// Adds a hole behind those there are. Two that touch are one.
pub fn push(holes: &mut Vec<Hole>, hole: Hole) {
    match holes.last_mut() {
        Some(last) if last.offset + last.length == hole.offset => last.length += hole.length,
        _ => holes.push(hole),
    }
}

/// Whether each part of `bytes` is text, but for characters that a hole, or with `more` the end, cuts.
pub fn is_text(bytes: &[u8], holes: &[Hole], more: bool) -> bool {
    let mut behind_hole = false;
    let mut all = parts(bytes, holes).peekable();
    while let Some(part) = all.next() {
        let Part::Bytes(_, mut bytes) = part else {
            behind_hole = true;
            continue;
        };
        if behind_hole {
            // At most three bytes of a character that began in the hole.
            let rest = bytes.iter().take(3).take_while(|byte| (0x80..0xC0).contains(*byte)).count();
            bytes = &bytes[rest..];
        }
        let cut = more || all.peek().is_some();
        match str::from_utf8(bytes) {
            Ok(_) => {}
            Err(error) if cut && error.error_len().is_none() => {}
            Err(_) => return false,
        }
    }
    true
}

/// How much of a stream is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Bytes, as far as can be told.
    pub length: u64,
    /// It is known to the byte: what was under way goes on behind it.
    pub is_exact: bool,
}

impl Missing {
    /// So many bytes, neither more nor less.
    pub fn exactly(length: u64) -> Self {
        Self { length, is_exact: true }
    }
}

/// Stream bytes that are missing from the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Offset of the first missing byte in the sender's stream.
    pub offset: u64,
    /// How many bytes are missing.
    pub length: u64,
    /// Packets on both sides of the hole; `None` where there is none.
    pub between: (Option<u64>, Option<u64>),
    /// What became of the frames around it.
    pub effect: GapEffect,
}

/// What a gap did to decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapEffect {
    /// It lay inside a payload; frame boundaries are still known.
    SkippedInPayload,
    /// It lay over a header; decoding goes on at the next plausible one.
    Resynchronised,
    /// It lay over a header, and no plausible one was found.
    Desynchronised,
    /// It lay in a body that streams; what follows is read from where its next unit begins.
    WithinStream,
    /// It lay over the framing of such a body; it is read on from the next plausible chunk.
    StreamFound,
    /// It lay in a body that streams, and nothing behind it was read.
    StreamLost,
}

impl Gap {
    /// The packets around it, or twice the only one.
    pub fn packets(&self) -> Option<(u64, u64)> {
        let (before, behind) = self.between;
        before.or(behind).zip(behind.or(before))
    }

    /// What it breaks of `rule`; `got` is what is there, and `source` is where it is missing.
    pub fn finding(&self, rule: &'static Rule, source: SourceId, got: Text) -> Finding {
        let span = Span::bytes(source, self.offset, self.length);
        Finding::new(rule, None, "every byte of the stream".into(), got).at(span)
    }

    /// How long it is, and where.
    pub fn missing(&self) -> Text {
        Text::with("{} bytes missing at offset {}", self.length).and(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLES: &[Hole] = &[Hole { offset: 0, length: 2 }, Hole { offset: 5, length: 4 }];

    #[test]
    fn parts_stand_where_they_were_sent() {
        let all: Vec<_> = parts(b"abcdef", HOLES).collect();
        let expected = [
            Part::Hole(HOLES[0]),
            Part::Bytes(2, &b"abc"[..]),
            Part::Hole(HOLES[1]),
            Part::Bytes(9, &b"def"[..]),
        ];
        assert_eq!(all, expected);
        assert_eq!(parts(b"abc", HOLES).last(), Some(Part::Hole(HOLES[1])));
        assert_eq!(parts(b"", &[]).count(), 0);
    }

    #[test]
    fn bytes_are_found_by_the_offset_they_were_sent_at() {
        let found: Vec<_> = (0..13).map(|at| byte(b"abcdef", HOLES, at)).collect();
        let expected = b"..abc....def.".map(|byte| (byte != b'.').then_some(byte));
        assert_eq!(found, expected);
        assert_eq!(unbroken(b"abcdef", HOLES), b"");
        assert_eq!(unbroken(b"abcdef", &HOLES[1..]), b"abcde");
        assert_eq!(missing(HOLES), 6);
    }

    #[test]
    fn what_is_shown_has_the_holes_that_it_shows() {
        assert_eq!([0, 2, 3, 6].map(|shown| among(HOLES, shown).len()), [1, 1, 2, 2]);
    }

    #[test]
    fn holes_that_touch_are_one() {
        let mut holes = vec![Hole { offset: 3, length: 2 }];
        push(&mut holes, Hole { offset: 5, length: 1 });
        push(&mut holes, Hole { offset: 7, length: 1 });
        assert_eq!(holes, [Hole { offset: 3, length: 3 }, Hole { offset: 7, length: 1 }]);
    }

    #[test]
    fn a_character_may_be_cut_by_a_hole() {
        let hole = |offset| [Hole { offset, length: 1 }];
        assert!(is_text("né".as_bytes(), &hole(2), false));
        assert!(is_text(b"\xa9e\xc3", &hole(0), true), "ends cut both ways");
        assert!(!is_text(b"\xa9e\xc3", &hole(0), false));
        assert!(!is_text(b"a\xffb", &hole(0), true));
        assert!(!is_text(b"\xa9a", &hole(2), true), "nothing is missing before it");
    }
}
