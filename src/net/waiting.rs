//! What one direction has received and cannot deliver yet.

use std::ops::Range;

use super::StreamEnd;
use super::reassembly::{Carrier, Piece, Pieces};
use crate::limits;

/// What cannot be delivered yet.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub pieces: Pieces,
    /// Positions that the capture cut off.
    cuts: Vec<Range<u64>>,
    pub end: Option<End>,
}

/// Where a direction ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub position: u64,
    pub how: StreamEnd,
    pub by: Carrier,
}

/// The next thing that can be delivered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub by: Carrier,
    pub what: Next,
}

/// What [`Ready`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Piece,
    /// A hole up to this position that nothing will fill.
    Hole(u64),
    End,
}

impl Waiting {
    /// The capture cut off what stands at these positions.
    pub(super) fn cut(&mut self, positions: Range<u64>) {
        if self.cuts.len() < limits::REORDER_PACKETS as usize {
            self.cuts.push(positions);
        }
    }

    /// The stream ends there; the first to say so is believed, but a FIN more than a reset.
    pub(super) fn ends(&mut self, end: End) {
        if self.end.is_none_or(|known| known.how == StreamEnd::Rst && end.how == StreamEnd::Fin) {
            self.end = Some(end);
        }
    }

    /// The lowest position at which anything is known.
    pub(super) fn lowest(&self) -> Option<u64> {
        let piece = self.pieces.first().map(|(position, _)| position);
        let cut = self.cuts.iter().map(|cut| cut.start).min();
        [piece, cut, self.end.map(|end| end.position)].into_iter().flatten().min()
    }

    /// The lowest position kept, and its piece.
    pub(super) fn first(&self) -> Option<(u64, &Piece)> {
        self.pieces.first()
    }

    /// What can be delivered when everything before `next` is.
    pub(super) fn ready(&self, next: u64) -> Option<Ready> {
        if let Some(end) = &self.end
            && end.position <= next
        {
            return Some(Ready { by: end.by, what: Next::End });
        }
        let (position, by) = match (self.pieces.first(), &self.end) {
            (Some((position, piece)), _) => (position, piece.by),
            (None, Some(end)) => (end.position, end.by),
            (None, None) => return None,
        };
        if position <= next {
            return Some(Ready { by, what: Next::Piece });
        }
        let cut = self.cuts.iter().find(|cut| cut.contains(&next))?;
        Some(Ready { by, what: Next::Hole(cut.end.min(position)) })
    }

    /// Up to where the hole at `next` reaches for certain: bytes kept or the end lie behind it.
    /// `None` when there is no such hole.
    pub(super) fn hole(&self, next: u64) -> Option<u64> {
        let first = self.first().map(|(position, _)| position);
        // A reset alone does not say that its sender had sent more.
        let end = self.end.filter(|end| end.how == StreamEnd::Fin || first.is_some());
        [first, end.map(|end| end.position)].into_iter().flatten().min().filter(|&to| to > next)
    }

    /// Whether nothing waits when everything before `next` is delivered.
    pub(super) fn is_over(&mut self, next: u64) -> bool {
        self.cuts.retain(|cut| cut.end > next);
        self.pieces.is_empty() && self.cuts.is_empty() && self.end.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::At;

    fn by(packet: u64) -> Carrier {
        Carrier { at: At { packet, ..At::default() }, ..Carrier::default() }
    }

    fn end(position: u64, how: StreamEnd) -> End {
        End { position, how, by: by(9) }
    }

    fn with_piece(position: u64) -> Waiting {
        let mut waiting = Waiting::default();
        waiting.pieces.insert(position, b"abc", by(7));
        waiting
    }

    #[test]
    fn what_is_ready_depends_on_what_is_delivered() {
        let mut waiting = with_piece(20);
        let what =
            |waiting: &Waiting, next| waiting.ready(next).map(|ready| (ready.what, ready.by.at.packet));
        assert_eq!(what(&waiting, 19), None);
        assert_eq!(what(&waiting, 20), Some((Next::Piece, 7)));
        waiting.cut(10..18);
        assert_eq!(what(&waiting, 9), None);
        assert_eq!(what(&waiting, 10), Some((Next::Hole(18), 7)));
        waiting.cut(18..30);
        assert_eq!(what(&waiting, 18), Some((Next::Hole(20), 7)));
        waiting.ends(end(15, StreamEnd::Rst));
        assert_eq!(what(&waiting, 15), Some((Next::End, 9)));
        waiting.ends(end(23, StreamEnd::Fin));
        waiting.ends(end(22, StreamEnd::Fin));
        assert_eq!(what(&waiting, 15), Some((Next::Hole(18), 7)));
        assert_eq!(what(&waiting, 23), Some((Next::End, 9)));
    }

    #[test]
    fn a_reset_makes_no_hole() {
        let mut waiting = Waiting::default();
        waiting.ends(end(15, StreamEnd::Rst));
        assert_eq!((waiting.hole(10), waiting.lowest()), (None, Some(15)));
        waiting.ends(end(17, StreamEnd::Fin));
        assert_eq!((waiting.hole(10), waiting.hole(17)), (Some(17), None));
        assert_eq!(with_piece(20).hole(10), Some(20));
    }

    #[test]
    fn cuts_are_forgotten_once_passed() {
        let mut waiting = Waiting::default();
        waiting.cut(10..18);
        assert!(!waiting.is_over(17) && waiting.is_over(18));
    }
}
