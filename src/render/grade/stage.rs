//! What a learner builds next: how far the stages have come, and the first case that does not pass.

use std::fmt::Write as _;

use super::said;
use crate::lang::Lang;
use crate::model::Text;
use crate::model::grade::{CaseFacts, Chapter, EventKind, Graded, Verdict};
use crate::render::{Options, columns};

/// Columns of text.
const WIDTH: usize = 80;

/// What each stage is about: those of the capstone.
const STAGES: [&str; 5] = [
    "the opening handshake",
    "frames: messages there and back",
    "ping, pong and the closing handshake",
    "fragments, and text that is UTF-8",
    "refusing what has to be refused",
];

/// How many cases each stage has.
pub type Stages = [usize; STAGES.len()];

/// How many cases of each stage are among these.
pub fn stages<'f>(all: impl IntoIterator<Item = &'f CaseFacts>) -> Stages {
    let mut stages = Stages::default();
    for facts in all {
        if let Some(count) = stages.get_mut(usize::from(facts.stage).wrapping_sub(1)) {
            *count += 1;
        }
    }
    stages
}

/// The screen, of what was played up to a stage, of the cases that each stage has. `again` is the command
/// that plays with that peer.
pub fn stage(all: &[Graded], upto: u8, whole: Stages, again: &str, options: &Options) -> String {
    super::plain(screen(all, upto, whole, again, options), options)
}

fn screen(all: &[Graded], upto: u8, whole: Stages, again: &str, options: &Options) -> String {
    let lang = options.lang;
    let mut out = String::new();
    let mut missing = 0;
    let passes = |one: &&Graded| !matches!(one.verdict(), Verdict::Fail);
    for ((title, whole), stage) in STAGES.iter().zip(whole).zip(1..=upto) {
        let cases: Vec<&Graded> = all.iter().filter(|one| one.case.stage == stage).collect();
        let passed = cases.iter().copied().filter(passes).count();
        // A stage is as large as it is, however many of its cases were played.
        let left = whole.saturating_sub(cases.len());
        let sign = match (passed == cases.len(), left) {
            (true, 0) => "✓",
            (true, _) => "·",
            (false, _) => "✗",
        };
        missing += left;
        let mut count = Text::with("{} of {}", passed).and(cases.len() + left);
        if left > 0 {
            count = Text::new("{}, {} not played").word(count).and(left);
        }
        let count = lang.say(&count);
        let name = lang.say(&Text::with("stage {}", stage));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {sign} {name}  {}  {count}", columns::left(lang.words(title), 40));
    }
    out.push('\n');
    let Some(first) = all.iter().filter(|one| !passes(one)).min_by_key(|one| one.case.stage) else {
        let words: Text = match STAGES.get(usize::from(upto)) {
            _ if missing > 0 => {
                "What was played passes; the rest was left out, or the run was ended before it.".into()
            }
            Some(next) => Text::with("All of it passes. Next, with --stage {}: {}", upto + 1).word(*next),
            None => "All five stages pass: without --stage come the cases of the whole suite.".into(),
        };
        let _ = writeln!(out, "{}", lang.say(&words));
        return out;
    };
    let facts = &first.case;
    let _ = writeln!(out, "{}\n", lang.words("Build this next:"));
    paragraph(&mut out, "  ", facts.title.in_(lang));
    let _ = writeln!(out, "  {} · {}\n", facts.id, facts.cites.join(", "));
    let mut row = |name: &'static str, words: &str| {
        if !words.is_empty() {
            let name = columns::left(lang.words(name), 12);
            let indent = format!("  {name}");
            let mut lines = columns::lines(words, WIDTH - 14).into_iter();
            let _ = writeln!(out, "{indent}{}", lines.next().unwrap_or_default());
            for line in lines {
                let _ = writeln!(out, "{:14}{line}", "");
            }
        }
    };
    row("expected", &short(&first.expected));
    // Of a handshake there is an answer, or why it is not right; and what breaks a rule is told as that.
    let has_come = first.broken.is_none() && (first.why.is_empty() || !first.expected.is_empty());
    if !first.got.is_empty() || has_come {
        row("came", &came(first, lang));
    }
    // What was expected and what came is told above.
    if first.expected.is_empty() || said::why(first, lang) == lang.say(&first.why) {
        row("why", &lang.say(&first.why));
    }
    if let Some(rule) = first.broken.filter(|_| first.root().is_none()) {
        row("rule", &format!("{} ({})", rule.id, rule.cite));
    }
    row("looks like", &said::likely(first, lang));
    let (usually, mend) = said::advice(first, options);
    row("usually", usually);
    row("mend", mend);
    let chapter = first.remedy.map_or(facts.chapter, |remedy| remedy.chapter);
    row("lesson", &format!("wstool lesson {}", lesson(chapter)));
    let others = all.iter().filter(|one| !passes(one) && one.case.stage == facts.stage).count() - 1;
    if others > 0 {
        let words = Text::with("{} more of this stage do not pass yet; one thing at a time.", others);
        let _ = writeln!(out, "\n{}", lang.say(&words));
    }
    let command = format!("{again} --case {}", facts.id);
    let alone = lang.fill("This case alone: {}", &[&command]);
    // What is to be copied stays in one line.
    let alone = match columns::width(&alone) {
        0..=WIDTH => alone,
        _ => format!("{}\n  {command}", lang.fill("This case alone: {}", &[&""]).trim_end()),
    };
    let _ = writeln!(out, "\n{alone}");
    out
}

/// The lesson that treats of a chapter.
fn lesson(chapter: Chapter) -> u8 {
    match chapter {
        Chapter::Handshake | Chapter::Http2 => 1,
        Chapter::Framing => 4,
        Chapter::Masking => 5,
        Chapter::Fragmentation => 6,
        Chapter::Utf8 => 7,
        Chapter::Control => 8,
        Chapter::Closing => 9,
        Chapter::Limits | Chapter::Robustness => 10,
        Chapter::Deflate => 11,
        Chapter::Performance => 14,
    }
}

fn paragraph(out: &mut String, indent: &str, words: &str) {
    for line in columns::lines(words, WIDTH - indent.len()) {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{indent}{line}");
    }
}

/// The first of what was expected.
fn short(expected: &[String]) -> String {
    let first = expected.first().cloned().unwrap_or_default();
    if expected.len() > 1 { format!("{first} …") } else { first }
}

/// What came, in a line.
fn came(one: &Graded, lang: Lang) -> String {
    let Some(event) = one.got.first() else { return lang.words("nothing").to_owned() };
    let shown: String = String::from_utf8_lossy(&event.payload).chars().take(24).collect();
    let shown = if shown.is_empty() { shown } else { format!(" \"{}\"", columns::escaped(&shown)) };
    let bytes = |name: &str| {
        let length = lang.say(&Text::with("{} bytes", event.length));
        format!("{name}{shown} ({length})")
    };
    let first = match &event.what {
        EventKind::Text => bytes("text"),
        EventKind::Binary => bytes("binary"),
        EventKind::Ping => bytes("ping"),
        EventKind::Pong => bytes("pong"),
        EventKind::Close(Some(code)) => format!("close {}{shown}", code.0),
        EventKind::Close(None) => "close".to_owned(),
        EventKind::Still(name) => format!("still {name}"),
        EventKind::Answer(status) => format!("HTTP {status}"),
        EventKind::End(_) => lang.words("the end of the connection").to_owned(),
    };
    if one.got.len() > 1 { format!("{first} …") } else { first }
}
