//! A report for a document.

use std::fmt::Write as _;

use super::{plain, shown};
use crate::lang::Lang;
use crate::model::report::{Cell, Report};

pub(super) fn page(report: &Report, lang: Lang) -> String {
    let mut page = String::new();
    for line in &report.headline {
        let _ = writeln!(page, "{}", escaped(&lang.say(line)));
    }
    for table in &report.tables {
        let _ = writeln!(page, "\n**{}**\n", escaped(&lang.say(&table.title)));
        let chosen: Vec<usize> = (0..table.columns.len())
            .filter(|&i| i == 0 || table.rows.iter().any(|row| row[i] != Cell::Nothing))
            .collect();
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let heads = chosen.iter().map(|&i| escaped(lang.words(table.columns[i].head))).collect();
        let _ = writeln!(page, "{}", line(heads));
        let rules = chosen.iter().map(|&i| if i == 0 { ":--" } else { "--:" }.to_owned()).collect();
        let _ = writeln!(page, "{}", line(rules));
        for row in &table.rows {
            let _ =
                writeln!(page, "{}", line(chosen.iter().map(|&i| escaped(&shown(&row[i], lang))).collect()));
        }
    }
    list(&mut page, lang.words("What follows"), report.verdict.iter().map(|text| escaped(&lang.say(text))));
    let assumption = |a: &crate::model::report::Assumption| match a.option {
        "" => escaped(&lang.say(&a.text)),
        option => format!("`{option}`: {}", escaped(&lang.say(&a.text))),
    };
    list(&mut page, lang.words("Assumed"), report.assumptions.iter().map(assumption));
    for limit in &report.limits {
        let _ = writeln!(page, "\n{}", escaped(&lang.say(limit)));
    }
    page
}

fn list(page: &mut String, title: &str, items: impl ExactSizeIterator<Item = String>) {
    if items.len() == 0 {
        return;
    }
    let _ = writeln!(page, "\n**{title}**\n");
    for item in items {
        let _ = writeln!(page, "- {item}");
    }
}

/// Words that are not markup.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in plain(text).chars() {
        if matches!(c, '|' | '*' | '_' | '`' | '<' | '\\' | '[' | ']' | '#') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}
