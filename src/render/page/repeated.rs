//! Lines that come again as they were.

use super::Page;

/// What a line looks like, as far as it is decided by numbers and by words that stand in the program.
///
/// Words count by where they stand: the same words elsewhere may make another likeness, but never other
/// words the same one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Likeness([u64; 8]);

impl Likeness {
    /// The likeness that two numbers and these words make.
    pub fn of(numbers: [u64; 4], words: [&'static str; 4]) -> Self {
        let [a, b, c, d] = numbers;
        // No address needs its highest bits.
        let [e, f, g, h] = words.map(|words| words.as_ptr() as u64 ^ (words.len() as u64) << 48);
        Self([a, b, c, d, e, f, g, h])
    }

    /// Which place it has among those that are remembered.
    fn place(self) -> usize {
        let all = self.0.iter().fold(0, |all: u64, part| (all.rotate_left(5) ^ part).wrapping_mul(SPREAD));
        (all >> (u64::BITS - PLACES.ilog2())) as usize
    }
}

/// An odd number with its bits all over the place.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Lines that are remembered: those of usual headers, many times over.
const PLACES: usize = 256;

/// Lines as they were set, by their likeness. One that has the place of another takes it.
#[derive(Debug, Default)]
pub struct Repeated(Vec<(Likeness, String)>);

impl Page {
    /// Sets lines of this likeness as they were set before, or by `set`. A line begins here, and ends.
    pub fn as_before(&mut self, like: Likeness, set: impl FnOnce(&mut Self)) {
        let place = like.place();
        if let Some((known, lines)) = self.repeated.0.get(place)
            && *known == like
            && !lines.is_empty()
        {
            self.text.push_str(lines);
            return self.ended();
        }
        let start = self.text.len();
        set(self);
        // They may be written already.
        let Some(lines) = self.text.get(start..) else { return };
        if self.repeated.0.is_empty() {
            self.repeated.0.resize_with(PLACES, Default::default);
        }
        let (known, text) = &mut self.repeated.0[place];
        *known = like;
        text.clear();
        text.push_str(lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Options;
    use crate::render::style::Ink;

    #[test]
    fn lines_come_again_only_where_all_is_alike() {
        let mut page = Page::new(&Options::default());
        let mut times = 0;
        for number in [1, 1, 2, 1, 2, 300, 300] {
            page.as_before(Likeness::of([number, 0, 0, 0], ["", "", "", ""]), |page| {
                times += 1;
                page.put(Ink::Plain, "  ").put(Ink::Plain, &number.to_string()).line();
            });
        }
        assert_eq!(page.lines(), "  1\n  1\n  2\n  1\n  2\n  300\n  300\n");
        assert_eq!(times, 3);
    }

    #[test]
    fn one_that_takes_the_place_of_another_is_not_taken_for_it() {
        let mut page = Page::new(&Options::default());
        let mut expected = String::new();
        for number in (0..3 * PLACES as u64).chain(0..3 * PLACES as u64) {
            let like = Likeness::of([0, number, 0, 7], ["a", "b", "c", "d"]);
            page.as_before(like, |page| page.put(Ink::Plain, &number.to_string()).line());
            expected.push_str(&format!("{number}\n"));
        }
        assert_eq!(*page.lines(), expected);
    }
}
