//! `wstool explain`: what a word of the field means.

mod example;
mod record;

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::Value;

use self::record::record;
use crate::cli::{Look, output};
use crate::explain::{self, Answer, Example, Group, Topic, look_up};
use crate::lang::Lang;
use crate::lesson;
use crate::model::{Cite, Text, Who};
use crate::render::Options;
use crate::render::article::{Article, Part, article, listing};
use crate::replay::samples;

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

/// Characters of hex that somebody may want to type.
const SHORT: usize = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object, or an array of them
    Json,
}

/// Runs the command; the exit code. `Err` only when writing fails.
pub fn run(args: &Args, look: Look, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let lang = look.language(args.ascii);
    let options = output::options(look, None, args.ascii);
    let question = args.topic.join(" ");
    if question.trim().is_empty() {
        show_all(args, &options, explain::topics().iter(), out)?;
        return Ok(0);
    }
    match look_up(&question) {
        Answer::Topic { topic, others } => {
            match args.format {
                Format::Text => out.write_all(page(&options, topic, &others).as_bytes())?,
                Format::Json => writeln!(out, "{}", record(topic, lang))?,
            }
            Ok(0)
        }
        Answer::Section { cite, topics } => {
            if args.format == Format::Text {
                writeln!(out, "{}\n", lang.fill("What {} is about:", &[&cite]))?;
            }
            show_all(args, &options, topics.into_iter(), out)?;
            Ok(0)
        }
        Answer::Unknown { nearest } => {
            let shown: String = question.chars().take(60).flat_map(char::escape_debug).collect();
            let problem = if nearest.is_empty() {
                Text::with("there is no topic `{}`; wstool explain lists all", shown)
            } else {
                Text::with("there is no topic `{}`; perhaps {}; wstool explain lists all", shown).and(
                    nearest
                        .iter()
                        .map(|topic| called(topic, lang))
                        .collect::<Vec<_>>()
                        .join(lang.words(", ")),
                )
            };
            writeln!(err, "{}", lang.fill("error: {}", &[&lang.say(&problem)]))?;
            Ok(2)
        }
    }
}

/// What to call a topic in the learner's language; whatever it is can be asked for.
fn called(topic: &'static Topic, lang: Lang) -> &'static str {
    match lang {
        Lang::En => topic.id,
        Lang::Zh => topic.words(lang).first().map_or(topic.id, String::as_str),
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
        about.push(lang.words(rule.severity.name()).to_owned());
        about.push(lang.words(who(rule.who)).to_owned());
        above.push(("then", lang.words(rule.consequence).to_owned()));
    }
    if let Some(advice) = topic.advice(lang) {
        above.push(("because", advice.why.to_owned()));
        let usually = topic.rule.and_then(|rule| rule.usually);
        above.extend(usually.map(|usually| ("likely", lang.words(usually.what).to_owned())));
        above.push(("fix", advice.fix.to_owned()));
    }
    if topic.group != Group::Part {
        let fields =
            topic.fields.iter().map(|def| format!("{}{}{}", def.id, lang.words(": "), lang.words(def.help)));
        above.extend(fields.map(|field| ("field", field)));
    }
    let lesson = topic.lesson.map_or(String::new(), |number| match lesson::lesson(number) {
        Some(lesson) => {
            lang.fill("{}  {} (wstool lesson {})", &[&number, &lesson.data.title.in_(lang), &number])
        }
        None => number.to_string(),
    });
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
                ("try", to_try(topic)),
                ("see also", ids(&mut topic.see.iter().map(String::as_str))),
                ("or", ids(&mut others.iter().map(|topic| topic.id))),
            ],
        },
    )
}

