//! In place of [`cipher`](super) where nothing is to be deciphered.

use std::convert::Infallible;

use super::suite::{Hash, Suite};

/// There is none.
pub struct Opener {
    pub sequence: u64,
    never: Infallible,
}

#[derive(Clone, Copy, Debug)]
pub struct Opened {
    pub before: usize,
    pub length: usize,
    pub kind: u8,
}

impl Opener {
    /// As if no byte stood behind content.
    pub const INSIDE: usize = 0;

    pub fn of_traffic(_: Suite, _: &[u8]) -> Option<Self> {
        None
    }

    pub fn of_master(_: Suite, _: &[u8], _: [&[u8; 32]; 2], _: bool) -> Option<[Self; 2]> {
        None
    }

    pub fn open_as(&self, _: u64, _: [u8; 5], _: &[u8], _: &mut Vec<u8>) -> Option<Opened> {
        match self.never {}
    }

    pub fn overhead(&self) -> Option<u64> {
        match self.never {}
    }
}

pub fn updated(_: Hash, _: &[u8]) -> Option<Vec<u8>> {
    None
}
