//! The files of cases: TOML, one a chapter; `docs/cases.md` says what each key means.
//!
//! A case with `each` is as many cases as there are rows: `{name}` in its texts stands for the row's value.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Deserialize;
use toml::{Table, Value};

use super::case::{Answers, Case, Closer, Ending, Fatal, Mistake, Status};
use super::script;
use crate::model::grade::{CaseFacts, Chapter, Level};
use crate::model::{Bilingual, CloseCode, Dir, Rule, line_and_column};

/// The files of the suite.
const FILES: &[(&str, &str)] = &[
    ("handshake.toml", include_str!("cases/handshake.toml")),
    ("handshake-client.toml", include_str!("cases/handshake-client.toml")),
    ("framing.toml", include_str!("cases/framing.toml")),
    ("masking.toml", include_str!("cases/masking.toml")),
    ("fragmentation.toml", include_str!("cases/fragmentation.toml")),
    ("control.toml", include_str!("cases/control.toml")),
    ("utf8.toml", include_str!("cases/utf8.toml")),
    ("closing.toml", include_str!("cases/closing.toml")),
    ("limits.toml", include_str!("cases/limits.toml")),
    ("deflate.toml", include_str!("cases/deflate.toml")),
    ("deflate-parameters.toml", include_str!("cases/deflate-parameters.toml")),
    ("http2.toml", include_str!("cases/http2.toml")),
    ("robustness.toml", include_str!("cases/robustness.toml")),
    ("known-bugs.toml", include_str!("cases/known-bugs.toml")),
    ("performance.toml", include_str!("cases/performance.toml")),
];

/// How long something is waited for where a case says nothing.
const PATIENCE: Duration = Duration::from_secs(3);

/// Bytes of a message that are taken where a case says nothing.
const MOST: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    chapter: String,
    #[serde(default)]
    rows: BTreeMap<String, Vec<Table>>,
    #[serde(default)]
    advice: BTreeMap<String, Advice>,
    #[serde(default)]
    case: Vec<Table>,
}

/// What several cases say of failing.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advice {
    usually: Bilingual,
    mend: Bilingual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    id: String,
    autobahn: Option<String>,
    title: Bilingual,
    #[serde(default)]
    cite: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    bugs: Vec<String>,
    #[serde(default)]
    stage: Option<u8>,
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    of: Option<String>,
    #[serde(default)]
    needs_echo: Option<bool>,
    offer: Option<String>,
    grant: Option<String>,
    #[serde(default)]
    play: String,
    #[serde(default)]
    pass: Texts,
    #[serde(default)]
    lenient: Option<Texts>,
    request: Option<String>,
    before: Option<String>,
    response: Option<String>,
    #[serde(default)]
    answer: Vec<String>,
    #[serde(default)]
    answer_lenient: Vec<String>,
    #[serde(default)]
    has: Vec<String>,
    #[serde(default)]
    should_have: Vec<String>,
    #[serde(default)]
    lacks: Vec<String>,
    closer: Option<String>,
    #[serde(default)]
    codes: Option<Vec<Code>>,
    clean: Option<bool>,
    fatal: Option<String>,
    #[serde(default)]
    informational: bool,
    patience: Option<String>,
    most: Option<usize>,
    advice: Option<String>,
    #[serde(default)]
    takeover: bool,
    #[serde(default)]
    survives: bool,
    #[serde(default)]
    usually: Bilingual,
    #[serde(default)]
    mend: Bilingual,
    #[serde(default)]
    mistake: Vec<RawMistake>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMistake {
    got: Option<String>,
    code: Option<Code>,
    en: String,
    zh: String,
}

/// A close code; a text where a row says it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Number(u16),
    Text(String),
}

impl Code {
    fn read(self) -> Result<CloseCode, String> {
        match self {
            Self::Number(code) => Ok(CloseCode(code)),
            Self::Text(text) => text.parse().map(CloseCode).map_err(|_| format!("`{text}` is no close code")),
        }
    }
}

/// One text, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Several(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::One(String::new())
    }
}

impl Texts {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Several(texts) => texts,
        }
    }
}

/// The cases of the suite, chapter by chapter.
///
/// # Panics
/// When a file of the suite is broken, which a test holds it is not.
pub fn suite() -> &'static [Case] {
    static SUITE: OnceLock<Vec<Case>> = OnceLock::new();
    SUITE.get_or_init(|| {
        let files = FILES.iter().flat_map(|(name, text)| {
            // They are part of the program; that their scripts can be read is held by its tests.
            parse(text).unwrap_or_else(|problem| panic!("{name}: {problem}"))
        });
        files.collect()
    })
}

