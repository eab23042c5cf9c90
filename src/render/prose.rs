//! Plain words in paragraphs, for what is asked and explained in lessons.
//!
//! Unlike Markdown it takes nothing for a mark: the words quote bytes of every kind.
//! A line is a paragraph of its own; lines set in by four spaces stand as they are, and
//! an item such as `a) …` or `- …` goes on under its first word.

use super::Options;
use super::columns;
use super::page::Page;
use super::style::Ink;

/// Lays out a text.
pub fn render(text: &str, options: &Options) -> String {
    let mut page = Page::of_prose(options);
    for line in text.lines() {
        if let Some(bytes) = line.strip_prefix("    ") {
            page.to(4).put(Ink::Plain, bytes.trim_end());
        } else {
            page.wrap(Ink::Plain, line.trim(), hang(line.trim()), 0);
        }
        page.line();
    }
    std::mem::take(page.lines())
}

/// Columns by which the later lines of an item are set in; 0 for a paragraph.
fn hang(line: &str) -> usize {
    let Some((first, _)) = line.split_once(' ') else { return 0 };
    let is_label = |mark: char| {
        let label = first.strip_suffix(mark).unwrap_or_default();
        (1..=2).contains(&label.len()) && label.chars().all(|c| c.is_ascii_alphanumeric())
    };
    if first == "-" || is_label(')') || is_label('.') { columns::width(first) + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fit_a_narrow_terminal() {
        let options = Options { width: 30, ..Options::default() };
        let text = render(
            "Which of the six are frames that a receiver must refuse?\na) the first and the second, no more",
            &options,
        );
        assert_eq!(
            text,
            "Which of the six are frames\nthat a receiver must refuse?\na) the first and the second,\n   no \
             more\n"
        );
    }

    #[test]
    fn paragraphs_items_and_bytes() {
        let text = "A *paragraph* with <marks> that are no marks, and which is long enough to be \
                    broken.\n\n    81 05   48\n\n\
                    a) an option that is long enough to be broken too, and goes on under its first \
             word\nb) short";
        assert_eq!(
            render(text, &Options::default()),
            "A *paragraph* with <marks> that are no marks, and which is long enough to be\nbroken.\n\n    \
             81 05   48\n\n\
             a) an option that is long enough to be broken too, and goes on under its first\n   word\n\
             b) short\n"
        );
    }
}
