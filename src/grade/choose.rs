//! Which cases are played.

use crate::limits;
use crate::model::Dir;
use crate::model::grade::{CaseFacts, Chapter};
use crate::synth::handshake::{Edits, Request, Response};

use super::case::{Case, Prepared};
use super::endpoint::Endpoint;
use super::script::{Pacing, Step};

/// What is asked for on the command line.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Ids and numbers, `*` standing for anything; all where there are none.
    pub cases: Vec<String>,
    /// Those that are left out.
    pub exclude: Vec<String>,
    /// Chapters; all where there are none.
    pub chapters: Vec<Chapter>,
    /// Sections: `RFC 6455 §5.5`, with those within it.
    pub sections: Vec<String>,
    /// Up to this stage.
    pub stage: Option<u8>,
}

impl Choice {
    /// Whether a case is to be played with a peer of a role.
    pub fn takes(&self, case: &Case, peer: Dir) -> bool {
        let facts = &case.facts;
        let named = |patterns: &[String]| patterns.iter().any(|pattern| is_named(pattern, facts));
        case.of[peer.index()]
            && (self.cases.is_empty() || named(&self.cases))
            && !named(&self.exclude)
            && (self.chapters.is_empty() || self.chapters.contains(&facts.chapter))
            && (self.sections.is_empty()
                || facts.cites.iter().any(|cite| self.sections.iter().any(|section| within(cite, section))))
            // Who writes their first server does not look at how fast it is yet.
            && self.stage.is_none_or(|stage| facts.stage <= stage && facts.chapter != Chapter::Performance)
    }
}

/// What a pattern is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patterns {
    /// Ids and numbers.
    Cases,
    /// Sections.
    Sections,
}

impl Choice {
    /// Patterns that no case for a peer of a role fits, whatever else is asked for.
    pub fn in_vain<'c>(&'c self, all: &[Case], peer: Dir) -> Vec<(Patterns, &'c str)> {
        let alone = |of, pattern: &'c String| {
            let one = vec![pattern.clone()];
            let choice = match of {
                Patterns::Cases => Self { cases: one, ..Self::default() },
                Patterns::Sections => Self { sections: one, ..Self::default() },
            };
            (!all.iter().any(|case| choice.takes(case, peer))).then_some((of, pattern.as_str()))
        };
        let cases = self.cases.iter().filter_map(|it| alone(Patterns::Cases, it));
        cases.chain(self.sections.iter().filter_map(|it| alone(Patterns::Sections, it))).collect()
    }

    /// Patterns of what is left out that no case fits, for whichever peer.
    pub fn excluded_in_vain<'c>(&'c self, all: &[Case]) -> Vec<&'c str> {
        let fits = |pattern: &str| all.iter().any(|case| is_named(pattern, &case.facts));
        self.exclude.iter().map(String::as_str).filter(|pattern| !fits(pattern)).collect()
    }
}

/// Other names of chapters, as people call what they are about.
const MEANT: [(Chapter, &[&str]); 11] = [
    (Chapter::Handshake, &["opening", "upgrade", "http", "http1"]),
    (Chapter::Framing, &["frame", "frames"]),
    (Chapter::Masking, &["mask", "masks"]),
    (Chapter::Fragmentation, &["fragment", "fragments"]),
    (Chapter::Control, &["ping", "pings", "pong", "pongs", "pingpong"]),
    (Chapter::Utf8, &["text", "utf"]),
    (Chapter::Closing, &["close", "closes"]),
    (Chapter::Limits, &["limit"]),
    (Chapter::Deflate, &["compression", "permessagedeflate", "pmd", "pmce"]),
    (Chapter::Http2, &["h2"]),
    (Chapter::Performance, &["speed", "perf"]),
];

/// The chapter that is meant: by its name, or by another that it goes by.
pub fn chapter(text: &str) -> Option<Chapter> {
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    let named = Chapter::ALL.into_iter().find(|chapter| chapter.name() == plain);
    named.or_else(|| MEANT.iter().find(|(_, names)| names.contains(&&*plain)).map(|(chapter, _)| *chapter))
}

/// How a peer is played with, which leaves cases out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Over HTTP/2.
    pub http2: bool,
    /// What a server does with messages; clients send them back.
    pub endpoint: Endpoint,
    /// It is in use.
    pub gentle: bool,
}

/// Why a case is left out that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It is about the head of HTTP/1.1.
    OfHttp1,
    /// It is about HTTP/2.
    OfHttp2,
    /// It rests on what an echo would send back.
    NeedsEcho,
    /// It would hurt those who use the server.
    Rough,
}

