//! What connections that are over leave for the stories of those that begin to close or to ping.

use super::Story;
use crate::limits;

/// Rooms that stand empty, at most [`limits::SPARE_ROOMS`]: as many as are needed before the next
/// connection is over.
#[derive(Debug, Default)]
#[allow(clippy::vec_box, reason = "a room is moved by its address")]
pub struct Rooms {
    empty: Vec<Box<Story>>,
    /// Nothing is kept.
    closed: bool,
}

impl Rooms {
    /// Some that keep nothing: what the others are held against.
    #[cfg(test)]
    pub fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }

    /// A room in which nothing has happened.
    #[allow(clippy::unnecessary_box_returns)] // the box is what is used again
    pub(super) fn story(&mut self) -> Box<Story> {
        self.empty.pop().unwrap_or_default()
    }

    /// The story is over.
    pub(super) fn keep(&mut self, mut story: Box<Story>) {
        if self.empty.len() < limits::SPARE_ROOMS && !self.closed {
            *story = Story::default();
            self.empty.push(story);
        }
    }
}
