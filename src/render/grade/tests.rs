//! A peer as nobody wants one, in every format.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::lang::Lang;
use crate::model::grade::{
    Behaviour, CaseFacts, Change, Changes, Chapter, Closing, Ended, Event, EventKind, Graded, Graduate,
    Level, Remedy, Transcript, Verdict, WirePiece,
};
use crate::model::{Bilingual, Cite, CloseCode, Dir, Rule, Severity, StreamEnd, Text, Time, Who};

static MASKED: Rule = Rule {
    id: "masked-server-frame",
    severity: Severity::Error,
    cite: Cite::rfc6455("5.1"),
    who: Who::Server,
    title: "a server frame is masked",
    consequence: "the client closes the connection, with 1002 if it says why",
    fails: Some(CloseCode(1002)),
    usually: None,
};

/// A case that passes.
fn graded(id: &str, autobahn: Option<&str>, chapter: Chapter) -> Graded {
    let facts = CaseFacts {
        id: format!("{chapter}.{id}"),
        autobahn: autobahn.map(str::to_owned),
        chapter,
        title: Bilingual::new(format!("What is meant by {id}"), format!("{id} 的意思")),
        cites: vec!["RFC 6455 §5.5.2".to_owned()],
        rules: Vec::new(),
        stage: 3,
        level: Level::Must,
        usually: Bilingual::default(),
        mend: Bilingual::default(),
        bugs: Vec::new(),
    };
    Graded {
        case: Arc::new(facts),
        behaviour: Behaviour::Ok,
        closing: Closing::Ok,
        why: Text::default(),
        expected: vec!["pong \"*\" size=125".to_owned()],
        got: Vec::new(),
        more: 0,
        broken: None,
        opened: true,
        likely: Bilingual::default(),
        looks_like: Text::default(),
        remedy: None,
        is_only_end: false,
        code: Some(CloseCode(1000)),
        ended: Some(Ended {
            peer: Dir::Server,
            closer: Some(Dir::Client),
            clean: true,
            stream: Some(StreamEnd::Fin),
        }),
        wire: Vec::new(),
        bytes: [200, 220],
        took: Duration::from_micros(2_345),
        figures: None,
        beside: None,
    }
}

fn event(what: EventKind, payload: &[u8]) -> Event {
    Event { what, payload: payload.to_vec(), length: payload.len() as u64, after: Duration::from_millis(1) }
}

/// What a hostile peer says.
const HOSTILE: &[u8] = b"</script><img src=x onerror=alert(1)>\x1b[2J\0 ]]> | `@all` \xff";

/// A server that masks its frames, takes what is no UTF-8, is late with a code, and has no compression.
fn server() -> Transcript {
    let who = Graduate {
        agent: "ws://127.0.0.1:9001/echo".to_owned(),
        role: Dir::Server,
        url: "ws://127.0.0.1:9001/echo".to_owned(),
        again: "wstool grade ws://127.0.0.1:9001/echo".to_owned(),
    };
    let mut all = Vec::new();
    for nth in 1..=16 {
        all.push(graded(&format!("text-{nth}"), Some(&format!("1.1.{nth}")), Chapter::Framing));
    }
    for nth in 1..=11 {
        let mut one = graded(&format!("ping-{nth}"), Some(&format!("2.{nth}")), Chapter::Control);
        if nth > 4 {
            one.behaviour = Behaviour::Failed;
            one.closing = Closing::Failed;
            one.why = "what came is not what may come".into();
            one.broken = Some(&MASKED);
            one.got = vec![event(EventKind::Pong, &[b'*'; 125])];
            one.wire = vec![
                WirePiece { from: Dir::Client, after: Duration::ZERO, bytes: vec![0x89, 0x80, 0, 0, 0, 0] },
                WirePiece { from: Dir::Server, after: Duration::from_millis(1), bytes: vec![0x8A, 0x80] },
            ];
        }
        all.push(one);
    }
    for nth in 1..=40 {
        let mut one = graded(&format!("bad-{nth}"), Some(&format!("6.3.{nth}")), Chapter::Utf8);
        match nth {
            1 => {
                one.behaviour = Behaviour::Failed;
                one.closing = Closing::Failed;
                one.why = "it kept the connection, which it has to fail here".into();
                one.got = vec![
                    event(EventKind::Text, HOSTILE),
                    event(EventKind::Close(Some(CloseCode(1002))), b""),
                ];
                one.likely = Bilingual::new("text is not checked", "没有检查文本");
            }
            2 => {
                one.closing = Closing::WrongCode;
                one.code = Some(CloseCode(1002));
                one.why = Text::with("it closed with {}; {} is meant for this", 1002).and(1007);
            }
            _ => {}
        }
        all.push(one);
    }
    for nth in 1..=3 {
        let mut one = graded(&format!("small-{nth}"), None, Chapter::Deflate);
        one.behaviour = Behaviour::Unimplemented;
        one.closing = Closing::Informational;
        one.why = Text::new("it has no {}").word("permessage-deflate");
        all.push(one);
    }
    let mut transcript = Transcript::new(who, all.len() as u64);
    transcript.began = Some(Time(1_700_000_000_000_000_000));
    transcript.took = Duration::from_millis(12_400);
    transcript.graded = all;
    transcript
}