impl Manner {
    /// Why a case is not to be played, if so.
    pub fn leaves_out(self, case: &Case) -> Option<LeftOut> {
        // What cannot be read was refused when the cases were.
        let prepared = case.prepare(Dir::Client).ok()?;
        match (self.http2, case.facts.chapter == Chapter::Http2) {
            (true, false) if is_of_http1(case, &prepared) => return Some(LeftOut::OfHttp1),
            (false, true) => return Some(LeftOut::OfHttp2),
            _ => {}
        }
        if !self.endpoint.judges(case, &prepared) {
            return Some(LeftOut::NeedsEcho);
        }
        let is_rough =
            matches!(case.facts.chapter, Chapter::Limits | Chapter::Performance | Chapter::Robustness)
                || !case.facts.bugs.is_empty()
                || prepared.steps.iter().map(Step::weight).sum::<u64>() > limits::GRADE_GENTLE;
        (self.gentle && is_rough).then_some(LeftOut::Rough)
    }
}

/// Whether a case is about what there is in HTTP/1.1 only.
fn is_of_http1(case: &Case, prepared: &Prepared) -> bool {
    prepared.before.is_some()
        || prepared.request.as_ref().is_some_and(asks_by_http1)
        || prepared.response.as_ref().is_some_and(answers_by_http1)
        || case.facts.rules.iter().any(|rule| KEYED.contains(&rule.id))
}

/// Rules about the key, which a request of HTTP/2 does not have (RFC 8441 §5).
const KEYED: [&str; 2] = ["missing-sec-websocket-key", "reused-sec-websocket-key"];

/// Whether a request is one of HTTP/1.1 by its line, the fields of its upgrade, or its pieces.
fn asks_by_http1((request, pacing): &(Request, Pacing)) -> bool {
    request.key.is_some() || says_http1(&request.edits, pacing)
}

/// The same of an answer. One that refuses is the same over HTTP/2, where it has no fields of the upgrade.
fn answers_by_http1((response, pacing): &(Response, Pacing)) -> bool {
    let Edits { line, drop, add, .. } = &response.edits;
    if line.as_deref().is_some_and(refuses) {
        let is_dropped = |name: &&str| drop.iter().any(|it| it.eq_ignore_ascii_case(name));
        return !["Upgrade", "Connection", "Sec-WebSocket-Accept"].iter().all(is_dropped)
            || Pacing { end: None, ..pacing.clone() } != Pacing::default()
            || !add.iter().all(|line| is_field(line));
    }
    response.accept.is_some() || says_http1(&response.edits, pacing)
}

/// Whether a head was made to say what HTTP/2 cannot, or comes in pieces.
fn says_http1(Edits { line, drop, add, body }: &Edits, pacing: &Pacing) -> bool {
    line.is_some()
        || !drop.is_empty()
        || !body.is_empty()
        || *pacing != Pacing::default()
        || !add.iter().all(|line| is_field(line) && !is_of_upgrade(line))
}

/// Whether a status line is a right one, and opens nothing over HTTP/2 either.
fn refuses(line: &str) -> bool {
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split(' ').next());
    status.is_some_and(|status| matches!(status.parse(), Ok(300..=599_u16))) && !line.contains(['\r', '\n'])
}

/// Whether a line is a header field that HTTP/2 can say.
fn is_field(line: &str) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    line.split_once(':').is_some_and(|(name, value)| {
        !name.is_empty() && name.chars().all(is_token) && !value.contains(|c: char| c.is_ascii_control())
    })
}

/// Whether it is one that only means something in HTTP/1.1.
fn is_of_upgrade(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    HTTP1_FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field))
}

/// Fields that heads of HTTP/2 do not have, or do not need (RFC 8441 §5, RFC 9113 §8.2.2).
const HTTP1_FIELDS: [&str; 10] = [
    "host",
    "connection",
    "upgrade",
    "keep-alive",
    "te",
    "transfer-encoding",
    "content-length",
    "sec-websocket-accept",
    "sec-websocket-key",
    "sec-websocket-version",
];

/// Whether a pattern is of a case's id, or of its number.
pub fn is_named(pattern: &str, facts: &CaseFacts) -> bool {
    matches(pattern, &facts.id) || numbered(pattern, facts.autobahn.as_deref())
}

/// Whether a pattern is of Autobahn's number: `6.4.1`, `autobahn:7.*`.
fn numbered(pattern: &str, number: Option<&str>) -> bool {
    number.is_some_and(|number| matches(pattern.strip_prefix("autobahn:").unwrap_or(pattern), number))
}

