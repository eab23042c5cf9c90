//! What a lesson says: both languages of its page have the same parts.

use super::{Findings, Kind};
use crate::lang::Lang;
use crate::lesson::Lesson;
use crate::model::Text;

pub(super) fn check(lesson: &Lesson, findings: &mut Findings) {
    let data = &lesson.data;
    let number = data.number;
    if !lesson.slug.starts_with(&format!("{number:02}-")) {
        findings.add(Kind::Order, Text::with("it is number {}", number));
    }
    for before in data.requires.iter().filter(|before| **before >= number) {
        findings.add(Kind::Order, Text::with("it requires lesson {}", before));
    }
    for (name, text) in [("title", &data.title), ("objective", &data.objective), ("belief", &data.belief)] {
        for lang in Lang::ALL {
            findings.complete(Kind::Languages, text.in_(lang), &format!("{name} ({})", lang.code()));
        }
    }
    let [en, zh] = Lang::ALL.map(|lang| structure(lesson.page(lang)));
    if en.is_empty() || zh.is_empty() {
        findings.add(Kind::Languages, "a page is empty");
    }
    let longest = en.len().max(zh.len());
    if let Some(place) = (0..longest).find(|place| en.get(*place) != zh.get(*place)) {
        let part = |parts: &[String]| parts.get(place).map_or("-", String::as_str).to_owned();
        let (en, zh, place) = (part(&en), part(&zh), place + 1);
        let text = Text::with("part {} of en.md is `{}`, of zh.md `{}`", place).and(en).and(zh);
        findings.add(Kind::Languages, text);
    }
}

/// Headings by their level, commands without their language, tables by their rows, code blocks.
fn structure(page: &str) -> Vec<String> {
    let mut inside = false;
    let mut parts = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside;
            parts.push(line.to_owned());
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            parts.push(command.replace(" --lang zh", ""));
        } else if !inside && line.starts_with('#') {
            parts.push(line.chars().take_while(|c| *c == '#').collect());
        } else if !inside && line.starts_with('|') {
            parts.push("a row".to_owned());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_compared_by_their_parts() {
        let page = "# One\n\ntext\n\n```console\n$ wstool man --lang zh\n# no heading\n```\n| a |\n";
        assert_eq!(structure(page), ["#", "```console", "wstool man", "```", "a row"]);
    }
}