/// The same, of which some is known and some was otherwise before.
fn against() -> Transcript {
    let mut transcript = server();
    let change = |id: &str, autobahn: &str, before, now| Change {
        id: id.to_owned(),
        autobahn: Some(autobahn.to_owned()),
        before,
        now,
    };
    transcript.known.insert("utf8.bad-1".to_owned(), "see #12".to_owned());
    transcript.known.insert("framing.text-1".to_owned(), String::new());
    transcript.changes = Some(Changes {
        since: "main.json".to_owned(),
        worse: vec![change("utf8.bad-2", "6.3.2", Verdict::Pass, Verdict::NonStrict)],
        better: vec![change("control.ping-1", "2.1", Verdict::Fail, Verdict::Pass)],
        added: 3,
        left: 0,
    });
    transcript
}

#[test]
fn a_summary_is_a_screen() {
    let all = [server(), against()];
    let options = Options::default();
    let summaries = all.each_ref().map(|it| summary(it, Some(SCREEN), &options)).join("\n");
    insta::assert_snapshot!("summary", summaries);
    let chinese = Options { lang: Lang::Zh, ..Options::default() };
    assert!(summary(&all[0], Some(SCREEN), &chinese).contains("等级 D"));
    for transcript in &all {
        for ascii in [false, true] {
            let options = Options { ascii, ..Options::default() };
            let text = summary(transcript, Some(SCREEN), &options);
            assert!(text.lines().count() <= SCREEN, "{text}");
            assert_eq!(text.lines().find(|line| columns::width(line) > 80), None, "{text}");
            assert!(!ascii || text.is_ascii(), "{text}");
        }
    }
}

/// Whatever case it was that showed it.
#[test]
fn who_takes_no_masks_off_is_told_how() {
    let mut transcript = server();
    transcript.graded.retain(|one| one.verdict() == Verdict::Fail);
    let told = |transcript: &Transcript| summary(transcript, None, &Options::default());
    assert!(!told(&transcript).contains("XOR byte i of the payload"));
    for one in &mut transcript.graded {
        one.remedy = Some(&UNMASKED);
        one.looks_like = Text::with(UNMASKED.of[0], "36 9e a6 2a");
    }
    let text = told(&transcript);
    assert!(text.contains("\n✗ 8 cases: it is still masked: XOR with the key 36 9e a6 2a"), "{text}");
    assert!(text.contains("  mend      XOR byte i of the payload"), "{text}");
    assert!(!text.contains(MASKED.title), "one mistake, whatever rules that breaks: {text}");
    let stage = stage(&transcript.graded, 5, [0; 5], "ws://a", &Options::default());
    assert!(stage.contains("XOR byte i of the payload") && stage.contains("wstool lesson 5"), "{stage}");
}

