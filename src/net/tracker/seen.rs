//! What was seen so far, in numbers.

use super::{Counts, Tracker};

impl Tracker {
    /// What the packets were so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The link types that could not be read, with how many packets had them, in order of
    /// appearance. [`link_name`](crate::net::link_name) names them.
    pub fn unsupported(&self) -> &[(u32, u64)] {
        &self.unsupported
    }

    /// How many flows are followed.
    pub fn flows(&self) -> usize {
        self.table.len()
    }

    /// Bytes that wait for a hole to fill or for their turn, over all flows, with what keeping them costs.
    pub fn held(&self) -> usize {
        self.held
    }

    #[cold]
    pub(super) fn count_unsupported(&mut self, link: u32) {
        self.counts.unsupported += 1;
        match self.unsupported.iter_mut().find(|(other, _)| *other == link) {
            Some((_, count)) => *count += 1,
            None => self.unsupported.push((link, 1)),
        }
    }
}
