//! Words for people, kept apart from their values so that they can be translated.

use std::borrow::Cow;
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
    pub args: Vec<Cow<'static, str>>,
}

impl Text {
    /// Words without holes.
    pub const fn new(template: &'static str) -> Self {
        Self { template, args: Vec::new() }
    }

    /// Words with one hole.
    pub fn with(template: &'static str, arg: impl ToString) -> Self {
        Self { template, args: vec![Cow::Owned(arg.to_string())] }
    }

    /// Fills one more hole.
    #[must_use]
    pub fn and(mut self, arg: impl ToString) -> Self {
        self.args.push(Cow::Owned(arg.to_string()));
        self
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.template.split("{}");
        f.write_str(parts.next().unwrap_or_default())?;
        let mut args = self.args.iter();
        for part in parts {
            f.write_str(args.next().map_or("{}", |arg| arg))?;
            f.write_str(part)?;
        }
        Ok(())
    }
}

/// The beginning of a text: as many whole characters as fit in `longest` bytes.
pub fn prefix(text: &str, longest: usize) -> &str {
    let longest = longest.min(text.len());
    let end = (0..=longest).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_in_order() {
        let text = Text::with("{} of {} bytes", 3).and("0x10");
        assert_eq!(text.to_string(), "3 of 0x10 bytes");
        assert_eq!(Text::new("final fragment").to_string(), "final fragment");
    }

    #[test]
    fn an_argument_with_braces_is_not_a_hole() {
        assert_eq!(Text::with("got {}", "{}").to_string(), "got {}");
    }
}
