//! The cases, chapter by chapter.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::model::grade::{CaseFacts, Chapter};
use crate::render::words::count;
use crate::render::{Options, columns};

/// Columns of an id before its title begins, at least.
const NAME: usize = 24;

/// All of them, for people.
pub fn list(all: &[Arc<CaseFacts>], options: &Options) -> String {
    let (width, lang) = (options.width, options.lang);
    let mut out = String::new();
    for chapter in Chapter::ALL {
        let cases: Vec<_> = all.iter().filter(|case| case.chapter == chapter).collect();
        if cases.is_empty() {
            continue;
        }
        // Writing to a string cannot fail.
        let number = count(lang, cases.len() as u64, ["{} case", "{} cases"]);
        let head = lang.fill("{}: {}", &[&lang.words(chapter.title()), &number]);
        let _ = writeln!(out, "{}{head}\n", if out.is_empty() { "" } else { "\n" });
        for case in cases {
            let number = case.autobahn.as_deref().unwrap_or_default();
            let name = format!("  {number:<8} {}", case.id);
            let title = super::safe(case.title.in_(lang), options);
            let used = columns::width(&name).max(11 + NAME);
            let room = width.saturating_sub(used + 2);
            // A title that has no room beside its name stands below it.
            let (first, indent) = if room >= 24 { (true, used + 2) } else { (false, 11) };
            let mut lines = columns::lines(&title, width.saturating_sub(indent).max(20)).into_iter();
            let beside = if first { lines.next().unwrap_or_default() } else { "" };
            let _ = writeln!(out, "{}", format!("{}  {beside}", columns::left(&name, used)).trim_end());
            for line in lines {
                let _ = writeln!(out, "{:indent$}{line}", "");
            }
        }
    }
    out
}