static UNMASKED: Remedy = Remedy {
    of: &["it is still masked: XOR with the key {} gives what was sent"],
    mend: "XOR byte i of the payload with byte i mod 4 of the masking key, the four bytes before the payload",
    rule: "",
    cite: "RFC 6455 §5.3",
    chapter: Chapter::Masking,
    is_first: true,
};

static MISTAKE: Remedy = Remedy {
    of: &["a mistake"],
    mend: "mend it",
    rule: "",
    cite: "",
    chapter: Chapter::Framing,
    is_first: false,
};

/// Two cases that fail alike, with advice of their own.
fn alike() -> Transcript {
    let mut transcript = server();
    transcript.graded.truncate(2);
    for (nth, one) in transcript.graded.iter_mut().enumerate() {
        let mut facts = (*one.case).clone();
        facts.usually = Bilingual::new(format!("usual {nth}"), String::new());
        facts.mend = Bilingual::new(format!("mend {nth}"), String::new());
        one.case = Arc::new(facts);
        one.behaviour = Behaviour::Failed;
        one.why = "what came is not what may come".into();
        one.got = vec![event(EventKind::Text, b"Welcome")];
    }
    transcript
}

/// The first case of a group stands for it, and what mends that may spoil another.
#[test]
fn what_mends_one_case_is_told_of_a_group_only_where_it_mends_all() {
    let mut transcript = alike();
    let told = |transcript: &Transcript| summary(transcript, None, &Options::default());
    let text = told(&transcript);
    assert!(
        text.contains("✗ 2 cases: got text \"Welcome\"; expected pong \"*\" size=125; framing.text-1"),
        "{text}"
    );
    assert!(!text.contains("usual 0") && !text.contains("mend 0"), "{text}");
    assert!(!text.contains("what came is not"), "{text}");
    let mut silent = alike();
    silent.graded.iter_mut().for_each(|one| one.got = vec![event(EventKind::Close(None), b"")]);
    assert!(told(&silent).contains("got nothing; expected pong"), "it answers Close: {}", told(&silent));
    transcript.graded.iter_mut().for_each(|one| one.expected.clear());
    let text_of_nothing = told(&transcript);
    assert!(text_of_nothing.contains("got text \"Welcome\", where nothing should come"), "{text_of_nothing}");
    transcript.graded[1].case = Arc::clone(&transcript.graded[0].case);
    let text = told(&transcript);
    assert!(text.contains("  usually   usual 0") && text.contains("  mend      mend 0"), "{text}");
    // What is known of the mistake is told instead of what is known of the case.
    for one in &mut transcript.graded {
        one.looks_like = "a mistake".into();
        one.remedy = Some(&MISTAKE);
    }
    let text = told(&transcript);
    assert!(text.contains("  mend      mend it") && !text.contains("mend 0"), "{text}");
}

/// What a case is about went well: neither its rule nor its advice is told.
#[test]
fn where_only_the_end_is_wrong_a_case_has_nothing_to_say() {
    let mut transcript = alike();
    transcript.graded.truncate(1);
    let one = &mut transcript.graded[0];
    (one.behaviour, one.closing, one.is_only_end) = (Behaviour::Ok, Closing::Unclean, true);
    one.why = "it owes a Close frame, and ended the connection without".into();
    let text = summary(&transcript, None, &Options::default());
    assert!(text.contains("it owes a Close frame"), "{text}");
    assert!(!text.contains("§5.5.2") && !text.contains("usual 0") && !text.contains("mend 0"), "{text}");
}

