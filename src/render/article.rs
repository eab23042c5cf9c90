//! A page of explanation: a headline, a few sentences, an example, labelled lines.

use super::Options;
use super::page::Page;
use super::style::Ink;

/// Where running text begins.
const TEXT: usize = 2;

/// Where the words behind a label begin: labels have at most eight columns.
const DETAIL: usize = 12;

/// Where titles begin in a listing.
const TITLE: usize = 30;

/// What stands on the page. The words are in the reader's language already.
#[derive(Clone, Debug, Default)]
pub struct Article {
    /// The headline.
    pub title: String,
    /// Set at the right end of the headline.
    pub cite: String,
    /// What kind of page it is, in a line.
    pub about: String,
    /// Running text.
    pub text: String,
    /// Labelled lines before the example, their labels in English.
    pub above: Vec<(&'static str, String)>,
    /// The example, laid out already: whole lines.
    pub example: String,
    /// Labelled lines after it.
    pub below: Vec<(&'static str, String)>,
}

/// Entries with a heading.
#[derive(Clone, Debug)]
pub struct Part {
    /// The heading.
    pub title: String,
    /// Names and what they stand for.
    pub entries: Vec<(String, String)>,
}

/// Lays out a page.
pub fn article(options: &Options, it: &Article) -> String {
    let mut page = Page::new(options);
    page.wrap(Ink::Strong, &it.title, TEXT, 0).tail(Ink::Faint, &it.cite).line();
    page.to(TEXT).wrap(Ink::Faint, &it.about, TEXT, 0).line();
    if !it.text.is_empty() {
        page.gap();
        page.to(TEXT).wrap(Ink::Plain, &it.text, TEXT, 0).line();
    }
    details(&mut page, &it.above);
    if !it.example.is_empty() {
        page.gap();
        page.lines().push_str(&it.example);
    }
    details(&mut page, &it.below);
    std::mem::take(page.lines())
}

fn details(page: &mut Page, rows: &[(&'static str, String)]) {
    let mut rows = rows.iter().filter(|(_, words)| !words.is_empty()).peekable();
    if rows.peek().is_some() {
        page.gap();
    }
    for (label, words) in rows {
        page.to(TEXT).word(Ink::Faint, label).to(DETAIL).wrap(Ink::Plain, words, DETAIL, 0).line();
    }
}

/// Lays out a listing.
pub fn listing(options: &Options, parts: &[Part]) -> String {
    let mut page = Page::new(options);
    for part in parts {
        page.gap();
        page.put(Ink::Strong, &part.title).line();
        for (name, title) in &part.entries {
            page.to(TEXT).put(Ink::Plain, name).to(TITLE).wrap(Ink::Faint, title, TITLE, 0).line();
        }
    }
    std::mem::take(page.lines())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;
    use crate::render::columns;

    #[test]
    fn every_line_fits_in_both_languages() {
        for (lang, words) in [(Lang::En, "a frame and its payload "), (Lang::Zh, "帧的载荷，")] {
            let long = words.repeat(20);
            let it = Article {
                title: long.clone(),
                cite: "RFC 6455 §5.2".to_owned(),
                about: long.clone(),
                text: long.clone(),
                above: vec![("because", long.clone()), ("fix", String::new())],
                example: "frame 1\n".to_owned(),
                below: vec![("lesson", long.clone())],
            };
            let page = article(&Options { lang, ..Options::default() }, &it);
            assert!(page.lines().all(|line| columns::width(line) <= 80), "{page}");
            assert!(page.lines().all(|line| !line.trim_start().starts_with('，')), "{page}");
            assert!(page.contains("\nframe 1\n") && !page.contains("fix"), "{page}");
        }
    }

    #[test]
    fn long_names_do_not_run_into_their_titles() {
        let parts = [Part {
            title: "Rules".to_owned(),
            entries: vec![("a".repeat(40), "what it says ".repeat(9)), ("b".to_owned(), "short".to_owned())],
        }];
        let page = listing(&Options::default(), &parts);
        assert!(page.contains(&format!("{}  what", "a".repeat(40))), "{page}");
        assert!(page.contains(&format!("\n  b{:27}short\n", "")), "{page}");
        assert!(page.lines().all(|line| line.len() <= 80), "{page}");
    }
}
