//! What people read: a line a case while they are played, and a summary of one screen.

use std::fmt::Write as _;

use super::said::{self, Detail};
use super::{Options, safe};
use crate::lang::Lang;
use crate::model::grade::{Behind, Change, Changes, Graded, Letter, Tally, Transcript, Verdict, behind};
use crate::model::quantity;
use crate::render::columns::{left, lines, right, width};
use crate::render::style::{Ink, Palette};
use crate::render::words::count;

/// Lines of a summary: a small terminal is full then.
pub const SCREEN: usize = 24;

/// Columns of a bar; of one where chapters have more to say than fits beside it; and of the names of details.
const BAR: usize = 20;
const SHORT_BAR: usize = 8;
const NAME: usize = 9;

/// Columns of a reason that are enough to know it by.
const REASON: usize = 20;

/// Lines that a detail takes at most.
const DETAIL: usize = 2;

/// Cases that are listed of what changed, and of those that pass unexpectedly.
const LISTED: usize = 3;

/// What came of a case, in a line.
pub fn line(one: &Graded, is_known: bool, options: &Options) -> String {
    let palette = Palette::new(options.color);
    let verdict = one.verdict();
    let word = if is_known && verdict == Verdict::Fail { "known" } else { verdict.name() };
    let ink = if is_known { Ink::Faint } else { ink(verdict) };
    let mut line = String::new();
    let word = left(options.lang.words(word), 13);
    let _ = write!(line, "{}{word}{} ", palette.open(ink), palette.close(ink));
    line.push_str(&said::named(&one.case.id, one.case.autobahn.as_deref()));
    let why = said::why(one, options.lang);
    if verdict != Verdict::Pass && !why.is_empty() {
        let _ = write!(line, "{}{}", options.lang.words(": "), safe(&why, options));
    }
    if let Some(figures) = super::figures(one) {
        let _ = write!(line, "{}{}", options.lang.words(": "), options.lang.say(&figures));
    }
    line.push('\n');
    line
}

/// The lines of a peer's summary: `most` of them, if so many are enough for what has to be said.
///
/// The verdict comes first, then chapters, the worst first; what changed, where an earlier report is known;
/// what is behind that which fails, as fully as there is room, and then what else is not as it should be.
pub fn summary(transcript: &Transcript, most: Option<usize>, options: &Options) -> String {
    let mut paper = Paper { options, palette: Palette::new(options.color), lines: Vec::new() };
    paper.head(transcript);
    paper.chapters(transcript, most.is_some());
    if let Some(changes) = &transcript.changes {
        paper.changes(changes);
    }
    paper.surprises(transcript);
    let room = most.map_or(usize::MAX, |most| most.saturating_sub(paper.lines.len()));
    paper.groups(transcript, room);
    let mut text = paper.lines.join("\n");
    text.push('\n');
    text
}

struct Paper<'o> {
    options: &'o Options,
    palette: Palette,
    lines: Vec<String>,
}

