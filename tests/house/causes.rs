//! `docs/causes.md` is written from the causes and their samples:
//! `UPDATE_DOCS=1 cargo test --test house causes`.
use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::rc::Rc;

use wstool::cause;
use wstool::model::{Rule, Severity};
use wstool::render::views::{self, Form};
use wstool::render::{Options, View};

use crate::pages;
use crate::shelf::{Sample, samples};

#[test]
fn the_page_of_causes_is_what_the_code_says() {
    pages::hold("docs/causes.md", &page(), "causes");
}

/// Whoever meets a cause is told what is usually behind it and what to change, whatever else can be said.
#[test]
fn every_cause_says_what_to_do() {
    let rules = || cause::lists().into_iter().flat_map(|(_, rules)| rules);
    for rule in rules() {
        let usual = rule.usually.unwrap_or_else(|| panic!("{}: nothing is usually behind it", rule.id));
        assert!(!usual.what.is_empty() && !usual.fix.is_empty(), "{}", rule.id);
    }
    assert!(rules().count() > 20);
}

const ABOUT: &str = "\
# Causes

Why connections end or fail. Most that end badly break no [rule](rules.md): a proxy is tired of the silence, a
server has a limit, a client gives up. `wstool decode FILE` begins with what went wrong, the worst first and
alike things together; `--view causes` shows that alone and all of it, `--no-verdict` leaves it out. In NDJSON
each connection has a record [`verdict`](ndjson.md#verdict) and each group of causes a record
[`cause`](ndjson.md#cause); `--fail-on` counts causes by their severity, and `wstool explain ID` says more.

Of each cause this is told:

- what happened, to how many connections, and what was measured in them;
- its id, and where and when it was seen first and last;
- *likely*: what is behind it. Where the capture shows it, that is said; otherwise it is what usually is
  behind such an end, and a guess;
- *try*: what to change.

An *error* has cost messages or a connection that was wanted. A *warning* will do so again. A *note* is in
order and worth knowing. Each cause has a sample, `samples/broken/ID.script` or `.pcap`, of which the example
is.

This page is written from the code (`UPDATE_DOCS=1 cargo test --test house causes`).
";

fn page() -> String {
    let samples = samples();
    let mut page = ABOUT.to_owned();
    for (title, rules) in cause::lists() {
        let _ = write!(page, "\n## {title}\n");
        for rule in rules {
            let sample = samples.iter().find(|it| it.folder() == "broken" && it.stem() == rule.id);
            let sample = sample.unwrap_or_else(|| panic!("no samples/broken/{}.script", rule.id));
            let _ = write!(page, "\n{}", entry(rule, sample));
        }
    }
    page
}

fn entry(rule: &Rule, sample: &Sample) -> String {
    let severity = match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let usual = rule.usually.expect("a cause says what is usually behind it");
    let example = example(rule.id, sample);
    format!(
        "### `{}`\n\n*{severity}, {}*. {}.\n\n- What follows: {}.\n- Usually: {}.\n- Try: {}.\n\n{example}",
        rule.id,
        rule.cite,
        sentence(rule.title),
        rule.consequence,
        usual.what,
        usual.fix
    )
}

fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What a head says of the cause in its sample, as code.
fn example(id: &str, sample: &Sample) -> String {
    let head = head(sample);
    let is_first = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let lines: Vec<&str> = head.lines().collect();
    let at = lines.iter().position(|line| line.trim_start().starts_with(&format!("{id}  ")));
    let at = at.unwrap_or_else(|| panic!("{}: its head does not tell {id}:\n{head}", sample.name));
    let from = lines[..at].iter().rposition(is_first).expect("a cause begins with its severity");
    let to = lines[at..].iter().position(|line| line.is_empty() || is_first(line)).expect("more follows");
    let said = lines[from..at + to].iter().map(|line| line.strip_prefix("  ").unwrap_or(line));
    format!("```text\n{}\n```\n", said.collect::<Vec<_>>().join("\n"))
}

/// What `--view causes` says of a sample, on 80 columns.
fn head(sample: &Sample) -> String {
    let out = Shared::default();
    let choice = views::named("causes").expect("there is such a view");
    let mut view: Box<dyn View> =
        (choice.make)(choice, Box::new(out.clone()), Form::Text, &Options::default());
    sample.play(&mut *view);
    view.end().expect("memory takes it");
    String::from_utf8(out.0.take()).expect("a view is UTF-8")
}

/// An output that can still be read when it was given away.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
