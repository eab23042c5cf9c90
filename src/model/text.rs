//! Words for people, kept apart from their values so that they can be translated.

use std::fmt;

/// A sentence with holes: an English template whose `{}` are filled, in order,
/// by the arguments.
///
/// The template is also the key under which a catalogue of another language
/// finds its translation, so it must be a literal and never be built at run time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// English words with a `{}` for each argument.
    pub template: &'static str,
    /// What fills the holes.
    pub args: Vec<Arg>,
}

/// What fills a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A number, a name, something from the wire: the same in every language.
    Value(String),
    /// Words, to be translated as the sentence around them is.
    Words(Text),
}

impl Text {
    /// Words without holes.
    pub const fn new(template: &'static str) -> Self {
        Self { template, args: Vec::new() }
    }

    /// Words whose first hole is filled with a value.
    pub fn with(template: &'static str, value: impl ToString) -> Self {
        Self::new(template).and(value)
    }

    /// Fills one more hole with a value.
    #[must_use]
    pub fn and(mut self, value: impl ToString) -> Self {
        self.args.push(Arg::Value(value.to_string()));
        self
    }

    /// Fills one more hole with words.
    #[must_use]
    pub fn word(mut self, words: impl Into<Text>) -> Self {
        self.args.push(Arg::Words(words.into()));
        self
    }

    /// Words behind these, with a semicolon between if there are any.
    #[must_use]
    pub fn then(self, more: Text) -> Self {
        if self.is_empty() { more } else { Self::new("{}; {}").word(self).word(more) }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.template.is_empty()
    }
}

impl From<&'static str> for Text {
    fn from(template: &'static str) -> Self {
        Self::new(template)
    }
}

impl fmt::Display for Text {
    /// In English, as the code has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts(&mut |part| f.write_str(part))
    }
}

impl Text {
    /// The same, part by part.
    ///
    /// # Errors
    /// What `take` ends with, which then is given no more.
    pub fn parts<E>(&self, take: &mut dyn FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        let mut args = self.args.iter();
        let mut rest = self.template;
        while let Some((part, behind)) = split_at_hole(rest) {
            if !part.is_empty() {
                take(part)?;
            }
            match args.next() {
                Some(Arg::Value(value)) => take(value)?,
                Some(Arg::Words(words)) => words.parts(take)?,
                None => take("{}")?,
            }
            rest = behind;
        }
        if rest.is_empty() { Ok(()) } else { take(rest) }
    }
}

/// What stands before the first hole of a template and behind it. Templates are too short for a search to be
/// worth its while.
fn split_at_hole(template: &str) -> Option<(&str, &str)> {
    let hole = template.as_bytes().windows(2).position(|pair| pair == b"{}")?;
    Some((&template[..hole], &template[hole + 2..]))
}

/// The beginning of a text: as many whole characters as fit in `longest` bytes.
pub fn prefix(text: &str, longest: usize) -> &str {
    let longest = longest.min(text.len());
    let end = (0..=longest).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
}

/// Line and column of a byte of a text, from 1.
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// A text of a peer within a sentence: what is not printed as an escape, quotation marks as they are.
pub fn readable(text: &str) -> String {
    text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_in_order() {
        let text = Text::with("{} of {} bytes", 3).and("0x10");
        assert_eq!(text.to_string(), "3 of 0x10 bytes");
        assert_eq!(Text::new("final fragment").to_string(), "final fragment");
        let text = Text::new("a {} frame after {}").word("ping").word(Text::with("frame {}", 3));
        assert_eq!(text.to_string(), "a ping frame after frame 3");
    }

    #[test]
    fn an_argument_with_braces_is_not_a_hole() {
        assert_eq!(Text::with("got {}", "{}").to_string(), "got {}");
    }
}