impl Paper<'_> {
    fn inked(&self, ink: Ink, words: &str) -> String {
        format!("{}{words}{}", self.palette.open(ink), self.palette.close(ink))
    }

    fn line(&mut self, line: impl AsRef<str>) {
        self.lines.push(line.as_ref().trim_end().to_owned());
    }

    /// Words in at most so many lines, those after the first below the first.
    fn put(&self, lead: &str, columns: usize, words: &str, most: usize) -> Vec<String> {
        let words = safe(words, self.options);
        let room = self.options.width.saturating_sub(columns).max(20);
        let all = lines(&words, room);
        let mut kept: Vec<String> = all.iter().take(most).map(|line| (*line).to_owned()).collect();
        if all.len() > most
            && let Some(last) = kept.last_mut()
        {
            let cut = self.cut();
            while width(last) + width(cut) > room {
                last.pop();
            }
            last.push_str(cut);
        }
        let indent = " ".repeat(columns);
        let put = |(at, line): (usize, String)| {
            format!("{}{line}", if at == 0 { lead } else { indent.as_str() }).trim_end().to_owned()
        };
        kept.into_iter().enumerate().map(put).collect()
    }

    /// What stands for words that are left out.
    fn cut(&self) -> &'static str {
        if self.options.ascii { "..." } else { "…" }
    }

    /// Items one behind the other, of which a line has whole ones, those after the first below the first.
    fn list(&self, lead: &str, columns: usize, items: &[String]) -> Vec<String> {
        let comma = self.options.lang.words(", ");
        let room = self.options.width.saturating_sub(columns);
        let mut rows: Vec<String> = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let item = format!("{item}{}", if at + 1 < items.len() { comma } else { "" });
            match rows.last_mut() {
                Some(row) if width(row) + width(item.trim_end()) <= room => row.push_str(&item),
                _ => rows.push(item),
            }
        }
        let indent = " ".repeat(columns);
        let put = |(at, row): (usize, &String)| {
            self.put(if at == 0 { lead } else { &indent }, columns, row, usize::MAX)
        };
        rows.iter().enumerate().flat_map(put).collect()
    }

    fn head(&mut self, transcript: &Transcript) {
        let lang = self.options.lang;
        let who = &transcript.who;
        if !who.agent.is_empty() && who.agent != who.url {
            let named = lang.fill("{} at {}", &[&who.agent, &who.url]);
            self.lines.extend(self.put("", 0, &named, 1));
        }
        let verdict = said::verdict(transcript, lang);
        let tally = transcript.tally();
        let ink = match tally.letter() {
            _ if tally.of(Verdict::Fail) > 0 => Ink::Error,
            Some(_) => Ink::Good,
            None => Ink::Strong,
        };
        let took = quantity::lasting(transcript.took.as_secs_f64());
        let lines = self.put("", 0, &verdict, usize::MAX);
        let is_beside = |line: &String| width(line) + 2 + width(&took) <= self.options.width;
        let mut set: Vec<String> = lines.iter().map(|line| self.inked(ink, line)).collect();
        let took = self.inked(Ink::Faint, &took);
        match set.last_mut() {
            Some(last) if lines.last().is_some_and(is_beside) => *last = format!("{last}  {took}"),
            _ => set.push(took),
        }
        self.lines.extend(set);
    }

    /// Those that are not whole a line each, or more where all has to be said; the others in one.
    fn chapters(&mut self, transcript: &Transcript, is_brief: bool) {
        let lang = self.options.lang;
        let all = transcript.chapters();
        if all.len() < 2 {
            return;
        }
        self.line("");
        let is_whole = |tally: &Tally| tally.of(Verdict::Pass) == tally.all();
        let told = |bar: usize, spare: usize| {
            let told = all.iter().filter(|(_, tally)| !is_whole(tally)).map(|(chapter, tally)| {
                let letter = self.letter(tally);
                let passes = right(&tally.of(Verdict::Pass).to_string(), 3);
                let whole = right(&tally.all().to_string(), 3);
                let passes = lang.fill("{} of {} pass", &[&passes, &whole]);
                let lead = format!("  {letter}  {:<14}{}  {passes}  ", chapter.name(), self.bar(tally, bar));
                let columns = 5 + 14 + bar + 2 + width(&passes) + 2 + spare;
                self.list(&lead, columns, &said::rest(tally, lang))
            });
            told.collect::<Vec<_>>()
        };
        let mut chapters = told(BAR, 0);
        if is_brief && chapters.iter().any(|rows| rows.len() > 1) {
            // What is behind all that needs the room. What a letter rests on comes first, and is not cut off.
            chapters = told(SHORT_BAR, 1 + width(self.cut()));
            for rows in chapters.iter_mut().filter(|rows| rows.len() > 1) {
                rows.truncate(1);
                rows[0].extend([" ", self.cut()]);
            }
        }
        self.lines.extend(chapters.into_iter().flatten());
        let whole: Vec<&(_, Tally)> = all.iter().filter(|(_, tally)| is_whole(tally)).collect();
        if !whole.is_empty() {
            let names: Vec<&str> = whole.iter().map(|(chapter, _)| chapter.name()).collect();
            let number: u64 = whole.iter().map(|(_, tally)| tally.all()).sum();
            let list = lang.fill("{}: all {} pass", &[&names.join(lang.words(", ")), &number]);
            let lead = format!("  {}  ", self.inked(Ink::Good, Letter::A.name()));
            self.lines.extend(self.put(&lead, 5, &list, 2));
        }
    }

    fn letter(&self, tally: &Tally) -> String {
        let letter = tally.letter();
        let ink = match letter {
            Some(Letter::A | Letter::B) if tally.is_thin() => Ink::Faint,
            Some(Letter::A) => Ink::Good,
            Some(Letter::B) => Ink::Strong,
            Some(Letter::C) => Ink::Warning,
            Some(Letter::D | Letter::F) => Ink::Error,
            None => Ink::Faint,
        };
        self.inked(ink, letter.map_or("-", Letter::name))
    }

    /// How many pass. A bar is full only where all do, and empty only where none does.
    fn bar(&self, tally: &Tally, columns: usize) -> String {
        let (part, whole) = (tally.of(Verdict::Pass), tally.all().max(1));
        let least = usize::from(part > 0);
        let most = if part < whole { columns - 1 } else { columns };
        let filled = ((part * columns as u64 / whole) as usize).clamp(least.min(most), most);
        let [full, empty] = if self.options.ascii { ["#", "."] } else { ["█", "░"] };
        format!("{}{}", full.repeat(filled), empty.repeat(columns - filled))
    }

    fn changes(&mut self, changes: &Changes) {
        let lang = self.options.lang;
        self.line("");
        let since = &changes.since;
        if changes.worse.is_empty() && changes.better.is_empty() {
            let words = lang.fill("the same as in {}", &[since]);
            self.lines.extend(self.put("", 0, &words, 1));
        }
        for (all, noun, ink) in [
            (&changes.worse, ["{} case got worse", "{} cases got worse"], Ink::Error),
            (&changes.better, ["{} case got better", "{} cases got better"], Ink::Good),
        ] {
            if all.is_empty() {
                continue;
            }
            let number = count(lang, all.len() as u64, noun);
            let words = lang.fill("{} since {}", &[&number, since]);
            let inked = self.inked(ink, &safe(&words, self.options));
            self.line(inked);
            for change in all.iter().take(LISTED) {
                self.lines.extend(self.put("  ", 2, &changed(change, lang), 1));
            }
            self.more(all.len().saturating_sub(LISTED));
        }
        if changes.added > 0 {
            let new = count(lang, changes.added, ["{} case is not in {}", "{} cases are not in {}"]);
            let words = new.replace("{}", since);
            self.lines.extend(self.put("", 0, &words, 1));
        }
    }

    fn surprises(&mut self, transcript: &Transcript) {
        let lang = self.options.lang;
        let passing: Vec<&Graded> = transcript.surprises().collect();
        if passing.is_empty() {
            return;
        }
        self.line("");
        let words = count(
            lang,
            passing.len() as u64,
            ["{} case is expected to fail, and passes", "{} cases are expected to fail, and pass"],
        );
        let inked = self.inked(Ink::Good, &words);
        self.line(inked);
        for one in passing.iter().take(LISTED) {
            self.line(format!("  {}", said::named(&one.case.id, one.case.autobahn.as_deref())));
        }
        self.more(passing.len().saturating_sub(LISTED));
    }

    fn more(&mut self, more: usize) {
        if more > 0 {
            let words = self.options.lang.fill("and {} more", &[&more]);
            self.line(format!("  {words}"));
        }
    }

    /// What is behind that which is not as it should be, in at most so many lines.
    fn groups(&mut self, transcript: &Transcript, room: usize) {
        let lang = self.options.lang;
        let failed = behind(transcript.news(), Verdict::Fail);
        let lenient = behind(transcript.news(), Verdict::NonStrict);
        let known =
            transcript.graded.iter().filter(|one| !transcript.is_news(one) && one.verdict() == Verdict::Fail);
        let known = known.count();
        let all: Vec<&Behind<'_>> = failed.iter().chain(&lenient).collect();
        if known > 0 && room > 1 {
            self.line("");
            let noun = ["{} case fails as expected", "{} cases fail as expected"];
            let words = count(lang, known as u64, noun);
            self.line(words);
        }
        if all.is_empty() {
            return;
        }
        let again = &transcript.who.again;
        // A line before each of them, and one that says how many there are besides.
        let mut left = room.saturating_sub(2 + 2 * usize::from(known > 0));
        let mut forms: Vec<Vec<String>> = Vec::new();
        for group in &all {
            let brief = self.brief(group, 1);
            if brief.len() > left {
                break;
            }
            left -= brief.len();
            forms.push(brief);
        }
        // The first ones are told in full, as far as there is room.
        let mut is_full = false;
        for (form, group) in forms.iter_mut().zip(&failed) {
            let full = self.full(group, again);
            let more = full.len() + usize::from(is_full) - form.len();
            if more > left {
                break;
            }
            left -= more;
            *form = if is_full { std::iter::once(String::new()).chain(full).collect() } else { full };
            is_full = true;
        }
        self.line("");
        let hidden = all.len() - forms.len();
        self.lines.extend(forms.into_iter().flatten());
        if hidden > 0 {
            let words = lang.fill("and {} more; --report html=grade.html tells all of them", &[&hidden]);
            self.lines.extend(self.put("  ", 2, &words, 1));
        }
    }

    /// A line that says what is behind a group, and how many it hits.
    fn brief(&self, group: &Behind<'_>, most: usize) -> Vec<String> {
        let lang = self.options.lang;
        let verdict = group.verdict();
        let Some(first) = group.cases.first() else { return Vec::new() };
        let headline = said::headline(group, lang);
        let named = said::named(&first.case.id, first.case.autobahn.as_deref());
        let say = |headline: &str| match group.cases.len() {
            1 => lang.fill("{}: {}", &[&named, &headline]),
            // How many there are is told where the rest is cut off, too.
            cases => lang.fill("{} cases: {}; {} …", &[&cases, &headline, &named]),
        };
        let mut words = say(&headline);
        let over = (width(&words) + 2).saturating_sub(self.options.width * most);
        let room = width(&headline).saturating_sub(over + width(self.cut()));
        // The case is what can be played again: rather the reason is cut than its name.
        if over > 0 && group.cases.len() > 1 && room >= REASON {
            words = say(&(clipped(&headline, room) + self.cut()));
        }
        let (sign, ink) = match verdict {
            Verdict::Fail => (if self.options.ascii { "x" } else { "✗" }, Ink::Error),
            _ => ("~", Ink::Warning),
        };
        self.put(&format!("{} ", self.inked(ink, sign)), 2, &words, most)
    }

    /// All that is known of a group: of its first case, which stands for the others.
    fn full(&self, group: &Behind<'_>, again: &str) -> Vec<String> {
        let Some(first) = group.cases.first() else { return Vec::new() };
        let mut told = self.brief(group, DETAIL);
        let title = first.case.title.in_(self.options.lang);
        let headline = said::headline(group, self.options.lang);
        if !headline.contains(title) {
            told.extend(self.detail("case", title, 1));
        }
        let mut details = said::shared(group, again, self.options);
        details.retain(|(_, words)| !headline.contains(words.as_str()));
        for (name, words) in merged(details, self.options) {
            // A command that is cut is none.
            let most = if name == "alone" { usize::MAX } else { DETAIL };
            told.extend(self.detail(name, &words, most));
        }
        told
    }

    fn detail(&self, name: &'static str, words: &str, most: usize) -> Vec<String> {
        let name = left(self.options.lang.words(name), NAME);
        let lead = format!("  {} ", self.inked(Ink::Faint, &name));
        self.put(&lead, NAME + 3, words, most)
    }
}

