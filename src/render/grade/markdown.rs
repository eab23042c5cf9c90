//! For a comment on a pull request: short, with what is long folded away.

use std::fmt::Write as _;

use super::text::changed;
use super::{safe, said};
use crate::lang::Lang;
use crate::model::grade::{Change, Graded, Transcript, Verdict, behind};
use crate::render::Options;

/// Reasons that are told, and cases that are listed of each and of what changed: GitHub takes 65,536
/// characters.
const REASONS: usize = 20;
const LISTED: usize = 12;

/// A page.
pub fn page(all: &[&Transcript], options: &Options) -> String {
    let mut page = String::new();
    for (at, transcript) in all.iter().enumerate() {
        if at > 0 {
            page.push('\n');
        }
        peer(transcript, options, &mut page);
    }
    page
}

fn peer(transcript: &Transcript, options: &Options, page: &mut String) {
    let lang = options.lang;
    let verdict = said::verdict(transcript, lang);
    let _ = writeln!(page, "### {}\n", escaped(&transcript.who.agent, options));
    let _ = writeln!(page, "**{}**", escaped(&verdict, options));
    if let Some(changes) = &transcript.changes {
        let since = code(&changes.since, options);
        if changes.worse.is_empty() && changes.better.is_empty() {
            let _ = writeln!(page, "\n{}", lang.fill("the same as in {}", &[&since]));
        }
        for (words, all) in [("Worse since {}:", &changes.worse), ("Better since {}:", &changes.better)] {
            if !all.is_empty() {
                let _ = writeln!(page, "\n{}\n", lang.fill(words, &[&since]));
                list(all, options, page);
            }
        }
    }
    chapters(transcript, options, page);
    for (verdict, noun) in [
        (Verdict::Fail, ["What fails: {} reason", "What fails: {} reasons"]),
        (
            Verdict::NonStrict,
            ["What is not as it should be: {} reason", "What is not as it should be: {} reasons"],
        ),
    ] {
        let groups = behind(transcript.news(), verdict);
        if groups.is_empty() {
            continue;
        }
        let title = crate::render::words::count(lang, groups.len() as u64, noun);
        let _ = writeln!(page, "\n<details><summary>{title}</summary>\n");
        for group in groups.iter().take(REASONS) {
            let _ = writeln!(page, "**{}**\n", escaped(&said::headline(group, lang), options));
            let mut names: Vec<String> =
                group.cases.iter().take(LISTED).map(|one| name(one, options)).collect();
            if group.cases.len() > LISTED {
                names.push(lang.fill("and {} more", &[&(group.cases.len() - LISTED)]));
            }
            let _ = writeln!(page, "- {}", names.join(lang.words(", ")));
            for (name, words) in said::shared(group, &transcript.who.again, options) {
                let words = match name {
                    "expected" | "got" | "alone" => code(&words, options),
                    _ => escaped(&words, options),
                };
                let _ = writeln!(page, "- {}", lang.fill("{}: {}", &[&lang.words(name), &words]));
            }
            page.push('\n');
        }
        if groups.len() > REASONS {
            let _ = writeln!(page, "{}\n", lang.fill("and {} more", &[&(groups.len() - REASONS)]));
        }
        page.push_str("</details>\n");
    }
    let surprises: Vec<String> = transcript.surprises().map(|one| name(one, options)).collect();
    if !surprises.is_empty() {
        let list = surprises.join(lang.words(", "));
        let _ = writeln!(page, "\n{}", lang.fill("Expected to fail, and passing: {}", &[&list]));
    }
}

fn chapters(transcript: &Transcript, options: &Options, page: &mut String) {
    let lang = options.lang;
    let heads =
        ["grade", "chapter", "pass", "fail", "non-strict", "unimplemented"].map(|word| lang.words(word));
    let _ = writeln!(page, "\n| {} |", heads.join(" | "));
    page.push_str("| :-: | :-- | --: | --: | --: | --: |\n");
    for (chapter, tally) in transcript.chapters() {
        let letter = match (tally.letter(), said::rests_on(&tally, lang)) {
            (None, _) => "–".to_owned(),
            (Some(letter), None) => letter.name().to_owned(),
            (Some(letter), Some(on)) => format!("{} ({on})", letter.name()),
        };
        let of = |verdict| match tally.of(verdict) {
            0 => String::new(),
            number => number.to_string(),
        };
        let _ = writeln!(
            page,
            "| {letter} | {} | {} | {} | {} | {} |",
            lang.words(chapter.title()),
            of(Verdict::Pass),
            of(Verdict::Fail),
            of(Verdict::NonStrict),
            of(Verdict::Unimplemented)
        );
    }
}

fn list(all: &[Change], options: &Options, page: &mut String) {
    let lang: Lang = options.lang;
    for change in all.iter().take(LISTED) {
        let _ = writeln!(page, "- {}", escaped(&changed(change, lang), options));
    }
    if all.len() > LISTED {
        let _ = writeln!(page, "- {}", lang.fill("and {} more", &[&(all.len() - LISTED)]));
    }
}

fn name(one: &Graded, options: &Options) -> String {
    code(&said::named(&one.case.id, one.case.autobahn.as_deref()), options)
}

/// Words as code: nothing in them is markup.
fn code(words: &str, options: &Options) -> String {
    let words = safe(words, options);
    let longest = words.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // A space keeps backquotes from the fence, and is left out again.
    let space = if words.starts_with('`') || words.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{words}{space}{fence}")
}

/// Words that are not markup, nor mention anybody.
fn escaped(words: &str, options: &Options) -> String {
    let mut escaped = String::new();
    for c in safe(words, options).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // Nobody is called by what a peer said.
            '@' => escaped.push_str("&#64;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_peer_says_is_markup() {
        let options = Options::default();
        assert_eq!(escaped("<b>*x*</b> @all #1", &options), "&lt;b&gt;\\*x\\*&lt;/b&gt; &#64;all \\#1");
        assert_eq!(code("a`b", &options), "``a`b``");
        assert_eq!(code("`a", &options), "`` `a ``");
        assert_eq!(code("a\u{1b}", &options), "`a\\u{1b}`");
    }
}
