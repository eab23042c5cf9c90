//! Lines that come again as they were.

use super::Page;
use crate::render::style::Ink;

/// What a line looks like, as far as it is decided by numbers and by words that stand in the program.
///
/// Words count by where they stand: the same words elsewhere may make another likeness, but never other
/// words the same one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Likeness([[u64; 4]; 2]);

impl Likeness {
    /// The likeness that these numbers and words make.
    pub fn of(numbers: [u64; 4], words: [&'static str; 4]) -> Self {
        Self([numbers, words.map(number)])
    }

    /// Which place it has among those that are remembered.
    fn place(self) -> usize {
        let mix = |all: u64, part: &u64| (all.rotate_left(5) ^ part).wrapping_mul(SPREAD);
        let all = self.0.as_flattened().iter().fold(0, mix);
        (all >> (u64::BITS - PLACES.ilog2())) as usize
    }
}

/// Where words stand, and how many they are: no address needs its highest bits.
fn number(words: &'static str) -> u64 {
    words.as_ptr() as u64 ^ (words.len() as u64) << 48
}

/// An odd number with its bits all over the place.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Lines that are remembered: those of usual headers, many times over. Where words stand differs from build
/// to build, and with it which lines have the same place: with few places that showed in what a frame takes.
const PLACES: usize = 1024;

/// Places beside each other, one of which a line may have.
const WAYS: usize = 4;

/// Lines as they were set, by their likeness. One for which all its places are taken takes the first.
#[derive(Debug, Default)]
pub struct Repeated {
    places: Vec<Lines>,
    /// Where the latest values stand in the text of the page.
    values: [Option<usize>; 2],
}

/// Lines with values in them.
#[derive(Debug, Default)]
struct Lines {
    like: Likeness,
    /// What stands before, between and behind the values.
    before: String,
    between: String,
    behind: String,
    /// Whether it was ever set.
    is_known: bool,
}

impl Repeated {
    fn find(&self, like: Likeness) -> Option<&Lines> {
        let is_it = |lines: &&Lines| lines.is_known && lines.like == like;
        let place = like.place();
        self.places.get(place).filter(is_it).or_else(|| {
            let others = (1..WAYS).filter_map(|way| self.places.get(place ^ way));
            others.take_while(|lines| lines.is_known).find(is_it)
        })
    }

    /// The place for lines that are new.
    fn place(&mut self, like: Likeness) -> &mut Lines {
        if self.places.is_empty() {
            self.places.resize_with(PLACES, Default::default);
        }
        let place = like.place();
        let is_free = |way: &usize| !self.places[place ^ way].is_known;
        let way = (0..WAYS).find(is_free).unwrap_or_default();
        &mut self.places[place ^ way]
    }
}

impl Page {
    /// Sets lines of this likeness as they were set before, or by `set`. A line begins here, and ends.
    ///
    /// `values`, which show as they are, are the only things in them that may differ, though not in their
    /// columns. The second may be empty.
    pub fn as_before(&mut self, like: Likeness, values: [&str; 2], set: impl FnOnce(&mut Self)) {
        let [first, second] = values;
        if let Some(known) = self.repeated.find(like) {
            self.text.push_str(&known.before);
            self.text.push_str(first);
            if !second.is_empty() {
                self.text.push_str(&known.between);
                self.text.push_str(second);
            }
            self.text.push_str(&known.behind);
            return self.ended();
        }
        let start = self.text.len();
        self.repeated.values = [None, None];
        set(self);
        // The lines may be written already.
        let Some((before, between, behind)) = parts(&self.text, start, values, self.repeated.values) else {
            return;
        };
        let known = self.repeated.place(like);
        known.like = like;
        known.is_known = true;
        before.clone_into(&mut known.before);
        between.clone_into(&mut known.between);
        behind.clone_into(&mut known.behind);
    }

    /// Writes one of the values of [`Page::as_before`].
    pub fn put_value(&mut self, ink: Ink, which: usize, value: &str, columns: usize) {
        self.open(ink);
        self.repeated.values[which] = Some(self.text.len());
        self.text.push_str(value);
        self.column += columns;
        self.close(ink);
    }
}

/// What stands around the values in `text` from `start` on, if they were written where `places` says.
fn parts<'t>(
    text: &'t str,
    start: usize,
    [first, second]: [&str; 2],
    places: [Option<usize>; 2],
) -> Option<(&'t str, &'t str, &'t str)> {
    let before = text.get(start..places[0]?)?;
    let behind = text.get(places[0]?..)?.strip_prefix(first)?;
    if second.is_empty() {
        return Some((before, "", behind));
    }
    let between = text.get(places[0]? + first.len()..places[1]?)?;
    Some((before, between, text.get(places[1]?..)?.strip_prefix(second)?))
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
            page.as_before(Likeness::of([number, 0, 0, 0], ["", "", "", ""]), [value, ""], |page| {
                times += 1;
                page.put(Ink::Plain, &number.to_string()).put(Ink::Plain, " ab ");
                page.put_value(Ink::Faint, 0, value, value.len());
                page.put(Ink::Plain, ".").line();
            });
        }
        let plain = page.lines().replace("\x1b[2m", "<").replace("\x1b[0m", ">");
        assert_eq!(plain, "1 ab <ab>.\n1 ab <cd>.\n2 ab <ab>.\n1 ab <ef>.\n2 ab <ab>.\n300 ab <1>.\n");
        assert_eq!(times, 3);
    }

    #[test]
    fn both_values_differ() {
        let mut page = Page::new(&Options::default());
        let mut times = 0;
        for values in [["a–b", "x"], ["c–d", "y"], ["a–b", "y"]] {
            page.as_before(Likeness::of([3, 1, 0, 0], ["", "", "", ""]), values, |page| {
                times += 1;
                page.to(2).put_value(Ink::Plain, 0, values[0], 3);
                page.to(9).put_value(Ink::Plain, 1, values[1], 1);
                page.tail(Ink::Plain, "§5").line();
            });
        }
        let line = |first, second| format!("  {first}    {second}{}§5\n", " ".repeat(68));
        assert_eq!(*page.lines(), [line("a–b", "x"), line("c–d", "y"), line("a–b", "y")].concat());
        assert_eq!(times, 1);
    }

    #[test]
    fn one_that_takes_the_place_of_another_is_not_taken_for_it() {
        let mut page = Page::new(&Options::default());
        let mut expected = String::new();
        for number in (0..9 * PLACES as u64).chain(0..9 * PLACES as u64) {
            let like = Likeness::of([0, number, 0, 7], ["a", "b", "c", "d"]);
            page.as_before(like, ["x", ""], |page| {
                page.put(Ink::Plain, &number.to_string()).put_value(Ink::Plain, 0, "x", 1);
                page.line();
            });
            expected.push_str(&number.to_string());
            expected.push_str("x\n");
        }
        assert_eq!(*page.lines(), expected);
    }

    #[test]
    fn lines_without_their_values_are_set_anew() {
        let mut page = Page::new(&Options::default());
        for value in ["x", "y"] {
            page.as_before(Likeness::default(), [value, ""], |page| page.put(Ink::Plain, "no value").line());
            page.as_before(Likeness::default(), ["z", value], |page| {
                page.put_value(Ink::Plain, 0, "z", 1);
                page.put(Ink::Plain, value).line();
            });
        }
        assert_eq!(page.lines(), "no value\nzx\nno value\nzy\n");
    }
}