/// Whether a section is another, or within it. One without a document is of RFC 6455.
fn within(cite: &str, section: &str) -> bool {
    let squeezed = |text: &str| text.replace(['§', ' '], "").to_ascii_lowercase();
    let (cite, mut section) = (squeezed(cite), squeezed(section));
    if section.starts_with(|c: char| c.is_ascii_digit()) {
        section.insert_str(0, "rfc6455");
    }
    cite.strip_prefix(&section).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a pattern fits a text: `*` stands for anything.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, mut rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    while let Some((part, behind)) = rest.split_once('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
        rest = behind;
    }
    text.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::load::suite;
    use crate::grade::script;

    #[test]
    fn patterns_fit() {
        for (pattern, text, fits) in [
            ("*", "1.1.1", true),
            ("1.*", "1.1.1", true),
            ("1.*", "12.1.1", false),
            ("6.4.*", "6.4.1", true),
            ("*ping*", "control.ping-125", true),
            ("control.ping", "control.ping-125", false),
            ("*a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn chapters_go_by_what_they_are_about_too() {
        for chapter in Chapter::ALL {
            assert_eq!(super::chapter(chapter.name()), Some(chapter));
        }
        for (text, chapter) in [
            ("close", Chapter::Closing),
            ("Closing", Chapter::Closing),
            ("ping-pong", Chapter::Control),
            ("UTF-8", Chapter::Utf8),
            ("http/2", Chapter::Http2),
            ("permessage-deflate", Chapter::Deflate),
        ] {
            assert_eq!(super::chapter(text), Some(chapter), "{text}");
        }
        for text in ["", "c", "closed-loop", "关闭"] {
            assert_eq!(super::chapter(text), None, "{text}");
        }
        let names = MEANT.iter().flat_map(|(_, names)| *names);
        let names: std::collections::BTreeSet<&str> =
            names.copied().chain(Chapter::ALL.map(Chapter::name)).collect();
        assert_eq!(
            names.len(),
            12 + MEANT.iter().map(|(_, names)| names.len()).sum::<usize>(),
            "one meaning each"
        );
    }

    #[test]
    fn what_no_case_fits_is_known() {
        let choice = Choice {
            cases: ["1.1.1", "ping", "control.*"].map(str::to_owned).into(),
            sections: ["5.5", "§5.5.2", "RFC 6455 §99"].map(str::to_owned).into(),
            ..Choice::default()
        };
        let vain = choice.in_vain(suite(), Dir::Server);
        assert_eq!(vain, [(Patterns::Cases, "ping"), (Patterns::Sections, "RFC 6455 §99")]);
    }

    #[test]
    fn the_head_of_http_1_stays_there() {
        let of = |text: &str| asks_by_http1(&script::request(text).unwrap());
        for text in
            ["drop=Host", "header=\"Upgrade: x\"", "key=\"x\"", "chop=1", "header=\" X: y\"", "line=\"x\""]
        {
            assert!(of(text), "{text}");
        }
        for text in ["header=\"X-A: y\"", "subprotocol=\"chat\"", "header=\"Origin: https://a\""] {
            assert!(!of(text), "{text}");
        }
        let of = |text: &str| answers_by_http1(&script::response(text).unwrap());
        let refusal = |status| format!("line=\"HTTP/1.1 {status}\" drop=Upgrade drop=Connection");
        let bare = |status| refusal(status) + " drop=Sec-WebSocket-Accept header=\"Connection: close\" fin";
        for text in [
            "drop=Upgrade",
            "accept=x",
            "body=\"x\"",
            "chop=1",
            "header=\"X: y\\r\\n z\"",
            "header=\"Sec-WebSocket-Accept: x\"",
            "line=\"HTTP/1.1 426 x\"",
            &refusal("403 Forbidden"),
            &bare("200 OK"),
            &bare("99 x"),
            &bare("403 x\\r\\nA: b"),
            &(bare("403 Forbidden") + " chop=1"),
        ] {
            assert!(of(text), "{text}");
        }
        let no = bare("403 Forbidden") + " body=\"no\" header=\"Location: /a\"";
        for text in ["subprotocol=\"chat\"", "extensions=\"x\"", "header=\"X-A: y\"", "pad=8000", &no] {
            assert!(!of(text), "{text}");
        }
    }

    #[test]
    fn what_hurts_is_left_out_of_servers_in_use() {
        let gentle = Manner { gentle: true, ..Manner::default() };
        for case in suite() {
            let is_rough =
                [Chapter::Limits, Chapter::Robustness, Chapter::Performance].contains(&case.facts.chapter);
            assert!(!is_rough || gentle.leaves_out(case).is_some(), "{}", case.facts.id);
            assert_eq!(case.facts.chapter == Chapter::Http2, Manner::default().leaves_out(case).is_some());
        }
    }

    #[test]
    fn cases_are_chosen_by_number_id_chapter_and_section() {
        let of = |choice: Choice| suite().iter().filter(|case| choice.takes(case, Dir::Server)).count();
        let all = of(Choice::default());
        assert_eq!(of(Choice { cases: vec!["1.1.1".into()], ..Choice::default() }), 1);
        assert_eq!(of(Choice { cases: vec!["autobahn:1.1.*".into()], ..Choice::default() }), 8);
        assert_eq!(of(Choice { exclude: vec!["*".into()], ..Choice::default() }), 0);
        assert!(of(Choice { sections: vec!["RFC 6455 §5".into()], ..Choice::default() }) <= all);
        assert_eq!(of(Choice { sections: vec!["RFC 6455 §99".into()], ..Choice::default() }), 0);
        assert!(within("RFC 6455 §5.5.2", "rfc6455 5.5") && !within("RFC 6455 §5.51", "RFC 6455 §5.5"));
    }
}
