//! What those that are over leave for those that begin, so that the allocator is not asked for the same
//! again and again.

/// Rooms that stand empty, at most `MOST`: as many as are needed before the next one is left.
#[derive(Debug)]
pub struct Rooms<T, const MOST: usize> {
    empty: Vec<T>,
    closed: bool,
}

impl<T, const MOST: usize> Default for Rooms<T, MOST> {
    fn default() -> Self {
        Self { empty: Vec::new(), closed: false }
    }
}

impl<T, const MOST: usize> Rooms<T, MOST> {
    /// Some that keep nothing: what the others are held against.
    #[cfg(test)]
    pub fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }

    /// Whether they keep nothing.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// One of them.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.empty.pop()
    }

    /// Whether there is a place for another one.
    #[inline]
    pub fn has_place(&self) -> bool {
        self.empty.len() < MOST && !self.closed
    }

    /// Puts one away, if there is a place.
    #[inline]
    pub fn keep(&mut self, it: T) {
        if self.has_place() {
            self.empty.push(it);
        }
    }
}
