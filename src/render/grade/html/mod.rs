//! A page for a browser that needs nothing else: what is behind that which fails, and every case with its
//! bytes, drawn by the setter of `--format html`.

use std::fmt::Write as _;

use super::said;
use super::text::changed;
use crate::lang::Lang;
use crate::model::grade::{Behind, Changes, Graded, Letter, Tally, Transcript, Verdict, behind};
use crate::model::quantity;
use crate::render::Options;
use crate::render::html::{CLOSE, Frame, SCRIPT, STYLE, data_script, text as html, words};
use crate::render::json::TOOL;
use crate::render::words::count;

/// Cases that are linked of a reason.
const LISTED: usize = 40;

/// Writes a page. `records` gives what goes over the wire in a case, as
/// [`Records`](crate::render::html::Records) of its own, a line each.
pub fn page(all: &[&Transcript], records: &dyn Fn(&Graded) -> String, options: &Options) -> String {
    let lang = options.lang;
    let title = all.iter().map(|it| it.who.agent.as_str()).collect::<Vec<_>>().join(", ");
    let style = [STYLE, include_str!("grade.css")].concat();
    let script = [SCRIPT, include_str!("grade.js")].concat();
    let frame = Frame { title: &title, lang, style: &style, script: &script };
    let mut page = frame.beginning();
    page.push_str("<main id=\"wstool\" class=\"grade\">\n");
    for (at, transcript) in all.iter().enumerate() {
        peer(at, transcript, records, options, &mut page);
    }
    page.push_str("</main>\n");
    page.push_str(&data_script("id=\"words\"", &words(lang)));
    page.push_str(&frame.module());
    page.push_str(CLOSE);
    page
}

/// What the elements of a peer are called, so that links find them.
struct Place<'p> {
    at: usize,
    transcript: &'p Transcript,
    options: &'p Options,
}

impl Place<'_> {
    fn id(&self, case: &str) -> String {
        format!("c{}-{}", self.at, html(case))
    }

    fn words(&self, words: &'static str) -> String {
        html(self.options.lang.words(words))
    }
}

fn peer(
    at: usize,
    transcript: &Transcript,
    records: &dyn Fn(&Graded) -> String,
    options: &Options,
    page: &mut String,
) {
    let lang = options.lang;
    let place = Place { at, transcript, options };
    let who = &transcript.who;
    let mut about: Vec<String> = Vec::new();
    if who.url != who.agent {
        about.push(who.url.clone());
    }
    about.extend(
        transcript.began.map(|began| began.utc().split('.').next().unwrap_or_default().replace('T', " ")),
    );
    about.push(quantity::lasting(transcript.took.as_secs_f64()));
    about.push(TOOL.to_owned());
    let _ = writeln!(
        page,
        "<header class=\"head\"><h1>{}</h1><p class=\"format\">{}</p></header>",
        html(&who.agent),
        html(&about.join(" · "))
    );
    let tally = transcript.tally();
    let _ = writeln!(
        page,
        "<p class=\"result\">{}{}</p>",
        letter(&tally),
        html(&said::verdict(transcript, lang))
    );
    if let Some(changes) = &transcript.changes {
        self::changes(changes, &place, page);
    }
    chapters(&place, page);
    for (verdict, title) in
        [(Verdict::Fail, "What fails"), (Verdict::NonStrict, "What is not as it should be")]
    {
        let groups = behind(transcript.news(), verdict);
        if groups.is_empty() {
            continue;
        }
        let _ = writeln!(page, "<h2>{}</h2>", place.words(title));
        for group in &groups {
            reason(group, &place, page);
        }
    }
    let _ = writeln!(page, "<h2>{}</h2>", place.words("All cases"));
    for (chapter, tally) in transcript.chapters() {
        let is_whole = tally.of(Verdict::Pass) == tally.all();
        let _ = writeln!(
            page,
            "<details class=\"part-of\"{}><summary>{} {} · {}</summary>",
            if is_whole { "" } else { " open" },
            letter(&tally),
            html(lang.words(chapter.title())),
            html(&said::parts(&tally, lang))
        );
        let mut cases: Vec<&Graded> =
            transcript.graded.iter().filter(|one| one.case.chapter == chapter).collect();
        cases.sort_by_key(|one| one.verdict());
        for one in cases {
            case(one, &place, records, page);
        }
        page.push_str("</details>\n");
    }
}

/// The letter; without its colour where it rests on little.
fn letter(tally: &Tally) -> String {
    let letter = tally.letter();
    let name = letter.map_or("–", Letter::name);
    let class = letter
        .filter(|_| !tally.is_thin())
        .map_or(String::new(), |letter| format!(" {}", letter.name().to_lowercase()));
    format!("<span class=\"letter-grade{class}\">{name}</span> ")
}

