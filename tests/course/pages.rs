//! The lessons as they are read: both languages say the same things in the same order,
//! every section they cite exists, and Chinese pages use the words of the glossary.
//!
//! `tests/cli/readme.rs` runs their commands, `tests/course/exercises.rs` answers their exercises.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Value;

use crate::rfc::Rfc;

#[test]
fn both_languages_have_the_same_structure() {
    let mut wrong = String::new();
    for lesson in lessons() {
        let (en, zh) = (outline(&lesson.en), outline(&lesson.zh));
        for (place, pair) in en.iter().zip(&zh).enumerate() {
            if pair.0.part != pair.1.part {
                let (en, zh) = pair;
                let _ = writeln!(
                    wrong,
                    "{} part {}: en.md:{} has {:?}, zh.md:{} has {:?}",
                    lesson.name,
                    place + 1,
                    en.line,
                    en.part,
                    zh.line,
                    zh.part
                );
                break;
            }
        }
        if en.len() != zh.len() {
            let _ = writeln!(wrong, "{}: en.md has {} parts, zh.md {}", lesson.name, en.len(), zh.len());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn pages_name_every_exercise_and_no_other() {
    let mut wrong = String::new();
    for lesson in lessons() {
        let number = lesson.toml["number"].as_integer().expect("a number");
        let count = exercises(&lesson.toml).len();
        for (language, page) in [("en", &lesson.en), ("zh", &lesson.zh)] {
            for place in 1..=count {
                if !named(page, &format!("{number}.{place}")) {
                    let _ = writeln!(wrong, "{}/{language}.md does not name {number}.{place}", lesson.name);
                }
            }
            for answered in commands(page).iter().filter_map(|command| command.split_once(" answer ")) {
                let name = answered.1.split_whitespace().next().unwrap_or_default();
                let known = name.split_once('.').is_some_and(|(lesson, place)| {
                    *lesson == number.to_string()
                        && place.parse().is_ok_and(|n: usize| (1..=count).contains(&n))
                });
                if !known {
                    let _ = writeln!(wrong, "{}/{language}.md answers {name}", lesson.name);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What a lesson says stands in its `lesson.toml`, in both languages. What remains in the
/// generators are payloads, in lists of their own.
#[test]
fn generators_have_no_chinese_but_payloads() {
    let mut wrong = String::new();
    for (file, source) in generators() {
        for (number, line) in (1..).zip(source.lines()) {
            let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
            let is_list = line.starts_with("const ") && line.contains(": [&str; ");
            if line.contains(is_han) && !is_list {
                let _ = writeln!(wrong, "{}:{number}: {}", file.display(), line.trim());
            }
        }
    }
    assert!(wrong.is_empty(), "words for people, in Rust:\n{wrong}");
}

/// Every `[exercise.words]` is said by its lesson's generators, and they say no others.
#[test]
fn generators_and_lessons_have_the_same_words() {
    let mut wrong = String::new();
    for lesson in lessons() {
        let number = lesson.toml["number"].as_integer().expect("a number");
        let of_lesson = |file: &Path| file.to_string_lossy().contains(&format!("/l{number:02}"));
        let sources: String =
            generators().into_iter().filter(|(file, _)| of_lesson(file)).map(|(_, source)| source).collect();
        let mut known = Vec::new();
        for exercise in exercises(&lesson.toml) {
            let words = exercise.get("words").and_then(Value::as_table);
            known.extend(words.into_iter().flat_map(|words| words.keys().cloned()));
        }
        for id in known.iter().filter(|id| !sources.contains(&format!("\"{id}\""))) {
            let _ = writeln!(wrong, "{}: nobody says the words {id}", lesson.name);
        }
        for start in ["differs(\"", "Said::from(\""] {
            for (at, _) in sources.match_indices(start) {
                let id = sources[at + start.len()..].split('"').next().unwrap_or_default();
                if !known.iter().any(|known| known == id) {
                    let _ = writeln!(wrong, "{}: lesson.toml has no words {id}", lesson.name);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The sources that make the exercises.
fn generators() -> Vec<(PathBuf, String)> {
    let mut folders = vec![PathBuf::from("src/lesson/course")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let source = fs::read_to_string(&path).expect("a source file");
                found.push((path, source));
            }
        }
    }
    found
}

/// What a learner may reckon with stands at the head of the page, as the list has it.
#[test]
fn pages_say_how_long_they_take() {
    for lesson in lessons() {
        let minutes = lesson.toml["minutes"].as_integer().expect("a number");
        let (en, zh) = if minutes < 120 {
            (format!("It takes about {minutes} minutes"), format!("大约需要 {minutes} 分钟"))
        } else {
            (format!("It takes about {} hours", minutes / 60), format!("大约需要 {} 小时", minutes / 60))
        };
        for (page, said) in [(&lesson.en, en), (&lesson.zh, zh)] {
            assert!(
                page.split("\n## ").next().is_some_and(|head| head.contains(&said)),
                "{}: {said}",
                lesson.name
            );
        }
    }
}

#[test]
fn cited_sections_exist() {
    let mut library = BTreeMap::new();
    let mut wrong = String::new();
    let mut count = 0;
    for lesson in lessons() {
        let mut texts = vec![("en.md", prose(&lesson.en)), ("zh.md", prose(&lesson.zh))];
        texts.push(("lesson.toml", strings(&lesson.toml).join("\n\n")));
        let about = about(&lesson.toml);
        for (file, text) in texts {
            for citation in citations(&text, &about) {
                count += 1;
                if !citation.exists(&mut library) {
                    let _ = writeln!(wrong, "{}/{file}: {citation:?}", lesson.name);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "no such sections in tests/rfc/ nor in ELSEWHERE:\n{wrong}");
    assert!(count >= 30, "only {count} citations found: are they still written RFC 6455 §5.2?");
}

#[test]
fn citations_are_found_and_checked() {
    let mut library = BTreeMap::new();
    let text =
        "By RFC 6455 §5.4–5.5 and §7.1.\n\nIn RFC 7692 §7.2.3.6 (§7.2.1, §8.1) and RFC 7692 §8.1. §99.1.";
    let about = ["6455".to_owned()];
    let found: Vec<_> =
        citations(text, &about).iter().map(|c| (c.section.clone(), c.exists(&mut library))).collect();
    let expected = [
        ("5.4", true),
        ("5.5", true),
        ("7.1", true),
        ("7.2.3.6", true),
        ("7.2.1", true),
        // Not one of RFC 7692, but one of RFC 6455, which needs no name.
        ("8.1", true),
        ("8.1", false),
        ("99.1", false),
    ];
    assert_eq!(found, expected.map(|(section, exists)| (section.to_owned(), exists)));
    assert!(citations("Engine.IO 4 §Upgrade, 第 5 节", &about).is_empty());
    assert!(citations("RFC 9110 §7.8", &about)[0].exists(&mut library));
    assert!(!citations("RFC 9110 §99", &about)[0].exists(&mut library));
}

#[test]
fn chinese_uses_the_words_of_the_glossary() {
    let mut wrong = String::new();
    for lesson in lessons() {
        let mut texts: Vec<(String, String)> = vec![("zh.md".into(), prose(&lesson.zh))];
        texts.extend(chinese(&lesson.toml, "lesson.toml"));
        for (place, text) in texts {
            for (sentence, why) in forbidden(&text) {
                let _ = writeln!(wrong, "{}/{place}: {why}\n    {sentence}", lesson.name);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn forbidden_words_are_found() {
    for (text, count) in [
        ("掩码加密了数据。", 1),
        ("客户端必须对数据解密。", 1),
        ("掩码不是加密。", 0),
        ("> “掩码加密了数据。”", 0),
        ("有人说“掩码就是加密”，其实不然。", 0),
        ("用 wss:// 时，TLS 加密整个流。", 0),
        ("用 SHA-1 编码这个键。", 1),
        ("先算 SHA-1 散列，再做 Base64 编码。", 0),
        ("一个框架有两个字节。", 1),
        ("3000–3999 给库和框架。", 0),
        ("3000–3999 给库、框架和应用。", 0),
        ("网页可以放进沙箱框架。", 0),
    ] {
        assert_eq!(forbidden(text).len(), count, "{text}");
    }
}

/// A lesson as it lies in its folder.
struct Lesson {
    name: String,
    toml: Value,
    en: String,
    zh: String,
}

fn lessons() -> Vec<Lesson> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons");
    let folders = fs::read_dir(root).expect("lessons/ can be listed").flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.join("lesson.toml").exists()).collect();
    folders.sort();
    assert!(!folders.is_empty(), "no lessons found");
    folders.iter().map(|folder| Lesson::read(folder)).collect()
}

impl Lesson {
    fn read(folder: &Path) -> Self {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        let text = |file: &str| {
            fs::read_to_string(folder.join(file)).unwrap_or_else(|e| panic!("lessons/{name}/{file}: {e}"))
        };
        let toml = toml::from_str(&text("lesson.toml"))
            .unwrap_or_else(|e| panic!("lessons/{name}/lesson.toml: {e}"));
        let (en, zh) = (text("en.md"), text("zh.md"));
        Self { name, toml, en, zh }
    }
}

fn exercises(lesson: &Value) -> &[Value] {
    lesson.get("exercise").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What a page is made of, where it can be compared with its other language.
#[derive(Debug, PartialEq)]
enum Part {
    /// A heading, by its level.
    Heading(usize),
    /// A code block, by what stands behind its fence.
    Block(String),
    /// A command in a block, without the language it is to answer in.
    Command(String),
    /// A table, by its rows.
    Table(usize),
}

struct Placed {
    line: usize,
    part: Part,
}

fn outline(page: &str) -> Vec<Placed> {
    let mut parts: Vec<Placed> = Vec::new();
    let mut fence: Option<String> = None;
    for (number, line) in (1..).zip(page.lines()) {
        let placed = |part| Placed { line: number, part };
        if let Some(kind) = line.strip_prefix("```") {
            if fence.take().is_none() {
                parts.push(placed(Part::Block(kind.to_owned())));
                fence = Some(kind.to_owned());
            }
        } else if let Some(kind) = &fence {
            if let Some(command) = command(kind, line) {
                parts.push(placed(Part::Command(without_language(command))));
            }
        } else if line.starts_with('#') {
            parts.push(placed(Part::Heading(line.bytes().take_while(|b| *b == b'#').count())));
        } else if line.starts_with('|') {
            match parts.last_mut() {
                Some(Placed { line: last, part: Part::Table(rows) }) if *last + *rows == number => *rows += 1,
                _ => parts.push(placed(Part::Table(1))),
            }
        }
    }
    parts
}

/// The command on a line of a block: behind a prompt, or any line of a script.
fn command<'a>(kind: &str, line: &'a str) -> Option<&'a str> {
    match kind {
        "console" => line.strip_prefix("$ "),
        "sh" => Some(line),
        _ => None,
    }
}

fn without_language(command: &str) -> String {
    ["en", "zh"].iter().fold(command.to_owned(), |command, lang| {
        command.replace(&format!(" --lang {lang}"), "").replace(&format!("{lang}.md"), "PAGE")
    })
}

fn commands(page: &str) -> Vec<String> {
    let command = |placed: Placed| match placed.part {
        Part::Command(command) => Some(command),
        _ => None,
    };
    outline(page).into_iter().filter_map(command).collect()
}

/// Whether a page has this number, and not as a part of a longer one.
fn named(page: &str, name: &str) -> bool {
    page.match_indices(name).any(|(at, _)| {
        let (before, after) = (page[..at].chars().next_back(), page[at + name.len()..].chars().next());
        let glued = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '§');
        !glued(before) && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

/// A page without its blocks.
fn prose(page: &str) -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

/// Every text in a value.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Table(table) => table.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// Every Chinese text in a value, with its path. What people believe and what can be
/// chosen are wrong on purpose.
fn chinese(value: &Value, path: &str) -> Vec<(String, String)> {
    let below = |(key, value): (&String, &Value)| match key.as_str() {
        "belief" | "options" => Vec::new(),
        "zh" => strings(value).into_iter().map(|text| (path.to_owned(), text)).collect(),
        _ => chinese(value, &format!("{path} {key}")),
    };
    match value {
        Value::Table(table) => table.iter().flat_map(below).collect(),
        Value::Array(items) => items.iter().flat_map(|item| chinese(item, path)).collect(),
        _ => Vec::new(),
    }
}

/// Sections of RFCs that do not lie in `tests/rfc/`, as somebody has looked them up.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("1122", "4.2.3.6", "TCP Keep-Alives"),
    ("4648", "4", "Base 64 Encoding"),
    ("4648", "5", "Base 64 Encoding with URL and Filename Safe Alphabet"),
    ("6202", "2", "HTTP Long Polling"),
    ("6202", "2.1", "Definition"),
    ("6202", "2.2", "HTTP Long Polling Issues"),
    ("6202", "3", "HTTP Streaming"),
    ("6202", "3.2", "HTTP Streaming Issues"),
    ("6454", "4", "Origin of a URI"),
    ("6454", "6", "Serializing Origins"),
    ("6454", "6.2", "ASCII Serialization of an Origin"),
    ("9110", "7.6.1", "Connection"),
    ("9110", "7.6.3", "Via"),
    ("9110", "7.8", "Upgrade"),
    ("9112", "2.1", "Message Format"),
    ("9112", "2.2", "Message Parsing"),
    ("9112", "6.3", "Message Body Length"),
    ("9112", "9.3", "Persistence"),
    ("9112", "9.6", "Tear-down"),
];

/// A section that is cited.
#[derive(Debug)]
struct Citation {
    /// Whose section it may be.
    rfcs: Vec<String>,
    section: String,
}

impl Citation {
    fn exists(&self, library: &mut BTreeMap<String, Rfc>) -> bool {
        let mut has = |rfc: &String| {
            ELSEWHERE.iter().any(|(number, section, _)| number == rfc && *section == self.section)
                || Rfc::path(rfc).exists()
                    && library
                        .entry(rfc.clone())
                        .or_insert_with(|| Rfc::read(rfc))
                        .sections
                        .contains_key(&self.section)
        };
        self.rfcs.iter().any(&mut has)
    }
}

/// RFC 6455, and the RFCs that a lesson names as its own.
fn about(lesson: &Value) -> Vec<String> {
    let named = strings(&lesson["rfc"]);
    let numbers =
        named.iter().filter_map(|cite| cite.strip_prefix("RFC ")).map(|cite| digits(cite).to_owned());
    ["6455".to_owned()].into_iter().chain(numbers).collect()
}

/// `RFC 6455 §5.2`. A section without an RFC before it is one of RFC 6455, of the RFC that
/// the paragraph named last, or of those that the lesson is about.
fn citations(text: &str, lesson: &[String]) -> Vec<Citation> {
    let mut found = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut last = "6455".to_owned();
        let mut named = false;
        let mut rest = paragraph;
        while let Some(at) = rest.find(['R', '§']) {
            named &= rest[..at].trim().is_empty();
            rest = &rest[at..];
            let number = rest.strip_prefix("RFC ").map_or("", digits);
            if !number.is_empty() {
                number.clone_into(&mut last);
                named = true;
                rest = &rest["RFC ".len() + number.len()..];
                continue;
            }
            let mut behind = rest.strip_prefix('§').unwrap_or_default();
            while !digits(behind).is_empty() {
                let section = digits(behind).trim_end_matches('.').to_owned();
                let implied: &[String] = if named { &[] } else { lesson };
                let rfcs = [&last].into_iter().chain(implied).cloned().collect();
                behind = behind[section.len()..].strip_prefix('–').unwrap_or_default();
                found.push(Citation { rfcs, section });
            }
            named = false;
            rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
        }
    }
    found
}

/// The digits and points at the beginning of a text.
fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { &text[..end] } else { "" }
}

/// Sentences with words that the glossary forbids, and what is wrong with them.
///
/// 加密 and 解密 are for TLS, and for what a sentence denies or quotes: it says so before the
/// word (不, 当成 …), or has the word in “”. A line that begins with `>` quotes a belief.
/// 框架 is for software that comes with libraries (库和框架, 库、框架), and for a page within a page
/// (网页, 沙箱, iframe).
fn forbidden(text: &str) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('>'));
    for sentence in lines.flat_map(|line| line.split_inclusive(['。', '！', '？', '；'])) {
        let told = sentence.trim().to_owned();
        let bare = without_quotations(sentence);
        let html = ["网页", "沙箱", "iframe"].iter().any(|word| bare.contains(word));
        let software = bare.replace("库和框架", "").replace("库、框架", "");
        if !html && software.contains("框架") {
            found.push((told.clone(), "a frame is 帧, not 框架"));
        }
        let tls = ["TLS", "wss", "HTTPS"].iter().any(|word| bare.contains(word));
        let claimed =
            ["加密", "解密"].iter().any(|word| bare.find(word).is_some_and(|at| !denied(&bare[..at])));
        if claimed && !tls {
            found.push((told.clone(), "a mask neither 加密 nor 解密"));
        }
        if ["SHA-1 编码", "SHA-1编码", "散列编码", "摘要编码"].iter().any(|word| bare.contains(word))
        {
            found.push((told, "SHA-1 is a 散列, not an 编码"));
        }
    }
    found
}

fn denied(before: &str) -> bool {
    let clause = before.rsplit(['，', '：', '、', '（']).next().unwrap_or(before);
    ["不", "没", "无", "非", "当成", "以为"].iter().any(|word| clause.contains(word))
}

fn without_quotations(text: &str) -> String {
    let mut bare = String::new();
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '“' => depth += 1,
            '”' => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    bare
}