/// The name of a case is what can be played again.
#[test]
fn a_long_reason_is_cut_before_the_name_of_its_case() {
    let mut transcript = alike();
    for one in &mut transcript.graded {
        one.why = "a reason that goes on and on, much further than there is any room on a line for it".into();
    }
    let text = summary(&transcript, Some(8), &Options::default());
    let line = text.lines().find(|line| line.starts_with("✗ 2 cases: a reason")).unwrap_or(&text);
    assert!(line.ends_with("; framing.text-1 (1.1.1) …") && columns::width(line) <= 80, "{text}");
}

#[test]
fn a_stage_is_as_large_as_it_is() {
    let mut transcript = alike();
    transcript.graded[0].behaviour = Behaviour::Ok;
    transcript.graded.truncate(1);
    let of =
        |transcript: &Transcript, whole| stage(&transcript.graded, 3, whole, "ws://a", &Options::default());
    let text = of(&transcript, [0, 0, 1, 0, 0]);
    assert!(text.contains("✓ stage 3") && text.contains("1 of 1\n") && text.contains("Next"), "{text}");
    let text = of(&transcript, [2, 0, 3, 9, 9]);
    assert!(text.contains("· stage 1") && text.contains("0 of 2, 2 not played\n"), "{text}");
    assert!(text.contains("· stage 3") && text.contains("1 of 3, 2 not played\n"), "{text}");
    assert!(!text.contains("Next") && text.contains("What was played passes"), "{text}");
    let facts = transcript.graded.iter().map(|one| &*one.case);
    assert_eq!(stages(facts), [0, 0, 1, 0, 0]);
}

/// A chapter in which there is everything takes a line all the same, and leaves room for what is behind it.
#[test]
fn a_chapter_of_every_verdict_fits() {
    let mut transcript = server();
    let all = [
        Behaviour::Failed,
        Behaviour::NonStrict,
        Behaviour::Unimplemented,
        Behaviour::Informational,
        Behaviour::Ok,
    ];
    for (one, behaviour) in transcript.graded.iter_mut().zip(all.into_iter().cycle()) {
        one.behaviour = behaviour;
    }
    let text = summary(&transcript, Some(SCREEN), &Options::default());
    assert_eq!(text.lines().find(|line| columns::width(line) > 80), None, "{text}");
    assert!(text.contains("░    3 of  16 pass  4 fail, 3 non-strict, …\n"), "{text}");
    assert!(text.contains("\n✗ "), "{text}");
    let full = summary(&transcript, None, &Options::default());
    assert!(full.contains("3 unimplemented,\n"), "{full}");
}

#[test]
fn a_full_report_is_a_line_a_case_and_all_reasons() {
    insta::assert_snapshot!("report", report(&[&against()], &Options::default()));
}

#[test]
fn who_was_stopped_and_who_passes_everything_is_told_so() {
    let mut transcript = server();
    transcript.chosen = 517;
    let text = summary(&transcript, Some(SCREEN), &Options::default());
    assert!(
        text.starts_with("only 70 of 517 cases were played: 8 fail, 1 non-strict, 3 unimplemented"),
        "{text}"
    );
    transcript.graded.retain(|one| one.verdict() == Verdict::Pass);
    transcript.chosen = transcript.graded.len() as u64;
    let text = summary(&transcript, Some(SCREEN), &Options::default());
    assert!(text.starts_with("58 cases: all pass; grade A"), "{text}");
    transcript.graded.clear();
    transcript.chosen = 0;
    assert!(summary(&transcript, Some(SCREEN), &Options::default()).starts_with("0 cases"));
}

#[test]
fn every_format_says_it() {
    let transcript = against();
    let other = Transcript { who: Graduate { agent: "<b>\u{1b}".to_owned(), ..server().who }, ..server() };
    let all = [&transcript, &other];
    insta::assert_snapshot!("markdown", markdown::page(&[&transcript], &Options::default()));
    insta::assert_snapshot!("junit", junit::document(&all, &Options::default()));
    let json = json::document(&all, &Options { lang: Lang::Zh, ..Options::default() });
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["peers"][0]["counts"]["fail"], 8);
    insta::assert_snapshot!("json", json);
}

