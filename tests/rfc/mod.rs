//! The RFCs that lie here, unmodified, by section.

// Each group of tests is a crate of its own and uses its part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// An RFC, by section.
pub struct Rfc {
    number: String,
    pub sections: BTreeMap<String, String>,
}

impl Rfc {
    /// Where the text of an RFC lies, if it does.
    pub fn path(number: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/rfc/rfc{number}.txt"))
    }

    pub fn read(number: &str) -> Self {
        let text = fs::read_to_string(Self::path(number))
            .unwrap_or_else(|e| panic!("RFC {number} is quoted, so it belongs into tests/rfc/: {e}"));
        let mut sections: BTreeMap<String, String> = BTreeMap::new();
        let mut current = String::new();
        for line in text.lines().filter(|line| !is_furniture(line, number)) {
            if let Some(section) = heading(line) {
                section.clone_into(&mut current);
            }
            let section = sections.entry(current.clone()).or_default();
            section.push_str(line);
            section.push('\n');
        }
        for text in sections.values_mut() {
            *text = normal(text);
        }
        Self { number: number.to_owned(), sections }
    }

    /// What is wrong with a quotation.
    pub fn check(&self, section: &str, words: &str) -> Option<String> {
        let Some(text) = self.sections.get(section) else {
            return Some(format!("RFC {} has no section {section}", self.number));
        };
        if text.contains(words) {
            return None;
        }
        let elsewhere = self.sections.iter().find(|(_, text)| text.contains(words));
        let but = elsewhere.map_or(String::new(), |(section, _)| format!(", but §{section} does"));
        Some(format!("RFC {} §{section} does not say {words:?}{but}", self.number))
    }
}

/// The last line and the first line of a page.
fn is_furniture(line: &str, number: &str) -> bool {
    line == "\u{C}"
        || line.ends_with(']') && line.contains("[Page ")
        || line.starts_with(&format!("RFC {number}  "))
}

/// The number of the section that a line opens: `5.2.  Base Framing Protocol`.
fn heading(line: &str) -> Option<&str> {
    let (number, title) = line.split_once(".  ").or_else(|| line.split_once(". "))?;
    let is_number =
        number.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    // A line of the table of contents is indented or has a row of dots.
    (is_number && !title.contains("....")).then_some(number)
}

/// With one space wherever there is white space.
pub fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
