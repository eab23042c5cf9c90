//! The head of an input: what it is, what went wrong in it, worst first, and how its connections ended.

use std::borrow::Cow;

use super::page::Page;
use super::said::{Block, Cause, Run, Setter, item, say as line};
use super::style::Ink;
use super::totals::{totals, unread};
use super::units::suite_of;
use super::words::{CONNECTIONS, PACKETS, SECRETS, count, joined};
use super::{Options, TimeStyle};
use crate::cause::{Group, Head, Place, Said};
use crate::lang::Lang;
use crate::model::quantity::{grouped, percent, seconds, size, span, wait};
use crate::model::{Diagnosis, Measure, Outcome, Quantity, Severity, Text, Time, Who, prefix};

/// How much of it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// At most a screen, and then a line for each connection.
    Brief,
    /// Everything about each cause.
    Full,
}

/// Rows that the head takes at most before the connections.
const ROWS: usize = 20;

/// How many connections have their line in the head itself.
const FEW: usize = 2;

/// What a head is said with.
struct Teller<'a> {
    head: &'a Head,
    lang: Lang,
    time: TimeStyle,
    width: usize,
    depth: Depth,
}

/// What went wrong, worst first, as lines of text; nothing where nothing did.
pub fn wrong(head: &Head, options: &Options) -> String {
    if head.is_fine() {
        return String::new();
    }
    let mut page = Page::new(options);
    teller(head, options, Depth::Brief).causes(ROWS, &mut page);
    std::mem::take(page.lines())
}

fn teller<'a>(head: &'a Head, options: &Options, depth: Depth) -> Teller<'a> {
    let width = options.width.max(Options::NARROWEST);
    Teller { head, lang: options.lang, time: options.time, width, depth }
}

/// Says the head.
pub fn say(head: &Head, options: &Options, depth: Depth, to: &mut dyn Setter) {
    let teller = teller(head, options, depth);
    let mut rows = teller.contents(to);
    // A few connections are told within the rows.
    if head.said.len() <= FEW && depth == Depth::Brief {
        rows += 2 + head.said.iter().map(|said| teller.rows_of(said)).sum::<usize>();
    }
    teller.causes(ROWS.saturating_sub(rows + 1), to);
    teller.connections(to);
}