#[test]
fn nothing_of_a_peer_is_markup() {
    let mut transcript = server();
    transcript.who.agent = "</title><script>alert(1)</script>\u{1b}[2J".to_owned();
    let records =
        |_: &Graded| "{\"type\":\"x\",\"what\":\"</script><script>alert(2)</script>\"}\n".to_owned();
    let page = html::page(&[&transcript], &records, &Options::default());
    let own = page.replace(crate::render::html::SCRIPT, "").replace(crate::render::html::STYLE, "");
    assert!(!own.contains("<script>") && !own.contains("<img") && !own.contains('\u{1b}'));
    assert_eq!(own.matches("</script>").count(), own.matches("<script ").count());
    assert!(own.contains("\\u003c/script"));
    let xml = junit::document(&[&transcript], &Options::default());
    assert!(!xml.contains("<img") && !xml.contains('\u{1b}') && !xml.contains('\0'));
    let text = markdown::page(&[&transcript], &Options::default());
    // What is code is shown as it is.
    let marked = text.lines().filter(|line| line.contains("<img") || line.contains("<script"));
    marked.for_each(|line| assert!(line.starts_with("- got: `text \""), "{line}"));
}

#[test]
fn a_page_has_its_cases() {
    let page = html::page(&[&against()], &|_| String::new(), &Options::default());
    let (_, body) = page.split_once("<main").unwrap();
    let (body, _) = body.split_once("</main>").unwrap();
    insta::assert_snapshot!("html", body);
}

#[test]
fn autobahn_reads_its_own() {
    let (one, two) = (server(), against());
    let two = Transcript { who: Graduate { agent: "ws 8.23".to_owned(), ..two.who.clone() }, ..two };
    let files = autobahn::files(&[&one, &two]);
    // A file a numbered case, and the index of both.
    assert_eq!(files.len(), 2 * 67 + 1);
    let (_, index) = files.iter().find(|(name, _)| name == "index.json").unwrap();
    let index: serde_json::Value = serde_json::from_str(index).unwrap();
    let case = &index["ws 8.23"]["6.3.2"];
    assert_eq!(case["behavior"], "OK");
    assert_eq!(case["behaviorClose"], "WRONG CODE");
    assert_eq!(case["remoteCloseCode"], 1002);
    assert_eq!(case["duration"], 2);
    assert_eq!(case["reportfile"], "ws_8_23_case_6_3_2.json");
    let (_, file) = files.iter().find(|(name, _)| name == "ws_8_23_case_2_5.json").unwrap();
    insta::assert_snapshot!("autobahn", file);
}

/// `schema/wstool-grade-1.schema.json` is what programs are promised: what is written is valid, and each of
/// its keys is named.
#[test]
fn what_programs_read_keeps_the_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../schema/wstool-grade-1.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut named = std::collections::BTreeSet::new();
    keys(&schema["$defs"], &mut named);
    let check = |value: &serde_json::Value| {
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let mut used = std::collections::BTreeSet::new();
        keys(value, &mut used);
        let unknown: Vec<&String> = used.difference(&named).collect();
        assert!(unknown.is_empty(), "the schema does not name {unknown:?}");
    };
    let (one, two) = (server(), against());
    check(&serde_json::from_str(&json::document(&[&one, &two], &Options::default())).unwrap());
    let records = json::records(&[&one, &two], &Options::default());
    assert_eq!(records.lines().count(), 1 + 2 * 71);
    records.lines().for_each(|line| check(&serde_json::from_str(line).unwrap()));
    assert!(!validator.is_valid(&serde_json::json!({ "type": "case", "agent": "x" })));
}

/// The names of all members.
fn keys(value: &serde_json::Value, into: &mut std::collections::BTreeSet<String>) {
    match value {
        serde_json::Value::Object(members) => members.iter().for_each(|(key, value)| {
            into.insert(key.clone());
            keys(value, into);
        }),
        serde_json::Value::Array(all) => all.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}
