//! `JUnit` XML, as GitLab, GitHub's actions and Jenkins take it: a suite a chapter of each peer.

use std::fmt::Write as _;

use super::said;
use super::text::changed;
use crate::model::grade::{Chapter, Graded, Tally, Transcript, Verdict};
use crate::render::Options;

/// A document.
pub fn document(all: &[&Transcript], options: &Options) -> String {
    let tally: Tally = all.iter().flat_map(|it| &it.graded).map(Graded::verdict).collect();
    let took: f64 = all.iter().map(|it| it.took.as_secs_f64()).sum();
    let known: usize = all.iter().map(|it| it.graded.iter().filter(|one| is_known(one, it)).count()).sum();
    let failures = tally.of(Verdict::Fail) - known as u64;
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"wstool grade\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" \
         time=\"{took:.3}\">",
        tally.all(),
    );
    for transcript in all {
        for chapter in Chapter::ALL {
            suite(chapter, transcript, all.len() > 1, options, &mut xml);
        }
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// Whether a case fails, and is known to.
fn is_known(one: &Graded, transcript: &Transcript) -> bool {
    one.verdict() == Verdict::Fail && !transcript.is_news(one)
}

fn suite(
    chapter: Chapter,
    transcript: &Transcript,
    is_one_of_many: bool,
    options: &Options,
    xml: &mut String,
) {
    let cases: Vec<&Graded> = transcript.graded.iter().filter(|one| one.case.chapter == chapter).collect();
    if cases.is_empty() {
        return;
    }
    let tally: Tally = cases.iter().map(|one| one.verdict()).collect();
    let known = cases.iter().filter(|one| is_known(one, transcript)).count() as u64;
    let skipped = tally.of(Verdict::Unimplemented) + known;
    let took: f64 = cases.iter().map(|one| one.took.as_secs_f64()).sum();
    let agent = &transcript.who.agent;
    let name = if is_one_of_many { format!("{agent}: {chapter}") } else { chapter.to_string() };
    let _ = write!(
        xml,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{skipped}\" \
         time=\"{took:.3}\"",
        escaped(&name),
        tally.all(),
        tally.of(Verdict::Fail) - known,
    );
    if let Some(began) = transcript.began {
        // Without a fraction or a zone, as the schema of Jenkins has it.
        let _ = write!(xml, " timestamp=\"{}\"", began.utc().split('.').next().unwrap_or_default());
    }
    let _ = writeln!(xml, ">\n    <properties>");
    for (name, value) in [("agent", agent), ("url", &transcript.who.url)] {
        let _ = writeln!(xml, "      <property name=\"{name}\" value=\"{}\"/>", escaped(value));
    }
    xml.push_str("    </properties>\n");
    for one in cases {
        case(one, transcript, is_one_of_many, options, xml);
    }
    xml.push_str("  </testsuite>\n");
}

fn case(one: &Graded, transcript: &Transcript, is_one_of_many: bool, options: &Options, xml: &mut String) {
    let lang = options.lang;
    let facts = &one.case;
    let class = format!("wstool.grade.{}", facts.chapter);
    let class = if is_one_of_many { format!("{class}.{}", transcript.who.agent) } else { class };
    let named = said::named(&facts.id, facts.autobahn.as_deref());
    let name = lang.fill("{}: {}", &[&named, &facts.title.in_(lang)]);
    let took = one.took.as_secs_f64();
    let _ = write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{took:.3}\"",
        escaped(&class),
        escaped(&name)
    );
    let why = said::why(one, lang);
    match one.verdict() {
        Verdict::Pass => {
            xml.push_str("/>\n");
            return;
        }
        Verdict::Fail if is_known(one, transcript) => {
            let note = transcript.known.get(&facts.id).map_or("", String::as_str);
            let known = lang.fill("known to fail: {}", &[&if note.is_empty() { &*why } else { note }]);
            let _ = writeln!(xml, ">\n      <skipped message=\"{}\"/>", escaped(&known));
        }
        Verdict::Fail => {
            let kind = one.broken.map_or(one.behaviour.name(), |rule| rule.id);
            let _ = writeln!(
                xml,
                ">\n      <failure message=\"{}\" type=\"{}\">{}</failure>",
                escaped(&why),
                escaped(kind),
                escaped(&told(one, transcript, options)),
            );
        }
        Verdict::Unimplemented => {
            let _ = writeln!(xml, ">\n      <skipped message=\"{}\"/>", escaped(&why));
        }
        Verdict::NonStrict | Verdict::Informational => {
            let verdict = lang.words(one.verdict().name());
            let said = lang.fill("{}: {}", &[&verdict, &why]);
            let _ = writeln!(
                xml,
                ">\n      <system-out>{}\n{}</system-out>",
                escaped(&said),
                escaped(&told(one, transcript, options))
            );
        }
    }
    xml.push_str("    </testcase>\n");
}

/// The details of a case, a line each.
fn told(one: &Graded, transcript: &Transcript, options: &Options) -> String {
    let lang = options.lang;
    let details = said::details(one, &transcript.who.again, options).into_iter();
    let mut lines: Vec<String> =
        details.map(|(name, words)| lang.fill("{}: {}", &[&lang.words(name), &words])).collect();
    if let Some(changes) = &transcript.changes
        && let Some(change) = changes.worse.iter().find(|change| change.id == one.case.id)
    {
        lines.push(changed(change, lang));
    }
    lines.join("\n")
}

/// Text of a document of XML: without what it forbids at all (XML 1.0 §2.2), which is written out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push('\n'),
            c if c.is_control() || u32::from(c) & 0xFFFE == 0xFFFE => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_forbids_is_written_out() {
        assert_eq!(
            escaped("a\0<\u{1b}[2J>&\"\u{fffe}\u{85}\n你"),
            "a\\u{0}&lt;\\u{1b}[2J&gt;&amp;&quot;\\u{fffe}\\u{85}\n你"
        );
    }
}
