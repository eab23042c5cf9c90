//! Texts of a connection that are remembered, not to be shown again but to be known again: eight bytes each.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// At most so many texts, by their hashes.
#[derive(Debug, Default)]
pub struct Remembered<const MOST: usize> {
    hashes: HashSet<u64>,
    /// There was no room for another one.
    full: bool,
}

impl<const MOST: usize> Remembered<MOST> {
    /// Remembers a text, as far as there is room; `false` if it is remembered already.
    pub fn insert(&mut self, text: &str) -> bool {
        let hash = hash(text);
        if self.hashes.contains(&hash) {
            return false;
        }
        if self.hashes.len() < MOST {
            self.hashes.insert(hash);
        } else {
            self.full = true;
        }
        true
    }

    /// Whether a text is remembered.
    pub fn contains(&self, text: &str) -> bool {
        self.hashes.contains(&hash(text))
    }

    /// Forgets a text.
    pub fn remove(&mut self, text: &str) {
        self.hashes.remove(&hash(text));
    }

    /// Whether all texts are remembered that were to be.
    pub fn is_complete(&self) -> bool {
        !self.full
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded() {
        let mut known = Remembered::<2>::default();
        assert!(known.insert("a") && known.insert("b") && !known.insert("a") && known.is_complete());
        assert!(known.insert("c") && !known.contains("c") && !known.is_complete());
        known.remove("a");
        assert!(!known.contains("a") && known.contains("b") && known.insert("a"));
    }
}
