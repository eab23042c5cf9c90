//! What every format says of a case, in words.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::Options;
use crate::lang::Lang;
use crate::model::grade::{
    Behaviour, Behind, Event, EventKind, Graded, Mended, NOT_WHAT_MAY_COME, Tally, Transcript, Verdict,
};
use crate::model::{CloseCode, StreamEnd};
use crate::render::escape::{Kind, cells};
use crate::render::words::count;

/// Characters of a payload that are quoted.
const QUOTED: usize = 32;

/// Events of a case that are told, the first ones.
const EVENTS: usize = 4;

/// What is told of a case that does not pass: a name, and what it is, which may be long.
pub(super) type Detail = (&'static str, String);

/// What a peer came to, in a line: `517 cases: 3 fail, 4 non-strict; grade B`.
pub(super) fn verdict(transcript: &Transcript, lang: Lang) -> String {
    let tally = transcript.tally();
    let played = tally.all();
    let parts = parts(&tally, lang);
    // Nobody is graded by the half of it.
    if played < transcript.chosen {
        return lang.fill("only {} of {} cases were played: {}", &[&played, &transcript.chosen, &parts]);
    }
    let cases = count(lang, played, ["{} case", "{} cases"]);
    let line = lang.fill("{}: {}", &[&cases, &parts]);
    match tally.letter() {
        Some(letter) if tally.is_thin() => {
            lang.fill("{}; grade {}, of the {} that were judged", &[&line, &letter.name(), &tally.judged()])
        }
        Some(letter) => lang.fill("{}; grade {}", &[&line, &letter.name()]),
        None => line,
    }
}

/// On how little a letter rests, where it does.
pub(super) fn rests_on(tally: &Tally, lang: Lang) -> Option<String> {
    let is_bare = tally.letter().is_some() && tally.is_thin();
    is_bare.then(|| lang.fill("only {} of {} judged", &[&tally.judged(), &tally.all()]))
}

/// What is said behind how many pass: on how little a letter rests, and the others.
pub(super) fn rest(tally: &Tally, lang: Lang) -> Vec<String> {
    rests_on(tally, lang).into_iter().chain(others(tally, lang)).collect()
}

/// What does not pass, each with its number; `all pass` where everything does.
pub(super) fn parts(tally: &Tally, lang: Lang) -> String {
    if tally.all() > 0 && tally.of(Verdict::Pass) == tally.all() {
        return lang.words("all pass").to_owned();
    }
    let mut parts = others(tally, lang);
    let passed = tally.of(Verdict::Pass);
    if passed > 0 && (parts.len() < 2 || tally.of(Verdict::Fail) == 0) {
        parts.push(counted(passed, Verdict::Pass, lang));
    }
    parts.join(lang.words(", "))
}

/// What does not pass, each with its number.
pub(super) fn others(tally: &Tally, lang: Lang) -> Vec<String> {
    let all = [Verdict::Fail, Verdict::NonStrict, Verdict::Unimplemented, Verdict::Informational];
    let there = all.into_iter().map(|verdict| (tally.of(verdict), verdict)).filter(|(number, _)| *number > 0);
    there.map(|(number, verdict)| counted(number, verdict, lang)).collect()
}

/// `3 fail`.
fn counted(number: u64, verdict: Verdict, lang: Lang) -> String {
    let noun = match verdict {
        Verdict::Fail => ["{} fail", "{} fail"],
        Verdict::NonStrict => ["{} non-strict", "{} non-strict"],
        Verdict::Unimplemented => ["{} unimplemented", "{} unimplemented"],
        Verdict::Informational => ["{} informational", "{} informational"],
        Verdict::Pass => ["{} pass", "{} pass"],
    };
    count(lang, number, noun)
}

/// A case by its id, and by its number: `control.ping-125 (2.4)`.
pub(super) fn named(id: &str, autobahn: Option<&str>) -> String {
    match autobahn {
        Some(number) => format!("{id} ({number})"),
        None => id.to_owned(),
    }
}

/// What is behind a group of cases, in a line.
pub(super) fn headline(group: &Behind<'_>, lang: Lang) -> String {
    let Some(first) = group.cases.first() else { return String::new() };
    if let Some(rule) = group.broken {
        return lang.fill("{} ({})", &[&lang.words(rule.title), &rule.id]);
    }
    let likely = likely(first, lang);
    if !likely.is_empty() {
        return likely;
    }
    let why = why(first, lang).into_owned();
    if why.is_empty() { first.case.title.in_(lang).to_owned() } else { why }
}

/// What was other than expected: what came, and what should have, where nothing more is known.
pub(super) fn why(one: &Graded, lang: Lang) -> Cow<'static, str> {
    let is_vague = one.why.template == NOT_WHAT_MAY_COME && one.broken.is_none();
    let told = is_vague.then(|| instead(one, lang)).flatten();
    told.map_or_else(|| lang.say(&one.why), Cow::Owned)
}