impl Teller<'_> {
    /// What is in the input: connections by outcome, frames, time. Gives the rows that it takes.
    fn contents(&self, to: &mut dyn Setter) -> usize {
        let (head, lang) = (self.head, self.lang);
        let by: Vec<String> = head
            .outcomes
            .iter()
            .map(|(outcome, times)| {
                lang.fill("{0} {1}", &[&grouped(*times), &lang.words(self::outcome(*outcome))])
            })
            .collect();
        let mut words = totals(lang, &head.summary);
        if head.summary.packets > 0 {
            words = joined(lang, &[words, count(lang, head.summary.packets, PACKETS)]);
        }
        // Without a connection hardly anything has a time.
        if let Some((first, last)) = head.span.filter(|(first, last)| first < last) {
            words = lang.fill("{} within {}", &[&words, &span(last.since(first))]);
        }
        let mut rows = self.put(Ink::Plain, &words, to);
        if head.said.len() > 1 {
            rows += self.put(Ink::Plain, &joined(lang, &by), to);
        }
        // A server mostly chooses the same for all.
        for ((version, suite, is_inferred), (connections, secrets)) in head.secured.iter().take(FEW) {
            let suite = suite.as_deref().map(|suite| suite_of(lang, suite, *is_inferred));
            let what = [version.map(str::to_owned), suite];
            let mut parts: Vec<String> = what.into_iter().flatten().collect();
            if *connections > 1 {
                parts.push(count(lang, *connections, CONNECTIONS));
            }
            let secrets = count(lang, *secrets, SECRETS);
            let words = lang.fill("wss: {}, deciphered with {}", &[&joined(lang, &parts), &secrets]);
            rows += self.put(Ink::Plain, &words, to);
        }
        for words in unread(lang, &head.summary) {
            rows += self.put(Ink::Plain, &words, to);
        }
        rows
    }

    /// A line, and the rows it takes.
    fn put(&self, ink: Ink, words: &str, to: &mut dyn Setter) -> usize {
        line(ink, words, to);
        self.rows(words, 2)
    }

    /// The rows of what is likely, or to be tried.
    fn extent(&self, words: &str) -> usize {
        if words.is_empty() { 0 } else { self.rows(words, 21) }
    }

    fn rows(&self, words: &str, indent: usize) -> usize {
        super::columns::width(words).div_ceil(self.width.saturating_sub(indent + 1).max(20)).max(1)
    }

    /// What went wrong, in so many rows.
    fn causes(&self, rows: usize, to: &mut dyn Setter) {
        let (head, lang) = (self.head, self.lang);
        if head.is_fine() {
            if head.summary.connections == 0 {
                return;
            }
            // That nothing was found does not make it right.
            let said = if head.is_orderly() { "nothing went wrong" } else { "no cause was found" };
            let said = lang.words(said).to_owned();
            let words = match head.notes {
                0 => said,
                1 => lang.fill("{}; 1 note: --findings shows it", &[&said]),
                notes => lang.fill("{}; {} notes: --findings shows them", &[&said, &grouped(notes)]),
            };
            line(Ink::Plain, &words, to);
            return;
        }
        let groups = head.groups();
        to.set(Block::Gap);
        to.set(Block::Title(lang.words("what went wrong")));
        let mut causes = self.chosen(&groups, rows, true);
        if causes.len() < groups.len() {
            // A row is for what the others are. With less evidence for each there may be room for more.
            let rows = rows.saturating_sub(1);
            causes = more_of(self.chosen(&groups, rows, true), self.chosen(&groups, rows, false));
        }
        let (told, untold) = (causes.len(), groups.get(causes.len()..).unwrap_or_default());
        for cause in causes {
            to.set(Block::Cause(cause));
        }
        let notes = match head.notes {
            0 => None,
            1 => Some(lang.words("and 1 note: --findings shows it").to_owned()),
            notes => Some(lang.fill("and {} notes: --findings shows them", &[&grouped(notes)])),
        };
        let words = self.more(untold, (groups.len() - told) as u64 + head.more, notes.as_deref());
        if !words.is_empty() {
            line(Ink::Faint, &words, to);
        }
    }

    /// How many there are `more`, and what `untold` ones of them are as far as two rows hold it.
    fn more(&self, untold: &[Cow<'_, Group>], more: u64, notes: Option<&str>) -> String {
        let lang = self.lang;
        let with_notes = |more: Option<String>| {
            let parts = more.into_iter().chain(notes.map(str::to_owned));
            joined(lang, &parts.collect::<Vec<_>>())
        };
        let plain = match more {
            0 => return with_notes(None),
            1 => lang.words("and 1 more: --view causes shows all").to_owned(),
            more => lang.fill("and {} more: --view causes shows all", &[&grouped(more)]),
        };
        let kinds = kinds(untold);
        let mut named = (1..=kinds.len()).rev().map(|number| {
            let is_all = number == kinds.len() && untold.len() as u64 == more;
            let named = kinds[..number].join(", ") + if is_all { "" } else { ", …" };
            let words = lang.fill("and {0} more ({1}): --view causes shows all", &[&grouped(more), &named]);
            with_notes(Some(words))
        });
        let fitting = named.find(|words| super::columns::lines(words, self.width - 2).len() <= 2);
        fitting.unwrap_or_else(|| with_notes(Some(plain)))
    }

    /// The causes that there is room for in so many rows, with what there is room for of each; `is_whole`
    /// with the first and the last place of each.
    fn chosen(&self, groups: &[Cow<'_, Group>], rows: usize, is_whole: bool) -> Vec<Cause> {
        let mut left = rows.saturating_sub(2);
        let mut chosen = Vec::new();
        let mut causes = groups.iter().map(|group| self.cause(group, is_whole)).peekable();
        while let Some(mut cause) = causes.next() {
            let told = chosen.len();
            if self.depth == Depth::Brief {
                let evidence = format!("{}  {}", cause.id, cause.evidence);
                let what = self.rows(&cause.what, 11) + self.rows(&evidence, 11);
                let why = self.extent(&cause.behind) + self.extent(&cause.mend);
                // What happened next matters more than what to do about this. The first is told whole.
                let next = causes.peek().map_or(0, |next| self.rows(&next.what, 11) + 2);
                if told > 0 && what + 1 > left {
                    break;
                }
                if told > 0 && what + why + next > left {
                    (cause.behind, cause.mend) = Default::default();
                }
                left = left.saturating_sub(what + self.extent(&cause.behind) + self.extent(&cause.mend));
            }
            chosen.push(cause);
        }
        chosen
    }

    fn cause(&self, group: &Group, is_whole: bool) -> Cause {
        let lang = self.lang;
        let say = |words: fn(&Diagnosis) -> &Text| {
            group.diagnosis.as_ref().map_or_else(String::new, |it| lang.say(words(it)).into_owned())
        };
        Cause {
            severity: group.rule.severity,
            id: group.rule.id,
            what: self.what(group),
            evidence: self.evidence(group, is_whole),
            behind: say(|it| &it.what),
            mend: say(|it| &it.fix),
        }
    }

    /// What happened, to how many, in a sentence.
    fn what(&self, group: &Group) -> String {
        let lang = self.lang;
        let what = lang.say(&group.what).into_owned();
        let mut whom = match (group.server, &group.target) {
            (Some(server), Some(target)) => format!("{server}{target}"),
            (Some(server), None) => server.to_string(),
            (None, Some(target)) => target.clone(),
            (None, None) => String::new(),
        };
        if group.paths > 1 {
            whom = lang.fill("{} ({} paths)", &[&whom, &grouped(group.paths as u64)]);
        }
        let mut words = if !group.is_case {
            // A rule that somebody broke.
            let title = lang.words(group.rule.title).to_owned();
            // What is not there is what the title says.
            let is_said = group.what.is_empty() || group.what.template.starts_with("none");
            let said = if is_said { title } else { lang.fill("{} ({})", &[&title, &what]) };
            // A rule for one side says whom it binds.
            let who = group.blame.filter(|_| group.rule.who == Who::Either);
            let who = who.map(|dir| lang.fill("by the {}", &[&lang.words(dir.name())]));
            let times = match (group.times, group.connections) {
                (1, _) => String::new(),
                (times, 1) => lang.fill("{} times", &[&grouped(times)]),
                (times, connections) if times == connections => {
                    lang.fill("in {}", &[&count(lang, connections, CONNECTIONS)])
                }
                (times, connections) => {
                    lang.fill("{} times in {}", &[&grouped(times), &count(lang, connections, CONNECTIONS)])
                }
            };
            joined(lang, &[said, who.unwrap_or_default(), times])
        } else if group.first.conn == 0 {
            whom.clear();
            what
        } else if group.connections == 1 {
            lang.fill("connection {} to {} {}", &[&group.first.conn, &whom, &what])
        } else {
            lang.fill("{} connections to {} {}", &[&grouped(group.connections), &whom, &what])
        };
        let said: Vec<String> =
            group.measures.iter().filter_map(|measure| self.measure(measure, &words)).collect();
        for measure in said {
            words = lang.fill("{}; {}", &[&words, &measure]);
        }
        words
    }

    /// What was measured, unless it has been said already.
    fn measure(&self, it: &Measure, said: &str) -> Option<String> {
        let lang = self.lang;
        let value = |value: i64| match it.of {
            of if of.is_time() => span(value),
            Quantity::Bytes => size(value.max(0).unsigned_abs()),
            Quantity::Share | Quantity::Compressed => percent(value.max(0).unsigned_abs(), 1000),
            _ => grouped(value.max(0).unsigned_abs()),
        };
        let (least, most) = (value(it.least), value(it.most));
        let is_one = least == most;
        let range = if is_one { least } else { format!("{least} – {most}") };
        // Sentences cut off what these round.
        let is_said = || said.contains(&range) || is_one && said.contains(&wait(it.most));
        if it.of.is_time() && it.of != Quantity::Lived && is_said() {
            return None;
        }
        let words = match it.of {
            Quantity::Connections => return None,
            Quantity::Lived => "lived {}",
            Quantity::Silence => "{} of silence",
            Quantity::Waited => "waited {}",
            Quantity::Back => "back after {}",
            Quantity::Bytes => "message of {}",
            Quantity::Times => "{} times",
            Quantity::Share => "{}",
            Quantity::Compressed => "compressed to {}",
            Quantity::Rate => "{} messages a second",
        };
        Some(lang.fill(words, &[&range]))
    }

    /// Where it is, and when.
    fn evidence(&self, group: &Group, is_whole: bool) -> String {
        let lang = self.lang;
        if group.times == 1 {
            return self.place(group.first);
        }
        if !is_whole {
            return lang.fill("first {}", &[&self.place(group.first)]);
        }
        let first = lang.fill("first {}", &[&self.place(group.first)]);
        let last = lang.fill("last {}", &[&self.place(group.last)]);
        lang.fill("{}; {}", &[&first, &last])
    }

    fn place(&self, place: Place) -> String {
        let lang = self.lang;
        let mut parts = Vec::new();
        if place.conn > 0 {
            parts.push(lang.fill("connection {}", &[&place.conn]));
        }
        if place.packet > 0 {
            parts.push(lang.fill("packet {}", &[&place.packet]));
        }
        parts.extend(place.time.map(|time| self.moment(time)));
        joined(lang, &parts)
    }

    fn moment(&self, time: Time) -> String {
        match (self.time, self.head.meta.start) {
            (TimeStyle::Utc, _) | (_, None) => time.utc(),
            (_, Some(start)) => format!("{} s", seconds(time.since(start))),
        }
    }

    fn connections(&self, to: &mut dyn Setter) {
        let (head, lang) = (self.head, self.lang);
        if head.said.is_empty() {
            return;
        }
        let many = head.said.len() > FEW;
        let whom = head.said.first().map(whom).filter(|whom| !whom.is_empty());
        // Where all are connections to the same it is said once.
        let same = whom.filter(|whom| many && head.said.iter().all(|said| self::whom(said) == *whom));
        let naming = match (&same, many) {
            (Some(_), _) => Naming::No,
            (None, true) => Naming::Server,
            (None, false) => Naming::Both,
        };
        if many || self.depth == Depth::Full || !head.is_fine() {
            to.set(Block::Gap);
            match &same {
                Some(whom) => to.set(Block::Title(&lang.fill("how the connections to {} ended", &[whom]))),
                None if head.said.len() == 1 => to.set(Block::Title(lang.words("how the connection ended"))),
                None => to.set(Block::Title(lang.words("how the connections ended"))),
            }
        }
        let most = if self.depth == Depth::Full { head.said.len() } else { BRIEF_CONNECTIONS };
        for said in head.said.iter().take(most) {
            self.connection(said, naming, to);
        }
        let connections: u64 = head.outcomes.values().sum();
        let more = connections.saturating_sub(head.said.len().min(most) as u64);
        if more > 0 {
            line(Ink::Faint, &lang.fill("and {} more", &[&count(lang, more, CONNECTIONS)]), to);
        }
    }

    /// How one connection ended.
    fn connection(&self, said: &Said, naming: Naming, to: &mut dyn Setter) {
        let (name, words) = self.ended(said, naming);
        let ink = match said.worst {
            Some(Severity::Error) => Ink::Error,
            Some(Severity::Warning) => Ink::Warning,
            _ => Ink::Strong,
        };
        item(1, Run::whole(ink, &name), Run::text(Ink::Plain, &words), to);
    }

    fn rows_of(&self, said: &Said) -> usize {
        let (name, words) = self.ended(said, Naming::Both);
        self.rows(&format!("{name}{words}"), 4)
    }

    /// Which connection, and how it ended.
    fn ended(&self, said: &Said, naming: Naming) -> (String, String) {
        let lang = self.lang;
        let name = lang.fill("connection {}", &[&said.conn]);
        let whom = match (naming, said.client) {
            (Naming::No, _) => String::new(),
            (Naming::Both, Some(client)) if said.server.is_some() => format!("{client} → {}", whom(said)),
            _ => whom(said),
        };
        let words = if whom.is_empty() {
            format!("  {}", lang.say(&said.line))
        } else {
            format!("  {whom}{}{}", lang.words(": "), lang.say(&said.line))
        };
        (name, words)
    }
}

/// The causes and rules of these, in their order, each with how many they are of.
fn kinds(groups: &[Cow<'_, Group>]) -> Vec<String> {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for group in groups {
        match kinds.iter_mut().find(|(id, _)| *id == group.rule.id) {
            Some((_, times)) => *times += 1,
            None => kinds.push((group.rule.id, 1)),
        }
    }
    kinds
        .into_iter()
        .map(|(id, times)| if times == 1 { id.to_owned() } else { format!("{id} {times}×") })
        .collect()
}

/// The list that tells more.
fn more_of(one: Vec<Cause>, other: Vec<Cause>) -> Vec<Cause> {
    if other.len() > one.len() { other } else { one }
}

/// Whose names stand in a connection's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// The client's address too.
    Both,
    Server,
    No,
}