/// Reads a file of cases, and their scripts.
///
/// # Errors
/// What cannot be understood, and of which case.
pub fn read(text: &str) -> Result<Vec<Case>, String> {
    let cases = parse(text)?;
    for case in &cases {
        for us in [Dir::Client, Dir::Server] {
            case.prepare(us).map_err(|(key, error)| format!("{}: {key}:{error}", case.facts.id))?;
        }
    }
    Ok(cases)
}

/// Reads a file of cases, whose scripts are not looked into.
fn parse(text: &str) -> Result<Vec<Case>, String> {
    let file: File = toml::from_str(text).map_err(|error| misread(text, &error))?;
    let chapter = Chapter::ALL.into_iter().find(|chapter| chapter.name() == file.chapter);
    let chapter = chapter.ok_or_else(|| format!("`{}` is no chapter", file.chapter))?;
    let mut cases = Vec::new();
    for mut table in file.case {
        let name = table.get("id").and_then(Value::as_str).unwrap_or("a case without an id").to_owned();
        let problem = |problem: String| format!("{name}: {problem}");
        let each = table.remove("each");
        for row in rows(each, &file.rows).map_err(problem)? {
            let filled = fill(&Value::Table(table.clone()), &row);
            let mut raw: Raw = filled.try_into().map_err(|error| problem(error.to_string()))?;
            if let Some(name) = &raw.advice {
                let advice = file.advice.get(name);
                let advice = advice.ok_or_else(|| problem(format!("there is no advice `{name}`")))?;
                Advice { usually: raw.usually, mend: raw.mend } = advice.clone();
            }
            cases.push(case(chapter, raw).map_err(problem)?);
        }
    }
    Ok(cases)
}

/// What is no TOML, or not what is expected, and where.
fn misread(text: &str, error: &toml::de::Error) -> String {
    let (line, column) = line_and_column(text, error.span().map_or(0, |span| span.start));
    format!("line {line}, column {column}: {}", error.message().trim())
}

/// The rows of a case: one without a value where it has none; all pairs where it names several lists.
fn rows(each: Option<Value>, named: &BTreeMap<String, Vec<Table>>) -> Result<Vec<Table>, String> {
    let Some(each) = each else { return Ok(vec![Table::new()]) };
    let lists = match each {
        Value::Array(all) if all.iter().all(Value::is_str) => all,
        other => vec![other],
    };
    let mut rows = vec![Table::new()];
    for list in lists {
        let list: Vec<Table> = match list {
            Value::String(name) => {
                named.get(&name).cloned().ok_or_else(|| format!("there are no rows `{name}`"))?
            }
            other => other.try_into().map_err(|error| format!("each: {error}"))?,
        };
        rows = rows
            .iter()
            .flat_map(|row| {
                list.iter().map(|more| row.iter().chain(more).map(|(k, v)| (k.clone(), v.clone())).collect())
            })
            .collect();
    }
    Ok(rows)
}

/// A value with the texts of a row where their names stand in braces.
fn fill(value: &Value, row: &Table) -> Value {
    match value {
        Value::String(text) if text.contains('{') => {
            let mut text = text.clone();
            for (name, value) in row {
                let value = match value {
                    Value::String(text) => text.clone(),
                    Value::Integer(number) => number.to_string(),
                    _ => continue,
                };
                text = text.replace(&format!("{{{name}}}"), &value);
            }
            Value::String(text)
        }
        Value::Array(all) => Value::Array(all.iter().map(|it| fill(it, row)).collect()),
        Value::Table(table) => Value::Table(table.iter().map(|(k, v)| (k.clone(), fill(v, row))).collect()),
        other => other.clone(),
    }
}

