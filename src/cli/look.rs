//! How what is said should look and sound.

use std::io::{self, IsTerminal as _, Write};

use super::locale;
use crate::lang::Lang;
use crate::model::Text;
use crate::render::{Options, columns};

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
        self.tell_line(&self.lang.fill(line, &[&self.lang.say(words)]))
    }

    /// The same of words that are put together already: at a terminal in lines that fit it, elsewhere in one.
    pub fn tell_line(self, words: &str) -> io::Result<()> {
        let words = self.plain(words);
        let mut err = io::stderr();
        if err.is_terminal() {
            return writeln!(err, "{}", folded(&words, said_width(), 0).join("\n"));
        }
        writeln!(err, "{words}")
    }

    /// Lines of somebody else, of which some do not fit the terminal: in such that do. `None` where all fit,
    /// or there is no terminal.
    pub fn fitting(self, lines: &str) -> Option<String> {
        let width = said_width();
        if !io::stderr().is_terminal() || lines.lines().all(|line| columns::width(line) <= width) {
            return None;
        }
        let fit = |line: &str| {
            let indent = line.len() - line.trim_start().len();
            let indented = " ".repeat(indent);
            let parts = folded(&self.plain(line.trim_start()), width - indent.min(width / 2), 0);
            parts.iter().flat_map(|part| [&*indented, part, "\n"].map(str::to_owned)).collect::<String>()
        };
        Some(lines.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { fit(line) }).collect())
    }

    /// Words of the tool, safe for a terminal, and in ASCII where there is nothing else.
    pub fn plain(self, words: &str) -> String {
        if self.ascii(false) { columns::ascii(words) } else { columns::escaped(words) }
    }
}

/// Columns that the tool's own words take on standard error: 80, or as many as its terminal has where it has
/// fewer.
pub(super) fn said_width() -> usize {
    let size = if io::stderr().is_terminal() { terminal_size::terminal_size_of(io::stderr()) } else { None };
    size.map_or(80, |(width, _)| usize::from(width.0).clamp(Options::NARROWEST, 80))
}

/// Words in lines of so many columns, `indent` columns in, those behind the first two more. What has no place
/// to break, such as a path, stays whole: it is to be copied.
pub(super) fn folded(words: &str, columns: usize, indent: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut end = 0;
    for line in columns::lines(words, columns.saturating_sub(indent + 2)) {
        let at = line.as_ptr().addr() - words.as_ptr().addr();
        let is_torn = at == end && words[..at].ends_with(|c: char| c.is_ascii_graphic());
        end = at + line.len();
        match all.last_mut() {
            Some(last) if is_torn && line.starts_with(|c: char| c.is_ascii_graphic()) => last.push_str(line),
            before => {
                let further = if before.is_some() { 2 } else { 0 };
                all.push(format!("{:1$}{line}", "", indent + further));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn lines_fold_at_spaces_and_nowhere_else() {
        for (words, columns, indent, expected) in [
            ("error: one two three", 14, 0, &["error: one", "  two three"][..]),
            (
                "see /a/long/path/of/many/parts there",
                14,
                2,
                &["  see", "    /a/long/path/of/many/parts", "    there"],
            ),
            ("错误：服务器没有应答", 12, 0, &["错误：服务", "  器没有应答"]),
            ("", 12, 0, &[]),
        ] {
            assert_eq!(folded(words, columns, indent), expected, "{words}");
        }
    }
}