/// Bytes of what was asked for that stand in a connection's line: a token may be of thousands.
const TARGET: usize = 64;

/// Whom a connection is to: the server's address, and what was asked for there.
fn whom(said: &Said) -> String {
    let mut whom = said.server.or(said.client).map_or_else(String::new, |end| end.to_string());
    let target = said.target.as_deref().unwrap_or_default();
    let shown = prefix(target, TARGET);
    whom.push_str(shown);
    if shown.len() < target.len() {
        whom.push('…');
    }
    whom
}

/// Connections that have a line in a brief head.
const BRIEF_CONNECTIONS: usize = 200;

/// An outcome, behind how many had it.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Closed => "closed in order",
        Outcome::HalfClosed => "closed without an answer",
        Outcome::Dropped => "ended without a Close frame",
        Outcome::Reset => "reset",
        Outcome::Untold => "of which the end is not told",
        Outcome::Failed => "failed",
        Outcome::Refused => "refused",
        Outcome::Unanswered => "unanswered",
        Outcome::Http => "of HTTP requests alone",
        Outcome::Polling => "polling",
        Outcome::Streaming => "streaming by HTTP",
        Outcome::Lines => "of lines on raw TCP",
        Outcome::Http2 => "of HTTP/2",
        Outcome::Open => "still open",
    }
}