fn case(chapter: Chapter, raw: Raw) -> Result<Case, String> {
    let rules = raw.rules.iter().map(|id| rule(id)).collect::<Result<_, _>>()?;
    let level = match raw.level.as_deref() {
        None | Some("must") => Level::Must,
        Some("should") => Level::Should,
        Some("may") => Level::May,
        Some(other) => return Err(format!("level `{other}` is not must, should or may")),
    };
    let of = match raw.of.as_deref() {
        None | Some("both") => [true, true],
        Some("client") => [true, false],
        Some("server") => [false, true],
        Some(other) => return Err(format!("of `{other}` is not client, server or both")),
    };
    let closer = match raw.closer.as_deref() {
        None | Some("judge") => Closer::Judge,
        Some("peer") => Closer::Peer,
        Some("either") => Closer::Either,
        Some(other) => return Err(format!("closer `{other}` is not judge, peer or either")),
    };
    let fatal = match raw.fatal.as_deref() {
        None => None,
        Some("closer") => Some(Fatal::Closer),
        Some("code") => Some(Fatal::Code),
        Some("error") => Some(Fatal::Error),
        Some("tcp") => Some(Fatal::Tcp),
        Some(other) => return Err(format!("fatal `{other}` is not closer, code, error or tcp")),
    };
    let usual = if closer == Closer::Peer { 1002 } else { 1000 };
    let codes = raw.codes.unwrap_or_else(|| vec![Code::Number(usual)]);
    let codes = codes.into_iter().map(Code::read).collect::<Result<_, _>>()?;
    let ending = Ending { closer, codes, clean: raw.clean.unwrap_or(closer == Closer::Judge), fatal };
    let statuses = |texts: &[String]| {
        let parse = |text: &String| {
            Status::parse(text).ok_or_else(|| format!("`{text}` is no status: 101, 4xx, closed, silent"))
        };
        texts.iter().map(parse).collect::<Result<Vec<_>, _>>()
    };
    let answer = Answers {
        right: statuses(&raw.answer)?,
        lenient: statuses(&raw.answer_lenient)?,
        has: raw.has,
        should_have: raw.should_have,
        lacks: raw.lacks,
    };
    let patience = match raw.patience {
        Some(time) => script::time(&time).map_err(|problem| problem.to_string())?,
        None => PATIENCE,
    };
    let pass = raw.pass.all();
    let needs_echo = raw.needs_echo.unwrap_or_else(|| {
        pass.iter().any(|text| {
            text.lines().any(|line| ["echo", "text", "binary"].iter().any(|it| line.trim().starts_with(it)))
        })
    });
    let mistakes = raw.mistake.into_iter().map(|it| {
        let code = it.code.map(Code::read).transpose()?;
        Ok(Mistake { got: it.got, code, says: Bilingual::new(it.en, it.zh) })
    });
    let mistakes = mistakes.collect::<Result<_, String>>()?;
    Ok(Case {
        facts: Arc::new(CaseFacts {
            id: format!("{chapter}.{}", raw.id),
            autobahn: raw.autobahn,
            chapter,
            title: raw.title,
            cites: raw.cite,
            rules,
            stage: raw.stage.unwrap_or(5),
            level,
            usually: raw.usually,
            mend: raw.mend,
            bugs: raw.bugs,
        }),
        of,
        needs_echo,
        offer: raw.offer,
        grant: raw.grant,
        play: raw.play,
        pass,
        lenient: raw.lenient.map(Texts::all).unwrap_or_default(),
        request: raw.request,
        before: raw.before,
        response: raw.response,
        answer,
        ending,
        informational: raw.informational,
        patience,
        most: raw.most.unwrap_or(MOST),
        takeover: raw.takeover,
        survives: raw.survives,
        mistakes,
    })
}

