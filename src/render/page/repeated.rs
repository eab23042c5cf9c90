//! Lines that come again as they were.

use super::Page;
use crate::render::style::Ink;

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
const PLACES: usize = 64;

/// Lines as they were set, by their likeness. One that has the place of another takes it.
#[derive(Debug, Default)]
pub struct Repeated {
    places: Vec<Lines>,
    /// Where the latest value stands in the text of the page.
    value: Option<usize>,
}

/// Lines with a value in them.
#[derive(Debug, Default)]
struct Lines {
    like: Likeness,
    /// Empty where nothing is remembered.
    before: String,
    behind: String,
}

impl Page {
    /// Sets lines of this likeness as they were set before, or by `set`. A line begins here, and ends.
    ///
    /// `value`, printable ASCII, is the only thing in them that may differ, though not in its length.
    pub fn as_before(&mut self, like: Likeness, value: &str, set: impl FnOnce(&mut Self)) {
        let place = like.place();
        if let Some(known) = self.repeated.places.get(place)
            && known.like == like
            && !known.before.is_empty()
        {
            self.text.push_str(&known.before);
            self.text.push_str(value);
            self.text.push_str(&known.behind);
            return self.ended();
        }
        let start = self.text.len();
        self.repeated.value = None;
        set(self);
        // The lines may be written already.
        let (Some(lines), Some(at)) = (self.text.get(start..), self.repeated.value) else { return };
        let Some((before, behind)) = lines.split_at_checked(at.saturating_sub(start)) else { return };
        let Some(behind) = behind.strip_prefix(value) else { return };
        if self.repeated.places.is_empty() {
            self.repeated.places.resize_with(PLACES, Default::default);
        }
        let known = &mut self.repeated.places[place];
        known.like = like;
        before.clone_into(&mut known.before);
        behind.clone_into(&mut known.behind);
    }

    /// Writes the value of [`Page::as_before`].
    pub fn put_value(&mut self, ink: Ink, value: &str) {
        self.open(ink);
        self.repeated.value = Some(self.text.len());
        self.text.push_str(value);
        self.column += value.len();
        self.close(ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Options;

    #[test]
    fn lines_come_again_only_where_all_is_alike() {
        let mut page = Page::new(&Options { color: true, ..Options::default() });
        let mut times = 0;
        for (number, value) in [(1, "ab"), (1, "cd"), (2, "ab"), (1, "ef"), (2, "ab"), (300, "1")] {
            page.as_before(Likeness::of([number, 0, 0, 0], ["", "", "", ""]), value, |page| {
                times += 1;
                page.put(Ink::Plain, &number.to_string())
                    .put(Ink::Plain, " ab ")
                    .put_value(Ink::Faint, value);
                page.put(Ink::Plain, ".").line();
            });
        }
        let plain = page.lines().replace("\x1b[2m", "<").replace("\x1b[0m", ">");
        assert_eq!(plain, "1 ab <ab>.\n1 ab <cd>.\n2 ab <ab>.\n1 ab <ef>.\n2 ab <ab>.\n300 ab <1>.\n");
        assert_eq!(times, 3);
    }

    #[test]
    fn one_that_takes_the_place_of_another_is_not_taken_for_it() {
        let mut page = Page::new(&Options::default());
        let mut expected = String::new();
        for number in (0..9 * PLACES as u64).chain(0..9 * PLACES as u64) {
            let like = Likeness::of([0, number, 0, 7], ["a", "b", "c", "d"]);
            page.as_before(like, "x", |page| {
                page.put(Ink::Plain, &number.to_string()).put_value(Ink::Plain, "x");
                page.line();
            });
            expected.push_str(&format!("{number}x\n"));
        }
        assert_eq!(*page.lines(), expected);
    }

    #[test]
    fn lines_without_their_value_are_set_anew() {
        let mut page = Page::new(&Options::default());
        for _ in 0..2 {
            page.as_before(Likeness::default(), "x", |page| page.put(Ink::Plain, "no value").line());
        }
        assert_eq!(page.lines(), "no value\nno value\n");
    }
}
