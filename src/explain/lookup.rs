//! From what somebody typed to a topic.

use std::sync::OnceLock;

use super::book::Topic;
use super::data::Group;
use super::topics;
use crate::lang::Lang;
use crate::model::Cite;

/// What is nearest to a question.
#[derive(Debug)]
pub enum Answer {
    /// A topic, and what else the same words could mean.
    Topic {
        /// The likeliest.
        topic: &'static Topic,
        /// The others, likeliest first.
        others: Vec<&'static Topic>,
    },
    /// The topics of a section, in their order.
    Section {
        /// The section that was asked for.
        cite: Cite,
        /// What it is about.
        topics: Vec<&'static Topic>,
    },
    /// Nothing of that name.
    Unknown {
        /// Topics whose names resemble it, nearest first; perhaps none.
        nearest: Vec<&'static Topic>,
    },
}

/// Topics that are suggested when there is none of the name.
const SUGGESTIONS: usize = 4;

/// Finds what `question` is about: an id, a number, a section, or words of any
/// language. Case, spaces, dashes and underscores do not matter.
pub fn look_up(question: &str) -> Answer {
    let question = question.trim();
    if let Some((cite, topics)) = section(question) {
        return Answer::Section { cite, topics };
    }
    // `close-1002` is a cause, `close 1002` the code.
    if let Some(rule) = super::topic(question).filter(|topic| topic.rule.is_some()) {
        let others = qualified(question).unwrap_or_default();
        return Answer::Topic { topic: rule, others };
    }
    let mut found = qualified(question).unwrap_or_else(|| named(question));
    if found.is_empty() {
        return Answer::Unknown { nearest: nearest(question) };
    }
    let topic = found.remove(0);
    Answer::Topic { topic, others: found }
}

/// How well a name fits; less is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Id,
    Code,
    Word,
    Name,
    Field,
    Title,
}

/// What topics are called, in every language.
struct Name {
    key: String,
    fit: Fit,
    topic: &'static Topic,
}

fn names() -> &'static [Name] {
    static NAMES: OnceLock<Vec<Name>> = OnceLock::new();
    NAMES.get_or_init(|| topics().iter().flat_map(names_of).collect())
}

fn names_of(topic: &'static Topic) -> Vec<Name> {
    let name = |fit: Fit, name: &str| Name { key: key(name), fit, topic };
    let mut names = vec![name(Fit::Id, topic.id)];
    for lang in Lang::ALL {
        names.extend(topic.words(lang).iter().map(|word| name(Fit::Word, word)));
        names.push(name(Fit::Title, topic.title(lang)));
    }
    names.extend(topic.names.iter().map(|it| name(Fit::Name, it)));
    names.extend(topic.fields.iter().flat_map(|def| [def.id, def.label]).map(|it| name(Fit::Field, it)));
    names
}

/// The topics of this name, the best first.
fn named(question: &str) -> Vec<&'static Topic> {
    let wanted = key(question);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(Fit, bool, &'static Topic)> = Vec::new();
    if let Some(number) = Number::read(question) {
        let of_number = topics().iter().filter(|topic| number.names(topic));
        found.extend(of_number.map(|topic| (Fit::Code, is_wide(topic), topic)));
    }
    found.extend(names().iter().filter(|name| name.key == wanted).map(|name| (name.fit, false, name.topic)));
    // Stable: what fits equally well stays in the order of the groups.
    found.sort_by_key(|(fit, wide, _)| (*wide, *fit));
    let mut topics: Vec<&'static Topic> = Vec::new();
    for (.., topic) in found {
        if !topics.iter().any(|it| it.id == topic.id) {
            topics.push(topic);
        }
    }
    topics
}

/// A range of codes rather than a single one.
fn is_wide(topic: &Topic) -> bool {
    topic.codes.is_some_and(|(first, last)| last - first > 100)
}

/// A number as it was typed.
#[derive(Clone, Copy)]
struct Number {
    value: u16,
    hex: bool,
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        let text = ascii(text).trim().to_ascii_lowercase();
        if let Some(digits) = text.strip_prefix("0x") {
            return u16::from_str_radix(digits, 16).ok().map(|value| Self { value, hex: true });
        }
        // A single letter is the last digit of an opcode.
        if let [b'a'..=b'f'] = text.as_bytes() {
            return u16::from_str_radix(&text, 16).ok().map(|value| Self { value, hex: true });
        }
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(|value| Self { value, hex: false })
    }

    /// Whether a topic is about this number. Hexadecimal is for opcodes.
    fn names(self, topic: &Topic) -> bool {
        let within = topic.codes.is_some_and(|(first, last)| (first..=last).contains(&self.value));
        let beyond = topic.id == "close-code-out-of-range" && self.value >= 5000;
        if self.hex { within && topic.group == Group::Opcode } else { within || beyond }
    }
}

