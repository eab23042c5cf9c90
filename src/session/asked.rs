//! The head of a request, held until its answer.

use crate::model::At;

/// A usual request that waits for its answer.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub head: Vec<u8>,
    pub key: [u8; 24],
    /// When it was made.
    pub at: At,
}

impl Asked {
    /// Another request waits.
    pub fn again(&mut self, head: &[u8], key: [u8; 24], at: At) {
        self.head.clear();
        self.head.extend_from_slice(head);
        (self.key, self.at) = (key, at);
    }

    /// Bytes that there is room for in the head.
    pub fn capacity(&self) -> usize {
        self.head.capacity()
    }
}
