//! `wstool explain`: what a word of the field means.

mod example;

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::cli::{Look, output};
use crate::explain::{self, Answer, Group, Topic, look_up};
use crate::lang::Lang;
use crate::model::{Cite, Severity, Who};
use crate::render::Options;
use crate::render::article::{Article, Part, article, listing};

/// What the long help and the manual say besides.
const AFTER: &str = "\
Examples:
  wstool explain ping
  wstool explain 0x9
  wstool explain 1006
  wstool explain Sec-WebSocket-Accept
  wstool explain unmasked-client-frame
  wstool explain 5.3                     what RFC 6455 §5.3 is about
  wstool explain RFC 7692 §7.2.1
  wstool explain 掩码 --lang zh

Exit status:
  0  the topic is known
  2  wrong usage, or there is no such topic";

/// Say what a word means, where it is written and which lesson treats it
///
/// TOPIC is an opcode, a close code, a header field, a status, a field of a frame,
/// the id of a rule, a term, or a section of an RFC, in English or Chinese. Upper and
/// lower case, spaces and dashes do not matter. Without TOPIC all topics are listed.
#[derive(clap::Args, Clone, Debug)]
#[command(after_long_help = AFTER)]
pub struct Args {
    /// What to explain; several words are one topic
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,

    /// Text for people, or JSON for programs
    #[arg(short, long, default_value = "text")]
    format: Format,

    /// Use ASCII characters only
    #[arg(long)]
    ascii: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object, or an array of them
    Json,
}

/// Runs the command; the exit code. `Err` only when writing fails.
pub fn run(args: &Args, look: Look, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let options = Options {
        width: output::width(),
        color: look.color,
        lang: look.lang,
        ascii: args.ascii,
        ..Options::default()
    };
    let question = args.topic.join(" ");
    if question.trim().is_empty() {
        show_all(args, &options, explain::topics().iter(), out)?;
        return Ok(0);
    }
    match look_up(&question) {
        Answer::Topic { topic, others } => {
            match args.format {
                Format::Text => out.write_all(page(&options, topic, &others).as_bytes())?,
                Format::Json => writeln!(out, "{}", record(topic, look.lang))?,
            }
            Ok(0)
        }
        Answer::Section { cite, topics } => {
            if args.format == Format::Text {
                writeln!(out, "{}\n", look.lang.fill("What {} is about:", &[&cite]))?;
            }
            show_all(args, &options, topics.into_iter(), out)?;
            Ok(0)
        }
        Answer::Unknown { nearest } => {
            let shown: String = question.chars().take(60).flat_map(char::escape_debug).collect();
            let hint = if nearest.is_empty() {
                "wstool explain lists all topics".to_owned()
            } else {
                format!("perhaps {}; wstool explain lists all", nearest.join(", "))
            };
            writeln!(err, "error: there is no topic \"{shown}\": {hint}")?;
            Ok(2)
        }
    }
}

fn show_all(
    args: &Args,
    options: &Options,
    topics: impl Iterator<Item = &'static Topic>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if args.format == Format::Json {
        let records: Vec<Value> = topics.map(|topic| record(topic, options.lang)).collect();
        return writeln!(out, "{}", Value::Array(records));
    }
    let mut parts: Vec<(Group, Part)> = Vec::new();
    for topic in topics {
        if parts.last().is_none_or(|(group, _)| *group != topic.group) {
            let title = topic.group.title(options.lang).to_owned();
            parts.push((topic.group, Part { title, entries: Vec::new() }));
        }
        if let Some((_, part)) = parts.last_mut() {
            part.entries.push((topic.id.to_owned(), topic.title(options.lang).to_owned()));
        }
    }
    let parts: Vec<Part> = parts.into_iter().map(|(_, part)| part).collect();
    out.write_all(listing(options, &parts).as_bytes())
}

/// The page of a topic.
fn page(options: &Options, topic: &Topic, others: &[&Topic]) -> String {
    let lang = options.lang;
    let mut about = vec![topic.id.to_owned(), topic.group.title(lang).to_owned()];
    let mut above = Vec::new();
    if let Some(rule) = topic.rule {
        about.push(lang.words(severity(rule.severity)).to_owned());
        about.push(lang.words(who(rule.who)).to_owned());
        above.push(("then", lang.words(rule.consequence).to_owned()));
    }
    if let Some(advice) = topic.advice(lang) {
        above.push(("why", advice.why.to_owned()));
        above.push(("fix", advice.fix.to_owned()));
    }
    if topic.group != Group::Part {
        let fields = topic.fields.iter().map(|def| format!("{}: {}", def.id, lang.words(def.help)));
        above.extend(fields.map(|field| ("field", field)));
    }
    let lesson = topic.lesson.map_or(String::new(), |number| lang.fill("{} (wstool lesson {})", &[&number, &number]));
    let ids = |topics: &mut dyn Iterator<Item = &str>| topics.collect::<Vec<_>>().join(", ");
    article(
        options,
        &Article {
            title: topic.title(lang).to_owned(),
            cite: topic.cites.first().map_or(String::new(), Cite::to_string),
            about: about.join(" · "),
            text: topic.text(lang).to_owned(),
            above,
            example: topic.example.as_ref().map_or(String::new(), |it| example::shown(options, it)),
            below: vec![
                ("sections", sections(&topic.cites)),
                ("lesson", lesson),
                ("see also", ids(&mut topic.see.iter().map(String::as_str))),
                ("or", ids(&mut others.iter().map(|topic| topic.id))),
            ],
        },
    )
}

/// `RFC 6455 §5.2, §5.4; RFC 7692 §6`.
fn sections(cites: &[Cite]) -> String {
    let mut out = String::new();
    let mut doc = "";
    for cite in cites {
        if cite.doc == doc {
            out.push_str(", §");
            out.push_str(cite.section);
        } else {
            out.push_str(if doc.is_empty() { "" } else { "; " });
            out.push_str(&cite.to_string());
        }
        doc = cite.doc;
    }
    out
}

/// A topic for programs. Keys that do not apply are left out.
fn record(topic: &Topic, lang: Lang) -> Value {
    let cites: Vec<String> = topic.cites.iter().map(Cite::to_string).collect();
    let mut object = json!({
        "id": topic.id,
        "group": topic.group,
        "title": topic.title(lang),
        "sections": cites,
        "see": topic.see,
    });
    let mut add = |key: &str, value: Value| {
        if !matches!(&value, Value::Null) && value != "" && value != json!([]) {
            object[key] = value;
        }
    };
    add("text", json!(topic.text(lang)));
    add("lesson", json!(topic.lesson));
    add("words", json!(topic.words(lang)));
    add("fields", json!(topic.fields.iter().map(|def| def.id).collect::<Vec<_>>()));
    if let Some(rule) = topic.rule {
        add("severity", json!(severity(rule.severity)));
        add("consequence", json!(lang.words(rule.consequence)));
    }
    if let Some(advice) = topic.advice(lang) {
        add("why", json!(advice.why));
        add("fix", json!(advice.fix));
    }
    add("example", topic.example.as_ref().map_or(Value::Null, example::record));
    object
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn who(who: Who) -> &'static str {
    match who {
        Who::Client => "binds the client",
        Who::Server => "binds the server",
        Who::Either => "binds both endpoints",
        Who::Capture => "about the capture",
    }
}
