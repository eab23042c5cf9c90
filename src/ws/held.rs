//! What connections hold while nothing of them comes: the account, and how something is given up.

use super::MEMORY_BUDGET_REACHED;
use super::deflate::Inflater;
use crate::limits;
use crate::model::{Finding, Hole, Text};

/// Bytes that connections hold between two pushes.
///
/// Whatever grows with what a peer sends is entered when it is put away, and taken out when it is used again
/// or over. A connection with nothing under way enters nothing.
#[derive(Debug)]
pub struct Held {
    bytes: usize,
    /// Inflaters that were given up, for who needs one next: given back and taken anew they would leave
    /// holes.
    spare: Vec<Inflater>,
    /// What the run may take, which findings name.
    pub(crate) budget: usize,
    /// Compressed messages begun so far: how long a window is idle is told by those that began since.
    inflations: u64,
}

/// What is lost when an inflater is given up; the least comes first, then who has been idle for longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Nothing: no message is under way, and none may refer to another.
    Nothing,
    /// Later messages that refer to earlier ones. The number grows with the time of the last message.
    Later(u64),
    /// What a message under way inflates to, too.
    Message(u64),
}

/// What was given up of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Payload kept to be shown of a message that is not over.
    Payload,
    /// The window that a compressed message may refer to.
    Window,
    /// Heads of a handshake that is not over, and what waits for it.
    Heads,
    /// All that was known of a connection that may go on.
    Connection,
}

impl Default for Held {
    fn default() -> Self {
        Self { bytes: 0, spare: Vec::new(), budget: limits::MEMORY, inflations: 0 }
    }
}

impl Held {
    /// Bytes held.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    #[inline]
    pub(super) fn take(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    #[inline]
    pub(super) fn release(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Enters that what took `before` bytes takes `after`.
    #[inline]
    pub(super) fn change(&mut self, before: usize, after: usize) {
        self.bytes = (self.bytes + after).saturating_sub(before);
    }

    /// Says that `bytes` of a connection were given up.
    pub fn finding(&self, what: Given, bytes: usize) -> Finding {
        let got = match what {
            Given::Payload => Text::with(
                "{} bytes given up that were kept to show an unfinished message, among the largest; it is \
                 followed and checked all the same",
                bytes,
            ),
            Given::Window => Text::with(
                "{} bytes given up of an inflater that was idle for long; what refers to earlier messages \
                 cannot be inflated from here on",
                bytes,
            ),
            Given::Heads => Text::with(
                "{} bytes given up of a handshake that was silent for long; what comes next is read as if \
                 the capture began there",
                bytes,
            ),
            Given::Connection => Text::new(
                "a connection given up that was idle for longest; what comes next of it is taken for another",
            ),
        };
        let expected = Text::with("at most {} bytes held at a time, as --memory says", self.budget);
        Finding::new(&MEMORY_BUDGET_REACHED, None, expected, got)
    }

    /// An inflater at the start of a connection.
    pub(super) fn inflater(&mut self) -> Inflater {
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps an inflater for later, within an eighth of the budget.
    pub(super) fn keep_spare(&mut self, mut inflater: Inflater) {
        if (self.spare.len() + 1) * inflater.cost() <= self.budget / 8 {
            inflater.forget();
            self.spare.push(inflater);
        }
    }

    /// The number of a compressed message that begins.
    pub(super) fn next_inflation(&mut self) -> u64 {
        self.inflations += 1;
        self.inflations
    }
}

/// Makes room for `more` bytes in a buffer that will hold at most `whole`: twice as much as is there, but not
/// more than that.
#[inline]
pub(super) fn grow(kept: &mut Vec<u8>, more: usize, whole: usize) {
    let needed = kept.len() + more;
    if needed > kept.capacity() {
        let room = needed.max((2 * kept.len()).max(64).min(whole));
        kept.reserve_exact(room - kept.len());
    }
}

/// Cuts what is kept to be shown to its beginning; says whether anything was cut.
pub(super) fn cut(kept: &mut Vec<u8>, holes: &mut Vec<Hole>) -> bool {
    if kept.capacity() <= 2 * limits::SHOWN_OF_GIVEN_UP {
        return false;
    }
    // Behind a hole bytes would need its place.
    let keep = if holes.is_empty() { limits::SHOWN_OF_GIVEN_UP.min(kept.len()) } else { 0 };
    *kept = kept[..keep].to_vec();
    *holes = Vec::new();
    true
}
