//! What is known to fail: a list of cases, which a team keeps beside its code.

use std::path::Path;

use crate::cli::trouble::of_file;
use crate::grade::choose::is_named;
use crate::model::Text;
use crate::model::grade::CaseFacts;

/// See the [module](self).
pub struct Expected {
    name: String,
    lines: Vec<Line>,
}

struct Line {
    number: usize,
    pattern: String,
    note: String,
    is_used: bool,
}

impl Expected {
    /// Reads a file: ids, numbers or patterns, a line each, and comments behind `#`.
    ///
    /// # Errors
    /// That it cannot be read, or what of it is no name of a case.
    pub fn read(path: &Path) -> Result<Self, Text> {
        let text = std::fs::read_to_string(path).map_err(|error| of_file(path, &error))?;
        Self::parse(&path.display().to_string(), &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, Text> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let (pattern, note) = line.split_once('#').unwrap_or((line, ""));
            let (pattern, note) = (pattern.trim(), note.trim().to_owned());
            if pattern.is_empty() {
                continue;
            }
            if pattern.contains(char::is_whitespace) {
                let words =
                    "{}:{}: one case a line, by its id or number, and a comment behind #; this is `{}`";
                return Err(Text::with(words, name).and(number).and(pattern));
            }
            lines.push(Line { number, pattern: pattern.to_owned(), note, is_used: false });
        }
        Ok(Self { name: name.to_owned(), lines })
    }

    /// What is said of a case, if it is listed.
    pub fn of(&mut self, case: &CaseFacts) -> Option<String> {
        let mut note = None;
        for line in &mut self.lines {
            if is_named(&line.pattern, case) {
                line.is_used = true;
                note.get_or_insert_with(|| line.note.clone());
            }
        }
        note
    }

    /// Lines that name no case that was played.
    pub fn unused(&self) -> Vec<Text> {
        let unused = self.lines.iter().filter(|line| !line.is_used);
        let said = |line: &Line| {
            let words = "{}:{}: no case that was played is `{}`";
            Text::with(words, &self.name).and(line.number).and(&line.pattern)
        };
        unused.map(said).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::load::suite;

    #[test]
    fn cases_are_listed_with_what_is_said_of_them() {
        let text = "# ours\n\n1.1.1   # see #12\nframing.binary-*\nno.such\n";
        let mut expected = Expected::parse("known.txt", text).unwrap();
        let case = |number: &str| {
            let is = |case: &&crate::grade::Case| case.facts.autobahn.as_deref() == Some(number);
            &suite().iter().find(is).unwrap().facts
        };
        assert_eq!(expected.of(case("1.1.1")).as_deref(), Some("see #12"));
        assert_eq!(expected.of(case("1.2.1")).as_deref(), Some(""));
        assert_eq!(expected.of(case("1.1.2")), None);
        let unused: Vec<String> = expected.unused().iter().map(ToString::to_string).collect();
        assert_eq!(unused, ["known.txt:5: no case that was played is `no.such`"]);
        let wrong = Expected::parse("known.txt", "1.1.1 1.1.2").err().unwrap().to_string();
        assert!(wrong.starts_with("known.txt:1: one case a line"), "{wrong}");
    }
}
