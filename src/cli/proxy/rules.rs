//! The file of rules: TOML in, or what is wrong with it, and where.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;
use toml::Spanned;

use crate::app::path;
use crate::cli::trouble::of_file;
use crate::lab::fault::{self, duration};
use crate::lab::proxy::{Rule, Then};
use crate::model::{Dir, Opcode, Text, line_and_column};

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Written>>,
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    side: Option<Spanned<String>>,
    opcode: Option<Spanned<String>>,
    text: Option<String>,
    regex: Option<Spanned<String>>,
    #[serde(default)]
    json: toml::Table,
    event: Option<String>,
    #[serde(default)]
    drop: bool,
    delay: Option<Spanned<String>>,
    replace: Option<String>,
    answer: Option<Answers>,
    close: Option<Spanned<String>>,
    probability: Option<Spanned<f64>>,
    times: Option<u64>,
}

/// One answer, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answers {
    One(String),
    Several(Vec<String>),
}

/// What is wrong, and which bytes of the file.
type Wrong = (Range<usize>, Text);

/// Reads a file of rules.
///
/// # Errors
/// What is wrong with it, and in which line.
pub(super) fn read(path: &Path) -> Result<Arc<[Rule]>, Text> {
    let text = std::fs::read_to_string(path).map_err(|error| of_file(path, &error))?;
    let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    rules(&text, &shown).map_err(|(at, what)| {
        let (line, column) = line_and_column(&text, at.start);
        Text::with("{}: line {}, column {}: {}", path.display()).and(line).and(column).word(what)
    })
}

fn rules(text: &str, name: &str) -> Result<Arc<[Rule]>, Wrong> {
    let file: File = toml::from_str(text).map_err(|error| {
        let what = error.message().trim().to_owned();
        (error.span().unwrap_or(0..0), Text::with("{}", what))
    })?;
    if file.rule.is_empty() {
        return Err((0..0, "there is no rule in it: one begins with [[rule]]".into()));
    }
    file.rule.into_iter().map(|written| rule(written, text, name)).collect()
}

fn rule(written: Spanned<Written>, text: &str, name: &str) -> Result<Rule, Wrong> {
    let span = written.span();
    let written = written.into_inner();
    let side = written.side.map(named(&SIDES, "side is \"client\" or \"server\", not `{}`")).transpose()?;
    let opcode = written
        .opcode
        .map(named(&OPCODES, "opcode is \"text\", \"binary\", \"close\", \"ping\" or \"pong\", not `{}`"))
        .transpose()?;
    let regex = read_by(written.regex, |pattern| {
        Regex::new(pattern).map_err(|error| {
            let why = error.to_string();
            let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Text::with("`{}` is no regular expression: {}", pattern).and(last)
        })
    })?;
    let delay: Option<Duration> = read_by(written.delay, duration)?;
    let close = read_by(written.close, fault::close)?;
    let probability = written.probability.map(|chance| {
        let (at, chance) = (chance.span(), chance.into_inner());
        if (0.0..=1.0).contains(&chance) {
            Ok(chance)
        } else {
            let words = "`{}` is no probability: a number from 0 to 1, such as 0.05";
            Err((at, Text::with(words, chance)))
        }
    });
    let mut json = Vec::new();
    for (place, value) in written.json {
        let path = path::Path::parse(&place).map_err(|problem| (span.clone(), Text::with("{}", problem)))?;
        let value = serde_json::to_value(value).map_err(|error| (span.clone(), Text::with("{}", error)))?;
        json.push((path, value));
    }
    let mut actions: Vec<Then> = Vec::new();
    actions.extend(written.drop.then_some(Then::Drop));
    actions.extend(written.replace.map(Then::Replace));
    actions.extend(written.answer.map(|answers| match answers {
        Answers::One(answer) => Then::Answer(vec![answer]),
        Answers::Several(answers) => Then::Answer(answers),
    }));
    actions.extend(close.map(|(code, reason)| Then::Close(code, reason)));
    let then = match (actions.len(), delay) {
        (1, _) => actions.swap_remove(0),
        (0, Some(_)) => Then::Pass,
        (0, None) => {
            let words = "this rule does nothing: give it drop, delay, replace, answer or close";
            return Err((span, words.into()));
        }
        _ => return Err((span, "a rule does one of drop, replace, answer and close".into())),
    };
    Ok(Rule {
        name: format!("{name}:{}", line_and_column(text, span.start).0),
        side,
        opcode,
        text: written.text,
        regex,
        json,
        event: written.event,
        then,
        delay,
        probability: probability.transpose()?.unwrap_or(1.0),
        times: written.times,
        used: AtomicU64::new(0),
    })
}

