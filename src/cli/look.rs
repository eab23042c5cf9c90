//! How what is said should look and sound.

use std::io::{self, Write};

use super::locale;
use crate::lang::Lang;
use crate::model::Text;
use crate::render::columns;

/// How what is said should look and sound.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether to use colours.
    pub color: bool,
    /// In which language.
    pub lang: Lang,
}

impl Look {
    /// The language of what is written; with `ascii` one that can be written so.
    pub fn language(self, ascii: bool) -> Lang {
        if ascii { Lang::En } else { self.lang }
    }

    /// Whether only ASCII is written: because `asked` says so, or because the locale has nothing else. Who
    /// asks for Chinese has more.
    pub fn ascii(self, asked: bool) -> bool {
        asked || self.lang == Lang::En && !locale::has_unicode()
    }

    /// Tells standard error something, `line` being `error: {}` or the like.
    pub fn tell(self, line: &'static str, words: &Text) -> io::Result<()> {
        let words = self.lang.fill(line, &[&self.lang.say(words)]);
        writeln!(io::stderr(), "{}", columns::escaped(&words))
    }
}