/// What came, and what should have; `None` where nothing came that should not.
fn instead(one: &Graded, lang: Lang) -> Option<String> {
    if one.expected.is_empty() {
        let first = one.got.iter().find(|event| event.what.opcode().is_some())?;
        return Some(lang.fill("got {}, where nothing should come", &[&said(first, lang)]));
    }
    // That it answered our Close is no answer to what it was sent.
    let is_ours = one.ended.is_some_and(|ended| ended.closer == Some(ended.peer.peer()));
    let has_come = one.got.iter().any(|event| !is_ours || !matches!(event.what, EventKind::Close(_)));
    let came = if has_come { got(one, lang) } else { lang.words("nothing").to_owned() };
    Some(lang.fill("got {}; expected {}", &[&came, &one.expected.join("; ")]))
}

/// The mistake that a failure looks like.
pub(super) fn likely(one: &Graded, lang: Lang) -> String {
    // What a case knows says more than what only says that something went wrong.
    if one.looks_like.is_empty() || one.remedy.is_none() && !one.likely.is_empty() {
        return one.likely.in_(lang).to_owned();
    }
    lang.say(&one.looks_like).into_owned()
}

/// What is told of a group: what is known of its first case, which stands for the others, and of what is to
/// be done only that which fits all of them.
pub(super) fn shared(group: &Behind<'_>, again: &str, options: &Options) -> Vec<Detail> {
    let Some((first, others)) = group.cases.split_first() else { return Vec::new() };
    let mut told = details(first, again, options);
    for one in others {
        let (cited, (usually, mend)) = (cited(one), advice(one, options));
        told.retain(|(name, words)| match *name {
            "rule" => *words == cited,
            "usually" => words == usually,
            "mend" => words == mend,
            _ => true,
        });
    }
    told
}

/// What is told of a case, most telling first; what nothing is known of is left out.
pub(super) fn details(one: &Graded, again: &str, options: &Options) -> Vec<Detail> {
    let lang = options.lang;
    let mut details: Vec<Detail> = Vec::new();
    let mut tell = |name: &'static str, words: Cow<'_, str>| {
        if !words.is_empty() {
            details.push((name, words.into_owned()));
        }
    };
    // Of what a rule was broken in there is hardly an event: the bytes say it.
    if one.behaviour != Behaviour::Ok && (one.broken.is_none() || !one.got.is_empty()) {
        tell("expected", one.expected.join("; ").into());
        tell("got", got(one, lang).into());
    }
    tell("rule", cited(one).into());
    tell("likely", likely(one, lang).into());
    let (usually, mend) = advice(one, options);
    tell("usually", usually.into());
    tell("mend", mend.into());
    tell("alone", command(again, &one.case.id).into());
    details
}