const SIDES: [(&str, Dir); 2] = [("client", Dir::Client), ("server", Dir::Server)];

const OPCODES: [(&str, Opcode); 5] = [
    ("text", Opcode::TEXT),
    ("binary", Opcode::BINARY),
    ("close", Opcode::CLOSE),
    ("ping", Opcode::PING),
    ("pong", Opcode::PONG),
];

/// One of these names.
fn named<T: Copy>(
    names: &[(&str, T)],
    expected: &'static str,
) -> impl Fn(Spanned<String>) -> Result<T, Wrong> {
    move |written| {
        let known = names.iter().find(|(name, _)| name == written.get_ref());
        known
            .map(|(_, value)| *value)
            .ok_or_else(|| (written.span(), Text::with(expected, written.get_ref())))
    }
}

/// A value that is read on from a string.
fn read_by<T>(
    written: Option<Spanned<String>>,
    read: impl FnOnce(&str) -> Result<T, Text>,
) -> Result<Option<T>, Wrong> {
    written.map(|text| read(text.get_ref()).map_err(|problem| (text.span(), problem))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CloseCode;

    #[test]
    fn rules_are_read() {
        let text = r#"
# Chaos
[[rule]]
side = "client"
text = "hello"
drop = true

[[rule]]
opcode = "text"
regex = "a(.)c"
replace = "x$1"
delay = "200ms"

[[rule]]
event = "chat message"
json = { "$[1].room" = 7 }
answer = ["one", "two"]
probability = 0.5
times = 3

[[rule]]
side = "server"
close = "1011:db pool"
"#;
        let rules = rules(text, "r.toml").unwrap();
        let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names, ["r.toml:3", "r.toml:8", "r.toml:14", "r.toml:21"]);
        assert_eq!((rules[0].side, &rules[0].then), (Some(Dir::Client), &Then::Drop));
        assert_eq!(rules[1].delay, Some(Duration::from_millis(200)));
        assert_eq!(rules[1].then, Then::Replace("x$1".to_owned()));
        assert_eq!((rules[2].probability, rules[2].times, rules[2].json.len()), (0.5, Some(3), 1));
        assert_eq!(rules[2].then, Then::Answer(vec!["one".to_owned(), "two".to_owned()]));
        assert_eq!(rules[3].then, Then::Close(CloseCode(1011), "db pool".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_placed() {
        for (text, line, advice) in [
            ("", 1, "[[rule]]"),
            ("[[rule]]\nside = \"left\"\ndrop = true", 2, "\"client\" or \"server\", not `left`"),
            ("[[rule]]\n\nopcode = \"txt\"\ndrop = true", 3, "\"binary\""),
            ("[[rule]]\nregex = \"a(\"\ndrop = true", 2, "unclosed group"),
            ("[[rule]]\ndelay = \"soon\"", 2, "200ms"),
            ("[[rule]]\nclose = \"x\"", 2, "1011:reason"),
            ("[[rule]]\ndrop = true\nprobability = 2.0", 3, "from 0 to 1"),
            ("[[rule]]\njson = { \"type\" = 1 }\ndrop = true", 1, "begins with $"),
            ("\n[[rule]]\ntext = \"a\"", 2, "does nothing"),
            ("[[rule]]\ndrop = true\nreplace = \"x\"", 1, "one of"),
            ("[[rule]]\ndrop = 1", 2, "boolean"),
            ("[[rule]]\nwhen = \"a\"\ndrop = true", 2, "unknown field `when`"),
            ("[[rule]\ndrop = true", 1, ""),
        ] {
            let (at, problem) = rules(text, "r.toml").unwrap_err();
            let problem = problem.to_string();
            assert!(problem.contains(advice), "{text}: {problem}");
            assert_eq!(line_and_column(text, at.start).0, line, "{text}: {problem}");
        }
    }
}