fn changes(changes: &Changes, place: &Place<'_>, page: &mut String) {
    let lang = place.options.lang;
    if changes.worse.is_empty() && changes.better.is_empty() {
        let _ = writeln!(page, "<p>{}</p>", html(&lang.fill("the same as in {}", &[&changes.since])));
    }
    for (words, class, all) in
        [("Worse since {}:", "worse", &changes.worse), ("Better since {}:", "better", &changes.better)]
    {
        if all.is_empty() {
            continue;
        }
        let said = html(&lang.fill(words, &[&changes.since]));
        let _ = writeln!(page, "<p class=\"{class}\">{said}</p>\n<ul class=\"changes\">");
        for change in all {
            let said = html(&changed(change, lang));
            let _ = writeln!(page, "<li><a href=\"#{}\">{said}</a></li>", place.id(&change.id));
        }
        page.push_str("</ul>\n");
    }
}

fn chapters(place: &Place<'_>, page: &mut String) {
    let lang = place.options.lang;
    page.push_str("<table class=\"chapters\">\n");
    for (chapter, tally) in place.transcript.chapters() {
        let (part, whole) = (tally.of(Verdict::Pass), tally.all());
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td class=\"part\"><meter min=\"0\" max=\"{whole}\" \
             value=\"{part}\"></meter></td><td>{}</td></tr>",
            letter(&tally),
            html(lang.words(chapter.title())),
            html(&passing(&tally, lang))
        );
    }
    page.push_str("</table>\n");
}

/// `12 of 24 pass; 12 fail`.
fn passing(tally: &Tally, lang: Lang) -> String {
    let all = lang.fill("{} of {} pass", &[&tally.of(Verdict::Pass), &tally.all()]);
    let others = said::rest(tally, lang);
    if others.is_empty() { all } else { [&*all, &others.join(lang.words(", "))].join(lang.words("; ")) }
}

fn reason(group: &Behind<'_>, place: &Place<'_>, page: &mut String) {
    let lang = place.options.lang;
    let class = if group.verdict() == Verdict::Fail { "error" } else { "warning" };
    let cases = count(lang, group.cases.len() as u64, ["{} case", "{} cases"]);
    let _ = writeln!(
        page,
        "<article class=\"finding reason {class}\"><p><span class=\"severity {class}\">{}</span>\
         <b>{}</b></p>",
        html(&cases),
        html(&said::headline(group, lang))
    );
    let told = said::shared(group, &place.transcript.who.again, place.options);
    details(told, place, page);
    let _ = write!(page, "<p>");
    for (at, one) in group.cases.iter().take(LISTED).enumerate() {
        let named = said::named(&one.case.id, one.case.autobahn.as_deref());
        let comma = if at > 0 { html(lang.words(", ")) } else { String::new() };
        let _ = write!(page, "{comma}<a href=\"#{}\">{}</a>", place.id(&one.case.id), html(&named));
    }
    if group.cases.len() > LISTED {
        let more = lang.fill("and {} more", &[&(group.cases.len() - LISTED)]);
        let _ = write!(page, "{}{}", html(lang.words(", ")), html(&more));
    }
    page.push_str("</p></article>\n");
}

fn details(told: Vec<said::Detail>, place: &Place<'_>, page: &mut String) {
    page.push_str("<dl class=\"details\">");
    for (name, words) in told {
        let is_code = matches!(name, "expected" | "got" | "alone");
        let words = if is_code { format!("<code>{}</code>", html(&words)) } else { html(&words) };
        let _ = write!(page, "<dt>{}</dt><dd>{words}</dd>", place.words(name));
    }
    page.push_str("</dl>\n");
}

fn case(one: &Graded, place: &Place<'_>, records: &dyn Fn(&Graded) -> String, page: &mut String) {
    let lang = place.options.lang;
    let facts = &one.case;
    let verdict = one.verdict();
    let named = said::named(&facts.id, facts.autobahn.as_deref());
    let line = format!(
        "<span class=\"is {}\">{}</span> <code>{}</code> {}",
        verdict.name(),
        place.words(verdict.name()),
        html(&named),
        html(facts.title.in_(lang))
    );
    let id = place.id(&facts.id);
    if verdict == Verdict::Pass {
        let _ = writeln!(page, "<div class=\"passes\" id=\"{id}\">{line}</div>");
        return;
    }
    let _ = writeln!(page, "<details class=\"case\" id=\"{id}\"><summary>{line}</summary>");
    let why = said::why(one, lang);
    if !why.is_empty() {
        let _ = writeln!(page, "<p>{}</p>", html(&why));
    }
    if let Some(note) = place.transcript.known.get(&facts.id) {
        let _ = writeln!(page, "<p>{}</p>", html(&lang.fill("known to fail: {}", &[note])));
    }
    details(said::details(one, &place.transcript.who.again, place.options), place, page);
    let lines = records(one);
    if !lines.is_empty() {
        page.push_str(&data_script("class=\"records\"", &lines));
    }
    page.push_str("</details>\n");
}