/// `opcode 9`, `close 1006`, `status 404`, `关闭码 1006`: a kind of number, and the number.
fn qualified(question: &str) -> Option<Vec<&'static Topic>> {
    let question = ascii(question);
    let at = question.rfind(|c: char| !c.is_ascii_hexdigit() && !matches!(c, 'x' | 'X'))?;
    let at = at + question[at..].chars().next().map_or(0, char::len_utf8);
    let (kind, number) = question.split_at(at);
    let group = match key(kind).as_str() {
        "opcode" | "op" | "操作码" => Group::Opcode,
        "close" | "closecode" | "code" | "关闭码" | "关闭" => Group::Close,
        "status" | "http" | "httpstatus" | "statuscode" | "状态码" => Group::Status,
        _ => return None,
    };
    // Opcodes are written in hexadecimal, with or without saying so.
    let number = match (group, Number::read(number)?) {
        (Group::Opcode, Number { value, .. }) => Number { value, hex: true },
        (_, Number { hex: true, .. }) => return None,
        (_, number) => number,
    };
    let found: Vec<_> = topics().iter().filter(|topic| topic.group == group && number.names(topic)).collect();
    (!found.is_empty()).then_some(found)
}

/// The topics of a section, in their order, those of its parts with them.
fn section(question: &str) -> Option<(Cite, Vec<&'static Topic>)> {
    let (doc, section) = asked(question)?;
    let below = if section.is_empty() { String::new() } else { format!("{section}.") };
    let names = |cite: &Cite| {
        cite.doc.strip_prefix("RFC ").is_some_and(|rfc| rfc == doc)
            && (cite.section == section || cite.section.starts_with(&below))
    };
    let mut topics = topics().iter().filter(|topic| topic.cites.iter().any(names)).peekable();
    // What was asked for is the beginning of what was found.
    let cite = topics.peek()?.cites.iter().find(|cite| names(cite))?;
    let cite = Cite { section: &cite.section[..section.len()], ..*cite };
    Some((cite, topics.collect()))
}

/// `§5.3`, `5.3`, `RFC 7692 §7.2.1`, `7692 7.1`, `RFC 7692`: number and section, of RFC 6455
/// unless another is named.
fn asked(question: &str) -> Option<(String, String)> {
    let text = ascii(question).to_lowercase();
    let bare = text.trim_start_matches("rfc").trim_start();
    let named = bare.len() < text.len();
    let is_number = |text: &str| text.len() == 4 && is_section(text);
    let (doc, section) = match bare.split_once(|c: char| c == '§' || c.is_whitespace()) {
        Some((doc, section)) if is_number(doc) => (doc, section),
        None if is_number(bare) && (named || is_cited(bare)) => {
            return Some((bare.to_owned(), String::new()));
        }
        _ => ("6455", bare),
    };
    let section = section.trim_matches(|c: char| c == '§' || c.is_whitespace());
    // A number alone is a code.
    let marked = named || text.contains(['§', '.']) || doc != "6455";
    (marked && is_section(section)).then(|| (doc.to_owned(), section.to_owned()))
}

/// Whether a number is that of an RFC that topics cite and nothing else: no code is that large.
fn is_cited(number: &str) -> bool {
    let is_it = |cite: &Cite| cite.doc.strip_prefix("RFC ") == Some(number);
    number > "5000" && topics().iter().any(|topic| topic.cites.iter().any(is_it))
}

fn is_section(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// Topics whose names resemble what was asked for.
fn nearest(question: &str) -> Vec<&'static Topic> {
    let wanted = key(question);
    if wanted.is_empty() {
        return Vec::new();
    }
    let allowed = (wanted.chars().count() / 3).clamp(1, 4);
    let mut near: Vec<(usize, &'static Topic)> = Vec::new();
    for name in names().iter().filter(|name| name.fit < Fit::Field) {
        let Some(slips) = slips(&wanted, &name.key, allowed) else { continue };
        match near.iter_mut().find(|(_, topic)| topic.id == name.topic.id) {
            Some((fewest, _)) => *fewest = slips.min(*fewest),
            None => near.push((slips, name.topic)),
        }
    }
    // Stable: of equally near ones those come first that are listed first.
    near.sort_by_key(|(slips, _)| *slips);
    near.into_iter().take(SUGGESTIONS).map(|(_, topic)| topic).collect()
}

/// Slips of the finger between two names, if there are at most `allowed`; a name within
/// the other counts as two, so that a misspelt one goes before its parts.
fn slips(wanted: &str, name: &str, allowed: usize) -> Option<usize> {
    let lengths = [wanted, name].map(|text| text.chars().count());
    let within = |inner: &str, length: usize, outer: &str| length >= 3 && outer.contains(inner);
    let part = within(wanted, lengths[0], name) || within(name, lengths[1], wanted);
    let part = part.then_some(2);
    if lengths[0].abs_diff(lengths[1]) > allowed {
        return part;
    }
    // Where every character would be another one, nothing is alike.
    let slips = strsim::osa_distance(wanted, name);
    let near = Some(slips).filter(|slips| *slips <= allowed && *slips < lengths[0]);
    near.into_iter().chain(part).min()
}

/// What two spellings of a name have in common.
fn key(name: &str) -> String {
    ascii(name).to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, '.' | '/')).collect()
}

/// Full-width forms as a Chinese keyboard gives them, as ASCII.
fn ascii(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        '。' => '.',
        _ => c,
    };
    text.chars().map(narrow).collect()
}