fn rule(id: &str) -> Result<&'static Rule, String> {
    static RULES: OnceLock<HashMap<&str, &Rule>> = OnceLock::new();
    let rules = RULES.get_or_init(|| crate::rules().map(|rule| (rule.id, rule)).collect());
    rules.get(id).copied().ok_or_else(|| format!("there is no rule `{id}`"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_case_can_be_played_and_has_an_id_of_its_own() {
        let mut ids = BTreeSet::new();
        for (name, text) in FILES {
            for case in read(text).unwrap_or_else(|problem| panic!("{name}: {problem}")) {
                let id = &case.facts.id;
                assert!(ids.insert(id.clone()), "{name}: {id} is there twice");
                assert!(!case.facts.cites.is_empty(), "{name}: {id} cites nothing");
                assert!((1..=5).contains(&case.facts.stage), "{name}: {id}: stages are 1 to 5");
                let title = &case.facts.title;
                assert!(!title.en.contains('{') && !title.zh.contains('{'), "{name}: {id}: {title:?}");
            }
        }
    }

    /// Autobahn's numbers of chapters 1 to 7 and 10, as many as it has of each.
    #[test]
    fn autobahns_numbers_are_there_exactly_once() {
        let counts: &[(&str, usize)] = &[
            ("1.1", 8),
            ("1.2", 8),
            ("2", 11),
            ("3", 7),
            ("4.1", 5),
            ("4.2", 5),
            ("5", 20),
            ("6.1", 3),
            ("6.2", 4),
            ("6.3", 2),
            ("6.4", 4),
            ("6.5", 5),
            ("6.6", 11),
            ("6.7", 4),
            ("6.8", 2),
            ("6.9", 4),
            ("6.10", 3),
            ("6.11", 5),
            ("6.12", 8),
            ("6.13", 5),
            ("6.14", 10),
            ("6.15", 1),
            ("6.16", 3),
            ("6.17", 5),
            ("6.18", 5),
            ("6.19", 5),
            ("6.20", 7),
            ("6.21", 8),
            ("6.22", 34),
            ("6.23", 7),
            ("7.1", 6),
            ("7.3", 6),
            ("7.5", 1),
            ("7.7", 13),
            ("7.9", 9),
            ("7.13", 2),
            ("10.1", 1),
        ];
        let numbers =
            counts.iter().flat_map(|(group, count)| (1..=*count).map(move |n| format!("{group}.{n}")));
        let expected: BTreeSet<String> = numbers.collect();
        let is_ours = |number: &&str| {
            let chapter = number.split('.').next().and_then(|chapter| chapter.parse::<u8>().ok());
            chapter.is_some_and(|chapter| chapter <= 7 || chapter == 10)
        };
        let found: Vec<&str> =
            suite().iter().filter_map(|case| case.facts.autobahn.as_deref()).filter(is_ours).collect();
        let once: BTreeSet<String> = found.iter().map(|&number| number.to_owned()).collect();
        assert_eq!(once, expected);
        assert_eq!(found.len(), expected.len());
    }

    #[test]
    fn limits_and_compression_of_autobahn_are_whole() {
        let cases = suite();
        let numbers = cases.iter().filter_map(|case| case.facts.autobahn.as_deref());
        let of = |chapter: &'static str| numbers.clone().filter(move |number| number.starts_with(chapter));
        let mut expected = BTreeSet::new();
        for (group, count) in [6, 6, 9, 9, 6, 6, 6, 6].into_iter().enumerate() {
            expected.extend((1..=count).map(|n| format!("9.{}.{n}", group + 1)));
        }
        for (chapter, groups) in [(12, 5), (13, 7)] {
            for group in 1..=groups {
                expected.extend((1..=18).map(|n| format!("{chapter}.{group}.{n}")));
            }
        }
        assert_eq!(expected.len(), 54 + 90 + 126);
        let all: Vec<&str> = ["9.", "12.", "13."].into_iter().flat_map(of).collect();
        assert_eq!(all.len(), expected.len());
        assert_eq!(all.iter().map(|number| (*number).to_owned()).collect::<BTreeSet<_>>(), expected);
        // What they are made of: 9.5.1, 12.5.18 and 13.7.11 stand for the rest.
        let play = |number: &str| {
            let case = cases.iter().find(|case| case.facts.autobahn.as_deref() == Some(number));
            case.map_or("", |case| &case.play)
        };
        assert_eq!(play("9.5.1"), "text fill=words size=1048576 chop=64");
        assert!(
            play("12.5.18").contains("size=131072 times=1000")
                && play("12.5.18").ends_with("deflate fragment=32768")
        );
        assert!(
            play("13.7.11").contains("size=8192 times=1000") && play("13.7.11").ends_with("fragment=256")
        );
    }

    #[test]
    fn what_is_misread_is_told_in_a_line_with_its_place() {
        for (text, at) in [
            ("", "line 1, column 1: missing field `chapter`"),
            ("chapter = \"framing\"\n[[case]\n", "line 2, column 8: "),
        ] {
            let problem = read(text).expect_err("it is wrong");
            assert!(problem.starts_with(at) && !problem.contains('\n'), "{problem}");
        }
    }

    #[test]
    fn rows_make_cases() {
        let text = r#"
            chapter = "framing"
            rows.sizes = [{ n = 1, size = 0 }, { n = 2, size = 125 }]
            rows.kinds = [{ kind = "text" }, { kind = "binary" }]
            [[case]]
            each = ["kinds", "sizes"]
            id = "{kind}-{size}"
            autobahn = "1.{n}"
            title = { en = "{size} bytes of {kind}", zh = "" }
            cite = ["RFC 6455 §5.2"]
            play = '{kind} "*" size={size}'
            pass = "echo"
        "#;
        let cases = read(text).unwrap();
        let ids: Vec<&str> = cases.iter().map(|case| &*case.facts.id).collect();
        assert_eq!(ids, ["framing.text-0", "framing.text-125", "framing.binary-0", "framing.binary-125"]);
        assert_eq!(cases[1].facts.autobahn.as_deref(), Some("1.2"));
        assert!(cases[0].needs_echo && cases[0].ending.clean);
        for wrong in [
            "level = \"x\"",
            "advice = \"x\"",
            "closer = \"me\"",
            "answer = [\"no\"]",
            "rules = [\"x\"]",
            "each = \"x\"",
        ] {
            let text = text.replace("each = [\"kinds\", \"sizes\"]", wrong);
            assert!(read(&text).is_err(), "{wrong}");
        }
    }
}
