//! Where what is kept of connections stands, by their numbers: mostly found without hashing.

use std::collections::HashMap;

/// Numbers that have a place of their own in the table, unless a later one takes it.
const RECENT: usize = 4096;

/// The places of numbered things, in a list that somebody else has.
#[derive(Debug)]
pub struct Places {
    /// The latest numbers and their places, by the low bits of the number.
    recent: Box<[(u32, u32)]>,
    /// Those whose place in the table a later one has taken.
    others: HashMap<u32, u32, foldhash::fast::FixedState>,
}

impl Default for Places {
    fn default() -> Self {
        Self { recent: (0..RECENT).map(nobody).collect(), others: HashMap::default() }
    }
}

/// What stands in the table as long as that is nobody's: a number that belongs elsewhere.
fn nobody(at: usize) -> (u32, u32) {
    (at as u32 + 1, 0)
}

fn at(number: u32) -> usize {
    number as usize % RECENT
}

impl Places {
    /// Where this number's thing stands, if it has a place.
    #[inline]
    pub fn get(&self, number: u32) -> Option<u32> {
        let (recent, place) = self.recent[at(number)];
        if recent == number { Some(place) } else { self.find(number) }
    }

    #[inline(never)]
    fn find(&self, number: u32) -> Option<u32> {
        self.others.get(&number).copied()
    }

    /// How many have one.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        let is_somebody = |(at, it): &(usize, &(u32, u32))| **it != nobody(*at);
        self.recent.iter().enumerate().filter(is_somebody).count() + self.others.len()
    }

    /// Gives a place to a number that has none.
    #[inline]
    pub fn insert(&mut self, number: u32, place: u32) {
        let earlier = std::mem::replace(&mut self.recent[at(number)], (number, place));
        if earlier != nobody(at(number)) {
            self.others.insert(earlier.0, earlier.1);
        }
    }

    /// The place that it had.
    #[inline]
    pub fn remove(&mut self, number: u32) -> Option<u32> {
        let recent = &mut self.recent[at(number)];
        if recent.0 == number {
            return Some(std::mem::replace(recent, nobody(at(number))).1);
        }
        self.others.remove(&number)
    }
}

/// Things by number, one after the other: a table of numbers, which has room to spare, would be larger by as
/// many of them.
#[derive(Debug, Default)]
pub struct ByNumber<T> {
    places: Places,
    rooms: Vec<T>,
    free: Vec<u32>,
}

impl<T: Default> ByNumber<T> {
    /// The thing of this number.
    pub fn get(&self, number: u32) -> Option<&T> {
        self.rooms.get(self.places.get(number)? as usize)
    }

    /// The same, to be changed.
    #[inline]
    pub fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.rooms.get_mut(self.places.get(number)? as usize)
    }

    /// The thing of this number, which is there from now on.
    pub fn follow(&mut self, number: u32) -> &mut T {
        let place = self.places.get(number).unwrap_or_else(|| {
            let place = self.free.pop().unwrap_or_else(|| {
                self.rooms.push(T::default());
                self.rooms.len() as u32 - 1
            });
            self.places.insert(number, place);
            place
        });
        &mut self.rooms[place as usize]
    }

    /// It is there no longer.
    pub fn remove(&mut self, number: u32) -> Option<T> {
        let place = self.places.remove(number)?;
        self.free.push(place);
        self.rooms.get_mut(place as usize).map(std::mem::take)
    }

    /// There is nothing any more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_used_again() {
        let mut things = ByNumber::default();
        for number in 1..=3 {
            *things.follow(number) = number;
        }
        assert_eq!(things.remove(2), Some(2));
        assert!(things.remove(2).is_none() && things.get_mut(2).is_none());
        assert_eq!((*things.follow(7), *things.follow(3)), (0, 3));
        assert_eq!((things.rooms.len(), things.get(1)), (3, Some(&1)));
    }

    #[test]
    fn numbers_that_share_a_place_in_the_table_are_apart() {
        let mut places = Places::default();
        let numbers = [0, 1, RECENT as u32, RECENT as u32 + 1, 2 * RECENT as u32 + 1];
        assert!(numbers.iter().all(|number| places.get(*number).is_none()));
        for (place, number) in (10..).zip(numbers) {
            places.insert(number, place);
        }
        for _ in 0..2 {
            let found: Vec<_> = numbers.iter().map(|number| places.get(*number)).collect();
            assert_eq!(found, [Some(10), Some(11), Some(12), Some(13), Some(14)]);
        }
        assert_eq!((places.remove(1), places.remove(1)), (Some(11), None));
        assert_eq!((places.get(1), places.get(2 * RECENT as u32 + 1), places.count()), (None, Some(14), 4));
    }

    #[test]
    fn nobody_is_found_where_nobody_was_put() {
        let mut places = Places::default();
        places.insert(5, 1);
        assert_eq!(places.remove(5), Some(1));
        assert!((0..3 * RECENT as u32).all(|number| places.get(number).is_none()));
    }
}