/// A command that shows more: a handshake that breaks the rule, which comes with the tool, or
/// the example's bits.
fn to_try(topic: &Topic) -> String {
    let broken = topic.rule.map(|rule| format!("broken/{}", rule.id));
    if let Some(name) = broken.filter(|name| samples::named(name).is_some()) {
        return format!("wstool replay {name}");
    }
    match &topic.example {
        Some(Example::Frames(hex)) if hex.len() <= SHORT => {
            format!("wstool decode --view bits {}", hex.split_whitespace().collect::<String>())
        }
        _ => String::new(),
    }
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

fn who(who: Who) -> &'static str {
    match who {
        Who::Client => "binds the client",
        Who::Server => "binds the server",
        Who::Either => "binds both endpoints",
        Who::Capture => "about the capture",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Flow, ON, Sink, Unit, Wants};
    use crate::render::columns;

    fn said(words: &[&str], lang: Lang) -> (u8, String, String) {
        let args = Args {
            topic: words.iter().map(|word| (*word).to_owned()).collect(),
            format: Format::Text,
            ascii: false,
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = run(&args, Look { color: false, lang }, &mut out, &mut err).expect("no I/O");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (code, text(out), text(err))
    }

    #[test]
    fn a_page_of_each_kind() {
        for (name, words) in [
            ("field", &["FIN"][..]),
            ("opcode", &["opcode", "9"]),
            ("close_code", &["1006"]),
            ("header", &["Sec-WebSocket-Accept"]),
            ("rule", &["non-minimal-length"]),
            ("belief", &["masking-hides"]),
            ("app", &["socketio-event"]),
            ("section", &["RFC", "6455", "§5.3"]),
        ] {
            for lang in Lang::ALL {
                let (code, out, err) = said(words, lang);
                assert_eq!((code, err.as_str()), (0, ""));
                // What the lesson is called is the lesson's own affair.
                let lesson = format!("  {} ", lang.words("lesson"));
                let out: Vec<_> = out.lines().filter(|line| !line.starts_with(&lesson)).collect();
                insta::assert_snapshot!(format!("{name}_{}", lang.code()), out.join("\n"));
            }
        }
    }

    #[test]
    fn every_page_fits_a_terminal() {
        for lang in Lang::ALL {
            let options = Options { lang, ..Options::default() };
            let mut all = said(&[], lang).1;
            for topic in explain::topics() {
                all.push_str(&page(&options, topic, &[topic]));
            }
            for line in all.lines() {
                assert!(columns::width(line) <= 80, "{lang:?}: {line}");
                assert!(!line.chars().any(char::is_control) && line == line.trim_end(), "{lang:?}: {line:?}");
                let begins = line.trim_start().chars().next();
                assert!(!begins.is_some_and(|c| "，。、；：？！）》」”".contains(c)), "{lang:?}: {line}");
            }
            assert!(all.lines().count() > 5000);
        }
    }

    #[test]
    fn every_id_leads_to_its_own_page() {
        for topic in explain::topics() {
            let found = look_up(topic.id);
            assert!(matches!(found, Answer::Topic { topic: it, .. } if it.id == topic.id), "{}", topic.id);
        }
    }

    #[test]
    fn what_is_not_known_is_told_in_a_line() {
        let (code, out, err) = said(&["permesage-deflate"], Lang::En);
        assert_eq!((code, out.as_str()), (2, ""));
        assert_eq!(
            err,
            "error: there is no topic `permesage-deflate`; perhaps permessage-deflate; \
             wstool explain lists all\n"
        );
        let (_, _, err) = said(&["\u{1b}]0;x\u{7}", &"y".repeat(500)], Lang::En);
        assert!(err.lines().count() == 1 && err.len() < 200 && !err.contains('\u{1b}'), "{err}");
    }

    #[test]
    fn records_have_what_the_page_has() {
        for topic in explain::topics() {
            let value = record(topic, Lang::Zh);
            assert_eq!((&value["id"], &value["title"]), (&json!(topic.id), &json!(topic.title(Lang::Zh))));
            assert_eq!(value.get("lesson").is_some(), topic.lesson.is_some());
            assert_eq!(value.get("why").is_some(), topic.rule.is_some());
            assert_eq!(value.get("example").is_some(), topic.example.is_some());
        }
    }

    /// Ids of the findings, and whether there was anything else.
    #[derive(Default)]
    struct Findings {
        ids: Vec<&'static str>,
        units: usize,
    }

    impl Sink for Findings {
        fn wants(&self) -> Wants {
            Wants { fields: true, payload: 1000, app: true, causes: true, ..Wants::NOTHING }
        }

        fn take(&mut self, unit: &Unit<'_>) -> Flow {
            self.ids.extend(unit.findings.iter().map(|finding| finding.rule.id));
            self.units += 1;
            ON
        }
    }

    /// What is about the end of the example, not about its bytes.
    const OF_THE_END: &[&str] = &["incomplete-message", "missing-origin"];

    #[test]
    fn examples_break_exactly_what_they_are_to_break() {
        for topic in explain::topics() {
            let Some(example) = &topic.example else { continue };
            let mut found = Findings::default();
            example::read(example, &mut found);
            // Nor is how the example ends, and why.
            let causes = || crate::cause::lists().into_iter().flat_map(|(_, rules)| rules);
            found.ids.retain(|id| !OF_THE_END.contains(id) && causes().all(|cause| cause.id != *id));
            found.ids.dedup();
            assert_eq!(found.ids, topic.findings, "{}", topic.id);
            assert!(found.units > 0, "{}", topic.id);
            let shown = example::shown(&Options::default(), example);
            let begins = match example {
                Example::Frames(_) => "\nframe 1",
                Example::Head(head) if head.starts_with("GET") => "\nrequest",
                Example::Head(_) => "\nresponse",
                Example::EngineIo(_) | Example::SocketIo(_) => "\npacket",
            };
            assert!(shown.starts_with("example") && shown.contains(begins), "{}: {shown}", topic.id);
        }
    }
}