/// What is usually behind what came, and what mends it; empty where what is known of the case, or of a rule,
/// may not fit what came.
pub(super) fn advice<'g>(one: &'g Graded, options: &Options) -> (&'g str, &'g str) {
    let lang = options.lang;
    let is_known = !one.looks_like.is_empty() || !one.likely.is_empty();
    let (usually, mend) = match one.mended() {
        Mended::Mistake(remedy) => ("", lang.words(remedy.mend)),
        Mended::Rule(rule) => match rule.usually {
            Some(usual) => (lang.words(usual.what), lang.words(usual.fix)),
            None => {
                ("", options.advice.and_then(|advice| advice.get(rule.id)).map_or("", |advice| advice.fix))
            }
        },
        Mended::Case => (one.case.usually.in_(lang), one.case.mend.in_(lang)),
        Mended::Nothing => ("", ""),
    };
    (if is_known { "" } else { usually }, mend)
}

/// The rule that was broken or that the case rests on, and where it is written; where what the case is about
/// went well, what is known of the rest.
pub(super) fn cited(one: &Graded) -> String {
    let (rule, cites) = match (one.mended(), one.broken) {
        (Mended::Mistake(remedy), _) => (remedy.rule, vec![remedy.cite.to_owned()]),
        (_, Some(rule)) => (rule.id, vec![rule.cite.to_string()]),
        (Mended::Nothing, None) => ("", Vec::new()),
        (_, None) => (one.rests_on().map_or("", |rule| rule.id), one.case.cites.clone()),
    };
    let all = std::iter::once(rule.to_owned()).chain(cites);
    all.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The command that plays a case alone.
pub(super) fn command(again: &str, id: &str) -> String {
    format!("{again} --case {id} --explain")
}

/// What came, as scripts of cases have it.
pub(super) fn got(one: &Graded, lang: Lang) -> String {
    let mut said: Vec<String> = one.got.iter().take(EVENTS).map(|event| said(event, lang)).collect();
    let more = one.more + one.got.len().saturating_sub(EVENTS) as u64;
    if more > 0 {
        said.push(lang.fill("and {} more", &[&more]));
    }
    let is_open = one.ended.is_some();
    if said.is_empty() && is_open {
        said.push(lang.words("nothing").to_owned());
    }
    match one.ended.and_then(|ended| ended.stream) {
        Some(StreamEnd::Rst) => said.push(lang.words("then it reset the connection").to_owned()),
        Some(StreamEnd::Fin) if one.code.is_none() => {
            said.push(lang.words("then it ended the connection").to_owned());
        }
        _ => {}
    }
    said.join("; ")
}

fn said(event: &Event, lang: Lang) -> String {
    let payload = || format!(" {}", payload(event, lang));
    match &event.what {
        EventKind::Text => format!("text{}", payload()),
        EventKind::Binary => format!("binary{}", payload()),
        EventKind::Ping => format!("ping{}", payload()),
        EventKind::Pong => format!("pong{}", payload()),
        EventKind::Close(None) => "close".to_owned(),
        EventKind::Close(Some(CloseCode(code))) if event.length == 0 => format!("close {code}"),
        EventKind::Close(Some(CloseCode(code))) => format!("close {code}{}", payload()),
        EventKind::Still(name) => format!("still {name}"),
        EventKind::Answer(status) => lang.fill("the answer {}", &[status]),
        EventKind::End(StreamEnd::Rst) => lang.words("it reset the connection").to_owned(),
        EventKind::End(_) => lang.words("it ended the connection").to_owned(),
    }
}

/// A payload, quoted as text where it is some, and with its length where that is not to be seen.
fn payload(event: &Event, lang: Lang) -> String {
    let is_text = matches!(event.what, EventKind::Text | EventKind::Close(_));
    let whole = crate::render::escape::whole_characters(&event.payload);
    let mut said = String::new();
    let mut quoted = 0;
    if is_text || std::str::from_utf8(whole).is_ok_and(|text| !text.chars().any(char::is_control)) {
        said.push('"');
        for cell in cells(whole, Kind::Data, false).take(QUOTED) {
            quoted += usize::from(cell.bytes);
            cell.push_to(&mut said);
        }
        said.push('"');
    } else {
        quoted = event.payload.len().min(QUOTED / 2);
        said = hex(&event.payload[..quoted]);
    }
    if quoted as u64 == event.length {
        return said;
    }
    format!("{said}… ({})", count(lang, event.length, crate::render::words::BYTES))
}

/// Bytes as digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