/// The beginning of words, so many columns of it.
fn clipped(words: &str, columns: usize) -> String {
    let mut kept = words.to_owned();
    while width(&kept) > columns {
        kept.pop();
    }
    kept
}

/// What was expected and what came share a line where they fit one.
fn merged(details: Vec<Detail>, options: &Options) -> Vec<Detail> {
    let mut merged: Vec<Detail> = Vec::new();
    for (name, words) in details {
        match merged.last_mut() {
            Some((before, expected))
                if (*before, name) == ("expected", "got")
                    && width(expected.as_str()) + width(&words) + 8
                        <= options.width.saturating_sub(NAME + 3) =>
            {
                *expected = options.lang.fill("{}; got {}", &[&&**expected, &words]);
            }
            _ => merged.push((name, words)),
        }
    }
    merged
}

/// `closing.code-999 (7.9.1): pass before, fail now`.
pub(super) fn changed(change: &Change, lang: Lang) -> String {
    let [before, now] = [change.before, change.now].map(|verdict| lang.words(verdict.name()));
    let named = said::named(&change.id, change.autobahn.as_deref());
    lang.fill("{}: {} before, {} now", &[&named, &before, &now])
}

fn ink(verdict: Verdict) -> Ink {
    match verdict {
        Verdict::Pass => Ink::Good,
        Verdict::NonStrict => Ink::Warning,
        Verdict::Fail => Ink::Error,
        Verdict::Unimplemented | Verdict::Informational => Ink::Faint,
    }
}

/// What is said of several peers, in full, with a line a case.
pub fn report(all: &[&Transcript], options: &Options) -> String {
    let mut text = String::new();
    for (at, transcript) in all.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        text.push_str(&summary(transcript, None, options));
        text.push('\n');
        for one in &transcript.graded {
            text.push_str(&line(one, !transcript.is_news(one), options));
        }
    }
    text
}
