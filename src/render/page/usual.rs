//! Words that are set again and again: found and measured once.

use super::Page;
use crate::lang::{Around, Lang};
use crate::model::Dir;
use crate::model::quantity::Digits;
use crate::render::escape;
use crate::render::style::Ink;
use crate::render::words::BYTES;

/// Words that were set before.
#[derive(Debug, Default)]
pub struct Usual {
    /// Who sent something to whom, by who it was.
    ways: [Option<Phrase>; 2],
    /// By their templates, which are few.
    numbered: Vec<Numbered>,
    /// Around one byte, and around several.
    bytes: Option<[Around; 2]>,
}

/// Words, and the columns that they take if they show as they are.
#[derive(Debug)]
struct Phrase {
    words: String,
    columns: Option<usize>,
}

/// Words around a number, and the columns that they take without it if they show as they are.
#[derive(Debug)]
pub struct Numbered {
    template: &'static str,
    pub around: Around,
    pub columns: Option<usize>,
}

impl Usual {
    /// The words of `template`, which has one hole.
    pub fn numbered(&mut self, template: &'static str, lang: Lang, ascii: bool) -> &Numbered {
        let place = self.numbered.iter().position(|it| std::ptr::eq(it.template, template));
        let place = place.unwrap_or_else(|| {
            let around = lang.around(template);
            let columns = |words| escape::as_they_are(words, ascii);
            let columns = columns(&around.before).zip(columns(&around.behind));
            let columns = columns.map(|(before, behind)| before + behind);
            self.numbered.push(Numbered { template, around, columns });
            self.numbered.len() - 1
        });
        &self.numbered[place]
    }
}

impl Page {
    /// `1 byte`, `2,000 bytes`.
    pub fn bytes_in_words(&mut self, number: u64) -> String {
        let lang = self.lang;
        let bytes = self.usual.bytes.get_or_insert_with(|| lang.around_count(BYTES));
        let mut words = String::with_capacity(32);
        bytes[usize::from(number != 1)].say(Digits::grouped(number).as_str(), &mut words);
        words
    }

    /// Columns of a template with a number in its hole, if its words show as they are.
    pub fn columns_with(&mut self, template: &'static str, number: u64) -> Option<usize> {
        let words = self.usual.numbered(template, self.lang, self.ascii).columns?;
        Some(words + number.checked_ilog10().map_or(1, |digits| digits as usize + 1))
    }

    /// Writes who sent something to whom: `client → server`.
    pub fn put_way(&mut self, ink: Ink, dir: Dir) {
        self.open(ink);
        let (lang, ascii) = (self.lang, self.ascii);
        let way = self.usual.ways[dir.index()].get_or_insert_with(|| {
            let words = [lang.words(dir.name()), " → ", lang.words(dir.peer().name())].concat();
            let columns = escape::as_they_are(&words, ascii);
            Phrase { words, columns }
        });
        if let Some(columns) = way.columns {
            self.text.push_str(&way.words);
            self.column += columns;
        } else {
            let words = way.words.clone();
            self.add_cells(&words);
        }
        self.close(ink);
    }
}
